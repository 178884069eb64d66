"""Cost of a gradient beside its program, as a table in Markdown.

``python tests/benchmarks/run.py`` times tapead alone, ``--peers`` also what else is installed;
``--quick`` takes two sizes of each program and less time; names of programs choose among them.
Let nothing else run meanwhile.
"""

import argparse
import math
import sys

import measure
import peers

import tapead

# A peer that needs longer than this for one gradient is not timed.
_PATIENCE = 2.0
_COUNTED_FROM = 1_000  # operations; below, the cost of a call counts and not that of a row


def programs_table(names, chosen, budget, quick):
    """Print a line for each program and size; give (program, n, rows, ratio) of each."""
    plain_side, tracked_side = (measure.fresh_programs(tag) for tag in ("plain", "tracked"))
    print("| program | n | rows | plain ms | gradient ms | ratio | bytes/row |", end="")
    print("".join(f" {peer} |" for peer in chosen))
    print("|" + " --- |" * (7 + len(chosen)))
    seen = []
    for plain, tracked in zip(plain_side.PROGRAMS, tracked_side.PROGRAMS, strict=True):
        if names and plain.name not in names:
            continue
        for n in plain.sizes[:2] if quick else plain.sizes:
            line = _line(plain, tracked, n, chosen, budget)
            seen.append((plain.name, n, line[0], line[3]))
            rows, milliseconds, total, ratio, size, others = line
            print(f"| {plain.name} | {n} | {rows} | {milliseconds:.3g} | {total:.3g} ", end="")
            print(f"| {ratio:.2f} | {size:.1f} |" + "".join(f" {o} |" for o in others), flush=True)
    return seen


def _line(plain, tracked, n, chosen, budget):
    args = plain.arguments(n)
    gradient = tapead.grad(tracked.f)
    calls, notes = peers.calls_of(peers.PEERS, chosen, _PATIENCE, plain.name, *args)
    calls = [lambda: gradient(*args), *calls]
    seconds, ratios = measure.compared(lambda: plain.f(*args), calls, budget)
    rows, tape_bytes = measure.rows_and_bytes(tracked.f, *args)
    others = [v if isinstance(v, str) else f"{ratios[v + 1]:.3g}" for v in notes.values()]
    ms = 1e3 * seconds
    return rows, ms, ms * ratios[0], ratios[0], tape_bytes / rows, others


def summary(seen):
    """The mean, the worst and the growth of the ratios."""
    counted = [s for s in seen if s[2] >= _COUNTED_FROM]
    if not counted:
        return
    mean = math.exp(sum(math.log(s[3]) for s in counted) / len(counted))
    worst = max(counted, key=lambda s: s[3])
    print(f"\n- geometric mean of the ratios: {mean:.2f}")
    print(f"- worst: {worst[3]:.2f} ({worst[0]}, n = {worst[1]})")
    growth = []
    for name in dict.fromkeys(s[0] for s in counted):
        ratios = [s[3] for s in counted if s[0] == name]
        growth.append((ratios[-1] / ratios[0], name))
    print("- growth, ratio at the largest n / at the smallest: ", end="")
    print(", ".join(f"{name} {g:.2f}" for g, name in growth))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", help="names; all if none is given")
    parser.add_argument("--peers", action="store_true", help="time what else is installed")
    parser.add_argument("--quick", action="store_true", help="two sizes of each, shorter")
    options = parser.parse_args()
    measure.settle_allocator()
    chosen = list(peers.PEERS) if options.peers else []
    budget = (0.3 if options.quick else 1.5) * (1 + len(chosen))
    mode = "compiled" if tapead.compiled else "interpreted"
    print(f"tapead {mode}, Python {sys.version.split()[0]}")
    print("ratio: time of the gradient / time of the plain program\n")
    summary(programs_table(options.programs, chosen, budget, options.quick))
    for reason in peers.left_out:
        print(f"- {reason}")
    anew, before = measure.microseconds_a_call(*((5, 5_000) if options.quick else ()))
    print(f"- one `grad(lambda x: x * x)(3.0)`: {anew:.2f} us; grad made before: {before:.2f} us")
    memory = measure.bytes_a_row(1_000_000 if options.quick else 10_000_000)
    if memory is None:
        print("- memory of the process: not measured, there is no /proc here")
    else:
        rows, tape, peak = memory
        print(f"- bytes a row, {rows:,.0f} rows: {tape:.2f} on the tape, {peak:.2f} in the process")


if __name__ == "__main__":
    main()
