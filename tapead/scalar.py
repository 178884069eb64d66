# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, nonecheck=False
"""Scalar: a float whose operations are written to the tape.

A `Scalar` holds its value, its row and the epoch of its recording, and no Python object: it is
not seen by the cyclic garbage collector.  Every operation first asks whether the number belongs to
the recording that runs in this thread (`live`: one compare of epochs, one of threads).  In forward
mode no rows are written: numbers carry their tangents, and what nobody holds any more is gone.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from numbers import Number, Rational

import cython
import numpy as np

from tapead import guards
from tapead.elementary import CODES
from tapead.tape import Tape, current

if not cython.compiled:
    import struct
    from math import isfinite
    from threading import get_ident as thread

    from tapead.partials import first
    from tapead.partials import value as ieee_value
    from tapead.tape import ROWS_PER_CHUNK as ROWS

    PyLong_AsDouble = float

    def bits(c):
        """The 64 bits of c: unlike ==, they tell 0.0 from -0.0 and find a nan again."""
        return struct.unpack("<Q", struct.pack("<d", c))[0]


compiled = cython.compiled

_INPUT = cython.declare(cython.int, CODES["input"])
_ARRAY = cython.declare(cython.int, CODES["array"])
_STORE = cython.declare(cython.int, CODES["store"])
_COPY = cython.declare(cython.int, CODES["copy"])
_STOP = cython.declare(cython.int, CODES["stop"])
_ADD = cython.declare(cython.int, CODES["add"])
_SUB = cython.declare(cython.int, CODES["sub"])
_MUL = cython.declare(cython.int, CODES["mul"])
_DIV = cython.declare(cython.int, CODES["div"])
_NEG = cython.declare(cython.int, CODES["neg"])
_ABS = cython.declare(cython.int, CODES["abs"])
_POWC = cython.declare(cython.int, CODES["powc"])
_POW = cython.declare(cython.int, CODES["pow"])
_FLOORDIV = cython.declare(cython.int, CODES["floordiv"])
_MOD = cython.declare(cython.int, CODES["mod"])
_ROUND = cython.declare(cython.int, CODES["round"])

_GOLDEN = cython.declare(cython.ulonglong, 0x1E3779B97F4A7C15)
_tape = cython.declare(Tape, Tape())
_owner = cython.declare(cython.size_t, 0)

_add, _sub, _mul = operator.add, operator.sub, operator.mul
_truediv, _floordiv, _mod, _pow = operator.truediv, operator.floordiv, operator.mod, operator.pow
_lt, _le, _gt, _ge = operator.lt, operator.le, operator.gt, operator.ge
_eq, _ne = operator.eq, operator.ne
_round, _divmod = round, divmod
_REFLECTED = {
    _add: "__radd__",
    _sub: "__rsub__",
    _mul: "__rmul__",
    _truediv: "__rtruediv__",
    _pow: "__rpow__",
    _floordiv: "__rfloordiv__",
    _mod: "__rmod__",
}
_class = float
_numpy = None


# ------------------------------------------------------------ what every operation does ---


@cython.cfunc
@cython.inline
@cython.exceptval(0)
def constant(t: Tape, c: cython.double) -> cython.int:
    """The operand that stands for the constant c.

    A program's constants are few and come again and again: a table of 64 that were seen last
    keeps them from being stored each time.  Its slot is the top of a multiplicative hash.
    """
    pattern: cython.ulonglong = bits(c)
    product: cython.ulonglong = pattern * _GOLDEN
    slot: cython.int = cython.cast(cython.int, (product >> 58) & 63)
    if t.seen_bits[slot] == pattern and t.seen_operand[slot] != 0:
        return t.seen_operand[slot]
    k: cython.int = t.new_constant(c)
    t.seen_bits[slot] = pattern
    t.seen_operand[slot] = k
    return k


@cython.cfunc
@cython.inline
@cython.exceptval(-1.0, check=True)
def as_double(c: object) -> cython.double:
    """A float or an int as a double; an int may be too large."""
    if type(c) is float:
        return cython.cast(cython.double, c)
    return PyLong_AsDouble(c)


@cython.cfunc
@cython.inline
def number(t: Tape, row: cython.Py_ssize_t, v: cython.double, kind: cython.int) -> Scalar:
    """The number that row stands for."""
    r: Scalar = Scalar.__new__(Scalar)
    r.v = v if cython.compiled else float(v)
    r.row = cython.cast(cython.int, row)
    r.kind = kind
    r.epoch = t.epoch
    if not cython.compiled:
        r.dv = 0.0
    return r


@cython.cfunc
@cython.inline
def written(
    t: Tape, code: cython.int, a: cython.int, b: cython.int, v: cython.double, kind: cython.int
) -> Scalar:
    """Append a row, for which there is room, and give its number."""
    n: cython.Py_ssize_t = t.n
    i: cython.Py_ssize_t = n - t.start
    t.val[i] = v
    t.a[i] = a
    t.b[i] = b
    t.n = n + 1
    r: Scalar = number(t, n, v, kind)
    # Bytes come last: to the C compiler they could be part of anything, which is then read anew.
    t.code[i] = cython.cast(cython.uchar, code)
    return r


@cython.cfunc
@cython.exceptval(-1)
def carries(t: Tape) -> cython.int:
    """Where there is no room for a row: whether more than a row is asked for, by `dual`.  If not,
    room is made."""
    if t.forward or t.imports:
        return 1
    t.grow()
    return t.imports


# What is no row among the operands: one that a unary operation does not have, and a constant.
_NONE = cython.declare(cython.int, -2)
_CONSTANT = cython.declare(cython.int, -1)


@cython.cfunc
@cython.inline
@cython.exceptval(check=True)
def held(t: Tape, row: cython.int, v: cython.double) -> cython.int:
    """The operand of a row to be written, whose value is v."""
    if row >= t.floor:
        return row
    if row >= 0:
        return t.operand_for(row, v) if t.imports else row
    return constant(t, v) if row == _CONSTANT else 0


@cython.cfunc
def dual(
    t: Tape,
    code: cython.int,
    row: cython.int,
    a: cython.double,
    da: cython.double,
    row_b: cython.int,
    b: cython.double,
    db: cython.double,
    v: cython.double,
    kind: cython.int,
) -> Scalar:
    """The number that an operation gives in forward mode: its tangent by the operands' ones.

    The arithmetic is that of a forward sweep over a row, to the last bit.  Where rows are written
    it is the way of those that keep the values of dropped operands.
    """
    if not t.forward:
        if t.n >= t.start + ROWS or t.n >= t.stop or t.keeps_lines:
            t.grow()
        t.limit = t.n + 1  # the next row comes here too
        return written(t, code, held(t, row, a), held(t, row_b, b), v, kind)
    p: cython.double = 0.0
    q: cython.double = 0.0
    d: cython.double = 0.0
    if code == _MUL:
        p = b
        q = a
    elif code == _ADD:
        p = 1.0
        q = 1.0
    elif da != 0.0 or db != 0.0:
        p, q = first(code, a, b, v)
    if p != 0.0 and da != 0.0:
        d += p * da
    if q != 0.0 and db != 0.0:
        d += q * db
    return carrying(t, v, d, kind)


@cython.cfunc
@cython.inline
def carrying(t: Tape, v: cython.double, d: cython.double, kind: cython.int) -> Scalar:
    """A number of forward mode, with its tangent."""
    r: Scalar = number(t, t.serial, v, kind)
    # Rows tell numbers apart, in tables that are keyed by them for instance.
    t.serial = (t.serial + 1) & 0x7FFFFFFF
    r.dv = d if cython.compiled else float(d)
    return r


@cython.cfunc
@cython.inline
def emit(t: Tape, code: cython.int, x: Scalar, v: cython.double, kind: cython.int) -> Scalar:
    """What an operation on one number gives, with its row."""
    if t.n == t.limit and carries(t):
        return dual(t, code, x.row, x.v, x.dv, _NONE, 0.0, 0.0, v, kind)
    return written(t, code, x.row, 0, v, kind)


@cython.cfunc
@cython.inline
def emit_xy(
    t: Tape, code: cython.int, x: Scalar, y: Scalar, v: cython.double, kind: cython.int
) -> Scalar:
    """As `emit`, for two numbers."""
    if t.n == t.limit and carries(t):
        return dual(t, code, x.row, x.v, x.dv, y.row, y.v, y.dv, v, kind)
    return written(t, code, x.row, y.row, v, kind)


@cython.cfunc
@cython.inline
def emit_xc(
    t: Tape, code: cython.int, x: Scalar, c: cython.double, v: cython.double, kind: cython.int
) -> Scalar:
    """As `emit`, for a number and a constant."""
    if t.n == t.limit and carries(t):
        return dual(t, code, x.row, x.v, x.dv, _CONSTANT, c, 0.0, v, kind)
    return written(t, code, x.row, constant(t, c), v, kind)


@cython.cfunc
@cython.inline
def emit_cx(
    t: Tape, code: cython.int, c: cython.double, x: Scalar, v: cython.double, kind: cython.int
) -> Scalar:
    """As `emit`, for a constant and a number."""
    if t.n == t.limit and carries(t):
        return dual(t, code, _CONSTANT, c, 0.0, x.row, x.v, x.dv, v, kind)
    return written(t, code, constant(t, c), x.row, v, kind)


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def check(x: Scalar) -> cython.int:
    """Raise if x does not belong to the recording that runs in this thread."""
    if cython.compiled:
        if x.epoch != _tape.epoch or thread() != _owner:
            find_tape(x)
    elif x.epoch != current.tape.epoch:
        raise guards.misuse(x.epoch)
    return 0


@cython.cfunc
@cython.inline
def live(x: Scalar) -> Tape:
    """The tape that records x in this thread; raise if there is none.

    Compiled code asks the thread-local `current` only when the thread has changed.  Interpreted
    code may be interrupted by another thread anywhere, and always asks it.
    """
    check(x)
    return _tape if cython.compiled else current.tape


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def check_epoch(t: Tape, x: Scalar) -> cython.int:
    """As `check`, for the second operand of an operation on t."""
    if x.epoch != t.epoch:
        raise guards.misuse(x.epoch)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def find_tape(x: Scalar) -> cython.int:
    """Make this thread's tape the one at hand; raise if it does not record x."""
    if thread() != _owner:
        activate(current.tape)
    if x.epoch != _tape.epoch:
        raise guards.misuse(x.epoch)
    return 0


@cython.cfunc
def tape_here() -> Tape:
    """This thread's tape."""
    if not cython.compiled:
        return current.tape
    if thread() != _owner:
        activate(current.tape)
    return _tape


def activate(tape):
    """Make `tape` the one that this thread's numbers write to."""
    global _tape, _owner
    _tape = tape
    _owner = thread()


def rare(op, left, right):
    """left op right, where one of them is neither Scalar nor float: as a float, if it is one.

    Other types get their turn; where they decline, Python raises what it raises for a float.
    """
    other = right if type(left) is Scalar else left
    if hasattr(type(other), "__array_function__"):
        return NotImplemented  # an array of ours, which may stand for a number
    if isinstance(other, (complex, np.complexfloating)):
        return _numpy.complex_operation(op, left, right)
    if not isinstance(other, (float, int, np.floating, np.integer, np.bool_, Rational)):
        if op is _mul and isinstance(other, Sequence):
            return op(plain(left), plain(right))  # an interpreted class would get other words
        return NotImplemented
    if type(left) is Scalar and isinstance(other, float) and not isinstance(other, np.generic):
        name = _REFLECTED.get(op)
        if name is not None and getattr(type(other), name) is not getattr(float, name):
            return NotImplemented  # a float of the user's, whose own method Python would ask first
    try:
        number = float(other)
    except OverflowError:
        return op(plain(left), plain(right))  # raises what a float raises
    if isinstance(other, np.floating):
        left, right = (as_numpy(x) if type(x) is Scalar else x for x in (left, right))
    return op(left, number) if type(left) is Scalar else op(number, right)


def as_float(x):
    """The same number, standing for a float."""
    s: Scalar = x
    return same(live(s), s, 0) if s.kind else s


def as_numpy(x):
    """The same number, standing for an np.float64."""
    s: Scalar = x
    return s if s.kind else same(live(s), s, 1)


@cython.cfunc
def same(t: Tape, s: Scalar, kind: cython.int) -> Scalar:
    """A number with another kind."""
    r: Scalar = number(t, s.row, s.v, kind)
    r.dv = s.dv
    return r


def plain(x):
    """The value of a Scalar, stale ones too; anything else as it is."""
    if type(x) is Scalar:
        return cython.cast(Scalar, x).v
    return x


@cython.cfunc
def power(a: cython.double, b: cython.double, kind: cython.int) -> cython.double:
    """a ** b as Python's floats, or NumPy's, do it, errors included."""
    if kind:
        return np.float64(a) ** np.float64(b)
    if cython.compiled and a > 0.0 and isfinite(a) and isfinite(b):
        p: cython.double = c_pow(a, b)
        if isfinite(p):
            return p
    result = _pow(a, b)
    if type(result) is complex:
        raise guards.unsupported(f"{a!r} ** {b!r} is complex; complex numbers")
    return result


@cython.cfunc
def by_zero(left: object, right: object) -> object:
    """left / right where right is 0: an error for floats, a warning for NumPy's numbers."""
    x, y = plain(left), plain(right)
    if not is_numpy(left) and not is_numpy(right):
        return _truediv(x, y)  # raises what a float raises
    return write2(_DIV, left, right, np.float64(x) / np.float64(y), 1)


# ------------------------------------------------------------------------------ Scalar ---


@cython.freelist(8192)
@cython.final
@cython.cclass
class Scalar:
    """A float that knows its row.  `isinstance(x, float)` holds; `type(x) is float` does not."""

    if not cython.compiled:
        __slots__ = ("dv", "epoch", "kind", "row", "v")

    v: cython.double
    row: cython.int
    kind: cython.int  # 1 where it stands for an np.float64, 0 for a float
    epoch: cython.ulonglong
    dv: cython.double  # its tangent, in forward mode

    def __init__(self, *args):
        raise TypeError("tracked numbers are not made by hand: float(x) makes a float")

    # -- what it says it is

    @property
    def __class__(self):
        return np.float64 if self.kind else _class

    def __repr__(self):
        return repr(np.float64(self.v)) if self.kind else repr(self.v)

    def __str__(self):
        return str(self.v)

    def __format__(self, spec):
        return format(self.v, spec)

    def __hash__(self):
        guards.remember_hash(self.epoch, self.row)
        return hash(self.v)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise guards.detached(
            "a tracked number was about to be pickled, which would lose its derivative."
        )

    @property
    def real(self):
        return self

    @property
    def imag(self):
        return 0.0

    def conjugate(self):
        return self

    def hex(self):
        return self.v.hex()

    def is_integer(self):
        check(self)
        return self.v.is_integer()

    @staticmethod
    def fromhex(text):
        return float.fromhex(text)

    def as_integer_ratio(self):
        if guards.compares_fractions():
            return self.v.as_integer_ratio()
        raise guards.detached(
            "as_integer_ratio() turns a tracked number into integers without derivative."
        )

    # -- as an operand of NumPy, which array.py sees to

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return _numpy.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function, types, args, options):
        return _numpy.function(function, args, options)

    def __getattr__(self, name):
        # Attributes of np.float64, and what NumPy's loops over objects look for: x.sin().
        return _numpy.attribute(self, name)

    # -- the operators of a ring and a field

    def __add__(self, other):
        t: Tape = live(self)
        if type(other) is Scalar:
            check_epoch(t, cython.cast(Scalar, other))
            return emit_xy(
                t,
                _ADD,
                self,
                cython.cast(Scalar, other),
                self.v + cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_xc(t, _ADD, self, c, self.v + c, self.kind)
        return rare(_add, self, other)

    def __radd__(self, other):
        t: Tape = live(self)
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_cx(t, _ADD, c, self, c + self.v, self.kind)
        return rare(_add, other, self)

    def __sub__(self, other):
        t: Tape = live(self)
        if type(other) is Scalar:
            check_epoch(t, cython.cast(Scalar, other))
            return emit_xy(
                t,
                _SUB,
                self,
                cython.cast(Scalar, other),
                self.v - cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_xc(t, _SUB, self, c, self.v - c, self.kind)
        return rare(_sub, self, other)

    def __rsub__(self, other):
        t: Tape = live(self)
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_cx(t, _SUB, c, self, c - self.v, self.kind)
        return rare(_sub, other, self)

    def __mul__(self, other):
        t: Tape = live(self)
        if type(other) is Scalar:
            check_epoch(t, cython.cast(Scalar, other))
            return emit_xy(
                t,
                _MUL,
                self,
                cython.cast(Scalar, other),
                self.v * cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_xc(t, _MUL, self, c, self.v * c, self.kind)
        return rare(_mul, self, other)

    def __rmul__(self, other):
        t: Tape = live(self)
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_cx(t, _MUL, c, self, c * self.v, self.kind)
        return rare(_mul, other, self)

    def __truediv__(self, other):
        t: Tape = live(self)
        if type(other) is Scalar:
            check_epoch(t, cython.cast(Scalar, other))
            if cython.cast(Scalar, other).v == 0.0:
                return by_zero(self, other)
            return emit_xy(
                t,
                _DIV,
                self,
                cython.cast(Scalar, other),
                self.v / cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            if c == 0.0:
                return by_zero(self, c)
            return emit_xc(t, _DIV, self, c, self.v / c, self.kind)
        return rare(_truediv, self, other)

    def __rtruediv__(self, other):
        t: Tape = live(self)
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            if self.v == 0.0:
                return by_zero(c, self)
            return emit_cx(t, _DIV, c, self, c / self.v, self.kind)
        return rare(_truediv, other, self)

    def __pow__(self, other, modulo=None):
        t: Tape = live(self)
        if modulo is not None:
            return pow(self.v, plain(other), plain(modulo))  # raises what a float raises
        if type(other) is Scalar:
            check_epoch(t, cython.cast(Scalar, other))
            return emit_xy(
                t,
                _POW,
                self,
                cython.cast(Scalar, other),
                power(
                    self.v,
                    cython.cast(Scalar, other).v,
                    self.kind | cython.cast(Scalar, other).kind,
                ),
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_xc(t, _POWC, self, c, power(self.v, c, self.kind), self.kind)
        return rare(_pow, self, other)

    def __rpow__(self, other, modulo=None):
        t: Tape = live(self)
        if type(other) is float or type(other) is int:
            c: cython.double = as_double(other)
            return emit_cx(t, _POW, c, self, power(c, self.v, self.kind), self.kind)
        return rare(_pow, other, self)

    def __neg__(self):
        t: Tape = live(self)
        return emit(t, _NEG, self, -self.v, self.kind)

    def __pos__(self):
        check(self)
        return self

    def __abs__(self):
        t: Tape = live(self)
        return emit(t, _ABS, self, abs(self.v), self.kind)

    # -- operators whose results are whole or piecewise so; Python computes the values

    def __floordiv__(self, other):
        return stepwise(_FLOORDIV, _floordiv, self, other)

    def __rfloordiv__(self, other):
        return stepwise(_FLOORDIV, _floordiv, other, self)

    def __mod__(self, other):
        return stepwise(_MOD, _mod, self, other)

    def __rmod__(self, other):
        return stepwise(_MOD, _mod, other, self)

    def __divmod__(self, other):
        other = other.item() if isinstance(other, np.generic) else other
        _divmod(self.v, plain(other))  # raises what it has to raise
        return self // other, self % other

    def __rdivmod__(self, other):
        other = other.item() if isinstance(other, np.generic) else other
        _divmod(plain(other), self.v)
        return other // self, other % self

    def __round__(self, ndigits=None):
        t: Tape = live(self)
        if ndigits is None:
            return rounded("round", self, _round(self.v))
        value: cython.double = _round(np.float64(self.v) if self.kind else self.v, ndigits)
        digits: cython.double = max(-400, min(400, operator.index(ndigits)))
        return emit_xc(t, _ROUND, self, digits, value, self.kind)

    def __int__(self):
        check(self)
        return rounded("int", self, self.v.__int__())

    def __trunc__(self):
        check(self)
        return rounded("trunc", self, self.v.__trunc__())

    def __floor__(self):
        check(self)
        return rounded("floor", self, self.v.__floor__())

    def __ceil__(self):
        check(self)
        return rounded("ceil", self, self.v.__ceil__())

    def __bool__(self):
        check(self)
        return rounded("bool", self, self.v != 0.0)

    # -- comparisons: the branch that is taken is the one that is differentiated

    def __lt__(self, other):
        check(self)
        if type(other) is Scalar:
            check(cython.cast(Scalar, other))
            return decided(
                "<",
                self,
                other,
                self.v < cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float:
            return decided("<", self, other, self.v < as_double(other), self.kind)
        return compare("<", _lt, self, other)

    def __le__(self, other):
        check(self)
        if type(other) is Scalar:
            check(cython.cast(Scalar, other))
            return decided(
                "<=",
                self,
                other,
                self.v <= cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float:
            return decided("<=", self, other, self.v <= as_double(other), self.kind)
        return compare("<=", _le, self, other)

    def __gt__(self, other):
        check(self)
        if type(other) is Scalar:
            check(cython.cast(Scalar, other))
            return decided(
                ">",
                self,
                other,
                self.v > cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float:
            return decided(">", self, other, self.v > as_double(other), self.kind)
        return compare(">", _gt, self, other)

    def __ge__(self, other):
        check(self)
        if type(other) is Scalar:
            check(cython.cast(Scalar, other))
            return decided(
                ">=",
                self,
                other,
                self.v >= cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float:
            return decided(">=", self, other, self.v >= as_double(other), self.kind)
        return compare(">=", _ge, self, other)

    def __eq__(self, other):
        check(self)
        if type(other) is Scalar:
            check(cython.cast(Scalar, other))
            return decided(
                "==",
                self,
                other,
                self.v == cython.cast(Scalar, other).v and not under_one_key(self, other),
                self.kind | cython.cast(Scalar, other).kind,
            )
        if type(other) is float:
            equal: cython.bint = self.v == as_double(other) and not under_one_key(self, other)
            return decided("==", self, other, equal, self.kind)
        result = compare("==", _eq, self, other)
        if result is not NotImplemented and result:
            under_one_key(self, other)
        return result

    def __ne__(self, other):
        check(self)
        if type(other) is Scalar:
            check(cython.cast(Scalar, other))
            return decided(
                "!=",
                self,
                other,
                self.v != cython.cast(Scalar, other).v,
                self.kind | cython.cast(Scalar, other).kind,
            )
        return compare("!=", _ne, self, other)

    # -- where the derivative would be lost

    def __float__(self):
        if guards.formats_percent():
            return self.v
        check(self)
        raise guards.detached(
            "a tracked number was about to become a plain float, without derivative."
        )

    def __complex__(self):
        raise guards.unsupported("complex(x) of a tracked number: complex numbers")


@cython.cfunc
@cython.inline
def decided(name: object, x: object, other: object, holds: cython.bint, kind: cython.int) -> object:
    """The result of a comparison: Python's, or NumPy's, which knows ``~``."""
    if notes():
        note(name, (x, other), holds)
    if kind:
        return np.bool_(holds)
    return holds


@cython.cfunc
@cython.inline
def notes() -> cython.bint:
    """Whether the recording that runs keeps what tracked values decide."""
    return (_tape if cython.compiled else current.tape).decisions is not None


def note(name, operands, result):
    """Keep a decision: ``(name, operands, result, place, row, options)``.

    An operand is ``(row, value)``; a place if it is of an array, None if it is constant.  `place`
    is the number of the source line, -1 where lines are not kept; `row` is the one that comes next.
    """
    t: Tape = _tape if cython.compiled else current.tape
    pairs = [(row_of(x), plain(x)) if type(x) is Scalar else (None, x) for x in operands]
    place = t.sources.here() if t.keeps_lines else -1
    t.decisions.append((name, tuple(pairs), result, place, t.n, {}))


@cython.cfunc
@cython.inline
def rounded(name: object, x: object, result: object) -> object:
    """What is neither number nor comparison: a piecewise constant function's result."""
    if notes():
        note(name, (x,), result)
    return result


@cython.cfunc
def stepwise(code: cython.int, op: object, left: object, right: object) -> object:
    """left // right or left % right, as Python computes them, signs and zero divisors included."""
    x, y = plain(left), plain(right)
    if type(x) is not float or type(y) is not float:
        return rare(op, left, right)
    if is_numpy(left) or is_numpy(right):
        return write2(code, left, right, op(np.float64(x), y), 1)
    return write2(code, left, right, op(x, y))


@cython.cfunc
def compare(name: object, op: object, x: Scalar, other: object) -> object:
    """x op other, where that is no Scalar: as floats decide it; other classes get their turn."""
    if hasattr(type(other), "__array_function__"):
        return NotImplemented
    if type(other) is int or isinstance(other, (Number, np.number, np.bool_)):
        holds = op(np.float64(x.v) if x.kind else x.v, other)
        if notes():
            note(name, (x, other), holds)
        return holds
    return NotImplemented


@cython.cfunc
@cython.inline
def under_one_key(x: object, other: object) -> object:
    """False; but an error where a dictionary asks and would take two numbers for one key."""
    if guards.hashed:
        guards.look_up([row_of(n) for n in (x, other) if type(n) is Scalar])
    return False


def dispatch_to(numpy):
    """Let `numpy` do what NumPy asks of numbers: its `ufunc`, `function` and `attribute`."""
    global _numpy
    _numpy = numpy


def pass_for(cls):
    """Let numbers say that they are of class `cls`, one that derives from float."""
    global _class
    _class = cls


# ------------------------------------------------ for the modules above, one call each ---


def liftable(leaf):
    """Whether `lift` takes the leaf as it is: a float, an int or a tracked number."""
    kind = type(leaf)
    return kind is float or kind is Scalar or kind is int


def all_liftable(values):
    """Whether `lift` takes a list or tuple as it is."""
    for leaf in values:  # a loop that compiles well
        if not liftable(leaf):
            return False
    return True


def lift(values):
    """Begin a variable for each number of a list or tuple; all have to be liftable."""
    t: Tape = current.tape
    return [begun(t, leaf) for leaf in values]


@cython.cfunc
@cython.inline
def begun(t: Tape, leaf: object) -> object:
    """A variable that begins with a number's value."""
    if type(leaf) is Scalar:
        check_epoch(t, cython.cast(Scalar, leaf))
        x: Scalar = leaf
        return emit(t, _COPY, x, x.v, x.kind)
    return leading(t, as_double(leaf))


@cython.cfunc
@cython.inline
def leading(t: Tape, v: cython.double) -> Scalar:
    """A variable that begins with the value v; its tangent is 0 until it is given one."""
    if t.n == t.limit:
        if t.forward:
            return carrying(t, v, 0.0, 0)
        t.grow()
    return written(t, _INPUT, 0, 0, v, 0)


def write(code, x, v, kind=0):
    """Append the row of a function of one tracked number whose value is v."""
    t: Tape = live(x)
    return emit(t, code, x, v, kind)


def write2(code, x, y, v, kind=0):
    """Append the row of a function of two numbers, at least one of them tracked."""
    if type(x) is not Scalar:
        return emit_cx(live(y), code, x, y, v, kind)
    t: Tape = live(x)
    if type(y) is Scalar:
        check_epoch(t, cython.cast(Scalar, y))
        return emit_xy(t, code, x, y, v, kind)
    return emit_xc(t, code, x, y, v, kind)


def append(t, code, a, b, v, kind):
    """Append a row as it is given: the way of array operations onto the tape."""
    if t.n == t.limit:
        # The record of an array operation comes after its row.
        if code == _ARRAY:
            t.make_room()
        else:
            t.grow()
    if t.imports and code == _STORE and 0 <= a < t.floor:
        a = t.row_for(a)
    return written(t, code, a, b, v, kind)


def with_tangent(t, v, d, kind):
    """A number of forward mode, and its tangent: what array operations give there."""
    return carrying(t, v, d, kind)


def tangent_of(x):
    """The tangent that a number carries in forward mode."""
    return cython.cast(Scalar, x).dv


def carry(values, tangents):
    """Give numbers of forward mode their tangents; the positions of what is no number."""
    k: cython.Py_ssize_t
    others: list = []
    for k in range(len(values)):
        if type(values[k]) is Scalar:
            cython.cast(Scalar, values[k]).dv = tangents[k]
        else:
            others.append(k)
    return others


def unary(code, x, original):
    """Append the row of a function of one operand; `original` gives values and errors at the edge.

    The table's value is the bits of Python's own function wherever that has a finite value.
    """
    s: Scalar = x
    t: Tape = live(s)
    v: cython.double = ieee_value(code, s.v, 0.0)
    if not isfinite(v):
        v = original(s.v)
    return emit(t, code, s, v, 0)


def at_row(tape, row, v, kind=0):
    """The number of a row that a tape's current recording wrote."""
    return number(tape, row, v, kind)


def is_numpy(x):
    """Whether a number stands for an np.float64."""
    return cython.cast(Scalar, x).kind != 0 if type(x) is Scalar else isinstance(x, np.generic)


def row_of(x):
    """The row of a live Scalar, None for anything else."""
    if type(x) is Scalar:
        s: Scalar = cython.cast(Scalar, x)
        check(s)
        return s.row
    return None


def stop(x):
    """A number with x's value and no derivative."""
    s: Scalar = x
    return emit(live(s), _STOP, s, s.v, s.kind)


# Messages of Python name the type: a tracked number is called what it stands for.
if cython.compiled:
    call_float(Scalar)
else:
    Scalar.__name__ = Scalar.__qualname__ = "float"
