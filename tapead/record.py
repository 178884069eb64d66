"""record: the tape of one run of a function, kept to be looked at and swept."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from tapead import intercept, recording, scalar, trees
from tapead.inspect.arguments import input_positions
from tapead.inspect.recorded import RecordedTape
from tapead.segments import keep_values, row_or_place
from tapead.tape import Tape, current


def record(
    f: Callable,
    *args: Any,
    argnums: int | tuple[int, ...] | None = None,
    lines: bool = True,
    rerun: bool = True,
    stacks: bool = False,
    decisions: bool = False,
    values: bool = False,
    **kwargs: Any,
) -> RecordedTape:
    """Run ``f(*args, **kwargs)`` once and keep its tape.

    Parameters
    ----------
    argnums : the positions of the arguments that are inputs; unless it is given, of those in which
        there are floats, complex numbers or arrays of these, and all if there are none
    lines : keep the user's source line of every row (4 bytes a row)
    rerun : as for `grad`
    stacks : with `lines`, keep also which functions had called the one that wrote a row
    decisions : keep what tracked values decided, for `branches`
    values : let records of array operations keep the values of all operands and results

    Raises
    ------
    TypeError
        for f that cannot be called, and for an input that is no real number
    ValueError
        for `argnums` that name an argument which is not given
    RuntimeError
        inside a recording, whose numbers another tape could not follow

    Examples
    --------
    >>> import tapead
    >>> tape = tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0)
    >>> tape.value, len(tape), tape.operations
    (6.0, 5, ['input', 'input', 'add', 'add', 'mul'])
    >>> tape.adjoints()
    array([2., 5., 2., 3., 1.])
    >>> tape.tangents(wrt="b")
    array([0., 1., 1., 1., 5.])
    """
    if not callable(f):
        raise TypeError(
            f"record() was given {recording.describe(f)}, which cannot be called; "
            "give a function and its arguments: record(f, 1.0, 2.0)"
        )
    if current.tape.depth:
        raise RuntimeError("record() was called inside a recording; call it outside of grad")
    positions = input_positions(args, argnums)
    names = _names(f, len(args))
    parts = {p: recording.inputs(args[p]) for p in positions}
    tape = Tape(lines, stacks)
    bottom = sys._getframe()
    inputs: dict[str, int] = {}

    def body(lo: int) -> tuple[tuple[int | None, ...], Any]:
        tape.decisions = [] if decisions else None
        tape.keeps_values = values or decisions
        if lines:
            tape.sources.begin(bottom)
        call = list(args)
        inputs.clear()
        for p, (leaves, spec) in parts.items():
            lifted = recording.lift(leaves, spec, functools.partial(str.__add__, names[p]))
            steps = recording.paths(spec, len(leaves))
            first = len(tape) - len(lifted)
            inputs.update((names[p] + s, first + k) for k, s in enumerate(steps))
            call[p] = recording.rebuild(spec, lifted)
        result = intercept.aware_of(f)(*call, **kwargs)
        if tape.pending is not None:
            raise tape.pending
        leaves, _ = trees.flatten(result)
        return tuple(map(row_or_place, leaves)), recording.detach(result)

    args, kwargs = intercept.aware_arguments(args, kwargs)
    outer = current.tape
    current.tape = tape
    try:
        outputs, value = recording.recorded(tape, f, args, body, rerun, intercept.Remembered())
        keep_values(tape)
    finally:
        current.tape = outer
        scalar.activate(outer)
    return RecordedTape(tape, inputs, outputs, value)


def _names(f: Callable, count: int) -> list[str]:
    """The names of f's first arguments, ``arg0``, ``arg1``, ... where they have none."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][:count]
    return names + [f"arg{k}" for k in range(len(names), count)]
