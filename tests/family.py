"""What the tests of the whole family of derivatives share: programs, and trees of numbers."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

import tapead

X = np.array([0.7, 1.3, 2.1])
A = np.array([[1.1, 0.4, -0.3], [0.2, 1.7, 0.6], [-0.5, 0.8, 2.3]])
Z = np.array([0.7 - 0.2j, 1.3 + 0.5j, -2.1 + 1.0j])


class Point(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass
class Body:
    mass: object
    place: object


# ------------------------------------------------------------------------------- trees ---


def children(tree):
    """The parts of a tree, None for a leaf.  (Not by tapead.trees: that is under test.)"""
    if isinstance(tree, dict):
        return [tree[k] for k in sorted(tree)]
    if isinstance(tree, (list, tuple)):
        return list(tree)
    if dataclasses.is_dataclass(tree):
        return [getattr(tree, field.name) for field in dataclasses.fields(tree)]
    return None


def mapped(f, tree):
    """The tree with f of every leaf."""
    parts = children(tree)
    if parts is None:
        return f(tree)
    new = [mapped(f, part) for part in parts]
    if isinstance(tree, dict):
        return dict(zip(sorted(tree), new))
    if type(tree) in (list, tuple):
        return type(tree)(new)
    return type(tree)(*new)


def leaves(tree):
    found = []
    mapped(found.append, tree)
    return found


def copied(tree):
    return mapped(lambda x: x.copy() if isinstance(x, np.ndarray) else x, tree)


def shapes(tree):
    """The tree with shapes in the place of its numbers."""
    return mapped(np.shape, tree)


def forms(tree):
    """The tree with shapes and dtypes, as a tangent or an adjoint of it has them."""

    def form(x):
        dtype = np.asarray(x).dtype
        return np.shape(x), np.dtype(float) if dtype.kind in "biu" else dtype

    return mapped(form, tree)


def random_like(tree, seed):
    """A direction: random numbers of the shapes and dtypes of a tree's."""
    rng = np.random.default_rng(seed)

    def draw(x):
        shape, dtype = np.shape(x), np.asarray(x).dtype
        numbers = rng.uniform(-1.0, 1.0, shape)
        if dtype.kind == "c":
            numbers = numbers + 1j * rng.uniform(-1.0, 1.0, shape)
        if isinstance(x, np.ndarray):
            return np.asarray(numbers, float if dtype.kind in "biu" else dtype)
        return np.complex128(numbers) if dtype.kind == "c" else float(numbers)

    return mapped(draw, tree)


def along(x, y):
    """The sum of products of the numbers of two trees: its real part, nothing conjugated."""
    pairs = zip(leaves(x), leaves(y), strict=True)
    return float(sum(np.sum(np.multiply(a, b)).real for a, b in pairs))


def assert_close(found, expected, rtol=1e-11, atol=1e-12):
    """That two trees have the same structure, and numbers that are as good as the same."""
    assert shapes(found) == shapes(expected)
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol, atol)


def assert_same_bits(found, expected):
    assert shapes(found) == shapes(expected)
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


# ------------------------------------------------- programs on numbers and on elements ---


def product_of_list(x):
    """Speelpenning's product."""
    p = 1.0
    for factor in x:
        p *= factor
    return p


def product_of_elements(x):
    p = 1.0
    for i in range(len(x)):
        p *= x[i]
    return p


def quadratic_of_elements(x):
    """x' A x, in loops."""
    total = 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            total += x[i] * A[i, j] * x[j]
    return total


def filled(x):
    """An array that is filled element by element."""
    out = np.zeros(len(x) + 1)
    for i in range(len(x)):
        out[i] = math.sin(x[i] * x[i - 1]) / (1.0 + x[0] ** 2)
    out[-1] = out[0] * out[1]
    return out


def shuffled(x):
    """Elements that are only moved, by views, copies and writes."""
    a = x.copy()
    a[0], a[1] = a[1], a[0]
    a[1:] = a[:-1]
    b = np.concatenate([a[::-1], x])
    b[2] = b[0] * a[2]
    return b[1:], a, np.array([b[0], x[0] * x[1], 2.0])


def accumulated(x):
    """Sums that are collected in an array of the result's, with constants in some places."""
    out = np.ones((2, 2))
    for i in range(len(x)):
        out[i % 2, 1] += x[i] ** 2
        out[0, 0] = x[i] * out[1, 1]
    return out


def parts_of_elements(x):
    """A tree of numbers, of the argument itself, of views of it and of constants."""
    return {"first": x[0], "pair": (x[0] * x[1], 3.0), "all": x, "tail": x[1:], "whole": 2}


def branching(x):
    """Branches and an iteration whose length depends on the numbers."""
    y, steps = x[0], 0
    while y * y < 50.0 and steps < 20:
        y = y * x[1] if y < 5.0 else y + x[2] * y
        steps += 1
    return y


NATIVE = {
    "product": (product_of_elements, (X,)),
    "quadratic": (quadratic_of_elements, (X,)),
    "filled": (filled, (X,)),
    "shuffled": (shuffled, (X,)),
    "accumulated": (accumulated, (X,)),
    "parts": (parts_of_elements, (X,)),
    "branching": (branching, (X,)),
    "numbers": (lambda x, y: (x * math.exp(y), math.atan2(x, y)), (0.7, 1.3)),
    "list": (product_of_list, ([0.7, 1.3, 2.1],)),
    "matrix": (lambda a: a[0, 1] * a[1, 0] ** 2 + a[2, 2] / a[0, 0], (A,)),
    "mixed": (lambda n, x: [n * x[i] ** 2 for i in range(3)], (1.7, X)),
}

# --------------------------------------------------------------- programs on whole arrays ---


def in_place(x):
    """Writes into what the derivative still needs."""
    y = np.exp(x) * x
    z = y * y
    y[1:] *= y[:-1]
    np.sin(y, out=y)
    y[y > 0.5] = z[y > 0.5]
    return y, z[::-1]


def overwritten_argument(x):
    """The argument is written into, and given back."""
    x[0] = x[1] * x[2]
    x *= 2.0
    return x, x[:2], x[2]


def layers(w):
    h = np.tanh(w["a"] @ w["b"] + w["c"])
    return {"hidden": h, "size": np.sqrt(np.sum(h * h))}


ARRAYS = {
    "elementwise": (lambda x: np.sin(x) * np.exp(-x) / (1.0 + x * x), (X,)),
    "norm": (lambda x: np.linalg.norm(x), (X,)),
    "product": (np.prod, (X,)),
    "quadratic": (lambda x: x @ A @ x, (X,)),
    "inverse": (lambda a: np.linalg.inv(a), (A,)),
    "solution": (lambda a, b: np.linalg.solve(a, b), (A, X)),
    "logdet": (lambda a: np.linalg.slogdet(a)[1], (A,)),
    "eigenvalues": (lambda a: np.linalg.eigvalsh(a @ a.T), (A,)),
    "qr": (lambda a: tuple(np.linalg.qr(a)), (A,)),
    "in place": (in_place, (X,)),
    "argument": (overwritten_argument, (X,)),
    "choice": (lambda x: np.where(x > 1.0, np.log(x), x * x), (X,)),
    "fancy": (lambda x: x[[2, 0, 2]] * x[np.array([True, False, True])].sum(), (X,)),
    "running": (lambda x: np.cumsum(np.cumprod(x)), (X,)),
    "power spectrum": (lambda x: np.abs(np.fft.fft(x)) ** 2, (X,)),
    "mixed": (lambda n, x: (np.sin(n * x), n * x[0], math.sin(n)), (1.7, X)),
    "layers": (layers, ({"a": A, "b": X, "c": 0.3},)),
    "body": (lambda b: Body(b.mass * 2.0, b.place * b.mass), (Body(2.0, X),)),
    "point": (lambda p: Point(p.x * p.y, np.sum(p.x)), (Point(X, 2.0),)),
    "identity": (lambda x: x, (X,)),
    "views": (lambda a: (a.T, a[0], a.reshape(-1)[::2], np.broadcast_to(a[1], (2, 3))), (A,)),
    "constant": (lambda x: (np.arange(3), x * 0.0 + 1.0, 4.0), (X,)),
    "empty": (lambda x: x[:0] * 2.0, (X,)),
    "of empty": (lambda x: (x * 2.0, np.sum(x)), (np.zeros((0, 3)),)),
}

SINGLE = {
    "single": (lambda x: np.sin(x) * x[0], (X.astype(np.float32),)),
    "single and double": (lambda x, y: (x * y, x * 2.0, y), (X.astype(np.float32), X)),
}

COMPLEX = {
    "square": (lambda z: z * z, (Z,)),
    "not holomorphic": (lambda z: np.conj(z) * z[0] + np.abs(z), (Z,)),
    "parts": (lambda z: (z.real * z.imag, np.exp(1j * z.real)), (Z,)),
    "fft": (lambda z: np.fft.ifft(np.fft.fft(z) ** 2), (Z,)),
    "from real": (lambda x: np.exp(1j * x) * x, (X,)),
    "number": (lambda z: z * z * z, (np.complex128(0.3 + 0.7j),)),
}

REAL = {**{f"{k}, native": v for k, v in NATIVE.items()}, **ARRAYS}
PROGRAMS = {**REAL, **SINGLE, **{f"complex: {k}": v for k, v in COMPLEX.items()}}


def tolerance(args):
    """A relative error that the dtypes of arguments allow."""
    single = any(np.asarray(x).dtype == np.float32 for x in leaves(args))
    return 1e-5 if single else 1e-11


# ------------------------------------------------------------------------- transforms ---

# The derivative of a function of one number, by each of the transforms.
D = {
    "grad": tapead.grad,
    "jvp": lambda f: lambda x: tapead.jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: tapead.vjp(f, x)[1](1.0)[0],
    "linearize": lambda f: lambda x: tapead.linearize(f, x)[1](1.0),
    "jacfwd": tapead.jacfwd,
    "jacrev": tapead.jacrev,
    "value_and_grad": lambda f: lambda x: tapead.value_and_grad(f)(x)[1],
}
# And the second derivative.
DD = {
    "hvp": lambda f: lambda x: tapead.hvp(f, (x,), (1.0,)),
    "hessian": tapead.hessian,
}

# ------------------------------------------------------------------ derivatives as matrices ---


def matrix_of(jacobian, value, inputs):
    """A Jacobian as one matrix: a row for each number of the result, a column for each input.

    Its structure is checked on the way: the result's, and in each leaf of it the inputs'.
    """
    rows = _rows(jacobian, value, inputs)
    return np.concatenate(rows) if rows else np.zeros((0, count(inputs)))


def _rows(jacobian, value, inputs):
    parts = children(value)
    if parts is not None:
        assert type(jacobian) is type(value)
        return [
            r for j, v in zip(children(jacobian), parts, strict=True) for r in _rows(j, v, inputs)
        ]
    s = np.shape(value)
    assert shapes(jacobian) == mapped(lambda x: s + np.shape(x), inputs)
    numbers = zip(leaves(jacobian), leaves(inputs), strict=True)
    flat = [np.reshape(block, (np.size(value), np.size(x))) for block, x in numbers]
    return [np.concatenate(flat, axis=1)]


def hessians_of(hessian, value, inputs):
    """A Hessian as an array: a matrix for each number of the result."""
    parts = children(value)
    if parts is not None:
        pairs = zip(children(hessian), parts, strict=True)
        return np.concatenate([np.zeros((0, count(inputs), count(inputs)))] + [
            hessians_of(h, v, inputs) for h, v in pairs
        ])  # fmt: skip
    s, n = np.shape(value), count(inputs)
    expected = mapped(lambda x: mapped(lambda y: s + np.shape(x) + np.shape(y), inputs), inputs)
    assert shapes(hessian) == expected
    whole = np.zeros((np.size(value), n, n))
    blocks, at = iter(leaves(hessian)), 0
    for x in leaves(inputs):
        below, to = at + np.size(x), 0
        for y in leaves(inputs):
            right = to + np.size(y)
            block = np.reshape(next(blocks), (np.size(value), np.size(x), np.size(y)))
            whole[:, at:below, to:right] = block
            to = right
        at = below
    return whole


def count(tree):
    return sum(np.size(x) for x in leaves(tree))


def matrix_by_jvp(f, args):
    """The Jacobian as a matrix, a jvp for each column."""
    columns = [in_one(tapead.jvp(f, copied(args), unit)[1]) for unit in units(args)]
    return np.array(columns).reshape(count(args), count(f(*copied(args)))).T


def matrix_by_vjp(f, args):
    """The Jacobian as a matrix, a call of one pullback for each row."""
    value, pullback = tapead.vjp(f, *copied(args))
    rows = [in_one(pullback(unit)) for unit in units(value)]
    return np.array(rows).reshape(count(value), count(args))


def in_one(tree):
    return np.concatenate([np.zeros(0), *[np.ravel(x) for x in leaves(tree)]])


def units(tree):
    """All directions of a tree of real numbers."""
    return [from_one(row, tree) for row in np.eye(count(tree))]


def from_one(numbers, tree):
    """Numbers in one dimension as a tree of floats, like the one given."""
    at = 0

    def part(x):
        nonlocal at
        piece, at = numbers[at : at + np.size(x)], at + np.size(x)
        return piece.reshape(np.shape(x)) if isinstance(x, np.ndarray) else float(piece[0])

    return mapped(part, tree)
