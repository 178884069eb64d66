"""The reverse sweep on tracked numbers: its operations become rows and can be differentiated.

It does the arithmetic of ``sweeps.reverse``, by the formulas of the same table.  Only the adjoints
of rows inside the segment are collected; rows before it belong to the derivatives outside, which
is why inner and outer derivatives cannot be confused (Siskind and Pearlmutter, *Nesting
forward-mode AD in a functional framework*, 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tapead import scalar
from tapead.elementary import CODES, OPS, Op, ieee
from tapead.partials import value as ieee_value
from tapead.scalar import Scalar
from tapead.sweeps import dependence
from tapead.tape import Tape

OUTER = 2  # the bit of `dependence` for rows before the segment


def _function(op: Op) -> Callable:
    """The operation for use in formulas: on tracked numbers it writes a row, and never raises."""
    code = CODES[op.name]

    def apply(x):
        if type(x) is Scalar:
            return scalar.write(code, x, ieee_value(code, scalar.plain(x), 0.0))
        return ieee_value(code, x, 0.0)

    def apply2(x, y):
        v = ieee_value(code, scalar.plain(x), scalar.plain(y))
        if type(x) is Scalar or type(y) is Scalar:
            return scalar.write2(code, x, y, v)
        return v

    return apply if op.arity == 1 else apply2


_NAMES = {op.name: _function(op) for op in OPS if op.value}


def _power(x, y):
    """x ** y in the form whose sweep asks for no logarithm when y is a constant."""
    return _NAMES["pow" if type(y) is Scalar else "powc"](x, y)


_NAMES["power"] = _power


def _compiled(formula: str) -> Callable:
    """A formula of the table as a function of a, b and v."""
    return eval(f"lambda a, b, v: {ieee(formula)}", _NAMES)  # the table is ours


_DA = [_compiled(op.da) for op in OPS]
_DB = [_compiled(op.db) for op in OPS]


def _product(partial, adjoint):
    """partial * adjoint, but None for what the numeric sweep skips: 0 against no finite number."""
    if type(partial) is float:
        if partial == 0.0:
            return None
        if partial == 1.0:
            return adjoint
        if partial == -1.0:
            return -adjoint
    if scalar.plain(partial) == 0.0 and not math.isfinite(scalar.plain(adjoint)):
        return None
    if scalar.plain(adjoint) == 0.0 and not math.isfinite(scalar.plain(partial)):
        return None
    return partial * adjoint


def reverse(tape: Tape, lo: int, begin: int, output: int) -> Sequence:
    """d row `output` / d each input, the rows lo <= r < begin, as tracked numbers or floats."""
    marks = dependence(tape, lo, output + 1, begin)
    adjoints: list = [None] * (output + 1 - lo)
    adjoints[output - lo] = 1.0

    def operand(k):
        value = tape.operand_value(k)
        return scalar.at_row(tape, k, value) if k >= 0 else value

    for r in range(output, begin - 1, -1):
        g = adjoints[r - lo]
        adjoints[r - lo] = None  # as long as the segment, the list is the only one to hold it
        if g is None or not marks[r - lo] & 1:
            continue
        code, j, k, value = tape.row(r)
        a = operand(j)
        b = operand(k) if OPS[code].arity == 2 else 0.0
        v = scalar.at_row(tape, r, value)
        for at, formula in ((j, _DA[code]), (k, _DB[code])):
            # An unused operand points at row 0, and its partial is 0.
            if at >= lo and marks[at - lo] & 1:
                term = _product(formula(a, b, v), g)
                if term is not None:
                    before = adjoints[at - lo]
                    adjoints[at - lo] = term if before is None else before + term
    return [0.0 if g is None else g for g in adjoints[: begin - lo]]
