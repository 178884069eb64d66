"""Memory and time of ways to reverse a long loop, as tables in Markdown.

``python tests/benchmarks/run_memory.py`` takes full sizes, names choose among the programs;
``--quick`` takes a hundredth of the steps; ``--peers`` also runs torch.utils.checkpoint, on fewer
steps.  Memory is how far one gradient raises the peak of a process of its own, and what the tape
itself counts.  Let nothing else run meanwhile.

Predicted time: that of the gradient by the full tape, which runs each step once and records it, and
for each step that a schedule runs beside these the time that it takes in the plain program.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import measure
import numpy as np

import tapead
from tapead.checkpoints.loops import size_of
from tapead.checkpoints.schedules import evaluations
from tapead.tape import current

SNAPSHOTS = 20
STEPS = {"integrator": 1_000_000, "rnn": 10_000}
TORCH_STEPS = {"integrator": 10_000, "rnn": 2_000}
# Without snapshots of a process a limit asks for a folder: that is another benchmark's.
HAS_LIMIT = hasattr(os, "fork")
_LEAST = 7 * 2**20  # bytes that a limit has to allow
_LONGEST = 600  # seconds that a process of its own may take
_MOST_OF_TORCH = 8 * 2**30  # bytes that PyTorch may ask for


# Ways beside the full tape: a loop that chooses how many steps it records at a time, or is told,
# and a limit on the tape of the plain loop.
WAYS = {"integrator": ("loop", "limit"), "rnn": ("loop", "stretches")}
# A short loop of numbers would record each step by itself: a short look tells it not to.
QUICK_WAYS = {"integrator": ("stretches", "limit"), "rnn": ("loop", "stretches")}
TEXTS = {
    "loop": "`checkpointed_loop`",
    "stretches": "`checkpointed_loop(stretch=50)`",
    "limit": "`grad(memory=...)`, a tenth",
}


def checkpointed(step, state, n):
    return tapead.checkpointed_loop(step, state, n, snapshots=SNAPSHOTS)


def in_stretches(step, state, n):
    return tapead.checkpointed_loop(step, state, n, snapshots=SNAPSHOTS, stretch=50)


LOOPS = {"loop": checkpointed, "stretches": in_stretches}


def gradient_of(way, name, n, side, limit=None):
    """A call that computes one gradient in one of the ways."""
    programs = measure.fresh_programs(f"{side}_{way}", "memory_programs")
    if way.startswith("torch"):
        return programs.by_torch(name, n, way == "torch checkpoint")
    program = programs.PROGRAMS[name](n, LOOPS.get(way, programs.plainly))
    more = {"memory": limit} if way == "limit" else {}
    gradient = tapead.grad(program, program.argnums, **more)

    def call():
        return gradient(*program.arguments)

    call.of = gradient
    return call


class Seen:
    """Of a loop's steps: how many were run, and the longest tape that one of them was recorded on.

    Bytes are those that the tape counts, rows and constants and not arrays, and of stored states.
    """

    def __init__(self, way, name, n):
        programs = measure.fresh_programs("seen", "memory_programs")
        loop = LOOPS.get(way, programs.plainly)
        # In an array: what else a second run changes is as before when it has ended.
        self.counts = np.zeros(3, np.int64)
        program = programs.PROGRAMS[name](n, lambda step, *rest: loop(self.watched(step), *rest))
        tapead.grad(program, program.argnums)(*program.arguments)
        self.steps, self.rows, self.bytes = map(int, self.counts)
        if way in LOOPS:
            self.bytes += min(n, SNAPSHOTS) * size_of(program.state())

    def watched(self, step):
        def watched(state):
            state = step(state)
            self.counts[0] += 1
            tape = current.tape
            if len(tape) > self.counts[1]:
                self.counts[1:] = len(tape), tape.nbytes
            return state

        return watched


# ------------------------------------------------------------------------------- processes ---


def alone(way, name, n, limit=None):
    """Seconds and growth of the peak of one gradient in a process of its own, or why it failed."""
    command = [sys.executable, __file__, "--child", way, name, str(n), str(limit or 0)]
    environment = {**os.environ, **measure.ONE_THREAD}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=_LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"longer than {_LONGEST} s"
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return lines[-1][:100]
    return json.loads(done.stdout.splitlines()[-1])


def child(way, name, n, limit):
    if way.startswith("torch") and sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_OF_TORCH, _MOST_OF_TORCH))
    gradient_of(way, name, min(n, 50), "first", limit or None)()  # what is made once
    call = gradient_of(way, name, n, "measured", limit or None)
    measure.settle_allocator()
    found = {}

    def timed():
        begin = time.perf_counter()
        call()
        found["seconds"] = time.perf_counter() - begin

    if measure.has_proc():
        found["growth"] = measure.peak_growth(timed)
    else:
        timed()
        found["growth"] = None
    report = getattr(getattr(call, "of", None), "report", None)
    found["report"] = None if report is None else str(report)
    print(json.dumps(found))


# ---------------------------------------------------------------------------------- tables ---


def table(name, n, peers, budget, bounds):
    """One program: ways to reverse it beside the full tape."""
    whole = Seen("tape", name, n)
    limit = limit_for(whole)
    ways = WAYS if n == STEPS[name] else QUICK_WAYS
    ways = [way for way in ways[name] if way != "limit" or HAS_LIMIT]
    plain = measure.fresh_programs("plain", "memory_programs").PROGRAMS[name](n)
    full, (base, *ratios) = measure.compared(
        gradient_of("tape", name, n, "timed"),
        [
            lambda: plain(*plain.arguments),
            *(gradient_of(way, name, n, "timed", limit) for way in ways),
        ],
        budget,
    )
    ones = evaluations(n, SNAPSHOTS) - n
    print(
        f"\n{name}: {n:,} steps of {1e6 * base * full / n:.2f} us, {SNAPSHOTS} stored states, "
        f"from which {ones:,} steps are run again where each is recorded by itself\n"
    )
    head = ("s", "of the full tape's", "steps run again", "of the predicted", "counted", "process")
    print("| gradient | " + " | ".join([*head, "share"]) + " |")
    print("|" + " --- |" * 8)
    apart = alone("tape", name, n)
    print(f"| full tape | {full:.3g} | 1 | 0 | | {size(whole.bytes)} | {grown(apart)} | |")
    for way, ratio in zip(ways, ratios, strict=True):
        seen = Seen(way, name, n) if way in LOOPS else None
        bounds += line(way, name, n, full, base, ratio, seen, apart, whole)
    if peers:
        torch_table(name, n, TORCH_STEPS[name] if n == STEPS[name] else n // 10)


def limit_for(tape):
    """A tenth of the full tape, in bytes."""
    return max(tape.bytes // 10, _LEAST)


def line(way, name, n, full, base, ratio, seen, whole, tape):
    """A line of the table; what is bound in it, as text, figure and bound.

    base : the time of the plain program as a part of the full tape's gradient, `full` seconds
    """
    limit = limit_for(tape)
    found = alone(way, name, n, limit)
    again, predicted, counted = "", None, limit
    if seen is not None:
        again, counted = f"{seen.steps - n:,}", seen.bytes
        predicted = ratio / (1.0 + base * (seen.steps - n) / n)
    figures = [
        TEXTS[way], f"{full * ratio:.3g}", f"{ratio:.2f}", again,
        "" if predicted is None else f"{predicted:.2f}",
        size(counted), grown(found), share(found, whole),
    ]  # fmt: skip
    print("| " + " | ".join(figures) + " |", flush=True)
    if isinstance(found, dict) and found["report"]:
        print(f"\n{found['report']}\n")
    if way == "limit":
        return [("a tenth of the memory: time, of the full tape's", ratio, 2.5)]
    if (way, name) != ("loop", "integrator"):
        return []
    by_ones = 1.0 + base * (evaluations(n, SNAPSHOTS) - n) / n
    return [
        ("checkpointed_loop: peak, % of the full tape's", 100.0 * counted / tape.bytes, 1.0),
        ("checkpointed_loop: time, of what its steps predict", predicted, 1.3),
        ("checkpointed_loop: time, of what the binomial count predicts", ratio / by_ones, 1.3),
    ]


def torch_table(name, n, count):
    """PyTorch on fewer steps, a step, beside tapead's full tape and its checkpointed loop."""
    print(f"\n| a step of {name} | steps | us | bytes by which the process grows |")
    print("| --- | --- | --- | --- |")
    for way in ("tape", *WAYS[name], "torch", "torch checkpoint"):
        if way == "limit":
            continue
        steps = count if way.startswith("torch") else n
        found = alone(way, name, steps)
        figures = found
        if isinstance(found, dict):
            figures = f"{1e6 * found['seconds'] / steps:.2f} | "
            figures += "-" if found["growth"] is None else f"{found['growth'] / steps:,.0f}"
        print(f"| {way} | {steps:,} | {figures} |", flush=True)


def size(count):
    return f"{count / 1e6:,.3g} MB" if count < 1e7 else f"{count / 1e6:,.0f} MB"


def grown(found):
    if isinstance(found, str):
        return found
    return "-" if found["growth"] is None else size(found["growth"])


def share(found, whole):
    if isinstance(found, str) or isinstance(whole, str) or not whole["growth"]:
        return "-"
    return f"{100.0 * found['growth'] / whole['growth']:.2f} %"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", help=f"of {', '.join(STEPS)}; all if none is given")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the steps")
    parser.add_argument("--peers", action="store_true", help="run PyTorch, too")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        way, name, *numbers = options.child
        child(way, name, *map(int, numbers))
        return
    measure.settle_allocator()
    mode = "compiled" if tapead.compiled else "interpreted"
    print(f"tapead {mode}, Python {sys.version.split()[0]}")
    bounds = []
    for name, n in STEPS.items():
        if not options.programs or name in options.programs:
            n, budget = (n // 100, 0.1) if options.quick else (n, 20.0)
            table(name, n, options.peers, budget, bounds)
    print()
    if not HAS_LIMIT:
        print("- grad(f, memory=...): not timed, there is no fork here")
    if options.quick:
        print("- bounds are for full sizes")
        bounds = []
    for what, figure, most in bounds:
        held = "held" if figure <= most else "NOT held"
        print(f"- {what}: {figure:.3g}, at most {most}: {held}")


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in measure.ONE_THREAD):
        # The libraries read it when they are loaded, which has been.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **measure.ONE_THREAD})
    main()
