"""The forms of a profile: tables, differences, collapsed stacks, HTML, pictures."""

import json
import math
import re

import pytest

from tapead.profile import profile
from tapead.profile_text import size


def half(x):
    y = x * 0.5
    return y + 0.25


def cooled(x, steps):
    """Comments and
    lines without rows are shown."""
    total = 0.0
    for _ in range(steps):
        x = half(x)
        total = total + math.sin(x)
    return total


def test_a_file_is_shown_line_by_line_with_rows_bytes_share_and_source():
    p = profile(cooled)(1.0, 40)
    text = str(p)
    first = cooled.__code__.co_firstlineno
    part = text[text.index("File ") :].splitlines()
    assert part[0].endswith("test_profile_text.py")
    assert part[1].split() == ["line", "rows", "bytes", "share", "source"]
    body = {int(m[1]): m[2] for line in part if (m := re.match(r" *(\d+) ?(.*)", line))}
    assert body[first].strip() == "def cooled(x, steps):"
    assert body[first + 5].strip() == "x = half(x)"
    rows, *share = body[first + 6].split(maxsplit=5)
    assert rows == "80"
    assert share[:2] == ["1.37", "kB"]
    assert share[4] == "total = total + math.sin(x)"
    assert body[half.__code__.co_firstlineno + 1].split()[0] == "40"


@pytest.mark.parametrize("heading", ["operation ", "function ", "tape ", "peak ", "adjoints "])
def test_the_table_has_its_parts(heading):
    assert re.search(f"^{heading}", str(profile(cooled)(1.0, 40)), flags=re.MULTILINE)


def test_what_is_left_out_of_a_long_table_is_said():
    p = profile(cooled)(1.0, 40)
    short = p.table(most=1)
    assert f"... {len(p.lines) - 1} smaller ones" in short
    assert f"... {len(p.operations) - 1} smaller ones" in short
    assert "smaller ones" not in p.table(most=None)
    assert len(short) < len(p.table(most=None))


def test_far_lines_without_rows_are_left_out():
    lines = ["def f(x):", *["    # nothing"] * 50, "    return x * 2.0", "def end(): pass"]
    names = {}
    exec(compile("\n".join(lines), "long_function.py", "exec"), names)
    text = str(profile(names["f"])(1.0))
    body = text[text.index("File ") :].split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in body[2:]] == ["1", "...", "52"]


def test_a_difference_finds_lines_wherever_they_stand():
    source = "def f(x, n):\n    for _ in range(n):\n        x = x * 0.5\n    return x + 1.0\n"
    before, after = {}, {}
    exec(compile(source, "program.py", "exec"), before)
    exec(compile("\n\n\n" + source, "program.py", "exec"), after)
    a = profile(before["f"])(1.0, 10)
    same = a.diff(profile(before["f"])(1.0, 10))
    assert (same.rows, same.functions, same.lines) == (0, [], [])
    longer = a.diff(profile(before["f"])(1.0, 15))
    assert longer.rows == 5
    assert [(c.rows_before, c.rows_after, c.line) for c in longer.lines] == [(10, 15, 3)]
    assert [(c.name, c.bytes_after - c.bytes_before) for c in longer.functions] == [("f", 85)]


def test_lines_that_were_moved_are_the_same():
    assert profile(cooled)(1.0, 40).diff(profile(moved()["cooled"])(1.0, 40)).lines == []


def moved():
    """This file's functions, ten lines further down."""
    import linecache

    with open(__file__, encoding="utf-8") as file:
        source = "\n" * 10 + file.read()
    name = "/elsewhere/test_profile_text.py"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names = {"__name__": "moved"}
    exec(compile(source, name, "exec"), names)
    return names


def test_a_difference_is_a_table_and_a_dict():
    a, b = profile(cooled)(1.0, 40), profile(cooled)(1.0, 50)
    d = a.diff(b)
    text = str(d)
    assert re.search(r"rows +161 +201 +\+40", text)
    assert re.search(r"80 -> 100 .*total = total \+ math\.sin\(x\)", text)
    assert re.search(r"80 -> 100 .* half$", text, flags=re.MULTILINE)
    assert repr(d) == f"<ProfileDiff: +40 rows, +{b.tape_bytes - a.tape_bytes} bytes>"
    figures = json.loads(json.dumps(d.to_dict()))
    assert figures["rows"] == 40
    assert figures["lines"][0]["rows_after"] in (50, 100)
    back = b.diff(a)
    assert (back.rows, back.tape_bytes) == (-d.rows, -d.tape_bytes)


def test_collapsed_stacks_lead_from_the_program_to_the_line(tmp_path):
    p = profile(cooled)(1.0, 40)
    path = tmp_path / "stacks.txt"
    p.flamegraph(path, count="rows")
    stacks = dict(line.rsplit(" ", 1) for line in path.read_text().splitlines())
    assert sum(map(int, stacks.values())) == p.rows
    line = half.__code__.co_firstlineno + 1
    here = "test_profile_text.py"
    assert stacks[f"cooled ({here});half ({here});{here}:{line}"] == "40"
    assert stacks["(inputs)"] == "1"
    sizes = [int(line.rsplit(" ", 1)[1]) for line in p.collapsed().splitlines()]
    assert sum(sizes) == p.tape_bytes
    with pytest.raises(ValueError, match="'bytes' or 'rows'"):
        p.collapsed("seconds")


def test_html_shows_the_source_escaped():
    def f(x):
        return x * 2.0 if x < 5.0 and "<b>" else x

    html = profile(f)(1.0)._repr_html_()
    assert "x &lt; 5.0 and &quot;&lt;b&gt;&quot;" in html
    assert html.count("<table>") == html.count("</table>") >= 3
    assert "rgba(" in html


def test_a_picture_is_drawn(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    p = profile(cooled)(1.0, 40)
    path = tmp_path / "profile.png"
    before = pyplot.get_fignums()
    assert len(p.plot(path).axes) == 2
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert pyplot.get_fignums() == before  # a picture in a file leaves nothing behind
    figure = p.plot()
    assert pyplot.fignum_exists(figure.number)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert any("total = total + math.sin(x)" in label for label in labels)
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert bars == [use.bytes for use in p.lines]
    pyplot.close(figure)


def test_a_picture_has_a_color_for_each_function_and_leaves_out_what_would_not_be_seen(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")

    def twice(x):
        return x * 2.0

    def f(x):
        for _ in range(300):
            x = twice(x) - 1.0
        return x

    p = profile(f)(1.0)
    paths = [tmp_path / name for name in ("a.svg", "b.svg")]
    figure, _ = map(p.plot, paths)
    lines, operations = figure.axes
    assert len(p.lines) == 3
    assert len(lines.patches) == 2  # not the one row of the input
    assert len({bar.get_facecolor() for bar in lines.patches}) == 2
    assert [text.get_text() for text in lines.get_legend().get_texts()] == [
        use.function for use in p.lines[:2]
    ]
    assert [text.get_text() for text in operations.texts] == ["5.10 kB, 49.8 %"] * 2
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_memory_over_time_is_drawn_beside_the_tape():
    pytest.importorskip("matplotlib").use("Agg")
    pytest.importorskip("memory_profiler")
    from matplotlib import pyplot

    p = profile(cooled, memory=True)(1.0, 4000)
    figure = p.plot()
    over_time = figure.axes[2].lines[0]
    assert over_time.get_xdata().tolist() == p.process.seconds
    assert max(over_time.get_ydata()) == p.process.growth
    pyplot.close(figure)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9_995, "10.0 kB"), (99_960, "100 kB"),
        (999_400, "999 kB"), (999_600, "1.00 MB"), (2.5e9, "2.50 GB"), (-1500, "-1.50 kB"),
        (5e15, "5000 TB"),
    ],
)  # fmt: skip
def test_bytes_are_written_with_three_digits(count, text):
    assert size(count) == text
