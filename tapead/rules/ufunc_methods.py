"""Methods of ufuncs: `reduce`, `accumulate`, `reduceat` and `outer`, by NumPy's functions.

METHODS holds, under a ufunc and a method's name, functions with the method's signature; and, under
the name alone, functions for all other ufuncs, which get the ufunc first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead.errors import UnsupportedError, located

from . import ufuncs
from .indexing import arrayed, unindexed
from .reductions import axes_of, into, unreduced
from .table import Rule, as_array, primitive

_NONE = np._NoValue


@primitive
def decided(x: Any, ufunc: np.ufunc, method: str, **options: Any) -> Any:
    """The method of a ufunc whose results have derivative 0."""
    return getattr(ufunc, method)(x, **options)


def _constant(ufunc: np.ufunc) -> bool:
    return ufunc in ufuncs.DECISIONS


def _chosen(**options: Any) -> dict:
    """The options that somebody gave."""
    return {name: x for name, x in options.items() if x is not _NONE and x is not None}


def _cast(array: Any, dtype: Any) -> Any:
    array = as_array(array)
    return array if dtype is None else array.astype(dtype)


# ---------------------------------------------------------------------------------- reduce ---


def _sums(function: Callable) -> Callable:
    """`reduce` by np.sum or np.prod."""

    def reduce(
        array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
        initial: Any = _NONE, where: Any = True,
    ) -> Any:  # fmt: skip
        options = _chosen(dtype=dtype, initial=initial)
        if where is not True:
            options["where"] = where
        return into(out, function(as_array(array), axis=axis, keepdims=keepdims, **options))

    return reduce


def _extrema(function: Callable) -> Callable:
    """`reduce` by np.max or np.min."""
    by_function = _sums(function)

    def reduce(array: Any, axis: Any = 0, dtype: Any = None, *args: Any, **options: Any) -> Any:
        return by_function(_cast(array, dtype), axis, None, *args, **options)

    return reduce


def _extrema_but_nan(function: Callable, worst: float) -> Callable:
    """`reduce` of fmax and fmin; np.nanmax would warn where all are nan."""
    by_function = _extrema(function)

    def reduce(array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, *args: Any,
               **options: Any) -> Any:  # fmt: skip
        array = _cast(array, dtype)
        missing = np.isnan(array)
        result = by_function(np.where(missing, worst, array), axis, None, None, *args, **options)
        none_left = _extrema(np.min)(missing, axis, None, None, *args, **_masked(options))
        found = np.where(none_left, np.nan, result)
        return into(out, found if found.ndim else found[()])

    return reduce


def _masked(options: dict) -> dict:
    """Options for the reduction of a mask that tells where numbers are missing."""
    if "initial" in options:
        return {**options, "initial": bool(np.isnan(options["initial"]))}
    return options


@primitive
def log_total(a: Any, ufunc: np.ufunc, axis: Any, keepdims: bool) -> Any:
    """np.logaddexp.reduce, or np.logaddexp2.reduce."""
    return ufunc.reduce(a, axis=axis, keepdims=keepdims)


_EXPONENTIALS = {np.logaddexp: np.exp, np.logaddexp2: np.exp2}


def _weights(v: Any, a: Any, ufunc: np.ufunc, axis: Any, keepdims: bool) -> Any:
    """Softmax; shared by the infinite ones alone where there are such."""
    v = unreduced(v, a, axis, keepdims)
    e = _EXPONENTIALS[ufunc](np.where((a == v) & np.isinf(a), 0.0, a - v))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_total_back(g, v, a, ufunc, axis, keepdims):
    return unreduced(g, a, axis, keepdims) * _weights(v, a, ufunc, axis, keepdims)


def _log_total_along(t, v, a, ufunc, axis, keepdims):
    return np.sum(t * _weights(v, a, ufunc, axis, keepdims), axis=axis, keepdims=keepdims)


def _log_sums(ufunc: np.ufunc) -> Callable:
    """`reduce` of logaddexp and logaddexp2."""

    def reduce(
        array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
        initial: Any = _NONE, where: Any = True,
    ) -> Any:  # fmt: skip
        array = _cast(array, dtype)
        if where is not True:
            array = np.where(where, array, np.asarray(-np.inf, array.dtype))
        if initial is not _NONE and initial is not None:
            return _folded(ufunc, array, axis, None, out, keepdims, initial)
        return into(out, log_total(array, ufunc, axis, keepdims))

    return reduce


def _folded(
    ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
    keepdims: bool = False, initial: Any = _NONE, where: Any = True,
) -> Any:  # fmt: skip
    """`reduce` of any ufunc: one operation for each position along the axis."""
    if _constant(ufunc):
        options = _chosen(dtype=dtype, initial=initial)
        result = decided(
            array, ufunc, "reduce", axis=axis, keepdims=keepdims, where=where, **options
        )
        return into(out, result)
    if where is not True:
        raise located(
            UnsupportedError,
            f"np.{ufunc.__name__}.reduce with where= has no derivative.",
            "Put what changes nothing, by np.where, in the place of what is left out.",
        )
    x = _cast(array, dtype)
    ufunc.reduce(np.zeros((1,) * x.ndim), axis=axis)  # raises what NumPy raises
    axes = axes_of(axis, x.ndim)
    rest = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    steps = list(np.reshape(np.moveaxis(x, axes, range(len(axes))), (-1, *rest))) if x.size else []
    if initial is not _NONE and initial is not None:
        steps.insert(0, initial)
    if not steps:
        empty = np.zeros(x.shape, x.dtype)
        return into(out, ufunc.reduce(empty, axis=axis, keepdims=keepdims))
    result = functools.reduce(ufunc, steps) if len(steps) > 1 else np.positive(steps[0])
    if keepdims:
        shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
        result = np.reshape(result, shape)
    return into(out, result)


# ------------------------------------------------------------------------------ accumulate ---


def _running(function: Callable) -> Callable:
    """`accumulate` by np.cumsum or np.cumprod."""

    def accumulate(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        return into(out, function(as_array(array), axis=axis, dtype=dtype))

    return accumulate


@primitive
def leaders(x: Any, ufunc: np.ufunc, axis: int) -> np.ndarray:
    """Where the running maximum, or minimum, is found: the first of equal ones."""
    x = np.moveaxis(np.asarray(x), axis, -1)
    best = ufunc.accumulate(x, axis=-1)
    index = np.zeros(x.shape, np.intp)
    before, after = best[..., :-1], best[..., 1:]
    new = (before != after) & ~np.isnan(before)
    index[..., 1:] = np.where(new, np.arange(1, max(x.shape[-1], 1)), 0)
    return np.moveaxis(np.maximum.accumulate(index, axis=-1), -1, axis)


def _running_extrema(ufunc: np.ufunc) -> Callable:
    """`accumulate` of maximum and minimum."""

    def accumulate(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        array = _cast(array, dtype)
        return into(out, np.take_along_axis(array, leaders(array, ufunc, axis), axis))

    return accumulate


def _accumulated(
    ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Any:
    """`accumulate` of any ufunc: one operation for each position along the axis."""
    if _constant(ufunc):
        options = _chosen(dtype=dtype)
        return into(out, decided(array, ufunc, "accumulate", axis=axis, **options))
    x = _cast(array, dtype)
    if x.size == 0:
        return into(out, np.positive(x))
    steps = np.moveaxis(x, axis, 0)
    rows = [steps[0]]
    for k in range(1, x.shape[axis]):
        rows.append(ufunc(rows[-1], steps[k]))
    return into(out, np.stack(rows, axis))


# -------------------------------------------------------------------------------- reduceat ---


def _segments(indices: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the segments of `reduceat` begin and end."""
    begins = np.asarray(indices)
    ends = np.append(begins[1:], n)
    return begins, np.where(begins < ends, ends, begins + 1)


@primitive
def segment_sums(a: Any, indices: Any, axis: int, dtype: Any) -> Any:
    """np.add.reduceat."""
    return np.add.reduceat(a, indices, axis=axis, dtype=dtype)


def _segment_sums_back(g, v, a, indices, axis, dtype):
    axis %= a.ndim
    begins, ends = _segments(indices, a.shape[axis])
    lengths = ends - begins
    spread = np.repeat(g, lengths, axis=axis)
    if begins.size and begins[0] == 0 and np.array_equal(begins[1:], ends[:-1]):
        return spread
    # The positions of all segments, one after the other.
    positions = np.arange(lengths.sum()) + np.repeat(begins - np.cumsum(lengths) + lengths, lengths)
    return unindexed(spread, (slice(None),) * axis + (positions,), a.shape)


def _add_reduceat(
    array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Any:
    return into(out, segment_sums(as_array(array), np.array(indices), axis, dtype))


def _reduced_at(
    ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Any:
    """`reduceat` of any ufunc: one reduction for each segment."""
    if _constant(ufunc):
        options = _chosen(dtype=dtype)
        return into(out, decided(array, ufunc, "reduceat", indices=indices, axis=axis, **options))
    x = _cast(array, dtype)
    axis %= x.ndim
    ufunc.reduceat(np.zeros(x.shape[axis]), indices)  # raises what NumPy raises
    before = (slice(None),) * axis
    parts = [
        ufunc.reduce(x[(*before, slice(begin, end))], axis=axis)
        for begin, end in zip(*_segments(indices, x.shape[axis]), strict=True)
    ]
    if parts:
        return into(out, np.stack(parts, axis))
    return into(out, np.zeros((*x.shape[:axis], 0, *x.shape[axis + 1 :]), x.dtype))


# ----------------------------------------------------------------------------------- outer ---


def _outer(ufunc: np.ufunc, a: Any, b: Any, **options: Any) -> Any:
    a, b = arrayed(a), arrayed(b)
    return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **options)


RULES = (
    Rule(
        log_total,
        "a; ufunc, axis, keepdims",
        _log_total_back,
        _log_total_along,
        needs="0v",
    ),
    Rule(segment_sums, "a; indices, axis, dtype", _segment_sums_back),
)

DECISIONS = (decided, leaders)

METHODS: dict[Any, Callable] = {
    (np.add, "reduce"): _sums(np.sum),
    (np.multiply, "reduce"): _sums(np.prod),
    (np.maximum, "reduce"): _extrema(np.max),
    (np.minimum, "reduce"): _extrema(np.min),
    (np.fmax, "reduce"): _extrema_but_nan(np.max, -np.inf),
    (np.fmin, "reduce"): _extrema_but_nan(np.min, np.inf),
    (np.logaddexp, "reduce"): _log_sums(np.logaddexp),
    (np.logaddexp2, "reduce"): _log_sums(np.logaddexp2),
    (np.add, "accumulate"): _running(np.cumsum),
    (np.multiply, "accumulate"): _running(np.cumprod),
    (np.maximum, "accumulate"): _running_extrema(np.maximum),
    (np.minimum, "accumulate"): _running_extrema(np.minimum),
    (np.add, "reduceat"): _add_reduceat,
    "reduce": _folded,
    "accumulate": _accumulated,
    "reduceat": _reduced_at,
    "outer": _outer,
}
