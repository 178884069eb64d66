"""What stands in for ``numpy.random`` in the user's modules while a recording runs.

The numbers drawn are NumPy's, from the program's own generators.  They are constants; but arrays of
them can be written into by tracked values, and tracked arrays can be shuffled.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead import array
from tapead.array import Array
from tapead.operands import is_tracked, plain_tree, refused
from tapead.scalar import Scalar

_OURS = (Array, Scalar)


def _attribute(self: Any, name: str) -> Any:
    """An attribute of a generator of random numbers: arrays that it draws can be written into."""
    found = object.__getattribute__(self, name)
    if name.startswith("_") or not callable(found):
        return found
    return _drawing(found, functools.partial(object.__getattribute__, self, "permutation"))


# They draw from the bit generator of the program's own: the same numbers, and that goes on.
class Generator(np.random.Generator):
    """NumPy's generator, whose draws can be written into."""

    __getattribute__ = _attribute


class RandomState(np.random.RandomState):
    """NumPy's old generator, whose draws can be written into."""

    __getattribute__ = _attribute


def drawing(generator: Any) -> Any:
    """What stands in for a generator of random numbers; None for anything else."""
    if type(generator) is np.random.Generator:
        return Generator(generator.bit_generator)
    if type(generator) is np.random.RandomState:
        return RandomState(generator._bit_generator)
    return None


def _drawing(draw: Callable, permutation: Callable) -> Callable:
    """A method or function that draws, for arrays of ours too."""
    name = draw.__name__

    @functools.wraps(draw)
    def call(*args: Any, **options: Any) -> Any:
        if not any(type(x) in _OURS for x in (*args, *options.values())):
            return array.dressed(draw(*args, **options), "fciu")
        if name == "shuffle" and type(args[0]) is Array:
            return _shuffle(*args, permutation=permutation(), **options)
        if name == "permutation" and type(args[0]) is Array:
            axis = options.get("axis", *args[1:2] or (0,))
            return np.take(args[0], permutation()(args[0].shape[axis]), axis)
        if type(options.get("out")) is Array:
            out = options.pop("out")
            out[...] = draw(*args, size=out.shape, dtype=out.dtype, **options)
            return out
        if is_tracked((args, options)):
            raise refused(draw, ": its draws, by tracked parameters,")
        return array.dressed(draw(*plain_tree(args), **plain_tree(options)), "fciu")

    return call


def _shuffle(x: Any, axis: int = 0, *, permutation: Callable) -> None:
    """A permutation of indices draws as a shuffle of the array does."""
    x[...] = np.take(x, permutation(x.shape[axis]), axis)


def default_rng(seed: Any = None) -> Any:
    made = np.random.default_rng(seed)
    return made if made is seed else Generator(made.bit_generator)


def stand_ins() -> dict[str, Any]:
    """What takes the place of the functions and classes of numpy.random, by name."""
    found = {
        name: _drawing(f, lambda: np.random.permutation)
        for name, f in vars(np.random).items()
        if not name.startswith("_") and callable(getattr(np.random.RandomState, name, None))
    }
    return {**found, "default_rng": default_rng, "RandomState": RandomState}
