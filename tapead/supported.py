"""What tapead differentiates: a list derived from the tables, and a page of it.

``python -m tapead.supported`` writes the page, ``SUPPORTED.md`` beside this file.
"""

from __future__ import annotations

import importlib
import math
import pathlib
import platform
import textwrap
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import tapead.math
from tapead import array, attributes, aware_numpy, elementary, functions, rules, writes
from tapead.calls import FunctionCall, UfuncCall
from tapead.rules.table import Elementwise

HOW = {
    "elementwise": "by its partial derivatives, element by element",
    "rule": "by a rule of its own: a tangent and an adjoint",
    "composed": "by the functions that it is written with",
    "view": "another view of the same memory: what is written into one is seen in the other",
    "write": "into the array that it is given",
    "creation": "makes an array that tracked values can be written into; what was tracked stays so",
    "derivative 0": "the result is whole, Boolean, a shape, or piecewise constant",
}
PAGE = pathlib.Path(__file__).with_name("SUPPORTED.md")


class Supported(Mapping):
    """Names of functions, such as ``"numpy.linalg.solve"``, with how each is differentiated.

    Attributes
    ----------
    groups : the same by namespace: name of a namespace to names in it, without the namespace
    aliases : names that stand for a function which has another name in the same namespace
    """

    __slots__ = ("_how", "aliases", "groups")

    def __init__(self, groups: dict[str, dict[str, str]], aliases: dict[str, str]) -> None:
        self.groups = {group: names for group, names in groups.items() if names}
        self.aliases = aliases
        self._how = {f"{g}.{name}": how for g in groups for name, how in groups[g].items()}

    def __getitem__(self, name: str) -> str:
        return self._how[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._how)

    def __len__(self) -> int:
        return len(self._how)

    @property
    def counts(self) -> dict[str, int]:
        """How many functions there are of each kind, aliases not counted."""
        found = Counter(_kind(how) for name, how in self.items() if name not in self.aliases)
        return {kind: found[kind] for kind in HOW if found[kind]}

    def rows(self, group: str) -> Iterator[tuple[str, list[str]]]:
        """The functions of a namespace by how they are differentiated, aliases in parentheses."""
        names = self.groups[group]
        others: dict[str, list[str]] = {}
        for alias, name in self.aliases.items():
            others.setdefault(name, []).append(alias.rpartition(".")[2])
        for how in sorted(set(names.values()), key=_order):
            shown = []
            for name in names:
                full = f"{group}.{name}"
                if names[name] == how and full not in self.aliases:
                    also = ", ".join(others.get(full, ()))
                    shown.append(f"{name} ({also})" if also else name)
            yield how, sorted(shown)

    def __str__(self) -> str:
        counts = self.counts
        each = ", ".join(f"{n} {kind}" for kind, n in counts.items())
        lines = [f"{sum(counts.values())} functions: {each}"]
        for group in self.groups:
            lines += ["", group]
            for how, names in self.rows(group):
                lines += [f"  {how}"] if len(how) > 12 else []
                first = " " * 16 if len(how) > 12 else f"  {how:14s}"
                lines += textwrap.wrap(
                    ", ".join(names), 98, initial_indent=first, subsequent_indent=" " * 16
                )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<tapead.supported: {sum(self.counts.values())} functions>"


def supported() -> Supported:
    """Every function that tapead differentiates, and how.

    A mapping from names to ``"rule"``, ``"elementwise"``, ``"composed"``, ``"view"``, ``"write"``,
    ``"creation"`` or ``"derivative 0"``; printed, it is a table.  SciPy's functions are in it where
    SciPy is installed.

    >>> import tapead
    >>> functions = tapead.supported()
    >>> functions["numpy.linalg.solve"], functions["numpy.transpose"], functions["math.floor"]
    ('rule', 'view', 'derivative 0')
    >>> "numpy.busday_count" in functions
    False
    """
    parts = (_of_math(), *_of_numpy(), *_of_scipy())
    groups: dict[str, dict[str, str]] = {}
    aliases: dict[str, str] = {}
    for group, names, others in parts:
        groups.setdefault(group, {}).update(names)
        aliases.update({f"{group}.{alias}": f"{group}.{name}" for alias, name in others.items()})
    return Supported({group: dict(sorted(groups[group].items())) for group in groups}, aliases)


def _kind(how: str) -> str:
    return how.partition(",")[0]


def _order(how: str) -> tuple[int, str]:
    return list(HOW).index(_kind(how)), how


# --------------------------------------------------------------------------- from the tables ---

_Part = tuple[str, dict[str, str], dict[str, str]]


def _kinds(table: Any, rows: tuple) -> dict[Any, str]:
    """How each function in a table is differentiated."""
    return {
        **dict.fromkeys(getattr(table, "DECISIONS", ()), "derivative 0"),
        **{_function(row): _how(row) for row in rows},
        **dict.fromkeys(getattr(table, "COMPOSED", ()), "composed"),
        **dict.fromkeys(getattr(table, "VIEWS", ()), "view"),
    }


def _function(row: Any) -> Any:
    return row.ufunc if isinstance(row, Elementwise) else row.function


def _how(row: Any) -> str:
    """A row's kind, and by which operands it has a derivative if not by all."""
    if not isinstance(row, Elementwise):
        return "rule"
    kept = [str(k + 1) for k, p in enumerate(row.partials) if type(p).__name__ != "Refused"]
    if len(kept) == len(row.partials):
        return "elementwise"
    return f"elementwise, by operand {' and '.join(kept)} only"


def _named(namespace: Any, kinds: dict[Any, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Of a namespace the names of functions that kinds are known of, and which are aliases."""
    by_id = {id(f): kind for f, kind in kinds.items()}
    names: dict[int, list[str]] = {}
    for name, f in vars(namespace).items():
        if id(f) in by_id and not name.startswith("_"):
            names.setdefault(id(f), []).append(name)
    found, aliases = {}, {}
    for key, same in names.items():
        own = getattr(getattr(namespace, same[0]), "__name__", same[0])
        first = own if own in same else same[0]
        found.update(dict.fromkeys(same, by_id[key]))
        aliases.update({name: first for name in same if name != first})
    return found, aliases


def _of_math() -> _Part:
    """math's functions, by the table of elementary operations."""
    ops = {op.name: op for op in elementary.OPS}
    names = {}
    for name in tapead.math.__all__:
        op = ops.get(name)
        if op is not None:
            names[name] = "derivative 0" if op.da == op.db == "0.0" else "rule"
        elif getattr(tapead.math, name) is not getattr(math, name):
            names[name] = "derivative 0" if name.startswith("is") else "composed"
    return "math", names, {}


def _of_numpy() -> Iterator[_Part]:
    kinds = {
        **_kinds(rules, rules.ROWS),
        **dict.fromkeys(writes.WRITES, "write"),
        **{f: "view" for f, call in array.FUNCTIONS.items() if _gives_views(call)},
    }
    stand_ins = _of_stand_ins()
    names, aliases = _named(np, kinds)
    yield "numpy", {**names, **stand_ins}, aliases
    for module in (np.linalg, np.fft, np.lib.stride_tricks):
        yield module.__name__, *_named(module, kinds)
    yield "numpy.ndarray", _of_ndarray({**names, **stand_ins}), {}
    methods = {name: "composed" for name in rules.METHODS if isinstance(name, str)}
    yield "numpy.ufunc", {**methods, "at": "write, of add and subtract"}, {}


def _gives_views(call: Any) -> bool:
    return getattr(call, "__qualname__", "").startswith(functions.view_of.__name__)


def _of_stand_ins() -> dict[str, str]:
    """What stands in the user's modules for functions that NumPy's protocols do not reach."""
    others = {
        **dict.fromkeys(("c_", "frompyfunc", "ndenumerate", "r_", "vectorize"), "composed"),
        "isscalar": "derivative 0",
    }
    return {
        name: others.get(name, "creation")
        for name, f in vars(aware_numpy.numpy_).items()
        if f is not vars(np).get(name)
        and not isinstance(f, (FunctionCall, UfuncCall, types.ModuleType))
    }


def _of_ndarray(functions_of_numpy: dict[str, str]) -> dict[str, str]:
    """Methods and attributes of arrays; most are functions of NumPy's."""
    own = {
        **dict.fromkeys(("fill", "partition", "put", "sort"), "write"),
        **dict.fromkeys(("astype", "copy", "flatten", "item", "tolist"), "rule"),
        **dict.fromkeys(("T", "flat", "mT", "real"), "view"),
    }
    names = {name: f.__name__ for name, f in attributes._FUNCTIONS.items()}
    names.update(dict.fromkeys((*attributes._METHODS, *attributes._ATTRIBUTES), ""))
    names.update(dict.fromkeys((*attributes._PLAIN, *vars(array.Array)), ""))
    found = {}
    for name, function in names.items():
        method = attributes._METHODS.get(name)
        refused = method is not None and method.__qualname__.startswith("_refused")
        if hasattr(np.ndarray, name) and not name.startswith("_") and not refused:
            numpys = functions_of_numpy.get(function or name, "derivative 0")
            found[name] = own.get(name, numpys)
    return found


def _of_scipy() -> Iterator[_Part]:
    """SciPy's functions; nothing where it is not installed."""
    try:
        ours = importlib.import_module("tapead.scipy")
    except ImportError:
        return
    for module in (getattr(ours, name) for name in ours.MODULES):
        name = module.__name__.removeprefix("tapead.")
        if name == "scipy.stats":
            yield name, _of_distributions(module), {}
            continue
        kinds = _kinds(module, module.RULES)
        kinds.update({f: kinds[g] for f, g in module.REPLACES.items() if f not in kinds})
        for namespace in (name, f"{name}.linalg") if name == "scipy.sparse" else (name,):
            yield namespace, *_named(importlib.import_module(namespace), kinds)


def _of_distributions(stats: types.ModuleType) -> dict[str, str]:
    owners = {id(getattr(stats, name)): name for name in stats.__all__}
    return {f"{owners[id(m.__self__)]}.{m.__name__}": "composed" for m in stats.COMPOSED}


# ------------------------------------------------------------------------------------ the page ---

_ABOUT = """# What tapead differentiates

Written by `python -m tapead.supported` from the tables of rules; `print(tapead.supported())` says
the same of the versions that are installed.  Every function here takes NumPy's (or SciPy's)
arguments and gives its values; one that is not here raises an error that names the line as soon as
a tracked number or array comes into it.  Calls without tracked arguments (draws of `np.random`,
for instance) give constants.

Beside functions: all operators of Python on numbers and arrays, in place too, indexing and
assignment to indices of every kind, and `abs`, `divmod`, `float`, `max`, `min`, `pow`, `round`,
`sorted` and `sum`.

| how | the derivative |
| --- | --- |
"""
_OF_SCIPY = """
The elementwise functions are SciPy's own ufuncs, which find their rules by themselves.  For the
others those of the same names in `tapead.scipy` stand in the modules of a recorded function; they
work on plain arrays too.  A sparse matrix is a constant in `S @ x` and `x @ S`.
"""
_PARTS = {
    f"math of Python {'.'.join(platform.python_version_tuple()[:2])}": "math",
    f"NumPy {'.'.join(np.__version__.split('.')[:2])}": "numpy",
}


def page() -> str:
    """The page, in Markdown."""
    listed = supported()
    text = _ABOUT + "".join(f"| {kind} | {said} |\n" for kind, said in HOW.items())
    parts = dict(_PARTS)
    if "scipy.special" in listed.groups:
        version = importlib.import_module("scipy").__version__
        parts[f"SciPy {'.'.join(version.split('.')[:2])}"] = "scipy"
    for title, library in parts.items():
        groups = [g for g in listed.groups if g.partition(".")[0] == library]
        text += f"\n## {title}\n" + (_OF_SCIPY if library == "scipy" else "")
        for group in groups:
            text += f"\n### {group}\n\n| how | functions |\n| --- | --- |\n"
            for how, names in listed.rows(group):
                text += f"| {how} | {', '.join(names)} |\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
