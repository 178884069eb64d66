"""A long program that nobody prepared, under a limit of memory.

A pendulum is followed for 60,000 steps by a plain Python loop, and its tape grows with every one.
With ``memory="7MB"`` the program is taken up again in pieces, from copies of the process that wait
at chosen rows; with ``spill=`` the tape goes to disk.  The gradient is the same to the last bit.
"""

import math
import tempfile

import tapead


def last_angle(length, damping):
    angle, speed, h = 1.0, 0.0, 1e-4
    for _ in range(60_000):
        speed = speed - h * (9.81 / length * math.sin(angle) + damping * speed)
        angle = angle + h * speed
    return angle


if __name__ == "__main__":
    at = (1.5, 0.3)
    plain = tapead.grad(last_angle, argnums=(0, 1))(*at)
    print(f"by the length  {plain[0]:+.6f}")
    print(f"by the damping {plain[1]:+.6f}\n")

    limited = tapead.grad(last_angle, argnums=(0, 1), memory="7MB")
    print("the same to the last bit, under 7 MB:", limited(*at) == plain)
    print(limited.report)
    whole = 17 + 8  # bytes of a row, and of its adjoint in the reverse sweep
    print(f"the whole tape with its adjoints: {whole * limited.report.rows / 1e6:.1f} MB\n")

    with tempfile.TemporaryDirectory() as folder:
        spilled = tapead.grad(last_angle, argnums=(0, 1), memory="7MB", spill=folder)
        print("the same to the last bit, on disk:   ", spilled(*at) == plain)
    print(spilled.report)
