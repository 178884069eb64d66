"""jacfwd, jacrev, jacobian and hessian: closed forms, each other, trees."""

import importlib.util
import itertools
import math
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapead
from tapead import lanes


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
X, A = checks.X, checks.A
Point, Body, assert_close = family.Point, family.Body, family.assert_close
jacfwd, jacrev, jacobian, hessian = (
    tapead.jacfwd, tapead.jacrev, tapead.jacobian, tapead.hessian,
)  # fmt: skip

JACOBIANS = {
    "jacfwd": jacfwd,
    "jacrev": jacrev,
    "auto": jacobian,
    "fwd": lambda *args, **options: jacobian(*args, mode="fwd", **options),
    "rev": lambda *args, **options: jacobian(*args, mode="rev", **options),
}
HESSIANS = {
    "hessian": hessian,
    "jacfwd(jacrev)": lambda *args: jacfwd(jacrev(*args), *args[1:]),
    "jacrev(jacfwd)": lambda *args: jacrev(jacfwd(*args), *args[1:]),
    "jacrev(jacrev)": lambda *args: jacrev(jacrev(*args), *args[1:]),
    "jacfwd(jacfwd)": lambda *args: jacfwd(jacfwd(*args), *args[1:]),
    "jacrev(grad)": lambda *args: jacrev(tapead.grad(*args), *args[1:]),
}
each_jacobian = pytest.mark.parametrize("jacobian_of", JACOBIANS.values(), ids=JACOBIANS)
each_hessian = pytest.mark.parametrize("hessian_of", HESSIANS.values(), ids=HESSIANS)
each_program = pytest.mark.parametrize(("f", "args"), family.REAL.values(), ids=family.REAL)
both_paths = pytest.mark.parametrize("native", [True, False], ids=["native", "general"])


@pytest.fixture
def path(native, monkeypatch):
    if not native:
        monkeypatch.setattr(lanes, "layout", lambda *_: None)


# ---------------------------------------------------------------------------- closed forms ---

I3 = np.eye(3)
INVERSE = np.linalg.inv(A)
CLOSED = {
    "linear": (lambda x: A @ x, X, A),
    "linear, in loops": (
        lambda x: np.array([sum(A[i, j] * x[j] for j in range(3)) for i in range(3)]), X, A,
    ),
    "linear, of lists": (lambda x: [sum(A[i, j] * x[j] for j in range(3)) for i in range(3)],
                         X, list(A)),
    "elementwise": (lambda x: np.exp(x) * x, X, np.diag(np.exp(X) * (1.0 + X))),
    "number by array": (np.prod, X, np.prod(X) / X),
    "array by number": (lambda t: t**3 * X, 2.0, 12.0 * X),
    "number by number": (lambda t: t**3, 2.0, 12.0),
    "inverse": (np.linalg.inv, A, -np.einsum("ik,lj->ijkl", INVERSE, INVERSE)),
    "transpose": (np.transpose, A, np.einsum("il,jk->ijkl", I3, I3)),
    "square": (lambda a: a @ a, A,
               np.einsum("ik,lj->ijkl", I3, A) + np.einsum("ik,jl->ijkl", A, I3)),
    "det": (np.linalg.det, A, np.linalg.det(A) * INVERSE.T),
    "logdet": (lambda a: np.linalg.slogdet(a)[1], A, INVERSE.T),
    "trace": (np.trace, A, I3),
    "solve": (lambda b: np.linalg.solve(A, b), X, INVERSE),
}  # fmt: skip


@each_jacobian
@pytest.mark.parametrize(("f", "x", "expected"), CLOSED.values(), ids=CLOSED)
def test_jacobians_in_closed_form(f, x, expected, jacobian_of):
    found = jacobian_of(f)(x)
    assert_close(found, expected, 1e-10, 1e-12)
    assert type(found) is type(expected)


def test_jacobian_of_spherical_coordinates():
    def cartesian(r, theta, phi):
        s = math.sin(theta)
        return r * s * math.cos(phi), r * s * math.sin(phi), r * math.cos(theta)

    for jacobian_of in JACOBIANS.values():
        rows = jacobian_of(cartesian, argnums=(0, 1, 2))(2.0, 0.7, 1.1)
        assert np.linalg.det(rows) == pytest.approx(4.0 * math.sin(0.7), rel=1e-14)


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def rosenbrock_hessian(x):
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        h[i + 1, i + 1] += 200.0
        h[i, i + 1] = h[i + 1, i] = -400.0 * x[i]
    return h


def product_hessian(x):
    whole = np.prod(x) / np.outer(x, x)
    np.fill_diagonal(whole, 0.0)
    return whole


QUADRATIC = A + A.T
HESSIAN_CASES = {
    "quadratic": (lambda x: x @ A @ x, X, QUADRATIC),
    "quadratic, in loops": (family.quadratic_of_elements, X, QUADRATIC),
    "product": (np.prod, X, product_hessian(X)),
    "product of elements": (family.product_of_elements, X, product_hessian(X)),
    "product of a list": (
        family.product_of_list, X.tolist(), product_hessian(X).tolist(),
    ),
    "polynomial": (lambda t: t**4 - 2.0 * t**3, 1.5, 12.0 * 1.5**2 - 12.0 * 1.5),
    "rosenbrock": (rosenbrock, np.linspace(-1.0, 2.0, 11),
                   rosenbrock_hessian(np.linspace(-1.0, 2.0, 11))),
    "logdet": (lambda a: np.linalg.slogdet(a)[1], A, -np.einsum("li,jk->ijkl", INVERSE, INVERSE)),
    "frobenius": (lambda a: np.sum(a * a), A, 2.0 * np.einsum("ik,jl->ijkl", I3, I3)),
    "log sum exp": (lambda x: np.log(np.sum(np.exp(x))), X,
                    (lambda p: np.diag(p) - np.outer(p, p))(np.exp(X) / np.sum(np.exp(X)))),
    "constant": (lambda x: 3.0, X, np.zeros((3, 3))),
    "linear": (lambda x: x[0] + 2.0 * x[1], X, np.zeros((3, 3))),
}  # fmt: skip


@each_hessian
@pytest.mark.parametrize(("f", "x", "expected"), HESSIAN_CASES.values(), ids=HESSIAN_CASES)
def test_hessians_in_closed_form(f, x, expected, hessian_of):
    assert_close(hessian_of(f)(x), expected, 1e-9, 1e-10)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 20).flatmap(lambda n: hnp.arrays(float, n, elements=st.floats(-2.0, 2.0))),
    st.booleans(),
)
def test_rosenbrocks_hessian_at_any_point_and_size(x, as_list):
    found = hessian(rosenbrock)(x.tolist() if as_list else x)
    np.testing.assert_allclose(found, rosenbrock_hessian(x), 1e-11, 1e-9)
    assert np.array_equal(found, np.transpose(found))


# --------------------------------------------------------------------- against each other ---


def positions_of(args):
    return tuple(range(len(args)))


@each_program
@both_paths
@pytest.mark.usefixtures("path")
def test_jacobians_agree_with_stacked_products(f, args, native):
    value, positions = f(*family.copied(args)), positions_of(args)
    expected = family.matrix_by_vjp(f, args)
    np.testing.assert_allclose(family.matrix_by_jvp(f, args), expected, 1e-10, 1e-10)
    for name, jacobian_of in JACOBIANS.items():
        found = jacobian_of(f, argnums=positions)(*family.copied(args))
        matrix = family.matrix_of(found, value, args)
        np.testing.assert_allclose(matrix, expected, 1e-10, 1e-10, err_msg=name)


@each_program
@both_paths
@pytest.mark.usefixtures("path")
def test_hessians_agree_with_each_other_and_with_products(f, args, native):
    value, positions = f(*family.copied(args)), positions_of(args)
    expected = family.hessians_of(hessian(f, positions)(*family.copied(args)), value, args)
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(expected, np.swapaxes(expected, 1, 2), 0.0, 1e-10 * scale)
    for name, of in HESSIANS.items():
        if name == "jacrev(grad)":
            continue
        found = family.hessians_of(of(f, positions)(*family.copied(args)), value, args)
        np.testing.assert_allclose(found, expected, 0.0, 1e-9 * scale, err_msg=name)
    for k, w in enumerate(family.units(value)):

        def one(*xs, w=w):
            pairs = zip(family.leaves(f(*xs)), family.leaves(w))
            return sum(np.sum(a * b) for a, b in pairs) * 1.0

        v = family.random_like(args, k)
        product = family.in_one(tapead.hvp(one, family.copied(args), v))
        np.testing.assert_allclose(product, expected[k] @ family.in_one(v), 0.0, 1e-9 * scale)


@pytest.mark.parametrize(("m", "n"), list(itertools.product([0, 1, 2, 9], [1, 2, 9, 17])))
@pytest.mark.parametrize("native", [True, False], ids=["native", "general"])
@pytest.mark.usefixtures("path")
def test_any_number_of_inputs_and_results(m, n, native):
    def f(x):
        out = np.zeros(m)
        for i in range(m):
            out[i] = x[i % n] ** 2 * x[(i + 1) % n] + i
        return out

    x = np.linspace(0.5, 1.5, n)
    expected = np.zeros((m, n))
    for i in range(m):
        expected[i, i % n] += 2.0 * x[i % n] * x[(i + 1) % n]
        expected[i, (i + 1) % n] += x[i % n] ** 2
    for jacobian_of in JACOBIANS.values():
        np.testing.assert_allclose(jacobian_of(f)(x), expected, 1e-14)
    found = hessian(f)(x)
    assert found.shape == (m, n, n)
    np.testing.assert_allclose(found, jacrev(jacrev(f))(x), 1e-13, 1e-13)


def test_auto_sweeps_in_the_direction_with_fewer_numbers(monkeypatch):
    swept = []
    for name in ("push", "pull"):
        whole = getattr(lanes, name)
        monkeypatch.setattr(
            lanes, name, lambda *args, n=name, w=whole: (swept.append(n), w(*args))[1]
        )
    jacobian(lambda x: [x * x, x**3])(2.0)
    jacobian(lambda x: x[0] * x[1])([2.0, 3.0])
    jacobian(lambda x: x * x)(2.0)
    assert swept == ["push", "pull", "push"]


# ------------------------------------------------------------------- trees and arguments ---


def model(w, point, scale):
    return Point(w["a"] * point.x * scale, [w["b"] * point.y, scale**2])


@each_jacobian
def test_the_jacobian_has_the_results_structure_and_in_it_the_arguments(jacobian_of):
    w, point = {"a": 2.0, "b": X}, Point(3.0, 4.0)
    found = jacobian_of(model)(w, point, 5.0)
    assert_close(found, Point(
        {"a": 15.0, "b": np.zeros(3)},
        [{"a": np.zeros(3), "b": 4.0 * I3}, {"a": 0.0, "b": np.zeros(3)}],
    ))  # fmt: skip
    found = jacobian_of(model, argnums=(-1, 1))(w, point, 5.0)
    assert_close(found, Point(
        (6.0, Point(10.0, 0.0)),
        [(np.zeros(3), Point(np.zeros(3), X)), (10.0, Point(0.0, 0.0))],
    ))  # fmt: skip
    assert type(found) is Point
    assert type(found.x) is tuple
    assert type(found.x[1]) is Point
    assert [type(x) for x in (found.x[0], found.y[1][0])] == [float, float]


@each_jacobian
def test_dataclasses(jacobian_of):
    f = lambda b: Body(b.mass * b.place, b.mass**2)  # noqa: E731
    found = jacobian_of(f)(Body(2.0, X))
    assert_close(found, Body(Body(X, 2.0 * I3), Body(4.0, np.zeros(3))))
    assert (type(found), type(found.mass)) == (Body, Body)


@each_hessian
def test_the_hessian_has_the_arguments_structure_twice(hessian_of):
    f = lambda w, t: w["a"] ** 2 * t + np.sum(w["b"] ** 2) * w["a"]  # noqa: E731
    found = hessian_of(f)({"a": 2.0, "b": X}, 3.0)
    assert_close(
        found,
        {"a": {"a": 6.0, "b": 2.0 * X}, "b": {"a": 2.0 * X, "b": 4.0 * I3}},
    )
    found = hessian_of(f, (1, 0))({"a": 2.0, "b": X}, 3.0)
    by_t, by_w = found
    assert_close(by_t, (0.0, {"a": 4.0, "b": np.zeros(3)}))
    assert_close(by_w["a"], (4.0, {"a": 6.0, "b": 2.0 * X}))
    assert_close(by_w["b"], (np.zeros(3), {"a": 2.0 * X, "b": 4.0 * I3}))
    assert (type(found), type(by_w["a"])) == (tuple, tuple)


def test_the_hessian_of_several_results():
    found = hessian(lambda x: {"one": x[0] * x[1], "all": [x * x, 3.0, x]})(X)
    cubes = np.zeros((3, 3, 3))
    cubes[range(3), range(3), range(3)] = 2.0
    one = np.zeros((3, 3))
    one[0, 1] = one[1, 0] = 1.0
    assert_close(found, {"one": one, "all": [cubes, 0.0 * one, 0.0 * cubes]})


EMPTY = {
    "no results": (lambda x: (), (2.0,), ()),
    "no results of an array": (lambda x: {"a": []}, (X,), {"a": []}),
    "no results of a loop": (lambda x: [x[i] for i in range(0)], (X,), []),
    "no inputs": (lambda x: 1.0, ([],), []),
    "no inputs, several results": (lambda x: (1.0, np.ones(2)), ({},), ({}, {})),
}


@each_jacobian
@pytest.mark.parametrize(("f", "args", "expected"), EMPTY.values(), ids=EMPTY)
def test_empty_trees(f, args, expected, jacobian_of):
    assert jacobian_of(f)(*args) == expected
    assert hessian(f)(*args) == expected


@each_jacobian
def test_arguments_by_keyword_and_numbers_of_arguments(jacobian_of):
    f = lambda x, y, z=2.0: x * y * y * z  # noqa: E731
    assert jacobian_of(f, argnums=1)(3.0, 4.0) == 48.0
    assert jacobian_of(f, argnums=-1)(3.0, 4.0) == 48.0
    assert jacobian_of(f, argnums=1)(3.0, y=4.0, z=1.0) == 24.0
    assert jacobian_of(f, argnums=(2, 0))(3.0, 4.0, 2.0) == (48.0, 32.0)
    assert hessian(f, argnums=(1, -3))(3.0, 4.0, 2.0) == ((12.0, 16.0), (16.0, 0.0))
    assert hessian(f, argnums=1)(3.0, y=4.0, z=1.0) == 6.0


@pytest.mark.parametrize("of", [*JACOBIANS.values(), hessian], ids=[*JACOBIANS, "hessian"])
def test_aux(of):
    f = lambda x: (x[0] * x[1], {"square": x * x, "text": "aux"})  # noqa: E731
    found, aux = of(f, has_aux=True)(X)
    assert_close(found, of(lambda x: f(x)[0])(X))
    assert type(aux["square"]) is np.ndarray
    assert aux["square"].tolist() == (X * X).tolist()
    assert aux["text"] == "aux"
