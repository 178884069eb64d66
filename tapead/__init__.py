"""Exact derivatives of ordinary Python programs, by a tape that is compiled to C."""

from tapead import _mode  # isort: skip  - first: decides how the modules below are loaded
from tapead import math
from tapead.errors import (
    DetachedError,
    StaleNumberError,
    TapeadError,
    TapeFullError,
    UnsupportedError,
    WrongThreadError,
)
from tapead.scalar import compiled
from tapead.transforms import grad, stop_gradient, value, value_and_grad

__all__ = [
    "DetachedError",
    "StaleNumberError",
    "TapeFullError",
    "TapeadError",
    "UnsupportedError",
    "WrongThreadError",
    "compiled",
    "grad",
    "math",
    "stop_gradient",
    "value",
    "value_and_grad",
]
__version__ = "0.1.0"
