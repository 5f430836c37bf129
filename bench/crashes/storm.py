"""Kills workers at random while several threads submit and map, and accounts for every task.

`python storm.py --seconds 60` prints what happened. It ends with an error if a task did not end exactly once,
if one was lost that no killed worker ran, or if anything is left: a process, a thread, a descriptor, memory.
"""

from __future__ import annotations

import argparse
import collections
import gc
import json
import os
import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyplace
from program import descendants, watched

#: How long anything may take after the storm; only a hang takes so long.
PATIENCE_S = 60.0
WORKERS = 4
#: Tasks that are in flight in one thread.
BATCH = 200
#: Bytes of a large argument and result: far more than a task's own message holds.
LARGE = 300_000

Answer = tuple[int, Any]


def square(number: int) -> Answer:
    """Tell who worked, too: that one is a target."""
    return os.getpid(), number * number


def turned(data: bytes) -> Answer:
    """Give as much back as was given."""
    return os.getpid(), data[::-1]


class Storm:
    """A place under fire, and the accounts."""

    def __init__(self, place: anyplace.Place, chance: random.Random) -> None:
        self.place = place
        self.chance = chance
        self.over = threading.Event()
        self.accounts: collections.Counter[str] = collections.Counter()
        self.workers: collections.deque[int] = collections.deque(maxlen=WORKERS * 4)
        self.lock = threading.Lock()
        self.errors: list[BaseException] = []

    def blow(self, seconds: float) -> None:
        """Let everything happen at once, for so long."""
        work = [self.submit_small, self.submit_small, self.submit_large, self.map, self.kill]
        threads = [threading.Thread(target=self.repeat, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        self.over.wait(seconds)
        self.over.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a thread waits for what does not come"
        if self.errors:
            raise self.errors[0]

    def repeat(self, work: Callable[[random.Random], None]) -> None:
        """Work until the storm is over; the first error ends it for all."""
        chance = random.Random(self.chance.random())
        try:
            while not self.over.is_set():
                work(chance)
        except BaseException as error:
            self.errors.append(error)
            self.over.set()

    def submit_small(self, chance: random.Random) -> None:
        """Submit a batch, cancel a few, and see to each."""
        numbers = [chance.randrange(1 << 30) for _ in range(BATCH)]
        futures = [self.place.submit(square, number) for number in numbers]
        heard: queue.SimpleQueue[Future[Answer]] = queue.SimpleQueue()
        for future in futures[::4]:
            future.add_done_callback(heard.put)
        cancelled = {index for index in range(0, BATCH, 50) if futures[-index - 1].cancel()}
        for index, (number, future) in enumerate(zip(numbers, futures, strict=True)):
            self.settle(future, number * number, BATCH - index - 1 in cancelled)
        # A caller may have the result before callbacks are called, but every one is called, once.
        assert {heard.get(timeout=PATIENCE_S) for _ in futures[::4]} == set(futures[::4])
        assert heard.empty()

    def submit_large(self, chance: random.Random) -> None:
        """Submit a few tasks whose data travel beside them."""
        data = [chance.randbytes(LARGE) for _ in range(4)]
        futures = [self.place.submit(turned, each) for each in data]
        for each, future in zip(data, futures, strict=True):
            self.settle(future, each[::-1], False)

    def settle(self, future: Future[Answer], expected: Any, is_cancelled: bool) -> None:
        """Account for one future."""
        try:
            worker, value = future.result(PATIENCE_S)
        except CancelledError:
            assert is_cancelled, "nobody cancelled it"
            self.count("cancelled")
        except anyplace.WorkerLost as error:
            self.lost(error)
        else:
            assert value == expected
            assert not is_cancelled, "it was cancelled, and ran"
            self.workers.append(worker)
            self.count("returned")

    def map(self, chance: random.Random) -> None:
        """Map many items; each of them returns or is lost on its own."""
        count = chance.randrange(1, 3000)
        results = self.place.map(square, range(count))
        seen = 0
        while True:
            try:
                worker, value = next(results)
            except StopIteration:
                break
            except anyplace.WorkerLost as error:
                self.lost(error)
            else:
                assert value == seen * seen
                self.workers.append(worker)
                self.count("returned")
            seen += 1
        assert seen == count, f"{seen} items of {count} ended"

    def lost(self, error: anyplace.WorkerLost) -> None:
        """Account for a task that a killed worker ran."""
        assert error.exit == -signal.SIGKILL, f"{error} ({error.exit})"
        assert "SIGKILL" in str(error)
        self.count("lost")

    def kill(self, chance: random.Random) -> None:
        """Kill a worker that has worked."""
        self.over.wait(chance.uniform(0.002, 0.03))
        if not self.workers:
            return
        worker = chance.choice(list(self.workers))
        # Its number may be another's by now; what is held and then seen to be ours stays what it is.
        with watched([worker]) as found, suppress(ProcessLookupError):
            if found and worker in descendants(os.getpid()):
                signal.pidfd_send_signal(found[0], signal.SIGKILL)
                self.count("killed")

    def count(self, what: str) -> None:
        """Count it; threads share the accounts."""
        with self.lock:
            self.accounts[what] += 1


def held() -> dict[str, int]:
    """Count what this process holds."""
    gc.collect()
    return {
        "processes": len(descendants(os.getpid())),
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "shared memory": sum("memfd:" in line for line in lines(Path("/proc/self/maps"))),
    }


def lines(path: Path) -> Iterator[str]:
    """Read a file of /proc."""
    yield from path.read_text().splitlines()


def main() -> None:
    """Raise the storm, and look at what is left."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr, flush=True)
    with anyplace.open(f"processes:{WORKERS}") as place:  # so that what is made once is there
        place.submit(square, 1).result(PATIENCE_S)
    before = held()
    with anyplace.open(f"processes:{WORKERS}") as place:
        storm = Storm(place, random.Random(options.seed))
        storm.blow(options.seconds)
        assert list(place.map(abs, range(100))) == list(range(100)), "the place goes on"
    accounts = dict(storm.accounts)
    print(json.dumps(accounts))
    assert accounts["lost"] <= accounts["killed"], "a killed worker costs one task"
    until = time.monotonic() + PATIENCE_S
    while (after := held()) != before and any(after[what] > before[what] for what in before):
        assert time.monotonic() < until, f"{after} after, {before} before"
        time.sleep(0.01)


if __name__ == "__main__":
    main()
