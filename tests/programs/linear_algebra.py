"""Linear algebra on nested lists."""

import math
from math import sqrt


def transpose(a):
    return [list(row) for row in zip(*a)]


def matmul(a, b):
    return [[sum(x * y for x, y in zip(row, col)) for col in zip(*b)] for row in a]


def lu_determinant(matrix):
    """By LU in place, with partial pivoting."""
    a = [row[:] for row in matrix]
    n, sign = len(a), 1
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(a[i][k]))
        if a[pivot][k] == 0:
            return 0.0
        if pivot != k:
            a[k], a[pivot] = a[pivot], a[k]
            sign = -sign
        for i in range(k + 1, n):
            a[i][k] /= a[k][k]
            for j in range(k + 1, n):
                a[i][j] -= a[i][k] * a[k][j]
    det = sign
    for k in range(n):
        det *= a[k][k]
    return det


def gauss_solve(matrix, rhs):
    n = len(rhs)
    a = [row + [b] for row, b in zip(matrix, rhs)]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i][k]) > abs(a[best][k]):
                best = i
        a[k], a[best] = a[best], a[k]
        for i in range(k + 1, n):
            factor = a[i][k] / a[k][k]
            a[i] = [x - factor * y for x, y in zip(a[i], a[k])]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (a[i][n] - sum(a[i][j] * x[j] for j in range(i + 1, n))) / a[i][i]
    return x


def solve_norm(matrix, rhs):
    return math.hypot(*gauss_solve(matrix, rhs))


def cholesky(a):
    n = len(a)
    low = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            s = a[i][j]
            for k in range(j):
                s -= low[i][k] * low[j][k]
            if i == j:
                if s <= 0:
                    raise ValueError("the matrix is not positive definite")
                low[i][i] = sqrt(s)
            else:
                low[i][j] = s / low[j][j]
    return low


def gaussian_log_likelihood(factor, x):
    """log N(x; 0, A A' + I)."""
    cov = matmul(factor, transpose(factor))
    for i in range(len(cov)):
        cov[i][i] += 1
    low = cholesky(cov)
    z = []
    for i, row in enumerate(low):
        z.append((x[i] - sum(row[j] * z[j] for j in range(i))) / row[i])
    log_det = 2 * sum(math.log(low[i][i]) for i in range(len(low)))
    return -0.5 * (sum(v**2 for v in z) + log_det + len(x) * math.log(2 * math.pi))


def cholesky_with_jitter(matrix):
    """Adds to the diagonal until the factorization succeeds."""
    jitter = 0.0
    while True:
        try:
            low = cholesky(
                [
                    [v + (jitter if i == j else 0) for j, v in enumerate(row)]
                    for i, row in enumerate(matrix)
                ]
            )
        except ValueError:
            jitter = 10 * jitter if jitter else 0.01
        else:
            return math.prod(low[i][i] for i in range(len(low))) + jitter


def power_iteration(matrix):
    v = [1.0] * len(matrix)
    value = 0.0
    for _ in range(200):
        w = [sum(m * x for m, x in zip(row, v)) for row in matrix]
        norm = sqrt(sum(x * x for x in w))
        v, old, value = [x / norm for x in w], value, norm
        if math.isclose(old, value, rel_tol=1e-15):
            break
    return value


def conjugate_gradient(diagonal, coupling, rhs):
    n = len(rhs)

    def apply(x):
        return [
            diagonal[i] * x[i]
            + (coupling * x[i - 1] if i > 0 else 0.0)
            + (coupling * x[i + 1] if i < n - 1 else 0.0)
            for i in range(n)
        ]

    x, r = [0.0] * n, list(rhs)
    p, rr = r[:], sum(v * v for v in r)
    for _ in range(n):
        q = apply(p)
        alpha = rr / sum(a * b for a, b in zip(p, q))
        x = [a + alpha * b for a, b in zip(x, p)]
        r = [a - alpha * b for a, b in zip(r, q)]
        rr, old = sum(v * v for v in r), rr
        if rr < 1e-20:
            break
        p = [a + rr / old * b for a, b in zip(r, p)]
    return sum(i * v for i, v in enumerate(x, 1))


def gram_schmidt(rows):
    """Volume spanned by the rows, by orthogonalization."""
    basis, volume = [], 1
    for row in rows:
        v = list(row)
        for q in basis:
            c = sum(a * b for a, b in zip(v, q))
            v = [a - c * b for a, b in zip(v, q)]
        length = math.sqrt(math.fsum(a * a for a in v))
        volume *= length
        basis.append([a / length for a in v])
    return volume


def jacobi_largest_eigenvalue(entries):
    """Of a symmetric 3 by 3 matrix given by its 6 entries, by Jacobi rotations."""
    a, b, c, d, e, f = entries
    m = [[a, b, c], [b, d, e], [c, e, f]]
    for _sweep in range(6):
        for p, q in ((0, 1), (0, 2), (1, 2)):
            if abs(m[p][q]) < 1e-15:
                continue
            theta = (m[q][q] - m[p][p]) / (2 * m[p][q])
            t = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1))
            cos = 1 / math.sqrt(t * t + 1)
            sin = t * cos
            for k in range(3):
                m[k][p], m[k][q] = cos * m[k][p] - sin * m[k][q], sin * m[k][p] + cos * m[k][q]
            for k in range(3):
                m[p][k], m[q][k] = cos * m[p][k] - sin * m[q][k], sin * m[p][k] + cos * m[q][k]
    return max(m[i][i] for i in range(3))


A3 = [[0.2, 1.5, -0.7], [2.1, 0.3, 0.4], [-0.6, 0.9, 1.8]]

CASES = [
    ("determinant by LU", lu_determinant, (A3,)),
    ("Gauss elimination", solve_norm, (A3, [1.0, -2.0, 0.5])),
    ("Gaussian likelihood by Cholesky", gaussian_log_likelihood, (A3, [0.3, -1.0, 0.8])),
    ("Cholesky with jitter", cholesky_with_jitter, ([[1.0, 1.2], [1.2, 1.4]],)),
    ("power iteration", power_iteration, ([[2.0, 0.4], [0.3, 0.5]],)),
    (
        "conjugate gradients",
        conjugate_gradient,
        ([3.0, 2.5, 4.0, 3.5], -0.8, [1.0, 0.5, -0.3, 2.0]),
    ),
    ("Gram-Schmidt", gram_schmidt, (((1.0, 0.2, 0.3), (0.5, -1.0, 0.1), (0.3, 0.4, 2.0)),)),
    ("Jacobi eigenvalue", jacobi_largest_eigenvalue, ((2.0, 0.3, -0.2, 1.0, 0.5, 0.4),)),
]
