"""The table of elementary operations: each one's value, first and second partials, once.

``a`` and ``b`` are the operands and ``v`` the value.  Formulas follow IEEE arithmetic: ``1 / 0`` is
infinite and nothing raises; a program's own arithmetic raises what Python's floats raise before a
row is written.  Everything else is derived from this table: the switch that the compiled sweeps use
(``partials.py``, written by ``python -m tapead.elementary`` and compared with the table by a test),
the recorded sweeps of nested derivatives, listings, and the tests of every operation.

Adding an operation is adding a row (at the end: codes are positions) and running that command.

Conventions at kinks, the same in both modes: ``abs'(0) = 0``; ``hypot`` at the origin 0;
``sqrt'(0) = inf``; integer-valued and rounding operations 0.
"""

from __future__ import annotations

import ast
import math
import pathlib
from typing import NamedTuple

__all__ = ["CODES", "OPS", "Op"]


class Op(NamedTuple):
    """One operation.  An empty value means that the number is computed where the row is written."""

    name: str
    arity: int
    value: str
    da: str = "0.0"
    db: str = "0.0"
    daa: str = "0.0"
    dab: str = "0.0"
    dbb: str = "0.0"


_POW_A = "b * a ** (b - 1.0) if b != 0.0 else 0.0"
_POW_AA = "b * (b - 1.0) * a ** (b - 2.0) if b * (b - 1.0) != 0.0 else 0.0"
_ERF = "1.1283791670955126 * exp(-a * a)"  # 2 / sqrt(pi)
_LN2 = repr(math.log(2.0))
_LN10 = repr(math.log(10.0))
_HYP = "hypot(a, b)"

# fmt: off
OPS: tuple[Op, ...] = (
    # What begins a variable, and what passes one on.
    Op("input", 0, ""),
    Op("copy", 1, "a", "1.0"),
    Op("stop", 1, "a"),
    # Operators.  powc is pow with a constant exponent.
    Op("add", 2, "a + b", "1.0", "1.0"),
    Op("sub", 2, "a - b", "1.0", "-1.0"),
    Op("mul", 2, "a * b", "b", "a", dab="1.0"),
    Op("div", 2, "a / b", "1.0 / b", "-v / b", dab="-1.0 / b / b", dbb="2.0 * v / b / b"),
    Op("neg", 1, "-a", "-1.0"),
    Op("abs", 1, "abs(a)", "sign(a)"),
    Op("powc", 2, "a ** b", _POW_A, "0.0", _POW_AA),
    Op(
        "pow", 2, "a ** b",
        "b * a ** (b - 1.0) if a != 0.0 or b != 0.0 else 0.0",
        "v * log(a) if v != 0.0 else 0.0",
        _POW_AA,
        "a ** (b - 1.0) * (1.0 + b * log(a)) if a != 0.0 or b <= 1.0 else 0.0",
        "v * log(a) * log(a) if v != 0.0 else 0.0",
    ),
    Op("floordiv", 2, "floordiv(a, b)"),
    Op("mod", 2, "mod(a, b)", "1.0", "rint((v - a) / b)"),
    Op("round", 2, "round_to(a, b)"),
    # Powers and logarithms.
    Op("sqrt", 1, "sqrt(a)", "0.5 / v", daa="-0.25 / (a * v)"),
    Op("cbrt", 1, "cbrt(a)", "1.0 / 3.0 / v / v", daa="-2.0 / (9.0 * v * v * v * v * v)"),
    Op("exp", 1, "exp(a)", "v", daa="v"),
    Op("exp2", 1, "exp2(a)", f"{_LN2} * v", daa=f"{_LN2} * {_LN2} * v"),
    Op("expm1", 1, "expm1(a)", "exp(a)", daa="exp(a)"),
    Op("log", 1, "log(a)", "1.0 / a", daa="-1.0 / (a * a)"),
    Op("log2", 1, "log2(a)", f"1.0 / ({_LN2} * a)", daa=f"-1.0 / ({_LN2} * a * a)"),
    Op("log10", 1, "log10(a)", f"1.0 / ({_LN10} * a)", daa=f"-1.0 / ({_LN10} * a * a)"),
    Op("log1p", 1, "log1p(a)", "1.0 / (1.0 + a)", daa="-1.0 / ((1.0 + a) * (1.0 + a))"),
    # Trigonometric and hyperbolic.
    Op("sin", 1, "sin(a)", "cos(a)", daa="-v"),
    Op("cos", 1, "cos(a)", "-sin(a)", daa="-v"),
    Op("tan", 1, "tan(a)", "1.0 + v * v", daa="2.0 * v * (1.0 + v * v)"),
    Op(
        "asin", 1, "asin(a)",
        "1.0 / sqrt((1.0 - a) * (1.0 + a))",
        daa="a / ((1.0 - a) * (1.0 + a) * sqrt((1.0 - a) * (1.0 + a)))",
    ),
    Op(
        "acos", 1, "acos(a)",
        "-1.0 / sqrt((1.0 - a) * (1.0 + a))",
        daa="-a / ((1.0 - a) * (1.0 + a) * sqrt((1.0 - a) * (1.0 + a)))",
    ),
    Op(
        "atan", 1, "atan(a)",
        "1.0 / (1.0 + a * a)",
        daa="-2.0 * a / (1.0 + a * a) / (1.0 + a * a)",
    ),
    Op("sinh", 1, "sinh(a)", "cosh(a)", daa="v"),
    Op("cosh", 1, "cosh(a)", "sinh(a)", daa="v"),
    # 1 - v*v loses its digits as v nears 1; there 1/cosh^2 keeps them.
    Op(
        "tanh", 1, "tanh(a)",
        "1.0 - v * v if -0.9 < v < 0.9 else 1.0 / cosh(a) / cosh(a)",
        daa="-2.0 * v * (1.0 - v * v if -0.9 < v < 0.9 else 1.0 / cosh(a) / cosh(a))",
    ),
    Op(
        "asinh", 1, "asinh(a)",
        "1.0 / hypot(1.0, a)",
        daa="-a / hypot(1.0, a) / hypot(1.0, a) / hypot(1.0, a)",
    ),
    Op(
        "acosh", 1, "acosh(a)",
        "1.0 / (sqrt(a - 1.0) * sqrt(a + 1.0))",
        daa="-a / (a - 1.0) / (a + 1.0) / (sqrt(a - 1.0) * sqrt(a + 1.0))",
    ),
    Op(
        "atanh", 1, "atanh(a)",
        "1.0 / ((1.0 - a) * (1.0 + a))",
        daa="2.0 * a / ((1.0 - a) * (1.0 + a)) / ((1.0 - a) * (1.0 + a))",
    ),
    Op(
        "atan2", 2, "atan2(a, b)",
        f"b / {_HYP} / {_HYP}",
        f"-a / {_HYP} / {_HYP}",
        f"-2.0 * (a / {_HYP}) * (b / {_HYP}) / {_HYP} / {_HYP}",
        f"((a / {_HYP}) * (a / {_HYP}) - (b / {_HYP}) * (b / {_HYP})) / {_HYP} / {_HYP}",
        f"2.0 * (a / {_HYP}) * (b / {_HYP}) / {_HYP} / {_HYP}",
    ),
    Op(
        "hypot", 2, "hypot(a, b)",
        "a / v if v != 0.0 else 0.0",
        "b / v if v != 0.0 else 0.0",
        "(b / v) * (b / v) / v if v != 0.0 else 0.0",
        "-(a / v) * (b / v) / v if v != 0.0 else 0.0",
        "(a / v) * (a / v) / v if v != 0.0 else 0.0",
    ),
    # Special functions.  polygamma(n, x) is the n-th derivative of digamma; n is a constant.
    Op("erf", 1, "erf(a)", _ERF, daa=f"-2.0 * a * {_ERF}"),
    Op("erfc", 1, "erfc(a)", f"-{_ERF}", daa=f"2.0 * a * {_ERF}"),
    Op(
        "gamma", 1, "gamma(a)",
        "v * polygamma(0.0, a)",
        daa="v * (polygamma(1.0, a) + polygamma(0.0, a) * polygamma(0.0, a))",
    ),
    Op("lgamma", 1, "lgamma(a)", "polygamma(0.0, a)", daa="polygamma(1.0, a)"),
    Op(
        "polygamma", 2, "polygamma(a, b)",
        db="polygamma(a + 1.0, b)", dbb="polygamma(a + 2.0, b)",
    ),
    # Signs, remainders, neighbours.
    Op("copysign", 2, "copysign(a, b)", "sign(a) * copysign(1.0, b)"),
    Op("fmod", 2, "fmod(a, b)", "1.0", "rint((v - a) / b)"),
    Op("remainder", 2, "remainder(a, b)", "1.0", "rint((v - a) / b)"),
    Op("ldexp", 2, "ldexp(a, b)", "ldexp(1.0, b)"),
    Op("nextafter", 2, "nextafter(a, b)", "1.0"),
    Op("ulp", 1, "ulp(a)"),
    Op("frac", 1, "a - trunc(a)", "1.0"),
    Op("sign", 1, "sign(a)"),
    Op("floor", 1, "floor(a)"),
    Op("ceil", 1, "ceil(a)"),
    Op("trunc", 1, "trunc(a)"),
    Op("rint", 1, "rint(a)"),
    # A step of an exactly rounded sum (fsum, sumprod, fma): adds, but the value of the last step
    # is the one rounded once, so it is given by whoever writes the row.
    Op("exact_add", 2, "", "1.0", "1.0"),
    # Arrays: an operation on them (its record), a number read out of one and a number written into
    # one (a storage and an offset in it).  Sweeps know these three by name.
    Op("array", 0, ""),
    Op("element", 0, ""),
    Op("store", 0, ""),
)
# fmt: on

CODES: dict[str, int] = {op.name: code for code, op in enumerate(OPS)}


# ------------------------------------------------------------------- partials.py ---

_HEADER = '''\
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Values and partials of every elementary operation, on floats, by operation code.

Written by ``python -m tapead.elementary`` from the table in elementary.py: change it there.
Compiled, each function is one switch over libm; interpreted, ieee.py stands in for libm.
"""

import cython

if not cython.compiled:
    from tapead.ieee import (
{ieee}
    )
    from tapead.special import (
{special}
    )
'''

# What partials.py takes from special.py; all other functions of the formulas are libm's.
_SPECIAL = frozenset(
    ("floordiv", "gamma", "hypot", "ldexp", "lgamma", "mod", "polygamma", "round_to", "sign", "ulp")
)


def _header() -> str:
    """The top of partials.py, importing the functions that the formulas call."""
    trees = [ast.parse(ieee(f)) for op in OPS for f in op[2:] if f]
    calls = {n.func.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call)}
    calls.discard("abs")  # Python's own, and C's for Cython
    return _HEADER.format(
        ieee="\n".join(f"        {name}," for name in sorted(calls - _SPECIAL)),
        special="\n".join(f"        {name}," for name in sorted(calls & _SPECIAL)),
    )


_VALUE = '''

def value(code: cython.int, a: cython.double, b: cython.double):
    """The operation's value, nan for those that have no formula."""
'''

_FIRST = '''

def first(code: cython.int, a: cython.double, b: cython.double, v: cython.double):
    """d value / d a and d value / d b."""
    p: cython.double = 0.0
    q: cython.double = 0.0
'''

_SECOND = '''

def second(code: cython.int, a: cython.double, b: cython.double, v: cython.double):
    """d2 value / da da, da db and db db."""
    p: cython.double = 0.0
    q: cython.double = 0.0
    r: cython.double = 0.0
'''


_RAISING = {ast.Div: "div", ast.Pow: "power"}


class _Ieee(ast.NodeTransformer):
    """``/`` and ``**`` become calls: on Python's floats they raise where IEEE has a value."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = _RAISING.get(type(node.op))
        if name is None:
            return node
        return ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], [])


def ieee(formula: str) -> str:
    """The formula with ``/`` and ``**`` written as calls of ``div`` and ``power``."""
    return ast.unparse(ast.fix_missing_locations(_Ieee().visit(ast.parse(formula, mode="eval"))))


def _branches(columns: dict[str, str]) -> str:
    """An if/elif chain over the codes that sets each name to its formula of the table."""
    lines, word = [], "if"
    for code, op in enumerate(OPS):
        body = [
            f"        {name} = {ieee(getattr(op, column))}"
            for name, column in columns.items()
            if getattr(op, column) not in ("", "0.0")
        ]
        if body:
            lines += [f"    {word} code == {code}:  # {op.name}", *body]
            word = "elif"
    return "\n".join(lines)


def partials_source() -> str:
    """The text of partials.py."""
    return (
        _header()
        + _VALUE
        + '    v: cython.double = float("nan")\n'
        + _branches({"v": "value"})
        + "\n    return v\n"
        + _FIRST
        + _branches({"p": "da", "q": "db"})
        + "\n    return p, q\n"
        + _SECOND
        + _branches({"p": "daa", "q": "dab", "r": "dbb"})
        + "\n    return p, q, r\n"
    )


if __name__ == "__main__":
    pathlib.Path(__file__).with_name("partials.py").write_text(partials_source())
