"""Gradients of the array programs as a person would write them: what NumPy itself costs.

Each takes its program's arguments, runs the program, goes back over it, and returns what
``tapead.grad`` would: a tuple with the adjoints of the arguments to differentiate by.
"""

import numpy as np


def small_vectors(v, a, b, operations):
    kept = []
    for _ in range(operations // 5):
        sine = np.sin(v)
        kept.append((v, sine))
        v = (sine * a + b) - 0.1 * v
    g = 2.0 * v
    g_a, g_b = np.zeros(len(a)), np.zeros(len(b))
    for v, sine in reversed(kept):
        g_b += g
        g_a += g * sine
        g = g * a * np.cos(v) - 0.1 * g
    return g, g_a, g_b


def lstm(weights, recurrent, bias, readout, inputs, targets):
    hidden, length = len(readout), len(targets)
    state, cell, kept = np.zeros(hidden), np.zeros(hidden), []
    for x, target in zip(inputs, targets):
        z = weights @ x + recurrent @ state + bias
        gates = 1.0 / (1.0 + np.exp(-z[: 3 * hidden]))
        enter, stay, leave = gates[:hidden], gates[hidden : 2 * hidden], gates[2 * hidden :]
        new = np.tanh(z[3 * hidden :])
        before, cell = cell, stay * cell + enter * new
        shown = np.tanh(cell)
        kept.append((x, state, gates, new, before, shown))
        state = leave * shown
        kept[-1] += (state, readout @ state - target)
    g_weights, g_recurrent = np.zeros(weights.shape), np.zeros(recurrent.shape)
    g_bias, g_readout = np.zeros(bias.shape), np.zeros(hidden)
    g_state, g_cell, g_z = np.zeros(hidden), np.zeros(hidden), np.empty(4 * hidden)
    for x, state, gates, new, before, shown, after, error in reversed(kept):
        enter, stay, leave = gates[:hidden], gates[hidden : 2 * hidden], gates[2 * hidden :]
        g_error = 2.0 * error / length
        g_readout += g_error * after
        g_state += g_error * readout
        g_cell += g_state * leave * (1.0 - shown * shown)
        g_z[:hidden] = g_cell * new
        g_z[hidden : 2 * hidden] = g_cell * before
        g_z[2 * hidden : 3 * hidden] = g_state * shown
        g_z[: 3 * hidden] *= gates * (1.0 - gates)
        g_z[3 * hidden :] = g_cell * enter * (1.0 - new * new)
        g_bias += g_z
        g_weights += g_z[:, None] * x
        g_recurrent += g_z[:, None] * state
        g_state = recurrent.T @ g_z
        g_cell *= stay
    return g_weights, g_recurrent, g_bias, g_readout


def mlp(w1, b1, w2, b2, images, labels):
    hidden = np.tanh(images @ w1 + b1)
    z = hidden @ w2 + b2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    share = e / e.sum(axis=1, keepdims=True)
    g_z = (share * labels.sum(axis=1, keepdims=True) - labels) / len(images)
    g_hidden = (g_z @ w2.T) * (1.0 - hidden * hidden)
    return images.T @ g_hidden, g_hidden.sum(0), hidden.T @ g_z, g_z.sum(0)


def logistic_regression(w, b, points, signs):
    e = np.exp(-signs * (points @ w + b))
    g = e / (1.0 + e)
    g *= signs
    g /= -len(points)
    return points.T @ g + 2e-3 * w, np.array(g.sum())


def gaussian_mixture(alphas, means, factors, points):
    n, d = points.shape
    k = len(alphas)
    rows, columns = np.tril_indices(d, -1)
    logs, below = factors[:, :d], factors[:, d:]
    lower = np.zeros((k, d, d))
    lower[:, rows, columns] = below
    diagonal = np.exp(logs)
    centered = points - means[:, None, :]
    scaled = diagonal[:, None, :] * centered + centered @ lower.transpose(0, 2, 1)
    inner = (alphas + logs.sum(1))[:, None] - 0.5 * (scaled * scaled).sum(2)
    share = np.exp(inner - inner.max(0))
    share /= share.sum(0)
    scaled *= -share[:, :, None]
    g_lower = scaled.transpose(0, 2, 1) @ centered
    g_means = -(scaled.sum(1) * diagonal + (scaled.sum(1)[:, None, :] @ lower)[:, 0])
    g_logs = diagonal * ((scaled * centered).sum(1) + diagonal) + share.sum(1)[:, None]
    prior = np.exp(alphas - alphas.max())
    g_alphas = share.sum(1) - n * prior / prior.sum()
    return g_alphas, g_means, np.hstack([g_logs, g_lower[:, rows, columns] + below])


def ufunc_chain(v):
    n, kept = len(v), []
    for _ in range(4):
        t = np.tanh(v * 1.01 + 0.1)
        square = t * t
        kept.append((t, square))
        v = np.sin(square)
    g = np.full(n, 1.0 / n)
    while kept:
        t, square = kept.pop()
        g *= np.cos(square)
        g *= 2.02 * t
        g *= 1.0 - square
    return (g,)


def heat(start, rate, steps):
    u, bends = np.copy(start), []
    for _ in range(steps):
        bend = u[2:] - 2.0 * u[1:-1] + u[:-2]
        bends.append(bend)
        u[1:-1] += rate * bend
    g, g_rate = 2.0 * u, 0.0
    for bend in reversed(bends):
        g_rate += g[1:-1] @ bend
        term = rate * g[1:-1]
        g[2:] += term
        g[1:-1] -= 2.0 * term
        g[:-2] += term
    return g, np.array(g_rate)
