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

from tapead.rules.elementwise import bounded
from tapead.rules.sequences import interpolated
from tapead.rules.sorting import distinct
from tapead.rules.statistics import quantile

# Which operand, which of its elements (flat), and its weight.
Term = tuple[int, int, float]


class Margins(NamedTuple):
    """The two sides for each element that decides; `terms` of the element at an index."""

    left: np.ndarray
    right: np.ndarray
    terms: Callable[[tuple[int, ...]], list[Term]]


_NOTHING = Margins(np.zeros(0), np.zeros(0), lambda index: [])


class Kind(NamedTuple):
    """A kind of decision: its name, its sides, and the convention at a tie."""

    name: str
    sides: Callable[[list, dict], Margins]
    convention: str


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


def _pair(values: list, options: dict) -> Margins:
    """The two operands."""
    a, b = values[:2]

    def terms(index: tuple[int, ...]) -> list[Term]:
        return [(0, _flat(index, a.shape), 1.0), (1, _flat(index, b.shape), -1.0)]

    return _sides(a, b, terms)


def _to(nearest: Callable[..., np.ndarray]) -> Callable[[list, dict], Margins]:
    """The operand, and the step that is nearest to it."""

    def sides(values: list, options: dict) -> Margins:
        x = values[0]
        return _sides(x, nearest(*values, **options), lambda i: [(0, _flat(i, x.shape), 1.0)])

    return sides


def _zero(x: Any, *others: Any, **options: Any) -> Any:
    return np.zeros(x.shape)


def _integer(x: Any, *others: Any, **options: Any) -> Any:
    return np.rint(x)


def _integer_but_zero(x: Any, *others: Any, **options: Any) -> Any:
    """Truncation has no step at 0."""
    return np.where(np.abs(x) < 1.0, np.copysign(1.0, x), np.rint(x))


def _half(x: Any, decimals: Any = 0, **options: Any) -> Any:
    scale = 10.0 ** np.asarray(decimals, float)
    return (np.floor(x * scale) + 0.5) / scale


def _quotient(nearest: Callable[[np.ndarray], np.ndarray]) -> Callable[[list, dict], Margins]:
    """a and n * b, for the step n of a / b that is nearest."""

    def sides(values: list, options: dict) -> Margins:
        a, b = values[:2]
        n = np.asarray(nearest(a / b))

        def terms(index: tuple[int, ...]) -> list[Term]:
            return [(0, _flat(index, a.shape), 1.0), (1, _flat(index, b.shape), -float(n[index]))]

        return _sides(a, n * b, terms)

    return sides


def _second_to_zero(values: list, options: dict) -> Margins:
    b = values[1]
    return _sides(b, np.zeros(b.shape), lambda i: [(1, _flat(i, b.shape), 1.0)])


def _clip(values: list, options: dict) -> Margins:
    """The array, and the nearer of its bounds."""
    a, low, high = values
    a, low_, high_ = np.broadcast_arrays(a, low, high)
    lower = np.abs(a - low_) <= np.abs(a - high_)

    def terms(index: tuple[int, ...]) -> list[Term]:
        bound = 1 if lower[index] else 2
        at = _flat(index, values[bound].shape)
        return [(0, _flat(index, values[0].shape), 1.0), (bound, at, -1.0)]

    return Margins(a, np.where(lower, low_, high_), terms)


def _close(values: list, options: dict) -> Margins:
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


def _ranked(values: list, options: dict) -> Margins:
    """Sorting: elements that would change places."""
    axis = values[1] if len(values) > 1 else options.get("axis", -1)
    return _neighbors(*_lined_up(values[0], _as_axis(axis)))


def _distinct(values: list, options: dict) -> Margins:
    a = values[0]
    return _neighbors(a.reshape(-1), np.arange(a.size))


def _partitioned(values: list, options: dict) -> Margins:
    """What stands at `kth`, and its neighbors."""
    kth = values[1] if len(values) > 1 else options["kth"]
    axis = values[2] if len(values) > 2 else options.get("axis", -1)
    lined, numbers = _lined_up(values[0], _as_axis(axis))
    n = lined.shape[-1]
    return _neighbors(lined, numbers, _around([int(k) % n for k in np.ravel(kth)], n))


def _quantile(values: list, options: dict) -> Margins:
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


def _extremum(sign: float, of_place: bool = False) -> Callable[[list, dict], Margins]:
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


def _as_axis(axis: Any) -> Any:
    return axis if axis is None or isinstance(axis, tuple) else int(axis)


def _nearest_edge(x: int, edges: int) -> Callable[[list, dict], Margins]:
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


# ------------------------------------------------------------------------------------- tables ---

_BRANCH = "the branch that was taken is differentiated"
_CONSTANT = "the derivative is 0 on either side, and at the step"
_PLACES = "the derivative goes to the elements that were chosen"
_SHARED = "the derivative is shared half and half"
_EQUAL = "the derivative is shared in equal parts"
_MOVED = "the derivative follows the elements to where they were moved"
_ABS = "the derivative is 0 at 0"
_SLOPE = "the slope beside the step is taken, and the step left out"

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_UFUNCS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip

# What functions that only look at their arguments decide, by the name that the engine notes.
NOTED: dict[str, Kind] = {
    **{name: Kind(name, _pair, _BRANCH) for name in COMPARISONS},
    **{name: Kind(sign, _pair, _BRANCH) for name, sign in _UFUNCS.items()},
    **{
        name: Kind(name, _pair, _BRANCH) for name in ("array_equal", "array_equiv")
    },
    **{name: Kind(name, _close, _BRANCH) for name in ("isclose", "allclose")},
    **{
        name: Kind(name, _to(_zero), _BRANCH)
        for name in (
            "bool", "any", "all", "nonzero", "flatnonzero", "argwhere", "count_nonzero", "signbit",
            "logical_not",
        )
    },
    **{name: Kind(name, _to(_integer), _CONSTANT) for name in ("floor", "ceil")},
    **{name: Kind(name, _to(_integer_but_zero), _CONSTANT) for name in ("int", "trunc", "fix")},
    "_truncated": Kind("astype", _to(_integer_but_zero), _CONSTANT),
    **{name: Kind(name, _to(_half), _CONSTANT) for name in ("round", "around", "rint")},
    "floor_divide": Kind("//", _quotient(np.rint), _CONSTANT),
    **{name: Kind("sign", _to(_zero), _CONSTANT) for name in ("real_sign", "sign")},
    **{name: Kind(name, _extremum(1.0, True), _PLACES) for name in ("argmax", "nanargmax")},
    **{name: Kind(name, _extremum(-1.0, True), _PLACES) for name in ("argmin", "nanargmin")},
    "argsort": Kind("argsort", _ranked, _PLACES),
    "argpartition": Kind("argpartition", _partitioned, _PLACES),
    "searchsorted": Kind("searchsorted", _nearest_edge(1, 0), _CONSTANT),
    "digitize": Kind("digitize", _nearest_edge(0, 1), _CONSTANT),
    "_unique_places": Kind("unique", _distinct, _PLACES),
}  # fmt: skip

# They look at shapes, dtypes or for what is no number, or print: no finite move changes what they
# say.  Names of ours: parts of functions that are in these tables as a whole.
IGNORED = frozenset((
    "isfinite", "isinf", "isnan", "isnat", "isposinf", "isneginf", "isreal", "iscomplex",
    "isrealobj", "iscomplexobj", "is_nearly_real", "ndim", "shape", "size", "result_type",
    "can_cast", "min_scalar_type", "common_type", "may_share_memory", "shares_memory",
    "array2string", "array_str", "array_repr", "savetxt", "save", "savez", "savez_compressed",
    "einsum_path", "tril_indices_from", "triu_indices_from", "diag_indices_from",
    "unravel_index", "ravel_multi_index", "decided", "leaders", "_divisible", "_places", "isin",
    "in1d", "_plain_edges",
))  # fmt: skip

# Operations that have a derivative, and a kink or a step: rows of numbers by the operation's name,
ROWS: dict[str, Kind] = {
    "abs": Kind("abs", _to(_zero), _ABS),
    "floordiv": Kind("//", _quotient(np.rint), _CONSTANT),
    "mod": Kind("%", _quotient(np.rint), _SLOPE),
    "fmod": Kind("fmod", _quotient(_integer_but_zero), _SLOPE),
    "remainder": Kind("remainder", _quotient(_half), _SLOPE),
    "round": Kind("round", _to(_half), _CONSTANT),
    "copysign": Kind("copysign", _second_to_zero, _ABS),
    "trunc": Kind("trunc", _to(_integer_but_zero), _CONSTANT),
    "frac": Kind("modf", _to(_integer_but_zero), _SLOPE),
}

# and records of operations on arrays by their ufunc or their function.
RECORDS: dict[Any, Kind] = {
    **{f: Kind(f.__name__, _pair, _SHARED) for f in (np.maximum, np.minimum, np.fmax, np.fmin)},
    **{f: Kind("abs", _to(_zero), _ABS) for f in (np.absolute, np.fabs)},
    np.remainder: Kind("%", _quotient(np.rint), _SLOPE),
    np.fmod: Kind("fmod", _quotient(_integer_but_zero), _SLOPE),
    np.heaviside: Kind("heaviside", _to(_zero), _CONSTANT),
    np.copysign: Kind("copysign", _second_to_zero, _ABS),
    bounded: Kind("clip", _clip, "the derivative is passed on at a bound"),
    **{f: Kind("max", _extremum(1.0), _EQUAL) for f in (np.max, np.amax)},
    **{f: Kind("min", _extremum(-1.0), _EQUAL) for f in (np.min, np.amin)},
    np.nanmax: Kind("nanmax", _extremum(1.0), _EQUAL),
    np.nanmin: Kind("nanmin", _extremum(-1.0), _EQUAL),
    np.sort: Kind("sort", _ranked, _MOVED),
    np.partition: Kind("partition", _partitioned, _MOVED),
    distinct: Kind("unique", _distinct, "the derivative goes to the first of equal elements"),
    quantile: Kind("quantile", _quantile, _MOVED),
    interpolated: Kind("interp", _nearest_edge(0, 1), "the slope to the right of a knot is taken"),
}


def measured(kind: Kind, values: list, options: dict) -> Margins | None:
    """The sides of a decision on these values; None where they cannot be told.

    That is so for complex numbers, and where the tape did not keep a value.
    """
    try:
        arrays = [np.asarray(x, float) if _is_real(x) else None for x in values]
    except (TypeError, ValueError):
        return None
    if any(x is None for x in arrays[:2]):
        return None
    with np.errstate(all="ignore"):
        try:
            return kind.sides(arrays, options)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None  # given something that is not foreseen here: the margin is unknown


def _is_real(x: Any) -> bool:
    if x is None or isinstance(x, (str, bytes)):
        return False
    return np.asarray(x).dtype.kind in "biuf"
