"""profile: what a function's tape will hold, by line, by function and by operation."""

from __future__ import annotations

import inspect
import json
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tapead import profile_text
from tapead.derived import RUNS, Derived, chosen, derive
from tapead.profile_counts import counted
from tapead.profile_diff import ProfileDiff
from tapead.profile_run import Run, measured, memory_usage, seconds_of_a_call
from tapead.profile_uses import CheckpointGain, FunctionUse, LineUse, OperationUse
from tapead.record import RecordedTape, record
from tapead.recording import function_name
from tapead.tape import BYTES_PER_CONSTANT, BYTES_PER_LINE, BYTES_PER_ROW

# Of the whole tape; what saves less is not worth a function's second run.
WORTHWHILE = 0.1
_RECORDS_OWN = frozenset(inspect.signature(record).parameters) - {"args", "kwargs"}


class Checkpoint(NamedTuple):
    """What a profile predicts of checkpointing one function.

    Attributes
    ----------
    function, file, line : which function
    calls : how often it was called, None where that was not counted
    saves : bytes by which the tape is shorter at its longest.  What each call keeps is subtracted:
        the arrays that it reads and has not made, each once, and 2 kB
    seconds : what a gradient takes longer: the function's second run, of plain numbers if the
        profile measured these, else recorded, which is longer; and what a checkpointed call takes
        besides, which is measured, for each one that was counted
    share : that, as a part of a run of the whole program
    """

    function: str
    file: str
    line: int
    calls: int | None
    saves: int
    seconds: float
    share: float


class ProcessMemory(NamedTuple):
    """The process's memory while the function ran, as memory_profiler measured it.

    Attributes
    ----------
    seconds, bytes : the samples; the first is from before the run
    expected : what the tape, with source lines, says that it holds
    """

    seconds: list[float]
    bytes: list[int]
    expected: int

    @property
    def growth(self) -> int:
        """Bytes by which the process grew."""
        return max(self.bytes) - self.bytes[0]


class TapeProfile:
    """What the tape of one run holds.  ``str()`` is a table.

    Attributes
    ----------
    function : the function's name
    value : its result, with plain numbers
    rows, constants : how many the tape has
    row_bytes, constant_bytes : 17 a row, 8 a constant
    kept_bytes : of arrays that records keep alive for the sweep, also such as the program itself
        holds; memory that several keep is counted once.  What the closures of `custom_vjp` rules
        hold is not seen.
    record_bytes : of the records themselves
    tape_bytes : the sum of these four
    adjoint_bytes : what a reverse sweep adds at most: 8 a row, and a buffer for each array.  It
        frees buffers and rows as it passes them, so that the sum is never reached in `grad`.
    peak_bytes : ``tape_bytes + adjoint_bytes``, an upper bound
    line_bytes : 4 a row, for source lines: kept for this profile, not by a gradient
    seconds : of the recorded run
    plain_seconds : of a run on plain numbers, None unless that was asked for
    operations, lines, functions : lists of `OperationUse`, `LineUse`, `FunctionUse`, by bytes
    checkpoints : a `Checkpoint` for each function, by what it saves
    best : the one that saves most, None if no one saves a tenth of the tape
    process : `ProcessMemory`, None unless it was asked for

    Examples
    --------
    >>> import tapead
    >>> profile = tapead.profile(lambda x, n: sum(x * k for k in range(n)))(1.0, 100)
    >>> profile
    <TapeProfile of <lambda>: 201 rows, 4,217 bytes>
    >>> profile.row_bytes + profile.constant_bytes, profile.operations[0].operation
    (4217, 'add')
    """

    def __init__(self, function: str, run: Run, plain_seconds: float | None) -> None:
        recorded, seconds, calls, samples = run
        counts = counted(recorded, calls, seconds)
        self.function = function
        self.value: Any = recorded.value
        self.rows = len(recorded)
        self.constants = counts.constants
        self.row_bytes = BYTES_PER_ROW * self.rows
        self.constant_bytes = BYTES_PER_CONSTANT * self.constants
        self.kept_bytes = counts.kept
        self.record_bytes = counts.records
        self.tape_bytes = sum(
            (self.row_bytes, self.constant_bytes, self.kept_bytes, self.record_bytes)
        )
        self.adjoint_bytes = counts.adjoints
        self.peak_bytes = self.tape_bytes + self.adjoint_bytes
        self.line_bytes = BYTES_PER_LINE * self.rows
        self.seconds = seconds
        self.plain_seconds = plain_seconds
        self.operations: list[OperationUse] = counts.operations
        self.lines: list[LineUse] = counts.lines
        self.functions: list[FunctionUse] = counts.functions
        self.checkpoints = [self._predicted(gain) for gain in counts.gains]
        best = self.checkpoints[0] if self.checkpoints else None
        worth = best is not None and best.saves >= WORTHWHILE * self.tape_bytes
        self.best: Checkpoint | None = best if worth else None
        self.process: ProcessMemory | None = None
        if samples is not None:
            begin = samples[0][1]
            self.process = ProcessMemory(
                [moment - begin for _, moment in samples],
                [int(mebibytes * 2**20) for mebibytes, _ in samples],
                self.tape_bytes + self.line_bytes,
            )
        self._stacks = counts.stacks
        self._spans = counts.spans

    def _predicted(self, gain: CheckpointGain) -> Checkpoint:
        whole = self.seconds if self.plain_seconds is None else self.plain_seconds
        *what, saves, share = gain
        seconds = share * whole + (gain.calls or 0) * seconds_of_a_call()
        return Checkpoint(*what, saves, seconds, seconds / whole if whole else share)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<TapeProfile of {self.function}: {self.rows:,} rows, {self.tape_bytes:,} bytes>"

    def _repr_html_(self) -> str:
        return profile_text.html(self)

    def table(self, most: int | None = 40) -> str:
        """The profile as text.

        Parameters
        ----------
        most : lines, functions and operations that are shown, the largest; None for all

        Examples
        --------
        >>> import tapead
        >>> profile = tapead.profile(lambda x, n: sum(x * k for k in range(n)))(1.0, 100)
        >>> print(profile.table(most=1))
        <lambda>: 201 rows, tape 4.22 kB, ...
        ...
        """
        return profile_text.table(self, most)

    def to_dict(self) -> dict[str, Any]:
        """All figures, as plain Python objects; the function's value is left out.

        Examples
        --------
        >>> import tapead
        >>> figures = tapead.profile(lambda x: x * x)(3.0).to_dict()
        >>> figures["rows"], figures["tape_bytes"], figures["operations"][1]["operation"]
        (2, 34, 'mul')
        """
        names = (
            "function", "rows", "constants", "row_bytes", "constant_bytes", "kept_bytes",
            "record_bytes", "tape_bytes", "adjoint_bytes", "peak_bytes", "line_bytes", "seconds",
            "plain_seconds",
        )  # fmt: skip
        figures = {name: getattr(self, name) for name in names}
        for name in ("operations", "lines", "functions", "checkpoints"):
            figures[name] = [use._asdict() for use in getattr(self, name)]
        figures["best"] = self.best and self.best._asdict()
        figures["process"] = self.process and {
            **self.process._asdict(),
            "growth": self.process.growth,
        }
        return figures

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON.

        Examples
        --------
        >>> import json
        >>> import tapead
        >>> json.loads(tapead.profile(lambda x: x * x)(3.0).to_json())["tape_bytes"]
        34
        """
        return json.dumps(self.to_dict(), indent=indent)

    def diff(self, other: TapeProfile) -> ProfileDiff:
        """What changes from this profile to another, by function and by line.

        Lines are the same if their text and their function's name are, wherever they stand.

        Examples
        --------
        >>> import tapead
        >>> before = tapead.profile(lambda x: x * x * x + x)(3.0)
        >>> before.diff(tapead.profile(lambda x: x**3 + x)(3.0))
        <ProfileDiff: -1 rows, -9 bytes>
        """
        return ProfileDiff(self, other)

    def collapsed(self, count: str = "bytes") -> str:
        """Collapsed stacks: a line ``outer;inner;file:line number`` for each stack of calls.

        Parameters
        ----------
        count : what the numbers count, "bytes" or "rows"

        Examples
        --------
        >>> import tapead
        >>> def squares(x, n):
        ...     return [x * x for k in range(n)][-1]
        >>> tapead.profile(squares)(3.0, 10).collapsed("rows").split()[-1]
        '10'
        """
        return profile_text.collapsed(self, count)

    def flamegraph(self, path: str | os.PathLike, count: str = "bytes") -> None:
        """Write `collapsed` to a file, for flamegraph.pl, speedscope, inferno and their like.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import tapead
        >>> profile = tapead.profile(lambda x: x * x)(3.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "stacks.txt")
        ...     profile.flamegraph(path)
        ...     path.read_text() == profile.collapsed()
        True
        """
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.collapsed(count))

    def plot(self, path: str | os.PathLike | None = None) -> Any:
        """The largest lines and operations as bars, and the process's memory if it was measured.

        Needs matplotlib.  Returns its figure; with a path the picture is also written there.

        Examples
        --------
        >>> import importlib.util
        >>> import tapead
        >>> if importlib.util.find_spec("matplotlib"):
        ...     figure = tapead.profile(lambda x: x * x)(3.0).plot()
        ...     assert figure.axes
        """
        return profile_text.plot(self, path)


# ------------------------------------------------------------------------------ the profile ---


def profile(
    f: Callable | None = None,
    argnums: int | tuple[int, ...] = 0,
    *,
    rerun: bool = True,
    calls: bool = True,
    plain: bool = False,
    memory: bool = False,
    interval: float = 0.01,
) -> Any:
    """Where the tape of a function's gradient comes from.

    Parameters
    ----------
    f : the function; left out, ``profile(argnums=..., ...)`` is a decorator
    argnums : as for `grad`
    rerun : as for `grad`.  Where f had to be run again, the profile takes one run more.
    calls : count calls and their time by `cProfile`, for the predictions.  Otherwise, and where
        another profiler runs, rows that follow one another are taken to be of one call.
    plain : run f once more, on plain numbers, so that predicted times are those of such a run
    memory : measure the process's memory meanwhile by memory_profiler, which has to be installed
    interval : seconds between its samples

    Returns
    -------
    A function of f's arguments.  It runs f recorded and gives a `TapeProfile`.

    Examples
    --------
    >>> import tapead
    >>> def cooled(heat, steps):
    ...     for _ in range(steps):
    ...         heat = heat - 0.1 * heat
    ...     return heat
    >>> profile = tapead.profile(cooled)(1.0, 1000)
    >>> profile.rows, profile.tape_bytes, profile.adjoint_bytes
    (2001, 34025, 16008)
    >>> [(use.operation, use.rows) for use in profile.operations[:2]]
    [('sub', 1000), ('mul', 1000)]
    >>> profile.diff(tapead.profile(cooled)(1.0, 500))
    <ProfileDiff: -1,000 rows, -17,000 bytes>
    """
    return derive("profile", f, argnums, False, rerun, False, calls, plain, memory, interval)


def _profiled(g: Derived, args: tuple, kwargs: dict) -> TapeProfile:
    counts, plain, memory, interval = g._more
    usage = memory_usage() if memory else None
    args, kwargs, _ = chosen(g, args, kwargs)
    whole = f = g.__wrapped__
    given = kwargs
    if not _RECORDS_OWN.isdisjoint(kwargs):  # names that `record` would take for its own
        f, given = (lambda *args: whole(*args, **kwargs)), {}

    def run() -> RecordedTape:
        return record(f, *args, argnums=g._positions, rerun=g._rerun, stacks=True, **given)

    done = measured(run, counts, usage, interval)
    seconds = None
    if plain:
        begin = time.perf_counter()
        whole(*args, **kwargs)
        seconds = time.perf_counter() - begin
    return TapeProfile(function_name(whole), done, seconds)


RUNS["profile"] = _profiled
