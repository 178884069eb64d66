"""What functions that look at a program have in common: one recorded run of it, source lines."""

from __future__ import annotations

import functools
import inspect
import linecache
import math
import os
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from tapead.inspect.recorded import RecordedTape
from tapead.record import record
from tapead.recording import describe
from tapead.tape import current

_RECORDS_OWN = frozenset(inspect.signature(record).parameters) - {"args", "kwargs"}


class Line(NamedTuple):
    """A line of the user's; an empty file where it is not known."""

    file: str
    line: int
    function: str
    source: str

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}" if self.file else "?"


def line_of(code: CodeType | None, line: int) -> Line:
    """The line of a code object."""
    if code is None:
        return Line("", 0, "", "")
    source = linecache.getline(code.co_filename, line).strip()
    return Line(code.co_filename, line, code.co_qualname, source)


def plain_json(x: Any) -> Any:
    """x as JSON has it: numbers that are not finite as strings, complex ones as pairs."""
    if isinstance(x, dict):
        return {name: plain_json(y) for name, y in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain_json(y) for y in x]
    x = x.item() if isinstance(x, np.generic) else x
    if isinstance(x, complex):
        return [plain_json(x.real), plain_json(x.imag)]
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)
    return x


def recorded(
    name: str,
    f: Callable,
    args: tuple,
    argnums: int | tuple[int, ...] | None,
    rerun: bool,
    kwargs: dict[str, Any],
    **how: bool,
) -> RecordedTape:
    """`record`, for the function of that name, whose bad input is refused."""
    if not callable(f):
        raise TypeError(
            f"{name}() was given {describe(f)}, which cannot be called; "
            f"give a function and its arguments: {name}(f, 1.0, 2.0)"
        )
    if current.tape.depth:
        raise RuntimeError(f"{name}() was called inside a recording; call it outside of grad")
    if not args or argnums == ():
        raise ValueError(
            f"{name}() was given no argument to be differentiated; "
            f"give them after the function: {name}(f, 1.0, 2.0)"
        )
    if not _RECORDS_OWN.isdisjoint(kwargs):  # names that `record` would take for its own
        f, kwargs = functools.partial(f, **kwargs), {}
    tape = record(f, *args, argnums=argnums, rerun=rerun, **how, **kwargs)
    if not tape.inputs:
        raise ValueError(f"{name}(): no argument that is differentiated holds a number")
    return tape
