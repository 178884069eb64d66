"""What runs of a function leave behind, in what it holds.

A function that runs twice, first on plain values, must not hand tracked ones on in another way than
by its result: they would be constants to whoever reads them.
"""

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

from tapead import array, reach
from tapead.array import Array
from tapead.checkpoints.closures import (
    DEFAULTS,
    PLAIN,
    Attribute,
    Cell,
    attributes,
    reached_by,
)
from tapead.errors import RecomputeError
from tapead.places import root_of
from tapead.scalar import Scalar
from tapead.tape import current

# Of a container with more elements the first and the last are looked at, where new ones mostly are.
_MOST = 64
# So many things are looked at in all, at the most.
_IN_ALL = 2_000
_SEQUENCES = {list, tuple, deque, set, frozenset}


class Left:
    """Whether a recorded run leaves tracked values where its functions keep things.

    cells : those that are put back after the run
    given : what the functions are given, in which they may leave something, too

    All that they lead to is looked at the first times, and when their number doubles: that takes
    long.  Otherwise it is what they hold themselves.
    """

    def __init__(
        self, name: str, functions: Sequence[Callable], cells: Sequence[Cell], given: Sequence = ()
    ) -> None:
        self._name = name
        self._kind = reach.shape(functions[0])
        self._given = [x for x in given if type(x) not in PLAIN]
        self._own = {id(c) for c in cells if type(c) is CellType}
        self._own_attributes = {(id(c.owner), c.name) for c in cells if type(c) is Attribute}
        reached, found, owners = reached_by(functions)
        self._owners = [*owners, *reached]
        self._cells = [cell for cell in found if id(cell) not in self._own]
        self._names = [
            (f.__globals__, [name for name in f.__code__.co_names if name in f.__globals__])
            for f in reached
            if not reach.is_foreign(f)
        ]
        self._before: list = []
        self._deep = False

    def begin(self) -> None:
        """Remember what is there before a run."""
        kind = self._kind
        if len(_looked) >= _KINDS:
            _looked.clear()
        count = _looked[kind] = _looked.get(kind, 0) + 1
        self._deep = count <= 4 or count & (count - 1) == 0
        self._before = self._found()

    def refuse(self) -> None:
        """An error if there are any that were not there before."""
        before = set(map(id, self._before))
        if any(id(x) not in before for x in self._found()):
            raise RecomputeError(
                f"{self._name} is checkpointed and leaves a value that has a derivative in its "
                "closure, in a global name or in an object: it is a constant to whoever reads it "
                "there. Return it, make the array inside, or leave tapead.value(...) of it there."
            )
        self._before = []

    def _found(self) -> list:
        """Tracked values that are left somewhere, and arrays that are written into by such."""
        roots = [reach.contents(cell) for cell in self._cells]
        roots += self._owners
        roots += self._given
        for names, used in self._names:
            roots += [names.get(name) for name in used]
        found: list = []
        seen: set[int] = set()
        level = [x for x in roots if not _noted(x, found)]
        depth = 0
        while level and (self._deep or depth < 2):
            depth += 1
            following: list = []
            for x in level:
                if id(x) not in seen and len(seen) < _IN_ALL:
                    seen.add(id(x))
                    following += [y for y in self._inside(x) if not _noted(y, found)]
            level = following
        return [x for x in found if _is_left(x)]

    def _inside(self, x: Any) -> Iterable[Any]:
        """What a container, an object, a function or a class holds."""
        kind = type(x)
        if kind in _SEQUENCES:
            if len(x) <= _MOST:
                return list(x)
            return (x[0], x[-1]) if kind is list or kind is deque else ()
        if kind is dict:
            return list(x.values()) if len(x) <= _MOST else (next(reversed(x.values())),)
        if kind is FunctionType:
            return self._of_function(x)
        if kind is MethodType:
            return x.__self__, x.__func__
        if kind is functools.partial:
            return x.func, x.args, x.keywords
        if kind is ModuleType:
            return () if _is_installed(x.__name__) else list(vars(x).values())
        if _is_installed(getattr(x if isinstance(x, type) else kind, "__module__", None)):
            return ()
        if isinstance(x, type):
            return list(vars(x).values())
        mine = [y for name, y in attributes(x) if (id(x), name) not in self._own_attributes]
        return [*mine, type(x)]

    def _of_function(self, f: FunctionType) -> list:
        held = [reach.contents(cell) for cell in f.__closure__ or () if id(cell) not in self._own]
        held += [getattr(f, name) for name in DEFAULTS if (id(f), name) not in self._own_attributes]
        held += f.__dict__.values()
        if self._deep and not _is_installed(f.__module__):
            held += [f.__globals__.get(name) for name in reach.names_of(f.__code__).loaded]
        return held


# How often it was looked at what functions of one kind leave.
_looked: dict[Any, int] = {}
_KINDS = 4096


@functools.lru_cache(1024)
def _is_installed(module: Any) -> bool:
    """Whether a module, by its name, is no part of the program."""
    file = getattr(sys.modules.get(module), "__file__", None) if isinstance(module, str) else None
    return reach.is_library(module, file) or "site-packages" in (file or "")


def _noted(x: Any, found: list) -> bool:
    """Whether there is nothing inside of x; what is ours goes to `found`."""
    kind = type(x)
    if kind is Scalar or kind is Array:
        found.append(x)
        return True
    return kind in PLAIN


def _is_left(x: Any) -> bool:
    """Whether x is tracked; an array that an earlier recording left there is not."""
    if type(x) is Scalar:
        return True
    root = root_of(array.any_place(x))
    return root.number >= 0 and root.epoch == current.tape.epoch
