"""A long program that nobody prepared, under a limit of memory.

A pendulum is followed for 100,000 steps by a plain Python loop, and its tape grows with every one.
With ``memory="8MB"`` the program is taken up again in pieces, from copies of the process that wait
at chosen rows; with ``spill=`` the tape goes to disk.  The gradient is the same to the last bit.
"""

import math
import tempfile

import tapead


def last_angle(length, damping):
    angle, speed, h = 1.0, 0.0, 1e-4
    for _ in range(100_000):
        speed = speed - h * (9.81 / length * math.sin(angle) + damping * speed)
        angle = angle + h * speed
    return angle


if __name__ == "__main__":
    at = (1.5, 0.3)
    tape = tapead.record(last_angle, *at, lines=False)
    swept = tape.nbytes + 8 * len(tape)
    print(f"the whole tape: {len(tape):,} rows, {tape.nbytes / 1e6:.1f} MB;", end=" ")
    print(f"with the adjoints of the reverse sweep {swept / 1e6:.1f} MB\n")
    del tape

    plain = tapead.grad(last_angle, argnums=(0, 1))(*at)
    print(f"by the length  {plain[0]:+.6f}")
    print(f"by the damping {plain[1]:+.6f}\n")

    limited = tapead.grad(last_angle, argnums=(0, 1), memory="8MB")
    print("the same to the last bit, under 8 MB:", limited(*at) == plain)
    print(limited.report, "\n")

    with tempfile.TemporaryDirectory() as folder:
        spilled = tapead.grad(last_angle, argnums=(0, 1), memory="8MB", spill=folder)
        print("the same to the last bit, on disk:   ", spilled(*at) == plain)
    print(spilled.report)
