"""Arguments and results as trees: optree, and what it needs to see dataclasses as nodes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import optree

NAMESPACE = "tapead"


class _State:
    """What a dataclass instance has beside its fields; all states of a class are equal.

    What optree keeps beside the children must not make two trees of one class different.  Left out
    is what was computed from the old fields: properties that functools has cached, and floats, also
    in containers, that are no fields.  Their use is an AttributeError, not a lost derivative.
    """

    __slots__ = ("attributes", "cls", "names")

    def __init__(self, x: Any) -> None:
        self.cls = cls = type(x)
        self.names = tuple(f.name for f in dataclasses.fields(cls) if hasattr(x, f.name))
        places = [name for c in cls.__mro__ for name in slots(c) if hasattr(x, name)]
        held = {**{name: getattr(x, name) for name in places}, **getattr(x, "__dict__", {})}
        self.attributes = {
            name: value
            for name, value in held.items()
            if name not in self.names
            and not isinstance(getattr(cls, name, None), functools.cached_property)
            and not any(isinstance(leaf, (float, np.ndarray)) for leaf in flatten(value)[0])
        }

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _State) and (self.cls, self.names) == (other.cls, other.names)

    def __hash__(self) -> int:
        return hash((self.cls, self.names))


def slots(cls: type) -> tuple[str, ...]:
    """The names in a class's ``__slots__``."""
    found = vars(cls).get("__slots__")
    if not found:
        return ()
    found = (found,) if isinstance(found, str) else tuple(found)
    return tuple(s for s in found if s not in ("__dict__", "__weakref__"))


def _register(cls: type) -> None:
    """Make a dataclass a node whose children are its fields."""

    def flatten(x):
        state = _State(x)
        return [getattr(x, name) for name in state.names], state, state.names

    def unflatten(state, children):
        # Not a call of the class: __init__ may check or compute what is already settled.
        x = object.__new__(cls)
        for name, held in state.attributes.items():
            object.__setattr__(x, name, held)
        for name, child in zip(state.names, children, strict=True):
            object.__setattr__(x, name, child)
        return x

    optree.register_pytree_node(cls, flatten, unflatten, namespace=NAMESPACE)


def flatten(tree: Any) -> tuple[list, Any]:
    """The leaves of a tree and its structure.  None is a leaf."""
    leaves, spec = optree.tree_flatten(tree, none_is_leaf=True, namespace=NAMESPACE)
    unknown = [cls for cls in set(map(type, leaves)) if dataclasses.is_dataclass(cls)]
    if not unknown:
        return leaves, spec
    for cls in unknown:
        _register(cls)
    return flatten(tree)


def unflatten(spec: Any, leaves: list) -> Any:
    return optree.tree_unflatten(spec, leaves)


def paths(spec: Any) -> list[str]:
    """How to reach each leaf, as Python writes it: ``['w'][0].x``."""
    return ["".join(map(_step, accessor)) for accessor in optree.treespec_accessors(spec)]


def _step(entry: Any) -> str:
    return entry.codify("")


def map_leaves(f: Callable, tree: Any) -> Any:
    """f of every leaf, in the same tree."""
    leaves, spec = flatten(tree)
    return unflatten(spec, [f(leaf) for leaf in leaves])
