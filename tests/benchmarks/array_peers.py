"""Other ways to the gradients of the array programs: by hand, HIPS autograd, PyTorch.

Every entry of `PEERS` takes a program and its arguments, and gives a call that returns the
gradient as a tuple of arrays.  One that cannot be made raises `MissingError` with the reason.
"""

import functools
import types

import array_adjoints
import numpy as np
from measure import fresh_programs
from peers import MissingError, module


def _program(peer, program, numpy):
    """The program from an import of its own, in which `np` is the peer's."""
    programs = fresh_programs(peer, "array_programs")
    programs.np = numpy
    return getattr(programs, program.name)


def by_hand(program, args):
    """The adjoint program that a person would write with NumPy."""
    adjoint = getattr(array_adjoints, program.name, None)
    if adjoint is None:
        raise MissingError("not written for every program")
    return lambda: adjoint(*args)


def autograd(program, args):
    """HIPS autograd, with its NumPy in the place of NumPy."""
    f = _program("autograd", program, module("autograd.numpy"))
    gradient = module("autograd").grad(f, program.argnums)
    return lambda: gradient(*args)


def pytorch(program, args):
    """PyTorch, one thread, arrays as tensors on the CPU."""
    torch = module("torch")
    torch.set_num_threads(1)
    f = _program("pytorch", program, _numpy_by(torch))
    given = [torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in args]

    def gradient():
        inputs = [x.clone().requires_grad_() for x in given[: program.count]]
        f(*inputs, *given[program.count :]).backward()
        return tuple(x.grad.numpy() for x in inputs)

    return gradient


def _numpy_by(torch):
    """PyTorch under NumPy's names, as far as the programs go."""

    def reduction(f, over):
        def call(a, axis=None, keepdims=False):
            return f(a) if axis is None else over(a, dim=axis, keepdim=keepdims)

        return call

    def zeros(shape, dtype=float):
        return torch.zeros(shape, dtype=torch.int64 if dtype is int else torch.float64)

    names = ("sin", "exp", "log", "tanh", "sqrt", "einsum", "arange")
    return types.SimpleNamespace(
        **{name: getattr(torch, name) for name in names},
        sum=reduction(torch.sum, torch.sum),
        max=reduction(torch.amax, torch.amax),
        zeros=zeros,
        eye=functools.partial(torch.eye, dtype=torch.float64),
        copy=torch.clone,
        concatenate=lambda parts, axis=0: torch.cat(parts, dim=axis),
        tril_indices=lambda n, k=0: tuple(torch.tril_indices(n, n, k)),
        linalg=torch.linalg,
    )


PEERS = {f.__name__: f for f in (by_hand, autograd, pytorch)}
