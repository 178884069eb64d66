"""Folding: which rows of a tape one node of the graph stands for."""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tapead.inspect.flow_steps import Steps, steps_of
from tapead.inspect.lines import Lines

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

FOLDS = ("line", "function", "iteration")
# So many inputs have a node each where rows are folded; of more, those of one argument share one.
MOST_INPUTS = 8
NO_LINE = "(no source line)"
# Of so many iterations all are shown; of more the first and the last.
_FEW = 3


class Head(NamedTuple):
    """What a node stands for.

    Attributes
    ----------
    row : the one row that it is, or the first of several
    rows : how many they are
    folded : whether it stands for rows together, and not for one as itself
    title : of a folded node
    source : the text of its line, of a folded node
    part : the number of the part that it is drawn in, -1 for none
    """

    row: int
    rows: int
    folded: bool
    title: str
    source: str
    part: int


class Folded(NamedTuple):
    """The node of every row, the nodes, and the titles of the parts that they are drawn in."""

    node: np.ndarray
    heads: list[Head]
    parts: list[str]


def folded(recorded: RecordedTape, fold: str | None, lines: Lines | None, most: int) -> Folded:
    """The nodes that the rows of a tape are folded into; `most` decides how iterations are."""
    n = len(recorded)
    if fold is None:
        heads = [Head(r, 1, False, "", "", -1) for r in range(n)] if n <= most else []
        return Folded(np.arange(n), heads, [])
    if lines is None:
        raise ValueError(
            f"the recording kept no source lines, and draw(fold={fold!r}) goes by them: "
            "record(..., lines=True)"
        )
    if fold == "iteration":
        return _by_iteration(recorded, lines, most)
    titles, sources = _titles(lines, fold)
    node = _by_place(lines, fold)
    with_inputs(recorded, node, titles, sources)
    return _numbered(node, lambda key: (titles[key], sources[key], -1), [])


def with_inputs(
    recorded: RecordedTape, node: np.ndarray, titles: dict[int, str], sources: dict[int, str]
) -> None:
    """Put the inputs into nodes of their own: of few each, of many those of one argument."""
    names = list(recorded.inputs)
    if len(names) > MOST_INPUTS:
        names = [re.split(r"[\[.]", name, maxsplit=1)[0] for name in names]
    keys: dict[str, int] = {}
    for row, name in zip(recorded.inputs.values(), names, strict=True):
        node[row] = key = keys.setdefault(name, -2 - len(keys))
        titles[key], sources[key] = name, ""


def _by_place(lines: Lines, fold: str) -> np.ndarray:
    """For each row the number of its line, or of the first line of its function."""
    if fold == "line":
        return lines.number.copy()
    functions: dict[tuple[str, str], int] = {}
    table = [
        functions.setdefault((file, name), k) for k, (file, _, name) in enumerate(lines.places)
    ]
    return np.array([*table, -1])[lines.number]


def _titles(lines: Lines, fold: str) -> tuple[dict[int, str], dict[int, str]]:
    titles, sources = {-1: NO_LINE}, {-1: ""}
    for k, (file, line, function) in enumerate(lines.places):
        where = os.path.basename(file)
        name = function.rpartition("<locals>.")[2]
        titles[k] = f"{name}  {where}:{line}" if fold == "line" else f"{name}  {where}"
        sources[k] = linecache.getline(file, line).strip() if fold == "line" else ""
    return titles, sources


def _numbered(
    node: np.ndarray, describe: Callable[[int], tuple[str, str, int]], parts: list[str]
) -> Folded:
    """Nodes numbered in the order of their first rows, given keys of any kind."""
    keys, first, which, counts = np.unique(
        node, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    number = np.empty(len(keys), np.int64)
    number[order] = np.arange(len(keys))
    heads = [
        Head(int(first[k]), int(counts[k]), True, *describe(int(keys[k]))) for k in order.tolist()
    ]
    return Folded(number[which.reshape(-1)], heads, parts)


# -------------------------------------------------------------------------- by iteration ---


def _by_iteration(recorded: RecordedTape, lines: Lines, most: int) -> Folded:
    """Before the loop, its first iteration, those between, the last one, and what comes after.

    Rows stand for themselves, but for those between; if there are too many, they are folded by
    line within each of these.
    """
    try:
        steps = steps_of(recorded._tape, lines, None)
    except ValueError as error:
        raise ValueError(
            "no loop was found among the lines that wrote this tape, which "
            'draw(fold="iteration") folds by: draw(fold="line") or draw(fold="function") may do'
        ) from error
    part, parts, middle = _parts(recorded, steps)
    single = part != middle
    n = len(recorded)
    if int(single.sum()) <= most:
        # Keys: a row's own number; what is between has one more.
        node = np.where(single, np.arange(n), n)
        found = _numbered(node, lambda key: _between(parts, middle), parts)
        heads = [
            h if h.rows > 1 or not single[h.row] else h._replace(folded=False, part=part[h.row])
            for h in found.heads
        ]
        return found._replace(heads=[h._replace(part=int(h.part)) for h in heads])
    titles, sources = _titles(lines, "line")
    of_line = lines.number.copy()
    with_inputs(recorded, of_line, titles, sources)
    low = int(of_line.min())
    width = len(lines.places) - low + 1
    node = np.where(single, (part + 1) * width + of_line - low, (len(parts) + 1) * width)

    def describe(key: int) -> tuple[str, str, int]:
        where, line = key // width - 1, key % width + low
        if where == len(parts):
            return _between(parts, middle)
        return titles[line], sources[line], where

    return _numbered(node, describe, parts)


def _parts(recorded: RecordedTape, steps: Steps) -> tuple[np.ndarray, list[str], int]:
    """The part of every row, -1 for those before and after the loop; the parts; the one between."""
    count, n = len(steps.starts), len(recorded)
    step = np.searchsorted(steps.starts, np.arange(n), side="right") - 1
    step[steps.stop :] = -1
    step[: len(recorded.inputs)] = -1
    if count <= _FEW:
        return step, [f"iteration {k + 1} of {count}" for k in range(count)], count
    part = np.where(step <= 0, step, np.where(step == count - 1, 2, 1))
    between = f"{count - 2:,} more iterations"
    return part, [f"iteration 1 of {count:,}", between, f"iteration {count:,}"], 1


def _between(parts: list[str], middle: int) -> tuple[str, str, int]:
    return f"... {parts[middle]} ..." if middle < len(parts) else "", "", -1
