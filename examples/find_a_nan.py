"""Which line makes the gradient nan?

The energy of a chain of atoms that resists bending. Its value is right, 0 for a straight chain, and
its gradient is nan: `arccos` is infinitely steep at 1, and two infinities cancel. `find_nonfinite`
names the operation, the line and what helps; the mended program takes the angle by `arctan2`.
"""

import math

import numpy as np

import tapead

STRAIGHT = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
BENT = STRAIGHT + np.array([[0.0, 0.0], [0.0, 0.1], [0.0, 0.3], [0.0, 0.2]])


def bending(atoms):
    """The sum of the angles between the bonds, by the arc cosine."""
    bonds = atoms[1:] - atoms[:-1]
    lengths = np.sqrt(np.sum(bonds * bonds, axis=1))
    cosines = np.sum(bonds[1:] * bonds[:-1], axis=1) / (lengths[1:] * lengths[:-1])
    return np.sum(np.arccos(np.clip(cosines, -1.0, 1.0)))


def mended(atoms):
    """The same by both parts of the angle, which is smooth where a chain is straight."""
    bonds = atoms[1:] - atoms[:-1]
    dot = np.sum(bonds[1:] * bonds[:-1], axis=1)
    cross = bonds[:-1, 0] * bonds[1:, 1] - bonds[:-1, 1] * bonds[1:, 0]
    return np.sum(np.abs(np.arctan2(cross, dot)))


def logistic(score):
    """A logarithm of a probability, which underflows."""
    return math.log(1.0 / (1.0 + math.exp(-score)))


if __name__ == "__main__":
    print(f"straight: energy {bending(STRAIGHT):.6f}, gradient")
    print(tapead.grad(bending)(STRAIGHT))

    print(f"\n{tapead.find_nonfinite(bending, STRAIGHT)}")

    print(f"\nmended: energy {mended(STRAIGHT):.6f}, gradient")
    print(tapead.grad(mended)(STRAIGHT).round(6))
    print(tapead.find_nonfinite(mended, STRAIGHT))
    same = np.allclose(tapead.grad(mended)(BENT), tapead.grad(bending)(BENT))
    print(f"the same gradient of a bent chain: {same}")

    print("\nErrors are found too:\n")
    print(tapead.find_nonfinite(logistic, -800.0))
