"""Pullbacks and linear maps that are kept, and differentiated themselves."""

import array
import importlib.util
import itertools
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
X, D, DD, assert_close = checks.X, family.D, family.DD, family.assert_close
grad, vjp, linearize, hvp = tapead.grad, tapead.vjp, tapead.linearize, tapead.hvp
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian
V = np.array([0.5, -1.5, 0.25])
PAIRS = list(itertools.product(D, D))
each = pytest.mark.parametrize("d", D.values(), ids=D)
each_pair = pytest.mark.parametrize(
    ("outer", "inner"), [(D[a], D[b]) for a, b in PAIRS], ids=list(map(" of ".join, PAIRS))
)


def kept():
    """A pullback and a linear map of y -> y^3 at 2: both multiply by 12."""
    cube = lambda y: y**3  # noqa: E731
    return {
        "pullback": (lambda p: lambda w: p(w)[0])(vjp(cube, 2.0)[1]),
        "linear": linearize(cube, 2.0)[1],
    }


@pytest.mark.parametrize("name", kept())
@each_pair
def test_a_kept_linear_map_can_be_differentiated(name, outer, inner):
    linear = kept()[name]
    assert linear(1.0) == 12.0
    assert outer(lambda w: linear(w * w))(3.0) == 72.0
    assert outer(inner(lambda w: linear(w**3)))(3.0) == 216.0
    assert outer(lambda w: w * linear(1.0))(3.0) == 12.0
    assert outer(lambda w: w * inner(lambda u: linear(u * w))(w))(3.0) == 72.0
    assert linear(2.0) == 24.0


@pytest.mark.parametrize("second", DD.values(), ids=DD)
def test_second_derivatives_through_kept_linear_maps(second):
    for linear in kept().values():
        assert second(lambda w, linear=linear: linear(w**3))(3.0) == 216.0


def test_kept_linear_maps_of_arrays_and_trees():
    f = lambda x, y: (x * y, {"s": np.sin(x)})  # noqa: E731
    _, pullback = vjp(f, X, 2.0)
    _, derivative = linearize(f, X, 2.0)
    back = lambda c: pullback((c * c, {"s": np.cos(c)}))  # noqa: E731
    expected = (np.diag(4.0 * X - np.sin(X) * np.cos(X)), 2.0 * X * X)
    assert_close(jacrev(back)(X), expected)
    assert_close(jacfwd(back)(X), expected)
    assert_close(hessian(lambda c: back(c)[1])(X), np.diag(2.0 * X))
    forth = lambda c: derivative(c * c, c[0])  # noqa: E731
    first = np.diag(4.0 * X)
    first[:, 0] += X
    assert_close(jacrev(forth)(X), (first, {"s": np.diag(2.0 * X * np.cos(X))}))
    assert_close(jacfwd(forth)(X), jacrev(forth)(X))
    # One of the parts alone is tracked, or none reaches the result.
    assert_close(grad(lambda c: pullback((X, {"s": c}))[1] * np.sum(c))(X), np.full(3, X @ X))
    assert_close(grad(lambda c: pullback((c, {"s": X}))[1])(X), X)


@each
def test_pullbacks_made_in_a_recording_serve_there_and_in_what_is_inside(d):
    def f(x):
        _, pullback = vjp(lambda z: z**3 * x, x)  # 3 x^3
        _, derivative = linearize(lambda z: z**3 * x, x)
        inside = grad(lambda y: pullback(y * y)[0] * derivative(y) * x)(x)  # 27 x^9
        return inside + pullback(x)[0] + derivative(x)  # + 6 x^4

    assert d(f)(1.1) == pytest.approx(243.0 * 1.1**8 + 24.0 * 1.1**3, rel=1e-12)
    second = 8 * 243.0 * 1.1**7 + 72.0 * 1.1**2
    assert d(d(f))(1.1) == pytest.approx(second, rel=1e-11)
    assert hvp(f, (1.1,), (1.0,)) == pytest.approx(second, rel=1e-11)


@each
def test_pullbacks_made_inside_serve_further_out_while_the_recording_goes_on(d):
    def f(x):
        made = []

        def inner(y):
            made.append(vjp(lambda z: z**3 * x * y, x * y)[1])
            return made[0](y)[0]  # 3 x^3 y^4

        return grad(inner)(x) + made[0](x)[0]  # 12 x^6 + 3 x^7

    outer = lambda x: d(f)(x)  # noqa: E731
    assert outer(1.1) == pytest.approx(72.0 * 1.1**5 + 21.0 * 1.1**6, rel=1e-12)


def test_jacobians_of_pullbacks_are_the_transposed_jacobians():
    _, pullback = vjp(family.filled, X)
    _, derivative = linearize(family.filled, X)
    matrix = jacrev(family.filled)(X)
    w = np.ones(4)
    assert_close(jacrev(lambda w: pullback(w)[0])(w), matrix.T)
    assert_close(jacfwd(lambda w: pullback(w)[0])(w), matrix.T)
    assert_close(jacrev(derivative)(V), matrix)
    assert_close(jacfwd(derivative)(V), matrix)
    assert_close(vjp(derivative, V)[1](w)[0], pullback(w)[0])
    assert_close(linearize(pullback, w)[1](w)[0], pullback(w)[0])


INNER = {
    "value_and_grad": lambda: tapead.value_and_grad(lambda y: y * y)(3.0),
    "jvp": lambda: tapead.jvp(lambda y: y * y, (3.0,), (1.0,)),
    "vjp": lambda: (lambda value, pullback: (value, *pullback(1.0)))(*vjp(lambda y: y * y, 3.0)),
    "linearize": lambda: (lambda value, d: (value, d(1.0)))(*linearize(lambda y: y * y, 3.0)),
    "jacobians": lambda: (9.0 + jacfwd(lambda y: y)(3.0) - 1.0, jacrev(lambda y: y * y)(3.0)),
    "second": lambda: (
        9.0 * hvp(lambda y: y**2, (3.0,), (0.5,)),
        3.0 * hessian(lambda y: y**2)(3.0),
    ),
}


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
def test_results_are_plain_where_nothing_outer_reaches_them(inner):
    def f(x):
        value, slope = array.array("d", inner())  # which takes plain numbers alone
        return x * value * slope

    assert grad(f)(2.0) == 54.0
