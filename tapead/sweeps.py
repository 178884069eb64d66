# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Numeric sweeps over rows of a tape: straight walks on floats, nothing recorded.

Every sweep covers the rows lo <= r < hi; what lies before lo is constant to it.  Adjoints and
tangents are arrays whose element 0 belongs to row lo.  A partial or an adjoint that is exactly 0
contributes nothing, even against an infinity or a nan: what the program did not use stays out.
"""

from __future__ import annotations

import cython
import numpy as np

from tapead.elementary import CODES, OPS
from tapead.places import Place, Record
from tapead.sweeps_arrays import Buffers
from tapead.tangents import forward_record
from tapead.tape import Chunk, Tape

if not cython.compiled:
    from tapead.partials import first
    from tapead.sweeps_arrays import reverse_record
    from tapead.tape import BITS, MASK, ROWS, operand

_INPUT = cython.declare(cython.int, CODES["input"])
_ADD = cython.declare(cython.int, CODES["add"])
_SUB = cython.declare(cython.int, CODES["sub"])
_MUL = cython.declare(cython.int, CODES["mul"])
_ARRAY = cython.declare(cython.int, CODES["array"])
_ELEMENT = cython.declare(cython.int, CODES["element"])
_STORE = cython.declare(cython.int, CODES["store"])
_ARITY = np.array([op.arity for op in OPS], np.uint8)


@cython.cfunc
def array_row_back(
    tape: Tape,
    lo: cython.Py_ssize_t,
    r: cython.Py_ssize_t,
    adj: cython.p_double,
    buffers: Buffers | None,
    consume: cython.bint,
) -> cython.int:
    """The reverse sweep's step over row r, whose code is one of the three for arrays."""
    if buffers is None:
        raise RuntimeError("a sweep without adjoints of arrays met an array")
    chunk: Chunk = tape.chunks[r >> BITS]
    i: cython.Py_ssize_t = r & MASK
    code: cython.int = chunk.code[i]
    a: cython.int = chunk.a[i]
    g: cython.double = adj[r - lo]
    if code == _ELEMENT:
        buffers.add_element(a, chunk.b[i], g)
    elif code == _STORE:
        g = buffers.take_element(chunk.b[i], cython.cast(cython.Py_ssize_t, int(chunk.val[i])))
        if g != 0.0 and a >= lo:
            adj[a - lo] += g
    else:
        record: Record = tape.records[a]
        if consume:
            records: list = tape.records
            while len(records) > a:  # rows that were not visited have theirs after it
                records.pop()
        terms = reverse_record(buffers, record, g)
        if terms is None:
            return 0
        for row, term in terms:
            if row >= lo:
                adj[cython.cast(cython.Py_ssize_t, row) - lo] += cython.cast(cython.double, term)
    return 0


@cython.cfunc
@cython.exceptval(check=True)
def walk_back(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    hi: cython.Py_ssize_t,
    adj: cython.p_double,
    buffers: Buffers | None,
    consume: cython.bint,
) -> tuple[cython.Py_ssize_t, cython.Py_ssize_t]:
    """The reverse sweep over begin <= r < hi; adj[0] belongs to row lo <= begin.

    Gives how many rows and edges were visited: rows whose adjoint is 0 are skipped.  `buffers`
    are the adjoints of arrays, None where the segment has none.  `consume` drops the chunks and
    the records that have been swept, so that memory shrinks on the way; the tape is cleared
    afterwards.
    """
    rows: cython.Py_ssize_t = 0
    edges: cython.Py_ssize_t = 0
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    base: cython.Py_ssize_t
    low: cython.Py_ssize_t
    code: cython.int
    a: cython.int
    b: cython.int
    g: cython.double
    p: cython.double
    q: cython.double
    while hi > begin:
        base = ((hi - 1) >> BITS) * ROWS
        low = max(begin, base)
        chunk: Chunk = tape.chunks[base >> BITS]
        for r in range(hi - 1, low - 1, -1):
            g = adj[r - lo]
            if g == 0.0 and (buffers is None or chunk.code[r - base] < _ARRAY):
                continue
            i = r - base
            rows += 1
            a = chunk.a[i]
            b = chunk.b[i]
            code = chunk.code[i]
            if code >= _ARRAY:
                array_row_back(tape, lo, r, adj, buffers, consume)
                continue
            # The partials of what programs mostly do stand here too: no call, no operands of sums.
            if code == _MUL:
                p = operand(tape, b)
                q = operand(tape, a)
            elif code in (_ADD, _SUB):
                p = 1.0
                q = 1.0 if code == _ADD else -1.0
            else:
                p, q = first(code, operand(tape, a), operand(tape, b), chunk.val[i])
            # An unused operand points at row 0, and its partial is 0.
            if p != 0.0 and a >= lo:
                adj[a - lo] += p * g
                edges += 1
            if q != 0.0 and b >= lo:
                adj[b - lo] += q * g
                edges += 1
        hi = low
        if consume:
            tape.drop_from(base >> BITS)
    return rows, edges


def reverse(tape: Tape, lo: cython.Py_ssize_t, adjoint, buffers=None):
    """Turn adjoints of some rows into adjoints of all rows that they depend on, in place.

    Parameters
    ----------
    adjoint : float64 array of the seeds, for the rows from lo on
    buffers : the adjoints of arrays, where the segment has arrays

    Returns
    -------
    (rows, edges) that were visited
    """
    return reverse_part(tape, lo, lo, lo + len(adjoint), adjoint, buffers)


def reverse_part(tape: Tape, lo, begin, hi, adjoint, buffers=None):
    """The part of a reverse sweep that covers begin <= r < hi, in place.

    ``adjoint[0]`` belongs to row lo <= begin.  Gives (rows, edges) that were visited.
    """
    if hi <= begin:
        return 0, 0
    with np.errstate(all="ignore"):
        return reverse_all(tape, lo, begin, hi, adjoint, buffers)


@cython.cfunc
def reverse_all(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    hi: cython.Py_ssize_t,
    adjoint: object,
    buffers: Buffers | None,
) -> object:
    """The reverse sweep over begin <= r < hi, in place."""
    if cython.compiled:
        adj: cython.double[::1] = adjoint
        return walk_back(tape, lo, begin, hi, cython.address(adj[0]), buffers, False)
    numbers = adjoint.tolist()
    visited = walk_back(tape, lo, begin, hi, numbers, buffers, False)
    adjoint[:] = numbers
    return visited


def gradient(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    output: cython.Py_ssize_t,
    consume: cython.bint,
):
    """d row `output` / d each of the rows lo <= r < begin, as a list of floats.

    With `consume` the rows are gone afterwards, or about to be.
    """
    return gradient_with(tape, lo, begin, output, consume, None)


def array_gradient(tape, lo, first_storage, begin, output, consume):
    """As `gradient` for a segment with arrays: a float or an array for each of the inputs.

    `output` is a row, or the place of an array of one element.
    """
    buffers = Buffers(tape, lo, first_storage)
    inputs = input_places(tape, lo, begin)
    row: cython.Py_ssize_t = -1
    if type(output) is Place:
        buffers.seed(output, np.ones(output.shape, output.dtype))
    else:
        row = output
    hi = len(tape)
    with np.errstate(all="ignore"):
        numbers = gradient_with(tape, lo, begin, row, consume, buffers, hi)
    return [
        x if place is None else buffers.final(place)
        for x, place in zip(numbers, inputs, strict=True)
    ]


def pull(tape, lo, first_storage, begin, hi, outputs, seeds):
    """Adjoints of the inputs, the rows lo <= r < begin, by those of outputs: floats and arrays.

    `outputs` are rows or places below row hi; the tape stays as it is.
    """
    buffers = Buffers(tape, lo, first_storage) if tape.storages or tape.records else None
    adjoint = np.zeros(max(hi, begin) - lo)
    for output, seed in zip(outputs, seeds, strict=True):
        if type(output) is Place:
            buffers.seed(output, seed)
        elif output >= lo:
            adjoint[output - lo] += seed
    inputs = input_places(tape, lo, begin)
    with np.errstate(all="ignore"):
        reverse_all(tape, lo, begin, hi, adjoint, buffers)
    return [
        x if place is None else buffers.final(place)
        for x, place in zip(adjoint[: begin - lo].tolist(), inputs, strict=True)
    ]


def push(tape, lo, first_storage, begin, hi, directions, outputs):
    """Tangents of outputs along a direction: a float or an array, for each of the inputs.

    `outputs` are rows or places below row hi.
    """
    buffers = Buffers(tape, lo, first_storage) if tape.storages or tape.records else None
    tangents = np.zeros(max(hi, begin) - lo)
    for r, place in enumerate(input_places(tape, lo, begin)):
        if place is None:
            tangents[r] = directions[r]
        else:
            buffers.made(place.number)[...] = directions[r]
    forward(tape, lo, hi, tangents, buffers)
    results = []
    for output in outputs:
        if type(output) is Place:
            number = output.number if output.root is None else output.root.number
            if buffers.wanted(number):
                buffers.made(number)
                results.append(buffers.view(output))
            else:
                results.append(np.zeros(output.shape, output.dtype))
        else:
            results.append(float(tangents[output - lo]) if output >= lo else 0.0)
    return results


def input_places(tape: Tape, lo, begin):
    """For each of a segment's inputs its place, None for a number."""
    places = []
    for r in range(lo, begin):
        code, a, _, _ = tape.row(r)
        places.append(tape.records[a].out if code == _ARRAY else None)
    return places


@cython.cfunc
def gradient_with(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    output: cython.Py_ssize_t,
    consume: cython.bint,
    buffers: Buffers | None,
    hi: cython.Py_ssize_t = 0,
) -> list:
    """`gradient`, sweeping from row hi - 1, or `output`, down; an output of -1 has no row."""
    hi = max(hi, output + 1)
    size: cython.Py_ssize_t = max(hi, begin) - lo
    if not cython.compiled:
        numbers = [0.0] * size
        if output >= 0:
            numbers[output - lo] = 1.0
        walk_back(tape, lo, begin, hi, numbers, buffers, consume)
        return numbers[: begin - lo]
    # Short ones want no array, long ones want the large pages that NumPy asks for.
    if size > ROWS:
        memory = np.zeros(size)
        view: cython.double[::1] = memory
        return swept(tape, lo, begin, output, consume, buffers, hi, cython.address(view[0]))
    adj: cython.p_double = cython.cast(cython.p_double, calloc(max(size, 1), 8))
    if adj is cython.NULL:
        raise MemoryError(f"no memory for {size} adjoints")
    try:
        return swept(tape, lo, begin, output, consume, buffers, hi, adj)
    finally:
        free(adj)


@cython.cfunc
def swept(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    output: cython.Py_ssize_t,
    consume: cython.bint,
    buffers: Buffers | None,
    hi: cython.Py_ssize_t,
    adj: cython.p_double,
) -> list:
    """`gradient_with` on memory that is there."""
    if output >= 0:
        adj[output - lo] = 1.0
    # The inputs have nothing before them that this gradient asks for.
    walk_back(tape, lo, begin, hi, adj, buffers, consume)
    return [adj[i] for i in range(begin - lo)]


def forward(
    tape: Tape,
    lo: cython.Py_ssize_t,
    hi: cython.Py_ssize_t,
    tangent,
    buffers: Buffers | None = None,
):
    """Turn tangents of some rows into tangents of all rows that depend on them, in place.

    Parameters
    ----------
    tangent : array of hi - lo floats; a row whose operation begins a variable keeps its own
    buffers : the tangents of arrays, where the segment has arrays
    """
    with np.errstate(all="ignore"):
        walk_forward(tape, lo, hi, tangent, buffers)


@cython.cfunc
def walk_forward(
    tape: Tape,
    lo: cython.Py_ssize_t,
    hi: cython.Py_ssize_t,
    tangent: object,
    buffers: Buffers | None,
) -> object:
    """`forward`, without a word of NumPy's about infinities."""
    tan: cython.double[::1] = tangent
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    base: cython.Py_ssize_t
    end: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    s: cython.double
    u: cython.double
    p: cython.double
    q: cython.double
    while lo < hi:
        k = lo >> BITS
        chunk: Chunk = tape.chunks[k]
        base = k << BITS
        end = min(hi, base + ROWS)
        origin: cython.Py_ssize_t = hi - tan.shape[0]
        for r in range(lo, end):
            i = r - base
            if chunk.code[i] >= _ARRAY:
                array_row_forward(tape, origin, r, tan, buffers)
                continue
            a = chunk.a[i]
            b = chunk.b[i]
            s = tan[a - origin] if a >= origin else 0.0
            u = tan[b - origin] if b >= origin else 0.0
            if chunk.code[i] == _INPUT or (s == 0.0 and u == 0.0):
                continue
            p, q = first(chunk.code[i], operand(tape, a), operand(tape, b), chunk.val[i])
            # An unused operand points at row 0, and its partial is 0.
            if p != 0.0 and s != 0.0:
                tan[r - origin] += p * s
            if q != 0.0 and u != 0.0:
                tan[r - origin] += q * u
        lo = end


@cython.cfunc
def array_row_forward(
    tape: Tape,
    origin: cython.Py_ssize_t,
    r: cython.Py_ssize_t,
    tan: cython.double[::1],
    buffers: Buffers | None,
) -> object:
    """The forward sweep's step over row r, whose code is one of the three for arrays."""
    code, a, b, value = tape.row(r)

    def of_row(k):
        return tan[k - origin] if k >= origin else 0.0

    if code == _ELEMENT:
        tan[r - origin] = buffers.element(a, b)
    elif code == _STORE:
        buffers.set_element(b, int(value), of_row(a))
    else:
        tan[r - origin] += forward_record(buffers, tape.records[a], of_row)
    return None


def dependence(
    tape: Tape,
    lo: cython.Py_ssize_t,
    hi: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    first_storage: cython.Py_ssize_t = 0,
):
    """What each row lo <= r < hi depends on, as bits of a byte.

    Bit 0: on the segment's own inputs, the rows lo <= r < begin.  Bit 1: on rows before lo.  The
    inputs themselves are inputs, and depend on what their values were copied from.
    """
    marks = np.zeros(hi - lo, np.uint8)
    mark: cython.uchar[::1] = marks
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    bits: cython.int
    arity: cython.uchar[::1] = _ARITY
    storages: dict = {}
    for r in range(lo, hi):
        chunk: Chunk = tape.chunks[r >> BITS]
        i = r & MASK
        bits = 1 if r < begin else 0
        if chunk.code[i] >= _ARRAY:
            bits |= array_dependence(tape, lo, r, mark, storages, bits, first_storage)
        elif chunk.code[i] != _INPUT:
            a = chunk.a[i]
            b = chunk.b[i] if arity[chunk.code[i]] == 2 else -1
            if a >= 0:
                bits |= mark[a - lo] if a >= lo else 2
            if b >= 0:
                bits |= mark[b - lo] if b >= lo else 2
        mark[r - lo] = bits
    return marks


@cython.cfunc
def array_dependence(
    tape: Tape,
    lo: cython.Py_ssize_t,
    r: cython.Py_ssize_t,
    mark: cython.uchar[::1],
    storages: dict,
    bits: cython.int,
    first_storage: cython.Py_ssize_t,
) -> cython.int:
    """What an array row depends on; storages keep all that was ever written into them."""
    code, a, b, _value = tape.row(r)

    def of(k):
        if k is None:
            return 0
        if type(k) is not Place:
            return (mark[k - lo] if k >= lo else 2) if k >= 0 else 0
        return of_storage(k.number if k.root is None else k.root.number)

    def of_storage(number):
        # One that was there before the segment holds values of before it.
        return storages.get(number, 2 if number < first_storage else 0)

    if code == _ELEMENT:
        return of_storage(a)
    if code == _STORE:
        storages[b] = of_storage(b) | of(a)
        return 0
    record: Record = tape.records[a]
    for k in record.ins:
        bits |= of(k)
    outs = record.out if type(record.out) is tuple else (record.out,)
    for out in outs:
        if type(out) is Place:
            number = out.number if out.root is None else out.root.number
            # A constant that is written counts by what it overwrites.
            bits |= of_storage(number)
            storages[number] = bits
    return bits
