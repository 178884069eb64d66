cimport cython
from libc.stdlib cimport calloc, free, realloc


@cython.final
cdef class Outside:
    cdef readonly Py_ssize_t count
    cdef int* row_at
    cdef Py_ssize_t room
    cdef int* slots
    cdef Py_ssize_t mask
    cdef dict numbers
    cdef list listed

    cpdef Py_ssize_t find(self, int row) except? -1
    cpdef Py_ssize_t add(self, int row) except? -1
    cpdef int clear(self) except -1
    cdef int grow(self) except -1
    cdef void enter(self, Py_ssize_t k) noexcept
