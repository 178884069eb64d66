"""Norms of adjoints, values and local Jacobians of every row, from one reverse sweep.

A number's adjoint stays in the sweep's array.  The adjoint of an array is complete when the sweep
comes to the operation that made the array, and is used up there: so the sweep is taken in parts,
which stop before each such row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tapead import partials, sweeps
from tapead.array import plain_of
from tapead.elementary import CODES, OPS
from tapead.inspect.derivatives import seeded
from tapead.places import Place, Record, flat_memory, outs_of, root_of
from tapead.sweeps_arrays import Buffers

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

_ARRAY, _ELEMENT, _STORE = (CODES[name] for name in ("array", "element", "store"))
_MUL = CODES["mul"]
_SUMS = (CODES["add"], CODES["sub"], CODES["exact_add"])
_ARITY = np.array([op.arity for op in OPS])
_BLOCK = 2**18


class Norms(NamedTuple):
    """Arrays with an element a row.

    Attributes
    ----------
    adjoint, largest : 2-norm of the row's adjoint, and its largest absolute element
    value : 2-norm of the row's value; nan where the tape does not keep it
    jacobian : norm of the row's local Jacobian along its adjoint g, ``|J' g| / |g|``: for a number
        the norm of its partials.  nan where g is 0, and for inputs and writes.
    """

    adjoint: np.ndarray
    largest: np.ndarray
    value: np.ndarray
    jacobian: np.ndarray


def norms(tape: RecordedTape, output: int) -> Norms:
    """The norms of all rows, for the derivative of one number of the result."""
    codes, a, b, values = tape._tape.rows(0, len(tape))
    arrays = bool(tape._tape.records or tape._tape.storages)
    with np.errstate(all="ignore"):
        found: dict[int, tuple[float, float, float]] = {}
        if arrays:
            adjoint, found = _swept_in_parts(tape, output, codes, a, b)
        else:
            adjoint = tape.adjoints(output)
        adjoint = np.abs(adjoint)
        jacobian = _partials(tape, codes, a, b, values, adjoint)
        value = np.abs(values)
        if arrays:
            _array_values(tape, codes, a, value)
    largest = adjoint.copy() if found else adjoint
    for row, (norm, most, gain) in found.items():
        adjoint[row], largest[row], jacobian[row] = norm, most, gain
    return Norms(adjoint, largest, value, jacobian)


def size_of(x: Any) -> tuple[float, float]:
    """The 2-norm and the largest absolute element of an array, without overflow on the way."""
    if x is None or not np.size(x):
        return 0.0, 0.0
    elements = np.abs(x)
    most = float(np.max(elements))
    if most == 0.0 or not math.isfinite(most):
        return most, most
    return most * float(np.sqrt(np.sum((elements / most) ** 2))), most


# ------------------------------------------------------------------------------- numbers ---


def _partials(
    tape: RecordedTape,
    codes: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    values: np.ndarray,
    adjoint: np.ndarray,
) -> np.ndarray:
    """The norm of the partials of each row of a number that has an adjoint."""
    constants = map(tape._tape.operand_value, range(-1, -1 - tape._tape.n_const, -1))
    # So that a constant's operand, which is negative, counts from the end.
    operands = np.concatenate([values, np.fromiter(constants, float, tape._tape.n_const)[::-1]])
    norm = np.full(len(codes), math.nan)
    for lo in range(0, len(codes), _BLOCK):
        code, i, j = (column[lo : lo + _BLOCK] for column in (codes, a, b))
        arity, used = _ARITY[code], adjoint[lo : lo + _BLOCK] != 0.0
        edges = (arity >= 1) & (i >= 0) & used, (arity == 2) & (j >= 0) & used
        p, q = np.zeros(len(code)), np.zeros(len(code))
        products = code == _MUL
        p[products], q[products] = operands[j[products]], operands[i[products]]
        sums = np.isin(code, _SUMS)
        p[sums] = q[sums] = 1.0
        rest = np.flatnonzero((edges[0] | edges[1]) & ~products & ~sums)
        if len(rest):
            of = (code, operands[i], operands[j], values[lo : lo + _BLOCK])
            pairs = map(partials.first, *(column[rest].tolist() for column in of))
            p[rest], q[rest] = np.array(list(pairs)).T
        both = np.hypot(np.where(edges[0], p, 0.0), np.where(edges[1], q, 0.0))
        both[used & (code == _ELEMENT)] = 1.0
        norm[lo : lo + _BLOCK] = np.where(edges[0] | edges[1] | (both == 1.0), both, math.nan)
    return norm


# -------------------------------------------------------------------------------- arrays ---


def _swept_in_parts(
    tape: RecordedTape, output: int, codes: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, dict[int, tuple[float, float, float]]]:
    """The adjoints of numbers, and for each array row the norms of its adjoint and its Jacobian."""
    adjoint, buffers = seeded(tape, output)
    found: dict[int, tuple[float, float, float]] = {}
    if tape._output_row(output) is None:
        return adjoint, found
    hi = len(tape)
    for row in np.flatnonzero((codes == _ARRAY) | (codes == _STORE))[::-1].tolist():
        _part(tape, row + 1, hi, adjoint, buffers)
        hi = row
        if codes[row] == _STORE:
            buffer = buffers.get(int(b[row]))
            offset = int(tape._tape.row(row)[3])
            g = 0.0 if buffer is None else abs(float(flat_memory(buffer)[offset]))
            found[row] = g, g, math.nan
            _part(tape, row, row + 1, adjoint, buffers)
        else:
            record = tape._tape.records[a[row]]
            found[row] = _array_row(tape, row, record, adjoint, buffers)
    _part(tape, 0, hi, adjoint, buffers)
    return adjoint, found


def _part(tape: RecordedTape, begin: int, hi: int, adjoint: np.ndarray, buffers: Buffers) -> None:
    """A part of the sweep."""
    if hi <= begin:
        return
    walk = getattr(sweeps, "walk_back", None)
    if walk is None:
        sweeps.reverse_part(tape._tape, 0, begin, hi, adjoint, buffers)
    else:  # interpreted, where reverse_part copies the adjoints of the whole tape
        walk(tape._tape, 0, begin, hi, adjoint, buffers, False)


def _array_row(
    tape: RecordedTape, row: int, record: Record, adjoint: np.ndarray, buffers: Buffers
) -> tuple[float, float, float]:
    """Sweep over an operation on arrays; the norms of its adjoint and of its Jacobian along it."""
    outs = [out for out in outs_of(record) if out is not None]  # a whole number has no adjoint
    sizes = [
        size_of(buffers.view(out)) if type(out) is Place else size_of(adjoint[out]) for out in outs
    ]
    norm, most = math.hypot(*(n for n, _ in sizes)), max((m for _, m in sizes), default=0.0)
    written = {root_of(out).number for out in outs if type(out) is Place}
    ins = [k for k in record.ins if k is not None]
    storages = {root_of(k).number for k in ins if type(k) is Place}
    rows = {k for k in ins if type(k) is not Place}
    if norm == 0.0 or not ins or storages & written or _writes(record):
        _part(tape, row, row + 1, adjoint, buffers)
        return norm, most, math.nan
    # What the operation hands on is seen by itself, and then added to what was there.
    there = {number: buffers.take(number) for number in storages}
    numbers = {k: adjoint[k] for k in rows}
    adjoint[list(rows)] = 0.0
    _part(tape, row, row + 1, adjoint, buffers)
    given = [size_of(buffers.get(number))[0] for number in storages]
    given += [abs(float(adjoint[k])) for k in rows]
    for number, before in there.items():
        if before is not None:
            new = buffers.get(number)
            if new is not None:
                before += new
            buffers.put(number, before)
    for k, before in numbers.items():
        adjoint[k] += before
    return norm, most, math.hypot(*given) / norm


def _writes(record: Record) -> bool:
    """Whether an operation writes into an array that was there: its result is a part of that."""
    return type(record.out) is Place and record.out.number < 0


def _outs(tape: RecordedTape, codes: np.ndarray, a: np.ndarray) -> Iterator[tuple[int, Record]]:
    for row in np.flatnonzero(codes == _ARRAY).tolist():
        yield row, tape._tape.records[a[row]]


def _array_values(tape: RecordedTape, codes: np.ndarray, a: np.ndarray, value: np.ndarray) -> None:
    """The norms of arrays, into `value`: of those that some operation keeps for its derivative."""
    kept: dict[int, Any] = {}
    for _, record in _outs(tape, codes, a):
        for place, x in zip(record.ins, record.kept, strict=False):
            whole = type(place) is Place and place.root is None and place.written < 0
            if whole and isinstance(plain_of(x), np.ndarray):
                kept[place.number] = plain_of(x)
    stores = codes == _STORE
    value[stores] = np.where(a[stores] >= 0, value[a[stores]], math.nan)
    for row, record in _outs(tape, codes, a):
        out = record.out
        if type(out) is not Place:
            value[row] = abs(value[row]) if type(out) is int else math.nan
            continue
        x = plain_of(record.kept[-1]) if record.kept else None
        if not isinstance(x, np.ndarray) and out.root is None and out.written < 0:
            x = kept.get(out.number)
        value[row] = size_of(x)[0] if isinstance(x, np.ndarray) else math.nan
