"""Margins: how far a decision is from falling the other way, as a difference of two sides.

For each kind of decision there is a function that gives, for all elements that decide at once, the
two sides, and for one element which elements of the operands they consist of:

    margin = left - right,    d margin = sum of weight * d element

For a comparison the sides are its operands; for `floor`, `int`, `round` and their like the right
side is the step that is nearest; for `max`, `argmax` and sorting the sides are the elements that
would change places.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# Which operand, which of its elements (flat), and its weight.
Term = tuple[int, int, complex]


class Margins(NamedTuple):
    """The two sides for each element that decides; `terms` of the element at an index."""

    left: np.ndarray
    right: np.ndarray
    terms: Callable[[tuple[int, ...]], list[Term]]


_NOTHING = Margins(np.zeros(0), np.zeros(0), lambda index: [])


class Kind(NamedTuple):
    """A kind of decision: its name, its sides, the convention at a tie, and whether its sides are
    known for complex numbers too."""

    name: str
    sides: Callable[[list, dict], Margins]
    convention: str
    complex: bool = False


# ------------------------------------------------------------------------- element by element ---


def _flat(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """The element of an operand of that shape that broadcasts to an index."""
    if not shape:
        return 0
    own = index[len(index) - len(shape) :]
    return int(
        np.ravel_multi_index([k if n != 1 else 0 for k, n in zip(own, shape, strict=True)], shape)
    )


def _sides(left: np.ndarray, right: np.ndarray, terms: Callable) -> Margins:
    left, right = np.broadcast_arrays(left, right)
    return Margins(left, right, terms)


def pair(values: list, options: dict) -> Margins:
    """The two operands."""
    a, b = values[:2]

    def terms(index: tuple[int, ...]) -> list[Term]:
        return [(0, _flat(index, a.shape), 1.0), (1, _flat(index, b.shape), -1.0)]

    return _sides(a, b, terms)


def equal(values: list, options: dict) -> Margins:
    """The two operands; of complex ones their distance, and 0."""
    a, b = values[:2]
    if "c" not in (a.dtype.kind, b.dtype.kind):
        return pair(values, options)
    d = np.asarray(a - b)

    def terms(index: tuple[int, ...]) -> list[Term]:
        p = _phase(d[index])
        return [(0, _flat(index, a.shape), p), (1, _flat(index, b.shape), -p)]

    return _sides(np.abs(d), np.zeros(d.shape), terms)


def _phase(z: Any) -> complex:
    """d abs(z) / d z, as the sweeps have it: 0 at 0."""
    return complex(z).conjugate() / abs(z) if z != 0.0 else 0j


def absolute(values: list, options: dict) -> Margins:
    """The operand and 0; of complex ones the absolute value."""
    x = values[0]
    if x.dtype.kind != "c":
        return to(zero)(values, options)

    def terms(index: tuple[int, ...]) -> list[Term]:
        at = _flat(index, x.shape)
        return [(0, at, _phase(x.flat[at]))]

    return _sides(np.abs(x), np.zeros(x.shape), terms)


def origin(values: list, options: dict) -> Margins:
    """Where both operands are 0: what is not there has no margin."""
    return _points(np.hypot(*values[:2]))


def _points(size: np.ndarray) -> Margins:
    if (size != 0.0).all():
        return _NOTHING
    zero = np.zeros(np.shape(size))
    return Margins(np.where(size == 0.0, zero, np.nan), zero, lambda index: [])


def to(nearest: Callable[..., np.ndarray]) -> Callable[[list, dict], Margins]:
    """The operand, and the step that is nearest to it."""

    def sides(values: list, options: dict) -> Margins:
        x = values[0]
        return _sides(x, nearest(*values, **options), lambda i: [(0, _flat(i, x.shape), 1.0)])

    return sides


def zero(x: Any, *others: Any, **options: Any) -> Any:
    return np.zeros(x.shape)


def integer(x: Any, *others: Any, **options: Any) -> Any:
    return np.rint(x)


def integer_but_zero(x: Any, *others: Any, **options: Any) -> Any:
    """Truncation has no step at 0."""
    return np.where(np.abs(x) < 1.0, np.copysign(1.0, x), np.rint(x))


def power_of_two(x: Any, *others: Any, **options: Any) -> Any:
    """Where the exponent of a number is another one."""
    exponent = np.frexp(x)[1]
    low, high = np.ldexp(0.5, exponent), np.ldexp(1.0, exponent)
    return np.copysign(np.where(np.abs(x) - low < high - np.abs(x), low, high), x)


def half(x: Any, decimals: Any = 0, **options: Any) -> Any:
    scale = 10.0 ** np.asarray(decimals, float)
    return (np.floor(x * scale) + 0.5) / scale


def quotient(nearest: Callable[[np.ndarray], np.ndarray]) -> Callable[[list, dict], Margins]:
    """a and n * b, for the step n of a / b that is nearest."""

    def sides(values: list, options: dict) -> Margins:
        a, b = values[:2]
        n = np.asarray(nearest(a / b))

        def terms(index: tuple[int, ...]) -> list[Term]:
            return [(0, _flat(index, a.shape), 1.0), (1, _flat(index, b.shape), -float(n[index]))]

        return _sides(a, n * b, terms)

    return sides


def second_to_zero(values: list, options: dict) -> Margins:
    b = values[1]
    return _sides(b, np.zeros(b.shape), lambda i: [(1, _flat(i, b.shape), 1.0)])


def clip(values: list, options: dict) -> Margins:
    """The array, and the nearer of its bounds."""
    a, low, high = values
    a, low_, high_ = np.broadcast_arrays(a, low, high)
    lower = np.abs(a - low_) <= np.abs(a - high_)

    def terms(index: tuple[int, ...]) -> list[Term]:
        bound = 1 if lower[index] else 2
        at = _flat(index, values[bound].shape)
        return [(0, _flat(index, values[0].shape), 1.0), (bound, at, -1.0)]

    return Margins(a, np.where(lower, low_, high_), terms)


def close(values: list, options: dict) -> Margins:
    """The distance of two numbers, and what `np.isclose` takes for close."""
    a, b = values[:2]
    rtol = float(values[2] if len(values) > 2 else options.get("rtol", 1e-5))
    atol = float(values[3] if len(values) > 3 else options.get("atol", 1e-8))
    d = a - b

    def terms(index: tuple[int, ...]) -> list[Term]:
        s, j = float(np.sign(d[index])), _flat(index, b.shape)
        slope = rtol * float(np.sign(b.flat[j]))
        return [(0, _flat(index, a.shape), s), (1, j, -s - slope)]

    return _sides(np.abs(d), atol + rtol * np.abs(b), terms)


# ------------------------------------------------------------------------------ along an axis ---


def _lined_up(a: np.ndarray, axis: int | tuple[int, ...] | None) -> tuple[np.ndarray, np.ndarray]:
    """The elements with the axes that are looked along last, as one; and their flat numbers."""
    numbers = np.arange(a.size).reshape(a.shape)
    if axis is None:
        return a.reshape(-1), numbers.reshape(-1)
    axes = [k % a.ndim for k in (axis if isinstance(axis, tuple) else (axis,))] if a.ndim else []
    kept = [k for k in range(a.ndim) if k not in axes]
    shape = [a.shape[k] for k in kept]
    order = (*kept, *axes)
    return tuple(x.transpose(order).reshape(*shape, -1) for x in (a, numbers))


def _neighbors(
    values: np.ndarray, numbers: np.ndarray, pairs: slice | list[int] = slice(None)
) -> Margins:
    """Elements that follow one another by size, along the last axis: the larger, the smaller."""
    order = np.argsort(values, axis=-1, kind="stable")
    ranked = np.take_along_axis(values, order, -1)
    places = np.take_along_axis(numbers, order, -1)
    left, right = ranked[..., 1:][..., pairs], ranked[..., :-1][..., pairs]
    upper, lower = places[..., 1:][..., pairs], places[..., :-1][..., pairs]
    return Margins(left, right, lambda i: [(0, int(upper[i]), 1.0), (0, int(lower[i]), -1.0)])


def ranked(values: list, options: dict) -> Margins:
    """Sorting: elements that would change places."""
    axis = values[1] if len(values) > 1 else options.get("axis", -1)
    return _neighbors(*_lined_up(values[0], _as_axis(axis)))


def distinct(values: list, options: dict) -> Margins:
    a = values[0]
    return _neighbors(a.reshape(-1), np.arange(a.size))


def partitioned(values: list, options: dict) -> Margins:
    """What stands at `kth`, and its neighbors."""
    kth = values[1] if len(values) > 1 else options["kth"]
    axis = values[2] if len(values) > 2 else options.get("axis", -1)
    lined, numbers = _lined_up(values[0], _as_axis(axis))
    n = lined.shape[-1]
    return _neighbors(lined, numbers, _around([int(k) % n for k in np.ravel(kth)], n))


def quantile(values: list, options: dict) -> Margins:
    """The elements that a quantile lies between, and their neighbors."""
    lined, numbers = _lined_up(values[0], _as_axis(options.get("axis")))
    n, q = lined.shape[-1], options.get("q")
    of_hundred = q is not None and "percentile" in options["function"].__name__
    pairs: set[int] = set()
    for p in [0.5] if q is None else np.ravel(q).tolist():
        at = p / (100.0 if of_hundred else 1.0) * (n - 1)
        low, high = math.floor(at), math.ceil(at)
        # Half-way between two elements it does not matter which one is the larger.
        pairs.update(set(_around({low, high}, n)) - ({low} if at == low + 0.5 else set()))
    return _neighbors(lined, numbers, sorted(pairs))


def _around(ranks: Any, n: int) -> list[int]:
    """The pairs of neighbors that elements of these ranks belong to."""
    return sorted({k for r in ranks for k in (r - 1, r) if 0 <= k < n - 1})


def extremum(sign: float, of_place: bool = False) -> Callable[[list, dict], Margins]:
    """The extremum, and the one that would be it next."""

    def sides(values: list, options: dict) -> Margins:
        axis = _as_axis(values[1] if of_place and len(values) > 1 else options.get("axis"))
        lined, numbers = _lined_up(values[0], axis)
        where, initial = options.get("where", True), options.get("initial")
        if where is not True:
            chosen = np.broadcast_to(where, values[0].shape)
            lined = np.where(_lined_up(chosen, axis)[0], lined, -sign * np.inf)
        if initial is not None and initial is not np._NoValue:  # a number that takes part
            shape = (*lined.shape[:-1], 1)
            lined = np.concatenate([lined, np.full(shape, float(initial))], -1)
            numbers = np.concatenate([numbers, np.full(shape, -1)], -1)
        if lined.shape[-1] < 2:
            return _NOTHING
        ahead = np.where(np.isnan(lined), -np.inf, sign * lined)
        best = np.argpartition(ahead, (-2, -1), axis=-1)[..., -2:]
        second, first = np.moveaxis(np.take_along_axis(numbers, best, -1), -1, 0)
        right, left = np.moveaxis(np.take_along_axis(lined, best, -1), -1, 0)

        def terms(i: tuple[int, ...]) -> list[Term]:
            both = [(0, int(first[i]), 1.0), (0, int(second[i]), -1.0)]
            return [term for term in both if term[1] >= 0]

        return Margins(left, right, terms)

    return sides


def running(values: list, options: dict) -> Margins:
    """A running extremum: each element, and the extremum of those before it."""
    lined, numbers = _lined_up(values[0], _as_axis(values[2]))
    if lined.shape[-1] < 2:
        return _NOTHING
    best = values[1].accumulate(lined, axis=-1)[..., :-1]
    # The place of each extremum: that of the last one that was new.
    new = np.concatenate(
        [np.ones((*lined.shape[:-1], 1), bool), best[..., 1:] != best[..., :-1]], -1
    )
    place = np.maximum.accumulate(np.where(new, np.arange(best.shape[-1]), 0), axis=-1)
    leaders = np.take_along_axis(numbers, place, -1)
    left = lined[..., 1:]
    after = numbers[..., 1:]
    return Margins(left, best, lambda i: [(0, int(after[i]), 1.0), (0, int(leaders[i]), -1.0)])


def norm(values: list, options: dict) -> Margins:
    """A norm at the origin; the kinks of those that are sums or extrema of absolute values."""
    x, order, axis = values[0], options.get("ord"), options.get("axis")
    axes = x.ndim if axis is None else len(axis) if isinstance(axis, tuple) else 1
    size = np.abs(x)
    if order is None or order in ("fro", "f") or (order == 2 and axes == 1):
        return _points(np.max(size, axis=axis, initial=0.0))
    if axes != 1 or x.dtype.kind == "c":
        return _NOTHING
    if order == 1:
        return to(zero)(values, options)
    if not math.isinf(order):
        return _NOTHING
    found = extremum(math.copysign(1.0, order))([size], {"axis": axis})
    signs = np.sign(x).reshape(-1)
    return found._replace(
        terms=lambda i: [(k, at, w * float(signs[at])) for k, at, w in found.terms(i)]
    )


def _as_axis(axis: Any) -> Any:
    return axis if axis is None or isinstance(axis, tuple) else int(axis)


def nearest_edge(x: int, edges: int) -> Callable[[list, dict], Margins]:
    """A number, and the edge that is nearest to it; which operands are these."""

    def sides(values: list, options: dict) -> Margins:
        a, e = values[x], values[edges].reshape(-1)
        if not e.size:
            return _NOTHING
        order = np.argsort(e, kind="stable")
        after = np.clip(np.searchsorted(e[order], a), 1 if e.size > 1 else 0, e.size - 1)
        before = np.maximum(after - 1, 0)
        near = np.where(np.abs(a - e[order][before]) <= np.abs(a - e[order][after]), before, after)
        near = np.asarray(order[near])
        return _sides(
            a, e[near], lambda i: [(x, _flat(i, a.shape), 1.0), (edges, int(near[i]), -1.0)]
        )

    return sides


def binned(values: list, options: dict) -> Margins:
    """Numbers and the edges of bins that are nearest to them."""
    a, bins = values[0].reshape(-1), values[1]
    if bins.ndim == 1:
        return nearest_edge(0, 1)([a, bins], options)
    span = values[2] if len(values) > 2 else None
    low, high = (np.min(a), np.max(a)) if span is None else span
    share = np.linspace(0.0, 1.0, int(bins) + 1)
    if span is None:  # the outer edges are the extrema, which stay inside
        share = share[1:-1]
    found = nearest_edge(0, 1)([a, low + share * (high - low)], options)
    ends = [] if span is not None else [int(np.argmin(a)), int(np.argmax(a))]

    def terms(index: tuple[int, ...]) -> list[Term]:
        (own, (_, at, _)) = found.terms(index)
        moving = zip(ends, (share[at] - 1.0, -share[at]), strict=False)
        return [own, *((0, end, float(weight)) for end, weight in moving)]

    return found._replace(terms=terms)


def measured(kind: Kind, values: list, options: dict) -> Margins | None:
    """The sides of a decision on these values; None where they cannot be told.

    That is so for most kinds on complex numbers, and where the tape did not keep a value.
    """
    try:
        arrays = [x if callable(x) else _array(x, kind.complex) for x in values]
    except (TypeError, ValueError):
        return None
    if any(x is None for x in arrays[:2]):
        return None
    with np.errstate(all="ignore"):
        try:
            return kind.sides(arrays, options)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None  # given something that is not foreseen here: the margin is unknown


def _array(x: Any, complex_too: bool) -> np.ndarray | None:
    """x as an array of floats, or of complex numbers where these will do; None for any other."""
    if x is None or isinstance(x, (str, bytes)):
        return None
    array = np.asarray(x)
    if complex_too and array.dtype.kind == "c":
        return array
    return array.astype(float) if array.dtype.kind in "biuf" else None
