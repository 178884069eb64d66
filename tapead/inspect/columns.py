"""A tape's columns, in which NumPy's functions of numbers are operations like any other.

``np.sin(x)`` of a number is a record of an operation on arrays, as ``np.sin`` of an array is.  To
look at, it is what ``math.sin(x)`` is: a row with operands and partial derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.elementary import CODES
from tapead.places import Record, Row
from tapead.tape import Tape

_ARRAY = CODES["array"]
_NUMPYS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg",
    "absolute": "abs", "fabs": "abs", "power": "pow", "float_power": "pow", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "arctan2": "atan2", "positive": "copy",
}  # fmt: skip
_SAME = (
    "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
    "sinh", "cosh", "tanh", "hypot",
)  # fmt: skip
_TABLE = {**_NUMPYS, **{name: name for name in _SAME}}


class Columns:
    """The columns of a tape.

    Attributes
    ----------
    codes, a, b, values : as `Tape.rows` gives them, but for NumPy's functions of numbers, which
        have the codes and operands of the table
    numpys : for each row that is such a function its record
    """

    def __init__(self, tape: Tape) -> None:
        self.codes, self.a, self.b, self.values = tape.rows(0, len(tape))
        self.numpys: dict[int, Record] = {}
        self._tape = tape
        self._constants: list[float] = []
        for row in np.flatnonzero(self.codes == _ARRAY).tolist():
            record = tape.records[self.a[row]]
            found = _as_number(record)
            if found is not None:
                name, operands = found
                keys = [k if type(k) is int else self._constant(k) for k in operands]
                self.codes[row] = CODES[name]
                self.a[row], self.b[row] = keys[0], keys[-1]
                self.numpys[row] = record

    def _constant(self, x: float) -> int:
        """An operand that is a constant, behind those of the tape."""
        self._constants.append(float(x))
        return -self._tape.n_const - len(self._constants)

    def constant(self, k: int) -> float:
        """The constant that a negative operand stands for."""
        at = -k - 1 - self._tape.n_const
        return self._tape.operand_value(k) if at < 0 else self._constants[at]

    def slope(self, row: int, which: int, otherwise: float) -> float:
        """The partial derivative that a sweep takes at a function of NumPy's; `otherwise` where it
        is the table's."""
        record = self.numpys[row]
        rule = record.rule
        if len(record.ins) != rule.ufunc.nin or rule.ufunc.__name__ in ("square", "reciprocal"):
            return otherwise
        partial = rule.partials[which]
        if not callable(partial):
            return otherwise if partial is None else float(partial)
        keys = (int(self.a[row]), int(self.b[row]))[: rule.ufunc.nin]
        given = [self.values[k] if k >= 0 else np.float64(self.constant(k)) for k in keys]
        with np.errstate(all="ignore"):
            return float(partial(*given, self.values[row]))

    def operands(self, column: np.ndarray) -> np.ndarray:
        """The values of a column of operands, of rows and of constants."""
        own = column < -self._tape.n_const
        found = operand_values(self._tape, self.values, np.where(own, 0, column))
        found[own] = [self.constant(k) for k in column[own].tolist()]
        return found


def operand_values(tape: Tape, values: np.ndarray, operands: np.ndarray) -> np.ndarray:
    """The values of a column of operands: of rows, whose values are given, and of constants."""
    found = values[np.maximum(operands, 0)]
    constant = operands < 0
    numbers, which = np.unique(operands[constant], return_inverse=True)
    found[constant] = np.array([tape.operand_value(k) for k in numbers.tolist()])[which]
    return found


def _as_number(record: Record) -> tuple[str, list[Any]] | None:
    """The operation of the table that a record of NumPy's is, and its operands: rows (int) and
    constants (float); None if it is no function of numbers."""
    if type(record.rule) is not Row or type(record.out) is not int:
        return None
    operands: list[Any] = []
    for j, key in enumerate(record.ins):
        held = record.kept[j] if key is None and j < len(record.kept) else None
        if type(key) is int:
            operands.append(key)
        elif isinstance(held, (float, int, np.floating, np.integer)):
            operands.append(float(held))
        else:
            return None
    ufunc = record.rule.ufunc.__name__
    if ufunc == "square":
        return "mul", operands * 2
    if ufunc == "reciprocal":
        return "div", [1.0, *operands]
    name = _TABLE.get(ufunc)
    if name == "pow" and type(operands[1]) is float:
        name = "powc"
    return None if name is None else (name, operands)
