"""Errors in the middle of derivatives, and what is over: nothing is left behind."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead.tape import current

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

everything_is_as_it_was = checks.everything_is_as_it_was
X = checks.X
grad, jvp, vjp, linearize, hvp = (
    tapead.grad, tapead.jvp, tapead.vjp, tapead.linearize, tapead.hvp,
)  # fmt: skip
jacfwd, jacrev, jacobian, hessian = (
    tapead.jacfwd, tapead.jacrev, tapead.jacobian, tapead.hessian,
)  # fmt: skip
BIG = np.linspace(1.0, 2.0, 5000)
TABLE = {"sin": math.sin}  # functions in a dict cannot be seen


@pytest.fixture(autouse=True)
def the_tape_is_ready_for_the_next():
    """After each error: all flags are as they were, nothing is locked, and derivatives work."""
    yield
    tape = current.tape
    assert (tape.forward, tape.twice, tape.in_rules, tape.begins) == (False, False, 0, [])
    assert BIG.flags.writeable
    assert grad(lambda x: np.sum(x * BIG[:3]))(X).tolist() == BIG[:3].tolist()
    assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)
    assert hvp(lambda x: x**3, (2.0,), (1.0,)) == 12.0


def raises(kind, *parts):
    """`pytest.raises` for a message that has all these parts."""

    class Raises:
        def __enter__(self):
            self.inner = pytest.raises(kind)
            self.caught = self.inner.__enter__()
            return self.caught

        def __exit__(self, *error):
            found = self.inner.__exit__(*error)
            for part in parts:
                assert part in str(self.caught.value), str(self.caught.value)
            return found

    return Raises()


square = lambda x: np.sum(x * x * BIG[0])  # noqa: E731

TRANSFORMS = {
    "jvp": lambda f: jvp(f, (2.0,), (1.0,)),
    "vjp": lambda f: vjp(f, 2.0),
    "linearize": lambda f: linearize(f, 2.0),
    "jacfwd": lambda f: jacfwd(f)(2.0),
    "jacrev": lambda f: jacrev(f)(2.0),
    "jacobian": lambda f: jacobian(f)(2.0),
    "hessian": lambda f: hessian(f)(2.0),
    "hvp": lambda f: hvp(f, (2.0,), (1.0,)),
    "jvp inside": lambda f: grad(lambda x: jvp(f, (x,), (1.0,))[1])(2.0),
    "vjp inside": lambda f: jvp(lambda x: vjp(f, x)[0], (2.0,), (1.0,)),
    "hessian inside": lambda f: grad(lambda x: hessian(f)(x))(2.0),
}
each_transform = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)


# ------------------------------------------------------------------ errors of the program ---


class OwnError(Exception):
    pass


@each_transform
def test_errors_of_the_function_come_through(transform):
    def fails(x):
        y = np.exp(x * BIG)
        y[:3] *= math.sin(x)
        raise OwnError(float(BIG[0]))

    for _ in range(2):
        with pytest.raises(OwnError):
            transform(fails)


@each_transform
def test_derivatives_that_would_be_lost_are_errors(transform):
    with raises(tapead.DetachedError, "tapead.value(x)") as caught:
        transform(lambda x: TABLE["sin"](x))
    assert caught.value.filename == __file__


def test_errors_inside_inner_transforms_that_the_program_handles():
    def fails(y):
        raise OwnError

    def f(x):
        for call in TRANSFORMS.values():
            with pytest.raises(OwnError):
                call(fails)
        for call in (
            lambda: jvp(fails, (x,), (x,)),
            lambda: vjp(fails, x),
            lambda: hessian(fails)(x),
        ):
            with pytest.raises(OwnError):
                call()
        return x * x * x

    assert (grad(f)(2.0), jvp(f, (2.0,), (1.0,))) == (12.0, (8.0, 12.0))
    assert (hvp(f, (2.0,), (1.0,)), grad(grad(f))(2.0), hessian(f)(2.0)) == (12.0, 12.0, 12.0)


def test_a_second_run_that_is_forbidden():
    hidden = {"D": grad}
    with raises(RuntimeError, "asks for derivatives inside jvp", "rerun=False"):
        jvp(lambda x: hidden["D"](lambda y: y**3)(x) * 1.0, (2.0,), (1.0,), rerun=False)


@pytest.mark.parametrize("swallowed", [Exception, BaseException])
def test_a_program_cannot_swallow_what_jvp_asks_of_it(swallowed):
    hidden = {"D": grad}

    def f(x):
        try:
            return hidden["D"](lambda y: y**3)(x) + 0.0
        except swallowed:
            return x

    assert jvp(f, (2.0,), (1.0,)) == (12.0, 12.0)


# ---------------------------------------------------------------------- what is over is over ---


def kept_from(transform, x=2.0):
    held = []

    def f(x):
        held.append(x)
        return np.sum(x * x)

    transform(f, x)
    return held[-1]


MAKERS = {
    "jvp": lambda f, x: jvp(f, (x,), (x,)),
    "vjp": lambda f, x: vjp(f, x),
    "linearize": lambda f, x: linearize(f, x),
    "hvp": lambda f, x: hvp(f, (x,), (x,)),
    "hessian": lambda f, x: hessian(f)(x),
    "jacfwd": lambda f, x: jacfwd(f)(x),
}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("x", [2.0, X])
def test_numbers_and_arrays_of_a_past_run_are_stale(maker, x):
    old = kept_from(maker, x)
    _, pullback = vjp(lambda y: y * 2.0, x)
    uses = [
        lambda: old * 2.0, lambda: pullback(old), lambda: vjp(np.sum, old),
        lambda: jvp(np.sum, (old,), (x,)), lambda: jvp(np.sum, (x,), (old,)),
        lambda: hvp(square, (old,), (x,)), lambda: jacfwd(square)(old),
        lambda: grad(lambda y: np.sum(y * old))(x),
        lambda: jvp(lambda y: np.sum(y * old), (x,), (x,)),
        lambda: hessian(lambda y: np.sum(y * old))(x),
    ]  # fmt: skip
    for use in uses:
        with raises(tapead.StaleNumberError, "after its recording had ended", "tapead.value(x)"):
            use()


def test_pullbacks_made_inside_a_recording_are_stale_after_it():
    held = []

    def f(x):
        held.append(vjp(lambda y: y * x, 3.0)[1])
        held.append(linearize(lambda y: y * y, 3.0)[1])
        return held[0](1.0)[0] + held[1](1.0)

    assert grad(f)(2.0) == 1.0
    for call in held:
        with raises(tapead.StaleNumberError, "after its recording had ended"):
            call(1.0)
        with raises(tapead.StaleNumberError, "after its recording had ended"):
            grad(lambda x: np.sum(call(x)))(1.0)  # noqa: B023


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
@each_transform
def test_interruptions_leave_nothing_behind(transform, kind):
    def interrupted(x):
        y = np.exp(x * BIG)
        y[:3] *= math.sin(x)
        raise kind

    with pytest.raises(kind):
        transform(interrupted)
    f = tapead.custom_vjp(lambda x: x * 2.0)
    f.defvjp(lambda x: (x * 2.0, x), lambda x, g: interrupted(x))
    for call in (lambda: grad(f)(2.0), lambda: vjp(f, 2.0)[1](1.0), lambda: hessian(f)(2.0)):
        with pytest.raises(kind):
            call()


def test_functions_that_differentiate_themselves():
    def scaled(n):
        if n == 0:
            return lambda x: x * x
        return lambda x: jvp(scaled(n - 1), (x,), (1.0,))[1] * x  # 2^n x^2

    assert scaled(3)(2.0) == 32.0
    assert jvp(scaled(3), (2.0,), (1.0,)) == (32.0, 32.0)
    assert grad(scaled(3))(2.0) == 32.0
    assert hessian(scaled(2))(2.0) == 8.0
