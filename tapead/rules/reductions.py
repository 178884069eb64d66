"""Sums, products, means and extrema over axes; running sums and products; differences.

And their versions that leave nan out, and what is made of differences: `np.gradient` and
`np.trapezoid`.  `spread`, `counted`, `present` and `into` serve the other modules of reductions.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..errors import UnsupportedError, located
from .indexing import arrayed
from .table import Rule, expanded, primitive, product

# np.broadcast_to takes longer than to write so many elements.
_FEW = 8192


# ------------------------------------------------------------ words for all rules of reductions ---


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that a reduction runs over, each counted from the front."""
    if axis is None or ndim == 0:
        return tuple(range(ndim))
    return tuple(range(ndim)[k] for k in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def unreduced(x: Any, a: Any, axis: Any, keepdims: bool = False) -> Any:
    """A reduction's result, or what belongs to it, in a shape that goes with a's elements."""
    if keepdims or axis is None or a.ndim == 0:
        return x  # what has no dimensions goes with anything
    return expanded(x, a.ndim, axis)


def spread(g: Any, a: Any, axis: Any, keepdims: bool = False, where: Any = True) -> Any:
    """g, which has a reduction's shape, at each element that was reduced; if many, as a view."""
    g = unreduced(g, a, axis, keepdims)
    if where is True and type(g) in (np.ndarray, np.float64) and a.size <= _FEW:
        filled = np.empty(a.shape, g.dtype)
        filled[...] = g
        return filled
    g = np.broadcast_to(g, a.shape)
    return g if where is True else np.where(where, g, 0)


def counted(a: Any, axis: Any, where: Any) -> Any:
    """How many elements were reduced: one number, or an array that keeps the axes."""
    if where is True:
        return math.prod([a.shape[k] for k in axes_of(axis, a.ndim)])
    axis = None if a.ndim == 0 else axis
    real = np.finfo(a.dtype).dtype
    return np.sum(np.broadcast_to(where, a.shape), axis=axis, dtype=real, keepdims=True)


def present(a: Any, where: Any) -> Any:
    """Which elements count where nan does not."""
    return ~np.isnan(a) & where


def into(out: Any, result: Any) -> Any:
    """What a composed function returns: its result, or the array that was to hold it."""
    if out is None:
        return result
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise TypeError(f"cannot write a result of {result.dtype} into an array of {out.dtype}")
    out[...] = result
    return out


def cast(x: Any, dtype: Any) -> Any:
    """x, of another dtype if need be."""
    return x if x.dtype == dtype else x.astype(dtype)


def unsupported(what: str) -> UnsupportedError:
    """The error for what has no derivative here."""
    remedy = "If no derivative is wanted here, compute with tapead.value(x)."
    return located(UnsupportedError, f"{what} is not supported.", remedy)


# --------------------------------------------------------------------------- sums and means ---


def _sum_adjoint(g, v, a, axis=None, dtype=None, keepdims=False, initial=np._NoValue, where=True):
    return spread(g, a, axis, keepdims, where)


def _sum_tangent(t, v, a, initial=None, **options):
    return np.sum(t, **options)


def _mean_adjoint(g, v, a, axis=None, dtype=None, keepdims=False, where=True):
    n = counted(a, axis, where)
    n = max(n, 1) if where is True else np.maximum(n, 1)
    return spread(unreduced(g, a, axis, keepdims) / n, a, axis, True, where)


def _nanmean_adjoint(g, v, a, axis=None, dtype=None, keepdims=False, where=True):
    return _mean_adjoint(g, v, a, axis, dtype, keepdims, present(a, where))


def _nanmean_tangent(t, v, a, where=True, **options):
    return np.mean(t, where=present(a, where), **options)


# -------------------------------------------------------------------------------- products ---


@primitive
def _divisible(v: Any, g: Any = 1.0) -> bool:
    """Whether g times the product of all factors but one is g * v over that one.

    Not where a factor is 0, nor where the product left the range in which it has all its digits.
    """
    v, g = np.abs(v), np.abs(g)
    if v.size == 0:
        return True
    if not g.all():
        g = np.where(g == 0, 1, g)
    info, least, most = np.finfo(v.dtype), v.min(), v.max()
    if not (info.tiny <= least and most <= info.max):
        return False
    with np.errstate(over="ignore", under="ignore"):
        return bool(info.tiny <= least * g.min() and most * g.max() <= info.max)


def _exclusive(x: Any) -> Any:
    """The product of all that come before, along the last axis."""
    one = np.ones((*x.shape[:-1], 1), x.dtype)
    return np.cumprod(np.concatenate([one, x[..., :-1]], axis=-1), axis=-1)


def _others(a: Any, axis: Any) -> Any:
    """The product of all other elements along the axes, for each element: no division, so that
    factors may be 0."""
    axes = axes_of(axis, a.ndim)
    kept = tuple(k for k in range(a.ndim) if k not in axes)
    moved = np.transpose(a, kept + axes)
    shape = moved.shape[: len(kept)]
    rows = np.reshape(moved, (*shape, int(np.prod(moved.shape[len(kept) :]))))
    before = _exclusive(rows)
    after = np.flip(_exclusive(np.flip(rows, -1)), -1)
    both = np.reshape(product(before, after), moved.shape)
    return np.transpose(both, tuple(int(k) for k in np.argsort(kept + axes)))


def _factors(a, where):
    return a if where is True else np.where(where, a, 1)


def _first(initial):
    return 1 if initial is np._NoValue else initial


def _prod_adjoint(g, v, a, axis=None, dtype=None, keepdims=False, initial=np._NoValue, where=True):
    if a.size == 0:
        return np.zeros(a.shape)
    factors = _factors(a, where)
    if _divisible(v, g):
        result = unreduced(g * v, a, axis, keepdims) / factors
    else:
        result = product(unreduced(g * _first(initial), a, axis, keepdims), _others(factors, axis))
    return result if where is True else np.where(where, result, 0)


def _prod_tangent(t, v, a, axis=None, dtype=None, keepdims=False, initial=np._NoValue, where=True):
    factors = _factors(a, where)
    if a.size == 0:
        return np.zeros(v.shape)
    if _divisible(v):
        partial = unreduced(v, a, axis, keepdims) / factors
    else:
        partial = _others(factors, axis) * _first(initial)
    return np.sum(product(t, partial), axis=axis, dtype=dtype, keepdims=keepdims, where=where)


# --------------------------------------------------------------------------------- extrema ---


def _chosen(v, a, axis, keepdims, initial, where):
    """Which elements are the extremum, and among how many it is shared, `initial` included."""
    e = unreduced(v, a, axis, keepdims)
    whole = axis is None or a.ndim == 0
    mask = a == e
    if np.isnan(v).any():
        mask = mask | ((a != a) & (e != e))  # of a nan, those are the origin that are nan
    if where is not True:
        mask = mask & where
    n = np.count_nonzero(mask) if whole else np.count_nonzero(mask, axis=axis, keepdims=True)
    if initial is not None and initial is not np._NoValue:
        n = n + (e == initial)
    if np.size(n) == 1:
        return mask, max(int(np.max(n)), 1)
    return mask, np.maximum(n, 1).astype(np.finfo(a.dtype).dtype)


def _extremum_adjoint(g, v, a, axis=None, keepdims=False, initial=np._NoValue, where=True):
    mask, n = _chosen(v, a, axis, keepdims, initial, where)
    return np.where(mask, unreduced(g, a, axis, keepdims) / n, 0)


def _extremum_tangent(t, v, a, axis=None, keepdims=False, initial=np._NoValue, where=True):
    mask, n = _chosen(v, a, axis, keepdims, initial, where)
    total = np.sum(np.where(mask, t, 0), axis=axis, keepdims=True) / n
    return np.reshape(total, np.shape(v))


def ptp(a, axis=None, out=None, keepdims=False):
    a = arrayed(a)
    return into(
        out, np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
    )


# ----------------------------------------------------------------- running sums and products ---


def _backward(function, x, axis):
    """A running sum or product that runs from the end."""
    return np.flip(function(np.flip(x, axis), axis=axis), axis)


def _cumsum_adjoint(g, v, a, axis=None, dtype=None):
    return np.reshape(_backward(np.cumsum, g, axis or 0), a.shape)


@primitive
def recur(a: Any, b: Any) -> Any:
    """y with y[i] = a[i] * y[i-1] + b[i], and y[-1] = 0, along the last axis.

    By pairs: two steps are one of the same form, so that half as many are left; linear time in
    whole arrays (Blelloch 1990, "Prefix sums and their applications").
    """
    n = b.shape[-1]
    if n < 2:
        return b.copy()
    even, odd = slice(0, n - n % 2, 2), slice(1, None, 2)
    y = np.empty(b.shape, np.result_type(a, b))
    y[..., odd] = recur(
        product(a[..., odd], a[..., even]), product(a[..., odd], b[..., even]) + b[..., odd]
    )
    y[..., 0] = b[..., 0]
    y[..., 2::2] = product(a[..., 2::2], y[..., 1:-1:2]) + b[..., 2::2]
    return y


def _shifted(x, first):
    """x one place on along the last axis, with a number in the first."""
    return np.concatenate([np.full((*x.shape[:-1], 1), first, x.dtype), x[..., :-1]], axis=-1)


def _recur_back(a, g):
    """The transpose of `recur` by b: s with s[i] = g[i] + a[i+1] * s[i+1]."""
    return np.flip(recur(_shifted(np.flip(a, -1), 0), np.flip(g, -1)), -1)


def _lined_up(x, axis):
    """x with the axis that it runs along last."""
    return np.ravel(x) if axis is None or x.ndim == 0 else np.moveaxis(x, axis, -1)


def _put_back(x, a, axis):
    return np.reshape(x, a.shape) if axis is None or a.ndim == 0 else np.moveaxis(x, -1, axis)


def _cumprod_adjoint(g, v, a, axis=None, dtype=None):
    if a.size == 0:
        return np.zeros(a.shape)
    g, v, x = (_lined_up(y, axis) for y in (g, v, a))
    if _divisible(v, g):
        result = _backward(np.cumsum, g * v, -1) / x
    else:
        result = product(_shifted(v, 1), _recur_back(x, g))
    return _put_back(result, a, axis)


def _cumprod_tangent(t, v, a, axis=None, dtype=None):
    if a.size == 0:
        return np.zeros(v.shape)
    t, w, x = (_lined_up(y, axis) for y in (t, v, a))
    ratio = t / x if _divisible(v) else np.inf
    if np.isfinite(ratio).all():
        result = w * np.cumsum(ratio, axis=-1)
    else:
        result = recur(x, product(t, _shifted(w, 1)))
    return _put_back(result, v, axis)


def _cumulative(function, identity, x, axis, dtype, out, include_initial):
    x = np.atleast_1d(arrayed(x))
    if axis is None:
        if x.ndim > 1:
            raise ValueError("for arrays of more than one dimension `axis` is required")
        axis = 0
    result = function(x, axis=axis, dtype=dtype)
    if include_initial:
        shape = tuple(1 if k == axis % x.ndim else n for k, n in enumerate(x.shape))
        result = np.concatenate([np.full(shape, identity, result.dtype), result], axis=axis)
    return into(out, result)


def cumulative_sum(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    return _cumulative(np.cumsum, 0, x, axis, dtype, out, include_initial)


def cumulative_prod(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    return _cumulative(np.cumprod, 1, x, axis, dtype, out, include_initial)


# --------------------------------------------------------------------------- nan left out ---


def _without_nan(a, filling):
    a = arrayed(a)
    return np.where(np.isnan(a), filling, a) if a.dtype.kind in "fc" else a


def _filled(function, filling, a, axis=None, dtype=None, out=None, *args, **options):
    """A reduction or a running one of a with its neutral element in place of nan, as in NumPy."""
    options.update(zip(("keepdims", "initial", "where"), args, strict=False))
    return into(out, function(_without_nan(a, filling), axis=axis, dtype=dtype, **options))


_AXES = "a; axis=None, dtype=None"
# What comes after `out` in NumPy's order is by keyword only.
_EXTREMUM = "a; axis=None, *, keepdims=False, initial=np._NoValue, where=True"

RULES = (
    Rule(
        np.sum,
        f"{_AXES}, *, keepdims=False, initial=np._NoValue, where=True",
        _sum_adjoint,
        _sum_tangent,
        out=True,
    ),
    Rule(
        np.prod,
        f"{_AXES}, *, keepdims=False, initial=np._NoValue, where=True",
        _prod_adjoint,
        _prod_tangent,
        needs="0v",
        out=True,
    ),
    Rule(np.mean, f"{_AXES}, *, keepdims=False, where=True", _mean_adjoint, out=True),
    Rule(
        np.nanmean,
        f"{_AXES}, *, keepdims=False, where=True",
        _nanmean_adjoint,
        _nanmean_tangent,
        needs="0",
        out=True,
    ),
    Rule(np.cumsum, _AXES, _cumsum_adjoint, out=True),
    Rule(np.cumprod, _AXES, _cumprod_adjoint, _cumprod_tangent, needs="0v", out=True),
    # np.max and np.amax are one function in some versions and two in others.
    *(
        Rule(f, _EXTREMUM, _extremum_adjoint, _extremum_tangent, needs="0v", out=True)
        for f in dict.fromkeys((np.max, np.amax, np.min, np.amin, np.nanmax, np.nanmin))
    ),
    Rule(
        recur,
        "a, b",
        (
            lambda g, v, a, b: product(_recur_back(a, g), _shifted(v, 0)),
            lambda g, v, a, b: _recur_back(a, g),
        ),
        (
            lambda t, v, a, b: recur(a, product(t, _shifted(v, 0))),
            lambda t, v, a, b: recur(a, t),
        ),
        needs=("0v", "0"),
    ),
)

COMPOSED = {
    np.ptp: ptp,
    np.nansum: functools.partial(_filled, np.sum, 0),
    np.nanprod: functools.partial(_filled, np.prod, 1),
    np.nancumsum: functools.partial(_filled, np.cumsum, 0),
    np.nancumprod: functools.partial(_filled, np.cumprod, 1),
}
# New in NumPy 2.1.
COMPOSED.update(
    {
        getattr(np, f.__name__): f
        for f in (cumulative_sum, cumulative_prod)
        if hasattr(np, f.__name__)
    }
)

DECISIONS = (
    np.all,
    np.any,
    np.argmax,
    np.argmin,
    np.nanargmax,
    np.nanargmin,
    np.count_nonzero,
    _divisible,
)
