"""Where NumPy's questions to tracked arrays and numbers are answered: wires the modules above in."""

from __future__ import annotations

from types import SimpleNamespace

from tapead import array, attributes, functions, scalar, writes

functions.install()
array.FUNCTIONS.update(writes.WRITES)

_answers = SimpleNamespace(
    ufunc=functions.ufunc,
    function=functions.function,
    binary=functions.binary,
    as_operand=functions.as_operand,
    as_plain=functions.as_plain,
    advanced=functions.advanced,
    write_advanced=functions.write_advanced,
    array_attribute=attributes.array_attribute,
    attribute=attributes.number_attribute,
    pickled=attributes.pickled,
)
array.dispatch_to(_answers)
scalar.dispatch_to(_answers)
