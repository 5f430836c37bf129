"""Fork in user code: what a child has of its parent's places and tasks is a copy, and does no harm."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import anyplace
from functions import square

Script = Callable[[str], "subprocess.CompletedProcess[str]"]

CHILD_USES_FUTURES = """
import anyplace, os, time

place = anyplace.open("processes:2")
futures = [place.submit(time.sleep, 0.001) for _ in range(200)]
values = place.map(abs, range(-500, 0), chunksize=10)
next(values)
child = os.fork()
if child == 0:
    told = 0
    for use in (anyplace.Future.done, anyplace.Future.running, anyplace.Future.cancel):
        for future in futures:
            use(future)
    for future in futures:
        try:
            future.result(10)
        except anyplace.PlaceClosed as error:
            told += "before a fork" in str(error)
    try:
        list(values)
    except anyplace.PlaceClosed as error:
        told += "before a fork" in str(error)
    place.close()
    os._exit(0 if told else 1)
assert [future.result(10) for future in futures] == [None] * 200
assert list(values) == [abs(number) for number in range(-499, 0)]
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
place.close()
print("unharmed")
"""


def test_a_child_that_uses_its_parents_futures_is_told_and_takes_nothing(script: Script) -> None:
    done = script(CHILD_USES_FUTURES)
    assert (done.stdout, done.stderr) == ("unharmed\n", "")


def fork_and_return(number: int) -> tuple[int, bool]:
    """The child comes back from the task as if it were the worker."""
    parent = os.getpid()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return number, os.getpid() == parent


def test_a_child_that_comes_back_from_a_task_ends_there() -> None:
    with anyplace.open("processes:1") as place:
        assert place.submit(fork_and_return, 1).result(30) == (1, True)
        assert [place.submit(square, number).result(30) for number in range(20)] == [
            number * number for number in range(20)
        ]


def test_a_child_that_comes_back_from_an_item_ends_there() -> None:
    """Whatever the child would write lies where its parent writes."""
    with anyplace.open("processes:1") as place:
        told = list(place.map(fork_and_return, range(30), chunksize=10))
    assert told == [(number, True) for number in range(30)]
