"""`anyplace.threading` beyond what CPython asks for: signals, order, asyncio, forks, changing the import."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import gc
import inspect
import os
import pickle
import random
import signal
import subprocess
import sys
import threading as stdlib
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from anyplace import threading

#: A call of each class that has to wait, and how to end the wait.
WAITS: dict[str, tuple[str, str]] = {
    "Lock": ("thing = threading.Lock(); thing.acquire()", "thing.acquire()"),
    "RLock": ("thing = threading.RLock(); run(thing.acquire)", "thing.acquire()"),
    "Semaphore": ("thing = threading.Semaphore(0)", "thing.acquire()"),
    "Condition": ("thing = threading.Condition(); thing.acquire()", "thing.wait()"),
    "Event": ("thing = threading.Event()", "thing.wait()"),
    "Barrier": ("thing = threading.Barrier(2)", "thing.wait()"),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_waiting_main_thread_hears_ctrl_c(name: str) -> None:
    made, waits = WAITS[name]
    program = f"""
from anyplace import threading
def run(fn):
    thread = threading.Thread(target=fn); thread.start(); thread.join()
{made}
try:
    print("waits", flush=True)
    {waits}
except KeyboardInterrupt:
    print("heard")
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert output == "heard\n"
    assert process.returncode == 0


def test_a_condition_that_a_signal_ends_has_its_lock_again() -> None:
    changed, owned = threading.Condition(), []

    def wait() -> None:
        with changed:
            try:
                changed.wait(timeout=30)
            finally:
                owned.append(changed._is_owned())

    before = signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        with pytest.raises(ZeroDivisionError):
            wait()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert owned == [True]
    assert changed.acquire(False)


def test_all_that_the_standard_library_offers_is_there() -> None:
    assert set(stdlib.__all__) <= set(threading.__all__)
    ours = {name for name in stdlib.__all__ if getattr(threading, name) is not getattr(stdlib, name)}
    classes = {"Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"}
    assert ours == classes
    assert threading.Thread is stdlib.Thread
    assert threading.currentThread is stdlib.currentThread, "old names are there, too"


def test_what_a_program_sets_in_the_module_threads_see() -> None:
    seen: list[str] = []
    before = threading.excepthook
    threading.excepthook = lambda args: seen.append(args.exc_type.__name__)  # type: ignore[assignment]
    try:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before  # type: ignore[assignment]
    assert seen == ["ZeroDivisionError"]
    assert stdlib.excepthook is before


@pytest.mark.parametrize("name", WAITS)
def test_methods_take_what_the_standard_librarys_take(name: str) -> None:
    theirs = type(getattr(stdlib, name)()) if name.endswith("Lock") else getattr(stdlib, name)
    for method in (method for method in dir(theirs) if not method.startswith("_")):
        ours = getattr(getattr(threading, name), method)
        if inspect.isfunction(getattr(theirs, method)):  # Its own locks do not say what they take.
            assert [*inspect.signature(ours).parameters] == [
                *inspect.signature(getattr(theirs, method)).parameters
            ], method


@pytest.mark.parametrize("name", ["", *WAITS, "BoundedSemaphore"])
def test_what_the_documentation_shows_is_so(name: str) -> None:
    thing = getattr(threading, name) if name else threading
    assert inspect.getdoc(thing)
    for example in doctest.DocTestFinder(recurse=False).find(thing, name, module=False, globs={}):
        assert doctest.DocTestRunner().run(example).failed == 0
    for method in (value for key, value in vars(thing).items() if name and not key.startswith("_")):
        assert inspect.getdoc(method)


def test_locks_say_how_they_are_called() -> None:
    assert str(inspect.signature(threading.Lock().acquire)) == "(blocking=True, timeout=-1)"
    lock = threading.Lock()
    assert lock.acquire(blocking=True, timeout=1)
    assert not lock.acquire(False)
    assert not lock.acquire(timeout=0)
    for arguments, names in (((), {"wrong": 1}), ((True, 1, 1), {}), ((True,), {"blocking": True})):
        with pytest.raises(TypeError):
            lock.acquire(*arguments, **names)  # type: ignore[arg-type]
    lock.release()
    with pytest.raises(RuntimeError, match="release unlocked lock"):
        lock.release()


def test_a_condition_goes_with_any_lock() -> None:
    class Mine:
        """Not one of ours."""

        def __init__(self) -> None:
            self._lock = stdlib.Lock()
            self.acquire, self.release = self._lock.acquire, self._lock.release

        def __enter__(self) -> bool:
            return self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()

    for lock in (Mine(), stdlib.Lock(), stdlib.RLock(), threading.Lock(), threading.RLock()):
        changed, box = threading.Condition(lock), []

        def fill(changed: threading.Condition = changed, box: list[int] = box) -> None:
            with changed:
                box.append(1)
                changed.notify()

        with changed:
            thread = threading.Thread(target=fill)
            thread.start()
            assert changed.wait_for(lambda box=box: box, timeout=60) == [1]
        thread.join()


def test_the_standard_librarys_condition_goes_with_our_locks() -> None:
    for lock in (threading.Lock(), threading.RLock()):
        changed = stdlib.Condition(lock)
        with changed:
            assert not changed.wait(timeout=0.001)
            changed.notify()


def test_a_subclass_of_a_lock_has_its_methods_called_by_a_condition() -> None:
    calls: list[str] = []

    class Counted(threading.RLock):
        def _release_save(self) -> tuple[int, int]:
            calls.append("released")
            return super()._release_save()

    changed = threading.Condition(Counted())
    with changed:
        assert not changed.wait(timeout=0.001)
    assert calls == ["released"]


def test_subclasses_have_their_own_arguments() -> None:
    class Named(threading.Semaphore):
        def __init__(self, name: str, count: int) -> None:
            super().__init__(count)
            self.name = name

    class Known(threading.RLock):
        def __init__(self, name: str) -> None:
            super().__init__()

    with Known("door"):
        pass
    named = Named("connections", count=2)
    assert named.acquire()
    assert (named.name, named._value) == ("connections", 1)


@pytest.mark.parametrize(
    "make", [threading.Lock, threading.RLock, threading.Semaphore, threading.Condition, threading.Event]
)
def test_nothing_of_them_travels_and_nothing_is_left(make: Callable[[], Any]) -> None:
    thing = make()
    with pytest.raises(TypeError):
        pickle.dumps(thing)
    there = weakref.ref(thing)
    if not isinstance(thing, (threading.Lock, threading.RLock)):
        thing.itself = thing
    del thing
    gc.collect()
    assert there() is None


def test_who_waits_long_is_let_through_next() -> None:
    """Threads that take the lock again as soon as they have released it do not keep others out."""
    lock, over = threading.Lock(), threading.Event()

    def greedy() -> None:
        while not over.is_set():
            with lock:
                pass

    thieves = [threading.Thread(target=greedy) for _ in range(2)]
    for thief in thieves:
        thief.start()
    try:
        for _ in range(50):
            assert lock.acquire(timeout=10), "starved"
            lock.release()
    finally:
        over.set()
        for thief in thieves:
            thief.join()


def test_notifications_come_in_order() -> None:
    changed, order = threading.Condition(), []
    threads = []
    for number in range(5):

        def wait(number: int = number) -> None:
            with changed:
                changed.wait()
                order.append(number)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        until(lambda number=number: changed._waiting() == number + 1)
    for number in range(5):
        with changed:
            changed.notify()
        until(lambda number=number: len(order) == number + 1)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_is_notified_after_its_time_has_not_taken_the_notification_of_another() -> None:
    """It is told that it was notified: else one would be lost, and another waiter wait for ever."""
    changed, told = threading.Condition(), []

    def wait() -> None:
        with changed:
            told.append(changed.wait(timeout=0.05))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: changed._waiting() == 1)
    with changed:
        time.sleep(0.1)  # Its time passes, and it waits for the lock.
        changed.notify()
    thread.join()
    assert told == [True]


def test_an_event_shows_the_condition_of_the_standard_librarys() -> None:
    event = threading.Event()
    with event._cond:
        setter = threading.Thread(target=event.set)
        setter.start()
        assert not event.wait(timeout=0.01), "who has the condition holds the event still"
        assert event._cond.wait(timeout=60)
    setter.join()
    assert event.is_set()


def test_the_child_of_a_fork_uses_what_its_parents_threads_held() -> None:
    lock, gate, event = threading.Lock(), threading.Semaphore(0), threading.Event()
    lock.acquire()
    waiting = [threading.Thread(target=fn, daemon=True) for fn in (lock.acquire, gate.acquire, event.wait)]
    for thread in waiting:
        thread.start()
    time.sleep(0.01)  # So that they wait: whether they do yet makes no difference to the child.
    child = os.fork()
    if child == 0:
        try:
            lock.release()
            gate.release()
            event.set()
            well = lock.acquire(timeout=5) and gate.acquire(timeout=5) and event.wait(timeout=5)
            os._exit(0 if well else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lock.release()
    gate.release()
    event.set()
    for thread in waiting:
        thread.join(60)
    assert not any(thread.is_alive() for thread in waiting)


def test_a_daemon_thread_that_waits_does_not_keep_the_program() -> None:
    program = """
from anyplace import threading
event = threading.Event()
for wait in (event.wait, lambda: [event.wait(0.001) for _ in iter(int, 1)]):
    threading.Thread(target=wait, daemon=True).start()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


class Asyncio:
    """A thread beside the loop of a test."""

    def __init__(self, target: Callable[[], object]) -> None:
        self._thread = threading.Thread(target=target)
        self._thread.start()

    async def over(self) -> None:
        while self._thread.is_alive():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, threading.Semaphore, threading.Condition])
def test_a_loop_goes_on_while_a_task_waits_for_a_thread(make: Callable[[], Any]) -> None:
    async def main() -> None:
        thing, held, release = make(), threading.Event(), threading.Event()

        def hold() -> None:
            with thing:
                held.set()
                release.wait(60)

        thread = Asyncio(hold)
        await held.wait_async()
        waiting = asyncio.ensure_future(enter(thing))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        release.set()
        await waiting
        await thread.over()

    async def enter(thing: Any) -> None:
        async with thing:
            assert not thing.acquire(False) or isinstance(thing, (threading.RLock, threading.Condition))

    asyncio.run(main())


def test_tasks_of_one_loop_exclude_each_other_also_by_a_lock_that_can_be_taken_again() -> None:
    async def main() -> None:
        lock, inside = threading.RLock(), 0

        async def work() -> None:
            nonlocal inside
            async with lock, lock:
                with lock:
                    inside += 1
                    await asyncio.sleep(0.001)
                    assert inside == 1
                    inside -= 1

        await asyncio.gather(*(work() for _ in range(5)))
        assert not lock.locked()

    asyncio.run(main())


def test_a_task_that_is_cancelled_leaves_the_line() -> None:
    async def main() -> None:
        lock = threading.Lock()
        assert lock.acquire()
        waiting = [asyncio.ensure_future(lock.acquire_async()) for _ in range(3)]
        await turns()
        waiting[0].cancel()
        lock.release()
        waiting[1].cancel()
        assert await waiting[2]
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        assert lock.locked()

    asyncio.run(main())


def test_tasks_and_threads_wait_for_one_condition() -> None:
    async def main() -> None:
        changed, box = threading.Condition(), []

        def fill() -> None:
            for letter in "abc":
                with changed:
                    box.append(letter)
                    changed.notify_all()
                    assert changed.wait_for(lambda: not box, timeout=60)

        thread = Asyncio(fill)
        read = ""
        while read != "abc":
            async with changed:
                while not box:
                    await changed.wait_async()
                read += box.pop()
                changed.notify_all()
        await thread.over()

    asyncio.run(main())


def test_a_task_that_is_cancelled_while_it_waits_for_a_condition_has_its_lock() -> None:
    async def main() -> None:
        changed, owned = threading.Condition(), []

        async def wait() -> None:
            async with changed:
                try:
                    await changed.wait_async()
                finally:
                    owned.append(changed._is_owned())

        waiting = asyncio.ensure_future(wait())
        await turns()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert owned == [True]
        assert changed.acquire(False)

    asyncio.run(main())


def test_a_notification_for_a_cancelled_task_is_the_next_ones() -> None:
    async def main() -> None:
        changed = threading.Condition()

        async def wait() -> bool:
            async with changed:
                return await changed.wait_async()

        first, second = asyncio.ensure_future(wait()), asyncio.ensure_future(wait())
        await turns()
        async with changed:
            changed.notify()
            first.cancel()
        assert await asyncio.wait_for(second, 60)

    asyncio.run(main())


def test_tasks_and_threads_meet_at_a_barrier() -> None:
    async def main() -> None:
        calls: list[int] = []
        barrier = threading.Barrier(3, action=lambda: calls.append(1))
        thread = Asyncio(barrier.wait)
        indices = await asyncio.gather(barrier.wait_async(), barrier.wait_async())
        await thread.over()
        assert len(set(indices)) == 2
        assert calls == [1]
        waiting = asyncio.ensure_future(barrier.wait_async())
        await turns()
        barrier.abort()
        with pytest.raises(threading.BrokenBarrierError):
            await waiting

    asyncio.run(main())


def test_a_loop_that_is_closed_with_a_waiting_task_harms_nobody() -> None:
    event = threading.Event()
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(event.wait_async())
    loop.run_until_complete(turns())
    loop.close()
    event.set()
    assert event.wait(60)
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_storm_of_threads_and_cancelled_tasks_leaves_everything_free() -> None:
    lock, again, permits = threading.Lock(), threading.RLock(), threading.BoundedSemaphore(2)
    changed, over, inside = threading.Condition(), threading.Event(), 0

    def thread(seed: int) -> None:
        nonlocal inside
        chance = random.Random(seed)
        while not over.is_set():
            with chance.choice([again, permits, threading.Lock()]):
                pass
            with changed:
                changed.notify() if chance.random() < 0.7 else changed.wait(0.0001)
            if lock.acquire(timeout=chance.choice([-1, 0.0001])):
                inside += 1
                assert inside == 1
                inside -= 1
                lock.release()

    async def use(chance: random.Random) -> None:
        nonlocal inside
        async with chance.choice([again, permits, threading.Lock()]):
            await asyncio.sleep(0)
        async with changed:
            try:
                await changed.wait_async()
            finally:
                assert changed._is_owned()
        async with lock:
            inside += 1
            try:
                await asyncio.sleep(0)
                assert inside == 1
            finally:
                inside -= 1

    async def task(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(100):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.choice([0.0001, 0.001, 0.01])):
                    await use(chance)

    async def main() -> None:
        await asyncio.gather(*map(task, range(10)))

    with ThreadPoolExecutor(4) as threads:
        used = [threads.submit(thread, seed) for seed in range(4)]
        try:
            asyncio.run(main())
        finally:
            over.set()
        assert [future.result(60) for future in used] == [None] * 4
    assert not lock.locked()
    assert not again.locked()
    assert (permits._value, changed._waiting()) == (2, 0)


def until(holds: Callable[[], object]) -> None:
    """Wait for what another thread is about to do."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


async def turns() -> None:
    """Give every task that is ready its turns, until each of them waits for something."""
    for _ in range(5):
        await asyncio.sleep(0)
