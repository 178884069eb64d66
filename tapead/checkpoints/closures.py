"""Tracked values that a function does not get as arguments, but holds in its closure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CellType, FunctionType
from typing import Any

from tapead import array, reach, trees


def tracked_cells(*functions: Callable) -> list[CellType]:
    """The cells, of functions and of those that they hold, in which there are tracked values."""
    found: list[CellType] = []
    todo, seen = list(functions), set()
    while todo:
        g = todo.pop()
        g = getattr(g, "__func__", g)
        if type(g) is not FunctionType or id(g) in seen:
            continue
        seen.add(id(g))
        for cell in g.__closure__ or ():
            x = reach.contents(cell)
            if type(x) is FunctionType:
                todo.append(x)
            elif (
                x is not reach.ABSENT
                and not any(cell is other for other in found)
                and any(map(array.is_active, trees.flatten(x)[0]))
            ):
                found.append(cell)
    return found


def run_with(cells: Sequence[CellType], contents: Sequence, f: Callable, *args: Any) -> Any:
    """f of args while other values are in the cells."""
    held = [cell.cell_contents for cell in cells]
    try:
        for cell, x in zip(cells, contents, strict=True):
            cell.cell_contents = x
        return f(*args)
    finally:
        for cell, x in zip(cells, held, strict=True):
            cell.cell_contents = x
