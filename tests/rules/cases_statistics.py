"""Cases of the table of statistics."""

import numpy as np
from case import Case

from tapead.rules import statistics

F32 = np.array([[3.0, -1.5, 0.25, 7.0], [2.0, 2.5, -8.0, 1.0], [0.5, 0.75, 4.0, -2.0]], np.float32)
C128 = F32.astype(float) + 1j * F32[::-1]
GAPS = np.array([[1.5, np.nan, -2.0, 0.5], [np.nan, 3.0, 0.3, np.nan], [0.7, 1.1, 0.9, 2.0]])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, True, False]])
WEIGHTS = np.array([0.5, 1.5, 2.0, 0.25])
BLOCK = (2, 3, 4)
QUANTILES = np.array([[0.0, 0.3], [0.5, 1.0]])
METHODS = (
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
)


def _dispersed(f):
    cases = [
        Case(f, f, BLOCK),
        Case(f, lambda x: f(x, axis=0), BLOCK, name="axis=0"),
        Case(f, lambda x: f(x, -2), BLOCK, name="axis=-2"),
        Case(f, lambda x: f(x, axis=(0, -1), ddof=1), BLOCK, name="two axes, ddof"),
        Case(f, lambda x: f(x, axis=(2, 0), keepdims=True), BLOCK, name="two axes kept"),
        Case(f, lambda x: f(x.T[::-1], axis=1), BLOCK, name="strided"),
        Case(f, lambda x: f(x, axis=1), F32),
        Case(f, lambda x: f(x, axis=1, dtype=float), F32, name="dtype"),
        Case(f, lambda x: f(x, axis=0), C128),
        Case(f, lambda x: f(x, ddof=2), C128, name="ddof"),
        Case(f, lambda x: f(x, axis=1, where=MASK), (3, 4), name="where"),
        Case(f, lambda x: f(x, where=MASK, ddof=1), C128, name="where"),
        Case(f, lambda x: f(x, axis=1), (0, 3), name="no results"),
    ]
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        return cases
    return [
        *cases,
        Case(f, lambda x: f(x, axis=1, correction=1), (3, 4), name="correction"),
        Case(
            f,
            lambda x: f(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)),
            (3, 4),
            name="its mean",
        ),
        Case(f, lambda x, m: f(x, axis=0, mean=m), (3, 4), (1, 4), name="a mean"),
        Case(f, lambda x, m: f(x, mean=m, ddof=1), C128, np.array([[0.5 - 1j]]), name="a mean"),
    ]


def _quantiles(f, scale, probabilities=(0.47,)):
    """np.quantile and its kin; probabilities are given times `scale`."""
    several = scale * (QUANTILES if statistics._MATRICES else QUANTILES.ravel())
    return [
        Case(f, lambda x: f(x, 0.3 * scale), (7,)),
        Case(f, lambda x: f(x, 0.5 * scale, axis=1), BLOCK, name="axis=1"),
        Case(f, lambda x: f(x, 0.2 * scale, axis=(0, -1), keepdims=True), BLOCK, name="two kept"),
        Case(f, lambda x: f(x, several, axis=-2), BLOCK, name="several"),
        Case(f, lambda x: f(x, several, keepdims=True), BLOCK, name="several, kept"),
        Case(f, lambda x: f(x, [0.1 * scale, 1 * scale], (2, 1)), BLOCK, name="list"),
        Case(f, lambda x: f(x, 0.4 * scale, axis=1), F32),
        Case(f, lambda x: f(x, 0.9 * scale), np.array([2.0]), name="one"),
        Case(f, lambda x: f(x, 0.4 * scale), ()),
        Case(f, lambda x: f(x, 0.4 * scale, overwrite_input=True), (5,), name="overwriting"),
        Case(f, lambda x: f(x.T[::-1], 0.35 * scale, axis=1), BLOCK, name="strided"),
        *[
            Case(f, lambda x, m=m, q=q: f(x, q * scale, axis=0, method=m), (6, 2), name=f"{m}, {q}")
            for m in METHODS
            for q in probabilities
        ],
        Case(f, lambda x: f(x, 0.6 * scale, axis=1, method="lower"), F32, name="lower"),
    ]


CASES = [
    *_dispersed(np.var),
    *_dispersed(np.std),
    *_dispersed(np.nanvar),
    *_dispersed(np.nanstd),
    *[
        Case(
            f,
            lambda x, f=f, axis=axis, d=d: f(x, axis=axis, ddof=d),
            GAPS,
            name=f"nan, axis={axis}",
        )
        for f in (np.nanvar, np.nanstd)
        for axis, d in ((None, 1), (0, 0), (1, 0))
    ],
    Case(np.nanvar, lambda x: np.nanvar(x, axis=0, where=MASK), GAPS, name="nan, where"),
    Case(np.var, lambda x: x.var(axis=1), (3, 4), name="method"),
    Case(statistics.dispersion, lambda x: np.var(x), (5,)),
    Case(np.average, np.average, (3, 4)),
    Case(np.average, lambda x: np.average(x, axis=1, keepdims=True), (3, 4), name="axis kept"),
    Case(np.average, lambda x: np.average(x, axis=(0, 2), returned=True), BLOCK, name="returned"),
    Case(np.average, lambda x: np.average(x, axis=1, weights=WEIGHTS), (3, 4), name="plain"),
    Case(np.average, lambda x, w: np.average(x, weights=w), (3, 4), np.ones((3, 4)) + MASK),
    Case(np.average, lambda x, w: np.average(x, -1, w), (3, 4), WEIGHTS, name="weights"),
    Case(np.average, lambda x, w: np.average(x, 0, w, True), (4, 3), WEIGHTS, name="returned"),
    Case(np.average, lambda w: np.average(np.arange(4), weights=w), WEIGHTS, name="of plain ones"),
    Case(np.average, lambda x: np.average(x, axis=1, weights=WEIGHTS), F32),
    Case(np.average, lambda x: np.average(x, axis=0, weights=[1, 2, 3]), C128),
    Case(np.median, np.median, (7,)),
    Case(np.median, np.median, (3, 4)),
    Case(np.median, lambda x: np.median(x, axis=0), (4, 3), name="axis=0"),
    Case(np.median, lambda x: np.median(x, axis=(0, -1), keepdims=True), BLOCK, name="two kept"),
    Case(np.median, lambda x: np.median(x, -1, None, True), (3, 5), name="by position"),
    Case(np.median, lambda x: np.median(x, axis=1), F32),
    Case(np.median, np.median, ()),
    Case(np.median, lambda x: np.median(x, axis=1), (0, 3), name="no results"),
    Case(np.median, lambda x: np.median(x[[0, 1, 0, 2, 1, 0]]), (3,), name="ties"),
    *[
        Case(np.nanmedian, lambda x, axis=axis: np.nanmedian(x, axis=axis), GAPS)
        for axis in (None, 0, 1, (0, 1))
    ],
    Case(np.nanmedian, lambda x: np.nanmedian(x, axis=1, keepdims=True), (3, 4)),
    Case(np.nanmedian, lambda x: np.nanmedian(x, axis=1), F32),
    *_quantiles(np.quantile, 1, (0.0, 0.2, 0.47, 0.5, 0.6, 1.0)),
    *_quantiles(np.percentile, 100),
    *_quantiles(np.nanquantile, 1),
    *_quantiles(np.nanpercentile, 100),
    *[
        Case(f, lambda x, f=f, s=s, axis=axis: f(x, s * QUANTILES[0], axis=axis), GAPS)
        for f, s in ((np.nanquantile, 1), (np.nanpercentile, 100))
        for axis in (None, 0, 1)
    ],
    Case(statistics.quantile, lambda x: np.median(x), (6,)),
    Case(np.cov, np.cov, (3, 5)),
    Case(np.cov, np.cov, (5,)),
    Case(np.cov, lambda x: np.cov(x, bias=True), (3, 5), name="bias"),
    Case(np.cov, lambda x: np.cov(x, rowvar=False, ddof=0), (5, 3), name="columns"),
    Case(np.cov, lambda x: np.cov(x.T[::-1]), (5, 3), name="strided"),
    Case(np.cov, lambda x, y: np.cov(x, y), (5,), (5,)),
    Case(np.cov, lambda x, y: np.cov(x, y, rowvar=False), (5, 3), (5, 2), name="columns"),
    Case(np.cov, lambda x: np.cov(x, fweights=[1, 2, 1, 3]), (2, 4), name="fweights"),
    Case(np.cov, lambda x, w: np.cov(x, aweights=w), (2, 4), WEIGHTS, name="aweights"),
    Case(
        np.cov,
        lambda x, w: np.cov(x, fweights=[1, 2, 1, 3], aweights=w, ddof=1),
        (2, 4),
        WEIGHTS,
        name="both weights",
    ),
    Case(np.cov, np.cov, F32),
    Case(np.cov, lambda x: np.cov(x, dtype=complex), (3, 4), name="dtype"),
    Case(np.cov, np.cov, C128),
    Case(np.corrcoef, np.corrcoef, (3, 5)),
    Case(np.corrcoef, lambda x, y: np.corrcoef(x, y), (5,), (5,)),
    Case(np.corrcoef, lambda x: np.corrcoef(x, rowvar=False), (5, 2), name="columns"),
    Case(np.corrcoef, np.corrcoef, F32),
    Case(np.corrcoef, np.corrcoef, C128),
]
if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
    CASES += [
        Case(statistics.dispersion_about, lambda x, m: np.var(x, mean=m), (4,), (1,)),
    ]
