"""Differences of neighbors, and what is made of them: `np.gradient` and `np.trapezoid`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .indexing import arrayed
from .reductions import axes_of, cast, unsupported
from .table import Rule, primitive


def _cut(x: Any, axis: int, begin: int | None, end: int | None) -> Any:
    """x[begin:end] along an axis."""
    return x[(slice(None),) * (axis % x.ndim) + (slice(begin, end),)]


# ----------------------------------------------------------------------------- differences ---


@primitive
def differences(a: Any, n: int = 1, axis: int = -1) -> Any:
    """np.diff of one array."""
    return np.diff(a, n, axis)


def _differences_adjoint(g, v, a, n=1, axis=-1):
    """Differences of the adjoint between zeros, the other way round."""
    if g.size == 0:
        return np.zeros(a.shape)
    zeros = np.zeros([n if k == axis % a.ndim else m for k, m in enumerate(a.shape)], a.dtype)
    back = np.diff(np.concatenate([zeros, g, zeros], axis=axis), n, axis)
    return -back if n % 2 else back


def _edge(x: Any, a: Any, axis: int) -> Any:
    """What is put before or after: a number stands for a slice of it."""
    x = arrayed(x)
    if x.ndim:
        return x
    return np.broadcast_to(x, [1 if k == axis % a.ndim else m for k, m in enumerate(a.shape)])


def diff(a, n=1, axis=-1, prepend=np._NoValue, append=np._NoValue):
    if n == 0:
        return a
    a = arrayed(a)
    if n < 0 or a.ndim == 0:
        raise ValueError("diff takes an order that is not negative and at least one dimension")
    parts = [
        x if x is a else _edge(x, a, axis) for x in (prepend, a, append) if x is not np._NoValue
    ]
    whole = a if len(parts) == 1 else np.concatenate(parts, axis=axis)
    return differences(whole, n=n, axis=axis)


def ediff1d(ary, to_end=None, to_begin=None):
    a = np.ravel(arrayed(ary))
    parts = [differences(a, n=1, axis=-1)]
    for end, place in ((to_begin, 0), (to_end, len(parts) + 1)):
        if end is None:
            continue
        end = np.ravel(arrayed(end))
        if not np.can_cast(end.dtype, a.dtype, "same_kind"):
            raise TypeError("what is put at an end must be compatible with the array's dtype")
        parts.insert(place, cast(end, a.dtype))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = arrayed(y)
    if x is None:
        width = dx
    else:
        x = arrayed(x)
        width = np.diff(x, axis=axis if x.ndim != 1 else -1)
        if x.ndim == 1:
            width = np.reshape(width, [-1 if k == axis % y.ndim else 1 for k in range(y.ndim)])
    return np.sum(width * (_cut(y, axis, 1, None) + _cut(y, axis, None, -1)) / 2.0, axis=axis)


# -------------------------------------------------------------------------------- gradient ---


def _spacing(x: Any, n: int) -> tuple[Any, bool]:
    """The distance of neighbors, or all of n coordinates' distances; and whether it is but one."""
    given, x = x, arrayed(x)
    if x.ndim == 0:
        return given, True
    if x.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    if len(x) != n:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    h = np.diff(x if x.dtype.kind in "fc" else x.astype(float))
    if not np.all(h == h[0]):
        return h, False
    # NumPy takes the formulas for one distance, which have no derivative by the others.
    if hasattr(type(h[0]), "__array_function__"):
        raise unsupported("np.gradient over evenly spaced coordinates that are tracked")
    return h[0], True


def _inner(f: Any, h: Any, even: bool, axis: int) -> Any:
    """The derivative at all elements but the first and the last."""
    before, here, after = _cut(f, axis, None, -2), _cut(f, axis, 1, -1), _cut(f, axis, 2, None)
    if even:
        return (after - before) / (2.0 * h)
    h = np.reshape(h, [-1 if k == axis else 1 for k in range(f.ndim)])
    h1, h2 = _cut(h, axis, None, -1), _cut(h, axis, 1, None)
    a = -h2 / (h1 * (h1 + h2))
    b = (h2 - h1) / (h1 * h2)
    c = h1 / (h2 * (h1 + h2))
    return a * before + b * here + c * after


def _end_weights(h1: Any, h2: Any, even: bool) -> tuple[Any, Any, Any]:
    """Weights of an end and the two next to it in the derivative at the end, of second order."""
    if even:
        return -1.5 / h1, 2.0 / h1, -0.5 / h1
    a = -(2.0 * h1 + h2) / (h1 * (h1 + h2))
    b = (h1 + h2) / (h1 * h2)
    return a, b, -h1 / (h2 * (h1 + h2))


def _ends(f: Any, h: Any, even: bool, axis: int, edge_order: int) -> tuple[Any, Any]:
    """The derivative at the first and the last element."""
    places = (0, 1, edge_order, -edge_order - 1, -2, -1)
    x = [f[(slice(None),) * axis + (k,)] for k in places]
    h1, h2, h3, h4 = (h,) * 4 if even else (h[0], h[1], h[-2], h[-1])
    if edge_order == 1:
        return (x[1] - x[0]) / h1, (x[5] - x[4]) / h4
    a, b, c = _end_weights(h1, h2, even)
    first = a * x[0] + b * x[1] + c * x[2]
    a, b, c = _end_weights(h4, h3, even)  # the other way round, so with other signs
    return first, -c * x[3] + -b * x[4] + -a * x[5]


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    if f.shape[axis] < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, "
            "at least (edge_order + 1) elements are required."
        )
    h, even = _spacing(spacing, f.shape[axis])
    first, last = (np.expand_dims(arrayed(x), axis) for x in _ends(f, h, even, axis, edge_order))
    parts = (first, _inner(f, h, even, axis), last)
    return np.concatenate([cast(x, f.dtype) for x in parts], axis=axis)


def gradient(f, *varargs, axis=None, edge_order=1):
    """As NumPy's, in pieces that need not be written into one array."""
    f = arrayed(f)
    f = f if f.dtype.kind in "fc" else f.astype(float)
    axes = axes_of(axis, f.ndim)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if not varargs:
        varargs = (1.0,)
    if len(varargs) == 1 and arrayed(varargs[0]).ndim == 0:
        varargs *= len(axes)
    if len(varargs) != len(axes):
        raise TypeError("invalid number of arguments")
    slopes = [_slope(f, x, k, edge_order) for x, k in zip(varargs, axes, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


RULES = (Rule(differences, "a; n=1, axis=-1", _differences_adjoint),)

COMPOSED = {np.diff: diff, np.ediff1d: ediff1d, np.gradient: gradient}
# The name changed in NumPy 2.0.
COMPOSED.update(
    {getattr(np, name): trapezoid for name in ("trapezoid", "trapz") if hasattr(np, name)}
)
