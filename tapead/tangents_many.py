"""Forward sweeps over array programs along many directions at once.

A tangent has one more axis than what it belongs to, the first, along which the directions lie.
Elementwise operations and writes take all directions in one call of NumPy; other rules are asked
for one direction after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tapead import kernels, partials
from tapead.array import ADD_AT, COPY, INPUT, STOP, WRITE_AT, Own, plain_of
from tapead.elementary import CODES, OPS
from tapead.places import Place, Record, Row, outs_of, root_of
from tapead.rules.table import Joint
from tapead.sweeps_arrays import numeric_sweep
from tapead.tangents import ADDING, overwrite, tangent
from tapead.tape import Tape

_ARRAY, _ELEMENT, _STORE = CODES["array"], CODES["element"], CODES["store"]
_ROOM = 1 << 27  # bytes of tangents, unless those of one direction are more


def push_many(
    tape: Tape,
    lo: int,
    first_storage: int,
    begin: int,
    hi: int,
    directions: Sequence[np.ndarray],
    outputs: Sequence,
) -> list[np.ndarray]:
    """Tangents of outputs along many directions, which lie along the first axis of all these.

    `directions` are those of the inputs, the rows lo <= r < begin; `outputs` are rows or places.
    """
    sweep = _Sweep(tape, lo, first_storage, len(directions[0]))
    with np.errstate(all="ignore"):
        for r, direction in zip(range(lo, begin), directions, strict=True):
            code, a, _, _ = tape.row(r)
            if code == _ARRAY:
                sweep.put(tape.records[a].out, direction)
            else:
                sweep.rows[r] = direction
        for r in range(begin, hi):
            sweep.step(r)
    return [sweep.output(x) for x in outputs]


def room_for(tape: Tape, first_storage: int) -> int:
    """How many directions to take at once."""
    numbers = sum(root.size for root in tape.storages[first_storage - tape.base :]) + len(tape)
    return max(1, _ROOM // (8 * max(1, numbers)))


class _Sweep:
    """The tangents of rows and storages; what is not there is 0."""

    def __init__(self, tape: Tape, lo: int, first_storage: int, count: int) -> None:
        self.tape, self.lo, self.first, self.count = tape, lo, first_storage, count
        self.rows: dict[int, np.ndarray] = {}
        # The memory of each storage, in one dimension for each direction.
        self.storages: dict[int, np.ndarray] = {}

    def made(self, number: int) -> np.ndarray:
        held = self.storages.get(number)
        if held is None:
            root = self.tape.storage(number)
            held = self.storages[number] = np.zeros((self.count, root.size), root.dtype)
        return held

    def view(self, place: Place) -> np.ndarray:
        """The tangents of a place, memory of its storage's."""
        root = root_of(place)
        memory = self.made(root.number)
        if place.size == 0:
            return np.zeros((self.count, *place.shape), place.dtype)
        if place.root is None:
            address, strides = 0, place.strides
            if strides is None:
                return memory.reshape((self.count, *place.shape))
        else:
            address, strides = place.address, place.strides
        shape, steps = (self.count, *place.shape), (memory.strides[0], *strides)
        return np.ndarray(shape, place.dtype, memory, address, steps)

    def put(self, place: Place, tangents: np.ndarray) -> None:
        view = self.view(place)
        tangents = self.aligned(tangents, place.shape)
        view[...] = tangents if view.dtype.kind == "c" else np.real(tangents)

    def aligned(self, tangents: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Tangents of fewer axes, so that they broadcast against a shape."""
        own = tangents.shape[1:]
        while len(own) > len(shape):  # written into what has fewer axes: these are 1
            own = own[1:]
        return tangents.reshape((self.count, *(1,) * (len(shape) - len(own)), *own))

    def of(self, place: object) -> np.ndarray | None:
        """An operand's tangents, None for zeros."""
        if place is None:
            return None
        if type(place) is not Place:
            return self.rows.get(place)
        return None if root_of(place).number not in self.storages else self.view(place)

    def output(self, place: object) -> np.ndarray:
        found = self.of(place)
        if found is not None:
            return found.copy()
        shape, dtype = (place.shape, place.dtype) if type(place) is Place else ((), float)
        return np.zeros((self.count, *shape), dtype)

    def step(self, r: int) -> None:
        """One row."""
        code, a, b, value = self.tape.row(r)
        if code >= _ARRAY:
            self.array_step(r, code, a, b, value)
            return
        arity = OPS[code].arity
        given = (self.rows.get(a) if arity else None, self.rows.get(b) if arity == 2 else None)
        if given[0] is None and given[1] is None:
            return
        x = self.tape.operand_value(a)
        y = self.tape.operand_value(b) if arity == 2 else 0.0
        total = np.zeros(self.count)
        for t, p in zip(given, partials.first(code, x, y, value), strict=True):
            if t is not None and p != 0.0:
                total += p * t if np.isfinite(p) else np.where(t == 0.0, 0.0, p * t)
        self.rows[r] = total

    def array_step(self, r: int, code: int, a: int, b: int, value: float) -> None:
        """One row of the three codes for arrays."""
        if code == _ELEMENT:
            if a in self.storages:
                self.rows[r] = _real_memory(self.storages[a])[:, b].copy()
            return
        if code == _STORE:
            t = self.rows.get(a)
            if t is not None or b in self.storages:
                _real_memory(self.made(b))[:, int(value)] = 0.0 if t is None else t
            return
        record = self.tape.records[a]
        if record.rule in (INPUT, STOP):
            return
        if isinstance(record.rule, Own) and record.rule is not COPY:
            self.write(record)
            return
        given = [self.of(place) for place in record.ins]
        if all(t is None for t in given):
            return
        result = self.pushed(record, given)
        for out, tangents in zip(outs_of(record), result, strict=True):
            if type(out) is Place:
                self.put(out, tangents)
        if type(record.out) not in (Place, tuple):
            self.rows[r] = np.real(result[0]).reshape(self.count)

    def pushed(self, record: Record, given: list) -> list[np.ndarray]:
        """The tangents of a record's results."""
        if record.rule is COPY:
            return given
        kept = [plain_of(x) for x in record.kept]
        v = kept.pop()
        v = tuple([plain_of(x) for x in v]) if type(v) is tuple else v
        if type(record.rule) is Row:
            return [self.elementwise(record.rule, given, kept, v)]
        found = [self.one(record, [t if t is None else t[k] for t in given], kept, v)
                 for k in range(self.count)]  # fmt: skip
        return [
            np.stack([_filled(x, out) for x in parts])
            for parts, out in zip(zip(*found, strict=True), outs_of(record), strict=True)
        ]

    def one(self, record: Record, given: list, kept: list, v: object) -> tuple:
        """The tangents of a record's results along one direction."""
        if type(record.rule) is Joint:
            return tuple(record.rule.push(given, numeric_sweep(self.lo, record)))
        found = tangent(record.rule, given, kept, v, record.options)
        return tuple(found) if type(record.out) is tuple else (found,)

    def elementwise(self, rule: Row, given: list, kept: list, v: object) -> np.ndarray:
        """The tangents of a ufunc's value."""
        total = None
        shape = getattr(v, "shape", ())
        for t, partial in zip(given, rule.partials, strict=True):
            if t is None or partial is None:
                continue
            p = partial if type(partial) is float else partial(*kept, v)
            term = kernels.product(self.aligned(t, shape), p)
            total = term if total is None else total + term
        return np.zeros((self.count, *shape)) if total is None else total

    def write(self, record: Record) -> None:
        """The record of a write, into all directions."""
        place, rule, options = record.out, record.rule, record.options
        t = self.of(record.ins[0])
        if t is None and (rule in ADDING or root_of(place).number not in self.storages):
            return
        view = self.view(place)
        if rule not in (WRITE_AT, ADD_AT):
            overwrite(view, rule, None if t is None else self.aligned(t, place.shape), options)
            return
        for k in range(self.count):
            overwrite(view[k, ...], rule, None if t is None else t[k], options)


def _real_memory(memory: np.ndarray) -> np.ndarray:
    return memory.view(memory.real.dtype)


def _filled(x: object, out: object) -> np.ndarray:
    """A tangent as an array, zeros for None."""
    return np.zeros(getattr(out, "shape", ())) if x is None else np.asarray(x)
