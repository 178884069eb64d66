"""Derivatives of derivatives, and that inner and outer ones are not confused."""

import math

import pytest

import tapead
from tapead import grad


def test_higher_derivatives_of_a_polynomial():
    f = lambda x: x**5  # noqa: E731
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
        f = grad(f)
        assert f(2.0) == pytest.approx(expected, rel=1e-15)


def test_fourth_derivative_of_a_composite():
    f = lambda x: math.exp(math.sin(x))  # noqa: E731
    fourth = grad(grad(grad(grad(f))))
    x, s, c = 0.7, math.sin(0.7), math.cos(0.7)
    closed = math.exp(s) * (c**4 - 6 * c * c * s - 4 * c * c + 3 * s * s + s)
    assert fourth(x) == pytest.approx(closed, rel=1e-13)


@pytest.mark.parametrize("x", [-3.0, 0.0, 1.0, 2.5])
def test_inner_derivative_does_not_see_the_outer_variable(x):
    assert grad(lambda x: x * grad(lambda y: x + y)(2.0))(x) == 1.0


def test_inner_derivative_at_the_outer_variable():
    # d/dx [x * d/dy (x y) at y = x] = d/dx x^2
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    # d/dx [d/dy (x^2 y^3) at y = 2x] = d/dx 12 x^4
    assert grad(lambda x: grad(lambda y: x**2 * y**3)(2.0 * x))(1.5) == pytest.approx(
        48.0 * 1.5**3, rel=1e-15
    )


def test_a_function_that_returns_the_outer_variable_is_constant_to_the_inner_one():
    assert grad(lambda x: x + grad(lambda y: x)(1.0))(2.0) == 1.0


def test_closures_made_by_the_inner_function():
    # The known trap for implementations that tell levels apart by nesting alone (amazing bug).
    def shift(offset):
        return lambda g: lambda a: g(a + offset)

    def d(f, x):
        return grad(f)(x)

    # d/ds of (D (shift s) exp) at s = 0, then at y: exp'' (y)
    result = grad(lambda s: d(shift(s)(math.exp), 1.0))(0.0)
    assert result == pytest.approx(math.exp(1.0), rel=1e-15)


def test_three_levels_with_all_variables_alive():
    def f(x):
        def g(y):
            return x * y * grad(lambda z: x * y * z * z)(y)  # 2 x^2 y^3

        return grad(g)(x)  # 6 x^2 y^2 at y = x: 6 x^4 ... taken with x constant in g

    assert grad(f)(1.5) == pytest.approx(4 * 6 * 1.5**3, rel=1e-14)


def test_a_gradient_step_inside_a_differentiated_loop():
    def loss(w, rate):
        return rate * (w - 3.0) ** 2

    def trained(rate):
        w = 0.0
        for _ in range(5):
            w = w - 0.1 * grad(loss)(w, rate)
        return w

    # w_n = 3 - 3 (1 - 0.2 r)^n
    assert trained(1.0) == pytest.approx(3.0 - 3.0 * 0.8**5, rel=1e-14)
    assert grad(trained)(1.0) == pytest.approx(3.0 * 5 * 0.8**4 * 0.2, rel=1e-13)


def test_newton_iteration_with_an_inner_derivative():
    def root(c):
        x = 1.0
        for _ in range(8):
            x = x - (x * x - c) / grad(lambda x: x * x - c)(x)
        return x

    assert grad(root)(2.0) == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-13)


def test_inner_results_are_plain_where_nothing_outer_reaches_them():
    seen = []

    def f(x):
        inner = grad(lambda y: y * y)(3.0)
        seen.append((type(inner), inner))
        return x * inner

    assert grad(f)(2.0) == 6.0
    assert seen == [(float, 6.0)]


def test_value_and_grad_inside_grad_differentiates_both():
    def f(x):
        value, slope = tapead.value_and_grad(lambda y: y**3 * x)(x)
        return value + slope  # x^4 + 3 x^3

    assert grad(f)(2.0) == pytest.approx(4 * 8 + 9 * 4, rel=1e-15)


def test_aux_of_an_inner_gradient_stays_tracked():
    def f(x):
        slope, aux = grad(lambda y: (x * y * y, x * 10.0), has_aux=True)(2.0)
        return slope + aux  # 4 x + 10 x

    assert grad(f)(1.0) == 14.0


def test_hessian_of_a_function_of_two_variables_by_rows():
    def f(v):
        return v[0] ** 2 * math.sin(v[1])

    rows = [grad(lambda v, i=i: grad(f)(v)[i])([1.5, 0.5]) for i in range(2)]
    s, c = math.sin(0.5), math.cos(0.5)
    assert rows[0] == pytest.approx([2 * s, 3 * c], rel=1e-14)
    assert rows[1] == pytest.approx([3 * c, -2.25 * s], rel=1e-14)


def test_a_partial_that_is_zero_in_value_still_has_a_derivative():
    assert grad(grad(lambda x: x * x * x))(0.0) == 0.0
    assert grad(grad(grad(lambda x: x * x * x)))(0.0) == 6.0


def test_infinite_slopes_against_zero_add_nothing_at_any_order():
    f = lambda x: math.sqrt(x * x)  # noqa: E731
    assert grad(f)(0.0) == 0.0
    assert not math.isnan(grad(grad(f))(0.0))


def test_what_the_program_did_not_use_does_not_leak():
    def f(x, y):
        unused = math.sqrt(y) * x  # infinite slope in y at 0
        return x * x + 0.0 * unused

    assert grad(f, argnums=(0, 1))(2.0, 0.0) == (4.0, 0.0)


def test_rows_grow_linearly_with_inner_gradients():
    def f(x, n):
        for _ in range(n):
            x = x - 0.01 * grad(lambda y: y * y)(x)
        return x

    lengths = [len(tapead.record(f, 1.0, n, argnums=0)) for n in (10, 20, 40)]
    assert lengths[2] - lengths[1] == 2 * (lengths[1] - lengths[0])
