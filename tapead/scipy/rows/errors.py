"""Rows of the error functions and the normal distribution's, of exponentials and logarithms."""

from __future__ import annotations

import math

import numpy as np
from scipy import special as sp

from tapead.rules.table import Elementwise, Rule

from .words import SQRT_2, SQRT_2PI, SQRT_PI, chosen, several

_C = 2.0 / SQRT_PI
_DEGREE = math.pi / 180.0
_LN2, _LN10 = math.log(2.0), math.log(10.0)


def _tail(z, sign):
    """sum of (2k - 1)!! (sign / (2 z**2))**k, k from 1: what 2 z erfcx(z) SQRT_PI / 2 lacks to 1.

    The asymptotic series of Abramowitz and Stegun 7.1.23, where the difference itself would have
    no digits left.
    """
    u = sign * 0.5 / (z * z)
    return u * (1.0 + 3.0 * u * (1.0 + 5.0 * u * (1.0 + 7.0 * u * (1.0 + 9.0 * u * (1 + 11 * u)))))


def _erfcx_slope(z, v):
    if np.iscomplexobj(z):
        return 2.0 * z * v - _C
    far = z > 50.0
    if not np.any(far):
        return 2.0 * z * v - _C
    near = 2.0 * np.where(far, 0.0, z) * np.where(far, 0.0, v) - _C
    return np.where(far, _C * _tail(np.where(far, z, 50.0), -1.0), near)


def _dawsn_slope(z, v):
    if np.iscomplexobj(z):
        return 1.0 - 2.0 * z * v
    far = abs(z) > 50.0
    if not np.any(far):
        return 1.0 - 2.0 * z * v
    near = 1.0 - 2.0 * np.where(far, 0.0, z) * np.where(far, 0.0, v)
    return np.where(far, -_tail(np.where(far, z, 50.0), 1.0), near)


def _hazard(x):
    """The normal density over the distribution function: the slope of log_ndtr."""
    return math.sqrt(2.0 / math.pi) / sp.erfcx(-x / SQRT_2)


def _density(x):
    return np.exp(-0.5 * x * x) / SQRT_2PI


def _voigt(x, sigma, gamma):
    """The slope, by its argument, of the function whose real part is the Voigt profile."""
    z = (x + 1j * gamma) / (sigma * SQRT_2)
    w = sp.wofz(z)
    return z, w, (1j * _C - 2.0 * z * w) / (sigma * SQRT_2PI)


def _voigt_x(x, sigma, gamma, v):
    return np.real(_voigt(x, sigma, gamma)[2]) / (sigma * SQRT_2)


def _voigt_sigma(x, sigma, gamma, v):
    z, _, slope = _voigt(x, sigma, gamma)
    return -(v + np.real(slope * z)) / sigma


def _voigt_gamma(x, sigma, gamma, v):
    return np.real(1j * _voigt(x, sigma, gamma)[2]) / (sigma * SQRT_2)


def _sinhc(z):
    """sinh(z) / z."""
    origin = z == 0
    z = np.where(origin, 1.0, z)
    return np.where(origin, 1.0, np.sinh(z) / z)


def _ratio(x, y):
    """x / y, and 0 for 0 / 0."""
    neither = (x == 0) & (y == 0)
    return x / (np.where(neither, 1.0, y) if np.any(neither) else y)


def _huber_delta(delta, r, v):
    return np.where(abs(r) > delta, abs(r) - delta, 0.0)


def _huber_r(delta, r, v):
    return np.where(abs(r) > delta, delta * np.sign(r), r)


def _pseudo_huber_delta(delta, r, v):
    u = r / delta
    s = np.sqrt(1.0 + u * u)
    return delta * u**4 / (s * (s + 1.0) ** 2)


# ------------------------------------------------------------- powers with a logarithm within ---


def _power_slope(logarithm, exponent):
    """The slope of (exp(exponent * logarithm) - 1) / exponent by the exponent."""
    return 0.5 * logarithm * logarithm * sp.hyp1f1(2.0, 3.0, exponent * logarithm)


def _boxcox_lambda(logarithm, exponent):
    lowest = logarithm == -np.inf
    slope = _power_slope(np.where(lowest, 0.0, logarithm), exponent)
    return np.where(lowest, 1.0 / np.where(lowest, exponent, 1.0) ** 2, slope)


def _root_slope(t):
    """The slope of log1p(t) / t."""
    return chosen(
        t < 1.0,
        lambda t: -0.5 * sp.hyp2f1(2.0, 2.0, 3.0, -t),
        0.0,
        lambda t: (t / (1.0 + t) - np.log1p(t)) / (t * t),
        t,
        2.0,
    )


def _inv_boxcox_lambda(y, exponent, power):
    return power * y * y * _root_slope(exponent * y)


def _spence_slope(z, v):
    if np.iscomplexobj(z):
        return np.log(z) / (1.0 - z)
    return chosen(
        abs(z - 1.0) < 0.5,
        lambda z: -sp.hyp2f1(1.0, 1.0, 2.0, 1.0 - z),
        1.0,
        lambda z: np.log(z) / (1.0 - z),
        z,
        2.0,
    )


def _expn_slope(n, x, v):
    """E_n' = -E_(n-1) (DLMF 8.19.13); E_0 is exp(-x) / x."""
    lowest = n == 0
    if not np.any(lowest):
        return -sp.expn(n - 1, x)
    slope = -np.exp(-x) * (1.0 + 1.0 / x) / x
    return np.where(lowest, slope, -sp.expn(np.where(lowest, 1, n) - 1, x))


# ----------------------------------------------------------------------------------- tables ---


def _one(ufunc, partial, needs="0"):
    return Elementwise(ufunc, (partial,), needs)


RULES = (
    _one(sp.erf, lambda x, v: _C * np.exp(-x * x)),
    _one(sp.erfc, lambda x, v: -_C * np.exp(-x * x)),
    _one(sp.erfcx, _erfcx_slope, "0v"),
    _one(sp.erfi, lambda x, v: _C * np.exp(x * x)),
    _one(sp.dawsn, _dawsn_slope, "0v"),
    _one(sp.wofz, lambda z, v: 1j * _C - 2.0 * z * v, "0v"),
    _one(sp.erfinv, lambda x, v: np.exp(v * v) / _C, "v"),
    _one(sp.erfcinv, lambda x, v: -np.exp(v * v) / _C, "v"),
    _one(sp.ndtr, lambda x, v: _density(x)),
    _one(sp.log_ndtr, lambda x, v: _hazard(x)),
    _one(sp.ndtri, lambda x, v: SQRT_2PI * np.exp(0.5 * v * v), "v"),
    _one(sp.ndtri_exp, lambda x, v: 1.0 / _hazard(v), "v"),
    Elementwise(
        sp.owens_t,
        (
            lambda h, a, v: -0.5 * _density(h) * sp.erf(a * h / SQRT_2),
            lambda h, a, v: np.exp(-0.5 * h * h * (1.0 + a * a)) / (2 * math.pi * (1.0 + a * a)),
        ),
        "01",
    ),
    Elementwise(sp.voigt_profile, (_voigt_x, _voigt_sigma, _voigt_gamma), ("012", "012v", "012")),
    _one(sp.expit, lambda x, v: v * sp.expit(-x), "0v"),
    _one(sp.logit, lambda x, v: 1.0 / (x * (1.0 - x))),
    _one(sp.log_expit, lambda x, v: sp.expit(-x)),
    _one(sp.expm1, lambda x, v: np.exp(x)),
    _one(sp.exp2, lambda x, v: _LN2 * v, "v"),
    _one(sp.exp10, lambda x, v: _LN10 * v, "v"),
    _one(sp.exprel, lambda x, v: 0.5 * sp.hyp1f1(2.0, 3.0, x)),
    _one(sp.log1p, lambda x, v: 1.0 / (1.0 + x)),
    _one(sp.cbrt, lambda x, v: 1.0 / (3.0 * v * v), "v"),
    _one(sp.cosm1, lambda x, v: -np.sin(x)),
    _one(sp.sindg, lambda x, v: _DEGREE * sp.cosdg(x)),
    _one(sp.cosdg, lambda x, v: -_DEGREE * sp.sindg(x)),
    _one(sp.tandg, lambda x, v: _DEGREE * (1.0 + v * v), "v"),
    _one(sp.cotdg, lambda x, v: -_DEGREE * (1.0 + v * v), "v"),
    _one(sp.expi, lambda x, v: np.exp(x) / x),
    _one(sp.exp1, lambda x, v: -np.exp(-x) / x),
    Elementwise(sp.expn, (None, _expn_slope), "01"),
    _one(sp.spence, _spence_slope),
    _one(sp.wrightomega, lambda x, v: v / (1.0 + v), "v"),
    Elementwise(
        sp.powm1,
        (
            lambda x, y, v: y * np.power(x, y - 1.0),
            lambda x, y, v: sp.xlogy(np.power(x, y), x),
        ),
        "01",
    ),
    Elementwise(sp.xlogy, (lambda x, y, v: np.log(y), lambda x, y, v: _ratio(x, y)), ("1", "01")),
    Elementwise(
        sp.xlog1py, (lambda x, y, v: np.log1p(y), lambda x, y, v: _ratio(x, 1.0 + y)), ("1", "01")
    ),
    _one(sp.entr, lambda x, v: -np.log(x) - 1.0),
    Elementwise(
        sp.rel_entr,
        (lambda x, y, v: np.log(x / y) + 1.0, lambda x, y, v: -_ratio(x, y)),
        ("01", "01"),
    ),
    Elementwise(
        sp.kl_div,
        (lambda x, y, v: np.log(x / y), lambda x, y, v: 1.0 - _ratio(x, y)),
        "01",
    ),
    Elementwise(sp.huber, (_huber_delta, _huber_r), "01"),
    Elementwise(
        sp.pseudo_huber,
        (_pseudo_huber_delta, lambda delta, r, v: r / np.sqrt(1.0 + (r / delta) ** 2)),
        "01",
    ),
    Elementwise(
        sp.boxcox,
        (
            lambda x, k, v: np.power(x, k - 1.0),
            lambda x, k, v: _boxcox_lambda(np.log(x), k),
        ),
        "01",
    ),
    Elementwise(
        sp.boxcox1p,
        (
            lambda x, k, v: np.exp((k - 1.0) * np.log1p(x)),
            lambda x, k, v: _boxcox_lambda(np.log1p(x), k),
        ),
        "01",
    ),
    Elementwise(
        sp.inv_boxcox,
        (
            lambda y, k, v: v / (1.0 + k * y),
            lambda y, k, v: _inv_boxcox_lambda(y, k, v),
        ),
        "01v",
    ),
    Elementwise(
        sp.inv_boxcox1p,
        (
            lambda y, k, v: (v + 1.0) / (1.0 + k * y),
            lambda y, k, v: _inv_boxcox_lambda(y, k, v + 1.0),
        ),
        "01v",
    ),
    Rule(sp.sici, "z", *several(lambda z, v: (np.sinc(z / math.pi), np.cos(z) / z)), needs="0"),
    Rule(sp.shichi, "z", *several(lambda z, v: (_sinhc(z), np.cosh(z) / z)), needs="0"),
    Rule(
        sp.fresnel,
        "z",
        *several(lambda z, v: (np.sin(math.pi / 2 * z * z), np.cos(math.pi / 2 * z * z))),
        needs="0",
    ),
)

DECISIONS = (sp.round,)
