"""Words that the rules of products and of linear algebra are written in."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..kernels import all_finite
from .table import product


def finite(x: Any) -> bool:
    """Whether all elements are finite."""
    if type(x) is np.ndarray:
        return all_finite(x)
    if type(x) is np.float64:
        return math.isfinite(x)
    return bool(np.all(np.isfinite(x)))


def times(x: Any, y: Any) -> Any:
    """`product` where the factors are smaller than it, as in an outer product."""
    return x * y if finite(x) and finite(y) else product(x, y)


def contracted(function: Callable, *factors: Any) -> Any:
    """function(*factors), linear in each of them, where 0 against an infinity or a nan counts 0.

    The function must add up products of the factors' elements and not subtract any.
    """
    result = function(*factors)
    if finite(result):
        return result
    wild = [np.logical_not(np.isfinite(x)) for x in factors]
    if not any(np.any(w) for w in wild):
        return result
    zeros = [np.zeros((), getattr(x, "dtype", float)) for x in factors]
    tamed = function(*map(np.where, wild, zeros, factors))
    # An element of the result is infinite or nan by right where a wild one meets no zero.
    there = [np.asarray(x != 0, float) for x in factors]
    hit = sum(
        function(*(np.asarray(w, float) if k == j else there[k] for k in range(len(factors))))
        for j, w in enumerate(wild)
    )
    return np.where(hit == 0, tamed, result)


def bilinear(function: Callable) -> tuple[Callable, Callable]:
    """The tangents of a product of two arrays: the product, but 0 times infinity is 0."""

    def first(t: Any, v: Any, a: Any, b: Any, **options: Any) -> Any:
        return contracted(functools.partial(function, **options), t, b)

    def second(t: Any, v: Any, a: Any, b: Any, **options: Any) -> Any:
        return contracted(functools.partial(function, **options), a, t)

    return first, second


def ndim(x: Any) -> int:
    """The number of dimensions; 0 for numbers."""
    return getattr(x, "ndim", 0)


def shape(x: Any) -> tuple[int, ...]:
    """The shape; () for numbers."""
    return getattr(x, "shape", ())


def conj(x: Any) -> Any:
    """The complex conjugate; no copy of what is real."""
    return np.conj(x) if getattr(x, "dtype", np.dtype(float)).kind == "c" else x


def column(x: Any) -> Any:
    """x with a new last axis; a number stays one, which broadcasts as well."""
    return x[..., None] if ndim(x) else x


def rows(x: Any) -> Any:
    """A stack of matrices as one matrix with all their rows."""
    return np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def transposed(x: Any) -> Any:
    """Matrices, or a stack of them, transposed."""
    return np.swapaxes(x, -1, -2)


def conj_t(x: Any) -> Any:
    """Matrices, or a stack of them, conjugated and transposed."""
    return conj(np.swapaxes(x, -1, -2))


def tensordot_first(g: Any, a: Any, b: Any, axes_a: Sequence[int], axes_b: Sequence[int]) -> Any:
    """The adjoint of a, where g is that of a sum over pairs of axes of a and b."""
    if a.ndim == b.ndim == len(axes_a) == 1:
        return times(g, b)
    if a.ndim == b.ndim == 2 and len(axes_a) == 1:
        left = b if axes_b[0] == 0 else b.T
        return contracted(np.dot, g, left.T) if axes_a[0] == 1 else contracted(np.dot, left, g.T)
    kept = a.ndim - len(axes_a)
    free = [k for k in range(b.ndim) if k not in axes_b]
    if free:
        axes = (list(range(kept, kept + len(free))), free)
        r = contracted(functools.partial(np.tensordot, axes=axes), g, b)
    else:
        r = times(np.reshape(g, g.shape + (1,) * b.ndim) if kept else g, b)
    # Its axes are the free ones of a, and then those of a that b's are paired with.
    order = [k for k in range(a.ndim) if k not in axes_a]
    order += [p for _, p in sorted(zip(axes_b, axes_a, strict=True))]
    return r if order == sorted(order) else np.transpose(r, np.argsort(order))


def tensordot_second(g: Any, a: Any, b: Any, axes_a: Sequence[int], axes_b: Sequence[int]) -> Any:
    """The adjoint of b: that of the first operand of the product in the other order."""
    if a.ndim == b.ndim == len(axes_a) == 1:
        return times(g, a)
    if a.ndim == b.ndim == 2 and len(axes_a) == 1:
        left = a if axes_a[0] == 1 else a.T
        return contracted(np.dot, left.T, g) if axes_b[0] == 0 else contracted(np.dot, g.T, left)
    kept = a.ndim - len(axes_a)
    if kept and b.ndim > len(axes_b):
        g = np.moveaxis(g, range(kept), range(-kept, 0))
    return tensordot_first(g, b, a, axes_b, axes_a)
