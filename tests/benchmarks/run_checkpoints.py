"""What recorded steps of checkpointed loops cost, by how many are recorded at a time, in Markdown.

``python tests/benchmarks/run_checkpoints.py`` takes full sizes, ``--quick`` tiny ones, to see that
all is well.  Memory is how far one gradient raises the peak of a process of its own; what
``run_memory.py`` compares is other ways and other libraries.  Let nothing else run meanwhile.
"""

import argparse
import json
import os
import subprocess
import sys

import measure
import memory_programs

import tapead
from tapead.checkpoints.schedules import evaluations

SNAPSHOTS = 20
STEPS = {"integrator": (1_000_000, [2000, None]), "rnn": (10_000, [1, 50])}


def gradient_of(name, n, stretch):
    """A call that computes one gradient, by the full tape if `stretch` is 0."""
    programs = measure.fresh_programs(f"stretch_{stretch}", "memory_programs")

    def checkpointed(step, state, n):
        return tapead.checkpointed_loop(step, state, n, snapshots=SNAPSHOTS, stretch=stretch)

    program = programs.PROGRAMS[name](n, programs.plainly if stretch == 0 else checkpointed)
    gradient = tapead.grad(program, program.argnums)
    return lambda: gradient(*program.arguments)


def peak(name, n, stretch):
    """Bytes by which a gradient raises the peak of a process of its own, None if nothing tells."""
    if not measure.has_proc():
        return None
    done = subprocess.run(
        [sys.executable, __file__, "--child", name, str(n), str(stretch)],
        check=True, capture_output=True, text=True, env={**os.environ, **measure.ONE_THREAD},
    )  # fmt: skip
    return json.loads(done.stdout)


def child(name, n, stretch):
    gradient_of(name, 50, min(stretch or 1, 1))()  # what is made once
    call = gradient_of(name, n, stretch)
    measure.settle_allocator()
    print(json.dumps(measure.peak_growth(call)))


def table(name, n, stretches, budget):
    """Time and memory of each way, against the full tape and against what counts predict."""
    plain = memory_programs.PROGRAMS[name](n)
    full, (base, *ratios) = measure.compared(
        gradient_of(name, n, 0),
        [lambda: plain(*plain.arguments), *(gradient_of(name, n, k) for k in stretches)],
        budget,
    )
    whole = peak(name, n, 0)
    print(f"\n{name}: {n:,} steps of {1e6 * base * full / n:.2f} us, {SNAPSHOTS} stored states\n")
    print("| steps recorded at a time | run again | s | of the predicted | of the tape's peak |")
    print("|" + " --- |" * 5)
    size = "-" if whole is None else f"{whole / 1e6:,.3g} MB"
    print(f"| all | 0 | {full:.3g} | | {size} |")
    for stretch, ratio in zip(stretches, ratios, strict=True):
        share = "-" if not whole else f"{100 * peak(name, n, stretch) / whole:.2f} %"
        line = ["as many as it chooses", ""]
        predicted = ""
        if stretch is not None:
            count = -(-n // stretch)
            repeated = (evaluations(count, SNAPSHOTS) - count) * stretch
            predicted = f"{ratio / (1.0 + base * repeated / n):.2f}"
            line = [str(stretch), f"{repeated:,}"]
        print("| " + " | ".join([*line, f"{ratio * full:.3g}", predicted, share]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of the steps")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, n, stretch = options.child
        child(name, int(n), None if stretch == "None" else int(stretch))
        return
    measure.settle_allocator()
    for name, (n, stretches) in STEPS.items():
        if options.quick:
            table(name, n // 100, [20], 0.1)
        else:
            table(name, n, stretches, 10.0)


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in measure.ONE_THREAD):
        # The libraries read it when they are loaded, which has been.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **measure.ONE_THREAD})
    main()
