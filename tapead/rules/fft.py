"""Rules of ``np.fft``.

The complex transforms are symmetric matrices, so each is its own adjoint but for cropping: what a
length `n` left out of the operand has derivative 0, what it padded is dropped.  The real ones are
the same sums taken over half of a spectrum, whose other half is the conjugate: an entry that
stands for two counts twice.  A normalization belongs to the sum, not to the direction, so the
transform of the other direction is asked for the other one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapead.errors import UnsupportedError

from .table import Rule

_OTHER_NORM = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def cropped(g: Any, shape: tuple[int, ...]) -> Any:
    """g cut and padded with zeros at the end of each axis to that shape."""
    if g.shape == shape:
        return g
    g = g[tuple(slice(0, n) for n in shape)]
    for axis, n in enumerate(shape):
        missing = n - g.shape[axis]
        if missing:
            zeros = np.zeros((*g.shape[:axis], missing, *g.shape[axis + 1 :]), g.dtype)
            g = np.concatenate((g, zeros), axis=axis)
    return g


def _weights(g: Any, axis: int, n: int, paired: float) -> Any:
    """How often each entry of half a spectrum counts: once at 0 and at n/2, `paired` between."""
    shape = [1] * g.ndim
    shape[axis] = g.shape[axis]
    weights = np.full(g.shape[axis], paired, np.finfo(g.dtype).dtype)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[n // 2 :] = 1.0
    return weights.reshape(shape)


def _axes_of(v: Any, s: Any, axes: Any) -> list[int]:
    """The transformed axes, each once, in the order of s."""
    if axes is None:
        axes = range(-len(s) if s is not None else -v.ndim, 0)
    axes = [axis % v.ndim for axis in axes]
    if len(set(axes)) < len(axes):
        raise UnsupportedError("the derivative of a transform over the same axis twice")
    return axes


# ------------------------------------------------------------------------------- one axis ---


def _complex_adjoint(function: Any) -> Any:
    def adjoint(g, v, a, n=None, axis=-1, norm=None):
        return cropped(function(g, axis=axis, norm=norm), a.shape)

    return adjoint


def _rfft_adjoint(g, v, a, n=None, axis=-1, norm=None):
    n = a.shape[axis] if n is None else n
    g = np.conj(g * _weights(g, axis, n, 0.5))
    return cropped(np.fft.irfft(g, n, axis, _OTHER_NORM[norm]), a.shape)


def _irfft_adjoint(g, v, a, n=None, axis=-1, norm=None):
    half = np.conj(np.fft.rfft(g, axis=axis, norm=_OTHER_NORM[norm]))
    return cropped(half * _weights(half, axis, v.shape[axis], 2.0), a.shape)


def _hfft_adjoint(g, v, a, n=None, axis=-1, norm=None):
    """hfft(a) is irfft(conj(a)) with the other norm."""
    return np.conj(_irfft_adjoint(g, v, a, n, axis, _OTHER_NORM[norm]))


def _ihfft_adjoint(g, v, a, n=None, axis=-1, norm=None):
    """ihfft(a) is conj(rfft(a)) with the other norm."""
    return _rfft_adjoint(np.conj(g), v, a, n, axis, _OTHER_NORM[norm])


# ------------------------------------------------------------------------------ many axes ---


def _complex_adjoint_n(function: Any) -> Any:
    def adjoint(g, v, a, s=None, axes=None, norm=None):
        axes = axes if s is None else _axes_of(v, s, axes)
        return cropped(function(g, axes=axes, norm=norm), a.shape)

    return adjoint


def _rfftn_adjoint(g, v, a, s=None, axes=None, norm=None):
    axes = _axes_of(v, s, axes)
    last = axes[-1]
    n = a.shape[last] if s is None or s[-1] in (None, -1) else s[-1]
    g = np.conj(g * _weights(g, last, n, 0.5))
    lengths = [g.shape[axis] for axis in axes[:-1]] + [n]
    return cropped(np.fft.irfftn(g, lengths, axes, _OTHER_NORM[norm]), a.shape)


def _irfftn_adjoint(g, v, a, s=None, axes=None, norm=None):
    axes = _axes_of(v, s, axes)
    half = np.conj(np.fft.rfftn(g, axes=axes, norm=_OTHER_NORM[norm]))
    return cropped(half * _weights(half, axes[-1], v.shape[axes[-1]], 2.0), a.shape)


def _in_two(adjoint: Any) -> Any:
    """The same with the default axes of fft2 and its kin."""

    def adjoint_in_two(g, v, a, s=None, axes=(-2, -1), norm=None):
        return adjoint(g, v, a, s, axes, norm)

    return adjoint_in_two


# --------------------------------------------------------------------------------- tables ---

_FFTN, _IFFTN = _complex_adjoint_n(np.fft.fftn), _complex_adjoint_n(np.fft.ifftn)

_ONE = "a; n=None, axis=-1, norm=None"
_TWO = "a; s=None, axes=(-2, -1), norm=None"
_MANY = "a; s=None, axes=None, norm=None"

RULES = (
    Rule(np.fft.fft, _ONE, _complex_adjoint(np.fft.fft), out=True),
    Rule(np.fft.ifft, _ONE, _complex_adjoint(np.fft.ifft), out=True),
    Rule(np.fft.rfft, _ONE, _rfft_adjoint, out=True),
    Rule(np.fft.irfft, _ONE, _irfft_adjoint, out=True),
    Rule(np.fft.hfft, _ONE, _hfft_adjoint, out=True),
    Rule(np.fft.ihfft, _ONE, _ihfft_adjoint, out=True),
    Rule(np.fft.fft2, _TWO, _in_two(_FFTN), out=True),
    Rule(np.fft.ifft2, _TWO, _in_two(_IFFTN), out=True),
    Rule(np.fft.rfft2, _TWO, _in_two(_rfftn_adjoint), out=True),
    Rule(np.fft.irfft2, _TWO, _in_two(_irfftn_adjoint), out=True),
    Rule(np.fft.fftn, _MANY, _FFTN, out=True),
    Rule(np.fft.ifftn, _MANY, _IFFTN, out=True),
    Rule(np.fft.rfftn, _MANY, _rfftn_adjoint, out=True),
    Rule(np.fft.irfftn, _MANY, _irfftn_adjoint, out=True),
    Rule(
        np.fft.fftshift,
        "x; axes=None",
        lambda g, v, x, axes=None: np.fft.ifftshift(g, axes),
    ),
    Rule(
        np.fft.ifftshift,
        "x; axes=None",
        lambda g, v, x, axes=None: np.fft.fftshift(g, axes),
    ),
)
