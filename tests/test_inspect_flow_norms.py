"""Norms of adjoints and Jacobians of single rows, against derivatives by hand."""

import math

import numpy as np
import pytest

import tapead
from tapead.inspect.flow_norms import norms


@tapead.custom_vjp
def several(x, y):
    """A number, a whole one, an array, and one of whole numbers."""
    return x * y, 7, np.array([1.0, 2.0]) * x, np.array([3, 4])


several.defvjp(
    lambda x, y: (several(x, y), (x, y)),
    lambda kept, g: (g[0] * kept[1] + g[2] @ np.array([1.0, 2.0]), g[0] * kept[0]),
)


def test_results_without_derivative_have_no_part_in_the_norms():
    def f(x, y):
        a, n, v, _ = several(x, y)
        return a * n + np.sum(v)

    tape = tapead.record(f, 2.0, 3.0)
    found = norms(tape, 0)
    (row,) = (k for k, name in enumerate(tape.operations) if name == "array" and k == 2)
    # The adjoints are 7 of the number, and 1 of both elements.
    assert found.adjoint[row] == pytest.approx(math.sqrt(49.0 + 2.0))
    assert found.largest[row] == 7.0
    by_x, by_y = tapead.grad(f, argnums=(0, 1))(2.0, 3.0)
    assert (by_x, by_y) == (24.0, 14.0)
    assert found.jacobian[row] == pytest.approx(math.hypot(by_x, by_y) / math.sqrt(51.0))
