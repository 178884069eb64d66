"""Cases of ``scipy.stats``: every method of every distribution, by all that has a derivative."""

import numpy as np
from case import Case

from tapead.scipy import stats
from tapead.scipy.stats.distribution import CONTINUOUS, DISCRETE

RNG = np.random.default_rng(5)
LOC, SCALE = np.array([0.3, -0.5, 0.1]), np.array([[1.5], [0.7]])

# Standard members: a domain, shape parameters with their domains.
_CONTINUOUS = {
    "norm": ((-2.0, 2.0), ()),
    "t": ((-2.0, 2.0), ((2.0, 5.0),)),
    "gamma": ((0.2, 3.0), ((1.2, 3.0),)),
    "chi2": ((0.2, 3.0), ((2.2, 5.0),)),
    "beta": ((0.2, 0.8), ((1.2, 3.0), (1.5, 2.5))),
    "expon": ((0.2, 3.0), ()),
    "lognorm": ((0.2, 3.0), ((0.5, 1.5),)),
    "laplace": ((-2.0, 2.0), ()),
    "logistic": ((-2.0, 2.0), ()),
    "uniform": ((0.1, 0.9), ()),
    "cauchy": ((-3.0, 3.0), ()),
    "weibull_min": ((0.2, 3.0), ((0.8, 2.5),)),
}
# Their distribution functions have no derivative by the shapes.
_FIXED = ("t", "gamma", "chi2", "beta")


def _drawn(domain, shape=(2, 3)):
    return RNG.uniform(*domain, shape)


def _continuous(name, method):
    d = getattr(stats, name)
    f = getattr(d, method)
    domain, shapes = _CONTINUOUS[name]
    if method in ("ppf", "isf"):
        domain = (0.1, 0.9)
    x = _drawn(domain)
    shapes = [_drawn(s, (3,)) for s in shapes]
    cases = [Case(f, lambda x, *s: f(x, *s), x, *shapes)]
    if name in _FIXED and "pdf" not in method:
        cases = [Case(f, lambda x: f(x, *shapes), x)]
        call = lambda x, loc, scale: f(x, *shapes, loc, scale)  # noqa: E731
    else:
        call = lambda x, loc, scale, *s: f(x, *s, loc, scale)  # noqa: E731
    extra = [] if name in _FIXED and "pdf" not in method else shapes
    moved = x if method in ("ppf", "isf") else x * SCALE + LOC
    cases.append(Case(f, call, moved, LOC, SCALE, *extra, name="loc, scale"))
    cases.append(Case(f, call, moved[0, 0], LOC[0], SCALE[0, 0], *[s[0] for s in extra]))
    named = dict(zip(d.shapes, shapes))
    cases.append(
        Case(f, lambda x, s: f(x, scale=s, loc=0.1, **named), x + 0.1, 1.2, name="by name")
    )
    return cases


CASES = [
    case for name in _CONTINUOUS for method in CONTINUOUS for case in _continuous(name, method)
]
for method in CONTINUOUS:
    f, n = getattr(stats.gamma, method), getattr(stats.norm, method)
    beyond = [-1.0, np.nan]  # no probability, and no value of the distribution
    scales = np.array([1.0, 1.0, 2.0, 1.0, -1.0])
    CASES += [
        Case(
            f,
            lambda y, f=f, x=beyond, s=scales: f(np.concatenate((x, y)), 1.7, scale=s)[2:4],
            np.array([0.5, 0.2, 0.3]),
            name="beside what is outside",
        ),
        Case(n, n, np.float32([0.2, 0.7])),
        Case(n, n, np.zeros((0, 2))),
    ]
CASES += [
    Case(stats.t.logpdf, lambda x: stats.t.logpdf(x, [np.inf, 3.0]), (2,), name="normal"),
    Case(stats.logistic.logpdf, stats.logistic.logpdf, np.array([0.0, 1.0]), name="at 0"),
    Case(stats.cauchy.ppf, stats.cauchy.ppf, np.array([0.01, 0.3, 0.9]), name="tails"),
]

COUNTS = np.array([0, 1, 3, 4])
for method in DISCRETE:
    f, b = getattr(stats.poisson, method), getattr(stats.binom, method)
    CASES += [
        Case(f, lambda mu, f=f: f(COUNTS, mu), _drawn((0.5, 4.0), (3, 1))),
        Case(f, lambda mu, f=f: f(COUNTS + 2, mu, 2), _drawn((0.5, 4.0), (4,))),
        Case(f, lambda mu, f=f: f([-1, 2, 0.5], mu)[1], _drawn((0.5, 4.0), (3,)), name="some"),
        Case(f, lambda mu, f=f: f(2, mu), 1.7),
        Case(b, lambda p, b=b: b(COUNTS, 6, p), _drawn((0.2, 0.8), (3, 1))),
        Case(b, lambda p, b=b: b(COUNTS + 1, n=[5, 6, 7, 8], p=p, loc=1), _drawn((0.2, 0.8), ())),
    ]

MEAN = np.array([0.3, -0.5, 0.1])
COV = np.array([[1.5, 0.3, -0.2], [0.3, 0.9, 0.1], [-0.2, 0.1, 1.2]])
ALPHA = np.array([1.5, 2.0, 0.7])
POINTS = np.array([[0.2, 0.3], [0.5, 0.1], [0.3, 0.6]])
_mvn = stats.multivariate_normal
for f in (_mvn.logpdf, _mvn.pdf):
    CASES += [
        Case(f, f, (3,), MEAN, COV),
        Case(f, f, (2, 4, 3), MEAN, COV),
        Case(f, lambda x, c, f=f: f(x, cov=c), (4, 3), COV, name="no mean"),
        Case(f, lambda x, m, c, f=f: f(x, m, c), (3,), MEAN, np.array([0.5, 1.0, 2.0])),
        Case(f, lambda x, m, c, f=f: f(x, m, c), (4, 3), MEAN, 1.3),
        Case(f, lambda x, m, f=f: f(x, m), (4,), 0.5, name="one dimension"),
    ]
CASES += [
    Case(_mvn.entropy, lambda c: _mvn.entropy(MEAN, c), COV),
    Case(_mvn.entropy, lambda c: _mvn.entropy(cov=c), 1.3),
]
for f in (stats.dirichlet.logpdf, stats.dirichlet.pdf):
    CASES += [
        Case(f, lambda x, a, f=f: f(x[:2], a), POINTS[:, 0], ALPHA, name="without the last"),
        Case(f, lambda x, a, f=f: f(x[:2], a), POINTS, ALPHA, name="several"),
        Case(f, lambda a, f=f: f([0.2, 0.5, 0.3], a), ALPHA),
    ]
