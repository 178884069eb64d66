"""Where NumPy's questions to tracked arrays and numbers are answered: wires the modules in."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tapead import array, attributes, functions, scalar, tangents, writes

functions.install()
array.FUNCTIONS.update(writes.WRITES)

_answers = SimpleNamespace(
    ufunc=functions.ufunc,
    function=functions.function,
    binary=functions.binary,
    complex_operation=functions.complex_operation,
    as_operand=functions.as_operand,
    as_plain=functions.as_plain,
    advanced=functions.advanced,
    write_advanced=functions.write_advanced,
    array_attribute=attributes.array_attribute,
    attribute=attributes.number_attribute,
    pickled=attributes.pickled,
)
array.dispatch_to(_answers)
array.push_by(tangents)
scalar.dispatch_to(_answers)


def _count_references() -> None:
    """Let `functions` see how many references an array with one name has in ``x += y``."""
    x = np.zeros(1)
    x += array.adopted(np.zeros(1))


_count_references()
