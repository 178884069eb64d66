"""Running a function recorded: its arguments lifted, its errors and its results looked at."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from tapead import array, intercept, reach, scalar, trees
from tapead.array import Array
from tapead.errors import DetachedError
from tapead.scalar import Scalar
from tapead.tape import Tape, current

# Each try takes in one more module, so that this many are an error of ours, not of the program.
_MOST_TRIES = 50


class NeedsTape(BaseException):
    """A derivative was asked for inside forward mode, which keeps no rows for it."""


def recorded(
    tape: Tape,
    f: Callable,
    args: tuple,
    body: Callable[[int], Any],
    rerun: bool,
    remembered: intercept.Remembered,
) -> Any:
    """``body(lo)`` while this thread's `tape` records, and f's modules see tape-aware names.

    `lo` is the segment's first row.  Whatever happens, the recording is closed and the names are
    as they were.  Where a number was detached in a module that was not foreseen, the module is
    taken in and `body` runs once more, unless `rerun` is False.
    """
    if tape.forward:
        # An inner derivative wants rows: whoever began in forward mode begins anew on the tape.
        tape.pending = NeedsTape()
        raise tape.pending
    tries = 0
    while True:
        if tape.depth == 0:
            tape.clear()  # of what a first try left
        plan = intercept.plan_for(f, args, remembered)
        depth, token, saved = tape.depth, object(), len(tape.saved)
        originals: list = []
        try:
            lo = tape.open()
            scalar.activate(tape)
            # Plain numbers lead nowhere: the look is taken here, for it is most of what calls ask.
            if plan.arrays or not (
                type(f) is FunctionType
                and f.__closure__ is None
                and reach.LEAVES.issuperset(map(type, args))
            ):
                plan = intercept.with_arrays(plan, f, args)
            if plan.bindings or plan.importers:
                intercept.enter(plan, token)
            return body(lo)
        except NeedsTape:
            for data, values in tape.saved[saved:]:
                data[...] = values
            raise
        except Exception as error:
            met, cause = error, error if tape.pending is None else tape.pending
            originals = tape.saved[saved:]
        finally:
            # In place, not in a function: Ctrl-C is noticed where a function begins.
            late = None
            while True:
                try:
                    try:
                        if plan.bindings or plan.importers:
                            intercept.leave(plan, token)
                    finally:
                        while tape.depth > depth:
                            tape.shut()
                    break
                except KeyboardInterrupt as interrupt:
                    late = interrupt
            if late is not None:
                raise late
        tries += 1
        again = rerun and tries < _MOST_TRIES and isinstance(cause, DetachedError)
        if not (again and intercept.widen(f, args, cause)):
            break
        for data, values in originals:
            data[...] = values
        tape.pending = None
        remembered.plan = None
    if cause is met:
        raise cause
    raise cause from met


def traced(
    tape: Tape,
    f: Callable,
    args: tuple,
    kwargs: dict,
    positions: tuple[int, ...],
    single: bool,
    leaves: list,
    spec: Any,
    finish: Callable[[int, int, int, Any], Any],
    rerun: bool,
    remembered: intercept.Remembered,
    directions: list | None = None,
    twice: bool = False,
    call: Callable[[Any], Any] | None = None,
) -> Any:
    """``finish(lo, first_storage, begin, result)`` after a recorded run of f.

    `leaves` are those of the arguments at `positions` (of the one argument, if `single`); they
    begin variables in the rows lo <= r < begin.  With `directions`, their tangents, the run is in
    forward mode; `twice` says that a recorded sweep may follow in this recording.  ``call(inputs)``
    runs f, where it is not called in the ordinary way.
    """
    run = f if type(f) is FunctionType else intercept.aware_of(f)
    if kwargs or len(args) > len(positions):
        args, kwargs = intercept.aware_arguments(args, kwargs)

    def body(lo: int) -> Any:
        if directions is not None:
            tape.carry_tangents()
        if twice:
            tape.twice = True
        first_storage = tape.storage_count
        watch = tape.watch if tape.depth == 1 else None
        if watch is not None:
            tape.watch = None  # inputs stay in memory, whatever their size
        if scalar.all_liftable(leaves):
            lifted = scalar.lift(leaves)
        else:
            lifted = lift(leaves, spec, functools.partial(_where, positions, single))
        if directions is not None:
            others = scalar.carry(lifted, directions)
            for k in others:
                array.carry(lifted[k], directions[k])
        begin = len(tape)
        if watch is not None:
            tape.watch = watch
            watch.start(begin)
        inputs = rebuild(spec, lifted)
        if call is not None:
            result = call(inputs)
        else:
            given = args if len(args) == 1 else map(intercept.wrapped_argument, args)
            given = list(given)
            if single:
                given[positions[0]] = inputs
            else:
                for p, x in zip(positions, inputs, strict=True):
                    given[p] = x
            result = run(*given, **kwargs)
        if tape.pending is not None:
            raise tape.pending  # the program swallowed it: its result is not to be trusted
        return finish(lo, first_storage, begin, result)

    return recorded(tape, f, args, body, rerun, remembered)


def _where(positions: tuple[int, ...], single: bool, step: str) -> str:
    """The name of a leaf in messages: ``argument 2['w'][0]``."""
    if single:
        return f"argument {positions[0]}{step}"
    which, _, rest = step[1:].partition("]")
    return f"argument {positions[int(which)]}{rest}"


# ------------------------------------------------------------------------------- arguments ---

_ONE = object()  # the structure of a single number or array
_SINGLE = {float, int, Scalar, Array, np.ndarray}


def inputs(tree: Any) -> tuple[list, Any]:
    """The leaves of an argument and its structure; flat lists of numbers do without optree."""
    kind = type(tree)
    if kind in _SINGLE:
        return [tree], _ONE
    if kind is list or kind is tuple:
        if scalar.all_liftable(tree):
            return tree, kind
        if _SINGLE.issuperset(map(type, tree)):
            return list(tree), kind
    return trees.flatten(tree)


def rebuild(spec: Any, leaves: list) -> Any:
    """The tree of that structure with these leaves, a list that is given away."""
    if spec is _ONE:
        return leaves[0]
    if spec is list:
        return leaves
    if spec is tuple:
        return tuple(leaves)
    return trees.unflatten(spec, leaves)


def tree_spec(spec: Any, leaves: Sequence) -> Any:
    """The structure as optree has it, of a tree with as many leaves."""
    if spec is _ONE or spec is list or spec is tuple:
        return trees.flatten(rebuild(spec, [0.0] * len(leaves)))[1]
    return spec


def paths(spec: Any, count: int) -> list[str]:
    """How to reach each of the `count` leaves: ``[0]``, ``['w'][1].x``; empty for a number."""
    if spec is _ONE:
        return [""]
    if spec is list or spec is tuple:
        return [f"[{k}]" for k in range(count)]
    return trees.paths(spec)


def lift(leaves: list, spec: Any, where: Callable[[str], str]) -> list[Scalar | Array]:
    """Tracked numbers and arrays for the leaves; ``where(step)`` names the leaf a path reaches.

    One row is written for each.
    """
    if scalar.all_liftable(leaves):
        return scalar.lift(leaves)

    def named(k: int) -> str:
        return where(paths(spec, len(leaves))[k])

    return [_lifted(x, named, k) for k, x in enumerate(leaves)]


def _lifted(leaf: Any, named: Callable[[int], str], k: int) -> Scalar | Array:
    """A variable that begins with the value of the k-th leaf; of an array with a copy of it."""
    if type(leaf) is np.float64:  # what NumPy's functions give: nothing else is to be asked
        return scalar.as_numpy(scalar.lift([float(leaf)])[0])
    if type(leaf) is Array:
        return array.begun(leaf, array.COPY if array.is_active(leaf) else array.INPUT)
    if isinstance(leaf, (np.ndarray, np.float32, np.float16, complex, np.complexfloating)):
        data = np.asarray(leaf)
        if data.dtype.kind in "biu":
            data = data.astype(float)
        if (data.dtype.kind == "f" and data.dtype.itemsize <= 8) or data.dtype.kind == "c":
            begun = array.begun(data, array.INPUT)
            return begun if isinstance(leaf, np.ndarray) else array.standing_for(leaf, begun)
    return scalar.lift([leaf if scalar.liftable(leaf) else real(leaf, named(k))])[0]


def real(leaf: Any, where: str) -> float | Scalar:
    """The leaf as a float, or an error that names it."""
    if scalar.liftable(leaf):
        return leaf
    if isinstance(leaf, (np.floating, np.integer)) and not isinstance(leaf, np.longdouble):
        return float(leaf)
    what = f"{where} is {describe(leaf)}"
    if isinstance(leaf, np.ndarray):
        raise TypeError(f"{what} and dtype {leaf.dtype}; an array of float or complex was expected")
    raise TypeError(
        f"{what}, not a real number: give a float, or leave it out of what is differentiated "
        "(argnums chooses arguments; keyword arguments are never differentiated)"
    )


def describe(x: Any) -> str:
    text = repr(x)
    short = text if len(text) < 40 else text[:37] + "..."
    return f"{short} of type {x.__class__.__name__}"  # an array of ours is called an ndarray


# --------------------------------------------------------------------------------- results ---


def output_row(result: Any, f: Callable, holomorphic: bool = False) -> int | Any | None:
    """The row of a result, or its place if it is an array of one element; None for a constant.

    An error for what is no real number, or for a complex one unless f is said to be holomorphic.
    """
    if type(result) is Scalar:
        return scalar.row_of(result)
    kinds = "fiuc" if holomorphic else "fiu"
    if type(result) is Array and result.ndim == 0 and result.dtype.kind in kinds:
        return array.place_of(result)
    if holomorphic and isinstance(result, (complex, np.complexfloating)):
        return None
    if isinstance(result, (float, int, np.floating, np.integer)) and not isinstance(result, bool):
        return None
    hint = ""
    if isinstance(result, (complex, np.complexfloating)) or np.iscomplexobj(result):
        hint = " (take its real part, or abs; holomorphic=True is for holomorphic functions)"
    elif isinstance(result, np.ndarray):
        hint = " (sum it, or differentiate one element)"
    elif result is None:
        hint = " (is a return statement missing?)"
    elif isinstance(result, tuple) and len(result) == 2:
        hint = " (has_aux=True differentiates the first and hands the second through)"
    raise TypeError(
        f"{function_name(f)} returned {describe(result)}; a gradient needs one real number{hint}"
    )


def with_aux(result: Any, f: Callable) -> tuple[Any, Any]:
    """The value and the rest, of a function that has has_aux=True."""
    if isinstance(result, tuple) and len(result) == 2:
        return result
    raise TypeError(
        f"{function_name(f)} has has_aux=True and returned {type(result).__name__}; "
        "a pair (value, aux) was expected"
    )


def undisturbed(f: Callable, *args: Any) -> Any:
    """f of plain arguments, on a tape of its own: what runs here does not see it.

    Rules of the user's run in the middle of recordings and of sweeps, and may do what they like.
    """
    outer = current.tape
    tape = current.borrow()
    current.tape = tape
    scalar.activate(tape)
    try:
        return f(*args)
    finally:
        current.tape = outer
        scalar.activate(outer)
        current.spare.append(tape)


def function_name(f: Callable) -> str:
    return getattr(f, "__qualname__", None) or type(f).__name__


def detach(tree: Any) -> Any:
    """The tree with plain numbers in the place of tracked ones."""
    if type(tree) is Scalar:
        return scalar.plain(tree)
    return trees.map_leaves(_detach_leaf, tree)


def _detach_leaf(x: Any) -> Any:
    if type(x) is np.ndarray and x.dtype == object:
        return np.frompyfunc(scalar.plain, 1, 1)(x)
    return array.plain_data(x)
