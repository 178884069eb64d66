"""Cost of source lines, of stacks and of a whole profile beside plain recording, in Markdown.

``python tests/benchmarks/run_profile.py`` takes all programs, names choose among them; ``--quick``
takes a smaller size and less time.  Source lines may cost at most 3 times plain recording, in
programs long enough for rows to count; it ends with exit code 1 where they cost more.
Let nothing else run meanwhile.
"""

import argparse
import sys

import measure

import tapead
from tapead.profile import profile

BOUND = 3.0
_COUNTED_FROM = 10_000  # rows; below, what a call costs counts and not a row


def line(name, n, sides, budget):
    """Rows, seconds of plain recording, and what lines, stacks and a profile cost beside it."""
    plain, lines, stacks, whole = (
        next(p for p in side.PROGRAMS if p.name == name).f for side in sides
    )
    args = next(p for p in sides[0].PROGRAMS if p.name == name).arguments(n)
    profiled = profile(whole)

    def recorded():
        return tapead.record(plain, *args, argnums=0, lines=False)

    others = [
        lambda: tapead.record(lines, *args, argnums=0),
        lambda: tapead.record(stacks, *args, argnums=0, stacks=True),
        lambda: profiled(*args),
    ]
    seconds, ratios = measure.compared(recorded, others, budget)
    return len(recorded()), seconds, ratios


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", help="names; all if none is given")
    parser.add_argument("--quick", action="store_true", help="a smaller size, a short look")
    options = parser.parse_args(arguments)
    measure.settle_allocator()
    mode = "compiled" if tapead.compiled else "interpreted"
    print(f"tapead {mode}, Python {sys.version.split()[0]}")
    print("ratios: time beside that of recording without source lines\n")
    print("| program | n | rows | recording ms | lines | lines and stacks | profile |")
    print("|" + " --- |" * 7)
    sides = [measure.fresh_programs(tag) for tag in ("plain", "lines", "stacks", "profile")]
    worst = 0.0
    for program in sides[0].PROGRAMS:
        if options.programs and program.name not in options.programs:
            continue
        n = program.sizes[0] if options.quick else program.sizes[-1]
        rows, seconds, ratios = line(program.name, n, sides, 0.1 if options.quick else 4.0)
        columns = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| {program.name} | {n} | {rows} | {1e3 * seconds:.3g} | {columns} |", flush=True)
        if rows >= _COUNTED_FROM:
            worst = max(worst, ratios[0])
    held = worst <= BOUND
    print(
        f"\n- source lines, worst: {worst:.2f}, at most {BOUND}: {'held' if held else 'NOT held'}"
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
