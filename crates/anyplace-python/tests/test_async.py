"""Places that run coroutines."""

from __future__ import annotations

import asyncio
import functools
import threading

import pytest

import anyplace
from functions import square


async def later(number: int) -> int:
    await asyncio.sleep(0)
    return number * number


async def failing() -> None:
    raise KeyError("ours")


def test_a_plain_function_is_refused_with_help(loop_place: anyplace.Place) -> None:
    with pytest.raises(anyplace.Unsupported) as caught:
        loop_place.submit(square, 1)
    assert caught.value.help is not None
    assert "threads:" in caught.value.help
    with pytest.raises(anyplace.Unsupported):
        loop_place.submit(functools.partial(square, 1)).result(60)


def test_no_more_run_at_once_than_the_address_says(loop_place: anyplace.Place) -> None:
    running, most = 0, 0

    async def one(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(3):
            await asyncio.sleep(0)
        running -= 1

    list(loop_place.map(one, range(20)))
    assert most == 2


def test_a_running_coroutine_is_ended_at_its_next_await(loop_place: anyplace.Place) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    future = loop_place.submit(endless)
    assert begun.wait(60)
    assert not future.cancel()
    assert future.cancel(kill=True)
    with pytest.raises(anyplace.Cancelled):
        future.result(60)
    assert ended.is_set()
    assert future.cancelled()


def test_coroutines_know_their_numbers_after_an_await() -> None:
    async def told(_: int) -> tuple[int, float]:
        await asyncio.sleep(0)
        return anyplace.current().index, anyplace.current().random.random()

    with anyplace.open("async:10", seed=3) as here, anyplace.open("inline:", seed=3) as there:
        ours = list(here.map(told, range(4)))
        assert [index for index, _ in ours] == [0, 1, 2, 3]
        assert [number for _, number in ours] == list(
            there.map(lambda _: anyplace.current().random.random(), range(4))
        )


def test_the_loop_and_its_thread_end_with_the_place() -> None:
    with anyplace.open("async:2") as place:
        thread = place.submit(_thread).result(60)
        assert thread.is_alive()
    assert not thread.is_alive()


async def _thread() -> threading.Thread:
    return threading.current_thread()
