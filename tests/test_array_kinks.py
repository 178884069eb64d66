"""Where a derivative does not exist, or is infinite, or belongs to what was not chosen.

Expected numbers follow the conventions of the README: 0 for abs, norm and hypot at 0, half and half
for ties, and nothing leaks out of what the program did not use.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad
INF, NAN = np.inf, np.nan
AT = np.array([0.0, 1.0, 4.0])
W = np.array([1.0, 2.0, 3.0])

# The program, its gradient at (0, 1, 4), and the gradient of the gradient's sum with weights W.
NOT_CHOSEN = {
    "log": (lambda x: np.where(x > 0, np.log(x), 0.0).sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(), [0, 0.5, 0.25], [0, -0.5, -3 / 32]),
    "quotient": (lambda x: np.where(x > 0, 1 / x, 0.0).sum(), [0, -1, -1 / 16], [0, 4, 6 / 64]),
    "power": (lambda x: np.where(x > 0, x**-0.5, 1.0).sum(), [0, -0.5, -1 / 16], [0, 1.5, 9 / 128]),
    "negative base": (lambda x: np.where(x > 1, (x - 2) ** 0.5, x).sum(), [1, 1, 8**-0.5], None),
    "product with log": (
        lambda x: np.where(x > 0, x * np.log(x), 0.0).sum(), [0, 1, 1 + np.log(4)], [0, 2, 0.75]),
    "through several": (
        lambda x: np.where(x > 0, np.exp(np.sqrt(x) / x), x).sum(),
        [1, -0.5 * np.e, -np.exp(0.5) / 16], None),
    "overflow": (lambda x: np.where(x < 9, x, np.exp(x * 1000)).sum(), [1, 1, 1], [0, 0, 0]),
    "0 / 0": (lambda x: np.where(x == 0, 1.0, np.sin(x) / x).sum(), None, None),
    "arccosh": (lambda x: np.where(x > 1, np.arccosh(x), x).sum(), [1, 1, 15**-0.5], None),
    "norm of rows": (
        lambda x: np.where(x > 0, np.linalg.norm(x[:, None], axis=1), 0.0).sum(), [0, 1, 1],
        [0, 0, 0]),
    "select": (
        lambda x: np.select([x > 0], [np.log(x)], 0.0).sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "piecewise": (
        lambda x: np.piecewise(x, [x > 0], [np.log, 0.0]).sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "choose": (
        lambda x: np.choose(x > 0, [x * 0, np.log(x)]).sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "where=": (
        lambda x: np.log(x, where=x > 0, out=np.zeros(3)).sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "where= of a quotient": (
        lambda x: np.divide(1.0, x, where=x > 0, out=np.zeros_like(x)).sum(), [0, -1, -1 / 16],
        [0, 4, 6 / 64]),
    "where= of a sum": (lambda x: np.sum(np.log(x), where=x > 0), [0, 1, 0.25], [0, -2, -3 / 16]),
    "mask": (lambda x: np.log(x)[x > 0].sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "slice": (lambda x: np.log(x)[1:].sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "maximum of a result": (lambda x: np.log(x).max(), [0, 0, 0.25], [0, 0, -3 / 16]),
    "nan as 0": (
        lambda x: np.nan_to_num(np.log(x), neginf=0).sum(), [0, 1, 0.25], [0, -2, -3 / 16]),
    "nan left out": (
        lambda x: np.nansum(np.log(x) * x), [0, 1, 1 + np.log(4)], [0, 2, 0.75]),
    "overwritten": (lambda x: overwritten(np.log(x)), [0, 1, 0.25], [0, -2, -3 / 16]),
    "loop": (lambda x: sum(np.log(v) for v in x if v > 0), [0, 1, 0.25], [0, -2, -3 / 16]),
    "times 0": (lambda x: np.sum(x + 0 * np.log(x)) * 0 + x[1], [0, 1, 0], [0, 0, 0]),
}  # fmt: skip


def overwritten(y):
    y[~np.isfinite(y)] = 0.0
    return y.sum()


AT_KINKS = {
    "sqrt": (lambda x: np.sqrt(x).sum(), [INF, 0.5, 0.25], [-INF, -0.5, -3 / 32]),
    "sqrt of a sum of squares": (lambda x: np.sqrt(np.sum(x[:1] ** 2)), [0, 0, 0], [0, 0, 0]),
    "norm": (lambda x: np.linalg.norm(x[:1]), [0, 0, 0], [0, 0, 0]),
    "norm of 0 times": (lambda x: np.linalg.norm(x * 0), [0, 0, 0], [0, 0, 0]),
    "norm 1": (lambda x: np.linalg.norm(x[:1], 1), [0, 0, 0], [0, 0, 0]),
    "norm 3": (lambda x: np.linalg.norm(x[:1], 3), [0, 0, 0], [0, 0, 0]),
    "norm inf": (lambda x: np.linalg.norm(x * 0, INF), [0, 0, 0], [0, 0, 0]),
    "norm of a matrix": (lambda x: np.linalg.norm(np.outer(x, x) * 0), [0, 0, 0], [0, 0, 0]),
    "norms, axis": (lambda x: np.linalg.norm(x[:, None], axis=1).sum(), [0, 1, 1], [0, 0, 0]),
    "hypot": (lambda x: np.hypot(x, 0 * x).sum(), [0, 1, 1], [0, 0, 0]),
    "hypot of numbers": (lambda x: np.hypot(x[0], 0.0), [0, 0, 0], [0, 0, 0]),
    "x**0": (lambda x: (x**0).sum(), [0, 0, 0], [0, 0, 0]),
    "x**0.0": (lambda x: np.power(x, 0.0).sum(), [0, 0, 0], [0, 0, 0]),
    "x**1": (lambda x: (x**1).sum(), [1, 1, 1], [0, 0, 0]),
    "x**2": (lambda x: (x**2).sum(), [0, 2, 8], [2, 4, 6]),
    "x**[0, 1, 2]": (lambda x: (x ** np.arange(3)).sum(), [0, 1, 8], [0, 0, 6]),
    "x**0.5": (lambda x: (x**0.5).sum(), [INF, 0.5, 0.25], [-INF, -0.5, -3 / 32]),
    "0**x": (lambda x: (0**x).sum(), [-INF, 0, 0], [INF, 0, 0]),
    "0.0**x": (lambda x: np.power(0.0, x).sum(), [-INF, 0, 0], [INF, 0, 0]),
    "0**x away from 0": (lambda x: (0.0 ** x[1:]).sum(), [0, 0, 0], [0, 0, 0]),
    "1**x": (lambda x: (1.0**x).sum(), [0, 0, 0], [0, 0, 0]),
    "element**0": (lambda x: x[0] ** 0, [0, 0, 0], [0, 0, 0]),
    "0**element": (lambda x: 0.0 ** x[0], [-INF, 0, 0], [INF, 0, 0]),
    "1 / element": (lambda x: 1 / x[0], [-INF, 0, 0], [INF, 0, 0]),
    "abs": (lambda x: np.abs(x - 1).sum(), [-1, 0, 1], [0, 0, 0]),
    "abs of an element": (lambda x: abs(x[0]), [0, 0, 0], [0, 0, 0]),
    "maximum, tie with a number": (lambda x: np.maximum(x, 1).sum(), [0, 0.5, 1], [0, 0, 0]),
    "maximum, relu": (lambda x: np.maximum(x, 0).sum(), [0.5, 1, 1], [0, 0, 0]),
    "maximum with itself": (lambda x: np.maximum(x, x).sum(), [1, 1, 1], [0, 0, 0]),
    "minimum, tie of two": (lambda x: np.minimum(x, x[::-1]).sum(), [2, 1, 0], [0, 0, 0]),
    "fmax": (lambda x: np.fmax(x, 1).sum(), [0, 0.5, 1], [0, 0, 0]),
    "maximum of numbers": (lambda x: np.maximum(x[1], 1.0), [0, 0.5, 0], [0, 0, 0]),
    "max of an array": (lambda x: np.max(np.array([x[1], 1.0])), [0, 0.5, 0], [0, 0, 0]),
    "max, three ties": (lambda x: (x * [1, 4, 1]).max() + x[:2].min(), [1, 2, 0.5], [0, 0, 0]),
    "builtin max is a branch": (lambda x: max(x[1], 1.0), [0, 1, 0], [0, 0, 0]),
    "builtin max, the constant": (lambda x: max(1.0, x[1]), [0, 0, 0], [0, 0, 0]),
    "sign": (lambda x: np.sign(x).sum() + x[1], [0, 1, 0], [0, 0, 0]),
    "heaviside": (lambda x: np.heaviside(x, 0.5).sum(), [0, 0, 0], [0, 0, 0]),
    "floor": (lambda x: (np.floor(x) * x).sum(), [0, 1, 4], [0, 0, 0]),
    "round": (lambda x: (np.round(x) * x).sum(), [0, 1, 4], [0, 0, 0]),
    "remainder": (lambda x: (x % 2).sum(), [1, 1, 1], [0, 0, 0]),
    "product with a 0": (lambda x: x.prod(), [4, 0, 0], [11, 4, 1]),
    "cumprod with a 0": (lambda x: x.cumprod().sum(), [6, 0, 0], [13, 5, 1]),
    "sinc": (lambda x: np.sinc(x[:1]).sum(), [0, 0, 0], [-np.pi**2 / 3, 0, 0]),
    "logaddexp of -inf": (lambda x: np.logaddexp(x, -INF).sum(), [1, 1, 1], [0, 0, 0]),
    "logsumexp with -inf": (
        lambda x: np.logaddexp.reduce(np.array([x[0], -INF])), [1, 0, 0], [0, 0, 0]),
    "std of equals": (lambda x: np.std(x * 0), [0, 0, 0], [0, 0, 0]),
    "sort of equals": (lambda x: np.sort(np.array([x[1], x[1]]))[0], [0, 1, 0], [0, 0, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", [*NOT_CHOSEN, *AT_KINKS])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_convention_holds_for_the_gradient_and_its_own(name):
    f, first, second = {**NOT_CHOSEN, **AT_KINKS}[name]
    value, gradient = tapead.value_and_grad(f)(AT)
    assert np.array_equal(value, f(AT), equal_nan=True)
    assert np.isfinite(gradient[1:]).all()
    if first is not None:
        np.testing.assert_allclose(gradient, first, rtol=1e-15, atol=1e-300)
    curvature = grad(lambda x: np.sum(grad(f)(x) * W))(AT)
    assert np.isfinite(curvature[1:]).all()
    if second is not None:
        np.testing.assert_allclose(curvature, second, rtol=1e-13, atol=1e-300)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_leaks_into_other_inputs():
    def f(x, y):
        bad = np.log(y * 0) * x / (y - y)
        chosen = np.where(y > 0, bad, x * y)
        return np.sum(chosen * [1.0, 0.0, 1.0]) + 0.0 * np.sum(bad[:1]) * 0.0 + np.sum(x)

    y = -np.ones(3)
    gx, gy = grad(lambda x, y: np.sum(np.where(y > 0, np.log(y * 0) * x, x * y)), argnums=(0, 1))(
        checks.X, y
    )
    assert gx.tolist() == [-1.0, -1.0, -1.0]
    assert gy.tolist() == checks.X.tolist()
    assert np.isfinite(grad(f)(checks.X, y)).all()


def test_abs_of_complex_numbers():
    z = np.array([3.0 + 4.0j, 0.0])
    g = grad(lambda z: np.sum(np.abs(z)))(z)
    np.testing.assert_allclose(g, [0.6 - 0.8j, 0.0], rtol=1e-15)
    assert grad(lambda x: np.sum(np.abs(x * 1j)))(AT).tolist() == [0.0, 1.0, 1.0]
