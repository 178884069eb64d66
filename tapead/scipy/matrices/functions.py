"""Functions of matrices, and the inverse.

The derivative of an analytic function f at A in the direction E stands beside f(A) in f of the
block matrix [[A, E], [0, A]] (Higham, *Functions of Matrices*, 2008, theorem 3.6); its adjoint is
the derivative at the transpose.  For the exponential SciPy has a cheaper way, for the square root
it is a Sylvester equation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from tapead.rules.table import Rule, as_array, primitive

from .equations import solve_sylvester, transposed


def _block(a: Any, e: Any) -> Any:
    """[[a, e], [0, a]]."""
    top = np.concatenate((a, e), axis=-1)
    return np.concatenate((top, np.concatenate((np.zeros(a.shape), a), axis=-1)), axis=-2)


def _corner(x: Any) -> Any:
    n = x.shape[-1] // 2
    return x[..., :n, n:]


# ----------------------------------------------------------------------------- the exponential ---


@primitive
def expm(A):  # noqa: N803 - SciPy's name
    """scipy.linalg.expm."""
    return sl.expm(A)


@primitive
def frechet(a, e):
    """The derivative of expm at a in the direction e."""
    a, e = np.asarray(a), np.asarray(e)
    if a.size == 0:
        return np.zeros(a.shape)
    if a.ndim == 2:
        return sl.expm_frechet(a, e, compute_expm=False, check_finite=False)
    shape = np.broadcast_shapes(a.shape, e.shape)
    a = np.broadcast_to(a, shape).reshape(-1, *shape[-2:])
    e = np.broadcast_to(e, shape).reshape(-1, *shape[-2:])
    return np.stack([frechet(x, y) for x, y in zip(a, e, strict=True)]).reshape(shape)


def _second(a, e, d):
    """The second derivative of expm at a in the directions e and d."""
    zeros = np.zeros(a.shape)
    ee = _block(e, zeros)
    return _corner(frechet(_block(a, d), ee))


def expm_frechet(A, E, method=None, compute_expm=True, check_finite=True):  # noqa: N803
    """scipy.linalg.expm_frechet."""
    a, e = as_array(A), as_array(E)
    return (expm(a), frechet(a, e)) if compute_expm else frechet(a, e)


# -------------------------------------------------------------------------- analytic functions ---


def _analytic(function: Any, options: str = "") -> tuple[Any, Rule]:
    """A function of a matrix with its rule."""

    def plain(A, *args, **named):  # noqa: N803
        return function(A, *args, **named)

    plain.__name__ = plain.__qualname__ = function.__name__
    plain.__doc__ = f"scipy.linalg.{function.__name__}."
    call = primitive(plain)

    def adjoint(g, v, a, /, **named):
        return _corner(call(_block(transposed(a), g), **named))

    def tangent(t, v, a, /, **named):
        return _corner(call(_block(a, t), **named))

    return call, Rule(call, f"A; {options}" if options else "A", adjoint, tangent, needs="0")


logm, _LOGM = _analytic(sl.logm)
cosm, _COSM = _analytic(sl.cosm)
sinm, _SINM = _analytic(sl.sinm)
tanm, _TANM = _analytic(sl.tanm)
coshm, _COSHM = _analytic(sl.coshm)
sinhm, _SINHM = _analytic(sl.sinhm)
tanhm, _TANHM = _analytic(sl.tanhm)
fractional_matrix_power, _POWER = _analytic(sl.fractional_matrix_power, "t")


@primitive
def sqrtm(A):  # noqa: N803
    """scipy.linalg.sqrtm."""
    return sl.sqrtm(A)


@primitive
def inv(a, overwrite_a=False, check_finite=True, *, assume_a=None, lower=False):
    """scipy.linalg.inv."""
    if assume_a not in (None, "gen", "general"):
        raise NotImplementedError("tapead.scipy.linalg.inv of a structured matrix")
    return sl.inv(a, check_finite=check_finite)


# ------------------------------------------------------------------------------------- tables ---

RULES = (
    Rule(
        expm,
        "A",
        lambda g, v, a: frechet(transposed(a), g),
        lambda t, v, a: frechet(a, t),
        needs="0",
    ),
    Rule(
        frechet,
        "a, e",
        (
            lambda g, v, a, e: _second(transposed(a), g, transposed(e)),
            lambda g, v, a, e: frechet(transposed(a), g),
        ),
        (lambda t, v, a, e: _second(a, e, t), lambda t, v, a, e: frechet(a, t)),
        needs=("01", "0"),
    ),
    _LOGM,
    _COSM,
    _SINM,
    _TANM,
    _COSHM,
    _SINHM,
    _TANHM,
    _POWER,
    Rule(
        sqrtm,
        "A",
        lambda g, v, a: solve_sylvester(transposed(v), transposed(v), g),
        lambda t, v, a: solve_sylvester(v, v, t),
        needs="v",
    ),
    Rule(
        inv,
        "a; overwrite_a=False, check_finite=True, assume_a=None, lower=False",
        lambda g, v, a, **_: -np.matmul(transposed(v), np.matmul(g, transposed(v))),
        lambda t, v, a, **_: -np.matmul(v, np.matmul(t, v)),
        needs="v",
    ),
)

COMPOSED = {sl.expm_frechet: expm_frechet}
PRIMITIVES = (
    expm, logm, cosm, sinm, tanm, coshm, sinhm, tanhm, fractional_matrix_power, sqrtm, inv,
)  # fmt: skip
