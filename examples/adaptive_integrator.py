"""The Van der Pol oscillator by a Runge-Kutta pair that accepts and rejects steps, differentiated.

The steps are chosen by the numbers that are differentiated, and the gradient is that of the
computation with exactly these steps.
"""

import math

import tapead


def oscillator(mu, y, v):
    return v, mu * (1.0 - y * y) * v - y


def bogacki_shampine(mu, y, v, h):
    """A step of order 3, and the estimate of its error."""
    k1 = oscillator(mu, y, v)
    k2 = oscillator(mu, y + 0.5 * h * k1[0], v + 0.5 * h * k1[1])
    k3 = oscillator(mu, y + 0.75 * h * k2[0], v + 0.75 * h * k2[1])
    new = [z + h * (2 * a + 3 * b + 4 * c) / 9 for z, a, b, c in zip((y, v), k1, k2, k3)]
    k4 = oscillator(mu, *new)
    errors = [h * (-5 * a / 72 + b / 12 + c / 9 - d / 8) for a, b, c, d in zip(k1, k2, k3, k4)]
    return *new, math.hypot(*errors)


def final_position(mu, y, v, end=10.0, tolerance=1e-6):
    t, h = 0.0, 0.1
    accepted = rejected = 0
    while t < end:
        h = min(h, end - t)
        new_y, new_v, error = bogacki_shampine(mu, y, v, h)
        if error <= tolerance:
            t, y, v, accepted = t + h, new_y, new_v, accepted + 1
        else:
            rejected += 1
        h *= min(3.0, max(0.2, 0.9 * (tolerance / error) ** (1.0 / 3.0)))
    return y, (accepted, rejected)


if __name__ == "__main__":
    start = (1.5, 2.0, 0.0)
    gradient = tapead.value_and_grad(final_position, argnums=(0, 1, 2), has_aux=True)
    (y, (accepted, rejected)), slopes = gradient(*start)
    print(f"y(10) = {y:.9f} after {accepted} accepted and {rejected} rejected steps")
    print("            tapead         differences")
    for k, name in enumerate(("mu", "y(0)", "v(0)")):
        h = 1e-6
        ahead, behind = list(start), list(start)
        ahead[k] += h
        behind[k] -= h
        difference = (final_position(*ahead)[0] - final_position(*behind)[0]) / (2.0 * h)
        print(f"d/d{name:5s} {slopes[k]:14.9f} {difference:15.6f}")
    print("rows of the tape:", len(tapead.record(final_position, *start, lines=False)))
