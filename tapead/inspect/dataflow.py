"""Which row reads what which other row made: the edges of the computational graph.

The operands of numbers are rows, and say it themselves.  What an operation on arrays reads is a
storage, which many rows may write into: each write makes a new version of it, and whoever reads
the storage reads the version that was last written.  A number that is read out of an array comes
from the row that wrote that element, where it was written as a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tapead.array import ADD_AT, ADD_IN, INPUT, SUB_IN, WRITE, WRITE_AT
from tapead.elementary import CODES, OPS
from tapead.inspect.columns import Columns
from tapead.places import Place, Record, outs_of, root_of

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape
    from tapead.tape import Tape

# What an edge is: the target's partial by its first or second operand; a copy, whose partial is 1;
# or one that an operation on arrays is at an end of, which has no one number.
FIRST, SECOND, COPIED, ARRAYS = range(4)
ARRAY, ELEMENT, STORE = (CODES[name] for name in ("array", "element", "store"))
_ARITY = np.array([op.arity for op in OPS])
_WRITES = (WRITE, WRITE_AT, ADD_IN, SUB_IN, ADD_AT)


class Dataflow:
    """The edges between all rows of a tape, in the order of the rows that they lead to.

    Attributes
    ----------
    source, target, kind : of each edge; kind is FIRST, SECOND, COPIED or ARRAYS
    columns : the tape's columns
    codes, a, b, values : each of them
    outputs : for each number or array of the result the row that made it, None for a constant
    """

    def __init__(self, recorded: RecordedTape) -> None:
        tape = recorded._tape
        self.columns = Columns(tape)
        self.codes, self.a = self.columns.codes, self.columns.a
        self.b, self.values = self.columns.b, self.columns.values
        self._versions = np.zeros(0, np.int64)
        self._stride = len(tape) + 1
        arity = _ARITY[self.codes]
        first = np.flatnonzero((arity >= 1) & (self.a >= 0))
        second = np.flatnonzero((arity == 2) & (self.b >= 0))
        found = [(self.a[first], first, FIRST), (self.b[second], second, SECOND)]
        outputs = recorded.outputs
        if tape.records or tape.storages:
            found += self._of_arrays(tape, outputs)
        self.outputs = tuple(
            self.version(root_of(x).number, len(tape)) if type(x) is Place else x for x in outputs
        )
        source, target, kind = (
            np.concatenate(column) for column in zip(*map(_filled, found), strict=True)
        )
        # The order of operands is that of the edges of one row.
        order = np.argsort(target, kind="stable")
        self.source, self.target, self.kind = source[order], target[order], kind[order]

    def version(self, storage: int, row: int) -> int | None:
        """The row that wrote last into a storage before a row; None if there is none."""
        found = self._writers(self._versions, np.array([storage]), np.array([row]))[0]
        return None if found < 0 else int(found)

    def _writers(self, keys: np.ndarray, what: np.ndarray, row: np.ndarray) -> np.ndarray:
        """The last row before `row` that is in the sorted keys ``what * stride + row``, else -1."""
        if not len(keys):
            return np.full(len(row), -1)
        at = np.searchsorted(keys, what * self._stride + row) - 1
        owner, writer = np.divmod(keys[np.maximum(at, 0)], self._stride)
        return np.where((at >= 0) & (owner == what), writer, -1)

    def _of_arrays(self, tape: Tape, outputs: tuple) -> list[tuple]:
        """The edges that come from storages or lead into them."""
        rows = np.flatnonzero(self.codes == ARRAY)
        read, wrote, given = _by_records(tape, rows.tolist(), self.a[rows].tolist())
        read += [(root_of(x).number, len(tape)) for x in outputs if type(x) is Place]
        reads, writes, direct = (np.array(x, np.int64).reshape(-1, 2) for x in (read, wrote, given))
        stores = np.flatnonzero(self.codes == STORE)
        stored = self.b[stores].astype(np.int64)
        array_keys = np.sort(writes[:, 0] * self._stride + writes[:, 1])
        self._versions = np.sort(np.concatenate([array_keys, stored * self._stride + stores]))

        inside = reads[reads[:, 1] < len(tape)]
        # What numbers were written into an array goes on into its next version only where some
        # operation still reads it as an array.
        last_read = np.full(len(tape.storages), -1)
        np.maximum.at(last_read, reads[:, 0], reads[:, 1])
        passed = last_read[stored] > stores
        tracked = self.a[stores] >= 0
        storage = np.concatenate([inside[:, 0], stored[passed]])
        reader = np.concatenate([inside[:, 1], stores[passed]])
        return [
            (self.a[stores[tracked]], stores[tracked], COPIED),
            (direct[:, 0], direct[:, 1], ARRAYS),
            (self._writers(self._versions, storage, reader), reader, ARRAYS),
            *self._of_elements(tape, stores, stored, array_keys),
        ]

    def _of_elements(
        self, tape: Tape, stores: np.ndarray, stored: np.ndarray, array_keys: np.ndarray
    ) -> list[tuple]:
        """The edges to the numbers that are read out of arrays."""
        elements = np.flatnonzero(self.codes == ELEMENT)
        storage = self.a[elements].astype(np.int64)
        # Every element of every storage has a number; a complex one has two.
        sizes = [root.size * (2 if root.dtype.kind == "c" else 1) for root in tape.storages]
        begins = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        place = begins[stored] + self.values[stores].astype(np.int64)
        keys = np.sort(place * self._stride + stores)
        of_number = self._writers(keys, begins[storage] + self.b[elements], elements)
        of_array = self._writers(array_keys, storage, elements)
        copied = of_number > of_array
        return [
            (of_number[copied], elements[copied], COPIED),
            (of_array[~copied], elements[~copied], ARRAYS),
        ]


def _filled(edges: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of one kind of edges, without those that come from no row."""
    source, target, kind = edges
    some = source >= 0
    kinds = np.full(int(some.sum()), kind, np.int8)
    return source[some].astype(np.int32), target[some].astype(np.int32), kinds


def _by_records(tape: Tape, rows: list[int], numbers: list[int]) -> tuple[list, list, list]:
    """What operations on arrays do: (storage, row) that they read, that they write, and
    (row, row) where they read a number."""
    reads, writes, direct = [], [], []
    for row, number in zip(rows, numbers, strict=True):
        record: Record = tape.records[number]
        before = len(reads)
        for k in record.ins if record.rule is not INPUT else ():
            if type(k) is Place:
                reads.append((root_of(k).number, row))
            elif k is not None:
                direct.append((k, row))
        for out in outs_of(record):
            if type(out) is not Place:
                continue
            made = (root_of(out).number, row)
            writes.append(made)
            if record.rule in _WRITES and not _covers(record) and made not in reads[before:]:
                reads.append(made)  # the rest of the array stays what it was
    return reads, writes, direct


def _covers(record: Record) -> bool:
    """Whether a write leaves nothing of what was in the array."""
    out: Place = record.out
    root: Place = root_of(out)
    same = out.size == root.size and out.dtype == root.dtype and not out.stretched
    return record.rule is WRITE and same


def index_of(root: Place, offset: int) -> str:
    """The index of an element by its offset in memory, as it would be written in Python."""
    shape, strides = root.shape, root.strides
    size = np.dtype(root.dtype).itemsize
    part = ""
    if root.dtype.kind == "c":
        offset, imaginary = divmod(offset, 2)
        part = ".imag" if imaginary else ".real"
    if not shape:
        return f"[()]{part}"
    if strides is None:
        at = np.unravel_index(offset, shape)
    else:  # in memory order, the axis with the longest steps first
        at, left = [0] * len(shape), offset * size
        for k in sorted(range(len(shape)), key=lambda k: -abs(strides[k])):
            if strides[k] > 0 and shape[k] > 1:
                at[k], left = divmod(left, strides[k])
    return f"[{', '.join(str(int(k)) for k in at)}]{part}"
