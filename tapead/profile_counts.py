"""Counting a recorded tape: rows and bytes by operation, by line, by function and by stack.

Every row has a place, a line and the stack of calls that led to it.  All that is counted is counted
by place first; lines, functions and stacks are sums over places.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from tapead.elementary import OPS
from tapead.places import Place, outs_of, root_of
from tapead.profile_uses import (
    ByPlace,
    Calls,
    CheckpointGain,
    FunctionUse,
    LineUse,
    OperationUse,
    Stacks,
    lines_of,
)
from tapead.record import RecordedTape
from tapead.rules.table import rule_name
from tapead.tape import BYTES_PER_CONSTANT, BYTES_PER_ROW, Tape

# What a checkpointed call of a few numbers keeps, measured; arrays that it is given come on top.
BYTES_PER_CALL = 2_000
CONSTANTS = "(constants)"

_ARRAY = next(k for k, op in enumerate(OPS) if op.name == "array")
_BLOCK = 2**20
_MOST_GAINS = 50  # functions whose checkpointing is looked at, the largest first
_NO_CHECKPOINT = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Counts(NamedTuple):
    """All counts of one tape; `spans` gives the first and last line of each function in a file."""

    constants: int
    kept: int
    records: int
    adjoints: int
    operations: list[OperationUse]
    lines: list[LineUse]
    functions: list[FunctionUse]
    gains: list[CheckpointGain]
    stacks: list[tuple[tuple[str, ...], int, int]]
    spans: dict[str, list[tuple[int, int]]]


def counted(recorded: RecordedTape, calls: dict[CodeType, Calls] | None, whole: float) -> Counts:
    """The counts of a tape with lines and stacks.

    `calls` are those of each function, `whole` the seconds of the program, measured as theirs are.
    """
    tape = recorded._tape
    inputs = len(recorded.inputs)
    codes, constant_rows, record_rows = _columns(tape)
    kept, objects = kept_alive(tape.records)
    # Beside their 17 bytes some rows have more: a constant that is new, a record, an array.
    rows = np.concatenate([constant_rows, record_rows])
    more = np.concatenate([np.full(len(constant_rows), BYTES_PER_CONSTANT), kept + objects])

    end = len(tape.sources.places) + 1
    of_rows = np.zeros(end, np.int64)
    for lo, hi in _blocks(len(tape)):
        of_rows += np.bincount(_sources(tape, lo, hi, inputs), minlength=end)
    of_bytes = BYTES_PER_ROW * of_rows + _total_at(tape, rows, more, inputs)
    places = ByPlace(of_rows, of_bytes, _total_at(tape, record_rows, kept, inputs))

    stacks = Stacks(tape.sources, calls)
    functions = stacks.functions(places)
    before = _Before(len(tape), rows, more)
    arrays = _Arrays(tape, record_rows)
    gains = [
        _gain(use, _runs(tape, members, inputs), before, whole, arrays)
        for use, code, members in functions[:_MOST_GAINS]
        if _can_be_checkpointed(code, calls)
    ]
    return Counts(
        constants=tape.n_const,
        kept=int(kept.sum()),
        records=int(objects.sum()),
        adjoints=8 * len(tape) + sum(root.size * root.dtype.itemsize for root in tape.storages),
        operations=_operations(tape, codes, kept, objects),
        lines=lines_of(tape.sources, places),
        functions=[use for use, _, _ in functions],
        gains=sorted(gains, key=lambda gain: (-gain.saves, gain.share)),
        stacks=stacks.collapsed(places),
        spans=stacks.spans(places),
    )


# ------------------------------------------------------------------------------ the columns ---


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    for lo in range(0, n, _BLOCK):
        yield lo, min(n, lo + _BLOCK)


def _columns(tape: Tape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each code occurs, the first row of each constant, the row of each record."""
    codes = np.zeros(len(OPS), np.int64)
    first = np.full((2, tape.n_const), len(tape))
    records = np.zeros(len(tape.records), np.int64)
    for lo, hi in reversed(list(_blocks(len(tape)))):
        code, *operands, _ = tape.rows(lo, hi)
        codes += np.bincount(code, minlength=len(OPS))
        for k, column in enumerate(operands):
            at = np.flatnonzero(column < 0)[::-1]
            first[k, -1 - column[at]] = lo + at  # of several rows the last one assigned, the first
        at = np.flatnonzero(code == _ARRAY)
        records[operands[0][at]] = lo + at
    constants = first.min(axis=0)
    return codes, constants[constants < len(tape)], records


def _sources(tape: Tape, lo: int, hi: int, inputs: int) -> np.ndarray:
    """The places of rows lo to hi; the inputs have one of their own."""
    places = tape.sources_of(lo, hi)
    places[: max(0, inputs - lo)] = len(tape.sources.places)
    return places


def _total_at(tape: Tape, rows: np.ndarray, amounts: np.ndarray, inputs: int) -> np.ndarray:
    """The sum of some rows' amounts at each place."""
    order = np.argsort(rows, kind="stable")
    rows, amounts = rows[order], amounts[order]
    total = np.zeros(len(tape.sources.places) + 1)
    for lo, hi in _blocks(len(tape)):
        begin, end = np.searchsorted(rows, (lo, hi))
        if end > begin:
            places = _sources(tape, lo, hi, inputs)[rows[begin:end] - lo]
            total += np.bincount(places, amounts[begin:end], len(total))
    return total.astype(np.int64)


# ------------------------------------------------------------------------------- the arrays ---


def kept_alive(records: list) -> tuple[np.ndarray, np.ndarray]:
    """For each record the bytes of arrays that it keeps, and those of its own objects.

    Memory that several keep is counted at the first of them.
    """
    seen: set[int] = set()
    kept = np.zeros(len(records), np.int64)
    objects = np.zeros(len(records), np.int64)
    for k, record in enumerate(records):
        objects[k] = sys.getsizeof(record)
        for held in (record.kept, record.options):
            kept[k] += _array_bytes(held, seen)
        for held in (record.ins, record.out, record.kept, record.options):
            objects[k] += _object_bytes(held, seen)
    return kept, objects


def _array_bytes(held: Any, seen: set[int]) -> int:
    if isinstance(held, np.ndarray):
        while isinstance(held.base, np.ndarray):
            held = held.base
        if id(held) in seen:
            return 0
        seen.add(id(held))
        return held.nbytes
    if isinstance(held, (tuple, list)):
        return sum(_array_bytes(x, seen) for x in held)
    if isinstance(held, dict):
        return sum(_array_bytes(x, seen) for x in held.values())
    return 0


def _object_bytes(held: Any, seen: set[int]) -> int:
    """What the objects around arrays take: tuples, places, the arrays' headers."""
    if type(held) in (tuple, list, dict):
        inside = held.values() if type(held) is dict else held
        own = sys.getsizeof(held) if len(held) else 0
        return own + sum(_object_bytes(x, seen) for x in inside)
    if type(held) is Place:
        key = -id(held)
        if key in seen:
            return 0
        seen.add(key)
        return sys.getsizeof(held) + sum(map(sys.getsizeof, (held.shape, held.strides or ())))
    if isinstance(held, np.ndarray):
        return sys.getsizeof(held) - (held.nbytes if held.base is None else 0)
    return 0


def _operations(
    tape: Tape, codes: np.ndarray, kept: np.ndarray, objects: np.ndarray
) -> list[OperationUse]:
    found: dict[str, list[int]] = {}
    for op, n in zip(OPS, codes.tolist(), strict=True):
        if n and op.name != "array":
            found[op.name] = [n, BYTES_PER_ROW * n, 0]
    for record, k, more in zip(tape.records, kept.tolist(), objects.tolist(), strict=True):
        use = found.setdefault(f"array {rule_name(record.rule)}", [0, 0, 0])
        use[0] += 1
        use[1] += BYTES_PER_ROW + k + more
        use[2] += k
    if tape.n_const:
        found[CONSTANTS] = [0, BYTES_PER_CONSTANT * tape.n_const, 0]
    uses = [OperationUse(name, *use) for name, use in found.items()]
    return sorted(uses, key=lambda use: -use.bytes)


# ------------------------------------------------------------------------------ predictions ---


def _can_be_checkpointed(code: CodeType, calls: dict[CodeType, Calls] | None) -> bool:
    """Whether a function's calls are whole: no generator, and none that calls itself."""
    if code.co_name == "<module>" or code.co_flags & _NO_CHECKPOINT:
        return False
    return calls is None or code not in calls or calls[code].again == 0


def _runs(tape: Tape, members: np.ndarray, inputs: int) -> np.ndarray:
    """First and last row + 1 of each stretch of rows that a function and its callees wrote."""
    inside = np.zeros(len(tape.sources.places) + 1, bool)
    inside[members] = True
    within = np.zeros(len(tape) + 2, np.int8)
    for lo, hi in _blocks(len(tape)):
        within[lo + 1 : hi + 1] = inside[_sources(tape, lo, hi, inputs)]
    return np.flatnonzero(np.diff(within)).reshape(-1, 2)


def _gain(
    use: FunctionUse, runs: np.ndarray, before: _Before, whole: float, arrays: _Arrays
) -> CheckpointGain:
    """What checkpointing a function saves of the tape at its longest, which is one of two:

    the tape at the end of the forward run, without the function's rows; or, in the sweep, what
    lies before one of its calls and that call's rows, recorded again.  All that comes after the
    call has been swept and dropped by then.
    """
    begins, ends = before(runs[:, 0]), before(runs[:, 1])
    bytes_of = ends - begins
    all_of = int(bytes_of.sum())
    others_after = before.total - ends - (all_of - np.cumsum(bytes_of))
    # Calls one after another look like one stretch, of as many equal ones as it has a part in all.
    count = max(len(runs), use.calls or 0)
    largest = bytes_of / (1.0 + (count - len(runs)) * bytes_of / all_of)
    worst = int(np.max(np.maximum(0.0, largest - others_after)))
    share = use.bytes / before.total
    if use.seconds is not None and whole > 0.0:
        share = min(1.0, use.seconds / whole)
    saves = all_of - worst - BYTES_PER_CALL * count - arrays.given(_in_calls(runs, count))
    return CheckpointGain(use.function, use.file, use.line, use.calls, saves, share)


def _in_calls(runs: np.ndarray, count: int) -> np.ndarray:
    """Stretches of rows cut into so many calls in all, each stretch into equal ones."""
    lengths = runs[:, 1] - runs[:, 0]
    shares = np.maximum(1, np.round(count * lengths / lengths.sum())).astype(int)
    shares = np.minimum(shares, lengths)
    k = np.arange(shares.sum()) - np.repeat(np.cumsum(shares) - shares, shares)
    lo, length, parts = (np.repeat(x, shares) for x in (runs[:, 0], lengths, shares))
    return np.stack([lo + k * length // parts, lo + (k + 1) * length // parts], 1)


class _Arrays:
    """Which arrays operations read, and which row each array is of."""

    def __init__(self, tape: Tape, record_rows: np.ndarray) -> None:
        self.sizes = np.array([root.size * root.dtype.itemsize for root in tape.storages] or [0])
        self.made = np.full(len(self.sizes), len(tape))
        reads: list[tuple[int, int]] = []
        for row, record in zip(record_rows.tolist(), tape.records, strict=True):
            for k, x in enumerate((*record.ins, *outs_of(record))):
                if type(x) is not Place:
                    continue
                number = root_of(x).number
                if number >= 0:
                    self.made[number] = min(self.made[number], row)
                    if k < len(record.ins):
                        reads.append((row, number))
        self.rows, self.roots = np.array(sorted(reads), int).reshape(-1, 2).T

    def given(self, calls: np.ndarray) -> int:
        """Bytes of the arrays that calls read which were made before them: what they are given."""
        if not len(self.rows):
            return 0
        at = np.searchsorted(calls[:, 0], self.rows, "right") - 1
        lo, hi = calls[at].T
        outside = (at >= 0) & (self.rows < hi) & (self.made[self.roots] < lo)
        return int(self.sizes[np.unique(self.roots[outside])].sum())


class _Before:
    """Bytes of the tape before some rows."""

    def __init__(self, n: int, rows: np.ndarray, more: np.ndarray) -> None:
        order = np.argsort(rows, kind="stable")
        self.rows = rows[order]
        self.more = np.concatenate([[0], np.cumsum(more[order])])
        self.total = int(self(np.array([n]))[0])

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return BYTES_PER_ROW * rows + self.more[np.searchsorted(self.rows, rows)]
