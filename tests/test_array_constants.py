"""A constant array that is changed after its use: what was computed with it counts as it was.

However the program knows the array, and however it changes it; or NumPy refuses the change, because
a large array that tapead cannot see the changes of is read-only until the recording ends.
"""

import functools
import importlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import tapead

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

LARGE = 4_000  # elements; the array takes more than 16 KiB
A, X = checks.A, checks.X
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
grad = tapead.grad


# ---------------------------------------------------- a constant that is changed after its use ---


class Box:
    """An object with an attribute."""

    def __init__(self, held):
        self.held = held


GLOBAL = None


def used_and_changed(x, c, change):
    """The first use counts with what c was, the second with what it has become."""
    y = x * c
    change(c)
    return np.sum(y * y) + x[0] * c[0]


def used_and_changed_in(c, x, change):
    return used_and_changed(x, c, change)


def as_a_global(c):
    globals()["GLOBAL"] = c
    return lambda x, change: used_and_changed(x, GLOBAL, change)


def as_a_default(c):
    return lambda x, change, c=c: used_and_changed(x, c, change)


def as_a_keyword_default(c):
    return lambda x, change, *, c=c: used_and_changed(x, c, change)


def as_an_attribute(c):
    box = Box(c)
    return lambda x, change: used_and_changed(x, box.held, change)


def as_an_attribute_of_a_class(c):
    kind = type("Kind", (), {"held": c})
    return lambda x, change: used_and_changed(x, kind.held, change)


def as_an_element(c):
    held = [{"c": (c,)}]
    return lambda x, change: used_and_changed(x, held[0]["c"][0], change)


def as_an_attribute_of_self(c):
    class Model(Box):
        def __call__(self, x, change):
            return used_and_changed(x, self.held, change)

    return Model(c)


def as_a_local(c):
    return lambda x, change: used_and_changed(x, np.array(c), change)


PLACES = {
    "global": as_a_global,
    "closure": lambda c: lambda x, change: used_and_changed(x, c, change),
    "default": as_a_default,
    "keyword default": as_a_keyword_default,
    "attribute": as_an_attribute,
    "attribute of a class": as_an_attribute_of_a_class,
    "attribute of self": as_an_attribute_of_self,
    "element": as_an_element,
    "argument of a partial": lambda c: functools.partial(used_and_changed_in, c),
    "local": as_a_local,
}


CHANGES = {
    "slice": lambda c: c.__setitem__(slice(None), 0.25),
    "element": lambda c: c.__setitem__(0, 0.25),
    "indices": lambda c: c.__setitem__([0, 2], 0.25),
    "mask": lambda c: c.__setitem__(c > 1.0, 0.25),
    "operator": lambda c: c.__iadd__(1.0),
    "out": lambda c: np.multiply(c, 0.25, out=c),
    "fill": lambda c: c.fill(0.25),
    "copyto": lambda c: np.copyto(c, 0.25),
    "put": lambda c: np.put(c, [0, 1], 0.25),
    "at": lambda c: np.add.at(c, [0, 0], 1.0),
    "sort": lambda c: c.sort(),
    "partition": lambda c: c.partition(1),
    "shuffled": lambda c: np.random.RandomState(3).shuffle(c),
    "slice of it": lambda c: c[::2].fill(0.25),
    "transpose": lambda c: c.T.__setitem__(0, 0.25),
    "reshaped": lambda c: c.reshape(2, -1).__setitem__(0, 0.25),
    "flat": lambda c: c.flat.__setitem__(0, 0.25),
    "real": lambda c: c.real.__setitem__(0, 0.25),
    "asarray": lambda c: np.asarray(c).__setitem__(0, 0.25),
    "view": lambda c: c.view().__setitem__(0, 0.25),
    "clip": lambda c: c.clip(1.5, 2.0, out=c),
}


def assert_used_as_it_was(place, change, c):
    """Right; or, for a large array that tapead cannot see the changes of, NumPy's refusal."""
    x = np.linspace(0.5, 1.5, c.size)
    changed = c.copy()
    change(changed)
    expected = 2.0 * x * c**2
    expected[0] += changed[0]
    try:
        f = place(c)
        found = grad(lambda x: f(x, change))(x)
    except ValueError as error:
        assert str(error) == "assignment destination is read-only"  # noqa: PT017
        assert c.nbytes > 16384
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert c.flags.writeable
    globals()["GLOBAL"] = None


@pytest.mark.parametrize("size", [4, LARGE])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", ["global", "element"])
def test_a_constant_changed_in_any_way_counts_as_it_was_when_it_was_used(place, change, size):
    assert_used_as_it_was(PLACES[place], CHANGES[change], np.linspace(3.0, 1.0, size))


@pytest.mark.parametrize("owns", [True, False], ids=["owner", "view"])
@pytest.mark.parametrize("size", [4, LARGE])
@pytest.mark.parametrize("place", PLACES)
def test_a_constant_of_any_place_counts_as_it_was_when_it_was_used(place, size, owns):
    c = np.linspace(3.0, 1.0, 2 * size)
    c = c[:size].copy() if owns else c[::2]
    for change in ("slice", "element", "out"):
        assert_used_as_it_was(PLACES[place], CHANGES[change], c.copy() if owns else c)


@pytest.mark.parametrize("size", [4, LARGE])
@pytest.mark.parametrize("seen", [True, False], ids=["closures", "list"])
@pytest.mark.parametrize("way", ["base", "view"])
def test_a_constant_changed_through_its_base_or_a_view_counts_as_it_was(way, seen, size):
    base = np.linspace(3.0, 1.0, 2 * size).copy()
    view = base[::2]
    used, other = (view, base) if way == "base" else (base, view)
    held = [used, other]
    c0 = used.copy()

    def by_closures(x):
        y = x * used
        other[...] = 0.25
        return np.sum(y * y) + x[0] * used[0]

    def by_list(x):
        y = x * held[0]
        held[1][...] = 0.25
        return np.sum(y * y) + x[0] * held[0][0]

    x = np.linspace(0.5, 1.5, used.size)
    expected = 2.0 * x * c0**2
    expected[0] += 0.25
    try:
        found = grad(by_closures if seen else by_list)(x)
    except ValueError as error:
        assert str(error) == "assignment destination is read-only"  # noqa: PT017
        assert not seen
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert base.flags.writeable
    assert view.flags.writeable


def test_a_constant_that_is_an_argument_counts_as_it_was_and_is_changed_as_a_plain_call_would():
    for size in (4, LARGE):
        c = np.linspace(3.0, 1.0, size)
        x = np.linspace(0.5, 1.5, size)
        expected = 2.0 * x * c**2
        expected[0] += 0.25
        for args, kwargs in (((c,), {}), ((), {"c": c})):
            c[...] = np.linspace(3.0, 1.0, size)
            f = lambda x, c: used_and_changed(x, c, CHANGES["element"])  # noqa: E731
            np.testing.assert_allclose(grad(f)(x, *args, **kwargs), expected, rtol=1e-12)
            assert c[0] == 0.25


def changed_operand(operation, operand, local):
    """`operation` on x and a constant that is overwritten right after."""

    def make():
        held = [np.array(operand)]

        def f(x):
            c = np.array(operand) if local else held[0]
            y = operation(x, c)
            c[...] = c[::-1].copy()
            return np.sum(y * y)

        return f

    return make


CONSTANTS = {
    "take": (lambda x, i: np.take(x, i), [0, 2, 2]),
    "indices": (lambda x, i: x[i], [0, 2, 2]),
    "mask": (lambda x, m: x[m], [True, False, False]),
    "indices of one element": (lambda x, i: x[i[0], None], [0, 2]),
    "where": (lambda x, m: np.where(m, x, 2.0), [True, False, False]),
    "where of a ufunc": (lambda x, m: np.exp(x, where=m, out=np.zeros(3)), [True, False, False]),
    "where of a sum": (lambda x, m: np.sum(x, where=m), [True, False, False]),
    "choose": (lambda x, i: np.choose(i, [x, x * x]), [0, 1, 1]),
    "select": (lambda x, m: np.select([m, ~m], [x, x * x]), [True, False, False]),
    "compress": (lambda x, m: np.compress(m, x), [True, False, False]),
    "repeat": (lambda x, n: np.repeat(x, n), [3, 1, 0]),
    "write indices": (lambda x, i: written(np.zeros(3), i, x), [2, 0, 0]),
    "write mask": (lambda x, m: written(np.ones(3), m, x[0]), [True, False, False]),
    "add.at": (lambda x, i: added(np.ones(3), i, x), [2, 0, 0]),
    "take_along_axis": (lambda x, i: np.take_along_axis(x, i, 0), [0, 2, 2]),
    "clip": (lambda x, c: np.clip(x, c, 2.0), [1.0, 0.5, 0.1]),
    "maximum": (lambda x, c: np.maximum(x, c), [1.0, 0.5, 9.0]),
    "power": (lambda x, c: x**c, [1.0, 2.0, 3.0]),
    "base of a power": (lambda x, c: c**x, [1.0, 2.0, 3.0]),
    "divide": (lambda x, c: x / c, [1.0, 2.0, 3.0]),
    "divided": (lambda x, c: c / x, [1.0, 2.0, 3.0]),
    "interp": (lambda x, c: np.interp(x, np.arange(4.0), c), [1.0, 2.0, 4.0, 8.0]),
    "knots": (lambda x, c: np.interp(1.3, np.cumsum(c), x), [1.0, 0.5, 2.0]),
    "polyval": (lambda x, c: np.polyval(c, x), [1.0, 2.0, 3.0]),
    "average": (lambda x, c: np.average(x, weights=c), [1.0, 2.0, 3.0]),
    "einsum": (lambda x, c: np.einsum("i,j,i->j", x, c, x), [1.0, 2.0, 3.0]),
    "solve": (lambda x, c: np.linalg.solve(c, x), A),
    "percentile": (lambda x, q: np.percentile(x, q), [10.0, 60.0]),
    "integers": (lambda x, k: x**k, [1, 2, 3]),
    "searchsorted": (lambda x, c: x[np.searchsorted(c, 1.5)], [1.0, 2.0, 9.0]),
}


def written(a, index, x):
    a[index] = x
    return a


def added(a, index, x):
    np.add.at(a, index, x)
    return a


@pytest.mark.parametrize("local", [True, False], ids=["local", "list"])
@pytest.mark.parametrize("name", CONSTANTS)
def test_an_operand_changed_after_an_operation_counts_as_it_was(name, local):
    assert_right(changed_operand(*CONSTANTS[name], local), X)


def rule_cases():
    """The cases of all rules, from ``rules/cases_*.py``."""
    folder = Path(__file__).parent / "rules"
    sys.path.insert(0, str(folder))
    try:
        modules = [importlib.import_module(p.stem) for p in sorted(folder.glob("cases_*.py"))]
    finally:
        sys.path.remove(str(folder))
    return modules


@pytest.mark.parametrize("module", rule_cases(), ids=lambda m: m.__name__)
@pytest.mark.filterwarnings("ignore")
def test_what_a_rule_keeps_is_unharmed_when_its_operands_and_results_are_overwritten(module):
    def loss(case, overwrite):
        def f(*inputs):
            inputs = [x * 1.0 if isinstance(x, np.ndarray) else x for x in inputs]
            results = case.call(*inputs)
            results = results if isinstance(results, (list, tuple)) else [results]
            results = [y for y in results if np.asarray(tapead.value(y)).dtype.kind in "fc"]
            total = 0.0
            for k, y in enumerate(results):
                total = total + (k + 1.0) * np.sum(np.real(y * y))
            for y in (*inputs, *results):
                if overwrite and isinstance(y, np.ndarray) and y.flags.writeable:
                    y[...] = 0.123
            return total

        return f

    for case in module.CASES:
        inputs = [x if np.isscalar(x) else np.asarray(x) for x in case.inputs]
        numbers = tuple(range(len(inputs)))
        expected, found = (
            grad(loss(case, overwrite), argnums=numbers)(*inputs) for overwrite in (False, True)
        )
        for a, b in zip(expected, found):
            np.testing.assert_array_equal(a, b, err_msg=case.name)
