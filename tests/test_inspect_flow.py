"""flow: norms of adjoints and local Jacobians, against hand calculation and the sweeps."""

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tapead
from tapead.inspect.flow_norms import norms


def _helper(name):
    """A module beside this one, which is on no path."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


program_text = _helper("program_text")
RTOL = 1e-12


def line(f, offset):
    """A line of this file, counted from where a function begins."""
    return f"{Path(__file__).name}:{f.__code__.co_firstlineno + offset}"


# ----------------------------------------------------------------------------- steps, numbers ---


def power(x, w, n):
    for _ in range(n):
        x = w * x
    return x


@pytest.mark.parametrize("w", [0.5, 2.0, -1.0])
def test_adjoints_of_a_scalar_recurrence_are_powers(w):
    n = 30
    flow = tapead.record(power, 3.0, w, n, argnums=(0, 1)).flow(by="step")
    assert flow.what.startswith(f"repetitions in {line(power, 2)}")
    assert flow.adjoint.tolist() == [abs(w) ** (n - 1 - k) for k in range(n)]
    assert flow.growth[:-1].tolist() == [abs(w)] * (n - 1)
    assert math.isnan(flow.growth[-1])
    assert flow.value.tolist() == [3.0 * abs(w) ** (k + 1) for k in range(n)]
    # d (w x) by w and x.
    expected = [math.hypot(w, 3.0 * w**k) for k in range(n)]
    assert flow.jacobian == pytest.approx(expected, rel=RTOL)
    assert flow.count.tolist() == [1] * n
    assert flow[3] == flow.rows[3]
    assert flow[-1][:4] == (f"step {n - 1}", 1, 1.0, 1.0)


def pendulum(angle, speed, n, h=0.1):
    total = 0.0
    for _ in range(n):
        speed = speed - h * math.sin(angle)
        angle = angle + h * speed
        total = total + angle * angle
    return total


def test_each_part_of_the_state_has_its_norm_and_of_chooses_one():
    n = 20
    tape = tapead.record(pendulum, 1.0, 0.2, n, argnums=(0, 1))
    flow = tape.flow(by="step")
    assert flow.what == f"the loop at {line(pendulum, 2)}  for _ in range(n)"
    assert list(flow.states) == ["speed", "angle", "total"]

    def perturbed(speeds, angles):
        speed, angle, total = 0.2, 1.0, 0.0
        for k in range(n):
            speed = speed - 0.1 * math.sin(angle) + speeds[k]
            angle = angle + 0.1 * speed + angles[k]
            total = total + angle * angle
        return total

    speeds, angles = tapead.grad(perturbed, argnums=(0, 1))([0.0] * n, [0.0] * n)
    assert flow.states["speed"] == pytest.approx(np.abs(speeds), rel=RTOL)
    assert flow.states["angle"] == pytest.approx(np.abs(angles), rel=RTOL)
    assert flow.states["total"].tolist() == [1.0] * n
    assert flow.adjoint == pytest.approx(
        np.sqrt(np.square(speeds) + np.square(angles) + 1.0), rel=RTOL
    )
    only = tape.flow(by="step", of="angle")
    assert only.adjoint == pytest.approx(np.abs(angles), rel=RTOL)
    assert list(only.states) == ["angle"]
    with pytest.raises(ValueError, match=r"of='h' is no part .*; there are speed, angle, total"):
        tape.flow(by="step", of="h")


# ------------------------------------------------------------------------------ steps, arrays ---


def linear(w, h, n):
    for _ in range(n):
        h = w @ h
    return h[0]


def test_adjoints_of_a_linear_recurrence_of_arrays_are_products_with_the_transpose():
    rng = np.random.default_rng(0)
    n, w, h = 12, rng.normal(size=(3, 3)), rng.normal(size=3)
    flow = tapead.record(linear, w, h, n, argnums=(1,)).flow(by="step")
    g, expected = np.array([1.0, 0.0, 0.0]), []
    for _ in range(n):
        expected.append(g)
        g = w.T @ g
    expected = expected[::-1]
    size = [np.linalg.norm(g) for g in expected]
    assert flow.adjoint == pytest.approx(size, rel=RTOL)
    assert flow.largest == pytest.approx([np.abs(g).max() for g in expected], rel=RTOL)
    gains = [np.linalg.norm(w.T @ g) / np.linalg.norm(g) for g in expected]
    assert flow.jacobian == pytest.approx(gains, rel=RTOL)
    assert flow.growth[:-1] == pytest.approx(gains[1:], rel=RTOL)


def test_the_local_jacobian_counts_all_operands_that_have_a_derivative():
    w, h = np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([1.0, -1.0])
    flow = tapead.record(lambda w, h: np.sum(w @ h), w, h).flow(by="line")
    g = np.ones(2)
    # The sum hands its adjoint on to both elements; the product g h' to w, and w' g to h.
    product = math.hypot(np.linalg.norm(np.outer(g, h)), np.linalg.norm(w.T @ g))
    assert flow[1].jacobian == pytest.approx(max(math.sqrt(2.0), product / math.sqrt(2.0)))


def recurrent(w, h, x):
    loss = 0.0
    for k in range(len(x)):
        h = np.tanh(w @ h + x[k])
        loss = loss + np.sum(h * h)
    return loss


def test_adjoints_of_a_network_are_the_gradients_by_a_perturbation_of_every_step():
    rng = np.random.default_rng(1)
    w, h, x = 0.4 * rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(15, 4))
    tape = tapead.record(recurrent, w, h, x)
    flow = tape.flow(by="step")

    def perturbed(shifts):
        state, loss = h, 0.0
        for k in range(len(x)):
            state = np.tanh(w @ state + x[k]) + shifts[k]
            loss = loss + np.sum(state * state)
        return loss

    by_state = tapead.grad(perturbed)(np.zeros((15, 4)))
    assert flow.states["h"] == pytest.approx(np.linalg.norm(by_state, axis=1), rel=RTOL)
    assert flow.states["loss"].tolist() == [1.0] * 15
    inputs = tapead.grad(recurrent, argnums=(0, 1, 2))(w, h, x)
    by_line = tape.flow(by="line")
    assert by_line[0].name == "(inputs)"
    assert by_line[0].rows == 3
    assert by_line[0].adjoint == pytest.approx(
        math.sqrt(sum(np.sum(g * g) for g in inputs)), rel=RTOL
    )
    assert by_line[0].largest == pytest.approx(max(np.abs(g).max() for g in inputs), rel=RTOL)
    # The states' values are known: tanh keeps them for its derivative.
    sizes = []
    for k in range(len(x)):
        h = np.tanh(w @ h + x[k])
        sizes.append(np.linalg.norm(h))
    assert tape.flow(by="step", of="h").value == pytest.approx(sizes, rel=RTOL)


def in_place(u, n):
    u = u.copy()
    for _ in range(n):
        u[1:-1] = 0.5 * u[1:-1] + 0.2 * (u[2:] + u[:-2])
        u[0] = u[1] * 0.9
    return np.sum(u)


def test_writes_into_an_array_have_the_adjoint_of_what_they_wrote():
    u, n = np.arange(1.0, 6.0), 6
    flow = tapead.record(in_place, u, n, argnums=(0,)).flow(by="step")

    def perturbed(inner, first):
        v = u.copy()
        for k in range(n):
            v[1:-1] = 0.5 * v[1:-1] + 0.2 * (v[2:] + v[:-2]) + inner[k]
            v[0] = v[1] * 0.9 + first[k]
        return np.sum(v)

    inner, first = tapead.grad(perturbed, argnums=(0, 1))(np.zeros((n, 3)), np.zeros(n))
    assert flow.states["u[1:-1]"] == pytest.approx(np.linalg.norm(inner, axis=1), rel=RTOL)
    assert flow.states["u[0]"] == pytest.approx(np.abs(first), rel=RTOL)


@settings(
    phases=(Phase.generate,),
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=list(HealthCheck),
)
@given(text=program_text.programs(), seed=st.integers(0, 3))
def test_the_sweep_in_parts_gives_what_the_whole_one_gives(text, seed):
    rng = np.random.default_rng(seed)
    scope = {"np": np, "math": math, "C": rng.normal(size=4), "float": float}
    exec(text + "def loss(x, y, z):\n    return f(x, y, z)[0]\n", scope)
    args = 0.7 * rng.normal(size=6), 0.7 * rng.normal(size=(2, 3)), 0.4
    with np.errstate(all="ignore"):
        tape = tapead.record(scope["loss"], *args)
        found = norms(tape, 0).adjoint
        expected = np.abs(tape.adjoints())
    numbers = ~np.isnan(expected) & np.array([name != "array" for name in tape.operations])
    assert found[numbers] == pytest.approx(expected[numbers], rel=1e-9, nan_ok=True)
    for name, row in tape.inputs.items():
        gradient = np.linalg.norm(tape.gradient(name))
        assert found[row] == pytest.approx(gradient, rel=1e-9, nan_ok=True)


# ----------------------------------------------------------------------- functions and lines ---


def inner(x):
    return math.sin(x) * x


def outer(x, y):
    total = inner(x) + y
    return total * inner(total)


def test_functions_and_lines_have_the_norms_of_their_rows():
    tape = tapead.record(outer, 0.7, 2.0)
    adjoint, value = tape.adjoints(), tape.values
    places = [None if k < 2 else tape.row(k).place for k in range(len(tape))]
    for by, key in (("function", 2), ("line", 1)):
        flow = tape.flow(by=by)
        groups = list(dict.fromkeys(p and p[key] for p in places))
        assert len(flow) == len(groups)
        for row, group in zip(flow.rows, groups):
            here = np.array([(p and p[key]) == group for p in places])
            assert row.rows == here.sum()
            assert row.adjoint == pytest.approx(np.linalg.norm(adjoint[here]), rel=RTOL)
            assert row.largest == np.abs(adjoint[here]).max()
            assert row.value == pytest.approx(np.linalg.norm(value[here]), rel=RTOL)
            slopes = [tape.row(int(k)).partials for k in np.flatnonzero(here)]
            most = max((math.hypot(*s) for s in slopes if s), default=math.nan)
            assert row.jacobian == pytest.approx(most, rel=RTOL, nan_ok=True)
            assert math.isnan(row.growth)
    file = Path(__file__).name
    assert [r.name for r in tape.flow().rows] == ["(inputs)", f"inner ({file})", f"outer ({file})"]
    assert tape.flow(by="line")[1].name == f"{line(inner, 1)}  return math.sin(x) * x"


def test_output_chooses_the_result_and_a_constant_one_has_no_flow():
    tape = tapead.record(lambda x: [2.0 * x, 3.0 * x, 1.0], 5.0)
    assert [tape.flow(output=k)[0].adjoint for k in range(3)] == [2.0, 3.0, 0.0]
    assert {row.flag for row in tape.flow(output=2).rows} == {"zero"}
    array = tapead.record(lambda x: [x * x, np.sum(x * x)], np.ones(3))
    assert array.flow(output=1)[0].adjoint == pytest.approx(math.sqrt(12.0))


# --------------------------------------------------------------------------------- the flags ---


def gated(x, n):
    for _ in range(n):
        x = x * 0.01
    return x


def test_tiny_zero_infinite_and_nan_adjoints_are_flagged():
    flags = [row.flag for row in tapead.record(gated, 1.0, 6, argnums=(0,)).flow(by="step").rows]
    assert flags == ["tiny"] * 2 + [""] * 4  # 1e-10, 1e-8, then 1e-6 and up
    dead = tapead.record(lambda x: power(x, 1.0, 5) * 0.0, 1.0).flow(by="step", steps=5)
    assert {row.flag for row in dead.rows} == {"zero"}
    assert "zero: steps 0 to 4" in str(dead)
    endless = tapead.record(lambda x: math.sqrt(power(x, 1.0, 5)), 0.0).flow(by="step", steps=5)
    assert {row.flag for row in endless.rows} == {"inf"}
    assert "inf: steps 0 to 4" in str(endless)
    lost = tapead.record(lambda x: power(x, 1.0, 5) * math.nan, 1.0).flow(by="step", steps=5)
    assert {row.flag for row in lost.rows} == {"nan"}


@pytest.mark.parametrize(("w", "word"), [(0.9, "it vanishes"), (1.2, "it explodes"), (1.001, None)])
def test_the_table_says_whether_the_adjoint_vanishes_or_explodes(w, word):
    text = str(tapead.record(power, 1.0, w, 200, argnums=(0, 1)).flow(by="step"))
    assert f"from 1 to {w**199:.4g}, by a factor of {w:.4g} a step" in text
    assert ("it vanishes" in text, "it explodes" in text) == (w == 0.9, w == 1.2)
    if word:
        assert word in text


def test_norms_do_not_overflow_on_the_way():
    def f(x, y):
        return 1e200 * x + 1e200 * y

    assert tapead.record(f, 1.0, 1.0).flow()[0].adjoint == pytest.approx(math.sqrt(2.0) * 1e200)
    arrays = tapead.record(lambda x: np.sum(1e200 * x), np.ones(4)).flow()
    assert arrays[0].adjoint == pytest.approx(2e200)


# ------------------------------------------------------------------------- table and pictures ---


def test_the_table_has_the_numbers_and_long_ones_are_folded():
    flow = tapead.record(power, 1.0, 0.5, 10_000, argnums=(0, 1)).flow(by="step")
    text = str(flow).splitlines()
    assert text[1].split() == [
        "step", "rows", "adjoint", "largest", "growth", "Jacobian", "value", "flag",
    ]  # fmt: skip
    rows = [words for words in map(str.split, text[2:]) if words[0].isdigit()]
    assert [int(words[0]) for words in rows] == [*range(0, 9001, 1000), 9999]
    assert rows[-1][2:4] == ["1", "1"]
    assert any("11 of 10,000" in words for words in text)
    assert len(flow.table(most=None).splitlines()) > 10_000
    assert len(flow.rows) == 10_000
    with pytest.raises(ValueError, match="most=1: a table shows at least two rows"):
        flow.table(most=1)


def test_of_many_lines_those_with_the_largest_adjoints_are_shown():
    scope = {}
    source = "".join(f"    x = x * {1.0 + 0.01 * k}\n" for k in range(30))
    exec(f"def f(x):\n{source}    return x\n", scope)
    flow = tapead.record(scope["f"], 1.0).flow(by="line")
    assert len(flow) == 31
    shown = flow.table(most=5).splitlines()
    assert sum(row.startswith("<string>:") for row in shown) == 4  # and the inputs
    assert shown[3].startswith("<string>:2 ")


def test_to_dict_is_plain_and_has_all_rows():
    flow = tapead.record(pendulum, 1.0, 0.2, 5, argnums=(0, 1)).flow(by="step")
    figures = json.loads(json.dumps(flow.to_dict()))
    assert figures["by"] == "step"
    assert [row["adjoint"] for row in figures["rows"]] == flow.adjoint.tolist()
    assert figures["states"]["angle"] == flow.states["angle"].tolist()


def test_notebooks_get_a_table():
    html = tapead.record(outer, 0.7, 2.0).flow(by="line")._repr_html_()
    assert "return math.sin(x) * x</td>" in html
    assert html.count("<tr>") == 5


def test_the_plot_has_the_norms_on_a_logarithmic_scale(tmp_path):
    pytest.importorskip("matplotlib")
    tape = tapead.record(pendulum, 1.0, 0.2, 30, argnums=(0, 1))
    flow = tape.flow(by="step")
    path = tmp_path / "flow.svg"
    (axes,) = flow.plot(path).axes
    assert axes.get_yscale() == "log"
    drawn = {curve.get_label(): curve.get_ydata() for curve in axes.get_lines()}
    assert np.array_equal(drawn["|d result / d angle|"], flow.states["angle"])
    assert path.read_text().count("<svg") == 1
    by_line = tape.flow(by="line")
    (axes,) = by_line.plot(tmp_path / "lines.png").axes
    assert [bar.get_width() for bar in axes.patches] == by_line.adjoint.tolist()
    tapead.record(lambda x: 3.0, 1.0).flow().plot(tmp_path / "nothing.png")


@pytest.mark.parametrize(("slope", "scale"), [(2.0, "linear"), (1e3, "log")])
def test_bars_have_a_logarithmic_scale_only_where_they_differ_by_much(slope, scale, tmp_path):
    pytest.importorskip("matplotlib")
    flow = tapead.record(lambda x: slope * x, 1.0).flow(by="line")
    (axes,) = flow.plot(tmp_path / "lines.png").axes
    assert [bar.get_width() for bar in axes.patches] == [slope, 1.0]
    assert axes.get_xscale() == scale


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "tapead\[plot\]"'):
        tapead.record(outer, 0.7, 2.0).flow().plot()


# ----------------------------------------------------------------------------------- refusals ---


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "layer"}, 'by=\'layer\': "function", "line" or "step" was expected'),
        ({"by": "line", "steps": 3}, 'steps and of are for by="step"'),
    ],
)
def test_bad_arguments_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        tapead.record(outer, 0.7, 2.0).flow(**options)


@pytest.mark.parametrize("by", ["function", "line", "step"])
def test_a_tape_without_lines_and_an_empty_one_are_refused(by):
    with pytest.raises(ValueError, match=r"kept no source lines.*record\(\.\.\., lines=True\)"):
        tapead.record(outer, 0.7, 2.0, lines=False).flow(by=by)
    with pytest.raises(ValueError, match=r"the tape is empty.*tapead\.record\(f, 1\.0\)"):
        tapead.record(lambda: 3.0).flow(by=by)


def test_an_array_result_needs_one_number():
    with pytest.raises(ValueError, match=r"output 0 is an array of shape \(3,\).*returns its sum"):
        tapead.record(lambda x: x * x, np.ones(3)).flow()
    with pytest.raises(IndexError, match="output 2 of a result of 1 numbers"):
        tapead.record(outer, 0.7, 2.0).flow(output=2)
    with pytest.raises(IndexError, match="row 9 of a flow of 3"):
        tapead.record(outer, 0.7, 2.0).flow()[9]
