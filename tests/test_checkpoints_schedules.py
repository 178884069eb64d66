"""Schedules of checkpointed loops: every one is valid, the offline one optimal, the online one
within its bound."""

import functools
import math
import warnings

import pytest

from tapead.checkpoints.schedules import (
    DISK,
    MEMORY,
    Advance,
    Copy,
    Drop,
    Load,
    Record,
    Reverse,
    Store,
    Turn,
    binomial,
    evaluations,
    of_library,
    online,
    placed,
    repetitions,
    split,
)

library = pytest.importorskip("checkpoint_schedules")
RAM = library.StorageType.RAM


class Played:
    """What a schedule does to a loop of n steps: an error where it could not be carried out."""

    def __init__(self, actions, n):
        self.runs = [0] * n
        self.recorded = [0] * n
        self.most = dict.fromkeys((MEMORY, DISK, None), 0)
        self.stores = 0
        stored, tapes, at, due, turned, answer = set(), set(), 0, n, False, None
        while True:
            try:
                action = actions.send(answer)
            except StopIteration:
                break
            answer = None
            if isinstance(action, Turn):
                assert at == n
                assert not turned
                turned = True
            elif isinstance(action, Store):
                assert action.at == at
                assert action.where in (MEMORY, DISK)
                stored.add((action.at, action.where))
                self.stores += 1
            elif isinstance(action, Copy):
                assert (action.at, action.where) in stored
                stored.add((action.at, action.to))
            elif isinstance(action, Drop):
                stored.discard((action.at, action.where))
            elif isinstance(action, Load):
                if (action.at, action.where) in stored:
                    at = action.at
                else:
                    assert action.at in tapes
            elif isinstance(action, Reverse):
                assert turned
                assert action.hi == due > action.lo >= 0
                for k in range(action.lo, action.hi):
                    tapes.remove(k)
                due = action.lo
            else:
                assert isinstance(action, (Advance, Record))
                assert action.lo == at < action.hi
                counts = self.runs if isinstance(action, Advance) else self.recorded
                to = min(action.hi, n)
                for k in range(action.lo, to):
                    counts[k] += 1
                if isinstance(action, Record):
                    tapes |= set(range(action.lo, to))
                at = to
                answer = n if at == n and not turned else None
            for where in (MEMORY, DISK):
                self.most[where] = max(self.most[where], sum(w == where for _, w in stored))
            self.most[None] = max(self.most[None], len(stored))
        assert due == 0
        assert turned

    @property
    def total(self):
        return sum(self.runs) + sum(self.recorded)


def with_library(name, *args, **options):
    def make(n):
        return of_library(getattr(library, name)(*args, **options), n)

    return make


def with_length(name, *args, **options):
    def make(n):
        return of_library(getattr(library, name)(n, *args, **options), n)

    return make


# Name, actions for n steps, most states in memory and on disk.
SCHEDULES = [
    ("binomial 1", lambda n: binomial(n, 1), 1, 0),
    ("binomial 4", lambda n: binomial(n, 4), 4, 0),
    ("binomial on disk", lambda n: binomial(n, 0, 3), 0, 3),
    ("binomial on both", lambda n: binomial(n, 2, 3), 2, 3),
    ("online 1", lambda n: online(1), 1, 0),
    ("online 2", lambda n: online(2), 2, 0),
    ("online 5", lambda n: online(5), 5, 0),
    ("online on disk", lambda n: placed(online(4), 0), 0, 4),
    ("online on both", lambda n: placed(online(6), 2), 2, 4),
    ("Revolve", with_length("Revolve", 3), 3, 0),
    ("Multistage", with_length("MultistageCheckpointSchedule", 2, 1), 2, 1),
    ("DiskRevolve", with_length("DiskRevolve", 2), 2, 99),
    ("PeriodicDiskRevolve", with_length("PeriodicDiskRevolve", 2), 2, 99),
    ("HRevolve", with_length("HRevolve", 2, 2), 2, 2),
    ("Mixed", with_length("MixedCheckpointSchedule", 3, storage=RAM), 3, 0),
    ("Mixed on disk", with_length("MixedCheckpointSchedule", 3), 0, 3),
    ("TwoLevel", with_library("TwoLevelCheckpointSchedule", 7, 2), 0, 99),
    (
        "TwoLevel on both",
        with_library("TwoLevelCheckpointSchedule", 7, 2, binomial_storage=RAM),
        2,
        99,
    ),
    ("SingleMemory", with_library("SingleMemoryStorageSchedule"), 0, 0),
    ("SingleDisk", with_library("SingleDiskStorageSchedule"), 0, 99),
    ("SingleDisk moving", with_library("SingleDiskStorageSchedule", True), 0, 99),
]


@pytest.mark.parametrize(("name", "make", "near", "far"), SCHEDULES, ids=[s[0] for s in SCHEDULES])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 30, 57])
def test_each_step_is_reversed_once_from_a_state_that_is_there(name, make, near, far, n):
    if n == 1 and "Revolve" in name:
        pytest.skip("the package's own sequences begin at two steps")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package is slower without numba, and says so
        played = Played(make(n), n)
    assert played.most[MEMORY] <= near
    assert played.most[DISK] <= far
    assert all(count >= 1 for count in played.recorded)


# -------------------------------------------------------------------------------- optimal ---


@functools.lru_cache(None)
def fewest(n, s):
    """The fewest steps that are run beside the recorded ones, by trying all places to store."""
    if n == 1:
        return 0
    if s == 1:
        return n * (n - 1) // 2
    return min(k + fewest(k, s) + fewest(n - k, s - 1) for k in range(1, n))


def test_formula_is_the_least_of_all_schedules():
    assert all(evaluations(n, s) == n + fewest(n, s) for n in range(1, 90) for s in range(1, 9))


@functools.lru_cache(None)
def by_split(n, s):
    """The steps that are run where states are stored at `split`."""
    if n == 1:
        return 0
    k = split(n, s)
    assert 0 < k < n
    return k + by_split(k, s) + (by_split(n - k, s - 1) if s > 1 else 0)


@pytest.mark.parametrize("s", [*range(2, 8), 12, 20, 35, 50])
def test_splits_attain_the_formula(s):
    assert all(n + by_split(n, s) == evaluations(n, s) for n in range(1, 2001))


def counted(n, s):
    """Steps in all of the offline schedule, by its actions."""
    return sum(a.hi - a.lo for a in binomial(n, s) if isinstance(a, (Advance, Record)))


@pytest.mark.parametrize("s", range(1, 51))
def test_offline_schedule_attains_the_formula(s):
    sizes = {*range(1, 40), s, s + 1, s + 2, *range(41 + s, 2001, 487 if s > 1 else 1900), 2000}
    assert all(counted(n, s) == evaluations(n, s) for n in sizes)


def test_formula_holds_for_every_number_of_steps_up_to_2000_and_of_states_up_to_50():
    """By the places at which the library stores: the schedules above do just these steps."""
    from checkpoint_schedules.multistage import n_advance

    fewer = [0, *(m * (m - 1) // 2 for m in range(1, 2001))]  # beside recorded ones, one state
    assert all(m + fewer[m] == evaluations(m, 1) for m in range(1, 2001))
    for s in range(2, 51):
        costs = [0, 0]
        for m in range(2, 2001):
            k = n_advance(m, s, trajectory="maximum")
            costs.append(k + costs[k] + fewer[m - k])
        assert all(m + costs[m] == evaluations(m, s) for m in range(1, 2001))
        fewer = costs


def test_offline_schedule_of_the_known_example():
    assert counted(46_376, 30) == evaluations(46_376, 30) == 225_896


# --------------------------------------------------------------------------------- online ---


@pytest.mark.parametrize("s", [1, 2, 3, 4, 7, 12])
def test_online_schedule_repeats_no_step_more_than_its_bound(s):
    largest = 60 if s == 1 else 400
    for n in {*range(1, 60), *range(60, largest, 17), math.comb(s + 3, 3), math.comb(s + 3, 3) + 1}:
        played = Played(online(s), n)
        assert max(played.runs) <= repetitions(n, s) + 1
        assert set(played.recorded) == {1}
        assert played.most[None] <= s


@pytest.mark.parametrize(("s", "n"), [(3, 900), (5, 2500), (10, 5000), (20, 5000)])
def test_online_schedule_is_near_the_optimum(s, n):
    assert Played(online(s), n).total <= 1.2 * evaluations(n, s)


def test_placing_changes_no_step():
    for n in (5, 40, 133):
        one, two = Played(online(6), n), Played(placed(online(6), 2), n)
        assert (one.runs, one.recorded) == (two.runs, two.recorded)


# -------------------------------------------------------------------------------- bad ones ---


def test_schedule_for_another_length_is_refused():
    made = library.MultistageCheckpointSchedule(7, 3, 0)
    with pytest.raises(ValueError, match="for 7 steps, the loop is one of 8 steps"):
        of_library(made, 8)
    with pytest.raises(ValueError, match="of an unknown number"):
        of_library(made, None)


def test_schedule_that_has_been_run_is_refused():
    made = library.MultistageCheckpointSchedule(7, 3, 0)
    next(made)
    with pytest.raises(ValueError, match="has been run already"):
        of_library(made, 7)


def test_schedule_of_the_library_is_left_as_it_is():
    made = library.MultistageCheckpointSchedule(7, 3, 0)
    assert Played(of_library(made, 7), 7).total == Played(of_library(made, 7), 7).total
