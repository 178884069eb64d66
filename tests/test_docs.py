"""README and docstrings: what they show runs and prints what they say; the module map is right."""

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import tapead
from tapead.inspect.branches import BranchReport, Decision
from tapead.inspect.drawing import Drawing
from tapead.inspect.flow import Flow
from tapead.inspect.nonfinite import Finding, Nonfinite
from tapead.inspect.paths import Paths
from tapead.profile_diff import ProfileDiff

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MODULES = [m.name for m in pkgutil.walk_packages(tapead.__path__, "tapead.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    if name.startswith("tapead.scipy"):
        pytest.importorskip("scipy")
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0


# What the public functions give: classes with methods of their own.
GIVEN = [Drawing, Flow, Paths, BranchReport, Decision, Nonfinite, Finding, ProfileDiff]


def public_things():
    """Public functions and classes by name, and what functions give; with methods of classes."""
    things = {name: getattr(tapead, name) for name in tapead.__all__}
    things |= {f"{thing.__module__}.{thing.__name__}": thing for thing in GIVEN}
    for name, thing in things.items():
        if isinstance(thing, (types.FunctionType, types.ModuleType)):
            yield name, thing
        elif isinstance(thing, type):
            yield name, thing
            for attribute, method in vars(thing).items():
                if isinstance(method, types.FunctionType) and not attribute.startswith("_"):
                    yield f"{name}.{attribute}", method


@pytest.mark.parametrize(("name", "thing"), list(public_things()))
def test_every_public_function_class_module_and_method_has_an_example_that_runs(name, thing):
    examples = doctest.DocTestParser().get_doctest(thing.__doc__ or "", {}, name, None, None)
    assert examples.examples, "has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(examples)
    assert runner.failures == 0


def test_every_public_name_has_a_docstring():
    assert [n for n in tapead.__all__ if n != "compiled" and not getattr(tapead, n).__doc__] == []


def blocks_of_readme():
    """Programs in README with the name that each is saved under, and what it prints there."""
    parts = re.split(r"```(python)?\n(.*?)```\n", README, flags=re.DOTALL)
    python = [bool(word) for word in parts[1::3]]
    assert python == [True, False] * 5
    for k in range(0, len(python), 2):
        before, _, source, _, _, expected = parts[3 * k : 3 * k + 6]
        name = re.search(r"saved as `(\w+\.py)`,\s*$", before)
        yield name[1] if name else f"program{k // 2}.py", source, expected


def without_times(text):
    """What a program prints on any machine."""
    text = re.sub(r"\b\d[\d.]* [mu]?s\b", "# s", text)
    return re.sub(r"\b\d[\d.]* % of a run\b", "# % of a run", text)


@pytest.mark.parametrize(("name", "source", "expected"), [*blocks_of_readme()])
def test_a_program_of_readme_runs_in_a_file_of_its_own(name, source, expected, tmp_path):
    (tmp_path / name).write_text(source)
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert without_times(done.stdout) == without_times(expected)


def test_links_of_readme_lead_somewhere():
    prose = re.sub(r"```.*?```|`[^`]*`", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)]+)\)", prose)
    assert "examples/pictures/profile.svg" in links
    headings = re.findall(r"^#+ (.+)$", README, flags=re.MULTILINE)
    places = {"#" + re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    assert [x for x in links if x not in places and not (ROOT / x).is_file()] == []


def test_commands_of_readme_name_files_that_are_there():
    named = set(re.findall(r"`?python ((?:tests|examples)/[\w/]+\.py)", README))
    named |= set(re.findall(r"(examples/\w+\.py):", README))
    assert len(named) > 3
    assert [x for x in named if not (ROOT / x).is_file()] == []


def test_module_map_of_readme_matches_the_tree():
    listed = set(re.findall(r"^      ([\w/]+\.py) ", README, flags=re.MULTILINE))
    there = {p.relative_to(ROOT / "tapead").as_posix() for p in (ROOT / "tapead").rglob("*.py")}
    assert listed == there - {
        f"{p}/__init__.py"
        for p in ("bounded", "checkpoints", "inspect", "scipy/rows", "scipy/matrices")
    }


def test_readme_lists_every_example():
    listed = set(re.findall(r"^- `examples/(\w+\.py)`", README, flags=re.MULTILINE))
    assert listed == {p.name for p in (ROOT / "examples").glob("*.py")}


# From the bottom to the top.  The modules of bounded, checkpoints, inspect, rules and scipy are one
# step each.
ORDER = [
    "elementary", "errors", "ieee", "kernels", "rules", "scipy", "sources", "outside", "tape",
    "special",
    "partials", "places", "guards", "scalar", "array", "lanes", "sweeps_arrays", "tangents",
    "tangents_many", "sweeps", "sweeps_recorded", "sweeps_recorded_forward", "segments", "math",
    "calls", "operands", "rows", "aware_scipy", "functions", "attributes", "writes",
    "aware_random", "aware_numpy", "dispatch", "trees", "aware", "aware_statistics", "reach",
    "held", "intercept",
    "recording", "forms", "derived", "traces", "sizes", "bounded", "transforms", "second_order",
    "products",
    "jacobians", "custom_calls", "custom", "checkpoints", "record",
    "profile_uses", "profile_counts", "profile_run", "profile_text", "profile_diff", "profile",
    "command_arguments", "commands", "command_line",
    "__main__", "testing", "supported",
]  # fmt: skip


def step(module):
    """The step that a module, by its name in the package, belongs to."""
    package = module.partition(".")[0]
    if package == "inspect":  # a recorded tape offers what looks at it
        return "record"
    return package if package in ("bounded", "checkpoints", "rules", "scipy") else module


def imported_by(path):
    """The modules of tapead that a file imports, by their names in the package."""
    package = ("tapead", *path.relative_to(ROOT / "tapead").parent.parts)
    source = re.sub(r"if TYPE_CHECKING:\n(    .*\n)+", "", path.read_text())
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*above, *filter(None, [node.module])])
            names = [f"{origin}.{a.name}" for a in node.names] if origin == "tapead" else [origin]
        else:
            continue
        yield from (n.removeprefix("tapead.") for n in names if n.startswith("tapead."))


def test_imports_point_down():
    files = {
        p.relative_to(ROOT / "tapead").with_suffix("").as_posix().replace("/", "."): p
        for p in (ROOT / "tapead").rglob("*.py")
    }
    outside = {"__init__", "_build", "_mode"}
    assert {step(module) for module in files} == set(ORDER) | outside
    for module in files.keys() - outside:
        height = ORDER.index(step(module))
        imported = set(map(step, imported_by(files[module]))) - {step(module)}
        above = {m for m in imported if m in ORDER and ORDER.index(m) > height}
        assert above == set(), f"{module} imports {above}"
