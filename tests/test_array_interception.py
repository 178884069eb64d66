"""Ordinary code around arrays: names, types, loops, printing, decisions are as with plain ones."""

import collections  # noqa: F401 - the expressions below name it
import functools
import importlib.util
import math
import math as maths
import numbers  # noqa: F401 - as well
import operator
import warnings
from math import sin
from pathlib import Path

import numpy
import numpy as np
import numpy.linalg as la
import pytest
from numpy import array, linspace, zeros
from numpy import sin as array_sin
from numpy.linalg import norm, solve

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

A = checks.A
X = np.array([0.73, 1.31, 2.17])  # away from steps, and from each other's multiples
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


# ------------------------------------------------------------------------------------- names ---

KEPT = {"sin": np.sin, "sum": np.sum, "dot": np.dot, "norm": np.linalg.norm, "array": np.array}
total = functools.partial(np.sum, axis=0)
three_zeros = functools.partial(np.zeros, 3)
of_floats = functools.partial(np.array, dtype=float)


def imported_by_name(x):
    a = zeros(3)
    a[0] = x[0]
    y = array([x[0], x[1], 2.0])
    return sum(a * x) * norm(x) + sum(array_sin(y)) + sum(linspace(0, 1, 3) * x) + solve(A, x)[0]


def modules_by_other_names(x):
    a = numpy.zeros(3)
    a[1] = x[1]
    return numpy.sum(a * x) * la.norm(a) + la.det(numpy.outer(x, x) + numpy.eye(3))


def imported_inside(x):
    import math as m

    import numpy
    from numpy import ones

    a = numpy.zeros(3)
    a[1] = x[1]
    b = ones(3)
    b *= x
    return numpy.sum(a * b) + numpy.linalg.norm(a) * m.sin(x[0])


def submodule_imported_inside(x):
    import numpy
    import numpy.linalg
    from numpy.linalg import inv

    a = numpy.zeros(3)
    a[1] = x[1]
    return numpy.sum(inv(numpy.outer(a, x) + numpy.eye(3))) * numpy.linalg.norm([x[0], 1.0])


def module_as_an_argument(x):
    def body(xp):
        a = xp.zeros(3)
        a[0] = x[0]
        return xp.sum(xp.sin(a * x)) + xp.linalg.norm(xp.array([x[0], x[1]]))

    return body(np)


class Backend:
    xp = np

    def run(self, x):
        a = self.xp.zeros_like(x)
        a[:] = x
        return self.xp.sum(a**3)


NAMES = {
    "imported by name": imported_by_name,
    "modules by other names": modules_by_other_names,
    "imported inside": imported_inside,
    "submodule imported inside": submodule_imported_inside,
    "module as an argument": module_as_an_argument,
    "module as an attribute": lambda x: Backend().run(x),
    "kept in a dict": lambda x: KEPT["sin"](x).sum() + KEPT["dot"](x, x) * KEPT["norm"](x),
    "kept in a dict, of a list": lambda x: KEPT["sum"]([x[0], x[1]]) + sum(KEPT["array"]([x[0]])),
    "kept in a dict, of a number": lambda x: KEPT["sin"](x[0]) * x[1],
    "partial": lambda x: total(x) * total(np.outer(x, x))[0],
    "partial of zeros": lambda x: np.sum(operator.iadd(three_zeros(), x) * x),
    "partial of array": lambda x: np.sum(of_floats([x[0], x[1]])) * x[2],
    "mapped": lambda x: sum(map(np.exp, x)) + functools.reduce(np.add, x) * sum(map(sin, x)),
    "method of the class": lambda x: operator.methodcaller("sum")(x) * x[0],
}


@checks.each(NAMES, X)
def test_numpy_is_found_by_whatever_name(f, args):
    assert_right(lambda: f, *args)


# ------------------------------------------------------------------------------------- types ---


class Own(np.ndarray):
    pass


TYPES = """
isinstance(x, np.ndarray)
isinstance(x, (list, tuple, np.ndarray))
type(x) is np.ndarray
type(x) == np.ndarray
x.__class__ is np.ndarray
type(x).__name__
issubclass(type(x), np.ndarray)
type(np.zeros(3)) is np.ndarray
type(x * 2.0) is type(x > 1.0) is np.ndarray
isinstance(x, (list, tuple, float))
isinstance(x, collections.abc.Sequence)
isinstance(x, collections.abc.Iterable)
isinstance(x, Own)
type(x[0]) is np.float64
type(x[0]).__name__
type(x.sum()) is np.float64
type(x[0] * 2) is np.float64
type(float(x[0])) is float
type(x[0].item()) is float
type(x.tolist()[0]) is float
isinstance(x[0], float) and isinstance(x[0], np.floating)
isinstance(x[0], (np.generic, np.number))
isinstance(x[0], (int, np.integer))
isinstance(x[0], numbers.Real)
(np.isscalar(x[0]), np.isscalar(x), np.isscalar(float(x[0])))
(np.ndim(x), np.ndim(x[0]), np.size(x), np.shape(x[None]))
(x.shape, x.ndim, x.size, x.dtype, x.itemsize, x.nbytes, x.strides, len(x))
(x[0].shape, x[0].ndim, x[0].size, x[0].dtype)
(x.flags.c_contiguous, x.flags.owndata, x.flags.writeable, x[::2].flags.c_contiguous)
(hasattr(x, "__len__"), hasattr(x, "shape"), hasattr(x, "numpy"), hasattr(x, "foo"))
(hasattr(x[0], "__len__"), hasattr(x[0], "shape"), callable(x), np.iterable(x))
(np.issubdtype(x.dtype, np.floating), np.issubdtype(type(x[0]), np.floating))
(np.iscomplexobj(x), np.isrealobj([x[0]]), np.result_type(x, 1j), x.dtype.kind)
(np.isreal(x).tolist(), np.can_cast(x.dtype, int), np.finfo(x.dtype).eps)
(np.shares_memory(x, x[1:]), np.may_share_memory(x, x.copy()))
(x is x.T, x[:] is x, x.copy() is x, np.asarray(x) is x)
(x.base is None, np.zeros(3).base is None)
"""


def evaluated(expressions):
    """Parameters ``f``: the expressions of a text, one a line, as functions of x."""
    lines = expressions.strip().splitlines()
    return pytest.mark.parametrize(
        "f", [eval(f"lambda x: {e}", globals()) for e in lines], ids=lines
    )


@evaluated(TYPES)
def test_a_tracked_array_passes_for_what_it_stands_for(f):
    seen = []
    grad(lambda x: seen.append(f(x)) or np.sum(x))(X)
    assert seen[-1] == f(X.copy())


DECISIONS = """
x > 1.0
(x > 1.0) & (x < 2.0) | ~(x != 0.73)
np.logical_not(x > 1.0) ^ (x >= x[::-1])
x == [0.73, 1.0, 2.17]
np.float64(1.0) < x
x[0] > 0.5
x[0] == 0.73
np.float64(1.0) < x[1]
np.isclose(x, 1.31)
(np.allclose(x, x), np.array_equal(x, x), np.allclose([x[0]], [0.73]))
np.isnan(x).any() or np.isfinite(x).all()
(np.isnan(x[0]), np.isfinite([x[0], x[1]]), np.isinf(x))
(np.argmax(x), x.argmin(), np.argsort(-x), np.nonzero(x > 1), np.searchsorted(x, 1))
(1.31 in x, 9.0 in x, x[0] in x, x[1] in [1.31], ~(x[0] == 0.73), x[0] != 1)
(bool(x[:1]), bool(x[0]), not x[0:1], any(x > 1), all(x > 1), bool(x[:1, None]))
(int(x[2]), round(x[2]), round(x[2], 1) == 2.2, math.floor(x[1]), math.ceil(x[1]))
(int(x[2:].reshape(())), range(int(x[2])), [1, 2, 3][int(x[2])], math.isnan(x[0]))
(np.sign(x), np.floor(x), np.unique(x.astype(int)), np.count_nonzero(x > 1))
np.isin(x, [1.31])
(np.bincount(x.astype(int)), np.digitize(x, [1.0, 2.0]), np.histogram(x, 2)[0])
"""


@evaluated(DECISIONS)
def test_a_decision_is_the_plain_one_of_plain_type(f):
    def plain_types(y):
        return tuple(map(plain_types, y)) if isinstance(y, tuple) else (type(y), repr(y))

    seen = []
    grad(lambda x: seen.append(plain_types(tapead.value(f(x)))) or np.sum(x))(X)
    assert seen[-1] == plain_types(f(X.copy()))


def test_comparisons_are_plain_arrays_that_masks_take():
    def f(x):
        m = (x > 1) & (x < 2) | ~(x != 0.73)
        assert m.dtype == bool
        k = ~m
        seen.append(type(m))
        return x[m].sum() * 2 + (x * m).sum() + x[k][0] * m.sum() + x[np.where(x > 1)].sum()

    seen = []
    # By elements: 2 + 1, 2 + 1 + 1, m.sum() + 1.
    assert grad(f)(X).tolist() == [3.0, 4.0, 3.0]
    assert seen[0] in (np.ndarray, type)


def test_printing_is_no_loss_and_prints_the_numbers(capsys):
    def f(x):
        print(x, x[0], x[1:], x * 2, np.zeros(2), sep=";")
        print(f"{x}|{x!r}|{x[0]:.3f}|{x[0]!r}|{x.sum():8.3e}", "%s %.2f %d" % (x, x[0], x[2]))
        print("{:.1f} {}".format(x[1], x), str(x), repr(x), format(x), x[:1].reshape(()))
        print(f"{x[:1].reshape(()):.2f}", [x[0], x[1]], {"x": x}, (x,))
        return np.sum(x)

    f(X)
    plain = capsys.readouterr().out
    grad(f)(X)
    assert capsys.readouterr().out == plain


def test_numpys_printing_functions_print_the_numbers():
    def f(x):
        texts.append([np.array2string(x, precision=2), np.array_str(x), np.array_repr(x * 2)])
        texts[-1].append(np.format_float_positional(tapead.value(x[0])))
        return np.sum(x)

    texts = []
    f(X)
    grad(f)(X)
    assert texts[0] == texts[1]


# ------------------------------------------------------------------------- loops and numbers ---


def divisions(x):
    q, r = divmod(x, 0.5)
    q2, r2 = divmod(3.0, x)
    q3, r3 = divmod(x[0], 0.3)
    q4, r4 = np.divmod(x, [0.3, 0.4, 0.5])
    whole = (q * x).sum() + (q2 * x).sum() + q3 * x[1] + (q4 * r4 * x).sum()
    return whole + (r * r).sum() + (r2**2).sum() + r3**2 + (x % 0.4).sum() + np.fmod(x, 0.3)[1]


def unpacked(x):
    a, b, *c = x
    (d, e), f = x[:2], x[2]
    return a * b * c[0] + d * e * f


def rows(m):
    looped = sum((r * r).sum() * k for k, r in enumerate(m)) + sum(map(operator.mul, m[0], m[1]))
    return looped + sum(m[0]) + max(m[0]) + min(m[1]) + sorted(m[2])[0] + sum(map(sum, m))


def slices(m):
    (a, b, c), *_ = m
    last = list(reversed(m[0]))
    return last[0] * len(m) + next(iter(m))[1] * a + b * c + m[-1][-1] * m[::-1][0, 0]


def enumerated(m):
    pairs = sum(v * (i + 2 * j) for (i, j), v in np.ndenumerate(m))
    return pairs + sum(m[k] ** 2 for k in np.ndindex(m.shape)) + sum(m.flat) + m.ravel()[4] ** 2


def floats(x):
    return (
        float(x[0]) * x[1] + int(x[2]) * x[0] + round(x[2]) * x[0] + float(x.sum()) + abs(-x[0])
        + float(x[:1].item()) * 2 + float(np.array(x[0])) * 3 + math.floor(x[2]) * x[1] + x[0] ** -2
    )  # fmt: skip


def of_math(x):
    return (
        math.sin(x[0]) + maths.exp(x.sum()) + sin(x[1]) + math.hypot(x[0], x[1]) + math.fsum(x)
        + math.pow(x[0], x[1]) + math.log(x[0:1].item()) + math.prod(x) + math.dist(x, [0, 0, 0])
        + math.atan2(*x[:2]) + sum(map(math.cos, x))
    )  # fmt: skip


def of_math_without_dimensions(x):
    a, b = np.array(x[0]), x[1:2].reshape(())
    return math.sin(a) * math.sqrt(b) + math.exp(x[2, ...]) + math.floor(b) * a + math.hypot(a, b)


def items(x):
    return (
        x[0].item() * x[1:2].item() + x.item(2) * x.item(1) + x.tolist()[0] * x.tolist()[1]
        + x.reshape(1, 3).item(0, 2) + x.reshape(1, 3).item((0, 1)) + np.asarray(x[0]).item()
    )  # fmt: skip


def random_draws(x):
    rng = np.random.default_rng(0)
    np.random.seed(1)
    n, m = rng.normal(size=3), np.random.randn(3)
    drawn = (n * x * m).sum() + rng.random() * x[0] + np.random.uniform() + x[rng.integers(3)]
    return drawn + rng.choice([1.0, 2.0]) * x[1] + (rng.normal(size=(2, 3)) @ x).sum()


def random_draws_filled(x):
    rng = np.random.default_rng(0)
    n = rng.normal(size=3)
    n += x
    n[0] = x[1]
    m = rng.standard_normal((2, 3))
    m[1] *= x
    rng.shuffle(n)
    return np.sum(n * n * m[1]) + np.sum(x[rng.permutation(3)] * [1.0, 2.0, 3.0])


NUMBERS = {
    "divmod": divisions, "unpacking": unpacked, "floats": floats, "math": of_math,
    "math, no dimensions": of_math_without_dimensions, "items": items, "draws": random_draws,
    "draws, filled": random_draws_filled,
    "rows": (rows, A), "slices": (slices, A), "enumerated": (enumerated, A),
    "len": lambda x: len(x) * x.sum() + len([*x]) * x[0] + len(tuple(x)),
    "list": lambda x: [*x][1] * list(x)[2] + dict(enumerate(x))[1] + tuple(x)[2],
    "operators": lambda x: -x[0] + +x[1] + abs(x - 2) @ x + 2 ** x[0] + x[0] % 0.3,
    "whole quotients": lambda x: 5 // x[1] * x[2] - x[1] // 0.4 * x[0],
    "operators with lists": lambda x: ([1.0, 2.0, 3.0] * x + (1.0, 2.0, 3.0)) @ [3, 2, 1],
    "operators with numbers of NumPy": lambda x: np.float64(2) / x[0] + np.int64(3) * (x @ x) ** 2,
    "matrix products": lambda x: [1, 2, 3] @ x * x[0] + (np.eye(3) @ x + x @ A)[1],
}  # fmt: skip


@checks.each(NUMBERS, X)
def test_loops_and_numbers_go_as_with_plain_arrays(f, args):
    assert_right(lambda: f, *args)


# ------------------------------------------------------------------------- numbers of NumPy's ---

DIVISIONS = {
    "number by number": lambda x: 1.0 / x[0],
    "array": lambda x: np.sum(1.0 / x),
    "np.float64": lambda x: np.float64(1.0) / x[0],
    "power": lambda x: x[0] ** -1,
    "log": lambda x: np.log(x[0]),
    "log of an array": lambda x: np.sum(np.log(x)),
    "zero by zero": lambda x: x[0] / x[0],
    "floor": lambda x: x[1] // x[0],
    "overflow": lambda x: np.exp(x[1] * 1000.0),
    "square root": lambda x: np.sqrt(x[0] - 1.0),
}


@checks.each(DIVISIONS, np.array([0.0, 1.0, 2.0]))
def test_where_numpy_warns_it_warns_and_the_values_are_numpys(f, args):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        plain = f(*checks.copies(args))
    with warnings.catch_warnings(record=True) as said_tracked:
        warnings.simplefilter("always")
        value, _ = tapead.value_and_grad(f)(*args)
    assert type(value) is type(plain)
    np.testing.assert_array_equal(value, plain)
    expected = {str(w.message).replace("scalar ", "") for w in said}
    assert expected
    assert expected <= {str(w.message).replace("scalar ", "") for w in said_tracked}


def test_numpys_error_state_holds():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        grad(lambda x: np.sum(1.0 / x))(np.zeros(2))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(lambda x: np.sum(1.0 / x))(np.array([0.0, 2.0])).tolist() == [-np.inf, -0.25]
        assert grad(lambda x: 1.0 / x[0])(np.array([0.0, 2.0])).tolist() == [-np.inf, 0.0]
