"""What is kept between a run and its sweeps: nobody can change it, and nobody shares it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tapead


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
X, A = checks.X, checks.A
assert_close = family.assert_close
jvp, vjp, linearize, hvp, grad = (
    tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp, tapead.grad,
)  # fmt: skip
V, ONES = np.array([0.5, -1.5, 0.25]), np.ones(3)
BIG = np.linspace(1.0, 2.0, 5000)  # more than 16 KiB: locked while a recording runs

# ------------------------------------------------------ results that the caller overwrites ---

RESULTS = {
    "what a rule reads": np.exp,
    "a product": lambda x: np.exp(x) * x,
    "a view": lambda x: np.exp(x)[::-1],
    "a reshaped view": lambda x: np.exp(x).reshape(3, 1).T,
    "several views": lambda x: (lambda y: (y, y[1:], y[None]))(np.exp(x)),
    "a result of several parts": lambda x: np.linalg.qr(np.outer(x, x) + A)[0],
    "the argument": lambda x: x,
    "a view of the argument": lambda x: (x[1:], x),
    "the argument, written into": family.overwritten_argument,
    "an array filled in a loop": family.filled,
    "in place": family.in_place,
}
each_result = pytest.mark.parametrize("f", RESULTS.values(), ids=RESULTS)


def spoil(tree):
    for x in family.leaves(tree):
        if isinstance(x, np.ndarray):
            x[...] = 1e9


@each_result
def test_results_may_be_overwritten_before_the_pullback_is_called(f):
    value, pullback = vjp(f, X)
    w = family.random_like(value, 1)
    before = pullback(w)
    spoil(value)
    family.assert_same_bits(pullback(w), before)


@each_result
def test_results_may_be_overwritten_before_the_linear_map_is_called(f):
    value, derivative = linearize(f, X)
    before = derivative(V)
    spoil(value)
    family.assert_same_bits(derivative(V), before)


@each_result
def test_adjoints_and_tangents_are_the_callers_own(f):
    value, pullback = vjp(f, X)
    _, derivative = linearize(f, X)
    w, v = family.random_like(value, 1), V.copy()
    found, kept = (pullback(w), derivative(v), jvp(f, (X,), (v,))), family.copied(w)
    expected = family.copied(found)
    spoil(found)
    family.assert_same_bits(w, kept)
    assert v.tolist() == V.tolist()
    family.assert_same_bits((pullback(w), derivative(v), jvp(f, (X,), (v,))), expected)


@each_result
def test_nothing_that_comes_out_shares_memory(f):
    value, tangent = jvp(f, (X,), (V,))
    kept, pullback = vjp(f, X)
    w = family.random_like(kept, 1)
    (adjoint,) = pullback(w)
    given = [X, V, *family.leaves(w)]
    for x in family.leaves((tangent, adjoint)):
        assert not any(np.shares_memory(x, y) for y in given)
    assert not any(np.shares_memory(x, y) for x in family.leaves(tangent) for y in [adjoint])
    for x in family.leaves((value, kept)):
        assert not np.shares_memory(x, X)
    tangents = [x for x in family.leaves(tangent) if isinstance(x, np.ndarray)]
    for k, x in enumerate(tangents):
        assert x.flags.writeable
        assert not any(np.shares_memory(x, y) for y in tangents[k + 1 :])


# -------------------------------------------------- arrays that change after the recording ---

weights = np.array([2.0, 3.0, 4.0])
large = BIG.copy()


def small_global(x):
    return x * weights


def test_a_global_array_may_be_overwritten_after_vjp():
    _, pullback = vjp(small_global, X)
    _, derivative = linearize(small_global, X)
    kept = weights.copy()
    weights[:] = 0.0
    assert_close(pullback(ONES)[0], kept)
    assert_close(derivative(ONES), kept)
    weights[:] = kept


@pytest.mark.parametrize("kept", [vjp, linearize])
def test_a_large_array_may_be_written_into_again_after_the_recording(kept):
    _, linear = kept(lambda x: x * large, np.ones(5000))
    assert large.flags.writeable
    large[:] = 0.0
    found = linear(np.ones(5000))
    assert_close(found[0] if kept is vjp else found, BIG)
    large[:] = BIG


def test_a_large_array_of_a_closure_and_of_an_argument():
    local, x = BIG.copy(), np.ones(5000)
    _, pullback = vjp(lambda x: np.sum(x * x * local), x)
    local[:] = 0.0
    x[:] = 7.0
    assert_close(pullback(1.0)[0], 2.0 * BIG)


def test_what_f_writes_into_a_buffer_of_the_programs_may_be_written_over():
    buffer = np.zeros(3)

    def f(x):
        buffer[:] = np.exp(x)
        return np.sum(buffer * buffer)

    _, pullback = vjp(f, X)
    assert_close(buffer, np.exp(X))
    buffer[:] = 0.0
    assert_close(pullback(1.0)[0], 2.0 * np.exp(2.0 * X))
    assert jvp(f, (X,), (V,))[1] == pytest.approx(2.0 * np.exp(2.0 * X) @ V)
    assert_close(buffer, np.exp(X))
    assert_close(hvp(f, (X,), (V,)), 4.0 * np.exp(2.0 * X) * V)


def test_aux_may_be_overwritten():
    def f(x):
        y = np.exp(x)
        return np.sum(y), y

    _, pullback, aux = vjp(f, X, has_aux=True)
    _, derivative, other = linearize(f, X, has_aux=True)
    aux[:] = other[:] = 0.0
    assert_close(pullback(1.0)[0], np.exp(X))
    assert derivative(V) == pytest.approx(np.exp(X) @ V)


def test_what_value_reads_out_may_be_overwritten():
    held = []

    def f(x):
        y = np.exp(x)
        held.append(tapead.value(y))
        return np.sum(y)

    _, pullback = vjp(f, X)
    held[0][:] = 0.0
    assert_close(pullback(1.0)[0], np.exp(X))


# ----------------------------------------------------------------- inside another recording ---


def result_overwritten(x):
    out, pullback = vjp(lambda y: np.exp(y) * y, x)
    before = pullback(ONES)[0]
    out *= 0.0
    return np.sum(before * pullback(ONES)[0]) + np.sum(out)


def point_overwritten(x):
    y = x * 1.0
    _, pullback = vjp(lambda z: np.exp(z) * z, y)
    y *= 0.0
    g = pullback(y + 1.0)[0]
    return np.sum(g * g)


def closure_overwritten(x):
    y, c = x * 1.0, np.ones(3)
    _, pullback = vjp(lambda z: np.exp(z) * y * c, x)
    y[0], c[:] = 5.0, 7.0
    y *= x
    g = pullback(ONES)[0]
    return np.sum(g * g) + np.sum(y)


def closure_of_a_linear_map_overwritten(x):
    y = x * 1.0
    _, derivative = linearize(lambda z: np.exp(z) * y, x)
    y[1:] = 0.0
    return np.sum(derivative(x) ** 2) + np.sum(y)


def adjoint_overwritten(x):
    w = x * 1.0
    _, pullback = vjp(lambda z: z * z, x)
    g = pullback(w)[0]
    w *= 2.0
    return np.sum(g * pullback(w)[0])


def found_overwritten(x):
    out, pullback = vjp(lambda z: z, x)
    out *= x
    g = pullback(x)[0]
    g *= x
    return np.sum(g * out)


def tangents_overwritten(x):
    out, derivative = linearize(lambda z: (z, z * 1.0, z[::-1]), x)
    a, b, c = derivative(x)
    a *= x
    b *= a
    return np.sum(a * b * c * out[2])


def two_adjoints(x):
    _, pullback = vjp(lambda a, b: a + b, x, x)
    a, b = pullback(x)
    a *= 2.0
    return a * b


def two_results(x):
    (a, b, c), _ = vjp(lambda a: (a, a, a[::-1]), x)
    a *= 2.0
    return a * b + c


def two_tangents(x):
    (a, b), (c, d) = jvp(lambda a: (a, a), (x,), (x,))
    a *= 2.0
    c *= 3.0
    return a * b * c * d


def result_of_a_closure(x):
    y, ones = x * 1.0, np.ones(3)
    (a, b), _ = vjp(lambda z: (y, ones), x)
    (c, d), _ = jvp(lambda z: (y, ones), (x,), (x,))
    for part in (a, b, c, d):
        part *= 2.0
    return y * ones * a * b * c * d


def adjoint_is_what_was_given(x):
    w = x * 1.0
    _, pullback = vjp(lambda z: z, x)
    _, derivative = linearize(lambda z: z, x)
    g, t = pullback(w)[0], derivative(w)
    g *= 2.0
    t *= 3.0
    return w * g * t


def copies_overwritten(x):
    a = x * 1.0
    a[1] = x[0]
    b = a.copy()
    a[0] = 1.0
    return np.sum(b * b * b) + a[0] * x[1]


def snapshots_overwritten(x):
    a = np.zeros(3)
    a[0], a[1] = x[0], x[1]
    b = a * a
    a *= a
    a[0] = 1.0
    return np.sum(b * b) + np.sum(a * x)


INSIDE = [
    result_overwritten, point_overwritten, closure_overwritten, adjoint_overwritten,
    closure_of_a_linear_map_overwritten, found_overwritten, tangents_overwritten,
    copies_overwritten, snapshots_overwritten, family.overwritten_argument, two_adjoints,
    two_results, two_tangents, result_of_a_closure, adjoint_is_what_was_given,
    lambda x: family.in_place(x)[0],
]  # fmt: skip


@pytest.mark.parametrize("f", INSIDE)
def test_overwritten_arrays_inside_recordings(f):
    """First and second derivatives, each in all ways, against differences of plain runs."""
    g = lambda x: np.sum(family.leaves(f(x))[0] ** 2)  # noqa: E731
    slope = differences(g, X) @ V
    for found in (grad(g)(X) @ V, jvp(g, (X,), (V,))[1], linearize(g, X)[1](V)):
        assert found == pytest.approx(slope, rel=1e-6)
    curved = differences(lambda x: grad(g)(x) @ V, X)
    ways = {
        "hvp": hvp(g, (X,), (V,)),
        "hessian": tapead.hessian(g)(X) @ V,
        "jvp of grad": jvp(grad(g), (X,), (V,))[1],
        "grad of jvp": grad(lambda x: jvp(g, (x,), (V,))[1])(X),
        "grad of vjp": grad(lambda x: vjp(g, x)[1](1.0)[0] @ V)(X),
        "jacfwd twice": tapead.jacfwd(tapead.jacfwd(g))(X) @ V,
        "jacrev of jacfwd": tapead.jacrev(tapead.jacfwd(g))(X) @ V,
        "jacrev twice": tapead.jacrev(tapead.jacrev(g))(X) @ V,
    }
    scale = np.abs(curved).max()
    for name, found in ways.items():
        assert found == pytest.approx(curved, rel=1e-6, abs=1e-6 * scale), name
    third = differences(lambda x: hvp(g, (x,), (V,)) @ V, X)
    scale = np.abs(third).max()
    assert grad(lambda x: hvp(g, (x,), (V,)) @ V)(X) == pytest.approx(third, 1e-5, 1e-5 * scale)
    along_v = jvp(lambda x: hvp(g, (x,), (V,)), (X,), (V,))[1]
    assert along_v == pytest.approx(third, 1e-5, 1e-5 * scale)


@pytest.mark.parametrize("f", INSIDE)
def test_programs_have_the_same_value_inside_and_outside(f):
    value, _ = vjp(f, X)
    family.assert_same_bits(value, f(X.copy()))
    family.assert_same_bits(jvp(f, (X,), (V,))[0], f(X.copy()))


def differences(f, x, h=1e-4):
    """The gradient by differences of fourth order."""
    steps = [f(x + h * k * e) for e in np.eye(len(x)) for k in (1, -1, 2, -2)]
    near, near_left, far, far_left = np.reshape(steps, (len(x), 4)).T
    return (8.0 * (near - near_left) - (far - far_left)) / (12.0 * h)
