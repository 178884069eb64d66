"""What a recording gives: the rows of its tape, swept, listed, drawn and written as a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapead import partials
from tapead.elementary import OPS
from tapead.inspect import derivatives
from tapead.inspect.arguments import whole
from tapead.inspect.listing import listing
from tapead.places import Place
from tapead.tape import Tape

if TYPE_CHECKING:
    from tapead.inspect.drawing import Drawing
    from tapead.inspect.flow import Flow
    from tapead.inspect.paths import Paths


class Row(NamedTuple):
    """One row.

    ``operands`` are row numbers (int) or constants (float); ``partials`` are d value / d operand;
    ``place`` is ``(file, line, function)``, or None where source lines were not kept.
    """

    number: int
    operation: str
    operands: tuple[int | float, ...]
    value: float
    partials: tuple[float, ...]
    place: tuple[str, int, str] | None


class RecordedTape:
    """The rows of one recording, with the names of its inputs and the rows of its outputs.

    Attributes
    ----------
    value : the function's result, with plain numbers
    inputs : the row of each input, by name: ``{"x": 0, "w[1]": 2}``
    outputs : the rows of the result's numbers, None for one that is constant
    visited : how many rows and edges the last call of `adjoints` visited

    Examples
    --------
    >>> import tapead
    >>> tape = tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0)
    >>> tape
    <RecordedTape: 5 rows, 113 bytes>
    >>> tape.value, tape.inputs, tape.outputs
    (6.0, {'a': 0, 'b': 1}, (4,))
    >>> tape.operations, tape.values.tolist(), tape.edges
    (['input', 'input', 'add', 'add', 'mul'], [2.0, 1.0, 3.0, 2.0, 6.0], 5)
    """

    def __init__(
        self, tape: Tape, inputs: dict[str, int], outputs: tuple[int | None, ...], value: Any
    ) -> None:
        self._tape = tape
        self.inputs = inputs
        self.outputs = outputs
        self.value = value
        self.visited: derivatives.Visited | None = None

    def __len__(self) -> int:
        """The number of rows, inputs included."""
        return len(self._tape)

    @property
    def nbytes(self) -> int:
        """Bytes of the rows (17 each), the constants (8 each) and the source lines (4 a row)."""
        return self._tape.nbytes

    @property
    def keeps_lines(self) -> bool:
        """Whether the source line of every row was kept."""
        return self._tape.keeps_lines

    @property
    def operations(self) -> list[str]:
        """The operation of every row."""
        return [OPS[code].name for code in self._tape.rows(0, len(self))[0]]

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The value of every row."""
        return self._tape.rows(0, len(self))[3]

    @property
    def edges(self) -> int:
        """Edges of the graph: operands that are rows, counted over all rows."""
        codes, a, b, _ = self._tape.rows(0, len(self))
        arity = np.array([op.arity for op in OPS])[codes]
        return int(np.sum((arity >= 1) & (a >= 0)) + np.sum((arity == 2) & (b >= 0)))

    def row(self, number: int) -> Row:
        """Row `number`, counted from 0; negative numbers count from the end.

        Examples
        --------
        >>> import tapead
        >>> tapead.record(lambda a, b: a * b, 2.0, 3.0, lines=False).row(-1)
        Row(number=2, operation='mul', operands=(0, 1), value=6.0, partials=(3.0, 2.0), place=None)
        """
        number = whole("number", number)
        if not -len(self) <= number < len(self):
            raise IndexError(f"row {number} of a tape of {len(self)} rows")
        number %= len(self)
        code, a, b, value = self._tape.row(number)
        op = OPS[code]
        both = [k if k >= 0 else self._tape.operand_value(k) for k in (a, b)[: op.arity]]
        x, y = (self._tape.operand_value(k) for k in (a, b))
        code_object, line = self._tape.place_of(number)
        place = None
        if code_object is not None:
            place = (code_object.co_filename, line, code_object.co_qualname)
        slopes = partials.first(code, x, y, value)[: op.arity]
        return Row(number, op.name, tuple(both), value, tuple(slopes), place)

    def adjoints(self, output: int = 0) -> npt.NDArray[np.float64]:
        """d result / d **every** row, in one reverse sweep.

        Rows that write into arrays have no one number, and nan here; see `gradient`.

        Parameters
        ----------
        output : which number of the result, where that is a tree of several

        Examples
        --------
        >>> import tapead
        >>> tape = tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0)
        >>> tape.adjoints()
        array([2., 5., 2., 3., 1.])
        >>> tape.visited
        Visited(rows=5, edges=5)
        """
        return derivatives.adjoints(self, output)

    def gradient(self, wrt: int | str = 0, output: int = 0) -> float | npt.NDArray[Any]:
        """d result / d one input, a number or an array, in one reverse sweep.

        Parameters
        ----------
        wrt : the input's name (see `inputs`), or its position among them
        output : which number of the result, where that is a tree of several

        Examples
        --------
        >>> import numpy as np
        >>> import tapead
        >>> tape = tapead.record(lambda w, x: np.sum(w**x), np.array([1.0, 2.0, 3.0]), 2.0)
        >>> tape.gradient("w")
        array([2., 4., 6.])
        >>> round(tape.gradient("x"), 6)  # the sum of w**2 * log(w)
        12.660099
        """
        return derivatives.gradient(self, wrt, output)

    def tangents(self, wrt: int | str = 0) -> npt.NDArray[np.float64]:
        """d **every** row / d one input, in one forward sweep.

        Rows that write into arrays have no one number, and nan here; see `jvp`.

        Parameters
        ----------
        wrt : the input's name (see `inputs`), or its position among them; a number

        Examples
        --------
        >>> import tapead
        >>> tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0).tangents(wrt="b")
        array([0., 1., 1., 1., 5.])
        """
        return derivatives.tangents(self, wrt)

    def listing(self, adjoints: bool = True, first: int = 40, last: int = 20) -> str:
        """The Wengert list as text: row, operation, operands, value, partials, adjoint, source.

        Parameters
        ----------
        adjoints : whether d result / d row is shown
        first, last : of a tape with more rows than these together, how many are shown

        Examples
        --------
        >>> import tapead
        >>> tape = tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0, lines=False)
        >>> print(tape.listing())
        row  operation  operands  value  partials  adjoint
        r0   input a              2                2
        r1   input b              1                5
        r2   add        r0, r1    3      1, 1      2
        r3   add        r1, 1     2      1, 1      3
        r4   mul        r2, r3    6      2, 3      1
        """
        return listing(self, adjoints, first, last)

    def flow(
        self,
        by: str = "function",
        output: int = 0,
        steps: int | Sequence[int] | None = None,
        of: str | None = None,
    ) -> Flow:
        """Norms of adjoints and local Jacobians: where a gradient vanishes or explodes.

        By step, the norms are of the state: what a step made and rows after it read.  A step is a
        passage of the outermost loop that most rows come from; where it begins and ends is told
        from the lines of these rows and of what the loop calls first and last, and can be said
        exactly by `steps`.  Takes one reverse sweep.

        Parameters
        ----------
        by : "function" or "line", of the rows that they wrote; or "step"
        output : which number of the result, where that is a tree of several
        steps : how many steps there are, where the loop is not found or another one is wanted; or
            the first row of each step
        of : the part of the state that is looked at, by the name it is assigned to

        Returns
        -------
        A `Flow`: ``str()`` is a table, ``plot()`` draws it, ``rows`` and ``to_dict()`` have its
        numbers.

        Raises
        ------
        ValueError
            for an empty tape, one without source lines, or one without the steps asked for

        Examples
        --------
        >>> import tapead
        >>> def decay(x, w):
        ...     for _ in range(4):
        ...         x = w * x
        ...     return x
        >>> [row.adjoint for row in tapead.record(decay, 8.0, 0.5).flow(by="step", steps=4).rows]
        [0.125, 0.25, 0.5, 1.0]
        """
        from tapead.inspect.flow import flow

        return flow(self, by, output, steps, of)

    def to_python(self, name: str = "f", output: int = 0, most: int = 100_000) -> str:
        """The straight-line program that ran, and its adjoint, as Python text.

        The text has two functions of the inputs: ``f``, with one assignment for each row, gives
        the value; ``f_grad`` gives the value and the derivatives by the inputs, in their order. It
        is the program of the branches that ran.  Run at the recorded inputs, it gives the numbers
        of the tape and of its sweep, to the last bit.  Where Python's floats would raise and the
        sweep does not, as in ``sqrt'(0)``, the text imports the sweep's function from tapead.
        NumPy's functions of numbers are written as those of `math`, or as they are where their
        last bit is another; some derivatives of theirs differ from the sweep's in the last bit.

        Parameters
        ----------
        name : of the function
        output : which number of the result is differentiated, where that is a tree of several
        most : a longer tape is refused

        Raises
        ------
        TypeError
            for a tape with operations on arrays
        ValueError
            for an empty tape, and for one of more than `most` rows

        Examples
        --------
        >>> import tapead
        >>> text = tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0, lines=False).to_python()
        >>> print(text[text.index("def f_grad") :])
        def f_grad(a, b):
            \"\"\"The value, and its derivatives by the inputs.\"\"\"
            v2 = a + b
            v3 = b + 1.0
            v4 = v2 * v3
        <BLANKLINE>
            adj_v4 = 1.0
            adj_v2 = adj_v4 * v3
            adj_v3 = adj_v4 * v2
            adj_b = adj_v3
            adj_a = adj_v2
            adj_b += adj_v2
            return (v4, (adj_a, adj_b))
        <BLANKLINE>
        """
        from tapead.inspect.straight_line import to_python

        return to_python(self, name, output, most)

    def draw(
        self,
        fold: str | None = None,
        sweep: str | None = None,
        output: int | None = None,
        wrt: int | str | None = None,
        most: int = 500,
    ) -> Drawing:
        """The computational graph: values in its nodes, local partial derivatives on its edges.

        A node is a row.  It is called as the variable that the program assigns it to, where its
        line leaves no doubt, else ``v`` and its number.  Operations on arrays show shape and dtype.

        Parameters
        ----------
        fold : "line" or "function" has one node for all rows that a line or a function wrote;
            "iteration" folds the iterations of the main loop that lie between the first and the
            last.  Folded nodes and edges tell how many rows and edges they stand for.
        sweep : "reverse" shows in each node its adjoint, d output / d node; "forward" its tangent,
            d node / d input; of arrays and folded nodes the 2-norm
        output : of which number of the result adjoints are, the first one unless it is given
        wrt : by which input tangents are, its name or position, the first one unless it is given
        most : a graph of more nodes is refused

        Returns
        -------
        A `Drawing`: shown in notebooks; ``save("graph.svg")``, ``.dot``, ``.mermaid``.

        Raises
        ------
        ValueError
            for an empty tape; for a fold where source lines were not kept; for a graph that is too
            large; for an option that is none of these

        Examples
        --------
        >>> import tapead
        >>> tape = tapead.record(lambda a, b: (a + b) * (b + 1), 2.0, 1.0)
        >>> drawing = tape.draw(sweep="forward", wrt="b")
        >>> drawing.nodes[-1].title, drawing.nodes[-1].value, drawing.nodes[-1].derivative
        ('v4 = v2 * v3', 6.0, 5.0)
        >>> drawing.mermaid.splitlines()[5]
        '  n4["v4 = v2 * v3<br/>6<br/>∂v4/∂b = 5<br/>output"]:::output'
        """
        from tapead.inspect.drawing import of_tape

        return of_tape(self, fold, sweep, output, wrt, most)

    def paths(
        self, x: int | str | Row = 0, y: int | str | Row | None = None, output: int = 0
    ) -> Paths:
        """The paths from one row to another, counted, beside the edges that a sweep visits.

        d y / d x is the sum over all paths of the products of the partials on them; a sweep gives
        it without going along each.  Takes time in proportion to the rows between x and y, and to
        the digits of the number of paths.

        Parameters
        ----------
        x, y : numbers of rows, names of inputs, or what `row` gives; y is the output's row unless
            it is given
        output : which number of the result, where that is a tree of several

        Raises
        ------
        ValueError
            for an empty tape, a row of another tape, and an output that is a constant
        IndexError, KeyError
            for a row that the tape does not have, and a name that no input has
        TypeError
            for what is no row, and where an operation on arrays lies between x and y

        Examples
        --------
        >>> import tapead
        >>> tape = tapead.record(lambda x: (x + x + x) * (x + x), 1.0)
        >>> found = tape.paths("x")
        >>> found.count, found.edges, found.total
        (5, 8, 12.0)
        >>> [path.rows for path in found.each()]
        [(0, 1, 2, 4), (0, 1, 2, 4), (0, 2, 4), (0, 3, 4), (0, 3, 4)]
        """
        from tapead.inspect.paths import paths

        return paths(self, x, y, output)

    def __str__(self) -> str:
        # Of the first output, if that is a number.
        first = next(iter(self.outputs), None)
        one = first.size == 1 if isinstance(first, Place) else first is not None
        return self.listing(adjoints=one)

    def __repr__(self) -> str:
        return f"<RecordedTape: {len(self):,} rows, {self.nbytes:,} bytes>"

    def _output_row(self, output: int) -> int | None:
        output = whole("output", output)
        if not -len(self.outputs) <= output < len(self.outputs):
            raise IndexError(f"output {output} of a result of {len(self.outputs)} numbers")
        return self.outputs[output]

    def _input_row(self, wrt: int | str) -> int:
        if isinstance(wrt, str):
            if wrt not in self.inputs:
                known = ", ".join(list(self.inputs)[:10])
                raise KeyError(f"no input is called {wrt!r}; there are {known}")
            return self.inputs[wrt]
        wrt = whole("wrt", wrt, "the name of an input")
        rows = list(self.inputs.values())
        if not -len(rows) <= wrt < len(rows):
            raise IndexError(f"input {wrt} of a tape with {len(rows)}")
        return rows[wrt]
