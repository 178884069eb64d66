"""Cases of the table of indexing."""

import numpy as np
from case import Case

from tapead.rules import indexing

F32 = np.linspace(-1.5, 2.0, 12, dtype=np.float32).reshape(3, 4)
C128 = (np.arange(12.0) - 4.5 + 1j * np.linspace(2, -1, 12)).reshape(3, 4)
TWICE = np.array([[0, 5], [5, -1]])
ROWS = np.array([2, 0, 2, 1])


def bent(function, call, *inputs, **options):
    """A case that squares its result: of a linear function the second derivative shows nothing."""

    def squared(*xs):
        result = call(*xs)
        if isinstance(result, (list, tuple)):
            return type(result)([x * x for x in result])
        return result * result

    return Case(function, squared, *inputs, **options)


def by_index(x, *indices):
    """x[index] as Python writes it, and the transposed primitive, which is its adjoint."""
    x = np.zeros(x) if isinstance(x, tuple) else x
    start = x if x.any() else x.shape
    for index in indices:
        name = f"[{index}]".replace("\n", "")
        yield bent(indexing.indexed, lambda x, i=index: x[i], start, name=name)
        g = np.cos(np.arange(1.0, x[index].size + 1)).reshape(x[index].shape).astype(x.dtype)
        yield bent(
            indexing.unindexed,
            lambda g, i=index: indexing.unindexed(g, i, x.shape),
            g,
            name=name,
        )


PRIMITIVES = [
    bent(indexing.gathered, lambda x: indexing.gathered(x, TWICE), (3, 4)),
    bent(indexing.gathered, lambda x: indexing.gathered(x, np.array([3, 1]), unique=True), (2, 2)),
    bent(indexing.gathered, lambda x: indexing.gathered(x.T, TWICE), (3, 4), name="transposed"),
    bent(indexing.gathered, lambda x: indexing.gathered(x, TWICE), F32),
    bent(indexing.gathered, lambda x: indexing.gathered(x, TWICE), C128),
    bent(indexing.gathered, lambda x: indexing.gathered(x, np.zeros((0, 2), int)), (3,)),
    bent(indexing.gathered, lambda x: indexing.gathered(x, np.array(0)), ()),
    bent(indexing.scattered, lambda g: indexing.scattered(g, TWICE, (2, 3)), (2, 2)),
    bent(indexing.scattered, lambda g: indexing.scattered(g, ROWS, (4, 2)), C128[0]),
    bent(indexing.scattered, lambda g: indexing.scattered(g, ROWS, (3,)), F32[0]),
    bent(
        indexing.scattered,
        lambda g: indexing.scattered(g, np.array([5, 0, 3]), (2, 3), unique=True),
        (3,),
        name="unique",
    ),
    bent(indexing.scattered, lambda g: indexing.scattered(g, np.zeros(0, int), (2,)), (0,)),
    bent(indexing._cast, lambda x: indexing.cast(x, np.float64), F32),
    bent(indexing._cast, lambda x: indexing.cast(x, complex) * (1 + 2j), (3,)),
]

INDICES = [
    *by_index(
        (3, 4, 2),
        ROWS,
        [2, 0, 2],
        [],
        TWICE % 3,
        (ROWS, ROWS),
        (slice(None), ROWS),
        (slice(1), [0, 3]),
        (ROWS, slice(None), [0, 1, 1, 0]),
        (ROWS, 1),
        (..., [1, 0, 1]),
        (None, ROWS, ..., None),
        (np.array([[0], [2]]), np.array([1, 1, 3])),
        (slice(None, None, -1), ROWS, None, slice(1)),
        np.arange(24).reshape(3, 4, 2) % 3 == 1,
        np.array([True, False, True]),
        (np.array([True, False, True]), slice(None), [0, 1]),
        (slice(None), np.array([True, False, True, True])),
        np.zeros((3, 4), bool),
        True,
        False,
        np.ix_([0, 2], [1, 3, 3], [1]),
    ),
    *by_index(F32, ROWS, (ROWS, ROWS), F32 > 0),
    *by_index(C128, ROWS, (slice(None), [1, 1]), C128.real > 0),
    *by_index((5,), [0, 0, 0], np.array([[-1, 4], [0, -5]]), np.arange(5) > 5),
    *by_index((0, 3), [], (slice(None), [0, 0, 2]), np.zeros((0, 3), bool)),
    # Few elements of many, all of many: each has its own way of being added up.
    *by_index((40, 10), [3, 3], ([1, 1], [2, 2]), [7, 1], np.arange(400) % 40),
    bent(indexing.indexed, lambda x: x[x > 0], (4, 3), name="a mask of its own"),
    bent(indexing.indexed, lambda x: x.T[ROWS], (2, 3), name="transposed"),
    bent(indexing.indexed, lambda x: x[::2, ::-1][[0, 1, 0]], (4, 3), name="strided"),
]

TAKEN = [
    bent(np.take, lambda x: np.take(x, ROWS), (3, 4)),
    bent(np.take, lambda x: np.take(x, 3), (3, 4), name="one"),
    bent(np.take, lambda x: np.take(x, TWICE % 3, axis=1), (2, 3, 2)),
    bent(np.take, lambda x: np.take(x, 1, axis=-2), (2, 3, 2)),
    bent(np.take, lambda x: np.take(x, [-1, 0, -1], 0), F32),
    bent(np.take, lambda x: np.take(x, [5, -7, 2, 0], axis=-1, mode="wrap"), (2, 3)),
    bent(np.take, lambda x: np.take(x, [5, -7, 2, 0], axis=-1, mode="clip"), (2, 3)),
    bent(np.take, lambda x: np.take(x, [12, -13, 30], mode="wrap"), C128),
    bent(np.take, lambda x: np.take(x, [12, -13, 30], mode="clip"), C128),
    bent(np.take, lambda x: np.take(x, np.zeros(0, int), axis=1), (2, 3), name="none"),
    bent(np.take, lambda x: x.T.take([0, 0, 1], axis=1), (2, 3), name="method, transposed"),
    bent(
        np.take_along_axis,
        lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
        (3, 4),
        name="sorted",
    ),
    bent(
        np.take_along_axis,
        lambda x: np.take_along_axis(x, np.argmax(x, axis=0, keepdims=True), axis=0),
        (3, 4),
        name="largest",
    ),
    bent(
        np.take_along_axis,
        lambda x: np.take_along_axis(x, np.array([[1, 1, -1]]), axis=-1),
        (3, 4),
        name="repeated, broadcast",
    ),
    bent(np.take_along_axis, lambda x: np.take_along_axis(x, ROWS, axis=None), F32),
    bent(np.take_along_axis, lambda x: np.take_along_axis(x, TWICE[:1] * 0, axis=0), C128[:, :2]),
    bent(np.compress, lambda x: np.compress([True, False, True], x), (2, 3)),
    bent(np.compress, lambda x: np.compress([False, True], x, axis=1), (2, 3)),
    bent(np.compress, lambda x: x.compress([0, 1, 1], axis=-1), F32),
    bent(np.extract, lambda x: np.extract(x > 0, x), (3, 4)),
    bent(np.extract, lambda x: np.extract(C128.imag > 0, x), C128),
]

CHOSEN = [
    bent(indexing.chosen, lambda x, y: indexing.chosen(ROWS > 1, x, y), (4,), (4,)),
    bent(np.where, lambda x, y: np.where(ROWS > 1, x, y), (4,), (4,)),
    bent(np.where, lambda x, y: np.where(x > 0, x, y), (3, 1, 4), (2, 1)),
    bent(np.where, lambda x, y: np.where(np.eye(3) > 0, x, y), (), (3,)),
    bent(np.where, lambda x: np.where(x > 0, x, 0.0), (3, 4), name="constant"),
    bent(np.where, lambda x: np.where(x > 0, -1, x), F32, name="constant"),
    bent(np.where, lambda x: np.where(x.real > 0, x, 2j), C128, name="constant"),
    bent(np.where, lambda x, y: np.where(True, x, y), (2, 3), (3,), name="True"),
    bent(np.where, lambda x, y: np.where(np.zeros((0, 3)) > 0, x, y), (0, 3), (3,)),
    bent(np.where, lambda x, z: np.where(z.real > 2, x, z), (3, 4), C128, name="mixed"),
    bent(np.where, lambda x: np.where(x, x * x, 0.0), (3, 4), name="values as condition"),
    bent(np.where, lambda x: x[np.where(x)], (3, 4), name="one argument"),
]

GRID = np.array([[0.0, 1.0], [2.0, 0.0]])

DECISIONS = [
    bent(np.nonzero, lambda x: x[np.nonzero(x > 0)], (2, 3)),
    bent(np.argwhere, lambda x: x[tuple(np.argwhere(x > GRID).T)], (2, 2)),
    bent(np.flatnonzero, lambda x: x.ravel()[np.flatnonzero(x)], (2, 2)),
    bent(np.tril_indices_from, lambda x: x[np.tril_indices_from(x, -1)], (3, 3)),
    bent(np.triu_indices_from, lambda x: x[np.triu_indices_from(x)], (3, 3)),
    bent(np.diag_indices_from, lambda x: x[np.diag_indices_from(x)], (3, 3)),
    bent(np.unravel_index, lambda x: x[np.unravel_index(np.argmax(x), x.shape)] * x, (3, 4)),
]

CASES = PRIMITIVES + INDICES + TAKEN + CHOSEN + DECISIONS
