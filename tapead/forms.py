"""Shapes and dtypes: of what inputs and results are, and of the tangents and adjoints given for
them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapead import array, recording, trees
from tapead.array import Array, plain_of
from tapead.operands import as_operand
from tapead.scalar import Scalar

_FLOAT = np.dtype(float)
_NUMBERS = {float, Scalar}


def dressed(shapes: Sequence[Form], leaves: Sequence) -> list:
    """Tangents or adjoints, None for zeros, each as what it belongs to is."""
    if are_floats(leaves) and are_numbers(shapes):
        return list(leaves)
    return [
        x if type(x) is float and form.kind is float
        else form.zeros() if x is None
        else form.dressed(x)
        for form, x in zip(shapes, leaves, strict=True)
    ]  # fmt: skip


def joined(shapes: Sequence[Form], leaves: Sequence) -> np.ndarray:
    """The numbers of some leaves, one after the other."""
    if are_numbers(shapes):
        return np.array(leaves, float)
    return np.concatenate([np.ravel(x) for x in leaves])


def plain_copy(x: Any) -> Any:
    """A leaf of a result as plain data that nobody else has."""
    return x.copy() if type(x) is np.ndarray else array.plain_data(x)


def same_bits(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether two arrays are the same to the last bit."""
    return x.shape == y.shape and x.dtype == y.dtype and x.tobytes() == y.tobytes()


def changed(leaves: Sequence, copies: Sequence) -> bool:
    """Whether an array among copies is no longer what it was copied from."""
    return any(
        isinstance(copy, np.ndarray) and plain_of(copy).tobytes() != plain_of(x).tobytes()
        for x, copy in zip(leaves, copies, strict=True)
    )


def as_given(shapes: Sequence[Form], kept: Sequence) -> list:
    """Operands that a record has kept as they were given: numbers where they were numbers."""
    return [
        x if form.kind is np.ndarray else form.dressed(x)
        for x, form in zip(kept, shapes, strict=True)
    ]


def pieces(x: np.ndarray, sizes: Sequence[int], axis: int) -> list:
    """An array cut along an axis into pieces of these sizes."""
    return np.split(x, np.cumsum(sizes)[:-1], axis) if sizes else []


def split(numbers: np.ndarray, shapes: Sequence[Form]) -> list:
    """Numbers that lie one after the other along the last axis, as parts of these shapes."""
    if numbers.ndim == 1 and are_numbers(shapes):
        return numbers.tolist()
    parts = pieces(numbers, [form.size for form in shapes], -1)
    return [
        part.reshape(part.shape[:-1] + form.shape) for part, form in zip(parts, shapes, strict=True)
    ]


class Form(NamedTuple):
    """What a leaf is: an array, or a number (of Python's, of NumPy's).

    `whole` is set where it is a constant by its kind: of whole numbers, or Boolean.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    kind: type
    whole: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def zeros(self) -> Any:
        return self.dressed(np.zeros(self.shape, self.dtype))

    def dressed(self, x: Any) -> Any:
        """A tangent or an adjoint, as what it belongs to is: a float, an np.float64, an array."""
        if self.kind is np.ndarray:
            if type(x) is Scalar:
                return np.reshape(np.stack([x]), ())
            return x if isinstance(x, np.ndarray) else np.asarray(x, self.dtype)
        if self.kind is float and type(x) is not Array:
            return x if type(x) in (Scalar, float) else float(np.real(x))
        if type(x) is Array:
            return x[()] if x.ndim == 0 and self.kind is not float else x.item()
        return x if type(x) is Scalar else self.dtype.type(x)

    def described(self) -> str:
        if self.kind is np.ndarray:
            return f"an array of shape {self.shape} and dtype {self.dtype}"
        return "a complex number" if self.dtype.kind == "c" else "a real number"


NUMBER = Form((), _FLOAT, float, False)
_WHOLE = Form((), _FLOAT, float, True)


def are_numbers(shapes: Sequence[Form]) -> bool:
    """Whether all are floats: what long lists mostly are."""
    return shapes.count(NUMBER) == len(shapes)


def are_floats(leaves: Sequence) -> bool:
    return set(map(type, leaves)) == {float}


def forms_of(leaves: Sequence, spec: Any, where: str, what: str = "a number or an array") -> list:
    """The form of each leaf of a tree; an error names one that is neither number nor array."""
    if are_floats(leaves):
        return [NUMBER] * len(leaves)
    found = [NUMBER if type(x) is float else _form_of(x) for x in leaves]
    if None in found:
        k = found.index(None)
        step = recording.paths(spec, len(leaves))[k]
        raise TypeError(f"{where}{step} is {recording.describe(leaves[k])}; {what} was expected")
    return found


def _form_of(leaf: Any) -> Form | None:
    """The form of an input, or of a leaf of a result; None if it is neither."""
    x = plain_of(leaf)
    if isinstance(x, np.longdouble):
        return None
    if type(x) is float:
        return NUMBER
    if isinstance(x, (bool, int, np.integer, np.bool_)):
        return _WHOLE
    if isinstance(x, complex) and not isinstance(x, np.generic):
        return Form((), np.dtype(complex), complex, False)
    if isinstance(x, (np.floating, np.complexfloating)):
        return Form((), x.dtype, type(x), False)
    if isinstance(x, float):
        return NUMBER
    if isinstance(x, np.ndarray) and x.dtype.kind in "biufc" and x.dtype.itemsize <= 16:
        whole = x.dtype.kind in "biu"
        if type(leaf) is Array and array.is_number(leaf):
            return Form((), x.dtype, type(x[()]), whole)
        return Form(x.shape, _FLOAT if whole else x.dtype, np.ndarray, whole)
    return None


def results(tree: Any, f: Any, verb: str, listed: bool = False) -> tuple[list, Any, list[Form]]:
    """The leaves of a function's result, their structure and their forms.

    listed : the result is a list of leaves, and has no structure
    """
    leaves, spec = (tree, None) if listed else trees.flatten(tree)
    if not _NUMBERS.issuperset(map(type, leaves)):
        leaves = [as_operand(x) if isinstance(x, np.ndarray) else x for x in leaves]
    where = f"{recording.function_name(f)} cannot be {verb}: its result"
    return leaves, spec, forms_of(leaves, spec, where, "a tree of numbers and arrays")


def matching(tree: Any, spec: Any, forms: Sequence[Form], name: str, others: str) -> list[Any]:
    """The leaves of tangents (or adjoints) for a tree of that structure and those forms.

    Errors name what was given and what was expected; `others` names what they are for.
    """
    leaves, given = recording.inputs(tree)
    if given is not spec or len(leaves) != len(forms):
        whole, known = (recording.tree_spec(s, n) for s, n in ((given, leaves), (spec, forms)))
        if whole != known:
            raise TypeError(
                f"the structure of {name} is not that of {others}: {whole} was given, "
                f"{known} was expected"
            )
    if are_floats(leaves) and are_numbers(forms):
        return leaves
    return [
        x
        if type(x) is float and form.kind is float
        else _matched(x, form, lambda k=k: f"{name}{recording.paths(spec, len(forms))[k]}")
        for k, (x, form) in enumerate(zip(leaves, forms, strict=True))
    ]


def _matched(x: Any, form: Form, where: Callable[[], str]) -> Any:
    """A tangent in the dtype of what it belongs to."""
    data = plain_of(x)
    if isinstance(x, (list, tuple, dict, str, bytes)) or x is None:
        kind = "O"
    else:
        data = np.asarray(data)
        kind = data.dtype.kind
    allowed = "iufc" if form.dtype.kind == "c" else "iuf"
    if kind not in allowed or np.shape(data) != form.shape:
        given = recording.describe(x)
        if isinstance(x, np.ndarray):
            given = f"an array of shape {x.shape} and dtype {x.dtype}"
        raise TypeError(f"{where()} is {given}; {form.described()} was expected")
    if array.is_active(x):
        if type(x) is Array:
            return x if x.dtype == form.dtype else x.astype(form.dtype)
        return x
    if form.kind is float:
        return float(data)
    return np.array(data, form.dtype)
