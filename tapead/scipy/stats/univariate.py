"""The univariate distributions: formulas of their standard members.

By shape parameters of which the distribution function has no derivative in closed form (`a` of
gamma, `df` of t and chi2, `a` and `b` of beta), densities have derivatives but ``cdf`` and its kin
have not.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special as sp

from ..rows.words import SQRT_2PI
from .distribution import Continuous, Discrete

_HALF_LINE = (0.0, np.inf)
_LOG_2 = math.log(2.0)
_LOG_PI = math.log(math.pi)
_LOG_SQRT_2PI = math.log(SQRT_2PI)

norm = Continuous(
    "norm",
    pdf=lambda x: np.exp(-(x**2) / 2.0) / SQRT_2PI,
    logpdf=lambda x: -(x**2) / 2.0 - _LOG_SQRT_2PI,
    cdf=sp.ndtr,
    logcdf=sp.log_ndtr,
    sf=lambda x: sp.ndtr(-x),
    logsf=lambda x: sp.log_ndtr(-x),
    ppf=sp.ndtri,
    isf=lambda q: -sp.ndtri(q),
)


def _t_logpdf(x, df):
    normal = np.isinf(df)
    if np.any(normal):
        finite = _t_logpdf(x, np.where(normal, 1.0, df))
        return np.where(normal, -(x**2) / 2.0 - _LOG_SQRT_2PI, finite)
    return (
        np.log(sp.poch(0.5 * df, 0.5))
        - 0.5 * (np.log(df) + _LOG_PI)
        - (df + 1) / 2 * np.log1p(x * x / df)
    )


t = Continuous(
    "t",
    "df",
    logpdf=_t_logpdf,
    cdf=lambda x, df: sp.stdtr(df, x),
    sf=lambda x, df: sp.stdtr(df, -x),
    ppf=lambda q, df: sp.stdtrit(df, q),
    isf=lambda q, df: -sp.stdtrit(df, q),
)

gamma = Continuous(
    "gamma",
    "a",
    support=_HALF_LINE,
    logpdf=lambda x, a: sp.xlogy(a - 1.0, x) - x - sp.gammaln(a),
    cdf=lambda x, a: sp.gammainc(a, x),
    sf=lambda x, a: sp.gammaincc(a, x),
    ppf=lambda q, a: sp.gammaincinv(a, q),
    isf=lambda q, a: sp.gammainccinv(a, q),
)

chi2 = Continuous(
    "chi2",
    "df",
    support=_HALF_LINE,
    logpdf=lambda x, df: (
        sp.xlogy(df / 2.0 - 1, x) - x / 2.0 - sp.gammaln(df / 2.0) - (_LOG_2 * df) / 2.0
    ),
    cdf=lambda x, df: sp.chdtr(df, x),
    sf=lambda x, df: sp.chdtrc(df, x),
    ppf=lambda q, df: 2 * sp.gammaincinv(df / 2, q),
    isf=lambda q, df: sp.chdtri(df, q),
)

beta = Continuous(
    "beta",
    "a b",
    support=(0.0, 1.0),
    logpdf=lambda x, a, b: sp.xlog1py(b - 1.0, -x) + sp.xlogy(a - 1.0, x) - sp.betaln(a, b),
    cdf=lambda x, a, b: sp.betainc(a, b, x),
    sf=lambda x, a, b: sp.betaincc(a, b, x),
    ppf=lambda q, a, b: sp.betaincinv(a, b, q),
    isf=lambda q, a, b: sp.betainccinv(a, b, q),
)

expon = Continuous(
    "expon",
    support=_HALF_LINE,
    logpdf=lambda x: -x,
    cdf=lambda x: -sp.expm1(-x),
    sf=lambda x: np.exp(-x),
    logsf=lambda x: -x,
    ppf=lambda q: -sp.log1p(-q),
    isf=lambda q: -np.log(q),
)

lognorm = Continuous(
    "lognorm",
    "s",
    support=_HALF_LINE,
    closed=False,
    logpdf=lambda x, s: -(np.log(x) ** 2) / (2 * s**2) - np.log(s * x * SQRT_2PI),
    cdf=lambda x, s: sp.ndtr(np.log(x) / s),
    logcdf=lambda x, s: sp.log_ndtr(np.log(x) / s),
    sf=lambda x, s: sp.ndtr(-np.log(x) / s),
    logsf=lambda x, s: sp.log_ndtr(-np.log(x) / s),
    ppf=lambda q, s: np.exp(s * sp.ndtri(q)),
    isf=lambda q, s: np.exp(-s * sp.ndtri(q)),
)


def _laplace_cdf(x):
    tail = 0.5 * np.exp(-abs(x))
    return np.where(x > 0, 1.0 - tail, tail)


def _laplace_ppf(q):
    return np.where(q > 0.5, -np.log(2 * (1 - q)), np.log(2 * q))


laplace = Continuous(
    "laplace",
    pdf=lambda x: 0.5 * np.exp(-abs(x)),
    logpdf=lambda x: -abs(x) - _LOG_2,
    cdf=_laplace_cdf,
    sf=lambda x: _laplace_cdf(-x),
    ppf=_laplace_ppf,
    isf=lambda q: -_laplace_ppf(q),
)

logistic = Continuous(
    "logistic",
    # Both sides of 0 by one smooth formula, where SciPy takes the absolute value.
    logpdf=lambda x: sp.log_expit(x) + sp.log_expit(-x),
    cdf=sp.expit,
    logcdf=sp.log_expit,
    sf=lambda x: sp.expit(-x),
    logsf=lambda x: sp.log_expit(-x),
    ppf=sp.logit,
    isf=lambda q: -sp.logit(q),
)

uniform = Continuous(
    "uniform",
    support=(0.0, 1.0),
    pdf=np.ones_like,
    logpdf=np.zeros_like,
    cdf=lambda x: x,
    sf=lambda x: 1.0 - x,
    ppf=lambda q: q,
    isf=lambda q: 1.0 - q,
)


def _cauchy_logpdf(x):
    far = abs(x) >= 1.0
    near = np.log1p(np.where(far, 0.0, x) ** 2)
    x = abs(np.where(far, x, 1.0))
    return -_LOG_PI - np.where(far, 2 * np.log(x) + np.log1p((1 / x) ** 2), near)


def _cauchy_ppf(q):
    # Each quarter from its own end, where pi * (q - 1/2) has lost the digits of q.
    middle = np.tan(math.pi * (q - 0.5))
    low, high = -1.0 / np.tan(math.pi * q), 1.0 / np.tan(math.pi * (1.0 - q))
    return np.where(q < 0.25, low, np.where(q > 0.75, high, middle))


cauchy = Continuous(
    "cauchy",
    pdf=lambda x: 1.0 / math.pi / (1.0 + x * x),
    logpdf=_cauchy_logpdf,
    cdf=lambda x: np.arctan2(1, -x) / math.pi,
    sf=lambda x: np.arctan2(1, x) / math.pi,
    ppf=_cauchy_ppf,
    isf=lambda q: -_cauchy_ppf(q),
)

weibull_min = Continuous(
    "weibull_min",
    "c",
    support=_HALF_LINE,
    pdf=lambda x, c: c * np.power(x, c - 1) * np.exp(-np.power(x, c)),
    logpdf=lambda x, c: np.log(c) + sp.xlogy(c - 1, x) - np.power(x, c),
    cdf=lambda x, c: -sp.expm1(-np.power(x, c)),
    sf=lambda x, c: np.exp(-np.power(x, c)),
    logsf=lambda x, c: -np.power(x, c),
    ppf=lambda q, c: np.power(-sp.log1p(-q), 1.0 / c),
    isf=lambda q, c: np.power(-np.log(q), 1.0 / c),
)

poisson = Discrete(
    "poisson",
    "mu",
    valid=lambda mu: mu >= 0,
    high=lambda mu: np.inf,
    logpmf=lambda k, mu: sp.xlogy(k, mu) - sp.gammaln(k + 1) - mu,
    cdf=sp.pdtr,
    sf=sp.pdtrc,
)


def _binom_logpmf(k, n, p):
    ways = sp.gammaln(n + 1) - (sp.gammaln(k + 1) + sp.gammaln(n - k + 1))
    return ways + sp.xlogy(k, p) + sp.xlog1py(n - k, -p)


binom = Discrete(
    "binom",
    "n p",
    valid=lambda n, p: (n >= 0) & (np.round(n) == n) & (p >= 0) & (p <= 1),
    high=lambda n, p: n,
    logpmf=_binom_logpmf,
    cdf=lambda k, n, p: sp.betainc(n - k, k + 1, 1 - p),
    sf=lambda k, n, p: sp.betainc(k + 1, n - k, p),
)

DISTRIBUTIONS = (
    norm, t, gamma, chi2, beta, expon, lognorm, laplace, logistic, uniform, cauchy, weibull_min,
    poisson, binom,
)  # fmt: skip
