# cython: language_level=3
"""Functions that libm lacks or does otherwise than Python: as IEEE functions that never raise.

Where Python has its own algorithm (``gamma``, ``hypot``, ``//``, ``round``), Python is called, so
that a recorded program computes the bits of the plain one.
"""

from __future__ import annotations

import math
import operator

import cython

_floordiv, _mod, _round = operator.floordiv, operator.mod, round
_hypot, _gamma, _lgamma, _ldexp, _ulp = math.hypot, math.gamma, math.lgamma, math.ldexp, math.ulp
_log, _tan, _factorial = math.log, math.tan, math.factorial
_INF, _NAN, _PI = math.inf, math.nan, math.pi

# Bernoulli numbers B_2, B_4, ..., B_24.
# fmt: off
_BERNOULLI = (
    1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0, -174611.0 / 330.0, 854513.0 / 138.0, -236364091.0 / 2730.0,
)
# fmt: on


def sign(a: cython.double):
    """1, -1, or 0 at both zeros; nan for nan."""
    if a > 0.0:
        return 1.0
    if a < 0.0:
        return -1.0
    return a if a != a else 0.0


def floordiv(a: cython.double, b: cython.double):
    """Python's a // b; nan for b = 0."""
    return _NAN if b == 0.0 else _floordiv(a, b)


def mod(a: cython.double, b: cython.double):
    """Python's a % b; nan for b = 0."""
    return _NAN if b == 0.0 else _mod(a, b)


def round_to(a: cython.double, digits: cython.double):
    """Python's round(a, digits)."""
    try:
        return _round(a, int(digits))
    except OverflowError:
        return _INF if a > 0.0 else -_INF


def ldexp(a: cython.double, b: cython.double):
    """a * 2**b, infinite where that overflows."""
    try:
        return _ldexp(a, int(b))
    except OverflowError:
        return _INF if a > 0.0 else -_INF


def ulp(a: cython.double):
    """The value of a's last bit."""
    return _ulp(a)


def hypot(a: cython.double, b: cython.double):
    """Python's hypot, which is more exact than most libm's."""
    return _hypot(a, b)


def gamma(a: cython.double):
    """Python's gamma; infinite on overflow, nan at the poles."""
    try:
        return _gamma(a)
    except OverflowError:
        return _INF
    except ValueError:
        return _NAN


def lgamma(a: cython.double):
    """Python's lgamma; infinite on overflow and at the poles."""
    try:
        return _lgamma(a)
    except (OverflowError, ValueError):
        return _INF


def polygamma(order: cython.double, x: cython.double):
    """The derivative of digamma of the given order at x; digamma itself for order 0.

    Recurrence to large x, then the asymptotic series (Abramowitz and Stegun 6.3.18, 6.4.11);
    reflection (6.3.7, 6.4.7) for negative x.  Nan at the poles 0, -1, -2, ...
    """
    try:
        return _polygamma(int(order), x)
    except (OverflowError, ValueError, ZeroDivisionError):
        return _NAN


def _polygamma(n, x):
    if x != x or x == -_INF:
        return _NAN
    if x == _INF:
        return _INF if n == 0 else 0.0
    if x <= 0.0:
        if x == math.floor(x):
            return _NAN
        return (-1) ** n * _polygamma(n, 1.0 - x) - _PI ** (n + 1) * _cot_derivative(n, x)
    terms = []
    alternating = (-1) ** n * _factorial(n)
    while x < 15.0 + n:
        # 1 / x**(n + 1) overflows before x**(n + 1) would vanish.
        terms.append(-alternating * _inverse_power(x, n + 1))
        x += 1.0
    # In powers of 1/x, which go to 0 where those of x would overflow.
    y = 1.0 / x
    if n == 0:
        series = [_log(x), -0.5 * y]
        series += [-b / (2 * k) * y ** (2 * k) for k, b in enumerate(_BERNOULLI, 1)]
    else:
        s = -((-1) ** n)
        series = [
            s * _factorial(n - 1) * _inverse_power(x, n),
            s * 0.5 * _factorial(n) * _inverse_power(x, n + 1),
        ]
        series += [
            s * b * (_factorial(2 * k + n - 1) / _factorial(2 * k)) * y ** (2 * k + n)
            for k, b in enumerate(_BERNOULLI, 1)
        ]
    if any(map(math.isinf, terms)):
        return terms[0]
    return math.fsum(terms + series)


def _inverse_power(x, n):
    """1 / x**n, one rounding where x**n is in range; inf or 0 where it is not."""
    try:
        return 1.0 / x**n
    except OverflowError:
        return 0.0
    except ZeroDivisionError:
        return _INF


def _cot_derivative(n, x):
    """The n-th derivative of cot(t) at t = pi x, as a polynomial in cot: cot' = -(1 + cot^2)."""
    f = x - _round(x)
    # Near the half integers cot is small: there its digits are those of tan(pi (1/2 - f)).
    near_pole = abs(f) < 0.25
    c = 1.0 / _tan(_PI * f) if near_pole else math.copysign(_tan(_PI * (0.5 - abs(f))), f)
    polynomial = [0.0, 1.0]
    for _ in range(n):
        slope = [k * p for k, p in enumerate(polynomial)][1:]
        polynomial = [-p - q for p, q in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope], strict=True)]
    try:
        return sum(p * c**k for k, p in enumerate(polynomial) if p)
    except OverflowError:
        return polynomial[-1] * math.copysign(_INF, c) ** (n + 1)
