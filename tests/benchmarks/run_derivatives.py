"""Cost of products and matrices of derivatives, and of optimizations, as tables in Markdown.

``python tests/benchmarks/run_derivatives.py`` times tapead alone, ``--peers`` also what else is
installed; ``--quick`` takes tiny sizes, to see that all is well; names of tables choose among them.
Linear algebra runs in one thread.  Let nothing else run meanwhile.
"""

import argparse
import os
import sys

import derivative_memory
import derivative_peers
import derivative_programs
import measure
import numpy as np
import peers
from derivative_peers import Task

import tapead

# A peer that needs longer than this for one derivative is not timed: for a product, for the rest.
_PATIENCE, _LONG_PATIENCE = 2.0, 20.0


class Look:
    """What was asked for: the peers, the time for each line, tiny sizes or all."""

    def __init__(self, chosen, quick):
        self.chosen = chosen
        self.quick = quick
        self.slow = set()
        self.budget = (0.02 if quick else 1.5) * (1 + len(chosen))

    def sizes(self, program):
        return (program.small,) if self.quick else program.sizes

    def head(self, *columns):
        print("| " + " | ".join([*columns, *self.chosen]) + " |")
        print("|" + " --- |" * (len(columns) + len(self.chosen)))

    def compared(self, base, others, table, name="", patience=_LONG_PATIENCE):
        """Seconds of `base`, the ratio of each other to it, and of each peer or why there is none.

        table : the peers' calls, None where they are not asked
        name : of the program; a peer that was too slow for it is not asked for a larger size
        """
        notes = {p: "too slow" if (p, name) in self.slow else "-" for p in self.chosen}
        calls, asked = [], [p for p in self.chosen if (p, name) not in self.slow]
        if table is not None:
            calls, found = peers.calls_of(table, asked, patience)
            notes.update(found)
            if name:
                self.slow.update((p, name) for p, note in found.items() if note == "too slow")
        seconds, ratios = measure.compared(base, [*others, *calls], self.budget)
        own, rest = ratios[: len(others)], ratios[len(others) :]
        return seconds, own, [v if isinstance(v, str) else rest[v] for v in notes.values()]


def line(*cells):
    """Print a line of a table: text as it is, whole numbers in full, others to three digits."""
    print("| " + " | ".join(map(_shown, cells)) + " |", flush=True)


def _shown(cell):
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.3g}"


# -------------------------------------------------------------------------------- products ---


def jvp_table(look):
    """`jvp` beside the program; peers as multiples of the program, too."""
    look.head("program", "n", "plain ms", "jvp ms", "jvp / plain", "bound")
    sides = [measure.fresh_programs(tag).PROGRAMS for tag in ("plain", "forward")]
    for plain, tracked in zip(*sides, strict=True):
        for n in look.sizes(plain):
            _jvp_line(look, plain, tracked, n)
    plain, tracked = (next(p for p in side if p.name == "logistic") for side in sides)
    _jvp_line(look, plain, tracked, 20_000 if look.quick else 10_000_000, bound="3")


def _jvp_line(look, plain, tracked, n, bound=None):
    x, *rest = args = plain.arguments(n)
    ones = [1.0] * len(x)
    task = Task("jvp", "programs", plain.name, "list", rest, np.array(ones))
    table = derivative_peers.table(task, np.array(x)) if bound is None else None
    seconds, (ratio,), others = look.compared(
        lambda: plain.f(*args),
        [lambda: tapead.jvp(lambda x: tracked.f(x, *rest), (x,), (ones,))],
        table,
        f"jvp {plain.name}",
        _PATIENCE,
    )
    line(plain.name, n, 1e3 * seconds, 1e3 * seconds * ratio, ratio, bound or "-", *others)


def hvp_table(look):
    """`hvp` beside the gradient; peers as multiples of tapead's gradient, too."""
    look.head("program", "n", "gradient ms", "hvp ms", "hvp / gradient", "bound")
    for program in measure.fresh_programs("tracked").PROGRAMS:
        for n in look.sizes(program):
            _hvp_line(look, program, n)


def _hvp_line(look, program, n):
    x, *rest = args = program.arguments(n)
    ones = [1.0] * len(x)
    gradient = tapead.grad(program.f)
    task = Task("hvp", "programs", program.name, "list", rest, np.array(ones))
    seconds, (ratio,), others = look.compared(
        lambda: gradient(*args),
        [lambda: tapead.hvp(lambda x: program.f(x, *rest), (x,), (ones,))],
        derivative_peers.table(task, np.array(x)),
        f"hvp {program.name}",
        _PATIENCE,
    )
    line(program.name, n, 1e3 * seconds, 1e3 * seconds * ratio, ratio, "4", *others)


# -------------------------------------------------------------------------------- matrices ---


def hessian_table(look):
    """Hessians of Rosenbrock's function; peers as multiples of tapead's time."""
    look.head("Rosenbrock", "n", "gradient ms", "Hessian ms", "Hessian / gradient")
    for program in derivative_programs.HESSIANS:
        for n in look.sizes(program):
            _hessian_line(look, program, n)


def _hessian_line(look, program, n):
    (x,) = program.arguments(n)
    given = x.tolist() if program.form == "list" else x
    gradient, hessian = tapead.grad(program.f), tapead.hessian(program.f)
    task = Task("hessian", "derivative_programs", program.f.__name__, program.form, ())
    seconds, (ratio,), others = look.compared(
        lambda: hessian(given),
        [lambda: gradient(given)],
        derivative_peers.table(task, x),
    )
    line(program.name, n, 1e3 * seconds * ratio, 1e3 * seconds, 1.0 / ratio, *others)


def jacobian_table(look):
    """Jacobians, results x inputs; peers as multiples of tapead's time."""
    look.head("program", "shape", "plain ms", "Jacobian ms", "Jacobian / plain")
    plain_side = measure.fresh_programs("plain", "derivative_programs").JACOBIANS
    for plain, tracked in zip(plain_side, derivative_programs.JACOBIANS, strict=True):
        for shape in look.sizes(plain):
            _jacobian_line(look, plain, tracked, shape)


def _jacobian_line(look, plain, tracked, shape):
    x, *rest = plain.arguments(*shape)
    given = x.tolist() if plain.form == "list" else x
    jacobian = tapead.jacobian(tracked.f)
    mode = "jacfwd" if shape[0] >= shape[1] else "jacrev"
    task = Task(mode, "derivative_programs", plain.f.__name__, plain.form, rest)
    seconds, (ratio,), others = look.compared(
        lambda: jacobian(given, *rest),
        [lambda: plain.f(given, *rest)],
        derivative_peers.table(task, x),
    )
    size = " x ".join(f"{k:,}" for k in shape)
    line(plain.name, size, 1e3 * seconds * ratio, 1e3 * seconds, 1.0 / ratio, *others)


# --------------------------------------------------------------------------- optimizations ---


def minimize_table(look):
    """BFGS with `jac=tapead.grad(f)`, as a multiple of BFGS with SciPy's own differences, and with
    peers' gradients; the bound is for differences and for autograd."""
    peers.module("scipy.optimize")
    look.head("Rosenbrock", "n", "steps", "gradients", "ms", "bound", "differences")
    plain_side = measure.fresh_programs("plain", "derivative_programs").HESSIANS
    for plain, tracked in zip(plain_side, derivative_programs.HESSIANS, strict=True):
        _minimize_line(look, plain, tracked, 10 if look.quick else 100)


def _minimize_line(look, plain, tracked, n):
    f, g, start = _of_array(plain), _of_array(tracked), np.full(n, 0.5)
    optimize = peers.module("scipy.optimize")

    def minimized(jac):
        return optimize.minimize(f, start, jac=jac, method="BFGS")

    found = minimized(tapead.grad(g))
    if not found.success or np.abs(found.x - 1.0).max() > 1e-3:
        raise RuntimeError(f"BFGS has not found the minimum: {found.message}")
    task = Task("grad", "derivative_programs", plain.f.__name__, plain.form, ())
    seconds, (differences,), others = look.compared(
        lambda: minimized(tapead.grad(g)),
        [lambda: minimized(None)],
        derivative_peers.table(task, start, minimized),
    )
    others = [v if isinstance(v, str) else 1.0 / v for v in others]
    line(plain.name, n, found.nit, found.njev, 1e3 * seconds, "0.5", 1.0 / differences, *others)


def _of_array(program):
    """The program as SciPy calls it."""
    if program.form == "array":
        return program.f
    return lambda x: program.f(x.tolist())


TABLES = {
    "jvp": jvp_table,
    "hvp": hvp_table,
    "hessian": hessian_table,
    "jacobian": jacobian_table,
    "minimize": minimize_table,
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all if none is given")
    parser.add_argument("--peers", action="store_true", help="time what else is installed")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, a short look")
    options = parser.parse_args(arguments)
    measure.settle_allocator()
    look = Look(list(derivative_peers.PEERS) if options.peers else [], options.quick)
    mode = "compiled" if tapead.compiled else "interpreted"
    print(f"tapead {mode}, Python {sys.version.split()[0]}, NumPy {np.__version__}")
    for name, table in TABLES.items():
        if options.tables and name not in options.tables:
            continue
        print(f"\n{name}: {' '.join(table.__doc__.split())}\n")
        try:
            table(look)
        except peers.MissingError as reason:
            print(f"not timed: {reason}")
    print()
    for reason in peers.left_out:
        print(f"- {reason}")
    steps = (2_000, 20_000) if options.quick else (1_000_000, 10_000_000)
    peaks = {n: derivative_memory.peak(n) for n in steps}
    if None in peaks.values():
        print("- memory of the process: not measured, there is no /proc here")
    else:
        shown = ", ".join(f"{n:,} steps {size / 1e3:,.0f} kB" for n, size in peaks.items())
        print(f"- growth of the peak in one jvp of the logistic recurrence: {shown}")


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in measure.ONE_THREAD):
        # The libraries read it when they are loaded, which has been.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **measure.ONE_THREAD})
    main()
