"""Large arrays travel beside their pickles, and values that are put into a place stay there."""

from __future__ import annotations

import gc
import pickle
import threading
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

import anyplace

#: More than what travels inside a pickle.
LARGE = 100_000


@pytest.fixture(scope="module")
def processes() -> Iterator[anyplace.Place]:
    with anyplace.open("processes:2") as place:
        yield place


def first(values: list[int]) -> int:
    return values[0]


def double(array: np.ndarray) -> np.ndarray:
    array *= 2
    return array


def double_at_last(array: np.ndarray) -> np.ndarray:
    double(array)
    assert anyplace.current().attempt == 3
    return array


def total(stored: anyplace.Stored[np.ndarray]) -> float:
    return float(stored.get().sum())


def is_writable(array: np.ndarray) -> bool:
    return array.flags.writeable


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_arrive_as_they_were_sent(processes: anyplace.Place, order: str) -> None:
    """In shape, layout and content, through arguments and results, large and small."""
    for shape in [(3, 2), (LARGE // 100, 100)]:
        array = np.asarray(np.arange(shape[0] * shape[1]).reshape(shape), order=order)
        back = processes.submit(np.negative, array).result()
        assert np.array_equal(back, -array)
        assert back.flags.f_contiguous == array.flags.f_contiguous


def test_arrays_travel_in_any_company(processes: anyplace.Place) -> None:
    """Several at once, inside of other values, with keywords, views with gaps, and as items of a map."""
    many = {"a": [np.full(LARGE, 1.0), "text"], "b": np.full(LARGE, 2.0)[::2]}
    back = processes.submit(dict, many, c=np.full(LARGE, 3.0)).result()
    assert [back["a"][0][-1], back["a"][1], back["b"][-1], back["c"][-1]] == [1.0, "text", 2.0, 3.0]
    items = (np.full(LARGE, number) for number in range(6))
    assert [int(array[-1]) for array in processes.map(double, items, chunksize=2)] == [0, 2, 4, 6, 8, 10]


def test_a_task_may_write_into_its_arguments_and_the_caller_does_not_see_it(
    processes: anyplace.Place,
) -> None:
    """Arguments are the task's own, results the caller's."""
    array = np.ones(LARGE)
    back = processes.submit(double, array).result()
    assert (array[0], back[0]) == (1.0, 2.0)
    back[0] = 7.0
    assert back[0] == 7.0


def test_each_attempt_has_arguments_of_its_own() -> None:
    """What the attempt before has written into them is not seen."""
    with anyplace.open("retry=3::processes:1") as place:
        array = np.ones(LARGE)
        assert place.submit(double_at_last, array).result()[0] == 2.0
        assert [back[0] for back in place.map(double_at_last, [array] * 2)] == [2.0, 2.0]
        back = place.submit(double_at_last, array=array).result()
        assert back[0] == 2.0


def test_what_is_read_only_stays_read_only(processes: anyplace.Place) -> None:
    """An array that nobody may write here may not be written there."""
    array = np.ones(LARGE)
    assert processes.submit(is_writable, array).result()
    array.flags.writeable = False
    assert not processes.submit(is_writable, array).result()


def test_bytes_and_bytearrays_of_any_length_travel(processes: anyplace.Place) -> None:
    for length in [0, 1, 40, 5_000, 40_000, 3_000_000]:
        for value in [b"x" * length, bytearray(length), "y" * length]:
            back = processes.submit(first, [value]).result()
            assert (type(back), back) == (type(value), value)
            assert list(processes.map(first, [[value], [value]], chunksize=2)) == [value, value]


def test_a_stored_value_is_used_by_any_task(place: anyplace.Place) -> None:
    """On every kind of place, alone, inside of other values, and as the item of a map."""
    stored = place.put(np.arange(float(LARGE)))
    expected = LARGE * (LARGE - 1) / 2
    assert place.submit(total, stored).result() == expected
    assert list(place.map(total, [stored] * 3)) == [expected] * 3
    assert place.submit(first, [stored]).result().get()[-1] == LARGE - 1
    assert stored.get()[-1] == LARGE - 1


def test_a_stored_value_is_read_only_unless_it_is_asked_for(processes: anyplace.Place) -> None:
    stored = processes.put({"weights": np.zeros(LARGE)})
    with pytest.raises(ValueError, match="read-only"):
        stored.get()["weights"][0] = 1.0
    stored.get(writable=True)["weights"][0] = 1.0
    assert stored.get()["weights"][0] == 1.0


def test_what_has_no_arrays_can_be_stored_too(place: anyplace.Place) -> None:
    for value in [None, 7, "text", {"a": [1, 2]}, list(range(LARGE)), lambda: 5]:
        stored = place.put(value)
        back = place.submit(anyplace.Stored.get, stored).result()
        assert back() == value() if callable(value) else back == value


def test_a_stored_value_works_in_other_places_and_in_files(processes: anyplace.Place) -> None:
    """There it is a copy."""
    stored = processes.put(np.ones(LARGE))
    with anyplace.open("processes:1") as other:
        assert other.submit(total, stored).result() == LARGE
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert total(pickle.loads(pickle.dumps(stored, protocol))) == LARGE


def test_where_tasks_run_here_a_stored_value_is_the_object_itself() -> None:
    value = [1]
    with anyplace.open("threads:1") as place:
        assert place.put(value).get() is value


def test_an_array_outlives_its_stored_value_and_its_place() -> None:
    """What somebody still looks at stays where it is."""
    with anyplace.open("processes:1") as place:
        stored = place.put(np.arange(LARGE))
        array, result = stored.get(), place.submit(np.arange, LARGE).result()
        gone = weakref.ref(stored)
        del stored
        gc.collect()
        assert gone() is None
        assert place.submit(abs, -1).result() == 1
    assert array[-1] == result[-1] == LARGE - 1


def test_what_cannot_travel_cannot_be_put(processes: anyplace.Place) -> None:
    with pytest.raises(anyplace.NotSerializable, match=r"`value\['lock'\]`"):
        processes.put({"lock": threading.Lock()})


def test_places_make_stored_values_and_nobody_else() -> None:
    with pytest.raises(TypeError, match=r"Place\.put"):
        anyplace.Stored()
