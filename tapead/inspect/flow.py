"""Gradient flow: norms of adjoints by function, by line or by step of a loop."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tapead.elementary import CODES, OPS
from tapead.inspect import flow_text
from tapead.inspect.flow_norms import Norms, norms
from tapead.inspect.flow_steps import Steps, steps_of
from tapead.inspect.lines import Lines, lines_of, source_of
from tapead.places import Place, outs_of, root_of

if TYPE_CHECKING:
    from tapead.inspect.recorded import RecordedTape

# Adjoints below this part of the largest one are called tiny.
TINY = 1e-6
INPUTS = "(inputs)"
_MOST_STATES = 4
_ARITY = np.array([op.arity for op in OPS])
_ARRAY, _ELEMENT, _STORE = (CODES[name] for name in ("array", "element", "store"))


class FlowRow(NamedTuple):
    """What flows back through one function, line or step.

    Attributes
    ----------
    name : of the function, the line or the step
    rows : how many the group has on the tape
    adjoint : 2-norm of the adjoints of all of them; for a step of its state, which is what it made
        and later rows read
    largest : the largest absolute adjoint among the same
    value : 2-norm of their values, as far as the tape keeps them; nan if it keeps none
    jacobian : the largest norm of a row's local Jacobian along its adjoint; nan if none has one
    growth : for a step, its adjoint as a multiple of that of the step after: what the sweep grew or
        shrank by on the way back; nan for the last step and for functions and lines
    flag : "zero", "tiny" (below a millionth of the largest), "inf", "nan", or ""
    """

    name: str
    rows: int
    adjoint: float
    largest: float
    value: float
    jacobian: float
    growth: float
    flag: str


class Flow:
    """Norms of adjoints, in the order of the program.  ``str()`` is a table.

    Attributes
    ----------
    by : "function", "line" or "step"
    what : for steps, which loop they are of
    names : of the groups; for steps their numbers
    count, adjoint, largest, value, jacobian, growth : the columns, see `FlowRow`, as arrays
    states : for steps, the norms of the adjoints of each part of the state: by the name that is
        assigned, or the line

    Examples
    --------
    >>> import tapead
    >>> def decay(x, w):
    ...     for _ in range(4):
    ...         x = w * x
    ...     return x
    >>> flow = tapead.record(decay, 8.0, 0.5).flow(by="step")
    >>> len(flow), flow[0].adjoint, flow[0].growth, flow[-1].adjoint
    (4, 0.125, 0.5, 1.0)
    >>> flow.adjoint.tolist()
    [0.125, 0.25, 0.5, 1.0]
    """

    def __init__(
        self,
        by: str,
        what: str,
        names: Sequence[str],
        columns: tuple[np.ndarray, ...],
        states: dict[str, np.ndarray],
    ) -> None:
        self.by, self.what, self.names, self.states = by, what, names, states
        self.count, self.adjoint, self.largest, self.value, self.jacobian = columns
        self.growth = np.full(len(self.adjoint), math.nan)
        if by == "step":
            here, after = self.adjoint[:-1], self.adjoint[1:]
            with np.errstate(all="ignore"):
                self.growth[:-1] = np.where(after > 0.0, here / after, math.nan)
        finite = self.largest[np.isfinite(self.largest)]
        self._tiny = TINY * float(finite.max(initial=0.0))

    def __len__(self) -> int:
        """The number of groups."""
        return len(self.adjoint)

    def __getitem__(self, k: int) -> FlowRow:
        """Group k, counted from 0; negative numbers count from the end."""
        if not -len(self) <= k < len(self):
            raise IndexError(f"row {k} of a flow of {len(self)}")
        k %= len(self)
        columns = (self.adjoint, self.largest, self.value, self.jacobian, self.growth)
        numbers = [float(column[k]) for column in columns]
        return FlowRow(self._name(k), int(self.count[k]), *numbers, self._flag(k))

    @property
    def rows(self) -> list[FlowRow]:
        """All groups."""
        return [self[k] for k in range(len(self))]

    def _name(self, k: int) -> str:
        return f"step {k}" if self.by == "step" else self.names[k]

    def _flag(self, k: int) -> str:
        most = float(self.largest[k])
        if not math.isfinite(most):
            return "nan" if most != most else "inf"
        return "zero" if most == 0.0 else "tiny" if most < self._tiny else ""

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<Flow by {self.by}: {len(self):,} rows>"

    def _repr_html_(self) -> str:
        return flow_text.html(self)

    def table(self, most: int | None = 20) -> str:
        """The flow as text.

        Parameters
        ----------
        most : rows that are shown: steps at equal distances, of functions and lines the largest;
            None for all

        Examples
        --------
        >>> import tapead
        >>> flow = tapead.record(lambda x: x * x, 3.0).flow()
        >>> for line in flow.table().splitlines()[1:3]:
        ...     print(line.split())
        ['function', 'rows', 'adjoint', 'largest', 'Jacobian', 'value']
        ['(inputs)', '1', '6', '6', '3']
        """
        return flow_text.table(self, most)

    def to_dict(self) -> dict[str, Any]:
        """All figures, as plain Python objects.

        Examples
        --------
        >>> import tapead
        >>> figures = tapead.record(lambda x: x * x, 3.0).flow().to_dict()
        >>> [(row["name"], row["adjoint"]) for row in figures["rows"]][0]
        ('(inputs)', 6.0)
        """
        return {
            "by": self.by,
            "what": self.what,
            "rows": [row._asdict() for row in self.rows],
            "states": {name: column.tolist() for name, column in self.states.items()},
        }

    def plot(self, path: str | os.PathLike | None = None) -> Any:
        """The norms of the adjoints: lines over steps on a logarithmic scale, bars otherwise.

        Needs matplotlib.  Returns its figure; with a path the picture is also written there.

        Examples
        --------
        >>> import importlib.util
        >>> import tapead
        >>> if importlib.util.find_spec("matplotlib"):
        ...     figure = tapead.record(lambda x: x * x, 3.0).flow().plot()
        ...     assert figure.axes
        """
        return flow_text.plot(self, path)


def flow(
    tape: RecordedTape,
    by: str,
    output: int,
    steps: int | Sequence[int] | None,
    of: str | None,
) -> Flow:
    """`RecordedTape.flow`."""
    if steps is not None and isinstance(steps, bool):
        raise TypeError(f"steps={steps!r}: how many there are, or the first row of each")
    if by not in ("function", "line", "step"):
        raise ValueError(f'by={by!r}: "function", "line" or "step" was expected')
    if by != "step" and (steps is not None or of is not None):
        raise ValueError(f'steps and of are for by="step"; by={by!r} was given')
    if not len(tape):
        raise ValueError(
            "the tape is empty, nothing flows: record a function of at least one number or array, "
            "as in tapead.record(f, 1.0)"
        )
    explicit = by == "step" and steps is not None and not isinstance(steps, (int, np.integer))
    if not tape.keeps_lines and not explicit:
        raise ValueError(
            f"the recording kept no source lines, and flow(by={by!r}) goes by them: "
            "record(..., lines=True)"
        )
    if tape.keeps_lines:
        lines = lines_of(tape._tape, len(tape.inputs))
    else:
        lines = Lines(np.full(len(tape), -1), [])
    if by == "step":
        found = steps_of(tape._tape, lines, steps)
        return _by_step(tape, lines, found, norms(tape, output), of)
    return _by_place(tape, by, lines, norms(tape, output))


# ----------------------------------------------------------------------- functions, lines ---


def _by_place(tape: RecordedTape, by: str, lines: Lines, sizes: Norms) -> Flow:
    """The flow by function or by line; the inputs are a group of their own."""
    keys = [
        (file, line, name) if by == "line" else (file, 0, name) for file, line, name in lines.places
    ]
    # In the order in which the program comes to them; -1, the last, are rows of no line.
    order = {key: k for k, key in enumerate(dict.fromkeys(keys), start=1)}
    table = np.array([*(order[key] for key in keys), len(order) + 1])
    group = table[lines.number]
    group[: len(tape.inputs)] = 0
    names = [INPUTS, *(flow_text.place_name(by, key) for key in order), "(elsewhere)"]
    columns = _grouped(group, len(names), sizes, sizes.adjoint, sizes.largest, sizes.value)
    some = np.flatnonzero(columns[0])
    return Flow(by, "", [names[k] for k in some], tuple(c[some] for c in columns), {})


def _grouped(
    group: np.ndarray,
    count: int,
    sizes: Norms,
    adjoint: np.ndarray,
    largest: np.ndarray,
    value: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Columns of a `Flow`: norms over the rows of each group; group -1 is left out."""
    rows = np.flatnonzero(group >= 0)
    group = group[rows]
    most = _most(group, count, largest[rows])
    jacobian = np.full(count, math.nan)
    np.fmax.at(jacobian, group, sizes.jacobian[rows])
    known = ~np.isnan(value[rows])
    values = _norm(group[known], count, value[rows][known])
    values[np.bincount(group[known], minlength=count) == 0] = math.nan
    counts = np.bincount(group, minlength=count)
    return counts, _norm(group, count, adjoint[rows]), most, values, jacobian


def _most(group: np.ndarray, count: int, numbers: np.ndarray) -> np.ndarray:
    """The largest of the numbers of each group, nan if there is one among them."""
    most = np.zeros(count)
    with np.errstate(invalid="ignore"):
        np.maximum.at(most, group, numbers)
    return most


def _norm(group: np.ndarray, count: int, numbers: np.ndarray) -> np.ndarray:
    """The 2-norm of the numbers of each group, without overflow on the way."""
    most = _most(group, count, numbers)
    scale = np.where((most > 0.0) & np.isfinite(most), most, 1.0)
    with np.errstate(all="ignore"):
        squares = np.bincount(group, (numbers / scale[group]) ** 2, count)
        norm = scale * np.sqrt(squares)
    return np.where(np.isfinite(most), norm, most)


# --------------------------------------------------------------------------------- steps ---


def _by_step(tape: RecordedTape, lines: Lines, steps: Steps, sizes: Norms, of: str | None) -> Flow:
    """The flow by step: of what each step made and later rows read."""
    count = len(steps.starts)
    step = np.searchsorted(steps.starts, np.arange(len(tape)), side="right") - 1
    step[steps.stop :] = -1
    ends = np.append(steps.starts[1:], steps.stop)
    state = (step >= 0) & (_last_use(tape) >= ends[step])
    if count > 1:
        _complete(state, lines, steps)
    parts = _parts(lines, np.flatnonzero(state), count)
    if of is not None:
        if of not in parts:
            known = ", ".join(parts)
            raise ValueError(f"of={of!r} is no part of the steps' state; there are {known}")
        state[:] = False
        state[parts[of]] = True
        parts = {of: parts[of]}
    adjoint, largest = (np.where(state, x, 0.0) for x in (sizes.adjoint, sizes.largest))
    value = np.where(state, sizes.value, math.nan)
    columns = _grouped(step, count, sizes, adjoint, largest, value)
    large = sorted(parts, key=lambda name: -len(parts[name]))[:_MOST_STATES]
    states = {
        name: _norm(step[rows], count, sizes.adjoint[rows])
        for name, rows in parts.items()
        if name in large
    }
    return Flow("step", steps.what, range(count), columns, states)


def _complete(state: np.ndarray, lines: Lines, steps: Steps) -> None:
    """Count as the last step's state what was that of the step before, though nothing reads it."""
    before, last = (int(k) for k in steps.starts[-2:])
    rows = before + np.flatnonzero(state[before:last])
    rows = rows[rows + last - before < steps.stop]
    alike = lines.number[rows] == lines.number[rows + last - before]
    state[rows[alike] + last - before] = True


def _parts(lines: Lines, rows: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """The rows of the state by the name that they are assigned to, or by their line."""
    sources: dict[str, Any] = {}
    found: dict[str, list[np.ndarray]] = {}
    number = lines.number[rows]
    order = np.argsort(number, kind="stable")
    for part in np.split(rows[order], 1 + np.flatnonzero(np.diff(number[order]))):
        if len(part):
            name = ""
            k = lines.number[part[0]]
            if k >= 0:
                file, line, _ = lines.places[k]
                source = sources.setdefault(file, None) or source_of(file)
                sources[file] = source
                name = source.targets.get(line) or f"{os.path.basename(file)}:{line}"
            found.setdefault(name, []).append(part)
    return {name: np.sort(np.concatenate(parts)) for name, parts in found.items()}


def _last_use(tape: RecordedTape) -> np.ndarray:
    """For each row the last one that reads it, or the array it has made; -1 if none does.

    What is part of the result is read at the end.
    """
    n = len(tape)
    codes, a, b, _ = tape._tape.rows(0, n)
    arity = _ARITY[codes]
    last = np.full(n, -1)
    for operand, counts in ((a, (arity >= 1) | (codes == _STORE)), (b, arity == 2)):
        readers = np.flatnonzero(counts & (operand >= 0))
        used = np.full(n, -1)
        used[operand[readers]] = readers  # of several the last one assigned, which is the largest
        np.maximum(last, used, out=last)
    of_storage = np.full(len(tape._tape.storages) + 1, -1)
    elements = np.flatnonzero(codes == _ELEMENT)
    of_storage[a[elements]] = elements
    arrays = np.flatnonzero(codes == _ARRAY).tolist()
    records = [tape._tape.records[k] for k in a[arrays].tolist()]
    for row, record in zip(arrays, records, strict=True):
        _read(record.ins, row, last, of_storage)
    _read(tape.outputs, n, last, of_storage)
    for row, record in zip(arrays, records, strict=True):
        for out in outs_of(record):
            if type(out) is Place:
                last[row] = max(last[row], of_storage[root_of(out).number])
    stores = np.flatnonzero(codes == _STORE)
    last[stores] = of_storage[b[stores]]
    return last


def _read(operands: Sequence, row: int, last: np.ndarray, of_storage: np.ndarray) -> None:
    """Note that a row reads operands: rows, places, None for constants."""
    for k in operands:
        if type(k) is Place:
            number = root_of(k).number
            of_storage[number] = max(of_storage[number], row)
        elif k is not None and k >= 0:
            last[k] = max(last[k], row)
