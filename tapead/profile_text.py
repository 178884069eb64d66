"""A profile as a table, as HTML, as collapsed stacks and as a picture."""

from __future__ import annotations

import html as markup
import linecache
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tapead.profile_uses import LineUse, base_name

if TYPE_CHECKING:
    from tapead.profile import TapeProfile
    from tapead.profile_diff import ProfileDiff

# Lines without rows that are shown between two with some.
_GAP = 6


def size(count: float) -> str:
    """Bytes as people read them: ``952 B``, ``23.4 kB``.

    >>> [size(n) for n in (0, 952, 23_373, 125_000_000, -2_100_000_000)]
    ['0 B', '952 B', '23.4 kB', '125 MB', '-2.10 GB']
    """
    if abs(count) < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):
        count /= 1000.0
        if abs(count) < 999.5 or unit == "TB":
            break
    digits = 2 if abs(count) < 9.995 else 1 if abs(count) < 99.95 else 0
    return f"{count:.{digits}f} {unit}"


def _share(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.1f} %" if whole else ""


def _short(file: str) -> str:
    """A file's path from here, if it is shorter."""
    try:
        near = os.path.relpath(file)
    except ValueError:  # on another drive
        return file
    return near if os.path.isabs(file) and len(near) < len(file) else file


def _seconds(t: float) -> str:
    return f"{t:.3g} s" if t >= 0.1 else f"{1e3 * t:.3g} ms"


# ------------------------------------------------------------------------------- as text ---


def _columns(rows: Sequence[Sequence[str]], left: Iterable[int]) -> list[str]:
    """Rows of cells in columns; those in `left` begin at the left, the others end at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = set(left)
    lines = []
    for row in rows:
        cells = [
            cell.ljust(w) if k in left else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _totals(p: TapeProfile) -> list[tuple[str, int, str]]:
    """What there is of bytes, and a word on it."""
    totals = [
        ("rows", p.row_bytes, f"{p.rows:,} of 17"),
        ("constants", p.constant_bytes, f"{p.constants:,} of 8"),
        ("arrays", p.kept_bytes, "kept alive"),
        ("records", p.record_bytes, "of operations on arrays"),
        ("tape", p.tape_bytes, ""),
        ("adjoints", p.adjoint_bytes, "in a reverse sweep, at most"),
        ("peak", p.peak_bytes, "at most: a gradient frees what its sweep has passed"),
        ("lines", p.line_bytes, "4 a row, kept for this profile only"),
    ]
    if p.process is not None:
        grown = p.process.growth / p.process.expected if p.process.expected else 0.0
        note = f"measured: {grown:.2f} times tape and lines ({size(p.process.expected)})"
        totals.append(("process", p.process.growth, note))
    return [t for t in totals if t[1] or t[0] not in ("arrays", "records", "constants")]


def advice(p: TapeProfile) -> str:
    """Which function to checkpoint, in one sentence."""
    best = p.best
    if best is None:
        return "No function's checkpointing would save a tenth of the tape."
    often = "" if best.calls is None else f", called {_times(best.calls)},"
    kind = "at most " if p.plain_seconds is None else ""
    return (
        f"Checkpointing {best.function} ({base_name(best.file)}:{best.line}){often} would save "
        f"{size(best.saves)} of the tape's {size(p.tape_bytes)} and take {kind}"
        f"{_seconds(best.seconds)} more ({_of_a_run(best.share)})."
    )


def _of_a_run(share: float) -> str:
    return f"{_share(share, 1.0)} of a run" if share < 2.0 else f"as {share:.1f} runs"


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def table(p: TapeProfile, most: int | None) -> str:
    """`TapeProfile.table`."""
    parts = [f"{p.function}: {p.rows:,} rows, tape {size(p.tape_bytes)}, {_seconds(p.seconds)}"]
    totals = [(name, size(n), note) for name, n, note in _totals(p)]
    parts.append("\n".join(_columns(totals, (0, 2))))
    parts.append(advice(p))

    rows = [("operation", "rows", "bytes", "share")]
    for use in p.operations[:most]:
        share = _share(use.bytes, p.tape_bytes)
        rows.append((use.operation, f"{use.rows:,}", size(use.bytes), share))
    parts.append("\n".join([*_columns(rows, (0,)), *_left_out(p.operations, most)]))

    rows = [("function", "calls", "rows", "bytes", "share", "own rows", "own bytes", "where")]
    for use in p.functions[:most]:
        rows.append(
            (
                use.function, "" if use.calls is None else f"{use.calls:,}",
                f"{use.rows:,}", size(use.bytes), _share(use.bytes, p.tape_bytes),
                f"{use.own_rows:,}", size(use.own_bytes), f"{base_name(use.file)}:{use.line}",
            )
        )  # fmt: skip
    if len(rows) > 1:
        parts.append("\n".join([*_columns(rows, (0, 7)), *_left_out(p.functions, most)]))

    for file, lines in _by_file(p, most):
        rows = [("line", "rows", "bytes", "share", "source")]
        for number, use, source in lines:
            if number is None:
                rows.append(("...", "", "", "", ""))
            else:
                figures = ("", "", "")
                if use is not None:
                    figures = f"{use.rows:,}", size(use.bytes), _share(use.bytes, p.tape_bytes)
                rows.append((str(number or ""), *figures, source))
        title = file if lines[0][0] == 0 else f"File {_short(file)}"
        parts.append("\n".join([title, *_columns(rows, (4,))]))
    left = _left_out(p.lines, most)
    return "\n\n".join([*parts, *left])


def _left_out(uses: list, most: int | None) -> list[str]:
    if most is None or len(uses) <= most:
        return []
    return [f"... {len(uses) - most:,} smaller ones"]


_Line = tuple[int | None, LineUse | None, str]


def _by_file(p: TapeProfile, most: int | None) -> list[tuple[str, list[_Line]]]:
    """For each file its lines as (number, use, source): functions with rows, from top to bottom.

    Lines without rows are there too, for reading; a longer stretch of them is one of None.
    """
    files: dict[str, dict[int, LineUse]] = {}
    for use in p.lines[:most]:
        files.setdefault(use.file, {})[use.line] = use
    shown = []
    for file, uses in files.items():
        spans = [s for s in p._spans.get(file, []) if any(s[0] <= n <= s[1] for n in uses)]
        around = sorted({*uses, *(n for first, last in spans for n in range(first, last + 1))})
        lines: list[_Line] = []
        heads = {first for first, _ in spans}
        near = sorted({*uses, *heads})
        for k, n in enumerate(around):
            if k and n > around[k - 1] + 1 and lines[-1][0] is not None:
                lines.append((None, None, ""))
            if n in uses or n in heads or _bridges(n, near):
                source = uses[n].source if n in uses else linecache.getline(file, n).rstrip()
                lines.append((n, uses.get(n), source))
            elif lines and lines[-1][0] is not None:
                lines.append((None, None, ""))
        while lines and lines[-1][1] is None:
            lines.pop()
        shown.append((file, lines))
    return shown


def _bridges(n: int, near: list[int]) -> bool:
    """Whether a line lies in a short gap between two that are shown."""
    before = max((m for m in near if m < n), default=None)
    after = min((m for m in near if m > n), default=None)
    return before is not None and after is not None and after - before - 1 <= _GAP


def diff_table(d: ProfileDiff) -> str:
    """`ProfileDiff` as text."""
    head = [("", "before", "after", "change")]
    head.append(("rows", f"{d.before.rows:,}", f"{d.after.rows:,}", f"{d.rows:+,}"))
    for name in ("tape_bytes", "peak_bytes"):
        a, b = getattr(d.before, name), getattr(d.after, name)
        head.append((name.partition("_")[0], size(a), size(b), _signed(b - a)))
    parts = ["\n".join(_columns(head, (0,)))]
    for kind, changes in (("function", d.functions), ("line", d.lines)):
        rows = [("rows", "bytes", "change", "where", kind)]
        for c in changes:
            rows.append(
                (
                    f"{c.rows_before:,} -> {c.rows_after:,}",
                    f"{size(c.bytes_before)} -> {size(c.bytes_after)}",
                    _signed(c.bytes_after - c.bytes_before),
                    f"{base_name(c.file)}:{c.line}" if c.line else "",
                    c.name or c.file,
                )
            )
        if changes:
            parts.append("\n".join(_columns(rows, (3, 4))))
    return "\n\n".join(parts)


def _signed(count: float) -> str:
    return ("+" if count > 0 else "") + size(count)


# ---------------------------------------------------------------------------- other forms ---


def collapsed(p: TapeProfile, count: str) -> str:
    """`TapeProfile.collapsed`."""
    if count not in ("bytes", "rows"):
        raise ValueError(f"count={count!r}; 'bytes' or 'rows' was expected")
    which = ("rows", "bytes").index(count)
    clean = str.maketrans({";": ",", "\n": " "})
    lines = [
        f"{';'.join(name.translate(clean) for name in names)} {figures[which]}\n"
        for names, *figures in p._stacks
    ]
    return "".join(sorted(lines))


def html(p: TapeProfile) -> str:
    """`TapeProfile` for notebooks: the larger a line, the darker it is."""
    out = [f"<b>{markup.escape(p.function)}</b>: {p.rows:,} rows"]
    out.append(_html_table([[n, size(b), note] for n, b, note in _totals(p)], ("", "bytes", "")))
    out.append(f"<p>{markup.escape(advice(p))}</p>")
    operations = [
        [u.operation, f"{u.rows:,}", size(u.bytes), _share(u.bytes, p.tape_bytes)]
        for u in p.operations[:20]
    ]
    head = ("operation", "rows", "bytes", "share")
    out.append(f"<details><summary>operations</summary>{_html_table(operations, head)}</details>")
    for file, lines in _by_file(p, 100):
        rows, shades = [], []
        for number, use, source in lines:
            if use is None:
                rows.append(["..." if number is None else str(number), "", "", "", source])
                shades.append(0.0)
            else:
                share = _share(use.bytes, p.tape_bytes)
                rows.append([str(number or ""), f"{use.rows:,}", size(use.bytes), share, source])
                shades.append(use.bytes / p.tape_bytes)
        head = ("line", "rows", "bytes", "share", markup.escape(_short(file)))
        out.append(_html_table(rows, head, shades))
    return "\n".join(out)


def _html_table(
    rows: list[list[str]], head: Sequence[str], shades: list[float] | None = None
) -> str:
    lines = ["<table><tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"]
    for k, row in enumerate(rows):
        color = f"background-color: rgba(230, 120, 20, {0.8 * shades[k]:.3f})" if shades else ""
        cells = []
        for j, cell in enumerate(row):
            last = shades is not None and j == len(row) - 1
            style = "text-align: left; white-space: pre" if last else "text-align: right"
            text = markup.escape(cell)
            cells.append(f'<td style="{style}">{f"<code>{text}</code>" if last else text}</td>')
        lines.append(f'<tr style="{color}">{"".join(cells)}</tr>')
    return "\n".join([*lines, "</table>"])


def plot(p: TapeProfile, path: str | os.PathLike | None) -> Any:
    """`TapeProfile.plot`."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "plot() draws by matplotlib, which is not installed: pip install matplotlib"
        ) from None
    lines = _to_draw(p.lines, p.tape_bytes)
    operations = _to_draw(p.operations, p.tape_bytes)
    heights = [1.2 + 0.26 * len(lines), 0.9 + 0.26 * len(operations)]
    heights += [] if p.process is None else [2.6]
    shape = {"figsize": (10.0, sum(heights) + 0.3), "layout": "constrained"}
    if path is None:  # one that notebooks and pyplot.show() know of
        from matplotlib import pyplot

        figure = pyplot.figure(**shape)
    else:
        figure = Figure(**shape)
    above, below, *rest = figure.subplots(len(heights), 1, height_ratios=heights)
    figure.suptitle(f"{p.function}: {p.rows:,} rows, tape {size(p.tape_bytes)}")
    _bars_of_lines(above, lines, p.tape_bytes)
    _bars(below, [(u.operation, u.bytes, "C7") for u in operations], p.tape_bytes)
    below.set_title("by operation", loc="left", fontsize=10)
    if p.process is not None:
        _over_time(rest[0], p)
    if path is not None:
        # The same picture has the same bytes: for one that is kept under version control.
        plain = {"metadata": {"Date": None}} if str(path).lower().endswith(".svg") else {}
        with rc_context({"svg.hashsalt": "tapead"}):
            figure.savefig(path, **plain)
    return figure


def _to_draw(uses: Sequence, whole: int) -> Sequence:
    """The largest, without those of which nothing would be seen."""
    return [u for u in uses[:12] if u.bytes >= 0.005 * whole] or uses[:1]


def _bars_of_lines(axes: Any, lines: Sequence[LineUse], whole: int) -> None:
    """A bar for each line, in the color of its function; the number of the line and its source."""
    from matplotlib.patches import Patch

    files = {u.file for u in lines if u.line}
    functions = list(dict.fromkeys(u.function for u in lines))
    colors = {name: f"C{k}" for k, name in enumerate(functions)}
    bars = [(_line_label(u, len(files) > 1), u.bytes, colors[u.function]) for u in lines]
    _bars(axes, bars, whole)
    file = f" of {base_name(files.pop())}" if len(files) == 1 else ""
    axes.set_title(f"by line{file}", loc="left", fontsize=10)
    axes.legend(
        handles=[Patch(color=color, label=name) for name, color in colors.items()],
        title="function", loc="lower right", fontsize=8, title_fontsize=8, framealpha=1.0,
    )  # fmt: skip


def _line_label(use: LineUse, with_file: bool) -> str:
    if not use.line:
        return use.file
    source = use.source.strip()
    source = source if len(source) <= 52 else source[:49] + "..."
    file = f"{base_name(use.file)}:" if with_file else ""
    return f"{source}  {file}{use.line}".replace("$", r"\$")


def _bars(axes: Any, bars: list[tuple[str, int, str]], whole: int) -> None:
    """Bars by name, bytes and color, the first at the top."""
    at = range(len(bars))
    drawn = axes.barh(at, [n for _, n, _ in bars], color=[color for _, _, color in bars])
    figures = [f"{size(n)}, {_share(n, whole)}" for _, n, _ in bars]
    axes.bar_label(drawn, figures, padding=3, fontsize=8)
    axes.set_yticks(at, [name for name, _, _ in bars], fontsize=8, family="monospace")
    axes.tick_params(left=False)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.22 * max(n for _, n, _ in bars) or 1)
    _bytes_along(axes.xaxis)
    axes.spines[["top", "right"]].set_visible(False)


def _bytes_along(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(lambda count, _: size(count))
    axis.set_tick_params(labelsize=8)


def _over_time(axes: Any, p: TapeProfile) -> None:
    """How the process grew, beside what the tape says that it holds."""
    grown = [b - p.process.bytes[0] for b in p.process.bytes]
    axes.plot(p.process.seconds, grown, label="growth of the process, memory_profiler")
    axes.axhline(p.process.expected, color="C1", ls="--", label="tape and lines")
    axes.set_title("memory of the process", loc="left", fontsize=10)
    axes.set_xlabel("seconds", fontsize=8)
    axes.tick_params(labelsize=8)
    _bytes_along(axes.yaxis)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8)
