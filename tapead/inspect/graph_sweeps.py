"""Derivatives that a graph shows: partials of edges, adjoints and tangents of nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tapead import partials, sweeps
from tapead.inspect.dataflow import ARRAY, COPIED, FIRST, STORE, Dataflow
from tapead.inspect.derivatives import seeded
from tapead.inspect.flow_norms import size_of
from tapead.places import Place, flat_memory, outs_of
from tapead.sweeps_arrays import Buffers

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape


def partials_of(recorded: RecordedTape, flow: Dataflow, edges: np.ndarray) -> np.ndarray:
    """The partial derivatives of some edges; nan where arrays are at an end of one."""
    kind = flow.kind[edges]
    found = np.where(kind == COPIED, 1.0, math.nan)
    numbers = np.flatnonzero(kind < COPIED)
    if not len(numbers):
        return found
    rows, which = np.unique(flow.target[edges[numbers]], return_inverse=True)
    a, b = (flow.columns.operands(column[rows]) for column in (flow.a, flow.b))
    columns = (flow.codes[rows], a, b, flow.values[rows])
    pairs = np.array(list(map(partials.first, *(c.tolist() for c in columns))))
    found[numbers] = np.where(kind[numbers] == FIRST, pairs[which, 0], pairs[which, 1])
    return found


def of_arrays(recorded: RecordedTape, flow: Dataflow) -> np.ndarray:
    """For each row whether it is an operation whose result is an array."""
    mask = flow.codes == ARRAY
    for row in np.flatnonzero(mask).tolist():
        mask[row] = len(_places(recorded, flow, row)) > 0
    return mask


def _places(recorded: RecordedTape, flow: Dataflow, row: int) -> list[Place]:
    """Where the arrays lie that a row has made or written."""
    outs = outs_of(recorded._tape.records[flow.a[row]])
    return [out for out in outs if type(out) is Place]


def adjoints(recorded: RecordedTape, flow: Dataflow, output: int) -> np.ndarray:
    """d output / d each row; of arrays its 2-norm.

    The adjoint of an array, and of an element that a number is written into, is complete when the
    sweep comes to the row that made it, and is used up there.
    """
    tape = recorded._tape
    if not tape.records and not tape.storages:
        return recorded.adjoints(output)
    found, buffers = seeded(recorded, output)
    looked, hi = {}, len(tape)
    stops = of_arrays(recorded, flow) | (flow.codes == STORE)
    for row in np.flatnonzero(stops)[::-1].tolist():
        sweeps.reverse_part(tape, 0, row + 1, hi, found, buffers)
        hi = row + 1
        if flow.codes[row] == STORE:
            buffer = buffers.get(int(flow.b[row]))
            at = int(flow.values[row])
            looked[row] = 0.0 if buffer is None else float(flat_memory(buffer)[at])
        else:
            places = _places(recorded, flow, row)
            looked[row] = math.hypot(*(size_of(buffers.view(p))[0] for p in places))
    sweeps.reverse_part(tape, 0, 0, hi, found, buffers)
    return _with(found, looked)


def tangents(recorded: RecordedTape, flow: Dataflow, wrt: int | str) -> np.ndarray:
    """d each row / d input, a number; of arrays its 2-norm, looked at when they have been made."""
    tape = recorded._tape
    if not tape.records and not tape.storages:
        return recorded.tangents(wrt)
    row = recorded._input_row(wrt)
    if sweeps.input_places(tape, row, row + 1) != [None]:
        raise TypeError(
            f"input {wrt!r} is an array, and tangents are those along one number: ask for another "
            'input, or for sweep="reverse"'
        )
    found, buffers = np.zeros(len(tape)), Buffers(tape, 0, 0)
    found[row] = 1.0
    looked, lo = {}, 0
    for r in np.flatnonzero(of_arrays(recorded, flow)).tolist():
        sweeps.forward(tape, lo, r + 1, found[: r + 1], buffers)
        lo = r + 1
        looked[r] = math.hypot(*(size_of(buffers.view(p))[0] for p in _places(recorded, flow, r)))
    sweeps.forward(tape, lo, len(tape), found, buffers)
    stores = np.flatnonzero(flow.codes == STORE)
    found[stores] = np.where(flow.a[stores] >= 0, found[flow.a[stores]], 0.0)
    return _with(found, looked)


def _with(found: np.ndarray, looked: dict[int, float]) -> np.ndarray:
    found[list(looked)] = list(looked.values())
    return found
