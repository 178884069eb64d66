"""SciPy in the user's modules while a recording runs, once SciPy is there at all.

SciPy's ufuncs ask tracked arrays by themselves and find their rows when they are first met.  Its
other functions ask nobody: those of ``tapead.scipy`` stand in for them.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any

MODULES = ("special", "linalg", "signal", "sparse", "stats")
_loaded: dict[str, Any] = {}


def load() -> bool:
    """Take in the rows for all of SciPy that the program has imported; whether any is new."""
    found = False
    for name in MODULES:
        if name not in _loaded and f"scipy.{name}" in sys.modules:
            # functions.py is above this module: it asks when it meets what it does not know.
            module = importlib.import_module(f"tapead.scipy.{name}")
            _loaded[name] = module
            sys.modules["tapead.functions"].install(module)
            found = True
    return found


def loaded() -> list[Any]:
    """The tables that `load` has taken in."""
    return list(_loaded.values())


def stand_ins() -> tuple[dict[int, Any], dict[int, Any]]:
    """What takes the place of SciPy's functions and modules, by id; and the modules again, by that
    of what stands for them."""
    found: dict[int, Any] = {}
    originals: dict[int, Any] = {}
    for name, module in _loaded.items():
        ours = {id(f): g for f, g in getattr(module, "REPLACES", {}).items()}
        found.update(ours)
        original = sys.modules[f"scipy.{name}"]
        made = types.ModuleType(original.__name__, original.__doc__)
        names = {k: ours[id(f)] for k, f in vars(original).items() if id(f) in ours}
        vars(made).update(vars(original), **names)
        found[id(original)] = made
        originals[id(made)] = original
    return found, originals
