"""Other ways to the same gradient: libraries where they are installed, a plain tape, and by hand.

Every entry of `PEERS` takes a program's name and its arguments and gives a call that returns the
gradient as a list of floats.  One that cannot be made raises `MissingError` with the reason.
`calls_of` makes those that were chosen, of this table or of that in array_peers.py.
"""

import importlib
import math
import types

from measure import fresh_programs, seconds

left_out = {}  # why a peer has no figure, each reason once


class MissingError(Exception):
    """A peer is not installed, or has nothing for this program."""


def calls_of(table, chosen, patience, *program):
    """The calls of the chosen peers, and for each peer its call's index or why there is none.

    A peer that needs longer than `patience` seconds for one gradient is not timed.
    """
    calls, notes = [], {}
    for peer in chosen:
        try:
            call = table[peer](*program)
            if seconds(call, 1) > patience:
                notes[peer] = "too slow"
            else:
                notes[peer] = len(calls)
                calls.append(call)
        except MissingError as reason:
            notes[peer] = "-"
            left_out.setdefault(f"{peer}: {reason}")
        except Exception as error:  # what a peer cannot do is part of the comparison
            notes[peer] = type(error).__name__
    return calls, notes


def module(name):
    """A peer's module."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingError(f"{name} is not installed") from None


def _program(peer, name, functions):
    """The program from an import of its own, in which `math` is the peer's."""
    programs = fresh_programs(peer)
    programs.math = types.SimpleNamespace(isqrt=math.isqrt, **functions)
    return getattr(programs, name)


_NAMES = ("sqrt", "exp", "log", "sin", "cos", "tanh")


# ------------------------------------------------------------------------------ libraries ---


def autograd(name, x, *rest):
    """HIPS autograd: one array in, unpacked into numbers once."""
    numpy = module("autograd.numpy")
    f = _program("autograd", name, {k: getattr(numpy, k) for k in _NAMES})
    gradient = module("autograd").grad(lambda a: f([a[i] for i in range(len(x))], *rest))
    return lambda: gradient(numpy.array(x)).tolist()


def xad(name, x, *rest):
    """XAD: a tape in C++ under Python numbers."""
    adjoint, functions = module("xad.adj_1st"), module("xad.math")
    f = _program("xad", name, {k: getattr(functions, k) for k in _NAMES})

    def gradient():
        with adjoint.Tape() as tape:
            inputs = [adjoint.Real(v) for v in x]
            tape.registerInputs(inputs)
            tape.newRecording()
            y = f(inputs, *rest)
            tape.registerOutput(y)
            y.derivative = 1.0
            tape.computeAdjoints()
            return [v.derivative for v in inputs]

    return gradient


def pytorch(name, x, *rest):
    """PyTorch, one thread, numbers as zero-dimensional tensors of doubles."""
    torch = module("torch")
    torch.set_num_threads(1)
    functions = {k: getattr(torch, k) for k in _NAMES}
    functions["sqrt"] = lambda v: torch.sqrt(v) if torch.is_tensor(v) else math.sqrt(v)
    f = _program("pytorch", name, functions)

    def gradient():
        inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in x]
        f(inputs, *rest).backward()
        return [0.0 if v.grad is None else v.grad.item() for v in inputs]

    return gradient


# ---------------------------------------------------------------------------- plain Python ---


class PlainTape(list):
    """The least that does it in Python: rows (operand, partial, operand, partial) in a list."""

    def adjoints(self, output):
        adjoint = [0.0] * len(self)
        adjoint[output] = 1.0
        for r in range(output, -1, -1):
            g = adjoint[r]
            if g:
                a, p, b, q = self[r]
                adjoint[a] += p * g
                adjoint[b] += q * g
        return adjoint


class Node:
    """A number on a plain tape.  Operand 0 stands for a constant: row 0 is no variable."""

    __slots__ = ("row", "tape", "v")

    def __init__(self, tape, v, a=0, p=0.0, b=0, q=0.0):
        self.tape, self.v, self.row = tape, v, len(tape)
        tape.append((a, p, b, q))

    def _binary(self, other, v, p, q):
        row = other.row if type(other) is Node else 0
        return Node(self.tape, v, self.row, p, row, q)

    def __add__(self, o):
        return self._binary(o, self.v + _value(o), 1.0, 1.0)

    def __sub__(self, o):
        return self._binary(o, self.v - _value(o), 1.0, -1.0)

    def __rsub__(self, o):
        return Node(self.tape, o - self.v, self.row, -1.0)

    def __mul__(self, o):
        c = _value(o)
        return self._binary(o, self.v * c, c, self.v)

    def __truediv__(self, o):
        c = _value(o)
        return self._binary(o, self.v / c, 1.0 / c, -self.v / c / c)

    def __rtruediv__(self, o):
        return Node(self.tape, o / self.v, self.row, -o / self.v / self.v)

    def __pow__(self, c):
        return Node(self.tape, self.v**c, self.row, c * self.v ** (c - 1.0))

    def __neg__(self):
        return Node(self.tape, -self.v, self.row, -1.0)

    def __abs__(self):
        return Node(self.tape, abs(self.v), self.row, math.copysign(1.0, self.v))

    def __lt__(self, o):
        return self.v < _value(o)

    def __gt__(self, o):
        return self.v > _value(o)

    def __le__(self, o):
        return self.v <= _value(o)

    __radd__, __rmul__ = __add__, __mul__


def _value(x):
    return x.v if type(x) is Node else x


def _elementary(function, partial):
    def on_nodes(x):
        if type(x) is not Node:
            return function(x)
        v = function(x.v)
        return Node(x.tape, v, x.row, partial(x.v, v))

    return on_nodes


_ELEMENTARY = {
    "sqrt": _elementary(math.sqrt, lambda a, v: 0.5 / v),
    "exp": _elementary(math.exp, lambda a, v: v),
    "log": _elementary(math.log, lambda a, v: 1.0 / a),
    "sin": _elementary(math.sin, lambda a, v: math.cos(a)),
    "cos": _elementary(math.cos, lambda a, v: -math.sin(a)),
    "tanh": _elementary(math.tanh, lambda a, v: 1.0 - v * v),
}


def plain_tape(name, x, *rest):
    """A tape of tuples under a class of Python.  The call's attribute `tape` is the last tape."""
    f = _program("plain_tape", name, _ELEMENTARY)

    def gradient():
        tape = gradient.tape = PlainTape([(0, 0.0, 0, 0.0)])
        y = f([Node(tape, v) for v in x], *rest)
        return tape.adjoints(y.row)[1 : len(x) + 1]

    return gradient


# --------------------------------------------------------------------------------- by hand ---


def rosenbrock_by_hand(x):
    gradient = [0.0] * len(x)
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        gradient[i + 1] += 200.0 * a
        gradient[i] -= 400.0 * a * x[i] + 2.0 * (1.0 - x[i])
    return gradient


def logistic_by_hand(x, steps):
    population, rate, force, damping = x
    wave = [math.sin(2.0 * k + 0.3) for k in range(8)]
    orbit = []
    for k in range(steps):
        middle = rate * population * (1.0 - population) + force * wave[k % 8]
        orbit.append((population, middle))
        if middle > 0.6:
            population = middle - damping * (middle - 0.6)
        else:
            population = middle + 0.1 * middle * middle
    g = g_rate = g_force = g_damping = 0.0
    for k in range(steps - 1, -1, -1):
        population, middle = orbit[k]
        g += 1.0 / steps
        if middle > 0.6:
            g_damping -= g * (middle - 0.6)
            g *= 1.0 - damping
        else:
            g *= 1.0 + 0.2 * middle
        g_rate += g * population * (1.0 - population)
        g_force += g * wave[k % 8]
        g *= rate * (1.0 - 2.0 * population)
    return [g, g_rate, g_force, g_damping]


def by_hand(name, x, *rest):
    """The adjoint program as a person would write it: what Python itself costs."""
    adjoint = globals().get(f"{name}_by_hand")
    if adjoint is None:
        raise MissingError("written for two programs")
    return lambda: adjoint(x, *rest)


PEERS = {f.__name__: f for f in (by_hand, plain_tape, xad, pytorch, autograd)}
