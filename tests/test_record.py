"""record: rows, sweeps over all rows, the listing."""

import math
import re

import numpy as np
import pytest

import tapead
from tapead.elementary import OPS


def f(x, w):
    y = w[0] * x + 2.0
    return math.sin(y) / w[1]


ARGS = (0.5, [1.5, 3.0])


def test_rows_have_operation_operands_value_partials_and_place():
    tape = tapead.record(f, *ARGS)
    assert tape.inputs == {"x": 0, "w[0]": 1, "w[1]": 2}
    assert tape.operations == ["input"] * 3 + ["mul", "add", "sin", "div"]
    row = tape.row(4)
    assert row[:5] == (4, "add", (3, 2.0), 2.75, (1.0, 1.0))
    file, line, function = row.place
    assert file == __file__
    assert function == "f"
    assert line == f.__code__.co_firstlineno + 1
    assert tape.row(-1).operands == (5, 2)
    assert tape.value == f(*ARGS)
    assert tape.outputs == (6,)


def test_adjoints_and_tangents_agree_for_every_pair_of_input_and_row():
    tape = tapead.record(f, *ARGS)
    y = 1.5 * 0.5 + 2.0
    assert tape.adjoints() == pytest.approx(
        [
            1.5 * math.cos(y) / 3.0, 0.5 * math.cos(y) / 3.0, -math.sin(y) / 9.0,
            math.cos(y) / 3.0, math.cos(y) / 3.0, 1.0 / 3.0, 1.0,
        ],
        rel=1e-15,
    )  # fmt: skip
    for k, name in enumerate(tape.inputs):
        tangents = tape.tangents(wrt=name)
        assert np.array_equal(tangents, tape.tangents(wrt=k))
        assert tangents[-1] == pytest.approx(tape.adjoints()[k], rel=1e-15)


def test_a_result_of_several_numbers_has_an_adjoint_sweep_each():
    tape = tapead.record(lambda x, y: {"sum": x + y, "rest": [x * y, 7.0]}, 2.0, 3.0)
    by_name = dict(zip(["rest0", "rest1", "sum"], range(3), strict=True))
    assert tape.adjoints(by_name["rest0"])[:2].tolist() == [3.0, 2.0]
    assert tape.adjoints(by_name["rest1"]).tolist() == [0.0] * 4
    assert tape.adjoints(by_name["sum"])[:2].tolist() == [1.0, 1.0]
    assert tape.value == {"sum": 5.0, "rest": [6.0, 7.0]}


def test_reverse_skips_rows_with_zero_adjoint():
    tape = tapead.record(lambda x: [math.exp(x), x * x], 1.0)
    tape.adjoints(1)
    assert tape.visited == (2, 2)  # the square, its two operands; exp is not looked at


def test_bytes_are_17_a_row_8_a_constant_and_4_a_source_line():
    assert tapead.record(f, *ARGS, lines=False).nbytes == 7 * 17 + 8
    assert tapead.record(f, *ARGS).nbytes == 7 * 21 + 8


def test_the_same_constant_is_stored_once():
    def g(x):
        for _ in range(100):
            x = 2.0 * x + 1.0
            x = x * -0.0 + x * 0.0
        return x

    tape = tapead.record(g, 1.0, lines=False)
    assert tape.nbytes == len(tape) * 17 + 4 * 8


def test_listing_shows_every_column():
    lines = str(tapead.record(f, *ARGS)).splitlines()
    assert lines[0].split() == [
        "row", "operation", "operands", "value", "partials", "adjoint", "source"
    ]  # fmt: skip
    assert len(lines) == 8
    add = lines[5]
    assert re.search(r"r4 +add +r3, 2 +2\.75 +1, 1 +-0\.3081", add)
    assert add.endswith("y = w[0] * x + 2.0")
    assert f"test_record.py:{f.__code__.co_firstlineno + 1}" in add


def test_listing_of_a_long_tape_shows_its_ends():
    tape = tapead.record(lambda x: sum(x * k for k in range(500)), 1.0, lines=False)
    text = tape.listing(first=3, last=2)
    assert len(text.splitlines()) == 7
    assert f"... {len(tape) - 5:,} rows" in text
    assert "source" not in text


def test_counts_flags_and_names_beside_numbers_are_no_inputs():
    def program(x, n, name, flag, w):
        for _ in range(n):
            x = x * x
        return x * w[0] if name == "a" and flag is True else -x

    tape = tapead.record(program, 1.5, 2, "a", True, [2.0, 3.0])
    assert tape.inputs == {"x": 0, "w[0]": 1, "w[1]": 2}
    whole = tapead.record(lambda a, b: a * b, 3, 4)
    assert whole.inputs == {"a": 0, "b": 1}


def test_argnums_chooses_the_inputs():
    tape = tapead.record(lambda x, n: x * range(n)[-1], 2.0, 5, argnums=0)
    assert tape.inputs == {"x": 0}
    assert tape.value == 8.0
    with pytest.raises(ValueError, match="argument 2"):
        tapead.record(f, *ARGS, argnums=2)


def test_keyword_arguments_pass_through():
    assert tapead.record(lambda x, *, k: x * k, 2.0, k=4.0).value == 8.0


def test_constant_results_and_unknown_names():
    tape = tapead.record(lambda x: 5.0, 1.0)
    assert tape.outputs == (None,)
    assert tape.adjoints().tolist() == [0.0]
    assert "input x" in str(tape)
    with pytest.raises(KeyError, match="no input is called 'z'"):
        tape.tangents(wrt="z")
    with pytest.raises(IndexError, match="input 3 of a tape with 1"):
        tape.tangents(wrt=3)
    with pytest.raises(IndexError, match="output 1"):
        tape.adjoints(1)
    with pytest.raises(IndexError, match="row 1 of a tape of 1"):
        tape.row(1)


def test_a_tape_outlives_later_recordings():
    tape = tapead.record(f, *ARGS)
    before = tape.adjoints()
    tapead.grad(f)(1.0, [2.0, 4.0])
    assert np.array_equal(tape.adjoints(), before)


def test_record_inside_a_recording_is_refused():
    with pytest.raises(RuntimeError, match="inside a recording"):
        tapead.grad(lambda x: tapead.record(lambda y: y, 1.0).value * x)(2.0)
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0


def test_nested_gradients_are_on_the_tape():
    tape = tapead.record(lambda x: tapead.grad(lambda y: y**3)(x), 2.0)
    assert tape.value == 12.0
    assert tape.adjoints()[0] == 12.0


def test_every_operation_code_fits_its_byte():
    assert len(OPS) <= 256


def test_rows_across_chunks_keep_their_places_and_adjoints():
    def long(x, n):
        total = 0.0
        for k in range(n):
            total = total + x * k
        return total

    n = 100_000  # 200,001 rows: four chunks
    tape = tapead.record(long, 0.5, n, argnums=0)
    assert len(tape) == 2 * n + 1
    assert tape.adjoints()[0] == n * (n - 1) / 2
    assert tape.tangents()[-1] == n * (n - 1) / 2
    assert {tape.row(r).place[1] for r in (1, 70_001, 199_999)} == {
        long.__code__.co_firstlineno + 3
    }


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda tape: tape.adjoints("x"), "output='x': a whole number was expected"),
        (lambda tape: tape.gradient("x", output=0.0), "output=0.0: a whole number"),
        (lambda tape: tape.gradient(1.5), "wrt=1.5: a whole number or the name of an input"),
        (lambda tape: tape.tangents(None), "wrt=None: a whole number or the name of an input"),
        (lambda tape: tape.row("y"), "number='y': a whole number"),
        (lambda tape: tape.row(True), "number=True: a whole number"),
        (lambda tape: tape.listing(first=2.5), "first=2.5: a whole number"),
        (lambda tape: tape.to_python(name=3), "name=3: the name of a function, a str"),
        (lambda tape: tape.to_python(most="many"), "most='many': a whole number"),
        (lambda tape: tape.draw(most=None), "most=None: a whole number"),
        (lambda tape: tape.draw(sweep="reverse", output="y"), "output='y': a whole number"),
        (lambda tape: tape.paths(output="y"), "output='y': a whole number"),
        (lambda tape: tape.paths().each(most=1.5), "most=1.5: a whole number"),
        (lambda tape: tape.flow(output="y"), "output='y': a whole number"),
        (lambda tape: tape.flow(by="step", steps=True), "steps=True"),
        (lambda tape: tape.flow().table(most="all"), "most='all': a whole number or None"),
        (lambda tape: tapead.record(3.0, 1.0), "record() was given 3.0 of type float"),
        (lambda tape: tapead.record(f, *ARGS, argnums="x"), "argnums='x': a whole number or a"),
        (lambda tape: tapead.record(f, *ARGS, argnums=(0, 1.0)), "argnums=1.0: a whole number"),
    ],
)
def test_arguments_of_another_type_are_refused_by_name(call, words):
    with pytest.raises(TypeError) as caught:
        call(tapead.record(f, *ARGS))
    assert words in str(caught.value)
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0


def test_the_listing_names_operations_on_arrays_with_their_shapes():
    def program(v, x):
        u = np.zeros((2, 2))
        u[0, 1] = x
        return np.sum(np.concatenate([v, v]) * np.sin(u[0, 1])) + np.sum(u)

    text = tapead.record(program, np.ones(2), 1.0, lines=False).listing()
    rows = [re.split(r"  +", line) for line in text.splitlines()]
    assert rows[0][1:2] + rows[0][-2:] == ["operation", "partials", "adjoint"]
    named = {row[1]: row[2:] for row in rows[1:]}
    assert named["array v"] == ["(2,)"]
    assert named["array concatenate"] == ["(4,)"]
    assert named["store"] == ["1"]
    assert named["array sin"] == ["0.841471", "4"]
    assert "nan" not in text
