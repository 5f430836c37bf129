"""What every place promises that keeps objects, by the names that the Rust tests show it by."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import anyplace
from door import PATIENCE
from test_behaviours import ADDRESSES, ENDPOINTS, names_in_rust, opened
from test_behaviours_share import until


@pytest.fixture(params=ADDRESSES + ENDPOINTS)
def address(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(address: str, request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place that nobody else uses."""
    yield from opened(address, request)


@anyplace.expose
class Thing:
    """An object that does a bit of everything."""

    def __init__(self, total: int = 0) -> None:
        self._total = total
        self._made = 0
        self._next: anyplace.Proxy | None = None

    @property
    def total(self) -> int:
        return self._total

    @total.setter
    def total(self, total: int) -> None:
        self._total = total

    @property
    def made(self) -> int:
        return self._made

    def add(self, number: int) -> int:
        self._total += number
        return self._total

    def echo(self, text: str) -> str:
        return text

    def fail(self, text: str) -> None:
        raise ValueError(text)

    def count(self, to: int | None) -> Iterator[int]:
        for number in itertools.count() if to is None else range(to):
            self._made += 1
            yield number

    def join(self, following: anyplace.Proxy) -> None:
        self._next = following

    def forward(self, hops: int) -> int:
        if hops == 0:
            return 1
        assert self._next is not None
        forwarded: int = self._next.forward(hops - 1)
        return forwarded + 1


def published(place: anyplace.Place, name: str = "thing") -> anyplace.Proxy:
    """An object, as others find it."""
    place.publish(name, Thing())
    return place.find(name)


def test_a_published_object_is_found_and_called(place: anyplace.Place) -> None:
    place.publish("thing", Thing())
    found, again = place.find("thing"), place.find("thing")
    assert "Thing" in repr(found)
    assert found.add(2) == 2
    assert again.add(3) == 5, "it is one object"


def test_names_are_told_in_their_order(place: anyplace.Place) -> None:
    assert place.names() == []
    for name in ["venus", "mars", "earth"]:
        place.publish(name, Thing())
    assert place.names() == ["earth", "mars", "venus"]
    mars = place.find("mars")
    assert place.unpublish("mars")
    assert not place.unpublish("mars"), "it is gone"
    assert place.names() == ["earth", "venus"]
    assert mars.add(1) == 1, "who has found it goes on to use it"


def test_a_name_that_is_taken_is_refused_with_help(place: anyplace.Place) -> None:
    place.publish("thing", Thing(7))
    for name in ["thing", ""]:
        with pytest.raises(anyplace.Error) as refused:
            place.publish(name, Thing())
        assert refused.value.help
    assert place.find("thing").add(0) == 7


def test_a_name_that_nobody_has_is_told_with_the_nearest(place: anyplace.Place) -> None:
    place.publish("greeter", Thing())
    with pytest.raises(anyplace.Error, match="greter") as near:
        place.find("greter")
    assert "greeter" in (near.value.help or "")
    with pytest.raises(anyplace.Error, match="xyzzy") as far:
        place.find("xyzzy")
    assert far.value.help
    assert "greeter" not in far.value.help


def test_an_object_that_is_created_is_called_by_its_proxy(place: anyplace.Place) -> None:
    """Places of processes make it there: Python's classes travel."""
    one, other = place.create(Thing), place.create(Thing, 10)
    assert one.add(1) == 1
    assert other.add(1) == 11
    assert one.add(1) == 2
    assert one != other
    assert place.names() == [], "it has no name"


def test_attributes_are_read_and_set_where_the_object_is(place: anyplace.Place) -> None:
    thing = published(place)
    thing.total = 40
    assert thing.add(2) == 42
    assert place.find("thing").total == 42
    with pytest.raises(AttributeError, match="colour"):
        _ = thing.colour


def test_what_a_method_fails_with_is_told_to_its_caller(place: anyplace.Place) -> None:
    thing = published(place)
    with pytest.raises(ValueError, match="out of ink"):
        thing.fail("out of ink")
    with pytest.raises(AttributeError, match="sing"):
        thing.sing()
    assert thing.add(1) == 1


def test_values_that_come_one_by_one_are_made_as_they_are_taken(place: anyplace.Place) -> None:
    thing = published(place)
    assert list(thing.count(5)) == [0, 1, 2, 3, 4]
    assert list(itertools.islice(thing.count(None), 3000)) == list(range(3000))
    assert 3005 <= thing.made < 100_000


def test_a_call_may_come_back_to_its_caller(place: anyplace.Place) -> None:
    """Two objects pass a number to and fro."""
    ping, pong = published(place, "ping"), published(place, "pong")
    ping.join(pong)
    pong.join(ping)
    assert ping.forward(20) == 21


def test_a_call_without_waiting_gives_its_value_later(place: anyplace.Place) -> None:
    thing = published(place)
    assert thing.add.submit(5).result(PATIENCE) == 5
    thing.add.send(1)
    until(lambda: thing.total == 6)


def test_many_threads_share_a_proxy(place: anyplace.Place) -> None:
    thing = published(place)

    def echo(number: int) -> bool:
        return all(thing.echo(f"{number}/{n}") == f"{number}/{n}" for n in range(50))

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(echo, range(20), timeout=PATIENCE))


def test_a_closed_place_keeps_no_names(place: anyplace.Place) -> None:
    place.publish("thing", Thing())
    place.close()
    for refused in [lambda: place.find("thing"), place.names, lambda: place.publish("other", Thing())]:
        with pytest.raises(anyplace.PlaceClosed) as closed:
            refused()
        assert closed.value.help


def test_these_are_the_behaviours_of_the_engine() -> None:
    """No promise is shown in one language only."""
    ours = [name.removeprefix("test_") for name, test in globals().items() if name.startswith("test_")]
    ours.remove("these_are_the_behaviours_of_the_engine")
    assert ours == names_in_rust("serve")
