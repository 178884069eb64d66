"""Which operation of a program raised an error of arithmetic, and on what.

The traceback tells the line, and Python the part of it that was running; what stands there is read
in the variables that the line knew.  Nothing of the program is called.
"""

from __future__ import annotations

import ast
import linecache
import operator
import traceback
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from tapead.array import plain_data
from tapead.errors import is_users
from tapead.inspect.runs import Line, line_of

_SIGNS = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv), ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod), ast.Pow: ("**", operator.pow),
}  # fmt: skip


def raised(error: Exception) -> tuple[str, str, list[tuple[Any, str]], Line] | None:
    """The expression that raised an error, its operation, operands with their names, and the line.
    An operand is None where it is not known.

    None for an error that is not one of arithmetic, or not of the user's.
    """
    if not _of_arithmetic(error):
        return None
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if is_users(frame.f_code) and not _is_ours(frame):
            found = frame
    if found is None:
        return None
    step = error.__traceback__
    while step.tb_frame is not found or _again(step, found):
        step = step.tb_next
    return _read(step, found)


def _is_ours(frame: FrameType) -> bool:
    """Whether it is one of this package's: compiled ones do not know their file's whole path."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "tapead"


def _again(step: TracebackType, frame: FrameType) -> bool:
    """Whether a frame comes again further down, as one that handled the error before does."""
    step = step.tb_next
    while step is not None:
        if step.tb_frame is frame:
            return True
        step = step.tb_next
    return False


def _of_arithmetic(error: Exception) -> bool:
    """Whether an error is of arithmetic: also ValueErrors of math, and of singular matrices."""
    if isinstance(error, (ArithmeticError, np.linalg.LinAlgError)):
        return True
    # The words of math until Python 3.13, and from 3.14 on.
    words = str(error)
    starts = ("math domain error", "expected a ", "cannot convert float NaN")
    return isinstance(error, ValueError) and words.startswith(starts)


def _read(step: TracebackType, frame: FrameType) -> tuple[str, str, list[tuple[Any, str]], Line]:
    line = line_of(frame.f_code, step.tb_lineno)
    tree = _expression(step, frame)
    if tree is None:
        return line.source, "", [], line
    if isinstance(tree, ast.BinOp):
        parts, name = [tree.left, tree.right], _SIGNS.get(type(tree.op), ("", None))[0]
    elif isinstance(tree, ast.AugAssign):
        parts, name = [tree.target, tree.value], _SIGNS.get(type(tree.op), ("", None))[0]
    elif isinstance(tree, ast.Call):
        parts = [x for x in tree.args if not isinstance(x, ast.Starred)]
        name = ast.unparse(tree.func).rpartition(".")[2]
    else:
        parts, name = [], ""
    values = [_value(part, frame) for part in parts]
    texts = list(map(ast.unparse, parts))
    # A number that stands there needs no name.
    operands = [(v, "" if t == repr(v) else t) for v, t in zip(values, texts, strict=True)]
    return ast.unparse(tree), name, operands, line


def _expression(step: TracebackType, frame: FrameType) -> ast.AST | None:
    """The expression that was running, as Python's own tracebacks mark it."""
    positions = list(frame.f_code.co_positions())
    k = step.tb_lasti // 2
    if k >= len(positions) or None in positions[k]:
        return None
    first, last, begin, end = positions[k]
    file = frame.f_code.co_filename
    lines = [linecache.getline(file, n).encode() for n in range(first, last + 1)]
    if not all(lines):
        return None
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    text = b"".join(lines).decode(errors="replace")
    for source, mode in ((f"({text})", "eval"), (text, "exec")):
        try:
            tree = ast.parse(source, mode=mode)
        except SyntaxError:
            continue
        return tree.body if mode == "eval" else tree.body[0]
    return None


def _value(tree: ast.AST, frame: FrameType) -> Any:
    """The value of an expression of names, numbers and operators; None for any other."""
    if isinstance(tree, ast.Constant):
        return tree.value if isinstance(tree.value, (int, float)) else None
    if isinstance(tree, (ast.Name, ast.Attribute, ast.Subscript)):
        return _plain(_held(tree, frame))
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.USub, ast.UAdd)):
        x = _value(tree.operand, frame)
        return None if x is None else -x if isinstance(tree.op, ast.USub) else x
    if isinstance(tree, ast.BinOp) and type(tree.op) in _SIGNS:
        x, y = _value(tree.left, frame), _value(tree.right, frame)
        if x is None or y is None:
            return None
        try:
            return _plain(_SIGNS[type(tree.op)][1](x, y))
        except (ArithmeticError, TypeError, ValueError):
            return None
    return None


def _held(tree: ast.AST, frame: FrameType) -> Any:
    """What a name stands for, an attribute of an object's own, or an element; None for any other.

    Attributes that the program computes, and elements of containers of its own, are left alone.
    """
    if isinstance(tree, ast.Name):
        return frame.f_locals.get(tree.id, frame.f_globals.get(tree.id))
    if isinstance(tree, ast.Attribute):
        try:  # past a `__getattr__` of the program's
            held = object.__getattribute__(_held(tree.value, frame), "__dict__")
        except AttributeError:
            return None
        return held.get(tree.attr) if type(held) is dict else None
    if not isinstance(tree, ast.Subscript):
        return None
    held = _held(tree.value, frame)
    at = _index(tree.slice, frame)
    if held is None or at is None or type(plain_data(held)) not in (list, tuple, dict, np.ndarray):
        return None
    try:
        return plain_data(held)[at]
    except (IndexError, KeyError, TypeError):
        return None


def _index(tree: ast.AST, frame: FrameType) -> Any:
    """An index of whole numbers, or a key that stands there."""
    if isinstance(tree, ast.Constant):
        return tree.value
    if isinstance(tree, ast.Tuple):
        return tuple(_index(part, frame) for part in tree.elts)
    at = _value(tree, frame)
    return int(at) if isinstance(at, float) and at.is_integer() else at


def _plain(x: Any) -> Any:
    """A plain number of a tracked one; None for what is no number."""
    x = plain_data(x)
    x = x.item() if isinstance(x, (np.generic, np.ndarray)) and np.size(x) == 1 else x
    return x if type(x) in (int, float) else None
