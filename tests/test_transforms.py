"""grad and value_and_grad: arguments, results, what the wrapper keeps."""

import copy
import dataclasses
import functools
import inspect
import math
import pickle
from collections import OrderedDict, namedtuple
from fractions import Fraction

import numpy as np
import optree
import pytest

import tapead

Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Spring:
    stiffness: float
    ends: list
    energy: float = dataclasses.field(init=False, default=0.0)

    def __post_init__(self):
        if not isinstance(self.stiffness, float):
            raise TypeError("stiffness must be a float")


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: float
    b: float


@tapead.grad
def decorated(x):
    """The cube."""
    return x * x * x


@tapead.value_and_grad(argnums=(0, 2), has_aux=True)
def with_everything(x, label: str, y, *, scale=1.0):
    """Scaled product."""
    return scale * x * y, {"label": label, "x": x}


def plain_cube(x):
    return x * x * x


# ------------------------------------------------------------------------ ways to call it ---


def test_bare_decorator():
    assert decorated(2.0) == 12.0


def test_decorator_with_arguments_passes_keywords_and_aux_through():
    (value, aux), (dx, dy) = with_everything(2.0, "a", 5.0, scale=10.0)
    assert (value, dx, dy) == (100.0, 50.0, 20.0)
    assert aux == {"label": "a", "x": 2.0}
    assert type(aux["x"]) is float


def test_functional_form_and_aux_of_grad():
    gradient, aux = tapead.grad(lambda x: (x * x, [x, "text"]), has_aux=True)(3.0)
    assert gradient == 6.0
    assert aux == [3.0, "text"]


def test_argnums_counts_from_the_end_for_negative_numbers():
    assert tapead.grad(lambda x, y: x * y, argnums=-1)(2.0, 5.0) == 2.0


def test_a_tuple_of_one_position_gives_a_tuple():
    assert tapead.grad(plain_cube, argnums=(0,))(1.0) == (3.0,)


def test_differentiated_argument_may_be_given_by_keyword():
    assert tapead.grad(plain_cube)(x=2.0) == 12.0
    assert tapead.grad(lambda x, y: x * y, argnums=1)(3.0, y=4.0) == 3.0


def test_methods_static_methods_and_callable_objects():
    class Model:
        rate = 3.0

        @functools.partial(tapead.grad, argnums=1)
        def slope(self, x):
            return self.rate * x * x

        @staticmethod
        @tapead.grad
        def cube(x):
            return x * x * x

        def __call__(self, x):
            return self.rate * x

    assert Model().slope(2.0) == 12.0
    assert Model.cube(2.0) == 12.0
    assert tapead.grad(Model())(1.0) == 3.0
    assert tapead.grad(functools.partial(pow, 2.0))(3.0) == pytest.approx(8 * math.log(2.0))


# ---------------------------------------------------------------------------- arguments ---


def test_an_int_counts_as_a_float():
    value, slope = tapead.value_and_grad(lambda n: n * n)(3)
    assert (value, slope) == (9.0, 6.0)
    assert type(value) is type(slope) is float


@pytest.mark.parametrize("number", [np.float64(3.0), np.float32(3.0), np.int64(3)])
def test_numpy_numbers_count_as_floats(number):
    assert tapead.grad(lambda x: x * x)(number) == 6.0


def test_trees_of_every_kind():
    tree = {"a": [1.0, 2], "b": (Point(3.0, 4.0), OrderedDict(z=5.0, y=6.0))}

    def f(t):
        point, ordered = t["b"]
        return t["a"][0] * t["a"][1] + point.x * point.y + ordered["z"] * ordered["y"]

    assert tapead.grad(f)(tree) == {"a": [2.0, 1.0], "b": (Point(4.0, 3.0), {"z": 6.0, "y": 5.0})}


def test_dataclasses_are_trees_and_are_not_initialized_again():
    spring = Spring(2.0, [0.0, 3.0])
    gradient = tapead.grad(lambda s: s.stiffness * (s.ends[1] - s.ends[0]) ** 2)(spring)
    assert gradient == dataclasses.replace(gradient, stiffness=9.0, ends=[-12.0, 12.0])
    assert spring.ends == [0.0, 3.0]
    assert tapead.grad(lambda p: p.a * p.b)(Frozen(2.0, 3.0)) == Frozen(3.0, 2.0)


@dataclasses.dataclass
class Circle:
    r: float

    @functools.cached_property
    def area(self):
        return math.pi * self.r**2


def test_what_a_dataclass_has_computed_from_its_old_fields_is_forgotten():
    circle = Circle(2.0)
    assert circle.area == math.pi * 4.0
    assert tapead.grad(lambda c: c.area)(circle).r == math.pi * 2.0 * 2.0


def test_a_gradient_is_a_tree_of_the_arguments_structure():
    circle = Circle(2.0)
    gradient = tapead.grad(lambda c: c.area)(circle)
    moved = optree.tree_map(lambda p, g: p - 0.5 * g, circle, gradient, namespace="tapead")
    assert moved.r == 2.0 - math.pi * 2.0


def test_empty_trees_have_empty_gradients():
    assert tapead.grad(lambda xs: sum(xs))([]) == []
    assert tapead.grad(lambda d: 1.0)({}) == {}


def test_the_callers_containers_are_left_alone():
    xs = [1.0, 2.0]

    def f(xs):
        xs[0] = xs[0] * xs[1]
        xs.append(5.0)
        return xs[0] * xs[2]

    assert tapead.grad(f)(xs) == [10.0, 5.0]
    assert xs == [1.0, 2.0]


# ------------------------------------------------------------------------------ results ---


@pytest.mark.parametrize("constant", [5.0, 5, np.float64(5.0)])
def test_a_constant_result_has_zero_gradient(constant):
    assert tapead.value_and_grad(lambda x: constant)(2.0) == (5.0, 0.0)


def test_an_input_as_result_and_an_input_without_use():
    assert tapead.grad(lambda x, y: x, argnums=(0, 1))(2.0, 3.0) == (1.0, 0.0)


def test_an_input_used_many_times_in_one_operation():
    assert tapead.grad(lambda x: x + x)(1.0) == 2.0
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0
    assert tapead.grad(lambda x: x - x)(3.0) == 0.0
    assert tapead.grad(lambda x: x / x)(3.0) == 0.0
    assert tapead.grad(lambda x: x**x)(2.0) == pytest.approx(4.0 * (math.log(2.0) + 1.0))


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "return statement"),
        ("text", "str"),
        ([1.0], "list"),
        (True, "bool"),
        ((1.0, 2.0), "has_aux"),
        (1j, "complex"),
    ],
)
def test_a_result_that_is_no_real_number_is_named(result, words):
    with pytest.raises(TypeError, match=words):
        tapead.grad(lambda x: result)(1.0)


def test_has_aux_wants_a_pair():
    with pytest.raises(TypeError, match=r"\(value, aux\)"):
        tapead.grad(lambda x: x, has_aux=True)(1.0)


# ------------------------------------------------------------------------- bad arguments ---


@pytest.mark.parametrize("bad", ["1.0", None, True, object(), Fraction(1, 2), [1.0, "a"]])
def test_an_argument_that_is_no_real_number_is_named(bad):
    with pytest.raises(TypeError, match="argument 0"):
        tapead.grad(lambda x: 1.0)(bad)


def test_the_path_to_the_bad_leaf_is_named():
    with pytest.raises(TypeError, match=r"argument 0\['w'\]\[1\] is 'two' of type str"):
        tapead.grad(lambda t: t["w"][0])({"w": [1.0, "two"]})


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([None]), np.zeros(2, "M8[s]")])
def test_an_array_of_anything_but_numbers_is_named(bad):
    with pytest.raises(TypeError, match=r"argument 0.*an array of float or complex was expected"):
        tapead.grad(lambda x: 1.0)(bad)


@pytest.mark.parametrize("x", [np.arange(3), np.arange(3.0), np.arange(3.0, dtype=np.float32)])
def test_the_gradient_of_an_array_has_its_shape_and_dtype_whole_numbers_count_as_floats(x):
    gradient = tapead.grad(lambda x: np.sum(x * x))(x)
    assert gradient.tolist() == [0.0, 2.0, 4.0]
    assert gradient.dtype == (x.dtype if x.dtype.kind == "f" else float)


def test_a_constant_result_has_zero_gradients_of_every_shape():
    args = {"a": np.ones((2, 3)), "b": [1.0, np.zeros(())], "c": np.ones(2, np.complex64)}
    gradient = tapead.grad(lambda t: 5.0)(args)
    assert gradient["a"].shape == (2, 3)
    assert gradient["b"][0] == 0.0
    assert gradient["b"][1].shape == ()
    assert gradient["c"].dtype == np.complex64
    assert not gradient["a"].any()


def test_a_complex_result_needs_holomorphic_and_says_so():
    with pytest.raises(TypeError, match="holomorphic=True"):
        tapead.grad(lambda z: z * z)(1.0 + 2.0j)
    assert complex(tapead.grad(lambda z: z * z, holomorphic=True)(1.0 + 2.0j)) == 2.0 + 4.0j
    slope = tapead.grad(tapead.grad(lambda z: z**3, holomorphic=True), holomorphic=True)
    assert complex(slope(1.0 + 2.0j)) == 6.0 * (1.0 + 2.0j)


def test_an_array_result_is_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"needs one real number.*sum it"):
        tapead.grad(lambda x: x * 2.0)(np.ones(3))


@pytest.mark.parametrize("argnums", [1, -2, (0, 5)])
def test_argnums_out_of_range_says_how_many_there_are(argnums):
    with pytest.raises(ValueError, match="1 positional argument"):
        tapead.grad(lambda x: x, argnums=argnums)(1.0)


@pytest.mark.parametrize("argnums", ["0", 1.0, True, (), (0, "1"), None, [0]])
def test_argnums_of_a_wrong_kind(argnums):
    with pytest.raises(TypeError, match="an int or a tuple of ints"):
        tapead.grad(lambda x: x, argnums=argnums)


def test_argnums_twice_the_same():
    with pytest.raises(ValueError, match="twice"):
        tapead.grad(lambda x: x, argnums=(0, 0))


def test_a_function_is_expected():
    with pytest.raises(TypeError, match="a function was expected"):
        tapead.grad(3.0)


# --------------------------------------------------------------- what the wrapper keeps ---


def test_name_docstring_signature_and_module():
    assert decorated.__name__ == "decorated"
    assert decorated.__doc__ == "The cube."
    assert decorated.__module__ == __name__
    assert str(inspect.signature(with_everything)) == "(x, label: str, y, *, scale=1.0)"
    assert inspect.unwrap(decorated)(2.0) == 8.0


def test_gradient_functions_pickle():
    for g in (tapead.grad(plain_cube), decorated):
        again = pickle.loads(pickle.dumps(g))
        assert again(2.0) == 12.0
        assert again.__name__ == g.__name__
    assert pickle.loads(pickle.dumps(with_everything)) is with_everything
    assert copy.deepcopy(tapead.grad(plain_cube))(2.0) == 12.0


def test_gradient_functions_are_reentrant():
    def f(x, depth):
        return x * x if depth == 0 else x * g(x, depth - 1)

    g = tapead.grad(f)
    assert [g(2.0, k) for k in range(3)] == [4.0, 8.0, 16.0]


# ------------------------------------------------------- stop_gradient and value ---


def test_stop_gradient_cuts_and_keeps_the_value():
    f = tapead.value_and_grad(lambda x: x * tapead.stop_gradient({"k": [x * x]})["k"][0])
    assert f(3.0) == (27.0, 9.0)
    assert tapead.stop_gradient((1.0, "a")) == (1.0, "a")


def test_value_reads_plain_numbers():
    def f(x):
        number = tapead.value([x, {"y": x * 2.0}, "text"])
        assert [type(number[0]), type(number[1]["y"])] == [float, float]
        assert number == [3.0, {"y": 6.0}, "text"]
        return x * number[0]

    assert tapead.grad(f)(3.0) == 3.0
    assert tapead.value(4.0) == 4.0


# ------------------------------------------------------------------ what once went wrong ---


def test_argnums_that_name_one_argument_from_both_ends():
    with pytest.raises(ValueError, match="twice"):
        tapead.grad(lambda a, b: a * b, argnums=(1, -1))(2.0, 3.0)


def test_argnums_of_a_class_derived_from_tuple():
    assert tapead.grad(lambda a, b: a * b, argnums=Point(0, 1))(2.0, 3.0) == (3.0, 2.0)


@dataclasses.dataclass
class Derived:
    a: float
    b: float

    def __post_init__(self):
        self.area = self.a * self.b
        self.label = "rectangle"


def test_a_number_computed_from_the_old_fields_is_missing_not_constant():
    assert tapead.grad(lambda d: d.a * d.b if d.label else 0.0)(Derived(2.0, 3.0)).a == 3.0
    with pytest.raises(AttributeError, match="area"):
        tapead.grad(lambda d: d.area)(Derived(2.0, 3.0))


class Tagged:
    __slots__ = ("tag",)


@dataclasses.dataclass(slots=True)
class Slotted(Tagged):
    a: float
    b: float = dataclasses.field(init=False)


def test_dataclasses_with_unset_fields_and_slots_of_a_base():
    x = Slotted(2.0)
    x.tag = "kept"
    gradient = tapead.grad(lambda s: s.a * len(s.tag))(x)
    assert gradient.a == 4.0
    assert not hasattr(gradient, "b")


def test_a_float_of_the_users_keeps_its_reflected_operators():
    class Money(float):
        def __rmul__(self, other):
            return other * other

    assert tapead.value_and_grad(lambda x: x * Money(5.0))(3.0) == (9.0, 6.0)
    assert tapead.value_and_grad(lambda x: x + Money(5.0))(3.0) == (8.0, 1.0)


def test_tracked_numbers_are_not_made_by_hand():
    def f(x):
        return x * type_of(x)(5.0)

    type_of = {"type": type}["type"]
    with pytest.raises(TypeError, match="not made by hand"):
        tapead.grad(f)(1.0)
