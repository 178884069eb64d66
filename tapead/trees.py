"""Arguments and results as trees: optree, and what it needs to see dataclasses as nodes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import optree

NAMESPACE = "tapead"


def _is_unknown_dataclass(x: Any) -> bool:
    return dataclasses.is_dataclass(x) and not isinstance(x, type)


class _State:
    """A dataclass instance's attributes that are no fields; all states of a class are equal.

    What optree keeps beside the children must not make two trees of one class different.
    """

    __slots__ = ("attributes", "cls")

    def __init__(self, x: Any, names: tuple[str, ...]) -> None:
        self.cls = type(x)
        # What functools.cached_property has stored was computed from the old fields.
        self.attributes = {
            name: held
            for name, held in getattr(x, "__dict__", {}).items()
            if name not in names
            and not isinstance(getattr(self.cls, name, None), functools.cached_property)
        }

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _State) and self.cls is other.cls

    def __hash__(self) -> int:
        return hash(self.cls)


def _register(cls: type) -> None:
    """Make a dataclass a node whose children are its fields."""
    names = tuple(field.name for field in dataclasses.fields(cls))

    def flatten(x):
        return [getattr(x, name) for name in names], _State(x, names), names

    def unflatten(state, children):
        # Not a call of the class: __init__ may check or compute what is already settled.
        x = object.__new__(cls)
        for name, held in state.attributes.items():
            object.__setattr__(x, name, held)
        for name, child in zip(names, children, strict=True):
            object.__setattr__(x, name, child)
        return x

    optree.register_pytree_node(cls, flatten, unflatten, namespace=NAMESPACE)


def flatten(tree: Any) -> tuple[list, Any]:
    """The leaves of a tree and its structure.  None is a leaf."""
    leaves, spec = optree.tree_flatten(tree, none_is_leaf=True, namespace=NAMESPACE)
    unknown = {type(x) for x in leaves if _is_unknown_dataclass(x)}
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
