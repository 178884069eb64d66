"""Derived: what a transform makes of a function, and how its arguments are read."""

from __future__ import annotations

import inspect
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import intercept, recording

# What each transform does when its function is called, by its name; each module adds its own.
RUNS: dict[str, Callable[[Derived, tuple, dict], Any]] = {}


class Derived:
    """What `grad`, `jacobian` and their kin give: it passes for the function, and can be pickled.

    It keeps the wrapped function's name, docstring and signature, and works as a method.
    """

    def __init__(
        self,
        transform: str,
        f: Callable,
        argnums: int | tuple[int, ...],
        has_aux: bool,
        rerun: bool,
        holomorphic: bool,
        *more: Any,
    ) -> None:
        if not callable(f):
            raise TypeError(f"a function was expected, {type(f).__name__} given: {f!r}")
        self.__wrapped__ = f
        self.__module__ = getattr(f, "__module__", None)
        self.__doc__ = f.__doc__
        self._run = RUNS[transform]
        self._transform = transform
        self._argnums = argnums
        self._positions = (argnums,) if type(argnums) is int else positions(argnums)
        self._single = not isinstance(argnums, tuple)
        self._has_aux = has_aux
        self._rerun = rerun
        self._holomorphic = holomorphic
        self._more = more
        self._remembered = intercept.Remembered()

    def __getattr__(self, name: str) -> Any:
        if name in ("__name__", "__qualname__"):
            return getattr(self.__wrapped__, name, type(self.__wrapped__).__name__)
        if name in ("__annotations__", "__type_params__"):
            return getattr(self.__wrapped__, name)
        raise AttributeError(f"{self!r} has no attribute {name!r}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<tapead.{self._transform} of {self.__qualname__}>"

    def __reduce__(self) -> Any:
        # A decorated function is found under its own name; any other is made again.
        place: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            place = getattr(place, part, None)
        if place is self:
            return self.__qualname__
        options = (self._argnums, self._has_aux, self._rerun, self._holomorphic, *self._more)
        return Derived, (self._transform, self.__wrapped__, *options)


def derive(transform: str, f: Callable | None, *options: Any) -> Any:
    """The derived function; without a function, a decorator that makes it."""
    if f is not None:
        return Derived(transform, f, *options)
    positions(options[0])  # an error belongs to the line of the decorator
    return lambda f: Derived(transform, f, *options)


def positions(argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    """The positions that `argnums` names, checked."""
    given = argnums if isinstance(argnums, tuple) else (argnums,)
    if not given or any(isinstance(k, (bool, np.bool_)) for k in given):
        raise TypeError(f"argnums is {argnums!r}; an int or a tuple of ints was expected")
    try:
        found = tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"argnums is {argnums!r}; an int or a tuple of ints was expected") from None
    if len(set(found)) < len(found):
        raise ValueError(f"argnums={argnums!r} names an argument twice")
    return found


def chosen(g: Derived, args: tuple, kwargs: dict) -> tuple[tuple, dict, Any]:
    """Arguments, those given by keyword put at their positions, and the tree of the chosen ones."""
    numbers = g._positions
    for p in numbers:
        if not -len(args) <= p < len(args):
            args, kwargs = _bound(g.__wrapped__, numbers, args, kwargs)
            break
    if g._single:
        return args, kwargs, args[numbers[0]]
    if len({p % len(args) for p in numbers}) < len(numbers):
        raise ValueError(f"argnums={g._argnums!r} names one of {len(args)} arguments twice")
    return args, kwargs, tuple([args[p] for p in numbers])


def _bound(f: Callable, numbers: tuple[int, ...], args: tuple, kwargs: dict) -> tuple:
    """Arguments with those given by keyword put at their positions, or an error naming them."""
    try:
        bound = inspect.signature(f).bind(*args, **kwargs)
    except (TypeError, ValueError):
        bound = None
    if bound is not None and all(-len(bound.args) <= p < len(bound.args) for p in numbers):
        return bound.args, bound.kwargs
    raise ValueError(
        f"argnums names argument {max(numbers)}, but {recording.function_name(f)} was called "
        f"with {len(args)} positional argument{'s' * (len(args) != 1)}"
    )
