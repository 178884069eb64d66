"""Random programs that differentiate, keep pullbacks, write on, and call own rules."""

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


programs = _module("test_family_random")
everything_is_as_it_was = programs.checks.everything_is_as_it_was
family, squared = programs.family, programs.squared
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian

# ----------------------------------------------------------------------------- own rules ---


@tapead.custom_jvp
def sine(x):
    return math.sin(x)


@sine.defjvp
def _(primals, tangents):
    (x,), (t,) = primals, tangents
    return sine(x), t * math.cos(x)


@tapead.custom_jvp
def wave(a, b):
    return np.sin(a) * b


@wave.defjvp
def _(primals, tangents):
    (a, b), (da, db) = primals, tangents
    return wave(a, b), np.cos(a) * b * da + np.sin(a) * db


@tapead.custom_vjp
def wave_back(a, b):
    return np.sin(a) * b


wave_back.defvjp(
    lambda a, b: (wave_back(a, b), (a, b)),
    lambda r, g: (np.cos(r[0]) * r[1] * g, np.sum(np.sin(r[0]) * g)),
)


class Nested(programs.Machine):
    """As its base; its new steps differentiate functions of arrays that are written into later."""

    def __call__(self, x):
        self.pullbacks, self.linear = [], []
        return super().__call__(x)

    def ruled(self, i, j, k):
        self.numbers.append(sine(self.n(i)))

    def ruled_array(self, i, j, k):
        a, b = self.a(i), self.a(j)
        self.arrays.append(wave(a, b if b.shape == a.shape else a * 1.0))

    def ruled_back(self, i, j, k):
        self.arrays.append(wave_back(self.a(i), self.n(j)))

    def slope(self, i, j, k):
        c, f = self.n(i), lambda t: math.sin(t * c) * t
        self.numbers.append(grad(f)(self.n(j)) if k % 2 else jvp(f, (self.n(j),), (c,))[1])

    def bend(self, i, j, k):
        c = self.n(i)
        f = lambda t: math.sin(t * c) * t  # noqa: E731
        found = hvp(f, (self.n(j),), (c,)) if k % 2 else hessian(f)(self.n(j))
        self.numbers.append(0.3 * found)

    def matrix(self, i, j, k):
        f, a = self.inner(i, j), self.a(i)
        self.arrays.append(0.3 * np.sum((jacfwd if k % 2 else jacrev)(f)(a), axis=0))

    def inner(self, i, j):
        """A function of an array that reads one from outside, and may give its argument."""
        a = self.a(i)

        def f(y):
            z = np.sin(y) * a if i % 3 else y
            if j % 2:
                z[0] = z[-1] * self.n(j)
            return z

        return f

    def keep(self, i, j, k):
        value, pullback = vjp(self.inner(i, j), self.a(i))
        self.pullbacks.append((lambda w: pullback(w)[0], len(value)))
        if k % 2:
            self.arrays.append(value)

    def keep_linear(self, i, j, k):
        value, derivative = linearize(self.inner(i, j), self.a(i))
        self.linear.append((derivative, len(value)))
        if k % 2:
            self.arrays.append(value)

    def call(self, i, j, k):
        for kept in (self.pullbacks, self.linear):
            if kept:
                linear, n = kept[i % len(kept)]
                w = self.a(j) if len(self.a(j)) == n else np.ones(n) * self.n(k)
                self.arrays.append(linear(w))


STEPS = ["ruled", "ruled_array", "slope", "bend", "matrix", *["keep", "keep_linear", "call"] * 2]
ALL = [*programs.ELEMENTS, *programs.ARRAYS, *STEPS * 2]
number = st.integers(0, 20)


def machines(names):
    step = st.tuples(st.sampled_from(names), number, number, number)
    return st.lists(step, min_size=2, max_size=10).map(Nested)


CASES = {
    "both modes": (given(machines(ALL), programs.POINTS), True),
    "reverse rules": (given(machines([*ALL, *["ruled_back"] * 4]), programs.POINTS), False),
}
often = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def differences(f, x, h=1e-4):
    steps = [f(x + h * k * e) for e in np.eye(len(x)) for k in (1, -1, 2, -2)]
    near, near_left, far, far_left = np.reshape(steps, (len(x), 4)).T
    return (8.0 * (near - near_left) - (far - far_left)) / (12.0 * h)


@pytest.mark.parametrize(("cases", "forward"), CASES.values(), ids=CASES)
def test_all_ways_agree(cases, forward):
    @often
    @cases
    def check(f, x):
        if not programs.small(f, x):
            return
        g, v = squared(f), np.cos(np.arange(len(x)) + 0.5)
        family.assert_close(vjp(f, x)[0], f(x.copy()), 1e-12)
        first = {"grad": grad(g)(x), "vjp": vjp(g, x)[1](1.0)[0], "jacrev": jacrev(g)(x)}
        second = {
            "grad grad": grad(lambda x: np.sum(grad(g)(x) * v))(x),
            "hvp": hvp(g, (x,), (v,)),
            "hessian": hessian(g)(x) @ v,
            "jvp grad": jvp(grad(g), (x,), (v,))[1],
            "grad vjp": grad(lambda x: np.sum(vjp(g, x)[1](1.0)[0] * v))(x),
        }
        third = {
            "grad hvp": grad(lambda x: np.sum(hvp(g, (x,), (v,)) * v))(x),
            "jvp hvp": jvp(lambda x: hvp(g, (x,), (v,)), (x,), (v,))[1],
        }
        if forward:
            family.assert_close(jvp(f, (x,), (v,))[0], f(x.copy()), 1e-12)
            first["linearize"] = np.array([linearize(g, x)[1](e) for e in np.eye(len(x))])
            first["jacfwd"] = jacfwd(g)(x)
            second["grad jvp"] = grad(lambda x: jvp(g, (x,), (v,))[1])(x)
            second["grad linearize"] = grad(lambda x: linearize(g, x)[1](v))(x)
            second["jacfwd jvp"] = jacfwd(lambda x: jvp(g, (x,), (v,))[1])(x)
        programs.assert_all_equal(first, 1e-10)
        programs.assert_all_equal(second, 1e-8)
        programs.assert_all_equal(third, 1e-7)

    check()


def step_by_step(x):
    """What the random programs are made of, in one that is smooth: kept, overwritten, called."""
    f = Nested([
        ("made", 0, 1, 0), ("keep", 1, 1, 1), ("keep_linear", 1, 2, 1), ("constant", 1, 0, 3),
        ("scaled", 0, 1, 0), ("ruled_array", 1, 2, 0), ("call", 0, 1, 0), ("slope", 0, 1, 1),
        ("swap", 1, 0, 2), ("bend", 1, 0, 0), ("matrix", 1, 1, 1), ("call", 1, 3, 1),
        ("ruled", 1, 0, 0), ("folded", 2, 0, 0), ("summed", 3, 0, 0),
    ])  # fmt: skip
    return squared(f)(x)


def test_a_long_program_against_differences():
    x, v = np.array([0.4, -0.7, 0.9]), np.array([0.5, -1.5, 0.25])
    slope = differences(step_by_step, x)
    assert np.count_nonzero(np.abs(slope) > 1e-3) >= 2
    for found in (grad(step_by_step)(x), jacfwd(step_by_step)(x)):
        np.testing.assert_allclose(found, slope, 1e-8, 1e-8)
    bent = differences(lambda x: grad(step_by_step)(x) @ v, x)
    for found in (hvp(step_by_step, (x,), (v,)), hessian(step_by_step)(x) @ v):
        np.testing.assert_allclose(found, bent, 1e-7, 1e-7)
    third = differences(lambda x: hvp(step_by_step, (x,), (v,)) @ v, x)
    found = grad(lambda x: hvp(step_by_step, (x,), (v,)) @ v)(x)
    np.testing.assert_allclose(found, third, 1e-6, 1e-6)
