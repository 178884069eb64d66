# cython: language_level=3, boundscheck=False, initializedcheck=False
"""Sources: which of the user's lines, called by whom, writes the row that comes next.

Asked for each row, so it looks at the instruction that the innermost frame is at, and finds what it
stands for in a table; only an instruction that is met for the first time is looked at closely.
"""

from __future__ import annotations

import inspect
import sys

import cython

from tapead.errors import is_users, user_frame

_SEEN = cython.declare(cython.size_t, 4096)
_RESUMED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Sources:
    """The places that rows come from, numbered as they are met.

    places : ``(code object, line)``, ``(None, 0)`` where no frame of the user's runs
    stacks : for each place the number of its stack of calls, 0 unless `keeps_stacks`
    calls : for each stack ``(stack of the caller, code object)``; stack 0 is the program's bottom
    """

    def __init__(self, keeps_stacks=False):
        self.keeps_stacks = keeps_stacks
        self.places = []
        self.stacks = []
        self.calls = [(0, None)]
        self.numbers = {}
        self.stack_numbers = {}
        self.frames = []
        self.frame_stacks = []
        self.known = {}
        self.last = self.own = None
        self.last_stack = 0
        self.last_resumes = False
        self.own_instruction = self.own_place = -1
        if cython.compiled:
            size: cython.size_t = _SEEN * cython.sizeof(Seen)
            self.seen = cython.cast(cython.pointer(Seen), calloc(1, size))
            if self.seen is cython.NULL:
                raise MemoryError("no memory for the table of source lines")

    if cython.compiled:

        def __dealloc__(self):
            free(self.seen)

    def here(self):
        """The number of the place that runs now."""
        stack: cython.int = 0
        if self.keeps_stacks:
            frame = sys._getframe() if cython.compiled else sys._getframe(1)
            known: cython.bint = frame is self.last and not self.last_resumes
            stack = self.last_stack if known else self.entered(frame)
        if not cython.compiled:
            return self.place(stack)
        code: cython.p_void = cython.NULL
        instruction: cython.int = running(cython.address(code))
        pattern: cython.size_t = cython.cast(cython.size_t, code) + 8 * instruction + 40 * stack
        seen: cython.pointer(Seen) = self.seen + ((pattern >> 3) & (_SEEN - 1))
        if seen.code == code and seen.instruction == instruction and seen.stack == stack:
            return seen.place
        frame = sys._getframe()
        if frame is self.own and instruction == self.own_instruction:
            return self.own_place
        found: cython.int = self.place(stack)
        if frame is user_frame():
            seen.code = code
            seen.instruction = instruction
            seen.stack = stack
            seen.place = found
        elif not frame.f_code.co_flags & _RESUMED:
            # Code that is not the user's stands for the line that called it, and that is waiting.
            self.own = frame
            self.own_instruction = instruction
            self.own_place = found
        return found

    def place(self, stack):
        """`here`, found by looking at frames."""
        frame = user_frame()
        key = (None, 0, stack) if frame is None else (frame.f_code, frame.f_lineno, stack)
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.places)
            self.places.append(key[:2])
            self.stacks.append(stack)
        return number

    def begin(self, frame):
        """Let a frame be the bottom of all stacks: what called it is not looked at."""
        self.close()
        self.frames.append(frame)
        self.frame_stacks.append(0)
        self.known[id(frame)] = 0

    def close(self):
        """Let go of the frames, which hold all that the program's variables hold."""
        self.frames.clear()
        self.frame_stacks.clear()
        self.known.clear()
        self.last = self.own = None

    def entered(self, frame):
        """The stack of a frame that is not the last one that was asked for.

        The frames of the last stack are held, so that they cannot be taken for others.
        """
        count: cython.Py_ssize_t = len(self.frames)
        f = frame.f_back
        if count and f is self.frames[count - 1]:  # called by the last one
            return self.pushed(frame, self.frame_stacks[count - 1])
        if (
            count > 1
            and frame is self.frames[count - 2]
            and (count == 2 or f is self.frames[count - 3])
        ):  # the last one has returned
            del self.known[id(self.frames.pop())]
            self.frame_stacks.pop()
            return self.found(frame, self.frame_stacks[count - 2])
        new = []
        f = frame
        k = -1
        while f is not None:
            k = self.known.get(id(f), -1)
            if k == 0 or (k > 0 and f.f_back is self.frames[k - 1]):
                break
            k = -1
            new.append(f)
            f = f.f_back
        for f in self.frames[k + 1 :]:
            del self.known[id(f)]
        del self.frames[k + 1 :], self.frame_stacks[k + 1 :]
        stack = self.frame_stacks[k] if k >= 0 else 0
        for f in reversed(new):
            stack = self.pushed(f, stack)
        return self.found(frame, stack)

    def pushed(self, frame, caller):
        """The stack of a frame that a caller's has called, now the last one."""
        stack = self.called(caller, frame.f_code)
        self.known[id(frame)] = len(self.frames)
        self.frames.append(frame)
        self.frame_stacks.append(stack)
        return self.found(frame, stack)

    def found(self, frame, stack):
        """Note the frame that was asked for last; a generator's may be resumed by another one."""
        self.last = frame
        self.last_stack = stack
        self.last_resumes = (frame.f_code.co_flags & _RESUMED) != 0
        return stack

    def called(self, stack, code):
        """The stack of a function that is called in another stack; only the user's count."""
        key = (stack, code)
        number = self.stack_numbers.get(key)
        if number is None:
            number = stack
            if is_users(code):
                number = len(self.calls)
                self.calls.append(key)
            self.stack_numbers[key] = number
        return number
