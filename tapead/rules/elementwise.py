"""Functions that work element by element and are no ufuncs: parts of complex numbers, bounds,
replaced nans, unwrapped angles, sinc and Bessel's function I.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapead.errors import UnsupportedError, located

from .table import Rule, as_array, primitive, product, unbroadcast
from .ufuncs import dtype_of, is_complex

# ------------------------------------------------------------------ parts of complex numbers ---


def _copied(part: np.ndarray) -> np.ndarray:
    # NumPy's is a view.  What is written into a copy would not reach the whole: better an error.
    part = np.array(part)
    part.flags.writeable = False
    return part


@primitive
def real_part(z: Any) -> Any:
    """The real part of a complex array: a copy, not to be written into."""
    return _copied(np.real(z))


@primitive
def imaginary_part(z: Any) -> Any:
    """The imaginary part of a complex array: a copy, not to be written into."""
    return _copied(np.imag(z))


@primitive
def is_nearly_real(a: Any, tol: float) -> bool:
    """Whether np.real_if_close drops the imaginary part."""
    return not np.iscomplexobj(np.real_if_close(a, tol))


def _real(val: Any) -> Any:
    val = as_array(val)
    return real_part(val) if is_complex(val) else val


def _imag(val: Any) -> Any:
    val = as_array(val)
    if is_complex(val):
        return imaginary_part(val)
    return np.imag(np.zeros(np.shape(val), dtype_of(val)))


def _real_if_close(a: Any, tol: float = 100) -> Any:
    a = as_array(a)
    return real_part(a) if is_complex(a) and is_nearly_real(a, tol) else a


def _turned(x: Any, z: Any, deg: bool) -> Any:
    """x / z, the tangent of log(z), in degrees if wanted; 0 for reals, whose angle is constant."""
    if not is_complex(z):
        return np.zeros(np.shape(x), x.dtype)
    return x / z * (180.0 / np.pi) if deg else x / z


# ---------------------------------------------------------------------------- bounds, and nan ---


@primitive
def bounded(a: Any, low: Any, high: Any) -> Any:
    """np.clip with both bounds."""
    return np.clip(a, low, high)


# Which of the three is the result; at a tie it is a, and where the bounds cross it is `high`.
_RESULTS = (
    lambda a, low, high: ~np.asarray((a < low) | (a > high)),
    lambda a, low, high: (a < low) & (low <= high),
    lambda a, low, high: (a > high) | (low > high),
)


def _taken(k: int, x: Any, operands: tuple) -> Any:
    """x where the k-th operand of `bounded` is the result, 0 elsewhere."""
    return np.where(_RESULTS[k](*operands), x, np.zeros((), x.dtype))


def _fitted(g: Any, like: Any) -> Any:
    return unbroadcast(g, like) if hasattr(like, "shape") else np.sum(g)


def _clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None,
    max: Any = None, **options: Any,
) -> Any:  # fmt: skip
    if options:
        raise located(
            UnsupportedError,
            f"np.clip with {', '.join(options)}= has no derivative.",
            "Cast the array before it, or choose between elements by np.where after it.",
        )
    a = _given(a)
    low, high = _given(a_min if min is None else min), _given(a_max if max is None else max)
    if low is None and high is None:
        np.clip(0.0, None, None)  # an error in some versions of NumPy
        result = np.positive(a)
    else:
        result = bounded(a, _bound(low, -np.inf, a, high), _bound(high, np.inf, a, low))
    if out is None:
        return result
    out[...] = result
    return out


def _given(x: Any) -> Any:
    return as_array(x) if isinstance(x, (list, tuple)) else None if x is np._NoValue else x


def _bound(x: Any, infinity: float, a: Any, other: Any) -> Any:
    """A bound in a form that gives the result the dtype that NumPy gives it."""
    if x is None:
        kinds = [dtype_of(y) for y in (a, other) if dtype_of(y).kind in "fc"]
        return np.asarray(infinity, kinds[0])
    if type(x) in (int, float, bool) and dtype_of(a).kind in "fc":
        return np.asarray(x, dtype_of(a))
    return x


@primitive
def finite(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    """np.nan_to_num into a new array."""
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    if copy:
        return finite(x, nan, posinf, neginf)
    x[...] = finite(x, nan, posinf, neginf)
    return x


def _where_finite(g: Any, x: Any) -> Any:
    """g, but 0 for those parts of x that are replaced."""
    if not is_complex(x):
        return np.where(np.isfinite(x), g, np.zeros((), dtype_of(g)))
    zero = np.zeros((), np.finfo(dtype_of(x)).dtype)
    real = np.where(np.isfinite(np.real(x)), np.real(g), zero)
    return real + 1j * np.where(np.isfinite(np.imag(x)), np.imag(g), zero)


# --------------------------------------------------------------------- sinc and Bessel's I ---


@primitive
def sinc_slope(x: Any, n: int) -> Any:
    """The n-th derivative of np.sinc, n > 0.

    With y = pi x and s(y) = sin(y) / y, differentiating y s = sin(y) n times gives
    y s_n + n s_(n-1) = sin(y + n pi / 2).  Divided by y this loses n! / y**n in digits; so below
    y = n it is Taylor's series, the sum over even m + n of (-1)**((m+n)/2) y**m / m! / (m + n + 1).
    """
    y = np.asarray(np.pi * x)
    waves = (np.sin(y), np.cos(y))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = waves[0] / y
        for k in range(1, n + 1):
            slope = (waves[k % 2] * (1, 1, -1, -1)[k % 4] - k * slope) / y
    slope, small = np.asarray(slope), np.abs(y) < n
    y = y[small]
    term, total = np.ones_like(y), np.zeros_like(y)
    for m in range(3 * n + 20):
        if (m + n) % 2 == 0:
            total += (1 - (m + n) % 4) * term / (m + n + 1)
        term = term * y / (m + 1)
    slope[small] = total
    return slope * np.pi**n


@primitive
def bessel_i(x: Any, n: int) -> Any:
    """The modified Bessel function I_n of real x, n > 0; NumPy has that for n = 0 only."""
    x = np.asarray(x)
    y = np.abs(x).astype(np.float64)
    value = np.empty_like(y)
    near = y <= 30.0 + n * n
    value[near] = _bessel_series(y[near], n)
    value[~near] = _bessel_far(y[~near], n)
    return (value * np.sign(x) ** n).astype(x.dtype)


def _bessel_series(y: np.ndarray, n: int) -> np.ndarray:
    """Abramowitz and Stegun 9.6.10; all terms are positive."""
    term = np.ones_like(y)
    for k in range(1, n + 1):
        term *= 0.5 * y / k
    total, k, square = term.copy(), 0, 0.25 * y * y
    while np.any(term > 1e-17 * total):
        k += 1
        term *= square / (k * (k + n))
        total += term
    return total


def _bessel_far(y: np.ndarray, n: int) -> np.ndarray:
    """Abramowitz and Stegun 9.7.1; for y > 30 + n^2 thirty terms are more than enough."""
    term, total = np.ones_like(y), np.ones_like(y)
    for k in range(1, 31):
        term *= ((2 * k - 1) ** 2 - 4 * n * n) / (8.0 * k) / y
        total += term
    return np.exp(y) / np.sqrt(2.0 * np.pi * y) * total


def _bessel_slope(x: Any, n: int) -> Any:
    """Abramowitz and Stegun 9.6.26."""
    return 0.5 * ((np.i0(x) if n == 1 else bessel_i(x, n - 1)) + bessel_i(x, n + 1))


def _of_one(function: Callable, signature: str, slope: Callable) -> Rule:
    """The row of a function of one array by its derivative."""

    def times(g: Any, v: Any, x: Any, **options: Any) -> Any:
        return product(g, slope(x, **options))

    return Rule(function, signature, times, times, needs="0")


# ------------------------------------------------------------------------------------ rows ---

RULES = (
    Rule(real_part, "z", lambda g, v, z: g),
    Rule(imaginary_part, "z", lambda g, v, z: -1j * g),
    Rule(
        np.angle,
        "z; deg=False",
        lambda g, v, z, deg: -1j * _turned(g, z, deg) if is_complex(z) else _turned(g, z, deg),
        lambda t, v, z, deg: np.imag(_turned(t, z, deg)),
        needs="0",
    ),
    Rule(
        bounded,
        "a, low, high",
        tuple(lambda g, v, *x, k=k: _fitted(_taken(k, g, x), x[k]) for k in range(3)),
        tuple(lambda t, v, *x, k=k: _taken(k, t, x) for k in range(3)),
        needs="012",
    ),
    Rule(
        finite,
        "x; nan, posinf, neginf",
        lambda g, v, x, **options: _where_finite(g, x),
        lambda t, v, x, **options: _where_finite(t, x),
        needs="0",
    ),
    # What it adds is a whole number of periods.
    Rule(
        np.unwrap,
        "p; discont=None, axis=-1, *, period=6.283185307179586",
        lambda g, v, p, **options: g,
        lambda t, v, p, **options: t,
    ),
    _of_one(np.sinc, "x", lambda x: sinc_slope(x, 1)),
    _of_one(sinc_slope, "x; n", lambda x, n: sinc_slope(x, n + 1)),
    _of_one(np.i0, "x", lambda x: bessel_i(x, 1)),
    _of_one(bessel_i, "x; n", _bessel_slope),
)

COMPOSED = {
    np.real: _real,
    np.imag: _imag,
    np.real_if_close: _real_if_close,
    np.clip: _clip,
    np.nan_to_num: _nan_to_num,
}

DECISIONS = (
    np.round, np.around, np.fix,
    np.isclose, np.allclose, np.array_equal, np.array_equiv,
    np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.isposinf, np.isneginf,
    is_nearly_real,
)  # fmt: skip
