"""Neural networks by hand: the forward passes."""

import numpy as np
from numpy import dot, exp, maximum


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e_x = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e_x / e_x.sum(axis=-1, keepdims=True)


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def __call__(self, x):
        return x @ self.W + self.b


class Tanh:
    def __call__(self, x):
        return np.tanh(x)


class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def add(self, layer):
        self.layers.append(layer)
        return self

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def mlp_mse(W1, b1, W2, b2):
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    t = np.array([[0.0], [1.0], [1.0], [0.0]])
    net = Sequential(Linear(W1, b1), Tanh())
    net.add(Linear(W2, b2)).add(sigmoid)
    return np.mean((net.forward(X) - t) ** 2)


def softmax_cross_entropy(params, reg):
    """Relu network with weight decay; the parameters come in a dictionary."""
    X = np.linspace(-1.0, 1.0, 15).reshape(5, 3)
    y = np.array([0, 2, 1, 1, 0])
    hidden = maximum(0, dot(X, params["W1"]) + params["b1"])
    scores = dot(hidden, params["W2"]) + params["b2"]
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_probs[np.arange(len(y)), y].mean()
    for name in sorted(params):
        if name.startswith("W"):
            loss += 0.5 * reg * np.sum(params[name] * params[name])
    return loss


def conv_forward(image, kernels, bias):
    """Convolution with stride 1, relu, pooling over everything."""
    F, kh, kw = kernels.shape
    H, W = image.shape
    out = np.zeros((F, H - kh + 1, W - kw + 1))
    for f in range(F):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[f, i, j] = np.sum(image[i : i + kh, j : j + kw] * kernels[f]) + bias[f]
    out = np.maximum(out, 0.01 * out)
    return np.log(np.exp(out.mean(axis=(1, 2))).sum())


def conv_im2col(image, kernel):
    """The same kind of layer as one matrix product."""
    k = kernel.shape[0]
    n = image.shape[0] - k + 1
    cols = np.empty((k * k, n * n))
    for a in range(k):
        for b in range(k):
            cols[a * k + b] = image[a : a + n, b : b + n].ravel()
    out = (kernel.reshape(1, -1) @ cols).reshape(n, n)
    return float(np.sum(np.tanh(out) ** 2))


def rnn_perplexity(Wxh, Whh, Why, h0):
    """Three letters, one-hot, predicted one by one."""
    word = [0, 1, 2, 2, 1, 0]
    h = np.copy(h0)
    loss = 0
    for now, following in zip(word[:-1], word[1:]):
        x = np.zeros(3)
        x[now] = 1
        h = np.tanh(np.dot(Wxh, x) + np.dot(Whh, h))
        y = np.dot(Why, h)
        p = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(p[following])
    return np.exp(loss / (len(word) - 1))


def lstm(W, inputs):
    """One matrix for all four gates."""
    n = W.shape[0] // 4
    h, c = np.zeros(n), np.zeros(n)
    for x in inputs:
        z = W @ np.concatenate([h, np.atleast_1d(x), [1.0]])
        i, f, o = sigmoid(z[:n]), sigmoid(z[n : 2 * n] + 1.0), sigmoid(z[2 * n : 3 * n])
        g = np.tanh(z[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return h.sum()


class GRUCell:
    def __init__(self, weights):
        self.Wz, self.Wr, self.Wh = weights
        self.h = np.zeros(self.Wz.shape[0])

    def step(self, x):
        hx = np.hstack((self.h, x))
        z = sigmoid(self.Wz.dot(hx))
        r = sigmoid(self.Wr.dot(hx))
        candidate = np.tanh(self.Wh.dot(np.hstack((r * self.h, x))))
        self.h = (1 - z) * self.h + z * candidate
        return self.h


def gru(weights, sequence):
    cell = GRUCell(weights)
    outputs = [cell.step(x) for x in sequence]
    return np.mean(np.stack(outputs) ** 2)


def batch_norm(x, gamma, beta, training=True):
    running = {"mean": np.zeros(x.shape[1]), "var": np.ones(x.shape[1])}
    if training:
        mean, var = x.mean(axis=0), x.var(axis=0)
        running["mean"] = 0.9 * running["mean"] + 0.1 * mean
        running["var"] = 0.9 * running["var"] + 0.1 * var
    else:
        mean, var = running["mean"], running["var"]
    out = gamma * (x - mean) / np.sqrt(var + 1e-5) + beta
    return np.sum(out**3) + running["var"].sum() + running["mean"].sum()


def attention(Q, K, V):
    """Causal, one head."""
    scores = Q @ K.T / np.sqrt(Q.shape[-1])
    mask = np.triu(np.ones(scores.shape, dtype=bool), k=1)
    scores[mask] = -np.inf
    weights = softmax(scores)
    return np.linalg.norm(weights @ V)


def multi_head(x, wq, wk, wo):
    t, d = x.shape
    heads = 2
    q = (x @ wq).reshape(t, heads, d // heads).transpose(1, 0, 2)
    k = (x @ wk).reshape(t, heads, d // heads).transpose(1, 0, 2)
    v = x.reshape(t, heads, d // heads).swapaxes(0, 1)
    att = softmax(np.matmul(q, np.transpose(k, (0, 2, 1))) / np.sqrt(d / heads))
    y = (att @ v).transpose(1, 0, 2).reshape(t, d) @ wo
    mu = y.mean(-1, keepdims=True)
    y = (y - mu) / np.sqrt(((y - mu) ** 2).mean(-1, keepdims=True) + 1e-3)
    return (0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))).sum()


def word_vectors(table, context):
    """Skip-gram with negative samples."""
    pairs = np.array([[0, 1], [1, 3], [2, 0], [3, 3]])
    negatives = [[2, 3], [0, 2], [1, 1], [0, 2]]
    center = table[pairs[:, 0]]
    positive = (center * context[pairs[:, 1]]).sum(axis=1)
    loss = np.log1p(np.exp(-positive)).sum()
    for c, group in zip(center, negatives):
        loss += np.logaddexp(0, context[group] @ c).sum()
    return loss / len(pairs)


def dropout_net(w, x, rate=0.3):
    """Inverted dropout with a fixed seed; elu instead of relu."""
    rng = np.random.default_rng(3)
    mask = (rng.random((6, 4)) > rate) / (1 - rate)
    h = x * mask
    z = h @ w
    a = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
    return a.mean()


def train_logistic(w0, rate, decay):
    """Full-batch descent on the cross entropy, inside the program; the last loss."""
    X = np.array([[0.5, 1.2], [1.5, -0.3], [-1.1, 0.4], [-0.2, -1.6], [0.9, 0.7]])
    y = np.array([1.0, 1.0, 0.0, 0.0, 1.0])
    w = w0.copy()
    losses = []
    for _ in range(20):
        p = sigmoid(X @ w)
        losses.append(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
        w -= rate * (X.T @ (p - y) / len(y) + decay * w)
    if losses[-1] > losses[0]:
        raise ArithmeticError("diverges")
    return losses[-1]


def adam(start, lr, beta1):
    """Rosenbrock by hand-made slopes and Adam."""
    x = np.array(start)
    m = np.zeros_like(x)
    v = np.zeros_like(x)
    for t in range(1, 26):
        g = np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])
        m = beta1 * m + (1 - beta1) * g
        v = 0.99 * v + 0.01 * np.square(g)
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - 0.99**t)
        x -= lr * m_hat / (np.sqrt(v_hat) + 1e-8)
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def autoencoder(encode, decode):
    data = np.array([[1.0, 0.9, 0.1], [0.2, 0.3, 0.8], [0.6, 0.5, 0.5]])
    total = 0.0
    for row in data:
        code = np.tanh(encode @ row)
        total += np.sum(np.abs(decode @ code - row) ** 1.5)
    return total


def weights(*shape, seed=5, scale=0.8):
    return np.random.default_rng(seed).normal(0.0, scale, shape)


CASES = [
    (
        "multilayer perceptron",
        mlp_mse,
        (weights(2, 3), np.array([0.1, -0.2, 0.3]), weights(3, 1), np.array([0.05])),
    ),
    (
        "softmax cross entropy",
        softmax_cross_entropy,
        (
            {
                "W1": weights(3, 4),
                "b1": np.full(4, 0.11),
                "W2": weights(4, 3, seed=6),
                "b2": np.zeros(3),
            },
            0.01,
        ),
    ),
    ("convolution", conv_forward, (weights(5, 5), weights(2, 3, 3), np.array([0.1, -0.3]))),
    ("convolution by columns", conv_im2col, (weights(5, 5), weights(2, 2, seed=1))),
    (
        "recurrent net",
        rnn_perplexity,
        (weights(2, 3), weights(2, 2), weights(3, 2, seed=8), np.zeros(2)),
    ),
    ("LSTM", lstm, (weights(8, 4), np.array([0.5, -1.0, 0.8]))),
    ("GRU", gru, ([weights(2, 4, seed=s) for s in (1, 2, 3)], weights(4, 2, seed=4))),
    (
        "batch norm",
        batch_norm,
        (weights(5, 3), np.array([1.0, 0.5, 2.0]), np.array([0.1, 0.2, 0.3])),
    ),
    ("attention", attention, (weights(4, 2), weights(4, 2, seed=6), weights(4, 3, seed=7))),
    ("two heads", multi_head, (weights(2, 4), *(weights(4, 4, seed=s) for s in (6, 7, 8)))),
    ("word vectors", word_vectors, (weights(4, 3), weights(4, 3, seed=9))),
    ("dropout", dropout_net, (weights(4, 2), weights(6, 4, seed=2))),
    ("logistic regression, trained", train_logistic, (np.array([0.1, -0.4]), 0.5, 0.01)),
    ("Adam", adam, (np.array([-0.5, 0.8]), 0.1, 0.9)),
    ("autoencoder", autoencoder, (weights(2, 3), weights(3, 2, seed=3))),
]
