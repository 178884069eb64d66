"""What a function holds and leaves in its closure: tracked values in, and nothing new out.

A function that runs twice, first on plain values, must not hand tracked ones on in another way than
by its result: they would be constants to whoever reads them.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tapead import array, reach, trees
from tapead.array import Array
from tapead.errors import RecomputeError
from tapead.places import root_of
from tapead.scalar import Scalar

# Of a container with more elements the last one is looked at, where new ones mostly are.
_MOST = 64
# What holds nothing that a run may have left there.
_PLAIN = reach.LEAVES | {FunctionType, BuiltinFunctionType, ModuleType, MethodType, type, np.ufunc}


def tracked_cells(*functions: Callable) -> list[CellType]:
    """The cells, of functions and of those that they hold, in which there are tracked values."""
    return [
        cell
        for cell in _reached(functions)[1]
        if any(map(array.is_active, trees.flatten(cell.cell_contents)[0]))
    ]


def _reached(functions: Sequence[Callable]) -> tuple[list[FunctionType], list[CellType], list]:
    """Functions with those that they hold in cells, the other cells, and the owners of methods."""
    found: dict[int, FunctionType] = {}
    cells: dict[int, CellType] = {}
    owners = []
    todo = list(functions)
    while todo:
        g = todo.pop()
        if type(g) is MethodType:
            owners.append(g.__self__)
            g = g.__func__
        if type(g) is not FunctionType or id(g) in found:
            continue
        found[id(g)] = g
        for cell in g.__closure__ or ():
            x = reach.contents(cell)
            if type(x) is FunctionType or type(x) is MethodType:
                todo.append(x)
            elif x is not reach.ABSENT:
                cells[id(cell)] = cell
    return list(found.values()), list(cells.values()), owners


def run_with(
    name: str, cells: Sequence[CellType], contents: Sequence, f: Callable, *args: Any
) -> Any:
    """f of args while other values are in the cells; an error that names it if it changes these."""
    held = [cell.cell_contents for cell in cells]
    parts = [None if type(x) in reach.LEAVES else trees.flatten(x) for x in contents]
    try:
        for cell, x in zip(cells, contents, strict=True):
            cell.cell_contents = x
        result = f(*args)
        for cell, x, part in zip(cells, contents, parts, strict=True):
            if cell.cell_contents is not x or (part is not None and is_other(part, x)):
                raise changed(name, "a variable of its closure")
        return result
    finally:
        for cell, x in zip(cells, held, strict=True):
            cell.cell_contents = x


def is_other(before: tuple[list, Any], tree: Any) -> bool:
    """Whether a tree has other leaves than it had, or another structure."""
    leaves, spec = trees.flatten(tree)
    same = len(leaves) == len(before[0]) and all(map(operator.is_, leaves, before[0]))
    return not same or spec != before[1]


def changed(name: str, what: str) -> RecomputeError:
    """The error for a function that changes what it has not made."""
    return RecomputeError(
        f"{name} is checkpointed and has changed {what}, which would be another one when it runs "
        "again. Let it work on a copy, and return what is new."
    )


class Left:
    """Whether a recorded run leaves tracked values where its functions keep things.

    cells : those that are put back after the run
    """

    def __init__(self, name: str, functions: Sequence[Callable], cells: Sequence[CellType]) -> None:
        self._name = name
        own = set(map(id, cells))
        reached, found, self._owners = _reached(functions)
        self._cells = [cell for cell in found if id(cell) not in own]
        self._names = [
            (f.__globals__, [name for name in f.__code__.co_names if name in f.__globals__])
            for f in reached
            if not reach.is_foreign(f)
        ]
        self._before: list = []

    def begin(self) -> None:
        """Remember what is there before a run."""
        self._before = self._found()

    def refuse(self) -> None:
        """An error if there are any that were not there before."""
        found = self._found()
        if found and any(all(x is not y for y in self._before) for x in found):
            raise RecomputeError(
                f"{self._name} is checkpointed and leaves a value that has a derivative in its "
                "closure, in a global name or in an object: it is a constant to whoever reads it "
                "there. Return it, make the array inside, or leave tapead.value(...) of it there."
            )
        self._before = []

    def _found(self) -> list:
        held = [reach.contents(cell) for cell in self._cells]
        held += self._owners
        for names, used in self._names:
            held += [names.get(name) for name in used]
        found = []
        for x in held:
            if type(x) is Scalar or type(x) is Array:
                found.append(x)
            elif type(x) not in _PLAIN:
                found += [y for y in _inside(x) if type(y) is Scalar or type(y) is Array]
        return [x for x in found if array.is_active(x)]


def _inside(x: Any) -> Iterable[Any]:
    """What a container or an object holds; of many things the first and the last."""
    if type(x) is list or type(x) is deque:
        return x if len(x) <= _MOST else (x[0], x[-1])
    held = x if type(x) is dict else reach.attribute(x, "__dict__")
    if type(held) is not dict:
        return ()
    return held.values() if len(held) <= _MOST else (next(reversed(held.values())),)


def refuse_writes(name: str, inputs: Sequence, begin: int) -> None:
    """An error if arrays among inputs were written into, in the rows from `begin` on."""
    for x in inputs:
        if type(x) is Array and root_of(array.place_of(x)).written >= begin:
            raise changed(name, "an array of its closure")
