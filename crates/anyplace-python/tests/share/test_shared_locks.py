"""Locks and semaphores of a place."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

import anyplace
from anyplace import share
from door import PATIENCE


def test_a_lock_is_one_for_all_who_name_it(place: anyplace.Place) -> None:
    with place.lock("door"):
        assert place.lock("door").locked()
        assert not place.lock("door").acquire(block=False)
        assert not place.lock("door").acquire(timeout=0.01)
        assert not place.lock("door").acquire(timeout=-1)
        assert place.lock("other").acquire(block=False)
    assert place.lock("door").acquire()


def test_a_lock_without_a_name_is_nobody_elses(place: anyplace.Place) -> None:
    with place.lock():
        assert place.lock().acquire(block=False)


def test_a_lock_that_nobody_has_cannot_be_released(place: anyplace.Place) -> None:
    """Whichever of the standard library's errors a program expects."""
    for kind in (anyplace.NotHeld, RuntimeError, ValueError, AssertionError):
        with pytest.raises(kind):
            place.lock("door").release()
        with pytest.raises(kind):
            place.rlock("again").release()


def test_an_rlock_is_free_after_as_many_releases(beside: anyplace.Place) -> None:
    lock = beside.rlock("door")
    with lock:
        with lock:
            assert not beside.submit(lock.acquire, False).result()
        assert not beside.submit(lock.acquire, False).result()
    assert beside.submit(acquired_and_released, lock).result()


def acquired_and_released(lock: share.RLock) -> bool:
    with lock:
        return lock.locked()


def test_a_semaphore_has_so_many_permits(place: anyplace.Place) -> None:
    seats = place.semaphore("seats", 2, bounded=True)
    with seats, seats:
        assert seats.value == 0
        assert not seats.acquire(block=False)
    with pytest.raises(ValueError, match="permits"):
        seats.release()
    assert seats.value == 2
    with pytest.raises(ValueError, match="permits"):
        place.semaphore("negative", -1)


def test_who_waits_goes_on_when_somebody_releases(beside: anyplace.Place) -> None:
    lock, seats, told = beside.lock(), beside.semaphore(value=0), beside.counter()
    lock.acquire()

    def release(told: share.Counter, *held: share.Lock | share.Semaphore) -> None:
        for one in held:
            told.add()
            one.release()

    releasing = beside.submit(release, told, lock, seats)
    assert lock.acquire()
    assert told.value >= 1
    assert seats.acquire()
    assert (told.value, seats.value) == (2, 0)
    releasing.result(PATIENCE)


def test_a_lock_whose_holder_is_killed_passes_on(processes: anyplace.Place) -> None:
    door, held = processes.lock("door"), processes.event("held")

    def hold(door: share.Lock, held: share.Event) -> None:
        door.acquire()
        held.set()
        os.kill(os.getpid(), signal.SIGKILL)

    holder = processes.submit(hold, door, held)
    assert held.wait(PATIENCE)
    assert door.acquire(timeout=PATIENCE)
    assert door.abandoned
    with pytest.raises(anyplace.WorkerLost):
        holder.result(PATIENCE)
    door.release()
    assert door.acquire(timeout=PATIENCE)
    assert not door.abandoned


@pytest.mark.parametrize("kind", ["lock", "rlock"])
def test_a_coroutine_is_told_that_a_locks_holder_was_killed(processes: anyplace.Place, kind: str) -> None:
    door, held = getattr(processes, kind)("door"), processes.event("held")

    def hold(door: share.Lock | share.RLock, held: share.Event) -> None:
        door.acquire()
        held.set()
        os.kill(os.getpid(), signal.SIGKILL)

    async def take() -> bool:
        async with door:
            return door.abandoned

    holder = processes.submit(hold, door, held)
    assert held.wait(PATIENCE)
    assert asyncio.run(asyncio.wait_for(take(), PATIENCE))
    assert isinstance(holder.exception(PATIENCE), anyplace.WorkerLost)
    assert not asyncio.run(asyncio.wait_for(take(), PATIENCE))
