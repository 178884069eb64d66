"""Derivatives are pickled and go to other processes, those of SciPy's `workers` among them."""

import functools
import importlib
import multiprocessing
import pickle
import sys

import numpy as np
import pytest

import tapead

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
OBJECTIVES = """
import math
import numpy as np
import tapead

def loop(x, bend=100.0):
    total = 0.0
    for i in range(len(x) - 1):
        total += bend * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total

def vectorized(x, bend=100.0):
    return np.sum(bend * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

class Bent:
    def __init__(self, bend):
        self.bend = bend

    def __call__(self, x):
        return loop(x, self.bend)

    def method(self, x):
        return vectorized(x, self.bend)

@tapead.grad
def decorated(x):
    return loop(x, 10.0)

@tapead.custom_vjp
def size(x):
    return np.sqrt(np.sum(x * x))

size.defvjp(lambda x: (size(x), x), lambda x, adjoint: (adjoint * x / np.sqrt(np.sum(x * x)),))

@tapead.custom_jvp
def half_square(x):
    return 0.5 * np.sum(x * x)

@half_square.defjvp
def half_square_rule(primals, tangents):
    return half_square(*primals), np.sum(primals[0] * tangents[0])

def by_own_rules(x):
    return size(x) * half_square(x)

def along_ones(f, x):
    return tapead.hvp(f, (x,), (np.ones_like(x),))

def bowl(x):
    return sum(math.cosh(v - 1.0) for v in x) + 0.1 * (x[0] - x[-1]) ** 2

def steepness(x):
    return math.fsum(tapead.grad(bowl)(x) ** 2)
"""


@pytest.fixture
def objectives(tmp_path, monkeypatch):
    """A module that processes import as they would a program's."""
    (tmp_path / "objectives_to_pickle.py").write_text(OBJECTIVES)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("objectives_to_pickle")
    del sys.modules["objectives_to_pickle"]


def calls(m):
    """Derivatives to be pickled, by what they are, and what to call them with."""
    of_one = {
        "grad": tapead.grad(m.loop),
        "grad of arrays": tapead.grad(m.vectorized),
        "of an object": tapead.grad(m.Bent(7.0)),
        "of a method": tapead.grad(m.Bent(7.0).method),
        "decorated": m.decorated,
        "value_and_grad": tapead.value_and_grad(m.vectorized),
        "hessian": tapead.hessian(m.loop),
        "hessian of arrays": tapead.hessian(m.vectorized),
        "jacobian": tapead.jacobian(m.decorated, mode="fwd"),
        "jacrev": tapead.jacrev(m.decorated),
        "of a derivative": tapead.grad(m.steepness),
        "one that asks for a derivative": m.steepness,
        "a function with a rule": m.size,
        "of functions with rules": tapead.grad(m.by_own_rules),
        "a product": functools.partial(m.along_ones, m.vectorized),
    }
    by_the_second = tapead.grad(m.loop, argnums=1)
    return {
        **{name: (g, (START,)) for name, g in of_one.items()},
        "by the second argument": (by_the_second, (START, 50.0)),
    }


def numbers(found):
    """All numbers of a result, one after the other."""
    parts = found if type(found) is tuple else (found,)
    return np.concatenate([np.ravel(x) for x in parts]).tolist()


def test_pickles_do_what_their_originals_do(objectives):
    for name, (g, args) in calls(objectives).items():
        again = pickle.loads(pickle.dumps(g))
        assert numbers(again(*args)) == numbers(g(*args)), name


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_derivatives_go_to_processes(objectives, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} here")
    table = calls(objectives)
    expected = {name: g(*args) for name, (g, args) in table.items()}  # before: a fork inherits it
    with multiprocessing.get_context(method).Pool(2) as pool:
        handles = {name: pool.apply_async(g, args) for name, (g, args) in table.items()}
        for name, handle in handles.items():
            found = handle.get(timeout=120)
            assert type(found) is type(expected[name]), name
            assert numbers(found) == numbers(expected[name]), name


def test_processes_may_be_forked_while_a_function_is_recorded(objectives):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("there is no fork here")

    def f(x):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            plain = pool.apply(tapead.grad(objectives.loop), (tapead.value(x),))
        return np.sum(x * plain)

    slope = tapead.grad(objectives.loop)(START)
    assert numbers(tapead.grad(f)(START)) == numbers(slope)


def test_workers_of_differential_evolution_differentiate(objectives):
    optimize = pytest.importorskip("scipy.optimize")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = optimize.differential_evolution(
            objectives.steepness, [(0.0, 2.0)] * 2, workers=pool.map, updating="deferred",
            polish=False, maxiter=60, tol=1e-6, init="sobol",
        )  # fmt: skip
    assert found.fun == objectives.steepness(found.x)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-2)


def test_workers_of_minimize_differentiate(objectives):
    pytest.importorskip("scipy", "1.16")  # before, minimize had no workers
    optimize = importlib.import_module("scipy.optimize")
    asked = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:

        def workers(f, points):
            asked.append(f)
            return pool.map(f, points)

        found, alone = (
            optimize.minimize(objectives.steepness, START, method="L-BFGS-B", options=options)
            for options in ({"workers": workers}, {})
        )
    assert len(asked) == found.njev
    assert (found.nfev, found.x.tolist()) == (alone.nfev, alone.x.tolist())
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)
