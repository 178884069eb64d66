"""A function that was never written to be differentiated, its gradient, and a use for it."""

import math

import tapead


def distance(speed, angle, drag=0.02, dt=0.001):
    """How far a ball flies: time steps until it is down again."""
    x, y = 0.0, 0.0
    vx, vy = speed * math.cos(angle), speed * math.sin(angle)
    while y >= 0.0:
        v = math.hypot(vx, vy)
        vx -= dt * drag * v * vx
        vy -= dt * (9.81 + drag * v * vy)
        x += dt * vx
        y += dt * vy
    return x - y / vy * vx  # back to where it crossed the ground


@tapead.grad(argnums=(0, 1))
def slopes(speed, angle):
    return distance(speed, angle)


def aimed(target, angle):
    """The speed that reaches the target, by Newton's method."""
    speed = 20.0
    while True:
        reached, slope = tapead.value_and_grad(distance)(speed, angle)
        if abs(reached - target) < 1e-9:
            return speed
        speed += (target - reached) / slope


if __name__ == "__main__":
    print("tapead", tapead.__version__, "compiled" if tapead.compiled else "interpreted")
    by_speed, by_angle = slopes(20.0, 0.9)
    print(f"distance               {distance(20.0, 0.9):10.6f}")
    print(f"d distance / d speed   {by_speed:10.6f}")
    print(f"d distance / d angle   {by_angle:10.6f}")

    h = 1e-6
    ahead, behind = distance(20.0 + h, 0.9), distance(20.0 - h, 0.9)
    print(f"by speed, differences  {(ahead - behind) / (2.0 * h):10.6f}")

    speed = aimed(30.0, 0.9)
    print(f"speed that flies 30    {speed:10.6f}")
    print(f"it flies               {distance(speed, 0.9):10.6f}")
