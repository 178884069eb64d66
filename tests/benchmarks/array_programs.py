"""Ordinary NumPy programs of the kinds that people differentiate: functions of arrays.

The arguments to differentiate by come first; what follows are constants.  Nothing in here knows
that it will be differentiated.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


def small_vectors(v, a, b, operations):
    """Many operations on short vectors."""
    for _ in range(operations // 5):
        push = np.sin(v) * a + b
        v = push - 0.1 * v
    return np.sum(v * v)


def lstm(weights, recurrent, bias, readout, inputs, targets):
    """Mean squared error of an LSTM cell over a sequence, batch 1."""
    hidden = len(readout)
    state = np.zeros(hidden)
    cell = np.zeros(hidden)
    loss = 0.0
    for x, target in zip(inputs, targets):
        z = weights @ x + recurrent @ state + bias
        enter = 1.0 / (1.0 + np.exp(-z[:hidden]))
        stay = 1.0 / (1.0 + np.exp(-z[hidden : 2 * hidden]))
        leave = 1.0 / (1.0 + np.exp(-z[2 * hidden : 3 * hidden]))
        cell = stay * cell + enter * np.tanh(z[3 * hidden :])
        state = leave * np.tanh(cell)
        error = np.sum(readout * state) - target
        loss = loss + error * error
    return loss / len(targets)


def mlp(w1, b1, w2, b2, images, labels):
    """Cross-entropy of a network with one hidden layer and a softmax."""
    hidden = np.tanh(images @ w1 + b1)
    z = hidden @ w2 + b2
    z = z - np.max(z, axis=1, keepdims=True)
    normalizer = np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.sum(labels * (z - normalizer)) / len(images)


def logistic_regression(w, b, points, signs):
    """Mean log-loss of a linear classifier, with a ridge."""
    margin = signs * (points @ w + b)
    return np.sum(np.log(1.0 + np.exp(-margin))) / len(points) + 1e-3 * np.sum(w * w)


def gaussian_mixture(alphas, means, factors, points):
    """Log-likelihood of a mixture of full Gaussians, each given by a triangular factor.

    The objective of ADBench (Srajer, Kukelova, Fitzgibbon 2018): a row of `factors` holds the
    logarithms of the diagonal and then the entries below it.
    """
    n, d = points.shape
    k = len(alphas)
    logs = factors[:, :d]
    below = factors[:, d:]
    entry = np.zeros((d, d), int)
    entry[np.tril_indices(d, -1)] = np.arange(1, d * (d - 1) // 2 + 1)
    lower = np.concatenate([np.zeros((k, 1)), below], axis=1)[:, entry.ravel()].reshape((k, d, d))
    diagonal = np.exp(logs)
    centered = points.reshape((n, 1, d)) - means
    scaled = diagonal * centered + np.einsum("kij,nkj->nki", lower, centered)
    weights = alphas + np.sum(logs, axis=1)
    inner = weights - 0.5 * np.sum(scaled * scaled, axis=2)
    prior = 0.5 * (np.sum(diagonal * diagonal) + np.sum(below * below))
    return np.sum(_log_sum_exp(inner, 1)) - n * np.sum(_log_sum_exp(alphas, 0)) + prior


def _log_sum_exp(a, axis):
    largest = np.max(a, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(a - largest), axis=axis, keepdims=True)) + largest


def ufunc_chain(v):
    """A chain of 20 ufuncs on a long vector."""
    n = len(v)
    for _ in range(4):
        v = v * 1.01
        v = v + 0.1
        v = np.tanh(v)
        v = v * v
        v = np.sin(v)
    return np.sum(v) / n


def heat(start, rate, steps):
    """Explicit finite differences for the heat equation, the rod updated in place."""
    u = np.copy(start)
    for _ in range(steps):
        u[1:-1] += rate * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def rosenbrock(x):
    """The chained Rosenbrock function, element by element."""
    total = 0.0
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total


def planets(position, velocity, mass, steps):
    """Energy of n bodies after some steps of leapfrog, all pairs at once."""
    own = np.eye(len(mass))

    def pull(position):
        apart = position[:, None, :] - position[None, :, :]
        square = np.sum(apart * apart, axis=2) + 0.01
        return -np.sum(mass[:, None] * apart / (square * np.sqrt(square))[:, :, None], axis=1)

    h = 0.01
    for _ in range(steps):
        velocity = velocity + 0.5 * h * pull(position)
        position = position + h * velocity
        velocity = velocity + 0.5 * h * pull(position)
    kinetic = 0.5 * np.sum(mass[:, None] * velocity * velocity)
    apart = position[:, None, :] - position[None, :, :]
    distance = np.sqrt(np.sum(apart * apart, axis=2) + 0.01)
    return kinetic - 0.5 * np.sum((1.0 - own) * mass[:, None] * mass / distance)


def kalman(transition, process, noise, observer, observations):
    """Negative log-likelihood of a linear Gaussian model by a Kalman filter."""
    n = len(transition)
    state = np.zeros(n)
    covariance = np.eye(n)
    loss = 0.0
    for seen in observations:
        state = transition @ state
        covariance = transition @ covariance @ transition.T + process
        innovation = seen - observer @ state
        spread = observer @ covariance @ observer.T + noise
        gain = np.linalg.solve(spread, observer @ covariance).T
        state = state + gain @ innovation
        covariance = covariance - gain @ observer @ covariance
        _, logdet = np.linalg.slogdet(spread)
        loss = loss + 0.5 * (logdet + innovation @ np.linalg.solve(spread, innovation))
    return loss / len(observations)


# ------------------------------------------------------------------------- where they start ---


def _vectors(operations):
    draw = np.random.default_rng(4)
    return (
        draw.standard_normal(10),
        draw.uniform(0.2, 0.8, 10),
        draw.standard_normal(10),
        operations,
    )


def _sequence(steps):
    draw = np.random.default_rng(3)
    hidden, width = (64, 16) if steps >= 10 else (3, 2)
    return (
        0.3 * draw.standard_normal((4 * hidden, width)),
        0.1 * draw.standard_normal((4 * hidden, hidden)),
        np.zeros(4 * hidden),
        0.2 * draw.standard_normal(hidden),
        draw.standard_normal((steps, width)),
        np.sin(0.1 * np.arange(steps)),
    )


def _images(batch):
    draw = np.random.default_rng(0)
    pixels, hidden, classes = (784, 128, 10) if batch >= 10 else (6, 4, 3)
    return (
        0.03 * draw.standard_normal((pixels, hidden)),
        np.zeros(hidden),
        0.1 * draw.standard_normal((hidden, classes)),
        np.zeros(classes),
        draw.standard_normal((batch, pixels)),
        np.eye(classes)[draw.integers(0, classes, batch)],
    )


def _classes(rows):
    draw = np.random.default_rng(1)
    points = draw.standard_normal((rows, 100 if rows >= 100 else 4))
    hidden = draw.standard_normal(points.shape[1])
    signs = np.sign(points @ hidden + 0.1 * draw.standard_normal(rows))
    return 0.1 * draw.standard_normal(points.shape[1]), np.array(0.1), points, signs


def _clusters(n):
    draw = np.random.default_rng(2)
    k, d = (25, 10) if n >= 100 else (3, 2)
    return (
        draw.standard_normal(k),
        draw.standard_normal((k, d)),
        0.3 * draw.standard_normal((k, d * (d + 1) // 2)),
        draw.standard_normal((n, d)),
    )


def _line(n):
    return (np.linspace(0.1, 1.0, n),)


def _rod(n):
    start = np.sin(np.linspace(0.0, math.pi, n)) + 0.1
    return start, np.array(0.2), 200 if n >= 100 else 5


def _around_one(n):
    return (1.0 + 0.1 * np.sin(np.arange(n)),)


def _bodies(n):
    draw = np.random.default_rng(5)
    steps = 20 if n >= 10 else 2
    return (
        draw.standard_normal((n, 3)),
        0.1 * draw.standard_normal((n, 3)),
        np.full(n, 1.0 / n),
        steps,
    )


def _tracks(steps):
    draw = np.random.default_rng(6)
    n, m = 4, 2
    return (
        np.eye(n) + 0.1 * draw.standard_normal((n, n)) - 0.2 * np.eye(n),
        0.1 * np.eye(n),
        0.5 * np.eye(m),
        draw.standard_normal((m, n)),
        draw.standard_normal((steps, m)),
    )


class Program(NamedTuple):
    """A function, its arguments for a size, by how many of them it is differentiated, the sizes.

    bound : what the gradient may cost at the last size, as a multiple of the program; None if that
        is not promised
    """

    f: Callable
    arguments: Callable[[int], tuple]
    count: int
    sizes: tuple[int, ...]
    small: int
    bound: float | None

    @property
    def name(self) -> str:
        return self.f.__name__

    @property
    def argnums(self) -> tuple[int, ...]:
        return tuple(range(self.count))


PROGRAMS = (
    Program(small_vectors, _vectors, 3, (1_000, 10_000), 20, 5.0),
    Program(lstm, _sequence, 4, (10, 100), 3, 6.0),
    Program(mlp, _images, 4, (128,), 5, 2.3),
    Program(logistic_regression, _classes, 2, (1_000, 10_000), 20, 2.5),
    Program(gaussian_mixture, _clusters, 3, (100, 1_000), 5, 2.5),
    Program(ufunc_chain, _line, 1, (100_000, 1_000_000, 10_000_000), 30, 2.5),
    Program(heat, _rod, 2, (100_000, 1_000), 8, 6.0),
    Program(rosenbrock, _around_one, 1, (1_000, 10_000), 10, None),
    Program(planets, _bodies, 2, (10, 100), 3, None),
    Program(kalman, _tracks, 4, (100, 1_000), 3, None),
)
