# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
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


def total(g):
    """The sum of all elements, as NumPy adds them."""
    return np.add.reduce(g, axis=None)
