"""The command line, ``python -m tapead COMMAND ...``; the commands are in commands.py."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tapead.command_arguments import CommandError
from tapead.commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give the exit code: 2 if the command is wrong, 1 if the program failed.

    >>> main(["profile", "math:nothing"])
    2
    """
    parser = argparse.ArgumentParser(prog="python -m tapead", description="Look at derivatives.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    try:
        options = parser.parse_args(arguments)
        return options.run(options)
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
