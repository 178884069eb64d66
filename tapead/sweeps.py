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
from tapead.tape import Chunk, Tape

if not cython.compiled:
    from tapead.partials import first
    from tapead.tape import BITS, MASK, ROWS

_INPUT = cython.declare(cython.int, CODES["input"])
_ADD = cython.declare(cython.int, CODES["add"])
_SUB = cython.declare(cython.int, CODES["sub"])
_MUL = cython.declare(cython.int, CODES["mul"])
_ARITY = np.array([op.arity for op in OPS], np.uint8)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def operand(tape: Tape, k: cython.int) -> cython.double:
    """The value of operand k: row k, or constant -1 - k."""
    if k >= 0:
        return tape.val_at[k >> BITS][k & MASK]
    return tape.const_at[(-1 - k) >> BITS][(-1 - k) & MASK]


@cython.cfunc
@cython.exceptval(check=False)
def walk_back(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    hi: cython.Py_ssize_t,
    adj: cython.p_double,
    consume: cython.bint,
) -> tuple[cython.Py_ssize_t, cython.Py_ssize_t]:
    """The reverse sweep over begin <= r < hi; adj[0] belongs to row lo <= begin.

    Gives how many rows and edges were visited: rows whose adjoint is 0 are skipped.  `consume`
    drops the chunks that have been swept, so that memory shrinks on the way; the tape is cleared
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
            if g == 0.0:
                continue
            i = r - base
            rows += 1
            a = chunk.a[i]
            b = chunk.b[i]
            code = chunk.code[i]
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


def reverse(tape: Tape, lo: cython.Py_ssize_t, adjoint):
    """Turn adjoints of some rows into adjoints of all rows that they depend on, in place.

    Parameters
    ----------
    adjoint : float64 array of the seeds, for the rows from lo on

    Returns
    -------
    (rows, edges) that were visited
    """
    hi: cython.Py_ssize_t = lo + len(adjoint)
    if hi == lo:
        return 0, 0
    if cython.compiled:
        adj: cython.double[::1] = adjoint
        return walk_back(tape, lo, lo, hi, cython.address(adj[0]), False)
    numbers = adjoint.tolist()
    visited = walk_back(tape, lo, lo, hi, numbers, False)
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
    size: cython.Py_ssize_t = max(output + 1, begin) - lo
    if not cython.compiled:
        numbers = [0.0] * size
        numbers[output - lo] = 1.0
        walk_back(tape, lo, begin, output + 1, numbers, consume)
        return numbers[: begin - lo]
    # Short ones want no array, long ones want the large pages that NumPy asks for.
    if size > ROWS:
        memory = np.zeros(size)
        view: cython.double[::1] = memory
        return swept(tape, lo, begin, output, consume, cython.address(view[0]))
    adj: cython.p_double = cython.cast(cython.p_double, calloc(size, 8))
    if adj is cython.NULL:
        raise MemoryError(f"no memory for {size} adjoints")
    try:
        return swept(tape, lo, begin, output, consume, adj)
    finally:
        free(adj)


@cython.cfunc
def swept(
    tape: Tape,
    lo: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    output: cython.Py_ssize_t,
    consume: cython.bint,
    adj: cython.p_double,
) -> list:
    """`gradient` on memory that is there."""
    adj[output - lo] = 1.0
    # The inputs have nothing before them that this gradient asks for.
    walk_back(tape, lo, begin, output + 1, adj, consume)
    return [adj[i] for i in range(begin - lo)]


def forward(tape: Tape, lo: cython.Py_ssize_t, hi: cython.Py_ssize_t, tangent):
    """Turn tangents of some rows into tangents of all rows that depend on them, in place.

    Parameters
    ----------
    tangent : array of hi - lo floats; a row whose operation begins a variable keeps its own
    """
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


def dependence(tape: Tape, lo: cython.Py_ssize_t, hi: cython.Py_ssize_t, begin: cython.Py_ssize_t):
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
    for r in range(lo, hi):
        chunk: Chunk = tape.chunks[r >> BITS]
        i = r & MASK
        bits = 1 if r < begin else 0
        if chunk.code[i] != _INPUT:
            a = chunk.a[i]
            b = chunk.b[i] if arity[chunk.code[i]] == 2 else -1
            if a >= 0:
                bits |= mark[a - lo] if a >= lo else 2
            if b >= 0:
                bits |= mark[b - lo] if b >= lo else 2
        mark[r - lo] = bits
    return marks
