"""What is measured in one open pool: trips, tasks, maps, coroutines."""

from __future__ import annotations

import asyncio
import concurrent.futures
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pools import Contender, Pool
from processes import cpu_seconds, family
from work import nothing

#: How many coroutines wait at once.
IN_FLIGHT = 10_000

Measurement = tuple[str, float, str]
Measure = Callable[["Setting"], Iterator[Measurement]]


@dataclass(frozen=True)
class Setting:
    """An open pool, whose it is, and how long to measure."""

    contender: Contender
    pool: Pool
    items: int
    seconds: float


def round_trips(of: Setting) -> Iterator[Measurement]:
    """One task at a time: how long, how long at worst, and what all processes together work for it."""
    submit, result, clock = of.pool.submit, of.pool.result, time.perf_counter
    times: list[float] = []
    pids = family()
    worked, until = cpu_seconds(pids), clock() + of.seconds
    while (began := clock()) < until:
        result(submit(nothing, 1))
        times.append(clock() - began)
    worked = cpu_seconds(pids) - worked
    yield "round trip p50", statistics.median(times) * 1e6, "us"
    yield "round trip p99", statistics.quantiles(times, n=100)[98] * 1e6, "us"
    yield "CPU per round trip", worked / len(times) * 1e6, "us"


def submitted(of: Setting) -> Iterator[Measurement]:
    """Submit every task, then collect every result."""
    submit, result, numbers = of.pool.submit, of.pool.result, range(of.items // 2)

    def once() -> list[int]:
        futures = [submit(nothing, number) for number in numbers]
        return [result(future) for future in futures]

    if of.pool.executor:
        assert isinstance(submit(nothing, 1), concurrent.futures.Future)
    yield "submit all then collect", rate(once, numbers, of.seconds), "tasks/s"


def mapped(of: Setting) -> Iterator[Measurement]:
    """Map a function that does nothing: one item a chunk, as called by default, many items a chunk."""
    few, many = range(of.items // 2), range(of.items * 20)
    for case, size, numbers in [
        ("map one item a chunk", 1, few),
        ("map as called by default", None, many if of.contender.makes_chunks else few),
        ("map in chunks of 1024", 1024, many),
    ]:

        def once(size: int | None = size, numbers: range = numbers) -> list[int]:
            return list(of.pool.map(nothing, numbers, size))

        yield case, rate(once, numbers, of.seconds), "items/s"


def awaited(of: Setting) -> Iterator[Measurement]:
    """Await many tasks at once from one event loop."""
    executor = of.pool.executor
    if executor is None:
        return
    ours = of.contender.name == "anyplace"

    async def one(number: int) -> int:
        if ours:
            return await of.pool.submit(nothing, number)  # type: ignore[no-any-return]
        return await asyncio.get_running_loop().run_in_executor(executor, nothing, number)

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(one(number) for number in range(IN_FLIGHT)))

    yield (
        f"{IN_FLIGHT} awaited from asyncio",
        rate(lambda: asyncio.run(all_of_them()), range(IN_FLIGHT), of.seconds),
        "tasks/s",
    )


def rate(once: Callable[[], list[int]], numbers: range, seconds: float) -> float:
    """How many numbers a second `once` gives back, over as many runs as the time allows."""
    took, runs, expected = 0.0, 0, list(numbers)
    while took < seconds:
        began = time.perf_counter()
        results = once()
        took, runs = took + time.perf_counter() - began, runs + 1
        assert results == expected
    return runs * len(numbers) / took
