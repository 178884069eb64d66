"""Neural networks on lists of floats."""

import math
import random
from abc import ABC, abstractmethod
from enum import Enum
from functools import reduce

from .toolbox import dot, logsumexp, sigmoid, softmax


class Activation(Enum):
    TANH = "tanh"
    RELU = "relu"
    SOFTPLUS = "softplus"

    def __call__(self, z):
        match self:
            case Activation.TANH:
                return math.tanh(z)
            case Activation.RELU:
                return max(0.0, z)
            case Activation.SOFTPLUS:
                return math.log1p(math.exp(-abs(z))) + max(z, 0)


class Layer(ABC):
    @abstractmethod
    def forward(self, inputs): ...

    def __call__(self, inputs):
        return self.forward(inputs)


class Dense(Layer):
    def __init__(self, weights, bias, activation=Activation.TANH):
        self.weights, self.bias, self.activation = weights, bias, activation

    def forward(self, inputs):
        return [self.activation(dot(w, inputs) + b) for w, b in zip(self.weights, self.bias)]


class Residual(Dense):
    def forward(self, inputs):
        return [x + y for x, y in zip(inputs, super().forward(inputs))]


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, inputs):
        return reduce(lambda x, layer: layer(x), self.layers, inputs)


DATA = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]


def xor_loss(params):
    """Binary cross-entropy of a network with one hidden layer."""
    loss = 0.0
    for x, target in DATA:
        hidden = [sigmoid(dot(w, x) + b) for w, b in zip(params["w1"], params["b1"])]
        p = sigmoid(dot(params["w2"], hidden) + params["b2"])
        loss -= target * math.log(p) + (1 - target) * math.log(1 - p)
    return loss / len(DATA)


def classes_loss(w1, w2, x):
    net = Sequential(
        Dense(w1, [0.1, -0.2, 0.05], Activation.SOFTPLUS),
        Residual([[0.1] * 3] * 3, [0.0] * 3),
        Dense(w2, [0.0, 0.0], Activation.RELU),
    )
    return sum(v**2 for v in net(x))


def training(w, b, rate):
    """Loss after some steps of descent with gradients derived by hand."""
    rng = random.Random(5)
    points = [(rng.uniform(-1, 1), rng.gauss(0.5, 0.2)) for _ in range(8)]
    for _epoch in range(10):
        gw = gb = 0.0
        for x, y in points:
            error = w * x + b - y
            gw += 2 * error * x / len(points)
            gb += 2 * error / len(points)
        w -= rate * gw
        b -= rate * gb
    return sum((w * x + b - y) ** 2 for x, y in points)


def recurrent(wx, wh, readout, sequence=(0.5, -1.0, 0.25, 0.8)):
    h = [0.0] * len(wx)
    for x in sequence:
        h = [math.tanh(wx[i] * x + dot(wh[i], h)) for i in range(len(h))]
    return dot(readout, h)


def attention(queries, keys, values):
    out = 0.0
    for q in queries:
        weights = softmax([dot(q, k) / math.sqrt(len(q)) for k in keys])
        out += sum(w * v for w, v in zip(weights, values)) ** 2
    return out


def convolution(signal, kernel):
    width = len(kernel)
    maps = [
        sum(kernel[j] * signal[i + j] for j in range(width)) for i in range(len(signal) - width + 1)
    ]
    pooled = [max(maps[i : i + 2]) for i in range(0, len(maps), 2)]
    return logsumexp(pooled)


def layer_norm(x, gain):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return sum(g * ((v - mean) / math.sqrt(variance + 1e-5)) ** 3 for g, v in zip(gain, x))


def gelu(x):
    """The exact one against its usual approximation."""
    exact = 0.5 * x * (1 + math.erf(x / 2**0.5))
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * math.pow(x, 3))
    return exact - 0.5 * x * (1 + math.tanh(inner)) + 1 / (1 + math.exp(-1.702 * x))


PARAMS = {
    "w1": [[0.5, -1.2], [1.5, 0.3], [-0.7, 0.9]],
    "b1": [0.1, -0.3, 0.2],
    "w2": [1.1, -0.8, 0.6],
    "b2": 0.05,
}

CASES = [
    ("exclusive or", xor_loss, (PARAMS,)),
    (
        "layers as classes",
        classes_loss,
        (
            [[0.3, -0.5], [0.8, 0.1], [-0.4, 0.7]],
            [[0.6, -0.2, 0.4], [0.5, 0.3, -0.6]],
            [0.9, -1.1],
        ),
    ),
    ("training by hand", training, (0.3, -0.1, 0.15)),
    ("recurrent", recurrent, ([0.4, -0.6], [[0.2, 0.5], [-0.3, 0.1]], [1.0, -0.7])),
    (
        "attention",
        attention,
        ([[0.1, 0.9], [-0.5, 0.3]], [[0.4, 0.2], [0.7, -0.8], [0.0, 0.5]], [1.0, -2.0, 0.5]),
    ),
    ("convolution and pooling", convolution, ([0.3, 0.9, -0.4, 0.2, 0.7, -0.1], [0.5, -0.25, 1.0])),
    ("layer norm", layer_norm, ([0.3, -0.8, 1.4, 0.1], [1.0, 0.9, 1.1, 1.2])),
    ("gelu", gelu, (0.7,)),
]
