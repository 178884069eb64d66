"""Variances, weighted means, medians and quantiles, covariances.

What combines a few elements of the sorted array, as medians and quantiles do, takes its value from
NumPy; which elements and with what weights NumPy tells as well, asked for the same quantile of the
ranks 0, 1, 2, ...
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import numpy as np

from .indexing import arrayed, gathered, scattered
from .reductions import axes_of, cast, counted, into, present, unreduced, unsupported
from .table import Rule, primitive, product, unbroadcast

# ------------------------------------------------------------------------------- variances ---


@primitive
def dispersion(a: Any, function: Any = np.var, **options: Any) -> Any:
    """np.var, np.std, np.nanvar or np.nanstd."""
    return function(a, **options)


@primitive
def dispersion_about(a: Any, mean: Any, function: Any = np.var, **options: Any) -> Any:
    """The same about a mean that is given, which need not be the mean."""
    return function(a, mean=mean, **options)


def _deviations(v, a, mean, function, axis, ddof, keepdims, where):
    """The partial derivative by each element, as a factor of a reduction's shape and deviations."""
    if function in (np.nanvar, np.nanstd):
        where = present(a, where)
    freedom = counted(a, axis, where) - ddof
    if where is True:
        share = 1 / freedom if freedom > 0 else np.inf
    else:
        share = 1 / np.maximum(freedom, 0)
    if mean is None:
        mean = np.mean(a, axis=axis, keepdims=True, where=where)
    d = np.conj(a - mean) if a.dtype.kind == "c" else a - mean
    if where is not True:
        d = np.where(where, d, 0)
    if function in (np.var, np.nanvar):
        return 2 * share, d
    v = unreduced(v, a, axis, keepdims)
    # Where it is 0, so are all deviations, and the derivative is 0 by convention.
    return share / np.where(v == 0, 1, v), d


def _dispersion_adjoint(
    g, v, a, mean=None, function=np.var, axis=None, dtype=None, ddof=0, keepdims=False, where=True
):
    factor, d = _deviations(v, a, mean, function, axis, ddof, keepdims, where)
    return product(product(unreduced(g, a, axis, keepdims), factor), d)


def _mean_adjoint(g, v, a, mean, **options):
    return -unbroadcast(_dispersion_adjoint(g, v, a, mean, **options), mean)


def _dispersion_tangent(
    t, v, a, mean=None, function=np.var, axis=None, dtype=None, ddof=0, keepdims=False, where=True
):
    factor, d = _deviations(v, a, mean, function, axis, ddof, keepdims, where)
    total = np.sum(np.real(product(t, d)), axis=axis, keepdims=True)
    return np.reshape(product(total, factor), np.shape(v))


def _mean_tangent(t, v, a, mean, **options):
    return -_dispersion_tangent(np.broadcast_to(t, a.shape), v, a, mean, **options)


def _dispersed(
    function,
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    *,
    where=True,
    mean=None,
    correction=None,
):
    if correction is not None:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    options = {"axis": axis, "dtype": dtype, "ddof": ddof, "keepdims": keepdims, "where": where}
    if mean is None:
        return into(out, dispersion(arrayed(a), function=function, **options))
    return into(out, dispersion_about(arrayed(a), arrayed(mean), function=function, **options))


# -------------------------------------------------------------------------- weighted means ---


def _weights_of(a, weights, axis):
    """Weights as they go with the elements: those along the axes get a's number of dimensions."""
    w = arrayed(weights)
    if w.shape == a.shape:
        return w
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axes_of(axis, a.ndim)
    if w.shape != tuple(a.shape[k] for k in axes):
        raise ValueError(
            "Shape of weights must be consistent with shape of a along specified axis."
        )
    w = np.transpose(w, tuple(map(int, np.argsort(axes))))
    return np.reshape(w, tuple(n if k in axes else 1 for k, n in enumerate(a.shape)))


def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = arrayed(a)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        if not returned:
            return mean
        return mean, np.full(mean.shape, a.size / mean.size, mean.dtype)[()]
    w = _weights_of(a, weights, axis)
    dtype = np.result_type(a.dtype, w.dtype, *(("f8",) if a.dtype.kind in "biu" else ()))
    total = np.sum(w, axis=axis, dtype=dtype, keepdims=keepdims)
    if np.any(total == 0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    weighted = np.multiply(cast(a, dtype), cast(w, dtype))
    mean = np.sum(weighted, axis=axis, keepdims=keepdims) / total
    if not returned:
        return mean
    return mean, total if total.shape == mean.shape else np.copy(np.broadcast_to(total, mean.shape))


# ------------------------------------------------------------------- medians and quantiles ---

# What each is where there is no nan.
_FULL = {
    np.median: np.median,
    np.percentile: np.percentile,
    np.quantile: np.quantile,
    np.nanmedian: np.median,
    np.nanpercentile: np.percentile,
    np.nanquantile: np.quantile,
}
# Some versions do not put all axes of q in front.
_MATRICES = np.nanquantile(np.zeros((3, 2)), np.zeros((1, 1)), axis=1).shape == (1, 1, 3)
# These jump with the rank, so that its last digits count.
_JUMPS = (
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "lower",
    "higher",
    "midpoint",
    "nearest",
)


@primitive
def quantile(
    a: Any,
    function: Any = np.median,
    q: Any = None,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """Any of these functions; q is None for the medians."""
    if q is None:
        return function(a, axis=axis, keepdims=keepdims)
    return function(a, q, axis=axis, method=method, keepdims=keepdims)


def _rank(n: int, function: Any, q: Any, method: str, dtype: Any) -> np.ndarray:
    """Where among n sorted elements the quantiles lie, in one dimension."""
    if n == 0:
        return np.zeros(np.size(q))
    # Some versions round q to the elements' dtype.  Whole ranks are exact in that as well.
    narrow = method in _JUMPS and n * np.finfo(dtype).eps < 0.25
    ranks = np.arange(n, dtype=dtype if narrow else float)
    return np.ravel(quantile(ranks, _FULL[function], q, method=method)).astype(float)


@primitive
def _places(a: Any, function: Any, q: Any, axis: Any, method: str) -> tuple:
    """The two elements that each result lies between, and the share of the second.

    Flat places in a, of the shape (size of q, results by quantile).
    """
    axes = axes_of(axis, a.ndim)
    kept = tuple(k for k in range(a.ndim) if k not in axes)
    n = math.prod([a.shape[k] for k in axes])
    rows, flat = (
        np.transpose(x, kept + axes).reshape(-1, n) for x in (a, np.arange(a.size).reshape(a.shape))
    )
    there = n - np.count_nonzero(np.isnan(rows), axis=1)
    skips = function is not _FULL[function]
    rank = np.empty((np.size(q), len(rows)))
    for count in np.unique(there) if skips else (n,):
        mine = there == count if skips else slice(None)
        rank[:, mine] = _rank(int(count), function, q, method, a.dtype)[:, None]
    if not skips:
        rank[:, there < n] = n - 1  # a nan, which comes last
    low = np.floor(rank).astype(np.intp)
    high = np.minimum(low + 1, n - 1)
    order = np.argpartition(rows, np.unique([low, high]), axis=1)
    line = np.arange(len(rows))
    return flat[line, order[line, low]], flat[line, order[line, high]], rank - low


def _parts(a, function, q, axis, method):
    """As `_places`, both elements in one array, with the share of each in a's precision."""
    low, high, share = _places(a, function, q, axis, method)
    return np.stack([low, high]), cast(np.stack([1 - share, share]), a.dtype)


def _quantile_adjoint(
    g, v, a, function=np.median, q=None, axis=None, method="linear", keepdims=False
):
    if a.size == 0:
        return np.zeros(a.shape)
    places, shares = _parts(a, function, q, axis, method)
    return scattered(product(np.reshape(g, places.shape[1:]), shares), places, a.shape)


def _quantile_tangent(
    t, v, a, function=np.median, q=None, axis=None, method="linear", keepdims=False
):
    if a.size == 0:
        return np.zeros(v.shape)
    places, shares = _parts(a, function, q, axis, method)
    return np.reshape(np.sum(product(gathered(t, places), shares), axis=0), np.shape(v))


def _median_of(function, a, axis=None, out=None, overwrite_input=False, keepdims=False):
    # The input may be overwritten, and is not: its values are kept.
    return into(out, quantile(arrayed(a), function=function, axis=axis, keepdims=keepdims))


def _quantile_of(
    function,
    a,
    q,
    axis=None,
    out=None,
    overwrite_input=False,
    method="linear",
    keepdims=False,
    *,
    weights=None,
):
    if weights is not None:
        raise unsupported(f"np.{function.__name__} of tracked arrays with weights")
    if np.ndim(q) > 1 and function is not _FULL[function] and not _MATRICES:
        raise unsupported(f"np.{function.__name__} of tracked arrays for an array of quantiles")
    if isinstance(q, (np.ndarray, list, tuple)):
        q = np.copy(q)  # the program may go on to write into it
    options = {"q": q, "axis": axis, "method": method, "keepdims": keepdims}
    return into(out, quantile(arrayed(a), function=function, **options))


# ----------------------------------------------------------------------------- covariances ---


# Since that version a row is taken for one observation, if the variables are said to be columns.
_ROW_IS_TURNED = np.lib.NumpyVersion(np.__version__) >= "2.2.0"


def _observations(m, rowvar, dtype, turn_row):
    """Variables in rows, observations in columns."""
    x = cast(m if m.ndim == 2 else np.reshape(m, (1, -1)), dtype)
    turned = not rowvar and (x.shape[0] != 1 or (turn_row and m.ndim == 2))
    return np.transpose(x) if turned else x


def _sample_weights(fweights, aweights, n):
    w = None
    for given, name in ((fweights, "fweights"), (aweights, "aweights")):
        if given is None:
            continue
        given = cast(arrayed(given), np.dtype(float))
        if given.shape != (n,):
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        if name == "fweights" and not np.all(given == np.around(given)):
            raise TypeError("fweights must be integer")
        if np.any(given < 0):
            raise ValueError(f"{name} cannot be negative")
        w = given if w is None else w * given
    return w


def cov(
    m,
    y=None,
    rowvar=True,
    bias=False,
    ddof=None,
    fweights=None,
    aweights=None,
    *,
    dtype=None,
):
    given = [arrayed(z) for z in (m, y) if z is not None]
    if any(z.ndim > 2 for z in given):
        raise ValueError("m has more than 2 dimensions")
    dtype = np.result_type(*(z.dtype for z in given), np.float64) if dtype is None else dtype
    dtype = np.dtype(dtype)
    x = [_observations(z, rowvar, dtype, k == 0 and _ROW_IS_TURNED) for k, z in enumerate(given)]
    x = x[0] if len(x) == 1 else np.concatenate(x, axis=0)
    if x.shape[0] == 0:
        return np.zeros((0, 0))
    if ddof is None:
        ddof = 0 if bias else 1
    if ddof != int(ddof):
        raise ValueError("ddof must be integer")
    w = _sample_weights(fweights, aweights, x.shape[1])
    mean, total = average(x, axis=1, weights=w, returned=True)
    freedom = _freedom(x.shape[1], w, total[0], ddof, aweights)
    x = x - mean[:, None]
    other = np.transpose(x if w is None else x * w)
    c = np.dot(x, np.conj(other) if x.dtype.kind == "c" else other)
    return np.squeeze(cast(c * np.true_divide(1, freedom), c.dtype))


def _freedom(n, w, total, ddof, aweights):
    """What the sum of products is divided by."""
    if w is None:
        freedom = n - ddof
    elif ddof == 0:
        freedom = total
    elif aweights is None:
        freedom = total - ddof
    else:
        freedom = total - ddof * np.sum(w * arrayed(aweights)) / total
    if freedom <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
        return 0.0
    return freedom


def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviation[:, None] / deviation[None, :]
    if c.dtype.kind != "c":
        return np.clip(c, -1, 1)
    return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)


_DISPERSION = "function=None, axis=None, dtype=None, ddof=0, keepdims=False, where=True"

RULES = (
    Rule(
        dispersion,
        f"a; {_DISPERSION}",
        _dispersion_adjoint,
        _dispersion_tangent,
        needs="0v",
    ),
    Rule(
        dispersion_about,
        f"a, mean; {_DISPERSION}",
        (_dispersion_adjoint, _mean_adjoint),
        (_dispersion_tangent, _mean_tangent),
        needs="01v",
    ),
    Rule(
        quantile,
        "a; function=None, q=None, axis=None, method='linear', keepdims=False",
        _quantile_adjoint,
        _quantile_tangent,
        needs="0",
    ),
)

COMPOSED = {
    np.average: average,
    np.cov: cov,
    np.corrcoef: corrcoef,
    **{f: functools.partial(_dispersed, f) for f in (np.var, np.std, np.nanvar, np.nanstd)},
    **{f: functools.partial(_median_of, f) for f in (np.median, np.nanmedian)},
    **{
        f: functools.partial(_quantile_of, f)
        for f in (np.percentile, np.quantile, np.nanpercentile, np.nanquantile)
    },
}

DECISIONS = (_places,)
