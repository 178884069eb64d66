"""Cases of the table of convolution and interpolation."""

import numpy as np
from case import Case

from tapead.rules import sequences

C4, C3 = np.array([1.5, -1j, 2 + 1j, 0.3]), np.array([1j, 2.0, -0.5 + 0.5j])
F32 = np.array([0.5, -1.0, 2.0, 0.25], np.float32)
KNOTS = np.array([-1.5, -0.4, 0.1, 0.9, 2.0])
AT = np.array([[-2.0, -1.0, 0.0], [0.5, 1.7, 2.5]])
PAIRS = (
    ((5,), (3,)),
    ((3,), (5,)),
    ((6,), (2,)),
    ((2,), (5,)),
    ((6,), (4,)),
    ((4,), (4,)),
    ((1,), (3,)),
    (C4, (2,)),
    ((5,), C3),
    (C4, C3),
    (C3, C4),
)


def _modes(f):
    cases = []
    for mode in ("full", "same", "valid"):
        for a, v in PAIRS:
            cases.append(Case(f, lambda a, v, m=mode: f(a, v, m), a, v, name=mode))
    cases += [
        Case(f, lambda a, v: f(a, v), (4,), (3,), name="default"),
        Case(f, lambda a: f(a, np.array([1.0, 2.0, -1.0]), "same"), (5,), name="constant kernel"),
        Case(f, lambda a: f(np.array([1.0, 2.0, -1.0, 0.5]), a, "full"), (2,), name="constant"),
        Case(f, lambda a: f(a, a, mode="full"), (4,), name="with itself"),
        Case(f, lambda a, v: f(a, v), F32, F32[:2]),
        Case(f, lambda a, v: f(a[::-2], v[::2]), (5,), (4,), name="strided"),
    ]
    return cases


def _interp(*inputs, name="", **options):
    return Case(np.interp, lambda x, xp, fp: np.interp(x, xp, fp, **options), *inputs, name=name)


CASES = [
    *_modes(np.convolve),
    *_modes(np.correlate),
    Case(np.convolve, lambda a, v: np.convolve(a, v), (), (3,)),
    _interp(AT, KNOTS, (5,)),
    _interp(AT, KNOTS, C4.repeat(2)[:5]),
    _interp(0.3, KNOTS, (5,)),
    _interp(AT.T, KNOTS[:1], (1,), name="one knot"),
    _interp(np.zeros((0, 2)), KNOTS, (5,)),
    _interp(AT, KNOTS, (5,), left=-3.0, right=7.0, name="left, right"),
    _interp(AT, KNOTS, (5,), left=-3.0, name="left"),
    _interp(AT, KNOTS, (5,), period=2.7, name="period"),
    _interp(AT, KNOTS[::-1], (5,), period=-6.0, name="period, unsorted"),
    Case(
        np.interp,
        lambda x, fp, ends, period: (
            np.interp(x, KNOTS, fp, left=ends[0], right=ends[1] * 2.0),
            np.interp(x, KNOTS, fp, period=period),
        ),
        AT,
        (5,),
        (2,),
        3.7,
        name="all tracked",
    ),
    Case(np.interp, lambda x: np.interp(x, KNOTS, KNOTS**2), AT, name="x alone"),
    Case(np.interp, lambda fp: np.interp(KNOTS, KNOTS, fp), (5,), name="at the knots"),
    Case(
        np.interp,
        lambda fp: np.interp(np.array([0.0, 1.0]), np.array([0.0, 0.5, 1.0], np.float32), fp),
        F32[:3],
    ),
    Case(sequences.interpolated, sequences.interpolated, AT, KNOTS, (5,)),
]
