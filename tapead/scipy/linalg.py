"""SciPy's linear algebra, for tracked matrices too.

The functions have SciPy's signatures and, but for those that NumPy has as well, SciPy's values.
``overwrite_a`` and its kin only permit something and are not used: what is overwritten has no
derivative.  A function that reads one triangle of a matrix has its derivative there.

>>> import numpy as np, tapead
>>> from tapead.scipy import linalg
>>> tapead.grad(lambda a: np.trace(linalg.expm(a)))(np.zeros((2, 2)))
array([[1., 0.],
       [0., 1.]])
"""

from __future__ import annotations

from scipy import linalg as _scipy_linalg

from .matrices import equations, factors, functions, structured
from .matrices.equations import (
    solve,
    solve_banded,
    solve_continuous_lyapunov,
    solve_sylvester,
    solve_triangular,
)
from .matrices.factors import cho_factor, cho_solve, cholesky, lu_factor, lu_solve
from .matrices.functions import (
    coshm,
    cosm,
    expm,
    expm_frechet,
    fractional_matrix_power,
    inv,
    logm,
    sinhm,
    sinm,
    sqrtm,
    tanhm,
    tanm,
)
from .matrices.structured import (
    block_diag,
    circulant,
    det,
    eigh,
    eigvalsh,
    hankel,
    norm,
    qr,
    svd,
    svdvals,
    toeplitz,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "coshm",
    "cosm",
    "det",
    "eigh",
    "eigvalsh",
    "expm",
    "expm_frechet",
    "fractional_matrix_power",
    "hankel",
    "inv",
    "logm",
    "lu_factor",
    "lu_solve",
    "norm",
    "qr",
    "sinhm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "tanhm",
    "tanm",
    "toeplitz",
]

_FAMILIES = (equations, functions, factors, structured)
RULES = tuple(row for family in _FAMILIES for row in family.RULES)
COMPOSED = {original: f for family in _FAMILIES for original, f in family.COMPOSED.items()}
REPLACES = COMPOSED | {
    getattr(_scipy_linalg, f.__name__): f for family in _FAMILIES for f in family.PRIMITIVES
}
