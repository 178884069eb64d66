"""Putting arrays together: concatenation, padding, and choices between arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .indexing import arrayed, cast, gathered, indexed, into, unindexed
from .table import Rule, as_array, primitive

# ------------------------------------------------------------------------- concatenation ---


# Each operand of a record costs time that grows with their number, so many are joined in groups.
_MANY = 16


@primitive
def _joined(arrays: Any, axis: int | None, dtype: Any, casting: str) -> Any:
    return np.concatenate(arrays, axis, dtype=dtype, casting=casting)


@primitive
def _stacked(arrays: Any, axis: int, dtype: Any, casting: str) -> Any:
    return np.stack(arrays, axis, dtype=dtype, casting=casting)


def _concatenate(
    arrays: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting="same_kind"
) -> Any:
    arrays = list(arrays)
    if axis is None and dtype is None and any(map(_is_weak, arrays)):
        dtype = np.result_type(*map(_weak, arrays))
    arrays = [x if isinstance(x, np.ndarray) else arrayed(x) for x in arrays]
    if len(arrays) > _MANY and dtype is None:
        dtype = np.result_type(*{x.dtype for x in arrays})
    while len(arrays) > _MANY:
        arrays = [_joined(part, axis, dtype, casting) for part in _groups(arrays)]
        axis = axis or 0
    return into(out, _joined(arrays, axis, dtype, casting))


def _stack(
    arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting="same_kind"
) -> Any:
    arrays = list(arrays)
    if len(arrays) <= _MANY:
        return into(out, _stacked(arrays, axis, dtype, casting))
    if dtype is None:
        dtype = np.result_type(*set(map(_dtype_of, arrays)))
    stacks = [_stacked(part, axis, dtype, casting) for part in _groups(arrays)]
    return _concatenate(stacks, axis, out, dtype=dtype, casting=casting)


def _groups(arrays: list) -> list[list]:
    return [arrays[k : k + _MANY] for k in range(0, len(arrays), _MANY)]


def _dtype_of(x: Any) -> np.dtype:
    x = as_array(x)
    return x.dtype if isinstance(x, np.ndarray) else np.dtype(float)


def _place_of(i: int, arrays: Any, axis: int | None) -> tuple[int, int]:
    """Where the i-th array begins in the whole, and where it ends."""
    sizes = [x.size if axis is None else x.shape[axis] for x in arrays[: i + 1]]
    return sum(sizes[:-1]), sum(sizes)


def _concatenate_back(
    i: int, g: Any, v: Any, *arrays: Any, axis: int | None = 0, **options: Any
) -> Any:
    begin, end = _place_of(i, arrays, axis)
    if axis is None:
        return np.reshape(g[begin:end], arrays[i].shape)
    return g[(slice(None),) * (axis % g.ndim) + (slice(begin, end),)]


def _concatenate_tangent(
    i: int, t: Any, v: Any, *arrays: Any, axis: int | None = 0, **options: Any
) -> Any:
    begin, end = _place_of(i, arrays, axis)
    if axis is None:
        t, axis = np.ravel(t), 0
    shape = list(v.shape)
    pieces = []
    for n in (begin, None, v.shape[axis] - end):
        if n is None:
            pieces.append(t)
        elif n:
            shape[axis] = n
            pieces.append(np.zeros(shape, v.dtype))
    return np.concatenate(pieces, axis=axis)


def _stack_back(i: int, g: Any, v: Any, *arrays: Any, axis: int = 0, **options: Any) -> Any:
    return g[(slice(None),) * (axis % g.ndim) + (i,)]


def _stack_tangent(i: int, t: Any, v: Any, *arrays: Any, axis: int = 0, **options: Any) -> Any:
    t = np.expand_dims(t, axis)
    return _concatenate_tangent(i, t, v, *[t] * len(arrays), axis=axis)


def _vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return np.concatenate([np.atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


def _hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    arrays = [np.atleast_1d(x) for x in tup]
    axis = 0 if arrays and arrays[0].ndim == 1 else 1
    return np.concatenate(arrays, axis, dtype=dtype, casting=casting)


def _dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(x) for x in tup], 2)


def _column_stack(tup: Any) -> Any:
    arrays = map(arrayed, tup)
    return np.concatenate([x if x.ndim > 1 else np.reshape(x, (-1, 1)) for x in arrays], 1)


def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate((arrayed(arr), arrayed(values)), axis)


def _block(arrays: Any) -> Any:
    leaves = list(_leaves(arrays, 0))
    depth = leaves[0][1]
    if any(d != depth for _, d in leaves):
        raise ValueError("List depths are mismatched.")
    ndim = max(depth, *[np.ndim(x) for x, _ in leaves])
    return _assembled(arrays, depth, ndim) if depth else np.copy(arrayed(arrays))


def _leaves(x: Any, depth: int) -> Any:
    """What stands in nested lists, with the depth at which it stands."""
    if isinstance(x, tuple):
        raise TypeError(
            "Only lists can be used to arrange blocks, and np.block does not allow tuples."
        )
    if not isinstance(x, list):
        yield x, depth
        return
    if not x:
        raise ValueError("List at a place where blocks are expected cannot be empty")
    for y in x:
        yield from _leaves(y, depth + 1)


def _assembled(x: Any, depth: int, ndim: int) -> Any:
    if depth:
        return np.concatenate([_assembled(y, depth - 1, ndim) for y in x], axis=-depth)
    x = arrayed(x)
    return x if x.ndim == ndim else np.reshape(x, (1,) * (ndim - x.ndim) + x.shape)


# ---------------------------------------------------------------------------------- padding ---

# Modes in which elements are copied; they do so along each axis by itself.
_COPYING = ("edge", "wrap", "reflect", "symmetric")
_EXTREMES = {"maximum": np.max, "minimum": np.min, "median": np.median}


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    array = arrayed(array)
    if callable(mode):
        raise UnsupportedError("np.pad with a function for `mode` of tracked arrays.")
    if options.get("reflect_type", "even") != "even":
        raise UnsupportedError("np.pad(reflect_type='odd') of tracked arrays.")
    widths = _pairs(pad_width, array.ndim)
    ends = arrayed(options.get("constant_values", options.get("end_values", 0)))
    if mode not in _EXTREMES and type(ends) is np.ndarray:
        return _padded(array, widths, mode, options)
    # What NumPy has to say against the arguments.
    known = {k: x for k, x in options.items() if k == "stat_length"}
    np.pad(np.broadcast_to(np.int8(0), array.shape), widths or 0, mode, **known)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            if mode in _EXTREMES:
                low, high = _extremes(array, axis, mode, options)
            else:
                low, high = _ends(array, axis, (before, after), mode, ends)
            shapes = [(*array.shape[:axis], k, *array.shape[axis + 1 :]) for k in (before, after)]
            sides = [np.broadcast_to(x, s) for x, s in zip((low, high), shapes, strict=True)]
            low, high = (cast(x, array.dtype) for x in sides)
            array = np.concatenate((low, array, high), axis)
    return array


def _pairs(widths: Any, ndim: int) -> tuple[tuple[Any, Any], ...]:
    """Numbers for both ends of each axis, in any of the forms that `np.pad` takes."""
    if isinstance(widths, dict):
        given = {axis % ndim: widths[axis] for axis in widths}
        return tuple(tuple(np.broadcast_to(given.get(k, 0), 2).tolist()) for k in range(ndim))
    return tuple(map(tuple, np.broadcast_to(np.asarray(widths), (ndim, 2)).tolist()))


def _lengths(options: dict, axis: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """How many elements at both ends of an axis a statistic is of."""
    given = _pairs(options.get("stat_length"), len(shape))[axis]
    low, high = (shape[axis] if k is None else min(k, shape[axis]) for k in given)
    return low, high


def _extremes(array: Any, axis: int, mode: str, options: dict) -> tuple[Any, Any]:
    """The largest, smallest or middle element at either end of an axis."""
    n = array.shape[axis]
    low, high = _lengths(options, axis, array.shape)
    first = _EXTREMES[mode](_slice(array, axis, 0, low), axis=axis, keepdims=True)
    if low == high == n:
        return first, first
    return first, _EXTREMES[mode](_slice(array, axis, n - high, n), axis=axis, keepdims=True)


def _ends(array: Any, axis: int, widths: tuple, mode: str, ends: Any) -> tuple[Any, Any]:
    """What is put at either end of an axis where tracked numbers are what it ends with."""
    pair = np.broadcast_to(ends, (array.ndim, 2))[axis]
    if mode == "constant":
        return pair[0], pair[1]
    n = array.shape[axis]
    low, high = (
        np.linspace(end, np.squeeze(edge, axis), width, endpoint=False, axis=axis)
        for end, edge, width in zip(
            (pair[0], pair[1]),
            (_slice(array, axis, 0, 1), _slice(array, axis, n - 1, n)),
            widths,
            strict=True,
        )
    )
    return low, np.flip(high, axis)


def _slice(array: Any, axis: int, begin: int, end: int) -> Any:
    return array[(slice(None),) * axis + (slice(begin, end),)]


@primitive
def _padded(array: Any, widths: Any, mode: str, options: dict) -> Any:
    return np.pad(array, widths or 0, mode, **options)


def _padded_back(g: Any, v: Any, array: Any, widths: Any, mode: str, options: dict) -> Any:
    # NumPy pads the first axis first, and what it puts in may be padded along the others.
    for axis in reversed(range(len(widths))):
        before, after = widths[axis]
        n = array.shape[axis]
        low, inner = _slice(g, axis, 0, before), _slice(g, axis, before, before + n)
        high = _slice(g, axis, before + n, before + n + after)
        g = inner
        if not n or not before + after:
            continue
        if mode in _COPYING:
            source = np.pad(np.arange(n), (before, after), mode)
            index = np.concatenate((source[:before], source[before + n :]))
            border = np.concatenate((low, high), axis)
            g = g + unindexed(border, (slice(None),) * axis + (index,), g.shape)
        elif mode == "mean":
            first, last = _lengths(options, axis, array.shape)
            g = _added(g, axis, 0, first, np.sum(low, axis=axis, keepdims=True) / first)
            g = _added(g, axis, n - last, n, np.sum(high, axis=axis, keepdims=True) / last)
        elif mode == "linear_ramp":
            g = _added(g, axis, 0, 1, _ramp_back(low, axis))
            g = _added(g, axis, n - 1, n, _ramp_back(np.flip(high, axis), axis))
    return g


def _added(g: Any, axis: int, begin: int, end: int, term: Any) -> Any:
    """g with a term added to a part of it."""
    n = g.shape[axis]
    parts = [
        _slice(g, axis, 0, begin),
        _slice(g, axis, begin, end) + term,
        _slice(g, axis, end, n),
    ]
    return np.concatenate([x for x in parts if x.shape[axis]], axis)


def _ramp_back(g: Any, axis: int) -> Any:
    """The adjoint of the edge that a ramp rises to; its outermost element does not depend on it."""
    n = g.shape[axis]
    weights = np.asarray(np.arange(1, n) / max(n, 1), g.dtype)
    weights = np.reshape(weights, (-1,) + (1,) * (g.ndim - 1 - axis))
    return np.sum(_slice(g, axis, 1, n) * weights, axis=axis, keepdims=True)


def _padded_tangent(t: Any, v: Any, array: Any, widths: Any, mode: str, options: dict) -> Any:
    mode = "constant" if mode == "empty" else mode
    return _padded(t, widths, mode, {k: x for k, x in options.items() if k == "stat_length"})


# --------------------------------------------------------------------------------- choices ---


def _choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    a = a if isinstance(a, np.ndarray) else np.asarray(a)
    n = len(choices)
    if mode == "raise" and not (np.all(a >= 0) and np.all(a < n)):
        raise ValueError("invalid entry in choice array")
    a = a % n if mode == "wrap" else np.clip(a, 0, n - 1)
    result = choices[n - 1]
    for k in range(max(n - 2, 0), -1, -1):
        result = np.where(a == k, choices[k], result)
    return into(out, result if np.ndim(result) else result[()])


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    dtype = np.result_type(*map(_weak, choicelist), _weak(default))
    result = cast(default, dtype) if _is_weak(default) else default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        condition = np.asarray(condition)
        if condition.dtype != bool:
            raise TypeError("invalid entry in condlist: should be boolean ndarray")
        choice = cast(choice, dtype) if _is_weak(choice) else choice
        result = np.where(condition, choice, result)
    return result


def _is_weak(x: Any) -> bool:
    """Whether x is a number of Python's own, which gives way to the dtypes of others."""
    return isinstance(x, (int, float, complex)) and not isinstance(x, np.generic)


def _weak(x: Any) -> Any:
    """A choice as it counts for the dtype of the result."""
    if not _is_weak(x):
        return arrayed(x)
    return 1j if isinstance(x, complex) else 1.0 if isinstance(x, float) else x


def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = arrayed(x)
    # Which element of the pieces, laid end to end, each element of the result is; the first is 0,
    # for what no condition holds of.
    origin = np.zeros(x.shape, np.intp)
    pieces, count = [np.zeros(1, x.dtype)], 1
    for mask, f in zip(_conditions(x, condlist, len(funclist)), funclist, strict=True):
        piece = f
        if callable(f):
            vals = indexed(x, mask)
            if vals.size == 0:
                continue
            piece = f(vals, *args, **kw)
        piece = cast(arrayed(piece), x.dtype)
        origin[mask] = np.arange(count, count + piece.size).reshape(piece.shape)
        pieces.append(np.ravel(piece))
        count += piece.size
    return gathered(np.concatenate(pieces), origin)


def _conditions(x: Any, condlist: Any, count: int) -> np.ndarray:
    """The conditions of `piecewise`, with that of the default, as one array."""
    if np.isscalar(condlist) or (not isinstance(condlist[0], (list, np.ndarray)) and x.ndim != 0):
        condlist = [condlist]
    conditions = np.asarray(condlist, dtype=bool)
    if len(conditions) == count - 1:
        rest = ~np.any(conditions, axis=0, keepdims=True)
        return np.concatenate([conditions, rest], axis=0)
    if len(conditions) != count:
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    return conditions


CONCATENATE = Rule(
    _joined, "*arrays; axis, dtype, casting", _concatenate_back, _concatenate_tangent
)
STACK = Rule(_stacked, "*arrays; axis, dtype, casting", _stack_back, _stack_tangent)

RULES = (
    CONCATENATE,
    STACK,
    Rule(_padded, "array; widths, mode, options", _padded_back, _padded_tangent),
)

COMPOSED = {
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.dstack: _dstack,
    np.column_stack: _column_stack,
    np.append: _append,
    np.block: _block,
    np.pad: _pad,
    np.choose: _choose,
    np.select: _select,
    np.piecewise: _piecewise,
}
