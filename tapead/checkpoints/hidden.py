"""What functions keep beside their arguments, found for a second run as it was for the first one.

A cache that the first run has filled with plain numbers would hand these to the second run, the
recorded one, as constants; a counter would let it take another branch.
"""

from __future__ import annotations

import dis
import functools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from tapead import reach, trees
from tapead.checkpoints.closures import PLAIN, reached_by

# Of a longer list or dict it is what a run appends.
_MOST = 64
# So many things are looked at in all, at the most.
_IN_ALL = 1_000
_CONTAINERS = (list, dict, set, deque)


class _Names:
    """Names that functions bind in their globals, or in the slots of an object."""

    __slots__ = ("holder", "names")

    def __init__(self, holder: Any, names: Sequence[str]) -> None:
        self.holder, self.names = holder, names

    def values(self) -> list:
        if type(self.holder) is dict:
            return [self.holder.get(name, reach.ABSENT) for name in self.names]
        return [reach.attribute(self.holder, name) for name in self.names]

    def put(self, values: Sequence) -> None:
        holder = self.holder
        for name, x, now in zip(self.names, values, self.values(), strict=True):
            if x is now:
                continue
            if type(holder) is dict:
                holder.pop(name) if x is reach.ABSENT else holder.update({name: x})
            elif x is reach.ABSENT:
                object.__delattr__(holder, name)
            else:
                object.__setattr__(holder, name, x)


class Changes:
    """What a run changes in attributes, containers, closures and globals of its functions.

    given : arguments, and what else they may keep things in
    """

    def __init__(self, functions: Sequence[Callable], given: Iterable[Any] = ()) -> None:
        self._found = [(x, _state(x)) for x in _holders(functions, given)]
        self._settled = False

    def settle(self) -> None:
        """The first run has ended: only what it has changed is of interest."""
        self._found = [(x, before) for x, before in self._found if not _same(_state(x), before)]
        self._settled = True

    def undone(self, f: Callable, *args: Any) -> Any:
        """f of args, where all is as it was before the first run; afterwards it is as it is now.

        While the first run goes on, f is a part of it.
        """
        if not self._settled:
            return f(*args)
        now = [(x, _appended(x, before)) for x, before in self._found]
        for x, before in self._found:
            _fill(x, before)
        try:
            return f(*args)
        finally:
            for x, state in now:
                _fill(x, state)


def _holders(functions: Sequence[Callable], given: Iterable[Any]) -> list:
    """All that functions, and what they hold, may put something into."""
    reached, cells, owners = reached_by(functions)
    found: list = list(cells)
    seen: set[int] = set()
    todo = [*owners, *given, *reached, *map(reach.contents, cells)]
    while todo and len(seen) < _IN_ALL:
        x = todo.pop()
        if type(x) in PLAIN or id(x) in seen:
            continue
        seen.add(id(x))
        for holder, inside in _parts(x):
            if holder is not None:
                found.append(holder)
            todo += inside
    return found


def _parts(x: Any) -> Iterator[tuple[Any, Iterable]]:
    """What can be changed in x, each with what it holds."""
    if isinstance(x, _CONTAINERS):
        short = len(x) <= _MOST
        if short or isinstance(x, (list, dict)):
            yield x, (list(x.values()) if isinstance(x, dict) else list(x)) if short else ()
    elif type(x) is tuple:
        yield None, x if len(x) <= _MOST else ()
    elif type(x) is FunctionType:
        if not reach.is_foreign(x):
            yield from _of_function(x)
    elif type(x) is MethodType:
        yield None, (x.__self__, x.__func__)
    elif type(x) is functools.partial:
        yield None, (x.func, *x.args, *x.keywords.values())
    elif isinstance(x, ModuleType) or reach.is_foreign(x):
        return
    elif isinstance(x, type):
        yield x, [y for y in list(vars(x).values()) if isinstance(y, _CONTAINERS)]
    else:
        held = reach.attribute(x, "__dict__")
        if type(held) is dict:
            yield held, list(held.values())
        names = [name for cls in type(x).__mro__ for name in trees.slots(cls)]
        if names:
            slots = _Names(x, names)
            yield slots, slots.values()
        yield None, (type(x),)


def _of_function(f: FunctionType) -> Iterator[tuple[Any, Iterable]]:
    yield f.__dict__, list(f.__dict__.values())
    yield None, [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
    cells = f.__closure__ or ()
    for cell in cells:
        yield cell, (reach.contents(cell),)
    bound = bound_names(f.__code__)
    if bound:
        yield _Names(f.__globals__, bound), ()
    yield None, [f.__globals__.get(name) for name in reach.names_of(f.__code__).loaded]


@functools.lru_cache(1024)
def bound_names(code: CodeType) -> tuple[str, ...]:
    """The global names that a function's code binds, or takes away."""
    parts = reach.codes(code)
    steps = (i for part in parts for i in dis.get_instructions(part))
    return tuple({i.argval for i in steps if i.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")})


# ----------------------------------------------------------------------------- their states ---


def _state(x: Any) -> Any:
    """What is in x: a copy, the values of its names, or the length of a long container."""
    if isinstance(x, _CONTAINERS):
        return len(x) if len(x) > _MOST else _content(x)
    if type(x) is _Names:
        return x.values()
    if type(x) is CellType:
        return [reach.contents(x)]
    return {name: y for name, y in reach.pairs(vars(x)) if not name.startswith("__")}


def _content(x: Any) -> Any:
    return dict.copy(x) if isinstance(x, dict) else list(x)


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if type(a) is int:
        return a == b
    if len(a) != len(b):
        return False
    if type(a) is dict:
        return all(x is b.get(name, reach.ABSENT) for name, x in a.items())
    return all(map(operator.is_, a, b))


def _appended(x: Any, before: Any) -> Any:
    """The state that x has now; of one that was long, its former end and what stands behind it."""
    if type(before) is int:
        return before, list(reach.pairs(x))[before:] if isinstance(x, dict) else x[before:]
    return _content(x) if isinstance(x, _CONTAINERS) else _state(x)


def _fill(x: Any, state: Any) -> None:
    """Let x hold what a state says."""
    if type(state) is int:
        if isinstance(x, dict):
            for name in list(x)[state:]:
                del x[name]
        else:
            del x[state:]
    elif type(state) is tuple:
        _fill(x, state[0])
        x.update(state[1]) if isinstance(x, dict) else x.extend(state[1])
    elif type(x) is CellType:
        if state[0] is not reach.ABSENT:
            x.cell_contents = state[0]
    elif type(x) is _Names:
        x.put(state)
    elif isinstance(x, type):
        _fill_class(x, state)
    else:
        x.clear()
        x.update(state) if isinstance(x, (dict, set)) else x.extend(state)


def _fill_class(cls: type, state: dict) -> None:
    for name in _state(cls).keys() - state.keys():
        delattr(cls, name)
    for name, x in state.items():
        if vars(cls).get(name, reach.ABSENT) is not x:
            setattr(cls, name, x)
