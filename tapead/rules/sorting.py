"""Order: sorting, selecting, distinct values; and counting by order: bins and histograms.

A sorted array is a permutation of the array, and takes its derivative along.  Of equal elements
any may come first; the permutation is the one that `np.argsort` gives for the same `kind`.
Counts are whole numbers; sums of weights by bins are linear in the weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .indexing import arrayed, gathered, scattered
from .reductions import unsupported
from .table import Rule, primitive

# --------------------------------------------------------------------------------- sorting ---


def _flat(places: np.ndarray, axis: int | None, shape: tuple[int, ...]) -> np.ndarray:
    """Places along an axis as places in the flat array."""
    if axis is None or len(shape) == 1:
        return places
    return np.take_along_axis(np.arange(math.prod(shape)).reshape(shape), places, axis)


def _sorted_places(a, axis=-1, **how):
    # `order` is about fields, which tracked arrays have none of.
    how = {k: x for k, x in how.items() if x is not None}
    return _flat(np.argsort(a, axis=axis, **how), axis, a.shape)


def _sort_adjoint(g, v, a, **options):
    return scattered(g, _sorted_places(a, **options), a.shape, unique=True)


def _sort_tangent(t, v, a, **options):
    return gathered(t, _sorted_places(a, **options), unique=True)


def _matched_places(a: Any, v: Any, axis: int | None) -> np.ndarray:
    """Where in a the elements of v were, which has the same ones in another order.

    Nothing is promised of the order that np.partition leaves on either side of `kth`, not even
    that np.argpartition leaves the same; so that the order is read off the result.
    """
    from_a, from_v = np.argsort(a, axis=axis), np.argsort(v, axis=-1 if axis is None else axis)
    places = np.empty(from_v.shape, np.intp)
    np.put_along_axis(places, from_v, from_a, -1 if axis is None else axis)
    return _flat(places, axis, a.shape)


def _partition_adjoint(g, v, a, kth, axis=-1, kind="introselect", order=None):
    return scattered(g, _matched_places(a, v, axis), a.shape, unique=True)


def _partition_tangent(t, v, a, kth, axis=-1, kind="introselect", order=None):
    return gathered(t, _matched_places(a, v, axis), unique=True)


def sort_complex(a):
    a = arrayed(a)
    if a.dtype.kind == "c":
        raise unsupported("np.sort_complex of a tracked array that is complex")
    kind = {"b": "F", "h": "F", "B": "F", "H": "F", "g": "G"}.get(a.dtype.char, "D")
    return np.sort(a).astype(kind)


# ------------------------------------------------------------------------- distinct values ---


def _all_of_unique(a, axis, equal_nan, sorted, also):
    # `sorted` is new in NumPy 2.3.
    new = {} if sorted else {"sorted": False}
    return np.unique(a, *also, axis=axis, equal_nan=equal_nan, **new)


@primitive
def distinct(
    a: Any,
    axis: Any = None,
    equal_nan: bool = True,
    sorted: bool = True,
    also: tuple = (False, False, False),
) -> Any:
    """The values of np.unique; what else is asked for decides how it finds them."""
    result = _all_of_unique(a, axis, equal_nan, sorted, also)
    return result[0] if any(also) else result


@primitive
def _unique_places(
    a: Any,
    axis: Any = None,
    equal_nan: bool = True,
    sorted: bool = True,
    also: tuple = (True, False, False),
) -> tuple:
    """The whole numbers among the results of np.unique."""
    return _all_of_unique(a, axis, equal_nan, sorted, also)[1:]


def _first_places(a: Any, v: Any, axis: Any, equal_nan: bool) -> np.ndarray:
    """The flat place in a of each distinct value's first occurrence, as `return_index` has it."""
    first = _unique_places(a, axis=axis, equal_nan=equal_nan)[0]
    if axis is not None and a.ndim > 1:
        return np.take(np.arange(a.size).reshape(a.shape), first, axis=axis)
    places = np.empty(len(first), np.intp)
    places[np.argsort(v)] = first  # v need not be sorted
    return places


def _unique_adjoint(g, v, a, axis=None, equal_nan=True, **others):
    return scattered(g, _first_places(a, v, axis, equal_nan), a.shape, unique=True)


def _unique_tangent(t, v, a, axis=None, equal_nan=True, **others):
    return gathered(t, _first_places(a, v, axis, equal_nan), unique=True)


def unique(
    ar,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    *,
    equal_nan=True,
    sorted=True,
):
    """The derivative goes to the first occurrence of each value, where `return_index` points."""
    a, also = arrayed(ar), (bool(return_index), bool(return_inverse), bool(return_counts))
    options = {"axis": axis, "equal_nan": equal_nan, "sorted": sorted, "also": also}
    values = distinct(a, **options)
    return (values, *_unique_places(a, **options)) if any(also) else values


# ------------------------------------------------------------------- counting and histograms ---


@primitive
def summed(weights: Any, x: Any = None, minlength: int = 0) -> Any:
    """np.bincount with weights."""
    return np.bincount(x, weights, minlength)


@primitive
def _counts(x: Any, minlength: int = 0) -> Any:
    """np.bincount without weights."""
    return np.bincount(x, minlength=minlength)


def bincount(x, /, weights=None, minlength=0):
    if weights is None:
        return _counts(arrayed(x), minlength=minlength)
    return summed(arrayed(weights), x=np.array(x), minlength=minlength)


@primitive
def _plain_edges(a: Any, bins: Any, range: Any) -> Any:
    """The edges of the bins, without derivative."""
    return np.histogram_bin_edges(a, bins, range)


@primitive
def edges_between(first: Any, last: Any, edges: Any = None) -> Any:
    """Equidistant edges, which are given, as a function of the two that they lie between."""
    return edges


def _share(edges):
    """How much of each edge is the last one's: the rest is the first one's."""
    return np.linspace(0, 1, len(edges), dtype=edges.dtype)


def histogram_bin_edges(a, bins=10, range=None, weights=None):
    """Edges that NumPy lays between the extrema of the data move with these."""
    a = arrayed(a)
    if arrayed(bins).ndim == 1:
        return arrayed(bins)
    edges = _plain_edges(a, bins, range)
    if range is None and a.size == 0:
        return edges
    first, last = (np.min(a), np.max(a)) if range is None else range
    return edges_between(first, last, edges=edges)


@primitive
def _histogram_counts(a: Any, bins: Any, range: Any) -> Any:
    return np.histogram(a, bins, range)[0]


@primitive
def histogram_sums(weights: Any, a: Any, bins: Any, range: Any = None) -> Any:
    """np.histogram with weights; its derivative by a and the bins is 0."""
    return np.histogram(a, bins, range, weights=weights)[0]


@primitive
def _bin_of(a: Any, bins: Any, range: Any) -> np.ndarray:
    """The bin that each element is counted in; the number of bins for those in none."""
    a, edges = np.asarray(a), np.histogram_bin_edges(a, bins, range)
    n = len(edges) - 1
    places = np.searchsorted(edges, a, "right") - 1
    places = np.where(a == edges[-1], n - 1, places)  # the last bin is closed
    return np.where((a >= edges[0]) & (a <= edges[-1]), places, n)


def _histogram_adjoint(g, v, weights, a, bins, range=None):
    none = np.zeros(1, weights.dtype)
    return gathered(np.concatenate([g, none]), _bin_of(a, bins, range))


def histogram(a, bins=10, range=None, density=None, weights=None):
    a = arrayed(a)
    bins = arrayed(bins) if isinstance(bins, (list, tuple)) else bins
    if weights is None:
        counts = _histogram_counts(a, bins, range)
    else:
        counts = histogram_sums(arrayed(weights), a, bins, range=range)
    edges = histogram_bin_edges(a, bins, range)
    if not density:
        return counts, edges
    widths = np.diff(edges)
    widths = widths if widths.dtype == float else widths.astype(float)
    return counts / widths / np.sum(counts), edges


_PARTITION = "a; kth, axis=-1, kind='introselect', order=None"
_SORT = "a; axis=-1, kind=None, order=None"
if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
    _SORT += ", *, stable=None"


def _nothing(like: int) -> Any:
    """The derivative by an operand that only decides: zeros of its own shape, or of the value's."""
    return lambda g, v, *operands, **options: np.zeros((v, *operands)[like].shape)


RULES = (
    Rule(np.sort, _SORT, _sort_adjoint, _sort_tangent, needs="0"),
    Rule(np.partition, _PARTITION, _partition_adjoint, _partition_tangent, needs="0v"),
    Rule(
        distinct,
        "a; axis=None, equal_nan=True, sorted=True, also=(False, False, False)",
        _unique_adjoint,
        _unique_tangent,
        needs="0v",
    ),
    Rule(
        summed,
        "weights; x=None, minlength=0",
        lambda g, v, weights, x=None, minlength=0: gathered(g, x),
    ),
    Rule(
        edges_between,
        "first, last; edges=None",
        (
            lambda g, v, first, last, edges=None: np.sum(g * (1 - _share(edges))),
            lambda g, v, first, last, edges=None: np.sum(g * _share(edges)),
        ),
        (
            lambda t, v, first, last, edges=None: t * (1 - _share(edges)),
            lambda t, v, first, last, edges=None: t * _share(edges),
        ),
    ),
    Rule(
        histogram_sums,
        "weights, a, bins; range=None",
        (_histogram_adjoint, _nothing(2), _nothing(3)),
        (
            lambda t, v, weights, a, bins, range=None: histogram_sums(t, a, bins, range=range),
            _nothing(0),
            _nothing(0),
        ),
        needs=("12", "", ""),
    ),
)

COMPOSED = {
    np.sort_complex: sort_complex,
    np.unique: unique,
    np.bincount: bincount,
    np.histogram: histogram,
    np.histogram_bin_edges: histogram_bin_edges,
}

DECISIONS = (
    np.argsort,
    np.argpartition,
    np.searchsorted,
    np.digitize,
    _unique_places,
    _counts,
    _plain_edges,
    _histogram_counts,
    _bin_of,
)
