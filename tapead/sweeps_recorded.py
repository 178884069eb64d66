"""The reverse sweep on tracked numbers: its operations become rows and can be differentiated.

It does the arithmetic of ``sweeps.reverse``, by the formulas of the same table.  Only the adjoints
of rows inside the segment are collected; rows before it belong to the derivatives outside, which
is why inner and outer derivatives cannot be confused (Siskind and Pearlmutter, *Nesting
forward-mode AD in a functional framework*, 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tapead import array, kernels, scalar
from tapead.array import ADD_AT, ADD_IN, COPY, INPUT, STOP, SUB_IN, WRITE, Array
from tapead.elementary import CODES, OPS, Op, ieee
from tapead.partials import value as ieee_value
from tapead.places import (
    Place,
    Record,
    Row,
    address_of,
    place_of_root,
    positions,
    root_of,
    unstretched,
    zeros_at,
)
from tapead.rules.indexing import scattered
from tapead.rules.table import Joint, Shaped, Sweep, product, unbroadcast
from tapead.scalar import Scalar
from tapead.sweeps import dependence
from tapead.tape import Tape

OUTER = 2  # the bit of `dependence` for rows before the segment


def _function(op: Op) -> Callable:
    """The operation for use in formulas: on tracked numbers it writes a row, and never raises."""
    code = CODES[op.name]

    def apply(x):
        if type(x) is Scalar:
            return scalar.write(code, x, ieee_value(code, scalar.plain(x), 0.0))
        return ieee_value(code, x, 0.0)

    def apply2(x, y):
        v = ieee_value(code, scalar.plain(x), scalar.plain(y))
        if type(x) is Scalar or type(y) is Scalar:
            return scalar.write2(code, x, y, v)
        return v

    return apply if op.arity == 1 else apply2


_NAMES = {op.name: _function(op) for op in OPS if op.value}


def _power(x, y):
    """x ** y in the form whose sweep asks for no logarithm when y is a constant."""
    return _NAMES["pow" if type(y) is Scalar else "powc"](x, y)


_NAMES["power"] = _power


def _compiled(formula: str) -> Callable:
    """A formula of the table as a function of a, b and v."""
    return eval(f"lambda a, b, v: {ieee(formula)}", _NAMES)  # the table is ours


DA = [_compiled(op.da) for op in OPS]
DB = [_compiled(op.db) for op in OPS]


def times(partial, adjoint):
    """partial * adjoint, but None for what the numeric sweep skips: 0 against no finite number."""
    if type(partial) is float:
        if partial == 0.0:
            return None
        if partial == 1.0:
            return adjoint
        if partial == -1.0:
            return -adjoint
    if scalar.plain(partial) == 0.0 and not math.isfinite(scalar.plain(adjoint)):
        return None
    if scalar.plain(adjoint) == 0.0 and not math.isfinite(scalar.plain(partial)):
        return None
    return partial * adjoint


_ARRAY, _ELEMENT, _STORE = CODES["array"], CODES["element"], CODES["store"]


def number_at(tape: Tape, k: int) -> Scalar | float:
    """Operand k of a row: the tracked number of row k, or a constant."""
    value = tape.operand_value(k)
    return scalar.at_row(tape, tape.true_row(k), value) if k >= 0 else value


def reverse(
    tape: Tape, lo: int, first_storage: int, begin: int, hi: int, outputs: Sequence, seeds: Sequence
) -> list:
    """Adjoints of the inputs, the rows lo <= r < begin, as tracked numbers or arrays, or plain.

    `outputs` are rows, or places of arrays, below row hi, and `seeds` their adjoints.
    """
    with np.errstate(all="ignore"):
        return _reverse(tape, lo, first_storage, begin, hi, outputs, seeds)


def _reverse(
    tape: Tape, lo: int, first_storage: int, begin: int, hi: int, outputs: Sequence, seeds: Sequence
) -> list:
    """`reverse`, without a word of NumPy's about infinities."""
    marks = dependence(tape, lo, hi, begin, first_storage)
    adjoints: list = [None] * (hi - lo)
    storages = Storages(tape, lo, first_storage)

    def add(at, term):
        if at >= lo and marks[at - lo] & 1:
            before = adjoints[at - lo]
            adjoints[at - lo] = term if before is None else before + term

    for output, seed in zip(outputs, seeds, strict=True):
        if isinstance(output, Place):
            storages.add(output, seed)
        else:
            add(output, seed)

    for r in range(hi - 1, begin - 1, -1):
        g = adjoints[r - lo]
        adjoints[r - lo] = None  # as long as the segment, the list is the only one to hold it
        code, j, k, value = tape.row(r)
        if code >= _ARRAY:
            if code == _STORE or marks[r - lo] & 1:
                _array_row(tape, r, (code, j, k, value), g, storages, add)
            continue
        if g is None or not marks[r - lo] & 1:
            continue
        a = number_at(tape, j)
        b = number_at(tape, k) if OPS[code].arity == 2 else 0.0
        v = scalar.at_row(tape, r, value)
        for at, formula in ((j, DA[code]), (k, DB[code])):
            # An unused operand points at row 0, and its partial is 0.
            if at >= lo and marks[at - lo] & 1:
                term = times(formula(a, b, v), g)
                if term is not None:
                    before = adjoints[at - lo]
                    adjoints[at - lo] = term if before is None else before + term
    results: list = []
    for r in range(lo, begin):
        code, j, _, _ = tape.row(r)
        g = adjoints[r - lo]
        if code == _ARRAY:
            results.append(storages.final(tape.records[j].out))
        else:
            results.append(0.0 if g is None else g)
    return results


# -------------------------------------------------------------------------------- array rows ---


class Storages:
    """The adjoints, or tangents, of storages, as arrays of ours: what happens to them becomes rows.

    An adjoint is kept as it came until a part of it has to be changed; then it is a copy.
    """

    def __init__(self, tape: Tape, lo: int, first: int) -> None:
        self.tape, self.lo, self.first = tape, lo, first
        self.held: dict[int, object] = {}
        self.own: set[int] = set()

    def wanted(self, root: Place) -> bool:
        return root.number >= self.first or root.written >= self.lo

    def add(self, place: Place, term: object) -> None:
        root = root_of(place)
        if not self.wanted(root):
            return
        term = fitted(term, place)
        if place.root is not None:
            self._add_to_view(place, -term if place.negated else term)
            return
        before = self.held.get(root.number)
        self.held[root.number] = term if before is None else before + term
        self.own.discard(root.number)

    def _add_to_view(self, place: Place, term: object) -> None:
        view = self.view(place)
        if place.stretched == 2:
            buffer = self.buffer(place.root)
            memory = _memory(array.plain_of(buffer)).reshape(-1).view(place.dtype)
            at, step = positions(place), place.root.dtype.itemsize // place.dtype.itemsize
            # Real or imaginary parts alone: the adjoints of these have another sign.
            memory = memory[at.min() % step :: step]
            flat = array.viewed(buffer, memory)
            flat.__iadd__(scattered(term, at // step, memory.shape))
            return
        if place.stretched:
            term, where = unstretched(term, place)
            view = view[where]
        view.__iadd__(term)

    def buffer(self, root: Place) -> object:
        """A storage's adjoint that may be changed in place, laid out as the storage is."""
        held = self.held.get(root.number)
        if root.number in self.own:
            return held
        zeros = array.at_place(*_new_zeros(root))
        if held is not None:
            zeros[...] = held
        self.held[root.number] = zeros
        self.own.add(root.number)
        return zeros

    def view(self, place: Place) -> object:
        """The part of a storage's adjoint that belongs to a place."""
        buffer = self.buffer(root_of(place))
        if place.root is None:
            return buffer
        return array.viewed(buffer, _view_of(array.plain_of(buffer), place))

    def element(self, number: int, offset: int) -> object:
        """One element of a storage's adjoint, as an array without dimensions."""
        root = self.tape.storage(number)
        buffer = self.buffer(root)
        data = array.plain_of(buffer)
        flat = np.ndarray((), float, _memory(data), offset * 8)
        return array.viewed(buffer, flat)

    def final(self, place: Place) -> object:
        held = self.held.get(place.number)
        return np.zeros(place.shape, place.dtype) if held is None else held

    def put(self, place: Place, term: object) -> None:
        """Let a storage's tangent be this."""
        self.own.discard(place.number)
        self.held[place.number] = term

    def take(self, place: Place) -> object:
        self.own.discard(place.number)
        return self.held.pop(place.number, None)


def _new_zeros(root: Place) -> tuple:
    data = zeros_at(root)
    return data, place_of_root(data)


def _memory(data: np.ndarray) -> np.ndarray:
    return data if data.base is None else data.base


def _view_of(data: np.ndarray, place: Place) -> np.ndarray:
    if place.size == 0:
        return data.reshape(-1)[:0].reshape(place.shape)
    return np.ndarray(place.shape, place.dtype, _memory(data), place.address, place.strides)


def fitted(term: object, place: Place) -> object:
    """A term in the shape and dtype of the operand that it belongs to."""
    if type(term) is not Array:
        term = (
            np.asarray(array.plain_of(term))
            if type(term) is not Scalar
            else np.stack([term])[0:1].reshape(())
        )
    if term.dtype.kind == "c" and place.dtype.kind != "c":
        term = np.real(term)
    if term.shape != place.shape:
        term = unbroadcast(term, place)
    return term if term.dtype == place.dtype else term.astype(place.dtype)


def _array_row(tape: Tape, r: int, row: tuple, g: object, storages: Storages, add) -> None:
    """The step over a row of one of the three codes for arrays."""
    code, a, b, value = row
    if code == _ELEMENT:
        if g is not None and storages.wanted(tape.storage(a)):
            view = storages.element(a, b)
            view += g
        return
    if code == _STORE:
        if storages.held.get(b) is not None:
            view = storages.element(b, int(value))
            add(a, view.copy().item())
            view[...] = 0.0
        return
    record = tape.records[a]
    for place, term in _terms(tape, record, r, g, storages):
        if isinstance(place, Place):
            storages.add(place, term)
        elif place is not None:
            term = np.sum(term) if np.ndim(term) else term
            term = np.real(term) if np.iscomplexobj(term) else term
            add(place, term.item() if type(term) is Array else term)


def _terms(tape: Tape, record: Record, r: int, g: object, storages: Storages):
    """The operands of a record with what is to be added to their adjoints."""
    rule, out = record.rule, record.out
    if rule in (INPUT, STOP):
        return
    if isinstance(rule, array.Own) and rule is not COPY:
        yield from _write_terms(record, storages)
        return
    if isinstance(out, tuple):
        g = tuple([storages.take(p) if isinstance(p, Place) else None for p in out])
        if all(x is None for x in g):
            return
        g = tuple(
            [
                np.zeros(p.shape, p.dtype) if x is None and p is not None else x
                for x, p in zip(g, out, strict=True)
            ]
        )
    elif isinstance(out, Place):
        g = storages.take(out)
    if g is None:
        return
    if rule is COPY:
        yield record.ins[0], g
        return
    if type(rule) is Joint:
        terms = rule.pull(g, recorded_sweep(tape, storages.lo, record))
        yield from ((p, x) for p, x in zip(record.ins, terms, strict=True) if x is not None)
        return
    if type(g) is float:
        g = np.float64(g)  # rules ask it for its dtype
    elif type(g) is Scalar:
        g = scalar.as_numpy(g)
    operands = [operand_of(tape, record, k) for k in range(len(record.ins))]
    v = value_of(tape, record, r)
    for i, place in enumerate(record.ins):
        if place is None:
            continue
        if type(rule) is Row:
            partial = rule.partials[i]
            if partial is None:
                continue
            if isinstance(partial, float):
                yield place, g if partial == 1.0 else -g
            else:
                yield place, _array_product(g, partial(*operands, v))
        elif rule.variadic:
            yield place, rule.adjoints(i, g, v, *operands, **record.options)
        else:
            yield place, rule.adjoints[i](g, v, *operands, **record.options)


def _array_product(g: object, p: object) -> object:
    """`product` of the tables, with a quicker look at whether all is finite."""
    t = g * p
    data = array.plain_of(t)
    if kernels.all_finite(data):
        return t
    return product(g, p)


def _write_terms(record: Record, storages: Storages):
    place, source = record.out, record.ins[0]
    if storages.held.get(root_of(place).number) is None:
        return
    view = storages.view(place)
    rule = record.rule
    if rule is ADD_IN:
        term = view.copy()
    elif rule is SUB_IN:
        term = -view
    elif rule is WRITE:
        term = view.copy()
        view[...] = 0.0
    else:
        term = view[record.options["index"]]
        if rule is not ADD_AT:
            view[record.options["index"]] = 0.0
            if record.options["survives"] is not None:
                term = np.where(record.options["survives"], term, 0.0)
    if source is not None:
        yield source, -term if place.negated else term


def recorded_sweep(tape: Tape, lo: int, record: Record) -> Sweep:
    """A recorded sweep as a `Joint` rule sees it."""
    operands = None
    if record.rule.keeps:
        operands = [operand_of(tape, record, k) for k in range(len(record.ins))]
    return Sweep(lo, True, record.options, operands)


def operand_of(tape: Tape, record: Record, k: int) -> object:
    """The k-th operand as it was, tracked if it has a derivative."""
    place, value = record.ins[k], record.kept[k]
    if place is None or type(value) in (Place, Array, Shaped):
        return value
    if isinstance(place, Place):
        x = array.at_place(value, place)
        begin = place.address if place.root is None else place.root.address + place.address
        # What is kept of memory that the program shares is a copy; views of it lie elsewhere.
        return x if address_of(value) == begin else x.copy("K")
    return scalar.at_row(tape, place, float(value), 1 if isinstance(value, np.generic) else 0)


def value_of(tape: Tape, record: Record, r: int) -> object:
    """The value of a record's result, tracked."""
    v, out = record.kept[-1], record.out
    if isinstance(v, (Place, Array)) or v is None:
        return v
    if isinstance(out, tuple):
        return tuple(
            [
                x if p is None or type(x) is Array else array.at_place(x, p)
                for x, p in zip(v, out, strict=True)
            ]
        )
    if isinstance(out, Place):
        return array.at_place(v, out)
    return scalar.at_row(tape, r, float(v), 1 if isinstance(v, np.generic) else 0)
