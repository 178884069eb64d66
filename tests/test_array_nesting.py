"""Gradients in gradients, where the inner and the outer function write into arrays."""

import importlib.util
from pathlib import Path

import numpy as np

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

X = checks.X
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


def both_written(x):
    y = x * 1.0

    def inner(z):
        z[0] *= y[1]
        z[1:] = z[:-1] * y[2]
        return np.sum(z * z)

    y[0] = 2.0 * x[1]
    g = grad(inner)(x)
    y *= x
    return np.sum(g * y)


def into_the_outer_array(x):
    y = x * 1.0

    def inner(z):
        y[0] = z[0] * z[1]
        return np.sum(z * y)

    g = grad(inner)(x)
    return np.sum(g * y)


def into_the_outer_argument(x):
    def inner(z):
        x[0] = z[1] * 3.0
        return np.sum(x * z)

    return np.sum(grad(inner)(x) * x)


def into_an_outer_buffer(x):
    rows = np.empty((2, 3))

    def inner(z):
        rows[0] = z
        rows[1] = z * x
        np.multiply(rows[0], rows[1], out=rows[0])
        return np.sum(rows)

    return np.sum(grad(inner)(x) * rows[1])


def into_outer_zeros_twice(x):
    c = np.zeros(3)

    def inner(z):
        c[0] = z[0] * z[1]
        c[1] += x[2]
        return np.sum(z * c * x)

    g = grad(inner)(2.0 * x)
    return np.sum(g * grad(inner)(g) * c)


def into_an_outer_array_given(x):
    c = np.ones(3)

    def inner(z, c):
        y = z * c
        c[:] = z
        return np.sum(y * y) + np.sum(c * z)

    return np.sum(grad(inner)(x, c) * (c + 1.0))


def descent_in_place(x):
    w = np.zeros(3)
    for _ in range(3):
        w -= 0.1 * grad(lambda w: np.sum((w - x) ** 2) + np.sum(np.exp(w * x)))(w)
    return np.sum(w * np.arange(1.0, 4.0))


def gradient_written(x):
    v, g = tapead.value_and_grad(lambda z: np.sum(z**3))(x)
    g[0] = v
    g += x
    return np.sum(g * g)


def two_arguments_written(x):
    def inner(a, b):
        a[0] = b[1]
        b *= a
        return np.sum(a * b)

    g, h = grad(inner, argnums=(0, 1))(x, x)
    return np.sum(g * h * x)


def sorted_outside(x):
    u = np.zeros(3)

    def inner(z):
        u[...] = z
        u.sort()
        return np.sum(u**3 * [1.0, 2.0, 3.0])

    return np.sum(grad(inner)(x[::-1]) * u)


def element_of_a_view(x):
    def inner(z):
        w = z[::-1]
        w[1] = z[0] * z[2]
        return w[1]

    return np.sum(grad(inner)(x) * x)


NESTED = {
    f.__name__.replace("_", " "): f
    for f in (
        both_written, into_the_outer_array, into_the_outer_argument, into_an_outer_buffer,
        into_outer_zeros_twice, into_an_outer_array_given, descent_in_place, gradient_written,
        two_arguments_written, sorted_outside, element_of_a_view,
    )
}  # fmt: skip


@checks.each(NESTED)
def test_writes_of_the_inner_and_the_outer_function(f, args):
    assert_right(lambda: f, *args)


def test_third_derivatives_through_writes():
    def f(x):
        y = np.empty(3)
        y[0] = x[0] ** 2
        y[1:] = y[0] * x[1:]
        y[::2] *= x[0]
        return np.sum(y)  # a**3 + a**2 * b + a**3 * c

    third = grad(lambda x: grad(lambda x: grad(f)(x)[0])(x)[0])(X)
    np.testing.assert_allclose(third, [6.0 + 6.0 * X[2], 2.0, 6.0 * X[0]])
