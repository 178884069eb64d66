"""Uses of a tape by line, by function and by stack of calls, from counts by place."""

from __future__ import annotations

import linecache
import os
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

INPUTS = "(inputs)"
ELSEWHERE = "(elsewhere)"

# Code that belongs to the function around it.
_PARTS = frozenset(("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"))


class OperationUse(NamedTuple):
    """What one operation has on the tape; those on arrays are called ``array tanh``.

    ``bytes`` include ``kept``, those of arrays that are kept alive for the sweep.
    """

    operation: str
    rows: int
    bytes: int
    kept: int


class LineUse(NamedTuple):
    """What one line has on the tape.  ``line`` is 0 for the inputs, which no line wrote."""

    file: str
    line: int
    function: str
    rows: int
    bytes: int
    kept: int
    source: str


class FunctionUse(NamedTuple):
    """What one function has on the tape.

    ``rows`` and ``bytes`` are those of the function and all that it called, ``own_rows`` and
    ``own_bytes`` those of its own lines.  ``calls``, and ``seconds`` with what it called, are None
    where calls were not counted.
    """

    function: str
    file: str
    line: int
    rows: int
    bytes: int
    own_rows: int
    own_bytes: int
    calls: int | None
    seconds: float | None


class CheckpointGain(NamedTuple):
    """What checkpointing one function is predicted to do.

    ``saves`` are bytes of the tape at its longest; the function is run once more, which takes the
    part ``share`` of a run of the whole program.
    """

    function: str
    file: str
    line: int
    calls: int | None
    saves: int
    share: float


class Calls(NamedTuple):
    """How often a function was called (`again` of these by itself), and how long that took."""

    count: int
    again: int
    seconds: float


class ByPlace(NamedTuple):
    """Rows, bytes and bytes kept, by place; the last place is that of the inputs."""

    rows: np.ndarray
    bytes: np.ndarray
    kept: np.ndarray


class _Function(NamedTuple):
    file: str
    line: int
    name: str


def lines_of(sources: Any, places: ByPlace) -> list[LineUse]:
    """What each line uses, the largest first."""
    found: dict[tuple[str, int], list] = {}
    for k in np.flatnonzero(places.rows).tolist():
        file, line, name = INPUTS, 0, INPUTS
        if k < len(sources.places):
            code, line = sources.places[k]
            if code is None or not sources.stacks[k]:  # what called the program is no part of it
                file, line, name = ELSEWHERE, 0, ELSEWHERE
            else:
                file, name = code.co_filename, _enclosing(code.co_qualname)
        numbers = [int(column[k]) for column in places]
        use = found.setdefault((file, line), [name, 0, 0, 0])
        use[1:] = [x + y for x, y in zip(use[1:], numbers, strict=True)]
    uses = []
    for (file, line), (name, *numbers) in found.items():
        uses.append(LineUse(file, line, name, *numbers, linecache.getline(file, line).rstrip()))
    return sorted(uses, key=lambda use: -use.bytes)


def _enclosing(name: str) -> str:
    """The function that a comprehension stands in."""
    while True:
        outer, _, inner = name.rpartition(".<locals>.")
        if not outer or inner not in _PARTS:
            return name
        name = outer


class Stacks:
    """The stacks of calls of all places, as functions."""

    def __init__(self, sources: Any, calls: dict[CodeType, Calls] | None) -> None:
        self.sources = sources
        self.calls = calls
        self.codes: dict[_Function, CodeType] = {}
        # For each stack its functions, each once, and the innermost one; a caller comes first.
        self.within: list[frozenset[_Function]] = [frozenset()]
        self.innermost: list[_Function | None] = [None]
        for caller, code in sources.calls[1:]:
            within, innermost = self.within[caller], self.innermost[caller]
            if innermost is None or code.co_name not in _PARTS:
                innermost = _Function(code.co_filename, code.co_firstlineno, code.co_qualname)
                self.codes.setdefault(innermost, code)
                if innermost not in within:
                    within = within | {innermost}
            self.within.append(within)
            self.innermost.append(innermost)

    def functions(self, places: ByPlace) -> list[tuple[FunctionUse, CodeType, np.ndarray]]:
        """What each function uses, its code, and which places are its own or of what it called."""
        own: dict[_Function, list[int]] = {}
        members: dict[_Function, list[int]] = {f: [] for f in self.codes}
        for k, stack in enumerate(self.sources.stacks):
            if not places.rows[k]:
                continue
            for f in self.within[stack]:
                members[f].append(k)
            if self.innermost[stack] is not None:
                own.setdefault(self.innermost[stack], []).append(k)
        uses = []
        for f, inside in members.items():
            if not inside:
                continue
            code, mine = self.codes[f], own.get(f, [])
            calls = None
            if self.calls is not None:
                calls = self.calls.get(code)
            use = FunctionUse(
                f.name, f.file, f.line,
                int(places.rows[inside].sum()), int(places.bytes[inside].sum()),
                int(places.rows[mine].sum()), int(places.bytes[mine].sum()),
                None if calls is None else calls.count,
                None if calls is None else calls.seconds,
            )  # fmt: skip
            uses.append((use, code, np.array(inside)))
        return sorted(uses, key=lambda use: -use[0].bytes)

    def spans(self, places: ByPlace) -> dict[str, list[tuple[int, int]]]:
        """For each file the first and the last line of its functions that wrote rows."""
        found: dict[str, set[tuple[int, int]]] = {}
        for k, stack in enumerate(self.sources.stacks):
            f = self.innermost[stack]
            if places.rows[k] and f is not None and f.name != "<module>":
                lines = [line for _, _, line in self.codes[f].co_lines() if line]
                found.setdefault(f.file, set()).add((f.line, max([f.line, *lines])))
        return {file: sorted(spans) for file, spans in found.items()}

    def collapsed(self, places: ByPlace) -> list[tuple[tuple[str, ...], int, int]]:
        """(names from the bottom of the stack to the line, rows, bytes), all stacks of places."""
        found: dict[tuple[str, ...], list[int]] = {}
        for k in np.flatnonzero(places.rows).tolist():
            names = [INPUTS]
            if k < len(self.sources.places):
                code, line = self.sources.places[k]
                stack = self.sources.stacks[k]
                names = [ELSEWHERE]
                if code is not None and stack:
                    names = [f"{base_name(code.co_filename)}:{line}"]
                while stack:
                    stack, code = self.sources.calls[stack]
                    names.append(f"{code.co_qualname} ({base_name(code.co_filename)})")
            use = found.setdefault(tuple(reversed(names)), [0, 0])
            use[0] += int(places.rows[k])
            use[1] += int(places.bytes[k])
        return [(names, *use) for names, use in found.items()]


def base_name(file: str) -> str:
    """A file's name without its folders."""
    return os.path.basename(file)
