"""Memory of array gradients: peaks in processes of their own, and what a recording keeps alive."""

import json
import operator
import subprocess
import sys
import tracemalloc

import array_programs
import measure
import numpy as np
from array_peers import PEERS

import tapead

_CHAIN = next(p for p in array_programs.PROGRAMS if p.name == "ufunc_chain")
_TURNS = 20


def _call(who, n):
    """The gradient of the ufunc chain by one of those who can; "program" is the chain alone."""
    args = _CHAIN.arguments(n)
    if who == "program":
        return lambda: _CHAIN.f(*args)
    if who == "tapead":
        gradient = tapead.grad(_CHAIN.f, _CHAIN.argnums)
        return lambda: gradient(*args)
    return PEERS[who](_CHAIN, args)


def peak(who, n):
    """Bytes by which one gradient of the ufunc chain raises its process's peak.

    None where there is no /proc, or not the peer.
    """
    if not measure.has_proc():
        return None
    done = subprocess.run(
        [sys.executable, __file__, who, str(n)], capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def _child(who, n):
    """The side of `peak` that is measured: once for what is loaded on the way, and once more."""
    _call(who, 100)()
    print(json.dumps(measure.peak_growth(_call(who, n))))


def _added_in_place(z, x):
    z += x
    return z


_STEPS = {
    "z + x": operator.add,
    "z - x": operator.sub,
    "z += x": _added_in_place,
    "z * 1.01": lambda z, x: z * 1.01,
    "z * x": operator.mul,
    "np.tanh(z)": lambda z, x: np.tanh(z),
}


def arrays_alive(n):
    """For each step: how many arrays of n doubles live after 20 of it that did not before.

    One is the result.  The others are what the recording keeps for the way back.
    """
    return {name: _alive(step, n) for name, step in _STEPS.items()}


def _alive(step, n):
    seen = []

    def repeated(x):
        z = 1.0 * x
        seen.append(tracemalloc.get_traced_memory()[0])
        for _ in range(_TURNS):
            z = step(z, x)
        seen.append(tracemalloc.get_traced_memory()[0])
        return np.sum(z)

    x = np.linspace(0.5, 1.0, n)
    tapead.grad(repeated)(x)
    tracemalloc.start()
    try:
        tapead.grad(repeated)(x)
    finally:
        tracemalloc.stop()
    # The array that z was before the first step is there at both moments, if it is kept.
    return 1.0 + (seen[-1] - seen[-2]) / x.nbytes


def report(chosen, n):
    """Print both, as lines of Markdown."""
    names = ["program", "tapead", "by_hand", *(p for p in chosen if p != "by_hand")]
    peaks = {who: peak(who, n) for who in names}
    if peaks["tapead"] is None:
        print("- memory of the process: not measured, there is no /proc here")
    else:
        shown = ", ".join(f"{who} {b / 1e6:.0f} MB" for who, b in peaks.items() if b is not None)
        print(f"- growth of the peak in one gradient of the ufunc chain, n = {n:,}: {shown}")
    alive = arrays_alive(min(n, 1_000_000))
    shown = ", ".join(f"`{step}` {count:.1f}" for step, count in alive.items())
    print(f"- arrays alive after {_TURNS} operations, the result included: {shown}")


if __name__ == "__main__":
    _child(sys.argv[1], int(sys.argv[2]))
