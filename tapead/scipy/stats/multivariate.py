"""The multivariate distributions."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
from scipy import special as sp

from tapead.errors import UnsupportedError

from ..linalg import solve_triangular
from ..rows.words import shaped

_LOG_2PI = math.log(2.0 * math.pi)


class Multivariate:
    """What is not here (``rvs``, ``cdf``, ...) is SciPy's own."""

    name: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        scipys = getattr(importlib.import_module("scipy.stats"), self.name)
        return getattr(scipys, name)

    def __repr__(self) -> str:
        return f"<tapead.scipy.stats.{self.name}>"


class MultivariateNormal(Multivariate):
    """The multivariate normal distribution, by the Cholesky factor of its covariance.

    Only the lower triangle of `cov` is read, as SciPy does, and its derivative lies there.
    """

    name = "multivariate_normal"

    def logpdf(self, x, mean=None, cov=1, allow_singular=False):
        """The logarithm of the density at x, whose last axis is that of the components."""
        if allow_singular:
            raise UnsupportedError("multivariate_normal with allow_singular=True")
        mean, cov = _parameters(mean, cov)
        dim = mean.shape[0]
        x = shaped(x)
        if x.ndim == 0:
            x = x[None]
        elif x.ndim == 1:
            x = x[:, None] if dim == 1 else x[None, :]
        factor = np.linalg.cholesky(cov)
        deviations = np.reshape(x - mean, (-1, dim))
        whitened = solve_triangular(factor, deviations.T, lower=True)
        distances = np.reshape(np.sum(whitened * whitened, axis=0), x.shape[:-1])
        return _squeezed(-0.5 * (dim * _LOG_2PI + _log_det(factor) + distances))

    def pdf(self, x, mean=None, cov=1, allow_singular=False):
        """The density at x."""
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def entropy(self, mean=None, cov=1):
        """The differential entropy."""
        mean, cov = _parameters(mean, cov)
        return 0.5 * (mean.shape[0] * (_LOG_2PI + 1) + _log_det(np.linalg.cholesky(cov)))


def _log_det(factor: Any) -> Any:
    return 2.0 * np.sum(np.log(np.diagonal(factor)))


def _parameters(mean: Any, cov: Any) -> tuple[Any, Any]:
    """Mean and covariance in full."""
    cov = shaped(cov)
    if mean is None:
        mean = np.zeros(cov.shape[0] if cov.ndim == 2 else 1)
    mean = shaped(mean)
    dim = mean.size
    if mean.ndim > 1 and dim > 1:
        raise ValueError(f"Array 'mean' must be a vector of length {dim}.")
    mean = np.reshape(mean, (dim,))
    if dim == 1:
        return mean, np.reshape(cov, (1, 1))
    if cov.ndim < 2:
        cov = cov * np.eye(dim)  # for a vector too: a column for each
    if cov.shape != (dim, dim):
        raise ValueError(f"Array 'cov' is of shape {cov.shape}, but 'mean' of length {dim}.")
    return mean, cov


def _squeezed(x: Any) -> Any:
    x = np.squeeze(x)
    return x[()] if x.ndim == 0 else x


class Dirichlet(Multivariate):
    """The Dirichlet distribution; the first axis of x is that of the components."""

    name = "dirichlet"

    def logpdf(self, x, alpha):
        """The logarithm of the density at x, of which the last component may be left out."""
        alpha = shaped(alpha)
        if alpha.ndim != 1:
            raise ValueError(f"Parameter vector 'a' must be one dimensional, but {alpha.shape=}.")
        if np.min(alpha) <= 0:
            raise ValueError("All parameters must be greater than 0")
        x = _in_simplex(shaped(x), alpha)
        log_beta = np.sum(sp.gammaln(alpha)) - sp.gammaln(np.sum(alpha))
        return _squeezed(-log_beta + np.sum(sp.xlogy(alpha - 1, x.T).T, axis=0))

    def pdf(self, x, alpha):
        """The density at x."""
        return np.exp(self.logpdf(x, alpha))


def _in_simplex(x: Any, alpha: Any) -> Any:
    """x with its last component, checked as SciPy does."""
    count = alpha.shape[0]
    if x.shape[0] + 1 == count:
        x = np.concatenate((x, 1 - np.sum(x, axis=0, keepdims=True)))
    elif x.shape[0] != count:
        raise ValueError(
            "Vector 'x' must have either the same number of entries as, or one entry fewer than, "
            f"parameter vector 'a', but alpha.shape = {alpha.shape} and x.shape = {x.shape}."
        )
    if np.min(x) < 0:
        raise ValueError("Each entry in 'x' must be greater than or equal to zero.")
    if np.max(x) > 1:
        raise ValueError("Each entry in 'x' must be smaller or equal one.")
    if np.any((x == 0) & (np.reshape(alpha, (-1,) + (1,) * (x.ndim - 1)) < 1)):
        raise ValueError("Each entry in 'x' must be greater than zero if its alpha is below one.")
    if np.any(abs(np.sum(x, axis=0) - 1.0) > 10e-10):
        raise ValueError(
            "The input vector 'x' must lie within the normal simplex. "
            f"but np.sum(x, 0) = {np.sum(x, axis=0)}."
        )
    return x


multivariate_normal = MultivariateNormal()
dirichlet = Dirichlet()
