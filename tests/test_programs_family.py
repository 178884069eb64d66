"""Ordinary programs: jvp, vjp, linearize and hvp of each, against its gradient.

What the gradient is worth is tested in ``test_programs.py``.
"""

import importlib.util
import math
import random
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


programs = _module("test_programs")
flat, bits, copied = programs._flat, programs._bits, programs._copied
each_program = programs.each_program


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    assert (current.tape.depth, len(current.tape), current.tape.locked) == (0, 0, [])


def direction_of(args):
    """A random direction, each component scaled as its input: flat, and as a tree."""
    rng = random.Random(len(flat(args)))
    numbers = [rng.uniform(-1.0, 1.0) * max(abs(x), 1e-2) for x in flat(args)]
    return numbers, programs._rebuilt(args, iter(numbers))


def gradient_of(f, args):
    return tapead.value_and_grad(f, argnums=tuple(range(len(args))))(*copied(args))


def assert_as_good_as(found, expected, rtol):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    scale = max(map(abs, expected))
    worst = max(abs(a - b) for a, b in zip(found, expected))
    assert worst <= rtol * scale, (worst, scale)


@each_program
def test_jvp_is_the_gradients_inner_product_in_one_run(f, args):
    numbers, direction = direction_of(args)
    value, gradient = gradient_of(f, args)
    given, runs = copied(args), []

    def counted(*xs):
        runs.append(1)
        return f(*xs)

    found, tangent = tapead.jvp(f, given, direction)
    scale = max(programs._size(gradient, numbers), 1e-300)
    assert abs(tangent - programs._dot(gradient, numbers)) <= 1e-10 * scale
    assert bits(found) == bits(value)
    assert type(tangent) is type(found) or np.ndim(found) == 0
    assert list(map(bits, flat(given))) == list(map(bits, flat(args)))
    assert flat(direction) == numbers
    tapead.vjp(counted, *copied(args))  # where a module was not foreseen, it is from here on
    runs.clear()
    kept, derivative = tapead.linearize(counted, *copied(args))
    assert abs(derivative(*direction) - tangent) <= 1e-10 * scale
    assert bits(kept) == bits(value)
    tapead.jvp(counted, copied(args), direction)
    assert runs == [1, 1]


@each_program
def test_a_pullback_is_the_gradient_again_and_again(f, args):
    value, gradient = gradient_of(f, args)
    kept, pullback = tapead.vjp(f, *copied(args))
    assert bits(kept) == bits(value)
    one = np.ones(()) if isinstance(kept, np.ndarray) else 1.0
    first, second = pullback(one), pullback(2.0 * one)
    assert programs._shape(first) == programs._shape(args)
    assert_as_good_as(first, gradient, 1e-10)
    assert_as_good_as(second, [2.0 * g for g in flat(first)], 1e-12)


@each_program
def test_hvp_is_the_gradients_derivative(f, args):
    numbers, direction = direction_of(args)
    positions = tuple(range(len(args)))
    found = tapead.hvp(f, copied(args), direction)
    found = (found,) if len(args) == 1 else found
    assert programs._shape(found) == programs._shape(args)
    assert all(map(math.isfinite, flat(found)))

    def slope(*point):
        gradient = tapead.grad(f, argnums=positions)(*point)
        return sum(g * d for g, d in zip(flat(gradient), numbers, strict=True))

    twice = tapead.grad(slope, argnums=positions)(*copied(args))
    forward = tapead.jvp(tapead.grad(f, argnums=positions), copied(args), direction)[1]
    # Where all is linear, what is left is rounding, of the gradient's size.
    size = max(map(abs, flat(tapead.grad(f, argnums=positions)(*copied(args)))))
    scale = max(*map(abs, flat(twice)), 1e-6 * size)
    for other in (twice, forward):
        worst = max(abs(a - b) for a, b in zip(flat(found), flat(other), strict=True))
        assert worst <= 1e-9 * scale, (worst, scale)
