"""Cases of the tables of products and of einsum."""

import numpy as np
from case import Case

from tapead.rules import einsum

_RNG = np.random.default_rng(11)


def crand(*shape):
    return _RNG.standard_normal(shape) + 1j * _RNG.standard_normal(shape)


def single(*shape):
    return _RNG.standard_normal(shape).astype(np.float32)


WHOLE = np.arange(12).reshape(3, 4) % 5 - 2
FIXED = _RNG.standard_normal((4, 3))
WILD = np.array([[1.0, np.inf, 2.0], [0.5, np.nan, -1.0]])

DOT = [
    Case(np.dot, np.dot, (), (), name="two numbers"),
    Case(np.dot, np.dot, (), (3, 2), name="number and matrix"),
    Case(np.dot, np.dot, (3, 2), (), name="matrix and number"),
    Case(np.dot, np.dot, (4,), (4,)),
    Case(np.dot, np.dot, (3, 4), (4,)),
    Case(np.dot, np.dot, (3,), (3, 2)),
    Case(np.dot, np.dot, (3, 4), (4, 2)),
    Case(np.dot, np.dot, (2, 3, 4), (4,)),
    Case(np.dot, np.dot, (2, 3, 4), (4, 2)),
    Case(np.dot, np.dot, (4,), (2, 4, 3)),
    Case(np.dot, np.dot, (3, 4), (2, 4, 2)),
    Case(np.dot, np.dot, (2, 1, 4), (3, 4, 2)),
    Case(np.dot, np.dot, (0,), (0,), name="nothing"),
    Case(np.dot, np.dot, (3, 0), (0, 2), name="sums of nothing"),
    Case(np.dot, np.dot, (0, 3), (3, 2), name="no rows"),
    Case(np.dot, np.dot, crand(3, 2), crand(2, 4)),
    Case(np.dot, np.dot, crand(3), (3,), name="complex and real"),
    Case(np.dot, np.dot, single(3, 2), single(2, 4)),
    Case(np.dot, np.dot, single(3, 2), (2, 4), name="single and double"),
    Case(np.dot, lambda x: np.dot(x, x), (3, 3), name="with itself"),
    Case(np.dot, lambda x: np.dot(x.T[::2], x[:, 1:]), (4, 4), name="views"),
    Case(np.dot, lambda x: np.dot(x, FIXED), (2, 4), name="a constant"),
    Case(np.dot, lambda x: x.dot(x.T), (2, 4), name="method"),
    Case(np.dot, lambda x: np.dot(WHOLE, x), (4,), name="whole numbers"),
    Case(np.dot, lambda x: np.dot(x, WILD)[:, [0, 2]], (3, 2), name="nan not used"),
]

MATMUL = [
    Case(np.matmul, np.matmul, (4,), (4,)),
    Case(np.matmul, np.matmul, (3, 4), (4,)),
    Case(np.matmul, np.matmul, (3,), (3, 2)),
    Case(np.matmul, np.matmul, (3, 4), (4, 2)),
    Case(np.matmul, np.matmul, (2, 3, 4), (4,)),
    Case(np.matmul, np.matmul, (3,), (2, 3, 4)),
    Case(np.matmul, np.matmul, (3,), (2, 2, 3, 4)),
    Case(np.matmul, np.matmul, (2, 3, 4), (4, 2)),
    Case(np.matmul, np.matmul, (3, 4), (2, 4, 2)),
    Case(np.matmul, np.matmul, (2, 3, 4), (2, 4, 2)),
    Case(np.matmul, np.matmul, (2, 1, 2, 3), (3, 3, 2), name="stacks stretched"),
    Case(np.matmul, np.matmul, (1, 2, 3), (4, 3, 2), name="one stretched"),
    Case(np.matmul, np.matmul, (0, 2, 3), (3, 2), name="empty stack"),
    Case(np.matmul, np.matmul, (2, 0), (0, 3), name="sums of nothing"),
    Case(np.matmul, np.matmul, crand(2, 3), crand(3, 2)),
    Case(np.matmul, np.matmul, crand(2, 3, 2), (2,), name="complex and real"),
    Case(np.matmul, np.matmul, single(3, 4), single(4)),
    Case(np.matmul, np.matmul, single(2, 3, 4), single(4, 2)),
    Case(np.matmul, lambda x: x @ x.T @ x, (3, 3), name="operator"),
    Case(np.matmul, lambda x: x[::2].T @ x[::2], (5, 3), name="views"),
    Case(np.matmul, lambda x: FIXED @ x, (3,), name="a constant"),
    Case(np.matmul, lambda x: (x @ WILD)[:, ::2], (3, 2), name="nan not used"),
]


def _newer(name, shapes, strange=()):
    """Cases of a generalized ufunc that NumPy 1 does not have."""
    f = getattr(np, name, None)
    if f is None:
        return []
    cases = [Case(f, f, *pair) for pair in shapes]
    return cases + [Case(f, call, *pair, name=label) for label, call, pair in strange]


GUFUNCS = [
    *_newer(
        "vecdot",
        [
            ((4,), (4,)),
            ((3, 4), (3, 4)),
            ((2, 1, 4), (3, 4)),
            ((4,), (3, 4)),
            (crand(3, 4), crand(4)),
            (crand(2), crand(2)),
            ((2, 3), crand(2, 3)),
            (single(3, 4), single(4)),
            ((0, 3), (3,)),
        ],
        [
            ("axis", lambda x, y: np.vecdot(x, y, axis=0), ((4, 3), (4, 1))),
            ("complex axis", lambda x, y: np.vecdot(x, y, axis=-2), (crand(4, 2), crand(4, 1))),
        ],
    ),
    *_newer(
        "matvec",
        [
            ((3, 4), (4,)),
            ((2, 3, 4), (4,)),
            ((3, 4), (2, 4)),
            ((2, 1, 3, 4), (3, 4)),
            (crand(2, 3, 4), crand(4)),
            (single(3, 4), single(2, 4)),
        ],
    ),
    *_newer(
        "vecmat",
        [
            ((3,), (3, 4)),
            ((2, 3), (3, 4)),
            ((3,), (2, 3, 4)),
            ((2, 1, 3), (3, 3, 4)),
            (crand(2, 3), crand(3, 4)),
            (crand(3), (2, 3, 4)),
            (single(2, 3), single(3, 4)),
        ],
    ),
]

OTHERS = [
    Case(np.vdot, np.vdot, (4,), (4,)),
    Case(np.vdot, np.vdot, (2, 3), (2, 3)),
    Case(np.vdot, np.vdot, (2, 3), (3, 2), name="shapes differ"),
    Case(np.vdot, np.vdot, (), ()),
    Case(np.vdot, np.vdot, crand(2, 3), crand(2, 3)),
    Case(np.vdot, np.vdot, (3,), crand(3), name="real and complex"),
    Case(np.vdot, np.vdot, single(4), single(4)),
    Case(np.inner, np.inner, (), (3,)),
    Case(np.inner, np.inner, (2, 3), ()),
    Case(np.inner, np.inner, (4,), (4,)),
    Case(np.inner, np.inner, (2, 4), (4,)),
    Case(np.inner, np.inner, (4,), (3, 4)),
    Case(np.inner, np.inner, (2, 4), (3, 4)),
    Case(np.inner, np.inner, (2, 2, 4), (3, 1, 4)),
    Case(np.inner, np.inner, (4,), (3, 2, 4)),
    Case(np.inner, np.inner, crand(2, 3), crand(4, 3)),
    Case(np.inner, np.inner, single(2, 3), single(4, 3)),
    Case(np.outer, np.outer, (3,), (4,)),
    Case(np.outer, np.outer, (2, 2), (3, 1)),
    Case(np.outer, np.outer, (), (3,)),
    Case(np.outer, np.outer, (0,), (3,)),
    Case(np.outer, np.outer, crand(3), crand(2)),
    Case(np.outer, np.outer, single(3), single(2)),
    Case(np.outer, lambda x: np.outer(x, [1.0, np.inf])[:, 0], (3,), name="infinity not used"),
    Case(np.kron, np.kron, (3,), (2,)),
    Case(np.kron, np.kron, (2, 3), (3, 2)),
    Case(np.kron, np.kron, (2, 3), (4,)),
    Case(np.kron, np.kron, (3,), (2, 2, 2)),
    Case(np.kron, np.kron, (), (2, 2)),
    Case(np.kron, np.kron, (2, 2), ()),
    Case(np.kron, np.kron, (0, 2), (2, 1)),
    Case(np.kron, np.kron, crand(2, 2), crand(2, 1)),
    Case(np.kron, np.kron, single(2, 2), single(2, 1)),
]

TENSORDOT = [
    Case(np.tensordot, np.tensordot, (2, 3, 4), (3, 4, 2)),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, 1), (2, 3), (3, 4), name="axes=1"),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, 0), (2, 3), (2,), name="axes=0"),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, 0), (), (2,), name="number"),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, (0, 1)), (3, 2), (4, 3), name="(0, 1)"),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, (0, 0)), (3, 2), (3, 4), name="(0, 0)"),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, (1, 1)), (2, 3), (4, 3), name="(1, 1)"),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, (-1, 0)), (2, 3), (3,), name="vector"),
    Case(
        np.tensordot,
        lambda a, b: np.tensordot(a, b, axes=([2, 0], [0, 1])),
        (2, 3, 4),
        (4, 2, 3),
        name="lists",
    ),
    Case(
        np.tensordot,
        lambda a, b: np.tensordot(a, b, axes=((0, 2), (1, -1))),
        (3, 2, 4),
        (2, 3, 2, 4),
        name="far apart",
    ),
    Case(
        np.tensordot,
        lambda a, b: np.tensordot(a, b, axes=([1, 0], [0, 1])),
        (2, 3),
        (3, 2),
        name="all",
    ),
    Case(
        np.tensordot,
        lambda a, b: np.tensordot(a, b, axes=([2, 0, 1], [0, 1, 2])),
        (2, 3, 4),
        (4, 2, 3),
        name="all of three",
    ),
    Case(
        np.tensordot,
        lambda a, b: np.tensordot(a, b, axes=([2, 0], [1, 0])),
        (2, 3, 4),
        (2, 4),
        name="all of one",
    ),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, 1), crand(2, 3), crand(3, 2)),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, 1), single(2, 3), single(3, 2)),
    Case(np.tensordot, lambda a, b: np.tensordot(a, b, 1), (2, 0), (0, 3), name="empty"),
]

CROSS = [
    Case(np.cross, np.cross, (3,), (3,)),
    Case(np.cross, np.cross, (4, 3), (4, 3)),
    Case(np.cross, np.cross, (3,), (4, 3)),
    Case(np.cross, np.cross, (2, 1, 3), (4, 3)),
    Case(np.cross, np.cross, (2,), (2,)),
    Case(np.cross, np.cross, (3, 2), (2,)),
    Case(np.cross, np.cross, (3,), (2,)),
    Case(np.cross, np.cross, (2,), (4, 3)),
    Case(np.cross, np.cross, (4, 3), (4, 2)),
    Case(np.cross, lambda a, b: np.cross(a, b, axis=0), (3, 4), (3, 4), name="axis"),
    Case(np.cross, lambda a, b: np.cross(a, b, axisa=0), (3, 4), (4, 3), name="axisa"),
    Case(np.cross, lambda a, b: np.cross(a, b, 1, 0, 0), (4, 3), (3, 4), name="each axis"),
    Case(np.cross, lambda a, b: np.cross(a, b, axisb=0, axisc=1), (3,), (3, 4, 2), name="axisc"),
    Case(np.cross, lambda a, b: np.cross(a, b, axisa=0, axisb=0), (2, 4), (2, 4), name="plane"),
    Case(np.cross, np.cross, crand(3), crand(2, 3)),
    Case(np.cross, np.cross, crand(2, 2), crand(2)),
    Case(np.cross, np.cross, single(3), single(2, 3)),
    Case(np.cross, np.cross, (0, 3), (3,)),
]


def _einsum(subscripts, *shapes, name="", **options):
    return Case(
        np.einsum,
        lambda *x: np.einsum(subscripts, *x, **options),
        *shapes,
        name=f"{subscripts} {name}",
    )


EINSUM = [
    _einsum("ij,jk->ik", (2, 3), (3, 4)),
    _einsum("ij,jk", (2, 3), (3, 4)),
    _einsum("ba,cb", (2, 3), (4, 2)),
    _einsum("ij,jk->ki", (2, 3), (3, 4), optimize=True),
    _einsum("ijk,mik->mij", (2, 3, 4), (2, 2, 4)),
    _einsum("ijk,mik->mij", (20, 21, 22), (19, 20, 22), name="large"),
    _einsum("ij,kj,kl->il", (2, 3), (4, 3), (4, 2)),
    _einsum("ij,kj,kl->il", (24, 25), (26, 25), (26, 23), name="large", optimize=True),
    _einsum("ij,jk,kl,lm->im", (5, 12), (12, 13), (13, 11), (11, 6), name="chain", optimize=True),
    _einsum("i,i->", (4,), (4,)),
    _einsum("i,i", (4,), (4,)),
    _einsum("i,j->ij", (3,), (2,)),
    _einsum("i,j->ji", (130,), (120,), name="large"),
    _einsum("ij,ij->ij", (3, 2), (3, 2)),
    _einsum("ij,ij->j", (130, 120), (130, 120), name="large"),
    _einsum("ij,ji->", (130, 120), (120, 130), name="large"),
    _einsum("ij->", (3, 2)),
    _einsum("ij->j", (3, 2)),
    _einsum("ij->ji", (3, 2)),
    _einsum("ji", (3, 2)),
    _einsum("ii", (3, 3)),
    _einsum("ii->i", (3, 3)),
    _einsum("iij->j", (3, 3, 2)),
    _einsum("iijj->ij", (2, 2, 3, 3)),
    _einsum("iii->i", (3, 3, 3)),
    _einsum("ij,ii->j", (3, 2), (3, 3)),
    _einsum("ii,ij,jj->", (3, 3), (3, 3), (3, 3)),
    _einsum("i,ij,j->", (3,), (3, 4), (4,)),
    _einsum("i,ij,j->", (100,), (100, 110), (110,), name="large"),
    _einsum("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
    _einsum("...ij,...jk", (2, 2, 3), (3, 2)),
    _einsum("i...,i...->...", (3, 2), (3, 2)),
    _einsum("...i->...", (2, 3, 4)),
    _einsum("i...", (2, 3)),
    _einsum("...ii->...i", (2, 3, 3)),
    _einsum("k...,jk", (3, 2), (4, 3)),
    _einsum("...,...", (), (2, 3)),
    _einsum(",ij", (), (2, 3)),
    _einsum("ij,jk->ik", (2, 1), (3, 4), name="stretched"),
    _einsum("ij,ij->i", (2, 3), (2, 1), name="stretched"),
    _einsum("i,i->i", (1,), (3,), name="stretched"),
    _einsum("ij,jk->ik", (120, 1), (30, 110), name="large, stretched"),
    _einsum("ij,kl->ik", (3, 2), (4, 5), name="lone labels"),
    _einsum("ij,kl->ik", (30, 20), (40, 50), name="large, lone labels"),
    _einsum("bij,bjk->bik", (40, 8, 6), (40, 6, 9), name="large stack"),
    _einsum("bij,jk->bik", (40, 8, 6), (6, 9), name="large stack, one matrix"),
    _einsum("aab,bc->ca", (20, 20, 15), (15, 16), name="large, repeated"),
    _einsum("ij,jk->ik", (0, 3), (3, 2), name="empty"),
    _einsum("ij,jk->ik", (2, 0), (0, 2), name="sums of nothing"),
    _einsum("ij,jk->ik", crand(2, 3), crand(3, 2)),
    _einsum("ij,jk->ik", crand(2, 3), (3, 2), name="complex and real"),
    _einsum("ij,jk->ik", single(2, 3), single(3, 2)),
    _einsum("ij,jk->ik", single(2, 3), single(3, 2), name="dtype", dtype=np.float64),
    _einsum("ij,jk->ik", (2, 3), (3, 2), name="order", order="F"),
    _einsum(" i j , j k -> i k ", (2, 3), (3, 4)),
    Case(np.einsum, lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), (2, 3), (3, 4)),
    Case(np.einsum, lambda x, y: np.einsum(x, [5, 30], y, [30, 4]), (2, 3), (3, 4)),
    Case(np.einsum, lambda x: np.einsum(x, [..., 1, 1], [..., 1]), (2, 3, 3)),
    Case(np.einsum, lambda x: np.einsum(x, [0, 0]), (3, 3)),
    Case(np.einsum, lambda x: np.einsum("ij,jk,ik->", x, x.T, x @ FIXED), (3, 4)),
    Case(np.einsum, lambda x: np.einsum("ij,jk->ik", x, WILD)[:, ::2], (3, 2), name="nan"),
    Case(np.einsum, lambda x: np.einsum("i,ij->j", [x[0], 2.0], x[1:, None]), (3,), name="list"),
]

CHAINS = [
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), (2, 3), (3, 4)),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), (2, 3), (3, 4), (4, 5)),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), (5, 4), (4, 3), (3, 2)),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), (3, 3), (3, 3), (3, 3)),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(list(x)), (4,), (4, 3), (3, 5)),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), (2, 4), (4, 3), (3,)),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), (4,), (4, 3), (3, 2), (2,)),
    Case(
        np.linalg.multi_dot,
        lambda *x: np.linalg.multi_dot(x),
        *((3, 6), (6, 2), (2, 5), (5, 2), (2, 4)),
    ),
    Case(np.linalg.multi_dot, lambda *x: np.linalg.multi_dot(x), crand(2, 3), crand(3, 2)),
    *(
        Case(np.linalg.matrix_power, lambda x, n=n: np.linalg.matrix_power(x, n), (3, 3), name=n)
        for n in (1, 2, 3, 4, 5, 10, -1, -3)
    ),
    Case(
        np.linalg.matrix_power,
        lambda x: np.linalg.matrix_power(x, 0) + x,
        (3, 3),
        name=0,
    ),
    Case(np.linalg.matrix_power, lambda x: np.linalg.matrix_power(x, 3), (2, 3, 3), name="stack"),
    Case(np.linalg.matrix_power, lambda x: np.linalg.matrix_power(x, -2), crand(3, 3)),
]


def _of_linalg(name, *calls):
    f = getattr(np.linalg, name, None)
    return [] if f is None else [Case(f, *call) for call in calls]


NUMPY_2 = [
    *_of_linalg("outer", (lambda x, y: np.linalg.outer(x, y), (3,), (2,))),
    *_of_linalg(
        "cross",
        (lambda x, y: np.linalg.cross(x, y), (4, 3), (3,)),
        (lambda x, y: np.linalg.cross(x, y, axis=0), (3, 2), (3, 2)),
    ),
    *_of_linalg("matmul", (lambda x, y: np.linalg.matmul(x, y), (2, 3, 2), (2, 3))),
    *_of_linalg("tensordot", (lambda x, y: np.linalg.tensordot(x, y, axes=1), (2, 3), (3, 2))),
    *_of_linalg(
        "vecdot",
        (lambda x, y: np.linalg.vecdot(x, y), (2, 3), (3,)),
        (lambda x, y: np.linalg.vecdot(x, y, axis=0), crand(3, 2), crand(3, 1)),
    ),
    *_of_linalg(
        "trace",
        (lambda x: np.linalg.trace(x), (2, 3, 4)),
        (lambda x: np.linalg.trace(x, offset=1), (3, 3)),
        (lambda x: np.linalg.trace(x, dtype=float), single(3, 3)),
    ),
    *_of_linalg(
        "diagonal",
        (lambda x: np.linalg.diagonal(x), (2, 3, 4)),
        (lambda x: np.linalg.diagonal(x, offset=-1), (3, 3)),
    ),
    *_of_linalg("matrix_transpose", (lambda x: np.linalg.matrix_transpose(x), (2, 3, 4))),
]


def _sum_of_many(count):
    return lambda *x: np.einsum(",".join(["ij"] * count) + "->i", *x)


PRIMITIVES = [
    *(
        Case(rule.function, _sum_of_many(count), *[(2, 2)] * count, name=f"of {count}")
        for count, rule in enumerate(einsum.RULES, 1)
    ),
    Case(einsum.view, lambda x: np.einsum("ii->i", x), (3, 3)),
    Case(einsum.view, lambda x: np.einsum("ijk->kij", x), (2, 3, 4)),
]

CASES = [
    *DOT, *MATMUL, *GUFUNCS, *OTHERS, *TENSORDOT, *CROSS, *EINSUM, *CHAINS, *NUMPY_2, *PRIMITIVES,
]  # fmt: skip
