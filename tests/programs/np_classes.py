"""Arrays inside objects, closures, generators and dictionaries."""

import copy
import dataclasses
import functools
import itertools
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass
class Gaussian:
    mean: np.ndarray
    cov: np.ndarray

    def __add__(self, other):
        return Gaussian(self.mean + other.mean, self.cov + other.cov)

    def __matmul__(self, A):
        return Gaussian(A @ self.mean, A @ self.cov @ A.T)

    @property
    def entropy(self):
        return 0.5 * np.log(np.linalg.det(2 * np.pi * np.e * self.cov))

    def condition(self, value):
        """On the last coordinate."""
        gain = self.cov[:-1, -1] / self.cov[-1, -1]
        mean = self.mean[:-1] + gain * (value - self.mean[-1])
        return Gaussian(mean, self.cov[:-1, :-1] - np.outer(gain, self.cov[-1, :-1]))


def belief(prior, noise, seen):
    A = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.9]])
    posterior = (prior @ A + noise).condition(seen)
    return posterior.mean.sum() + posterior.entropy


class Spring:
    """Masses in a row; the state is held in arrays that change in place."""

    def __init__(self, x, k):
        self.x = np.array(x, dtype=float)
        self.v = np.zeros_like(self.x)
        self.k = k

    def forces(self):
        f = np.zeros_like(self.x)
        stretch = np.diff(self.x) - 1.0
        f[:-1] += self.k * stretch
        f[1:] -= self.k * stretch
        return f

    def step(self, dt=0.05):
        self.v += dt * self.forces()
        self.v *= 0.99
        self.x += dt * self.v

    @property
    def energy(self):
        return 0.5 * (self.v**2).sum() + 0.5 * self.k * ((np.diff(self.x) - 1) ** 2).sum()


def springs(x, k):
    system = Spring(x, k)
    start = copy.deepcopy(system)
    for _ in range(25):
        system.step()
    return start.energy - system.energy + np.abs(system.x - start.x).max()


class Node:
    """A tree of frames, each with an offset that its children inherit."""

    def __init__(self, offset, children=()):
        self.offset = offset
        self.children = list(children)

    def walk(self, origin):
        here = origin + self.offset
        yield here
        for child in self.children:
            yield from child.walk(here * 0.9)


def skeleton(offsets):
    hand, arm, foot, hip = (Node(o) for o in offsets)
    arm.children.append(hand)
    hip.children += [foot, arm]
    joints = np.array(list(hip.walk(np.zeros(2))))
    return np.linalg.norm(joints - joints.mean(axis=0), axis=1).sum()


def layers_in_a_dict(params):
    """Any number of layers: W0, b0, W1, b1, and so on."""
    x = np.array([0.5, -1.0])
    for i in itertools.count():
        if f"W{i}" not in params:
            break
        x = np.tanh(params[f"W{i}"] @ x + params.get(f"b{i}", 0.0))
    squares = {name: float(np.sum(p**2)) for name, p in params.items()}
    return x.sum() + 0.01 * sum(squares.values())


class Knots(NamedTuple):
    x: np.ndarray
    y: np.ndarray


def make_interpolant(knots):
    """Catmull-Rom through the knots, as a function."""
    x, y = knots
    slopes = np.empty_like(y)
    slopes[1:-1] = (y[2:] - y[:-2]) / (x[2:] - x[:-2])
    slopes[0], slopes[-1] = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])

    def evaluate(t):
        i = min(max(int(np.searchsorted(x, t)) - 1, 0), len(x) - 2)
        h = x[i + 1] - x[i]
        s = (t - x[i]) / h
        return (
            (1 + 2 * s) * (1 - s) ** 2 * y[i]
            + s * (1 - s) ** 2 * h * slopes[i]
            + s**2 * (3 - 2 * s) * y[i + 1]
            + s**2 * (s - 1) * h * slopes[i + 1]
        )

    return evaluate


def closure(knots, times):
    f = make_interpolant(knots)
    return np.prod([f(t) for t in times])


def random_walk(scale, pull, n):
    rng = np.random.default_rng(99)
    x = np.zeros(3)
    while n > 0:
        x = x - pull * x + scale * rng.normal(size=3)
        yield x.copy()
        n -= 1


def generator(scale, pull):
    """Visits of an Ornstein-Uhlenbeck walk, the last few kept in a window."""
    window = deque(maxlen=4)
    smooth = []
    for x in random_walk(scale, pull, 12):
        window.append(x)
        smooth.append(np.mean(window, axis=0))
    return np.var(np.stack(smooth), axis=0).sum()


class Grid:
    """A board of float states, after each step a little more like its neighbours."""

    def __init__(self, cells):
        self.cells = cells.copy()
        self.history = defaultdict(list)

    def neighbours(self):
        total = np.zeros_like(self.cells)
        for dy, dx in itertools.product((-1, 0, 1), repeat=2):
            if (dy, dx) != (0, 0):
                total += np.roll(np.roll(self.cells, dy, 0), dx, 1)
        return total

    def __iadd__(self, amount):
        self.cells += amount
        return self

    def step(self, mu, sigma):
        growth = 2 * np.exp(-0.5 * ((self.neighbours() / 8 - mu) / sigma) ** 2) - 1
        self += 0.1 * growth
        np.clip(self.cells, -5.0, 5.0, out=self.cells)
        self.history["mass"].append(self.cells.sum())


def lenia(cells, mu, sigma):
    world = Grid(cells)
    for _ in range(6):
        world.step(mu, sigma)
    mass = np.array(world.history["mass"])
    return mass[-1] + np.abs(np.diff(mass)).mean()


class Registry:
    functions = {}

    @classmethod
    def register(cls, f):
        cls.functions[f.__name__] = f
        return f


@Registry.register
def relu(x):
    return x * (x > 0)


@Registry.register
def swish(x):
    return x / (1 + np.exp(-x))


@Registry.register
def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def registered(x, scales):
    names = sorted(Registry.functions)
    outputs = [Registry.functions[name](s * x) for name, s in zip(names, scales)]
    return functools.reduce(np.multiply, outputs).sum() + functools.reduce(np.add, outputs).max()


@dataclass(frozen=True)
class Layer:
    thickness: float
    index: np.ndarray


@dataclass(frozen=True)
class Stack:
    layers: list
    angle: float

    def scaled(self, factor):
        return dataclasses.replace(
            self, layers=[Layer(l.thickness * factor, l.index) for l in self.layers]
        )


def optical_path(stack):
    """Through layers of glass whose index varies with depth (Snell)."""
    path = 0.0
    for copy_of in (stack, stack.scaled(1.5)):
        invariant = np.sin(copy_of.angle)
        for layer in copy_of.layers:
            cosine = np.sqrt(1 - (invariant / layer.index) ** 2)
            path += layer.thickness * np.mean(layer.index / cosine)
    return path


class Accumulator:
    """Running mean and covariance (Welford)."""

    def __init__(self, dim):
        self.n = 0
        self.mean = np.zeros(dim)
        self.M2 = np.zeros((dim, dim))

    def __call__(self, x):
        self.n += 1
        delta = x - self.mean
        self.mean += delta / self.n
        self.M2 += np.outer(delta, x - self.mean)
        return self

    def __len__(self):
        return self.n


def welford(rows):
    acc = Accumulator(rows.shape[1])
    for row in rows:
        acc(row)
    cov = acc.M2 / (len(acc) - 1)
    assert np.allclose(cov, np.cov(rows.T))
    return np.linalg.det(cov) + acc.mean.prod()


COV = np.array([[1.0, 0.2, 0.1], [0.2, 0.8, 0.3], [0.1, 0.3, 1.5]])
TABLE = np.array([[0.5, 1.2], [-0.7, 0.4], [1.1, -0.3], [0.2, 0.9]])

CASES = [
    (
        "Gaussians as objects",
        belief,
        (
            Gaussian(np.array([0.5, 1.0, -0.3]), COV),
            Gaussian(np.zeros(3), 0.1 * np.eye(3)),
            0.7,
        ),
    ),
    ("springs", springs, (np.array([0.0, 1.3, 2.1, 3.55]), 8.0)),
    ("skeleton", skeleton, ([TABLE[0], TABLE[1], TABLE[2], TABLE[3]],)),
    (
        "layers in a dictionary",
        layers_in_a_dict,
        ({"W0": TABLE, "b0": np.array([0.1, 0.2, -0.1, 0.0]), "W1": TABLE.T},),
    ),
    (
        "closure",
        closure,
        (
            Knots(np.array([0.0, 1.0, 2.5, 3.0]), np.array([1.0, 2.0, 0.5, 1.5])),
            (0.4, 1.7, 2.8),
        ),
    ),
    ("generator", generator, (0.8, 0.3)),
    ("Lenia", lenia, (np.sin(np.arange(30.0)).reshape(5, 6) ** 2, 0.4, 0.3)),
    ("registered functions", registered, (TABLE[:, 0], np.array([1.1, 0.7, 1.6]))),
    (
        "optical path",
        optical_path,
        (Stack([Layer(1.0, np.array([1.5, 1.52, 1.55])), Layer(0.3, np.array([1.7]))], 0.6),),
    ),
    ("Welford", welford, (TABLE,)),
]
