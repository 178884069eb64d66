"""Schedules: which states of a loop are stored, which steps are run again, as small actions.

A schedule is a generator of the actions below.  It knows nothing of what carries them out, and is
sent one thing back: after `Advance` and `Record`, the number of steps in all if the loop has come
to its end there, else None.  That is how an online schedule, made for a loop of unknown length,
learns of it.

Offline schedules are those of the package `checkpoint_schedules`; any ``CheckpointSchedule`` of it
or written for it will do.  What it lacks, schedules for an unknown number of steps in bounded
memory, is here.

References
----------
Griewank and Walther, Algorithm 799: Revolve, ACM TOMS 26 (2000)
Wang, Moin and Iaccarino, Minimal repetition dynamic checkpointing algorithm for unsteady adjoint
calculation, SIAM J. Sci. Comput. 31 (2009)
Stumm and Walther, New algorithms for optimal online checkpointing, SIAM J. Sci. Comput. 32 (2010)
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator
from typing import Any, NamedTuple

MEMORY, DISK = "memory", "disk"


class Store(NamedTuple):
    """Keep the current state, which is the one before step `at`."""

    at: int
    where: str


class Load(NamedTuple):
    """Let a stored state be the current one; it stays stored."""

    at: int
    where: str


class Copy(NamedTuple):
    """Store a stored state in another place, too."""

    at: int
    where: str
    to: str


class Drop(NamedTuple):
    """Forget a stored state."""

    at: int
    where: str


class Advance(NamedTuple):
    """Run the steps lo <= k < hi from the current state, and record nothing."""

    lo: int
    hi: int


class Record(NamedTuple):
    """Run the steps lo <= k < hi from the current state, and record each of them."""

    lo: int
    hi: int


class Reverse(NamedTuple):
    """Take the adjoint back over the steps hi > k >= lo, which are recorded, and drop these."""

    lo: int
    hi: int


class Turn(NamedTuple):
    """The loop has run to its end: what follows happens when the reverse sweep comes to it."""


Action = Store | Load | Copy | Drop | Advance | Record | Reverse | Turn
Actions = Generator[Action, int | None, None]

# ------------------------------------------------------------------------------- binomials ---


def repetitions(n: int, snapshots: int) -> int:
    """The least r such that n steps can be reversed with no step run more than r times before it is
    recorded: the least with ``n <= binomial(snapshots + r, snapshots)``."""
    r = 0
    while math.comb(snapshots + r, snapshots) < n:
        r += 1
    return r


def evaluations(n: int, snapshots: int) -> int:
    """How often steps are run, at the least, to reverse n of them with so many stored states.

    Each step is run once to be recorded; ``r n - binomial(snapshots + r, snapshots + 1)`` is what
    Revolve runs beside that, the first run forward included.  The initial state is one of those
    that are stored.

    >>> evaluations(46_376, 30)
    225896
    """
    r = repetitions(n, snapshots)
    return (r + 1) * n - math.comb(snapshots + r, snapshots + 1)


def split(n: int, snapshots: int) -> int:
    """Where, of n steps, the next state is to be stored, the first one being so already.

    `snapshots` counts that one.  Both parts are then of a length at which nothing is lost.
    """
    if snapshots == 1:
        return n - 1
    r = repetitions(n, snapshots)
    longest = math.comb(snapshots + r - 1, snapshots)
    return min(longest, n - math.comb(snapshots + r - 2, snapshots - 1))


# --------------------------------------------------------------------------------- offline ---


def single() -> Actions:
    """The schedule of one step."""
    yield Record(0, 1)
    yield Turn()
    yield Reverse(0, 1)


def binomial(n: int, in_memory: int, on_disk: int = 0) -> Actions:
    """Revolve's optimal schedule of n steps; with two kinds of places, those of most use are in
    memory (Stumm and Walther, Multistage approaches for optimal offline checkpointing, 2009)."""
    return adapted(_library().MultistageCheckpointSchedule(n, in_memory, on_disk), n)


def _library() -> Any:
    try:
        import checkpoint_schedules
    except ImportError as error:
        raise ImportError(
            "checkpointed_loop takes its schedules from the package checkpoint_schedules, which is "
            "not installed: pip install 'tapead[checkpoints]' (or checkpoint_schedules alone)"
        ) from error
    return checkpoint_schedules


def is_library(schedule: Any) -> bool:
    """Whether this is a schedule of, or for, checkpoint_schedules."""
    return all(hasattr(schedule, name) for name in ("uses_storage_type", "max_n", "finalize"))


def of_library(schedule: Any, n: int | None) -> Actions:
    """The actions of a schedule that somebody has made, which is left as it is."""
    if hasattr(schedule, "iter"):  # where CheckpointSchedule keeps its generator
        raise ValueError("the schedule has been run already: give a new one")
    if schedule.max_n is not None and schedule.max_n != n:
        here = "of an unknown number of steps" if n is None else f"of {n} steps"
        raise ValueError(f"the schedule is for {schedule.max_n} steps, the loop is one {here}")
    return adapted(copy.deepcopy(schedule), n)


def adapted(schedule: Any, n: int | None) -> Actions:
    """The actions of a schedule of checkpoint_schedules as ours.

    What it calls adjoint dependencies is a recorded step.  One that it stores is kept recorded in
    memory; on disk it is a state from which the step is run once more, and recorded.
    """
    kinds = _library()
    places = {kinds.StorageType.RAM: MEMORY, kinds.StorageType.DISK: DISK}
    written: set[int] = set()  # steps whose recording the schedule believes to be on disk
    stored: dict[str, set[int]] = {MEMORY: set(), DISK: set()}
    for action in schedule:
        if isinstance(action, kinds.Forward):
            lo, hi, end = action.n0, action.n1, None
            if action.write_ics:
                written.discard(lo)
                where = places[action.storage]
                stored[where].add(lo)
                yield Store(lo, where)
            if not action.write_adj_deps:
                end = yield Advance(lo, hi)
            elif action.storage is kinds.StorageType.DISK:
                end = yield from _written(lo, hi, written)
            else:
                end = yield Record(lo, hi)
            if end is not None and schedule.max_n is None:
                schedule.finalize(end)
        elif isinstance(action, kinds.Reverse):
            lo, hi = action.n0, action.n1
            yield Reverse(lo, hi)
            yield from _forgotten(lo, hi, stored)
        elif isinstance(action, (kinds.Copy, kinds.Move)):
            moves = isinstance(action, kinds.Move)
            if moves:
                stored[places[action.from_storage]].discard(action.n)
            yield from _copied(action, places, written, moves)
        elif isinstance(action, kinds.EndForward):
            yield Turn()
        elif isinstance(action, kinds.EndReverse):
            return
        else:
            raise TypeError(f"an action of checkpoint_schedules was expected, {action!r} given")


def _forgotten(lo: int, hi: int, stored: dict[str, set[int]]) -> list[Drop]:
    """States of reversed steps that are still stored: H-Revolve forgets to say so of some."""
    found = []
    for where, states in stored.items():
        for k in states.intersection(range(lo, hi)) if states else ():
            states.remove(k)
            found.append(Drop(k, where))
    return found


def _written(lo: int, hi: int, written: set[int]) -> Actions:
    for k in range(lo, hi):
        yield Store(k, DISK)
        written.add(k)
        end = yield Advance(k, k + 1)
        if end is not None:
            return end
    return None


def _copied(action: Any, places: dict, written: set[int], moves: bool) -> Actions:
    k, source = action.n, places[action.from_storage]
    if action.to_storage in places:
        yield Copy(k, source, places[action.to_storage])
    elif action.to_storage.name == "WORK":
        # A recorded step that is kept in memory has no state to be loaded: `Load` lets it be.
        yield Load(k, source)
        if source == DISK and k in written:
            yield Record(k, k + 1)
    if moves:
        written.discard(k)
        yield Drop(k, source)


# ---------------------------------------------------------------------------------- online ---


def online(snapshots: int) -> Actions:
    """A schedule for a loop whose length shows when it ends, with so many stored states.

    No step is run more often, before it is recorded, than the least number that any schedule which
    knows the length can promise, and one: r + 1 where ``n <= binomial(snapshots + r, snapshots)``.
    While the loop runs forward, stored states are kept by the rule of Wang, Moin and Iaccarino,
    each state having a level; backward, the length is known, and what is between two stored states
    is reversed as Revolve does.
    """
    stored: list[int] = []
    levels: list[float] = []
    k, end = 0, None
    while end is None:
        gone = _dispensable(stored, levels, snapshots)
        if gone is None or gone > 0:
            level = 0 if stored else math.inf
            if gone is not None:
                if gone == len(stored) - 1:
                    level = levels[gone] + 1
                yield Drop(stored.pop(gone), MEMORY)
                levels.pop(gone)
            yield Store(k, MEMORY)
            stored.append(k)
            levels.append(level)
        end = yield Advance(k, k + 1)
        k += 1
    yield Turn()
    yield from _backward(stored, end, snapshots)


def _dispensable(stored: list[int], levels: list[float], snapshots: int) -> int | None:
    """Which stored state makes place for the next: one before another of a higher level, or else
    the last.  None where there is place."""
    if len(stored) < snapshots:
        return None
    highest = levels[-1]
    for k in range(len(levels) - 2, 0, -1):
        if levels[k] < highest:
            return k
        highest = levels[k]
    return len(levels) - 1


def _backward(stored: list[int], n: int, snapshots: int) -> Actions:
    """Reverse n steps, some states among them being stored."""
    for k in range(n - 1, -1, -1):
        yield Load(stored[-1], MEMORY)
        at = stored[-1]
        while at < k:
            if at != stored[-1]:
                yield Store(at, MEMORY)
                stored.append(at)
            ahead = at + split(k + 1 - at, snapshots - len(stored) + 1)
            yield Advance(at, ahead)
            at = ahead
        yield Record(k, k + 1)
        yield Reverse(k, k + 1)
        if stored[-1] == k:
            yield Drop(stored.pop(), MEMORY)


# ------------------------------------------------------------------------ two kinds of places ---


def placed(actions: Actions, in_memory: int) -> Actions:
    """A schedule with all states in memory as one with so many there and the others on disk.

    Where memory is full, the earliest state in it goes to the disk: it is needed last.
    """
    places: dict[int, str] = {}
    near: list[int] = []
    answer = None
    while True:
        try:
            action = actions.send(answer)
        except StopIteration:
            return
        if isinstance(action, Store):
            if in_memory and len(near) == in_memory:
                far = min(near)
                near.remove(far)
                yield Copy(far, MEMORY, DISK)
                yield Drop(far, MEMORY)
                places[far] = DISK
            places[action.at] = MEMORY if in_memory else DISK
            if in_memory:
                near.append(action.at)
            action = Store(action.at, places[action.at])
        elif isinstance(action, Load):
            action = Load(action.at, places[action.at])
        elif isinstance(action, Drop):
            action = Drop(action.at, places.pop(action.at))
            if action.where == MEMORY:
                near.remove(action.at)
        answer = yield action
