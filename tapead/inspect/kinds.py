"""Which decisions there are: their kinds, by what the engine calls them and by rows of the tape."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.inspect import margins
from tapead.inspect.margins import Kind
from tapead.rules.elementwise import bounded
from tapead.rules.sequences import interpolated
from tapead.rules.sorting import distinct
from tapead.rules.statistics import quantile

_BRANCH = "the branch that was taken is differentiated"
_CONSTANT = "the derivative is 0 on either side, and at the step"
_PLACES = "the derivative goes to the elements that were chosen"
_SHARED = "the derivative is shared half and half"
_EQUAL = "the derivative is shared in equal parts"
_MOVED = "the derivative follows the elements to where they were moved"
_ABS = "the derivative is 0 at 0"
_ORIGIN = "the derivative is 0 at the origin"
_SLOPE = "the slope beside the step is taken, and the step left out"

_OTHERS = "the derivative goes to the element that is there at the moment"
_FIRST = "the derivative goes to the first of equal elements"
_KNOT = "the slope to the right of a knot is taken"
_TRUNCATED = margins.to(margins.integer_but_zero)
_ROUNDED = margins.to(margins.half)
_PAIRS = (np.maximum, np.minimum, np.fmax, np.fmin)

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
# What numbers decide, each by itself.
OF_NUMBERS = frozenset((*COMPARISONS, "bool", "int", "floor", "ceil", "trunc", "round"))
_UFUNCS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip

# What functions that only look at their arguments decide, by the name that the engine notes.
NOTED: dict[str, Kind] = {
    **{name: Kind(name, margins.pair, _BRANCH) for name in COMPARISONS},
    **{name: Kind(sign, margins.pair, _BRANCH) for name, sign in _UFUNCS.items()},
    **{name: Kind(name, margins.pair, _BRANCH) for name in ("array_equal", "array_equiv")},
    **{name: Kind(name, margins.equal, _BRANCH, True) for name in ("==", "!=")},
    **{f"{name}equal": Kind(_UFUNCS[f"{name}equal"], margins.equal, _BRANCH, True)
       for name in ("", "not_")},
    "isin": Kind("isin", margins.nearest_edge(0, 1), _BRANCH),
    "in1d": Kind("isin", margins.nearest_edge(0, 1), _BRANCH),
    **{name: Kind(name, margins.close, _BRANCH) for name in ("isclose", "allclose")},
    **{
        name: Kind(name, margins.to(margins.zero), _BRANCH)
        for name in (
            "bool", "any", "all", "nonzero", "flatnonzero", "argwhere", "count_nonzero", "signbit",
            "logical_not",
        )
    },
    **{name: Kind(name, margins.to(margins.integer), _CONSTANT) for name in ("floor", "ceil")},
    **{name: Kind(name, _TRUNCATED, _CONSTANT) for name in ("int", "trunc", "fix")},
    "_truncated": Kind("astype", _TRUNCATED, _CONSTANT),
    **{name: Kind(name, _ROUNDED, _CONSTANT) for name in ("round", "around", "rint")},
    "exponent": Kind("frexp", margins.to(margins.power_of_two), _CONSTANT),
    "floor_divide": Kind("//", margins.quotient(np.rint), _CONSTANT),
    **{name: Kind("sign", margins.to(margins.zero), _CONSTANT) for name in ("real_sign", "sign")},
    **{name: Kind(name, margins.extremum(1.0, True), _PLACES) for name in ("argmax", "nanargmax")},
    **{name: Kind(name, margins.extremum(-1.0, True), _PLACES) for name in ("argmin", "nanargmin")},
    "argsort": Kind("argsort", margins.ranked, _PLACES),
    "argpartition": Kind("argpartition", margins.partitioned, _PLACES),
    "searchsorted": Kind("searchsorted", margins.nearest_edge(1, 0), _CONSTANT),
    "digitize": Kind("digitize", margins.nearest_edge(0, 1), _CONSTANT),
    "_histogram_counts": Kind("histogram", margins.binned, _CONSTANT),
    "leaders": Kind("accumulate", margins.running, _OTHERS),
    "_unique_places": Kind("unique", margins.distinct, _PLACES),
}  # fmt: skip

# They look at shapes, dtypes or for what is no number, or print: no finite move changes what they
# say.  Names of ours: parts of functions that are in these tables as a whole.
IGNORED = frozenset((
    "isfinite", "isinf", "isnan", "isnat", "isposinf", "isneginf", "isreal", "iscomplex",
    "isrealobj", "iscomplexobj", "is_nearly_real", "ndim", "shape", "size", "result_type",
    "can_cast", "min_scalar_type", "common_type", "may_share_memory", "shares_memory",
    "array2string", "array_str", "array_repr", "savetxt", "save", "savez", "savez_compressed",
    "einsum_path", "tril_indices_from", "triu_indices_from", "diag_indices_from",
    "unravel_index", "ravel_multi_index", "decided", "_divisible", "_places", "_plain_edges",
    "_counts", "_bin_of", "spacing",
))  # fmt: skip

# Operations that have a derivative, and a kink or a step: rows of numbers by the operation's name,
ROWS: dict[str, Kind] = {
    "abs": Kind("abs", margins.to(margins.zero), _ABS),
    "floordiv": Kind("//", margins.quotient(np.rint), _CONSTANT),
    "mod": Kind("%", margins.quotient(np.rint), _SLOPE),
    "fmod": Kind("fmod", margins.quotient(margins.integer_but_zero), _SLOPE),
    "remainder": Kind("remainder", margins.quotient(margins.half), _SLOPE),
    "round": Kind("round", _ROUNDED, _CONSTANT),
    "copysign": Kind("copysign", margins.second_to_zero, _ABS),
    "trunc": Kind("trunc", _TRUNCATED, _CONSTANT),
    "hypot": Kind("hypot", margins.origin, _ORIGIN),
    "frac": Kind("modf", margins.to(margins.integer_but_zero), _SLOPE),
}

# Of these it is only said where they are at their kink, which is a point.
POINTS = frozenset(("hypot",))

# and records of operations on arrays by their ufunc or their function.
RECORDS: dict[Any, Kind] = {
    **{f: Kind(f.__name__, margins.pair, _SHARED) for f in _PAIRS},
    **{f: Kind("abs", margins.absolute, _ABS, True) for f in (np.absolute, np.fabs)},
    np.hypot: Kind("hypot", margins.origin, _ORIGIN),
    np.linalg.norm: Kind("norm", margins.norm, _ORIGIN, True),
    np.remainder: Kind("%", margins.quotient(np.rint), _SLOPE),
    np.fmod: Kind("fmod", margins.quotient(margins.integer_but_zero), _SLOPE),
    np.heaviside: Kind("heaviside", margins.to(margins.zero), _CONSTANT),
    np.copysign: Kind("copysign", margins.second_to_zero, _ABS),
    bounded: Kind("clip", margins.clip, "the derivative is passed on at a bound"),
    **{f: Kind("max", margins.extremum(1.0), _EQUAL) for f in (np.max, np.amax)},
    **{f: Kind("min", margins.extremum(-1.0), _EQUAL) for f in (np.min, np.amin)},
    np.nanmax: Kind("nanmax", margins.extremum(1.0), _EQUAL),
    np.nanmin: Kind("nanmin", margins.extremum(-1.0), _EQUAL),
    np.sort: Kind("sort", margins.ranked, _MOVED),
    np.partition: Kind("partition", margins.partitioned, _MOVED),
    distinct: Kind("unique", margins.distinct, _FIRST),
    quantile: Kind("quantile", margins.quantile, _MOVED),
    interpolated: Kind("interp", margins.nearest_edge(0, 1), _KNOT),
}
