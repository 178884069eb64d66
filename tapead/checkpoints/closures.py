"""What a function holds beside its arguments, and what it leaves there.

Tracked values come in by the closure, by defaults, and by attributes of objects.  A function that
runs twice, first on plain values, must not hand tracked ones on in another way than by its result:
they would be constants to whoever reads them.
"""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tapead import array, reach, scalar, trees
from tapead.array import Array
from tapead.errors import RecomputeError, TapeadError
from tapead.places import root_of
from tapead.scalar import Scalar
from tapead.tape import current

# Of a container with more elements the first and the last are looked at, where new ones mostly are.
_MOST = 64
# So many things are looked at in all, at the most.
_IN_ALL = 5_000
# What holds nothing, or only code.
_PLAIN = reach.LEAVES | {BuiltinFunctionType, np.ufunc, type(len), type(None)}
_SEQUENCES = {list, tuple, deque, set, frozenset}
_DEFAULTS = ("__defaults__", "__kwdefaults__")


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
    reached, cells, owners = _reached(functions)
    found: list[Cell] = []
    todo = [*owners, *given]
    for g in reached:
        for name in _DEFAULTS:
            x = getattr(g, name)
            if x is not None and _tracked(x, todo):
                found.append(Attribute(g, name))
    found += [cell for cell in cells if _tracked(cell.cell_contents, todo)]
    seen: set[int] = set()
    while todo and len(seen) < _IN_ALL:
        x = todo.pop()
        if id(x) in seen or not _is_object(x):
            continue
        seen.add(id(x))
        found += [Attribute(x, name) for name, y in _attributes(x) if _tracked(y, todo)]
    return found


def _tracked(tree: Any, others: list) -> bool:
    """Whether there are tracked values in a tree; its leaves that are objects go to `others`."""
    kind = type(tree)
    if kind is Scalar or kind is Array:
        return _is_live(tree)
    if kind in _PLAIN:
        return False
    leaves = trees.flatten(tree)[0]
    others += [x for x in leaves if type(x) not in _PLAIN]
    return any(map(_is_live, leaves))


def _is_live(x: Any) -> bool:
    """Whether x is tracked by the recording that runs: what others have left is let lie."""
    if type(x) is not Scalar and type(x) is not Array:
        return False
    tape = current.tape
    pending = tape.pending
    try:
        return array.is_active(x) and scalar.row_of(x) is not False
    except TapeadError:
        tape.pending = pending
        return False


def _is_object(x: Any) -> bool:
    """Whether x is an object of the program's, which may hold values in attributes."""
    if type(x) in _PLAIN or isinstance(x, (type, ModuleType, FunctionType, MethodType)):
        return False
    return not reach.is_foreign(x)


def _attributes(x: Any) -> Iterator[tuple[str, Any]]:
    held = reach.attribute(x, "__dict__")
    if type(held) is dict:
        yield from list(held.items())
    for cls in type(x).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            y = reach.attribute(x, name)
            if y is not reach.ABSENT and name != "__dict__":
                yield name, y


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


# ------------------------------------------------------------------------------ what is left ---


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
        self._functions = [f for f in functions if f is not None]
        self._given = [x for x in given if type(x) not in _PLAIN]
        self._own = {id(c) for c in cells if type(c) is CellType}
        self._own_attributes = {(id(c.owner), c.name) for c in cells if type(c) is Attribute}
        reached, found, owners = _reached(functions)
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
        first = self._functions[0]
        if type(first) is not FunctionType:
            first = getattr(first, "__func__", None) or type(first)
        count = _looked[first] = _looked.get(first, 0) + 1
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
        while level and len(seen) < _IN_ALL and (self._deep or depth < 2):
            depth += 1
            following: list = []
            for x in level:
                if id(x) not in seen:
                    seen.add(id(x))
                    for y in self._inside(x):
                        if not _noted(y, found):
                            following.append(y)
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
            foreign = reach.is_library(x.__name__, getattr(x, "__file__", None))
            return () if foreign else list(vars(x).values())
        if reach.is_foreign(x):
            return ()
        if isinstance(x, type):
            return list(vars(x).values())
        mine = [y for name, y in _attributes(x) if (id(x), name) not in self._own_attributes]
        return [*mine, type(x)]

    def _of_function(self, f: FunctionType) -> list:
        held = [reach.contents(cell) for cell in f.__closure__ or () if id(cell) not in self._own]
        held += [
            getattr(f, name) for name in _DEFAULTS if (id(f), name) not in self._own_attributes
        ]
        held += f.__dict__.values()
        if self._deep and not reach.is_foreign(f):
            held += [f.__globals__.get(name) for name in reach.names_of(f.__code__).loaded]
        return held


# How often it was looked at what functions leave.
_looked: WeakKeyDictionary[Any, int] = WeakKeyDictionary()


def _noted(x: Any, found: list) -> bool:
    """Whether there is nothing inside of x; what is ours goes to `found`."""
    kind = type(x)
    if kind is Scalar or kind is Array:
        found.append(x)
        return True
    return kind in _PLAIN


def _is_left(x: Any) -> bool:
    """Whether x is tracked; an array that an earlier recording left there is not."""
    if type(x) is Scalar:
        return True
    root = root_of(array.any_place(x))
    return root.number >= 0 and root.epoch == current.tape.epoch


def refuse_writes(name: str, inputs: Sequence, begin: int) -> None:
    """An error if arrays among inputs were written into, in the rows from `begin` on."""
    for x in inputs:
        if type(x) is Array and root_of(array.place_of(x)).written >= begin:
            raise changed(name, "an array of its closure")
