"""Player: carries out a schedule, forward to the end of a loop and later back to its beginning."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapead import forms, trees
from tapead.array import plain_of
from tapead.checkpoints import schedules
from tapead.checkpoints.draws import Draws
from tapead.checkpoints.schedules import Actions
from tapead.checkpoints.steps import Steps
from tapead.checkpoints.stores import InMemory, OnDisk, copied
from tapead.errors import RecomputeError
from tapead.traces import Traced


class Plan(NamedTuple):
    """How the steps of a loop are reversed.

    Attributes
    ----------
    make : the schedule of so many stretches, or of an unknown number
    part : the schedule of so many, where a part of the loop is run
    fan : into how many parts second derivatives divide it
    """

    make: Callable[[int | None], Actions]
    part: Callable[[int], Actions]
    fan: int
    folder: Any
    progress: bool


class Player:
    """Stretches lo <= k < hi of a loop under a schedule, which numbers them from 0.

    hi : None where the number of steps is not known
    """

    def __init__(
        self, steps: Steps, plan: Plan, draws: Draws, lo: int, hi: int | None, actions: Actions,
        leaves: list, held: list,
    ) -> None:  # fmt: skip
        self.turned = False
        self.spoiled = False  # stored states are of no use
        self.after: tuple[int, list] | None = None  # a state that the steps before have to lead to
        self.tapes: dict[int, Traced] = {}
        self._steps, self._plan, self._draws = steps, plan, draws
        self._lo = lo
        self.count = None if hi is None else hi - lo
        self._actions = actions
        self._held = held
        # The current state as a tree, as its leaves, or as both: None where it is not made.
        self._state: Any = None
        self._flat: list | None = leaves
        self._at = 0
        self._answer: int | None = None
        self._stores: dict[str, Any] = {schedules.MEMORY: InMemory()}
        self._moments: dict[int, list] = {}
        self._stored = self._unseen = 0
        self._done = 0
        self._adjoints: list = []
        self._sums: list = [None] * len(held)
        self._bar: Any = None

    def forward(self) -> list:
        """The leaves of the last state."""
        self._play("forward")
        if not self.turned:
            raise ValueError("the schedule ends before the loop does")
        self._look()
        self._draws.settle()
        return self._leaves()

    def backward(self, adjoints: list) -> tuple[list, list]:
        """Adjoints of the first state's leaves of float or complex, and of what is held."""
        self._adjoints, self._done = adjoints, self.count
        self._play("backward")
        if self._done:
            raise ValueError(f"the schedule ends with {self._done} stretches not reversed")
        return self._adjoints, self._sums

    def close(self) -> None:
        """Forget all, and give back the disk."""
        self._actions.close()
        for store in self._stores.values():
            store.close()
        self.tapes.clear()

    def _play(self, way: str) -> None:
        if self._plan.progress:
            self._bar = bar()(
                total=self._steps.n, desc=f"{self._steps.step.name} {way}", unit="step"
            )
        try:
            while True:
                action = self._actions.send(self._answer)
                self._answer = None
                if type(action) is schedules.Turn:
                    if self.turned or self._at != self.count:
                        raise ValueError("the schedule turns before the loop has come to its end")
                    self.turned = True
                    return
                if type(action) not in _DO:
                    raise TypeError(
                        f"the schedule gave {action!r}; an action of tapead.checkpoints.schedules "
                        "was expected"
                    )
                _DO[type(action)](self, *action)
        except StopIteration:
            return
        finally:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    # --------------------------------------------------------------------------- actions ---

    def _store(self, at: int, where: str) -> None:
        self._expect(at)
        self._stored += 1
        self._unseen += 1
        if not self.turned and (self._stored <= 64 or self._stored & (self._stored - 1) == 0):
            self._look()
        self._moments[at] = self._draws.now()
        self._place(where).put(at, self._leaves())

    def _load(self, at: int, where: str) -> None:
        store = self._place(where)
        if at not in store:
            if at in self.tapes:
                return
            raise ValueError(f"the schedule reads state {at} in {where}, where it is not")
        self._state, self._flat = None, store.get(at)
        self._at = at
        self._draws.put(self._draws.start)  # where those were that came into use later
        self._draws.put(self._moments[at])

    def _copy(self, at: int, where: str, to: str) -> None:
        self._place(to).put(at, self._place(where).get(at))

    def _drop(self, at: int, where: str) -> None:
        self._place(where).drop(at)
        if not any(at in store for store in self._stores.values()):
            self._moments.pop(at, None)

    def _advance(self, lo: int, hi: int) -> None:
        self._expect(lo)
        steps, first = self._steps, self._lo
        most = hi - lo if self._bar is None else max(1, 1000 // steps.stretch)
        while not self._has_come(hi):
            to = self._within(min(hi, self._at + most))
            self._state = steps.holding(
                self._held, steps.ahead, first + self._at, first + to, self._tree(), True
            )
            self._flat = None
            self._moved(to)

    def _record(self, lo: int, hi: int) -> None:
        self._expect(lo)
        if not self.turned:
            self._look()
        while not self._has_come(hi):
            k, leaves = self._at, self._leaves()
            begin = functools.partial(self._draws.put, self._draws.now())
            made = self._steps.recorded(self._lo + k, leaves, self._held, begin)
            if self.after is not None and self.after[0] == k + 1:
                self._compare(made, leaves, begin, self.after[1])
            self.after = (k, leaves)
            self.tapes[k] = made
            self._state, self._flat = None, made.value
            self._moved(k + 1)

    def _reverse(self, lo: int, hi: int) -> None:
        if hi != self._done:
            raise ValueError(f"the schedule reverses up to {hi}, where {self._done} is due")
        steps = self._steps
        count = len(steps.diff)
        for k in range(hi - 1, lo - 1, -1):
            made = self.tapes.pop(k, None)
            if made is None:
                raise ValueError(f"the schedule reverses stretch {k}, which is not recorded")
            found = made.segment.pull(forms.dressed(made.outs, steps.filled(self._adjoints)))
            made.release()
            self._adjoints = found[:count]
            _add(self._sums, found[count:])
            if self._bar is not None:
                self._bar.update(self._length(k, k + 1))
        self._done = lo

    # ------------------------------------------------------------------------------ places ---

    def _leaves(self) -> list:
        if self._flat is None:
            after = (self._lo + self._at) * self._steps.stretch
            self._flat = self._steps.leaves(self._state, after)
        return self._flat

    def _tree(self) -> Any:
        if self._state is None:
            self._state = trees.unflatten(self._steps.spec, self._flat)
        return self._state

    def _expect(self, at: int) -> None:
        if at != self._at:
            raise ValueError(f"the schedule goes on from state {at}; the current one is {self._at}")

    def _has_come(self, to: int) -> bool:
        """Whether the state is there, or at the end, of which the schedule is told."""
        if self._at != self.count:
            return self._at >= to
        if not self.turned:
            self._answer = self.count
        return True

    def _within(self, to: int) -> int:
        return to if self.count is None else min(to, self.count)

    def _moved(self, to: int) -> None:
        if self.count is None:
            self.count = self._steps.stretches  # known if the loop has ended
        to = self._within(to)
        if self._bar is not None and not self.turned:
            self._bar.update(self._length(self._at, to))
        self._at = to

    def _length(self, lo: int, hi: int) -> int:
        """The number of steps in some stretches."""
        lo, hi = ((self._lo + k) * self._steps.stretch for k in (lo, hi))
        return hi - lo if self._steps.n is None else min(hi, self._steps.n) - lo

    def _place(self, where: str) -> Any:
        if where not in self._stores:
            if where != schedules.DISK:
                raise ValueError(f"the schedule stores states in {where!r}: there is no such place")
            if self._plan.folder is None:
                raise ValueError("the schedule stores states on disk: give folder=")
            self._stores[where] = OnDisk(self._plan.folder)
        return self._stores[where]

    def _look(self) -> None:
        """See which generators are in use.  Where one is that was not seen to be when states were
        stored, these are spoiled."""
        if self._draws.look() and self._unseen > 1:
            self.spoiled = True
        self._unseen = 0

    def _compare(self, made: Traced, leaves: list, begin: Callable, expected: list) -> None:
        """See that a stretch comes to the state that it came to before, to the last bit.

        Recorded derivatives that a step computes may be rounded otherwise than plain ones are:
        where the state is another one, but near, the stretch is run once more on plain values.
        """
        if all(map(_same, made.value, expected)):
            return
        steps, k = self._steps, self._lo + self._at
        begin()
        state = trees.unflatten(steps.spec, copied(leaves))
        state = steps.holding(self._held, steps.ahead, k, k + 1, state, True)
        near = all(map(_near, made.value, expected))
        if not (near and all(map(_same, trees.flatten(state)[0], expected))):
            raise RecomputeError(
                f"{steps.step.name} is the step of a checkpointed loop and gave another state "
                "when it ran again for the reverse sweep: it depends on what has changed "
                "meanwhile (a global, a file, a clock, a generator that is not seen). Let that "
                "be in the state, or in the closure of the step and unchanged."
            )


_DO: dict[type, Callable] = {
    schedules.Store: Player._store,
    schedules.Load: Player._load,
    schedules.Copy: Player._copy,
    schedules.Drop: Player._drop,
    schedules.Advance: Player._advance,
    schedules.Record: Player._record,
    schedules.Reverse: Player._reverse,
}


def _add(sums: list, more: Sequence) -> None:
    """Add to each of some adjoints, None for zero."""
    for k, x in enumerate(more):
        if x is not None:
            sums[k] = x if sums[k] is None else sums[k] + x


def bar() -> Callable:
    """tqdm's progress bar, or an error that says how to get it."""
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            "progress=True shows a bar of the package tqdm, which is not installed: "
            "pip install tqdm"
        ) from error
    return tqdm


def _same(x: Any, y: Any) -> bool:
    """Whether two leaves are the same to the last bit."""
    if type(x) is float and type(y) is float and x != 0.0:
        return x == y or (x != x and y != y)
    return forms.same_bits(np.asarray(plain_of(x)), np.asarray(plain_of(y)))


def _near(x: Any, y: Any) -> bool:
    """Whether two leaves differ by rounding alone, as far as their dtype tells."""
    x, y = np.asarray(plain_of(x)), np.asarray(plain_of(y))
    if x.shape != y.shape or x.dtype != y.dtype or x.dtype.kind not in "fc":
        return forms.same_bits(x, y)
    room = float(np.finfo(x.dtype).eps) ** 0.5
    return np.allclose(x, y, rtol=room, atol=room * np.max(np.abs(y), initial=0.0), equal_nan=True)
