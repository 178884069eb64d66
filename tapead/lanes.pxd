cimport cython
from libc.math cimport isfinite

from tapead.partials cimport first, second
from tapead.tape cimport BITS, MASK, Chunk, Tape, operand


@cython.final
cdef class Layout:
    cdef readonly Tape tape
    cdef readonly Py_ssize_t lo
    cdef readonly Py_ssize_t hi
    cdef readonly Py_ssize_t first
    cdef readonly Py_ssize_t size
    cdef readonly object bases
    cdef readonly dict moves
