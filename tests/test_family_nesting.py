"""Derivatives of derivatives, of any kind in any other, to the fourth order."""

import importlib.util
import itertools
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
X, A = checks.X, checks.A
assert_close = family.assert_close
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian
V = np.array([0.5, -1.5, 0.25])

D, DD = family.D, family.DD
PAIRS = list(itertools.product(D, D))
each = pytest.mark.parametrize("d", D.values(), ids=D)
each_pair = pytest.mark.parametrize(
    ("outer", "inner"), [(D[a], D[b]) for a, b in PAIRS], ids=list(map(" of ".join, PAIRS))
)


# ----------------------------------------------------------------------- to the fourth order ---

x0 = 0.7
S, C = math.sin(x0), math.cos(x0)


def scalar_program(x):
    return math.exp(math.sin(x))


def array_program(x):
    return np.prod(np.exp(np.array([0.5, 0.5]) * np.sin(x)))


def element_program(x):
    a = np.zeros(3)
    a[0] = math.sin(x)
    a[1] = a[0]
    a[:2] = a[1::-1]
    a[2] = math.exp(a[0] / 2.0 + a[1] / 2.0)
    a[0] = 9.0
    return a[2]


def in_place_program(x):
    a = np.sin(np.array([x, x])) / 2.0
    b = a.copy()
    a += b[::-1]
    b[:] = 7.0
    np.exp(a, out=a)
    a[0] *= a[0]
    return a[0] / a[1]


# The derivatives of exp(sin(x)) at x0.
EXACT = [
    math.exp(S) * C,
    math.exp(S) * (C * C - S),
    math.exp(S) * (C**3 - 3 * S * C - C),
    math.exp(S) * (C**4 - 6 * C * C * S - 4 * C * C + 3 * S * S + S),
]
PROGRAMS = [scalar_program, array_program, element_program, in_place_program]
each_program = pytest.mark.parametrize("f", PROGRAMS)


@each_program
@each_pair
def test_second_derivatives(f, outer, inner):
    assert outer(inner(f))(x0) == pytest.approx(EXACT[1], rel=1e-12)


@each_program
@pytest.mark.parametrize("second", DD.values(), ids=DD)
def test_second_derivatives_in_one(f, second):
    assert second(f)(x0) == pytest.approx(EXACT[1], rel=1e-12)


@each_program
@pytest.mark.parametrize("second", DD.values(), ids=DD)
@each
def test_third_derivatives(f, d, second):
    assert d(second(f))(x0) == pytest.approx(EXACT[2], rel=1e-11)
    assert second(d(f))(x0) == pytest.approx(EXACT[2], rel=1e-11)


@each_program
@pytest.mark.parametrize(
    "names", list(itertools.product(["grad", "jvp", "vjp", "linearize"], repeat=3)), ids=" ".join
)
def test_third_derivatives_of_three_kinds(f, names):
    a, b, c = (D[name] for name in names)
    assert a(b(c(f)))(x0) == pytest.approx(EXACT[2], rel=1e-11)


@each_program
@pytest.mark.parametrize("names", list(itertools.product(DD, DD)), ids=" ".join)
def test_fourth_derivatives_of_second_ones(f, names):
    outer, inner = (DD[name] for name in names)
    assert outer(inner(f))(x0) == pytest.approx(EXACT[3], rel=1e-10)


@each_program
@pytest.mark.parametrize("names", list(itertools.product(["grad", "jvp"], repeat=4)), ids=" ".join)
def test_fourth_derivatives(f, names):
    derived = f
    for name in reversed(names):
        derived = D[name](derived)
    assert derived(x0) == pytest.approx(EXACT[3], rel=1e-10)


@each
def test_fifth_derivatives_of_a_polynomial(d):
    f = lambda x: x**5  # noqa: E731
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
        f = d(f)
        assert f(2.0) == pytest.approx(expected, rel=1e-14)


def test_third_derivatives_of_a_product_of_many_numbers():
    n = len(X)
    expected = np.zeros((n, n, n))
    for i, j, k in itertools.permutations(range(n)):
        expected[i, j, k] = 1.0
    for f in (np.prod, family.product_of_elements):
        thirds = [jacfwd(hessian(f)), jacrev(hessian(f)), hessian(grad(f)), hessian(jacfwd(f))]
        thirds += [jacfwd(jacfwd(jacfwd(f))), jacrev(jacfwd(jacrev(f)))]
        for third in thirds:
            assert_close(third(X), expected, 1e-12, 1e-12)


def test_fourth_derivatives_of_a_product_of_many_numbers():
    x = np.array([0.7, 1.3, 2.1, -0.6])
    found = hessian(hessian(family.product_of_elements))(x)
    expected = np.zeros((4, 4, 4, 4))
    for index in itertools.permutations(range(4)):
        expected[index] = 1.0
    assert_close(found, expected, 1e-12, 1e-12)


def test_third_derivatives_of_matrix_functions():
    # Of log det along V, three times: 2 tr((inv(A) V)^3)
    v = family.random_like(A, 1)
    step = np.linalg.inv(A) @ v
    expected = 2.0 * np.trace(step @ step @ step)
    along = lambda f: lambda a: jvp(f, (a,), (v,))[1]  # noqa: E731
    log_det = lambda a: np.linalg.slogdet(a)[1]  # noqa: E731
    assert along(along(along(log_det)))(A) == pytest.approx(expected, rel=1e-9)
    assert np.sum(hvp(along(log_det), (A,), (v,)) * v) == pytest.approx(expected, rel=1e-9)
    third = along(lambda a: np.sum(hvp(log_det, (a,), (v,)) * v))(A)
    assert third == pytest.approx(expected, rel=1e-9)
    by_grad = grad(lambda a: np.sum(hvp(log_det, (a,), (v,)) * v))(A)
    assert np.sum(by_grad * v) == pytest.approx(expected, rel=1e-9)


# ------------------------------------------------------------------- perturbation confusion ---


@each_pair
def test_the_inner_derivative_does_not_see_the_outer_variable(outer, inner):
    # Siskind and Pearlmutter, Perturbation confusion and referential transparency, 2005
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(x))(3.0) == 6.0
    assert outer(lambda x: x + inner(lambda y: x)(1.0))(2.0) == 1.0
    assert outer(lambda x: inner(lambda y: y)(x * x))(2.0) == 0.0
    assert outer(lambda x: inner(lambda y: x**2 * y**3)(2.0 * x))(1.5) == pytest.approx(162.0)


@each_pair
def test_the_derivative_of_a_curried_function(outer, inner):
    # Manzyuk and others, Perturbation confusion in forward automatic differentiation of
    # higher-order functions, 2019
    def shift(offset):
        return lambda f: lambda x: f(x + offset)

    def derived(offset):
        return inner(shift(offset)(inner(shift(offset)(lambda q: q**4))))(offset)

    assert outer(derived)(1.0) == pytest.approx(216.0, rel=1e-12)
    at_one = lambda offset: inner(shift(offset)(math.exp))(1.0)  # noqa: E731
    assert outer(at_one)(0.0) == pytest.approx(math.e, rel=1e-14)


@each_pair
def test_arrays_of_the_outer_function_are_constants_to_the_inner_one(outer, inner):
    def f(t):
        x = X * t
        return np.sum(x * inner(lambda s: np.sum(x * s * s))(t))  # 2 t sum(x) sum(x)

    assert outer(f)(1.5) == pytest.approx(6.0 * 1.5**2 * X.sum() ** 2, rel=1e-12)


@each_pair
def test_an_array_that_both_functions_write_into(outer, inner):
    def f(t):
        a = np.zeros(3)
        a[0] = t * t

        def g(s):
            a[1] = s * a[0]
            a[2] = a[1] * t
            return a[2] + 0.0

        slope = inner(g)(t)  # t^3
        return slope * a[0]

    assert outer(f)(1.5) == pytest.approx(5.0 * 1.5**4, rel=1e-12)


@each_pair
def test_three_levels_with_all_variables_alive(outer, inner):
    def f(x):
        return inner(lambda y: x * y * inner(lambda z: x * y * z * z)(y))(x)  # 6 x^4

    assert outer(f)(1.5) == pytest.approx(24.0 * 1.5**3, rel=1e-13)


@pytest.mark.parametrize("second", DD.values(), ids=DD)
@each
def test_second_derivatives_inside(d, second):
    f = lambda x: second(lambda y: x * y**3)(x) * x  # noqa: E731, 6 x^3
    assert d(f)(1.5) == pytest.approx(18.0 * 1.5**2, rel=1e-13)
    assert second(lambda x: d(lambda y: x * y**3)(x))(1.5) == pytest.approx(18.0 * 1.5, rel=1e-13)
    assert second(f)(1.5) == pytest.approx(36.0 * 1.5, rel=1e-12)


# -------------------------------------------------------------- programs with derivatives ---


def test_the_hessian_of_a_function_that_takes_gradient_steps():
    def trained(rate):
        w = np.array([0.5, -0.5])
        for _ in range(3):
            w = w - rate * grad(lambda w: np.sum((w - X[:2]) ** 2))(w)
        return np.sum(w)

    # w_n = x + (1 - 2 r)^n (w_0 - x)
    distance = np.sum(np.array([0.5, -0.5]) - X[:2])
    assert hessian(trained)(0.1) == pytest.approx(24.0 * 0.8 * distance, rel=1e-12)
    assert hvp(trained, (0.1,), (2.0,)) == pytest.approx(48.0 * 0.8 * distance, rel=1e-12)
    assert D["jvp"](trained)(0.1) == pytest.approx(-6.0 * 0.8**2 * distance, rel=1e-12)


@each
def test_newtons_iteration_on_a_jacobian(d):
    def root(c):
        x = np.array([1.0, 1.0])
        for _ in range(8):
            f = lambda x: np.array([x[0] * x[0] - c, x[0] * x[1] - 1.0])  # noqa: E731
            x = x - np.linalg.solve(jacfwd(f)(x), f(x))
        return x[0] * 2.0 + x[1] * 0.0

    assert d(root)(2.0) == pytest.approx(1.0 / math.sqrt(2.0), rel=1e-12)


def test_jacobians_and_hessians_inside():
    def f(x):
        filled = jacfwd(family.filled)(x)
        other = jacrev(family.filled)(x)
        bend = hessian(lambda y: np.sum(np.sin(y) * x[0] * y))(x)
        return np.sum(filled * other) + np.sum(bend * bend) + np.sum(hvp(np.prod, (x,), (x,)))

    slope = differences(f, X)
    assert_close(grad(f)(X), slope, 1e-7, 1e-7)
    assert jvp(f, (X,), (V,))[1] == pytest.approx(slope @ V, rel=1e-7)
    bent = differences(lambda x: grad(f)(x) @ V, X)
    for found in (hvp(f, (X,), (V,)), jvp(grad(f), (X,), (V,))[1], hessian(f)(X) @ V):
        assert_close(found, bent, 1e-6, 1e-6)


def differences(f, x, h=1e-4):
    steps = [f(x + h * k * e) for e in np.eye(len(x)) for k in (1, -1, 2, -2)]
    near, near_left, far, far_left = np.reshape(steps, (len(x), 4)).T
    return (8.0 * (near - near_left) - (far - far_left)) / (12.0 * h)


def test_aux_of_inner_derivatives_stays_tracked():
    def f(x):
        value, _, a = vjp(lambda y: (y * x, y * y), x, has_aux=True)
        _, tangent, b = jvp(lambda y: (y * x, y * y), (x,), (x,), has_aux=True)
        rows, c = jacrev(lambda y: (y * x, y * y), has_aux=True)(x)
        square, d = hessian(lambda y: (np.sum(y * x), y * y), has_aux=True)(x)
        bent, e = hvp(lambda y: (np.sum(y * x), y * y), (x,), (x,), has_aux=True)
        return np.sum(value * tangent * a * b * c * d * e) + np.sum(rows) + np.sum(square + bent)

    assert_close(grad(f)(X), 14.0 * X**13 + 1.0, 1e-11)
