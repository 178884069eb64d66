"""Where a derivative would be lost, or a number is misused: an error with line and remedy."""

import array
import ctypes
import math
import pickle
import struct
import sys
from decimal import Decimal

import numpy as np
import pytest

import tapead

HERE = sys._getframe().f_code.co_filename
SIN = {"sin": math.sin}


def into_array(x):
    cells = array.array("d", [0.0, 0.0])
    cells[0] = x
    return cells[0]


def into_numpy(x):
    cells = np.zeros(3, int)  # with floats in it the array would be tracked
    cells[1] = x
    return cells[1]


DETACHING = {
    "array.array": into_array,
    "numpy array": into_numpy,
    "np.float64": lambda x: np.float64(x),
    "np.float32": lambda x: np.float32(x),
    "math in a dict": lambda x: SIN["sin"](x),
    "struct.pack": lambda x: len(struct.pack("d", x)),
    "ctypes": lambda x: ctypes.c_double(x).value,
    "pickle": lambda x: len(pickle.dumps(x)),
    "as_integer_ratio": lambda x: x.as_integer_ratio()[0],
}


@pytest.mark.parametrize("name", DETACHING)
def test_a_lost_derivative_is_an_error_with_the_line_and_the_remedy(name):
    f = DETACHING[name]
    with pytest.raises(tapead.DetachedError) as caught:
        tapead.grad(f)(1.5)
    error = caught.value
    assert error.filename == HERE
    first = f.__code__.co_firstlineno
    assert first <= error.lineno <= first + 3
    assert f'File "{HERE}", line {error.lineno}' in str(error)
    assert "tapead.value(x)" in str(error)


def test_what_only_prints_a_number_is_no_loss(capsys):
    def f(x):
        print(x, f"{x:.2f}", "%.1f|%s|%5.2e" % (x, x, x), "{:g}".format(x), repr(x), sep=";")
        return x

    tapead.grad(f)(1.5)
    assert capsys.readouterr().out == "1.5;1.50;1.5|1.5|1.50e+00;1.5;1.5\n"


def test_a_stale_number_is_refused_after_its_recording():
    kept = []
    tapead.grad(lambda x: kept.append(x) or x)(2.0)
    stale = kept[0]
    for use in (
        lambda: stale * 2.0, lambda: 2.0 - stale, lambda: -stale, lambda: stale < 1.0,
        lambda: bool(stale), lambda: int(stale), lambda: float(stale), lambda: stale**2,
        lambda: tapead.math.sin(stale), lambda: tapead.grad(lambda y: stale * y)(1.0),
        lambda: tapead.grad(lambda y: stale)(1.0), lambda: tapead.stop_gradient(stale),
    ):  # fmt: skip
        with pytest.raises(tapead.StaleNumberError, match="after its recording had ended"):
            use()
    assert repr(stale) == "2.0"
    assert tapead.value(stale) == 2.0


def test_a_stale_number_of_the_same_row_of_a_later_recording_is_refused():
    kept = []

    def f(x):
        if kept:
            return x * kept[0]
        kept.append(x)
        return x

    tapead.grad(f)(2.0)
    with pytest.raises(tapead.StaleNumberError) as caught:
        tapead.grad(f)(2.0)
    assert caught.value.filename == HERE


@pytest.mark.parametrize(
    "f", [lambda x: (-x) ** 0.5, lambda x: (-8.0) ** (x / 3.0), lambda x: complex(x)]
)
def test_complex_numbers_are_refused_with_the_line(f):
    with pytest.raises(tapead.UnsupportedError, match=r"(?s)complex.*Write x \+ 0j"):
        tapead.grad(f)(2.0)


def test_a_swallowed_complex_result_is_raised_all_the_same():
    def f(x):
        try:
            return (-x) ** 0.5
        except Exception:
            return x

    with pytest.raises(tapead.UnsupportedError):
        tapead.grad(f)(2.0)


def test_types_that_floats_do_not_mix_with_raise_what_floats_raise():
    for f in (
        lambda x: x + "a", lambda x: [1] * x, lambda x: None - x, lambda x: x / {},
        lambda x: Decimal(1) + x, lambda x: x < "a", lambda x: pow(x, 2, 3),
    ):  # fmt: skip
        with pytest.raises(TypeError) as plain:
            f(2.0)
        with pytest.raises(TypeError) as tracked:
            tapead.grad(f)(2.0)
        assert str(tracked.value).replace("tapead.scalar.Scalar", "float") == str(plain.value)


def test_a_generator_as_the_function_is_named():
    def f(x):
        yield x

    with pytest.raises(TypeError, match="generator"):
        tapead.grad(f)(1.0)


def test_errors_of_the_program_pass_through_untouched():
    def f(x):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        tapead.grad(f)(1.0)
