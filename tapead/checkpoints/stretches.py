"""Stretches: how many steps of a long loop are recorded together, where nobody says.

To record has a price of its own, tens of microseconds, which a step of a few numbers is not worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapead.checkpoints.generators import States
from tapead.checkpoints.steps import Steps
from tapead.tape import Tape

# Up to so many steps each one is recorded by itself: steps are run as often as the formula says.
LONG = 50_000
# Bytes of the tape that a stretch may leave.
MOST = 2**19


def chosen(steps: Steps, leaves: list, held: Sequence) -> int:
    """As many steps as leave a short tape, by that of the first, which is recorded for that."""
    if steps.n <= LONG:
        return 1
    states = States((*steps.roots, steps.constants))
    made = states.restored(steps.recorded, 0, leaves, held)
    size = _held(made.segment.tape)
    made.release()
    return max(1, MOST // size)


def _held(tape: Tape) -> int:
    """Bytes of a tape with the arrays that its records keep, each counted once."""
    arrays: dict[int, np.ndarray] = {}
    for record in tape.records:
        for x in _arrays(record.kept):
            while isinstance(x.base, np.ndarray):
                x = x.base
            arrays[id(x)] = x
    return max(1, tape.nbytes + sum(x.nbytes for x in arrays.values()))


def _arrays(kept: Any) -> list[np.ndarray]:
    if isinstance(kept, np.ndarray):
        return [kept]
    if isinstance(kept, (tuple, list)):
        return [x for part in kept for x in _arrays(part)]
    return []
