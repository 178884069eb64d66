"""np.einsum: its rule, and contractions of labeled arrays by matrix products.

einsum is linear in each operand.  The adjoint of one of them is a contraction again: of the
result's adjoint, with the result's labels, and of the other operands, down to the operand's own
labels.  It is done pair by pair in an order that NumPy's einsum_path finds, each pair as one
(stacked) matrix product, which is faster than einsum's own loops for all but small arrays.
"""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .contractions import contracted, ndim, shape
from .table import Rule, as_array, primitive

Labels = tuple[int, ...]

# Sums of no more products than this are done by einsum itself: sooner than a pair is arranged.
_SMALL = 8000
_MOST = 10  # operands: so many digits there are to say which ones a rule needs
# The letters of the labels 0, 1, ... of einsum's other form, in NumPy's order.
_LETTERS = string.ascii_uppercase + string.ascii_lowercase


# ----------------------------------------------------------------------------------- subscripts ---


def _in_one_string(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """einsum's positional arguments as subscripts and arrays; lists of labels become letters."""
    if isinstance(operands[0], str):
        return operands[0], list(operands[1:])
    arrays, lists = operands[0 : len(operands) // 2 * 2 : 2], operands[1::2]
    subscripts = ",".join(map(_letters, lists))
    if len(operands) % 2:
        subscripts += "->" + _letters(operands[-1])
    return subscripts, list(arrays)


def _letters(labels: Iterable[Any]) -> str:
    return "".join("..." if k is Ellipsis else _LETTERS[k] for k in labels)


@functools.lru_cache(1024)
def _parsed(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of each operand and of the result.

    Letters are positive; the axes that an ellipsis stands for are -1, -2, ... from the last one.
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = []
    widest = 0
    for term, n in zip(inputs.split(","), ndims, strict=True):
        left, dots, right = term.partition("...")
        hidden = n - len(left) - len(right) if dots else 0
        widest = max(widest, hidden)
        terms.append((*map(ord, left), *range(-hidden, 0), *map(ord, right)))
    if arrow:
        left, dots, right = output.partition("...")
        result = (*map(ord, left), *(range(-widest, 0) if dots else ()), *map(ord, right))
    else:
        letters = inputs.replace("...", "").replace(",", "")
        once = sorted(c for c in set(letters) if letters.count(c) == 1)
        result = (*range(-widest, 0), *map(ord, once))
    return tuple(terms), result


def _written(terms: Iterable[Labels], result: Labels) -> str:
    """Labels as subscripts of einsum."""
    names: dict[int, str] = {}
    parts = ["".join(names.setdefault(k, _LETTERS[len(names)]) for k in t) for t in terms]
    return ",".join(parts) + "->" + "".join(names[k] for k in result)


def _sizes(terms: Sequence[Labels], shapes: Sequence[tuple[int, ...]]) -> dict[int, int]:
    """How long the axis of each label is; an axis of length 1 is stretched to the others'."""
    sizes: dict[int, int] = {}
    for term, lengths in zip(terms, shapes, strict=True):
        for k, n in zip(term, lengths, strict=True):
            if sizes.get(k, 1) == 1:
                sizes[k] = n
    return sizes


# --------------------------------------------------------------------------------- contractions ---


def _contraction(terms: tuple[Labels, ...], kept: Labels, *arrays: Any) -> Any:
    """The sum of the arrays' product over all labels but `kept`.

    A label whose axis has length 1 in all arrays keeps that length.
    """
    shapes = tuple(map(shape, arrays))
    subscripts = _if_small(terms, kept, shapes)
    if subscripts:
        return np.einsum(subscripts, *arrays)
    sizes = _sizes(terms, shapes)
    items = [_simple(x, t, sizes) for x, t in zip(arrays, terms, strict=True)]
    for i, j in _order(terms, kept, shapes):
        y, x = items.pop(max(i, j)), items.pop(min(i, j))
        still = set(kept).union(*(labels for _, labels in items))
        items.append(_pair(*x, *y, still))
    ((x, labels),) = items
    x, labels = _summed(x, labels, kept)
    found = [k for k in kept if k in labels]
    x = np.transpose(x, [labels.index(k) for k in found]) if len(found) > 1 else x
    if len(found) < len(kept):
        x = np.reshape(x, [sizes[k] if k in found else 1 for k in kept])
    return x


@functools.lru_cache(4096)
def _if_small(
    terms: tuple[Labels, ...], kept: Labels, shapes: tuple[tuple[int, ...], ...]
) -> str | None:
    """The subscripts of a contraction that is best left to einsum."""
    sizes = _sizes(terms, shapes)
    small = math.prod(sizes.values()) <= _SMALL and len(sizes) <= len(_LETTERS)
    return _written(terms, kept) if small else None


@functools.lru_cache(1024)
def _order(
    terms: tuple[Labels, ...], kept: Labels, shapes: tuple[tuple[int, ...], ...]
) -> list[tuple[int, int]]:
    """Which two of the arrays that are left to contract next; the result is then the last one."""
    if len(terms) <= 2:
        return [(0, 1)] if len(terms) == 2 else []
    stand_ins = [np.broadcast_to(0.0, s) for s in shapes]
    kind = "optimal" if len(terms) <= 5 else "greedy"
    path = np.einsum_path(_written(terms, kept), *stand_ins, optimize=(kind, 2**62))[0]
    order, left = [], len(terms)
    for step in path[1:]:
        while len(step) > 1:  # three at once as two and two
            step = sorted(step)
            order.append((step[0], step[1]))
            left -= 1
            step = [k - 2 for k in step[2:]] + [left - 1] if len(step) > 2 else []
    return order


def _simple(x: Any, labels: Labels, sizes: dict[int, int]) -> tuple[Any, Labels]:
    """An array without repeated labels and without axes that are stretched."""
    unique = tuple(dict.fromkeys(labels))
    if len(unique) < len(labels):
        x = np.einsum(_written([labels], unique), x)
    stretched = [axis for axis, k in enumerate(unique) if x.shape[axis] != sizes[k]]
    if stretched:
        x = np.squeeze(x, tuple(stretched))
        unique = tuple(k for axis, k in enumerate(unique) if axis not in stretched)
    return x, unique


def _summed(x: Any, labels: Labels, needed: Iterable[int]) -> tuple[Any, Labels]:
    """An array summed over the labels that nobody needs."""
    alone = tuple(axis for axis, k in enumerate(labels) if k not in needed)
    if not alone:
        return x, labels
    return np.sum(x, axis=alone), tuple(k for k in labels if k in needed)


def _pair(x: Any, in_x: Labels, y: Any, in_y: Labels, needed: set[int]) -> tuple[Any, Labels]:
    """Two arrays' product, summed over the labels that nobody else needs."""
    x, in_x = _summed(x, in_x, needed.union(in_y))
    y, in_y = _summed(y, in_y, needed.union(in_x))
    stack = tuple(k for k in in_x if k in in_y and k in needed)
    inner = tuple(k for k in in_x if k in in_y and k not in needed)
    of_x = tuple(k for k in in_x if k not in in_y)
    of_y = tuple(k for k in in_y if k not in in_x)
    labels = stack + of_x + of_y
    if not inner:
        x = _aligned(x, in_x, stack + of_x, len(of_y))
        return x * _aligned(y, in_y, stack + of_y, 0, len(of_x), len(stack)), labels
    if stack and not of_x and not of_y:  # einsum's loop beats as many products of vectors
        return np.einsum(_written([in_x, in_y], labels), x, y), labels
    lengths = dict(zip(in_x + in_y, shape(x) + shape(y), strict=True))
    x = _matrices(x, in_x, stack, of_x, inner)
    y = _matrices(y, in_y, stack, inner, of_y)
    return np.reshape(np.matmul(x, y), [lengths[k] for k in labels]), labels


def _aligned(x: Any, labels: Labels, order: Labels, after: int, between: int = 0, at: int = 0):
    """Axes in that order, for broadcasting with new ones of length 1 in between and behind."""
    if not labels:
        return x
    x = np.transpose(x, [labels.index(k) for k in order])
    if not after and not between:
        return x
    lengths = tuple(x.shape)
    return np.reshape(x, lengths[:at] + (1,) * between + lengths[at:] + (1,) * after)


def _matrices(x: Any, labels: Labels, stack: Labels, first: Labels, second: Labels) -> Any:
    """An array as a stack of matrices, as transposed views rather than copies where possible."""
    lengths = dict(zip(labels, x.shape, strict=True))
    turned = max(map(labels.index, second), default=0) < min(map(labels.index, first), default=0)
    left, right = (second, first) if turned else (first, second)
    x = np.transpose(x, [labels.index(k) for k in (*stack, *left, *right)])
    groups = ([stack] if stack else []) + [left, right]
    x = np.reshape(x, [math.prod(lengths[k] for k in group) for group in groups])
    return np.swapaxes(x, -1, -2) if turned else x


# ------------------------------------------------------------------------------------- the rule ---


@functools.lru_cache(4096)
def _plan(
    i: int, subscripts: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[Labels, ...], Labels, Labels]:
    """The labels of what is contracted to the i-th operand's adjoint, of what that gives, and the
    operand's own."""
    terms, result = _parsed(subscripts, tuple(map(len, shapes)))
    sizes = _sizes(terms, shapes)
    labels = (result, *terms[:i], *terms[i + 1 :])
    known = set().union(*labels)
    own = dict(zip(terms[i], shapes[i], strict=True))
    kept = tuple(k for k, n in own.items() if k in known and n == sizes[k])
    return labels, kept, terms[i]


def _adjoint(
    i: int, g: Any, v: Any, *operands: Any, subscripts: str, settings: dict[str, Any]
) -> Any:
    """The adjoint of the i-th operand."""
    shapes = tuple(map(shape, operands))
    labels, kept, own = _plan(i, subscripts, shapes)
    sums = functools.partial(_contraction, labels, kept)
    r = contracted(sums, g, *operands[:i], *operands[i + 1 :])
    if kept == own and shape(r) == shapes[i]:
        return r
    return _spread(r, kept, own, dict(zip(own, shapes[i], strict=True)))


def _spread(x: Any, kept: Labels, own: Labels, dims: dict[int, int]) -> Any:
    """An adjoint by some of the labels as one by all of them, repeated ones included."""
    found = dict(zip(kept, shape(x), strict=True))
    if found != dims:
        x = np.broadcast_to(
            np.reshape(x, [found.get(k, 1) for k in dims]) if found else x, tuple(dims.values())
        )
    if len(dims) == len(own):
        return x
    # What lies off the diagonal of a repeated label is not read, and has derivative 0.
    axes = {k: [axis for axis, other in enumerate(own) if other == k] for k in dims}
    mask = np.ones((1,) * len(own), bool)
    for k, (first, *more) in axes.items():
        for axis in more:
            eye = [dims[k] if at in (first, axis) else 1 for at in range(len(own))]
            mask = mask & np.eye(dims[k], dtype=bool).reshape(eye)
    x = np.reshape(x, [dims[k] if axes[k][0] == at else 1 for at, k in enumerate(own)])
    return np.where(mask, x, np.zeros((), x.dtype))


def _tangent(
    i: int, t: Any, v: Any, *operands: Any, subscripts: str, settings: dict[str, Any]
) -> Any:
    """The value's own formula, in a faster order if that is known, with t for the i-th operand."""
    terms, result = _parsed(subscripts, tuple(map(ndim, operands)))
    sizes = _sizes(terms, tuple(map(shape, operands)))
    sums = functools.partial(_contraction, terms, result)
    r = contracted(sums, *(t if k == i else x for k, x in enumerate(operands)))
    lengths = tuple(sizes[k] for k in result)
    return r if shape(r) == lengths else np.broadcast_to(r, lengths)


def _rule(count: int) -> Rule:
    """The rule of einsum with so many operands, a primitive of its own.

    So each adjoint keeps the operands that it reads, and no others.
    """

    @primitive
    def einsum(*arrays: Any, subscripts: str, settings: dict[str, Any]) -> Any:
        return np.einsum(subscripts, *arrays, **settings)

    names = ", ".join(f"x{k}" for k in range(count))
    return Rule(
        einsum,
        f"{names}; subscripts, settings",
        tuple(functools.partial(_adjoint, i) for i in range(count)),
        tuple(functools.partial(_tangent, i) for i in range(count)),
        tuple("".join(str(j) for j in range(count) if j != i) for i in range(count)),
    )


@primitive
def view(x: Any, subscripts: str) -> Any:
    """einsum of one array that sums over nothing: axes in another order, and diagonals."""
    return np.einsum(subscripts, x)


def _einsum(*operands: Any, out: Any = None, optimize: Any = False, **options: Any) -> Any:
    subscripts, arrays = _in_one_string(operands)
    arrays = [as_array(x) for x in arrays]
    if len(arrays) > _MOST:
        raise UnsupportedError(f"np.einsum of more than {_MOST} tracked arrays")
    if len(arrays) == 1 and out is None and not options and ndim(arrays[0]):
        (term,), result = _parsed(subscripts, (ndim(arrays[0]),))
        if set(term) == set(result):
            return view(arrays[0], subscripts)
    settings = {"optimize": optimize, **options}
    value = _RULES[len(arrays)].function(*arrays, subscripts=subscripts, settings=settings)
    if out is None:
        return value
    out[...] = value
    return out


_RULES = {count: _rule(count) for count in range(1, _MOST + 1)}

RULES = tuple(_RULES.values())
COMPOSED: dict[Callable, Callable] = {np.einsum: _einsum}
VIEWS = (view,)
DECISIONS = (np.einsum_path,)
