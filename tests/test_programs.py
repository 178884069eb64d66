"""Ordinary programs, as strangers write them: value, gradient and second derivative of each.

The programs live in ``programs/`` and know nothing of this.  What a program computes while it is
recorded is compared with the plain program bit for bit, its gradient with finite differences.
Some write into their arguments: every call gets a copy.
"""

import builtins
import dataclasses
import importlib
import importlib.util
import math
import pkgutil
import random
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead.tape import current

FOLDER = Path(__file__).parent / "programs"
MOST_COORDINATES = 8  # with more inputs than this, random directions are tested

# A central difference of 5 points errs by about h**4 of the function's fifth derivative, and by
# eps / h of its value: where the program is smooth, one of the steps below is good to 1e-9.
# Rounding inside iterations and pieces as short as the largest steps take up to three more digits.
STEPS = (1e-2, 1e-3, 1e-4, 1e-5)
TOLERANCE = 1e-6


def _modules():
    """The modules of the folder, as a package of its own name: it is on no path."""
    spec = importlib.util.spec_from_file_location(
        "ordinary_programs", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    spec.loader.exec_module(package)
    names = sorted(info.name for info in pkgutil.iter_modules([str(FOLDER)]))
    return [importlib.import_module(f"{spec.name}.{name}") for name in names]


MODULES = _modules()
WITH_ARRAYS = [module for module in MODULES if ".np_" in module.__name__]
CASES = [
    pytest.param(f, args, id=f"{module.__name__.partition('.')[2]}: {name}")
    for module in MODULES
    for name, f, args in module.CASES
]
each_program = pytest.mark.parametrize(("f", "args"), CASES)


def _bits(x):
    x = x[()] if isinstance(x, np.ndarray) else x  # an array of one number is given as the number
    return type(x), struct.pack("<d", x)  # tells -0.0 from 0.0


def _children(tree):
    """The parts of a tree; None for a number or an array.

    (Not by tapead.trees: that is under test here.)
    """
    if isinstance(tree, dict):
        return [tree[k] for k in sorted(tree)]
    if isinstance(tree, (list, tuple)):
        return list(tree)
    if dataclasses.is_dataclass(tree):
        return [getattr(tree, field.name) for field in dataclasses.fields(tree)]
    return None


def _flat(tree):
    """All numbers of a tree, those of arrays among them."""
    if isinstance(tree, np.ndarray):
        return tree.ravel().tolist()
    parts = _children(tree)
    return [tree] if parts is None else [leaf for part in parts for leaf in _flat(part)]


def _shape(tree):
    """Types all the way down, the keys of dicts and the shapes of arrays."""
    if isinstance(tree, np.ndarray):
        return type(tree), tree.dtype, tree.shape
    parts = _children(tree)
    keys = sorted(tree) if isinstance(tree, dict) else None
    return float if parts is None else (type(tree), keys, [_shape(part) for part in parts])


def _laid_out_as(x):
    """A new array that lies in memory as x does, reversed and with gaps if it is a view."""
    owner = x if x.base is None else x.base
    offset = x.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    return np.ndarray(x.shape, x.dtype, np.zeros(owner.size), offset, x.strides)


def _rebuilt(tree, leaves):
    """A tree made anew, by its classes' own constructors, of numbers from an iterator."""
    if isinstance(tree, np.ndarray):
        new = _laid_out_as(tree)
        new[...] = np.reshape([next(leaves) for _ in range(tree.size)], tree.shape)
        return new
    parts = _children(tree)
    if parts is None:
        return next(leaves)
    new = [_rebuilt(part, leaves) for part in parts]
    if isinstance(tree, dict):
        return dict(zip(sorted(tree), new, strict=True))
    if isinstance(tree, tuple) and not hasattr(tree, "_fields"):
        return tuple(new)
    return new if isinstance(tree, list) else type(tree)(*new)


def _copied(args):
    return _rebuilt(args, iter(_flat(args)))


def _moved(args, direction, h):
    """The arguments, each number a step further along a direction."""
    moved = iter([x + h * d for x, d in zip(_flat(args), direction, strict=True)])
    return _rebuilt(args, moved)


def _directions(leaves):
    """Coordinates, or a few random directions, each component scaled as its input."""
    scales = [max(abs(x), 1e-2) for x in leaves]
    n = len(leaves)
    if n <= MOST_COORDINATES:
        return [[scales[i] * (i == j) for j in range(n)] for i in range(n)]
    rng = random.Random(n)
    return [[rng.uniform(-1, 1) * s for s in scales] for _ in range(3)]


def _assert_slope(slope, along, scale):
    """That the slope of `along` at 0 is the one given, for the best of several steps."""
    errors = []
    for h in STEPS:
        try:
            near, far = along(h) - along(-h), along(2 * h) - along(-2 * h)
        except (ArithmeticError, ValueError):  # the step leaves the domain
            continue
        if math.isfinite(near) and math.isfinite(far):  # or NumPy goes on with nan
            errors.append(abs((8 * near - far) / (12 * h) - slope))
            if errors[-1] <= TOLERANCE * scale:
                return
    pytest.fail(f"the slope {slope} errs by {errors}, which is more than {TOLERANCE * scale}")


def _dot(gradient, direction):
    return math.fsum(g * d for g, d in zip(_flat(gradient), direction, strict=True))


def _size(gradient, direction):
    return math.fsum(abs(g * d) for g, d in zip(_flat(gradient), direction, strict=True))


def _gradient(f, args):
    return tapead.grad(f, argnums=tuple(range(len(args))))


@each_program
def test_a_recorded_program_computes_the_same_bits(f, args):
    plain = f(*_copied(args))
    given = _copied(args)
    value, gradient = tapead.value_and_grad(f, argnums=tuple(range(len(args))))(*given)
    assert _bits(value) == _bits(plain)
    assert _shape(gradient) == _shape(args)
    assert all(type(g) is float and math.isfinite(g) for g in _flat(gradient))
    assert any(_flat(gradient))
    assert list(map(_bits, _flat(given))) == list(map(_bits, _flat(args)))  # f wrote into copies
    assert _bits(f(*given)) == _bits(plain)  # no trace of the recording is left behind


@each_program
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # where a step leaves the domain
def test_the_gradient_agrees_with_finite_differences(f, args):
    gradient = _gradient(f, args)(*_copied(args))
    value = f(*_copied(args))
    for direction in _directions(_flat(args)):
        scale = max(_size(gradient, direction), 1e-3 * abs(value))
        _assert_slope(
            _dot(gradient, direction), lambda h, d=direction: f(*_moved(args, d, h)), scale
        )


@each_program
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_second_derivative_agrees_with_finite_differences_of_the_gradient(f, args):
    gradient = _gradient(f, args)
    positions = tuple(range(len(args)))
    leaves = _flat(args)
    rng = random.Random(1)
    v = [rng.uniform(0.5, 1.5) * max(abs(x), 1e-2) for x in leaves]

    def slope(*point):
        return sum(g * d for g, d in zip(_flat(gradient(*point)), v, strict=True))

    hessian_v = tapead.grad(slope, argnums=positions)(*_copied(args))
    # Along v: the curvature; scaled by the parts that cancel in it, the slope's among them.
    scale = max(_size(hessian_v, v), _size(gradient(*_copied(args)), v))
    _assert_slope(_dot(hessian_v, v), lambda h: slope(*_moved(args, v, h)), scale)
    w = [d * rng.choice((-1, 1)) for d in v]
    _assert_slope(_dot(hessian_v, w), lambda h: slope(*_moved(args, w, h)), scale)


@each_program
def test_no_name_is_changed_and_no_recording_left_open(f, args):
    before = [(m, dict(vars(m))) for m in (*MODULES, math, random, np, np.linalg, np.random)]
    builtin_names = dict(vars(builtins))
    _gradient(f, args)(*_copied(args))
    for module, names in before:
        now = vars(module)
        assert now.keys() == names.keys()
        assert [k for k in names if now[k] is not names[k]] == []
    assert vars(builtins) == builtin_names
    assert current.tape.depth == 0
    assert len(current.tape) == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_the_programs_do_not_know_what_is_done_to_them(module):
    assert "tapead" not in Path(module.__file__).read_text(encoding="utf-8")


def test_there_are_programs_enough():
    assert len(CASES) >= 100
    assert sum(len(module.CASES) for module in WITH_ARRAYS) >= 40
