"""Cost of gradients of array programs beside the programs, as a table in Markdown.

``python tests/benchmarks/run_arrays.py`` times tapead alone, ``--peers`` also hand-written adjoints
and what else is installed; ``--quick`` takes tiny sizes, to see that all is well; names of programs
choose among them.  Linear algebra runs in one thread.  Let nothing else run meanwhile.
"""

import argparse
import os
import sys

import array_memory
import array_peers
import measure
import numpy as np
import peers

import tapead

# A peer that needs longer than this for one gradient is not timed.
_PATIENCE = 20.0


def programs_table(names, chosen, budget, quick):
    """Print a line for each program and size."""
    modules = [measure.fresh_programs(tag, "array_programs") for tag in ("plain", "tracked")]
    print("| program | size | rows | plain ms | gradient ms | ratio | bound |", end="")
    print("".join(f" {peer} |" for peer in chosen))
    print("|" + " --- |" * (7 + len(chosen)))
    for plain, tracked in zip(*(module.PROGRAMS for module in modules), strict=True):
        if names and plain.name not in names:
            continue
        for n in (plain.small,) if quick else plain.sizes:
            bound = plain.bound if n == plain.sizes[-1] and plain.bound else "-"
            rows, milliseconds, ratio, others = _line(plain, tracked, n, chosen, budget)
            print(f"| {plain.name} | {n:,} | {rows:,} | {milliseconds:.3g} ", end="")
            print(f"| {milliseconds * ratio:.3g} | {ratio:.2f} | {bound} |", end="")
            print("".join(f" {other} |" for other in others), flush=True)


def _line(plain, tracked, n, chosen, budget):
    args = plain.arguments(n)
    gradient = tapead.grad(tracked.f, tracked.argnums)
    calls, notes = peers.calls_of(array_peers.PEERS, chosen, _PATIENCE, plain, args)
    calls = [lambda: gradient(*args), *calls]
    seconds, ratios = measure.compared(lambda: plain.f(*args), calls, budget)
    rows, _ = measure.rows_and_bytes(tracked.f, *args, argnums=tracked.argnums)
    others = [v if isinstance(v, str) else f"{ratios[v + 1]:.3g}" for v in notes.values()]
    return rows, 1e3 * seconds, ratios[0], others


def elements(n, budget):
    """Time of the Rosenbrock gradient over an array, as a multiple of that over a list."""
    x = np.linspace(0.9, 1.1, n)
    over_array, over_list = (
        tapead.grad(measure.fresh_programs(tag, "array_programs").rosenbrock)
        for tag in ("array", "list")
    )
    values = x.tolist()
    _, (ratio,) = measure.compared(lambda: over_list(values), [lambda: over_array(x)], budget)
    return ratio


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", help="names; all if none is given")
    parser.add_argument("--peers", action="store_true", help="time what else is installed")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, a short look")
    options = parser.parse_args(arguments)
    measure.settle_allocator()
    chosen = list(array_peers.PEERS) if options.peers else []
    budget = (0.02 if options.quick else 1.5) * (1 + len(chosen))
    mode = "compiled" if tapead.compiled else "interpreted"
    print(f"tapead {mode}, Python {sys.version.split()[0]}, NumPy {np.__version__}")
    print("ratio: time of the gradient / time of the plain program\n")
    programs_table(options.programs, chosen, budget, options.quick)
    print()
    for reason in peers.left_out:
        print(f"- {reason}")
    n = 30 if options.quick else 10_000
    print(f"- Rosenbrock's loop over an array of {n:,} / over a list: {elements(n, budget):.2f}")
    array_memory.report(chosen, 10_000 if options.quick else 10_000_000)


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in measure.ONE_THREAD):
        # The libraries read it when they are loaded, which has been.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **measure.ONE_THREAD})
    main()
