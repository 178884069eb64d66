cimport cython
cimport numpy as cnp

from tapead.places cimport Place, Record, Row, new_root, new_view
from tapead.scalar cimport append, at_row, is_numpy, plain, row_of, tape_here
from tapead.tape cimport Tape

cpdef apply(object rule, tuple operands, dict options)
cpdef unary(object row, object x)
cpdef binary(object row, object x, object y)
