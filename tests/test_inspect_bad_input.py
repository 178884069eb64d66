"""What cannot be looked at: a clear message with the remedy, and no recording that stays open."""

import math
import os
import sys

import numpy as np
import pytest

import tapead


def decay(x, w):
    for _ in range(5):
        x = math.tanh(w * x)
    return x


LOOKS = [tapead.draw, tapead.branches, tapead.find_nonfinite, tapead.record]
REMEDIES = {
    "lines": r"record\(..., lines=True\)",
    "empty": r"the tape is empty.*record a function of at least one number.*record\(f, 1.0\)",
}


@pytest.mark.parametrize(
    "look",
    [
        lambda tape: tape.draw(fold="line"),
        lambda tape: tape.draw(fold="function"),
        lambda tape: tape.draw(fold="iteration"),
        lambda tape: tape.draw(most=3),
        lambda tape: tape.flow(),
        lambda tape: tape.flow(by="line"),
        lambda tape: tape.flow(by="step"),
        lambda tape: tape.flow(by="step", steps=5),
    ],
)
def test_what_goes_by_source_lines_says_how_to_keep_them(look):
    with pytest.raises(ValueError, match=REMEDIES["lines"]):
        look(tapead.record(decay, 0.5, 1.2, lines=False))


def test_what_needs_no_lines_does_without_them():
    tape = tapead.record(decay, 0.5, 1.2, lines=False)
    kept = tapead.record(decay, 0.5, 1.2)
    assert tape.paths("w").total == kept.paths("w").total
    reverse = [tape.draw(sweep="reverse").nodes, kept.draw(sweep="reverse").nodes]
    assert len({tuple(node.derivative for node in nodes) for nodes in reverse}) == 1
    assert "def f_grad(x, w):" in tape.to_python()


@pytest.mark.parametrize("nothing", [(lambda: 3.0,), (lambda numbers: 3.0, {})])
@pytest.mark.parametrize(
    "look",
    [
        lambda tape: tape.draw(),
        lambda tape: tape.draw(fold="line", sweep="reverse"),
        lambda tape: tape.flow(),
        lambda tape: tape.paths(),
        lambda tape: tape.to_python(),
    ],
)
def test_an_empty_tape_has_nothing_to_look_at(nothing, look):
    with pytest.raises(ValueError, match=REMEDIES["empty"]):
        look(tapead.record(*nothing))


def test_an_empty_tape_is_listed_as_one():
    tape = tapead.record(lambda: 3.0)
    assert str(tape) == "(an empty tape: nothing was recorded)"
    assert (tape.adjoints().tolist(), tape.edges) == ([], 0)
    with pytest.raises(IndexError, match="input 0 of a tape with 0"):
        tape.tangents()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt(), SystemExit(3)])
def test_a_function_that_raises_leaves_no_recording_open(look, error):
    def f(x):
        if x * math.sin(x) > -1.0:
            raise error
        return x

    with pytest.raises(type(error)) as caught:
        look(f, 1.0)
    assert caught.value is error
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0
    assert math is sys.modules["math"]  # names are as they were


@pytest.mark.parametrize("look", LOOKS)
def test_inside_a_recording_they_are_refused(look):
    with pytest.raises(RuntimeError, match=rf"{look.__name__}\(\) was called inside a recording"):
        tapead.grad(lambda x: look(lambda y: y * y, x) and x)(1.0)
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("args", "options", "error", "words"),
    [
        ((3.0, 1.0), {}, TypeError, r"was given 3\.0 of type float, which cannot be called"),
        (
            (decay, "a", 1.0),
            {"argnums": (0, 1)},
            TypeError,
            r"x is 'a' of type str, not a real number",
        ),
        ((decay, 0.5, None), {"argnums": (0, 1)}, TypeError, "w is None of type NoneType"),
        ((decay, 0.5, 1.2), {"argnums": 7}, ValueError, "argument 7, but 2 were given"),
        ((decay, 0.5, 1.2), {"argnums": "x"}, TypeError, "argnums='x': a whole number"),
        ((decay, 0.5), {}, TypeError, "missing 1 required positional argument: 'w'"),
    ],
)
def test_functions_and_arguments_that_cannot_be(look, args, options, error, words):
    with pytest.raises(error, match=words):
        look(*args, **options)


# ------------------------------------------------------------------------------- graphviz ---


def test_without_graphviz_pictures_say_what_to_install_and_text_is_there(monkeypatch, tmp_path):
    drawing = tapead.draw(decay, 0.5, 1.2)
    monkeypatch.setenv("PATH", str(tmp_path))
    remedy = r"apt install graphviz.*or take the text, \.dot or \.mermaid, which needs no program"
    for picture in (drawing.svg, drawing.png, lambda: drawing.save(tmp_path / "graph.png")):
        with pytest.raises(RuntimeError, match=remedy):
            picture()
    assert not (tmp_path / "graph.png").exists()
    drawing.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text() == drawing.dot
    assert drawing._repr_svg_() is None
    assert "flowchart TB" in drawing._repr_html_()


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for Graphviz's program")
@pytest.mark.parametrize(
    ("program", "words"),
    [("#!/bin/sh\necho no fonts >&2\nexit 3\n", "has failed: no fonts"), ("", "cannot be run")],
)
def test_a_broken_graphviz_is_an_error_that_names_it(program, words, monkeypatch, tmp_path):
    (tmp_path / "dot").write_text(program or "no program")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=f"{tmp_path}/dot {words}"):
        tapead.draw(decay, 0.5, 1.2).svg()


def test_a_picture_that_cannot_be_written_is_an_oserror_with_its_path(tmp_path):
    drawing = tapead.draw(decay, 0.5, 1.2)
    with pytest.raises(OSError, match=r"nowhere/graph\.dot"):
        drawing.save(tmp_path / "nowhere" / "graph.dot")
    with pytest.raises(ValueError, match=r"graph'\): the ending says .*\.svg, \.png, \.dot"):
        drawing.save(tmp_path / "graph")
    for dpi in (0, -1, math.nan, "many"):
        with pytest.raises(ValueError, match="a positive number"):
            drawing.png(dpi)


def test_a_sweep_of_an_array_says_to_return_a_number():
    tape = tapead.record(lambda v: 2.0 * v, np.ones(3))
    for look in (tape.adjoints, tape.gradient, tape.flow, lambda: tape.draw(sweep="reverse")):
        with pytest.raises(ValueError, match=r"shape \(3,\).*returns its sum, or one of its elem"):
            look()
