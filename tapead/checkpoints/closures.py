"""What a function holds beside its arguments: in its closure, defaults, attributes of objects."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tapead import array, reach, scalar, trees
from tapead.array import Array
from tapead.errors import RecomputeError, TapeadError
from tapead.places import root_of
from tapead.scalar import Scalar
from tapead.tape import current

# So many things are looked at in all, at the most.
_IN_ALL = 5_000
# What holds nothing, or only code.
PLAIN = reach.LEAVES | {BuiltinFunctionType, np.ufunc}
DEFAULTS = ("__defaults__", "__kwdefaults__")


class Attribute:
    """An attribute of an object, which is read and written as a closure's cell is."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name = owner, name

    @property
    def cell_contents(self) -> Any:
        return getattr(self.owner, self.name)

    @cell_contents.setter
    def cell_contents(self, x: Any) -> None:
        if type(self.owner) is FunctionType:
            setattr(self.owner, self.name, x)
        else:
            object.__setattr__(self.owner, self.name, x)


Cell = CellType | Attribute


def with_cells(f: Callable) -> Callable:
    """A partial function with what it holds in a closure, where tracked values are looked for."""
    if type(f) is not functools.partial:
        return f
    func, args, kwargs = f.func, f.args, f.keywords

    @functools.wraps(func, updated=())
    def call(*more: Any, **options: Any) -> Any:
        return func(*args, *more, **{**kwargs, **options})

    call.__wrapped__ = f
    return call


def tracked_cells(*functions: Callable, given: Sequence = ()) -> list[Cell]:
    """The cells, of functions and of those that they hold, in which there are tracked values.

    Defaults, and attributes of objects that the functions hold or that are `given`, are as cells.
    """
    reached, cells, owners = reached_by(functions)
    found, todo = [], [*owners, *given]
    for cell in _all_cells(reached, cells, todo):
        x = cell.cell_contents
        if holds_tracked(x, todo):
            found.append(cell)
    return found


def _all_cells(
    reached: Sequence[FunctionType], cells: Sequence[CellType], todo: list
) -> Iterator[Cell]:
    """The cells, then what is as one: defaults, and attributes of the objects in `todo`, to which
    more may come meanwhile."""
    for g in reached:
        for name in DEFAULTS:
            if getattr(g, name) is not None:
                yield Attribute(g, name)
    yield from cells
    seen: dict[int, Any] = {}
    while todo and len(seen) < _IN_ALL:
        x = todo.pop()
        if id(x) not in seen and _is_object(x):
            seen[id(x)] = x
            for name, _ in attributes(x):
                yield Attribute(x, name)


def holds_tracked(tree: Any, others: list) -> bool:
    """Whether there are tracked values in a tree; its leaves that are objects go to `others`."""
    kind = type(tree)
    if kind is Scalar or kind is Array:
        return _is_live(tree)
    if kind in PLAIN:
        return False
    leaves = trees.flatten(tree)[0]
    others += [x for x in leaves if type(x) not in PLAIN]
    return any(map(_is_live, leaves))


def _is_live(x: Any) -> bool:
    """Whether x is tracked by the recording that runs: what others have left is let lie."""
    if type(x) is not Scalar and type(x) is not Array:
        return False
    tape = current.tape
    pending = tape.pending
    try:
        scalar.row_of(x)  # raises for a number of another recording
        return array.is_active(x)
    except TapeadError:
        tape.pending = pending
        return False


def _is_object(x: Any) -> bool:
    """Whether x is an object of the program's, which may hold values in attributes."""
    if type(x) in PLAIN or isinstance(x, (type, ModuleType, FunctionType, MethodType)):
        return False
    return not reach.is_foreign(x)


def attributes(x: Any) -> Iterator[tuple[str, Any]]:
    held = reach.attribute(x, "__dict__")
    if type(held) is dict:
        yield from reach.pairs(held)
    for cls in type(x).__mro__:
        for name in trees.slots(cls):
            y = reach.attribute(x, name)
            if y is not reach.ABSENT:
                yield name, y


def reached_by(functions: Sequence[Callable]) -> tuple[list[FunctionType], list[CellType], list]:
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
        elif _is_object(g):  # one that can be called
            owners.append(g)
            g = type(g).__call__
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


def run_with(name: str, cells: Sequence[Cell], contents: Sequence, f: Callable, *args: Any) -> Any:
    """f of args while other values are in the cells; an error that names it if it changes these."""
    held = [cell.cell_contents for cell in cells]
    parts = [None if type(x) in reach.LEAVES else trees.flatten(x) for x in contents]
    try:
        for cell, x in zip(cells, contents, strict=True):
            cell.cell_contents = x
        result = f(*args)
        for cell, x, part in zip(cells, contents, parts, strict=True):
            if cell.cell_contents is not x or (part is not None and is_other(part, x)):
                of_object = type(cell) is Attribute and type(cell.owner) is not FunctionType
                raise changed(
                    name,
                    f"the attribute {cell.name} of a {type(cell.owner).__name__}"
                    if of_object
                    else "a variable of its closure",
                )
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


def refuse_writes(name: str, inputs: Sequence, begin: int) -> None:
    """An error if arrays among inputs were written into, in the rows from `begin` on."""
    for x in inputs:
        if type(x) is Array and root_of(array.place_of(x)).written >= begin:
            raise changed(name, "an array of its closure")
