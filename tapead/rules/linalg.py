"""np.linalg: systems of equations, inverses, determinants, least squares.

The formulas are those of Giles, *Collected matrix derivative results for forward and reverse mode
algorithmic differentiation* (2008), with the adjoints of complex matrices not conjugated: for
holomorphic functions, which most of these are, nothing changes but that every transpose is one
without conjugation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import norms
from .contractions import column, conj, conj_t, transposed
from .matrices import both_triangles, one_triangle, square, triangle_inverse
from .table import Rule, as_array, primitive, product, unbroadcast

_UNSET = object()
_NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2

# Beyond this ratio of singular values the inverse is no way to the derivative of a cofactor.
_ILL = 1e-5


# ----------------------------------------------------------------------------------- solve, inv ---


def _is_vector(a: Any, b: Any) -> bool:
    """Whether the right-hand side is one vector, or a stack of them, and not matrices."""
    return b.ndim == (1 if _NUMPY_2 else a.ndim - 1)


def _solved(a: Any, b: Any, vector: bool) -> Any:
    """solve, where b is a stack of vectors for NumPy 2 too."""
    if not vector or a.ndim == 2 == b.ndim + 1:
        return np.linalg.solve(a, b)
    return np.linalg.solve(a, b[..., None])[..., 0]


def _solve_matrix(g: Any, v: Any, a: Any, b: Any) -> Any:
    vector = _is_vector(a, b)
    h = _solved(transposed(a), g, vector)
    r = product(column(h), v[..., None, :]) if vector else np.matmul(h, transposed(v))
    return unbroadcast(-r, a)


def _solve_side(g: Any, v: Any, a: Any, b: Any) -> Any:
    return unbroadcast(_solved(transposed(a), g, _is_vector(a, b)), b)


def _solve_tangent(t: Any, v: Any, a: Any, b: Any) -> Any:
    vector = _is_vector(a, b)
    r = np.matmul(t, column(v))[..., 0] if vector else np.matmul(t, v)
    return -_solved(a, r, vector)


def _inv_adjoint(g: Any, v: Any, a: Any) -> Any:
    vt = transposed(v)
    return -np.matmul(np.matmul(vt, g), vt)


def _inv_tangent(t: Any, v: Any, a: Any) -> Any:
    return -np.matmul(np.matmul(v, t), v)


def _tensorinv(a: Any, ind: int = 2) -> Any:
    a = as_array(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = (*a.shape[ind:], *a.shape[:ind])
    rows = math.prod(a.shape[ind:])
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), shape)


def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = as_array(a), as_array(b)
    if axes is not None:
        order = list(range(a.ndim))
        for k in axes:
            order.remove(k)
            order.insert(a.ndim, k)
        a = np.transpose(a, order)
    shape = tuple(a.shape)[-(a.ndim - b.ndim) :]
    n = math.prod(shape)
    if a.size != n**2:
        raise np.linalg.LinAlgError("prod(a.shape[b.ndim:]) is not prod(a.shape[:b.ndim])")
    return np.reshape(np.linalg.solve(np.reshape(a, (n, n)), np.ravel(b)), shape)


# --------------------------------------------------------------------------------- determinants ---


@primitive
def cofactors(a: Any) -> Any:
    """The derivative of det(a) by each element, right for singular matrices too."""
    det = np.linalg.det(a)
    if np.all(det != 0):
        return square(det) * transposed(np.linalg.inv(a))
    u, s, vh = np.linalg.svd(a)
    others = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :]), axis=-1)
    others = others * column(np.linalg.det(u) * np.linalg.det(vh))
    return np.matmul(conj(u) * others[..., None, :], conj(vh))


def _cofactors_change(t: Any, v: Any, a: Any) -> Any:
    """The second derivative of det in direction t.

    It is a symmetric form, so that this is the tangent and the adjoint of the cofactors.
    """
    s = np.linalg.svd(a, compute_uv=False)
    if np.all(s[..., -1:] > _ILL * s[..., :1]):
        x = transposed(np.linalg.inv(a))
        whole = square(np.sum(x * t, axis=(-2, -1)))
        return square(np.linalg.det(a)) * (whole * x - np.matmul(np.matmul(x, transposed(t)), x))
    return _singular_change(t, a)


def _singular_change(t: Any, a: Any) -> Any:
    """In the basis of the singular vectors det is a sum of products of the singular values.

    To second order det(S + T) = ... + sum over i < j of (t_ii t_jj - t_ij t_ji) and all other s_k.
    """
    u, s, vh = np.linalg.svd(a)
    diagonal = np.eye(s.shape[-1], dtype=bool)
    logs = np.log(np.maximum(s, np.finfo(s.dtype).tiny))
    others = np.exp(square(np.sum(logs, axis=-1)) - logs[..., None, :] - column(logs))
    others = np.where(diagonal, np.zeros((), s.dtype), others)
    others = others * square(np.linalg.det(u) * np.linalg.det(vh))
    t = np.matmul(np.matmul(conj_t(u), t), conj_t(vh))
    own = np.matmul(others, column(np.diagonal(t, axis1=-2, axis2=-1)))
    r = np.where(diagonal, own, -others * transposed(t))
    return np.matmul(np.matmul(conj(u), r), conj(vh))


def _det_adjoint(g: Any, v: Any, a: Any) -> Any:
    return product(square(g), cofactors(a))


def _det_tangent(t: Any, v: Any, a: Any) -> Any:
    return np.sum(product(t, cofactors(a)), axis=(-2, -1))


def _log_slope(a: Any, sign: Any) -> Any:
    """The transposed inverse, which times a' has the sum (log det)'; the identity if singular."""
    singular = square(np.asarray(sign == 0))
    return transposed(np.linalg.inv(np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a)))


def _slogdet_adjoint(g: Any, v: Any, a: Any) -> Any:
    """log |det| is the real part of log det; the sign's logarithm its imaginary part, times i."""
    g_sign, g_log = g
    if a.dtype.kind == "c":
        g_log = g_log + 1j * np.imag(g_sign * v[0])
    r = product(square(g_log), _log_slope(a, v[0]))
    lost = np.asarray(v[0] == 0) & np.asarray(g_log != 0)
    return np.where(square(lost), np.nan, r) if np.any(lost) else r


def _slogdet_tangent(t: Any, v: Any, a: Any) -> Any:
    z = np.sum(product(t, _log_slope(a, v[0])), axis=(-2, -1))
    lost = np.asarray(v[0] == 0) & np.any(t != 0, axis=(-2, -1))
    z = np.where(lost, np.nan, z) if np.any(lost) else z
    if a.dtype.kind == "c":
        return 1j * np.imag(z) * v[0], np.real(z)
    return np.zeros(z.shape), z


# -------------------------------------------------------------------------------- least squares ---


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


def _pinv_adjoint(g: Any, v: Any, a: Any, rcond: Any, hermitian: bool) -> Any:
    """Golub and Pereyra, *The differentiation of pseudo-inverses ...* (1973), transposed.

    The rank is taken to be constant: which singular values are cut off does not change.
    """
    if hermitian:
        a = both_triangles(a)
    vt = transposed(v)
    gh = conj_t(g)
    r = -np.matmul(np.matmul(vt, g), vt)
    left = np.matmul(np.matmul(gh, conj(v)), vt)
    r = r + left - np.matmul(conj(a), np.matmul(conj(v), left))
    right = np.matmul(vt, np.matmul(conj(v), gh))
    r = r + right - np.matmul(np.matmul(right, conj(v)), conj(a))
    return one_triangle(r) if hermitian else r


def _pinv_tangent(t: Any, v: Any, a: Any, rcond: Any, hermitian: bool) -> Any:
    if hermitian:
        a, t = both_triangles(a), both_triangles(t)
    th, vh = conj_t(t), conj_t(v)
    left = np.matmul(np.matmul(v, vh), th)
    right = np.matmul(th, np.matmul(vh, v))
    return (
        -np.matmul(np.matmul(v, t), v)
        + (left - np.matmul(np.matmul(left, a), v))
        + (right - np.matmul(v, np.matmul(a, right)))
    )


def _pseudoinverse_of_rank(a: Any, rank: int, rcond: Any) -> Any:
    """By qr where the rank is full, which takes a fraction of svd's time."""
    if rank == a.shape[1]:
        q, r = np.linalg.qr(a)
        return np.matmul(transposed(triangle_inverse(transposed(r))), conj_t(q))
    if rank == a.shape[0]:
        q, r = np.linalg.qr(conj_t(a))
        return np.matmul(q, conj(triangle_inverse(transposed(r))))
    if rcond is None:
        rcond = np.finfo(np.float64).eps * max(a.shape)
    elif isinstance(rcond, str) or rcond < 0:
        rcond = np.finfo(np.float64).eps
    return np.linalg.pinv(a, rcond)


class _Fit:
    """The parts of a least squares problem, its right-hand sides as the columns of a matrix."""

    def __init__(self, v: Any, a: Any, b: Any, rcond: Any) -> None:
        self.vector = b.ndim == 1
        self.a = a
        self.x, self.residuals = self.columns(v[0]), v[1].size > 0
        self.full = v[2] == a.shape[1]
        self.p = _pseudoinverse_of_rank(a, v[2], rcond)
        self.r = self.columns(b) - np.matmul(a, self.x)

    def columns(self, y: Any) -> Any:
        return y[:, None] if self.vector else y

    def shaped(self, y: Any) -> Any:
        return y[:, 0] if self.vector else y


def _lstsq_matrix(g: Any, v: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    """x is pinv(a) b; of a residual's change nothing comes from x, which is the best there is."""
    fit = _Fit(v, a, b, rcond)
    gx, p = fit.columns(g[0]), fit.p
    r = -np.matmul(np.matmul(transposed(p), gx), transposed(fit.x))
    along = np.matmul(conj_t(gx), conj(p))
    r = r + np.matmul(conj(fit.r), np.matmul(along, transposed(p)))
    if not fit.full:
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
    x = np.matmul(p, np.matmul(conj_t(p), np.matmul(th, fit.r)) - tx)
    if not fit.full:
        across = np.matmul(th, np.matmul(conj_t(p), fit.x))
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


def _cond(x: Any, p: Any = None) -> Any:
    """As NumPy's, but that a singular matrix is refused where p asks for its inverse."""
    x = as_array(x)
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            r = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            axes = (-2, -1)
            r = np.linalg.norm(x, p, axes) * np.linalg.norm(np.linalg.inv(x), p, axes)
    lost = np.logical_and(np.isnan(r), np.logical_not(np.any(np.isnan(x), axis=(-2, -1))))
    return np.where(lost, np.inf, r) if np.any(lost) else r


RULES = (
    Rule(
        np.linalg.solve,
        "a, b",
        (_solve_matrix, _solve_side),
        (_solve_tangent, lambda t, v, a, b: _solved(a, t, _is_vector(a, b))),
        ("0v", "0"),
    ),
    Rule(np.linalg.inv, "a", _inv_adjoint, _inv_tangent, "v"),
    Rule(np.linalg.det, "a", _det_adjoint, _det_tangent, "0"),
    Rule(cofactors, "a", _cofactors_change, _cofactors_change, "0"),
    Rule(np.linalg.slogdet, "a", _slogdet_adjoint, _slogdet_tangent, "0v"),
    Rule(pseudoinverse, "a; rcond, hermitian", _pinv_adjoint, _pinv_tangent, "0v"),
    Rule(
        np.linalg.lstsq,
        "a, b; rcond=None" if _NUMPY_2 else "a, b; rcond='warn'",
        (_lstsq_matrix, _lstsq_side),
        (_lstsq_matrix_tangent, _lstsq_side_tangent),
        "01v",
    ),
    *norms.RULES,
)

COMPOSED = {
    np.linalg.pinv: _pinv,
    np.linalg.cond: _cond,
    np.linalg.tensorinv: _tensorinv,
    np.linalg.tensorsolve: _tensorsolve,
    **norms.COMPOSED,
}

DECISIONS = (np.linalg.matrix_rank,)
