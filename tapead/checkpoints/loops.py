"""checkpointed_loop, checkpointed_while: loops of any length, reversed in bounded memory.

Griewank and Walther, *Evaluating Derivatives*, 2nd ed. (2008), chapter 12.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from tapead import array, recording, trees
from tapead.array import plain_of
from tapead.checkpoints import rows, schedules
from tapead.checkpoints.player import Plan, bar
from tapead.checkpoints.steps import Called, Steps
from tapead.checkpoints.stores import copied
from tapead.sizes import bytes_of
from tapead.tape import current

# Into how many parts second derivatives divide a loop whose schedule says nothing of snapshots.
_FAN = 16


def checkpointed_loop(
    step: Callable,
    state: Any,
    n: int,
    snapshots: int | tuple[int, int] | None = None,
    *,
    memory: int | str | None = None,
    schedule: Any = None,
    folder: Any = None,
    stretch: int | None = None,
    progress: bool = False,
) -> Any:
    """The state after n steps ``state = step(state)``, which are reversed with few stored states.

    The loop runs on plain values and leaves one row.  While it runs, some of its states are stored;
    the reverse sweep runs steps again from these, stores others in their place, and records one
    step at a time.  With s stored states, the first one included, Revolve's binomial schedule runs
    the fewest steps that are possible: ``t(n, s) = r n - binomial(s + r, s + 1)`` beside the n that
    are recorded, where r is the least number with ``n <= binomial(s + r, s)``.  That is every step
    that is run forward, the first time included: ``n + t(n, s)`` in all, 225,896 for 46,376 steps
    with 30 stored states.

    Each further derivative of the same result (a row of a Jacobian) runs the loop forward again.
    Second derivatives keep `snapshots` states, and as many again for each level at which they
    divide the loop.  Outside of recordings, and in forward mode, the loop is merely run.

    Parameters
    ----------
    step : a function of the state, or of the state and the number of the step if it has two
        parameters without defaults.  It may write into the state, of which it gets a copy, and use
        tracked values of its closure or of the arguments of a ``functools.partial``
    state : a number, an array or a tree of these, whose structure, shapes and dtypes stay the same
    n : the number of steps
    snapshots : how many states are stored; ``(in memory, on disk)`` for both, which needs `folder`
    memory : instead: the memory for stored states, a number of bytes or a text as "200MB".  One
        state is measured, and as many are stored as fit in.  With a folder, `snapshots` says how
        many there are, and those that do not fit are on disk.
    schedule : instead: a ``CheckpointSchedule`` of the package checkpoint_schedules, or a function
        that gives one, or a generator of the actions in ``tapead.checkpoints.schedules``, for a
        number of stretches
    folder : where states are on disk, all of them if `snapshots` is one number
    stretch : how many steps are recorded together, and counted as one by the schedule.  Recording
        has a price of its own, 50 to 250 microseconds: give more than 1 for steps that are faster.
        If it is left out it is 1 for up to 50,000 steps, and where a schedule is given; in a longer
        loop as many as leave 512 KiB on the tape, measured on the first step, which is run once
        more for that.
    progress : whether a bar of tqdm is shown

    Raises
    ------
    TypeError
        if a step changes the structure, a shape or a dtype of the state
    ValueError
        for a negative n, snapshots below 1, memory for less than one state
    ImportError
        if checkpoint_schedules is not there
    OSError
        if a folder cannot be written to or is full
    RecomputeError
        if a step changes what its closure holds; in the sweep, if it gives another state when it
        is run again, or leaves values with a derivative elsewhere than in the state

    Examples
    --------
    >>> import tapead
    >>> def population(x, rate):
    ...     def step(x):
    ...         return x + rate * x * (1.0 - x)
    ...     return tapead.checkpointed_loop(step, x, 1000, snapshots=8)
    >>> gradient = tapead.grad(population, argnums=(0, 1))(0.2, 0.002)
    >>> [round(g, 6) for g in gradient]
    [1.425571, 227.914228]
    """
    n = _whole("n, the number of steps,", n, 0)
    step = Called(step, "step")
    if stretch is not None or schedule is not None:
        stretch = _whole("stretch", 1 if stretch is None else stretch, 1)
    plan = _plan(state, snapshots, memory, schedule, folder, progress, schedules.binomial)
    if n == 0:
        return state
    return _run(step, None, n, stretch, state, plan)


def checkpointed_while(
    cond: Callable,
    step: Callable,
    state: Any,
    snapshots: int | tuple[int, int] | None = None,
    *,
    memory: int | str | None = None,
    schedule: Any = None,
    folder: Any = None,
    stretch: int = 1,
    progress: bool = False,
) -> Any:
    """The state when ``cond(state)`` no longer holds, after steps ``state = step(state)``.

    As `checkpointed_loop`, with a number of steps that shows when the loop ends.  States are stored
    by the online rule of Wang, Moin and Iaccarino: no step is run more than r + 1 times before it
    is recorded, where r is what it would be had the length n been known, the least number with
    ``n <= binomial(snapshots + r, snapshots)``.  The package checkpoint_schedules is not needed.

    Examples
    --------
    >>> import tapead
    >>> def root(a):
    ...     def step(state):
    ...         x, _ = state
    ...         return 0.5 * (x + a / x), x
    ...     def moves(state):
    ...         return abs(state[0] - state[1]) > 1e-12
    ...     return tapead.checkpointed_while(moves, step, (a, 0.0), snapshots=3)[0]
    >>> round(tapead.grad(root)(4.0), 12)
    0.25
    """
    cond, step = Called(cond, "cond"), Called(step, "step")
    stretch = _whole("stretch", stretch, 1)
    plan = _plan(state, snapshots, memory, schedule, folder, progress, _online)
    return _run(step, cond, None, stretch, state, plan)


def _run(
    step: Called, cond: Called | None, n: int | None, stretch: int | None, state: Any, plan: Plan
) -> Any:
    steps = Steps(step, cond, n, stretch, state)
    leaves = trees.flatten(state)[0]
    tape = current.tape
    recorded = tape.depth and tape.epoch and not tape.forward
    if not recorded or not (steps.held or any(map(array.is_active, leaves))):
        return steps.run(trees.unflatten(steps.spec, copied(leaves)))
    if cond is not None and not cond(state, 0):
        return state
    return rows.run(steps, plan, state)


# ------------------------------------------------------------------------------- arguments ---


def _plan(
    state: Any, snapshots: Any, memory: Any, schedule: Any, folder: Any, progress: bool,
    make: Callable,
) -> Plan:  # fmt: skip
    """How the loop is reversed, by what was asked for."""
    if progress:
        bar()
    if schedule is not None:
        if snapshots is not None or memory is not None:
            raise TypeError("a schedule says what is stored: give neither snapshots nor memory")
        near = _FAN if folder is None else 0

        def part(n: int | None) -> schedules.Actions:
            return schedules.placed(schedules.online(_FAN), near)

        return Plan(_given(schedule), part, _FAN, folder, progress)
    near, far = _places(state, snapshots, memory, folder)

    def part(n: int | None) -> schedules.Actions:
        return make(n, near, far)

    return Plan(part, part, max(2, near + far), folder, progress)


def _given(schedule: Any) -> Callable:
    """What makes the actions of a schedule that somebody gives."""
    if schedules.is_library(schedule):
        return lambda n: schedules.of_library(schedule, n)
    if not callable(schedule):
        raise TypeError(
            f"schedule is {recording.describe(schedule)}; a CheckpointSchedule of "
            "checkpoint_schedules was expected, or a function of the number of stretches that "
            "gives one, or a generator of actions"
        )

    def make(n: int | None) -> schedules.Actions:
        # Where there is nothing to choose: not all of the package's schedules begin here.
        if n == 1:
            return schedules.single()
        try:
            made = schedule(n)
        except Exception as error:
            if n is not None:
                raise
            raise TypeError(
                "checkpointed_while asks for the schedule of an unknown number of stretches, "
                f"schedule(None), which raised {type(error).__name__}: {error}. One that needs the "
                "number is for checkpointed_loop"
            ) from error
        if schedules.is_library(made):
            return schedules.of_library(made, n)
        if not isinstance(made, Generator):
            raise TypeError(
                f"schedule gave {recording.describe(made)}; a CheckpointSchedule or a generator "
                "of actions was expected"
            )
        return made

    return make


def _online(n: int | None, near: int, far: int) -> schedules.Actions:
    actions = schedules.online(near + far)
    return schedules.placed(actions, near) if far else actions


def _places(state: Any, snapshots: Any, memory: Any, folder: Any) -> tuple[int, int]:
    """How many states are stored in memory, and on disk."""
    if isinstance(snapshots, tuple):
        if len(snapshots) != 2:
            raise TypeError(f"snapshots is {snapshots}; (in memory, on disk) was expected")
        near = _whole("snapshots in memory", snapshots[0], 0)
        far = _whole("snapshots on disk", snapshots[1], 0)
        _whole("snapshots", near + far, 1)
        if memory is not None:
            raise TypeError("memory says how many snapshots are in memory: give all as one number")
    elif snapshots is not None:
        count = _whole("snapshots", snapshots, 1)
        if memory is not None and folder is None:
            raise TypeError("give snapshots or memory; both are for states in memory and on disk")
        near = 0 if folder is not None else count
        if memory is not None:
            near = min(count, bytes_of(memory) // size_of(state))
        far = count - near
    elif memory is not None:
        if folder is not None:
            raise TypeError("memory with a folder: give snapshots, the number of all states, too")
        limit, size = bytes_of(memory), size_of(state)
        near, far = limit // size, 0
        if near < 1:
            raise ValueError(
                f"memory={memory!r} is {limit:,} bytes, and one state of the loop takes {size:,}"
            )
    else:
        raise TypeError("give snapshots (how many states are stored), memory or a schedule")
    if far and folder is None:
        raise TypeError("snapshots on disk: give the folder for them")
    return near, far


def size_of(state: Any) -> int:
    """The bytes that a stored state takes."""
    leaves = [plain_of(x) for x in trees.flatten(state)[0]]
    return 64 + sum(x.nbytes + 128 if isinstance(x, np.ndarray) else 32 for x in leaves)


def _whole(what: str, x: Any, least: int) -> int:
    try:
        if isinstance(x, (bool, np.bool_)):
            raise TypeError
        found = operator.index(x)
    except TypeError:
        raise TypeError(
            f"{what} is {x!r} of type {type(x).__name__}; an int was expected"
        ) from None
    if found < least:
        raise ValueError(f"{what} is {found}; at least {least} was expected")
    return found
