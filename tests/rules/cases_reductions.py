"""Cases of the table of reductions."""

import numpy as np
from case import Case

from tapead.rules import reductions

F32 = np.linspace(-1.5, 2.0, 12, dtype=np.float32).reshape(3, 4)
C128 = (np.arange(12.0) - 4.5 + 1j * np.linspace(2, -1, 12)).reshape(3, 4)
ZEROS = np.array([[1.5, 0.0, -2.0, 0.5], [0.0, 3.0, 0.0, -1.0], [0.7, 1.1, -0.3, 2.0]])
TIES = np.array([[1.0, 3.0, 3.0], [3.0, -2.0, 0.5]])
GAPS = np.array([[1.5, np.nan, -2.0, 0.5], [np.nan, 3.0, 0.3, -1.0], [0.7, 1.1, np.nan, 2.0]])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, True, False]])
BLOCK = (2, 3, 4)


def _over_axes(f, x=BLOCK):
    """A reduction over all sorts of axes."""
    begin = _first(f)
    return [
        Case(f, f, x),
        Case(f, lambda x: f(x, axis=0), x, name="axis=0"),
        Case(f, lambda x: f(x, -2), x, name="axis=-2"),
        Case(f, lambda x: f(x, axis=(0, -1)), x, name="two axes"),
        Case(f, lambda x: f(x, axis=(2, 0), keepdims=True), x, name="two axes kept"),
        Case(f, lambda x: f(x, axis=1, keepdims=True), x, name="axis kept"),
        Case(f, lambda x: f(x, keepdims=True), x, name="all kept"),
        Case(f, lambda x: f(x, axis=()), x, name="no axes"),
        Case(f, lambda x: f(x.T[::-1], axis=1), x, name="strided"),
        Case(f, f, (), name="0-d"),
        Case(f, lambda x: f(x, axis=-1), (2, 1), name="one of each"),
        Case(f, lambda x: f(x, axis=1), F32),
        Case(f, lambda x: f(x, axis=0), C128),
        Case(f, f, C128, name="all"),
        Case(f, lambda x: f(x, axis=1), (0, 3), name="no results"),
        Case(f, lambda x: f(x, axis=1, where=MASK, **begin), (3, 4), name="where"),
        Case(f, lambda x: f(x, where=MASK[:, :1], **begin), (3, 4), name="where, all"),
    ]


def _first(f):
    """What a masked extremum begins with."""
    if f in (np.max, np.amax, np.nanmax):
        return {"initial": -9.0}
    return {"initial": 9.0} if f in (np.min, np.amin, np.nanmin) else {}


def _running(f, x=BLOCK):
    return [
        Case(f, f, x),
        Case(f, f, (4,)),
        Case(f, lambda x: f(x, axis=0), x, name="axis=0"),
        Case(f, lambda x: f(x, -2), x, name="axis=-2"),
        Case(f, lambda x: f(x.T[::-1], axis=1), x, name="strided"),
        Case(f, f, (), name="0-d"),
        Case(f, lambda x: f(x, axis=0), (), name="0-d, axis=0"),
        Case(f, lambda x: f(x, axis=1), F32),
        Case(f, lambda x: f(x, axis=1, dtype=float), F32, name="dtype"),
        Case(f, lambda x: f(x, axis=0), C128),
        Case(f, lambda x: f(x, axis=0), (0, 3), name="empty"),
    ]


def _with_zeros(f):
    """Products with zeros among the factors, and with some that leave the range on the way."""
    return [
        Case(f, f, ZEROS[0], name="a zero"),
        Case(f, f, ZEROS[1], name="two zeros"),
        Case(f, lambda x: f(x, axis=0), ZEROS, name="zeros, axis=0"),
        Case(f, lambda x: f(x, axis=1), ZEROS, name="zeros, axis=1"),
        Case(f, lambda x: f(x, axis=-1), ZEROS + 1j * np.roll(ZEROS, 1, 1), name="zeros"),
        Case(f, f, np.zeros(5), name="zeros only"),
        Case(f, f, np.array([2.0, 0.0, 1.5, -1.0, 0.5, 3.0, 0.25]), name="seven"),
    ]


CASES = [
    *_over_axes(np.sum),
    *_over_axes(np.mean),
    *_over_axes(np.prod),
    *_over_axes(np.max),
    *_over_axes(np.min),
    *_over_axes(np.amax),
    *_over_axes(np.amin),
    *_over_axes(np.nansum),
    *_over_axes(np.nanmean),
    *_over_axes(np.nanprod),
    *_over_axes(np.nanmax),
    *_over_axes(np.nanmin),
    Case(np.sum, lambda x: np.sum(x, axis=0, initial=2.5), (3, 4), name="initial"),
    Case(np.sum, lambda x: np.sum(x, dtype=float), F32, name="dtype"),
    Case(np.sum, lambda x: np.sum(x, 1, None), (3, 4), name="by position"),
    Case(np.sum, lambda x: x.sum(axis=1, keepdims=True), (3, 4), name="method"),
    Case(np.sum, lambda x: np.sum(x), (0,), name="nothing"),
    Case(np.mean, lambda x: np.mean(x, axis=0, dtype=float), F32, name="dtype"),
    Case(np.mean, lambda x: x.mean(), (3, 4), name="method"),
    *_with_zeros(np.prod),
    Case(np.prod, lambda x: np.prod(x, axis=1, initial=2.5), (3, 4), name="initial"),
    Case(np.prod, lambda x: np.prod(x, axis=1, initial=2.5), ZEROS, name="initial, zeros"),
    Case(np.prod, lambda x: np.prod(x, axis=(0, 2)), np.stack([ZEROS, ZEROS + 1]), name="axes"),
    Case(np.prod, lambda x: np.prod(x, axis=0, where=MASK), ZEROS, name="where, zeros"),
    Case(np.prod, lambda x: np.prod(x), (0,), name="nothing"),
    Case(np.max, lambda x: np.max(x, initial=0.25), np.array([0.5, 0.1]), name="initial"),
    Case(np.max, lambda x: np.max(x, initial=0.25), np.array([0.0, 0.1]), name="initial is it"),
    Case(np.max, lambda x: np.max(x, axis=1, initial=0.25), (2, 0), name="nothing"),
    Case(np.max, lambda x: x.max(axis=0), (3, 4), name="method"),
    Case(np.max, lambda x: np.max(x * 0 + TIES * np.sum(x)), np.full((2, 3), 0.5), name="ties"),
    Case(np.min, lambda x: np.min(x, 0), F32, name="by position"),
    *[
        Case(f, lambda x, f=f, axis=axis: f(x, axis=axis), GAPS, name=f"nan, axis={axis}")
        for f in (np.nansum, np.nanprod, np.nanmean, np.nanmax, np.nanmin)
        for axis in (None, 0, 1)
    ],
    *[
        Case(f, lambda x, f=f: f(x, axis=1, where=MASK), GAPS, name="nan, where")
        for f in (np.nansum, np.nanprod, np.nanmean)
    ],
    Case(np.nansum, lambda x: np.nansum(x, axis=0, initial=2.5), GAPS, name="initial"),
    Case(np.nanprod, lambda x: np.nanprod(x, axis=0, initial=2.5), GAPS, name="initial"),
    Case(np.ptp, np.ptp, (3, 4)),
    Case(np.ptp, lambda x: np.ptp(x, axis=-1, keepdims=True), (3, 4)),
    Case(np.ptp, lambda x: np.ptp(x, (0, 2)), BLOCK),
    Case(np.ptp, lambda x: np.ptp(x, axis=0), F32),
    *_running(np.cumsum),
    *_running(np.cumprod),
    *_running(np.nancumsum),
    *_running(np.nancumprod),
    *_with_zeros(np.cumprod),
    Case(np.nancumsum, lambda x: np.nancumsum(x, axis=1), GAPS, name="nan"),
    Case(np.nancumprod, lambda x: np.nancumprod(x, axis=1), GAPS, name="nan"),
    Case(reductions.recur, reductions.recur, (3, 5), (3, 5)),
    Case(reductions.recur, reductions.recur, (8,), (8,)),
    Case(reductions.recur, reductions.recur, (1,), (1,)),
    Case(reductions.recur, reductions.recur, np.array([2.0, 0.0, -1.0, 0.5, 0.0]), (5,)),
    Case(reductions.recur, reductions.recur, C128, C128[::-1]),
]
for _name in ("cumulative_sum", "cumulative_prod"):  # new in NumPy 2.1
    if hasattr(np, _name):
        f = getattr(np, _name)
        CASES += [
            Case(f, f, (4,)),
            Case(f, f, ()),
            Case(f, lambda x, f=f: f(x, axis=-1), BLOCK),
            Case(f, lambda x, f=f: f(x, axis=1, include_initial=True), BLOCK, name="initial"),
            Case(f, lambda x, f=f: f(x, axis=0, include_initial=True), F32, name="initial"),
        ]
