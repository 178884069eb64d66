"""Cases of ``scipy.linalg``."""

import numpy as np
import scipy.linalg as sl
from case import Case

from tapead.scipy import linalg
from tapead.scipy.matrices import equations, factors, functions

RNG = np.random.default_rng(2)
A = RNG.standard_normal((3, 3)) + 2.0 * np.eye(3)
A4 = 0.3 * RNG.standard_normal((4, 4)) + np.eye(4)
AC = A + 1j * RNG.standard_normal((3, 3))
STACK = RNG.standard_normal((2, 3, 3)) + 3.0 * np.eye(3)
# Positive definite, with anything in the triangle that is not read.
SPD = A @ A.T + np.eye(3)
HPD = AC @ AC.conj().T + np.eye(3)
LOWER, UPPER = np.tril(SPD) + np.triu(A, 1), np.triu(SPD) + np.tril(A, -1)
HLOWER, HUPPER = np.tril(HPD) + np.triu(AC, 1), np.triu(HPD) + np.tril(AC, -1)
F32 = A.astype(np.float32)
B, B2, BC = (RNG.standard_normal(shape) for shape in ((3,), (3, 2), (3,)))
BC = BC + 1j * B
SMALL = 0.4 * A
POSITIVE = SPD / 5.0


def _each(f, call, *inputs, **options):
    label = " ".join(f"{k}={v}" for k, v in options.items())
    return Case(f, lambda *x: call(*x, **options), *inputs, name=label)


_solve = equations._solve
CASES = [
    _each(sl.solve, linalg.solve, A, B),
    _each(sl.solve, linalg.solve, A, B2),
    _each(sl.solve, linalg.solve, A, B2, transposed=True),
    _each(sl.solve, linalg.solve, A, B, transposed=True),
    _each(sl.solve, linalg.solve, AC, B),
    _each(sl.solve, linalg.solve, A, BC),
    _each(sl.solve, linalg.solve, F32, np.float32(B)),
    _each(sl.solve, linalg.solve, SPD, B, assume_a="gen"),
    Case(sl.solve, lambda b: linalg.solve(A, b, overwrite_a=True, overwrite_b=True), B),
    Case(sl.solve, lambda a: linalg.solve(a, [1.0, 2.0, 3.0]), A),
    _each(_solve, _solve, A, B, lower=False, check_finite=True, assume_a=None, turned=False),
    _each(linalg.solve_triangular, linalg.solve_triangular, F32, np.float32(B)),
    _each(linalg.solve_sylvester, linalg.solve_sylvester, A, A4[:2, :2], (3, 2)),
    _each(linalg.solve_sylvester, linalg.solve_sylvester, AC, A4[:2, :2], (3, 2)),
    Case(sl.solve_continuous_lyapunov, linalg.solve_continuous_lyapunov, A, SPD),
    Case(sl.solve_continuous_lyapunov, linalg.solve_continuous_lyapunov, AC, SPD),
]
for kind, lower, upper in (("sym", LOWER, UPPER), ("pos", LOWER, UPPER)):
    CASES += [
        _each(sl.solve, linalg.solve, upper, B, assume_a=kind),
        _each(sl.solve, linalg.solve, lower, B2, assume_a=kind, lower=True),
    ]
for kind in ("pos", "her"):
    CASES += [
        _each(sl.solve, linalg.solve, HUPPER, B, assume_a=kind),
        _each(sl.solve, linalg.solve, HLOWER, BC, assume_a=kind, lower=True),
    ]
CASES += [
    _each(sl.solve, linalg.solve, HUPPER, BC, assume_a="sym"),
    *(
        _each(sl.solve, linalg.solve, A, B2, assume_a=kind)
        for kind in ("upper triangular", "lower triangular", "diagonal", "tridiagonal")
    ),
    _each(sl.solve, linalg.solve, np.tril(A), B, assume_a="lower triangular", transposed=True),
    _each(sl.solve, linalg.solve, STACK, B),
    _each(sl.solve, linalg.solve, STACK, B2),
    _each(sl.solve, linalg.solve, STACK, (2, 3, 2)),
    _each(sl.solve, linalg.solve, A, (2, 3, 2)),
]
for a, b in ((A, B), (A, B2), (AC, BC), (AC, B2), (A, BC)):
    for trans in (0, 1, 2, "T"):
        options = {"trans": trans, "lower": trans in (1, 2)}
        CASES.append(_each(linalg.solve_triangular, linalg.solve_triangular, a, b, **options))
CASES += [
    _each(linalg.solve_triangular, linalg.solve_triangular, a, B2, unit_diagonal=True, **options)
    for a in (A, AC)
    for options in ({}, {"lower": True}, {"trans": 1}, {"trans": "C", "lower": True})
]
CASES += [
    _each(linalg.solve_triangular, linalg.solve_triangular, STACK, B2, lower=True),
    _each(linalg.solve_triangular, linalg.solve_triangular, A, (2, 3, 2)),
]

BAND = RNG.standard_normal((4, 5)) + np.array([[0.0], [0.0], [4.0], [0.0]])
BANDS = {(1, 2): BAND, (1, 1): BAND[1:], (0, 2): BAND[:3], (2, 1): np.roll(BAND, -1, 0)}
for n, ab in BANDS.items():
    for shape in ((5,), (5, 2)):
        call = lambda ab, b, n=n: linalg.solve_banded(n, ab, b)  # noqa: E731
        CASES.append(Case(sl.solve_banded, call, ab, shape, name=str(n)))
CASES += [
    Case(sl.solve_banded, lambda ab, b: linalg.solve_banded((1, 2), ab, b), BAND + 0.3j, (5,)),
    Case(
        equations._solve_banded,
        lambda ab, b: equations._solve_banded(ab, b, lower=1, upper=2, check_finite=True),
        BAND,
        (5,),
    ),
]

# ------------------------------------------------------------------------------- functions ---

CASES += [
    Case(linalg.expm, linalg.expm, A),
    Case(linalg.expm, linalg.expm, AC),
    Case(linalg.expm, linalg.expm, STACK),
    Case(linalg.expm, linalg.expm, np.array([[0.7]])),
    Case(linalg.expm, linalg.expm, np.zeros((3, 3))),
    Case(linalg.expm, linalg.expm, F32),
    Case(linalg.expm, lambda t: linalg.expm(t * A), 0.3, name="of a number"),
    Case(functions.frechet, functions.frechet, SMALL, (3, 3)),
    Case(functions.frechet, functions.frechet, STACK, (2, 3, 3)),
    Case(sl.expm_frechet, linalg.expm_frechet, SMALL, (3, 3)),
    Case(linalg.logm, linalg.logm, POSITIVE),
    Case(linalg.logm, linalg.logm, HPD / 5.0),
    *(
        Case(f, f, SMALL)
        for f in (
            linalg.cosm, linalg.sinm, linalg.tanm, linalg.coshm, linalg.sinhm, linalg.tanhm,
        )
    ),
    Case(
        linalg.fractional_matrix_power,
        lambda a: linalg.fractional_matrix_power(a, 0.4),
        POSITIVE,
    ),
    Case(linalg.sqrtm, linalg.sqrtm, SPD),
    Case(linalg.sqrtm, linalg.sqrtm, HPD),
    Case(linalg.inv, linalg.inv, A),
    Case(linalg.inv, linalg.inv, AC),
    Case(linalg.inv, linalg.inv, F32),
]  # fmt: skip

# --------------------------------------------------------------------------------- factors ---

for a, lower in ((LOWER, True), (UPPER, False), (HLOWER, True), (HUPPER, False)):
    CASES += [
        _each(linalg.cholesky, linalg.cholesky, a, lower=lower),
        Case(sl.cho_factor, lambda a, n=lower: linalg.cho_factor(a, n)[0], a),
        Case(
            sl.cho_solve,
            lambda a, b, n=lower: linalg.cho_solve(linalg.cho_factor(a, n), b),
            a,
            B,
            name="whole",
        ),
        Case(sl.cho_solve, lambda c, b, n=lower: linalg.cho_solve((c, n), b), a, B2),
        Case(sl.cho_solve, lambda c, b, n=lower: linalg.cho_solve((c, n), b), a, BC),
    ]
CASES += [
    Case(linalg.cholesky, linalg.cholesky, SPD.astype(np.float32)),
    Case(
        factors._cho_solve,
        lambda c, b: factors._cho_solve(c, b, lower=True, check_finite=True),
        A,
        B,
    ),
    Case(linalg.lu_factor, lambda a: linalg.lu_factor(a)[0], A),
    Case(linalg.lu_factor, lambda a: linalg.lu_factor(a)[0], A[[2, 0, 1]]),
    Case(linalg.lu_factor, lambda a: linalg.lu_factor(a)[0], AC[[2, 0, 1]]),
    Case(linalg.lu_factor, lambda a: linalg.lu_factor(a)[0], STACK[:, [1, 2, 0]]),
    Case(
        factors._lu_solve,
        lambda lu, b: factors._lu_solve(lu, b, pivots=np.array([1, 2, 2]), trans=0),
        A,
        B,
    ),
]
for a, b in ((A[[2, 0, 1]], B), (AC[[1, 2, 0]], B2), (A, BC)):
    for trans in (0, 1, 2):
        CASES += [
            Case(
                sl.lu_solve,
                lambda a, b, n=trans: linalg.lu_solve(linalg.lu_factor(a), b, n),
                a,
                b,
                name=f"whole {trans}",
            ),
            Case(
                sl.lu_solve,
                lambda lu, b, n=trans: linalg.lu_solve((lu, np.array([1, 2, 2])), b, n),
                a,
                b,
                name=str(trans),
            ),
        ]

# ------------------------------------------------------------------- structures, and NumPy's ---

CASES += [
    Case(sl.block_diag, linalg.block_diag, (2, 3), (3,), (), (1, 1)),
    Case(sl.block_diag, linalg.block_diag, AC, (2, 2)),
    Case(sl.block_diag, lambda a: linalg.block_diag(a, [[1.0, 2.0]]), F32),
    Case(sl.toeplitz, linalg.toeplitz, (3,), (4,)),
    Case(sl.toeplitz, linalg.toeplitz, (3,)),
    Case(sl.toeplitz, linalg.toeplitz, BC),
    Case(sl.circulant, linalg.circulant, (4,)),
    Case(sl.hankel, linalg.hankel, (3,), (4,)),
    Case(sl.hankel, linalg.hankel, (3,)),
    Case(sl.det, linalg.det, A),
    Case(sl.det, linalg.det, AC),
    Case(sl.norm, linalg.norm, (3,)),
    Case(sl.norm, lambda a: linalg.norm(a, 1, axis=0), (3, 2)),
    Case(sl.eigh, lambda a: linalg.eigh(a)[0], SPD),
    Case(sl.eigh, lambda a: abs(linalg.eigh(a, lower=False)[1]), UPPER),
    Case(sl.eigh, lambda a: linalg.eigh(a, eigvals_only=True), LOWER),
    Case(sl.eigvalsh, linalg.eigvalsh, SPD),
    Case(sl.svd, lambda a: linalg.svd(a, full_matrices=False), (3, 2)),
    Case(sl.svd, lambda a: linalg.svd(a, compute_uv=False), (3, 2)),
    Case(sl.svdvals, linalg.svdvals, (3, 2)),
    Case(sl.qr, lambda a: linalg.qr(a, mode="economic"), (3, 2)),
    Case(sl.qr, linalg.qr, A),
    Case(sl.qr, lambda a: linalg.qr(a, mode="r")[0], A),
]
