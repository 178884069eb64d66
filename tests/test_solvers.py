"""SciPy's root finders, least squares and integrators take derivatives in one line."""

import math

import numpy as np
import pytest

import tapead

optimize = pytest.importorskip("scipy.optimize")
integrate = pytest.importorskip("scipy.integrate")
linalg = pytest.importorskip("scipy.sparse.linalg")


def assert_same_counts(found, expected, *names):
    assert found.success, found.message
    assert [getattr(found, name) for name in names] == [getattr(expected, name) for name in names]


# ------------------------------------------------------------------------------- one number ---


def cubic(x, a=2.0):
    return x**3 - a * x - 5.0


def by_newton(x, a=2.0):
    """A number as a loop leaves it."""
    y = x
    for _ in range(3):
        y = y - (y * y - 2.0) / (2.0 * y)
    return y * math.exp(x - 1.5) - a


@pytest.mark.parametrize("f", [cubic, by_newton], ids=lambda f: f.__name__)
@pytest.mark.parametrize("args", [(), (3.0,)], ids=["no args", "args"])
def test_root_scalar_takes_both_derivatives(f, args):
    slope = tapead.grad(f)
    expected = optimize.root_scalar(f, args, bracket=[0.5, 5.0], xtol=1e-14).root
    newton = optimize.root_scalar(f, args, x0=2.0, fprime=slope)
    halley = optimize.root_scalar(f, args, x0=2.0, fprime=slope, fprime2=tapead.grad(slope))
    at_once = optimize.root_scalar(tapead.value_and_grad(f), args, x0=2.0, fprime=True)
    for found in (newton, halley, at_once):
        assert found.converged
        assert isinstance(found.root, float)
        assert found.root == pytest.approx(expected, rel=1e-12)
    assert at_once.iterations == newton.iterations


def test_root_scalar_goes_the_way_that_derivatives_by_hand_show():
    slope = tapead.grad(cubic)
    mine = {"fprime": slope, "fprime2": tapead.grad(slope)}
    hand = {"fprime": lambda x: 3.0 * x * x - 2.0, "fprime2": lambda x: 6.0 * x}
    for method, names in {"newton": ["fprime"], "halley": ["fprime", "fprime2"]}.items():
        found, expected = (
            optimize.root_scalar(cubic, x0=2.5, method=method, **{n: by[n] for n in names})
            for by in (mine, hand)
        )
        assert (found.iterations, found.function_calls) == (
            expected.iterations, expected.function_calls,
        )  # fmt: skip
        assert found.root == pytest.approx(expected.root, rel=1e-14)


def test_newton_on_many_starts_takes_the_tangent_along_ones():
    starts = np.array([1.5, 2.0, 3.0])
    a = np.array([1.0, 2.0, 3.0])

    def slope(x, a):
        return tapead.jvp(lambda x: cubic(x, a), (x,), (np.ones_like(x),))[1]

    found = optimize.newton(cubic, starts, fprime=slope, args=(a,))
    assert found.shape == (3,)
    np.testing.assert_allclose(cubic(found, a), 0.0, atol=1e-10)


# -------------------------------------------------------------------------- systems of them ---


def as_list(x):
    return [x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]]


def as_tuple(x):
    return tuple(as_list(x))


def as_array(x):
    return np.array(as_list(x))


def vectorized(x):
    return x + 0.5 * (x - x[::-1]) ** 3 - np.array([1.0, 0.0])


def filled(x):
    out = np.empty(2)
    out[0], out[1] = as_list(x)
    return out


def unpacked(x):
    a, b = x
    bend = 0.5 * math.pow(a - b, 3.0)
    return [a + bend - 1.0, b - bend]


def by_hand(x):
    slope = 1.5 * (x[0] - x[1]) ** 2
    return np.array([[1.0 + slope, -slope], [-slope, 1.0 + slope]])


SYSTEMS = [as_list, as_tuple, as_array, vectorized, filled, unpacked]
SOLUTION = [0.8411639, 0.1588361]
every_system = pytest.mark.parametrize("f", SYSTEMS, ids=lambda f: f.__name__)


@every_system
@pytest.mark.parametrize("method", ["hybr", "lm"])
@pytest.mark.parametrize("mode", ["auto", "fwd", "rev"])
def test_root_takes_the_jacobian(f, method, mode):
    found, expected = (
        optimize.root(f, [0.0, 0.0], jac=jac, method=method)
        for jac in (tapead.jacobian(f, mode=mode), by_hand)
    )
    assert_same_counts(found, expected, "nfev", "njev")
    np.testing.assert_allclose(found.x, SOLUTION, rtol=1e-6)
    if method == "hybr":
        np.testing.assert_allclose(found.fjac, expected.fjac, rtol=1e-8)


@every_system
def test_fsolve_takes_the_jacobian(f):
    found, info, flag, message = optimize.fsolve(
        f, [0, 0], fprime=tapead.jacobian(f), full_output=True
    )
    assert flag == 1, message
    assert info["njev"] >= 1
    np.testing.assert_allclose(found, SOLUTION, rtol=1e-6)


def test_root_hands_args_on():
    f = lambda x, shift: np.array(as_list(x)) - shift  # noqa: E731
    found = optimize.root(f, [0.0, 0.0], (0.25,), jac=tapead.jacobian(f))
    np.testing.assert_allclose(f(found.x, 0.25), 0.0, atol=1e-10)


def test_root_takes_values_and_jacobian_of_one_run():
    runs = []

    def both(x):
        runs.append(x)
        y = as_array(x)
        return y, y

    found = optimize.root(
        lambda x: tapead.jacobian(both, has_aux=True)(x)[::-1], [0.0, 0.0], jac=True
    )
    np.testing.assert_allclose(found.x, SOLUTION, rtol=1e-6)
    assert found.success
    assert len(runs) <= found.nfev + found.njev


# ---------------------------------------------------------------------------- least squares ---

T = np.linspace(0.0, 4.0, 25)
TRUTH = np.array([2.0, 0.7, 0.3])
DATA = TRUTH[0] * np.exp(-TRUTH[1] * T) + TRUTH[2] + 0.02 * np.sin(17.0 * T)


def model(t, height, rate, floor):
    return height * np.exp(-rate * t) + floor


def model_slopes(t, height, rate, floor):
    fall = np.exp(-rate * t)
    return np.stack([fall, -height * t * fall, np.ones_like(t)], axis=1)


def residuals(p, data=DATA):
    return model(T, *p) - data


def residuals_in_a_loop(p, data=DATA):
    return [p[0] * math.exp(-p[1] * t) + p[2] - y for t, y in zip(T.tolist(), data.tolist())]


def residuals_filled(p, data=DATA):
    out = np.zeros(len(T))
    for k in range(len(T)):
        out[k] = p[0] * math.exp(-p[1] * T[k]) + p[2] - data[k]
    return out


FITS = {
    "lm": {"method": "lm"},
    "trf": {"method": "trf"},
    "dogbox, scaled": {"method": "dogbox", "x_scale": "jac"},
    "trf, soft": {"method": "trf", "loss": "soft_l1", "tr_solver": "lsmr"},
    "trf, bounds": {"method": "trf", "bounds": ([0.0, 0.0, 0.35], [3.0, 2.0, 1.0])},
}


@pytest.mark.parametrize("f", [residuals, residuals_in_a_loop, residuals_filled])
@pytest.mark.parametrize("options", FITS.values(), ids=FITS)
@pytest.mark.parametrize("args", [(), (1.1 * DATA,)], ids=["no args", "args"])
def test_least_squares_goes_the_way_that_the_jacobian_by_hand_shows(f, options, args):
    near = dict.fromkeys(("ftol", "xtol", "gtol"), 1e-6)  # far from where rounding decides
    found, expected = (
        optimize.least_squares(f, [1.0, 1.0, 0.5], jac, args=args, **near, **options)
        for jac in (tapead.jacobian(f), lambda p, *args: model_slopes(T, *p))
    )
    assert_same_counts(found, expected, "nfev", "njev", "status")
    assert (type(found.jac), found.jac.shape, found.jac.dtype) == (np.ndarray, (25, 3), float)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6)
    np.testing.assert_allclose(found.jac, expected.jac, rtol=1e-5, atol=1e-7)


def test_one_residual_may_be_a_number_and_one_parameter_too():
    f = lambda p: p[0] ** 3 - 8.0  # noqa: E731
    found = optimize.least_squares(f, 1.0, tapead.jacobian(f))
    np.testing.assert_allclose(found.x, [2.0])
    assert found.jac.shape == (1, 1)


def test_least_squares_takes_an_operator_of_tangents_and_a_pullback():
    def operator(p):
        _, push = tapead.linearize(residuals, p)
        _, pull = tapead.vjp(residuals, p)
        return linalg.LinearOperator(
            (25, 3), matvec=lambda v: push(v.ravel()), rmatvec=lambda u: pull(u)[0], dtype=float
        )

    found = optimize.least_squares(residuals, [1.0, 1.0, 0.5], operator)
    dense = optimize.least_squares(residuals, [1.0, 1.0, 0.5], tapead.jacobian(residuals))
    np.testing.assert_allclose(found.x, dense.x, rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"bounds": (0.0, 3.0)}, {"sigma": 0.1 + 0.1 * T}])
def test_curve_fit_takes_the_jacobian(options):
    def slopes(t, *p):
        return np.stack(tapead.jacobian(model, argnums=(1, 2, 3))(t, *p), axis=-1)

    (found, spread, info, *_), (expected, spread_by_hand, info_by_hand, *_) = (
        optimize.curve_fit(model, T, DATA, [1.0, 1.0, 0.5], jac=jac, full_output=True, **options)
        for jac in (slopes, model_slopes)
    )
    assert info["nfev"] == info_by_hand["nfev"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(spread, spread_by_hand, rtol=1e-4)
    np.testing.assert_allclose(found, TRUTH, atol=0.05)


# ------------------------------------------------------------- stiff differential equations ---


def reaction(t, y, rate=1e3):
    """Robertson's reaction, tamed."""
    a = -0.04 * y[0] + 10.0 * y[1] * y[2]
    c = rate * y[1] ** 2
    return [a, -a - c, c]


def reaction_array(t, y, rate=1e3):
    return np.array(reaction(t, y, rate))


def reaction_filled(t, y, rate=1e3):
    out = np.zeros_like(y)
    out[0] = -0.04 * y[0] + 10.0 * y[1] * y[2]
    out[2] = rate * y[1] ** 2
    out[1] = -out[0] - out[2]
    return out


def reaction_slopes(t, y, rate=1e3):
    a = np.array([-0.04, 10.0 * y[2], 10.0 * y[1]])
    c = np.array([0.0, 2.0 * rate * y[1], 0.0])
    return np.array([a, -a - c, c])


@pytest.mark.parametrize("f", [reaction, reaction_array, reaction_filled])
@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("args", [None, (500.0,)], ids=["no args", "args"])
def test_solve_ivp_goes_the_way_that_the_jacobian_by_hand_shows(f, method, args):
    found, expected = (
        integrate.solve_ivp(f, (0.0, 40.0), [1.0, 0.0, 0.0], method, args=args, jac=jac)
        for jac in (tapead.jacobian(f, argnums=1), reaction_slopes)
    )
    assert_same_counts(found, expected, "nfev", "njev", "nlu")
    np.testing.assert_allclose(found.t, expected.t, rtol=1e-6)
    np.testing.assert_allclose(found.y, expected.y, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.y.sum(0), 1.0, rtol=1e-9)


def test_odeint_takes_the_jacobian_by_its_second_argument():
    f = lambda y, t: reaction_array(t, y)  # noqa: E731
    found, expected = (
        integrate.odeint(f, [1.0, 0.0, 0.0], [0.0, 1.0, 40.0], Dfun=jac)
        for jac in (tapead.jacobian(f), lambda y, t: reaction_slopes(t, y))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_solve_ivp_takes_the_complex_jacobian_of_a_holomorphic_system():
    turn = np.array([[-1.0 + 3.0j, 0.5], [0.2j, -200.0]])

    def f(t, y):
        return turn @ y + 0.1 * y**2

    found, expected = (
        integrate.solve_ivp(f, (0.0, 2.0), [1.0 + 0j, 0.5j], "BDF", jac=jac)
        for jac in (
            tapead.jacobian(f, argnums=1, holomorphic=True),
            lambda t, y: turn + np.diag(0.2 * y),
        )
    )
    assert_same_counts(found, expected, "nfev", "njev", "nlu")
    np.testing.assert_allclose(found.y, expected.y, rtol=1e-6, atol=1e-9)


def test_solve_bvp_takes_the_jacobians_of_equation_and_ends():
    def f(x, y, p):
        return np.stack([y[1], -(p[0] ** 2) * np.sin(y[0])])

    def at_one(x, y, p):
        return np.array([y[1], -(p[0] ** 2) * np.sin(y[0])])

    def ends(ya, yb, p):
        return np.array([ya[0], yb[0], ya[1] - p[0]])

    def slopes(x, y, p):
        by = [tapead.jacobian(at_one, argnums=(1, 2))(x[k], y[:, k], p) for k in range(len(x))]
        return tuple(np.stack(parts, axis=-1) for parts in zip(*by))

    x = np.linspace(0.0, 1.0, 11)
    start = np.stack([np.sin(np.pi * x), np.pi * np.cos(np.pi * x)])
    found, expected = (
        integrate.solve_bvp(f, ends, x, start, p=[3.0], fun_jac=jac, bc_jac=at_ends)
        for jac, at_ends in ((slopes, tapead.jacobian(ends, argnums=(0, 1, 2))), (None, None))
    )
    assert_same_counts(found, expected, "niter")
    np.testing.assert_allclose(found.p, expected.p, rtol=1e-6)
