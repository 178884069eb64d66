"""Helpers in a module of their own, as users have them, for test_intercept to differentiate."""

import dataclasses
import math
import math as m
from functools import lru_cache, partial
from math import cos
from math import sin as sine

NUMBER = float
SQUARE_ROOT = {"root": math.sqrt}


def all_imports(x):
    return sine(x) * cos(x) + math.exp(x) * m.log(x)


def casts(x):
    return float(x) * float("2.0") + NUMBER(x) * float(3)


def types(x):
    if type(x) is float and type(1.0) is float and isinstance(x, float):
        return 2.0 * x
    return 3.0 * x


def kept_in_a_dict(x):
    return SQUARE_ROOT["root"](x)


@lru_cache(maxsize=None)
def cached(x):
    return x * x


class Shape:
    function = math.tanh
    window = staticmethod(math.erf)

    def area(self, x):
        return math.sqrt(x) * Shape.function(x)


class Strategy:
    """Reached only through an argument, so that nothing foresees it."""

    def __call__(self, x):
        return math.cosh(x) * float(x)


@dataclasses.dataclass(frozen=True)
class State:
    r: float


class Unit:
    def __init__(self, act):
        self.act = act


REGISTRY = {"types": types}
UNIT = Unit(math.atan)
POWER_OF_TWO = partial(math.pow, 2.0)
