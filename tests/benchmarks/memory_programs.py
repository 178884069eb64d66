"""Long loops whose gradients take memory: an explicit integrator on numbers, a recurrent network.

``loop(step, state, n)`` is how the steps are run: `plainly`, or what stores states.  The same loops
are there for PyTorch, with and without its checkpoints.
"""

import math

import numpy as np

H = 1e-5


def plainly(step, state, n):
    for _ in range(n):
        state = step(state)
    return state


def pendulum(state):
    """A semi-implicit Euler step of a damped pendulum that is driven."""
    x, v, t = state
    a = -math.sin(x) - 0.1 * v + 0.5 * math.cos(0.7 * t)
    v = v + H * a
    return x + H * v, v, t + H


class Integrator:
    """The last angle by the first angle and speed."""

    argnums = (0, 1)
    arguments = (1.0, 0.5)

    def __init__(self, n, loop=plainly):
        self.n, self.loop = n, loop

    def state(self):
        return (*self.arguments, 0.0)

    def __call__(self, x, v):
        return self.loop(pendulum, (x, v, 0.0), self.n)[0]


class Net:
    """A recurrent network that reads a sequence: the loss, by its two matrices."""

    argnums = (0, 1)

    def __init__(self, n, loop=plainly, width=32):
        rng = np.random.default_rng(0)
        self.n, self.loop, self.width = n, loop, width
        self.inputs = rng.standard_normal((n, width))
        self.arguments = tuple(
            rng.standard_normal((width, width)) * 0.5 / width**0.5 for _ in range(2)
        )

    def state(self):
        return np.zeros(self.width), 0.0, 0

    def __call__(self, w, u):
        inputs = self.inputs

        def step(state):
            h, loss, k = state
            h = np.tanh(w @ h + u @ inputs[k])
            return h, loss + np.sum(h * h), k + 1

        return self.loop(step, self.state(), self.n)[1]


PROGRAMS = {"integrator": Integrator, "rnn": Net}


# --------------------------------------------------------------------------------- PyTorch ---


def by_torch(name, n, checkpointed):
    """A call that gives PyTorch's gradient; `checkpointed` are parts of sqrt(n) steps.

    They are of the reentrant kind: with the other one the process grows as without checkpoints.
    """
    import torch
    from torch.utils.checkpoint import checkpoint

    torch.set_num_threads(1)
    program = PROGRAMS[name](n)
    made = _torch_pendulum if name == "integrator" else _torch_net

    def gradient():
        inputs = [
            torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.arguments
        ]
        step, state, result = made(torch, program, inputs)

        def steps(lo, hi, *state):
            for k in range(lo, hi):
                state = step(k, *state)
            return state

        part = math.isqrt(n) if checkpointed else n
        for lo in range(0, n, part):
            hi = min(n, lo + part)
            if checkpointed:
                state = checkpoint(steps, lo, hi, *state, use_reentrant=True)
            else:
                state = steps(lo, hi, *state)
        state[result].backward()
        return [x.grad.numpy() for x in inputs]

    return gradient


def _torch_pendulum(torch, program, inputs):
    """The step, the first state and which part of the last one is the result."""

    def step(k, x, v, t):
        a = -torch.sin(x) - 0.1 * v + 0.5 * torch.cos(0.7 * t)
        v = v + H * a
        return x + H * v, v, t + H

    return step, (*inputs, torch.tensor(0.0, dtype=torch.float64)), 0


def _torch_net(torch, program, inputs):
    w, u = inputs
    sequence = torch.tensor(program.inputs)

    def step(k, h, loss):
        h = torch.tanh(w @ h + u @ sequence[k])
        return h, loss + torch.sum(h * h)

    # Checkpoints find out by the state whether there is anything to differentiate.
    h = torch.zeros(program.width, dtype=torch.float64, requires_grad=True)
    return step, (h, torch.tensor(0.0, dtype=torch.float64)), 1
