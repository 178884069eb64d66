"""Gradients under a limit of memory: the same bits, by process snapshots and by spilling."""

import itertools
import math
import os
import random
import signal
import socket
import threading

import numpy as np
import pytest

import tapead
from tapead.bounded import gradient, processes, snapshots


def same_bits(a, b):
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_bits, a, b))
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


ways = pytest.mark.parametrize("way", ["snapshots", "spill"])


@pytest.fixture
def bounded(monkeypatch, tmp_path):
    """grad(f, ...) with so little memory that short programs have several stretches."""
    monkeypatch.setattr(gradient, "LEAST", 1)
    if not hasattr(os, "fork"):
        pytest.skip("no os.fork here")

    def derived(f, way, memory=160_000, **options):
        folder = tmp_path if way == "spill" else None
        return tapead.grad(f, memory=memory, spill=folder, **options)

    yield derived
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def oscillator(x, w):
    v, s = x, 0.0
    for k in range(4000):
        v = v - 0.01 * math.sin(v) * w if v > 0.5 else v + 0.02 * x
        s = s + v * v / (1.0 + k)
    return s


def writes(w, x):
    total, y = 0.0, np.zeros(7)
    for k in range(700):
        x = np.tanh(w @ x + 0.1 * y)
        y[k % 7] = x[0] * x[-1]
        y[1:3] += x[1:3]
        if k % 5 == 0:
            total = total + y[k % 7] * x.sum()
    return total + y.sum()


def many_alive(x):
    terms = [math.sin(k * x) for k in range(3000)]
    squares = [t * t for t in terms]
    return sum(a * b for a, b in zip(terms, reversed(squares), strict=True)) / 100


def inner_gradients(x):
    for _ in range(60):
        slope = tapead.grad(lambda y, x=x: sum(math.sin(y * k) * x for k in range(30)))(x)
        x = x - 0.001 * slope
    return x * x


class Body:
    def __init__(self, x, v):
        self.x, self.v = x, v

    def step(self, h):
        self.v -= h * self.x
        self.x += h * self.v
        return self


def generators(x):
    def bodies():
        body = Body(x, 0.0)
        for _ in range(4000):
            yield body.step(0.01)

    return sum((b.x * b.v for b in bodies()), 0.0)


def inner_tangents(x):
    """The sweep of a jvp is recorded after the recording inside has ended."""
    s = 0.0
    for _ in range(200):
        y, slope = tapead.jvp(lambda z, x=x: z * z * math.sin(z * x), (x,), (1.0,))
        s = s + y + slope
        for _ in range(20):
            s = s * 0.999 + 1e-4 * x
    return s


@tapead.custom_vjp
def square(x):
    return x * x


square.defvjp(lambda x: (x * x, x), lambda x, g: (2.0 * x * g,))


def own_rules(x):
    s = 0.0
    for k in range(1500):
        s = s + square(x + k * 1e-3) * math.sin(s)
    return s


@tapead.checkpoint
def block(x):
    for _ in range(20):
        x = x + 1e-3 * math.sin(x)
    return x


def checkpoints(x):
    s = 0.0
    for _ in range(900):
        x = block(x)
        s = s + x * x
    return s


W = np.random.default_rng(0).normal(size=(7, 7)) / 3
PROGRAMS = {
    "oscillator": (oscillator, (0.3, 1.1)),
    "writes": (writes, (W, np.linspace(0, 1, 7))),
    "many_alive": (many_alive, (0.7,)),
    "inner_gradients": (inner_gradients, (0.4,)),
    "generators": (generators, (0.9,)),
    "inner_tangents": (inner_tangents, (0.4,)),
    "own_rules": (own_rules, (0.3,)),
    "checkpoints": (checkpoints, (0.3,)),
}


@ways
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_gradient_is_the_same_to_the_last_bit(bounded, way, name):
    f, args = PROGRAMS[name]
    positions = tuple(range(len(args)))
    limited = bounded(f, way, argnums=positions)
    expected = tapead.grad(f, positions)(*args)
    assert same_bits(limited(*args), expected)
    report = limited.report
    assert report.rows > 2000
    if way == "spill":
        assert report.spilled > 20_000
    else:
        assert report.snapshots > 2
        assert report.rows_again >= report.rows - 56  # inputs


@pytest.mark.parametrize("memory", [60_000, 20_000])
def test_long_programs_take_snapshots_of_snapshots(bounded, memory):
    def f(x):
        s = x
        for _ in range(40_000):
            s = s - 1e-5 * s * x
        return s

    limited = bounded(f, "snapshots", memory)
    assert limited(0.5) == tapead.grad(f)(0.5)
    report = limited.report
    assert report.snapshots > snapshots.MOST
    assert report.rows < report.rows_again < 6 * report.rows
    assert report.peak <= max(memory, 40_000)


@ways
def test_the_value_comes_with_the_gradient_and_what_else_the_function_gives(
    bounded, way, monkeypatch, tmp_path
):
    folder = tmp_path if way == "spill" else None

    def f(x):
        return oscillator(x, 1.0), {"x": x}

    g = tapead.value_and_grad(f, has_aux=True, memory=160_000, spill=folder)
    assert g(0.3) == tapead.value_and_grad(f, has_aux=True)(0.3)


@ways
def test_a_constant_result_has_gradient_zero(bounded, way):
    assert bounded(lambda x: [oscillator(x, 1.0), 2.0][1], way)(0.3) == 0.0


@ways
def test_a_result_that_is_an_array_of_one_element_counts(bounded, way):
    def f(x):
        for _ in range(900):
            x = x * 1.001 + np.sin(x) * 1e-3
        return np.sum(x[None] * x, keepdims=True).reshape(())

    x = np.linspace(0, 1, 9)
    assert same_bits(bounded(f, way)(x), tapead.grad(f)(x))


@ways
def test_inside_another_recording_the_limit_waits_for_the_outer_one(bounded, way):
    inner = bounded(lambda x: x * x * x, way)
    assert tapead.grad(inner)(2.0) == 12.0


@ways
def test_seeded_and_running_generators_give_the_same_numbers_again(bounded, way):
    def f(x):
        rng = np.random.default_rng(3)
        s = 0.0
        for _ in range(1500):
            s = s + math.sin(x * random.random()) * rng.normal() + np.random.rand() * x
        return s

    random.seed(1)
    np.random.seed(1)
    expected = tapead.grad(f)(0.7)
    random.seed(1)
    np.random.seed(1)
    assert bounded(f, way)(0.7) == expected


def test_what_does_not_come_again_is_found_out(bounded):
    def f(x):
        for _ in range(4000):
            x = x + 1e-15 * x * int.from_bytes(os.urandom(4))
        return x

    with pytest.raises(tapead.RecomputeError, match=r"(?s)clock.*seed.*spill="):
        bounded(f, "snapshots")(0.3)
    assert math.isfinite(bounded(f, "spill")(0.3))


def test_output_appears_once(bounded, capfd):
    def f(x):
        for k in range(4000):
            x = x * 1.0001
            if k % 1000 == 0:
                print("step", k)
        return x

    bounded(f, "snapshots")(1.0)
    assert capfd.readouterr().out.splitlines() == [f"step {k}" for k in range(0, 4000, 1000)]


def test_files_are_read_and_written_as_by_one_run(bounded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    numbers = folder / "numbers.txt"
    numbers.write_text("\n".join(str(k / 7) for k in range(3000)))

    def run(derived):
        with open(folder / "log.txt", "w") as log:

            def f(x):
                with open(numbers) as given:
                    for line in given:
                        x = x + 1e-4 * math.sin(x * float(line))
                        log.write(f"{tapead.value(x)}\n")
                return x

            gradient = derived(f)(0.3)
        return gradient, (folder / "log.txt").read_text()

    assert run(lambda f: bounded(f, "snapshots")) == run(tapead.grad)


def test_a_file_that_would_be_written_again_from_its_beginning_is_left_alone(
    bounded, tmp_path_factory
):
    path = tmp_path_factory.mktemp("data") / "log.txt"

    def f(x):
        with open(path, "w") as log:
            for k in range(3000):
                x = x * 1.0001
                log.write(f"{k}\n")
        return x

    with pytest.raises(tapead.SnapshotError, match=r"log\.txt.*spill="):
        bounded(f, "snapshots")(0.3)
    assert path.read_text().splitlines() == [str(k) for k in range(3000)]
    assert bounded(f, "spill")(0.3) == tapead.grad(f)(0.3)


@ways
def test_an_error_of_the_program_is_the_programs_own(bounded, way):
    def f(x):
        for k in range(4000):
            x = x * 1.0001
            if k == 3500:
                raise KeyError("mine")
        return x

    with pytest.raises(KeyError, match="mine"):
        bounded(f, way)(1.0)
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0


@ways
def test_exceptions_that_the_program_catches_are_control_flow(bounded, way):
    def f(x):
        s = 0.0
        for k in range(4000):
            try:
                s = s + x / (k % 3)
            except ZeroDivisionError:
                s = s - x
        return s

    assert bounded(f, way)(1.5) == tapead.grad(f)(1.5)


@ways
def test_ctrl_c_leaves_nothing_behind(bounded, way):
    def f(x):
        for k in range(4000):
            x = x * 1.0001
            if k == 3000:
                raise KeyboardInterrupt
        return x

    with pytest.raises(KeyboardInterrupt):
        bounded(f, way)(1.0)
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0


def test_a_killed_snapshot_is_an_error_that_says_so(bounded, monkeypatch):
    asked = processes.asked

    def killed_first(snapshot, task):
        os.kill(snapshot.pid, signal.SIGKILL)
        return asked(snapshot, task)

    monkeypatch.setattr(processes, "asked", killed_first)
    with pytest.raises(tapead.SnapshotError, match=r"row [0-9,]+ was ended by SIGKILL.*spill="):
        bounded(oscillator, "snapshots")(0.3, 1.0)


def test_a_snapshot_ends_when_the_process_that_made_it_is_gone():
    waiting = []
    if processes.fork(0, waiting) is not None:
        processes.leave(3)  # woken by nobody, it is not here
    (made,) = waiting
    os.close(made.channel.writes)
    assert os.waitstatus_to_exitcode(os.waitpid(made.pid, 0)[1]) == 0
    os.close(made.channel.reads)


def test_ctrl_c_in_the_middle_of_a_fork_leaves_no_process_behind(bounded, monkeypatch):
    forked = os.fork

    def fork():
        pid = forked()
        if pid:
            signal.raise_signal(signal.SIGINT)
        return pid

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(KeyboardInterrupt):
        bounded(oscillator, "snapshots")(0.3, 1.0)


def test_while_one_snapshot_sweeps_the_one_before_it_runs_already(bounded, monkeypatch):
    """And both are within the limit."""
    calls = []

    def told(name):
        real = getattr(processes, name)

        def call(snapshot, *args):
            calls.append((name, snapshot.row))
            return real(snapshot, *args)

        monkeypatch.setattr(processes, name, call)

    told("wake")
    told("asked")
    limited = bounded(oscillator, "snapshots")
    limited(0.3, 1.0)
    rows = sorted({row for _, row in calls}, reverse=True)
    order = [("wake", rows[0])]
    for row, before in itertools.pairwise(rows):
        order += [("wake", before), ("asked", row)]
    assert calls == [*order, ("asked", rows[-1])]
    assert limited.report.peak <= limited.report.limit


@pytest.mark.parametrize("opens", [True, False])
def test_each_snapshot_reads_on_where_the_program_was(
    bounded, opens, monkeypatch, tmp_path_factory
):
    """Also where copies of the process cannot have files for themselves: these wait then."""
    if not opens:
        monkeypatch.setattr(processes, "opened_anew", lambda fd: False)
    path = tmp_path_factory.mktemp("data") / "numbers"
    path.write_bytes(os.urandom(4000))

    def f(x):
        with open(path, "rb", buffering=0) as given:
            for _ in range(4000):
                x = x + 1e-4 * math.sin(x * given.read(1)[0])
        return x

    limited = bounded(f, "snapshots")
    assert limited(0.3) == tapead.grad(f)(0.3)
    assert limited.report.snapshots > 2


@ways
def test_inputs_may_be_larger_than_the_limit(bounded, way):
    def f(x):
        for _ in range(3):
            x = np.tanh(x)
        return np.sum(x)

    x = np.linspace(0, 1, 30_000)
    assert same_bits(bounded(f, way)(x), tapead.grad(f)(x))


@ways
def test_when_no_pullback_is_left_rows_are_dropped_again(bounded, way):
    def f(x):
        value, pullback = tapead.vjp(lambda y: y * math.sin(x * y), x)
        x = x + 0.1 * value * pullback(1.0)[0]
        del pullback
        for _ in range(20_000):
            x = x + 1e-4 * math.sin(x)
        return x

    limited = bounded(f, way)
    assert limited(0.3) == tapead.grad(f)(0.3)
    assert limited.report.rows > 40_000
    assert limited.report.peak < 5 * 10**6 // 2


def test_the_memory_that_changed_while_the_program_ran_is_reported(bounded):
    def f(x):
        held = []
        for k in range(4000):
            x = x * 1.0001
            if k % 400 == 0:
                held.append(np.ones(100_000))
        return x

    limited = bounded(f, "snapshots")
    limited(0.3)
    assert 8 * 10**6 <= limited.report.changed < 10**8


def test_threads_and_sockets_are_warned_of(bounded):
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="a clock", daemon=True)
    with socket.socket():
        thread.start()
        try:
            with pytest.warns(RuntimeWarning, match=r"a clock|sockets are open") as seen:
                bounded(oscillator, "snapshots")(0.3, 1.0)
        finally:
            stop.set()
            thread.join()
    assert len(seen) == 2
    assert all("spill=" in str(w.message) for w in seen)


def test_files_open_to_append_are_warned_of(bounded, tmp_path_factory):
    with (
        open(tmp_path_factory.mktemp("log") / "log", "a"),
        pytest.warns(RuntimeWarning, match="open to append"),
    ):
        bounded(oscillator, "snapshots")(0.3, 1.0)


def test_spilled_bytes_and_memory_are_bounded(bounded):
    limited = bounded(oscillator, "spill", 100_000)
    limited(0.3, 1.0)
    report = limited.report
    assert report.peak < 100_000 + 25 * 1024
    assert report.spilled < 40 * report.rows


def test_a_full_disk_is_an_error_and_nothing_is_read_back(bounded, monkeypatch):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(tapead.SpillError, match=r"(?s)could not be written to disk.*folder"):
            bounded(oscillator, "spill")(0.3, 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory": "1kB"}, r"memory='1kB' is 1,000 bytes.*at least [0-9,]+ bytes"),
        ({"memory": "much"}, "no amount of memory"),
        ({"memory": 0}, "at least one byte"),
        ({"memory": "100MB", "spill": "/no/such/folder"}, "is no folder"),
    ],
)
def test_limits_that_make_no_sense_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        tapead.grad(oscillator, **options)


def test_a_run_that_begins_anew_drops_what_the_first_try_left(bounded):
    import statistics

    def f(x):
        for _ in range(3000):
            x = x + 1e-4 * math.sin(x)
        return statistics.linear_regression([0.0, 1.0, 2.0], [x, x * x, 2.0]).slope

    limited = bounded(f, "snapshots")
    assert limited(0.3) == tapead.grad(f)(0.3)
    assert limited.report.rows < 10_000


def test_what_stands_beside_the_rows_counts_too(bounded):
    def f(x):
        for k in range(20_000):
            x = x + 1e-7 * k * x  # a new constant each time
        return x

    limited = bounded(f, "spill", 100_000)
    assert limited(1.0) == tapead.grad(f)(1.0)
    assert limited.report.peak < 100_000 + 33 * 1024
