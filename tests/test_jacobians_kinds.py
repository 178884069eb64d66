"""jacfwd, jacrev, jacobian and hessian: kinds of numbers, decorators, pickles."""

import importlib.util
import inspect
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
X, Z, I3 = checks.X, family.Z, np.eye(3)
assert_close = family.assert_close
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
each_jacobian = pytest.mark.parametrize("jacobian_of", JACOBIANS.values(), ids=JACOBIANS)

# ------------------------------------------------------------------------ kinds of numbers ---


@each_jacobian
@pytest.mark.parametrize("x", [3, np.int64(3), 3.0, np.float64(3.0), np.float32(3.0)])
def test_numbers_by_numbers_are_floats(x, jacobian_of):
    found = jacobian_of(lambda x: (x * x, [x, 1]))(x)
    assert found == (6.0, [1.0, 0.0])
    assert [type(y) for y in family.leaves(found)] == [float] * 3
    found = hessian(lambda x: (x * x * x, [x, 1]))(x)
    assert found == (18.0, [0.0, 0.0])
    assert [type(y) for y in family.leaves(found)] == [float] * 3


def test_dtypes_of_blocks():
    f = lambda a, b: (a * b, a * 2.0)  # noqa: E731
    single = X.astype(np.float32)
    forward = jacfwd(f, argnums=(0, 1))(single, X)
    backward = jacrev(f, argnums=(0, 1))(single, X)
    assert [x.dtype.char for x in family.leaves(forward)] == ["d", "d", "f", "f"]  # the results'
    assert [x.dtype.char for x in family.leaves(backward)] == ["f", "d", "f", "d"]  # the inputs'
    assert jacobian(lambda x: x[0] * x[1])(single).dtype == np.float32
    assert hessian(lambda x: x[0] * x[1])(single).dtype == np.float32
    assert hessian(lambda x: np.sum(x**3))(single).dtype == np.float32
    assert jacfwd(lambda x: x * x)(np.arange(3)).dtype == float
    assert jacrev(lambda x: np.arange(3))(np.arange(2)).dtype == float


@each_jacobian
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_arrays_of_size_zero(shape, jacobian_of):
    empty = np.zeros(shape)
    assert jacobian_of(lambda x: x * 2.0)(empty).shape == shape + shape
    assert jacobian_of(lambda x: np.sum(x))(empty).shape == shape
    assert jacobian_of(lambda x: empty * x[0])(X).shape == (*shape, 3)
    assert jacobian_of(lambda x: (empty, x[0]), argnums=0)(X)[0].shape == (*shape, 3)
    assert hessian(lambda x: np.sum(x * x))(empty).shape == shape + shape
    assert hessian(lambda x: empty * x[0] ** 2)(X).shape == (*shape, 3, 3)


@each_jacobian
def test_holomorphic_jacobians(jacobian_of):
    f = lambda z: np.exp(z) * z[0]  # noqa: E731
    expected = np.diag(np.exp(Z) * Z[0])
    expected[:, 0] += np.exp(Z)
    assert_close(jacobian_of(f, holomorphic=True)(Z), expected)
    assert jacobian_of(lambda z: z**3, holomorphic=True)(1j) == pytest.approx(-3.0)


def test_holomorphic_hessians():
    f = lambda z: np.sum(z**3) + z[0] * z[1] * 1j  # noqa: E731
    expected = np.diag(6.0 * Z)
    expected[0, 1] = expected[1, 0] = 1j
    assert_close(hessian(f, holomorphic=True)(Z), expected)
    twice = jacrev(jacrev(f, holomorphic=True), holomorphic=True)(Z)
    assert_close(twice, expected)
    assert hessian(lambda z: z**3, holomorphic=True)(1j) == pytest.approx(6j)


def test_jacfwd_of_complex_results_and_jacrev_of_complex_arguments():
    assert_close(jacfwd(lambda x: np.fft.fft(x))(X), np.fft.fft(I3))
    of_abs = jacrev(lambda z: np.sum(np.abs(z)))(Z)
    assert_close(of_abs, np.conj(Z) / np.abs(Z))
    assert_close(jacobian(lambda z: np.sum(np.abs(z)))(Z), of_abs)
    assert_close(hessian(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(X), 6.0 * I3)


# ------------------------------------------------------------------ decorators and pickles ---


@tapead.jacfwd
def forward(x):
    """Of forward."""
    return np.sin(x) * x


@tapead.jacobian(argnums=(0, -1), mode="rev")
def backward(x, k, y):
    return x * y * k


@tapead.hessian
def curvature(x):
    return np.sum(x**3)


class Spring:
    stiffness = 3.0

    @tapead.jacrev(argnums=1)
    def force(self, x):
        return self.stiffness * x**2

    @tapead.hessian(argnums=1)
    def bend(self, x):
        return self.stiffness * x**3

    def plain(self, x):
        return self.stiffness * x**3


def test_decorators_and_methods():
    assert_close(forward(X), np.diag(np.sin(X) + X * np.cos(X)))
    assert (forward.__name__, forward.__doc__) == ("forward", "Of forward.")
    assert list(inspect.signature(backward).parameters) == ["x", "k", "y"]
    assert repr(backward) == "<tapead.jacobian of backward>"
    assert_close(backward(X, 2.0, 3.0), (6.0 * I3, 2.0 * X))
    assert_close(curvature(X), np.diag(6.0 * X))
    spring = Spring()
    assert (spring.force(2.0), Spring.force(spring, 2.0), spring.bend(2.0)) == (12.0, 12.0, 36.0)
    assert (jacfwd(spring.plain)(2.0), hessian(spring.plain)(2.0)) == (36.0, 36.0)


def squared(x):
    return x * x


def test_derived_functions_can_be_pickled():
    for derived in (forward, backward, curvature):
        assert pickle.loads(pickle.dumps(derived)) is derived
    for of in (jacfwd, jacrev, jacobian, hessian):
        again = pickle.loads(pickle.dumps(of(squared)))
        assert again(3.0) == of(squared)(3.0)
    again = pickle.loads(pickle.dumps(jacobian(squared, mode="rev", has_aux=False)))
    assert again(3.0) == 6.0
    assert repr(again) == "<tapead.jacobian of squared>"
    assert pickle.loads(pickle.dumps(jacfwd(jacrev(squared))))(3.0) == 2.0
