"""branches: sides and margins; ties; counts; forms; bad input."""

import json
import math

import numpy as np
import pytest

import tapead
from tapead.inspect.branches import Move, branches

ROWS = np.array([[0.3, -1.2, 2.5], [0.9, 0.8, -0.4]])
ROW = np.array([0.3, -1.2, 2.5, 0.9])


@pytest.mark.parametrize(
    ("f", "margin"),
    [
        (lambda a, x: np.max(a * x), lambda a, x: a[0, 2] * x - a[1, 0] * x),
        (
            lambda a, x: math.sin(x) * 3.0 < a[0, 1] * x,
            lambda a, x: math.sin(x) * 3.0 - a[0, 1] * x,
        ),
        (lambda a, x: math.floor(x**3), lambda a, x: x**3 - 0.0),
        (lambda a, x: np.sum(a[1]) // x, lambda a, x: np.sum(a[1]) - 2.0 * x),
    ],
)
def test_the_gradient_of_a_margin_is_that_of_its_sides(f, margin):
    args = (ROWS, 0.7)
    (decision,) = branches(f, *args)
    by_a, by_x = tapead.grad(margin, argnums=(0, 1))(*args)
    assert decision.margin == pytest.approx(margin(*args), rel=1e-12)
    np.testing.assert_allclose(decision.gradient.get("a", np.zeros(ROWS.shape)), by_a, rtol=1e-12)
    assert decision.gradient["x"] == pytest.approx(by_x, rel=1e-12)


def test_an_array_moves_by_the_least_norm():
    f = lambda a: np.sum(a * ROW) > 9.0  # noqa: E731
    (decision,) = branches(f, ROW)
    move = decision.moves["a"]
    assert decision.margin == pytest.approx(ROW @ ROW - 9.0)
    assert move.norm == pytest.approx(abs(decision.margin) / np.linalg.norm(ROW))
    assert move.index == (2,)
    assert move.by == pytest.approx((9.0 - ROW @ ROW) / 2.5)
    step = ROW / np.linalg.norm(ROW) * move.norm
    assert not f(ROW + 0.999999 * step)
    assert f(ROW + 1.000001 * step)


def test_values_count_as_they_were_when_it_was_decided():
    def f(x):
        a = np.zeros(3)
        a[1] = x * x
        first = a[1] > 2.0
        b = a > 1.5
        a[1] = 5.0 * x
        a[:] = a * 3.0
        return a[1] + first + np.sum(b)

    report = branches(f, 1.5)
    numbers, arrays = (d for d in report if d.operation == ">" and d.left == 2.25)
    assert {numbers.margin, arrays.margin} == {0.25, 0.75}
    assert numbers.gradient == arrays.gradient == {"x": 3.0}


# ------------------------------------------------------------------------- ties and counts ---


@pytest.mark.parametrize(
    ("f", "args", "operation", "convention"),
    [
        (lambda x: abs(x - 1.0), (1.0,), "abs", "0 at 0"),
        (lambda x: x if x > 1.0 else 2.0, (1.0,), ">", "branch"),
        (lambda x: min(x, 1.0), (1.0,), ">", "branch"),
        (lambda x: math.floor(x), (2.0,), "floor", "is 0"),
        (lambda a: np.sum(np.maximum(a, 0.3)), (ROW,), "maximum [0]", "half"),
        (lambda a: np.max(a * a), (np.array([2.0, 1.0, -2.0]),), "max", "equal parts"),
        (lambda a: np.sum(np.clip(a, 0.3, 9.0)), (ROW,), "clip [0]", "passed on"),
        (lambda a: np.sort(a)[0], (np.array([1.0, 1.0]),), "sort [0]", "moved"),
        (lambda z: np.sum(np.abs(z)), (np.array([0j, 1j]),), "abs [0]", "0 at 0"),
        (lambda x, y: math.hypot(x, y), (0.0, 0.0), "hypot", "origin"),
        (lambda a: np.sum(np.hypot(a, 0.0)), (np.array([1.0, 0.0]),), "hypot [1]", "origin"),
        (lambda a: np.linalg.norm(a), (np.zeros(2),), "norm", "origin"),
        (lambda a: np.sum(np.linalg.norm(a, axis=1)), (np.diag([1.0, 0.0]),), "norm [1]", "origin"),
        (lambda a: np.linalg.norm(a, np.inf), (np.array([2.0, 1.0, -2.0]),), "norm", "0 at"),
        (lambda a: np.linalg.norm(a, 1), (np.array([2.0, 0.0, -2.0]),), "norm [1]", "origin"),
        (lambda a: np.isin(a, [0.9, 7.0]), (ROW,), "isin [3]", "branch"),
    ],
)
def test_ties_are_flagged_with_their_convention(f, args, operation, convention):
    report = branches(f, *args)
    (tie,) = report.ties
    assert tie.tie
    assert tie.ties == 1
    assert operation.startswith(tie.operation)
    assert convention in tie.convention
    assert {move.norm for move in tie.moves.values()} <= {0.0}
    assert "0 tie" in str(report)
    assert f"{operation.partition(' ')[0]}: {tie.convention}" in str(report).replace(
        f", 1 of {tie.times} times", ""
    )


@pytest.mark.parametrize(
    "f", [lambda a: math.hypot(*a), lambda a: np.hypot(*a), lambda a: np.linalg.norm(a)]
)
def test_the_length_of_what_is_not_0_decides_nothing(f):
    assert len(branches(f, np.array([3.0, 4.0]))) == 0


def test_truncation_has_no_step_at_0():
    (decision,) = branches(lambda x: int(x), 0.0)
    assert (decision.tie, abs(decision.margin)) == (False, 1.0)


def knocked_out(spot, barrier, steps=100):
    paid = 0.0
    for k in range(steps):
        spot = spot * (1.0 + 0.02 * math.sin(k))
        if spot < barrier:
            paid += spot
    return paid


def test_a_line_that_decides_often_is_one_entry_the_closest():
    report = branches(knocked_out, 100.0, 103.0, argnums=(0, 1))
    (entry,) = report
    spots = 100.0 * np.cumprod([1.0 + 0.02 * math.sin(k) for k in range(100)])
    assert (entry.times, entry.held) == (100, int(np.sum(spots < 103.0)))
    k = int(np.argmin(np.abs(spots - 103.0)))
    assert entry.margin == pytest.approx(spots[k] - 103.0, rel=1e-9)
    assert entry.moves["spot"].by == pytest.approx(-(spots[k] - 103.0) / (spots[k] / 100.0))
    assert entry.moves["barrier"].by == pytest.approx(spots[k] - 103.0)
    assert (entry.function, entry.source) == ("knocked_out", "if spot < barrier:")
    assert entry.line == knocked_out.__code__.co_firstlineno + 4
    near = report.closest(5)
    np.testing.assert_allclose(
        [d.margin for d in near], sorted(spots - 103.0, key=abs)[:5], rtol=1e-9
    )
    assert [(d.times, d.held) for d in near] == [(1, int(d.margin < 0.0)) for d in near]
    assert len(report.closest(1000)) == 100


def test_what_one_line_compares_with_different_constants_is_told_apart():
    def knocked(x):
        return 0.0 if max([x, 1.5 * x, 1.25 * x]) > 5.0 else x

    report = branches(knocked, 2.0)
    assert [(d.left, d.right, d.times, d.held) for d in report] == [
        (2.5, 3.0, 2, 1), (3.0, 5.0, 1, 0),
    ]  # fmt: skip
    assert report[1].moves["x"].by == pytest.approx(2.0 / 1.5)


def test_many_constants_of_one_line_are_one_entry():
    report = branches(lambda x: sum([x > k for k in range(10)]), 2.25)
    assert [(d.left, d.right, d.times, d.held) for d in report] == [(2.25, 2.0, 10, 3)]


def test_elements_of_arrays_are_counted():
    report = branches(lambda a: np.sum(a[a > 0.5]) + np.sum(np.maximum(a, 0.0)), ROWS)
    assert [(d.operation, d.times, d.held) for d in report] == [(">", 6, 3), ("maximum", 6, None)]
    assert report.decided == 12


def test_the_closest_lines_are_kept():
    def f(x):
        return (x > 1.0) + (x > 1.5)\
            + (x > 7.0)\
            + abs(x - 2.25)  # fmt: skip

    report = branches(f, 2.0, most=2)
    assert [d.margin for d in report] == [-0.25, 0.5]
    assert report.left_out == 2
    assert "2 places with larger margins left out" in str(report)
    assert len(branches(f, 2.0, most=None)) == 4
    assert repr(report) == "<BranchReport of " + report.function + (
        ": 4 decisions at 4 places, 0 ties>"
    )


def test_what_is_decided_by_plain_values_alone_is_no_decision():
    report = branches(lambda x, n: x * n if n > 2 else x, 1.0, 3, argnums=0)
    assert (report.decided, len(report), report.value) == (0, 0, 3.0)
    assert str(report).endswith(": 0 decisions on tracked values")


def test_no_move_is_given_where_the_margin_does_not_depend_on_an_input():
    (decision,) = branches(lambda x, y: tapead.stop_gradient(x) > 1.0, 2.0, 3.0)
    assert decision.moves == {}
    assert "no input, to first order" in str(branches(lambda x: tapead.stop_gradient(x) > 1.0, 2.0))


def test_the_margin_of_complex_numbers_that_are_compared_is_their_distance():
    z = np.array([3.0 + 1.0j, 1.5 - 2.0j])
    (decision,) = branches(lambda z: z == 1.5 + 0j, z)
    assert (decision.index, decision.right) == ((0,), 0.0)
    assert decision.left == decision.margin == pytest.approx(abs(1.5 + 1.0j))
    assert z[0] + decision.moves["z"].by == pytest.approx(1.5)


def test_the_order_of_complex_numbers_has_no_margin():
    (decision,) = branches(lambda z: np.less(z, 1.0 + 0j), np.array([1.0 + 1.0j, 2.0]))
    assert math.isnan(decision.margin)
    assert decision.moves == {}
    assert not decision.tie


def test_a_real_margin_moves_a_complex_input():
    f = lambda z: np.abs(z[0]) > 6.0  # noqa: E731
    z = np.array([3.0 + 4.0j])
    (decision,) = [d for d in branches(f, z) if d.operation == ">"]
    move = decision.moves["z"]
    assert move.norm == pytest.approx(1.0)
    assert z[0] + move.by == pytest.approx(6.0 * (0.6 + 0.8j))


def test_inputs_of_trees_have_their_names():
    report = branches(lambda w, c: w["a"] * c[1] > 3.0, {"a": 2.0}, [1.0, 1.0])
    assert report[0].moves == {"w['a']": Move(1.0, (), 1.0), "c[1]": Move(0.5, (), 0.5)}


# -------------------------------------------------------------------------------- forms ---


def test_json_says_what_the_entries_say():
    report = branches(knocked_out, 100.0, 103.0, argnums=(0, 1))
    figures = json.loads(report.to_json())
    assert figures["decided"] == 100
    (entry,) = figures["decisions"]
    assert entry["margin"] == report[0].margin
    assert entry["moves"]["barrier"]["by"] == report[0].moves["barrier"].by
    assert entry["result"] is report[0].result


def test_what_is_not_finite_is_a_string_in_json():
    report = branches(lambda x: x < math.inf, 1.0)
    assert report.to_dict()["decisions"][0]["margin"] == "-inf"


def test_tables_show_the_sides_and_the_moves():
    report = branches(lambda spot, floor: spot > floor, 4.0, 3.0)
    (line,) = [line for line in str(report).splitlines() if line.startswith("test_inspect")]
    assert line.split()[1:11] == ["lambda" for _ in ()] + [
        ">", "1", "1", "4", "3", "1", "spot", "-1,", "floor", "+1",
    ]  # fmt: skip
    markup = report._repr_html_()
    assert "<td" in markup
    assert "spot -1, floor +1" in markup
    assert "&gt;" in markup


# ------------------------------------------------------------------------------ bad input ---


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: branches(3.0, 1.0), TypeError, "3.0 of type float, which cannot be called"),
        (lambda: branches(abs), ValueError, "no argument to be differentiated"),
        (lambda: branches(abs, 1.0, argnums=()), ValueError, "no argument"),
        (lambda: branches(abs, 1.0, argnums=1), ValueError, "argument 1, but 1 were given"),
        (lambda: branches(len, []), ValueError, "holds a number"),
        (lambda: branches(abs, "one"), TypeError, "'one'"),
        (lambda: branches(abs, 1.0, most=-1), ValueError, "most=-1"),
        (lambda: branches(abs, 1.0).closest(-1), ValueError, "n=-1"),
        (lambda: branches(abs, 1.0, most="3"), TypeError, "most='3': a whole number"),
        (lambda: branches(abs, 1.0, argnums="x"), TypeError, "argnums='x'"),
        (lambda: tapead.grad(lambda x: branches(abs, x) and x)(1.0), RuntimeError, "branches()"),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


def test_arguments_by_names_of_records_own_reach_the_function():
    report = branches(lambda x, lines: x > lines, 1.0, lines=0.5)
    assert (report[0].margin, list(report[0].moves)) == (0.5, ["x"])
