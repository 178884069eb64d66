"""What a case of the rule tables is: one call of a function, and arrays to call it with."""

from collections.abc import Callable
from typing import Any

import numpy as np


class Case:
    """One call of a NumPy function that is to be differentiated by all of its inputs.

    function : the function whose row this tests (the key in the tables)
    call : takes the inputs as arrays and gives an array, or a tuple or list of arrays
    inputs : arrays, or shapes, for which random numbers of the normal distribution are drawn
    order : up to which the derivatives are compared
    name : what tells it from other cases of the function
    """

    def __init__(
        self, function: Any, call: Callable, *inputs: Any, order: int = 2, name: str = ""
    ) -> None:
        rng = np.random.default_rng(len(inputs) + 7)
        self.function = function
        self.call = call
        self.inputs = tuple(
            rng.standard_normal(x) if isinstance(x, tuple) else np.asarray(x) for x in inputs
        )
        self.order = order
        label = getattr(function, "__name__", str(function))
        shapes = " ".join(f"{x.dtype.char}{list(x.shape)}" for x in self.inputs)
        self.name = f"{label} {name} {shapes}".replace("  ", " ")
