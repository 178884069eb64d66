"""Other ways to products and matrices of derivatives: by hand, HIPS autograd, PyTorch, JAX.

Every entry of `PEERS` takes a task and gives a function of an array, whose result is the derivative
as an array (of "jvp", the tangent).  One that cannot be made raises `MissingError` with the reason.
"""

import ast
import functools
import math
import pathlib
import types
from typing import NamedTuple

import numpy as np
from peers import MissingError, module

_FOLDER = pathlib.Path(__file__).parent
_NAMES = ("sqrt", "exp", "log", "sin", "cos", "tanh")


def _numbers(x):
    return [x[i] for i in range(len(x))]


class Task(NamedTuple):
    """What is asked of a peer.

    kind : "grad", "jvp", "hvp", "hessian", "jacfwd" or "jacrev"
    source, name, form : where the program is, and whether it takes a "list" or an "array"
    rest : what follows its first argument
    direction : of "jvp" and "hvp"
    """

    kind: str
    source: str
    name: str
    form: str
    rest: tuple
    direction: np.ndarray | None = None

    def function(self, functions, numpy, convert, stack, unpack=_numbers):
        """The program as the peer's function of one array, run anew with the peer's functions in
        the place of `math` and `np`; arguments to be a list are unpacked, results stacked."""
        names = _names(self.source)
        names["math"] = types.SimpleNamespace(isqrt=math.isqrt, **functions)
        names["np"] = numpy
        f, rest = names[self.name], [convert(a) for a in self.rest]

        def g(x):
            y = f(unpack(x) if self.form == "list" else x, *rest)
            return stack(y) if isinstance(y, list) else y

        return g


class _Rebound(ast.NodeTransformer):
    """``a += b`` as ``a = a + b``: what it is for numbers, but not for the tensors of PyTorch."""

    def visit_AugAssign(self, node):
        old = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.Assign([node.target], ast.BinOp(old, node.op, node.value))


def _names(source):
    """The names of a file of programs, after it has run."""
    path = _FOLDER / f"{source}.py"
    tree = ast.fix_missing_locations(_Rebound().visit(ast.parse(path.read_text())))
    names = {"__name__": source}
    exec(compile(tree, path, "exec"), names)
    return names


def by_hand(task):
    """What a person would write with NumPy: for the gradient of Rosenbrock's function."""
    if task.kind != "grad":
        raise MissingError("written for one gradient")
    return rosenbrock_by_hand


def rosenbrock_by_hand(x):
    a = x[1:] - x[:-1] * x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] = 200.0 * a
    gradient[:-1] -= 400.0 * a * x[:-1] + 2.0 * (1.0 - x[:-1])
    return gradient


def autograd(task):
    """HIPS autograd; its Jacobians go backward, its Hessians backward twice."""
    numpy, library = module("autograd.numpy"), module("autograd")
    g = task.function({k: getattr(numpy, k) for k in _NAMES}, numpy, lambda a: a, numpy.array)
    if task.kind == "jvp":
        return lambda x: library.make_jvp(g)(x)(task.direction)[1]
    if task.kind == "hvp":
        product = library.hessian_vector_product(g)
        return lambda x: product(x, task.direction)
    return getattr(library, "jacobian" if task.kind[:3] == "jac" else task.kind)(g)


def pytorch(task):
    """PyTorch, one thread; gradients and products with Hessians by its tape."""
    torch = module("torch")
    torch.set_num_threads(1)

    def tensor(a):
        return torch.from_numpy(a) if isinstance(a, np.ndarray) else a

    def of_both(k):
        return lambda v: getattr(torch if torch.is_tensor(v) else math, k)(v)

    numpy = types.SimpleNamespace(sum=torch.sum, tanh=torch.tanh)
    functions = {k: of_both(k) for k in _NAMES}
    # Of unbind there is one row; each x[i] had an adjoint as long as x.
    g = task.function(functions, numpy, tensor, torch.stack, lambda x: list(x.unbind()))
    v = tensor(task.direction)
    if task.kind == "grad":
        return lambda x: _torch_gradient(g, tensor(x).clone().requires_grad_())
    if task.kind == "jvp":
        return lambda x: torch.func.jvp(g, (tensor(x),), (v,))[1].numpy()
    if task.kind == "hvp":
        return lambda x: torch.autograd.functional.vhp(g, tensor(x), v)[1].numpy()
    derivative = getattr(torch.func, task.kind)(g)
    return lambda x: derivative(tensor(x)).detach().numpy()


def _torch_gradient(g, x):
    g(x).backward()
    return x.grad.numpy()


def jax(task):
    """JAX on the CPU in doubles, compiled as a whole before it is timed."""
    library, numpy = module("jax"), module("jax.numpy")
    library.config.update("jax_enable_x64", True)
    g = task.function({k: getattr(numpy, k) for k in _NAMES}, numpy, lambda a: a, numpy.array)
    v = task.direction
    if task.kind == "jvp":
        derivative = library.jit(lambda x: library.jvp(g, (x,), (v,))[1])
    elif task.kind == "hvp":
        derivative = library.jit(lambda x: library.jvp(library.grad(g), (x,), (v,))[1])
    else:
        derivative = library.jit(getattr(library, task.kind)(g))
    return lambda x: np.asarray(derivative(x))


PEERS = {f.__name__: f for f in (by_hand, autograd, pytorch, jax)}


def table(task, x, use=None):
    """`PEERS` as `peers.calls_of` takes them: the derivative at x, or use(derivative), as calls."""

    def made(peer):
        derivative = peer(task)
        return (lambda: derivative(x)) if use is None else (lambda: use(derivative))

    return {name: functools.partial(made, peer) for name, peer in PEERS.items()}
