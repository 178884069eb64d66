"""One call of a function with a rule of the user's own: its row, and how sweeps take it.

Such a row is seen by derivatives at several levels. The innermost one takes the rule. To those
further out the value is what the rule's own code has computed, which was recorded before it; so the
rows of the results are operands of it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapead import array, forms, guards, recording, trees
from tapead.array import plain_of
from tapead.elementary import CODES, OPS
from tapead.forms import Form
from tapead.places import Place, root_of
from tapead.rules.table import Joint, Sweep
from tapead.segments import row_or_place
from tapead.tape import current
from tapead.traces import Traced, trace

if TYPE_CHECKING:
    from tapead.custom import CustomFunction


class Call:
    """One call of a function with a rule, some of whose arguments are tracked."""

    def __init__(
        self, f: CustomFunction, fixed: tuple, leaves: list, spec: Any, ins: list[Form]
    ) -> None:
        self.f, self.fixed, self.leaves, self.spec, self.ins = f, fixed, leaves, spec, ins
        self.outs: list[Form] = []
        self.out_spec: Any = None
        self.residuals: Any = None
        self.primals: tuple = ()
        self.made: Traced | None = None
        # Which derivative this call is of, counted from the outermost.
        tape = current.tape
        self.level = tape.depth + tape.twice - tape.in_rules

    def plain(self) -> Any:
        """The value, and one row, where no further derivative follows: all is plain to the rule."""
        given = [array.plain_data(x) for x in self.leaves]
        self.primals = trees.unflatten(self.spec, given)
        args = self.f._put_together(self.fixed, self.primals)
        if self.f._kind == "custom_vjp":
            value = self.pair(recording.undisturbed(self.f._rules[0], *args), "(result, residuals)")
            value, residuals = value
            self.residuals = trees.map_leaves(_copy, residuals)
        else:
            value = recording.undisturbed(self.f.__wrapped__, *args)
        self.refuse_changes(given)
        self.primals = trees.map_leaves(_copy, self.primals)
        return self.row(value, self.leaves, None)

    def nested(self) -> Any:
        """As `plain`, where the rule is differentiated in turn: all is tracked to it."""
        given = [_begun(x) for x in self.leaves]
        primals = trees.unflatten(self.spec, given)
        seen = _Seen(given)
        if self.f._kind == "custom_vjp":
            args = self.f._put_together(self.fixed, primals)
            value = self.pair(self.in_rule(self.f._rules[0], *args), "(result, residuals)")
            value, residuals = value
            self.residuals = trees.map_leaves(_copy, residuals)
        else:
            value = self.in_rule(self.linearized, primals, levels=2)
        seen.refuse_strangers(self.f)
        self.refuse_changes(given)
        return self.row(trees.map_leaves(array.plain_data, value), self.leaves, value)

    def refuse_changes(self, given: list) -> None:
        """An error if the copies of arguments that the function got are not as they were."""
        if forms.changed(self.leaves, given):
            raise guards.refused(
                f"{self.f!r} has changed an array that it was given as an argument.",
                "Let it work on a copy, and return that.",
            )

    def row(self, value: Any, operands: list, computed: Any) -> Any:
        """The tracked result, with its row; `computed` is what the rule's code gave, tracked."""
        leaves, self.out_spec, self.outs = forms.results(value, self.f, "differentiated")
        leaves = [plain_of(x) for x in leaves]
        if computed is not None:
            operands = [*operands, *trees.flatten(computed)[0]]
        tape = current.tape
        # Of two levels in one recording, as for hvp, the inner one's sweep is recorded.
        both = tape.twice and self.level == 2
        options = {
            "begin": tape.begins[max(0, self.level - 1 - tape.twice)],
            "recorded": both,
            "nested": computed is not None,
            # Not what the user differentiates forward, but what a rule's value is made of.
            "in_rule": tape.in_rules > 0,
        }
        backward_only = self.f._kind == "custom_vjp"
        rule = Joint(repr(self.f), self.pull, self.push, backward_only=backward_only)
        return trees.unflatten(self.out_spec, array.joint(rule, operands, leaves, options))

    def in_rule(self, f: Callable, *args: Any, levels: int = 1) -> Any:
        """f of tracked arguments: calls of the function in there belong to the derivatives further
        out.  Of `levels`, what is more than one stands for recordings that f opens."""
        tape = current.tape
        tape.in_rules += levels
        try:
            return f(*args)
        finally:
            tape.in_rules = max(0, tape.in_rules - levels)

    def pair(self, given: Any, what: str) -> tuple:
        if isinstance(given, tuple) and len(given) == 2:
            return given
        raise TypeError(
            f"the rule of {self.f!r} returned {recording.describe(given)}; a pair {what} was "
            "expected"
        )

    # ---------------------------------------------------------------------- derivatives ---

    def is_inner(self, sweep: Sweep) -> bool:
        """Whether a sweep is that of the innermost derivative: it takes the rule; those further out
        see what the rule's code computed."""
        if not sweep.options["nested"]:
            return True
        options = sweep.options
        return sweep.lo == options["begin"] and (sweep.recorded or not options["recorded"])

    def pull(self, adjoints: Sequence, sweep: Sweep) -> list:
        """Adjoints of the operands by the result's."""
        options = sweep.options
        if not self.is_inner(sweep):
            return [*[None] * len(self.ins), *adjoints]
        rest = [None] * (len(self.outs) if options["nested"] else 0)
        filled = forms.dressed(self.outs, adjoints)
        if self.f._kind == "custom_vjp":
            run = self.in_rule if options["nested"] else recording.undisturbed
            return [*self.by_rule(trees.unflatten(self.out_spec, filled), run), *rest]
        if options["nested"]:
            return [*self.made.segment.pull([*[None] * len(filled), *filled]), *rest]
        return recording.undisturbed(self.transposed, filled)

    def by_rule(self, adjoint: Any, run: Callable) -> list:
        """Adjoints as bwd gives them, checked; ``run(bwd, *args)`` calls it."""
        bwd = self.f._rules[1]
        args = (*self.fixed, self.residuals, adjoint)
        given = run(bwd, *args)
        whole = trees.unflatten(self.spec, self.leaves)
        if not isinstance(given, (tuple, list)) or len(given) != len(whole):
            count = len(given) if isinstance(given, (tuple, list)) else recording.describe(given)
            raise TypeError(
                f"the rule of {self.f!r} gave {count} adjoints; a tuple of {len(whole)} was "
                "expected, one for each argument"
            )
        found, k = [], 0
        for j, (x, argument) in enumerate(zip(given, whole, strict=True)):
            leaves, spec = recording.inputs(argument)
            part = self.ins[k : k + len(leaves)]
            k += len(leaves)
            name = f"adjoint {j} of the rule of {self.f!r}"
            found += (
                [None] * len(part)
                if x is None
                else forms.matching(x, spec, part, name, f"argument {j}")
            )
        return found

    def transposed(self, adjoints: list) -> list:
        """Adjoints of the operands by the transposed rule of forward mode, which is linear."""
        made = trace(
            self.tangent_of, self.zeros(), {}, tuple(range(len(self.ins))), False, self.zeros(),
            "transposed", rerun=False,
        )  # fmt: skip
        found = made.segment.pull(adjoints)
        self.refuse_offset(made.value)
        made.release()
        return found

    def refuse_offset(self, tangent: Any) -> None:
        """An error if the rule gives another tangent than 0 for tangents that are 0."""
        if any(np.any(array.plain_of(x)) for x in trees.flatten(tangent)[0]):
            raise TypeError(
                f"the rule of {self.f!r} gave the tangent {tangent!r} where all tangents are 0; it "
                "should be linear in them"
            )

    def transposed_back(self, tangents: list) -> list:
        """The result's tangents by the transposed rule of reverse mode, which is linear."""
        zeros = tuple([form.zeros() for form in self.outs])

        def back(*adjoints: Any) -> list:
            adjoint = trees.unflatten(self.out_spec, list(adjoints))
            given = self.by_rule(adjoint, lambda bwd, *args: bwd(*args))
            return forms.dressed(self.ins, given)

        made = trace(
            back, zeros, {}, tuple(range(len(zeros))), False, zeros, "transposed", rerun=False
        )
        found = made.segment.pull(tangents)
        made.release()
        return found

    def zeros(self) -> tuple:
        return tuple([form.zeros() for form in self.ins])

    def tangent_of(self, *tangents: Any) -> Any:
        """The rule of forward mode on plain primals, its tangent alone."""
        return self.value_and_tangent(self.primals, tangents)[1]

    def value_and_tangent(self, primals: tuple, tangents: Sequence) -> tuple[Any, Any]:
        """What the rule of forward mode gives, checked."""
        given = self.f._rules[0](*self.fixed, primals, trees.unflatten(self.spec, list(tangents)))
        value, tangent = self.pair(given, "(result, tangent)")
        _, spec, outs = forms.results(value, self.f, "differentiated")
        if self.outs and [x.shape for x in outs] != [x.shape for x in self.outs]:
            raise TypeError(
                f"the rule of {self.f!r} gave a result of shape {[x.shape for x in outs]}; the "
                f"function gave {[x.shape for x in self.outs]}"
            )
        name = f"the tangent of the rule of {self.f!r}"
        found = forms.matching(
            tangent, spec, [f._replace(whole=False) for f in outs], name, "its result"
        )
        return value, trees.unflatten(spec, found)

    def linearized(self, primals: tuple) -> Any:
        """The value by the rule of forward mode, whose rows are kept as those of a linear map."""

        def run(*tangents: Any) -> Any:
            return self.value_and_tangent(primals, tangents)

        zeros = self.zeros()
        positions = tuple(range(len(zeros)))
        self.made = trace(run, zeros, {}, positions, False, zeros, "differentiated", rerun=False)
        self.refuse_offset(self.made.value[1])
        return self.made.value[0]

    def push(self, tangents: Sequence, sweep: Sweep) -> list:
        """Tangents of the result by the operands'."""
        options = sweep.options
        if sweep.lo > options["begin"]:
            # A rule's own code, seen by the derivative that takes the rule instead.
            return [None] * len(self.outs)
        if not self.is_inner(sweep):
            return list(tangents[len(self.ins) :])
        transposes = options["in_rule"] or current.tape.transposes
        if self.f._kind == "custom_vjp" and not transposes:
            raise self.f._wrong_mode()
        filled = forms.dressed(self.ins, tangents[: len(self.ins)])
        if self.f._kind == "custom_vjp":
            if options["nested"]:
                return self.in_rule(self.transposed_back, filled, levels=2)
            return recording.undisturbed(self.transposed_back, filled)
        if options["nested"]:
            return self.made.segment.push(filled)[len(self.outs) :]
        _, tangent = recording.undisturbed(self.value_and_tangent, self.primals, filled)
        return trees.flatten(tangent)[0]


class _Seen:
    """The tape before a rule runs on tracked numbers, to find those that it was not given."""

    def __init__(self, given: list) -> None:
        self.tape = tape = current.tape
        self.row, self.record, self.storage = len(tape), len(tape.records), tape.storage_count
        places = [row_or_place(x) for x in given]
        self.rows = [x for x in places if type(x) is int]
        self.storages = {root_of(x).number for x in places if type(x) is Place}

    def refuse_strangers(self, f: CustomFunction) -> None:
        """An error if rows that were written since read others than those of arguments."""
        if self.strange_rows() or any(map(self.is_strange, self.tape.records[self.record :])):
            raise guards.detached(
                f"the rule of {f!r} used a tracked number that it was not given; its derivative "
                "would be lost. Make it an argument."
            )

    def strange_rows(self) -> bool:
        codes, a, b, _ = self.tape.rows(self.row, len(self.tape))
        arity = _ARITY[codes]
        for k, least in ((a, 1), (b, 2)):
            read = k[(arity >= least) & (k >= 0) & (k < self.row)]
            if not np.isin(read, self.rows).all():
                return True
        stores = a[codes == CODES["store"]]
        elements = a[codes == CODES["element"]]
        outer = set(elements[elements < self.storage].tolist()) - self.storages
        return (
            bool(outer) or not np.isin(stores[(stores >= 0) & (stores < self.row)], self.rows).all()
        )

    def is_strange(self, record: Any) -> bool:
        for x in record.ins:
            if type(x) is Place:
                number = root_of(x).number
                if number < self.storage and number not in self.storages:
                    return True
            elif x is not None and x < self.row and x not in self.rows:
                return True
        return False


_ARITY = np.array([op.arity for op in OPS])


def _begun(x: Any) -> Any:
    """An argument as the rule gets it: nobody else's."""
    return x.copy() if array.is_active(x) and isinstance(x, np.ndarray) else x


def _copy(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) and x.ndim else x
