"""SciPy for tracked arrays: ``special``, ``linalg``, ``stats``, ``signal`` and ``sparse``.

The modules are laid out as SciPy's and have its names and signatures.  SciPy's ufuncs
(``scipy.special.erf``) need none of this: they find their rules by themselves.  Its other functions
cannot be asked, so call the ones here; on plain arrays they work too.

>>> import numpy as np, tapead
>>> import tapead.scipy.stats as stats
>>> tapead.grad(lambda mean: stats.norm.logpdf(1.5, mean, 2.0))(1.0)
0.125
"""

from __future__ import annotations

import importlib
from typing import Any

try:
    import scipy  # noqa: F401
except ImportError as error:
    raise ImportError(
        'tapead.scipy needs SciPy, which is an optional extra: pip install "tapead[scipy]"'
    ) from error

# Each exports rows as the modules of tapead.rules do, and REPLACES: SciPy's functions that cannot
# be asked for a rule, with those that stand here in their place.
MODULES = ("special", "linalg", "signal", "sparse", "stats")

__all__ = list(MODULES)


def __getattr__(name: str) -> Any:
    """The modules, loaded when they are first asked for."""
    if name in MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *MODULES]
