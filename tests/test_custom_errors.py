"""Own rules that are wrong: each error names the rule, what it gave and what was expected."""

import importlib.util
import math
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
X = checks.X
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian


@pytest.fixture(autouse=True)
def rules_serve_as_before():
    yield
    tape = current.tape
    assert (tape.forward, tape.twice, tape.in_rules, tape.begins) == (False, False, 0, [])
    f = tapead.custom_vjp(math.sin)
    f.defvjp(lambda x: (math.sin(x), x), lambda x, g: (g * math.cos(x),))
    assert grad(f)(0.7) == math.cos(0.7)
    assert hvp(f, (0.7,), (1.0,)) == -math.sin(0.7)


def product(x, y):
    return x * y


def product_forth(x, y):
    return x * y, (x, y)


def assert_refused(call, *parts, kind=TypeError):
    with pytest.raises(kind) as caught:
        call()
    for part in parts:
        assert part in str(caught.value), str(caught.value)


POINT = (2.0, 3.0)
BACKWARD = {
    "grad": lambda f: grad(f, (0, 1))(*POINT),
    "vjp": lambda f: vjp(f, *POINT)[1](1.0),
    "jacrev": lambda f: jacrev(f, (0, 1))(*POINT),
    "hvp": lambda f: hvp(f, POINT, (1.0, 1.0)),
    "hessian": lambda f: hessian(f, (0, 1))(*POINT),
    "grad of grad": lambda f: grad(lambda x: grad(f)(x, 3.0) * x)(2.0),
    "jvp of grad": lambda f: jvp(grad(f), POINT, (1.0, 1.0)),
}
FORWARD = {
    "jvp": lambda f: jvp(f, POINT, (1.0, 1.0)),
    "linearize": lambda f: linearize(f, *POINT)[1](1.0, 1.0),
    "jacfwd": lambda f: jacfwd(f, (0, 1))(*POINT),
    "jvp of jvp": lambda f: jvp(
        lambda x: jvp(f, (x, 3.0), (1.0, 1.0))[1] * x, (2.0,), (1.0,)
    ),
    "grad of jvp": lambda f: grad(lambda x: jvp(f, (x, 3.0), (1.0, 1.0))[1] * x)(2.0),
}  # fmt: skip
each_backward = pytest.mark.parametrize("way", BACKWARD.values(), ids=BACKWARD)
each_way = pytest.mark.parametrize(
    "way", [*BACKWARD.values(), *FORWARD.values()], ids=[*BACKWARD, *FORWARD]
)

# ----------------------------------------------------------------------------- custom_vjp ---

REAL = "a real number was expected"
PAIR = "a tuple of 2 was expected, one for each argument"
WRONG_BWD = {
    "one too few": (lambda r, g: (g,), ["1", PAIR]),
    "one too many": (lambda r, g: (g, g, g), ["3", PAIR]),
    "none": (lambda r, g: None, ["None of type NoneType", PAIR]),
    "a number": (lambda r, g: g * 1.0, ["of type float", PAIR]),
    "an array": (lambda r, g: np.ones(2), ["of type ndarray", PAIR]),
    "a dict": (lambda r, g: {"x": g, "y": g}, ["of type dict", PAIR]),
    "shape": (lambda r, g: (g, X), ["adjoint 1", "shape (3,)", REAL]),
    "complex": (lambda r, g: (1j, g), ["adjoint 0", "of type complex", REAL]),
    "text": (lambda r, g: (g, "one"), ["adjoint 1", "'one' of type str", REAL]),
    "truth": (lambda r, g: (True, g), ["adjoint 0", "of type bool", REAL]),
    "structure": (lambda r, g: ((g,), g), ["adjoint 0", "structure", "(*,)", "argument 0"]),
}


@each_backward
@pytest.mark.parametrize(("bwd", "parts"), WRONG_BWD.values(), ids=WRONG_BWD)
def test_adjoints_that_do_not_fit(bwd, parts, way):
    f = tapead.custom_vjp(product)
    f.defvjp(product_forth, bwd)
    assert_refused(lambda: way(f), "custom_vjp product", *parts)


WRONG_FWD = {
    "no pair": (lambda x, y: x * y, []),
    "three": (lambda x, y: (x * y, x, y), ["of type tuple"]),
    "none": (lambda x, y: None, ["None of type NoneType"]),
    "a list": (lambda x, y: [x * y, x], ["of type list"]),
}


@each_backward
@pytest.mark.parametrize(("fwd", "parts"), WRONG_FWD.values(), ids=WRONG_FWD)
def test_fwd_that_gives_no_pair(fwd, parts, way):
    f = tapead.custom_vjp(product)
    f.defvjp(fwd, lambda r, g: (g, g))
    assert_refused(
        lambda: way(f), "custom_vjp product", "a pair (result, residuals) was expected", *parts
    )


def test_adjoints_of_arrays_and_trees_that_do_not_fit():
    for bwd, parts in [
        (lambda r, g: (np.ones(2),), ["shape (2,)", "shape (3,) and dtype float64"]),
        (lambda r, g: (g.reshape(3, 1),), ["shape (3, 1)", "shape (3,)"]),
        (lambda r, g: (g * 1j,), ["dtype complex128", "dtype float64 was expected"]),
        (lambda r, g: (1.0,), ["1.0 of type float", "shape (3,)"]),
        (lambda r, g: (list(g),), ["structure", "[*, *, *]"]),
    ]:
        f = tapead.custom_vjp(lambda x: x * 2.0)
        f.defvjp(lambda x: (x * 2.0, None), bwd)
        assert_refused(lambda f=f: grad(lambda x: np.sum(f(x)))(X), "adjoint 0", *parts)
    f = tapead.custom_vjp(lambda d: d["x"] * 2.0)
    f.defvjp(lambda d: (d["x"] * 2.0, None), lambda r, g: ({"y": g},))
    assert_refused(lambda: grad(f)({"x": 2.0}), "adjoint 0", "structure", "'y'", "'x'")


# ----------------------------------------------------------------------------- custom_jvp ---

WRONG_RULE = {
    "no pair": (lambda p, t: p[0] * p[1], ["a pair (result, tangent) was expected"]),
    "none": (lambda p, t: None, ["None of type NoneType", "a pair (result, tangent)"]),
    "a list": (lambda p, t: [p[0], t[0]], ["of type list", "a pair (result, tangent)"]),
    "shape": (lambda p, t: (p[0] * p[1], X * 0.0), ["tangent", "shape (3,)", REAL]),
    "complex": (lambda p, t: (p[0] * p[1], 0j), ["tangent", "of type complex", REAL]),
    "text": (lambda p, t: (p[0] * p[1], "one"), ["tangent", "'one' of type str", REAL]),
    "no tangent": (lambda p, t: (p[0] * p[1], None), ["tangent", "NoneType", REAL]),
    "structure": (lambda p, t: (p[0] * p[1], (t[0],)), ["tangent", "structure", "(*,)"]),
}


@each_way
@pytest.mark.parametrize(("rule", "parts"), WRONG_RULE.values(), ids=WRONG_RULE)
def test_tangents_that_do_not_fit(rule, parts, way):
    f = tapead.custom_jvp(product)
    f.defjvp(rule)
    assert_refused(lambda: way(f), "custom_jvp product", *parts)


FIRST_ORDER = {**{k: BACKWARD[k] for k in ("grad", "vjp", "jacrev")}, **FORWARD}
FIRST_ORDER = {k: v for k, v in FIRST_ORDER.items() if " of " not in k}


@pytest.mark.parametrize("way", FIRST_ORDER.values(), ids=FIRST_ORDER)
def test_a_rule_that_gives_another_result_than_the_function(way):
    f = tapead.custom_jvp(product)
    f.defjvp(lambda p, t: (X * 1.0, X * 0.0))
    assert_refused(lambda: way(f), "custom_jvp product", "(3,)", "()")


@each_backward
def test_a_tangent_that_is_not_linear_is_found_in_reverse_mode(way):
    f = tapead.custom_jvp(product)
    f.defjvp(lambda p, t: (p[0] * p[1], 1.0))
    assert_refused(lambda: way(f), "custom_jvp product", "1.0", "linear")


def test_a_rule_by_arguments_with_another_count():
    f = tapead.custom_jvp(product)
    f.defjvps(lambda t, value, x, y: t * y)
    for way in (FORWARD["jvp"], BACKWARD["grad"]):
        with pytest.raises((TypeError, ValueError)):
            way(f)


# --------------------------------------------------------------------------- no rule, no use ---


@pytest.mark.parametrize("kind", ["custom_vjp", "custom_jvp"])
def test_a_function_without_its_rule(kind):
    f = getattr(tapead, kind)(product)
    assert f(2.0, 3.0) == 6.0
    assert grad(lambda x: x * f(2.0, 3.0))(1.0) == 6.0
    ways = [BACKWARD["grad"], BACKWARD["hvp"]] + [FORWARD["jvp"]] * (kind == "custom_jvp")
    for way in ways:
        assert_refused(
            lambda way=way: way(f), f"{kind} product", "no rule", f"def{kind[7:]}",
            kind=AttributeError,
        )  # fmt: skip


def test_rules_of_the_other_kind():
    backward, forward = tapead.custom_vjp(product), tapead.custom_jvp(product)
    rule = lambda p, t: (1.0, 1.0)  # noqa: E731
    assert_refused(lambda: backward.defjvp(rule), "defjvp", "custom_jvp", "custom_vjp product")
    assert_refused(lambda: backward.defjvps(None, None), "defjvps", "custom_vjp product")
    assert_refused(lambda: forward.defvjp(rule, rule), "defvjp", "custom_jvp product")


@pytest.mark.parametrize("bad", [3, None, "rule"])
def test_rules_that_are_no_functions(bad):
    what = ("a function was expected", f"{type(bad).__name__} given")
    rule = lambda p, t: (1.0, 1.0)  # noqa: E731
    assert_refused(lambda: tapead.custom_vjp(product).defvjp(rule, bad), *what)
    assert_refused(lambda: tapead.custom_vjp(product).defvjp(bad, rule), *what)
    assert_refused(lambda: tapead.custom_jvp(product).defjvp(bad), *what)


@pytest.mark.parametrize("kind", ["custom_vjp", "custom_jvp"])
def test_positions_without_derivative(kind):
    make = getattr(tapead, kind)
    for bad in ("a", (1.0,), ("x",)):
        assert_refused(
            lambda bad=bad: make(product, nondiff_argnums=bad), "nondiff_argnums", repr(bad)
        )
    f = make(product, nondiff_argnums=(5,))
    f._rules = (lambda *args: (1.0, 1.0),) * 2
    assert_refused(
        lambda: grad(f)(2.0, 3.0), "nondiff_argnums", "(5,)", "2 arguments", kind=ValueError
    )


def test_arguments_that_are_no_numbers_belong_to_nondiff_argnums():
    f = tapead.custom_vjp(lambda name, x: x * 2.0)
    f.defvjp(lambda name, x: (x * 2.0, None), lambda r, g: (None, 2.0 * g))
    assert_refused(lambda: grad(f, 1)("a name", 2.0), "custom_vjp", "'a name' of type str")


ERRORS = {
    "fwd": (lambda x, y: 1 / 0, lambda r, g: (g, g)),
    "bwd": (product_forth, lambda r, g: 1 / 0),
}


@each_backward
@pytest.mark.parametrize(("fwd", "bwd"), ERRORS.values(), ids=ERRORS)
def test_errors_of_rules_come_through_and_can_be_handled(fwd, bwd, way):
    f = tapead.custom_vjp(product)
    f.defvjp(fwd, bwd)
    with pytest.raises(ZeroDivisionError):
        way(f)

    def handles(x):
        with pytest.raises(ZeroDivisionError):
            way(f)
        with pytest.raises(ZeroDivisionError):
            grad(lambda y: f(y, x))(x)
        return x * x * x

    assert (grad(handles)(2.0), grad(grad(handles))(2.0)) == (12.0, 12.0)
    assert (hvp(handles, (2.0,), (1.0,)), jvp(handles, (2.0,), (1.0,))[1]) == (12.0, 12.0)


@each_way
def test_errors_of_forward_rules_come_through_and_can_be_handled(way):
    f = tapead.custom_jvp(product)
    f.defjvp(lambda p, t: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        way(f)

    def handles(x):
        with pytest.raises(ZeroDivisionError):
            way(f)
        return x * x * x

    assert (grad(handles)(2.0), grad(grad(handles))(2.0)) == (12.0, 12.0)
    assert (hvp(handles, (2.0,), (1.0,)), jvp(handles, (2.0,), (1.0,))[1]) == (12.0, 12.0)
