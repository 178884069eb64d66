cimport numpy as cnp

cdef bint simple(object x) noexcept
cdef bint alike(object x, object y) noexcept
cpdef times(object g, object p, object out)
cpdef add_times(object buffer, object g, object p)
cpdef add(object buffer, object term)
cpdef add_outer(object buffer, object g, object x)
cpdef bint fused(int code, int reads, object g, list kept, object target, bint adds) except -1
cpdef bint all_finite(object x) except -1
