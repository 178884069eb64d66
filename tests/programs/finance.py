"""Finance: options, bonds, yields, path-dependent payoffs on simulated paths."""

import itertools
import random
from functools import lru_cache, partial, reduce
from math import erf, exp, log, sqrt
from operator import mul
from statistics import NormalDist, fmean

from . import toolbox


def black_scholes(spot, strike, rate, sigma, expiry, kind="call"):
    d1 = (log(spot / strike) + (rate + sigma**2 / 2) * expiry) / (sigma * sqrt(expiry))
    d2 = d1 - sigma * sqrt(expiry)

    def cdf(z):
        return (1 + erf(z / sqrt(2))) / 2

    if kind == "call":
        return spot * cdf(d1) - strike * exp(-rate * expiry) * cdf(d2)
    return strike * exp(-rate * expiry) * cdf(-d2) - spot * cdf(-d1)


def put_by_normal_dist(spot, strike, sigma):
    """The same put, with the standard library's normal distribution."""
    total = sigma
    d1 = log(spot / strike) / total + total / 2
    normal = NormalDist()
    return strike * normal.cdf(total - d1) - spot * normal.cdf(-d1)


def implied_volatility(price, spot, strike):
    """By bisection to start with, then by Newton."""
    low, high = 0.01, 3.0
    target = price
    for _ in range(12):
        middle = (low + high) / 2
        if black_scholes(spot, strike, 0.01, middle, 1.0) > target:
            high = middle
        else:
            low = middle

    def gap(sigma):
        return black_scholes(spot, strike, 0.01, sigma, 1.0) - target

    def vega(sigma):
        d1 = (log(spot / strike) + 0.01 + sigma**2 / 2) / sigma
        return spot * toolbox.norm_pdf(d1)

    return toolbox.newton(gap, vega, (low + high) / 2)


def american_put(spot, strike, rate, sigma, steps=30):
    """Cox-Ross-Rubinstein tree."""
    dt = 1.0 / steps
    up = exp(sigma * sqrt(dt))
    down = 1 / up
    p = (exp(rate * dt) - down) / (up - down)
    discount = exp(-rate * dt)
    values = [max(strike - spot * up**j * down ** (steps - j), 0.0) for j in range(steps + 1)]
    for i in range(steps - 1, -1, -1):
        for j in range(i + 1):
            held = discount * (p * values[j + 1] + (1 - p) * values[j])
            exercised = strike - spot * up**j * down ** (i - j)
            values[j] = held if held > exercised else exercised
    return values[0]


def tree_by_recursion(spot, strike, sigma, depth=8):
    up = exp(sigma / sqrt(depth))

    @lru_cache(maxsize=None)
    def value(level, ups):
        if level == depth:
            return max(spot * up ** (2 * ups - level) - strike, 0)
        p = (1 - 1 / up) / (up - 1 / up)
        return p * value(level + 1, ups + 1) + (1 - p) * value(level + 1, ups)

    return value(0, 0)


def paths(spot, rate, sigma, count, steps, seed):
    rng = random.Random(seed)
    dt = 1 / steps
    for _ in range(count):
        s, path = spot, [spot]
        for _ in range(steps):
            s = s * exp((rate - sigma**2 / 2) * dt + sigma * sqrt(dt) * rng.gauss(0.0, 1.0))
            path.append(s)
        yield path


def asian_call(spot, strike, rate, sigma):
    payoffs = [
        max(fmean(path[1:]) - strike, 0.0) for path in paths(spot, rate, sigma, 20, 8, seed=1)
    ]
    return exp(-rate) * fmean(payoffs)


def lookback(spot, sigma):
    return sum(max(p) - min(p) for p in paths(spot, 0.02, sigma, 15, 6, 2)) / 15


def knock_out(spot, strike, barrier, sigma):
    """Down-and-out call whose barrier is smoothed, or else it would have no derivative."""
    total, alive = 0.0, 0
    for path in paths(spot, 0.0, sigma, 25, 5, seed=3):
        survival = reduce(mul, (toolbox.sigmoid((s - barrier) / 2.0) for s in path))
        if survival < 1e-3:
            continue
        alive += 1
        total += survival * max(path[-1] - strike, 0.0)
    print(f"{alive} of 25 paths alive, sum of payoffs {total:.4f}")
    return total / 25


def bond_yield(price, coupon, face=100.0, years=7):
    flows = [coupon] * (years - 1) + [coupon + face]

    def pv(y):
        return sum(c / (1 + y) ** t for t, c in enumerate(flows, start=1)) - price

    def slope(y):
        return sum(-t * c / (1 + y) ** (t + 1) for t, c in enumerate(flows, start=1))

    return toolbox.newton(pv, slope, 0.05)


def curve_price(curve, flows):
    """Discount flows along a zero curve given as {years: rate}, interpolated linearly."""
    knots = sorted(curve)

    def rate_at(t):
        if t <= knots[0]:
            return curve[knots[0]]
        for left, right in zip(knots, knots[1:]):
            if left <= t <= right:
                w = (t - left) / (right - left)
                return (1 - w) * curve[left] + w * curve[right]
        return curve[knots[-1]]

    return sum(flow * exp(-rate_at(t) * t) for t, flow in flows.items())


def mortgage(principal, rates):
    """Monthly payments re-set each year; interest paid over the whole life."""
    balance, interest = principal, 0.0
    for year, rate in enumerate(rates):
        months = 12 * (len(rates) - year)
        r = rate / 12
        payment = balance * r / (1 - (1 + r) ** -months)
        for _ in range(12):
            due = balance * r
            interest += due
            balance -= payment - due
    assert abs(balance) < 1e-6 * principal
    return interest


def drawdown(returns):
    wealth = list(itertools.accumulate(returns, lambda w, r: w * (1 + r), initial=1.0))
    peaks = itertools.accumulate(wealth, max)
    return max((p - w) / p for p, w in zip(peaks, wealth))


PUT = partial(black_scholes, kind="put")

CASES = [
    ("Black-Scholes call", black_scholes, (100.0, 105.0, 0.03, 0.25, 0.75)),
    ("Black-Scholes put, a partial", PUT, (100.0, 105.0, 0.03, 0.25, 0.75)),
    ("put by statistics.NormalDist", put_by_normal_dist, (100.0, 95.0, 0.3)),
    ("implied volatility", implied_volatility, (11.0, 100.0, 102.0)),
    ("American put", american_put, (97.3, 100.0, 0.05, 0.3)),
    ("binomial tree by recursion", tree_by_recursion, (97.3, 100.0, 0.3)),
    ("Asian call", asian_call, (100.0, 101.0, 0.03, 0.2)),
    ("lookback", lookback, (100.0, 0.3)),
    ("knock-out", knock_out, (100.0, 98.0, 85.0, 0.3)),
    ("bond yield", bond_yield, (94.0, 4.5)),
    (
        "zero curve",
        curve_price,
        ({1.0: 0.02, 2.0: 0.025, 5.0: 0.031}, {0.5: 4.0, 1.7: 4.0, 3.1: 4.0, 6.0: 104.0}),
    ),
    ("mortgage", mortgage, (250e3, [0.021, 0.034, 0.041, 0.038])),
    ("largest drawdown", drawdown, ([0.03, -0.05, 0.02, -0.07, 0.04, 0.01],)),
]
