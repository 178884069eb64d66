"""``python -m tapead``: functions that are named, arguments in all forms, files, errors."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tapead.command_line import main

SCRIPT = """
import math
import numpy as np

print("imported")


def swing(angle, steps=10):
    print("running")
    for _ in range(int(steps)):
        angle = angle - 0.01 * math.sin(angle)
    return angle


def loss(weights, data, *, scale=1.0):
    return np.sum((weights @ data - 1.0) ** 2) * scale


def total(numbers):
    return sum(x * x for x in numbers)


def broken(x):
    return x / 0


def detaching(x):
    return np.array([x]).tobytes() and x


class Model:
    @staticmethod
    def value(x):
        return 2.0 * x


constant = 5.0
if __name__ == "__main__":
    raise SystemExit("ran as a program")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the script, which is the current one; imports are as they were afterwards."""
    (tmp_path / "pendulum.py").write_text(SCRIPT)
    (tmp_path / "failing.py").write_text("import math\nmath.nothing\n")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit('no')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) & {"pendulum", "pendulum_script", "failing", "leaving"} - before:
        del sys.modules[name]


def figures(capsys, *arguments):
    """The JSON of a profile."""
    code = main(["profile", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize("target", ["pendulum.py:swing", "pendulum:swing"])
def test_a_function_of_a_script_or_a_module_is_profiled(target, capsys):
    assert main(["profile", target, "--args", "[1.5, 20]"]) == 0
    out = capsys.readouterr().out
    assert "imported" in out
    assert "swing: 61 rows" in out
    assert "angle = angle - 0.01 * math.sin(angle)" in out
    assert "File pendulum.py" in out


def test_methods_are_named_by_their_class(capsys):
    assert figures(capsys, "pendulum.py:Model.value", "--args", "[3.0]")["rows"] == 2


def test_json_stands_alone_in_the_output(capsys):
    code = main(["profile", "pendulum.py:swing", "--args", "[1.5]", "--json"])
    out, err = capsys.readouterr()
    assert code == 0
    assert json.loads(out)["rows"] == 31
    assert "running" in err


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (["--args", "[1.0]"], 1),
        (["--args", "[1.0, 10]", "--argnums", "all"], 2),
        (["--args", "[1.0, 10]", "--argnums", "0,1"], 2),
        (["--args", '{"steps": 10, "angle": 1.0}'], 1),
        (["--args", "[1.0, 10]", "--argnums", "-2"], 1),
    ],
)
def test_argnums_chooses_what_is_an_input(arguments, rows, capsys):
    operations = figures(capsys, "pendulum.py:swing", *arguments)["operations"]
    assert next(u["rows"] for u in operations if u["operation"] == "input") == rows


def test_lists_are_lists_or_arrays_on_request(capsys):
    as_list = figures(capsys, "pendulum.py:total", "--args", "[[1.0, 2.0, 3.0]]")
    assert {u["operation"] for u in as_list["operations"]} >= {"input", "mul", "add"}
    as_array = figures(capsys, "pendulum.py:total", "--args", "[[1.0, 2.0, 3.0]]", "--arrays")
    assert "array input" in {u["operation"] for u in as_array["operations"]}


@pytest.mark.parametrize("named", [False, True])
def test_arguments_come_from_npz_files(named, folder, capsys):
    weights, data = np.ones((2, 3)), np.arange(3.0)
    if named:
        np.savez(folder / "given.npz", data=data, weights=weights)
    else:
        np.savez(folder / "given.npz", weights, data)
    for name in ("@given.npz", "given.npz"):
        found = figures(capsys, "pendulum.py:loss", "--args", name)
        assert "array matmul" in {u["operation"] for u in found["operations"]}


def test_numbers_in_npz_files_are_numbers(folder, capsys):
    np.savez(folder / "given.npz", 1.5, 7)
    assert figures(capsys, "pendulum.py:swing", "--args", "@given.npz")["rows"] == 22


def test_arguments_come_from_json_files(folder, capsys):
    (folder / "given.json").write_text("[[[1.0, 2.0]], [3.0, 4.0]]")
    arguments = ("pendulum.py:loss", "--args", "@given.json", "--arrays")
    assert "array matmul" in {u["operation"] for u in figures(capsys, *arguments)["operations"]}


def test_files_are_written_beside_the_table(folder, capsys):
    pytest.importorskip("matplotlib")
    arguments = ["profile", "pendulum.py:swing", "--args", "[1.5]", "--plain"]
    files = ["--plot", "out.png", "--json", "out.json", "--flamegraph", "out.txt"]
    assert main([*arguments, *files, "--html", "out.html"]) == 0
    assert "swing: 31 rows" in capsys.readouterr().out
    assert (folder / "out.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads((folder / "out.json").read_text())["plain_seconds"] > 0.0
    assert "swing (pendulum.py);pendulum.py:" in (folder / "out.txt").read_text()
    assert (folder / "out.html").read_text().count("</table>") >= 3


def test_memory_is_measured_on_request(capsys):
    pytest.importorskip("memory_profiler")
    found = figures(capsys, "pendulum.py:swing", "--args", "[1.5]", "--memory")
    assert len(found["process"]["bytes"]) > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["swing"], "script.py:function or module:function was expected"),
        (["absent.py:f"], "there is no file absent.py"),
        (["absent:f"], "absent cannot be imported: ModuleNotFoundError"),
        (["failing.py:f"], "failing.py cannot be imported: AttributeError"),
        (["leaving.py:f"], "leaving.py cannot be imported: SystemExit"),
        (["pendulum.py:nothing"], "no function 'nothing'; it has swing, loss"),
        (["pendulum.py:constant"], "is a float, not a function"),
        (["pendulum.py:swing"], "argument 0"),
        (["pendulum.py:swing", "--args", "[1.0"], "[1.0 is no JSON"),
        (["pendulum.py:swing", "--args", "1.0"], "a list of the arguments was expected"),
        (["pendulum.py:swing", "--args", '["a"]'], "'a' of type str, not a real number"),
        (["pendulum.py:swing", "--args", "[1, 2, 3]"], "takes from 1 to 2 positional arguments"),
        (["pendulum.py:swing", "--args", '{"angel": 1}'], "--args: missing a required argument"),
        (["pendulum.py:loss", "--args", '{"weights": 1, "data": 1, "scale": 2}'], "by keyword"),
        (["pendulum.py:swing", "--args", "@none.json"], "none.json cannot be read"),
        (["pendulum.py:swing", "--args", "@none.npz"], "none.npz cannot be read"),
        (["pendulum.py:swing", "--args", "@text.npz"], "text.npz cannot be read"),
        (["pendulum.py:swing", "--args", "torn.npz"], "torn.npz cannot be read"),
        (["pendulum.py:swing", "--args", "none.npz"], "none.npz cannot be read"),
        (["pendulum.py:swing", "--args", "none.json"], "none.json cannot be read"),
        (["pendulum.py:total", "--args", "[[[1], [1, 2]]]", "--arrays"], "different lengths"),
        (["pendulum.py:total", "--args", '[["a"]]', "--arrays"], "does not consist of numbers"),
        (["pendulum.py:swing", "--args", "[1.0]", "--argnums", "x"], "--argnums x"),
        (["pendulum.py:swing", "--args", "[1.0]", "--argnums", "3"], "argument 3"),
        (["pendulum.py:swing", "--args", "[1.0]", "--json", "no/out.json"], "no/out.json"),
        (["pendulum.py:detaching", "--args", "[1.0]"], "DetachedError"),
    ],
)
def test_a_wrong_command_is_an_error_in_a_line_and_exit_code_2(arguments, message, folder, capsys):
    (folder / "text.npz").write_text("text")
    (folder / "torn.npz").write_bytes(b"PK\x03\x04 torn")
    assert main(["profile", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in err


def test_an_error_of_the_program_is_shown_as_it_is(capsys):
    assert main(["profile", "pendulum.py:broken", "--args", "[1.0]"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "return x / 0" in err


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["profile"], ["profile", "a:b", "--no"]])
def test_unknown_commands_and_options_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: python -m tapead" in capsys.readouterr().err


def test_the_module_is_the_command(folder):
    command = [sys.executable, "-m", "tapead", "profile"]
    done = subprocess.run(
        [*command, "pendulum:swing", "--args", "[1.5]"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "swing: 31 rows" in done.stdout
    wrong = subprocess.run([*command, "pendulum:none"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: pendulum has no function 'none'")
    assert wrong.stdout == "imported\n"
