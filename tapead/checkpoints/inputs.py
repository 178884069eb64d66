"""Inputs: which of some leaves are tracked, and the others as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapead import array
from tapead.array import plain_data


class Inputs:
    """The leaves of what a function is given, apart by whether they are tracked.

    active : the positions of tracked ones, whose values the row keeps
    plain : all others as they are now, and None in the place of these
    """

    __slots__ = ("active", "plain")

    def __init__(self, leaves: Sequence) -> None:
        self.active = [k for k, x in enumerate(leaves) if array.is_active(x)]
        tracked = set(self.active)
        self.plain = [None if k in tracked else plain_data(x) for k, x in enumerate(leaves)]

    def filled(self, values: Sequence) -> list[Any]:
        """All leaves, with these values for the tracked ones."""
        leaves = list(self.plain)
        for k, x in zip(self.active, values, strict=True):
            leaves[k] = x
        return leaves
