"""Lists of tracked numbers in NumPy's functions, and its functions that call the program's."""

import importlib.util
import math
from pathlib import Path

import numpy as np

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

X = np.array([0.73, 1.31, 2.17])  # away from steps
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was

LISTS = """
np.sum([a, b]) * a | np.linalg.norm([a, b]) | np.max([a, b, a * b]) | np.array([a, b]).mean()
np.mean([a, b]) * b | np.prod([a, b]) | np.dot([a, b], [b, a]) | np.min([[a, b], [b, a]]) * a
np.std([a, b]) | np.median([a, b, 1.0]) * a | np.cumsum([a, b])[1] * b
np.outer([a, b], [a])[1, 0] | np.cross([a, b, 1.0], [b, a, 2.0])[2] | np.sort([b, a])[0] * a
np.clip([a, b], 0.0, 1.0) @ [a, b] | np.where([True, False], [a, b], 0.0) @ [a, b]
np.abs([a, -b]) @ [b, a] | np.exp([a, b]).sum() | np.hypot([a, b], 1.0).sum()
np.average([a, b], weights=[b, a]) | np.maximum([a, b], [b, 1.0]) @ [a, a]
np.interp(0.5, [0.0, 1.0], [a, b]) * a | np.trapezoid([a, b]) * a | np.diff([a, b])[0] * b
np.polyval([a, b], 2.0) * a | np.linalg.det([[a, b], [1.0, a]]) | np.einsum("i,i", [a, b], [a, b])
np.array([a, [b][0], 1]) @ [a, 1, 2] | np.array((a, b))[0] * b | np.asarray([a, b])[1] * a
np.stack([a, b]) @ [a, a] | np.add([a, b], 1.0) @ [b, b] | np.matmul([[a, b]], [a, b])[0]
np.kron([a, b], [1.0, 2.0]) @ [a, 1, 2, 3] | np.array([[a, b], [b, a]]) @ [a, b] @ [1, 2]
np.array([x, x[::-1]])[1] @ x | np.vstack([x, [a, b, a]])[1] @ x
np.hstack([a, x]) @ [a, 1, 2, 3] | np.concatenate([[a], x, [b]]) @ [1, 2, 3, 4, a]
np.append(x, a) @ [1, 2, 3, b] | np.full(2, a) @ [a, b] | np.block([[a, b], [b, a]])[1, 0] * a
np.linspace(a, b, 5)[1] * a | np.arange(a, b, 0.2)[1] * b
np.linalg.solve([[a, b], [1.0, a]], [a, b])[0] | np.linalg.inv([[a, b], [1.0, a]])[0, 0]
np.add.reduce([a, b]) * a | np.multiply.accumulate([a, b])[1]
np.subtract.outer([a, b], [a, 1.0])[1, 0] * a | np.logaddexp.reduce([a, b]) | np.ptp([a, b]) * a
np.argmax([a, b]) * a | np.square([a, b])[1] | np.fft.fft([a, b, 1.0]).real[1] * a
np.convolve([a, b], [1.0, 2.0]) @ [a, 1, 1] | np.shape([x, x])[1] * a | np.ndim([x, x]) * a
np.isfinite([a, b]).sum() * a | np.allclose([a, b], [a, b]) * a | np.size([a, b]) * a
"""
FUNCTIONALS = """
np.vectorize(lambda u, v: u * v if u > 1 else math.sin(u) + v)(x, x[::-1]).sum()
np.vectorize(lambda v: v * a if v > 1 else v)(np.arange(3.0)).sum()
np.vectorize(lambda v: (v, v * a, 1))(np.arange(3.0))[1].sum()
a * np.vectorize(lambda v: 2 if v > 1 else 0)(np.arange(3.0)).sum()
a * np.vectorize(lambda v, w: (v + w, v > w))(np.arange(3.0), np.ones((2, 1)))[1].sum()
np.vectorize(math.exp)(x).sum() + np.vectorize(lambda t: t * x[0])(np.arange(3.0)).sum()
chosen(x, x[::-1]).sum() + raised(x).sum() + raised(x, 3.0).sum() + raised(x[0]) * 1.0
np.fromiter((t * t for t in x), float).sum() + np.fromiter(x, float, 3)[0] * x[1]
np.fromiter((x[k] * k for k in range(3)), dtype=np.float64, count=3)[2] * x[0]
np.apply_along_axis(lambda r: (r * r).sum(), 0, np.outer(x, x) + 1).sum()
np.apply_along_axis(np.cumsum, 1, np.outer(x, x))[0, 1] * a
np.apply_along_axis(sum, 1, np.outer(x, x))[0] * a
np.apply_over_axes(np.sum, np.outer(x, x), [0, 1]).sum()
np.r_[x, 0.0, x[0], x[1:]] @ np.arange(7.0) + np.r_[0:3, x][3] * np.r_[x[:2]] @ np.r_[1.0, 2.0]
(np.c_[x, x * x] * np.c_[np.arange(3.0), np.ones(3)]).sum()
sum(np.r_[:3]) * a + np.mgrid[:2, :3][1] @ x @ [a, b] + np.ogrid[:3] @ x * b
np.fromfunction(lambda i, j: i + 2.0 * j, (3, 3))[1] @ x * x[0]
np.piecewise(x, [x > 1], [lambda t: t * x[0], lambda t: t**2]).sum()
np.frompyfunc(lambda t: t * t, 1, 1)(x).sum() * 1.0
sum(v * v for v in x.flat) + x.flat[1] * x.flat[-1] + sum(map(np.square, x))
sum(float(v) for v in np.nditer(np.arange(3.0))) * x[0] ** 2
"""


def given(u, v):
    return u * v if u > 1 else math.sin(u) + v


@np.vectorize
def raised(u, v=2.0):
    return u**v


chosen = np.vectorize(given)


def expressions(text):
    """Functions of x that give the expressions of a text, in which a and b are its elements."""
    parts = [part.strip() for line in text.strip().splitlines() for part in line.split(" | ")]
    made = {}
    for part in parts:
        scope = globals()
        made[part] = eval(f"lambda x: (lambda a, b: {part})(x[0], x[1])", scope)
    return made


@checks.each(expressions(LISTS), X)
def test_a_list_of_tracked_numbers_is_an_array_to_numpy(f, args):
    assert_right(lambda: f, *args)


@checks.each(expressions(FUNCTIONALS), X)
def test_functions_that_call_the_programs_functions(f, args):
    assert_right(lambda: f, *args)
