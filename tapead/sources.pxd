cimport cython
from libc.stdlib cimport calloc, free

cdef extern from *:
    """
    /* The code that runs in the innermost Python frame, and how far it is: what tells source lines
       apart.  The frame keeps the code alive. */
    static inline int tapead_running(void** code) {
        PyFrameObject* frame = PyEval_GetFrame();
        PyCodeObject* running;
        if (!frame) return -1;
        running = PyFrame_GetCode(frame);
        *code = running;
        Py_DECREF(running);
        return PyFrame_GetLasti(frame);
    }
    """
    int running "tapead_running"(void** code) noexcept


# An instruction of the program's, in a stack of calls, and the place that it is at.
cdef struct Seen:
    void* code
    int instruction
    int stack
    int place


@cython.final
cdef class Sources:
    cdef readonly bint keeps_stacks
    cdef readonly list places
    cdef readonly list stacks
    cdef readonly list calls
    cdef dict numbers
    cdef dict stack_numbers
    cdef list frames
    cdef list frame_stacks
    cdef dict known
    cdef object last
    cdef int last_stack
    cdef bint last_resumes
    cdef object own
    cdef int own_instruction
    cdef int own_place
    cdef Seen* seen

    cpdef int here(self) except -1
    cpdef int entered(self, frame) except -1
    cpdef int pushed(self, frame, int caller) except -1
    cpdef int found(self, frame, int stack) except -1
    cpdef int called(self, int stack, code) except -1
