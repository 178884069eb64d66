"""profile with memory=True: the process's memory beside what the tape says that it holds."""

import os
import subprocess
import sys

import pytest

import tapead
from tapead.profile import profile

pytest.importorskip("memory_profiler")


def test_the_tapes_count_and_the_process_agree_on_5_million_rows(tmp_path):
    if not tapead.compiled:
        pytest.skip("interpreted, a row is several Python objects while it is written")
    script = (
        "from tapead.profile import profile\n"
        "def f(x, n):\n"
        "    for _ in range(n):\n"
        "        x = x * 0.5 + 0.25\n"
        "    return x\n"
        "p = profile(f, memory=True)(1.0, 2_500_000)\n"
        "print(p.rows, p.process.growth, p.process.expected, len(p.process.seconds))\n"
    )
    # The tapead of this test, compiled: not the sources that may be in the current folder.
    place = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(tapead.__file__))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=place,
    )  # fmt: skip
    rows, growth, expected, samples = map(int, done.stdout.split())
    assert rows == 5_000_001
    assert expected == 21 * rows + 2 * 8  # source lines are in the process too
    assert abs(growth - expected) <= 0.15 * expected
    assert samples > 5


def test_memory_is_sampled_in_the_same_run():
    runs = []

    def f(x):
        runs.append(x)
        for _ in range(2000):
            x = x * 0.5
        return x

    p = profile(f, memory=True, interval=0.001)(1.0)
    assert len(runs) == 1
    assert len(p.process.seconds) == len(p.process.bytes) > 1
    assert p.process.seconds[0] == 0.0
    assert p.process.growth == max(p.process.bytes) - p.process.bytes[0]
    assert "process" in str(p)
    assert p.to_dict()["process"]["growth"] == p.process.growth


@pytest.mark.skipif(os.name != "posix", reason="starts a child by its command")
def test_an_error_while_memory_is_measured_leaves_other_children_alone():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with pytest.raises(ZeroDivisionError):
            profile(lambda x: x / 0, memory=True)(1.0)
        assert child.poll() is None
    finally:
        child.communicate(b"\n")
    assert child.returncode == 0
