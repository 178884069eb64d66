"""Markov chains, hidden and not."""

from math import log

import numpy
import numpy as np

RAIN = np.array([[0.7, 0.3], [0.4, 0.6]])
LOOKS = np.array([[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]])
SEEN = [0, 1, 2, 2, 0, 1, 0, 2]


def forward_scaled(pi, A, B):
    """Log likelihood of what was seen; the scale of each step is divided out."""
    T = len(SEEN)
    alpha = np.zeros((T, len(pi)))
    c = np.zeros(T)
    alpha[0] = pi * B[:, SEEN[0]]
    c[0] = alpha[0].sum()
    alpha[0] /= c[0]
    for t in range(1, T):
        for j in range(len(pi)):
            alpha[t, j] = alpha[t - 1].dot(A[:, j]) * B[j, SEEN[t]]
        c[t] = alpha[t].sum()
        alpha[t] /= c[t]
    return np.log(c).sum()


def log_sum_exp(a, axis=None):
    biggest = np.max(a, axis=axis, keepdims=True)
    s = np.log(np.sum(np.exp(a - biggest), axis=axis, keepdims=True)) + biggest
    return np.squeeze(s, axis=axis)


def forward_log(log_pi, log_A, means):
    """The same in the log domain, with Gaussian emissions."""
    y = np.array([0.3, 1.9, 2.2, -0.1, 0.4])
    emission = -0.5 * (y[:, None] - means[None, :]) ** 2 - 0.5 * np.log(2 * np.pi)
    alpha = log_pi + emission[0]
    for t in range(1, len(y)):
        alpha = emission[t] + log_sum_exp(alpha[:, np.newaxis] + log_A, axis=0)
    return log_sum_exp(alpha)


def logaddexp_chain(stay, leak):
    """Probability of ending in state 0, two states, in logs throughout."""
    a, b = np.log(0.5), np.log(0.5)
    for _ in range(7):
        a, b = (
            np.logaddexp(a + np.log(stay), b + np.log(leak)),
            np.logaddexp(a + np.log1p(-stay), b + np.log1p(-leak)),
        )
    return np.exp(a)


def viterbi(pi, A, B):
    T, N = len(SEEN), A.shape[0]
    delta = np.zeros((T, N))
    psi = np.zeros((T, N), dtype=int)
    delta[0] = np.log(pi) + np.log(B[:, SEEN[0]])
    for t in range(1, T):
        for j in range(N):
            scores = delta[t - 1] + np.log(A[:, j])
            psi[t, j] = np.argmax(scores)
            delta[t, j] = scores[psi[t, j]] + np.log(B[j, SEEN[t]])
    path = [int(np.argmax(delta[-1]))]
    for t in range(T - 1, 0, -1):
        path.insert(0, int(psi[t, path[0]]))
    assert len(path) == T
    return max(delta[-1]) - 0.1 * sum(path)


def baum_welch_step(A, B):
    """One round of re-estimation; the expected number of days of rain to come."""
    T, N = len(SEEN), len(A)
    emit = B[:, SEEN].T
    alpha = np.empty((T, N))
    beta = np.ones((T, N))
    alpha[0] = 0.5 * emit[0]
    for t in range(1, T):
        alpha[t] = (alpha[t - 1] @ A) * emit[t]
    for t in reversed(range(T - 1)):
        beta[t] = A @ (emit[t + 1] * beta[t + 1])
    gamma = alpha * beta
    gamma /= gamma.sum(axis=1, keepdims=True)
    xi = np.einsum("ti,ij,tj->ij", alpha[:-1], A, emit[1:] * beta[1:])
    A_new = xi / xi.sum(axis=1, keepdims=True)
    return A_new[0, 0] / (1 - A_new[0, 0]) + gamma[-1, 0]


def stationary(P):
    """By walking until it settles."""
    P = P / P.sum(axis=1)[:, None]
    w = np.full(len(P), 1 / len(P))
    while True:
        new = w @ P
        if np.allclose(new, w, rtol=0, atol=1e-14):
            break
        w = new
    return -(w * np.log(w)).sum()


def absorbing(P_transient, cost):
    """Expected cost until the gambler stops, by the fundamental matrix."""
    if (P_transient < 0).any():
        raise ValueError("probabilities must not be negative")
    N = numpy.linalg.inv(numpy.eye(3) - P_transient)
    return numpy.dot(N, cost)[0] + N[0, 2]


def pagerank(weights, damping):
    links = {0: [1, 2], 1: [2], 2: [0], 3: [0, 2, 1]}
    n = len(links)
    M = np.zeros((n, n))
    k = 0
    for page, targets in links.items():
        for target in targets:
            M[target, page] = weights[k]
            k += 1
    M /= M.sum(axis=0)
    rank = np.ones(n) / n
    for _ in range(200):
        previous = rank
        rank = damping * M.dot(rank) + (1 - damping) / n
        if np.abs(rank - previous).sum() < 1e-14:
            break
    return rank[2] / rank[1]


def birth_death(birth, death):
    """Uniformization of a continuous chain with five states."""
    n = 5
    Q = np.zeros((n, n))
    i = np.arange(n - 1)
    Q[i, i + 1] = birth * (n - 1 - i)
    Q[i + 1, i] = death * (i + 1)
    np.fill_diagonal(Q, -Q.sum(axis=1))
    rate = 1.1 * np.abs(Q.diagonal()).max()
    P = np.eye(n) + Q / rate
    term = np.zeros(n)
    term[0] = 1.0
    total = np.zeros(n)
    weight = np.exp(-rate)
    for k in range(60):
        total += weight * term
        term = term @ P
        weight *= rate / (k + 1)
    return total @ np.arange(n)


def chain_likelihood(P):
    """Counts of the transitions of a text against a matrix of weights."""
    text = "abacabadabacaba"
    index = {letter: k for k, letter in enumerate(sorted(set(text)))}
    counts = np.zeros((4, 4), dtype=int)
    for x, y in zip(text, text[1:]):
        counts[index[x], index[y]] += 1
    P = P / np.sum(P, axis=1, keepdims=True)
    mask = counts > 0
    return float((counts[mask] * np.log(P[mask])).sum())


def two_coins(p, bias):
    """Which of two coins was thrown, after each throw."""
    belief = np.array([p, 1 - p])
    surprise = 0.0
    for head in (True, True, False, True):
        like = bias if head else 1 - bias
        joint = belief * like
        surprise -= log(joint.sum())
        belief = joint / joint.sum()
    return surprise + belief[0]


CASES = [
    ("forward, scaled", forward_scaled, (np.array([0.6, 0.4]), RAIN, LOOKS)),
    (
        "forward, in logs",
        forward_log,
        (np.log([0.6, 0.4]), np.log(RAIN), np.array([0.2, 2.1])),
    ),
    ("two states by logaddexp", logaddexp_chain, (0.8, 0.3)),
    ("Viterbi", viterbi, (np.array([0.6, 0.4]), RAIN, LOOKS)),
    ("Baum-Welch step", baum_welch_step, (RAIN, LOOKS)),
    (
        "stationary distribution",
        stationary,
        (np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]]),),
    ),
    (
        "absorbing chain",
        absorbing,
        (
            np.array([[0.1, 0.5, 0.05], [0.4, 0.1, 0.3], [0.1, 0.5, 0.2]]),
            np.array([1.0, 2.0, 1.5]),
        ),
    ),
    ("PageRank", pagerank, (np.array([1.0, 2.0, 1.0, 1.5, 0.5, 1.2, 0.7]), 0.85)),
    ("birth and death", birth_death, (0.4, 0.7)),
    ("likelihood of a text", chain_likelihood, (np.arange(1.0, 17.0).reshape(4, 4),)),
    ("two coins", two_coins, (0.5, np.array([0.6, 0.45]))),
]
