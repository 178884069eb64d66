"""A long program that nobody prepared, under a limit of memory.

A pendulum is followed for 100,000 steps by a plain Python loop.  The whole tape of its gradient
would take 24 MB with the adjoints; with ``memory="8MB"`` the program is taken up again in pieces,
from copies of the process, and with ``spill=`` the tape goes to disk.  The gradient is the same to
the last bit.
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


at = (1.5, 0.3)
plain = tapead.grad(last_angle, argnums=(0, 1))(*at)
print(f"by the length  {plain[0]:+.6f}")
print(f"by the damping {plain[1]:+.6f}")

limited = tapead.grad(last_angle, argnums=(0, 1), memory="8MB")
print("the same to the last bit, under 8 MB:", limited(*at) == plain)
print(limited.report)

with tempfile.TemporaryDirectory() as folder:
    spilled = tapead.grad(last_angle, argnums=(0, 1), memory="8MB", spill=folder)
    print("the same to the last bit, on disk:   ", spilled(*at) == plain)
print(spilled.report)
