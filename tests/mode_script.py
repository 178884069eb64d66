"""Prints all that the compiled and the interpreted mode must agree on, to the last bit.

`test_modes.py` runs it once in each mode.  It imports nothing of the tests.
"""

import itertools
import math

import numpy as np

import tapead
from tapead import elementary, partials

GRID = (
    0.0, -0.0, 0.1, -0.3, 0.5, 0.9, 1.0, -1.0, 1.46, 2.0, -2.5, 3.0, 7.25, -20.3, 170.5, 1e5, 1e13,
    -1e-9, 1e200, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan,
)  # fmt: skip


def show(*words):
    """One line; floats to the last bit, every nan the same."""
    print(*(float(w).hex() if isinstance(w, float) else w for w in words))


def grid_of(op):
    """Operands; digits, exponents and orders are whole numbers."""
    first = (0.0, 1.0, 2.0, 3.0, 4.0) if op.name == "polygamma" else GRID
    second = (-3.0, 0.0, 2.0, 40.0) if op.name in ("round", "ldexp") else GRID
    return itertools.product(first, second if op.arity == 2 else (0.0,))


def table():
    for code, op in enumerate(elementary.OPS):
        for a, b in grid_of(op):
            v = partials.value(code, a, b)
            slopes = partials.first(code, a, b, v)
            show(op.name, a, b, v, *slopes, *partials.second(code, a, b, v))


def polynomial(x, y):
    total = 0.0
    for k in range(1, 40):
        total = total * x + k / 7 - y**k / (k + 1)
        if total > 3.0:
            total = total / 2
    return total


def mathematics(x, y):
    a = math.sin(x) * math.exp(-y) + math.hypot(x, y, 2.0) - math.log(x + 3, 2.5)
    b = math.lgamma(x + 2.0) * math.erf(y) + math.gamma(1 + y) ** x + math.atan2(y, x)
    c = math.fsum([a, b, 1e16, x, -1e16]) + math.prod([x, y, 3]) + math.dist((x, y), (1, 2))
    d = math.frexp(a)[0] + sum(math.modf(b)) + math.remainder(7 * x, y) + math.cbrt(y)
    return a * b + c / d + x // y + x % y + round(x * y, 3) + abs(x - y)


def recursion(x, y, depth=60):
    if depth == 0:
        return math.tanh(x * y)
    return math.sqrt(x * x + recursion(x / 1.01, y * 1.01, depth - 1) ** 2)


def nested(x, y):
    inner = tapead.grad(lambda t: math.sin(t * x) * t**y)
    for _ in range(3):
        x = x - 0.1 * inner(x)
    return x


PROGRAMS = (polynomial, mathematics, recursion, nested)
POINTS = ((0.7, 1.3), (1.5, 0.4), (2.25, 2.0))


def programs():
    both = (0, 1)
    for f in PROGRAMS:
        for point in POINTS:
            value, gradient = tapead.value_and_grad(f, argnums=both)(*point)
            show(f.__name__, *point, value, *gradient)
            for k in both:
                second = tapead.grad(tapead.grad(f, argnums=k), argnums=both)(*point)
                show(f.__name__, "second", k, *second)


def tapes():
    for f in PROGRAMS:
        tape = tapead.record(f, *POINTS[0])
        show(f.__name__, "tape", len(tape), tape.nbytes, tape.edges, str(tape.inputs), tape.outputs)
        for number in range(len(tape)):
            row = tape.row(number)
            show(row.operation, *row.operands, row.value, *row.partials, *row.place[1:])
        show(*tape.adjoints().tolist(), *tape.visited)
        show(*tape.tangents(0).tolist())
        constants = tape._tape
        show(*(constants.operand_value(-1 - k) for k in range(constants.n_const)))


def errors():
    for f in (lambda x: 1 / (x - x), lambda x: (-x) ** 0.5, lambda x: np.float64(x), math.acosh):
        try:
            show(tapead.grad(f)(0.5))
        except Exception as error:
            show(type(error).__name__, str(error).splitlines()[0])


if __name__ == "__main__":
    table()
    programs()
    tapes()
    errors()
