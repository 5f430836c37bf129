"""Any executor can be a place."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator

import pytest

import anyplace
from functions import divide, draw, square
from gate import Gate


@pytest.fixture(params=[concurrent.futures.ThreadPoolExecutor, concurrent.futures.ProcessPoolExecutor])
def wrapped(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place of each executor of the standard library."""
    with request.param(1) as executor, anyplace.wrap(executor, seed=4) as place:
        yield place


def test_an_executor_does_the_work(wrapped: anyplace.Place) -> None:
    assert wrapped.submit(square, 3).result(60) == 9
    assert list(wrapped.map(square, range(5))) == [0, 1, 4, 9, 16]
    assert wrapped.address.startswith("executor:")
    with pytest.raises(ZeroDivisionError):
        wrapped.submit(divide, 0).result(60)


def test_its_futures_can_be_awaited(wrapped: anyplace.Place) -> None:
    async def main() -> int:
        return await wrapped.submit(square, 5)

    assert asyncio.run(main()) == 25


def test_its_tasks_have_the_seeds_of_any_place(wrapped: anyplace.Place) -> None:
    with anyplace.open("inline:", seed=4) as there:
        assert list(wrapped.map(draw, range(3))) == list(there.map(draw, range(3)))


def test_what_the_executor_has_no_worker_for_can_be_cancelled(gate: Gate) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as executor, anyplace.wrap(executor) as place:
        running, waiting = place.submit(gate), place.submit(square, 2)
        assert gate.begun.wait(60)
        assert waiting.cancel()
        gate.open.set()
        assert running.result(60) == "passed"


def test_the_executor_stays_open() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        anyplace.wrap(executor).close()
        assert executor.submit(square, 2).result(60) == 4
