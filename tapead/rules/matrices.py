"""Words that the rules of decompositions are written in: triangles, close values, phases.

Adjoints of complex matrices are not conjugated: g' = Re sum(g a') defines g.  A formula holds for
real and complex matrices alike if it is derived with the conjugations where they belong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .contractions import column, conj, conj_t, transposed
from .table import Rule, primitive

# Values are taken for equal if they are no farther apart than so many roundings, times n.
_ROUNDINGS = 10
# Triangles up to this size are inverted by LAPACK as any other matrix.
_BLOCK = 64


def square(x: Any) -> Any:
    """A number for each matrix, to be multiplied with matrices."""
    return column(column(x))


def eye(x: Any) -> np.ndarray:
    """Where the diagonal of square matrices is."""
    return np.eye(x.shape[-1], dtype=bool)


def is_complex(x: Any) -> bool:
    return x.dtype.kind == "c"


def used_columns(g: Any) -> np.ndarray:
    """Which columns of an adjoint are not all 0."""
    return np.any(g != 0, axis=-2)


def diagonal(x: Any) -> Any:
    return np.diagonal(x, axis1=-2, axis2=-1)


def both_triangles(t: Any, lower: bool = True) -> Any:
    """The Hermitian matrix of which one triangle of t is read, and the diagonal's real part."""
    mask = np.tri(t.shape[-1], dtype=bool)
    r = np.where(mask if lower else mask.T, t, conj_t(t))
    return np.where(eye(t), np.real(t), r) if is_complex(t) else r


def one_triangle(s: Any, lower: bool = True) -> Any:
    """The adjoint of that triangle from the Hermitian matrix's, s."""
    s = s + conj_t(s)
    mask = np.tri(s.shape[-1], dtype=bool)
    s = np.where(eye(s), 0.5 * s, s)
    return np.where(mask if lower else mask.T, s, np.zeros((), s.dtype))


def _close(w: Any) -> np.ndarray:
    """Which pairs of values are equal up to rounding, each with itself included."""
    n = w.shape[-1]
    size = np.abs(w)
    bound = _ROUNDINGS * n * np.finfo(w.dtype).eps * np.maximum(size[..., None, :], column(size))
    return np.asarray(np.abs(_gaps(w)) <= bound) | np.eye(n, dtype=bool)


def _gaps(w: Any) -> Any:
    """w_j - w_i."""
    return w[..., None, :] - column(w)


def by_gaps(x: Any, w: Any, lost: Any) -> Any:
    """x_ij / (w_j - w_i); 0 for equal values, or nan for those of them that are `lost`."""
    close = _close(w)
    r = np.where(close, np.zeros((), x.dtype), x / np.where(close, 1, _gaps(w)))
    lost = np.logical_and(np.logical_and(close, lost), np.logical_not(eye(x)))
    return np.where(lost, np.nan, r) if np.any(lost) else r


def pairs_of(used: np.ndarray) -> np.ndarray:
    """Pairs of columns of which one is used."""
    return used[..., None, :] | used[..., :, None]


def phase_slope(v: Any, g: Any) -> Any:
    """Im sum(g v), column by column: by how much a result changes with a vector's phase."""
    return np.imag(np.sum(g * v, axis=-2))


def turned(ratio: Any, where: Any, g: Any) -> Any:
    """An adjoint of vectors which stay real at one place, from that of vectors whose change has
    no part along themselves.  `where` is that place, `ratio` phase_slope by what is there."""
    return np.where(where, g - 1j * ratio[..., None, :], g)


def kept_real(row: Any) -> Any:
    """The real components by which phases are set, as divisors; infinity where there is none."""
    real = np.real(row)
    sure = np.abs(np.imag(row)) <= 1e-8 * np.abs(real)
    return np.where(np.asarray(sure) & np.asarray(real != 0), real, np.inf)


def at_row(v: Any, row: int) -> np.ndarray:
    """Where that row of the matrices v is."""
    return (np.arange(v.shape[-2]) == row % v.shape[-2])[:, None]


def without_complement(g1: Any, g2: Any, q1: Any, q2: Any) -> Any:
    """The adjoint of q1 that says what those of q1 and of q2 say, where (q1, q2) is unitary.

    q2 turns with q1; how it turns in itself is LAPACK's choice, and nothing may depend on it.
    """
    turn = np.matmul(transposed(q2), g2)
    turn = turn - conj_t(turn)
    scale = np.sqrt(np.finfo(q2.dtype).eps) * np.sum(np.abs(g2), axis=(-2, -1), keepdims=True)
    if np.any(np.abs(turn) > scale):
        raise UnsupportedError(
            "a result that depends on which basis of a complement (the extra columns of svd with "
            "full_matrices=True, of qr with mode='complete') was chosen"
        )
    return g1 - np.matmul(conj(q2), conj_t(np.matmul(transposed(q1), g2)))


def complement_tangent(q1: Any, q2: Any, inner: Any) -> Any:
    """The tangent of q2, where that of q1 is `inner` = q2^H q1' away from q1 itself."""
    r = -np.matmul(q1, conj_t(inner))
    free = q2.shape[-1] - (0 if is_complex(q2) else 1)
    return r + np.nan if free > 0 else r


# --------------------------------------------------------------------- inverses of triangles ---


@primitive
def triangle_inverse(x: Any) -> Any:
    """The inverse of lower triangular matrices; what is above the diagonal is not read.

    By halves (Higham, *Accuracy and Stability of Numerical Algorithms*, chapter 14), so that most
    of it is products of matrices.
    """
    n = x.shape[-1]
    if n <= _BLOCK:
        return np.tril(np.linalg.inv(np.tril(x)))
    k = n // 2
    first, last = triangle_inverse(x[..., :k, :k]), triangle_inverse(x[..., k:, k:])
    r = np.zeros(x.shape, first.dtype)
    r[..., :k, :k], r[..., k:, k:] = first, last
    r[..., k:, :k] = -np.matmul(last, np.matmul(x[..., k:, :k], first))
    return r


def _triangle_adjoint(g: Any, v: Any, x: Any) -> Any:
    vt = transposed(v)
    return -np.tril(np.matmul(np.matmul(vt, g), vt))


def _triangle_tangent(t: Any, v: Any, x: Any) -> Any:
    return -np.matmul(np.matmul(v, np.tril(t)), v)


RULES = (Rule(triangle_inverse, "x", _triangle_adjoint, _triangle_tangent, "v"),)
