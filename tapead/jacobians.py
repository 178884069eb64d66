"""Matrices of derivatives: jacfwd, jacrev, jacobian, hessian."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapead import array, forms, lanes, recording, second_order, trees
from tapead.derived import RUNS, Derived, chosen, derive
from tapead.forms import Form, pieces, split
from tapead.rules.table import Joint
from tapead.second_order import input_slots
from tapead.segments import Segment
from tapead.tape import current
from tapead.traces import Traced, trace

_MODES = ("auto", "fwd", "rev")


def jacfwd(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    rerun: bool = True,
) -> Any:
    """The Jacobian of a function, by sweeps forward: one direction for each number of the inputs.

    f runs once.  Made for functions of few numbers with large results; see `jacobian` for
    parameters and result.

    >>> import numpy as np, tapead
    >>> tapead.jacfwd(lambda x: np.array([x, x * x, x**3]))(2.0)
    array([ 1.,  4., 12.])
    """
    return derive("jacfwd", f, argnums, has_aux, rerun, holomorphic, "fwd")


def jacrev(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    rerun: bool = True,
) -> Any:
    """The Jacobian of a function, by sweeps backward: one for each number of the result.

    f runs once.  Made for functions of many numbers with small results; see `jacobian` for
    parameters and result.

    >>> import numpy as np, tapead
    >>> tapead.jacrev(lambda x: (x[0] * x[1], x.sum()))(np.array([2.0, 3.0]))
    (array([3., 2.]), array([1., 1.]))
    """
    return derive("jacrev", f, argnums, has_aux, rerun, holomorphic, "rev")


def jacobian(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    mode: str = "auto",
    rerun: bool = True,
) -> Any:
    """The Jacobian of a function: each number of the result differentiated by each of the inputs.

    Parameters
    ----------
    f : the function; left out, ``jacobian(argnums=..., ...)`` is a decorator
    argnums : as for `grad`
    has_aux : f returns ``(result, anything)``; the Jacobian comes as ``(jacobian, anything)``
    holomorphic : arguments and results are complex, and f is holomorphic
    mode : ``"fwd"``, ``"rev"``, or ``"auto"``: forward if the inputs have no more numbers than the
        result and no function with a rule for reverse mode alone (`custom_vjp`) is met
    rerun : as for `grad`

    Returns
    -------
    A function of f's arguments.  Its result has f's result's structure, with a tree of the
    argument's structure in the place of each leaf; the block of a leaf of shape s by one of shape t
    is an array of shape s + t, a float where both are numbers.

    Raises
    ------
    TypeError
        for arguments or results that hold no numbers, or complex ones without `holomorphic`

    Examples
    --------
    >>> import numpy as np, tapead
    >>> tapead.jacobian(lambda x: np.array([x[0] * x[1], x[1] ** 2]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [0., 6.]])
    """
    if mode not in _MODES:
        raise ValueError(f"mode is {mode!r}; 'auto', 'fwd' or 'rev' was expected")
    return derive("jacobian", f, argnums, has_aux, rerun, holomorphic, mode)


def hessian(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    rerun: bool = True,
) -> Any:
    """The Hessian of a function: its second derivatives by all pairs of numbers of the inputs.

    Returns
    -------
    A function of f's arguments.  Its result is the Jacobian's (see `jacobian`) of the gradient: f's
    result's structure, in it the argument's, in it the argument's again; the block of a number by
    inputs of shapes s and t is an array of shape s + t, a float where both are numbers.

    Examples
    --------
    >>> import numpy as np, tapead
    >>> tapead.hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 2.0]))
    array([[4., 6.],
           [6., 0.]])
    """
    return derive("hessian", f, argnums, has_aux, rerun, holomorphic)


# ------------------------------------------------------------------------------ Jacobians ---


def _jacobian(g: Derived, args: tuple, kwargs: dict) -> Any:
    mode = g._more[0]
    check = _real_ends(g._holomorphic, mode)
    made = _traced(g, args, kwargs, check=check)
    if mode == "auto":
        mode = "fwd" if _numbers(made.ins) <= _numbers(made.outs) else "rev"
        if any(type(r.rule) is Joint and r.rule.backward_only for r in made.segment.tape.records):
            mode = "rev"
    blocks = _matrix_blocks(made, mode) if made.own else None
    if blocks is None:
        blocks = _forward(made) if mode == "fwd" else _backward(made)
    return _result(g, made, _trees(made, blocks))


def _traced(g: Derived, args: tuple, kwargs: dict, **more: Any) -> Traced:
    args, kwargs, tree = chosen(g, args, kwargs)
    return trace(
        g.__wrapped__, args, kwargs, g._positions, g._single, tree, "differentiated", g._has_aux,
        g._rerun, g._remembered, **more,
    )  # fmt: skip


def _result(g: Derived, made: Traced, found: Any) -> Any:
    made.release()
    return (found, made.aux) if g._has_aux else found


def _real_ends(holomorphic: bool, mode: str) -> Callable:
    """A check of inputs and results: complex ones have a Jacobian where f is holomorphic, and real
    functions of complex inputs, or complex ones of real inputs, where the mode has one."""

    def check(result: Any, f: Callable, ins: Sequence[Form], outs: Sequence[Form]) -> None:
        complex_in, complex_out = (any(x.dtype.kind == "c" for x in ends) for ends in (ins, outs))
        name = recording.function_name(f)
        if holomorphic:
            if not all(x.dtype.kind == "c" for x in (*ins, *outs)):
                raise TypeError(
                    f"{name} has holomorphic=True: complex arguments and a complex result were "
                    "expected, real ones were found"
                )
        elif complex_out and mode != "fwd":
            raise TypeError(
                f"{name} returned a complex result; a real one was expected (take its real and "
                "imaginary parts; holomorphic=True is for holomorphic functions)"
            )
        elif complex_in and mode in ("fwd", "hessian"):
            raise TypeError(
                f"{name} was given a complex argument; real ones were expected (jacrev takes them "
                "for real results; holomorphic=True is for holomorphic functions)"
            )

    return check


def _numbers(shapes: Sequence[Form]) -> int:
    return sum(form.size for form in shapes)


def _matrix_blocks(made: Traced, mode: str) -> list | None:
    """The blocks, by sweeps with several lanes; None where the program does more than they know.

    Of numbers by numbers they are lists: arrays would be taken apart one by one.
    """
    s = made.segment
    made.more = lanes.layout(s.tape, s.lo, s.first_storage, s.hi)
    if made.more is None:
        return None
    ins = input_slots(made)
    sizes = [form.size for form in made.outs]
    outs = [
        np.full(n, -1) if at is None else made.more.slots(at)
        for at, n in zip(s.outputs, sizes, strict=True)
    ]
    outs = np.concatenate(outs) if outs else np.zeros(0, int)
    if mode == "fwd":
        matrix = lanes.push(made.more, s.begin, ins, outs, np.eye(len(ins)))
    else:
        matrix = lanes.pull(made.more, s.begin, ins, outs, np.eye(len(outs)))
    if _are_listed(made):
        return matrix.tolist()
    rows = pieces(matrix, sizes, 0)
    return [
        [part.reshape(out.shape + form.shape) for part, form in _parts(made, block)]
        for block, out in zip(rows, made.outs, strict=True)
    ]


def _are_listed(made: Traced) -> bool:
    """Whether all that a function took and gave are numbers."""
    return forms.are_numbers(made.ins) and all(form.kind is float for form in made.outs)


def _parts(made: Traced, block: np.ndarray) -> zip:
    return zip(split(block, made.ins), made.ins, strict=True)


def _units(form: Form) -> list:
    """All directions of a leaf, 1 for one of its numbers and 0 for the others."""
    units = np.eye(form.size, dtype=form.dtype)
    return [unit.reshape(form.shape) if form.shape else form.dtype.type(1.0) for unit in units]


def _directions(shapes: Sequence[Form]) -> list:
    """All directions of several leaves, one for each number: zeros but for the leaf it is of."""
    zeros = [np.zeros(form.shape, form.dtype) if form.shape else 0.0 for form in shapes]
    return [
        [*zeros[:k], unit, *zeros[k + 1 :]]
        for k, form in enumerate(shapes)
        for unit in _units(form)
    ]


def _by_leaf(each: list, shapes: Sequence[Form]) -> list[list]:
    """What was found for each of `_directions`, apart by the leaf that it is of."""
    rest = iter(each)
    return [list(itertools.islice(rest, form.size)) for form in shapes]


def _forward(made: Traced) -> list:
    """The blocks, a sweep forward for each number of the inputs."""
    columns = _by_leaf(made.segment.push_each(_directions(made.ins)), made.ins)
    return [
        [
            _joined([column[i] for column in columns[k]], out.shape + form.shape, out, -1)
            for k, form in enumerate(made.ins)
        ]
        for i, out in enumerate(made.outs)
    ]


def _backward(made: Traced) -> list:
    """The blocks, a sweep backward for each number of the result."""
    rows = _by_leaf([made.segment.pull(seeds) for seeds in _directions(made.outs)], made.outs)
    return [
        [
            _joined([row[k] for row in rows[i]], out.shape + form.shape, form, 0)
            for k, form in enumerate(made.ins)
        ]
        for i, out in enumerate(made.outs)
    ]


def _joined(parts: list, shape: tuple[int, ...], form: Form, axis: int) -> Any:
    """One block of derivatives of a leaf's form, each of which stands along an axis."""
    if not parts:
        return np.zeros(shape, form.dtype)
    parts = [np.zeros(form.shape, form.dtype) if x is None else x for x in parts]
    return np.reshape(np.stack([_as_array(x) for x in parts], axis), shape)


def _as_array(x: Any) -> Any:
    return x if array.is_active(x) else np.asarray(x)


def _trees(made: Traced, blocks: list) -> Any:
    """The blocks as a tree of trees."""
    rows = [_tree(made, row, out) for row, out in zip(blocks, made.outs, strict=True)]
    return trees.unflatten(made.out_spec, rows)


def _tree(made: Traced, row: list, *by: Form) -> Any:
    """One block for each input as the tree that these are; those of numbers are numbers."""
    if not forms.are_floats(row):
        row = [_block(x, *by, form) for x, form in zip(row, made.ins, strict=True)]
    return recording.rebuild(made.in_spec, row)


def _block(x: Any, *shapes: Form) -> Any:
    if any(form.kind is np.ndarray for form in shapes):
        return x
    return x.item() if np.ndim(x) == 0 else x


# ------------------------------------------------------------------------------- Hessians ---


def _hessian(g: Derived, args: tuple, kwargs: dict) -> Any:
    if current.tape.depth and current.tape.epoch:
        options = (g._argnums, g._has_aux, g._holomorphic)
        return jacfwd(jacrev(g.__wrapped__, *options, rerun=g._rerun), *options)(*args, **kwargs)
    check = _real_ends(g._holomorphic, "hessian")
    made = _traced(g, args, kwargs, twice=True, then=second_order.prepared, check=check)
    blocks = _by_lanes(made) if isinstance(made.more, lanes.Layout) else _by_segments(made)
    found = [
        recording.rebuild(
            made.in_spec, [_tree(made, row, out, a) for row, a in zip(block, made.ins, strict=True)]
        )
        for block, out in zip(blocks, made.outs, strict=True)
    ]
    return _result(g, made, trees.unflatten(made.out_spec, found))


def _by_lanes(made: Traced) -> list:
    """For each leaf of the result its blocks, a row for each input."""
    ins, blocks = input_slots(made), []
    for at, out in zip(made.segment.outputs, made.outs, strict=True):
        slots = [] if at is None else made.more.slots(at)
        matrices = [
            np.zeros((len(ins),) * 2) if slot < 0
            else lanes.hessian(made.more, made.segment.begin, ins, slot)
            for slot in slots
        ]  # fmt: skip
        whole = (
            np.stack(matrices) if len(matrices) else np.zeros((_numbers([out]), *(len(ins),) * 2))
        )
        whole = whole.reshape(out.shape + whole.shape[1:])
        blocks.append(whole.tolist() if _are_listed(made) else _square_blocks(made, whole, out))
    return blocks


def _square_blocks(made: Traced, whole: np.ndarray, out: Form) -> list:
    """The blocks of an array whose last two axes go over all inputs."""
    rows = [
        np.moveaxis(x, -1, len(out.shape)) for x in _by_inputs(made, np.swapaxes(whole, -1, -2))
    ]
    return [
        [
            part.reshape(out.shape + a.shape + b.shape)
            for part, b in zip(_by_inputs(made, row), made.ins, strict=True)
        ]
        for row, a in zip(rows, made.ins, strict=True)
    ]


def _by_inputs(made: Traced, x: np.ndarray) -> list:
    """An array as parts along its last axis, one for each input."""
    return pieces(x, [form.size for form in made.ins], -1)


def _by_segments(made: Traced) -> list:
    """As `_by_lanes`, from the gradients of the result's numbers, recorded one after the other."""
    gradients, blocks = list(made.more), []
    for at, out in zip(made.segment.outputs, made.outs, strict=True):
        mine = [gradients.pop(0) for _ in range(1 if at is None else _numbers([out]))]
        parts = [_second_derivatives(made, segment) for segment in mine]
        blocks.append(
            [
                [
                    _joined([p[i][j] for p in parts], out.shape + a.shape + b.shape, a, 0)
                    if at is not None
                    else np.zeros(out.shape + a.shape + b.shape)
                    for j, b in enumerate(made.ins)
                ]
                for i, a in enumerate(made.ins)
            ]
        )
    return blocks


def _second_derivatives(made: Traced, gradient: Segment | None) -> list[list]:
    """Of each part of one gradient the derivatives by each input."""
    if gradient is None:
        return [[None] * len(made.ins)] * len(made.ins)
    columns = _by_leaf(gradient.push_each(_directions(made.ins)), made.ins)
    return [
        [
            _joined([pushed[i] for pushed in columns[j]], a.shape + b.shape, a, -1)
            for j, b in enumerate(made.ins)
        ]
        for i, a in enumerate(made.ins)
    ]


for _name in ("jacfwd", "jacrev", "jacobian"):
    RUNS[_name] = _jacobian
RUNS["hessian"] = _hessian
