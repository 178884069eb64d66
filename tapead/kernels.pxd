cimport numpy as cnp
from cpython.ref cimport Py_REFCNT

cdef bint simple(object x) noexcept
cdef bint alike(object x, object y) noexcept
cpdef times(object g, object p, object out)
cpdef add_times(object buffer, object g, object p)
cpdef add(object buffer, object term)
