"""Control flow that is out of the way: exceptions, generators, else clauses of loops."""

import contextlib
import functools
import math


def generator_send(gains):
    def integrator():
        total = 0.0
        while True:
            x = yield total
            if x is None:
                return total
            total += x * x

    unit = integrator()
    next(unit)
    for g in gains:
        last = unit.send(g)
    try:
        unit.send(None)
    except StopIteration as stop:
        return stop.value + last


def exceptions(x):
    """Falls back where the domain ends."""
    total = 0.0
    for shift in (-2.0, -0.5, 0.0, 1.0):
        try:
            total += math.sqrt(x + shift)
        except ValueError:
            total += (x + shift) ** 2
        try:
            total += 1 / max(x + shift, 0)
        except ZeroDivisionError:
            total -= x
        else:
            total *= 1.5
        finally:
            total += 0.125 * x
    with contextlib.suppress(OverflowError):
        total += math.exp(1000 * x)
    return total


def bisection(level, slope):
    """Root of a monotone function, then polished by one secant step that carries the slope."""

    def f(t):
        return slope * t + math.sin(t) - level

    low, high = 0.0, 10.0
    while high - low > 1e-5:
        middle = 0.5 * (low + high)
        if f(middle) < 0:
            low = middle
        else:
            high = middle
    for _ in range(3):
        low -= f(low) / (slope + math.cos(low))
    return low


def loops_with_else(xs):
    out = 0
    for x in xs:
        for d in (2.0, 3.0):
            if x < d:
                out += x**d
                break
        else:
            out += 1 / x
            continue
        out *= 0.9
    i = 0
    while i < len(xs):
        if xs[i] < 0:
            break
        i += 1
    else:
        out += xs[-1]
    return out


def counters(x):
    calls = 0

    def counted(f):
        @functools.wraps(f)
        def inner(*args, **kwargs):
            nonlocal calls
            calls += 1
            return f(*args, **kwargs)

        return inner

    @counted
    def step(y, scale=1.0):
        return math.cos(y) * scale

    y = x
    while abs(step(y) - y) > 0.05 and calls < 40:
        y = step(y, scale=1.0)
    return y * calls


def early(x):
    """Returns out of a try inside a loop, and the finally has the last word."""
    state = [x]

    def run():
        for i in range(10):
            try:
                state[0] = state[0] * 1.5 - i * 0.1
                if state[0] > 3:
                    return state[0]
            finally:
                state[0] += 0.01
        return state[0]

    return run() * state[0]


def walrus(x):
    total = 0.0
    while (x := x / 2 + math.atan(x) / 4) > 0.05:
        total += x if (root := math.cbrt(x)) > 0.5 else root**2
    return total


def context(x):
    @contextlib.contextmanager
    def scaled(k):
        nonlocal x
        x *= k
        yield x
        x /= k + 1

    with scaled(2.0) as y, scaled(3.0):
        inner = math.expm1(x / 10)
    return inner * y + x


CASES = [
    ("generator with send", generator_send, ([0.5, 1.5, -0.7],)),
    ("exceptions", exceptions, (1.1,)),
    ("bisection", bisection, (4.0, 1.3)),
    ("loops with else", loops_with_else, ([1.5, 2.5, 3.5, 0.4],)),
    ("counted calls", counters, (0.4,)),
    ("return inside try", early, (1.1,)),
    ("walrus", walrus, (1.4,)),
    ("context manager", context, (0.9,)),
]
