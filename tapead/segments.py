"""Segment: the rows of one recorded run of a function, which can be swept again and again.

Inside a recording its rows lie on the thread's tape, and a sweep is recorded there if an outer
derivative may follow.  Outside of any it has a tape of its own, whose sweeps are numeric; where
such a sweep is asked for with tracked numbers, the whole of it is one linear operation of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import (
    array,
    guards,
    scalar,
    sweeps,
    sweeps_recorded,
    sweeps_recorded_forward,
    tangents_many,
)
from tapead.array import Array, plain_of
from tapead.places import Place, root_of
from tapead.rules.table import Joint, Sweep
from tapead.scalar import Scalar
from tapead.tape import Tape, current

OUTER = sweeps_recorded.OUTER


class Segment:
    """Rows lo <= r < hi of a tape; those before `begin` are the inputs.

    outputs : for each leaf of the result its row, its place, or None for a constant
    outer : whether anything in it depends on what is from before it
    """

    __slots__ = ("begin", "epoch", "first_storage", "hi", "lo", "outer", "outputs", "tape")

    def __init__(
        self, tape: Tape, lo: int, first_storage: int, begin: int, outputs: Sequence
    ) -> None:
        self.tape = tape
        self.epoch = tape.epoch
        self.lo, self.first_storage, self.begin, self.hi = lo, first_storage, begin, len(tape)
        self.outputs = [None if _from_before(x, lo, first_storage) else x for x in outputs]
        self.outer = tape.depth > 1 and _from_outside(self)

    def settle(self) -> None:
        """Let the segment outlive its recording: nobody can change what its records keep."""
        self.epoch = 0
        keep_values(self.tape)

    def pull(self, seeds: Sequence) -> list:
        """Adjoints of the inputs by those of the outputs, None for zeros."""
        return self._swept(sweeps.pull, sweeps_recorded.reverse, Segment.push, seeds, self.outputs)

    def push(self, directions: Sequence) -> list:
        """Tangents of the outputs by those of the inputs."""
        return self._swept(
            _pushed, sweeps_recorded_forward.forward, Segment.pull, directions, self.inputs()
        )

    def push_each(self, directions: Sequence[Sequence]) -> list[list]:
        """`push` along each of several directions."""
        if not directions:
            return []
        sweeps_here = self.epoch == 0 and not any(map(array.is_active, directions[0]))
        if not sweeps_here or len(directions) < 4 or self._counts_rows():
            return [self.push(direction) for direction in directions]
        room, found = tangents_many.room_for(self.tape, self.first_storage), []
        known = [p for p in self.outputs if p is not None]
        edges = (self.lo, self.first_storage, self.begin, self.hi)
        for k in range(0, len(directions), room):
            part = [np.array(x) for x in zip(*directions[k : k + room], strict=True)]
            pushed = tangents_many.push_many(self.tape, *edges, part, known)
            for j in range(len(directions[k : k + room])):
                each = iter([x[j] for x in pushed])
                found.append([None if p is None else next(each) for p in self.outputs])
        return found

    def _counts_rows(self) -> bool:
        """Whether rows of numbers are most of the segment's work: these are swept natively."""
        return self.hi - self.lo > 8 * len(self.tape.records)

    def inputs(self) -> list:
        """The rows and places of the inputs."""
        if not (self.tape.storages or self.tape.records):
            return list(range(self.lo, self.begin))
        places = sweeps.input_places(self.tape, self.lo, self.begin)
        return [
            r if p is None else p for r, p in zip(range(self.lo, self.begin), places, strict=True)
        ]

    def _swept(
        self, numeric: Callable, recorded: Callable, transposed: Callable, given: Sequence, at: list
    ) -> list:
        """One sweep, from what is given at some rows and places."""
        pairs = [(p, _fit(x, p)) for p, x in zip(at, given, strict=True)]
        tracked = any(map(array.is_active, given))
        if self.epoch == 0:
            if tracked:
                return self._linear(numeric, transposed, given, at)
            return self._run(numeric, pairs)
        if self.epoch != self.tape.epoch:
            raise guards.misuse(self.epoch)
        return self._run(recorded if tracked or self.outer else numeric, pairs)

    def _run(self, sweep: Callable, pairs: list) -> list:
        edges = (self.lo, self.first_storage, self.begin, self.hi)
        if sweep in (_pushed, sweeps_recorded_forward.forward):
            known = [p for p in self.outputs if p is not None]
            found = iter(sweep(self.tape, *edges, [x for _, x in pairs], known))
            return [None if p is None else next(found) for p in self.outputs]
        pairs = [(p, x) for p, x in pairs if p is not None and x is not None]
        return sweep(self.tape, *edges, [p for p, _ in pairs], [x for _, x in pairs])

    def _linear(self, numeric: Callable, transposed: Callable, given: Sequence, at: list) -> list:
        """A sweep over a tape of its own as an operation on tracked numbers: it is linear."""
        results = self._run(numeric, [(p, _fit(plain_of(x), p)) for p, x in zip(at, given)])  # noqa: B905
        forth = Segment.pull if transposed is Segment.push else Segment.push
        zeros = [np.zeros(np.shape(plain_of(x))) for x in given]

        def push(tangents: Sequence, sweep: Sweep) -> list:
            filled = [z if t is None else t for t, z in zip(tangents, zeros, strict=True)]
            return forth(self, filled)

        def pull(adjoints: Sequence, sweep: Sweep) -> list:
            # Not what the user differentiates forward: own rules of reverse mode take part.
            tape = current.tape
            tape.transposes += 1
            try:
                return transposed(self, adjoints)
            finally:
                tape.transposes -= 1

        known = [k for k, x in enumerate(results) if x is not None]
        rule = Joint("a sweep", pull, push)
        made = array.joint(rule, list(given), [results[k] for k in known], {})
        for k, x in zip(known, made, strict=True):
            results[k] = x
        return results


def _pushed(tape: Tape, lo: int, first: int, begin: int, hi: int, directions: list, outputs: list):
    return [
        x.copy() if isinstance(x, np.ndarray) else x
        for x in sweeps.push(tape, lo, first, begin, hi, directions, outputs)
    ]


def _fit(x: Any, at: Any) -> Any:
    """A seed as the sweep takes it: a number for a row, an array for a place."""
    if at is None or x is None:
        return x
    if type(at) is Place:
        return x
    if type(x) in (Scalar, float):
        return x
    return np.real(x).item() if type(x) is Array else float(np.real(x))


def _from_before(output: Any, lo: int, first_storage: int) -> bool:
    """Whether an output has nothing to do with the segment: a constant to its sweeps."""
    if type(output) is not Place:
        return output is None or output < lo
    root = root_of(output)
    return root.number < first_storage and root.written < lo


def _from_outside(s: Segment) -> bool:
    """Whether what the segment computes depends on what is from before it."""
    return from_outside(s.tape, s.lo, s.first_storage, s.begin, s.outputs)


def from_outside(tape: Tape, lo: int, first_storage: int, begin: int, outputs: Sequence) -> bool:
    """Whether results of the rows from lo on depend on what is from before them."""
    marks = sweeps.dependence(tape, lo, len(tape), begin, first_storage)
    if tape.storages or tape.records:
        return bool((marks & OUTER).any())
    return any(marks[r - lo] & OUTER for r in outputs if r is not None)


def keep_values(tape: Tape) -> None:
    """Copy, of what a tape's records keep, all that the program may still change."""
    copies: dict[int, tuple] = {}
    for record in tape.records:
        for k, x in enumerate(record.kept):
            if type(x) is not np.ndarray or not _reachable(record, k):
                continue
            if id(x) not in copies:
                copies[id(x)] = (x, x.copy("K"))
            record.keep(k, copies[id(x)][1])


def _reachable(record: Any, k: int) -> bool:
    """Whether the program may have a name for the k-th value that a record keeps."""
    place = record.ins[k] if k < len(record.ins) else record.out
    return type(place) is not Place or root_of(place).shared != 0


def row_or_place(leaf: Any) -> Any:
    """A number's row, an array's place, None for a constant."""
    return scalar.row_of(leaf) if type(leaf) is Scalar else array.place_of(leaf)
