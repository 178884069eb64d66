"""Ways to say things with arrays, common and less common."""

import math

import numpy
import numpy as np
from numpy import ndarray


def vectorized_scalar(xs, cutoff):
    def response(x):
        if x < cutoff:
            return x**2
        return math.sqrt(x) + cutoff**2

    f = np.vectorize(response)
    return f(xs).sum()


def along_axis(table, power):
    """Norms of rows, then of columns, with a function made for 1-D."""

    def p_norm(v):
        return sum(abs(e) ** power for e in v) ** (1 / power)

    rows = np.apply_along_axis(p_norm, 1, table)
    columns = np.apply_along_axis(p_norm, axis=0, arr=table)
    return rows.max() * columns.min()


def flexible_mean(x, weights=None):
    """Takes numbers, lists and arrays."""
    if np.isscalar(x):
        return float(x)
    if not isinstance(x, np.ndarray):
        x = np.asarray(x, dtype=np.float64)
    if np.ndim(x) > 1:
        x = x.ravel()
    if weights is None:
        weights = np.ones(x.shape[0])
    if weights.shape != x.shape:
        raise ValueError(f"expected {x.shape}, got {weights.shape}")
    return (x * weights).sum() / weights.sum()


def mean_of_all_kinds(number, values, matrix, weights):
    total = flexible_mean(number) + flexible_mean(values) * flexible_mean(matrix)
    try:
        flexible_mean(matrix, weights)
    except ValueError as error:
        expected = "expected (4,)" in str(error)
        total += 2 * flexible_mean(values, weights) * expected
    return total


def log_likelihood(x, mu, sigma):
    x = np.atleast_1d(x)
    if np.any(sigma <= 0):
        raise ValueError("sigma must be positive")
    return -np.sum(np.log(sigma) + (x - mu) ** 2 / (2 * sigma**2))


def scalars_in_and_out(x):
    """float, item and tolist at every turn."""
    total = float(x.sum())
    biggest = x.max().item()
    ratio = math.exp(total / 10) / biggest
    for value in x.tolist():
        ratio += math.log(abs(value) + 1.0)
    first, *rest = x.tolist()
    return ratio + first * float(rest[-1])


def builtins_over_arrays(x, y):
    ordered = sorted(x)
    spread = max(x) - min(x)
    pairs = sum(a * b for a, b in zip(x, y))
    ranks = sum(i * v for i, v in enumerate(ordered))
    biggest_row = max(np.outer(x, y), key=lambda row: row[0])
    any_negative = any(v < 0 for v in y)
    return spread * pairs + ranks + abs(sum(biggest_row)) + (round(3.7) if any_negative else 0)


def masks(x):
    x = x.copy()
    x[x < 0] = 0
    positive = x > 0
    x[positive] = np.sqrt(x[positive])
    big = x > 1.2
    x[big] *= 0.5
    x[~positive & ~big] = 0.1
    count = np.count_nonzero(positive)
    return x.sum() / count


def fancy(x, updates):
    """Gathers, scatters and double indices."""
    order = np.array([3, 0, 2, 2, 1])
    y = x[order] * np.arange(1.0, 6.0)
    z = np.zeros(6)
    z[[5, 1, 3]] = updates
    z[[1, 3]] += y[:2]
    z[-1:0:-2] *= 1.5
    grid = np.outer(x, z)
    grid[np.arange(4), [0, 1, 3, 5]] = 7.0 * x
    picked = grid[np.ix_([0, 2], [1, 3, 5])]
    return y.sum() + picked.sum() + grid[2, 3]


def scatter_add(values, strength):
    """Histogram with weights, three ways."""
    bins = np.array([0, 2, 1, 2, 2, 0, 3])
    out = np.zeros(4)
    np.add.at(out, bins, values)
    weighted = np.bincount(bins, weights=values * strength, minlength=4)
    by_mask = np.array([values[bins == b].sum() for b in range(4)])
    return np.sum(out * weighted) + (by_mask**3).max()


def buffers(a, b):
    """No temporaries: everything goes through out=."""
    work = np.empty_like(a)
    np.multiply(a, b, out=work)
    np.add(work, a, out=work)
    np.exp(work, out=work)
    acc = np.zeros(a.shape[0])
    np.sum(work, axis=1, out=acc)
    np.subtract(acc, 1.0, acc)
    total = np.empty(())
    np.sum(acc, out=total)
    np.dot(a, b.T, out=(square := np.empty((a.shape[0], b.shape[0]))))
    return total + square.trace()


def einsums(A, B, v):
    trace = np.einsum("ii", A)
    bilinear = np.einsum("i,ij,j->", v, A, v)
    product = np.einsum("ij,jk->ik", A, B)
    hadamard = numpy.einsum("ij,ij->i", A, B)
    outer = np.einsum("i,j->ij", v, hadamard)
    return trace + bilinear + product.max() + outer[0, 2] * np.einsum("ij->", outer)


def copies_and_views(x):
    """What is a view and what is not."""
    grid = x.reshape(3, 4)
    grid = grid.copy()
    row = grid[1]
    row += 1.0  # into grid
    column = grid[:, 2].copy()
    column *= 100.0  # not into grid
    flat = grid.ravel()
    flat[0] = flat[5] * 2
    grid.T[3] = grid[:, 0] ** 2
    block = grid[1:, 1:3]
    block[...] = block[::-1] + 0.5
    same = np.asarray(grid)
    same[2, 3] = 0.25
    return (grid * np.arange(12).reshape(grid.shape)).sum() + 1e-3 * column.mean()


def refill(x, level):
    """The workspace is filled, sorted, copied and swapped in place."""
    work = np.empty(x.size)
    work.fill(level)
    work[:3] = x[:3]
    work.sort()
    other = np.zeros_like(work)
    np.copyto(other, work[::-1])
    np.copyto(other, x, where=x > 1.0)
    other[0], other[-1] = other[-1], other[0]
    work[[0, 1]] = work[[1, 0]]
    np.put(work, [4], x[4] ** 2)
    return np.dot(work, np.cumsum(other))


def newaxis(x, y):
    d = x[:, np.newaxis] - y[np.newaxis, :]
    weights = np.exp(-np.abs(d))
    weights /= weights.sum(axis=-1, keepdims=True)
    expanded = np.expand_dims(y, 0) * weights
    tiles = np.tile(x, (2, 1)) + np.repeat(x, 2).reshape(2, -1)
    return expanded.sum() + np.squeeze(tiles[:1]).prod() + np.broadcast_to(y, (3, y.size)).sum()


def stacking(a, b):
    """Lists of arrays that become arrays."""
    rows = []
    for k in range(3):
        rows.append(a * k + b)
    table = np.array(rows)
    table = np.vstack([table, np.stack([a, b]), np.hstack([a[:1], b[1:]])])
    left, right = np.split(table, [1], axis=1)
    parts = np.array_split(np.concatenate([left.ravel(), right.ravel()]), 5)
    grid = np.block([[a[:2, None], np.eye(2)], [np.ones((1, 3))]])
    return sum(p.sum() * k for k, p in enumerate(parts)) + np.linalg.det(grid)


def reductions(m):
    parts = [
        m.sum(axis=0).max(),
        m.mean(axis=1).min(),
        np.prod(m[0]),
        m.std(),
        np.nansum(m[1]),
        np.ptp(m, axis=0).sum(),
        np.median(m, axis=1)[0],
        m.cumsum()[-2],
        np.cumprod(m[:, 0])[-1],
        np.average(m, weights=[1, 2, 3], axis=0)[1],
        np.linalg.norm(m, ord=1),
        np.linalg.norm(m[0], ord=3),
        np.max(np.abs(m[:, 1])),
        np.add.reduce(m[2]),
        np.multiply.accumulate(m[2])[-1],
    ]
    return math.fsum(parts)


def piecewise_tariff(usage, prices):
    """What each month costs, with np.select, np.piecewise and np.choose."""
    blocks = np.select(
        [usage < 10, usage < 50, usage >= 50],
        [prices[0] * usage, 10 * prices[0] + prices[1] * (usage - 10), prices[2] * usage],
    )
    taxes = np.piecewise(usage, [usage < 20, usage >= 20], [lambda u: 0.05 * u, lambda u: 0.1 * u])
    season = np.choose([0, 1, 1, 0], [prices[1], prices[2]])
    steps = np.digitize(usage, [10.0, 50.0])
    return np.sum(blocks + taxes) + season.sum() + (prices[steps] * usage).sum()


def horner(coefficients, x):
    result = numpy.zeros_like(x)
    for c in coefficients:
        result = result * x + c
    check = numpy.polyval(coefficients, x)
    assert numpy.allclose(result, check)
    powers = x[:, None] ** numpy.arange(len(coefficients))[::-1]
    return (powers @ coefficients).max() + numpy.poly1d(coefficients)(0.5)


def rows_of_a_matrix(m):
    """Loops over rows, elements and indices."""
    total = 0.0
    for row in m:
        for value in row:
            total += value / (1 + value**2)
    for (i, j), value in np.ndenumerate(m):
        total += (i - j) * value
    for index in np.ndindex(m.shape):
        total -= 0.1 * m[index] ** 2
    for value in m.flat:
        total += math.tanh(value)
    for a, b in zip(m[0], m.T[1]):
        total += a * b
    return total


def special_functions(x):
    pieces = (
        np.sinc(x / 3) * np.log1p(x),
        np.arctan2(x, 2.0) + np.hypot(x, 1.0),
        np.cbrt(x) * np.exp2(-x) + np.log2(x) * np.log10(x),
        np.sinh(x / 2) - np.arcsinh(x) + np.arccosh(x + 2),
        np.float_power(x, 1.5) / np.reciprocal(x) - np.fabs(-x),
        np.mod(x, 0.7) + np.floor(x) + np.deg2rad(x) * np.sign(-x),
        np.copysign(x, -1.0) + np.fmax(x, 0.2) + np.heaviside(x - 1, 0.5) * np.square(x),
        np.positive(x) - np.negative(x) + np.maximum(np.minimum(x, 2.0), 1.0),
    )
    return np.sum([p.sum() for p in pieces])


def dtype_juggling(x, n_bins):
    if not (isinstance(x, ndarray) and x.dtype == np.float64):
        raise TypeError("wants an array of doubles")
    weights = np.array([1, 2, 3, 4])
    y = np.ascontiguousarray(x.astype(float))
    y = y * np.float64(2) + np.int64(3)
    idx = np.floor(y * n_bins).astype(np.int64) % 4
    return y[idx].sum() + np.true_divide(y, np.sum(weights)).dot(weights)


LINE = np.array([0.4, 1.7, -0.9, 2.3])
LONGER = np.array([0.6, -1.1, 1.9, 0.25, 2.8, -0.45, 1.3])
MATRIX = np.array([[0.8, -0.4, 1.3], [0.35, 1.15, -0.7], [-1.2, 0.55, 0.95]])

CASES = [
    ("np.vectorize", vectorized_scalar, (np.array([0.3, 0.9, 1.4, 2.2]), 1.1)),
    ("apply_along_axis", along_axis, (MATRIX, 2.5)),
    ("numbers, lists, arrays", mean_of_all_kinds, (1.3, [0.5, 2.0], MATRIX[:2, :2], LINE[:2])),
    ("atleast_1d", log_likelihood, (0.7, LINE, np.abs(LINE) + 0.5)),
    ("float, item, tolist", scalars_in_and_out, (LINE,)),
    ("built-ins over arrays", builtins_over_arrays, (LINE, MATRIX[2])),
    ("boolean masks", masks, (LONGER,)),
    ("fancy indexing", fancy, (LINE, np.array([0.5, -0.3, 1.1]))),
    ("np.add.at", scatter_add, (LONGER, 0.8)),
    ("out=", buffers, (MATRIX, MATRIX.T * 0.5)),
    ("einsum", einsums, (MATRIX, MATRIX[::-1] + 0.1, np.array([1.0, -0.5, 0.3]))),
    ("copies and views", copies_and_views, (np.cos(np.arange(12.0)),)),
    ("fill, sort, copyto", refill, (LONGER, 0.9)),
    ("newaxis", newaxis, (LINE, MATRIX[0])),
    ("stacking", stacking, (LINE, LINE[::-1] ** 2)),
    ("reductions", reductions, (MATRIX,)),
    ("select, piecewise", piecewise_tariff, (np.array([4.0, 17.0, 42.0, 66.0]), MATRIX[1] + 1)),
    ("Horner", horner, (LINE, np.array([0.3, 1.2, -0.8]))),
    ("rows and elements", rows_of_a_matrix, (MATRIX,)),
    ("many functions", special_functions, (np.array([0.4, 1.6, 2.5]),)),
    ("dtypes", dtype_juggling, (LINE, 3.3)),
]
