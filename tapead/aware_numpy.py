"""What stands in for ``numpy`` in the user's modules while a recording runs.

NumPy's functions ask tracked arrays by themselves.  What they cannot ask is what takes no array:
``np.zeros`` and its kin, whose results may be written into by tracked values later on, and
``np.array`` of a list of tracked numbers.  Those are here; all else is NumPy's own.
"""

from __future__ import annotations

import builtins
import functools
import types
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tapead import array, aware_random, guards, rows
from tapead.array import FUNCTIONS, UFUNCS, Array, plain_of
from tapead.calls import FunctionCall, UfuncCall
from tapead.functions import DECISIONS, decision
from tapead.operands import as_operand, is_tracked, objects, plain_tree, refused
from tapead.rules.table import Rule, as_array, unbroadcast
from tapead.scalar import Scalar

__all__ = ["numpy_", "stand_ins"]

_OURS = (Array, Scalar)


def _dressing(f: Callable) -> Callable:
    """f, whose arrays can be written into.

    Whole numbers cannot be, but what is computed from them can: np.arange(n) * 0.5.
    """

    @functools.wraps(f)
    def call(*args: Any, **options: Any) -> Any:
        return array.dressed(f(*args, **options), "fciu")

    return call


# ------------------------------------------------------------------------------- conversions ---


def array_(
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    like: Any = None,
) -> Any:
    """`np.array`: a list of tracked numbers becomes a tracked array."""
    plain = {} if dtype is None else {"dtype": dtype}
    if type(object) not in _OURS and not _holds_ours(object):
        return array.dressed(
            np.array(object, copy=copy, order=order, subok=subok, ndmin=ndmin, **plain), "fciu"
        )
    kind = None if dtype is None else np.dtype(dtype).kind
    if kind == "O":
        return np.array(_as_objects(object), dtype=builtins.object, ndmin=ndmin)
    result = _converted(object)
    if type(result) is not Array:
        return array.dressed(
            np.array(plain_of(result), copy=copy, order=order, ndmin=ndmin, **plain)
        )
    if dtype is not None and result.dtype != dtype:
        result = result.astype(dtype)
    elif copy and result is object:
        result = result.copy(order)
    if ndmin > result.ndim:
        result = np.reshape(result, (1,) * (ndmin - result.ndim) + result.shape)
    return result


def _holds_ours(x: Any) -> bool:
    """Whether a list, or an object array, holds numbers or arrays of ours."""
    if isinstance(x, (list, tuple, deque)):
        return any(type(y) in _OURS or _holds_ours(y) for y in x)
    if type(x) is np.ndarray and x.dtype.kind == "O":
        return any(type(y) in _OURS for y in x.flat)
    return False


def _converted(x: Any) -> Any:
    """Numbers, and lists of them, as an array."""
    if type(x) is Array:
        return x
    if type(x) is Scalar:
        return np.reshape(np.stack([x]), ())
    return as_operand(x) if type(x) is np.ndarray else as_array(x)


def _as_objects(x: Any) -> Any:
    if type(x) is Array:
        return objects(x)
    if isinstance(x, (list, tuple)):
        return [_as_objects(y) for y in x]
    return x


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None,
    like: Any = None,
) -> Any:  # fmt: skip
    """`np.asarray`: an array that is one already is given back as it is."""
    if type(a) is Array and (dtype is None or a.dtype == dtype) and not copy:
        return a
    if type(a) is np.ndarray and (dtype is None or a.dtype == dtype) and not copy:
        return array.known(a) if a.dtype.kind != "O" or not _holds_ours(a) else as_operand(a)
    return array_(a, dtype, copy=True if copy is None else copy, order=order or "K")


def asanyarray(a: Any, dtype: Any = None, order: Any = None, **options: Any) -> Any:
    return asarray(a, dtype, order, **options)


def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    a = asarray(a, dtype)
    a = np.reshape(a, 1) if np.ndim(a) == 0 else a
    return a if a.flags.c_contiguous else a.copy("C")


def asfortranarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    a = asarray(a, dtype)
    return a if a.flags.f_contiguous else a.copy("F")


def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    a = asarray(a, dtype, order)
    np.asarray_chkfinite(plain_of(a))
    return a


def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return array_(a, order=order)


def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    if not is_tracked(a):
        return array.dressed(np.require(plain_of(a), dtype, requirements))
    return ascontiguousarray(a, dtype)


def fromiter(iter: Iterable, dtype: Any, count: int = -1, *, like: Any = None) -> Any:
    """`np.fromiter`, of tracked numbers too."""
    terms = [x for _, x in zip(range(count), iter, strict=False)] if count >= 0 else list(iter)
    if not is_tracked(terms):
        return array.dressed(np.fromiter(plain_tree(terms), dtype, len(terms)))
    return array_(terms, dtype)


# ---------------------------------------------------------------------------- made from shapes ---


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", **options: Any) -> Any:
    if not is_tracked(fill_value):
        return array.dressed(np.full(shape, plain_of(fill_value), dtype, order, **options))
    result = array.dressed(np.empty(shape, float if dtype is None else dtype, order))
    result[...] = fill_value
    return result


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
              shape: Any = None, **options: Any) -> Any:  # fmt: skip
    result = array.dressed(np.empty_like(plain_of(as_operand(a)), dtype, order, shape=shape))
    result[...] = fill_value
    return result


def _like(f: Callable) -> Callable:
    @functools.wraps(f)
    def call(a: Any, *args: Any, **options: Any) -> Any:
        return array.dressed(f(plain_of(as_operand(a)), *args, **options), "fciu")

    return call


def arange(*args: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.arange`: how many there are is a decision; where they begin, and the step, count."""
    if not is_tracked(args):
        return array.dressed(np.arange(*args, dtype=dtype, **options), "fciu")
    start, stop, step = (
        (0.0, args[0], 1.0) if len(args) == 1 else (*args[:2], *(args[2:] or (1.0,)))
    )
    value = np.arange(plain_of(start), plain_of(stop), plain_of(step), dtype=dtype)
    return _spaced(value, start, step)


def _spaced(value: np.ndarray, start: Any, step: Any) -> Any:
    """Values as NumPy computed them, whose derivative is that of start + k * step."""
    k = np.arange(value.size, dtype=float)
    return FUNCTIONS[given](value, start, step, k)


@functools.wraps(np.linspace)
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
             dtype: Any = None, axis: int = 0) -> Any:  # fmt: skip
    if not is_tracked((start, stop)):
        return array.dressed(np.linspace(plain_of(start), plain_of(stop), num, endpoint, retstep,
                                         dtype, axis))  # fmt: skip
    start, stop = as_operand(start), as_operand(stop)
    pieces = max(num - 1 if endpoint else num, 1)
    weights = np.arange(num) / pieces
    shape = (num,) + (1,) * max(np.ndim(start), np.ndim(stop))
    weights = weights.reshape(shape)
    value = np.linspace(plain_of(start), plain_of(stop), num, endpoint)
    result = FUNCTIONS[mixed](value, start, stop, weights)
    result = np.moveaxis(result, 0, axis) if axis else result
    result = result if dtype is None else result.astype(dtype)
    return (result, (stop - start) / pieces) if retstep else result


def given(value: Any, start: Any, step: Any, k: Any) -> Any:
    """`value`, of which start + k * step is what it depends on."""
    return value


def mixed(value: Any, start: Any, stop: Any, weights: Any) -> Any:
    """`value`, of which (1 - weights) * start + weights * stop is what it depends on."""
    return value


def _line_rule(function: Callable, names: str, weights: Callable) -> None:
    """The rule of values that are a combination of two ends, with weights that are constants."""

    def adjoint(i: int) -> Callable:
        return lambda g, v, value, a, b, w: unbroadcast(g * weights(w)[i], (a, b)[i])

    def slope(i: int) -> Callable:
        return lambda t, v, value, a, b, w: t * weights(w)[i] + np.zeros(v.shape)

    rule = Rule(
        function,
        names,
        adjoints=(None, adjoint(0), adjoint(1), None),
        tangents=(None, slope(0), slope(1), None),
        needs=("", "3", "3", ""),
    )
    FUNCTIONS[function] = rows.call_of(rule)


_line_rule(given, "value, start, step, k", lambda k: (np.ones(k.shape), k))
_line_rule(mixed, "value, start, stop, weights", lambda w: (1.0 - w, w))


def _space(f: Callable, compose: Callable) -> Callable:
    @functools.wraps(f)
    def call(start: Any, stop: Any, *args: Any, **options: Any) -> Any:
        if not is_tracked((start, stop)):
            return array.dressed(f(plain_of(start), plain_of(stop), *args, **options))
        return compose(start, stop, *args, **options)

    return call


def _logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0) -> Any:
    return base ** linspace(start, stop, num, endpoint)


def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    return np.exp(linspace(np.log(start), np.log(stop), num, endpoint))


# ----------------------------------------------------------------------- functions of functions ---


class vectorize(np.vectorize):
    """`np.vectorize`, whose results are tracked where the function's are."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        alone = self.signature is None and not self.excluded and not options
        if not is_tracked((args, options)):
            args, options = plain_tree(args), plain_tree(options)
            if not (alone and set(self.otypes or "") <= set("fdFD") and all(map(np.size, args))):
                return array.dressed(super().__call__(*args, **options))
        elif not alone:
            raise refused(
                np.vectorize, " with signature, excluded or keywords: tracked arrays in it"
            )
        operands = np.broadcast_arrays(*[_object_array(x) for x in args])
        flat = [x.ravel().tolist() for x in operands]
        results = [self.pyfunc(*row) for row in zip(*flat, strict=True)]
        if results and isinstance(results[0], tuple):
            kinds = self.otypes or [None] * len(results[0])
            parts = zip(zip(*results, strict=True), kinds, strict=True)
            return tuple([_shaped(part, kind, operands[0].shape) for part, kind in parts])
        return _shaped(results, self.otypes, operands[0].shape)


def _shaped(results: Sequence, kind: str | None, shape: tuple[int, ...]) -> Any:
    """What a vectorized function gave, one by one, with the dtype that `kind` or the first has."""
    if is_tracked(results):
        first = np.dtype(kind) if kind else np.asarray(plain_tree(results[0])).dtype
        if first.kind not in "fc":
            raise guards.refused(
                f"np.vectorize makes numbers of dtype {first} of all results, also of tracked "
                "ones, because the first is such a number, or otypes says so.",
                "Return floats (0.0 instead of 0), or give np.vectorize otypes=[float].",
            )
        return np.reshape(array_(list(results)), shape)
    return array.dressed(np.reshape(np.array(results, kind or np.asarray(results[0]).dtype), shape))


def _object_array(x: Any) -> np.ndarray:
    if type(x) is Scalar:
        out = np.empty((), object)
        out[()] = x
        return out
    x = as_operand(x)
    return objects(x) if type(x) is Array else np.asarray(x).astype(object)


def frompyfunc(func: Callable, nin: int, nout: int, **options: Any) -> Any:
    made = np.frompyfunc(func, nin, nout, **options)

    def call(*args: Any) -> Any:
        return made(*[_object_array(x) if is_tracked(x) else plain_of(x) for x in args])

    return call


def ndenumerate(arr: Any) -> Any:
    """`np.ndenumerate`."""
    if not is_tracked(arr):
        return np.ndenumerate(plain_of(arr))
    arr = as_operand(arr)
    return ((index, arr[index] if index else arr.item()) for index in np.ndindex(arr.shape))


def isscalar(element: Any) -> bool:
    return type(element) is Scalar or (
        not isinstance(element, np.ndarray)
        and np.isscalar(plain_of(element)[()] if type(element) is Array else element)
    )


class _Joiner:
    """`np.r_` and `np.c_`, of tracked arrays and numbers too."""

    def __init__(self, original: Any, join: Callable) -> None:
        self._original, self._join = original, join

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not is_tracked(parts):
            return array.dressed(self._original[plain_tree(key)])
        if any(isinstance(x, str) for x in parts):
            raise refused(np.concatenate, " by np.r_['...'] of tracked arrays")
        return self._join([np.r_[x] if isinstance(x, slice) else as_operand(x) for x in parts])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def _in_a_row(parts: list) -> Any:
    return np.concatenate([np.atleast_1d(x) for x in parts])


def nditer(op: Any, flags: Any = (), op_flags: Any = None, *args: Any, **options: Any) -> Any:
    """`np.nditer` of arrays without derivative, which it may write into."""
    operands = op if isinstance(op, (list, tuple)) else [op]
    if is_tracked(operands):
        raise refused(np.nditer)
    for x in operands:
        if type(x) is Array and "write" in str(op_flags):
            array.written_from_outside(x)
    return np.nditer(plain_tree(op), flags, op_flags, *args, **options)


_FROM_SHAPES = ("zeros", "ones", "empty", "indices", "eye", "identity", "tri", "fromfunction",
                "hanning",
                "hamming", "blackman", "bartlett", "kaiser", "loadtxt", "genfromtxt", "fromstring",
                "frombuffer")  # fmt: skip
_LIKE = ("zeros_like", "ones_like", "empty_like")
_own: dict[str, Any] = {
    f.__name__: f
    for f in (
        asarray, asanyarray, ascontiguousarray, asfortranarray, asarray_chkfinite, copy, require,
        fromiter, full, full_like, arange, linspace, vectorize, frompyfunc, ndenumerate, nditer,
        isscalar,
    )
}  # fmt: skip
_own["array"] = array_
_own["r_"] = _Joiner(np.r_, _in_a_row)
_own["c_"] = _Joiner(np.c_, np.column_stack)
_own["logspace"] = _space(np.logspace, _logspace)
_own["geomspace"] = _space(np.geomspace, _geomspace)
_own.update({name: _dressing(getattr(np, name)) for name in _FROM_SHAPES if hasattr(np, name)})
_own.update({name: _like(getattr(np, name)) for name in _LIKE})

# What NumPy itself asks of our arrays.
for _name in (*_LIKE, "full_like", "copy", "linspace", "logspace", "geomspace"):
    FUNCTIONS[getattr(np, _name)] = _own[_name]


def _calls(module: types.ModuleType) -> dict[str, Any]:
    """Stand-ins for the functions and ufuncs of a module that have a rule."""
    found: dict[str, Any] = {}
    for name, f in vars(module).items():
        if name.startswith("_") or name in _own or isinstance(f, type):
            continue
        try:
            if f in DECISIONS:
                found[name] = FunctionCall(f, functools.partial(_decided, f), rows.on_plain)
            elif f in UFUNCS:
                found[name] = UfuncCall(f, UFUNCS[f], as_operand)
            elif f in FUNCTIONS and callable(f):
                found[name] = FunctionCall(f, FUNCTIONS[f], rows.on_plain)
        except TypeError:  # not hashable: no function
            continue
    return found


def _decided(f: Callable, *args: Any, **options: Any) -> Any:
    """A function that only looks at its arguments."""
    return decision(f, args, options)


def _stand_in(module: types.ModuleType, **own: Any) -> types.ModuleType:
    made = types.ModuleType(module.__name__, module.__doc__)
    vars(made).update(vars(module), **own)
    return made


_by_id: dict[int, Any] = {}
_inner = {}
for _module in (np, np.linalg, np.fft):
    _found = {**(_own if _module is np else {}), **_calls(_module)}
    _by_id.update({id(getattr(_module, name)): f for name, f in _found.items()})
    if _module is not np:
        _inner[_module.__name__.rpartition(".")[2]] = _stand_in(_module, **_found)
_found = aware_random.stand_ins()
_by_id.update({id(getattr(np.random, name)): f for name, f in _found.items()})
_inner["random"] = _stand_in(np.random, **_found)
numpy_ = _stand_in(np, **{**_own, **_calls(np), **_inner})


def stand_ins() -> dict[int, Any]:
    """What takes the place of each function and module of NumPy's, by its id."""
    modules = {id(getattr(np, name)): module for name, module in _inner.items()}
    return {**_by_id, **modules, id(np): numpy_}


def originals() -> dict[int, Any]:
    """The modules that `stand_ins` stand for, by the stand-in's id."""
    return {id(numpy_): np, **{id(m): getattr(np, name) for name, m in _inner.items()}}
