"""Small numeric helpers that the programs beside this module share."""

import functools
import math
from math import exp, log

CASES = []


def sigmoid(z):
    if z >= 0:
        return 1.0 / (1.0 + exp(-z))
    e = exp(z)
    return e / (1.0 + e)


def logsumexp(values):
    top = max(values)
    return top + log(sum(exp(v - top) for v in values))


def softmax(values):
    norm = logsumexp(values)
    return [exp(v - norm) for v in values]


def norm_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def norm_pdf(x):
    return exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def as_number(x):
    """A float from whatever the user typed."""
    if isinstance(x, str):
        return float(x.replace(",", "."))
    if type(x) is float:
        return x
    return float(x)


def require_float(x, name="x"):
    if not isinstance(x, float):
        raise ValueError(f"{name} must be a float, not {type(x).__name__}")
    if x != x:
        raise ValueError(f"{name} is not a number")
    return x


def newton(f, df, x, tol=1e-13, max_iter=60):
    for _ in range(max_iter):
        step = f(x) / df(x)
        x = x - step
        if abs(step) < tol:
            return x
    raise RuntimeError("Newton's method did not converge")


@functools.lru_cache(maxsize=None)
def saturation_pressure(celsius):
    """Magnus formula, in hPa."""
    return 6.112 * math.exp(17.62 * celsius / (243.12 + celsius))


@functools.lru_cache(maxsize=None)
def binomial(n, k):
    if k in (0, n):
        return 1
    return binomial(n - 1, k - 1) + binomial(n - 1, k)


def rk4(rhs, y, t, dt):
    """One classical Runge-Kutta step of a system given as a list."""

    def shifted(k, factor):
        return [yi + factor * ki for yi, ki in zip(y, k)]

    k1 = rhs(t, y)
    k2 = rhs(t + dt / 2, shifted(k1, dt / 2))
    k3 = rhs(t + dt / 2, shifted(k2, dt / 2))
    k4 = rhs(t + dt, shifted(k3, dt))
    return [yi + dt / 6 * (a + 2 * b + 2 * c + d) for yi, a, b, c, d in zip(y, k1, k2, k3, k4)]
