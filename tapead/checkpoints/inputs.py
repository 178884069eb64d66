"""Inputs: which of some leaves are tracked, the others as plain values; results in their memory."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapead import array
from tapead.array import Array, plain_data, plain_of
from tapead.errors import UnsupportedError
from tapead.forms import same_bits

# What it may take to find out whether two arrays with gaps share memory.
_WORK = 100_000


class Inputs:
    """The leaves of what a function is given, apart by whether they are tracked.

    active : the positions of tracked ones, whose values the row keeps
    plain : all others as they are now, and None in the place of these
    """

    __slots__ = ("active", "plain")

    def __init__(self, leaves: Sequence) -> None:
        self.active = [k for k, x in enumerate(leaves) if array.is_active(x)]
        tracked = set(self.active)
        self.plain = [None if k in tracked else _kept(x) for k, x in enumerate(leaves)]

    def filled(self, values: Sequence) -> list[Any]:
        """All leaves, with these values for the tracked ones."""
        leaves = list(self.plain)
        for k, x in zip(self.active, values, strict=True):
            leaves[k] = x
        return leaves


def _kept(x: Any) -> Any:
    """A leaf as a plain value that nobody changes.  Calls that are given one array share a copy."""
    data = plain_of(x) if type(x) is Array and not array.is_number(x) else x
    if type(data) is not np.ndarray:
        return plain_data(x)
    last = _copies.get(id(data))
    if last is not None:
        same, copy = last[0](), last[1]()
        if same is data and copy is not None and same_bits(data, copy):
            return copy
    copy = data.copy()
    if data.nbytes > _SMALL and not data.dtype.hasobject:
        if len(_copies) >= _MOST:
            _copies.clear()
        _copies[id(data)] = (weakref.ref(data), weakref.ref(copy))
    return copy


# The last copies of arrays that were given.
_copies: dict[int, tuple[weakref.ref, weakref.ref]] = {}
_SMALL = 4096
_MOST = 256


def in_place(
    results: Sequence, made: Sequence, given: Sequence, leaves: Sequence, name: str
) -> list:
    """Results, those as they are to whoever called whose memory is not their own.

    An input that is handed back is the input, and a part of one a view of it, so that what is
    written into the one later on is seen in the other.

    Parameters
    ----------
    results : what the function gave, plain
    made : these as tracked values, or as they are
    given : the leaves that the function was given
    leaves : what these stood for
    """
    found = list(made)
    own: list[int] = []
    for k, x in enumerate(results):
        if type(x) is Array:  # the program's own, which the function has in its closure
            found[k] = x
        elif type(x) is np.ndarray and x.dtype.kind in "fc":
            whole = next((j for j, y in enumerate(given) if _in_memory_of(x, y)), None)
            if whole is not None:
                found[k] = _part(x, given[whole], leaves[whole], name)
                continue
            before = next((j for j in own if _in_memory_of(x, results[j])), None)
            if before is None:
                own.append(k)
            else:
                found[k] = _part(x, results[before], made[before], name)
    return found


def _in_memory_of(x: np.ndarray, y: Any) -> bool:
    if type(y) is not np.ndarray or not np.may_share_memory(x, y):
        return False
    try:
        return x is y or np.shares_memory(x, y, max_work=_WORK)
    except np.exceptions.TooHardError:
        return True


def _part(x: np.ndarray, whole: np.ndarray, stands: Any, name: str) -> Any:
    """The part x of an array as the same part of what that stands for."""
    if x is whole:
        return stands
    data = plain_of(stands)
    begin = x.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    reach = sum((n - 1) * s for n, s in zip(x.shape, x.strides, strict=True) if s > 0)
    lowest = begin + sum((n - 1) * s for n, s in zip(x.shape, x.strides, strict=True) if s < 0)
    inside = lowest >= 0 and begin + reach + x.itemsize <= whole.nbytes
    if not (inside and whole.flags.c_contiguous and data.flags.c_contiguous):
        raise UnsupportedError(
            f"{name} is checkpointed and gives an array that shares memory with another one that "
            "it is given or gives, in a way that cannot be followed. Return a copy of it."
        )
    part = np.ndarray(x.shape, x.dtype, data.reshape(-1).view(np.uint8), begin, x.strides)
    return array.viewed(stands, part) if type(stands) is Array else part
