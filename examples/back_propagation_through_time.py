"""Back-propagation through time: how far back a recurrent network's gradient reaches.

The network reads a sequence and is judged by its last state alone.  On the way back its gradient is
multiplied by one Jacobian a step: it vanishes or explodes unless these neither shrink nor stretch.
He's initialization (He and others 2015, a standard deviation of sqrt(2 / n)) is made for that, for
relu; the sigmoid, whose slope is at most 1/4, loses the gradient with the same weights.
"""

from pathlib import Path

import numpy as np

import tapead

STEPS, HIDDEN = 100, 64
PICTURE = Path(__file__).parent / "pictures" / "back_propagation.svg"
rng = np.random.default_rng(3)
sequence = rng.normal(size=(STEPS, HIDDEN))
weights = rng.normal(size=(HIDDEN, HIDDEN)) * np.sqrt(2.0 / HIDDEN)


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0.0)


def loss(w, activation):
    """The squared error of the last state, which is to be 1 in all places."""
    h = np.zeros(HIDDEN)
    for x in sequence:
        h = activation(w @ h + 0.1 * x)
    return 0.5 * np.sum((h - 1.0) ** 2)


def draw(norms):
    """The norms along the sequence, on a logarithmic scale."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, norm in norms.items():
        axes.semilogy(range(1, STEPS + 1), norm, label=name)
    axes.set_xlabel("step t of the sequence; the loss is that of the last one")
    axes.set_ylabel("norm of d loss / d h(t)")
    axes.grid(alpha=0.3)
    axes.legend()
    # Neither a date nor random names, so that the file changes only if the picture does.
    with rc_context({"svg.hashsalt": "back propagation"}):
        figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    cases = [
        ("sigmoid, He", sigmoid, 1.0),
        ("relu, He", relu, 1.0),
        ("relu, He / 2", relu, 0.5),
        ("relu, He * 2", relu, 2.0),
    ]
    norms = {}
    for name, activation, scale in cases:
        tape = tapead.record(loss, scale * weights, activation, argnums=0)
        norms[name] = tape.flow(by="step").adjoint

    print(f"|d loss / d h_t| of {STEPS} steps\n")
    print("   t", *(f"{name:>14}" for name in norms))
    for t in range(STEPS, 0, -10):
        print(f"{t:4d}", *(f"{norm[t - 1]:14.2e}" for norm in norms.values()))

    print("\ngoing back through the sequence, the gradient is multiplied at each step by")
    for name, norm in norms.items():
        first, last = norm[0], norm[-1]
        word = "it lasts"
        if first < 1e-6 * last:
            reach = np.count_nonzero(norm >= 1e-6 * last)
            word = f"it vanishes: {reach} steps back it is below a millionth"
        elif first > 1e6 * last:
            word = "it explodes"
        print(f"{name:>14}: {(first / last) ** (1.0 / (STEPS - 1)):.3f}, {word}")

    try:
        draw(norms)
    except ImportError:
        print("\nthe picture needs matplotlib: pip install matplotlib")
    else:
        print(f"\nthe norms are drawn in {PICTURE.parent.name}/{PICTURE.name}")
