"""Writes into arrays, and through views of them: any program gives NumPy's values and exact slopes.

Random programs (`program_text`) run on plain NumPy, on tapead, and on arrays that carry tangents
along (`hyper`), which is forward mode without any tape, to second order.
"""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
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
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=list(HealthCheck),
)


def inputs_of(seed):
    """The program's arguments, and what it finds in its module."""
    rng = np.random.default_rng(seed)
    x, c = rng.normal(size=6), rng.normal(size=4)
    return (x * 0.7, rng.normal(size=(2, 3)) * 0.7, float(rng.normal())), c


def compiled(text, c, np=np, math=math):
    """The program as a function, with arrays of its own."""
    scope = {"np": np, "math": math, "C": c, "float": float}
    exec(compile(text, "<program>", "exec"), scope)
    exec("def loss(x, y, z):\n    return f(x, y, z)[0]\n", scope)
    return scope


def copies(args):
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def reference(text, seed):
    """The plain run, and the derivatives along two directions by arrays that carry tangents."""
    args, c = inputs_of(seed)
    plain = compiled(text, c.copy())
    with np.errstate(all="ignore"):
        value, made = plain["f"](*copies(args))
    first, _ = inputs_of(seed + 1)
    second, _ = inputs_of(seed + 2)
    tracked = [
        hyper.Hyper(*copies([a, d, e, 0.0 * a])) for a, d, e in zip(args, first, second)
    ]
    constant = hyper.Hyper(c.copy(), 0.0 * c, 0.0 * c, 0.0 * c)
    scope = compiled(text, constant, hyper.numpy_, hyper.math_)
    try:
        with np.errstate(all="ignore"):
            slopes = scope["f"](*tracked)[0]
    except hyper.TooLarge:
        assume(False)
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


@programs
@given(text=program_text.programs(), seed=st.integers(0, 3))
def test_values_are_numpys_and_slopes_are_exact(text, seed):
    note(text)
    args, c, (value, made, changed), directions, slopes = reference(text, seed)
    given = copies(args)
    scope = compiled(text, c.copy())
    (ours, all_ours), gradient = tapead.value_and_grad(scope["f"], argnums=ALL, has_aux=True)(*given)
    assert bits(ours) == bits(value)
    assert list(map(bits, all_ours)) == list(map(bits, made))
    assert list(map(bits, given)) == list(map(bits, args))
    assert bits(scope["C"]) == bits(changed)
    for g, x in zip(gradient, args):
        assert np.shape(g) == np.shape(x)
    for direction, slope in zip(directions, slopes[1:]):
        product, size = inner(gradient, direction)
        assert_equal(product, slope, size)


@programs
@given(text=program_text.programs(), seed=st.integers(0, 3))
def test_forward_sweeps_write_as_the_program_does(text, seed):
    note(text)
    args, c, _, directions, slopes = reference(text, seed)
    tape = tapead.record(compiled(text, c.copy())["loss"], *args, lines=False)
    for direction, slope in zip(directions, slopes[1:]):
        ours = sweeps.array_tangent(tape._tape, 0, 0, 3, list(direction), tape.outputs)[0]
        assert_equal(0.0 if ours is None else float(ours), slope, 1.0)


@programs
@given(text=program_text.programs(most=9), seed=st.integers(0, 3))
def test_second_derivatives_are_exact(text, seed):
    note(text)
    args, c, _, (first, second), slopes = reference(text, seed)
    loss = compiled(text, c.copy())["loss"]

    def along(x, y, z):
        gradient = tapead.grad(loss, argnums=ALL)(x, y, z)
        return sum(np.sum(g * d) for g, d in zip(gradient, first))

    value, rows = tapead.value_and_grad(along, argnums=ALL)(*args)
    assert_equal(value, slopes[1], 1.0)
    product, size = inner(rows, second)
    assert_equal(product, slopes[3], size)
