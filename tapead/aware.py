"""What stands in for builtins and for caches while a recording runs: they let tracked numbers pass.

Each behaves as the original on everything else, so that a reference which outlives the recording
does no harm.
"""

from __future__ import annotations

import builtins
import enum
import functools
import types
from typing import Any

import numpy as np

from tapead import math as _math
from tapead import scalar, trees
from tapead.array import Array
from tapead.scalar import Scalar
from tapead.tape import current, recording_threads


class _FloatType(type):
    """The class of `float_`, which is `float` for calls, isinstance, == and hash."""

    def __call__(cls, *args: Any) -> Any:
        if cls is not float_:  # a class that the program derives from float
            return type.__call__(cls, *args)
        if len(args) == 1 and type(args[0]) is Scalar:
            return scalar.as_float(args[0])
        if len(args) == 1 and type(args[0]) is Array and args[0].size == 1:
            return float_(args[0].item())
        return float(*args)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, float) if cls is float_ else super().__instancecheck__(x)

    def __subclasscheck__(cls, c: type) -> bool:
        return issubclass(c, float) if cls is float_ else super().__subclasscheck__(c)

    def __eq__(cls, other: Any) -> bool:
        return other is cls or (cls is float_ and other is float)

    def __hash__(cls) -> int:
        return hash(float) if cls is float_ else super().__hash__()

    def __repr__(cls) -> str:
        return repr(float) if cls is float_ else super().__repr__()


class float_(float, metaclass=_FloatType):  # noqa: N801 - it stands for float
    """`float` that gives a tracked number back as it is."""

    dtype = np.dtype(float)


float_.__name__ = float_.__qualname__ = "float"
float_.__doc__ = float.__doc__
scalar.pass_for(float_)


class _Type:
    """`type` that calls a tracked number, and a float, `float_`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:
            kind = type(args[0])
            if kind is Array:
                return args[0].__class__
            if kind is Scalar:
                return np.float64 if scalar.is_numpy(args[0]) else float_
            return float_ if kind is float else kind
        return type(*args, **kwargs)

    def __instancecheck__(self, x: Any) -> bool:
        return isinstance(x, type)

    def __subclasscheck__(self, c: type) -> bool:
        return issubclass(c, type)

    def __mro_entries__(self, bases: tuple) -> tuple[type]:
        return (type,)

    def __eq__(self, other: Any) -> bool:
        return other is self or other is type

    def __hash__(self) -> int:
        return hash(type)

    def __repr__(self) -> str:
        return repr(type)

    def __getattr__(self, name: str) -> Any:
        return getattr(type, name)


type_ = _Type()


@functools.wraps(builtins.sum)
def sum_(iterable, /, start=0):
    """`sum` of Python 3.12 and later: floats are added with compensation, rounded once."""
    terms = list(iterable)
    if not any(type(x) is Scalar for x in (start, *terms)):
        return sum(terms, start)
    if not all(type(x) in (Scalar, float, int) for x in (start, *terms)):
        total = start
        for x in terms:
            total = total + x
        return total
    total = sum(map(scalar.plain, terms), scalar.plain(start))
    return _math._exact_sum([start, *terms] if start != 0 else terms, total)


class Cached:
    """A function under `functools.lru_cache` that tells tracked numbers apart by row, not by value.

    Two variables may have the same value, and a cache filled by plain calls holds plain results: by
    value, derivatives would be lost in silence.  A cache of this recording's own takes its place.
    """

    def __init__(self, cached: functools._lru_cache_wrapper) -> None:
        self._cached = cached
        self._of_recordings: dict[int, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        epoch = current.tape.epoch
        if not epoch:
            return self._cached(*args, **kwargs)
        cache = self._of_recordings.get(epoch)
        if cache is None:
            for ended in self._of_recordings.keys() - recording_threads.keys():
                self._of_recordings.pop(ended, None)
            size = self._cached.cache_parameters()["maxsize"]
            cache = functools.lru_cache(size)(functools.partial(_make, self._cached.__wrapped__))
            self._of_recordings[epoch] = cache
        return cache(_Call(args, kwargs))

    def cache_clear(self) -> None:
        self._cached.cache_clear()
        self._of_recordings.clear()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cached, name)


# Types that are a key by value: they hold no tracked number.
_BY_VALUE = (str, bytes, int, float, complex, bool, type(None), type, enum.Enum)


class _Call:
    """The arguments of a call, equal to those of another if they are the same variables."""

    __slots__ = ("args", "key", "kwargs")

    def __init__(self, args: tuple, kwargs: dict) -> None:
        self.args, self.kwargs = args, kwargs
        self.key = (
            tuple(map(_identity, args)),
            tuple((name, _identity(x)) for name, x in kwargs.items()),
        )

    def __eq__(self, other: Any) -> bool:
        return self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _make(f: Any, call: _Call) -> Any:
    return f(*call.args, **call.kwargs)


def _identity(x: Any) -> Any:
    """A key for an argument: rows for tracked numbers, also inside trees, else values."""
    if type(x) is Scalar:
        return Scalar, scalar.row_of(x)
    if isinstance(x, _BY_VALUE):
        return type(x), x
    leaves, spec = trees.flatten(x)
    if len(leaves) == 1 and leaves[0] is x:
        return _Same(x)
    return spec, tuple(map(_identity, leaves))


class _Same:
    """Equal to the same object only, which it keeps alive."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: Any) -> bool:
        return type(other) is _Same and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


@functools.wraps(functools.lru_cache)
def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    decorated = functools.lru_cache(maxsize, typed)
    if callable(maxsize):
        return Cached(decorated)
    return lambda f: Cached(decorated(f))


@functools.wraps(functools.cache)
def cache(user_function: Any, /) -> Any:
    return Cached(functools.cache(user_function))


functools_ = types.ModuleType("functools", functools.__doc__)
vars(functools_).update(vars(functools), lru_cache=lru_cache, cache=cache)
