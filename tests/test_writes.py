"""Writes into arrays, and through views of them: any program gives NumPy's values and exact slopes.

Random programs (`program_text`) run on plain NumPy, on tapead, and on arrays that carry tangents
along (`hyper`), which is forward mode without any tape, to second order.
"""

import importlib.util
import math
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, reject, settings
from hypothesis import strategies as st

import tapead
from tapead import sweeps


def _helper(name):
    """A module beside this one, which is on no path."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


hyper, program_text = _helper("hyper"), _helper("program_text")

ALL = (0, 1, 2)
programs = settings(
    # A failing program is shown as it is: to shorten it would take minutes.
    phases=(Phase.generate,),
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=list(HealthCheck),
)


class Shapes(NamedTuple):
    """Of a program's vector and matrix, and of the array in its module."""

    x: tuple = (6,)
    y: tuple = (2, 3)
    c: tuple = (4,)


SMALL = Shapes()


def inputs_of(seed, shapes=SMALL):
    """The program's arguments, and what it finds in its module."""
    rng = np.random.default_rng(seed)
    x, y, z, c = (0.7 * rng.normal(size=shape) for shape in (shapes.x, shapes.y, (), shapes.c))
    return (x, y, float(z)), c


def compiled(text, c, np=np, math=math):
    """The program as a function, with arrays of its own."""
    scope = {"np": np, "math": math, "C": c, "float": float}
    exec(compile(text, "<program>", "exec"), scope)
    exec("def loss(x, y, z):\n    return f(x, y, z)[0]\n", scope)
    return scope


def copies(args):
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def reference(text, seed, shapes=SMALL):
    """The plain run, and the derivatives along two directions by arrays that carry tangents."""
    args, c = inputs_of(seed, shapes)
    plain = compiled(text, c.copy())
    with np.errstate(all="ignore"):
        value, made = plain["f"](*copies(args))
    first, _ = inputs_of(seed + 1, shapes)
    second, _ = inputs_of(seed + 2, shapes)
    tracked = [hyper.Hyper(*copies([a, d, e, 0.0 * a])) for a, d, e in zip(args, first, second)]
    constant = hyper.Hyper(c.copy(), 0.0 * c, 0.0 * c, 0.0 * c)
    scope = compiled(text, constant, hyper.numpy_, hyper.math_)
    try:
        with np.errstate(all="ignore"):
            slopes = scope["f"](*tracked)[0]
    except hyper.OutOfRangeError:
        reject()
    assert bits(slopes.value) == bits(value)
    return args, c, (value, made, plain["C"]), (first, second), slopes.parts


def bits(x):
    x = np.asarray(x)
    return x.dtype, x.shape, x.tobytes()


def inner(adjoints, direction):
    """Their inner product, and the size of its terms."""
    terms = [np.sum(g * d) for g, d in zip(adjoints, direction)]
    size = sum(np.sum(np.abs(g * d)) for g, d in zip(adjoints, direction))
    return sum(terms), size


def assert_equal(ours, theirs, size):
    assert abs(ours - theirs) <= 1e-10 * max(1.0, size, abs(theirs)), (ours, theirs)


def assert_right(text, seed, shapes=SMALL):
    """The program's value, all that it has made, and its gradient."""
    args, c, (value, made, changed), directions, slopes = reference(text, seed, shapes)
    given = copies(args)
    scope = compiled(text, c.copy())
    (ours, all_ours), gradient = tapead.value_and_grad(scope["f"], argnums=ALL, has_aux=True)(
        *given
    )
    assert bits(ours) == bits(value)
    assert list(map(bits, all_ours)) == list(map(bits, made))
    assert list(map(bits, given)) == list(map(bits, args))
    assert bits(scope["C"]) == bits(changed)
    for g, x in zip(gradient, args):
        assert np.shape(g) == np.shape(x)
    for direction, slope in zip(directions, slopes[1:]):
        product, size = inner(gradient, direction)
        assert_equal(product, slope, size)


def assert_forward_is_right(text, seed, shapes=SMALL):
    args, c, _, directions, slopes = reference(text, seed, shapes)
    tape = tapead.record(compiled(text, c.copy())["loss"], *args, lines=False)
    for direction, slope in zip(directions, slopes[1:]):
        ours = sweeps.push(tape._tape, 0, 0, 3, len(tape), list(direction), tape.outputs)[0]
        assert_equal(0.0 if ours is None else float(ours), slope, 1.0)


def assert_second_order_is_right(text, seed, shapes=SMALL):
    args, c, _, (first, second), slopes = reference(text, seed, shapes)
    loss = compiled(text, c.copy())["loss"]

    def along(x, y, z):
        gradient = tapead.grad(loss, argnums=ALL)(x, y, z)
        return sum(np.sum(g * d) for g, d in zip(gradient, first))

    value, rows = tapead.value_and_grad(along, argnums=ALL)(*args)
    assert_equal(value, slopes[1], 1.0)
    product, size = inner(rows, second)
    assert_equal(product, slopes[3], size)


@programs
@given(text=program_text.programs(), seed=st.integers(0, 3))
def test_values_are_numpys_and_slopes_are_exact(text, seed):
    note(text)
    assert_right(text, seed)


@programs
@given(text=program_text.programs(), seed=st.integers(0, 3))
def test_forward_sweeps_write_as_the_program_does(text, seed):
    note(text)
    assert_forward_is_right(text, seed)


@programs
@given(text=program_text.programs(most=9), seed=st.integers(0, 3))
def test_second_derivatives_are_exact(text, seed):
    note(text)
    assert_second_order_is_right(text, seed)


# ------------------------------------------------------------------------------ large arrays ---

# Large enough for constants to be locked instead of copied, and for sweeps to go by blocks.
LARGE = Shapes((20_000,), (130, 160), (20_000,))
PROGRAMS = """
# diffusion, its coefficients changed after use
c *= 0.1
for k in range(3): un = x.copy(); x[1:-1] = un[1:-1] + z * c[1:-1] * (un[2:] - un[:-2])
c[::2] = 0.5
x[1:-1] = x[1:-1] * c[1:-1]
# a constant read, then written by names of its own, its view's and its base's
v = C[::-1]
a = C * x; C[:10_000] = x[0]; b = v * x; v[5] = z; x[...] = a * b + C
# products with what is overwritten
a = x * x; x[::-1] *= x; b = np.tanh(x) * a; a[...] = b * a; x -= a
# blocks of a function of what is overwritten
a = np.sin(x * z); x[::2] = 0.0; b = np.sin(x[::2] + x[1::2]) * a[:10_000]; a[10_000:] = b
# views of a matrix
t = y.T; a = t @ y; t[10:20] = a[10:20, :130] / 130; y[:, -1] *= y[:, 0]; y[1:] += y[:-1]
# a matrix in the other order
a = np.empty((130, 160), order="F"); a[...] = y * y; a[:, ::2] -= z
y[...] = a.reshape(-1).reshape(y.shape) * y
# masks
a = x * c; x[x > 0.5] *= 0.5; a[x < 0.0] = z; x[a > 0.1] = a[a > 0.1]
# repeated positions
at = [k % 7 for k in range(20_000)]
a = np.zeros(7); np.add.at(a, at, x); x[at] = x * c; x[:7] *= a / 3000
# sorted
a = x * c; x.sort(kind="stable"); x *= a; y.sort(0, kind="stable"); y[...] = y[::-1] * y
# out=
np.multiply(x, c, out=x); a = np.sin(x); np.add(a, x, out=a); np.multiply(a[1:], a[:-1], out=x[:-1])
# elements
for k in range(1, 50): x[k] += x[k - 1] * x[-k]; y[k, k] = x[k] * z
"""


FITTING = SMALL._replace(c=(6,))  # the result multiplies x and c
# Those of the random programs that were wrong once, and are rare.
FOUND = """
# a constant of the module through a view, a product with its own transpose
v = np.atleast_2d(c); v[...] += z; y[0, 0] = np.sum(v @ v.T)
# a constant of the module that is kept, then written
c[...] = c - z; y[0, 0] = np.sum(c * c); c[:] = 0.3
# windows of what is written later
v = np.lib.stride_tricks.sliding_window_view(x, 2, -1); x[0] = z; y[0, :2] = v[0] * v[1]
# windows, broadcast
v = np.lib.stride_tricks.sliding_window_view(x, 2, -1); x[1] = z
v = np.broadcast_to(v, (2, 5, 2)); y[0, 0] = np.sum(v * v * v)
# windows of an imaginary part
w = np.zeros((6,), complex); w.imag = x; v = np.lib.stride_tricks.sliding_window_view(w.imag, 2, -1)
w.imag[1:] *= z; y[0, 0] = np.sum(v * v * v)
"""


def programs_of(text):
    for part in text.strip().removeprefix("# ").split("\n# "):
        title, _, body = part.partition("\n")
        result = "return np.mean(np.sin(x) * c) + np.mean(y * y), [x, y, c]"
        lines = ["def f(x, y, z):", "c = C", *body.splitlines(), result]
        yield pytest.param("\n    ".join(lines) + "\n", id=title)


@pytest.mark.parametrize("text", [*programs_of(PROGRAMS)])
def test_large_arrays_are_written_as_small_ones(text):
    assert_right(text, 1, LARGE)
    assert_forward_is_right(text, 1, LARGE)
    assert_second_order_is_right(text, 1, LARGE)


@pytest.mark.parametrize("text", [*programs_of(FOUND)])
def test_what_was_wrong_once_is_right(text):
    assert_right(text, 1, FITTING)
    assert_forward_is_right(text, 1, FITTING)
    assert_second_order_is_right(text, 1, FITTING)
