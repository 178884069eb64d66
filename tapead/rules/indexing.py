"""Picking elements by position, and putting them back: the primitives, and NumPy's functions.

`gathered` and `scattered` work on flat positions, `indexed` and `unindexed` on anything that
NumPy takes as an index.  In each pair one is the other's transpose, so that either has derivatives
of all orders.  `rearranging` makes the rule of any function that only moves elements about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .table import LINEAR, Rule, as_array, primitive, unbroadcast

# Below this share of the array, what costs time for each of its elements is avoided.
_FEW = 1 / 64


# ------------------------------------------------------------------------- by flat positions ---


@primitive
def gathered(x: Any, index: Any, unique: bool = False) -> Any:
    """The elements of x, counted in C order, at the positions `index`, in the shape of `index`.

    `unique` promises that no position is there twice, which makes the adjoint cheaper.
    """
    return np.take(x, index)


@primitive
def scattered(g: Any, index: Any, shape: tuple[int, ...], unique: bool = False) -> Any:
    """Zeros of that shape with g added at the flat positions `index`; repeated ones add up."""
    out = np.zeros(shape, g.dtype)
    flat = out.reshape(-1)
    if unique:
        flat[index] = g
    else:
        # np.add.at has a fast loop where all is one-dimensional; np.bincount is no faster and
        # would go through float64.
        np.add.at(flat, np.ravel(index), np.ravel(g))
    return out


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    """The flat positions of an array's elements, counted from 1: 0 is left for what is not one."""
    return np.arange(1, math.prod(shape) + 1).reshape(shape)


def sent_back(g: Any, numbers: np.ndarray, shape: tuple[int, ...], unique: bool = False) -> Any:
    """The adjoint of an array of that shape whose elements went where `numbers` says."""
    if not np.all(numbers):
        kept = np.flatnonzero(numbers)
        g, numbers = gathered(g, kept, unique=True), np.ravel(numbers)[kept]
    return scattered(g, numbers - 1, shape, unique)


def rearranging(
    function: Callable, signature: str, unique: bool = False, tangents: Any = LINEAR
) -> Rule:
    """The rule of a function of one array that only moves, repeats or drops its elements.

    Where each element comes from is found by moving their numbers about.  What is filled in must
    be 0: numbers count from 1, so that it is the number of no element.  `unique` promises that the
    function repeats none.
    """

    def adjoint(g: Any, v: Any, x: Any, **options: Any) -> Any:
        return sent_back(g, function(numbered(x.shape), **options), x.shape, unique)

    return Rule(function, signature, adjoint, tangents)


# ------------------------------------------------------------------------ by NumPy's indices ---


@primitive
def indexed(x: Any, index: Any) -> Any:
    """A copy of x[index]."""
    result = x[index]
    # An index with arrays of no dimensions is one of whole numbers, and gives a view.
    return result.copy() if np.may_share_memory(result, x) else result


@primitive
def unindexed(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of that shape with g added at [index]; repeated positions add up."""
    out = np.zeros(shape, g.dtype)
    if _is_row(index, out):
        np.add.at(out, index, g)
    elif repeats(index, shape, g.size):
        _add_repeated(out, index, g)
    else:
        out[index] = g
    return out


def add_at(out: np.ndarray, index: Any, g: Any) -> None:
    """``out[index] += g`` in place, where unlike there repeated positions add up.

    g has the shape of out[index].
    """
    if _is_row(index, out):
        np.add.at(out, index, g)
    elif repeats(index, out.shape, g.size):
        _add_repeated(out, index, g)
    else:
        out[index] += g


def _is_row(index: Any, out: np.ndarray) -> bool:
    # One-dimensional in all respects: np.add.at is as fast as finding out whether it is needed.
    return isinstance(index, np.ndarray) and index.ndim == 1 == out.ndim and index.dtype == np.intp


def _add_repeated(out: np.ndarray, index: Any, g: Any) -> None:
    if g.size < out.size * _FEW or not out.flags.c_contiguous:
        np.add.at(out, index, g)
        return
    flat = out.reshape(-1)
    positions = np.arange(flat.size).reshape(out.shape)[index]
    np.add.at(flat, positions.reshape(-1), g.reshape(-1))


def repeats(index: Any, shape: tuple[int, ...], size: int) -> bool:
    """Whether x[index], which has `size` elements, holds one of them twice."""
    parts = _parts(index)
    if size < 2 or not _may_repeat(parts):
        return False
    narrow, axes, copies = _narrowed(parts, shape)
    if size < copies * math.prod(axes) * _FEW:
        return not _surviving(narrow, axes).all()
    seen = np.zeros(axes, bool)
    seen[narrow] = True
    return np.count_nonzero(seen) * copies < size


def last_written(index: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Which elements of `values` are still there after ``x[index] = values``, x of that shape.

    A Boolean array of the shape of x[index], or None where all are, because no position is there
    twice.  NumPy promises no order of writing; it is found by having it write into an array of
    numbers.  Index arrays in C order are followed in that order, whatever `values` look like; for
    others the answer holds for `values` in C order and of the full shape.
    """
    if not _may_repeat(_parts(index)):
        return None
    kept = _surviving(index, shape)
    return None if kept.all() else kept


def _surviving(index: Any, shape: tuple[int, ...]) -> np.ndarray:
    # Not initialized: what is read of it has been written, so the time is that of the writing.
    found = np.empty(shape, np.intp)
    picked = found[index]
    stamps = np.arange(picked.size).reshape(picked.shape)
    found[index] = stamps
    return found[index] == stamps


def _parts(index: Any) -> list[Any]:
    """The parts of an index, with arrays in place of lists and numbers."""
    parts = []
    for p in index if isinstance(index, tuple) else (index,):
        if not (p is None or p is Ellipsis or isinstance(p, (slice, np.ndarray))):
            a = np.asarray(p)
            p = a if a.size else a.astype(np.intp)  # an empty list would be of floats
        parts.append(p)
    return parts


def _is_mask(p: Any) -> bool:
    return isinstance(p, np.ndarray) and p.dtype == bool


def _may_repeat(parts: list[Any]) -> bool:
    """Masks, slices and whole numbers never pick an element twice."""
    return any(isinstance(p, np.ndarray) and p.ndim and p.dtype != bool for p in parts)


def _narrowed(
    parts: list[Any], shape: tuple[int, ...]
) -> tuple[tuple[Any, ...], tuple[int, ...], int]:
    """The index for an array that is but 1 long where the whole one is sliced.

    Slices never pick an element twice, so that the rest of the index tells whether it does.
    Returns the index, that array's shape, and how many elements of the whole stand for one.
    """
    dots = next((k for k, p in enumerate(parts) if p is Ellipsis), len(parts))
    before, after = parts[:dots], parts[dots + 1 :]
    missing = len(shape) - sum(map(_width, before)) - sum(map(_width, after))
    narrow, axes, copies, axis = [], [], 1, 0
    for p in before + [slice(None)] * missing + after:
        width = _width(p)
        if isinstance(p, slice):
            copies *= len(range(*p.indices(shape[axis])))
            p = slice(None)
            axes.append(1)
        else:
            axes.extend(shape[axis : axis + width])
        narrow.append(p)
        axis += width
    return tuple(narrow), tuple(axes), copies


def _width(p: Any) -> int:
    """How many axes a part of an index uses up."""
    return 0 if p is None else p.ndim if _is_mask(p) else 1


# --------------------------------------------------------------------------- another dtype ---


@primitive
def _cast(x: Any, dtype: np.dtype) -> Any:
    return np.array(x, dtype)


@primitive
def _truncated(x: Any, dtype: np.dtype) -> Any:
    return np.asarray(x).astype(dtype)


def cast(x: Any, dtype: Any) -> Any:
    """``x.astype(dtype)``: what becomes an integer has no derivative."""
    dtype = np.dtype(dtype)
    return _cast(x, dtype) if dtype.kind in "fc" else _truncated(x, dtype)


def arrayed(x: Any) -> Any:
    """An operand of a composed function as an array, a number too."""
    x = as_array(x)
    return x if isinstance(x, np.ndarray) else np.reshape(x, ())


# ------------------------------------------------------------------------- NumPy's functions ---


def _take_back(
    g: Any, v: Any, a: Any, indices: Any, axis: int | None = None, mode: str = "raise"
) -> Any:
    n = a.size if axis is None else a.shape[axis]
    indices = np.asarray(indices)
    if mode == "wrap":
        indices = indices % n
    elif mode == "clip":
        indices = np.clip(indices, 0, n - 1)
    if axis is None:
        return scattered(g, indices, a.shape)
    return unindexed(g, (slice(None),) * (axis % a.ndim) + (indices,), a.shape)


def _along_back(g: Any, v: Any, arr: Any, indices: Any, axis: int | None = -1) -> Any:
    positions = np.take_along_axis(
        np.arange(arr.size).reshape(arr.shape), np.asarray(indices), axis
    )
    return scattered(g, positions, arr.shape)


def _compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    return np.take(arrayed(a), np.flatnonzero(condition), axis=axis, out=out)


def _extract(condition: Any, arr: Any) -> Any:
    return np.take(arrayed(arr), np.flatnonzero(condition))


@primitive
def chosen(condition: Any, x: Any, y: Any) -> Any:
    """``np.where(condition, x, y)``."""
    return np.where(condition, x, y)


def _masked(first: bool, g: Any, condition: Any) -> Any:
    zero = np.zeros((), g.dtype)
    return chosen(condition, g, zero) if first else chosen(condition, zero, g)


def _where_adjoint(first: bool) -> Callable:
    def adjoint(g: Any, v: Any, condition: Any, x: Any, y: Any) -> Any:
        return unbroadcast(_masked(first, g, condition), x if first else y)

    return adjoint


def _where_tangent(first: bool) -> Callable:
    def tangent(t: Any, v: Any, condition: Any, x: Any, y: Any) -> Any:
        t = _masked(first, t, condition)
        return t if t.shape == v.shape else np.broadcast_to(t, v.shape)

    return tangent


def _by_condition(g: Any, v: Any, condition: Any, x: Any, y: Any) -> Any:
    return np.zeros(condition.shape)


def _by_condition_forward(t: Any, v: Any, condition: Any, x: Any, y: Any) -> Any:
    return np.zeros(v.shape, v.dtype)


def _where(condition: Any, *branches: Any) -> Any:
    return chosen(condition, *branches) if branches else np.nonzero(condition)


def into(out: Any, result: Any) -> Any:
    """The result of a composed function that may have been given an array for it."""
    if out is None:
        return result
    out[...] = result
    return out


RULES = (
    Rule(
        gathered,
        "x; index, unique=False",
        lambda g, v, x, index, unique=False: scattered(g, index, x.shape, unique),
    ),
    Rule(
        scattered,
        "g; index, shape, unique=False",
        lambda g, v, x, index, shape, unique=False: gathered(g, index, unique),
    ),
    Rule(indexed, "x; index", lambda g, v, x, index: unindexed(g, index, x.shape), gathers=True),
    Rule(unindexed, "g; index, shape", lambda g, v, x, index, shape: indexed(g, index)),
    Rule(_cast, "x; dtype", lambda g, v, x, dtype: g),
    # Index arrays are operands, so that what is kept of them is safe from being written into.
    Rule(
        np.take,
        "a, indices; axis=None, mode='raise'",
        (_take_back, None),
        needs=("1", ""),
        out=True,
    ),
    Rule(np.take_along_axis, "arr, indices; axis=-1", (_along_back, None), needs=("1", "")),
    Rule(
        chosen,
        "condition, x, y",
        (_by_condition, _where_adjoint(True), _where_adjoint(False)),
        (_by_condition_forward, _where_tangent(True), _where_tangent(False)),
        needs=("", "0", "0"),
    ),
)

COMPOSED = {
    np.where: _where,
    np.compress: _compress,
    np.extract: _extract,
}

VIEWS = ()

DECISIONS = (
    _truncated,
    np.nonzero,
    np.argwhere,
    np.flatnonzero,
    np.unravel_index,
    np.ravel_multi_index,
    np.tril_indices_from,
    np.triu_indices_from,
    np.diag_indices_from,
)
