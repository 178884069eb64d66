"""Words that the rows of SciPy's functions are written in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapead.errors import UnsupportedError
from tapead.rules.table import Elementwise, as_array, unbroadcast

SQRT_PI = 1.7724538509055159
SQRT_2 = 1.4142135623730951
SQRT_2PI = 2.5066282746310002


def shaped(x: Any) -> Any:
    """An operand as an array that has a shape: a tracked float becomes one without dimensions."""
    x = as_array(x)
    return x if hasattr(x, "ndim") else np.reshape(x, ())


class Refused:
    """In place of a partial, a tangent or an adjoint that has no formula.

    `why` is a sentence; an engine may raise its error as soon as such an operand is tracked.
    """

    def __init__(self, why: str) -> None:
        self.why = why

    def __call__(self, *args: Any, **options: Any) -> Any:
        raise UnsupportedError(self.why)

    def __repr__(self) -> str:
        return f"<refused: {self.why}>"


def refused(function: str, operand: str) -> Refused:
    """For the derivative of a function by one of its parameters."""
    return Refused(f"scipy.special.{function} has no derivative by {operand}: keep it a constant")


def at_last(function: Any, slope: Callable, parameters: Any, needs: str = "") -> Elementwise:
    """The row of a ufunc whose derivative by all but its last argument is refused."""
    count = len(parameters)
    partials = tuple(refused(function.__name__, name) for name in parameters)
    needs = needs or "".join(map(str, range(count + 1)))
    return Elementwise(function, (*partials, slope), ("",) * count + (needs,))


def real_only(function: str, z: Any) -> None:
    """An error where a function that is not holomorphic gets complex numbers."""
    if np.iscomplexobj(z):
        raise UnsupportedError(f"the derivative of scipy.special.{function} at complex numbers")


def chosen(mask: Any, f: Callable, at: float, g: Callable, x: Any, other: float) -> Any:
    """f(x) where the mask says so and g(x) elsewhere.

    Each is computed at a harmless number, `at` or `other`, where it is not taken.
    """
    if np.all(mask):
        return f(x)
    if not np.any(mask):
        return g(x)
    return np.where(mask, f(np.where(mask, x, at)), g(np.where(mask, other, x)))


def summed(g: tuple[Any, ...], slopes: tuple[Any, ...], like: Any) -> Any:
    """The adjoint of one operand of an elementwise function of several results."""
    terms = [a * p for a, p in zip(g, slopes, strict=True) if a is not None]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return unbroadcast(total, like)


def several(slopes: Callable) -> tuple[Callable, Callable]:
    """Adjoint and tangent, by the first operand, of an elementwise function of several results."""

    def adjoint(g, v, *operands):
        return summed(g, slopes(*operands, v), operands[0])

    def tangent(t, v, *operands):
        return tuple(t * p for p in slopes(*operands, v))

    return adjoint, tangent
