"""What stands in for ``statistics`` in the user's modules: means and spreads of tracked numbers.

The module's own functions go through fractions, which know no derivative.  Here the value is
theirs, to the last bit, and the derivative is that of the definition.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import tapead.math as tmath
from tapead.elementary import CODES
from tapead.scalar import Scalar, plain, write2


def _mean(data: list) -> Any:
    return tmath.fsum(data) / len(data)


def _squares(data: list, center: Any) -> Any:
    center = _mean(data) if center is None else center
    return tmath.fsum([(x - center) ** 2 for x in data])


def _pvariance(data: list, mu: Any = None) -> Any:
    return _squares(data, mu) / len(data)


def _variance(data: list, xbar: Any = None) -> Any:
    return _squares(data, xbar) / (len(data) - 1)


def _pstdev(data: list, mu: Any = None) -> Any:
    return tmath.sqrt(_pvariance(data, mu))


def _stdev(data: list, xbar: Any = None) -> Any:
    return tmath.sqrt(_variance(data, xbar))


def _stand_in(original: Callable, definition: Callable) -> Callable:
    @functools.wraps(original)
    def function(data: Iterable, *args: Any, **options: Any) -> Any:
        data = list(data)
        given = [*data, *args, *options.values()]
        if Scalar not in map(type, given) or not _NUMBERS.issuperset(map(type, given)):
            return original(data, *args, **options)
        others = {name: plain(x) for name, x in options.items()}
        exact = original(list(map(plain, data)), *map(plain, args), **others)
        defined = definition(data, *args, **options)
        return write2(CODES["exact_add"], defined, 0.0, exact) if type(defined) is Scalar else exact

    return function


_NUMBERS = {Scalar, float, int, bool, type(None)}
_DEFINITIONS = {
    "mean": _mean, "pvariance": _pvariance, "variance": _variance, "pstdev": _pstdev,
    "stdev": _stdev,
}  # fmt: skip


# What `stand_ins` gives, once the program has imported the module.
_loaded: list[tuple[dict[int, Any], dict[int, Any]]] = []


def load() -> bool:
    """Make the stand-ins, if the program has imported ``statistics``; whether they are new."""
    module = sys.modules.get("statistics")
    if module is None or _loaded:
        return False
    names = {name: _stand_in(getattr(module, name), f) for name, f in _DEFINITIONS.items()}
    stand_in = types.ModuleType("statistics", module.__doc__)
    vars(stand_in).update(vars(module), **names)
    functions = {id(getattr(module, name)): f for name, f in names.items()}
    _loaded.append(({id(module): stand_in, **functions}, {id(stand_in): module}))
    return True


def stand_ins() -> tuple[dict[int, Any], dict[int, Any]]:
    """What takes the place of functions of ``statistics``, and of itself, by id; and the module
    again, by that of what stands for it."""
    return _loaded[0]
