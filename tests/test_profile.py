"""profile: counts by operation, line, function and stack, predictions, and all forms of output."""

import json
import math
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tapead
from tapead.profile import ProfileDiff, TapeProfile, profile
from tapead.profile_counts import BYTES_PER_CALL, _in_calls
from tapead.profile_run import seconds_of_a_call


def half(x):
    y = x * 0.5
    return y + 0.25


def cooled(x, steps):
    total = 0.0
    for _ in range(steps):
        x = half(x)
        total = total + math.sin(x)
    return total


def lines_of(p, f):
    """The rows of f's lines, counted from its first."""
    code = f.__code__
    uses = [u for u in p.lines if u.file == code.co_filename and u.function == code.co_qualname]
    return {u.line - code.co_firstlineno: u.rows for u in uses}


def function(p, name):
    return next(u for u in p.functions if u.function == name)


# ---------------------------------------------------------------------------------- counts ---


def test_totals_are_17_a_row_8_a_constant_and_8_an_adjoint():
    p = profile(cooled)(1.0, 100)
    tape = tapead.record(cooled, 1.0, 100, argnums=0, lines=False)
    assert p.value == cooled(1.0, 100)
    assert (p.rows, p.tape_bytes) == (len(tape), tape.nbytes)
    assert p.row_bytes == 17 * p.rows
    assert p.constant_bytes == 8 * p.constants
    assert p.kept_bytes == p.record_bytes == 0
    assert p.adjoint_bytes == 8 * p.rows
    assert p.peak_bytes == p.tape_bytes + p.adjoint_bytes
    assert p.line_bytes == 4 * p.rows


def layered(w, x):
    def layer(x):
        h = np.tanh(w @ x)
        h[0] = 2.0 * h[1]
        return h

    return np.sum(layer(layer(x)) ** 2)


@pytest.mark.parametrize(
    ("f", "args"),
    [(cooled, (1.0, 50)), (layered, (np.eye(3), np.ones(3))), (lambda x: 3.0, (1.0,))],
)
def test_rows_and_bytes_of_lines_operations_and_functions_add_up_to_the_tape(f, args):
    p = profile(f)(*args)
    for uses in (p.lines, p.operations):
        assert sum(u.rows for u in uses) == p.rows
        assert sum(u.bytes for u in uses) == p.tape_bytes
        assert sum(u.kept for u in uses) == p.kept_bytes
        assert [u.bytes for u in uses] == sorted((u.bytes for u in uses), reverse=True)
    inputs = next(u for u in p.lines if u.line == 0)
    assert inputs.rows == 1
    assert sum(u.own_rows for u in p.functions) == p.rows - inputs.rows
    assert sum(u.own_bytes for u in p.functions) == p.tape_bytes - inputs.bytes


def test_rows_belong_to_the_line_that_wrote_them():
    p = profile(cooled)(1.0, 40)
    assert lines_of(p, cooled) == {4: 80}  # 40 sines, 40 additions
    assert lines_of(p, half) == {1: 40, 2: 40}
    source = next(u.source for u in p.lines if u.function == "half")
    assert source.strip() in ("y = x * 0.5", "return y + 0.25")


def test_a_constant_belongs_to_the_line_that_used_it_first():
    def f(x):
        y = x * 3.5
        return y * 3.5 + 4.5

    p = profile(f)(1.0)
    by_line = {u.line - f.__code__.co_firstlineno: u.bytes for u in p.lines}
    assert by_line[1] == 17 + 8
    assert by_line[2] == 2 * 17 + 8


def test_counts_over_several_blocks_of_rows():
    def long(x, n):
        for k in range(n):
            x = x * 0.5 + k
        return x

    n = 600_000
    p = profile(long, calls=False)(1.0, n)
    assert p.rows == 2 * n + 1 > 2**20
    assert lines_of(p, long) == {2: 2 * n}
    assert p.constants > n
    assert sum(u.bytes for u in p.lines) == p.tape_bytes == 17 * p.rows + 8 * p.constants


def test_functions_count_what_they_call_and_how_often_they_are_called():
    p = profile(cooled)(1.0, 40)
    outer, inner = function(p, "cooled"), function(p, "half")
    assert (outer.calls, outer.rows, outer.own_rows) == (1, p.rows - 1, p.rows - 1 - 80)
    assert (inner.calls, inner.rows, inner.own_rows) == (40, 80, 80)
    assert inner.line == half.__code__.co_firstlineno
    assert 0.0 < inner.seconds < outer.seconds <= p.seconds


def test_rows_of_recursive_functions_are_counted_once():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    p = profile(power)(2.0, 30)
    (use,) = p.functions
    assert (use.calls, use.rows) == (31, p.rows - 1)
    assert p.checkpoints == []


def test_comprehensions_belong_to_the_function_around_them():
    p = profile(lambda x: sum([x * k for k in range(2, 9)] + [*map(half, [x])]))(1.5)
    assert {u.function.rpartition(".")[2] for u in p.functions} == {"<lambda>", "half"}


def test_operations_on_arrays_have_names_and_the_bytes_they_keep():
    x = np.linspace(0.0, 1.0, 1000)
    p = profile(lambda x: np.sum(np.exp(x) * np.tanh(x)))(x)
    kept = {u.operation: u.kept for u in p.operations}
    assert kept.keys() == {
        "array input", "array exp", "array tanh", "array multiply", "array sum"
    }  # fmt: skip
    assert kept["array exp"] == kept["array tanh"] == x.nbytes
    assert kept["array multiply"] == 0  # it needs what these two keep already
    assert p.adjoint_bytes == 8 * p.rows + 4 * x.nbytes


def test_memory_that_several_views_keep_is_counted_once():
    x = np.ones(1000)

    def f(x):
        y = np.exp(x)
        return np.sum(np.sin(y[:10]) * np.sin(y[10:20]) * np.cos(y[1:11]))

    p = profile(f)(x)
    assert x.nbytes <= p.kept_bytes < 2 * x.nbytes


# ------------------------------------------------------------------------------ predictions ---


def work(x, n):
    for _ in range(n):
        x = math.sin(x)
    return x


def first_and_then(x):
    return work(work(x, 5000), 5000) * 1.5


def only_at_the_end(x):
    return work(x, 5000)


def most_at_the_begin(x):
    x = work(x, 2000)
    for _ in range(6000):
        x = x * 0.5
    return x


def between(x):
    for _ in range(10):
        x = work(x, 1000)
        x = x * 0.5 + x
    return x


def growing(x):
    for k in range(1, 5):
        x = work(x, 1000 * k) * 0.5
    return x


@pytest.mark.parametrize(
    ("f", "calls", "rows"),
    [
        (first_and_then, 2, 5000),  # one call's rows are there again while it is swept
        (only_at_the_end, 1, 0),
        (most_at_the_begin, 1, 2000),  # all that comes later is gone by then
        (between, 10, 9000),
        (growing, 4, 6000),  # the last call is the longest
    ],
)
def test_checkpointing_is_predicted_to_save_all_rows_but_one_calls(f, calls, rows):
    p = profile(f)(1.0)
    gain = next(c for c in p.checkpoints if c.function == "work")
    assert gain.calls == calls
    assert gain.saves == pytest.approx(17 * rows - BYTES_PER_CALL * calls, abs=200)
    assert (p.best is gain) == (rows > 0)


def test_stretches_of_rows_are_cut_into_equal_calls():
    runs = np.array([[0, 101], [200, 250]])
    assert _in_calls(runs, 2).tolist() == runs.tolist()
    assert _in_calls(runs, 3).tolist() == [[0, 50], [50, 101], [200, 250]]
    assert _in_calls(np.array([[5, 7]]), 9).tolist() == [[5, 6], [6, 7]]


def test_arrays_that_a_call_is_given_are_kept_and_so_not_saved():
    """The prediction against the tape of the program with the checkpoint."""

    def layer(x, w):
        h = np.tanh(x @ w)
        h = np.tanh(h @ w) * h
        return np.exp(-h * h) + x

    def program(x, w, layer=layer, between=0):
        for _ in range(20):
            x = layer(x, w)
            for _ in range(between):
                x = x * 0.5
        return (x * x).sum()

    x, w = np.ones((50, 50)), np.eye(50)
    for between in (0, 2):
        p = profile(program, (0, 1))(x, w, between=between)
        gain = next(c for c in p.checkpoints if c.function.endswith("layer"))
        one = (p.functions[0].bytes - 20 * between * 500) / 20  # that of a call while it is swept
        shorter = profile(program, (0, 1))(x, w, tapead.checkpoint(layer), between=between)
        assert gain.saves == pytest.approx(p.tape_bytes - shorter.tape_bytes - one, rel=0.03)


def test_the_function_that_saves_most_is_named():
    def small(x):
        return work(x, 500) * 2.0

    def f(x):
        for _ in range(4):
            x = small(x)
            x = large(x)
        return x

    def large(x):
        for _ in range(3000):
            x = x * 0.9
        return x

    p = profile(f)(1.0)
    assert p.best.function.endswith("large")
    assert p.best.line == large.__code__.co_firstlineno
    assert [c.saves for c in p.checkpoints] == sorted((c.saves for c in p.checkpoints))[::-1]
    assert "Checkpointing" in str(p)
    assert "large (test_profile.py:" in str(p)


def test_small_functions_and_whole_programs_are_not_worth_a_checkpoint():
    p = profile(cooled)(1.0, 1000)
    assert p.best is None
    assert {c.function for c in p.checkpoints} == {"cooled", "half"}
    assert all(c.saves < 0 for c in p.checkpoints)
    assert "No function's checkpointing" in str(p)


def test_generators_are_not_proposed():
    def steps(x):
        for _ in range(3000):
            x = x * 0.5
            yield x

    p = profile(lambda x: sum(steps(x)))(1.0)
    assert not any("steps" in c.function for c in p.checkpoints)


def test_predicted_time_is_the_functions_part_of_a_run():
    p = profile(between)(1.0)
    gain = p.best
    calls = gain.calls * seconds_of_a_call()  # which have a price of their own
    assert calls > 0.0
    assert gain.seconds == pytest.approx(function(p, "work").seconds + calls)
    assert gain.share == pytest.approx(gain.seconds / p.seconds)
    assert p.plain_seconds is None
    plain = profile(between, plain=True)(1.0)
    part = function(plain, "work").seconds / plain.seconds
    assert plain.best.seconds == pytest.approx(part * plain.plain_seconds + calls)
    assert plain.best.share == pytest.approx(plain.best.seconds / plain.plain_seconds)


def test_without_counted_calls_stretches_of_rows_are_taken_for_calls():
    p = profile(between, calls=False)(1.0)
    assert function(p, "work").calls is None
    assert p.best.calls is None
    assert p.best.saves == profile(between)(1.0).best.saves
    assert p.best.share == pytest.approx(10_000 / 10_020, abs=1e-3)


def test_another_profiler_goes_on_and_calls_are_not_counted():
    seen = []
    sys.setprofile(lambda frame, event, arg: seen.append(frame.f_code.co_name))
    try:
        p = profile(between)(1.0)
    finally:
        sys.setprofile(None)
    assert function(p, "work").calls is None
    assert seen.count("work") == 20  # a call and a return each


# ----------------------------------------------------------------------------- how it is run ---


def test_it_is_called_as_the_function_is():
    assert profile(lambda x, *, lines, f: x * lines + f)(2.0, lines=3, f=1.0).value == 7.0
    assert profile(cooled)(steps=3, x=1.0).rows == profile(cooled)(1.0, 3).rows
    assert profile(lambda a, b: a * b, argnums=(0, 1))(2.0, 3.0).rows == 3

    class Model:
        weight = 2.0

        @profile(argnums=1)
        def loss(self, x):
            return self.weight * x

    assert Model().loss(4.0).value == 8.0
    assert pickle.loads(pickle.dumps(profile(half)))(1.0).rows == 3
    assert repr(profile(half)) == "<tapead.profile of half>"
    assert profile(half).__name__ == "half"


def test_a_profile_can_be_pickled():
    p = profile(layered)(np.eye(3), np.ones(3))
    again = pickle.loads(pickle.dumps(p))
    assert str(again) == str(p)
    assert repr(p) == f"<TapeProfile of layered: {p.rows} rows, {p.tape_bytes:,} bytes>"
    assert isinstance(again, TapeProfile)


def test_inside_a_recording_it_is_refused():
    with pytest.raises(RuntimeError, match="inside a recording"):
        tapead.grad(lambda x: profile(half)(x).value)(1.0)
    with pytest.raises(ValueError, match="argument 2"):
        profile(half, argnums=2)(1.0)


def test_a_program_that_had_to_be_run_again_is_counted_once():
    names = {"__name__": "hidden", "runs": []}
    source = "from math import sin\ndef helper(x):\n    runs.append(x)\n    return sin(x) * 2.0\n"
    exec(compile(source, "hidden.py", "exec"), names)
    holder = sys.modules[__name__]
    holder.hidden = names

    def f(x):
        helper = getattr(sys.modules[__name__], "hid" + "den")["helper"]
        return helper(x) + helper(x)

    try:
        p = profile(f)(1.0)
    finally:
        del holder.hidden
    assert len(names["runs"]) > 2
    assert function(p, "helper").calls == 2
    assert p.rows == 6


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("memory_profiler", lambda: profile(half, memory=True)(1.0)),
        ("matplotlib.figure", lambda: profile(half)(1.0).plot("x.png")),
    ],
)
def test_a_library_that_is_missing_is_named_with_the_remedy(library, call, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match="pip install " + library.partition(".")[0]):
        call()


def test_json_is_what_to_dict_says():
    p = profile(layered, argnums=(0, 1))(np.eye(3), np.ones(3))
    figures = json.loads(p.to_json())
    assert figures == p.to_dict()
    assert figures["lines"][0]["source"] == p.lines[0].source
    assert isinstance(p.diff(p), ProfileDiff)


def test_the_benchmark_of_lines_stacks_and_profiles_prints_a_table():
    file = pathlib.Path(__file__).with_name("benchmarks") / "run_profile.py"
    done = subprocess.run(
        [sys.executable, str(file), "--quick", "logistic", "kalman"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows[2:]] == ["logistic", "kalman"]
    assert all(len(row) == 7 and float(row[4]) > 0.0 for row in rows[2:])
    assert "source lines, worst" in done.stdout
