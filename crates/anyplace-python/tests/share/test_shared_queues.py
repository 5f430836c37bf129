"""Queues and pipes of a place."""

from __future__ import annotations

import queue

import pytest

import anyplace
from anyplace import share
from door import PATIENCE


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
    assert taking.result(PATIENCE) == [*range(5)]
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
    assert sum(one.result(PATIENCE) for one in working) == 20
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
    assert ours.poll(PATIENCE)
    assert ours.recv_bytes() == b"bytes"
    talking.result(PATIENCE)
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
