"""Where plain arrays are held that a recorded function may reach, and what they are meanwhile.

Global names, closures, defaults, lists, dictionaries and attributes of objects: what stands there as
a plain array of floats is a passive one while a recording runs, on the same memory.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tapead import array, aware_random, reach
from tapead.reach import ABSENT

_MOST = 512  # objects that are looked through for one call
_GENERATORS = (np.random.Generator, np.random.RandomState)


def is_plain_array(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.kind in "fc"


def has_version(x: Any) -> bool:
    """Whether `tracked_version` has one: plain arrays of floats, and what draws them."""
    return is_plain_array(x) or type(x) in _GENERATORS


def tracked_version(value: Any) -> Any:
    """The passive array of a plain one, a generator that draws such, or a tuple with these."""
    if type(value) is tuple:
        return tuple([tracked_version(x) if has_version(x) else x for x in value])
    return aware_random.drawing(value) or array.wrapped(value)


def may_lead_to_arrays(x: Any) -> bool:
    """Whether a global name stands for a plain array, or for what may hold some."""
    if type(x) is np.ndarray or type(x) in (list, dict, tuple):
        return is_plain_array(x) or (type(x) is not np.ndarray and 0 < len(x) <= reach.MOST_HELD)
    if type(x) in _GENERATORS:
        return True
    if isinstance(x, (type, types.ModuleType, types.FunctionType)):
        return False
    return type(getattr(x, "__dict__", None)) is dict and not reach.is_foreign(x)


def may_hold_arrays(f: Callable, args: Iterable[Any]) -> bool:
    """Whether a function, beside its globals, or its arguments may lead to plain arrays."""
    if type(f) is not types.FunctionType or f.__closure__ is not None:
        return True
    return any(map(reach.leads_to_code, args))


def _held_by(x: Any) -> Iterator[tuple[Any, Any]]:
    """The places in a function, a container or an object where plain arrays may be."""
    if type(x) is types.FunctionType:
        if not reach.is_ours(x):
            yield from ((cell, "cell_contents") for cell in x.__closure__ or ())
            yield x, "__defaults__"
            yield from ((x.__kwdefaults__, name) for name in x.__kwdefaults__ or ())
    elif type(x) in (list, dict):
        if len(x) <= reach.MOST_HELD:
            yield from ((x, key) for key in (list(x) if type(x) is dict else range(len(x))))
    elif type(getattr(x, "__dict__", None)) is dict and not isinstance(x, types.ModuleType):
        yield from ((vars(x), name) for name in vars(x))
        for cls in type(x).__mro__[:-1]:
            if not reach.is_foreign(cls):
                yield from ((cls, n) for n, value in vars(cls).items() if is_plain_array(value))


def get(holder: Any, name: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(name, ABSENT)
    if type(holder) is list:
        return holder[name] if name < len(holder) else ABSENT
    if type(holder) is types.CellType:
        return reach.contents(holder)
    return holder.__dict__.get(name, ABSENT) if isinstance(holder, type) else getattr(holder, name)


def put(holder: Any, name: str, value: Any) -> None:
    if type(holder) is list:
        holder[name] = value
    elif not isinstance(holder, dict):
        setattr(holder, name, value)
    elif value is ABSENT:
        del holder[name]
    else:
        holder[name] = value


def places(begin: list[tuple[Any, Any]], roots: list) -> list[tuple[Any, Any, Any]]:
    """The places with plain arrays, or tuples of such, as (holder, name, value).

    `begin` are places that are known, `roots` functions and arguments.
    """
    held = list(begin)
    todo, seen = [*roots, *(get(*place) for place in held)], set()
    while todo:
        x = todo.pop()
        x = getattr(x, "__func__", x)
        if type(x) in reach.LEAVES or id(x) in seen or len(seen) > _MOST:
            continue
        seen.add(id(x))
        found = list(_held_by(x))
        held += found
        todo += [v for v in (get(*place) for place in found) if type(v) not in reach.LEAVES]
    valued = ((holder, name, get(holder, name)) for holder, name in held)
    return [
        (holder, name, value)
        for holder, name, value in valued
        if has_version(value) or type(value) is tuple and any(map(has_version, value))
    ]
