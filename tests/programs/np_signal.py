"""Spectra, filters, convolutions, interpolation and quadrature."""

import cmath
import math

import numpy as np
from numpy.fft import fft, ifft, irfft, rfft

TIME = np.arange(12) / 12
TONE = np.round(np.sin(2 * np.pi * 2 * TIME + 0.3) + 0.4 * np.cos(2 * np.pi * 4 * TIME), 3)


def power_spectrum(x):
    """Centroid of the spectrum after a Hann window."""
    n = len(x)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / (n - 1))
    X = np.fft.fft(x * window)
    power = np.abs(X[: n // 2]) ** 2
    freqs = np.fft.fftfreq(n, d=1 / 12)[: n // 2]
    return np.sum(freqs * power) / np.sum(power)


def low_pass(x, sharpness):
    """Damps what lies above three cycles."""
    X = rfft(x)
    f = np.fft.rfftfreq(len(x), 1 / len(x))
    X *= 1 / (1 + (f / 3.0) ** (2 * sharpness))
    smooth = irfft(X, n=len(x))
    return np.max(smooth) + np.mean((smooth - x) ** 2)


def brick_wall(x, keep=3):
    X = np.fft.rfft(x)
    X[keep:] = 0
    y = np.fft.irfft(X, len(x))
    return float(np.std(y) / np.std(x))


def spectral_burgers(u, dt):
    """Solves Burgers' equation on a circle with a few pseudo-spectral steps."""
    n = len(u)
    k = 1j * np.fft.fftfreq(n, 1 / n)
    k[n // 2] = 0
    for _ in range(10):
        slope = np.real(ifft(k * fft(u)))
        curve = ifft(k**2 * fft(u)).real
        u = u + dt * (0.1 * curve - u * slope)
    return np.sum(u**4) ** 0.25


def dft_by_loops(x):
    """Magnitudes of the first coefficients, out of cosines and sines."""
    N = len(x)
    mags = []
    for k in range(N // 2):
        re = im = 0.0
        for n, value in enumerate(x):
            angle = 2 * math.pi * k * n / N
            re += value * math.cos(angle)
            im -= value * math.sin(angle)
        mags.append(math.hypot(re, im))
    mags = np.array(mags)
    return (mags / mags.sum()).dot(np.arange(len(mags)))


def dft_matrix(x):
    N = x.size
    W = np.array([[cmath.exp(-2j * cmath.pi * j * k / N) for k in range(N)] for j in range(N)])
    X = W @ x
    return np.log10(np.abs(X[1:5])).sum() + np.angle(X[2])


def autocorrelation(x):
    """First zero crossing, between samples."""
    c = x - np.mean(x)
    r = np.correlate(c, c, mode="full")[len(x) - 1 :]
    r /= r[0]
    k = np.argmax(r < 0)
    return k - 1 + r[k - 1] / (r[k - 1] - r[k])


def convolve_echo(signal, impulse):
    wet = np.convolve(signal, impulse)
    dry = np.concatenate([signal, np.zeros(len(impulse) - 1)])
    return np.sqrt(np.mean((0.7 * dry + 0.3 * wet) ** 2))


def convolution_by_slices(x, h):
    y = np.zeros(len(x) + len(h) - 1)
    for i, c in enumerate(h):
        y[i : i + len(x)] += c * x
    assert np.allclose(y, np.convolve(x, h, "full"))
    return np.sum(np.abs(y[2:-2]) ** 3)


def best_delay(a, b):
    """Peak of the cross correlation, refined by a parabola."""
    c = np.correlate(a, b, "full")
    k = int(np.argmax(c))
    left, mid, right = c[k - 1 : k + 2]
    return k - (len(b) - 1) + 0.5 * (left - right) / (left - 2 * mid + right)


def work(force, x):
    """Trapezoid and Simpson, averaged."""
    h = x[1] - x[0]
    simpson = h / 3 * (force[0] + 4 * force[1:-1:2].sum() + 2 * force[2:-1:2].sum() + force[-1])
    by_hand = np.sum((force[1:] + force[:-1]) / 2 * np.diff(x))
    return (np.trapezoid(force, x) + simpson) / 2 + 0.1 * by_hand**2


def gauss_legendre(a, b, omega):
    nodes, weights = np.polynomial.legendre.leggauss(7)
    t = 0.5 * (b - a) * nodes + 0.5 * (a + b)
    return 0.5 * (b - a) * np.sum(weights * np.exp(-t) * np.cos(omega * t))


def romberg(a, b):
    f = lambda x: np.sqrt(1 + np.sin(x) ** 2)
    R = np.zeros((5, 5))
    for i in range(5):
        x = a + (b - a) * np.linspace(0, 1, 2**i + 1)
        y = f(x)
        R[i, 0] = (b - a) / 2**i * (y.sum() - 0.5 * (y[0] + y[-1]))
        for j in range(1, i + 1):
            R[i, j] = R[i, j - 1] + (R[i, j - 1] - R[i - 1, j - 1]) / (4**j - 1)
    return R[4, 4]


def pump_curve(flow, table):
    """Head looked up in a measured curve; where the pump meets the pipe."""
    q = np.array([0.0, 10.0, 20.0, 30.0, 40.0])
    head = np.interp(flow, q, table)
    losses = 2.0 + 0.01 * flow**2
    return (head - losses).sum()


def resample(y, rate):
    """Linear interpolation at stretched times, then the energy of the differences."""
    t_old = np.arange(len(y))
    t_new = np.arange(0, len(y) - 1) * rate
    y_new = np.interp(t_new, t_old, y)
    return np.sum(np.diff(y_new) ** 2)


def haar(x, threshold):
    """Wavelet shrinkage: energy that is left."""
    a = x.copy()
    details = []
    while len(a) % 2 == 0:
        s, d = (a[0::2] + a[1::2]) / np.sqrt(2), (a[0::2] - a[1::2]) / np.sqrt(2)
        details.append(np.sign(d) * np.maximum(np.abs(d) - threshold, 0))
        a = s
    return sum((d**2).sum() for d in details) + a.sum()


def levinson_durbin(x, order=3):
    """Linear prediction; the last error."""
    n = len(x)
    r = np.array([np.dot(x[: n - k], x[k:]) for k in range(order + 1)])
    a = np.zeros(order + 1)
    a[0] = 1.0
    e = r[0]
    for i in range(1, order + 1):
        k = -(r[i] + a[1:i] @ r[i - 1 : 0 : -1]) / e
        a[1 : i + 1] += k * np.append(a[i - 1 : 0 : -1], 1.0)
        e *= 1 - k**2
    return e + a[1]


def envelope(x):
    """Analytic signal; mean of its magnitude and its last phase."""
    n = len(x)
    h = np.zeros(n)
    h[0] = h[n // 2] = 1
    h[1 : n // 2] = 2
    z = np.fft.ifft(np.fft.fft(x) * h)
    phase = np.unwrap(np.angle(z))
    return np.abs(z).mean() + (phase[-1] - phase[0]) / (2 * np.pi)


def dct_energy(x):
    n = len(x)
    k = np.arange(n)
    C = np.sqrt(2 / n) * np.cos(np.pi * np.outer(k, 2 * k + 1) / (2 * n))
    C[0] /= np.sqrt(2)
    c = C @ x
    kept = np.sort(np.abs(c))[::-1][:4]
    return np.sum(kept**2) / np.sum(c**2)


def spectrogram(x, decay):
    frames = np.lib.stride_tricks.sliding_window_view(x, 6)[::2]
    window = np.exp(-decay * (np.arange(6) - 2.5) ** 2)
    S = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    db = 10 * np.log10(S + 1e-3)
    flux = np.clip(np.diff(db, axis=0), 0, None).sum()
    return flux / len(frames)


RAMP = np.array([3.0, 3.4, 4.1, 4.3, 5.2, 5.0, 4.4])
GRID = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])

CASES = [
    ("power spectrum", power_spectrum, (TONE,)),
    ("low pass", low_pass, (TONE + TIME**2, 2.0)),
    ("brick wall", brick_wall, (TONE + TIME**2,)),
    ("Burgers, spectral", spectral_burgers, (TONE[:8], 0.02)),
    ("discrete transform, loops", dft_by_loops, (TONE + TIME**2,)),
    ("discrete transform, matrix", dft_matrix, (TONE + TIME**2,)),
    ("autocorrelation", autocorrelation, (TONE,)),
    ("echo", convolve_echo, (TONE, np.array([0.0, 1.0, 0.5, 0.25]))),
    ("convolution by slices", convolution_by_slices, (TONE, np.array([0.3, 0.5, -0.2]))),
    ("delay", best_delay, (TONE, TONE[2:10] + 0.1)),
    ("work", work, (RAMP, GRID)),
    ("Gauss-Legendre", gauss_legendre, (0.2, 1.7, 2.5)),
    ("Romberg", romberg, (0.3, 2.0)),
    (
        "pump curve",
        pump_curve,
        (np.array([5.0, 14.0, 33.0]), np.array([40.0, 38.5, 34.0, 26.0, 13.0])),
    ),
    ("resampling", resample, (RAMP, 0.93)),
    ("Haar", haar, (TONE[:8], 0.1)),
    ("Levinson-Durbin", levinson_durbin, (TONE,)),
    ("envelope", envelope, (TONE + 0.2,)),
    ("cosine transform", dct_energy, (TONE + TIME**2,)),
    ("spectrogram", spectrogram, (TONE + TIME**2, 0.2)),
]
