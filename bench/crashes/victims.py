"""THE cases of who is killed with something shared in its hands, and what becomes of the others."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

#: Who has not got it by then does not get it.
PATIENCE_S = 5.0
HANGS = "hangs"
#: Bytes of a message that takes a while to write and to read.
LARGE = 1_000_000
#: How many of them may wait.
ROOM = 4
#: What is put when the dead is buried.
LAST = b"the last"

#: A module with `Process`, `Semaphore` and what is shared.
Library = Any


def kill(process: Any) -> float:
    """End it as the out-of-memory killer does, wait until it is gone, and tell when it was killed."""
    now = time.perf_counter()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return now


def begun(library: Library, function: Callable[..., object], *arguments: Any) -> Any:
    """Start a process that calls the function, which says when it has what it shall have."""
    ready = library.Semaphore(0)
    process = library.Process(target=function, args=(*arguments, ready), daemon=True)
    process.start()
    assert ready.acquire(timeout=PATIENCE_S * 2), "the victim has not even begun"
    return process


def asleep(process: Any) -> Any:
    """Wait until it waits."""
    stat = Path(f"/proc/{process.pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "S":
        os.sched_yield()
    return process


def acquired(lock: Any, killed: float) -> str:
    """Acquire what a process had, and tell how long after its death that is and whether one is told of it."""
    if not lock.acquire(timeout=PATIENCE_S):
        return HANGS
    return passed_on(lock, time.perf_counter() - killed)


def passed_on(lock: Any, seconds: float) -> str:
    """Tell so."""
    told = ", and says so" if getattr(lock, "abandoned", False) else ""
    return f"passes on in {seconds * 1e3:.0f} ms{told}"


def hold(lock: Any, ready: Any) -> None:
    """Take it and keep it."""
    lock.acquire()
    ready.release()
    threading.Event().wait()


def with_a_lock(library: Library) -> str:
    """Kill who holds a lock."""
    lock = library.Lock()
    return acquired(lock, kill(begun(library, hold, lock)))


def with_a_lock_that_is_waited_for(library: Library) -> str:
    """Kill who holds a lock for which we have waited for some time already."""
    lock = library.Lock()
    victim = begun(library, hold, lock)
    killed: list[float] = []
    killing = threading.Timer(0.3, lambda: killed.append(kill(victim)))
    killing.start()
    if not lock.acquire(timeout=PATIENCE_S):
        return HANGS
    now = time.perf_counter()
    killing.join()
    return passed_on(lock, now - killed[0])


def with_an_rlock(library: Library) -> str:
    """Kill who holds a lock that its owner may take again."""
    lock = library.RLock()
    return acquired(lock, kill(begun(library, hold, lock)))


def with_a_permit(library: Library) -> str:
    """Kill who holds the only permit of a semaphore."""
    semaphore = library.BoundedSemaphore(1)
    return acquired(semaphore, kill(begun(library, hold, semaphore)))


def with_a_managers_lock(library: Library) -> str:
    """Kill a client that holds a manager's lock."""
    with library.Manager() as manager:
        lock = manager.Lock()
        return acquired(lock, kill(begun(library, hold, lock)))


def as_the_manager(library: Library) -> str:
    """Kill the manager itself."""
    manager = library.Manager()
    table = manager.dict(key="value")
    server = getattr(manager, "_process", None)
    if server is None:
        return "there is none"
    kill(server)
    return "goes on" if table["key"] == "value" else "is empty"


def in_a_condition(library: Library) -> str:
    """Kill one of two who wait for a condition, and notify both."""
    condition, woken = library.Condition(), library.Semaphore(0)
    victim, other = (asleep(begun(library, wait_for, condition, woken)) for _ in range(2))
    kill(victim)
    with condition:
        condition.notify_all()
    went_on = woken.acquire(timeout=PATIENCE_S)
    kill(other)
    return "the others are woken" if went_on else HANGS


def wait_for(condition: Any, woken: Any, ready: Any) -> None:
    """Wait for the condition."""
    with condition:
        ready.release()
        condition.wait()
    woken.release()


def in_a_barrier(library: Library) -> str:
    """Kill who waits in a barrier of three, and let three others come."""
    barrier, passed = library.Barrier(3), library.Semaphore(0)
    kill(asleep(begun(library, arrive, barrier, passed)))
    others = [begun(library, arrive, barrier, passed) for _ in range(3)]
    until = time.monotonic() + PATIENCE_S
    count = sum(passed.acquire(timeout=max(0.0, until - time.monotonic())) for _ in others)
    for other in others:
        kill(other)
    return "the next three pass" if count == 3 else f"{count} of the next three pass"


def arrive(barrier: Any, passed: Any, ready: Any) -> None:
    """Wait in the barrier."""
    ready.release()
    barrier.wait()
    passed.release()


def in_put(library: Library) -> str:
    """Kill who puts large messages, at any moment, and let another one put."""
    queue = library.large_queue()
    victim = begun(library, put_for_ever, queue)
    over = time.monotonic() + random.uniform(0.005, 0.05)
    while time.monotonic() < over:
        whole(queue.get(timeout=PATIENCE_S))
    kill(victim)
    return goes_on(library, queue)


def in_get(library: Library) -> str:
    """Kill who gets large messages, at any moment, and get oneself."""
    queue = library.large_queue()
    producer = begun(library, put_for_ever, queue)
    victim = begun(library, get_for_ever, queue)
    time.sleep(random.uniform(0.005, 0.05))
    kill(victim)
    whole(queue.get(timeout=PATIENCE_S))
    kill(producer)
    return "goes on"


def waiting_in_get(library: Library) -> str:
    """Kill who waits for a message, and get oneself."""
    queue = library.large_queue()
    kill(asleep(begun(library, get_for_ever, queue)))
    return goes_on(library, queue)


def goes_on(library: Library, queue: Any) -> str:
    """Let a new process put, and look whether what it puts comes."""
    heir = begun(library, put_the_last, queue)
    while (message := queue.get(timeout=PATIENCE_S)) != LAST:
        whole(message)
    kill(heir)
    return "goes on"


def whole(message: bytes) -> None:
    """See that all of it is what was put."""
    assert len(message) == LARGE
    assert message == message[:1] * LARGE


def put_for_ever(queue: Any, ready: Any) -> None:
    """Put large messages."""
    message = b"m" * LARGE
    ready.release()
    while True:
        queue.put(message)


def get_for_ever(queue: Any, ready: Any) -> None:
    """Get large messages."""
    ready.release()
    while True:
        whole(queue.get())


def put_the_last(queue: Any, ready: Any) -> None:
    """Put one small message, and stay.

    A process that ends at once could take along what it has not sent yet.
    """
    ready.release()
    queue.put(LAST)
    threading.Event().wait()


@dataclass(frozen=True)
class Case:
    """A way to lose a process."""

    bereave: Callable[[Library], str]
    #: How often it is tried: what depends on the moment is tried at several.
    tries: int = 1
    needs: str = "Lock"


CASES = {
    "holding a Lock": Case(with_a_lock),
    "holding a Lock that is waited for": Case(with_a_lock_that_is_waited_for),
    "holding an RLock": Case(with_an_rlock),
    "holding a Semaphore's permit": Case(with_a_permit),
    "waiting for a Condition": Case(in_a_condition),
    "waiting in a Barrier": Case(in_a_barrier),
    "holding a manager's Lock": Case(with_a_managers_lock),
    "being the manager": Case(as_the_manager),
    "waiting in a queue's get": Case(waiting_in_get, needs="large_queue"),
    "at any moment of a queue's put": Case(in_put, tries=20, needs="large_queue"),
    "at any moment of a queue's get": Case(in_get, tries=20, needs="large_queue"),
}


def ours() -> Library:
    """Our `multiprocessing`."""
    return of_module(importlib.import_module("anyplace.multiprocessing"))


def standard() -> Library:
    """The standard library's."""
    return of_module(multiprocessing.get_context("fork"))


def of_module(module: Any) -> Library:
    """Take what there is by its usual names."""
    kinds = ["Barrier", "BoundedSemaphore", "Condition", "Lock", "Manager", "Process", "RLock", "Semaphore"]
    return SimpleNamespace(
        large_queue=lambda: module.Queue(ROOM), **{kind: getattr(module, kind) for kind in kinds}
    )


def faster_fifo() -> Library:
    """faster-fifo's queue, between processes of the standard library."""
    from faster_fifo import Queue

    theirs = multiprocessing.get_context("fork")
    return SimpleNamespace(
        large_queue=lambda: Queue(max_size_bytes=2 * ROOM * LARGE),
        Process=theirs.Process,
        Semaphore=theirs.Semaphore,
    )


#: THE libraries, in the order of the table.
LIBRARIES: dict[str, Callable[[], Library]] = {
    "multiprocessing": standard,
    "faster-fifo": faster_fifo,
    "anyplace": ours,
}
