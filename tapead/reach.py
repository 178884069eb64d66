"""What a function refers to: the user's functions, classes and namespaces that it may run.

Nothing is imported or called to find that out; global names, closures, defaults, attributes of
modules and objects, methods and base classes are followed.  Standard library, NumPy and SciPy are
left out: what a program does in there is met when it happens.
"""

from __future__ import annotations

import dis
import functools
import itertools
import os
import sys
import sysconfig
import types
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tapead.array import Array
from tapead.scalar import Scalar

ABSENT = object()
LIBRARIES = {"tapead", "numpy", "scipy", "optree"}
_MOST = 5_000  # objects that are followed for one function
_WRAPPERS = (functools.partial, types.MethodType, staticmethod, classmethod, property)
_FUNCTION = types.FunctionType
# Types whose values lead to no code.
LEAVES = {
    float,
    int,
    bool,
    str,
    bytes,
    complex,
    type(None),
    type(ABSENT),
    Scalar,
    Array,
    np.ndarray,
    np.float64,
    np.float32,
    np.int64,
    np.bool_,
}
_CONTAINERS = {list, tuple, dict, set, frozenset}
MOST_HELD = 64  # a container that holds more is data, not a registry of functions


class Reached(NamedTuple):
    """The functions, classes and objects found, and the names that were looked up to find them."""

    functions: list[types.FunctionType]
    classes: list[type]
    objects: list[Any]
    reads: list[tuple[dict, str, Any]]


def reachable(roots: Iterable[Any]) -> Reached:
    """The user's functions and classes that the roots refer to, themselves included."""
    roots = list(roots)
    reached = Reached([], [], [], [])
    todo, seen = list(roots), set()
    while todo and len(seen) < _MOST:
        x = todo.pop()
        if type(x) in LEAVES or id(x) in seen:
            continue
        seen.add(id(x))
        if type(x) in _CONTAINERS:
            todo.extend(_held(x))
            continue
        if isinstance(x, types.ModuleType):  # only its attributes that are used are followed
            if not is_library(x.__name__, getattr(x, "__file__", None)):
                reached.objects.append(x)
            continue
        if is_foreign(x) and (x is not roots[0] or is_ours(x)):
            # check_grads differentiates a closure of tapead's own over the user's function.
            if isinstance(x, _FUNCTION) and x.__module__ == "tapead.testing":
                todo.extend(_cells(x))
            elif isinstance(x, _FUNCTION) and is_ours(x) and hasattr(x, "__wrapped__"):
                todo.append(x.__wrapped__)  # a checkpointed function
            continue
        if isinstance(x, _FUNCTION):
            reached.functions.append(x)
            todo.extend(_from_function(x, reached.reads))
        else:
            if isinstance(x, type):
                reached.classes.append(x)
            elif type(getattr(x, "__dict__", None)) is dict:
                reached.objects.append(x)
            todo.extend(_neighbors(x))
    return reached


def _held(container: Any) -> list:
    """What a container holds, if it may be a registry of functions or objects."""
    if len(container) > MOST_HELD:
        return []
    return list(container.values() if type(container) is dict else container)


def all_names(namespace: dict) -> set[str]:
    """The global names that any function or method defined in a module uses.

    A function may be reached in ways that are not seen, through a registry for instance.
    """
    names: set[str] = set()
    for x in list(namespace.values()):
        members = list(vars(x).values()) if isinstance(x, type) else [x]
        for member in members:
            f = getattr(member, "__func__", member)
            f = getattr(f, "__wrapped__", f) if not isinstance(f, (type, _FUNCTION)) else f
            if isinstance(f, _FUNCTION) and f.__globals__ is namespace:
                names |= names_of(f.__code__).loaded
    return names


def shape(root: Any, depth: int = 8) -> Any:
    """What may differ between two closures, or two objects, of the same code.

    Equal shapes of one function lead to the same functions, as far as its closure and its
    attributes decide that.
    """
    if type(root) is _FUNCTION:
        # Code objects of two copies of one file are equal; their globals are not the same.
        defaults = (*(root.__defaults__ or ()), *(root.__kwdefaults__ or {}).values())
        held = (shape(x, depth - 1) for x in defaults if depth and leads_to_code(x))
        code = (root.__code__, id(root.__globals__), *held)
        closure = root.__closure__
        if closure is None:
            return code
        if depth == 0:
            return id(root)
        return code, *(shape(contents(cell), depth - 1) for cell in closure)
    if type(root) in LEAVES:
        return None
    if type(root) in _CONTAINERS:
        held = [x for x in _held(root) if type(x) not in LEAVES]
        return tuple(shape(x, depth - 1) for x in held) if depth and held else None
    if type(root) in (types.ModuleType, types.BuiltinFunctionType) or isinstance(root, type):
        return root
    if depth == 0:
        return id(root)
    if isinstance(root, types.MethodType):
        return shape(root.__func__, depth - 1), shape(root.__self__, depth - 1)
    if isinstance(root, functools.partial):
        parts = (root.func, *root.args, *root.keywords.values())
        return tuple(shape(x, depth - 1) for x in parts)
    held = getattr(root, "__dict__", None) or {}
    code = (x for x in list(held.values()) if isinstance(x, (_FUNCTION, *_WRAPPERS, type)))
    return type(root), *(shape(x, depth - 1) for x in code)


def leads_to_code(x: Any) -> bool:
    """Whether an argument may bring functions of its own: not a number, nor a list of them."""
    if type(x) in LEAVES:
        return False
    if type(x) in _CONTAINERS:
        return any(map(leads_to_code, _first(x)))
    return True


def _first(container: Any) -> list:
    """The first few of what a container holds."""
    while True:
        try:
            held = container.values() if type(container) is dict else container
            return list(itertools.islice(held, 8))
        except RuntimeError:  # another thread has changed it meanwhile
            continue


def pairs(namespace: Any) -> Iterable[tuple[Any, Any]]:
    """What a dictionary, or the names of a class, hold now: other threads may change them.

    A copy is made in one go; while a list of its items is made, garbage may be collected, and
    whatever runs then lets other threads run.
    """
    copy = dict.copy if isinstance(namespace, dict) else types.MappingProxyType.copy
    return copy(namespace).items()


def attribute(x: Any, name: str) -> Any:
    """An attribute, ABSENT where the object has none or cannot tell."""
    try:
        return getattr(x, name, ABSENT)
    except Exception:  # of the program's own __getattr__
        return ABSENT


def closure_of(f: Any) -> tuple:
    """The cells of a function; none for anything else."""
    return f.__closure__ or () if type(f) is _FUNCTION else ()


def contents(cell: types.CellType) -> Any:
    """What a cell holds, ABSENT before it is assigned."""
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and those of the functions defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


class Names(NamedTuple):
    """The names that a code object, and those inside it, use."""

    loaded: frozenset[str]
    attributes: frozenset[str]
    imported: frozenset[str]
    # Where the code says ``x.__class__ is float``, if it does: its code object and line.
    asks_class: tuple[types.CodeType, int] | None


@functools.lru_cache(maxsize=8192)
def names_of(code: types.CodeType) -> Names:
    """The global names, the attributes and the imported modules of a function's code."""
    kinds: dict[str, set[str]] = {"GLOBAL": set(), "ATTR": set(), "IMPORT_NAME": set()}
    asks_class = None
    for part in codes(code):
        line, before = 0, deque(maxlen=3)
        for i in dis.get_instructions(part):
            line = i.positions.lineno or line
            if i.opname == "IS_OP" and {"__class__", "float"} <= set(before):
                asks_class = part, line
            before.append(i.argval if isinstance(i.argval, str) else None)
            if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                kinds["GLOBAL"].add(i.argval)
            elif i.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                kinds["ATTR"].add(i.argval)
            elif i.opname == "IMPORT_NAME":
                kinds["IMPORT_NAME"].add(i.argval)
    return Names(*map(frozenset, kinds.values()), asks_class)


def _cells(f: types.FunctionType) -> list:
    return [c for c in map(contents, f.__closure__ or ()) if c is not ABSENT]


def _from_function(f: types.FunctionType, reads: list[tuple[dict, str, Any]]) -> Iterator[Any]:
    """What a function leads to; its global names go to `reads`, also those not bound yet."""
    names = names_of(f.__code__)
    found = []
    for name in names.loaded:
        value = f.__globals__.get(name, ABSENT)
        reads.append((f.__globals__, name, value))
        found.append(value)
    found += [*_cells(f), *(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
    yield from found
    yield attribute(f, "__wrapped__")
    for x in found:  # an attribute of a module or an object, as in helpers.area
        if isinstance(x, (type, _FUNCTION)) or not hasattr(x, "__dict__"):
            continue
        held = vars(x)
        for name in names.attributes & held.keys():
            value = held.get(name, ABSENT)  # another thread's recording may have taken it away
            if isinstance(x, types.ModuleType):
                reads.append((held, name, value))
            yield value


def _neighbors(x: Any) -> Iterator[Any]:
    """What anything but a function leads to."""
    if isinstance(x, functools.partial):
        yield from (x.func, *x.args, *x.keywords.values())
    elif isinstance(x, types.MethodType):
        yield from (x.__func__, x.__self__)
    elif isinstance(x, (staticmethod, classmethod)):
        yield x.__func__
    elif isinstance(x, property):
        yield from (x.fget, x.fset)
    elif isinstance(x, type):
        yield from (*x.__bases__, *vars(x).values())
    else:
        yield from (type(x), attribute(x, "__wrapped__"))
        yield from list((getattr(x, "__dict__", None) or {}).values())


def is_foreign(x: Any) -> bool:
    """Whether x is no place to look for the user's functions."""
    if isinstance(x, _WRAPPERS):
        return False
    if isinstance(x, _FUNCTION):
        return is_library(x.__globals__.get("__name__"), x.__code__.co_filename)
    if not isinstance(x, type) and attribute(x, "__wrapped__") is not ABSENT:
        return False
    module = getattr(x if isinstance(x, type) else type(x), "__module__", None)
    file = getattr(sys.modules.get(module), "__file__", None) if isinstance(module, str) else None
    return is_library(module, file)


def is_ours(x: Any) -> bool:
    """Whether x belongs to tapead, as math's stand-ins do, which hold the originals."""
    module = x.__globals__.get("__name__") if isinstance(x, _FUNCTION) else None
    return str(module).partition(".")[0] == "tapead"


def is_library(module: Any, file: str | None) -> bool:
    """Whether a module is the standard library's or one of LIBRARIES: by its file, as a user's may
    be called like one of the standard library's."""
    top = (module if isinstance(module, str) else "").partition(".")[0]
    if top in LIBRARIES:
        return True
    if file is None or file.startswith("<frozen"):
        return top in sys.stdlib_module_names and top != "__main__"
    return file.startswith(_STDLIB) and "site-packages" not in file


_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep
