"""Stored states of loops, and amounts of memory: all comes back as it was, nothing stays behind."""

import errno
import os
import sys

import numpy as np
import pytest

from tapead.checkpoints.stores import InMemory, OnDisk
from tapead.sizes import bytes_of

STATE = [
    1.5,
    np.arange(6.0).reshape(2, 3),
    7,
    np.asfortranarray(np.arange(6.0).reshape(3, 2) - 1j),
    np.array(2.5, np.float32),
    float("nan"),
    np.float64(-0.0),
    np.empty((0, 3)),
    True,
    np.arange(4),
]


def same(a, b):
    if isinstance(a, np.ndarray):
        return (
            (a.shape, a.dtype, a.strides) == (b.shape, b.dtype, b.strides)
            and a.tobytes() == b.tobytes()
            and b.flags.writeable
        )
    return type(a) is type(b) and np.float64(a).tobytes() == np.float64(b).tobytes()


@pytest.fixture(params=["memory", "disk"])
def store(request, tmp_path):
    made = InMemory() if request.param == "memory" else OnDisk(tmp_path)
    yield made
    made.close()
    assert list(tmp_path.iterdir()) == []


def scaled(k):
    return [x * k if type(x) is float or isinstance(x, np.ndarray) else x for x in STATE]


def test_states_come_back_to_the_last_bit(store):
    for k in range(5):
        store.put(k, scaled(k + 1))
    store.drop(1)
    store.put(9, scaled(10))
    store.put(2, scaled(-1))
    assert len(store) == 5
    assert [k in store for k in range(5)] == [True, False, True, True, True]
    for at, k in [(0, 1), (2, -1), (3, 4), (4, 5), (9, 10)]:
        assert all(map(same, scaled(k), store.get(at))), at


def test_states_are_copies(store):
    x = np.ones(3)
    for at in (1, 2):
        store.put(at, [x])
    x[:] = 5.0
    for at in (1, 2):
        store.get(at)[0][:] = 7.0
        assert store.get(at)[0].tolist() == [1.0, 1.0, 1.0]


def test_states_without_arrays(store):
    for k in range(3):
        store.put(k, [k, True])
    assert [store.get(k) for k in range(3)] == [[k, True] for k in range(3)]


def test_file_is_used_again(tmp_path):
    store = OnDisk(tmp_path)
    for k in range(50):
        store.put(k, [np.full(1000, float(k))])
        if k > 2:
            store.drop(k - 3)
    assert os.fstat(store._file.fileno()).st_size <= 5 * store._size
    assert store.get(48)[0][0] == 48.0


def test_file_has_no_name_while_it_is_used(tmp_path):
    store = OnDisk(tmp_path)
    for k in range(3):
        store.put(k, [np.ones(100)])
    if os.name == "posix":
        assert list(tmp_path.iterdir()) == []
    store.close()


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no_such.*Give a folder that is there"):
        OnDisk(tmp_path / "no_such")


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file'.*Give a folder that is there"):
        OnDisk(tmp_path / "file")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="can be written to"):
        OnDisk(tmp_path)


class Full:
    """A file on a disk that has room for so many bytes more."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = self.file.write(data[: min(self.room, 100)])
        self.room -= done
        return done

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_nothing_half_written_is_read_back(tmp_path):
    store = OnDisk(tmp_path)
    store.put(0, [np.full(100, 1.0)])
    store.put(1, [np.full(100, 2.0)])  # writes the first
    store._file = Full(store._file, 250)
    with pytest.raises(OSError, match="could not be written") as caught:
        store.put(2, [np.full(100, 3.0)])  # writes a part of the second
    assert caught.value.errno == errno.ENOSPC
    assert store.get(0)[0].tolist() == [1.0] * 100
    assert store.get(1)[0].tolist() == [2.0] * 100  # from memory, where it still is
    assert 2 not in store


def test_writes_that_do_not_take_all_at_once_go_on(tmp_path):
    store = OnDisk(tmp_path)
    store._file = Full(store._file, 10**6)
    for k in range(3):
        store.put(k, [np.arange(500.0) + k])
    assert store.get(0)[0].tolist() == list(range(500))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is a process's own there")
def test_file_that_may_not_grow(tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    store = OnDisk(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 * 8192 + 100, before[1]))
    try:
        for k in range(6):
            store.put(k, [np.ones(1000)])
        with pytest.raises(OSError, match="has room, or fewer snapshots"):
            store.put(6, [np.ones(1000)])
        assert store.get(0)[0].tolist() == [1.0] * 1000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_that_was_changed_is_not_believed(tmp_path):
    store = OnDisk(tmp_path)
    for k in range(2):
        store.put(k, [np.ones(10)])
    store._file.seek(3)
    store._file.write(b"x" * 200)
    with pytest.raises(OSError, match="not what was written"):
        store.get(0)


# ---------------------------------------------------------------------------------- sizes ---


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1, 1), (10**9, 10**9), (2.5e3, 2500), (np.int64(7), 7), ("512", 512), ("12 B", 12),
        ("1kB", 1000), ("200MB", 200_000_000), ("1.5 GB", 1_500_000_000), ("2KiB", 2048),
        ("3 MiB", 3 * 2**20), ("0.5GiB", 2**29), (" 4 kb ", 4000), (".5MB", 500_000),
        ("1e3 kB", 10**6),
    ],
)  # fmt: skip
def test_sizes(given, expected):
    size = bytes_of(given)
    assert size == expected
    assert type(size) is int


@pytest.mark.parametrize("given", ["", "MB", "1 TB", "-3MB", "1,5GB", "nan", "1 MB 2"])
def test_text_that_is_no_size(given):
    with pytest.raises(ValueError, match="no amount of memory"):
        bytes_of(given)


@pytest.mark.parametrize("given", [0, -5, 0.5, float("nan"), float("inf"), "0MB"])
def test_numbers_that_are_no_size(given):
    with pytest.raises(ValueError, match="at least one byte"):
        bytes_of(given)


@pytest.mark.parametrize("given", [None, True, [1], b"1MB", 1j])
def test_things_that_are_no_size(given):
    with pytest.raises(TypeError, match="amount of memory was expected"):
        bytes_of(given)
