"""How time and memory are measured: ratios within one process, bytes in a process of their own."""

import gc
import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import tapead
from tapead.tape import current

_FOLDER = pathlib.Path(__file__).parent
_clock = time.perf_counter

# For the environment of a process, that its linear algebra runs in one thread.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def fresh_programs(tag, name="programs"):
    """Another import of programs.py, or of its like: its own code objects and module dictionary.

    The interpreter specializes a function's instructions for the types that it meets.  Were the
    same function timed on floats and on tracked numbers, each would find the other's traces.
    """
    spec = importlib.util.spec_from_file_location(f"{name}_{tag}", _FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def settle_allocator():
    """Free a large block, which raises malloc's threshold for asking the system for memory.

    It rises the first time any large block is freed, whoever does that.  Done beforehand, neither
    of two programs to be compared runs with the other's threshold.
    """
    block = np.ones(32 * 2**20 // 8)
    del block
    gc.collect()


def seconds(call, times):
    """Mean seconds of some calls in a row."""
    begin = _clock()
    for _ in range(times):
        call()
    return (_clock() - begin) / times


def compared(plain, others, budget=1.0):
    """Median seconds of `plain`, and for each other the median ratio of its time to plain's.

    A round times plain before and after each other, in one order and then in the reverse, so that
    a machine that grows slower or faster favors none; a round is a few milliseconds a call.
    """
    once = [seconds(call, 1) for call in (plain, *others)]
    once = [min(t, seconds(call, 1)) for t, call in zip(once, (plain, *others), strict=True)]
    times = [max(1, int(0.004 / max(t, 1e-9))) for t in once]
    cost = sum(t * k for t, k in zip(once, times, strict=True)) + once[0] * times[0] * len(others)
    rounds = int(min(31, max(3, budget / cost)))
    base, ratios = [], [[] for _ in others]
    for turn in range(rounds):
        order = range(len(others)) if turn % 2 == 0 else reversed(range(len(others)))
        for k in order:
            before = seconds(plain, times[0])
            other = seconds(others[k], times[1 + k])
            after = seconds(plain, times[0])
            base += [before, after]
            ratios[k].append(2.0 * other / (before + after))
    return statistics.median(base or [once[0]]), [statistics.median(r) for r in ratios]


def rows_and_bytes(f, *args, argnums=0):
    """Rows that f's recording has when f returns, and the bytes that the tape says it holds."""
    seen = []

    def observed(*args):
        result = f(*args)
        seen.extend((len(current.tape), current.tape.nbytes))
        return result

    tapead.grad(observed, argnums)(*args)
    return tuple(seen[-2:])


def microseconds_a_call(rounds=15, times=20_000):
    """Median time of one ``grad(lambda x: x * x)(3.0)``, with the grad and without it."""
    square = tapead.grad(lambda x: x * x)

    def made_anew():
        tapead.grad(lambda x: x * x)(3.0)

    def made_before():
        square(3.0)

    pairs = [(seconds(made_anew, times), seconds(made_before, times)) for _ in range(rounds)]
    return tuple(1e6 * statistics.median(column) for column in zip(*pairs, strict=True))


# ------------------------------------------------------------------------- process memory ---


def _status(key):
    """A line of /proc/self/status, in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return 1024 * int(line.split()[1])
    raise KeyError(key)


def has_proc():
    """Whether the system tells of a process's memory."""
    return pathlib.Path("/proc/self/status").exists()


def peak_growth(call):
    """Bytes by which a call raises the process's peak above what it held before."""
    before = _status("VmRSS")
    # The peak so far must not hide this one's: start it anew where the system allows that.
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        before = _status("VmHWM")
    call()
    return _status("VmHWM") - before


def _child(steps):
    """Print rows and the bytes that the peak grew by in one gradient: the child's side."""
    programs = fresh_programs("memory")
    gradient = tapead.grad(programs.logistic)
    x = programs.PROGRAMS[2].inputs(steps)
    rows, tape_bytes = rows_and_bytes(programs.logistic, x, 10_000)
    peak = peak_growth(lambda: gradient(x, steps))
    rows_a_step = (rows - len(x) - 1) / 10_000
    print(json.dumps({"rows": rows_a_step * steps, "tape": tape_bytes / rows, "peak": peak}))


def bytes_a_row(rows=10_000_000):
    """Bytes a row: what the tape says, and how far one gradient raises the process's peak.

    The peak covers the rows, their adjoints and all else.  None where there is no /proc.
    """
    if not has_proc():
        return None
    done = subprocess.run(
        [sys.executable, __file__, str(rows // 9)], check=True, capture_output=True, text=True
    )
    seen = json.loads(done.stdout)
    return seen["rows"], seen["tape"], seen["peak"] / seen["rows"]


if __name__ == "__main__":
    _child(int(sys.argv[1]))
