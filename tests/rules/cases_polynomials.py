"""Cases of the table of polynomials."""

import numpy as np
from case import Case

from tapead.rules import polynomials

C3, C4 = np.array([1j, 2.0, -0.5 + 0.5j]), np.array([1.5, -1j, 2 + 1j, 0.3])
F32 = np.array([0.5, -1.0, 2.0, 0.25], np.float32)
X = np.array([-1.2, -0.3, 0.1, 0.8, 1.1, 1.9])
WEIGHTS = np.array([1.0, 2.0, 0.5, 1.5, 1.0, 0.7])

CASES = [
    Case(np.polyval, np.polyval, (4,), (2, 3)),
    Case(np.polyval, np.polyval, (4,), ()),
    Case(np.polyval, np.polyval, (1,), (3,)),
    Case(np.polyval, np.polyval, (0,), (3,)),
    Case(np.polyval, np.polyval, C4, (3,)),
    Case(np.polyval, np.polyval, C4, C3),
    Case(np.polyval, np.polyval, F32, F32),
    Case(np.polyval, np.polyval, (3,), (0, 2)),
    Case(np.polyval, lambda x: np.polyval([3, 0, 1], x), (3,), name="constant coefficients"),
    Case(np.polyval, lambda x: np.poly1d([3, 0, 1])(x), (3,), name="poly1d"),
    Case(polynomials.evaluated, polynomials.evaluated, (4,), (2,)),
    Case(np.polymul, np.polymul, (4,), (2,)),
    Case(np.polymul, np.polymul, C3, (4,)),
    Case(np.polymul, np.polymul, F32, F32[:3]),
    Case(np.polymul, np.polymul, (), (3,)),
    Case(np.polymul, lambda p: np.polymul(p, [2, 1]), (3,), name="constant"),
    Case(polynomials.multiplied, polynomials.multiplied, (2,), (3,)),
    Case(np.vander, np.vander, (4,)),
    Case(np.vander, lambda x: np.vander(x, 3), C3),
    Case(np.vander, lambda x: np.vander(x, 6, increasing=True), (3,)),
    Case(np.vander, lambda x: np.vander(x, 1), (3,)),
    Case(np.vander, lambda x: np.vander(x, 0), (3,)),
    Case(np.vander, lambda x: np.vander(x, N=3, increasing=True), F32),
    Case(np.roots, np.roots, np.array([1.0, -6.3, 11.0, -5.7])),
    Case(np.roots, np.roots, np.array([2.0, 1.0, 3.0])),
    Case(np.roots, np.roots, np.array([1.0, -6.3, 11.0, -5.7, 2.0, 0.4]), order=1),
    Case(np.roots, np.roots, C4),
    Case(np.roots, np.roots, np.array([2.0, 1.0])),
    Case(np.roots, np.roots, np.array([2.0])),
    Case(np.poly, np.poly, (4,)),
    Case(np.poly, np.poly, C3),
    Case(np.poly, lambda z: np.poly(np.concatenate((z, np.conj(z)))), C3, name="in pairs"),
    Case(np.poly, np.poly, np.array([[2.0, 0.3, 0.1], [0.4, -1.0, 0.2], [-0.5, 0.7, 0.5]])),
    Case(np.poly, np.poly, F32),
]

for f in (np.polyadd, np.polysub):
    CASES += [
        Case(f, f, (4,), (2,)),
        Case(f, f, (2,), (4,)),
        Case(f, f, (3,), (3,)),
        Case(f, f, C3, (4,)),
        Case(f, f, (), (3,)),
        Case(f, f, F32, F32[:2]),
        Case(f, lambda p, f=f: f([1, 2], p), (3,), name="constant"),
    ]
for m in (0, 1, 2, 4):
    CASES += [
        Case(np.polyder, lambda p, m=m: np.polyder(p, m), (4,), name=str(m)),
        Case(np.polyint, lambda p, m=m: np.polyint(p, m), (3,), name=str(m)),
    ]
CASES += [
    Case(np.polyder, np.polyder, C4),
    Case(np.polyder, np.polyder, F32),
    Case(np.polyint, np.polyint, C4),
    Case(np.polyint, np.polyint, F32),
    Case(np.polyint, lambda p, k: np.polyint(p, 2, k), (3,), (2,), name="constants"),
    Case(np.polyint, lambda p, k: np.polyint(p, 2, k=k), (3,), (), name="one constant"),
    Case(np.polydiv, np.polydiv, (5,), (2,)),
    Case(np.polydiv, np.polydiv, (2,), (4,)),
    Case(np.polydiv, np.polydiv, C4, C3[:2]),
    Case(np.polydiv, np.polydiv, (4,), ()),
    Case(np.polyfit, lambda x, y: np.polyfit(x, y, 2), X, (6,)),
    Case(np.polyfit, lambda x, y: np.polyfit(x, y, 1), X, (6, 2)),
    Case(np.polyfit, lambda y, w: np.polyfit(X, y, 2, w=w), (6,), WEIGHTS, name="weights"),
    Case(np.polyfit, lambda y, w: np.polyfit(X, y, 1, w=w), (6, 2), WEIGHTS, name="weights"),
    Case(np.polyfit, lambda y: np.polyfit(X, y, 2, cov=True), (6,), name="cov"),
    Case(np.polyfit, lambda y: np.polyfit(X, y, 1, cov=True), (6, 2), name="cov"),
    Case(
        np.polyfit,
        lambda x, w: np.polyfit(x, np.cos(X), 2, w=w, cov="unscaled"),
        X,
        WEIGHTS,
        name="cov unscaled",
    ),
    Case(np.polyfit, lambda x, y: np.polyfit(x, y, 2, full=True)[:2], X, (6,), name="full"),
]
