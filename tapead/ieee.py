"""libm for interpreted code: Python's own functions, but with IEEE results where Python raises."""

from __future__ import annotations

import math
from collections.abc import Callable

_INF, _NAN = math.inf, math.nan


def _quiet(
    f: Callable[[float], float],
    overflow: Callable[[float], float] = lambda x: _INF,
    pole: Callable[[float], float] = lambda x: _NAN,
) -> Callable[[float], float]:
    """f that returns `overflow(x)` for OverflowError and `pole(x)` for a domain error."""

    def quiet(x: float) -> float:
        try:
            return f(x)
        except OverflowError:
            return overflow(x)
        except ValueError:
            return pole(x)

    return quiet


def _at(point: float, infinite: float) -> Callable[[float], float]:
    return lambda x: infinite if x == point else _NAN


sqrt = _quiet(math.sqrt)
cbrt = math.cbrt
exp = _quiet(math.exp)
exp2 = _quiet(math.exp2)
expm1 = _quiet(math.expm1)
log = _quiet(math.log, pole=_at(0.0, -_INF))
log2 = _quiet(math.log2, pole=_at(0.0, -_INF))
log10 = _quiet(math.log10, pole=_at(0.0, -_INF))
log1p = _quiet(math.log1p, pole=_at(-1.0, -_INF))
sin, cos, tan = _quiet(math.sin), _quiet(math.cos), _quiet(math.tan)
asin, acos, atan = _quiet(math.asin), _quiet(math.acos), math.atan
sinh = _quiet(math.sinh, overflow=lambda x: math.copysign(_INF, x))
cosh, tanh = _quiet(math.cosh), math.tanh
asinh, acosh = math.asinh, _quiet(math.acosh)
atanh = _quiet(math.atanh, pole=lambda x: math.copysign(_INF, x) if abs(x) == 1.0 else _NAN)
erf, erfc = math.erf, math.erfc
atan2, copysign, nextafter = math.atan2, math.copysign, math.nextafter


def fmod(a: float, b: float) -> float:
    try:
        return math.fmod(a, b)
    except ValueError:
        return _NAN


def remainder(a: float, b: float) -> float:
    try:
        return math.remainder(a, b)
    except ValueError:
        return _NAN


def _whole(f: Callable[[float], int]) -> Callable[[float], float]:
    """floor and its kin as floats: inf and nan stay, and so does the sign of zero."""
    return lambda x: math.copysign(float(f(x)), x) if math.isfinite(x) else x


floor, ceil = _whole(math.floor), _whole(math.ceil)
trunc, rint = _whole(math.trunc), _whole(round)


def div(a: float, b: float) -> float:
    if b != 0.0:
        return a / b
    if a == 0.0 or a != a:
        return _NAN
    return math.copysign(_INF, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -_INF if a < 0.0 and b % 2.0 == 1.0 else _INF
    except ValueError:
        if a == 0.0:
            return math.copysign(_INF, a) if b % 2.0 == 1.0 else _INF
        return _NAN
