"""Products with SciPy's sparse matrices, which are constants, and equations with them.

``S @ x`` asks the sparse matrix first.  It turns x into an array; where `x.__array__` gives an
object array without dimensions it takes x for something that it does not know, and Python asks x.
So an array type that does this, when ``scipy.sparse`` calls it (`asked_by_sparse`), gets the
product to compute, by `operator` below, in both orders.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

import numpy as np
from scipy import sparse as ss
from scipy.sparse import linalg as ssl

from tapead.errors import UnsupportedError
from tapead.rules.table import Rule, as_array, primitive

from .rows.words import Refused

__all__ = ["asked_by_sparse", "operator", "product", "spsolve"]

_NOT_CONSTANT = Refused("the elements of a sparse matrix are constants")


def asked_by_sparse(frame: FrameType) -> bool:
    """Whether a frame is a sparse matrix's that looks at the other operand of a product."""
    code = frame.f_code
    return code.co_name == "_matmul_dispatch" and "sparse" in code.co_filename


def _kept(s: Any) -> tuple[Any, Any]:
    """A sparse matrix in a format whose elements are one array, and that array."""
    if s.ndim != 2:
        raise UnsupportedError("products with sparse arrays that do not have two dimensions")
    if s.format in ("lil", "dok"):
        s = s.tocsr()
    return s, s.data


def _rebuilt(s: Any, data: Any) -> Any:
    """The sparse matrix with these elements, which are its own as they were."""
    if data is s.data:
        return s
    if s.format == "coo":
        return type(s)((data, (s.row, s.col)), shape=s.shape)
    if s.format == "dia":
        return type(s)((data, s.offsets), shape=s.shape)
    return type(s)((data, s.indices, s.indptr), shape=s.shape)


@primitive
def _product(x, data, s, turned=False):
    s = _rebuilt(s, data)
    return (s.T if turned else s) @ x


@primitive
def _solution(b, data, s, turned=False, permc_spec=None, use_umfpack=True):
    s = _rebuilt(s, data)
    return ssl.spsolve(s.T if turned else s, b, permc_spec, use_umfpack)


def product(x: Any, y: Any) -> Any:
    """x @ y, of which one is sparse."""
    if ss.issparse(x):
        if ss.issparse(y):
            return x @ y
        return _product(as_array(y), _kept(x)[1], _kept(x)[0])
    x = as_array(x)
    s, data = _kept(y)
    return np.transpose(_product(np.transpose(x), data, s, True))


def operator(ufunc: Any, x: Any, y: Any) -> Any:
    """An operator between a sparse matrix and a dense operand, as SciPy defines it."""
    name = ufunc.__name__
    matrix = isinstance(x, ss.spmatrix) or isinstance(y, ss.spmatrix)
    if name == "matmul" or (name == "multiply" and matrix and _both_matrices(x, y)):
        return product(x, y)
    if name in ("add", "subtract") and not matrix:
        x, y = (z.toarray() if ss.issparse(z) else z for z in (x, y))
        return ufunc(x, y)
    raise UnsupportedError(
        f"np.{name} of a sparse and a tracked array: take the sparse one's .toarray()"
    )


def _both_matrices(x: Any, y: Any) -> bool:
    return np.ndim(x if ss.issparse(y) else y) > 0


def spsolve(A, b, permc_spec=None, use_umfpack=True):  # noqa: N803 - SciPy's name
    """scipy.sparse.linalg.spsolve for dense b."""
    if ss.issparse(b):
        return ssl.spsolve(A, b, permc_spec, use_umfpack)
    s, data = _kept(A)
    return _solution(as_array(b), data, s, False, permc_spec, use_umfpack)


def _product_adjoint(g, v, x, data, s, turned=False):
    return _product(g, data, s, not turned)


def _solution_adjoint(g, v, b, data, s, turned, permc_spec, use_umfpack):
    back = _solution(g, data, s, not turned, permc_spec, use_umfpack)
    return np.reshape(back, b.shape)


RULES = (
    Rule(
        _product,
        "x, data; s, turned=False",
        (_product_adjoint, _NOT_CONSTANT),
        (
            lambda t, v, x, data, s, turned=False: _product(t, data, s, turned),
            _NOT_CONSTANT,
        ),
        needs=("1", ""),
    ),
    Rule(
        _solution,
        "b, data; s, turned=False, permc_spec=None, use_umfpack=True",
        (_solution_adjoint, _NOT_CONSTANT),
        (
            lambda t, v, b, data, s, turned, permc_spec, use_umfpack: _solution(
                t, data, s, turned, permc_spec, use_umfpack
            ),
            _NOT_CONSTANT,
        ),
        needs=("1", ""),
    ),
)

COMPOSED = {ssl.spsolve: spsolve}
REPLACES = {ssl.spsolve: spsolve}
