"""find_nonfinite of a program that raises: which expression, on what, and what helps."""

import math

import numpy as np
import pytest

from tapead.inspect.nonfinite import find_nonfinite


def line(f, n):
    """The n-th line of a function's body."""
    return f.__code__.co_firstlineno + n


def logarithm(x, y):
    z = x - y
    return 2.0 * math.log(z * 3.0)


def divided(x):
    total = 0.0
    for k in range(len(x)):
        total += 1.0 / (x[k] - 2)
    return total


def halved(x):
    x /= x - 1.0
    return x


def inner(x):
    return math.exp(x)


def outer(x):
    return inner(x * 1000.0) + 1.0


class Body:
    def __init__(self, x):
        self.x, self.kept = x, {"r": [x, x - 3.0]}

    def ratio(self):
        return self.x / self.kept["r"][1]

    @property
    def gap(self):
        self.asked = getattr(self, "asked", 0) + 1
        return self.x - 3.0

    def inverse(self):
        return 1.0 / self.gap


ERRORS = [
    (logarithm, (2.0, 2.0), logarithm, 2, "ValueError", "math.log(z * 3.0)", {"z * 3.0": 0.0}),
    (divided, ([1.0, 2.0],), divided, 3, "ZeroDivisionError", "1.0 / (x[k] - 2)",
     {"": 1.0, "x[k] - 2": 0.0}),
    (halved, (1.0,), halved, 1, "ZeroDivisionError", "x /= x - 1.0", {"x": 1.0, "x - 1.0": 0.0}),
    (outer, (2.0,), inner, 1, "OverflowError", "math.exp(x)", {"x": 2000.0}),
    (lambda x: x**-2, (0.0,), None, 0, "ZeroDivisionError", "x ** (-2)", {"x": 0.0, "": -2}),
    (lambda x: int(x * math.inf), (1.0,), None, 0, "OverflowError", "int(x * math.inf)",
     {"x * math.inf": math.inf}),
    (lambda x: Body(x).ratio(), (3.0,), Body.ratio, 1, "ZeroDivisionError",
     "self.x / self.kept['r'][1]", {"self.x": 3.0, "self.kept['r'][1]": 0.0}),
    (lambda a: math.log(a[1, 1]), (np.diag([1.0, 0.0]),),
     None, 0, "ValueError", "math.log(a[1, 1])", {"a[1, 1]": 0.0}),
    (lambda a: np.linalg.inv(a)[0, 0], (np.ones((2, 2)),), None, 0, "LinAlgError",
     "np.linalg.inv(a)", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("f", "args", "where", "n", "error", "text", "operands"), ERRORS,
    ids=[f"{case[0].__name__}-{case[4]}-{case[5]}" for case in ERRORS],
)  # fmt: skip
def test_an_error_of_arithmetic_is_a_finding(f, args, where, n, error, text, operands):
    found = find_nonfinite(f, *args)
    first = found.error
    assert found
    assert (found.value, found.adjoint) == (None, None)
    assert first.operation == text
    assert dict(zip(first.names, first.operands)) == operands
    assert first.line == line(where or f, n)
    assert first.file == __file__
    assert first.remedies
    assert f"raises {error}" in str(found)


@pytest.mark.parametrize("error", [KeyError("a"), ValueError("shapes differ"), TypeError("no")])
def test_other_errors_are_the_programs_own(error):
    def f(x):
        raise error

    with pytest.raises(type(error)) as caught:
        find_nonfinite(f, 1.0)
    assert caught.value is error


def test_an_error_that_the_program_catches_is_none():
    def f(x):
        try:
            return 1.0 / (x - 1.0)
        except ZeroDivisionError:
            return x * 2.0

    assert not find_nonfinite(f, 1.0)


def test_an_object_without_attributes_of_its_own_is_not_asked():
    class Slotted:
        __slots__ = ("x",)

        def __getattr__(self, name):
            raise SystemExit(f"asked for {name}")

    def f(x):
        kept = Slotted()
        kept.x = x - 2.0
        return 1.0 / kept.x

    assert find_nonfinite(f, 2.0).error.names == ("",)


def test_properties_are_not_asked_again_for_a_finding():
    body = []

    def f(x):
        body.append(Body(x))
        return body[-1].inverse()

    found = find_nonfinite(f, 3.0)
    assert found.error.names == ("",)
    assert body[-1].asked == 1
    # The divisor is not known: what is said of a divisor of 0 is said.
    assert any("harmless divisor" in text for text in found.error.remedies)
