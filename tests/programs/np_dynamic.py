"""Tables filled by recurrences."""

import math

import numpy as np


def soft_min(values, gamma):
    z = -np.array(values) / gamma
    top = z.max()
    return -gamma * (math.log(np.exp(z - top).sum()) + top)


def soft_dtw(x, y, gamma):
    n, m = len(x), len(y)
    R = np.full((n + 1, m + 1), np.inf)
    R[0, 0] = 0.0
    D = (x[:, None] - y[None, :]) ** 2
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            R[i, j] = D[i - 1, j - 1] + soft_min([R[i - 1, j - 1], R[i - 1, j], R[i, j - 1]], gamma)
    return R[n, m]


def dtw(s, t):
    """Hard minimum, cost by absolute distance."""
    n, m = len(s), len(t)
    table = np.full((n + 1, m + 1), float("inf"))
    table[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = abs(s[i - 1] - t[j - 1])
            table[i, j] = cost + min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1])
    return table[-1, -1]


def edit_distance(costs):
    """Between two words, with weighted operations."""
    a, b = "kitten", "sitting"
    insert, delete, replace = costs
    d = np.zeros((len(a) + 1, len(b) + 1))
    d[:, 0] = np.arange(len(a) + 1) * delete
    d[0, :] = np.arange(len(b) + 1) * insert
    for i, ca in enumerate(a, 1):
        for j, cb in enumerate(b, 1):
            d[i, j] = np.min(
                [
                    d[i - 1, j] + delete,
                    d[i, j - 1] + insert,
                    d[i - 1, j - 1] + (0 if ca == cb else replace),
                ]
            )
    return d[len(a), len(b)]


def knapsack(values):
    weights = [3, 1, 4, 2, 3]
    capacity = 7
    best = np.zeros(capacity + 1)
    for w, v in zip(weights, values):
        best[w:] = np.maximum(best[w:], best[: capacity + 1 - w] + v)
    return best[capacity]


def smith_waterman(similarity, gap, temperature):
    """Local alignment; maxima replaced by soft ones."""
    a, b = similarity.shape
    H = np.zeros((a + 1, b + 1))
    for i in range(a):
        for j in range(b):
            options = np.array(
                [0.0, H[i, j] + similarity[i, j], H[i, j + 1] - gap, H[i + 1, j] - gap]
            )
            H[i + 1, j + 1] = temperature * np.log(np.sum(np.exp(options / temperature)))
    return temperature * np.log(np.exp(H[1:, 1:] / temperature).sum())


def needleman_wunsch(scores, gap_open, gap_extend):
    """Affine gaps, three tables."""
    one, two = "GATTACA", "GATCCCTACGC"
    match, mismatch = scores["match"], scores["mismatch"]
    n, m = len(one), len(two)
    M, X, Y = (np.full((n + 1, m + 1), -1e9) for _ in range(3))
    M[0, 0] = 0.0
    for i in range(1, n + 1):
        X[i, 0] = -gap_open - (i - 1) * gap_extend
    for j in range(1, m + 1):
        Y[0, j] = -gap_open - (j - 1) * gap_extend
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            s = match if one[i - 1] == two[j - 1] else mismatch
            M[i, j] = s + max(M[i - 1, j - 1], X[i - 1, j - 1], Y[i - 1, j - 1])
            X[i, j] = max(M[i - 1, j] - gap_open, X[i - 1, j] - gap_extend)
            Y[i, j] = max(M[i, j - 1] - gap_open, Y[i, j - 1] - gap_extend)
    return max(T[n, m] for T in (M, X, Y))


def floyd_warshall(lengths):
    """All shortest ways, by broadcasting; the sum of them."""
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2), (1, 4)]
    dist = np.full((5, 5), np.inf)
    np.fill_diagonal(dist, 0.0)
    for (i, j), w in zip(edges, lengths):
        dist[i, j] = dist[j, i] = w
    for k in range(5):
        dist = np.minimum(dist, dist[:, k, np.newaxis] + dist[np.newaxis, k, :])
    assert np.all(np.isfinite(dist))
    return np.triu(dist).sum()


def seam(energy):
    """Cheapest way from the top row to the bottom row, then back along it."""
    M = energy.copy()
    rows, cols = M.shape
    for i in range(1, rows):
        left = np.concatenate(([np.inf], M[i - 1, :-1]))
        right = np.concatenate((M[i - 1, 1:], [np.inf]))
        M[i] += np.minimum.reduce([left, M[i - 1], right])
    j = int(np.argmin(M[-1]))
    path = [energy[-1, j]]
    for i in range(rows - 2, -1, -1):
        lo = max(j - 1, 0)
        j = lo + int(np.argmin(M[i, lo : j + 2]))
        path.append(energy[i, j])
    return float(np.sum(np.square(path)))


def optimal_growth(alpha, beta):
    """Value iteration on a grid of capital."""
    grid = np.linspace(0.1, 1.0, 12)
    output = grid**alpha
    consumption = output[:, None] - 0.7 * grid[None, :]
    feasible = consumption > 0
    utility = np.where(feasible, np.log(np.where(feasible, consumption, 1.0)), -1e6)
    v = np.zeros(len(grid))
    for _ in range(60):
        v = np.max(utility + beta * v[None, :], axis=1)
    return v[6]


def gridworld(reward, gamma, noise):
    """Policy evaluation, cell by cell and in place."""
    V = np.zeros(reward.shape)
    h, w = reward.shape
    for _ in range(25):
        for r in range(h):
            for c in range(w):
                right = V[r, min(c + 1, w - 1)]
                down = V[min(r + 1, h - 1), c]
                V[r, c] = reward[r, c] + gamma * ((1 - noise) * right + noise * down)
    return V[0, 0]


def inventory(demand, holding, shortage, order):
    """Dynamic lot sizing: orders cover whole stretches of days."""
    n = len(demand)
    best = [0.0]
    for end in range(1, n + 1):
        options = []
        for start in range(end):
            held = sum(holding * (t - start) * demand[t] for t in range(start, end))
            late = shortage * demand[start] ** 2 if start else 0.0
            options.append(best[start] + order + held + late)
        best.append(min(options))
    return best[n]


def ctc(logits):
    """Probability of the label "ab", all alignments, in logs."""
    logp = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    target = [0, 1, 0, 2, 0]  # blanks between the letters
    alpha = np.full(5, -np.inf)
    alpha[:2] = logp[0, target[:2]]
    for row in logp[1:]:
        new = np.full(5, -np.inf)
        for s in range(5):
            total = alpha[s]
            if s >= 1:
                total = np.logaddexp(total, alpha[s - 1])
            if s >= 2 and target[s] and target[s] != target[s - 2]:
                total = np.logaddexp(total, alpha[s - 2])
            new[s] = total + row[target[s]] if np.isfinite(total) else -np.inf
        alpha = new
    return -np.logaddexp(alpha[3], alpha[4])


def matrix_chain(dims):
    """Cheapest bracketing; the dimensions are sizes in metres, so not whole."""
    n = len(dims) - 1
    m = np.zeros((n, n))
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            m[i, j] = min(
                m[i, k] + m[k + 1, j] + dims[i] * dims[k + 1] * dims[j + 1] for k in range(i, j)
            )
    return m[0, n - 1]


SERIES = np.array([0.1, 0.9, 2.1, 1.4, 0.3])
OTHER = np.array([0.0, 0.4, 1.1, 2.3, 1.2, 0.5])
GRID = np.random.default_rng(2).permutation(20).reshape(4, 5) / 7 + 0.2

CASES = [
    ("soft DTW", soft_dtw, (SERIES, OTHER, 0.3)),
    ("DTW", dtw, (SERIES, OTHER)),
    ("edit distance", edit_distance, (np.array([1.0, 1.1, 1.7]),)),
    ("knapsack", knapsack, (np.array([4.1, 1.3, 5.2, 2.9, 3.7]),)),
    ("Smith-Waterman, soft", smith_waterman, (np.sin(GRID * 5), 0.4, 0.5)),
    ("Needleman-Wunsch", needleman_wunsch, ({"match": 1.0, "mismatch": -0.6}, 0.9, 0.35)),
    ("shortest ways", floyd_warshall, (np.array([1.0, 2.2, 1.7, 0.8, 1.4, 3.6, 2.9]),)),
    ("seam", seam, (GRID,)),
    ("optimal growth", optimal_growth, (0.33, 0.9)),
    ("grid world", gridworld, (GRID - 1.0, 0.9, 0.2)),
    ("lot sizing", inventory, (np.array([3.0, 5.0, 2.0, 7.0, 4.0]), 0.8, 0.1, 6.0)),
    ("CTC", ctc, (np.cos(np.arange(15.0)).reshape(5, 3),)),
    ("matrix chain", matrix_chain, (np.array([3.0, 3.5, 1.5, 5.2, 1.1, 2.0]),)),
]
