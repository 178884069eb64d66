"""Where plain arrays are held that a recorded function may reach, and what they are meanwhile.

Global names, closures, defaults, lists, dictionaries and attributes of objects: what stands there
as a plain array of floats is a passive one while a recording runs, on the same memory.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections import deque
from collections.abc import Iterable
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
        return any(_may_be_held(name, value) for name, value in reach.pairs(vars(x)))
    return not reach.is_foreign(x)


def _may_be_held(name: str, value: Any) -> bool:
    """Whether the value of a class's attribute is a plain array, or may hold some."""
    if is_plain_array(value):
        return True
    return isinstance(value, (list, dict)) and len(value) > 0 and not name.startswith("__")


def _of_names(namespace: dict) -> list[tuple[Any, Any, Any]]:
    """The places in a dictionary that hold something else than numbers and text."""
    pairs = reach.pairs(namespace)
    return [(namespace, name, x) for name, x in pairs if type(x) not in _NUMBERS]


def _held_by(x: Any) -> Iterable[tuple[Any, Any, Any]]:
    """The places in a function, a container or an object where plain arrays may be, with values."""
    if type(x) is types.FunctionType:
        return () if reach.is_ours(x) else _of_function(x)
    if isinstance(x, dict):
        return _of_names(x) if len(x) <= _MOST_HELD else ()
    if isinstance(x, (list, deque)):
        # Most lists are of numbers: the look of compiled code.
        if len(x) > _MOST_HELD or (type(x) is list and scalar.all_liftable(x)):
            return ()
        return [(x, k, y) for k, y in enumerate(list(x)) if type(y) not in _NUMBERS]
    if isinstance(x, functools.partial):
        return [*_of_names(x.keywords), (x, "args", x.args)]
    if isinstance(x, type):
        return () if reach.is_foreign(x) else _of_class(x)
    if isinstance(x, types.SimpleNamespace):
        return _of_names(vars(x))
    if isinstance(x, types.ModuleType) or reach.is_foreign(x):
        return ()
    return _of_object(x)


def _of_function(f: types.FunctionType) -> list[tuple[Any, Any, Any]]:
    found = [(cell, "cell_contents", reach.contents(cell)) for cell in f.__closure__ or ()]
    if f.__defaults__:
        found.append((f, "__defaults__", f.__defaults__))
    return found + _of_names(f.__kwdefaults__ or {})


def _of_object(x: Any) -> list[tuple[Any, Any, Any]]:
    held = reach.attribute(x, "__dict__")
    found = _of_names(held) if type(held) is dict else []
    for cls in type(x).__mro__[:-1]:
        found += [(x, name, reach.attribute(x, name)) for name in trees.slots(cls)]
    return [*found, (x, "__class__", type(x))]


def _of_class(cls: type) -> list[tuple[Any, Any, Any]]:
    names = reach.pairs(vars(cls))
    found = [(cls, name, value) for name, value in names if _may_be_held(name, value)]
    return found + [(cls, "__bases__", base) for base in cls.__bases__]


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
    found = []
    todo, seen = list(roots), set()
    reached = [(holder, name, get(holder, name)) for holder, name in begin]
    while True:
        for place in reached:
            x = place[2]
            if isinstance(x, tuple):
                if any(map(has_version, x)):
                    found.append(place)
            elif has_version(x):
                found.append(place)
            elif type(x) not in _NUMBERS:
                todo.append(x)
        if not todo:
            return found
        x = todo.pop()
        if type(x) is types.MethodType:
            todo.append(x.__self__)
            x = x.__func__
        reached = ()
        if type(x) not in reach.LEAVES and id(x) not in seen and len(seen) <= _MOST:
            seen.add(id(x))
            reached = _held_by(x)
