"""What methods that look at a tape are given, checked."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapead import trees


def whole(name: str, x: Any, *others: str) -> int:
    """x as an int; an error that says what else was expected if it is none.

    >>> whole("most", 3)
    3
    >>> whole("most", 2.5)
    Traceback (most recent call last):
        ...
    TypeError: most=2.5: a whole number was expected
    """
    try:
        if isinstance(x, bool):
            raise TypeError
        return operator.index(x)
    except TypeError:
        expected = " or ".join(["a whole number", *others])
        raise TypeError(f"{name}={x!r}: {expected} was expected") from None


def at_least_0(name: str, x: Any) -> int:
    """x as an int that counts something, or an error.

    >>> at_least_0("first", -1)
    Traceback (most recent call last):
        ...
    ValueError: first=-1: a number from 0 on was expected
    """
    number = whole(name, x)
    if number < 0:
        raise ValueError(f"{name}={number}: a number from 0 on was expected")
    return number


def input_positions(args: tuple, argnums: int | tuple[int, ...] | None) -> list[int]:
    """The positions of the arguments that are inputs."""
    if argnums is None:
        # A count, a flag or a name beside numbers is not one that anything is derived by.
        chosen = [p for p, x in enumerate(args) if any(map(_is_float, trees.flatten(x)[0]))]
        return chosen or list(range(len(args)))
    count = len(args)
    given = argnums if isinstance(argnums, tuple) else (argnums,)
    given = tuple(whole("argnums", p, "a tuple of these") for p in given)
    for p in given:
        if not -count <= p < count:
            raise ValueError(f"argnums names argument {p}, but {count} were given")
    return [p % count for p in given]


def _is_float(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "fc"
    return isinstance(x, (float, complex, np.inexact))
