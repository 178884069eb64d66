"""Amounts of memory as people write them: 200MB, 1.5 GiB."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

_UNITS = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
_WRITTEN = re.compile(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)(e[0-9]+)?\s*([a-z]*)\s*", re.IGNORECASE)


def bytes_of(size: Any) -> int:
    """A number of bytes, given as that or as text with kB, MB, GB, KiB, MiB or GiB.

    >>> bytes_of("200MB"), bytes_of("1.5 GiB"), bytes_of(4096)
    (200000000, 1610612736, 4096)
    """
    if isinstance(size, str):
        found = _WRITTEN.fullmatch(size)
        if found is None or found[3].lower() not in _UNITS:
            raise ValueError(
                f"{size!r} is no amount of memory; a number of bytes was expected, or text as "
                "'200MB' with one of the units kB, MB, GB, KiB, MiB, GiB"
            )
        size = float(found[1] + (found[2] or "")) * _UNITS[found[3].lower()]
    elif isinstance(size, (bool, np.bool_)) or not isinstance(
        size, (int, float, np.integer, np.floating)
    ):
        raise TypeError(
            f"an amount of memory was expected, a number of bytes or text as '200MB'; "
            f"{type(size).__name__} given: {size!r}"
        )
    if not (math.isfinite(size) and size >= 1):
        raise ValueError(f"an amount of memory of at least one byte was expected, {size} given")
    return int(size)
