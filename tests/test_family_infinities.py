"""What the program did not use stays out: zeros against infinities, in all sweeps."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead import lanes

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

everything_is_as_it_was = checks.everything_is_as_it_was
jvp, vjp, linearize, hvp, grad = (
    tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp, tapead.grad,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian
ROOTS = np.array([0.0, 1.0, 4.0])  # where np.sqrt has the slopes inf, 1/2 and 1/4

# ------------------------------------------------------------------------- one number ---


def unused_root(x):
    return 0.0 * math.sqrt(x) + x * x


def root_of_square(x):
    return math.sqrt(x * x)


def chosen(x):
    return np.where(x > 0.0, np.log(x), 2.0 * x) * 1.0


def product_with_zero(x):
    return np.sum(np.sqrt(np.array([x, x])) * np.array([0.0, 0.0])) + 3.0 * x


def elements(x):
    a = np.array([np.sqrt(x), x * x])
    return a[0] * 0.0 + a[1]


def overwritten_infinity(x):
    a = np.zeros(2)
    a[0] = np.sqrt(x)
    a[0] = x
    return a[0] * 2.0


ALL_WAYS = {
    "jvp": lambda f: jvp(f, (0.0,), (1.0,))[1],
    "vjp": lambda f: vjp(f, 0.0)[1](1.0)[0],
    "linearize": lambda f: linearize(f, 0.0)[1](1.0),
    "jacfwd": lambda f: tapead.jacfwd(f)(0.0),
    "jacrev": lambda f: tapead.jacrev(f)(0.0),
    "jvp inside": lambda f: grad(lambda t: jvp(f, (t,), (1.0,))[1] * t)(0.0),
}


@pytest.mark.parametrize("way", ALL_WAYS.values(), ids=ALL_WAYS)
@pytest.mark.parametrize(
    ("f", "slope"),
    [(unused_root, 0.0), (root_of_square, 0.0), (chosen, 2.0), (product_with_zero, 3.0),
     (elements, 0.0), (overwritten_infinity, 2.0)],
)  # fmt: skip
def test_what_the_program_did_not_use_stays_out(way, f, slope):
    with np.errstate(all="ignore"):
        assert way(f) == slope


SECOND_WAYS = {
    "hvp": lambda f: hvp(f, (0.0,), (1.0,)),
    "hessian": lambda f: tapead.hessian(f)(0.0),
    "jvp of grad": lambda f: jvp(grad(f), (0.0,), (1.0,))[1],
    "grad of jvp": lambda f: grad(lambda t: jvp(f, (t,), (1.0,))[1])(0.0),
    "jacfwd twice": lambda f: tapead.jacfwd(tapead.jacfwd(f))(0.0),
}


@pytest.mark.parametrize("way", SECOND_WAYS.values(), ids=SECOND_WAYS)
@pytest.mark.parametrize(
    ("f", "curvature"),
    [(unused_root, 2.0), (chosen, 0.0), (product_with_zero, 0.0), (elements, 2.0),
     (overwritten_infinity, 0.0), (root_of_square, 0.0)],
)  # fmt: skip
def test_what_the_program_did_not_use_stays_out_of_second_derivatives(way, f, curvature):
    with np.errstate(all="ignore"):
        assert way(f) == curvature


# ------------------------------------------------------------------------- many numbers ---


def roots_of_elements(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = math.sqrt(x[i])
    return out


def roots_times_elements(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = math.sqrt(x[i]) * x[i] + math.sqrt(x[0]) * 0.0
    return out


DIAGONALS = {
    "roots": (np.sqrt, [np.inf, 0.5, 0.25]),
    "roots of elements": (roots_of_elements, [np.inf, 0.5, 0.25]),
    "times": (lambda x: np.sqrt(x) * x, [0.0, 1.5, 3.0]),
    "times, of elements": (roots_times_elements, [0.0, 1.5, 3.0]),
    "choice": (lambda x: np.where(x > 0.0, np.log(x), 0.0), [0.0, 1.0, 0.25]),
    "mask": (lambda x: np.sqrt(x) * np.array([0.0, 1.0, 1.0]), [0.0, 0.5, 0.25]),
    "moved": (lambda x: np.sqrt(x)[::-1].copy()[::-1], [np.inf, 0.5, 0.25]),
    "written": (lambda x: written(np.sqrt(x), x), [1.0, 0.5, 0.25]),
}


def written(a, x):
    a[0] = x[0]
    return a


MATRICES = {
    "jvp": lambda f: np.array([jvp(f, (ROOTS,), (e,))[1] for e in np.eye(3)]).T,
    "linearize": lambda f: np.array([linearize(f, ROOTS)[1](e) for e in np.eye(3)]).T,
    "vjp": lambda f: np.array([vjp(f, ROOTS)[1](e)[0] for e in np.eye(3)]),
    "jacfwd": lambda f: jacfwd(f)(ROOTS),
    "jacrev": lambda f: jacrev(f)(ROOTS),
    "jacfwd inside": lambda f: jvp(jacfwd(f), (ROOTS,), (ROOTS * 0.0,))[0],
    "jacrev inside": lambda f: jvp(jacrev(f), (ROOTS,), (ROOTS * 0.0,))[0],
}


@pytest.mark.parametrize("native", [True, False], ids=["native", "general"])
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize(("f", "diagonal"), DIAGONALS.values(), ids=DIAGONALS)
def test_an_infinite_slope_is_no_nan_to_the_other_directions(
    f, diagonal, matrix, native, monkeypatch
):
    if not native:
        monkeypatch.setattr(lanes, "layout", lambda *_: None)
    with np.errstate(all="ignore"):
        found = matrix(f)
    assert found.tolist() == np.diag(diagonal).tolist()


def of_many(x):
    """Ten roots, more than are swept at once, of which one has an infinite slope."""
    return [math.sqrt(x[i] * x[i]) + x[i - 1] for i in range(10)]


@pytest.mark.parametrize("jacobian", [jacfwd, jacrev])
def test_many_lanes(jacobian):
    x = np.arange(10.0)
    expected = np.eye(10) + np.roll(np.eye(10), -1, axis=1)
    expected[0, 0] = 0.0
    assert np.array(jacobian(of_many)(x)).tolist() == expected.tolist()


SURFACES = {
    "unused": lambda x: math.sqrt(x[0]) * 0.0 + x[1] ** 2 * x[2],
    "unused, of arrays": lambda x: (
        np.sum(np.sqrt(x) * np.array([0.0, 0.0, 0.0])) + x[1] ** 2 * x[2]
    ),
    "chosen": lambda x: np.sum(np.where(x > 0.0, 0.0, np.log(x + 0.5) * 0.0)) + x[1] ** 2 * x[2],
    "overwritten": lambda x: written(np.sqrt(x), x)[0] * 0.0 + x[1] ** 2 * x[2],
}


@pytest.mark.parametrize("native", [True, False], ids=["native", "general"])
@pytest.mark.parametrize("f", SURFACES.values(), ids=SURFACES)
def test_hessians_without_what_was_not_used(f, native, monkeypatch):
    if not native:
        monkeypatch.setattr(lanes, "layout", lambda *_: None)
    expected = [[0.0, 0.0, 0.0], [0.0, 8.0, 2.0], [0.0, 2.0, 0.0]]
    with np.errstate(all="ignore"):
        assert hessian(f)(ROOTS).tolist() == expected
        assert jacfwd(jacrev(f))(ROOTS).tolist() == expected
        assert jacrev(jacfwd(f))(ROOTS).tolist() == expected
        rows = [hvp(f, (ROOTS,), (e,)).tolist() for e in np.eye(3)]
        assert rows == expected


def test_a_hessian_with_an_infinity_has_no_nan():
    f = lambda x: math.sqrt(x[0]) * x[0] + math.sqrt(x[1] * x[2])  # noqa: E731
    expected = [[np.inf, 0.0, 0.0], [0.0, -0.5, 0.125], [0.0, 0.125, -0.03125]]
    assert hessian(f)(ROOTS).tolist() == expected
    assert jacfwd(jacrev(f))(ROOTS).tolist() == expected
    assert jacfwd(jacfwd(f))(ROOTS).tolist() == expected


@pytest.mark.parametrize(
    "f", [np.sqrt, roots_of_elements, lambda x: np.sum(np.sqrt(x) * x) * x, lambda x: x**0.5]
)
@pytest.mark.filterwarnings("error")
def test_sweeps_say_nothing_about_infinities(f):
    """What the program's own operations have to say comes from the program."""
    one = lambda x: np.sum(f(x))  # noqa: E731
    for call in (
        lambda: jvp(f, (ROOTS,), (ROOTS,)), lambda: vjp(f, ROOTS)[1](ROOTS),
        lambda: linearize(f, ROOTS)[1](ROOTS), lambda: jacfwd(f)(ROOTS), lambda: jacrev(f)(ROOTS),
        lambda: hessian(f)(ROOTS), lambda: hvp(one, (ROOTS,), (ROOTS,)),
        lambda: jacrev(jacrev(f))(ROOTS), lambda: jacfwd(jacfwd(f))(ROOTS),
        lambda: grad(lambda x: jvp(one, (x,), (ROOTS,))[1])(ROOTS),
    ):  # fmt: skip
        call()
