"""Where a derivative by an array would be lost: an error with the line, or the derivative."""

import array
import contextlib
import copy
import ctypes
import importlib.util
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

A, X = checks.A, checks.X
assert_refused = checks.assert_refused
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


def generator(a):
    """Gives one array again and again: nobody sees that it holds it."""
    while True:
        yield a


PLAIN = generator(np.zeros(3))
MATRIX = generator(np.zeros((3, 3)))
NUMBER = generator(np.zeros(()))


MAKERS = {"zeros": np.zeros}


def plain():
    return next(PLAIN)


# ------------------------------------------------------------------------ into plain arrays ---


def with_operator(x):
    c = plain()
    c += x
    return np.sum(c)


def with_product(x):
    c = plain()
    c *= x[0]
    return np.sum(c)


def by_buffer(x):
    memoryview(plain())[0] = x[0]
    return x[0]


def by_nditer(x):
    with np.nditer(plain(), op_flags=["readwrite"]) as cells:
        for k, cell in enumerate(cells):
            cell[...] = x[k]
    return x[0]


def by_view(x):
    plain().reshape(3, 1).T[0, 1:] = x[:2]
    return x[0]


def into_a_record(x):
    c = np.zeros(3, [("a", float)])
    c["a"][0] = x[0]
    return np.sum(c["a"])


def into_a_masked_array(x):
    c = np.ma.zeros(3)
    c[0] = x[0]
    return c.sum()


class Own(np.ndarray):
    pass


def into_a_subclass(x):
    c = np.zeros(3).view(Own)
    c[0] = x[0]
    return np.sum(c)


def into_a_bytearray(x):
    c = bytearray(8)
    struct.pack_into("d", c, 0, x[0])
    return x[0]


INTO_PLAIN = {
    "element": lambda x: plain().__setitem__(0, x[0]),
    "slice": lambda x: plain().__setitem__(slice(1, None), x[1:]),
    "all": lambda x: plain().__setitem__(..., x),
    "indices": lambda x: plain().__setitem__([0, 2, 1], x),
    "mask": lambda x: plain().__setitem__(np.array([True, False, True]), x[:2]),
    "one number into all": lambda x: plain().__setitem__(slice(None), x[0]),
    "list of numbers": lambda x: plain().__setitem__(..., [x[0], x[1], 2.0]),
    "tuple of numbers": lambda x: plain().__setitem__(slice(2), (x[0], 1.0)),
    "list of arrays": lambda x: next(MATRIX).__setitem__(..., [x, x, x]),
    "+=": with_operator,
    "*=": with_product,
    "view": by_view,
    "fill": lambda x: plain().fill(x[0]),
    "put": lambda x: plain().put([0], x[0]),
    "flat": lambda x: plain().flat.__setitem__(0, x[0]),
    "flat, all": lambda x: setattr(plain(), "flat", x),
    "real": lambda x: setattr(plain(), "real", x),
    "setfield": lambda x: plain().setfield(x[0], float),
    "out of a ufunc": lambda x: np.multiply(x, 2.0, out=plain()),
    "out of a ufunc, third operand": lambda x: np.add(x, 1.0, plain()),
    "out of a ufunc, where": lambda x: np.exp(x, out=plain(), where=[True, False, True]),
    "out of a reduction": lambda x: np.add.reduce(np.stack([x, x]), out=plain()),
    "out of a method": lambda x: x.sum(out=next(NUMBER)),
    "out of cumsum": lambda x: x.cumsum(out=plain()),
    "out of mean": lambda x: np.mean(np.stack([x, x]), axis=0, out=plain()),
    "out of dot": lambda x: np.dot(A, x, out=plain()),
    "out of matmul": lambda x: np.matmul(A, x, out=plain()),
    "out of clip": lambda x: np.clip(x, 0.0, 1.0, out=plain()),
    "out of take": lambda x: np.take(x, [0, 0, 1], out=plain()),
    "out of einsum": lambda x: np.einsum("i,i->i", x, x, out=plain()),
    "out of concatenate": lambda x: np.concatenate([x], out=plain()),
    "out of stack": lambda x: np.stack([x[0], x[1], x[2]], out=plain()),
    "copyto": lambda x: np.copyto(plain(), x),
    "np.put": lambda x: np.put(plain(), [0], x[0]),
    "place": lambda x: np.place(plain(), np.array([True, False, True]), x),
    "putmask": lambda x: np.putmask(plain(), np.array([True, False, True]), x),
    "put_along_axis": lambda x: np.put_along_axis(plain(), np.array([1, 0, 2]), x, 0),
    "fill_diagonal": lambda x: np.fill_diagonal(next(MATRIX), x[0]),
    "add.at": lambda x: np.add.at(plain(), [0, 0], x[0]),
    "subtract.at": lambda x: np.subtract.at(plain(), [0, 1, 2], x),
    "buffer": by_buffer,
    "nditer": by_nditer,
    "record": into_a_record,
    "masked array": into_a_masked_array,
    "matrix": lambda x: np.matrix(np.zeros((3, 3))).__setitem__((0, 0), x[0]),
    "subclass": into_a_subclass,
    "array.array": lambda x: array.array("d", [0.0]).__setitem__(0, x[0]),
    "bytes": into_a_bytearray,
    "ctypes": lambda x: (ctypes.c_double * 3)(*x),
    "zeros, kept in a dict": lambda x: MAKERS["zeros"](3).__setitem__(0, x[0]),
    "ndarray, called": lambda x: np.ndarray(3).__setitem__(0, x[0]),
}


matrices = pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")


@matrices
@checks.each(INTO_PLAIN)
def test_a_tracked_value_is_not_written_into_an_array_that_is_plain(f, args):
    held = plain()
    held[...] = 7.0
    assert_refused(f, *args, kind=(tapead.DetachedError, tapead.UnsupportedError))
    assert held.tolist() == [7.0, 7.0, 7.0]
    assert next(MATRIX).tolist() == np.zeros((3, 3)).tolist()


@pytest.mark.parametrize("swallow", [Exception, BaseException])
def test_a_lost_derivative_is_raised_though_the_program_swallows_it(swallow):
    def f(x):
        with contextlib.suppress(swallow):
            plain()[:] = x
        return np.sum(plain() * x)

    assert_refused(f, X)


def test_nothing_is_refused_where_nothing_is_lost():
    def f(x):
        c = plain()
        c[0] = 3.0
        c[1:] = tapead.value(x)[1:]
        c[2] = tapead.value(x[2]) + 1.0
        c *= 2.0
        np.add(c, np.ones(3), out=c)
        return np.sum(c * x)

    assert grad(f)(X).tolist() == [7.0, 2.0 * X[1] + 1.0, 2.0 * X[2] + 3.0]


# ------------------------------------------------------------------------- out of the tape ---

HANDED_OUT = {
    "data": lambda x: x.data[0],
    "ctypes": lambda x: x.ctypes.data,
    "tobytes": lambda x: x.tobytes()[0],
    "tofile": lambda x: x.tofile("nowhere"),
    "dump": lambda x: x.dump("nowhere"),
    "dumps": lambda x: x.dumps()[0],
    "__array__": lambda x: x.__array__()[0],
    "getfield": lambda x: x.getfield(np.int64)[0],
    "byteswap": lambda x: x.byteswap()[0],
    "pickle": lambda x: pickle.loads(pickle.dumps(x))[0],
    "pickled in a list": lambda x: len(pickle.dumps([1, {"x": x}])),
    "pickled element": lambda x: len(pickle.dumps(x[0])),
    "array.array": lambda x: array.array("d", x)[0],
    "struct": lambda x: len(struct.pack("3d", *x)),
    "subclass": lambda x: np.asarray(x).view(Own)[0],
    "masked array": lambda x: np.ma.array(x).sum(),
    "matrix": lambda x: np.matrix(x).sum(),
    "nditer": lambda x: next(np.nditer(x)),
    "draws": lambda x: np.random.default_rng(0).normal(x),
    "poly1d": lambda x: np.polynomial.Polynomial(x)(2.0),
}  # fmt: skip


@matrices
@checks.each(HANDED_OUT)
def test_a_tracked_arrays_data_are_not_handed_out(f, args):
    assert_refused(f, *args, kind=(tapead.DetachedError, tapead.UnsupportedError))


@pytest.mark.parametrize("f", [memoryview, np.frombuffer, lambda x: np.ndarray(3, buffer=x), bytes])
def test_a_tracked_array_has_no_buffer(f):
    with pytest.raises((TypeError, tapead.DetachedError)):
        grad(lambda x: f(x)[0])(X)


def test_copies_are_tracked():
    def f(x):
        y = copy.copy(x)
        z, same, first = copy.deepcopy([x, x, x[0]])
        assert z is same
        y[0] = 0.0
        z[1] *= x[0]
        return np.sum(y * z) + first * x[1] + np.sum(copy.deepcopy({"a": x})["a"])

    checks.assert_right(lambda: f, X)


def test_conversions_that_keep_the_derivative():
    def f(x):
        y = np.asarray(x, dtype=float)
        z = np.array(x, dtype="float64") * x.astype(float, copy=False)
        return np.sum(y * y * z * x.astype(complex).real) + x.astype(object).sum()

    checks.assert_right(lambda: f, X)
    assert np.asarray(X, dtype=float) is X


def test_whole_numbers_and_decisions_have_derivative_zero():
    x = np.array([0.73, 1.31, 2.17])
    for f in (
        lambda x: np.sum(x.astype(int) * x),
        lambda x: np.sum(np.array(x, dtype=int) * x),
        lambda x: np.sum(np.asarray(x, dtype=np.int32) * x),
        lambda x: np.sum(np.trunc(x) * x),
        lambda x: np.sum([int(v) * v for v in x]),
        lambda x: np.sum(x // 1 * x),
    ):
        assert grad(f)(x).tolist() == [0.0, 1.0, 2.0]
        assert f(x) == tapead.value_and_grad(f)(x)[0]
    assert grad(lambda x: np.sum(x.astype(bool) * x))(x).tolist() == [1.0, 1.0, 1.0]
    assert grad(lambda x: np.sum(x.astype(int)))(x).tolist() == [0.0, 0.0, 0.0]


def test_float32_rounds_the_value_and_keeps_the_derivative():
    def f(x):
        y = x.astype(np.float32)
        y[0] = y[1] * y[2]
        y += x
        z = np.zeros(3, np.float32)
        z[:] = x
        z[1] = x[0]
        return np.sum(y) + np.sum(z * np.float32(2.0)), (y, z)

    (value, aux), gradient = tapead.value_and_grad(f, has_aux=True)(X)
    expected, parts = f(X.copy())
    assert value == expected
    assert [a.dtype for a in aux] == [np.float32, np.float32]
    assert [a.tolist() for a in aux] == [a.tolist() for a in parts]
    np.testing.assert_allclose(gradient, [5.0, 2.0 + X[2], 4.0 + X[1]], rtol=1e-6)
    single = grad(lambda x: np.sum(x * x))(X.astype(np.float32))
    assert single.dtype == np.float32


@pytest.mark.parametrize("kind", [int, np.int32, bool, np.uint8])
@pytest.mark.parametrize("way", ["element", "slice", "indices", "array"])
def test_a_tracked_value_into_an_array_of_whole_numbers_is_cut_off_or_refused(kind, way):
    def f(x):
        c = np.zeros(3, kind)
        if way == "element":
            c[0], c[1], c[2] = x
        elif way == "slice":
            c[:] = x
        elif way == "indices":
            c[[0, 1, 2]] = x
        else:
            c = np.array([x[0], x[1], x[2]], dtype=kind)
        return np.sum(c * x)

    x = np.array([1.7, 2.3, 3.1])
    try:
        assert grad(f)(x).tolist() == x.astype(kind).tolist()
    except tapead.DetachedError as error:
        assert error.filename == __file__  # noqa: PT017


def test_a_sum_into_whole_numbers_is_numpys_error():
    for f in (
        lambda x: np.arange(3).__iadd__(x),
        lambda x: np.add(x, 1.0, out=np.arange(3)),
        lambda x: np.ones(3, int).__imul__(x),
    ):
        with pytest.raises(TypeError, match=r"Cannot cast .*'same_kind'"):
            f(X)
        with pytest.raises(TypeError, match=r"[Cc]annot cast .*'same_kind'"):
            grad(f)(X)


UNSUPPORTED = {
    "function": lambda x: np.histogram2d(x, x)[0].sum(),
    "function of sets": lambda x: np.setxor1d(x, x[1:]).sum(),
    "method of a ufunc": lambda x: np.multiply.at(np.ones(3), [0, 0, 1], x),
    "method of a ufunc on tracked": lambda x: np.maximum.at(x, [0, 0], 2.0),
    "integer view": lambda x: x.view(np.int64).sum(),
    "resize in place": lambda x: x.resize((2, 2), refcheck=False),
    "bits": lambda x: np.unique_all(x)[0].sum(),
    "random signature": lambda x: np.vectorize(np.sum, signature="(n)->()")(x),
    "derivative by an option": lambda x: np.linalg.norm(x, ord=x[0]),
}


@checks.each(UNSUPPORTED)
def test_what_has_no_rule_is_refused_by_name(f, args):
    error = assert_refused(f, *args, kind=tapead.UnsupportedError)
    assert isinstance(error, NotImplementedError)
    assert "not supported" in str(error)


def test_a_vectorized_function_that_makes_whole_numbers_is_refused():
    """NumPy makes all results what the first one is, which takes the fraction off."""
    f = np.vectorize(lambda v, x: x if v > 1 else 0)
    with pytest.raises(tapead.UnsupportedError, match=r"(?s)dtype int.*0\.0 instead of 0"):
        grad(lambda x: f(np.arange(3.0), x[0]).sum())(X)


def test_the_name_of_a_function_without_a_rule_is_in_the_error():
    error = assert_refused(UNSUPPORTED["function"], X, kind=tapead.UnsupportedError)
    assert "numpy.histogram2d has no rule" in str(error)
    assert np.histogram2d(X, X)[0].sum() == 3.0
    untracked = lambda x: np.sum(x) * np.histogram2d(np.ones(3), X)[0].sum()  # noqa: E731
    assert grad(untracked)(X).tolist() == [3.0, 3.0, 3.0]
