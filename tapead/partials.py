# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Values and partials of every elementary operation, on floats, by operation code.

Written by ``python -m tapead.elementary`` from the table in elementary.py: change it there.
Compiled, each function is one switch over libm; interpreted, ieee.py stands in for libm.
"""

import cython

if not cython.compiled:
    from tapead.ieee import (
        acos,
        acosh,
        asin,
        asinh,
        atan,
        atan2,
        atanh,
        cbrt,
        ceil,
        copysign,
        cos,
        cosh,
        div,
        erf,
        erfc,
        exp,
        exp2,
        expm1,
        floor,
        fmod,
        log,
        log10,
        log1p,
        log2,
        nextafter,
        power,
        remainder,
        rint,
        sin,
        sinh,
        sqrt,
        tan,
        tanh,
        trunc,
    )
    from tapead.special import (
        floordiv,
        gamma,
        hypot,
        ldexp,
        lgamma,
        mod,
        polygamma,
        round_to,
        sign,
        ulp,
    )


def value(code: cython.int, a: cython.double, b: cython.double):
    """The operation's value, nan for those that have no formula."""
    v: cython.double = float("nan")
    if code == 1:  # copy
        v = a
    elif code == 2:  # stop
        v = a
    elif code == 3:  # add
        v = a + b
    elif code == 4:  # sub
        v = a - b
    elif code == 5:  # mul
        v = a * b
    elif code == 6:  # div
        v = div(a, b)
    elif code == 7:  # neg
        v = -a
    elif code == 8:  # abs
        v = abs(a)
    elif code == 9:  # powc
        v = power(a, b)
    elif code == 10:  # pow
        v = power(a, b)
    elif code == 11:  # floordiv
        v = floordiv(a, b)
    elif code == 12:  # mod
        v = mod(a, b)
    elif code == 13:  # round
        v = round_to(a, b)
    elif code == 14:  # sqrt
        v = sqrt(a)
    elif code == 15:  # cbrt
        v = cbrt(a)
    elif code == 16:  # exp
        v = exp(a)
    elif code == 17:  # exp2
        v = exp2(a)
    elif code == 18:  # expm1
        v = expm1(a)
    elif code == 19:  # log
        v = log(a)
    elif code == 20:  # log2
        v = log2(a)
    elif code == 21:  # log10
        v = log10(a)
    elif code == 22:  # log1p
        v = log1p(a)
    elif code == 23:  # sin
        v = sin(a)
    elif code == 24:  # cos
        v = cos(a)
    elif code == 25:  # tan
        v = tan(a)
    elif code == 26:  # asin
        v = asin(a)
    elif code == 27:  # acos
        v = acos(a)
    elif code == 28:  # atan
        v = atan(a)
    elif code == 29:  # sinh
        v = sinh(a)
    elif code == 30:  # cosh
        v = cosh(a)
    elif code == 31:  # tanh
        v = tanh(a)
    elif code == 32:  # asinh
        v = asinh(a)
    elif code == 33:  # acosh
        v = acosh(a)
    elif code == 34:  # atanh
        v = atanh(a)
    elif code == 35:  # atan2
        v = atan2(a, b)
    elif code == 36:  # hypot
        v = hypot(a, b)
    elif code == 37:  # erf
        v = erf(a)
    elif code == 38:  # erfc
        v = erfc(a)
    elif code == 39:  # gamma
        v = gamma(a)
    elif code == 40:  # lgamma
        v = lgamma(a)
    elif code == 41:  # polygamma
        v = polygamma(a, b)
    elif code == 42:  # copysign
        v = copysign(a, b)
    elif code == 43:  # fmod
        v = fmod(a, b)
    elif code == 44:  # remainder
        v = remainder(a, b)
    elif code == 45:  # ldexp
        v = ldexp(a, b)
    elif code == 46:  # nextafter
        v = nextafter(a, b)
    elif code == 47:  # ulp
        v = ulp(a)
    elif code == 48:  # frac
        v = a - trunc(a)
    elif code == 49:  # sign
        v = sign(a)
    elif code == 50:  # floor
        v = floor(a)
    elif code == 51:  # ceil
        v = ceil(a)
    elif code == 52:  # trunc
        v = trunc(a)
    elif code == 53:  # rint
        v = rint(a)
    return v


def first(code: cython.int, a: cython.double, b: cython.double, v: cython.double):
    """d value / d a and d value / d b."""
    p: cython.double = 0.0
    q: cython.double = 0.0
    if code == 1:  # copy
        p = 1.0
    elif code == 3:  # add
        p = 1.0
        q = 1.0
    elif code == 4:  # sub
        p = 1.0
        q = -1.0
    elif code == 5:  # mul
        p = b
        q = a
    elif code == 6:  # div
        p = div(1.0, b)
        q = div(-v, b)
    elif code == 7:  # neg
        p = -1.0
    elif code == 8:  # abs
        p = sign(a)
    elif code == 9:  # powc
        p = b * power(a, b - 1.0) if b != 0.0 else 0.0
    elif code == 10:  # pow
        p = b * power(a, b - 1.0) if a != 0.0 or b != 0.0 else 0.0
        q = v * log(a) if v != 0.0 else 0.0
    elif code == 12:  # mod
        p = 1.0
        q = rint(div(v - a, b))
    elif code == 14:  # sqrt
        p = div(0.5, v)
    elif code == 15:  # cbrt
        p = div(div(div(1.0, 3.0), v), v)
    elif code == 16:  # exp
        p = v
    elif code == 17:  # exp2
        p = 0.6931471805599453 * v
    elif code == 18:  # expm1
        p = exp(a)
    elif code == 19:  # log
        p = div(1.0, a)
    elif code == 20:  # log2
        p = div(1.0, 0.6931471805599453 * a)
    elif code == 21:  # log10
        p = div(1.0, 2.302585092994046 * a)
    elif code == 22:  # log1p
        p = div(1.0, 1.0 + a)
    elif code == 23:  # sin
        p = cos(a)
    elif code == 24:  # cos
        p = -sin(a)
    elif code == 25:  # tan
        p = 1.0 + v * v
    elif code == 26:  # asin
        p = div(1.0, sqrt((1.0 - a) * (1.0 + a)))
    elif code == 27:  # acos
        p = div(-1.0, sqrt((1.0 - a) * (1.0 + a)))
    elif code == 28:  # atan
        p = div(1.0, 1.0 + a * a)
    elif code == 29:  # sinh
        p = cosh(a)
    elif code == 30:  # cosh
        p = sinh(a)
    elif code == 31:  # tanh
        p = 1.0 - v * v if -0.9 < v < 0.9 else div(div(1.0, cosh(a)), cosh(a))
    elif code == 32:  # asinh
        p = div(1.0, hypot(1.0, a))
    elif code == 33:  # acosh
        p = div(1.0, sqrt(a - 1.0) * sqrt(a + 1.0))
    elif code == 34:  # atanh
        p = div(1.0, (1.0 - a) * (1.0 + a))
    elif code == 35:  # atan2
        p = div(div(b, hypot(a, b)), hypot(a, b))
        q = div(div(-a, hypot(a, b)), hypot(a, b))
    elif code == 36:  # hypot
        p = div(a, v) if v != 0.0 else 0.0
        q = div(b, v) if v != 0.0 else 0.0
    elif code == 37:  # erf
        p = 1.1283791670955126 * exp(-a * a)
    elif code == 38:  # erfc
        p = -1.1283791670955126 * exp(-a * a)
    elif code == 39:  # gamma
        p = v * polygamma(0.0, a)
    elif code == 40:  # lgamma
        p = polygamma(0.0, a)
    elif code == 41:  # polygamma
        q = polygamma(a + 1.0, b)
    elif code == 42:  # copysign
        p = sign(a) * copysign(1.0, b)
    elif code == 43:  # fmod
        p = 1.0
        q = rint(div(v - a, b))
    elif code == 44:  # remainder
        p = 1.0
        q = rint(div(v - a, b))
    elif code == 45:  # ldexp
        p = ldexp(1.0, b)
    elif code == 46:  # nextafter
        p = 1.0
    elif code == 48:  # frac
        p = 1.0
    elif code == 54:  # exact_add
        p = 1.0
        q = 1.0
    return p, q


def second(code: cython.int, a: cython.double, b: cython.double, v: cython.double):
    """d2 value / da da, da db and db db."""
    p: cython.double = 0.0
    q: cython.double = 0.0
    r: cython.double = 0.0
    if code == 5:  # mul
        q = 1.0
    elif code == 6:  # div
        q = div(div(-1.0, b), b)
        r = div(div(2.0 * v, b), b)
    elif code == 9:  # powc
        p = b * (b - 1.0) * power(a, b - 2.0) if b * (b - 1.0) != 0.0 else 0.0
    elif code == 10:  # pow
        p = b * (b - 1.0) * power(a, b - 2.0) if b * (b - 1.0) != 0.0 else 0.0
        q = power(a, b - 1.0) * (1.0 + b * log(a)) if a != 0.0 or b <= 1.0 else 0.0
        r = v * log(a) * log(a) if v != 0.0 else 0.0
    elif code == 14:  # sqrt
        p = div(-0.25, a * v)
    elif code == 15:  # cbrt
        p = div(-2.0, 9.0 * v * v * v * v * v)
    elif code == 16:  # exp
        p = v
    elif code == 17:  # exp2
        p = 0.6931471805599453 * 0.6931471805599453 * v
    elif code == 18:  # expm1
        p = exp(a)
    elif code == 19:  # log
        p = div(-1.0, a * a)
    elif code == 20:  # log2
        p = div(-1.0, 0.6931471805599453 * a * a)
    elif code == 21:  # log10
        p = div(-1.0, 2.302585092994046 * a * a)
    elif code == 22:  # log1p
        p = div(-1.0, (1.0 + a) * (1.0 + a))
    elif code == 23:  # sin
        p = -v
    elif code == 24:  # cos
        p = -v
    elif code == 25:  # tan
        p = 2.0 * v * (1.0 + v * v)
    elif code == 26:  # asin
        p = div(a, (1.0 - a) * (1.0 + a) * sqrt((1.0 - a) * (1.0 + a)))
    elif code == 27:  # acos
        p = div(-a, (1.0 - a) * (1.0 + a) * sqrt((1.0 - a) * (1.0 + a)))
    elif code == 28:  # atan
        p = div(div(-2.0 * a, 1.0 + a * a), 1.0 + a * a)
    elif code == 29:  # sinh
        p = v
    elif code == 30:  # cosh
        p = v
    elif code == 31:  # tanh
        p = -2.0 * v * (1.0 - v * v if -0.9 < v < 0.9 else div(div(1.0, cosh(a)), cosh(a)))
    elif code == 32:  # asinh
        p = div(div(div(-a, hypot(1.0, a)), hypot(1.0, a)), hypot(1.0, a))
    elif code == 33:  # acosh
        p = div(div(div(-a, a - 1.0), a + 1.0), sqrt(a - 1.0) * sqrt(a + 1.0))
    elif code == 34:  # atanh
        p = div(div(2.0 * a, (1.0 - a) * (1.0 + a)), (1.0 - a) * (1.0 + a))
    elif code == 35:  # atan2
        p = div(div(-2.0 * div(a, hypot(a, b)) * div(b, hypot(a, b)), hypot(a, b)), hypot(a, b))
        q = div(div(div(a, hypot(a, b)) * div(a, hypot(a, b)) - div(b, hypot(a, b)) * div(b, hypot(a, b)), hypot(a, b)), hypot(a, b))
        r = div(div(2.0 * div(a, hypot(a, b)) * div(b, hypot(a, b)), hypot(a, b)), hypot(a, b))
    elif code == 36:  # hypot
        p = div(div(b, v) * div(b, v), v) if v != 0.0 else 0.0
        q = div(-div(a, v) * div(b, v), v) if v != 0.0 else 0.0
        r = div(div(a, v) * div(a, v), v) if v != 0.0 else 0.0
    elif code == 37:  # erf
        p = -2.0 * a * 1.1283791670955126 * exp(-a * a)
    elif code == 38:  # erfc
        p = 2.0 * a * 1.1283791670955126 * exp(-a * a)
    elif code == 39:  # gamma
        p = v * (polygamma(1.0, a) + polygamma(0.0, a) * polygamma(0.0, a))
    elif code == 40:  # lgamma
        p = polygamma(1.0, a)
    elif code == 41:  # polygamma
        r = polygamma(a + 2.0, b)
    return p, q, r
