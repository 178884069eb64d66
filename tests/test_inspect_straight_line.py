"""to_python: the text runs, and gives the tape's numbers and those of its sweep to the last bit."""

import math
import random
import re
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapead
from tapead import partials, scalar
from tapead.elementary import CODES, OPS

# Operations on numbers, with operands that are constants by definition.
CONSTANT_B = ("powc", "round", "ldexp")
CONSTANT_A = ("polygamma",)
NO_FORMULA = ("input", "exact_add", "array", "element", "store")
OPERATIONS = [op for op in OPS if op.name not in NO_FORMULA]
NUMBERS = (-0.75, -0.0, 0.0, 0.3, 0.5, 1.0, 1.25, -3.0, 40.0, 1e200, math.inf, math.nan)


def functions(text, name="f"):
    names = {}
    exec(compile(text, name, "exec"), names)
    return names[name], names[f"{name}_grad"]


def assert_same(ours, theirs):
    """Equal to the last bit, signs of zeros and nans included."""
    np.testing.assert_array_equal(np.asarray(ours, float), np.asarray(theirs, float))
    numbers = ~np.isnan(np.asarray(theirs, float))
    assert np.array_equal(np.signbit(ours)[numbers], np.signbit(theirs)[numbers])


def assert_reproduces(f, *args):
    """The text of f's tape against the tape and the sweep."""
    tape = tapead.record(f, *args)
    value, gradient = functions(tape.to_python())
    inputs = list(tape.inputs.values())
    numbers = tape.values[inputs].tolist()
    assert_same(value(*numbers), tape.value)
    found, slopes = gradient(*numbers)
    assert_same(found, tape.value)
    assert_same(slopes, tape.adjoints()[inputs])
    return tape


# -------------------------------------------------------------------------- every operation ---


def written(op, x, y):
    """One row of an operation, as programs write it."""
    a, b = tapead.value(x), tapead.value(y)
    v = partials.value(CODES[op.name], a, b)
    if op.arity == 1:
        return scalar.write(CODES[op.name], x, v)
    return scalar.write2(CODES[op.name], x, y, v)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_every_operation_of_the_table_gives_the_same_bits(op):
    for a in NUMBERS:
        for b in (0.0, -0.0, 0.7, 2.0, -3.0, 400.0) if op.arity == 2 else (0.0,):
            if op.name in CONSTANT_B and not math.isfinite(b):
                continue

            def one(x, b=b):
                return 2.0 * written(op, x, b)

            if op.name not in CONSTANT_A:
                assert_reproduces(one, a)
            if op.arity == 2 and op.name not in CONSTANT_B:
                first = 1.0 if op.name in CONSTANT_A else a
                assert_reproduces(lambda y, first=first: 2.0 * written(op, first, y), b)
            if op.arity == 2 and op.name not in CONSTANT_A + CONSTANT_B:
                assert_reproduces(lambda x, y: 2.0 * written(op, x, y), a, b)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 25))
def test_random_programs_give_the_same_bits(draws: random.Random, length):
    inputs = [draws.choice(NUMBERS[:9]) for _ in range(3)]
    steps = [
        (draws.choice(OPERATIONS), draws.random(), draws.random(), draws.choice((0.3, -2.0, 2.0)))
        for _ in range(length)
    ]

    def f(*args):
        made = list(args)
        for op, first, second, constant in steps:
            x, y = (made[int(u * len(made))] for u in (first, second))
            if op.name in CONSTANT_A:
                x = 1.0
            elif op.name in CONSTANT_B or second < 0.3:
                y = constant
            made.append(written(op, x, y))
        return made[-1] + made[len(made) // 2]

    assert_reproduces(f, *inputs)


# ----------------------------------------------------------------------------- the programs ---


def branching(x, w):
    y = w[0] * x + 2.0
    if y > 0.0:
        return math.sin(y) / w[1]
    return y * y


def test_the_text_is_that_of_the_branch_that_ran_with_the_users_lines():
    tape = assert_reproduces(branching, 0.5, [1.5, 3.0])
    first = branching.__code__.co_firstlineno
    file = "test_inspect_straight_line.py"
    text = tape.to_python("model")
    assert text[text.index("def model(") : text.index("def model_grad")].rstrip() == (
        "def model(x, w_0, w_1):\n"
        '    """The value."""\n'
        f"    # {file}:{first + 1}  y = w[0] * x + 2.0\n"
        "    v3 = w_0 * x\n"
        "    v4 = v3 + 2.0\n"
        f"    # {file}:{first + 3}  return math.sin(y) / w[1]\n"
        "    v5 = math.sin(v4)\n"
        "    v6 = v5 / w_1\n"
        "    return v6"
    )
    assert "    adj_v4 = adj_v5 * math.cos(v4)\n" in text
    assert "    adj_w_1 = adj_v6 * (-v6 / w_1)\n" in text
    assert "#   w_1 = 3.0   w[1]\n" in text
    other = tapead.record(branching, -4.0, [1.5, 3.0]).to_python("model")
    assert "v5 = v4 * v4" in other
    assert "math.sin" not in other


def test_at_other_inputs_of_the_same_branch_it_gives_their_value_and_gradient():
    value, gradient = functions(tapead.record(branching, 0.5, [1.5, 3.0]).to_python())
    for x, w in ((0.1, [2.0, -1.0]), (2.5, [-0.3, 0.4])):
        assert value(x, *w) == branching(x, w)
        by_x, by_w = tapead.grad(branching, argnums=(0, 1))(x, w)
        assert gradient(x, *w) == (branching(x, w), (by_x, *by_w))


def test_python_s_own_operators_are_written_where_they_do():
    text = tapead.record(
        lambda x: abs(x) % 0.3 + x // 0.1 + round(x, 2) + math.hypot(x, 2.0) + x**-2.0, 0.75
    ).to_python()
    assert "tapead" not in text
    for piece in ("x // 0.1", "% 0.3", "round(x, 2)", "x ** (-2.0)", "-2.0 * x ** (-3.0)"):
        assert piece in text


class State(NamedTuple):
    x: float
    v1: float


def test_inputs_get_names_of_their_own_and_a_note_says_which_is_which():
    def f(p, adj_x, w, p_a_x):
        total = p["a"].x + 2.0 * p["a"].v1 + 3.0 * p["in"] + 5.0 * adj_x
        return total + 7.0 * w[0][1] + 11.0 * p_a_x

    args = {"a": State(1.0, 2.0), "in": 3.0}, 4.0, [(5.0, 6.0)], 7.0
    tape = assert_reproduces(f, *args)
    text = tape.to_python()
    notes = dict(re.findall(r"^#   (\w+) += \S+   (\S+)$", text, re.MULTILINE))
    assert notes == {
        "p_a_x": "p['a'].x", "p_a_v1": "p['a'].v1", "p_in": "p['in']", "x_adj_x": "adj_x",
        "w_0_0": "w[0][0]", "w_0_1": "w[0][1]", "p_a_x_2": "p_a_x",
    }  # fmt: skip
    _, gradient = functions(text)
    slopes = gradient(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)[1]
    assert slopes == (1.0, 2.0, 3.0, 5.0, 0.0, 7.0, 11.0)


@pytest.mark.parametrize("slot", ["_a_", "_b_", "_v_"])
def test_names_may_have_in_them_what_formulas_call_their_operands(slot):
    key = f"x{slot}y"
    tape = tapead.record(lambda p: p[key] / p["_a_"] - p["_b_"] * p["_v_"], dict.fromkeys(
        (key, "_a_", "_b_", "_v_"), 2.0))  # fmt: skip
    names: dict = {}
    exec(tape.to_python(), names)
    given = [tape.row(row).value for row in tape.inputs.values()]
    assert names["f"](*given) == tape.value
    assert names["f_grad"](*given)[1] == tuple(tape.adjoints()[:4])


@pytest.mark.parametrize("name", ["times", "math", "v3", "sign", "abs", "adj_v3"])
def test_names_that_the_text_uses_itself_are_not_taken(name):
    names = {}
    exec(f"def f({name}, y):\n    return {name}.__abs__() * y * {name}", names)
    assert_reproduces(names["f"], -2.0, 3.0)


def test_several_results_are_a_tuple_and_output_says_which_is_differentiated():
    tape = tapead.record(lambda x, y: [x * y, 7.0, x, {"k": x / y}, None], 3.0, 2.0)
    for output, expected in enumerate([(2.0, 3.0), (0.0, 0.0), (1.0, 0.0), (0.5, -0.75)]):
        value, gradient = functions(tape.to_python(output=output))
        assert value(3.0, 2.0) == (6.0, 7.0, 3.0, 1.5, None)
        assert gradient(3.0, 2.0) == (value(3.0, 2.0), expected)
    with pytest.raises(IndexError, match="output 5 of a result of 5"):
        tape.to_python(output=5)


@pytest.mark.parametrize("constant", [2.5, 3, math.inf, -math.inf, math.nan, -0.0])
def test_a_constant_result_has_derivative_0(constant):
    value, gradient = functions(tapead.record(lambda x: constant, 1.0).to_python())
    assert_same(value(1.0), constant)
    assert gradient(1.0)[1] == (0.0,)


def test_constants_that_are_not_finite_are_written():
    assert_reproduces(lambda x: x * math.inf + x * -math.inf + (x + math.nan), 2.0)


def test_what_the_program_did_not_use_stays_out_against_an_infinity():
    tape = assert_reproduces(lambda x, y: math.sqrt(x) * 0.0 + y, 0.0, 1.0)
    assert "times(" in tape.to_python()


def test_sums_that_are_rounded_once_are_one_call():
    terms = (1e16, 1.0, -1e16, 0.1, 3.0)
    text = assert_reproduces(lambda *x: math.fsum(x), *terms).to_python()
    assert "= math.fsum([arg0, arg1, arg2, arg3, arg4])" in text
    text = assert_reproduces(lambda x, y, z: math.hypot(x, y, z) * x, 0.1, 0.2, 0.3).to_python()
    assert "= math.hypot(x, y, z)" in text
    # Two constants first: what their sum lost is on no row.
    text = assert_reproduces(lambda x: math.fsum([1e16, 1.0, x]), 1.0).to_python()
    assert "rounded otherwise" in text


@pytest.mark.parametrize("name", ["sumprod", "fma"])
def test_products_that_are_summed_exactly_are_one_call(name):
    if not hasattr(math, name):
        pytest.skip(f"this Python has no math.{name}")
    f, args = {
        "sumprod": (lambda x, y: math.sumprod([x, y], [x, y]), (0.1, 0.2)),
        "fma": (lambda x, y: math.fma(x, y, -0.02), (0.1, 0.2)),
    }[name]
    assert f"= math.{name}(" in assert_reproduces(f, *args).to_python()


def test_many_inputs_and_long_results_are_broken_into_lines():
    many = [0.1 * k for k in range(60)]
    tape = assert_reproduces(lambda w: sum(x * x for x in w), many)
    assert max(map(len, tape.to_python().splitlines())) <= 100
    tape = tapead.record(lambda w: [x * x for x in w], many)
    value, gradient = functions(tape.to_python(output=3))
    assert list(value(*many)) == tape.value
    assert gradient(*many)[1][3] == 2.0 * many[3]


def test_a_gradient_inside_is_written_out_like_anything_else():
    assert_reproduces(lambda x: tapead.grad(lambda y: math.exp(y * x) * y)(x), 0.7)


def test_a_recording_without_lines_has_no_comments():
    text = tapead.record(branching, 0.5, [1.5, 3.0], lines=False).to_python()
    assert "    #" not in text


# --------------------------------------------------------------------------------- refusals ---


@pytest.mark.parametrize(
    ("f", "args", "words"),
    [
        (lambda x: np.sum(x), (np.ones(3),), "row 0 is input x, an array; .*lists of floats"),
        (
            lambda x: float(1.0) * np.sum(np.array([x, 2.0 * x])),
            (1.0,),
            r"row 2 is .*, an array operation at .*test_inspect_straight_line.py:\d+; to_python",
        ),
    ],
)
def test_arrays_are_refused_with_their_row_and_a_remedy(f, args, words):
    with pytest.raises(TypeError, match=words):
        tapead.record(f, *args).to_python()


def test_an_empty_tape_and_one_that_is_too_long_are_refused():
    with pytest.raises(ValueError, match=r"the tape is empty.*record\(f, 1\.0\)"):
        tapead.record(lambda: 3.0).to_python()
    tape = tapead.record(lambda x: sum(x for _ in range(11)), 1.0)
    with pytest.raises(ValueError, match=r"has 12 rows.* at most 10,.* ask for most=12"):
        tape.to_python(most=10)
    assert functions(tape.to_python(most=12))[0](2.0) == 22.0


@pytest.mark.parametrize("name", ["not a name", "class", "math", "sign", "1f"])
def test_a_function_s_name_has_to_be_one(name):
    with pytest.raises(ValueError, match="no name, or one that the text uses"):
        tapead.record(lambda x: x * x, 1.0).to_python(name)


def test_a_constant_result_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="output 1 is a constant of type complex"):
        tapead.record(lambda x: [x, 1j], 1.0).to_python()
