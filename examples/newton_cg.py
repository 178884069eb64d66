"""Newton's method for 900 unknowns without a Hessian: only its products with vectors are needed.

Two phases part in a square plate whose edges are held in one or the other. Their energy has a well
for each, so it is not convex: where conjugate gradients meet a direction that it bends down in,
they stop and the step goes there.
"""

import numpy as np

import tapead

N = 30
WIDTH = 0.05  # of the layer between the phases
H = 1.0 / (N + 1)


def plate(u):
    """The unknowns within edges of -1 to the left and below, of 1 to the right and above."""
    whole = np.empty((N + 2, N + 2))
    whole[:, 0] = whole[0, :] = -1.0
    whole[:, -1] = whole[-1, :] = 1.0
    whole[1:-1, 1:-1] = u.reshape(N, N)
    return whole


def energy(u):
    whole = plate(u)
    slopes = np.sum(np.diff(whole, axis=0) ** 2) + np.sum(np.diff(whole, axis=1) ** 2)
    wells = np.sum((u * u - 1.0) ** 2)
    return 0.5 * WIDTH * slopes + 0.25 * H * H / WIDTH * wells


gradient = tapead.grad(energy)


def newton_step(u, slope):
    """Solve Hessian @ step = -slope by conjugate gradients, the better the smaller the slope is."""
    size = np.linalg.norm(slope)
    tolerance = min(0.5, np.sqrt(size)) * size
    step, rest, direction = np.zeros_like(u), -slope, -slope
    for k in range(len(u)):
        product = tapead.hvp(energy, (u,), (direction,))
        curvature = direction @ product
        if curvature <= 0.0:
            return (step if k else direction), k + 1, "bends down"
        length = rest @ rest / curvature
        step = step + length * direction
        new = rest - length * product
        if np.linalg.norm(new) <= tolerance:
            break
        direction = new + (new @ new) / (rest @ rest) * direction
        rest = new
    return step, k + 1, ""


def minimized(u):
    for iteration in range(50):
        value, slope = energy(u), gradient(u)
        size = np.linalg.norm(slope)
        if size < 1e-12:
            print(f"{iteration:4d} {value:13.9f} {size:12.1e}")
            return u
        step, products, remark = newton_step(u, slope)
        length = 1.0
        while energy(u + length * step) > value + 1e-4 * length * (slope @ step):
            length *= 0.5
        print(f"{iteration:4d} {value:13.9f} {size:12.1e} {products:9d} {length:9.3f}  {remark}")
        u = u + length * step
    raise RuntimeError("no minimum was found in 50 iterations")


if __name__ == "__main__":
    start = 0.1 * np.sin(7.0 * np.arange(N * N))
    print("step        energy   |gradient|  products    length")
    u = minimized(start)
    symmetric = np.abs(u.reshape(N, N) + u.reshape(N, N)[::-1, ::-1].T).max()
    print(f"exchanging the phases changes it by {symmetric:.0e}")
    lowest = np.linalg.eigvalsh(tapead.hessian(energy)(u))[0]
    print(f"the least eigenvalue of the Hessian there is {lowest:.6f}")
    for row in plate(u)[::-5, ::2]:
        print("".join("-o+"[int(np.round(v)) + 1] for v in row))
