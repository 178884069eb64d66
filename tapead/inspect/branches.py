"""branches: every decision on a tracked value, and how far the inputs are from its other side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tapead import sweeps
from tapead.inspect import branches_text
from tapead.inspect.arguments import at_least_0
from tapead.inspect.branches_text import count
from tapead.inspect.decisions import Choice, Found, found
from tapead.inspect.recorded import RecordedTape
from tapead.inspect.runs import plain_json, recorded
from tapead.places import Place
from tapead.recording import function_name


class Move(NamedTuple):
    """How far an input has to move, to first order, for a decision to fall the other way.

    Attributes
    ----------
    by : of a number, how far; of an array, how far that one of its elements which needs least, if
        it moves alone
    index : that element, ``()`` for a number
    norm : the least 2-norm of a move of the whole input, ``abs(margin) / norm(gradient)``
    """

    by: float | complex
    index: tuple[int, ...]
    norm: float


class Decision(NamedTuple):
    """What one operation of one line decides: how often, and that time when it was closest.

    Attributes
    ----------
    operation : ``<``, ``bool``, ``floor``, ``abs``, ``maximum``, ``argmax``, ``sort``, ...
    left, right : the two sides: what was compared; for `floor`, `int`, `round` and their like the
        number and the step that is nearest; for extrema and sorting the elements that would change
        places
    margin : ``left - right``: the decision falls the other way where it changes its sign; nan where
        it is not known, for complex numbers for instance
    result : what a comparison of two numbers gave, or the step function; None for others
    index : which element of an array it was, ``()`` for numbers; which pair, in the order of the
        elements, of what was sorted
    times : how often this was decided; every element of an array counts
    held : how often it was true, None for what is neither true nor false
    ties : how often the margin was exactly 0
    gradient : d margin / d input for the inputs on which it depends, by their names
    convention : what is taken for the derivative where the margin is 0
    file, line, function, source : where it was decided
    row : the rows before this one had been written

    Examples
    --------
    >>> import tapead
    >>> decision = tapead.branches(lambda x, y: x if x * y > 5.0 else y, 2.0, 3.0)[0]
    >>> decision.operation, decision.left, decision.right, decision.margin, decision.result
    ('>', 6.0, 5.0, 1.0, True)
    >>> decision.gradient, decision.tie
    ({'x': 3.0, 'y': 2.0}, False)
    >>> decision.moves["y"]
    Move(by=-0.5, index=(), norm=0.5)
    """

    operation: str
    left: float
    right: float
    margin: float
    result: Any
    index: tuple[int, ...]
    times: int
    held: int | None
    ties: int
    gradient: dict[str, Any]
    convention: str
    file: str
    line: int
    function: str
    source: str
    row: int

    @property
    def tie(self) -> bool:
        """Whether both sides were equal: there the derivative is a convention."""
        return self.margin == 0.0

    @property
    def moves(self) -> dict[str, Move]:
        """For each input by which the margin has a derivative, how far it would have to move.

        That is ``-margin / (d margin / d input)``, to the edge; a hair more, and it falls the
        other way, if the margin is linear.
        """
        return {name: _move(self.margin, g) for name, g in self.gradient.items()}

    def to_dict(self) -> dict[str, Any]:
        """All fields and the moves, as JSON has them: what is not finite becomes a string.

        Examples
        --------
        >>> import tapead
        >>> tapead.branches(lambda x: x > 2.0, 3.0)[0].to_dict()["moves"]
        {'x': {'by': -1.0, 'index': [], 'norm': 1.0}}
        """
        fields = {name: x for name, x in self._asdict().items() if name != "gradient"}
        fields["tie"] = self.tie
        fields["moves"] = {name: move._asdict() for name, move in self.moves.items()}
        return plain_json(fields)


def _move(margin: float, gradient: Any) -> Move:
    with np.errstate(all="ignore"):
        if not isinstance(gradient, np.ndarray):
            by = 0.0 - margin / gradient
            return Move(by, (), abs(by))
        size = np.abs(gradient)
        at = np.unravel_index(int(np.nanargmax(size)), size.shape)
        g = gradient[at].item()
        # The margin is real: of a complex element the move along the conjugate counts in full.
        by = 0.0 - margin * (g.conjugate() / abs(g) ** 2 if isinstance(g, complex) else 1.0 / g)
        norm = abs(margin) / float(np.linalg.norm(gradient.reshape(-1)))
        return Move(by, tuple(map(int, at)), norm)


class BranchReport:
    """What a run decided, as a sequence of `Decision`, the closest ones first.  ``str()`` is a
    table.

    There is one entry for each operation at each source line, and for each constant that it
    compares numbers with where these are few: that time when it was closest.

    Attributes
    ----------
    function : the function's name
    value : its result, with plain numbers
    decided : how many decisions there were in all, with those of each element of arrays
    left_out : how many lines with larger margins are not in the report

    Examples
    --------
    >>> import tapead
    >>> report = tapead.branches(lambda x, y: max(x, y) + abs(x - 2.0), 2.0, 3.0)
    >>> [(decision.operation, decision.margin) for decision in report]
    [('abs', 0.0), ('>', 1.0)]
    >>> report.decided, report.left_out, report.value, report.ties[0].convention
    (2, 0, 3.0, 'the derivative is 0 at 0')
    """

    def __init__(self, function: str, tape: RecordedTape, all_found: Found, most: int | None):
        self.function = function
        self.value = tape.value
        self._tape = tape
        self._found = all_found
        order = all_found.groups
        self.decided = sum(group.times for group in order)
        self.left_out = 0 if most is None else max(0, len(order) - most)
        shown = order if most is None else order[:most]
        self._decisions = [self._decision(g.closest, g.times, g.held, g.ties) for g in shown]

    def __len__(self) -> int:
        return len(self._decisions)

    def __getitem__(self, k: Any) -> Any:
        return self._decisions[k]

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._decisions)

    @property
    def ties(self) -> list[Decision]:
        """The entries whose margin is exactly 0: a kink or a step, where the derivative is a
        convention."""
        return [d for d in self._decisions if d.tie]

    def closest(self, n: int = 10) -> list[Decision]:
        """The n decisions with the smallest margins, of one line maybe several.

        Each costs a reverse sweep.  Of the elements of an array that decide at once the closest is
        taken.

        Examples
        --------
        >>> import tapead
        >>> def halved(x):
        ...     while x > 1.0:
        ...         x = 0.5 * x
        ...     return x
        >>> [decision.left for decision in tapead.branches(halved, 12.0).closest(3)]
        [0.75, 1.5, 3.0]
        """
        n = at_least_0("n", n)
        margins = np.abs(self._found.margins)
        known = np.flatnonzero(~np.isnan(margins))
        near = known[np.argsort(margins[known], kind="stable")[:n]]
        return [self._decision(int(k), 1, None, None) for k in near]

    def _decision(self, k: int, times: int, held: int | None, ties: int | None) -> Decision:
        choice = self._found.choice(k)
        if ties is None:  # of this one only
            held = int(choice.result) if isinstance(choice.result, bool) else None
            ties = int(choice.margin == 0.0)
        return Decision(
            choice.operation, choice.left, choice.right, choice.margin, choice.result,
            choice.index, times, held, ties, _gradient(self._tape, choice), choice.convention,
            *choice.where, choice.row,
        )  # fmt: skip

    def __str__(self) -> str:
        return branches_text.table(self)

    def __repr__(self) -> str:
        return (
            f"<BranchReport of {self.function}: {count(self.decided, 'decision')} at "
            f"{count(len(self) + self.left_out, 'place')}, {count(len(self.ties), 'tie')}>"
        )

    def _repr_html_(self) -> str:
        return branches_text.html(self)

    def to_dict(self) -> dict[str, Any]:
        """All figures, as plain Python objects; the function's value is left out.

        Examples
        --------
        >>> import tapead
        >>> figures = tapead.branches(lambda x: x > 2.0, 3.0).to_dict()
        >>> figures["decided"], figures["decisions"][0]["margin"]
        (1, 1.0)
        """
        return {
            "function": self.function,
            "decided": self.decided,
            "left_out": self.left_out,
            "decisions": [d.to_dict() for d in self._decisions],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON.

        Examples
        --------
        >>> import json
        >>> import tapead
        >>> report = tapead.branches(lambda x: x > 2.0, 3.0)
        >>> json.loads(report.to_json()) == report.to_dict()
        True
        """
        return json.dumps(self.to_dict(), indent=indent)


def _gradient(recorded_tape: RecordedTape, choice: Choice) -> dict[str, Any]:
    """d margin / d input, where it is not 0, by one sweep over the rows before the decision."""
    tape, inputs = recorded_tape._tape, recorded_tape.inputs
    if not choice.terms:
        return {}
    outputs, seeds = [], []
    for key, at, weight in choice.terms:
        outputs.append(key)
        if isinstance(key, Place):
            seed = np.zeros(key.shape, key.dtype)
            seed.reshape(-1)[at] = weight if seed.dtype.kind == "c" else weight.real
            seeds.append(seed)
        else:
            seeds.append(weight.real)
    pulled = sweeps.pull(tape, 0, 0, len(inputs), choice.row, outputs, seeds)
    return {name: g for name, g in zip(inputs, pulled, strict=True) if np.any(g)}


def branches(
    f: Callable,
    *args: Any,
    argnums: int | tuple[int, ...] | None = None,
    most: int | None = 40,
    rerun: bool = True,
    **kwargs: Any,
) -> BranchReport:
    """Every decision of ``f(*args, **kwargs)`` on a tracked value, and what would flip it.

    Comparisons, `bool`, `int`, `floor`, `ceil`, `round`, `//`, `%`; `abs` and `np.sign`;
    `np.maximum`, `np.clip`, `np.max`, `np.argmax`, sorting and their like; `hypot` and norms where
    they are 0.  `max`, `min` and `sorted` of Python's are comparisons; so is what `np.where`
    chooses by.  The margin is the difference of the two sides, its derivative comes from a reverse
    sweep: an input has to move by ``-margin / (d margin / d input)``, to first order, for the
    decision to fall the other way.
    Functions and loops that are checkpointed run on plain values: what they decide is not seen.

    Parameters
    ----------
    argnums : the positions of the arguments that are inputs, as for `record`
    most : how many lines are in the report, the closest (each takes a sweep); None for all
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
    >>> import tapead
    >>> from tapead.inspect.branches import branches
    >>> def toll(weight, limit):
    ...     rate = 2.0 if 3.0 * weight > limit else 1.0
    ...     return rate * weight
    >>> report = branches(toll, 4.0, 11.5)
    >>> report[0].operation, report[0].left, report[0].right, report[0].margin
    ('>', 12.0, 11.5, 0.5)
    >>> {name: round(move.by, 6) for name, move in report[0].moves.items()}
    {'weight': -0.166667, 'limit': 0.5}
    """
    if most is not None:
        most = at_least_0("most", most)
    tape = recorded("branches", f, args, argnums, rerun, kwargs, decisions=True)
    return BranchReport(function_name(f), tape, found(tape._tape), most)
