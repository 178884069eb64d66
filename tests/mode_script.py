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


def diffusion(x, w):
    for _ in range(9):
        old = x.copy()
        x[1:-1] = old[1:-1] + 0.1 * w[0, 1] * (old[2:] - 2.0 * old[1:-1] + old[:-2])
    return np.sum(x**3) / np.exp(x[::-1]).mean()


def elements(x, w):
    total = np.zeros(len(x))
    for k in range(1, len(x)):
        total[k] = total[k - 1] * x[k] + math.sin(x[k - 1]) * w[k % 3, k % 4] - x[k] / (2.0 + k)
    return total.prod() + sum(total) + max(x) * total[-1] ** 2


def network(x, w):
    hidden = np.tanh(w @ x[:4] + x[4]) - w.T[1] * np.log1p(x[0] ** 2)
    scores = np.outer(hidden, w.sum(axis=0)) + np.where(w > 0.1, w, np.sqrt(np.abs(w)))
    return np.linalg.norm(scores) - np.log(np.sum(np.exp(scores - scores.max())))


def written(x, w):
    view = x.reshape(2, -1).T
    view[1:] *= w[0, :1] + x[:2]
    np.add.at(x, [1, -1, 1, 3], w[:, 1:3].ravel()[:4])
    x[x > 0.4] = w[1, 1] ** 2
    table = np.empty((4, 3), order="F")
    table[...] = w.T
    table[[0, 2]] = table[[2, 0]] * x[2]
    np.multiply(table, table[::-1], out=table)
    x.sort()
    return np.einsum("ij,jk->", table, w) + np.cumsum(x * x)[1:].std() + table[-1, -1] / x[0]


def solved(x, w):
    square = w[:, :3] @ w[:, :3].T + 3.0 * np.eye(3) * x[1] ** 2
    return np.linalg.solve(square, x[:3]) @ np.linalg.inv(square) @ x[3:6]


def large(x, w):
    long = np.linspace(0.0, x[0], 20_000)
    long[::3] *= x[1] * np.cos(long[::-3])
    return np.mean(np.sin(long * w[0, 0]) / (1.0 + long**2)) + np.dot(long, long) / 20_000


ARRAY_PROGRAMS = (diffusion, elements, network, written, solved, large)


def arrays():
    rng = np.random.default_rng(11)
    for f, n in itertools.product(ARRAY_PROGRAMS, (6, 8, 8)):
        point = rng.normal(size=n), rng.normal(size=(3, 4))

        def along(x, w, f=f, direction=point[0]):
            return np.sum(tapead.grad(f)(x, w) * direction)

        for g in (f, along):
            value, gradient = tapead.value_and_grad(g, argnums=(0, 1))(*point)
            show(f.__name__, g.__name__, value, *itertools.chain(*map(np.ravel, gradient)))


def family():
    """Forward mode, products, Jacobians and Hessians, of numbers and of arrays."""
    rng = np.random.default_rng(12)
    both = (0, 1)
    for f in PROGRAMS:
        primals, tangents = (1.3, 0.8), (0.7, -0.4)
        show(f.__name__, *tapead.jvp(f, primals, tangents), *tapead.hvp(f, primals, tangents))
        show(f.__name__, *np.ravel(tapead.hessian(f, argnums=both)(*primals)))
        show(f.__name__, *np.ravel(tapead.jacfwd(tapead.grad(f, both), both)(*primals)))
    for f, n in itertools.product(ARRAY_PROGRAMS, (6, 8)):
        primals = rng.normal(size=n), rng.normal(size=(3, 4))
        tangents = rng.normal(size=n), rng.normal(size=(3, 4))
        show(f.__name__, *tapead.jvp(f, primals, tangents))
        show(f.__name__, *itertools.chain(*map(np.ravel, tapead.hvp(f, primals, tangents))))
        for columns in tapead.hessian(f, argnums=both)(*primals):
            show(f.__name__, *itertools.chain(*map(np.ravel, columns)))
        for mode in ("fwd", "rev"):
            gradient = tapead.grad(f, both)
            for blocks in tapead.jacobian(gradient, both, mode=mode)(*primals):
                show(f.__name__, mode, *itertools.chain(*map(np.ravel, blocks)))


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
    arrays()
    family()
    errors()
