"""Drawing: the computational graph of a run, as a picture or as text that draws one."""

from __future__ import annotations

import html
import math
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

from tapead.inspect import drawing_text
from tapead.inspect.graph import Edge, Graph, Node, graph
from tapead.inspect.recorded import RecordedTape
from tapead.inspect.runs import recorded

_SUFFIXES = (".svg", ".png", ".dot", ".mmd")


class Drawing:
    """A drawn graph: `dot` and `mermaid` are text; `svg`, `png` and `save` make pictures.

    In a notebook it shows itself.  Pictures are made by Graphviz's program ``dot``; text needs no
    program, and GitHub, GitLab and many editors draw Mermaid where it stands in Markdown.

    Attributes
    ----------
    nodes : the nodes, in the order of their rows: title, value, shape, derivative, place, ...
    edges : the edges: the positions of their ends in `nodes`, partial derivatives, ...

    Examples
    --------
    >>> import tapead
    >>> drawing = tapead.draw(lambda a, b: a * b, 2.0, 3.0)
    >>> [node.title for node in drawing.nodes]
    ['a', 'b', 'v2 = a * b']
    >>> [(edge.source, edge.target, edge.partial) for edge in drawing.edges]
    [(0, 2, 3.0), (1, 2, 2.0)]
    >>> drawing.dot.splitlines()[0], drawing.mermaid.splitlines()[0]
    ('digraph tape {', 'flowchart TB')
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self._graph.nodes

    @property
    def edges(self) -> tuple[Edge, ...]:
        return self._graph.edges

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language DOT."""
        return drawing_text.dot(self._graph)

    @property
    def mermaid(self) -> str:
        """The graph in Mermaid's language, a flowchart."""
        return drawing_text.mermaid(self._graph)

    def svg(self) -> str:
        """The picture as SVG.

        Raises
        ------
        RuntimeError
            where Graphviz's program ``dot`` is missing, or has failed

        Examples
        --------
        >>> import shutil
        >>> import tapead
        >>> drawing = tapead.draw(lambda a, b: a * b, 2.0, 3.0)
        >>> if shutil.which("dot"):
        ...     assert "<svg" in drawing.svg()
        """
        text = _run_dot(self.dot, "-Tsvg").decode("utf-8")
        # Comments say which version of Graphviz it was: pictures differ without need.
        return re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)

    def png(self, dpi: int = 144) -> bytes:
        """The picture as PNG, with so many dots an inch (a letter is a sixth of an inch high).

        Raises
        ------
        RuntimeError
            where Graphviz's program ``dot`` is missing, or has failed

        Examples
        --------
        >>> import shutil
        >>> import tapead
        >>> drawing = tapead.draw(lambda a, b: a * b, 2.0, 3.0)
        >>> if shutil.which("dot"):
        ...     assert drawing.png(dpi=72)[1:4] == b"PNG"
        """
        if not isinstance(dpi, (int, float)) or not 0 < dpi < math.inf:
            raise ValueError(f"dpi={dpi!r}: dots an inch, a positive number")
        return _run_dot(self.dot, "-Tpng", f"-Gdpi={dpi}")

    def save(self, path: str | os.PathLike) -> None:
        """Write a file: a picture, ``.svg`` or ``.png``, or text, ``.dot`` or ``.mmd`` (Mermaid).

        Raises
        ------
        ValueError
            for another ending
        RuntimeError
            for a picture, as `svg` does

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import tapead
        >>> drawing = tapead.draw(lambda a, b: a * b, 2.0, 3.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     drawing.save(pathlib.Path(folder, "graph.mmd"))
        ...     pathlib.Path(folder, "graph.mmd").read_text() == drawing.mermaid
        True
        """
        file = pathlib.Path(path)
        suffix = file.suffix.lower()
        if suffix not in _SUFFIXES:
            raise ValueError(
                f"save({os.fspath(path)!r}): the ending says what is written, one of "
                f"{', '.join(_SUFFIXES)}"
            )
        if suffix == ".png":
            file.write_bytes(self.png())
            return
        make = {".svg": self.svg, ".dot": lambda: self.dot, ".mmd": lambda: self.mermaid}[suffix]
        file.write_text(make(), encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Drawing: {len(self.nodes):,} nodes, {len(self.edges):,} edges>"

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except (RuntimeError, OSError):
            return None

    def _repr_html_(self) -> str:
        picture = self._repr_svg_()
        if picture is not None:
            # Without the lines that only files begin with.
            return f'<div style="overflow-x: auto">{picture[picture.index("<svg") :]}</div>'
        return (
            "<p>Graphviz draws this where it is installed; as Mermaid text it is</p>"
            f"<pre>{html.escape(self.mermaid)}</pre>"
        )


def _run_dot(text: str, *options: str) -> bytes:
    """What Graphviz makes of a text."""
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            "Graphviz's program dot was not found, which makes SVG and PNG: install Graphviz "
            "(apt install graphviz, brew install graphviz, conda install graphviz) so that dot "
            "is on the PATH; or take the text, .dot or .mermaid, which needs no program"
        )
    try:
        done = subprocess.run([program, *options], input=text.encode(), capture_output=True)
    except OSError as error:
        raise RuntimeError(f"Graphviz's program {program} cannot be run: {error}") from None
    if done.returncode:
        message = done.stderr.decode("utf-8", "replace").strip()
        raise RuntimeError(f"Graphviz's program {program} has failed: {message}")
    return done.stdout


def of_tape(
    tape: RecordedTape,
    fold: str | None,
    sweep: str | None,
    output: int | None,
    wrt: int | str | None,
    most: int,
) -> Drawing:
    """`RecordedTape.draw`."""
    return Drawing(graph(tape, fold, sweep, output, wrt, most))


def draw(
    f: Callable,
    *args: Any,
    fold: str | None = None,
    sweep: str | None = None,
    output: int | None = None,
    wrt: int | str | None = None,
    most: int = 500,
    argnums: int | tuple[int, ...] | None = None,
    rerun: bool = True,
    **kwargs: Any,
) -> Drawing:
    """The computational graph of ``f(*args, **kwargs)``, from one run.

    Nodes are the rows of the tape with their values, edges lead to them from what they read and
    carry the local partial derivatives; see `RecordedTape.draw`, which has the same options.

    Parameters
    ----------
    fold : "line", "function" or "iteration": one node for many rows
    sweep : "reverse" shows in each node its adjoint, d output / d node; "forward" its tangent,
        d node / d input
    output : of which number of the result adjoints are, the first one unless it is given
    wrt : by which input tangents are, its name or position, the first one unless it is given
    most : a graph of more nodes is refused
    argnums : the positions of the arguments that are inputs, as for `record`
    rerun : as for `grad`

    Raises
    ------
    TypeError
        for f that cannot be called, and for an input that is no real number
    ValueError
        without an argument, and for a graph that is too large

    Examples
    --------
    >>> from tapead.inspect.drawing import draw
    >>> drawing = draw(lambda a, b: (a + b) * (b + 1), 2.0, 1.0, sweep="reverse")
    >>> drawing
    <Drawing: 5 nodes, 5 edges>
    >>> [(node.title, node.value, node.derivative) for node in drawing.nodes]
    [('a', 2.0, 2.0), ('b', 1.0, 5.0), ('v2 = a + b', 3.0, 2.0), ('v3 = b + 1', 2.0, 3.0), \
('v4 = v2 * v3', 6.0, 1.0)]
    >>> [(edge.source, edge.target, edge.partial) for edge in drawing.edges]
    [(0, 2, 1.0), (1, 2, 1.0), (1, 3, 1.0), (2, 4, 2.0), (3, 4, 3.0)]
    """
    return of_tape(
        recorded("draw", f, args, argnums, rerun, kwargs), fold, sweep, output, wrt, most
    )
