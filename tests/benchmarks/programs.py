"""Ordinary scalar programs of the kinds that people differentiate, on floats and plain ``math``.

Each is a function of a list of floats and, where its length does not follow from the list, of a
size.  Nothing in here knows that it will be differentiated.
"""

import math
import random
from collections.abc import Callable
from typing import NamedTuple


def rosenbrock(x):
    """The chained Rosenbrock function of n variables."""
    total = 0.0
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total


def product(x):
    """Speelpenning's product: as many inputs as operations."""
    p = 1.0
    for factor in x:
        p *= factor
    return p


def logistic(x, steps):
    """A forced logistic map that bends at a threshold; the mean of its orbit."""
    population, rate, force, damping = x
    total = 0.0
    for k in range(steps):
        population = rate * population * (1.0 - population) + force * FORCING[k % 8]
        if population > 0.6:
            population -= damping * (population - 0.6)
        else:
            population += 0.1 * population * population
        total += population
    return total / steps


def van_der_pol(x, end):
    """The Van der Pol oscillator by Bogacki and Shampine's pair, steps accepted or rejected."""
    mu, y, v = x

    def acceleration(y, v):
        return mu * (1.0 - y * y) * v - y

    t, h = 0.0, 0.01
    while end - t > 1e-9:
        h = min(h, end - t)
        k1, l1 = v, acceleration(y, v)
        k2 = v + 0.5 * h * l1
        l2 = acceleration(y + 0.5 * h * k1, k2)
        k3 = v + 0.75 * h * l2
        l3 = acceleration(y + 0.75 * h * k2, k3)
        y3 = y + h * (2.0 * k1 + 3.0 * k2 + 4.0 * k3) / 9.0
        v3 = v + h * (2.0 * l1 + 3.0 * l2 + 4.0 * l3) / 9.0
        l4 = acceleration(y3, v3)
        ey = h * (-5.0 * k1 + 6.0 * k2 + 8.0 * k3 - 9.0 * v3) / 72.0
        ev = h * (-5.0 * l1 + 6.0 * l2 + 8.0 * l3 - 9.0 * l4) / 72.0
        error = math.sqrt(ey * ey + ev * ev) / 1e-4
        if error <= 1.0:
            t, y, v = t + h, y3, v3
        factor = 4.0 if error < 1e-3 else 0.9 / error ** (1.0 / 3.0)
        h *= min(max(factor, 0.25), 4.0)
    return y * y + v


def network(x, samples):
    """Squared error of a 2-8-8-1 network with tanh, its weights in one flat list."""
    loss = 0.0
    for k in range(samples):
        layer = [FORCING[k % 8], FORCING[3 * k % 7]]
        at = 0
        for width in (8, 8, 1):
            following = []
            for _ in range(width):
                total = x[at]
                for j, activation in enumerate(layer):
                    total += x[at + 1 + j] * activation
                at += 1 + len(layer)
                following.append(math.tanh(total))
            layer = following
        loss += (layer[0] - FORCING[5 * k % 8]) ** 2
    return loss / samples


def lu_logdet(x):
    """log |det A| of an n by n matrix by elimination with partial pivoting."""
    n = math.isqrt(len(x))
    rows = [x[i * n : (i + 1) * n] for i in range(n)]
    logdet = 0.0
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        logdet += math.log(abs(rows[k][k]))
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            for j in range(k + 1, n):
                rows[i][j] -= factor * rows[k][j]
    return logdet


def cholesky_logdet(x):
    """log det of a symmetric matrix, of which the lower triangle is used, by Cholesky's way."""
    n = math.isqrt(len(x))
    lower = [[0.0] * n for _ in range(n)]
    logdet = 0.0
    for i in range(n):
        for j in range(i + 1):
            rest = x[i * n + j]
            for k in range(j):
                rest -= lower[i][k] * lower[j][k]
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
        logdet += 2.0 * math.log(lower[i][i])
    return logdet


def asian_option(x, paths):
    """Mean payoff of an Asian call that a high barrier caps; 25 time steps a path."""
    spot, strike, rate, volatility = x
    noise = random.Random(8)
    dt = 1.0 / 25.0
    drift = (rate - 0.5 * volatility * volatility) * dt
    scale = volatility * math.sqrt(dt)
    total = 0.0
    for _ in range(paths):
        price = spot
        mean = 0.0
        for _ in range(25):
            price *= math.exp(drift + scale * noise.gauss(0.0, 1.0))
            if price > 1.8 * spot:
                price = 1.8 * spot
            mean += price / 25.0
        total += max(mean - strike, 0.0)
    return math.exp(-rate) * total / paths


def kalman(x, steps):
    """Negative log-likelihood of a noisy position under a constant-velocity Kalman filter."""
    process, noise, position, velocity = x
    p11, p12, p22 = 1.0, 0.0, 1.0
    loss = 0.0
    for k in range(steps):
        position += 0.1 * velocity
        p11 += 0.2 * p12 + 0.01 * p22 + 0.1 * process
        p12 += 0.1 * p22
        p22 += process
        s = p11 + noise
        innovation = FORCING[k % 8] + 0.02 * (k % 50) - position
        loss += 0.5 * (math.log(s) + innovation * innovation / s)
        gain, gain_v = p11 / s, p12 / s
        position += gain * innovation
        velocity += gain_v * innovation
        p22 -= gain_v * p12
        p12 *= 1.0 - gain
        p11 *= 1.0 - gain
    return loss / steps


def pendulum(x, steps):
    """Energy of a damped pendulum after the given number of Runge-Kutta steps."""
    angle, speed, damping, stiffness = x

    def torque(angle, speed):
        return -stiffness * math.sin(angle) - damping * speed

    h = 0.02
    for _ in range(steps):
        a1, b1 = speed, torque(angle, speed)
        a2 = speed + 0.5 * h * b1
        b2 = torque(angle + 0.5 * h * a1, a2)
        a3 = speed + 0.5 * h * b2
        b3 = torque(angle + 0.5 * h * a2, a3)
        a4 = speed + h * b3
        b4 = torque(angle + h * a3, a4)
        angle += h / 6.0 * (a1 + 2.0 * (a2 + a3) + a4)
        speed += h / 6.0 * (b1 + 2.0 * (b2 + b3) + b4)
    return 0.5 * speed * speed + stiffness * (1.0 - math.cos(angle))


# ------------------------------------------------------------------------- where they start ---

FORCING = [math.sin(2.0 * k + 0.3) for k in range(8)]


def _around_one(n):
    return [1.0 + 0.1 * math.sin(i) for i in range(n)]


def _weights(n):
    draw = random.Random(1)
    return [draw.uniform(-1.0, 1.0) for _ in range(8 * 3 + 8 * 9 + 9)]


def _matrix(n):
    draw = random.Random(2)
    return [draw.gauss(0.0, 1.0) for _ in range(n * n)]


def _dominant(n):
    x = [0.1 * a for a in _matrix(n)]
    x[:: n + 1] = [float(n + i) for i in range(n)]
    return x


class Program(NamedTuple):
    """A function, its inputs for a size, whether it is told the size, and the sizes to run."""

    f: Callable
    inputs: Callable[[int], list[float]]
    told: bool
    sizes: tuple[int, ...]
    small: int

    @property
    def name(self) -> str:
        return self.f.__name__

    def arguments(self, n: int) -> tuple:
        return (self.inputs(n), n) if self.told else (self.inputs(n),)


PROGRAMS = (
    Program(rosenbrock, _around_one, False, (1_000, 10_000, 100_000), 10),
    Program(product, _around_one, False, (1_000, 10_000, 100_000), 10),
    Program(logistic, lambda n: [0.3, 2.8, 0.05, 0.2], True, (1_000, 10_000, 100_000), 20),
    Program(van_der_pol, lambda n: [1.5, 2.0, 0.1], True, (2, 20, 200), 1),
    Program(network, _weights, True, (6, 40, 400), 2),
    Program(lu_logdet, _matrix, False, (12, 30, 60), 5),
    Program(cholesky_logdet, _dominant, False, (16, 30, 60), 5),
    Program(asian_option, lambda n: [1.0, 0.9, 0.03, 0.3], True, (10, 100, 1_000), 4),
    Program(kalman, lambda n: [0.1, 0.5, 0.0, 0.2], True, (1_000, 10_000), 10),
    Program(pendulum, lambda n: [1.0, 0.0, 0.1, 4.0], True, (1_000, 10_000), 10),
)
