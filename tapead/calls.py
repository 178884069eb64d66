# cython: language_level=3, boundscheck=False, initializedcheck=False
"""Stand-ins for NumPy's functions and ufuncs in the user's modules while a recording runs.

They do what NumPy would do by ``__array_ufunc__`` and ``__array_function__``, without going through
NumPy first: that is most of the cost of an operation on a short array.  And they see what NumPy
does not show: lists of tracked numbers.
"""

from __future__ import annotations

from collections import deque

import cython
import numpy as np

from tapead.array import Array, dressed
from tapead.scalar import Scalar

if not cython.compiled:
    from tapead.array import binary, unary

_ndarray = np.ndarray
_NO_LISTS = {np.ndarray, float, int, bool, str, type(None), slice}


@cython.final
@cython.cclass
class UfuncCall:
    """A ufunc that knows tracked arrays; all else is the ufunc's own."""

    if not cython.compiled:
        __slots__ = ("_as_operand", "_row", "_ufunc")

    _ufunc: object
    _row: object
    _as_operand: object

    def __init__(self, ufunc, row, as_operand):
        self._ufunc = ufunc
        self._row = row
        self._as_operand = as_operand

    def __call__(self, *args, **options):
        if not options:
            if len(args) == 1:
                if type(args[0]) is Array:
                    return unary(self._row, args[0])
            elif len(args) == 2 and (type(args[0]) is Array or type(args[1]) is Array):
                result = binary(self._row, args[0], args[1])
                if result is not NotImplemented:
                    return result
        result = self._ufunc(*listed(args, len(args), self._as_operand), **options)
        return dressed(result) if type(result) is _ndarray and "out" not in options else result

    @property
    def __class__(self):
        return type(self._ufunc)

    def __getattr__(self, name):
        found = getattr(self._ufunc, name)
        if name in _METHODS:
            return UfuncMethod(found, _METHODS[name], self._as_operand)
        return found

    def __repr__(self):
        return repr(self._ufunc)

    def __eq__(self, other):
        return other is self._ufunc or is_of(other, self._ufunc)

    def __hash__(self):
        return hash(self._ufunc)


@cython.cfunc
def is_of(x: object, ufunc: object) -> cython.bint:
    return type(x) is UfuncCall and cython.cast(UfuncCall, x)._ufunc is ufunc


# The methods of ufuncs, with how many of their arguments are operands.
_METHODS = {"reduce": 1, "accumulate": 1, "reduceat": 1, "outer": 2}


class UfuncMethod:
    """A method of a ufunc, which sees lists of tracked numbers."""

    __slots__ = ("_as_operand", "_count", "_method")

    def __init__(self, method, count, as_operand):
        self._method = method
        self._count = count
        self._as_operand = as_operand

    def __call__(self, *args, **options):
        return self._method(*listed(args, self._count, self._as_operand), **options)

    def __getattr__(self, name):
        return getattr(self._method, name)


@cython.final
@cython.cclass
class FunctionCall:
    """A function of NumPy's that knows tracked arrays.

    `handler` does what it does to them, `on_plain` what it does to others.
    """

    if not cython.compiled:
        __slots__ = ("_function", "_handler", "_on_plain")

    _function: object
    _handler: object
    _on_plain: object

    def __init__(self, function, handler, on_plain):
        self._function = function
        self._handler = handler
        self._on_plain = on_plain

    def __call__(self, *args, **options):
        for x in args:
            if is_ours(x):
                return self._handler(*args, **options)
        for x in options.values():
            if is_ours(x):
                return self._handler(*args, **options)
        return self._on_plain(self._function, args, options)

    @property
    def __class__(self):
        return type(self._function)

    def __getattr__(self, name):
        return getattr(self._function, name)

    def __repr__(self):
        return repr(self._function)

    def __eq__(self, other):
        if type(other) is FunctionCall:
            return cython.cast(FunctionCall, other)._function is self._function
        return other is self._function

    def __hash__(self):
        return hash(self._function)


@cython.cfunc
def listed(args: tuple, count: cython.int, as_operand: object) -> tuple:
    """Arguments, tracked arrays where the first `count` are lists of tracked numbers."""
    for x in args[:count]:
        if holds_ours(x):
            return (*[as_operand(y) for y in args[:count]], *args[count:])
    return args


@cython.cfunc
def is_ours(x: object) -> cython.bint:
    """Whether an argument is, or holds, a tracked number or array."""
    return type(x) is Array or type(x) is Scalar or holds_ours(x)


@cython.cfunc
def holds_ours(x: object) -> cython.bint:
    """Whether a list or tuple holds tracked numbers, at any depth."""
    if type(x) in _NO_LISTS or not isinstance(x, (list, tuple, deque)):
        return False
    for y in x:
        if is_ours(y):
            return True
    return False
