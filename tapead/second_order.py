"""Derivatives of second order over one recorded run: Hessians, and their products with vectors.

Where a program is numbers and elements of arrays, a sweep forward with tangents and one backward
with adjoints and their tangents give them (`lanes`).  Any other has its reverse sweep recorded
behind its own rows, and tangents are swept forward over both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import forms, lanes, recording, sweeps_recorded
from tapead.forms import Form
from tapead.places import Place
from tapead.segments import Segment, row_or_place
from tapead.traces import Traced


def one_number(holomorphic: bool) -> Callable:
    """A check that a result is one real number, or a complex one of a holomorphic function."""

    def check(result: Any, f: Callable, ins: Sequence[Form], outs: Sequence[Form]) -> None:
        recording.output_row(result, f, holomorphic)
        if holomorphic and any(x.dtype.kind != "c" for x in ins):
            raise TypeError(
                f"{recording.function_name(f)} has holomorphic=True: complex arguments were "
                "expected, real ones were given"
            )

    return check


def prepared(segment: Segment) -> Any:
    """What second derivatives are swept over: a layout for lanes, or a segment for each number of
    the result, whose outputs are the adjoints of the inputs."""
    s = segment
    made = lanes.layout(s.tape, s.lo, s.first_storage, s.hi)
    if made is not None:
        return made
    gradients = []
    for output in s.outputs:
        if output is None:
            gradients.append(None)
            continue
        for seed in _seeds(output):
            adjoints = sweeps_recorded.reverse(
                s.tape, s.lo, s.first_storage, s.begin, s.hi, [output], [seed]
            )
            gradients.append([row_or_place(x) for x in adjoints])
    return [None if rows is None else _closed(s, rows) for rows in gradients]


def _closed(s: Segment, outputs: Sequence) -> Segment:
    """The segment with its recorded sweep, to be swept when the recording has ended."""
    made = Segment(s.tape, s.lo, s.first_storage, s.begin, outputs)
    made.epoch = 0
    return made


def _seeds(output: Any) -> Sequence:
    """An adjoint for each number of an output, 1 there and 0 elsewhere."""
    if type(output) is not Place:
        return [1.0]
    units = np.eye(output.size, dtype=output.dtype)
    return [units[k].reshape(output.shape) for k in range(output.size)]


def times(made: Traced, directions: list) -> list:
    """The Hessian of the one number that a function gave times a direction, for each input."""
    (output,) = made.segment.outputs
    if output is None:
        return [None] * len(made.ins)
    if not isinstance(made.more, lanes.Layout):
        (gradient,) = made.more
        return gradient.push(directions)
    s = made.segment
    ins = input_slots(made)
    (out,) = made.more.slots(output)
    if out < 0:
        return [None] * len(made.ins)
    column = forms.joined(made.ins, directions)[:, None]
    return forms.split(lanes.hessian_times(made.more, s.begin, ins, out, column)[:, 0], made.ins)


def input_slots(made: Traced) -> np.ndarray:
    """The slots of all numbers of the inputs, one after the other."""
    if forms.are_numbers(made.ins):
        return np.arange(made.segment.begin - made.segment.lo)
    inputs = made.segment.inputs()
    return np.concatenate([made.more.slots(at) for at in inputs])
