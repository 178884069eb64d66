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

    __slots__ = (
        "begin",
        "epoch",
        "first_storage",
        "hi",
        "lo",
        "outer",
        "outputs",
        "tape",
        "watched",
    )

    def __init__(
        self, tape: Tape, lo: int, first_storage: int, begin: int, outputs: Sequence
    ) -> None:
        self.tape = tape
        self.epoch = tape.epoch
        self.watched = tape.watch is not None
        tape.segments += self.watched
        self.lo, self.first_storage, self.begin, self.hi = lo, first_storage, begin, len(tape)
        self.outputs = [None if _from_before(x, lo, first_storage) else x for x in outputs]
        self.outer = tape.depth > 1 and from_outside(tape, lo, first_storage, begin, self.outputs)

    def __del__(self) -> None:
        # From here on the rows may be dropped, where memory is bounded.
        if self.watched:
            self.tape.segments -= 1
            self.tape.stop = min(self.tape.stop, len(self.tape))

    def settle(self) -> None:
        """Let the segment outlive its recording: nobody can change what its records keep."""
        self.epoch = 0
        keep_values(self.tape)

    def pull(self, seeds: Sequence) -> list:
        """Adjoints of the inputs by those of the outputs, None for zeros."""
        return self._swept(Segment._back, Segment._forth, seeds)

    def push(self, directions: Sequence) -> list:
        """Tangents of the outputs by those of the inputs."""
        return self._swept(Segment._forth, Segment._back, directions)

    def push_each(self, directions: Sequence[Sequence]) -> list[list]:
        """`push` along each of several directions."""
        if not directions:
            return []
        sweeps_here = self.epoch == 0 and not any(map(array.is_active, directions[0]))
        if not sweeps_here or len(directions) < 4 or self._counts_rows():
            return [self.push(direction) for direction in directions]
        room, found = tangents_many.room_for(self.tape, self.first_storage), []
        known = [p for p in self.outputs if p is not None]
        for k in range(0, len(directions), room):
            part = [np.array(x) for x in zip(*directions[k : k + room], strict=True)]
            pushed = tangents_many.push_many(self.tape, *self._edges(), part, known)
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

    def _swept(self, way: Callable, transposed: Callable, given: Sequence) -> list:
        """One sweep: numeric, recorded, or as an operation on tracked numbers."""
        tracked = any(map(array.is_active, given))
        if self.epoch == 0:
            return self._linear(way, transposed, given) if tracked else way(self, given, False)
        if self.epoch != self.tape.epoch:
            raise guards.misuse(self.epoch)
        return way(self, given, tracked or self.outer)

    def _back(self, seeds: Sequence, recorded: bool) -> list:
        """The reverse sweep."""
        pairs = [
            (p, _fit(x, p))
            for p, x in zip(self.outputs, seeds, strict=True)
            if p is not None and x is not None
        ]
        sweep = sweeps_recorded.reverse if recorded else sweeps.pull
        return sweep(self.tape, *self._edges(), [p for p, _ in pairs], [x for _, x in pairs])

    def _forth(self, directions: Sequence, recorded: bool) -> list:
        """The forward sweep."""
        given = [_fit(x, p) for x, p in zip(directions, self.inputs(), strict=True)]
        known = [p for p in self.outputs if p is not None]
        if recorded:
            found = sweeps_recorded_forward.forward(self.tape, *self._edges(), given, known)
        else:  # views of the sweep's memory
            found = sweeps.push(self.tape, *self._edges(), given, known)
            found = [x.copy() if isinstance(x, np.ndarray) else x for x in found]
        found = iter(found)
        return [None if p is None else next(found) for p in self.outputs]

    def _edges(self) -> tuple[int, int, int, int]:
        return self.lo, self.first_storage, self.begin, self.hi

    def _linear(self, way: Callable, transposed: Callable, given: Sequence) -> list:
        """A sweep over a tape of its own as an operation on tracked numbers: it is linear."""
        results = way(self, list(map(plain_of, given)), False)
        zeros = [np.zeros(np.shape(plain_of(x))) for x in given]

        def push(tangents: Sequence, sweep: Sweep) -> list:
            filled = [z if t is None else t for t, z in zip(tangents, zeros, strict=True)]
            return self._swept(way, transposed, filled)

        def pull(adjoints: Sequence, sweep: Sweep) -> list:
            # Not what the user differentiates forward: own rules of reverse mode take part.
            tape = current.tape
            tape.transposes += 1
            try:
                return self._swept(transposed, way, adjoints)
            finally:
                tape.transposes -= 1

        known = [k for k, x in enumerate(results) if x is not None]
        rule = Joint("a sweep", pull, push)
        made = array.joint(rule, list(given), [results[k] for k in known], {})
        for k, x in zip(known, made, strict=True):
            results[k] = x
        return results


def _fit(x: Any, at: Any) -> Any:
    """A seed as the sweep takes it: a number for a row, an array for a place."""
    if type(at) is Place or type(x) in (Scalar, float):
        return x
    return np.real(x).item() if type(x) is Array else float(np.real(x))


def _from_before(output: Any, lo: int, first_storage: int) -> bool:
    """Whether an output has nothing to do with the segment: a constant to its sweeps."""
    if type(output) is not Place:
        return output is None or output < lo
    root = root_of(output)
    return root.number < first_storage and root.written < lo


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
