"""Arrays handed to code that does not ask tapead, and memory that NumPy does not own alone.

What is done there shows in the program as it would with plain arrays, or is refused.
"""

import contextlib
import ctypes
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

LARGE = 4_000  # elements; the array takes more than 16 KiB
X = checks.X
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


def by_pointer(c):
    pointer = c.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    pointer[0] = 0.25


def by_loop(c):
    with np.nditer(c, op_flags=["readwrite"]) as cells:
        for cell in cells:
            cell[...] = 0.25


FROM_OUTSIDE = {
    "data": lambda c: c.data.__setitem__(0, 0.25),
    "memoryview": lambda c: memoryview(c).__setitem__(0, 0.25),
    "pointer": by_pointer,
    "address": lambda c: ctypes.memset(c.ctypes.data, 0x3F, 24),
    "as_ctypes": lambda c: np.ctypeslib.as_ctypes(c).__setitem__(0, 0.25),
    "frombuffer": lambda c: np.frombuffer(c)[:1].fill(0.25),
    "ndarray": lambda c: np.ndarray(3, buffer=c).fill(0.25),
    "__array__": lambda c: c.__array__().fill(0.25),
    "as_strided": lambda c: np.lib.stride_tricks.as_strided(c, (2,), (8,)).fill(0.25),
    "masked array": lambda c: np.ma.asarray(c).__setitem__(0, 0.25),
    "nditer": by_loop,
    "setfield": lambda c: c.setfield(0.25, float),
    "byteswap": lambda c: c.byteswap(inplace=True),
    "view as integers": lambda c: c.view(np.int64).fill(0),
    "random numbers": lambda c: np.random.default_rng(0).standard_normal(out=c),
    "random floats": lambda c: np.random.default_rng(0).random(out=c),
    "permuted": lambda c: np.random.default_rng(0).permuted(np.arange(4.0), out=c),
}


@pytest.mark.parametrize("local", [True, False], ids=["local", "closure"])
@pytest.mark.parametrize("name", FROM_OUTSIDE)
def test_a_constant_changed_from_outside_has_the_values_that_it_got_or_is_refused(name, local):
    held = np.linspace(3.0, 1.0, 4)

    def f(x):
        c = np.linspace(3.0, 1.0, 4) if local else held
        y = x * c
        FROM_OUTSIDE[name](c)
        return np.sum(y) + np.sum(x * c)

    x = np.linspace(0.5, 1.5, 4)
    expected = f(x)
    changed = np.linspace(3.0, 1.0, 4)
    FROM_OUTSIDE[name](changed)
    held[...] = np.linspace(3.0, 1.0, 4)
    try:
        value, gradient = tapead.value_and_grad(f)(x)
    except (tapead.DetachedError, tapead.UnsupportedError) as error:
        assert error.filename == __file__  # noqa: PT017
    except (TypeError, ValueError, AttributeError) as error:
        assert error.__traceback__ is not None  # noqa: PT017 - no buffer, or read-only
    else:
        assert value == expected
        np.testing.assert_array_equal(gradient, np.linspace(3.0, 1.0, 4) + changed)


class Sub(np.ndarray):
    pass


@pytest.mark.parametrize("size", [3, LARGE])
def test_a_constant_of_a_subclass_is_one_or_is_refused(tmp_path, size):
    mapped = np.memmap(tmp_path / "numbers", float, "w+", shape=(size,))
    for c in (mapped, np.arange(1.0 * size).view(Sub)):
        x = np.linspace(0.5, 1.5, size)
        c[...] = x
        assert grad(lambda x: np.sum(x * c))(x).tolist() == x.tolist()  # noqa: B023

        def f(x):
            y = c * x  # noqa: B023
            try:
                c[:] = 4.0  # noqa: B023
            except ValueError:
                return np.sum(y)
            return np.sum(y)

        with contextlib.suppress(tapead.UnsupportedError):
            assert grad(f)(x).tolist() == x.tolist()


def test_memory_that_others_own_is_one_or_is_refused():
    memory = bytearray(24)
    a, b = np.frombuffer(memory), np.frombuffer(memory)

    def used(x):
        a[:] = 1.0
        y = x * a
        b[:] = 5.0
        return np.sum(y)

    def written(x):
        a[:] = 0.0
        a[0] = x[0]
        return np.sum(b * x)

    def made_inside(x):
        own = bytearray(24)
        a, b = np.frombuffer(own), np.frombuffer(own)
        a[0] = x[0]
        return np.sum(b * x)

    assert grad(used)(X).tolist() == [1.0, 1.0, 1.0]
    for f in (written, made_inside):
        with contextlib.suppress(tapead.DetachedError):
            assert grad(f)(X).tolist() == [2.0 * X[0], 0.0, 0.0]
