"""What a place shares: by which names, how it travels, and how it ends."""

from __future__ import annotations

import pickle
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

import anyplace
from anyplace import share
from door import PATIENCE

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


def test_what_is_shared_travels_in_arguments(beside: anyplace.Place) -> None:
    lock, hits, seen = beside.lock(), beside.counter(), beside.queue()

    def hit(lock: share.Lock, hits: share.Counter, seen: share.Queue[int], n: int) -> None:
        with lock:
            hits.value = hits.value + n
        seen.put(n)

    futures = [beside.submit(hit, lock, hits, seen, n) for n in range(50)]
    for future in futures:
        future.result(PATIENCE)
    assert hits.value == sum(range(50))
    assert sorted(seen.get_many(100)) == [*range(50)]


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
    thread.join(PATIENCE)
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
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


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
