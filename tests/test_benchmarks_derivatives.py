"""The benchmarks of derivatives stay right: their programs, their peers, and the tables."""

import functools
import importlib.util
import math
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import tapead

_FOLDER = pathlib.Path(__file__).with_name("benchmarks")


def _load(name):
    """A module of the benchmarks' folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def benchmarks():
    """The modules of the benchmarks' folder, which import one another."""
    with pytest.MonkeyPatch.context() as patch:
        modules = {}
        for name in (
            "measure", "peers", "programs", "derivative_programs", "derivative_peers",
            "derivative_memory",
        ):  # fmt: skip
            modules[name] = _load(name)
            patch.setitem(sys.modules, name, modules[name])
        yield modules


MATRICES = _load("derivative_programs")
SCALAR = _load("programs").PROGRAMS


def _along(f, x, v, h=1e-5):
    """The derivative of f along v, by differences of the fourth order."""
    at = [np.array(f(x + k * h * v)) for k in (1, -1, 2, -2)]
    return (8.0 * (at[0] - at[1]) - (at[2] - at[3])) / (12.0 * h)


def _taking(program, f, *rest):
    """f as a function of an array, for a program that wants a list or an array."""
    if program.form == "array":
        return lambda x: f(x, *rest)
    return lambda x: f(x.tolist(), *rest)


@pytest.mark.parametrize("program", MATRICES.JACOBIANS, ids=lambda p: f"{p.name} {p.small}")
def test_jacobians_agree_with_differences(program):
    x, *rest = program.arguments(*program.small)
    jacobian = np.array(_taking(program, tapead.jacobian(program.f), *rest)(x))
    assert jacobian.shape == program.small
    v = np.cos(np.arange(len(x)))
    expected = _along(_taking(program, program.f, *rest), x, v)
    np.testing.assert_allclose(jacobian @ v, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("program", MATRICES.HESSIANS, ids=lambda p: p.name)
def test_hessians_agree_with_differences_of_gradients(program):
    (x,) = program.arguments(program.small)
    hessian = np.array(_taking(program, tapead.hessian(program.f))(x))
    v = np.cos(np.arange(len(x)))
    expected = _along(_taking(program, tapead.grad(program.f)), x, v)
    np.testing.assert_allclose(hessian @ v, expected, rtol=1e-8, atol=1e-7)


@pytest.mark.parametrize("program", SCALAR, ids=lambda p: p.name)
def test_products_of_scalar_programs_agree_with_differences(program):
    x, *rest = program.arguments(program.small)
    v = [0.1 * math.cos(k) * abs(a) for k, a in enumerate(x)]
    f = lambda x: program.f(list(x), *rest)  # noqa: E731
    value, slope = tapead.jvp(f, (x,), (v,))
    product = tapead.hvp(f, (x,), (v,))
    assert value == program.f(x, *rest)
    assert slope == pytest.approx(float(_along(f, np.array(x), np.array(v), 1e-4)), rel=1e-6)
    expected = _along(tapead.grad(f), np.array(x), np.array(v), 1e-4)
    np.testing.assert_allclose(product, expected, rtol=1e-5, atol=1e-6)


def test_a_gradient_by_hand_agrees(benchmarks):
    (x,) = MATRICES.HESSIANS[0].arguments(9)
    gradient = benchmarks["derivative_peers"].rosenbrock_by_hand(x)
    np.testing.assert_allclose(gradient, tapead.grad(MATRICES.rosenbrock)(x), rtol=1e-12)


@pytest.mark.parametrize(
    ("peer", "library"), [("autograd", "autograd"), ("pytorch", "torch"), ("jax", "jax")]
)
def test_derivatives_by_libraries_agree(peer, library, benchmarks):
    pytest.importorskip(library)
    d = benchmarks["derivative_peers"]
    derivative = functools.partial(_of_peer, d.PEERS[peer], d.Task)
    for program in MATRICES.HESSIANS:
        (x,) = program.arguments(program.small)
        for kind in ("grad", "hessian"):
            mine = _taking(program, getattr(tapead, kind)(program.f))(x)
            theirs = derivative(kind, "derivative_programs", program.f, program.form, (), None, x)
            np.testing.assert_allclose(theirs, mine, rtol=1e-9, err_msg=program.name)
    for program in MATRICES.JACOBIANS:
        x, *rest = program.arguments(*program.small)
        for kind in ("jacfwd", "jacrev"):
            mine = _taking(program, tapead.jacobian(program.f), *rest)(x)
            theirs = derivative(kind, "derivative_programs", program.f, program.form, rest, None, x)
            np.testing.assert_allclose(theirs, mine, rtol=1e-9, err_msg=program.name)
    for program in SCALAR:
        if peer == "jax" and program.name in ("logistic", "van_der_pol", "lu_logdet"):
            continue  # they branch on what is not known when JAX traces
        x, *rest = program.arguments(program.small)
        v = np.cos(np.arange(len(x)))
        f = lambda x, p=program, rest=rest: p.f(x, *rest)  # noqa: E731
        mine = {
            "jvp": tapead.jvp(f, (x,), (v.tolist(),))[1],
            "hvp": tapead.hvp(f, (x,), (v.tolist(),)),
        }
        for kind, expected in mine.items():
            theirs = derivative(kind, "programs", program.f, "list", rest, v, np.array(x))
            np.testing.assert_allclose(
                theirs, expected, rtol=1e-8, atol=1e-11, err_msg=program.name
            )


def _of_peer(peer, task, kind, source, f, form, rest, v, x):
    return peer(task(kind, source, f.__name__, form, rest, v))(x)


def test_a_peer_that_cannot_says_why(benchmarks):
    d, peers = benchmarks["derivative_peers"], benchmarks["peers"]
    with pytest.raises(peers.MissingError, match="written for one gradient"):
        d.by_hand(d.Task("hessian", "derivative_programs", "rosenbrock", "list", ()))


def test_forward_mode_keeps_no_tape(benchmarks):
    memory = benchmarks["derivative_memory"]
    if memory.peak(1_000) is None:
        pytest.skip("the system does not tell of a process's memory")
    # A tape would take 17 bytes a row, and there are nine rows a step.
    assert memory.peak(50_000) < 1_000_000


def _tables(*arguments):
    done = subprocess.run(
        [sys.executable, str(_FOLDER / "run_derivatives.py"), "--quick", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tables = re.split(r"^(\w+): .*$", done.stdout, flags=re.MULTILINE)[1:]
    rows = [
        [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|")]
        for table in tables[1::2]
    ]
    return dict(zip(tables[::2], rows)), done.stdout


def test_the_runner_for_derivatives_prints_its_tables():
    tables, text = _tables()
    counts = {name: (len(rows) - 2, {len(row) for row in rows}) for name, rows in tables.items()}
    programs = len(SCALAR)
    expected = {
        "jvp": (programs + 1, {6}),
        "hvp": (programs, {6}),
        "hessian": (3, {5}),
        "jacobian": (4, {5}),
    }
    if importlib.util.find_spec("scipy"):
        expected["minimize"] = (3, {7})
        assert [row[0].strip() for row in tables["minimize"][2:]] == [
            program.name for program in MATRICES.HESSIANS
        ]
    assert {name: counts[name] for name in expected} == expected
    assert [row[1].strip() for row in tables["jacobian"][2:]] == ["20 x 5", "3 x 20"] * 2
    assert "steps" in text.splitlines()[-1] or "not measured" in text


def test_the_runner_for_derivatives_says_why_a_peer_has_no_figure():
    tables, text = _tables("--peers", "hessian")
    assert list(tables) == ["hessian"]
    assert {len(row) for row in tables["hessian"]} == {9}
    assert tables["hessian"][0][5:] == [" by_hand ", " autograd ", " pytorch ", " jax "]
    assert "- by_hand: written for one gradient" in text
    for peer, library in (("autograd", "autograd"), ("pytorch", "torch"), ("jax", "jax")):
        missing = importlib.util.find_spec(library) is None
        assert (
            re.search(rf"^- {peer}: [\w.]+ is not installed", text, re.MULTILINE) is not None
        ) is missing
