"""What changes from one profile to another."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tapead import profile_text

if TYPE_CHECKING:
    from tapead.profile import TapeProfile


class Change(NamedTuple):
    """Rows and bytes of a line or a function before and after; ``file`` and ``line`` are those
    after, or before where it is gone."""

    name: str
    file: str
    line: int
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int


class ProfileDiff:
    """What changes from one profile to another.  ``str()`` is a table.

    Attributes
    ----------
    before, after : the profiles
    rows, tape_bytes, peak_bytes : after less before
    functions, lines : lists of `Change`, the largest first, without what is as it was; functions
        count with what they called

    Examples
    --------
    >>> import tapead
    >>> def power(x, n):
    ...     return x if n == 1 else x * power(x, n - 1)
    >>> difference = tapead.profile(power)(2.0, 3).diff(tapead.profile(power)(2.0, 10))
    >>> difference
    <ProfileDiff: +7 rows, +119 bytes>
    >>> [(change.name, change.rows_after) for change in difference.functions]
    [('power', 9)]
    """

    def __init__(self, before: TapeProfile, after: TapeProfile) -> None:
        self.before, self.after = before, after
        self.rows = after.rows - before.rows
        self.tape_bytes = after.tape_bytes - before.tape_bytes
        self.peak_bytes = after.peak_bytes - before.peak_bytes
        self.functions = _changes(before.functions, after.functions, lambda use: use.function)
        self.lines = _changes(before.lines, after.lines, lambda use: use.source.strip())

    def __str__(self) -> str:
        return profile_text.diff_table(self)

    def __repr__(self) -> str:
        return f"<ProfileDiff: {self.rows:+,} rows, {self.tape_bytes:+,} bytes>"

    def to_dict(self) -> dict[str, Any]:
        """All figures, as plain Python objects.

        Examples
        --------
        >>> import tapead
        >>> before = tapead.profile(lambda x: x * x * x)(3.0)
        >>> before.diff(tapead.profile(lambda x: x**3)(3.0)).to_dict()["rows"]
        -1
        """
        return {
            "rows": self.rows,
            "tape_bytes": self.tape_bytes,
            "peak_bytes": self.peak_bytes,
            "functions": [change._asdict() for change in self.functions],
            "lines": [change._asdict() for change in self.lines],
        }


def _changes(before: list, after: list, name: Callable[[Any], str]) -> list[Change]:
    """The changes of uses; those of one name in one function are told apart by their order."""

    def keyed(uses: list) -> dict[tuple, Any]:
        number: dict[tuple, itertools.count] = {}
        found = {}
        for use in sorted(uses, key=lambda use: (use.file, use.line)):
            key = (os.path.basename(use.file), use.function, name(use) or use.line)
            found[(*key, next(number.setdefault(key, itertools.count())))] = use
        return found

    old, new = keyed(before), keyed(after)
    changes = []
    for key in dict.fromkeys([*old, *new]):
        a, b = old.get(key), new.get(key)
        figures = [getattr(x, k) if x else 0 for k in ("rows", "bytes") for x in (a, b)]
        if figures[0] != figures[1] or figures[2] != figures[3]:
            use = b or a
            changes.append(Change(name(use), use.file, use.line, *figures))
    return sorted(changes, key=lambda c: -abs(c.bytes_after - c.bytes_before))
