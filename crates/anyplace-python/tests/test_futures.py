"""Futures are waited for in every way the standard library knows."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading

import pytest

import anyplace
from functions import divide, square
from gate import Gate


def test_wait_and_as_completed_know_our_futures(place: anyplace.Place) -> None:
    futures = [place.submit(square, number) for number in range(10)]
    done, waiting = concurrent.futures.wait(futures, timeout=60)
    assert done == set(futures)
    assert not waiting
    assert sorted(future.result() for future in concurrent.futures.as_completed(futures, timeout=60)) == [
        number * number for number in range(10)
    ]


def test_wait_returns_at_the_first_exception(threads: anyplace.Place, gate: Gate) -> None:
    futures = [threads.submit(gate), threads.submit(divide, 0)]
    done, waiting = concurrent.futures.wait(futures, 60, concurrent.futures.FIRST_EXCEPTION)
    assert (done, waiting) == ({futures[1]}, {futures[0]})


def test_callbacks_are_called_with_the_future(threads: anyplace.Place, gate: Gate) -> None:
    called = threading.Event()
    future = threads.submit(gate)
    future.add_done_callback(lambda given: called.set() if given is future else None)
    assert not called.is_set()
    gate.open.set()
    assert called.wait(60)
    again = threading.Event()
    future.add_done_callback(lambda _: again.set())
    assert again.is_set()


def test_cancelling_wakes_who_watches(gate: Gate) -> None:
    with anyplace.open("threads:1") as place:
        place.submit(gate)
        assert gate.begun.wait(60)
        future, called = place.submit(square, 2), threading.Event()
        future.add_done_callback(lambda _: called.set())
        assert future.cancel()
        assert called.is_set()
        assert concurrent.futures.wait([future], 60).done == {future}
        gate.open.set()


def test_a_future_is_awaited_in_any_loop(place: anyplace.Place) -> None:
    async def main() -> list[int]:
        one = await place.submit(square, 3)
        others = await asyncio.gather(*[place.submit(square, number) for number in range(5)])
        wrapped = await asyncio.wrap_future(place.submit(square, 4))
        return [one, *others, wrapped]

    assert asyncio.run(main()) == [9, 0, 1, 4, 9, 16, 16]


def test_awaiting_raises_what_the_task_raised(place: anyplace.Place) -> None:
    async def main() -> None:
        await place.submit(divide, 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_cancelling_the_awaiting_task_cancels_ours(gate: Gate) -> None:
    async def main(place: anyplace.Place) -> bool:
        future = place.submit(square, 2)
        waiter = asyncio.ensure_future(asyncio.wrap_future(future))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        return future.cancelled()

    with anyplace.open("threads:1") as place:
        place.submit(gate)
        assert gate.begun.wait(60)
        assert asyncio.run(main(place))
        gate.open.set()


def test_a_future_without_a_task_is_the_standard_one() -> None:
    future: anyplace.Future[int] = anyplace.Future()
    assert future.set_running_or_notify_cancel()
    assert future.running()
    future.set_result(5)
    assert future.done()
    assert future.result() == 5


def test_many_threads_wait_for_one_future(threads: anyplace.Place, gate: Gate) -> None:
    future = threads.submit(gate)
    results: list[str] = []
    waiters = [threading.Thread(target=lambda: results.append(future.result(60))) for _ in range(4)]
    for waiter in waiters:
        waiter.start()
    gate.open.set()
    for waiter in waiters:
        waiter.join()
    assert results == ["passed"] * 4


def test_loops_that_end_while_somebody_waits_leave_no_descriptors(gate: Gate) -> None:
    async def give_up(future: anyplace.Future) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(future, 0.001)

    with anyplace.open("threads:20") as place:
        held = [place.submit(gate) for _ in range(20)]
        before = len(os.listdir("/proc/self/fd"))
        for future in held:
            asyncio.run(give_up(future))
        after = len(os.listdir("/proc/self/fd"))
        gate.open.set()
    assert after < before + 10
