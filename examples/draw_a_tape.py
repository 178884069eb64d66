"""How it works, in one picture: a small program, its tape, and the two sweeps over it.

Each operation on a tracked number is one row of the tape: what was done, to which rows, and what
came out.  The forward sweep goes down the rows and gives the derivative of every row by one input;
the reverse sweep goes up and gives the derivative of the result by every row.
"""

import html
import math
from pathlib import Path

import tapead

PICTURE = Path(__file__).parent / "pictures" / "tape.svg"
COLORS = ("#dbeafe", "#dcfce7", "#fef3c7")
LEFT, TOP, STEP = 16, 46, 24
# Where columns begin; each is of one kind of figures.
COLUMNS = {"row": 300, "operation": 350, "value": 480, "d row / d x": 580, "d result / d row": 700}


def program(x, y):
    s = x * y
    if s > 1.0:
        s = s + math.sin(x)
    return s * s


def cells(tape, wrt):
    """What stands in the columns, row by row, and the line of the program that wrote the row."""
    names = {number: name for name, number in tape.inputs.items()}
    tangents, adjoints = tape.tangents(wrt=wrt), tape.adjoints()
    for number in range(len(tape)):
        row = tape.row(number)
        operands = ", ".join(f"r{k}" for k in row.operands)
        text = f"input {names[number]}" if number in names else f"{row.operation} {operands}"
        figures = (f"{x:.4g}" for x in (row.value, tangents[number], adjoints[number]))
        yield row.place[1] if row.place else None, (f"r{number}", text, *figures)


def text(x, y, words, style=""):
    return f'<text x="{x}" y="{y}" {style}>{html.escape(words)}</text>'


def arrow(x, first, last, color):
    """Down or up beside a column, from one row to another."""
    down = 1 if last > first else -1
    head = f"M{x - 4} {last - 7 * down} L{x} {last} L{x + 4} {last - 7 * down}"
    return f'<path d="M{x} {first} L{x} {last} {head}" fill="none" stroke="{color}"/>'


def picture(source, first_line, rows):
    """The program to the left, its tape to the right, in the same color what belongs together."""
    rows = list(rows)
    recorded = sorted({line for line, _ in rows if line is not None})
    color = dict(zip(recorded, COLORS))
    bold, mono = 'font-weight="bold"', 'font-family="monospace" xml:space="preserve"'
    height = TOP + STEP * max(len(source), len(rows)) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 850 {height}" width="850" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        text(LEFT, 24, "program, x = 1.5, y = 2", bold),
    ]
    for k, line in enumerate(source):
        y = TOP + STEP * k
        if first_line + k in color:
            fill = color[first_line + k]
            parts.append(f'<rect x="8" y="{y}" width="262" height="22" fill="{fill}"/>')
        parts.append(text(LEFT, y + 16, line, mono))
    parts += [text(x, 24, name, bold) for name, x in COLUMNS.items()]
    for k, (line, words) in enumerate(rows):
        y = TOP + STEP * k
        fill = color.get(line, "#f3f4f6")
        parts.append(f'<rect x="292" y="{y}" width="542" height="22" fill="{fill}"/>')
        parts += [text(x, y + 16, word, mono) for x, word in zip(COLUMNS.values(), words)]
    bottom = TOP + STEP * len(rows) - 4
    parts += [
        arrow(662, TOP + 4, bottom, "#047857"),
        arrow(782, bottom, TOP + 4, "#b91c1c"),
        text(COLUMNS["d row / d x"], bottom + 26, "forward sweep", 'fill="#047857"'),
        text(COLUMNS["d result / d row"], bottom + 26, "reverse sweep", 'fill="#b91c1c"'),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    tape = tapead.record(program, 1.5, 2.0)
    print(tape)
    print(f"\nresult {tape.value:.6f}, by x and y {tapead.grad(program, argnums=(0, 1))(1.5, 2.0)}")

    first = program.__code__.co_firstlineno
    source = Path(__file__).read_text().splitlines()[first - 1 : first + 4]
    PICTURE.write_text(picture(source, first, cells(tape, "x")))
    print(f"drawn in {PICTURE.parent.name}/{PICTURE.name}")
