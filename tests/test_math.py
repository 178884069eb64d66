"""Every name of the running Python's math: values, errors and gradients.

`SMOOTH` holds the functions that carry derivatives, `STEPWISE` those that only look at their
arguments or return integers.  A name of `dir(math)` that is in neither makes the first test fail.
"""

import importlib
import math
import math as renamed
import sys
from collections.abc import Callable
from math import atan2, sin
from typing import NamedTuple

import pytest
from mpmath import mp, mpf

import tapead

# What mpmath shows: 5 units of 2**-52 but for the gamma family (23, see test_elementary.py) and
# sums of three terms and more, where the reference rounds once and the sweep for each term.
RTOL = 2e-15
LOOSER = {"gamma": 1e-14, "lgamma": 1e-14}
INF, NAN = math.inf, math.nan


class Case(NamedTuple):
    """A function of math, on flat arguments.

    ``reference`` is the same function of mpmath numbers; ``call`` turns flat numbers into the
    arguments; ``part`` picks the number to differentiate out of the result; ``held`` counts the
    last arguments that are never tracked.
    """

    reference: Callable
    points: tuple
    errors: tuple = ()
    call: Callable = lambda *xs: xs
    part: Callable = lambda result: result
    held: int = 0


def _ones(*numbers):
    return tuple((x,) for x in numbers)


def _trunc(a):
    return mp.floor(a) if a >= 0 else mp.ceil(a)


def _halves(xs):
    xs = list(xs)
    return xs[: len(xs) // 2], xs[len(xs) // 2 :]


def _distance(*xs):
    p, q = _halves(xs)
    return mp.sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True)))


def _frexp_exponent(x):
    return math.frexp(float(x))[1]


ANY = _ones(-2.5, -0.3, 1e-9, 0.7, 1.0, 3.0, 12.25)
POSITIVE = _ones(1e-9, 0.3, 1.0, 2.5, 1e5)
INSIDE = _ones(-0.9, -1e-9, 0.0, 0.3, 0.99)
PAIRS = ((2.5, 1.5), (-0.7, 2.2), (7.25, -1.3), (-9.5, -0.4))
LISTS = ((0.1,), (0.1, -2.5), (0.1, 0.2, 0.3), (1e16, 1.0, -1e16, 0.25), (3.0, -4.0, 12.0, 84.0))
# Errors at the ends of the range, for most functions.
ENDS = _ones(INF, -INF, NAN, 0.0, -0.0, 1e308, -1e308, 1000.0, -1000.0, 1.0, -1.0, 1.5, -1.5)

SMOOTH: dict[str, Case] = {
    "acos": Case(mp.acos, INSIDE, ENDS),
    "acosh": Case(mp.acosh, _ones(1.001, 2.0, 1e5), ENDS),
    "asin": Case(mp.asin, INSIDE, ENDS),
    "asinh": Case(mp.asinh, ANY, ENDS),
    "atan": Case(mp.atan, ANY, ENDS),
    "atan2": Case(mp.atan2, PAIRS, ((0.0, 0.0), (INF, -INF), (1.0, 0.0), (-0.0, -1.0), (NAN, 1.0))),
    "atanh": Case(mp.atanh, INSIDE, ENDS),
    "cbrt": Case(lambda a: mp.sign(a) * mp.cbrt(abs(a)), ANY, ENDS),
    "copysign": Case(lambda a, b: abs(a) * mp.sign(b), PAIRS, ((INF, -1.0), (0.0, -0.0))),
    "cos": Case(mp.cos, ANY, ENDS),
    "cosh": Case(mp.cosh, ANY, ENDS),
    "degrees": Case(mp.degrees, ANY, ENDS),
    "dist": Case(
        _distance,
        ((1.0, 4.0), (1.0, 2.0, 4.0, 6.0), (0.5, -1.0, 2.0, 3.5, 1.0, -2.0)),
        ((INF, 1.0), (NAN, 1.0), (1e308, -1e308), (1.0, 1.0)),
        call=lambda *xs: _halves(xs),
    ),
    "erf": Case(mp.erf, ANY, ENDS),
    "erfc": Case(mp.erfc, ANY, ENDS),
    "exp": Case(mp.exp, ANY, ENDS),
    "exp2": Case(lambda a: mpf(2) ** a, ANY, (*ENDS, (1024.0,))),
    "expm1": Case(mp.expm1, ANY, ENDS),
    "fabs": Case(abs, ANY, ENDS),
    "fma": Case(
        lambda a, b, c: a * b + c,
        ((2.0, 3.0, -5.5), (1.0 + 2.0**-30, 1.0 - 2.0**-30, -1.0)),
        ((INF, 0.0, 1.0), (1e308, 10.0, 0.0), (INF, 1.0, -INF), (NAN, 1.0, 1.0)),
    ),
    "fmod": Case(
        lambda a, b: a - b * _trunc(a / b), PAIRS, ((1.0, 0.0), (INF, 1.0), (1.0, INF), (NAN, 1.0))
    ),
    "frexp": Case(
        lambda a: a * mpf(2) ** -_frexp_exponent(a),
        ANY,
        (*ENDS, (5e-324,)),
        part=lambda result: result[0],
    ),
    "fsum": Case(
        lambda *xs: sum(xs, mpf(0)),
        LISTS,
        ((INF, -INF), (1e308, 1e308), (NAN, 1.0), (INF, 1.0)),
        call=lambda *xs: (list(xs),),
    ),
    "gamma": Case(mp.gamma, _ones(-2.5, -0.3, 0.3, 1.0, 3.7, 20.5), (*ENDS, (172.0,))),
    "hypot": Case(
        lambda *xs: mp.sqrt(sum(x * x for x in xs)),
        LISTS,
        ((0.0, 0.0), (INF, NAN), (1e308, 1e308), (1.7e308, 1.7e308), (3e-324, 4e-324), (-3.0,)),
    ),
    "ldexp": Case(
        lambda a, b: a * mpf(2) ** int(b),
        ((0.3, 4), (-2.5, -3), (1.0, 0), (1.5, True)),
        ((1.0, 2000), (INF, 2000), (1.0, -2000), (0.0, 10**400), (1.0, -(10**400)), (1.0, 10**400)),
        held=1,
    ),
    "lgamma": Case(
        lambda a: mp.log(abs(mp.gamma(a))),
        _ones(-2.5, -0.3, 0.3, 1.0, 3.7, 20.5, 1e15),
        (*ENDS, (1e306,)),
    ),
    "log": Case(
        lambda a, b=None: mp.log(a) if b is None else mp.log(a) / mp.log(b),
        (*POSITIVE, (8.0, 2.0), (0.3, 10.0), (5.0, 0.5), (2.0, 3)),
        (*ENDS, (2.0, 1.0), (2.0, 0.0), (2.0, -1.0), (-2.0, 3.0), (INF, 2.0), (2.0, INF)),
    ),
    "log10": Case(mp.log10, POSITIVE, ENDS),
    "log1p": Case(mp.log1p, (*POSITIVE, (-0.5,)), ENDS),
    "log2": Case(lambda a: mp.log(a, 2), POSITIVE, ENDS),
    "modf": Case(
        lambda a: a - _trunc(a), _ones(-2.5, -0.3, 0.7, 12.25), ENDS, part=lambda result: result[0]
    ),
    "nextafter": Case(lambda a, b: a, PAIRS, ((1.0, 1.0), (INF, 0.0), (1e308, INF), (NAN, 1.0))),
    "pow": Case(
        lambda a, b: a**b,
        ((2.5, 1.5), (0.3, -2.0), (1.0, 3.0), (7.0, 0.5)),
        ((0.0, -1.0), (-8.0, 1.0 / 3.0), (1e200, 2.0), (0.0, 0.0), (-INF, 3.0), (1.0, NAN)),
    ),
    "prod": Case(
        lambda *xs: mp.fprod(xs),
        LISTS,
        ((INF, 0.0), (1e308, 10.0), (0.0, 5.0), (NAN, 1.0)),
        call=lambda *xs: (list(xs),),
    ),
    "radians": Case(mp.radians, ANY, ENDS),
    "remainder": Case(
        lambda a, b: a - b * mp.nint(a / b), PAIRS, ((1.0, 0.0), (INF, 1.0), (1.0, INF), (NAN, 1.0))
    ),
    "sin": Case(mp.sin, ANY, ENDS),
    "sinh": Case(mp.sinh, ANY, ENDS),
    "sqrt": Case(mp.sqrt, POSITIVE, ENDS),
    "sumprod": Case(
        lambda *xs: sum((a * b for a, b in zip(*_halves(xs), strict=True)), mpf(0)),
        ((2.0, 3.0), (1.0, 2.0, 4.0, 6.0), (0.1, 0.2, 0.3, 10.0, -5.0, 0.7)),
        ((INF, 0.0), (1e308, 10.0), (INF, -INF, 1.0, 1.0), (NAN, 1.0)),
        call=lambda *xs: _halves(xs),
    ),
    "tan": Case(mp.tan, ANY, ENDS),
    "tanh": Case(mp.tanh, ANY, ENDS),
    "ulp": Case(lambda a: mpf(0), ANY, ENDS),
}

# Arguments as floats; where math takes no float, both must say TypeError.
STEPWISE: dict[str, tuple] = {
    "ceil": ((2.5,), (-0.5,), (INF,), (NAN,)),
    "comb": ((5.0, 2.0),),
    "factorial": ((5.0,), (2.5,)),
    "floor": ((2.5,), (-0.5,), (INF,), (NAN,)),
    "gcd": ((12.0, 18.0),),
    "isclose": ((1.0, 1.0 + 1e-10), (1.0, 1.1), (NAN, NAN), (INF, INF)),
    "isfinite": ((1.0,), (INF,), (NAN,)),
    "isinf": ((1.0,), (INF,), (NAN,)),
    "isnan": ((1.0,), (INF,), (NAN,)),
    "isqrt": ((9.0,),),
    "lcm": ((4.0, 6.0),),
    "perm": ((5.0, 2.0),),
    "trunc": ((2.5,), (-2.5,), (INF,), (NAN,)),
}
CONSTANTS = {"e", "inf", "nan", "pi", "tau"}
NAMES = [name for name in dir(math) if not name.startswith("_")]
PRESENT = [name for name in SMOOTH if name in NAMES]


def outcome(f, *args):
    """The result to the bit, or the error, of a call."""
    try:
        result = tapead.value(f(*args))
    except Exception as error:
        return "raised", type(error), str(error)
    flat = result if isinstance(result, tuple) else (result,)
    return "gave", [(type(x), x.hex() if type(x) is float and x == x else str(x)) for x in flat]


def function(name, part=None):
    """math's function of that name on flat arguments, as ordinary code would call it."""
    case = SMOOTH[name]

    def f(*xs):
        result = getattr(math, name)(*case.call(*xs))
        return result if part is None else part(result)

    return f


def choices(case, point):
    """Which arguments are tracked: each one alone, and all of them."""
    free = len(point) - case.held
    return sorted({tuple(range(free)), *((k,) for k in range(free))})


def tracked_outcome(f, args, which):
    """The outcome of f when those of its arguments are tracked."""
    outcomes = []

    def recorded(*xs):
        outcomes.append(outcome(f, *xs))
        return 0.0

    tapead.grad(recorded, argnums=which)(*args)
    return outcomes[-1]


def test_every_name_of_math_is_in_one_table():
    assert set(NAMES) <= SMOOTH.keys() | STEPWISE.keys() | CONSTANTS
    assert not SMOOTH.keys() & STEPWISE.keys()


def test_tapead_math_has_every_name_and_its_documentation():
    assert set(NAMES) == set(tapead.math.__all__)
    for name in NAMES:
        ours, theirs = getattr(tapead.math, name), getattr(math, name)
        if name in CONSTANTS:
            assert ours is theirs
        else:
            assert (ours.__name__, ours.__doc__) == (theirs.__name__, theirs.__doc__)


@pytest.mark.parametrize("name", PRESENT)
def test_values_and_errors_are_maths(name):
    case = SMOOTH[name]
    f = function(name)
    for point in case.points + case.errors:
        expected = outcome(f, *point)
        for which in choices(case, point):
            assert tracked_outcome(f, point, which) == expected, (point, which)


@pytest.mark.parametrize("name", PRESENT)
def test_plain_numbers_get_maths_own_results_from_the_drop_in(name):
    case = SMOOTH[name]
    for point in case.points + case.errors:
        ours = outcome(lambda *xs: getattr(tapead.math, name)(*case.call(*xs)), *point)
        assert ours == outcome(function(name), *point)


@pytest.mark.parametrize("name", PRESENT)
def test_gradients_are_mpmaths(name):
    case = SMOOTH[name]
    f = function(name, case.part)
    for point in case.points:
        with mp.workdps(60):
            slopes = [
                float(mp.diff(case.reference, tuple(map(mpf, point)), _unit(len(point), k)))
                for k in range(len(point) - case.held)
            ]
        for which in choices(case, point):
            ours = tapead.grad(f, argnums=which)(*point)
            expected = [slopes[k] for k in which]
            assert list(ours) == pytest.approx(expected, rel=LOOSER.get(name, RTOL), abs=1e-18)


def _unit(n, k):
    return tuple(int(i == k) for i in range(n))


@pytest.mark.parametrize("name", PRESENT)
def test_hessians_are_mpmaths(name):
    """Chains of rows too: hypot and dist of several numbers, sums, products, log to a base."""
    case = SMOOTH[name]
    f = function(name, case.part)
    for point in case.points:
        free = range(len(point) - case.held)
        for k in free:
            ours = tapead.grad(tapead.grad(f, argnums=k), argnums=tuple(free))(*point)
            with mp.workdps(60):
                exact = [float(_second(case.reference, point, k, j)) for j in free]
            # Differentiated twice, asin, acos, atanh and hypot subtract terms of the size of 1.
            scale = max(1e-1, *map(abs, exact))
            assert list(ours) == pytest.approx(exact, rel=RTOL, abs=1e-14 * scale), (point, k)


@pytest.mark.parametrize("name", PRESENT)
def test_forward_mode_and_native_second_order_agree_with_nested_gradients(name):
    case = SMOOTH[name]
    f = function(name, case.part)
    for point in case.points:
        n = len(point) - case.held
        every, free, held = tuple(range(n)), point[:n], point[n:]

        def g(*xs, f=f, held=held):
            return f(*xs, *held)

        gradient = tapead.grad(g, argnums=every)(*free)
        for k in every:
            value, slope = tapead.jvp(g, free, _unit(n, k))
            assert value == f(*point)
            assert slope == pytest.approx(gradient[k], rel=1e-15, abs=0.0)
            product = tapead.hvp(g, free, _unit(n, k))
            native = product if n > 1 else (product,)
            nested = tapead.grad(tapead.grad(g, argnums=k), argnums=every)(*free)
            scale = max(1e-1, *map(abs, nested))
            assert native == pytest.approx(nested, rel=RTOL, abs=1e-14 * scale), (point, k)


def _second(reference, point, k, j):
    orders = [a + b for a, b in zip(_unit(len(point), k), _unit(len(point), j), strict=True)]
    return mp.diff(reference, tuple(map(mpf, point)), tuple(orders))


@pytest.mark.parametrize("name", STEPWISE)
def test_decisions_and_integers_are_maths(name):
    f = getattr(math, name)
    for point in STEPWISE[name]:
        expected = outcome(f, *point)
        for which in {tuple(range(len(point))), (0,)}:
            ours = tracked_outcome(lambda *xs: getattr(math, name)(*xs), point, which)
            assert ours[:2] == expected[:2]


def test_isclose_takes_its_keywords():
    f = math.isclose
    for tolerance in (1e-3, 1e-1):
        ours = tapead.grad(lambda x, t=tolerance: x if f(x, 1.01, rel_tol=t) else 0.0)(1.0)
        assert ours == float(f(1.0, 1.01, rel_tol=tolerance))
    assert tapead.grad(lambda x: x if math.isclose(1.0, 1.5, abs_tol=x) else 0.0)(2.0) == 1.0


WRONG = {
    "no argument": (),
    "text": ("text",),
    "None": (None,),
    "a list": ([1.0],),
    "too many": (1.0,) * 7,
}


@pytest.mark.parametrize("name", PRESENT)
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments_beside_a_tracked_one_get_the_error_of_math(name, wrong):
    original = getattr(math, name)
    expected = outcome(original, 2.0, *WRONG[wrong])
    ours = tracked_outcome(lambda x: getattr(math, name)(x, *WRONG[wrong]), (2.0,), (0,))
    # Python and C word a wrong number of arguments differently.
    assert ours[:2] == expected[:2]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("hypot", ("text",)),
        ("atan2", (None,)),
        ("fmod", ([],)),
        ("pow", ("text",)),
        ("copysign", (None,)),
        ("log", ("text",)),
        ("ldexp", (2.0,)),
        ("remainder", ("text",)),
    ],
)
def test_operands_that_are_no_numbers_get_the_words_of_math(name, arguments):
    expected = outcome(getattr(math, name), 2.0, *arguments)
    ours = tracked_outcome(lambda x: getattr(math, name)(x, *arguments), (2.0,), (0,))
    assert ours == expected


# --------------------------------------------------------------- functions with more to them ---


def test_prod_takes_a_start_tracked_or_not():
    assert tapead.grad(lambda x: math.prod([x, 2.0], start=3))(5.0) == 6.0
    assert tapead.grad(lambda x: math.prod([2, 3], start=x))(5.0) == 6.0
    assert tapead.grad(lambda x: math.prod((), start=x))(5.0) == 1.0


def test_prod_with_a_zero_factor_keeps_the_other_derivatives():
    f = lambda *xs: math.prod(xs)  # noqa: E731
    assert tapead.grad(f, argnums=(0, 1, 2))(0.0, 3.0, 4.0) == (12.0, 0.0, 0.0)


def test_hypot_at_the_origin_has_slope_zero_by_convention():
    every = (0, 1, 2)
    assert tapead.grad(lambda *xs: math.hypot(*xs), argnums=every)(0.0, 0.0, 0.0) == (0.0,) * 3
    assert tapead.grad(lambda *xs: math.hypot(*xs), argnums=every)(0.0, 0.0, 2.0) == (0.0, 0.0, 1.0)


def test_frexp_and_modf_return_pairs_whose_second_halves_are_steps():
    assert tapead.grad(lambda x: math.frexp(x)[0] * math.frexp(x)[1])(6.0) == 3 / 8
    assert tapead.grad(lambda x: sum(math.modf(x)))(2.75) == 1.0
    assert tapead.grad(lambda x: math.modf(x)[1])(2.75) == 0.0


@pytest.mark.parametrize("empty", ["fsum", "prod"])
def test_empty_sums_and_products_are_constants(empty):
    expected = 1 + getattr(math, empty)([])
    assert tapead.grad(lambda x: x * (1 + getattr(math, empty)([])))(2.0) == expected


def test_fsum_and_dist_take_any_iterable():
    assert tapead.grad(lambda x: math.fsum(x * k for k in range(4)))(2.0) == 6.0
    assert tapead.grad(lambda x: math.dist((x, 0), [0.0, 4]))(3.0) == 0.6


def test_dist_rounds_integers_before_it_subtracts():
    p, q = (2**60 + 1, 3.0), (2**60, 7.0)
    ours = tapead.value_and_grad(lambda x: math.dist((p[0], x), q))(p[1])
    assert ours == (math.dist(p, q), -1.0)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nextafter takes steps from 3.12 on")
def test_nextafter_takes_steps():
    value, slope = tapead.value_and_grad(lambda x: math.nextafter(x, 2.0, steps=5))(1.0)
    assert (value, slope) == (math.nextafter(1.0, 2.0, steps=5), 1.0)


def test_ints_and_bools_beside_tracked_numbers_count_as_floats():
    assert tapead.grad(lambda x: math.atan2(x, 1))(0.0) == 1.0
    assert tapead.grad(lambda x: math.log(x, 2))(1.0) == pytest.approx(1 / math.log(2), rel=RTOL)
    assert tapead.grad(lambda x: math.log(10**400, x))(math.e) == pytest.approx(
        -400 * math.log(10) / math.e, rel=1e-15
    )
    assert tapead.grad(lambda x: math.hypot(x, True))(0.0) == 0.0


# --------------------------------------------------------------- however math is imported ---


def _by_name(x):
    return sin(x) * atan2(x, 2.0)


def _by_other_name(x):
    return renamed.sin(x) * renamed.atan2(x, 2.0)


def _by_module(x):
    return math.sin(x) * math.atan2(x, 2.0)


def _by_local_import(x):
    import math

    return math.sin(x) * math.atan2(x, 2.0)


def _by_local_from_import(x):
    from math import atan2 as angle
    from math import sin as sine

    return sine(x) * angle(x, 2.0)


def _by_default(x, sine=math.sin, angle=math.atan2):
    return sine(x) * angle(x, 2.0)


def _by_keyword_default(x, *, sine=math.sin, angle=math.atan2):
    return sine(x) * angle(x, 2.0)


def _by_closure():
    sine, angle = math.sin, math.atan2
    return lambda x: sine(x) * angle(x, 2.0)


class _Holder:
    sine = staticmethod(math.sin)

    def __call__(self, x):
        return self.sine(x) * math.atan2(x, 2.0)


IMPORTS = {
    "math.sin": _by_module,
    "from math import sin": _by_name,
    "import math as m": _by_other_name,
    "import math in the function": _by_local_import,
    "from math import sin in the function": _by_local_from_import,
    "default argument": _by_default,
    "keyword-only default": _by_keyword_default,
    "closure": _by_closure(),
    "class attribute": _Holder(),
    "tapead.math": lambda x: tapead.math.sin(x) * tapead.math.atan2(x, 2.0),
}


@pytest.mark.parametrize("way", IMPORTS)
def test_math_is_seen_however_it_is_imported(way):
    x = 0.7
    expected = math.cos(x) * math.atan2(x, 2.0) + math.sin(x) * 2.0 / (x * x + 4.0)
    assert tapead.grad(IMPORTS[way])(x) == pytest.approx(expected, rel=1e-15)
    assert math.sin is sin
    assert renamed is math


@pytest.mark.parametrize("name", ["sin", "acosh", "hypot", "log", "fsum"])
def test_a_function_of_tapead_math_can_itself_be_differentiated(name):
    argument = [2.0] if name == "fsum" else 2.0
    f = getattr(tapead.math, name)
    expected = tapead.grad(lambda x: f(x))(argument)
    assert tapead.grad(f)(argument) == expected


@pytest.mark.parametrize("name", ["sin", "acosh", "hypot", "log"])
def test_a_function_of_math_can_itself_be_differentiated(name):
    expected = tapead.grad(lambda x: getattr(tapead.math, name)(x))(2.0)
    assert tapead.grad(getattr(math, name))(2.0) == expected


HELPERS = {
    "import math": "import math\ndef area(x): return math.sin(x) * math.atan2(x, 2.0)\n",
    "from": "from math import sin, atan2\ndef area(x): return sin(x) * atan2(x, 2.0)\n",
    "as": "import math as m\ndef area(x): return m.sin(x) * m.atan2(x, 2.0)\n",
    "star": "from math import *\ndef area(x): return sin(x) * atan2(x, 2.0)\n",
}


@pytest.mark.parametrize("way", HELPERS)
@pytest.mark.parametrize("attribute", [False, True])
def test_math_is_seen_in_a_helper_module(way, attribute, tmp_path, monkeypatch):
    name = f"helper_{way.replace(' ', '_')}_{attribute}"
    (tmp_path / f"{name}.py").write_text(HELPERS[way])
    monkeypatch.syspath_prepend(tmp_path)
    helper = importlib.import_module(name)
    area = helper.area
    f = (lambda x: helper.area(x)) if attribute else (lambda x: area(x))
    assert tapead.grad(f)(0.7) == tapead.grad(_by_module)(0.7)
    assert all(v is not tapead.math.sin for v in vars(helper).values())
