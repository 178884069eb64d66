"""Memory of forward mode: how far `jvp` of a long loop raises the peak of a process of its own."""

import json
import subprocess
import sys

import measure

import tapead


def call(programs, steps):
    """The derivative of the logistic recurrence along all of its inputs, as a call."""
    program = next(p for p in programs.PROGRAMS if p.name == "logistic")
    x = program.inputs(steps)
    return lambda: tapead.jvp(lambda x: program.f(x, steps), (x,), ([1.0] * len(x),))


def peak(steps):
    """Bytes by which one jvp of so many steps raises its process's peak; None without /proc."""
    if not measure.has_proc():
        return None
    done = subprocess.run(
        [sys.executable, __file__, str(steps)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _child(steps):
    """The side of `peak` that is measured: once for what is loaded on the way, and once more."""
    programs = measure.fresh_programs("memory")
    call(programs, 1_000)()
    print(json.dumps(measure.peak_growth(call(programs, steps))))


if __name__ == "__main__":
    _child(int(sys.argv[1]))
