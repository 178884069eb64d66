"""SciPy's optimizers take gradients, Hessians and their products in one line."""

import concurrent.futures
import itertools
import math

import numpy as np
import pytest

import tapead

optimize = pytest.importorskip("scipy.optimize")
linalg = pytest.importorskip("scipy.sparse.linalg")

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
COUNTS = ("nit", "nfev", "njev", "nhev", "nlu")


def assert_same_way(found, expected, counts=COUNTS, rel=1e-6):
    """That SciPy went where derivatives by hand lead it, and asked as often."""
    assert found.success, found.message
    for name in counts:
        assert getattr(found, name, None) == getattr(expected, name, None), name
    for name in ("x", "y", "jac", "hess", "grad"):
        if isinstance(getattr(expected, name, None), np.ndarray):
            one, other = getattr(found, name), getattr(expected, name)
            assert type(one) is np.ndarray
            assert (one.shape, one.dtype) == (other.shape, other.dtype), name
    where = "x" if hasattr(expected, "x") else "y"
    np.testing.assert_allclose(found[where], expected[where], rtol=rel, atol=rel)


def product(f):
    return lambda x, v, *args: tapead.hvp(lambda x: f(x, *args), (x,), (v,))


# ------------------------------------------------- the same function, as people write it ---


def loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total


def vectorized(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_pairs(x):
    return sum(100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in itertools.pairwise(x))


def of_a_list(x):
    return loop(x.tolist())


def of_floats(x):
    return loop([float(v) for v in x])


def filled(x):
    terms = np.zeros(len(x))
    for i in range(len(x) - 1):
        terms[i] = 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return terms.sum()


def as_a_float(x):
    return float(vectorized(x))


def as_an_item(x):
    return vectorized(x).item()


def zero_dimensional(x):
    return np.array(vectorized(x))


WRITTEN = [
    loop, vectorized, by_pairs, of_a_list, of_floats, filled, as_a_float, as_an_item,
    zero_dimensional,
]  # fmt: skip


@pytest.mark.parametrize("f", WRITTEN, ids=lambda f: f.__name__)
def test_derivatives_have_the_shapes_and_dtypes_that_scipy_wants(f):
    value, gradient = tapead.value_and_grad(f)(START)
    hessian = tapead.hessian(f)(START)
    along = product(f)(START, START[::-1])
    assert type(value) is type(f(START))
    for x, shape in ((gradient, (5,)), (hessian, (5, 5)), (along, (5,))):
        assert (type(x), x.shape, x.dtype) == (np.ndarray, shape, float)
        assert x.flags.writeable
        assert not np.shares_memory(x, START)
    np.testing.assert_allclose(value, optimize.rosen(START), rtol=1e-13)
    np.testing.assert_allclose(gradient, optimize.rosen_der(START), rtol=1e-11)
    np.testing.assert_allclose(hessian, optimize.rosen_hess(START), rtol=1e-11)
    np.testing.assert_allclose(along, optimize.rosen_hess_prod(START, START[::-1]), rtol=1e-11)


@pytest.mark.parametrize("f", WRITTEN, ids=lambda f: f.__name__)
def test_minimize_takes_every_way_to_write_a_function(f):
    found = optimize.minimize(f, START, jac=tapead.grad(f), method="BFGS")
    at_once = optimize.minimize(tapead.value_and_grad(f), START, jac=True, method="BFGS")
    second = optimize.minimize(
        f, START, jac=tapead.grad(f), hess=tapead.hessian(f), method="trust-exact"
    )
    for result in (found, at_once, second):
        assert result.success
        np.testing.assert_allclose(result.x, 1.0, rtol=1e-4)
    assert (at_once.nit, at_once.nfev) == (found.nit, found.nfev)
    assert at_once.x.tolist() == found.x.tolist()


@pytest.mark.parametrize("f", WRITTEN, ids=lambda f: f.__name__)
def test_check_grad_is_content(f):
    assert optimize.check_grad(f, tapead.grad(f), START) < 1e-3


@pytest.mark.parametrize(
    "start", [2.0, [3], [2, 3, 4], (2.0, -1.0), np.float32([2.0, 3.0]), np.array([5, 1])], ids=str
)
def test_starts_may_be_numbers_and_whole(start):
    f = lambda x: np.sum((x - 2.0) ** 2 + 0.1 * (x - 2.0) ** 4)  # noqa: E731
    slope = lambda x: 2.0 * (x - 2.0) + 0.4 * (x - 2.0) ** 3  # noqa: E731
    found, expected = (optimize.minimize(f, start, jac=jac) for jac in (tapead.grad(f), slope))
    assert_same_way(found, expected, rel=1e-4)
    np.testing.assert_allclose(found.x, 2.0, rtol=1e-4)


def test_a_function_of_a_number_that_scipy_calls_with_an_array_says_what_to_return():
    f = lambda x: (x - 2.0) ** 2  # noqa: E731
    with pytest.raises(TypeError, match=r"array\(\[1\.\]\).* one real number \(sum it, or diff"):
        optimize.minimize(f, 3.0, jac=tapead.grad(f))
    found = optimize.minimize(f, 3.0, jac=tapead.grad(lambda x: f(x)[0]))
    np.testing.assert_allclose(found.x, [2.0])


# --------------------------------------------------------------- the way that hand shows ---


def springs(x, pull=1.0):
    """A chain of stiffening springs: convex, and far from quadratic."""
    total = 0.0
    for i in range(len(x)):
        before = x[i - 1] if i else 0.0
        total += math.cosh(x[i] - before) + 0.5 * (x[i] - pull * i) ** 2
    return total


def springs_vectorized(x, pull=1.0):
    steps = np.diff(x, prepend=0.0)
    return np.sum(np.cosh(steps)) + 0.5 * np.sum((x - pull * np.arange(len(x))) ** 2)


def springs_gradient(x, pull=1.0):
    force = np.sinh(np.diff(x, prepend=0.0))
    return force - np.append(force[1:], 0.0) + x - pull * np.arange(len(x))


def springs_hessian(x, pull=1.0):
    stiff = np.cosh(np.diff(x, prepend=0.0))
    after = np.append(stiff[1:], 0.0)
    return np.diag(stiff + after + 1.0) - np.diag(stiff[1:], 1) - np.diag(stiff[1:], -1)


def springs_product(x, v, pull=1.0):
    return springs_hessian(x, pull) @ v


METHODS = {
    "CG": "jac", "BFGS": "jac", "L-BFGS-B": "jac", "TNC": "jac", "SLSQP": "jac",
    "Newton-CG": "jac hessp", "trust-ncg": "jac hessp", "trust-krylov": "jac hessp",
    "trust-exact": "jac hess", "dogleg": "jac hess", "trust-constr": "jac hess",
}  # fmt: skip


def counted(method):
    """What to count, and how near to get; trust-constr goes on until steps are lost in rounding."""
    return ((), 1e-4) if method == "trust-constr" else (COUNTS, 1e-6)


both_springs = pytest.mark.parametrize("f", [springs, springs_vectorized], ids=lambda f: f.__name__)


@both_springs
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("args", [(), (0.5,)], ids=["no args", "args"])
def test_minimize_goes_the_way_that_derivatives_by_hand_show(f, method, args):
    mine = {"jac": tapead.grad(f), "hess": tapead.hessian(f), "hessp": product(f)}
    hand = {"jac": springs_gradient, "hess": springs_hessian, "hessp": springs_product}
    found, expected = (
        optimize.minimize(
            f, START, args, method=method, **{k: by[k] for k in METHODS[method].split()}
        )
        for by in (mine, hand)
    )
    assert_same_way(found, expected, *counted(method))
    assert np.abs(springs_gradient(found.x, *args)).max() < 2e-3
    assert found.x @ found.x > 1.0


@both_springs
@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr"])
def test_bounds_hold_and_are_reached(f, method):
    bounds = [(None, 1.5)] * 5
    found, expected = (
        optimize.minimize(f, START, jac=jac, method=method, bounds=bounds)
        for jac in (tapead.grad(f), springs_gradient)
    )
    assert_same_way(found, expected, *counted(method))
    assert found.x.max() <= 1.5
    assert found.x[4] == pytest.approx(1.5, abs=1e-3)


def on_circle(x):
    return x[0] * x[0] + x[1] * x[1] - 2.0


def ordered(x):
    return [b - a for a, b in itertools.pairwise(x)]


def above(x):
    return np.array([x[0] + x[1], x[2] - x[3] ** 2])


def test_constraints_take_their_jacobians():
    kinds = {"eq": (on_circle,), "ineq": (ordered, above)}
    with_jacobians, without = (
        optimize.minimize(
            springs, START, jac=tapead.grad(springs), method="SLSQP", options={"ftol": 1e-10},
            constraints=[
                {"type": kind, "fun": f, **({"jac": tapead.jacobian(f)} if exact else {})}
                for kind, fs in kinds.items() for f in fs
            ],
        )
        for exact in (True, False)
    )  # fmt: skip
    assert with_jacobians.success
    np.testing.assert_allclose(with_jacobians.x, without.x, atol=1e-5)
    assert on_circle(with_jacobians.x) == pytest.approx(0.0, abs=1e-6)
    assert min(ordered(with_jacobians.x)) > -1e-8


@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")  # of the differences
@pytest.mark.parametrize("f", [on_circle, above], ids=lambda f: f.__name__)
def test_trust_constr_takes_second_derivatives_of_constraints(f):
    def weighted(x, v):
        return tapead.hessian(lambda x: np.sum(np.array(v) * np.array(f(x))))(x)

    low = 0.0 if f is on_circle else 0.5
    for jac, hess in ((tapead.jacobian(f), weighted), ("2-point", optimize.BFGS())):
        constraint = optimize.NonlinearConstraint(f, low, low + 1.0, jac=jac, hess=hess)
        found = optimize.minimize(
            springs, START, jac=tapead.grad(springs), hess=tapead.hessian(springs),
            method="trust-constr", constraints=[constraint],
        )  # fmt: skip
        assert found.success
        if hess is weighted:
            exact = found
    np.testing.assert_allclose(exact.x, found.x, atol=2e-3)
    assert np.all(np.array(f(exact.x)) > low - 1e-6)


def test_basins_and_simplices_hand_the_gradient_on():
    bumpy = lambda x: 0.05 * x @ x + np.sum(np.sin(3.0 * x) ** 2)  # noqa: E731
    hop = optimize.basinhopping(
        tapead.value_and_grad(bumpy), [2.0, -1.0], niter=4, take_step=lambda x: 0.4 * x,
        minimizer_kwargs={"jac": True},
    )  # fmt: skip
    np.testing.assert_allclose(hop.x, 0.0, atol=1e-5)
    found, expected = (
        optimize.shgo(
            bumpy, [(-2.0, 2.5)] * 2, minimizer_kwargs={"method": "SLSQP", "jac": jac}
        )
        for jac in (tapead.grad(bumpy), lambda x: 0.1 * x + 3.0 * np.sin(6.0 * x))
    )  # fmt: skip
    assert found.success
    assert found.nlfev == expected.nlfev
    np.testing.assert_allclose(found.x, expected.x, atol=1e-6)


def test_operators_of_products_serve_sparse_solvers():
    shape = {"shape": (5, 5), "dtype": float}
    hessian = linalg.LinearOperator(matvec=lambda v: product(springs)(START, v), **shape)
    step, failed = linalg.cg(hessian, -springs_gradient(START), rtol=1e-12)
    assert failed == 0
    expected = np.linalg.solve(springs_hessian(START), -springs_gradient(START))
    np.testing.assert_allclose(step, expected, rtol=1e-8)


def test_threads_of_workers_differentiate():
    steepness = lambda x: float(np.sum(tapead.grad(springs)(x) ** 2))  # noqa: E731
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = optimize.differential_evolution(
            steepness, [(0.0, 3.0)] * 3, workers=pool.map, updating="deferred", polish=False,
            maxiter=60, tol=1e-6, init="sobol",
        )  # fmt: skip
    assert found.fun == steepness(found.x)
    assert np.abs(springs_gradient(found.x)).max() < 0.05
