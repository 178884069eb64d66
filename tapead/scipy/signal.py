"""SciPy's convolutions and linear filters, for tracked signals too.

A convolution is linear in each operand: its adjoint is the convolution with the other one reversed.
A filter that starts at rest, run backward in time, is its own adjoint.

>>> import numpy as np, tapead
>>> from tapead.scipy import signal
>>> tapead.grad(lambda x: signal.convolve(x, np.array([1.0, 2.0]))[1])(np.zeros(3))
array([2., 1., 0.])
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import signal as sg

from tapead.rules.table import Rule, as_array, primitive, unbroadcast

__all__ = ["convolve", "correlate", "fftconvolve", "lfilter", "oaconvolve"]


# ------------------------------------------------------------------------------ convolutions ---


@primitive
def convolve(in1, in2, mode="full", method="auto"):
    """scipy.signal.convolve."""
    return sg.convolve(in1, in2, mode, method)


@primitive
def fftconvolve(in1, in2, mode="full", axes=None):
    """scipy.signal.fftconvolve."""
    return sg.fftconvolve(in1, in2, mode, axes)


@primitive
def oaconvolve(in1, in2, mode="full", axes=None):
    """scipy.signal.oaconvolve."""
    return sg.oaconvolve(in1, in2, mode, axes)


def correlate(in1, in2, mode="full", method="auto"):
    """scipy.signal.correlate."""
    return convolve(as_array(in1), np.flip(np.conj(as_array(in2))), mode, method)


def _convolved_axes(a: Any, axes: Any) -> tuple[int, ...]:
    """The axes along which two operands are convolved; along the others they are broadcast."""
    if axes is None:
        return tuple(range(a.ndim))
    return tuple(k % a.ndim for k in (axes if np.ndim(axes) else (axes,)))


def _in_full(g: Any, a: Any, b: Any, axes: tuple[int, ...]) -> Any:
    """g where it was cut, from the middle, out of the full convolution."""
    for axis in range(g.ndim):
        n, m = a.shape[axis], b.shape[axis]
        missing = (n + m - 1 if axis in axes else max(n, m)) - g.shape[axis]
        if missing:
            shape = [*g.shape]
            parts = [g]
            for length in (missing // 2, missing - missing // 2):
                shape[axis] = length
                parts.append(np.zeros(shape, g.dtype))
            g = np.concatenate((parts[1], g, parts[2]), axis=axis)
    return g


def _convolution(function: Callable, option: str, default: Any) -> Rule:
    """The rule of a convolution, whose other option is the method or the axes."""

    def adjoint(this, g, v, a, b, **options):
        axes = _convolved_axes(a, options.get("axes"))
        g = _in_full(g, a, b, axes)
        operand, other = (a, b) if this == 0 else (b, a)
        passed = {option: options[option]}
        back = function(g, np.flip(other, axes) if axes else other, mode="valid", **passed)
        return unbroadcast(back, operand)

    return Rule(
        function,
        f"in1, in2; mode='full', {option}={default!r}",
        (functools.partial(adjoint, 0), functools.partial(adjoint, 1)),
        (
            lambda t, v, a, b, **options: function(t, b, **options),
            lambda t, v, a, b, **options: function(a, t, **options),
        ),
        needs=("1", "0"),
    )


# ----------------------------------------------------------------------------------- filters ---


def lfilter(b, a, x, axis=-1, zi=None):
    """scipy.signal.lfilter; with an initial state `zi` on plain arrays only."""
    if zi is not None:
        return lfilter_from_state(b, a, x, axis, zi)
    return _lfilter(as_array(b), as_array(a), as_array(x), axis)


@primitive
def lfilter_from_state(b, a, x, axis, zi):
    """scipy.signal.lfilter with an initial state; it has no rule."""
    return sg.lfilter(b, a, x, axis, zi)


@primitive
def _lfilter(b, a, x, axis=-1):
    return sg.lfilter(b, a, x, axis)


def _lfilter_adjoint_x(g, v, b, a, x, axis=-1):
    return np.flip(_lfilter(b, a, np.flip(g, axis), axis), axis)


def _lagged(g, u, count, axis):
    """For each lag below count, the sum of g times u so many steps before."""
    g, u = np.moveaxis(g, axis, -1), np.moveaxis(u, axis, -1)
    n = g.shape[-1]
    sums = [np.sum(g[..., k:] * u[..., : max(n - k, 0)]) for k in range(count)]
    return np.stack(sums)


def _lfilter_adjoint_b(g, v, b, a, x, axis=-1):
    return np.reshape(_lagged(g, _lfilter(np.ones(1), a, x, axis), b.size, axis), b.shape)


def _lfilter_adjoint_a(g, v, b, a, x, axis=-1):
    return np.reshape(-_lagged(g, _lfilter(np.ones(1), a, v, axis), a.size, axis), a.shape)


# ------------------------------------------------------------------------------------ tables ---

RULES = (
    _convolution(convolve, "method", "auto"),
    _convolution(fftconvolve, "axes", None),
    _convolution(oaconvolve, "axes", None),
    Rule(
        _lfilter,
        "b, a, x; axis=-1",
        (_lfilter_adjoint_b, _lfilter_adjoint_a, _lfilter_adjoint_x),
        (
            lambda t, v, b, a, x, axis=-1: _lfilter(t, a, x, axis),
            lambda t, v, b, a, x, axis=-1: -_lfilter(t, a, v, axis),
            lambda t, v, b, a, x, axis=-1: _lfilter(b, a, t, axis),
        ),
        needs=("12", "1v", "01"),
    ),
)

COMPOSED = {sg.correlate: correlate, sg.lfilter: lfilter}
REPLACES = COMPOSED | {
    sg.convolve: convolve,
    sg.fftconvolve: fftconvolve,
    sg.oaconvolve: oaconvolve,
}
