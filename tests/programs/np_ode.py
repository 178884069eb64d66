"""Ordinary differential equations: steppers, orbits, kinetics."""

from dataclasses import dataclass, field

import numpy as np
from numpy import array, cos, sin, zeros
from numpy.linalg import norm, solve

G = 6.674e-2


def euler_oscillator(x0, k, damping):
    n = 60
    dt = 0.05
    y = zeros((n, 2))
    y[0] = [x0, 0.0]
    for i in range(n - 1):
        x, v = y[i]
        y[i + 1] = y[i] + dt * array([v, -k * x - damping * v])
    return y[-1, 0]


def rk4(f, y0, t, *args):
    y = np.zeros((len(t), len(y0)))
    y[0] = y0
    for i in range(len(t) - 1):
        h = t[i + 1] - t[i]
        k1 = f(y[i], t[i], *args)
        k2 = f(y[i] + k1 * h / 2.0, t[i] + h / 2.0, *args)
        k3 = f(y[i] + k2 * h / 2.0, t[i] + h / 2.0, *args)
        k4 = f(y[i] + k3 * h, t[i] + h, *args)
        y[i + 1] = y[i] + (h / 6.0) * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def lorenz_rhs(state, t, sigma, rho, beta):
    x, y, z = state
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def lorenz(start, sigma, rho, beta):
    path = rk4(lorenz_rhs, start, np.linspace(0, 0.5, 26), sigma, rho, beta)
    return path[:, 2].mean()


def driven_pendulum(length, drive):
    def rhs(y, t, b, omega):
        theta, velocity = y
        return np.array([velocity, -b * velocity - 9.81 / length * sin(theta) + cos(omega * t)])

    angles = rk4(rhs, [0.4, 0.0], np.linspace(0.0, 2.0, 41), 0.25, drive)
    return np.sqrt(np.mean(angles[:, 0] ** 2))


def leapfrog_orbit(pos, vel, mu):
    """Kick, drift, kick; the arrays are ours, so they may change."""
    r = np.array(pos)
    v = np.array(vel)
    dt = 0.05

    def acc(r):
        return -mu * r / norm(r) ** 3

    a = acc(r)
    for _ in range(40):
        v += 0.5 * dt * a
        r += dt * v
        a = acc(r)
        v += 0.5 * dt * a
    return 0.5 * v.dot(v) - mu / norm(r) + r[0]


def accelerations(pos, mass, soft=0.05):
    """Pairwise attraction, all at once."""
    dx = pos[np.newaxis, :, :] - pos[:, np.newaxis, :]
    inv_r3 = ((dx**2).sum(axis=2) + soft**2) ** -1.5
    return G * (dx * inv_r3[:, :, np.newaxis] * mass[np.newaxis, :, np.newaxis]).sum(axis=1)


def n_body(pos, vel, mass):
    pos, vel = pos.copy(), vel - np.average(vel, axis=0, weights=mass)
    dt = 0.1
    a = accelerations(pos, mass)
    for _ in range(15):
        vel += a * dt / 2.0
        pos += vel * dt
        a = accelerations(pos, mass)
        vel += a * dt / 2.0
    return np.linalg.norm(pos, axis=1).sum()


def n_body_loops(pos, vel, mass):
    """Moves the bodies in place; returns the energy afterwards."""
    n = len(mass)
    for _ in range(8):
        force = np.zeros_like(pos)
        for i in range(n):
            for j in range(i + 1, n):
                d = pos[j] - pos[i]
                r = np.sqrt(d[0] ** 2 + d[1] ** 2)
                f = G * mass[i] * mass[j] * d / r**3
                force[i] += f
                force[j] -= f
        vel += 0.1 * force / mass[:, None]
        pos += 0.1 * vel
    energy = 0.5 * np.sum(mass * np.sum(vel**2, axis=1))
    for i in range(n):
        for j in range(i):
            energy -= G * mass[i] * mass[j] / norm(pos[i] - pos[j])
    return energy


class Particle:
    def __init__(self, x, v, mass):
        self.x = np.array(x)
        self.v = np.array(v)
        self.mass = mass
        self.history = []

    def step(self, dt, wind):
        drag = -0.1 * np.linalg.norm(self.v - wind) * (self.v - wind)
        self.v += dt * (drag / self.mass + np.array([0.0, -9.81]))
        self.x += dt * self.v
        self.history.append(self.x.copy())


def projectile(x, v, mass, wind):
    ball = Particle(x, v, mass)
    while len(ball.history) < 30:
        ball.step(0.02, wind)
    track = np.array(ball.history)
    return track[:, 1].max() + track[-1, 0]


# Dormand-Prince, as printed in every textbook
C = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
A = np.zeros((7, 7))
A[1, :1] = [1 / 5]
A[2, :2] = [3 / 40, 9 / 40]
A[3, :3] = [44 / 45, -56 / 15, 32 / 9]
A[4, :4] = [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729]
A[5, :5] = [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656]
A[6, :6] = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]
E = A[6] - np.array([5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40])


def dopri5(f, y, t, t_end, h, rtol=1e-5, atol=1e-8):
    accepted = rejected = 0
    while t < t_end:
        if t + h > t_end:
            h = t_end - t
        k = np.empty((7, y.size))
        for s in range(7):
            k[s] = f(t + C[s] * h, y + h * (A[s, :s] @ k[:s]) if s else y)
        new = y + h * (A[6] @ k)
        scale = atol + rtol * np.maximum(np.abs(y), np.abs(new))
        err = np.sqrt(np.mean((h * (E @ k) / scale) ** 2))
        if err <= 1.0:
            t, y = t + h, new
            accepted += 1
        else:
            rejected += 1
        h *= min(4.0, max(0.2, 0.9 * err**-0.2))
    return y, (accepted, rejected)


def brusselator(a, b, start):
    def rhs(t, y):
        u, v = y
        return array([a + u * u * v - (b + 1) * u, b * u - u * u * v])

    y, (accepted, rejected) = dopri5(rhs, start, 0.0, 2.0, 0.5)
    if rejected == 0:
        raise AssertionError("the first step was too long, or should have been")
    return y[0] + 2 * y[1]


def robertson(rates):
    """Stiff kinetics: backward Euler, and Newton's method in every step."""
    k1, k2, k3 = rates["slow"], rates["very fast"], rates["fast"]

    def f(y):
        r1, r2, r3 = k1 * y[0], k2 * y[1] ** 2, k3 * y[1] * y[2]
        return np.array([-r1 + r3, r1 - r2 - r3, r2])

    def jacobian(y):
        return np.array(
            [
                [-k1, k3 * y[2], k3 * y[1]],
                [k1, -2 * k2 * y[1] - k3 * y[2], -k3 * y[1]],
                [0.0, 2 * k2 * y[1], 0.0],
            ]
        )

    y, h = np.array([1.0, 0.0, 0.0]), 0.02
    for _ in range(10):
        z = y.copy()
        for iteration in range(25):
            dz = solve(np.eye(3) - h * jacobian(z), y + h * f(z) - z)
            z += dz
            if np.abs(dz).max() < 1e-14 and iteration >= 3:
                break
        y, h = z, h * 1.5
    return y[0] + 1e4 * y[1]


@dataclass
class Epidemic:
    beta: float
    gamma: float
    state: np.ndarray
    days: list = field(default_factory=list)


def sir(model):
    """Susceptible, infected, recovered: day by day, with the midpoint rule."""

    def rhs(y):
        s, i, _ = y
        infections = model.beta * s * i / y.sum()
        return np.array([-infections, infections - model.gamma * i, model.gamma * i])

    y = model.state.copy()
    infected = []
    for _ in range(60):
        y = y + rhs(y + 0.5 * rhs(y))
        infected.append(y[1])
    return np.max(infected) + 0.01 * y[2]


def double_pendulum(theta1, theta2, l2):
    """Semi-implicit steps; the accelerations come out of a linear system."""
    th = np.array([theta1, theta2])
    w = np.zeros(2)
    m = np.array([1.0, 0.7])
    l = np.array([1.0, l2])
    g, dt = 9.81, 0.01
    M = np.empty((2, 2))
    for _ in range(60):
        d = th[0] - th[1]
        M[0, 0] = (m[0] + m[1]) * l[0]
        M[0, 1] = m[1] * l[1] * np.cos(d)
        M[1] = [l[0] * np.cos(d), l[1]]
        rhs = np.array(
            [
                -m[1] * l[1] * w[1] ** 2 * np.sin(d) - m.sum() * g * np.sin(th[0]),
                l[0] * w[0] ** 2 * np.sin(d) - g * np.sin(th[1]),
            ]
        )
        w = w + dt * np.linalg.solve(M, rhs)
        th += dt * w
    return th[0] - th[1]


def adams_bashforth(prey, hunters, rates):
    """Two-step method, started by Euler."""
    y = np.zeros((50, 2))
    y[0] = prey, hunters
    a, b, c, d = rates
    f_old = None
    for i in range(49):
        f = y[i] * np.array([a - b * y[i, 1], -c + d * y[i, 0]])
        y[i + 1] = y[i] + 0.04 * (f if f_old is None else 1.5 * f - 0.5 * f_old)
        f_old = f
    return np.log(y[-1]).sum()


BODIES = np.array([[0.0, 0.0], [1.0, 0.2], [-0.8, 1.1], [0.3, -1.4]])
SPEEDS = np.array([[0.02, -0.1], [0.1, 0.25], [-0.2, -0.05], [0.15, 0.1]])

CASES = [
    ("oscillator, Euler", euler_oscillator, (1.2, 4.0, 0.3)),
    ("Lorenz", lorenz, (np.array([1.0, 1.5, 20.0]), 10.0, 28.0, 8 / 3)),
    ("driven pendulum", driven_pendulum, (1.3, 2.0)),
    ("orbit, leapfrog", leapfrog_orbit, (np.array([1.0, 0.1]), np.array([-0.1, 0.9]), 1.1)),
    ("n bodies", n_body, (BODIES, SPEEDS, np.array([5.0, 1.0, 2.0, 0.5]))),
    (
        "n bodies, loops",
        n_body_loops,
        (BODIES[:3].copy(), SPEEDS[:3].copy(), np.array([5.0, 1.0, 2.0])),
    ),
    (
        "projectile",
        projectile,
        (np.array([0.0, 1.0]), np.array([9.0, 3.17]), 0.8, np.array([-2.0, 0.3])),
    ),
    ("Brusselator, adaptive", brusselator, (1.0, 2.5, np.array([1.2, 2.8]))),
    ("Robertson, stiff", robertson, ({"slow": 0.04, "fast": 1e4, "very fast": 3e7},)),
    ("SIR", sir, (Epidemic(0.4, 0.1, np.array([990.0, 10.0, 0.0])),)),
    ("double pendulum", double_pendulum, (1.9, 1.1, 0.8)),
    ("Lotka-Volterra, Adams", adams_bashforth, (10.0, 5.0, np.array([1.1, 0.1, 0.4, 0.02]))),
]
