"""Loops for the tests of checkpointed ones: run plainly, counted, or by a condition."""

import math

import numpy as np

import tapead
from tapead.checkpoints.loops import checkpointed_loop, checkpointed_while

RNG = np.random.default_rng(5)
W = RNG.standard_normal((4, 4)) * 0.4
X = RNG.standard_normal(4)


def plain(step, state, n):
    for _ in range(n):
        state = step(state)
    return state


def looped(**how):
    how = how or {"snapshots": 3}
    return lambda step, state, n: checkpointed_loop(step, state, n, **how)


def whiled(**how):
    """The same steps, counted in the state, until there are n of them."""
    how = how or {"snapshots": 3}

    def run(step, state, n):
        def counted(both):
            return step(both[0]), both[1] + 1

        def goes_on(both):
            return both[1] < n

        return checkpointed_while(goes_on, counted, (state, 0), **how)[0]

    return run


def net(run, n=11):
    """By a matrix in the closure and the initial state: arrays, a sum and a counter as the state,
    and a step that writes into what it has."""

    def f(w, x):
        def step(state):
            h, loss, k = state
            y = np.tanh(w @ h)
            y[0] *= 2.0
            h += y
            return 0.7 * h, loss + np.sum(y * y), k + 1

        h, loss, _ = run(step, (x * 1.0, 0.0, 0), n)
        return loss + h.sum()

    return f


def pendulum(state):
    x, v = state
    return x + 0.1 * v, v - 0.1 * math.sin(x)


def swing(run, n=9):
    return lambda x, v: (lambda s: s[0] * s[1])(run(pendulum, (x, v), n))


def same(a, b, rtol=1e-12):
    a, b = tapead.trees.flatten(a)[0], tapead.trees.flatten(b)[0]
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert type(x) is type(y)
        np.testing.assert_allclose(x, y, rtol, 1e-13)
