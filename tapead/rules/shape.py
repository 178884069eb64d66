"""Shapes and the order of elements: views, repetition, insertion, diagonals, broadcasting."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .indexing import arrayed, cast, gathered, numbered, rearranging, scattered, unindexed
from .table import Rule, primitive, unbroadcast

# What NumPy gives several arrays in: a tuple since 2.0, a list before.
_several = type(np.meshgrid(0.0, 0.0))


def _existing(*names: str) -> tuple[Callable, ...]:
    """Those of NumPy's functions that this version of it has."""
    return tuple(getattr(np, name) for name in names if hasattr(np, name))


# -------------------------------------------------------------------- moving and repeating ---


def _summed(g: Any, axis: int) -> Any:
    """``np.sum(g, axis)``, which takes its time where axes are short."""
    n = g.shape[axis]
    if not 0 < n <= 8:
        return np.sum(g, axis=axis)
    return functools.reduce(operator.add, [g[(slice(None),) * axis + (k,)] for k in range(n)])


def _repeat_back(g: Any, v: Any, a: Any, repeats: Any, axis: int | None = None) -> Any:
    shape = (a.size,) if axis is None else a.shape
    axis = 0 if axis is None else axis % a.ndim
    repeats = np.asarray(repeats)
    if repeats.size == 1:
        split = (*shape[: axis + 1], repeats.item(), *shape[axis + 1 :])
        return np.reshape(_summed(np.reshape(g, split), axis + 1), a.shape)
    index = np.repeat(np.arange(shape[axis]), repeats)
    return np.reshape(unindexed(g, (slice(None),) * axis + (index,), shape), a.shape)


def _tile_back(g: Any, v: Any, a: Any, reps: Any) -> Any:
    reps = tuple(reps) if np.ndim(reps) else (reps,)
    ndim = max(len(reps), a.ndim)
    reps = (1,) * (ndim - len(reps)) + reps
    shape = (1,) * (ndim - a.ndim) + a.shape
    g = np.reshape(g, [n for pair in zip(reps, shape, strict=True) for n in pair])
    for axis in range(2 * ndim - 2, -1, -2):
        g = _summed(g, axis)
    return np.reshape(g, a.shape)


def _astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return x if not copy and x.dtype == dtype else cast(x, dtype)


# --------------------------------------------------------------- putting in, taking out ---


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = arrayed(arr), arrayed(values)
    # NumPy's own function says which element goes where.
    numbers = np.insert(numbered(arr.shape), _plain(obj), arr.size + numbered(values.shape), axis)
    both = np.concatenate((np.ravel(arr), np.ravel(cast(values, arr.dtype))))
    return gathered(both, numbers - 1)


def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = arrayed(arr)
    n = arr.size if axis is None else arr.shape[axis]
    return np.take(arr, np.delete(np.arange(n), _plain(obj)), axis)


def _plain(obj: Any) -> Any:
    """Which elements are meant; arrays of ours would make NumPy ask us again."""
    return np.asarray(obj) if isinstance(obj, np.ndarray) else obj


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


# ------------------------------------------------------------- triangles and diagonals ---


@primitive
def _on_diagonal(v: Any, k: int = 0) -> Any:
    return np.diag(v, k)


def _diag(v: Any, k: int = 0) -> Any:
    v = arrayed(v)
    return np.diagonal(v, k) if v.ndim == 2 else _on_diagonal(v, k)


def _trace_back(
    g: Any, v: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None
) -> Any:
    numbers = np.diagonal(numbered(a.shape), offset, axis1, axis2)
    spread = np.broadcast_to(np.expand_dims(g, -1), numbers.shape)
    return scattered(spread, numbers - 1, a.shape, unique=True)


# ------------------------------------------------------------------------- broadcasting ---


@primitive
def _spread(array: Any, shape: Any) -> Any:
    # A copy: elements of an adjoint cannot share memory as those of NumPy's view do.
    return np.array(np.broadcast_to(array, shape), order="C")


def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return _spread(arrayed(array), shape)


def _broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    arrays = [arrayed(x) for x in args]
    shape = np.broadcast_shapes(*[x.shape for x in arrays])
    return _several([x if x.shape == shape else np.broadcast_to(x, shape) for x in arrays])


def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    axes = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else [*range(n)]
    grids = [
        np.reshape(arrayed(x), [-1 if k == axis else 1 for k in range(n)])
        for x, axis in zip(xi, axes, strict=True)
    ]
    if not sparse:
        grids = np.broadcast_arrays(*grids)
    elif not copy:
        return grids
    return _several([np.copy(x) for x in grids]) if copy else grids


def _ix(*args: Any) -> Any:
    arrays = [arrayed(x) for x in args]
    if any(x.dtype.kind in "fc" for x in arrays):
        raise UnsupportedError("np.ix_ of tracked numbers: an index is made of integers.")
    n = len(arrays)
    return tuple(
        np.reshape(x, [-1 if k == axis else 1 for k in range(n)]) for axis, x in enumerate(arrays)
    )


# ------------------------------------------------------------------- at least so many axes ---


def _at_least(axes: Callable) -> Callable:
    """`np.atleast_1d` and the like; `axes` gives the new shape for a short one."""

    def call(*arys: Any) -> Any:
        arrays = [arrayed(x) for x in arys]
        shaped = [x if axes(x.shape) == x.shape else np.reshape(x, axes(x.shape)) for x in arrays]
        return shaped[0] if len(shaped) == 1 else _several(shaped)

    return call


def _three(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of `np.atleast_3d`: vectors lie along the second axis."""
    return ((1, 1, 1), (1, *shape, 1), (*shape, 1))[len(shape)] if len(shape) < 3 else shape


# ----------------------------------------------------------- functions of the user's on slices ---


def _apply_along_axis(func1d: Callable, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    view = np.moveaxis(arrayed(arr), axis, -1)
    lead = view.shape[:-1]
    if 0 in lead:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = [arrayed(func1d(view[(*i, ...)], *args, **kwargs)) for i in np.ndindex(lead)]
    # NumPy writes them all into an array of the first one's dtype.
    kind = results[0].dtype
    rows = np.stack([x if x.dtype == kind else cast(x, kind) for x in results])
    inner = rows.shape[1:]
    at = axis % view.ndim
    n, m = len(lead), len(inner)
    order = (*range(at), *range(n, n + m), *range(at, n))
    return np.transpose(np.reshape(rows, lead + inner), order)


def _apply_over_axes(func: Callable, a: Any, axes: Any) -> Any:
    value = arrayed(a)
    n = value.ndim
    for axis in np.atleast_1d(axes).tolist():
        axis = axis + n if axis < 0 else axis
        result = func(value, axis)
        if np.ndim(result) != value.ndim:
            result = np.expand_dims(result, axis)
            if result.ndim != value.ndim:
                raise ValueError("function is not returning an array of the correct shape")
        value = result
    return value


# --------------------------------------------------------------------------------- the tables ---


@primitive
def _windows(x: Any, window_shape: Any, axis: Any = None) -> Any:
    # A copy, as for np.broadcast_to.
    return np.lib.stride_tricks.sliding_window_view(x, window_shape, axis).copy()


def _sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    if writeable:
        raise UnsupportedError("sliding_window_view(writeable=True) of a tracked array.")
    return _windows(x, window_shape, axis)


# Arrays of shifts and counts are operands, so that what is kept of them is safe from being written
# into.
RULES = (
    Rule(
        np.roll,
        "a, shift; axis=None",
        (lambda g, v, a, shift, axis=None: np.roll(g, np.negative(shift), axis), None),
        needs=("1", ""),
    ),
    Rule(np.repeat, "a, repeats; axis=None", (_repeat_back, None), needs=("1", "")),
    Rule(np.tile, "A, reps", (_tile_back, None), needs=("1", "")),
    rearranging(np.resize, "a; new_shape"),
    Rule(np.tril, "m; k=0", lambda g, v, m, k=0: unbroadcast(np.tril(g, k), m)),
    Rule(np.triu, "m; k=0", lambda g, v, m, k=0: unbroadcast(np.triu(g, k), m)),
    Rule(_on_diagonal, "v; k=0", lambda g, v, x, k=0: np.diagonal(g, k)),
    Rule(
        np.diagflat,
        "v; k=0",
        lambda g, v, x, k=0: np.reshape(np.diagonal(g, k), x.shape),
    ),
    Rule(np.trace, "a; offset=0, axis1=0, axis2=1, dtype=None", _trace_back, out=True),
    Rule(_spread, "array; shape", lambda g, v, array, shape: unbroadcast(g, array)),
    rearranging(_windows, "x; window_shape, axis=None"),
)

COMPOSED = {
    np.insert: _insert,
    np.delete: _delete,
    np.trim_zeros: _trim_zeros,
    np.diag: _diag,
    np.broadcast_to: _broadcast_to,
    np.broadcast_arrays: _broadcast_arrays,
    np.meshgrid: _meshgrid,
    np.ix_: _ix,
    np.atleast_1d: _at_least(lambda shape: shape or (1,)),
    np.atleast_2d: _at_least(lambda shape: (1,) * (2 - len(shape)) + shape),
    np.atleast_3d: _at_least(_three),
    np.apply_along_axis: _apply_along_axis,
    np.apply_over_axes: _apply_over_axes,
    np.lib.stride_tricks.sliding_window_view: _sliding_window_view,
    **dict.fromkeys(_existing("astype"), _astype),
}

VIEWS = tuple(
    dict.fromkeys(
        _existing(
            "reshape",
            "ravel",
            "transpose",
            "permute_dims",
            "matrix_transpose",
            "swapaxes",
            "moveaxis",
            "rollaxis",
            "expand_dims",
            "squeeze",
            "flip",
            "fliplr",
            "flipud",
            "rot90",
            "diagonal",
            "split",
            "array_split",
            "hsplit",
            "vsplit",
            "dsplit",
            "unstack",
        )
    )
)

DECISIONS = _existing(
    "ndim",
    "shape",
    "size",
    "iscomplexobj",
    "isrealobj",
    "result_type",
    "can_cast",
    "min_scalar_type",
    "common_type",
    "may_share_memory",
    "shares_memory",
)
