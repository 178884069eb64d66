"""jvp, vjp, linearize and hvp: trees, kinds of numbers, aux, and functions of all sorts."""

import dataclasses
import functools
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead import lanes


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
X, A, Z = checks.X, checks.A, family.Z
Point, Body, assert_close = family.Point, family.Body, family.assert_close
jvp, vjp, linearize, hvp, grad = (
    tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp, tapead.grad,
)  # fmt: skip
V, ONES = np.array([0.5, -1.5, 0.25]), np.ones(3)
cube = lambda x: x * x * x  # noqa: E731

# ------------------------------------------------------------------------------- trees ---


def model(w, point, body):
    out = w["a"] * point.x + body.mass * body.place[0]
    return {"out": out, "parts": [point.y**2, Point(w["b"], body.place)]}


ARGS = ({"a": 2.0, "b": X}, Point(3.0, 4.0), Body(5.0, X * 2.0))
DIRECTION = ({"a": 0.5, "b": V}, Point(-1.0, 0.25), Body(0.75, ONES))


def test_trees_forward():
    expected = {
        "out": 0.5 * 3.0 + 2.0 * -1.0 + 0.75 * 1.4 + 5.0,
        "parts": [8.0 * 0.25, Point(V, ONES)],
    }
    value, tangent = jvp(model, ARGS, DIRECTION)
    assert_close(tangent, expected)
    assert_close(linearize(model, *ARGS)[1](*DIRECTION), expected)
    assert_close(value, model(*ARGS))
    assert type(tangent["parts"][1]) is Point


def test_trees_backward():
    w = {"out": 2.0, "parts": [0.5, Point(V, ONES)]}
    expected = (
        {"a": 6.0, "b": V},
        Point(4.0, 4.0),
        Body(2.8, np.array([11.0, 1.0, 1.0])),
    )
    found = vjp(model, *ARGS)[1](w)
    assert_close(found, expected)
    assert [type(x) for x in found] == [dict, Point, Body]


def test_trees_of_second_order():
    def energy(w, point, body):
        return w["a"] ** 2 * point.x + body.mass * np.sum(body.place * w["b"])

    found = hvp(energy, ARGS, DIRECTION)
    expected = (
        {"a": 2.0 * 0.5 * 3.0 + 2.0 * 2.0 * -1.0, "b": 0.75 * 2.0 * X + 5.0 * ONES},
        Point(2.0 * 2.0 * 0.5, 0.0),
        Body(np.sum(X) + 2.0 * X @ V, 0.75 * X + 5.0 * V),
    )
    assert_close(found, expected)
    assert [type(x) for x in found] == [dict, Point, Body]


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: float
    rest: tuple = ()


def test_frozen_dataclasses_and_empty_parts():
    f = lambda p: Frozen(p.x * p.x, (p.x, ()))  # noqa: E731
    value, tangent = jvp(f, (Frozen(3.0),), (Frozen(1.0),))
    assert (value, tangent) == (Frozen(9.0, (3.0, ())), Frozen(6.0, (1.0, ())))
    assert vjp(f, Frozen(3.0))[1](Frozen(1.0, (0.5, ()))) == (Frozen(6.5),)


@pytest.mark.parametrize("empty", [{}, [], (), Frozen(1.0).rest, {"a": [], "b": ({},)}])
def test_empty_trees(empty):
    assert jvp(lambda x, t: x * x, (3.0, empty), (1.0, empty)) == (9.0, 6.0)
    assert vjp(lambda x, t: (x * x, t), 3.0, empty)[1]((1.0, empty)) == (6.0, empty)
    assert hvp(lambda x, t: x * x, (3.0, empty), (1.0, empty)) == (2.0, empty)
    assert vjp(lambda t: 1.0, empty)[1](1.0) == (empty,)


# --------------------------------------------------------------------- kinds of numbers ---


@pytest.mark.parametrize("x", [3, np.int64(3), np.int8(3)])
def test_whole_numbers_count_as_floats(x):
    assert jvp(cube, (x,), (1.0,)) == (27.0, 27.0)
    assert jvp(cube, (x,), (2,)) == (27.0, 54.0)
    assert vjp(cube, x)[1](1) == (27.0,)
    assert linearize(cube, x)[1](1) == 27.0
    assert hvp(cube, (x,), (1,)) == 18.0
    assert type(jvp(cube, (x,), (1,))[1]) is float


def test_arrays_of_whole_numbers_count_as_floats():
    x = np.arange(3)
    assert_close(jvp(cube, (x,), (np.array([1, 1, 2]),))[1], np.array([0.0, 3.0, 24.0]))
    (found,) = vjp(cube, x)[1](np.ones(3, int))
    assert found.dtype == float
    assert_close(found, 3.0 * x**2)
    assert hvp(lambda x: np.sum(cube(x)), (x,), (x,)).dtype == float


KINDS = [float, np.float64, np.float32, np.float16]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_keep_their_kind(kind):
    x, one = kind(1.5), kind(1.0)
    value, tangent = jvp(cube, (x,), (one,))
    found = [tangent, vjp(cube, x)[1](one)[0], linearize(cube, x)[1](one)]
    assert [type(y) for y in found] == [kind] * 3
    assert type(value) is type(cube(x))
    assert found == [kind(6.75)] * 3
    assert type(hvp(cube, (x,), (one,))) is kind
    assert hvp(cube, (x,), (one,)) == kind(9.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_arrays_keep_shape_and_dtype(dtype, shape):
    x, v = np.full(shape, 1.5, dtype), np.ones(shape, dtype)
    found = [vjp(cube, x)[1](v)[0], hvp(lambda x: np.sum(x * x * x), (x,), (v,))]
    assert all(isinstance(y, np.ndarray) for y in found)
    found += [jvp(cube, (x,), (v,))[1], linearize(cube, x)[1](v)]  # numbers without dimensions
    for y, expected in zip(found, (6.75, 9.0, 6.75, 6.75)):
        assert (np.shape(y), y.dtype) == (shape, dtype)
        assert np.all(y == expected)


def test_hvp_by_an_array_without_dimensions_is_one():
    found = hvp(cube, (np.array(1.5),), (np.array(1.0),))
    assert isinstance(found, np.ndarray)
    assert found == 9.0


def test_other_dtypes_of_tangents_and_adjoints_are_converted():
    x = X.astype(np.float32)
    for v in (V, V.astype(np.float32), np.arange(3)):
        tangent, (adjoint,) = jvp(cube, (x,), (v,))[1], vjp(cube, x)[1](v)
        assert (tangent.dtype, adjoint.dtype) == (np.float32, np.float32)
        assert_close(tangent, 3.0 * X**2 * v, 1e-6)
        assert_close(adjoint, 3.0 * X**2 * v, 1e-6)
    assert jvp(cube, (2.0,), (np.array(0.5),))[1] == 6.0
    assert jvp(cube, (2.0,), (np.float32(0.5),))[1] == 6.0


def test_constant_results_have_zeros():
    def f(x):
        return 3, 3.0, True, 2j, np.arange(3), np.float32(2.0), np.array([1j])

    value, tangent = jvp(f, (2.0,), (1.0,))
    assert_close(tangent, tuple(0.0 * np.asarray(x)[()] for x in value))
    assert [np.asarray(x).dtype.char for x in tangent] == list("dddDdfD")
    assert_close(linearize(f, 2.0)[1](1.0), tangent)
    assert vjp(f, 2.0)[1](tuple(np.ones_like(x) for x in tangent)) == (0.0,)
    assert hvp(lambda x: 3, (X,), (V,)).tolist() == [0.0, 0.0, 0.0]
    assert hvp(lambda x: 3 * x, (2.0,), (1.0,)) == 0.0


# ----------------------------------------------------------------------------- complex ---


def test_the_tangent_of_a_complex_function_is_its_derivative_along_the_direction():
    v = np.array([0.5 + 1.0j, -1.0j, 2.0])
    assert_close(jvp(cube, (Z,), (v,))[1], 3.0 * Z**2 * v)
    assert_close(jvp(np.conj, (Z,), (v,))[1], np.conj(v))
    assert_close(jvp(np.abs, (Z,), (v,))[1], (np.conj(Z) * v).real / np.abs(Z))
    assert_close(jvp(lambda x: np.exp(1j * x), (X,), (V,))[1], 1j * np.exp(1j * X) * V)


def test_the_pullback_of_a_complex_function_conjugates_nothing():
    w = np.array([0.5 + 1.0j, -1.0j, 2.0])
    assert_close(vjp(cube, Z)[1](w)[0], 3.0 * Z**2 * w)
    # df/dx - 1j * df/dy, as grad has it
    assert_close(vjp(lambda z: np.sum(np.abs(z)), Z)[1](1.0)[0], np.conj(Z) / np.abs(Z))
    assert_close(vjp(np.conj, Z)[1](w)[0], np.conj(w))
    (found,) = vjp(lambda x: 1j * x, X)[1](w)
    assert found.dtype == float
    assert_close(found, -w.imag)


def test_hvp_of_real_functions_of_complex_numbers_and_with_complex_numbers_inside():
    power = lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2)  # noqa: E731
    assert_close(hvp(power, (X,), (V,)), 2.0 * 3.0 * V)
    of_both = lambda z, x: np.sum(z.real * x * x)  # noqa: E731
    found = hvp(of_both, (Z, X), (1j * Z, V))
    assert found[0].dtype == complex
    assert_close(found, (2.0 * X * V + 0j, 2.0 * X * (1j * Z).real + 2.0 * Z.real * V))


def test_holomorphic_hvp():
    found = hvp(lambda z: np.sum(z**3), (Z,), (Z[::-1].copy(),), holomorphic=True)
    assert_close(found, 6.0 * Z * Z[::-1])


# ---------------------------------------------------------------- aux, and sorts of functions ---


def with_aux(x):
    return np.sum(x * x), {"twice": 2.0 * x, "name": "aux", "list": [x[0]]}


def test_aux_is_handed_through_as_plain_data():
    value, tangent, aux = jvp(with_aux, (X,), (V,), has_aux=True)
    assert (value, tangent) == (np.sum(X * X), pytest.approx(2.0 * X @ V))
    kept, pullback, other = vjp(with_aux, X, has_aux=True)
    assert_close(pullback(1.0), (2.0 * X,))
    again, derivative, third = linearize(with_aux, X, has_aux=True)
    assert derivative(V) == pytest.approx(2.0 * X @ V)
    product, fourth = hvp(with_aux, (X,), (V,), has_aux=True)
    assert_close(product, 2.0 * V)
    for found in (aux, other, third, fourth):
        assert type(found["twice"]) is np.ndarray
        assert found["twice"].tolist() == (2.0 * X).tolist()
        assert found["name"] == "aux"
        assert [type(x) for x in found["list"]] == [np.float64]
    assert kept == again == value


class Spring:
    def __init__(self, stiffness):
        self.stiffness = stiffness

    def energy(self, x):
        return self.stiffness * x**3

    @classmethod
    def standard(cls, x):
        return cls(2.0).energy(x)

    @staticmethod
    def cubed(x):
        return 2.0 * x**3

    def __call__(self, x):
        return self.energy(x)


def default(x, factor=2.0, *rest, power=3):
    return factor * x**power


SORTS = {
    "function": default,
    "lambda": lambda x: 2.0 * x**3,
    "method": Spring(2.0).energy,
    "classmethod": Spring.standard,
    "staticmethod": Spring.cubed,
    "callable": Spring(2.0),
    "partial": functools.partial(default, factor=2.0),
    "cached": functools.lru_cache(default),
    "closure": (lambda spring: lambda x: spring.energy(x))(Spring(2.0)),
    "wrapped": functools.wraps(default)(lambda *args: default(*args)),
}


@pytest.mark.parametrize("f", SORTS.values(), ids=SORTS)
def test_functions_of_all_sorts(f):
    assert jvp(f, (1.5,), (1.0,)) == pytest.approx((6.75, 13.5))
    assert vjp(f, 1.5)[1](1.0) == pytest.approx((13.5,))
    assert linearize(f, 1.5)[1](1.0) == pytest.approx(13.5)
    assert hvp(f, (1.5,), (1.0,)) == pytest.approx(18.0)


FUNCTIONS = {
    "math.sin": (math.sin, (0.5,), math.cos(0.5)),
    "np.sin": (np.sin, (0.5,), math.cos(0.5)),
    "abs": (abs, (-0.5,), -1.0),
    "max": (max, (1.0, 2.0), 1.0),
    "sum": (sum, ([1.0, 2.0],), 2.0),
    "np.array": (np.array, ([1.0, 2.0],), np.ones(2)),
    "sorted": (sorted, ([2.0, 1.0],), [1.0, 1.0]),
    "float": (float, (0.5,), 1.0),
}


@pytest.mark.parametrize(("f", "args", "expected"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_the_libraries(f, args, expected):
    ones = family.mapped(np.ones_like, args)
    assert_close(jvp(f, args, ones)[1], expected)
    assert_close(linearize(f, *args)[1](*ones), expected)
    w = family.mapped(np.ones_like, f(*args))
    found = family.along(vjp(f, *args)[1](w), ones)
    assert found == pytest.approx(family.along(w, expected))


def test_what_is_kept_says_what_it_is_of():
    assert repr(vjp(default, 1.0)[1]) == "<tapead pullback of default>"
    assert repr(linearize(default, 1.0)[1]) == "<tapead derivative of default>"
    assert repr(vjp(Spring(2.0), 1.0)[1]) == "<tapead pullback of Spring>"


# ----------------------------------------------------------------- native and general paths ---


@pytest.mark.parametrize(("f", "args"), family.NATIVE.values(), ids=family.NATIVE)
def test_the_native_sweeps_give_what_the_general_ones_do(f, args, monkeypatch):
    g = lambda *xs: sum(np.sum(np.square(x)) for x in family.leaves(f(*xs))) * 1.0  # noqa: E731
    one = lambda *xs: family.leaves(f(*xs))[0] * 1.0  # noqa: E731
    functions = [one] if np.ndim(family.leaves(f(*args))[0]) == 0 else []
    v = family.random_like(args, 5)
    native = [hvp(h, args, v) for h in [*functions, g]]
    monkeypatch.setattr(lanes, "layout", lambda *_: None)
    for h, found in zip([*functions, g], native):
        assert_close(found, hvp(h, args, v), 1e-12)
    assert family.forms(native[-1]) == family.forms(args[0] if len(args) == 1 else args)
