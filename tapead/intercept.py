"""Tape-aware names in the user's own modules while a recording runs.

The functions of ``math`` and ``float`` are C code that takes the number out of whatever it is given.
So for the duration of a recording, the modules (and closures, defaults and class attributes) of the
differentiated function, and of what it refers to, see functions that know tracked numbers where
they say ``math``, ``sin`` or ``float``.  ``math`` and ``builtins`` themselves stay as they are.

`plan_for` finds out, once for each function, which names to rebind; `enter` and `leave` rebind them
and put them back, counted, so that recordings may nest and threads overlap.  Where a program
detaches a number in a module that was not foreseen, `widen` adds that module for one more try.
"""

from __future__ import annotations

import builtins
import functools
import math
import sys
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tapead.math
from tapead import aware
from tapead.errors import DetachedError

_ABSENT = object()
_MOST_REACHED = 5_000  # functions and classes that one function's plan follows
_MOST_PLANS = 512

_REPLACEMENTS: dict[int, Any] = {id(math): tapead.math, id(float): aware.float_}
for _name in tapead.math.__all__:
    if isinstance(getattr(math, _name), types.BuiltinFunctionType):
        _REPLACEMENTS[id(getattr(math, _name))] = getattr(tapead.math, _name)
# Functions of builtins, rebound where a function's code names them.
_BUILTINS: dict[str, Any] = {"float": aware.float_, "type": aware.type_}
if sys.version_info >= (3, 12):
    _BUILTINS["sum"] = aware.sum_  # it rounds once from 3.12 on, which additions alone would not


class Binding(NamedTuple):
    """A name to rebind: the key of a dict, the contents of a cell or an attribute."""

    holder: Any
    name: str
    original: Any
    replacement: Any


class Plan(NamedTuple):
    """All that one function needs rebound; `importers` are the globals that import math inside."""

    bindings: tuple[Binding, ...]
    importers: tuple[dict, ...]

    def adds_to(self, other: Plan) -> bool:
        """Whether this plan rebinds anything that `other` does not."""
        mine, theirs = ({(id(b.holder), b.name) for b in p.bindings} for p in (self, other))
        return not mine <= theirs or len(self.importers) > len(other.importers)


_NOTHING = Plan((), ())


# ---------------------------------------------------------------- which names to rebind ---


def _is_foreign(module: str | None) -> bool:
    """Whether a module is no place to look for the user's functions."""
    top = (module or "").partition(".")[0]
    return top in sys.stdlib_module_names and top != "__main__" or top in _LIBRARIES


_LIBRARIES = {"tapead", "numpy", "scipy", "optree"}


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and those of the functions defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _neighbors(x: Any) -> Iterator[Any]:
    """What a callable or a class leads to."""
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
    elif isinstance(x, types.FunctionType):
        yield from _neighbors_of_function(x)
    elif not isinstance(x, types.ModuleType):
        yield from (type(x), getattr(x, "__wrapped__", None))


def _neighbors_of_function(f: types.FunctionType) -> Iterator[Any]:
    names = {name for code in _codes(f.__code__) for name in code.co_names}
    found = [f.__globals__[name] for name in names if name in f.__globals__]
    found += [c for c in map(_contents, f.__closure__ or ()) if c is not _ABSENT]
    found += [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
    yield from found
    yield getattr(f, "__wrapped__", None)
    for x in found:  # an attribute of a module or an object, as in helpers.area
        if hasattr(x, "__dict__") and not isinstance(x, (type, types.FunctionType)):
            held = vars(x)
            yield from (held[name] for name in names if name in held)


def _module_of(x: Any) -> str | None:
    if isinstance(x, types.FunctionType):
        return x.__globals__.get("__name__")
    return getattr(x if isinstance(x, type) else type(x), "__module__", None)


def _reachable(f: Any) -> tuple[list[types.FunctionType], list[type]]:
    """The user's functions and classes that f refers to, itself included."""
    functions, classes = [], []
    todo, seen = [f], set()
    while todo and len(seen) < _MOST_REACHED:
        x = todo.pop()
        if x is None or id(x) in seen:
            continue
        seen.add(id(x))
        foreign = _is_foreign(_module_of(x))
        if foreign and not (isinstance(x, _WRAPPERS) or hasattr(x, "__wrapped__")):
            if _module_of(x) == "tapead.testing":  # check_grads differentiates a closure over f
                todo.extend(map(_contents, x.__closure__ or ()))
            continue
        if isinstance(x, types.FunctionType):
            functions.append(x)
        elif isinstance(x, type):
            classes.append(x)
        todo.extend(_neighbors(x))
    return functions, classes


_WRAPPERS = (functools.partial, types.MethodType, staticmethod, classmethod, property)


def _replacement(value: Any) -> Any:
    found = _REPLACEMENTS.get(id(value))
    if found is None and isinstance(value, functools._lru_cache_wrapper):
        return aware.Cached(value)
    return found


def _in_dict(holder: dict) -> Iterator[Binding]:
    for name, value in list(holder.items()):
        replacement = _replacement(value)
        if replacement is not None:
            yield Binding(holder, name, value, replacement)


def _in_globals(holder: dict, names: set[str]) -> Iterator[Binding]:
    """The bindings of one module whose functions use these names."""
    yield from _in_dict(holder)
    wanted = names & _BUILTINS.keys()
    if "type" in wanted:
        wanted.add("float")  # what type(x) gives is compared with it
    for name in sorted(wanted - holder.keys()):
        yield Binding(holder, name, _ABSENT, _BUILTINS[name])


def _in_function(f: types.FunctionType) -> Iterator[Binding]:
    """Cells and defaults."""
    for cell in f.__closure__ or ():
        value = _contents(cell)
        replacement = _replacement(value)
        if replacement is not None:
            yield Binding(cell, "cell_contents", value, replacement)
    defaults = f.__defaults__ or ()
    replaced = tuple(d if _replacement(d) is None else _replacement(d) for d in defaults)
    if any(new is not old for new, old in zip(replaced, defaults, strict=True)):
        yield Binding(f, "__defaults__", defaults, replaced)
    yield from _in_dict(f.__kwdefaults__ or {})


def _in_class(cls: type) -> Iterator[Binding]:
    for name, value in list(vars(cls).items()):
        replacement = _replacement(value)
        if replacement is not None:
            yield Binding(cls, name, value, replacement)


def _imports_math(code: types.CodeType) -> bool:
    """Whether the function itself, or one inside it, says `import math` or `from math import`."""
    return any("math" in c.co_names and "math" in _imported(c) for c in _codes(code))


def _imported(code: types.CodeType) -> set[str]:
    import dis  # only functions that name math get here

    return {i.argval for i in dis.get_instructions(code) if i.opname == "IMPORT_NAME"}


def _build(f: Any, extra: tuple[tuple[dict, types.CodeType], ...]) -> Plan:
    """The plan of f; `extra` are further globals, with the code that runs in them."""
    functions, classes = _reachable(f)
    places = [(g.__globals__, g.__code__) for g in functions] + list(extra)
    modules: dict[int, tuple[dict, set[str]]] = {}
    importers: dict[int, dict] = {}
    for holder, code in places:
        names = modules.setdefault(id(holder), (holder, set()))[1]
        names.update(name for c in _codes(code) for name in c.co_names)
        if _imports_math(code):
            importers[id(holder)] = holder
    bindings = [b for holder, names in modules.values() for b in _in_globals(holder, names)]
    bindings += [b for g in functions for b in _in_function(g)]
    bindings += [b for c in classes for b in _in_class(c)]
    return Plan(tuple(bindings), tuple(importers.values())) if bindings or importers else _NOTHING


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return _ABSENT


# ------------------------------------------------------------- plans, one for each function ---

# Plans by the code (or the type) of the function.  The key object is kept in the entry, so that its
# id is not given to another one.
_plans: OrderedDict[int, tuple[Any, Plan, tuple]] = OrderedDict()
_lock = threading.RLock()


def _key(f: Any) -> Any:
    f = getattr(f, "__func__", f)
    return getattr(f, "__code__", None) or type(f)


def plan_for(f: Callable) -> Plan:
    """The plan of f, from the cache; the cells of a closure are looked at each time."""
    key = f.__code__ if type(f) is types.FunctionType else _key(f)
    entry = _plans.get(id(key))
    if entry is None:
        entry = _remember(key, _build(f, ()), ())
    plan = entry[1]
    if getattr(f, "__closure__", None):
        held = {(id(b.holder), b.name) for b in plan.bindings}
        own = [b for b in _in_closures(f) if (id(b.holder), b.name) not in held]
        if own:
            return Plan(plan.bindings + tuple(own), plan.importers)
    return plan


def _in_closures(f: types.FunctionType) -> list[Binding]:
    """Bindings of f's cells and of the cells of functions in them."""
    found, todo, seen = [], [f], set()
    while todo:
        g = todo.pop()
        if id(g) in seen:
            continue
        seen.add(id(g))
        found += _in_function(g)
        todo += [c for c in map(_contents, g.__closure__ or ()) if type(c) is types.FunctionType]
    return found


def _remember(key: Any, plan: Plan, extra: tuple) -> tuple:
    with _lock:
        entry = _plans[id(key)] = (key, plan, extra)
        _plans.move_to_end(id(key))
        while len(_plans) > _MOST_PLANS:
            _plans.popitem(last=False)
    return entry


def widen(f: Callable, error: DetachedError) -> bool:
    """Take the module where a number was detached into f's plan; False if that changes nothing."""
    place = (error.globals, error.code)
    if place[0] is None or place[0].get("__name__", "").partition(".")[0] in _LIBRARIES:
        return False
    key = _key(f)
    old = _plans.get(id(key))
    extra = (*(old[2] if old else ()), place)
    plan = _build(f, extra)
    if old is not None and not plan.adds_to(plan_for(f)):
        return False
    _remember(key, plan, extra)
    return True


# --------------------------------------------------------------------- rebinding, counted ---

# What is rebound now: [count, binding] by holder and name.
_active: dict[tuple[int, str], list] = {}
_importers: dict[int, int] = {}
_real_import: Callable | None = None


def _get(holder: Any, name: str) -> Any:
    if type(holder) is dict:
        return holder.get(name, _ABSENT)
    if type(holder) is types.CellType:
        return _contents(holder)
    return holder.__dict__.get(name, _ABSENT) if isinstance(holder, type) else getattr(holder, name)


def _set(holder: Any, name: str, value: Any) -> None:
    if type(holder) is not dict:
        setattr(holder, name, value)
    elif value is _ABSENT:
        del holder[name]
    else:
        holder[name] = value


def enter(plan: Plan) -> None:
    """Rebind the names of a plan."""
    if plan is _NOTHING:
        return
    with _lock:
        for binding in plan.bindings:
            key = (id(binding.holder), binding.name)
            entry = _active.get(key)
            if entry is not None:
                entry[0] += 1
            elif _get(binding.holder, binding.name) is binding.original:
                _active[key] = [1, binding]
                _set(binding.holder, binding.name, binding.replacement)
        if plan.importers:
            _enter_imports(plan.importers)


def leave(plan: Plan) -> None:
    """Undo `enter`.  A name that the program has bound anew meanwhile is left to it."""
    if plan is _NOTHING:
        return
    with _lock:
        for binding in plan.bindings:
            key = (id(binding.holder), binding.name)
            entry = _active.get(key)
            if entry is None:
                continue
            entry[0] -= 1
            if entry[0] == 0:
                del _active[key]
                bound = entry[1]
                if _get(bound.holder, bound.name) is bound.replacement:
                    _set(bound.holder, bound.name, bound.original)
        if plan.importers:
            _leave_imports(plan.importers)


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    """`__import__` that gives tapead.math to functions of recorded modules that import math."""
    if name == "math" and level == 0 and globals is not None and id(globals) in _importers:
        return tapead.math
    return _real_import(name, globals, locals, fromlist, level)


def _enter_imports(importers: tuple[dict, ...]) -> None:
    """Functions that import math when they run ask `builtins.__import__`: the one exception."""
    global _real_import
    if not _importers:
        _real_import = builtins.__import__
        builtins.__import__ = _import
    for holder in importers:
        _importers[id(holder)] = _importers.get(id(holder), 0) + 1


def _leave_imports(importers: tuple[dict, ...]) -> None:
    for holder in importers:
        _importers[id(holder)] -= 1
        if not _importers[id(holder)]:
            del _importers[id(holder)]
    if not _importers and builtins.__import__ is _import:
        builtins.__import__ = _real_import
