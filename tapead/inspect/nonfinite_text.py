"""What was found of infinities and nans, in words."""

from __future__ import annotations

import math
import os
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapead.inspect.nonfinite import Finding, Nonfinite


_WIDTH = 96


def in_words(found: Nonfinite) -> str:
    """``str`` of a `Nonfinite`."""
    if not found:
        return (
            f"{found.function}: everything is finite, the values of all {found.rows:,} rows and "
            "all adjoints."
        )
    parts = [f"{found.function}:"]
    if found.error is not None:
        parts.append(_of_error(found.error))
    if found.value is not None:
        parts.append(_of_value(found.value, found.result_is_finite))
    if found.adjoint is not None:
        parts.append(_of_adjoint(found.adjoint, found.value, found.gradient_is_finite))
    return "\n\n".join(parts)


def text(x: Any) -> str:
    """An operand."""
    if isinstance(x, float):
        x = float(x)
        return repr(x) if len(repr(x)) < 12 else f"{x:.9g}"
    return str(x)


def _where(finding: Finding) -> str:
    if not finding.file:
        return ""
    place = f" at {os.path.basename(finding.file)}:{finding.line}, in {finding.function}"
    source = textwrap.shorten(finding.source, _WIDTH, placeholder=" ...")
    return place + (f":\n    {source}" if source else ":")


def _element(finding: Finding) -> str:
    if not finding.index:
        return ""
    return f"element [{', '.join(map(str, finding.index))}]: "


def _advice(finding: Finding) -> str:
    if not finding.remedies:
        return ""
    lines = ["\n  What is usually done:"]
    for remedy in finding.remedies:
        lines.append(
            textwrap.fill(f"{remedy}.", _WIDTH, initial_indent="  - ", subsequent_indent="    ")
        )
    return "\n".join(lines)


def _of_value(finding: Finding, finite: bool) -> str:
    result = text(finding.result)
    if finding.operation == "input":
        (name,) = finding.names
        index = f"[{', '.join(map(str, finding.index))}]" if finding.index else ""
        said = f"The input {name}{index} is {result} already."
    else:
        said = f"The value turns into {result}{_where(finding)}\n"
        said += f"  {_element(finding)}{finding.expression} is {result}."
    return said + _finite("function's result", finite) + _advice(finding)


def _finite(what: str, finite: bool) -> str:
    return f"\n  The {what} is finite all the same." if finite else ""


def _of_adjoint(finding: Finding, value: Finding | None, finite: bool) -> str:
    result = text(finding.result)
    said = f"The adjoint turns into {result} in the reverse sweep{_where(finding)}\n"
    said += f"  {_element(finding)}{finding.expression}"
    if finding.operand < 0:
        said += f": each term of its own adjoint is finite, and their sum is {result}."
        return said + _finite("gradient", finite) + _advice(finding)
    slope = finding.slopes[finding.operand] if finding.slopes else math.nan
    which = finding.names[finding.operand] if finding.names else ""
    which = which or ("its operand" if len(finding.operands) == 1 else f"operand {finding.operand}")
    # A slope that is not known leaves the operation and its operands to speak for themselves.
    if finding.slopes:
        said += f" has the slope {text(slope)} by {which}"
        if not math.isnan(finding.adjoint):
            said += f"; times its own adjoint {text(finding.adjoint)} that is {result}"
    else:
        said += f" gives {which} the adjoint {result}"
    said += "." + _finite("gradient", finite)
    if value is None:
        return said + _advice(finding)
    said += "\n  Values were not finite either: mend those first."
    return said if finding.remedies == value.remedies else said + _advice(finding)


def _of_error(finding: Finding) -> str:
    said = f"The program raises {finding.result}{_where(finding)}\n  {finding.operation}"
    known = [
        f"{name} = {text(x)}"
        for name, x in zip(finding.names, finding.operands, strict=True)
        if name
    ]
    if known:
        said += f", where {', '.join(known)}"
    return said + "." + _advice(finding)
