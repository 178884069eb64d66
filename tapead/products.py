"""Products of derivatives with vectors: jvp, vjp, linearize, hvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import array, forms, intercept, recording, scalar, second_order, trees
from tapead.scalar import Scalar
from tapead.tape import Tape, current
from tapead.traces import Traced, trace
from tapead.transforms import grad


def jvp(
    f: Callable,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
    *,
    rerun: bool = True,
) -> Any:
    """The value of f and its derivative along a direction, in one run forward.

    Outside of a recording no tape is kept: numbers and arrays carry their tangents, and memory does
    not grow with the length of the program.

    Parameters
    ----------
    primals : tuple of f's positional arguments: numbers, arrays or trees of these
    tangents : tuple of the direction's parts, of the same structure, shapes and kinds
    has_aux : f returns ``(result, anything)``
    rerun : as for `grad`; also, whether a function that asks for derivatives itself, where that
        was not foreseen, may run once more

    Returns
    -------
    ``(result, tangent of the result)``, with has_aux ``(result, tangent, aux)``; the tangent has
    the result's structure, shapes and dtypes.

    Raises
    ------
    TypeError
        for tangents of another structure, shape or kind, or a result that holds no numbers

    Examples
    --------
    >>> import tapead
    >>> tapead.jvp(lambda x, y: x * y, (3.0, 2.0), (1.0, 0.5))
    (6.0, 3.5)
    """
    primals = _arguments(f, primals)
    directions = _along(f, primals, tangents)
    tape: Tape = current.tape
    remembered = intercept.Remembered()
    if tape.depth == 0 and not intercept.nests(f, primals, remembered):
        try:
            found = _carried(f, primals, directions, has_aux, rerun, remembered)
            return found if has_aux else found[:2]
        except recording.NeedsTape:
            if not rerun:
                raise RuntimeError(
                    f"{recording.function_name(f)} asks for derivatives inside jvp, and would have "
                    "to run once more to get them; rerun=False forbids that"
                ) from None
            intercept.remember_nesting(f)
    made = _traced(f, primals, has_aux, rerun)
    tangent = made.out_tree(made.segment.push(directions))
    made.release()
    return (made.value, tangent, made.aux) if has_aux else (made.value, tangent)


def _arguments(f: Callable, given: Any, name: str = "primals") -> tuple:
    """Primals or tangents of a function as a tuple with something in it."""
    if not callable(f):
        raise TypeError(f"a function was expected, {type(f).__name__} given: {f!r}")
    if not isinstance(given, (tuple, list)):
        raise TypeError(
            f"{name} is {recording.describe(given)}; a tuple with one entry for each argument "
            "was expected"
        )
    if len(given) == 0:
        raise ValueError(f"{name} is empty; at least one argument was expected")
    return tuple(given)


def _tree(given: tuple) -> Any:
    """The arguments as a tree: of one argument alone itself."""
    return given[0] if len(given) == 1 else given


def _along(f: Callable, primals: tuple, tangents: Any) -> list:
    """The leaves of tangents, which fit the primals."""
    tangents = _arguments(f, tangents, "tangents")
    if len(tangents) != len(primals):
        raise TypeError(f"{len(tangents)} tangents were given for {len(primals)} primals")
    leaves, spec = recording.inputs(_tree(primals))
    one = "[0]" * (len(primals) == 1)
    shapes = forms.forms_of(leaves, spec, f"primals{one}")
    return forms.matching(_tree(tangents), spec, shapes, f"tangents{one}", f"primals{one}")


def _carried(
    f: Callable,
    primals: tuple,
    directions: list,
    has_aux: bool,
    rerun: bool,
    remembered: intercept.Remembered,
) -> tuple[Any, Any, Any]:
    """Result, tangent and aux of f in forward mode, of which nothing is kept."""
    tape: Tape = current.tape

    def finish(lo: int, first_storage: int, begin: int, result: Any) -> tuple[Any, Any, Any]:
        aux = None
        if has_aux:
            result, aux = recording.with_aux(result, f)
            aux = recording.detach(aux)
        found, out_spec, outs = forms.results(result, f, "differentiated")
        tangents = forms.dressed(outs, [_tangent(x) for x in found])
        values = [forms.plain_copy(x) for x in found]
        tape.retire()
        return trees.unflatten(out_spec, values), trees.unflatten(out_spec, tangents), aux

    leaves, spec = recording.inputs(_tree(primals))
    positions, single = tuple(range(len(primals))), len(primals) == 1
    try:
        return recording.traced(
            tape, f, primals, {}, positions, single, leaves, spec, finish, rerun, remembered,
            directions=directions,
        )  # fmt: skip
    finally:
        if tape.depth == 0:
            tape.clear()


def _tangent(x: Any) -> Any:
    """The tangent that a leaf of the result carries, None for one without."""
    if type(x) is Scalar:
        return scalar.tangent_of(x)
    if array.is_active(x):
        return array.tangent_in(x).copy()
    return None


def _traced(f: Callable, primals: tuple, has_aux: bool, rerun: bool, **more: Any) -> Traced:
    """f recorded, with all its arguments as inputs."""
    positions, single = tuple(range(len(primals))), len(primals) == 1
    return trace(
        f, primals, {}, positions, single, _tree(primals), "differentiated", has_aux, rerun, **more
    )


# ------------------------------------------------------------------------- kept linear maps ---


class Pullback:
    """The transposed derivative of a function at a point: adjoints of results to those of inputs.

    It can be called again and again, with adjoints of the result's structure, shapes and kinds, and
    gives a tuple with one entry for each argument.  It is linear, and can itself be differentiated.
    """

    def __init__(self, made: Traced, single: bool, name: str) -> None:
        self._made = made
        self._single = single
        self._name = name

    def __call__(self, cotangent: Any) -> tuple:
        made = self._made
        seeds = forms.matching(
            cotangent, made.out_spec, made.outs, "the cotangent", f"{self._name}'s result"
        )
        adjoints = [x.copy() if isinstance(x, np.ndarray) else x for x in made.segment.pull(seeds)]
        found = made.in_tree(adjoints)
        return (found,) if self._single else found

    def __repr__(self) -> str:
        return f"<tapead pullback of {self._name}>"


class Linear:
    """The derivative of a function at a point: tangents of inputs to the tangent of the result.

    It can be called again and again, and can itself be differentiated.
    """

    def __init__(self, made: Traced, primals: tuple, name: str) -> None:
        self._made = made
        self._name = name
        self._count = len(primals)
        leaves, self._spec = recording.inputs(_tree(primals))
        self._forms = forms.forms_of(leaves, self._spec, "primals")

    def __call__(self, *tangents: Any) -> Any:
        if len(tangents) != self._count:
            raise TypeError(f"{len(tangents)} tangents were given for {self._count} primals")
        given = forms.matching(_tree(tangents), self._spec, self._forms, "tangents", "primals")
        return self._made.out_tree(self._made.segment.push(given))

    def __repr__(self) -> str:
        return f"<tapead derivative of {self._name}>"


def vjp(f: Callable, *primals: Any, has_aux: bool = False, rerun: bool = True) -> Any:
    """The value of f, and the pullback that takes an adjoint of it back to the arguments.

    Parameters
    ----------
    primals : f's positional arguments: numbers, arrays or trees of these
    has_aux : f returns ``(result, anything)``
    rerun : as for `grad`

    Returns
    -------
    ``(result, pullback)``, with has_aux ``(result, pullback, aux)``.  ``pullback(cotangent)`` gives
    a tuple with one adjoint for each argument; it keeps the tape, and may be called again.

    Examples
    --------
    >>> import tapead
    >>> value, pullback = tapead.vjp(lambda x, y: (x * y, x + y), 3.0, 2.0)
    >>> value
    (6.0, 5.0)
    >>> pullback((1.0, 0.0)), pullback((0.0, 1.0))
    ((2.0, 3.0), (1.0, 1.0))
    """
    made = _kept(f, _arguments(f, primals), has_aux, rerun)
    pullback = Pullback(made, len(primals) == 1, recording.function_name(f))
    return (made.value, pullback, made.aux) if has_aux else (made.value, pullback)


def linearize(f: Callable, *primals: Any, has_aux: bool = False, rerun: bool = True) -> Any:
    """The value of f, and its derivative at that point as a linear function of tangents.

    f runs once; each call of the derivative is a sweep forward over its tape.  For one direction
    alone, `jvp` needs no tape.

    Returns
    -------
    ``(result, derivative)``, with has_aux ``(result, derivative, aux)``; ``derivative(*tangents)``
    takes one tangent for each argument and gives the tangent of the result.

    Examples
    --------
    >>> import tapead
    >>> value, derivative = tapead.linearize(lambda x, y: x * y, 3.0, 2.0)
    >>> derivative(1.0, 0.0), derivative(0.0, 1.0)
    (2.0, 3.0)
    """
    primals = _arguments(f, primals)
    made = _kept(f, primals, has_aux, rerun)
    derivative = Linear(made, primals, recording.function_name(f))
    return (made.value, derivative, made.aux) if has_aux else (made.value, derivative)


def _kept(f: Callable, primals: tuple, has_aux: bool, rerun: bool) -> Traced:
    made = _traced(f, primals, has_aux, rerun)
    if made.own:
        made.segment.settle()
    else:
        current.tape.keeps_segments = True
    return made


# ----------------------------------------------------------------------------- second order ---


def hvp(
    f: Callable,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
    *,
    rerun: bool = True,
    holomorphic: bool = False,
) -> Any:
    """The Hessian of f times a vector: how the gradient changes along a direction.

    Programs of numbers, and of elements of arrays, are recorded once and swept forward with
    tangents and backward with tangents and adjoints; others have their reverse sweep recorded.

    Parameters
    ----------
    primals, tangents : tuples as for `jvp`; f returns one real number
    has_aux : f returns ``(value, anything)``

    Returns
    -------
    The product for the one argument, with its structure; for several arguments a tuple with the
    product for each, all of whose directions count.  With has_aux ``(product, aux)``.

    Examples
    --------
    >>> import tapead
    >>> tapead.hvp(lambda x: x**3, (2.0,), (1.0,))
    12.0
    >>> tapead.hvp(lambda x, y: x * x * y, (3.0, 2.0), (1.0, 0.0))
    (4.0, 6.0)
    """
    primals = _arguments(f, primals)
    directions = _along(f, primals, tangents)
    single = len(primals) == 1
    positions = tuple(range(len(primals)))
    if current.tape.depth and current.tape.epoch:
        gradient = grad(
            f, 0 if single else positions, has_aux, rerun=rerun, holomorphic=holomorphic
        )
        found = jvp(gradient, primals, tangents, has_aux, rerun=rerun)
        return found[1:] if has_aux else found[1]
    made = _traced(
        f, primals, has_aux, rerun, twice=True, then=second_order.prepared,
        check=second_order.one_number(holomorphic),
    )  # fmt: skip
    product = made.in_tree(second_order.times(made, directions))
    made.release()
    return (product, made.aux) if has_aux else product
