"""Spilling: stretches of the tape go to a file as they fill, and come back in reverse order.

The file has no name where the system allows it, and is gone when it is closed, whatever happens.
Rows go there whole.  Of array operations the values go there that records keep, from a size on; the
records themselves, some hundred bytes each, stay in memory.
"""

from __future__ import annotations

import tempfile
from typing import IO, Any, NamedTuple

import numpy as np

from tapead import sweeps
from tapead.bounded import stretches
from tapead.bounded.stretches import Pending
from tapead.errors import SpillError, located
from tapead.places import Place, Record
from tapead.tape import NEVER, ROWS_PER_CHUNK, Tape

# Smaller arrays stay in memory: each that goes costs a read and a write.
_SMALL = 512


class Spilled(NamedTuple):
    """A stretch in the file: where it begins, what it holds, and what stayed in memory."""

    at: int
    floor: int
    rows: int
    constants: int
    outside: int
    base: int
    storages: list[Place]
    outer_storages: dict[int, Place]
    records: list[Record]
    arrays: list[tuple[int, int, np.ndarray]]


class Spills:
    """The watch of a tape that spills: see `Tape.watch`.

    limit : bytes that the tape may hold before they go to disk
    """

    def __init__(self, tape: Tape, limit: int, folder: str | None) -> None:
        self.tape = tape
        self.limit = limit
        self.folder = folder
        self.file: IO[bytes] | None = None
        self.spilled: list[Spilled] = []
        self.seen: set[int] = set()
        self.arrays = 0
        self.peak = self.written = self.total = 0
        self.count = 1
        self.inputs: list[Place | None] = []

    def start(self, begin: int) -> None:
        """The inputs, the rows before `begin`, stay as they are: their adjoints are the result."""
        self.close()
        self.spilled.clear()
        self.inputs = sweeps.input_places(self.tape, 0, begin)
        self.seen.clear()
        self.arrays = 0
        self.tape.begin_stretch(True)
        self._look_again()

    def _look_again(self) -> None:
        rows = max((self.limit - stretches.size(self.tape, self.arrays)) // 64, 1024)
        self.tape.stop = len(self.tape) + min(rows, ROWS_PER_CHUNK)

    def wrote(self, record: Record) -> None:
        """A record was added."""
        self.arrays += stretches.array_bytes(record, self.seen)
        if self.arrays > self.limit:
            self.reached()

    def reached(self) -> None:
        """Row `tape.stop` comes next."""
        tape = self.tape
        held = stretches.size(tape, self.arrays)
        self.peak = max(self.peak, held)
        if held >= self.limit and len(tape) > tape.floor:
            if tape.busy:
                stretches.look_later(tape)
                return
            self._spill()
        self._look_again()

    def _spill(self) -> None:
        tape = self.tape
        try:
            if self.file is None:
                made = tempfile.TemporaryFile(dir=self.folder, prefix="tapead-", buffering=0)  # noqa: SIM115 - see close
                self.file = made
            self.spilled.append(self._store())
            self.count += 1
        except OSError as error:
            tape.pending = located(
                SpillError,
                f"the tape could not be written to disk ({error}).",
                f"Give spill= a folder with room for about 17 bytes a row; this one was "
                f"{self.folder or tempfile.gettempdir()!r}.",
            )
            raise tape.pending from error
        self.seen.clear()
        self.arrays = 0
        tape.begin_stretch(True)

    def _store(self) -> Spilled:
        tape = self.tape
        floor, hi = tape.floor, len(tape)
        at = self.written
        outside = tape.outside.rows()
        columns = [
            *tape.rows(floor, hi),
            np.array([tape.operand_value(-1 - k) for k in range(tape.n_const)]),
            outside,
            np.array([tape.operand_value(floor - 1 - k) for k in range(len(outside))]),
        ]
        for column in columns:
            self._write(column)
        return Spilled(
            at, floor, hi - floor, tape.n_const, len(outside), tape.base, list(tape.storages),
            dict(tape.outer_storages), list(tape.records), self._store_arrays(),
        )  # fmt: skip

    def _store_arrays(self) -> list[tuple[int, int, np.ndarray]]:
        """Put empty arrays in the place of what records keep; say where each of these belongs."""
        moved, known = [], {}
        for j, record in enumerate(self.tape.records):
            for k, x in enumerate(record.kept):
                if type(x) is not np.ndarray or x.nbytes < _SMALL or x.dtype.hasobject:
                    continue
                if id(x) not in known:
                    order = "F" if x.flags.f_contiguous and not x.flags.c_contiguous else "C"
                    mark = _Elsewhere(self.written, x.shape, x.dtype, order)
                    known[id(x)] = (x, mark)
                    self._write(np.asarray(x, order=order).ravel("K"))
                record.keep(k, None)
                moved.append((j, k, known[id(x)][1]))
        return moved

    def _write(self, column: np.ndarray) -> None:
        """All of a column: nothing that is cut short is read back."""
        data = memoryview(np.ascontiguousarray(column).view(np.uint8).reshape(-1))
        done = 0
        while done < len(data):
            done += self.file.write(data[done:])
        self.written += len(data)
        self.total += len(data)

    def _read(self, count: int, dtype: Any) -> np.ndarray:
        found = np.empty(count, dtype)
        view, done = memoryview(found.view(np.uint8).reshape(-1)), 0
        while done < len(view):
            got = self.file.readinto(view[done:])
            if not got:
                raise SpillError(f"the file that the tape was written to ended after {done} bytes")
            done += got
        return found

    def finish(self, pending: Pending) -> Pending:
        """The reverse sweep over all stretches, the last one first."""
        self.peak = max(self.peak, stretches.size(self.tape, self.arrays))
        self.tape.stop = NEVER
        pending = stretches.swept(self.tape, pending)
        while self.spilled:
            stretch = self.spilled.pop()
            self._load(stretch)
            pending = stretches.swept(self.tape, pending)
            self.file.truncate(stretch.at)
        return pending

    def _load(self, s: Spilled) -> None:
        self.file.seek(s.at)
        kinds = [(s.rows, np.uint8), (s.rows, np.intc), (s.rows, np.intc), (s.rows, np.float64)]
        columns = [self._read(count, kind) for count, kind in kinds]
        constants = self._read(s.constants, np.float64)
        outside = self._read(s.outside, np.int64)
        values = self._read(s.outside, np.float64)
        arrays: dict[int, np.ndarray] = {}
        for j, k, mark in s.arrays:
            if mark.at not in arrays:
                self.file.seek(mark.at)
                flat = self._read(int(np.prod(mark.shape)), mark.dtype)
                arrays[mark.at] = flat.reshape(mark.shape, order=mark.order)
            s.records[j].keep(k, arrays[mark.at])
        self.tape.take_stretch(s.floor, s.base, outside, values, constants, columns)
        self.tape.storages.extend(s.storages)
        self.tape.outer_storages.update(s.outer_storages)
        self.tape.records.extend(s.records)

    def close(self) -> None:
        """Let go of the file, which is gone then."""
        if self.file is not None:
            self.file.close()
            self.file = None
        self.written = 0


class _Elsewhere(NamedTuple):
    """Where an array is in the file."""

    at: int
    shape: tuple[int, ...]
    dtype: np.dtype
    order: str
