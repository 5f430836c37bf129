"""Streams in an asyncio loop."""

from __future__ import annotations

import asyncio
import os

import pytest

import anyplace
from anyplace import Listener
from streams import Pair, run


def test_every_verb_is_awaited(listener: Listener) -> None:
    async def talk() -> None:
        near, far = await asyncio.gather(anyplace.connect_async(listener.endpoint), listener.accept_async())
        async with near, far:
            reading = asyncio.create_task(far.readuntil_async(b"|"))
            await near.write_async(b"until|")
            assert await reading == b"until|"
            exactly = asyncio.create_task(far.readexactly_async(4))
            await near.write_async(b"ab")
            await near.write_async(b"cd")
            assert await exactly == b"abcd"
            receiving = asyncio.create_task(far.recv_async())
            await near.send_async([1, None])
            assert await receiving == [1, None]
            await near.send_async(None)
            assert await far.recv_async() is None
            await near.send_bytes_async(b"bytes")
            assert await far.recv_bytes_async() == b"bytes"
            room = bytearray(2)
            into = asyncio.create_task(far.readinto_async(room))
            await near.write_async(b"!!")
            assert (await into, room) == (2, b"!!")
            await near.finish_async()
            assert await far.read_async(1) == b""

    run(talk())


def test_much_is_written_while_the_loop_goes_on(pair: Pair) -> None:
    near, far = pair
    text = os.urandom(8 << 20)

    async def talk() -> None:
        _, received = await asyncio.gather(near.write_async(text), far.readexactly_async(len(text)))
        assert received == text

    run(talk())


def test_an_awaited_verb_ends_with_its_time(pair: Pair) -> None:
    near, _ = pair

    async def talk() -> None:
        for verb in near.read_async, near.readline_async, near.recv_async:
            with pytest.raises(TimeoutError):
                await verb(timeout=0.02)

    run(talk())


def test_many_tasks_wait_for_one_stream(pair: Pair) -> None:
    near, far = pair

    async def talk() -> None:
        waiting = [asyncio.create_task(far.recv_async()) for _ in range(5)]
        await asyncio.sleep(0)
        waiting.pop().cancel()
        for number in range(4):
            await near.send_async(number)
        assert sorted(await asyncio.gather(*waiting)) == [0, 1, 2, 3]

    run(talk())


def test_the_end_of_a_stream_wakes_who_awaits_it(pair: Pair, listener: Listener) -> None:
    near, _ = pair

    async def talk() -> None:
        reading = asyncio.create_task(near.read_async(1))
        accepting = asyncio.create_task(listener.accept_async())
        await asyncio.sleep(0)
        near.abort()
        listener.close()
        for task in reading, accepting:
            with pytest.raises(ValueError, match="closed"):
                await task

    run(talk())


def test_a_listener_is_iterated_until_it_is_closed(listener: Listener) -> None:
    async def talk() -> None:
        seen = 0
        clients = [await anyplace.connect_async(listener.endpoint) for _ in range(3)]
        async for stream in listener:
            stream.abort()
            seen += 1
            if seen == len(clients):
                listener.close()
        for client in clients:
            client.abort()

    run(talk())
