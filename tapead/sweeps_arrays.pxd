cimport cython
cimport numpy as cnp
from cpython.ref cimport Py_REFCNT

from tapead.array cimport plain_of
from tapead.kernels cimport add, add_outer, add_times, all_finite, alike as kernels_alike, fused, simple as kernels_simple, times
from tapead.places cimport Place, Record, Row, adjoint_buffer, flat_memory, view_of


@cython.final
cdef class Buffers:
    cdef readonly object tape
    cdef readonly Py_ssize_t lo
    cdef readonly int first
    cdef readonly list held
    cdef readonly dict outer
    cdef public object numbers

    cpdef bint wanted(self, int number) except -1
    cpdef get(self, int number)
    cpdef put(self, int number, buffer)
    cpdef take(self, int number)
    cpdef made(self, int number)
    cpdef view(self, Place p)
    cpdef add_element(self, int number, Py_ssize_t offset, double g)
    cpdef double take_element(self, int number, Py_ssize_t offset) except? -1.0

cpdef reverse_record(Buffers buffers, Record record, double g)
cpdef reverse_rule(Buffers buffers, Record record, double adjoint)
cpdef reverse_elementwise(Buffers buffers, Record record, double adjoint)
