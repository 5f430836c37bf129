"""Events, barriers and conditions of a place."""

from __future__ import annotations

import threading

import pytest

import anyplace
from anyplace import share
from door import PATIENCE


def test_an_event_wakes_all_who_wait(beside: anyplace.Place) -> None:
    go = beside.event("go")
    waiting = [beside.submit(beside.event("go").wait, PATIENCE) for _ in range(2)]
    assert not go.wait(0.01)
    go.set()
    assert [future.result(PATIENCE) for future in waiting] == [True, True]
    go.clear()
    assert not go.is_set()


def test_a_barrier_lets_all_go_on_together(beside: anyplace.Place) -> None:
    start = beside.barrier("start", 3)
    others = [beside.submit(start.wait, PATIENCE) for _ in range(2)]
    numbers = {start.wait(PATIENCE), *(other.result(PATIENCE) for other in others)}
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
        assert changed.wait_for(lambda: state.value == 4, PATIENCE)
        assert not changed.wait(0.01)
    change_it.result(PATIENCE)
    with pytest.raises(anyplace.NotHeld):
        changed.notify()
    with pytest.raises(anyplace.NotHeld):
        changed.wait()
