"""Rules of the user's own: custom_vjp and custom_jvp.

A call of such a function is one row, whose derivative is the rule.  Outside of nested derivatives
the function and its rule see plain numbers and arrays, and may call compiled code.  Inside they are
run on tracked ones, because a second derivative is that of the rule; to the derivatives further out
the value is what the rule's own code computes, as everywhere in the field (JAX, *Custom derivative
rules*).
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import array, forms, guards, recording, trees
from tapead.array import plain_of
from tapead.custom_calls import Call
from tapead.tape import current


class CustomFunction:
    """A function with a rule for its derivative: what `custom_vjp` and `custom_jvp` give."""

    def __init__(self, f: Callable, kind: str, nondiff_argnums: Sequence[int]) -> None:
        _check_functions(f)
        self.__wrapped__ = f
        self.__module__ = getattr(f, "__module__", None)
        self.__doc__ = f.__doc__
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__qualname__ = recording.function_name(f)
        self._kind = kind
        numbers = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else nondiff_argnums
        if isinstance(numbers, str) or not all(type(k) is int for k in numbers):
            raise TypeError(f"nondiff_argnums is {nondiff_argnums!r}; positions were expected")
        self._nondiff = tuple(numbers)
        self._rules: tuple[Callable, ...] = ()

    def __repr__(self) -> str:
        return f"<tapead.{self._kind} {self.__qualname__}>"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        place: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            place = getattr(place, part, None)
        if place is not self:
            raise TypeError(f"{self!r} is not found under its name, and cannot be pickled")
        return self.__qualname__

    def defvjp(self, fwd: Callable, bwd: Callable) -> None:
        """Set the rule: ``fwd(*args) -> (result, residuals)`` and ``bwd(residuals, adjoint)``.

        bwd gives a tuple with an adjoint for each argument, None for zero.  Arguments at
        `nondiff_argnums` come first in bwd, and have none.
        """
        self._only("custom_vjp", "defvjp")
        _check_functions(fwd, bwd)
        self._rules = (fwd, bwd)

    def defjvp(self, rule: Callable) -> Callable:
        """Set the rule: ``rule(primals, tangents) -> (result, tangent)``; a decorator.

        Arguments at `nondiff_argnums` come first.
        """
        self._only("custom_jvp", "defjvp")
        _check_functions(rule)
        self._rules = (rule,)
        return rule

    def defjvps(self, *parts: Callable | None) -> None:
        """Set the rule by a function for each argument: ``(tangent, result, *primals)``.

        They are added up; None is for an argument that the result does not depend on.
        """
        self._only("custom_jvp", "defjvps")

        def rule(*given: Any) -> tuple[Any, Any]:
            *fixed, primals, tangents = given
            value = self(*self._put_together(fixed, primals))
            terms = [
                part(t, value, *primals)
                for part, t in zip(parts, tangents, strict=True)
                if part is not None
            ]
            return value, sum(terms[1:], terms[0]) if terms else 0.0 * value

        self._rules = (rule,)

    def _only(self, kind: str, name: str) -> None:
        if self._kind != kind:
            raise TypeError(f"{name} belongs to {kind}; {self!r} is a {self._kind}")

    # ---------------------------------------------------------------------------- calls ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tape = current.tape
        if not (tape.depth and tape.epoch):
            return _apart(self.__wrapped__(*args, **kwargs), (args, kwargs))
        if kwargs:
            bound = inspect.signature(self.__wrapped__).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        fixed, chosen = self._taken_apart(args)
        leaves, spec = trees.flatten(chosen)
        if any(map(array.is_active, trees.flatten(fixed)[0])):
            raise guards.refused(
                f"{self!r} was given a tracked number in an argument of nondiff_argnums.",
                "Leave it out of nondiff_argnums, or hand over tapead.value(x).",
            )
        if not any(map(array.is_active, leaves)):
            return _apart(self.__wrapped__(*args), args)
        if not self._rules:
            raise AttributeError(f"{self!r} has no rule yet: call its def{self._kind[7:]} first")
        if self._kind == "custom_vjp" and tape.forward:
            raise self._wrong_mode()
        ins = forms.forms_of(leaves, spec, f"an argument of {self!r}: its leaf ")
        call = Call(self, fixed, leaves, spec, ins)
        return call.nested() if call.level > 1 else call.plain()

    def _wrong_mode(self) -> Exception:
        return guards.refused(
            f"forward mode came to {self!r}, whose rule is for reverse mode.",
            "Use grad, vjp or jacrev, or give the function a rule by custom_jvp.",
        )

    def _taken_apart(self, args: tuple) -> tuple[tuple, tuple]:
        """The arguments at nondiff_argnums, and the others."""
        if any(not -len(args) <= k < len(args) for k in self._nondiff):
            raise ValueError(
                f"nondiff_argnums of {self!r} is {self._nondiff}, but it was called with "
                f"{len(args)} arguments"
            )
        at = {k % len(args) if k < 0 else k for k in self._nondiff}
        fixed = tuple(x for k, x in enumerate(args) if k in at)
        return fixed, tuple(x for k, x in enumerate(args) if k not in at)

    def _put_together(self, fixed: Sequence, others: Sequence) -> tuple:
        """`_taken_apart`, undone."""
        count = len(fixed) + len(others)
        at = {k % count if k < 0 else k for k in self._nondiff}
        fixed, others = iter(fixed), iter(others)
        return tuple(next(fixed) if k in at else next(others) for k in range(count))


def _check_functions(*given: Any) -> None:
    for f in given:
        if not callable(f):
            raise TypeError(f"a function was expected, {type(f).__name__} given: {f!r}")


def _apart(result: Any, arguments: Any) -> Any:
    """A result whose arrays share memory neither with arguments nor with each other, as it is where
    the call is recorded."""
    leaves, spec = trees.flatten(result)
    if not any(isinstance(x, np.ndarray) for x in leaves):
        return result
    others = [plain_of(x) for x in trees.flatten(arguments)[0] if isinstance(x, np.ndarray)]
    for k, x in enumerate(leaves):
        if isinstance(x, np.ndarray):
            if any(np.may_share_memory(plain_of(x), y) for y in others):
                leaves[k] = x.copy()
            others.append(plain_of(leaves[k]))
    return trees.unflatten(spec, leaves)


def custom_vjp(f: Callable | None = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """A function with a rule of its own for reverse mode; a decorator.

    The rule is set by ``f.defvjp(fwd, bwd)``: ``fwd(*args)`` gives ``(result, residuals)``, and
    ``bwd(residuals, adjoint)`` a tuple with an adjoint for each argument, of its structure, shapes
    and kinds, or None for zero.  Where no second derivative is under way both get plain numbers and
    arrays, and may do anything with them; else they are differentiated in turn.

    Forward mode that comes to the function (`jvp`, `jacfwd`, `linearize`) raises UnsupportedError.
    A tracked number that f or its rule use without having been given it raises an error, too.

    Parameters
    ----------
    nondiff_argnums : positions of arguments without derivative; they come first in bwd

    Examples
    --------
    >>> import math, tapead
    >>> @tapead.custom_vjp
    ... def log1pexp(x):
    ...     return math.log1p(math.exp(x))
    >>> def fwd(x):
    ...     return log1pexp(x), x
    >>> def bwd(x, adjoint):
    ...     return (adjoint / (1.0 + math.exp(-x)),)
    >>> log1pexp.defvjp(fwd, bwd)
    >>> tapead.grad(log1pexp)(0.0)
    0.5
    """
    if f is None:
        return lambda f: CustomFunction(f, "custom_vjp", nondiff_argnums)
    return CustomFunction(f, "custom_vjp", nondiff_argnums)


def custom_jvp(f: Callable | None = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """A function with a rule of its own for forward mode; a decorator.

    The rule is set by ``f.defjvp(rule)``, itself a decorator: ``rule(primals, tangents)`` gives
    ``(result, tangent of the result)``, where the tangent is linear in the tangents.  Reverse mode
    transposes the rule, so there the tangent has to be computed by what tapead differentiates.

    Parameters
    ----------
    nondiff_argnums : positions of arguments without derivative; they come first in the rule

    Examples
    --------
    >>> import math, tapead
    >>> @tapead.custom_jvp
    ... def log1pexp(x):
    ...     return math.log1p(math.exp(x))
    >>> @log1pexp.defjvp
    ... def rule(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), t / (1.0 + math.exp(-x))
    >>> tapead.jvp(log1pexp, (0.0,), (1.0,))[1], tapead.grad(log1pexp)(0.0)
    (0.5, 0.5)
    """
    if f is None:
        return lambda f: CustomFunction(f, "custom_jvp", nondiff_argnums)
    return CustomFunction(f, "custom_jvp", nondiff_argnums)
