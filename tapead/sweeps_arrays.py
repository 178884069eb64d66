# cython: language_level=3, boundscheck=False, initializedcheck=False
"""Array rows in numeric sweeps: the adjoints of storages, and one record backward or forward.

Adjoints of storages are buffers laid out as the storages are.  A record's result is made by it and
by nobody before it, so when the reverse sweep comes to the record, the result's buffer is complete
and belongs to the sweep: it becomes an operand's adjoint wherever shapes allow that.
"""

from __future__ import annotations

import cython
import numpy as np

from tapead import kernels
from tapead.array import ADD_AT, ADD_IN, COPY, INPUT, STOP, SUB_IN, WRITE, WRITE_AT
from tapead.places import Place, Record, Row, positions, unstretched
from tapead.rules.indexing import add_at
from tapead.rules.table import Joint, Sweep, unbroadcast

if not cython.compiled:
    from tapead.array import plain_of
    from tapead.kernels import add, add_outer, add_times, all_finite, fused, times
    from tapead.kernels import alike as kernels_alike
    from tapead.kernels import simple as kernels_simple
    from tapead.places import adjoint_buffer, flat_memory, view_of
else:
    cnp.import_array()

_ndarray = cython.declare(object, np.ndarray)
_BLOCK = cython.declare(cython.Py_ssize_t, kernels.BLOCK)
_DOUBLE = cython.declare(object, np.dtype(float))
_dot = cython.declare(object, np.dot)


@cython.final
@cython.cclass
class Buffers:
    """Adjoints, or tangents, of the storages that a segment of the tape touches.

    Storages of before the segment belong to a derivative outside.  They are followed only if the
    segment writes into them, because it may read its own values there.
    """

    def __init__(self, tape, lo, first_storage):
        self.tape = tape
        self.lo = lo
        self.first = first_storage
        self.held = [None] * (tape.storage_count - first_storage)
        self.outer = {}
        self.numbers = None

    def wanted(self, number: cython.int) -> cython.bint:
        """Whether a storage is followed at all."""
        if number >= self.first:
            return True
        root: Place = self.tape.storage(number)
        return root.written >= self.lo

    def get(self, number: cython.int):
        """A storage's buffer; None for zeros."""
        if number >= self.first:
            return self.held[number - self.first]
        return self.outer.get(number)

    def put(self, number: cython.int, buffer):
        if number >= self.first:
            self.held[number - self.first] = buffer
        else:
            self.outer[number] = buffer

    def take(self, number: cython.int):
        """A storage's buffer, which is nobody else's from here on."""
        if number >= self.first:
            buffer = self.held[number - self.first]
            self.held[number - self.first] = None
            return buffer
        return self.outer.pop(number, None)

    def made(self, number: cython.int):
        """A storage's buffer, zeros if there was none."""
        buffer = self.get(number)
        if buffer is None:
            buffer = adjoint_buffer(self.tape.storage(number))
            self.put(number, buffer)
        return buffer

    def view(self, p: Place):
        """The part of a place in its storage's buffer, None for zeros; for a view made."""
        if p.root is None:
            return self.get(p.number)
        return view_of(self.made(p.root.number), p)

    def seed(self, p: Place, term):
        """Add to the adjoint of a place: a seed."""
        add_term(self, p, np.asarray(term), False)

    def final(self, p: Place):
        """A place's adjoint as an array of its own, when the sweep is over."""
        buffer = self.take(p.number)
        return np.zeros(p.shape, p.dtype) if buffer is None else buffer

    def add_element(self, number: cython.int, offset: cython.Py_ssize_t, g: cython.double):
        """Add to the adjoint of one element, which was read as a number."""
        if not self.wanted(number):
            return
        buffer = self.made(number)
        if cython.compiled:
            doubles: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(buffer))
            doubles[offset] += g
        else:
            flat_memory(buffer)[offset] += g

    def take_element(self, number: cython.int, offset: cython.Py_ssize_t) -> cython.double:
        """The adjoint of one element, which becomes 0: the element was written."""
        buffer = self.get(number)
        if buffer is None:
            return 0.0
        if cython.compiled:
            doubles: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(buffer))
            g: cython.double = doubles[offset]
            doubles[offset] = 0.0
            return g
        flat = flat_memory(buffer)
        value = float(flat[offset])
        flat[offset] = 0.0
        return value

    def element(self, number: cython.int, offset: cython.Py_ssize_t) -> cython.double:
        """One element's tangent."""
        buffer = self.get(number)
        return 0.0 if buffer is None else flat_memory(buffer)[offset]

    def set_element(self, number: cython.int, offset: cython.Py_ssize_t, t: cython.double):
        """Write one element's tangent."""
        flat_memory(self.made(number))[offset] = t


# ------------------------------------------------------------------------------- backward ---


@cython.cfunc
def add_term(buffers: Buffers, place: object, term: object, owned: cython.bint) -> object:
    """Add a term to the adjoint of an operand; `owned` gives the term's memory away."""
    if type(place) is not Place:
        term = kernels.total(term) if type(term) is _ndarray else term
        return (place, float(term.real))
    p: Place = place
    root: Place = p if p.root is None else p.root
    if not buffers.wanted(root.number):
        return None
    if p.stretched or p.negated:
        return odd_term(buffers, p, term)
    if kernels_simple(term) and p.dtype is _DOUBLE and has_shape(term, p.shape):
        if p.root is not None:
            add(view_of(buffers.made(root.number), p), term)
            return None
        there = buffers.get(root.number)
        if there is not None:
            add(there, term)
            return None
        if p.strides is None:
            buffers.put(root.number, term if owned else copied(term))
            return None
    if type(term) is not _ndarray:
        term = np.asarray(term)
    if term.dtype.kind == "c" and p.dtype.kind != "c":
        term = term.real
        owned = False
    if term.shape != p.shape:
        if len(p.shape) == 0:
            term = np.asarray(np.add.reduce(term, axis=None))
        else:
            term = unbroadcast(term, p)
    if p.root is not None:
        add(view_of(buffers.made(root.number), p), term)
        return None
    buffer = buffers.get(root.number)
    if buffer is not None:
        add(buffer, term)
    elif owned and p.strides is None and term.dtype == p.dtype and term.flags.c_contiguous:
        buffers.put(root.number, term)
    else:
        buffer = np.array(term, p.dtype, order="C") if p.strides is None else adjoint_buffer(p)
        if p.strides is not None:
            buffer[...] = term
        buffers.put(root.number, buffer)
    return None


@cython.cfunc
def odd_term(buffers: Buffers, p: Place, term: object) -> object:
    """`add_term` for a view that has elements at several places, or of imaginary parts."""
    term = np.asarray(term)
    if term.dtype.kind == "c" and p.dtype.kind != "c":
        term = term.real
    term = unbroadcast(term, p)
    if p.negated:
        term = -term
    buffer = buffers.made(p.root.number)
    if p.stretched == 2:
        np.add.at(flat_memory(buffer).view(p.dtype), positions(p), term)
        return None
    view = view_of(buffer, p)
    if p.stretched:
        term, where = unstretched(term, p)
        view = view[where]
    add(view, term)
    return None


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def has_shape(x: object, shape: tuple) -> cython.bint:
    """Whether an array has that shape."""
    if cython.compiled:
        k: cython.int
        nd: cython.int = cnp.PyArray_NDIM(x)
        if nd != len(shape):
            return False
        for k in range(nd):
            if cnp.PyArray_DIM(x, k) != cython.cast(cython.Py_ssize_t, shape[k]):
                return False
        return True
    return x.shape == shape


@cython.cfunc
def copied(x: object) -> object:
    """A copy of an array of doubles in C order."""
    if cython.compiled:
        return cnp.PyArray_NewCopy(x, cnp.NPY_CORDER)
    return x.copy()


def reverse_record(buffers: Buffers, record: Record, g: cython.double):
    """One array row of the reverse sweep; g is its own adjoint where the result is a number.

    Gives what is to be added to the adjoints of rows, as pairs (row, term); None for nothing.
    """
    rule = record.rule
    if type(rule) is Row:
        return reverse_elementwise(buffers, record, g)
    if rule is WRITE or rule is ADD_IN or rule is SUB_IN or rule is WRITE_AT or rule is ADD_AT:
        return reverse_write(buffers, record)
    if rule is COPY:
        taken = buffers.take(cython.cast(Place, record.out).number)
        return None if taken is None else pairs(add_term(buffers, record.ins[0], taken, True))
    if rule is INPUT or rule is STOP:
        return None
    if type(rule) is Joint:
        return reverse_joint(buffers, record)
    return reverse_rule(buffers, record, g)


@cython.cfunc
def pairs(term: object) -> object:
    return None if term is None else (term,)


@cython.cfunc
def adjoint_of(buffers: Buffers, out: object, g: cython.double) -> object:
    """The adjoint of a record's result, taken out of the buffers; None for zeros."""
    if type(out) is Place:
        return buffers.take(cython.cast(Place, out).number)
    if type(out) is tuple:
        parts = [buffers.take(p.number) if type(p) is Place else None for p in out]
        if all(x is None for x in parts):
            return None
        return tuple(
            [
                np.zeros(p.shape, p.dtype) if x is None and type(p) is Place else x
                for p, x in zip(out, parts)
            ]
        )
    return np.float64(g) if g != 0.0 else None


def numeric_sweep(lo, record):
    """A numeric sweep as a `Joint` rule sees it."""
    operands = [plain_of(x) for x in record.kept[:-1]] if record.rule.keeps else None
    return Sweep(lo, False, record.options, operands)


def reverse_joint(buffers: Buffers, record: Record):
    """The record of a `Joint` rule: all operands' adjoints at once."""
    g = adjoint_of(buffers, record.out, 0.0)
    if g is None or not any_nonzero(g):
        return None
    terms: list = []
    adjoints = record.rule.pull(g, numeric_sweep(buffers.lo, record))
    for place, term in zip(record.ins, adjoints, strict=True):
        if place is not None and term is not None:
            given = add_term(buffers, place, np.asarray(term), False)
            if given is not None:
                terms.append(given)
    return terms


def reverse_rule(buffers: Buffers, record: Record, adjoint: cython.double):
    """The record of a `Rule`."""
    g = adjoint_of(buffers, record.out, adjoint)
    if g is None or not any_nonzero(g):
        return None
    rule = record.rule
    kept = [plain_of(x) for x in record.kept]
    v = kept.pop()
    if type(v) is tuple:
        v = tuple([plain_of(x) for x in v])
    options = record.options
    terms: object = None
    for i in range(len(record.ins)):
        place = record.ins[i]
        if place is None:
            continue
        term = None
        if rule.outer:
            if i == 0 and outer_term(buffers, place, g, kept[1]):
                continue
            term = multiplied_by(place, g, kept[1 - i], i)
        elif rule.gathers and scattered(buffers, place, g, options["index"]):
            continue
        if term is not None:
            pass
        elif rule.variadic:
            term = rule.adjoints(i, g, v, *kept, **options)
        else:
            term = rule.adjoints[i](g, v, *kept, **options)
        given = add_term(buffers, place, term, fresh_term(term))
        if given is not None:
            terms = (given,) if terms is None else (*terms, given)
    return terms


@cython.cfunc
def outer_term(buffers: Buffers, place: object, g: object, x: object) -> cython.bint:
    """Add the outer product of g and x to a matrix's adjoint; False if they are no vectors."""
    if type(place) is not Place or not (kernels_simple(g) and kernels_simple(x)):
        return False
    p: Place = place
    if (
        len(p.shape) != 2
        or len(g.shape) != 1
        or len(x.shape) != 1
        or p.dtype is not _DOUBLE
        or p.stretched
        or p.negated
    ):
        return False
    root: Place = p if p.root is None else p.root
    if buffers.wanted(root.number):
        buffers.made(root.number)
        add_outer(buffers.view(p), g, x)
    return True


@cython.cfunc
def multiplied_by(place: object, g: object, x: object, i: cython.int) -> object:
    """The adjoint of the i-th factor of a product of vectors and matrices, of which x is the other
    one; None where the rule is to be asked."""
    if not cython.compiled or type(place) is not Place or not kernels_simple(x):
        return None
    ndim: cython.Py_ssize_t = len(cython.cast(Place, place).shape)
    if type(g) is not _ndarray:
        return times(x, float(g), None) if ndim == 1 and cnp.PyArray_NDIM(x) == 1 else None
    if not kernels_simple(g) or cnp.PyArray_NDIM(x) != 2 or cnp.PyArray_NDIM(g) != ndim:
        return None
    if ndim == 2:
        term = _dot(x.T, g) if i == 1 else _dot(g, x.T)
    elif ndim == 1:
        term = _dot(g, x) if i == 1 else _dot(x, g)
    else:
        return None
    return term if all_finite(term) else None


@cython.cfunc
def scattered(buffers: Buffers, place: object, g: object, index: object) -> cython.bint:
    """Add g to an operand's adjoint at an index; False where the rule is to be asked."""
    if type(place) is not Place or type(g) is not _ndarray:
        return False
    p: Place = place
    root: Place = p if p.root is None else p.root
    if p.stretched or p.negated or g.dtype is not p.dtype:
        return False
    if buffers.wanted(root.number):
        buffers.made(root.number)
        add_at(buffers.view(p), index, g)
    return True


@cython.cfunc
@cython.inline
def fresh_term(term: object) -> cython.bint:
    """Whether nobody but the caller's one variable holds an array: a rule has just made it."""
    if cython.compiled:
        # The variable and this argument.
        return (
            type(term) is _ndarray
            and Py_REFCNT(term) <= 1
            and cnp.PyArray_CHKFLAGS(term, cnp.NPY_ARRAY_OWNDATA)
        )
    return False


@cython.cfunc
def any_nonzero(g: object) -> cython.bint:
    """Whether an adjoint has an element that is not 0."""
    if type(g) is tuple:
        for part in g:
            if part is not None and np.any(part):
                return True
        return False
    if type(g) is not _ndarray:
        return True  # a number's adjoint that is 0 does not get here
    if cython.compiled:
        if kernels_simple(g):
            n: cython.Py_ssize_t = cnp.PyArray_SIZE(g)
            i: cython.Py_ssize_t
            p: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(g))
            for i in range(n):
                if p[i] != 0.0:
                    return True
            return False
    return bool(np.any(g))


def reverse_elementwise(buffers: Buffers, record: Record, adjoint: cython.double):
    """The record of a ufunc: adjoint times partial, for each operand."""
    g = adjoint_of(buffers, record.out, adjoint)
    if g is None:
        return None
    row: Row = record.rule
    ins: tuple = record.ins
    last: cython.int = len(ins) - 1
    while last >= 0 and ins[last] is None:
        last -= 1
    terms: object = None
    kept: list = None
    i: cython.int
    for i in range(last + 1):
        place = ins[i]
        if place is None:
            continue
        partial = row.partials[i]
        if partial is None:
            continue
        if type(partial) is float:
            given = signed_term(buffers, place, g, partial, i == last)
        elif row.multiplies:
            factor = plain_of(record.kept[1 - i])
            given = factor_term(buffers, place, g, factor, i == last)
        else:
            if kept is None:
                kept = [plain_of(x) for x in record.kept]
            if row.fused is not None and fused_term(buffers, place, g, row, i, kept, i == last):
                continue
            given = partial_term(buffers, place, g, partial, kept, i == last)
        if given is not None:
            terms = (given,) if terms is None else (*terms, given)
    return terms


@cython.cfunc
def signed_term(
    buffers: Buffers, place: object, g: object, sign: object, last: cython.bint
) -> object:
    """Add g, or -g, to an operand's adjoint; `last` lets g be used up."""
    if sign == 1.0:
        return add_term(buffers, place, g, last)
    if type(g) is not _ndarray:
        return add_term(buffers, place, -g, False)
    return add_term(buffers, place, times(g, -1.0, g if last else None), True)


@cython.cfunc
def fused_term(
    buffers: Buffers,
    place: object,
    g: object,
    row: Row,
    i: cython.int,
    kept: list,
    last: cython.bint,
) -> cython.bint:
    """`partial_term` by a loop in C; whether there is one for all this."""
    if not cython.compiled or type(place) is not Place or not kernels_simple(g):
        return False
    p: Place = place
    root: Place = p if p.root is None else p.root
    if p.dtype is not _DOUBLE or p.stretched or p.negated or not has_shape(g, p.shape):
        return False
    if not buffers.wanted(root.number):
        return True
    code, reads = row.fused[i]
    there = buffers.view(p)
    if there is not None:
        return fused(code, reads, g, kept, there, True)
    if p.strides is not None:
        return False
    out = (
        g
        if last
        else cnp.PyArray_EMPTY(cnp.PyArray_NDIM(g), cnp.PyArray_DIMS(g), cnp.NPY_DOUBLE, 0)
    )
    if not fused(code, reads, g, kept, out, False):
        return False
    buffers.put(root.number, out)
    return True


@cython.cfunc
def partial_term(
    buffers: Buffers, place: object, g: object, partial: object, kept: list, last: cython.bint
) -> object:
    """Add g times a partial derivative to an operand's adjoint; `last` lets g be used up."""
    if type(g) is not _ndarray:
        return add_term(buffers, place, kernels.product(g, partial(*kept)), False)
    if (
        cnp_size(g) > 2 * _BLOCK
        and type(place) is Place
        and not cython.cast(Place, place).stretched
        and not cython.cast(Place, place).negated
        and g.shape == cython.cast(Place, place).shape
        and divisible(g, kept)
    ):
        return in_blocks(buffers, place, g, partial, kept, last)
    p = partial(kept[0], kept[1]) if len(kept) == 2 else partial(*kept)
    return factor_term(buffers, place, g, p, last)


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def cnp_size(x: object) -> cython.Py_ssize_t:
    if cython.compiled:
        return cnp.PyArray_SIZE(x)
    return x.size


@cython.cfunc
def factor_term(buffers: Buffers, place: object, g: object, p: object, last: cython.bint) -> object:
    """Add g times p to an operand's adjoint; `last` lets g be used up."""
    if type(g) is not _ndarray:
        return add_term(buffers, place, kernels.product(g, p), False)
    quick: cython.bint = type(p) is float or kernels_alike(g, p)
    if not quick and g.dtype is _DOUBLE:
        if type(p) is not _ndarray or (p.dtype is _DOUBLE and p.ndim == 0):
            p = float(p) if not isinstance(p, complex) else p
            quick = type(p) is float
    if type(place) is Place and type(p) is not complex:
        q: Place = place
        root: Place = q if q.root is None else q.root
        if not buffers.wanted(root.number):
            return None
        if (
            q.dtype is _DOUBLE
            and not q.stretched
            and not q.negated
            and kernels_simple(g)
            and has_shape(g, q.shape)
        ):
            there = buffers.view(q)
            if there is not None and quick:
                add_times(there, g, p)
                return None
    fits = last and (quick or (type(p) is _ndarray and p.dtype is g.dtype and p.shape == g.shape))
    return add_term(buffers, place, times(g, p, g if fits else None), True)


@cython.cfunc
def divisible(g: object, kept: list) -> cython.bint:
    """Whether an operation can be done on pieces of flat arrays."""
    if not (g.flags.c_contiguous and g.dtype == np.float64):
        return False
    for x in kept:
        if type(x) is _ndarray and x.ndim:
            if x.shape != g.shape or not x.flags.c_contiguous or x.dtype != np.float64:
                return False
    return True


@cython.cfunc
def in_blocks(
    buffers: Buffers, place: Place, g: object, partial: object, kept: list, last: cython.bint
) -> object:
    """As `partial_term`, for large arrays: a block at a time, in no memory but the adjoints'."""
    root: Place = place if place.root is None else place.root
    if not buffers.wanted(root.number):
        return None
    buffer = buffers.view(place)
    if buffer is not None and not buffer.flags.c_contiguous:
        return add_term(buffers, place, times(g, partial(*kept), g if last else None), True)
    out = None
    if buffer is None:
        out = g if last else np.empty(g.shape)
    flat = [x.reshape(-1) if type(x) is _ndarray and x.ndim else x for x in kept]
    gs = g.reshape(-1)
    target = (out if buffer is None else buffer).reshape(-1)
    n: cython.Py_ssize_t = g.size
    at: cython.Py_ssize_t = 0
    while at < n:
        part = slice(at, min(n, at + _BLOCK))
        p = partial(*[x[part] if type(x) is _ndarray and x.ndim else x for x in flat])
        if buffer is None:
            times(gs[part], p, target[part])
        else:
            add_times(target[part], gs[part], p)
        at += _BLOCK
    if buffer is None:
        return add_term(buffers, place, out, True)
    return None


def reverse_negated(buffers, record, view):
    """`reverse_write` into imaginary parts, whose adjoint is minus what lies there."""
    rule = record.rule
    at = record.options["index"] if rule in (WRITE_AT, ADD_AT) else ...
    g = -view[at]
    if rule in (WRITE, WRITE_AT):
        view[at] = 0
    if rule is WRITE_AT and record.options["survives"] is not None:
        g = np.where(record.options["survives"], g, 0.0)
    return pairs(add_term(buffers, record.ins[0], -g if rule is SUB_IN else g, True))


@cython.cfunc
def reverse_write(buffers: Buffers, record: Record) -> object:
    """The record of a write: what was written takes the adjoint; what was there before has none."""
    place: Place = record.out
    root: Place = place if place.root is None else place.root
    buffer = buffers.get(root.number)
    if buffer is None:
        return None
    view = view_of(buffer, place)
    rule = record.rule
    source = record.ins[0]
    if place.negated and source is not None:
        return reverse_negated(buffers, record, view)
    if rule is ADD_IN:
        return None if source is None else pairs(add_term(buffers, source, view, False))
    if rule is SUB_IN:
        return None if source is None else pairs(add_term(buffers, source, np.negative(view), True))
    if rule is ADD_AT:
        return (
            None
            if source is None
            else pairs(add_term(buffers, source, view[record.options["index"]], True))
        )
    if rule is WRITE:
        g = view.copy() if source is not None else None
        view[...] = 0
    else:
        index = record.options["index"]
        g = view[index] if source is not None else None
        view[index] = 0
        if g is not None and record.options["survives"] is not None:
            g = np.where(record.options["survives"], g, np.zeros((), g.dtype))
    if source is None:
        return None
    return pairs(add_term(buffers, source, g, True))
