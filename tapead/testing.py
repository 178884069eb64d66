"""check_grads: a function's derivatives, in both modes, against numeric ones."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapead import intercept, recording, trees
from tapead.products import jvp
from tapead.transforms import grad

_MODES = ("fwd", "rev")


def check_grads(
    f: Callable,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = _MODES,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    seed: int = 0,
) -> None:
    """Compare f's derivatives at ``args`` with numeric ones, along random directions.

    Order 1 compares the derivative along a direction from forward mode (``"fwd"``: `jvp`) and from
    a reverse sweep (``"rev"``: `grad`); each further order does so for the derivative along a
    direction of the order before, taken in each of the modes.  A result that is a tree of numbers
    is contracted with random weights.

    The numeric derivative is a complex step where f is analytic (it takes complex numbers, and the
    step agrees with differences), which has no error of differences; else central differences.

    Parameters
    ----------
    args : the positional arguments, all of them trees of numbers and real arrays
    rtol, atol : what may differ, relative and absolute, beside the differences' own error
    seed : of the directions

    Raises
    ------
    AssertionError
        naming the order, the mode, the argument, the direction and both numbers

    Examples
    --------
    >>> import tapead
    >>> tapead.check_grads(lambda x, y: x * y**3, (1.5, 0.5))
    """
    if isinstance(modes, str) or not modes or not set(modes) <= set(_MODES):
        raise ValueError(f"modes is {modes!r}; ('fwd', 'rev'), or one of them in a tuple, expected")
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"order is {order!r}; an int from 1 on was expected")
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"args is a {type(args).__name__}; the tuple of f's arguments was expected")
    leaves, spec = trees.flatten(tuple(args))
    names = [f"args{name}" for name in trees.paths(spec)]
    point = [_leaf(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
    rng = np.random.default_rng(seed)
    functions = {"": _contracted(f, spec, rng)}
    for k in range(1, order + 1):
        direction = [_normal(rng, x) for x in point]
        for within, at in functions.items():
            for mode in modes:
                what = f"order {k}, {mode}{within and ' of ' + within}"
                _check(at, point, direction, what, mode, names, rtol, atol)
        at = functions.get("")
        functions = {mode: _along(at or functions[mode], direction, mode) for mode in modes}


def _leaf(leaf: Any, where: str) -> Any:
    """A number as a float, an array of reals as it is; an error that names anything else."""
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fiu":
        return np.asarray(leaf, float)
    if isinstance(leaf, np.ndarray):
        raise TypeError(f"{where} is an array of {leaf.dtype}; check_grads takes real numbers")
    return float(recording.real(leaf, where))


def _normal(rng: np.random.Generator, x: Any) -> Any:
    """Random numbers of the shape of x."""
    return rng.standard_normal(x.shape) if isinstance(x, np.ndarray) else rng.standard_normal()


def _contracted(f: Callable, spec: Any, rng: np.random.Generator) -> Callable:
    """f as a function of a flat list, its result one number."""
    weights: list[Any] = []

    f = intercept.aware_of(f)

    def at(xs: list) -> Any:
        result = f(*trees.unflatten(spec, xs))
        if isinstance(result, (float, int, complex)):  # a tracked number is one, too
            return result
        leaves, _ = trees.flatten(result)
        while len(weights) < len(leaves):
            weights.append(rng.uniform(0.5, 1.5, np.shape(leaves[len(weights)])))
        terms = (np.sum(w * x) for w, x in zip(weights, leaves, strict=False))
        return sum(terms, 0.0)

    return at


def _along(at: Callable, direction: list, mode: str) -> Callable:
    """The derivative of `at` along a direction, as a function that can be differentiated again."""

    def slope(xs: list) -> Any:
        return _slope(at, xs, direction, mode)

    return slope


def _slope(at: Callable, point: list, direction: list, mode: str) -> Any:
    if mode == "fwd":
        return jvp(at, (point,), (direction,))[1]
    return _inner(direction, grad(at)(point))


def _inner(xs: list, ys: list) -> Any:
    return sum((np.sum(x * y) for x, y in zip(xs, ys, strict=True)), 0.0)


def _check(
    at: Callable,
    point: list,
    direction: list,
    what: str,
    mode: str,
    names: list[str],
    rtol: float,
    atol: float,
) -> None:
    ours = float(_slope(at, point, direction, mode))
    theirs = _numeric(at, point, direction)
    if theirs.agrees(ours, rtol, atol):
        return
    message = f"{what}: along a random direction, {theirs.against(ours)}"
    units = _units(point, direction)
    for i, name in enumerate(names):
        unit = [d if k == i else np.zeros_like(d) for k, d in enumerate(units)]
        ours, theirs = float(_slope(at, point, unit, mode)), _numeric(at, point, unit)
        if not theirs.agrees(ours, rtol, atol):
            message += f"\n  {name} = {point[i]!r}: {theirs.against(ours)} along {units[i]!r}"
    raise AssertionError(f"{message}\n  direction {direction!r}")


def _units(point: list, direction: list) -> list:
    """For each input a direction of its own: 1 for a number, the random one for an array."""
    return [d if isinstance(x, np.ndarray) else 1.0 for x, d in zip(point, direction, strict=True)]


class _Numeric(NamedTuple):
    """A slope, the error that it may have, and how it was found."""

    value: float
    error: float
    method: str

    def agrees(self, ours: float, rtol: float, atol: float) -> bool:
        allowed = atol + rtol * max(abs(ours), abs(self.value)) + self.error
        return abs(ours - self.value) <= allowed

    def against(self, ours: float) -> str:
        return f"{ours!r} but {self.method} {self.value!r}"


def _numeric(at: Callable, point: list, direction: list) -> _Numeric:
    """The slope by a complex step, if that agrees with differences; else by these."""
    by_differences, error = _difference(at, point, direction)
    by_step = _complex_step(at, point, direction)
    if by_step is not None and abs(by_step - by_differences) <= 10.0 * error + 1e-7 * abs(by_step):
        return _Numeric(by_step, 1e-13 * abs(by_step), "complex step")
    return _Numeric(by_differences, error, "central differences")


def _complex_step(at: Callable, point: list, direction: list) -> float | None:
    """The imaginary part of a step in the imaginary direction; None where f takes no such numbers.

    Squire and Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM
    Review 40 (1998).
    """
    h = 1e-20
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            stepped = at([x + 1j * h * d for x, d in zip(point, direction, strict=True)])
            slope = float(np.imag(stepped)) / h
    except Exception:  # whatever the program does with complex numbers
        return None
    return slope if math.isfinite(slope) else None


def _difference(at: Callable, point: list, direction: list) -> tuple[float, float]:
    """The slope by central differences, extrapolated, and an estimate of its error.

    Ridders, *Accurate computation of F'(x) and F'(x) F''(x)*, Advances in Engineering Software 4
    (1982): a table of differences at shrinking steps, of which the entry that changed least wins.
    """
    scale = max(1.0, _size(point)) / max(_size(direction), 1e-300)
    h = 1e-2 * scale
    best, error = math.nan, math.inf
    before: list[float] = []
    for _ in range(10):
        ahead = at([x + h * d for x, d in zip(point, direction, strict=True)])
        behind = at([x - h * d for x, d in zip(point, direction, strict=True)])
        row = [float(ahead - behind) / (2.0 * h)]
        factor = 1.0
        for coarse in before:
            factor *= 4.0
            row.append((factor * row[-1] - coarse) / (factor - 1.0))
        for k in range(1, len(row)):
            change = max(abs(row[k] - row[k - 1]), abs(row[k] - before[k - 1]))
            if change <= error:
                best, error = row[k], change
        before = row
        h *= 0.5
    return best, error


def _size(xs: list) -> float:
    """The Euclidean norm of all numbers together."""
    return math.sqrt(sum(float(np.sum(np.square(x))) for x in xs))
