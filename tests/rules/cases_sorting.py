"""Cases of the table of sorting and counting."""

import numpy as np
from case import Case

from tapead.rules import sorting

F32 = np.array([[3.0, -1.5, 0.25, 7.0], [2.0, 2.5, -8.0, 1.0], [0.5, 0.75, 4.0, -2.0]], np.float32)
C128 = F32.astype(float) + 1j * F32[::-1]
GROUPS = np.array([2, 0, 2, 3, 0])
DATA = np.array([0.15, 2.7, 1.3, 0.9, 2.1, -4.0, 9.0])
EDGES = np.array([0.0, 1.0, 1.5, 3.0])
TWICE = np.array([3.0, 1.0, 3.0, 0.5])


def _spread(x):
    """Numbers that are further apart than any step of differences."""
    return 0.1 * x + np.arange(x.size).reshape(x.shape)[..., ::-1]


CASES = [
    Case(np.sort, np.sort, (6,)),
    Case(np.sort, np.sort, (3, 4)),
    Case(np.sort, lambda x: np.sort(x, axis=0), (3, 4), name="axis=0"),
    Case(np.sort, lambda x: np.sort(x, 1, "stable"), (2, 3, 4), name="axis=1, kind"),
    Case(np.sort, lambda x: np.sort(x, axis=None), (3, 4), name="axis=None"),
    Case(np.sort, lambda x: np.sort(x.T[::-1]), (3, 4), name="strided"),
    Case(np.sort, lambda x: np.sort(x, axis=-2, kind="heapsort"), F32),
    Case(np.sort, np.sort, C128),
    Case(np.sort, np.sort, (0,)),
    Case(np.sort, lambda x: np.sort(x, axis=0), (0, 3), name="empty"),
    Case(np.sort, lambda x: np.sort(x[[0, 1, 0, 2, 1]]), (3,), name="ties"),
    Case(np.partition, lambda x: np.partition(x, 2), (6,)),
    Case(np.partition, lambda x: np.partition(x, (1, -1), axis=0), (5, 3), name="two"),
    Case(np.partition, lambda x: np.partition(x, 3, axis=None), (3, 4), name="axis=None"),
    Case(np.partition, lambda x: np.partition(x, 20), (100,), name="many"),
    Case(np.partition, lambda x: np.partition(x, 1, axis=-2), F32),
    Case(np.partition, lambda x: np.partition(x, 1), C128),
    Case(np.partition, lambda x: np.partition(x[[0, 1, 0, 2, 1]], 2), (3,), name="ties"),
    Case(np.sort_complex, np.sort_complex, (5,)),
    Case(np.sort_complex, np.sort_complex, F32),
    Case(np.unique, np.unique, (3, 4)),
    Case(np.unique, np.unique, F32),
    Case(np.unique, np.unique, C128),
    Case(np.unique, np.unique, (0,)),
    Case(np.unique, lambda x: np.unique(x[[0, 1, 0, 2, 1]]), (3,), name="twice"),
    Case(
        np.unique,
        lambda x: np.unique(x[[0, 1, 0, 2, 1]], return_index=True, return_counts=True),
        (3,),
        name="places and counts",
    ),
    Case(np.unique, lambda x: np.unique(x, return_inverse=True), (2, 3), name="inverse"),
    Case(np.unique, lambda x: np.unique(x[[0, 1, 0, 2, 1]], axis=0), (3, 2), name="rows"),
    Case(np.unique, lambda x: np.unique(x[:, [0, 1, 0]], True, axis=-1), (3, 2), name="columns"),
    Case(np.bincount, lambda w: np.bincount(GROUPS, w), (5,)),
    Case(np.bincount, lambda w: np.bincount(GROUPS, weights=w, minlength=7), (5,), name="longer"),
    Case(np.bincount, lambda w: np.bincount(GROUPS, w), F32.ravel()[:5]),
    Case(np.histogram, lambda w: np.histogram(DATA, EDGES, weights=w)[0], (7,)),
    Case(np.histogram, lambda w: np.histogram(DATA, 4, weights=w)[0], (7,), name="even"),
    Case(
        np.histogram,
        lambda w: np.histogram(DATA, 4, (0, 2.7), weights=w, density=True)[0],
        np.linspace(1, 2, 7),
        name="density",
    ),
    Case(
        np.histogram,
        lambda x, w: np.histogram(_spread(x), 3, weights=w, density=True),
        (5,),
        np.linspace(1, 2, 5),
        name="data and weights",
    ),
    Case(
        np.histogram,
        lambda x, e: np.histogram(_spread(x), np.sort(e), density=True),
        (5,),
        np.array([-1.3, 1.4, 2.6, 9.5]),
        name="edges",
    ),
    Case(np.histogram, lambda x: np.histogram(_spread(x), "sturges"), (5,), name="automatic"),
    Case(np.histogram, lambda x: np.histogram(_spread(x), 3), (2, 3), name="counts and edges"),
    Case(np.histogram, lambda w: np.histogram(DATA, EDGES, weights=w)[0], C128.ravel()[:7]),
    Case(np.histogram_bin_edges, lambda x: np.histogram_bin_edges(x, 4), (3, 2)),
    Case(np.histogram_bin_edges, lambda x: np.histogram_bin_edges(x, 4), F32),
    Case(np.histogram_bin_edges, lambda x: np.histogram_bin_edges(x, 2), (1,)),
    Case(np.histogram_bin_edges, lambda x: np.histogram_bin_edges(x, 1), (4,), name="one"),
    Case(np.histogram_bin_edges, lambda x: np.histogram_bin_edges(EDGES, np.sort(x)), (3,)),
    # The primitives that these are made of.
    Case(sorting.distinct, lambda x: sorting.distinct(x), TWICE[[0, 1, 3]]),
    Case(sorting.summed, lambda w: sorting.summed(w, x=GROUPS), (5,)),
    Case(sorting.histogram_sums, lambda w: sorting.histogram_sums(w, DATA, EDGES), (7,)),
    Case(sorting.edges_between, lambda x: np.histogram_bin_edges(x, 5), (4,)),
]
if np.lib.NumpyVersion(np.__version__) >= "2.3.0":
    CASES.append(Case(np.unique, lambda x: np.unique(x, sorted=False), (40,), name="unsorted"))
