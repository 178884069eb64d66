# cython: language_level=3, boundscheck=False, initializedcheck=False
# cython: cdivision=True
"""Sweeps over rows in several directions at once, and sweeps of second order.

A *lane* is one direction, or one seed.  Each row has as many numbers as there are lanes, side by
side, so that the partials of a row are computed once for all of them.

These sweeps know numbers, and arrays whose elements are read, written and moved one by one: the
elements of a storage have *slots* behind those of the rows.  `layout` says whether that is all that
a segment does.
"""

from __future__ import annotations

import itertools

import cython
import numpy as np

from tapead.array import COPY, INPUT, STOP, WRITE
from tapead.elementary import CODES
from tapead.places import Place, positions, root_of
from tapead.rules.joining import CONCATENATE, STACK
from tapead.tape import Chunk, Tape

if not cython.compiled:
    from math import isfinite

    from tapead.partials import first, second
    from tapead.tape import BITS, MASK, operand

_INPUT = cython.declare(cython.int, CODES["input"])
_ADD = cython.declare(cython.int, CODES["add"])
_SUB = cython.declare(cython.int, CODES["sub"])
_MUL = cython.declare(cython.int, CODES["mul"])
_ARRAY = cython.declare(cython.int, CODES["array"])
_ELEMENT = cython.declare(cython.int, CODES["element"])
_STORE = cython.declare(cython.int, CODES["store"])

# Bytes of lanes that a sweep takes at most, unless one lane is more already.
_ROOM = 1 << 27
_MOST_LANES = 8


class Layout:
    """Where rows and the elements of arrays have their numbers, in a segment lo <= r < hi.

    size : slots in all: a row's is its number less lo, those of storages follow
    bases : the first slot of each storage of the segment
    moves : for array rows that move elements the slots they go to and come from, -1 for a constant
    """

    if not cython.compiled:
        __slots__ = ("bases", "first", "hi", "lo", "moves", "size", "tape")

    def __init__(self, tape, lo, first, hi, size, bases, moves):
        self.tape = tape
        self.lo = lo
        self.hi = hi
        self.first = first
        self.size = size
        self.bases = bases
        self.moves = moves

    def slots(self, at):
        """The slots of a row or a place, in the order of its elements; -1 for None."""
        if at is None:
            return np.array([-1])
        if type(at) is not Place:
            return np.array([at - self.lo if at >= self.lo else -1])
        return (places_in(at) + self.bases[root_of(at).number - self.first]).reshape(-1)


def places_in(place):
    """For each element of a place its position in the storage, counted in memory."""
    if place.root is not None:
        return positions(place)
    order = np.arange(place.size)
    if place.strides is None:
        return order
    return np.ndarray(place.shape, int, order, 0, place.strides)


def layout(tape, lo, first_storage, hi):
    """The layout of a segment; None where it does more than these sweeps know."""
    storages = tape.storages[first_storage - tape.base :]
    if any(root.dtype != np.float64 for root in storages):
        return None
    sizes = [root.size for root in storages]
    bases = list(itertools.accumulate(sizes, initial=hi - lo))
    starts = np.array(bases[:-1], np.intp) if cython.compiled else bases[:-1]
    made = Layout(tape, lo, first_storage, hi, bases[-1], starts, {})
    for k, record in enumerate(tape.records):
        if record.rule is INPUT or record.rule is STOP:
            continue
        move = _move(made, record)
        if move is None:
            return None
        made.moves[k] = move
    return made


def _move(made, record):
    """The slots that a record moves elements to and from; None if it does anything else."""
    rule, options = record.rule, record.options
    if rule is COPY or rule is WRITE:
        (source,) = record.ins
        if type(source) is Place and source.shape != record.out.shape:
            return None
        if type(source) is int and record.out.size != 1:
            return None
    elif rule is STACK:
        if record.out.ndim != 1 or options["dtype"] is not None:
            return None
    elif rule is CONCATENATE:
        if record.out.ndim != 1:
            return None
    else:
        return None
    places = (*record.ins, record.out)
    for p in places:
        if type(p) is Place and (p.dtype != np.float64 or p.stretched or p.negated):
            return None
        if type(p) is Place and root_of(p).number < made.first:
            return None
    to = made.slots(record.out)
    if record.ins == (None,):
        return to, np.full(len(to), -1)
    sources = [
        np.full(kept.size, -1) if p is None and kept is not None else made.slots(p)
        for p, kept in zip(record.ins, record.kept[:-1] or (None,), strict=True)
    ]
    source = np.concatenate(sources)
    return (to, source) if len(to) == len(source) else None


# -------------------------------------------------------------------------------- memory ---


def _memory(n):
    """n zeros: an array, and interpreted a list, which has Python's floats."""
    return np.zeros(n) if cython.compiled else [0.0] * n


def _taken(memory, slots, lanes):
    """The numbers of some slots, a row each."""
    if cython.compiled:
        return memory.reshape(-1, lanes)[slots]
    return np.array([memory[s * lanes : (s + 1) * lanes] for s in slots]).reshape(-1, lanes)


def lanes_for(made, count, copies):
    """How many lanes to sweep at once."""
    room = _ROOM // (8 * copies * max(1, made.size))
    return max(1, min(_MOST_LANES, room, count))


@cython.cfunc
@cython.inline
def slopes(
    tape: Tape, code: cython.int, a: cython.int, b: cython.int, v: cython.double
) -> tuple[cython.double, cython.double]:
    """The partials of a row; those of what programs mostly do without a call."""
    if code == _MUL:
        return operand(tape, b), operand(tape, a)
    if code == _ADD:
        return 1.0, 1.0
    if code == _SUB:
        return 1.0, -1.0
    return first(code, operand(tape, a), operand(tape, b), v)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def add_times(
    to: cython.p_double,
    at: cython.Py_ssize_t,
    p: cython.double,
    x: cython.p_double,
    come: cython.Py_ssize_t,
    lanes: cython.int,
) -> cython.int:
    """Add p times each lane of one slot to those of another; what is 0 adds nothing."""
    j: cython.int
    if isfinite(p):  # 0 times that is 0, and the loop has no branch
        for j in range(lanes):
            to[at + j] += p * x[come + j]
        return 0
    for j in range(lanes):
        if x[come + j] != 0.0:
            to[at + j] += p * x[come + j]
    return 0


# -------------------------------------------------------------------------------- forward ---


@cython.cfunc
@cython.exceptval(check=True)
def walk_forward(
    made: Layout,
    begin: cython.Py_ssize_t,
    tan: cython.p_double,
    lanes: cython.int,
    reach: object,
    least: cython.int,
) -> cython.int:
    """Tangents of the rows begin <= r < hi, by those before them, in each lane.

    Of `reach`, where it is given, rows that are under `least` are passed over.
    """
    marks: cython.int[::1] = reach
    all_rows: cython.bint = reach is None
    tape: Tape = made.tape
    bases: cython.Py_ssize_t[::1] = made.bases
    lo: cython.Py_ssize_t = made.lo
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    code: cython.int
    p: cython.double
    q: cython.double
    for r in range(begin, made.hi):
        chunk: Chunk = tape.chunks[r >> BITS]
        i = r & MASK
        code = chunk.code[i]
        if code >= _ARRAY:
            array_row_forward(made, bases, r, tan, lanes)
            continue
        if code == _INPUT or not (all_rows or marks[r - lo] >= least):
            continue
        a = chunk.a[i]
        b = chunk.b[i]
        p, q = slopes(tape, code, a, b, chunk.val[i])
        if p != 0.0 and a >= lo:
            add_times(tan, (r - lo) * lanes, p, tan, (a - lo) * lanes, lanes)
        if q != 0.0 and b >= lo:
            add_times(tan, (r - lo) * lanes, q, tan, (b - lo) * lanes, lanes)
    return 0


@cython.cfunc
@cython.exceptval(check=True)
def array_row_forward(
    made: Layout,
    bases: cython.Py_ssize_t[::1],
    r: cython.Py_ssize_t,
    tan: cython.p_double,
    lanes: cython.int,
) -> cython.int:
    """The step of `walk_forward` over a row of the three codes for arrays."""
    chunk: Chunk = made.tape.chunks[r >> BITS]
    i: cython.Py_ssize_t = r & MASK
    a: cython.int = chunk.a[i]
    b: cython.int = chunk.b[i]
    if chunk.code[i] == _ELEMENT:
        set_lanes(tan, r - made.lo, tan, bases[a - made.first] + b, lanes)
    elif chunk.code[i] == _STORE:
        at: cython.Py_ssize_t = bases[b - made.first] + cython.cast(
            cython.Py_ssize_t, int(chunk.val[i])
        )
        set_lanes(tan, at, tan, a - made.lo if a >= made.lo else -1, lanes)
    else:
        to, source = made.moves.get(a, ((), ()))
        # What is written may be a part of what is read.
        read = [[tan[x * lanes + k] if x >= 0 else 0.0 for k in range(lanes)] for x in source]
        for t, numbers in zip(to, read):
            for k in range(lanes):
                tan[t * lanes + k] = numbers[k]
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def set_lanes(
    to: cython.p_double,
    t: cython.Py_ssize_t,
    x: cython.p_double,
    s: cython.Py_ssize_t,
    lanes: cython.int,
) -> cython.int:
    """Let the lanes of slot t be those of slot s, or zeros for -1."""
    j: cython.int
    for j in range(lanes):
        to[t * lanes + j] = x[s * lanes + j] if s >= 0 else 0.0
    return 0


# ------------------------------------------------------------------------------- backward ---


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def any_lane(x: cython.p_double, at: cython.Py_ssize_t, lanes: cython.int) -> cython.bint:
    """Whether a lane of a slot is not 0."""
    j: cython.int
    for j in range(lanes):
        if x[at + j] != 0.0:
            return True
    return False


@cython.cfunc
@cython.exceptval(check=True)
def walk_back(
    made: Layout, begin: cython.Py_ssize_t, adj: cython.p_double, lanes: cython.int
) -> cython.int:
    """Adjoints of all that the rows begin <= r < hi depend on, by theirs, in each lane."""
    tape: Tape = made.tape
    bases: cython.Py_ssize_t[::1] = made.bases
    lo: cython.Py_ssize_t = made.lo
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    code: cython.int
    p: cython.double
    q: cython.double
    for r in range(made.hi - 1, begin - 1, -1):
        chunk: Chunk = tape.chunks[r >> BITS]
        i = r & MASK
        code = chunk.code[i]
        if code >= _ARRAY:
            array_row_back(made, bases, r, adj, lanes)
            continue
        if not any_lane(adj, (r - lo) * lanes, lanes):
            continue
        a = chunk.a[i]
        b = chunk.b[i]
        p, q = slopes(tape, code, a, b, chunk.val[i])
        if p != 0.0 and a >= lo:
            add_times(adj, (a - lo) * lanes, p, adj, (r - lo) * lanes, lanes)
        if q != 0.0 and b >= lo:
            add_times(adj, (b - lo) * lanes, q, adj, (r - lo) * lanes, lanes)
    return 0


@cython.cfunc
@cython.exceptval(check=True)
def array_row_back(
    made: Layout,
    bases: cython.Py_ssize_t[::1],
    r: cython.Py_ssize_t,
    adj: cython.p_double,
    lanes: cython.int,
) -> cython.int:
    """The step of `walk_back` over a row of the three codes for arrays."""
    chunk: Chunk = made.tape.chunks[r >> BITS]
    i: cython.Py_ssize_t = r & MASK
    a: cython.int = chunk.a[i]
    b: cython.int = chunk.b[i]
    if chunk.code[i] == _ELEMENT:
        give_lanes(adj, bases[a - made.first] + b, r - made.lo, lanes)
    elif chunk.code[i] == _STORE:
        at: cython.Py_ssize_t = bases[b - made.first] + cython.cast(
            cython.Py_ssize_t, int(chunk.val[i])
        )
        give_lanes(adj, a - made.lo if a >= made.lo else -1, at, lanes)
        set_lanes(adj, at, adj, -1, lanes)
    else:
        to, source = made.moves.get(a, ((), ()))
        taken = [[adj[x * lanes + k] for k in range(lanes)] for x in to]
        for t in to:
            set_lanes(adj, t, adj, -1, lanes)
        for x, numbers in zip(source, taken):
            if x >= 0:
                for k in range(lanes):
                    adj[x * lanes + k] += numbers[k]
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def give_lanes(
    x: cython.p_double, t: cython.Py_ssize_t, s: cython.Py_ssize_t, lanes: cython.int
) -> cython.int:
    """Add the lanes of slot s to those of slot t, unless that is -1."""
    j: cython.int
    if t >= 0:
        for j in range(lanes):
            x[t * lanes + j] += x[s * lanes + j]
    return 0


# --------------------------------------------------------------------------- second order ---


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def unused(p: cython.double, g: cython.double) -> cython.bint:
    """Whether a partial and an adjoint say nothing: one is 0 and the other is no finite number."""
    return (p == 0.0 and not isfinite(g)) or (g == 0.0 and not isfinite(p))


@cython.cfunc
@cython.exceptval(check=True)
def walk_second(
    made: Layout,
    begin: cython.Py_ssize_t,
    adj: cython.p_double,
    tan: cython.p_double,
    dot: cython.p_double,
    lanes: cython.int,
    reach: object,
    least: cython.int,
) -> cython.int:
    """The reverse sweep with tangents: adjoints `adj`, and in each lane their tangents `dot` along
    the direction whose tangents of rows are `tan`.

    With v = f(a, b), a row adds f_a v' to the adjoint a', and to its tangent
    f_a dv' + (f_aa da + f_ab db) v' (Griewank and Walther, *Evaluating Derivatives*, 2nd ed., 2008,
    section 5.1).  `reach` and `least` are as in `walk_forward`.
    """
    marks: cython.int[::1] = reach
    all_rows: cython.bint = reach is None
    tape: Tape = made.tape
    bases: cython.Py_ssize_t[::1] = made.bases
    lo: cython.Py_ssize_t = made.lo
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    code: cython.int
    g: cython.double
    p: cython.double
    q: cython.double
    aa: cython.double
    ab: cython.double
    bb: cython.double
    for r in range(made.hi - 1, begin - 1, -1):
        chunk: Chunk = tape.chunks[r >> BITS]
        i = r & MASK
        code = chunk.code[i]
        if code >= _ARRAY:
            array_row_back(made, bases, r, adj, 1)
            array_row_back(made, bases, r, dot, lanes)
            continue
        if not (all_rows or marks[r - lo] >= least):
            continue
        at = (r - lo) * lanes
        g = adj[r - lo]
        if g == 0.0 and not any_lane(dot, at, lanes):
            continue
        a = chunk.a[i]
        b = chunk.b[i]
        aa = bb = 0.0
        ab = 0.0
        p, q = slopes(tape, code, a, b, chunk.val[i])
        if code == _MUL:
            ab = 1.0
        elif code not in (_ADD, _SUB) and g != 0.0:
            aa, ab, bb = second(code, operand(tape, a), operand(tape, b), chunk.val[i])
        if a >= lo and not unused(p, g):
            if p != 0.0:
                if g != 0.0:
                    adj[a - lo] += p * g
                add_times(dot, (a - lo) * lanes, p, dot, at, lanes)
            if g != 0.0:
                if aa != 0.0:
                    add_times(dot, (a - lo) * lanes, aa * g, tan, (a - lo) * lanes, lanes)
                if ab != 0.0 and b >= lo:
                    add_times(dot, (a - lo) * lanes, ab * g, tan, (b - lo) * lanes, lanes)
        if b >= lo and not unused(q, g):
            if q != 0.0:
                if g != 0.0:
                    adj[b - lo] += q * g
                add_times(dot, (b - lo) * lanes, q, dot, at, lanes)
            if g != 0.0:
                if bb != 0.0:
                    add_times(dot, (b - lo) * lanes, bb * g, tan, (b - lo) * lanes, lanes)
                if ab != 0.0 and a >= lo:
                    add_times(dot, (b - lo) * lanes, ab * g, tan, (a - lo) * lanes, lanes)
    return 0


# ----------------------------------------------------------------- for the modules above ---


def push(made, begin, ins, outs, directions):
    """Tangents of outputs: a matrix, a row an output and a column a direction.

    `ins` and `outs` are slots, -1 for what is constant; `directions` has a row for each input.
    """
    directions = np.asarray(directions, float)
    count = directions.shape[1]
    lanes = lanes_for(made, count, 1)
    results = np.zeros((len(outs), count))
    known = np.flatnonzero(outs >= 0)
    for k in range(0, count, lanes):
        part = directions[:, k : k + lanes]
        tan = _memory(made.size * part.shape[1])
        _seeded(tan, ins, part)
        _walk(made, begin, tan, part.shape[1], True)
        results[known, k : k + lanes] = _taken(tan, outs[known], part.shape[1])
    return results


def pull(made, begin, ins, outs, seeds):
    """Adjoints of inputs: a matrix, a row a seed and a column an input.

    `ins` and `outs` are slots, -1 for what is constant; `seeds` has a column for each output.
    """
    seeds = np.asarray(seeds, float)
    lanes = lanes_for(made, len(seeds), 1)
    results = np.zeros((len(seeds), len(ins)))
    known = np.flatnonzero(outs >= 0)
    for k in range(0, len(seeds), lanes):
        part = seeds[k : k + lanes, known].T
        adj = _memory(made.size * part.shape[1])
        _seeded(adj, outs[known], part)
        _walk(made, begin, adj, part.shape[1], False)
        results[k : k + lanes] = _taken(adj, ins, part.shape[1]).T
    return results


def hessian_times(made, begin, ins, out, directions):
    """The Hessian of one output times directions: a matrix of as many rows and columns as these.

    `ins` are the inputs' slots, `out` is the output's, `directions` has a column for each.
    """
    directions = np.asarray(directions, float)
    count = directions.shape[1]
    lanes = lanes_for(made, count, 2)
    results = np.zeros((len(ins), count))
    for k in range(0, count, lanes):
        part = directions[:, k : k + lanes]
        results[:, k : k + lanes] = _second(made, begin, ins, out, part, None, 0)
    return results


def hessian(made, begin, ins, out):
    """The Hessian of one output by all inputs.

    It is symmetric.  So of the columns from k on only the rows from k on are computed, and what
    depends on none of these inputs is passed over.
    """
    n = len(ins)
    lanes = lanes_for(made, n, 2)
    reach = _reach(made, begin, ins)
    lower = np.zeros((n, n))
    for k in range(0, n, lanes):
        part = np.eye(n - k, min(lanes, n - k))
        lower[k:, k : k + lanes] = _second(made, begin, ins[k:], out, part, reach, k)
    return np.tril(lower) + np.tril(lower, -1).T


def _second(made, begin, ins, out, part, reach, least):
    """The Hessian times as many directions as are swept at once."""
    lanes = part.shape[1]
    tan = _memory(made.size * lanes)
    _seeded(tan, ins, part)
    _walk(made, begin, tan, lanes, True, reach, least)
    dot = _memory(made.size * lanes)
    adj = _memory(made.size)
    adj[out] = 1.0
    _walk_second(made, begin, adj, tan, dot, lanes, reach, least)
    return _taken(dot, ins, lanes)


def _reach(made, begin, ins):
    """For each row the last of the inputs that it depends on, -1 for none."""
    last = np.full(made.size, -1, np.intc)
    last[ins] = np.arange(len(ins))
    numbers = last if cython.compiled else last.tolist()
    walk_reach(made, begin, numbers)
    return numbers


@cython.cfunc
@cython.exceptval(check=True)
def walk_reach(made: Layout, begin: cython.Py_ssize_t, numbers: object) -> cython.int:
    """`_reach`, on what inputs begin with."""
    last: cython.int[::1] = numbers
    tape: Tape = made.tape
    lo: cython.Py_ssize_t = made.lo
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    for r in range(begin, made.hi):
        chunk: Chunk = tape.chunks[r >> BITS]
        i = r & MASK
        a = chunk.a[i]
        b = chunk.b[i]
        if chunk.code[i] >= _ARRAY:
            to, source = moved(made, r)
            for t, x in zip(to, source):
                last[t] = last[x] if x >= 0 else -1
            continue
        # An unused operand points at row 0, which may be an input: no harm, but work.
        if a >= lo and last[a - lo] > last[r - lo]:
            last[r - lo] = last[a - lo]
        if b >= lo and last[b - lo] > last[r - lo]:
            last[r - lo] = last[b - lo]
    return 0


@cython.cfunc
def moved(made: Layout, r: cython.Py_ssize_t) -> tuple:
    """The slots that an array row moves numbers to, and those they come from."""
    code, a, b, value = made.tape.row(r)
    if code == _ARRAY:
        return made.moves.get(a, ((), ()))
    if code == _ELEMENT:
        return (r - made.lo,), (made.bases[a - made.first] + b,)
    source = a - made.lo if a >= made.lo else -1
    return (made.bases[b - made.first] + int(value),), (source,)


def _seeded(memory, slots, numbers):
    """Add numbers, a row a slot and a column a lane, to zeros."""
    lanes = numbers.shape[1]
    if cython.compiled:
        rows = memory.reshape(-1, lanes)
        if len(slots) < 4:
            for k in range(len(slots)):  # np.add.at takes longer to begin than most sweeps
                rows[slots[k]] += numbers[k]
        else:
            np.add.at(rows, slots, numbers)
        return
    for s, row in zip(slots.tolist(), numbers.tolist(), strict=True):
        for j, x in enumerate(row):
            memory[s * lanes + j] += x


def _walk(made, begin, memory, lanes, ahead, reach=None, least=0):
    with np.errstate(all="ignore"):
        if cython.compiled:
            view: cython.double[::1] = memory
            if ahead:
                walk_forward(made, begin, cython.address(view[0]), lanes, reach, least)
            else:
                walk_back(made, begin, cython.address(view[0]), lanes)
        elif ahead:
            walk_forward(made, begin, memory, lanes, reach, least)
        else:
            walk_back(made, begin, memory, lanes)


def _walk_second(made, begin, adj, tan, dot, lanes, reach, least):
    with np.errstate(all="ignore"):
        if cython.compiled:
            adjoints: cython.double[::1] = adj
            tangents: cython.double[::1] = tan
            dots: cython.double[::1] = dot
            walk_second(
                made,
                begin,
                cython.address(adjoints[0]),
                cython.address(tangents[0]),
                cython.address(dots[0]),
                lanes,
                reach,
                least,
            )
        else:
            walk_second(made, begin, adj, tan, dot, lanes, reach, least)
