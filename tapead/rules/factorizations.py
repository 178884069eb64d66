"""Decompositions of np.linalg: svd, qr, cholesky.

Sources: Giles 2008 (*Collected matrix derivative results ...*); Seeger et al. 2017
(*Auto-differentiating linear algebra*); Walter and Lehmann 2010 (*Algorithmic differentiation of
linear algebra functions with application in optimum experimental design*).

What is not unique is differentiated as LAPACK chooses it: of complex singular vectors it makes real
the first components of V (m >= n) or of U (m < n), of qr the diagonal of R.  Singular vectors of
values that are equal up to rounding have no derivative, nor have left ones of the value 0 (m > n)
and right ones (m < n): nan or infinity there if those vectors are used.  Of extra columns, which
are a basis of a complement, only what does not depend on which basis it is has a derivative: an
adjoint that does is refused, a tangent is nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .contractions import column, conj, conj_t, transposed
from .matrices import (
    at_row,
    both_triangles,
    by_gaps,
    complement_tangent,
    diagonal,
    eye,
    is_complex,
    kept_real,
    one_triangle,
    pairs_of,
    phase_slope,
    triangle_inverse,
    turned,
    used_columns,
    without_complement,
)
from .table import Rule, as_array, primitive, product

_SVD_RESULT = type(np.linalg.svd(np.eye(1)))
_HAS_UPPER = int(np.__version__.partition(".")[0]) >= 2

# ------------------------------------------------------------------------------------------ svd ---


@primitive
def svd_factors(a: Any, full_matrices: bool) -> Any:
    """np.linalg.svd with singular vectors."""
    return np.linalg.svd(a, full_matrices=full_matrices)


@primitive
def svd_values(a: Any) -> Any:
    """np.linalg.svd without singular vectors."""
    return np.linalg.svd(a, compute_uv=False)


def _split(v: Any, k: int) -> tuple[Any, Any, Any, Any, Any]:
    """The factors of a full decomposition as those of a reduced one, and what is left of them."""
    u, s, vh = v
    return u[..., :, :k], s, vh[..., :k, :], u[..., :, k:], vh[..., k:, :]


def _svd_adjoint(g: Any, v: Any, a: Any, full_matrices: bool = True) -> Any:
    """a = U S V^H; U^H U' and V^H V' are (P + P^H) / 2 (s_j - s_i) plus and minus
    (P - P^H) / 2 (s_j + s_i), where P = U^H a' V."""
    k = v[1].shape[-1]
    u, s, vh, u2, vh2 = _split(v, k)
    gu, gs, gvh, gu2, gvh2 = _split(g, k)
    if u2.shape[-1] and np.any(gu2 != 0):
        gu = without_complement(gu, gu2, u, u2)
    gv, right = conj_t(gvh), conj_t(vh)
    if vh2.shape[-2] and np.any(gvh2 != 0):
        gv = without_complement(gv, conj_t(gvh2), right, conj_t(vh2))
    gs = np.where(s == 0, np.zeros((), gs.dtype), gs)
    if not np.any(gu != 0) and not np.any(gv != 0):
        return np.matmul(conj(u) * gs[..., None, :], conj(vh))
    used = pairs_of(used_columns(gu) | used_columns(gv))
    if is_complex(u):
        gu, gv = _svd_turned(gu, gv, u, right)
    x, y = np.matmul(transposed(u), gu), np.matmul(transposed(right), gv)
    near, far = 0.5 * by_gaps(x + y, s, used), 0.5 * _by_sums(x - y, s)
    inner = near + conj_t(near) + far - conj_t(far)
    inner = inner + np.where(eye(inner), gs[..., None, :], np.zeros((), gs.dtype))
    inverse = _inverse(s)
    r = np.matmul(conj(u), inner)
    if u.shape[-2] > k:
        r = r + product(gu - np.matmul(conj(u), x), inverse[..., None, :])
    r = np.matmul(r, conj(vh))
    if right.shape[-2] > k:
        rest = product(conj_t(gv - np.matmul(conj(right), y)), column(inverse))
        r = r + np.matmul(conj(u), rest)
    return r


def _inverse(x: Any) -> Any:
    """1 / x, infinite at 0 without a warning."""
    return np.where(x == 0, np.inf, 1 / np.where(x == 0, 1, x))


def _by_sums(x: Any, s: Any) -> Any:
    """x_ij / (s_j + s_i), where x - x^H is all that matters: of a real x not the diagonal."""
    if not is_complex(x):
        x = np.where(eye(x), np.zeros((), x.dtype), x)
    return product(x, _inverse(s[..., None, :] + column(s)))


def _svd_turned(gu: Any, gv: Any, u: Any, right: Any) -> tuple[Any, Any]:
    """Adjoints of singular vectors without the part that goes with their common phase."""
    phase = phase_slope(u, gu) + phase_slope(right, gv)
    if u.shape[-2] >= right.shape[-2]:
        return gu, turned(phase / kept_real(right[..., 0, :]), at_row(right, 0), gv)
    return turned(phase / kept_real(u[..., 0, :]), at_row(u, 0), gu), gv


def _svd_tangent(t: Any, v: Any, a: Any, full_matrices: bool = True) -> Any:
    u, s, vh, u2, vh2 = _split(v, v[1].shape[-1])
    right = conj_t(vh)
    tv, tu = np.matmul(t, right), np.matmul(conj_t(t), u)
    p = np.matmul(conj_t(u), tv)
    ph = conj_t(p)
    near = 0.5 * by_gaps(p + ph, s, p + ph != 0)
    far = 0.5 * _by_sums(p - ph, s)
    inverse = _inverse(s)[..., None, :]
    du = np.matmul(u, near + far)
    dv = np.matmul(right, near - far)
    if u.shape[-2] > s.shape[-1]:
        du = du + product(tv - np.matmul(u, p), inverse)
    if right.shape[-2] > s.shape[-1]:
        dv = dv + product(tu - np.matmul(right, ph), inverse)
    if is_complex(u):
        fixed, change = (right, dv) if u.shape[-2] >= right.shape[-2] else (u, du)
        turn = 1j * (np.imag(change[..., 0, :]) / kept_real(fixed[..., 0, :]))[..., None, :]
        du, dv = du - turn * u, dv - turn * right
    if u2.shape[-1]:
        inner = product(np.matmul(conj_t(u2), tv), inverse)
        du = np.concatenate((du, complement_tangent(u, u2, inner)), axis=-1)
    if vh2.shape[-2]:
        inner = product(np.matmul(vh2, tu), inverse)
        dv = np.concatenate((dv, complement_tangent(right, conj_t(vh2), inner)), axis=-1)
    return du, np.where(s == 0, 0.0, np.real(diagonal(p))), conj_t(dv)


def _values_adjoint(g: Any, v: Any, a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    g = np.where(s == 0, np.zeros((), g.dtype), g)
    return np.matmul(conj(u) * g[..., None, :], conj(vh))


def _values_tangent(t: Any, v: Any, a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    r = np.real(np.sum(np.matmul(conj_t(u), t) * conj(vh), axis=-1))
    return np.where(s == 0, np.zeros((), r.dtype), r)


def _svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    a = as_array(a)
    if not hermitian:
        return svd_factors(a, full_matrices=full_matrices) if compute_uv else svd_values(a)
    if not compute_uv:
        return np.sort(np.abs(np.linalg.eigvalsh(a)))[..., ::-1]
    # A singular value is an eigenvalue's modulus; the sign goes to the right vectors.
    w, u = np.linalg.eigh(a)
    order = np.argsort(np.abs(w))[..., ::-1]
    signs = np.take_along_axis(np.copysign(1.0, w), order, axis=-1)
    s = np.take_along_axis(np.abs(w), order, axis=-1)
    u = np.take_along_axis(u, order[..., None, :], axis=-1)
    vh = conj_t(u * signs[..., None, :])
    return _SVD_RESULT(u, s, vh)


# ------------------------------------------------------------------------------------------- qr ---


@primitive
def qr_factors(a: Any, mode: str) -> Any:
    """np.linalg.qr with Q and R."""
    return np.linalg.qr(a, mode)


@primitive
def qr_triangle(a: Any) -> Any:
    """np.linalg.qr with R alone."""
    return np.linalg.qr(a, "r")


def _qr_square(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """The adjoint of a matrix that has at least as many rows as columns."""
    b = np.matmul(gr, transposed(r)) - np.matmul(transposed(q), gq)
    upper = np.triu(b, 1)
    inner = np.where(eye(b), np.real(b), upper + conj_t(upper))
    return np.matmul(gq + np.matmul(conj(q), inner), triangle_inverse(transposed(r)))


def _qr_adjoint(g: Any, v: Any, a: Any, mode: str = "reduced") -> Any:
    """a' R^-1 = Q' + Q R' R^-1, where Q^H Q' is skew and R' R^-1 is upper triangular."""
    (gq, gr), (q, r) = g, v
    m, n = r.shape[-2], r.shape[-1]
    if q.shape[-1] > n:
        gq1, gq2, q1, q2 = gq[..., :n], gq[..., n:], q[..., :n], q[..., n:]
        if np.any(gq2 != 0):
            gq1 = without_complement(gq1, gq2, q1, q2)
        return _qr_square(gq1, gr[..., :n, :], q1, r[..., :n, :])
    if m >= n:
        return _qr_square(gq, gr, q, r)
    # The columns that are left are Q times theirs of R.
    gq = gq + np.matmul(conj(np.matmul(q, r[..., m:])), conj_t(gr[..., m:]))
    first = _qr_square(gq, gr[..., :m], q, r[..., :m])
    return np.concatenate((first, np.matmul(conj(q), gr[..., m:])), axis=-1)


def _qr_tangent(t: Any, v: Any, a: Any, mode: str = "reduced") -> Any:
    q, r = v
    n, k = r.shape[-1], min(q.shape[-2], r.shape[-1])
    q1, r1 = q[..., :k], r[..., :k, :k]
    tr = np.matmul(t[..., :k], transposed(triangle_inverse(transposed(r1))))
    c = np.matmul(conj_t(q1), tr)
    inner = np.triu(c, 1) + conj_t(np.tril(c, -1))
    inner = np.where(eye(c), np.real(c), inner)
    dq, dr = tr - np.matmul(q1, inner), np.matmul(inner, r1)
    if n > k:
        rest = np.matmul(conj_t(dq), np.matmul(q, r[..., k:])) + np.matmul(conj_t(q), t[..., k:])
        dr = np.concatenate((dr, rest), axis=-1)
    if q.shape[-1] > k:
        q2 = q[..., k:]
        dq2 = complement_tangent(q1, q2, np.matmul(conj_t(q2), tr))
        dq = np.concatenate((dq, dq2), axis=-1)
        below = np.zeros((*dr.shape[:-2], q.shape[-1] - k, n), dr.dtype)
        dr = np.concatenate((dr, below), axis=-2)
    return dq, dr


def _triangle_adjoint(g: Any, v: Any, a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return _qr_adjoint((np.zeros(q.shape, q.dtype), g), (q, r), a)


def _triangle_tangent(t: Any, v: Any, a: Any) -> Any:
    return _qr_tangent(t, tuple(np.linalg.qr(a)), a)[1]


def _qr(a: Any, mode: str = "reduced") -> Any:
    a = as_array(a)
    if mode not in ("reduced", "complete", "r"):
        raise UnsupportedError(f"np.linalg.qr of tracked arrays with mode={mode!r}")
    return qr_triangle(a) if mode == "r" else qr_factors(a, mode=mode)


# ------------------------------------------------------------------------------------- cholesky ---


def _cholesky_adjoint(g: Any, v: Any, a: Any, upper: bool = False) -> Any:
    """a = L L^H; L^-1 L' is the lower half of L^-1 a' L^-H (Giles 2008, section 2.3.1; Murray,
    *Differentiation of the Cholesky decomposition*, 2016)."""
    if upper:
        g, v = conj_t(g), conj_t(v)
    inner = np.tril(np.matmul(transposed(v), g))
    inner = np.where(eye(inner), 0.5 * np.real(inner), inner)
    inverse = triangle_inverse(v)
    s = np.matmul(np.matmul(transposed(inverse), inner), conj(inverse))
    return one_triangle(s, not upper)


def _cholesky_tangent(t: Any, v: Any, a: Any, upper: bool = False) -> Any:
    t = both_triangles(t, not upper)
    if upper:
        v = conj_t(v)
    inverse = triangle_inverse(v)
    p = np.tril(np.matmul(np.matmul(inverse, t), conj_t(inverse)))
    r = np.matmul(v, np.where(eye(p), 0.5 * np.real(p), p))
    return conj_t(r) if upper else r


# ----------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(svd_factors, "a; full_matrices", _svd_adjoint, _svd_tangent, "v"),
    Rule(svd_values, "a", _values_adjoint, _values_tangent, "0"),
    Rule(qr_factors, "a; mode", _qr_adjoint, _qr_tangent, "v"),
    Rule(qr_triangle, "a", _triangle_adjoint, _triangle_tangent, "0"),
    Rule(
        np.linalg.cholesky,
        "a; *, upper=False" if _HAS_UPPER else "a",
        _cholesky_adjoint,
        _cholesky_tangent,
        "v",
    ),
)

COMPOSED = {np.linalg.svd: _svd, np.linalg.qr: _qr}
if hasattr(np.linalg, "svdvals"):
    COMPOSED[np.linalg.svdvals] = lambda x, /: svd_values(as_array(x))
