"""What commands are told: a function by its name, its arguments, and errors in words."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import json
import os
import sys
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tapead.errors import TapeadError, is_users


class CommandError(Exception):
    """What is wrong with a command, for whoever typed it."""


def find(target: str) -> Callable:
    """The function that ``script.py:function`` or ``module:function`` names.

    >>> find("math:sin")(0.0)
    0.0
    """
    place, colon, name = target.rpartition(":")
    if not (place and colon and name):
        raise CommandError(f"{target!r}: script.py:function or module:function was expected")
    module = _script(place) if place.endswith(".py") else _module(place)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            known = [k for k, x in vars(module).items() if callable(x) and not k.startswith("_")]
            hint = f"; it has {', '.join(known[:10])}" if known else ""
            raise CommandError(f"{place} has no function {name!r}{hint}")
    if not callable(found):
        raise CommandError(f"{name} in {place} is a {type(found).__name__}, not a function")
    return found


def _script(place: str) -> ModuleType:
    """A script's module; it does not run as ``__main__``."""
    path = Path(place).resolve()
    if not path.is_file():
        raise CommandError(f"there is no file {place}")
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_script"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{place} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    _imported(place, lambda: spec.loader.exec_module(module))
    return module


def _module(name: str) -> ModuleType:
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    return _imported(name, lambda: importlib.import_module(name))


def _imported(name: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (Exception, SystemExit) as error:
        cause = traceback.format_exception_only(error)[-1].strip()
        raise CommandError(f"{name} cannot be imported: {cause}") from error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command be given a function's arguments."""
    parser.add_argument(
        "--args",
        metavar="JSON",
        default="[]",
        help="the positional arguments, a JSON list; an object gives them by name; "
        "@FILE reads them from a .json or .npz file, and so does such a file's name alone",
    )
    parser.add_argument("--arrays", action="store_true", help="let lists of numbers be arrays")
    parser.add_argument(
        "--argnums",
        metavar="N",
        help="which arguments are differentiated: numbers with commas between them, or 'all'; "
        "unless it is given, as the function of this name in Python has it",
    )


def arguments_of(options: argparse.Namespace, f: Callable) -> tuple:
    """The positional arguments that are given for a function."""
    text: str = options.args
    if text.startswith("@") or text.endswith((".npz", ".json")):  # as no JSON does
        given: Any = _from_file(text.removeprefix("@"))
    else:
        given = _from_json(text, text)
    if isinstance(given, dict):
        given = _by_name(f, given)
    if not isinstance(given, (list, tuple)):
        raise CommandError(f"--args is {text}: a list of the arguments was expected, [{text}]")
    return tuple(map(_with_arrays, given) if options.arrays else given)


def _from_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"--args: {where} is no JSON: {error}") from None


def _from_file(path: str) -> Any:
    if path.endswith(".npz"):
        return _from_npz(path)
    try:
        return _from_json(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--args: {path} cannot be read: {error}") from None


def _from_npz(path: str) -> Any:
    """The arrays of a file: in their order if savez has named them, else by name."""
    try:
        with np.load(path, allow_pickle=False) as held:
            given = {name: held[name] for name in held.files}
    except (OSError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise CommandError(f"--args: {path} cannot be read: {error}") from None
    given = {name: x.item() if x.ndim == 0 else x for name, x in given.items()}
    in_order = [f"arr_{k}" for k in range(len(given))]
    return [given[name] for name in in_order] if given.keys() == set(in_order) else given


def _by_name(f: Callable, given: dict[str, Any]) -> tuple:
    try:
        bound = inspect.signature(f).bind(**given)
    except (TypeError, ValueError) as error:
        raise CommandError(f"--args: {error}") from None
    if bound.kwargs:
        raise CommandError(f"--args: {', '.join(bound.kwargs)} can only be given by keyword")
    return bound.args


def _with_arrays(x: Any) -> Any:
    """x with arrays in the place of lists of numbers."""
    if isinstance(x, dict):
        return {name: _with_arrays(y) for name, y in x.items()}
    if not isinstance(x, list):
        return x
    try:
        array = np.array(x)
    except ValueError:
        raise CommandError(f"--arrays: {json.dumps(x)} has rows of different lengths") from None
    if array.dtype.kind not in "biuf":
        raise CommandError(f"--arrays: {json.dumps(x)} does not consist of numbers")
    return array


def argnums_of(options: argparse.Namespace, args: tuple) -> int | tuple[int, ...] | None:
    """The positions that ``--argnums`` names; None if it is not given."""
    if options.argnums is None:
        return None
    if options.argnums == "all":
        return tuple(range(len(args))) or 0
    try:
        numbers = tuple(map(int, options.argnums.split(",")))
    except ValueError:
        raise CommandError(f"--argnums {options.argnums}: numbers or 'all' were expected") from None
    return numbers[0] if len(numbers) == 1 else numbers


def ran(call: Callable[[], Any]) -> Any:
    """What a call gives; None if the user's program raised, whose traceback has been printed.

    An error in which no line of the program has a part is one of the command.
    """
    try:
        return call()
    except CommandError:
        raise
    except TapeadError as error:
        raise CommandError(f"{type(error).__name__}: {error}") from None
    except Exception as error:
        step = error.__traceback__
        while step is not None and not is_users(step.tb_frame.f_code):
            step = step.tb_next
        if step is None:
            # A KeyError puts its words in quotes.
            words = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise CommandError(str(words)) from None
        traceback.print_exception(type(error), error, step)
        return None
