"""Back-propagation on a network small enough to check by hand: every number it prints is exact."""

import tapead

X = (1.0, 0.5)
TARGET = 4.0


def error(w):
    """Half the squared error of a network of two inputs, two hidden nodes and one output."""
    h1 = w[0] * X[0] + w[1] * X[1]
    h2 = w[2] * X[0] + w[3] * X[1]
    y = w[4] * h1 + w[5] * h2
    return 0.5 * (y - TARGET) ** 2, (h1, h2, y)


if __name__ == "__main__":
    w = [0.5, 1.5, 2.3, 3.0, 1.0, 1.0]
    step = tapead.value_and_grad(error, has_aux=True)
    for k in range(3):
        (value, (h1, h2, y)), gradient = step(w)
        print(f"step {k}: h = ({h1:.4f}, {h2:.4f})  y = {y:.4f}  E = {value:.6f}")
        print("  dE/dw =", " ".join(f"{g:8.4f}" for g in gradient))
        w = [wi - 0.1 * gi for wi, gi in zip(w, gradient)]
        print("  new w =", " ".join(f"{wi:8.5f}" for wi in w))

    print("\nThe tape, with the adjoint of every node (d E / d node):")
    print(tapead.record(lambda w: error(w)[0], [0.5, 1.5, 2.3, 3.0, 1.0, 1.0]))
