"""Strict places break for ever when a worker dies, as `concurrent.futures.ProcessPoolExecutor` does."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool

import pytest

import anyplace
from door import Door, hold
from test_worker import LIMIT_S, RaisesWhenRead, segfault


@pytest.fixture
def place() -> Iterator[anyplace.Place]:
    with anyplace.open("processes:2", strict=True) as place:
        yield place


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_broken(place: anyplace.Place) -> bool:
    try:
        return place.submit(abs, -1).result(LIMIT_S) != 1
    except BrokenProcessPool:
        return True


def assert_broken(place: anyplace.Place) -> anyplace.WorkerLost:
    """Every later `submit` raises by itself, as does a map."""
    with pytest.raises(anyplace.WorkerLost) as caught:
        place.submit(abs, -1)
    assert isinstance(caught.value, BrokenProcessPool)
    assert caught.value.retry == "safe"
    with pytest.raises(BrokenProcessPool):
        list(place.map(abs, [-1]))
    return caught.value


def test_a_crash_ends_every_task_that_has_not_ended(place: anyplace.Place, door: Door) -> None:
    done = place.submit(abs, -1)
    assert done.result(LIMIT_S) == 1
    runs = place.submit(hold, door.path)
    door.knock()
    guilty = place.submit(segfault)
    waits = [place.submit(abs, -1) for _ in range(20)]
    errors = [future.exception(LIMIT_S) for future in [runs, guilty, *waits]]
    assert all(isinstance(error, anyplace.WorkerLost) for error in errors)
    assert guilty.exception().exit == -signal.SIGSEGV
    assert "while it ran" in str(guilty.exception())
    assert done.result() == 1
    assert assert_broken(place).exit == -signal.SIGSEGV


def test_whoever_hears_of_a_crash_is_refused_at_once(place: anyplace.Place) -> None:
    """There is no moment between the two in which a task is taken."""
    with pytest.raises(BrokenProcessPool):
        place.submit(os._exit, 0).result(LIMIT_S)
    assert_broken(place)


def test_an_idle_worker_that_is_killed_breaks_the_place(place: anyplace.Place, door: Door) -> None:
    held = place.submit(hold, door.path), place.submit(hold, door.path)
    for task in [door.knock(), door.knock()]:
        task.let_go()
    killed, other = (future.result(LIMIT_S) for future in held)
    os.kill(killed, signal.SIGKILL)
    # The other worker takes tasks until the place has heard of the death.
    while not is_broken(place):
        pass
    assert f"worker process {killed} died" in str(assert_broken(place))
    place.close()
    assert not is_there(other)


def test_an_argument_that_cannot_be_read_breaks_the_place(place: anyplace.Place) -> None:
    with pytest.raises(BrokenProcessPool) as caught:
        place.submit(id, RaisesWhenRead()).result(LIMIT_S)
    assert caught.value.exit == 1
    assert "invalid literal for int() with base 10: 'no number'" in caught.value.log_tail
    assert_broken(place)


def test_a_result_that_cannot_be_read_breaks_the_place(place: anyplace.Place, door: Door) -> None:
    other = place.submit(hold, door.path)
    door.knock()
    with pytest.raises(BrokenProcessPool) as caught:
        place.submit(RaisesWhenRead).result(LIMIT_S)
    assert isinstance(caught.value.__cause__, anyplace.NotSerializable)
    assert isinstance(other.exception(LIMIT_S), anyplace.WorkerLost)
    assert "invalid literal" in str(assert_broken(place))


def test_a_result_of_a_map_that_cannot_be_read_breaks_the_place(place: anyplace.Place) -> None:
    results = place.map(lambda number: RaisesWhenRead() if number == 2 else number, range(4), chunksize=4)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(BrokenProcessPool):
        next(results)
    assert_broken(place)


def test_what_a_task_raises_breaks_nothing(place: anyplace.Place) -> None:
    with pytest.raises(ZeroDivisionError):
        place.submit(divmod, 1, 0).result(LIMIT_S)
    with pytest.raises(anyplace.NotSerializable):
        place.submit(id, (part for part in ())).result(LIMIT_S)
    assert place.submit(abs, -1).result(LIMIT_S) == 1


def test_places_whose_workers_cannot_die_refuse_strict() -> None:
    for address in ["threads:2", "async:2", "inline:"]:
        with pytest.raises(anyplace.ConfigInvalid, match="has no option `strict`"):
            anyplace.open(address, strict=True)


def test_the_keyword_is_the_address_option() -> None:
    with anyplace.open("processes:1", strict=True) as place:
        assert place.address == "processes:1?strict=true"
    with anyplace.open("processes:1?strict=true") as place, pytest.raises(BrokenProcessPool):
        place.submit(os._exit, 1).result(LIMIT_S)
