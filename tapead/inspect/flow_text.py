"""Gradient flow as a table, as HTML and as a picture."""

from __future__ import annotations

import html as markup
import linecache
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from tapead.inspect.arguments import whole

if TYPE_CHECKING:
    from tapead.inspect.flow import Flow

# Characters of a source line in a table, and of a picture's title.
_LONGEST, _TITLE = 48, 100
# An adjoint that changes by more than a factor of a million vanishes or explodes.
_MUCH = math.log(1e6)
_WIDE = 100.0
_HEADS = {"largest": "largest", "growth": "growth", "jacobian": "Jacobian", "value": "value"}


def place_name(by: str, place: tuple[str, int, str]) -> str:
    """A function or a line, as a row of the table is called."""
    file, line, function = place
    base = os.path.basename(file)
    if by == "function":
        return f"{function} ({base})"
    source = linecache.getline(file, line).strip()
    source = source if len(source) <= _LONGEST else source[: _LONGEST - 4] + " ..."
    return f"{base}:{line}  {source}".rstrip()


def _number(x: float) -> str:
    return "" if x != x else f"{x:.4g}"


def shown(flow: Flow, most: int | None) -> list[int]:
    """The rows that a table has: steps at equal distances, of others the largest."""
    count = len(flow)
    if most is not None and whole("most", most, "None") < 2:
        raise ValueError(f"most={most}: a table shows at least two rows")
    if most is None or count <= most:
        return list(range(count))
    if flow.by == "step":
        return [*range(0, count - 1, _distance(count, most)), count - 1]
    order = np.argsort(-np.nan_to_num(flow.adjoint, nan=math.inf), kind="stable")
    return sorted(order[:most].tolist())


def _distance(count: int, most: int) -> int:
    """1, 2 or 5 times a power of ten, so that every so many steps are at most that many."""
    for power in range(20):
        for digit in (1, 2, 5):
            distance = digit * 10**power
            if len(range(0, count - 1, distance)) < most:
                return distance
    raise ValueError(f"{count} steps")


def _cells(flow: Flow, most: int | None) -> list[list[str]]:
    """The table, its head first; columns that have nothing to say are left out."""
    several = flow.states if len(flow.states) > 1 else {}
    rows = []
    for k in shown(flow, most):
        row = flow[k]
        name = str(k) if flow.by == "step" else row.name
        numbers = [_number(getattr(row, column)) for column in _HEADS]
        numbers[0] = numbers[0] or "nan"
        parts = [_number(float(column[k])) for column in several.values()]
        adjoint = _number(row.adjoint) or "nan"
        rows.append([name, f"{row.rows:,}", adjoint, *parts, *numbers, row.flag])
    head = [
        flow.by,
        "rows",
        "adjoint",
        *(f"of {name}" for name in several),
        *_HEADS.values(),
        "flag",
    ]
    keep = [k for k in range(len(head)) if any(row[k] for row in rows)]
    return [[row[k] for k in keep] for row in [head, *rows]]


def title(flow: Flow) -> str:
    if flow.by != "step":
        return f"gradient flow by {flow.by}: norms of the adjoints, d result / d row"
    return f"gradient flow by step: norms of d result / d state; {len(flow):,} steps, {flow.what}"


def verdict(flow: Flow) -> list[str]:
    """What the numbers say, in words."""
    lines = []
    for flag in ("zero", "tiny", "inf", "nan"):
        which = _flagged(flow, flag)
        if which:
            lines.append(f"{flag}: {which}")
    if flow.by == "step":
        parts = flow.states if len(flow.states) > 1 else {"": flow.adjoint}
        lines += [_change(name, norm) for name, norm in parts.items()]
    return [line for line in lines if line]


def _change(name: str, norm: np.ndarray) -> str:
    """How the adjoint of the state changes from the last step to the first."""
    usable = np.flatnonzero(np.isfinite(norm) & (norm > 0.0))
    if len(usable) < 2:
        return ""
    first, last = int(usable[0]), int(usable[-1])
    begin, end = float(norm[last]), float(norm[first])
    total = math.log(end) - math.log(begin)
    word = ": it explodes" if total > _MUCH else ": it vanishes" if total < -_MUCH else ""
    of = f" of {name}" if name else ""
    return (
        f"back from step {last:,} to step {first:,} the adjoint{of} goes from {begin:.4g} to "
        f"{end:.4g}, by a factor of {math.exp(total / (last - first)):.4g} a step{word}"
    )


def _flagged(flow: Flow, flag: str) -> str:
    """The rows that have a flag, as stretches."""
    most = flow.largest
    masks = {
        "nan": np.isnan(most),
        "inf": np.isinf(most),
        "zero": most == 0.0,
        "tiny": (most > 0.0) & (most < flow._tiny),
    }
    rows = np.flatnonzero(masks[flag])
    if not len(rows):
        return ""
    if flow.by != "step":
        names = [flow.names[k].partition("  ")[0] for k in rows[:10].tolist()]
        return ", ".join(names) + (f" and {len(rows) - 10:,} more" if len(rows) > 10 else "")
    parts = np.split(rows, 1 + np.flatnonzero(np.diff(rows) > 1))
    texts = [f"{p[0]:,}" + (f" to {p[-1]:,}" if len(p) > 1 else "") for p in parts[:10]]
    word = "steps" if len(rows) > 1 else "step"
    return f"{word} " + ", ".join(texts) + (" and more" if len(parts) > 10 else "")


def table(flow: Flow, most: int | None) -> str:
    """`Flow.table`."""
    cells = _cells(flow, most)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    last = len(widths) - 1 if cells[0][-1] == "flag" else -1
    left = {0, last} if flow.by != "step" else {last}
    lines = [title(flow)]
    for row in cells:
        texts = [
            x.ljust(w) if k in left else x.rjust(w)
            for k, (x, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(texts).rstrip())
    if len(cells) - 1 < len(flow):
        lines.append(f"({len(cells) - 1:,} of {len(flow):,}; all of them by table(most=None))")
    return "\n".join([*lines, *verdict(flow)])


def html(flow: Flow) -> str:
    """`Flow` for notebooks."""
    head, *rows = _cells(flow, 40)
    out = [f"<b>{markup.escape(title(flow))}</b>", "<table>"]
    for tag, row in [("th", head), *(("td", row) for row in rows)]:
        align = ["left", *["right"] * (len(row) - 1)]
        cells = [
            f'<{tag} style="text-align: {side}">{markup.escape(x)}</{tag}>'
            for x, side in zip(row, align, strict=True)
        ]
        out.append(f"<tr>{''.join(cells)}</tr>")
    out.append("</table>")
    return "\n".join([*out, *(f"<p>{markup.escape(line)}</p>" for line in verdict(flow))])


# --------------------------------------------------------------------------------- plot ---


def plot(flow: Flow, path: str | os.PathLike | None) -> Any:
    """`Flow.plot`."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            'plot() draws by matplotlib, which is not installed: pip install "tapead[plot]"'
        ) from None
    path = None if path is None else os.fspath(path)
    height = 4.2 if flow.by == "step" else 1.2 + 0.28 * len(shown(flow, 40))
    shape = {"figsize": (8.0, height), "layout": "constrained"}
    if path is None:  # one that notebooks and pyplot.show() know of
        from matplotlib import pyplot

        figure = pyplot.figure(**shape)
    else:
        figure = Figure(**shape)
    axes = figure.subplots()
    (_lines if flow.by == "step" else _bars)(axes, flow)
    title = f"gradient flow by {flow.by}" + (f": {flow.what}" if flow.what else "")
    title = title if len(title) <= _TITLE else title[: _TITLE - 4] + " ..."
    axes.set_title(title.replace("$", r"\$"), fontsize=10)
    if path is not None:
        # The same numbers give the same file: no random names in SVG.
        with rc_context({"svg.hashsalt": "tapead"}):
            figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)
    return figure


def _lines(axes: Any, flow: Flow) -> None:
    """Adjoint norms over the steps; what is 0 or not finite has no place on the scale."""
    steps = np.arange(len(flow))
    marker = "o" if len(flow) <= 60 else None
    curves = flow.states if len(flow.states) > 1 else {"the state": flow.adjoint}
    for name, norm in curves.items():
        drawn = np.where(np.isfinite(norm) & (norm > 0.0), norm, math.nan)
        label = f"|d result / d {name}|".replace("$", r"\$")
        axes.plot(steps, drawn, marker=marker, markersize=3, label=label)
    if flow.adjoint[np.isfinite(flow.adjoint)].any():
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("norm of the adjoint")
    axes.grid(alpha=0.3)
    axes.legend()


def _bars(axes: Any, flow: Flow) -> None:
    rows = shown(flow, 40)
    norm = flow.adjoint[rows]
    drawn = np.where(np.isfinite(norm) & (norm > 0.0), norm, math.nan)
    at = range(len(rows))
    axes.barh(at, drawn, color="C0")
    axes.set_yticks(at, [flow.names[k].replace("$", r"\$") for k in rows], fontsize=8)
    axes.invert_yaxis()
    # Bars have lengths to compare: on a logarithmic scale only where they differ by much.
    known = drawn[np.isfinite(drawn)]
    if known.size and known.max() > _WIDE * known.min():
        axes.set_xscale("log")
    axes.set_xlabel("norm of the adjoints")
