"""The forward sweep on tracked numbers: its operations become rows and can be differentiated.

It does the arithmetic of ``sweeps.forward``; see ``sweeps_recorded`` for the reverse.  Only what
comes from the segment's own inputs has a tangent here: rows before it belong to the derivatives
outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tapead import array, scalar, tangents
from tapead.array import COPY, INPUT, STOP, Array, Own
from tapead.elementary import CODES, OPS
from tapead.places import Place, Record, root_of
from tapead.rules.table import Joint, product
from tapead.scalar import Scalar
from tapead.sweeps_recorded import (
    DA,
    DB,
    Storages,
    fitted,
    number_at,
    operand_of,
    recorded_sweep,
    times,
    value_of,
)
from tapead.tape import Tape

_ARRAY, _ELEMENT, _STORE = CODES["array"], CODES["element"], CODES["store"]


def forward(
    tape: Tape,
    lo: int,
    first_storage: int,
    begin: int,
    hi: int,
    directions: Sequence,
    outputs: Sequence,
) -> list:
    """Tangents of outputs, tracked numbers or arrays, or plain.

    `directions` are the tangents of the inputs, the rows lo <= r < begin; `outputs` are rows, or
    places of arrays, below row hi.
    """
    sweep = _Sweep(tape, lo, first_storage)
    with np.errstate(all="ignore"):
        for r, direction in zip(range(lo, begin), directions, strict=True):
            code, a, _, _ = tape.row(r)
            if code == _ARRAY:
                sweep.storages.add(tape.records[a].out, direction)
            else:
                sweep.rows[r] = direction
        for r in range(begin, hi):
            sweep.step(r)
        return [sweep.output(output) for output in outputs]


class _Sweep:
    """The tangents of rows and of storages; what has none is 0."""

    def __init__(self, tape: Tape, lo: int, first_storage: int) -> None:
        self.tape = tape
        self.rows: dict[int, object] = {}
        self.storages = Storages(tape, lo, first_storage)

    def step(self, r: int) -> None:
        """One row."""
        code, a, b, value = self.tape.row(r)
        if code >= _ARRAY:
            self.array_step(r, code, a, b, value)
            return
        arity = OPS[code].arity
        given = (self.rows.get(a) if arity else None, self.rows.get(b) if arity == 2 else None)
        if given == (None, None):
            return
        x = number_at(self.tape, a)
        y = number_at(self.tape, b) if arity == 2 else 0.0
        v = scalar.at_row(self.tape, r, value)
        for t, formula in zip(given, (DA[code], DB[code]), strict=True):
            if t is None:
                continue
            term = times(formula(x, y, v), t)
            if term is not None:
                self.rows[r] = self.rows[r] + term if r in self.rows else term

    def array_step(self, r: int, code: int, a: int, b: int, value: float) -> None:
        """One row of the three codes for arrays."""
        held = self.storages.held
        if code == _ELEMENT:
            if held.get(a) is not None:
                self.rows[r] = self.storages.element(a, b).copy().item()
            return
        if code == _STORE:
            t = self.rows.get(a)
            if t is not None or held.get(b) is not None:
                self.storages.element(b, int(value))[...] = 0.0 if t is None else t
            return
        record = self.tape.records[a]
        if isinstance(record.rule, Own) and record.rule is not COPY:
            if record.rule not in (INPUT, STOP):
                self.write(record)
            return
        given = [self.tangent(place) for place in record.ins]
        if any(t is not None for t in given):
            self.put(r, record, self.pushed(r, record, given), given)

    def pushed(self, r: int, record: Record, given: list) -> object:
        """The tangent of a record's value."""
        if record.rule is COPY:
            return given[0].copy()
        if type(record.rule) is Joint:
            return record.rule.push(given, recorded_sweep(self.tape, self.storages.lo, record))
        operands = [operand_of(self.tape, record, k) for k in range(len(record.ins))]
        v = value_of(self.tape, record, r)
        options = record.options or {}
        return tangents.tangent(record.rule, given, operands, v, options, product, array.apply)

    def put(self, r: int, record: Record, t: object, given: list) -> None:
        """Let a record's result have a tangent, which shares no memory with the operands'."""
        if type(record.out) is not tuple:
            self.put_at(r if type(record.out) is not Place else record.out, _apart(t, given))
            return
        for place, part in zip(record.out, t, strict=True):
            if place is not None and part is not None:
                self.put_at(place, _apart(part, given))

    def put_at(self, at: object, t: object) -> None:
        if type(at) is not Place:
            self.rows[at] = t if type(t) in (Scalar, float) else np.real(t).item()
        elif np.shape(t) != at.shape:
            self.storages.buffer(at)[...] = t
        else:
            self.storages.put(at, fitted(t, at))

    def tangent(self, place: object) -> object:
        """An operand's tangent, None for zeros."""
        if place is None:
            return None
        if type(place) is Place:
            if self.storages.held.get(root_of(place).number) is None:
                return None
            return self.storages.view(place)
        t = self.rows.get(place)
        if t is None or type(t) is not Scalar:
            return None if t is None else np.float64(t)
        return scalar.as_numpy(t)

    def write(self, record: Record) -> None:
        """The record of a write."""
        t = self.tangent(record.ins[0])
        adds = record.rule in tangents.ADDING
        if t is None and (adds or self.storages.held.get(root_of(record.out).number) is None):
            return
        tangents.overwrite(self.storages.view(record.out), record.rule, t, record.options)

    def output(self, output: object) -> object:
        """The tangent of a result."""
        if type(output) is not Place:
            t = self.rows.get(output)
            return 0.0 if t is None else t
        t = self.tangent(output)
        return np.zeros(output.shape, output.dtype) if t is None else t.copy()


def _apart(t: object, given: list) -> object:
    """A tangent, copied if it shares memory with one of those that it was computed from: these are
    changed in place where the program writes."""
    if type(t) is Array:
        data = array.plain_of(t)
        others = (array.plain_of(x) for x in given if type(x) is Array)
        if any(np.may_share_memory(data, x) for x in others):
            return t.copy()
    return t
