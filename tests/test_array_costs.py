"""What array programs cost, by counting rows, records and kept arrays: all grow linearly."""

import numpy as np
import pytest

import tapead
from tapead import array
from tapead.tape import current

SIZES = (8, 16, 24)


def recorded(f, *args):
    return tapead.record(f, *args, lines=False)


def vector(n):
    return np.linspace(0.5, 1.5, n)


def rows(f, n):
    return len(recorded(f, vector(n)))


def records(f, n):
    """Rows that are operations on whole arrays, the input aside."""
    return len(recorded(f, vector(n))._tape.records) - 1


def memories(f, *args):
    """The memory that records keep for the reverse sweep, by its owner: sizes in bytes."""
    tape = recorded(f, *args)
    owners = {}
    for record in tape._tape.records:
        for value in record.kept:
            for part in value if type(value) is tuple else (value,):
                data = array.plain_of(part)
                if type(data) is np.ndarray:
                    while type(data.base) is np.ndarray:
                        data = data.base
                    owners[id(data)] = data.nbytes
    return sorted(owners.values())


def assert_grows_by(count, each, f):
    """count(f, n) is each * n and a constant."""
    first, second, third = (count(f, n) for n in SIZES)
    assert (second - first, third - second) == (8 * each, 8 * each)


# ----------------------------------------------------------------------------- elements, views ---


def total(x):
    s = 0.0
    for k in range(len(x)):
        s += x[k]
    return s


def doubled(x):
    y = np.zeros(len(x))
    for k in range(len(x)):
        y[k] = 2.0 * x[k]
    return y.sum()


def running(x):
    for k in range(1, len(x)):
        x[k] += x[k - 1]
    return x[-1]


def rosenbrock(x):
    s = 0.0
    for k in range(len(x) - 1):
        s += 100.0 * (x[k + 1] - x[k] ** 2) ** 2 + (1.0 - x[k]) ** 2
    return s


def of_matrix(x):
    a = np.outer(x, x)
    s = 0.0
    for k in range(len(x)):
        s += a[k, -k] * 2.0
        a[-k, k] = s
    return s


def iterated(x):
    s = 0.0
    for v in x:
        s = s + v * v
    return s


@pytest.mark.parametrize(
    ("f", "each", "arrays"),
    [
        (total, 2, 0),  # read, add
        (doubled, 3, 1),  # read, multiply, write; and the sum
        (running, 4, 0),  # two reads, add, write
        (rosenbrock, 11, 0),  # three reads, two squares, multiplication, ...
        (of_matrix, 4, 1),  # read, multiply, add, write; and the product
        (iterated, 3, 0),
    ],
)
def test_an_element_read_or_written_is_one_row(f, each, arrays):
    assert_grows_by(rows, each, f)
    assert [records(f, n) for n in SIZES] == [arrays] * 3


@pytest.mark.parametrize("f", [total, doubled, running, rosenbrock, iterated])
def test_a_row_of_an_element_has_17_bytes(f):
    tape = recorded(f, vector(50))
    constants = tape._tape.n_const
    assert constants <= 4
    assert tape.nbytes == 17 * len(tape) + 8 * constants


@pytest.mark.parametrize("f", [total, doubled, running, rosenbrock, of_matrix, iterated])
def test_a_reverse_sweep_visits_every_row_once(f):
    tape = recorded(f, vector(30))
    tape.adjoints()
    assert tape.visited.rows <= len(tape)
    assert tape.visited.edges <= 2 * len(tape)


@pytest.mark.parametrize("f", [total, doubled, running, rosenbrock, of_matrix, iterated])
def test_rows_of_second_derivatives_grow_linearly(f):
    def along(x):
        return np.sum(tapead.grad(f)(x))

    first, second, third, fourth = (rows(along, n) for n in (*SIZES, 32))
    assert third - second == second - first == fourth - third


def test_views_are_no_rows():
    def f(x):
        a = x.reshape(2, -1)
        for v in (a.T, a[0], a[:, ::-1], x[None], np.flip(x), np.ravel(x), np.swapaxes(a, 0, 1)):
            a = v
        x[1:], x.T, a.shape, len(a), a.ndim
        return x[0]

    assert rows(f, 8) == 2


def test_what_has_no_derivative_is_no_row():
    def f(x):
        y = np.zeros(len(x))
        for k in range(len(x)):
            y[k] = k * 0.5 + y[k - 1]
        y[1:] *= np.sin(y[:-1]) + np.arange(len(x) - 1.0)
        if (x > y).any() and np.argmax(x) > 1:
            y[:] = 1.0
        return x[0]

    assert rows(f, 20) == 2


def test_a_list_of_numbers_becomes_an_array_by_a_row_for_many():
    def f(x):
        return np.array([v * v for v in x]).sum()

    assert rows(f, 320) <= 320 * (2 + 1 / 16) + 5  # read, multiply; and 16 numbers joined at a time


# ------------------------------------------------------------------- writes of whole arrays ---


def steps_of(step):
    """How many records a step adds, whatever went before, and a count of what n steps keep."""

    def run(x, n):
        x = x.copy()
        for k in range(n):
            step(x, k)
        return x[3]

    counts = [
        len(recorded(lambda x, n=n: run(x, n), vector(40))._tape.records) for n in (5, 10, 15)
    ]
    assert counts[1] - counts[0] == counts[2] - counts[1]
    return (counts[1] - counts[0]) / 5, lambda n: memories(lambda x: run(x, n), vector(40))


def advection(u, k):
    u[1:-1] = u[1:-1] - 0.1 * (u[2:] - u[:-2])


def smoothing(u, k):
    u[1:] += u[:-1]
    u *= 0.5


def shifted(u, k):
    u[:-1] = u[1:]


def one_element(u, k):
    u[k] = 0.0


def permuted(u, k):
    u[[k, -1]] = u[[-1, k]]


def scattered(u, k):
    np.add.at(u, [k, k, 1], 1.0)


def masked(u, k):
    u[u > 1.2] *= 0.5


@pytest.mark.parametrize(
    ("step", "each"),
    [
        (advection, 4),  # two differences, a product, the write
        (smoothing, 3),
        (shifted, 1),
        (one_element, 0),
        (permuted, 2),
        (scattered, 0),  # adding a constant changes no derivative
        (masked, 4),  # read by the mask, multiplied in place, which is a write, and written back
    ],
)
def test_linear_steps_keep_no_array(step, each):
    found, kept = steps_of(step)
    assert found == each
    assert [m for m in kept(5) if m >= 8 * 20] == []
    assert [m for m in kept(30) if m >= 8 * 20] == []


def burgers(u, k):
    u[1:-1] -= 0.1 * u[1:-1] * (u[2:] - u[:-2])


def squared(u, k):
    u **= 2
    u *= 0.5


def sine(u, k):
    u[...] = np.sin(u)


@pytest.mark.parametrize(("step", "arrays"), [(burgers, 2), (squared, 1), (sine, 1)])
def test_nonlinear_steps_keep_their_operands_and_no_more(step, arrays):
    _, kept = steps_of(step)
    for n in (4, 8, 16):
        assert len([m for m in kept(n) if m >= 8 * 20]) <= arrays * n + 1


def test_writes_into_an_array_that_was_kept_copy_it_once():
    def f(x):
        a = x.copy()
        y = a * np.exp(a)
        for k in range(len(a)):
            a[k] = 0.5 * k
        a[::2] = 0.0
        return y.sum() + a.sum()

    # What exp and the product keep: exp's value, and one copy of a.
    assert memories(f, vector(40)) == [320, 320]


def test_writes_copy_an_array_for_all_that_keep_it():
    def f(x):
        a = x.copy()
        total = 0.0
        for k in range(10):
            total = total + np.sum(np.sin(a)) + np.dot(a, a) + a[k : k + 10] @ a[10:20]
        a[0] = 1.0
        return total

    # Sines and products of the whole share one copy; those of parts have copies of their parts.
    assert sum(memories(f, vector(40))) == 320 + 10 * (80 + 80)


def test_an_array_that_is_not_written_is_not_copied():
    def f(x):
        a = x * 2.0
        return np.sum(np.sin(a) * a * np.cos(a) * a[::-1])

    # a, sin(a) and the products, of which each is kept where it was computed.
    assert len(memories(f, vector(40))) <= 6


def test_a_sum_keeps_nothing_and_a_product_both_sides():
    x = vector(40)
    assert memories(lambda x: np.sum(x + x - 3.0 * x[::-1] + x.reshape(40)), x) == []
    assert memories(lambda x: np.sum(x + 1.0) / 40, x) == []
    assert memories(lambda x: (x * 2.0 * x[0]).sum(), x) == [320]
    assert memories(lambda x: np.exp(x + x).sum(), x) == [320]
    assert memories(lambda x: (np.exp(x) * np.sin(x)).sum(), x) == [320, 320, 320]


def test_a_constant_that_is_used_often_is_kept_once():
    constant = np.ones(5000)  # larger than what is copied

    def f(x):
        for _ in range(20):
            x = x * constant
        return x.sum()

    assert memories(f, np.ones(5000)) == [40_000]


def test_nothing_is_left_on_the_tape_afterwards():
    for f in (doubled, rosenbrock, of_matrix):
        tapead.grad(f)(vector(20))
        tape = current.tape
        assert (len(tape), tape.records, tape.storages, tape.locked) == (0, [], [], [])
        assert tape.owners == {}


@pytest.mark.parametrize(
    ("program", "each"),
    [
        (lambda x, n: [x := np.sin(x) for _ in range(n)][-1], 1),
        (lambda x, n: [x := x * 0.9 + 0.1 for _ in range(n)][-1], 2),
        (lambda x, n: [x := np.outer(x, x) @ x / 40 for _ in range(n)][-1], 3),
        (lambda x, n: [x := np.concatenate([x[1:], x[:1]]) for _ in range(n)][-1], 1),
        (lambda x, n: [x := np.where(x > 1.0, x * x, x) for _ in range(n)][-1], 2),
        (lambda x, n: [x := x / np.linalg.norm(x) for _ in range(n)][-1], 2),
    ],
)
def test_an_operation_is_one_row(program, each):
    counts = [rows(lambda x, n=n: program(x, n).sum(), 40) for n in (2, 4, 6)]
    assert counts[1] - counts[0] == counts[2] - counts[1] == 2 * each


def test_rows_of_second_derivatives_of_steps_grow_linearly():
    def run(x, n):
        x = x.copy()
        for k in range(n):
            burgers(x, k)
        return np.sum(x * x)

    counts = [rows(lambda x, n=n: np.sum(tapead.grad(run)(x, n)), 40) for n in (4, 8, 12, 16)]
    assert len(set(np.diff(counts))) == 1
    assert counts[1] - counts[0] <= 4 * 40
