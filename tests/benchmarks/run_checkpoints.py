"""Cost of reversing long loops with few stored states, as tables in Markdown.

``python tests/benchmarks/run_checkpoints.py`` takes full sizes, ``--quick`` tiny ones, to see that
all is well; ``--peers`` also times torch.utils.checkpoint, if PyTorch is there.  Memory is how far
one gradient raises the peak of a process of its own.  Let nothing else run meanwhile.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time

import measure
import numpy as np

import tapead
from tapead.checkpoints.loops import checkpointed_loop
from tapead.checkpoints.schedules import evaluations

SNAPSHOTS = 20
H = 1e-5


def pendulum(state):
    """An explicit step of a damped pendulum that is driven."""
    x, v, t = state
    a = -math.sin(x) - 0.1 * v + 0.5 * math.cos(0.7 * t)
    v = v + H * a
    return x + H * v, v, t + H


def integrated(n, run):
    """The last angle by the first angle and speed, with `run` for the loop."""

    def f(x, v):
        return run(pendulum, (x, v, 0.0), n)[0]

    return f


def plainly(step, state, n):
    for _ in range(n):
        state = step(state)
    return state


def checkpointed(stretch):
    """A loop whose steps are recorded so many at a time."""

    def run(step, state, n):
        return checkpointed_loop(step, state, n, snapshots=SNAPSHOTS, stretch=stretch)

    return run


class Net:
    """A recurrent network that reads a sequence: the loss, by its matrices."""

    def __init__(self, n, run, width=32):
        rng = np.random.default_rng(0)
        self.n, self.run, self.width = n, run, width
        self.inputs = rng.standard_normal((n, width))
        self.matrices = [rng.standard_normal((width, width)) * 0.5 / width**0.5 for _ in range(2)]

    def loss(self, w, u):
        inputs = self.inputs

        def step(state):
            h, loss, k = state
            h = np.tanh(w @ h + u @ inputs[k])
            return h, loss + np.sum(h * h), k + 1

        return self.run(step, (np.zeros(self.width), 0.0, 0), self.n)[1]


def gradient_of(program, n, stretch):
    """A call that computes one gradient, by the full tape if `stretch` is 0."""
    run = checkpointed(stretch) if stretch else plainly
    if program == "rnn":
        net = Net(n, run)
        return lambda: tapead.grad(net.loss, (0, 1))(*net.matrices)
    return lambda: tapead.grad(integrated(n, run), (0, 1))(1.0, 0.5)


def seconds(call, times=3):
    best = math.inf
    for _ in range(times):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best


def peak(program, n, stretch):
    """Bytes by which a gradient raises the peak of a process of its own, None if nothing tells."""
    if not measure.has_proc():
        return None
    done = subprocess.run(
        [sys.executable, __file__, "--child", program, str(n), str(stretch)],
        check=True, capture_output=True, text=True, env={**os.environ, **measure.ONE_THREAD},
    )  # fmt: skip
    return json.loads(done.stdout)


def child(program, n, stretch):
    gradient_of(program, 50, min(stretch, 1))()  # what is made once
    call = gradient_of(program, n, stretch)
    measure.settle_allocator()
    print(json.dumps(measure.peak_growth(call)))


def table(program, n, stretches, plain, torch_seconds):
    """Time and memory of each way, against the full tape and against what counts predict."""
    full = seconds(gradient_of(program, n, 0))
    step = seconds(plain) / n
    whole = peak(program, n, 0)
    print(f"\n{program}: {n:,} steps of {1e6 * step:.2f} us, {SNAPSHOTS} stored states\n")
    print(
        "| steps recorded at a time | run again | seconds | of the predicted | of the tape's peak |"
    )
    print("| --- | --- | --- | --- | --- |")
    print(f"| all | 0 | {full:.2f} | | {_megabytes(whole)} |")
    for stretch in stretches:
        count = -(-n // stretch)
        repeated = (evaluations(count, SNAPSHOTS) - count) * stretch
        took = seconds(gradient_of(program, n, stretch))
        share = "-" if whole is None else f"{100 * peak(program, n, stretch) / whole:.2f} %"
        ratio = took / (full + repeated * step)
        print(f"| {stretch} | {repeated:,} | {took:.2f} | {ratio:.2f} | {share} |", flush=True)
    if torch_seconds is not None:
        length, with_tape, with_checkpoint = torch_seconds
        print(
            f"\nPyTorch on {length:,} steps, a step: {1e6 * with_tape / length:.1f} us, with "
            f"torch.utils.checkpoint {1e6 * with_checkpoint / length:.1f} us; "
            f"tapead: {1e6 * full / n:.2f} us"
        )


def _megabytes(size):
    return "-" if size is None else f"{size / 1e6:,.0f} MB"


# --------------------------------------------------------------------------------- PyTorch ---


def torch_pendulum(n):
    """Seconds of PyTorch's gradient with and without its checkpoints, one for sqrt(n) steps."""
    import torch
    from torch.utils.checkpoint import checkpoint

    torch.set_num_threads(1)

    def step(x, v, t):
        a = -torch.sin(x) - 0.1 * v + 0.5 * torch.cos(0.7 * t)
        v = v + H * a
        return x + H * v, v, t + H

    def steps(count, *state):
        for _ in range(count):
            state = step(*state)
        return state

    def gradient(checkpointed):
        x, v = (torch.tensor(s, dtype=torch.float64, requires_grad=True) for s in (1.0, 0.5))
        state = (x, v, torch.tensor(0.0, dtype=torch.float64))
        part = math.isqrt(n)
        for k in range(0, n, part):
            count = min(part, n - k)
            if checkpointed:
                state = checkpoint(steps, count, *state, use_reentrant=False)
            else:
                state = steps(count, *state)
        state[0].backward()

    return n, seconds(lambda: gradient(False), 1), seconds(lambda: gradient(True), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--child", nargs=3)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], *map(int, asked.child[1:]))
        return
    n, m = (20_000, 200) if asked.quick else (1_000_000, 10_000)
    peers = torch_pendulum(1_000 if asked.quick else 20_000) if asked.peers else None
    plain = integrated(n, plainly)
    table("integrator", n, [2000], lambda: plain(1.0, 0.5), peers)
    net = Net(m, plainly)
    table("rnn", m, [1, 50], lambda: net.loss(*net.matrices), None)


if __name__ == "__main__":
    main()
