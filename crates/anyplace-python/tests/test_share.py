"""What a place shares: locks, semaphores, conditions, events, barriers, queues and values, by name."""

from __future__ import annotations

import asyncio
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

import anyplace
from anyplace import share

#: Far more than anything here takes; only a hang is ended by it.
LIMIT_S = 30

#: Every kind of place that shares.
PLACES = ["inline:", "threads:2", "retry=2::threads:2", "async:4", "processes:2"]
#: Those whose tasks run beside the caller.
BESIDE = ["threads:2", "processes:2"]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """Each kind of place that shares."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture(params=BESIDE)
def beside(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place whose tasks run beside the caller."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture
def processes() -> Iterator[anyplace.Place]:
    """A place whose tasks run in other processes."""
    with anyplace.open("processes:2") as place:
        yield place


MAKERS: dict[str, Callable[[anyplace.Place, str], object]] = {
    "lock": anyplace.Place.lock,
    "rlock": anyplace.Place.rlock,
    "semaphore": anyplace.Place.semaphore,
    "condition": anyplace.Place.condition,
    "event": anyplace.Place.event,
    "barrier": anyplace.Place.barrier,
    "queue": anyplace.Place.queue,
    "value": anyplace.Place.value,
    "array": lambda place, name: place.array(name, 3),
    "dict": anyplace.Place.dict,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_name_stands_for_one_kind_of_object(place: anyplace.Place, kind: str) -> None:
    MAKERS[kind](place, "name")
    for other in set(MAKERS) - {kind}:
        with pytest.raises(anyplace.ConfigInvalid, match="name"):
            MAKERS[other](place, "name")


def test_a_lock_is_one_for_all_who_name_it(place: anyplace.Place) -> None:
    with place.lock("door"):
        assert place.lock("door").locked()
        assert not place.lock("door").acquire(block=False)
        assert not place.lock("door").acquire(timeout=0.01)
        assert not place.lock("door").acquire(timeout=-1)
        assert place.lock("other").acquire(block=False)
    assert place.lock("door").acquire()


def test_a_lock_without_a_name_is_nobody_elses(place: anyplace.Place) -> None:
    with place.lock():
        assert place.lock().acquire(block=False)


def test_a_lock_that_nobody_has_cannot_be_released(place: anyplace.Place) -> None:
    """Whichever of the standard library's errors a program expects."""
    for kind in (anyplace.NotHeld, RuntimeError, ValueError, AssertionError):
        with pytest.raises(kind):
            place.lock("door").release()
        with pytest.raises(kind):
            place.rlock("again").release()


def test_an_rlock_is_free_after_as_many_releases(beside: anyplace.Place) -> None:
    lock = beside.rlock("door")
    with lock:
        with lock:
            assert not beside.submit(lock.acquire, False).result()
        assert not beside.submit(lock.acquire, False).result()
    assert beside.submit(acquired_and_released, lock).result()


def acquired_and_released(lock: share.RLock) -> bool:
    with lock:
        return lock.locked()


def test_a_semaphore_has_so_many_permits(place: anyplace.Place) -> None:
    seats = place.semaphore("seats", 2, bounded=True)
    with seats, seats:
        assert seats.value == 0
        assert not seats.acquire(block=False)
    with pytest.raises(ValueError, match="permits"):
        seats.release()
    assert seats.value == 2
    with pytest.raises(ValueError, match="permits"):
        place.semaphore("negative", -1)


def test_who_waits_goes_on_when_somebody_releases(beside: anyplace.Place) -> None:
    lock, seats, told = beside.lock(), beside.semaphore(value=0), beside.counter()
    lock.acquire()

    def release(told: share.Counter, *held: share.Lock | share.Semaphore) -> None:
        for one in held:
            told.add()
            one.release()

    releasing = beside.submit(release, told, lock, seats)
    assert lock.acquire()
    assert told.value >= 1
    assert seats.acquire()
    assert (told.value, seats.value) == (2, 0)
    releasing.result(LIMIT_S)


def test_what_is_shared_travels_in_arguments(beside: anyplace.Place) -> None:
    lock, hits, seen = beside.lock(), beside.counter(), beside.queue()

    def hit(lock: share.Lock, hits: share.Counter, seen: share.Queue[int], n: int) -> None:
        with lock:
            hits.value = hits.value + n
        seen.put(n)

    futures = [beside.submit(hit, lock, hits, seen, n) for n in range(50)]
    for future in futures:
        future.result(LIMIT_S)
    assert hits.value == sum(range(50))
    assert sorted(seen.get_many(100)) == [*range(50)]


def test_an_event_wakes_all_who_wait(beside: anyplace.Place) -> None:
    go = beside.event("go")
    waiting = [beside.submit(beside.event("go").wait, LIMIT_S) for _ in range(2)]
    assert not go.wait(0.01)
    go.set()
    assert [future.result(LIMIT_S) for future in waiting] == [True, True]
    go.clear()
    assert not go.is_set()


def test_a_barrier_lets_all_go_on_together(beside: anyplace.Place) -> None:
    start = beside.barrier("start", 3)
    others = [beside.submit(start.wait, LIMIT_S) for _ in range(2)]
    numbers = {start.wait(LIMIT_S), *(other.result(LIMIT_S) for other in others)}
    assert numbers == {0, 1, 2}
    assert (start.parties, start.n_waiting, start.broken) == (3, 0, False)


def test_a_barrier_breaks_when_somebody_does_not_come(place: anyplace.Place) -> None:
    start = place.barrier("start", 2)
    with pytest.raises(threading.BrokenBarrierError):
        start.wait(0.01)
    assert start.broken
    start.reset()
    assert not start.broken


def test_the_last_one_does_the_action(place: anyplace.Place) -> None:
    done = []
    barrier = place.barrier("alone", 1, action=lambda: done.append("it"))
    barrier.wait()
    assert done == ["it"]
    failing = place.barrier("failing", 1, action=lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        failing.wait()
    assert failing.broken


def test_a_condition_tells_those_who_wait(beside: anyplace.Place) -> None:
    changed, state = beside.condition("changed"), beside.value("state", 0)

    def change(changed: share.Condition, state: share.Value[int]) -> None:
        for n in range(1, 5):
            with changed:
                state.value = n
                changed.notify_all()

    with changed:
        change_it = beside.submit(change, changed, state)
        assert changed.wait_for(lambda: state.value == 4, LIMIT_S)
        assert not changed.wait(0.01)
    change_it.result(LIMIT_S)
    with pytest.raises(anyplace.NotHeld):
        changed.notify()
    with pytest.raises(anyplace.NotHeld):
        changed.wait()


def test_a_queue_gives_in_the_order_in_which_was_put(place: anyplace.Place) -> None:
    items = [1, "two", 3.0, (4, None), {"five": [5]}, b"six"]
    fifo, lifo = place.queue("fifo"), place.lifo("lifo")
    for item in items:
        fifo.put(item)
        lifo.put(item)
    assert [fifo.get() for _ in items] == items
    assert [lifo.get() for _ in items] == items[::-1]


def test_a_priority_queue_gives_the_least_first(place: anyplace.Place) -> None:
    jobs = place.priority("jobs")
    for item in [(2, "b"), (-1.5, "first"), (2, "c"), (1, "a")]:
        jobs.put(item)
    assert [jobs.get()[1] for _ in range(4)] == ["first", "a", "b", "c"]
    with pytest.raises(TypeError, match="orders numbers"):
        jobs.put(object())


def test_a_priority_queue_says_what_it_can_compare(place: anyplace.Place) -> None:
    """Texts by how they begin; what begins alike comes in the order in which it was put."""
    jobs = place.priority("jobs")
    for job in ("same start, b", "same start, a", "first"):
        jobs.put(job)
    assert [jobs.get() for _ in range(3)] == ["first", "same start, b", "same start, a"]
    for wrong in ([1], (), ([1], 2)):
        with pytest.raises(TypeError, match=f"not `{'tuple' if wrong == () else 'list'}`"):
            jobs.put(wrong)
    assert jobs.empty()


def test_a_bounded_queue_is_full(place: anyplace.Place) -> None:
    jobs = place.queue("jobs", maxsize=2)
    jobs.put(1)
    jobs.put_nowait(2)
    assert jobs.full()
    with pytest.raises(queue.Full):
        jobs.put(3, timeout=0.01)
    with pytest.raises(queue.Full):
        jobs.put_nowait(3)
    assert jobs.get_many(10) == [1, 2]
    with pytest.raises(queue.Empty):
        jobs.get(timeout=0.01)
    assert (jobs.empty(), jobs.qsize(), jobs.maxsize) == (True, 0, 2)


def test_many_items_are_put_in_their_order_until_the_queue_is_full(place: anyplace.Place) -> None:
    jobs = place.queue("jobs", maxsize=3)
    jobs.put_many(iter([1, 2]))
    with pytest.raises(queue.Full):
        jobs.put_many([3, 4, 5], timeout=0.01)
    assert jobs.get_many(10) == [1, 2, 3]
    with pytest.raises(queue.Full):
        jobs.put_many("abcd", block=False)
    assert jobs.get_many(10) == ["a", "b", "c"]


def test_a_queue_that_is_shut_down_ends(beside: anyplace.Place) -> None:
    jobs = beside.queue("jobs")
    taking = beside.submit(list, jobs)
    for n in range(5):
        jobs.put(n)
    jobs.shutdown()
    assert taking.result(LIMIT_S) == [*range(5)]
    with pytest.raises(share.ShutDown):
        jobs.put(5)


def test_a_queue_is_joined_when_all_is_done(beside: anyplace.Place) -> None:
    jobs = beside.queue("jobs")

    def work(jobs: share.Queue[int]) -> int:
        done = 0
        for _ in iter(jobs.get, None):
            done += 1
            jobs.task_done()
        jobs.task_done()
        return done

    working = [beside.submit(work, jobs) for _ in range(2)]
    for n in range(20):
        jobs.put(n)
    jobs.join()
    for _ in working:
        jobs.put(None)
    assert sum(one.result(LIMIT_S) for one in working) == 20
    with pytest.raises(ValueError, match="more is said to be done"):
        jobs.task_done()


def test_a_pipe_ends_when_its_other_end_is_closed(beside: anyplace.Place) -> None:
    ours, theirs = beside.pipe()

    def talk(end: share.Pipe) -> None:
        with end:
            end.send(end.recv() + 1)
            end.send_bytes(b"bytes")

    talking = beside.submit(talk, theirs)
    ours.send(1)
    assert ours.recv() == 2
    assert ours.poll(LIMIT_S)
    assert ours.recv_bytes() == b"bytes"
    talking.result(LIMIT_S)
    theirs.close()
    assert theirs.closed
    with pytest.raises(EOFError):
        ours.recv()
    with pytest.raises(OSError, match="closed"):
        theirs.recv()


def test_a_pipe_of_one_direction(place: anyplace.Place) -> None:
    reader, writer = place.pipe(duplex=False)
    assert not reader.poll()
    writer.send({"a": [1]})
    assert reader.poll()
    assert reader.recv() == {"a": [1]}
    with pytest.raises(anyplace.Ended):
        reader.send(1)


@pytest.mark.parametrize("first", [False, 5, 2.5])
def test_a_value_keeps_its_type(place: anyplace.Place, first: float) -> None:
    value = place.value("it", first)
    assert type(value.value) is type(first)
    assert value.value == first
    assert value.swap(type(first)(1)) == first
    assert not value.compare_exchange(first, first)
    assert value.compare_exchange(type(first)(1), first)
    with pytest.raises(TypeError):
        value.value = "text"  # type: ignore[assignment]


def test_counting_loses_nothing(beside: anyplace.Place) -> None:
    hits = beside.counter("hits")

    def count(hits: share.Counter) -> None:
        for _ in range(1000):
            hits.add()

    for future in [beside.submit(count, hits) for _ in range(4)]:
        future.result(LIMIT_S)
    assert hits.value == 4000


def test_an_array_is_seen_by_all_where_it_is(beside: anyplace.Place) -> None:
    numpy = pytest.importorskip("numpy")
    sums = beside.array("sums", (2, 3), dtype="int32")

    def fill(sums: share.Array) -> None:
        numpy.asarray(sums)[1] = [1, 2, 3]

    beside.submit(fill, sums).result(LIMIT_S)
    assert sums.numpy().tolist() == [[0, 0, 0], [1, 2, 3]]
    assert sums.numpy().dtype == numpy.int32
    sums[1, 2] = 7
    assert sums.tolist() == [[0, 0, 0], [1, 2, 7]]
    assert (sums.shape, len(sums)) == ((2, 3), 2)
    with pytest.raises(ValueError, match="numbers of"):
        beside.array("odd", 3, dtype="object")


def test_a_dict_has_the_methods_of_a_dict(place: anyplace.Place) -> None:
    ages = place.dict("ages")
    ages.update({"Ada": 36, ("Grace", 1): 85}, Alan=41)
    assert ages.items() == [("Ada", 36), (("Grace", 1), 85), ("Alan", 41)]
    assert (ages["Ada"], ages.get("Bob"), ages.get("Bob", 0), len(ages)) == (36, None, 0, 3)
    assert ages.setdefault("Ada", 1) == 36
    assert ages.pop("Ada") == 36
    assert ages.pop("Ada", None) is None
    assert ages.popitem() == ("Alan", 41)
    assert ("Grace", 1) in ages
    assert [*ages] == [("Grace", 1)]
    del ages["Grace", 1]
    assert ages == {}
    for missing in (lambda: ages["Ada"], lambda: ages.pop("Ada"), ages.popitem):
        with pytest.raises(KeyError):
            missing()
    with pytest.raises(TypeError, match="unhashable"):
        ages[[]] = 1


def test_equal_keys_are_one(place: anyplace.Place) -> None:
    values = place.dict()
    values[1] = "int"
    values[True], values[1.0] = "bool", "float"
    values["ab", "ab"] = "same"
    values["".join(["a", "b"]), "ab"] = "equal"
    values[frozenset({"x", "y", "z"})] = "set"
    assert values.values() == ["float", "equal", "set"]
    assert values[frozenset({"z", "y", "x"})] == "set"


def test_a_namespace_has_attributes(beside: anyplace.Place) -> None:
    settings = beside.namespace("settings")
    settings.depth, settings.name = 3, "x"

    def deepen(settings: share.Namespace) -> None:
        settings.depth += 1
        del settings.name

    beside.submit(deepen, settings).result(LIMIT_S)
    assert repr(beside.namespace("settings")) == "Namespace(depth=4)"
    with pytest.raises(AttributeError):
        _ = settings.name


def test_coroutines_wait_without_keeping_the_loop(place: anyplace.Place) -> None:
    async def main() -> None:
        lock, event, jobs = place.lock("lock"), place.event("event"), place.queue("jobs", 1)
        seats, start = place.semaphore("seats"), place.barrier("start", 2)
        async with lock:
            waiting = asyncio.create_task(lock.acquire_async())
            await turns()
            assert not waiting.done()
        assert await waiting
        lock.release()
        async with seats:
            assert seats.value == 0
        told = asyncio.create_task(event.wait_async())
        taken = asyncio.create_task(jobs.get_async())
        come = asyncio.create_task(start.wait_async())
        await turns()
        event.set()
        await jobs.put_async("item")
        assert {*await asyncio.gather(come, start.wait_async())} == {0, 1}
        assert (await told, await taken) == (True, "item")

    asyncio.run(asyncio.wait_for(main(), LIMIT_S))


def test_a_coroutine_that_is_cancelled_has_taken_nothing(place: anyplace.Place) -> None:
    async def main() -> None:
        lock, jobs = place.lock("lock"), place.queue("jobs")
        for waiting in (lock.acquire_async, jobs.get_async):
            lock.acquire()
            task = asyncio.create_task(waiting())
            await turns()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            lock.release()
        assert not lock.locked()
        jobs.put("kept")
        assert await jobs.get_async() == "kept"

    asyncio.run(asyncio.wait_for(main(), LIMIT_S))


def test_tasks_own_what_they_acquire_again(place: anyplace.Place) -> None:
    async def main() -> None:
        lock, changed = place.rlock("lock"), place.condition("changed")
        async with lock, lock:
            other = asyncio.create_task(lock.acquire_async())
            await turns()
            assert not other.done()
        await other

        async def tell() -> None:
            with changed:
                changed.notify()

        async with changed:
            telling = asyncio.create_task(tell())
            assert await changed.wait_async()
        await telling

    asyncio.run(asyncio.wait_for(main(), LIMIT_S))


def test_a_coroutine_tells_others_and_what_a_cancelled_one_was_told_passes_on(place: anyplace.Place) -> None:
    async def main() -> None:
        changed = place.condition("changed")

        async def wait() -> None:
            async with changed:
                await changed.wait_async()

        first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
        while changed.n_waiting < 2:
            await turns()
        async with changed:
            changed.notify()
            first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        with pytest.raises(anyplace.NotHeld):
            changed.notify()

    asyncio.run(asyncio.wait_for(main(), LIMIT_S))


def test_a_place_that_is_closed_says_so_to_those_who_wait() -> None:
    place = anyplace.open("threads:1")
    door = place.lock("door")
    door.acquire()
    told: list[str] = []

    def wait() -> None:
        with pytest.raises(anyplace.PlaceClosed):
            door.acquire()
        told.append("closed")

    thread = threading.Thread(target=wait)
    thread.start()
    place.close()
    thread.join(LIMIT_S)
    assert told == ["closed"]
    with pytest.raises(anyplace.PlaceClosed):
        place.lock("door")


def test_what_lies_in_this_process_cannot_travel() -> None:
    with anyplace.open("threads:1") as place:
        with pytest.raises(anyplace.NotSerializable, match=r"^lock `door` in `threads:1` cannot leave"):
            pickle.dumps(place.lock("door"))
        with pytest.raises(anyplace.NotSerializable, match=r"^an event without a name in `threads:1` cannot"):
            pickle.dumps(place.event())


def test_a_pipe_says_why_nothing_more_goes_through(place: anyplace.Place) -> None:
    one, other = place.pipe("talk", duplex=False)
    with pytest.raises(anyplace.Ended, match=r"^pipe `talk` in .* takes nothing from this end"):
        one.send("back")
    other.send("hello")
    other.close()
    assert one.recv() == "hello"
    with pytest.raises(EOFError, match=r"^pipe `talk` in .* gives nothing more to this end"):
        one.recv()


def test_a_name_of_another_kind_is_told_with_its_place(place: anyplace.Place) -> None:
    place.lock("door")
    told = re.escape(f"`door` in `{place.address}` is a lock, so it cannot be a queue")
    with pytest.raises(anyplace.ConfigInvalid, match=told):
        place.queue("door")


def test_a_wait_that_is_no_number_of_seconds_is_refused(place: anyplace.Place) -> None:
    nan = float("nan")
    door, jobs = place.lock(), place.queue()
    for wait in (
        door.acquire,
        jobs.get,
        place.event().wait,
        place.rlock().acquire,
        place.semaphore().acquire,
    ):
        with pytest.raises(ValueError, match="NaN"):
            wait(timeout=nan)
    assert not door.locked()


def test_what_was_shared_can_be_shown_when_its_place_is_closed() -> None:
    with anyplace.open("threads:1") as place:
        shared = [make(place, kind) for kind, make in MAKERS.items()] + [place.namespace("settings")]
        shared[-2]["Ada"] = 36
    for one in shared:
        assert type(one).__name__ in repr(one)


def test_the_modules_come_with_the_package() -> None:
    program = "import anyplace; print(anyplace.share.Lock, anyplace.threading.Lock, anyplace.queue.Queue)"
    command = [sys.executable, "-c", program + "; anyplace.multiprocessing.Lock()"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_lock_whose_holder_is_killed_passes_on(processes: anyplace.Place) -> None:
    door, held = processes.lock("door"), processes.event("held")

    def hold(door: share.Lock, held: share.Event) -> None:
        door.acquire()
        held.set()
        os.kill(os.getpid(), signal.SIGKILL)

    holder = processes.submit(hold, door, held)
    assert held.wait(LIMIT_S)
    assert door.acquire(timeout=LIMIT_S)
    assert door.abandoned
    with pytest.raises(anyplace.WorkerLost):
        holder.result(LIMIT_S)
    door.release()
    assert door.acquire(timeout=LIMIT_S)
    assert not door.abandoned


@pytest.mark.parametrize("kind", ["lock", "rlock"])
def test_a_coroutine_is_told_that_a_locks_holder_was_killed(processes: anyplace.Place, kind: str) -> None:
    door, held = getattr(processes, kind)("door"), processes.event("held")

    def hold(door: share.Lock | share.RLock, held: share.Event) -> None:
        door.acquire()
        held.set()
        os.kill(os.getpid(), signal.SIGKILL)

    async def take() -> bool:
        async with door:
            return door.abandoned

    holder = processes.submit(hold, door, held)
    assert held.wait(LIMIT_S)
    assert asyncio.run(asyncio.wait_for(take(), LIMIT_S))
    assert isinstance(holder.exception(LIMIT_S), anyplace.WorkerLost)
    assert not asyncio.run(asyncio.wait_for(take(), LIMIT_S))


def test_ctrl_c_ends_a_wait(place: anyplace.Place) -> None:
    jobs = place.queue("empty")
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            jobs.get()
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_everything_public_has_a_docstring_whose_examples_run() -> None:
    import doctest
    import inspect

    for name in share.__all__:
        thing = getattr(share, name)
        assert inspect.getdoc(thing), name
        for example in doctest.DocTestFinder(recurse=False).find(thing, name, module=False, globs={}):
            assert doctest.DocTestRunner().run(example).failed == 0
        for member, value in vars(thing).items():
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{member}"


async def turns() -> None:
    """Give every task that is ready its turns, until each of them waits for something."""
    for _ in range(5):
        await asyncio.sleep(0)
