"""What a checkpointed function or step does beside giving a result: refused where a derivative
would be lost by it, and let be where not."""

import collections
import functools
import math
from collections import deque

import numpy as np
import pytest

import tapead
from tapead import RecomputeError, checkpoint, checkpointed_loop, checkpointed_while, grad

pytest.importorskip("checkpoint_schedules")


def looped(f, x):
    return checkpointed_loop(f, x, 5, snapshots=2)


def whiled(f, x):
    def counted(state):
        return f(state[0]), state[1] + 1

    return checkpointed_while(lambda state: state[1] < 5, counted, (x, 0), snapshots=2)[0]


def called(f, x):
    g = checkpoint(f)
    return g(g(x))


WAYS = [called, looped, whiled]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
BUFFER = np.zeros(2)


def appended(way, x):
    found = []

    def f(y):
        found.append(y * x)
        return y * 0.5

    return way(f, x) + sum(found)


def appended_to_many(way, x):
    found = deque([0.0] * 100)

    def f(y):
        found.append(y * y)
        return y * 0.5

    return way(f, x) + found[-1]


def rebound(way, x):
    total = 0.0

    def f(y):
        nonlocal total
        total = total + y
        return y * 0.5

    return way(f, x) + total


def rebound_tracked(way, x):
    total = x * 1.0

    def f(y):
        nonlocal total
        total = total + y
        return y * 0.5

    return way(f, x) + total


def put_into_a_dict(way, x):
    found = {}

    def f(y):
        found["y"] = y * 2.0
        return y * 0.5

    return way(f, x) + found["y"]


def written_into_a_plain_array(way, x):
    found = np.zeros(2)

    def f(y):
        found[0] = y
        return y * 0.5

    return way(f, x) + found[0]


def written_into_a_global_array(way, x):
    def f(y):
        BUFFER[0] = y
        return y * 0.5

    return way(f, x) + BUFFER[0]


def written_into_a_tracked_array(way, x):
    found = np.ones(2) * x

    def f(y):
        found[0] = y
        return y * found[1]

    return way(f, x) + found[0]


def put_into_a_tracked_list(way, x):
    found = [x, x]

    def f(y):
        found[0] = y
        return y * found[1]

    return way(f, x) + found[0]


class Model:
    def f(self, y):
        self.y = y
        return y * 0.5


def kept_by_a_method(way, x):
    model = Model()
    return way(model.f, x) + model.y


def kept_by_an_object(way, x):
    model = Model()

    def f(y):
        model.y = y * 2.0
        return y * 0.5

    return way(f, x) + model.y


def kept_by_an_object_of_an_object(way, x):
    model = Model()
    model.part = Model()

    def f(y):
        model.part.y = y * 2.0
        return y * 0.5

    return way(f, x) + model.part.y


def kept_deep_in_containers(way, x):
    found = {"a": [({"b": []},)]}

    def f(y):
        found["a"][0][0]["b"].append(y * 2.0)
        return y * 0.5

    return way(f, x) + found["a"][0][0]["b"][0]


class Slotted:
    __slots__ = ("y",)


def kept_in_a_slot(way, x):
    model = Slotted()

    def f(y):
        model.y = y * 2.0
        return y * 0.5

    return way(f, x) + model.y


def kept_by_a_class(way, x):
    class Kept:
        y = 0.0

    def f(y):
        Kept.y = y * 2.0
        return y * 0.5

    return way(f, x) + Kept.y


def kept_by_the_function(way, x):
    def f(y):
        f.y = y * 2.0
        return y * 0.5

    return way(f, x) + f.y


def kept_by_a_default(way, x):
    def f(y, kept=[]):  # noqa: B006 - that is what is tested
        kept.append(y * 2.0)
        return y * 0.5

    return way(f, x) + f.__defaults__[0][0]


def kept_by_what_it_calls(way, x):
    found = []

    class Registry:
        def add(self, y):
            found.append(y)

    registry = Registry()

    def f(y):
        registry.add(y * 2.0)
        return y * 0.5

    return way(f, x) + found[0]


class Lazy:
    """What is computed once, from a tracked value, and then kept."""

    def __init__(self, x):
        self.x, self.kept, self.table = x, None, {}

    @functools.cached_property
    def square(self):
        return self.x * self.x


def cached_property_that_it_fills(way, x):
    lazy = Lazy(x)
    return way(lambda f: lazy.square * f, x)


def attribute_that_it_fills(way, x):
    lazy = Lazy(x)

    def f(y):
        if lazy.kept is None:
            lazy.kept = lazy.x * 3.0
        return lazy.kept * y

    return way(f, x)


def table_that_it_fills(way, x):
    lazy = Lazy(x)

    def f(y):
        if "a" not in lazy.table:
            lazy.table["a"] = lazy.x * 3.0
        return lazy.table["a"] * y

    return way(f, x)


def list_that_it_fills(way, x):
    table = [None] * 3

    def f(y):
        if table[1] is None:
            table[1] = x * 3.0
        return table[1] * y

    return way(f, x)


REFUSED = [
    appended, appended_to_many, rebound, rebound_tracked, put_into_a_dict,
    written_into_a_plain_array, written_into_a_global_array, written_into_a_tracked_array,
    put_into_a_tracked_list, kept_by_a_method, kept_by_an_object, kept_by_an_object_of_an_object,
    kept_deep_in_containers, kept_in_a_slot, kept_by_a_class, kept_by_the_function,
    kept_by_a_default, kept_by_what_it_calls, cached_property_that_it_fills,
    attribute_that_it_fills, table_that_it_fills, list_that_it_fills,
]  # fmt: skip


@every_way
@pytest.mark.parametrize("program", REFUSED, ids=lambda f: f.__name__)
def test_derivatives_that_leave_by_another_way_than_the_result_are_refused(program, way):
    with pytest.raises(RecomputeError, match=r"is checkpointed and (leaves|has changed)"):
        grad(lambda x: program(way, x))(2.0)
    BUFFER[:] = 0.0


def logged(way, x):
    found, count = [], [0]

    def f(y):
        count[0] += 1
        found.append(tapead.value(y))
        return y * 0.5

    y = way(f, x)
    assert len(found) == count[0] > 0
    return y


def kept_outside(way, x):
    model = Model()
    model.scale, model.before = 0.5, x * 2.0

    def f(y):
        return y * model.scale + math.sin(y)

    y = way(f, x)
    model.after = y * 3.0
    return y + model.after


def filled_before(way, x):
    lazy = Lazy(x)
    assert lazy.square == x * x
    return way(lambda y: lazy.square * y, x)


class FromADict:
    def __init__(self, held):
        object.__setattr__(self, "held", held)

    def __getattr__(self, name):
        return self.held[name]


def attributes_that_are_looked_up(way, x):
    held = FromADict({"scale": x})
    return way(lambda y: held.scale * y, x)


def noted(way, x):
    """After a gradient what a program notes for itself is as after a run."""
    lazy, sizes = Lazy(0.5), []

    def f(y):
        lazy.kept = tapead.value(y)
        sizes.append(lazy.kept)
        return y * lazy.x

    y = way(f, x)
    assert lazy.kept == pytest.approx(2.0 * tapead.value(y))
    assert sizes[-1] == lazy.kept
    return y


@every_way
@pytest.mark.parametrize(
    "program",
    [logged, kept_outside, filled_before, attributes_that_are_looked_up, noted],
    ids=lambda f: f.__name__,
)
def test_what_loses_no_derivative_is_let_be(program, way):
    def plainly(f, x):
        for _ in range(2 if way is called else 5):
            x = f(x)
        return x

    for derivative in (grad, lambda f: grad(grad(f))):
        found = derivative(lambda x: program(way, x))(0.7)
        assert found == pytest.approx(derivative(lambda x: program(plainly, x))(0.7), rel=1e-12)


# -------------------------------------------------------------------------------- arguments ---


def overwrites(y, other):
    other[0] = 5.0
    return y * other[0]


def appends(y, other):
    other.append(1.0)
    return y * len(other)


def replaces(y, other):
    other["a"] = y * 2.0
    return y * 3.0


@pytest.mark.parametrize(
    ("f", "other"),
    [(overwrites, np.ones(2)), (overwrites, [1.0]), (appends, [1.0]), (replaces, {"a": 1.0})],
    ids=["array", "list", "longer list", "dict"],
)
def test_functions_that_change_an_argument_without_derivative_are_refused(f, other):
    def program(x):
        return checkpoint(f)(x, other) * sum(map(float, other))

    with pytest.raises(RecomputeError, match=f"{f.__name__} is checkpointed and has changed"):
        grad(program)(2.0)


def to_an_attribute(y, other):
    other.y = y * 2.0
    return y * 3.0


def to_a_list_of_it(y, other):
    other.found.append(y * 2.0)
    return y * 3.0


@pytest.mark.parametrize("f", [to_an_attribute, to_a_list_of_it], ids=lambda f: f.__name__)
def test_values_that_leave_by_an_object_that_was_given_are_refused(f):
    def program(x):
        model = Model()
        model.found = []
        y = checkpoint(f)(x, model)
        return y * (model.found[0] if model.found else model.y)

    with pytest.raises(RecomputeError, match=f"{f.__name__} is checkpointed and leaves"):
        grad(program)(2.0)
    with pytest.raises(RecomputeError, match=f"{f.__name__} is checkpointed and leaves"):
        tapead.linearize(program, 2.0)[1](1.0)


def test_what_an_earlier_gradient_left_is_nothing_new():
    model = Model()
    grad(lambda x: model.f(x) + model.f(np.ones(2) * x)[0])(2.0)  # a tracked array is left there
    f = checkpoint(lambda y: y * len(vars(model)))
    assert grad(f)(2.0) == 1.0


# ------------------------------------------------------------------ what a first run leaves ---


class Last:
    """The value at the last point, as programs keep it that need it twice."""

    x = y = None

    def __call__(self, x):
        if self.x != x:
            self.x, self.y = x, math.sin(x) * x
        return self.y


SEEN: dict = {}
FOUND: list = []
LAST = None
OBJECT = Model()
SLOTTED = Slotted()
KEPT = collections.deque()


def by_a_whole_number(x):
    k = int(x * 1e6)
    if k not in SEEN:
        SEEN[k] = math.sin(x) * x
    return SEEN[k]


def by_its_text(x):
    for text, y in FOUND:
        if text == f"{x:.12f}":
            return y
    FOUND.append((f"{x:.12f}", math.sin(x) * x))
    return FOUND[-1][1]


def by_a_global_name(x):
    global LAST
    if LAST is None:
        LAST = math.sin(x) * x
    return LAST


def by_an_attribute(x):
    if not hasattr(OBJECT, "y"):
        OBJECT.y = math.sin(x) * x
    return OBJECT.y


def by_a_slot(x):
    if not hasattr(SLOTTED, "y"):
        SLOTTED.y = math.sin(x) * x
    return SLOTTED.y


def by_a_default(x, table={}):  # noqa: B006 - what the test is about
    if not table:
        table["y"] = math.sin(x) * x
    return table["y"]


def by_a_deque(x):
    if not KEPT:
        KEPT.append(math.sin(x) * x)
    return KEPT[0]


def by_a_class(x):
    if "y" not in vars(Last) or Last.y is None:
        Last.y = math.sin(x) * x
    return Last.y


def by_the_closure():
    y = None

    def f(x):
        nonlocal y
        if y is None:
            y = math.sin(x) * x
        return y

    return f


def by_a_long_table():
    table = dict.fromkeys(range(1000), 0.0)

    def f(x):
        k = int(x * 1e6)
        if k not in table:
            table[k] = math.sin(x) * x
        return table[k]

    return f


CACHES = {
    f.__name__: f
    for f in (
        by_a_whole_number, by_its_text, by_a_global_name, by_an_attribute, by_a_slot, by_a_default,
        by_a_deque, by_a_class,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", [*CACHES, "an object", "by_the_closure", "by_a_long_table"])
def test_a_cache_that_the_first_run_fills_is_no_constant_to_the_second(name, monkeypatch):
    made = {"an object": Last, "by_the_closure": by_the_closure, "by_a_long_table": by_a_long_table}
    f = made[name]() if name in made else CACHES[name]
    try:
        with pytest.raises(RecomputeError, match=r"is checkpointed and (leaves|has changed)"):
            grad(tapead.checkpoint(f))(1.5)
    finally:
        _forget()


def _forget():
    global LAST
    LAST = Last.y = None
    for x in (SEEN, FOUND, KEPT, vars(OBJECT), by_a_default.__defaults__[0]):
        x.clear()
    if hasattr(SLOTTED, "y"):
        del SLOTTED.y


def test_constants_that_the_first_run_makes_may_stay():
    table, calls = {}, [0]

    def f(x):
        calls[0] += 1
        if "weights" not in table:
            table["weights"] = [0.5 * k for k in range(3)]
        return sum(w * x * x for w in table["weights"])

    assert grad(tapead.checkpoint(f))(1.5) == 4.5
    assert table == {"weights": [0.0, 0.5, 1.0]}
    assert calls == [1]  # as the first run left it


def test_the_second_run_takes_the_branch_of_the_first_where_a_counter_decides():
    count = [0]

    def f(x):
        count[0] += 1
        return x * x if count[0] % 2 else x * x * x

    call = tapead.checkpoint(f)
    assert grad(lambda x: call(x) + 10 * call(x))(2.0) == 4.0 + 10 * 12.0
    assert count == [2]


@pytest.mark.parametrize("snapshots", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [6, 7, 50])
def test_steps_that_a_hidden_counter_decides_are_refused(n, snapshots):
    count = [0]

    def step(x):
        count[0] += 1
        return x * 2 if count[0] % 2 else x * 3

    with pytest.raises(RecomputeError, match="gave another state"):
        grad(lambda x: tapead.checkpointed_loop(step, x, n, snapshots=snapshots))(1.0)
