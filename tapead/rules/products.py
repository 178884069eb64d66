"""Products of arrays: dot, matmul and what is like them, outer, tensordot, kron, cross.

All of them are linear in each operand, so their tangents are the functions themselves, and their
adjoints are products of the same kind with the result in an operand's place: for C = A B they are
G B' and A' G, two calls of BLAS on transposed views (Giles 2008, section 2.2.1).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .contractions import (
    bilinear,
    column,
    conj,
    contracted,
    ndim,
    rows,
    shape,
    tensordot_first,
    tensordot_second,
    times,
    transposed,
)
from .table import Rule, Shaped, as_array, product, unbroadcast

# ------------------------------------------------------------------- sums over pairs of axes ---


def _scaled(g: Any, factor: Any, like: Any) -> Any:
    """The adjoint of an operand that is multiplied by a number, or is that number."""
    r = product(g, factor)
    return r if ndim(like) else np.sum(r)


def _rule_of_sums(function: Callable, signature: str, axes_of: Callable, out: bool = False) -> Rule:
    """The rule of a function that sums over the pairs of axes that axes_of(a, b, ...) tells."""

    def first(g: Any, v: Any, a: Any, b: Any, **options: Any) -> Any:
        if not ndim(a) or not ndim(b):
            return _scaled(g, b, a)
        return tensordot_first(g, a, b, *axes_of(a, b, **options))

    def second(g: Any, v: Any, a: Any, b: Any, **options: Any) -> Any:
        if not ndim(a) or not ndim(b):
            return _scaled(g, a, b)
        return tensordot_second(g, a, b, *axes_of(a, b, **options))

    outer = function is np.dot
    return Rule(function, signature, (first, second), bilinear(function), ("1", "0"), out, outer)


def _tensordot_axes(a: Any, b: Any, axes: Any = 2) -> Any:
    if np.ndim(axes) == 0:
        n = operator.index(axes)
        axes = (range(a.ndim - n, a.ndim), range(n))
    return [
        [int(k) % x.ndim for k in np.atleast_1d(np.asarray(along, int))]
        for x, along in zip((a, b), axes, strict=True)
    ]


# --------------------------------------------------------------- products of stacks of matrices ---


def _matmul_first(g: Any, v: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return times(column(g), b)
    if a.ndim == 1:
        return tensordot_first(g, a, b, (0,), (b.ndim - 2,))
    if b.ndim == 2 and a.ndim == 2:
        return contracted(np.dot, g, b.T)
    if b.ndim == 2:  # one product for the whole stack
        return np.reshape(contracted(np.dot, rows(g), b.T), a.shape)
    return unbroadcast(contracted(np.matmul, g, transposed(b)), a)


def _matmul_second(g: Any, v: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return times(g[..., None, :], column(a)) if b.ndim > 1 else times(g, a)
    if b.ndim == 1:
        return contracted(np.dot, np.ravel(g), rows(a))
    if b.ndim == 2 and a.ndim == 2:
        return contracted(np.dot, a.T, g)
    if b.ndim == 2:
        return contracted(np.dot, rows(a).T, rows(g))
    return unbroadcast(contracted(np.matmul, transposed(a), g), b)


def _vecdot_first(g: Any, v: Any, a: Any, b: Any, axis: int = -1) -> Any:
    return _vecdot_other(g, b, a, axis, conj)


def _vecdot_second(g: Any, v: Any, a: Any, b: Any, axis: int = -1) -> Any:
    return _vecdot_other(g, conj(a), b, axis, lambda x: x)


def _vecdot_other(g: Any, factor: Any, like: Any, axis: int, after: Callable) -> Any:
    r = times(column(g), factor if axis == -1 else np.moveaxis(factor, axis, -1))
    if axis == -1:
        return unbroadcast(after(r), like)
    return np.moveaxis(unbroadcast(after(r), moved(like, axis, -1)), -1, axis)


def _matvec_first(g: Any, v: Any, a: Any, b: Any) -> Any:
    return unbroadcast(times(column(g), b[..., None, :]), a)


def _matvec_second(g: Any, v: Any, a: Any, b: Any) -> Any:
    return unbroadcast(contracted(np.matmul, g[..., None, :], a)[..., 0, :], b)


def _vecmat_first(g: Any, v: Any, a: Any, b: Any) -> Any:
    return unbroadcast(conj(contracted(np.matmul, b, column(g))[..., 0]), a)


def _vecmat_second(g: Any, v: Any, a: Any, b: Any) -> Any:
    return unbroadcast(times(column(conj(a)), g[..., None, :]), b)


def moved(x: Any, source: Any, target: Any) -> Any:
    """np.moveaxis, of a mere shape too."""
    if isinstance(x, np.ndarray):
        return np.moveaxis(x, source, target)
    return Shaped(np.moveaxis(np.broadcast_to(0.0, x.shape), source, target).shape, x.dtype)


def _gufunc_rules() -> list[Rule]:
    """matmul, and what NumPy has had beside it since 2.0 and 2.2."""
    parts = {
        "matmul": ("x1, x2", _matmul_first, _matmul_second),
        "vecdot": ("x1, x2; axis=-1", _vecdot_first, _vecdot_second),
        "matvec": ("x1, x2", _matvec_first, _matvec_second),
        "vecmat": ("x1, x2", _vecmat_first, _vecmat_second),
    }
    found = [(getattr(np, name), row) for name, row in parts.items() if hasattr(np, name)]
    return [
        Rule(f, signature, adjoints, bilinear(f), ("1", "0"), out=True, outer=f is np.matmul)
        for f, (signature, *pair) in found
        for adjoints in [tuple(pair)]
    ]


def _with_options(
    f: Callable,
    x1: Any,
    x2: Any,
    *,
    axes: Any = None,
    axis: int | None = None,
    keepdims: bool = False,
    dtype: Any = None,
    casting: str = "same_kind",
    order: str = "K",
    subok: bool = True,
) -> Any:
    """A generalized ufunc with the options that say where axes are, and of what type it is.

    `order` and `subok` have no bearing on tracked arrays.
    """
    operands = [as_array(x1), as_array(x2)]
    if dtype is not None:
        operands = [x.astype(dtype, casting=casting) for x in operands]
    if axis is not None:
        axes = [axis, axis]
    if axes is None:
        r = f(*operands)
        return r[..., None] if keepdims else r
    pairs = [k if isinstance(k, tuple) else (k,) for k in axes]
    r = f(*(np.moveaxis(x, k, range(-len(k), 0)) for x, k in zip(operands, pairs, strict=False)))
    if keepdims:
        return np.moveaxis(r[..., None], -1, pairs[0][0])
    to = pairs[2] if len(pairs) > 2 else ()
    return np.moveaxis(r, range(-len(to), 0), to) if to else r


# --------------------------------------------------------------------------- the other products ---


def _vdot_first(g: Any, v: Any, a: Any, b: Any) -> Any:
    return conj(product(g, b if shape(a) == shape(b) else np.reshape(b, shape(a))))


def _vdot_second(g: Any, v: Any, a: Any, b: Any) -> Any:
    return product(g, conj(a if shape(a) == shape(b) else np.reshape(a, shape(b))))


def _outer_first(g: Any, v: Any, a: Any, b: Any) -> Any:
    return np.reshape(contracted(np.dot, g, np.ravel(b)), shape(a))


def _outer_second(g: Any, v: Any, a: Any, b: Any) -> Any:
    return np.reshape(contracted(np.dot, np.ravel(a), g), shape(b))


def _kron(i: int, g: Any, v: Any, a: Any, b: Any) -> Any:
    """The result as an array of twice the dimensions, summed over those of the other operand."""
    own, other = (a, b) if i == 0 else (b, a)
    if not ndim(own) or not ndim(other):
        return _scaled(g, other, own)
    n = max(a.ndim, b.ndim)
    lengths = [(1,) * (n - x.ndim) + tuple(x.shape) for x in (a, b)]
    g = np.reshape(g, [k for pair in zip(*lengths, strict=True) for k in pair])
    axes = (list(range(1 - i, 2 * n, 2)), list(range(n)))
    other = np.reshape(other, lengths[1 - i])
    return np.reshape(contracted(functools.partial(np.tensordot, axes=axes), g, other), own.shape)


def _spatial(x: Any) -> Any:
    """Vectors of the plane as vectors of space: the third component is 0."""
    if x.shape[-1] == 3:
        return x
    return np.concatenate((x, np.zeros((*x.shape[:-1], 1), x.dtype)), axis=-1)


def _cross_of(x: Any, y: Any) -> Any:
    """x cross y along the last axes, where 0 times infinity is 0."""
    after, before = [1, 2, 0], [2, 0, 1]
    return product(x[..., after], y[..., before]) - product(x[..., before], y[..., after])


def _cross(
    i: int,
    g: Any,
    v: Any,
    a: Any,
    b: Any,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any:
    """g . (t x b) is (b x g) . t, and g . (a x t) is (g x a) . t."""
    if axis is not None:
        axisa = axisb = axisc = axis
    own, own_axis, other, other_axis = (a, axisa, b, axisb) if i == 0 else (b, axisb, a, axisa)
    other = _spatial(np.moveaxis(other, other_axis, -1))
    if a.shape[axisa] == b.shape[axisb] == 2:  # the result is the third component
        g = np.stack((np.zeros(g.shape), np.zeros(g.shape), g), axis=-1)
    else:
        g = np.moveaxis(g, axisc, -1)
    r = _cross_of(other, g) if i == 0 else _cross_of(g, other)
    like = moved(own, own_axis, -1)
    return np.moveaxis(unbroadcast(r[..., : like.shape[-1]], like), -1, own_axis)


# ----------------------------------------------------------------------- in terms of the others ---


def _multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """The product of several matrices in the order that NumPy finds the cheapest."""
    arrays = [as_array(a) for a in arrays]
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    if len(arrays) == 2:
        return np.dot(*arrays) if out is None else np.dot(*arrays, out=out)
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    if first:
        arrays[0] = arrays[0][None, :]
    if last:
        arrays[-1] = arrays[-1][:, None]
    if any(a.ndim != 2 for a in arrays):
        raise np.linalg.LinAlgError("multi_dot takes matrices, and vectors at both ends only")
    lengths = (*(a.shape[0] for a in arrays), arrays[-1].shape[1])

    def part(i: int, j: int) -> Any:
        if i == j:
            return arrays[i]
        k = _cheapest(lengths, i, j)[1]
        return np.dot(part(i, k), part(k + 1, j))

    result = part(0, len(arrays) - 1)
    if out is not None:
        out[...] = result
        result = out
    if first and last:
        return result[0, 0]
    return np.ravel(result) if first or last else result


@functools.lru_cache(1024)
def _cheapest(lengths: tuple[int, ...], i: int, j: int) -> tuple[float, int]:
    """The cost of multiplying matrices i to j, and after which of them to split.

    Cormen, Leiserson, Rivest, Stein, *Introduction to Algorithms*, section 15.2.  Of equal costs
    NumPy takes the first split, which for just three matrices is to begin at the right.
    """
    if i == j:
        return 0.0, i
    costs = [
        _cheapest(lengths, i, k)[0]
        + _cheapest(lengths, k + 1, j)[0]
        + lengths[i] * lengths[k + 1] * lengths[j + 1]
        for k in range(i, j)
    ]
    return min(costs), i + costs.index(min(costs))


def _matrix_power(a: Any, n: Any) -> Any:
    a = as_array(a)
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy()
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return np.matmul(np.matmul(a, a), a)
    power = result = None
    while n > 0:
        power = a if power is None else np.matmul(power, power)
        n, odd = divmod(n, 2)
        if odd:
            result = power if result is None else np.matmul(result, power)
    return result


def _linalg_outer(x1: Any, x2: Any, /) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError("np.linalg.outer takes two vectors; np.outer flattens what it gets")
    return np.outer(x1, x2)


def _linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError("np.linalg.cross takes 3-dimensional vectors")
    return np.cross(x1, x2, axis=axis)


# --------------------------------------------------------------------------------------- tables ---

RULES = (
    _rule_of_sums(np.dot, "a, b", lambda a, b: ((a.ndim - 1,), (max(b.ndim - 2, 0),)), out=True),
    _rule_of_sums(np.inner, "a, b", lambda a, b: ((a.ndim - 1,), (b.ndim - 1,))),
    _rule_of_sums(np.tensordot, "a, b; axes=2", _tensordot_axes),
    *_gufunc_rules(),
    Rule(np.vdot, "a, b", (_vdot_first, _vdot_second), bilinear(np.vdot), ("1", "0")),
    Rule(np.outer, "a, b", (_outer_first, _outer_second), bilinear(np.outer), ("1", "0"), out=True),
    Rule(
        np.kron,
        "a, b",
        (functools.partial(_kron, 0), functools.partial(_kron, 1)),
        bilinear(np.kron),
        ("1", "0"),
    ),
    Rule(
        np.cross,
        "a, b; axisa=-1, axisb=-1, axisc=-1, axis=None",
        (functools.partial(_cross, 0), functools.partial(_cross, 1)),
        needs=("1", "0"),
    ),
)

# NumPy 2's functions of np.linalg, which say the same of the last axes.
_OF_LINALG: dict[str, Callable] = {
    "outer": _linalg_outer,
    "cross": _linalg_cross,
    "matmul": lambda x1, x2, /: np.matmul(x1, x2),
    "tensordot": lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes=axes),
    "vecdot": lambda x1, x2, /, *, axis=-1: np.vecdot(x1, x2, axis=axis),
    "trace": lambda x, /, *, offset=0, dtype=None: np.trace(
        as_array(x), offset, axis1=-2, axis2=-1, dtype=dtype
    ),
    "diagonal": lambda x, /, *, offset=0: np.diagonal(as_array(x), offset, axis1=-2, axis2=-1),
    "matrix_transpose": lambda x, /: transposed(as_array(x)),
}

COMPOSED = {
    np.linalg.multi_dot: _multi_dot,
    np.linalg.matrix_power: _matrix_power,
    **{getattr(np.linalg, name): f for name, f in _OF_LINALG.items() if hasattr(np.linalg, name)},
}
# For calls of generalized ufuncs with options other than their rows have.
METHODS = {
    (rule.function, "__call__"): functools.partial(_with_options, rule.function)
    for rule in _gufunc_rules()
}
