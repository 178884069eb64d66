"""Cases of the tables of norms, and of condition numbers."""

import numpy as np
from case import Case

_RNG = np.random.default_rng(5)


def crand(*shape):
    return _RNG.standard_normal(shape) + 1j * _RNG.standard_normal(shape)


def single(*shape):
    return _RNG.standard_normal(shape).astype(np.float32)


def _norm(*shapes, name="", **options):
    label = " ".join(f"{k}={x}" for k, x in options.items())
    return Case(
        np.linalg.norm, lambda x: np.linalg.norm(x, **options), *shapes, name=f"{label} {name}"
    )


ORDERS = (None, 2, 1, np.inf, -np.inf, 0, -1, -2, 3, 1.5, 0.5)
NORM = [
    _norm(()),
    _norm((4,)),
    _norm((3, 4)),
    _norm((2, 3, 2)),
    _norm((2, 3), keepdims=True),
    _norm(single(3)),
    _norm(crand(3)),
    _norm(crand(2, 3), axis=1),
    *(_norm((4,), ord=p) for p in ORDERS[1:]),
    *(_norm((3, 4), ord=p, axis=0) for p in ORDERS),
    *(_norm((2, 3, 2), ord=p, axis=-2, keepdims=True) for p in ORDERS),
    *(_norm(crand(2, 3), ord=p, axis=1) for p in ORDERS),
    *(_norm(single(2, 3), ord=p, axis=1) for p in (2, 1, 3)),
    *(_norm((3, 4), ord=p) for p in (2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")),
    *(
        _norm((2, 3, 4), ord=p, axis=axes)
        for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")
        for axes in ((0, 1), (2, 0))
    ),
    *(
        _norm(crand(2, 3, 3), ord=p, axis=(-2, -1), keepdims=True)
        for p in (2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")
    ),
    _norm(single(3, 3), ord="nuc"),
    *(
        Case(
            np.linalg.norm,
            lambda x, p=p: np.linalg.norm(x * np.array([0.0, 1.0, 1.0]), p, axis=1)[1:],
            (2, 3),
            name=f"ord={p} beside 0",
            order=1,
        )
        for p in (2, 1, 3, 1.5, np.inf)
    ),
    Case(np.linalg.norm, lambda x: np.linalg.norm(0 * x, axis=1), (2, 3), name="of zeros"),
    Case(np.linalg.norm, lambda x: np.linalg.norm(0 * x, "nuc"), (2, 3), name="of zeros"),
    Case(np.linalg.norm, lambda x: np.linalg.norm(0 * x, 2), (2, 3), name="of zeros"),
    Case(np.linalg.norm, lambda x: np.linalg.norm(0 * x, 3, 0), (2, 3), name="of zeros"),
    Case(np.linalg.norm, lambda x: np.linalg.norm(x, axis=1), (2, 0), name="of nothing"),
    Case(np.linalg.norm, lambda x: np.linalg.norm(x, 3, axis=1), (0, 2), name="no vectors"),
]


def _newer(name, *calls):
    f = getattr(np.linalg, name, None)
    return [] if f is None else [Case(f, *call) for call in calls]


NORM += [
    *_newer(
        "vector_norm",
        (lambda x: np.linalg.vector_norm(x), (3, 4)),
        (lambda x: np.linalg.vector_norm(x, keepdims=True), (3, 4)),
        (lambda x: np.linalg.vector_norm(x, axis=0, ord=3), (3, 4)),
        (lambda x: np.linalg.vector_norm(x, axis=(0, 2), ord=1), (2, 3, 4)),
        (lambda x: np.linalg.vector_norm(x, axis=(2, 0), keepdims=True), (2, 3, 4)),
        (lambda x: np.linalg.vector_norm(x, axis=-1, ord=np.inf), crand(2, 3)),
    ),
    *_newer(
        "matrix_norm",
        (lambda x: np.linalg.matrix_norm(x), (2, 3, 4)),
        (lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True), (2, 3, 4)),
        (lambda x: np.linalg.matrix_norm(x, ord=-2), (3, 4)),
    ),
    *(
        Case(np.linalg.cond, lambda x, p=p: np.linalg.cond(x, p), (3, 3), name=f"p={p}")
        for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")
    ),
    Case(np.linalg.cond, np.linalg.cond, (2, 4, 3)),
    Case(np.linalg.cond, lambda x: np.linalg.cond(x, "fro"), (2, 3, 3)),
    Case(np.linalg.cond, np.linalg.cond, crand(3, 3)),
]

CASES = NORM
