"""What every place promises of maps."""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyplace
from functions import draw, draw_numpy, note, square
from gate import Gate


def test_several_iterables_end_with_the_shortest(place: anyplace.Place) -> None:
    assert list(place.map(pow, [2, 3, 4], itertools.repeat(2), range(10, 99))) == [
        pow(base, 2, modulus) for base, modulus in zip([2, 3, 4], range(10, 99), strict=False)
    ]
    assert list(place.map(square)) == []


def test_starmap_spreads_each_item(place: anyplace.Place) -> None:
    assert list(place.starmap(pow, [(2, 5), (3, 2)])) == [32, 9]


def test_a_chunk_has_an_item_or_more(place: anyplace.Place) -> None:
    with pytest.raises(ValueError, match="chunksize"):
        place.map(square, [1], chunksize=0)


def test_what_the_inputs_raise_comes_after_the_results_before(place: anyplace.Place) -> None:
    def inputs() -> Iterator[int]:
        yield 3
        raise KeyError("inputs")

    results = place.map(square, inputs())
    assert next(results) == 9
    with pytest.raises(KeyError, match="inputs"):
        next(results)
    assert list(results) == []


def test_a_buffer_bounds_what_is_ahead(threads: anyplace.Place) -> None:
    taken: list[int] = []
    results = threads.map(square, (taken.append(number) or number for number in range(50)), buffersize=2)
    assert len(taken) == 2
    assert next(results) == 0
    assert next(results) == 1
    assert len(taken) <= 4


def test_short_items_of_a_list_are_ahead_by_more_than_a_few(tmp_path: Path) -> None:
    """Of inputs that may not end, two items for the worker and one more would be."""
    notes = tmp_path / "notes"

    def is_far_ahead_of(taken: int) -> bool:
        until = time.monotonic() + 0.1
        while notes.stat().st_size <= taken + 3 and time.monotonic() < until:
            pass
        return notes.stat().st_size > taken + 3

    with anyplace.open("processes:1") as place:
        results = place.map(note, [str(notes)] * 400, chunksize=1)
        assert any(is_far_ahead_of(taken) for taken, _ in enumerate(results, 1))


def test_a_map_starts_at_once(gate: Gate) -> None:
    with anyplace.open("threads:1") as place:
        results = place.map(lambda gate: gate(), [gate])
        assert gate.begun.wait(60)
        gate.open.set()
        assert list(results) == ["passed"]


def test_closing_the_iterator_cancels_what_has_not_begun(gate: Gate) -> None:
    ran: list[int] = []
    with anyplace.open("threads:1") as place:
        blocked = place.submit(gate)
        assert gate.begun.wait(60)
        place.map(ran.append, range(5)).close()
        dropped = place.map(ran.append, range(5))
        del dropped
        gc.collect()
        gate.open.set()
        assert blocked.result(60) == "passed"
    assert ran == []


def test_a_map_has_so_much_time_and_no_more(threads: anyplace.Place, gate: Gate) -> None:
    results = threads.map(lambda gate: gate(), [gate], timeout=0.01)
    with pytest.raises(TimeoutError) as caught:
        next(results)
    assert isinstance(caught.value, anyplace.Timeout)


def test_numpy_draws_by_the_same_seeds() -> None:
    drawn = set()
    for address in ["inline:", "threads:2", "processes:2"]:
        with anyplace.open(address, seed=11) as place:
            drawn.add(tuple(place.map(draw_numpy, range(3))))
    assert len(drawn) == 1


def test_one_task_has_one_generator(threads: anyplace.Place) -> None:
    first, second = threads.submit(lambda: (draw(0), draw(0))).result(60)
    assert first != second


def test_threads_take_turns_at_an_iterator_of_results(place: anyplace.Place) -> None:
    results = place.map(square, range(2000), chunksize=1)
    taken: list[int] = []
    takers = [threading.Thread(target=lambda: taken.extend(results)) for _ in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert sorted(taken) == [number * number for number in range(2000)]


def test_closing_the_iterator_ends_another_threads_wait(threads: anyplace.Place, gate: Gate) -> None:
    asked = threading.Event()
    results = threads.map(lambda gate: gate(), [gate])
    assert gate.begun.wait(60)

    def take() -> list[str]:
        asked.set()
        return list(results)

    taken: list[list[str]] = []
    taker = threading.Thread(target=lambda: taken.append(take()))
    taker.start()
    assert asked.wait(60)
    results.close()
    taker.join(60)
    assert taken == [[]]


def test_inputs_that_take_the_maps_own_results_are_told_that_they_cannot() -> None:
    def inputs() -> Iterator[int]:
        yield 1
        yield next(results)

    with anyplace.open("inline:") as place:
        results = place.map(square, inputs(), chunksize=1)
        assert next(results) == 1
        with pytest.raises(ValueError, match="its results"):
            next(results)
