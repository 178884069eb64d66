"""Interception: what ordinary code sees while a recording runs, and that all is put back."""

import builtins
import functools
import importlib
import importlib.util
import math
import statistics
import sys
import types
from math import sin

import pytest

import tapead

helpers = importlib.import_module("intercepted") if "intercepted" in sys.modules else None
if helpers is None:
    from pathlib import Path

    _spec = importlib.util.spec_from_file_location(
        "intercepted", Path(__file__).with_name("intercepted.py")
    )
    helpers = importlib.util.module_from_spec(_spec)
    sys.modules["intercepted"] = helpers
    _spec.loader.exec_module(helpers)

DETACHES = {"sin": math.sin}


@pytest.fixture(autouse=True)
def names_are_as_they_were():
    """Every test here leaves the names of these namespaces exactly as it found them."""
    spaces = [globals(), vars(helpers), vars(helpers.Shape), vars(builtins), vars(statistics)]
    before = [dict(space) for space in spaces]
    yield
    for space, old in zip(spaces, before, strict=True):
        assert {k: v for k, v in space.items() if old.get(k) is not v} == {}
        assert space.keys() == old.keys()


def slope(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2.0 * h)


@pytest.mark.parametrize("f", [helpers.all_imports, helpers.casts, helpers.types])
def test_helpers_in_another_module(f):
    value, derivative = tapead.value_and_grad(lambda x: f(x) * 1.0)(0.7)
    assert value == f(0.7)
    assert derivative == pytest.approx(slope(f, 0.7), rel=1e-8)


def test_class_attributes_and_methods():
    f = lambda x: helpers.Shape().area(x)  # noqa: E731
    assert tapead.grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-8)


def test_closures_defaults_and_keyword_defaults():
    from math import exp

    def f(x, log=math.log, *, root=math.sqrt):
        return exp(x) * log(x) * root(x) * sin(x)

    assert tapead.grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-8)
    assert f.__defaults__ == (math.log,)
    assert f.__kwdefaults__ == {"root": math.sqrt}
    assert f.__closure__[0].cell_contents is math.exp


def test_imports_inside_the_function():
    def f(x):
        import math as maths
        from math import atan

        return maths.sinh(x) * atan(x)

    assert tapead.grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-8)


def test_functions_passed_to_map_and_reduce():
    def f(x):
        return functools.reduce(math.atan2, map(math.exp, [x, 2.0 * x, 3.0 * x]))

    assert tapead.grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-8)


def test_a_module_that_nothing_foresees_is_found_by_trying_once_more():
    runs = []

    def f(x):
        runs.append(1)
        return importlib.import_module("intercepted").Strategy()(x)

    expected = pytest.approx(slope(helpers.Strategy(), 0.7), rel=1e-8)
    assert tapead.grad(f)(0.7) == expected
    assert len(runs) == 2
    assert tapead.grad(f)(0.7) == expected
    assert len(runs) == 3  # remembered


def test_functions_and_objects_among_the_arguments_are_foreseen():
    runs = []

    def f(x, strategies, helper):
        runs.append(1)
        return strategies[0](x) * helper(x)

    strategy = helpers.Strategy()
    g = lambda x: strategy(x) * helpers.types(x)  # noqa: E731
    assert tapead.grad(f)(0.7, [strategy], helpers.types) == pytest.approx(slope(g, 0.7), rel=1e-8)
    assert len(runs) == 1


def test_closures_of_one_code_over_different_functions():
    def over(g):
        return lambda x: g(x) * 1.0

    for g in (helpers.casts, helpers.types, helpers.all_imports, helpers.types):
        value, derivative = tapead.value_and_grad(over(g))(0.7)
        assert value == g(0.7)
        assert derivative == pytest.approx(slope(g, 0.7), rel=1e-8)


def test_the_second_try_can_be_switched_off():
    runs = []

    def f(x):
        runs.append(1)
        return importlib.import_module("intercepted").Strategy()(x)

    with pytest.raises(tapead.DetachedError):
        tapead.grad(f, rerun=False)(0.7)
    assert len(runs) == 1


def test_python_modules_of_the_standard_library():
    f = lambda x: statistics.fmean([x, x * x, 3.0])  # noqa: E731
    assert tapead.grad(f)(0.7) == pytest.approx((1.0 + 1.4) / 3.0, rel=1e-15)


def test_registries_objects_and_partials():
    f = lambda x: helpers.REGISTRY["types"](x) * helpers.UNIT.act(x)  # noqa: E731
    value, derivative = tapead.value_and_grad(f)(0.7)
    assert value == f(0.7)
    assert derivative == pytest.approx(slope(f, 0.7), rel=1e-8)
    g = lambda x: helpers.POWER_OF_TWO(x) + helpers.Shape.window(x)  # noqa: E731
    assert tapead.grad(g)(0.7) == pytest.approx(slope(g, 0.7), rel=1e-8)
    power = functools.partial(math.pow, 2.0)
    assert tapead.grad(power)(0.7) == pytest.approx(slope(power, 0.7), rel=1e-8)


def test_a_module_of_the_user_called_like_one_of_the_standard_library(tmp_path):
    source = "def f(x):\n    return 2.0 * x if type(x) is float else x\n"
    path = tmp_path / "queue.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("queue", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert tapead.value_and_grad(lambda x: module.f(x))(1.5) == (3.0, 2.0)


def test_code_made_by_exec():
    space = {}
    exec("from math import *\ndef f(x): return sin(x) * float(x) + pi", space)
    keys = set(space)
    assert tapead.grad(space["f"])(0.7) == pytest.approx(slope(space["f"], 0.7), rel=1e-8)
    assert set(space) == keys
    assert space["sin"] is math.sin


def test_names_bound_after_the_first_call_are_seen():
    module = types.ModuleType("grown")
    exec("def f(x): return helper(x)\ndef helper(x): return x * x", vars(module))
    assert tapead.grad(module.f)(2.0) == 4.0
    exec("from math import exp\ndef helper(x): return exp(x)", vars(module))
    assert tapead.grad(module.f)(0.0) == 1.0


def test_what_is_kept_in_a_container_is_refused_with_line_and_remedy():
    with pytest.raises(tapead.DetachedError, match=r"tapead\.math") as caught:
        tapead.grad(lambda x: helpers.kept_in_a_dict(x))(2.0)
    assert caught.value.filename == helpers.__file__
    assert "SQUARE_ROOT" in str(caught.value)
    assert f"line {caught.value.lineno}" in str(caught.value)


def test_tapead_math_in_a_container_is_differentiated():
    table = {"sin": tapead.math.sin}
    assert tapead.grad(lambda x: table["sin"](x))(0.0) == 1.0


def test_a_swallowed_detachment_is_raised_all_the_same():
    def f(x):
        try:
            return DETACHES["sin"](x) * x
        except Exception:
            return x

    with pytest.raises(tapead.DetachedError):
        tapead.grad(f)(1.0)


def test_a_detachment_that_turns_into_another_error_is_the_one_reported():
    def f(x):
        try:
            return DETACHES["sin"](x)
        except Exception as error:
            raise KeyError("hidden") from error

    with pytest.raises(tapead.DetachedError) as caught:
        tapead.grad(f)(1.0)
    assert isinstance(caught.value.__cause__, KeyError)


def test_caches_tell_numbers_of_equal_value_apart():
    helpers.cached.cache_clear()
    assert helpers.cached(3.0) == 9.0  # a plain result is in the cache now
    f = lambda x, y: helpers.cached(x) + 10.0 * helpers.cached(y)  # noqa: E731
    assert tapead.grad(f, argnums=(0, 1))(3.0, 3.0) == (6.0, 60.0)
    assert type(helpers.cached(3.0)) is float
    assert helpers.cached.cache_info().currsize == 1


def test_caches_tell_numbers_inside_arguments_apart():
    @functools.cache
    def total(pair):
        return pair[0] ** 2 + pair[1]

    @functools.lru_cache(maxsize=8)
    def of_state(state):
        return state.r**2

    f = lambda x, y: total((x, 1.0)) + 2.0 * total((y, 1.0))  # noqa: E731
    assert tapead.grad(f, argnums=(0, 1))(1.5, 1.5) == (3.0, 6.0)
    g = lambda x, y: of_state(helpers.State(x)) + 2.0 * of_state(helpers.State(y))  # noqa: E731
    assert tapead.grad(g, argnums=(0, 1))(1.5, 1.5) == (3.0, 6.0)


@pytest.mark.parametrize("decorate", [lambda: functools.cache, lambda: helpers.lru_cache])
def test_caches_made_by_the_function_itself(decorate):
    def f(x, y):
        @decorate()
        def square(z):
            return z * z

        @functools.lru_cache(maxsize=None)
        def cube(z):
            return z * z * z

        return square(x) + square(y) + cube(x) + cube(y)

    assert tapead.grad(f, argnums=(0, 1))(1.5, 1.5) == (9.75, 9.75)


def test_hand_made_caches_keyed_by_numbers_are_refused_where_they_would_lie():
    memo = {}

    def square(x):
        if x not in memo:
            memo[x] = x * x
        return memo[x]

    square(1.5)  # a plain result is in the table now
    with pytest.raises(tapead.DetachedError, match="equal key of a dictionary"):
        tapead.grad(lambda x: square(x))(1.5)
    memo.clear()
    f = lambda x, y: square(x) + square(y)  # noqa: E731
    assert tapead.grad(f, argnums=(0, 1))(1.5, 2.5) == (3.0, 5.0)
    memo.clear()
    with pytest.raises(tapead.DetachedError, match="equal key of a dictionary"):
        tapead.grad(f, argnums=(0, 1))(1.5, 1.5)


def test_tables_and_sets_of_numbers_work_where_nothing_is_lost():
    def f(x, y):
        counts = {}
        for z in (x, y, x):
            counts[z] = counts.get(z, 0) + 1
        assert x in {1.5, 7.0}
        assert hash(x) == hash(1.5)
        assert x == 1.5
        assert [x, y].index(y) == 1
        return counts[x] * x + len({x, y}) * y

    assert tapead.grad(f, argnums=(0, 1))(1.5, 2.5) == (2.0, 2.0)


def test_caches_still_save_calls():
    calls = []

    @functools.lru_cache
    def step(n, x):
        calls.append(n)
        return x if n == 0 else step(n - 1, x) + step(n - 1, x)

    assert tapead.grad(lambda x: step(10, x))(1.0) == 1024.0
    assert len(calls) == 11


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_no_recording_open(error):
    def f(x):
        math.sin(x)
        raise error

    with pytest.raises(error):
        tapead.grad(f)(1.0)
    from tapead.tape import current

    assert current.tape.depth == 0
    assert len(current.tape) == 0
    assert tapead.grad(math.sin)(0.0) == 1.0


def test_an_exception_inside_an_inner_gradient_can_be_caught_outside_it():
    def f(x):
        try:
            tapead.grad(lambda y: y / 0.0)(x)
        except ZeroDivisionError:
            return x * x
        return x

    assert tapead.grad(f)(3.0) == 6.0


def test_a_name_that_the_program_binds_anew_is_left_to_it():
    space = {}
    exec("from math import sin\ndef f(x):\n    global sin\n    sin = abs\n    return x * x", space)
    assert tapead.grad(space["f"])(3.0) == 6.0
    assert space["sin"] is abs


# ------------------------------------------------------------- what stands in for builtins ---


def test_float_is_still_the_class_float():
    seen = {}

    def f(x):
        seen.update(
            infinite=float("inf"), none=float(), hex=float.fromhex("0x1p-1"), name=float.__name__,
            check=isinstance(1.0, float), not_int=isinstance(1, float), text=str(float),
            equal=float == type(2.0), table={float: "f"}[type(2.0)],
        )  # fmt: skip

        class Meters(float):
            pass

        seen["derived"] = type(Meters(2.0)) is Meters and isinstance(Meters(2.0), float)
        match x:
            case float(v):
                seen["matched"] = v is x
        return x

    tapead.grad(f)(1.0)
    assert seen == {
        "infinite": math.inf, "none": 0.0, "hex": 0.5, "name": "float", "check": True,
        "not_int": False, "text": "<class 'float'>", "equal": True, "table": "f",
        "derived": True, "matched": True,
    }  # fmt: skip


def test_type_still_makes_and_checks_classes():
    def f(x):
        made = type("Made", (), {"k": 2.0})
        assert isinstance(made, type)
        assert issubclass(type(made), type)
        assert type(3) is int

        class Meta(type):
            pass

        assert type(Meta("M", (), {})) is Meta
        return x * made.k * type(x)(3)

    assert tapead.grad(f)(1.0) == 6.0


def test_functions_of_a_recording_that_escape_do_no_harm():
    kept = {}

    def f(x):
        kept["sin"], kept["float"] = math.sin, float
        return kept["sin"](x)

    tapead.grad(f)(0.0)
    assert kept["sin"](0.5) == math.sin(0.5)
    assert kept["float"]("2.5") == 2.5


# ------------------------------------------------------------------ what once went wrong ---


def test_a_cache_that_is_cleared_or_small_forgets():
    parameters = [0.0]

    @functools.cache
    def doubled(i):
        return parameters[i] * 2.0

    def f(x):
        total = 0.0
        for factor in (1.0, 3.0):
            parameters[0] = x * factor
            doubled.cache_clear()
            total = total + doubled(0)
        return total

    assert tapead.grad(f)(1.0) == 8.0

    @functools.lru_cache(maxsize=1)
    def held(i):
        return parameters[0] * 1.0

    def g(x):
        parameters[0] = x
        first = held(0)
        held(1)
        parameters[0] = 3.0 * x
        return first + held(0)

    assert tapead.grad(g)(1.0) == 4.0


def memoized(make_key):
    def f(x, y):
        memo = {}

        def square(z):
            key = make_key(z)
            if key in memo:
                return memo[key]
            memo[key] = z * z
            return memo[key]

        return square(x) + 2.0 * square(y)

    return f


@pytest.mark.parametrize(
    "make_key", [lambda z: z, lambda z: (z, 2.0), lambda z: ("a", (1, z)), helpers.State]
)
def test_keys_that_hold_numbers_are_refused_at_ties_and_right_elsewhere(make_key):
    f = tapead.grad(memoized(make_key), argnums=(0, 1))
    assert f(3.0, 4.0) == (6.0, 16.0)
    with pytest.raises(tapead.DetachedError, match="equal key"):
        f(3.0, 3.0)


def test_a_plain_key_of_any_type_is_no_key_for_a_tracked_number():
    for plain in (2, 2.0, True + 1):
        with pytest.raises(tapead.DetachedError, match="equal key"):
            tapead.grad(lambda x, plain=plain: {plain: 5.0}[x])(2.0)


class Unsettable(type):
    def __setattr__(cls, name, value):
        raise AttributeError("this class does not change")


class Frozen(metaclass=Unsettable):
    root = staticmethod(math.sqrt)


def test_a_class_that_cannot_be_changed_detaches_and_leaves_no_recording_open():
    with pytest.raises(tapead.DetachedError):
        tapead.grad(lambda x: sin(x) * Frozen.root(x))(1.0)
    from tapead.tape import current

    assert current.tape.depth == 0
    assert tapead.grad(lambda x: sin(x))(0.0) == 1.0


def test_globals_that_are_no_plain_dict():
    class Namespace(dict):
        pass

    space = Namespace()
    exec("import math\ndef f(x): return math.sin(x)", space)
    assert tapead.grad(space["f"])(0.0) == 1.0
    assert space["math"] is math


def test_math_bound_by_a_function_to_a_global_is_math_afterwards():
    space = {}
    exec("def f(x):\n    global m\n    import math as m\n    return m.sin(x)", space)
    assert tapead.grad(space["f"])(0.0) == 1.0
    assert space["m"] is math


def test_attributes_and_defaults_that_change_between_calls():
    net = helpers.Unit(math.sin)
    slope_of_net = tapead.grad(lambda x: net.act(x))
    assert slope_of_net(1.0) == math.cos(1.0)
    net.act = math.cos
    assert slope_of_net(1.0) == -math.sin(1.0)

    def with_default(function):
        def f(x, function=function):
            return function(x)

        return f

    assert tapead.grad(with_default(math.sin), rerun=False)(1.0) == math.cos(1.0)
    assert tapead.grad(with_default(math.cos), rerun=False)(1.0) == -math.sin(1.0)


def test_functions_of_math_among_the_arguments():
    assert tapead.grad(lambda x, act: act(x))(1.0, math.sin) == math.cos(1.0)
    assert tapead.grad(lambda x, act=None: act(x))(1.0, act=math.sin) == math.cos(1.0)


def test_objects_made_anew_for_each_call_are_foreseen_and_not_kept():
    from tapead import intercept

    runs = []

    class Layer:
        def __init__(self):
            self.act = math.tanh

    def once(k):
        layer = Layer()

        def f(x):
            runs.append(k)
            return layer.act(x) * k

        return tapead.grad(f)(0.0)

    before = len(intercept._plans)
    assert [once(k) for k in range(50)] == list(range(50))
    assert len(runs) == 50
    assert len(intercept._plans) <= before + 1


def test_a_plan_is_made_once_though_the_function_refers_to_objects_with_math_in_them(monkeypatch):
    from tapead import intercept

    made = []
    build = intercept._build
    monkeypatch.setattr(intercept, "_build", lambda *given: made.append(1) or build(*given))
    for k in range(20):
        f = lambda x, k=k: helpers.UNIT.act(x) * k  # noqa: E731
        assert tapead.grad(lambda x, f=f: f(x))(0.0) == k
        assert tapead.grad(tapead.grad(lambda x: helpers.UNIT.act(x) * x))(0.0) == 2.0
    assert len(made) <= 6


def test_an_interrupt_at_any_moment_leaves_names_and_tape_as_they_were():
    import signal

    from tapead.tape import current

    if not hasattr(signal, "setitimer"):
        pytest.skip("no interval timers here")

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(20):
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012
                signal.setitimer(signal.ITIMER_REAL, 2e-4 * (k + 1))
                while True:
                    tapead.grad(lambda x: sin(x) * math.exp(x))(1.0)
            assert current.tape.depth == 0
            assert sin is math.sin
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_what_runs_in_other_globals_each_time_is_given_up_soon():
    runs = []

    def f(x):
        runs.append(1)
        space = {"x": x}
        exec("import math\ny = math.exp(x) * x", space)
        return space["y"]

    with pytest.raises(tapead.DetachedError):
        tapead.grad(tapead.grad(f))(1.6)
    assert len(runs) <= 20


@pytest.mark.parametrize("f", ["x * kind(2.0)", "x * kind(x)", "x * reflected(x)"])
def test_a_class_that_is_compared_with_float_by_identity_is_refused_with_the_line(f):
    space = {}
    exec(_KINDS + f"def f(x):\n    return {f}\n", space)
    with pytest.raises(tapead.UnsupportedError, match=r"(?s)line [24], in .*type\(x\) is float"):
        tapead.grad(space["f"])(1.5)


_KINDS = """def kind(a):
    return 3.0 if a.__class__ is float else 5.0
def reflected(a):
    return 3.0 if float is not a.__class__ else 5.0
"""


@pytest.mark.parametrize("a", ["x", "2.0"])
@pytest.mark.parametrize(
    "kind",
    [
        "a.__class__ == float",
        "type(a) is float",
        "isinstance(a, float)",
        "a.__class__ in (float, int)",
        "{float: 1}.get(a.__class__)",
        "{float: 1}.get(type(a))",
        "a.__class__ is not int and float(a) > 0.0",
    ],
)
def test_floats_are_floats_in_all_other_ways_plain_or_tracked(kind, a):
    space = {}
    exec(f"def kind(a):\n    return 3.0 if {kind} else 5.0\n", space)
    exec(f"def f(x):\n    return x * kind({a})\n", space)
    assert tapead.value_and_grad(space["f"])(1.5) == (4.5, 3.0)
