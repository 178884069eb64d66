"""A loop of 1,000,000 steps under a limit of memory: time beside the plain tape's.

    python tests/benchmarks/run_bounded.py [--steps N] [--rows-on-disk]

With --rows-on-disk, 100,000,000 rows are spilled and swept where the process may take 1 GB
(``resource.setrlimit``); that takes some 10 seconds and 2 GB of disk.
"""

import argparse
import resource
import statistics
import tempfile
import time

import tapead


def program(steps):
    def f(x, w):
        v, s = x, 0.0
        for _ in range(steps):
            v = v + 0.001 * (w * v - v * v * v)
            s = s + v
        return s

    return f


def seconds(g):
    begin = time.perf_counter()
    g(0.3, 1.1)
    return time.perf_counter() - begin


def compare(steps, folder):
    f = program(steps)
    plain = tapead.grad(f, argnums=(0, 1))
    tenth = 25 * 7 * steps // 10
    limited = tapead.grad(f, argnums=(0, 1), memory=max(tenth, 7 * 2**20))
    spilled = tapead.grad(f, argnums=(0, 1), memory=max(tenth, 7 * 2**20), spill=folder)
    times = [(seconds(plain), seconds(limited), seconds(spilled)) for _ in range(5)]
    assert limited(0.3, 1.1) == spilled(0.3, 1.1) == plain(0.3, 1.1)
    for name, g, k in (("snapshots", limited, 1), ("spilling", spilled, 2)):
        ratio = statistics.median(t[k] / t[0] for t in times)
        print(f"{name:10} {ratio:5.2f} times the plain tape's time; {g.report}")


def on_disk(folder):
    steps = 100_000_000 // 7
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**30, hard))
    g = tapead.grad(program(steps), argnums=(0, 1), memory="200MB", spill=folder)
    print(f"{seconds(g):.1f} s; {g.report}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--rows-on-disk", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.rows_on_disk:
            on_disk(place)
        else:
            compare(options.steps, place)
