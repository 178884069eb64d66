"""Array rows in forward sweeps: the tangents of storages, one record at a time."""

from __future__ import annotations

import numpy as np

from tapead import kernels
from tapead.array import ADD_AT, ADD_IN, COPY, INPUT, STOP, SUB_IN, WRITE, WRITE_AT, plain_of
from tapead.places import Place, Row
from tapead.rules.table import LINEAR


def forward_record(buffers, record, tangent_of_row):
    """One array row of the forward sweep; gives the row's own tangent, where it is a number."""
    rule = record.rule
    if rule in (INPUT, STOP):
        return 0.0
    if rule in (WRITE, WRITE_AT, ADD_IN, SUB_IN, ADD_AT):
        forward_write(buffers, record, tangent_of_row)
        return 0.0
    tangents = [_tangent(buffers, place, tangent_of_row) for place in record.ins]
    if all(t is None for t in tangents):
        return 0.0
    if rule is COPY:
        result = np.array(tangents[0], order="K")
    else:
        kept = [plain_of(x) for x in record.kept]
        v = kept.pop()
        v = tuple([plain_of(x) for x in v]) if type(v) is tuple else v
        result = tangent(rule, tangents, kept, v, record.options)
    if type(record.out) is tuple:
        for place, part in zip(record.out, result, strict=True):
            if type(place) is Place:
                _put(buffers, place, part)
        return 0.0
    if type(record.out) is Place:
        _put(buffers, record.out, result)
        return 0.0
    return float(np.real(result))


def tangent(rule, tangents, operands, v, options):
    """The tangent of a rule's value by the operands' tangents, None for zeros."""
    total = None
    for i, t in enumerate(tangents):
        if t is None:
            continue
        if type(rule) is Row:
            partial = rule.partials[i]
            if partial is None:
                continue
            term = kernels.product(t, partial if type(partial) is float else partial(*operands, v))
        elif rule.variadic:
            term = _variadic(rule, i, t, operands, v, options)
        elif rule.tangents[i] is LINEAR:
            given = [t if k == i else x for k, x in enumerate(operands)]
            term = rule.function(*given, **options)
        else:
            term = rule.tangents[i](t, v, *operands, **options)
        if total is None:
            total = term
        elif type(total) is tuple:
            total = tuple(a + b for a, b in zip(total, term, strict=True))
        else:
            total = total + term
    if total is None:
        return np.zeros(np.shape(v), getattr(v, "dtype", float))
    return total


def _variadic(rule, i, t, operands, v, options):
    if rule.tangents is LINEAR:
        given = [t if k == i else np.zeros(x.shape, x.dtype) for k, x in enumerate(operands)]
        return rule.function(given, **options)
    return rule.tangents(i, t, v, *operands, **options)


def _tangent(buffers, place, tangent_of_row):
    """An operand's tangent, None for zeros."""
    if place is None:
        return None
    if type(place) is not Place:
        t = tangent_of_row(place)
        return None if t == 0.0 else np.float64(t)
    root = place if place.root is None else place.root
    if buffers.get(root.number) is None:
        return None
    return buffers.view(place)


def _put(buffers, place, tangent):
    buffer = buffers.made(place.number)
    buffer[...] = tangent if buffer.dtype.kind == "c" else np.real(tangent)


def forward_write(buffers, record, tangent_of_row):
    place = record.out
    root = place if place.root is None else place.root
    t = _tangent(buffers, record.ins[0], tangent_of_row)
    if t is None and (record.rule in (ADD_IN, SUB_IN, ADD_AT) or buffers.get(root.number) is None):
        return
    buffers.made(root.number)
    view = buffers.view(place)
    if record.rule is ADD_IN:
        view += t
    elif record.rule is SUB_IN:
        view -= t
    elif record.rule is ADD_AT:
        np.add.at(view, record.options["index"], t)
    elif record.rule is WRITE:
        view[...] = 0 if t is None else t
    else:
        view[record.options["index"]] = 0 if t is None else t
