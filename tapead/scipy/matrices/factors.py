"""Cholesky and LU factors, and equations that are solved by them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from tapead.errors import UnsupportedError
from tapead.rules.table import Rule, as_array, primitive, unbroadcast

from .equations import (
    columns,
    solve_triangular,
    symmetric_from,
    transposed,
    triangle_read,
    uncolumned,
)


def _triangular(a, b, trans=0, lower=False, unit=False):
    return solve_triangular(a, b, trans, lower, unit, False, False)


def _half(x: Any, lower: bool) -> Any:
    """A triangle with half of the diagonal."""
    return 0.5 * (np.tril(x) + np.tril(x, -1)) if lower else 0.5 * (np.triu(x) + np.triu(x, 1))


# -------------------------------------------------------------------------- Cholesky's factors ---


@primitive
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    """scipy.linalg.cholesky."""
    return sl.cholesky(a, lower=lower, check_finite=check_finite)


def _cholesky_adjoint(g, v, a, lower, overwrite_a, check_finite):
    """Murray, *Differentiation of the Cholesky decomposition*, 2016, equation 10.

    In terms of the upper factor U = L^H, whatever is asked for: g of L is that of U, turned.
    """
    v, g = (v, g) if lower else (np.conj(transposed(v)), np.conj(transposed(g)))
    phi = _half(np.matmul(transposed(v), np.tril(g)), True)
    # L^-T phi conj(L)^-1
    left = _triangular(v, phi, 1, True)
    s = transposed(_triangular(v, transposed(left), 2, True))
    read = triangle_read(s, True, np.iscomplexobj(v))
    return read if lower else np.conj(transposed(read))


def _cholesky_tangent(t, v, a, lower, overwrite_a, check_finite):
    t = symmetric_from(t, lower, np.iscomplexobj(v))
    v = v if lower else np.conj(transposed(v))
    left = _triangular(v, t, 0, True)
    m = np.conj(transposed(_triangular(v, np.conj(transposed(left)), 0, True)))
    moved = np.matmul(v, _half(m, True))
    return moved if lower else np.conj(transposed(moved))


def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """scipy.linalg.cho_factor: the factor, with a's own elements in the other triangle."""
    a = as_array(a)
    factor = cholesky(a, lower=lower, check_finite=check_finite)
    rest = np.triu(a, 1) if lower else np.tril(a, -1)
    return factor + rest, lower


def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    """scipy.linalg.cho_solve."""
    c, lower = c_and_lower
    c, b = as_array(c), as_array(b)
    return _cho_solve(c, b, lower=bool(lower), check_finite=check_finite)


@primitive
def _cho_solve(c, b, lower=False, check_finite=True):
    return sl.cho_solve((c, lower), b, check_finite=check_finite)


def _cho_adjoint_b(g, v, c, b, lower, check_finite):
    vector = b.ndim == 1
    g = np.conj(columns(g, vector))
    gb = np.conj(_cho_solve(c, g, lower=lower, check_finite=False))
    return unbroadcast(uncolumned(gb, vector), b)


def _cho_adjoint_c(g, v, c, b, lower, check_finite):
    vector = b.ndim == 1
    gb = np.conj(_cho_solve(c, np.conj(columns(g, vector)), lower=lower, check_finite=False))
    s = -np.matmul(gb, transposed(columns(v, vector)))
    s = s + np.conj(transposed(s))
    if lower:
        adjoint = np.tril(np.matmul(s, np.conj(np.tril(c))))
    else:
        adjoint = np.triu(np.matmul(np.conj(np.triu(c)), s))
    return unbroadcast(adjoint, c)


def _cho_tangent_c(t, v, c, b, lower, check_finite):
    vector = b.ndim == 1
    c_read, t = (np.tril(c), np.tril(t)) if lower else (np.triu(c), np.triu(t))
    left, right = (t, np.conj(transposed(c_read)))
    if not lower:
        left, right = (np.conj(transposed(c_read)), t)
    moved = np.matmul(left, right)
    moved = -np.matmul(moved + np.conj(transposed(moved)), columns(v, vector))
    return uncolumned(_cho_solve(c, moved, lower=lower, check_finite=False), vector)


# --------------------------------------------------------------------------------- LU factors ---


@primitive
def lu_factor(a, overwrite_a=False, check_finite=True):
    """scipy.linalg.lu_factor of square matrices."""
    if np.shape(a)[-1] != np.shape(a)[-2]:
        raise UnsupportedError("tapead.scipy.linalg.lu_factor of matrices that are not square")
    lu, pivots = sl.lu_factor(a, check_finite=check_finite)
    return lu, pivots


def _order(pivots: Any) -> np.ndarray:
    """The rows in the order that exchanges bring them into."""
    pivots = np.asarray(pivots)
    order = np.broadcast_to(np.arange(pivots.shape[-1]), pivots.shape).copy()
    for index in np.ndindex(pivots.shape[:-1]):
        row = order[index]
        for i, p in enumerate(pivots[index]):
            row[i], row[p] = row[p], row[i]
    return order


def _rows(x: Any, order: np.ndarray) -> Any:
    return x[order] if x.ndim == 2 else np.take_along_axis(x, order[..., None], axis=-2)


def _lu_adjoint(g, v, a, overwrite_a, check_finite):
    lu, pivots = v
    g = g[0]
    left = np.tril(np.matmul(_unit_transposed(lu), np.tril(g, -1)), -1)
    right = np.triu(np.matmul(np.triu(g), transposed(np.triu(lu))))
    inner = _triangular(lu, left + right, 1, True, True)
    inner = transposed(_triangular(lu, transposed(inner), 0, False))
    return _rows(inner, np.argsort(_order(pivots), axis=-1))


def _unit_transposed(lu: Any) -> Any:
    """The transpose of the lower factor, whose diagonal of ones is not stored."""
    return transposed(np.tril(lu, -1)) + np.eye(lu.shape[-1])


def _lu_tangent(t, v, a, overwrite_a, check_finite):
    lu, pivots = v
    inner = _triangular(lu, _rows(t, _order(pivots)), 0, True, True)
    inner = transposed(_triangular(lu, transposed(inner), 1, False))
    lower = np.matmul(transposed(_unit_transposed(lu)), np.tril(inner, -1))
    upper = np.matmul(np.triu(inner), np.triu(lu))
    return lower + upper, np.zeros(np.shape(pivots))


def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    """scipy.linalg.lu_solve."""
    lu, pivots = lu_and_piv
    return _lu_solve(
        as_array(lu), as_array(b), pivots=pivots, trans=trans, check_finite=check_finite
    )


@primitive
def _lu_solve(lu, b, pivots, trans=0, check_finite=True):
    return sl.lu_solve((lu, pivots), b, trans=trans, check_finite=check_finite)


def _turned_lu_solve(lu, g, pivots, trans):
    if trans == 2:
        return np.conj(_lu_solve(lu, np.conj(g), pivots=pivots, trans=0, check_finite=False))
    return _lu_solve(lu, g, pivots=pivots, trans=1 - trans, check_finite=False)


def _lu_solve_adjoint_b(g, v, lu, b, pivots, trans, check_finite):
    vector = b.ndim == 1
    gb = _turned_lu_solve(lu, columns(g, vector), pivots, trans)
    return unbroadcast(uncolumned(gb, vector), b)


def _lu_solve_adjoint_lu(g, v, lu, b, pivots, trans, check_finite):
    vector = b.ndim == 1
    gb, x = _turned_lu_solve(lu, columns(g, vector), pivots, trans), columns(v, vector)
    s = -(np.matmul(x, transposed(gb)) if trans else np.matmul(gb, transposed(x)))
    s = _rows(np.conj(s) if trans == 2 else s, _order(pivots))
    lower = np.tril(np.matmul(s, transposed(np.triu(lu))), -1)
    upper = np.triu(np.matmul(_unit_transposed(lu), s))
    return unbroadcast(lower + upper, lu)


def _lu_solve_tangent_lu(t, v, lu, b, pivots, trans, check_finite):
    vector = b.ndim == 1
    moved = np.matmul(np.tril(t, -1), np.triu(lu))
    moved = moved + np.matmul(transposed(_unit_transposed(lu)), np.triu(t))
    moved = _rows(moved, np.argsort(_order(pivots), axis=-1))
    if trans:
        moved = transposed(np.conj(moved) if trans == 2 else moved)
    moved = -np.matmul(moved, columns(v, vector))
    solved = _lu_solve(lu, moved, pivots=pivots, trans=trans, check_finite=False)
    return uncolumned(solved, vector)


def _lu_solve_tangent_b(t, v, lu, b, pivots, trans, check_finite):
    return _lu_solve(lu, t, pivots=pivots, trans=trans, check_finite=False)


# ------------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(
        cholesky,
        "a; lower=False, overwrite_a=False, check_finite=True",
        _cholesky_adjoint,
        _cholesky_tangent,
        needs="v",
    ),
    Rule(
        _cho_solve,
        "c, b; lower=False, check_finite=True",
        (_cho_adjoint_c, _cho_adjoint_b),
        (
            _cho_tangent_c,
            lambda t, v, c, b, lower, check_finite: _cho_solve(
                c, t, lower=lower, check_finite=False
            ),
        ),
        needs=("0v", "0"),
    ),
    Rule(
        lu_factor,
        "a; overwrite_a=False, check_finite=True",
        _lu_adjoint,
        _lu_tangent,
        needs="v",
    ),
    Rule(
        _lu_solve,
        "lu, b; pivots, trans=0, check_finite=True",
        (_lu_solve_adjoint_lu, _lu_solve_adjoint_b),
        (_lu_solve_tangent_lu, _lu_solve_tangent_b),
        needs=("0v", "0"),
    ),
)

COMPOSED = {sl.cho_factor: cho_factor, sl.cho_solve: cho_solve, sl.lu_solve: lu_solve}
PRIMITIVES = (cholesky, lu_factor)
