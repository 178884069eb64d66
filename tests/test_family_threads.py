"""The whole family in several threads at once, and between threads."""

import importlib.util
import math
import threading
from concurrent.futures import ThreadPoolExecutor
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


checks, family = _module("checks"), _module("family")
everything_is_as_it_was = checks.everything_is_as_it_was
X = checks.X
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, hessian = tapead.jacfwd, tapead.jacrev, tapead.hessian
V = np.array([0.5, -1.5, 0.25])


def program(x):
    y = x * 1.0
    for k in range(1, 6):
        y[k % 3] = math.sin(k * x[0]) + y[0] * x[1]
    return np.sum(np.exp(-y) * x)


WORK = {
    "jvp": lambda: jvp(program, (X,), (V,)),
    "vjp": lambda: vjp(program, X)[1](2.0),
    "linearize": lambda: linearize(program, X)[1](V),
    "hvp": lambda: hvp(program, (X,), (V,)),
    "hessian": lambda: hessian(program)(X),
    "hessian in loops": lambda: hessian(family.quadratic_of_elements)(X),
    "jacfwd": lambda: jacfwd(family.filled)(X),
    "jacrev": lambda: jacrev(family.in_place)(X),
    "nested": lambda: grad(lambda x: jvp(program, (x,), (V,))[1])(X),
}


def test_many_threads_do_all_of_it():
    expected = {name: work() for name, work in WORK.items()}
    with ThreadPoolExecutor(6) as pool:
        jobs = [(name, pool.submit(work)) for _ in range(15) for name, work in WORK.items()]
        for name, job in jobs:
            family.assert_same_bits(job.result(), expected[name])


def test_a_thread_of_its_own_leaves_nothing():
    left = []

    def work():
        for f in WORK.values():
            f()
        tape = current.tape
        left.append((tape.depth, len(tape), len(tape.records), tape.forward, len(tape.locked)))
        left.append(len(current.spare) <= 2)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert left == [(0, 0, 0, False, 0), True]


MAKERS = {
    "jvp": lambda f: jvp(f, (2.0,), (1.0,)),
    "vjp": lambda f: vjp(f, 2.0)[1](1.0),
    "hvp": lambda f: hvp(f, (2.0,), (1.0,)),
    "jacfwd": lambda f: jacfwd(f)(2.0),
    "hessian": lambda f: hessian(f)(2.0),
}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_numbers_that_are_used_in_another_thread(maker):
    def f(x):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: x * 2.0).result()

    with pytest.raises(tapead.WrongThreadError, match="another thread"):
        maker(f)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_worker_threads_of_a_differentiated_function_may_differentiate(maker):
    expected = WORK["jvp"]()

    def f(x):
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(work) for work in WORK.values()]
            pool.submit(jvp, lambda y: y * y, (1.0,), (1.0,)).result()
            family.assert_same_bits(jobs[0].result(), expected)
        return x**3

    assert maker(f) == maker(lambda x: x**3)
    assert np.ravel(maker(f))[-1] == 12.0


def test_a_pullback_of_one_thread_serves_another_that_records():
    _, pullback = vjp(program, X)
    _, derivative = linearize(program, X)

    def work():
        back = grad(lambda c: np.sum(pullback(c * c)[0] * V))(3.0)
        forth = jacrev(lambda v: derivative(v * v))(V)
        return back, forth

    with ThreadPoolExecutor(1) as pool:
        back, forth = pool.submit(work).result()
    gradient = grad(program)(X)
    assert back == pytest.approx(6.0 * gradient @ V, rel=1e-13)
    family.assert_close(forth, 2.0 * gradient * V)


def test_a_pullback_can_be_called_in_several_threads():
    def f(x):
        return np.exp(x) * x[0], math.sin(x[1])

    _, pullback = vjp(f, X)
    _, derivative = linearize(f, X)
    w, found = (np.ones(3), 2.0), []

    def work():
        for _ in range(50):
            of_w = grad(lambda c: np.sum(pullback((c, 2.0))[0]))(np.ones(3))
            found.append((pullback(w)[0].tolist(), derivative(V)[0].tolist(), of_w.tolist()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(x == found[0] for x in found)
    family.assert_close(np.array(found[0][0]), pullback(w)[0])
