"""Where stored states are: in memory, or in a file that has no name and goes with the call."""

from __future__ import annotations

import mmap
import os
import tempfile
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

_ALIGNED = 64  # what an array begins at, in bytes


def copied(state: Sequence) -> list:
    """The numbers of a state, and copies of its arrays, laid out as these."""
    return [x.copy("K") if isinstance(x, np.ndarray) else x for x in state]


class InMemory:
    """States in memory.  A state is a list of numbers and arrays; arrays are copied both ways."""

    def __init__(self) -> None:
        self._states: dict[int, list] = {}

    def __contains__(self, at: int) -> bool:
        return at in self._states

    def __len__(self) -> int:
        return len(self._states)

    def put(self, at: int, state: Sequence) -> None:
        self._states[at] = copied(state)

    def get(self, at: int) -> list:
        return copied(self._states[at])

    def drop(self, at: int) -> None:
        self._states.pop(at, None)

    def close(self) -> None:
        self._states.clear()


class _Slot(NamedTuple):
    """A state in the file: which part of it, a sum to check that by, and what is not in there."""

    number: int
    check: int
    rest: list


class _Like(NamedTuple):
    """What an array in the file is."""

    shape: tuple[int, ...]
    dtype: np.dtype
    strides: tuple[int, ...]


_FLOAT = object()  # stands for a float, which is in the file beside others


class OnDisk:
    """States in a file in a folder, memory-mapped when they are read.

    The file has no name (or is deleted by the system when it is closed), so that nothing is left
    whatever happens to the process.  All states have arrays of the same shapes and dtypes.  The
    latest is written when the next one comes: many are forgotten before that.

    Raises
    ------
    OSError
        if the folder is not there or cannot be written to, or is full
    """

    def __init__(self, folder: Any) -> None:
        self._folder = os.fspath(folder)
        self._slots: dict[int, _Slot] = {}
        self._free: list[int] = []
        self._size = 0  # of a part of the file, known with the first state
        self._latest: tuple[int, list] | None = None
        try:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 - closed by close()
                buffering=0, prefix="tapead-", dir=self._folder
            )
        except OSError as error:
            raise self._failure(error, "a file for stored states could not be made") from error

    def __contains__(self, at: int) -> bool:
        return at in self._slots or self._is_latest(at)

    def __len__(self) -> int:
        return len(self._slots) + (self._latest is not None)

    def put(self, at: int, state: Sequence) -> None:
        if self._latest is not None:
            self._write(*self._latest)
        self.drop(at)
        self._latest = (at, copied(state))

    def get(self, at: int) -> list:
        return copied(self._latest[1]) if self._is_latest(at) else self._read(self._slots[at])

    def drop(self, at: int) -> None:
        if self._is_latest(at):
            self._latest = None
        slot = self._slots.pop(at, None)
        if slot is not None:
            self._free.append(slot.number)

    def close(self) -> None:
        self._latest = None
        self._slots.clear()
        self._file.close()

    def _is_latest(self, at: int) -> bool:
        return self._latest is not None and self._latest[0] == at

    def _write(self, at: int, state: list) -> None:
        """Write a state; it counts once all of it is there."""
        arrays = [np.array([x for x in state if type(x) is float])]
        rest: list = []
        for x in state:
            if isinstance(x, np.ndarray):
                arrays.append(x)
                x = _Like(x.shape, x.dtype, x.strides)
            rest.append(_FLOAT if type(x) is float else x)
        if not self._size:
            whole = sum(map(_room, arrays)) or 1
            self._size = -(-whole // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        number = self._free[-1] if self._free else len(self._slots)
        begin, check = number * self._size, 0
        try:
            for x in arrays:
                data = x.ravel("K").view(np.uint8)
                check = zlib.crc32(data, check)
                self._write_at(begin, data)
                begin += _room(x)
            if not self._free:  # what is mapped has to be there to its end
                self._file.truncate((number + 1) * self._size)
        except OSError as error:
            raise self._failure(
                error, f"a stored state of {self._size:,} bytes could not be written"
            ) from error
        if self._free:
            self._free.pop()
        self._slots[at] = _Slot(number, check, rest)
        self._latest = None

    def _write_at(self, begin: int, data: np.ndarray) -> None:
        self._file.seek(begin)
        done = 0
        while done < len(data):
            done += self._file.write(data[done:])

    def _read(self, slot: _Slot) -> list:
        """A state of the file; an error if it is not what was written."""
        count = sum(x is _FLOAT for x in slot.rest)
        likes = [_Like((count,), np.dtype(float), (8,))]
        likes += [x for x in slot.rest if type(x) is _Like]
        found, begin, check = [], 0, 0
        with mmap.mmap(
            self._file.fileno(), self._size, access=mmap.ACCESS_READ,
            offset=slot.number * self._size,
        ) as mapped:  # fmt: skip
            for like in likes:
                size = like.dtype.itemsize
                for length in like.shape:
                    size *= length
                data = bytearray(mapped[begin : begin + size])
                check = zlib.crc32(data, check)
                x = np.ndarray(like.shape, like.dtype, data, 0, like.strides)
                begin += _room(x)
                found.append(x)
        if check != slot.check:
            raise OSError(
                f"a stored state in the folder {self._folder!r} is not what was written: the disk "
                "has failed, or something else has written to the file"
            )
        floats, arrays = iter(found[0].tolist()), iter(found[1:])
        return [
            next(floats) if x is _FLOAT else next(arrays) if type(x) is _Like else x
            for x in slot.rest
        ]

    def _failure(self, error: OSError, what: str) -> OSError:
        """The system's error with what went wrong, where, and what can be done."""
        return type(error)(
            error.errno,
            f"{what} in the folder {self._folder!r}: {error.strerror}. Give a folder that is "
            "there, can be written to and has room, or fewer snapshots",
        )


def _room(x: np.ndarray) -> int:
    """The bytes that an array takes in the file."""
    return -(-x.nbytes // _ALIGNED) * _ALIGNED
