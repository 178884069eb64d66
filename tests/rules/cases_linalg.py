"""Cases of the tables of linear algebra: equations, determinants, decompositions."""

import numpy as np
from case import Case

from tapead.rules import factorizations, least_squares, linalg, matrices

_RNG = np.random.default_rng(5)


def crand(*shape):
    return _RNG.standard_normal(shape) + 1j * _RNG.standard_normal(shape)


def single(*shape):
    return _RNG.standard_normal(shape).astype(np.float32)


def strong(*shape):
    """Matrices with a large diagonal: far from singular, positive definite by either triangle."""
    return 0.5 * _RNG.standard_normal(shape) + (shape[-1] + 1) * np.eye(*shape[-2:])


def cstrong(*shape):
    return 0.5 * crand(*shape) + (shape[-1] + 1) * np.eye(*shape[-2:])


def of_rank(m, n, rank):
    return _RNG.standard_normal((m, rank)) @ _RNG.standard_normal((rank, n))


SQUARE = strong(3, 3)
RANK_2 = of_rank(3, 3, 2)
FIXED = _RNG.standard_normal((3, 3))

SOLVE = [
    Case(np.linalg.solve, np.linalg.solve, SQUARE, (3,)),
    Case(np.linalg.solve, np.linalg.solve, SQUARE, (3, 2)),
    Case(np.linalg.solve, np.linalg.solve, SQUARE, (3, 1)),
    Case(np.linalg.solve, np.linalg.solve, SQUARE, (4, 3, 2)),
    Case(np.linalg.solve, np.linalg.solve, strong(2, 3, 3), (3, 2)),
    Case(np.linalg.solve, np.linalg.solve, strong(2, 3, 3), (2, 3, 2)),
    Case(np.linalg.solve, np.linalg.solve, strong(2, 1, 3, 3), (4, 3, 2)),
    Case(np.linalg.solve, np.linalg.solve, cstrong(3, 3), crand(3)),
    Case(np.linalg.solve, np.linalg.solve, cstrong(2, 3, 3), (3, 2), name="complex and real"),
    Case(np.linalg.solve, np.linalg.solve, SQUARE, crand(3, 1), name="real and complex"),
    Case(np.linalg.solve, np.linalg.solve, strong(3, 3).astype("f"), single(3)),
    Case(np.linalg.solve, np.linalg.solve, (0, 0), (0,)),
    Case(np.linalg.solve, lambda b: np.linalg.solve(SQUARE, b), (3,), name="constant matrix"),
    Case(np.linalg.solve, lambda a: np.linalg.solve(a, FIXED), SQUARE, name="constant side"),
    Case(np.linalg.inv, np.linalg.inv, SQUARE),
    Case(np.linalg.inv, np.linalg.inv, strong(2, 2, 3, 3)),
    Case(np.linalg.inv, np.linalg.inv, cstrong(3, 3)),
    Case(np.linalg.inv, np.linalg.inv, strong(3, 3).astype("f")),
    Case(np.linalg.inv, np.linalg.inv, (0, 0)),
    Case(np.linalg.tensorinv, np.linalg.tensorinv, (2, 3, 3, 2)),
    Case(np.linalg.tensorinv, lambda a: np.linalg.tensorinv(a, ind=1), (6, 2, 3)),
    Case(np.linalg.tensorsolve, np.linalg.tensorsolve, (2, 3, 6), (2, 3)),
    Case(np.linalg.tensorsolve, np.linalg.tensorsolve, (2, 3, 3, 2), (2, 3)),
    Case(
        np.linalg.tensorsolve,
        lambda a, b: np.linalg.tensorsolve(a, b, axes=(0, 2)),
        (3, 2, 2, 3),
        (2, 3),
    ),
]

if linalg._NUMPY_2:
    SOLVE += [
        Case(np.linalg.solve, np.linalg.solve, strong(2, 3, 3), (3,), name="one vector"),
        Case(np.linalg.solve, np.linalg.solve, strong(2, 3, 3), (2, 3, 1), name="vectors"),
        Case(np.linalg.solve, np.linalg.solve, cstrong(2, 3, 3), crand(3), name="one vector"),
    ]

DET = [
    Case(np.linalg.det, np.linalg.det, (3, 3)),
    Case(np.linalg.det, np.linalg.det, (2, 3, 3)),
    Case(np.linalg.det, np.linalg.det, crand(3, 3)),
    Case(np.linalg.det, np.linalg.det, single(3, 3)),
    Case(np.linalg.det, np.linalg.det, (1, 1)),
    Case(np.linalg.det, np.linalg.det, np.eye(3), name="identity"),
    Case(np.linalg.det, np.linalg.det, RANK_2, name="singular"),
    Case(np.linalg.det, np.linalg.det, np.diag([1.0, 2.0, 0.0]), name="singular exactly"),
    Case(np.linalg.det, np.linalg.det, np.diag([2.0, 0.0, 0.0]), name="of rank 1"),
    Case(np.linalg.det, np.linalg.det, np.zeros((2, 2)), name="zero"),
    Case(
        np.linalg.det, np.linalg.det, np.stack([np.diag([0.0, 1.0]), FIXED[:2, :2]]), name="mixed"
    ),
    Case(np.linalg.det, np.linalg.det, np.diag([1j, 0, 2]), name="singular"),
    Case(linalg.cofactors, linalg.cofactors, (3, 3)),
    Case(linalg.cofactors, linalg.cofactors, crand(3, 3)),
    Case(linalg.cofactors, linalg.cofactors, np.diag([3.0, 2.0, 0.0]), order=1),
    Case(linalg.cofactors, linalg.cofactors, np.diag([1j, 2.0, 0.0]) @ crand(3, 3), order=1),
    Case(np.linalg.slogdet, np.linalg.slogdet, (3, 3)),
    Case(np.linalg.slogdet, np.linalg.slogdet, (2, 3, 3)),
    Case(np.linalg.slogdet, np.linalg.slogdet, crand(3, 3)),
    Case(np.linalg.slogdet, np.linalg.slogdet, crand(2, 2, 2)),
    Case(np.linalg.slogdet, np.linalg.slogdet, single(3, 3)),
    Case(np.linalg.slogdet, lambda a: np.linalg.slogdet(a)[1], (3, 3), name="no sign"),
    Case(
        np.linalg.slogdet,
        lambda a: np.where([False, True], np.linalg.slogdet(a)[1], 0.0),
        np.stack([np.zeros((2, 2)), FIXED[1:, 1:]]),
        name="singular one not used",
    ),
]

EIGH = [
    Case(np.linalg.eigh, np.linalg.eigh, (3, 3)),
    Case(np.linalg.eigh, lambda a: np.linalg.eigh(a, "U"), (3, 3), name="U"),
    Case(np.linalg.eigh, np.linalg.eigh, (2, 3, 3)),
    Case(np.linalg.eigh, np.linalg.eigh, (1, 1)),
    Case(np.linalg.eigh, np.linalg.eigh, crand(3, 3)),
    Case(np.linalg.eigh, lambda a: np.linalg.eigh(a, UPLO="u"), crand(3, 3), name="U"),
    Case(np.linalg.eigh, np.linalg.eigh, crand(2, 2, 2)),
    Case(np.linalg.eigh, np.linalg.eigh, single(3, 3)),
    Case(np.linalg.eigh, lambda a: np.linalg.eigh(a)[0], (3, 3), name="values"),
    Case(np.linalg.eigh, lambda a: np.linalg.eigh(a)[1], crand(3, 3), name="vectors"),
    Case(np.linalg.eigh, lambda a: np.linalg.eigh(a + a.T)[1][:, :2], (4, 4), name="some vectors"),
    Case(
        np.linalg.eigh,
        lambda a: np.linalg.eigh(np.diag([1.0, 1.0, 3.0]) + a)[1][:, 2],
        np.zeros((3, 3)),
        name="simple one beside equal ones",
        order=1,
    ),
    Case(
        np.linalg.eigh,
        lambda a: np.sum(np.exp(np.linalg.eigh(a)[0])),
        np.eye(3),
        name="equal values",
        order=1,
    ),
    Case(np.linalg.eigvalsh, np.linalg.eigvalsh, (3, 3)),
    Case(np.linalg.eigvalsh, lambda a: np.linalg.eigvalsh(a, "U"), (2, 3, 3), name="U"),
    Case(np.linalg.eigvalsh, np.linalg.eigvalsh, crand(3, 3)),
    Case(np.linalg.eigvalsh, lambda a: np.linalg.eigvalsh(a, UPLO="U"), crand(3, 3), name="U"),
    Case(np.linalg.eigvalsh, np.linalg.eigvalsh, single(3, 3)),
    Case(
        np.linalg.eigvalsh,
        lambda a: np.sum(np.linalg.eigvalsh(a) ** 3),
        np.eye(3),
        name="equal values",
        order=1,
    ),
]

TURNING = np.array([[1.0, 2.0, 0.3], [-2.0, 1.5, 0.1], [0.2, 0.4, -1.0]])
REAL_VALUES = np.array([[1.0, 0.3, 0.2], [0.1, 2.5, 0.4], [0.3, -0.2, 4.0]])

EIG = [
    Case(np.linalg.eig, np.linalg.eig, REAL_VALUES),
    Case(np.linalg.eig, np.linalg.eig, TURNING, name="complex values"),
    Case(np.linalg.eig, np.linalg.eig, crand(3, 3)),
    Case(np.linalg.eig, np.linalg.eig, crand(2, 3, 3)),
    Case(np.linalg.eig, np.linalg.eig, np.stack([REAL_VALUES, TURNING]), name="of both kinds"),
    Case(np.linalg.eig, np.linalg.eig, REAL_VALUES.astype("f")),
    Case(np.linalg.eig, lambda a: np.linalg.eig(a)[0], TURNING, name="values"),
    Case(np.linalg.eig, lambda a: np.linalg.eig(a)[1], crand(3, 3), name="vectors"),
    Case(np.linalg.eigvals, np.linalg.eigvals, REAL_VALUES),
    Case(np.linalg.eigvals, np.linalg.eigvals, TURNING, name="complex values"),
    Case(np.linalg.eigvals, np.linalg.eigvals, np.stack([REAL_VALUES, TURNING])),
    Case(np.linalg.eigvals, np.linalg.eigvals, crand(3, 3)),
    Case(np.linalg.eigvals, np.linalg.eigvals, REAL_VALUES.astype("f")),
]


def _thin(a):
    return np.linalg.svd(a, full_matrices=False)


def _null_projector(a):
    """What depends on the extra columns, but not on which basis they are."""
    extra = np.linalg.svd(a)[2][..., a.shape[-2] :, :]
    return np.swapaxes(extra, -1, -2) @ np.conj(extra)


SVD = [
    Case(np.linalg.svd, _thin, (3, 3)),
    Case(np.linalg.svd, _thin, (4, 2)),
    Case(np.linalg.svd, _thin, (2, 5)),
    Case(np.linalg.svd, _thin, (2, 4, 3)),
    Case(np.linalg.svd, _thin, crand(3, 3)),
    Case(np.linalg.svd, _thin, crand(4, 2)),
    Case(np.linalg.svd, _thin, crand(2, 3)),
    Case(np.linalg.svd, _thin, crand(2, 5)),
    Case(np.linalg.svd, _thin, crand(2, 3, 2)),
    Case(np.linalg.svd, _thin, single(4, 3)),
    Case(np.linalg.svd, np.linalg.svd, (3, 3), name="full"),
    Case(np.linalg.svd, np.linalg.svd, (4, 3), name="full"),
    Case(np.linalg.svd, np.linalg.svd, (3, 4), name="full"),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a)[0][:, :2], (4, 2), name="full, not all used"),
    Case(np.linalg.svd, lambda a: _thin(a)[0] @ _thin(a)[2], (4, 3), name="polar factor"),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a, False)[0][:, :1], (4, 3), name="one vector"),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a, compute_uv=False), (4, 3), name="values"),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a, compute_uv=False), crand(2, 2, 3)),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a)[1], (3, 4), name="values"),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a, hermitian=True), (3, 3), name="hermitian"),
    Case(np.linalg.svd, lambda a: np.linalg.svd(a, hermitian=True), crand(3, 3), name="hermitian"),
    Case(
        np.linalg.svd,
        lambda a: np.linalg.svd(a, hermitian=True, compute_uv=False),
        (2, 3, 3),
        name="hermitian values",
    ),
    Case(factorizations.svd_factors, _thin, (3, 2)),
    Case(factorizations.svd_values, lambda a: np.linalg.svd(a, compute_uv=False), (3, 2)),
]
if hasattr(np.linalg, "svdvals"):
    SVD += [
        Case(np.linalg.svdvals, lambda a: np.linalg.svdvals(a), (4, 3)),
        Case(np.linalg.svdvals, lambda a: np.linalg.svdvals(a), crand(2, 3)),
        Case(np.linalg.svdvals, lambda a: np.linalg.svdvals(a), single(2, 3)),
    ]

QR = [
    Case(np.linalg.qr, np.linalg.qr, (3, 3)),
    Case(np.linalg.qr, np.linalg.qr, (4, 2)),
    Case(np.linalg.qr, np.linalg.qr, (2, 4)),
    Case(np.linalg.qr, np.linalg.qr, (2, 4, 3)),
    Case(np.linalg.qr, np.linalg.qr, (2, 2, 3)),
    Case(np.linalg.qr, np.linalg.qr, crand(3, 3)),
    Case(np.linalg.qr, np.linalg.qr, crand(4, 2)),
    Case(np.linalg.qr, np.linalg.qr, crand(2, 4)),
    Case(np.linalg.qr, np.linalg.qr, single(3, 2)),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a, "complete"), (3, 3), name="complete"),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a, "complete"), (2, 3), name="complete"),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a, "complete"), (4, 3), name="complete"),
    Case(
        np.linalg.qr,
        lambda a: np.linalg.qr(a, "complete")[1],
        (4, 2),
        name="complete, R",
    ),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a, "r"), (4, 3), name="r"),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a, mode="r"), (2, 3), name="r"),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a, "r"), crand(2, 3, 2), name="r"),
    Case(np.linalg.qr, lambda a: np.linalg.qr(a)[0], (4, 2), name="Q"),
    Case(factorizations.qr_factors, np.linalg.qr, (3, 2)),
    Case(factorizations.qr_triangle, lambda a: np.linalg.qr(a, "r"), (3, 2)),
]

CHOLESKY = [
    Case(np.linalg.cholesky, np.linalg.cholesky, SQUARE),
    Case(np.linalg.cholesky, np.linalg.cholesky, strong(2, 3, 3)),
    Case(np.linalg.cholesky, np.linalg.cholesky, cstrong(3, 3)),
    Case(np.linalg.cholesky, np.linalg.cholesky, strong(3, 3).astype("f")),
    Case(np.linalg.cholesky, np.linalg.cholesky, (0, 0)),
    Case(matrices.triangle_inverse, matrices.triangle_inverse, strong(2, 3, 3)),
    Case(matrices.triangle_inverse, matrices.triangle_inverse, cstrong(70, 70), order=1),
    Case(np.linalg.cholesky, lambda a: np.linalg.cholesky(a @ a.T + np.eye(3)), (3, 3)),
]
if linalg._NUMPY_2:
    CHOLESKY += [
        Case(np.linalg.cholesky, lambda a: np.linalg.cholesky(a, upper=True), SQUARE, name="U"),
        Case(np.linalg.cholesky, lambda a: np.linalg.cholesky(a, upper=True), cstrong(2, 3, 3)),
    ]


def _fitted(a, b):
    x, residuals, _, s = np.linalg.lstsq(a, b, rcond=None)
    return x, residuals, s


PINV = [
    Case(np.linalg.pinv, np.linalg.pinv, (3, 3)),
    Case(np.linalg.pinv, np.linalg.pinv, (4, 2)),
    Case(np.linalg.pinv, np.linalg.pinv, (2, 2, 4)),
    Case(np.linalg.pinv, np.linalg.pinv, crand(4, 2)),
    Case(np.linalg.pinv, np.linalg.pinv, crand(2, 3)),
    Case(np.linalg.pinv, np.linalg.pinv, single(4, 2)),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 1e-10), (4, 2), name="rcond"),
    Case(
        np.linalg.pinv,
        lambda a, b: np.linalg.pinv(a @ b, 1e-10),
        (4, 2),
        (2, 3),
        name="of a lower rank",
    ),
    Case(
        np.linalg.pinv,
        lambda a, b: np.linalg.pinv(a @ b, 1e-10),
        crand(4, 2),
        crand(2, 3),
        name="of a lower rank",
    ),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, hermitian=True), SQUARE, name="hermitian"),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 1e-9, True), cstrong(3, 3), name="hermitian"),
    Case(least_squares.pseudoinverse, np.linalg.pinv, (4, 2)),
    Case(np.linalg.lstsq, _fitted, (5, 3), (5,)),
    Case(np.linalg.lstsq, _fitted, (5, 3), (5, 2)),
    Case(np.linalg.lstsq, _fitted, (3, 3), (3,)),
    Case(np.linalg.lstsq, _fitted, (2, 4), (2,)),
    Case(np.linalg.lstsq, _fitted, (2, 4), (2, 3)),
    Case(np.linalg.lstsq, _fitted, crand(5, 2), crand(5, 2)),
    Case(np.linalg.lstsq, _fitted, crand(2, 4), crand(2)),
    Case(np.linalg.lstsq, _fitted, crand(4, 2), (4,), name="complex and real"),
    Case(np.linalg.lstsq, _fitted, single(4, 2), single(4)),
    Case(np.linalg.lstsq, lambda a, b: _fitted(a, b)[0], (5, 3), (5,), name="solution"),
    Case(
        np.linalg.lstsq,
        lambda a, c, b: np.linalg.lstsq(a @ c, b, rcond=1e-10)[0],
        (5, 2),
        (2, 3),
        (5,),
        name="of a lower rank",
    ),
]
# Singular values 3.2, 1.7 and 0.4, the last of which is cut off.
CUT = np.linalg.qr(_RNG.standard_normal((4, 3)))[0] * [3.2, 1.7, 0.4] @ np.linalg.qr(FIXED)[0]
CCUT = np.linalg.qr(crand(4, 3))[0] * [3.2, 1.7, 0.4] @ np.linalg.qr(crand(3, 3))[0]
HCUT = np.linalg.qr(FIXED)[0] * [3.2, -1.7, 0.4] @ np.linalg.qr(FIXED)[0].T
PINV += [
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 0.2), CUT, name="cut off"),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 0.2), CUT.T, name="cut off"),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 0.2), CCUT, name="cut off"),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 0.2), CCUT.T, name="cut off"),
    Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, 0.2, True), HCUT, name="cut off, hermitian"),
    Case(
        np.linalg.pinv,
        lambda a: np.linalg.pinv(a, [0.2, 1e-9]),
        np.stack([CUT, CUT]),
        name="cut off, each in its own way",
    ),
    Case(np.linalg.lstsq, lambda a, b: np.linalg.lstsq(a, b, 0.2)[0], CUT, (4, 2), name="cut off"),
    Case(np.linalg.lstsq, lambda a, b: np.linalg.lstsq(a, b, 0.2)[0], CCUT, (4,), name="cut off"),
]
if linalg._NUMPY_2:
    PINV.append(Case(np.linalg.pinv, lambda a: np.linalg.pinv(a, rtol=None), (4, 2), name="rtol"))


CASES = [*SOLVE, *DET, *EIGH, *EIG, *SVD, *QR, *CHOLESKY, *PINV]
