"""Python's complex numbers, begun by tracked floats: values as Python computes them, gradients."""

import random

import numpy as np
import pytest

import tapead

PROGRAMS = {
    "sum": lambda x, c, d: c + x,
    "product": lambda x, c, d: (c + x) * (d * x),
    "quotient": lambda x, c, d: (c + x) / (d * x),
    "by a float": lambda x, c, d: (c + x) / 3.0,
    "of a float": lambda x, c, d: x / (c + d),
    "square": lambda x, c, d: (c + x) ** 2,
    "power": lambda x, c, d: (c + x) ** (d * x),
    "root": lambda x, c, d: (c + x) ** 0.5,
    "inverse": lambda x, c, d: (c * x) ** -1,
    "length": lambda x, c, d: abs(c + x) + 0j,
    "conjugate": lambda x, c, d: (c + x).conjugate() / d,
    "parts": lambda x, c, d: (c + x).real / (d * x).imag + 1j * (c * x).imag,
    "negative": lambda x, c, d: -(c + x) / (+d),
}


def pairs(count):
    draw = random.Random(3).gauss
    return [[complex(draw(0, 1), draw(0, 1)) for _ in range(2)] for _ in range(count)]


def parts(f, c, d):
    def g(x):
        z = f(x, c, d)
        return z.real + 2 * z.imag

    return g


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_are_pythons_to_the_last_bit_and_gradients_exact(name):
    for c, d in pairs(60):
        f = parts(PROGRAMS[name], c, d)
        assert tapead.value_and_grad(f)(0.7)[0] == f(0.7)
        assert tapead.jvp(f, (0.7,), (1.0,))[0] == f(0.7)
    c, d = pairs(1)[0]
    tapead.check_grads(parts(PROGRAMS[name], c, d), (0.7,), order=2)


def test_the_program_sees_complex_numbers_and_floats():
    def f(x):
        z = 1j * x + 2
        w = z / (1 - 2j)
        seen.extend(
            [type(z), type(w), type(w.conjugate()), type(z.real), type(w.imag), type(abs(w))]
        )
        assert isinstance(z, complex)
        return abs(w)

    seen = []
    expected = f(1.5)
    plain, seen = seen, []
    assert tapead.value_and_grad(f)(1.5)[0] == expected
    assert seen == plain


def test_a_checkpointed_function_of_complex_numbers_runs_again_to_the_same_bits():
    for c, d in pairs(40):
        f = parts(lambda x, c, d: abs((c + x) / (d * x)) ** 0.5 + (c / x) ** -1.5, c, d)
        assert tapead.grad(tapead.checkpoint(f))(0.7) == tapead.grad(f)(0.7)


FUNCTIONS = {
    "root": lambda z: z**0.5,
    "power": lambda z: z**-1.5,
    "complex power": lambda z: z ** (0.3 + 0.2j),
    "base": lambda z: 2.0**z,
    "cube": lambda z: z**3,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "quotient": lambda z: (z + 1) / (z * z - 2j),
    "length": lambda z: abs(z) * z,
    "conjugate": lambda z: np.conj(z) * z * z,
}


@pytest.mark.parametrize("of", ["a number", "an array"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_by_real_numbers_are_the_same_in_every_order(name, of):
    """Tangents by a real number may be real where the values are complex."""
    factor = 0.3 + 1.1j if of == "a number" else np.array([0.3 + 1.1j, -0.4 + 0.2j])

    def f(x):
        z = FUNCTIONS[name](factor * x + x * x + 0.2j)
        return np.sum(np.real(z)) + 2 * np.sum(np.imag(z))

    def slope(x):
        return tapead.jvp(f, (x,), (1.0,))[1]

    x, h = 0.7, 1e-5
    gradient = tapead.grad(f)
    differences = (gradient(x + h) - gradient(x - h)) / (2 * h)
    found = [
        tapead.jvp(slope, (x,), (1.0,))[1],
        tapead.jvp(gradient, (x,), (1.0,))[1],
        tapead.grad(slope)(x),
        tapead.grad(gradient)(x),
        tapead.hvp(f, (x,), (1.0,)),
        tapead.hessian(f)(x),
        tapead.linearize(gradient, x)[1](1.0),
    ]
    assert found == pytest.approx([differences] * 7, rel=1e-6)
