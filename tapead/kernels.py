# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""What sweeps over arrays do most: products with partials, and sums into adjoints.

Each function does the same arithmetic twice: by loops in C on arrays of doubles in C order, by
NumPy on everything else (and on everything where it is not compiled), to the same bits.
"""

from __future__ import annotations

import cython
import numpy as np

if cython.compiled:
    cnp.import_array()

# Elements that are worked on at a time where an array is large: what is read stays in the cache.
BLOCK = 8192

# Partials that have a loop of their own in C, of the same bits as those in the tables: for each
# operand of a ufunc a number, and which values it reads.
_A, _B, _V = 1, 2, 4
FUSED = {
    np.exp: ((1, _V),),
    np.tanh: ((2, _V),),
    np.sqrt: ((3, _V),),
    np.log: ((4, _A),),
    np.log1p: ((5, _A),),
    np.square: ((6, _A),),
    np.reciprocal: ((7, _V),),
    np.true_divide: ((8, _B), (9, _B | _V)),
    np.maximum: ((10, _A | _B), (11, _A | _B)),
    np.minimum: ((12, _A | _B), (13, _A | _B)),
    np.absolute: ((14, _A),),
}
_PIECE = cython.declare(cython.int, 512)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def simple(x: object) -> cython.bint:
    """Whether x is an array of doubles in C order."""
    if cython.compiled:
        return (
            cnp.PyArray_CheckExact(x)
            and cnp.PyArray_TYPE(x) == cnp.NPY_DOUBLE
            and cnp.PyArray_ISCARRAY_RO(x)
        )
    return False


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def alike(x: object, y: object) -> cython.bint:
    """Whether x and y are simple and have one shape."""
    if cython.compiled:
        return simple(x) and simple(y) and cnp.PyArray_SAMESHAPE(x, y)
    return False


def product(g, p):
    """g * p, but 0 where either is exactly 0 and the other is infinite or nan."""
    t = np.multiply(g, p)
    wrong = np.isnan(t)
    if not wrong.any():
        return t
    return np.where(wrong & ((g == 0) | (p == 0)), np.zeros((), t.dtype), t)


def times(g, p, out):
    """`product` of an array g and an array or number p, written into `out`, which may be g.

    Without `out`, into a new array.
    """
    if cython.compiled:
        n: cython.Py_ssize_t
        i: cython.Py_ssize_t
        t: cython.double
        if out is None and simple(g) and (type(p) is float or alike(g, p)):
            out = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(g), cnp.PyArray_DIMS(g), cnp.NPY_DOUBLE, 0)
        if type(p) is float and alike(g, out):
            n = cnp.PyArray_SIZE(g)
            gs: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(g))
            os: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(out))
            c: cython.double = p
            for i in range(n):
                t = gs[i] * c
                if t != t and (gs[i] == 0.0 or c == 0.0):
                    t = 0.0
                os[i] = t
            return out
        if alike(g, p) and alike(g, out):
            n = cnp.PyArray_SIZE(g)
            gp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(g))
            pp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(p))
            op: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(out))
            for i in range(n):
                t = gp[i] * pp[i]
                if t != t and (gp[i] == 0.0 or pp[i] == 0.0):
                    t = 0.0
                op[i] = t
            return out
    result = product(g, p)
    if out is None:
        return result
    out[...] = result
    return out


def add_times(buffer, g, p):
    """Add `product` of g and p to a buffer of the same shape."""
    if cython.compiled:
        n: cython.Py_ssize_t
        i: cython.Py_ssize_t
        t: cython.double
        if alike(g, buffer) and alike(g, p):
            n = cnp.PyArray_SIZE(g)
            gp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(g))
            pp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(p))
            bp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(buffer))
            for i in range(n):
                t = gp[i] * pp[i]
                if t != t and (gp[i] == 0.0 or pp[i] == 0.0):
                    t = 0.0
                bp[i] += t
            return
        if type(p) is float and alike(g, buffer):
            n = cnp.PyArray_SIZE(g)
            gs: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(g))
            bs: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(buffer))
            c: cython.double = p
            for i in range(n):
                t = gs[i] * c
                if t != t and (gs[i] == 0.0 or c == 0.0):
                    t = 0.0
                bs[i] += t
            return
    add(buffer, product(g, p))


def add(buffer, term):
    """buffer += term, of the buffer's dtype."""
    if cython.compiled:
        if alike(buffer, term):
            n: cython.Py_ssize_t = cnp.PyArray_SIZE(term)
            i: cython.Py_ssize_t
            tp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(term))
            bp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(buffer))
            # The two may overlap, as in x[1:] += x[:-1]; NumPy sees to that.
            if bp >= tp + n or tp >= bp + n or bp == tp:
                for i in range(n):
                    bp[i] += tp[i]
                return
    np.add(buffer, term, out=buffer, casting="unsafe")


def add_outer(buffer, g, x):
    """Add the outer product of two vectors to a matrix, 0 times infinity counting 0."""
    if cython.compiled:
        if (
            simple(buffer)
            and simple(g)
            and simple(x)
            and cnp.PyArray_NDIM(buffer) == 2
            and cnp.PyArray_NDIM(g) == 1
            and cnp.PyArray_NDIM(x) == 1
        ):
            m: cython.Py_ssize_t = cnp.PyArray_SIZE(g)
            n: cython.Py_ssize_t = cnp.PyArray_SIZE(x)
            i: cython.Py_ssize_t
            j: cython.Py_ssize_t
            t: cython.double
            c: cython.double
            gp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(g))
            xp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(x))
            bp: cython.p_double = cython.cast(cython.p_double, cnp.PyArray_DATA(buffer))
            for i in range(m):
                c = gp[i]
                for j in range(n):
                    t = c * xp[j]
                    if t != t and (c == 0.0 or xp[j] == 0.0):
                        t = 0.0
                    bp[j] += t
                bp += n
            return
    add(buffer, product(g[:, None], x))


def all_finite(x):
    """Whether no element of an array is infinite or nan."""
    if cython.compiled:
        if simple(x):
            n: cython.Py_ssize_t = cnp.PyArray_SIZE(x)
            i: cython.Py_ssize_t
            # Adding one to an exponent of all ones carries into the sign; such loops are fast.
            seen: cython.ulonglong = 0
            ones: cython.ulonglong = 0x7FF0000000000000
            one: cython.ulonglong = 0x0010000000000000
            xp: cython.p_ulonglong = cython.cast(cython.p_ulonglong, cnp.PyArray_DATA(x))
            for i in range(n):
                seen |= (xp[i] & ones) + one
            return seen >> 63 == 0
    return bool(np.isfinite(x).all())


def total(g):
    """The sum of all elements, as NumPy adds them."""
    return np.add.reduce(g, axis=None)


# ------------------------------------------------------------------------- partials fused in ---


def fused(code, reads, g, kept, target, adds):
    """g times a partial of FUSED, written into `target` or added to it; whether it was done.

    `kept` are the operands and the value, of which those that the partial reads must be arrays like
    g, or numbers.  `target` may be g.
    """
    if cython.compiled:
        if not alike(g, target):
            return False
        last: cython.Py_ssize_t = len(kept) - 1
        steps: cython.int[3]
        data: cython.p_double[3]
        numbers: cython.double[3]
        k: cython.int
        for k in range(3):
            steps[k] = 0
            numbers[k] = 0.0
            data[k] = cython.address(numbers[k])
            if not cython.cast(cython.int, reads) & (1 << k):
                continue
            x: object = kept[last if k == 2 else k]
            if alike(g, x):
                steps[k] = 1
                data[k] = cython.cast(cython.p_double, cnp.PyArray_DATA(x))
            elif (type(x) is float or type(x) is int) and code != 8:
                numbers[k] = x
            else:
                return False  # 1 / b of a number b is a number
        in_pieces(
            code,
            cython.cast(cython.p_double, cnp.PyArray_DATA(g)),
            cython.cast(cython.p_double, cnp.PyArray_DATA(target)),
            data,
            steps,
            cnp.PyArray_SIZE(g),
            adds,
        )
        return True
    return False


if cython.compiled:

    @cython.cfunc
    @cython.exceptval(check=False)
    def in_pieces(
        code: cython.int,
        g: cython.p_double,
        target: cython.p_double,
        data: cython.pp_double,
        steps: cython.p_int,
        n: cython.Py_ssize_t,
        adds: cython.bint,
    ) -> cython.void:
        """`fused` on memory, so many elements at a time that all stays in the nearest cache."""
        p: cython.double[512]
        t: cython.double
        i: cython.Py_ssize_t
        m: cython.Py_ssize_t
        at: cython.Py_ssize_t = 0
        while at < n:
            m = min(n - at, _PIECE)
            partials(
                code,
                data[0] + at * steps[0],
                data[1] + at * steps[1],
                data[2] + at * steps[2],
                steps,
                p,
                m,
            )
            for i in range(m):
                t = g[at + i] * p[i]
                if t != t and (g[at + i] == 0.0 or p[i] == 0.0):
                    t = 0.0
                target[at + i] = target[at + i] + t if adds else t
            at += m

    @cython.cfunc
    @cython.exceptval(check=False)
    def partials(
        code: cython.int,
        a: cython.p_double,
        b: cython.p_double,
        v: cython.p_double,
        steps: cython.p_int,
        p: cython.p_double,
        n: cython.Py_ssize_t,
    ) -> cython.void:
        """n partials; a number instead of an array has the step 0."""
        i: cython.Py_ssize_t
        if code == 1:
            for i in range(n):
                p[i] = v[i]
        elif code == 2:
            for i in range(n):
                p[i] = (1.0 - v[i]) * (1.0 + v[i])
        elif code == 3:
            for i in range(n):
                p[i] = 0.5 / v[i]
        elif code == 4:
            for i in range(n):
                p[i] = 1.0 / a[i]
        elif code == 5:
            for i in range(n):
                p[i] = 1.0 / (1.0 + a[i])
        elif code == 6:
            for i in range(n):
                p[i] = 2.0 * a[i]
        elif code == 7:
            for i in range(n):
                p[i] = -v[i] * v[i]
        elif code == 8:
            for i in range(n):
                p[i] = 1.0 / b[i * steps[1]]
        elif code == 9:
            for i in range(n):
                p[i] = -v[i] / b[i * steps[1]]
        elif code == 14:
            for i in range(n):
                p[i] = a[i] if a[i] != a[i] else 0.0 + (a[i] > 0.0) - (a[i] < 0.0)
        else:
            shares(a, b, steps, p, n, -1.0 if code >= 12 else 1.0)
            if code & 1:
                for i in range(n):
                    p[i] = 1.0 - p[i]

    @cython.cfunc
    @cython.exceptval(check=False)
    def shares(
        a: cython.p_double,
        b: cython.p_double,
        steps: cython.p_int,
        p: cython.p_double,
        n: cython.Py_ssize_t,
        sign: cython.double,
    ) -> cython.void:
        """The part of a in the larger of a and b, or the smaller; a nan wins, a tie is shared."""
        i: cython.Py_ssize_t
        x: cython.double
        y: cython.double
        for i in range(n):
            x = sign * a[i * steps[0]]
            y = sign * b[i * steps[1]]
            if x > y:
                p[i] = 1.0
            elif x < y:
                p[i] = 0.0
            else:
                p[i] = 1.0 if x != x else 0.0 if y != y else 0.5
