"""Exact derivatives of ordinary Python programs, by a tape that is compiled to C."""

from tapead import _mode  # noqa: F401, I001 - first: it decides how the others are loaded
from tapead import dispatch as _dispatch  # noqa: F401 - wires in what NumPy asks of arrays
from tapead import math
from tapead.checkpoints.functions import checkpoint
from tapead.checkpoints.loops import checkpointed_loop, checkpointed_while
from tapead.custom import custom_jvp, custom_vjp
from tapead.errors import (
    DetachedError,
    RecomputeError,
    SnapshotError,
    SpillError,
    StaleNumberError,
    TapeadError,
    TapeFullError,
    UnsupportedError,
    WrongThreadError,
)
from tapead.inspect.branches import branches
from tapead.inspect.drawing import draw
from tapead.inspect.nonfinite import find_nonfinite
from tapead.jacobians import hessian, jacfwd, jacobian, jacrev
from tapead.products import hvp, jvp, linearize, vjp
from tapead.profile import TapeProfile, profile
from tapead.inspect.recorded import RecordedTape
from tapead.record import record
from tapead.scalar import compiled
from tapead.supported import supported
from tapead.testing import check_grads
from tapead.transforms import grad, stop_gradient, value, value_and_grad

__all__ = [
    "DetachedError",
    "RecomputeError",
    "RecordedTape",
    "SnapshotError",
    "SpillError",
    "StaleNumberError",
    "TapeFullError",
    "TapeProfile",
    "TapeadError",
    "UnsupportedError",
    "WrongThreadError",
    "branches",
    "check_grads",
    "checkpoint",
    "checkpointed_loop",
    "checkpointed_while",
    "compiled",
    "custom_jvp",
    "custom_vjp",
    "draw",
    "find_nonfinite",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "math",
    "profile",
    "record",
    "stop_gradient",
    "supported",
    "value",
    "value_and_grad",
    "vjp",
]
__version__ = "0.1.0"
