"""checkpoint: no rows in the forward run, the same derivatives, and second runs that differ."""

import importlib.util
import io
import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest

import tapead
import tapead.tape

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)
everything_is_as_it_was = checks.everything_is_as_it_was

X = np.array([0.5, 1.0, 2.0])


def step(x):
    for _ in range(10):
        x = x + 0.1 * math.sin(x)
    return x


def loop(step, x, n=8):
    for _ in range(n):
        x = step(x)
    return x


def swirl(u, w):
    """A function of arrays that writes into an array of its own."""
    z = np.zeros(3)
    z[0] = u[0] * w["a"]
    z[1:] = np.sin(u[1:]) * u[0]
    return z + 0.1 * u, w["a"] * u[2]


def chained(swirl, x, a):
    u, s = swirl(x, {"a": a, "unused": 1.0})
    u, t = swirl(u, {"a": s, "unused": 1.0})
    return np.sum(u * x) + s * t


def of_step(f):
    return lambda x: loop(f, x)


def of_swirl(f):
    return lambda x: chained(f, x, 1.3)


CASES = [
    pytest.param(of_step, step, 1.1, id="numbers"),
    pytest.param(of_swirl, swirl, X, id="arrays"),
]


@pytest.mark.parametrize(("make", "f", "x"), CASES)
def test_all_derivatives_are_those_without_a_checkpoint(make, f, x):
    plain, checkpointed = make(f), make(tapead.checkpoint(f))
    v = 0.3 * x
    close = {"rtol": 1e-13, "atol": 1e-14}
    assert np.array_equal(checkpointed(x), plain(x))
    for transform in (
        tapead.grad,
        tapead.hessian,
        lambda g: lambda x: tapead.jvp(g, (x,), (v,))[1],
        lambda g: lambda x: tapead.vjp(g, x)[1](1.0)[0],
        lambda g: lambda x: tapead.linearize(g, x)[1](v),
        lambda g: lambda x: tapead.hvp(g, (x,), (v,)),
        lambda g: tapead.grad(lambda x: np.sum(tapead.grad(g)(x) * v)),
        lambda g: tapead.grad(lambda x: tapead.jvp(g, (x,), (v,))[1]),
    ):
        found, expected = transform(checkpointed)(x), transform(plain)(x)
        np.testing.assert_allclose(found, expected, **close)


def test_a_call_leaves_no_rows_but_its_result():
    tape = tapead.record(of_step(tapead.checkpoint(step)), 1.0)
    assert set(tape.operations) == {"input", "array", "element"}
    assert len(tape) == 1 + 2 * 8


def test_one_call_is_recorded_at_a_time():
    rows = io.StringIO()  # a list would be as before the second runs

    @tapead.checkpoint
    def noted(x):
        y = step(x)
        print(len(tapead.tape.current.tape), file=rows)
        return y

    tapead.grad(lambda x: loop(noted, x))(1.0)
    # The plain runs have no tape; each second run has its own.
    assert list(map(int, rows.getvalue().split())) == [0] * 8 + [1 + 30] * 8


def test_checkpoints_nest():
    inner = tapead.checkpoint(step)
    outer = tapead.checkpoint(lambda x: loop(inner, x, 3))
    expected = tapead.grad(lambda x: loop(step, x, 6))(1.0)
    assert tapead.grad(lambda x: outer(outer(x)))(1.0) == pytest.approx(expected, rel=1e-13)


def test_closures_over_tracked_numbers_and_arrays_take_part():
    def model(x, a, check):
        scale, table = a * 2.0, x * a

        def inner(y):
            return np.sin(y * scale) + helper(y)

        def helper(y):
            return table[0] * y

        inner = check(inner)
        return np.sum(inner(inner(x)))

    for k in (0, 1):
        found = tapead.grad(model, k)(X, 1.3, tapead.checkpoint)
        np.testing.assert_allclose(found, tapead.grad(model, k)(X, 1.3, lambda f: f), rtol=1e-13)


@pytest.mark.parametrize("draw", ["random", "numpy", "generator"])
def test_random_numbers_are_the_same_in_the_second_run(draw):
    rng = np.random.default_rng(3)
    calls = {
        "random": lambda: random.gauss(0.0, 1.0),
        "numpy": lambda: np.random.normal(),
        "generator": lambda: rng.normal(),
    }

    def noisy(x):
        return x * calls[draw]()

    def seeded(f, x):
        random.seed(0)
        np.random.seed(0)
        rng.bit_generator.state = np.random.default_rng(3).bit_generator.state
        return f(f(x)) * calls[draw]()

    expected = tapead.grad(lambda x: seeded(noisy, x))(2.0)
    after = calls[draw]()
    assert tapead.grad(lambda x: seeded(tapead.checkpoint(noisy), x))(2.0) == expected
    assert calls[draw]() == after  # and later draws go on as if there had been one run


def test_another_result_in_the_second_run_is_an_error_that_names_the_function():
    clock = itertools.count(1)

    @tapead.checkpoint
    def drifting(x):
        return x * next(clock)

    with pytest.raises(tapead.RecomputeError, match="drifting"):
        tapead.grad(lambda x: drifting(x) * x)(2.0)


def test_a_result_of_another_sign_of_zero_is_another_result():
    signs = itertools.cycle([1.0, -1.0])

    @tapead.checkpoint
    def zero(x):
        return x * 0.0 * next(signs)

    with pytest.raises(tapead.RecomputeError, match="zero"):
        tapead.grad(lambda x: zero(x) + x)(2.0)


def test_a_function_that_changes_its_argument_is_refused():
    @tapead.checkpoint
    def overwrites(u):
        u[0] = 1.0
        return np.sum(u)

    with pytest.raises(tapead.RecomputeError, match="overwrites"):
        tapead.grad(lambda x: overwrites(x * 1.0))(X)


def test_an_argument_that_is_overwritten_later_is_kept_as_it_was():
    def program(x, check):
        y = x * 2.0
        z = check(lambda u: u * u)(y)
        y[:] = 0.0
        return np.sum(z * y + z)

    found = tapead.grad(program)(X, tapead.checkpoint)
    np.testing.assert_array_equal(found, tapead.grad(program)(X, lambda f: f))


def test_a_tracked_number_in_a_global_name_is_an_error():
    @tapead.checkpoint
    def hidden(x):
        return x * SCALE

    def program(x):
        global SCALE
        SCALE = x * 2.0
        return hidden(x)

    with pytest.raises(tapead.DetachedError, match="checkpointed function"):
        tapead.grad(program)(2.0)


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_what_runs_after_the_call_is_refused(kind):
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    with pytest.raises(TypeError, match=f"{kind} gives a generator or a coroutine"):
        tapead.checkpoint({"generator": generator, "coroutine": coroutine}[kind])


def test_outside_of_recordings_it_is_the_function():
    f = tapead.checkpoint(step)
    assert f(1.0) == step(1.0)
    assert f.__name__ == "step"
    with pytest.raises(TypeError, match="function"):
        tapead.checkpoint(3)


def test_an_error_of_the_function_leaves_nothing_open():
    @tapead.checkpoint
    def fails(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        tapead.grad(lambda x: fails(x))(1.0)


def test_a_checkpointed_function_of_another_module_sees_tape_aware_names(tmp_path, monkeypatch):
    (tmp_path / "steps_elsewhere.py").write_text(
        "import math\nimport tapead\n\n\n"
        "@tapead.checkpoint\ndef step(x):\n    return x + 0.1 * math.sin(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    steps = __import__("steps_elsewhere")
    found = tapead.grad(lambda x: steps.step(steps.step(x)))(1.0)
    inner = 1.0 + 0.1 * math.sin(1.0)
    expected = (1.0 + 0.1 * math.cos(1.0)) * (1.0 + 0.1 * math.cos(inner))
    assert found == pytest.approx(expected, rel=1e-14)
