"""Decisions as they are found on a tape: those that the engine noted, and rows with a kink.

All are numbered: first the noted ones, then the rows.  What is wanted of every one (its line, its
margin) stands in columns; the rest is computed for those that are shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapead.array import plain_of
from tapead.elementary import CODES, OPS
from tapead.inspect.columns import operand_values
from tapead.inspect.kinds import IGNORED, NOTED, OF_NUMBERS, POINTS, RECORDS, ROWS
from tapead.inspect.margins import Kind, measured
from tapead.inspect.runs import Line, line_of
from tapead.places import Row
from tapead.rules.table import Rule
from tapead.tape import Tape

_ARRAY = CODES["array"]
_UNKNOWN = "not known"
_EXACT = 2**53
_MOST_CONSTANTS = 4


class Choice(NamedTuple):
    """One decision, at its closest element; `terms` are (row or place, element, weight)."""

    operation: str
    left: float
    right: float
    margin: float
    result: Any
    index: tuple[int, ...]
    convention: str
    terms: list[tuple[Any, int, complex]]
    where: Line
    row: int


class Group(NamedTuple):
    """What one operation of one line decided: `closest` is the number of that with the smallest
    margin."""

    closest: int
    times: int
    held: int | None
    ties: int


class _Columns:
    """For each event its number, group, margin, elements, how many of them are true, and tied."""

    def __init__(self) -> None:
        self.parts: list[list] = [[], [], [], [], [], []]

    def add(self, *columns: Any) -> None:
        for part, column in zip(self.parts, columns, strict=True):
            part.append(column)

    def joined(self) -> list[np.ndarray]:
        kinds = (np.intp, np.intp, float, np.intp, np.intp, np.intp)
        return [
            np.concatenate([np.atleast_1d(x) for x in part]).astype(kind)
            if part
            else np.zeros(0, kind)
            for part, kind in zip(self.parts, kinds, strict=True)
        ]


class Found:
    """All decisions of a tape.

    Attributes
    ----------
    events : which note or row each one is
    margins : of each one, nan where it is not known
    groups : by line and operation, the smallest margins first
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.entries = tape.decisions or []
        self.names: dict[tuple[int, str, tuple], int] = {}
        columns = _Columns()
        self._noted(columns)
        self._rows(columns)
        self.events, group, self.margins, times, held, ties = columns.joined()
        self.groups = _grouped(self.margins, group, times, held, ties)

    def _group(self, place: int, name: str, constants: tuple = ()) -> int:
        return self.names.setdefault((place, name, constants), len(self.names))

    # -- finding

    def _noted(self, columns: _Columns) -> None:
        """The engine's notes; those of numbers, of which there may be millions, by lists."""
        plain: dict[tuple[int, str], dict[tuple, list[tuple]]] = {}
        for k, entry in enumerate(self.entries):
            name, operands, result, place, _, options = entry
            if name in OF_NUMBERS and not options and _are_numbers(operands):
                constants = tuple([x if key is None else None for key, x in operands])
                group = plain.setdefault((place, name), {}).setdefault(constants, [])
                group.append((k, result, *(x for _, x in operands)))
            elif name not in IGNORED:
                self._one(columns, k, place, *_of_entry(entry))
        for (place, name), by_constants in plain.items():
            for constants, rows in _few(by_constants).items():
                self._numbers(columns, place, name, constants, rows)

    def _numbers(
        self, columns: _Columns, place: int, name: str, constants: tuple, rows: list[tuple]
    ) -> None:
        """What one operation of one line decides about numbers."""
        events, results, *values = zip(*rows, strict=True)
        sides = measured(NOTED[name], [np.array(x, float) for x in values], {})
        margins = _difference(sides.left, sides.right)
        ones = np.ones(len(rows), np.intp)
        held = np.array(results) if type(results[0]) is bool else -ones
        group = np.full(len(rows), self._group(place, NOTED[name].name, constants))
        columns.add(np.array(events), group, margins, ones, held, margins == 0.0)

    def _one(
        self, columns: _Columns, event: int, place: int, name: str, kind: Kind | None,
        values: list, options: dict, result: Any,
    ) -> None:  # fmt: skip
        sides = None if kind is None else measured(kind, values, options)
        group = self._group(place, name)
        if sides is None:
            columns.add(event, group, np.nan, 1, -1, 0)
        elif sides.left.size:
            margins = _difference(sides.left, sides.right)
            held = -1
            if np.asarray(result).dtype.kind == "b":
                held = int(np.count_nonzero(np.broadcast_to(result, margins.shape)))
            ties = int(np.count_nonzero(margins == 0.0))
            nearest = margins.flat[_nearest(margins)]
            columns.add(event, group, nearest, margins.size, held, ties)

    def _rows(self, columns: _Columns) -> None:
        """Rows of numbers with a kink or a step, and records of operations on arrays."""
        tape, shift = self.tape, len(self.entries)
        codes, a, b, column = tape.rows(0, len(tape))
        for name, kind in ROWS.items():
            rows = np.flatnonzero(codes == CODES[name])
            if name in POINTS:
                rows = rows[column[rows] == 0.0]
            if not rows.size:
                continue
            operands = (a, b)[: OPS[CODES[name]].arity]
            values = [operand_values(tape, column, x[rows]) for x in operands]
            sides = measured(kind, values, {})
            margins = _difference(sides.left, sides.right)
            groups = np.array([self._group(p, kind.name) for p in _places(tape, rows)])
            ones = np.ones(rows.size, np.intp)
            columns.add(shift + rows, groups, margins, ones, -ones, margins == 0.0)
        for row in np.flatnonzero(codes == _ARRAY).tolist():
            kind, values, options = self._record(int(a[row]))
            if kind is not None:
                place = _places(tape, np.array([row]))[0]
                self._one(columns, shift + row, place, kind.name, kind, values, options, None)

    def _record(self, number: int) -> tuple[Kind | None, list, dict]:
        record = self.tape.records[number]
        rule = record.rule
        known = rule.ufunc if type(rule) is Row else rule.function if type(rule) is Rule else None
        kind = RECORDS.get(known)
        if kind is None:
            return None, [], {}
        values = [plain_of(x) for x in record.kept[:-1]]
        values = [x if isinstance(x, (np.ndarray, np.number, float, int)) else None for x in values]
        options = record.options or {}
        if callable(options.get("function")):  # one rule serves several
            kind = kind._replace(name=options["function"].__name__)
        return kind, values, options

    # -- one of them

    def choice(self, k: int) -> Choice:
        """The k-th decision, with all that is to be said of it."""
        event = int(self.events[k])
        if event < len(self.entries):
            entry = self.entries[event]
            name, kind, values, options, result = _of_entry(entry)
            place, row = entry[3], entry[4]
            keys = [key for key, _ in entry[1]]
        else:
            row = event - len(self.entries)
            name, kind, values, options, keys = self._of_row(row)
            place, result = _places(self.tape, np.array([row]))[0], None
        code, line = (None, 0) if place < 0 else self.tape.sources.places[place]
        sides = None if kind is None else measured(kind, values, options)
        convention = _UNKNOWN if kind is None else kind.convention
        if sides is None:
            nan = float("nan")
            return Choice(name, nan, nan, nan, None, (), convention, [], line_of(code, line), row)
        margins = _difference(sides.left, sides.right)
        at = np.unravel_index(_nearest(margins), margins.shape)
        index = tuple(map(int, at))
        terms = [(keys[j], i, w) for j, i, w in sides.terms(index) if keys[j] is not None]
        shape = np.shape(result)
        if shape:
            result = result[index] if shape == margins.shape else None
        elif np.asarray(result).dtype.kind not in "biuf":
            result = None
        return Choice(
            name, float(sides.left[index]), float(sides.right[index]), float(margins[index]),
            result.item() if isinstance(result, np.generic) else result, index, convention, terms,
            line_of(code, line), row,
        )  # fmt: skip

    def _of_row(self, row: int) -> tuple[str, Kind, list, dict, list]:
        code, a, b, _ = self.tape.row(row)
        if code == _ARRAY:
            kind, values, options = self._record(a)
            return kind.name, kind, values, options, list(self.tape.records[a].ins)
        op = OPS[code]
        operands = (a, b)[: op.arity]
        keys = [k if k >= 0 else None for k in operands]
        values = [np.float64(self.tape.operand_value(k)) for k in operands]
        return ROWS[op.name].name, ROWS[op.name], values, {}, keys


def found(tape: Tape) -> Found:
    """All decisions of a tape that was recorded with ``decisions=True``."""
    return Found(tape)


def _few(by_constants: dict[tuple, list[tuple]]) -> dict[tuple, list[tuple]]:
    """Decisions by the constants that numbers are compared with: ``max(path) > 150.0`` decides
    two things.  Where there are many, by which of the operands are constants."""
    if len(by_constants) <= _MOST_CONSTANTS:
        return by_constants
    found: dict[tuple, list[tuple]] = {}
    for constants, rows in by_constants.items():
        found.setdefault(tuple(x is None for x in constants), []).extend(rows)
    return found


def _are_numbers(operands: tuple) -> bool:
    """Whether all operands are plain numbers that floats can be."""
    return all(type(x) is float or (type(x) is int and abs(x) <= _EXACT) for _, x in operands)


def _of_entry(entry: tuple) -> tuple[str, Kind | None, list, dict, Any]:
    name, operands, result, _, _, options = entry
    kind = NOTED.get(name)
    values = [x for _, x in operands]
    return name.lstrip("_") if kind is None else kind.name, kind, values, options, result


def _grouped(
    margins: np.ndarray, group: np.ndarray, times: np.ndarray, held: np.ndarray, ties: np.ndarray
) -> list[Group]:
    if not group.size:
        return []
    count = int(group.max()) + 1
    size = np.where(np.isnan(margins), np.inf, np.abs(margins))
    order = np.lexsort((np.isnan(margins), size, group))
    first = order[np.searchsorted(group[order], np.arange(count))]
    sums = [np.bincount(group, x, count) for x in (times, np.maximum(held, 0), ties)]
    told = np.bincount(group, held < 0, count) == 0
    made = [
        Group(int(first[g]), int(sums[0][g]), int(sums[1][g]) if told[g] else None, int(sums[2][g]))
        for g in range(count)
    ]
    unknown = np.isnan(margins[first])
    return [made[g] for g in np.lexsort((np.arange(count), size[first], unknown))]


def _difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left - right, 0 for two that are equal, infinities too."""
    with np.errstate(all="ignore"):
        return np.where(left == right, 0.0, np.subtract(left, right, dtype=float))


def _nearest(margins: np.ndarray) -> int:
    """The flat place of the smallest margin, by size; a nan only where all are."""
    size = np.abs(margins).reshape(-1)
    return int(np.argmin(np.where(np.isnan(size), np.inf, size)))


def _places(tape: Tape, rows: np.ndarray) -> list[int]:
    """The numbers of the lines that wrote rows; -1 where they were not kept."""
    if not tape.keeps_lines:
        return [-1] * len(rows)
    lo, hi = int(rows.min()), int(rows.max()) + 1
    return tape.sources_of(lo, hi)[rows - lo].tolist()
