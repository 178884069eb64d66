"""Arrays of complex numbers and of float32: their elements and parts, and what these pass for."""

import importlib.util
import math  # noqa: F401 - the expressions below name it
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

X = np.array([0.73, 1.31, 2.17])
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


def lines(text, *before):
    """Functions of x that give the expressions of a text, one a line, after these statements."""
    found = {}
    for line in text.strip().splitlines():
        body = "\n    ".join([*before, f"return {line}"])
        exec(f"def f(x, kind=np.float32):\n    {body}", globals(), scope := {})
        found[line] = scope["f"]
    return pytest.mark.parametrize("f", found.values(), ids=found.keys())


COMPLEX = """
(z[0] * z[1]).imag
(z[0] * z[1]).real
(z[0] ** 2).real + (z[1] ** 2).imag
z[0].conjugate().imag * z[1].imag
z.conj()[0].imag * np.conj(z)[1].imag + z.conj().real.sum() ** 2
np.imag(z[0] * z[1]) + np.real(1 / z[2])
(1 / z[0]).real + (2j * z[0]).real + (-z[1]).imag
np.abs(z[0]) ** 2 * np.angle(z)[1] + np.angle(z * 1j)[2]
(z[0] + x[0]).real * (x[0] * z[0]).imag
np.exp(z[1]).real * np.exp(1j * x[0]).imag
np.array([z[0], z[1]])[1].imag * np.array([z[0], 1j]).sum().imag
sum(z).imag * sum([abs(v) ** 2 for v in z])
z.tolist()[1].imag * z[0].real
np.vdot(z, z).real + (z @ z).imag + np.linalg.norm([z[0], z[1]]) ** 2
z.imag @ z.real + z[::-1].imag[1:] @ z.imag[:2]
z.reshape(1, 3).T.imag[1, 0] * z.imag.sum()
np.imag(np.fft.fft(x))[1] * np.fft.rfft(x).imag[1] + np.fft.ifft(z).imag[2]
(x[0] + 1j * x[1:]).imag @ x[1:]
"""


@lines(COMPLEX, "z = x * (1 + 2j)", "z[0] *= 1j", "z = z * z")
def test_elements_and_parts_of_complex_arrays(f):
    assert_right(lambda: f, X)


COMPLEX_WRITES = """
z[0] = z[1] * z[2]
z[0], z[1] = z[1], z[0]
z[1] += z[0] * x[2]; z[2] = np.abs(z[0]); z[0] = x[0]; z[1:] *= 1j
z.real = x * x; z.imag += x
z.imag = x; z.real[1] *= x[0]
z.imag[0] = x[1] * x[2]
z.imag[1:] *= z.real[:2]
z.imag[[0, 0]] += x[:2]; z.real[x > 1] = x[0]
np.multiply(z, z, out=z); np.add.at(z, [0, 0], z[1:])
r = z.real; i = z.imag; z *= 2j; z += i * r
i = z.imag; z[0] = x[0] * (1 + 3j); z[1] *= i[0]
i = z.T.imag; i[1] = x[0] ** 2; z[2] += i[1] * i[0]
z[[0, 2]] = z[[2, 0]]; z.sort()
z[:] = x; z[0] += 2j * x[1]
"""


@pytest.mark.parametrize("text", COMPLEX_WRITES.strip().splitlines())
def test_writes_into_complex_arrays(text):
    scope = {"np": np}
    body = "\n    ".join(["z = x * (1 + 2j) + 0.5", *text.split("; "), "w = np.array([1, 2, 3j])"])
    exec(f"def f(x):\n    {body}\n    return np.sum(np.abs(z * z + w)) + np.sum(z).imag", scope)
    assert_right(lambda: scope["f"], X)


def test_the_convention_for_complex_inputs():
    z = np.array([1.0 + 2.0j, -0.5 + 0.25j])
    # f = u + iv is real here: its gradient is du/dRe - i du/dIm.
    assert grad(lambda z: np.sum(z.real))(z).tolist() == [1.0, 1.0]
    assert grad(lambda z: np.sum(z.imag))(z).tolist() == [-1.0j, -1.0j]
    assert grad(lambda z: z.imag[1] + 0.0)(z).tolist() == [0.0, -1.0j]
    assert grad(lambda z: z[0].imag * 2.0)(z).tolist() == [-2.0j, 0.0]
    assert grad(lambda z: np.sum(np.abs(z) ** 2))(z).tolist() == (2.0 * z.conj()).tolist()
    assert grad(lambda z: (z * z).imag.sum())(z).tolist() == (-2.0j * z).tolist()
    real = grad(lambda x: np.sum((x * z).imag))(np.ones(2))
    assert real.dtype == float
    assert real.tolist() == z.imag.tolist()


SINGLE = """
f[0] * f[1] * x[0]
float(f[0]) * x[1] + float(f.sum()) * x[0]
math.sin(f[0]) * x[1] + math.sqrt(f.sum())
f[1] ** 2 * x[0] + abs(-f[0]) * x[2] + 1 / f[0] * x[1]
(x[0] if f[0] > 0.5 else x[1]) * f[2]
max(f[0], f[1]) * sorted(f)[0] * x[0]
f.tolist()[0] * f.item(1) * x[2] + f[2].item()
sum(f) * x[0] + np.array([f[0], f[1]]).sum() * x[1]
f[0] % 0.5 * x[0] + divmod(f[1], 0.5)[1] * x[1]
int(f[2]) * x[0] + round(f[2]) * x[1] + range(int(f[2]))[1] * x[0]
"""


@lines(SINGLE, "f = x.astype(kind)")
def test_elements_of_single_precision(f):
    value, gradient = tapead.value_and_grad(f)(X)
    assert type(value) is type(f(X))
    assert value == f(X)
    np.testing.assert_allclose(gradient, grad(lambda x: f(x, float))(X), rtol=1e-6)


PASSES_FOR = """
np.isscalar(e)
isinstance(e, np.ndarray)
isinstance(e, (complex, np.complexfloating))
isinstance(e, np.floating)
isinstance(e, float)
isinstance(e, np.generic)
type(e).__name__
type(e) is np.ndarray
(np.ndim(e), np.shape(e), e.dtype, e.shape)
hash(e) == hash(e.item())
len({e: 1})
repr(e)
str(e)
f"{e:.3f}"
bool(e)
e == e
e in [e]
e != 0
type(e.item()).__name__
type(e * 2).__name__
type(-e).__name__
type(e + np.float64(1)).__name__
"""


@pytest.mark.parametrize("kind", [np.complex128, np.complex64, np.float32, np.float64])
@pytest.mark.parametrize("text", PASSES_FOR.strip().splitlines())
def test_an_element_passes_for_a_number_of_its_kind(kind, text):
    look = eval(f"lambda e: {text}", {"np": np})
    seen = []

    def f(x):
        y = x.astype(kind)
        seen.append([look(y[1]), look(y.sum()), look((y * 2)[0])])
        return np.sum(x)

    f(X)
    grad(f)(X)
    assert seen[0] == seen[1]
    assert list(map(type, seen[0])) == list(map(type, seen[1]))
