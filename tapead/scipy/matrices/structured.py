"""Matrices made from vectors and blocks; and what NumPy has too, which is given to NumPy.

Of the latter the values are NumPy's: they may differ from SciPy's in the last place, and
eigenvectors in sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from tapead.errors import UnsupportedError
from tapead.rules.table import as_array

# ------------------------------------------------------------------------- structured matrices ---


def block_diag(*arrs):
    """scipy.linalg.block_diag."""
    blocks = [np.atleast_2d(as_array(a)) for a in (arrs or ([],))]
    if any(a.ndim > 2 for a in blocks):
        raise UnsupportedError("tapead.scipy.linalg.block_diag of more than two dimensions")
    width = sum(a.shape[1] for a in blocks)
    dtype = np.result_type(*(a.dtype for a in blocks))
    rows, start = [], 0
    for a in blocks:
        before = np.zeros((a.shape[0], start), dtype)
        start += a.shape[1]
        rows.append(
            np.concatenate((before, a, np.zeros((a.shape[0], width - start), dtype)), axis=1)
        )
    return np.concatenate(rows)


def _vector(x: Any, name: str) -> Any:
    x = as_array(x)
    if x.ndim > 1:
        raise UnsupportedError(f"tapead.scipy.linalg.{name} of more than one dimension")
    return np.reshape(x, (-1,))


def toeplitz(c, r=None):
    """scipy.linalg.toeplitz."""
    c = _vector(c, "toeplitz")
    r = np.conj(c) if r is None else _vector(r, "toeplitz")
    n, m = c.shape[0], r.shape[0]
    diagonals = np.concatenate((c[::-1], r[1:]))
    return diagonals[n - 1 - np.arange(n)[:, None] + np.arange(m)]


def circulant(c):
    """scipy.linalg.circulant."""
    c = _vector(c, "circulant")
    n = c.shape[0]
    return c[(np.arange(n)[:, None] - np.arange(n)) % n]


def hankel(c, r=None):
    """scipy.linalg.hankel."""
    c = _vector(c, "hankel")
    r = np.zeros(c.shape[0], c.dtype) if r is None else _vector(r, "hankel")
    n, m = c.shape[0], r.shape[0]
    return np.concatenate((c, r[1:]))[np.arange(n)[:, None] + np.arange(m)]


# ---------------------------------------------------------------------------- by NumPy's own ---


def _only(function: str, **given: Any) -> None:
    """An error for options that NumPy does not have."""
    for name, (value, default) in given.items():
        if value is not default and value != default:
            raise UnsupportedError(f"tapead.scipy.linalg.{function}({name}={value!r})")


def det(a, overwrite_a=False, check_finite=True):
    """scipy.linalg.det."""
    return np.linalg.det(as_array(a))


def norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    """scipy.linalg.norm."""
    return np.linalg.norm(as_array(a), ord, axis, keepdims)


def eigh(
    a,
    b=None,
    *,
    lower=True,
    eigvals_only=False,
    overwrite_a=False,
    overwrite_b=False,
    type=1,
    check_finite=True,
    subset_by_index=None,
    subset_by_value=None,
    driver=None,
):
    """scipy.linalg.eigh of one matrix; the generalized problem and subsets are refused."""
    if b is not None:
        raise UnsupportedError("tapead.scipy.linalg.eigh(a, b): the generalized problem")
    _only("eigh", subset_by_index=(subset_by_index, None), subset_by_value=(subset_by_value, None))
    triangle = "L" if lower else "U"
    if eigvals_only:
        return np.linalg.eigvalsh(as_array(a), triangle)
    w, v = np.linalg.eigh(as_array(a), triangle)
    return w, v


def eigvalsh(a, b=None, *, lower=True, **options):
    """scipy.linalg.eigvalsh."""
    return eigh(a, b, lower=lower, eigvals_only=True, **options)


def svd(
    a,
    full_matrices=True,
    compute_uv=True,
    overwrite_a=False,
    check_finite=True,
    lapack_driver="gesdd",
):
    """scipy.linalg.svd."""
    if not compute_uv:
        return np.linalg.svd(as_array(a), full_matrices, False)
    u, s, vh = np.linalg.svd(as_array(a), full_matrices)
    return u, s, vh


def svdvals(a, overwrite_a=False, check_finite=True):
    """scipy.linalg.svdvals."""
    return np.linalg.svd(as_array(a), compute_uv=False)


def qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    """scipy.linalg.qr without pivoting."""
    _only("qr", pivoting=(pivoting, False))
    if mode == "r":
        return (np.linalg.qr(as_array(a), "r"),)
    modes = {"full": "complete", "economic": "reduced"}
    if mode not in modes:
        raise UnsupportedError(f"tapead.scipy.linalg.qr(mode={mode!r})")
    q, r = np.linalg.qr(as_array(a), modes[mode])
    return q, r


# ------------------------------------------------------------------------------------- tables ---

RULES = ()
COMPOSED = {
    getattr(sl, f.__name__): f
    for f in (
        block_diag, toeplitz, circulant, hankel, det, norm, eigh, eigvalsh, svd, svdvals, qr
    )
}  # fmt: skip
PRIMITIVES = ()
