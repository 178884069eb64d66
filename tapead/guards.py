"""What a tracked number asks before it gives its value away, and the errors where it must not.

Errors for a lost derivative are kept in the thread's tape as well: a program may swallow them, and
its result is not to be trusted then.
"""

from __future__ import annotations

import opcode
import threading
from types import FrameType

from tapead.errors import (
    DetachedError,
    StaleNumberError,
    TapeadError,
    UnsupportedError,
    WrongThreadError,
    located,
    user_frame,
)
from tapead.tape import current, recording_threads

_BINARY_OP = opcode.opmap["BINARY_OP"]
_REMAINDERS = {k for k, (name, _) in enumerate(opcode._nb_ops) if name.endswith("REMAINDER")}
_DECISIONS = {opcode.opmap[name] for name in ("COMPARE_OP", "CONTAINS_OP")}

# The numbers that were hashed last by one instruction: code object and instruction, epoch, rows.
hashed: tuple = ()
_MOST_HASHED = 16  # of one key


def misuse(epoch: int) -> TapeadError:
    """The error for a number of a recording that is over, or another thread's.

    It is kept for the recordings concerned, in case the program swallows it.
    """
    owner = recording_threads.get(epoch)
    if owner is None:
        error = located(
            StaleNumberError,
            "a tracked number was used after its recording had ended.",
            "Numbers of a recording live while the differentiated function runs: return what is "
            "needed (has_aux=True), or keep tapead.value(x).",
        )
    elif owner[0] == threading.get_ident():
        error = located(
            DetachedError,
            "a tracked number was used by a rule of custom_vjp or custom_jvp, or by a checkpointed "
            "function or step, that it was not given to; its derivative would be lost.",
            "Make it an argument of the function, or hand over tapead.value(x).",
        )
        owner[1].pending = error
    else:
        thread, tape = owner
        error = located(
            WrongThreadError,
            f"a tracked number that thread {thread} records was used in another thread.",
            "Do this work in the thread that calls the gradient, or hand over tapead.value(x).",
        )
        tape.pending = error
    if current.tape.depth:
        current.tape.pending = error
    return error


def unsupported(what: str) -> TapeadError:
    """The error for what tapead cannot differentiate, kept in case the program swallows it."""
    error = located(
        UnsupportedError,
        f"{what} are not supported.",
        "If no derivative is wanted here, compute with tapead.value(x).",
    )
    current.tape.pending = error
    return error


def refused(what: str, remedy: str) -> TapeadError:
    """The error for a derivative that is not there, kept in case the program swallows it."""
    error = located(UnsupportedError, what, remedy)
    current.tape.pending = error
    return error


def detached(what: str) -> TapeadError:
    """The DetachedError for the user's line, remembered in case the program swallows it."""
    error = located(
        DetachedError,
        what,
        "If no derivative is wanted, say so with tapead.value(x). Functions of math that are kept "
        "in a dictionary or a list cannot be seen: take them from tapead.math.",
    )
    current.tape.pending = error
    return error


def formats_percent() -> bool:
    """Whether `"%f" % x` runs: the one C code that asks for a float only to print it.

    It is told by the instruction that the user's frame is at: a `%` whose left operand is a number
    never reaches ``__float__``.
    """
    frame = user_frame()
    if frame is None:
        return False
    code = frame.f_code.co_code
    return code[frame.f_lasti] == _BINARY_OP and code[frame.f_lasti + 1] in _REMAINDERS


def compares_fractions() -> bool:
    """Whether a Fraction on the left of a comparison asks for the ratio: a decision, no loss."""
    frame = user_frame()
    for name in ("from_float", "_richcmp __eq__"):
        if frame is None or frame.f_globals.get("__name__") != "fractions":
            return False
        if frame.f_code.co_name not in name.split():
            return False
        frame = frame.f_back
    return True


def _asks() -> FrameType | None:
    """The frame whose instruction asks for a hash or an ==: not those of keys' own methods."""
    frame = user_frame()
    while frame is not None and frame.f_code.co_name in ("__hash__", "__eq__"):
        frame = frame.f_back
    return frame


def remember_hash(epoch: int, row: int) -> None:
    """Keep which numbers were hashed last, and by which instruction of the program."""
    global hashed
    frame = _asks()
    if frame is None:
        hashed = ()
        return
    site = (frame.f_code, frame.f_lasti, epoch)
    rows = hashed[3] if hashed[:3] == site else ()
    hashed = (*site, (*rows, row)[-_MOST_HASHED:])


def look_up(rows: list[int]) -> None:
    """Raise if two variables, or a variable and a constant, are about to be taken for one key.

    `rows` are those of the one or two numbers that == has found equal.  In a cache or a table keyed
    by numbers, an equal key hides that the derivatives differ.  A look-up shows by its order: a
    hash, then == from the same instruction, which is no comparison.
    """
    code, instruction, epoch, just_hashed = hashed
    frame = _asks()
    if frame is None or (frame.f_code, frame.f_lasti) != (code, instruction):
        return
    operation = frame.f_code.co_code[frame.f_lasti]
    if epoch != current.tape.epoch or operation in _DECISIONS:
        return
    if not set(rows).isdisjoint(just_hashed) and (len(rows) == 1 or rows[0] != rows[1]):
        raise detached(
            "a tracked number was taken for an equal key of a dictionary, a set or a cache, whose "
            "derivative is another."
        )
