"""The first operation of the reverse sweep that gives an adjoint which is not finite.

The sweep stops before and after each operation on arrays, to look at the adjoints that this has
added to.  What numbers add is seen afterwards: the adjoint of every row is there, and so are its
partials.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapead import partials, sweeps
from tapead.array import plain_of
from tapead.elementary import CODES, OPS
from tapead.inspect.columns import operand_values
from tapead.inspect.nonfinite_rows import (
    Blame,
    bad_index,
    element,
    kept_values,
    number_blame,
    own_index,
    record_blame,
)
from tapead.inspect.recorded import RecordedTape
from tapead.places import Place, Record, Row, root_of
from tapead.sweeps_arrays import Buffers
from tapead.tape import Tape

_ARRAY, _MUL = CODES["array"], CODES["mul"]
# Their partials are 1 and -1: what they add to an adjoint is finite if their own is.
_SIGNS = [CODES[name] for name in ("copy", "add", "sub", "neg", "exact_add")]
_ARITY = np.array([op.arity for op in OPS])


def first_adjoint(recorded: RecordedTape) -> Blame | None:
    """The first operation that gives an adjoint which is not finite; None if there is none.

    The seeds are 1 for every number of the result.
    """
    tape = recorded._tape
    adjoint, buffers = _seeded(recorded)
    codes = tape.rows(0, len(tape))[0]
    hi, blame = len(tape), None
    for row in np.flatnonzero(codes == _ARRAY)[::-1].tolist():
        sweeps.reverse_part(tape, 0, row + 1, hi, adjoint, buffers)
        hi = row + 1
        record = tape.records[tape.row(row)[1]]
        own = adjoint[row]
        if not math.isfinite(own):
            break
        sweeps.reverse_part(tape, 0, row, row + 1, adjoint, buffers)
        hi = row
        operand = _bad_operand(record, adjoint, buffers)
        if operand is not None:
            blame = (row, record, operand)
            break
    else:
        sweeps.reverse_part(tape, 0, 0, hi, adjoint, buffers)
        hi = 0
    found = _of_numbers(tape, adjoint, hi)
    if found is not None:
        return found
    return _of_sum(tape, adjoint) if blame is None else _of_record(recorded, *blame)


def _seeded(recorded: RecordedTape) -> tuple[np.ndarray, Any]:
    """Adjoints with the seeds of all outputs."""
    tape = recorded._tape
    adjoint = np.zeros(len(tape))
    buffers = Buffers(tape, 0, 0) if tape.records or tape.storages else None
    for output in recorded.outputs:
        if isinstance(output, Place):
            if root_of(output).number >= 0:
                buffers.seed(output, np.ones(output.shape, output.dtype))
        elif output is not None:
            adjoint[output] += 1.0
    return adjoint, buffers


def gradient_is_finite(recorded: RecordedTape) -> bool:
    """Whether the adjoints of all inputs are: an infinity on the way may meet a partial of 0."""
    tape = recorded._tape
    adjoint, buffers = _seeded(recorded)
    sweeps.reverse(tape, 0, adjoint, buffers)
    for row in recorded.inputs.values():
        code, record, _, _ = tape.row(row)
        found = adjoint[row]
        if code == _ARRAY:
            found = buffers.final(tape.records[record].out)
        if not np.isfinite(found).all():
            return False
    return True


# -------------------------------------------------------------------------------- numbers ---


def _of_numbers(tape: Tape, adjoint: np.ndarray, lo: int) -> Blame | None:
    """The first of the rows from lo on that adds something which is not finite."""
    bad = ~np.isfinite(adjoint)
    if not bad.any():
        return None
    codes, a, b, values = (column[lo:] for column in tape.rows(0, len(tape)))
    arity, g = _ARITY[codes], adjoint[lo:]
    to_bad = (arity >= 1) & (a >= 0) & bad[np.maximum(a, 0)]
    to_bad |= (arity == 2) & (b >= 0) & bad[np.maximum(b, 0)]
    rows = np.flatnonzero(to_bad & np.isfinite(g) & (g != 0.0) & ~np.isin(codes, _SIGNS))
    column = tape.rows(0, len(tape))[3]
    x, y = (operand_values(tape, column, k[rows]) for k in (a, b))
    product = codes[rows] == _MUL
    with np.errstate(all="ignore"):
        harmless = np.isfinite(g[rows] * x) & np.isfinite(g[rows] * y)
    maybe = np.flatnonzero(~(product & harmless))[::-1]
    for k in maybe.tolist():
        i = int(rows[k])
        slopes = partials.first(int(codes[i]), float(x[k]), float(y[k]), float(values[i]))
        for operand, (key, slope) in enumerate(zip((a[i], b[i]), slopes, strict=True)):
            with np.errstate(all="ignore"):
                term = np.float64(slope) * g[i]
            if operand < arity[i] and key >= 0 and slope != 0.0 and not math.isfinite(term):
                made = number_blame(tape, lo + i)
                return made._replace(
                    result=float(term), slopes=slopes[: arity[i]], adjoint=float(g[i]),
                    operand=operand,
                )  # fmt: skip
    return None


def _of_sum(tape: Tape, adjoint: np.ndarray) -> Blame | None:
    """A row each term of whose adjoint is finite, and their sum is not."""
    bad = np.flatnonzero(~np.isfinite(adjoint))
    if not bad.size:
        return None
    row = int(bad[-1])
    made = number_blame(tape, row)._replace(result=float(adjoint[row]), operand=-1)
    if made.operation != "input":
        return made
    return made._replace(keys=(row,), indices=((),), operands=(tape.row(row)[3],))


# --------------------------------------------------------------------------------- arrays ---


def _bad_operand(record: Record, adjoint: np.ndarray, buffers: Any) -> tuple | None:
    """The first operand whose adjoint is not finite: its position, the element, the adjoint."""
    for k, key in enumerate(record.ins):
        if key is None:
            continue
        if not isinstance(key, Place):
            if not math.isfinite(adjoint[key]):
                return k, (), float(adjoint[key])
            continue
        number = root_of(key).number
        if not buffers.wanted(number) or buffers.get(number) is None:
            continue
        view = buffers.view(key)
        at = bad_index(view)
        if at is not None:
            return k, at, element(view, at)
    return None


def _of_record(recorded: RecordedTape, row: int, record: Record, bad: tuple) -> Blame:
    """The operation on arrays at a row, that gave its operand an adjoint which is not finite."""
    operand, at, result = bad
    tape = recorded._tape
    made = record_blame(tape, row, record, None, ())
    made = made._replace(result=result, index=at, operand=operand)
    if type(record.rule) is not Row:
        return made
    # Swept once more to just before it, its own adjoint is there, which it uses up.
    tape = recorded._tape
    adjoint, buffers = _seeded(recorded)
    sweeps.reverse_part(tape, 0, row + 1, len(tape), adjoint, buffers)
    own = buffers.view(record.out) if isinstance(record.out, Place) else adjoint[row]
    own = np.zeros(()) if own is None else np.asarray(own)
    kept = kept_values(tape, record)
    with np.errstate(all="ignore"):
        slopes = [_slope(p, record) for p in record.rule.partials[: len(kept)]]
        known = slopes[operand]
        if known is None:
            return made
        both = np.broadcast_arrays(own, known)
        terms = np.where((both[0] == 0) | (both[1] == 0), 0.0, both[0] * both[1])
    index = bad_index(terms)
    if index is None:  # each term was finite, and their sum is not
        return made
    indices = tuple(None if x is None else own_index(index, np.shape(x)) for x in kept)
    operands = tuple(
        y if i is None else element(x, i)
        for x, i, y in zip(kept, indices, made.operands, strict=True)
    )
    return made._replace(
        index=index,
        indices=indices,
        operands=operands,
        result=element(terms, index),
        slopes=tuple(
            math.nan if s is None else element(np.broadcast_to(s, own.shape), index) for s in slopes
        ),
        adjoint=element(own, index),
    )


def _slope(partial: Any, record: Record) -> Any:
    """A partial derivative of a ufunc at what its record has kept; None if that is not enough."""
    if partial is None or isinstance(partial, float):
        return 0.0 if partial is None else partial
    try:
        return np.asarray(partial(*map(plain_of, record.kept)))
    except (AttributeError, TypeError):  # of an operand of which the place is left only
        return None
