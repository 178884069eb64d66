"""Recursion and dynamic programming."""

import bisect
import math
from functools import cache, lru_cache, reduce
from itertools import chain, combinations, pairwise

from . import toolbox
from .toolbox import binomial


def horner(coefficients, x):
    return reduce(lambda acc, c: acc * x + c, reversed(coefficients))


def power(x, n=13):
    if n == 0:
        return 1
    half = power(x, n // 2)
    return half * half * (x if n % 2 else 1)


def deep(x, n=900):
    """A continued fraction, one call a level."""
    return x if n == 0 else x + 1 / (2 + deep(x * 0.999, n - 1))


def ackermann_like(x):
    def even(n, v):
        return v if n == 0 else odd(n - 1, math.sin(v) + x)

    def odd(n, v):
        return even(n - 1, v * x - math.cos(v))

    return even(10, x)


def adaptive_simpson(a, b, sharpness):
    def f(x):
        return math.exp(-sharpness * (x - 0.3) ** 2) + math.sqrt(1 + x)

    def simpson(l, r):
        return (r - l) / 6 * (f(l) + 4 * f((l + r) / 2) + f(r))

    def refine(l, r, whole, tol):
        m = (l + r) / 2
        left, right = simpson(l, m), simpson(m, r)
        if abs(left + right - whole) <= 15 * tol:
            return left + right + (left + right - whole) / 15
        return refine(l, m, left, tol / 2) + refine(m, r, right, tol / 2)

    return refine(a, b, simpson(a, b), 1e-7)


def edit_distance(costs, first="gradient", second="ingredient"):
    """Levenshtein's with costs as inputs, made smooth by the cheapest path only."""

    @lru_cache(maxsize=None)
    def d(i, j):
        if i == 0 or j == 0:
            return i * costs["delete"] + j * costs["insert"]
        change = 0.0 if first[i - 1] == second[j - 1] else costs["replace"]
        return min(
            d(i - 1, j) + costs["delete"], d(i, j - 1) + costs["insert"], d(i - 1, j - 1) + change
        )

    return d(len(first), len(second))


def knapsack(values):
    weights, room = [3, 4, 5, 2, 6], 10
    best = [0] * (room + 1)
    for w, v in zip(weights, values):
        for r in range(room, w - 1, -1):
            best[r] = max(best[r], best[r - w] + v)
    return best[room]


def shortest_path(lengths):
    """Dijkstra's on a dict of edges."""
    import heapq

    graph = {
        "a": {"b": lengths[0], "c": lengths[1]},
        "b": {"d": lengths[2]},
        "c": {"b": lengths[3], "d": lengths[4]},
        "d": {},
    }
    queue, done = [(0.0, "a")], {}
    while queue:
        dist, node = heapq.heappop(queue)
        if node in done:
            continue
        done[node] = dist
        for target, length in graph[node].items():
            heapq.heappush(queue, (dist + length, target))
    return done["d"]


def catalan_sum(x):
    @cache
    def c(n):
        return 1 if n == 0 else sum(c(i) * c(n - 1 - i) for i in range(n))

    return sum(c(n) * x**n for n in range(8)) + binomial(9, 4) * x


def cached_of_floats(a, b):
    """A cache filled by earlier calls, here with the very same floats."""
    toolbox.saturation_pressure(20.0)
    toolbox.saturation_pressure(25.0)
    return toolbox.saturation_pressure(a) / toolbox.saturation_pressure(b)


def expression_tree(tree, x=0.7):
    """Nested tuples of operators, numbers and the variable."""
    match tree:
        case ("x",):
            return x
        case float() | int():
            return tree
        case (op, left, right):
            l, r = expression_tree(left, x), expression_tree(right, x)
            return {"+": lambda: l + r, "*": lambda: l * r, "^": lambda: l**r}[op]()
        case (name, inner):
            return getattr(math, name)(expression_tree(inner, x))
    raise SyntaxError(tree)


def symbolic(a, b):
    return expression_tree(("+", ("*", a, ("sin", ("^", ("x",), b))), ("exp", ("*", -1, a))))


def permanent(rows):
    if len(rows) == 1:
        return rows[0][0]
    rest = rows[1:]
    return sum(v * permanent([r[:j] + r[j + 1 :] for r in rest]) for j, v in enumerate(rows[0]))


def elementary_symmetric(xs):
    return sum(math.prod(c) for k in (1, 2, 3) for c in combinations(xs, k))


def flatten(tree):
    return chain.from_iterable(flatten(t) if isinstance(t, list) else [t] for t in tree)


def nested_sum(tree):
    return sum(x**2 / (1 + i) for i, x in enumerate(flatten(tree)))


def merge_sort(xs):
    if len(xs) < 2:
        return xs
    a, b = merge_sort(xs[: len(xs) // 2]), merge_sort(xs[len(xs) // 2 :])
    out = []
    while a and b:
        out.append(a.pop(0) if a[0] <= b[0] else b.pop(0))
    return out + a + b


def gini(xs):
    return sum((2 * i - len(xs) + 1) * x for i, x in enumerate(merge_sort(xs))) / sum(xs)


def piecewise_linear(x, ys, xs=(0.0, 1.0, 2.5, 4.0)):
    i = bisect.bisect_right(xs, x) - 1
    w = (x - xs[i]) / (xs[i + 1] - xs[i])
    roughness = sum((b - a) ** 2 for a, b in pairwise(ys))
    return ys[i] + w * (ys[i + 1] - ys[i]) + 0.01 * roughness


CASES = [
    ("Horner", horner, ([1.0, -2.0, 0.5, 3.0], 0.7)),
    ("power by squaring", power, (1.1,)),
    ("deep recursion", deep, (0.8,)),
    ("mutual recursion", ackermann_like, (0.6,)),
    ("adaptive Simpson", adaptive_simpson, (-0.5, 1.9, 8.0)),
    ("edit distance", edit_distance, ({"delete": 1.1, "insert": 0.9, "replace": 1.6},)),
    ("knapsack", knapsack, ([4.0, 5.5, 7.2, 2.1, 8.0],)),
    ("shortest path", shortest_path, ([4.0, 1.0, 1.5, 2.0, 5.0],)),
    ("Catalan numbers", catalan_sum, (0.15,)),
    ("cache of floats", cached_of_floats, (20.0, 25.0)),
    ("cache of equal floats", cached_of_floats, (20.0, 20.0)),
    ("expression tree", symbolic, (1.3, 2.2)),
    ("permanent", permanent, ([[1.0, 2.0, 0.5], [0.3, -1.0, 1.5], [2.0, 0.7, 0.9]],)),
    ("symmetric polynomials", elementary_symmetric, ([0.5, -1.2, 2.0, 0.3],)),
    ("nested lists", nested_sum, ([0.5, [1.5, [2.0, -0.3]], 0.9],)),
    ("Gini by merge sort", gini, ([3.0, 1.2, 4.5, 2.2],)),
    ("piecewise linear", piecewise_linear, (1.8, (0.2, 1.0, -0.5, 0.4))),
]
