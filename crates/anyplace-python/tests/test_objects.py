"""Objects that stay in a place and are called from elsewhere."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import anyplace
from door import PATIENCE

#: Places that keep objects: in this process, and in processes of their own.
KEEPING = ["inline:", "threads:2", "async:2", "processes:2"]


@pytest.fixture(params=KEEPING)
def keeping(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """Each kind of place that keeps objects."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture
def processes() -> Iterator[anyplace.Place]:
    """A place whose objects are in processes of their own."""
    with anyplace.open("processes:3") as place:
        yield place


class Odd(Exception):
    """An exception of these tests."""


class Thing:
    """An object that does a bit of everything."""

    def __init__(self, start: int = 0) -> None:
        self.total = start
        self.made = 0

    def add(self, *numbers: int, times: int = 1) -> int:
        self.total += sum(numbers) * times
        return self.total

    def pid(self) -> int:
        return os.getpid()

    def fail(self, text: str) -> None:
        raise Odd(text)

    def count(self, to: int) -> Iterator[int]:
        for number in range(to):
            self.made += 1
            yield number

    def stumble(self) -> Iterator[int]:
        yield 1
        raise Odd("after one")

    async def soon(self, value: str) -> str:
        await asyncio.sleep(0)
        return value

    async def slowly(self, to: int) -> AsyncIterator[int]:
        for number in range(to):
            await asyncio.sleep(0)
            yield number

    def call(self, other: anyplace.Proxy, method: str, *arguments: Any) -> Any:
        return getattr(other, method)(*arguments)

    def hold(self, path: str) -> str:
        """Say where others see it that it has begun, and wait until they take that away."""
        Path(path).touch()
        while os.path.exists(path):
            time.sleep(0.005)
        return "let go"

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _hidden(self) -> None: ...


class Link:
    """One of a ring."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.next: anyplace.Proxy | None = None

    def set_next(self, following: anyplace.Proxy) -> None:
        self.next = following

    def forward(self, message: str, laps: int) -> str:
        if laps == 0:
            return message
        assert self.next is not None
        return self.next.forward(f"{message}{self.name}", laps - 1)


class Turns:
    """Counts how many of its calls go on at once."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.lock = threading.Lock()

    def enter(self) -> int:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.002)
        with self.lock:
            self.inside -= 1
        return self.most


@anyplace.expose
class Greeter:
    """A class that is exposed as a whole."""

    def __init__(self, word: str = "hello") -> None:
        self.word = word

    def greet(self, name: str) -> str:
        return f"{self.word} {name}"

    @property
    def length(self) -> int:
        return len(self.word)


class Partly:
    """A class of which a part is exposed."""

    def __init__(self) -> None:
        self.secret = 1
        self._level = 2

    @anyplace.expose
    def open(self) -> str:
        return "open"

    def shut(self) -> str:
        return "shut"

    @anyplace.expose
    @property
    def level(self) -> int:
        return self._level

    @level.setter
    def level(self, level: int) -> None:
        self._level = level


def eventually(is_true: Callable[[], bool]) -> None:
    """Look again until something is true that another thread or process brings about."""
    until = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_methods_are_called_and_wait_for_what_they_return(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing, start=5)
    assert thing.add(1, 2) == 8
    assert thing.add(1, times=2) == 10
    assert repr(thing) == "<Proxy of Thing>"


def test_arguments_and_results_of_any_kind_travel(keeping: anyplace.Place) -> None:
    words = keeping.create(dict, one=[1, {2}])
    words.update({"two": (None, 2.5, b"x" * 100_000)})
    assert words.get("two")[2] == b"x" * 100_000
    assert words.get("one") == [1, {2}]


def test_attributes_are_read_and_set_where_the_object_is(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    thing.total = 7
    assert thing.total == 7
    assert thing.add(1) == 8
    with pytest.raises(AttributeError):
        _ = thing.nothing


def test_what_a_method_raises_is_raised_with_its_traceback(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    with pytest.raises(Odd, match="as asked") as caught:
        thing.fail("as asked")
    cause = caught.value.__cause__
    assert cause is None or "in fail" in str(cause)
    with pytest.raises(Odd):
        thing.fail.submit("again").result()


def test_making_an_object_that_fails_raises_what_it_raised(keeping: anyplace.Place) -> None:
    with pytest.raises(TypeError):
        keeping.create(Thing, nonsense=1)


def test_a_call_gives_a_future_if_asked_to(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    futures = [thing.add.submit(1) for _ in range(10)]
    assert sorted(future.result(PATIENCE) for future in futures) == list(range(1, 11))


def test_a_one_way_call_waits_for_nothing(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    thing.add.send(3)
    thing.fail.send("nobody hears of it")
    eventually(lambda: bool(thing.total == 3))


def test_async_methods_give_what_they_give_in_the_end(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    assert thing.soon("tea") == "tea"
    assert thing.soon.submit("tea").result(PATIENCE) == "tea"
    assert list(thing.slowly(5)) == list(range(5))


def test_generators_give_their_values_one_by_one(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    assert sum(thing.count(5000)) == sum(range(5000))
    assert list(thing.count.submit(3).result(PATIENCE)) == [0, 1, 2]
    stumbling = thing.stumble()
    assert next(stumbling) == 1
    with pytest.raises(Odd, match="after one"):
        next(stumbling)
    assert list(stumbling) == []


def test_the_values_of_generators_are_awaited(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)

    async def take() -> None:
        assert [value async for value in await thing.count.submit(3000)] == list(range(3000))
        # Two beside each other, and a loop that goes on meanwhile.
        counts = [await thing.count.submit(100) for _ in range(2)]
        both = [(await anext(counts[0]), await anext(counts[1])) for _ in range(100)]
        assert both == [(n, n) for n in range(100)]
        stumbling = await thing.stumble.submit()
        assert await anext(stumbling) == 1
        with pytest.raises(Odd, match="after one"):
            await anext(stumbling)
        assert [value async for value in stumbling] == []

    asyncio.run(asyncio.wait_for(take(), PATIENCE))


def test_a_generator_rests_while_nobody_takes_its_values(processes: anyplace.Place) -> None:
    thing = processes.create(Thing)
    values = thing.count(10_000_000)
    assert next(values) == 0
    eventually(lambda: thing.made >= 1)
    thing.add()
    ahead = thing.made
    assert ahead < 10_000
    assert [next(values) for _ in range(100)] == list(range(1, 101))
    assert thing.made <= ahead + 2048


def test_objects_of_processes_are_apart_from_the_caller_and_from_each_other(
    processes: anyplace.Place,
) -> None:
    things = [processes.create(Thing) for _ in range(3)]
    pids = {thing.pid() for thing in things}
    assert len(pids) == 3
    assert os.getpid() not in pids
    assert processes.create(Thing).pid() in pids


def test_three_processes_call_each_other_round_and_round(processes: anyplace.Place) -> None:
    links = [processes.create(Link, name) for name in "abc"]
    for link, following in zip(links, [*links[1:], links[0]], strict=True):
        link.set_next(following)
    assert links[0].forward("", 30) == "abc" * 10
    with ThreadPoolExecutor(8) as threads:
        laps = [threads.submit(links[n % 3].forward, "", 9) for n in range(60)]
        assert {lap.result(PATIENCE) for lap in laps} == {"abcabcabc", "bcabcabca", "cabcabcab"}


@pytest.mark.parametrize("address", ["threads:2", "processes:3"])
def test_a_ring_of_objects_that_take_one_call_at_a_time_does_not_wait_for_itself(address: str) -> None:
    with anyplace.open(address) as place:
        links = [place.create(Link, name, exclusive=True) for name in "abc"]
        for link, following in zip(links, [*links[1:], links[0]], strict=True):
            link.set_next(following)
        assert links[0].forward("", 9) == "abcabcabc"


@pytest.mark.parametrize("address", ["threads:2", "processes:2"])
def test_an_exclusive_object_takes_one_call_at_a_time(address: str) -> None:
    with anyplace.open(address) as place:
        alone, shared = place.create(Turns, exclusive=True), place.create(Turns)
        for turns in (alone, shared):
            futures = [turns.enter.submit() for _ in range(16)]
            assert all(future.result(PATIENCE) for future in futures)
        assert alone.most == 1
        assert shared.most > 1


def test_a_call_that_takes_long_does_not_hold_up_others(processes: anyplace.Place, tmp_path: Path) -> None:
    thing = processes.create(Thing)
    gates = [tmp_path / f"gate{number}" for number in range(20)]
    held = [thing.hold.submit(str(gate)) for gate in gates]
    eventually(lambda: all(gate.exists() for gate in gates))
    assert thing.add(1) == 1
    for gate in gates:
        gate.unlink()
    assert {future.result(PATIENCE) for future in held} == {"let go"}


@pytest.mark.parametrize("address", ["processes:1", "threads:2"])
def test_a_call_that_is_cancelled_before_it_begins_never_begins(address: str, tmp_path: Path) -> None:
    with anyplace.open(address) as place:
        thing = place.create(Thing, exclusive=True)
        gate = tmp_path / "held"
        held = thing.hold.submit(str(gate))
        eventually(gate.exists)
        waits = thing.add.submit(1)
        waits.cancel()
        with pytest.raises(anyplace.Cancelled):
            waits.result(PATIENCE)
        gate.unlink()
        assert held.result(PATIENCE) == "let go"
        assert thing.add(0) == 0


def test_a_coroutine_that_is_cancelled_withdraws_its_call(tmp_path: Path) -> None:
    async def give_up(thing: anyplace.Proxy) -> None:
        waits = asyncio.ensure_future(thing.add.submit(1))
        await asyncio.sleep(0)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits

    with anyplace.open("processes:1") as place:
        thing = place.create(Thing, exclusive=True)
        gate = tmp_path / "held"
        held = thing.hold.submit(str(gate))
        eventually(gate.exists)
        asyncio.run(give_up(thing))
        gate.unlink()
        assert held.result(PATIENCE) == "let go"
        assert thing.add(0) == 0


def test_a_call_within_a_time_is_given_up_when_that_is_over(
    processes: anyplace.Place, tmp_path: Path
) -> None:
    thing = processes.create(Thing, exclusive=True)
    assert thing.add.within(PATIENCE)(2) == 2
    gate = tmp_path / "held"
    with pytest.raises(anyplace.Timeout, match="hold") as late:
        thing.hold.within(0.3)(str(gate))
    assert isinstance(late.value, TimeoutError)
    assert gate.exists(), "it had begun, and goes on"
    with pytest.raises(anyplace.Timeout):
        thing.add.within(0.1)(1)
    gate.unlink()
    assert thing.add(0) == 2, "the second had not begun, and never did"
    with pytest.raises(ValueError, match="above 0"):
        thing.add.within(0)


def test_fifty_threads_share_a_proxy(keeping: anyplace.Place) -> None:
    turns = keeping.create(Greeter)

    def greet(number: int) -> bool:
        return all(turns.greet(f"{number} {call}") == f"hello {number} {call}" for call in range(20))

    with ThreadPoolExecutor(50) as threads:
        assert all(threads.map(greet, range(50)))


def test_a_thousand_coroutines_await_calls(processes: anyplace.Place) -> None:
    greeter = processes.create(Greeter)

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(one(number) for number in range(1000)))

    async def one(number: int) -> str:
        return str(await greeter.greet.submit(str(number)))

    assert asyncio.run(all_of_them()) == [f"hello {number}" for number in range(1000)]


def test_proxies_are_arguments_of_tasks_and_of_calls(processes: anyplace.Place) -> None:
    thing, other = processes.create(Thing), processes.create(Thing)
    assert processes.submit(lambda proxy: proxy.add(2), thing).result(PATIENCE) == 2
    assert other.call(thing, "add", 3) == 5
    again = pickle.loads(pickle.dumps(thing))
    assert again == thing
    assert hash(again) == hash(thing)
    assert again is not thing
    assert again.total == 5


def test_an_object_of_this_process_is_called_back_from_another(processes: anyplace.Place) -> None:
    with anyplace.open("threads:1") as here:
        mine = here.create(Thing)
        assert processes.create(Thing).call(mine, "pid") == os.getpid()


def test_an_object_goes_with_the_last_proxy_of_it(tmp_path: Path) -> None:
    class Gone:
        def __init__(self, path: str) -> None:
            self.path = path

        def __del__(self) -> None:
            Path(self.path).touch()

    for number, address in enumerate(["threads:1", "processes:1"]):
        sign = tmp_path / str(number)
        with anyplace.open(address) as place:
            gone = place.create(Gone, str(sign))
            also = gone.path
            assert also == str(sign)
            assert not sign.exists()
            del gone
            gc.collect()
            eventually(sign.exists)


def test_the_end_of_a_with_block_lets_an_object_go(processes: anyplace.Place) -> None:
    with processes.create(Thing) as thing:
        assert thing.add(1) == 1
    with pytest.raises(anyplace.NotFound):
        thing.add(1)


def test_a_killed_host_ends_its_calls_as_lost_at_once(processes: anyplace.Place, tmp_path: Path) -> None:
    thing, other = processes.create(Thing), processes.create(Thing)
    gate = tmp_path / "gate"
    held = thing.hold.submit(str(gate))
    eventually(gate.exists)
    began = time.monotonic()
    os.kill(thing.pid(), signal.SIGKILL)
    with pytest.raises(anyplace.WorkerLost):
        held.result(PATIENCE)
    with pytest.raises(anyplace.WorkerLost):
        thing.add(1)
    assert time.monotonic() - began < 2
    assert other.add(1) == 1
    assert processes.create(Thing).add(2) == 2


def test_a_killed_task_costs_no_object(processes: anyplace.Place) -> None:
    thing = processes.create(Thing)
    with pytest.raises(anyplace.WorkerLost):
        processes.submit(lambda: os.kill(os.getpid(), signal.SIGKILL)).result(PATIENCE)
    assert thing.add(1) == 1


def test_an_object_is_made_again_as_often_as_was_asked(processes: anyplace.Place) -> None:
    thing = processes.create(Thing, 10, restart=2)
    for _ in range(2):
        assert thing.add(1) == 11
        with pytest.raises(anyplace.WorkerLost):
            thing.die()
    assert thing.add(1) == 11
    with pytest.raises(anyplace.WorkerLost):
        thing.die()
    with pytest.raises(anyplace.WorkerLost):
        thing.add(1)


def test_a_closed_place_has_no_process_left_and_calls_say_so() -> None:
    with anyplace.open("processes:1") as place:
        thing = place.create(Thing)
        pid = thing.pid()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(anyplace.Error):
        thing.add(1)
    with pytest.raises(anyplace.PlaceClosed):
        place.create(Thing)


def test_names_are_published_found_and_taken_away(keeping: anyplace.Place) -> None:
    keeping.publish("greeter", Greeter("good day"))
    keeping.create(Greeter, "bye", name="other")
    assert keeping.names() == ["greeter", "other"]
    assert keeping.find("greeter").greet("Bob") == "good day Bob"
    assert keeping.find("other").greet("Bob") == "bye Bob"
    with pytest.raises(anyplace.ConfigInvalid):
        keeping.publish("greeter", Greeter())
    with pytest.raises(anyplace.NotFound) as missing:
        keeping.find("greter")
    assert "`greeter`" in (missing.value.help or "")
    assert keeping.unpublish("greeter")
    assert not keeping.unpublish("greeter")
    assert keeping.names() == ["other"]


def test_who_finds_an_object_may_use_what_it_exposes_and_nothing_else(keeping: anyplace.Place) -> None:
    keeping.create(Partly, name="partly")
    partly = keeping.find("partly")
    assert partly.open() == "open"
    partly.level = 5
    assert partly.level == 5
    for name in ["shut", "secret", "_level", "open.__globals__"]:
        with pytest.raises(AttributeError):
            getattr(partly, name)
    for name in ["shut", "__class__", "__init__", "__class__.__init__", "_level", "open.__globals__"]:
        with pytest.raises(AttributeError):
            partly._method(name)()
    with pytest.raises(AttributeError):
        partly._get("secret")
    with pytest.raises(AttributeError):
        partly._set("secret", 2)


def test_names_of_python_and_names_with_dots_are_nobodys(keeping: anyplace.Place) -> None:
    thing = keeping.create(Thing)
    for name in ["__class__", "__reduce__", "__init__", "_hidden", "add.__func__", "total.real"]:
        with pytest.raises(AttributeError):
            thing._method(name)()
        with pytest.raises(AttributeError):
            thing._get(name)


def test_an_object_that_exposes_nothing_is_not_published(keeping: anyplace.Place) -> None:
    with pytest.raises(anyplace.ConfigInvalid) as refused:
        keeping.publish("thing", Thing())
    assert "anyplace.expose" in (refused.value.help or "")


SERVER = """
import sys, threading, anyplace

@anyplace.expose
class Room:
    def __init__(self):
        self.guests = []
    def enter(self, guest):
        self.guests.append(guest)
        return len(self.guests)
    def tell(self, text):
        return [guest.hear(text) for guest in self.guests]

with anyplace.open("processes:2") as place, place.offer(sys.argv[1]) as offer:
    place.publish("room", Room())
    print(offer.address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["unix", "tcp"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A place that another process offers, with a room in it."""
    endpoint = f"unix:{tmp_path}/place.sock" if request.param == "unix" else "tcp://127.0.0.1:0"
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, endpoint],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # What this module defines is found there by its name.
        cwd=Path(__file__).parent,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()


@anyplace.expose
class Guest:
    """An object of a client, which is called back."""

    def hear(self, text: str) -> str:
        return f"{os.getpid()} heard {text}"


def test_objects_of_an_offered_place_are_found_and_made(server: tuple[str, Any]) -> None:
    address, process = server
    with anyplace.open(address) as place:
        assert place.names() == ["room"]
        room = place.find("room")
        place.publish("guest", Guest())
        assert room.enter(place.find("guest")) == 1
        assert room.tell("tea") == [f"{os.getpid()} heard tea"]
        thing = place.create(Thing, 3)
        assert thing.add(1) == 4
        assert thing.pid() not in (os.getpid(), process.pid)
        assert sum(thing.count(3000)) == sum(range(3000))
        assert thing.call(place.find("guest"), "hear", "cake") == f"{os.getpid()} heard cake"
        with pytest.raises(Odd):
            thing.fail("far away")


def test_a_place_that_runs_nothing_for_others_is_a_name_server_still(tmp_path: Path) -> None:
    with anyplace.open("threads:1") as place, place.offer(f"unix:{tmp_path}/names.sock") as offer:
        place.publish("greeter", Greeter())
        with anyplace.open(offer.address) as far:
            assert far.find("greeter").greet("Bob") == "hello Bob"
            with pytest.raises(anyplace.Unsupported):
                far.submit(len, "abc")
            with pytest.raises(anyplace.Unsupported):
                far.create(Thing)


def test_the_names_of_a_client_vanish_with_it(server: tuple[str, Any]) -> None:
    address, _ = server
    with anyplace.open(address) as place:
        with anyplace.open(address) as other:
            other.publish("guest", Guest())
            assert place.names() == ["guest", "room"]
        eventually(lambda: place.names() == ["room"])


def test_a_killed_server_ends_calls_at_once(server: tuple[str, Any], tmp_path: Path) -> None:
    address, process = server
    place = anyplace.open(f"{address}?reconnect=0s")
    thing = place.create(Thing)
    gate = tmp_path / "held"
    held = thing.hold.submit(str(gate))
    eventually(gate.exists)
    process.kill()
    with pytest.raises(anyplace.Error):
        held.result(PATIENCE)
    gate.unlink()
    place.close()


def test_a_callback_of_a_call_may_call_the_object_again(processes: anyplace.Place) -> None:
    """It runs on no thread by which the answer would have to come."""
    thing = processes.create(Thing)
    told: list[int] = []
    done = threading.Event()

    def again(future: anyplace.Future[int]) -> None:
        told.append(thing.add(future.result()))
        done.set()

    thing.add.submit(3).add_done_callback(again)
    assert done.wait(PATIENCE)
    assert told == [6]
