"""Random programs: all ways to a derivative agree, to the third order."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapead


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian

# ------------------------------------------------------------------------- the programs ---

UNARY = [
    lambda u: math.sin(u), lambda u: math.tanh(u), lambda u: math.atan(u), lambda u: u * u,
    lambda u: math.exp(-u * u), lambda u: math.sqrt(1.0 + u * u), lambda u: u**3,
    lambda u: abs(u), lambda u: 1.0 / (2.0 + u * u),
]  # fmt: skip
BINARY = [
    lambda u, v: u * v, lambda u, v: u + v, lambda u, v: u - v, lambda u, v: u / (2.0 + v * v),
    lambda u, v: math.atan2(u, 2.0 + v * v), lambda u, v: u * u * v, max,
]  # fmt: skip
WHOLE = [
    np.sin, np.tanh, lambda a: a * a, lambda a: 0.5 * np.cumsum(a), lambda a: a[::-1].copy(),
    lambda a: np.where(a > 0.3, a * a[0], np.tanh(a)), lambda a: np.outer(a, a) @ a * 0.3,
    lambda a: np.outer(a, a)[:, 0], lambda a: a[[1, 0, 1]], lambda a: a / (1.0 + np.sum(a * a)),
    lambda a: np.concatenate([a[1:], a[:1]]), lambda a: np.maximum(a, 0.3) + a,
]  # fmt: skip
SUMS = [np.sum, np.prod, np.mean, np.linalg.norm, np.max]


class Machine:
    """A program that works on a list of arrays and a list of numbers.

    Each of its steps is a name and three whole numbers, which choose what it works on.
    """

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, x):
        self.arrays, self.numbers = [x.copy()], [x[0], x[-1] * 0.5]
        for name, i, j, k in self.steps:
            getattr(self, name)(i, j, k)
        last = self.arrays[-1]
        return {"all": last, "numbers": (self.numbers[-1], last[0] * self.numbers[0])}

    def a(self, k):
        return self.arrays[k % len(self.arrays)]

    def n(self, k):
        return self.numbers[k % len(self.numbers)]

    # Numbers and elements.

    def read(self, i, j, k):
        self.numbers.append(self.a(i)[j % len(self.a(i))])

    def store(self, i, j, k):
        self.a(i)[j % len(self.a(i))] = self.n(k) * 0.7

    def constant(self, i, j, k):
        self.a(i)[j % len(self.a(i))] = 0.25 * k

    def add_to(self, i, j, k):
        self.a(i)[j % len(self.a(i))] += self.n(k)

    def swap(self, i, j, k):
        a = self.a(i)
        j, k = j % len(a), k % len(a)
        a[j], a[k] = a[k], a[j]

    def unary(self, i, j, k):
        self.numbers.append(UNARY[i % len(UNARY)](self.n(j)))

    def binary(self, i, j, k):
        self.numbers.append(0.8 * BINARY[i % len(BINARY)](self.n(j), self.n(k)))

    def copy(self, i, j, k):
        self.arrays.append(self.a(i).copy())

    def view(self, i, j, k):
        self.arrays.append(self.a(i)[::-1] if j % 2 else self.a(i)[k % len(self.a(i)) :])

    def made(self, i, j, k):
        self.arrays.append(np.array([self.n(i), self.n(j), self.n(k)]))

    def filled(self, i, j, k):
        new = np.zeros(len(self.a(i)))
        for at in range(len(new)):
            new[at] = self.a(i)[at] * self.n(j)
        self.arrays.append(new)

    def reversed(self, i, j, k):
        self.a(i)[:] = self.a(i)[::-1]

    # Whole arrays.

    def whole(self, i, j, k):
        a = self.a(i)
        self.arrays.append(WHOLE[j % len(WHOLE)](a if len(a) > 1 else np.array([a[0], 0.5])))

    def summed(self, i, j, k):
        self.numbers.append(0.5 * SUMS[j % len(SUMS)](self.a(i)))

    def scaled(self, i, j, k):
        a = self.a(i)
        a *= self.n(j)

    def folded(self, i, j, k):
        a = self.a(i)
        a += a[::-1]

    def masked(self, i, j, k):
        a = self.a(i)
        a[a > 0.4] *= self.n(j)

    def out(self, i, j, k):
        np.sin(self.a(i), out=self.a(i))

    def two_at_once(self, i, j, k):
        self.a(i)[[0, j % len(self.a(i))]] = self.n(k) * 0.3

    def reshaped(self, i, j, k):
        b = self.a(i).reshape(1, -1)
        b[0, j % b.size] = self.n(k) * b[0, 0]


ELEMENTS = ["read", "store", "constant", "add_to", "swap", "unary", "binary", "copy", "view",
            "made", "filled", "reversed"]  # fmt: skip
ARRAYS = ["whole", "summed", "scaled", "folded", "masked", "out", "two_at_once", "reshaped"]


def machines(names):
    number = st.integers(0, 20)
    step = st.tuples(st.sampled_from(names), number, number, number)
    return st.lists(step, min_size=1, max_size=9).map(Machine)


POINTS = st.lists(st.integers(-12, 12), min_size=2, max_size=6).map(
    lambda ks: np.array([0.13 * k + 0.07 * (-1) ** i for i, k in enumerate(ks)])
)
cases = {
    "elements": given(machines(ELEMENTS), POINTS),
    "arrays": given(machines(ELEMENTS + ARRAYS), POINTS),
}
often = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def squared(f):
    return lambda x: sum(np.sum(y * y) for y in family.leaves(f(x))) * 1.0


def assert_all_equal(ways, rtol):
    (_, expected), *_ = ways.items()
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    for name, found in ways.items():
        np.testing.assert_allclose(found, expected, rtol, rtol * scale, err_msg=name)


def small(f, x):
    """Whether the numbers of a program do not grow beyond what can be compared."""
    return max((np.abs(y).max(initial=0.0) for y in family.leaves(f(x))), default=0.0) < 1e3


@pytest.mark.parametrize("kind", cases)
def test_first_derivatives(kind):
    @often
    @cases[kind]
    def check(f, x):
        if not small(f, x):
            return
        value = f(x.copy())
        family.assert_same_bits(jvp(f, (x,), (x,))[0], value)
        family.assert_same_bits(vjp(f, x)[0], value)
        derivative = linearize(f, x)[1]
        linear = [family.in_one(derivative(e)) for e in np.eye(len(x))]
        assert_all_equal({
            "vjp": family.matrix_by_vjp(f, (x,)),
            "jvp": family.matrix_by_jvp(f, (x,)),
            "linearize": np.array(linear).T,
            "jacrev": family.matrix_of(jacrev(f)(x), value, x),
            "jacfwd": family.matrix_of(jacfwd(f)(x), value, x),
        }, 1e-10)  # fmt: skip

    check()


@pytest.mark.parametrize("kind", cases)
def test_second_derivatives(kind):
    @often
    @cases[kind]
    def check(f, x):
        if not small(f, x):
            return
        value, g = f(x.copy()), squared(f)
        v = np.cos(np.arange(len(x)) + 0.5)
        assert_all_equal({
            name: family.hessians_of(of(f)(x), value, x)
            for name, of in {
                "jacrev jacrev": lambda f: jacrev(jacrev(f)),
                "hessian": hessian,
                "jacfwd jacrev": lambda f: jacfwd(jacrev(f)),
                "jacrev jacfwd": lambda f: jacrev(jacfwd(f)),
                "jacfwd jacfwd": lambda f: jacfwd(jacfwd(f)),
            }.items()
        }, 1e-8)  # fmt: skip
        assert_all_equal({
            "grad grad": grad(lambda x: np.sum(grad(g)(x) * v))(x),
            "hvp": hvp(g, (x,), (v,)),
            "hessian": hessian(g)(x) @ v,
            "jvp grad": jvp(grad(g), (x,), (v,))[1],
            "grad jvp": grad(lambda x: jvp(g, (x,), (v,))[1])(x),
            "grad vjp": grad(lambda x: np.sum(vjp(g, x)[1](1.0)[0] * v))(x),
            "linearize grad": linearize(grad(g), x)[1](v),
            "grad linearize": grad(lambda x: linearize(g, x)[1](v))(x),
            "jacfwd jvp": jacfwd(lambda x: jvp(g, (x,), (v,))[1])(x),
        }, 1e-8)  # fmt: skip

    check()


@pytest.mark.parametrize("kind", cases)
def test_third_derivatives(kind):
    @often
    @cases[kind]
    def check(f, x):
        if not small(f, x):
            return
        g = squared(f)
        v = np.cos(np.arange(len(x)) + 0.5)
        assert_all_equal({
            "grad grad grad": grad(
                lambda x: np.sum(grad(lambda x: np.sum(grad(g)(x) * v))(x) * v)
            )(x),
            "grad hvp": grad(lambda x: np.sum(hvp(g, (x,), (v,)) * v))(x),
            "jvp hvp": jvp(lambda x: hvp(g, (x,), (v,)), (x,), (v,))[1],
            "hessian grad": hessian(lambda x: np.sum(grad(g)(x) * v))(x) @ v,
            "hvp jvp": hvp(lambda x: jvp(g, (x,), (v,))[1], (x,), (v,)),
        }, 1e-7)  # fmt: skip

    check()
