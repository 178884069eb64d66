"""Generators of random numbers: put back to where they were, for a function that runs again."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from tapead import reach, trees

_GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)


class States:
    """The states of NumPy's and random's own generators, and of those that roots lead to."""

    __slots__ = ("found",)

    def __init__(self, roots: Sequence[Any]) -> None:
        own = (np.random.mtrand._rand, random._inst)
        self.found = [(x, state_of(x)) for x in (*own, *_reached(roots))]

    def keep_used(self) -> None:
        """Forget those that are still where they were: states are large."""
        self.found = [(x, state) for x, state in self.found if not same(state_of(x), state)]

    def restored(self, f: Callable, *args: Any) -> Any:
        """f of args with the generators put back; afterwards they are as before."""
        now = [(x, state_of(x)) for x, _ in self.found]
        put(self.found)
        try:
            return f(*args)
        finally:
            put(now)


def state_of(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)  # with the normal number that it has in hand
    return bits_of(generator).state


def bits_of(generator: Any) -> np.random.BitGenerator:
    return getattr(generator, "bit_generator", generator)


def same(a: Any, b: Any) -> bool:
    """Whether two states are the same: tuples, or dicts with arrays in them."""
    if isinstance(a, dict):
        return all(same(x, b[name]) for name, x in a.items())
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


def put(states: list) -> None:
    for generator, state in states:
        if isinstance(generator, random.Random):
            generator.setstate(state)
        elif isinstance(generator, np.random.RandomState):
            generator.set_state(state)
        else:
            bits_of(generator).state = state


def _reached(roots: Sequence[Any]) -> Iterator[Any]:
    """The generators in roots, and under the names that functions among them use."""
    seen: set[int] = set()
    todo = list(roots)
    while todo:
        x = todo.pop()
        if id(x) in seen or type(x) in reach.LEAVES:
            continue
        seen.add(id(x))
        owner = reach.attribute(x, "__self__")
        todo.append(reach.attribute(x, "__wrapped__"))
        if isinstance(x, _GENERATORS):
            yield x
        elif isinstance(owner, _GENERATORS):  # a method of one
            todo.append(owner)
        elif isinstance(x, (list, tuple)):
            todo += x[: reach.MOST_HELD]
        elif isinstance(x, dict):
            todo += list(x.values())[: reach.MOST_HELD]
        elif not reach.is_foreign(x):
            todo += _named(x)


def _named(x: Any) -> list:
    """What a function's names and an object's attributes stand for."""
    f = x.__func__ if type(x) is MethodType else x
    held = reach.attribute(x, "__dict__")
    found = [reach.attribute(x, "__self__"), *(held.values() if type(held) is dict else ())]
    if type(f) is FunctionType:
        code = f.__code__
        found += [f.__globals__.get(name) for name in reach.names_of(code).loaded]
        found += [reach.contents(cell) for cell in f.__closure__ or ()]
        found += [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
    if isinstance(x, functools.partial):
        found += [x.func, *x.args, *x.keywords.values()]
    for cls in type(x).__mro__:
        found += [reach.attribute(x, name) for name in trees.slots(cls)]
    return [y for y in found if y is not reach.ABSENT and not isinstance(y, type)]
