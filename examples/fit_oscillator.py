"""A damped oscillator fitted to noisy measurements by SciPy's least squares (it needs SciPy).

The oscillator is integrated by an ordinary loop over floats. Its Jacobian, by all parameters and
for all measurements at once, makes the fit need fewer runs of the loop, and gives the errors of
what it finds.
"""

import math
import random

import numpy as np
from scipy.optimize import least_squares

import tapead

NAMES = ("frequency", "damping", "cubic", "start", "speed")
TRUTH = (2.0, 0.15, 0.8, 1.5, -0.5)
GUESS = (1.6, 0.3, 0.0, 1.0, 0.0)
NOISE = 0.02
DT = 0.02


def positions(parameters, steps=400, every=8):
    """The position at equal times, by the classical Runge-Kutta method."""
    frequency, damping, cubic, x, v = parameters

    def force(x, v):
        return -(frequency**2) * x - 2.0 * damping * v - cubic * x**3

    seen = []
    for k in range(steps):
        if k % every == 0:
            seen.append(x)
        x1, v1 = v, force(x, v)
        x2, v2 = v + 0.5 * DT * v1, force(x + 0.5 * DT * x1, v + 0.5 * DT * v1)
        x3, v3 = v + 0.5 * DT * v2, force(x + 0.5 * DT * x2, v + 0.5 * DT * v2)
        x4, v4 = v + DT * v3, force(x + DT * x3, v + DT * v3)
        x += DT / 6.0 * (x1 + 2.0 * (x2 + x3) + x4)
        v += DT / 6.0 * (v1 + 2.0 * (v2 + v3) + v4)
    return seen


def measurements(seed=4):
    noise = random.Random(seed)
    return [x + noise.gauss(0.0, NOISE) for x in positions(TRUTH)]


class Residuals:
    """What is left between the oscillator and the measurements; it counts how often it is asked."""

    def __init__(self, measured):
        self.measured = measured
        self.runs = 0

    def __call__(self, parameters):
        self.runs += 1
        return [x - y for x, y in zip(positions(parameters), self.measured)]


if __name__ == "__main__":
    residuals = Residuals(measurements())
    fit = least_squares(residuals, GUESS, jac=tapead.jacobian(residuals))
    runs, residuals.runs = residuals.runs, 0
    by_differences = least_squares(residuals, GUESS)

    # To first order the parameters scatter as the noise does, by the inverse of J' J.
    variance = 2.0 * fit.cost / (len(fit.fun) - len(fit.x))
    deviations = np.sqrt(variance * np.diag(np.linalg.inv(fit.jac.T @ fit.jac)))
    print("            truth      fit  standard error")
    for name, true, found, deviation in zip(NAMES, TRUTH, fit.x, deviations):
        print(f"{name:9s} {true:7.3f} {found:8.4f} {deviation:15.4f}")
    print(f"noise     {NOISE:7.3f} {math.sqrt(variance):8.4f}")
    print(f"with the Jacobian: {fit.nfev} evaluations, {fit.njev} Jacobians, {runs} runs")
    print(f"by differences: {by_differences.nfev} evaluations, {residuals.runs} runs")
    print(f"the fits differ by {np.abs(fit.x - by_differences.x).max():.0e}")
