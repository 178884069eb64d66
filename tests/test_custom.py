"""custom_vjp and custom_jvp: right in every transform and nesting, on numbers, arrays, trees."""

import importlib.util
import itertools
import math
import pickle
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
D, DD, assert_close, Point = family.D, family.DD, family.assert_close, family.Point
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian
V = np.array([0.5, -1.5, 0.25])
REVERSE = {name: D[name] for name in ("grad", "vjp", "jacrev", "value_and_grad")}


def with_vjp(f, fwd, bwd, **options):
    made = tapead.custom_vjp(f, **options)
    made.defvjp(fwd, bwd)
    return made


def with_jvp(f, rule, **options):
    made = tapead.custom_jvp(f, **options)
    made.defjvp(rule)
    return made


# --------------------------------------------------------------------- numbers: sin, by hand ---


@tapead.custom_vjp
def sine(x):
    """Of sine."""
    return math.sin(x)


sine.defvjp(lambda x: (sine(x), x), lambda x, g: (g * math.cos(x),))


@tapead.custom_jvp
def sine_forward(x):
    return math.sin(x)


@sine_forward.defjvp
def _(primals, tangents):
    (x,), (t,) = primals, tangents
    return sine_forward(x), t * math.cos(x)


x0 = 0.7
SINES = [math.sin(x0), math.cos(x0), -math.sin(x0), -math.cos(x0), math.sin(x0)]
# Of sin(x sin(x)) x, by the same transforms without rules.
PLAIN = lambda x: math.sin(x * math.sin(x)) * x  # noqa: E731
COMPOSED = [
    PLAIN(x0),
    grad(PLAIN)(x0),
    grad(grad(PLAIN))(x0),
    grad(grad(grad(PLAIN)))(x0),
]
both = pytest.mark.parametrize("f", [sine, sine_forward])
BOTH_MODES = [(f, name) for f in (sine, sine_forward) for name in D]
IN_ITS_MODE = [(f, n) for f, n in BOTH_MODES if f is sine_forward or n in REVERSE]


@pytest.mark.parametrize(("f", "name"), IN_ITS_MODE)
def test_first_derivatives(f, name):
    assert D[name](f)(x0) == SINES[1]
    assert D[name](lambda x: f(x * f(x)) * x)(x0) == pytest.approx(COMPOSED[1], rel=1e-14)
    assert f(x0) == SINES[0]


@pytest.mark.parametrize(("f", "inner"), IN_ITS_MODE)
@pytest.mark.parametrize("outer", D)
def test_second_derivatives(f, inner, outer):
    assert D[outer](D[inner](f))(x0) == pytest.approx(SINES[2], rel=1e-15)
    composed = D[outer](D[inner](lambda x: f(x * f(x)) * x))
    assert composed(x0) == pytest.approx(COMPOSED[2], rel=1e-13)


@both
@pytest.mark.parametrize("second", DD.values(), ids=DD)
def test_second_derivatives_in_one(f, second):
    assert second(f)(x0) == pytest.approx(SINES[2], rel=1e-15)
    assert second(lambda x: f(x * f(x)) * x)(x0) == pytest.approx(COMPOSED[2], rel=1e-13)
    assert second(second(f))(x0) == pytest.approx(SINES[4], rel=1e-14)


@pytest.mark.parametrize(("f", "inner"), [c for c in IN_ITS_MODE if c[1] in ("grad", "jvp", "vjp")])
@pytest.mark.parametrize(("a", "b"), list(itertools.product(["grad", "jvp"], repeat=2)))
def test_third_and_fourth_derivatives(f, inner, a, b):
    assert D[a](D[b](D[inner](f)))(x0) == pytest.approx(SINES[3], rel=1e-14)
    third = D[a](D[b](D[inner](lambda x: f(x * f(x)) * x)))
    assert third(x0) == pytest.approx(COMPOSED[3], rel=1e-12)
    assert D[b](D[a](D[b](D[inner](f))))(x0) == pytest.approx(SINES[4], rel=1e-14)


@both
@pytest.mark.parametrize("outer", D)
@pytest.mark.parametrize("inner", REVERSE)
def test_rules_and_several_variables_are_not_confused(f, outer, inner):
    d, e = D[outer], REVERSE[inner]
    expected = grad(lambda x: x * grad(lambda y: math.sin(x * y))(x))(x0)
    assert d(lambda x: x * e(lambda y: f(x * y))(x))(x0) == pytest.approx(expected, rel=1e-14)
    if f is sine_forward or outer in REVERSE:
        assert d(lambda x: e(lambda y: y * f(x))(1.0))(x0) == pytest.approx(SINES[1], rel=1e-15)
    assert d(lambda x: e(lambda y: x * f(y))(1.0))(x0) == pytest.approx(math.cos(1.0), rel=1e-15)


@both
def test_kept_pullbacks_of_rules_can_be_differentiated(f):
    _, pullback = vjp(f, x0)
    for d in D.values():
        assert d(lambda c: pullback(c * c)[0])(2.0) == pytest.approx(4.0 * SINES[1], rel=1e-15)
    for second in DD.values():
        found = second(lambda c: pullback(c * c)[0])(2.0)
        assert found == pytest.approx(2.0 * SINES[1], rel=1e-15)


def test_forward_mode_through_custom_vjp_is_refused_everywhere():
    ways = {
        "jvp": lambda: jvp(sine, (x0,), (1.0,)),
        "jacfwd": lambda: jacfwd(sine)(x0),
        "linearize": lambda: linearize(sine, x0)[1](1.0),
        "grad of jvp": lambda: grad(D["jvp"](sine))(x0),
        "jvp of jvp": lambda: D["jvp"](D["jvp"](sine))(x0),
        "jacrev of jacfwd": lambda: jacrev(jacfwd(sine))(x0),
    }
    for name, way in ways.items():
        with pytest.raises(tapead.UnsupportedError, match="custom_vjp sine") as caught:
            way()
        assert "custom_jvp" in str(caught.value), name
        assert Path(caught.value.filename).parent == Path(__file__).parent, name
    assert jvp(lambda x: sine(2.0) * x, (x0,), (1.0,))[1] == math.sin(2.0)  # a constant argument


def test_jacobian_goes_the_way_that_the_rule_has():
    assert tapead.jacobian(sine)(x0) == SINES[1]
    assert tapead.jacobian(sine_forward)(x0) == SINES[1]


# ------------------------------------------------------------------------ arrays: equations ---


def solve_rule(primals, tangents):
    (a, b), (da, db) = primals, tangents
    x = np.linalg.solve(a, b)
    return x, np.linalg.solve(a, db - da @ x)


def solve_back(residuals, g):
    a, x = residuals
    z = np.linalg.solve(a.T, g)
    return -np.outer(z, x), z


def solve_forth(a, b):
    x = np.linalg.solve(a, b)
    return x, (a, x)


solution = with_vjp(lambda a, b: np.linalg.solve(a, b), solve_forth, solve_back)
solution_forward = with_jvp(lambda a, b: np.linalg.solve(a, b), solve_rule)


def size(solve):
    return lambda a: np.sum(solve(a * a, X) ** 2)


@pytest.mark.parametrize("solve", [solution, solution_forward])
def test_rules_of_arrays(solve):
    f, plain, direction = size(solve), size(np.linalg.solve), family.random_like(A, 1)
    close = lambda x, y: assert_close(x, y, 1e-9, 1e-9)  # noqa: E731
    close(grad(f)(A), grad(plain)(A))
    close(jacrev(lambda b: solve(A, b))(X), np.linalg.inv(A))
    bent = hessian(plain)(A)
    close(hvp(f, (A,), (direction,)), np.tensordot(bent, direction, 2))
    for of in (hessian, lambda f: jacrev(jacrev(f)), lambda f: jacfwd(grad(f))):
        close(of(f)(A), bent)
    third = lambda f: grad(lambda a: np.sum(hvp(f, (a,), (direction,)) * direction))(A)  # noqa: E731
    close(third(f), third(plain))
    _, pullback = vjp(lambda a, b: solve(a, b), A, X)
    close(pullback(V), vjp(np.linalg.solve, A, X)[1](V))
    close(pullback(V), pullback(V))


def test_forward_rules_of_arrays_in_forward_mode():
    f, plain, direction = size(solution_forward), size(np.linalg.solve), family.random_like(A, 1)
    close = lambda x, y: assert_close(x, y, 1e-9, 1e-9)  # noqa: E731
    expected = jvp(plain, (A,), (direction,))
    close(jvp(f, (A,), (direction,)), expected)
    assert linearize(f, A)[1](direction) == pytest.approx(expected[1])
    close(jacfwd(lambda a: solution_forward(a, X))(A), jacfwd(lambda a: np.linalg.solve(a, X))(A))
    bent = hessian(plain)(A)
    close(jacfwd(jacfwd(f))(A), bent)
    close(jacrev(jacfwd(f))(A), bent)
    close(grad(lambda a: jvp(f, (a,), (direction,))[1])(A), np.tensordot(bent, direction, 2))


# ------------------------------------------------------------------ trees, kinds, arguments ---


def described(p, d):
    return {"s": p.x * d["k"], "t": (p.y, 3)}


tree = with_vjp(
    described,
    lambda p, d: (described(p, d), (p, d)),
    lambda r, g: (
        Point(g["s"] * r[1]["k"], g["t"][0]),
        {"k": np.sum(g["s"] * r[0].x)},
    ),
)


def tree_rule(primals, tangents):
    (p, d), (dp, dd) = primals, tangents
    return described(p, d), {"s": dp.x * d["k"] + p.x * dd["k"], "t": (dp.y, 0.0)}


tree_forward = with_jvp(described, tree_rule)


@pytest.mark.parametrize("f", [tree, tree_forward])
def test_trees(f):
    def program(f):
        def total(x, y, k):
            found = f(Point(x, y), {"k": k})
            return np.sum(found["s"] ** 2) * found["t"][0] * found["t"][1]

        return total

    args, all_three = (X, 2.0, 3.0), (0, 1, 2)
    v = (V, 0.5, -1.0)
    assert_close(grad(program(f), all_three)(*args), grad(program(described), all_three)(*args))
    assert_close(hvp(program(f), args, v), hvp(program(described), args, v))
    assert_close(hessian(program(f))(*args), hessian(program(described))(*args))
    rows = jacrev(lambda x: f(Point(x, 2.0), {"k": 3.0}))(X)
    assert_close(rows, {"s": 3.0 * np.eye(3), "t": (np.zeros(3), np.zeros(3))})
    if f is tree_forward:
        assert_close(jvp(program(f), args, v), jvp(program(described), args, v))


def test_none_is_an_adjoint_of_zeros_and_lists_are_tuples():
    f = with_vjp(lambda x, y: x * y, lambda x, y: (x * y, x), lambda x, g: [None, x * g])
    assert grad(f, (0, 1))(2.0, 3.0) == (0.0, 2.0)
    assert hvp(f, (2.0, 3.0), (1.0, 1.0)) == (0.0, 1.0)


def test_kinds_of_numbers():
    f = with_vjp(lambda x: x * x, lambda x: (x * x, x), lambda x, g: (2.0 * x * g,))
    single = X.astype(np.float32)
    assert grad(lambda x: np.sum(f(x)))(single).dtype == np.float32
    assert_close(grad(lambda z: np.sum(f(z)), holomorphic=True)(family.Z), 2.0 * family.Z)
    assert grad(f)(3) == 6.0
    g = with_jvp(lambda x: x * x, lambda p, t: (p[0] * p[0], 2.0 * p[0] * t[0]))
    assert jvp(g, (single,), (single,))[1].dtype == np.float32
    assert_close(jvp(g, (family.Z,), (family.Z,))[1], 2.0 * family.Z**2)
    assert_close(jacfwd(g, holomorphic=True)(family.Z), np.diag(2.0 * family.Z))
    assert jvp(g, (np.zeros((0, 2)),), (np.zeros((0, 2)),))[1].shape == (0, 2)


power = with_vjp(
    lambda name, x, n: x**n,
    lambda name, x, n: (x**n, x),
    lambda name, n, x, g: (n * x ** (n - 1) * g,),
    nondiff_argnums=(0, 2),
)
power_forward = with_jvp(
    lambda name, x, n: x**n,
    lambda name, n, p, t: (p[0] ** n, n * p[0] ** (n - 1) * t[0]),
    nondiff_argnums=(0, -1),
)


@pytest.mark.parametrize("f", [power, power_forward])
def test_arguments_without_derivative_come_first_in_the_rule(f):
    g = lambda x: f("a name", x, 3)  # noqa: E731
    assert (f("a name", 2.0, 3), grad(g)(2.0), hvp(g, (2.0,), (1.0,))) == (8.0, 12.0, 12.0)
    assert grad(lambda x: f(x=x, n=3, name=None))(2.0) == 12.0
    assert grad(f, argnums=1)("a name", 2.0, 3) == 12.0
    with pytest.raises(tapead.UnsupportedError, match="nondiff_argnums") as caught:
        grad(lambda x: f("a name", 2.0, x))(3.0)
    assert "tapead.value(x)" in str(caught.value)


def test_a_rule_by_a_function_for_each_argument():
    f = tapead.custom_jvp(lambda x, y, z: x * math.sin(y) + z)
    f.defjvps(
        lambda t, value, x, y, z: t * math.sin(y),
        lambda t, value, x, y, z: t * x * math.cos(y),
        None,
    )
    plain = lambda x, y, z: x * math.sin(y) + tapead.stop_gradient(z)  # noqa: E731
    args, v = (2.0, 0.7, 1.0), (0.5, -1.0, 3.0)
    assert jvp(f, args, v) == pytest.approx(jvp(plain, args, v))
    assert grad(f, (0, 1, 2))(*args) == pytest.approx(grad(plain, (0, 1, 2))(*args))
    assert hvp(f, args, v) == pytest.approx(hvp(plain, args, v))
    nothing = tapead.custom_jvp(lambda x: x * x)
    nothing.defjvps(None)
    assert (jvp(nothing, (3.0,), (1.0,)), grad(nothing)(3.0)) == ((9.0, 0.0), 0.0)


# ------------------------------------------------------------------- what it passes for ---


class Spring:
    def __init__(self, stiffness):
        self.stiffness = stiffness

    @tapead.custom_vjp
    def energy(self, x):
        return self.stiffness * x**3


Spring.energy = tapead.custom_vjp(Spring.energy.__wrapped__, nondiff_argnums=(0,))
Spring.energy.defvjp(
    lambda self, x: (self.stiffness * x**3, x),
    lambda self, x, g: (3.0 * self.stiffness * x**2 * g,),
)


def test_methods_names_and_pickles():
    spring = Spring(2.0)
    assert grad(spring.energy)(1.5) == 13.5
    assert hvp(spring.energy, (1.5,), (1.0,)) == 18.0
    assert (sine.__name__, sine.__doc__, repr(sine)) == (
        "sine", "Of sine.", "<tapead.custom_vjp sine>",
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(sine)) is sine
    assert pickle.loads(pickle.dumps(grad(sine)))(x0) == SINES[1]
    hidden = tapead.custom_vjp(lambda x: x)
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(hidden)


def test_the_rule_is_not_asked_where_nothing_is_tracked():
    calls = []
    f = with_vjp(
        lambda x: (calls.append("f"), x * x)[1],
        lambda x: (calls.append("fwd"), (x * x, x))[1],
        lambda x, g: (calls.append("bwd"), (2.0 * x * g,))[1],
    )
    assert f(3.0) == 9.0
    assert grad(lambda x: x * f(3.0))(2.0) == 9.0
    assert calls == ["f", "f"]
    calls.clear()
    assert grad(f)(3.0) == 6.0
    assert calls == ["fwd", "bwd"]
    calls.clear()
    _, pullback = vjp(f, 3.0)
    assert [pullback(1.0), pullback(2.0)] == [(6.0,), (12.0,)]
    assert calls == ["fwd", "bwd", "bwd"]
    calls.clear()
    assert grad(lambda x: f(x) * 0.0)(3.0) == 0.0
    assert calls == ["fwd"]  # an adjoint of 0 is not taken further
