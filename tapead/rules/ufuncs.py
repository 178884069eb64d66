"""Rows of NumPy's ufuncs, but for the products of matrices.

Partial derivatives come from the table of elementary operations, whose formulas for numbers are
rewritten for arrays.  By hand are those whose form for numbers does not do for arrays: shared ties,
constant exponents, complex operands, and what is cheap once but dear a million times.

Partials may divide by zero: sweeps call them with NumPy's warnings off.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapead.elementary import OPS

from .table import Elementwise, Rule, as_array, primitive

# ------------------------------------------------------- partials from the elementary table ---

_OPS = {op.name: op for op in OPS}
_CONSTANTS = {"0.0": None, "1.0": 1.0, "-1.0": -1.0}
_DIGITS = {"a": "0", "b": "1", "v": "v"}


class _Arrays(ast.NodeTransformer):
    """A formula for numbers as one for arrays: branches become np.where, functions NumPy's."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return _call(node.func.id, *node.args)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _call("where", node.test, node.body, node.orelse)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        return _call(name, *node.values)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        # An operand may be a float of Python's, which raises where NumPy has a value.
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return _call("power", node.left, node.right)
        if isinstance(node.op, ast.Div) and not _names(node.left) and _names(node.right):
            return _call("divide", node.left, node.right)
        return node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load()), list(args), [])


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} & _DIGITS.keys()


def _partial(formula: str, arity: int) -> Any:
    """A formula of the table as a partial of an Elementwise row."""
    if formula in _CONSTANTS:
        return _CONSTANTS[formula]
    tree = ast.fix_missing_locations(_Arrays().visit(ast.parse(formula, mode="eval")))
    args = "a, v" if arity == 1 else "a, b, v"
    return eval(f"lambda {args}: {ast.unparse(tree)}", {"np": np})  # the table is ours


def _derived(ufunc: np.ufunc, name: str) -> Elementwise:
    """The row of a ufunc that is an operation of the table."""
    op = _OPS[name]
    formulas = (op.da, op.db)[: op.arity]
    used = (_names(ast.parse(f)) for f in formulas)
    return Elementwise(
        ufunc,
        tuple(_partial(f, op.arity) for f in formulas),
        tuple("".join(d for name, d in _DIGITS.items() if name in names) for names in used),
    )


_FROM_TABLE = {
    np.positive: "copy", np.negative: "neg", np.add: "add", np.subtract: "sub", np.multiply: "mul",
    np.fabs: "abs", np.remainder: "mod", np.fmod: "fmod", np.copysign: "copysign",
    np.nextafter: "nextafter", np.hypot: "hypot", np.sqrt: "sqrt", np.cbrt: "cbrt",
    np.exp: "exp", np.exp2: "exp2", np.expm1: "expm1",
    np.log: "log", np.log2: "log2", np.log10: "log10", np.log1p: "log1p",
    np.sin: "sin", np.cos: "cos", np.tan: "tan", np.arctan: "atan",
    np.sinh: "sinh", np.cosh: "cosh", np.arctanh: "atanh",
}  # fmt: skip


# --------------------------------------------------------------------------- complex operands ---

_FLOAT, _COMPLEX = np.dtype(float), np.dtype(complex)


def dtype_of(x: Any) -> np.dtype:
    """The dtype of an operand, which may be a number of Python's."""
    return getattr(x, "dtype", _COMPLEX if type(x) is complex else _FLOAT)


def is_complex(x: Any) -> bool:
    """Whether an operand is complex."""
    return dtype_of(x).kind == "c"


def _with_cuts(name: str, on_complex: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The table's partial for reals, another for complex numbers, which have branch cuts.

    On a cut the sign of a zero real or imaginary part tells the side.  ``1.0 + a`` and ``1.0 - a``
    would lose it, since 1.0 has an imaginary part 0 that is added; to subtract it does no harm.
    """
    on_real = _partial(_OPS[name].da, 1)
    return lambda a, v: on_complex(a) if is_complex(a) else on_real(a, v)


_arcsin = _with_cuts("asin", lambda a: 1.0 / np.sqrt(-(a - 1.0) * (a - -1.0)))
_arccos = _with_cuts("acos", lambda a: -1.0 / np.sqrt(-(a - 1.0) * (a - -1.0)))
_arcsinh = _with_cuts("asinh", lambda a: 1.0 / np.sqrt(a * a - -1.0))
_arccosh = _with_cuts("acosh", lambda a: 1.0 / (np.sqrt(a - 1.0) * np.sqrt(a - -1.0)))


def _absolute(a: Any, v: Any) -> Any:
    """The sign; where complex, what adjoints are multiplied with: the conjugate of a / abs(a)."""
    if not is_complex(a):
        return np.sign(a)
    r = np.absolute(a)
    return np.where(r == 0.0, 0.0, np.conjugate(a) / r)


@primitive
def phase(z: Any) -> Any:
    """np.sign of complex numbers: z / abs(z)."""
    return np.sign(z)


@primitive
def real_sign(x: Any) -> Any:
    """np.sign of reals, which is a decision."""
    return np.sign(x)


def _sign(x: Any) -> Any:
    x = as_array(x)
    return phase(x) if is_complex(x) else real_sign(x)


def _over_twice(x: Any, a: Any) -> Any:
    """x / (2 abs(a)), 0 at the origin."""
    r = np.absolute(a)
    return np.where(r == 0.0, 0.0, x / (2.0 * r))


# ------------------------------------------------------------------------ quotients and powers ---


def _by_dividend(a: Any, b: Any, v: Any) -> Any:
    # A float stays one: it does not widen what it is multiplied with.
    return 1.0 / b if type(b) is float and b != 0.0 else np.divide(1.0, b)


def _over_square(x: Any, a: Any, b: Any) -> Any:
    """x / (a^2 + b^2); by np.hypot, which takes long, only where the sum is out of range."""
    square = a * a + b * b
    range_ = np.finfo(dtype_of(square))
    if np.all((square > range_.tiny / range_.eps) & (square <= range_.max)):
        return x / square
    h = np.hypot(a, b)
    return x / h / h


def _number(x: Any) -> Any:
    """A constant that is a single number, as Python's; None for anything else."""
    if issubclass(type(x), (np.ndarray, np.generic)):
        return x.item() if x.ndim == 0 else None
    return x if issubclass(type(x), (int, float, complex)) else None


def _widened(a: Any, v: Any) -> Any:
    """a in the dtype of the value, to which NumPy has cast it."""
    dtype = _COMPLEX if type(v) is complex else getattr(v, "dtype", None)
    if dtype is None or getattr(a, "dtype", dtype) == dtype or dtype_of(a).kind == "c":
        return a
    return a.astype(dtype)


_power_of_constants = _partial(_OPS["powc"].da, 2)
_power_of_tracked = _partial(_OPS["pow"].da, 2)


def _by_base(a: Any, b: Any, v: Any) -> Any:
    a, n = _widened(a, v), _number(b)
    if n is not None:
        return _monomial(a, n)
    # An exponent with a derivative of its own asks for that of b * a**(b-1) at b = 0, too.
    plain = issubclass(type(b), np.ndarray)
    return (_power_of_constants if plain else _power_of_tracked)(a, b, v)


def _monomial(a: Any, n: Any) -> Any:
    """n * a**(n-1) for a number n; np.power can take a hundred times as long as a product."""
    if n == 0 or n == 1:
        return float(n.real)
    if n == 2:
        return n * a
    if n == 3:
        return n * np.square(a)
    if n == 4:
        return n * (a * np.square(a))
    if n == -1:
        return n / np.square(a)
    if n == 0.5:
        return n / np.sqrt(a)
    if n == 1.5:
        return n * np.sqrt(a)
    return n * np.power(a, n - 1)


def _by_exponent(a: Any, b: Any, v: Any) -> Any:
    n = _number(a)
    if n is None:
        return np.where(v != 0.0, v * np.log(_widened(a, v)), 0.0)
    # A negative base has a logarithm where the exponent made it complex.
    log = np.log(complex(n) if is_complex(v) else float(n)).item()
    return v * log if np.isfinite(log) else np.where(v != 0.0, v * log, 0.0)


# ------------------------------------------------------------------------- extrema, and sums ---


def _share(ahead: Any, behind: Any, a: Any, b: Any, v: Any, nan_wins: bool) -> Any:
    """The part of an operand a in the larger, or smaller, of a and b: a tie is shared equally.

    A nan is the result where nan wins; else the other operand is, if that is none.
    """
    level = ahead == behind
    part = np.asarray(ahead, dtype_of(v))
    if not np.any(level):
        return part
    won, lost = (a, b) if nan_wins else (b, a)
    even = np.where(np.isnan(won), 1.0, np.where(np.isnan(lost), 0.0, 0.5))
    return np.where(level, even.astype(part.dtype), part)


def _rest(ahead: Any, behind: Any, a: Any, b: Any, v: Any, nan_wins: bool) -> Any:
    """The part of the other operand."""
    if not np.any(ahead == behind):
        return np.asarray(behind, dtype_of(v))
    return 1.0 - _share(ahead, behind, a, b, v, nan_wins)


def _extremum(ufunc: np.ufunc, better: Callable, nan_wins: bool) -> Elementwise:
    """The row of maximum and its like: better(a, b) tells where a is the result."""
    return Elementwise(
        ufunc,
        (
            lambda a, b, v: _share(better(a, b), better(b, a), a, b, v, nan_wins),
            lambda a, b, v: _rest(better(a, b), better(b, a), a, b, v, nan_wins),
        ),
        "01",
    )


def _weight(exp: np.ufunc, a: Any, b: Any) -> Any:
    """exp(a) / (exp(a) + exp(b)); one half where both are the same infinity."""
    return np.divide(1.0, 1.0 + exp(np.where((a == b) & np.isinf(a), 0.0, b - a)))


def _log_of_sum(ufunc: np.ufunc, exp: np.ufunc) -> Elementwise:
    return Elementwise(
        ufunc, (lambda a, b, v: _weight(exp, a, b), lambda a, b, v: _weight(exp, b, a)), "01"
    )


def _scaled(ufunc: np.ufunc, factor: float) -> Elementwise:
    return Elementwise(ufunc, (lambda a, v: factor,), "")


# ------------------------------------------------------------------------ ufuncs of two results ---


@primitive
def fraction(x: Any) -> Any:
    """The first result of np.modf."""
    return np.modf(x)[0]


@primitive
def exponent(x: Any) -> Any:
    """The second result of np.frexp."""
    return np.frexp(x)[1]


def _frexp(x: Any) -> Any:
    power = exponent(x)
    return np.ldexp(x, -power), power


# ------------------------------------------------------------------------------------ rows ---

# Before NumPy 2 np.sign of complex numbers was -1, 0 or 1.
_SIGN_IS_PHASE = np.sign(2j) == 1j

RULES: tuple[Rule | Elementwise, ...] = (
    *(_derived(ufunc, name) for ufunc, name in _FROM_TABLE.items()),
    Elementwise(np.absolute, (_absolute,), "0"),
    Elementwise(np.divide, (_by_dividend, _partial(_OPS["div"].db, 2)), ("1", "1v")),
    Elementwise(np.power, (_by_base, _by_exponent), ("01", "0v")),
    Elementwise(np.float_power, (_by_base, _by_exponent), ("01", "0v")),
    Elementwise(np.square, (lambda a, v: 2.0 * a,), "0"),
    Elementwise(np.reciprocal, (lambda a, v: -v * v,), "v"),
    Elementwise(np.arcsin, (_arcsin,), "0"),
    Elementwise(np.arccos, (_arccos,), "0"),
    Elementwise(np.arcsinh, (_arcsinh,), "0"),
    Elementwise(np.arccosh, (_arccosh,), "0"),
    # The table's keeps more digits as v nears 1, for two cosh each.
    Elementwise(np.tanh, (lambda a, v: (1.0 - v) * (1.0 + v),), "v"),
    Elementwise(
        np.arctan2,
        (lambda a, b, v: _over_square(b, a, b), lambda a, b, v: _over_square(-a, a, b)),
        "01",
    ),
    Elementwise(np.ldexp, (lambda a, b, v: np.ldexp(np.ones((), dtype_of(v)), b), None), ("1", "")),
    Elementwise(np.heaviside, (None, lambda a, b, v: np.asarray(a == 0, dtype_of(v))), ("", "0")),
    _extremum(np.maximum, operator.gt, nan_wins=True),
    _extremum(np.minimum, operator.lt, nan_wins=True),
    _extremum(np.fmax, operator.gt, nan_wins=False),
    _extremum(np.fmin, operator.lt, nan_wins=False),
    _log_of_sum(np.logaddexp, np.exp),
    _log_of_sum(np.logaddexp2, np.exp2),
    _scaled(np.degrees, 180.0 / np.pi),
    _scaled(np.rad2deg, 180.0 / np.pi),
    _scaled(np.radians, np.pi / 180.0),
    _scaled(np.deg2rad, np.pi / 180.0),
    Rule(np.conjugate, "x", lambda g, v, x: np.conjugate(g) if is_complex(g) else g, out=True),
    Rule(
        phase,
        "z",
        lambda g, v, z: _over_twice(g - np.conjugate(g * v * v), z),
        lambda t, v, z: _over_twice(t - v * v * np.conjugate(t), z),
        needs="0v",
    ),
    Rule(fraction, "x", lambda g, v, x: g, lambda t, v, x: t),
)

COMPOSED = {
    np.divmod: lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)),
    np.modf: lambda x: (fraction(x), np.trunc(x)),
    np.frexp: _frexp,
}
if _SIGN_IS_PHASE:
    COMPOSED[np.sign] = _sign

# Comparisons, tests, and functions that are piecewise constant.
DECISIONS = (
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isfinite, np.isinf, np.isnan, np.isnat, np.signbit,
    np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.spacing,
    exponent, real_sign, *(() if _SIGN_IS_PHASE else (np.sign,)),
)  # fmt: skip
