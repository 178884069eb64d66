"""SciPy's special functions, for tracked arrays too.

Everything that ``scipy.special`` has is here under its own name.  Its ufuncs are SciPy's own
objects, which find the rules of tapead by themselves; its other functions are primitives or
compositions with the same signatures and values.

>>> import numpy as np, tapead
>>> from tapead.scipy import special
>>> tapead.grad(special.logsumexp)(np.zeros(4))
array([0.25, 0.25, 0.25, 0.25])
"""

from __future__ import annotations

import numpy as np
from scipy import special as _sp

from tapead.errors import UnsupportedError
from tapead.rules.table import Rule, as_array, expanded, primitive, product, unbroadcast

from .rows import bessels, errors, gammas, hypergeometric
from .rows.bessels import spherical_in, spherical_jn, spherical_kn, spherical_yn
from .rows.gammas import hurwitz, polygamma
from .rows.words import refused

# ------------------------------------------------------------------- sums of exponentials ---


def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """scipy.special.logsumexp."""
    a = as_array(a)
    if return_sign and np.iscomplexobj(a):
        raise UnsupportedError("logsumexp(return_sign=True) of complex numbers")
    options = {"axis": axis, "keepdims": keepdims, "return_sign": return_sign}
    return _lse(a, **options) if b is None else _weighted_lse(a, as_array(b), **options)


@primitive
def _lse(a, axis=None, keepdims=False, return_sign=False):
    return _sp.logsumexp(a, axis=axis, keepdims=keepdims, return_sign=return_sign)


@primitive
def _weighted_lse(a, b, axis=None, keepdims=False, return_sign=False):
    return _sp.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=return_sign)


def _shares(a, v, ndim, axis, keepdims, return_sign):
    """What each exponential is of the sum: the slopes of logsumexp but for the weights."""
    total, sign = v if return_sign else (v, None)
    total = expanded(total, ndim, axis, keepdims)
    if np.isfinite(total).all():
        shares = np.exp(a - total)
    else:
        # Of an infinite sum, all belongs to the infinite terms; a sum without terms has none.
        infinite = np.isinf(total)
        shares = np.exp(np.where(infinite, 0.0, a) - np.where(infinite, 0.0, total))
        shares = np.where(infinite, (a == total) & (np.real(a) > 0), shares)
    return shares if sign is None else shares * expanded(sign, ndim, axis, keepdims)


def _result_of(g, return_sign):
    """The adjoint of the logarithm: a sign is piecewise constant."""
    return g[0] if return_sign else g


def _lse_adjoint(operand, weights):
    """The adjoint by a, for operand 0, or by the weights, for 1."""

    def adjoint(g, v, a, b=None, axis=None, keepdims=False, return_sign=False):
        ndim = max(a.ndim, b.ndim) if weights else a.ndim
        g = expanded(_result_of(g, return_sign), ndim, axis, keepdims)
        shares = _shares(a, v, ndim, axis, keepdims, return_sign)
        if operand == 1:
            full = np.broadcast_shapes(a.shape, b.shape)
            return unbroadcast(np.broadcast_to(g * shares, full), b)
        return unbroadcast(g * product(shares, b), a) if weights else g * shares

    return adjoint


def _lse_tangent(operand, weights):
    def tangent(t, v, a, b=None, axis=None, keepdims=False, return_sign=False):
        ndim = max(a.ndim, b.ndim) if weights else a.ndim
        shares = _shares(a, v, ndim, axis, keepdims, return_sign)
        if weights and operand == 0:
            shares = product(shares, b)
        result = np.sum(t * shares, axis=axis, keepdims=keepdims)
        return (result, np.zeros(result.shape)) if return_sign else result

    return tangent


@primitive
def softmax(x, axis=None):
    """scipy.special.softmax."""
    return _sp.softmax(x, axis=axis)


@primitive
def log_softmax(x, axis=None):
    """scipy.special.log_softmax."""
    return _sp.log_softmax(x, axis=axis)


def _softmax_derivative(g, v, x, axis=None):
    return v * (g - np.sum(g * v, axis=axis, keepdims=True))


def _log_softmax_adjoint(g, v, x, axis=None):
    return g - np.exp(v) * np.sum(g, axis=axis, keepdims=True)


def _log_softmax_tangent(t, v, x, axis=None):
    return t - np.sum(np.exp(v) * t, axis=axis, keepdims=True)


# ------------------------------------------------------------------------ other functions ---


def zeta(x, q=None, out=None):
    """scipy.special.zeta; a derivative by q only, for which it has to be given."""
    if out is not None:
        raise UnsupportedError("scipy.special.zeta(out=...)")
    return _riemann(x) if q is None else hurwitz(x, q)


@primitive
def _riemann(x):
    return _sp.zeta(x)


def multigammaln(a, d):
    """scipy.special.multigammaln."""
    a = as_array(a)
    if not np.isscalar(d) or np.floor(d) != d:
        raise ValueError("d should be a positive integer (dimension)")
    if np.any(a <= 0.5 * (d - 1)):
        raise ValueError(f"condition a > 0.5 * (d-1) ({0.5 * (d - 1):f}) not met")
    terms = [_sp.loggamma(a - (j - 1.0) / 2) for j in range(1, d + 1)]
    return np.sum(np.stack(terms), axis=0) + (d * (d - 1) * 0.25) * np.log(np.pi)


@primitive
def lambertw(z, k=0, tol=1e-8):
    """scipy.special.lambertw."""
    return _sp.lambertw(z, k, tol)


def _lambertw_slope(v):
    """1 / (z + exp(w)), which is w / (z (1 + w)) without a hole at 0."""
    return np.exp(-v) / (1.0 + v)


def comb(N, k, *, exact=False, repetition=False):  # noqa: N803 - SciPy's name
    """scipy.special.comb; of real numbers where `exact` is false."""
    if exact:
        return _sp.comb(N, k, exact=True, repetition=repetition)
    N, k = as_array(N), as_array(k)  # noqa: N806
    if repetition:
        return np.where((k == 0) & (N >= 0), 1.0, _sp.binom(N + k - 1, k))
    return np.where((k <= N) & (N >= 0) & (k >= 0), _sp.binom(N, k), 0.0)


def perm(N, k, exact=False):  # noqa: N803
    """scipy.special.perm; of real numbers where `exact` is false."""
    if exact:
        return _sp.perm(N, k, exact=True)
    N, k = as_array(N), as_array(k)  # noqa: N806
    return np.where((k <= N) & (N >= 0) & (k >= 0), _sp.poch(N - k + 1, k), 0.0)


@primitive
def factorial(n, exact=False, extend="zero"):
    """scipy.special.factorial."""
    options = {} if extend == "zero" else {"extend": extend}
    return _sp.factorial(n, exact=exact, **options)


def _factorial_slope(n, v):
    natural = n >= 0
    n = np.where(natural, n, 0.0)
    return np.where(natural, v * _sp.psi(n + 1.0), 0.0)


@primitive
def softplus(x):
    """scipy.special.softplus."""
    return _sp.softplus(x)


def _bessel_derivative(function, phase, name):
    """jvp and its kin: n-th derivatives by differences of orders (DLMF 10.6.7 and 10.29.5)."""

    def derivative(v, z, n=1):
        if n == 0:
            return function(v, z)
        v, p = as_array(v), 1.0
        s = function(v - n, z)
        for i in range(1, n + 1):
            p = phase * (p * (n - i + 1)) / i
            s = s + p * function(v - n + i * 2, z)
        return s / (2.0**n)

    derivative.__name__ = derivative.__qualname__ = name
    derivative.__doc__ = f"scipy.special.{name}."
    return derivative


jvp = _bessel_derivative(_sp.jv, -1, "jvp")
yvp = _bessel_derivative(_sp.yv, -1, "yvp")
h1vp = _bessel_derivative(_sp.hankel1, -1, "h1vp")
h2vp = _bessel_derivative(_sp.hankel2, -1, "h2vp")
ivp = _bessel_derivative(_sp.iv, 1, "ivp")
_kvp = _bessel_derivative(_sp.kv, 1, "kvp")


def kvp(v, z, n=1):
    """scipy.special.kvp."""
    return (-1) ** n * _kvp(v, z, n)


# --------------------------------------------------------------------------------- tables ---

_LSE = "axis=None, keepdims=False, return_sign=False"
_MODULES = (errors, gammas, bessels, hypergeometric)

RULES = (
    *(row for module in _MODULES for row in module.RULES),
    Rule(_lse, f"a; {_LSE}", _lse_adjoint(0, False), _lse_tangent(0, False), needs="0v"),
    Rule(
        _weighted_lse,
        f"a, b; {_LSE}",
        (_lse_adjoint(0, True), _lse_adjoint(1, True)),
        (_lse_tangent(0, True), _lse_tangent(1, True)),
        needs=("01v", "0v"),
    ),
    Rule(softmax, "x; axis=None", _softmax_derivative, _softmax_derivative, needs="v"),
    Rule(log_softmax, "x; axis=None", _log_softmax_adjoint, _log_softmax_tangent, needs="v"),
    Rule(_riemann, "x", refused("zeta", "x"), refused("zeta", "x")),
    Rule(
        lambertw,
        "z; k=0, tol=1e-8",
        lambda g, v, z, k=0, tol=1e-8: g * _lambertw_slope(v),
        lambda t, v, z, k=0, tol=1e-8: t * _lambertw_slope(v),
        needs="v",
    ),
    Rule(
        factorial,
        "n; exact=False, extend='zero'",
        lambda g, v, n, exact=False, extend="zero": g * _factorial_slope(n, v),
        lambda t, v, n, exact=False, extend="zero": t * _factorial_slope(n, v),
        needs="0v",
    ),
    Rule(
        softplus,
        "x",
        lambda g, v, x: g * _sp.expit(x),
        lambda t, v, x: t * _sp.expit(x),
        needs="0",
    ),
)

# What stands here in the place of SciPy's functions that are not ufuncs: primitives, and others.
_PRIMITIVES = (
    softmax, log_softmax, polygamma, lambertw, factorial, softplus,
    spherical_jn, spherical_yn, spherical_in, spherical_kn,
)  # fmt: skip
_COMPOSED = (logsumexp, zeta, multigammaln, comb, perm, jvp, yvp, ivp, kvp, h1vp, h2vp)
COMPOSED = {getattr(_sp, f.__name__): f for f in _COMPOSED}
REPLACES = COMPOSED | {getattr(_sp, f.__name__): f for f in _PRIMITIVES if hasattr(_sp, f.__name__)}

DECISIONS = tuple(f for module in _MODULES for f in getattr(module, "DECISIONS", ()))

__all__ = list(_sp.__all__)
globals().update({k: getattr(_sp, k) for k in __all__ if k not in globals()})
