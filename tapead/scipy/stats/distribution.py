"""What SciPy's distributions do around their formulas: parameters, support, location and scale."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead.rules.table import as_array

CONTINUOUS = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")
DISCRETE = ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")


def guarded(f: Callable, mask: Any, elsewhere: Any, *operands: Any) -> Any:
    """f of the operands where the mask says so; there is no derivative elsewhere.

    `operands` are pairs of an operand and a number that is harmless to f.
    """
    if np.all(mask):
        return f(*(x for x, _ in operands))
    result = f(*(np.where(mask, x, harmless) for x, harmless in operands))
    result = np.where(mask, result, elsewhere)
    return result[()] if result.ndim == 0 else result


class Distribution:
    """A family of distributions with shape parameters, a location and, mostly, a scale.

    Every method takes numbers, arrays and tracked ones for all of its arguments, and broadcasts
    them as SciPy does.  What is not here (``rvs``, ``fit``, ...) is SciPy's own.
    """

    parameters: tuple[str, ...] = ("loc",)

    def __init__(self, name: str, shapes: str = "", valid: Callable | None = None) -> None:
        self.name = name
        self.shapes = tuple(shapes.split())
        self._valid = valid or (lambda *shapes: _all_positive(shapes))

    def __repr__(self) -> str:
        return f"<tapead.scipy.stats.{self.name}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(getattr(importlib.import_module("scipy.stats"), self.name), name)

    def _parsed(self, args: tuple, named: dict) -> tuple[list, list]:
        """The shape parameters, and location (and scale), in whatever way they were given."""
        names = (*self.shapes, *self.parameters)
        if len(args) > len(names):
            raise TypeError(f"{self.name} takes at most {len(names)} parameters")
        given = {"loc": 0, "scale": 1, **dict(zip(names, args, strict=False)), **named}
        missing = [n for n in self.shapes if n not in given]
        unknown = given.keys() - {*names, "loc", "scale"}
        if missing or unknown:
            raise TypeError(f"{self.name}: missing {missing}, not known {sorted(unknown)}")
        values = [as_array(given[n]) for n in names]
        return values[: len(self.shapes)], values[len(self.shapes) :]


def _all_positive(shapes: Any) -> Any:
    mask = True
    for shape in shapes:
        mask = mask & (shape > 0)
    return mask


class Continuous(Distribution):
    """A continuous family, by formulas for its standard members with support (low, high)."""

    parameters = ("loc", "scale")

    def __init__(
        self,
        name: str,
        shapes: str = "",
        *,
        support: tuple[float, float] = (-np.inf, np.inf),
        closed: bool = True,
        **formulas: Callable,
    ) -> None:
        super().__init__(name, shapes)
        self.low, self.high = support
        self.closed = closed  # whether the ends of the support have a density
        self._f = _completed(formulas, "pdf")

    def _standard(self, x: Any, args: tuple, named: dict) -> tuple[Any, list, Any, Any]:
        """(x - loc) / scale, the shapes, the scale, and where all of them make sense."""
        shapes, (loc, scale) = self._parsed(args, named)
        y = (as_array(x) - loc) / scale
        return y, shapes, scale, (scale > 0) & self._valid(*shapes) & (y == y)

    def _density(self, kind: str, x: Any, args: tuple, named: dict) -> Any:
        y, shapes, scale, valid = self._standard(x, args, named)
        inside = (self.low <= y) & (y <= self.high) if self.closed else self._open(y)
        logarithmic = kind == "logpdf"

        def scaled(y, scale, *shapes):
            v = self._f[kind](y, *shapes)
            return v - np.log(scale) if logarithmic else v / scale

        outside = np.where(valid, -np.inf if logarithmic else 0.0, np.nan)
        pairs = [(y, 0.5), (scale, 1.0), *((s, 1.0) for s in shapes)]
        return guarded(scaled, inside & valid, outside, *pairs)

    def _open(self, y: Any) -> Any:
        return (self.low < y) & (y < self.high)

    def _cumulative(self, kind: str, x: Any, args: tuple, named: dict) -> Any:
        y, shapes, _, valid = self._standard(x, args, named)
        at_low, at_high = {"cdf": (0, 1), "sf": (1, 0)}[kind.removeprefix("log")]
        if kind.startswith("log"):
            at_low, at_high = (0.0 if end else -np.inf for end in (at_low, at_high))
        outside = np.where(valid, np.where(y <= self.low, float(at_low), float(at_high)), np.nan)
        pairs = [(y, 0.5), *((s, 1.0) for s in shapes)]
        return guarded(self._f[kind], self._open(y) & valid, outside, *pairs)

    def _quantile(self, kind: str, q: Any, args: tuple, named: dict) -> Any:
        shapes, (loc, scale) = self._parsed(args, named)
        q = as_array(q)
        valid = (scale > 0) & self._valid(*shapes) & (q >= 0) & (q <= 1)
        at_0, at_1 = (self.low, self.high) if kind == "ppf" else (self.high, self.low)
        end = np.where(valid, np.where(q == 0, at_0, at_1), np.nan)
        pairs = [(q, 0.5), *((s, 1.0) for s in shapes)]
        y = guarded(self._f[kind], valid & (q > 0) & (q < 1), end, *pairs)
        return y * scale + loc

    def pdf(self, x, *args, **named):
        """The density at x."""
        return self._density("pdf", x, args, named)

    def logpdf(self, x, *args, **named):
        """The logarithm of the density at x."""
        return self._density("logpdf", x, args, named)

    def cdf(self, x, *args, **named):
        """The probability of at most x."""
        return self._cumulative("cdf", x, args, named)

    def logcdf(self, x, *args, **named):
        """The logarithm of the probability of at most x."""
        return self._cumulative("logcdf", x, args, named)

    def sf(self, x, *args, **named):
        """The probability of more than x."""
        return self._cumulative("sf", x, args, named)

    def logsf(self, x, *args, **named):
        """The logarithm of the probability of more than x."""
        return self._cumulative("logsf", x, args, named)

    def ppf(self, q, *args, **named):
        """What is exceeded with probability 1 - q."""
        return self._quantile("ppf", q, args, named)

    def isf(self, q, *args, **named):
        """What is exceeded with probability q."""
        return self._quantile("isf", q, args, named)


class Discrete(Distribution):
    """A family on the integers from 0 to `high`, which may depend on the shapes."""

    def __init__(
        self, name: str, shapes: str, *, valid: Callable, high: Callable, **formulas: Callable
    ) -> None:
        super().__init__(name, shapes, valid)
        self._high = high
        self._f = _completed(formulas, "pmf")

    def _standard(self, k: Any, args: tuple, named: dict) -> tuple[Any, list, Any, Any]:
        """k - loc, the shapes, the last integer, and where all of them make sense."""
        shapes, (loc,) = self._parsed(args, named)
        k = as_array(k) - loc
        return k, shapes, self._high(*shapes), self._valid(*shapes) & (k == k)

    def _mass(self, kind: str, k: Any, args: tuple, named: dict) -> Any:
        k, shapes, high, valid = self._standard(k, args, named)
        inside = valid & (k >= 0) & (k <= high) & (np.floor(k) == k)
        outside = np.where(valid, -np.inf if kind == "logpmf" else 0.0, np.nan)
        # By k itself there is no derivative: between the integers there is nothing.
        pairs = [(np.floor(k), 0.0), *((s, 1.0) for s in shapes)]
        return guarded(self._f[kind], inside, outside, *pairs)

    def _cumulative(self, kind: str, k: Any, args: tuple, named: dict) -> Any:
        k, shapes, high, valid = self._standard(k, args, named)
        k = np.floor(k)
        at_low, at_high = {"cdf": (0, 1), "sf": (1, 0)}[kind.removeprefix("log")]
        if kind.startswith("log"):
            at_low, at_high = (0.0 if end else -np.inf for end in (at_low, at_high))
        outside = np.where(valid, np.where(k < 0, float(at_low), float(at_high)), np.nan)
        pairs = [(k, 0.0), *((s, 1.0) for s in shapes)]
        return guarded(self._f[kind], valid & (k >= 0) & (k < high), outside, *pairs)

    def pmf(self, k, *args, **named):
        """The probability of k."""
        return self._mass("pmf", k, args, named)

    def logpmf(self, k, *args, **named):
        """The logarithm of the probability of k."""
        return self._mass("logpmf", k, args, named)

    cdf, logcdf = Continuous.cdf, Continuous.logcdf
    sf, logsf = Continuous.sf, Continuous.logsf


def _completed(formulas: dict[str, Callable], kind: str) -> dict[str, Callable]:
    """The formulas with those that follow from others."""
    made = {}
    if f"log{kind}" in formulas:
        made[kind] = lambda *a: np.exp(formulas[f"log{kind}"](*a))
    cdf, sf = formulas["cdf"], formulas["sf"]
    if kind == "pmf":
        made["logcdf"], made["logsf"] = (lambda *a: np.log(cdf(*a))), (lambda *a: np.log(sf(*a)))
    else:
        made["logcdf"], made["logsf"] = _logarithm(cdf, sf), _logarithm(sf, cdf)
    return {**made, **formulas}


def _logarithm(f: Callable, rest: Callable) -> Callable:
    """The logarithm of a probability, near 1 by that of the opposite."""

    def logarithm(*a):
        p = f(*a)
        near_1 = p > 0.5
        far, near = np.log(np.where(near_1, 1.0, p)), np.log1p(-np.where(near_1, rest(*a), 0.0))
        return np.where(near_1, near, far)

    return logarithm
