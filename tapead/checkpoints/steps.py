"""Steps of a loop: run on plain values, or recorded a stretch at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from tapead import forms, intercept, reach, recording, trees
from tapead.checkpoints.closures import refuse_writes, run_with, tracked_cells, with_cells
from tapead.checkpoints.hidden import Changes
from tapead.checkpoints.inputs import Inputs
from tapead.checkpoints.remains import Left
from tapead.checkpoints.stores import copied
from tapead.forms import Form
from tapead.scalar import Scalar
from tapead.tape import current
from tapead.traces import Traced, trace

_FLOATS = {float, Scalar}


class Called:
    """A function of the state, or of the state and the number of the step.

    plain : a twin of f for plain values, whose instructions the interpreter specializes for these
    """

    __slots__ = ("f", "indexed", "name", "plain")

    def __init__(self, f: Any, what: str) -> None:
        if not callable(f):
            raise TypeError(f"{what} is {recording.describe(f)}; a function was expected")
        self.name = recording.function_name(f.func if isinstance(f, partial) else f)
        self.indexed = _takes_two(f)
        self.f = with_cells(f)
        self.plain = _twin(self.f)

    def __call__(self, state: Any, k: int) -> Any:
        return self.f(state, k) if self.indexed else self.f(state)


def _takes_two(f: Callable) -> bool:
    """Whether a function has to be given two arguments."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return False
    first = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in first and p.default is p.empty for p in parameters) == 2


def _twin(f: Callable) -> Callable:
    """A function of its own code object, with the same closure, globals and defaults."""
    if type(f) is not FunctionType:
        return f
    made = FunctionType(
        f.__code__.replace(), f.__globals__, f.__name__, f.__defaults__, f.__closure__
    )
    made.__kwdefaults__ = f.__kwdefaults__
    made.__dict__ = f.__dict__
    made.__qualname__, made.__module__ = f.__qualname__, f.__module__
    return made


class Steps:
    """The steps of one loop, in stretches that are recorded together.

    Attributes
    ----------
    n : the number of steps, None before that is known
    stretch : how many are recorded together; `chosen`: whether that is for good
    diff : which leaves of the state are of float or complex
    held : the tracked values in the closure of the step, as a list of leaves
    roots : what leads to generators of random numbers
    """

    def __init__(
        self,
        step: Called,
        cond: Called | None,
        n: int | None,
        stretch: int | None,
        state: Any,
        roots: Sequence[Any] = (),
    ) -> None:
        self.step, self.cond, self.n = step, cond, n
        self.chosen = stretch is not None
        self.stretch = stretch or 1
        leaves, self.spec = trees.flatten(state)
        self.forms = forms.forms_of(leaves, self.spec, "the state")
        # Floats, tracked ones or not, are in the place of floats: nothing else is to be looked at.
        self._numbers = forms.are_numbers(self.forms)
        # The type of a state that is a tuple or a list of these, whose leaves are its elements.
        simple = self._numbers and type(state) in (tuple, list) and len(state) == len(leaves)
        self._flat = type(state) if simple else None
        self.diff = [k for k, form in enumerate(self.forms) if not form.whole]
        functions = [step.f] if cond is None else [step.f, cond.f]
        self.roots = list(roots) or functions
        self._cells = tracked_cells(*functions)
        self._changes = Changes(functions)
        self._left = Left(step.name, functions, self._cells)
        found, self._cell_spec = trees.flatten([reach.contents(cell) for cell in self._cells])
        self._inputs = Inputs(found)
        self.held = [found[k] for k in self._inputs.active]
        self._remembered = intercept.Remembered()
        self._seen = False  # whether the state after the first step has been looked at

    @property
    def constants(self) -> list:
        """What is held in the closure and not tracked."""
        return self._inputs.plain

    @property
    def stretches(self) -> int | None:
        return None if self.n is None else -(-self.n // self.stretch)

    def run(self, state: Any) -> Any:
        """The last state, of steps that are merely run."""
        if self.cond is not None:
            if not self.cond(state, 0):
                return state
            return self.ahead(0, 2**62, state)
        return self.ahead(0, self.stretches, state)

    def ahead(self, lo: int, hi: int, state: Any, plain: bool = False) -> Any:
        """The state after the stretches lo <= k < hi, or after as many as there are."""
        lo, hi = lo * self.stretch, hi * self.stretch
        if self.n is None:
            return self._while_true(lo, hi, state)
        hi = min(hi, self.n)
        if lo == 0 < hi and not self._seen:
            state = self._first(state)
            lo = 1
        step = self.step.plain if plain else self.step.f
        if self.step.indexed:
            for k in range(lo, hi):
                state = step(state, k)
        else:
            for _ in range(lo, hi):
                state = step(state)
        return state

    def _while_true(self, lo: int, hi: int, state: Any) -> Any:
        """As `ahead`, where the condition ends the loop; it holds for the state that is given."""
        for k in range(lo, hi):
            state = self._first(state) if k == 0 else self.step(state, k)
            if not self.cond(state, k + 1):
                self.n = k + 1
                break
        return state

    def _first(self, state: Any) -> Any:
        state = self.step(state, 0)
        self.leaves(state, 1)
        self._seen = True
        return state

    def leaves(self, state: Any, after: int) -> list:
        """The leaves of the state after so many steps; an error if it is not what it was."""
        simple = type(state) is self._flat and len(state) == len(self.forms)
        if simple and _FLOATS.issuperset(map(type, state)):
            return list(state)
        leaves, spec = trees.flatten(state)
        name = self.step.name
        steps = "one step" if after == 1 else f"{after} steps"
        if spec != self.spec:
            raise TypeError(
                f"{name} changes the structure of the state: after {steps} it is {spec}, at first "
                f"it was {self.spec}"
            )
        if self._numbers and _FLOATS.issuperset(map(type, leaves)):
            return leaves
        found = forms.forms_of(leaves, spec, f"after {steps} of {name} the state")
        for k, (new, old) in enumerate(zip(found, self.forms, strict=True)):
            if (new.shape, new.dtype, new.whole) != (old.shape, old.dtype, old.whole):
                path = recording.paths(spec, len(leaves))[k]
                raise TypeError(
                    f"{name} changes the state{path}: after {steps} it is {_said(new)}, at first "
                    f"it was {_said(old)}"
                )
        return leaves

    def holding(self, held: Sequence, f: Callable, *args: Any) -> Any:
        """f of args with these in the place of the tracked values of the closure."""
        if not self._cells:
            return f(*args)
        leaves = self._inputs.filled(held)
        contents = trees.unflatten(self._cell_spec, leaves)
        return run_with(self.step.name, self._cells, contents, f, *args)

    def recorded(
        self, at: int, leaves: list, held: Sequence, begin: Callable[[], Any] | None = None
    ) -> Traced:
        """One stretch recorded: inputs are the leaves in `diff` and what is held.

        begin : is called first, also where the recording has to be begun anew
        """
        inputs = (*[leaves[k] for k in self.diff], *held)
        count = len(self.diff)

        def call(inputs: Sequence) -> list:
            if begin is not None:
                begin()
            state = list(leaves) if count == len(leaves) else self._copied(leaves)
            for k, x in zip(self.diff, inputs, strict=False):
                state[k] = x
            state = trees.unflatten(self.spec, state)
            row = len(current.tape)
            state = self._changes.undone(self._watched, inputs[count:], at, state)
            refuse_writes(self.step.name, inputs[count:], row)
            return self.leaves(state, min((at + 1) * self.stretch, self.n or 2**62))

        # The leaves themselves are no arguments in which functions or arrays would be looked for.
        return trace(
            self.step.f, (), {}, tuple(range(len(inputs))), False, inputs, "checkpointed",
            call=call, remembered=self._remembered, listed=True,
        )  # fmt: skip

    def _watched(self, held: Sequence, at: int, state: Any) -> Any:
        """The state after a stretch; an error if this leaves anything that has a derivative."""
        self._left.begin()
        state = self.holding(held, self.ahead, at, at + 1, state)
        self._left.refuse()
        return state

    def settle(self) -> None:
        """The loop has come to its end for the first time."""
        self._changes.settle()

    def _copied(self, leaves: list) -> list:
        """The leaves, those that are not to be replaced as copies: steps may write into them."""
        chosen = set(self.diff)
        return [x if k in chosen else copied([x])[0] for k, x in enumerate(leaves)]

    def filled(self, adjoints: Sequence) -> list:
        """Adjoints of the leaves in `diff` as those of all leaves."""
        found: list = [None] * len(self.forms)
        for k, x in zip(self.diff, adjoints, strict=True):
            found[k] = x
        return found


def _said(form: Form) -> str:
    if form.kind is np.ndarray:
        return form.described() + (", of whole numbers" if form.whole else "")
    return "a whole number" if form.whole else f"{form.described()} of dtype {form.dtype}"
