"""Every operation of the table against mpmath, and the three sweeps against each other.

The references below say what each operation *is*, independently of its formulas.  Derivatives come
from mpmath by differences at 200 digits, so they are exact for our purposes.
"""

import itertools
import math
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import pytest
from mpmath import mp, mpf

import tapead
from tapead import elementary, partials, products, scalar, second_order
from tapead.elementary import CODES, OPS

DIGITS = 60
# The bounds follow what mpmath shows over all points below, in units of 2**-52.  Most operations:
# values 1.0, first partials 2.4, second 5.7 (both cbrt, whose v is a rounded number to the fifth).
RTOL = 2e-15
# erf and erfc: 77.6, from exp(-x*x): at x = 26.3 one ulp of the exponent is 5e-14.
# gamma and its kin: 23, at -0.5, where digamma is a sum of numbers that cancel to a hundredth.
LOOSER = {"erf": 2e-14, "erfc": 2e-14, "gamma": 1e-14, "lgamma": 1e-14, "polygamma": 1e-14}
# Differentiating these formulas once more makes two terms of this size cancel: 1/v - a*a/v**3 for
# hypot, 1/(1 - a) - 1/(1 + a) for the others.  (The table's own second partials do not cancel.)
CANCELING = {
    "hypot": lambda a, b: 4.0 / math.hypot(a, b),
    **dict.fromkeys(("asin", "acos", "atanh"), lambda a: 4.0),
}
# Digits that differences are taken with; a slope below the last of them is none.
DIGITS = 200


class Case(NamedTuple):
    """One operation: what it computes, and where that is checked.

    ``slopes`` is what its partials differentiate, where that is not ``f``; ``held`` names the
    operands that are constants by definition.
    """

    f: Callable | None
    points: tuple
    slopes: Callable | None = None
    held: str = ""


def _lgamma(a):
    return mp.loggamma(a) if a > 0 else mp.log(abs(mp.gamma(a)))


def _trunc(a):
    return mp.floor(a) if a >= 0 else mp.ceil(a)


def _singles(*numbers):
    return tuple((a,) for a in numbers)


def _pairs(first, second):
    return tuple(itertools.product(first, second))


# fmt: off
ANY = _singles(-1e200, -37.25, -1.5, -1e-9, 1e-300, 0.3, 1.0, 2.718, 1e5, 1e300)
POSITIVE = _singles(1e-100, 1e-9, 0.3, 0.999, 1.0, 1.001, 2.5, 1e5, 1e100)
ANGLES = _singles(-30.0, -3.0, -1.0, -1e-6, 0.0, 0.5, 1.5, 2.0, 3.1, 10.0, 1e5)
MODEST = _singles(-20.0, -3.0, -1.0, -1e-6, 0.0, 0.5, 1.45, 1.5, 2.0, 10.0, 300.0, 700.0)
INSIDE = _singles(-0.999999, -0.9, -0.5, -1e-6, 0.0, 1e-9, 0.3, 0.75, 0.99, 1.0 - 2.0**-40)
UNEVEN = _pairs((-7.3, -0.4, 0.1, 2.6, 1e6 + 0.3), (-2.2, -0.7, 0.3, 1.9, 1e4 + 0.1))
PLANE = (
    *_pairs((-3.0, -0.1, 1e-9, 0.7, 2e3), (-2.0, -0.3, 1e-9, 0.5, 4e3)),
    *_pairs((-1e200, 3e200), (2e200, -7e199)),
    *_pairs((-1e-200, 3e-200), (2e-200, -7e-199)),
)
QUOTIENTS = (
    *_pairs((-3e100, -3.0, 0.0, 0.1, 2e5), (-1e100, -1e-60, -0.7, 0.3, 3e50)),
    *((1e300, 1e200), (-1e-300, 1e-200)),
)
GAMMAS = _singles(
    -20.3, -7.5, -2.99, -1.5, -0.5, -0.1, -1e-4, 1e-5, 0.1, 0.5, 1.0, 2.0, 3.7, 40.5, 170.0
)

CASES: dict[str, Case] = {
    "input": Case(None, ((),)),
    "copy": Case(lambda a: a, ANY),
    "stop": Case(lambda a: a, ANY, slopes=lambda a: mpf(0)),
    "add": Case(lambda a, b: a + b, PLANE),
    "sub": Case(lambda a, b: a - b, PLANE),
    "mul": Case(lambda a, b: a * b, PLANE),
    "div": Case(lambda a, b: a / b, QUOTIENTS),
    "neg": Case(lambda a: -a, ANY),
    "abs": Case(abs, ANY),
    "powc": Case(
        lambda a, b: a**b,
        (
            *_pairs((1e-20, 0.3, 1.0, 2.5, 1e20), (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.7, 2.0, 3.0)),
            *_pairs((-1e20, -2.5, -1.0, -0.3), (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)),
        ),
        held="b",
    ),
    "pow": Case(
        lambda a, b: a**b,
        _pairs((1e-20, 0.3, 1.0, 2.5, 1e20), (-2.2, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0)),
    ),
    "floordiv": Case(lambda a, b: mp.floor(a / b), UNEVEN),
    "mod": Case(lambda a, b: a - b * mp.floor(a / b), UNEVEN),
    "round": Case(
        lambda a, b: mp.nint(a * mpf(10) ** b) / mpf(10) ** b,
        _pairs((-7.31, -0.4, 0.123456, 2.675, 1e6 + 0.3), (-1.0, 0.0, 1.0, 2.0, 5.0)),
        held="b",
    ),
    "sqrt": Case(mp.sqrt, POSITIVE),
    "cbrt": Case(lambda a: mp.sign(a) * mp.cbrt(abs(a)), ANY),
    "exp": Case(mp.exp, MODEST),
    "exp2": Case(lambda a: mpf(2) ** a, MODEST),
    "expm1": Case(mp.expm1, MODEST),
    "log": Case(mp.log, POSITIVE),
    "log2": Case(lambda a: mp.log(a, 2), POSITIVE),
    "log10": Case(mp.log10, POSITIVE),
    "log1p": Case(mp.log1p, _singles(-0.999999, -0.5, -1e-9, 0.0, 1e-12, 0.3, 2.0, 1e8, 1e100)),
    "sin": Case(mp.sin, ANGLES),
    "cos": Case(mp.cos, ANGLES),
    "tan": Case(mp.tan, ANGLES),
    "asin": Case(mp.asin, INSIDE),
    "acos": Case(mp.acos, INSIDE),
    "atan": Case(mp.atan, _singles(-1e20, -20.0, -1.0, -1e-6, 0.0, 0.5, 2.0, 1e5, 1e20)),
    "sinh": Case(mp.sinh, MODEST),
    "cosh": Case(mp.cosh, MODEST),
    "tanh": Case(mp.tanh, _singles(-40.0, -20.0, -1.4, -0.3, 0.0, 1e-9, 1.0, 1.48, 3.0, 19.0)),
    "asinh": Case(mp.asinh, _singles(-1e100, -37.25, -1.5, -1e-9, 0.0, 0.3, 2.718, 1e5, 1e100)),
    "acosh": Case(mp.acosh, _singles(1.0 + 2.0**-40, 1.001, 1.5, 3.0, 1e5, 1e100, 1e160, 1e300)),
    "atanh": Case(mp.atanh, INSIDE),
    "atan2": Case(mp.atan2, PLANE),
    "hypot": Case(mp.hypot, PLANE),
    "erf": Case(mp.erf, _singles(-9.5, -2.0, -0.3, -1e-9, 0.0, 0.5, 1.0, 3.1, 9.4)),
    "erfc": Case(mp.erfc, _singles(-6.1, -2.0, -0.3, -1e-9, 0.0, 0.5, 1.0, 3.1, 9.4, 26.3)),
    "gamma": Case(mp.gamma, GAMMAS),
    "lgamma": Case(_lgamma, (*GAMMAS, (1e3,), (1e12,), (1e14,), (1e100,), (1e300,))),
    "polygamma": Case(
        lambda a, b: mp.psi(int(a), b),
        _pairs((0.0, 1.0, 2.0), (-20.3, -2.9, -0.5, -0.1, 1e-5, 0.5, 1.0, 3.7, 1e3, 1e14)),
        held="a",
    ),
    "copysign": Case(lambda a, b: abs(a) * mp.sign(b), PLANE),
    "fmod": Case(lambda a, b: a - b * _trunc(a / b), UNEVEN),
    "remainder": Case(lambda a, b: a - b * mp.nint(a / b), UNEVEN),
    "ldexp": Case(
        lambda a, b: a * mpf(2) ** b, _pairs((-1.7, -1e-9, 0.3, 1e20), (-40.0, 0.0, 3.0)), held="b"
    ),
    "nextafter": Case(
        lambda a, b: mpf(math.nextafter(float(a), float(b))), PLANE, slopes=lambda a, b: a
    ),
    "ulp": Case(lambda a: mpf(math.ulp(float(a))), ANY, slopes=lambda a: mpf(0)),
    "frac": Case(lambda a: a - _trunc(a), _singles(-37.25, -1.5, -1e-9, 0.3, 2.718, 1e5 + 0.1)),
    "sign": Case(mp.sign, ANY),
    "floor": Case(mp.floor, _singles(-37.25, -1.5, -1e-9, 0.3, 2.718, 1e5 + 0.1)),
    "ceil": Case(mp.ceil, _singles(-37.25, -1.5, -1e-9, 0.3, 2.718, 1e5 + 0.1)),
    "trunc": Case(_trunc, _singles(-37.25, -1.5, -1e-9, 0.3, 2.718, 1e5 + 0.1)),
    "rint": Case(mp.nint, _singles(-37.25, -1.51, -1e-9, 0.3, 2.718, 1e5 + 0.1)),
    "exact_add": Case(lambda a, b: a + b, PLANE),
}
# fmt: on

# Where there is no derivative: op, operands, first partials, second partials.
INF, NAN = math.inf, math.nan
EDGES = [
    ("abs", (0.0,), (0.0,), (0.0,)),
    ("abs", (-0.0,), (0.0,), (0.0,)),
    ("hypot", (0.0, 0.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("sqrt", (0.0,), (INF,), (-INF,)),
    ("cbrt", (0.0,), (INF,), (-INF,)),
    ("powc", (0.0, 0.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("powc", (0.0, 0.5), (INF, 0.0), (-INF, 0.0, 0.0)),
    ("powc", (0.0, 1.0), (1.0, 0.0), (0.0, 0.0, 0.0)),
    ("powc", (0.0, 1.5), (0.0, 0.0), (INF, 0.0, 0.0)),
    ("powc", (0.0, 2.0), (0.0, 0.0), (2.0, 0.0, 0.0)),
    ("powc", (0.0, 3.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("pow", (0.0, 1.0), (1.0, 0.0), (0.0, -INF, 0.0)),
    ("pow", (0.0, 2.0), (0.0, 0.0), (2.0, 0.0, 0.0)),
    ("pow", (0.0, 3.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    # A negative base has a power at whole exponents only: nothing to differentiate along.
    ("pow", (-2.0, 3.0), (12.0, NAN), (-12.0, NAN, NAN)),
    ("asin", (1.0,), (INF,), (INF,)),
    ("asin", (-1.0,), (INF,), (-INF,)),
    ("acos", (1.0,), (-INF,), (-INF,)),
    ("acosh", (1.0,), (INF,), (-INF,)),
    # The angle of no direction: nan rather than a number.
    ("atan2", (0.0, 0.0), (NAN, NAN), (NAN, NAN, NAN)),
    ("floordiv", (6.0, 3.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("mod", (6.0, 3.0), (1.0, -2.0), (0.0, 0.0, 0.0)),
    ("mod", (-1e-20, 3.0), (1.0, 1.0), (0.0, 0.0, 0.0)),
    ("fmod", (6.0, 3.0), (1.0, -2.0), (0.0, 0.0, 0.0)),
    ("remainder", (4.5, 3.0), (1.0, -2.0), (0.0, 0.0, 0.0)),
    ("round", (2.5, 0.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("copysign", (0.0, -1.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("copysign", (2.0, -0.0), (-1.0, 0.0), (0.0, 0.0, 0.0)),
    ("nextafter", (1.0, 1.0), (1.0, 0.0), (0.0, 0.0, 0.0)),
    ("frac", (3.0,), (1.0,), (0.0,)),
    *[
        (op, (at,), (0.0,), (0.0,))
        for op in ("sign", "floor", "ceil", "trunc", "rint")
        for at in (0.0, 2.0, 2.5)
    ],
    ("ulp", (1.0,), (0.0,), (0.0,)),
]

POINTS = [
    pytest.param(op, point, id=f"{op.name}{point}")
    for op in OPS
    for point in (CASES[op.name].points if op.name in CASES else ())
    if op.arity
]


def _padded(point):
    return (*point, 0.0, 0.0)[:2]


def _value_by_formula(op, point):
    return partials.value(CODES[op.name], *_padded(point))


def _value(op, point):
    """The value of a row; of those without a formula, what whoever writes the row gives."""
    if not op.value:
        return float(CASES[op.name].f(*map(mpf, point)))
    return _value_by_formula(op, point)


def _first(op, point):
    return partials.first(CODES[op.name], *_padded(point), _value(op, point))[: op.arity]


def _second(op, point):
    daa, dab, dbb = partials.second(CODES[op.name], *_padded(point), _value(op, point))
    return (daa,) if op.arity == 1 else (daa, dab, dbb)


def _orders(arity, order):
    """The derivatives of an order as mpmath names them: (2,), or (2, 0), (1, 1), (0, 2)."""
    if arity == 1:
        return [(order,)]
    return [(order - k, k) for k in range(order + 1)]


def _reference(op, point, orders):
    """The derivative by mpmath, 0 along an operand that is a constant by definition."""
    case = CASES[op.name]
    if any(n and name in case.held for n, name in zip(orders, "ab", strict=False)):
        return 0.0
    f = case.slopes or case.f
    # By relative changes of the operands, so that one step suits every magnitude.
    scales = [mpf(x) or mpf(1) for x in point]

    def moved(*steps):
        return f(*(x + s * h for x, s, h in zip(point, scales, steps, strict=True)))

    with mp.workdps(DIGITS):
        slope = mp.diff(moved, (0,) * len(point), orders, h=mpf(10) ** (-DIGITS // 4))
        if abs(slope) < mpf(10) ** (-DIGITS // 4) * abs(moved(*(0 for _ in point))):
            return 0.0
        for scale, n in zip(scales, orders, strict=True):
            slope /= scale**n
        return float(slope)


def _exact_value(op, point):
    with mp.workdps(DIGITS):
        return float(CASES[op.name].f(*map(mpf, point)))


def _near(op, ours, theirs, atol=0.0):
    """Whether two numbers agree as well as the operation's should."""
    if math.isinf(theirs) or ours == theirs:
        return ours == theirs
    return abs(ours - theirs) <= LOOSER.get(op.name, RTOL) * abs(theirs) + atol


def _near_or_overflown(op, ours, theirs, atol=0.0):
    """For derivatives of formulas: where one overflows they give inf or nan, never a number."""
    if math.isinf(theirs):
        return not math.isfinite(ours)
    return _near(op, ours, theirs, atol)


def _same(ours, theirs):
    return ours == theirs or (math.isnan(ours) and math.isnan(theirs))


# ----------------------------------------------------------------------- the table itself ---


def test_every_operation_has_points_and_every_case_an_operation():
    # What reads and writes arrays is no operation on numbers; test_record sees to it.
    assert set(CASES) == {op.name for op in OPS} - {"array", "element", "store"}
    assert len({op.name for op in OPS}) == len(OPS)
    for op in OPS[: len(CASES)]:
        assert CASES[op.name].points
        assert all(len(point) == op.arity for point in CASES[op.name].points)


def test_partials_py_is_what_the_table_writes():
    written = pathlib.Path(elementary.__file__).with_name("partials.py").read_text()
    assert written == elementary.partials_source()


@pytest.mark.parametrize(("op", "point"), [p for p in POINTS if p.values[0].value])
def test_value_is_mpmaths(op, point):
    exact = _exact_value(op, point)
    assert _near(op, partials.value(CODES[op.name], *_padded(point)), exact)


@pytest.mark.parametrize(("op", "point"), POINTS)
def test_first_partials_are_mpmaths(op, point):
    exact = [_reference(op, point, orders) for orders in _orders(op.arity, 1)]
    for ours, theirs in zip(_first(op, point), exact, strict=True):
        assert _near(op, ours, theirs), (ours, theirs)


@pytest.mark.parametrize(("op", "point"), POINTS)
def test_second_partials_are_mpmaths(op, point):
    exact = [_reference(op, point, orders) for orders in _orders(op.arity, 2)]
    for ours, theirs in zip(_second(op, point), exact, strict=True):
        assert _near(op, ours, theirs), (ours, theirs)


@pytest.mark.parametrize(("name", "point", "first", "second"), EDGES)
def test_edges_follow_the_conventions(name, point, first, second):
    op = OPS[CODES[name]]
    for ours, theirs in zip((*_first(op, point), *_second(op, point)), first + second, strict=True):
        assert _same(ours, theirs), (ours, theirs)


AWKWARD = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e308, -1e308, 5e-324, -5e-324, INF, -INF, NAN)


@pytest.mark.parametrize("op", [op for op in OPS if op.arity], ids=lambda op: op.name)
def test_formulas_give_a_float_everywhere_and_never_raise(op, capfd):
    """Compiled code cannot raise: it would say so on stderr and go on with 0."""
    # Digits and exponents are whole, and so is the order of a polygamma.
    whole = (-3.0, 0.0, 2.0)
    first = (0.0, 1.0, 2.0) if "a" in CASES[op.name].held else AWKWARD
    second = whole if op.name in ("round", "ldexp") else AWKWARD
    for a, b in itertools.product(first, second if op.arity == 2 else (0.0,)):
        v = partials.value(CODES[op.name], a, b)
        slopes = partials.first(CODES[op.name], a, b, v)
        curvatures = partials.second(CODES[op.name], a, b, v)
        assert {type(x) for x in (v, *slopes, *curvatures)} == {float}
    assert capfd.readouterr().err == ""


# Orders 0 to 4, through what callers use: the value itself is what the sweeps of lgamma need.
POLYGAMMA_AT = (
    1e-300, 1e-100, 1e-10, 1e-3, 0.25, 0.9, 1.0, 1.4, 2.0, 3.5, 9.9, 14.9, 15.0, 20.1, 100.7, 1e4,
    1e8, 1e12, 1e13, 1e20, 1e100, 1e300, -1e-300, -1e-10, -0.01, -0.25, -0.5, -0.75, -0.99, -1.5,
    -2.0001, -3.5, -10.3, -25.5, -100.4, -1000.2,
)  # fmt: skip


@pytest.mark.parametrize("order", range(5))
@pytest.mark.parametrize("x", POLYGAMMA_AT)
def test_polygamma_is_mpmaths(order, x):
    op = OPS[CODES["polygamma"]]
    exact = _exact_value(op, (float(order), x))
    ours = partials.value(CODES["polygamma"], float(order), x)
    assert _near(op, ours, exact), (ours, exact)


@pytest.mark.parametrize("x", [1.46, 1.4616321, -0.504083, -1.573498])
def test_digamma_keeps_its_absolute_error_near_its_zeros(x):
    """It is a sum of numbers near 1 there, and the argument's own rounding is worth 2e-16."""
    exact = _exact_value(OPS[CODES["polygamma"]], (0.0, x))
    assert abs(partials.value(CODES["polygamma"], 0.0, x) - exact) <= 8e-16


@pytest.mark.parametrize("order", range(5))
@pytest.mark.parametrize("pole", [0.0, -0.0, -1.0, -2.0, -50.0, -1e20, -INF, NAN])
def test_polygamma_has_no_value_at_its_poles(order, pole):
    assert math.isnan(partials.value(CODES["polygamma"], float(order), pole))


# ----------------------------------------------------------------------------- the sweeps ---


def _tracked_operands(op):
    """Which operands can be variables: every choice of them but none."""
    free = [name for name in "ab"[: op.arity] if name not in CASES[op.name].held]
    counts = range(1, len(free) + 1)
    return ["".join(names) for n in counts for names in itertools.combinations(free, n)]


def _row_of(op, point, tracked):
    """A function of the tracked operands that is one row, the rest being constants."""
    value = _value_by_formula if op.value else _value  # which reaches all of mpmath

    def f(*variables):
        given = iter(variables)
        operands = [
            next(given) if name in tracked else x for name, x in zip("ab", point, strict=False)
        ]
        v = value(op, tuple(map(tapead.value, operands)))
        write = scalar.write if op.arity == 1 else scalar.write2
        return write(CODES[op.name], *operands, v)

    return f, [x for name, x in zip("ab", point, strict=False) if name in tracked]


SWEEPS = [
    pytest.param(*p.values, tracked, id=f"{p.id}-{tracked}")
    for p in POINTS
    for tracked in _tracked_operands(p.values[0])
]


@pytest.mark.parametrize(("op", "point", "tracked"), SWEEPS)
def test_reverse_forward_and_recorded_sweeps_give_the_partials(op, point, tracked):
    f, variables = _row_of(op, point, tracked)
    expected = [s for name, s in zip("ab", _first(op, point), strict=False) if name in tracked]
    every = tuple(range(len(variables)))
    tape = tapead.record(f, *variables)
    assert tape.adjoints()[: len(every)].tolist() == expected
    assert [tape.tangents(k)[-1] for k in every] == expected
    assert list(tapead.grad(f, argnums=every)(*variables)) == expected
    for k in every:
        inner = tapead.grad(f, argnums=k)
        value, _ = tapead.value_and_grad(inner, argnums=every)(*variables)
        assert value == expected[k]


@pytest.mark.parametrize(("op", "point", "tracked"), SWEEPS)
def test_the_derivative_of_the_recorded_sweep_is_the_second_partials(op, point, tracked):
    f, variables = _row_of(op, point, tracked)
    daa, dab, dbb = (*_second(op, point), 0.0, 0.0)[:3]
    hessian = {"aa": daa, "ab": dab, "ba": dab, "bb": dbb}
    atol = 2.0**-52 * CANCELING[op.name](*point) if op.name in CANCELING else 0.0
    every = tuple(range(len(variables)))
    for k, name in enumerate(tracked):
        rows = tapead.grad(tapead.grad(f, argnums=k), argnums=every)(*variables)
        for ours, other in zip(rows, tracked, strict=True):
            theirs = hessian[name + other]
            assert _near_or_overflown(op, ours, theirs, atol), (name + other, ours, theirs)


THIRD = [
    op
    for op in OPS
    if op.arity == 1 and op.value and CASES[op.name].slopes is None and op.name not in ("ulp",)
]


@pytest.mark.parametrize("op", THIRD, ids=lambda op: op.name)
def test_third_derivatives_come_from_the_same_formulas(op):
    for point in CASES[op.name].points:
        f, variables = _row_of(op, point, "a")
        exact = _reference(op, point, (3,))
        ours = tapead.grad(tapead.grad(tapead.grad(f)))(*variables)
        assert _near_or_overflown(op, ours, exact), (point, ours, exact)


@pytest.mark.parametrize(("name", "point", "first", "second"), [e for e in EDGES if len(e[1]) == 1])
def test_sweeps_keep_the_conventions_at_edges(name, point, first, second):
    op = OPS[CODES[name]]
    f, variables = _row_of(op, point, "a")
    assert tapead.grad(f)(*variables) == first[0]
    assert tapead.grad(tapead.grad(f))(*variables) == second[0]


# --------------------------------------------------- forward mode, and native second order ---


def _units(n):
    return [tuple(float(j == k) for j in range(n)) for k in range(n)]


def _hessian(op, point, tracked):
    """The table's second partials by what is tracked."""
    daa, dab, dbb = (*_second(op, point), 0.0, 0.0)[:3]
    found = {"aa": daa, "ab": dab, "ba": dab, "bb": dbb}
    return [[found[name + other] for other in tracked] for name in tracked]


def _listed(x):
    return list(x) if isinstance(x, tuple) else [x]


@pytest.mark.parametrize(("op", "point", "tracked"), SWEEPS)
def test_forward_mode_without_a_tape_is_the_forward_sweep(op, point, tracked, monkeypatch):
    f, variables = _row_of(op, point, tracked)
    _, derivative = tapead.linearize(f, *variables)
    monkeypatch.setattr(products, "_traced", None)  # what would record
    direction = (0.7, -1.3)[: len(variables)]
    value, ours = tapead.jvp(f, variables, direction)
    assert type(value) is type(ours) is float
    assert _same(value, _value(op, point))
    assert _same(ours, derivative(*direction))


@pytest.mark.parametrize(("op", "point", "tracked"), SWEEPS)
def test_native_second_order_is_the_second_partials(op, point, tracked, monkeypatch):
    f, variables = _row_of(op, point, tracked)
    monkeypatch.setattr(second_order, "sweeps_recorded", None)  # what would record a sweep
    expected = _hessian(op, point, tracked)
    columns = [_listed(tapead.hvp(f, variables, unit)) for unit in _units(len(variables))]
    assert columns == expected
    whole = tapead.hessian(f, argnums=tuple(range(len(variables))))(*variables)
    assert [list(row) for row in whole] == expected


@pytest.mark.parametrize(("op", "point", "tracked"), SWEEPS)
def test_native_second_order_agrees_with_the_gradient_of_the_gradient(op, point, tracked):
    """Of a function in which the row stands between others."""
    row, variables = _row_of(op, point, tracked)
    every = tuple(range(len(variables)))

    def f(*xs):
        y = row(*[1.0 * x for x in xs])
        return y * (3.0 + 0.5 * y)

    value = _value(op, point)
    slopes = [s for name, s in zip("ab", _first(op, point), strict=False) if name in tracked]
    atol = 2.0**-52 * CANCELING[op.name](*point) if op.name in CANCELING else 0.0
    for k, unit in enumerate(_units(len(variables))):
        native = _listed(tapead.hvp(f, variables, unit))
        nested = tapead.grad(tapead.grad(f, argnums=k), argnums=every)(*variables)
        for j, second in enumerate(_hessian(op, point, tracked)[k]):
            terms = (slopes[j] * slopes[k], (3.0 + value) * second)
            size = abs(terms[0]) + abs(terms[1])
            # Where a factor is too large or too small there is nothing to compare.
            if size == 0.0 or 1e-200 < size < 1e200:
                near = 1e-12 * size + atol * abs(3.0 + value)
                assert abs(native[j] - sum(terms)) <= near, (native[j], terms)
                assert abs(native[j] - nested[j]) <= near, (native[j], nested[j])


@pytest.mark.parametrize(("name", "point", "first", "second"), EDGES)
def test_forward_and_second_order_sweeps_keep_the_conventions(name, point, first, second):
    op = OPS[CODES[name]]
    tracked = _tracked_operands(op)[-1]
    f, variables = _row_of(op, point, tracked)
    expected = [s for s, operand in zip(first, "ab", strict=False) if operand in tracked]
    hessian = _hessian(op, point, tracked)
    for k, unit in enumerate(_units(len(variables))):
        assert _same(tapead.jvp(f, variables, unit)[1], expected[k])
        for ours, theirs in zip(_listed(tapead.hvp(f, variables, unit)), hessian[k], strict=True):
            assert _same(ours, theirs), (ours, theirs)
