"""Putting arrays together: concatenation, insertion, padding, and choices between arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .indexing import arrayed, cast, gathered, indexed, into, numbered, unindexed
from .table import Rule, primitive

# ------------------------------------------------------------------------- concatenation ---


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


# --------------------------------------------------------------- putting in, taking out ---


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = arrayed(arr), arrayed(values)
    # NumPy's own function says which element goes where.
    numbers = np.insert(numbered(arr.shape), obj, arr.size + numbered(values.shape), axis)
    both = np.concatenate((np.ravel(arr), np.ravel(cast(values, arr.dtype))))
    return gathered(both, numbers - 1)


def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = arrayed(arr)
    n = arr.size if axis is None else arr.shape[axis]
    return np.take(arr, np.delete(np.arange(n), obj), axis)


def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    trim = trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    filt = arrayed(filt)
    mask = filt != 0
    axes = range(filt.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    cut = [slice(None)] * filt.ndim
    for k in axes:
        others = tuple(j for j in range(filt.ndim) if j != k % filt.ndim)
        found = np.flatnonzero(np.any(mask, axis=others))
        if not found.size:
            cut[k] = slice(0, 0)
        else:
            cut[k] = slice(
                found[0] if "f" in trim else None, found[-1] + 1 if "b" in trim else None
            )
    return filt[tuple(cut)]


# ---------------------------------------------------------------------------------- padding ---

_MOVING = ("edge", "wrap", "reflect", "symmetric")
_STATISTICS = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}


@primitive
def _padded(array: Any, widths: Any, mode: str, options: dict) -> Any:
    return np.pad(array, widths or 0, mode, **options)


def _padded_back(g: Any, v: Any, array: Any, widths: Any, mode: str, options: dict) -> Any:
    for axis, ((before, after), n) in enumerate(zip(widths, array.shape, strict=True)):
        at = (slice(None),) * axis
        outer = g
        g = g[(*at, slice(before, before + n))]
        if mode in _MOVING and before + after:
            # Each axis is padded by itself, so one axis' numbers say where the padding is from.
            source = np.pad(np.arange(n), (before, after), mode)
            padding = [slice(0, before), slice(before + n, None)]
            border = np.concatenate([outer[(*at, k)] for k in padding], axis=axis)
            index = (*at, np.concatenate([source[k] for k in padding]))
            g = g + unindexed(border, index, g.shape)
    return g


def _padded_tangent(t: Any, v: Any, array: Any, widths: Any, mode: str, options: dict) -> Any:
    return _padded(t, widths, mode if mode in _MOVING else "constant", {})


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    array = arrayed(array)
    if callable(mode):
        raise UnsupportedError("np.pad with a function for `mode` of tracked arrays.")
    if options.get("reflect_type", "even") != "even":
        raise UnsupportedError("np.pad(reflect_type='odd') of tracked arrays.")
    fill = arrayed(options.get("constant_values", options.get("end_values", 0)))
    simple = type(fill) is np.ndarray and mode not in _STATISTICS and mode != "linear_ramp"
    widths = _pairs(pad_width, array.ndim)
    if simple:
        return _padded(array, widths, mode, options)
    # What NumPy has to say against the arguments.
    known = {k: x for k, x in options.items() if k == "stat_length"}
    np.pad(np.broadcast_to(np.int8(0), array.shape), widths or 0, mode, **known)
    ends = _pairs(options.get("stat_length"), array.ndim) if mode in _STATISTICS else fill
    for axis, (before, after) in enumerate(widths):
        if before or after:
            parts = _sides(array, axis, before, after, mode, ends)
            array = np.concatenate((parts[0], array, parts[1]), axis)
    return array


def _pairs(widths: Any, ndim: int) -> tuple[tuple[Any, Any], ...]:
    """Numbers for both ends of each axis, in any of the forms that `np.pad` takes."""
    if isinstance(widths, dict):
        given = {axis % ndim: widths[axis] for axis in widths}
        return tuple(tuple(np.broadcast_to(given.get(k, 0), 2).tolist()) for k in range(ndim))
    return tuple(map(tuple, np.broadcast_to(np.asarray(widths), (ndim, 2)).tolist()))


def _sides(array: Any, axis: int, before: int, after: int, mode: str, ends: Any) -> tuple[Any, Any]:
    """What is put before and after an array along an axis."""
    n = array.shape[axis]
    if mode in _STATISTICS:
        low, high = (n if x is None else min(x, n) for x in ends[axis])
        first = _statistic(array, axis, 0, low, mode)
        last = first if low == high == n else _statistic(array, axis, n - high, n, mode)
        low, high = first, last
    else:
        ends = ends if ends.ndim == 0 else np.broadcast_to(ends, (array.ndim, 2))[axis]
        low, high = (ends, ends) if ends.ndim == 0 else (ends[0], ends[1])
        if mode == "linear_ramp":
            low = _ramp(low, _slice(array, axis, 0, 1), axis, np.arange(before))
            high = _ramp(high, _slice(array, axis, n - 1, n), axis, np.arange(after)[::-1])
    shapes = [(*array.shape[:axis], k, *array.shape[axis + 1 :]) for k in (before, after)]
    return tuple(
        cast(np.broadcast_to(x, shape), array.dtype)
        for x, shape in zip((low, high), shapes, strict=True)
    )


def _slice(array: Any, axis: int, begin: int, end: int) -> Any:
    return array[(slice(None),) * axis + (slice(begin, end),)]


def _statistic(array: Any, axis: int, begin: int, end: int, mode: str) -> Any:
    return _STATISTICS[mode](_slice(array, axis, begin, end), axis=axis, keepdims=True)


def _ramp(value: Any, edge: Any, axis: int, steps: np.ndarray) -> Any:
    """Values from `value`, outermost, to the edge, which is not among them, as np.linspace's."""
    width = steps.size
    if width == 0:
        return value
    steps = steps.astype(float).reshape((-1,) + (1,) * (edge.ndim - 1 - axis))
    delta = edge - np.float64(1.0) * value
    step = delta / width
    rise = steps / width * delta if np.any(step == 0) else steps * step
    return rise + value


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
    return into(out, result)


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    dtype = np.result_type(*map(_weak, choicelist), _weak(default))
    result = np.asarray(default, dtype) if type(default) in _WEAK else default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        condition = np.asarray(condition)
        if condition.dtype != bool:
            raise TypeError("invalid entry in condlist: should be boolean ndarray")
        choice = np.asarray(choice, dtype) if type(choice) in _WEAK else choice
        result = np.where(condition, choice, result)
    return result


_WEAK = (int, float, complex)


def _weak(x: Any) -> Any:
    """A choice as it counts for the dtype of the result: plain numbers of Python give way."""
    return x if type(x) in _WEAK else arrayed(x)


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


RULES = (
    Rule(
        np.concatenate,
        "*arrays; axis=0, *, dtype=None, casting='same_kind'",
        _concatenate_back,
        _concatenate_tangent,
        out=True,
    ),
    Rule(
        np.stack,
        "*arrays; axis=0, *, dtype=None, casting='same_kind'",
        _stack_back,
        _stack_tangent,
        out=True,
    ),
    Rule(_padded, "array; widths, mode, options", _padded_back, _padded_tangent),
)

COMPOSED = {
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.dstack: _dstack,
    np.column_stack: _column_stack,
    np.append: _append,
    np.block: _block,
    np.insert: _insert,
    np.delete: _delete,
    np.trim_zeros: _trim_zeros,
    np.pad: _pad,
    np.choose: _choose,
    np.select: _select,
    np.piecewise: _piecewise,
}
