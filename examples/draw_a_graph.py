"""The graph of e = (a + b) * (b + 1), with derivatives, as a reader of a tutorial draws it by hand.

In forward mode from b every node has its derivative by b; in reverse mode every node has the
derivative of e by it, and so both inputs have theirs at once. Then the graph of a long loop, in
which a node stands for a line of the program.
"""

import pathlib
import shutil

import tapead

PICTURES = pathlib.Path(__file__).parent / "pictures"


def product(a, b):
    """The function of Olah's "Calculus on computational graphs"."""
    c = a + b
    d = b + 1
    e = c * d
    return e


def orbit(start, rate, steps=10_000):
    """The logistic map: a chain of as many steps as you like."""
    x = start
    for _ in range(steps):
        room = 1.0 - x
        x = rate * x * room
    return x


def show(drawing, name):
    """Write a picture, or print the graph as text where Graphviz is not installed."""
    for node in drawing.nodes:
        print(f"  {node.title:11} {node.value:3g}   derivative {node.derivative:g}")
    if shutil.which("dot"):
        drawing.save(PICTURES / name)
        print(f"  drawn in pictures/{name}\n")
    else:
        print(f"  Graphviz is not installed; as Mermaid text the graph is\n{drawing.mermaid}")


if __name__ == "__main__":
    tape = tapead.record(product, 2.0, 1.0)
    print("forward from b: d node / d b")
    show(tape.draw(sweep="forward", wrt="b"), "graph_forward.svg")
    print("reverse from e: d e / d node")
    show(tape.draw(sweep="reverse"), "graph_reverse.svg")

    tape = tapead.record(orbit, 0.3, 3.5)
    folded = tape.draw(fold="line")
    print(f"{len(tape):,} rows, folded by line into {len(folded.nodes)} nodes:")
    for edge in folded.edges:
        source, target = folded.nodes[edge.source], folded.nodes[edge.target]
        print(f"  {source.source or source.title}  ->  {target.source}, edges: {edge.rows:,}")
