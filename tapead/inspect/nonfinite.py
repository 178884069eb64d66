"""find_nonfinite: which operation, at which line, first gave an infinity or a nan, and its cure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapead import trees
from tapead.elementary import CODES, OPS
from tapead.inspect.arguments import input_positions
from tapead.inspect.dataflow import index_of
from tapead.inspect.nonfinite_errors import raised
from tapead.inspect.nonfinite_rows import Blame, first_value
from tapead.inspect.nonfinite_sweep import first_adjoint, gradient_is_finite
from tapead.inspect.nonfinite_text import in_words, text
from tapead.inspect.recorded import RecordedTape
from tapead.inspect.remedies import SLOPE, VALUE, remedies
from tapead.inspect.runs import line_of, plain_json, recorded
from tapead.places import root_of
from tapead.recording import describe, function_name
from tapead.recording import inputs as leaves_of
from tapead.rules.table import Joint

_ELEMENT = CODES["element"]
_INFIX = {
    "add": "+", "exact_add": "+", "sub": "-", "subtract": "-", "mul": "*", "multiply": "*",
    "div": "/", "divide": "/", "pow": "**", "powc": "**", "power": "**", "floordiv": "//",
    "mod": "%", "remainder": "%",
}  # fmt: skip


_ALONE = (
    "Its operations are not on this tape, but are run by a rule of their own: look at that "
    "function alone, by find_nonfinite on these operands"
)

_IN_PLACE = {
    "store": "=", "write": "=", "write at": "=", "add in": "+=", "add at": "+=", "sub in": "-=",
}  # fmt: skip


class Finding(NamedTuple):
    """One operation that gave what is not finite, or an error.

    Attributes
    ----------
    operation : ``log``, ``div``, ``matmul``, ...; ``input`` for an argument; for an error the text
        of the expression
    operands : their values; of arrays the elements that count, or a description where all do
    names : for each operand what it is called: of an input its name, of a variable in an error its
        name, else ""
    result : the value; of an adjoint what the operation adds to that of its operand; of an error
        the words
    index : which element of an array it is, ``()`` for a number
    slopes : of an adjoint d value / d operand for each operand, nan for what is not known
    adjoint : of an adjoint that of the operation's own value, nan for what is not known
    operand : of an adjoint the position of the operand whose adjoint is not finite; -1 where it is
        the operation's own, a sum of finite terms
    row : the operation's row, -1 for an error
    file, line, function, source : the user's line
    remedies : what is usually done about it

    Examples
    --------
    >>> import tapead
    >>> finding = tapead.find_nonfinite(lambda x, y: y * x**0.5, 0.0, 3.0).adjoint
    >>> finding.expression, finding.slopes[finding.operand], finding.adjoint, finding.result
    ('(x = 0.0) ** 0.5', inf, 3.0, inf)
    """

    operation: str
    operands: tuple[Any, ...]
    names: tuple[str, ...]
    result: Any
    index: tuple[int, ...]
    slopes: tuple[float, ...]
    adjoint: float
    operand: int
    row: int
    file: str
    line: int
    function: str
    source: str
    remedies: tuple[str, ...]

    @property
    def expression(self) -> str:
        """The operation with its operands: ``log(x = 0.0)``."""
        given = [
            f"{name} = {text(x)}" if name else text(x)
            for name, x in zip(self.names, self.operands, strict=True)
        ]
        if self.operation in _IN_PLACE and given:
            return f"array {_IN_PLACE[self.operation]} {given[0]}"
        sign = _INFIX.get(self.operation)
        if sign is not None and len(given) == 2:
            return f" {sign} ".join(f"({x})" if " = " in x else x for x in given)
        return f"{self.operation}({', '.join(given)})"


class Nonfinite:
    """What `find_nonfinite` found.  It is true if there is something; ``str()`` says it in words.

    Attributes
    ----------
    function : the function's name
    value : the first operation whose value was not finite, a `Finding` or None
    adjoint : the first, in the order of the reverse sweep, that gave an adjoint which was not
    error : the operation that raised an error of arithmetic; then there is nothing else
    result_is_finite, gradient_is_finite : whether the function's result is, and its gradient: an
        infinity on the way may be left unused
    rows : how many operations there were

    Examples
    --------
    >>> import numpy as np
    >>> import tapead
    >>> found = tapead.find_nonfinite(lambda p: np.sum(p * np.log(p)), np.array([0.5, 0.0]))
    >>> found
    <Nonfinite of <lambda>: value, adjoint>
    >>> found.value.expression, found.value.result, found.value.index, found.result_is_finite
    ('log(p[1] = 0.0)', -inf, (1,), False)
    """

    def __init__(
        self,
        function: str,
        value: Finding | None = None,
        adjoint: Finding | None = None,
        error: Finding | None = None,
        result_is_finite: bool = True,
        rows: int = 0,
        gradient_is_finite: bool = True,
    ) -> None:
        self.function = function
        self.value = value
        self.adjoint = adjoint
        self.error = error
        self.result_is_finite = result_is_finite
        self.gradient_is_finite = gradient_is_finite
        self.rows = rows

    def __bool__(self) -> bool:
        return not (self.value is None and self.adjoint is None and self.error is None)

    def __repr__(self) -> str:
        kinds = [k for k in ("value", "adjoint", "error") if getattr(self, k) is not None]
        return f"<Nonfinite of {self.function}: {', '.join(kinds) or 'nothing'}>"

    def __str__(self) -> str:
        return in_words(self)

    def to_dict(self) -> dict[str, Any]:
        """All findings, as JSON has them: what is not finite becomes a string.

        Examples
        --------
        >>> import tapead
        >>> figures = tapead.find_nonfinite(lambda x: x**0.5, 0.0).to_dict()
        >>> figures["value"], figures["adjoint"]["slopes"]
        (None, ['inf', 0.0])
        """
        found: dict[str, Any] = {
            "function": self.function,
            "rows": self.rows,
            "result_is_finite": self.result_is_finite,
            "gradient_is_finite": self.gradient_is_finite,
        }
        for kind in ("value", "adjoint", "error"):
            finding = getattr(self, kind)
            found[kind] = None if finding is None else plain_json(finding._asdict())
        return found

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON.

        Examples
        --------
        >>> import json
        >>> import tapead
        >>> json.loads(tapead.find_nonfinite(lambda x: x**0.5, 1.0).to_json())["adjoint"] is None
        True
        """
        return json.dumps(self.to_dict(), indent=indent)


# ------------------------------------------------------------------------------ the search ---


def find_nonfinite(
    f: Callable,
    *args: Any,
    argnums: int | tuple[int, ...] | None = None,
    rerun: bool = True,
    **kwargs: Any,
) -> Nonfinite:
    """Where ``f(*args, **kwargs)``, or its gradient, stops being finite, and what helps.

    f runs recorded.  The first row whose value is not finite is looked for, and, in the reverse
    sweep, the first operation that gives an adjoint which is not: a slope that is infinite, as that
    of the square root at 0, or a product or a sum out of range.  An error of arithmetic that f
    raises (`ZeroDivisionError`, `OverflowError`, "math domain error", a singular matrix) is found
    too; any other error is raised.  The adjoints are those of the result, or of the sum of its
    numbers where it has several.

    Parameters
    ----------
    argnums : the positions of the arguments that are inputs, as for `record`
    rerun : as for `grad`

    Raises
    ------
    TypeError
        for f that cannot be called, and for an input that is no real number
    ValueError
        without an argument
    RuntimeError
        inside a recording

    Examples
    --------
    >>> from tapead.inspect.nonfinite import find_nonfinite
    >>> def root(x):
    ...     return x**0.5
    >>> found = find_nonfinite(root, 0.0)
    >>> found.value is None, found.adjoint.expression, found.adjoint.slopes
    (True, '(x = 0.0) ** 0.5', (inf, 0.0))
    >>> bool(find_nonfinite(root, 2.0))
    False
    """
    name = function_name(f) if callable(f) else describe(f)
    try:
        with np.errstate(all="ignore"):
            tape = recorded("find_nonfinite", f, args, argnums, rerun, kwargs, values=True)
    except (ArithmeticError, ValueError) as error:
        found = raised(error)
        if found is None:
            raise
        operation, operation_name, parts, line = found
        words = f"{type(error).__name__}: {error}"
        # What is not finite itself came up on the way.
        given = [value if value is None or math.isfinite(value) else None for value, _ in parts]
        advice = remedies(operation_name, VALUE, given)
        known = [(value, name) for value, name in parts if value is not None]
        operands, names = zip(*known, strict=True) if known else ((), ())
        finding = Finding(operation, operands, names, words, (), (), math.nan, 0, -1, *line, advice)
        return Nonfinite(name, error=finding, result_is_finite=False, gradient_is_finite=False)
    value = first_value(tape, _input_values(args, argnums))
    adjoint = first_adjoint(tape)
    return Nonfinite(
        name,
        value=None if value is None else _finding(tape, value, VALUE),
        adjoint=None if adjoint is None else _finding(tape, adjoint, SLOPE),
        result_is_finite=all(map(_is_finite, trees.flatten(tape.value)[0])),
        rows=len(tape),
        gradient_is_finite=adjoint is None or gradient_is_finite(tape),
    )


def _input_values(args: tuple, argnums: int | tuple[int, ...] | None) -> list[Any]:
    """The numbers and arrays that the inputs began with, in their order."""
    # Each argument once, in the order of its inputs.
    chosen = dict.fromkeys(input_positions(args, argnums))
    return [x for p in chosen for x in leaves_of(args[p])[0]]


def _is_finite(x: Any) -> bool:
    try:
        return bool(np.isfinite(x).all())
    except TypeError:  # no number
        return True


def _finding(tape: RecordedTape, blame: Blame, of: str) -> Finding:
    """A finding with the names of inputs, the user's line and the remedies."""
    names = {row: name for name, row in tape.inputs.items()}
    records = tape._tape.records
    for name, row in tape.inputs.items():
        code, a, _, _ = tape._tape.row(row)
        if OPS[code].name == "array":
            names[records[a].out] = name
    called = tuple(
        _name_of(tape, names, key, index)
        for key, index in zip(blame.keys, blame.indices, strict=True)
    )
    if blame.operation == "input":
        called = (names[blame.keys[0]],)
    line = line_of(*tape._tape.place_of(blame.row))
    # Where each term is finite, it is their sum that is to be mended.
    operation = blame.operation if blame.operand >= 0 else "add"
    advice = remedies(operation, of, _known_from_outside(blame, called))
    code, a, _, _ = tape._tape.row(blame.row)
    if OPS[code].name == "array" and type(records[a].rule) is Joint:
        advice = (*advice, _ALONE)
    return Finding(
        blame.operation, blame.operands, called, blame.result, blame.index, blame.slopes,
        blame.adjoint, blame.operand, blame.row, *line, advice,
    )  # fmt: skip


def _known_from_outside(blame: Blame, called: tuple[str, ...]) -> list[Any]:
    """The operands, but for infinities and nans that came up on the way: there is nothing to be
    said of these here."""
    return [
        "computed" if key is not None and not name and not _is_finite(x) else x
        for key, name, x in zip(blame.keys, called, blame.operands, strict=True)
    ]


def _name_of(
    tape: RecordedTape, names: dict[Any, str], key: Any, index: tuple[int, ...] | None
) -> str:
    """What an operand is called if it is an input, or an element of one; "" for others."""
    if key is None:
        return ""
    if isinstance(key, int):
        code, a, b, _ = tape._tape.row(key) if key >= 0 else (-1, 0, 0, 0.0)
        if code == _ELEMENT:
            root = tape._tape.storages[a]
            return f"{names[root]}{index_of(root, b)}" if root in names else ""
        return names.get(key, "")
    name = names.get(root_of(key), "")
    return f"{name}[{', '.join(map(str, index))}]" if name and index else name
