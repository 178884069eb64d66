"""Rules of NumPy's polynomials by coefficients: values, arithmetic, roots and fits.

Polynomials are arrays of coefficients, highest power first.  A ``poly1d`` is refused wherever one
would have to hold tracked coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .sequences import convolved_with
from .table import LINEAR, Rule, as_array, primitive


def _refuse_poly1d(*operands: Any) -> None:
    if any(isinstance(p, np.poly1d) for p in operands):
        raise UnsupportedError(
            "a poly1d cannot hold tracked coefficients; give its `.coeffs` to the function instead"
        )


def polyval(p, x):
    """np.polyval, of numbers and arrays but not of one polynomial in another."""
    _refuse_poly1d(x)
    p = as_array(p)
    if p.ndim != 1:
        raise UnsupportedError("np.polyval with coefficients that are not 1-D")
    return evaluated(p, as_array(x))


@primitive
def evaluated(p: Any, x: Any) -> Any:
    """The polynomial with coefficients p, highest power first, at x."""
    return np.polyval(p, x)


def _evaluated_adjoint_p(g, v, p, x):
    """The sums of g times each power of x, by Horner's rule read backward."""
    sums = []
    for k in range(p.shape[0]):
        g = g * x if k else g
        sums.append(np.sum(g))
    return np.stack(sums[::-1]) if sums else np.zeros(p.shape)


def _evaluated_slope(p, x):
    return evaluated(polyder(p), x) if p.shape[0] > 1 else np.zeros(x.shape)


def _padded(a1: Any, a2: Any) -> tuple[Any, Any]:
    _refuse_poly1d(a1, a2)
    a1, a2 = np.atleast_1d(as_array(a1)), np.atleast_1d(as_array(a2))
    n = max(a1.shape[0], a2.shape[0])
    return _lengthened(a1, n), _lengthened(a2, n)


def _lengthened(a: Any, n: int) -> Any:
    """Coefficients with zeros before them, n in all."""
    missing = n - a.shape[0]
    return np.concatenate((np.zeros(missing, a.dtype), a)) if missing else a


def polyadd(a1, a2):
    """np.polyadd."""
    a1, a2 = _padded(a1, a2)
    return a1 + a2


def polysub(a1, a2):
    """np.polysub."""
    a1, a2 = _padded(a1, a2)
    return a1 - a2


def polymul(a1, a2):
    """np.polymul."""
    _refuse_poly1d(a1, a2)
    return multiplied(a1, a2)


@primitive
def multiplied(a1: Any, a2: Any) -> Any:
    """np.polymul, which drops leading zeros of its operands."""
    return np.polymul(a1, a2)


def _polymul_adjoint(this: int) -> Any:
    def adjoint(g, v, a, b):
        # The leading zeros that were dropped still add to the powers that are left.
        g = _lengthened(g, max(a.size, 1) + max(b.size, 1) - 1)
        return convolved_with(g, b, a) if this == 0 else convolved_with(g, a, b)

    return adjoint


def _polymul_tangent(t, v, *operands):
    a, b = (np.reshape(x, (-1,)) for x in operands)
    return np.convolve(a, b)[-v.shape[0] :]


def polyder(p, m=1):
    """np.polyder."""
    _refuse_poly1d(p)
    p, m = as_array(p), int(m)
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return p


def polyint(p, m=1, k=None):
    """np.polyint."""
    _refuse_poly1d(p)
    p, m = as_array(p), int(m)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    k = np.zeros(m) if k is None else np.atleast_1d(as_array(k))
    if k.shape[0] == 1 and m > 1:
        k = k[0] * np.ones(m)
    if k.shape[0] < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        p = np.concatenate((p / np.arange(p.shape[0], 0, -1), k[i : i + 1]))
    return p


def polydiv(u, v):
    """np.polydiv."""
    _refuse_poly1d(u, v)
    u, v = np.atleast_1d(as_array(u)) + 0.0, np.atleast_1d(as_array(v)) + 0.0
    m, n = u.shape[0] - 1, v.shape[0] - 1
    scale = 1.0 / v[0]
    quotient = []
    r = u + 0.0 * v[0]
    for k in range(m - n + 1):
        d = scale * r[k]
        quotient.append(d)
        r = np.concatenate((r[:k], r[k : k + n + 1] - d * v, r[k + n + 1 :]))
    while r.shape[0] > 1 and np.allclose(r[0], 0, rtol=1e-14):
        r = r[1:]
    return np.stack(quotient) if quotient else np.zeros(1, r.dtype), r


def _vander_adjoint(g, v, x, N=None, increasing=False):  # noqa: N803 - NumPy's name
    if v.shape[1] < 2:
        return np.zeros(x.shape, v.dtype)
    g, v = (g, v) if increasing else (g[:, ::-1], v[:, ::-1])
    return np.sum(g[:, 1:] * v[:, :-1] * np.arange(1, v.shape[1]), axis=1)


def _vander_tangent(t, v, x, N=None, increasing=False):  # noqa: N803
    if v.shape[1] < 2:
        return np.zeros(v.shape, v.dtype)
    v = v if increasing else v[:, ::-1]
    slopes = v[:, :-1] * np.arange(1, v.shape[1]) * t[:, None]
    slopes = np.concatenate((np.zeros((v.shape[0], 1), v.dtype), slopes), axis=1)
    return slopes if increasing else slopes[:, ::-1]


def _roots_adjoint(g, v, p):
    """A root moves by -(the change of the polynomial there) / (its slope there)."""
    if v.shape[0] == 0:
        return np.zeros(p.shape)
    moved = -g / evaluated(polyder(p), v)
    return np.sum(moved[:, None] * np.vander(v, p.shape[0]), axis=0)


def _roots_tangent(t, v, p):
    if v.shape[0] == 0:
        return np.zeros(0)
    return -evaluated(t, v) / evaluated(polyder(p), v)


def poly(seq_of_zeros):
    """np.poly."""
    zeros = np.atleast_1d(as_array(seq_of_zeros))
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        zeros = np.linalg.eigvals(zeros)
    elif zeros.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if zeros.shape[0] == 0:
        return 1.0
    one = np.ones(1, zeros.dtype)
    p = one
    for k in range(zeros.shape[0]):
        p = np.convolve(p, np.concatenate((one, -zeros[k : k + 1])))
    # Zeros in conjugate pairs are those of a real polynomial.
    if np.iscomplexobj(p) and np.all(np.sort(zeros) == np.sort(np.conj(zeros))):
        return np.real(p)
    return p


def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """np.polyfit: the same scaled least squares."""
    x, y, order = as_array(x) + 0.0, as_array(y) + 0.0, int(deg) + 1
    _check_fit(x, y, order)
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    lhs, rhs = np.vander(x, order), y
    if w is not None:
        w = as_array(w) + 0.0
        if w.ndim != 1 or w.shape[0] != y.shape[0]:
            raise TypeError("expected 1-d weights of the length of w and y")
        lhs = lhs * w[:, None]
        rhs = rhs * (w[:, None] if rhs.ndim == 2 else w)
    scale = np.sqrt(np.sum(lhs * lhs, axis=0))
    lhs = lhs / scale
    c, residuals, rank, s = np.linalg.lstsq(lhs, rhs, rcond)
    c = (c.T / scale).T
    if full:
        return c, residuals, rank, s, rcond
    if rank != order:
        raise UnsupportedError(
            f"np.polyfit with {order} coefficients of which the data determine only {rank}"
        )
    if not cov:
        return c
    base = np.linalg.inv(np.dot(lhs.T, lhs)) / np.outer(scale, scale)
    if not isinstance(cov, str) or cov != "unscaled":
        if len(x) <= order:
            raise ValueError(
                "the number of data points must exceed order to scale the covariance matrix"
            )
        residuals = residuals / (len(x) - order)
        base = base * residuals if y.ndim == 1 else base[:, :, None] * residuals
    elif y.ndim == 2:
        base = base[:, :, None]
    return c, base


def _check_fit(x: Any, y: Any, order: int) -> None:
    """The errors that np.polyfit raises."""
    if order < 1:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1:
        raise TypeError("expected 1D vector for x")
    if x.size == 0:
        raise TypeError("expected non-empty vector for x")
    if y.ndim not in (1, 2):
        raise TypeError("expected 1D or 2D array for y")
    if x.shape[0] != y.shape[0]:
        raise TypeError("expected x and y to have same length")


# --------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(
        evaluated,
        "p, x",
        (_evaluated_adjoint_p, lambda g, v, p, x: g * _evaluated_slope(p, x)),
        (LINEAR, lambda t, v, p, x: t * _evaluated_slope(p, x)),
        needs=("1", "01"),
    ),
    Rule(
        multiplied,
        "a1, a2",
        (_polymul_adjoint(0), _polymul_adjoint(1)),
        (
            lambda t, v, a, b: _polymul_tangent(t, v, t, b),
            lambda t, v, a, b: _polymul_tangent(t, v, a, t),
        ),
        needs=("1", "0"),
    ),
    Rule(np.vander, "x; N=None, increasing=False", _vander_adjoint, _vander_tangent, needs="v"),
    Rule(np.roots, "p", _roots_adjoint, _roots_tangent, needs="0v"),
)

COMPOSED = {
    np.polyval: polyval,
    np.polymul: polymul,
    np.polyadd: polyadd,
    np.polysub: polysub,
    np.polyder: polyder,
    np.polyint: polyint,
    np.polydiv: polydiv,
    np.poly: poly,
    np.polyfit: polyfit,
}
