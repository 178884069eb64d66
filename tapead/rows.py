"""Rows of the rule tables as functions with NumPy's own signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array, guards
from tapead.array import Array, plain_of
from tapead.operands import as_operand, fixed, is_tracked, plain_tree, refused
from tapead.rules.table import Rule
from tapead.scalar import Scalar


def on_plain(f: Callable, args: tuple, options: dict) -> Any:
    """f on plain data; where it gives views of what it was given, ours are views of ours."""
    result = f(*plain_tree(args), **plain_tree(options))
    return _adopted(
        result,
        [x for x in (*args, *options.values()) if type(x) is Array or isinstance(x, np.ndarray)],
    )


def _adopted(result: Any, given: list) -> Any:
    if type(result) in (tuple, list):
        return type(result)([_adopted(x, given) for x in result])
    if type(result) is not np.ndarray:
        return array.dressed(result)
    for x in given:
        if result is x or np.may_share_memory(result, plain_of(x)):
            return array.viewed(x, result) if type(x) is Array else array.known(result)
    return array.dressed(result)


def write_out(out: Any, result: Any, where: Any = True) -> Any:
    """The result of a function in the array that `out=` names."""
    if type(out) is not Array:
        if not array.is_active(result):
            out[...] = plain_of(result)
            return out
        raise guards.detached(
            "out= is a plain array, made before the recording or by a function that tapead does "
            "not see; a tracked result was about to be written into it."
        )
    value = plain_of(result)
    if not np.can_cast(getattr(value, "dtype", float), out.dtype, "same_kind"):
        raise TypeError(
            f"Cannot cast the result from {value.dtype} to out's {out.dtype} "
            "with casting 'same_kind'"
        )
    if where is True:
        out[...] = result
    else:
        out[...] = np.where(where, result, out)
    return out


def call_of(rule: Rule) -> Callable:
    """A function with NumPy's signature that applies a rule."""
    names, _, options = (part.strip() for part in rule.signature.partition(";"))
    words = [w.partition("=")[0].strip() for w in _split(options)]
    words = [w for w in words if w not in ("*", "/")]
    passed = ", ".join(f"{w}={w}" for w in words)
    given = f"sequence({names.lstrip('*')})" if rule.variadic else f"({_each(names)},)"
    parameters = [*_split(names.lstrip("*")), *_split(options)]
    if rule.out:
        parameters = _with_out(rule, parameters)
    head = ", ".join(parameters)
    options_given = "{}"
    if words:  # what is mostly given is seen here, without the call
        simple = " and ".join(f"type({w}) in SIMPLE" for w in words)
        options_given = f"dict({passed}) if {simple} else checked(rule, dict({passed}))"
    body = f"apply(rule, {given}, {options_given})"
    source = f"def call({head}):\n"
    if rule.out:
        source += f"    if out is not None:\n        return write_out(out, {body})\n"
    source += f"    return {body}\n"
    scope: dict = {
        "apply": array.apply, "rule": rule, "operand": as_operand, "sequence": _sequence,
        "write_out": write_out, "checked": _checked_options, "np": np, "pi": np.pi, "inf": np.inf,
        "Array": Array, "SIMPLE": _SIMPLE,
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
    given = [n.partition("=")[0].strip() for n in _split(names)]
    return ", ".join(f"{n} if type({n}) is Array else operand({n})" for n in given)


def _sequence(operands: Any) -> tuple:
    if type(operands) is Array:
        return tuple(operands)
    return tuple([np.asarray(x) if type(x) in (float, int) else as_operand(x) for x in operands])


# Of options that are one of these nothing is to be looked at.
_SIMPLE = frozenset((int, bool, str, type(None), float, type(np._NoValue)))


def _checked_options(rule: Rule, options: dict) -> dict:
    """Options are constants: a derivative by one of them would be lost."""
    for name, x in options.items():
        if type(x) in _SIMPLE:
            continue
        if is_tracked(x):
            raise refused(rule.function, f"({name}=...) by a tracked number")
        options[name] = fixed(x)
    return options


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
    return array.is_view(result, plain_of(x))


def _views(result: Any, x: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return type(result)([_views(r, x) for r in result])
    return array.viewed(x, result)


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
