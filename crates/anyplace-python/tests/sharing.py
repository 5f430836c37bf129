"""Functions that use what a place shares, in whichever process they run."""

from __future__ import annotations

from typing import Any

import anyplace
from anyplace import share
from door import hold


def add_slowly(lock: share.Lock, total: share.Counter, times: int) -> None:
    """Add 1 so many times, in two steps that the lock keeps together."""
    for _ in range(times):
        with lock:
            now = total.value
            total.value = now + 1


def get_lock(lock: share.Lock, had: share.Event) -> bool:
    """Take the lock once, and say whether it was abandoned."""
    with lock:
        had.set()
        return lock.abandoned


def hold_lock(lock: share.Lock, door: str) -> None:
    """Take the lock, knock, and keep it until the door is opened."""
    with lock:
        hold(door)


def hold_then_get(one: share.Lock, other: share.Lock, door: str) -> None:
    """Take one lock, knock, and take the other when the door is opened."""
    with one:
        hold(door)
        with other:
            pass


def hold_permits(seats: share.Semaphore, count: int, door: str) -> None:
    """Take so many permits, knock, and keep them until the door is opened."""
    for _ in range(count):
        seats.acquire()
    hold(door)


def produce(letters: share.Queue[tuple[int, int]], producer: int, count: int) -> None:
    """Put its number with 0, 1, 2 and so on."""
    for number in range(count):
        letters.put((producer, number))


def hold_at_queue(letters: share.Queue[bytes], door: str) -> None:
    """Knock, and then put and get until it is killed."""
    hold(door)
    while True:
        for length in (10, 5000, 10):
            letters.put(bytes([7]) * length)
        letters.get()


def add_to_both(whole: share.Counter, real: share.Value[float], times: int) -> None:
    """Add 1 and a half so many times."""
    for _ in range(times):
        whole.add(1)
        real.add(0.5)


def exchange(first: share.Value[int], number: int) -> bool:
    """Put its number in the place of -1, and say whether it was the first."""
    return first.compare_exchange(-1, number)


def answer(end: share.Pipe, times: int) -> None:
    """Answer so many times."""
    for _ in range(times):
        end.send(end.recv() + "!")


def hold_end(end: share.Pipe, door: str) -> None:
    """Send something, knock, and keep its end until the door is opened."""
    end.send(7)
    hold(door)


def count_up(counts: share.Dict[int, int], lock: share.Lock, keys: int) -> None:
    """Add 1 to what each of the first keys stands for."""
    for key in range(keys):
        with lock:
            counts[key] = counts.get(key, 0) + 1


def fill(squares: share.Array, at: int) -> None:
    """Write the square of its number."""
    squares[at] = at * at


def use_all(shared: dict[str, Any]) -> None:
    """Use an object of each kind."""
    shared["lock"].acquire()
    with shared["rlock"], shared["condition"]:
        shared["condition"].notify_all()
    shared["semaphore"].acquire()
    shared["event"].set()
    shared["barrier"].wait()
    shared["value"].add(0.5)
    shared["queue"].put("it was here")
    shared["dict"]["here"] = True
    shared["array"][0] = 1.0


def offer_at(endpoint: str, door: str) -> None:
    """Offer a place of processes until the door is opened."""
    with anyplace.open("processes:1") as place, place.offer(endpoint):
        hold(door)
