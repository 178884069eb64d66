"""Every example runs, and prints what it says."""

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURES = EXAMPLES / "pictures"
# For each example, expressions that its output must match, in this order.
EXPECTED = {
    "gradient_flow.py": [
        r"gradient flow by step: norms of d result / d state; 60 steps",
        r"tiny: steps 0 to 39",
        r"large weights +5\.66e\+00 +6\.76e\+07 +1\.32",
        r"small, residual +5\.66e\+00 +5\.71e\+00 +1\.00",
    ],
    "straight_line_program.py": [
        r"adj_v7 = adj_v8",
        r"adj_speed \+= adj_v3 \* \(2\.0 \* speed \*\* 1\.0\)",
        r"the text: +0\.16159616000000004 \(0\.09421119999999998, -0\.014531440000000003\)",
        r"the program: 0\.16159616000000004 \(0\.09421119999999998, -0\.014531440000000003\)",
    ],
    "back_propagation_through_time.py": [
        r"\n 100 +4\.3\de\+00 +7\.3\de\+00 +7\.7\de\+00 +1\.\d+e\+27\n",  # the norms of h - 1
        r"\n  10 +2\.\d+e-45 +5\.\d+e-02 +1\.\d+e-27 +4\.\d+e\+52\n",
        r"sigmoid, He: 0\.315, it vanishes",
        r"relu, He: 0\.957, it lasts",
        r"relu, He / 2: 0\.489, it vanishes",
        r"relu, He \* 2: 1\.918, it explodes",
    ],
    "draw_a_graph.py": [
        r"reverse from e: d e / d node",
        r"b +1 +derivative 5",
        r"c = a \+ b +3 +derivative 2",
        r"30,002 rows, folded by line into 4 nodes",
    ],
    "draw_a_tape.py": [
        r"r0 +input x +1\.5 +16\.55552",
        r"r3 +sin +r0 +0\.997495 +0\.0707372 +7\.99499 +draw_a_tape\.py:\d+  s = s \+ math\.sin",
        r"result 15\.979966, by x and y \(16\.55552\d+, 11\.99248\d+\)",
    ],
    "count_paths.py": [
        r"2 layers: 9 paths, 6 edges between them",
        r"sum over paths 90, by a sweep 90",
        r"10 layers: 59,049 paths, 30 edges between them",
    ],
    "limited_memory.py": [
        r"by the length +\+1\.554827",
        r"by the damping +\+0\.591929",
        r"under 7 MB: True",
        r"540,001 rows; [1-9]\d* snapshots, [1-9][\d,]* rows run again; 0 bytes went to disk",
        r"at most [1-6],\d{3},\d{3} bytes of tape in memory, 7,000,000 allowed",
        r"the whole tape with its adjoints: 13\.5 MB",
        r"on disk: +True",
        r"540,001 rows; 0 snapshots, 0 rows run again; \d,\d{3},\d{3} bytes went to disk",
    ],
    "branch_report.py": [
        r"payoff 12\.3098, by spot 1\.1231, by volatility 505\.3554",
        r"payoff: 51 decisions at 2 places",
        r">= +50 +0 +124\.47 +125 +-0\.53 +volatility \+0\.000502, spot \+0\.426",
        r"was decided 50 times, true 0 times",
        r"spot moved by \+0\.421945: payoff +12\.7837",
        r"spot moved by \+0\.430469: payoff +0\.0000",
    ],
    "find_a_nan.py": [
        r"straight: energy 0\.000000, gradient",
        r"The adjoint turns into -inf in the reverse sweep at find_a_nan\.py:23, in bending",
        r"atan2\(norm\(cross\), dot\)",
        r"mended: everything is finite, the values of all 10 rows",
        r"the same gradient of a bent chain: True",
        r"raises OverflowError: math range error at find_a_nan\.py:36, in logistic",
    ],
    "quickstart.py": [
        r"d distance / d speed +1\.605884",
        r"d distance / d angle +-14\.328088",
        r"by speed, differences +1\.605884",
        r"it flies +30\.000000",
    ],
    "branches.py": [
        r"5000 +0\.00 +0\.00 +0\.00",
        r"9000 +400\.00 +0\.10 +-500\.00",
        r"25000 +3500\.00 +0\.20 +-500\.00",
        r"60000 +13500\.00 +0\.35 +-500\.00",
        r"first bracket:",
        r"sub +r\d+, r\d+",
    ],
    "two_layer_network.py": [
        r"h = \(1\.2500, 3\.8000\)  y = 5\.0500  E = 0\.551250",
        r"1\.3125",
        r"0\.39500  1\.44750  2\.19500  2\.94750  0\.86875  0\.60100",
        r"y = 3\.1768  E = 0\.3388",
        r"input w\[4\] .* 1\.3125",
    ],
    "adaptive_integrator.py": [
        r"after \d+ accepted and \d+ rejected steps",
        r"d/dmu",
        r"d/dy\(0\)",
        r"d/dv\(0\)",
        r"rows of the tape: \d+",
    ],
    "profile_a_program.py": [
        r"distance 2\.750801, by speed 16\.962808",
        r"rows +1\.09 MB +64,052 of 17",
        r"Checkpointing passage \(profile_a_program\.py:20\), called 4 times, would save 792 kB "
        r"of the tape's 1\.09 MB",
        r"14 +6,008 +102 kB +9\.4 % +r2 = x \* x \+ y \* y",
        r"to run twice: passage, called 4 times",
        r"it has 73 % of the tape",
        r"rows +64,052 +2,022 +-62,030",
        r"62,050 -> 0 .* passage\n",
        r"\nby speed 16\.962808\n",
    ],
    "checkpointed_heat.py": [
        r"by the conductivity +-1\.034687",
        r"by differences +-1\.034687",
        r"the tape of all steps +1\d\.\d MB +600\n",
        # Revolve's count: with s states and r repetitions, (r + 1) n - binomial(s + r, s + 1).
        r"5 states +\d\.\d MB +3,876   True",
        r"30 states +\d\.\d MB +1,872   True",
        r"250 kB of states +\d\.\d MB +[12],\d{3}   True",
        r"5, and 50 on disk +\d\.\d MB +1,\d{3}   True",
        r"after +286\.509 steps",
        r"by the conductivity +-1433\.438",
        r"by differences +-1433\.438",
    ],
    "heat_equation.py": [
        r"d misfit / d conductivity +-48\.684470",
        r"by differences +-48\.684470",
        r"step   0  misfit  2\.472e\+01  conductivity 0\.050000",
        r"step 300  misfit  \d\.\d+e-1\d  conductivity 0\.100000",
        r"start found \[1\.282 1\.541 1\.756 1\.91 ",
        r"start truth \[1\.282 1\.541 1\.756 1\.91 ",
    ],
    "kalman_filter.py": [
        r"d loss / d log push +-0\.252529   by differences +-0\.252529",
        r"d loss / d log noise +0\.329270   by differences +0\.329270",
        r"step 0  loss 1\.549419",
        r"step 4  loss 1\.424178  push 2\.3049  noise 0\.4568  \|gradient\| \d\.\de-0[89]",
        r"step 5  .*\|gradient\| \d\.\de-1\d",
        r"true: push 2, noise 0\.5",
    ],
    "fit_oscillator.py": [
        r"frequency +2\.000 +1\.9995 +0\.0084",
        r"damping +0\.150 +0\.1502 +0\.0018",
        r"cubic +0\.800 +0\.8176 +0\.0464",
        r"start +1\.500 +1\.5060 +0\.0084",
        r"speed +-0\.500 +-0\.4654 +0\.0379",
        r"noise +0\.020 +0\.0177",
        r"the fits differ by \de-(0[6-9]|1\d)",
    ],
    "newton_cg.py": [
        r"0 +8\.319185723 +6\.8e-01 ",
        r" bends down\n",
        r"\d +1\.579555713 +\d\.\de-1[2-9]\n",
        r"changes it by \de-1\d",
        r"Hessian there is 0\.000316",
        r"--oo\+{12}\n",
    ],
}
NEEDS_SCIPY = {"fit_oscillator.py"}


@pytest.fixture(scope="module")
def output_of(tmp_path_factory):
    """What an example prints, by its name; each runs once."""

    @functools.cache
    def run(name):
        if name in NEEDS_SCIPY:
            pytest.importorskip("scipy")
        done = subprocess.run(
            [sys.executable, EXAMPLES / name],
            capture_output=True,
            text=True,
            cwd=tmp_path_factory.mktemp("example"),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_example_is_expected_to_print_something():
    assert {p.name for p in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_example_prints_what_it_should(name, output_of):
    text = output_of(name)
    at = 0
    for expression in EXPECTED[name]:
        found = re.compile(expression).search(text, at)
        assert found, f"{expression!r} not found in order in\n{text}"
        at = found.start()


def test_pictures_of_graphs_show_the_derivatives():
    def shown(name):
        return " ".join(re.findall(r">([^<>]+)</text>", (PICTURES / name).read_text()))

    forward, reverse = shown("graph_forward.svg"), shown("graph_reverse.svg")
    for name, by_b, of_e in (("a", 0, 2), ("b", 1, 5), ("c", 1, 2), ("d", 1, 3), ("e", 5, 1)):
        assert f"\N{PARTIAL DIFFERENTIAL}{name}/\N{PARTIAL DIFFERENTIAL}b = {by_b}" in forward
        assert f"\N{PARTIAL DIFFERENTIAL}e/\N{PARTIAL DIFFERENTIAL}{name} = {of_e}" in reverse
    sums = re.findall(r"r(\d) [a-z]+ \S+(?: r\d)? (\S+) (\S+) (\S+)", shown("tape.svg"))
    assert sums[0] == ("0", "1.5", "1", "16.56")
    assert sums[-1] == ("5", "15.98", "16.56", "1")


def test_every_picture_is_made_by_an_example():
    text = "".join(p.read_text() for p in EXAMPLES.glob("*.py"))
    assert [p.name for p in PICTURES.iterdir() if p.name not in text] == []


def test_derivatives_of_the_examples_agree_with_their_differences(output_of):
    text = output_of("adaptive_integrator.py")
    rows = re.findall(r"d/d\S+ +(\S+) +(\S+)", text)
    assert len(rows) == 3
    for ours, theirs in rows:
        assert float(ours) == pytest.approx(float(theirs), rel=1e-4, abs=1e-5)


def test_the_oscillator_is_found_within_its_errors_and_in_fewer_runs(output_of):
    text = output_of("fit_oscillator.py")
    rows = re.findall(r"^\w+ +(-?\d\.\d+) +(-?\d\.\d+) +(\d\.\d+)$", text, re.MULTILINE)
    assert len(rows) == 5
    for truth, found, deviation in (map(float, row) for row in rows):
        assert abs(found - truth) < 3.0 * deviation
    exact = re.search(r"(\d+) evaluations, (\d+) Jacobians, (\d+) runs", text)
    evaluations, jacobians, runs = map(int, exact.groups())
    assert runs == evaluations + jacobians
    assert int(re.search(r"by differences: \d+ evaluations, (\d+)", text)[1]) > 2 * runs


def test_newton_converges_faster_and_faster_in_the_end(output_of):
    text = output_of("newton_cg.py")
    rows = re.findall(r"^ +\d+ +(\S+) +(\d\.\de-\d+)", text, re.MULTILINE)
    energies, slopes = ([float(x) for x in column] for column in zip(*rows))
    assert energies == sorted(energies, reverse=True)
    assert len(rows) < 30
    for before, after in zip(slopes[-4:], slopes[-3:]):
        assert after < before**1.3
