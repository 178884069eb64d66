"""Rules of one-dimensional things: convolution and interpolation.

A convolution is linear in each operand, and its adjoint is a convolution with the other operand
reversed.  The modes "same" and "valid" are cuts from the "full" result, so their adjoints are put
back into one first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .indexing import cast, scattered
from .table import Rule, as_array, primitive

# ---------------------------------------------------------------------------- convolution ---


def _in_full(g: Any, n: int, m: int, start: int) -> Any:
    """g where it was cut from the full convolution of n and m elements."""
    left, right = start, n + m - 1 - start - g.shape[0]
    if left:
        g = np.concatenate((np.zeros(left, g.dtype), g))
    return np.concatenate((g, np.zeros(right, g.dtype))) if right else g


def _start(mode: Any, n: int, m: int, centered: int) -> int:
    """Where the result of a mode begins in the full one."""
    # NumPy takes modes by their first letter, in either case, and by number.
    letter = {0: "v", 1: "s", 2: "f"}[mode] if isinstance(mode, int) else mode[0].lower()
    return {"f": 0, "s": centered, "v": min(n, m) - 1}[letter]


def convolved_with(g: Any, b: Any, operand: Any) -> Any:
    """What comes back through the full convolution of an operand with b."""
    b = np.reshape(b, (-1,))
    return np.reshape(np.convolve(g, b[::-1], "valid"), operand.shape)


def _convolve_adjoint(this: int) -> Any:
    def adjoint(g, v, a, b, mode="full"):
        n, m = max(a.size, 1), max(b.size, 1)
        g = _in_full(g, n, m, _start(mode, n, m, (min(n, m) - 1) // 2))
        return convolved_with(g, b, a) if this == 0 else convolved_with(g, a, b)

    return adjoint


def _correlate_start(mode: Any, n: int, m: int) -> int:
    # "same" keeps the middle as seen from the longer operand, and the full result of the shorter
    # one with the longer runs backward.
    return _start(mode, n, m, (m - 1) // 2 if n >= m else n // 2)


def _correlate_adjoint_a(g, v, a, b, mode="valid"):
    g = _in_full(g, a.size, b.size, _correlate_start(mode, a.size, b.size))
    return convolved_with(g, np.conj(b)[::-1], a)


def _correlate_adjoint_v(g, v, a, b, mode="valid"):
    g = _in_full(g, a.size, b.size, _correlate_start(mode, a.size, b.size))
    return np.conj(convolved_with(g, a, b)[::-1])


# -------------------------------------------------------------------------- interpolation ---


def interp(x, xp, fp, left=None, right=None, period=None):
    """np.interp, of which every argument may be tracked."""
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    x, xp = cast(x, float), cast(xp, float)
    fp = cast(fp, complex if fp.dtype.kind == "c" else float)
    if period is not None:
        if np.all(period == 0):
            raise ValueError("period must be a non-zero value")
        if xp.ndim != 1 or fp.ndim != 1:
            raise ValueError("Data points must be 1-D sequences")
        if xp.shape[0] != fp.shape[0]:
            raise ValueError("fp and xp are not of the same length")
        period = abs(period)
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
        left = right = None
    v = interpolated(x, xp, fp)
    if left is not None:
        v = np.where(x < xp[0], left, v)
    if right is not None:
        v = np.where(x > xp[-1], right, v)
    return v


@primitive
def interpolated(x: Any, xp: Any, fp: Any) -> Any:
    """np.interp with the values at the ends kept outside."""
    return np.interp(x, xp, fp)


def _segment(x: Any, xp: Any) -> tuple[Any, Any, Any]:
    """The first knot of the segment that NumPy uses for each x; what is below, what is above.

    At an inner knot it is the one to the right.  At the last knot, where there is none, it is the
    last one.
    """
    last = max(xp.shape[0] - 2, 0)
    j = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, last)
    return j, x < xp[0], x > xp[-1]


def _slope(x, xp, fp):
    """df/dx in the segments of x, 0 outside."""
    if xp.shape[0] < 2:
        return np.zeros(x.shape, fp.dtype)
    j, below, above = _segment(x, xp)
    slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j])
    return np.where(below | above, np.zeros((), fp.dtype), slope)


def _share(x, xp):
    """How far x is in its segment, from 0 to 1; j and j + 1 are its ends."""
    j, below, above = _segment(x, xp)
    if xp.shape[0] < 2:
        return j, j, np.zeros(x.shape)
    w = (x - xp[j]) / (xp[j + 1] - xp[j])
    return j, j + 1, np.where(below, 0.0, np.where(above, 1.0, w))


def _to_knots(g, x, xp):
    """The adjoint of an interpolation between knots, by the values at the knots."""
    j, k, w = _share(x, xp)
    n = (xp.shape[0],)
    return scattered(g * (1.0 - w), j, n) + scattered(g * w, k, n)


def _from_knots(t, x, xp):
    """t at the knots, interpolated."""
    j, k, w = _share(x, xp)
    return t[j] * (1.0 - w) + t[k] * w


# --------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(
        np.convolve,
        "a, v; mode='full'",
        (_convolve_adjoint(0), _convolve_adjoint(1)),
        needs=("1", "0"),
    ),
    Rule(
        np.correlate,
        "a, v; mode='valid'",
        (_correlate_adjoint_a, _correlate_adjoint_v),
        (
            lambda t, v, a, b, mode="valid": np.correlate(t, b, mode),
            lambda t, v, a, b, mode="valid": np.correlate(a, t, mode),
        ),
        needs=("1", "0"),
    ),
    Rule(
        interpolated,
        "x, xp, fp",
        (
            lambda g, v, x, xp, fp: g * _slope(x, xp, fp),
            lambda g, v, x, xp, fp: _to_knots(-g * _slope(x, xp, fp), x, xp),
            lambda g, v, x, xp, fp: _to_knots(g, x, xp),
        ),
        (
            lambda t, v, x, xp, fp: t * _slope(x, xp, fp),
            lambda t, v, x, xp, fp: -_from_knots(t, x, xp) * _slope(x, xp, fp),
            lambda t, v, x, xp, fp: _from_knots(t, x, xp),
        ),
        needs=("012", "012", "01"),
    ),
)

COMPOSED = {np.interp: interp}
