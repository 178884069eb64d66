"""grad and value_and_grad, and how tracked numbers are read out: value, stop_gradient."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array, recording, scalar, sweeps, sweeps_recorded, trees
from tapead.bounded.gradient import Limits, bounded_gradient, bounds
from tapead.derived import RUNS, Derived, chosen, derive
from tapead.places import Place
from tapead.scalar import Scalar
from tapead.segments import from_outside
from tapead.tape import Tape, current


def grad(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    rerun: bool = True,
    holomorphic: bool = False,
    memory: int | str | None = None,
    spill: str | os.PathLike | None = None,
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
    memory : about how many bytes the tape may take in memory, a number, or text with kB, MB, GB,
        KiB, MiB or GiB.  What is more is run again from copies of the process, or is on disk where
        there is no ``os.fork``; the gradient is the same to the last bit
    spill : a folder: what is more is stored there, f runs once, and no copies are made

    After a call with `memory` or `spill`, the attribute ``report`` of the returned function says
    what it took.

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
    return derive("grad", f, argnums, has_aux, rerun, holomorphic, *bounds(memory, spill))


def value_and_grad(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    rerun: bool = True,
    holomorphic: bool = False,
    memory: int | str | None = None,
    spill: str | os.PathLike | None = None,
) -> Any:
    """As `grad`, but gives ``(value, gradient)``; with has_aux ``((value, aux), gradient)``.

    >>> import tapead
    >>> tapead.value_and_grad(lambda w: w["a"] * w["b"])({"a": 2.0, "b": 5.0})
    (10.0, {'a': 5.0, 'b': 2.0})
    """
    more = bounds(memory, spill)
    return derive("value_and_grad", f, argnums, has_aux, rerun, holomorphic, *more)


# ------------------------------------------------------------------------------ the engine ---


def _grad(g: Derived, args: tuple, kwargs: dict) -> Any:
    _, gradient, aux = differentiate(g, args, kwargs)
    return (gradient, aux) if g._has_aux else gradient


def _value_and_grad(g: Derived, args: tuple, kwargs: dict) -> Any:
    value, gradient, aux = differentiate(g, args, kwargs)
    return ((value, aux) if g._has_aux else value), gradient


RUNS["grad"] = _grad
RUNS["value_and_grad"] = _value_and_grad


def differentiate(g: Derived, args: tuple, kwargs: dict) -> tuple[Any, Any, Any]:
    """The function's value, its gradient and its auxiliary result, in one reverse sweep."""
    f = g.__wrapped__
    args, kwargs, tree = chosen(g, args, kwargs)
    leaves, spec = recording.inputs(tree)
    tape: Tape = current.tape
    limits = g._more[0] if g._more else None
    if limits is not None and tape.depth == 0:
        return _bounded(g, f, args, kwargs, leaves, spec, limits)

    def finish(lo: int, first_storage: int, begin: int, result: Any) -> tuple[Any, list, Any]:
        aux = None
        if g._has_aux:
            result, aux = recording.with_aux(result, f)
        row = recording.output_row(result, f, g._holomorphic)
        if tape.depth == 1:
            aux = recording.detach(aux) if g._has_aux else None
            tape.retire()
        return *_swept(tape, lo, first_storage, begin, row, result), aux

    try:
        value, adjoints, aux = recording.traced(
            tape, f, args, kwargs, g._positions, g._single, leaves, spec, finish,
            g._rerun, g._remembered,
        )  # fmt: skip
    finally:
        if tape.depth == 0:
            tape.clear()
    # Classes of the program may run code as they are made again: not before the tape is clear.
    return value, recording.rebuild(spec, adjoints), aux


def _bounded(
    g: Derived, f: Callable, args: tuple, kwargs: dict, leaves: list, spec: Any, limits: Limits
) -> tuple[Any, Any, Any]:
    """`differentiate` on a tape of its own, whose memory is bounded."""

    def finish(lo: int, first_storage: int, begin: int, result: Any) -> tuple[Any, Any, Any]:
        aux = None
        if g._has_aux:
            result, aux = recording.with_aux(result, f)
        row = recording.output_row(result, f, g._holomorphic)
        return array.plain_data(result), row, recording.detach(aux) if g._has_aux else None

    def run(tape: Tape) -> tuple[Any, Any, Any]:
        return recording.traced(
            tape, f, args, kwargs, g._positions, g._single, leaves, spec, finish,
            g._rerun, g._remembered,
        )  # fmt: skip

    (value, _, aux), adjoints, g.report = bounded_gradient(run, limits)
    return value, recording.rebuild(spec, adjoints), aux


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
    if tape.depth > 1 and output != -1 and from_outside(tape, lo, first_storage, begin, [output]):
        return result, sweeps_recorded.reverse(
            tape, lo, first_storage, begin, len(tape), [output], [_ones(output)]
        )
    if not arrays:
        return array.plain_data(result), sweeps.gradient(tape, lo, begin, output, tape.depth == 1)
    adjoints = sweeps.array_gradient(tape, lo, first_storage, begin, output, tape.depth == 1)
    return array.plain_data(result), adjoints


def _ones(output: Any) -> Any:
    """The adjoint that a result begins with."""
    return np.ones(output.shape, output.dtype) if type(output) is Place else 1.0


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
