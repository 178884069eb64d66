"""Misuse of tracked arrays and errors of the program: what is raised, and that all is put back."""

import concurrent.futures
import contextlib
import copy
import importlib.util
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

import tapead
from tapead.tape import current

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

A, X = checks.A, checks.X
assert_refused = checks.assert_refused
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


# ------------------------------------------------------------------------ after the recording ---


def kept():
    """Tracked arrays whose recording is over: an argument, a result, a view, a filled one."""
    held = []

    def f(x):
        filled = np.zeros(3)
        filled[:] = x
        held.extend([x, x * 2.0, x[::-1], filled])
        return np.sum(x)

    grad(f)(X)
    return held


STALE_USES = {
    "operator": lambda s: s * 2.0,
    "right operand": lambda s: 2.0 - s,
    "right operand of an array": lambda s: np.ones(3) * s,
    "ufunc": lambda s: np.sin(s),
    "function": lambda s: np.sum(s),
    "method": lambda s: s.sum(),
    "dot": lambda s: s @ s,
    "element": lambda s: s[0],
    "loop": lambda s: list(s),
    "element of a view": lambda s: s[1:][0],
    "sum of a view": lambda s: s.T.sum(),
    "indices": lambda s: s[[0, 1]],
    "copy": lambda s: s.copy(),
    "item": lambda s: s[:1].item(),
    "tolist": lambda s: s.tolist(),
    "write": lambda s: s.__setitem__(0, 1.0),
    "write all": lambda s: s.fill(1.0),
    "+=": lambda s: s.__iadd__(1.0),
    "*=": lambda s: s.__imul__(2.0),
    "sort": lambda s: s.sort(),
    "out": lambda s: np.exp(np.ones(3), out=s),
    "conversion": lambda s: np.asarray(s),
    "list of them": lambda s: np.array([s, s]),
    "stack": lambda s: np.stack([s, s]),
    "where": lambda s: np.where([True, False, True], s, 0.0),
    "pickle": lambda s: pickle.dumps(s),
    "into a plain array": lambda s: np.zeros(3).__setitem__(slice(None), s),
    "gradient of another": lambda s: grad(lambda y: np.sum(s * y))(X),
    "argument": lambda s: grad(lambda y: np.sum(y * y))(s),
    "constant argument": lambda s: grad(lambda y, c: np.sum(y * c))(X, s),
    "result of another": lambda s: grad(lambda y: s[0])(X),
    "written by another": lambda s: grad(lambda y: s.__setitem__(0, y[0]) or np.sum(y))(X),
    "stop_gradient": lambda s: tapead.stop_gradient(s),
}


@pytest.mark.parametrize("which", range(4), ids=["argument", "result", "view", "filled"])
@pytest.mark.parametrize("use", STALE_USES)
def test_an_array_is_stale_after_its_recording(use, which):
    stale = kept()[which]
    f = STALE_USES[use]
    with pytest.raises(tapead.StaleNumberError, match="after its recording had ended") as caught:
        f(stale)
    assert caught.value.filename == __file__
    assert caught.value.lineno in checks.lines_of(f.__code__)


def test_what_only_looks_at_a_stale_array_is_no_use_of_it():
    for stale in kept():
        assert (stale.shape, stale.ndim, stale.size, len(stale)) == ((3,), 1, 3, 3)
        assert stale.dtype == float
        assert repr(stale) == repr(tapead.value(stale))
        assert type(tapead.value(stale)) is np.ndarray


def test_a_generator_that_goes_on_after_the_recording_is_refused():
    held = []

    def steps(x):
        for k in range(9):
            yield np.sum(x) * k

    def f(x):
        held.append(steps(x))
        return next(held[0]) + next(held[0])

    assert grad(f)(X).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(tapead.StaleNumberError) as caught:
        next(held[0])
    assert caught.value.filename == __file__


LAST = None


def test_a_global_that_keeps_an_array_is_refused_in_the_next_call():
    def f(x):
        global LAST
        before = 0.0 if LAST is None else np.sum(LAST * x)
        LAST = x * 2.0
        return before + np.sum(x)

    try:
        assert grad(f)(X).tolist() == [1.0, 1.0, 1.0]
        assert_refused(f, X, kind=tapead.StaleNumberError)
    finally:
        globals()["LAST"] = None


def test_a_state_that_keeps_an_array_is_refused_and_what_keeps_values_is_not():
    class State:
        def __init__(self, keep):
            self.last, self.keep = np.zeros(3), keep

        def __call__(self, x):
            before = np.sum(self.last * x)
            self.last = self.keep(x * 2.0)
            return before + np.sum(x)

    f = State(lambda x: x)
    assert grad(f)(X).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(tapead.StaleNumberError):
        grad(f)(X)
    g = State(tapead.value)
    assert grad(g)(X).tolist() == [1.0, 1.0, 1.0]
    assert grad(g)(X).tolist() == (2.0 * X + 1.0).tolist()


def test_misuse_is_raised_though_the_program_swallows_it():
    stale = kept()[1]

    def f(x):
        try:
            y = stale * 2.0
        except Exception:
            y = x
        return np.sum(y * x)

    assert_refused(f, X, kind=tapead.StaleNumberError)


# --------------------------------------------------------------------------------- in threads ---


def in_a_thread(work):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


THREAD_USES = {
    "operator": lambda x: np.sum(x * 2.0),
    "element": lambda x: x[0],
    "function": lambda x: np.sum(x),
    "write": lambda x: x.__setitem__(0, 1.0),
    "written": lambda x: np.zeros(3).__setitem__(slice(None), x),
    "gradient": lambda x: grad(lambda y: np.sum(y * x))(X)[0],
}


@pytest.mark.parametrize("use", THREAD_USES)
def test_an_array_of_another_threads_recording_is_refused(use):
    f = THREAD_USES[use]
    with pytest.raises(tapead.WrongThreadError) as caught:
        grad(lambda x: np.sum(x) + (in_a_thread(lambda: f(x)) or 0.0))(X)
    assert caught.value.filename == __file__
    assert caught.value.lineno in checks.lines_of(f.__code__)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_that_fail_where_nobody_looks_are_noticed():
    def f(x):
        out = np.zeros(3)

        def work(k):
            out[k] = x[k] * x[k]

        threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return np.sum(out)

    with pytest.raises(tapead.WrongThreadError):
        grad(f)(X)


def test_recordings_of_several_threads_do_not_meet():
    shared = np.arange(3.0)

    def f(x):
        y = np.zeros(3)
        for k in range(30):
            y[k % 3] += x[k % 3] ** 2 * shared[k % 3]
        return np.sum(y)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(grad(f), [X * k for k in range(1, 40)]))
    for k, g in enumerate(found, 1):
        np.testing.assert_allclose(g, 20.0 * X * k * np.arange(3.0))


# ----------------------------------------------------------------- errors of NumPy and Python ---

NUMPYS_ERRORS = {
    "index": lambda x: x[5],
    "negative index": lambda x: x[-4],
    "too many indices": lambda x: x[0, 0],
    "index of a list": lambda x: x[[0, 3]],
    "index by a float": lambda x: x[1.5],
    "index by a word": lambda x: x["a"],
    "mask of another length": lambda x: x[[True, False]],
    "write outside": lambda x: x.__setitem__(3, x[0]),
    "write outside, by indices": lambda x: x.__setitem__([0, 3], x[0]),
    "write of another shape": lambda x: x.__setitem__(slice(2), x),
    "write of an array into an element": lambda x: x.__setitem__(0, x),
    "write of another shape by indices": lambda x: x.__setitem__([0, 1], x),
    "write into a read-only view": lambda x: np.diagonal(np.outer(x, x)).__setitem__(0, x[0]),
    "write into a broadcast view": lambda x: np.broadcast_to(x, (2, 3)).__setitem__(0, x),
    "shapes": lambda x: x + x[:2],
    "shapes in place": lambda x: x[:2].__iadd__(x),
    "in place, result larger": lambda x: x.__iadd__(np.ones((2, 3))),
    "matrix product": lambda x: x @ x[:2],
    "product with a number": lambda x: x @ 5.0,
    "reshape": lambda x: x.reshape(2, 2),
    "axis": lambda x: x.sum(axis=1),
    "concatenate": lambda x: np.concatenate([x, np.outer(x, x)]),
    "stack": lambda x: np.stack([x, x[:2]]),
    "truth of an array": lambda x: 1.0 if x else 2.0,
    "truth of a comparison": lambda x: 1.0 if x > 1.0 else 2.0,
    "and": lambda x: x > 1.0 and x < 2.0,
    "not": lambda x: not x,
    "chained comparison": lambda x: 0.0 < x < 1.0,
    "max of rows": lambda x: max(np.outer(x, x)),
    "sorted rows": lambda x: sorted(np.outer(x, x)),
    "float of an array": lambda x: float(x),
    "int of an array": lambda x: int(x),
    "index with an array": lambda x: [1.0, 2.0][x],
    "range": lambda x: range(x[0]),
    "bits": lambda x: x & 1,
    "invert": lambda x: ~x,
    "shift": lambda x: x << 1,
    "hash": lambda x: hash(x),
    "key": lambda x: {x: 1.0},
    "a word": lambda x: x + "a",
    "none": lambda x: x * None,
    "len of no dimensions": lambda x: len(x.sum(keepdims=True).reshape(())),
    "loop over no dimensions": lambda x: list(x[:1].reshape(())),
    "unpacking": lambda x: (lambda a, b: a * b)(*x),
    "no such attribute": lambda x: x.foo,
    "no such attribute of an element": lambda x: x[0].foo,
    "format": lambda x: f"{x:.2f}",
    "singular": lambda x: np.linalg.inv(np.outer(x, x) * 0.0),
    "not positive definite": lambda x: np.linalg.cholesky(-np.outer(x, x)),
    "empty maximum": lambda x: np.max(x[:0]),
    "bad option": lambda x: np.sum(x, axes=0),
    "too many arguments": lambda x: np.sin(x, x, x),
    "math of an array": lambda x: __import__("math").sin(x),
}


# Of these only the type is the same: operators that no float has, names of functions inside.
IN_OTHER_WORDS = {
    "write of an array into an element", "range", "bits", "invert", "shift", "a word", "none",
    "bad option",
}  # fmt: skip


@pytest.mark.parametrize("name", NUMPYS_ERRORS)
def test_an_error_of_the_program_is_the_one_that_plain_arrays_raise(name):
    f = NUMPYS_ERRORS[name]
    with pytest.raises(Exception) as plain:  # noqa: PT011
        f(X.copy())
    error = plain.value
    with pytest.raises(TypeError if isinstance(error, TypeError) else type(error)) as tracked:
        grad(f)(X)
    assert type(tracked.value).__module__.partition(".")[0] in ("builtins", "numpy")
    if name not in IN_OTHER_WORDS:
        assert type(tracked.value) is type(error)
        said = str(tracked.value).replace("tapead.array.Array", "numpy.ndarray")
        assert said.replace("'Array'", "'numpy.ndarray'") == str(error)
    trace = tracked.traceback
    assert any(str(entry.path) == __file__ and entry.name == "<lambda>" for entry in trace)


# ----------------------------------------------------------------------------- after an error ---

LARGE = np.linspace(0.0, 1.0, 4000).copy()
VIEW = LARGE[::2]
FROZEN = np.arange(3.0)
FROZEN.flags.writeable = False


class BrokenError(Exception):
    pass


@pytest.mark.parametrize("error", [BrokenError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_after_an_error_nothing_is_locked_rebound_or_on_the_tape(error):
    held = [LARGE, VIEW]
    constant = np.arange(3.0)

    def f(x, c):
        y = np.sum(x[0] * held[0]) + np.sum(x[1] * held[1]) + np.sum(x[2] * LARGE * c)
        z = np.zeros(3)
        z[:] = x * constant * FROZEN
        if error is not None:
            raise error("mine")
        return y + np.sum(z)

    given = np.ones(4000)
    with pytest.raises(error):
        grad(f)(X, given)
    for a in (LARGE, VIEW, constant, given):
        assert a.flags.writeable
        assert type(a) is np.ndarray
    assert not FROZEN.flags.writeable
    assert held[0] is LARGE
    assert held[1] is VIEW
    assert type(constant) is np.ndarray
    assert (current.tape.depth, len(current.tape), current.tape.epoch) == (0, 0, 0)
    assert grad(lambda x: np.sum(x * constant))(X).tolist() == [0.0, 1.0, 2.0]


def test_after_an_error_of_an_inner_gradient_the_outer_goes_on():
    def inner(z):
        z[0] = 2.0
        y = np.sum(z * LARGE[:3])
        raise BrokenError(y)

    def f(x):
        y = x * 1.0
        with contextlib.suppress(BrokenError):
            grad(inner)(y)
        y *= x
        return np.sum(y)

    np.testing.assert_allclose(grad(f)(X), 2.0 * X)
    assert LARGE.flags.writeable


def test_a_constant_that_was_read_only_stays_so_and_may_not_be_written():
    def f(x):
        FROZEN[0] = x[0]
        return np.sum(FROZEN * x)

    for call in (f, grad(f)):
        with pytest.raises(ValueError, match="assignment destination is read-only"):
            call(X)
    assert grad(lambda x: np.sum(FROZEN * x))(X).tolist() == [0.0, 1.0, 2.0]
    assert not FROZEN.flags.writeable


def test_flags_and_copies_of_what_is_read_only():
    def f(x):
        x.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            x *= 2.0
        y = copy.copy(x)
        y[0] = x[1]
        return np.sum(y)

    assert grad(f)(X).tolist() == [0.0, 2.0, 1.0]
