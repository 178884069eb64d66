"""Cases of the table of Fourier transforms."""

import numpy as np
from case import Case

C = np.linspace(-1.0, 2.0, 24) + 1j * np.cos(np.arange(24.0))
C5, C34, C234 = C[:5], C[:12].reshape(3, 4), C.reshape(2, 3, 4)
F32 = np.linspace(-1.5, 2.0, 12, dtype=np.float32).reshape(3, 4)
NORMS = (None, "backward", "ortho", "forward")

_COMPLEX = (np.fft.fft, np.fft.ifft)
_TO_HALF = (np.fft.rfft, np.fft.ihfft)
_FROM_HALF = (np.fft.irfft, np.fft.hfft)


def _one(f, x, *options, name=""):
    return [
        Case(f, lambda x, o=o, f=f: f(x, **o), x, name=f"{name}{o}") for o in (options or ({},))
    ]


def _lengths(f, complex_too, lengths):
    cases = []
    for n in lengths:
        cases += _one(f, (5,), {"n": n})
        cases += _one(f, (3, 4), {"n": n, "axis": 0})
        if complex_too:
            cases += _one(f, C34, {"n": n, "axis": -2}, {"n": n})
    return cases


CASES = []
for f in _COMPLEX:
    CASES += _one(f, C5, *({"norm": norm} for norm in NORMS))
    CASES += _one(f, (6,), *({"norm": norm} for norm in NORMS))
    CASES += _lengths(f, True, (1, 2, 4, 5, 8))
    CASES += _one(f, (2, 3, 4), {"axis": 1}, {"axis": -3}, {"n": 5, "axis": 1, "norm": "ortho"})
    CASES += _one(f, C234, {"axis": 1}, {"n": 2, "axis": 0})
    CASES += _one(f, F32)
    CASES.append(Case(f, lambda x, f=f: f(x.T), (3, 4), name="transposed"))
    CASES.append(Case(f, lambda x, f=f: f(x[::2, ::-1]), C34, name="strided"))
    CASES.append(Case(f, lambda x, f=f: f(x), (0, 3), name="empty"))
    CASES.append(Case(f, lambda x, f=f: abs(f(x)) ** 2, (5,), name="power"))
for f in _TO_HALF:
    CASES += _one(f, (5,), *({"norm": norm} for norm in NORMS))
    CASES += _one(f, (6,), *({"norm": norm} for norm in NORMS))
    CASES += _lengths(f, False, (1, 2, 3, 4, 5, 8))
    CASES += _one(f, (2, 3, 4), {"axis": 1}, {"axis": -3}, {"n": 5, "axis": 1, "norm": "ortho"})
    CASES += _one(f, F32)
    CASES.append(Case(f, lambda x, f=f: f(x.T), (3, 4), name="transposed"))
    CASES.append(Case(f, lambda x, f=f: f(x), (0, 3), name="empty"))
for f in _FROM_HALF:
    CASES += _one(f, C5, *({"norm": norm} for norm in NORMS))
    CASES += _one(f, C5[:4], *({"norm": norm, "n": 7} for norm in NORMS))
    CASES += _one(f, (4,), *({"norm": norm, "n": 5} for norm in NORMS))
    CASES += _lengths(f, True, (1, 2, 3, 4, 6, 7, 9, 12))
    CASES += _one(f, (2, 3, 4), {"axis": 1}, {"n": 5, "axis": 1, "norm": "ortho"})
    CASES += _one(f, C234, {"axis": 1}, {"n": 7, "axis": 1})
    CASES += _one(f, F32)
    CASES.append(Case(f, lambda x, f=f: f(x.T), C34, name="transposed"))

_TWO = (np.fft.fft2, np.fft.ifft2, np.fft.irfft2)
_MANY = (np.fft.fftn, np.fft.ifftn, np.fft.irfftn)
_SHAPED = (
    {"axes": (0, 1)},
    {"axes": (1, 0)},
    {"axes": (-1, 0), "norm": "ortho"},
    {"s": (3, 7), "axes": (0, 1)},
    {"s": (2, -1), "axes": (1, 0)},
    {"s": (5, 2), "axes": (-1, 0), "norm": "forward"},
    {"s": (4, 3), "axes": (0, 1), "norm": "ortho"},
)
for f in (*_TWO, *_MANY):
    CASES += _one(f, C34, {}, *_SHAPED, *({"norm": norm} for norm in NORMS[1:]))
    CASES += _one(f, (3, 4), {}, *_SHAPED)
    CASES += _one(f, C234, {}, {"axes": (0, 2)}, {"s": (5, 2), "axes": (1, 2)})
    CASES += _one(f, F32)
for f in (np.fft.rfft2, np.fft.rfftn):
    CASES += _one(f, (3, 4), {}, *_SHAPED, *({"norm": norm} for norm in NORMS[1:]))
    CASES += _one(f, (4, 3), {}, *_SHAPED)
    CASES += _one(f, (2, 3, 4), {}, {"axes": (0, 2)}, {"s": (5, 2), "axes": (1, 2)})
    CASES += _one(f, F32)
CASES += _one(np.fft.fftn, C34, {"axes": (0, 0)}, {"axes": (1,)}, {"s": (2,), "axes": (1,)})
CASES += _one(np.fft.rfftn, (2, 3, 4), {"axes": (1,)}, {"s": (4,), "axes": (1,)})
CASES += _one(np.fft.irfftn, C234, {"axes": (1,)}, {"s": (4,), "axes": (1,)})
for f in (np.fft.fftshift, np.fft.ifftshift):
    CASES += _one(f, (5,))
    CASES += _one(f, (3, 4), {}, {"axes": 0}, {"axes": -1}, {"axes": (0, 1)})
    CASES += _one(f, C34, {"axes": (1,)})
