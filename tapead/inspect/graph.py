"""The computational graph of a tape: its nodes and edges with their numbers, before any drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tapead.inspect.arguments import at_least_0
from tapead.inspect.dataflow import ARRAYS, Dataflow
from tapead.inspect.folding import FOLDS, Folded, Head, folded
from tapead.inspect.graph_names import Names
from tapead.inspect.graph_sweeps import adjoints, partials_of, tangents
from tapead.inspect.lines import Lines, lines_of
from tapead.inspect.runs import Line, line_of

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

SWEEPS = ("reverse", "forward")


class Node(NamedTuple):
    """A row, or several that were folded together.

    Attributes
    ----------
    kind : "input", "operation", "array" (an operation whose result is one) or "fold"
    title : what it computes, ``c = a + b``; of a fold where it is from
    name : what the row is called, ``c``, or the element that it writes; empty for a fold
    row : the row, the first one of a fold
    rows : how many it stands for
    value : the number, None for arrays and folds
    shape, dtype : of an array; None and empty for others
    derivative : after a reverse sweep the adjoint, d output / d node; after a forward one the
        tangent, d node / d input; of arrays and folds the 2-norm; None without a sweep
    inside : of a fold, how many edges lead from one of its rows to another
    outputs : the numbers of the outputs that it makes
    place : the line that wrote it; None for inputs, and where lines were not kept
    source : of a fold, the text of its line
    part : the number of the part of the graph that it is in, -1 for none
    """

    kind: str
    title: str
    name: str
    row: int
    rows: int
    value: float | None
    shape: tuple[int, ...] | None
    dtype: str
    derivative: float | None
    inside: int
    outputs: tuple[int, ...]
    place: Line | None
    source: str
    part: int


class Edge(NamedTuple):
    """Node `target` reads what node `source` has made; both are positions in `Graph.nodes`.

    partial : d target / d source; None where arrays or folds are at an end of it
    rows : how many edges between rows it stands for
    """

    source: int
    target: int
    partial: float | None
    rows: int


class Graph(NamedTuple):
    """Nodes in the order of their rows, and edges in that of the nodes that they lead to.

    Attributes
    ----------
    parts : titles of the parts that nodes are in: iterations of a loop
    sweep : "reverse", "forward" or None
    by : the name of the output or the input that derivatives are of or by
    outputs : how many numbers or arrays the result has
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    parts: tuple[str, ...]
    sweep: str | None
    by: str
    outputs: int


def graph(
    recorded: RecordedTape,
    fold: str | None,
    sweep: str | None,
    output: int | None,
    wrt: int | str | None,
    most: int,
) -> Graph:
    """The graph of a tape, folded and with the derivatives of one sweep."""
    most = at_least_0("most", most)
    _refuse(recorded, fold, sweep, output, wrt)
    lines = None
    if recorded.keeps_lines:
        lines = lines_of(recorded._tape, len(recorded.inputs))
    nodes = folded(recorded, fold, lines, most)
    count = int(nodes.node.max()) + 1
    if count > most:
        raise ValueError(_too_large(recorded, fold, lines, count, most))
    flow = Dataflow(recorded)
    derivative, by = None, ""
    names = Names(recorded, flow, lines if any(not h.folded for h in nodes.heads) else None)
    if sweep == "reverse":
        derivative = adjoints(recorded, flow, output or 0)
        row = flow.outputs[output or 0]
        shown = row is not None and not nodes.heads[nodes.node[row]].folded
        by = names.of(row) if shown else "output"
    elif sweep == "forward":
        derivative = tangents(recorded, flow, wrt or 0)
        by = names.of(recorded._input_row(wrt or 0))
    edges, inside = _edges(recorded, flow, nodes)
    made = _Maker(recorded, flow, names, nodes, derivative, inside).nodes()
    return Graph(made, edges, tuple(nodes.parts), sweep, by, len(flow.outputs))


def _refuse(
    recorded: RecordedTape,
    fold: str | None,
    sweep: str | None,
    output: int | None,
    wrt: int | str | None,
) -> None:
    """Errors for what cannot be drawn."""
    if fold is not None and fold not in FOLDS:
        raise ValueError(f'fold={fold!r}: "line", "function", "iteration" or None was expected')
    if sweep is not None and sweep not in SWEEPS:
        raise ValueError(f'sweep={sweep!r}: "reverse", "forward" or None was expected')
    if output is not None and sweep != "reverse":
        raise ValueError(f'output={output} is whose adjoints are shown: ask for sweep="reverse"')
    if wrt is not None and sweep != "forward":
        raise ValueError(f'wrt={wrt!r} is by what tangents are shown: ask for sweep="forward"')
    if not len(recorded):
        raise ValueError(
            "the tape is empty, there is nothing to draw: record a function of at least one "
            "number or array, as in tapead.record(f, 1.0)"
        )


def _too_large(
    recorded: RecordedTape, fold: str | None, lines: Lines | None, count: int, most: int
) -> str:
    """What is said of a graph with too many nodes, and how many it has folded in other ways."""
    folds = []
    for other in FOLDS if lines is not None else ():
        if other != fold:
            try:
                found = int(folded(recorded, other, lines, most).node.max()) + 1
            except ValueError:  # no loop
                continue
            folds.append(f'fold="{other}" ({found:,})')
    how = "" if fold is None else f", folded by {fold}"
    text = f"the graph has {count:,} nodes{how}, and at most {most:,} are drawn: "
    if lines is None:
        text += "fold its rows, for which source lines are needed: record(..., lines=True)"
    else:
        text += f"fold it by {' or '.join(folds)}"
    return f"{text}; or ask for more, most={count}"


# ----------------------------------------------------------------------------- the nodes ---


class _Maker:
    """Makes the nodes, of all that is known of the rows."""

    def __init__(
        self,
        recorded: RecordedTape,
        flow: Dataflow,
        names: Names,
        nodes: Folded,
        derivative: np.ndarray | None,
        inside: Sequence[int],
    ) -> None:
        self.recorded, self.flow, self.names, self.folded = recorded, flow, names, nodes
        self.inputs = frozenset(recorded.inputs.values())
        self.inside = inside
        self.derivative: list[float] | None = None
        if derivative is not None:
            self.derivative = _norms(derivative, nodes)
        self.outputs: dict[int, list[int]] = {}
        for k, row in enumerate(flow.outputs):
            if row is not None:
                self.outputs.setdefault(int(nodes.node[row]), []).append(k)

    def nodes(self) -> tuple[Node, ...]:
        return tuple(self.node(k, head) for k, head in enumerate(self.folded.heads))

    def node(self, k: int, head: Head) -> Node:
        row, alone = head.row, head.rows == 1
        shape = self.names.shape(row) if alone else None
        kind = "operation" if shape is None else "array"
        title = head.title
        if row in self.inputs:
            kind = "input"
        elif head.folded:
            kind = "fold"
        if not head.folded:
            title = self.names.title(row)
        place = None
        if self.recorded.keeps_lines and kind != "input":
            place = line_of(*self.recorded._tape.place_of(row))
        return Node(
            kind,
            title,
            self.names.written(row) if not head.folded or (alone and kind == "input") else "",
            row,
            head.rows,
            self.names.value(row) if alone else None,
            None if shape is None else shape[0],
            "" if shape is None else shape[1],
            None if self.derivative is None else self.derivative[k],
            int(self.inside[k]),
            tuple(self.outputs.get(k, ())),
            place,
            head.source,
            head.part,
        )


def _norms(derivative: np.ndarray, nodes: Folded) -> list[float]:
    """The derivative of each node that is one row, the 2-norm of those of others."""
    with np.errstate(all="ignore"):
        # Divided by the largest, so that no square overflows.
        largest = np.zeros(len(nodes.heads))
        np.maximum.at(largest, nodes.node, np.abs(derivative))
        scale = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
        squares = np.bincount(nodes.node, (derivative / scale[nodes.node]) ** 2, len(largest))
        norm = scale * np.sqrt(squares)
    return [
        float(derivative[head.row]) if head.rows == 1 else float(norm[k])
        for k, head in enumerate(nodes.heads)
    ]


# ----------------------------------------------------------------------------- the edges ---


def _edges(
    recorded: RecordedTape, flow: Dataflow, nodes: Folded
) -> tuple[tuple[Edge, ...], Sequence[int]]:
    """The edges between nodes, and for each node how many are inside of it."""
    count = len(nodes.heads)
    source, target = nodes.node[flow.source], nodes.node[flow.target]
    single = np.array([not head.folded for head in nodes.heads])
    alone = np.flatnonzero(single[source] & single[target])
    partial = partials_of(recorded, flow, alone)
    found = []
    columns = (flow.kind[alone], source[alone], target[alone], partial)
    for kind, i, j, p in zip(*(c.tolist() for c in columns), strict=True):
        found.append(Edge(i, j, None if kind == ARRAYS else p, 1))
    others = ~(single[source] & single[target])
    inner = others & (source == target)
    between = others & ~inner
    pairs, times = np.unique(source[between] * count + target[between], return_counts=True)
    for pair, n in zip(pairs.tolist(), times.tolist(), strict=True):
        found.append(Edge(pair // count, pair % count, None, n))
    found.sort(key=lambda edge: (edge.target, edge.source))
    return tuple(found), np.bincount(source[inner], minlength=count).tolist()
