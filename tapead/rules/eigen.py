"""Eigenvalues and eigenvectors: np.linalg.eigh, eigvalsh, eig, eigvals.

The formulas are those of Giles, *Collected matrix derivative results ...* (2008), section 3.1.

Eigenvectors have a free phase, and what is differentiated is LAPACK's choice of it.  It makes real
the first component (eigh, UPLO="L"), the last one (UPLO="U") or the largest one (eig).  If another
library makes another choice, results that depend on the phases have no derivative here.

Eigenvectors of values that are equal, up to rounding, have no derivative.  Adjoints and tangents
are nan there if those vectors are used; the values' own are right where they enter symmetrically.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .contractions import column, conj, conj_t, transposed
from .matrices import (
    at_row,
    both_triangles,
    by_gaps,
    diagonal,
    eye,
    is_complex,
    kept_real,
    one_triangle,
    pairs_of,
    phase_slope,
    turned,
    used_columns,
)
from .table import Rule

# ------------------------------------------------------------------------------------- eigh ---


def _eigh_adjoint(g: Any, v: Any, a: Any, UPLO: str = "L") -> Any:  # noqa: N803
    """a = V diag(w) V^H; V^H V' is V^H a' V divided by the gaps of w (Giles 2008, section 3.1)."""
    lower = UPLO.upper() == "L"
    (gw, gv), (w, vectors) = g, v
    if not np.any(gv != 0):
        return _from_values(gw, vectors, lower)
    used = pairs_of(used_columns(gv))
    if is_complex(vectors):
        row = 0 if lower else -1
        ratio = phase_slope(vectors, gv) / kept_real(vectors[..., row, :])
        gv = turned(ratio, at_row(vectors, row), gv)
    inner = by_gaps(np.matmul(transposed(vectors), gv), w, used)
    inner = np.where(eye(inner), gw[..., None, :], inner)
    return one_triangle(np.matmul(np.matmul(conj(vectors), inner), transposed(vectors)), lower)


def _from_values(gw: Any, vectors: Any, lower: bool) -> Any:
    return one_triangle(np.matmul(conj(vectors) * gw[..., None, :], transposed(vectors)), lower)


def _eigh_tangent(t: Any, v: Any, a: Any, UPLO: str = "L") -> Any:  # noqa: N803
    lower = UPLO.upper() == "L"
    w, vectors = v
    t = np.matmul(np.matmul(conj_t(vectors), both_triangles(t, lower)), vectors)
    change = np.matmul(vectors, by_gaps(t, w, t != 0))
    if is_complex(vectors):
        row = 0 if lower else -1
        turn = np.imag(change[..., row, :]) / kept_real(vectors[..., row, :])
        change = change - 1j * turn[..., None, :] * vectors
    return np.real(diagonal(t)), change


def _eigvalsh_adjoint(g: Any, v: Any, a: Any, UPLO: str = "L") -> Any:  # noqa: N803
    return _from_values(g, np.linalg.eigh(a, UPLO)[1], UPLO.upper() == "L")


def _eigvalsh_tangent(t: Any, v: Any, a: Any, UPLO: str = "L") -> Any:  # noqa: N803
    vectors = np.linalg.eigh(a, UPLO)[1]
    t = np.matmul(both_triangles(t, UPLO.upper() == "L"), vectors)
    return np.real(np.sum(conj(vectors) * t, axis=-2))


# ------------------------------------------------------------------------------------------ eig ---


def _largest(vectors: Any) -> np.ndarray:
    """Where LAPACK has made a component real: the largest one of each column."""
    size = np.where(np.imag(vectors) == 0, np.abs(vectors), -1.0)
    return np.arange(vectors.shape[-2])[:, None] == np.argmax(size, axis=-2)[..., None, :]


def _picked(x: Any, where: np.ndarray) -> Any:
    return np.sum(np.where(where, x, np.zeros((), x.dtype)), axis=-2)


def _eig_adjoint(g: Any, v: Any, a: Any) -> Any:
    """a V = V diag(w); V^-1 V' is V^-1 a' V divided by the gaps, but for the length of V's columns,
    which is 1 (Giles 2008, section 3.1)."""
    (gw, gv), (w, vectors) = g, v
    vt = transposed(vectors)
    if not np.any(gv != 0):
        return np.linalg.solve(vt, column(gw) * vt)
    used = pairs_of(used_columns(gv))
    along = np.sum(gv * vectors, axis=-2)
    gv = gv - np.real(along)[..., None, :] * conj(vectors)
    if is_complex(vectors):
        where = _largest(vectors)
        gv = turned(np.imag(along) / np.real(_picked(vectors, where)), where, gv)
    inner = by_gaps(np.matmul(vt, gv), w, used)
    inner = np.where(eye(inner), gw[..., None, :], inner)
    return np.linalg.solve(vt, np.matmul(inner, vt))


def _eig_tangent(t: Any, v: Any, a: Any) -> Any:
    w, vectors = v
    t = np.linalg.solve(vectors, np.matmul(t, vectors))
    change = np.matmul(vectors, by_gaps(t, w, t != 0))
    along = -np.real(np.sum(conj(vectors) * change, axis=-2))
    if is_complex(vectors):
        where = _largest(vectors)
        along = along - 1j * (np.imag(_picked(change, where)) / np.real(_picked(vectors, where)))
    return diagonal(t), change + along[..., None, :] * vectors


def _in_order_of(v: Any, a: Any) -> Any:
    """The eigenvectors of a in the order that eigvals gives the values in, which is most often but
    not surely that of eig."""
    w, vectors = np.linalg.eig(a)
    bound = 1e-10 * np.max(np.abs(w), axis=-1, keepdims=True, initial=0.0)
    if np.all(np.abs(v - w) <= bound):
        return vectors
    nearest = np.argmin(np.abs(column(v) - w[..., None, :]), axis=-1)
    return np.take_along_axis(vectors, nearest[..., None, :], -1)


def _eigvals_adjoint(g: Any, v: Any, a: Any) -> Any:
    vt = transposed(_in_order_of(v, a))
    return np.linalg.solve(vt, column(g) * vt)


def _eigvals_tangent(t: Any, v: Any, a: Any) -> Any:
    vectors = _in_order_of(v, a)
    return diagonal(np.linalg.solve(vectors, np.matmul(t, vectors)))


# ----------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(np.linalg.eigh, "a; UPLO='L'", _eigh_adjoint, _eigh_tangent, "v"),
    Rule(np.linalg.eigvalsh, "a; UPLO='L'", _eigvalsh_adjoint, _eigvalsh_tangent, "0"),
    Rule(np.linalg.eig, "a", _eig_adjoint, _eig_tangent, "v"),
    Rule(np.linalg.eigvals, "a", _eigvals_adjoint, _eigvals_tangent, "0v"),
)
