"""What a gradient is made of: the straight-line program that ran, and its adjoint, as Python.

A recording keeps what a function did with its numbers, one operation after another, without the
loops, calls and branches that led there.  `to_python` writes that down, and the same backward: each
assignment adds to the adjoints of what it has read.
"""

import math

import tapead


def drag(speed, area, density=1.2):
    """The air's force on a ball: turbulent when it is fast, viscous when it is slow."""
    if speed > 1.0:
        return 0.5 * density * area * speed**2
    return 0.02 * math.sqrt(area) * speed


def stopping(speed, area):
    """How far a ball gets in two steps of a tenth of a second."""
    way = 0.0
    for _ in range(2):
        speed = speed - 0.1 * drag(speed, area)
        way = way + 0.1 * speed
    return way


if __name__ == "__main__":
    tape = tapead.record(stopping, 1.1, 4.0)
    text = tape.to_python("stopped")
    print(text)

    program = {}
    exec(text, program)  # noqa: S102
    value, gradient = program["stopped_grad"](1.1, 4.0)
    print("the text:   ", value, gradient)
    print("the program:", stopping(1.1, 4.0), tapead.grad(stopping, argnums=(0, 1))(1.1, 4.0))

    print("\nWhere the ball is slow from the start, another branch runs, and the text is another:")
    slow = tapead.record(stopping, 0.5, 4.0).to_python()
    for line in slow[slow.index("def f(") : slow.index("def f_grad")].splitlines()[2:6]:
        print(line)
