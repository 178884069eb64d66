cimport cython
cimport numpy as cnp

from tapead.kernels cimport add_times, alike, fused, simple, times
from tapead.places cimport Place, Record, Row, flat_memory, new_root, new_view
from tapead.scalar cimport (
    append, at_row, is_numpy, plain, row_of, tangent_of, tape_here, with_tangent,
)
from tapead.tape cimport Tape

cdef extern from *:
    # An index beyond the machine's range becomes the last one in it.
    Py_ssize_t clipped "PyNumber_AsSsize_t"(object index, void* error) except? -1

cpdef apply(object rule, tuple operands, dict options)
cpdef unary(object row, object x)
cpdef binary(object row, object x, object y)
cpdef plain_of(object x)
cpdef value_of(object x)
