"""Copies of this process that wait to be woken, and the pipes between them and who woke them."""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import random
import signal
import stat
import struct
import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from tapead import errors
from tapead.errors import SnapshotError

_LENGTH = struct.Struct("<Q")
PAGE = mmap.PAGESIZE
_OWN_FILES = "/proc/self/fd"


class Channel(NamedTuple):
    """Two pipes: one to read from, one to write to."""

    reads: int
    writes: int

    def send(self, message: Any) -> None:
        data = pickle.dumps(message, protocol=5)
        view = memoryview(_LENGTH.pack(len(data)) + data)
        while view:
            view = view[os.write(self.writes, view) :]

    def receive(self) -> Any:
        """The next message; EOFError if the other side has ended."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return pickle.loads(self._read(length))

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self.reads, min(count, 1 << 20))
            if not part:
                raise EOFError("the other process has ended")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        for fd in self:
            os.close(fd)


class Snapshot:
    """A process that waits at a row: its number, the way to it, and what its stretch holds.

    shares : files where reading and writing goes on at a place common to it and to others, with
        the place that the program had come to
    """

    __slots__ = ("channel", "digest", "pid", "row", "shares", "size")

    def __init__(self, row: int, pid: int, channel: Channel, shares: dict[int, int]) -> None:
        self.row = row
        self.pid = pid
        self.channel = channel
        self.shares = shares
        self.size = self.digest = 0


def fork(row: int, waiting: list[Snapshot]) -> Snapshot | None:
    """Add a snapshot of this process to those that wait; None.

    In the copy this returns when it is woken, with itself, and nobody waits.
    """
    for stream in (sys.stdout, sys.stderr):  # what is printed twice otherwise
        with contextlib.suppress(Exception):
            stream.flush()
    # Ctrl-C must not come while a copy is there that nobody knows of.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        return _forked(row, waiting, mask)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _forked(row: int, waiting: list[Snapshot], mask: set) -> Snapshot | None:
    down, up = os.pipe(), os.pipe()
    offsets, numbers = file_offsets(), random.getstate()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: see `hazards`
        pid = os.fork()
    if pid:
        os.close(down[0])
        os.close(up[1])
        waiting.append(Snapshot(row, pid, Channel(up[0], down[1]), offsets))
        return None
    try:
        os.close(down[1])
        os.close(up[0])
        for other in waiting:
            other.channel.close()
        waiting.clear()
        channel = Channel(down[0], up[1])
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        wait_for_byte(channel)
        silence()
        random.setstate(numbers)  # Python seeds it anew in a child
        own = {fd: offset for fd, offset in offsets.items() if opened_anew(fd)}
        go_back(own)
        common = {fd: offset for fd, offset in offsets.items() if fd not in own}
        return Snapshot(row, 0, channel, common)
    except BaseException:  # also Ctrl-C: who forked this is told by himself
        leave(1)


def wait_for_byte(channel: Channel) -> None:
    """Wait to be woken; exit if nobody is there any more who could."""
    if not os.read(channel.reads, 1):
        leave(0)


def opened_anew(fd: int) -> bool:
    """Let this process have a file for itself, which copies of a process share otherwise."""
    import fcntl

    try:
        own = os.open(f"{_OWN_FILES}/{fd}", fcntl.fcntl(fd, fcntl.F_GETFL))
    except OSError:
        return False
    os.dup2(own, fd, os.get_inheritable(fd))
    os.close(own)
    return True


def wake(snapshot: Snapshot, task: Any) -> None:
    """Let a snapshot begin with a task."""
    with contextlib.suppress(BrokenPipeError):  # it has ended: `asked` tells how
        os.write(snapshot.channel.writes, b"w")
        snapshot.channel.send(task)


def asked(snapshot: Snapshot, pending: Any) -> Any:
    """What a snapshot that is awake answers to adjoints; it is about to end then."""
    offsets = file_offsets() if snapshot.shares else {}
    try:
        with contextlib.suppress(BrokenPipeError):  # it may have said before what went wrong
            snapshot.channel.send(pending)
        answer = snapshot.channel.receive()
    except EOFError:
        _, status = os.waitpid(snapshot.pid, 0)
        snapshot.pid = 0
        raise SnapshotError(
            f"the process that held the program at row {snapshot.row:,} {_ending(status)} before "
            "its part of the gradient was done.  If the system ran out of memory, give memory= a "
            "smaller number, or use spill= with a folder"
        ) from None
    finally:
        go_back(offsets)
    if answer.error is not None:
        kind, text = answer.error
        known = getattr(errors, kind, None)
        raise known(text) if known else SnapshotError(f"{kind} in a snapshot: {text}")
    return answer


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"exited with code {code}"


def end(snapshot: Snapshot, kill: bool = True) -> None:
    """Let a snapshot be no more: no process, no pipe."""
    if snapshot.pid:
        if kill:
            with contextlib.suppress(ProcessLookupError):
                os.kill(snapshot.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(snapshot.pid, 0)
        snapshot.pid = 0
    snapshot.channel.close()


def leave(code: int) -> None:
    """End this copy of the process, without a word of what the original has to say at its end."""
    os._exit(code)


def silence() -> None:
    """Let what the program prints a second time go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for fd in (1, 2):
        os.dup2(nowhere, fd)
    sys.stdout = sys.stderr = open(nowhere, "w")  # noqa: SIM115 - until the process ends


def refuse_writing(tell: Callable[[BaseException], None]) -> None:
    """Let a copy of the process open no file for writing, and start nothing: it was done before.

    ``tell(error)`` ends the copy.
    """

    def look(event: str, arguments: tuple) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(mode, str) and any(c in mode for c in "wax+")
            writes = writes or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_TRUNC))
            if not writes or path == os.devnull or isinstance(path, int):
                return
            if os.fsdecode(path).startswith(_OWN_FILES):  # by `opened_anew`, in a copy of this copy
                return
            what = f"opens {path!r} for writing"
        elif event in _DONE_ONCE:
            what = f"calls {event}{arguments!r:.80}"
        else:
            return
        tell(
            SnapshotError(
                f"the program {what}, in a part that memory= runs a second time.  Do that outside "
                "of the function, or use spill= with a folder, which runs it once"
            )
        )

    sys.addaudithook(look)


# What nobody wants to be done twice, as audit events.
_DONE_ONCE = {
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.system", "os.posix_spawn",
    "subprocess.Popen", "socket.connect", "socket.bind", "shutil.rmtree", "shutil.move",
}  # fmt: skip


def _files() -> list[tuple[int, os.stat_result]]:
    """The files that are open, with what they are; the three standard ones left out."""
    folder = _OWN_FILES if os.path.isdir(_OWN_FILES) else "/dev/fd"
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(OSError, ValueError):
            if int(name) > 2:
                found.append((int(name), os.fstat(int(name))))
    return found


def file_offsets() -> dict[int, int]:
    """Where reading and writing is in each open file: copies of a process share that."""
    found = {}
    for fd, status in _files():
        if stat.S_ISREG(status.st_mode):
            with contextlib.suppress(OSError):
                found[fd] = os.lseek(fd, 0, os.SEEK_CUR)
    return found


def go_back(offsets: dict[int, int]) -> None:
    """Let reading and writing go on from there."""
    for fd, offset in offsets.items():
        with contextlib.suppress(OSError):
            os.lseek(fd, offset, os.SEEK_SET)


def page_faults() -> int:
    """How many pages this process has written that were new, or that copies of it have, too."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def hazards() -> list[str]:
    """What a copy of this process would not find as it was."""
    import fcntl
    import threading

    found = []
    threads = [t.name for t in threading.enumerate() if t is not threading.current_thread()]
    if threads:
        found.append(f"threads run that copies of the process do not have ({', '.join(threads)})")
    files = _files()
    sockets = [fd for fd, status in files if stat.S_ISSOCK(status.st_mode)]
    if sockets:
        found.append(f"sockets are open, which copies share (file descriptors {sockets})")
    appended = []
    for fd, status in files:
        if stat.S_ISREG(status.st_mode):
            flags = fcntl.fcntl(fd, fcntl.F_GETFL)
            if flags & os.O_APPEND and flags & (os.O_WRONLY | os.O_RDWR):
                appended.append(fd)
    if appended:
        found.append(f"files are open to append, and get lines twice (descriptors {appended})")
    return found
