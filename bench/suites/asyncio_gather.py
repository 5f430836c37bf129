"""A `map` on `async:1000` against `asyncio.gather` behind a `Semaphore(1000)`."""

import argparse
import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyplace

AT_ONCE = 1000

Work = Callable[[int], Coroutine[Any, Any, int]]


async def yields(number: int) -> int:
    """Give the event loop one turn."""
    await asyncio.sleep(0)
    return number


async def sleeps(number: int) -> int:
    """Wait as for a fast answer."""
    await asyncio.sleep(0.001)
    return number


async def gathered(work: Work, items: int) -> list[int]:
    """Do what a careful asyncio program does."""
    free = asyncio.Semaphore(AT_ONCE)

    async def limited(number: int) -> int:
        async with free:
            return await work(number)

    return await asyncio.gather(*(limited(number) for number in range(items)))


def alone(work: Work, items: int) -> list[int]:
    """Do it on an event loop of its own."""
    return asyncio.run(gathered(work, items))


def mapped(place: anyplace.Place, work: Work, items: int) -> list[int]:
    """Do the same in a place."""
    return list(place.map(work, range(items)))


def timed(run: Callable[[], list[int]], items: int) -> float:
    """Give the milliseconds that `run` takes."""
    began = time.perf_counter()
    results = run()
    milliseconds = (time.perf_counter() - began) * 1e3
    assert results == list(range(items))
    return milliseconds


def main() -> None:
    """Measure in interleaved rounds and print each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--items", type=int, required=True)
    options = parser.parse_args()
    items: int = options.items
    cases: dict[str, Work] = {"coroutines that yield once": yields, "coroutines that sleep 1 ms": sleeps}
    with anyplace.open(f"async:{AT_ONCE}") as place:
        for case, work in cases.items():
            for _ in range(options.rounds):
                ours = timed(partial(mapped, place, work, items), items)
                theirs = timed(partial(alone, work, items), items)
                print(f"{case},anyplace,{ours},ms")
                print(f"{case},gather,{theirs},ms")


if __name__ == "__main__":
    main()
