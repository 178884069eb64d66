"""Cases of ``scipy.special``."""

import numpy as np
import scipy.special as sp
from case import Case

from tapead.scipy import special
from tapead.scipy.rows import gammas

RNG = np.random.default_rng(11)


def _in(low, high, shape=(4,)):
    return RNG.uniform(low, high, shape)


def _complex(low, high):
    return _in(low, high) + 1j * _in(0.2, 0.8)


LINE, POSITIVE, UNIT = (-2.0, 2.0), (0.3, 4.0), (0.1, 0.9)

# ufuncs of one argument, by their domains.
_ONE = {
    LINE: "erf erfc erfcx erfi dawsn ndtr log_ndtr expit log_expit expm1 exp2 exp10 exprel cosm1 "
    "sindg cosdg i0 i1 i0e i1e j0 j1 wrightomega rgamma wofz",
    POSITIVE: "log1p cbrt tandg cotdg expi exp1 spence entr gamma gammaln loggamma psi y0 y1 k0 k1 "
    "k0e k1e ellipkm1",
    UNIT: "erfinv erfcinv ndtri logit ellipk ellipe",
}
_COMPLEX = [
    "erf",
    "erfc",
    "erfcx",
    "erfi",
    "dawsn",
    "wofz",
    "ndtr",
    "log_ndtr",
    "expm1",
    "log1p",
    "gamma",
    "loggamma",
    "rgamma",
    "spence",
    "wrightomega",
    "expi",
    "exp1",
]

CASES = []
for domain, names in _ONE.items():
    for name in names.split():
        f = getattr(sp, name)
        CASES.append(Case(f, f, _in(*domain, (2, 3))))
        CASES.append(Case(f, f, _in(*domain).astype(np.float32), order=1))
        if name in _COMPLEX:
            order = 1 if "gamma" in name else 2
            CASES.append(Case(f, f, _complex(*domain), order=order))
CASES += [
    Case(sp.ndtri_exp, sp.ndtri_exp, _in(-3.0, -0.1)),
    Case(sp.erf, sp.erf, 0.5),
    Case(sp.erf, sp.erf, (0, 3)),
    Case(sp.erf, lambda x: sp.erf(x.T), (2, 3), name="transposed"),
    Case(sp.log_ndtr, sp.log_ndtr, np.array([-300.0, -40.0, -3.0, 0.0, 9.0]), name="tail"),
    Case(sp.erfcx, sp.erfcx, np.array([-3.0, 0.0, 40.0, 60.0, 500.0]), name="tail"),
    Case(sp.dawsn, sp.dawsn, np.array([-60.0, 0.0, 40.0, 60.0, 500.0]), name="tail"),
    Case(sp.expit, sp.expit, np.array([-50.0, 0.0, 30.0]), name="tail"),
    Case(sp.rgamma, sp.rgamma, np.array([-3.0, -2.0, 0.0, 0.5, -1.4]), name="at its zeros"),
    Case(sp.exprel, sp.exprel, np.array([-30.0, -1e-6, 0.0, 1e-9, 5.0]), name="at 0"),
    Case(sp.spence, sp.spence, np.array([0.2, 1.0, 1.3, 4.0]), name="at 1"),
    Case(sp.ellipk, sp.ellipk, np.array([-20.0, -0.5, 0.0, 0.7]), name="at 0"),
    Case(sp.ellipe, sp.ellipe, np.array([-20.0, -0.5, 0.0, 0.7]), name="at 0"),
    Case(sp.ellipkm1, sp.ellipkm1, np.array([0.01, 0.7, 1.0, 1.5, 30.0]), name="at 1"),
]

# Two and more arguments; ints are constants.
for names, domains in {
    "powm1 xlogy xlog1py rel_entr kl_div huber pseudo_huber boxcox boxcox1p poch beta betaln "
    "inv_boxcox inv_boxcox1p": (POSITIVE, POSITIVE),
    "owens_t": (LINE, LINE),
    "binom": ((3.0, 6.0), (0.5, 2.5)),
    "voigt_profile": (LINE, POSITIVE, POSITIVE),
}.items():
    for name in names.split():
        f = getattr(sp, name)
        CASES.append(Case(f, f, *(_in(*d, (3,)) for d in domains)))
        CASES.append(Case(f, f, _in(*domains[0], (2, 1)), *(_in(*d, (3,)) for d in domains[1:])))
        CASES.append(Case(f, f, *(_in(*d, ()) for d in domains)))
CASES += [
    Case(sp.xlogy, sp.xlogy, np.array([0.0, 1.0]), np.array([2.0, 3.0]), name="at 0"),
    Case(sp.xlogy, sp.xlogy, _complex(*UNIT), _complex(*POSITIVE)),
    Case(sp.xlog1py, sp.xlog1py, _complex(*UNIT), _complex(*POSITIVE)),
    Case(sp.xlog1py, sp.xlog1py, np.array([0.0, 1.0]), np.array([2.0, 3.0]), name="at 0"),
    Case(sp.boxcox, sp.boxcox, _in(*POSITIVE), np.array([0.0, 1e-9, -0.3, 2.0]), name="at 0"),
    Case(sp.boxcox1p, sp.boxcox1p, _in(*POSITIVE), np.array([0.0, 1e-9, -0.3, 2.0]), name="at 0"),
    Case(sp.inv_boxcox, sp.inv_boxcox, _in(*POSITIVE), np.array([1e-3, 0.1, 1.0, 3.0])),
    Case(sp.huber, sp.huber, 1.0, np.array([-3.0, -0.5, 0.0, 0.3, 2.0]), name="both sides"),
]


def _last(name, *parameters):
    """A ufunc that has a derivative by its last argument only."""
    f = getattr(sp, name)
    *fixed, domain = parameters
    return [
        Case(f, lambda x: f(*fixed, x), _in(*domain, (2, 3)), name=str(fixed)),
        Case(f, lambda x: f(*fixed, x), _in(*domain).astype(np.float32), name="f", order=1),
    ]


for name in ["gammainc", "gammaincc", "stdtr", "chdtr", "chdtrc", "pdtr", "pdtrc"]:
    CASES += _last(name, 2.6, POSITIVE)
for name in ["gammaincinv", "gammainccinv", "stdtrit", "chdtri"]:
    CASES += _last(name, 2.6, UNIT)
for name in ["betainc", "betaincc", "betaincinv", "betainccinv", "fdtr", "fdtrc", "fdtri"]:
    CASES += _last(name, 1.7, 2.6, UNIT)
for name in ("bdtr", "bdtrc", "nbdtr", "nbdtrc"):
    CASES += _last(name, 2, 6, UNIT)
for name in [
    "jv",
    "yv",
    "iv",
    "kv",
    "jve",
    "yve",
    "ive",
    "kve",
    "struve",
    "modstruve",
    "hankel1",
    "hankel2",
    "hankel1e",
    "hankel2e",
]:
    CASES += _last(name, 1.3, POSITIVE)
    if name not in ("jve", "yve", "ive", "struve", "modstruve"):
        f = getattr(sp, name)
        CASES.append(Case(f, lambda z, f=f: f(0.6, z), _complex(*POSITIVE)))
for name in ("yn", "kn"):
    CASES += _last(name, 0, POSITIVE) + _last(name, 3, POSITIVE)
CASES += [
    *_last("hyp0f1", 1.7, LINE),
    *_last("hyp1f1", 0.7, 1.7, LINE),
    *_last("hyperu", 0.7, 1.7, POSITIVE),
    *_last("hyp2f1", 0.7, 1.2, 1.7, UNIT),
    *_last("expn", 0, POSITIVE),
    *_last("expn", np.array([0, 1, 4]), POSITIVE)[:1],
    Case(sp.gdtr, lambda a, x: sp.gdtr(a, 1.7, x), _in(*POSITIVE), _in(*POSITIVE)),
    Case(sp.gdtrc, lambda a, x: sp.gdtrc(a, 1.7, x), _in(*POSITIVE), _in(*POSITIVE)),
    Case(sp.ellipkinc, lambda phi: sp.ellipkinc(phi, 0.4), (3,)),
    Case(sp.ellipeinc, lambda phi: sp.ellipeinc(phi, 0.4), (3,)),
    Case(sp.ellipj, lambda u: sp.ellipj(u, 0.4), (3,)),
    Case(sp.sici, sp.sici, _in(*POSITIVE)),
    Case(sp.shichi, sp.shichi, _in(*POSITIVE)),
    Case(sp.fresnel, sp.fresnel, (3,)),
    Case(sp.fresnel, lambda x: sp.fresnel(x)[1], (3,), name="one result"),
    Case(sp.airy, sp.airy, (2, 2)),
    Case(sp.airy, sp.airy, _complex(*LINE)),
]
for name in [
    "legendre",
    "sh_legendre",
    "chebyt",
    "sh_chebyt",
    "chebyc",
    "chebyu",
    "sh_chebyu",
    "chebys",
    "hermite",
]:
    CASES += _last(f"eval_{name}", np.array([0, 1, 5]), UNIT)[:1]
    CASES += _last(f"eval_{name}", 3, UNIT)
for name in ("hermitenorm", "laguerre"):
    CASES += _last(f"eval_{name}", np.array([0, 1, 5]), UNIT)[:1]
CASES += [
    *_last("eval_gegenbauer", np.array([0, 1, 4]), 0.7, UNIT)[:1],
    *_last("eval_genlaguerre", np.array([0, 1, 4]), 0.7, UNIT)[:1],
    *_last("eval_jacobi", np.array([0, 1, 4]), 0.7, 1.2, UNIT)[:1],
    *_last("eval_legendre", 2.5, UNIT),
]

# ------------------------------------------------------------------------ other functions ---


def _sums(f, x, *options):
    cases = []
    for o in options:
        cases.append(Case(f, lambda x, o=o: f(x, **o), x, name=str(o)))
    return cases


_lse, _weighted = special._lse, special._weighted_lse
_AXES = ({}, {"axis": 0}, {"axis": (0, -1), "keepdims": True}, {"axis": -1, "keepdims": True})
HALVES = np.array([[0.5, -1.0, 2.0], [1.0, 0.3, -0.2]])
CASES += [
    Case(sp.logsumexp, special.logsumexp, (3, 4)),
    *_sums(special._lse, (2, 3), *({"axis": None, "keepdims": False} | o for o in _AXES)),
    *_sums(special.logsumexp, (2, 3), *_AXES, {"axis": 1, "return_sign": True}),
    *_sums(special.logsumexp, _complex(*LINE), {}),
    Case(sp.logsumexp, special.logsumexp, np.array([1.0, -np.inf, 2.0]), name="-inf", order=1),
    Case(sp.logsumexp, special.logsumexp, np.float32([1.0, 3.0])),
    Case(sp.logsumexp, special.logsumexp, np.array([1000.0, 1001.0]), name="large"),
    Case(sp.logsumexp, special.logsumexp, 2.0),
    Case(
        special._weighted_lse,
        lambda a, b: special._weighted_lse(a, b, axis=None, keepdims=False, return_sign=False),
        (2, 3),
        _in(*UNIT, (2, 3)),
    ),
    Case(sp.logsumexp, lambda a, b: special.logsumexp(a, b=b, axis=1), (2, 3), _in(*UNIT, (3,))),
    Case(sp.logsumexp, lambda a, b: special.logsumexp(a, 0, b), (3,), _in(*UNIT, (2, 3))),
    Case(sp.logsumexp, lambda b: special.logsumexp(np.zeros((2, 3)), 0, b), _in(*UNIT, (2, 3))),
    Case(
        sp.logsumexp,
        lambda a: special.logsumexp(a, b=HALVES, axis=0, return_sign=True),
        (2, 3),
        name="signs",
    ),
    *_sums(special.softmax, (2, 3), *({k: o[k] for k in o if k == "axis"} for o in _AXES)),
    *_sums(special.log_softmax, (2, 3), *({k: o[k] for k in o if k == "axis"} for o in _AXES)),
    Case(special.softmax, special.softmax, (0,))
    if False
    else Case(special.softmax, special.softmax, (1,)),
    Case(special.polygamma, lambda x: special.polygamma(2, x), _in(*POSITIVE)),
    Case(special.polygamma, lambda x: special.polygamma([[0], [1]], x), _in(*POSITIVE)),
    Case(special.polygamma, lambda x: special.polygamma(1, x), np.array([-1.5, -0.3])),
    Case(sp.zeta, lambda q: special.zeta(2.5, q), _in(*POSITIVE)),
    Case(gammas.hurwitz, lambda q: gammas.hurwitz(np.array([[2.0], [3.5]]), q), _in(*POSITIVE)),
    Case(special._riemann, lambda q: q * special._riemann(3.0), (2,)),
    Case(sp.multigammaln, lambda a: special.multigammaln(a, 3), _in(2.0, 4.0)),
    Case(special.lambertw, special.lambertw, np.array([0.0, -0.2, 1.0, 7.0])),
    Case(special.lambertw, lambda z: special.lambertw(z, -1), _complex(*LINE)),
    Case(sp.comb, special.comb, np.array([5.0, 6.5]), np.array([2.0, 3.3])),
    Case(sp.comb, lambda n: special.comb(n, [0, 2], repetition=True), np.array([5.0, 6.5])),
    Case(sp.perm, special.perm, np.array([5.0, 6.5]), np.array([2.0, 3.3])),
    Case(special.factorial, special.factorial, np.array([0.0, 2.5, 4.0, -1.5])),
    Case(special.softplus, special.softplus, (3,)),
]
for f in (special.spherical_jn, special.spherical_yn, special.spherical_in, special.spherical_kn):
    CASES += [
        Case(f, lambda z, f=f: f(2, z), _in(*POSITIVE)),
        Case(f, lambda z, f=f: f(0, z), _in(*POSITIVE)),
        Case(f, lambda z, f=f: f([[0], [1], [3]], z, derivative=True), _in(*POSITIVE)),
        Case(f, lambda z, f=f: f(1, z), _complex(*POSITIVE)),
    ]
for name in ("jvp", "yvp", "ivp", "kvp", "h1vp", "h2vp"):
    f = getattr(special, name)
    for n in (0, 1, 3):
        CASES.append(Case(getattr(sp, name), lambda z, n=n, f=f: f(1.3, z, n), _in(*POSITIVE)))
