"""The commands of ``python -m tapead``: for each one a function that adds its options, and one
that runs it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tapead.command_arguments import (
    CommandError,
    add_arguments,
    argnums_of,
    arguments_of,
    find,
    ran,
)
from tapead.inspect.branches import branches
from tapead.inspect.drawing import draw
from tapead.inspect.nonfinite import find_nonfinite
from tapead.inspect.runs import plain_json
from tapead.profile import TapeProfile, profile
from tapead.record import record

# -------------------------------------------------------------------------------- profile ---


def _add_profile(commands: Any) -> None:
    parser = commands.add_parser(
        "profile",
        help="where the tape of a function's gradient comes from",
        description="Run a function recorded, and print what its tape holds.",
        epilog="example: python -m tapead profile script.py:loss --args '[1.5, [1.0, 2.0]]'",
    )
    parser.add_argument("target", help="script.py:function or package.module:function")
    add_arguments(parser)
    parser.add_argument("--memory", action="store_true", help="measure the process's memory too")
    parser.add_argument("--plain", action="store_true", help="time a run on plain numbers too")
    parser.add_argument("--plot", metavar="PNG", help="draw a picture into a file")
    parser.add_argument("--html", metavar="FILE", help="write the tables as HTML")
    parser.add_argument("--flamegraph", metavar="FILE", help="write collapsed stacks")
    parser.add_argument(
        "--json", metavar="FILE", nargs="?", const="-", help="write JSON; instead of the table"
    )
    parser.set_defaults(run=_profile)


def _profile(options: argparse.Namespace) -> int:
    """The command ``profile``."""
    found = None
    # What the program prints must not come between the JSON.
    out = sys.stderr if options.json == "-" else sys.stdout
    with contextlib.redirect_stdout(out):
        f = find(options.target)
        args = arguments_of(options, f)
        numbers = argnums_of(options, args)
        numbers = 0 if numbers is None else numbers

        def run() -> TapeProfile:
            try:
                call = profile(f, numbers, memory=options.memory, plain=options.plain)
                return call(*args)
            except ImportError as error:
                if "memory_profiler" in str(error):
                    raise CommandError(str(error)) from None
                raise

        found = ran(run)
        if found is None:
            return 1
    try:
        if options.plot:
            found.plot(options.plot)
        if options.flamegraph:
            found.flamegraph(options.flamegraph)
        if options.html:
            Path(options.html).write_text(found._repr_html_() + "\n", encoding="utf-8")
        if options.json not in (None, "-"):
            Path(options.json).write_text(found.to_json() + "\n", encoding="utf-8")
    except (OSError, ValueError, ImportError) as error:  # a format that matplotlib does not know
        raise CommandError(str(error)) from None
    print(found.to_json() if options.json == "-" else found, flush=True)
    return 0


# -------------------------------------------------------- what looks at one recorded run ---


def _add(
    commands: Any, name: str, run: Callable, words: str, description: str, example: str
) -> argparse.ArgumentParser:
    """A command that is given a function and its arguments."""
    parser = commands.add_parser(
        name,
        help=words,
        description=description,
        epilog=f"example: python -m tapead {name} {example}",
    )
    parser.add_argument("target", help="script.py:function or package.module:function")
    add_arguments(parser)
    parser.set_defaults(run=run)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", metavar="FILE", nargs="?", const="-", help="write JSON; instead of the table"
    )


def _found(options: argparse.Namespace, look: Callable, text_alone: bool) -> Any:
    """What `look` gives for the function that is named; None if the program failed.

    `text_alone`: what the program prints must not come between what is written.
    """
    with contextlib.redirect_stdout(sys.stderr if text_alone else sys.stdout):
        f = find(options.target)
        args = arguments_of(options, f)
        argnums = argnums_of(options, args)
        return ran(lambda: look(f, *args, argnums=argnums))


def _say(options: argparse.Namespace, found: Any) -> int:
    """Write JSON where it is asked for, and the table."""
    text = None
    if options.json:
        text = json.dumps(plain_json(found.to_dict()), indent=2)
    try:
        if options.json not in (None, "-"):
            Path(options.json).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(str(error)) from None
    print(text if options.json == "-" else found, flush=True)
    return 0


def _add_draw(commands: Any) -> None:
    parser = _add(
        commands,
        "draw",
        _draw,
        "the graph of a computation, with values, local derivatives and adjoints",
        "Run a function recorded, and draw its graph: as a picture into a file, or as text.",
        "script.py:f --args '[2.0, 1.0]' --sweep reverse -o graph.svg",
    )
    parser.add_argument(
        "--fold",
        choices=("line", "function", "iteration"),
        help="draw the rows of a source line, a function or a loop's step as one node",
    )
    parser.add_argument(
        "--sweep",
        choices=("forward", "reverse"),
        help="show tangents, or adjoints, in the nodes",
    )
    parser.add_argument("--wrt", metavar="NAME", help="the input of the tangents (the first)")
    parser.add_argument(
        "--most", type=int, metavar="N", default=500, help="refuse a graph of more nodes (500)"
    )
    parser.add_argument("--mermaid", action="store_true", help="print Mermaid text, not DOT")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="an .svg, .png, .dot or .mmd file, by its ending"
    )


def _draw(options: argparse.Namespace) -> int:
    """The command ``draw``."""

    def look(f: Callable, *args: Any, argnums: Any) -> Any:
        how = {name: getattr(options, name) for name in ("fold", "sweep", "wrt", "most")}
        return draw(f, *args, argnums=argnums, **how)

    found = _found(options, look, options.output is None)
    if found is None:
        return 1
    if options.output is None:
        print(found.mermaid if options.mermaid else found.dot, flush=True)
        return 0
    try:
        found.save(options.output)
    except (OSError, ValueError, RuntimeError) as error:  # an ending unknown, no Graphviz
        raise CommandError(str(error)) from None
    return 0


def _add_branches(commands: Any) -> None:
    parser = _add(
        commands,
        "branches",
        _branches,
        "what a function decides, and how far its inputs are from the other side",
        "Run a function recorded, and print what tracked values decided.",
        "script.py:payoff --args '[100.0, 0.2]'",
    )
    parser.add_argument(
        "--most", type=int, metavar="N", default=40, help="how many places are shown (40)"
    )
    _add_json(parser)


def _branches(options: argparse.Namespace) -> int:
    """The command ``branches``."""

    def look(f: Callable, *args: Any, argnums: Any) -> Any:
        return branches(f, *args, argnums=argnums, most=options.most)

    found = _found(options, look, options.json == "-")
    return 1 if found is None else _say(options, found)


def _add_nan(commands: Any) -> None:
    parser = _add(
        commands,
        "nan",
        _nan,
        "where a function or its gradient stops being finite, and what helps",
        "Run a function recorded and sweep back; print the first value and the first adjoint that "
        "are not finite, or the error of arithmetic that the function raises.",
        "script.py:loss --args '[[1.0, 0.0]]' --arrays",
    )
    _add_json(parser)


def _nan(options: argparse.Namespace) -> int:
    """The command ``nan``."""
    found = _found(options, find_nonfinite, options.json == "-")
    return 1 if found is None else _say(options, found)


def _add_flow(commands: Any) -> None:
    parser = _add(
        commands,
        "flow",
        _flow,
        "norms of the adjoints by function, line or step, for gradients that vanish or explode",
        "Run a function recorded, sweep back, and print the norms of the adjoints.",
        "script.py:loss --args '[0.5]' --by step",
    )
    parser.add_argument(
        "--by", choices=("function", "line", "step"), default="function", help="what is a row"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="how many steps, with --by step")
    parser.add_argument("--of", metavar="NAME", help="a part of the state, with --by step")
    parser.add_argument("--plot", metavar="PNG", help="draw a picture into a file")
    _add_json(parser)


def _flow(options: argparse.Namespace) -> int:
    """The command ``flow``."""

    def look(f: Callable, *args: Any, argnums: Any) -> Any:
        tape = record(f, *args, argnums=argnums)
        return tape.flow(by=options.by, steps=options.steps, of=options.of)

    found = _found(options, look, options.json == "-")
    if found is None:
        return 1
    try:
        if options.plot:
            found.plot(options.plot)
    except (OSError, ValueError, ImportError) as error:
        raise CommandError(str(error)) from None
    return _say(options, found)


COMMANDS: list[Callable[[Any], None]] = [
    _add_profile,
    _add_draw,
    _add_branches,
    _add_nan,
    _add_flow,
]
