"""Values, arrays, dicts and namespaces of a place."""

from __future__ import annotations

import pytest

import anyplace
from anyplace import share
from door import PATIENCE


@pytest.mark.parametrize("first", [False, 5, 2.5])
def test_a_value_keeps_its_type(place: anyplace.Place, first: float) -> None:
    value = place.value("it", first)
    assert type(value.value) is type(first)
    assert value.value == first
    assert value.swap(type(first)(1)) == first
    assert not value.compare_exchange(first, first)
    assert value.compare_exchange(type(first)(1), first)
    with pytest.raises(TypeError):
        value.value = "text"  # type: ignore[assignment]


def test_counting_loses_nothing(beside: anyplace.Place) -> None:
    hits = beside.counter("hits")

    def count(hits: share.Counter) -> None:
        for _ in range(1000):
            hits.add()

    for future in [beside.submit(count, hits) for _ in range(4)]:
        future.result(PATIENCE)
    assert hits.value == 4000


def test_an_array_is_seen_by_all_where_it_is(beside: anyplace.Place) -> None:
    numpy = pytest.importorskip("numpy")
    sums = beside.array("sums", (2, 3), dtype="int32")

    def fill(sums: share.Array) -> None:
        numpy.asarray(sums)[1] = [1, 2, 3]

    beside.submit(fill, sums).result(PATIENCE)
    assert sums.numpy().tolist() == [[0, 0, 0], [1, 2, 3]]
    assert sums.numpy().dtype == numpy.int32
    sums[1, 2] = 7
    assert sums.tolist() == [[0, 0, 0], [1, 2, 7]]
    assert (sums.shape, len(sums)) == ((2, 3), 2)
    with pytest.raises(ValueError, match="numbers of"):
        beside.array("odd", 3, dtype="object")


def test_a_dict_has_the_methods_of_a_dict(place: anyplace.Place) -> None:
    ages = place.dict("ages")
    ages.update({"Ada": 36, ("Grace", 1): 85}, Alan=41)
    assert ages.items() == [("Ada", 36), (("Grace", 1), 85), ("Alan", 41)]
    assert (ages["Ada"], ages.get("Bob"), ages.get("Bob", 0), len(ages)) == (36, None, 0, 3)
    assert ages.setdefault("Ada", 1) == 36
    assert ages.pop("Ada") == 36
    assert ages.pop("Ada", None) is None
    assert ages.popitem() == ("Alan", 41)
    assert ("Grace", 1) in ages
    assert [*ages] == [("Grace", 1)]
    del ages["Grace", 1]
    assert ages == {}
    for missing in (lambda: ages["Ada"], lambda: ages.pop("Ada"), ages.popitem):
        with pytest.raises(KeyError):
            missing()
    with pytest.raises(TypeError, match="unhashable"):
        ages[[]] = 1


def test_equal_keys_are_one(place: anyplace.Place) -> None:
    values = place.dict()
    values[1] = "int"
    values[True], values[1.0] = "bool", "float"
    values["ab", "ab"] = "same"
    values["".join(["a", "b"]), "ab"] = "equal"
    values[frozenset({"x", "y", "z"})] = "set"
    assert values.values() == ["float", "equal", "set"]
    assert values[frozenset({"z", "y", "x"})] == "set"


def test_a_namespace_has_attributes(beside: anyplace.Place) -> None:
    settings = beside.namespace("settings")
    settings.depth, settings.name = 3, "x"

    def deepen(settings: share.Namespace) -> None:
        settings.depth += 1
        del settings.name

    beside.submit(deepen, settings).result(PATIENCE)
    assert repr(beside.namespace("settings")) == "Namespace(depth=4)"
    with pytest.raises(AttributeError):
        _ = settings.name
