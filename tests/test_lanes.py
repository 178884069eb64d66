"""Sweeps in several lanes: which programs they know, and that lanes do not touch each other."""

import itertools
import math

import numpy as np
import pytest

import tapead
from tapead import lanes

RNG = np.random.default_rng(5)


def taped(f, *args):
    tape = tapead.record(f, *args, lines=False)
    made = lanes.layout(tape._tape, 0, 0, len(tape))
    return tape, made


def filled(x):
    """Elements read, computed with and written, and whole arrays moved."""
    out = np.zeros(4)
    for k in range(3):
        out[k] = x[k] * x[(k + 1) % 3] + math.sin(x[k])
    out[3] = out[0] * out[1]
    out[0] = 2.0
    out[1:3] = x[:2].copy()
    return np.concatenate([out[1:], np.array([x[0] ** 3, out[0], 1.0])])


def test_programs_of_elements_and_moves_have_a_layout():
    assert taped(filled, np.ones(3))[1] is not None
    assert taped(lambda x: x * x + 1.0, 2.0)[1] is not None


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * x),
        lambda x: np.exp(x)[0],
        lambda x: x[::-1] @ x,
        lambda x: np.stack([x, x])[0, 0],
        lambda x: (1j * x[0]).imag,
    ],
)
def test_programs_of_array_operations_have_none(f):
    assert taped(f, np.ones(3))[1] is None


@pytest.mark.parametrize("count", [1, 3, 8, 11])
def test_each_lane_is_a_sweep_of_its_own(count):
    x = np.array([0.7, -1.1, 0.4])
    tape, made = taped(filled, x)
    (out,) = tape.outputs
    ins, outs = made.slots(tape._tape.records[0].out), made.slots(out)
    directions = RNG.normal(size=(3, count))
    seeds = RNG.normal(size=(count, len(outs)))
    ahead = lanes.push(made, 1, ins, outs, directions)
    back = lanes.pull(made, 1, ins, outs, seeds)
    jacobian = np.stack([lanes.push(made, 1, ins, outs, np.eye(3)[:, [k]])[:, 0] for k in range(3)])
    np.testing.assert_allclose(ahead, jacobian.T @ directions, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(back, seeds @ jacobian.T, rtol=1e-13, atol=1e-14)
    for k in range(count):
        assert np.array_equal(ahead[:, [k]], lanes.push(made, 1, ins, outs, directions[:, [k]]))
        assert np.array_equal(back[[k]], lanes.pull(made, 1, ins, outs, seeds[[k]]))


def chain(x):
    total = 0.0
    for a, b in itertools.pairwise(x):
        total = total + math.exp(a * b) + a * a * b
    return total


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 20])
def test_hessians_by_half_are_those_by_products(n):
    x = [0.1 * k - 0.4 for k in range(n)]
    tape, made = taped(lambda x: chain(x) + x[0] ** 3, x)
    ins, (row,) = np.arange(n), tape.outputs
    half = lanes.hessian(made, n, ins, row)
    whole = lanes.hessian_times(made, n, ins, row, np.eye(n))
    assert np.array_equal(half, half.T)
    np.testing.assert_allclose(half, whole, rtol=1e-14, atol=1e-15)
    assert n < 3 or np.count_nonzero(np.triu(half, 2)) == 0


@pytest.mark.parametrize("infinite", [math.inf, -math.inf, math.nan])
def test_a_zero_tangent_or_adjoint_adds_nothing_in_any_lane(infinite):
    tape, made = taped(lambda x, y: (x * infinite, y * 2.0), 1.0, 1.0)
    ins, outs = np.arange(2), np.array(tape.outputs)
    assert lanes.push(made, 2, ins, outs, [[0.0, 0.0], [1.0, 0.0]]).tolist() == [[0, 0], [2, 0]]
    assert lanes.pull(made, 2, ins, outs, [[0.0, 1.0], [0.0, 0.0]]).tolist() == [[0, 2], [0, 0]]


def test_lanes_are_fewer_where_the_tape_is_long(monkeypatch):
    _, made = taped(chain, [0.1] * 50)
    assert lanes.lanes_for(made, 100, 2) == 8
    assert lanes.lanes_for(made, 3, 2) == 3
    monkeypatch.setattr(lanes, "_ROOM", 8 * 2 * made.size * 2)
    assert lanes.lanes_for(made, 100, 2) == 2
    monkeypatch.setattr(lanes, "_ROOM", 1)
    assert lanes.lanes_for(made, 100, 2) == 1
