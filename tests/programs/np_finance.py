"""Prices and risks, mostly by simulation."""

import math

import numpy as np

DRAWS = np.random.default_rng(7).standard_normal((50, 6))


def monte_carlo_call(S0, K, r, sigma, T):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal(200)
    ST = S0 * np.exp((r - 0.5 * sigma**2) * T + sigma * np.sqrt(T) * Z)
    payoff = np.maximum(ST - K, 0)
    return np.exp(-r * T) * np.mean(payoff)


def simulate(s0, r, sigma):
    """All paths, one column a date, today's included."""
    n_paths, n_steps = DRAWS.shape
    dt = 1.0 / n_steps
    S = np.zeros((n_paths, n_steps + 1))
    S[:, 0] = s0
    for t in range(1, n_steps + 1):
        S[:, t] = S[:, t - 1] * np.exp(
            (r - 0.5 * sigma**2) * dt + sigma * math.sqrt(dt) * DRAWS[:, t - 1]
        )
    return S


def asian_call(s0, strike, r, sigma):
    average = simulate(s0, r, sigma)[:, 1:].mean(axis=1)
    payoff = np.where(average > strike, average - strike, 0.0)
    return payoff.mean() * math.exp(-r)


def barrier_call(s0, strike, barrier, sigma):
    """Up-and-out; which paths are knocked out is decided date by date."""
    S = simulate(s0, 0.01, sigma)
    alive = np.all(S < barrier, axis=1)
    payoff = np.maximum(S[:, -1] - strike, 0.0)
    payoff[~alive] = 0.0
    return payoff.sum() / len(payoff)


def basket_call(spots, weights, vols, rho):
    corr = np.full((3, 3), rho)
    np.fill_diagonal(corr, 1.0)
    L = np.linalg.cholesky(corr)
    Z = DRAWS[:, :3] @ L.T
    S = spots * np.exp(-0.5 * vols**2 + vols * Z)
    basket = S @ weights
    return np.mean(np.clip(basket - 100.0, 0.0, None))


def binomial_call(S, K, r, sigma, N=25):
    dt = 1 / N
    u = np.exp(sigma * np.sqrt(dt))
    d = 1 / u
    p = (np.exp(r * dt) - d) / (u - d)
    disc = np.exp(-r * dt)
    v = np.maximum(S * u ** np.arange(-N, N + 1, 2) - K, 0.0)
    for _ in range(N):
        v[:-1] = disc * (p * v[1:] + (1 - p) * v[:-1])
    return v[0]


def american_put(S, K, r, sigma, N=20):
    """Exercise whenever it is worth more."""
    dt = 1.0 / N
    u = math.exp(sigma * math.sqrt(dt))
    p = (math.exp(r * dt) - 1 / u) / (u - 1 / u)
    disc = math.exp(-r * dt)
    prices = S * u ** (2.0 * np.arange(N + 1) - N)
    values = np.maximum(K - prices, 0)
    for i in range(N - 1, -1, -1):
        prices = prices[: i + 1] * u
        values = disc * (p * values[1:] + (1 - p) * values[:-1])
        np.maximum(values, K - prices, out=values)
    return values.item()


def norm_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def black_scholes(S, K, r, sigma, T):
    d1 = (np.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * np.sqrt(T))
    d2 = d1 - sigma * np.sqrt(T)
    price = S * norm_cdf(d1) - K * np.exp(-r * T) * norm_cdf(d2)
    vega = S * np.sqrt(T) * np.exp(-0.5 * d1**2) / np.sqrt(2 * np.pi)
    return price, vega


def implied_volatility(prices, strikes):
    """Newton's method, quote by quote; the slope of the smile."""
    vols = []
    for price, K in zip(prices, strikes):
        sigma = 0.3
        for _ in range(20):
            value, vega = black_scholes(100.0, K, 0.02, sigma, 0.5)
            diff = value - price
            sigma -= diff / vega
            if abs(diff) < 1e-12:
                break
        vols.append(sigma)
    vols = np.array(vols)
    return np.mean(np.diff(vols) / np.diff(np.log(strikes)))


def portfolio_risk(weights, returns):
    w = weights / np.sum(weights)
    mean = returns.mean(axis=0)
    cov = np.cov(returns, rowvar=False)
    return np.sqrt(w @ cov @ w) - 0.5 * np.dot(w, mean)


def frontier(mu, vols, target):
    """Least variance for a wanted return: one linear system with two constraints."""
    n = len(mu)
    cov = np.outer(vols, vols) * (0.3 + 0.7 * np.eye(n))
    kkt = np.zeros((n + 2, n + 2))
    kkt[:n, :n] = cov
    kkt[:n, n], kkt[n, :n] = mu, mu
    kkt[:n, n + 1] = kkt[n + 1, :n] = 1.0
    rhs = np.zeros(n + 2)
    rhs[n:] = target, 1.0
    w = np.linalg.solve(kkt, rhs)[:n]
    return float(w @ cov @ w)


def garch(params, returns):
    """Negative log likelihood of GARCH(1, 1)."""
    omega, alpha, beta = params
    if alpha + beta >= 1:
        return np.inf
    T = len(returns)
    sigma2 = np.empty(T)
    sigma2[0] = np.var(returns)
    for t in range(1, T):
        sigma2[t] = omega + alpha * returns[t - 1] ** 2 + beta * sigma2[t - 1]
    return 0.5 * np.sum(np.log(2 * np.pi) + np.log(sigma2) + returns**2 / sigma2)


def heston(v0, kappa, theta, xi):
    """Euler paths of the variance, kept away from zero by full truncation."""
    dt = 1 / 6
    v = np.full(25, v0)
    log_s = np.zeros(25)
    for k in range(6):
        vp = np.maximum(v, 0.0)
        z1, z2 = DRAWS[:25, k], DRAWS[25:, k]
        log_s += -0.5 * vp * dt + np.sqrt(vp * dt) * z1
        v = v + kappa * (theta - vp) * dt + xi * np.sqrt(vp * dt) * (-0.7 * z1 + 0.714 * z2)
    return np.maximum(np.exp(log_s) - 0.95, 0).mean()


def value_at_risk(positions, shock):
    """Fifth percentile of profit over historical scenarios, and the mean beyond."""
    scenarios = 0.01 * DRAWS[:40, : len(positions)]
    pnl = np.sort(scenarios @ positions * shock)
    var = np.percentile(pnl, 5)
    return -var - pnl[pnl < var].mean()


def max_drawdown(returns):
    wealth = np.cumprod(1 + returns)
    peak = np.maximum.accumulate(wealth)
    return ((peak - wealth) / peak).max()


def bond_duration(face, coupon, zeros):
    """Cash flows along a zero curve that is interpolated between whole years."""
    years = np.arange(1.0, len(zeros) + 1)
    t = np.arange(0.5, years[-1] + 0.5, 0.5)
    flows = np.full(t.shape, face * coupon / 2)
    flows[-1] += face
    rates = np.interp(t, years, zeros)
    pv = flows * (1 + rates / 2) ** (-2 * t)
    return np.average(t, weights=pv)


def irr(flows):
    periods = np.arange(flows.size)
    rate = 0.1
    for _ in range(30):
        factors = (1.0 + rate) ** -periods.astype(float)
        npv = (flows * factors).sum()
        slope = -(periods * flows * factors).sum() / (1 + rate)
        step = npv / slope
        rate -= step
        if abs(step) < 1e-14:
            break
    return rate


def least_squares_exercise(S0, K, sigma):
    """Longstaff-Schwartz with a parabola, on very few paths."""
    S = simulate(S0, 0.04, sigma)
    disc = np.exp(-0.04 / 6)
    cash = np.maximum(K - S[:, -1], 0)
    for t in range(S.shape[1] - 2, 0, -1):
        cash *= disc
        money = S[:, t] < K
        X = np.vander(S[money, t] / K, 3)
        coef, *_ = np.linalg.lstsq(X, cash[money], rcond=None)
        now = np.where(money)[0][X @ coef < K - S[money, t]]
        cash[now] = K - S[now, t]
    return disc * cash.mean()


LOG_RETURNS = np.array([0.011, -0.021, 0.004, 0.033, -0.027, -0.008, 0.016, 0.002, -0.019])

CASES = [
    ("Monte Carlo call", monte_carlo_call, (100.0, 105.0, 0.02, 0.25, 1.0)),
    ("Asian call", asian_call, (100.0, 101.0, 0.03, 0.3)),
    ("barrier call", barrier_call, (100.0, 98.0, 141.5, 0.3)),
    (
        "basket call",
        basket_call,
        (np.array([90.0, 100.0, 115.0]), np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.4]), 0.4),
    ),
    ("binomial call", binomial_call, (101.0, 100.0, 0.03, 0.25)),
    ("American put", american_put, (97.3, 100.0, 0.05, 0.3)),
    (
        "implied volatility",
        implied_volatility,
        (np.array([13.1, 7.2, 3.9]), np.array([90.0, 100.0, 112.0])),
    ),
    (
        "portfolio risk",
        portfolio_risk,
        (np.array([2.0, 1.0, 3.0]), LOG_RETURNS.reshape(3, 3).T * [1.0, 1.5, 0.7]),
    ),
    (
        "efficient frontier",
        frontier,
        (np.array([0.04, 0.07, 0.1]), np.array([0.1, 0.2, 0.3]), 0.06),
    ),
    ("GARCH", garch, (np.array([0.2, 0.1, 0.8]), 100 * LOG_RETURNS)),
    ("Heston", heston, (0.09, 1.5, 0.08, 0.2)),
    ("value at risk", value_at_risk, (np.array([1.0, -2.0, 0.7, 3.1]), 1.2)),
    ("largest drawdown", max_drawdown, (LOG_RETURNS * 3,)),
    ("bond duration", bond_duration, (100.0, 0.05, np.array([0.01, 0.018, 0.024, 0.027]))),
    ("internal rate of return", irr, (np.array([-100.0, 20.0, 35.0, 40.0, 38.0]),)),
    ("American put by regression", least_squares_exercise, (102.0, 103.0, 0.3)),
]
