# cython: language_level=3
"""The standard library's ``math``, for tracked numbers too.

Everything that ``math`` has is here under its own name.  On ordinary numbers the functions are
``math``'s own; on tracked ones they compute ``math``'s values, raise its errors and write rows.
While a recording runs, tapead lets your modules see these functions where they say ``math``; import
them from here for what it cannot see, such as a function kept in a dictionary.

>>> import tapead
>>> table = {"sine": tapead.math.sin}
>>> tapead.grad(lambda x: table["sine"](x))(0.0)
1.0
"""

import math as _math

import cython

from tapead.array import Array as _Array
from tapead.elementary import CODES as _CODES
from tapead.scalar import Scalar as _Scalar
from tapead.scalar import plain as _plain
from tapead.scalar import write as _write
from tapead.scalar import write2 as _write2

if not cython.compiled:
    from math import isfinite

    from tapead.partials import value as ieee_value
    from tapead.scalar import unary


def _named(function, name):
    """The function dressed as math's own of that name."""
    original = getattr(_math, name)
    function.__name__ = function.__qualname__ = name
    function.__module__ = "tapead.math"
    function.__doc__ = original.__doc__
    return function


def _item(x):
    """The number in an array without dimensions; others are what they are to math."""
    return x.item() if x.ndim == 0 else x


def _numbers(xs):
    """Arguments with numbers in the place of arrays without dimensions."""
    for x in xs:
        if type(x) is _Array:
            return [_item(y) if type(y) is _Array else y for y in xs]
    return xs


def _unary(name, code):
    original = getattr(_math, name)
    number: cython.int = code

    def function(x, /):
        if cython.compiled and type(x) is float:
            # What plain parts of a recorded program ask most: the same bits without a call.
            v: cython.double = ieee_value(number, x, 0.0)
            return v if isfinite(v) else original(x)
        if type(x) is _Array:
            x = _item(x)
        if type(x) is _Scalar:
            return unary(number, x, original)
        return original(x)

    return _named(function, name)


def _binary(name, code):
    original = getattr(_math, name)

    def function(x, y, /):
        x, y = _numbers((x, y))
        if type(x) is _Scalar or type(y) is _Scalar:
            return _write2(code, x, y, original(_plain(x), _plain(y)))
        return original(x, y)

    return _named(function, name)


def _factor(name, factor):
    original = getattr(_math, name)

    def function(x, /):
        (x,) = _numbers((x,))
        return x * factor if type(x) is _Scalar else original(x)

    return _named(function, name)


def _decision(name):
    """A function that only looks at its arguments: its result has no derivative to lose."""
    original = getattr(_math, name)

    def function(*args, **kwargs):
        args = _numbers(args)
        return original(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})

    return _named(function, name)


_LOG = cython.declare(cython.int, _CODES["log"])


def _any_tracked(numbers):
    return any(type(x) is _Scalar for x in numbers)


def log(x, *base):
    """As math.log: the natural logarithm, or that to a base."""
    x, *base = _numbers((x, *base))
    if not base:
        return unary(_LOG, x, _math.log) if type(x) is _Scalar else _math.log(x)
    if len(base) > 1 or not _any_tracked((x, *base)):
        return _math.log(_plain(x), *base)
    return log(x) / log(base[0])


def pow(x, y, /):
    x, y = _numbers((x, y))
    if not _any_tracked((x, y)):
        return _math.pow(x, y)
    code = _CODES["pow"] if type(y) is _Scalar else _CODES["powc"]
    return _write2(code, x, y, _math.pow(_plain(x), _plain(y)))


def _chain(code, numbers, total, partial):
    """Fold numbers by rows of two operands: `partial` gives values on the way, `total` the last."""
    result = numbers[0]
    for i in range(1, len(numbers)):
        x, y = result, numbers[i]
        v = total if i == len(numbers) - 1 else partial(_plain(x), _plain(y))
        result = _write2(code, x, y, v) if _any_tracked((x, y)) else v
    return result


def hypot(*coordinates):
    coordinates = _numbers(coordinates)
    total = _math.hypot(*map(_plain, coordinates))
    if not _any_tracked(coordinates):
        return total
    if len(coordinates) == 1:
        return abs(coordinates[0])
    return _chain(_CODES["hypot"], coordinates, total, _math.hypot)


def dist(p, q, /):
    p, q = list(p), list(q)
    if not _any_tracked(p + q):
        return _math.dist(p, q)
    _math.dist(list(map(_plain, p)), list(map(_plain, q)))  # raises what it has to raise
    p, q = ([x if type(x) is _Scalar else float(x) for x in side] for side in (p, q))
    return hypot(*[x - y for x, y in zip(p, q, strict=True)])


def _exact_sum(terms, total):
    """A sum that is rounded once, to `total`: each term's derivative is 1."""
    if len(terms) == 1:
        terms = [*terms, 0.0]
    return _chain(_CODES["exact_add"], terms, total, lambda x, y: x + y)


def fsum(seq, /):
    terms = list(seq)
    if not _any_tracked(terms):
        return _math.fsum(terms)
    return _exact_sum(terms, _math.fsum(map(_plain, terms)))


def prod(iterable, /, *, start=1):
    factors = list(iterable)
    if not _any_tracked([start, *factors]):
        return _math.prod(factors, start=start)
    result = start
    for x in factors:
        result = result * x
    return result


def frexp(x, /):
    if type(x) is not _Scalar:
        return _math.frexp(x)
    mantissa, exponent = _math.frexp(_plain(x))
    return _write2(_CODES["ldexp"], x, -exponent, mantissa), exponent


def modf(x, /):
    if type(x) is not _Scalar:
        return _math.modf(x)
    fraction, whole = _math.modf(_plain(x))
    return _write(_CODES["frac"], x, fraction), _write(_CODES["trunc"], x, whole)


def ldexp(x, i, /):
    if type(x) is not _Scalar:
        return _math.ldexp(x, i)
    v = _math.ldexp(_plain(x), i)
    # No float is scaled by more than this; a larger exponent would not fit a constant.
    return _write2(_CODES["ldexp"], x, max(-5000, min(5000, i)), v)


def nextafter(x, y, /, **steps):
    v = _math.nextafter(_plain(x), _plain(y), **steps)
    return _write2(_CODES["nextafter"], x, y, v) if _any_tracked((x, y)) else v


def _sumprod(p, q, /):
    p, q = list(p), list(q)
    if not _any_tracked(p + q):
        return _math.sumprod(p, q)
    total = _math.sumprod(list(map(_plain, p)), list(map(_plain, q)))
    return _exact_sum([x * y for x, y in zip(p, q, strict=True)], total)


def _fma(x, y, z, /):
    v = _math.fma(_plain(x), _plain(y), _plain(z))
    return _exact_sum([x * y, z], v) if _any_tracked((x, y, z)) else v


for _function in (log, pow, hypot, dist, fsum, prod, frexp, modf, ldexp, nextafter):
    _named(_function, _function.__name__)

# What this Python's math has; the rest of its names are taken as they are.
_mine = {
    **{
        name: _unary(name, _CODES[name])
        for name in (
            "acos acosh asin asinh atan atanh cbrt cos cosh erf erfc exp exp2 expm1 gamma "
            "lgamma log10 log1p log2 sin sinh sqrt tan tanh ulp"
        ).split()
    },
    "fabs": _unary("fabs", _CODES["abs"]),
    **{name: _binary(name, _CODES[name]) for name in "atan2 copysign fmod remainder".split()},
    "degrees": _factor("degrees", 180.0 / _math.pi),
    "radians": _factor("radians", _math.pi / 180.0),
    **{name: _decision(name) for name in ("isclose", "isfinite", "isinf", "isnan")},
}
for _name, _function in (("sumprod", _sumprod), ("fma", _fma)):
    if hasattr(_math, _name):
        _mine[_name] = _named(_function, _name)
globals().update(_mine)
globals().update({k: v for k, v in vars(_math).items() if k not in globals() and k[0] != "_"})
__all__ = [k for k in vars(_math) if k[0] != "_"]
