"""README and docstrings: what they show runs and prints what they say; the module map is right."""

import ast
import contextlib
import doctest
import importlib
import io
import pkgutil
import re
from pathlib import Path

import pytest

import tapead

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MODULES = [m.name for m in pkgutil.walk_packages(tapead.__path__, "tapead.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_every_public_function_has_an_example_that_runs():
    finder = doctest.DocTestFinder()
    for name in ("grad", "value_and_grad", "record", "check_grads", "stop_gradient", "value"):
        public = getattr(tapead, name)
        examples = [e for t in finder.find(public, name, globs={}) for e in t.examples]
        assert examples, name
        runner = doctest.DocTestRunner()
        for test in finder.find(public, name, globs={}):
            runner.run(test)
        assert runner.failures == 0, name


def test_every_public_name_has_a_docstring():
    assert [n for n in tapead.__all__ if n != "compiled" and not getattr(tapead, n).__doc__] == []


def test_readme_programs_print_what_readme_says():
    parts = re.split(r"```(python)?\n(.*?)```\n", README, flags=re.DOTALL)
    blocks = [(parts[k] == "python", parts[k + 1]) for k in range(1, len(parts), 3)]
    assert [python for python, _ in blocks] == [True, False, True, False]
    names: dict = {}
    for (_, source), (_, expected) in zip(blocks[::2], blocks[1::2]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(source, names)
        assert out.getvalue().endswith(expected)


def test_module_map_of_readme_matches_the_tree():
    listed = set(re.findall(r"^      ([\w/]+\.py) ", README, flags=re.MULTILINE))
    there = {p.relative_to(ROOT / "tapead").as_posix() for p in (ROOT / "tapead").rglob("*.py")}
    assert listed == there - {"inspect/__init__.py"}


def test_readme_lists_every_example():
    listed = set(re.findall(r"^- `examples/(\w+\.py)`", README, flags=re.MULTILINE))
    assert listed == {p.name for p in (ROOT / "examples").glob("*.py")}


def test_imports_point_down():
    order = [
        "elementary", "errors", "ieee", "tape", "special", "partials", "sweeps", "guards", "scalar",
        "sweeps_recorded", "math", "trees", "aware", "reach", "intercept", "recording",
        "transforms", "inspect.listing", "record", "testing",
    ]  # fmt: skip
    assert {f"tapead.{m}" for m in order} | {"tapead._mode", "tapead.inspect"} == set(MODULES)
    for height, module in enumerate(order):
        source = (ROOT / "tapead" / (module.replace(".", "/") + ".py")).read_text()
        source = re.sub(r"if TYPE_CHECKING:\n(    .*\n)+", "", source)
        imported = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module == "tapead":
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("tapead."):
                imported.add(node.module.removeprefix("tapead."))
        above = {m for m in imported if m in order and order.index(m) >= height}
        assert above == set(), f"{module} imports {above}"
