"""Paths between rows: their number, their edges, and their sum against the sweeps."""

import math
import random

import numpy as np
import pytest

import tapead


def layers(x, weights):
    for a, b, c in weights:
        x = a * x + b * x + c * x
    return x


def record_layers(weights):
    return tapead.record(layers, 1.0, weights, argnums=0)


WEIGHTS = [(1.0, 2.0, 3.0), (4.0, 5.0, 6.0)]


def test_two_layers_have_nine_paths_whose_sum_is_the_derivative():
    tape = record_layers(WEIGHTS)
    found = tape.paths("x")
    assert (found.count, found.total) == (9, 90.0)
    assert sorted(path.product for path in found.each()) == sorted(
        p * q for p in WEIGHTS[0] for q in WEIGHTS[1]
    )
    assert tape.paths("x", 5).count == tape.paths(5).count == 3
    assert (tape.paths("x", 5).total, tape.paths(5).total) == (6.0, 15.0)
    assert tape.adjoints()[0] == 90.0


@pytest.mark.parametrize("depth", [1, 10, 200])
def test_paths_multiply_where_edges_add_up(depth):
    tape = record_layers([(0.5, 0.25, 0.5)] * depth)
    found = tape.paths()
    assert found.count == 3**depth
    assert found.edges == 7 * depth == tape.edges
    tape.adjoints()
    assert found.edges == found.visited == tape.visited.edges
    assert found.total == tape.adjoints()[0] == pytest.approx(1.25**depth, rel=1e-12)


def test_numbers_of_paths_are_exact():
    def double(x, n):
        for _ in range(n):
            x = x + x
        return x

    found = tapead.record(double, 2.0**-20, 20_000, argnums=0).paths()
    assert found.count == 2**20_000
    assert "about 10^6020 paths, 40,000 edges" in repr(found)
    assert found.total == math.inf


def random_function(seed):
    """A function of two numbers with random operations, and the way to each other's results."""

    def f(x, w):
        draw = random.Random(seed)
        made = [x, w]
        for _ in range(draw.randint(3, 14)):
            a, b = draw.choice(made[-5:]), draw.choice(made)
            made.append(
                draw.choice(
                    [
                        lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - 0.37 * b,
                        lambda a, b: math.sin(a), lambda a, b: a / (1.0 + b * b),
                        lambda a, b: math.hypot(a, b),
                    ]
                )(a, b)
            )  # fmt: skip
        return made[-1] + made[-2] * x

    return f


@pytest.mark.parametrize("seed", range(30))
def test_the_sum_over_paths_is_what_a_sweep_gives(seed):
    tape = tapead.record(random_function(seed), 0.7, -1.3)
    adjoints = tape.adjoints()
    for k in range(len(tape)):
        found = tape.paths(k)
        every = list(found.each(most=100_000))
        assert len(every) == found.count
        total = math.fsum(path.product for path in every)
        assert total == pytest.approx(adjoints[k], rel=1e-9, abs=1e-12)
        assert found.total == pytest.approx(adjoints[k], rel=1e-9, abs=1e-12)
        passed = {step for path in every for step in zip(path.rows, path.rows[1:], strict=False)}
        assert found.edges == sum((e.source, e.target) in passed for e in tape.draw().edges)
    for name in tape.inputs:
        tangents = tape.tangents(name)
        for k in range(len(tape)):
            assert tape.paths(name, k).total == tangents[k]


@pytest.mark.parametrize("seed", range(30))
def test_a_sweep_visits_the_edges_of_all_paths(seed):
    tape = tapead.record(lambda x: random_function(seed)(x, 0.5), 0.7)
    assert all(edge.partial != 0.0 for edge in tape.draw().edges)
    found = tape.paths()
    tape.adjoints()
    assert found.visited == tape.visited.edges
    assert found.edges == found.visited  # of one input, and no partial is 0


def test_of_several_inputs_a_sweep_visits_the_edges_of_all():
    tape = tapead.record(lambda x, w: math.sin(x) * w, 1.0, 2.0)
    found = tape.paths("x")
    assert (found.count, found.edges, found.visited) == (1, 2, 3)


def test_paths_over_a_partial_of_zero_add_nothing():
    tape = tapead.record(lambda x: math.sqrt(0.0 * x) + 2.0 * x, 1.0)
    found = tape.paths()
    assert (found.count, found.total) == (2, 2.0)
    assert sorted(path.product for path in found.each()) == [0.0, 2.0]
    assert tape.adjoints()[0] == 2.0


def test_paths_lead_through_the_elements_of_arrays():
    def f(x):
        u = np.zeros(4)
        u[0] = x
        for k in range(1, 4):
            u[k] = u[k - 1] * u[k - 1]
        return u[3]

    tape = tapead.record(f, 1.5)
    found = tape.paths("x")
    assert found.count == 2**3
    assert found.total == pytest.approx(8.0 * 1.5**7) == tapead.grad(f)(1.5)
    assert tape.adjoints()[0] == found.total


def test_a_row_has_one_path_to_itself_and_none_to_those_before():
    tape = record_layers(WEIGHTS)
    assert list(tape.paths(3, 3).each()) == [((3,), (), 1.0)]
    assert (tape.paths(3, 3).count, tape.paths(3, 3).total) == (1, 1.0)
    assert (tape.paths(4, 3).count, tape.paths(4, 3).total, tape.paths(4, 3).edges) == (0, 0.0, 0)
    assert list(tape.paths(4, 3).each()) == []


def test_rows_are_given_by_number_name_or_as_rows():
    tape = record_layers(WEIGHTS)
    last = len(tape) - 1
    for x in (0, -len(tape), "x", tape.row(0), np.int64(0)):
        for y in (None, last, -1, tape.row(-1)):
            found = tape.paths(x, y)
            assert (found.source, found.target, found.count) == (0, last, 9)


def test_paths_lead_to_the_output_that_is_asked_for():
    tape = tapead.record(lambda x: [x * x, x + x + x, 7.0], 2.0)
    assert [tape.paths(output=k).count for k in (0, 1)] == [2, 3]
    with pytest.raises(ValueError, match="output 2 is a constant"):
        tape.paths(output=2)


# ----------------------------------------------------------------------------- bad input ---


def test_too_many_paths_are_not_listed():
    found = record_layers([(0.5, 0.25, 0.5)] * 100).paths()
    with pytest.raises(ValueError, match=r"about 10\^47 paths.*at most 10,000.*total"):
        found.each()
    with pytest.raises(ValueError, match=r"9 paths, and each.. gives at most 8"):
        record_layers(WEIGHTS).paths().each(most=8)
    assert len(list(record_layers(WEIGHTS).paths().each(most=9))) == 9


def test_a_row_of_another_tape_is_refused():
    tape, other = record_layers(WEIGHTS), tapead.record(lambda x: math.sin(x) + 1.0, 1.0)
    with pytest.raises(ValueError, match=r"row 1 \(sin\) is a row of another tape.*tape.row"):
        tape.paths(other.row(1))
    with pytest.raises(ValueError, match=r"row 10 .add. is a row of another tape"):
        other.paths("x", tape.row(-1))
    nan = tapead.record(lambda x: x + 1.0, math.nan)
    assert nan.paths(nan.row(0), nan.row(1)).count == 1


@pytest.mark.parametrize("row", [11, -12])
def test_a_row_out_of_range_is_refused(row):
    tape = record_layers(WEIGHTS)
    with pytest.raises(IndexError, match=f"row {row} of a tape of 11 rows"):
        tape.paths(row)
    with pytest.raises(IndexError, match=f"row {row} of a tape of 11 rows"):
        tape.paths(0, row)


def test_a_name_or_an_output_that_is_not_there_is_refused():
    tape = record_layers(WEIGHTS)
    with pytest.raises(KeyError, match="no input is called 'z'; there are x"):
        tape.paths("z")
    with pytest.raises(IndexError, match="output 1 of a result of 1 numbers"):
        tape.paths(output=1)


@pytest.mark.parametrize("node", [1.0, True, (1,), [0]])
def test_what_is_no_node_is_refused(node):
    with pytest.raises(TypeError, match=f"number of a row.*got a {type(node).__name__}"):
        record_layers(WEIGHTS).paths(node)


def test_an_empty_tape_is_refused():
    with pytest.raises(ValueError, match=r"the tape is empty.*tapead.record\(f, 1.0\)"):
        tapead.record(lambda: 1.0).paths()


def test_operations_on_arrays_between_are_refused():
    def f(x, y):
        return np.sum(np.array([x, y]) * 2.0) * x

    tape = tapead.record(f, 1.0, 2.0)
    with pytest.raises(
        TypeError, match=r"an operation on arrays, row \d+, lies between rows 0 and"
    ):
        tape.paths("x")
    rows = len(tape)
    assert tape.paths(rows - 2).total == 1.0  # from the sum on there are none
    with pytest.raises(TypeError, match="output 0 is an array"):
        tapead.record(lambda x: 2.0 * x, np.ones(3)).paths()
