"""Remedies: what is usually done about an operation that gives an infinity, a nan, or an error.

A table, by operation and by what its operands are; see Goldberg 1991, "What every computer
scientist should know about floating-point arithmetic", and Blanchard, Higham and Higham 2021,
"Accurately computing the log-sum-exp and softmax functions", for why they help.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

VALUE, SLOPE = "value", "slope"


class Remedy(NamedTuple):
    """One row: for which operations, for their values or their slopes (or both), on which operands
    (None: on any), and what to do."""

    operations: str
    of: str
    applies: Callable[..., bool] | None
    text: str


# NumPy's names, and others, of operations that have a name of their own here.
_NAMES = {
    "divide": "div", "true_divide": "div", "reciprocal": "div", "/": "div", "//": "div",
    "floordiv": "div", "floor_divide": "div", "%": "div", "mod": "div", "remainder": "div",
    "fmod": "div", "divmod": "div", "multiply": "mul", "square": "mul", "*": "mul", "prod": "prod",
    "cumprod": "prod", "subtract": "sub", "-": "sub", "+": "add", "sum": "add", "cumsum": "add",
    "fsum": "add", "sub in": "sub", "add in": "add", "exact_add": "add", "power": "pow",
    "float_power": "pow", "powc": "pow", "**": "pow", "arccos": "acos", "arcsin": "asin",
    "arctan2": "atan2", "arctanh": "atanh", "arccosh": "acosh", "gammaln": "lgamma",
    "dist": "hypot", "dot": "matmul", "vecdot": "matmul", "inner": "matmul",
    "vdot": "matmul", "einsum": "matmul", "tensordot": "matmul", "matvec": "matmul",
    "vecmat": "matmul",
}  # fmt: skip


def _number(x: Any) -> float | None:
    return float(x) if isinstance(x, (int, float)) else None


def _some(test: Callable[[float], bool]) -> Callable[..., bool]:
    """Whether one of the operands, those that are numbers, passes a test."""

    def applies(*operands: Any) -> bool:
        return any(test(x) for x in map(_number, operands) if x is not None)

    return applies


def _first(test: Callable[[float], bool]) -> Callable[..., bool]:
    """Whether the first operand passes a test; also where it is no single number."""

    def applies(*operands: Any) -> bool:
        x = _number(operands[0]) if operands else None
        return x is None or test(x)

    return applies


def _zero_divisor(*operands: Any) -> bool:
    x = _number(operands[-1]) if operands else None
    return x is None or x == 0.0


def _both_zero(*operands: Any) -> bool:
    return all(x is None or x == 0.0 for x in map(_number, operands))


_BIG = _some(lambda x: abs(x) > 1e100)
_AT_ONE = _first(lambda x: 1.0 - 1e-7 <= abs(x) <= 1.0)
BOTH = f"{VALUE} {SLOPE}"

# fmt: off
REMEDIES = (
    Remedy("*", BOTH, _some(math.isnan),
        "An operand is nan before any operation: look where it comes from; data with gaps goes "
        "through np.nan_to_num or a mask, or the np.nan... functions"),
    Remedy("*", BOTH, _some(math.isinf),
        "An operand is infinite before any operation: put a large finite number in its place, or "
        "choose by np.where what is computed with it"),
    Remedy("log log2 log10", BOTH, _first(lambda x: x <= 0.0),
        "Keep the argument above 0: log(max(x, tiny)); for arrays put a harmless number inside, "
        "np.log(np.where(x > 0, x, 1.0)), and choose by np.where(x > 0, ..., 0.0) outside too"),
    Remedy("log log2 log10", BOTH, _first(lambda x: x <= 0.0),
        "x * log(y) at 0 is scipy.special.xlogy(x, y), -x * log(x) scipy.special.entr(x); the "
        "logarithm of a probability is computed from what the probability came from: log_softmax, "
        "log_expit, np.logaddexp"),
    Remedy("log", BOTH, None,
        "log(1 + x) for small x is log1p(x); the logarithm of a sum of exponentials is "
        "np.logaddexp or scipy.special.logsumexp"),
    Remedy("log1p", BOTH, _first(lambda x: x <= -1.0),
        "Keep the argument above -1: log1p(max(x, -1 + 1e-12))"),
    Remedy("exp exp2 cosh sinh", BOTH, None,
        "Subtract the largest exponent first: exp(x - max(x)) in a softmax, np.logaddexp or "
        "scipy.special.logsumexp for the logarithm of a sum; or keep x below 700 by clipping"),
    Remedy("exp expm1", BOTH, None,
        "1 / (1 + exp(-x)) is scipy.special.expit(x), log(1 + exp(x)) is np.logaddexp(0.0, x), "
        "exp(x) - 1 is expm1(x)"),
    Remedy("div", BOTH, _zero_divisor,
        "Put a harmless divisor inside, x / np.where(y != 0, y, 1.0), and choose the value at 0 by "
        "np.where(y != 0, ..., limit) outside; for numbers, branch: x / y if y != 0 else limit"),
    Remedy("div", BOTH, _zero_divisor,
        "Where 0 stands for very small, add a small number: x / (y + 1e-12); sin(x) / x is "
        "np.sinc(x / pi), (exp(x) - 1) / x is scipy.special.exprel(x)"),
    Remedy("div", BOTH, _some(lambda x: 0.0 < abs(x) < 1e-100),
        "The divisor is tiny: scale the problem, or divide logarithms by subtracting them"),
    Remedy("sqrt", BOTH, _first(lambda x: x < 0.0),
        "The argument is negative: where rounding did it, as in a difference that should be 0, "
        "take sqrt(max(x, 0.0)), or compute it as a sum of squares; otherwise branch, or put a "
        "harmless number inside by np.where and choose outside"),
    Remedy("sqrt", BOTH, _first(lambda x: x >= 0.0),
        "The slope at 0 is infinite: add a small number inside, sqrt(x + 1e-12), keep it above 0 "
        "by max(x, tiny), or put a harmless number inside by np.where and choose outside"),
    Remedy("sqrt", BOTH, _first(lambda x: x >= 0.0),
        "For a length use hypot(x, y) or np.linalg.norm, whose slope at the origin is 0 here; "
        "compare squares where lengths are only compared"),
    Remedy("cbrt", SLOPE, None,
        "The slope at 0 is infinite: keep the argument away from 0, or choose by np.where"),
    Remedy("pow", BOTH, _first(lambda x: x == 0.0),
        "A power below 1 is infinitely steep at 0, a negative one infinite, and the slope by the "
        "exponent has the logarithm of the base: keep the base above 0, (x + 1e-12) ** p, or "
        "choose by np.where inside and outside"),
    Remedy("pow", BOTH, _first(lambda x: x < 0.0),
        "A negative base has real powers with whole exponents only, and none to differentiate by "
        "the exponent: use abs(x) ** p with the sign in front, np.cbrt for a third, or int "
        "exponents"),
    Remedy("pow mul prod hypot", BOTH, _BIG,
        "The result is out of range: scale what is multiplied, or add logarithms"),
    Remedy("prod", BOTH, None,
        "Add the logarithms of the factors instead: np.sum(np.log(x))"),
    Remedy("mul matmul", BOTH, None,
        "A product out of range: scale the factors, or add logarithms; 0 times an infinity is nan: "
        "keep the infinity from arising, or choose by np.where before it is multiplied"),
    Remedy("add sub", BOTH, None,
        "A sum out of range, or a difference of infinities: scale the terms; a difference of "
        "logarithms or exponentials is np.logaddexp, log1p or expm1 of what remains"),
    Remedy("add sub", BOTH, _BIG,
        "A loop that has grown this far is mostly unstable: take smaller steps, or an implicit "
        "scheme"),
    Remedy("acos asin", BOTH, _first(lambda x: abs(x) > 1.0),
        "Outside of [-1, 1], where rounding may carry a cosine: clip it, or take the angle by "
        "atan2"),
    Remedy("acos asin", BOTH, _AT_ONE,
        "Steep at -1 and 1: an angle between vectors is atan2(norm(cross), dot), which is smooth "
        "there; a clip to [-1 + 1e-7, 1 - 1e-7] keeps the slope finite, one to [-1, 1] does not"),
    Remedy("atanh acosh", BOTH, None,
        "Infinite at its ends: clip the argument a little inside of them"),
    Remedy("atan2 angle", SLOPE, _both_zero,
        "An angle at the origin has no slope: choose by np.where, or branch, before it is taken"),
    Remedy("tan", BOTH, None, "A pole: work with the sine and the cosine, or with atan2"),
    Remedy("hypot norm", BOTH, None,
        "Scale the coordinates; at the origin the slope is 0 by convention"),
    Remedy("gamma factorial", BOTH, None,
        "Out of range from 171 on, and at 0, -1, -2, ...: use lgamma, and subtract logarithms"),
    Remedy("lgamma polygamma", BOTH, None, "Poles at 0, -1, -2, ...: keep the argument above 0"),
    Remedy("det", BOTH, None, "np.linalg.slogdet gives the logarithm, which stays in range"),
    Remedy("inv pinv solve slogdet cholesky qr", BOTH, None,
        "A matrix that is singular, or nearly so: add a small multiple of the identity, use "
        "np.linalg.lstsq or pinv, and look at np.linalg.cond"),
    Remedy("eigh eig svd", SLOPE, None,
        "Eigenvectors of equal eigenvalues, and singular vectors of equal singular values, have no "
        "derivative: use what does not depend on their choice, as sums of the values or the "
        "projection on all of them, or separate the values by a small perturbation"),
    Remedy("mean average median var std nanmean", BOTH, None,
        "Of nothing, or of one element: check that there are enough; a standard deviation of equal "
        "elements is steep: add a small number under the root"),
    Remedy("int floor ceil round trunc", VALUE, None,
        "Not finite before it was rounded: look where that comes from"),
)
# fmt: on


def remedies(operation: str, of: str, operands: Sequence[Any] = ()) -> tuple[str, ...]:
    """What is usually done about an operation.

    Parameters
    ----------
    operation : its name, an elementary operation's or NumPy's
    of : "value" or "slope": which of them is not finite
    operands : what it was called with; what is no single number counts as unknown

    Examples
    --------
    >>> remedies("log1p", "value", (-1.0,))
    ('Keep the argument above -1: log1p(max(x, -1 + 1e-12))',)
    >>> len(remedies("sin", "slope", (1.0,)))
    0
    """
    name = _NAMES.get(operation, operation)
    fitting = [
        row
        for row in REMEDIES
        if of in row.of
        and (row.operations == "*" or name in row.operations.split())
        and (row.applies is None or row.applies(*operands))
    ]
    # What was not finite before is no fault of this operation's.
    before = [row for row in fitting if row.operations == "*"]
    return tuple(row.text for row in before or fitting)
