"""Remedies: each is found by its operations, and what is said fits the case."""

import math

import numpy as np
import pytest

from tapead.inspect.nonfinite import find_nonfinite
from tapead.inspect.remedies import REMEDIES, remedies


@pytest.mark.parametrize("row", REMEDIES, ids=lambda row: row.operations)
def test_every_remedy_is_found_by_its_operations(row):
    operands = next(
        x
        for x in ((0.0,), (-1.0,), (1.0,), (1e200,), (1e-200,), (math.nan,), (math.inf,))
        if row.applies is None or row.applies(*x)
    )
    for operation in row.operations.split():
        for of in row.of.split():
            assert row.text in remedies(operation, of, operands)


@pytest.mark.parametrize(
    ("operation", "operands", "word"),
    [
        ("log", (0.0,), "max(x, tiny)"),
        ("divide", (1.0, 0.0), "np.where(y != 0"),
        ("exp", (800.0,), "logsumexp"),
        ("arccos", (1.0,), "atan2"),
        ("power", (-8.0, 0.3), "np.cbrt"),
        ("hypot", (1e200, 1e200), "Scale"),
        ("log1p", (-1.0,), "log1p(max("),
        ("subtract", (math.nan, 1.0), "before any operation"),
    ],
)
def test_remedies_know_numpys_names(operation, operands, word):
    assert any(word in text for text in remedies(operation, "value", operands))


def test_a_logarithm_of_a_positive_number_is_not_told_to_stay_positive():
    assert not any("above 0" in text for text in remedies("log", "value", (2.0,)))


@pytest.mark.parametrize(
    ("f", "args", "kind", "word", "never"),
    [
        (lambda x: math.sqrt(x), (0.0,), "adjoint", "add a small number inside", "is negative"),
        (lambda x: math.sqrt(x), (-1.0,), "error", "is negative", "slope at 0"),
        (lambda a: np.sum(np.sqrt(a)), (np.array([-1.0, 1.0]),), "value", "negative", "slope at"),
        (lambda x: math.acos(x), (1.0,), "adjoint", "Steep at -1 and 1", "Outside"),
        (lambda x: math.acos(x), (1.0 + 1e-15,), "error", "Outside of [-1, 1]", "Steep"),
        (lambda x, y: x**y, (0.0, 0.5), "adjoint", "infinitely steep", "out of range"),
        (lambda x, y: x**y, (0.0, 0.0), "adjoint", "logarithm of the base", "out of range"),
        (lambda x: math.log(x), (0.0,), "error", "above 0", "any operation"),
        (lambda a: np.sum(a / a), (np.zeros(2),), "value", "harmless divisor", "tiny"),
        (lambda x: 1.0 / x, (1e-310,), "value", "divisor is tiny", "harmless"),
        (lambda x: math.exp(x), (1e3,), "error", "largest exponent", "nan"),
        (lambda a: np.sum(a * a), (np.array([1e200]),), "value", "out of range", "any operation"),
        (lambda a: np.sum(a * np.inf), (np.ones(2),), "value", "infinite before any", "scale"),
        (lambda p: np.sum(p * np.log(p)), (np.zeros(1),), "adjoint", "infinity from", "before any"),
        (lambda x, y: math.atan2(y, x), (0.0, 0.0), "adjoint", "angle at the origin", "range"),
        (
            lambda a: np.linalg.eigh(a)[1][0, 0],
            (np.eye(2),),
            "adjoint",
            "no derivative",
            "singular,",
        ),
        (lambda a: np.sum(np.linalg.inv(a)), (np.ones((2, 2)),), "error", "lstsq", "no derivative"),
        (lambda x: math.sqrt(x * x), (0.0,), "adjoint", "np.linalg.norm", "negative"),
    ],
)
def test_the_remedy_is_that_of_the_case(f, args, kind, word, never):
    said = " ".join(getattr(find_nonfinite(f, *args), kind).remedies)
    assert word in said
    assert never not in said
