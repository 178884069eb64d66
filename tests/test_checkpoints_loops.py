"""checkpointed_loop, checkpointed_while: the gradients of a plain loop, with few stored states."""

import functools
import importlib.util
import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead import grad, hessian, hvp, jacrev, jvp, linearize, record, vjp
from tapead.checkpoints import rows, stretches
from tapead.checkpoints.loops import checkpointed_loop, checkpointed_while
from tapead.checkpoints.schedules import evaluations

pytest.importorskip("checkpoint_schedules")
_spec = importlib.util.spec_from_file_location("loops", Path(__file__).with_name("loops.py"))
loops = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(loops)
W, X, looped, net, pendulum = loops.W, loops.X, loops.looped, loops.net, loops.pendulum
plain, same, swing, whiled = loops.plain, loops.same, loops.swing, loops.whiled


RUNS = [looped(), whiled(), looped(snapshots=1), looped(snapshots=3, stretch=4)]
NAMES = ["loop", "while", "one state", "stretches"]


# ------------------------------------------------------------------------------- derivatives ---


@pytest.mark.parametrize("n", [1, 2, 5, 23])
@pytest.mark.parametrize("run", RUNS, ids=NAMES)
def test_gradients_are_those_of_a_plain_loop(run, n):
    same(grad(net(run, n), (0, 1))(W, X), grad(net(plain, n), (0, 1))(W, X))
    same(grad(swing(run, n), (0, 1))(1.0, 0.5), grad(swing(plain, n), (0, 1))(1.0, 0.5))


SECOND = {
    "jvp": lambda f: jvp(f, (1.0, 0.5), (1.0, -2.0)),
    "linearize": lambda f: linearize(f, 1.0, 0.5)[1](1.0, -2.0),
    "hessian": lambda f: hessian(f, (0, 1))(1.0, 0.5),
    "hvp": lambda f: hvp(f, (1.0, 0.5), (1.0, -2.0)),
    "grad grad": lambda f: grad(lambda x: grad(f)(x, x * x))(0.7),
    "grad grad grad": lambda f: grad(grad(lambda x: grad(f)(x, x * x)))(0.7),
    "jvp of grad": lambda f: jvp(lambda x: grad(f)(x, x * x), (0.7,), (1.0,)),
    "grad of jvp": lambda f: grad(lambda x: jvp(f, (x, x * x), (x, 1.0))[1])(0.7),
    "jvp of jvp": lambda f: jvp(lambda x: jvp(f, (x, x * x), (x, 1.0))[1], (0.7,), (1.0,)),
    "grad grad of jvp": lambda f: grad(grad(lambda x: jvp(f, (x, x), (x, 1.0))[1]))(0.7),
    "jacrev": lambda f: jacrev(lambda x: [f(x, 0.5), f(x, x)])(0.7),
    "in checkpoint": lambda f: grad(tapead.checkpoint(f), (0, 1))(1.0, 0.5),
    "grad grad in checkpoint": lambda f: grad(grad(tapead.checkpoint(f)))(1.0, 0.5),
}


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("run", [RUNS[0], RUNS[1], RUNS[3]], ids=["loop", "while", "stretches"])
def test_other_derivatives_are_those_of_a_plain_loop(run, name):
    same(SECOND[name](swing(run)), SECOND[name](swing(plain)), 1e-11)


def test_second_derivatives_by_arrays_and_by_the_closure():
    for run in (looped(snapshots=2), whiled(snapshots=2, stretch=2)):
        same(hessian(net(run, 5), (0, 1))(W, X), hessian(net(plain, 5), (0, 1))(W, X), 1e-9)


def test_loop_in_the_step_of_a_loop():
    def f(run):
        def outer(x):
            return run(lambda y: math.sin(y * x) + 0.1, x, 6)

        return lambda x: run(outer, x, 5)

    for derivative in (grad, lambda f: grad(grad(f))):
        same(derivative(f(looped()))(0.8), derivative(f(plain))(0.8))


def test_step_that_follows_a_gradient():
    def f(run):
        def program(w):
            def energy(x):
                return np.sum(np.cos(w * x) ** 2) + np.prod(x) * w

            return run(lambda x: x - 0.05 * grad(energy)(x), X * w, 8).sum()

        return program

    for derivative in (grad, lambda f: grad(grad(f))):
        same(derivative(f(looped()))(0.8), derivative(f(plain))(0.8), 1e-9)


def test_pullback_can_be_called_again():
    _, pull = vjp(lambda x: checkpointed_loop(pendulum, (x, 0.5), 30, snapshots=4), 1.0)
    _, expected = vjp(lambda x: plain(pendulum, (x, 0.5), 30), 1.0)
    for adjoint in [(1.0, 0.0), (0.0, 1.0), (2.0, -3.0), (1.0, 0.0)]:
        same(pull(adjoint), expected(adjoint))


@pytest.mark.parametrize(
    ("step", "start"),
    [
        (lambda z: 0.5 * z * z + 0.1j, 0.7 + 0.2j),
        (lambda x: x + np.sin(x), X.astype(np.float32)),
        (lambda d: {"a": d["b"] * d["a"], "b": [d["a"] * 0.5][0]}, {"a": 0.4, "b": 0.9}),
        (lambda x: np.cos(x.T) + x, np.asfortranarray(W)),
        (lambda x: np.sum(np.array([x, 0.1])), 0.3),
    ],
    ids=["complex", "float32", "tree", "layout", "kinds of floats"],
)
def test_states_of_many_kinds(step, start):
    def total(run):
        return lambda x: sum(np.sum(abs(y)) for y in tapead.trees.flatten(run(step, x, 7))[0])

    same(grad(total(looped()))(start), grad(total(plain))(start), 1e-6)


def test_step_with_the_number_of_the_step():
    def f(run):
        return lambda x: run(x)

    def ours(stretch):
        def step(x, k):
            assert type(k) is int
            return x * math.sin(k + 1.0)

        return lambda x: checkpointed_loop(step, x, 7, snapshots=2, stretch=stretch)

    expected = math.prod(math.sin(k + 1.0) for k in range(7))
    for stretch in (1, 3):
        assert grad(f(ours(stretch)))(2.0) == pytest.approx(expected)
    assert checkpointed_while(lambda x, k: k < 7, lambda x, k: x + k, 0, snapshots=2) == 21


def test_step_that_is_a_partial_function_of_tracked_values():
    def step(w, h, rate=1.0):
        return h + rate * np.tanh(w @ h)

    def f(run):
        return lambda w, x: run(functools.partial(step, w, rate=0.1), x, 9).sum()

    same(grad(f(looped()), (0, 1))(W, X), grad(f(plain), (0, 1))(W, X))


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("run", RUNS, ids=NAMES)
@pytest.mark.parametrize("kind", range(4))
def test_random_numbers_are_drawn_again(kind, run, second):
    def f(run):
        def program(w):
            own = np.random.default_rng(1)
            random.seed(1)
            np.random.seed(1)
            draw = [
                own.standard_normal,
                functools.partial(random.gauss, 0.0, 1.0),
                np.random.standard_normal,
                lambda: own.standard_normal() if own.random() < 0.3 else np.random.random(),
            ][kind]
            x = run(lambda x: x * w + 0.1 * draw() * x * x, w * 1.0, 20)
            return x + draw()

        return program

    derivative = (lambda f: grad(grad(f))) if second else tapead.value_and_grad
    same(derivative(f(run))(0.9), derivative(f(plain))(0.9))


def test_generator_that_comes_into_use_late():
    def f(run):
        def program(w):
            own = np.random.default_rng(1)

            def step(state):
                x, k = state
                return x * w + (own.random() if k > 70 else 0.2), k + 1

            return run(step, (w, 0), 90)[0]

        return program

    for run in (looped(), whiled()):
        same(grad(f(run))(0.9), grad(f(plain))(0.9))


# ------------------------------------------------------------------------------ what it costs ---


@pytest.mark.parametrize(
    ("n", "s"), [(1, 1), (2, 1), (10, 1), (10, 3), (57, 5), (200, 4), (30, 99)]
)
def test_steps_that_are_run_are_as_many_as_the_formula_says(n, s):
    calls = itertools.count()  # a number would be as before after the second runs

    def step(x):
        next(calls)
        return x * 1.01

    grad(lambda x: checkpointed_loop(step, x, n, snapshots=s))(1.0)
    assert next(calls) == evaluations(n, s)


def test_stretches_are_the_schedules_steps():
    calls = itertools.count()

    def step(x):
        next(calls)
        return x * 1.01

    grad(lambda x: checkpointed_loop(step, x, 100, snapshots=3, stretch=10))(1.0)
    assert next(calls) == 10 * evaluations(10, 3)


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("make", [swing, net], ids=["numbers", "arrays"])
def test_long_loops_record_several_steps_at_once(make, second, monkeypatch):
    calls = 0

    def counted(step, *rest):
        def stepped(state):
            nonlocal calls
            calls += 1
            return step(state)

        return checkpointed_loop(stepped, *rest, snapshots=3)

    args = (W, X) if make is net else (1.0, 0.5)
    derivative = (
        (lambda f: jvp(lambda *a: grad(f)(*a), args, args))
        if second
        else (lambda f: grad(f, (0, 1))(*args))
    )
    expected = derivative(make(plain, 60))
    derivative(make(counted, 60))
    one_by_one = calls
    monkeypatch.setattr(stretches, "LONG", 59)
    monkeypatch.setattr(stretches, "MOST", 7_000)
    calls = 0
    same(derivative(make(counted, 60)), expected, 1e-11)
    assert 60 < calls < one_by_one


def test_stretches_of_long_loops_are_short_where_steps_leave_much(monkeypatch):
    monkeypatch.setattr(stretches, "LONG", 10)
    found = []
    monkeypatch.setattr(stretches, "MOST", 3 * 8 * 1000)
    ours = stretches.chosen
    monkeypatch.setattr(rows, "chosen", lambda *a: found.append(ours(*a)) or found[-1])
    for size in (10, 1000, 5000):
        grad(lambda x: checkpointed_loop(np.tanh, x, 20, snapshots=3).sum())(np.ones(size))
    assert found[0] > 10
    assert found[1:] == [2, 1]
    grad(lambda x: checkpointed_loop(math.tanh, x, 20, snapshots=3, stretch=5))(1.0)
    grad(lambda x: checkpointed_loop(math.tanh, x, 9, snapshots=3))(1.0)
    assert found[3:] == [1]


def test_measuring_a_step_draws_no_random_numbers(monkeypatch):
    monkeypatch.setattr(stretches, "LONG", 10)

    def f(run):
        def program(w):
            own = np.random.default_rng(1)
            random.seed(1)
            x = run(lambda x: x * w + 0.1 * own.random() * random.random(), w * 1.0, 20)
            return x + own.random() + random.random()

        return program

    same(tapead.value_and_grad(f(looped()))(0.9), tapead.value_and_grad(f(plain))(0.9))


def test_condition_is_asked_once_for_each_state():
    asked = 0

    def cond(x):
        nonlocal asked
        asked += 1
        return x < 3.0

    grad(lambda x: checkpointed_while(cond, lambda x: x * 1.1, x, snapshots=2))(1.0)
    assert asked == 1 + math.ceil(math.log(3.0) / math.log(1.1))


def test_recording_has_one_row_for_the_loop():
    short, long = (record(swing(looped(), n), 1.0, 0.5) for n in (3, 300))
    assert len(short) == len(long) < 20


def test_loop_is_merely_run_outside_of_recordings():
    start = X.copy()

    def step(x):
        x *= 2.0  # of a copy
        return x

    assert checkpointed_loop(step, start, 3, snapshots=1).tolist() == (8.0 * X).tolist()
    assert start.tolist() == X.tolist()
    assert checkpointed_loop(pendulum, (1.0, 0.5), 4, snapshots=1) == plain(pendulum, (1.0, 0.5), 4)
    assert checkpointed_while(lambda x: x < 5, lambda x: x + 2, 0, snapshots=1) == 6


def test_loops_without_steps_give_their_state():
    assert grad(lambda x: x * checkpointed_loop(pendulum, (x, x), 0, snapshots=1)[0])(3.0) == 6.0
    assert grad(lambda x: checkpointed_while(lambda s: False, math.sin, x, snapshots=1))(3.0) == 1.0
