"""Ordinary programs for matrices of derivatives: Rosenbrock in two ways, and maps of vectors.

They take a list of floats or an array, and constants behind it.  Nothing in here knows that it will
be differentiated.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


def rosenbrock(x):
    """The chained Rosenbrock function, number by number."""
    total = 0.0
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total


def rosenbrock_vectorized(x):
    """The same on whole arrays."""
    a = x[1:] - x[:-1] * x[:-1]
    b = 1.0 - x[:-1]
    return np.sum(100.0 * a * a + b * b)


def decays(x, points):
    """A sum of damped oscillations at many points of time, number by number: few in, many out."""
    parts = len(x) // 5
    values = []
    for k in range(points):
        t = k / points
        total = 0.0
        for j in range(parts):
            height, rate, frequency, phase, floor = x[5 * j : 5 * j + 5]
            wave = math.sin(frequency * t + phase)
            total += height * math.exp(-rate * t) * wave + floor * floor
        values.append(total)
    return values


def moments(x, count):
    """Sums of powers of the waves of many numbers, number by number: many in, few out."""
    sums = [0.0] * count
    for value in x:
        wave = math.sin(value)
        power = 1.0
        for k in range(count):
            power *= wave
            sums[k] += power
    return sums


def layers(x, first, second):
    """Two layers of a network on an array; of any shape by its matrices."""
    return np.tanh(second @ np.tanh(first @ x))


def _around_one(n):
    return 1.0 + 0.1 * np.sin(np.arange(n))


def _network(outputs, inputs):
    draw = np.random.default_rng(4)
    hidden = 100
    first = draw.standard_normal((hidden, inputs)) / math.sqrt(inputs)
    second = draw.standard_normal((outputs, hidden)) / math.sqrt(hidden)
    return _around_one(inputs), first, second


class Program(NamedTuple):
    """A function, and what it is given.

    form : "list" if its argument is a list of floats, else "array"
    arguments : by a size its arguments, the first of them as an array
    sizes, small : those to run, and one to try; of Jacobians, (results, inputs)
    """

    name: str
    f: Callable
    form: str
    arguments: Callable[..., tuple]
    sizes: tuple
    small: int | tuple[int, int]


def _rosenbrock(name, f, form):
    return Program(name, f, form, lambda n: (_around_one(n),), (200,), 10)


HESSIANS = (
    _rosenbrock("loop over a list", rosenbrock, "list"),
    _rosenbrock("loop over an array", rosenbrock, "array"),
    _rosenbrock("vectorized", rosenbrock_vectorized, "array"),
)
JACOBIANS = (
    Program("decays", decays, "list", lambda m, n: (_around_one(n), m), ((1_000, 10),), (20, 5)),
    Program("moments", moments, "list", lambda m, n: (_around_one(n), m), ((10, 1_000),), (3, 20)),
    Program("layers", layers, "array", _network, ((1_000, 10),), (20, 5)),
    Program("layers", layers, "array", _network, ((10, 1_000),), (3, 20)),
)
