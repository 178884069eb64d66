"""Paths: in how many ways one row of a tape acts on another, beside what a sweep visits.

d y / d x is the sum over all paths from x to y of the products of the partials on their edges.  The
number of paths grows exponentially with the length of a program; a sweep comes to each edge once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tapead import sweeps
from tapead.inspect.arguments import at_least_0
from tapead.inspect.dataflow import ARRAYS, Dataflow
from tapead.inspect.graph_sweeps import partials_of
from tapead.inspect.recorded import Row
from tapead.places import Place
from tapead.sweeps_arrays import Buffers

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

_DIGITS = 30


class Path(NamedTuple):
    """One path: the rows that it passes, the partials on its edges, and the product of these."""

    rows: tuple[int, ...]
    partials: tuple[float, ...]
    product: float


class Paths:
    """All paths between two rows, counted.

    Attributes
    ----------
    source, target : the rows
    count : how many paths there are, exactly, however large that is
    edges : how many edges these paths are made of
    visited : how many edges a reverse sweep from `target` visits: those on paths from all inputs,
        but for edges whose partial is 0
    total : the sum over all paths of the product of the partials on their edges, which is
        d target / d source

    Examples
    --------
    >>> import tapead
    >>> found = tapead.record(lambda x, y: (x + y) * x, 2.0, 3.0).paths("x")
    >>> found
    <Paths from row 0 to row 3: 2 paths, 3 edges, total 7>
    >>> found.count, found.edges, found.visited, found.total
    (2, 3, 4, 7.0)
    """

    def __init__(
        self,
        source: int,
        target: int,
        visited: int,
        edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> None:
        self.source, self.target, self.visited = source, target, visited
        # Of those that are on paths; sorted by the rows that they lead to.
        self._from, self._to, self._partials = edges
        self.edges = len(self._from)
        self.count = _count(source, target, self._from, self._to)
        self.total = self._total()

    def __repr__(self) -> str:
        return (
            f"<Paths from row {self.source} to row {self.target}: {large(self.count)} paths, "
            f"{self.edges:,} edges, total {self.total:.7g}>"
        )

    def _total(self) -> float:
        """The sum over all paths, row by row: a forward sweep over their edges."""
        weight = {self.source: 1.0}
        columns = (self._from, self._to, self._partials)
        for i, j, p in zip(*(c.tolist() for c in columns), strict=True):
            w = weight[i]
            # What is exactly 0 adds nothing, as in any sweep.
            weight[j] = weight.get(j, 0.0) + (p * w if p != 0.0 and w != 0.0 else 0.0)
        return weight.get(self.target, 0.0)

    def each(self, most: int = 10_000) -> Iterator[Path]:
        """The paths one by one, in the order of their rows.

        Parameters
        ----------
        most : more paths than this are refused

        Raises
        ------
        ValueError
            for more than `most` paths

        Examples
        --------
        >>> import tapead
        >>> for path in tapead.record(lambda x, y: (x + y) * x, 2.0, 3.0).paths("x").each():
        ...     print(path.rows, path.partials, path.product)
        (0, 2, 3) (1.0, 2.0) 2.0
        (0, 3) (5.0,) 5.0
        """
        if self.count > at_least_0("most", most):
            raise ValueError(
                f"there are {large(self.count)} paths, and each() gives at most {most:,}: ask for "
                "more by most=..., or take their sum, total, which comes from one sweep"
            )
        return self._walk()

    def _walk(self) -> Iterator[Path]:
        """Depth first, along edges that all lead to the target."""
        if not self.count:
            return
        after: dict[int, list[tuple[int, float]]] = {}
        columns = (self._from, self._to, self._partials)
        for i, j, p in zip(*(c.tolist() for c in columns), strict=True):
            after.setdefault(i, []).append((j, p))
        rows, steps = [self.source], [iter(after.get(self.source, ()))]
        partials: list[float] = []
        if self.source == self.target:
            yield Path((self.source,), (), 1.0)
        while steps:
            step = next(steps[-1], None)
            if step is None:
                steps.pop()
                rows.pop()
                if partials:
                    partials.pop()
                continue
            rows.append(step[0])
            partials.append(step[1])
            if step[0] == self.target:
                yield Path(tuple(rows), tuple(partials), _product(partials))
            steps.append(iter(after.get(step[0], ())))


def _product(partials: list[float]) -> float:
    """0 if one of them is, whatever the others are."""
    return 0.0 if 0.0 in partials else math.prod(partials)


def large(count: int) -> str:
    """A whole number; if it has many digits about how large it is."""
    digits = int(count.bit_length() * math.log10(2.0))
    return f"{count:,}" if digits < _DIGITS else f"about 10^{digits}"


def paths(
    recorded: RecordedTape, x: int | str | Row, y: int | str | Row | None, output: int
) -> Paths:
    """`RecordedTape.paths`."""
    if not len(recorded):
        raise ValueError(
            "the tape is empty, it has no rows to go between: record a function of at least one "
            "number, as in tapead.record(f, 1.0)"
        )
    source = _row(recorded, x)
    target = _output(recorded, output) if y is None else _row(recorded, y)
    flow = Dataflow(recorded)
    edges = _between(flow, source, target)
    arrays = edges[flow.kind[edges] == ARRAYS]
    if len(arrays):
        number = int(flow.target[arrays[0]])
        raise TypeError(
            f"an operation on arrays, row {number}, lies between rows {source} and {target}: paths "
            "are counted between numbers; record the program with its numbers in a list, or ask "
            "for rows between which there are no arrays"
        )
    partials = partials_of(recorded, flow, edges)
    columns = (flow.source[edges], flow.target[edges], partials)
    return Paths(source, target, _visited(recorded, target), columns)


# ----------------------------------------------------------------------------- which rows ---


def _row(recorded: RecordedTape, node: int | str | Row) -> int:
    """The row that x or y stands for."""
    if isinstance(node, str):
        return recorded._input_row(node)
    if isinstance(node, Row):
        inside = 0 <= node.number < len(recorded)
        # As text, in which one nan is like another.
        if not inside or repr(recorded.row(node.number)) != repr(node):
            raise ValueError(
                f"row {node.number} ({node.operation}) is a row of another tape: take this "
                "tape's, tape.row(number)"
            )
        return node.number
    if isinstance(node, bool) or not isinstance(node, (int, np.integer)):
        raise TypeError(
            f"a node of the tape is the number of a row, the name of an input, or what "
            f"tape.row(number) gives; got a {type(node).__name__}"
        )
    if not -len(recorded) <= node < len(recorded):
        raise IndexError(f"row {node} of a tape of {len(recorded)} rows")
    return int(node) % len(recorded)


def _output(recorded: RecordedTape, output: int) -> int:
    """The row of an output."""
    target = recorded._output_row(output)
    if target is None:
        raise ValueError(f"output {output} is a constant: no path leads to it")
    if type(target) is Place:
        raise TypeError(
            f"output {output} is an array; paths are counted between numbers: give the row of "
            "one, paths(x, y)"
        )
    return target


# ----------------------------------------------------------------------------- the counts ---


def _between(flow: Dataflow, source: int, target: int) -> np.ndarray:
    """The edges on paths from one row to another, sorted by the rows that they lead to."""
    near = np.flatnonzero((flow.source >= source) & (flow.target <= target))
    if source >= target or not len(near):
        return near[:0]
    pairs = list(zip(flow.source[near].tolist(), flow.target[near].tolist(), strict=True))
    ahead, back = bytearray(target + 1), bytearray(target + 1)
    ahead[source] = back[target] = 1
    for i, j in pairs:
        if ahead[i]:
            ahead[j] = 1
    for i, j in reversed(pairs):
        if back[j]:
            back[i] = 1
    on = np.frombuffer(ahead, np.uint8) & np.frombuffer(back, np.uint8)
    return near[(on[flow.source[near]] & on[flow.target[near]]).astype(bool)]


def _count(source: int, target: int, start: np.ndarray, end: np.ndarray) -> int:
    """The number of paths, by the number of those to each row before.

    These numbers may have very many digits: each is dropped where it is used last.
    """
    last = np.zeros(int(end.max()) + 1 if len(end) else 1, np.int64)
    last[start] = np.arange(len(start))  # of several the last one assigned
    final = last[start] == np.arange(len(start))
    counts = {source: 1}
    for i, j, done in zip(start.tolist(), end.tolist(), final.tolist(), strict=True):
        n = counts.pop(i) if done else counts[i]
        counts[j] = counts.get(j, 0) + n
    return counts.get(target, 0)


def _visited(recorded: RecordedTape, target: int) -> int:
    """How many edges a reverse sweep from a row visits."""
    tape = recorded._tape
    adjoints = np.zeros(len(tape))
    adjoints[target] = 1.0
    buffers = Buffers(tape, 0, 0) if tape.records or tape.storages else None
    return int(sweeps.reverse(tape, 0, adjoints, buffers)[1])
