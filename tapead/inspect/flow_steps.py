"""Where the steps of a loop begin on a tape, found from the source lines that its rows come from.

A loop's next passage begins where the line number jumps back within the loop.  Where all rows of a
loop come from one line, it begins where the sequence of operations repeats.
"""

from __future__ import annotations

import linecache
import math
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tapead.elementary import CODES
from tapead.inspect.lines import Lines, Loop, source_of
from tapead.tape import Tape

_ARRAY, _ELEMENT, _STORE = (CODES[name] for name in ("array", "element", "store"))
_LONGEST_PERIOD = 1000
# Of the rows of a loop: a step that has more of them than this does not divide it.
_LONGEST_STEP = 0.6
# So many stretches of rows from one line are looked at.
_MOST_RUNS = 5
# So many passages tell what a loop calls.
_LOOKED_AT = 100


class Steps(NamedTuple):
    """Step k covers the rows ``starts[k] <= r < starts[k + 1]``, the last one up to `stop`."""

    starts: np.ndarray
    stop: int
    what: str


# ----------------------------------------------------------------------------- the steps ---


def steps_of(tape: Tape, lines: Lines, steps: int | Sequence[int] | None) -> Steps:
    """The steps of a tape: those that are given, or those of its main loop."""
    if steps is not None and not isinstance(steps, (int, np.integer)):
        return _given(steps, len(tape))
    candidates = _loops(lines) or _functions(lines)
    if steps is not None:
        return _counted(tape, lines, candidates + _functions(lines) + _single(lines), int(steps))
    found = _best(candidates)
    if found is None:
        found = _repeated(tape, lines)
    if found is None:
        raise ValueError(
            "no loop was found among the lines that wrote this tape: say how many steps there "
            "are, steps=100, or give the row that each of them begins with, steps=[3, 9, 15]"
        )
    return found


def _given(steps: Sequence[int], n: int) -> Steps:
    starts = np.asarray(steps)
    whole = starts.ndim == 1 and len(starts) > 0 and starts.dtype.kind in "iu"
    if not whole or starts[0] < 0 or starts[-1] >= n or (np.diff(starts) <= 0).any():
        raise ValueError(
            f"steps has to be a number, or the first rows of the steps: whole numbers from 0 to "
            f"{n - 1} that increase; got {steps!r}"
        )
    return Steps(starts.astype(np.int64), n, "as given")


def _best(candidates: list[Steps]) -> Steps | None:
    """The outermost loop of those that have most of the rows."""
    several = [c for c in candidates if len(c.starts) > 1]
    if not several:
        return None
    most = max(c.stop - c.starts[0] for c in several)
    large = [c for c in several if c.stop - c.starts[0] >= 0.5 * most]
    even = [
        c
        for c in large
        if np.diff(c.starts, append=c.stop).max() <= _LONGEST_STEP * (c.stop - c.starts[0])
    ]
    return min(even or large, key=lambda c: len(c.starts))


def _counted(tape: Tape, lines: Lines, candidates: list[Steps], n: int) -> Steps:
    """The lines that are passed n times, or a multiple of that."""
    if n < 1:
        raise ValueError(f"steps={n}: a number of steps is positive")
    for exactly in (True, False):
        fits = [c for c in candidates if len(c.starts) == n or not (exactly or len(c.starts) % n)]
        if fits:
            found = min(fits, key=lambda c: (len(c.starts), -(c.stop - c.starts[0])))
            return found._replace(starts=found.starts[:: len(found.starts) // n])
    for begin, end in _longest_runs(lines):
        if (end - begin) % n == 0:
            what = _repetitions(lines.places[lines.number[begin]])
            return Steps(np.arange(begin, end, (end - begin) // n), end, what)
    known = sorted({len(c.starts) for c in candidates})
    raise ValueError(
        f"no line was passed {n} times, nor a multiple of it; lines were passed "
        f"{', '.join(f'{k:,}' for k in known[:20])} times. The rows that the steps begin with can "
        "be given instead, steps=[3, 9, 15]"
    )


def _where(place: tuple[str, int, str]) -> str:
    return f"{os.path.basename(place[0])}:{place[1]}"


def _repetitions(place: tuple[str, int, str]) -> str:
    source = linecache.getline(place[0], place[1]).strip()
    return f"repetitions in {_where(place)}  {source}".rstrip()


def _runs(number: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Of some rows the positions where another line begins, or a gap has been."""
    if not len(rows):
        return rows
    new = (np.diff(number[rows]) != 0) | (np.diff(rows) != 1)
    return np.concatenate([[0], 1 + np.flatnonzero(new)])


def _stop(lines: Lines, starts: np.ndarray, own: np.ndarray) -> int:
    """Where the last step ends: at the first row from a line that no step before it came from."""
    begin, last = int(starts[0]), int(starts[-1])
    seen = np.zeros(len(lines.places) + 1, bool)
    seen[lines.number[begin:last]] = True
    seen[own] = True
    other = np.flatnonzero(~seen[lines.number[last:]])
    return last + int(other[0]) if len(other) else len(lines.number)


def _passages(
    lines: Lines, own: list[int], inner: np.ndarray, what: str, tail: float = math.inf
) -> Steps | None:
    """The passages of some lines of one function, given by number.

    `inner` has for each line the number of the loop inside, -1 where it is in none; `tail` is the
    line that the last statement begins at.
    """
    table = np.zeros(len(lines.places) + 1, bool)
    table[own] = True
    rows = np.flatnonzero(table[lines.number])
    if not len(rows):
        return None
    first = _runs(lines.number, rows)
    number = lines.number[rows[first]]
    line = np.array([place[1] for place in lines.places])[number]
    inside = inner[number]
    back = np.diff(line) < 0
    if len(set(line.tolist())) == 1:  # all there is to see: it is passed again after others
        back |= number[1:] == number[0]
    back &= (inside[1:] < 0) | (np.diff(inside) != 0)
    starts = rows[first[np.concatenate([[True], back])]]
    jumps = np.flatnonzero(back)
    ends = rows[first[1:][jumps] - 1] + 1
    _with_calls(lines, starts, ends, line[jumps] >= tail, int(rows[-1]) + 1)
    return Steps(starts, _stop(lines, starts, np.array(own)), what)


def _with_calls(
    lines: Lines, starts: np.ndarray, ends: np.ndarray, ended: np.ndarray, stop: int
) -> None:
    """Let passages begin with what other functions wrote for them.

    `ends` are where the passages end by their own lines, but for the last one, which ends at
    `stop`; `ended` says whether nothing that writes rows comes after that.  What lies between an
    end and a start belongs to the one or to the other: what the first passage begins with, and the
    last one ends with, tells which functions are called where.
    """
    between = np.zeros(len(lines.places) + 1, bool)
    pairs = zip(ends[:_LOOKED_AT].tolist(), starts[1 : _LOOKED_AT + 1].tolist(), strict=True)
    for lo, hi in pairs:
        between[lines.number[lo:hi]] = True
    between[-1] = False
    others = np.flatnonzero(~between[lines.number[: starts[0]]])
    head = int(others[-1]) + 1 if len(others) else 0
    others = np.flatnonzero(~between[lines.number[stop:]])
    tail = stop + (int(others[0]) if len(others) else len(lines.number) - stop)
    first, last = np.zeros(len(between), bool), np.zeros(len(between), bool)
    first[lines.number[head : starts[0]]] = True
    last[lines.number[stop:tail]] = True
    if not (first & last).any():
        # The first row of a function that is called at the beginning.
        begins = np.append(np.flatnonzero(first[lines.number]), len(lines.number))
        new = np.minimum(begins[np.searchsorted(begins, ends)], starts[1:])
    else:  # called at both ends, or once more outside of the loop
        new = np.where(ended, ends, starts[1:])
    longest = int((starts[1:] - new).max(initial=0))
    starts[0] = max(head, starts[0] - longest)
    starts[1:] = new


def _loops(lines: Lines) -> list[Steps]:
    """The passages of every loop that has rows of its own lines."""
    of_loop: dict[tuple[str, Loop], list[int]] = {}
    chains: list[tuple[Loop, ...]] = []
    sources = {file: source_of(file) for file in {place[0] for place in lines.places}}
    for k, (file, line, _) in enumerate(lines.places):
        chains.append(sources[file].loops.get(line, ()))
        for loop in chains[-1]:
            of_loop.setdefault((file, loop), []).append(k)
    found = []
    for (file, loop), own in of_loop.items():
        inner = np.full(len(lines.places), -1)
        for k in own:
            deeper = chains[k][chains[k].index(loop) + 1 :]
            inner[k] = deeper[0].first if deeper else -1
        where = f"the loop at {os.path.basename(file)}:{loop.first}"
        text = f"{where}  {linecache.getline(file, loop.first).strip()}".rstrip(": ")
        steps = _passages(lines, own, inner, text, loop.tail)
        found.append(steps and _without_last_test(lines, steps, loop))
    return [c for c in found if c is not None]


def _without_last_test(lines: Lines, steps: Steps, loop: Loop) -> Steps:
    """The steps of a while loop, but for its last test, after which nothing ran."""
    last = int(steps.starts[-1])
    number = lines.number[last : steps.stop]
    if len(steps.starts) < 2 or any(lines.places[k][1] != loop.first for k in np.unique(number)):
        return steps
    before = lines.number[steps.starts[-2] : last]
    if all(lines.places[k][1] == loop.first for k in np.unique(before)):
        return steps
    return Steps(steps.starts[:-1], last, steps.what)


def _functions(lines: Lines) -> list[Steps]:
    """The passages of every function, told by its lines."""
    own: dict[tuple[str, str], list[int]] = {}
    for k, (file, _, function) in enumerate(lines.places):
        own.setdefault((file, function), []).append(k)
    outside = np.full(len(lines.places), -1)
    found = [_passages(lines, ks, outside, f"calls of {name}") for (_, name), ks in own.items()]
    return [c for c in found if c is not None]


def _single(lines: Lines) -> list[Steps]:
    """The passages of every line by itself."""
    outside = np.full(len(lines.places), -1)
    found = [
        _passages(lines, [k], outside, f"passages of {_where(place)}")
        for k, place in enumerate(lines.places)
    ]
    return [c for c in found if c is not None]


# -------------------------------------------------------------------- a loop on one line ---


def _longest_runs(lines: Lines) -> list[tuple[int, int]]:
    """The first rows and the ends of the longest stretches of rows from one line; those from lines
    in a loop come first, before those of comprehensions and of recursive functions."""
    known = np.flatnonzero(lines.number >= 0)
    if not len(known):
        return []
    first = _runs(lines.number, known)
    lengths = np.diff(first, append=len(known))
    begins = known[first]
    places = [(file, line) for file, line, _ in lines.places]
    sources = {file: source_of(file) for file, _ in places}
    in_loop = np.array([bool(sources[file].loops.get(line)) for file, line in places])
    order = np.lexsort((-lengths, ~in_loop[lines.number[begins]]))[:_MOST_RUNS]
    return [(int(begins[k]), int(begins[k] + lengths[k])) for k in order]


def _repeated(tape: Tape, lines: Lines) -> Steps | None:
    """The longest stretch of rows from one line, divided where its operations repeat."""
    found = (_divided(tape, lines, begin, end) for begin, end in _longest_runs(lines))
    return next((steps for steps in found if steps is not None), None)


def _divided(tape: Tape, lines: Lines, begin: int, end: int) -> Steps | None:
    """A stretch of rows from one line, divided where its operations repeat."""
    kind, back = _patterns(tape, begin, end)
    n = end - begin
    for period in range(1, min(_LONGEST_PERIOD, n // 2) + 1):
        tail = slice(max(0, n - 3 * period), n - period)
        if (kind[tail] != kind[tail.start + period :]).any():
            continue
        other = np.flatnonzero(
            (kind[period:] != kind[:-period]) | (back[:, period:] != back[:, :-period]).any(axis=0)
        )
        steps = (n - 1 - int(other[-1]) if len(other) else n) // period
        # What the first step reads was made before it: it counts by its operations alone.
        first = n - (steps + 1) * period
        if first >= 0 and (kind[first : first + period] == kind[-period:]).all():
            steps += 1
        if steps >= 2 and steps * period >= 0.5 * n:
            what = _repetitions(lines.places[lines.number[begin]])
            return Steps(np.arange(end - steps * period, end, period), end, what)
    return None


def _patterns(tape: Tape, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row what its operation is, and how far back among the rows its operands lie.

    All that lies before `begin`, constants and arrays are alike: 0.
    """
    code, a, b, _ = tape.rows(begin, end)
    rows = np.arange(begin, end)
    kind = code.astype(np.int64)
    rules: dict[int, int] = {}
    arrays = code == _ARRAY
    kind[arrays] = [
        1000 + rules.setdefault(id(tape.records[k].rule), len(rules)) for k in a[arrays].tolist()
    ]
    no_row = arrays | (code == _ELEMENT)
    back = [
        np.where(none | (k < begin), 0, rows - k)
        for k, none in ((a, no_row), (b, no_row | (code == _STORE)))
    ]
    return kind, np.stack(back)
