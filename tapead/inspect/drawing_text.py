"""A graph as text: in Graphviz's language DOT, and in Mermaid's."""

from __future__ import annotations

import html
import math
import re

from tapead.inspect.graph import Edge, Graph, Node
from tapead.inspect.graph_names import number

_LONGEST = 60
_LARGE = 150
_FONT = "Helvetica,Arial,sans-serif"
_GRAY, _DARK = "#6b7280", "#111827"
# Fill and border of each kind of node, and of outputs.
_COLORS = {
    "input": ("#dbeafe", "#2563eb"),
    "operation": ("#f3f4f6", "#6b7280"),
    "array": ("#ede9fe", "#7c3aed"),
    "fold": ("#f3f4f6", "#374151"),
    "output": ("#fef3c7", "#d97706"),
}
# The adjoints' and the tangents' color.
_DERIVATIVES = {"reverse": "#b91c1c", "forward": "#047857"}
# What Mermaid reads as the end of a text, as markup, or as an entity of its own.
_MERMAID = re.compile(r"""["#<>&\\`~]|(?<!\w)_|_(?!\w)|(?<! )\*|\*(?! )""")
_MERMAID_SHAPES = {"input": ('(["', '"])'), "fold": ('[["', '"]]')}


# ------------------------------------------------------------------ what nodes and edges say ---


def lines(graph: Graph, node: Node) -> list[tuple[str, str]]:
    """The lines of a node, each with what it is: title, source, value, derivative or output."""
    found = [("title", short(node.title))]
    if node.source:
        found.append(("source", short(node.source)))
    if node.shape is not None:
        found.append(("value", f"{node.dtype} {node.shape}"))
    if node.value is not None:
        found.append(("value", number(node.value)))
    if node.rows > 1 or node.kind == "fold":
        text = f"{node.rows:,} {'row' if node.rows == 1 else 'rows'}"
        if node.inside:
            text += f", {node.inside:,} edges inside" if node.inside > 1 else ", 1 edge inside"
        found.append(("value", text))
    if node.derivative is not None:
        found.append(("derivative", derivative(graph, node)))
    for k in node.outputs if len(node.outputs) <= 3 else ():
        found.append(("output", "output" if graph.outputs == 1 else f"output {k}"))
    if len(node.outputs) > 3:
        found.append(("output", f"{len(node.outputs)} outputs"))
    return found


def derivative(graph: Graph, node: Node) -> str:
    """``∂e/∂c = 2``; of arrays and folds the norm."""
    name = node.name if node.rows == 1 and node.name else "..."
    over, under = (graph.by, name) if graph.sweep == "reverse" else (name, graph.by)
    text = f"∂{over}/∂{under}"
    if _is_norm(node):
        text = f"‖{text}‖"
    return f"{text} = {number(node.derivative or 0.0)}"


def _is_norm(node: Node) -> bool:
    """Whether a node's derivative is the 2-norm of several."""
    return node.rows > 1 or (node.shape is not None and node.value is None)


def edge_label(edge: Edge) -> str:
    """The partial derivative; of folded edges how many they are."""
    if edge.partial is not None:
        return number(edge.partial)
    return f"{edge.rows:,} edges" if edge.rows > 1 else ""


def caption(graph: Graph) -> str:
    """What the numbers of a graph are."""
    said = []
    if graph.sweep == "reverse":
        said.append(f"reverse sweep: in nodes ∂{graph.by}/∂node")
    elif graph.sweep == "forward":
        said.append(f"forward sweep: in nodes ∂node/∂{graph.by}")
    if graph.sweep is not None and any(map(_is_norm, graph.nodes)):
        said.append("‖ ‖ are 2-norms")
    if any(edge.partial is not None for edge in graph.edges):
        said.append("on edges the partial derivatives")
    return "; ".join(said)


def short(text: str) -> str:
    """A text without what cannot be printed, and not too long."""
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _kind(node: Node) -> str:
    return "output" if node.outputs and node.kind != "input" else node.kind


def _parts(graph: Graph) -> list[tuple[str, list[int]]]:
    """The nodes of each part that has some."""
    members: list[list[int]] = [[] for _ in graph.parts]
    for k, node in enumerate(graph.nodes):
        if node.part >= 0:
            members[node.part].append(k)
    return [(t, ks) for t, ks in zip(graph.parts, members, strict=True) if ks]


# ------------------------------------------------------------------------------------- DOT ---


def dot(graph: Graph) -> str:
    """The graph in Graphviz's language."""
    font = f'fontname="{_FONT}"'
    # Laying out a large graph well takes Graphviz minutes, and hardly worse a few seconds.
    limits = "nslimit=1, nslimit1=1, mclimit=0.2, " if len(graph.nodes) > _LARGE else ""
    text = [
        "digraph tape {",
        f'  graph [rankdir=TB, bgcolor="white", {limits}pad=0.25, nodesep=0.35, ranksep=0.45, '
        f'{font}, fontsize=11, fontcolor="{_GRAY}", labelloc=b, label={_quoted(caption(graph))}];',
        f'  node [shape=box, style="rounded,filled", margin="0.18,0.09", {font}, fontsize=13, '
        f'fontcolor="{_DARK}"];',
        f'  edge [color="{_GRAY}", arrowsize=0.7, {font}, fontsize=12, fontcolor="{_DARK}"];',
    ]
    for k, node in enumerate(graph.nodes):
        text.append(f"  n{k} [{_dot_node(graph, node)}];")
    for k, (title, members) in enumerate(_parts(graph)):
        names = " ".join(f"n{m};" for m in members)
        text.append(
            f'  subgraph cluster_{k} {{ label={_quoted(title)}; style="rounded,dashed"; '
            f'color="{_GRAY}"; labelloc=t; labeljust=l; {names} }}'
        )
    for edge in graph.edges:
        text.append(f"  n{edge.source} -> n{edge.target}{_dot_edge(edge)};")
    return "\n".join([*text, "}", ""])


def _escaped(text: str) -> str:
    """A text as Graphviz reads it: with entities, which it turns into characters first, and in
    which a backslash then begins an escape."""
    return html.escape(text.replace("\\", "\\\\"))


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _dot_node(graph: Graph, node: Node) -> str:
    fill, border = _COLORS[_kind(node)]
    parts = []
    for what, line in lines(graph, node):
        words = _escaped(line)
        if what == "title":
            words = f"<B>{words}</B>"
        elif what == "source":
            words = f'<FONT POINT-SIZE="11" COLOR="{_GRAY}">{words}</FONT>'
        elif what == "derivative":
            words = f'<FONT COLOR="{_DERIVATIVES[graph.sweep or "reverse"]}">{words}</FONT>'
        elif what == "output":
            words = f'<FONT POINT-SIZE="11" COLOR="{border}">{words}</FONT>'
        parts.append(words)
    found = [f"label=<{'<BR/>'.join(parts)}>", f'fillcolor="{fill}"', f'color="{border}"']
    if node.outputs:
        found.append("penwidth=2")
    if node.kind == "fold":
        found.append("peripheries=2")
    tip = _tooltip(node)
    if tip:
        found.append(f"tooltip={_quoted(tip)}")
    return ", ".join(found)


def _tooltip(node: Node) -> str:
    """What a node of an SVG shows when it is pointed at: its row and its line."""
    rows = f"row {node.row}" if node.rows == 1 else f"{node.rows:,} rows from row {node.row}"
    if node.place is None or not node.place.file:
        return rows
    place = short(f"{rows}, {node.place}")
    # In these Graphviz reads escapes once or twice, which depends on its version.
    return place if "\\" in node.place.source else f"{place}  {short(node.place.source)}"


def _dot_edge(edge: Edge) -> str:
    found = []
    label = edge_label(edge)
    if label:
        found.append(f'label=" {label} "')
    if edge.partial == 0.0:
        found.append("style=dashed")
    if edge.rows > 1:
        found.append(f"penwidth={1.0 + 0.4 * math.log10(edge.rows):.2f}")
    return f" [{', '.join(found)}]" if found else ""


# --------------------------------------------------------------------------------- Mermaid ---


def mermaid(graph: Graph) -> str:
    """The graph in Mermaid's language."""
    text = ["flowchart TB"]
    inside = {k for _, members in _parts(graph) for k in members}
    for k in range(len(graph.nodes)):
        if k not in inside:
            text.append(f"  {_mermaid_node(graph, k)}")
    for k, (title, members) in enumerate(_parts(graph)):
        text.append(f'  subgraph p{k}["{_mermaid_text(title)}"]')
        text += [f"    {_mermaid_node(graph, m)}" for m in members]
        text.append("  end")
    for edge in graph.edges:
        label = edge_label(edge)
        arrow = "-.->" if edge.partial == 0.0 else "-->"
        middle = f'|"{_mermaid_text(label)}"|' if label else ""
        text.append(f"  n{edge.source} {arrow}{middle} n{edge.target}")
    used = {_kind(node) for node in graph.nodes}
    for kind, (fill, border) in _COLORS.items():
        if kind in used:
            text.append(f"  classDef {kind} fill:{fill},stroke:{border},color:{_DARK}")
    return "\n".join([*text, ""])


def _mermaid_node(graph: Graph, k: int) -> str:
    node = graph.nodes[k]
    opening, closing = _MERMAID_SHAPES.get(node.kind, ('["', '"]'))
    said = "<br/>".join(_mermaid_text(line) for _, line in lines(graph, node))
    return f"n{k}{opening}{said}{closing}:::{_kind(node)}"


def _mermaid_text(text: str) -> str:
    """A text in Mermaid's quotes: what it would read otherwise by its number."""
    return _MERMAID.sub(lambda found: f"#{ord(found[0])};", text)
