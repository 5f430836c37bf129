"""What every place promises of single tasks."""

from __future__ import annotations

import concurrent.futures
import contextvars
import threading

import pytest

import anyplace
from functions import divide, square
from gate import Gate


def test_place_and_future_are_real_executor_and_future(place: anyplace.Place) -> None:
    future = place.submit(square, 3)
    assert isinstance(place, concurrent.futures.Executor)
    assert isinstance(future, concurrent.futures.Future)
    assert isinstance(future, anyplace.Future)
    assert future.result(60) == 9


def test_keywords_reach_the_function(place: anyplace.Place) -> None:
    assert place.submit(dict, one=1, fn=2, self=3).result(60) == {"one": 1, "fn": 2, "self": 3}


def test_submit_without_a_function_is_a_type_error(place: anyplace.Place) -> None:
    with pytest.raises(TypeError, match="fn"):
        place.submit()  # type: ignore[call-arg]


def test_outside_a_task_there_is_no_current_one() -> None:
    with pytest.raises(anyplace.NotFound) as caught:
        anyplace.current()
    assert isinstance(caught.value, LookupError)


def test_lambdas_and_closures_travel(place: anyplace.Place) -> None:
    offset = 5
    assert list(place.map(lambda number: number + offset, range(3))) == [5, 6, 7]


def test_who_watches_is_told_at_once_that_shutdown_cancelled(gate: Gate) -> None:
    with anyplace.open("threads:1") as place:
        running, waiting = place.submit(gate), place.submit(square, 2)
        told = threading.Event()
        waiting.add_done_callback(lambda _: told.set())
        assert gate.begun.wait(60)
        place.shutdown(wait=False, cancel_futures=True)
        assert waiting.cancelled()
        assert told.is_set()
        assert running.running()
        gate.open.set()
        assert running.result() == "passed"


def test_a_wait_that_takes_too_long_is_a_timeout_and_the_task_goes_on(
    threads: anyplace.Place, gate: Gate
) -> None:
    future = threads.submit(gate)
    with pytest.raises(TimeoutError) as caught:
        future.result(timeout=0.01)
    assert isinstance(caught.value, anyplace.Timeout)
    gate.open.set()
    assert future.result(60) == "passed"


def test_context_variables_are_those_of_the_submit(threads: anyplace.Place) -> None:
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)
    assert threads.submit(variable.get).result(60) == 7
    threads.submit(variable.set, 8).result(60)
    assert threads.submit(variable.get).result(60) == 7
    assert list(threads.map(lambda _: variable.get(), range(3))) == [7, 7, 7]


def test_tasks_wait_for_tasks_of_their_own_place() -> None:
    with anyplace.open("threads:1") as place:
        assert place.submit(lambda: place.submit(square, 4).result() + 1).result(60) == 17


def test_an_initializer_runs_once_on_each_thread() -> None:
    local = threading.local()

    def prepare(value: int) -> None:
        assert not hasattr(local, "value")
        local.value = value

    with anyplace.open("threads:2", initializer=prepare, initargs=(5,)) as place:
        assert set(place.map(lambda _: local.value, range(50))) == {5}


def test_a_failing_initializer_breaks_the_place(caplog: pytest.LogCaptureFixture) -> None:
    """As in the standard library, a critical record tells why."""
    with anyplace.open("threads:1", initializer=divide, initargs=(0,)) as place:
        future = place.submit(square, 1)
        with pytest.raises(anyplace.WorkerLost, match="ZeroDivisionError") as caught:
            future.result(60)
        assert isinstance(caught.value, concurrent.futures.BrokenExecutor)
        with pytest.raises(concurrent.futures.BrokenExecutor):
            place.submit(square, 1)
    (record,) = [record for record in caplog.records if record.name == "concurrent.futures"]
    assert record.levelname == "CRITICAL"
    assert record.exc_info[0] is ZeroDivisionError


def test_an_async_function_is_refused_by_threads(threads: anyplace.Place) -> None:
    async def later() -> int:
        return 1

    with pytest.raises(anyplace.Unsupported, match="async"):
        threads.submit(later).result(60)
