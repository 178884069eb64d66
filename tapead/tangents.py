"""Tangents of array operations: of their values, and of what writes do.

One function for all that goes forward: sweeps over the records of a tape, sweeps that are
themselves recorded, and forward mode, where arrays carry their tangents.
"""

from __future__ import annotations

import numpy as np

from tapead import array, kernels
from tapead.array import ADD_AT, ADD_IN, COPY, SUB_IN, WRITE, Own, plain_of
from tapead.places import Place, Row, view_at
from tapead.rules.table import LINEAR, Joint
from tapead.sweeps_arrays import numeric_sweep

# Writes that add to what is there, and leave it where there is nothing to add.
ADDING = (ADD_IN, SUB_IN, ADD_AT)


def tangent(rule, tangents, operands, v, options, product=kernels.product, linear=None):
    """The tangent of a rule's value by the operands' tangents, None for zeros.

    `product` multiplies by partials, and ``linear(rule, operands, options)`` is a rule's function:
    numeric ones unless others are given.
    """
    linear = _function if linear is None else linear
    total = None
    for i, t in enumerate(tangents):
        if t is None:
            continue
        term = _term(rule, i, t, operands, v, options, product, linear)
        if term is None:
            continue
        if total is None:
            total = term
        elif type(total) is tuple:
            total = tuple(a + b for a, b in zip(total, term, strict=True))
        else:
            total = total + term
    if total is not None:
        return total
    if isinstance(v, tuple):
        return tuple(_zeros(part) for part in v)
    return _zeros(v)


def _zeros(v):
    return np.zeros(np.shape(v), getattr(v, "dtype", float))


def _function(rule, operands, options):
    return rule.function(*operands, **options)


def _term(rule, i, t, operands, v, options, product, linear):
    """What the tangent of the i-th operand adds to the value's; None for nothing."""
    if type(rule) is Row:
        partial = rule.partials[i]
        if partial is None:
            return None
        return product(t, partial if type(partial) is float else partial(*operands, v))
    if rule.variadic:
        if rule.tangents is LINEAR:
            given = [t if k == i else np.zeros(x.shape, x.dtype) for k, x in enumerate(operands)]
            return linear(rule, (given,) if linear is _function else tuple(given), options)
        return rule.tangents(i, t, v, *operands, **options)
    if rule.tangents[i] is LINEAR:
        given = tuple([t if k == i else x for k, x in enumerate(operands)])
        return linear(rule, given, options)
    return rule.tangents[i](t, v, *operands, **options)


def overwrite(view, own, t, options):
    """What a write does to the tangent of what it writes into; t is that of what is written, None
    for zeros."""
    if own is ADD_IN:
        view += t
    elif own is SUB_IN:
        view -= t
    elif own is ADD_AT:
        np.add.at(view, options["index"], t)
    elif own is WRITE:
        view[...] = 0 if t is None else t
    else:
        view[options["index"]] = 0 if t is None else t


# ------------------------------------------------------------------- sweeps over the records ---


def _is_simple(out):
    """Whether a result is an array of doubles: a tangent may be real where it is complex."""
    return type(out) is Place and out.strides is None and out.dtype == np.float64


def forward_record(buffers, record, tangent_of_row):
    """One array row of the forward sweep; gives the row's own tangent, where it is a number."""
    rule = record.rule
    if isinstance(rule, Own) and rule is not COPY:
        if record.ins and rule not in (array.INPUT, array.STOP):
            forward_write(buffers, record, tangent_of_row)
        return 0.0
    tangents = [_tangent(buffers, place, tangent_of_row) for place in record.ins]
    if all(t is None for t in tangents):
        return 0.0
    if rule is COPY:
        result = np.array(tangents[0], order="K")
    elif type(rule) is Joint:
        result = rule.push(tangents, numeric_sweep(buffers.lo, record))
    else:
        kept = [plain_of(x) for x in record.kept]
        v = kept.pop()
        if type(rule) is Row and _is_simple(record.out):
            # Where the value is not kept, only its shape counts: any such array does for it.
            like = v if type(v) is np.ndarray else _like(tangents, record.out)
            result = None if like is None else array.quick_tangent(rule, tangents, kept, like)
            if result is not None:
                buffers.put(record.out.number, result)
                return 0.0
        v = tuple([plain_of(x) for x in v]) if type(v) is tuple else v
        result = tangent(rule, tangents, kept, v, record.options)
    if type(record.out) is tuple:
        for place, part in zip(record.out, result, strict=True):
            if type(place) is Place and part is not None:
                _put(buffers, place, part)
        return 0.0
    if type(record.out) is Place:
        _put(buffers, record.out, result)
        return 0.0
    return float(np.real(result))


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


def _like(tangents, place):
    """A tangent of the shape of a place, None if there is none."""
    for t in tangents:
        if type(t) is np.ndarray and t.shape == place.shape:
            return t
    return None


def _put(buffers, place, tangent):
    buffer = buffers.made(place.number)
    buffer[...] = tangent if buffer.dtype.kind == "c" else np.real(tangent)


def forward_write(buffers, record, tangent_of_row):
    """The record of a write."""
    place = record.out
    root = place if place.root is None else place.root
    t = _tangent(buffers, record.ins[0], tangent_of_row)
    if t is None and (record.rule in ADDING or buffers.get(root.number) is None):
        return
    buffers.made(root.number)
    overwrite(buffers.view(place), record.rule, t, record.options)


# ------------------------------------------------------------------------------ forward mode ---


def of(rule, tangents, operands, value, options):
    """The tangent of an operation's value, in forward mode."""
    if rule is COPY:
        return tangents[0].copy()
    with np.errstate(all="ignore"):
        return tangent(rule, tangents, operands, value, options or {})


def write(own, place, t, options):
    """Write, in forward mode, into the tangent of the storage that a place lies in."""
    if t is None and own in ADDING:
        return
    root = place if place.root is None else place.root
    overwrite(root.tangent if place.root is None else view_at(root.tangent, place), own, t, options)
