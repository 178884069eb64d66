"""Heat in a rod by explicit finite differences in place, and from measurements back to the start.

The solver is written as in any textbook on NumPy: one array, overwritten in every step. Its
gradient tells how conductivity and initial temperature have to change for the temperatures to come
nearer to what was measured; descending along it finds both.
"""

import numpy as np

import tapead


def temperatures(conductivity, start, steps=20):
    """The rod's temperature after every step; its ends are held at 0."""
    u = np.zeros(len(start) + 2)
    u[1:-1] = start
    history = np.empty((steps, len(start)))
    for k in range(steps):
        un = u.copy()
        u[1:-1] = un[1:-1] + conductivity * (un[2:] - 2.0 * un[1:-1] + un[:-2])
        history[k] = u[1:-1]
    return history


def misfit(conductivity, start, measured):
    return np.sum((temperatures(conductivity, start) - measured) ** 2)


slopes = tapead.value_and_grad(misfit, argnums=(0, 1))


def descended(conductivity, start, measured, steps):
    """Gradient descent: a step that went down is tried longer the next time, else shorter."""
    rate = 0.01
    value, (by_conductivity, by_start) = slopes(conductivity, start, measured)
    for k in range(steps + 1):
        if k in (0, 1, 3, 10, 30, 100, 300):
            print(f"step {k:3d}  misfit {value:10.3e}  conductivity {conductivity:.6f}")
        new = conductivity - 0.02 * rate * by_conductivity, start - rate * by_start
        if misfit(*new, measured) < value:
            conductivity, start = new
            value, (by_conductivity, by_start) = slopes(conductivity, start, measured)
            rate *= 1.5
        else:
            rate *= 0.5
    return conductivity, start


if __name__ == "__main__":
    x = np.linspace(0.0, 1.0, 12)[1:-1]
    truth = 0.1, np.sin(np.pi * x) + np.where(x < 0.4, 1.0, 0.0)
    measured = temperatures(*truth)
    guess = 0.05, np.ones(len(x))

    _, (by_conductivity, by_start) = slopes(*guess, measured)
    h = 1e-6
    ahead, behind = (misfit(0.05 + d, guess[1], measured) for d in (h, -h))
    print(f"d misfit / d conductivity     {by_conductivity:11.6f}")
    print(f"by differences                {(ahead - behind) / (2.0 * h):11.6f}")
    print("d misfit / d start", by_start.round(2))

    conductivity, start = descended(*guess, measured, steps=300)
    print("start found", start.round(3))
    print("start truth", truth[1].round(3))
