"""Statistics and filters."""

import heapq
import math
import statistics
from collections import defaultdict, deque

from .toolbox import logsumexp, sigmoid

rng_free_noise = [0.12, -0.3, 0.25, 0.05, -0.18, 0.4, -0.22, 0.09]


class Kalman:
    """A particle with constant velocity, seen with noise."""

    def __init__(self, q, r):
        self.x = [0.0, 0.0]
        self.p = [[1.0, 0.0], [0.0, 1.0]]
        self.q, self.r = q, r
        self.log_likelihood = 0

    def predict(self, dt=1.0):
        self.x[0] += dt * self.x[1]
        (a, b), (c, d) = self.p
        self.p = [[a + dt * (b + c) + dt * dt * d + self.q, b + dt * d], [c + dt * d, d + self.q]]

    def update(self, z):
        innovation = z - self.x[0]
        s = self.p[0][0] + self.r
        gain = [row[0] / s for row in self.p]
        for i in range(2):
            self.x[i] += gain[i] * innovation
        self.p = [[self.p[i][j] - gain[i] * self.p[0][j] for j in range(2)] for i in range(2)]
        self.log_likelihood -= 0.5 * (innovation**2 / s + math.log(2 * math.pi * s))


def kalman(q, r, readings):
    track = Kalman(q, r)
    for z in readings:
        track.predict()
        track.update(z)
    return track.log_likelihood


def mixture_by_em(m1, m2, sigma):
    """Log-likelihood after some rounds of expectation and maximization."""
    data = [n + (1.0 if i % 2 else -1.0) for i, n in enumerate(rng_free_noise)]
    weight = 0.5

    def log_normal(x, mu, s):
        return -0.5 * ((x - mu) / s) ** 2 - math.log(s) - 0.5 * math.log(2 * math.pi)

    for _ in range(4):
        shares = []
        for x in data:
            a = math.log(weight) + log_normal(x, m1, sigma)
            b = math.log(1 - weight) + log_normal(x, m2, sigma)
            shares.append(math.exp(a - logsumexp([a, b])))
        n1 = math.fsum(shares)
        m1 = sum(s * x for s, x in zip(shares, data)) / n1
        m2 = sum((1 - s) * x for s, x in zip(shares, data)) / (len(data) - n1)
        spread = sum(s * (x - m1) ** 2 + (1 - s) * (x - m2) ** 2 for s, x in zip(shares, data))
        sigma = math.sqrt(0.5 * sigma**2 + 0.5 * spread / len(data))
        weight = 0.9 * n1 / len(data) + 0.05
    return sum(
        logsumexp(
            [
                math.log(weight) + log_normal(x, m1, sigma),
                math.log(1 - weight) + log_normal(x, m2, sigma),
            ]
        )
        for x in data
    )


def hidden_markov(stay, emit):
    """Log-likelihood of a sequence, by the forward algorithm with scaling."""
    alpha, total = {"rain": 0.5, "sun": 0.5}, 0.0
    for symbol in ["walk", "umbrella", "umbrella", "walk", "walk"]:
        new = defaultdict(float)
        for source, mass in alpha.items():
            for target in alpha:
                p = stay[source] if source == target else 1 - stay[source]
                q = emit[target] if symbol == "umbrella" else 1.0 - emit[target]
                new[target] += mass * p * q
        scale = sum(new.values())
        total += math.log(scale)
        alpha = {state: mass / scale for state, mass in new.items()}
    return total


def trimmed_mean(xs):
    kept = sorted(xs)[1:-1]
    return sum(kept) / len(kept) + statistics.median(xs) + statistics.fmean(xs)


def huber(xs, center, delta):
    def loss(r):
        return 0.5 * r * r if abs(r) <= delta else delta * (abs(r) - 0.5 * delta)

    return sum(map(loss, (x - center for x in xs)))


def logistic_newton(slope, ridge):
    """Newton's method for a logistic regression whose data depend on the inputs."""
    xs = [-1.5, -0.4, 0.3, 0.9, 1.6]
    ys = [sigmoid(slope * x) for x in xs]
    w = 0.0
    for _ in range(25):
        gradient = sum((sigmoid(w * x) - y) * x for x, y in zip(xs, ys)) + ridge * w
        hessian = sum(x * x * sigmoid(w * x) * (1 - sigmoid(w * x)) for x in xs) + ridge
        w -= gradient / hessian
        if abs(gradient) < 1e-14:
            break
    return w


def moving_average(xs, decay):
    window, smooth, out = deque(maxlen=3), None, 0.0
    for x in xs:
        window.append(x)
        smooth = x if smooth is None else decay * smooth + (1 - decay) * x
        out += (sum(window) / len(window) - smooth) ** 2
    return out


def nearest_neighbors(query, points, k=3):
    """Inverse-distance weights of the k nearest."""
    nearest = heapq.nsmallest(k, ((math.dist(query, p[:2]), p[2]) for p in points))
    weights = [1 / (d + 0.1) for d, _ in nearest]
    return sum(w * v for w, (_, v) in zip(weights, nearest)) / sum(weights)


def kernel_density(xs, bandwidth):
    """Mean log-density, each point left out in turn."""
    total = 0
    for i, x in enumerate(xs):
        rest = xs[:i] + xs[i + 1 :]
        total += math.log(
            sum(math.exp(-(((x - y) / bandwidth) ** 2) / 2) for y in rest)
            / (len(rest) * bandwidth * math.sqrt(math.tau))
        )
    return total / len(xs)


def beta_binomial(a, b):
    """Evidence of some counts, by lgamma."""

    def log_beta(p, q):
        return math.lgamma(p) + math.lgamma(q) - math.lgamma(p + q)

    counts = {(3, 10): 2, (7, 12): 1, (0, 5): 4}
    return sum(
        times * (math.log(math.comb(n, k)) + log_beta(k + a, n - k + b) - log_beta(a, b))
        for (k, n), times in counts.items()
    )


def linear_fit(xs, ys):
    """Slope, intercept and correlation from the standard library and by hand."""
    n, mx, my = len(xs), statistics.fmean(xs), statistics.fmean(ys)
    sxy = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    sxx = sum((x - mx) ** 2 for x in xs)
    slope = sxy / sxx
    intercept = my - slope * mx
    residual = sum((y - slope * x - intercept) ** 2 for x, y in zip(xs, ys)) / (n - 2)
    return slope + intercept / (1 + residual)


POINTS = [[0.0, 0.1, 1.0], [1.0, 0.2, 2.0], [0.4, 0.9, -1.0], [-0.8, 0.3, 0.5]]
XS = [0.3, -1.2, 2.4, 0.9, 1.7]

CASES = [
    ("Kalman filter", kalman, (0.1, 0.5, [0.2, 1.1, 1.8, 3.2, 4.1])),
    ("mixture by EM", mixture_by_em, (-0.5, 0.8, 0.7)),
    (
        "hidden Markov model",
        hidden_markov,
        ({"rain": 0.7, "sun": 0.8}, {"rain": 0.9, "sun": 0.15}),
    ),
    ("trimmed mean and median", trimmed_mean, (XS,)),
    ("Huber loss", huber, (XS, 0.5, 0.8)),
    ("logistic regression by Newton", logistic_newton, (1.3, 0.2)),
    ("moving averages", moving_average, (XS, 0.8)),
    ("nearest neighbors", nearest_neighbors, ((0.2, 0.3), POINTS)),
    ("kernel density", kernel_density, (XS, 0.6)),
    ("beta-binomial", beta_binomial, (1.4, 2.2)),
    ("linear fit", linear_fit, (XS, [0.1, -0.9, 2.0, 1.4, 1.1])),
]
