"""Rows of the Bessel functions and their kin.

A derivative by the argument is a difference, or a sum, of the neighbors in order (DLMF 10.6.1 and
10.29.1), which is regular at 0.  By the order there is no closed form: that is refused.
"""

from __future__ import annotations

import numpy as np
from scipy import special as sp

from tapead.rules.table import Elementwise, Rule, primitive, unbroadcast

from .words import SQRT_PI, Refused, at_last, real_only, several


def _neighbors(function, sign, factor=0.5):
    """factor * (f(order - 1, z) + sign * f(order + 1, z))."""

    def slope(order, z, v):
        upper = function(order + 1, z)
        lower = function(order - 1, z)
        return factor * (lower + upper if sign > 0 else lower - upper)

    return slope


def _plus(slope, exponent, name="", holomorphic=True):
    """The slope of a function that is scaled by exp of something with slope exponent(z)."""

    def scaled(order, z, v):
        if not holomorphic:
            real_only(name, z)
        return slope(order, z, v) + exponent(z) * v

    return scaled


def _ordered(function, slope, needs="01"):
    return at_last(function, slope, ("the order",), needs)


def _one(function, slope, needs="0"):
    return Elementwise(function, (slope,), needs)


def _jve_slope(order, z, v):
    real_only("jve", z)
    return _neighbors(sp.jve, -1)(order, z, v)


def _yve_slope(order, z, v):
    real_only("yve", z)
    return _neighbors(sp.yve, -1)(order, z, v)


def _struve_term(order, x):
    return np.power(0.5 * x, order) * sp.rgamma(order + 1.5) / SQRT_PI


_BY_ORDER = (
    _ordered(sp.jv, _neighbors(sp.jv, -1)),
    _ordered(sp.yv, _neighbors(sp.yv, -1)),
    _ordered(sp.yn, _neighbors(sp.yn, -1)),
    _ordered(sp.iv, _neighbors(sp.iv, 1)),
    _ordered(sp.kv, _neighbors(sp.kv, 1, -0.5)),
    _ordered(sp.kn, _neighbors(sp.kn, 1, -0.5)),
    _ordered(sp.hankel1, _neighbors(sp.hankel1, -1)),
    _ordered(sp.hankel2, _neighbors(sp.hankel2, -1)),
    # The scaled ones.  jve and yve are scaled by an imaginary part, which is 0 for real numbers.
    _ordered(sp.jve, _jve_slope),
    _ordered(sp.yve, _yve_slope),
    _ordered(sp.ive, _plus(_neighbors(sp.ive, 1), lambda z: -np.sign(z), "ive", False), "01v"),
    _ordered(sp.kve, _plus(_neighbors(sp.kve, 1, -0.5), lambda z: 1.0), "01v"),
    _ordered(sp.hankel1e, _plus(_neighbors(sp.hankel1e, -1), lambda z: -1j), "01v"),
    _ordered(sp.hankel2e, _plus(_neighbors(sp.hankel2e, -1), lambda z: 1j), "01v"),
    # DLMF 11.4(v).
    _ordered(
        sp.struve,
        lambda n, x, v: 0.5 * (sp.struve(n - 1, x) - sp.struve(n + 1, x) + _struve_term(n, x)),
    ),
    _ordered(
        sp.modstruve,
        lambda n, x, v: (
            0.5 * (sp.modstruve(n - 1, x) + sp.modstruve(n + 1, x) + _struve_term(n, x))
        ),
    ),
)

_ORDERS_0_AND_1 = (
    _one(sp.j0, lambda x, v: -sp.j1(x)),
    _one(sp.j1, lambda x, v: 0.5 * (sp.j0(x) - sp.jv(2, x))),
    _one(sp.y0, lambda x, v: -sp.y1(x)),
    _one(sp.y1, lambda x, v: 0.5 * (sp.y0(x) - sp.yn(2, x))),
    _one(sp.i0, lambda x, v: sp.i1(x)),
    _one(sp.i1, lambda x, v: 0.5 * (sp.i0(x) + sp.iv(2, x))),
    _one(sp.i0e, lambda x, v: sp.i1e(x) - np.sign(x) * v, "0v"),
    _one(sp.i1e, lambda x, v: 0.5 * (sp.i0e(x) + sp.ive(2, x)) - np.sign(x) * v, "0v"),
    _one(sp.k0, lambda x, v: -sp.k1(x)),
    _one(sp.k1, lambda x, v: -0.5 * (sp.k0(x) + sp.kn(2, x))),
    _one(sp.k0e, lambda x, v: v - sp.k1e(x), "0v"),
    _one(sp.k1e, lambda x, v: v - 0.5 * (sp.k0e(x) + sp.kve(2, x)), "0v"),
)


# ------------------------------------------------------------------------ spherical ones ---


def _spherical(function, sign, overall=1):
    """A spherical Bessel function and its row, from (n f_(n-1) + sign (n+1) f_(n+1)) / (2n+1)."""

    @primitive
    def call(n, z, derivative=False):
        return function(n, z, derivative)

    def slope(n, z, derivative):
        n = np.asarray(n)
        lower = n * call(np.maximum(n - 1, 0), z, derivative)
        upper = (n + 1) * call(n + 1, z, derivative)
        total = lower + upper if sign > 0 else lower - upper
        return overall * total / (2 * n + 1)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = f"scipy.special.{function.__name__}."
    by_order = Refused(f"scipy.special.{function.__name__} has no derivative by n")
    return call, Rule(
        call,
        "n, z; derivative=False",
        (by_order, lambda g, v, n, z, derivative: unbroadcast(g * slope(n, z, derivative), z)),
        (by_order, lambda t, v, n, z, derivative: t * slope(n, z, derivative)),
        needs=("", "01"),
    )


spherical_jn, _JN = _spherical(sp.spherical_jn, -1)
spherical_yn, _YN = _spherical(sp.spherical_yn, -1)
spherical_in, _IN = _spherical(sp.spherical_in, 1)
spherical_kn, _KN = _spherical(sp.spherical_kn, 1, -1)


RULES = (
    *_BY_ORDER,
    *_ORDERS_0_AND_1,
    _JN,
    _YN,
    _IN,
    _KN,
    # Ai'' = z Ai and Bi'' = z Bi.
    Rule(sp.airy, "z", *several(lambda z, v: (v[1], z * v[0], v[3], z * v[2])), needs="0v"),
)
