"""The source lines that rows come from, and what a file's text says of them."""

from __future__ import annotations

import ast
import linecache
from typing import NamedTuple

import numpy as np

from tapead.tape import Tape

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
# Functions and methods that write no rows.
_IDLE = frozenset(
    ("add", "append", "appendleft", "clear", "extend", "insert", "isinstance", "len", "pop",
     "popleft", "print", "range", "remove", "setdefault", "update")
)  # fmt: skip


class Lines(NamedTuple):
    """The source lines of a tape's rows.

    Attributes
    ----------
    number : for each row the number of its line in `places`, -1 for inputs and rows without one
    places : (file, line, function) of each
    """

    number: np.ndarray
    places: list[tuple[str, int, str]]


def lines_of(tape: Tape, inputs: int) -> Lines:
    """The lines of all rows; the same line has one number, whoever called its function."""
    numbers: dict[tuple[str, int, str], int] = {}
    table = np.full(len(tape.sources.places), -1)
    for k, (code, line) in enumerate(tape.sources.places):
        if code is not None:
            key = (code.co_filename, line, code.co_qualname)
            table[k] = numbers.setdefault(key, len(numbers))
    number = table[tape.sources_of(0, len(tape))] if len(table) else np.full(len(tape), -1)
    number[:inputs] = -1
    return Lines(number, list(numbers))


class Loop(NamedTuple):
    """Lines of a loop: the first, and where the last statement of its body begins that may write
    rows."""

    first: int
    tail: int


class Source(NamedTuple):
    """What a file's text says of its lines.

    Attributes
    ----------
    loops : for each line the loops of its function around it, from the outermost
    targets : for each line what is assigned there, as text
    """

    loops: dict[int, tuple[Loop, ...]]
    targets: dict[int, str]


def source_of(file: str) -> Source:
    """The loops and assignments of a file; nothing where its text is not to be had."""
    found = Source({}, {})
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return found
    # Inner statements come after those around them, and have the last word on their lines.
    waiting: list[tuple[ast.AST, tuple[Loop, ...]]] = [(tree, ())]
    while waiting:
        node, loops = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            loops = ()
        elif isinstance(node, _LOOPS):
            loops = (*loops, Loop(node.lineno, _tail(node.body)))
        if isinstance(node, ast.stmt):
            for line in range(node.lineno, node.end_lineno + 1):
                found.loops[line] = loops
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                text = " = ".join(map(ast.unparse, targets))
                found.targets.update(dict.fromkeys(range(node.lineno, node.end_lineno + 1), text))
        waiting.extend((child, loops) for child in ast.iter_child_nodes(node))
    return found


def _tail(body: list[ast.stmt]) -> int:
    """Where the last statement begins that may write rows."""
    return next((s.lineno for s in reversed(body) if not _is_idle(s)), body[0].lineno)


def _is_idle(statement: ast.stmt) -> bool:
    """Whether a statement writes no rows: it counts, or puts things into containers."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.value, ast.Constant):
        return isinstance(statement.target, ast.Name)
    for node in ast.walk(statement):
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.AugAssign)):
            return False
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in _IDLE:
                return False
    return True
