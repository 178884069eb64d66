"""Drawings: DOT, Mermaid, SVG and PNG, escapes, notebooks, and machines without Graphviz."""

import html
import json
import math
import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest

import tapead
from tapead.inspect import drawing as drawing_module
from tapead.inspect.drawing import Drawing, draw

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")


def olah(a, b):
    c = a + b
    d = b + 1
    e = c * d
    return e


def reverse():
    return draw(olah, 2.0, 1.0, sweep="reverse")


@pytest.fixture
def without_graphviz(monkeypatch):
    monkeypatch.setattr(drawing_module.shutil, "which", lambda name: None)


def mermaid_text(text):
    """What Mermaid shows of a text with its entities."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


def mermaid_nodes(text):
    """The lines of each node of a flowchart."""
    nodes = re.findall(r'^ +n(\d+)(?:\(|\[)*\["(.*)"\]\)?\]?:::(\w+)$', text, re.MULTILINE)
    return {int(k): [mermaid_text(x) for x in said.split("<br/>")] for k, said, _ in nodes}


def dot_json(drawing):
    """The graph as Graphviz has read it."""
    done = subprocess.run(["dot", "-Tjson"], input=drawing.dot.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def texts(svg):
    """The texts of an SVG, by the node or edge that they stand in."""
    found = {}
    space = "{http://www.w3.org/2000/svg}"
    for group in ElementTree.fromstring(svg).iter(f"{space}g"):
        if group.get("class") in ("node", "edge", "cluster"):
            name = group.find(f"{space}title").text
            found.setdefault(name, []).extend(
                x.text.replace("\xa0", " ").strip() for x in group.iter(f"{space}text") if x.text
            )
    return found


# -------------------------------------------------------------------------------- numbers ---


def test_draw_records_and_draws():
    drawing = reverse()
    same = tapead.record(olah, 2.0, 1.0).draw(sweep="reverse")
    assert type(drawing) is Drawing
    assert (drawing.nodes, drawing.edges) == (same.nodes, same.edges)
    assert drawing.dot == same.dot
    assert repr(drawing) == "<Drawing: 5 nodes, 5 edges>"
    of_one = draw(olah, 2.0, 1.0, argnums=1, sweep="forward")
    assert [n.derivative for n in of_one.nodes] == [1.0, 1.0, 1.0, 5.0]
    keywords = draw(lambda x, power: x**power, 3.0, power=2)
    assert keywords.nodes[-1].value == 9.0


def test_mermaid_says_values_partials_and_derivatives():
    assert reverse().mermaid == (
        "flowchart TB\n"
        '  n0(["a<br/>2<br/>∂e/∂a = 2"]):::input\n'
        '  n1(["b<br/>1<br/>∂e/∂b = 5"]):::input\n'
        '  n2["c = a + b<br/>3<br/>∂e/∂c = 2"]:::operation\n'
        '  n3["d = b + 1<br/>2<br/>∂e/∂d = 3"]:::operation\n'
        '  n4["e = c * d<br/>6<br/>∂e/∂e = 1<br/>output"]:::output\n'
        '  n0 -->|"1"| n2\n'
        '  n1 -->|"1"| n2\n'
        '  n1 -->|"1"| n3\n'
        '  n2 -->|"2"| n4\n'
        '  n3 -->|"3"| n4\n'
        "  classDef input fill:#dbeafe,stroke:#2563eb,color:#111827\n"
        "  classDef operation fill:#f3f4f6,stroke:#6b7280,color:#111827\n"
        "  classDef output fill:#fef3c7,stroke:#d97706,color:#111827\n"
    )


@needs_graphviz
def test_the_picture_says_values_partials_and_derivatives():
    tape = tapead.record(olah, 2.0, 1.0)
    adjoint, by_b = tape.adjoints(), tape.tangents("b")
    found = texts(tape.draw(sweep="reverse").svg())
    assert found["n1"] == ["b", "1", f"∂e/∂b = {adjoint[1]:g}"]
    assert found["n2"] == ["c = a + b", "3", f"∂e/∂c = {adjoint[2]:g}"]
    assert found["n4"] == ["e = c * d", "6", "∂e/∂e = 1", "output"]
    assert found["n2->n4"] == [f"{tape.row(4).partials[0]:g}"]
    assert found["n3->n4"] == [f"{tape.row(4).partials[1]:g}"]
    found = texts(tape.draw(sweep="forward", wrt="b").svg())
    assert [found[f"n{k}"][2] for k in range(5)] == [
        f"∂{name}/∂b = {t:g}" for name, t in zip("abcde", by_b, strict=True)
    ]
    assert texts(tape.draw().svg())["n3"] == ["d = b + 1", "2"]


def test_numbers_that_are_not_finite_are_shown():
    drawing = draw(lambda x: math.inf * x, 2.0, sweep="reverse")
    assert mermaid_nodes(drawing.mermaid) == {
        0: ["x", "2", "∂v1/∂x = inf"], 1: ["v1 = inf * x", "inf", "∂v1/∂v1 = 1", "output"],
    }  # fmt: skip
    assert '-->|"inf"|' in drawing.mermaid


def test_edges_whose_partial_is_zero_are_dashed():
    drawing = draw(lambda x: 0.0 * x + math.floor(x), 2.5)
    assert drawing.edges[0].partial == 0.0
    assert 'n0 -.->|"0"| n1' in drawing.mermaid
    assert 'n0 -> n1 [label=" 0 ", style=dashed];' in drawing.dot


def test_several_outputs_have_numbers():
    nodes = mermaid_nodes(draw(lambda x: (x * x, 3.0 * x), 2.0).mermaid)
    assert [lines[-1] for lines in nodes.values()] == ["2", "output 0", "output 1"]
    nodes = mermaid_nodes(draw(lambda x: [x * x, *[math.exp(x)] * 4, x], 2.0).mermaid)
    assert nodes == {
        0: ["x", "2", "output 5"], 1: ["v1 = x * x", "4", "output 0"],
        2: ["v2 = exp(x)", "7.38906", "4 outputs"],
    }  # fmt: skip


def test_arrays_show_shape_and_dtype():
    x = np.ones((2, 3), np.float32)
    nodes = mermaid_nodes(draw(lambda x: np.sum(x * x), x, sweep="reverse").mermaid)
    assert nodes[0] == ["x", "float32 (2, 3)", f"‖∂v2/∂x‖ = {2.0 * math.sqrt(6.0):.6g}"]
    assert nodes[1][:2] == ["v1 = multiply(x, x)", "float32 (2, 3)"]


# -------------------------------------------------------------------------------- folding ---


def loop(x, n=50):
    for _ in range(n):
        y = 1.0 - x
        x = 3.5 * x * y
    return x


def test_folded_nodes_show_line_source_and_counts():
    drawing = draw(loop, 0.3, fold="line")
    line = loop.__code__.co_firstlineno
    assert mermaid_nodes(drawing.mermaid) == {
        0: ["x", "0.3"],
        1: [f"loop  test_inspect_drawing.py:{line + 2}", "y = 1.0 - x", "50 rows"],
        2: [
            f"loop  test_inspect_drawing.py:{line + 3}", "x = 3.5 * x * y",
            "100 rows, 99 edges inside", "output",
        ],
    }  # fmt: skip
    assert 'n1 -->|"50 edges"| n2' in drawing.mermaid
    assert 'n2 -->|"49 edges"| n1' in drawing.mermaid
    adjoint = tapead.record(loop, 0.3).draw("line", "reverse")
    norms = [lines[-2:] for lines in mermaid_nodes(adjoint.mermaid).values()]
    assert norms[0][1] == f"∂output/∂x = {tapead.grad(loop)(0.3):.6g}"
    assert norms[2][0].startswith("‖∂output/∂...‖ = ")


def test_iterations_are_parts_of_the_drawing():
    drawing = draw(loop, 0.3, fold="iteration")
    assert re.findall(r'subgraph \w+\["(.*)"\]', drawing.mermaid) == [
        "iteration 1 of 50", "iteration 50",
    ]  # fmt: skip
    assert drawing.mermaid.count("\n  end\n") == 2
    assert "... 48 more iterations ..." in drawing.mermaid
    assert re.findall(r'subgraph cluster_\d { label="(.*?)"', drawing.dot) == [
        "iteration 1 of 50", "iteration 50",
    ]  # fmt: skip


@needs_graphviz
@pytest.mark.parametrize("fold", [None, "line", "function", "iteration"])
@pytest.mark.parametrize("sweep", [None, "reverse", "forward"])
def test_graphviz_reads_what_is_written(fold, sweep):
    drawing = draw(loop, 0.3, fold=fold, sweep=sweep)
    read = dot_json(drawing)
    nodes = [x for x in read["objects"] if x["name"].startswith("n")]
    assert len(nodes) == len(drawing.nodes)
    pairs = sorted((e.source, e.target) for e in drawing.edges)
    number = {x["_gvid"]: int(x["name"][1:]) for x in nodes}
    assert sorted((number[e["tail"]], number[e["head"]]) for e in read["edges"]) == pairs


@needs_graphviz
def test_a_graph_of_some_hundred_nodes_is_laid_out():
    drawing = draw(loop, 0.3, n=150)
    assert len(drawing.nodes) == 451
    assert len(texts(drawing.svg())) == len(drawing.nodes) + len(
        {(e.source, e.target) for e in drawing.edges}
    )


# -------------------------------------------------------------------------------- escapes ---


ODD = [
    'say "x"', "a<b>&c", "back\\slash\\N", "Größe", "日本", "#35;", "`tick`", "new\nline", "_it_",
    "**bold**", "<br/>", "end]:::input", "%%", "\udcff", "\x00", "&amp;", "-->", "😀",
]  # fmt: skip


def odd_drawing():
    return draw(lambda x: sum(v * v for v in x.values()), dict.fromkeys(ODD, 2.0))


def printed(name):
    """A name as it is shown: what cannot be printed as Python writes it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in repr(name))


def test_mermaid_reads_odd_names_as_they_are():
    drawing = odd_drawing()
    found = mermaid_nodes(drawing.mermaid)
    assert [found[k][0] for k in range(len(ODD))] == [n.title for n in drawing.nodes[: len(ODD)]]
    assert [n.title for n in drawing.nodes[: len(ODD)]] == [f"x[{printed(x)}]" for x in sorted(ODD)]
    said = re.findall(r'(?:\(|\[)"(.*)"(?:\)|\])', drawing.mermaid)
    for text in said:  # nothing is left that Mermaid reads otherwise
        assert not set(text.replace("<br/>", "")) & set('"<>&\\`')
        assert re.sub(r"#\d+;", "", text).count("#") == 0
        assert "**" not in text


@needs_graphviz
def test_graphviz_reads_odd_names_as_they_are():
    drawing = odd_drawing()
    found = texts(drawing.svg())
    for k in range(len(ODD)):
        assert found[f"n{k}"][0] == drawing.nodes[k].title


@needs_graphviz
def test_tooltips_have_the_source_line():
    def f(x):
        y = x * len("<&amp;>'")
        return y + len("\\N")

    titles = re.findall(r'xlink:title="(row [12].*?)"', draw(f, 1.0).svg())
    line = f.__code__.co_firstlineno
    assert [html.unescape(title).replace("\xa0", " ") for title in titles] == [
        f"""row 1, test_inspect_drawing.py:{line + 1}  y = x * len("<&amp;>'")""",
        f"row 2, test_inspect_drawing.py:{line + 2}",  # escapes are read differently
    ]


def test_long_titles_are_cut():
    drawing = draw(lambda x: 2.0 * x["n" * 500], {"n" * 500: 1.0})
    assert (
        max(len(line) for lines in mermaid_nodes(drawing.mermaid).values() for line in lines) <= 60
    )


# -------------------------------------------------------------------------- files, notebooks ---


@needs_graphviz
def test_pictures_and_texts_are_saved(tmp_path):
    drawing = reverse()
    for name in ("g.svg", "g.png", "g.dot", "g.mmd", "G.SVG"):
        drawing.save(tmp_path / name)
    assert (tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "g.svg").read_text("utf-8") == drawing.svg()
    assert (tmp_path / "g.dot").read_text("utf-8") == drawing.dot
    assert (tmp_path / "g.mmd").read_text("utf-8") == drawing.mermaid
    drawing.save(str(tmp_path / "h.svg"))
    assert (tmp_path / "h.svg").exists()


@needs_graphviz
def test_pictures_have_a_white_ground_and_as_many_dots_as_asked_for():
    drawing = reverse()
    assert 'fill="white"' in drawing.svg()
    assert "<!--" not in drawing.svg()
    width = [int.from_bytes(drawing.png(dpi=dpi)[16:20], "big") for dpi in (72, 144)]
    assert width[1] == pytest.approx(2 * width[0], rel=0.02)
    with pytest.raises(ValueError, match="dpi=0"):
        drawing.png(dpi=0)


@needs_graphviz
def test_notebooks_show_the_picture():
    drawing = reverse()
    assert drawing._repr_svg_() == drawing.svg()
    shown = drawing._repr_html_()
    assert "<svg" in shown
    assert "<?xml" not in shown
    assert "<!DOCTYPE" not in shown


def test_notebooks_show_text_without_graphviz(without_graphviz):
    drawing = odd_drawing()
    assert drawing._repr_svg_() is None
    shown = drawing._repr_html_()
    assert html.unescape(shown[shown.index("<pre>") + 5 : shown.index("</pre>")]) == drawing.mermaid
    assert shown.count("<") == 4  # only what stands around the text


def test_notebooks_show_text_where_graphviz_fails(monkeypatch, tmp_path):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(drawing_module.shutil, "which", lambda name: str(broken))
    assert "<pre>flowchart" in reverse()._repr_html_()
    with pytest.raises(RuntimeError, match="has failed: out of order"):
        reverse().svg()
    monkeypatch.setattr(drawing_module.shutil, "which", lambda name: str(tmp_path / "gone"))
    assert "<pre>flowchart" in reverse()._repr_html_()


def test_a_missing_graphviz_is_said_with_the_remedy(without_graphviz, tmp_path):
    drawing = reverse()
    for make in (
        drawing.svg, drawing.png, lambda: drawing.save(tmp_path / "g.svg"),
        lambda: drawing.save(tmp_path / "g.png"),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"install Graphviz.*\.dot or \.mermaid"):
            make()
    assert list(tmp_path.iterdir()) == []
    drawing.save(tmp_path / "g.dot")
    drawing.save(tmp_path / "g.mmd")


def test_other_endings_are_refused(tmp_path):
    for name in ("g.pdf", "g", "g.jpg"):
        with pytest.raises(ValueError, match=r"one of \.svg, \.png, \.dot, \.mmd"):
            reverse().save(tmp_path / name)


# ----------------------------------------------------------------------------- bad input ---


def test_what_cannot_be_recorded_is_refused():
    with pytest.raises(TypeError, match=r"draw\(\) was given .*draw\(f, 1.0, 2.0\)"):
        draw(3.0, 1.0)
    with pytest.raises(ValueError, match=r"draw\(\) was given no argument"):
        draw(olah)
    with pytest.raises(ValueError, match="no argument that is differentiated holds a number"):
        draw(lambda xs: 1.0, [])
    with pytest.raises(RuntimeError, match=r"draw\(\) was called inside a recording"):
        tapead.grad(lambda x: draw(olah, x, x).nodes[0].value)(1.0)


def test_a_program_too_large_is_refused_with_its_folds():
    with pytest.raises(ValueError, match=r'3,001 nodes.*fold="line" \(3\)'):
        draw(loop, 0.3, n=1000)
    assert len(draw(loop, 0.3, n=1000, fold="line").nodes) == 3
