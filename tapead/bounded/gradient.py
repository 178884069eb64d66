"""The gradient of a recorded run on a tape whose memory is bounded, and the report about it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapead import scalar
from tapead.bounded import stretches
from tapead.bounded.processes import hazards
from tapead.bounded.snapshots import Snapshots, os_can
from tapead.bounded.spills import Spills
from tapead.places import Place, flat_memory, zeros_at
from tapead.sizes import bytes_of
from tapead.tape import ROWS_PER_CHUNK, Tape, current

# A chunk of rows with their adjoints, and what is read of another one meanwhile.
LEAST = 4 * ROWS_PER_CHUNK * stretches.BYTES_SWEPT
_USUAL = 500 * 10**6
_REMEDY = "use spill= with a folder, which needs no copies, if the function has to do with that"


class Limits(NamedTuple):
    """Bytes for the tape, and the folder for what is more."""

    memory: int
    folder: str | None


class MemoryReport(NamedTuple):
    """What a gradient under a limit of memory took.

    rows : of the tape in all
    snapshots : copies of the process that were made
    rows_again : rows of the stretches that were run again
    spilled : bytes that went to disk
    peak : bytes of tape in memory at once, in all processes, with the adjoints of the rows
    limit : bytes that had been allowed
    changed : about how many bytes of the program's own memory the copies hold besides: the pages
        that were new or were written while the function ran the first time

    Examples
    --------
    >>> import tapead
    >>> def f(x):
    ...     for _ in range(1000):
    ...         x = x + 0.001 * x * (1.0 - x)
    ...     return x
    >>> g = tapead.grad(f, memory="10MB")
    >>> g(0.5) == tapead.grad(f)(0.5)
    True
    >>> g.report.rows, g.report.limit, g.report.peak < g.report.limit
    (4001, 10000000, True)
    """

    rows: int
    snapshots: int
    rows_again: int
    spilled: int
    peak: int
    limit: int
    changed: int

    def __str__(self) -> str:
        return (
            f"{self.rows:,} rows; {self.snapshots:,} snapshots, {self.rows_again:,} rows run "
            f"again; {self.spilled:,} bytes went to disk; at most {self.peak:,} bytes of tape in "
            f"memory, {self.limit:,} allowed; {self.changed:,} bytes of other memory changed"
        )


def bounds(memory: Any, spill: Any) -> tuple[Limits, ...]:
    """The limits that arguments of `grad` name, checked; empty without any."""
    if memory is None and spill is None:
        return ()
    limit = _USUAL if memory is None else bytes_of(memory)
    if limit < LEAST:
        raise ValueError(
            f"memory={memory!r} is {limit:,} bytes; the tape grows by chunks, and at least "
            f"{LEAST:,} bytes are needed"
        )
    folder = None if spill is None else os.fspath(spill)
    if folder is not None and not os.path.isdir(folder):
        raise ValueError(f"spill={folder!r} is no folder; a folder that can be written is expected")
    return (Limits(limit, folder),)


def bounded_gradient(
    run: Callable[[Tape], tuple[Any, Any, Any]], limits: Limits
) -> tuple[tuple[Any, Any, Any], list, MemoryReport]:
    """What ``run(tape)`` gives, a value, its row or place, and more; the adjoints of the inputs.

    The adjoints are floats and arrays, in the order of the inputs.
    """
    tape = Tape()
    tape.block = 1
    forks = limits.folder is None and os_can()
    half = limits.memory // 2
    watch = Snapshots(tape, half) if forks else Spills(tape, half, limits.folder)
    if forks:
        for hazard in hazards():
            warnings.warn(f"{hazard}; {_REMEDY}", RuntimeWarning, stacklevel=4)
    process = os.getpid()
    tape.watch = watch
    outer = current.tape
    current.tape = tape
    try:
        found = run(tape)
        rows = len(tape)
        pending = watch.finish(stretches.seeds(found[1]))
        report = MemoryReport(
            rows=rows,
            snapshots=watch.taken if forks else 0,
            rows_again=watch.rows_again if forks else 0,
            spilled=0 if forks else watch.total,
            peak=watch.peak,
            limit=limits.memory,
            changed=watch.changed if forks else 0,
        )
        return found, _adjoints(watch.inputs, pending), report
    except BaseException as error:
        if os.getpid() != process:
            watch.give_up(error)
        raise
    finally:
        current.tape = outer
        scalar.activate(outer)
        watch.close()


def _adjoints(inputs: list[Place | None], pending: stretches.Pending) -> list:
    numbers = np.zeros(len(inputs))
    numbers[pending.rows] = pending.values
    found: list = numbers.tolist()
    for k, place in enumerate(inputs):
        if place is not None:
            found[k] = zeros_at(place)
            if place.number in pending.arrays:
                flat_memory(found[k])[...] = pending.arrays[place.number]
    return found
