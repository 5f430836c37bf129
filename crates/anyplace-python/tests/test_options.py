"""Wishes for each call, as a view of the same place."""

from __future__ import annotations

import gc
from functools import partial
from pathlib import Path

import pytest

import anyplace
from door import Notes
from functions import die, die_once, hang, square
from gate import Gate


def test_a_view_is_the_same_place(place: anyplace.Place) -> None:
    view = place.options(name="squares", idempotent=True)
    assert (type(view), view.address, view.seed) == (type(place), place.address, place.seed)
    assert view.submit(square, 3).result(60) == 9
    assert list(view.map(square, range(5))) == [0, 1, 4, 9, 16]
    view.close()
    assert place.closed


def test_a_view_keeps_the_place_open(gate: Gate) -> None:
    view = anyplace.open("threads:1").options(name="alone")
    gc.collect()
    assert not view.closed
    assert view.submit(square, 3).result(60) == 9
    view.close()


def test_what_takes_too_long_is_ended() -> None:
    with anyplace.open("processes:1") as place:
        timed = place.options(timeout=0.1)
        assert timed.layers == ("timeout",)
        for late in [lambda: timed.submit(hang, None).result(60), lambda: list(timed.map(hang, [None]))]:
            with pytest.raises(anyplace.Timeout, match="100ms"):
                late()
        assert place.layers == ()
        assert place.submit(square, 3).result(60) == 9


def test_a_crash_of_what_is_idempotent_is_tried_again(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    with anyplace.open("processes:1") as place:
        safe = place.options(idempotent=True)
        assert safe.submit(die_once, notes.path, 3).result(60) == 3
        with pytest.raises(anyplace.WorkerLost):
            place.submit(die).result(60)
    assert notes.count() == 2


def test_wishes_add_up_and_errors_tell_the_name() -> None:
    with anyplace.open("processes:1") as place:
        view = place.options(name="the last straw").options(timeout=60)
        with pytest.raises(anyplace.WorkerLost, match="`the last straw`"):
            view.submit(die).result(60)


def test_a_limit_around_all_attempts_is_refused_with_what_to_write() -> None:
    with anyplace.open("retry=3::threads:1") as place:
        with pytest.raises(anyplace.ConfigInvalid) as caught:
            place.options(timeout=5)
        assert "retry::timeout" in str(caught.value.help)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_limit_is_a_length_of_time(place: anyplace.Place, seconds: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        place.options(timeout=seconds)


def test_items_of_a_map_have_the_limit_each(tmp_path: Path) -> None:
    with anyplace.open("processes:2") as place:
        list(place.map(square, range(10)))
        results = place.options(timeout=30).map(partial(pow, 2), range(20))
        assert list(results) == [2**number for number in range(20)]
