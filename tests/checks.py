"""What the tests of programs with arrays share: how a program is found right, and how refused."""

import types

import numpy as np
import pytest

import tapead
from tapead.tape import current

STEPS = (1e-2, 1e-3, 1e-4, 1e-5)
TOLERANCE = 1e-6  # of the best of the steps
X = np.array([0.7, 1.3, 2.1])
A = np.array([[1.1, 0.4, -0.3], [0.2, 1.7, 0.6], [-0.5, 0.8, 2.3]])


@pytest.fixture(autouse=True)
def everything_is_as_it_was(request):
    """After each test: no name is left rebound, no row on the tape, no array locked or changed."""
    spaces = [vars(request.module), vars(np), vars(np.linalg), vars(np.random)]
    before = [dict(names) for names in spaces]
    yield
    for names, old in zip(spaces, before):
        assert [k for k in old if names.get(k) is not old[k]] == []
    assert (current.tape.depth, len(current.tape), list(current.tape.locked)) == (0, 0, [])
    assert X.flags.writeable
    assert A.flags.writeable
    assert X.tolist() == [0.7, 1.3, 2.1]
    assert A[0].tolist() == [1.1, 0.4, -0.3]


def copies(args):
    return [x.copy() if isinstance(x, np.ndarray) else x for x in args]


def moved(args, step):
    """Arguments, each number a step further."""
    return [x + s if np.ndim(x) else x + float(s) for x, s in zip(args, step)]


def along(x, y):
    """The sum of products of two lists of arrays and numbers."""
    return sum(np.sum(a * b) for a, b in zip(x, y))


def assert_slope(slope, f, args, direction, scale):
    """That the slope of f along a direction is the one given, for the best of several steps."""
    errors = []
    for h in STEPS:
        at = [f(*moved(args, [k * h * d for d in direction])) for k in (1, -1, 2, -2)]
        errors.append(abs((8 * (at[0] - at[1]) - (at[2] - at[3])) / (12 * h) - slope))
    assert min(errors) <= TOLERANCE * scale, (slope, errors)


def assert_right(make, *args, second=True):
    """Value, gradient and second derivative of ``make()``, a program with fresh state."""
    plain = lambda *xs: make()(*copies(xs))  # noqa: E731
    numbers = tuple(range(len(args)))
    given = copies(args)
    value, gradient = tapead.value_and_grad(make(), argnums=numbers)(*given)
    expected = plain(*args)
    assert type(value) is type(expected)
    assert np.asarray(value).tobytes() == np.asarray(expected).tobytes()
    assert all(np.array_equal(x, y) for x, y in zip(given, args))  # f had copies
    assert [np.shape(g) for g in gradient] == [np.shape(x) for x in args]
    rng = np.random.default_rng(1)
    v, w = ([rng.uniform(-1.0, 1.0, np.shape(x)) for x in args] for _ in range(2))
    scale = along(map(np.abs, gradient), map(np.abs, v)) + 1e-3 * abs(expected) + 1e-9
    assert_slope(along(gradient, v), plain, args, v, scale)
    if second:
        slope = lambda *xs: along(tapead.grad(make(), argnums=numbers)(*xs), v)  # noqa: E731
        hessian_v = tapead.grad(slope, argnums=numbers)(*args)
        scale += along(map(np.abs, hessian_v), map(np.abs, w))
        assert_slope(along(hessian_v, w), slope, args, w, scale)
    return gradient


def each(table, *default):
    """Parameters ``f, args`` for the programs of a dict: name to f, or to f and its arguments."""
    rows = []
    for name, case in table.items():
        f, *args = case if isinstance(case, tuple) else (case, *(default or (X,)))
        rows.append(pytest.param(f, args, id=name))
    return pytest.mark.parametrize(("f", "args"), rows)


def assert_refused(f, *args, kind=tapead.DetachedError, match=None):
    """That the gradient of f raises this error, with a line of f and a remedy in its message."""
    with pytest.raises(kind, match=match) as caught:
        tapead.grad(f)(*copies(args))
    error = caught.value
    code = f.__code__
    assert error.filename == code.co_filename, str(error)
    assert error.lineno in lines_of(code), str(error)
    assert f'File "{error.filename}", line {error.lineno}, in ' in str(error)
    assert "tapead.value(x)" in str(error)
    return error


def lines_of(code):
    """The lines of a function and of those inside it."""
    lines = {line for _, _, line in code.co_lines() if line is not None}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            lines |= lines_of(inner)
    return lines
