"""What `tapead.supported()` lists: what the tables hold, what the page says, what is expected."""

import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import tapead
from tapead import rules
from tapead.rules.table import Elementwise
from tapead.supported import HOW, PAGE, page, supported

LISTED = supported()
SCIPY = find_spec("scipy") is not None

# What HIPS autograd 1.8 has derivatives of, by the names of NumPy's and SciPy's functions.
AUTOGRAD = {
    "numpy": """
        abs absolute acos acosh add amax amin angle append arccos arccosh arcsin arcsinh arctan
        arctan2 arctanh array array_split asin asinh astype atan atan2 atanh atleast_1d atleast_2d
        atleast_3d broadcast_to clip column_stack concatenate conj conjugate cos cosh cross cumsum
        deg2rad degrees diag diagonal diff divide dot dsplit einsum exp exp2 expand_dims expm1 fabs
        fliplr flipud fmax fmin full gradient hsplit hstack hypot imag inner kron linspace log log10
        log1p log2 logaddexp logaddexp2 matmul max maximum mean min minimum mod moveaxis multiply
        nan_to_num negative outer pad partition permute_dims pow power prod rad2deg radians ravel
        real real_if_close reciprocal remainder repeat reshape roll rollaxis rot90 select sin sinc
        sinh sort split sqrt square squeeze stack std subtract sum swapaxes tan tanh tensordot tile
        trace transpose tril triu true_divide var vsplit vstack where
        """,
    "numpy of derivative 0": """
        all allclose any argmax argmin argpartition argsort argwhere around array_equal array_equiv
        ceil count_nonzero empty_like equal fix flatnonzero floor floor_divide full_like greater
        greater_equal isclose iscomplex iscomplexobj isfinite isinf isnan isneginf isposinf isreal
        isscalar less less_equal logical_and logical_not logical_or logical_xor ndim nonzero
        not_equal ones_like result_type rint round searchsorted shape sign size trunc zeros_like
        """,
    "numpy.linalg": "cholesky det eig eigh inv norm pinv slogdet solve svd",
    "numpy.fft": """
        fft fft2 fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2 rfftn
        """,
    "numpy.ndarray": """
        T all any argmax argmin argpartition argsort astype clip compress cumprod cumsum diagonal
        dtype flatten max mean min ndim nonzero prod ravel repeat reshape round searchsorted
        shape size squeeze std sum swapaxes take trace transpose var
        """,
    "scipy.special": """
        beta betainc betaln digamma erf erfc erfcinv erfinv expit gamma gammainc gammaincc gammaln
        gammasgn i0 i1 iv ive j0 j1 jn logit logsumexp multigammaln polygamma psi rgamma y0 y1 yn
        """,
    # And scipy.integrate.odeint, which is not here: write the integrator, or its steps, in NumPy.
    "scipy.linalg": "solve_banded solve_sylvester solve_triangular sqrtm",
    "scipy.signal": "convolve",
    "scipy.stats": """
        beta.cdf beta.logpdf beta.pdf chi2.cdf chi2.logpdf chi2.pdf dirichlet.logpdf dirichlet.pdf
        gamma.cdf gamma.logpdf gamma.pdf multivariate_normal.entropy multivariate_normal.logpdf
        multivariate_normal.pdf norm.cdf norm.logcdf norm.logpdf norm.logsf norm.pdf norm.sf
        poisson.cdf poisson.logpmf poisson.pmf t.cdf t.logcdf t.logpdf t.pdf
        """,
}

# What people meet besides.
EXPECTED = {
    "numpy": """
        append array block choose clip column_stack convolve cumprod cumsum diff dstack
        gradient histogram interp kron logaddexp2 matvec median nancumprod nancumsum nanmax nanmean
        nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar pad percentile
        piecewise polyval put_along_axis quantile select sinc take_along_axis trapezoid trapz
        vander vecdot array arange empty eye linspace ones zeros copyto put
        apply_along_axis fromiter vectorize
        """,
    "numpy.linalg": """
        cholesky cond det eig eigh inv lstsq matrix_power multi_dot norm pinv qr slogdet solve svd
        """,
    "numpy.ndarray": """
        T astype clip copy dot fill flatten item mean ravel real reshape shape sort sum take
        """,
    "numpy.ufunc": "accumulate at outer reduce reduceat",
    "scipy.linalg": "block_diag cho_factor cho_solve expm solve solve_triangular sqrtm",
    "scipy.signal": "convolve",
    "scipy.stats": """
        beta.logpdf binom.logpmf cauchy.logpdf chi2.logpdf dirichlet.logpdf expon.logpdf
        gamma.logpdf laplace.logpdf logistic.logpdf lognorm.logpdf multivariate_normal.logpdf
        norm.logpdf poisson.logpmf t.logpdf uniform.logpdf weibull_min.logpdf
        """,
}


def missing(names):
    """The names that are not listed, of those that the installed NumPy has at all."""
    found = []
    for group, words in names.items():
        group = group.partition(" ")[0]
        for word in words.split():
            known = group != "numpy" or hasattr(np, word)
            if known and f"{group}.{word}" not in LISTED:
                found.append(f"{group}.{word}")
    return [name for name in found if SCIPY or not name.startswith("scipy.")]


def test_everything_that_autograd_differentiates_is_supported():
    assert missing(AUTOGRAD) == []


def test_everything_that_is_promised_is_supported():
    assert missing(EXPECTED) == []


def test_every_row_of_numpys_functions_is_listed():
    rows = [r.ufunc if isinstance(r, Elementwise) else r.function for r in rules.ROWS]
    numpys = [
        f
        for f in (*rows, *rules.COMPOSED, *rules.VIEWS, *rules.DECISIONS)
        if isinstance(f, np.ufunc) or f.__module__.startswith("numpy")
    ]
    assert len(numpys) > 300
    last = {name.rpartition(".")[2] for name in LISTED}
    assert [f.__name__ for f in numpys if f.__name__ not in last] == []


def test_what_is_listed_is_there_and_public():
    for name in LISTED:
        assert "._" not in name
        assert not name.startswith("tapead")
        where, _, last = name.rpartition(".")
        if where in ("numpy", "numpy.linalg", "numpy.fft"):
            assert hasattr(sys.modules[where], last)


@pytest.mark.parametrize(
    ("name", "how"),
    {
        "math.sin": "rule",
        "math.floor": "derivative 0",
        "numpy.add": "elementwise",
        "numpy.abs": "elementwise",
        "numpy.einsum": "composed",
        "numpy.matmul": "rule",
        "numpy.transpose": "view",
        "numpy.real": "view",
        "numpy.copyto": "write",
        "numpy.zeros": "creation",
        "numpy.argmax": "derivative 0",
        "numpy.ndarray.sort": "write",
        "numpy.ndarray.T": "view",
        "numpy.ndarray.shape": "derivative 0",
    }.items(),
)
def test_how(name, how):
    assert LISTED[name] == how


def test_what_is_refused_is_not_listed():
    for name in ("numpy.ndarray.resize", "numpy.ndarray.tobytes", "numpy.busday_count"):
        assert name not in LISTED


@pytest.mark.skipif(not SCIPY, reason="needs SciPy")
def test_of_a_ufunc_with_constant_parameters_the_list_says_so():
    assert LISTED["scipy.special.jv"] == "elementwise, by operand 2 only"
    assert LISTED["scipy.special.beta"] == "elementwise"


def test_aliases_are_not_counted_as_functions():
    assert LISTED.aliases["numpy.abs"] == "numpy.absolute"
    assert sum(LISTED.counts.values()) == len(LISTED) - len(LISTED.aliases)
    assert set(LISTED.counts) == set(HOW)


def test_printed_it_is_a_table():
    lines = str(LISTED).splitlines()
    assert lines[0].startswith(f"{sum(LISTED.counts.values())} functions: ")
    assert max(map(len, lines[1:])) <= 98
    assert "  view          array_split, broadcast_to, diagonal" in str(LISTED)
    assert "absolute (abs)" in str(LISTED)
    assert repr(LISTED) == f"<tapead.supported: {sum(LISTED.counts.values())} functions>"


def test_without_scipy_the_rest_is_listed():
    program = "import sys; sys.modules['scipy'] = None; from tapead.supported import supported\n"
    program += "print(*supported().groups)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    groups = done.stdout.split()
    assert groups == [group for group in LISTED.groups if not group.startswith("scipy.")]


# ------------------------------------------------------------------------------------ the page ---


def sections(text):
    """The parts of the page by their headings, which name versions."""
    first, *others = re.split(r"^## ", text, flags=re.MULTILINE)
    return {"": first, **{part.partition("\n")[0]: part for part in others}}


@pytest.mark.parametrize("library", ["", "math", "NumPy", "SciPy"])
def test_the_page_says_what_the_tables_hold(library):
    written, now = sections(PAGE.read_text()), sections(page())
    (heading,) = (h for h in written if h.partition(" ")[0] == library)
    if heading not in now:
        pytest.skip(f"the page is of {heading}; run python -m tapead.supported")
    assert written[heading] == now[heading], "run python -m tapead.supported"


def test_it_is_public():
    assert tapead.supported is supported
    assert "supported" in tapead.__all__
