"""The rule tables of NumPy's functions, put together: every module in this folder is one."""

import importlib
import pkgutil
from types import ModuleType

from tapead.rules.table import Elementwise, Rule

ROWS: tuple[Rule | Elementwise, ...] = ()
COMPOSED: dict = {}
VIEWS: tuple = ()
DECISIONS: tuple = ()
METHODS: dict = {}


def add(table: ModuleType) -> None:
    """Take in the rows of one table."""
    global ROWS, VIEWS, DECISIONS
    ROWS += tuple(getattr(table, "RULES", ()))
    VIEWS += tuple(getattr(table, "VIEWS", ()))
    DECISIONS += tuple(getattr(table, "DECISIONS", ()))
    COMPOSED.update(getattr(table, "COMPOSED", {}))
    METHODS.update(getattr(table, "METHODS", {}))


for _module in pkgutil.iter_modules(__path__):
    add(importlib.import_module(f"{__name__}.{_module.name}"))
