"""What a row of the rule tables is.  Tables hold rows and the functions in them, nothing else.

Five kinds of rows say what a NumPy function does to tracked arrays:

`Rule`
    a primitive with several operands, its tangent and its adjoint side by side;
`Elementwise`
    a ufunc with its partial derivatives, which serve both modes;
`COMPOSED`
    a function written with others that have rules: nothing more is to be said of its derivative;
`VIEWS`
    a function that gives another view of the same memory (or, where NumPy has to copy, of a copy);
`DECISIONS`
    a function whose result is whole, Boolean or a shape, and has derivative 0.

The functions of a row are called with plain arrays in numeric sweeps and with tracked ones where a
sweep is itself recorded.  So they are written with NumPy functions that have rows of their own,
never write into what they are given, and decide by shapes, dtypes and comparisons only.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

LINEAR = "linear"


class Rule:
    """A primitive: a function that is linear to first order, with its two derivatives.

    Attributes
    ----------
    function : the NumPy (or SciPy) function that it is the rule of; it computes the value
    signature : ``"a, b; axis=0"``: operands, which may be tracked, before the semicolon, options,
        which may not, after it.  ``"*arrays; axis=0"``: the operands come as one sequence.
    adjoints : for each operand ``(g, v, *operands, **options) -> adjoint``, where g is the adjoint
        of the value v.  The result has the operand's shape.  For ``*arrays`` it is one function of
        ``(i, g, v, *operands, **options)``.
    tangents : for each operand ``(t, v, *operands, **options) -> tangent of v``, where t is the
        operand's tangent; or LINEAR, where the function itself, with t in the operand's place, is
        that.  For ``*arrays`` one function of ``(i, t, v, *operands, **options)``, or LINEAR for
        a function that is linear in all operands at once (zeros stand for the others).
    needs : for each operand, which values these two read: digits for operands, "v" for the value.
        Any other comes as a `Shaped`, which has a shape and a dtype only.
    """

    __slots__ = (
        "adjoints", "function", "gathers", "masks", "needs", "out", "outer", "signature",
        "tangents", "variadic",
    )  # fmt: skip

    def __init__(
        self,
        function: Callable,
        signature: str,
        adjoints: Any,
        tangents: Any = LINEAR,
        needs: tuple[str, ...] | str = "",
        out: bool = False,
        outer: bool = False,
        gathers: bool = False,
    ) -> None:
        count = signature.partition(";")[0].count(",") + 1
        variadic = signature.startswith("*")
        if not variadic and not isinstance(adjoints, tuple):
            adjoints = (adjoints,) * count
        if not variadic and not isinstance(tangents, tuple):
            tangents = (tangents,) * count
        if isinstance(needs, str):
            needs = (needs,) * count
        self.function = function
        self.signature = signature
        self.adjoints = adjoints
        self.tangents = tangents
        self.needs = needs
        self.masks = tuple(map(mask_of, needs))
        self.out = out  # whether NumPy's function takes `out=`
        self.variadic = variadic
        # Whether the adjoint of a matrix that meets a vector is the outer product of g and that.
        self.outer = outer
        # Whether g is added to the adjoint at the option `index`, which needs no array of zeros.
        self.gathers = gathers

    def __repr__(self) -> str:
        return f"<rule of {self.function.__name__}({self.signature})>"


class Elementwise:
    """A ufunc: for each operand its partial derivative ``(*operands, v) -> array``.

    The partial broadcasts against the value.  None stands for a partial that is 0 everywhere, 1.0
    and -1.0 for those.  `needs` is as in `Rule`.
    """

    __slots__ = ("needs", "partials", "ufunc")

    def __init__(self, ufunc: Any, partials: tuple[Any, ...], needs: tuple[str, ...] | str) -> None:
        self.ufunc = ufunc
        self.partials = partials
        self.needs = (needs,) * len(partials) if isinstance(needs, str) else needs

    def __repr__(self) -> str:
        return f"<rule of {self.ufunc.__name__}>"


class Joint:
    """The derivative of a function of several operands and results, for all of them together: a
    rule that is in no table but the user's, or the sweeps over a tape that was kept.

    Attributes
    ----------
    pull : ``(adjoints of the results, sweep) -> adjoints of the operands``, None for zeros
    push : ``(tangents of the operands, sweep) -> tangents of the results``, None for zeros
    keeps : whether the operands' values are kept for these two
    backward_only : whether `push` is an error
    """

    __slots__ = ("backward_only", "keeps", "name", "pull", "push")

    def __init__(
        self,
        name: str,
        pull: Callable,
        push: Callable,
        keeps: bool = False,
        backward_only: bool = False,
    ) -> None:
        self.name = name
        self.pull = pull
        self.push = push
        self.keeps = keeps
        self.backward_only = backward_only

    def __repr__(self) -> str:
        return f"<rule of {self.name}>"


class Sweep:
    """What a `Joint` rule may ask of the sweep that comes to it.

    Attributes
    ----------
    lo : the first row of the segment that is swept
    recorded : whether the sweep is
    options : what the call has left for its rule
    operands : the operands' values where the rule keeps them, tracked if the sweep is recorded
    """

    __slots__ = ("lo", "operands", "options", "recorded")

    def __init__(self, lo: int, recorded: bool, options: Any, operands: list | None) -> None:
        self.lo = lo
        self.recorded = recorded
        self.options = options
        self.operands = operands


VALUE = 1 << 30


def mask_of(needed: str) -> int:
    """What a row needs, as bits: bit k for operand k, VALUE for the value.

    Operands are single digits, or numbers with spaces between them.
    """
    mask = 0
    for word in needed.split() if " " in needed else needed:
        mask |= VALUE if word == "v" else 1 << min(int(word), 29)
    return mask


class Shaped:
    """What is left of an operand whose value no rule reads: its shape and dtype."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


# ------------------------------------------------------------- words that rules are written in ---


def product(g: Any, p: Any) -> Any:
    """g * p, but 0 where either is exactly 0, even against an infinity or a nan."""
    t = g * p
    if np.isfinite(t).all():
        return t
    unused = ((g == 0) & ~np.isfinite(p)) | ((p == 0) & ~np.isfinite(g))
    # Both factors are put to 0 where one is unused, so that the same holds of their derivatives.
    return np.where(unused, 0.0, g) * np.where(unused, 0.0, p)


def unbroadcast(g: Any, like: Any) -> Any:
    """The sum of g over the axes along which an operand of that shape was stretched."""
    shape = like.shape
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    if extra < 0:  # written into what has fewer axes, which NumPy allows where these are 1
        g, extra = np.reshape(g, (1,) * -extra + g.shape), 0
        if g.shape == shape:
            return g
    stretched = [k + extra for k, n in enumerate(shape) if n == 1 and g.shape[k + extra] != 1]
    axes = (*range(extra), *stretched)
    if not axes:
        return np.reshape(g, shape)
    # A view of the sum keeps an array without dimensions one: np.sum gives a number for it.
    return np.reshape(np.sum(g, axis=axes, keepdims=True), shape)


def expanded(g: Any, ndim: int, axis: Any, keepdims: bool = False) -> Any:
    """A reduction's result with the axes that were reduced put back as length 1."""
    if keepdims:
        return g
    if axis is None:
        return np.reshape(g, (1,) * ndim)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return np.expand_dims(g, tuple(a % ndim for a in axes)) if axes else g


def matched(g: Any, like: Any) -> Any:
    """g as an operand of this dtype takes it: its real part where the operand is real."""
    if np.iscomplexobj(g) and not np.issubdtype(like.dtype, np.complexfloating):
        return np.real(g)
    return g


# What asks for nothing by `__array_function__`, or is NumPy's own.
_PLAIN = frozenset((np.ndarray, np.float64, float, int, bool, str, type(None)))


def primitive(function: Callable) -> Callable:
    """A function of our own that finds its rule as NumPy's functions do: by ``__array_function__``.

    On plain arrays it is the function itself.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for x in (*args, *kwargs.values()) if kwargs else args:
            if type(x) in _PLAIN:
                continue
            for y in x if type(x) in (list, tuple) else (x,):
                handler = getattr(type(y), "__array_function__", None)
                if handler is not None and type(y) is not np.ndarray:
                    return y.__array_function__(call, (type(y),), args, kwargs)
        return function(*args, **kwargs)

    return call


def as_array(x: Any) -> Any:
    """An operand of a composed function as an array: lists of tracked numbers become tracked."""
    if hasattr(type(x), "__array_function__"):
        return x
    if isinstance(x, (list, tuple, deque)) and any(map(_is_tracked, _leaves(x))):
        return np.stack([as_array(y) for y in x])
    return np.asarray(x)


def _leaves(x: Any) -> Any:
    for y in x:
        if isinstance(y, (list, tuple, deque)):
            yield from _leaves(y)
        else:
            yield y


def _is_tracked(x: Any) -> bool:
    return hasattr(type(x), "__array_function__")


def rule_name(rule: Any) -> str:
    """What an operation on arrays is called."""
    for kind in ("ufunc", "function"):
        function = getattr(rule, kind, None)
        if function is not None:
            return getattr(function, "__name__", str(function))
    return getattr(rule, "name", None) or str(rule)
