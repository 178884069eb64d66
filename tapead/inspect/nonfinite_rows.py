"""The first row of a tape whose value is not finite.

The column of values is searched at once, operations on arrays one by one, as far as their records
keep values.  Where such a record meets an operand that is not finite, what wrote that is to blame:
an operation that keeps no values, or a write into an array.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tapead.array import plain_of
from tapead.elementary import CODES, OPS
from tapead.inspect.columns import operand_values
from tapead.inspect.operations import operation_name
from tapead.inspect.recorded import RecordedTape
from tapead.places import Place, Record, Row, outs_of, root_of
from tapead.tape import Tape

_ARRAY, _ELEMENT, _STORE = (CODES[name] for name in ("array", "element", "store"))
# So many elements of an array are shown.
_SHOWN = 6


class Blame(NamedTuple):
    """The operation at a row; `keys` are its operands' rows or places, None for constants, and
    `indices` their elements that count, None where all of them do.  The rest is as in `Finding`."""

    row: int
    operation: str
    keys: tuple[Any, ...]
    indices: tuple[tuple[int, ...] | None, ...]
    operands: tuple[Any, ...]
    result: Any
    index: tuple[int, ...]
    slopes: tuple[float, ...] = ()
    adjoint: float = math.nan
    operand: int = 0


def first_value(recorded: RecordedTape, given: list) -> Blame | None:
    """The first row whose value is not finite; `given` are the values of the inputs."""
    tape = recorded._tape
    for row, x in zip(recorded.inputs.values(), given, strict=True):
        at = bad_index(x)
        if at is not None:
            code, a, _, _ = tape.row(row)
            key = tape.records[a].out if code == _ARRAY else row
            return Blame(row, "input", (key,), (at,), (element(x, at),), element(x, at), at)
    return _Search(tape).first()


class _Search:
    """The columns of a tape, and the search through them."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.codes, self.a, self.b, self.values = tape.rows(0, len(tape))

    def first(self) -> Blame | None:
        bad = np.flatnonzero(~np.isfinite(self.values))
        last = int(bad[0]) if bad.size else len(self.values)
        for row in np.flatnonzero(self.codes[: last + 1] == _ARRAY).tolist():
            blame = self.at_record(row)
            if blame is not None:
                return blame
        if not bad.size:
            return None
        if self.codes[last] == _ELEMENT:
            number, offset = int(self.a[last]), int(self.b[last])
            return self.writer(last, number, (), self.values[last], offset)
        return number_blame(self.tape, last)

    def at_record(self, row: int) -> Blame | None:
        """What is to blame if the operation on arrays at a row is the first with something that is
        not finite."""
        record = self.tape.records[self.a[row]]
        kept = kept_values(self.tape, record)
        result = _result(record, kept)
        for x, place in zip(kept, record.ins, strict=True):
            at = None if x is None else bad_index(x)
            if at is not None and isinstance(place, Place):
                return self.writer(row, root_of(place).number, at, x, None, place)
            if at is not None:  # a constant
                at = () if result is None else bad_index(result) or ()
                return record_blame(
                    self.tape, row, record, math.nan if result is None else result, at
                )
        at = None if result is None else bad_index(result)
        return None if at is None else record_blame(self.tape, row, record, result, at)

    def writer(
        self, row: int, number: int, at: tuple[int, ...], x: Any, offset: int | None,
        place: Place | None = None,
    ) -> Blame:  # fmt: skip
        """The last operation before a row that wrote what is not finite into a storage.

        It was read as x, bad at the index `at`, from a place; or as a number, from an offset.
        """
        stores = np.flatnonzero((self.codes[:row] == _STORE) & (self.b[:row] == number))
        if offset is not None:
            stores = stores[self.values[stores] == offset]
        written = operand_values(self.tape, self.values, self.a[stores])
        stores = stores[~np.isfinite(written)]
        arrays = [
            r
            for r in np.flatnonzero(self.codes[:row] == _ARRAY).tolist()
            if any(root_of(p).number == number for p in _outs(self.tape.records[self.a[r]]))
        ]
        last = max([*stores[-1:].tolist(), *arrays[-1:]])
        if self.codes[last] == _STORE:
            a = int(self.a[last])
            stored = self.tape.operand_value(a)
            return Blame(last, "store", (a if a >= 0 else None,), ((),), (stored,), stored, ())
        record = self.tape.records[self.a[last]]
        # An index means the same element only where the whole result was read.
        same = any(p is place for p in _outs(record))
        return record_blame(
            self.tape, last, record, x if same else element(x, at), at if same else ()
        )


def number_blame(tape: Tape, row: int) -> Blame:
    """The operation on numbers at a row."""
    code, a, b, value = tape.row(row)
    op = OPS[code]
    operands = (a, b)[: op.arity]
    keys = tuple(k if k >= 0 else None for k in operands)
    values = tuple(tape.operand_value(k) for k in operands)
    return Blame(row, op.name, keys, ((),) * len(keys), values, value, ())


def record_blame(tape: Tape, row: int, record: Record, result: Any, at: tuple[int, ...]) -> Blame:
    """The operation on arrays at a row, whose result is bad at an index."""
    kept = kept_values(tape, record)
    whole = type(record.rule) is not Row or result is None or len(at) != np.ndim(result)
    indices = tuple(None if whole or x is None else own_index(at, np.shape(x)) for x in kept)
    operands = tuple(
        _described(x, place) if index is None else element(x, index)
        for x, place, index in zip(kept, record.ins, indices, strict=True)
    )
    return Blame(
        row, operation_name(record), record.ins, indices, operands, element(result, at), at
    )


def kept_values(tape: Tape, record: Record) -> list:
    """The values of a record's operands; None where a place or a shape only was kept of them."""
    return [
        tape.operand_value(key) if isinstance(key, int) else _known(x)
        for key, x in zip(record.ins, record.kept[:-1] or record.ins, strict=True)
    ]


def _known(x: Any) -> Any:
    x = plain_of(x)
    return x if isinstance(x, (np.ndarray, np.number, float, int, complex)) else None


def _result(record: Record, kept: list) -> Any:
    """The value of an operation: kept, or computed again by a ufunc all of whose operands are."""
    result = _known(record.kept[-1]) if record.kept else None
    if result is None and type(record.rule) is Row and all(x is not None for x in kept):
        with np.errstate(all="ignore"):
            result = record.rule.ufunc(*kept)
    return result


def _outs(record: Record) -> list[Place]:
    return [p for p in outs_of(record) if type(p) is Place]


def bad_index(x: Any) -> tuple[int, ...] | None:
    """The first element that is not finite; None if there is none."""
    finite = np.isfinite(x)
    if np.all(finite):
        return None
    return tuple(map(int, np.unravel_index(int(np.argmin(finite)), np.shape(finite))))


def own_index(at: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of an operand's element that broadcasts to one of the result."""
    own = at[len(at) - len(shape) :]
    return tuple(k if n != 1 else 0 for k, n in zip(own, shape, strict=True))


def element(x: Any, index: tuple[int, ...]) -> Any:
    """One element as Python's number."""
    if isinstance(x, np.ndarray) and len(index) == x.ndim:
        x = x[index]
    return x.item() if isinstance(x, (np.generic, np.ndarray)) and np.size(x) == 1 else x


def _described(x: Any, place: Any) -> Any:
    """An operand that counts as a whole."""
    if x is None:
        return f"array of shape {place.shape}" if isinstance(place, Place) else "a constant"
    if np.ndim(x) == 0:
        return element(np.asarray(x), ())
    if np.size(x) <= _SHOWN:
        return np.array2string(x, separator=", ").replace("\n", "")
    finite = x[np.isfinite(x)]
    said = f"array of shape {x.shape}"
    if x.dtype.kind != "c" and finite.size:
        said += f" from {finite.min():.6g} to {finite.max():.6g}"
    return said if finite.size == x.size else f"{said}, {x.size - finite.size:,} not finite"
