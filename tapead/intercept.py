"""Tape-aware names in the user's own modules while a recording runs.

The functions of ``math`` and ``float`` are C code that takes the number out of what it is given.
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
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

import tapead.math
from tapead import array, aware, aware_numpy, aware_scipy, aware_statistics, held, reach
from tapead.errors import DetachedError, TapeadError, UnsupportedError, at_line
from tapead.reach import ABSENT

_MOST_PLANS = 512
# Modules of the same code that are taken in: what `exec` runs has other globals each time.
_MOST_COPIES = 3

# Modules that functions may import when they run.
_MODULES = {
    "math": tapead.math,
    "functools": aware.functools_,
    "numpy": aware_numpy.numpy_,
}
_REPLACEMENTS: dict[int, Any] = {
    id(math): tapead.math,
    id(functools): aware.functools_,
    id(functools.lru_cache): aware.lru_cache,
    id(functools.cache): aware.cache,
    id(float): aware.float_,
    **aware_numpy.stand_ins(),
}
for _name in tapead.math.__all__:
    if isinstance(getattr(math, _name), types.BuiltinFunctionType):
        _REPLACEMENTS[id(getattr(math, _name))] = getattr(tapead.math, _name)
_ORIGINALS: dict[int, Any] = {
    id(tapead.math): math,
    id(aware.functools_): functools,
    **aware_numpy.originals(),
    **{
        id(getattr(tapead.math, name)): getattr(math, name)
        for name in tapead.math.__all__
        if getattr(tapead.math, name) is not getattr(math, name)
    },
}
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
    """All that one function needs rebound.

    ``importers`` are the globals of functions that import math, or functools, when they run;
    ``arrays`` are global names for plain arrays of floats, which get passive ones, and for what may
    hold such arrays;
    ``reads`` are the names that were looked up to find all this, with what they stood for: the plan
    holds while they do; ``nests`` is set where the function asks for derivatives itself, as far as
    its names show.
    """

    bindings: tuple[Binding, ...]
    importers: tuple[dict, ...]
    arrays: tuple[tuple[dict, str], ...]
    reads: tuple[tuple[dict, str, Any], ...]
    watched: tuple[Binding, ...]
    nests: bool = False

    def adds_to(self, other: Plan) -> bool:
        """Whether this plan rebinds anything that `other` does not."""
        mine, theirs = ({(id(b.holder), b.name) for b in p.bindings} for p in (self, other))
        return not mine <= theirs or len(self.importers) > len(other.importers)


# What is rebound now, and for which recordings, by holder and name.
_active: dict[tuple[int, str], tuple[set, Binding]] = {}
_lock = threading.RLock()


# ---------------------------------------------------------------- which names to rebind ---


def _replacement(value: Any) -> Any:
    """What stands in for a value while a recording runs; None for almost all values."""
    found = _REPLACEMENTS.get(id(value))
    if found is not None:
        return found
    if isinstance(value, functools._lru_cache_wrapper):
        return aware.Cached(value)
    if isinstance(value, functools.partial) and id(value.func) in _REPLACEMENTS:
        return functools.partial(_REPLACEMENTS[id(value.func)], *value.args, **value.keywords)
    if type(value) is np.vectorize:
        return aware_numpy.vectorize(
            value.pyfunc,
            value.otypes,
            value.__doc__,
            value.excluded,
            value.cache,
            value.signature,
        )
    if isinstance(value, staticmethod):
        inner = _replacement(value.__func__)
        return None if inner is None else staticmethod(inner)
    return None


def aware_of(f: Callable) -> Callable:
    """f itself, or what stands in for it where it is one of math's functions, or cached."""
    if type(f) in reach.LEAVES:
        return f
    replacement = _REPLACEMENTS.get(id(f))
    if replacement is None and isinstance(f, (functools.partial, functools._lru_cache_wrapper)):
        replacement = _replacement(f)
    return f if replacement is None else replacement


def aware_arguments(args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments with stand-ins for those that are functions of math, or cached."""
    return tuple(map(aware_of, args)), {name: aware_of(x) for name, x in kwargs.items()}


def wrapped_argument(x: Any) -> Any:
    """An argument as a recorded function gets it: plain arrays of floats become passive ones."""
    return array.wrapped(x) if held.is_plain_array(x) else x


def _bindings(holder: Any, values: Iterable[tuple[str, Any]]) -> Iterator[Binding]:
    """The bindings of a holder with these names and values, some of which may be rebound now."""
    for name, value in values:
        active = _active.get((id(holder), name))
        if active is not None:
            yield active[1]
        else:
            replacement = _replacement(value)
            if replacement is not None:
                yield Binding(holder, name, value, replacement)


def _in_globals(holder: dict, names: set[str]) -> Iterator[Binding]:
    """The bindings of one module whose functions use these names."""
    yield from _bindings(holder, reach.pairs(holder))
    wanted = names & _BUILTINS.keys()
    if "type" in wanted:
        wanted.add("float")  # what type(x) gives is compared with it
    for name in sorted(wanted - holder.keys()):
        yield Binding(holder, name, ABSENT, _BUILTINS[name])


def _in_function(f: types.FunctionType) -> Iterator[Binding]:
    """Cells and defaults."""
    for cell in f.__closure__ or ():
        yield from _bindings(cell, [("cell_contents", reach.contents(cell))])
    active = _active.get((id(f), "__defaults__"))
    defaults = f.__defaults__ or ()
    replaced = tuple(d if _replacement(d) is None else _replacement(d) for d in defaults)
    if active is not None:
        yield active[1]
    elif any(new is not old for new, old in zip(replaced, defaults, strict=True)):
        yield Binding(f, "__defaults__", defaults, replaced)
    yield from _bindings(f.__kwdefaults__, reach.pairs(f.__kwdefaults__ or {}))


def _build(roots: tuple, extra: tuple[tuple[dict, types.CodeType], ...]) -> Plan:
    """The plan of functions and objects; `extra` are further globals, with the code run in them."""
    for library in (aware_scipy, aware_statistics):
        if library.load():
            replacements, originals = library.stand_ins()
            _REPLACEMENTS.update(replacements)
            _ORIGINALS.update(originals)
    reached = reach.reachable(roots)
    places = [(g.__globals__, g.__code__) for g in reached.functions] + list(extra)
    modules: dict[int, tuple[dict, set[str]]] = {}
    importers: dict[int, dict] = {}
    for holder, code in places:
        names = reach.names_of(code)
        if names.asks_class is not None and "float" not in holder:
            raise _asks_class(*names.asks_class)
        modules.setdefault(id(holder), (holder, set()))[1].update(names.loaded)
        if {name.partition(".")[0] for name in names.imported} & _MODULES.keys():
            importers[id(holder)] = holder
    bindings = [
        b
        for holder, names in modules.values()
        for b in _in_globals(holder, names | reach.all_names(holder))
    ]
    watched = [b for g in reached.functions for b in _in_function(g)]
    watched += [b for c in reached.classes for b in _bindings(c, reach.pairs(vars(c)))]
    namespaces = [vars(x) for x in reached.objects]
    watched += [b for held in namespaces for b in _bindings(held, reach.pairs(held))]
    bindings += watched
    reads = tuple((held, name, _unbound(held, name, x)) for held, name, x in reached.reads)
    # NumPy's functions have attributes, too.
    own = (read for read in reads if id(read[2]) not in _REPLACEMENTS)
    arrays = tuple((where, name) for where, name, x in own if held.may_lead_to_arrays(x))
    nests = any(map(_is_transform, (x for _, _, x in reads)))
    nests = nests or any(type(x).__module__ == "tapead.derived" for x in reached.objects)
    nests = nests or any(_uses_transforms(code, holder) for holder, code in places)
    return Plan(tuple(bindings), tuple(importers.values()), arrays, reads, tuple(watched), nests)


def _asks_class(code: types.CodeType, line: int) -> TapeadError:
    """While a recording runs, `float` stands for what both plain and tracked numbers are, and the
    class of a plain one is not that."""
    return at_line(
        UnsupportedError,
        "whether an object's __class__ is float cannot be told for tracked numbers and plain ones "
        "alike.",
        "Write type(x) is float, or isinstance(x, float).",
        code,
        line,
    )


# The public functions that differentiate, by the modules that they are in.
_TRANSFORMS = {
    "tapead.transforms": ("grad", "value_and_grad"),
    "tapead.products": ("jvp", "vjp", "linearize", "hvp"),
    "tapead.jacobians": ("jacfwd", "jacrev", "jacobian", "hessian"),
}


def _is_transform(x: Any) -> bool:
    module, name = getattr(x, "__module__", None), getattr(x, "__name__", None)
    return type(x) is types.FunctionType and name in _TRANSFORMS.get(module, ())


def _uses_transforms(code: types.CodeType, holder: dict) -> bool:
    """Whether code may say ``tapead.grad``, or another of these."""
    names = reach.names_of(code)
    modules = (holder.get(name) for name in names.loaded)
    return any(x is sys.modules.get("tapead") for x in modules if x is not None) and any(
        name in names.attributes for transforms in _TRANSFORMS.values() for name in transforms
    )


def _unbound(holder: dict, name: str, value: Any) -> Any:
    """What the name stands for when no recording rebinds it."""
    active = _active.get((id(holder), name))
    return value if active is None else active[1].original


# ------------------------------------------------------------- plans, one for each function ---

# Plans by the shape of the function (its code, and what its closure leads to).
_plans: OrderedDict[Any, _Shaped] = OrderedDict()
_simple: OrderedDict[int, _Simple] = OrderedDict()
# Functions that turned out to ask for derivatives themselves, by their code.
_nesting: OrderedDict[Any, bool] = OrderedDict()
# Modules that had to be found by trying, by the code of the function.
_found: OrderedDict[Any, tuple[tuple[dict, types.CodeType], ...]] = OrderedDict()


class Remembered:
    """The plan that one caller used last, and for what: a shortcut past the looking."""

    __slots__ = ("plan", "roots")

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.roots: list = []

    def serves(self, roots: list) -> bool:
        """Whether the plan is that of these roots: the same objects, beside plain numbers."""
        if self.plan is None or len(roots) != len(self.roots):
            return False
        for new, old in zip(roots, self.roots, strict=True):
            if new is not old and not (type(new) in reach.LEAVES and type(old) in reach.LEAVES):
                return False
        return _holds(self.plan)


def plan_for(f: Callable, args: Iterable[Any], remembered: Remembered) -> Plan:
    """The plan of f called with these arguments: from a cache while it still holds."""
    codes: tuple = ()
    for x in args:
        if type(x) not in reach.LEAVES and reach.leads_to_code(x):
            codes += (x,)
    if type(f) is types.FunctionType and f.__closure__ is None and not (codes or _has_defaults(f)):
        return _simple_plan(f)
    closure = reach.closure_of(f)
    roots = [f, *codes, *map(reach.contents, closure)]
    if not remembered.serves(roots):
        remembered.plan = _looked_up((f, *codes))
        remembered.roots = roots
    return remembered.plan


def nests(f: Callable, args: Iterable[Any], remembered: Remembered) -> bool:
    """Whether f asks for derivatives itself, as far as its names show, or as it once did."""
    return plan_for(f, args, remembered).nests or _code(f) in _nesting


def remember_nesting(f: Callable) -> None:
    """f asked for derivatives when it ran."""
    _remember(_nesting, _code(f), True)


def _simple_plan(f: types.FunctionType) -> Plan:
    """The plan of a function that is its code and its globals, nothing else."""
    # By the id of the code, which the entry keeps alive: code objects take long to hash.
    entry = _simple.get(id(f.__code__))
    if entry is not None and entry.globals is f.__globals__:
        plan = entry.plan
        if not (plan.reads or plan.watched) or _holds(plan):
            return plan
    plan = _looked_up((f,))
    _remember(_simple, id(f.__code__), _Simple(f.__code__, f.__globals__, plan))
    return plan


class _Simple(NamedTuple):
    """A plan with what it is for."""

    code: types.CodeType
    globals: dict
    plan: Plan


def _looked_up(roots: tuple) -> Plan:
    """The plan of a function, and of arguments that lead to code: from all plans, or made anew."""
    key = tuple(map(reach.shape, roots))
    objects = _objects(roots)
    with _lock:
        entry = _plans.get(key)
        if entry is None or not (entry.serves(objects) and _holds(entry.plan)):
            plan = _build(roots, _found.get(_code(roots[0]), ()))
            entry = _Shaped(plan, _bound(plan, objects))
            _remember(_plans, key, entry)
    return _with_own_cells(entry.plan, roots)


class _Shaped(NamedTuple):
    """A plan, and the objects of its function in which it binds names: with others, it is void."""

    plan: Plan
    bound: list[tuple[int, Any]]

    def serves(self, objects: list) -> bool:
        return all(k < len(objects) and objects[k] is x for k, x in self.bound)


def _bound(plan: Plan, objects: list) -> list[tuple[int, Any]]:
    holders = {id(b.holder) for b in plan.watched}
    return [(k, x) for k, x in enumerate(objects) if id(vars(x)) in holders]


def _objects(roots: tuple) -> list:
    """The objects, beside functions and classes, that roots are or hold in their closures."""
    held = [c for f in roots for c in map(reach.contents, reach.closure_of(f))]
    return [x for x in (*roots, *held) if type(getattr(x, "__dict__", None)) is dict]


def with_arrays(plan: Plan, f: Callable, args: Iterable[Any]) -> Plan:
    """The plan with the plain arrays that are in reach now.

    They may change from call to call, and plans that are kept must not keep them alive.
    """
    found = held.places(list(plan.arrays), [f, *args])
    bindings = tuple([Binding(holder, name, value, None) for holder, name, value in found])
    return plan._replace(bindings=plan.bindings + bindings) if bindings else plan


def _has_defaults(f: types.FunctionType) -> bool:
    """Whether a function's defaults may lead to code, which is not its code object's then."""
    if f.__defaults__ is None and f.__kwdefaults__ is None:
        return False
    defaults = (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values())
    return any(map(reach.leads_to_code, defaults))


def _holds(plan: Plan) -> bool:
    """Whether all names still stand for what they did, or are rebound by a recording now."""
    for holder, name, value in plan.reads:
        if holder.get(name, ABSENT) is not value and (id(holder), name) not in _active:
            return False
    for b in plan.watched:
        if held.get(b.holder, b.name) is not b.original and (id(b.holder), b.name) not in _active:
            return False
    return True


def _with_own_cells(plan: Plan, roots: Iterable[Any]) -> Plan:
    """The plan with the cells of these very closures: another closure of the code has its own."""
    known = {(id(b.holder), b.name) for b in plan.bindings}
    own, todo, seen = [], list(roots), set()
    while todo:
        g = todo.pop()
        g = g.__func__ if type(g) is types.MethodType else g
        if type(g) is not types.FunctionType or id(g) in seen or reach.is_ours(g):
            continue
        seen.add(id(g))
        own += [b for b in _in_function(g) if (id(b.holder), b.name) not in known]
        todo += map(reach.contents, g.__closure__ or ())
    return plan._replace(bindings=plan.bindings + tuple(own)) if own else plan


def _remember(cache: OrderedDict, key: Any, entry: Any) -> None:
    cache[key] = entry
    cache.move_to_end(key)
    while len(cache) > _MOST_PLANS:
        cache.popitem(last=False)


def _code(f: Any) -> Any:
    f = f.__func__ if type(f) is types.MethodType else f
    return f.__code__ if type(f) is types.FunctionType else type(f)


def widen(f: Callable, args: Iterable[Any], error: DetachedError) -> bool:
    """Take the module where a number was detached into f's plan; False if that changes nothing.

    To be called when f's own names are as they were.
    """
    holder, code = error.globals, error.code
    if holder is None or str(holder.get("__name__", "")).partition(".")[0] in reach.LIBRARIES:
        return False
    roots = (f, *filter(reach.leads_to_code, args))
    old = _looked_up(roots)
    with _lock:
        found = _found.get(_code(f), ())
        if sum(code == c for _, c in found) >= _MOST_COPIES:
            return False
        if not any(holder is h and code is c for h, c in found):
            found = (*found, (holder, code))
        if not _build(roots, found).adds_to(old):
            return False
        _remember(_found, _code(f), found)
        _plans.clear()
        _simple.clear()
    return True


# --------------------------------------------------------------------- rebinding, counted ---

# Globals whose functions import math when they run: for whom, and the names that were stand-ins.
_importers: dict[int, tuple[set, set]] = {}
_real_import: Callable | None = None


def enter(plan: Plan, token: object) -> None:
    """Rebind the names of a plan, for the recording that `token` stands for.

    Interrupted anywhere, it is undone by `leave`, which may itself be interrupted and called again.
    """
    with _lock:
        for binding in plan.bindings:
            key = (id(binding.holder), binding.name)
            entry = _active.get(key)
            if entry is None:
                if held.get(binding.holder, binding.name) is not binding.original:
                    continue
                if binding.replacement is None:
                    binding = binding._replace(replacement=held.tracked_version(binding.original))
                entry = _active[key] = (set(), binding)
            entry[0].add(token)
            if held.get(binding.holder, binding.name) is binding.original:
                binding = entry[1]
                try:
                    held.put(binding.holder, binding.name, binding.replacement)
                except (AttributeError, TypeError):
                    del _active[key]  # a class that lets nobody change it: a use of it detaches
        for holder in plan.importers:
            _enter_imports(holder, token)


def leave(plan: Plan, token: object) -> None:
    """Undo `enter`.  A name that the program has bound anew meanwhile is left to it.

    Where it has moved an array within a list or a dictionary, the plain one goes to its new place.
    """
    moved: dict[int, tuple[Any, dict, list]] = {}
    with _lock:
        for binding in plan.bindings:
            key = (id(binding.holder), binding.name)
            entry = _active.get(key)
            if entry is None or token not in entry[0]:
                continue
            if len(entry[0]) == 1:
                bound = entry[1]
                if held.get(bound.holder, bound.name) is bound.replacement:
                    held.put(bound.holder, bound.name, bound.original)
                elif isinstance(bound.holder, (list, deque, dict)):
                    _, originals, keys = moved.setdefault(key[0], (bound.holder, {}, []))
                    originals[id(bound.replacement)] = bound.original
                    keys.append(key)
                    continue
                del _active[key]
            else:
                entry[0].discard(token)
        for holder, originals, keys in moved.values():
            held.put_back(holder, originals)
            for key in keys:
                del _active[key]
        for holder in plan.importers:
            _leave_imports(holder, token)


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    """`__import__` that gives tapead.math to functions of recorded modules that import math."""
    top, _, rest = name.partition(".")
    if top in _MODULES and level == 0 and globals is not None and id(globals) in _importers:
        found = _real_import(name, globals, locals, fromlist, level)
        return _REPLACEMENTS.get(id(found), found) if rest and fromlist else _MODULES[top]
    return _real_import(name, globals, locals, fromlist, level)


def _enter_imports(holder: dict, token: object) -> None:
    """Functions that import math when they run ask `builtins.__import__`: the one exception."""
    global _real_import
    if builtins.__import__ is not _import:
        _real_import = builtins.__import__
        builtins.__import__ = _import
    if id(holder) not in _importers:
        names = {name for name, x in reach.pairs(holder) if _is_stand_in(x)}
        _importers[id(holder)] = (set(), names)
    _importers[id(holder)][0].add(token)


def _leave_imports(holder: dict, token: object) -> None:
    tokens, stand_ins = _importers.get(id(holder), ((), ()))
    if token not in tokens:
        return
    if len(tokens) == 1:
        # `global m; import math as m` has bound the stand-in for good.
        for name, x in reach.pairs(holder):
            if _is_stand_in(x) and name not in stand_ins and (id(holder), name) not in _active:
                holder[name] = _ORIGINALS[id(x)]
        del _importers[id(holder)]
    else:
        tokens.discard(token)
    if not _importers and builtins.__import__ is _import:
        builtins.__import__ = _real_import


def _is_stand_in(x: Any) -> bool:
    return id(x) in _ORIGINALS
