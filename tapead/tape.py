# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The tape: columns of rows, constants and, on request, source lines.

Beside them stand the records of array operations, one a row, and the storages that these have given
numbers to (see places.py). Nothing in here knows what an operation means.  A row is an operation
code (1 byte), two operands (4 bytes each) and a value (8 bytes): 17 bytes. An operand k >= 0 is the
row k; an operand k < 0 is the constant number -1 - k. Rows are only ever appended, so a row's
number is the name of the variable it computes, and every sweep is a straight walk.

Columns grow by chunks of ``ROWS`` rows and are never copied.  ``grow`` is the one branch behind
which everything unusual hides: the end of a chunk, a row for which the source line is wanted, and
forward mode, which writes none.
"""

from __future__ import annotations

import itertools
import threading
from array import array

import cython
import numpy as np

from tapead.errors import TapeFullError
from tapead.outside import Outside
from tapead.sources import Sources

if not cython.compiled:
    BITS, ROWS, MASK = 16, 65536, 65535

BYTES_PER_ROW = 17
ROWS_PER_CHUNK = ROWS
BYTES_PER_CONSTANT = 8
BYTES_PER_LINE = 4
# Chunks are made in blocks, so that the operating system can back them with large pages (four times
# fewer nanoseconds a row than with small ones, measured on 10 million rows).
BLOCK_CHUNKS = 16
# Chunks that a thread's tape keeps for its next recording (18.9 MB): enough that ordinary
# gradients ask the operating system for nothing, little enough to forget about.
KEPT_CHUNKS = 1 + BLOCK_CHUNKS
MOST_CHUNKS = 2**15
# The number of no row.
NEVER = 2**62
# The values of rows that were dropped: whoever reads one by mistake gets no number.
_DROPPED = np.full(ROWS, np.nan) if cython.compiled else array("d", [float("nan")]) * ROWS

_epochs = itertools.count(1)
# Epochs of the recordings that run now, with the thread each runs in and its tape.
recording_threads = {}
# The columns of a chunk in memory: widest first, which aligns them all.
_VALUE, _A, _B, _CODE, _LINE = range(5)
_COLUMNS = ("d", "i", "i", "B", "i")
_BYTES = (8, 4, 4, 1, 4)


def new_chunks(count, keeps_lines):
    """A block of chunks in one piece of memory (interpreted: arrays of Python numbers)."""
    kinds = len(_COLUMNS) if keeps_lines else len(_COLUMNS) - 1
    if not cython.compiled:
        return [Chunk([array(c, bytes(ROWS * n)) for c, n in _layout(kinds)]) for _ in range(count)]
    size = ROWS * sum(_BYTES[:kinds])
    block = memory(count * size)
    chunks = []
    for at in range(0, count * size, size):
        columns = []
        for kind, width in _layout(kinds):
            columns.append(block[at : at + ROWS * width].view(_NUMPY[kind]))
            at += ROWS * width
        chunks.append(Chunk(columns))
    return chunks


def memory(nbytes):
    """Bytes that have not been written yet.  Where there are many, they begin where a large page
    can, if the operating system has these: a page that is written first costs it a microsecond or
    more, whatever its size."""
    if nbytes < _LARGE_PAGE:
        return np.empty(nbytes, np.uint8)
    block = np.empty(nbytes + _LARGE_PAGE, np.uint8)  # NumPy asks for large pages from 4 MiB on
    begin = -block.ctypes.data % _LARGE_PAGE
    return block[begin : begin + nbytes]


def _layout(kinds):
    return list(zip(_COLUMNS, _BYTES, strict=True))[:kinds]


_LARGE_PAGE = 2**21
_NUMPY = {"B": np.uint8, "i": np.intc, "d": np.float64}


class Chunk:
    """``ROWS`` rows: their columns, and the addresses of these."""

    def __init__(self, columns):
        self.columns = columns
        if cython.compiled:
            values: cython.double[::1] = columns[_VALUE]
            a: cython.int[::1] = columns[_A]
            b: cython.int[::1] = columns[_B]
            codes: cython.uchar[::1] = columns[_CODE]
            self.val = cython.address(values[0])
            self.a = cython.address(a[0])
            self.b = cython.address(b[0])
            self.code = cython.address(codes[0])
            if len(columns) > _LINE:
                lines: cython.int[::1] = columns[_LINE]
                self.line = cython.address(lines[0])
        else:
            self.val, self.a, self.b, self.code = columns[:_LINE]
            self.line = columns[_LINE] if len(columns) > _LINE else None


class Tape:
    """One thread's rows.  ``len`` counts them; ``nbytes`` is what they hold."""

    def __init__(self, keeps_lines=False, keeps_stacks=False):
        self.chunks = []
        self.const_columns = []
        self.n = self.n_const = 0
        self.depth = 0
        self.epoch = 0
        self.pending = None
        self.forward = False
        self.serial = 0
        self.twice = self.keeps_segments = False
        self.begins = []
        self.in_rules = self.transposes = 0
        self.keeps_lines = keeps_lines
        self.sources = Sources(keeps_stacks) if keeps_lines else None
        self.decisions = self.watch = None
        self.stop = NEVER
        self.floor = self.base = self.lowest = 0
        self.imports = self.stays_pinned = False
        self.outside = Outside()
        self.outer_storages = {}
        self.free_chunks = []
        self.keep_epoch = 0
        self.segments = 0
        self.block = BLOCK_CHUNKS
        self.keeps_values = False
        self.records = []
        self.storages = []
        self.owners = {}
        self.locked = []
        self.saved = []
        if cython.compiled:
            self.room = self.const_room = 0
            self.forget_constants()
        else:
            self.val_at = []
            self.const_at = []
            self.seen_bits = [0] * 64
            self.seen_operand = [0] * 64
        self.enter_chunk(0)
        # Unary rows leave their second operand at 0 and look-ups need no test for it: row 0
        # always has memory, and so, with this, has constant 0.
        self.add_constants()

    if cython.compiled:

        def __dealloc__(self):
            free(self.val_at)
            free(self.const_at)

    def __len__(self):
        return self.n

    @property
    def nbytes(self):
        """Bytes held by the rows, the constants and the source lines (not the room kept free)."""
        per_row = BYTES_PER_ROW + (BYTES_PER_LINE if self.keeps_lines else 0)
        return self.n * per_row + self.n_const * BYTES_PER_CONSTANT

    def grow(self):
        """Make room for row `n`, which `limit` does not allow yet."""
        if self.n >= self.stop:
            self.watch.reached()
        return self.make_room()

    def make_room(self):
        """`grow` in the middle of an operation, when the watch must not act."""
        if self.forward:
            raise RuntimeError("a row was about to be written in forward mode, which keeps none")
        if self.n == self.start + ROWS:
            self.enter_chunk(self.n >> BITS)
        if self.keeps_lines:
            chunk: Chunk = self.chunks[self.n >> BITS]
            chunk.line[self.n - self.start] = self.sources.here()
        if self.keeps_lines or self.imports:
            self.limit = self.n + 1
        else:
            self.limit = min(self.start + ROWS, max(self.stop, self.n + 1))
        return 0

    def enter_chunk(self, k: cython.Py_ssize_t):
        """Let rows be written into chunk k, made now unless one was kept."""
        if k >= MOST_CHUNKS:
            raise TapeFullError(f"the tape is full at {self.n:,} rows, the most that it can hold")
        if k == len(self.chunks):
            self.add_chunks(self.block if k else 1)
        chunk: Chunk = self.chunks[k]
        self.code, self.a, self.b, self.val = chunk.code, chunk.a, chunk.b, chunk.val
        self.start = k * ROWS
        self.limit = self.start if self.keeps_lines else self.start + ROWS

    def add_chunks(self, count):
        """Another block of chunks, and room for their addresses."""
        kept = self.free_chunks
        for chunk in [kept.pop()] if kept else new_chunks(count, self.keeps_lines):
            self.chunks.append(chunk)
            if cython.compiled:
                k: cython.Py_ssize_t = len(self.chunks) - 1
                if k >= self.room:
                    self.room = 2 * k + 16
                    self.val_at = resized(self.val_at, self.room)
                made: Chunk = chunk
                self.val_at[k] = made.val
            else:
                self.val_at.append(chunk.val)

    def new_constant(self, c: cython.double):
        """Store the constant c and give the operand that stands for it."""
        k: cython.Py_ssize_t = self.n_const
        if (k >> BITS) == len(self.const_columns):
            if k >= MOST_CHUNKS * ROWS:
                raise TapeFullError(f"the tape is full at {k:,} constants")
            self.add_constants()
        self.const_at[k >> BITS][k & MASK] = c
        self.n_const = k + 1
        return cython.cast(cython.int, -1 - k)

    def constant_operand(self, c):
        """`new_constant` for callers in Python."""
        return self.new_constant(c)

    def add_constants(self):
        """Room for another ``ROWS`` constants."""
        if cython.compiled:
            self.const_columns.append(np.empty(ROWS))
            k: cython.Py_ssize_t = len(self.const_columns) - 1
            if k >= self.const_room:
                self.const_room = 2 * k + 16
                self.const_at = resized(self.const_at, self.const_room)
            values: cython.double[::1] = self.const_columns[k]
            self.const_at[k] = cython.address(values[0])
        else:
            self.const_columns.append(array("d", bytes(8 * ROWS)))
            self.const_at.append(self.const_columns[-1])

    def open(self):
        """Begin a recording in this thread, or one inside it; give the segment's first row."""
        if self.depth and not self.epoch:
            raise RuntimeError("a recording began in a thread whose tape is being swept")
        if self.depth == 0:
            self.epoch = next(_epochs)
            self.keep_epoch = self.epoch
            self.pending = None
            recording_threads[self.epoch] = (threading.get_ident(), self)
        self.depth += 1
        self.begins.append(self.n)
        if self.watch is not None and self.depth > 1:
            self.pin(self.stays_pinned)
        return self.n

    def carry_tangents(self):
        """Let the recording that has just begun run in forward mode, until it ends."""
        self.forward = True
        self.serial = 0
        self.limit = self.n

    def shut(self):
        """End the innermost recording.  Numbers are stale from the end of the outermost on."""
        self.depth -= 1
        self.begins.pop()
        if self.watch is not None and self.depth == 1:
            self.stop = min(self.stop, self.n)  # it could not act inside
            self.imports = self.stays_pinned
            self.limit = self.n
        if self.depth == 0 and self.epoch:
            self.retire()

    def retire(self):
        """Make all numbers stale, before the rows that they would write after are dropped.

        A finalizer or a signal handler of the program may run at any moment, also in a sweep.
        """
        recording_threads.pop(self.epoch, None)
        self.epoch = 0
        self.twice = self.keeps_segments = False
        self.in_rules = 0
        if self.sources is not None:
            self.sources.close()
        if self.forward:
            self.forward = False
            self.limit = self.start if self.keeps_lines else self.start + ROWS
        if self.owners:
            self.owners.clear()
            self.saved.clear()
        while self.locked:
            self.locked.pop().flags.writeable = True

    @property
    def storage_count(self):
        """How many storages have got a number."""
        return self.base + len(self.storages)

    def storage(self, number):
        """The storage that has a number."""
        if number >= self.base:
            return self.storages[number - self.base]
        return self.outer_storages[number]

    @property
    def busy(self):
        """Whether rows are in use that must not be dropped: a derivative inside is under way, or
        may be asked for again."""
        return bool(self.depth > 1 or self.in_rules or self.segments)

    def begin_stretch(self, pinned):
        """Drop all rows, records, storages and constants before what comes next.

        `pinned` : let rows be kept with the values of their operands that are from before.
        """
        k: cython.Py_ssize_t = self.n >> BITS
        j: cython.Py_ssize_t
        for j in range(self.lowest, min(k, len(self.chunks))):
            if self.chunks[j] is not None:
                self.free_chunks.append(self.chunks[j])
                self.chunks[j] = None
                if cython.compiled:
                    dropped: cython.double[::1] = _DROPPED
                    self.val_at[j] = cython.address(dropped[0])
                else:
                    self.val_at[j] = _DROPPED
        # The one that the next row uses, and another one to go on.
        del self.free_chunks[2:]
        self.lowest = k
        self.floor = self.n
        self.base += len(self.storages)
        self.storages.clear()
        self.records.clear()
        self.outer_storages.clear()
        self.outside.clear()
        self.n_const = 0
        self.forget_constants()
        del self.const_columns[1:]
        if not cython.compiled:
            del self.const_at[1:]
        self.keep_epoch = next(_epochs)
        self.stays_pinned = pinned
        self.imports = False
        if pinned:
            self.pin(True)
        elif self.n > self.start:
            self.limit = min(self.start + ROWS, max(self.stop, self.n))

    def pin(self, stays):
        """Keep the values of operands that were dropped, from the next row on."""
        self.imports = True
        self.stays_pinned = stays
        self.limit = self.n

    def row_for(self, row: cython.int):
        """The operand that stands for a dropped row, whose value is not known yet."""
        k: cython.Py_ssize_t = self.outside.find(row)
        if k < 0:
            k = self.outside.add(row)
        return cython.cast(cython.int, self.floor - 1 - k)

    def operand_for(self, row: cython.int, v: cython.double):
        """The operand that stands for a dropped row, whose value is v."""
        at: cython.Py_ssize_t = self.row_for(row)
        chunk: Chunk = self.held_chunk(at >> BITS)
        chunk.val[at & MASK] = v
        return cython.cast(cython.int, at)

    def held_chunk(self, k: cython.Py_ssize_t):
        """Chunk k, whose rows may have been dropped before: it now has memory."""
        chunk: Chunk = self.chunks[k]
        if chunk is None:
            chunk = self.free_chunks.pop() if self.free_chunks else new_chunks(1, False)[0]
            self.chunks[k] = chunk
            self.val_at[k] = chunk.val
            self.lowest = min(self.lowest, k)
        return chunk

    def true_row(self, k):
        """The row that operand k >= 0 stands for."""
        if k < self.floor and k >= self.floor - self.outside.count:
            return self.outside.row(self.floor - 1 - k)
        return k

    def take_stretch(self, floor, base, outside, values, constants, columns):
        """Hold other rows, those from `floor` on with columns (codes, a, b, values), their
        constants, and the values of the dropped rows `outside` that they have for operands."""
        count = len(columns[0])
        k: cython.Py_ssize_t
        for k in range((floor + count) >> BITS, len(self.chunks)):
            if self.chunks[k] is not None and k > (floor >> BITS):
                self.free_chunks.append(self.chunks[k])
                self.chunks[k] = None
        self.n = floor
        self.begin_stretch(True)
        self.base = base
        for row, v in zip(outside.tolist(), values.tolist(), strict=True):
            self.operand_for(row, v)
        for c in constants.tolist():
            self.new_constant(c)
        for k in range(floor >> BITS, (floor + count + ROWS - 1) >> BITS):
            chunk: Chunk = self.held_chunk(k)
            first, last = max(floor, k * ROWS), min(floor + count, (k + 1) * ROWS)
            for j, column in zip((_CODE, _A, _B, _VALUE), columns, strict=True):
                part = column[first - floor : last - floor]
                if not cython.compiled:
                    part = array(_COLUMNS[j], part.tobytes())
                chunk.columns[j][first - k * ROWS : last - k * ROWS] = part
        self.n = floor + count

    def clear(self):
        """Drop all rows, as is done when an outermost recording has been swept."""
        if self.depth:
            raise RuntimeError("a tape cannot be cleared while it records")
        self.n = 0
        if self.watch is not None:
            self.forget_stretches()
        self.drop_from(0)
        if self.storages or self.records:
            self.records.clear()
            self.storages.clear()
        if len(self.const_columns) > 1:
            del self.const_columns[1:]
            if not cython.compiled:
                del self.const_at[1:]
        if self.n_const:
            self.n_const = 0
            self.forget_constants()
        self.enter_chunk(0)

    def forget_stretches(self):
        """Be as a new tape."""
        self.begin_stretch(False)
        self.chunks.clear()
        if not cython.compiled:
            self.val_at.clear()
        self.base = 0
        self.stop = NEVER

    def drop_from(self, k: cython.Py_ssize_t):
        """Drop chunk k and those after it, unless they are kept for the next recording."""
        k = max(k, KEPT_CHUNKS)
        if k < len(self.chunks):
            del self.chunks[k:]
            if not cython.compiled:
                del self.val_at[k:]
        return 0

    def forget_constants(self):
        """Empty the table of the constants seen last: operand 0 is none."""
        k: cython.int
        for k in range(64):
            self.seen_operand[k] = 0

    def rows(self, lo, hi):
        """Rows lo to hi as NumPy columns (codes, a, b, values), copied."""
        return [self.column(j, lo, hi) for j in (_CODE, _A, _B, _VALUE)]

    def sources_of(self, lo, hi):
        """For rows lo to hi the numbers of the places that they come from, copied."""
        return self.column(_LINE, lo, hi)

    def digest(self, lo, hi):
        """A sum over the values and operations of rows lo to hi, which tells them from others."""
        total = 0
        for k in range(lo >> BITS, (hi + ROWS - 1) >> BITS):
            first, last = max(lo - k * ROWS, 0), min(hi - k * ROWS, ROWS)
            values, codes = self.chunks[k].columns[_VALUE], self.chunks[k].columns[_CODE]
            total += int(np.frombuffer(values, np.uint64)[first:last].sum())
            total += 257 * int(np.frombuffer(codes, np.uint8)[first:last].sum(dtype=np.uint64))
        return total

    def column(self, j, lo, hi):
        """Rows lo to hi of one column, copied."""
        whole = np.empty(hi - lo, _NUMPY[_COLUMNS[j]])
        for k in range(lo >> BITS, (hi + ROWS - 1) >> BITS):
            first, last = max(lo, k * ROWS), min(hi, (k + 1) * ROWS)
            part = self.chunks[k].columns[j]
            whole[first - lo : last - lo] = part[first - k * ROWS : last - k * ROWS]
        return whole

    def row(self, r):
        """Code, operands and value of row r, as plain numbers."""
        if not 0 <= r < self.n:
            raise IndexError(f"row {r} of a tape of {self.n}")
        chunk: Chunk = self.chunks[r >> BITS]
        i: cython.Py_ssize_t = r & MASK
        return chunk.code[i], chunk.a[i], chunk.b[i], chunk.val[i]

    def operand_value(self, k):
        """The value of operand k: a row's (k >= 0) or a constant's (k < 0)."""
        if not -self.n_const <= k < self.n:
            raise IndexError(f"operand {k} of a tape of {self.n} rows, {self.n_const} constants")
        return operand(self, k)

    def place_of(self, r):
        """The code object and the line number that wrote row r; (None, 0) where none was kept."""
        if not self.keeps_lines:
            return None, 0
        chunk: Chunk = self.chunks[r >> BITS]
        return self.sources.places[chunk.line[r & MASK]]


if not cython.compiled:

    def operand(tape, k):
        """The value of operand k: row k, or constant -1 - k."""
        if k >= 0:
            return tape.val_at[k >> BITS][k & MASK]
        return tape.const_at[(-1 - k) >> BITS][(-1 - k) & MASK]


if cython.compiled:

    @cython.cfunc
    def resized(
        table: cython.pointer(cython.pointer(cython.double)), room: cython.Py_ssize_t
    ) -> cython.pointer(cython.pointer(cython.double)):
        size: cython.size_t = room * cython.sizeof(cython.p_double)
        table = cython.cast(cython.pointer(cython.pointer(cython.double)), realloc(table, size))
        if table is cython.NULL:
            raise MemoryError(f"no memory for the addresses of {room} chunks")
        return table


class _Current(threading.local):
    """The tape of each thread, made when the thread first records, and others that it keeps for
    what runs in between."""

    def __init__(self):
        self.tape = Tape()
        self.spare = []

    def borrow(self):
        """A tape for what runs in between, to be put back into `spare` when it is empty again."""
        return self.spare.pop() if self.spare else Tape()


current = _Current()
