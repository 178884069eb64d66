"""The noise of a Kalman filter by maximum likelihood: Newton's method on a filter in plain NumPy.

The filter knows nothing of tapead. Its gradient is differentiated once more for the Hessian.
"""

import numpy as np

import tapead

DT = 0.5
F = np.array([[1.0, DT], [0.0, 1.0]])  # position and velocity, one step later
H = np.array([[1.0, 0.0]])  # the position is measured
Q = np.array([[DT**4 / 4, DT**3 / 2], [DT**3 / 2, DT**2]])  # of a random acceleration


class KalmanFilter:
    """Tracks an object that is pushed at random, from noisy measurements of its position."""

    def __init__(self, push, noise):
        self.x = np.zeros((2, 1))
        self.P = 10.0 * np.eye(2)
        self.Q = push**2 * Q
        self.R = noise**2 * np.eye(1)

    def predict(self):
        self.x = F @ self.x
        self.P = F @ self.P @ F.T + self.Q

    def update(self, z):
        """Take in a measurement; return the logarithm of its density."""
        y = z - H @ self.x
        s = H @ self.P @ H.T + self.R
        gain = self.P @ H.T @ np.linalg.inv(s)
        self.x += gain @ y
        self.P = (np.eye(2) - gain @ H) @ self.P
        return -0.5 * (y.T @ np.linalg.solve(s, y) + np.log(2 * np.pi * np.linalg.det(s))).item()


def loss(parameters, measured):
    """Minus the mean log likelihood; the parameters are logarithms of standard deviations."""
    kalman = KalmanFilter(*np.exp(parameters))
    total = 0.0
    for z in measured:
        kalman.predict()
        total -= kalman.update(z)
    return total / len(measured)


def simulated(push, noise, steps, rng):
    state, measured = np.zeros(2), np.empty(steps)
    for k in range(steps):
        state = F @ state + push * rng.standard_normal() * np.array([DT**2 / 2, DT])
        measured[k] = state[0] + noise * rng.standard_normal()
    return measured


gradient = tapead.grad(loss)


def hessian(parameters, measured):
    rows = [tapead.grad(lambda p, i=i: gradient(p, measured)[i])(parameters) for i in range(2)]
    return np.array(rows)


if __name__ == "__main__":
    measured = simulated(push=2.0, noise=0.5, steps=80, rng=np.random.default_rng(7))
    at = np.log([1.5, 0.7])

    slopes, h = gradient(at, measured), 1e-6
    for k, name in enumerate(("push", "noise")):
        step = h * np.eye(2)[k]
        difference = (loss(at + step, measured) - loss(at - step, measured)) / (2.0 * h)
        print(f"d loss / d log {name:5s} {slopes[k]:10.6f}   by differences {difference:10.6f}")

    for k in range(6):
        slopes = gradient(at, measured)
        push, noise = np.exp(at)
        print(f"step {k}  loss {loss(at, measured):.6f}  push {push:.4f}  noise {noise:.4f}  "
              f"|gradient| {np.linalg.norm(slopes):.1e}")  # fmt: skip
        at = at - np.linalg.solve(hessian(at, measured), slopes)
    deviations = np.sqrt(np.diag(np.linalg.inv(hessian(at, measured))) / len(measured))
    print("true: push 2, noise 0.5; logarithms are found to within", deviations.round(2))
