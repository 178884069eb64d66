"""``python -m tapead`` branches, nan, flow and draw: what they print, JSON, files, errors."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import tapead
from tapead.command_line import main
from tapead.inspect.branches import branches
from tapead.inspect.drawing import draw
from tapead.inspect.nonfinite import find_nonfinite
from tapead.inspect.runs import plain_json

SCRIPT = """
import math
import numpy as np


def toll(weight, limit):
    print("running")
    rate = 2.0 if 3.0 * weight > limit else 1.0
    return rate * weight


def entropy(p):
    return -np.sum(np.where(p > 0.0, p * np.log(p), 0.0))


def root(x):
    return math.sqrt(x)


def inverse(x):
    return 1.0 / (x - 1.0)


def decay(x, w):
    for _ in range(6):
        x = math.tanh(w * x)
    return x


def broken(x):
    raise KeyError("nothing")


def text(x):
    return abs(x) > "a"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the script, which is the current one; imports are as they were afterwards."""
    (tmp_path / "tollgate.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) & {"tollgate", "tollgate_script"} - before:
        del sys.modules[name]


def scripts(name):
    """A function of the script."""
    sys.path.insert(0, ".")
    import tollgate

    return getattr(tollgate, name)


def said(capsys, *arguments):
    code = main(list(arguments))
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


# -------------------------------------------------------------------------------- branches ---


def test_branches_prints_the_report(capsys):
    out = said(capsys, "branches", "tollgate.py:toll", "--args", "[4.0, 11.5]", "--argnums", "all")
    assert "running" in out
    assert re.search(r"tollgate\.py:8 +> +1 +1 +12 +11\.5 +0\.5 +weight -0\.167, limit \+0\.5", out)


def test_branches_are_of_all_numbers_with_fractions_unless_told_otherwise(capsys):
    arguments = ["branches", "tollgate.py:toll", "--args", "[4.0, 11.5]"]
    out = said(capsys, *arguments)
    assert out == said(capsys, *arguments, "--argnums", "all") != ""
    assert "weight -0.167  " in said(capsys, *arguments, "--argnums", "0")


def test_json_of_branches_is_that_of_the_report(capsys, folder):
    arguments = ["branches", "tollgate.py:toll", "--args", "[4.0, 11.5]", "--json"]
    figures = json.loads(said(capsys, *arguments))
    assert figures["decisions"][0]["margin"] == 0.5
    said(capsys, *arguments, "report.json")
    assert json.loads((folder / "report.json").read_text()) == figures
    report = branches(scripts("toll"), 4.0, 11.5)
    assert report.to_dict()["decisions"][0]["moves"] == figures["decisions"][0]["moves"]


def test_most_limits_the_places(capsys):
    out = said(capsys, "branches", "tollgate.py:toll", "--args", "[4.0, 11.5]", "--most", "0")
    assert "1 place with larger margins left out" in out


# ------------------------------------------------------------------------------------- nan ---


def test_nan_names_the_operation_and_the_cure(capsys):
    out = said(capsys, "nan", "tollgate.py:entropy", "--args", "[[1.0, 0.0]]", "--arrays")
    assert "The value turns into -inf at tollgate.py:13, in entropy" in out
    assert "log(p[1] = 0.0) is -inf" in out
    assert "np.where" in out


def test_nan_finds_errors_and_slopes(capsys):
    out = said(capsys, "nan", "tollgate.py:inverse", "--args", "[1.0]")
    assert "raises ZeroDivisionError" in out
    assert "x - 1.0 = 0.0" in out
    out = said(capsys, "nan", "tollgate.py:root", "--args", "[0.0]")
    assert "The adjoint turns into inf" in out


def test_nan_says_when_everything_is_finite(capsys):
    assert "everything is finite" in said(capsys, "nan", "tollgate.py:root", "--args", "[2.0]")


def test_json_of_nan_is_that_of_the_finding(capsys):
    out = said(capsys, "nan", "tollgate.py:root", "--args", "[0.0]", "--json")
    assert json.loads(out) == plain_json(find_nonfinite(scripts("root"), 0.0).to_dict())
    assert json.loads(out)["adjoint"]["slopes"] == ["inf"]


# ------------------------------------------------------------------------------------ flow ---


def test_flow_prints_the_norms_of_adjoints(capsys):
    arguments = ["flow", "tollgate.py:decay", "--args", "[0.7, 0.5]", "--by", "step"]
    flow = tapead.record(scripts("decay"), 0.7, 0.5, argnums=0).flow(by="step")
    assert said(capsys, *arguments) == f"{flow}\n"
    figures = json.loads(said(capsys, *arguments, "--json"))
    assert figures == plain_json(flow.to_dict())
    assert figures["rows"][0]["adjoint"] > 0.0


def test_flow_draws_a_picture(capsys, folder):
    pytest.importorskip("matplotlib")
    arguments = ["flow", "tollgate.py:decay", "--args", "[0.7, 0.5]", "--by", "line"]
    assert "tollgate.py" in said(capsys, *arguments, "--plot", "flow.png")
    assert (folder / "flow.png").read_bytes().startswith(b"\x89PNG")


# ------------------------------------------------------------------------------------ draw ---


def test_draw_prints_dot_or_mermaid_alone(capsys):
    arguments = ["draw", "tollgate.py:toll", "--args", "[4.0, 11.5]", "--argnums", "all"]
    out = said(capsys, *arguments)
    assert out.startswith("digraph")
    assert "weight" in out
    assert "running" not in out
    assert re.match(r"(graph|flowchart) ", said(capsys, *arguments, "--mermaid"))


def test_draw_shows_what_the_sweep_computes(capsys):
    out = said(capsys, "draw", "tollgate.py:toll", "--args", "[4.0, 1.0]", "--sweep", "reverse")
    plain = said(capsys, "draw", "tollgate.py:toll", "--args", "[4.0, 1.0]")
    assert out != plain
    folded = said(capsys, "draw", "tollgate.py:decay", "--args", "[0.7, 0.5]", "--fold", "line")
    whole = said(capsys, "draw", "tollgate.py:decay", "--args", "[0.7, 0.5]")
    assert folded.count("->") < whole.count("->")


def test_tangents_are_by_the_input_that_is_named(capsys):
    arguments = ["draw", "tollgate.py:toll", "--args", "[4.0, 11.5]", "--argnums", "all"]
    out = said(capsys, *arguments, "--sweep", "forward", "--wrt", "weight")
    drawing = draw(scripts("toll"), 4.0, 11.5, sweep="forward", wrt="weight")
    capsys.readouterr()
    assert out == f"{drawing.dot}\n"
    assert drawing.nodes[-1].derivative == tapead.grad(scripts("toll"))(4.0, 11.5)


@pytest.mark.parametrize("name", ["graph.dot", "graph.mmd"])
def test_draw_writes_files(name, capsys, folder):
    arguments = ["draw", "tollgate.py:root", "--args", "[4.0]"]
    text = said(capsys, *arguments, *(["--mermaid"] if name.endswith("mmd") else []))
    assert said(capsys, *arguments, "-o", name) == ""
    assert (folder / name).read_text().strip() == text.strip()


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_draw_draws_by_graphviz(capsys, folder):
    said(capsys, "draw", "tollgate.py:root", "--args", "[4.0]", "--output", "graph.svg")
    assert "<svg" in (folder / "graph.svg").read_text()


# ---------------------------------------------------------------------------------- errors ---


@pytest.mark.parametrize("command", ["branches", "nan", "flow", "draw"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tollgate.py:nothing"], "has no function 'nothing'"),
        (["nowhere.py:f"], "there is no file nowhere.py"),
        (["tollgate.py:toll", "--args", "[1.0"], "is no JSON"),
        (["tollgate.py:toll", "--args", "[1.0, 2.0]", "--argnums", "5"], "argument 5"),
        (["tollgate.py:root", "--args", '["one"]'], "'one'"),
    ],
)
def test_a_wrong_command_is_said_in_one_line(command, arguments, words, capsys):
    assert main([command, *arguments]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["branches", "tollgate.py:toll"], "no argument to be differentiated"),
        (["nan", "tollgate.py:toll"], "no argument to be differentiated"),
        (["branches", "tollgate.py:root", "--args", "[1.0]", "--most", "-3"], "most=-3"),
        (["branches", "tollgate.py:root", "--args", "[1.0]", "--json", "no/where"], "no/where"),
        (["flow", "tollgate.py:root", "--args", "[1.0]", "--by", "step"], "step"),
        (["draw", "tollgate.py:root", "--args", "[1.0]", "-o", "graph.xyz"], "graph.xyz"),
        (["draw", "tollgate.py:root", "--args", "[1.0]", "--wrt", "y"], "sweep"),
        (
            ["draw", "tollgate.py:root", "--args", "[1.0]", "--wrt", "y", "--sweep", "forward"],
            "error: no input is called 'y'; there are x\n",
        ),
        (["draw", "tollgate.py:decay", "--args", "[1.0, 0.5]", "--most", "3"], "fold"),
        (["draw", "tollgate.py:root", "--args", "[1.0]", "-o", "no/where.dot"], "where.dot"),
        (["flow", "tollgate.py:root", "--args", "[1.0]", "--steps", "3"], "by="),
    ],
)
def test_options_that_cannot_be_are_errors_of_the_command(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", ["branches", "nan", "flow", "draw"])
def test_a_program_that_fails_shows_its_traceback(command, capsys):
    assert main([command, "tollgate.py:broken", "--args", "[1.0]"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert 'tollgate.py", line' in lines[1]  # of the program alone
    assert lines[-1] == "KeyError: 'nothing'"


@pytest.mark.parametrize("command", ["branches", "flow", "draw"])
def test_an_error_of_arithmetic_fails_all_commands_but_nan(command, capsys):
    assert main([command, "tollgate.py:inverse", "--args", "[1.0]"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_it_runs_as_a_module(folder):
    done = subprocess.run(
        [sys.executable, "-m", "tapead", "nan", "tollgate.py:root", "--args", "[0.0]"],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "sqrt(x = 0.0) has the slope inf" in done.stdout
    assert np.isinf(tapead.grad(scripts("root"))(0.0))
