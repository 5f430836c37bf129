"""Layers act on each item of a map, and on each submitted call."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

import pytest

import anyplace
from functions import hang, square, succeed_at

#: Places that run plain functions, each with a way of its own to carry them.
CARRIERS = ["inline:", "threads:2", "processes:2"]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_each_item_of_a_map_is_tried_again(carrier: str, tmp_path: Path) -> None:
    with anyplace.open(f"retry=3::{carrier}") as place:
        notes = [tmp_path / str(number) for number in range(4)]
        assert list(place.map(partial(succeed_at, 3), map(str, notes))) == [3] * 4
    assert [note.read_text() for note in notes] == ["xxx"] * 4


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_last_attempts_exception_is_the_items(carrier: str, tmp_path: Path) -> None:
    with anyplace.open(f"retry=2::{carrier}") as place:
        results = place.map(partial(succeed_at, 9), [str(tmp_path / "7")])
        with pytest.raises(ValueError, match="attempt 2"):
            next(results)
    assert (tmp_path / "7").read_text() == "xx"


def test_an_item_past_its_time_is_killed_and_the_others_are_not() -> None:
    with anyplace.open("timeout=500ms::processes:2") as place:
        place.submit(square, 0).result()
        late = place.submit(hang, None)
        assert list(place.map(square, range(20))) == [number * number for number in range(20)]
        with pytest.raises(anyplace.Timeout, match="500ms") as caught:
            late.result()
        assert isinstance(caught.value, TimeoutError)


def test_a_map_over_endless_inputs_stays_behind_its_limit() -> None:
    with anyplace.open("limit=1::threads:4") as place:
        firsts = itertools.islice(place.map(square, itertools.count()), 50)
        assert list(firsts) == [number * number for number in range(50)]


def test_an_order_that_would_not_do_what_it_says_is_refused() -> None:
    with pytest.raises(anyplace.ConfigInvalid, match="all attempts together") as caught:
        anyplace.open("timeout=1s::retry=3::threads:2")
    assert "retry::timeout" in str(caught.value.help)
