"""Every row of the tables: value, reverse against differences, forward, second order, dtypes.

Forward is a sweep over the tape, and `jvp`, which keeps none; second order is each of the two modes
within each.

The cases live in ``cases_*.py``; a row without a case fails here.
"""

import functools
import importlib.util
import itertools
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead import array, products, rules, sweeps
from tapead.array import UFUNCS

FOLDER = Path(__file__).parent
FOLDERS = [FOLDER]
if importlib.util.find_spec("scipy") is not None:
    FOLDERS.append(FOLDER.parent / "scipy")
    sys.path.insert(0, str(FOLDERS[1]))
    for _name in tapead.aware_scipy.MODULES:
        importlib.import_module(f"scipy.{_name}")
    tapead.aware_scipy.load()
# RULES=cases_linalg runs that module's cases only.
_WANTED = os.environ.get("RULES", "cases_*")
_FILES = sorted(p for folder in FOLDERS for p in folder.glob(f"{_WANTED}.py"))
MODULES = [importlib.import_module(p.stem) for p in _FILES]
CASES = [case for module in MODULES for case in module.CASES]
_seen: dict = {}
for _case in CASES:
    _seen[_case.name] = _seen.get(_case.name, 0) + 1
    _case.id = _case.name if _seen[_case.name] == 1 else f"{_case.name} #{_seen[_case.name]}"
each_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)


def outputs(result):
    """The arrays of a result that have a derivative at all."""
    parts = result if isinstance(result, (list, tuple)) else [result]
    return [x for x in parts if np.asarray(array.plain_of(x)).dtype.kind in "fc"]


def loss_of(case, weights):
    """The case as a function with one real result: its outputs weighed and summed."""

    def loss(*inputs):
        total = 0.0
        for w, x in zip(weights, outputs(case.call(*inputs))):
            total = total + np.sum(np.real(w * x))
        return total

    loss.weights = weights
    return loss


def noise(rng, like):
    like = np.asarray(like)
    w = rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    if like.dtype.kind == "c":
        w = w + 1j * rng.uniform(-1.5, 1.5, like.shape)
    return w


@functools.cache
def prepared(case):
    """The case's loss, its inputs as float64 or complex128, and a direction for each of them."""
    rng = np.random.default_rng(3)
    inputs = [wide(x) for x in case.inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = outputs(case.call(*inputs))
    weights = [noise(rng, x) for x in plain]
    directions = [noise(rng, x) for x in inputs]
    return loss_of(case, weights), inputs, directions


def wide(x):
    return np.array(x, complex if x.dtype.kind == "c" else float, order="K")


def moved(inputs, directions, h):
    return [x + h * d for x, d in zip(inputs, directions)]


def inner(adjoints, directions):
    """<adjoint, direction>; adjoints are not conjugated."""
    return float(sum(np.sum(np.real(g * d)) for g, d in zip(adjoints, directions)))


def slope(f, inputs, directions):
    """A derivative by central differences, the best of several steps by their own agreement."""
    steps = [2.0**-k * 2e-3 for k in range(-1, 9)]  # each is twice the next one
    with np.errstate(all="ignore"):
        apart = [
            f(*moved(inputs, directions, h)) - f(*moved(inputs, directions, -h)) for h in steps
        ]
        rows = [
            (8 * near - far) / (12 * h)
            for (far, near), h in zip(itertools.pairwise(apart), steps[1:])
        ]
    change = [abs(a - b) for a, b in itertools.pairwise(rows)]
    best = int(np.argmin(change))
    return rows[best + 1], change[best]


def assert_close(ours, theirs, error, scale):
    assert abs(ours - theirs) <= 2e-7 * max(scale, abs(theirs)) + 10 * error, (ours, theirs, error)


def gradient(f, inputs):
    return tapead.grad(f, argnums=tuple(range(len(inputs))))(*inputs)


def same(x, y):
    x, y = np.asarray(x), np.asarray(y)
    return (
        x.dtype == y.dtype
        and x.shape == y.shape
        and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")
    )


def assert_kept(plain, values, tangents):
    """That values are those of the plain program, and tangents are what they are."""
    assert len(values) == len(tangents) == len(plain)
    for x, y, t in zip(plain, values, tangents):
        assert same(x, y)
        assert type(x) is type(y) is type(t)
        assert (np.shape(t), np.asarray(t).dtype) == (np.shape(x), np.asarray(x).dtype)


@each_case
def test_the_value_is_numpys_own(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = case.call(*[x.copy("K") for x in case.inputs])

        def run(*inputs):
            return 0.0, tapead.value(case.call(*inputs))

        _, tracked = tapead.grad(run, argnums=tuple(range(len(case.inputs))), has_aux=True)(
            *case.inputs
        )
    plain = plain if isinstance(plain, (list, tuple)) else [plain]
    tracked = tracked if isinstance(tracked, (list, tuple)) else [tracked]
    assert len(plain) == len(tracked)
    for x, y in zip(plain, tracked):
        assert same(x, y)


@each_case
def test_reverse_agrees_with_differences(case):
    loss, inputs, directions = prepared(case)
    adjoints = gradient(loss, inputs)
    for g, x in zip(adjoints, inputs):
        assert np.shape(g) == x.shape
        assert np.asarray(g).dtype == x.dtype
    size = float(sum(np.sum(np.abs(g * d)) for g, d in zip(adjoints, directions)))
    ours = inner(adjoints, directions)
    assert_close(ours, *slope(loss, inputs, directions), size)


@each_case
def test_forward_agrees_with_reverse(case):
    loss, inputs, directions = prepared(case)
    adjoints = gradient(loss, inputs)
    ours = forward(loss, inputs, directions)
    size = float(sum(np.sum(np.abs(g * d)) for g, d in zip(adjoints, directions)))
    theirs = inner(adjoints, directions)
    assert abs(ours - theirs) <= 1e-9 * max(size, 1e-3), (ours, theirs)


def forward(f, inputs, directions):
    """The derivative along a direction by a forward sweep over the tape."""
    tape = tapead.record(f, *inputs, lines=False)
    if tape.outputs[0] is None:
        return 0.0
    found = sweeps.push(tape._tape, 0, 0, len(inputs), len(tape), directions, tape.outputs)[0]
    return float(np.real(np.sum(found)))


@each_case
def test_forward_mode_without_a_tape_agrees_with_reverse(case, monkeypatch):
    loss, inputs, directions = prepared(case)
    adjoints = gradient(loss, inputs)

    def run(*xs):
        return outputs(case.call(*xs))

    monkeypatch.setattr(products, "_traced", None)  # what would record
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = run(*[x.copy("K") for x in inputs])
        values, tangents = tapead.jvp(run, inputs, directions)
    assert_kept(plain, values, tangents)
    size = float(sum(np.sum(np.abs(g * d)) for g, d in zip(adjoints, directions)))
    ours, theirs = inner(tangents, loss.weights), inner(adjoints, directions)
    assert abs(ours - theirs) <= 1e-9 * max(size, 1e-3), (ours, theirs)


SECOND = [c for c in CASES if c.order > 1]


each_second = pytest.mark.parametrize("case", SECOND, ids=lambda c: c.id)


@functools.cache
def twice(case):
    """The slope along a direction, another direction, the slope's gradient, and a scale."""
    loss, inputs, directions = prepared(case)

    def along(*xs):
        total = 0.0
        for g, d in zip(gradient(loss, xs), directions):
            total = total + np.sum(np.real(g * d))
        return total

    rng = np.random.default_rng(5)
    others = [noise(rng, x) for x in inputs]
    second = gradient(along, inputs)
    size = float(sum(np.sum(np.abs(g * d)) for g, d in zip(second, others)))
    first = float(sum(np.sum(np.abs(g)) for g in gradient(loss, inputs)))
    return along, others, second, max(size, first)


@each_second
def test_second_order_agrees_with_differences_of_the_gradient(case):
    _, inputs, _ = prepared(case)
    along, others, second, size = twice(case)
    assert_close(inner(second, others), *slope(along, inputs, others), size)
    ours = forward(along, inputs, others)
    assert abs(ours - inner(second, others)) <= 1e-8 * max(size, 1e-3)


@each_second
def test_both_modes_within_each_other_agree_at_second_order(case):
    loss, inputs, directions = prepared(case)
    _, others, second, size = twice(case)

    def along(*xs):
        return tapead.jvp(loss, xs, directions)[1]

    products = tapead.hvp(loss, inputs, directions)
    ours = {
        "forward over reverse": inner(products if len(inputs) > 1 else [products], others),
        "reverse over forward": inner(gradient(along, inputs), others),
        "forward over forward": tapead.jvp(along, inputs, others)[1],
    }
    theirs = inner(second, others)
    for name, number in ours.items():
        assert abs(number - theirs) <= 1e-8 * max(size, 1e-3), (name, number, theirs)


SEVERAL = [c for c in CASES if len(c.inputs) > 1]


def by_one(f, inputs, k):
    """A function as one of its k-th input, where the others are what they are."""
    return lambda x: f(*inputs[:k], x, *inputs[k + 1 :])


@pytest.mark.parametrize("case", SEVERAL, ids=lambda c: c.id)
def test_derivatives_by_one_input_do_not_ask_for_those_by_others(case):
    loss, inputs, directions = prepared(case)
    adjoints = gradient(loss, inputs)
    size = float(sum(np.sum(np.abs(g * d)) for g, d in zip(adjoints, directions)))
    for k, (x, d) in enumerate(zip(inputs, directions)):
        alone = by_one(loss, inputs, k)
        theirs = inner(adjoints[k : k + 1], [d])
        for ours in (inner(gradient(alone, [x]), [d]), tapead.jvp(alone, [x], [d])[1]):
            assert abs(ours - theirs) <= 1e-9 * max(size, 1e-3), (k, ours, theirs)


@pytest.mark.parametrize("case", [c for c in SEVERAL if c.order > 1], ids=lambda c: c.id)
def test_inner_derivatives_by_one_input_pass_on_those_by_others(case):
    loss, inputs, directions = prepared(case)
    _, others, second, size = twice(case)

    def back(*xs):
        total = 0.0
        for k, (x, d) in enumerate(zip(xs, directions)):
            total = total + np.sum(np.real(gradient(by_one(loss, xs, k), [x])[0] * d))
        return total

    def ahead(*xs):
        return sum(
            tapead.jvp(by_one(loss, xs, k), [x], [d])[1]
            for k, (x, d) in enumerate(zip(xs, directions))
        )

    ours = {
        "reverse over reverse": inner(gradient(back, inputs), others),
        "forward over reverse": tapead.jvp(back, inputs, others)[1],
        "reverse over forward": inner(gradient(ahead, inputs), others),
        "forward over forward": tapead.jvp(ahead, inputs, others)[1],
    }
    theirs = inner(second, others)
    for name, number in ours.items():
        assert abs(number - theirs) <= 1e-8 * max(size, 1e-3), (name, number, theirs)


SINGLE = [c for c in CASES if all(x.dtype == np.float64 for x in c.inputs)]


@pytest.mark.parametrize("case", SINGLE, ids=lambda c: c.id)
def test_single_precision_stays_single(case):
    rng = np.random.default_rng(3)
    inputs = [x.astype(np.float32) for x in case.inputs]
    directions = [noise(rng, x).astype(np.float32) for x in inputs]

    def run(*xs):
        return outputs(case.call(*xs))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parts = run(*[x.copy("K") for x in inputs])
        except TypeError:
            pytest.skip("NumPy has no single precision here")
        weights = [noise(rng, x).astype(np.asarray(x).dtype) for x in parts]
        adjoints = gradient(loss_of(case, weights), inputs)
        assert_kept(parts, *tapead.jvp(run, inputs, directions))
    for g, x in zip(adjoints, inputs):
        assert np.asarray(g).dtype == np.float32
        assert np.shape(g) == x.shape


@pytest.mark.skipif(_WANTED != "cases_*", reason="only some cases run")
def test_every_row_has_a_case():
    tested = {case.function for case in CASES}
    tables = [rules, *tapead.aware_scipy.loaded()]
    rows = set(UFUNCS)
    for table in tables:
        found = getattr(table, "ROWS", ()) or getattr(table, "RULES", ())
        rows |= {r.function for r in found if hasattr(r, "function")}
        rows |= set(getattr(table, "COMPOSED", ())) | set(getattr(table, "VIEWS", ()))
    missing = sorted(getattr(f, "__name__", str(f)) for f in rows - tested)
    assert missing == []
