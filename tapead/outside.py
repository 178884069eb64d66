# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Outside: the dropped rows that rows which are still held have for operands, numbered from 0.

Asked for both operands of each row, so compiled it is a table with open addressing.
"""

from __future__ import annotations

import cython
import numpy as np


class Outside:
    """Row numbers in the order in which they were added."""

    def __init__(self):
        self.count = 0
        if cython.compiled:
            self.room = self.mask = 0
        else:
            self.numbers = {}
            self.listed = []

    if cython.compiled:

        def __dealloc__(self):
            free(self.row_at)
            free(self.slots)

    def find(self, row: cython.int):
        """The number of a row, -1 if it was not added."""
        if not cython.compiled:
            return self.numbers.get(row, -1)
        if self.count == 0:
            return -1
        slot: cython.Py_ssize_t = place_of(row, self.mask)
        k: cython.int
        while True:
            k = self.slots[slot]
            if k == 0:
                return -1
            if self.row_at[k - 1] == row:
                return k - 1
            slot = (slot + 1) & self.mask

    def add(self, row: cython.int):
        """Number a row that was not added yet."""
        k: cython.Py_ssize_t = self.count
        if not cython.compiled:
            self.numbers[row] = k
            self.listed.append(row)
        else:
            if k == self.room:
                self.grow()
            self.row_at[k] = row
            self.enter(k)
        self.count = k + 1
        return k

    def clear(self):
        """Forget all rows."""
        self.count = 0
        if not cython.compiled:
            self.numbers.clear()
            self.listed.clear()
        else:
            free(self.row_at)
            free(self.slots)
            self.row_at = cython.NULL
            self.slots = cython.NULL
            self.room = self.mask = 0
        return 0

    def rows(self):
        """The rows, by their numbers."""
        if not cython.compiled:
            return np.array(self.listed, np.int64)
        found = np.empty(self.count, np.int64)
        view: cython.longlong[::1] = found
        k: cython.Py_ssize_t
        for k in range(self.count):
            view[k] = self.row_at[k]
        return found

    def row(self, k):
        """The row that has number k."""
        if not 0 <= k < self.count:
            raise IndexError(f"number {k} of {self.count} rows")
        return self.row_at[k] if cython.compiled else self.listed[k]

    if cython.compiled:

        def grow(self):
            """Twice the room; the table is four times as large as what is in it, at least twice."""
            room: cython.Py_ssize_t = 2 * self.room if self.room else 64
            size: cython.size_t = room * cython.sizeof(cython.int)
            rows: cython.p_int = cython.cast(cython.p_int, realloc(self.row_at, size))
            if rows is cython.NULL:
                raise MemoryError(f"no memory for {room} rows")
            self.row_at = rows
            table: cython.p_int = cython.cast(cython.p_int, calloc(4 * room, 4))
            if table is cython.NULL:
                raise MemoryError(f"no memory for {room} rows")
            free(self.slots)
            self.slots = table
            self.mask = 4 * room - 1
            self.room = room
            k: cython.Py_ssize_t
            for k in range(self.count):
                self.enter(k)
            return 0

        def enter(self, k: cython.Py_ssize_t):
            """Let the k-th row be found."""
            slot: cython.Py_ssize_t = place_of(self.row_at[k], self.mask)
            while self.slots[slot] != 0:
                slot = (slot + 1) & self.mask
            self.slots[slot] = cython.cast(cython.int, k + 1)


if cython.compiled:

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def place_of(row: cython.int, mask: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where a row's number is looked for first: rows come in runs, which a product scatters."""
        product: cython.ulonglong = cython.cast(cython.ulonglong, row) * 2654435769
        return cython.cast(cython.Py_ssize_t, product >> 7) & mask
