"""Where rows come from: lines and stacks of calls, of functions, generators and recursion."""

import pytest

import tapead


def inner(y):
    return y * 2.0 + 1.0  # two rows


def outer(x):
    z = inner(x)
    return inner(z) * x


def stacks(f, *args):
    """For each row the functions that were running, outermost first."""
    tape = tapead.record(f, *args, stacks=True)._tape
    sources = tape.sources

    def names(stack):
        caller, code = sources.calls[stack]
        return [] if code is None else [*names(caller), code.co_name]

    return [names(sources.stacks[k]) for k in tape.sources_of(0, len(tape))]


def lines(f, *args):
    """For each row the line of its source, counted from the function's first."""
    tape = tapead.record(f, *args)
    return [tape.row(k).place[1] - f.__code__.co_firstlineno for k in range(len(tape))]


def test_rows_know_the_functions_that_called_them():
    bottom = stacks(outer, 3.0)
    assert bottom[0] == []  # the input
    assert bottom[1:] == [["outer", "inner"]] * 4 + [["outer"]]


def test_two_lines_of_one_function_are_two_places():
    def f(x):
        y = x * x
        for _ in range(3):
            y = y + x
        return y

    assert lines(f, 2.0)[1:] == [1, 3, 3, 3]


def test_recursion_deepens_the_stack():
    def down(x, n):
        return x * 2.0 if n == 0 else down(x, n - 1) + x

    names = [len(row) for row in stacks(lambda x: down(x, 5), 1.0)[1:]]
    assert names == [7, 6, 5, 4, 3, 2]


def test_a_generator_belongs_to_whoever_resumes_it():
    def numbers(x):
        while True:
            yield x * 1.0

    def first(g):
        return next(g)

    def second(g):
        return next(g)

    def f(x):
        g = numbers(x)
        return first(g) + second(g)

    assert [row[1:] for row in stacks(f, 1.0)[1:]] == [
        ["first", "numbers"], ["second", "numbers"], [],
    ]  # fmt: skip


def test_a_function_that_is_called_from_two_places_has_two_stacks():
    def left(x):
        return inner(x)

    def right(x):
        return inner(x)

    found = stacks(lambda x: left(x) * right(x), 1.0)[1:]
    assert [row[1] for row in found[:4]] == ["left", "left", "right", "right"]


def test_operations_of_math_and_numpy_belong_to_the_line_that_asked():
    import math

    import numpy as np

    def f(x):
        y = math.sin(x[0])
        return np.sum(np.exp(x)) * y

    assert set(lines(f, np.ones(2))[1:]) == {1, 2}


def test_frames_are_let_go_when_the_recording_ends():
    import gc
    import weakref

    class Held:
        pass

    seen = []

    def f(x):
        held = Held()
        seen.append(weakref.ref(held))
        return x * x

    tape = tapead.record(f, 1.0, stacks=True)
    gc.collect()
    assert seen[0]() is None
    assert len(tape) == 2


@pytest.mark.parametrize("count", [10, 3000])
def test_many_inputs_have_one_place(count):
    tape = tapead.record(lambda xs: sum(xs[1:], xs[0]), [1.0] * count)
    assert len(set(tape._tape.sources_of(0, count).tolist())) == 1
