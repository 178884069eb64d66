"""A run to be profiled: recorded, its calls counted and the process's memory sampled meanwhile."""

from __future__ import annotations

import contextlib
import cProfile
import ctypes
import gc
import sys
import time
from collections.abc import Callable
from types import CodeType
from typing import NamedTuple

from tapead.profile_uses import Calls
from tapead.record import RecordedTape, record


class Run(NamedTuple):
    """A recorded run.

    calls : of each function, None where they were not counted
    samples : (MiB, time) of the process's memory, None where that was not measured
    """

    recorded: RecordedTape
    seconds: float
    calls: dict[CodeType, Calls] | None
    samples: list[tuple[float, float]] | None


def measured(
    run: Callable[[], RecordedTape], counts: bool, usage: Callable | None, interval: float
) -> Run:
    """A run, or where that took several tries another one, in which calls are those of one."""
    for _ in range(2):
        profiler = None
        if counts and sys.getprofile() is None:
            profiler = cProfile.Profile(builtins=False)
        recorded, seconds, samples = _sampled(run, profiler, usage, interval)
        calls, tries = _calls(profiler)
        if tries == 1:
            return Run(recorded, seconds, calls, samples)
    return Run(recorded, seconds, None, samples)


def _sampled(
    run: Callable[[], RecordedTape],
    profiler: cProfile.Profile | None,
    usage: Callable | None,
    interval: float,
) -> tuple[RecordedTape, float, list[tuple[float, float]] | None]:
    """The tape of a run, its seconds, and samples (MiB, time) of the process's memory."""
    seconds = 0.0

    def timed() -> tuple[RecordedTape | None, BaseException | None]:
        # An exception is handed over: memory_usage would end all of the process's children.
        nonlocal seconds
        begin = time.perf_counter()
        enabled = profiler is not None and _enabled(profiler)
        try:
            return run(), None
        except Exception as error:
            return None, error
        finally:
            if enabled:
                profiler.disable()
            seconds = time.perf_counter() - begin

    samples = None
    if usage is None:
        recorded, error = timed()
    else:
        _give_back()
        samples, (recorded, error) = usage(
            (timed, ()), interval=interval, timestamps=True, retval=True, max_iterations=1
        )
    if error is not None:
        raise error
    return recorded, seconds, samples


def _enabled(profiler: cProfile.Profile) -> bool:
    try:
        profiler.enable()
    except ValueError:  # another profiler runs
        return False
    return True


def _calls(profiler: cProfile.Profile | None) -> tuple[dict[CodeType, Calls] | None, int]:
    """The calls of each function, and how often the recording was tried."""
    stats = [] if profiler is None else profiler.getstats()
    if not stats:
        return None, 1
    calls, tries = {}, 1
    for entry in stats:
        if isinstance(entry.code, CodeType):
            calls[entry.code] = Calls(entry.callcount, entry.reccallcount, entry.totaltime)
            if entry.code in record.__code__.co_consts:
                tries = max(tries, entry.callcount if entry.code.co_name == "body" else 1)
    return calls, tries


def memory_usage() -> Callable:
    try:
        import memory_profiler
    except ImportError:
        raise ImportError(
            "the process's memory is measured by memory_profiler, which is not installed: "
            "pip install memory_profiler, or leave memory=True out"
        ) from None
    return memory_profiler.memory_usage


def _give_back() -> None:
    """Return memory that is free to the system, that what grows from here on is seen to grow."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not the C library of GNU
        ctypes.CDLL(None).malloc_trim(0)
