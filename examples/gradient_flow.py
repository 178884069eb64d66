"""Where a gradient vanishes or explodes: the flow of adjoints back through a deep network.

Sixty layers of tanh, three times: with weights that are too small, with weights that are too large,
and with small ones around which each layer's input is carried along, as in residual networks.  The
flow has the norm of d loss / d h behind every layer, and by how much each layer multiplied it.
"""

from pathlib import Path

import numpy as np

import tapead

LAYERS, WIDTH = 60, 32
PICTURE = Path(__file__).parent / "pictures" / "gradient_flow.svg"
rng = np.random.default_rng(1)
weights = rng.normal(size=(LAYERS, WIDTH, WIDTH)) / np.sqrt(WIDTH)
start = rng.normal(size=WIDTH)


def plain(w):
    h = start
    for k in range(LAYERS):
        h = np.tanh(w[k] @ h)
    return np.sum(h)


def residual(w):
    h = start
    for k in range(LAYERS):
        h = h + np.tanh(w[k] @ h)
    return np.sum(h)


def draw(flows):
    """The norms over the layers, on a logarithmic scale."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, flow in flows.items():
        axes.semilogy(range(1, LAYERS + 1), flow.adjoint, marker=".", label=name)
    axes.set_xlabel("layer")
    axes.set_ylabel("norm of d loss / d h")
    axes.grid(alpha=0.3)
    axes.legend()
    # Neither a date nor random names, so that the file changes only if the picture does.
    with rc_context({"svg.hashsalt": "gradient flow"}):
        figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    flows = {
        "small weights": tapead.record(plain, 0.5 * weights).flow(by="step"),
        "large weights": tapead.record(plain, 3.0 * weights).flow(by="step"),
        "small, residual": tapead.record(residual, 0.1 * weights).flow(by="step"),
    }
    print(flows["small weights"].table(most=8), "\n")
    print("norm of d loss / d h      behind layer 60      behind layer 1      factor a layer")
    for name, flow in flows.items():
        first, last = flow.adjoint[0], flow.adjoint[-1]
        factor = (first / last) ** (1.0 / (LAYERS - 1))
        print(f"{name:>20}{last:>21.2e}{first:>20.2e}{factor:>20.2f}")
    try:
        draw(flows)
    except ImportError:
        print("\nthe picture needs matplotlib: pip install matplotlib")
    else:
        print(f"\nthe norms are drawn in {PICTURE.parent.name}/{PICTURE.name}")
