"""What NumPy's functions and ufuncs do to tracked arrays: the tables, made into calls.

NumPy asks our arrays through ``__array_ufunc__`` (NEP 13) and ``__array_function__`` (NEP 18).
Each row of the rule tables becomes a function with NumPy's own signature here.  What has no row is
refused; on arrays without derivative it is NumPy's.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array, aware_scipy, guards, rules, scalar
from tapead.array import FUNCTIONS, METHODS, UFUNCS, Array, plain_of
from tapead.errors import user_frame
from tapead.operands import (
    NUMBERS,
    as_operand,
    fixed_index,
    is_tracked,
    objects,
    plain_tree,
    refused,
)
from tapead.places import Row
from tapead.rows import call_of, on_plain, view_of, write_out
from tapead.rules import indexing
from tapead.rules.table import Elementwise
from tapead.scalar import Scalar

DECISIONS: set = set()
# Options of a ufunc that only its value depends on.
_VALUE_OPTIONS = {"dtype", "casting", "order", "subok", "axis", "axes", "keepdims"}


# ------------------------------------------------------------------------ NumPy's two questions ---


def function(f: Callable, args: tuple, options: dict) -> Any:
    """``f(*args, **options)`` for a function of NumPy, or a primitive of ours."""
    handler = FUNCTIONS.get(f)
    if handler is None and is_tracked(args) and aware_scipy.load():
        handler = FUNCTIONS.get(f)
    if handler is not None:
        return handler(*args, **options)
    if f in DECISIONS:
        return decision(f, args, options)
    if not (is_tracked(args) or is_tracked(options)):
        return on_plain(f, args, options)
    raise refused(f)


def decision(f: Callable, args: tuple, options: dict) -> Any:
    """A function whose result is piecewise constant: it only looks at its arguments."""
    return array.decided(f.__name__, args, on_plain(f, args, options), options)


def ufunc(f: Any, method: str, inputs: tuple, options: dict) -> Any:
    """A ufunc, or a method of one, called with tracked operands."""
    if method == "at":
        return _at(f, *inputs)
    out = options.pop("out", None)
    where = options.pop("where", True) if method == "__call__" else True
    call = functools.partial(_called, f, method)
    if out is not None and type(out[0]) is np.ndarray and inputs and out[0] is inputs[0]:
        out = (_adopted_name(out[0], sys.getrefcount(out[0]), inputs),)
    if out is None and where is True:
        return call(inputs, options)
    return _written(call, inputs, options, out, where)


# How many references there are to x, here, when `x += y` runs for an x that has one name only.
_references_of_one_name = 0


def _adopted_name(x: np.ndarray, references: int, inputs: tuple) -> Any:
    """The plain array of ``x += tracked`` as one of ours, if the name x is the only one for it.

    Python binds that name to what the operator gives; a view, or another name, would go on to see
    the plain array.
    """
    global _references_of_one_name
    if not _references_of_one_name:
        _references_of_one_name = references
    elif (
        references == _references_of_one_name
        and x.base is None
        and x.flags.owndata
        and x.flags.writeable
        and x.dtype.kind in "fc"
        and is_tracked(inputs[1:])
    ):
        return array.adopted(x)
    return x


def _called(f: Any, method: str, inputs: tuple, options: dict) -> Any:
    if method != "__call__":
        handler = METHODS.get((f, method)) or METHODS.get(method)
        if handler is None or not is_tracked(inputs):
            if is_tracked(inputs):
                raise refused(f, f".{method} has no rule: tracked arrays in it")
            return array.dressed(getattr(f, method)(*plain_tree(inputs), **options))
        if METHODS.get((f, method)) is None:
            return handler(f, *map(as_operand, inputs), **options)
        return handler(*map(as_operand, inputs), **options)
    row = UFUNCS.get(f)
    if row is None and f not in FUNCTIONS and aware_scipy.load():
        row = UFUNCS.get(f)
    if row is None:
        operands = tuple(map(as_operand, inputs))
        if options and (f, method) in METHODS:
            return METHODS[f, method](*operands, **options)
        return function(f, operands, options)
    operands = tuple([x if type(x) in (Array, Scalar, float) else _operand(x) for x in inputs])
    if any(type(x) is np.ndarray and x.dtype.kind == "O" for x in operands):
        return f(*[_to_objects(x) for x in operands], **options)
    if f is np.power and type(operands[0]) is np.float64 and type(operands[1]) is Scalar:
        # This is how np.float64 ** x gets here; that operator and the ufunc do not round alike.
        return float(operands[0]) ** scalar.as_numpy(operands[1])
    if not options:
        return array.elementwise_of(row, operands, None)
    unknown = options.keys() - _VALUE_OPTIONS
    if unknown:
        raise refused(f, f"({', '.join(sorted(unknown))}=...) of tracked arrays")
    return array.elementwise_of(row, operands, options)


def _operand(x: Any) -> Any:
    """An operand of a ufunc, whose partials compute with it."""
    x = as_operand(x)
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def _written(call: Callable, inputs: tuple, options: dict, out: Any, where: Any) -> Any:
    """A ufunc's result written into `out`, all of it or where a mask says so."""
    outs = out if isinstance(out, tuple) else (out,)
    if not is_tracked(inputs) and all(x is None or type(x) is np.ndarray for x in outs):
        f, method = call.args
        return getattr(f, method)(*plain_tree(inputs), out=out, where=plain_of(where), **options)
    result = call(inputs, options)
    if out is None:
        empty = np.zeros(np.shape(result), plain_of(result).dtype)
        return np.where(where, result, empty)
    results = result if isinstance(result, tuple) else (result,)
    done = [x if o is None else write_out(o, x, where) for o, x in zip(outs, results, strict=True)]
    return done[0] if len(done) == 1 else tuple(done)


def _at(f: Any, a: Any, index: Any, x: Any = None) -> None:
    """``np.add.at`` and ``np.subtract.at``."""
    if type(a) is not Array:
        if is_tracked(x):
            raise guards.detached(
                f"np.{f.__name__}.at was about to write a tracked value into a plain array."
            )
        f.at(plain_of(a), index, *(() if x is None else (plain_of(x),)))
        return
    index = fixed_index(index)
    x = as_operand(x)
    if f is np.add:
        array.add_at(a, index, x)
    elif f is np.subtract:
        array.add_at(a, index, -x)
    elif is_tracked((a, x)):
        raise refused(f, ".at has no rule: tracked arrays in it")
    else:
        array.before_write_of(a)
        f.at(plain_of(a), index, *(() if x is None else (plain_of(x),)))


def binary(f: Any, x: Any, y: Any) -> Any:
    """An operator by its ufunc; NotImplemented for what is no operand of NumPy's."""
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and (sparse.issparse(x) or sparse.issparse(y)):
        aware_scipy.load()
        return sys.modules["tapead.scipy.sparse"].operator(f, x, y)
    for z in (x, y):
        if type(z) not in NUMBERS and not isinstance(z, (complex, np.generic, list, tuple)):
            return NotImplemented
    return ufunc(f, "__call__", (x, y), {})


def complex_operation(op: Callable, x: Any, y: Any) -> Any:
    """A tracked number and a complex one: as arrays without dimensions, which may be complex."""
    kind = 1 if isinstance(x, np.generic) or isinstance(y, np.generic) else 2
    x, y = (_without_dimensions(z, kind) if type(z) is Scalar else z for z in (x, y))
    return op(x, y)


def _without_dimensions(x: Scalar, kind: int) -> Array:
    """An array for a number, which stands for NumPy's number (1) or for Python's (2)."""
    kind = 1 if scalar.is_numpy(x) else kind
    return array.standing_as(np.reshape(np.stack([x]), ()), kind)


def _to_objects(x: Any) -> Any:
    """An array of ours as an object array of numbers, for operations with such arrays."""
    if type(x) is not Array:
        return x
    return objects(x)


# ----------------------------------------------------------------------------- rows as calls ---


# -------------------------------------------------------------------------- reading and writing ---


def advanced(x: Any, index: Any) -> Any:
    """x[index] for an index with arrays."""
    if not array.is_active(x):
        return array.dressed(plain_of(x)[plain_tree(index)])
    return FUNCTIONS[indexing.indexed](x, fixed_index(index))


def write_advanced(x: Any, index: Any, value: Any) -> None:
    """x[index] = value for an index with arrays."""
    index = fixed_index(index)
    array.write_at(x, index, as_operand(value), indexing.last_written(index, x.shape))


def as_plain(x: Any, dtype: Any, copy: Any) -> np.ndarray:
    """``__array__``: what NumPy, and code that does not ask us, makes of an array of ours."""
    if dtype is not None and np.dtype(dtype) == object:
        return objects(x)
    if array.is_active(x):
        if _asked_by_sparse():
            return np.array(None, object)  # something that a sparse matrix does not know asks us
        raise guards.detached(
            "a tracked array was about to become a plain one, without derivative."
        )
    data = plain_of(x)
    if dtype is not None and data.dtype != dtype:
        return data.astype(dtype)
    # Who gets this does not see what is written into x later on, and must not write himself.
    return array.exposed(x, copy)


def _asked_by_sparse() -> bool:
    """Whether a sparse matrix of SciPy's looks at the other operand of a product.

    It does not ask that by any protocol, but takes arrays as they are, and whatever it does not
    know gets its turn.
    """
    frame = user_frame()
    if frame is None or frame.f_code.co_name != "_matmul_dispatch":
        return False
    return "sparse" in frame.f_code.co_filename


def class_of(x: Any) -> type:
    """np.ndarray, but for sparse matrices."""
    return Array if _asked_by_sparse() else np.ndarray


# Functions that print, save or compare: no derivative is lost in what they are for.
_LOOKS = {
    getattr(np, name)
    for name in (
        "array2string array_str array_repr savetxt save savez savez_compressed isin in1d".split()
    )
    if hasattr(np, name)
}


def _of_numpys(composed: Callable) -> Callable:
    """A composed function, which gets np.float64s for floats: they have a shape and a dtype."""

    @functools.wraps(composed)
    def call(*args: Any, **options: Any) -> Any:
        args = tuple([scalar.as_numpy(x) if type(x) is Scalar else x for x in args])
        return composed(*args, **options)

    return call


def _imag(x: Any) -> Any:
    """`np.imag`, which gives a view."""
    x = as_operand(x)
    if type(x) is Array and x.dtype.kind == "c":
        return array.imaginary(x)
    return rules.COMPOSED[np.imag](x)


def install(tables: Any = rules) -> None:
    """Make calls of the rows of tables, and let arrays and numbers find them."""
    rows = tables.ROWS if tables is rules else getattr(tables, "RULES", ())
    for row in rows:
        if isinstance(row, Elementwise):
            UFUNCS[row.ufunc] = Row(row)
        else:
            FUNCTIONS[row.function] = call_of(row)
            if row.function is np.matmul:
                array.multiply_by(row)
    if tables is rules:
        operators = (np.add, np.subtract, np.multiply, np.true_divide, np.power, np.negative)
        array.operators_by([UFUNCS[f] for f in operators])
    for f, composed in getattr(tables, "COMPOSED", {}).items():
        FUNCTIONS[f] = _of_numpys(composed)
    for f in getattr(tables, "VIEWS", ()):
        FUNCTIONS[f] = view_of(f)
    METHODS.update(getattr(tables, "METHODS", {}))
    DECISIONS.update(getattr(tables, "DECISIONS", ()))
    DECISIONS.update(_LOOKS)
    if getattr(tables, "__name__", "") == "tapead.scipy.sparse":
        array.ask_for_class(class_of)
    for f in (np.real, np.broadcast_to, np.lib.stride_tricks.sliding_window_view):
        FUNCTIONS[f] = view_of(f)
    FUNCTIONS[np.imag] = _imag
