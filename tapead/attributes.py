"""Attributes and methods of ndarrays, on tracked arrays and numbers that stand for np.float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array, guards, operands, rows, scalar
from tapead.array import Array, plain_of
from tapead.scalar import Scalar

# Methods that are a function of NumPy's with the array in front.
_FUNCTIONS = {
    name: getattr(np, name)
    for name in [
        "all",
        "any",
        "argmax",
        "argmin",
        "argpartition",
        "argsort",
        "choose",
        "clip",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "max",
        "mean",
        "min",
        "nonzero",
        "prod",
        "ptp",
        "ravel",
        "repeat",
        "reshape",
        "round",
        "searchsorted",
        "squeeze",
        "std",
        "sum",
        "swapaxes",
        "take",
        "trace",
        "transpose",
        "var",
    ]
}
# Attributes that say how the data lie, not what they are.
_PLAIN = frozenset(("flags", "itemsize", "nbytes", "strides", "device"))
# What would hand the data to somebody who does not ask.
_DATA = frozenset(
    [
        "data",
        "ctypes",
        "tobytes",
        "tostring",
        "tofile",
        "dumps",
        "dump",
        "getfield",
        "byteswap",
        "base",
        "setfield",
    ]
)
# ufuncs that NumPy's loops over object arrays look for as methods of the elements.
_OBJECT_LOOPS = {name: f for name, f in vars(np).items() if isinstance(f, np.ufunc)}


def array_attribute(x: Any, name: str) -> Any:
    """``x.name`` for an Array: what its class does not define."""
    if array.is_number(x):
        return _of_number(_attribute(x, name), x.__class__ is complex)
    return _attribute(x, name)


def _of_number(found: Any, pythons: bool) -> Any:
    """An attribute or a method's result of a number: NumPy's, or one of Python."""
    if type(found) is _Method:
        return lambda *args, **options: _of_number(found(*args, **options), pythons)
    if type(found) is Scalar:
        return scalar.as_float(found) if pythons else found
    if type(found) is not Array or found.ndim:
        return found
    if pythons and found.dtype.kind == "c" and array.is_active(found):
        return array.standing_as(found, 2)
    made = array.numbered(found)
    if not pythons:
        return made
    return scalar.as_float(made) if type(made) is Scalar else made.item()


def _attribute(x: Any, name: str) -> Any:
    f = _FUNCTIONS.get(name)
    if f is not None:
        return _Method(array.FUNCTIONS.get(f, f), x)  # NumPy would ask us
    method = _METHODS.get(name)
    if method is not None:
        return _Method(method, x)
    attribute = _ATTRIBUTES.get(name)
    if attribute is not None:
        return attribute(x)
    if name in _PLAIN:
        return getattr(plain_of(x), name)
    if name in _DATA and hasattr(np.ndarray, name):
        if array.is_active(x) or name in ("setfield", "byteswap"):
            raise guards.detached(f"x.{name} would hand out a tracked array's plain data.")
        array.written_from_outside(x)
        return getattr(plain_of(x), name)
    raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")


class _Method:
    """A method of an array: `f` with the array in front."""

    __slots__ = ("_f", "_x")

    def __init__(self, f: Callable, x: Any) -> None:
        self._f, self._x = f, x

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._f(self._x, *args, **options)


def number_attribute(x: Any, name: str) -> Any:
    """``x.name`` for a tracked number: as np.float64 has it, and loops over object arrays ask."""
    if scalar.is_numpy(x) and name not in ("__array_interface__", "__array_struct__", "__array__"):
        if name == "dtype":
            return np.dtype(np.float64)
        if name in ("shape", "strides"):
            return ()
        if name in ("ndim", "size", "itemsize", "nbytes"):
            return getattr(np.float64(), name)
        if name in ("item", "tolist"):
            return lambda *index: scalar.as_float(x)
        if hasattr(np.float64, name) and not name.startswith("_"):
            return _of_number(array_attribute(_as_array(x), name), False)
    f = _OBJECT_LOOPS.get(name)
    if f is not None:
        return lambda *others: f(x, *others)
    kind = "numpy.float64" if scalar.is_numpy(x) else "float"
    raise AttributeError(f"'{kind}' object has no attribute {name!r}")


def _as_array(x: Any) -> Any:
    """A number as an array without dimensions."""
    return np.reshape(np.stack([x]), ())


# --------------------------------------------------------------------------------- methods ---


def _copy(x: Any, order: str = "C") -> Any:
    return array.copied(x, order)


def _flatten(x: Any, order: str = "C") -> Any:
    return np.reshape(array.copied(x, order), -1, order=order)


def _astype(
    x: Any, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
    copy: bool = True,
) -> Any:  # fmt: skip
    """Whole and Boolean results are piecewise constant: they come as plain arrays."""
    dtype = np.dtype(dtype)
    if dtype == x.dtype and not copy:
        return x
    if dtype.kind == "O":
        return operands.objects(x)
    if not array.is_active(x) or dtype.kind not in "fc":
        result = array.dressed(plain_of(x).astype(dtype, order, casting, copy=True))
        return array.decided("_truncated", (x,), result)
    return rows.cast(x, dtype, order, casting)


def _fill(x: Any, value: Any) -> None:
    x[...] = value


def _sort(x: Any, axis: int = -1, kind: Any = None, order: Any = None) -> None:
    x[...] = np.sort(x, axis=axis, kind=kind)


def _partition(
    x: Any, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None
) -> None:
    x[...] = np.partition(x, kth, axis=axis, kind=kind)


def _put(x: Any, indices: Any, values: Any, mode: str = "raise") -> None:
    np.put(x, indices, values, mode)


def _item(x: Any, *index: Any) -> Any:
    if x.dtype.kind == "f" and x.dtype != np.float64:
        x = _astype(x, np.float64)
    if not index:
        if x.size != 1:
            return plain_of(x).item()  # raises what NumPy raises
        return _number(array.item(x))
    index = index[0] if len(index) == 1 else index
    if not isinstance(index, tuple):
        index = np.unravel_index(index, x.shape)
    return _number(x[tuple(map(int, index))])


def _number(x: Any) -> Any:
    """A number as Python has it."""
    if type(x) is Scalar:
        return scalar.as_float(x)
    return x if type(x) is Array else getattr(x, "item", lambda: x)()


def _tolist(x: Any) -> Any:
    if not array.is_active(x):
        return plain_of(x).tolist()
    return _item(x) if x.ndim == 0 else [_tolist_of(row) for row in x]


def _tolist_of(row: Any) -> Any:
    return _tolist(row) if type(row) is Array else _number(row)


def _compress(x: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return np.compress(condition, x, axis, out)


def _conj(x: Any) -> Any:
    """A real array's is the array itself."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def _dot(x: Any, other: Any, out: Any = None) -> Any:
    return np.dot(x, other) if out is None else rows.write_out(out, np.dot(x, other))


def _reshape(x: Any, *shape: Any, order: str = "C", **options: Any) -> Any:
    data = plain_of(x)
    result = data.reshape(*shape, order=order, **options)
    if array.is_view(result, data):
        return array.viewed(x, result)
    return np.reshape(x, shape[0] if len(shape) == 1 else shape, order=order, **options)


def _transpose(x: Any, *axes: Any) -> Any:
    return np.transpose(x, axes[0] if len(axes) == 1 else axes or None)


def _view(x: Any, dtype: Any = None, type: Any = None) -> Any:
    if dtype is None or dtype is np.ndarray or np.dtype(dtype) == x.dtype:
        return array.viewed(x, plain_of(x).view())
    raise guards.unsupported("ndarray.view with another dtype, of tracked arrays")


def _setflags(x: Any, write: Any = None, align: Any = None, uic: Any = None) -> None:
    plain_of(x).setflags(write, align, uic)


def _refused(name: str) -> Callable:
    def method(x: Any, *args: Any, **options: Any) -> Any:
        raise guards.unsupported(f"ndarray.{name} of tracked arrays")

    return method


_METHODS: dict[str, Callable] = {
    "astype": _astype,
    "compress": _compress,
    "conj": _conj,
    "conjugate": _conj,
    "copy": _copy,
    "dot": _dot,
    "fill": _fill,
    "flatten": _flatten,
    "item": _item,
    "partition": _partition,
    "put": _put,
    "reshape": _reshape,
    "resize": _refused("resize"),
    "setflags": _setflags,
    "sort": _sort,
    "tolist": _tolist,
    "transpose": _transpose,
    "view": _view,
}
for _name in ("dot", "reshape", "transpose"):
    del _FUNCTIONS[_name]


# ------------------------------------------------------------------------------ attributes ---


def _mt(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _flat(x: Any) -> Any:
    if plain_of(x).flags.c_contiguous:
        return np.reshape(x, -1)
    raise guards.unsupported("x.flat of tracked arrays that are not in C order")


def _base(x: Any) -> Any:
    if array.any_place(x).root is None:
        return None
    raise guards.unsupported("ndarray.base of views of tracked arrays")


def _real(x: Any) -> Any:
    return _part(x, plain_of(x).real) if x.dtype.kind == "c" else x


def _part(x: Any, data: np.ndarray) -> Any:
    """The real or imaginary part of a complex array, a view; of a complex number a number."""
    part = array.viewed(x, data)
    if not array.is_number(x):
        return part
    return array.item(part) if data.dtype == np.float64 else part


def _imag(x: Any) -> Any:
    return _part(x, plain_of(x).imag) if x.dtype.kind == "c" else np.zeros(x.shape, x.dtype)


_ATTRIBUTES: dict[str, Callable] = {
    "base": _base,
    "mT": _mt,
    "flat": _flat,
    "real": _real,
    "imag": _imag,
}


def pickled(x: Any, protocol: Any) -> Any:
    """What pickle writes of an array: its data, if no derivative is lost."""
    if array.is_active(x):
        raise guards.detached("a tracked array was about to be pickled, without derivative.")
    return array.exposed(x, True).__reduce_ex__(protocol)
