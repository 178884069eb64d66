cimport cython
cimport numpy as cnp


@cython.final
cdef class Place:
    cdef readonly Place root
    cdef readonly object shape
    cdef readonly object strides
    cdef readonly object dtype
    cdef readonly Py_ssize_t address
    cdef public int number
    cdef public unsigned long long epoch
    cdef public Py_ssize_t keeper
    cdef public list keepers
    cdef public unsigned long long kept_epoch
    cdef public Py_ssize_t written
    cdef public int shared
    cdef readonly int stretched
    cdef public bint negated
    cdef public object tangent


@cython.final
cdef class Record:
    cdef public object rule
    cdef public tuple ins
    cdef public object out
    cdef public tuple kept
    cdef public object options

    cpdef keep(self, k, value)


@cython.final
cdef class Row:
    cdef readonly object ufunc
    cdef readonly tuple partials
    cdef readonly tuple needs
    cdef readonly int first
    cdef readonly int second
    cdef readonly bint multiplies
    cdef readonly tuple fused


cdef Place new_root(object data)
cdef Place new_view(Place place, object data)
cdef int overlap(object data) except? -1
cdef object adjoint_buffer(Place root)
cpdef object flat_memory(object buffer)
cdef object view_of(object buffer, Place place)
