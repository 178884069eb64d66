"""The benchmark programs stay right: gradients, and one row for each input and operation."""

import importlib.util
import itertools
import pathlib
import random
import sys

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
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)


@pytest.fixture(scope="module")
def peers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "measure", _load("measure"))
        yield _load("peers")


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
