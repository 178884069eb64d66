"""A branch report as a table, and as HTML."""

from __future__ import annotations

import html as markup
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapead.inspect.branches import BranchReport, Decision, Move

_HEADER = ("where", "decides", "times", "true", "left", "right", "margin", "to flip", "source")
_NUMBERS = (2, 3, 4, 5, 6)
_MOVES = 3
_SOURCE = 60


def table(report: BranchReport) -> str:
    """``str`` of a `BranchReport`."""
    head = f"{report.function}: {count(report.decided, 'decision')}"
    if not report.decided:
        return f"{head} on tracked values"
    places = len(report) + report.left_out
    head += f" at {count(places, 'place')}, the closest of each place:"
    rows = [_HEADER, *map(_cells, report)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (
            cell.rjust(w) if k in _NUMBERS else cell.ljust(w)
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join([head, *lines, *_notes(report)])


def html(report: BranchReport) -> str:
    """A `BranchReport` for notebooks; ties are shaded."""
    head = f"<b>{markup.escape(report.function)}</b>: {count(report.decided, 'decision')}"
    lines = ["<table><tr>" + "".join(f"<th>{name}</th>" for name in _HEADER) + "</tr>"]
    for decision in report:
        shade = ' style="background-color: rgba(230, 120, 20, 0.3)"' if decision.tie else ""
        cells = []
        for k, cell in enumerate(_cells(decision)):
            side = "right" if k in _NUMBERS else "left"
            cells.append(f'<td style="text-align: {side}">{markup.escape(cell)}</td>')
        lines.append(f"<tr{shade}>{''.join(cells)}</tr>")
    notes = "".join(f"<p>{markup.escape(note)}</p>" for note in _notes(report))
    return "\n".join([head, *lines, "</table>", notes])


def _cells(d: Decision) -> tuple[str, ...]:
    source = d.source if len(d.source) <= _SOURCE else d.source[: _SOURCE - 3] + "..."
    known = d.margin == d.margin
    place = f"{os.path.basename(d.file)}:{d.line}" if d.file else "?"
    operation = d.operation
    if d.index:
        operation += f" [{', '.join(map(str, d.index))}]"
    return (
        place,
        operation,
        f"{d.times:,}",
        "" if d.held is None else f"{d.held:,}",
        f"{d.left:.6g}" if known else "?",
        f"{d.right:.6g}" if known else "?",
        "0 tie" if d.tie else f"{d.margin:.3g}" if known else "?",
        _flips(d) if known else "?",
        source,
    )


def _flips(d: Decision) -> str:
    """The inputs that need least, in parts of themselves where that can be said."""
    if d.tie:
        return "at the edge"
    moves = d.moves
    if not moves:
        return "no input, to first order"
    near = sorted(moves.items(), key=lambda item: item[1].norm)
    text = ", ".join(_moved(name, move) for name, move in near[:_MOVES])
    return text if len(near) <= _MOVES else f"{text}, ..."


def _moved(name: str, move: Move) -> str:
    by = f"{move.by:+.3g}"
    if not move.index:
        return f"{name} {by}"
    return f"{name}[{', '.join(map(str, move.index))}] {by} (all: {move.norm:.3g})"


def _notes(report: BranchReport) -> list[str]:
    notes = []
    ties = report.ties
    if ties:
        notes.append("Ties, where the derivative is a convention:")
    for d in ties:
        place = f"{os.path.basename(d.file)}:{d.line}" if d.file else "?"
        often = "" if d.times == 1 else f", {d.ties:,} of {d.times:,} times"
        notes.append(f"  {place} {d.operation}{often}: {d.convention}")
    if any(m.index for d in report for m in d.moves.values() if not d.tie):
        notes.append("An element moves alone, or all of its array by a vector of the norm given.")
    if report.left_out:
        notes.append(f"{count(report.left_out, 'place')} with larger margins left out.")
    return ["", *notes] if notes else []


def count(n: int, what: str) -> str:
    """``1 tie``, ``2 ties``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
