"""What every place promises that shares objects, by the names that the Rust tests show it by."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import anyplace
from door import PATIENCE, Door
from sharing import (
    add_slowly,
    add_to_both,
    answer,
    count_up,
    exchange,
    fill,
    get_lock,
    hold_at_queue,
    hold_end,
    hold_lock,
    hold_permits,
    hold_then_get,
    produce,
    use_all,
)
from test_behaviours import (
    ADDRESSES,
    ENDPOINTS,
    has_processes,
    mapped,
    names_in_rust,
    needs,
    opened,
    processes,
    scheme,
    submit,
)


@pytest.fixture(params=ADDRESSES + ENDPOINTS)
def address(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(address: str, request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place that nobody else uses, if it has what the test needs."""
    yield from opened(address, request)


@pytest.fixture
def door() -> Iterator[Door]:
    """A door; the end of the test opens it."""
    door = Door()
    yield door
    door.close()


@pytest.fixture
def beside() -> Iterator[Callable[..., Future[Any]]]:
    """Calls functions in threads of the test."""
    with ThreadPoolExecutor(8) as pool:
        yield pool.submit


def threads(place: anyplace.Place) -> str | None:
    lacks = not place.workers or scheme(place) == "async"
    return "its tasks have no thread of their own to wait on" if lacks else None


def two_threads(place: anyplace.Place) -> str | None:
    lacks = place.workers < 2 or scheme(place) == "async"
    return "it has no two workers with threads of their own" if lacks else None


def futures(place: anyplace.Place) -> str | None:
    return None if scheme(place) == "async" else "its tasks are no coroutines"


def here(place: anyplace.Place) -> str | None:
    return "its tasks run in other processes" if has_processes(place) else None


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so; what does not come is a broken promise."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() < began + PATIENCE, "it has not come about"
        os.sched_yield()


def n_waiting(place: anyplace.Place) -> int:
    return sum(len(involved.waiters) for involved in place.why().objects)


def test_a_lock_keeps_all_others_out(place: anyplace.Place) -> None:
    """A sum that is read and written in two steps comes out right only if nobody is in between."""
    lock, total = place.lock("door"), place.counter("sum")
    list(mapped(place, add_slowly, [lock] * 40, [total] * 40, [50] * 40))
    assert total.value == 2000
    assert not lock.locked()


def test_a_wait_for_a_lock_ends_in_time(place: anyplace.Place, beside: Callable[..., Future[Any]]) -> None:
    lock = place.lock("door")
    with lock:
        began = time.monotonic()
        assert not beside(lock.acquire, timeout=0.02).result(PATIENCE)
        assert time.monotonic() - began >= 0.02
        assert not lock.acquire(block=False)
    assert lock.acquire(block=False)


@needs(threads)
def test_who_waits_for_a_lock_gets_it_from_one_who_takes_it_again_and_again(place: anyplace.Place) -> None:
    lock, had = place.lock("door"), place.event("had")
    waiter = submit(place, get_lock, lock, had)

    def takes_it_again() -> bool:
        with lock:
            return had.is_set()

    until(takes_it_again)
    assert waiter.result(PATIENCE) is False


@needs(processes)
def test_a_lock_passes_on_when_its_holder_is_killed(
    place: anyplace.Place, door: Door, beside: Callable[..., Future[Any]]
) -> None:
    lock = place.lock("door")
    holder = place.submit(hold_lock, lock, door.path)
    held = door.knock()
    waiter = beside(lock.acquire, timeout=PATIENCE)
    assert holder.cancel(kill=True)
    held.ends()
    assert waiter.result(PATIENCE)
    assert lock.abandoned
    lock.release()
    with lock:
        assert not lock.abandoned


def test_a_lock_is_released_once_for_each_time(place: anyplace.Place) -> None:
    lock = place.lock("door")
    lock.acquire()
    lock.release()
    with pytest.raises(anyplace.NotHeld) as caught:
        lock.release()
    assert caught.value.place == place.address
    assert caught.value.help
    assert isinstance(caught.value, RuntimeError)


def test_an_rlock_is_its_owners_as_often_as_it_likes(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    lock = place.rlock("door")

    def another_gets_it() -> bool:
        got = lock.acquire(block=False)
        if got:
            lock.release()
        return got

    lock.acquire()
    lock.acquire()
    assert not beside(another_gets_it).result(PATIENCE)
    lock.release()
    assert not beside(another_gets_it).result(PATIENCE)
    with pytest.raises(anyplace.NotHeld):
        beside(lock.release).result(PATIENCE)
    lock.release()
    assert beside(another_gets_it).result(PATIENCE)


def test_a_semaphore_lets_so_many_in(place: anyplace.Place, beside: Callable[..., Future[Any]]) -> None:
    seats = place.semaphore("seats", 3)
    for _ in range(3):
        seats.acquire()
    assert not seats.acquire(block=False)
    waiter = beside(seats.acquire, timeout=PATIENCE)
    seats.release(3)
    assert waiter.result(PATIENCE)
    assert seats.value == 2


@needs(processes)
def test_permits_of_a_killed_worker_come_back(place: anyplace.Place, door: Door) -> None:
    seats = place.semaphore("seats", 3)
    holder = place.submit(hold_permits, seats, 2, door.path)
    held = door.knock()
    assert seats.value == 1
    assert holder.cancel(kill=True)
    held.ends()
    assert all(seats.acquire(timeout=PATIENCE) for _ in range(3))
    assert seats.value == 0


def test_a_bounded_semaphore_refuses_more_than_it_had(place: anyplace.Place) -> None:
    seats = place.semaphore("seats", 2, bounded=True)
    seats.acquire()
    seats.release()
    with pytest.raises(ValueError, match="seats"):
        seats.release()
    assert seats.value == 2
    unbounded = place.semaphore("more", 0)
    unbounded.release(5)
    assert unbounded.value == 5


def test_who_waits_longest_is_notified_first(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    changed = place.condition("changed")
    heard: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait(number: int) -> None:
        with changed:
            assert changed.wait(PATIENCE)
        heard.put(number)

    for number in range(3):
        beside(wait, number)
        until(lambda: changed.n_waiting > number)  # noqa: B023
    for number in range(3):
        with changed:
            changed.notify()
        assert heard.get(timeout=PATIENCE) == number
    assert changed.n_waiting == 0


def test_whoever_waits_lets_go_of_the_lock(place: anyplace.Place, beside: Callable[..., Future[Any]]) -> None:
    changed, number = place.condition("changed"), place.counter("number")

    def wait() -> int:
        with changed:
            changed.wait_for(lambda: number.value == 3)
            return number.value

    waiter = beside(wait)
    until(lambda: changed.n_waiting == 1)
    for _ in range(3):
        with changed:
            number.add(1)
            changed.notify_all()
    assert waiter.result(PATIENCE) == 3


def test_a_wait_without_a_notification_ends_in_time(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    changed = place.condition("changed")
    with changed:
        began = time.monotonic()
        assert not changed.wait(0.02)
        assert time.monotonic() - began >= 0.02
        assert not beside(changed.acquire, block=False).result(PATIENCE), "it has the lock again"


def test_an_event_lets_everybody_on(place: anyplace.Place, beside: Callable[..., Future[Any]]) -> None:
    start = place.event("start")
    assert not start.wait(0.005)
    waiters = [beside(start.wait, PATIENCE) for _ in range(3)]
    until(lambda: n_waiting(place) == 3)
    start.set()
    start.clear()
    assert all(waiter.result(PATIENCE) for waiter in waiters)
    assert not start.is_set()


def test_a_barrier_opens_when_all_have_come(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    start, came = place.barrier("start", 3), place.counter("came")

    def play() -> None:
        for number in range(1, 21):
            came.add(1)
            start.wait(PATIENCE)
            assert number * 3 <= came.value <= (number + 1) * 3

    for player in [beside(play) for _ in range(3)]:
        player.result(PATIENCE)
    assert (came.value, start.n_waiting) == (60, 0)


def test_a_broken_barrier_says_so_to_all(place: anyplace.Place, beside: Callable[..., Future[Any]]) -> None:
    start = place.barrier("start", 2)
    waiter = beside(start.wait, PATIENCE)
    until(lambda: start.n_waiting == 1)
    start.abort()
    for broken in (waiter.result, start.wait):
        with pytest.raises(threading.BrokenBarrierError):
            broken(PATIENCE)
    assert start.broken
    start.reset()
    other = beside(start.wait, PATIENCE)
    assert {start.wait(PATIENCE), other.result(PATIENCE)} == {0, 1}


def test_values_of_one_producer_come_in_its_order(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    letters = place.queue("letters")
    getting = beside(lambda: list(letters))
    list(mapped(place, produce, [letters] * 4, range(4), [200] * 4))
    letters.shutdown()
    got = getting.result(PATIENCE)
    for producer in range(4):
        assert [number for one, number in got if one == producer] == list(range(200))


@needs(threads)
def test_a_full_queue_holds_its_producers_back(place: anyplace.Place) -> None:
    letters = place.queue("letters", 2)
    producer = submit(place, produce, letters, 7, 5)
    until(letters.full)
    with pytest.raises(queue.Full):
        letters.put((8, 0), timeout=0.005)
    assert not producer.done()
    assert [letters.get(timeout=PATIENCE) for _ in range(5)] == [(7, number) for number in range(5)]
    producer.result(PATIENCE)
    with pytest.raises(queue.Empty):
        letters.get_nowait()


def test_the_last_or_the_lowest_comes_first_where_that_is_asked_for(place: anyplace.Place) -> None:
    pile = place.lifo("pile")
    for number in range(3):
        pile.put(number)
    assert pile.get_many(9) == [2, 1, 0]
    ranked = place.priority("ranked")
    for item in [(5, "last"), (-1, "first"), (2, "second"), (2, "third")]:
        ranked.put(item)
    assert [name for _, name in ranked.get_many(9)] == ["first", "second", "third", "last"]


def test_a_queue_that_is_shut_down_gives_what_it_has_and_ends(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    letters = place.queue("letters", 3)
    letters.put(1)
    letters.put(2)
    letters.shutdown()
    with pytest.raises(anyplace.Ended):
        letters.put(3)
    assert list(letters) == [1, 2]
    with pytest.raises(anyplace.Ended) as caught:
        letters.get()
    assert caught.value.help
    empty = place.queue("empty")
    waiter = beside(empty.get)
    until(lambda: n_waiting(place) == 1)
    empty.shutdown()
    with pytest.raises(anyplace.Ended):
        waiter.result(PATIENCE)
    full = place.queue("full")
    full.put(1)
    full.shutdown(immediate=True)
    with pytest.raises(anyplace.Ended):
        full.get()


def test_a_queue_is_joined_when_all_is_done(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    letters = place.queue("letters")
    letters.join()
    for number in range(3):
        letters.put(number)
    joining = beside(letters.join)
    for _ in range(3):
        assert not joining.done()
        letters.get()
        letters.task_done()
    joining.result(PATIENCE)
    with pytest.raises(ValueError, match="letters"):
        letters.task_done()


def test_a_batch_is_what_is_there(place: anyplace.Place, beside: Callable[..., Future[Any]]) -> None:
    letters = place.queue("letters")
    for number in range(5):
        letters.put(number)
    assert letters.get_many(3) == [0, 1, 2]
    assert letters.get_many(3) == [3, 4]
    waiter = beside(letters.get_many, 3)
    until(lambda: n_waiting(place) == 1)
    letters.put(9)
    assert waiter.result(PATIENCE) == [9]


def test_a_value_may_be_large(place: anyplace.Place) -> None:
    letters = place.queue("letters", 2)
    for length in [0, 100, 100_000, 64 << 20]:
        letter = os.urandom(251) * (length // 251 + 1)
        letters.put(letter)
        assert letters.get() == letter


@needs(processes)
def test_a_worker_killed_at_a_queue_breaks_nothing(place: anyplace.Place) -> None:
    letters = place.queue("letters")
    for _ in range(5):
        door = Door()
        busy = place.submit(hold_at_queue, letters, door.path)
        door.knock().let_go()
        until(letters.qsize)
        assert busy.cancel(kill=True)
        with pytest.raises(anyplace.Cancelled):
            busy.result(PATIENCE)
        while not letters.empty():
            letter = letters.get()
            assert set(letter) == {7}
            assert len(letter) in (10, 5000)
        letters.put(b"1")
        assert letters.get() == b"1"
        door.close()


def test_each_end_of_a_pipe_receives_what_the_other_sends(place: anyplace.Place) -> None:
    ours, theirs = place.pipe()
    ours.send("one")
    ours.send("two")
    submit(place, answer, theirs, 2).result(PATIENCE)
    assert ours.poll(PATIENCE)
    assert (ours.recv(), ours.recv()) == ("one!", "two!")
    assert not ours.poll(0.005)


def test_a_pipe_ends_when_its_other_end_is_closed(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    ours, theirs = place.pipe()
    theirs.send(7)
    theirs.close()
    assert ours.poll(PATIENCE)
    assert ours.recv() == 7
    assert ours.poll(PATIENCE), "the end can be seen"
    with pytest.raises(EOFError):
        ours.recv()
    with pytest.raises(anyplace.Ended, match="pipe"):
        ours.send(9)
    waits, closes = place.pipe()
    waiter = beside(waits.recv)
    closes.close()
    with pytest.raises(EOFError):
        waiter.result(PATIENCE)


def test_a_pipe_of_one_way_goes_from_its_second_end_to_its_first(place: anyplace.Place) -> None:
    reads, writes = place.pipe(duplex=False)
    writes.send(1)
    assert reads.recv() == 1
    with pytest.raises(anyplace.Ended, match="pipe"):
        reads.send(2)


@needs(processes)
def test_a_pipe_ends_when_the_worker_at_its_other_end_is_killed(place: anyplace.Place, door: Door) -> None:
    ours, theirs = place.pipe()
    holder = place.submit(hold_end, theirs, door.path)
    held = door.knock()
    theirs.close()
    assert ours.recv() == 7
    assert not ours.poll(0.005)
    assert holder.cancel(kill=True)
    held.ends()
    assert ours.poll(PATIENCE)
    with pytest.raises(EOFError):
        ours.recv()


def test_a_dict_is_the_same_for_all(place: anyplace.Place) -> None:
    ages = place.dict("ages")
    ages["Ann"], ages["Bob"] = 40, 50
    ages["Ann"] = 41
    assert list(place.dict("ages").items()) == [("Ann", 41), ("Bob", 50)]
    assert ages.setdefault("Ann", 1) == 41
    assert "Bob" in ages
    assert ages.pop("Ann") == 41
    with pytest.raises(KeyError):
        del ages["Ann"]
    assert ages.popitem() == ("Bob", 50)
    ages.update({"Cid": 1, "Dan": 2})
    assert list(ages) == ["Cid", "Dan"]
    ages.clear()
    assert len(ages) == 0


def test_a_dict_exchanges_what_is_expected_and_nothing_else(place: anyplace.Place) -> None:
    """Python's dicts have no exchange; a lock does it."""
    counts, lock = place.dict(), place.lock()
    list(mapped(place, count_up, [counts] * 20, [lock] * 20, [5] * 20))
    assert counts.copy() == dict.fromkeys(range(5), 20)


def test_a_dict_takes_values_of_any_size(place: anyplace.Place) -> None:
    pages = place.dict()
    for length in [0, 10, 5000, 1 << 20]:
        pages[length] = b"7" * length
    assert all(page == b"7" * length for length, page in pages.items())


def test_an_array_is_filled_where_it_is(place: anyplace.Place) -> None:
    squares = place.array("squares", 100, "int64")
    list(mapped(place, fill, [squares] * 100, range(100)))
    assert place.array("squares", 100, "int64").tolist() == [at * at for at in range(100)]


def test_adding_from_many_tasks_loses_nothing(place: anyplace.Place) -> None:
    whole, real = place.counter("whole"), place.value("real", 0.0)
    list(mapped(place, add_to_both, [whole] * 20, [real] * 20, [100] * 20))
    assert (whole.value, real.value) == (2000, 1000.0)


def test_a_value_is_exchanged_by_one_alone(place: anyplace.Place) -> None:
    first = place.value("first", -1)
    won = list(mapped(place, exchange, [first] * 20, range(20)))
    assert won.count(True) == 1
    assert won[first.value]


def test_a_name_is_one_object(place: anyplace.Place) -> None:
    place.counter("hits").add(2)
    assert place.counter("hits").value == 2
    with anyplace.open("threads:1") as other:
        assert other.counter("hits").value == 0


def test_a_name_of_another_kind_is_refused_with_help(place: anyplace.Place) -> None:
    place.semaphore("door", 2)
    for make in (place.lock, place.queue, lambda name: place.value(name, 1.0)):
        with pytest.raises(anyplace.ConfigInvalid, match=r"door.*semaphore") as caught:
            make("door")
        assert caught.value.help
    assert place.semaphore("door", 9).value == 2


def test_a_name_that_is_too_long_is_refused(place: anyplace.Place) -> None:
    place.lock("x" * 48)
    with pytest.raises(anyplace.ConfigInvalid, match="48"):
        place.lock("x" * 49)


def test_objects_without_a_name_are_new_ones(place: anyplace.Place) -> None:
    with place.lock():
        assert place.lock().acquire(block=False)


def test_a_handle_opens_itself_in_a_task(place: anyplace.Place) -> None:
    shared: dict[str, Any] = {
        "lock": place.lock(),
        "rlock": place.rlock(),
        "semaphore": place.semaphore("", 2),
        "condition": place.condition(),
        "event": place.event(),
        "barrier": place.barrier("", 1),
        "value": place.value("", 1.5),
        "queue": place.queue("", 3),
        "dict": place.dict(),
        "array": place.array("", 3),
    }
    submit(place, use_all, shared).result(PATIENCE)
    assert shared["lock"].locked()
    assert not shared["rlock"].locked()
    assert shared["semaphore"].value == 1
    assert shared["event"].is_set()
    assert shared["value"].value == 2.0
    assert shared["queue"].get() == "it was here"
    assert shared["dict"]["here"]
    assert shared["array"][0] == 1.0


@needs(here)
def test_a_handle_that_cannot_travel_says_so(place: anyplace.Place) -> None:
    lock, had = place.lock("door"), place.event("had")
    refused = pytest.raises(anyplace.NotSerializable, match="door")
    with anyplace.open("processes:1") as away, refused as caught:
        away.submit(get_lock, lock, had).result(PATIENCE)
    assert place.address in str(caught.value)


@needs(futures)
def test_a_future_waits_without_a_thread(place: anyplace.Place) -> None:
    lock, start, letters = place.lock("door"), place.event("start"), place.queue("letters")
    lock.acquire()

    async def wait() -> int:
        await start.wait_async()
        async with lock:
            return int(await letters.get_async())

    waiters = [place.submit(wait) for _ in range(8)]
    until(lambda: n_waiting(place) == 8)
    start.set()
    until(lambda: any(object.name == "door" and len(object.waiters) == 8 for object in place.why().objects))
    lock.release()
    for number in range(8):
        letters.put(number)
    assert sorted(waiter.result(PATIENCE) for waiter in waiters) == list(range(8))


def test_a_future_that_is_dropped_leaves_the_line(place: anyplace.Place) -> None:
    lock = place.lock("door")

    async def show() -> None:
        lock.acquire()
        first = asyncio.ensure_future(lock.acquire_async())
        second = asyncio.ensure_future(lock.acquire_async())
        while n_waiting(place) < 2:
            await asyncio.sleep(0)
        first.cancel()
        lock.release()
        assert await asyncio.wait_for(second, PATIENCE)
        assert first.cancelled()
        assert not lock.acquire(block=False)

    asyncio.run(show())


def test_a_closed_place_tells_whoever_waits(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    lock, never, empty = place.lock("door"), place.event("never"), place.queue("empty")
    changed = place.condition("changed")
    lock.acquire()

    def wait_for_change() -> None:
        with changed:
            changed.wait()

    waiters = [beside(wait) for wait in (lock.acquire, never.wait, empty.get, wait_for_change)]
    until(lambda: n_waiting(place) == len(waiters))
    place.close()
    for waiter in waiters:
        with pytest.raises(anyplace.PlaceClosed) as caught:
            waiter.result(PATIENCE)
        assert caught.value.help


def test_a_closed_place_shares_nothing_more(place: anyplace.Place) -> None:
    lock = place.lock("door")
    place.close()
    for use in (lock.acquire, lambda: place.lock("door"), place.queue):
        with pytest.raises(anyplace.PlaceClosed):
            use()
    assert place.why().objects == []


def test_why_tells_who_has_and_who_waits_and_where(
    place: anyplace.Place, beside: Callable[..., Future[Any]]
) -> None:
    assert place.why().objects == []
    lock = place.lock("door")
    lock.acquire()
    waiter = beside(lock.acquire, timeout=PATIENCE)
    # Where it waits it tells after a moment: short waits cost less so.
    until(lambda: n_waiting(place) == 1 and place.why().objects[0].waiters[0].line)
    why = place.why()
    lock.release()
    assert waiter.result(PATIENCE)
    [involved] = why.objects
    assert (involved.kind, involved.name) == ("lock", "door")
    [holder], [waiting] = involved.holders, involved.waiters
    assert holder.process == waiting.process == os.getpid()
    assert holder.thread == threading.get_native_id() != waiting.thread
    assert Path(waiting.line.rpartition(":")[0]).suffix == ".py"
    assert "lock `door` is held by" in str(why)
    assert why.deadlocks == []


@needs(two_threads)
def test_why_names_a_deadlock(place: anyplace.Place, door: Door) -> None:
    left, right = place.lock("left"), place.lock("right")
    tasks = [submit(place, hold_then_get, left, right, door.path)]
    first = door.knock()
    tasks.append(submit(place, hold_then_get, right, left, door.path))
    second = door.knock()
    assert place.why().deadlocks == []
    first.let_go()
    second.let_go()
    until(lambda: place.why().deadlocks)
    why = place.why()
    [ring] = why.deadlocks
    assert sorted(link.name for link in ring) == ["left", "right"]
    assert all(link.who.task for link in ring), str(why)
    assert "deadlock: task " in str(why)
    with pytest.raises(KeyboardInterrupt), place:
        raise KeyboardInterrupt
    # Once one of them has ended, the other may have what it wanted.
    ends = [task.exception(PATIENCE) for task in tasks if not task.cancelled()]
    assert len(ends) < 2 or any(ends)


def test_these_are_the_behaviours_of_the_engine() -> None:
    """No promise is shown in one language only."""
    ours = [name.removeprefix("test_") for name, test in globals().items() if name.startswith("test_")]
    ours.remove("these_are_the_behaviours_of_the_engine")
    assert ours == names_in_rust("share")
