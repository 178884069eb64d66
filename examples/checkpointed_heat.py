"""Heat in a plate over many steps: the gradient of a long simulation in the memory of a few states.

The tape of a simulation holds what every step has computed. `checkpointed_loop` keeps a few states
instead, in memory or on disk, and runs steps again from these when the gradient comes to them; how
few steps that takes is a theorem (Griewank and Walther 2000). `checkpointed_while` does the same
for a loop that ends when it is done, here when the plate has cooled.
"""

import tempfile
import tracemalloc

import numpy as np

import tapead

SIZE, STEPS = 40, 600
COUNT = np.zeros(1, int)  # of steps; in a dict it would be as before after a second run


def cooled(u, conductivity):
    """One explicit step: the plate's rim is held at 0."""
    COUNT[0] += 1
    inner = u[1:-1, 1:-1]
    flow = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * inner
    new = np.zeros((SIZE, SIZE))
    new[1:-1, 1:-1] = inner + conductivity * flow
    return new


def heat_left(start, conductivity, **how):
    """The mean temperature after all steps; with `how`, by a checkpointed loop."""

    def step(u):
        return cooled(u, conductivity)

    if how:
        return np.mean(tapead.checkpointed_loop(step, start, STEPS, **how))
    u = start
    for _ in range(STEPS):
        u = step(u)
    return np.mean(u)


def time_to_cool(start, conductivity, limit):
    """When the mean temperature falls below the limit, between two steps."""

    def step(state):
        u, _, k = state
        return cooled(u, conductivity), np.mean(u), k + 1

    def is_warm(state):
        return np.mean(state[0]) > limit

    start = (start, np.mean(start), 0)
    u, before, k = tapead.checkpointed_while(is_warm, step, start, snapshots=15)
    return k - (limit - np.mean(u)) / (before - np.mean(u))


def measured(f, *args, **how):
    """Value and gradient of f, and what it took: memory at most, and steps."""
    COUNT[0] = 0
    tracemalloc.start()
    found = tapead.value_and_grad(f, argnums=(0, 1))(*args, **how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, f"{peak / 1e6:8.1f} MB {COUNT[0]:8,}"


if __name__ == "__main__":
    x = np.linspace(0.0, 1.0, SIZE)
    plate = np.outer(np.sin(np.pi * x), np.sin(np.pi * x) + x)
    (value, (by_start, by_conductivity)), took = measured(heat_left, plate, 0.2)
    print(f"{STEPS} steps leave a mean temperature of {value:.6f}")
    print(f"by the conductivity      {by_conductivity:.6f}")
    h = 1e-6
    ahead, behind = (heat_left(plate, 0.2 + d) for d in (h, -h))
    print(f"by differences           {(ahead - behind) / (2.0 * h):.6f}\n")
    print("what is kept               memory    steps   the same gradient")
    print(f"the tape of all steps {took}")

    # The package of schedules is loaded with the first loop.
    tapead.grad(lambda x: tapead.checkpointed_loop(np.sin, x, 2, snapshots=1))(1.0)
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "5 states": {"snapshots": 5},
            "30 states": {"snapshots": 30},
            "250 kB of states": {"memory": "250kB"},
            "5, and 50 on disk": {"snapshots": (5, 50), "folder": folder},
        }
        for name, how in ways.items():
            (_, gradient), took = measured(heat_left, plate, 0.2, **how)
            same = np.array_equal(gradient[0], by_start) and gradient[1] == by_conductivity
            print(f"{name:22}{took}   {same}")

    cooling = tapead.value_and_grad(time_to_cool, argnums=1)
    time, slope = cooling(plate, 0.2, 0.3)
    print(f"\nthe mean is 0.3 after    {time:.3f} steps")
    print(f"by the conductivity      {slope:.3f}")
    ahead, behind = (time_to_cool(plate, 0.2 + d, 0.3) for d in (h, -h))
    print(f"by differences           {(ahead - behind) / (2.0 * h):.3f}")
