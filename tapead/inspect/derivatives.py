"""Sweeps over a whole recorded tape: what `RecordedTape` says of derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapead import sweeps
from tapead.elementary import CODES, OPS
from tapead.places import Place
from tapead.sweeps_arrays import Buffers

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

_ARRAY, _STORE = CODES["array"], CODES["store"]


class Visited(NamedTuple):
    """How many rows and edges a reverse sweep visited."""

    rows: int
    edges: int


def adjoints(tape: RecordedTape, output: int) -> npt.NDArray[np.float64]:
    """`RecordedTape.adjoints`."""
    found, buffers = _swept(tape, output)
    if buffers is not None:
        found[_array_rows(tape)] = np.nan
    return found


def gradient(tape: RecordedTape, wrt: int | str, output: int) -> float | npt.NDArray[Any]:
    """`RecordedTape.gradient`."""
    row = tape._input_row(wrt)
    found, buffers = _swept(tape, output)
    code, record, _, _ = tape._tape.row(row)
    if OPS[code].name != "array":
        return float(found[row])
    return buffers.final(tape._tape.records[record].out)


def seeded(tape: RecordedTape, output: int) -> tuple[npt.NDArray[np.float64], Any]:
    """The adjoints of all rows, and those of arrays (None where the tape has none), with the 1
    that a sweep from one number of the result begins with."""
    target = tape._output_row(output)
    found, buffers = np.zeros(len(tape)), _buffers(tape)
    if isinstance(target, Place):
        if target.size != 1:
            raise ValueError(
                f"output {output} is an array of shape {target.shape}, and a reverse sweep is of "
                "one number: record a function that returns its sum, or one of its elements"
            )
        buffers.seed(target, np.ones(target.shape, target.dtype))
    elif target is not None:
        found[target] = 1.0
    return found, buffers


def _swept(tape: RecordedTape, output: int) -> tuple[npt.NDArray[np.float64], Any]:
    """The adjoints of all rows, and those of arrays, None where the tape has none."""
    found, buffers = seeded(tape, output)
    if tape._output_row(output) is None:
        tape.visited = Visited(0, 0)
    else:
        tape.visited = Visited(*sweeps.reverse(tape._tape, 0, found, buffers))
    return found, buffers


def tangents(tape: RecordedTape, wrt: int | str) -> npt.NDArray[np.float64]:
    """`RecordedTape.tangents`."""
    row = tape._input_row(wrt)
    if sweeps.input_places(tape._tape, row, row + 1) != [None]:
        raise TypeError(f"input {wrt!r} is an array; tangents are those along one number")
    found, buffers = np.zeros(len(tape)), _buffers(tape)
    found[row] = 1.0
    sweeps.forward(tape._tape, 0, len(tape), found, buffers)
    if buffers is not None:
        found[_array_rows(tape)] = np.nan
    return found


def _buffers(tape: RecordedTape) -> Buffers | None:
    """For adjoints and tangents of arrays; None where the tape has none."""
    return Buffers(tape._tape, 0, 0) if tape._tape.records or tape._tape.storages else None


def _array_rows(tape: RecordedTape) -> npt.NDArray[np.bool_]:
    """Which rows write into arrays, and have no one number."""
    codes, a, _, _ = tape._tape.rows(0, len(tape))
    found = codes == _STORE
    for row in np.flatnonzero(codes == _ARRAY).tolist():
        # The result of ``np.sum(v)``, or of ``np.sin(x)``, is a number.
        found[row] = type(tape._tape.records[a[row]].out) is not int
    return found
