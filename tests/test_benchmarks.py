"""The benchmark programs stay right: gradients, and one row for each input and operation."""

import importlib.util
import itertools
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest

import tapead

_FOLDER = pathlib.Path(__file__).with_name("benchmarks")


def _load(name):
    """A module of the benchmarks' folder, which is no package: run.py is a script beside it."""
    spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROGRAMS = _load("programs").PROGRAMS
ARRAY_PROGRAMS = _load("array_programs").PROGRAMS
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
every_array_program = pytest.mark.parametrize("program", ARRAY_PROGRAMS, ids=lambda p: p.name)


@pytest.fixture(scope="module")
def benchmarks():
    """The modules of the benchmarks' folder, which import one another."""
    with pytest.MonkeyPatch.context() as patch:
        modules = {}
        names = ("measure", "peers", "array_programs", "array_adjoints", "array_peers")
        for name in (*names, "array_memory", "memory_programs"):
            modules[name] = _load(name)
            patch.setitem(sys.modules, name, modules[name])
        yield modules


@pytest.fixture(scope="module")
def peers(benchmarks):
    return benchmarks["peers"]


def _rows(f, *args):
    return len(tapead.record(f, *args, argnums=0, lines=False))


@every_program
def test_gradient_agrees_with_central_differences_along_a_random_direction(program):
    x, *rest = program.arguments(program.small)
    draw = random.Random(program.name)
    direction = [draw.uniform(-1.0, 1.0) * max(abs(v), 0.1) for v in x]
    value, gradient = tapead.value_and_grad(program.f)(x, *rest)
    assert value == program.f(x, *rest)

    def along(h):
        return program.f([v + h * d for v, d in zip(x, direction, strict=True)], *rest)

    h = 1e-5
    expected = (along(h) - along(-h)) / (2.0 * h)
    slope = sum(g * d for g, d in zip(gradient, direction, strict=True))
    assert slope == pytest.approx(expected, rel=1e-6, abs=1e-7)


@every_program
def test_every_operation_is_one_row_and_agrees_with_a_plain_tape(program, peers):
    for n in (program.small, 2 * program.small):
        args = program.arguments(n)
        by_plain_tape = peers.plain_tape(program.name, *args)
        assert tapead.grad(program.f)(*args) == pytest.approx(by_plain_tape(), rel=1e-9, abs=1e-12)
        assert _rows(program.f, *args) == len(by_plain_tape.tape) - 1


@pytest.mark.parametrize(
    ("name", "rows_a_step"),
    [("rosenbrock", 9), ("product", 2), ("kalman", 31), ("pendulum", 44), ("asian_option", 177)],
)
def test_rows_grow_linearly_with_the_size(name, rows_a_step):
    program = next(p for p in PROGRAMS if p.name == name)
    counts = [_rows(program.f, *program.arguments(k * 20)) for k in (1, 2, 3)]
    growth = [b - a for a, b in itertools.pairwise(counts)]
    assert growth == pytest.approx([20 * rows_a_step] * 2, rel=0.02)


@pytest.mark.parametrize("name", ["rosenbrock", "logistic"])
def test_adjoints_by_hand_agree(name, peers):
    program = next(p for p in PROGRAMS if p.name == name)
    args = program.arguments(program.small)
    gradient = tapead.grad(program.f)(*args)
    assert peers.by_hand(name, *args)() == pytest.approx(gradient, rel=1e-10)


def test_a_peer_that_is_missing_says_so(peers):
    with pytest.raises(peers.MissingError):
        peers.by_hand("kalman", [0.0])


# --------------------------------------------------------------------------------- arrays ---


def _inner(gradient, direction):
    return sum(np.sum(g * d) for g, d in zip(gradient, direction, strict=True))


@every_array_program
def test_array_gradient_agrees_with_central_differences_along_a_random_direction(program):
    args = program.arguments(program.small)
    inputs, rest = args[: program.count], args[program.count :]
    draw = np.random.default_rng(len(program.name))
    direction = [draw.uniform(-1.0, 1.0, x.shape) for x in inputs]
    value, gradient = tapead.value_and_grad(program.f, program.argnums)(*args)
    assert value == program.f(*args)
    assert [g.shape for g in gradient] == [x.shape for x in inputs]

    def along(h):
        return program.f(*(x + h * d for x, d in zip(inputs, direction, strict=True)), *rest)

    h = 1e-5
    expected = (along(h) - along(-h)) / (2.0 * h)
    assert _inner(gradient, direction) == pytest.approx(expected, rel=1e-6, abs=1e-7)


def _assert_agrees(program, peer, benchmarks):
    args = program.arguments(program.small)
    mine = tapead.grad(program.f, program.argnums)(*args)
    theirs = benchmarks["array_peers"].PEERS[peer](program, args)()
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        "small_vectors",
        "lstm",
        "mlp",
        "logistic_regression",
        "gaussian_mixture",
        "ufunc_chain",
        "heat",
    ],
)
def test_adjoints_of_arrays_by_hand_agree(name, benchmarks):
    _assert_agrees(next(p for p in ARRAY_PROGRAMS if p.name == name), "by_hand", benchmarks)


@pytest.mark.parametrize(("peer", "library"), [("autograd", "autograd"), ("pytorch", "torch")])
def test_gradients_of_arrays_by_libraries_agree(peer, library, benchmarks):
    pytest.importorskip(library)
    for program in ARRAY_PROGRAMS:
        if (program.name, peer) != ("heat", "autograd"):  # it writes in place
            _assert_agrees(program, peer, benchmarks)


def test_what_no_partial_needs_is_not_kept_alive(benchmarks):
    alive = benchmarks["array_memory"].arrays_alive(20_000)
    for step in ("z + x", "z - x", "z += x", "z * 1.01"):
        assert alive[step] < 1.5, step
    for step in ("z * x", "np.tanh(z)"):
        assert 19.5 < alive[step] < 21.5, step


def test_the_runner_for_arrays_prints_a_table():
    names = ["heat", "small_vectors"]
    done = subprocess.run(
        [sys.executable, str(_FOLDER / "run_arrays.py"), "--quick", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows] == ["program", "---", "small_vectors", "heat"]
    assert {len(row) for row in rows} == {7}
    assert "arrays alive" in done.stdout


# --------------------------------------------------------------------------------- memory ---


@pytest.mark.parametrize("name", ["integrator", "rnn"])
def test_gradients_of_long_loops_agree_in_all_ways(name, benchmarks):
    pytest.importorskip("checkpoint_schedules")
    programs = benchmarks["memory_programs"]

    def checkpointed(step, state, n):
        return tapead.checkpointed_loop(step, state, n, snapshots=3, stretch=2)

    plain, other = (programs.PROGRAMS[name](30, loop) for loop in (programs.plainly, checkpointed))
    expected = tapead.grad(plain, plain.argnums)(*plain.arguments)
    found = [tapead.grad(other, other.argnums)(*other.arguments)]
    if importlib.util.find_spec("torch"):
        found += [programs.by_torch(name, 30, checkpointed)() for checkpointed in (False, True)]
    for gradient in found:
        for a, b in zip(expected, gradient, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("run_memory", ["integrator: 10,000 steps", "rnn: 100 steps", "`checkpointed_loop`"]),
        ("run_checkpoints", ["integrator: 10,000 steps", "rnn: 100 steps", "| 20 |"]),
    ],
)
def test_the_runners_for_memory_print_tables(script, said):
    pytest.importorskip("checkpoint_schedules")
    done = subprocess.run(
        [sys.executable, str(_FOLDER / f"{script}.py"), "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for text in said:
        assert text in done.stdout
    widths = {line.count("|") for line in done.stdout.splitlines() if line.startswith("|")}
    assert len(widths) == 1
