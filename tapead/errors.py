"""The errors that only tapead raises, and the text that leads a reader from one to its cure.

Misuse of an argument raises the usual ``TypeError`` or ``ValueError``; the classes here are for
what can go wrong *inside* a recorded program.  None of them derives from ``TypeError`` or
``ValueError``, so that a program's own ``except ValueError`` does not swallow one by accident.
"""

from __future__ import annotations

import linecache
import os
import sys
from types import CodeType, FrameType

import numpy as np

# Whose lines are not the user's: this package's, and those of NumPy's functions in Python.
_NOT_THE_USERS = tuple(
    os.path.dirname(os.path.abspath(file)) + os.sep for file in (__file__, np.__file__)
)


class TapeadError(Exception):
    """Base of the errors below.

    Attributes
    ----------
    filename, lineno
        Where in the user's program it happened; ``None`` where that is not known.
    globals, code
        The namespace and the code object that ran there.

    Examples
    --------
    >>> import tapead
    >>> def cube_root(x):
    ...     return x ** (1.0 / 3.0)
    >>> try:
    ...     tapead.grad(cube_root)(-8.0)
    ... except tapead.TapeadError as error:
    ...     print(type(error).__name__, error.lineno, error.code.co_name)
    UnsupportedError 2 cube_root
    """

    filename: str | None = None
    lineno: int | None = None
    globals: dict | None = None
    code: CodeType | None = None


class DetachedError(TapeadError):
    """A tracked number was about to become a plain float, and its derivative to be lost.

    Examples
    --------
    >>> import array
    >>> import tapead
    >>> tapead.grad(lambda x: array.array("d", [x])[0])(2.0)
    Traceback (most recent call last):
        ...
    tapead.errors.DetachedError: a tracked number was about to become a plain float, ...
    """


class StaleNumberError(TapeadError):
    """A tracked number was used after the recording that made it had ended.

    Examples
    --------
    >>> import tapead
    >>> kept = []
    >>> def square(x):
    ...     kept.append(x)
    ...     return x * x
    >>> tapead.grad(square)(3.0)
    6.0
    >>> kept[0] + 1.0
    Traceback (most recent call last):
        ...
    tapead.errors.StaleNumberError: a tracked number was used after its recording had ended...
    """


class WrongThreadError(TapeadError):
    """A tracked number was used in another thread than the one that records it.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import tapead
    >>> def elsewhere(x):
    ...     with ThreadPoolExecutor(1) as pool:
    ...         return pool.submit(lambda: x * x).result()
    >>> tapead.grad(elsewhere)(3.0)
    Traceback (most recent call last):
        ...
    tapead.errors.WrongThreadError: a tracked number that thread ... records was used in another...
    """


class UnsupportedError(TapeadError, NotImplementedError):
    """The program left what tapead can differentiate, for instance for complex numbers.

    Examples
    --------
    >>> import tapead
    >>> tapead.grad(lambda x: x ** (1.0 / 3.0))(-8.0)
    Traceback (most recent call last):
        ...
    tapead.errors.UnsupportedError: -8.0 ** 0.3333333333333333 is complex...
    """


class RecomputeError(TapeadError):
    """A checkpointed function gave another result when it ran again for the reverse sweep.

    Examples
    --------
    >>> import itertools
    >>> import tapead
    >>> runs = itertools.count(1)
    >>> scaled = tapead.checkpoint(lambda x: x * next(runs))
    >>> tapead.grad(scaled)(2.0)
    Traceback (most recent call last):
        ...
    tapead.errors.RecomputeError: <lambda> is checkpointed and gave another result when it ran ...
    """


class SnapshotError(TapeadError):
    """A copy of the process that was to take a program up again came to an end by itself.

    Examples
    --------
    >>> import tapead
    >>> try:
    ...     derivative = tapead.grad(lambda x: x * x, memory="100MB")(3.0)
    ... except tapead.SnapshotError:  # by disk instead, where f opens files to write and the like
    ...     derivative = tapead.grad(lambda x: x * x, spill=".")(3.0)
    >>> derivative
    6.0
    """


class SpillError(TapeadError, OSError):
    """The tape could not be written to disk, or could not be read back.

    Examples
    --------
    >>> import tapead
    >>> isinstance(tapead.SpillError("no space left"), OSError)
    True
    """


class TapeFullError(TapeadError, MemoryError):
    """The tape holds as many rows as its 4-byte operands can name (2**31).

    Examples
    --------
    >>> import tapead
    >>> isinstance(tapead.TapeFullError("2**31 rows"), MemoryError)
    True
    """


def is_users(code: CodeType) -> bool:
    """Whether code is neither tapead's nor NumPy's."""
    return not code.co_filename.startswith(_NOT_THE_USERS)


def user_frame() -> FrameType | None:
    """The innermost frame that is neither tapead's nor NumPy's."""
    frame = sys._getframe(1)
    while frame is not None and not is_users(frame.f_code):
        frame = frame.f_back
    return frame


def located(kind: type[TapeadError], what: str, remedy: str) -> TapeadError:
    """An error of `kind` whose message starts with the user's line and ends with the cure."""
    frame = user_frame()
    if frame is None:
        return kind(f"{what}\n  {remedy}")
    error = at_line(kind, what, remedy, frame.f_code, frame.f_lineno)
    error.globals = frame.f_globals
    return error


def at_line(
    kind: type[TapeadError], what: str, remedy: str, code: CodeType, lineno: int
) -> TapeadError:
    """As `located`, at a line of code that need not run now."""
    filename = code.co_filename
    source = linecache.getline(filename, lineno).strip()
    quoted = f"\n    {source}" if source else ""
    where = f'File "{filename}", line {lineno}, in {code.co_name}'
    error = kind(f"{what}\n  {where}{quoted}\n  {remedy}")
    error.filename, error.lineno, error.code = filename, lineno, code
    return error
