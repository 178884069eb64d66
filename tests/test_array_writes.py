"""Writes into arrays as people write them: through views, over themselves, in place, nested."""

import importlib.util
from pathlib import Path

import numpy as np

_spec = importlib.util.spec_from_file_location("checks", Path(__file__).with_name("checks.py"))
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

A, X = checks.A, checks.X
assert_right = checks.assert_right
everything_is_as_it_was = checks.everything_is_as_it_was
W = np.arange(9.0).reshape(3, 3) - 2.5


# ------------------------------------------------------------------------------- one by one ---


def programs(text, name, last):
    """The programs of a text, each under its title, as functions; they end with `last`."""
    found = {}
    for part in text.strip().removeprefix("# ").split("\n# "):
        title, _, body = part.partition("\n")
        lines = [*body.splitlines(), last]
        source = "\n    ".join([f"def f({name}):", *lines])
        scope = {"np": np, "W": W}
        exec(compile(source, f"<{title}>", "exec"), scope)
        found[title] = scope["f"]
    return found


VECTORS = """
# one into all
x[...] = x[0]
# one into some
x[1:] = x[0] * x[2]
# a number into all
y = x * x; x[:] = 2.0; x += y
# row into vector
y = np.zeros(3); y[:] = x[None, :] * 2; x = y
# array of many axes into vector
x[...] = (x * x).reshape(1, 1, 3)
# array of many axes by indices
x[[2, 0, 1]] = (x * x).reshape(1, 3)
# copyto of many axes
y = x * x; np.copyto(x, y.reshape(1, 3))
# shifted to the right
x[1:] = x[:-1]
# shifted to the left
x[:-1] = x[1:]
# reversed
x[:] = x[::-1]
# overlapping sum
x[1:] += x[:-1]
# overlapping product
x[1:] *= x[:-1]
# overlapping quotient
x[:-1] /= x[1:]
# divided by one of its elements
x /= x[1]
# divided by its first, a view
x /= x[:1]
# less itself
x -= x; x += 1.0
# plus itself
x += x
# power of itself
x **= x
# out is an operand
np.add(x[1:], x[:-1], out=x[1:]); np.exp(x, out=x)
# out of a sum
np.cumsum(x, out=x); np.multiply(x, x, x)
# where
np.multiply(x, x, out=x, where=[True, False, True])
# swapped elements
x[0], x[1] = x[1], x[0]
# swapped by indices
x[[0, 2]] = x[[2, 0]]
# sorted
x *= np.array([3.0, -2.0, 0.9]); x.sort(); x[::-1].sort()
# partitioned
x[:] = -x; x.partition(1)
# repeated indices, the last stays
y = np.zeros(2); y[[0, 0, 1]] = x; x = y[0] * y[1] * x
# repeated indices of a sum
y = x * x; x[[0, 0, 2]] += y
# repeated indices of a product
x[[1, 1]] *= 3.0; x[[2, 2, 1]] *= x[[0, 0, 1]]
# repeated indices in a read
y = x[[0, 0, 1, 1, 1]]; return np.sum(y * y * np.arange(5.0))
# repeated indices add up
np.add.at(x, [0, 0, 1], x * x)
# repeated indices subtract
np.subtract.at(x, [2, 2], x[:2])
# negative and positive index of one
x[[0, -3]] = x[1:]
# indices without dimensions
k = np.array(1); x[k] = x[0] ** 2; x[np.array(2)] += x[k] * np.take(x, 0); k[...] = 0
# elements by indices without dimensions
return x[np.array(1)] * x[0] + np.take(x, 2) ** 2 + x.take(0) ** 3
# a loop that writes ahead
for k, v in enumerate(x):
    x[(k + 1) % 3] += v
# an iterator sees what is written
i = iter(x); a = next(i); x[1] = a * a; x[2] = x[2] * next(i); x[0] = next(i)
# map and zip see what is written
m = map(lambda v: v * v, x); z = zip(x, x[1:]); x[0] = 3.0; x[1] *= x[2]; x = x * sum(m)
x = x + sum(a * b for a, b in z)
# mask
x[x > 1.0] *= x[0]; x[x < 1.0] = x[1] * x[2]
# mask with values
x[np.array([True, False, True])] = x[1:] ** 2
# mask without elements
x[x > 99.0] = x[0]
# empty read after it is written
y = np.empty(3); y[0] = x[1]; y[1:] = x[0]; x *= y
# empty_like
y = np.empty_like(x); y[...] = x; y *= x; x = y
# nothing of empty is used
y = np.where([True] * 3, x, np.empty(3)); x = y * x
# empty times nothing
y = np.empty((0, 3)); y[:] = x; x = x + y.sum(axis=0)
# array without dimensions
s = np.zeros(()); s[()] = x[0]; s += x[1]; s[...] *= x[2]; t = s.copy(); s[...] = 0.0
x = x * t + s
# view without dimensions
s = x[1, ...]; s[...] = x[0] * x[2]; s *= s
# reshaped to no dimensions
s = x[:1].reshape(()); s *= 2.0; s[()] = s * x[1]
# complex, by its parts
z = x + 1j * np.arange(3.0); z.real[0] = 2.0 * x[1]; z.imag[1] = x[0]; z.real *= x
return np.sum(np.abs(z * z))
# complex, its parts assigned
z = x * (1 + 2j); z.real = x * x; z.imag = 0.5; z.imag += x; return np.sum(np.abs(z**3))
# complex, from zeros
z = np.zeros(3, complex); z[0] = x[0]; z.real[1] = x[1]; z.imag[1:] = x[:2]
return np.sum(np.abs(z * z)) + z.real[1] * z.imag[2]
# complex, elements of the parts
z = x * (1 + 2j); z = z * z; return z.real[1] * z.imag[2] + np.imag(z)[0]
# complex, written after its parts were taken
z = x.astype(complex); r, i = z.real, z.imag; z *= 2j; return np.sum(i * x) + r[1]
# complex, part of a function
z = np.exp(1j * x); np.real(z)[0] = 0.0; return np.abs(np.sum(z))
# real part of real
y = x.real; y[0] = x[1] * 2.0
# view of all
y = x.view(); y[2] = x[0] ** 2
# ravel
x.ravel()[1] = x[0] ** 2; x.flatten()[:] = 0.0
# flat
x.flat[0] = x[1]; x.flat = x * x
# held in a list, filled later
held = [np.zeros(3) for _ in range(2)]; before = sum(a.sum() for a in held); held[0][0] = x[0]
held[1][:] = x * held[0]; x = held[0] * x + held[1] + before
# zeros, used and filled later
c = np.zeros(3); y = x + c; c[:] = x * x; x = y * c
# views of zeros, taken before
c = np.zeros((2, 3)); v, w, z = c[1], c.T, c.reshape(-1); c[1, 0] = x[0]; v[1] = x[1]
z[5] = x[2]; x = w @ [1.0, 2.0] * v
# rows of zeros, taken before
c = np.zeros((2, 3)); a, b = c; b[:] = x; x = x * c[1]
# broadcast into rows
y = np.zeros((2, 3)); y[...] = x[0]; y[:, 1] = x[1:]; y[0] = x; y[..., 0] = x[2] * x[1]
x = y.sum(axis=0) * y[1]
# columns
y = np.zeros((3, 3)); y[:] = x[:, None]; y += x; y *= x[:, None]; x = y @ x
# float32
y = np.zeros(3, np.float32); y[0] = 2.0; z = y.astype(float); z[1] = x[1]; x *= z
# chain
a = b = x; b += 1.0; a = a * b; b *= a; x = a + b
"""

MATRICES = """
# plus its transpose
A += A.T
# times its transpose
A *= A.T
# less its transpose
A -= A.T; A /= 3.0; A += 1.0; A **= 2
# less its first row
A -= A[0]
# divided by its first row
A /= A[0]
# divided by its row sums
A /= A.sum(axis=1, keepdims=True)
# rows less rows
A[0] -= A[0]; A[1:] -= A[:2]
# product with itself
A @= A
# out of a product with itself
np.matmul(A, A, out=A); np.add(A, A.T, out=A)
# out is a row of an operand
np.multiply(A[0], A[1], out=A[2]); np.dot(A, A[0], out=A[1])
# swapped rows
A[[0, 1]] = A[[1, 0]]
# swapped columns
A[:, [0, 2]] = A[:, [2, 0]]
# swapped rows, copies
A[0], A[1] = A[1].copy(), A[0].copy()
# swapped rows, the famous mistake
A[0], A[1] = A[1], A[0]
# transpose, first row
A.T[0] = A[2]; A.T[1:] *= 2.0
# views of views
v = A[1:][:, ::-1].T[0]; v[...] = A[0, :2] * 3.0; v[::-1] *= v
# every fourth
w = A.reshape(-1)[::4]; w *= A[0, 1]; w[1:][:1] = w[0]
# reshape that is a view
A.reshape(9, 1)[3:5] = A[:2, :1] ** 2
# reshape that copies
r = A.T.reshape(-1); r[0] = 5.0 * A[1, 1]; r *= 2.0; A = A + r.reshape(3, 3)
# ravel of a transpose copies
r = A.T.ravel(); r[:] = 0.0; A *= 2.0
# swapaxes
v = np.swapaxes(A, 0, 1); v[0] = 1.0; np.moveaxis(A, 0, 1)[2] *= A[1]
# squeezed and expanded
A[None][0, 1] = A[0] ** 2; np.squeeze(A[:1]).fill(3.0); np.atleast_3d(A)[0, 0, 0] = A[1, 1]
# split
u, v, w = np.split(A, 3); u += v * w; w[...] = u
# flip
np.flip(A, 0)[0] = A[0] * 2.0; np.rot90(A)[0, 0] = 0.0
# broadcast_to is read only
b = np.broadcast_to(A[0], (3, 3)); A[0] = A[1] * A[2]; A = A + b
# diagonal
d = np.diagonal(A); A[1, 1] = A[0, 2] ** 2; A = A * d
# fill_diagonal
np.fill_diagonal(A, A[0] * A[1])
# diagonal by indices
k = np.arange(3); A[k, k] += 1.0 + A[0]; k[:] = 0; A[np.diag_indices(3)] *= 2.0
# triangle
A[np.triu_indices(3, 1)] = A[np.tril_indices(3, -1)]
# sorted along axes
A.sort(axis=0); A[1].sort(); A.T[0][::-1].sort()
# sorted by a key
A[:] = A[np.argsort(A[:, 1])]; A[:] = A[:, np.argsort(A[0])]
# rows in a loop
for r in A:
    r *= r[0]
    r[1] = 0.5
# rows in a loop, columns too
for k, c in enumerate(A[:, ::-1].T):
    c[k] += A[0, 0]
# elements in a loop
for i in range(3):
    for j in range(i):
        A[i, j], A[j, i] = A[j, i] * 2.0, A[i, j] ** 2
# unpacked rows
a, b, c = A; a[:] = b * c; b -= a; c *= b
# repeated pairs
A[[0, 0], [1, 1]] = A[2, :2]; A[[1, 1, 2]] = A[[0, 1, 0]] * A
# repeated blocks
A[np.array([[0, 1], [0, 1]])] *= np.array([1.0, 2.0]).reshape(2, 1, 1)
# repeated pairs add up
np.add.at(A, ([0, 0], [1, 1]), A[2, :2]); np.subtract.at(A, [0, 0], A[1])
# ix_
A[np.ix_([0, 2], [1, 2])] = A[:2, :2] ** 2
# put_along_axis
np.put_along_axis(A, np.argmax(A, 1)[:, None], A[:, :1] ** 2, 1)
# put
np.put(A, [0, 4, -1], A[0] * A[1]); A.put([1], A[2, 2])
# place and putmask
np.place(A, A > 1.0, A[0]); np.putmask(A, A < 0.0, A**2)
# copyto where
np.copyto(A, A.T * 2.0, where=A > 0.5)
# elimination
for k in range(2):
    A[k + 1:] -= A[k + 1:, k:k + 1] / A[k, k] * A[k]
# shuffled rows
np.random.RandomState(3).shuffle(A); np.random.default_rng(1).shuffle(A, axis=1)
# rolled
A[:] = np.roll(A, 1, axis=0); A[:, 1:] = A[:, :-1].copy()
# views that functions give
np.einsum("ii->i", A)[:] = A[0]; np.einsum("ij->ji", A)[0] *= A[1, 1]
np.real_if_close(A)[1] *= A[0]; np.nan_to_num(A, copy=False)[2] += A[0]
np.atleast_2d(A[0])[0, 1] = 3.0; np.rollaxis(A, 1)[0] = A[2]; np.unstack(A)[0][:] *= A[1]
# views that conversions give
np.asarray(A)[0] = 2.0 * A[1]; np.asanyarray(A, dtype=float)[1] *= A[2]
np.ascontiguousarray(A)[2] += A[0]; np.require(A, float, "C")[0, 0] = 5.0
A.astype(float, copy=False)[0] *= A[1]; np.array(A, copy=None)[2] *= 2.0
# views that arrays give
A.real[0] = A[1] ** 2; A.squeeze()[1] *= A[0]; A.mT[0] = A[2]; A.view()[2] *= A[0]
# the conjugate of a real array is itself
A.conj()[0] = 2.0 * A[1]
# read-only views see what is written
d = np.diag(A); b = np.broadcast_to(A[0], (3, 3)); u, v = np.broadcast_arrays(A[0], A)
A[1, 1] = 3.0 * A[0, 0]; A[0] *= A[1]; A = A * d + b * u + v
# copies that functions give
for f in (np.copy, np.round, np.positive, np.sort, np.triu, np.conj):
    f(A)[:] = 0.0
for f in (np.tile, np.repeat, np.roll, np.delete):
    f(A, 1)[:] = 0.0; A.take([0, 1])[:] = 0.0
np.concatenate([A])[:] = 0.0; np.clip(A, None, 9.0)[:] = 0.0; np.where(True, A, 0.0)[:] = 0.0
A[[0, 1, 2]][:] = 0.0; A[A == A][:] = 0.0; A.flatten()[:] = 0.0; A.copy()[:] = 0.0
# Fortran order
B = np.array(A, order="F"); B.T[0] = A[1]; B.reshape(-1, order="F")[0] = A[2, 2] * 2.0
B.ravel("K")[1] = A[0, 2] ** 2; A = A * B
# another shape
A.shape = (9,); A[3] = A[4] ** 2; A.shape = (3, 3); A[0] *= A[1]
# every other column
B = A[:, ::2]; B += 1.0; B.T[0] *= B.T[1]; B.ravel()[:] = 0.0
# a sum into a row of what is summed
s = A.sum(axis=0, out=A[0]); A[1] *= s
# flat, by indices
A.flat[[0, 4]] = A[2, :2]; A.flat[2:4] *= 2.0
# windows
w = np.lib.stride_tricks.sliding_window_view(A, (2, 2)); A[1, 1] = A[0, 0] ** 2; A = A + w.sum()
# structure of a stencil
B = A.copy()
for _ in range(2):
    A[1:-1, 1:-1] = (B[:-2, 1:-1] + B[2:, 1:-1]) * B[1:-1, :-2]
    A, B = B, A
A = A + B
"""

VECTOR_PROGRAMS = programs(VECTORS, "x", "return np.sum(x * W[1]) + np.sum(x**2)")
MATRIX_PROGRAMS = programs(MATRICES, "A", "return np.sum(A * W) + np.sum(A**2)")


@checks.each(VECTOR_PROGRAMS, X)
def test_what_is_written_into_a_vector_has_numpys_values_and_their_derivatives(f, args):
    assert_right(lambda: f, *args)


@checks.each(MATRIX_PROGRAMS, A)
def test_what_is_written_into_a_matrix_has_numpys_values_and_their_derivatives(f, args):
    assert_right(lambda: f, *args)
