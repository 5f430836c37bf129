"""Shared objects in asyncio loops."""

from __future__ import annotations

import asyncio

import pytest

import anyplace
from door import PATIENCE


def test_coroutines_wait_without_keeping_the_loop(place: anyplace.Place) -> None:
    async def main() -> None:
        lock, event, jobs = place.lock("lock"), place.event("event"), place.queue("jobs", 1)
        seats, start = place.semaphore("seats"), place.barrier("start", 2)
        async with lock:
            waiting = asyncio.create_task(lock.acquire_async())
            await turns()
            assert not waiting.done()
        assert await waiting
        lock.release()
        async with seats:
            assert seats.value == 0
        told = asyncio.create_task(event.wait_async())
        taken = asyncio.create_task(jobs.get_async())
        come = asyncio.create_task(start.wait_async())
        await turns()
        event.set()
        await jobs.put_async("item")
        assert {*await asyncio.gather(come, start.wait_async())} == {0, 1}
        assert (await told, await taken) == (True, "item")

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_a_coroutine_that_is_cancelled_has_taken_nothing(place: anyplace.Place) -> None:
    async def main() -> None:
        lock, jobs = place.lock("lock"), place.queue("jobs")
        for waiting in (lock.acquire_async, jobs.get_async):
            lock.acquire()
            task = asyncio.create_task(waiting())
            await turns()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            lock.release()
        assert not lock.locked()
        jobs.put("kept")
        assert await jobs.get_async() == "kept"

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_tasks_own_what_they_acquire_again(place: anyplace.Place) -> None:
    async def main() -> None:
        lock, changed = place.rlock("lock"), place.condition("changed")
        async with lock, lock:
            other = asyncio.create_task(lock.acquire_async())
            await turns()
            assert not other.done()
        await other

        async def tell() -> None:
            with changed:
                changed.notify()

        async with changed:
            telling = asyncio.create_task(tell())
            assert await changed.wait_async()
        await telling

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_a_coroutine_tells_others_and_what_a_cancelled_one_was_told_passes_on(place: anyplace.Place) -> None:
    async def main() -> None:
        changed = place.condition("changed")

        async def wait() -> None:
            async with changed:
                await changed.wait_async()

        first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
        while changed.n_waiting < 2:
            await turns()
        async with changed:
            changed.notify()
            first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        with pytest.raises(anyplace.NotHeld):
            changed.notify()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


async def turns() -> None:
    """Give every task that is ready its turns, until each of them waits for something."""
    for _ in range(5):
        await asyncio.sleep(0)
