"""Solvers that run inside the program."""

import numpy as np
from numpy.linalg import LinAlgError, inv, norm


def gradient_descent(X, y, rate):
    """Linear regression, a hundred steps."""
    theta = np.zeros(X.shape[1])
    for _ in range(100):
        error = X.dot(theta) - y
        theta = theta - rate * X.T.dot(error) / len(y)
    return np.sum((X.dot(theta) - y) ** 2) / (2 * len(y))


def gauss_newton(t, y, guess):
    """Exponential decay through measured points."""
    p = np.asarray(guess, dtype=float).copy()
    for _ in range(50):
        a, k = p
        model = a * np.exp(-k * t)
        J = np.column_stack([np.exp(-k * t), -a * t * np.exp(-k * t)])
        delta = np.linalg.solve(J.T @ J, J.T @ (y - model))
        p += delta
        if norm(delta) < 1e-13:
            break
    else:
        raise RuntimeError("Gauss-Newton did not converge")
    return p[0] * p[1]


def levenberg_marquardt(points, center, radius):
    """Circle through points; the damping goes up and down."""

    def residuals(q):
        return norm(points - q[:2], axis=1) - q[2]

    q = np.append(center, radius)
    damping = 1e-2
    cost = residuals(q) @ residuals(q)
    for _ in range(40):
        r = residuals(q)
        diff = q[:2] - points
        J = np.hstack([diff / norm(diff, axis=1)[:, None], -np.ones((len(points), 1))])
        H = J.T @ J
        trial = q - inv(H + damping * np.diag(np.diag(H))) @ (J.T @ r)
        new_cost = residuals(trial) @ residuals(trial)
        if new_cost <= cost * (1 + 1e-9):
            q, cost = trial, new_cost
            damping = max(damping / 10, 1e-12)
        else:
            damping *= 4
    return q[2] + 0.1 * q[0]


def newton_system(a, b):
    """Where an ellipse meets an exponential."""

    def F(v):
        x, y = v
        return np.array([x**2 / a**2 + y**2 / b**2 - 1, y - 0.3 * np.exp(x)])

    def J(v):
        x, y = v
        return np.array([[2 * x / a**2, 2 * y / b**2], [-0.3 * np.exp(x), 1.0]])

    v = np.array([1.0, 1.0])
    for _ in range(20):
        step = np.linalg.solve(J(v), -F(v))
        v = v + step
        if np.max(np.abs(step)) < 1e-14:
            break
    return v.prod()


def conjugate_gradients(d, b):
    n = len(b)
    A = np.diag(d) + 0.3 * np.ones((n, n))
    x = np.zeros(n)
    r = b - A @ x
    p = r.copy()
    rs = r @ r
    for _ in range(n + 3):
        Ap = A @ p
        alpha = rs / (p @ Ap)
        x += alpha * p
        r -= alpha * Ap
        rs_new = r @ r
        if np.sqrt(rs_new) < 1e-12:
            break
        p = r + (rs_new / rs) * p
        rs = rs_new
    return x @ x


def bfgs(start, scale):
    """Quasi-Newton with backtracking, on a smooth bowl."""
    f = lambda x: np.sum(np.cosh(x * scale)) + 0.1 * x[0] * x[1]
    df = lambda x: scale * np.sinh(x * scale) + 0.1 * x[::-1]
    x = start
    H = np.eye(2)
    I = np.eye(2)
    for _ in range(4):
        g = df(x)
        p = -H @ g
        t = 1.0
        while f(x + t * p) > f(x) + 1e-4 * t * (g @ p):
            t *= 0.5
        s = t * p
        y = df(x + s) - g
        rho = 1.0 / np.dot(y, s)
        V = I - rho * np.outer(s, y)
        H = V @ H @ V.T + rho * np.outer(s, s)
        x = x + s
    return f(x) + 10.0 * norm(x)


def ista(A, b, lam):
    """Sparse regression by soft thresholds."""
    x = np.zeros(A.shape[1])
    step = 0.15
    for _ in range(60):
        z = x - step * (A.T @ (A @ x - b))
        x = np.sign(z) * np.maximum(np.abs(z) - step * lam, 0.0)
    return 0.5 * np.sum((A @ x - b) ** 2) + lam * np.abs(x).sum()


def simplex_projection(v):
    """Nearest probabilities to a vector, after sorting."""
    u = np.sort(v)[::-1]
    css = np.cumsum(u)
    k = np.nonzero(u * np.arange(1, len(v) + 1) > css - 1)[0][-1]
    theta = (css[k] - 1) / (k + 1.0)
    w = np.maximum(v - theta, 0)
    return np.sum(w**2) + w[0]


def irls(y, x, delta):
    """Line through points with outliers, by reweighting."""
    A = np.vstack([x, np.ones_like(x)]).T
    w = np.ones(len(y))
    for _ in range(30):
        Aw = A * w[:, None]
        coef = np.linalg.solve(Aw.T @ A, Aw.T @ y)
        r = y - A @ coef
        w = 1 / np.sqrt(1 + (r / delta) ** 2)
    slope, intercept = coef
    return slope + 2 * intercept


def sinkhorn(a, b, positions, eps):
    """Entropic transport between two small histograms."""
    C = np.abs(positions[:, None] - positions[None, :]) ** 2
    K = np.exp(-C / eps)
    a, b = a / a.sum(), b / b.sum()
    u = np.ones_like(a)
    for _ in range(300):
        v = b / (K.T @ u)
        u_new = a / (K @ v)
        done = np.allclose(u_new, u, rtol=1e-13, atol=0)
        u = u_new
        if done:
            break
    plan = u[:, None] * K * v
    return (plan * C).sum()


def golden_section(a, b):
    """Where a curve is lowest: golden section first, Newton's method for the last digits."""
    f = lambda x: np.exp(a * x) + b / x
    ratio = (np.sqrt(5) - 1) / 2
    lo, hi = 0.1, 4.0
    c, d = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
    while hi - lo > 1e-3:
        if f(c) < f(d):
            hi, d = d, c
            c = hi - ratio * (hi - lo)
        else:
            lo, c = c, d
            d = lo + ratio * (hi - lo)
    x = (lo + hi) / 2
    for _ in range(5):
        x -= (a * np.exp(a * x) - b / x**2) / (a**2 * np.exp(a * x) + 2 * b / x**3)
    return x * f(x)


def anderson(b, theta):
    """A fixed point, with memory of the last steps."""
    W = np.array([[0.4, -0.3, 0.1], [0.2, 0.3, -0.2], [-0.1, 0.25, 0.35]])
    g = lambda x: np.tanh(theta * (W @ x) + b)
    xs, gs = [np.zeros(3)], [g(np.zeros(3))]
    xs.append(gs[0])
    gs.append(g(xs[1]))
    for _ in range(12):
        F = np.array(gs) - np.array(xs)
        dF = (F[1:] - F[:-1]).T
        try:
            gamma = np.linalg.solve(dF.T @ dF + 1e-12 * np.eye(dF.shape[1]), dF.T @ F[-1])
        except LinAlgError:
            break
        dG = np.diff(np.array(gs), axis=0).T
        xs.append(gs[-1] - dG @ gamma)
        gs.append(g(xs[-1]))
        xs, gs = xs[-3:], gs[-3:]
        if norm(gs[-1] - xs[-1]) < 1e-9:
            break
    x = gs[-1]
    for _ in range(30):
        x = g(x)
    return norm(x) ** 2


def sgd(samples, rate):
    """Online mean and scale, in a shuffled order."""
    rng = np.random.default_rng(12)
    mu, s = 0.0, 1.0
    for epoch in range(5):
        for i in rng.permutation(len(samples)):
            err = samples[i] - mu
            mu += rate / (1 + epoch) * err
            s += rate * (err**2 - s)
    return mu + np.sqrt(s)


rng = np.random.default_rng(21)
DESIGN = np.c_[np.ones(6), rng.normal(size=(6, 2))].round(2)
TARGET = np.array([1.1, -0.4, 0.7, 2.2, 0.3, 1.6])
TIMES = np.array([0.0, 0.5, 1.0, 2.0, 3.5])

CASES = [
    ("gradient descent", gradient_descent, (DESIGN, TARGET, 0.1)),
    (
        "Gauss-Newton",
        gauss_newton,
        (TIMES, np.array([2.05, 1.41, 1.07, 0.52, 0.21]), np.array([1.8, 0.9])),
    ),
    (
        "Levenberg-Marquardt",
        levenberg_marquardt,
        (
            np.array([[1.0, 0.1], [0.1, 1.2], [-0.9, 0.2], [0.2, -1.1], [0.8, 0.75]]),
            np.array([0.2, 0.3]),
            0.8,
        ),
    ),
    ("Newton for a system", newton_system, (1.5, 1.2)),
    (
        "conjugate gradients",
        conjugate_gradients,
        (np.array([2.0, 3.0, 1.5, 4.0]), np.array([1.0, -0.5, 2.0, 0.3])),
    ),
    ("BFGS", bfgs, (np.array([1.5, -0.7]), 0.9)),
    ("soft thresholds", ista, (DESIGN, TARGET, 0.4)),
    ("projection on the simplex", simplex_projection, (np.array([0.5, 0.9, -0.3, 0.35, 0.1]),)),
    (
        "reweighted least squares",
        irls,
        (np.array([0.1, 1.2, 1.8, 3.3, 9.0, 5.1]), np.arange(6.0), 0.5),
    ),
    (
        "Sinkhorn",
        sinkhorn,
        (
            np.array([0.4, 0.3, 0.2, 0.1]),
            np.array([0.1, 0.2, 0.5, 0.3]),
            np.array([0.0, 1.0, 2.1, 2.9]),
            1.5,
        ),
    ),
    ("golden section", golden_section, (0.8, 1.5)),
    ("Anderson", anderson, (np.array([0.3, -0.2, 0.5]), 1.2)),
    ("stochastic descent", sgd, (TARGET, 0.2)),
]
