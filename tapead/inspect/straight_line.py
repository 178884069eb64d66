"""A tape of numbers as Python text: the straight-line program that ran, and its adjoint.

The formulas are those of the table of operations (`elementary.OPS`), with the names of variables
put into them.  Each is tried on the recorded numbers: where Python's own operators raise, or give
another number than the sweep's IEEE arithmetic, the text calls the function that the sweep calls.
"""

from __future__ import annotations

import keyword
import linecache
import math
import os
import re
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from tapead import partials, trees
from tapead.elementary import CODES, OPS
from tapead.inspect.arguments import at_least_0
from tapead.inspect.columns import Columns
from tapead.inspect.formulas import (
    FUNCTIONS,
    Formula,
    definition,
    filled,
    formula,
    literal,
    same,
    tried,
    tried_by_numpy,
)
from tapead.inspect.operations import operation_name

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

_WIDTH = 96
_INDENT = "    "
_ARRAYS = frozenset(CODES[name] for name in ("array", "element", "store"))
# One row for each number more; the last one's value is that of all, rounded once.
_OF_MANY = {CODES["exact_add"]: "fsum", CODES["hypot"]: "hypot"}
# Names that the text uses itself.
_TAKEN = frozenset(
    ("abs", "elementary", "float", "int", "math", "np", "partials", "round", "times", *FUNCTIONS)
)
_TIMES = '''\
def times(adjoint, partial):
    """Their product, 0 if one of them is 0: what was not used stays out, even against inf."""
    return adjoint * partial if adjoint != 0.0 and partial != 0.0 else 0.0
'''


def to_python(tape: RecordedTape, name: str, output: int, most: int) -> str:
    """`RecordedTape.to_python`."""
    if not isinstance(name, str):
        raise TypeError(f"name={name!r}: the name of a function, a str, was expected")
    most = at_least_0("most", most)
    if not name.isidentifier() or keyword.iskeyword(name) or {name, f"{name}_grad"} & _TAKEN:
        raise ValueError(f"name={name!r} is no name, or one that the text uses otherwise")
    if not len(tape):
        raise ValueError(
            "the tape is empty, there is no program to write: record a function of at least one "
            "number, as in tapead.record(f, 1.0)"
        )
    if len(tape) > most:
        raise ValueError(
            f"the tape has {len(tape):,} rows, and to_python writes at most {most:,}, one "
            f"assignment each: record a smaller run, or ask for most={len(tape)}"
        )
    target = tape._output_row(output)
    return _Program(tape, name).text(output, target)


class _Program:
    """The text that is being written.  A row's variable is an input's name, or v and its number."""

    def __init__(self, tape: RecordedTape, name: str) -> None:
        self.tape = tape
        self.name = name
        self.columns = c = Columns(tape._tape)
        self.codes, self.a, self.b, self.v = (x.tolist() for x in (c.codes, c.a, c.b, c.values))
        _no_arrays(tape, self.codes)
        self.inputs = _identifiers(tape.inputs, {name, f"{name}_grad"})
        self.needs: set[str] = set()
        self.times = self.numpy = False

    def variable(self, row: int) -> str:
        return self.inputs.get(row) or f"v{row}"

    def operand(self, k: int) -> str:
        return self.variable(k) if k >= 0 else literal(self.columns.constant(k))

    def number(self, k: int) -> float:
        return self.v[k] if k >= 0 else self.columns.constant(k)

    def text(self, output: int, target: int | None) -> str:
        """The two functions, below what they need."""
        forward = self.forward()
        backward = self.backward(target, self.tape.adjoints(output))
        results = self.results()
        whole = results[0] if len(results) == 1 else _tuple(results)
        gradient = _tuple([f"adj_{x}" for x in self.inputs.values()])
        parameters = ", ".join(self.inputs.values())
        value, derivatives = "The value", "its derivatives"
        if len(results) != 1:
            value = "The values"
            derivatives = f"the derivatives of number {output % len(results)}"
        return "\n".join(
            [
                *self.header(),
                *_wrapped(f"def {self.name}({parameters}):", ""),
                f'{_INDENT}"""{value}."""',
                *forward,
                *_wrapped(f"return {whole}"),
                "\n",
                *_wrapped(f"def {self.name}_grad({parameters}):", ""),
                f'{_INDENT}"""{value}, and {derivatives} by the inputs."""',
                *forward,
                "",
                *backward,
                *_wrapped(f"return ({whole}, {gradient})"),
                "",
            ]
        )

    def header(self) -> list[str]:
        """What the text is, which input is which, and the imports."""
        tape = self.tape
        lines = [
            f"# The straight-line program of a recording, {len(tape):,} rows, and its adjoint.",
            "# It is that of the branches which ran at these inputs; others may run elsewhere:",
        ]
        width = max(map(len, self.inputs.values()), default=0)
        for (path, row), short in zip(tape.inputs.items(), self.inputs.values(), strict=True):
            note = "" if path == short else f"   {path}"
            lines.append(f"#   {short:{width}} = {literal(self.v[row])}{note}")
        lines += ["", "import math", ""]
        if self.numpy:
            lines += ["import numpy as np", ""]
        definitions = [definition(name) for name in sorted(self.needs)]
        if any("partials." in text for text in definitions):
            lines += ["from tapead import elementary, partials", ""]
        if self.times:
            definitions.append(_TIMES)
        return lines + ["\n" + text for text in definitions] + [""]

    def results(self) -> list[str]:
        leaves, _ = trees.flatten(self.tape.value)
        return [
            self.variable(row) if row is not None else _constant(leaf, k)
            for k, (row, leaf) in enumerate(zip(self.tape.outputs, leaves, strict=True))
        ]

    # ------------------------------------------------------------------------- forward ---

    def forward(self) -> list[str]:
        lines: list[str] = []
        for row in range(len(self.codes)):
            if row not in self.inputs:
                self._comment(lines, row, row - 1)
                lines.append(f"{_INDENT}v{row} = {self.value(row)}")
        return lines

    def value(self, row: int) -> str:
        """The right side of a row's assignment."""
        code, a, b, v = self.codes[row], self.a[row], self.b[row], self.v[row]
        if OPS[code].name == "input":  # none of the function's own: a number like any other
            return literal(v)
        x, y = self.number(a), self.number(b)
        table = OPS[code].value or "a + b"  # exact_add, where nothing is lost
        form = tried(table, x, y, v, v)
        if form is not None:
            return self.filled(form, a, b, row)[0]
        call = self._of_numpy(row) if row in self.columns.numpys else self._of_many(row)
        if call is not None:
            return call
        plain = formula(table, True)
        text, _ = self.filled(plain, a, b, row)
        rest = v - plain.run(x, y, v)
        if not same(plain.run(x, y, v) + rest, v):
            return f"{literal(v)}  # as recorded"
        return f"{text} + {literal(rest)}  # with what was rounded otherwise here"

    def filled(self, form: Formula, a: int, b: int, row: int) -> tuple[str, bool]:
        """A formula of a row, and whether it is a factor without parentheses."""
        self.needs.update(form.needs)
        return filled(form, self.operand(a), self.operand(b), self.variable(row))

    def _of_numpy(self, row: int) -> str | None:
        """A row of a function of NumPy's, whose last bit is not that of math's."""
        ufunc = self.columns.numpys[row].rule.ufunc
        keys = (self.a[row], self.b[row])[: ufunc.nin]
        with np.errstate(all="ignore"):
            found = float(ufunc(*map(self.number, keys)))
        if not same(found, self.v[row]):
            return None
        self.numpy = True
        return f"float(np.{ufunc.__name__}({', '.join(map(self.operand, keys))}))"

    def _of_many(self, row: int) -> str | None:
        """A row that has the value of a chain of rows, as one call."""
        name = _OF_MANY.get(self.codes[row])
        if name is None:
            return None
        terms, k = [self.b[row]], self.a[row]
        while k >= 0 and self.codes[k] == self.codes[row]:
            terms.append(self.b[k])
            k = self.a[k]
        terms = [k, *reversed(terms)]
        for call, arguments in self._calls(name, terms):
            texts = [list(map(self.operand, part)) for part in arguments]
            numbers = [list(map(self.number, part)) for part in arguments]
            if call in ("hypot", "fma"):
                found = getattr(math, call)(*numbers[0])
                text = ", ".join(texts[0])
            else:
                found = getattr(math, call)(*numbers)
                text = ", ".join(f"[{', '.join(part)}]" for part in texts)
            if same(found, self.v[row]):
                return f"math.{call}({text})"
        return None

    def _calls(self, name: str, terms: list[int]) -> list[tuple[str, list[list[int]]]]:
        """Functions that may have been called: of the terms, or of the factors of products."""
        calls = [(name, [terms])]
        products = [k for k in terms if k >= 0 and OPS[self.codes[k]].name == "mul"]
        if name == "fsum" and products == terms and hasattr(math, "sumprod"):
            calls.append(("sumprod", [[c[k] for k in terms] for c in (self.a, self.b)]))
        if name == "fsum" and terms[:1] == products[:1] and len(terms) == 2:
            k = terms[0]
            if hasattr(math, "fma"):
                calls.append(("fma", [[self.a[k], self.b[k], terms[1]]]))
        return calls

    # ------------------------------------------------------------------------ backward ---

    def backward(self, target: int | None, adjoint: np.ndarray) -> list[str]:
        """Adjoints in the reverse order, of the rows that the output depends on."""
        lines: list[str] = []
        found = set()
        if target is not None:
            lines.append(f"{_INDENT}adj_{self.variable(target)} = 1.0")
            found.add(target)
            last = -1
            for row in range(target, -1, -1):
                if row not in found or row in self.inputs:
                    continue
                op = OPS[self.codes[row]]
                contributions = []
                for k, slope, which in ((self.a[row], op.da, 0), (self.b[row], op.db, 1)):
                    if which < op.arity and k >= 0 and slope not in ("", "0.0"):
                        contributions.append(self.contribution(row, k, which, adjoint, found))
                        found.add(k)
                if contributions:
                    self._comment(lines, row, last)
                    lines += contributions
                    last = row
        lines += [
            f"{_INDENT}adj_{name} = 0.0" for row, name in self.inputs.items() if row not in found
        ]
        return lines

    def contribution(
        self, row: int, k: int, which: int, adjoint: np.ndarray, found: set[int]
    ) -> str:
        """What a row adds to the adjoint of its operand k."""
        code, a, b, v = self.codes[row], self.a[row], self.b[row], self.v[row]
        x, y, g = self.number(a), self.number(b), float(adjoint[row])
        slope = partials.first(code, x, y, v)[which]
        table = (OPS[code].da, OPS[code].db)[which]
        form = None
        if row in self.columns.numpys:
            slope = self.columns.slope(row, which, slope)
            form = tried(table, x, y, v, slope) or tried_by_numpy(table, x, y, v, slope)
            self.numpy |= form is not None and "np." in form.text
        form = form or tried(table, x, y, v, slope) or formula(table, True)
        partial, tight = self.filled(form, a, b, row)
        ours, theirs = f"adj_{self.variable(row)}", f"adj_{self.variable(k)}"
        unused = g == 0.0 or slope == 0.0
        if unused and math.isnan(g * slope):
            self.times = True
            term = f"times({ours}, {partial})"
        elif table in ("1.0", "-1.0"):
            term = ours if table == "1.0" else f"-{ours}"
        else:
            term = f"{ours} * {partial if tight else f'({partial})'}"
        if k in found:
            if term == f"-{ours}":
                return f"{_INDENT}{theirs} -= {ours}"
            return f"{_INDENT}{theirs} += {term}"
        # The sweep adds to 0: its adjoints are no -0.0.
        return f"{_INDENT}{theirs} = {'0.0 + ' if g * slope == 0.0 else ''}{term}"

    def _comment(self, lines: list[str], row: int, before: int) -> None:
        """The user's line of a row, unless the row before has the same."""
        tape = self.tape._tape
        code, line = tape.place_of(row)
        same_line = before >= 0 and before not in self.inputs and tape.place_of(before) == (
            code, line,
        )  # fmt: skip
        if code is None or same_line:
            return
        source = linecache.getline(code.co_filename, line).strip()
        where = f"{os.path.basename(code.co_filename)}:{line}"
        comment = f"{_INDENT}# {where}  {source}".rstrip()
        lines.append(comment if len(comment) <= _WIDTH else comment[: _WIDTH - 4] + " ...")


def _no_arrays(tape: RecordedTape, codes: list[int]) -> None:
    """An error that names the first row that is no operation on numbers."""
    row = next((k for k, code in enumerate(codes) if code in _ARRAYS), None)
    if row is None:
        return
    code, a, _, _ = tape._tape.row(row)
    what = OPS[code].name
    if what == "array":
        what = operation_name(tape._tape.records[a])
    names = {r: path for path, r in tape.inputs.items()}
    place, line = tape._tape.place_of(row)
    where = f" at {place.co_filename}:{line}" if place is not None else ""
    of = f"input {names[row]}, an array" if row in names else f"{what}, an array operation{where}"
    raise TypeError(
        f"row {row} is {of}; to_python writes programs of numbers: give lists of floats and loop "
        "over them, or look at this tape by draw(), flow() or a listing"
    )


def _identifiers(inputs: dict[str, int], taken: set[str]) -> dict[int, str]:
    """For the row of each input a name of its own: ``w[1]`` becomes ``w_1``."""
    names: dict[int, str] = {}
    used = {*_TAKEN, *taken}
    for path, row in inputs.items():
        short = re.sub(r"\W+", "_", path).strip("_") or "x"
        if (
            not short.isidentifier()
            or keyword.iskeyword(short)
            or short in _TAKEN
            or re.fullmatch(r"v\d+|adj_.*", short)
        ):
            short = f"x_{short}"
        name, k = short, 2
        while name in used:
            name, k = f"{short}_{k}", k + 1
        used.add(name)
        names[row] = name
    return names


def _constant(leaf: Any, k: int) -> str:
    """A result that does not depend on the inputs."""
    if isinstance(leaf, (float, np.floating)):
        return literal(float(leaf))
    if leaf is None or isinstance(leaf, (bool, int, str)):
        return repr(leaf).replace(" ", r"\x20")  # lines are broken at blanks
    raise TypeError(
        f"output {k} is a constant of type {type(leaf).__name__}; to_python writes numbers: "
        "return only those from the recorded function"
    )


def _tuple(items: list[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def _wrapped(text: str, indent: str = _INDENT) -> list[str]:
    """A line, broken within its parentheses if it is long."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
