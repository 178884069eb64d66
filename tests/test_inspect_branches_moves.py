"""branches: an input that is moved by what a decision needs really flips it."""

import math

import numpy as np
import pytest

import tapead
from tapead.inspect.branches import branches

ROWS = np.array([[0.3, -1.2, 2.5], [0.9, 0.8, -0.4]])
ROW = np.array([0.3, -1.2, 2.5, 0.9])


def only(report, operation):
    """The one entry of that operation."""
    found = [d for d in report if d.operation == operation]
    assert len(found) == 1, report
    return found[0]


def moved(x, move, scale):
    """An input moved by a part of what its decision needs."""
    if not move.index and not isinstance(x, np.ndarray):
        return x + scale * move.by
    x = x.copy()
    x[move.index] += scale * move.by
    return x


def said(result):
    return np.asarray(result).tolist()


# ----------------------------------------------------------- moves, by really moving inputs ---

DECIDED = [
    ("<", lambda x, y: 2.0 * x < y - 1.0, (0.4, 2.5)),
    ("<=", lambda x, y: x * y <= 3.0, (2.0, 1.2)),
    (">", lambda x, y: x > 3, (0.4, 2.5)),
    (">=", lambda x, y: x >= np.float64(0.5) * y, (0.4, 2.5)),
    ("==", lambda x, y: 2.0 * x == y, (0.4, 2.5)),
    ("bool", lambda x: bool(x - 1.0), (0.4,)),
    ("int", lambda x: int(x * 3.0), (0.4,)),
    ("int", lambda x: int(x), (0.1,)),
    ("int", lambda x: int(x), (-1.1,)),
    ("floor", lambda x: math.floor(x), (-0.2,)),
    ("floor", lambda x: math.floor(x), (2.2,)),
    ("ceil", lambda x: math.ceil(x / 3.0), (2.2,)),
    ("trunc", lambda x: math.trunc(x), (-0.2,)),
    ("round", lambda x: round(x), (2.2,)),
    ("round", lambda x: round(x), (2.7,)),
    ("round", lambda x: round(x, 1), (0.26,)),
    ("//", lambda x, y: x // y, (7.3, 2.0)),
    ("%", lambda x, y: round(tapead.value((x - x % y) / y)), (7.9, 2.0)),
    ("fmod", lambda x, y: round(tapead.value(x - math.fmod(x, y))), (3.9, 2.0)),
    ("remainder", lambda x: round(tapead.value(x - math.remainder(x, 2.0))), (3.1,)),
    ("abs", lambda x: tapead.value(abs(x - 1.0)) == tapead.value(x - 1.0), (1.3,)),
    ("copysign", lambda x, y: math.copysign(1.0, y - x), (-1.3, 2.0)),
    ("isclose", lambda x, y: np.isclose(x, y, 0.1, 0.2), (1.0, 1.4)),
    ("isclose", lambda x, y: np.isclose(x, y, 0.1, 0.2), (-1.0, -2.4)),
    ("<", lambda a: a < 0.5, (ROWS,)),
    ("!=", lambda a, x: np.not_equal(a[0], x * a[1]), (ROWS, 0.5)),
    (">", lambda a, x: np.where(np.greater(a, 2.0 * x), 1, 0), (ROWS, 0.6)),
    ("floor", lambda a: np.floor(a), (ROWS,)),
    ("trunc", lambda a: np.trunc(a), (ROWS,)),
    ("astype", lambda a: a.astype(int), (ROWS,)),
    ("rint", lambda a: np.rint(a * 0.9), (ROWS,)),
    ("//", lambda a, x: a // x, (ROWS, 0.37)),
    ("sign", lambda a: np.sign(a), (ROWS,)),
    ("argmax", lambda a: np.argmax(a), (ROWS,)),
    ("argmax", lambda a: np.argmax(a, 1), (ROWS,)),
    ("argmax", lambda a: np.argmax(a, axis=1), (ROWS,)),
    ("argmin", lambda a: np.argmin(a * ROWS), (ROWS,)),
    ("round", lambda a: np.round(a * 0.87, decimals=1), (ROWS,)),
    ("isclose", lambda a: np.isclose(a, 0.5, rtol=0.0, atol=0.3), (ROWS,)),
    ("argsort", lambda a: np.argsort(a, axis=0), (ROWS,)),
    ("argsort", lambda a: np.argsort(a), (ROW,)),
    ("argsort", lambda a: np.argsort(a, 0), (ROWS,)),
    ("argpartition", lambda a: np.sort(np.argpartition(a, 1)[:2]), (ROW,)),
    ("searchsorted", lambda a, x: np.searchsorted(a * 2.0, x), (np.array([0.5, 1.0, 2.0]), 1.2)),
    ("digitize", lambda a, x: np.digitize(a, np.array([0.0, 1.0, 2.0])), (ROWS, 0.7)),
    ("isin", lambda a: np.isin(a, [0.5, 2.0]), (ROWS,)),
    ("histogram", lambda a: np.histogram(a, bins=[-1.5, 0.0, 1.0, 3.0])[0], (ROWS,)),
    ("histogram", lambda a: np.histogram(a, 4, (-1.5, 3.0))[0], (ROWS,)),
    ("histogram", lambda a: np.histogram(a, 5)[0], (ROW,)),
    ("frexp", lambda a: np.frexp(a)[1], (ROWS,)),
    ("nonzero", lambda a: np.count_nonzero(np.nonzero(a - 0.75)), (ROW,)),
    ("allclose", lambda a: np.allclose(a, a[0], 0.0, 3.0), (np.array([0.3, -1.2, 2.5]),)),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "decide", "args"), DECIDED)
def test_moving_an_input_by_its_move_flips_the_decision(operation, decide, args):
    report = branches(decide, *args)
    moves = only(report, operation).moves
    before = said(decide(*args))
    assert moves
    for name, move in moves.items():
        k = list(tapead.record(decide, *args).inputs).index(name)
        almost, over = (
            said(decide(*args[:k], moved(args[k], move, scale), *args[k + 1 :]))
            for scale in (1.0 - 1e-9, 1.0 + 1e-9)
        )
        if operation in ("==", "!=", "bool", "nonzero", "isin"):  # an edge, not a side
            over = said(decide(*args[:k], moved(args[k], move, 1.0), *args[k + 1 :]))
        assert almost == before
        assert over != before


SLOPES = [
    ("maximum", lambda a, x: np.sum(np.maximum(a, x)), (ROWS, 0.7)),
    ("minimum", lambda a, x: np.sum(np.minimum(3.0 * x, a + a)), (ROWS, 0.7)),
    ("fmax", lambda a, x: np.sum(np.fmax(a, x * ROWS[0])), (ROWS, 0.7)),
    ("maximum", lambda a, x: np.maximum(x * 3.0, a[0, 2]), (ROWS, 0.7)),
    ("abs", lambda a, x: np.sum(np.abs(a - x)), (ROWS, 0.7)),
    ("clip", lambda a, x: np.sum(np.clip(a * ROWS, x, 2.0)), (ROWS, 0.7)),
    ("clip", lambda a, x: np.sum(np.clip(a, -1.0, 3.0 * x)), (ROWS, 0.9)),
    ("%", lambda a, x: np.sum((a % x) * ROWS), (ROWS, 0.7)),
    ("max", lambda a, x: np.max(a * x), (ROWS, 0.7)),
    ("max", lambda a, x: np.sum(np.max(a * x, axis=0)), (ROWS, 0.7)),
    ("max", lambda a, x: np.max(a * x, initial=1.7), (ROWS, 0.7)),
    ("min", lambda a, x: np.sum(a.min(axis=1)) * x, (ROWS, 0.7)),
    ("sort", lambda a, x: np.sort(a * x) @ np.arange(4.0), (ROW, 0.7)),
    ("sort", lambda a, x: np.sum(np.sort(a * ROWS, axis=0) * ROWS), (ROWS, 0.7)),
    ("partition", lambda a, x: np.partition(a * x, 2)[2], (ROW, 0.7)),
    ("median", lambda a, x: np.median(a * ROW) * x, (ROW, 0.7)),
    ("percentile", lambda a, x: np.percentile(a, 20.0) * x, (ROW, 0.7)),
    ("interp", lambda a, x: np.interp(x, [0.0, 0.5, 2.0], [1.0, 3.0, 2.0]) * a[0], (ROW, 0.7)),
    ("accumulate", lambda a, x: np.maximum.accumulate(a * x) @ np.arange(4.0), (ROW, 0.7)),
    ("accumulate", lambda a, x: np.sum(np.minimum.accumulate(a, axis=1) * a) * x, (ROWS, 0.7)),
    ("accumulate", lambda a, x: np.sum(np.maximum.accumulate(a - 1.0) * ROWS) * x, (ROWS, 0.7)),
    ("norm", lambda a, x: np.linalg.norm(a * x, np.inf), (ROW, 0.7)),
    ("norm", lambda a, x: np.sum(np.linalg.norm(a * x, -np.inf, axis=1)), (ROWS, 0.7)),
    ("norm", lambda a, x: np.linalg.norm(a - x, 1), (ROW, 0.7)),
    ("abs", lambda a, x: abs(x - a[1]), (ROW, 0.7)),
    ("<", lambda a, x: min(x, a[0] * 3.0), (ROW, 0.7)),
    ("<", lambda a, x: sorted([x * 2.0, a[0], a[3]])[1] * a[0], (ROW, 0.7)),
]


def gradients(f, args):
    return [np.asarray(g) for g in tapead.grad(f, argnums=tuple(range(len(args))))(*args)]


@pytest.mark.parametrize(("operation", "f", "args"), SLOPES)
def test_the_gradient_jumps_where_a_move_ends(operation, f, args):
    decision = only(branches(f, *args), operation)
    names = list(tapead.record(f, *args).inputs)
    assert decision.moves
    for name, move in decision.moves.items():
        k = names.index(name)
        before, almost, over = (
            gradients(f, [*args[:k], moved(args[k], move, 1.0 + part), *args[k + 1 :]])
            for part in (-3e-7, -1e-7, 1e-7)
        )
        assert max(np.max(np.abs(g - h)) for g, h in zip(before, almost)) < 1e-5
        assert max(np.max(np.abs(g - h)) for g, h in zip(almost, over)) > 0.05
