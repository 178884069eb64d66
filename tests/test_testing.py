"""check_grads: passes on right derivatives, and its failure names what is wrong."""

import math

import numpy as np
import pytest

import tapead
from tapead import testing


def right(x, w):
    return math.sin(x * w["a"]) + w["b"][0] ** 3 / x


ARGS = (1.2, {"a": 0.7, "b": [2.0]})


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_passes_on_right_derivatives(order, modes):
    tapead.check_grads(right, ARGS, order=order, modes=modes)


def test_a_tree_of_results_is_checked():
    tapead.check_grads(lambda x, y: {"a": [x * y, math.exp(x)], "b": 3.0}, (0.5, 1.5))


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_failure_names_mode_argument_direction_and_both_numbers(mode):
    def wrong(x, w):
        return x * tapead.stop_gradient(w["a"])

    with pytest.raises(AssertionError) as caught:
        tapead.check_grads(wrong, ARGS, modes=(mode,))
    message = str(caught.value)
    assert f"order 1, {mode}" in message
    assert "args[1]['a'] = 0.7: 0.0 but complex step 1.2 along 1.0" in message
    assert "args[0]" not in message
    assert "direction [" in message


def test_a_wrong_second_derivative_is_found_at_order_two_only():
    def wrong(x):
        # value x^2, slope 2x, but the slope's own derivative is cut off
        held = tapead.stop_gradient(x)
        return 2.0 * held * x - held * held

    tapead.check_grads(wrong, (1.5,), order=1, atol=10.0)
    with pytest.raises(AssertionError, match="order 1"):
        tapead.check_grads(lambda x: wrong(x) + 0.1 * tapead.stop_gradient(x), (1.5,), order=1)


@pytest.mark.parametrize("bad", ["fwd", (), ("forward",)])
def test_unknown_modes(bad):
    with pytest.raises(ValueError, match="modes"):
        tapead.check_grads(right, ARGS, modes=bad)


@pytest.mark.parametrize("order", [0, -1, 1.5])
def test_orders_below_one(order):
    with pytest.raises(ValueError, match="order"):
        tapead.check_grads(right, ARGS, order=order)


def test_arguments_that_are_no_numbers():
    with pytest.raises(TypeError, match=r"args\[0\] is 'a'"):
        tapead.check_grads(lambda x: 1.0, ("a",))
    with pytest.raises(TypeError, match="the tuple of f's arguments"):
        tapead.check_grads(lambda x: x, 1.0)


@pytest.mark.parametrize(
    ("f", "method"),
    [
        (lambda x: x**3, "complex step"),
        (lambda x: np.exp(x) * x, "complex step"),
        (lambda x: math.exp(x), "central differences"),  # takes no complex numbers
        (lambda x: np.abs(x), "central differences"),  # is not analytic
        (lambda x: x if x > 0 else -x, "central differences"),
        (lambda x: (x * np.conj(x)).real, "central differences"),
    ],
)
def test_the_numeric_slope_is_a_complex_step_where_the_function_is_analytic(f, method):
    found = testing._numeric(lambda xs: f(xs[0]), [0.7], [1.0])
    assert found.method == method
    assert found.value == pytest.approx(tapead.grad(f)(0.7), rel=1e-9)


def test_a_complex_step_finds_what_differences_would_miss():
    f = lambda x: x * x + 1e-9 * tapead.stop_gradient(x)  # noqa: E731
    with pytest.raises(AssertionError, match="complex step"):
        tapead.check_grads(f, (0.7,), order=1, rtol=1e-12, atol=0.0)


def test_both_modes_are_checked_within_each_other():
    seen = []

    def f(x):
        return x**3

    original = testing._check
    testing._check = lambda *args: seen.append(args[3])
    try:
        tapead.check_grads(f, (0.7,), order=2)
    finally:
        testing._check = original
    assert seen == [
        "order 1, fwd", "order 1, rev", "order 2, fwd of fwd", "order 2, rev of fwd",
        "order 2, fwd of rev", "order 2, rev of rev",
    ]  # fmt: skip


def test_a_function_with_a_rule_for_reverse_mode_is_checked_in_that():
    @tapead.custom_vjp
    def square(x):
        return x * x

    square.defvjp(lambda x: (x * x, x), lambda x, g: (2.0 * x * g,))
    tapead.check_grads(square, (1.5,), order=2, modes=("rev",))
    square.defvjp(lambda x: (x * x, x), lambda x, g: (3.0 * x * g,))
    with pytest.raises(AssertionError, match="order 1, rev"):
        tapead.check_grads(square, (1.5,), order=1, modes=("rev",))
