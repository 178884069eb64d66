"""Every example runs, and prints what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
# For each example, expressions that its output must match, in this order.
EXPECTED = {
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
}


def test_every_example_is_expected_to_print_something():
    assert {p.name for p in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_example_prints_what_it_should(name, tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    at = 0
    for expression in EXPECTED[name]:
        found = re.compile(expression).search(done.stdout, at)
        assert found, f"{expression!r} not found in order in\n{done.stdout}"
        at = found.start()


def test_derivatives_of_the_examples_agree_with_their_differences(tmp_path):
    text = subprocess.run(
        [sys.executable, EXAMPLES / "adaptive_integrator.py"],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    ).stdout  # fmt: skip
    rows = re.findall(r"d/d\S+ +(\S+) +(\S+)", text)
    assert len(rows) == 3
    for ours, theirs in rows:
        assert float(ours) == pytest.approx(float(theirs), rel=1e-4, abs=1e-5)
