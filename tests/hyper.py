"""A second opinion on programs that write into arrays: forward mode on plain NumPy, exact.

A `Hyper` is four plain arrays of one layout: a value, its derivatives along two directions, and the
mixed second one.  A view of it is the same view of all four and a write goes into all four, so that
aliasing is NumPy's own; there is no tape, and nothing of tapead's.  `numpy_` and `math_` stand for
the modules in a program that is run on it (hyper-dual numbers: Fike and Alonso 2011).
"""

import math
import types

import numpy as np


class OutOfRangeError(Exception):
    """The program's numbers left the range in which rounding errors say nothing."""


LARGEST = 1e4


class Hyper:
    """A value, its tangents along two directions, and the tangent of the one along the other."""

    __hash__ = None
    __array_ufunc__ = None  # plain arrays leave operators to us

    def __init__(self, *parts):
        self.parts = parts
        for part in parts:
            assert layout(part) == layout(parts[0])
            if not np.all(np.abs(part) < LARGEST):  # nan too
                raise OutOfRangeError

    @property
    def value(self):
        return self.parts[0]

    @property
    def shape(self):
        return np.shape(self.value)

    @property
    def T(self):  # noqa: N802
        return each(np.transpose, self)

    @property
    def real(self):
        return each(np.real, self)

    @real.setter
    def real(self, x):
        write(lambda part, new: part.real.__setitem__(..., new), self, x)

    @property
    def imag(self):
        return each(np.imag, self)

    @imag.setter
    def imag(self, x):
        write(lambda part, new: part.imag.__setitem__(..., new), self, x)

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return iter([self[k] for k in range(len(self))])

    def __getitem__(self, index):
        return each(lambda part: part[plain(index)], self)

    def __setitem__(self, index, x):
        write(lambda part, new: part.__setitem__(plain(index), new), self, x)

    def __add__(self, other):
        return each(np.add, self, other)

    def __sub__(self, other):
        return each(np.subtract, self, other)

    def __rsub__(self, other):
        return each(np.subtract, other, self)

    def __neg__(self):
        return each(np.negative, self)

    def __abs__(self):
        return smooth(np.abs, np.sign, np.zeros_like, self)

    def __mul__(self, other):
        return bilinear(np.multiply, self, other)

    def __matmul__(self, other):
        return bilinear(np.matmul, self, other)

    def __truediv__(self, other):
        return divided(self, other)

    def __rtruediv__(self, other):
        return divided(other, self)

    def __pow__(self, n):
        return smooth(
            lambda a: a**n, lambda a: n * a ** (n - 1), lambda a: n * (n - 1) * a ** (n - 2), self
        )

    __radd__, __rmul__ = __add__, __mul__

    def __iadd__(self, other):
        return written_over(np.add, self, self + other, self, other)

    def __isub__(self, other):
        return written_over(np.subtract, self, self - other, self, other)

    def __imul__(self, other):
        return written_over(np.multiply, self, self * other, self, other)

    def __itruediv__(self, other):
        return written_over(np.true_divide, self, self / other, self, other)

    def __ipow__(self, n):
        return written_over(lambda a, out: a.__ipow__(n), self, self**n, self)

    def __gt__(self, other):
        return self.value > plain(other)

    def __lt__(self, other):
        return self.value < plain(other)

    def fill(self, x):
        write(np.ndarray.fill, self, x)

    def sort(self, axis=-1, kind=None):
        order = np.argsort(self.value, axis=axis, kind=kind)
        for part in self.parts:
            part[...] = np.take_along_axis(part, order, axis)

    def put(self, index, x):
        write(lambda part, new: part.put(index, new), self, x)


def layout(x):
    """How an array lies in memory; axes of length 1 say nothing."""
    return np.shape(x), [s for n, s in zip(np.shape(x), getattr(x, "strides", ())) if n > 1]


def _method(name):
    """A method that is linear: that of each part."""
    return lambda self, *args, **options: each(
        lambda part: getattr(part, name)(*args, **options), self
    )


for _name in ("copy", "reshape", "ravel", "flatten", "transpose", "swapaxes", "diagonal", "sum",
              "mean", "squeeze", "conj", "take", "view", "cumsum", "repeat", "trace"):  # fmt: skip
    setattr(Hyper, _name, _method(_name))


def plain(x):
    """The value; also of what a list or tuple holds."""
    if isinstance(x, Hyper):
        return x.value
    return type(x)(map(plain, x)) if isinstance(x, (list, tuple)) else x


def part_of(x, k):
    """The k-th part; a constant has derivative 0."""
    if isinstance(x, Hyper):
        return x.parts[k]
    if isinstance(x, (list, tuple)):
        return type(x)([part_of(y, k) for y in x])
    return x if k == 0 else np.zeros_like(x) if isinstance(x, np.ndarray) else 0.0


def each(f, *operands):
    """A function that is linear in all operands at once, such as a view."""
    parts = [f(*[part_of(x, k) for x in operands]) for k in range(4)]
    if isinstance(parts[0], (list, tuple)):
        return [Hyper(*pieces) for pieces in zip(*parts)]
    return Hyper(*parts)


def write(f, target, x):
    """f(part of the target, part of x) writes into each part."""
    for k, part in enumerate(target.parts):
        f(part, part_of(x, k))
    Hyper(*target.parts)  # a look at their size


def laid(value, *tangents):
    """Tangents in memory as the value is, so that what is a view of one is a view of all."""
    if not isinstance(value, np.ndarray):
        return Hyper(value, *[np.asarray(t, np.asarray(value).dtype)[()] for t in tangents])
    parts = [value]
    for tangent in tangents:
        part = np.empty_like(value)
        part[...] = tangent
        parts.append(part)
    return Hyper(*parts)


def bilinear(f, x, y):
    a, a1, a2, a3 = (part_of(x, k) for k in range(4))
    b, b1, b2, b3 = (part_of(y, k) for k in range(4))
    return laid(
        f(a, b),
        f(a1, b) + f(a, b1),
        f(a2, b) + f(a, b2),
        f(a3, b) + f(a, b3) + f(a1, b2) + f(a2, b1),
    )


def smooth(f, first, second, x):
    a, a1, a2, a3 = x.parts
    return laid(f(a), first(a) * a1, first(a) * a2, first(a) * a3 + second(a) * a1 * a2)


def divided(x, y):
    value = np.true_divide(plain(x), plain(y))
    if not isinstance(y, Hyper):
        y = Hyper(*(part_of(y, k) for k in range(4)))
    inverse = smooth(lambda b: 1 / b, lambda b: -1 / b**2, lambda b: 2 / b**3, y)
    return laid(value, *bilinear(np.multiply, x, inverse).parts[1:])


def written_over(f, target, new, *operands, **options):
    """f(..., out=target), whose result is `new`: its value by the same operation in place."""
    if not isinstance(target.value, np.ndarray):
        return new
    f(*map(plain, operands), out=target.value, **options)
    for part, tangent in zip(target.parts[1:], new.parts[1:]):
        np.copyto(part, tangent, where=options.get("where", True))
    return target


# ------------------------------------------------------------------- in the place of modules ---


def _dispatching(f, on_hyper):
    """NumPy's function, or what stands for it where an operand is ours."""

    def call(*args, **options):
        out = options.pop("out", None)
        if out is None and not any(map(_is_ours, (*args, *options.values()))):
            made = f(*args, **options)
            return each(lambda x: x, made) if isinstance(made, np.ndarray) else made
        if out is None:
            return on_hyper(*args, **options)
        new = on_hyper(*args, **{k: x for k, x in options.items() if k != "where"})
        return written_over(f, out, new, *args, **options)

    return call


def _is_ours(x):
    return isinstance(x, Hyper) or (isinstance(x, (list, tuple)) and any(map(_is_ours, x)))


def _linear(f):
    return lambda x, *args, **options: each(lambda part: f(part, *args, **options), x)


def _writing(f):
    """NumPy's function f(target, index or mask, values)."""
    return lambda a, index, x, *rest: write(lambda p, new: f(p, plain(index), new, *rest), a, x)


def _maximum(x, c):
    """x and a constant; a tie gives half."""
    share = lambda a: np.where(a > c, 1.0, np.where(a == c, 0.5, 0.0))  # noqa: E731
    return smooth(lambda a: np.maximum(a, c), share, np.zeros_like, x)


def _full(shape, x, **options):
    return each(lambda part: np.full(shape, part, **options), x)


def _like(f):
    return lambda a, *rest: each(lambda part: f(part, *rest), a)


def _constant(f):
    """A function of the shape alone."""
    return lambda a, *args: laid(f(a.value, *args), 0.0, 0.0, 0.0)


def _copyto(dst, src, where=True):
    write(lambda part, new: np.copyto(part, new, where=where), dst, src)


class _At:
    """np.add or np.subtract, which have the method ``at`` too."""

    def __init__(self, ufunc):
        self._call = _dispatching(ufunc, lambda x, y: each(ufunc, x, y))
        self.at = _writing(ufunc.at)

    def __call__(self, *args, **options):
        return self._call(*args, **options)


_LINEAR = (
    "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims", "flip",
    "diagonal", "broadcast_to", "atleast_1d", "atleast_2d", "atleast_3d", "rot90", "fliplr",
    "flipud", "diff", "matrix_transpose", "split", "concatenate", "stack", "array", "asarray",
    "copy", "sum", "mean", "cumsum", "roll", "diag", "tril", "repeat", "take", "asfortranarray",
    "real", "imag", "conj",
)  # fmt: skip
_FUNCTIONS = {
    **{f: _linear(getattr(np, f)) for f in _LINEAR},
    **{f: _writing(getattr(np, f)) for f in ("put", "place", "putmask", "put_along_axis")},
    "sin": lambda x: smooth(np.sin, np.cos, lambda a: -np.sin(a), x),
    "tanh": lambda x: smooth(
        np.tanh, lambda a: 1 - np.tanh(a) ** 2, lambda a: -2 * np.tanh(a) * (1 - np.tanh(a) ** 2), x
    ),
    "negative": lambda x: -x,
    "multiply": lambda x, y: bilinear(np.multiply, x, y),
    "true_divide": divided,
    "matmul": lambda x, y: bilinear(np.matmul, x, y),
    "dot": lambda x, y: bilinear(np.dot, x, y),
    "outer": lambda x, y: bilinear(np.outer, x, y),
    "einsum": lambda how, x, y: bilinear(lambda a, b: np.einsum(how, a, b), x, y),
    "maximum": _maximum,
    "where": lambda mask, x, y: each(lambda a, b: np.where(mask, a, b), x, y),
    "full": _full,
    "full_like": lambda a, x: each(lambda p: np.full_like(a.value, p), x),
    "zeros_like": _constant(np.zeros_like),
    "ones_like": _constant(np.ones_like),
    "empty_like": _constant(np.zeros_like),
    "copyto": _copyto,
    "fill_diagonal": lambda a, x: write(np.fill_diagonal, a, x),
    **dict.fromkeys(("zeros", "ones", "arange", "linspace", "eye")),
}
numpy_ = types.SimpleNamespace(
    **{f: _dispatching(getattr(np, f), on_hyper) for f, on_hyper in _FUNCTIONS.items()},
    add=_At(np.add),
    subtract=_At(np.subtract),
    empty=_dispatching(np.zeros, None),
    ix_=np.ix_,
    lib=types.SimpleNamespace(
        stride_tricks=types.SimpleNamespace(
            sliding_window_view=_linear(np.lib.stride_tricks.sliding_window_view)
        )
    ),
)
math_ = types.SimpleNamespace(
    sin=lambda x: (
        smooth(math.sin, math.cos, lambda a: -math.sin(a), x)
        if isinstance(x, Hyper)
        else math.sin(x)
    )
)
