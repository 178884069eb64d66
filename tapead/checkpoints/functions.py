"""checkpoint: a function that leaves no rows, and is run again when the reverse sweep comes to it.

Griewank and Walther, *Evaluating Derivatives*, 2nd ed. (2008), chapter 12.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import array, forms, reach, recording, trees
from tapead.array import plain_data, plain_of
from tapead.checkpoints.closures import changed, is_other, run_with, tracked_cells, with_cells
from tapead.checkpoints.generators import States
from tapead.checkpoints.hidden import Changes
from tapead.checkpoints.inputs import Inputs, in_place
from tapead.checkpoints.remains import Left
from tapead.errors import RecomputeError
from tapead.products import jvp
from tapead.rules.table import Joint, Sweep
from tapead.tape import current
from tapead.traces import Traced, trace


def checkpoint(f: Callable) -> Callable:
    """f, which leaves no rows on the tape: the reverse sweep runs it again, recorded; a decorator.

    While it is recorded, f runs on plain values, and its inputs are kept: arguments, and tracked
    values in its closure, in its defaults, and in attributes of objects that it is given or holds.
    The reverse sweep runs it once more for each derivative, records that run, sweeps and drops it.
    So the tape of one call is there at a time, instead of all of them. A call has a price of its
    own, as hundreds of operations have: `profile` measures it, and reckons with it in its advice.

    Both runs have to be the same. For the second one the generators of ``numpy.random`` and
    ``random``, and those that f gets or names, are put back, and so is what f holds or gets and has
    changed: attributes, containers, variables of closures and global names; afterwards these are as
    the first run left them. (Of a container of more than 64 elements what was appended is taken
    off.) Iterators and files go on. Results are compared to the last bit. Other effects, as of
    ``print``, are there twice. What other threads change as well is put back for them, too: f
    should not use it. A value with a derivative that leaves in another way than by the result is
    found in the second run: there is none where nobody uses the result.

    Parameters
    ----------
    f : a function of numbers, arrays and trees of these; it may not write into its arguments.  A
        result that is an argument, or a part of one, shares its memory as in the plain call.

    Raises
    ------
    TypeError
        if f is a generator or a coroutine, or its result is no tree of numbers and arrays
    RecomputeError
        if f changes numbers, arrays or containers that it is given; in the sweep, if the second run
        gives another result, or leaves values with a derivative elsewhere than in its result
    UnsupportedError
        if results share memory in a way that cannot be followed
    DetachedError
        if f uses tracked numbers that are in none of these places, as in global names

    Examples
    --------
    >>> import tapead
    >>> @tapead.checkpoint
    ... def step(x):
    ...     for _ in range(100):
    ...         x = x + 0.001 * x * (1.0 - x)
    ...     return x
    >>> def loop(x):
    ...     for _ in range(50):
    ...         x = step(x)
    ...     return x
    >>> len(tapead.record(loop, 0.5))  # of 20,000 operations
    101
    >>> round(tapead.grad(loop)(0.5), 6)
    0.026558
    """
    if not callable(f):
        raise TypeError(f"a function was expected, {type(f).__name__} given: {f!r}")
    if inspect.isgeneratorfunction(f) or inspect.iscoroutinefunction(f):
        raise TypeError(
            f"{recording.function_name(f)} gives a generator or a coroutine, which runs after the "
            "call; checkpoint the function that runs it to its end"
        )
    f = with_cells(f)

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        tape = current.tape
        if not (tape.depth and tape.epoch) or tape.forward:
            return f(*args, **kwargs)
        made = Call(f, args, kwargs)
        return made.result() if made.inputs.active else f(*args, **kwargs)

    return call


class Call:
    """One call of a checkpointed function in a recording.

    compared : whether the second run has to give the result of the first to the last bit
    """

    def __init__(self, f: Callable, args: tuple, kwargs: dict, compared: bool = True) -> None:
        self.f, self.name = f, recording.function_name(f)
        self.compared = compared
        given = trees.flatten((args, kwargs))[0]
        self.cells = tracked_cells(f, given=given)
        self.changes = Changes([f], given)
        tree = (args, kwargs, [reach.contents(cell) for cell in self.cells])
        self.leaves, self.spec = trees.flatten(tree)
        self.inputs = Inputs(self.leaves)
        self.states = States((f, self.inputs.plain))
        self.out_spec: Any = None
        self.ins: list[forms.Form] = []
        self.outs: list[forms.Form] = []
        self.prints: list[bytes] = []
        self.handed: list = []  # what f was given in the first run

    def result(self) -> Any:
        """What f gives, with one row for all of it."""
        operands = [self.leaves[k] for k in self.inputs.active]
        given = [plain_data(x) for x in operands]
        self.ins = forms.forms_of(given, None, "an argument")
        value = recording.undisturbed(self.run, given)
        self.states.keep_used()
        self.changes.settle()
        if forms.changed(operands, given):
            raise changed(self.name, "an array that it was given")
        leaves, self.out_spec, self.outs = forms.results(value, self.f, "checkpointed")
        self.prints = [_print(x) for x in leaves]
        rule = Joint(f"checkpoint of {self.name}", self.pull, self.push, keeps=True)
        made = array.joint(rule, operands, leaves, None)
        made = in_place(leaves, made, self.handed, self.leaves, self.name)
        self.leaves = self.handed = []  # the record keeps what is tracked
        return trees.unflatten(self.out_spec, made)

    def run(self, active: Sequence) -> Any:
        """f with these in the place of the tracked inputs."""
        leaves = self.inputs.filled(active)
        # What is not tracked is as it was for the second run, too.
        leaves = [
            x.copy() if type(x) is np.ndarray and x is y else x
            for x, y in zip(leaves, self.inputs.plain, strict=True)
        ]
        if self.leaves:
            self.handed = leaves
        args, kwargs, contents = trees.unflatten(self.spec, leaves)
        before = trees.flatten((args, kwargs))
        call = functools.partial(self.f, *args, **kwargs)
        result = run_with(self.name, self.cells, contents, call)
        if is_other(before, (args, kwargs)):
            raise changed(self.name, "a list or another container that it was given")
        arrays = [k for k, x in enumerate(self.inputs.plain) if type(x) is np.ndarray]
        if forms.changed([self.inputs.plain[k] for k in arrays], [leaves[k] for k in arrays]):
            raise changed(self.name, "an array that it was given")
        return result

    # ----------------------------------------------------------------------- derivatives ---

    def again(self, operands: list) -> Traced:
        """f recorded once more."""
        inputs = tuple(operands)
        made = trace(
            self.f, inputs, {}, tuple(range(len(inputs))), False, inputs, "checkpointed",
            call=self._watched,
        )  # fmt: skip
        if not self.compared:
            return made
        leaves = trees.flatten(made.value)[0]
        if made.out_spec != self.out_spec or [_print(x) for x in leaves] != self.prints:
            raise RecomputeError(
                f"{self.name} is checkpointed and gave another result when "
                "it ran again for the reverse sweep: it depends on what has changed meanwhile (a "
                "global, a file, a clock, a generator that is not seen). Hand that over as an "
                "argument, or do not checkpoint the function."
            )
        return made

    def _watched(self, inputs: Sequence) -> Any:
        """The second run: it finds things as the first one did."""
        left = Left(self.name, [self.f], self.cells, self.inputs.plain)
        return self.changes.undone(self._seen, left, inputs)

    def _seen(self, left: Left, inputs: Sequence) -> Any:
        """A run that must leave nothing that has a derivative."""
        left.begin()
        result = self.states.restored(self.run, inputs)
        left.refuse()
        return result

    def pull(self, adjoints: Sequence, sweep: Sweep) -> list:
        """Adjoints of the inputs: f recorded, swept, and dropped."""
        if sweep.recorded:
            return self._pulled(sweep.operands, adjoints)
        return recording.undisturbed(self._pulled, sweep.operands, adjoints)

    def _pulled(self, operands: list, adjoints: Sequence) -> list:
        made = self.again(forms.as_given(self.ins, operands))
        found = made.segment.pull(forms.dressed(self.outs, adjoints))
        made.release()
        return found

    def push(self, tangents: Sequence, sweep: Sweep) -> list:
        """Tangents of the result: f in forward mode, or recorded and swept forward."""
        given = forms.as_given(self.ins, sweep.operands)
        if not sweep.recorded:
            return recording.undisturbed(self._carried, given, tangents)
        made = self.again(given)
        return made.segment.push(forms.dressed(made.ins, tangents))

    def _carried(self, operands: list, tangents: Sequence) -> list:
        directions = tuple(forms.dressed(self.ins, tangents))

        def call(*inputs: Any) -> Any:
            return self._watched(inputs)

        return trees.flatten(jvp(call, tuple(operands), directions)[1])[0]


def _print(x: Any) -> bytes:
    """What tells results apart to the last bit: the kind, the shape and a hash of the bytes."""
    data = np.asarray(plain_of(x))
    head = f"{data.dtype}{data.shape}".encode()
    return head + hashlib.blake2b(np.ascontiguousarray(data), digest_size=16).digest()
