cimport cython
from libc.math cimport isfinite, pow as c_pow
from cpython.long cimport PyLong_AsDouble

from tapead.partials cimport value as ieee_value
from tapead.tape cimport ROWS, Tape

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030d0000
    #define tapead_thread() ((size_t) PyThreadState_GetUnchecked())
    #else
    #define tapead_thread() ((size_t) _PyThreadState_UncheckedGet())
    #endif
    static inline unsigned long long tapead_bits(double c) {
        unsigned long long pattern;
        memcpy(&pattern, &c, sizeof pattern);
        return pattern;
    }
    """
    unsigned long long bits "tapead_bits"(double c) noexcept
    size_t thread "tapead_thread"() noexcept


cdef Tape _tape
cdef size_t _owner

cpdef object unary(int code, object x, object original)
cpdef bint liftable(object leaf)
