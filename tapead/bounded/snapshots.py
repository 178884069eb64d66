"""Process snapshots: a run that nobody prepared is taken up again in the middle, by ``os.fork``.

While the function runs, its rows are numbered and dropped.  At chosen rows the process forks; the
child, the snapshot, waits.  To reverse, the youngest snapshot is woken: it goes on with the
program, keeps its own stretch of rows, sweeps it with the adjoints handed to it, hands back those
of what is from before, and exits.  A stretch that is too long for the limit is run like the whole:
with snapshots of its own.  This is divide-and-conquer checkpointing (Siskind and Pearlmutter,
"Divide-and-conquer checkpointing for arbitrary programs with no user annotation", 2018).
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from tapead import sweeps
from tapead.bounded import processes, stretches
from tapead.bounded.processes import Snapshot
from tapead.bounded.stretches import Pending
from tapead.errors import RecomputeError
from tapead.places import Place, Record
from tapead.tape import NEVER, ROWS_PER_CHUNK, Tape

# Snapshots that wait at the same time: each costs a fork and the pages that change after it.
MOST = 32
# Between two looks at what is held.
_LEAST_ROWS = 256


class Task(NamedTuple):
    """What a snapshot is woken for: its stretch ends before row `end`.

    size : about how many bytes its tape takes
    digest : of its rows, as the first run had them
    whole : whether it could not be divided
    """

    end: int
    size: int
    digest: int
    whole: bool


class Answer(NamedTuple):
    """What comes back: adjoints of what is from before, or an error; and what it took."""

    pending: Pending | None
    error: tuple[str, str] | None
    snapshots: int
    rows_again: int
    peak: int


class Snapshots:
    """The watch of a tape that takes snapshots: see `Tape.watch`.

    limit : bytes that the tape of one stretch may take
    """

    def __init__(self, tape: Tape, limit: int) -> None:
        self.tape = tape
        self.limit = limit
        self.waiting: list[Snapshot] = []
        self.spacing = limit
        self.inputs: list[Place | None] = []
        self.seen: set[int] = set()
        # Since the last drop: bytes that records keep, and their digest.
        self.arrays = self.array_digest = 0
        # Since the last snapshot.
        self.size = self.digest = 0
        self.keeps = False
        # In a snapshot: what it was woken for, and its first row.
        self.task: Task | None = None
        self.begin = 0
        self.up: processes.Channel | None = None
        self.pending: Pending | None = None
        self.answered: list[Snapshot] = []
        self.taken = self.rows_again = self.peak = self.changed = 0
        self.faults = 0

    # ------------------------------------------------------------------ what the tape calls ---

    def start(self, begin: int) -> None:
        """The inputs, the rows before `begin`, stay as they are: their adjoints are the result."""
        if self.up is not None:
            self.give_up(RecomputeError("the function began anew in a snapshot"))
        self.close()
        self.inputs = sweeps.input_places(self.tape, 0, begin)
        self.keeps = False
        self.spacing = self.limit
        self.faults = processes.page_faults()
        self._drop(False)
        self._snapshot()

    def wrote(self, record: Record) -> None:
        """A record was added."""
        self.arrays += stretches.array_bytes(record, self.seen)
        self.array_digest += stretches.array_digest(record)
        if self.arrays > self.limit // 8 or len(self.tape) >= self.tape.stop:
            self.reached()

    def reached(self) -> None:
        """Row `tape.stop` comes next, or much has been kept since the last look."""
        tape = self.tape
        if tape.busy:
            stretches.look_later(tape)
            return
        ends = self.task is not None and len(tape) >= self.task.end
        before = self.size
        if not self.keeps:
            self._drop(False)
        if ends:
            self._answer()
        # Not after the limit, but before it: much may come between two looks.
        grown = max(self.size - before, self.limit // 8)
        if not self.keeps and self.size + grown > self.spacing:
            self._snapshot()
        self._look_again()

    # ------------------------------------------------------------------------- the run itself ---

    def _look_again(self) -> None:
        rows = min(ROWS_PER_CHUNK, max(_LEAST_ROWS, self.limit // (8 * stretches.BYTES_SWEPT)))
        end = NEVER if self.task is None else self.task.end
        self.tape.stop = min(len(self.tape) + rows, end) if not self.keeps else end

    def _drop(self, keeps: bool) -> None:
        """Count what is held since the last drop, and drop it."""
        tape = self.tape
        if len(tape) > tape.floor:
            self.size += stretches.size(tape, self.arrays)
            self.digest += tape.digest(tape.floor, len(tape)) + self.array_digest
        self.seen.clear()
        self.arrays = self.array_digest = 0
        tape.begin_stretch(keeps)
        self._look_again()

    def _snapshot(self) -> None:
        """Fork.  The child returns from here when it is woken, with a stretch to do."""
        if self.waiting:
            self.waiting[-1].size, self.waiting[-1].digest = self.size, self.digest
        self.size = self.digest = 0
        if len(self.waiting) >= MOST:
            self._thin()
        self.taken += 1
        made = processes.fork(len(self.tape), self.waiting)
        if made is None:
            return
        self.up = made.channel
        processes.refuse_writing(self.give_up)
        task = self.up.receive()
        if made.shares:  # adjoints come when nobody else runs
            self.pending = self.up.receive()
            processes.go_back(made.shares)
        self._woken(task)

    def _thin(self) -> None:
        """Let every other snapshot go, so that they are twice as far apart."""
        for k in range(len(self.waiting) - 1, 0, -2):
            gone, before = self.waiting.pop(k), self.waiting[k - 1]
            before.size += gone.size
            before.digest += gone.digest
            processes.end(gone)
        self.spacing *= 2

    def _woken(self, task: Task) -> None:
        """In a snapshot: begin with its stretch."""
        self.task = task
        self.begin = len(self.tape)
        self.taken = self.rows_again = self.peak = 0
        self.spacing = self.limit
        self.keeps = task.whole or self._in_one_piece(task)
        if self.keeps:  # in one piece, for large pages
            self.tape.block = max(1, (task.end - self.begin) // ROWS_PER_CHUNK)
        self.tape.begin_stretch(self.keeps)
        self._look_again()
        if not self.keeps:
            self._snapshot()

    # ----------------------------------------------------------------------------- the reversal ---

    def finish(self, pending: Pending) -> Pending:
        """The program has ended: the reverse sweep over all its rows.  A snapshot ends in here."""
        tape = self.tape
        if self.task is not None:
            if len(tape) != self.task.end:
                self.give_up(_differs(f"it ended after {len(tape):,} rows"))
            if not self.keeps:
                self._drop(False)
            self._answer()
        self._drop(False)
        self.changed = processes.PAGE * (processes.page_faults() - self.faults)
        return self._reverse(pending, len(tape))

    def _reverse(self, pending: Pending, end: int) -> Pending:
        """Wake the snapshots, the youngest first, each for the stretch up to the next one.

        While one sweeps, the one before it already runs its stretch again, on another core: two
        stretches are in memory then.
        """
        self.waiting[-1].size, self.waiting[-1].digest = self.size, self.digest
        before, early = 0, False  # the peak of the younger one; whether this one ran beside it
        while self.waiting:
            snapshot = self.waiting[-1]
            if not early:
                self._begin(snapshot, end)
            next_early = len(self.waiting) > 1 and self._in_one_piece(snapshot)
            if next_early:
                self._begin(self.waiting[-2], snapshot.row)
            answer = processes.asked(snapshot, pending)
            self.answered.append(self.waiting.pop())
            end, pending = snapshot.row, answer.pending
            self.taken += answer.snapshots
            self.rows_again += answer.rows_again
            self.peak = max(self.peak, answer.peak + (before if early else 0))
            before, early = answer.peak, next_early
        self._end_answered()
        return pending

    def _end_answered(self) -> None:
        """Wait for those that have answered: giving back their memory takes them a while."""
        while self.answered:
            processes.end(self.answered.pop(), kill=False)

    def _begin(self, snapshot: Snapshot, end: int) -> None:
        """Let a snapshot go on with the program, up to row `end`."""
        whole = end == self.task.end and snapshot.row == self.begin if self.task else False
        processes.wake(snapshot, Task(end, snapshot.size, snapshot.digest, whole))

    def _in_one_piece(self, task: Task | Snapshot) -> bool:
        """Whether a stretch is kept whole when it runs again."""
        return task.size <= self.limit * 5 // 4

    def _answer(self) -> None:
        """In a snapshot, at the end of its stretch: hand back the adjoints, and exit."""
        try:
            tape, task = self.tape, self.task
            rows = len(tape) - tape.floor
            if self.keeps:
                self.peak = stretches.size(tape, self.arrays)
                found = tape.digest(tape.floor, len(tape)) + self.array_digest
                if (found - task.digest) % 2**64:  # sums of 64 bits, which wrap around
                    raise _differs("its numbers were others")
            pending = self.up.receive() if self.pending is None else self.pending
            if self.keeps:
                pending = stretches.swept(tape, pending)
            else:
                pending = self._reverse(pending, task.end)
                rows = task.end - self.begin
            answer = Answer(pending, None, self.taken, self.rows_again + rows, self.peak)
            self.up.send(answer)
        except BaseException as error:
            self.give_up(error)
        processes.leave(0)

    def give_up(self, error: BaseException) -> None:
        """In a snapshot: say what went wrong, and exit."""
        with contextlib.suppress(BaseException):
            self.close()
            text = (type(error).__name__, str(error))
            self.up.send(Answer(None, text, self.taken, self.rows_again, self.peak))
        processes.leave(1)

    def close(self) -> None:
        """End all snapshots that still wait."""
        self._end_answered()
        while self.waiting:
            processes.end(self.waiting.pop())


def _differs(how: str) -> RecomputeError:
    return RecomputeError(
        f"the program did not run again as it had run the first time: {how}.\n  Under memory= a "
        "program runs in pieces again, from copies of the process; what it reads from outside (the "
        "clock, the system's randomness, sockets) must be the same.  Give a seed, or use spill= "
        "with a folder, which runs it once."
    )


def os_can() -> bool:
    """Whether processes can be copied here."""
    return hasattr(os, "fork")
