"""grad and value_and_grad, and how tracked numbers are read out: value, stop_gradient."""

from __future__ import annotations

import functools
import inspect
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array, intercept, recording, scalar, sweeps, sweeps_recorded, trees
from tapead.places import Place
from tapead.scalar import Scalar
from tapead.tape import Tape, current


class GradientFunction:
    """What `grad` and `value_and_grad` give: a picklable callable that passes for the function.

    It keeps the wrapped function's name, docstring and signature, and works as a method.
    """

    def __init__(
        self,
        f: Callable,
        argnums: int | tuple[int, ...],
        has_aux: bool,
        with_value: bool,
        rerun: bool,
        holomorphic: bool,
    ) -> None:
        if not callable(f):
            raise TypeError(f"a function was expected, {type(f).__name__} given: {f!r}")
        self.__wrapped__ = f
        self.__module__ = getattr(f, "__module__", None)
        self.__doc__ = f.__doc__
        self._argnums = argnums
        self._positions = (argnums,) if type(argnums) is int else _positions(argnums)
        self._single = not isinstance(argnums, tuple)
        self._has_aux = has_aux
        self._with_value = with_value
        self._rerun = rerun
        self._holomorphic = holomorphic
        self._remembered = None

    def __getattr__(self, name: str) -> Any:
        if name in ("__name__", "__qualname__"):
            return getattr(self.__wrapped__, name, type(self.__wrapped__).__name__)
        if name in ("__annotations__", "__type_params__"):
            return getattr(self.__wrapped__, name)
        raise AttributeError(f"{self!r} has no attribute {name!r}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value, gradient, aux = differentiate(self, args, kwargs)
        if self._with_value:
            return ((value, aux) if self._has_aux else value), gradient
        return (gradient, aux) if self._has_aux else gradient

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        kind = "value_and_grad" if self._with_value else "grad"
        return f"<tapead.{kind} of {self.__qualname__}>"

    def __reduce__(self) -> Any:
        # A decorated function is found under its own name; any other is made again.
        place: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            place = getattr(place, part, None)
        if place is self:
            return self.__qualname__
        options = (self._has_aux, self._with_value, self._rerun, self._holomorphic)
        return GradientFunction, (self.__wrapped__, self._argnums, *options)


def _positions(argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    given = argnums if isinstance(argnums, tuple) else (argnums,)
    if not given or any(isinstance(k, (bool, np.bool_)) for k in given):
        raise TypeError(f"argnums is {argnums!r}; an int or a tuple of ints was expected")
    try:
        positions = tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"argnums is {argnums!r}; an int or a tuple of ints was expected") from None
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums={argnums!r} names an argument twice")
    return positions


def grad(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    rerun: bool = True,
    holomorphic: bool = False,
) -> Any:
    """The gradient of a function that returns one real number.

    Parameters
    ----------
    f : the function; left out, ``grad(argnums=..., ...)`` is a decorator
    argnums : position, or tuple of positions, of the arguments to differentiate by; each a number,
        an array of float or complex, or any nesting of lists, tuples, dicts, namedtuples and
        dataclasses of these
    has_aux : f returns ``(value, anything)``; the gradient comes as ``(gradient, anything)``
    rerun : where a number would lose its derivative in a module that was not foreseen, run f once
        more with ``math`` and ``float`` tape-aware there too.  That happens at most once for each
        module and function; a function with side effects has them twice that one time.
    holomorphic : f's arguments are complex, and its result is a holomorphic function of them; the
        gradient is then its complex derivative

    Returns
    -------
    A function of f's arguments.  Its result has the structure of the argument (for a tuple of
    positions: a tuple), with floats in the place of the numbers and arrays of the same shape and
    dtype in the place of arrays.  For a complex argument ``x + 1j * y`` of a real function it is
    ``df/dx - 1j * df/dy``, as in JAX and HIPS autograd.

    Raises
    ------
    TypeError
        for an argument that is no number or array of numbers, or a result that is no real number
    DetachedError
        where a derivative would be lost

    Examples
    --------
    >>> import tapead
    >>> tapead.grad(lambda x: x * x * x)(2.0)
    12.0
    >>> @tapead.grad(argnums=(0, 1))
    ... def area(width, height):
    ...     return width * height
    >>> area(2.0, 3.0)
    (3.0, 2.0)
    >>> import numpy as np
    >>> tapead.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> complex(np.round(tapead.grad(np.abs)(3 + 4j), 12))
    (0.6-0.8j)
    """
    if f is not None:
        return GradientFunction(f, argnums, has_aux, False, rerun, holomorphic)
    return _decorator(argnums, has_aux, False, rerun, holomorphic)


def value_and_grad(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    rerun: bool = True,
    holomorphic: bool = False,
) -> Any:
    """As `grad`, but gives ``(value, gradient)``; with has_aux ``((value, aux), gradient)``.

    >>> import tapead
    >>> tapead.value_and_grad(lambda w: w["a"] * w["b"])({"a": 2.0, "b": 5.0})
    (10.0, {'a': 5.0, 'b': 2.0})
    """
    if f is not None:
        return GradientFunction(f, argnums, has_aux, True, rerun, holomorphic)
    return _decorator(argnums, has_aux, True, rerun, holomorphic)


def _decorator(
    argnums: int | tuple[int, ...],
    has_aux: bool,
    with_value: bool,
    rerun: bool,
    holomorphic: bool,
) -> Callable[[Callable], GradientFunction]:
    _positions(argnums)  # an error belongs to the line of the decorator
    return lambda f: GradientFunction(f, argnums, has_aux, with_value, rerun, holomorphic)


# ------------------------------------------------------------------------------ the engine ---


def differentiate(g: GradientFunction, args: tuple, kwargs: dict) -> tuple[Any, Any, Any]:
    """The function's value, its gradient and its auxiliary result, in one reverse sweep."""
    f, positions = g.__wrapped__, g._positions
    for p in positions:
        if not -len(args) <= p < len(args):
            args, kwargs = _bound(f, positions, args, kwargs)
            break
    single = g._single
    if len(positions) > 1 and len({p % len(args) for p in positions}) < len(positions):
        raise ValueError(f"argnums={g._argnums!r} names one of {len(args)} arguments twice")
    tree = args[positions[0]] if single else tuple([args[p] for p in positions])
    leaves, spec = recording.inputs(tree)
    tape: Tape = current.tape
    run = f if type(f) is types.FunctionType else intercept.aware_of(f)
    if kwargs or len(args) > len(positions):
        args, kwargs = intercept.aware_arguments(args, kwargs)

    where = functools.partial(_where, positions, single)

    def body(lo: int) -> tuple[Any, list, Any]:
        first_storage = len(tape.storages)
        lifted = recording.lift(leaves, spec, where)
        begin = len(tape)
        call = args if len(args) == 1 else map(intercept.wrapped_argument, args)
        call = list(call)
        inputs = recording.rebuild(spec, lifted)
        if single:
            call[positions[0]] = inputs
        else:
            for p, x in zip(positions, inputs, strict=True):
                call[p] = x
        result = run(*call, **kwargs)
        if tape.pending is not None:
            raise tape.pending  # the program swallowed it: its result is not to be trusted
        aux = None
        if g._has_aux:
            result, aux = _with_aux(result, f)
        row = recording.output_row(result, f, g._holomorphic)
        if tape.depth == 1:
            aux = recording.detach(aux) if g._has_aux else None
            tape.retire()
        return *_swept(tape, lo, first_storage, begin, row, result), aux

    if g._remembered is None:
        g._remembered = intercept.Remembered()
    try:
        value, adjoints, aux = recording.recorded(tape, f, args, body, g._rerun, g._remembered)
    finally:
        if tape.depth == 0:
            tape.clear()
    # Classes of the program may run code as they are made again: not before the tape is clear.
    return value, recording.rebuild(spec, adjoints), aux


def _where(positions: tuple[int, ...], single: bool, step: str) -> str:
    """The name of a leaf in messages: ``argument 2['w'][0]``."""
    if single:
        return f"argument {positions[0]}{step}"
    which, _, rest = step[1:].partition("]")
    return f"argument {positions[int(which)]}{rest}"


def _swept(
    tape: Tape, lo: int, first_storage: int, begin: int, output: Any, result: Any
) -> tuple[Any, list]:
    """The value, and the adjoints of the inputs, which are the rows lo <= r < begin.

    `output` is the result's row, or its place.  Inside another recording the sweep is recorded,
    unless nothing that it could tell apart from a constant comes from outside.
    """
    arrays = bool(tape.storages or tape.records)
    if output is None or (type(output) is int and output < lo):
        if not arrays:
            return array.plain_data(result), [0.0] * (begin - lo)
        output = -1
    if tape.depth > 1 and output != -1 and _from_outside(tape, lo, first_storage, begin, output):
        return result, sweeps_recorded.reverse(tape, lo, first_storage, begin, output)
    if not arrays:
        return array.plain_data(result), sweeps.gradient(tape, lo, begin, output, tape.depth == 1)
    adjoints = sweeps.array_gradient(tape, lo, first_storage, begin, output, tape.depth == 1)
    return array.plain_data(result), adjoints


def _from_outside(tape: Tape, lo: int, first_storage: int, begin: int, output: Any) -> bool:
    """Whether a result depends on what is from before the segment."""
    marks = sweeps.dependence(tape, lo, len(tape), begin, first_storage)
    if type(output) is Place or tape.storages or tape.records:
        return bool((marks & sweeps_recorded.OUTER).any())
    return bool(marks[output - lo] & sweeps_recorded.OUTER)


def _with_aux(result: Any, f: Callable) -> tuple[Any, Any]:
    if isinstance(result, tuple) and len(result) == 2:
        return result
    raise TypeError(
        f"{recording.function_name(f)} has has_aux=True and returned {type(result).__name__}; "
        "a pair (value, aux) was expected"
    )


def _bound(f: Callable, positions: tuple[int, ...], args: tuple, kwargs: dict) -> tuple:
    """Arguments with those given by keyword put at their positions, or an error naming them."""
    try:
        bound = inspect.signature(f).bind(*args, **kwargs)
    except (TypeError, ValueError):
        bound = None
    if bound is not None and all(-len(bound.args) <= p < len(bound.args) for p in positions):
        return bound.args, bound.kwargs
    raise ValueError(
        f"argnums names argument {max(positions)}, but {recording.function_name(f)} was called "
        f"with {len(args)} positional argument{'s' * (len(args) != 1)}"
    )


# ------------------------------------------------------------------ reading numbers out ---


def value(x: Any) -> Any:
    """The plain numbers of a tree of tracked ones: a deliberate way out of the recording.

    >>> import tapead
    >>> tapead.grad(lambda x: x * tapead.value(x))(3.0)
    3.0
    """
    return recording.detach(x)


def stop_gradient(x: Any) -> Any:
    """A tree of the same numbers, whose derivative is zero in every recording that runs.

    >>> import tapead
    >>> tapead.grad(lambda x: x * tapead.stop_gradient(x))(3.0)
    3.0
    """
    return trees.map_leaves(_stopped, x)


def _stopped(leaf: Any) -> Any:
    if type(leaf) is Scalar:
        return scalar.stop(leaf)
    return array.begun(leaf, array.STOP) if array.is_active(leaf) else leaf
