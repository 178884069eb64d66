"""Least squares: np.linalg.pinv and lstsq.

The rank is taken to be constant: which singular values are cut off does not change nearby.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .contractions import column, conj, conj_t, transposed
from .matrices import both_triangles, one_triangle, triangle_inverse
from .table import Rule, as_array, primitive

_UNSET = object()
_NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2


# ----------------------------------------------------------------------------------------- pinv ---


@primitive
def pseudoinverse(a: Any, rcond: Any, hermitian: bool) -> Any:
    """np.linalg.pinv with all that its result depends on."""
    return np.linalg.pinv(a, rcond, hermitian)


def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _UNSET) -> Any:
    a = as_array(a)
    if rtol is not _UNSET and rcond is not None:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    if rcond is None:
        rcond = 1e-15 if rtol is _UNSET else rtol
        if rcond is None:
            rcond = max(a.shape[-2:]) * np.finfo(a.dtype).eps
    return pseudoinverse(a, rcond=rcond, hermitian=hermitian)


def _loses(a: Any, p: Any) -> bool:
    """Whether singular values that are not next to nothing were taken for 0."""
    lost = np.abs(a - np.matmul(np.matmul(a, p), a))
    return bool(np.any(lost > 1e-9 * np.max(np.abs(a), axis=(-2, -1), keepdims=True, initial=0.0)))


def _pinv_adjoint(g: Any, v: Any, a: Any, rcond: Any, hermitian: bool = False) -> Any:
    """Golub and Pereyra, *The differentiation of pseudo-inverses ...* (1973), transposed.

    It is right if what was cut off is next to nothing.
    """
    if hermitian:
        a = both_triangles(a)
    gh = conj_t(g)
    if _loses(a, v):
        r = _cut_adjoint(gh, a, rcond)
    else:
        vt = transposed(v)
        r = -np.matmul(np.matmul(vt, g), vt)
        left = np.matmul(np.matmul(gh, conj(v)), vt)
        r = r + left - np.matmul(conj(a), np.matmul(conj(v), left))
        right = np.matmul(vt, np.matmul(conj(v), gh))
        r = r + right - np.matmul(np.matmul(right, conj(v)), conj(a))
    return one_triangle(r) if hermitian else r


def _pinv_tangent(t: Any, v: Any, a: Any, rcond: Any, hermitian: bool = False) -> Any:
    if hermitian:
        a, t = both_triangles(a), both_triangles(t)
    if _loses(a, v):
        return conj_t(_cut_tangent(t, a, rcond))
    th, vh = conj_t(t), conj_t(v)
    left = np.matmul(np.matmul(v, vh), th)
    right = np.matmul(th, np.matmul(vh, v))
    return (
        -np.matmul(np.matmul(v, t), v)
        + (left - np.matmul(np.matmul(left, a), v))
        + (right - np.matmul(v, np.matmul(a, right)))
    )


def _cut(a: Any, rcond: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The singular vectors of a, and how U f(S) V^H depends on E = U^H a V if f(s) is 1 / s, or 0
    if that is cut off: by `own` E + `other` E^H, and by `outer` outside of U and V.

    Noferini, *A formula for the Frechet derivative of a generalized matrix function* (2017).
    """
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    bound = np.asarray(rcond)[..., None] * np.max(s, axis=-1, keepdims=True)
    kept = np.asarray(s > bound)
    both, cross = kept[..., None, :] & column(kept), kept[..., None, :] ^ column(kept)
    safe = np.where(kept, s, 1)
    gaps = np.where(cross, np.abs(s[..., None, :] ** 2 - column(s) ** 2), 1)
    lower = np.where(kept, np.zeros((), s.dtype), s)  # of a pair, the one that is cut
    ratio = (lower[..., None, :] + column(lower)) / (safe[..., None, :] * column(safe))
    own = np.where(cross, 1 / gaps, 0)
    other = np.where(
        cross, ratio / gaps, np.where(both, -1 / (safe[..., None, :] * column(safe)), 0)
    )
    return u, vh, own, other, np.where(kept, 1 / safe**2, 0)


def _cut_adjoint(h: Any, a: Any, rcond: Any) -> Any:
    u, vh, own, other, outer = _cut(a, rcond)
    ut, right = transposed(u), transposed(vh)
    uh, hv = np.matmul(ut, h), np.matmul(h, right)
    inner = np.matmul(ut, hv)
    r = np.matmul(conj(u), own * inner + conj_t(other * inner))
    r = r + (hv - np.matmul(conj(u), inner)) * outer[..., None, :]
    rest = column(outer) * (uh - np.matmul(inner, conj(vh)))
    return np.matmul(r, conj(vh)) + np.matmul(conj(u), rest)


def _cut_tangent(t: Any, a: Any, rcond: Any) -> Any:
    u, vh, own, other, outer = _cut(a, rcond)
    ut, tv = np.matmul(conj_t(u), t), np.matmul(t, conj_t(vh))
    inner = np.matmul(ut, conj_t(vh))
    r = np.matmul(u, own * inner + other * conj_t(inner))
    r = r + (tv - np.matmul(u, inner)) * outer[..., None, :]
    return np.matmul(r, vh) + np.matmul(u, column(outer) * (ut - np.matmul(inner, vh)))


# ---------------------------------------------------------------------------------------- lstsq ---


class _Fit:
    """The parts of a least squares problem, its right-hand sides as the columns of a matrix."""

    def __init__(self, v: Any, a: Any, b: Any, rcond: Any) -> None:
        if rcond is None:
            rcond = np.finfo(np.float64).eps * max(a.shape)
        elif isinstance(rcond, str) or rcond < 0:
            rcond = np.finfo(np.float64).eps
        self.a, self.rank, self.rcond = a, v[2], rcond
        self.vector = b.ndim == 1
        self.x, self.b, self.residuals = self.columns(v[0]), self.columns(b), v[1].size > 0
        self.r = self.b - np.matmul(a, self.x)
        self.p = self.pseudoinverse()

    def pseudoinverse(self) -> Any:
        """By qr where the rank is full, which takes a fraction of svd's time."""
        if self.rank == self.a.shape[1]:
            q, r = np.linalg.qr(self.a)
            return np.matmul(transposed(triangle_inverse(transposed(r))), conj_t(q))
        if self.rank == self.a.shape[0]:
            q, r = np.linalg.qr(conj_t(self.a))
            return np.matmul(q, conj(triangle_inverse(transposed(r))))
        return np.linalg.pinv(self.a, self.rcond)

    def columns(self, y: Any) -> Any:
        return y[:, None] if self.vector else y

    def shaped(self, y: Any) -> Any:
        return y[:, 0] if self.vector else y


def _lstsq_matrix(g: Any, v: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    """x is pinv(a) b; of a residual's change nothing comes from x, which is the best there is."""
    fit = _Fit(v, a, b, rcond)
    gx, p = fit.columns(g[0]), fit.p
    if fit.rank < min(a.shape):
        r = _pinv_adjoint(np.matmul(gx, transposed(fit.b)), p, a, fit.rcond)
    else:
        r = -np.matmul(np.matmul(transposed(p), gx), transposed(fit.x))
        along = np.matmul(conj_t(gx), conj(p))
        if fit.rank < a.shape[0]:
            r = r + np.matmul(conj(fit.r), np.matmul(along, transposed(p)))
        if fit.rank < a.shape[1]:
            across = conj_t(gx) - np.matmul(along, conj(a))
            r = r + np.matmul(np.matmul(transposed(p), conj(fit.x)), across)
    if fit.residuals:
        r = r - 2 * np.matmul(conj(fit.r) * g[1], transposed(fit.x))
    if np.any(g[3] != 0):
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        r = r + np.matmul(conj(u) * g[3], conj(vh))
    return r


def _lstsq_side(g: Any, v: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    fit = _Fit(v, a, b, rcond)
    r = np.matmul(transposed(fit.p), fit.columns(g[0]))
    if fit.residuals:
        r = r + 2 * conj(fit.r) * g[1]
    return fit.shaped(r)


def _lstsq_matrix_tangent(t: Any, v: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    fit = _Fit(v, a, b, rcond)
    p, tx, th = fit.p, np.matmul(t, fit.x), conj_t(t)
    if fit.rank < min(a.shape):
        x = np.matmul(_pinv_tangent(t, p, a, fit.rcond), fit.b)
    else:
        across = np.matmul(th, np.matmul(conj_t(p), fit.x))
        x = np.matmul(p, np.matmul(conj_t(p), np.matmul(th, fit.r)) - tx)
        x = x + across - np.matmul(p, np.matmul(a, across))
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    s = np.real(np.sum(np.matmul(conj_t(u), t) * conj(vh), axis=-1))
    return fit.shaped(x), _residuals_change(fit, -tx, v), 0, s


def _lstsq_side_tangent(t: Any, v: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    fit = _Fit(v, a, b, rcond)
    t = fit.columns(t)
    return fit.shaped(np.matmul(fit.p, t)), _residuals_change(fit, t, v), 0, np.zeros(v[3].shape)


def _residuals_change(fit: _Fit, change: Any, v: Any) -> Any:
    if not fit.residuals:
        return np.zeros(v[1].shape)
    return 2 * np.real(np.sum(conj(fit.r) * change, axis=0))


# --------------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(pseudoinverse, "a; rcond, hermitian", _pinv_adjoint, _pinv_tangent, "0v"),
    Rule(
        np.linalg.lstsq,
        "a, b; rcond=None" if _NUMPY_2 else "a, b; rcond='warn'",
        (_lstsq_matrix, _lstsq_side),
        (_lstsq_matrix_tangent, _lstsq_side_tangent),
        "01v",
    ),
)

COMPOSED = {np.linalg.pinv: _pinv}
