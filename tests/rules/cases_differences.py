"""Cases of the table of differences."""

import numpy as np
from case import Case

from tapead.rules.differences import differences

F32 = np.linspace(-1.5, 2.0, 12, dtype=np.float32).reshape(3, 4) ** 3
C128 = (np.arange(12.0) - 4.5 + 1j * np.linspace(2, -1, 12)).reshape(3, 4) ** 2
UNEVEN = np.array([0.0, 0.3, 1.1, 1.4, 2.5])
PLAIN = np.array([1.5, -2.0, 0.25, 3.0, 0.5])

CASES = [
    Case(np.diff, np.diff, (5,)),
    Case(np.diff, lambda x: np.diff(x, 2), (5,), name="n=2"),
    Case(np.diff, lambda x: np.diff(x, n=3, axis=0), (5, 2), name="n=3"),
    Case(np.diff, lambda x: np.diff(x, axis=-2), (2, 3, 4), name="axis=-2"),
    Case(np.diff, lambda x: np.diff(x.T[::-1], axis=1), (2, 3, 4), name="strided"),
    Case(np.diff, lambda x: np.diff(x, n=0), (3,), name="n=0"),
    Case(np.diff, lambda x: np.diff(x, n=4), (3,), name="too many"),
    Case(np.diff, lambda x: np.diff(x, axis=0), (1, 3), name="of one"),
    Case(np.diff, np.diff, F32),
    Case(np.diff, lambda x: np.diff(x, n=2, axis=0), C128),
    Case(np.diff, lambda x, p: np.diff(x, prepend=p), (2, 3), (2, 2), name="prepend"),
    Case(np.diff, lambda x, p: np.diff(x, prepend=0.0, append=p), (2, 3), (), name="numbers"),
    Case(np.diff, lambda p: np.diff(PLAIN, n=2, append=p), (2,), name="append to plain"),
    Case(differences, lambda x: differences(x, n=2, axis=0), (4, 2)),
    Case(np.ediff1d, np.ediff1d, (5,)),
    Case(np.ediff1d, np.ediff1d, (2, 3)),
    Case(np.ediff1d, np.ediff1d, (1,)),
    Case(np.ediff1d, lambda x, p: np.ediff1d(x, to_end=p), (3,), (2, 2), name="end"),
    Case(np.ediff1d, lambda x, p: np.ediff1d(x, to_begin=p, to_end=[7.0]), (3,), (), name="both"),
    Case(np.ediff1d, lambda x: np.ediff1d(x, 2.5, -1.0), F32, name="both"),
    Case(np.ediff1d, np.ediff1d, C128),
    Case(np.gradient, np.gradient, (5,)),
    Case(np.gradient, np.gradient, (2,)),
    Case(np.gradient, np.gradient, (3, 4)),
    Case(np.gradient, lambda x: np.gradient(x, 0.3), (3, 4), name="one spacing"),
    Case(np.gradient, lambda x: np.gradient(x, 0.3, 2.0), (3, 4), name="two spacings"),
    Case(np.gradient, lambda x: np.gradient(x, 0.3, axis=-1), (3, 4), name="axis=-1"),
    Case(np.gradient, lambda x: np.gradient(x, axis=(1, 0)), (2, 3, 4), name="axes"),
    Case(np.gradient, lambda x: np.gradient(x, edge_order=2), (3, 4), name="edges"),
    Case(np.gradient, lambda x: np.gradient(x, 0.1, edge_order=2), F32, name="edges"),
    Case(np.gradient, lambda x: np.gradient(x, np.float64(0.1)), F32, name="double spacing"),
    Case(np.gradient, lambda x: np.gradient(x, UNEVEN), (5,), name="coordinates"),
    Case(np.gradient, lambda x: np.gradient(x, 0.5 * np.arange(5)), (5,), name="even"),
    Case(
        np.gradient,
        lambda x: np.gradient(x, UNEVEN, 2.0, edge_order=2),
        (5, 4),
        name="coordinates, edges",
    ),
    Case(np.gradient, lambda x: np.gradient(x, UNEVEN[:4], axis=1), C128, name="coordinates"),
    Case(np.gradient, lambda x: np.gradient(x, UNEVEN[:4], axis=1), F32, name="coordinates"),
    Case(np.gradient, lambda x, h: np.gradient(x, h), (5,), np.array(0.7), name="tracked spacing"),
    Case(
        np.gradient,
        lambda x, y: np.gradient(x, y, edge_order=2),
        (5, 5)[:1],
        UNEVEN,
        name="tracked coordinates",
    ),
    Case(np.gradient, lambda y: np.gradient(PLAIN, y), UNEVEN, name="of plain ones"),
]
for _name in ("trapezoid", "trapz"):  # renamed in NumPy 2.0
    if hasattr(np, _name):
        f = getattr(np, _name)
        CASES += [
            Case(f, f, (5,)),
            Case(f, lambda y, f=f: f(y, dx=0.3), (2, 4), name="dx"),
            Case(f, lambda y, f=f: f(y, dx=0.3, axis=0), (4, 2, 3), name="axis=0"),
            Case(f, lambda y, f=f: f(y, UNEVEN), (2, 5), name="x"),
            Case(f, lambda y, x, f=f: f(y, x, axis=-2), (5, 2), UNEVEN, name="tracked x"),
            Case(f, lambda y, x, f=f: f(y, x, axis=0), (3, 2), (3, 2), name="x for each"),
            Case(f, lambda x, f=f: f(PLAIN, x), UNEVEN, name="of plain ones"),
            Case(f, lambda y, h, f=f: f(y, dx=h), (3,), (), name="tracked dx"),
            Case(f, f, F32),
            Case(f, f, C128),
            Case(f, f, (1,)),
        ]
