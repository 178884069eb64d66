"""Traced: one recorded run of a function for its derivatives, with what it gave and took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import forms, intercept, recording, scalar, trees
from tapead.forms import Form
from tapead.segments import Segment, row_or_place
from tapead.tape import Tape, current


class Traced:
    """A function's result, and the segment of tape that it left.

    Attributes
    ----------
    value, aux : the result (plain, or tracked by an outer recording), and what came with it
    segment : for sweeps; `more` is what ``then(segment)`` made of it while the recording was open
    ins, outs : the forms of the inputs' leaves and of the result's
    own : whether the tape is the segment's own, as it is outside of any recording
    """

    __slots__ = ("aux", "in_spec", "ins", "more", "out_spec", "outs", "own", "segment", "value")

    def out_tree(self, leaves: Sequence) -> Any:
        """Tangents of the result, None for zeros, as the tree that it is."""
        return trees.unflatten(self.out_spec, forms.dressed(self.outs, leaves))

    def in_tree(self, leaves: Sequence) -> Any:
        """Adjoints of the inputs, as the tree that these are."""
        return recording.rebuild(self.in_spec, forms.dressed(self.ins, leaves))

    def release(self) -> None:
        """Drop the rows, unless an outer recording goes on with them."""
        if self.own:
            tape = self.segment.tape
            tape.clear()
            current.spare.append(tape)
            self.segment = None


def trace(
    f: Callable,
    args: tuple,
    kwargs: dict,
    positions: tuple[int, ...],
    single: bool,
    tree: Any,
    verb: str,
    has_aux: bool = False,
    rerun: bool = True,
    remembered: intercept.Remembered | None = None,
    twice: bool = False,
    then: Callable[[Segment], Any] | None = None,
    check: Callable[[Any, Callable, list[Form], list[Form]], Any] | None = None,
    call: Callable[[Any], Any] | None = None,
    listed: bool = False,
) -> Traced:
    """Run f, recorded, with `tree` (its leaves) in the place of the arguments at `positions`.

    ``then(segment)`` is called while the recording is open; `twice` says that a recorded sweep
    follows there.  ``check(result, f, ins, outs)`` may refuse the result; `verb` is for messages.
    ``call(inputs)`` runs f, where it is not called in the ordinary way; with `listed` what it gives
    is a list of numbers and arrays, and so is the value.
    """
    leaves, spec = recording.inputs(tree)
    made = Traced()
    made.in_spec = spec
    outer: Tape = current.tape
    made.own = not (outer.depth and outer.epoch)

    def finish(lo: int, first_storage: int, begin: int, result: Any) -> None:
        made.ins = forms.forms_of(leaves, spec, "an argument")
        made.aux = None
        if has_aux:
            result, made.aux = recording.with_aux(result, f)
        found, made.out_spec, made.outs = forms.results(result, f, verb, listed)
        if check is not None:
            check(result, f, made.ins, made.outs)
        outputs = [row_or_place(x) for x in found]
        made.segment = Segment(tape, lo, first_storage, begin, outputs)
        made.more = None if then is None else then(made.segment)
        # Results are nobody else's memory; they are plain where no outer derivative reaches them.
        if made.segment.outer:
            found = [x.copy() if isinstance(x, np.ndarray) else x for x in found]
        else:
            found = [forms.plain_copy(x) for x in found]
        if made.own:
            made.aux = recording.detach(made.aux) if has_aux else None
        made.value = found if listed else trees.unflatten(made.out_spec, found)
        if made.own:
            tape.retire()
            made.segment.epoch = 0

    tape = outer
    if made.own:
        tape = current.tape = current.borrow()
    try:
        recording.traced(
            tape, f, args, kwargs, positions, single, leaves, spec, finish, rerun,
            intercept.Remembered() if remembered is None else remembered, twice=twice,
            call=call,
        )  # fmt: skip
    finally:
        if made.own:
            current.tape = outer
            scalar.activate(outer)
    return made
