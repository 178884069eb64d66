"""Programs with arrays in which a derivative could go wrong in silence, and comes out right.

Values are compared with the plain program bit for bit, gradients with central differences and,
where there is a simple one, with a closed form; their own gradients with differences of them.
"""

import collections
import concurrent.futures
import contextlib
import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

X = checks.X
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


# -------------------------------------------------------- arrays that outlive their recording ---


def test_an_array_made_in_one_recording_is_a_constant_of_the_next():
    held = []

    def f(x):
        if not held:
            held.append(np.ones(3))
        return np.sum((x * held[0]) ** 2)

    np.testing.assert_allclose(grad(f)(X), 2.0 * X)
    np.testing.assert_allclose(grad(f)(X), 2.0 * X)
    held[0][:] = 2.0
    np.testing.assert_allclose(grad(f)(X), 8.0 * X)
    assert isinstance(held[0], np.ndarray)
    assert f(X) == np.sum((2.0 * X) ** 2)

    def g(x):
        y = x + 1.0
        y = y + x
        total = np.sum(y)
        held[0][:] = 3.0
        return np.sum(y * held[0]) + total

    np.testing.assert_allclose(grad(g)(X), 8.0)
    assert held[0].tolist() == [3.0, 3.0, 3.0]


def test_an_array_of_an_earlier_recording_changed_after_its_use_counts_as_it_was():
    held = []
    grad(lambda x: held.append(np.ones(3)) or np.sum(x))(X)
    alias = np.asarray(held[0])
    others = [alias]

    def by_itself(x):
        y = x * held[0]
        held[0][:] = 5.0
        return np.sum(y)

    def by_an_alias(x):
        y = x * held[0]
        alias[:] = 5.0
        return np.sum(y)

    def by_a_list(x):
        y = x * held[0]
        others[0][:] = 5.0
        return np.sum(y)

    for f in (by_itself, by_an_alias, by_a_list):
        held[0][:] = 1.0
        assert grad(f)(X).tolist() == [1.0, 1.0, 1.0]
        assert held[0].tolist() == alias.tolist() == [5.0, 5.0, 5.0]


class Momentum:
    """A state in an attribute, changed in place by every call."""

    def __init__(self):
        self.state = np.ones(3)

    def __call__(self, x):
        before = np.sum(self.state * x)
        self.state *= 0.5
        self.state[0] += x[0]
        return before + np.sum(self.state * x)


def test_a_state_that_calls_change_in_place_is_as_after_plain_calls():
    f, plain = Momentum(), Momentum()
    for _ in range(3):
        s = plain.state.copy()
        plain(X)
        expected = 1.5 * s + [2.0 * X[0], 0.0, 0.0]
        np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-14)
        assert type(f.state) is np.ndarray
        assert f.state.tolist() == plain.state.tolist()


@functools.lru_cache
def knots(n):
    return np.linspace(0.0, 1.0, n)


def test_an_array_from_a_cache_is_changed_for_this_recording_only():
    def f(x):
        c = knots(3)
        c[0] = x[0]
        return np.sum(knots(3) * x)

    for _ in range(2):
        np.testing.assert_allclose(grad(f)(X), [2.0 * X[0], 0.5, 1.0])
    assert knots(3).tolist() == [0.0, 0.5, 1.0]


def test_a_plain_array_known_by_two_names_is_one_array():
    base = np.zeros(6)
    held = [base]
    part = base[::2]
    registry = {"part": part}

    def through_a_list(x):
        base[0] = x[0]
        return np.sum(held[0][:3] * x)

    def through_a_view(x):
        base[2] = x[0]
        return np.sum(part * x)

    def through_a_view_in_a_dict(x):
        base[4] = x[0]
        return np.sum(registry["part"] * x)

    def through_a_call(x):
        return (lambda a, b: (a.__setitem__(0, x[1]), np.sum(b[:3] * x))[1])(part, held[0])

    for f in (through_a_list, through_a_view, through_a_view_in_a_dict, through_a_call):

        def make(f=f):
            base[...] = 0.0
            return f

        assert_right(make, X)
    base[...] = 0.0
    through_a_list(X)  # the names stand for plain arrays again
    assert held[0] is base
    assert part.base is base
    assert base[0] == X[0]


class WithSlots:
    __slots__ = ("held",)

    def __init__(self, held):
        self.held = held


class Registry(dict):
    pass


Pair = collections.namedtuple("Pair", "first held")


def in_a_class(c):
    kind = type("Kind", (), {"held": c})
    return lambda: kind.held


OTHER_NAMES = {
    "deque": lambda c: (lambda box: lambda: box[0])(collections.deque([c])),
    "namedtuple": lambda c: (lambda box: lambda: box.held)(Pair(1, c)),
    "defaultdict": lambda c: (lambda box: lambda: box["c"])(collections.defaultdict(list, c=c)),
    "subclass of dict": lambda c: (lambda box: lambda: box["c"])(Registry(c=c)),
    "dict of many": lambda c: (lambda box: lambda: box["c"])({**dict.fromkeys(range(99)), "c": c}),
    "partial": lambda c: functools.partial(lambda c: c, c),
    "class attribute": in_a_class,
    "slot": lambda c: (lambda box: lambda: box.held)(WithSlots(c)),
    "view in a deque": lambda c: (lambda box: lambda: box[0])(collections.deque([c[:]])),
}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_what_is_written_by_one_name_is_not_read_as_a_constant_by_another(name):
    c = np.zeros(3)
    other = OTHER_NAMES[name](c)

    def f(x):
        c[0] = 2.0 * x[0]
        return np.sum(other() * x)

    def g(x):
        other()[0] = 2.0 * x[0]
        return np.sum(c * x)

    for program in (f, g):
        c[...] = 0.0
        with contextlib.suppress(tapead.DetachedError):
            assert grad(program)(X).tolist() == [4.0 * X[0], 0.0, 0.0]


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_what_is_changed_by_one_name_counts_as_it_was_when_it_was_used_by_another(name):
    c = np.ones(3)
    other = OTHER_NAMES[name](c)

    def f(x):
        y = x * other()
        c[:] = 5.0
        z = x * c
        other()[:] = 7.0
        return np.sum(y) + np.sum(z)

    assert grad(f)(X).tolist() == [6.0, 6.0, 6.0]
    assert c.tolist() == [7.0, 7.0, 7.0]


class Lookup:
    """An object that finds its attributes itself, and knows no others."""

    def __init__(self, **held):
        self.__dict__["held"] = held

    def __getattr__(self, name):
        return self.held[name]


def test_an_object_with_attributes_of_its_own_finding():
    model = Lookup(weights=np.arange(3.0))
    assert grad(lambda x: np.sum(model.weights * x))(X).tolist() == [0.0, 1.0, 2.0]
    assert grad(lambda x, m: np.sum(m.weights * x))(X, model).tolist() == [0.0, 1.0, 2.0]


# ---------------------------------------------------------------------------- other threads ---


def in_a_thread(work):
    """Run in another thread; what it raises is raised here."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_a_constant_changed_by_another_thread_counts_as_it_was_or_is_refused():
    held = [np.ones(3)]

    def f(x, change, local):
        c = np.ones(3) if local else held[0]
        y = x * c
        in_a_thread(lambda: change(c))
        return np.sum(y)

    for change in (lambda c: c.fill(5.0), lambda c: c.__setitem__(0, 5.0), lambda c: c.sort()):
        for local in (True, False):
            held[0] = np.ones(3)
            with contextlib.suppress(tapead.WrongThreadError):
                assert grad(f)(X, change, local).tolist() == [1.0, 1.0, 1.0]


def test_a_thread_may_read_decide_and_have_gradients_of_its_own():
    def f(x):
        c = np.zeros(3)

        def work():
            c[...] = grad(lambda z: np.sum(z * z))(np.ones(3))
            return x.shape[0] * np.sum(c)

        return np.sum(x) * in_a_thread(work) + np.sum(c * x)

    assert grad(f)(X).tolist() == [20.0, 20.0, 20.0]
