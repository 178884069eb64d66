cimport cython
from libc.stdlib cimport free, realloc

from tapead.outside cimport Outside
from tapead.sources cimport Sources

cdef enum:
    BITS = 16
    ROWS = 65536
    MASK = 65535


@cython.final
cdef class Chunk:
    cdef readonly list columns
    cdef unsigned char* code
    cdef int* a
    cdef int* b
    cdef double* val
    cdef int* line


@cython.final
cdef class Tape:
    # Where the next row goes.
    cdef readonly Py_ssize_t n
    cdef Py_ssize_t limit
    cdef Py_ssize_t start
    cdef unsigned char* code
    cdef int* a
    cdef int* b
    cdef double* val
    # All chunks, and for look-ups by row number the address of each value column.
    cdef readonly list chunks
    cdef double** val_at
    cdef double** const_at
    cdef Py_ssize_t room
    cdef Py_ssize_t const_room
    # Constants.
    cdef readonly Py_ssize_t n_const
    cdef list const_columns
    cdef unsigned long long seen_bits[64]
    cdef int seen_operand[64]
    # The recording.
    cdef readonly unsigned long long epoch
    cdef readonly int depth
    cdef public object pending
    # Forward mode: numbers carry their tangents, and no rows are written.  The number that the next
    # one gets in the place of a row.
    cdef readonly bint forward
    cdef int serial
    # Whether a recorded sweep may follow, as in a recording inside another.
    cdef public bint twice
    # Whether a segment that ends inside this recording may be swept later on, recorded.
    cdef public bint keeps_segments
    # Whether records keep the values of all operands and results, to be looked at.
    cdef public bint keeps_values
    # The first rows of the recordings that are open.
    cdef readonly list begins
    # In how many rules of the user's own, on tracked numbers, the program is: each stands for the
    # derivative that it serves.
    cdef public int in_rules
    # How many forward sweeps that transpose a reverse sweep are under way.
    cdef public int transposes
    # Array operations: their records, and storages by number; the owners of plain arrays that were
    # met, by id, those that may not be written until the recording ends, and what those held at
    # first that the program has written into.
    cdef readonly list records
    cdef readonly list storages
    cdef readonly dict owners
    cdef readonly list locked
    cdef readonly list saved
    # Source lines, when asked for.
    cdef readonly bint keeps_lines
    cdef readonly Sources sources
    # What was decided by tracked values (see `scalar.note`), where that is asked for.
    cdef public list decisions
    # Who bounds the memory, and looks at the tape when row `stop` comes; None for most.  Rows before
    # `floor` and storages before `base` are dropped then.  Where `imports` is set, operands among
    # them are kept as values of their own: those of rows below the floor, downward.
    cdef public object watch
    cdef public Py_ssize_t stop
    cdef readonly Py_ssize_t floor
    cdef readonly Py_ssize_t base
    cdef readonly bint imports
    cdef bint stays_pinned
    cdef readonly Outside outside
    cdef readonly dict outer_storages
    cdef Py_ssize_t lowest
    cdef list free_chunks
    # How many chunks are made at once; the first one comes alone.
    cdef public int block
    # How many segments of a watched tape somebody holds, to sweep them.
    cdef public int segments
    # What tells records that are still here from dropped ones, see Place.kept_epoch.
    cdef readonly unsigned long long keep_epoch

    cpdef int grow(self) except -1
    cpdef int make_room(self) except -1
    cpdef object storage(self, Py_ssize_t number)
    cpdef int operand_for(self, int row, double v) except? -1
    cpdef int row_for(self, int row) except? -1
    cdef Chunk held_chunk(self, Py_ssize_t k)
    cdef int new_constant(self, double c) except 0
    cdef void forget_constants(self) noexcept
    cdef void enter_chunk(self, Py_ssize_t k) except *
    cdef void add_constants(self) except *
    cpdef int drop_from(self, Py_ssize_t k) except -1


# The value of operand k: row k, or constant -1 - k.
cdef inline double operand(Tape tape, int k) noexcept:
    if k >= 0:
        return tape.val_at[k >> BITS][k & MASK]
    return tape.const_at[(-1 - k) >> BITS][(-1 - k) & MASK]
