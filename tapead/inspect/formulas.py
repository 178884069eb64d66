"""Formulas of the table of operations as Python text: with names in them, and tried on numbers."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tapead.elementary import CODES, OPS
from tapead.elementary import ieee as with_ieee_calls
from tapead.partials import value

# Functions of the table that Python writes as operators.
_OPERATORS = {"floordiv": ast.FloorDiv, "mod": ast.Mod}
# In math, but with whole numbers as results.
_WHOLE = frozenset(("floor", "ceil", "trunc"))
# Python's name, where the second operand has to be an int.
_BY_INT = {"round_to": "round", "ldexp": "math.ldexp"}
_PYTHONS = frozenset(("abs", "int", *_BY_INT.values()))
_SLOTS = ("a", "b", "v")
_SLOT = re.compile(r"(?<!\w)_[abv]_(?!\w)")
_TIGHT = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.UnaryOp)


class Formula(NamedTuple):
    """A formula around the slots ``_a_``, ``_b_`` and ``_v_``.

    Attributes
    ----------
    text : as Python writes it
    tight : whether it is a factor of a product without parentheses
    run : its value by a, b and v
    needs : the functions in it that have to be defined, see `definition`
    """

    text: str
    tight: bool
    run: Callable[[float, float, float], float]
    needs: tuple[str, ...]


class _Python(ast.NodeTransformer):
    """Functions of the table become those of `math`, or operators, where Python has them."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id
        if name in _OPERATORS:
            return ast.BinOp(node.args[0], _OPERATORS[name](), node.args[1])
        if name in _BY_INT:
            whole = ast.Call(ast.Name("int", ast.Load()), [node.args[1]], [])
            return ast.Call(ast.Name(_BY_INT[name], ast.Load()), [node.args[0], whole], [])
        if hasattr(math, name) and name not in _WHOLE:
            node.func = ast.Attribute(ast.Name("math", ast.Load()), name, ast.Load())
        return node


class _Slots(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(f"_{node.id}_" if node.id in _SLOTS else node.id, ast.Load())


@functools.cache
def formula(text: str, exact: bool) -> Formula:
    """A formula of the table by Python's operators and `math`, or by the sweep's own functions."""
    tree: ast.AST = ast.parse(with_ieee_calls(text) if exact else text, mode="eval").body
    if not exact:
        tree = _Python().visit(tree)
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    needs = sorted({f.id for f in calls if isinstance(f, ast.Name)} - _PYTHONS)
    known = {name: _function(name) for name in needs}
    run = eval(f"lambda a, b, v: {ast.unparse(tree)}", {"math": math, **known})
    slotted = ast.unparse(ast.fix_missing_locations(_Slots().visit(tree)))
    return Formula(slotted, isinstance(tree, _TIGHT), run, tuple(needs))


def _operations() -> dict[str, str]:
    """The functions that formulas call, each with the operation whose value it is."""
    found = {"div": "div", "power": "pow"}
    for op in OPS:
        name, _, arguments = op.value.partition("(")
        if arguments in ("a)", "a, b)"):
            found[name] = op.name
    return found


FUNCTIONS = _operations()


def _function(name: str) -> Callable:
    """A function of the formulas, as the sweep computes it."""
    code = CODES[FUNCTIONS[name]]
    if OPS[code].arity == 1:
        return lambda a: value(code, a, 0.0)
    return lambda a, b: value(code, a, b)


def definition(name: str) -> str:
    """A function of the formulas as text: by Python if it is simple, else as the sweep has it."""
    if name == "sign":
        return "def sign(a):\n    return a if a != a else float((a > 0.0) - (a < 0.0))\n"
    operation = FUNCTIONS[name]
    two = OPS[CODES[operation]].arity == 2
    call = f'partials.value(elementary.CODES["{operation}"], a, {"b" if two else "0.0"})'
    return f"def {name}(a{', b' if two else ''}):\n    return {call}\n"


def same(x: object, y: float) -> bool:
    """Whether x is the float y to the last bit; one nan is as good as another."""
    if type(x) is not float:
        return False
    if x != x or y != y:
        return x != x and y != y
    return x == y and math.copysign(1.0, x) == math.copysign(1.0, y)


def tried(text: str, a: float, b: float, v: float, expected: float) -> Formula | None:
    """The plainest form of a formula that gives the expected number; None if none does."""
    for exact in (False, True):
        form = formula(text, exact)
        try:
            found = form.run(a, b, v)
        except (ArithmeticError, TypeError, ValueError):
            continue
        if same(found, expected):
            return form
    return None


def tried_by_numpy(text: str, a: float, b: float, v: float, expected: float) -> Formula | None:
    """The form of a formula by NumPy's functions, if it gives the expected number."""
    form = formula(text, False)
    numpys = f"float({form.text.replace('math.', 'np.')})"
    names = {"_a_": np.float64(a), "_b_": np.float64(b), "_v_": np.float64(v), "np": np}
    if form.needs or form.text == form.text.replace("math.", "np."):
        return None
    try:
        with np.errstate(all="ignore"):
            found = eval(numpys, names)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return None
    return Formula(numpys, True, form.run, ()) if same(found, expected) else None


class _Folded(ast.NodeTransformer):
    """Constants in their slots; what only depends on them is computed."""

    def __init__(self, constants: dict[str, str]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.AST:
        text = self.constants.get(node.id)
        return node if text is None else ast.parse(text, mode="eval").body

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if _number(node.left) is None or _number(node.right) is None:
            return node
        try:
            found = eval(ast.unparse(node))
        except ArithmeticError:
            return node
        return ast.parse(literal(found), mode="eval").body if type(found) is float else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        x = _number(node.args[0])
        return ast.Constant(int(x)) if ast.unparse(node.func) == "int" and x is not None else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        sides = (node.test.left, *node.test.comparators) if type(node.test) is ast.Compare else ()
        if not sides or any(_number(side) is None for side in sides):
            return node
        return node.body if eval(ast.unparse(node.test)) else node.orelse


def _number(node: ast.AST) -> float | None:
    """The number that a literal is, None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        x = _number(node.operand)
        return None if x is None else -x
    return node.value if isinstance(node, ast.Constant) else None


@functools.lru_cache(4096)
def _folded(text: str, a: str | None, b: str | None) -> tuple[str, bool]:
    """A formula with constants for a, b or both, and whether it is tight."""
    constants = {slot: x for slot, x in (("_a_", a), ("_b_", b)) if x is not None}
    tree = _Folded(constants).visit(ast.parse(text, mode="eval").body)
    return ast.unparse(ast.fix_missing_locations(tree)), isinstance(tree, _TIGHT)


def filled(form: Formula, a: str, b: str, v: str) -> tuple[str, bool]:
    """The formula with the texts of its operands and its value in it; whether it is tight.

    Names stand for themselves; whatever is no name is taken for a constant.
    """
    text, tight = form.text, form.tight
    constants = [None if x.isidentifier() else x for x in (a, b)]
    if any(constants):
        text, tight = _folded(text, *constants)
    # All at once: a name may have the text of a slot in it.
    names = {"_a_": a, "_b_": b, "_v_": v}
    return _SLOT.sub(lambda found: names[found[0]], text), tight


def literal(x: float) -> str:
    """A float as Python writes it.

    >>> [literal(x) for x in (0.1, -0.0, math.inf, -math.inf, math.nan)]
    ['0.1', '-0.0', 'math.inf', '-math.inf', 'math.nan']
    """
    if math.isfinite(x):
        return repr(float(x))
    return "math.nan" if x != x else "math.inf" if x > 0.0 else "-math.inf"
