"""What the nodes of a graph are called: an input by its name, a row by the variable that the
program assigns it to, where the source line leaves no doubt, others v and their number.
"""

from __future__ import annotations

import ast
import linecache
from typing import TYPE_CHECKING, Any

import numpy as np

from tapead.elementary import OPS
from tapead.inspect.dataflow import ARRAY, ELEMENT, STORE, Dataflow, index_of
from tapead.inspect.lines import Lines
from tapead.inspect.operations import operation_name
from tapead.places import Place, outs_of, root_of

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

_NAMES = [op.name for op in OPS]
_SYMBOLS = {
    "add": "+", "exact_add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//",
    "mod": "%", "pow": "**", "powc": "**",
}  # fmt: skip
# What Python's operators are called on the tape: for numbers, and for arrays.
_OPERATORS: dict[type, tuple[str, ...]] = {
    ast.Add: ("add",), ast.Sub: ("sub", "subtract"), ast.Mult: ("mul", "multiply"),
    ast.Div: ("div", "divide"), ast.FloorDiv: ("floordiv", "floor_divide"),
    ast.Mod: ("mod", "remainder"), ast.Pow: ("pow", "powc", "power"), ast.MatMult: ("matmul",),
    ast.USub: ("neg", "negative"),
}  # fmt: skip
# An array that stands on the left is written into.
_IN_PLACE: dict[type, tuple[str, ...]] = {
    ast.Add: ("add", "add in"), ast.Sub: ("sub", "sub in"), ast.Mult: ("mul", "write"),
    ast.Div: ("div", "write"), ast.Pow: ("pow", "powc", "write"),
}  # fmt: skip
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MOST_OPERANDS = 4


class Names:
    """The names of a tape's rows, and what is written in their nodes."""

    def __init__(self, recorded: RecordedTape, flow: Dataflow, lines: Lines | None) -> None:
        self._tape = recorded._tape
        self._flow = flow
        self._inputs = {row: name for name, row in recorded.inputs.items()}
        self._lines = lines
        self._assigned: dict[str, np.ndarray] = {}
        self._target: dict[int, str] = {}  # of a line's number
        if lines is not None:
            self._look_at_lines(lines)

    def _look_at_lines(self, lines: Lines) -> None:
        """Note which rows each variable is assigned, in the order of the program."""
        found: dict[str, list[np.ndarray]] = {}
        files = {place[0] for place in lines.places}
        statements = {file: assignments(file) for file in files}
        order = np.argsort(lines.number, kind="stable")
        begins = np.searchsorted(lines.number[order], np.arange(len(lines.places) + 1))
        for k, (file, line, _) in enumerate(lines.places):
            if line in statements[file]:
                name, operations = statements[file][line]
                self._target[k] = name
                rows = order[begins[k] : begins[k + 1]]
                found.setdefault(name, []).append(rows[self._are(rows, operations)])
        taken = set(self._inputs.values())
        for name, parts in found.items():
            self._assigned[name] = np.sort(np.concatenate(parts))
        self._alone = {n for n, rows in self._assigned.items() if len(rows) == 1} - taken

    def _are(self, rows: np.ndarray, operations: tuple[str, ...]) -> np.ndarray:
        """Which of some rows are one of these operations."""
        codes = self._flow.codes[rows]
        mask = np.isin(codes, [k for k, name in enumerate(_NAMES) if name in operations])
        for j, row in enumerate(rows.tolist()) if self._flow.columns.numpys else ():
            record = self._flow.columns.numpys.get(row)
            mask[j] |= record is not None and operation_name(record) in operations
        for j in np.flatnonzero(codes == ARRAY).tolist():
            record = self._tape.records[self._flow.a[rows[j]]]
            mask[j] = operation_name(record) in operations
        return mask

    def of(self, row: int) -> str:
        """A row's name."""
        if row in self._inputs:
            return self._inputs[row]
        name = None if self._lines is None else self._target.get(int(self._lines.number[row]))
        if name is not None:
            rows = self._assigned[name]
            at = int(np.searchsorted(rows, row))
            if at < len(rows) and rows[at] == row:
                if name in self._alone:
                    return name
                return name + str(at + 1).translate(_SUBSCRIPTS)
        return f"v{row}"

    def title(self, row: int) -> str:
        """What a row is and computes: ``c = a + b``."""
        name = self.of(row)
        if row in self._inputs:
            return name
        code = self._flow.codes[row]
        if code == STORE:
            return f"{self.written(row)} = {self._operand(self._flow.a[row])}"
        if code == ARRAY:
            return f"{name} = {self._of_array(row)}"
        if code == ELEMENT:
            storage, offset = int(self._flow.a[row]), int(self._flow.b[row])
            return f"{name} = {self._version(storage, row)}{self._index(storage, offset)}"
        return f"{name} = {self._of_number(row)}"

    def written(self, row: int) -> str:
        """What a row's derivative is of: its name, with the index of an element that it writes."""
        if self._flow.codes[row] != STORE:
            return self.of(row)
        return self.of(row) + self._index(int(self._flow.b[row]), int(self._flow.values[row]))

    def _of_number(self, row: int) -> str:
        op = OPS[self._flow.codes[row]]
        a, b = (self._operand(column[row]) for column in (self._flow.a, self._flow.b))
        if op.name in _SYMBOLS:
            return f"{a} {_SYMBOLS[op.name]} {b}"
        if op.name == "neg":
            return f"-{a}"
        if op.name == "copy":
            return a
        return f"{op.name}({', '.join((a, b)[: op.arity])})"

    def _of_array(self, row: int) -> str:
        record = self._tape.records[self._flow.a[row]]
        operands = []
        for j, k in enumerate(record.ins[:_MOST_OPERANDS]):
            if type(k) is Place:
                operands.append(self._version(root_of(k).number, row))
            elif k is None:
                held = record.kept[j] if j < len(record.kept) else None
                operands.append(number(held) if isinstance(held, (int, float)) else "const")
            else:
                operands.append(self._operand(k))
        if len(record.ins) > _MOST_OPERANDS:
            operands.append("...")
        return f"{operation_name(record)}({', '.join(operands)})"

    def _operand(self, k: Any) -> str:
        return self.of(int(k)) if k >= 0 else number(self._flow.columns.constant(int(k)))

    def _version(self, storage: int, row: int) -> str:
        """The name of what is in a storage when a row comes to it."""
        made = self._flow.version(storage, row)
        return "const" if made is None else self.of(made)

    def _index(self, storage: int, offset: int) -> str:
        return index_of(self._tape.storages[storage], offset)

    def shape(self, row: int) -> tuple[tuple[int, ...], str] | None:
        """Shape and dtype of the array that a row has made or written into; None for numbers.

        Of an operation with several results it is those of the first.
        """
        code = self._flow.codes[row]
        if code == STORE:
            root = self._tape.storages[self._flow.b[row]]
            return root.shape, str(root.dtype)
        if code == ARRAY:
            for out in outs_of(self._tape.records[self._flow.a[row]]):
                if type(out) is Place:
                    root = root_of(out)
                    return root.shape, str(root.dtype)
        return None

    def value(self, row: int) -> float | None:
        """A number's value; None for arrays."""
        code = self._flow.codes[row]
        if code == STORE:
            return float(self._tape.operand_value(int(self._flow.a[row])))
        if code == ARRAY and self.shape(row) is not None:
            return None
        return float(self._flow.values[row])


def number(x: float) -> str:
    """A number as nodes and edges show it: six digits."""
    return f"{x:.6g}"


def assignments(file: str) -> dict[int, tuple[str, tuple[str, ...]]]:
    """By line, statements that assign the result of one operation on variables: the name that is
    assigned, and what the operation may be called on the tape.

    These alone leave no doubt which row is the variable's: ``c = a + b``, ``x *= 2``,
    ``y = math.sin(x[i])``.
    """
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, tuple[str, tuple[str, ...]]] = {}
    lines: dict[int, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        lines[node.lineno] = lines.get(node.lineno, 0) + 1
        target, operations = _assigned(node)
        if isinstance(target, ast.Name) and operations and node.lineno == node.end_lineno:
            found[node.lineno] = (target.id, operations)
    return {line: x for line, x in found.items() if lines[line] == 1}


def _assigned(node: ast.stmt) -> tuple[Any, tuple[str, ...]]:
    """The target of a statement and the operations that its one operation may be."""
    if isinstance(node, ast.AugAssign):
        return node.target, _IN_PLACE.get(type(node.op), ()) if _simple(node.value) else ()
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None, ()
    value = node.value
    if isinstance(value, ast.BinOp) and _simple(value.left, value.right):
        return target, _OPERATORS.get(type(value.op), ())
    if isinstance(value, ast.UnaryOp) and _simple(value.operand):
        return target, _OPERATORS.get(type(value.op), ())
    if isinstance(value, ast.Call) and not value.keywords and _simple(*value.args):
        called = value.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return target, (name,) if name else ()
    return None, ()


def _simple(*nodes: ast.expr) -> bool:
    """Whether no operation on numbers is in there: variables, constants, elements, attributes."""
    for node in nodes:
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            index = node.slice if isinstance(node, ast.Subscript) else ast.Constant(0)
            if not _simple(node.value, index):
                return False
        elif not isinstance(node, (ast.Name, ast.Constant)):
            return False
    return True
