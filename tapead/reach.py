"""What a function refers to: the user's functions, classes and namespaces that it may run.

Nothing is imported or called to find that out; global names, closures, defaults, attributes of
modules and objects, methods and base classes are followed.  Standard library, NumPy and SciPy are
left out: what a program does in there is met when it happens.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

ABSENT = object()
LIBRARIES = {"tapead", "numpy", "scipy", "optree"}
_MOST = 5_000  # objects that are followed for one function
_WRAPPERS = (functools.partial, types.MethodType, staticmethod, classmethod, property)
_FUNCTION = types.FunctionType
# Types whose values lead to no code.
_LEAVES = {float, int, bool, str, bytes, complex, type(None), list, tuple, dict, set, frozenset}


class Reached(NamedTuple):
    """The functions and classes found, and the names that were looked up to find them."""

    functions: list[types.FunctionType]
    classes: list[type]
    reads: list[tuple[dict, str, Any]]


def reachable(roots: Iterable[Any]) -> Reached:
    """The user's functions and classes that the roots refer to, themselves included."""
    reached = Reached([], [], [])
    todo, seen = list(roots), set()
    while todo and len(seen) < _MOST:
        x = todo.pop()
        if type(x) in _LEAVES or id(x) in seen:
            continue
        seen.add(id(x))
        if _is_foreign(x):
            # check_grads differentiates a closure of tapead's own over the user's function.
            if isinstance(x, _FUNCTION) and x.__module__ == "tapead.testing":
                todo.extend(_cells(x))
            continue
        if isinstance(x, _FUNCTION):
            reached.functions.append(x)
            todo.extend(_from_function(x, reached.reads))
        else:
            if isinstance(x, type):
                reached.classes.append(x)
            todo.extend(_neighbors(x))
    return reached


def shape(root: Any, depth: int = 8) -> Any:
    """What may differ between two closures, or two objects, of the same code.

    Equal shapes of one function lead to the same functions, as far as its closure and its
    attributes decide that.
    """
    if type(root) is _FUNCTION:
        closure = root.__closure__
        if closure is None:
            return root.__code__
        if depth == 0:
            return id(root)
        return root.__code__, *(shape(contents(cell), depth - 1) for cell in closure)
    if type(root) in _LEAVES:
        return None
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


@functools.lru_cache(maxsize=1024)
def names_of(code: types.CodeType) -> Names:
    """The global names, the attributes and the imported modules of a function's code."""
    kinds: dict[str, set[str]] = {"GLOBAL": set(), "ATTR": set(), "IMPORT_NAME": set()}
    for part in codes(code):
        for i in dis.get_instructions(part):
            if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                kinds["GLOBAL"].add(i.argval)
            elif i.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                kinds["ATTR"].add(i.argval)
            elif i.opname == "IMPORT_NAME":
                kinds["IMPORT_NAME"].add(i.argval)
    return Names(*map(frozenset, kinds.values()))


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
    yield getattr(f, "__wrapped__", None)
    for x in found:  # an attribute of a module or an object, as in helpers.area
        if isinstance(x, (type, _FUNCTION)) or type(x) in _LEAVES or not hasattr(x, "__dict__"):
            continue
        held = vars(x)
        for name in names.attributes & held.keys():
            if isinstance(x, types.ModuleType):
                reads.append((held, name, held[name]))
            yield held[name]


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
    elif not isinstance(x, types.ModuleType):
        yield from (type(x), getattr(x, "__wrapped__", None))


def _is_foreign(x: Any) -> bool:
    """Whether x is no place to look for the user's functions."""
    if isinstance(x, _WRAPPERS):
        return False
    if isinstance(x, _FUNCTION):
        module = x.__globals__.get("__name__")
    elif isinstance(x, types.ModuleType):
        return True  # only its attributes that are used matter, and these are followed
    else:
        if getattr(type(x), "__module__", None) != "builtins" and hasattr(x, "__wrapped__"):
            return False
        module = getattr(x if isinstance(x, type) else type(x), "__module__", None)
    top = (module if isinstance(module, str) else "").partition(".")[0]
    return top in LIBRARIES or (top in sys.stdlib_module_names and top != "__main__")
