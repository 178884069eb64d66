"""NumPy's functions that write into an array which they are given: np.copyto, np.put and others."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead import guards, operands, rows
from tapead.array import Array, plain_of


def _target(x: Any, name: str) -> bool:
    """Whether x is an array of ours; an error if it is plain and would lose a derivative."""
    if type(x) is Array:
        return True
    raise guards.detached(
        f"np.{name} was about to write a tracked value into a plain array, made before the "
        "recording or by a function that tapead does not see."
    )


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if _target(dst, "copyto"):
        rows.write_out(dst, operands.as_operand(src), plain_of(where))


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    if not _target(a, "put"):
        return
    ind = np.asarray(ind)
    if mode != "raise":
        ind = np.take(np.arange(a.size), ind, mode=mode)
    v = np.ravel(operands.as_operand(v))
    if ind.size:
        at = np.unravel_index(np.where(ind < 0, ind + a.size, ind).ravel(), a.shape)
        a[at] = np.resize(v, ind.size) if v.size != ind.size else v


def place(arr: Any, mask: Any, vals: Any) -> None:
    if _target(arr, "place"):
        mask = np.reshape(np.asarray(plain_of(mask), bool), arr.shape)
        count = int(mask.sum())
        if count:
            arr[mask] = np.resize(np.ravel(operands.as_operand(vals)), count)


def putmask(a: Any, mask: Any, values: Any) -> None:
    if _target(a, "putmask"):
        mask = np.reshape(np.asarray(plain_of(mask), bool), a.shape)
        values = np.ravel(operands.as_operand(values))
        a[...] = np.where(mask, np.reshape(np.resize(values, a.size), a.shape), a)


def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    if not _target(arr, "put_along_axis"):
        return
    if axis is None:
        flat = np.reshape(arr, -1)
        flat[indices] = values
        return
    axis %= arr.ndim
    at: list = []
    for k, n in enumerate(arr.shape):
        if k == axis:
            at.append(indices)
        else:
            at.append(np.arange(n).reshape([-1 if j == k else 1 for j in range(arr.ndim)]))
    arr[tuple(at)] = values


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if not _target(a, "fill_diagonal"):
        return
    numbers = np.zeros(a.shape, bool)
    np.fill_diagonal(numbers, True, wrap)
    at = np.nonzero(numbers)
    val = np.ravel(operands.as_operand(val))
    a[at] = np.resize(val, len(at[0])) if val.size not in (1, len(at[0])) else val


WRITES = {
    getattr(np, f.__name__): f for f in (copyto, put, place, putmask, put_along_axis, fill_diagonal)
}
