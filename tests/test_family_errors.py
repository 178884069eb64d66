"""Bad input: each error names what was given and what was expected, and leaves nothing behind."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead.tape import current


def _module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
X, Z = checks.X, family.Z
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, jacobian, hessian = (
    tapead.jacfwd, tapead.jacrev, tapead.jacobian, tapead.hessian,
)  # fmt: skip
ONES, BIG = np.ones(3), np.linspace(1.0, 2.0, 5000)


@pytest.fixture(autouse=True)
def the_tape_is_ready_for_the_next():
    """After each error: all flags are as they were, nothing is locked, and derivatives work."""
    yield
    tape = current.tape
    assert (tape.forward, tape.twice, tape.in_rules, tape.begins) == (False, False, 0, [])
    assert BIG.flags.writeable
    assert grad(lambda x: np.sum(x * BIG[:3]))(X).tolist() == BIG[:3].tolist()
    assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)
    assert hvp(lambda x: x**3, (2.0,), (1.0,)) == 12.0


def raises(kind, *parts):
    """`pytest.raises` for a message that has all these parts."""

    class Raises:
        def __enter__(self):
            self.inner = pytest.raises(kind)
            self.caught = self.inner.__enter__()
            return self.caught

        def __exit__(self, *error):
            found = self.inner.__exit__(*error)
            for part in parts:
                assert part in str(self.caught.value), str(self.caught.value)
            return found

    return Raises()


square = lambda x: np.sum(x * x * BIG[0])  # noqa: E731

# --------------------------------------------------------- tangents, cotangents, directions ---

ARRAY = "an array of shape (3,) and dtype float64"
TANGENTS = {
    "number for array": (X, 1.0, ["1.0 of type float", f"{ARRAY} was expected"]),
    "array for number": (2.0, X, [ARRAY, "a real number was expected"]),
    "shape": (X, np.ones(2), ["shape (2,)", f"{ARRAY} was expected"]),
    "one axis more": (X, np.ones((3, 1)), ["shape (3, 1)", f"{ARRAY} was expected"]),
    "complex": (X, X * 1j, ["dtype complex128", f"{ARRAY} was expected"]),
    "complex number": (2.0, 1j, ["1j of type complex", "a real number was expected"]),
    "truth values": (X, X > 1.0, ["dtype bool", f"{ARRAY} was expected"]),
    "truth value": (2.0, True, ["True of type bool", "a real number was expected"]),
    "objects": (X, np.array([1, 2, 3], object), ["dtype object", f"{ARRAY} was expected"]),
    "text": (2.0, "one", ["'one' of type str", "a real number was expected"]),
    "nothing": (2.0, None, ["None of type NoneType", "a real number was expected"]),
    "list for array": (X, [1.0, 2.0, 3.0], ["structure", "[*, *, *]"]),
    "tuple for list": ([2.0, 3.0], (1.0, 1.0), ["structure", "(*, *)", "[*, *]"]),
    "keys": ({"a": 2.0, "b": 3.0}, {"a": 1.0, "c": 1.0}, ["structure", "'c'", "'b'"]),
    "too few": ({"a": 2.0, "b": 3.0}, {"a": 1.0}, ["structure", "{'a': *}", "'b'"]),
    "deep": (
        {"a": 2.0, "b": [X]}, {"a": 1.0, "b": [np.ones(4)]},
        ["['b'][0]", "shape (4,)", f"{ARRAY} was expected"],
    ),
    "complex primal": (2j, "one", ["'one'", "a complex number was expected"]),
    "single": (
        X.astype(np.float32), np.ones(2),
        ["shape (2,)", "an array of shape (3,) and dtype float32 was expected"],
    ),
}  # fmt: skip
each_tangent = pytest.mark.parametrize(("x", "t", "parts"), TANGENTS.values(), ids=TANGENTS)


def first(tree):
    """A number that depends on the first leaf of a tree."""
    return np.sum(np.real(family.leaves(tree)[0]) * 2.0)


@each_tangent
def test_tangents_that_do_not_fit(x, t, parts):
    for call in (lambda: jvp(first, (x,), (t,)), lambda: hvp(first, (x,), (t,))):
        with raises(TypeError, "tangents[0]", *parts):
            call()
    with raises(TypeError, "tangents", *parts):
        linearize(first, x)[1](t)
    where = "tangents" if "structure" in parts else "tangents[1]"
    with raises(TypeError, where, *parts):
        jvp(lambda y, x: y * first(x), (1.0, x), (1.0, t))
    with raises(TypeError, "tangents", *parts):  # inside another recording
        grad(lambda y: jvp(lambda x: y * first(x), (x,), (t,))[1])(1.0)


@each_tangent
def test_cotangents_that_do_not_fit(x, t, parts):
    _, pullback = vjp(lambda s: family.mapped(lambda leaf: leaf * s, x), 1.0)
    with raises(TypeError, "the cotangent", *parts):
        pullback(t)
    assert np.isfinite(pullback(family.random_like(x, 1))[0])  # and it serves as before
    with raises(TypeError, "the cotangent", *parts):
        grad(lambda s: vjp(lambda s: family.mapped(lambda leaf: leaf * s, x), s)[1](t)[0])(1.0)


def test_counts_of_tangents():
    product = lambda x, y: x * y  # noqa: E731
    for of in (jvp, hvp):
        with raises(TypeError, "2 tangents", "1 primals"):
            of(square, (2.0,), (1.0, 1.0))
        with raises(TypeError, "1 tangents", "2 primals"):
            of(product, (2.0, 3.0), (1.0,))
    with raises(TypeError, "1 tangents", "2 primals"):
        linearize(product, 2.0, 3.0)[1](1.0)
    with pytest.raises(TypeError):
        vjp(product, 2.0, 3.0)[1](1.0, 1.0)


@pytest.mark.parametrize("given", [2.0, X, {"x": 2.0}, None, "ab"])
def test_primals_and_tangents_are_tuples(given):
    for of in (jvp, hvp):
        with raises(TypeError, "primals is", type(given).__name__, "a tuple", "expected"):
            of(square, given, (1.0,))
        with raises(TypeError, "tangents is", type(given).__name__, "a tuple", "expected"):
            of(square, (2.0,), given)


def test_empty_primals():
    constant = lambda: 1.0  # noqa: E731
    calls = [
        lambda: jvp(constant, (), ()), lambda: hvp(constant, (), ()), lambda: vjp(constant),
        lambda: linearize(constant), lambda: jvp(square, (2.0,), ()),
    ]  # fmt: skip
    for call in calls:
        with raises(ValueError, "is empty", "at least one argument was expected"):
            call()


BAD_ARGUMENTS = ["text", None, np.longdouble(1.0), {1.0}, np.array(["a"]), {"w": ["text"]}]


@pytest.mark.parametrize("x", BAD_ARGUMENTS, ids=repr)
def test_arguments_that_are_no_numbers(x):
    found = family.leaves(x)[0]
    calls = [
        lambda: jvp(first, (x,), (x,)), lambda: vjp(first, x), lambda: linearize(first, x),
        lambda: hvp(first, (x,), (x,)), lambda: jacfwd(first)(x), lambda: jacrev(first)(x),
        lambda: jacobian(first)(x), lambda: hessian(first)(x),
    ]  # fmt: skip
    for call in calls:
        with raises(TypeError, type(found).__name__, "['w'][0]" if isinstance(x, dict) else ""):
            call()


# -------------------------------------------------------------------------------- results ---

TRANSFORMS = {
    "jvp": lambda f: jvp(f, (2.0,), (1.0,)),
    "vjp": lambda f: vjp(f, 2.0),
    "linearize": lambda f: linearize(f, 2.0),
    "jacfwd": lambda f: jacfwd(f)(2.0),
    "jacrev": lambda f: jacrev(f)(2.0),
    "jacobian": lambda f: jacobian(f)(2.0),
    "hessian": lambda f: hessian(f)(2.0),
    "hvp": lambda f: hvp(f, (2.0,), (1.0,)),
    "jvp inside": lambda f: grad(lambda x: jvp(f, (x,), (1.0,))[1])(2.0),
    "vjp inside": lambda f: jvp(lambda x: vjp(f, x)[0], (2.0,), (1.0,)),
    "hessian inside": lambda f: grad(lambda x: hessian(f)(x))(2.0),
}
each_transform = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)


def gives(result):
    def named(x):
        return result(x)

    return named


RESULTS = {
    "nothing": (lambda x: None, ["None of type NoneType"]),
    "text": (lambda x: (x, "done"), ["[1]", "'done' of type str"]),
    "a set": (lambda x: {1.0}, ["of type set"]),
    "an object": (lambda x: {"a": object()}, ["['a']", "of type object"]),
    "an array of text": (lambda x: np.array(["a"]), ["of type ndarray"]),
    "an array of objects": (lambda x: [np.array([x, None], object)], ["[0]", "of type ndarray"]),
}


@each_transform
@pytest.mark.parametrize(("f", "parts"), RESULTS.values(), ids=RESULTS)
def test_results_that_are_no_numbers(transform, f, parts):
    expected = "a tree of numbers and arrays was expected"
    with raises(TypeError, "named", "its result", *parts, expected):
        transform(gives(f))


@pytest.mark.parametrize("result", [lambda x: [x, x], lambda x: np.array([x, x])])
def test_hvp_is_of_one_number(result):
    for f in (gives(result), gives(lambda x: result(x)[0] * 1j)):
        with raises(TypeError, "named returned", "one real number"):
            hvp(f, (2.0,), (1.0,))


def test_complex_results_without_holomorphic():
    f = gives(lambda x: x * 1j)
    for of in (jacrev, jacobian, hessian, lambda f: jacobian(f, mode="rev")):
        with raises(TypeError, "named", "complex result", "a real one was expected", "holomorphic"):
            of(f)(2.0)
        with raises(TypeError, "named", "complex result", "a real one was expected", "holomorphic"):
            of(f)(X)


def test_complex_arguments_without_holomorphic():
    f = gives(lambda z: np.sum(np.abs(z)))
    for of in (jacfwd, hessian, lambda f: jacobian(f, mode="fwd"), lambda f: jacfwd(jacrev(f))):
        for z in (Z, {"z": [Z[0]]}):
            g = gives(lambda z: f(family.leaves(z)[0]))
            with raises(TypeError, "named", "complex argument", "real ones", "holomorphic"):
                of(g)(z)


def test_holomorphic_with_real_numbers():
    f = gives(lambda x: np.sum(x * x))
    for of in (jacfwd, jacrev, jacobian, hessian):
        with raises(TypeError, "named", "holomorphic=True", "complex arguments", "were expected"):
            of(f, holomorphic=True)(X)
    with raises(TypeError, "named", "holomorphic=True", "complex arguments", "were expected"):
        hvp(f, (X,), (X,), holomorphic=True)


def test_has_aux_without_a_pair():
    calls = {
        "jvp": lambda f: jvp(f, (2.0,), (1.0,), has_aux=True),
        "vjp": lambda f: vjp(f, 2.0, has_aux=True),
        "linearize": lambda f: linearize(f, 2.0, has_aux=True),
        "hvp": lambda f: hvp(f, (2.0,), (1.0,), has_aux=True),
        "jacfwd": lambda f: jacfwd(f, has_aux=True)(2.0),
        "hessian": lambda f: hessian(f, has_aux=True)(2.0),
    }
    for call in calls.values():
        with raises(TypeError, "named", "has_aux=True", "float", "a pair (value, aux)"):
            call(gives(lambda x: x * x))


# -------------------------------------------------------------------------------- options ---


@pytest.mark.parametrize("mode", ["forward", "", None, 1, "FWD"])
def test_unknown_modes(mode):
    for make in (lambda: jacobian(square, mode=mode), lambda: jacobian(mode=mode)):
        with raises(ValueError, f"mode is {mode!r}", "'auto', 'fwd' or 'rev' was expected"):
            make()


@pytest.mark.parametrize("of", [jacfwd, jacrev, jacobian, hessian])
def test_argnums(of):
    product = gives(lambda x: x * x)
    for bad in ("x", (), 1.5, (0, None), True):
        with raises(TypeError, f"argnums is {bad!r}", "an int or a tuple of ints was expected"):
            of(product, argnums=bad)
        with raises(TypeError, "an int or a tuple of ints was expected"):
            of(argnums=bad)
    with raises(ValueError, "argument 2", "named", "1 positional argument"):
        of(product, argnums=2)(3.0)
    with raises(ValueError, "twice"):
        of(lambda x, y: x * y, argnums=(0, -2))(3.0, 2.0)


@pytest.mark.parametrize("f", [3, "f", None, X])
def test_what_is_no_function(f):
    calls = [
        lambda: jvp(f, (2.0,), (1.0,)), lambda: vjp(f, 2.0), lambda: linearize(f, 2.0),
        lambda: hvp(f, (2.0,), (1.0,)), lambda: tapead.custom_vjp(nondiff_argnums=(0,))(f),
        lambda: tapead.custom_jvp(nondiff_argnums=(0,))(f), lambda: jacobian(argnums=0)(f),
        lambda: hessian(has_aux=True)(f),
    ]  # fmt: skip
    for call in calls:
        with raises(TypeError, "a function was expected", f"{type(f).__name__} given"):
            call()
