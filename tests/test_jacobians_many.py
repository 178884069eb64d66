"""Array programs along many directions at once: Jacobians and Hessians against single products."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

import tapead


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
jvp, hvp, grad = tapead.jvp, tapead.hvp, tapead.grad
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian
X = np.linspace(0.3, 1.9, 6)

# ---------------------------------------------------------------------------------- writes ---


def in_place(x):
    x *= x[::-1]
    x[1:3] = x[0]
    return np.sin(x)


def numbers_into_arrays(x):
    a = np.ones(3)
    a[0] = x[0]
    a += x[1]
    a -= x[:3]
    a[1:] += x[2] * x[3]
    return a * x[:3]


def added_at(x):
    a = np.zeros(3)
    np.add.at(a, [0, 0, 2], x[:3])
    np.subtract.at(a, [1, 1], x[3])
    return a * a


def rows_and_columns(x):
    a = x.reshape(2, 3) * 1.0
    a[0] = x[3:]
    a[:, 1] = x[0]
    a[1, ::2] *= a[0, 1:]
    return a * a


def through_views(x):
    a = x * 1.0
    b = a.reshape(2, 3)
    b[1] *= x[0]
    b.T[0] = x[1]
    a[::-1][0] = 2.0
    return a


def by_index_arrays(x):
    a = x * x
    a[[0, 2]] = x[[1, 1]]
    a[x > 1.0] *= 2.0
    return a[[5, 0, 0]] * a[x > 1.5][:1]


def by_functions(x):
    a, b = np.zeros(6), np.zeros(6)
    a.fill(x[0])
    np.copyto(b, x, where=x > 1.0)
    np.multiply(a, b, out=b)
    return a * b


def sorted_in_place(x):
    a = np.cos(3.0 * x)
    a.sort()
    return a * x


# ------------------------------------------------------------------------------ the others ---

PROGRAMS = {
    "ufunc": np.sin,
    "power": lambda x: x**x + 2.0**x,
    "number": lambda x: np.sum(x * x),
    "broadcast": lambda x: x[:, None] * x[None, :] + x,
    "stretched": lambda x: np.sin(x[:, None] + np.ones(3)),
    "outer": lambda x: np.multiply.outer(x, x),
    "matrices": lambda x: x.reshape(2, 3) @ x.reshape(3, 2),
    "choice": lambda x: np.where(x > 1.0, x**2, np.log(x)),
    "numbers and arrays": lambda x: math.exp(x[0]) * np.sum(x) * x,
    "elements in a loop": lambda x: [x[i] * np.sin(x[i - 1]) for i in range(len(x))],
    "array of numbers": lambda x: np.array([np.sum(x), x[0] * x[1], 3.0]),
    "joined": lambda x: np.concatenate([x, x[:2] * x[1]]),
    "stacked": lambda x: np.stack([x, x * x]),
    "split": lambda x: tuple(np.split(x * x, 3)),
    "qr": lambda x: tuple(np.linalg.qr(x.reshape(3, 2) + np.eye(3, 2))),
    "solve": lambda x: np.linalg.solve(np.outer(x[:3], x[:3]) + np.eye(3), x[3:]),
    "spectrum": lambda x: np.abs(np.fft.fft(x)) ** 2,
    "sorted": lambda x: np.sort(-x) * x,
    "maximum": lambda x: np.max(x) * x,
    "running": np.cumprod,
    "normed": lambda x: x / np.linalg.norm(x),
    "einsum": lambda x: np.einsum("i,j,k->ijk", x[:2], x[2:4], x[4:]),
    "clipped": lambda x: np.clip(x, 0.5, 1.5) * x,
    "reduced": lambda x: np.multiply.reduce(x.reshape(2, 3), axis=1),
    "empty": lambda x: x[:0] * 2.0,
    "constant": lambda x: (np.arange(3), 2.0, x[0]),
    "no dimensions": lambda x: np.array(x[0] * 2.0),
    "argument": lambda x: (x, x[::-1], x.reshape(2, 3).T),
    "views": lambda x: -x[::-1][1:],
    "spread": lambda x: np.broadcast_to(x[0], (2, 2)) * 1.0,
    "in place": in_place,
    "numbers into arrays": numbers_into_arrays,
    "added at": added_at,
    "rows and columns": rows_and_columns,
    "through views": through_views,
    "by index arrays": by_index_arrays,
    "by functions": by_functions,
    "sorted in place": sorted_in_place,
}
WRITE_REAL = {"numbers into arrays", "added at", "by functions"}  # into arrays of floats
REAL = {"choice", "spectrum", "sorted", "maximum", "clipped", "normed", "power", "qr", "solve",
        "by index arrays", "sorted in place", "numbers and arrays", "constant"}  # fmt: skip
ANALYTIC = {k: f for k, f in PROGRAMS.items() if k not in WRITE_REAL | REAL}

each_program = pytest.mark.parametrize("f", PROGRAMS.values(), ids=PROGRAMS)
KINDS = {"double": X, "single": X.astype(np.float32)}


def by_columns(f, x):
    """The Jacobian as a matrix, a jvp for each column."""
    units = np.eye(x.size, dtype=x.dtype)
    columns = [family.in_one(jvp(f, (x.copy(),), (unit,))[1]) for unit in units]
    return np.array(columns).reshape(x.size, -1).T


def flat(tree, n):
    return np.concatenate([np.reshape(x, (np.size(x) // n, n)) for x in family.leaves(tree)])


def squared(f):
    return lambda x: sum(np.sum(y * y) for y in family.leaves(f(x * 1.0))) * 1.0


@pytest.mark.parametrize("x", KINDS.values(), ids=KINDS)
@each_program
def test_jacobians(f, x):
    rtol = 1e-5 if x.dtype == np.float32 else 1e-12
    expected = by_columns(f, x)
    scale = np.abs(expected).max(initial=1.0)
    for jacobian in (jacfwd(f)(x), jacrev(f)(x)):
        np.testing.assert_allclose(flat(jacobian, 6), expected, rtol, rtol * scale)


@each_program
def test_hessians(f):
    g = squared(f)
    columns = np.array([hvp(g, (X,), (unit,)) for unit in np.eye(6)]).T
    scale = np.abs(columns).max(initial=1.0)
    ways = [hessian(g), jacfwd(jacrev(g)), jacfwd(grad(g)), jacfwd(jacfwd(g)), jacrev(jacfwd(g))]
    for way in ways:
        np.testing.assert_allclose(way(X), columns, 0.0, 1e-10 * scale)


@pytest.mark.parametrize("f", ANALYTIC.values(), ids=ANALYTIC)
def test_holomorphic_jacobians_and_hessians(f):
    z, options = X + 0.3j * X[::-1], {"holomorphic": True}
    g = lambda z: [y * (1.0 + 0.5j) for y in family.leaves(f(z))]  # noqa: E731, all complex
    expected = by_columns(g, z)
    for of in (jacfwd, jacrev):
        np.testing.assert_allclose(flat(of(g, **options)(z), 6), expected, 1e-11, 1e-11)
    h = squared(g)
    twice = jacrev(jacrev(h, **options), **options)(z)
    scale = np.abs(twice).max(initial=1.0)
    np.testing.assert_allclose(hessian(h, **options)(z), twice, 0.0, 1e-10 * scale)
    again = jacfwd(jacfwd(h, **options), **options)(z)
    np.testing.assert_allclose(again, twice, 0.0, 1e-10 * scale)


def test_many_directions_of_a_tree_with_numbers():
    def f(w, t):
        return {"a": np.sin(w["b"] * t)[:2] + w["c"], "n": w["c"] * t + np.sum(w["b"])}

    w, t = {"b": X, "c": 0.5}, 1.5
    forward, backward = (of(f, argnums=(0, 1))(w, t) for of in (jacfwd, jacrev))
    family.assert_close(forward, backward)
    family.assert_close(forward["a"][0]["b"], np.eye(2, 6) * 1.5 * np.cos(1.5 * X[:2])[:, None])
    family.assert_close(forward["n"], ({"b": np.ones(6), "c": 1.5}, 0.5))
