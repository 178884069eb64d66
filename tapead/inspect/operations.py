"""What operations on arrays are called, as a user of NumPy knows them, and their results."""

from __future__ import annotations

import re
from typing import Any

from tapead.places import Record
from tapead.rules.table import rule_name

# NumPy's names of functions that the tables have under names of their own.
_NUMPYS = {
    "_cast": "astype", "_joined": "concatenate", "_on_diagonal": "diag", "_padded": "pad",
    "_spread": "broadcast_to", "_stacked": "stack", "_windows": "sliding_window_view",
    "bessel_i": "i0", "bounded": "clip", "chosen": "where", "differences": "diff",
    "distinct": "unique", "edges_between": "histogram_bin_edges", "evaluated": "polyval",
    "finite": "nan_to_num", "fraction": "modf", "gathered": "take", "histogram_sums": "histogram",
    "imaginary_part": "imag", "indexed": "getitem", "interpolated": "interp",
    "log_total": "logaddexp.reduce", "multiplied": "polymul", "pseudoinverse": "pinv",
    "qr_factors": "qr", "qr_triangle": "qr", "real_part": "real", "segment_sums": "add.reduceat",
    "summed": "bincount", "svd_factors": "svd", "svd_values": "svd",
}  # fmt: skip


def operation_name(record: Record) -> str:
    """The name of an operation: NumPy's, or ``custom_vjp of f`` and the like.

    >>> import numpy as np
    >>> import tapead
    >>> tape = tapead.record(lambda v: np.std(np.concatenate([v, v])), np.ones(3))
    >>> [operation_name(record) for record in tape._tape.records[1:]]
    ['concatenate', 'std']
    """
    options: Any = record.options
    function = options.get("function") if isinstance(options, dict) else None
    if callable(function):  # one rule serves several
        return function.__name__
    name = rule_name(record.rule)
    name = re.sub(r"^<tapead\.(\w+) (.*)>$", r"\1 \2", name)
    return _NUMPYS.get(name, name.lstrip("_"))
