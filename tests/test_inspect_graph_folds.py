"""Folded graphs: what one node stands for, its edges and norms against those of all rows."""

import math

import numpy as np
import pytest

import tapead
from tapead.inspect.dataflow import ARRAYS, Dataflow


def olah(a, b):
    c = a + b
    d = b + 1
    e = c * d
    return e


def pendulum(angle, damping, steps=20):
    speed, h = 0.0, 0.01
    for _ in range(steps):
        speed = speed - h * (math.sin(angle) + damping * speed)
        angle = angle + h * speed
    return angle * angle


FOLDS = ["line", "function", "iteration"]


def helper(x):
    y = x * x
    return y + 1.0


def calls(x, w, n=40):
    for _ in range(n):
        x = helper(w * x) / helper(x)
        w = w + 0.5
    return x


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize(("f", "args"), [(calls, (1.0, 0.5)), (pendulum, (1.0, 0.1))])
def test_folded_nodes_and_edges_count_all_rows_and_edges(f, args, fold):
    tape = tapead.record(f, *args)
    drawing = tape.draw(fold)
    assert sum(n.rows for n in drawing.nodes) == len(tape)
    inside = sum(n.inside for n in drawing.nodes)
    assert sum(e.rows for e in drawing.edges) + inside == tape.edges
    assert len({(e.source, e.target) for e in drawing.edges if e.partial is None}) == sum(
        e.partial is None for e in drawing.edges
    )
    assert len(drawing.nodes) < len(tape)


def test_a_line_has_the_rows_and_edges_that_it_wrote():
    tape = tapead.record(calls, 1.0, 0.5)
    nodes = {n.source or n.title: n for n in tape.draw("line").nodes}
    assert {name: n.rows for name, n in nodes.items()} == {
        "x": 1, "w": 1, "x = helper(w * x) / helper(x)": 80, "y = x * x": 80,
        "return y + 1.0": 80, "w = w + 0.5": 40,
    }  # fmt: skip
    of_sum = nodes["w = w + 0.5"]
    assert of_sum.title.endswith(f"test_inspect_graph_folds.py:{calls.__code__.co_firstlineno + 3}")
    assert of_sum.inside == 39  # w of one iteration from that of the one before
    drawing = tape.draw("line")
    at = {name: k for k, name in enumerate(n.source or n.title for n in drawing.nodes)}
    counts = {(e.source, e.target): e.rows for e in drawing.edges}
    assert counts[at["x = helper(w * x) / helper(x)"], at["y = x * x"]] == 2 * 40 + 2 * 39
    assert counts[at["x"], at["y = x * x"]] == 2
    assert counts[at["w"], at["x = helper(w * x) / helper(x)"]] == 1
    assert counts[at["y = x * x"], at["return y + 1.0"]] == 80


def test_a_function_has_all_rows_of_its_lines():
    nodes = tapead.record(calls, 1.0, 0.5).draw("function").nodes
    assert [(n.title.split()[0], n.rows) for n in nodes] == [
        ("x", 1), ("w", 1), ("calls", 120), ("helper", 160),
    ]  # fmt: skip


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("sweep", ["reverse", "forward"])
def test_folded_derivatives_are_norms_over_the_rows(fold, sweep):
    tape = tapead.record(pendulum, 1.0, 0.1)
    every = tape.adjoints() if sweep == "reverse" else tape.tangents()
    drawing = tape.draw(fold, sweep)
    total = math.fsum(n.derivative**2 for n in drawing.nodes)
    assert total == pytest.approx(math.fsum(every**2), rel=1e-12)
    for node in drawing.nodes:
        if node.rows == 1:
            assert node.derivative == every[node.row]


def test_the_first_and_the_last_iteration_are_shown():
    tape = tapead.record(pendulum, 1.0, 0.1, steps=1000)
    drawing = tape.draw("iteration")
    middle = [n for n in drawing.nodes if n.kind == "fold"]
    assert [n.title for n in middle] == ["... 998 more iterations ..."]
    assert middle[0].rows == 7 * 998
    parts = drawing._graph.parts
    assert [parts[n.part] for n in drawing.nodes if n.part >= 0] == [
        *["iteration 1 of 1,000"] * 7, *["iteration 1,000"] * 7,
    ]  # fmt: skip
    plain = tape.values
    assert all(n.value == plain[n.row] for n in drawing.nodes if n.kind != "fold")


def test_of_few_iterations_all_are_shown():
    drawing = tapead.record(pendulum, 1.0, 0.1, steps=3).draw("iteration")
    assert all(n.rows == 1 for n in drawing.nodes)
    assert drawing._graph.parts == tuple(f"iteration {k} of 3" for k in (1, 2, 3))


def test_iterations_of_many_rows_are_folded_by_line():
    def f(x):
        for _ in range(10):
            y = 0.0
            for k in range(50):
                y = y + math.sin(k * x)
            x = x - 0.01 * y
        return x

    tape = tapead.record(f, 1.0)
    drawing = tape.draw("iteration", most=60)
    assert len(drawing.nodes) <= 12
    assert sum(n.rows for n in drawing.nodes) == len(tape)
    assert {n.part for n in drawing.nodes} >= {0, 2}


def test_a_million_rows_are_drawn_folded():
    steps = 340_000 if tapead.compiled else 1_000

    def f(x):
        for _ in range(steps):
            y = 1.0 - x
            x = 3.5 * x * y
        return x

    tape = tapead.record(f, 0.3)
    assert [n.rows for n in tape.draw("line").nodes] == [1, steps, 2 * steps]
    assert [n.rows for n in tape.draw("function").nodes] == [1, 3 * steps]
    assert len(tape.draw("iteration").nodes) == 8


def test_of_many_inputs_those_of_an_argument_share_a_node():
    def f(x, w):
        return sum(a * b for a, b in zip(x, w["all"], strict=True))

    nodes = tapead.record(f, [1.0] * 30, {"all": [2.0] * 30}).draw("line").nodes
    assert [(n.kind, n.title, n.rows) for n in nodes[:2]] == [
        ("input", "x", 30),
        ("input", "w", 30),
    ]


def test_arrays_fold_too():
    def f(x, n=30):
        u = np.zeros((n + 1, 3))
        u[0] = x
        for k in range(n):
            u[k + 1] = 0.9 * u[k]
        return np.sum(u[n])

    tape = tapead.record(f, np.ones(3))
    drawing = tape.draw("line", "reverse")
    flow = Dataflow(tape)
    assert (flow.kind == ARRAYS).all()
    inside = sum(n.inside for n in drawing.nodes)
    assert sum(e.rows for e in drawing.edges) + inside == len(flow.source)
    assert drawing.nodes[0].derivative == pytest.approx(0.9**30 * math.sqrt(3.0))


def test_a_graph_too_large_is_refused_with_the_folds_that_fit():
    tape = tapead.record(pendulum, 1.0, 0.1, steps=200)
    assert len(tape) == 1403
    with pytest.raises(ValueError, match="nodes") as error:
        tape.draw()
    found = {fold: len(tape.draw(fold).nodes) for fold in FOLDS}
    assert str(error.value) == (
        "the graph has 1,403 nodes, and at most 500 are drawn: fold it by "
        + " or ".join(f'fold="{fold}" ({n})' for fold, n in found.items())
        + "; or ask for more, most=1403"
    )
    assert len(tape.draw(most=1403).nodes) == 1403
    with pytest.raises(ValueError, match=r"5 nodes, folded by line, and at most 2 are drawn"):
        tape.draw("line", most=2)


def test_folding_needs_source_lines():
    tape = tapead.record(pendulum, 1.0, 0.1, steps=200, lines=False)
    for fold in FOLDS:
        with pytest.raises(ValueError, match=r"no source lines.*record\(\.\.\., lines=True\)"):
            tape.draw(fold)
    with pytest.raises(ValueError, match=r"1,403 nodes.*lines=True"):
        tape.draw()


def test_a_fold_by_iteration_needs_a_loop():
    with pytest.raises(ValueError, match=r'no loop was found.*fold="line"'):
        tapead.record(olah, 2.0, 1.0).draw("iteration")
