"""The Wengert list as text."""

from __future__ import annotations

import linecache
import os
from typing import TYPE_CHECKING

from tapead.inspect.arguments import at_least_0
from tapead.inspect.operations import operation_name
from tapead.places import Place, outs_of

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape, Row

_HEADER = ("row", "operation", "operands", "value", "partials", "adjoint", "source")


def listing(tape: RecordedTape, adjoints: bool, first: int, last: int) -> str:
    """`RecordedTape.listing`."""
    first, last = at_least_0("first", first), at_least_0("last", last)
    total = len(tape)
    if not total:
        return "(an empty tape: nothing was recorded)"
    shown = list(range(total))
    if total > first + last:
        shown = [*range(first), *range(total - last, total)]
    names = {row: name for name, row in tape.inputs.items()}
    adjoint = tape.adjoints() if adjoints else None
    lines = [_HEADER]
    for number in shown:
        row = tape.row(number)
        value = "" if adjoint is None else _number(adjoint[number])
        operation, shown_value, is_array = _of_arrays(tape, row)
        if is_array and value == "nan":
            value = ""
        lines.append(_cells(row, operation, shown_value, names.get(number), value))
    columns = [k for k in range(len(_HEADER)) if any(line[k] for line in lines[1:])]
    widths = {k: max(len(line[k]) for line in lines) for k in columns}
    text = ["  ".join(line[k].ljust(widths[k]) for k in columns).rstrip() for line in lines]
    if total > len(shown):
        text.insert(1 + first, f"... {total - len(shown):,} rows")
    return "\n".join(text)


def _of_arrays(tape: RecordedTape, row: Row) -> tuple[str, str, bool]:
    """What a row is called: ``array matmul``; its number, or its shape; whether it writes into an
    array."""
    if row.operation not in ("array", "store"):
        return row.operation, _number(row.value), False
    _, a, _, _ = tape._tape.row(row.number)
    if row.operation == "store":
        return "store", _number(tape._tape.operand_value(a)), True
    record = tape._tape.records[a]
    name = "array"
    if row.number not in tape.inputs.values():
        name = f"array {operation_name(record)}"
    places = [out for out in outs_of(record) if type(out) is Place]
    if not places:
        return name, _number(row.value), False
    return name, str(places[0].shape), True


def _cells(row: Row, operation: str, value: str, name: str | None, adjoint: str) -> tuple[str, ...]:
    operation = operation if name is None else f"{operation} {name}"
    operands = ", ".join(f"r{k}" if type(k) is int else _number(k) for k in row.operands)
    partials = ", ".join(map(_number, row.partials))
    source = "" if name is not None else _source(row)
    return f"r{row.number}", operation, operands, value, partials, adjoint, source


def _number(x: float) -> str:
    return f"{x:.7g}"


def _source(row: Row) -> str:
    if row.place is None or row.operation == "input":
        return ""
    file, line, _ = row.place
    return f"{os.path.basename(file)}:{line}  {linecache.getline(file, line).strip()}".rstrip()
