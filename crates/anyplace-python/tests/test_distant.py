"""What is shared with a place that another process offers, beyond what every place promises."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyplace
from door import PATIENCE, Door
from sharing import offer_at


@pytest.fixture
def door() -> Iterator[Door]:
    """A door; the end of the test opens it."""
    door = Door()
    yield door
    door.close()


@pytest.fixture
def place(tmp_path: Path, door: Door) -> Iterator[anyplace.Place]:
    """A place of another process, which stays as long as the door is closed."""
    with anyplace.open("processes:1") as hosts:
        hosts.submit(offer_at, f"unix:{tmp_path}/place.sock", door.path)
        door.knock()
        with anyplace.open(f"unix:{tmp_path}/place.sock") as place:
            yield place
        door.close()


def test_two_hundred_coroutines_wait_over_one_connection(place: anyplace.Place) -> None:
    door, letters, passed = place.lock("door"), place.queue("letters"), place.counter("passed")

    async def pass_through() -> int:
        async with door:
            passed.add()
        letter: int = await letters.get_async()
        return letter

    async def all_of_them() -> list[int]:
        before = threading.active_count()
        waiting = [asyncio.create_task(pass_through()) for _ in range(200)]
        for letter in range(200):
            await letters.put_async(letter)
        got = await asyncio.gather(*waiting)
        assert threading.active_count() <= before + 2
        return got

    assert sorted(asyncio.run(all_of_them())) == list(range(200))
    assert passed.value == 200
    assert not door.locked()


def test_a_coroutine_that_is_cancelled_loses_nothing(place: anyplace.Place) -> None:
    letters = place.queue("letters")

    async def take_and_give_up() -> list[int]:
        got: list[int] = []
        for letter in range(100):
            taking = asyncio.create_task(letters.get_async())
            await asyncio.sleep(0)
            letters.put(letter)
            taking.cancel()
            try:
                got.append(await taking)
            except asyncio.CancelledError:
                got.append(await asyncio.wait_for(letters.get_async(), PATIENCE))
        return got

    assert asyncio.run(take_and_give_up()) == list(range(100))


def test_an_interrupted_wait_leaves_its_line(place: anyplace.Place) -> None:
    lock = place.lock("door")
    lock.acquire()

    def interrupt() -> None:
        while not any(found.waiters for found in place.why().objects):
            pass
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        lock.acquire()
    thread.join()
    lock.release()
    assert lock.acquire(timeout=PATIENCE)


def test_a_place_that_is_gone_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    # The door is opened before the hosts end, whatever fails.
    with anyplace.open("processes:1") as hosts, contextlib.closing(Door()) as door:
        server = hosts.submit(offer_at, f"unix:{tmp_path}/place.sock", door.path)
        door.knock()
        with anyplace.open(f"unix:{tmp_path}/place.sock?reconnect=0s") as place:
            hits, letters, lock = place.counter("hits"), place.queue("letters"), place.lock("lock")
            hits.add(2)
            assert hits.value == 2
            assert server.cancel(kill=True)
            with pytest.raises(anyplace.ConnectionLost):
                letters.get(timeout=PATIENCE)
            for use in [lambda: hits.value, lambda: len(letters), lock.locked, lambda: hits.add(1)]:
                with pytest.raises(anyplace.ConnectionLost) as caught:
                    use()
                assert caught.value.place == place.address
