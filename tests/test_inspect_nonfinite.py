"""find_nonfinite: the first value and the first adjoint that are not finite, errors, remedies."""

import json
import linecache
import math

import numpy as np
import pytest

import tapead
from tapead.inspect.nonfinite import find_nonfinite


def bits(x):
    """A number so that nan is equal to itself."""
    return str(float(x))


def line(f, n):
    """The n-th line of a function's body."""
    return f.__code__.co_firstlineno + n


# ---------------------------------------------------------------------------------- values ---


def entropy(p):
    total = 0.0
    for x in p:
        total -= x * np.log(x)
    return total


def softmax(x):
    e = np.exp(x)
    return np.sum((e / np.sum(e)) ** 2)


def residual(x, data):
    r = 2.0 * x - 1.0
    r = r - data
    r = r * 3.0 + 1.0
    return np.sum(r**2)


def growing(u, steps=2000):
    for _ in range(steps):
        u += 0.5 * u
    return np.sum(u * 0.5)


def stored(x):
    a = np.zeros(3)
    a[0] = x
    a[1] = np.nan
    b = a + 1.0
    return b[1] * 2.0


VALUES = [
    (entropy, (np.array([0.5, 0.0]),), 3, "log", (0.0,), "-inf", ()),
    (softmax, (np.array([1.0, 1000.0]),), 1, "exp", (1000.0,), "inf", (1,)),
    (residual, (np.ones(3), np.array([1.0, np.nan, 2.0])), 2, "subtract", (1.0, np.nan),
     "nan", (1,)),
    (growing, (np.array([1.0, 2.0]),), 2, "add in", None, "inf", (1,)),
    (stored, (1.0,), 3, "store", (np.nan,), "nan", ()),
    (lambda x, y: x * 1e200 * y, (2.0, 1e200), 0, "mul", (2e200, 1e200), "inf", ()),
    (lambda x: x * math.inf - 1.0, (2.0,), 0, "mul", (2.0, math.inf), "inf", ()),
    (lambda a: np.linalg.det(a), (np.diag([1e200, 1e200]),), 0, "det", None, "inf", ()),
    (lambda a: np.sum(a) * 1.0, (np.array([1e308, 1e308]),), 0, "sum", None, "inf", ()),
    (lambda a: np.sum(a[:2] @ a[1:]), (np.array([1e200, 1e200, 1.0]),), 0, "matmul", None,
     "inf", ()),
    (lambda a: np.sum((a - a) / (a - a)), (np.ones(2),), 0, "divide", (0.0, 0.0), "nan", (0,)),
    (lambda a, b: np.sum(a[:, None] / b), (np.ones(2), np.array([2.0, 0.0])), 0, "divide",
     (1.0, 0.0), "inf", (0, 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("f", "args", "n", "operation", "operands", "result", "index"), VALUES,
    ids=[f"{case[0].__name__}-{case[3]}" for case in VALUES],
)  # fmt: skip
def test_the_first_value_that_is_not_finite(f, args, n, operation, operands, result, index):
    argnums = 0 if f is residual else None
    found = find_nonfinite(f, *args, argnums=argnums)
    value = found.value
    assert (value.operation, bits(value.result), value.index) == (operation, result, index)
    if operands is not None:
        assert list(map(bits, value.operands)) == list(map(bits, operands))
    assert (value.file, value.line) == (__file__, line(f, n))
    assert value.source == linecache.getline(__file__, value.line).strip()
    assert value.remedies
    assert found
    assert result in str(found)
    with np.errstate(all="ignore"):
        assert found.result_is_finite == np.isfinite(f(*args)).all()


def test_all_rows_before_the_first_are_finite():
    def f(x):
        for _ in range(400):
            x = x * np.float64(10.0)
        return x

    with np.errstate(all="ignore"):
        tape = tapead.record(f, 5.0)
    found = find_nonfinite(f, 5.0)
    assert found.value.row == int(np.flatnonzero(~np.isfinite(tape.values))[0])


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_an_infinity_that_is_not_used_is_said_to_be_harmless():
    f = lambda x: np.sum(np.where(x > 0.0, np.log(x), 0.0))  # noqa: E731
    found = find_nonfinite(f, np.array([2.0, 0.0]))
    assert (found.value.operation, found.value.index) == ("log", (1,))
    assert found.value.names == ("x[1]",)
    assert found.adjoint is None
    assert found.result_is_finite
    assert "The function's result is finite all the same." in str(found)
    np.testing.assert_array_equal(tapead.grad(f)(np.array([2.0, 0.0])), [0.5, 0.0])


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (math.nan, "x is nan"),
        (np.array([[1.0, 2.0], [3.0, -np.inf]]), "x[1, 1] is -inf"),
        ({"w": [1.0, math.inf]}, "x['w'][1] is inf"),
    ],
)
def test_inputs_that_are_not_finite_are_named(x, name):
    found = find_nonfinite(lambda x: 2.0, x)
    assert found.value.operation == "input"
    assert f"The input {name} already." in str(found)


# -------------------------------------------------------------------------------- adjoints ---


def angle(a, b):
    cosine = np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b))
    return np.arccos(np.clip(cosine, -1.0, 1.0))


def spread(x):
    mean = np.mean(x)
    return np.sqrt(np.sum((x - mean) ** 2)) + np.sum(np.sqrt(x - 1.0))


def chained(x):
    y = x * 1e-200
    z = math.sqrt(y * 1e-200)
    return z + 3.0 * x


def last_uses(x, n=50):
    total = 0.0
    for k in range(n):
        total += x * k
    return total + math.sqrt(x)


ADJOINTS = [
    (angle, (np.array([1.0, 2.0]), np.array([2.0, 4.0])), 2, "arccos", (1.0,), (-math.inf,),
     1.0, 0),
    (spread, (np.array([2.0, 1.0]),), 2, "sqrt", None, (math.inf,), 1.0, 0),
    (chained, (1.0,), 2, "sqrt", (0.0,), (math.inf,), 1.0, 0),
    (last_uses, (0.0,), 4, "sqrt", (0.0,), (math.inf,), 1.0, 0),
    (lambda x, y: 3.0 * x**y, (0.0, 0.5), 0, "pow", (0.0, 0.5), (math.inf, 0.0), 3.0, 0),
    (lambda x: math.atan2(x, 0.0 * x), (0.0,), 0, "atan2", (0.0, 0.0),
     (math.nan, math.nan), 1.0, 0),
    (lambda x: 1e200 * (1e200 * (1e-300 * x)), (1.0,), 0, "mul", (1e200, 1e-300), (1e-300, 1e200),
     1e200, 1),
    (lambda a: 1e200 * np.sum(1e200 * (a * 1e-300)), (np.ones(2),), 0, "multiply", (1e200, 1e-300),
     (1e-300, 1e200), 1e200, 1),
    (lambda a: np.sum(a[:, None] ** a), (np.array([0.0, 0.5]),), 0, "power", (0.0, 0.5),
     (math.inf, 0.0), 1.0, 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("f", "args", "n", "operation", "operands", "slopes", "adjoint", "operand"), ADJOINTS,
    ids=[f"{case[0].__name__}-{case[3]}" for case in ADJOINTS],
)  # fmt: skip
def test_the_first_adjoint_that_is_not_finite(
    f, args, n, operation, operands, slopes, adjoint, operand
):
    found = find_nonfinite(f, *args)
    first = found.adjoint
    assert found.value is None
    assert (first.operation, first.line) == (operation, line(f, n))
    if operands is not None:
        assert first.operands == operands
    assert list(map(bits, first.slopes))[operand] == bits(slopes[operand])
    assert (first.adjoint, first.operand) == (adjoint, operand)
    with np.errstate(all="ignore"):
        assert bits(first.result) == bits(np.float64(first.slopes[operand]) * adjoint)
    gradients = tapead.grad(f, argnums=tuple(range(len(args))))(*args)
    assert not all(np.isfinite(g).all() for g in gradients)
    assert first.remedies
    assert first.source in str(found)


def test_numbers_that_come_before_in_the_sweep_are_blamed_before_arrays():
    def f(a):
        early = np.sqrt(a - a)
        late = math.sqrt(a[0] - a[0])
        return np.sum(early) + late

    found = find_nonfinite(f, np.ones(2))
    assert (found.adjoint.operation, found.adjoint.line) == ("sqrt", line(f, 2))


def test_of_operations_that_are_no_ufuncs_the_operation_is_named():
    found = find_nonfinite(lambda a: np.linalg.eigh(a)[1][0, 0], np.eye(2))
    assert found.adjoint.operation == "eigh"
    assert found.adjoint.slopes == ()
    assert any("no derivative" in text for text in found.adjoint.remedies)


def test_adjoints_of_several_results_are_those_of_their_sum():
    found = find_nonfinite(lambda x, y: [x * 2.0, {"root": math.sqrt(y)}], 1.0, 0.0)
    assert (found.adjoint.operation, found.adjoint.names) == ("sqrt", ("y",))
    found = find_nonfinite(lambda a: np.sqrt(a), np.array([1.0, 0.0]))
    assert (found.adjoint.operation, found.adjoint.index) == ("sqrt", (1,))


def test_terms_that_are_finite_may_have_a_sum_that_is_not():
    found = find_nonfinite(
        lambda x: (x * 1e-10) * 1e308 + (x * 1e-10) * 1e308 * 0.9 + x * 1e300, 1.0
    )
    assert not found
    f = lambda x: (x + 0.0) * 1e308 - 1e308 * (1.0 - x)  # noqa: E731
    assert tapead.grad(f)(1.0) == math.inf
    found = find_nonfinite(f, 1.0)
    assert (found.value, bits(found.adjoint.result)) == (None, "inf")


def test_finite_programs_are_said_to_be():
    found = find_nonfinite(lambda x, a: np.sum(a * x), 2.0, np.ones(3))
    assert not found
    assert (found.value, found.adjoint, found.error) == (None, None, None)
    assert "everything is finite" in str(found)
    assert found.rows == len(tapead.record(lambda x, a: np.sum(a * x), 2.0, np.ones(3)))
    assert not find_nonfinite(lambda x: 3.0, 1.0)


# -------------------------------------------------------------------------- forms, remedies ---


def test_json_holds_the_findings():
    found = find_nonfinite(angle, np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    figures = json.loads(found.to_json())
    assert figures["value"] is figures["error"] is None
    assert (figures["adjoint"]["operation"], figures["adjoint"]["slopes"]) == ("arccos", ["-inf"])
    assert figures["result_is_finite"] is True
    assert repr(found) == "<Nonfinite of angle: adjoint>"
    assert repr(find_nonfinite(angle, np.ones(2), np.array([1.0, 2.0]))).endswith(": nothing>")


def test_expressions_read_like_python():
    found = find_nonfinite(lambda x, y: x / (y * 0.0) if y else x, np.float64(1.0), np.float64(2.0))
    assert found.value.expression == "(x = 1.0) / 0.0"
    assert find_nonfinite(growing, np.ones(3)).value.expression == "array += array of shape (3,)"
    assert find_nonfinite(stored, 1.0).value.expression == "array = nan"
    assert find_nonfinite(math.sqrt, 0.0).adjoint.expression.startswith("sqrt(")


@pytest.mark.parametrize(
    "f", [lambda a: np.linalg.norm(a), lambda a: math.hypot(*a), lambda a: np.sum(np.abs(a))]
)
def test_where_a_convention_gives_0_there_is_nothing_to_find(f):
    assert not find_nonfinite(f, np.zeros(2))


def test_elements_that_are_read_out_of_an_input_have_its_name():
    found = find_nonfinite(lambda a: a[0, 0] / a[1, 0], np.array([[1.0, 2.0], [0.0, 3.0]]))
    assert found.value.expression == "(a[0, 0] = 1.0) / (a[1, 0] = 0.0)"


def test_rules_of_the_users_own_have_their_names():
    @tapead.custom_vjp
    def root(x):
        return np.sqrt(x)

    root.defvjp(lambda x: (np.sqrt(x), x), lambda x, g: (0.5 * g / np.sqrt(x),))
    found = find_nonfinite(lambda x: 2.0 * root(x), 0.0)
    assert found.adjoint.expression == (
        "custom_vjp test_rules_of_the_users_own_have_their_names.<locals>.root(x = 0.0)"
    )
    assert any("look at that function alone" in text for text in found.adjoint.remedies)


# ------------------------------------------------------------------------------ bad input ---


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: find_nonfinite(3.0, 1.0), TypeError, "3.0 of type float, which cannot be called"),
        (lambda: find_nonfinite(abs), ValueError, "no argument to be differentiated"),
        (lambda: find_nonfinite(abs, 1.0, argnums=3), ValueError, "argument 3, but 1 were given"),
        (lambda: find_nonfinite(len, []), ValueError, "holds a number"),
        (lambda: find_nonfinite(abs, "one"), TypeError, "'one'"),
        (
            lambda: tapead.grad(lambda x: find_nonfinite(abs, x) and x)(1.0),
            RuntimeError,
            "find_nonfinite()",
        ),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("f", "operation"),
    [
        (lambda v: np.sum(np.concatenate([v, v * np.inf])[::2]), "multiply"),
        (lambda v: np.linalg.svd(np.diag(v))[0][0, 0], "svd"),
        (lambda v: np.var(np.concatenate([v, 3.0 * v]) * 1e200), "var"),
        (lambda v: np.interp(v[0], [0.0, 2.0], [0.0, np.inf]), "interp"),
    ],
)
def test_operations_have_numpys_names(f, operation):
    found = find_nonfinite(f, np.ones(4))
    assert (found.value or found.adjoint).operation == operation


def test_an_infinite_adjoint_that_meets_a_partial_of_0_leaves_the_gradient_finite():
    def f(x):
        return math.sqrt(x * x * 0.0) + x

    assert tapead.grad(f)(2.0) == 1.0
    found = find_nonfinite(f, 2.0)
    assert (found.adjoint.expression, found.gradient_is_finite) == ("sqrt(0.0)", True)
    assert "The gradient is finite all the same." in str(found)
    found = find_nonfinite(lambda x: math.sqrt(x) + x, 0.0)
    assert not found.gradient_is_finite
    assert "all the same" not in str(found)
    arrays = find_nonfinite(lambda v: np.sum(np.sqrt(v[:2] * 0.0)) + v[2], np.ones(3))
    assert (arrays.adjoint.operation, arrays.gradient_is_finite) == ("sqrt", True)
