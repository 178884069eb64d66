"""np.linalg.norm and its kin: one slope for each kind of norm, which serves both modes.

A norm n is real.  Its slope p, of the operand's shape, is what makes n' = Re sum(p x'), so that the
adjoint is g p.  Where a norm is 0, or its operand's element, the slope there is 0; among equals
that are a largest or a smallest it is shared.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .contractions import conj, times
from .table import Rule, as_array, expanded, product


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes that are reduced, as non-negative numbers."""
    if axis is None:
        return tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (operator.index(axis),)
    return tuple(operator.index(k) % x.ndim for k in axes)


def _euclidean(ord: Any, axis: Any, count: int) -> bool:
    """Whether a norm is the root of the sum of all squares."""
    return ord is None or (ord in ("f", "fro") if count == 2 else count == 1 and ord == 2)


def _nonzero(v: Any) -> Any:
    """A divisor by which 0 / 0 is 0, as is all that is differentiated from it."""
    if type(v) is np.float64:
        return v if v != 0 else np.inf
    return np.where(v == 0, np.inf, v)


def _signs(x: Any) -> Any:
    """The slope of abs(x), 0 at 0."""
    return conj(x) / _nonzero(np.abs(x)) if np.iscomplexobj(x) else np.sign(x)


def _shares(y: Any, extreme: Any, axis: Any) -> np.ndarray:
    """Weights of those that are the extreme ones along an axis, equal ones and 1 together."""
    equal = np.asarray(y == extreme)
    return equal / np.maximum(np.sum(equal, axis=axis, keepdims=True), 1)


def _vector_slope(x: Any, v: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    """v has length 1 along the axis that is reduced."""
    if ord in (np.inf, -np.inf):
        return _shares(np.abs(x), v, axes) * _signs(x)
    if ord == 1:
        return _signs(x)
    if ord == 0:
        return np.zeros(x.shape)
    return product((np.abs(x) / _nonzero(v)) ** (ord - 1), _signs(x))


def _matrix_slope(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    row, column = axes
    if ord in (1, -1, np.inf, -np.inf):
        summed, other = (row, column) if abs(ord) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        extreme = (np.max if ord > 0 else np.min)(sums, axis=other, keepdims=True)
        return _shares(sums, extreme, other) * _signs(x)
    u, s, vh = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), full_matrices=False)
    weights = np.asarray(s != 0, s.dtype)
    if ord != "nuc":
        extreme = (np.max if ord > 0 else np.min)(s, axis=-1, keepdims=True)
        weights = weights * _shares(s, extreme, -1)
    return np.moveaxis(np.matmul(conj(u) * weights[..., None, :], conj(vh)), (-2, -1), axes)


def _slope(x: Any, v: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    axes = _axes(x, axis)
    whole = v if axis is None else expanded(v, x.ndim, axes, keepdims)
    if _euclidean(ord, axis, len(axes)):
        return conj(x) / _nonzero(whole)
    if len(axes) == 1:
        return _vector_slope(x, whole, ord, axes)
    return _matrix_slope(x, ord, axes)


def _adjoint(g: Any, v: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False):
    if axis is not None:
        axes = _axes(x, axis)
        g, v = (expanded(y, x.ndim, axes, keepdims) for y in (g, v))
    if _euclidean(ord, axis, x.ndim if axis is None else len(axes)):
        return times(g / _nonzero(v), conj(x))
    return product(g, _slope(x, v, ord, axis, axis is not None or keepdims))


def _tangent(
    t: Any, v: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    terms = np.real(product(t, _slope(x, v, ord, axis, keepdims)))
    return np.sum(terms, axis=_axes(x, axis), keepdims=keepdims)


def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = as_array(x)
    if isinstance(axis, tuple):
        axes = _axes(x, axis)
        flat = np.moveaxis(x, axes, range(-len(axes), 0))
        rest = flat.shape[: x.ndim - len(axes)]
        # As NumPy does it: the axes are put in front, as one.
        flat = np.reshape(np.moveaxis(x, axes, range(len(axes))), (-1, *rest))
        result = np.linalg.norm(flat, ord=ord, axis=0)
    else:
        axes = _axes(x, axis)
        result = np.linalg.norm(
            np.ravel(x) if axis is None else x, ord, 0 if axis is None else axis
        )
    if not keepdims:
        return result
    return np.reshape(result, [1 if k in axes else n for k, n in enumerate(x.shape)])


def _matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(as_array(x), ord, (-2, -1), keepdims)


RULES = (
    Rule(np.linalg.norm, "x; ord=None, axis=None, keepdims=False", _adjoint, _tangent, needs="0v"),
)

COMPOSED = {
    getattr(np.linalg, name): f
    for name, f in (("vector_norm", _vector_norm), ("matrix_norm", _matrix_norm))
    if hasattr(np.linalg, name)
}
