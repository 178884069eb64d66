"""Where the memory of a gradient goes, and which function should be run twice to save it.

A satellite passes a planet, and coasts between passages; the profile is printed, and drawn.
"""

import math
import pathlib

import tapead


def pull(x, y):
    """The acceleration by the planet, which is a little flat."""
    r2 = x * x + y * y
    r = math.sqrt(r2)
    flatness = 1.0 + 0.001 * (1.0 - 3.0 * y * y / r2) / r2
    return -x / (r2 * r) * flatness, -y / (r2 * r) * flatness


def passage(x, y, vx, vy, steps, dt):
    """A stretch near the planet, in small leapfrog steps."""
    ax, ay = pull(x, y)
    for _ in range(steps):
        vx, vy = vx + 0.5 * dt * ax, vy + 0.5 * dt * ay
        x, y = x + dt * vx, y + dt * vy
        ax, ay = pull(x, y)
        vx, vy = vx + 0.5 * dt * ax, vy + 0.5 * dt * ay
    return x, y, vx, vy


def coast(x, y, vx, vy, steps, dt):
    """A stretch far from it, straight on."""
    for _ in range(steps):
        x, y = x + dt * vx, y + dt * vy
    return x, y, vx, vy


def distance(speed, steps=500):
    """How far from the planet the satellite ends."""
    state = 1.0, 0.0, 0.0, speed
    for _ in range(4):
        state = passage(*state, steps, 2.0 / steps)
        state = coast(*state, steps // 4, 0.0004)
    return math.hypot(state[0], state[1])


if __name__ == "__main__":
    print(f"distance {distance(1.2):.6f}, by speed {tapead.grad(distance)(1.2):.6f}\n")
    profile = tapead.profile(distance)(1.2)
    print(profile)

    best = profile.best
    print(f"\nto run twice: {best.function}, called {best.calls} times")
    print(f"it has {100.0 * best.saves / profile.tape_bytes:.0f} % of the tape to save")

    passage = tapead.checkpoint(passage)
    print("\nthe tape with passage checkpointed; the sweep records one passage at a time:\n")
    print(profile.diff(tapead.profile(distance)(1.2)))
    print(f"\nby speed {tapead.grad(distance)(1.2):.6f}")

    picture = pathlib.Path(__file__).parent / "pictures" / "profile.svg"
    try:
        picture.parent.mkdir(exist_ok=True)
        profile.plot(picture)
        print(f"\ndrawn in pictures/{picture.name}")
    except (ImportError, OSError) as reason:
        print(f"\nnot drawn: {reason}")
