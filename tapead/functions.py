"""What NumPy's functions and ufuncs do to tracked arrays: the tables, made into calls.

NumPy asks an array of ours through ``__array_ufunc__`` (NEP 13) and ``__array_function__`` (NEP 18).
Each row of the rule tables becomes a function with NumPy's own signature here.  What has no row is
refused; on arrays without derivative it is NumPy's.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array, aware_scipy, guards, rules, scalar
from tapead.array import FUNCTIONS, METHODS, UFUNCS, Array, plain_of
from tapead.errors import UnsupportedError, user_frame
from tapead.places import Row
from tapead.rules import indexing
from tapead.rules.table import Elementwise, Rule, as_array
from tapead.scalar import Scalar

_NUMBERS = (Array, Scalar, np.ndarray, float, int)
_DECISIONS: set = set()
# Options of a ufunc that only its value depends on.
_VALUE_OPTIONS = {"dtype", "casting", "order", "subok", "axis", "axes", "keepdims"}


def as_operand(x: Any) -> Any:
    """An operand as an array or a number: lists and object arrays of numbers become arrays."""
    if type(x) in _NUMBERS:
        if type(x) is np.ndarray and x.dtype.kind == "O":
            return _from_objects(x)
        return x
    if isinstance(x, (list, tuple, deque)):
        return as_array(list(x))
    return x


def _from_objects(x: np.ndarray) -> Any:
    """An object array as an array of numbers, if numbers are what it holds."""
    flat = x.ravel().tolist()
    if not any(type(y) in (Scalar, Array) for y in flat):
        return x
    return np.stack(flat).reshape(x.shape)


def is_tracked(tree: Any) -> bool:
    """Whether an argument is, or holds, a number with a derivative."""
    if type(tree) in (Scalar, Array):
        return array.is_active(tree)
    if isinstance(tree, (list, tuple, deque)):
        return any(map(is_tracked, tree))
    if isinstance(tree, dict):
        return any(map(is_tracked, tree.values()))
    return type(tree) is np.ndarray and tree.dtype.kind == "O" and any(map(is_tracked, tree.flat))


def plain_tree(tree: Any) -> Any:
    """An argument with plain data in the place of arrays and numbers of ours."""
    if type(tree) in (Scalar, Array):
        return plain_of(tree)
    if type(tree) in (list, tuple, deque):
        return type(tree)([plain_tree(x) for x in tree])
    if type(tree) is dict:
        return {k: plain_tree(x) for k, x in tree.items()}
    return tree


# ------------------------------------------------------------------------ NumPy's two questions ---


def function(f: Callable, args: tuple, options: dict) -> Any:
    """``f(*args, **options)`` for a function of NumPy, or a primitive of ours."""
    handler = FUNCTIONS.get(f)
    if handler is None and is_tracked(args) and aware_scipy.load():
        handler = FUNCTIONS.get(f)
    if handler is not None:
        return handler(*args, **options)
    if f in _DECISIONS or not (is_tracked(args) or is_tracked(options)):
        return on_plain(f, args, options)
    raise refused(f)


def on_plain(f: Callable, args: tuple, options: dict) -> Any:
    """f on plain data; where it gives views of what it was given, ours are views of ours."""
    result = f(*plain_tree(args), **plain_tree(options))
    return _adopted(result, [x for x in (*args, *options.values()) if isinstance(x, np.ndarray)])


def _adopted(result: Any, given: list) -> Any:
    if type(result) in (tuple, list):
        return type(result)([_adopted(x, given) for x in result])
    if type(result) is not np.ndarray:
        return array.dressed(result)
    for x in given:
        if result is x or np.may_share_memory(result, plain_of(x)):
            return array.viewed(x, result) if type(x) is Array else array.wrapped(result)
    return array.dressed(result)


def refused(f: Any, why: str = "") -> UnsupportedError:
    """The error for a function without a rule."""
    module = (getattr(f, "__module__", None) or "numpy").replace("numpy._core", "numpy")
    name = getattr(f, "__name__", str(f))
    return guards.unsupported(f"{module.partition('.')[0]}.{name}{why or ' has no rule: tracked arrays in it'}")


def ufunc(f: Any, method: str, inputs: tuple, options: dict) -> Any:
    """A ufunc, or a method of one, called with tracked operands."""
    if method == "at":
        return _at(f, *inputs)
    out = options.pop("out", None)
    where = options.pop("where", True) if method == "__call__" else True
    call = functools.partial(_called, f, method)
    if out is not None and type(out[0]) is np.ndarray and inputs and out[0] is inputs[0]:
        out = (_adopted_name(out[0], sys.getrefcount(out[0]), inputs),)
    if out is None and where is True:
        return call(inputs, options)
    return _written(call, inputs, options, out, where)


# How many references there are to x, here, when `x += y` runs for an x that has one name only.
_references_of_one_name = 0


def _adopted_name(x: np.ndarray, references: int, inputs: tuple) -> Any:
    """The plain array of ``x += tracked`` as one of ours, if the name x is the only one for it.

    Python binds that name to what the operator gives; a view, or another name, would go on to see
    the plain array.
    """
    global _references_of_one_name
    if not _references_of_one_name:
        _references_of_one_name = references
    elif (
        references == _references_of_one_name
        and x.base is None
        and x.flags.owndata
        and x.flags.writeable
        and x.dtype.kind in "fc"
        and is_tracked(inputs[1:])
    ):
        return array.adopted(x)
    return x


def _called(f: Any, method: str, inputs: tuple, options: dict) -> Any:
    if method != "__call__":
        handler = METHODS.get((f, method)) or METHODS.get(method)
        if handler is None or not is_tracked(inputs):
            if is_tracked(inputs):
                raise refused(f, f".{method} has no rule: tracked arrays in it")
            return array.dressed(getattr(f, method)(*plain_tree(inputs), **options))
        if METHODS.get((f, method)) is None:
            return handler(f, *map(as_operand, inputs), **options)
        return handler(*map(as_operand, inputs), **options)
    row = UFUNCS.get(f)
    if row is None and f not in FUNCTIONS and aware_scipy.load():
        row = UFUNCS.get(f)
    if row is None:
        operands = tuple(map(as_operand, inputs))
        if options and (f, method) in METHODS:
            return METHODS[f, method](*operands, **options)
        return function(f, operands, options)
    operands = tuple([x if type(x) in (Array, Scalar, float) else _operand(x) for x in inputs])
    if any(type(x) is np.ndarray and x.dtype.kind == "O" for x in operands):
        return f(*[_to_objects(x) for x in operands], **options)
    if f is np.power and all(type(x) is not Array and np.ndim(x) == 0 for x in operands):
        # NumPy's numbers and its ufunc do not agree on (-0.0) ** 0.5; this is how ** gets here.
        x, y = (scalar.as_numpy(x) if type(x) is Scalar else float(x) for x in operands)
        return x**y
    if not options:
        return array.elementwise_of(row, operands, None)
    unknown = options.keys() - _VALUE_OPTIONS
    if unknown:
        raise refused(f, f"({', '.join(sorted(unknown))}=...) of tracked arrays")
    return array.elementwise_of(row, operands, options)


def _operand(x: Any) -> Any:
    """An operand of a ufunc, whose partials compute with it."""
    x = as_operand(x)
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def _written(call: Callable, inputs: tuple, options: dict, out: Any, where: Any) -> Any:
    """A ufunc's result written into `out`, all of it or where a mask says so."""
    outs = out if isinstance(out, tuple) else (out,)
    if not is_tracked(inputs) and all(x is None or type(x) is np.ndarray for x in outs):
        f, method = call.args
        return getattr(f, method)(*plain_tree(inputs), out=out, where=plain_of(where), **options)
    result = call(inputs, options)
    if out is None:
        empty = np.zeros(np.shape(result), plain_of(result).dtype)
        return np.where(where, result, empty)
    results = result if isinstance(result, tuple) else (result,)
    done = [x if o is None else write_out(o, x, where) for o, x in zip(outs, results, strict=True)]
    return done[0] if len(done) == 1 else tuple(done)


def write_out(out: Any, result: Any, where: Any = True) -> Any:
    """The result of a function in the array that `out=` names."""
    if type(out) is not Array:
        if not array.is_active(result):
            out[...] = plain_of(result)
            return out
        raise guards.detached(
            "out= is a plain array, made before the recording or by a function that tapead does not "
            "see; a tracked result was about to be written into it."
        )
    value = plain_of(result)
    if not np.can_cast(getattr(value, "dtype", float), out.dtype, "same_kind"):
        raise TypeError(
            f"Cannot cast the result from {value.dtype} to out's {out.dtype} with casting 'same_kind'"
        )
    if where is True:
        out[...] = result
    else:
        out[...] = np.where(where, result, out)
    return out


def _at(f: Any, a: Any, index: Any, x: Any = None) -> None:
    """``np.add.at`` and ``np.subtract.at``."""
    if type(a) is not Array:
        if is_tracked(x):
            raise guards.detached(
                f"np.{f.__name__}.at was about to write a tracked value into a plain array."
            )
        f.at(plain_of(a), index, *(() if x is None else (plain_of(x),)))
        return
    index = fixed_index(index)
    x = as_operand(x)
    if f is np.add:
        array.add_at(a, index, x)
    elif f is np.subtract:
        array.add_at(a, index, -x)
    elif is_tracked((a, x)):
        raise refused(f, ".at has no rule: tracked arrays in it")
    else:
        array.before_write_of(a)
        f.at(plain_of(a), index, *(() if x is None else (plain_of(x),)))


def binary(f: Any, x: Any, y: Any) -> Any:
    """An operator by its ufunc; NotImplemented for what is no operand of NumPy's."""
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and (sparse.issparse(x) or sparse.issparse(y)):
        aware_scipy.load()
        return sys.modules["tapead.scipy.sparse"].operator(f, x, y)
    for z in (x, y):
        if type(z) not in _NUMBERS and not isinstance(z, (complex, np.generic, list, tuple)):
            return NotImplemented
    return ufunc(f, "__call__", (x, y), {})


def complex_operation(op: Callable, x: Any, y: Any) -> Any:
    """A tracked number and a complex one: as arrays without dimensions, which may be complex."""
    x, y = (np.reshape(np.stack([z]), ()) if type(z) is Scalar else z for z in (x, y))
    return op(x, y)


def _to_objects(x: Any) -> Any:
    """An array of ours as an object array of numbers, for operations with such arrays."""
    if type(x) is not Array:
        return x
    return objects(x)


def objects(x: Any) -> np.ndarray:
    """An object array of the elements."""
    out = np.empty(x.shape, object)
    for index in np.ndindex(x.shape):
        out[index] = x[index] if index else x.item()
    return out


# ----------------------------------------------------------------------------- rows as calls ---


def call_of(rule: Rule) -> Callable:
    """A function with NumPy's signature that applies a rule."""
    names, _, options = (part.strip() for part in rule.signature.partition(";"))
    words = [w.partition("=")[0].strip() for w in _split(options)]
    passed = ", ".join(f"{w}={w}" for w in words if w not in ("*", "/"))
    given = f"sequence({names.lstrip('*')})" if rule.variadic else f"({_each(names)},)"
    parameters = [*_split(names.lstrip("*")), *_split(options)]
    if rule.out:
        parameters = _with_out(rule, parameters)
    head = ", ".join(parameters)
    options_given = f"checked(rule, dict({passed}))" if passed else "{}"
    body = f"apply(rule, {given}, {options_given})"
    source = f"def call({head}):\n"
    if rule.out:
        source += f"    if out is not None:\n        return write_out(out, {body})\n"
    source += f"    return {body}\n"
    scope: dict = {
        "apply": array.apply, "rule": rule, "operand": as_operand, "sequence": _sequence,
        "write_out": write_out, "checked": _checked_options, "np": np, "pi": np.pi, "inf": np.inf,
    }  # fmt: skip
    exec(compile(source, __file__, "exec"), scope)  # the table is ours
    call = scope["call"]
    call.__name__ = getattr(rule.function, "__name__", "call")
    return call


def _with_out(rule: Rule, parameters: list[str]) -> list[str]:
    """The parameters with ``out=None`` where NumPy has it, else as the last one."""
    try:
        theirs = inspect.signature(rule.function).parameters
    except (TypeError, ValueError):
        return [*parameters, "out=None"]
    names = list(theirs)
    if "out" not in names or theirs["out"].kind is inspect.Parameter.KEYWORD_ONLY:
        return [*parameters, "out=None"]
    before = set(names[: names.index("out")])
    ours = [p for p in parameters if p.strip() != "*"]
    at = sum(p.partition("=")[0].strip() in before for p in ours)
    return [*ours[:at], "out=None", *ours[at:]]


def _split(text: str) -> list[str]:
    """A list of parameters, split at the commas between them."""
    parts, depth, last = [], 0, 0
    for k, c in enumerate(text):
        depth += c in "([{"
        depth -= c in ")]}"
        if c == "," and depth == 0:
            parts.append(text[last:k])
            last = k + 1
    return [p for p in (*parts, text[last:]) if p.strip()]


def _each(names: str) -> str:
    return ", ".join(f"operand({n.partition('=')[0].strip()})" for n in _split(names))


def _sequence(operands: Any) -> tuple:
    if type(operands) is Array:
        return tuple(operands)
    return tuple([np.asarray(x) if type(x) in (float, int) else as_operand(x) for x in operands])


def _checked_options(rule: Rule, options: dict) -> dict:
    """Options are constants: a derivative by one of them would be lost."""
    for name, x in options.items():
        if type(x) in (int, bool, str, type(None)):
            continue
        if is_tracked(x):
            raise refused(rule.function, f"({name}=...) by a tracked number")
        options[name] = _fixed(x)
    return options


def _fixed(x: Any) -> Any:
    """An option as plain data that nobody else can change."""
    if isinstance(x, np.ndarray):
        return np.array(plain_of(x), order="K")
    if type(x) in (list, tuple):
        return type(x)([_fixed(y) for y in x])
    return x


def view_of(f: Callable) -> Callable:
    """A function that gives views of its first argument, or of several arguments."""

    def call(x: Any, *args: Any, **options: Any) -> Any:
        x = as_operand(x)
        if type(x) is not Array:
            if type(x) is Scalar:
                x = np.stack([x])[0:1].reshape(())
            else:
                return on_plain(f, (x, *args), options)
        result = f(plain_of(x), *args, **options)
        if _is_view(result, x):
            return _views(result, x)
        for order in ("C", "F", "K"):  # where NumPy copies, its result is a view of a copy
            copy = x.copy(order)
            result = f(plain_of(copy), *args, **options)
            if _is_view(result, copy):
                return _views(result, copy)
        raise refused(f)

    call.__name__ = f.__name__
    return call


def _is_view(result: Any, x: Any) -> bool:
    if isinstance(result, (list, tuple)):
        return all(_is_view(r, x) for r in result)
    data = plain_of(x)
    return result is data or result.size == 0 or np.may_share_memory(result, data)


def _views(result: Any, x: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return type(result)([_views(r, x) for r in result])
    return array.viewed(x, result)


# -------------------------------------------------------------------------- reading and writing ---


def fixed_index(index: Any) -> Any:
    """An index whose arrays nobody else can change."""
    if isinstance(index, tuple):
        return tuple([fixed_index(part) for part in index])
    if isinstance(index, list):
        return np.array(index) if index else np.array(index, int)
    if isinstance(index, np.ndarray):
        return np.array(plain_of(index))
    return plain_of(index)


def advanced(x: Any, index: Any) -> Any:
    """x[index] for an index with arrays."""
    if not array.is_active(x):
        return array.dressed(plain_of(x)[plain_tree(index)])
    return indexing.indexed(x, fixed_index(index))


def write_advanced(x: Any, index: Any, value: Any) -> None:
    """x[index] = value for an index with arrays."""
    index = fixed_index(index)
    array.write_at(x, index, as_operand(value), indexing.last_written(index, x.shape))


def as_plain(x: Any, dtype: Any, copy: Any) -> np.ndarray:
    """``__array__``: what NumPy, and code that does not ask us, makes of an array of ours."""
    if dtype is not None and np.dtype(dtype) == object:
        return objects(x)
    if array.is_active(x):
        if _asked_by_sparse():
            return np.array(None, object)  # something that a sparse matrix does not know asks us
        raise guards.detached("a tracked array was about to become a plain one, without derivative.")
    data = plain_of(x)
    if dtype is not None and data.dtype != dtype:
        return data.astype(dtype)
    # Who gets this does not see what is written into x later on, and must not write himself.
    return array.exposed(x, copy)


def _asked_by_sparse() -> bool:
    """Whether a sparse matrix of SciPy's looks at the other operand of a product.

    It does not ask that by any protocol, but takes arrays as they are, and whatever it does not
    know gets its turn.
    """
    frame = user_frame()
    if frame is None or frame.f_code.co_name != "_matmul_dispatch":
        return False
    return "sparse" in frame.f_code.co_filename


def class_of(x: Any) -> type:
    """np.ndarray, but for sparse matrices."""
    return Array if _asked_by_sparse() else np.ndarray


def cast(x: Any, dtype: np.dtype, order: str = "K", casting: str = "unsafe") -> Any:
    """A tracked array in another dtype of reals or complex numbers."""
    return _cast(x, dtype=dtype, order=order, casting=casting)


def _astype(x: Any, dtype: Any, order: str, casting: str) -> Any:
    return np.asarray(x).astype(dtype, order, casting)


_CAST = Rule(
    _astype,
    "x; dtype, order, casting",
    # The engine gives the adjoint the operand's dtype.
    adjoints=lambda g, v, x, dtype, order, casting: g,
)
_cast = call_of(_CAST)


def install(tables: Any = rules) -> None:
    """Make calls of the rows of tables, and let arrays and numbers find them."""
    rows = tables.ROWS if tables is rules else getattr(tables, "RULES", ())
    for row in rows:
        if isinstance(row, Elementwise):
            UFUNCS[row.ufunc] = Row(row)
        else:
            FUNCTIONS[row.function] = call_of(row)
            if row.function is np.matmul:
                array.multiply_by(row)
    FUNCTIONS.update(getattr(tables, "COMPOSED", {}))
    for f in getattr(tables, "VIEWS", ()):
        FUNCTIONS[f] = view_of(f)
    METHODS.update(getattr(tables, "METHODS", {}))
    _DECISIONS.update(getattr(tables, "DECISIONS", ()))
    if getattr(tables, "__name__", "") == "tapead.scipy.sparse":
        array.ask_for_class(class_of)
    for f in (np.real, np.broadcast_to):
        FUNCTIONS[f] = view_of(f)
