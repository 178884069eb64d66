"""Cases of the table of shapes."""

import numpy as np
from case import Case
from cases_indexing import C128, F32, bent

from tapead.rules import shape

WINDOWS = np.lib.stride_tricks.sliding_window_view


def newer(name, call, *inputs, **options):
    """A case of a function that NumPy has only in newer versions."""
    function = getattr(np, name, None)
    return [bent(function, call, *inputs, **options)] if function else []


VIEWS = [
    bent(np.reshape, lambda x: np.reshape(x, (4, 3)), (3, 4)),
    bent(np.reshape, lambda x: np.reshape(x, (2, -1), order="F"), (3, 4), name="Fortran"),
    bent(np.reshape, lambda x: np.reshape(x.T, -1), F32, name="of a transpose"),
    bent(np.reshape, lambda x: np.reshape(x, (1, 1)), (), name="number"),
    bent(np.reshape, lambda x: x.reshape(0, 3), (3, 0)),
    bent(np.reshape, lambda x: x.reshape(6, 2)[::2], C128),
    bent(np.ravel, np.ravel, (2, 3)),
    bent(np.ravel, lambda x: np.ravel(x.T), (2, 3), name="transposed"),
    bent(np.ravel, lambda x: np.ravel(x, order="F"), F32, name="Fortran"),
    bent(np.ravel, lambda x: x[:, ::2].ravel(), C128, name="strided"),
    bent(np.transpose, np.transpose, (2, 3, 4)),
    bent(np.transpose, lambda x: np.transpose(x, (1, -1, 0)), (2, 3, 4)),
    bent(np.transpose, lambda x: x.transpose(1, 0).T * x, F32),
    *newer("permute_dims", lambda x: np.permute_dims(x, (1, 2, 0)), (2, 3, 4)),
    *newer("matrix_transpose", lambda x: np.matrix_transpose(x), (2, 3, 4)),
    bent(np.swapaxes, lambda x: np.swapaxes(x, 0, -1), (2, 3, 4)),
    bent(np.moveaxis, lambda x: np.moveaxis(x, [0, 1], [-1, 0]), (2, 3, 4)),
    bent(np.moveaxis, lambda x: np.moveaxis(x, 1, 0), C128),
    bent(np.rollaxis, lambda x: np.rollaxis(x, 2), (2, 3, 4)),
    bent(np.expand_dims, lambda x: np.expand_dims(x, (0, -1)), (2, 3)),
    bent(np.expand_dims, lambda x: np.expand_dims(x, 0), ()),
    bent(np.squeeze, np.squeeze, (1, 3, 1)),
    bent(np.squeeze, lambda x: np.squeeze(x, axis=-1), (1, 3, 1)),
    bent(np.squeeze, lambda x: x.squeeze(0), (1, 0)),
    bent(np.flip, np.flip, (2, 3)),
    bent(np.flip, lambda x: np.flip(x, axis=(0, -1)), (2, 3, 2)),
    bent(np.flip, lambda x: np.flip(x, 0) * x, C128),
    bent(np.fliplr, np.fliplr, (2, 3)),
    bent(np.flipud, np.flipud, F32),
    bent(np.rot90, np.rot90, (2, 3)),
    bent(np.rot90, lambda x: np.rot90(x, k=-1, axes=(2, 0)), (2, 3, 4)),
    bent(np.rot90, lambda x: np.rot90(x, 2), F32),
    bent(np.rot90, lambda x: np.rot90(x, 0), (2, 3)),
    bent(np.diagonal, np.diagonal, (3, 4)),
    bent(np.diagonal, lambda x: np.diagonal(x, -1, axis1=-1, axis2=0), (2, 3, 4)),
    bent(np.diagonal, lambda x: x.diagonal(5), F32, name="none"),
    bent(np.split, lambda x: np.split(x, 3), (6, 2)),
    bent(np.split, lambda x: np.split(x, [1, 1, 5], axis=-1), (2, 4)),
    bent(np.array_split, lambda x: np.array_split(x, 3), (7,)),
    bent(np.hsplit, lambda x: np.hsplit(x, 2), F32),
    bent(np.hsplit, lambda x: np.hsplit(x, 2), (4,)),
    bent(np.vsplit, lambda x: np.vsplit(x, 3), C128),
    bent(np.dsplit, lambda x: np.dsplit(x, [1]), (2, 2, 3)),
    *newer("unstack", lambda x: np.unstack(x), (3, 2)),
    *newer("unstack", lambda x: np.unstack(x, axis=-1), (3, 2)),
]


def meddled(function, options, call, x):
    """A call whose array of options is written into before the derivative is taken."""

    def run(x):
        given = np.array(options)
        result = call(x, given)
        given[...] = 0
        return result

    return bent(function, run, x, name="meddled")


REPEATED = [
    meddled(np.take, [0, 2], np.take, (3,)),
    meddled(np.take_along_axis, [0, 2], lambda x, i: np.take_along_axis(x, i, 0), (3,)),
    meddled(np.repeat, [0, 2, 1], np.repeat, (3,)),
    meddled(np.roll, [1, 2], lambda x, s: np.roll(x, s, (0, 1)), (3, 4)),
    meddled(np.tile, [2, 1], np.tile, (3,)),
    meddled(np.where, [True, False], lambda x, c: np.where(c, x, 0), (2,)),
    meddled(np.choose, [1, 0], lambda x, c: np.choose(c, x), (2, 2)),
    meddled(np.insert, [1, 0], lambda x, i: np.insert(x, i, 5), (2,)),
    meddled(np.delete, [1, 0], np.delete, (4,)),
    bent(np.roll, lambda x: np.roll(x, 2), (3, 4)),
    bent(np.roll, lambda x: np.roll(x, -1, axis=1), (3, 4)),
    bent(np.roll, lambda x: np.roll(x, (1, -2), axis=(0, -1)), F32),
    bent(np.roll, lambda x: np.roll(x, 1, axis=(0, 1)), C128),
    bent(np.roll, lambda x: np.roll(x, (1, 2)), (5,)),
    bent(np.roll, lambda x: np.roll(x, 7), (0,)),
    bent(np.roll, lambda x: np.roll(x.T, 1, 0), (2, 3), name="transposed"),
    bent(np.repeat, lambda x: np.repeat(x, 3), (2, 3)),
    bent(np.repeat, lambda x: np.repeat(x, 2, axis=-1), (2, 3)),
    bent(np.repeat, lambda x: np.repeat(x, [2, 0, 1], axis=0), F32),
    bent(np.repeat, lambda x: np.repeat(x, [3, 1], axis=1), (2, 2, 3)),
    bent(np.repeat, lambda x: np.repeat(x, [1, 2, 3, 0]), C128[:2, :2]),
    bent(np.repeat, lambda x: np.repeat(x, [2], axis=0), (3, 2)),
    bent(np.repeat, lambda x: np.repeat(x, 0), (3, 2)),
    bent(np.repeat, lambda x: np.repeat(x, 3), ()),
    bent(np.repeat, lambda x: x.repeat(2, 0), (0, 2)),
    bent(np.tile, lambda x: np.tile(x, 2), (2, 3)),
    bent(np.tile, lambda x: np.tile(x, (2, 1, 3)), (2, 3)),
    bent(np.tile, lambda x: np.tile(x, (2,)), F32),
    bent(np.tile, lambda x: np.tile(x, (1, 1)), C128),
    bent(np.tile, lambda x: np.tile(x, np.array([2, 2])), ()),
    bent(np.tile, lambda x: np.tile(x, ()), (3,)),
    bent(np.tile, lambda x: np.tile(x, (0, 2)), (3,)),
    bent(np.resize, lambda x: np.resize(x, (3, 3)), (2, 2)),
    bent(np.resize, lambda x: np.resize(x, 2), F32),
    bent(np.resize, lambda x: np.resize(x, (2, 2)), (0,)),
    *newer("astype", lambda x: np.astype(x, np.float64), F32),
    *newer("astype", lambda x: np.astype(x, np.complex128) * 1j, (3,)),
    *newer("astype", lambda x: np.astype(x, int) * x, (3,), order=1),
]

EDITED = [
    bent(np.insert, lambda x: np.insert(x, 1, 5.0), (2, 3)),
    bent(np.insert, lambda x, y: np.insert(x, [0, 2, 2], y), (3,), (3,)),
    bent(np.insert, lambda x, y: np.insert(x, 1, y, axis=1), (2, 3), (2,)),
    bent(np.insert, lambda x, y: np.insert(x, [1], y, axis=1), (2, 3), (2, 1)),
    bent(np.insert, lambda x, y: np.insert(x, [0, 3], y, axis=-1), (2, 3), ()),
    bent(np.insert, lambda x, y: np.insert(x, slice(0, 2), y, axis=0), F32, (4,)),
    bent(np.insert, lambda x, y: np.insert(x, -1, y), C128, (2,)),
    bent(np.delete, lambda x: np.delete(x, 1), (2, 3)),
    bent(np.delete, lambda x: np.delete(x, [0, -1], axis=1), F32),
    bent(np.delete, lambda x: np.delete(x, slice(None, None, 2), 0), C128),
    bent(np.delete, lambda x: np.delete(x, x > 0), (5,)),
    bent(np.trim_zeros, lambda x: np.trim_zeros(x * [0, 0, 1, 0, 1, 0]), (6,)),
    bent(np.trim_zeros, lambda x: np.trim_zeros(x * [0, 1, 0], "b"), (3,)),
    bent(np.trim_zeros, lambda x: np.trim_zeros(x * [0, 1, 0], "f"), (3,)),
    bent(np.trim_zeros, lambda x: np.trim_zeros(0 * x), (3,)),
]

DIAGONALS = [
    bent(np.tril, np.tril, (3, 4)),
    bent(np.tril, lambda x: np.tril(x, -1), (2, 3, 3)),
    bent(np.tril, lambda x: np.tril(x, 1), (3,), name="vector"),
    bent(np.triu, lambda x: np.triu(x, 1), F32),
    bent(np.triu, lambda x: np.triu(x, k=-1), C128),
    bent(np.triu, np.triu, (0, 0)),
    bent(np.diag, np.diag, (3,)),
    bent(np.diag, lambda x: np.diag(x, -2), F32[0]),
    bent(np.diag, np.diag, (3, 4)),
    bent(np.diag, lambda x: np.diag(x, k=1), C128),
    bent(shape._on_diagonal, lambda x: np.diag(x, 1), C128[1]),
    bent(np.diagflat, lambda x: np.diagflat(x, 1), (2, 2)),
    bent(np.diagflat, np.diagflat, ()),
    bent(np.trace, np.trace, (3, 4)),
    bent(np.trace, lambda x: np.trace(x, 1, axis1=-1, axis2=0), (2, 3, 4)),
    bent(np.trace, lambda x: x.trace(offset=-1), F32),
    bent(np.trace, lambda x: np.trace(x, dtype=np.float64), F32, name="wider"),
    bent(np.trace, np.trace, C128),
    bent(np.trace, np.trace, (0, 0)),
]

BROADCAST = [
    bent(np.broadcast_to, lambda x: np.broadcast_to(x, (2, 3)), (3,)),
    bent(np.broadcast_to, lambda x: np.broadcast_to(x, (2, 3, 4)), (3, 1)),
    bent(np.broadcast_to, lambda x: np.broadcast_to(x, 4), ()),
    bent(np.broadcast_to, lambda x: np.broadcast_to(x, (2, 3, 4)), F32),
    bent(np.broadcast_to, lambda x: np.broadcast_to(x, (0, 3)), (3,)),
    bent(shape._spread, lambda x: np.broadcast_to(x, (3, 3, 4)), C128),
    bent(np.broadcast_arrays, lambda x, y: np.broadcast_arrays(x, y, 1.5), (3, 1), (2,)),
    bent(np.broadcast_arrays, lambda x, y: np.broadcast_arrays(x, y), (), (2,)),
    bent(np.meshgrid, lambda x, y: np.meshgrid(x, y), (3,), (2,)),
    bent(np.meshgrid, lambda x, y: np.meshgrid(x, y, indexing="ij", sparse=True), (3,), (2,)),
    bent(np.meshgrid, lambda x, y: np.meshgrid(x, [0.0, 1.0], y, copy=False), F32[0], (2,)),
    bent(np.meshgrid, lambda x: np.meshgrid(x), (3,)),
    bent(np.ix_, lambda x: x[np.ix_([0, 2], np.argsort(x[0]))], (3, 4)),
    bent(np.atleast_1d, np.atleast_1d, ()),
    bent(np.atleast_1d, lambda x, y: np.atleast_1d(x, y), (), (2, 2)),
    bent(np.atleast_2d, np.atleast_2d, (3,)),
    bent(np.atleast_2d, lambda x, y, z: np.atleast_2d(x, y, z), (), F32, (1, 2, 3)),
    bent(np.atleast_3d, np.atleast_3d, (2, 3)),
    bent(np.atleast_3d, lambda x, y, z: np.atleast_3d(x, y, z), (), (3,), (1, 2, 1, 2)),
    bent(WINDOWS, lambda x: WINDOWS(x, 3), (5,)),
    bent(WINDOWS, lambda x: WINDOWS(x, (2, 2)), F32),
    bent(WINDOWS, lambda x: WINDOWS(x, 2, axis=-1).sum(-1), C128),
    bent(shape._windows, lambda x: WINDOWS(x, (2, 3), axis=(0, 0)), (5, 2)),
]

SLICEWISE = [
    bent(np.apply_along_axis, lambda x: np.apply_along_axis(np.sum, 0, x), (3, 4)),
    bent(np.apply_along_axis, lambda x: np.apply_along_axis(np.cumsum, 1, x), (2, 3, 2)),
    bent(np.apply_along_axis, lambda x: np.apply_along_axis(np.diag, -1, x), (2, 3)),
    bent(np.apply_along_axis, lambda x: np.apply_along_axis(lambda r: r * r, 0, x), (3,)),
    bent(np.apply_along_axis, lambda x: np.apply_along_axis(lambda r: r @ r, -1, x), F32),
    bent(
        np.apply_along_axis,
        lambda x, y: np.apply_along_axis(lambda r, s, k: s[:k] * r[0], 0, x, y, k=2),
        (3, 4),
        (3,),
        name="more arguments",
    ),
    bent(np.apply_over_axes, lambda x: np.apply_over_axes(np.sum, x, [0, -1]), (2, 3, 2)),
    bent(np.apply_over_axes, lambda x: np.apply_over_axes(np.mean, x, 1), F32),
    bent(
        np.apply_over_axes,
        lambda x: np.apply_over_axes(lambda a, axis: np.cumsum(a, axis), x, (0, 1)),
        (2, 3),
    ),
]

DECISIONS = [
    bent(np.shape, lambda x: x * np.shape(x)[0] * np.ndim(x) * np.size(x, 1), (2, 3)),
    bent(np.iscomplexobj, lambda x: x * np.iscomplexobj(x) + x * np.isrealobj(x), C128),
    bent(np.result_type, lambda x: x.astype(np.result_type(x, np.float32)), F32),
    bent(np.may_share_memory, lambda x: x * np.may_share_memory(x, x[1:]), (3,)),
    Case(np.can_cast, lambda x: x * np.can_cast(x.dtype, float), F32),
]

CASES = VIEWS + REPEATED + EDITED + DIAGONALS + BROADCAST + SLICEWISE + DECISIONS
