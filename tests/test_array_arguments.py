"""Arguments that are changed, shared or captured, and results that are parts of them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

X = checks.X
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


def test_a_function_that_changes_its_argument_leaves_the_callers_array_alone():
    def f(x):
        x[0] = x[1] * x[2]
        x *= 2.0
        x[1:] += x[:-1]
        x.sort()
        return np.sum(x * x)

    assert_right(lambda: f, X)
    given = X.copy()
    grad(f)(given)
    assert given.tolist() == X.tolist()


def test_an_argument_that_is_not_differentiated_is_changed_as_by_a_plain_call():
    def f(x, c, d):
        c[0] = x[0] * x[1]
        c[1] += 1.0
        d[::2] = c
        d[1] = 9.0
        return np.sum(c * x[:2]) + np.sum(d)

    results = []
    for call in (f, grad(f)):
        c, d = np.array([5.0, 6.0]), np.zeros(4)
        call(X, c, d)
        assert type(c) is type(d) is np.ndarray
        results.append((c.tolist(), d.tolist()))
    assert results[0] == results[1]
    expected = [2.0 * X[0] * X[1] + X[1], X[0] ** 2 + X[0] + 7.0, 0.0]
    np.testing.assert_allclose(grad(f)(X, np.array([5.0, 6.0]), np.zeros(4)), expected)


def test_two_arguments_that_are_one_array_are_two_variables():
    f = lambda a, b: np.sum(a * a * b)  # noqa: E731
    g, h = grad(f, argnums=(0, 1))(X, X)
    np.testing.assert_allclose(g, 2.0 * X**2)
    np.testing.assert_allclose(h, X**2)
    np.testing.assert_allclose(grad(f)(X, X), 2.0 * X**2)
    np.testing.assert_allclose(grad(lambda t: np.sum(t[0] * t[0] * t[1]))([X, X])[1], X**2)

    def written(a, b):
        a[0] = 0.0
        return np.sum(a * b)

    g, h = grad(written, argnums=(0, 1))(X, X)
    assert g.tolist() == [0.0, *X[1:]]
    assert h.tolist() == [0.0, *X[1:]]


def test_two_arguments_that_overlap_are_two_variables():
    base = np.arange(1.0, 7.0)
    a, b = base[:4], base[2:]
    g, h = grad(lambda a, b: np.sum(a * b * b), argnums=(0, 1))(a, b)
    np.testing.assert_allclose(g, b**2)
    np.testing.assert_allclose(h, 2.0 * a * b)

    def written(a, b):
        a[2:] = 0.0
        return np.sum(a * b)

    g, h = grad(written, argnums=(0, 1))(a, b)
    assert g.tolist() == [3.0, 4.0, 0.0, 0.0]
    assert h.tolist() == [1.0, 2.0, 0.0, 0.0]
    assert base.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_an_argument_that_a_closure_holds_too_is_a_constant_there():
    held = X.copy()
    box = [held]
    assert grad(lambda x: np.sum(x * held))(held).tolist() == held.tolist()
    assert grad(lambda x: np.sum(x * box[0]))(held).tolist() == held.tolist()
    assert grad(lambda x, c: np.sum(x * c))(held, held).tolist() == held.tolist()

    def f(x):
        held[0] = 5.0
        return np.sum(x * held)

    assert grad(f)(held).tolist() == [5.0, *X[1:]]
    held[0] = X[0]


RESULTS = {
    "element": (lambda x: x[0], [1.0, 0.0, 0.0]),
    "last element": (lambda x: x[-1], [0.0, 0.0, 1.0]),
    "array without dimensions": (lambda x: x[1, ...], [0.0, 1.0, 0.0]),
    "view without dimensions": (lambda x: x[2:].reshape(()), [0.0, 0.0, 1.0]),
    "item": (lambda x: x[1:2].item(), [0.0, 1.0, 0.0]),
    "a constant": (lambda x: 2.0, [0.0, 0.0, 0.0]),
    "a NumPy constant": (lambda x: np.float64(2.0), [0.0, 0.0, 0.0]),
    "a whole number": (lambda x: x.argmax(), [0.0, 0.0, 0.0]),
    "an array of ones": (lambda x: np.ones(()), [0.0, 0.0, 0.0]),
    "float": (lambda x: float(x[0]), [1.0, 0.0, 0.0]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_is_a_part_of_the_argument(name):
    f, expected = RESULTS[name]
    value, gradient = tapead.value_and_grad(f)(X)
    assert value == f(X)
    assert gradient.tolist() == expected
    curvature = grad(lambda x: np.sum(grad(f)(x) * x))(X)
    assert curvature.tolist() == expected


def test_an_argument_returned_unchanged():
    assert grad(lambda x: x)(2.0) == 1.0
    g = grad(lambda x: x)(np.array(2.0))
    assert (type(g), g.shape, g[()]) == (np.ndarray, (), 1.0)
    assert grad(lambda x: x.T)(np.array(2.0)) == 1.0


def test_auxiliary_results_are_plain_arrays_of_their_own():
    def f(x):
        y = x * x
        parts = {
            "x": x,
            "view": x[1:],
            "y": y,
            "first": x[0],
            "all": (x, [y[::2]]),
            "n": np.ones(2),
        }
        return np.sum(x), parts

    gradient, aux = grad(f, has_aux=True)(X)
    assert gradient.tolist() == [1.0, 1.0, 1.0]
    arrays = [aux["x"], aux["view"], aux["y"], aux["all"][0], aux["all"][1][0], aux["n"]]
    assert {type(a) for a in arrays} == {np.ndarray}
    assert type(aux["first"]) is np.float64
    for a in arrays:
        a[...] = 0.0
    assert X.tolist() == [0.7, 1.3, 2.1]
    assert gradient.tolist() == [1.0, 1.0, 1.0]
