"""Idioms that are out of the way, all seen in the wild."""

import copy
import functools
import logging
import math
import math as m
import numbers
import operator
import random
import statistics
from fractions import Fraction
from math import sin as s

from . import toolbox as tb

log = logging.getLogger(__name__)


def default_argument(x, sin=math.sin, *, cos=math.cos):
    return sin(x) * cos(x) + s(x) + m.tan(x)


class Signal:
    shape = math.sinh
    window = staticmethod(math.tanh)

    def at(self, x):
        return type(self).shape(x) + self.window(x)


def class_attribute(x):
    return Signal().at(x)


def local_import(x):
    import math as mathematics
    from math import exp as e

    def inner(y):
        from math import log1p

        return log1p(y)

    return e(-x) + mathematics.cosh(x) + inner(x)


def checked(x, y):
    if not isinstance(x, float) or not isinstance(y, (int, float)):
        raise ValueError("two numbers were expected")
    if type(x) is not float or type(y) not in (int, float):
        raise TypeError("subclasses are not welcome")
    if not isinstance(y, numbers.Real) or x.__class__ != y.__class__:
        raise TypeError("reals of one kind")
    return x / y


@functools.singledispatch
def area(shape):
    raise NotImplementedError(type(shape).__name__)


@area.register
def _(shape: float):
    return math.pi * shape**2


@area.register(list)
@area.register(tuple)
def _(shape):
    return functools.reduce(operator.mul, shape)


def dispatched(radius, box):
    return area(radius) - area(box)


HANDLERS = {}


def handler(name):
    def register(f):
        HANDLERS[name] = f
        return f

    return register


@handler("grow")
def _grow(state, rate):
    return state * math.exp(rate) if type(rate) is float else state


@handler("shrink")
def _shrink(state, rate):
    return state / (1 + rate)


def string_dispatch(state, rates):
    for name, rate in rates.items():
        state = HANDLERS[name](state, rate)
    return state


def swaps(x, y):
    a, b = x, y
    for _ in range(5):
        a, b = b, a + 0.1 * b
        a, *rest, b = a, 1, 2, b
    xs = [a, b] * 2
    xs[0], xs[-1] = xs[-1] * 2, xs[0]
    xs[1:3] = [xs[2] - xs[1], 3.0, xs[1]]
    xs.insert(1, xs.pop())
    del xs[2]
    xs += [x]
    return sum(v * k for k, v in enumerate(xs, 1))


def deep_copies(config):
    trial = copy.deepcopy(config)
    trial["inner"]["a"] *= 2
    trial["list"].append(trial["inner"]["a"])
    again = {**trial, "scale": config["scale"] ** 2}
    return again["scale"] * sum(again["list"]) + config["inner"]["a"]


def integers(x):
    """Indices, quantization and remainders of a number."""
    table = [math.sqrt(k) for k in range(12)]
    i = int(x)
    j = math.floor(x + 0.7)
    k = round(x)
    frac = x - i
    q, r = divmod(x * 3, 2.0)
    whole, part = divmod(x, 1)
    fr, wh = math.modf(x)
    near = Fraction(1, 3) * x + (x > 2) * x + True * x
    return table[i] * (1 - frac) + table[i + 1] * frac + r * j + x % 0.75 + q * k + fr * part + near


def text(x):
    """Writes much, keeps nothing of it."""
    print("%.3f" % x, f"{x:8.2e} {x!r}", "{:g}".format(x), str(x), x)
    log.debug("x is %f", x)
    line = "%s: %5.1f | %d" % ("x", x, x)
    return x * len(line) + x * (format(x, ".2f") == "1.25")


def constants(mu, sigma):
    rng = random.Random(0)
    draws = [rng.gauss(mu, sigma) for _ in range(5)]
    weights = [statistics.fmean([1.0, 2.0, k]) for k in range(5)]
    return sum(w * d for w, d in zip(weights, draws)) + rng.uniform(mu, 2 * sigma)


def mapped(xs):
    positive = list(filter(lambda v: v > 0, xs))
    roots = map(math.sqrt, positive)
    numbers_ = list(map(float, xs))
    ordered = sorted(numbers_, key=lambda v: -abs(v))
    smallest = min(xs, key=abs)
    return sum(roots) + ordered[0] * ordered[-1] + smallest + (max(xs) if any(xs) else 0.0)


def helper_checks(x):
    return tb.as_number(x) ** 2 + tb.require_float(x) * tb.as_number("1,5") + tb.as_number(3)


CASES = [
    ("default arguments", default_argument, (0.6,)),
    ("functions as class attributes", class_attribute, (0.6,)),
    ("imports inside functions", local_import, (0.6,)),
    ("type checks", checked, (1.5, 2.5)),
    ("singledispatch", dispatched, (1.5, [2.0, 0.7])),
    ("dispatch by string", string_dispatch, (2.0, {"grow": 0.3, "shrink": 0.2})),
    ("swaps and slices", swaps, (0.8, 1.7)),
    ("deep copies", deep_copies, ({"inner": {"a": 1.5}, "list": [0.5, 2.0], "scale": 3.0},)),
    ("integers from floats", integers, (2.4,)),
    ("printing", text, (1.25,)),
    ("draws of constants", constants, (0.3, 1.2)),
    ("map, filter, sorted", mapped, ([0.5, -1.5, 2.5, 0.2],)),
    ("checks in a helper module", helper_checks, (1.2,)),
]
