"""np.linalg: systems of equations, inverses, determinants, condition numbers.

The formulas are those of Giles, *Collected matrix derivative results for forward and reverse mode
algorithmic differentiation* (2008), with the adjoints of complex matrices not conjugated: for
holomorphic functions, which most of these are, nothing changes but that every transpose is one
without conjugation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .contractions import column, conj, conj_t, times, transposed
from .matrices import square
from .reductions import cast
from .table import Rule, as_array, primitive, product, unbroadcast

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
    r = times(column(h), v[..., None, :]) if vector else np.matmul(h, transposed(v))
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


# ----------------------------------------------------------------- condition numbers and tables ---


def _cond(x: Any, p: Any = None) -> Any:
    """As NumPy's, but that a singular matrix is refused where p asks for its inverse."""
    x = as_array(x)
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            r = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            axes = (-2, -1)
            # NumPy inverts in double precision, whatever x is.
            wide = np.result_type(x.dtype, np.float64)
            r = np.linalg.norm(x, p, axes) * np.linalg.norm(np.linalg.inv(cast(x, wide)), p, axes)
            if wide != x.dtype and x.dtype.kind in "fc":
                r = cast(r, np.finfo(x.dtype).dtype)[()]  # a number stays one
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
)

COMPOSED = {
    np.linalg.cond: _cond,
    np.linalg.tensorinv: _tensorinv,
    np.linalg.tensorsolve: _tensorsolve,
}

DECISIONS = (np.linalg.matrix_rank,)
