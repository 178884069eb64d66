"""jvp, vjp, linearize and hvp: against closed forms, against each other, and what they leave."""

import importlib.util
import math
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapead
from tapead.tape import current


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
X, A = checks.X, checks.A
along, assert_close, leaves = family.along, family.assert_close, family.leaves
random_like = family.random_like
jvp, vjp, linearize, hvp, grad = (
    tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp, tapead.grad,
)  # fmt: skip
V = np.array([0.5, -1.5, 0.25])
SYMMETRIC = A @ A.T

each_program = pytest.mark.parametrize(("f", "args"), family.PROGRAMS.values(), ids=family.PROGRAMS)
each_real_program = pytest.mark.parametrize(("f", "args"), family.REAL.values(), ids=family.REAL)


# ---------------------------------------------------------------------------- closed forms ---


def quotients(x):
    """The gradient of the product of all x."""
    return np.prod(x) / x


def product_hessian(x):
    whole = np.prod(x) / np.outer(x, x)
    np.fill_diagonal(whole, 0.0)
    return whole


def polynomial(x, coefficients=(2.0, -1.0, 0.0, 3.0, 0.5)):
    total = 0.0
    for c in coefficients:
        total = total * x + c
    return total


QUADRATICS = {
    "loops": family.quadratic_of_elements,
    "arrays": lambda x: x @ A @ x,
    "einsum": lambda x: np.einsum("i,ij,j", x, A, x),
    "list": lambda x: sum(x[i] * A[i, j] * x[j] for i in range(3) for j in range(3)),
}
PRODUCTS = {
    "list": family.product_of_list,
    "elements": family.product_of_elements,
    "array": np.prod,
    "reduce": np.multiply.reduce,
}
each_quadratic = pytest.mark.parametrize("f", QUADRATICS.values(), ids=QUADRATICS)
each_product = pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)


@each_product
def test_speelpennings_product(f):
    value, tangent = jvp(f, (X,), (V,))
    assert value == pytest.approx(np.prod(X), rel=1e-15)
    assert tangent == pytest.approx(quotients(X) @ V, rel=1e-14)
    assert_close(vjp(f, X)[1](2.0), (2.0 * quotients(X),))
    assert linearize(f, X)[1](V) == pytest.approx(quotients(X) @ V, rel=1e-14)
    assert_close(hvp(f, (X,), (V,)), product_hessian(X) @ V)


@each_product
def test_speelpennings_product_of_a_list(f):
    x, v = X.tolist(), V.tolist()
    assert jvp(f, (x,), (v,))[1] == pytest.approx(quotients(X) @ V, rel=1e-14)
    assert_close(vjp(f, x)[1](1.0)[0], quotients(X).tolist())
    assert_close(hvp(f, (x,), (v,)), (product_hessian(X) @ V).tolist())


@each_quadratic
def test_quadratic_form(f):
    assert jvp(f, (X,), (V,))[1] == pytest.approx(V @ (A + A.T) @ X, rel=1e-14)
    assert_close(vjp(f, X)[1](1.0)[0], (A + A.T) @ X)
    assert_close(hvp(f, (X,), (V,)), (A + A.T) @ V)


@pytest.mark.parametrize("x", [0.0, 1.0, -2.5, 3])
def test_polynomial(x):
    p = np.poly1d([2.0, -1.0, 0.0, 3.0, 0.5])
    assert jvp(polynomial, (x,), (2.0,)) == pytest.approx((p(x), 2.0 * p.deriv()(x)))
    assert vjp(polynomial, x)[1](2.0)[0] == pytest.approx(2.0 * p.deriv()(x))
    assert linearize(polynomial, x)[1](-1.0) == pytest.approx(-p.deriv()(x))
    assert hvp(polynomial, (x,), (0.5,)) == pytest.approx(0.5 * p.deriv(2)(x))


INVERSE, DIRECTION = np.linalg.inv(A), family.random_like(A, 1)
IDENTITIES = {
    "det": (np.linalg.det, np.linalg.det(A) * np.trace(INVERSE @ DIRECTION)),
    "logdet": (lambda a: np.linalg.slogdet(a)[1], np.trace(INVERSE @ DIRECTION)),
    "inv": (np.linalg.inv, -INVERSE @ DIRECTION @ INVERSE),
    "solve": (lambda a: np.linalg.solve(a, X), -INVERSE @ DIRECTION @ INVERSE @ X),
    "trace of inv": (
        lambda a: np.trace(np.linalg.inv(a)),
        -np.trace(INVERSE @ DIRECTION @ INVERSE),
    ),
    "square": (lambda a: a @ a, DIRECTION @ A + A @ DIRECTION),
    "power": (
        lambda a: np.linalg.matrix_power(a, 3),
        DIRECTION @ A @ A + A @ DIRECTION @ A + A @ A @ DIRECTION,
    ),
    "transpose": (np.transpose, DIRECTION.T),
    "frobenius": (lambda a: np.sum(a * a), 2.0 * np.sum(A * DIRECTION)),
}


@pytest.mark.parametrize(("f", "expected"), IDENTITIES.values(), ids=IDENTITIES)
def test_matrix_identities(f, expected):
    assert_close(jvp(f, (A,), (DIRECTION,)), (f(A), expected), rtol=1e-10)
    assert_close(linearize(f, A)[1](DIRECTION), expected, rtol=1e-10)
    w = random_like(f(A), 2)
    assert along(vjp(f, A)[1](w), (DIRECTION,)) == pytest.approx(along(w, expected), rel=1e-10)


SECOND = {
    # d/dt of inv(A + tV).T, of det(A + tV) inv(A + tV).T, and so on
    "logdet": (lambda a: np.linalg.slogdet(a)[1], -(INVERSE @ DIRECTION @ INVERSE).T),
    "det": (
        np.linalg.det,
        np.linalg.det(A)
        * (np.trace(INVERSE @ DIRECTION) * INVERSE - INVERSE @ DIRECTION @ INVERSE).T,
    ),
    "frobenius": (lambda a: np.sum(a * a), 2.0 * DIRECTION),
    "cubic": (
        lambda a: np.trace(a @ a @ a),
        3.0 * (DIRECTION @ A + A @ DIRECTION).T,
    ),
}


@pytest.mark.parametrize(("f", "expected"), SECOND.values(), ids=SECOND)
def test_hvp_of_matrix_functions(f, expected):
    assert_close(hvp(f, (A,), (DIRECTION,)), expected, rtol=1e-9)


# --------------------------------------------------------------------- against each other ---


@each_program
def test_values_are_those_of_the_plain_program_and_arguments_stay(f, args):
    plain = f(*family.copied(args))
    given, v = family.copied(args), random_like(args, 1)
    for value in (jvp(f, given, v)[0], vjp(f, *given)[0], linearize(f, *given)[0]):
        if isinstance(plain, complex):  # NumPy's scalar arithmetic is not that of its ufuncs
            assert_close(value, plain, 1e-15)
        else:
            family.assert_same_bits(value, plain)
    family.assert_same_bits(given, args)
    assert all(map(np.array_equal, leaves(v), leaves(random_like(args, 1))))


@each_program
def test_tangents_and_adjoints_are_transposed(f, args):
    v = random_like(args, 1)
    value, tangent = jvp(f, family.copied(args), v)
    w = random_like(value, 2)
    adjoint = vjp(f, *family.copied(args))[1](w)
    assert family.forms(tangent) == family.forms(value)
    assert family.forms(adjoint) == family.forms(args)
    rtol = family.tolerance(args)
    scale = along(family.mapped(np.abs, w), family.mapped(np.abs, tangent))
    assert along(w, tangent) == pytest.approx(along(adjoint, v), rel=rtol, abs=rtol * scale)


@each_program
def test_tangents_agree_with_differences(f, args):
    v, h = random_like(args, 1), 1e-3 if family.tolerance(args) > 1e-6 else 1e-6
    moved = [
        f(
            *map_two(
                lambda x, d, k=k: np.asarray(x + k * h * d).astype(np.asarray(d).dtype)[()], args, v
            )
        )
        for k in (1, -1)
    ]
    expected = map_two(lambda a, b: (a - b) / (2 * h), *moved)
    rtol = 2e-2 if h == 1e-3 else 1e-6
    assert_close(jvp(f, family.copied(args), v)[1], expected, rtol, rtol)


def map_two(f, x, y):
    """f of the leaves of two trees, in the first one."""
    others = iter(leaves(y))
    return family.mapped(lambda a: f(a, next(others)), x)


@each_program
def test_linearize_is_jvp_kept(f, args):
    _, derivative = linearize(f, *family.copied(args))
    for seed in (1, 2, 1):
        v = random_like(args, seed)
        assert_close(derivative(*v), jvp(f, family.copied(args), v)[1], family.tolerance(args))


@each_program
def test_pullback_can_be_called_again(f, args):
    value, pullback = vjp(f, *family.copied(args))
    first, other, again = (pullback(random_like(value, seed)) for seed in (1, 2, 1))
    family.assert_same_bits(again, first)
    both = map_two(np.add, random_like(value, 1), random_like(value, 2))
    expected = map_two(np.add, first, other)
    assert_close(pullback(both), expected, 10 * family.tolerance(args), 10 * family.tolerance(args))


def squared(f):
    """A real number of all numbers of f's result."""
    return lambda *args: sum(np.sum(x * x) for x in leaves(f(*args))) * 1.0


@each_real_program
def test_hvp_is_the_derivative_of_the_gradient(f, args):
    g, v, positions = squared(f), random_like(args, 3), tuple(range(len(args)))
    found = hvp(g, family.copied(args), v)
    found = (found,) if len(args) == 1 else found
    assert family.forms(found) == family.forms(args)
    _, expected = jvp(grad(g, argnums=positions), family.copied(args), v)
    assert_close(found, expected, 1e-9, 1e-9)
    of_slope = grad(lambda *xs: along_tracked(grad(g, argnums=positions)(*xs), v), positions)
    assert_close(found, of_slope(*family.copied(args)), 1e-9, 1e-9)


def along_tracked(x, y):
    return sum(np.sum(a * b) for a, b in zip(leaves(x), leaves(y)))


@each_real_program
def test_hvp_is_symmetric(f, args):
    g, v, w = squared(f), random_like(args, 3), random_like(args, 4)
    of_v, of_w = hvp(g, family.copied(args), v), hvp(g, family.copied(args), w)
    assert along(of_v, w) == pytest.approx(along(of_w, v), rel=1e-9, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(float, (3, 3), elements=st.floats(-2, 2)),
    hnp.arrays(float, 3, elements=st.floats(-2, 2)),
    hnp.arrays(float, 3, elements=st.floats(-2, 2)),
)
def test_random_quadratics(a, x, v):
    for f in (lambda x: x @ a @ x, lambda x: sum(x[i] * (a[i] @ x) for i in range(3))):
        np.testing.assert_allclose(jvp(f, (x,), (v,))[1], v @ (a + a.T) @ x, 1e-9, 1e-9)
        np.testing.assert_allclose(vjp(f, x)[1](1.0)[0], (a + a.T) @ x, 1e-9, 1e-9)
        np.testing.assert_allclose(hvp(f, (x,), (v,)), (a + a.T) @ v, 1e-9, 1e-9)


# ------------------------------------------------------------------- what a call leaves ---


def test_forward_mode_keeps_no_rows_records_or_storages():
    seen = []

    def loop(x, y):
        for k in range(300):
            x = x * 1.001 + math.sin(k * x)
            y = np.sin(y) + x
            y[0] = y[1] * x
        seen.append([len(current.tape), len(current.tape.records), len(current.tape.storages)])
        return x, y

    jvp(loop, (1.0, X), (1.0, V))
    assert seen == [[0, 0, 0]]


ONCE = {
    "jvp": lambda f: jvp(f, (X,), (V,)),
    "vjp": lambda f: [pullback(1.0) for pullback in [vjp(f, X)[1]] * 2],
    "linearize": lambda f: [derivative(V) for derivative in [linearize(f, X)[1]] * 2],
    "hvp": lambda f: hvp(f, (X,), (V,)),
    "jacfwd": lambda f: tapead.jacfwd(f)(X),
    "jacrev": lambda f: tapead.jacrev(f)(X),
    "hessian": lambda f: tapead.hessian(f)(X),
    "jacfwd of jacrev": lambda f: tapead.jacfwd(tapead.jacrev(f))(X),
    "jvp of grad": lambda f: jvp(grad(f), (X,), (V,)),
    "jvp of jvp": lambda f: jvp(lambda x: jvp(f, (x,), (V,))[1], (X,), (V,)),
}


@pytest.mark.parametrize("transform", ONCE.values(), ids=ONCE)
@pytest.mark.parametrize("f", [np.sum, lambda x: np.sum(x * x), family.product_of_elements])
def test_the_function_runs_once(transform, f):
    runs = []

    def counted(x):
        runs.append(1)
        return f(x)

    transform(counted)
    assert runs == [1]


def test_derivatives_that_were_not_foreseen_are_found_in_a_second_run_once():
    runs, hidden = [], {"D": grad}

    def f(x):
        runs.append(1)
        return hidden["D"](lambda y: y**3)(x) * x

    for count in (2, 3):
        assert jvp(f, (2.0,), (1.0,)) == (24.0, 36.0)
        assert len(runs) == count


def test_the_second_run_begins_with_the_arrays_as_they_were():
    hidden, buffer = {"D": grad}, np.zeros(3)

    def f(x):
        before = buffer.sum()
        buffer[:] = x
        return before + hidden["D"](lambda y: y**3)(x[0])

    assert jvp(f, (X,), (V,)) == pytest.approx((3 * 0.49, 6 * 0.7 * 0.5))
    assert buffer.tolist() == X.tolist()


def test_tapes_are_given_up_with_their_pullbacks():
    def long(x):
        for _ in range(70_000):
            x = x * 1.00001
        return x

    kept = [vjp(long, 1.0)[1] for _ in range(2)]
    assert [pullback(1.0)[0] for pullback in kept] == [pytest.approx(math.exp(0.7), rel=1e-3)] * 2
    del kept
    for _ in range(3):
        vjp(long, 1.0)[1](1.0)
        linearize(long, 1.0)[1](1.0)
        hvp(long, (1.0,), (1.0,))
        jvp(long, (1.0,), (1.0,))
    assert len(current.spare) <= 2
    assert all(len(tape) == 0 for tape in current.spare)


def test_tapes_of_several_chunks_of_rows_and_of_constants():
    n = 40_000

    def f(v):
        total = v[0]
        for k in range(n):
            total = total + (v[0] + k) * v[1]  # a constant and three rows, of 65,536 a chunk
        return total * v[2]

    v, t = [2.0, 3.0, 0.5], [1.0, -2.0, 4.0]
    s = n * 2.0 + n * (n - 1) / 2.0
    gradient = [0.5 * (1.0 + n * 3.0), 0.5 * s, 2.0 + 3.0 * s]
    matrix = np.array([
        [0.0, 0.5 * n, 1.0 + n * 3.0], [0.5 * n, 0.0, s], [1.0 + n * 3.0, s, 0.0],
    ])  # fmt: skip
    assert_close(vjp(f, v)[1](1.0)[0], gradient)
    assert jvp(f, (v,), (t,))[1] == pytest.approx(np.dot(gradient, t))
    assert linearize(f, v)[1](t) == pytest.approx(np.dot(gradient, t))
    assert_close(hvp(f, (v,), (t,)), (matrix @ t).tolist())
    assert_close(np.array(tapead.hessian(f)(v)), matrix)
    for of in (tapead.jacfwd, tapead.jacrev):
        assert_close(of(lambda v: [f(v), v[0] * v[1]])(v), [gradient, [3.0, 2.0, 0.0]])
