"""Cases of ``scipy.signal`` and of products with ``scipy.sparse``."""

import numpy as np
import scipy.signal as sg
import scipy.sparse as ss
import scipy.sparse.linalg as ssl
from case import Case

from tapead.scipy import signal, sparse

RNG = np.random.default_rng(3)
F32 = np.array([0.5, -1.0, 2.0, 0.25], np.float32)
C4, C3 = np.array([1.5, -1j, 2 + 1j, 0.3]), np.array([1j, 2.0, -0.5 + 0.5j])
C2D = RNG.standard_normal((3, 4)) + 1j * RNG.standard_normal((3, 4))
ALONG = (
    ((4, 3), (2, 3), 0),
    ((4, 3), (2, 1), [0]),
    ((1, 4), (3, 2), -1),
    ((2, 3, 4), (2, 2, 1), (0, 1)),
)
PAIRS = (
    ((5,), (3,)),
    ((6,), (2,)),
    ((3,), (5,)),
    ((4,), (4,)),
    (C4, C3),
    ((4, 3), (2, 3)),
    (C2D, (2, 2)),
    ((2, 3, 4), (2, 2, 2)),
)

CASES = []
for f, original in (
    (signal.convolve, signal.convolve),
    (signal.fftconvolve, signal.fftconvolve),
    (signal.oaconvolve, signal.oaconvolve),
    (signal.correlate, sg.correlate),
):
    for mode in ("full", "same", "valid"):
        for a, b in PAIRS:
            CASES.append(Case(original, lambda a, b, f=f, m=mode: f(a, b, m), a, b, name=mode))
    CASES.append(Case(original, f, F32, F32[:2]))
for mode in ("full", "same", "valid"):
    for method in ("direct", "fft"):
        CASES += [
            Case(
                signal.convolve,
                lambda a, b, m=mode, how=method: signal.convolve(a, b, m, how),
                (4, 3),
                (2, 2),
                name=f"{mode} {method}",
            ),
            Case(
                sg.correlate,
                lambda a, b, m=mode, how=method: signal.correlate(a, b, m, method=how),
                C4,
                (2,),
                name=f"{mode} {method}",
            ),
        ]
    for f in (signal.fftconvolve, signal.oaconvolve):
        for a, b, axes in ALONG:
            call = lambda a, b, f=f, m=mode, k=axes: f(a, b, m, k)  # noqa: E731
            CASES.append(Case(f, call, a, b, name=f"{mode} {axes}"))
CASES += [
    Case(signal.convolve, signal.convolve, (), ()),
    Case(signal.convolve, lambda a: signal.convolve(a, [1, 2, 3], "same"), (5,), name="constant"),
]

POLES = np.array([2.0, -0.5, 0.3])
for b, a, x in (((3,), POLES, (6,)), ((2,), POLES, (2, 5)), ((4,), POLES[:1], (6,)),
                ((3,), POLES, C4), (C3, POLES, (5,)), ((2,), POLES + 0.2j, (4,))):  # fmt: skip
    CASES.append(Case(sg.lfilter, signal.lfilter, b, a, x))
CASES += [
    Case(sg.lfilter, lambda b, a, x: signal.lfilter(b, a, x, axis=0), (2,), POLES, (4, 2)),
    Case(sg.lfilter, lambda x: signal.lfilter([1.0, 0.5], [1.0, -0.2], x, 1), (2, 3, 2)),
    Case(sg.lfilter, signal.lfilter, F32[:2], POLES.astype(np.float32), F32),
    Case(
        signal._lfilter,
        lambda b, a, x: signal._lfilter(b, a, x, axis=-1),
        (2,),
        POLES,
        (4,),
    ),
]

# ----------------------------------------------------------------------------------- sparse ---

DENSE = np.array([[1.0, 0, 2.0, 0], [0, 0, -1.0, 0.5], [0, 3.0, 0, 0]])
SQUARE = np.array([[4.0, 0, 1.0], [0.5, 3.0, 0], [0, -1.0, 2.0]])
for form in ("csr", "csc", "coo", "dia", "bsr", "lil", "dok"):
    for kind in (ss.csr_array, ss.csr_matrix):
        S = kind(DENSE).asformat(form)
        for shape in ((4,), (4, 2)):
            call = lambda x, s=S: sparse.product(s, x)  # noqa: E731
            CASES.append(Case(sparse._product, call, shape, name=form))
        for shape in ((3,), (2, 3)):
            call = lambda x, s=S: sparse.product(x, s)  # noqa: E731
            CASES.append(Case(sparse._product, call, shape, name=f"{form} right"))
S = ss.csr_array(DENSE)
CASES += [
    Case(sparse._product, lambda x: sparse.product(S, x), C4),
    Case(sparse._product, lambda x: sparse.product(S * 1j, x), C4, name="complex"),
    Case(sparse._product, lambda x: sparse.product(S.T, x), (3,), name="turned"),
    Case(sparse._product, lambda x: sparse.operator(np.matmul, S, x), (4,), name="operator"),
    Case(ssl.spsolve, lambda b: sparse.spsolve(ss.csc_array(SQUARE), b), (3,)),
    Case(ssl.spsolve, lambda b: sparse.spsolve(ss.csr_array(SQUARE), b), (3, 2)),
    Case(ssl.spsolve, lambda b: sparse.spsolve(ss.csc_array(SQUARE), b), C3),
    Case(
        sparse._solution,
        lambda b: sparse._solution(b, SOLVED.data, SOLVED, False, None, True),
        (3,),
    ),
]
SOLVED = ss.csc_array(SQUARE)
