"""Probability distributions: densities, masses, distribution functions and quantiles.

``norm.logpdf(x, loc, scale)`` and so on, with SciPy's signatures, for tracked numbers in every
argument.  They are written with functions that have derivatives of all orders.  Values agree with
SciPy's to a few units in the last place; where SciPy has another algorithm (the normal
distribution in several dimensions by eigenvalues, the beta density by continued fractions) to
what rounding leaves of the condition of the problem.

>>> import numpy as np, tapead
>>> from tapead.scipy.stats import gamma
>>> tapead.grad(lambda a: np.sum(gamma.logpdf(np.array([1.0, 2.0]), a)))(2.0)
-0.152...
"""

from __future__ import annotations

import importlib
from typing import Any

from .distribution import CONTINUOUS, DISCRETE, Discrete
from .multivariate import dirichlet, multivariate_normal
from .univariate import (
    DISTRIBUTIONS,
    beta,
    binom,
    cauchy,
    chi2,
    expon,
    gamma,
    laplace,
    logistic,
    lognorm,
    norm,
    poisson,
    t,
    uniform,
    weibull_min,
)

__all__ = [
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "gamma",
    "laplace",
    "logistic",
    "lognorm",
    "multivariate_normal",
    "norm",
    "poisson",
    "t",
    "uniform",
    "weibull_min",
]


def _methods() -> tuple:
    methods = [
        getattr(d, name)
        for d in DISTRIBUTIONS
        for name in (DISCRETE if isinstance(d, Discrete) else CONTINUOUS)
    ]
    return (
        *methods,
        multivariate_normal.logpdf,
        multivariate_normal.pdf,
        multivariate_normal.entropy,
        dirichlet.logpdf,
        dirichlet.pdf,
    )


COMPOSED = {method: method for method in _methods()}


def __getattr__(name: str) -> Any:
    """REPLACES, made when it is asked for: SciPy's distributions are slow to load."""
    if name == "REPLACES":
        scipys = importlib.import_module("scipy.stats")
        return {getattr(scipys, name): globals()[name] for name in __all__}
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
