"""Linear equations: general, triangular, banded and Sylvester's.

For M x = b the adjoint of b solves the transposed equation, and that of M is minus its product
with x (Giles, *Collected matrix derivative results for forward and reverse mode AD*, 2008).  What a
structure leaves unread of the given matrix has derivative 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from tapead.errors import UnsupportedError
from tapead.rules.table import Rule, as_array, primitive, unbroadcast


def transposed(a: Any) -> Any:
    """The transpose of a matrix, or of each of a stack."""
    return np.swapaxes(a, -1, -2)


def columns(b: Any, vector: bool) -> Any:
    """A vector, or a stack of them, as one column."""
    return b[..., None] if vector else b


def uncolumned(b: Any, vector: bool) -> Any:
    """The other way."""
    return b[..., 0] if vector else b


# --------------------------------------------------------------- structures, and what is read ---

_NAMES = {
    None: "gen",
    "general": "gen",
    "banded": "gen",  # the width is found in the matrix, so nothing is unread
    "symmetric": "sym",
    "hermitian": "her",
    "positive definite": "pos",
}
_TURNED = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}


def _structure(a: Any, assume_a: Any) -> str:
    """One name for each structure: a real positive matrix is symmetric, a complex one Hermitian."""
    kind = _NAMES.get(assume_a, assume_a)
    if kind in ("pos", "her"):
        return "her" if np.issubdtype(a.dtype, np.complexfloating) else "sym"
    return kind


def _band(x: Any, kind: str) -> Any:
    """The part of a matrix that a structure without symmetry reads."""
    if kind == "upper triangular":
        return np.triu(x)
    if kind == "lower triangular":
        return np.tril(x)
    if kind == "tridiagonal":
        return np.tril(np.triu(x, -1), 1)
    return np.tril(np.triu(x)) if kind == "diagonal" else x


def triangle_read(g: Any, lower: bool, hermitian: bool = False) -> Any:
    """The adjoint of the triangle that a symmetric matrix with adjoint g was made from."""
    other = np.conj(transposed(g)) if hermitian else transposed(g)
    strict = np.tril(other, -1) if lower else np.triu(other, 1)
    own = np.tril(g) if lower else np.triu(g)
    # A Hermitian matrix has a real diagonal, whatever stands there.
    return own + strict - (1j * np.imag(_band(g, "diagonal")) if hermitian else 0.0)


def symmetric_from(t: Any, lower: bool, hermitian: bool = False) -> Any:
    """The symmetric matrix that has this triangle."""
    own = np.tril(t) if lower else np.triu(t)
    other = np.tril(t, -1) if lower else np.triu(t, 1)
    other = np.conj(transposed(other)) if hermitian else transposed(other)
    return own + other - (1j * np.imag(_band(t, "diagonal")) if hermitian else 0.0)


def _read(g: Any, a: Any, assume_a: Any, lower: bool) -> Any:
    kind = _structure(a, assume_a)
    return triangle_read(g, lower, kind == "her") if kind in ("sym", "her") else _band(g, kind)


def _made(t: Any, a: Any, assume_a: Any, lower: bool) -> Any:
    kind = _structure(a, assume_a)
    return symmetric_from(t, lower, kind == "her") if kind in ("sym", "her") else _band(t, kind)


# -------------------------------------------------------------------------- general equations ---


def solve(
    a,
    b,
    lower=False,
    overwrite_a=False,
    overwrite_b=False,
    check_finite=True,
    assume_a=None,
    transposed=False,
):
    """scipy.linalg.solve."""
    a, b = as_array(a), as_array(b)
    if a.size == 1 and b.shape[-2 if b.ndim > 1 else -1 :][:1] not in ((1,), ()):
        raise UnsupportedError("scipy.linalg.solve with a number for a matrix: divide by it")
    return _solve(
        np.atleast_2d(a),
        np.atleast_1d(b),
        lower=lower,
        check_finite=check_finite,
        assume_a=assume_a,
        turned=transposed,
    )


@primitive
def _solve(a, b, lower=False, check_finite=True, assume_a=None, turned=False):
    options = {} if assume_a is None else {"assume_a": assume_a}
    return sl.solve(a, b, lower=lower, check_finite=check_finite, transposed=turned, **options)


def _turned_solve(a, b, lower, assume_a, turned):
    """The solution with the other of the matrix and its transpose."""
    if turned:
        return _solve(a, b, lower=lower, check_finite=False, assume_a=assume_a)
    assume_a = _TURNED.get(assume_a, assume_a)
    return _solve(transposed(a), b, lower=not lower, check_finite=False, assume_a=assume_a)


def _solve_adjoint_b(g, v, a, b, lower, check_finite, assume_a, turned):
    vector = b.ndim == 1
    gb = _turned_solve(a, columns(g, vector), lower, assume_a, turned)
    return unbroadcast(uncolumned(gb, vector), b)


def _solve_adjoint_a(g, v, a, b, lower, check_finite, assume_a, turned):
    vector = b.ndim == 1
    gb = _turned_solve(a, columns(g, vector), lower, assume_a, turned)
    x = columns(v, vector)
    product = np.matmul(x, transposed(gb)) if turned else np.matmul(gb, transposed(x))
    return unbroadcast(_read(-product, a, assume_a, lower), a)


def _solve_tangent_a(t, v, a, b, lower, check_finite, assume_a, turned):
    vector = b.ndim == 1
    t = _made(t, a, assume_a, lower)
    moved = -np.matmul(transposed(t) if turned else t, columns(v, vector))
    return uncolumned(
        _solve(a, moved, lower=lower, check_finite=False, assume_a=assume_a, turned=turned), vector
    )


def _solve_tangent_b(t, v, a, b, lower, check_finite, assume_a, turned):
    return _solve(a, t, lower=lower, check_finite=False, assume_a=assume_a, turned=turned)


# ----------------------------------------------------------------------- triangular equations ---


@primitive
def solve_triangular(
    a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True
):
    """scipy.linalg.solve_triangular."""
    return sl.solve_triangular(
        a,
        b,
        trans=trans,
        lower=lower,
        unit_diagonal=unit_diagonal,
        check_finite=check_finite,
    )


def _trans(trans: Any) -> int:
    return {"N": 0, "T": 1, "C": 2}.get(trans, trans)


def _triangular(a, b, trans, lower, unit_diagonal):
    return solve_triangular(a, b, trans, lower, unit_diagonal, False, False)


def _triangular_adjoint_b(g, v, a, b, trans, lower, unit_diagonal, overwrite_b, check_finite):
    vector = b.ndim == 1
    g = columns(g, vector)
    if _trans(trans) == 2:
        gb = np.conj(_triangular(a, np.conj(g), 0, lower, unit_diagonal))
    else:
        gb = _triangular(a, g, 1 - _trans(trans), lower, unit_diagonal)
    return unbroadcast(uncolumned(gb, vector), b)


def _triangular_part(x, lower, unit_diagonal):
    return np.tril(x, -unit_diagonal) if lower else np.triu(x, +unit_diagonal)


def _triangular_adjoint_a(g, v, a, b, trans, lower, unit_diagonal, overwrite_b, check_finite):
    vector = b.ndim == 1
    gb, x = columns(g, vector), columns(v, vector)
    gb = _triangular_adjoint_b(gb, v, a, gb, trans, lower, unit_diagonal, overwrite_b, check_finite)
    trans = _trans(trans)
    product = np.matmul(x, transposed(gb)) if trans else np.matmul(gb, transposed(x))
    product = np.conj(product) if trans == 2 else product
    return unbroadcast(_triangular_part(-product, lower, int(unit_diagonal)), a)


def _triangular_tangent_a(t, v, a, b, trans, lower, unit_diagonal, overwrite_b, check_finite):
    vector = b.ndim == 1
    t = _triangular_part(t, lower, int(unit_diagonal))
    if _trans(trans):
        t = transposed(np.conj(t) if _trans(trans) == 2 else t)
    moved = -np.matmul(t, columns(v, vector))
    return uncolumned(_triangular(a, moved, trans, lower, unit_diagonal), vector)


def _triangular_tangent_b(t, v, a, b, trans, lower, unit_diagonal, overwrite_b, check_finite):
    return _triangular(a, t, trans, lower, unit_diagonal)


# --------------------------------------------------------------------------- banded equations ---


def solve_banded(l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True):
    """scipy.linalg.solve_banded."""
    lower, upper = (int(n) for n in l_and_u)
    ab, b = as_array(ab), as_array(b)
    if ab.ndim != 2 or b.ndim > 2:
        raise UnsupportedError("scipy.linalg.solve_banded of stacks of matrices")
    return _solve_banded(ab, b, lower=lower, upper=upper, check_finite=check_finite)


@primitive
def _solve_banded(ab, b, lower, upper, check_finite=True):
    return sl.solve_banded((lower, upper), ab, b, check_finite=check_finite)


def _shifted(row: Any, by: int) -> Any:
    """A diagonal as it is stored for the transposed matrix: `by` columns to the right."""
    if by == 0:
        return row
    zeros = np.zeros(min(abs(by), row.shape[0]), row.dtype)
    return np.concatenate((zeros, row[:-by]) if by > 0 else (row[-by:], zeros))


def _banded_transposed(ab, upper):
    rows = [_shifted(ab[r], r - upper) for r in range(ab.shape[0])]
    return np.stack(rows[::-1])


def _banded_adjoint_b(g, v, ab, b, lower, upper, check_finite):
    turned = _banded_transposed(ab, upper)
    return _solve_banded(turned, g, lower=upper, upper=lower, check_finite=False)


def _banded_adjoint_ab(g, v, ab, b, lower, upper, check_finite):
    vector = b.ndim == 1
    gb = columns(_banded_adjoint_b(g, v, ab, b, lower, upper, check_finite), vector)
    x = columns(v, vector)
    n = ab.shape[1]
    rows = []
    for d in range(upper, -lower - 1, -1):  # the diagonal of elements (j - d, j)
        first, last = max(d, 0), min(n, n + d)
        row = -np.sum(gb[first - d : last - d] * x[first:last], axis=1)
        rows.append(
            np.concatenate((np.zeros(first, row.dtype), row, np.zeros(n - last, row.dtype)))
        )
    return np.stack(rows)


def _banded_tangent_ab(t, v, ab, b, lower, upper, check_finite):
    vector = b.ndim == 1
    x = columns(v, vector)
    n = ab.shape[1]
    moved = np.zeros(x.shape)
    for r, d in enumerate(range(upper, -lower - 1, -1)):
        first, last = max(d, 0), min(n, n + d)
        part = -t[r, first:last, None] * x[first:last]
        before = np.zeros((first - d, x.shape[1]), part.dtype)
        after = np.zeros((n - last + d, x.shape[1]), part.dtype)
        moved = moved + np.concatenate((before, part, after))
    solved = _solve_banded(ab, moved, lower=lower, upper=upper, check_finite=False)
    return uncolumned(solved, vector)


def _banded_tangent_b(t, v, ab, b, lower, upper, check_finite):
    return _solve_banded(ab, t, lower=lower, upper=upper, check_finite=False)


# ----------------------------------------------------------------------- Sylvester's equation ---


@primitive
def solve_sylvester(a, b, q):
    """scipy.linalg.solve_sylvester: the x with a x + x b = q."""
    if any(map(np.iscomplexobj, (a, b, q))):
        # SciPy takes the real factor of a real matrix beside a complex one, whose blocks it then
        # misreads (seen in SciPy 1.17).
        a, b, q = (np.asarray(x, np.result_type(x, 1j)) for x in (a, b, q))
    return sl.solve_sylvester(a, b, q)


def _sylvester_adjoint_q(g, v, a, b, q):
    return solve_sylvester(transposed(a), transposed(b), g)


def solve_continuous_lyapunov(a, q):
    """scipy.linalg.solve_continuous_lyapunov: the x with a x + x a^H = q."""
    a = as_array(a)
    return solve_sylvester(a, np.conj(transposed(a)), as_array(q))


# ------------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(
        _solve,
        "a, b; lower=False, check_finite=True, assume_a=None, turned=False",
        (_solve_adjoint_a, _solve_adjoint_b),
        (_solve_tangent_a, _solve_tangent_b),
        needs=("0v", "0"),
    ),
    Rule(
        solve_triangular,
        "a, b; trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True",
        (_triangular_adjoint_a, _triangular_adjoint_b),
        (_triangular_tangent_a, _triangular_tangent_b),
        needs=("0v", "0"),
    ),
    Rule(
        _solve_banded,
        "ab, b; lower, upper, check_finite=True",
        (_banded_adjoint_ab, _banded_adjoint_b),
        (_banded_tangent_ab, _banded_tangent_b),
        needs=("0v", "0"),
    ),
    Rule(
        solve_sylvester,
        "a, b, q",
        (
            lambda g, v, a, b, q: -np.matmul(_sylvester_adjoint_q(g, v, a, b, q), transposed(v)),
            lambda g, v, a, b, q: -np.matmul(transposed(v), _sylvester_adjoint_q(g, v, a, b, q)),
            _sylvester_adjoint_q,
        ),
        (
            lambda t, v, a, b, q: -solve_sylvester(a, b, np.matmul(t, v)),
            lambda t, v, a, b, q: -solve_sylvester(a, b, np.matmul(v, t)),
            lambda t, v, a, b, q: solve_sylvester(a, b, t),
        ),
        needs=("01v", "01v", "01"),
    ),
)

COMPOSED = {
    sl.solve: solve,
    sl.solve_banded: solve_banded,
    sl.solve_continuous_lyapunov: solve_continuous_lyapunov,
}
PRIMITIVES = (solve_triangular, solve_sylvester)
