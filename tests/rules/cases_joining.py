"""Cases of the table of joining."""

import numpy as np
from case import Case
from cases_indexing import C128, F32, bent

from tapead.rules import joining

F32_ROW = F32[1]
CODES = np.array([0, 2, 1, 2])

JOINED = [
    bent(np.concatenate, lambda x, y: np.concatenate((x, y)), (2, 3), (1, 3)),
    bent(
        np.concatenate, lambda x, y, z: np.concatenate([x, y, z], axis=-1), (2, 3), (2, 0), (2, 1)
    ),
    bent(np.concatenate, lambda x, y: np.concatenate([x, y], axis=None), (2, 3), ()),
    bent(np.concatenate, lambda x, y: np.concatenate([x, np.ones(2), y, x]), (3,), F32_ROW),
    bent(np.concatenate, lambda x, y: np.concatenate([x, y], 1), F32, C128),
    bent(np.concatenate, lambda x: np.concatenate([x, [1, 2]], dtype=np.float64), F32_ROW),
    bent(np.concatenate, lambda x: np.concatenate(x, axis=1), (2, 3, 4), name="one array"),
    bent(np.concatenate, lambda x: np.concatenate([x.T, x[::-1]]), (3, 3), name="views"),
    bent(joining._joined, lambda x: np.concatenate([x * k for k in range(40)], 1), (2, 3)),
    bent(np.concatenate, lambda x, y: np.concatenate([*x, y, 1.0], None), (33,), (2, 3)),
    bent(np.concatenate, lambda x: np.concatenate([*x, [1, 2]], -1), np.ones((20, 2), "f")),
    bent(joining._stacked, lambda x: np.stack([*x, 1.0, *x]), (17,)),
    bent(np.stack, lambda x: np.stack([*x, [1, 2]], axis=-1), np.ones((300, 2), "f")),
    bent(np.stack, lambda x, y: np.stack([x, y]), (2, 3), (2, 3)),
    bent(np.stack, lambda x, y: np.stack((x, y), axis=-1), (2, 3), (2, 3)),
    bent(np.stack, lambda x, y: np.stack([x, 1.0, y, x]), (), ()),
    bent(np.stack, lambda x: np.stack(x, axis=1), F32, name="one array"),
    bent(np.stack, lambda x, y: np.stack([x, y], 1), C128, (3, 4)),
    bent(np.stack, lambda x: np.stack([x, x], dtype=np.complex128), (0, 2)),
    bent(np.vstack, lambda x, y: np.vstack([x, y]), (3,), (2, 3)),
    bent(np.vstack, lambda x, y: np.vstack([x, y, 2.0]), (), ()),
    bent(np.vstack, lambda x: np.vstack(x), F32, name="one array"),
    bent(np.hstack, lambda x, y: np.hstack([x, y]), (2, 3), (2, 1)),
    bent(np.hstack, lambda x, y: np.hstack([x, y]), (3,), ()),
    bent(np.hstack, lambda x: np.hstack([x, x], dtype=np.float64), F32),
    bent(np.dstack, lambda x, y: np.dstack([x, y]), (3,), (3,)),
    bent(np.dstack, lambda x, y: np.dstack([x, y]), C128, (3, 4, 2)),
    bent(np.column_stack, lambda x, y: np.column_stack([x, y, [1, 2, 3]]), (3,), (3, 2)),
    bent(np.column_stack, lambda x, y: np.column_stack([x, y]), (), ()),
    bent(np.append, lambda x, y: np.append(x, y), (2, 3), (2,)),
    bent(np.append, lambda x: np.append(x, 3.0), F32),
    bent(np.append, lambda x, y: np.append(x, [y], axis=0), (2, 3), (3,)),
    bent(np.block, lambda x, y: np.block([[x, np.zeros((2, 1))], [y, 1.0]]), (2, 2), (1, 2)),
    bent(np.block, lambda x, y: np.block([x, y]), (3,), ()),
    bent(np.block, lambda x: np.block(x), F32),
    bent(np.block, lambda x: np.block([[[x, 2 * x]], [[x, x]]]), C128),
    bent(np.block, lambda x: np.block([[1.0, x], [x, 0.0]]), (), name="numbers"),
]


def padded(*args, **options):
    def call(x):
        return np.pad(x, *args, **options)

    return call


PADDED = [
    bent(joining._padded, padded(1), (3,)),
    bent(np.pad, padded(2), (2, 3)),
    bent(np.pad, padded((1, 2), constant_values=3.0), F32),
    bent(np.pad, padded(((0, 1), (2, 0)), constant_values=((1, 2), (3, 4))), C128),
    bent(np.pad, padded(1), (0, 2)),
    bent(np.pad, padded(0), ()),
    bent(
        np.pad,
        lambda x, y: np.pad(x, ((1, 2), (0, 1)), constant_values=y),
        (2, 3),
        (),
        name="tracked constant",
    ),
    bent(
        np.pad,
        lambda x, y: np.pad(x, 1, constant_values=y),
        (2, 3),
        (2, 2),
        name="tracked constants",
    ),
    bent(np.pad, lambda x: np.pad(x, 2, mode="empty")[2:-2, 2:-2], F32, name="empty"),
    *[
        bent(np.pad, padded(width, mode=mode), x, name=f"{mode} {width}")
        for mode in ("edge", "reflect", "symmetric", "wrap")
        for width, x in ((1, (2, 3)), (((0, 5), (7, 2)), F32), ((3, 0), C128[0]), (2, (1, 3)))
    ],
    *[
        bent(np.pad, padded(width, mode=mode, **options), x, name=f"{mode} {width} {options}")
        for mode in ("mean", "maximum", "minimum", "median")
        for width, options, x in (
            (2, {}, (3, 4)),
            (((0, 1), (2, 3)), {"stat_length": 2}, F32),
            ((1, 2), {"stat_length": ((2, 1), (9, 3))}, (3, 4)),
            ((1, 1), {"stat_length": (5, 3)}, (5,)),
        )
    ],
    bent(np.pad, padded(3, mode="linear_ramp"), (3, 4), name="ramp"),
    bent(np.pad, padded((1, 2), mode="linear_ramp", end_values=(5, -1.5)), F32, name="ramp"),
    bent(
        np.pad,
        padded(((0, 2), (3, 0)), mode="linear_ramp", end_values=((1, 2), (3, 4))),
        (2, 2),
        name="ramp",
    ),
    bent(np.pad, lambda x: np.pad(x, 2, "linear_ramp", end_values=x[0]), (3,), name="to x[0]"),
]

CHOICES = [
    bent(np.choose, lambda x, y: np.choose(CODES, [x, y, 2.0]), (4,), ()),
    bent(np.choose, lambda x: np.choose(CODES, x), (3, 1), name="one array"),
    bent(np.choose, lambda x, y: np.choose(CODES - 1, (x, y), mode="wrap"), (2, 4), (4,)),
    bent(np.choose, lambda x, y: np.choose(CODES, (x, y), mode="clip"), F32, F32_ROW),
    bent(np.choose, lambda x: np.choose([[0], [0]], [x]), (3,)),
    Case(np.choose, lambda x: np.choose(1, [x[0], x[1] * x[2]]), (3,), name="numbers"),
    bent(np.select, lambda x: np.select([x < 0, x < 1], [x * x, -x]), (3, 4)),
    bent(np.select, lambda x, y: np.select([x < 0, x > 1], [1, x], default=y), F32, (4,)),
    bent(np.select, lambda x, y: np.select([x < 0, x > 1], [1.5, y], 2), F32_ROW, ()),
    bent(np.select, lambda x: np.select([CODES > 1], [x], 1j), C128),
    bent(
        np.piecewise,
        lambda x: np.piecewise(x, [x < -0.5, x > 0.5], [lambda t: t * t, np.sin, 3.0]),
        (3, 4),
    ),
    bent(np.piecewise, lambda x: np.piecewise(x, [x > 0], [lambda t: 1 / t]), F32),
    bent(
        np.piecewise,
        lambda x, y: np.piecewise(x, [x > -9, x > 0], [y[0], lambda t, k: t * k * y[1]], 3.0),
        (4,),
        (2,),
        name="overlapping, tracked",
    ),
    bent(np.piecewise, lambda x: np.piecewise(x, [x > 9], [np.sin, lambda t: t[0]]), (3,)),
    bent(np.piecewise, lambda x: np.piecewise(x, [x < 0, x >= 0], [-1.0, np.exp]), ()),
    bent(np.piecewise, lambda z: np.piecewise(z, [z.real > 0], [np.exp]), C128 / 4),
]

CASES = JOINED + PADDED + CHOICES
