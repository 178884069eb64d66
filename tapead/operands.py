"""What is given to NumPy's functions: operands as arrays, plain data out of them, and refusals."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from tapead import array, guards, scalar
from tapead.array import Array, plain_of
from tapead.errors import UnsupportedError
from tapead.rules.table import as_array
from tapead.scalar import Scalar

NUMBERS = (Array, Scalar, np.ndarray, float, int)


def as_operand(x: Any) -> Any:
    """An operand as an array or a number: lists and object arrays of numbers become arrays."""
    if type(x) in NUMBERS:
        if type(x) is np.ndarray and x.dtype.kind == "O":
            return _from_objects(x)
        return x
    if isinstance(x, (list, tuple, deque)):
        return as_array(list(x))
    if isinstance(x, np.ndarray):
        return _of_subclass(x)
    return x


def _of_subclass(x: np.ndarray) -> np.ndarray:
    """An array of a class derived from NumPy's as one of NumPy's."""
    if isinstance(x, (np.matrix, np.ma.MaskedArray)):
        raise guards.unsupported(f"a tracked array met a {type(x).__name__}, whose operations")
    return x.view(np.ndarray)


def _from_objects(x: np.ndarray) -> Any:
    """An object array as an array of numbers, if numbers are what it holds."""
    flat = x.ravel().tolist()
    if not any(type(y) in (Scalar, Array) for y in flat):
        return x
    return np.stack(flat).reshape(x.shape)


def is_tracked(tree: Any) -> bool:
    """Whether an argument is, or holds, a number with a derivative."""
    if type(tree) in (Scalar, Array):
        return array.is_active(tree)
    if isinstance(tree, (list, tuple, deque)):
        return any(map(is_tracked, tree))
    if isinstance(tree, dict):
        return any(map(is_tracked, tree.values()))
    return type(tree) is np.ndarray and tree.dtype.kind == "O" and any(map(is_tracked, tree.flat))


def plain_tree(tree: Any) -> Any:
    """An argument with plain data in the place of arrays and numbers of ours."""
    if type(tree) in (Scalar, Array):
        return plain_of(tree)
    if type(tree) in (list, tuple, deque):
        return type(tree)([plain_tree(x) for x in tree])
    if type(tree) is dict:
        return {k: plain_tree(x) for k, x in tree.items()}
    return tree


def _as_float(x: Any) -> Any:
    return scalar.as_float(x) if type(x) is Scalar else x


def objects(x: Any) -> np.ndarray:
    """An object array of the elements, which are Python's floats there."""
    out = np.empty(x.shape, object)
    for index in np.ndindex(x.shape):
        out[index] = _as_float(x[index] if index else x.item())
    return out


def refused(f: Any, why: str = "") -> UnsupportedError:
    """The error for a function without a rule."""
    module = (getattr(f, "__module__", None) or "numpy").replace("numpy._core", "numpy")
    name = getattr(f, "__name__", str(f))
    return guards.unsupported(
        f"{module.partition('.')[0]}.{name}{why or ' has no rule: tracked arrays in it'}"
    )


def fixed_index(index: Any) -> Any:
    """An index whose arrays nobody else can change."""
    if isinstance(index, tuple):
        return tuple([fixed_index(part) for part in index])
    if isinstance(index, list):
        return np.array(index) if index else np.array(index, int)
    if type(index) is Array or isinstance(index, np.ndarray):
        return np.array(plain_of(index))
    return plain_of(index)


def fixed(x: Any) -> Any:
    """An option as plain data that nobody else can change."""
    if type(x) is Array or isinstance(x, np.ndarray):
        return np.array(plain_of(x), order="K")
    if type(x) in (list, tuple):
        return type(x)([fixed(y) for y in x])
    return x
