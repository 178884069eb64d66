"""Likelihoods, distances, estimators."""

import math
from collections import namedtuple

import numpy as np
from numpy.linalg import cholesky, det, inv, slogdet, solve

Mixture = namedtuple("Mixture", ["weights", "means", "sigmas"])


def kmeans_loss(points, centers):
    """Sum of squared distances to the nearest center, after one round of Lloyd."""
    distances = np.linalg.norm(points[:, None, :] - centers[None, :, :], axis=2)
    labels = np.argmin(distances, axis=1)
    new_centers = np.array([points[labels == k].mean(axis=0) for k in range(len(centers))])
    inertia = 0.0
    for k in np.unique(labels):
        inertia += ((points[labels == k] - 0.9 * new_centers[k] - 0.1 * centers[k]) ** 2).sum()
    return inertia


def em_step(x, mixture):
    """Responsibilities, new parameters, and the log likelihood under them."""

    def densities(m):
        z = (x[:, np.newaxis] - m.means) / m.sigmas
        return m.weights * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * m.sigmas)

    p = densities(mixture)
    resp = p / p.sum(axis=1, keepdims=True)
    nk = resp.sum(axis=0)
    means = (resp * x[:, None]).sum(axis=0) / nk
    variances = (resp * (x[:, None] - means) ** 2).sum(axis=0) / nk
    new = mixture._replace(weights=nk / len(x), means=means, sigmas=np.sqrt(variances))
    return np.log(densities(new).sum(axis=1)).sum()


def mixture_2d(points, means, scales):
    def mvn(x, mu, cov):
        d = x - mu
        return math.exp(-0.5 * d @ inv(cov) @ d) / (2 * math.pi * math.sqrt(det(cov)))

    ll = 0
    for x in points:
        likelihood = sum(
            0.5 * mvn(x, mu, np.array([[s, 0.2], [0.2, s]])) for mu, s in zip(means, scales)
        )
        ll += math.log(likelihood)
    return ll


def rbf(a, b, length, variance=1.0):
    sq = np.sum(a**2, 1).reshape(-1, 1) + np.sum(b**2, 1) - 2 * np.dot(a, b.T)
    return variance * np.exp(-0.5 / length**2 * sq)


def gp_log_likelihood(x, y, length, variance, noise):
    K = rbf(x[:, None], x[:, None], length, variance) + noise * np.eye(len(x))
    L = cholesky(K)
    alpha = solve(L.T, solve(L, y))
    return -0.5 * y @ alpha - np.log(np.diag(L)).sum() - len(x) / 2 * np.log(2 * np.pi)


def gp_by_slogdet(log_params, y):
    length, noise = np.exp(log_params)
    t = np.arange(len(y))
    K = np.exp(-np.abs(np.subtract.outer(t, t)) / length)
    K[np.diag_indices_from(K)] += noise
    sign, logdet = slogdet(K)
    if sign <= 0:
        raise np.linalg.LinAlgError("covariance is not positive definite")
    return 0.5 * (y.dot(np.linalg.inv(K)).dot(y) + logdet)


def kernel_ridge(X, y, gamma, lam):
    """Leave-one-out errors, all from one inverse."""
    d2 = ((X[:, None] - X[None]) ** 2).sum(-1)
    K = np.exp(-gamma * d2)
    G = np.linalg.inv(K + lam * np.eye(len(X)))
    loo = (G @ y) / np.diag(G)
    query = np.array([[0.5, 0.5]])
    k = np.exp(-gamma * ((query - X) ** 2).sum(1))
    return np.mean(loo**2) + k @ np.linalg.solve(K + lam * np.eye(len(X)), y)


def mahalanobis(data, point):
    mu = data.mean(0)
    cov = np.cov(data.T)
    diff = point - mu
    return np.sqrt(diff @ np.linalg.solve(cov, diff))


def cosine_similarity(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError("shapes %s and %s differ" % (a.shape, b.shape))
    return np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))


def huber(residuals, delta):
    a = np.abs(residuals)
    return np.where(a <= delta, 0.5 * residuals**2, delta * (a - 0.5 * delta)).mean()


def tukey(residuals, c):
    """Biweight, the residuals scaled by their median absolute deviation."""
    mad = np.median(np.abs(residuals - np.median(residuals)))
    u = np.clip(residuals / (c * mad), -1, 1)
    return np.sum(1 - (1 - u**2) ** 3) * mad


def kde_entropy(sample, bandwidth):
    n = len(sample)
    z = (sample[:, None] - sample) / bandwidth
    kernel = np.exp(-0.5 * z * z) / (bandwidth * np.sqrt(2 * np.pi))
    off = ~np.eye(n, dtype=bool)
    leave_one_out = kernel[off].reshape(n, n - 1).mean(axis=1)
    return -np.log(leave_one_out).mean()


def logistic_newton(X, y, ridge):
    """Fitted by Newton-Raphson; the deviance."""
    beta = np.zeros(X.shape[1])
    for _ in range(12):
        p = 1.0 / (1.0 + np.exp(-X.dot(beta)))
        W = np.diag(p * (1 - p))
        H = X.T.dot(W).dot(X) + ridge * np.eye(len(beta))
        beta += np.linalg.solve(H, X.T.dot(y - p) - ridge * beta)
    return -2 * np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def pca_reconstruction(X):
    """Share of the variance that two components explain, and the first score."""
    Xc = X - X.mean(axis=0)
    values, vectors = np.linalg.eigh(Xc.T @ Xc / (len(X) - 1))
    order = values.argsort()[::-1]
    values, vectors = values[order], vectors[:, order]
    scores = Xc @ vectors[:, :2]
    restored = scores @ vectors[:, :2].T
    error = np.linalg.norm(Xc - restored, "fro")
    return values[:2].sum() / values.sum() + abs(scores[0, 0]) + error


def polynomial_fit(x, y):
    V = np.vander(x, 4, increasing=True)
    coef, residual, rank, _ = np.linalg.lstsq(V, y, rcond=None)
    assert rank == 4
    at = np.polyval(coef[::-1], 1.5)
    return at + np.sum((V @ coef - y) ** 2)


def ridge_path(X, y, lambdas):
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    total = 0.0
    for lam in lambdas:
        beta = Vt.T @ (s / (s**2 + lam) * (U.T @ y))
        total += np.abs(beta).sum()
    return total


def bootstrap_ratio(a, b):
    """Mean of a ratio of means over resampled pairs."""
    rng = np.random.default_rng(4)
    index = rng.integers(0, len(a), size=(20, len(a)))
    return (a[index].mean(axis=1) / b[index].mean(axis=1)).std(ddof=1)


def welch_t(a, b):
    va, vb = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    return (np.mean(a) - np.mean(b)) / np.sqrt(va + vb)


def divergences(p, q):
    p, q = p / p.sum(), q / q.sum()
    m = 0.5 * (p + q)
    kl = lambda a, b: np.sum(a * np.log(a / b))
    hellinger = np.sqrt(1 - np.sqrt(p * q).sum())
    return 0.5 * kl(p, m) + 0.5 * kl(q, m) + hellinger + 0.5 * np.abs(p - q).sum()


def cox(beta, covariates):
    """Partial likelihood; the patients stand in the order of their times."""
    event = np.array([True, True, False, True, False, True])
    eta = covariates @ beta
    risk = np.exp(eta)[::-1].cumsum()[::-1]
    return np.sum((eta - np.log(risk))[event])


def correlations(data):
    r = np.corrcoef(data, rowvar=False)
    i, j = np.triu_indices(len(r), k=1)
    z = np.arctanh(r[i, j])
    return np.sum(z**2)


def quantile_loss(y, forecast):
    """Pinball losses at three levels, and the interquartile range."""
    out = 0.0
    for q in (0.1, 0.5, 0.9):
        e = y - forecast
        out += np.maximum(q * e, (q - 1) * e).mean()
    low, high = np.quantile(y, [0.25, 0.75])
    return out + (high - low)


def skewness(x):
    c = x - x.mean()
    return (c**3).mean() / (c**2).mean() ** 1.5 + (c**4).mean() / c.var() ** 2 - 3


rng = np.random.default_rng(31)
CLOUD = np.vstack([rng.normal(0, 0.5, (5, 2)), rng.normal(2, 0.5, (4, 2))]).round(3)
SAMPLE = np.array([0.31, -1.22, 2.05, 0.84, 1.47, -0.36, 3.3])
LABELS = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
TWO = np.array([[0.2, 0.1], [1.8, 2.2]])

CASES = [
    ("k-means", kmeans_loss, (CLOUD, TWO)),
    (
        "EM step",
        em_step,
        (SAMPLE, Mixture(np.array([0.4, 0.6]), np.array([-0.5, 1.5]), np.array([0.8, 1.1]))),
    ),
    ("mixture in the plane", mixture_2d, (CLOUD[2:7], TWO, [0.7, 0.9])),
    (
        "Gaussian process",
        gp_log_likelihood,
        (np.array([0.0, 0.7, 1.1, 2.4, 3.0]), SAMPLE[:5], 0.8, 1.3, 0.1),
    ),
    ("Gaussian process, slogdet", gp_by_slogdet, (np.array([0.3, -1.0]), SAMPLE)),
    ("kernel ridge", kernel_ridge, (CLOUD[:6], SAMPLE[:6], 0.7, 0.2)),
    ("Mahalanobis", mahalanobis, (CLOUD, np.array([1.2, -0.4]))),
    ("cosine similarity", cosine_similarity, ([0.31, -1.22, 2.05], SAMPLE[3:6])),
    ("Huber", huber, (SAMPLE, 0.9)),
    ("Tukey", tukey, (SAMPLE, 2.1)),
    ("entropy of a density estimate", kde_entropy, (SAMPLE, 0.6)),
    ("logistic regression, Newton", logistic_newton, (CLOUD, LABELS, 0.3)),
    ("principal components", pca_reconstruction, (np.c_[CLOUD, np.cos(CLOUD[:, 0] * 3)],)),
    ("polynomial fit", polynomial_fit, (np.array([0.0, 0.5, 1.0, 1.7, 2.1, 3.0]), SAMPLE[:6])),
    ("ridge by svd", ridge_path, (CLOUD[:6], SAMPLE[:6], [0.1, 0.5, 2.0])),
    ("bootstrap", bootstrap_ratio, (SAMPLE, np.abs(SAMPLE) + 1)),
    ("Welch's t", welch_t, (SAMPLE, CLOUD[:5, 0])),
    ("divergences", divergences, (np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.4, 0.3]))),
    ("Cox", cox, (np.array([0.4, -0.7]), CLOUD[:6])),
    ("correlations", correlations, (CLOUD,)),
    ("quantile loss", quantile_loss, (SAMPLE, np.array([0.0, -1.0, 1.0, 1.0, 1.0, 0.0, 2.0]))),
    ("moments", skewness, (SAMPLE,)),
]
