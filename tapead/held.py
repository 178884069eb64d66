"""Where plain arrays are held that a recorded function may reach, and what they are meanwhile.

Global names, closures, defaults, lists, dictionaries and attributes of objects: what stands there
as a plain array of floats is a passive one while a recording runs, on the same memory.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from tapead import array, aware_random, reach, scalar, trees
from tapead.reach import ABSENT

_MOST_HELD = 1024  # a container that holds more is not looked through
_MOST = 512  # objects that are looked through for one call
_GENERATORS = (np.random.Generator, np.random.RandomState)
_NEITHER = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
_HOLDERS = (list, dict, tuple, deque, functools.partial, types.MethodType, types.SimpleNamespace)
# What neither is a plain array nor leads to one.
_NUMBERS = reach.LEAVES - {np.ndarray}


def is_plain_array(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.kind in "fc"


def has_version(x: Any) -> bool:
    """Whether `tracked_version` has one: plain arrays of floats, and what draws them."""
    return is_plain_array(x) or type(x) in _GENERATORS


def tracked_version(value: Any) -> Any:
    """The passive array of a plain one, a generator that draws such, or a tuple with these."""
    if isinstance(value, tuple):
        made = [tracked_version(x) if has_version(x) else x for x in value]
        return type(value)._make(made) if hasattr(value, "_make") else tuple(made)
    return aware_random.drawing(value) or array.wrapped(value)


def may_lead_to_arrays(x: Any) -> bool:
    """Whether a global name stands for a plain array, or for what may hold some."""
    if type(x) is np.ndarray or type(x) in (list, dict, tuple):
        return is_plain_array(x) or (type(x) is not np.ndarray and 0 < len(x) <= reach.MOST_HELD)
    if type(x) in _GENERATORS:
        return True
    if isinstance(x, _NEITHER):
        return False
    if isinstance(x, _HOLDERS):
        return True
    if isinstance(x, type):
        return any(_may_be_held(name, value) for name, value in list(vars(x).items()))
    return not reach.is_foreign(x)


def _may_be_held(name: str, value: Any) -> bool:
    """Whether the value of a class's attribute is a plain array, or may hold some."""
    if is_plain_array(value):
        return True
    return isinstance(value, (list, dict)) and len(value) > 0 and not name.startswith("__")


def _held_by(x: Any) -> Iterator[tuple[Any, Any]]:
    """The places in a function, a container or an object where plain arrays may be."""
    if type(x) is types.FunctionType:
        if not reach.is_ours(x):
            yield from ((cell, "cell_contents") for cell in x.__closure__ or ())
            yield x, "__defaults__"
            yield from ((x.__kwdefaults__, name) for name in x.__kwdefaults__ or ())
    elif isinstance(x, (list, deque, dict)):
        if type(x) is list and scalar.all_liftable(x):
            return  # what most lists are; the look of compiled code
        # Copies here and below: other threads may change what they hold meanwhile.
        values = list(x.values() if isinstance(x, dict) else x) if len(x) <= _MOST_HELD else ()
        if not _NUMBERS.issuperset(map(type, values)):
            yield from ((x, key) for key in (list(x) if isinstance(x, dict) else range(len(x))))
    elif isinstance(x, functools.partial):
        yield from ((x.keywords, name) for name in x.keywords)
        yield x, "args"
    elif isinstance(x, type):
        if not reach.is_foreign(x):
            yield from (
                (x, name) for name, value in list(vars(x).items()) if _may_be_held(name, value)
            )
    elif isinstance(x, types.SimpleNamespace):
        yield from ((vars(x), name) for name in list(vars(x)))
    elif not isinstance(x, types.ModuleType) and not reach.is_foreign(x):
        if type(reach.attribute(x, "__dict__")) is dict:
            yield from ((vars(x), name) for name in list(vars(x)))
        for cls in type(x).__mro__[:-1]:
            yield from _held_by(cls)
            yield from ((x, name) for name in trees.slots(cls))


def get(holder: Any, name: Any) -> Any:
    """What stands at a place, ABSENT if nothing does."""
    if isinstance(holder, dict):
        return dict.get(holder, name, ABSENT)  # the method of a subclass may do more
    if isinstance(holder, (list, deque)):
        try:
            return holder[name]
        except IndexError:  # it is shorter now
            return ABSENT
    if type(holder) is types.CellType:
        return reach.contents(holder)
    if isinstance(holder, type):
        return holder.__dict__.get(name, ABSENT)
    return reach.attribute(holder, name)


def put(holder: Any, name: Any, value: Any) -> None:
    """Let a value stand at a place; ABSENT takes away what does."""
    if isinstance(holder, dict) and value is ABSENT:
        del holder[name]
    elif isinstance(holder, dict):
        holder[name] = value
    elif isinstance(holder, (list, deque)):
        with contextlib.suppress(IndexError):  # another thread has just cut it
            holder[name] = value
    elif isinstance(holder, functools.partial) and name == "args":
        holder.__setstate__((holder.func, value, holder.keywords, vars(holder)))
    else:
        setattr(holder, name, value)


def put_back(holder: Any, originals: dict[int, Any]) -> None:
    """Let originals, by the ids of what stood for them, stand where a program has moved these."""
    keys = list(holder) if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        original = originals.get(id(get(holder, key)), ABSENT)
        if original is not ABSENT:
            put(holder, key, original)


def places(begin: list[tuple[Any, Any]], roots: list) -> list[tuple[Any, Any, Any]]:
    """The places with plain arrays, or tuples of such, as (holder, name, value).

    `begin` are places that are known, `roots` functions and arguments.
    """
    held = list(begin)
    todo, seen = [*roots, *(get(*place) for place in held)], set()
    while todo:
        x = todo.pop()
        if type(x) is types.MethodType:
            todo.append(x.__self__)
            x = x.__func__
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
        if has_version(value) or (isinstance(value, tuple) and any(map(has_version, value)))
    ]
