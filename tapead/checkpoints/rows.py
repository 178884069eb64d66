"""A loop in a recording: one row for all its steps, and what derivatives do when they meet it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from tapead import array, forms, recording, trees
from tapead.array import plain_data, plain_of
from tapead.checkpoints.draws import Draws
from tapead.checkpoints.functions import Call
from tapead.checkpoints.inputs import Inputs
from tapead.checkpoints.player import Plan, Player
from tapead.checkpoints.steps import Called, Steps
from tapead.checkpoints.stores import copied
from tapead.checkpoints.stretches import chosen
from tapead.forms import Form
from tapead.products import jvp
from tapead.rules.table import Joint, Sweep


def run(steps: Steps, plan: Plan, state: Any) -> Any:
    """The last state of a loop that is recorded."""
    leaves, held = trees.flatten(state)[0], steps.held
    steps.held = []  # the row keeps what is tracked
    if not steps.chosen:
        given = [plain_data(x) for x in leaves], [plain_data(x) for x in held]
        steps.stretch = recording.undisturbed(chosen, steps, *given)
    loop = Loop(steps, plan, Draws((*steps.roots, steps.constants)), leaves, held)
    return trees.unflatten(steps.spec, loop.result())


class Loop:
    """A loop, or a part of one, in a recording.

    lo, hi : the first stretch and the one after the last, None where it is not known
    again : whether nothing is kept of the run forward, and the loop is run once more for a sweep
    """

    def __init__(
        self, steps: Steps, plan: Plan, draws: Draws, leaves: list, held: list,
        lo: int = 0, hi: int | None = None, again: bool = False,
    ) -> None:  # fmt: skip
        self.steps, self.plan, self.draws = steps, plan, draws
        self.lo, self.hi = lo, steps.stretches if hi is None else hi
        self.again = again
        self.leaves = [*leaves, *held]
        self.count = len(leaves)
        self.inputs = Inputs(self.leaves)
        self.player: Player | None = None
        self.ins: list[Form] = []
        self.outs: list[Form] = []

    def result(self) -> list:
        """The leaves of the last state, with one row for the whole loop."""
        operands = [self.leaves[k] for k in self.inputs.active]
        given = [plain_data(x) for x in operands]
        self.ins = forms.forms_of(given, None, "an operand")
        self.leaves = []  # the record keeps what is tracked
        leaves = recording.undisturbed(self._forward, given)
        self.outs = forms.forms_of(leaves, None, "a result")
        rule = Joint(f"loop of {self.steps.step.name}", self.pull, self.push, keeps=True)
        return array.joint(rule, operands, leaves, None)

    def _forward(self, operands: Sequence) -> list:
        if self.again:
            return self._ahead(operands)
        player = self._begun(operands)
        try:
            leaves = player.forward()
        except BaseException:
            player.close()
            raise
        self.hi = self.lo + player.count
        self.steps.settle()
        if player.spoiled:
            player.close()
        else:
            if not player.tapes:
                player.after = (player.count, copied(leaves))
            self.player = player
        return leaves

    def _begun(self, operands: Sequence) -> Player:
        leaves, held = self._parts(operands)
        whole = self.lo == 0 and self.hi == self.steps.stretches
        make = self.plan.make if whole else self.plan.part
        actions = make(None if self.hi is None else self.hi - self.lo)
        return Player(
            self.steps, self.plan, self.draws, self.lo, self.hi, actions, copied(leaves), held
        )

    def _ahead(self, operands: Sequence) -> list:
        """The leaves of the last state, of steps that are merely run."""
        leaves, held = self._parts(operands)
        state = trees.unflatten(self.steps.spec, copied(leaves))
        state = self.steps.holding(held, self.steps.ahead, self.lo, self.hi, state)
        return self.steps.leaves(state, self.hi * self.steps.stretch)

    def _parts(self, operands: Sequence) -> tuple[list, list]:
        """The state's leaves and what is held, with these for what was tracked."""
        values = self.inputs.filled(operands)
        return values[: self.count], values[self.count :]

    def _restored(self, f: Callable, *args: Any) -> Any:
        """f of args with the generators as the loop found them, and then as before."""
        now = self.draws.now()
        self.draws.put(self.draws.start)
        try:
            return f(*args)
        finally:
            self.draws.put(now)

    # ------------------------------------------------------------------------------ adjoints ---

    def pull(self, adjoints: Sequence, sweep: Sweep) -> list:
        """Adjoints of the operands: the schedule's way back."""
        seeds = [adjoints[k] for k in self.steps.diff]
        f = self._pulled_again if sweep.recorded else self._pulled
        run = self._restored if sweep.recorded else _undisturbed(self._restored)
        adjoints, sums = run(f, forms.as_given(self.ins, sweep.operands), seeds)
        found = [*self.steps.filled(adjoints), *sums]
        return [found[k] for k in self.inputs.active]

    def _pulled(self, operands: list, seeds: list) -> tuple[list, list]:
        player, self.player = self.player, None
        if player is None:
            player = self._begun(operands)
        try:
            if not player.turned:
                player.forward()
            return player.backward(seeds)
        finally:
            player.close()

    def _pulled_again(self, operands: list, seeds: list) -> tuple[list, list]:
        steps = self.steps
        leaves, held = self._parts(operands)
        seeds = forms.dressed([self.outs[k] for k in steps.diff], seeds)
        parts = _Adjoint(steps, self.plan, self.draws)
        return parts.swept(self.lo, self.hi, _Moment(self.draws.start), leaves, held, seeds, [])

    # ------------------------------------------------------------------------------ tangents ---

    def push(self, tangents: Sequence, sweep: Sweep) -> list:
        """Tangents of the result: the loop in forward mode, or one over states and tangents."""
        operands, directions = (
            forms.as_given(self.ins, sweep.operands),
            forms.dressed(self.ins, tangents),
        )
        if sweep.recorded:
            return self._restored(self._pushed_again, operands, directions)
        return recording.undisturbed(self._restored, self._carried, operands, directions)

    def _carried(self, operands: list, directions: list) -> list:
        def call(*operands: Any) -> list:
            self.draws.put(self.draws.start)  # it may have to begin anew
            return self._ahead(operands)

        return jvp(call, tuple(operands), tuple(directions))[1]

    def _pushed_again(self, operands: list, tangents: list) -> list:
        steps = self.steps
        leaves, held = self._parts(operands)
        inputs = [plain_of(x) for x in (*leaves, *held)]
        directions: list = [None] * len(inputs)
        for k, x in zip(self.inputs.active, tangents, strict=True):
            directions[k] = x
        directions = forms.dressed(forms.forms_of(inputs, None, "an operand"), directions)
        fixed = directions[self.count :]

        def step(state: tuple, k: int) -> tuple:
            leaves, along = state

            def stretch(moving: list, held: list) -> list:
                now = copied(leaves)
                for i, x in zip(steps.diff, moving, strict=True):
                    now[i] = x
                now = trees.unflatten(steps.spec, now)
                k0 = self.lo + k
                now = steps.holding(held, steps.ahead, k0, k0 + 1, now)
                return steps.leaves(now, (k0 + 1) * steps.stretch)

            moving = [leaves[i] for i in steps.diff]
            leaves, changes = jvp(stretch, (moving, held), (along, fixed))
            return leaves, [changes[i] for i in steps.diff]

        step.__qualname__ = steps.step.name
        state = (leaves, [directions[k] for k in steps.diff])
        both = Steps(Called(step, "step"), None, self.hi - self.lo, 1, state, steps.roots)
        plan = self.plan
        if self.lo or self.hi != steps.stretches:
            plan = plan._replace(make=plan.part)
        return steps.filled(run(both, plan, state)[1])


def _undisturbed(f: Callable) -> Callable:
    return lambda *args: recording.undisturbed(f, *args)


class _Moment:
    """Where generators were: a leaf of trees."""

    def __init__(self, states: list) -> None:
        self.states = states


class _Adjoint:
    """The adjoint of a loop as a program that is recorded in its turn.

    The loop is cut into parts.  Each leaves a row for the state that it leads to and, going back,
    one for its adjoint: a checkpointed call, which cuts it further when a sweep comes to that.
    """

    def __init__(self, steps: Steps, plan: Plan, draws: Draws) -> None:
        self.steps, self.plan, self.draws = steps, plan, draws

    def swept(
        self, lo: int, hi: int, moment: _Moment, leaves: list, held: list, adjoints: list,
        sums: list,
    ) -> tuple[list, list]:  # fmt: skip
        """Adjoints of the state's leaves in `diff` over lo <= k < hi, and `sums` (empty before the
        first) with those of what is held added: in the order in which a `Player` adds them."""
        steps, draws = self.steps, self.draws
        draws.put(moment.states)
        if hi - lo == 1:
            made = steps.recorded(lo, leaves, held, lambda: draws.put(moment.states))
            found = made.segment.pull(forms.dressed(made.outs, steps.filled(adjoints)))
            found = forms.dressed(made.ins, found)
            made.release()
            more = found[len(steps.diff) :]
            if sums:
                more = [x + y for x, y in zip(sums, more, strict=True)]
            return found[: len(steps.diff)], more
        count = min(self.plan.fan, hi - lo)
        cuts = [lo + (hi - lo) * k // count for k in range(count + 1)]
        begins = [(moment, leaves)]
        for a, b in itertools.pairwise(cuts[:-1]):
            part = Loop(steps, self.plan, draws.from_here(), leaves, held, a, b, again=True)
            leaves = part.result()
            begins.append((_Moment(draws.now()), leaves))
        for k in range(count - 1, -1, -1):
            given = (cuts[k], cuts[k + 1], *begins[k], held, adjoints, sums)
            # One run sweeps plain numbers and the other tracked ones, which rounds otherwise.
            adjoints, sums = Call(self.swept, given, {}, compared=False).result()
        return adjoints, sums
