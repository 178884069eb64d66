"""Factorizations written out, and what LAPACK gives."""

import numpy as np
from numpy.linalg import norm


def lu_in_place(A):
    """Overwrites its argument with L and U, in place; log of the determinant."""
    n = A.shape[0]
    for k in range(n - 1):
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
    return np.log(np.abs(np.diag(A))).sum()


def solve_with_pivoting(A, b):
    A = A.copy()
    b = b.copy()
    n = len(b)
    for k in range(n):
        p = k + np.abs(A[k:, k]).argmax()
        if p != k:
            A[[k, p]] = A[[p, k]]
            b[[k, p]] = b[[p, k]]
        for i in range(k + 1, n):
            factor = A[i, k] / A[k, k]
            A[i, k:] -= factor * A[k, k:]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return norm(x)


def elimination_inverse(M):
    """Gauss-Jordan on the matrix beside the identity."""
    n = len(M)
    aug = np.hstack([M, np.eye(n)])
    for col in range(n):
        aug[col] /= aug[col, col]
        others = [r for r in range(n) if r != col]
        aug[others, :] -= aug[others, col][:, None] * aug[col]
    inverse = aug[:, n:]
    return np.trace(inverse) + inverse[0, n - 1]


def cholesky_loops(B):
    A = B @ B.T + np.eye(len(B))
    n = A.shape[0]
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = A[i, j] - np.sum(L[i, :j] * L[j, :j])
            if i == j:
                if s <= 0:
                    raise ValueError("not positive definite")
                L[i, i] = np.sqrt(s)
            else:
                L[i, j] = s / L[j, j]
    return L[-1, 0] + np.prod(L.diagonal())


def gram_schmidt(A):
    m, n = A.shape
    Q = np.zeros((m, n))
    R = np.zeros((n, n))
    for j in range(n):
        v = A[:, j].copy()
        for i in range(j):
            R[i, j] = Q[:, i] @ v
            v -= R[i, j] * Q[:, i]
        R[j, j] = norm(v)
        Q[:, j] = v / R[j, j]
    assert np.allclose(Q @ R, A)
    return R[0, 1] + R.trace() + Q[-1, -1]


def householder(A):
    R = A.astype(float)
    m, n = R.shape
    for k in range(n):
        x = R[k:, k]
        e = np.zeros_like(x)
        e[0] = np.copysign(norm(x), x[0])
        u = x + e
        u = u / norm(u)
        R[k:, k:] -= 2.0 * np.outer(u, u @ R[k:, k:])
    return np.abs(np.diag(R)).sum() + R[0, n - 1] ** 2


def givens(A):
    R = np.array(A)
    m, n = R.shape
    for j in range(n):
        for i in range(m - 1, j, -1):
            r = np.hypot(R[i - 1, j], R[i, j])
            c, s = R[i - 1, j] / r, R[i, j] / r
            G = np.array([[c, s], [-s, c]])
            R[i - 1 : i + 1] = G @ R[i - 1 : i + 1]
    return R[n - 1, n - 1] * R[0, 0]


def power_iteration(A):
    S = A + A.T
    v = np.ones(len(S))
    eigenvalue = 0.0
    while True:
        w = S @ v
        w /= np.linalg.norm(w)
        new = w @ S @ w
        converged = abs(new - eigenvalue) < 1e-15 and np.allclose(w, v, rtol=0, atol=1e-13)
        v, eigenvalue = w, new
        if converged:
            return eigenvalue + 0.1 * v[0]


def jacobi_eigenvalues(A):
    """Cyclic rotations until the rest is nothing."""
    A = (A + A.T) / 2
    n = len(A)
    for _sweep in range(10):
        off = np.sqrt(np.sum(np.tril(A, -1) ** 2))
        if off < 1e-13:
            break
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(A[p, q]) < 1e-300:
                    continue
                theta = 0.5 * np.arctan2(2 * A[p, q], A[q, q] - A[p, p])
                J = np.eye(n)
                J[p, p] = J[q, q] = np.cos(theta)
                J[p, q], J[q, p] = np.sin(theta), -np.sin(theta)
                A = J.T @ A @ J
    values = sorted(np.diag(A))
    return values[0] * values[-1]


def thomas(d, rhs, off=-1.0):
    """Tridiagonal system with constant sides; works on copies, in place."""
    n = len(d)
    b, x = d.copy(), rhs.copy()
    for i in range(1, n):
        w = off / b[i - 1]
        b[i] -= w * off
        x[i] -= w * x[i - 1]
    x[-1] /= b[-1]
    for i in range(n - 2, -1, -1):
        x[i] = (x[i] - off * x[i + 1]) / b[i]
    return x @ np.arange(1, n + 1)


def natural_spline(xs, ys, at):
    """Second slopes by a tridiagonal solve, then one value."""
    n = len(xs)
    h = np.diff(xs)
    A = np.zeros((n, n))
    r = np.zeros(n)
    A[0, 0] = A[-1, -1] = 1
    for i in range(1, n - 1):
        A[i, i - 1 : i + 2] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        r[i] = 6 * ((ys[i + 1] - ys[i]) / h[i] - (ys[i] - ys[i - 1]) / h[i - 1])
    m = np.linalg.solve(A, r)
    i = np.searchsorted(xs, at) - 1
    t, s = at - xs[i], xs[i + 1] - at
    return (
        (m[i] * s**3 + m[i + 1] * t**3) / (6 * h[i])
        + (ys[i] / h[i] - m[i] * h[i] / 6) * s
        + (ys[i + 1] / h[i] - m[i + 1] * h[i] / 6) * t
    )


def matrix_exponential(A):
    """Scaling and squaring of a Taylor series."""
    squarings = 3
    X = A / 2**squarings
    term = np.identity(A.shape[0])
    total = term.copy()
    for k in range(1, 13):
        term = term @ X / k
        total += term
    for _ in range(squarings):
        total = total @ total
    return np.sum(total)


def determinant(A):
    """By the first row, recursively."""
    A = np.asarray(A)
    if A.shape == (1, 1):
        return A[0, 0]
    total = 0
    for j in range(A.shape[1]):
        minor = np.delete(A[1:], j, axis=1)
        total += (-1) ** j * A[0, j] * determinant(minor)
    return total


def schur_complement(M):
    A, B, C, D = M[:2, :2], M[:2, 2:], M[2:, :2], M[2:, 2:]
    S = D - C @ np.linalg.inv(A) @ B
    return np.linalg.det(S) * np.linalg.det(A) + np.linalg.slogdet(S)[1]


def nuclear_norm(A):
    s = np.linalg.svd(A, compute_uv=False)
    return s.sum() + s[0] / s[-1]


def low_rank(A, b):
    """Pseudo-inverse of the best approximation of rank two, times a vector."""
    U, s, Vt = np.linalg.svd(A)
    k = 2
    approx = U[:, :k] @ np.diag(s[:k]) @ Vt[:k]
    x = Vt[:k].T @ ((U[:, :k].T @ b) / s[:k])
    return norm(x) + np.abs(approx).max()


def spectrum(A):
    """Symmetric eigenvalues, and functions of them."""
    S = A @ A.T + np.diag([1.0, 2.0, 3.0])
    w, V = np.linalg.eigh(S)
    root = V @ np.diag(np.sqrt(w)) @ V.T
    return np.log(np.linalg.eigvalsh(S)).sum() + root[0, 1] + root.max()


def products(A, B, x):
    K = np.kron(A, B)
    mixed = np.einsum("ij,kl,jl->ik", A, B, x.reshape(2, 2))
    powers = np.linalg.matrix_power(A, 3)
    total = np.vdot(K @ x, K @ x) + np.inner(mixed[0], mixed[1])
    return total + np.linalg.multi_dot([x.reshape(2, 2), powers, B]).trace()


def least_squares_line(x, y):
    A = np.column_stack((x, np.ones(len(x))))
    Q, R = np.linalg.qr(A)
    m, c = np.linalg.solve(R, Q.T @ y)
    return m - c**2 + np.linalg.norm(np.linalg.pinv(A))


rng = np.random.default_rng(17)
SQUARE = (rng.uniform(-1, 1, (4, 4)) + 2 * np.eye(4)).round(3)
TALL = rng.uniform(-1, 1, (5, 3)).round(3)
THREE = rng.uniform(-1, 1, (3, 3)).round(3)
VECTOR = np.array([1.0, -0.5, 2.0, 0.7])

CASES = [
    ("LU in place", lu_in_place, (SQUARE.copy(),)),
    ("elimination with pivots", solve_with_pivoting, (SQUARE[[2, 0, 3, 1]], VECTOR)),
    ("Gauss-Jordan", elimination_inverse, (SQUARE,)),
    ("Cholesky, loops", cholesky_loops, (THREE,)),
    ("Gram-Schmidt", gram_schmidt, (TALL,)),
    ("Householder", householder, (TALL,)),
    ("Givens", givens, (TALL,)),
    ("power iteration", power_iteration, (SQUARE,)),
    ("Jacobi eigenvalues", jacobi_eigenvalues, (SQUARE,)),
    ("Thomas", thomas, (np.array([3.0, 4.0, 2.5, 3.5]), VECTOR)),
    (
        "spline",
        natural_spline,
        (np.array([0.0, 1.0, 1.8, 3.1, 4.0]), np.array([0.0, 1.2, 0.7, 2.0, 1.1]), 2.2),
    ),
    ("matrix exponential", matrix_exponential, (SQUARE / 2,)),
    ("determinant, recursive", determinant, (SQUARE,)),
    ("Schur complement", schur_complement, (SQUARE,)),
    ("nuclear norm", nuclear_norm, (TALL,)),
    ("low rank", low_rank, (SQUARE, VECTOR)),
    ("spectrum", spectrum, (THREE,)),
    ("products", products, (SQUARE[:2, :2], SQUARE[2:, 2:], VECTOR)),
    ("line by QR", least_squares_line, (np.array([0.0, 1.0, 2.5, 3.0]), VECTOR)),
]
