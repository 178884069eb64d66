"""Checkpointed loops: where states are kept, schedules of the user's, and what is refused."""

import importlib.util
import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead import grad, hessian
from tapead.checkpoints.loops import checkpointed_loop, checkpointed_while, size_of
from tapead.checkpoints.schedules import evaluations
from tapead.errors import DetachedError, RecomputeError

library = pytest.importorskip("checkpoint_schedules")
_spec = importlib.util.spec_from_file_location("loops", Path(__file__).with_name("loops.py"))
loops = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(loops)
W, X, looped, net, pendulum = loops.W, loops.X, loops.looped, loops.net, loops.pendulum
plain, same, swing, whiled = loops.plain, loops.same, loops.swing, loops.whiled


def looped_while(step, state, n, **how):
    return whiled(**how)(step, state, n)


# ------------------------------------------------------------------------- places, schedules ---


def of_length(name, *args, **options):
    return lambda n: getattr(library, name)(n, *args, **options)


RAM = library.StorageType.RAM
ONLINE = [
    {"snapshots": 3, "folder": True},
    {"snapshots": (2, 3), "folder": True},
    {"memory": "2kB"},
    {"snapshots": 9, "memory": "1kB", "folder": True},
    {"schedule": library.TwoLevelCheckpointSchedule(5, 2), "folder": True},
    {"schedule": library.TwoLevelCheckpointSchedule(5, 2, binomial_storage=RAM), "folder": True},
    {"schedule": library.SingleMemoryStorageSchedule()},
    {"schedule": library.SingleDiskStorageSchedule(), "folder": True},
    {"schedule": library.SingleDiskStorageSchedule(True), "folder": True},
]
OFFLINE = [
    {"schedule": library.MultistageCheckpointSchedule(23, 3, 0)},
    {"schedule": of_length("Revolve", 3)},
    {"schedule": of_length("HRevolve", 2, 2), "folder": True},
    {"schedule": of_length("DiskRevolve", 2), "folder": True},
    {"schedule": of_length("MixedCheckpointSchedule", 3, storage=RAM)},
    {"schedule": of_length("MixedCheckpointSchedule", 3), "folder": True},
]


@pytest.mark.filterwarnings("ignore:Numba")
@pytest.mark.parametrize(
    ("run", "how"),
    [*((looped, h) for h in ONLINE + OFFLINE), *((whiled, h) for h in ONLINE)],
)
def test_places_and_schedules_change_no_bit(run, how, tmp_path):
    how = {name: tmp_path if x is True else x for name, x in how.items()}
    for _ in range(2):
        same(grad(net(run(**how), 23), (0, 1))(W, X), grad(net(plain, 23), (0, 1))(W, X), 0)
    assert list(tmp_path.iterdir()) == []


def test_second_derivatives_with_a_schedule_of_the_users(tmp_path):
    how = {"schedule": library.TwoLevelCheckpointSchedule(3, 2), "folder": tmp_path}
    same(hessian(swing(looped(**how)))(1.0, 0.5), hessian(swing(plain))(1.0, 0.5), 1e-11)


@pytest.mark.parametrize("name", ["HRevolve", "Revolve", "MultistageCheckpointSchedule"])
def test_schedules_of_the_library_serve_a_loop_of_one_step(name, tmp_path):
    def schedule(n):
        more = () if name == "Revolve" else (2,)
        return getattr(library, name)(n, 2, *more)

    def f(x):
        return checkpointed_loop(lambda y: y * x, x, 1, schedule=schedule, folder=tmp_path)

    assert grad(f)(3.0) == 6.0
    assert grad(grad(f))(3.0) == 2.0


def test_schedules_that_are_of_no_use_are_errors_that_say_why():
    def offline(n):
        return library.MultistageCheckpointSchedule(n, 2, 0)

    def f(x):
        return checkpointed_while(lambda y: y < 9.0, lambda y: y * 2.0, x, schedule=offline)

    with pytest.raises(
        TypeError, match=r"schedule\(None\), which raised TypeError: .* checkpointed"
    ):
        grad(f)(1.0)

    def odd(n):
        yield "Advance"

    with pytest.raises(TypeError, match="the schedule gave 'Advance'; an action"):
        grad(lambda x: checkpointed_loop(lambda y: y * x, x, 3, schedule=odd))(1.0)

    def fails(n):
        raise KeyError(n)

    with pytest.raises(KeyError, match="3"):
        grad(lambda x: checkpointed_loop(lambda y: y * x, x, 3, schedule=fails))(1.0)


def test_memory_is_measured_in_states():
    assert size_of((X, 1.0)) == pytest.approx(X.nbytes + 8, abs=250)
    calls = itertools.count()

    def step(y):
        next(calls)
        return y * 1.01

    x = np.ones(1000)
    gradient = grad(lambda x, memory: checkpointed_loop(step, x, 40, memory=memory).sum())
    gradient(x, f"{3.5 * size_of(x)}")
    assert next(calls) == evaluations(40, 3)
    gradient(x, int(7 * size_of(x)))
    assert next(calls) == evaluations(40, 3) + 1 + evaluations(40, 7)


def test_progress_is_shown_on_request(capsys):
    pytest.importorskip("tqdm")
    grad(swing(looped(snapshots=2, progress=True), 50))(1.0, 0.5)
    shown = capsys.readouterr().err
    assert "pendulum forward: 100%" in shown
    assert "pendulum backward: 100%" in shown
    grad(swing(looped(snapshots=2), 50))(1.0, 0.5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "how", "remedy"),
    [
        ("checkpoint_schedules", {"snapshots": 2}, r"pip install 'tapead\[checkpoints\]'"),
        ("tqdm.auto", {"snapshots": 2, "progress": True}, "pip install tqdm"),
    ],
)
def test_packages_that_are_missing_are_named(name, how, remedy, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ImportError, match=remedy):
        grad(swing(looped(**how)))(1.0, 0.5)


# ----------------------------------------------------------------------------------- errors ---


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    ("step", "state", "message"),
    [
        (lambda x: (x, x), 1.0, "changes the structure of the state: after one step"),
        (lambda x: np.append(x, x), X, r"shape \(8,\).*at first it was an array of shape \(4,\)"),
        (lambda x: x.astype(np.float32), X, "float32.*float64"),
        (lambda x: x[0], X, "real number.*an array"),
        (
            lambda s: (s[0], s[1] + 0.5),
            (1.0, 0),
            r"\[1\]: after one step.*at first it was a whole number",
        ),
        (lambda x: "text", 1.0, "'text' of type str"),
        (lambda x: None, 1.0, "None of type NoneType"),
    ],
)
@pytest.mark.parametrize("run", [looped(), whiled()], ids=["loop", "while"])
def test_steps_that_change_what_the_state_is(run, step, state, message, recorded):
    def f(w):
        return run(step, tapead.trees.map_leaves(lambda x: x * w if x != 0 else x, state), 9)

    if isinstance(state, np.ndarray):

        def f(w):
            return run(step, state * w, 9)

    with pytest.raises(TypeError, match=message):
        grad(f)(1.0) if recorded else f(1.0)


def test_step_that_changes_the_state_later():
    def step(state):
        x, k = state
        return (x if k < 5 else np.append(x, x)), k + 1

    with pytest.raises(TypeError, match=r"changes the state\[0\]"):
        grad(lambda w: checkpointed_loop(step, (w * X, 0), 9, snapshots=2)[0].sum())(1.0)


@pytest.mark.parametrize(
    ("n", "how", "error", "message"),
    [
        (-1, {"snapshots": 2}, ValueError, "number of steps, is -1; at least 0"),
        (2.0, {"snapshots": 2}, TypeError, "is 2.0 of type float; an int was expected"),
        (True, {"snapshots": 2}, TypeError, "int was expected"),
        (5, {}, TypeError, "give snapshots"),
        (5, {"snapshots": 0}, ValueError, "snapshots is 0; at least 1"),
        (5, {"snapshots": -3}, ValueError, "at least 1"),
        (5, {"snapshots": 1.5}, TypeError, "int was expected"),
        (5, {"snapshots": (0, 0), "folder": "."}, ValueError, "at least 1"),
        (5, {"snapshots": (1, 1)}, TypeError, "give the folder"),
        (5, {"snapshots": (1, 1, 1)}, TypeError, "in memory, on disk"),
        (5, {"snapshots": 2, "stretch": 0}, ValueError, "stretch is 0"),
        (5, {"memory": "3 B"}, ValueError, "is 3 bytes, and one state of the loop takes"),
        (5, {"memory": "lots"}, ValueError, "no amount of memory"),
        (5, {"memory": "1MB", "folder": "."}, TypeError, "give snapshots, the number of all"),
        (5, {"memory": "1MB", "snapshots": 3}, TypeError, "snapshots or memory"),
        (5, {"schedule": 3}, TypeError, "a CheckpointSchedule"),
        (5, {"schedule": lambda n: 3}, TypeError, "schedule gave 3 of type int"),
        (5, {"schedule": lambda n: None, "snapshots": 3}, TypeError, "neither snapshots nor"),
        (5, {"schedule": library.SingleDiskStorageSchedule()}, ValueError, "give folder="),
        (5, {"schedule": library.NoneCheckpointSchedule()}, ValueError, "5 stretches not"),
        (5, {"schedule": of_length("MultistageCheckpointSchedule", 2, 0), "stretch": 2}, None, ""),
        (5, {"snapshots": 2, "folder": "/no/such/folder"}, FileNotFoundError, "folder that is"),
    ],
)
def test_arguments_that_make_no_sense(n, how, error, message):
    def f(x):
        return checkpointed_loop(lambda x: x * x, x, n, **how)

    if error is None:
        assert grad(f)(1.0) == 32.0
        return
    with pytest.raises(error, match=message):
        grad(f)(1.0)


@pytest.mark.parametrize(
    "f", [checkpointed_loop, lambda *a, **k: checkpointed_while(bool, *a, **k)]
)
def test_what_is_no_function(f):
    with pytest.raises(TypeError, match=r"step is 3 of type int"):
        f(3, 1.0, 5)
    with pytest.raises(TypeError, match="cond is 3"):
        checkpointed_while(3, math.sin, 1.0, snapshots=1)


def test_step_that_depends_on_what_has_changed():
    count = [0]

    def step(x):
        count[0] += 1
        return x * (1.0 + 0.01 * count[0])

    with pytest.raises(RecomputeError, match=r"step is the step of a checkpointed loop and gave"):
        grad(lambda x: checkpointed_loop(step, x, 9, snapshots=2))(1.0)


def test_tracked_values_that_are_not_seen_are_an_error():
    def f(x):
        global HELD
        HELD = x
        return checkpointed_loop(lambda y: y * HELD, x, 5, snapshots=2)

    with pytest.raises(DetachedError):
        grad(f)(2.0)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("at", [3, 25, 40])
def test_interrupted_loops_leave_nothing_behind(kind, at, tmp_path):
    calls = 0

    def step(x):
        nonlocal calls
        calls += 1
        if calls == at:
            raise kind
        return np.sin(x)

    def f(x):
        return checkpointed_loop(step, x, 20, snapshots=(1, 3), folder=tmp_path).sum()

    with pytest.raises(kind):
        grad(f)(X)
    assert list(tmp_path.iterdir()) == []
    calls = at
    same(grad(f)(X), grad(lambda x: plain(np.sin, x, 20).sum())(X))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is a process's own there")
@pytest.mark.parametrize("run", [checkpointed_loop, looped_while], ids=["loop", "while"])
def test_full_disk_is_an_error_and_leaves_nothing_behind(run, tmp_path):
    import resource

    def f(x):
        return run(np.sin, x, 30, snapshots=9, folder=tmp_path).sum()

    x = np.linspace(0.1, 1.0, 1000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 8192 + 100, before[1]))
    try:
        with pytest.raises(
            OSError, match=r"could not be written in the folder.*has room, or fewer"
        ):
            grad(f)(x)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
    same(grad(f)(x), grad(lambda x: plain(np.sin, x, 30).sum())(x), 0)
    assert list(tmp_path.iterdir()) == []
