"""Rows of the hypergeometric functions, elliptic integrals and orthogonal polynomials.

The derivative of each is one of its own kind with shifted parameters; by the parameters themselves
it is refused.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special as sp

from tapead.rules.table import Elementwise, Rule

from .words import at_last, chosen, refused, several

_EIGHTH = math.pi / 8.0


# ------------------------------------------------------------------------ elliptic integrals ---


def _ellipk_slope(m, v):
    """(E - (1 - m) K) / (2 m (1 - m)), as a series where that cancels."""
    return chosen(
        m > -1.0,
        lambda m: _EIGHTH * sp.hyp2f1(1.5, 1.5, 2.0, m),
        0.0,
        lambda m: (sp.ellipe(m) / (1.0 - m) - sp.ellipk(m)) / (2.0 * m),
        m,
        -2.0,
    )


def _ellipkm1_slope(p, v):
    return chosen(
        (p > 0.5) & (p < 2.0),
        lambda p: -_EIGHTH * sp.hyp2f1(1.5, 1.5, 2.0, 1.0 - p),
        1.0,
        lambda p: (sp.ellipkm1(p) - sp.ellipe(1.0 - p) / p) / (2.0 * (1.0 - p)),
        p,
        0.25,
    )


def _ellipe_slope(m, v):
    """(E - K) / (2 m), as a series where that cancels."""
    return chosen(
        m > -1.0,
        lambda m: -_EIGHTH * sp.hyp2f1(0.5, 1.5, 2.0, m),
        0.0,
        lambda m: (sp.ellipe(m) - sp.ellipk(m)) / (2.0 * m),
        m,
        -2.0,
    )


def _ellipj_slopes(u, m, v):
    sn, cn, dn, _ = v
    return cn * dn, -sn * dn, -m * sn * cn, dn


_ELLIPJ = several(_ellipj_slopes)

_ELLIPTIC = (
    Elementwise(sp.ellipk, (_ellipk_slope,), "0"),
    Elementwise(sp.ellipkm1, (_ellipkm1_slope,), "0"),
    Elementwise(sp.ellipe, (_ellipe_slope,), "0"),
    Elementwise(
        sp.ellipkinc,
        (lambda phi, m, v: 1.0 / np.sqrt(1.0 - m * np.sin(phi) ** 2), refused("ellipkinc", "m")),
        "01",
    ),
    Elementwise(
        sp.ellipeinc,
        (lambda phi, m, v: np.sqrt(1.0 - m * np.sin(phi) ** 2), refused("ellipeinc", "m")),
        "01",
    ),
    Rule(
        sp.ellipj,
        "u, m",
        (_ELLIPJ[0], refused("ellipj", "m")),
        (_ELLIPJ[1], refused("ellipj", "m")),
        needs=("1v", ""),
    ),
)


# -------------------------------------------------- hypergeometric functions and polynomials ---


def _lowered(factor, function, *shifts, scale=1.0):
    """factor * function(n - 1, parameters + shifts, x): 0 for n = 0, where there is no n - 1."""

    def slope(n, *rest):
        *parameters, x, _ = rest
        below = np.where(n == 0, 1, n) - 1
        shifted = [p + s for p, s in zip(parameters, shifts, strict=False)]
        fixed = shifts[len(parameters) :]
        value = function(below, *shifted, *fixed, x if scale == 1.0 else _argument(x, scale))
        return np.where(n == 0, 0.0, factor(n, *parameters) * value)

    return slope


def _argument(x, scale):
    """The argument of the polynomials shifted to [0, 1], for scale 2, or stretched to [-2, 2]."""
    return 2.0 * x - 1.0 if scale == 2.0 else 0.5 * x


def _jacobi(n, a, b):
    return 0.5 * (n + a + b + 1.0)


_HYPERGEOMETRIC = (
    at_last(sp.hyp0f1, lambda b, z, v: sp.hyp0f1(b + 1.0, z) / b, "v"),
    at_last(sp.hyp1f1, lambda a, b, z, v: a / b * sp.hyp1f1(a + 1.0, b + 1.0, z), "ab"),
    at_last(sp.hyperu, lambda a, b, z, v: -a * sp.hyperu(a + 1.0, b + 1.0, z), "ab"),
    at_last(
        sp.hyp2f1,
        lambda a, b, c, z, v: a * b / c * sp.hyp2f1(a + 1.0, b + 1.0, c + 1.0, z),
        "abc",
    ),
)

# All by DLMF 18.9(iii).
_ORTHOGONAL = (
    at_last(sp.eval_legendre, _lowered(lambda n: 1.0, sp.eval_gegenbauer, 1.5), "n"),
    at_last(sp.eval_sh_legendre, _lowered(lambda n: 2.0, sp.eval_gegenbauer, 1.5, scale=2.0), "n"),
    at_last(sp.eval_chebyt, _lowered(lambda n: 1.0 * n, sp.eval_chebyu), "n"),
    at_last(sp.eval_sh_chebyt, _lowered(lambda n: 2.0 * n, sp.eval_chebyu, scale=2.0), "n"),
    at_last(sp.eval_chebyc, _lowered(lambda n: 1.0 * n, sp.eval_chebyu, scale=0.5), "n"),
    at_last(sp.eval_chebyu, _lowered(lambda n: 2.0, sp.eval_gegenbauer, 2.0), "n"),
    at_last(sp.eval_sh_chebyu, _lowered(lambda n: 4.0, sp.eval_gegenbauer, 2.0, scale=2.0), "n"),
    at_last(sp.eval_chebys, _lowered(lambda n: 1.0, sp.eval_gegenbauer, 2.0, scale=0.5), "n"),
    at_last(
        sp.eval_gegenbauer, _lowered(lambda n, a: 2.0 * a, sp.eval_gegenbauer, 1.0), ("n", "alpha")
    ),
    at_last(sp.eval_jacobi, _lowered(_jacobi, sp.eval_jacobi, 1.0, 1.0), ("n", "alpha", "beta")),
    at_last(sp.eval_hermite, _lowered(lambda n: 2.0 * n, sp.eval_hermite), "n"),
    at_last(sp.eval_hermitenorm, _lowered(lambda n: 1.0 * n, sp.eval_hermitenorm), "n"),
    at_last(sp.eval_laguerre, _lowered(lambda n: -1.0, sp.eval_genlaguerre, 1.0), "n"),
    at_last(
        sp.eval_genlaguerre, _lowered(lambda n, a: -1.0, sp.eval_genlaguerre, 1.0), ("n", "alpha")
    ),
)

RULES = (*_ELLIPTIC, *_HYPERGEOMETRIC, *_ORTHOGONAL)
