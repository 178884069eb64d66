"""Cases of the tables of ufuncs, of their methods, and of elementwise functions.

VALUES holds what cases cannot: derivatives at kinks, ties and poles, where differences say nothing.
"""

import numpy as np
from case import Case

from tapead.rules import elementwise, ufunc_methods, ufuncs

NAN, INF = np.nan, np.inf
RNG = np.random.default_rng(11)


def between(low, high, *shape):
    """Numbers spread over an interval, in no order."""
    n = int(np.prod(shape))
    return RNG.permutation(low + (high - low) * (np.arange(n) + 0.5) / max(n, 1)).reshape(shape)


def complex_of(*shape):
    return RNG.uniform(-1.5, 1.5, shape) + 1j * RNG.uniform(-1.5, 1.5, shape)


ANY = between(-2.3, 2.1, 3, 4)
POSITIVE = between(0.2, 3.0, 3, 4)
UNIT = between(-0.9, 0.9, 3, 4)
ABOVE_ONE = between(1.1, 4.0, 3, 4)
WIDE = between(-7.6, 7.9, 3, 4)
C = complex_of(3, 4)
F32 = ANY.astype(np.float32)
C64 = C.astype(np.complex64)
MASK = np.arange(12).reshape(3, 4) % 5 != 2

# Each ufunc of one operand with where it is defined; whether it takes complex numbers.
ONE = {
    np.positive: (ANY, True), np.negative: (ANY, True), np.absolute: (ANY, True),
    np.fabs: (ANY, False), np.conjugate: (ANY, True), np.square: (ANY, True),
    np.sqrt: (POSITIVE, True), np.cbrt: (ANY, False), np.reciprocal: (ANY, True),
    np.exp: (ANY, True), np.exp2: (ANY, True), np.expm1: (ANY, True),
    np.log: (POSITIVE, True), np.log2: (POSITIVE, True), np.log10: (POSITIVE, True),
    np.log1p: (POSITIVE - 0.9, True), np.sin: (ANY, True), np.cos: (ANY, True),
    np.tan: (UNIT, True), np.arcsin: (UNIT, True), np.arccos: (UNIT, True),
    np.arctan: (WIDE, True), np.sinh: (ANY, True), np.cosh: (ANY, True), np.tanh: (ANY, True),
    np.arcsinh: (WIDE, True), np.arccosh: (ABOVE_ONE, True), np.arctanh: (UNIT, True),
    np.degrees: (ANY, False), np.rad2deg: (ANY, False), np.radians: (ANY, False),
    np.deg2rad: (ANY, False), np.sinc: (ANY, True), np.sign: (ANY, True),
    np.real: (ANY, True), np.imag: (ANY, True), np.angle: (ANY, True),
    np.nan_to_num: (ANY, True), np.real_if_close: (ANY, True),
}  # fmt: skip


def _one(f, domain, has_complex):
    yield Case(f, lambda x: f(x), domain)
    yield Case(f, lambda x: f(x.T[::-1]), domain, name="strided")
    yield Case(f, lambda x: f(x), domain[1, 2], name="0-d")
    yield Case(f, lambda x: f(x), np.zeros((0, 2)), name="empty")
    yield Case(f, lambda x: f(x), domain[0].astype(np.float32))
    if has_complex:
        yield Case(f, lambda x: f(x), C)
        yield Case(f, lambda x: f(x), C64[0], order=1)


TWO = {
    np.add: (ANY, True), np.subtract: (ANY, True), np.multiply: (ANY, True),
    np.divide: (ANY, True), np.arctan2: (ANY, False), np.hypot: (ANY, False),
    np.logaddexp: (ANY, False), np.logaddexp2: (ANY, False), np.maximum: (ANY, True),
    np.minimum: (ANY, True), np.fmax: (ANY, True), np.fmin: (ANY, True),
    np.copysign: (ANY, False), np.fmod: (WIDE, False), np.remainder: (WIDE, False),
    np.power: (POSITIVE, True), np.float_power: (POSITIVE, True),
}  # fmt: skip


def _two(f, domain, has_complex):
    other = between(0.55, 2.35, 3, 4)
    yield Case(f, lambda x, y: f(x, y), domain, other)
    yield Case(f, lambda x, y: f(y, x), domain[:, :1], other, name="swapped")
    yield Case(f, lambda x, y: f(x, y), domain[0], other[:, :1], name="both stretched")
    yield Case(f, lambda x, y: f(x, y), domain[1, 1], other[:2])
    yield Case(f, lambda x, y: f(x, y), domain[1, 1], other[2, 0], name="0-d")
    yield Case(f, lambda x, y: f(x, y), np.zeros((2, 0)), np.ones((1, 1)), name="empty")
    yield Case(f, lambda x, y: f(x.T, y[:, ::-1].T), domain, other, name="strided")
    yield Case(f, lambda x: f(x, 1.25), domain, name="constant")
    yield Case(f, lambda x: f(x, other), domain, name="constants")
    yield Case(f, lambda x: f(2.5, x), other, name="of a constant")
    yield Case(f, lambda x: f([3.1, 0.7, 2.2, 1.1], x), other, name="of constants")
    if f not in KINKED:
        yield Case(f, lambda x: f(x, x), other, name="twice the same")
    if has_complex:
        yield Case(f, lambda x, y: f(x, y), C, complex_of(4))
        yield Case(f, lambda x, y: f(x, y), C, other, name="mixed")
        yield Case(f, lambda x, y: f(x, y), domain, C[:, :1], name="mixed")


# What has no derivative, or nothing but one, where both operands are the same.
KINKED = {np.maximum, np.minimum, np.fmax, np.fmin, np.fmod, np.remainder, np.arctan2}

_EXPONENTS = (0, 1, 2, 3, 4, -1, 0.5, 1.5, 5, -2, -0.5, 2.7, 0.0, 2.0, np.float64(2), np.int64(3))
_WHOLE = (0, 1, 2, 3, 4, -1, 5, -2, 3.0)


def _powers():
    f = np.power
    for n in _EXPONENTS:
        yield Case(f, lambda x, n=n: x**n, POSITIVE, name=f"**{n!r}")
    for n in _WHOLE:
        yield Case(f, lambda x, n=n: np.power(x, n), ANY, name=f"negative {n!r}")
        yield Case(f, lambda x, n=n: x**n, C, name=f"**{n!r}")
    yield Case(f, lambda x: x**2.5, C, name="**2.5")
    yield Case(f, lambda x: x ** (0.5 - 1j), C, name="complex exponent")
    yield Case(f, lambda x: x ** (0.5 - 1j), -POSITIVE, name="complex exponent of negative")
    yield Case(f, lambda x: (-2.0) ** x, C, name="negative base of complex")
    yield Case(f, lambda x, y: x**y, -POSITIVE[0], C[0], name="negative bases")
    yield Case(f, lambda x: x ** np.array([2, 0, 1, 3]), ANY, name="whole exponents")
    yield Case(f, lambda x: x ** np.array([2.0, 0.0, -1.0, 3.0]), ANY, name="exponents")
    yield Case(f, lambda x: 2**x, ANY, name="2**x")
    yield Case(f, lambda x: np.array([1, 2, 3, 4]) ** x, ANY, name="whole bases")
    yield Case(f, lambda x, y: x**y, POSITIVE[0], np.array([0.0, 1.0, 2.0, -1.0]), name="tracked")
    f = np.float_power
    yield Case(f, lambda x: np.float_power(x, 3), ANY, name="3")
    yield Case(f, lambda x: np.float_power(x, np.array([2, 0, 1, 3])), ANY, name="exponents")
    yield Case(f, lambda x: np.float_power(x, 2.5), F32**2)


def _cuts():
    """Along a branch cut, on both of its sides: the imaginary part, or the real one, is a zero."""
    for zero in (0.0, -0.0):
        for f in (np.sqrt, np.log, np.log2, np.log10, lambda z: np.power(z, 0.3)):
            yield _on_cut(f, -POSITIVE[0], zero)
        for f in (np.arcsin, np.arccos, np.arctanh):
            yield _on_cut(f, ABOVE_ONE[0], zero)
            yield _on_cut(f, -ABOVE_ONE[0], zero)
        yield _on_cut(np.log1p, -ABOVE_ONE[0], zero)
        yield _on_cut(np.arccosh, -ABOVE_ONE[0], zero)
        yield _on_cut(np.arccosh, UNIT[0], zero)
        for f in (np.arcsinh, np.arctan):
            yield _on_cut(f, zero, ABOVE_ONE[0])
            yield _on_cut(f, zero, -ABOVE_ONE[0])


def _on_cut(f, real, imag):
    z = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), complex)
    z.real, z.imag = real, imag
    key = f if isinstance(f, np.ufunc) else np.power
    name = f"on the cut {real} {imag}"
    # z * t for real t > 0 keeps the signs of z's zeros: the point moves along the cut.
    return Case(key, lambda t: f(z * t), np.ones(z.shape), name=name.replace("\n", ""))


def _bounds():
    f = np.clip
    yield Case(f, lambda x: np.clip(x, -1.0, 1.0), ANY)
    yield Case(f, lambda x: np.clip(x, -1, 1), F32)
    yield Case(f, lambda x: x.clip(-1, 1), ANY, name="method")
    yield Case(f, lambda x: np.clip(x, 0, None), ANY, name="low only")
    yield Case(f, lambda x: np.clip(x, None, 0.5), F32, name="high only")
    yield Case(f, lambda x: np.clip(x, a_max=0.5, a_min=-0.5), ANY, name="by name")
    yield Case(f, lambda x, y, z: np.clip(x, y, z), ANY, UNIT[0] - 1, UNIT[:, :1] + 1)
    yield Case(f, lambda x, y, z: np.clip(x, y, z), ANY[1, 1], UNIT[0] - 1, UNIT[:, :1] + 1)
    yield Case(f, lambda x, y: np.clip(x, y, y - 0.5), ANY, UNIT, name="crossed")
    yield Case(f, lambda x: np.clip(x, np.full(4, -1.0), 1.0), ANY, name="arrays")
    yield Case(f, lambda x: np.clip(np.arange(4), x, 2), UNIT[0] + 1, name="whole")
    yield Case(f, lambda x: np.clip(np.arange(4), None, x), UNIT[0] + 1, name="whole, high only")
    yield Case(f, lambda x: np.clip(x, [0.0, 0.1, 0.2, 0.3], [1.0] * 4), ANY, name="lists")
    yield Case(f, lambda x: np.clip(x, -1, 1), np.zeros((0, 3)))
    yield Case(f, lambda x: np.clip(x, -1, 1), C)
    bounded = elementwise.bounded
    yield Case(bounded, lambda x, y, z: bounded(x, y, z), ANY, UNIT - 1, UNIT + 1)


def _holes():
    f = np.nan_to_num
    holes = np.where(np.arange(12).reshape(3, 4) % 5 == 1, NAN, ANY)
    holes[2] = [INF, -INF, 1.0, 2.0]
    yield Case(f, lambda x: np.nan_to_num(x * np.where(np.isnan(holes), NAN, 1.0)), ANY, name="nan")
    yield Case(
        f,
        lambda x: np.nan_to_num(x / (np.isfinite(holes) * 1.0), nan=1.0, posinf=2.0, neginf=-3.0),
        ANY,
        name="options",
    )
    parts = np.array([1.0, NAN, 1.0, complex(NAN, 2)])
    yield Case(f, lambda x: np.nan_to_num(x + parts), C, name="nan")
    finite = elementwise.finite
    yield Case(finite, lambda x: finite(x, 0.0, None, None), ANY)


def _parts():
    yield Case(np.angle, lambda z: np.angle(z, deg=True), C)
    yield Case(np.real, lambda z: z.real * z.imag, C, name="attributes")
    yield Case(np.real, lambda x: x.real + x.imag, ANY, name="attributes")
    yield Case(np.real_if_close, lambda x: np.real_if_close(x + 1e-15j), ANY, name="close")
    yield Case(np.real_if_close, lambda x: np.real_if_close(x + 1e-3j, tol=10), ANY, name="not")
    yield Case(np.absolute, lambda z: abs(z) ** 2, C, name="squared")
    yield Case(np.absolute, lambda x, y: np.abs(x + 1j * y), ANY, UNIT, name="of parts")
    yield Case(elementwise.real_part, lambda z: elementwise.real_part(z), C)
    yield Case(elementwise.imaginary_part, lambda z: elementwise.imaginary_part(z), C)
    if ufuncs._SIGN_IS_PHASE:
        yield Case(ufuncs.phase, lambda z: ufuncs.phase(z), C)


def _in_parts():
    yield Case(np.divmod, lambda x, y: np.divmod(x, y), WIDE, between(0.55, 2.35, 4))
    yield Case(np.divmod, lambda x: divmod(x, 0.75), WIDE, name="builtin")
    yield Case(np.modf, lambda x: np.modf(x), WIDE)
    yield Case(np.modf, lambda x: np.modf(x), F32[0, 0], name="0-d")
    yield Case(ufuncs.fraction, lambda x: ufuncs.fraction(x), WIDE)
    yield Case(np.frexp, lambda x: np.frexp(x), WIDE)
    yield Case(np.ldexp, lambda x: np.ldexp(x, np.array([1, -2, 0, 3])), ANY)
    yield Case(np.ldexp, lambda x: np.ldexp(x, 3), F32)
    yield Case(np.nextafter, lambda x: np.nextafter(x, INF), ANY)
    yield Case(np.heaviside, lambda x, y: np.heaviside(x, y), ANY, UNIT[0])
    yield Case(np.heaviside, lambda y: np.heaviside([0.0, 1.0, 0.0, -1.0], y), UNIT)


def _special():
    far = np.array([-40.0, -8.5, -3.0, 0.0, 1e-3, 2.0, 7.9, 29.0, 33.0])
    yield Case(np.i0, lambda x: np.i0(x) * np.exp(-np.abs(x)), far[[0, 1, 2, 4, 5, 6, 7, 8]])
    yield Case(np.i0, lambda x: np.i0(x), between(-2, 2, 2, 3))
    yield Case(np.i0, lambda x: np.i0(x), F32)
    yield Case(np.i0, lambda x: np.i0(x), np.zeros(3), name="0")
    near = np.array([0.0, 1e-9, -1e-4, 0.1, 0.3183, -0.32, 0.64, 1.0, -5.3])
    yield Case(np.sinc, lambda x: np.sinc(x), near, name="near 0")
    for n in (1, 2, 3):
        f = elementwise.sinc_slope
        yield Case(f, lambda x, n=n: elementwise.sinc_slope(x, n), near, name=f"{n}")
        f = elementwise.bessel_i
        yield Case(f, lambda x, n=n: elementwise.bessel_i(x, n), far[1:7], name=f"{n}")
    steps = np.cumsum(between(-4.0, 4.0, 3, 8), axis=1)
    f = np.unwrap
    yield Case(f, lambda x: np.unwrap(x), steps)
    yield Case(f, lambda x: np.unwrap(x, axis=0, period=2.5), steps)
    yield Case(f, lambda x: np.unwrap(x, 3.5, -1), steps[:, ::2])


def _level():
    """Where both operands are equal but only one is tracked; far out of and near the middle."""
    for f in (np.logaddexp, np.logaddexp2):
        yield Case(f, lambda x, f=f: f(x, POSITIVE), POSITIVE, name="level")
    sizes = 10.0 ** np.array([-170.0, -100.0, 0.0, 90.0])
    for f in (np.arctan2, np.hypot):
        yield Case(f, lambda x, f=f: f(x * sizes, 1.5 * sizes), ANY, name="sizes", order=1)


def _whole():
    """Piecewise constant functions beside something that has a derivative."""
    for f in (np.floor, np.ceil, np.trunc, np.rint, np.fix, np.round, np.sign, np.isfinite):
        yield Case(f, lambda x, f=f: x * f(x), ANY)
    yield Case(np.around, lambda x: x * np.round(x, 1), ANY)
    yield Case(np.floor_divide, lambda x: x * (x // 0.7), ANY)
    yield Case(np.greater, lambda x, y: x * (x > y) + np.logical_not(y < 0) * y, ANY, UNIT)
    yield Case(np.signbit, lambda x: np.where(np.signbit(x), -x, x * x), ANY)
    yield Case(np.isclose, lambda x: x * np.isclose(x, 1.0), ANY)


NEEDS_POSITIVE = {np.power, np.float_power}


def _methods():
    a3 = between(-2.0, 2.2, 2, 3, 4)
    for f in (np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp):
        for axis in (0, -1, (0, 2), None):
            yield Case(f, lambda x, f=f, axis=axis: f.reduce(x, axis=axis), a3, name=f"{axis}")
        yield Case(f, lambda x, f=f: f.reduce(x, 1, keepdims=True), F32, name="keepdims")
        yield Case(f, lambda x, f=f: f.reduce(x, initial=0.3), ANY, name="initial")
        yield Case(f, lambda x, f=f: f.reduce(x), ANY[:, 0], name="reduce to a number")
    for f in (np.subtract, np.divide, np.logaddexp2, np.hypot, np.copysign, np.fmod):
        yield Case(f, lambda x, f=f: f.reduce(x), ANY, name="reduce")
        yield Case(f, lambda x, f=f: f.reduce(x, axis=1, keepdims=True), F32, name="reduce")
        yield Case(f, lambda x, f=f: f.reduce(x, axis=-1, initial=0.7), ANY, name="initial")
    for f in (
        np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.logaddexp, np.subtract, np.divide,
    ):  # fmt: skip
        yield Case(f, lambda x, f=f: f.accumulate(x), a3, name="accumulate")
        yield Case(f, lambda x, f=f: f.accumulate(x, axis=-2), a3, name="accumulate")
        yield Case(f, lambda x, f=f: f.accumulate(x), F32[0], name="accumulate")
        yield Case(f, lambda x, f=f: f.accumulate(x, axis=1), np.zeros((2, 0)), name="accumulate")
    for f in (np.add, np.multiply, np.maximum, np.logaddexp):
        for indices in ([0, 2, 3], [1, 3], [3, 0, 2, 2, 1], [0], []):
            at = np.array(indices, int)
            name = f"reduceat {indices}"
            yield Case(f, lambda x, f=f, at=at: f.reduceat(x, at, axis=1), a3[0], name=name)
        yield Case(f, lambda x, f=f: f.reduceat(x, [0, 1]), F32, name="reduceat")
    for f in TWO:
        x = POSITIVE if f in NEEDS_POSITIVE else ANY
        yield Case(f, lambda x, y, f=f: f.outer(x, y), x, between(0.5, 2, 2), name="outer")
        yield Case(f, lambda x, f=f: f.outer(x, [1.0, 2.5]), x[0], name="outer")
    yield Case(np.multiply, lambda x: np.multiply.outer(2.0, x), ANY, name="outer")
    yield Case(np.multiply, lambda x: np.multiply.outer(x, 2.0), ANY, name="outer, number last")
    yield Case(np.greater, lambda x: x * np.greater.outer(x, x).sum(), ANY[0], name="outer")
    yield Case(np.logical_or, lambda x: x * np.logical_or.reduce(x), ANY, name="reduce")
    total, sums = ufunc_methods.log_total, ufunc_methods.segment_sums
    yield Case(total, lambda x: total(x, np.logaddexp2, (0, 1), True), a3)
    yield Case(sums, lambda x: sums(x, np.array([1, 2, 0]), 0, None), ANY)
    yield Case(np.add, lambda x: np.add.reduce(x, dtype=np.float64), F32, name="reduce, cast")
    yield Case(np.add, lambda x: np.add.reduce(x, where=MASK), UNIT, name="reduce, where")
    yield Case(np.logaddexp, lambda x: np.logaddexp.reduce(x, where=MASK), UNIT, name="where")


CASES = [
    *(case for f, row in ONE.items() for case in _one(f, *row)),
    *(case for f, row in TWO.items() for case in _two(f, *row)),
    *_powers(),
    *_cuts(),
    *_bounds(),
    *_holes(),
    *_parts(),
    *_in_parts(),
    *_special(),
    *_level(),
    *_whole(),
    *_methods(),
]

# A function of arrays, where, and its derivative by each operand there (that of its sum).
VALUES = [
    (np.absolute, ([-1.0, 0.0, -0.0, 2.0],), ([-1.0, 0.0, 0.0, 1.0],)),
    (np.absolute, ([3 + 4j, 0j],), ([0.6 - 0.8j, 0j],)),
    (np.fabs, ([-1.0, 0.0],), ([-1.0, 0.0],)),
    (np.sqrt, ([0.0, 4.0],), ([INF, 0.25],)),
    (np.cbrt, ([0.0],), ([INF],)),
    (np.log, ([0.0],), ([INF],)),
    (np.sinc, ([0.0, 1.0],), ([0.0, -1.0],)),
    (np.i0, ([0.0],), ([0.0],)),
    (np.maximum, ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]), ([0.0, 0.5, 1.0], [1.0, 0.5, 0.0])),
    (np.minimum, ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]), ([1.0, 0.5, 0.0], [0.0, 0.5, 1.0])),
    (np.maximum, ([NAN, 1.0, NAN], [1.0, NAN, NAN]), ([1.0, 0.0, 1.0], [0.0, 1.0, 0.0])),
    (np.minimum, ([NAN, 1.0, 1.0], [1.0, NAN, 1.0]), ([1.0, 0.0, 0.5], [0.0, 1.0, 0.5])),
    (np.fmax, ([NAN, 1.0, 1.0], [1.0, NAN, 1.0]), ([0.0, 1.0, 0.5], [1.0, 0.0, 0.5])),
    (np.fmin, ([NAN, 1.0, NAN], [1.0, NAN, NAN]), ([0.0, 1.0, 1.0], [1.0, 0.0, 0.0])),
    (lambda x: np.maximum(x, 0), ([-1.0, 0.0, 2.0],), ([0.0, 0.5, 1.0],)),
    (np.hypot, ([0.0, 3.0], [0.0, 4.0]), ([0.0, 0.6], [0.0, 0.8])),
    (np.logaddexp, ([-INF, -INF, 0.0, INF], [-INF, 0.0, -INF, INF]),
     ([0.5, 0.0, 1.0, 0.5], [0.5, 1.0, 0.0, 0.5])),
    (np.logaddexp, ([1000.0, -800.0], [0.0, 800.0]), ([1.0, 0.0], [0.0, 1.0])),
    (np.logaddexp.reduce, ([-INF, -INF],), ([0.5, 0.5],)),
    (np.logaddexp.reduce, ([-INF, 3.0],), ([0.0, 1.0],)),
    (lambda x: x**0, ([0.0, -1.0, 2.0],), ([0.0, 0.0, 0.0],)),
    (lambda x: x**0.0, ([0.0, -1.0, INF],), ([0.0, 0.0, 0.0],)),
    (lambda x: x**1, ([0.0, -1.0],), ([1.0, 1.0],)),
    (lambda x: x**2, ([0.0, -3.0],), ([0.0, -6.0],)),
    (lambda x: x**3, ([0.0, -2.0],), ([0.0, 12.0],)),
    (lambda x: x**5, ([0.0, -1.0],), ([0.0, 5.0],)),
    (lambda x: x**0.5, ([0.0, 4.0],), ([INF, 0.25],)),
    (lambda x: x ** np.array([0, 1, 2, 3]), ([0.0, 0.0, 0.0, 0.0],), ([0.0, 1.0, 0.0, 0.0],)),
    (lambda x: 0.0**x, ([2.0, 0.5],), ([0.0, 0.0],)),
    (np.power, ([0.0, 0.0, -2.0], [2.0, 1.0, 0.0]), ([0.0, 1.0, -0.0], [0.0, 0.0, NAN])),
    (np.heaviside, ([-1.0, 0.0, 1.0], [0.5, 0.5, 0.5]), ([0.0, 0.0, 0.0], [0.0, 1.0, 0.0])),
    (np.copysign, ([2.0, 0.0, -1.0], [-1.0, 1.0, -0.0]), ([-1.0, 0.0, 1.0], [0.0, 0.0, 0.0])),
    (lambda x: np.clip(x, -1.0, 1.0), ([-2.0, -1.0, 0.0, 1.0, 2.0],), ([0.0, 1.0, 1.0, 1.0, 0.0],)),
    (np.clip, ([0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]),
     ([0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0])),
    (np.clip, ([0.0, 5.0], [3.0, 3.0], [2.0, 2.0]), ([0.0, 0.0], [0.0, 0.0], [1.0, 1.0])),
    (np.clip, ([NAN], [0.0], [1.0]), ([1.0], [0.0], [0.0])),
    (np.nan_to_num, ([NAN, INF, 1.0],), ([0.0, 0.0, 1.0],)),
    (np.maximum.reduce, ([1.0, 3.0, 3.0],), ([0.0, 0.5, 0.5],)),
    (np.fmax.reduce, ([1.0, NAN, 3.0],), ([0.0, 0.0, 1.0],)),
    (np.maximum.accumulate, ([1.0, 1.0, 0.0, 2.0],), ([3.0, 0.0, 0.0, 1.0],)),
    (np.minimum.accumulate, ([1.0, NAN, 0.0, NAN],), ([1.0, 3.0, 0.0, 0.0],)),
    (np.floor, ([1.0, 1.5],), ([0.0, 0.0],)),
    (np.sign, ([0.0, -2.0],), ([0.0, 0.0],)),
    (np.angle, ([1.0, -1.0],), ([0.0, 0.0],)),
    # What is not used does not leak.
    (lambda x: np.where(x > 0, np.sqrt(x), 0.0), ([0.0, 4.0],), ([0.0, 0.25],)),
    (lambda x: np.where(x > 0, np.log(x) * x, 0.0), ([0.0, 1.0],), ([0.0, 1.0],)),
    (lambda x: 0.0 * np.sqrt(x), ([0.0],), ([0.0],)),
]  # fmt: skip
