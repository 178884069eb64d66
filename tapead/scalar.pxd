cimport cython
from libc.math cimport isfinite, pow as c_pow
from cpython.long cimport PyLong_AsDouble

from tapead.partials cimport first, value as ieee_value
from tapead.tape cimport ROWS, Tape

cdef extern from *:
    """
    /* What tells threads apart: the register that points to the thread's own memory, where the C
       compiler can name it; that costs one instruction, Python's thread state a call. */
    #ifdef __has_builtin
    #if __has_builtin(__builtin_thread_pointer) && (defined(__x86_64__) || defined(__aarch64__))
    #define tapead_thread() ((size_t) __builtin_thread_pointer())
    #endif
    #endif
    #ifdef tapead_thread
    #elif PY_VERSION_HEX >= 0x030d0000
    #define tapead_thread() ((size_t) PyThreadState_GetUnchecked())
    #else
    #define tapead_thread() ((size_t) _PyThreadState_UncheckedGet())
    #endif
    /* A number from the free list was an object before: only its count needs setting.  That saves
       two calls an operation. */
    #if !defined(Py_TRACE_REFS) && !defined(Py_GIL_DISABLED) && !CYTHON_USE_TYPE_SPECS
    #undef PyObject_INIT
    #define PyObject_INIT(o, type) (Py_SET_TYPE(o, type), Py_SET_REFCNT(o, 1), (o))
    #endif
    #define tapead_call_float(cls) (((PyTypeObject *) (cls))->tp_name = "float")
    static inline unsigned long long tapead_bits(double c) {
        unsigned long long pattern;
        memcpy(&pattern, &c, sizeof pattern);
        return pattern;
    }
    """
    unsigned long long bits "tapead_bits"(double c) noexcept
    void call_float "tapead_call_float"(object cls) noexcept
    size_t thread "tapead_thread"() noexcept


cdef Tape _tape
cdef size_t _owner

cdef Tape tape_here()
cpdef object unary(int code, object x, object original)
cpdef object append(Tape t, int code, int a, int b, double v, int kind)
cpdef object plain(object x)
cpdef object with_tangent(Tape t, double v, double d, int kind)
cpdef double tangent_of(object x) except? -1
cpdef object row_of(object x)
cpdef object at_row(Tape tape, Py_ssize_t row, double v, int kind=*)
cpdef bint is_numpy(object x)
cpdef bint liftable(object leaf)
