"""A stretch of the tape: rows that are swept by themselves, and the adjoints that it hands on.

Rows have the same numbers in every process and on disk.  What a stretch needs of the rows before
it, it has as values of its own (see `Tape.operand_for`).  Its sweep does what the sweep of the
whole tape does to these rows, in the same order, so the adjoints are the same to the last bit.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np

from tapead import sweeps
from tapead.places import Place, Record, flat_memory, outs_of, root_of, view_at, zeros_at
from tapead.sweeps_arrays import Buffers
from tapead.tape import BYTES_PER_CONSTANT, BYTES_PER_ROW, NEVER, ROWS_PER_CHUNK, Tape, memory

# A row, and its adjoint during the sweep.
BYTES_SWEPT = BYTES_PER_ROW + 8
# A value of a dropped row, its row, and its places in a table of twice to four times the size.
_BYTES_OUTSIDE = 32
# Elements of an array that its digest looks at.
_LOOKED_AT = 256


class Pending(NamedTuple):
    """Adjoints of what is from before: of rows, by number, and of storages, by number, flat."""

    rows: np.ndarray
    values: np.ndarray
    arrays: dict[int, np.ndarray]


def seeds(output: Any) -> Pending:
    """The adjoint that the result begins with: a row's, a place's; none for a constant."""
    rows, arrays = np.zeros(0, np.int64), {}
    if type(output) is Place:
        root = root_of(output)
        buffer = zeros_at(root)
        view_at(buffer, output)[...] = 1.0
        arrays[root.number] = flat_memory(buffer).copy()
    elif output is not None:
        rows = np.array([output], np.int64)
    return Pending(rows, np.ones(len(rows)), arrays)


def size(tape: Tape, arrays: int) -> int:
    """Bytes of the rows that are held, of what they need, and of `arrays` that records keep."""
    rows = BYTES_SWEPT * (len(tape) - tape.floor)
    return rows + BYTES_PER_CONSTANT * tape.n_const + _BYTES_OUTSIDE * tape.outside.count + arrays


def array_bytes(record: Record, seen: set[int]) -> int:
    """Bytes that a record keeps alive, and those of its result's adjoint; what was seen is free."""
    total = 200  # of the record and its places
    for x in outs_of(record):
        if type(x) is Place:
            total += x.size * x.dtype.itemsize
    for x in record.kept:
        if type(x) is np.ndarray and id(x) not in seen:
            seen.add(id(x))
            total += x.nbytes
    return total


def look_later(tape: Tape) -> None:
    """Let a busy tape be looked at again as soon as it may be free."""
    if tape.depth > 1:
        tape.stop = NEVER  # the end of the recording inside asks for a look
    else:
        tape.stop = len(tape) + (ROWS_PER_CHUNK if tape.keeps_segments else 1)


def array_digest(record: Record) -> int:
    """As `Tape.digest`, for what a record keeps: of large arrays some elements."""
    total = 0
    for x in record.kept:
        if type(x) is np.ndarray and x.dtype.kind in "fc" and x.size:
            part = x if x.size <= _LOOKED_AT else x.ravel("K")[:: x.size // _LOOKED_AT]
            total += zlib.crc32(part.tobytes())
    return total


def swept(tape: Tape, pending: Pending) -> Pending:
    """The reverse sweep over all rows that are held; the adjoints of what is from before."""
    floor, hi = tape.floor, len(tape)
    _take_in_records(tape)
    outside = tape.outside.rows()
    lo = floor - len(outside)
    adjoint = memory(8 * (hi - lo)).view(np.float64)
    adjoint.fill(0.0)
    # The k-th dropped row stands at floor - 1 - k.
    places = len(outside) - 1 - np.arange(len(outside))
    inside = pending.rows >= floor
    adjoint[pending.rows[inside] - lo] = pending.values[inside]
    rows, values = pending.rows[~inside], pending.values[~inside]
    order = np.argsort(outside, kind="stable")
    at = np.searchsorted(outside[order], rows)
    known = np.zeros(len(rows), bool)
    within = at < len(outside)
    known[within] = outside[order[at[within]]] == rows[within]
    adjoint[places[order[at[known]]]] = values[known]
    buffers = Buffers(tape, -1, tape.base) if tape.storage_count or tape.records else None
    arrays = {}
    for number, flat in pending.arrays.items():
        if number < tape.base and number not in tape.outer_storages:
            arrays[number] = flat
            continue
        buffer = zeros_at(tape.storage(number))
        flat_memory(buffer)[...] = flat
        buffers.put(number, buffer)
    sweeps.reverse_part(tape, lo, floor, hi, adjoint, buffers)
    if buffers is not None:
        for number, buffer in buffers.outer.items():
            if buffer is not None:
                arrays[number] = flat_memory(buffer).copy()
    found = adjoint[places]
    some = found.view(np.int64) != 0  # of zeros, -0.0 is one that counts
    return Pending(
        np.concatenate([rows[~known], outside[some]]),
        np.concatenate([values[~known], found[some]]),
        arrays,
    )


def _take_in_records(tape: Tape) -> None:
    """Let records name dropped rows, and storages, as the sweep finds them."""
    floor, base = tape.floor, tape.base
    for record in tape.records:
        for x in (*record.ins, *outs_of(record)):
            if type(x) is Place:
                root = root_of(x)
                if 0 <= root.number < base:
                    tape.outer_storages[root.number] = root
        if any(type(x) is int and 0 <= x < floor for x in record.ins):
            ins = [tape.row_for(x) if type(x) is int and 0 <= x < floor else x for x in record.ins]
            record.take_in(tuple(ins))
