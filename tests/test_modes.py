"""The compiled and the interpreted mode agree to the last bit."""

import os
import pathlib
import subprocess
import sys

import pytest

import tapead
from tapead import _mode

SCRIPT = pathlib.Path(__file__).with_name("mode_script.py")


def run(*arguments, interpreted):
    environment = {**os.environ, "TAPEAD_INTERPRETED": "1" if interpreted else "0"}
    # -P: the installed package, not the folder that the tests run in.
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.splitlines()


def has_compiled_modules():
    return all(map(_mode._has_extension, _mode.COMPILED_MODULES))


def test_the_environment_variable_chooses_the_mode():
    tell = "import tapead; print(tapead.compiled)"
    assert run("-c", tell, interpreted=True) == ["False"]
    assert run("-c", tell, interpreted=False) == [str(has_compiled_modules())]
    wanted = os.environ.get("TAPEAD_INTERPRETED", "0") in ("", "0")
    assert tapead.compiled is (wanted and has_compiled_modules())


def test_both_modes_compute_the_same_bits():
    if not has_compiled_modules():
        pytest.skip("tapead was installed without compiled modules: there is one mode only")
    compiled, interpreted = (run(str(SCRIPT), interpreted=mode) for mode in (False, True))
    assert len(compiled) > 10_000
    differing = [pair for pair in zip(compiled, interpreted, strict=True) if pair[0] != pair[1]]
    assert differing == []
