"""Rows of the gamma and beta functions, and of the distribution functions made from them.

The incomplete ones have derivatives by their last argument, which are densities.  By their
parameters there is no closed form: those are refused.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special as sp

from tapead.errors import UnsupportedError
from tapead.rules.table import LINEAR, Elementwise, Rule, primitive, unbroadcast  # noqa: F401

from .words import at_last, chosen, refused


@primitive
def polygamma(n, x):
    """scipy.special.polygamma."""
    return sp.polygamma(n, x)


@primitive
def hurwitz(x, q):
    """scipy.special.zeta(x, q), Hurwitz's."""
    return sp.zeta(x, q)


def _trigamma(x):
    if np.iscomplexobj(x):
        raise UnsupportedError("the derivative of scipy.special.psi at complex numbers")
    return polygamma(1, x)


def _rgamma_slope(x, v):
    if np.iscomplexobj(x):
        return -v * sp.psi(x)
    return chosen(
        x < 0.5,
        _rgamma_slope_reflected,
        0.0,
        lambda x: -sp.rgamma(x) * sp.psi(x),
        x,
        1.0,
    )


def _rgamma_slope_reflected(x):
    """From 1 / gamma(x) = gamma(1 - x) sin(pi x) / pi, which has no poles for x < 1."""
    # Near the zeros of 1 / gamma the sine needs its argument's own digits.
    f = x - np.round(x)
    sign = 1.0 - 2.0 * (np.round(x) % 2)
    y = 1.0 - x
    angle = math.pi * f
    return sp.gamma(y) * sign * (np.cos(angle) - sp.psi(y) * np.sin(angle) / math.pi)


def gamma_density(a, x):
    """The slope of gammainc(a, x) by x."""
    return np.exp(sp.xlogy(a - 1.0, x) - x - sp.gammaln(a))


def beta_density(a, b, x):
    """The slope of betainc(a, b, x) by x."""
    return np.exp(sp.xlogy(a - 1.0, x) + sp.xlog1py(b - 1.0, -x) - sp.betaln(a, b))


def t_density(df, t):
    """The slope of stdtr(df, t) by t."""
    # By poch and not by a difference of gammaln, which has few digits for large df.
    kernel = np.exp(-0.5 * (df + 1.0) * np.log1p(t * t / df))
    return kernel * sp.poch(0.5 * df, 0.5) / np.sqrt(df * math.pi)


def f_density(dfn, dfd, x):
    """The slope of fdtr(dfn, dfd, x) by x."""
    total = dfn * x + dfd
    return beta_density(0.5 * dfn, 0.5 * dfd, dfn * x / total) * dfn * dfd / (total * total)


def _at_last(function, slope, needs):
    return at_last(function, slope, _PARAMETERS[function], needs)


_PARAMETERS = {
    sp.gammainc: "a",
    sp.gammaincc: "a",
    sp.gammaincinv: "a",
    sp.gammainccinv: "a",
    sp.betainc: "ab",
    sp.betaincc: "ab",
    sp.betaincinv: "ab",
    sp.betainccinv: "ab",
    sp.stdtr: ("df",),
    sp.stdtrit: ("df",),
    sp.chdtr: "v",
    sp.chdtrc: "v",
    sp.chdtri: "v",
    sp.fdtr: ("dfn", "dfd"),
    sp.fdtrc: ("dfn", "dfd"),
    sp.fdtri: ("dfn", "dfd"),
}

_GAMMA = (
    Elementwise(sp.gamma, (lambda x, v: v * sp.psi(x),), "0v"),
    Elementwise(sp.rgamma, (_rgamma_slope,), "0v"),
    Elementwise(sp.gammaln, (lambda x, v: sp.psi(x),), "0"),
    Elementwise(sp.loggamma, (lambda x, v: sp.psi(x),), "0"),
    Elementwise(sp.psi, (lambda x, v: _trigamma(x),), "0"),
    Rule(
        polygamma,
        "n, x",
        (
            refused("polygamma", "n"),
            lambda g, v, n, x: unbroadcast(g * polygamma(n + 1, x), x),
        ),
        (refused("polygamma", "n"), lambda t, v, n, x: t * polygamma(n + 1, x)),
        needs=("", "01"),
    ),
    Rule(
        hurwitz,
        "x, q",
        (
            refused("zeta", "x"),
            lambda g, v, x, q: unbroadcast(-g * x * hurwitz(x + 1.0, q), q),
        ),
        (refused("zeta", "x"), lambda t, v, x, q: -t * x * hurwitz(x + 1.0, q)),
        needs=("", "01"),
    ),
    Elementwise(
        sp.poch,
        (
            lambda z, m, v: v * (sp.psi(z + m) - sp.psi(z)),
            lambda z, m, v: v * sp.psi(z + m),
        ),
        "01v",
    ),
    Elementwise(
        sp.binom,
        (
            lambda n, k, v: v * (sp.psi(n + 1.0) - sp.psi(n - k + 1.0)),
            lambda n, k, v: v * (sp.psi(n - k + 1.0) - sp.psi(k + 1.0)),
        ),
        "01v",
    ),
    Elementwise(
        sp.beta,
        (
            lambda a, b, v: v * (sp.psi(a) - sp.psi(a + b)),
            lambda a, b, v: v * (sp.psi(b) - sp.psi(a + b)),
        ),
        "01v",
    ),
    Elementwise(
        sp.betaln,
        (
            lambda a, b, v: sp.psi(a) - sp.psi(a + b),
            lambda a, b, v: sp.psi(b) - sp.psi(a + b),
        ),
        "01",
    ),
)

_INCOMPLETE = (
    _at_last(sp.gammainc, lambda a, x, v: gamma_density(a, x), "01"),
    _at_last(sp.gammaincc, lambda a, x, v: -gamma_density(a, x), "01"),
    _at_last(sp.gammaincinv, lambda a, p, v: 1.0 / gamma_density(a, v), "0v"),
    _at_last(sp.gammainccinv, lambda a, p, v: -1.0 / gamma_density(a, v), "0v"),
    _at_last(sp.betainc, lambda a, b, x, v: beta_density(a, b, x), "012"),
    _at_last(sp.betaincc, lambda a, b, x, v: -beta_density(a, b, x), "012"),
    _at_last(sp.betaincinv, lambda a, b, p, v: 1.0 / beta_density(a, b, v), "01v"),
    _at_last(sp.betainccinv, lambda a, b, p, v: -1.0 / beta_density(a, b, v), "01v"),
)

_DISTRIBUTIONS = (
    _at_last(sp.stdtr, lambda df, t, v: t_density(df, t), "01"),
    _at_last(sp.stdtrit, lambda df, p, v: 1.0 / t_density(df, v), "0v"),
    _at_last(sp.chdtr, lambda k, x, v: 0.5 * gamma_density(0.5 * k, 0.5 * x), "01"),
    _at_last(sp.chdtrc, lambda k, x, v: -0.5 * gamma_density(0.5 * k, 0.5 * x), "01"),
    _at_last(sp.chdtri, lambda k, p, v: -2.0 / gamma_density(0.5 * k, 0.5 * v), "0v"),
    _at_last(sp.fdtr, lambda m, n, x, v: f_density(m, n, x), "012"),
    _at_last(sp.fdtrc, lambda m, n, x, v: -f_density(m, n, x), "012"),
    _at_last(sp.fdtri, lambda m, n, p, v: 1.0 / f_density(m, n, v), "01v"),
    Elementwise(
        sp.gdtr,
        (
            lambda a, b, x, v: x * gamma_density(b, a * x),
            refused("gdtr", "b"),
            lambda a, b, x, v: a * gamma_density(b, a * x),
        ),
        "012",
    ),
    Elementwise(
        sp.gdtrc,
        (
            lambda a, b, x, v: -x * gamma_density(b, a * x),
            refused("gdtrc", "b"),
            lambda a, b, x, v: -a * gamma_density(b, a * x),
        ),
        "012",
    ),
    # Counts are rounded down, so that they have derivative 0.
    Elementwise(sp.pdtr, (None, lambda k, m, v: -gamma_density(np.floor(k) + 1.0, m)), "01"),
    Elementwise(sp.pdtrc, (None, lambda k, m, v: gamma_density(np.floor(k) + 1.0, m)), "01"),
    Elementwise(
        sp.bdtr,
        (
            None,
            None,
            lambda k, n, p, v: -beta_density(np.floor(k) + 1.0, n - np.floor(k), p),
        ),
        "012",
    ),
    Elementwise(
        sp.bdtrc,
        (None, None, lambda k, n, p, v: beta_density(np.floor(k) + 1.0, n - np.floor(k), p)),
        "012",
    ),
    Elementwise(
        sp.nbdtr, (None, None, lambda k, n, p, v: beta_density(n, np.floor(k) + 1.0, p)), "012"
    ),
    Elementwise(
        sp.nbdtrc, (None, None, lambda k, n, p, v: -beta_density(n, np.floor(k) + 1.0, p)), "012"
    ),
)

RULES = (*_GAMMA, *_INCOMPLETE, *_DISTRIBUTIONS)

DECISIONS = (sp.gammasgn,)
