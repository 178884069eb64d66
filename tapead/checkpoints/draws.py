"""Random numbers in a loop: where its generators were, for steps that are run again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapead.checkpoints.generators import States, put, same, state_of


class Draws:
    """The generators that a loop may use: NumPy's, random's, and those that its step leads to.

    Which ones it does use shows while it runs.  States are large and slow to read: only those of
    generators that are in use are kept with the states of the loop.

    Attributes
    ----------
    start : where the used ones were when the loop began
    """

    __slots__ = ("_idle", "start")

    def __init__(self, roots: Sequence[Any]) -> None:
        self._idle = list(States(roots).found)
        self.start: list = []

    def look(self) -> bool:
        """Whether another generator has been used since the start of the loop."""
        used = [(x, state) for x, state in self._idle if not same(state_of(x), state)]
        known = {id(x) for x, _ in used}
        self._idle = [(x, state) for x, state in self._idle if id(x) not in known]
        self.start += used
        return bool(used)

    def settle(self) -> None:
        """No others will be used."""
        self._idle = []

    def now(self) -> list:
        return [(x, state_of(x)) for x, _ in self.start]

    def put(self, states: list) -> None:
        put(states)

    def from_here(self) -> Draws:
        """The same generators, for a loop that begins now."""
        made = Draws.__new__(Draws)
        made._idle, made.start = [], self.now()
        return made
