"""The Wengert list as text."""

from __future__ import annotations

import linecache
import os
from typing import TYPE_CHECKING

from tapead.inspect.arguments import at_least_0

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
        value = "" if adjoint is None else _number(adjoint[number])
        lines.append(_cells(tape.row(number), names.get(number), value))
    columns = [k for k in range(len(_HEADER)) if any(line[k] for line in lines[1:])]
    widths = {k: max(len(line[k]) for line in lines) for k in columns}
    text = ["  ".join(line[k].ljust(widths[k]) for k in columns).rstrip() for line in lines]
    if total > len(shown):
        text.insert(1 + first, f"... {total - len(shown):,} rows")
    return "\n".join(text)


def _cells(row: Row, name: str | None, adjoint: str) -> tuple[str, ...]:
    operation = row.operation if name is None else f"{row.operation} {name}"
    operands = ", ".join(f"r{k}" if type(k) is int else _number(k) for k in row.operands)
    partials = ", ".join(map(_number, row.partials))
    number = f"r{row.number}"
    return number, operation, operands, _number(row.value), partials, adjoint, _source(row)


def _number(x: float) -> str:
    return f"{x:.7g}"


def _source(row: Row) -> str:
    if row.place is None or row.operation == "input":
        return ""
    file, line, _ = row.place
    return f"{os.path.basename(file)}:{line}  {linecache.getline(file, line).strip()}".rstrip()
