"""Mechanics: pendulums, projectiles, orbits, springs."""

import copy
import math
from collections import namedtuple
from dataclasses import dataclass, replace

from .toolbox import rk4

Body = namedtuple("Body", "mass x y vx vy")


@dataclass
class Launch:
    speed: float
    angle: float
    drag: float = 0.02


@dataclass(frozen=True)
class Oscillator:
    mass: float
    damping: float
    stiffness: float

    @property
    def omega(self):
        return math.sqrt(self.stiffness / self.mass)

    @property
    def zeta(self):
        return self.damping / (2 * math.sqrt(self.stiffness * self.mass))

    def displacement(self, t, x0=1.0):
        zeta, omega = self.zeta, self.omega
        if zeta < 1:
            damped = omega * math.sqrt(1 - zeta**2)
            swing = math.cos(damped * t) + zeta * omega / damped * math.sin(damped * t)
            return x0 * math.exp(-zeta * omega * t) * swing
        if zeta > 1:
            root = omega * math.sqrt(zeta**2 - 1)
            fast, slow = -zeta * omega - root, -zeta * omega + root
            return x0 * (slow * math.exp(fast * t) - fast * math.exp(slow * t)) / (slow - fast)
        return x0 * (1 + omega * t) * math.exp(-omega * t)


def pendulum(theta, omega, length, dt=0.02, steps=60):
    """Angle after a while, by symplectic Euler."""
    for _ in range(steps):
        omega -= dt * 9.81 / length * math.sin(theta)
        theta += dt * omega
    return theta


def double_pendulum(state, lengths, masses):
    (l1, l2), (m1, m2) = lengths, masses
    g = 9.81

    def rhs(_, y):
        a, b, wa, wb = y
        delta = a - b
        den = 2 * m1 + m2 - m2 * math.cos(2 * delta)
        acc_a = (
            -g * (2 * m1 + m2) * math.sin(a)
            - m2 * g * math.sin(a - 2 * b)
            - 2 * math.sin(delta) * m2 * (wb**2 * l2 + wa**2 * l1 * math.cos(delta))
        ) / (l1 * den)
        acc_b = (
            2
            * math.sin(delta)
            * (
                wa**2 * l1 * (m1 + m2)
                + g * (m1 + m2) * math.cos(a)
                + wb**2 * l2 * m2 * math.cos(delta)
            )
        ) / (l2 * den)
        return [wa, wb, acc_a, acc_b]

    y = list(state)
    for i in range(20):
        y = rk4(rhs, y, i * 0.01, 0.01)
    return l1 * math.sin(y[0]) + l2 * math.sin(y[1])


def projectile_range(launch):
    """Where it comes down, interpolated inside the last step."""
    angle = math.radians(launch.angle)
    x, y = 0.0, 0.0
    vx, vy = launch.speed * math.cos(angle), launch.speed * math.sin(angle)
    dt = 0.01
    while True:
        speed = math.hypot(vx, vy)
        old = x, y
        vx -= dt * launch.drag * speed * vx
        vy -= dt * (9.81 + launch.drag * speed * vy)
        x += dt * vx
        y += dt * vy
        if y < 0:
            break
    fraction = old[1] / (old[1] - y)
    return old[0] + fraction * (x - old[0])


def bouncing_ball(height, restitution, horizon=2.0):
    """Height at a time, jumping from bounce to bounce by the closed formulas."""
    g = 9.81
    t = math.sqrt(2 * height / g)
    v = g * t
    if horizon < t:
        return height - 0.5 * g * horizon**2
    bounces = 0
    while True:
        v *= restitution
        flight = 2 * v / g
        bounces += 1
        if t + flight > horizon or bounces > 50:
            break
        t += flight
    rest = horizon - t
    print("after %d bounces, t = %.3f, v = %6.3f" % (bounces, t, v))
    return v * rest - 0.5 * g * rest * rest


def three_bodies(bodies):
    """Total energy's kinetic part after some leapfrog steps."""

    def forces(system):
        out = [[0.0, 0.0] for _ in system]
        for i, p in enumerate(system):
            for j in range(i):
                q = system[j]
                dx, dy = q.x - p.x, q.y - p.y
                r3 = math.dist((p.x, p.y), (q.x, q.y)) ** 3 + 1e-3
                out[i][0] += q.mass * dx / r3
                out[i][1] += q.mass * dy / r3
                out[j][0] -= p.mass * dx / r3
                out[j][1] -= p.mass * dy / r3
        return out

    system = copy.deepcopy(bodies)
    dt = 0.02
    for _ in range(15):
        half = [
            b._replace(vx=b.vx + dt / 2 * ax, vy=b.vy + dt / 2 * ay)
            for b, (ax, ay) in zip(system, forces(system))
        ]
        drifted = [b._replace(x=b.x + dt * b.vx, y=b.y + dt * b.vy) for b in half]
        system = [
            b._replace(vx=b.vx + dt / 2 * ax, vy=b.vy + dt / 2 * ay)
            for b, (ax, ay) in zip(drifted, forces(drifted))
        ]
    return sum(0.5 * b.mass * (b.vx**2 + b.vy**2) for b in system)


def kepler(mean_anomaly, eccentricity):
    """True anomaly, by Newton's method on Kepler's equation."""
    from math import atan2, cos, sin, sqrt

    e_anomaly = mean_anomaly if eccentricity < 0.8 else math.pi
    while True:
        error = e_anomaly - eccentricity * sin(e_anomaly) - mean_anomaly
        step = error / (1 - eccentricity * cos(e_anomaly))
        e_anomaly -= step
        if abs(step) < 1e-14:
            break
    return 2 * atan2(
        sqrt(1 + eccentricity) * sin(e_anomaly / 2), sqrt(1 - eccentricity) * cos(e_anomaly / 2)
    )


def ringing(oscillator, t):
    return oscillator.displacement(t) + replace(oscillator, damping=0.1).displacement(t)


def stick_slip(force, mu):
    """A block on a belt: sticks or slides, decided every step."""
    position, velocity, belt = 0.0, 0.0, 0.7
    for step in range(80):
        t = step * 0.05
        push = force * math.sin(1.3 * t) - position
        slip = velocity - belt
        if abs(slip) < 1e-9 and abs(push) <= mu:
            friction = -push
        else:
            friction = -math.copysign(mu, slip)
        velocity += 0.05 * (push + friction)
        position += 0.05 * velocity
    return position


CASES = [
    ("pendulum", pendulum, (0.7, 0.1, 1.3)),
    ("double pendulum", double_pendulum, ([0.8, 0.3, 0.0, 0.2], (1.0, 0.7), (1.1, 0.6))),
    ("projectile with drag", projectile_range, (Launch(18.0, 41.0, 0.013),)),
    ("bouncing ball", bouncing_ball, (1.3, 0.83)),
    (
        "three bodies",
        three_bodies,
        (
            [
                Body(1.0, 0.0, 0.0, 0.0, 0.1),
                Body(0.4, 1.0, 0.2, -0.1, 0.8),
                Body(0.2, -0.7, 0.9, 0.9, 0.2),
            ],
        ),
    ),
    ("Kepler's equation", kepler, (0.9, 0.35)),
    ("Kepler's equation, eccentric", kepler, (0.9, 0.85)),
    ("oscillator, underdamped", ringing, (Oscillator(1.2, 0.6, 5.0), 0.8)),
    ("oscillator, overdamped", ringing, (Oscillator(1.2, 7.0, 5.0), 0.8)),
    ("stick-slip", stick_slip, (1.9, 0.4)),
]
