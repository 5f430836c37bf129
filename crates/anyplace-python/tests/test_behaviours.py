"""What every place promises, by the names that the Rust tests show it by, on the same places.

The list of the names is that of `crates/anyplace-testkit`; the last test compares the two.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import anyplace
from door import PATIENCE, Door, Held, Notes, hold, hold_in_loop
from functions import die, divide, echo, fail, seed, square, succeed_at, sum_in, who
from leftovers import Holdings

#: What the limit around a place is set to: tests that fill the place count on it.
LIMITED_TO = 3
STACK = f"progress::retry=2::timeout=1h::limit={LIMITED_TO}::threads:4"
ADDRESSES = ["inline:", "threads:1", "threads:4", "processes:2", "async:8", STACK]
#: As the place likes, one by one, unevenly.
CHUNKS = [None, 1, 7]

Need = Callable[[anyplace.Place], str | None]


#: Where a place of processes is offered, and used from there.
ENDPOINTS = ["unix:", "tcp:"]


def scheme(place: anyplace.Place) -> str:
    return place.address.partition(":")[0]


def has_processes(place: anyplace.Place) -> bool:
    return scheme(place) in ("processes", "unix", "tcp")


def can_kill(place: anyplace.Place) -> bool:
    return has_processes(place) or scheme(place) == "async"


def workers(place: anyplace.Place) -> str | None:
    return None if place.workers else "the caller runs the tasks, so nothing waits or runs beside it"


def three_workers(place: anyplace.Place) -> str | None:
    return None if place.workers >= 3 else "it has fewer than three workers"


def kill(place: anyplace.Place) -> str | None:
    return None if can_kill(place) else "it cannot end a running task"


def no_kill(place: anyplace.Place) -> str | None:
    return "it can end a running task" if can_kill(place) else None


def processes(place: anyplace.Place) -> str | None:
    return None if has_processes(place) else "its tasks run in this process"


def no_layers(place: anyplace.Place) -> str | None:
    return "its layers decide it" if place.layers else None


def lazy_start(_: anyplace.Place) -> str | None:
    return "in Python a map starts at once, as the standard library's do"


def needs(*what: Need) -> pytest.MarkDecorator:
    """Skip the test where the place lacks something, and say what."""
    return pytest.mark.needs.with_args(*what)


@pytest.fixture(params=ADDRESSES + ENDPOINTS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with offered(str(request.param)) as known:
        yield known


@pytest.fixture
def place(address: str, request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place that nobody else uses, if it has what the test needs."""
    yield from opened(address, request)


def opened(address: str, request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """Open the place, unless it lacks what the test needs."""
    with offered(address) as known, anyplace.open(known) as place:
        marker = request.node.get_closest_marker("needs")
        for need in marker.args if marker else ():
            if reason := need(place):
                pytest.skip(reason)
        yield place


@contextmanager
def offered(address: str) -> Iterator[str]:
    """Offer a place of processes, if the address says where; give that by which it is opened."""
    if address not in ENDPOINTS:
        yield address
        return
    with TemporaryDirectory() as folder, anyplace.open("processes:2") as place:
        endpoint = f"unix:{folder}/place.sock" if address == "unix:" else "tcp://127.0.0.1:0"
        with place.offer(endpoint) as offer:
            yield offer.address


@pytest.fixture
def door() -> Iterator[Door]:
    """A door; the end of the test opens it."""
    door = Door()
    yield door
    door.close()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path)


def form(place: anyplace.Place, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the place takes it."""
    if scheme(place) != "async":
        return function

    async def in_loop(*arguments: Any) -> Any:
        return function(*arguments)

    return in_loop


def submit(place: anyplace.Place, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    return place.submit(form(place, function), *arguments)


def submit_hold(place: anyplace.Place, door: Door) -> Future[int]:
    return place.submit(hold_in_loop if scheme(place) == "async" else hold, door.path)


def mapped(
    place: anyplace.Place, function: Callable[..., Any], *inputs: Iterable[Any], **how: Any
) -> anyplace.Map[Any]:
    return place.map(form(place, function), *inputs, **how)


def busy(place: anyplace.Place, door: Door) -> tuple[list[Future[int]], list[Held]]:
    """Tasks that keep the place busy, each held at the door."""
    at_once = LIMITED_TO if "limit" in place.layers else place.workers
    pairs = [(submit_hold(place, door), door.knock()) for _ in range(at_once)]
    return [future for future, _ in pairs], [held for _, held in pairs]


def let_go(held: Iterable[Held]) -> None:
    for one in held:
        one.let_go()


def is_cancelled_before_it_began(future: Future[Any]) -> bool:
    with pytest.raises(anyplace.Cancelled) as caught:
        future.result(PATIENCE)
    return future.cancelled() and caught.value.retry == "safe"


def test_a_task_returns_what_its_function_returns(place: anyplace.Place) -> None:
    assert submit(place, square, 9).result(PATIENCE) == 81
    for text in ["", "äöü\0\n", "x" * 2**20]:
        assert submit(place, echo, text).result(PATIENCE) == text


def test_a_failure_is_its_tasks_own(place: anyplace.Place) -> None:
    """A failure ends its task, not its worker."""
    future = submit(place, fail, "no luck today")
    with pytest.raises(ValueError, match="no luck today"):
        future.result(PATIENCE)
    assert isinstance(future.exception(), ValueError)
    assert future.done()
    assert not future.cancelled()
    assert submit(place, square, 2).result(PATIENCE) == 4


def test_a_task_knows_itself(place: anyplace.Place) -> None:
    assert submit(place, who, None).result(PATIENCE)[:2] == (0, 1)
    for index, (own, attempt, worker) in enumerate(mapped(place, who, range(100))):
        assert (own, attempt) == (index, 1)
        assert worker < max(place.workers, 1)


def test_work_of_another_kind_is_refused_with_help(place: anyplace.Place) -> None:
    """Plain functions belong in threads and processes, `async` ones on an event loop."""

    async def in_loop() -> None: ...

    other, home = (square, "threads:") if scheme(place) == "async" else (in_loop, "async:")
    with pytest.raises(anyplace.Unsupported) as caught:
        place.submit(other).result(PATIENCE)
    assert home in str(caught.value.help)


def test_a_task_may_open_a_place_of_its_own(place: anyplace.Place) -> None:
    for inner in ["inline:", "threads:2"]:
        assert list(mapped(place, sum_in, [inner] * 4, [10] * 4)) == [285] * 4


def test_results_come_in_the_order_of_the_inputs(place: anyplace.Place) -> None:
    for chunksize in CHUNKS:
        results = list(mapped(place, square, range(500), chunksize=chunksize))
        assert results == [number * number for number in range(500)]


def test_unordered_gives_every_result_once(place: anyplace.Place) -> None:
    for chunksize in CHUNKS:
        results = mapped(place, square, range(500), chunksize=chunksize, ordered=False)
        assert sorted(results) == [number * number for number in range(500)]


def test_an_item_that_fails_stands_where_it_is(place: anyplace.Place) -> None:
    for chunksize in CHUNKS:
        results = mapped(place, divide, [1, 0, 2], chunksize=chunksize)
        assert next(results) == 12
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert list(results) == [6]


@needs(lazy_start)
def test_a_map_reads_nothing_before_it_is_asked(place: anyplace.Place) -> None:
    numbers = iter(range(3))
    results = mapped(place, square, numbers)
    assert list(numbers) == [0, 1, 2]
    assert list(results) == []


def test_an_endless_map_is_read_only_a_little_ahead(place: anyplace.Place) -> None:
    """Two items per worker may be out, and one more is sent next."""
    read: list[int] = []
    endless = (read.append(number) or number for number in itertools.count())
    results = mapped(place, square, endless, chunksize=1)
    ahead = 2 * place.workers + 1
    for taken in range(50):
        assert len(read) <= taken + ahead
        assert next(results) == taken * taken


def test_a_seed_is_the_same_on_every_place_and_chunking(place: anyplace.Place) -> None:
    """It depends on the place's seed, the map's number and the item's index only."""
    with anyplace.open("inline:", seed=place.seed) as model:
        for chunksize in CHUNKS:
            seeds = list(mapped(place, seed, range(100), chunksize=chunksize))
            assert seeds == list(model.map(seed, range(100)))
            assert len(set(seeds)) == 100


@needs(workers)
def test_a_cancelled_task_never_begins(place: anyplace.Place, door: Door, notes: Notes) -> None:
    running, held = busy(place, door)
    waiting = submit(place, succeed_at, 1, notes.path)
    assert waiting.cancel()
    let_go(held)
    assert is_cancelled_before_it_began(waiting)
    place.close()
    assert all(future.result() for future in running)
    assert notes.count() == 0


@needs(workers)
def test_cancelling_a_place_ends_what_waits_at_once(place: anyplace.Place, door: Door, notes: Notes) -> None:
    running, held = busy(place, door)
    waiting = [submit(place, succeed_at, 1, notes.path) for _ in range(20)]
    place.shutdown(wait=False, cancel_futures=True)
    assert all(map(is_cancelled_before_it_began, waiting))
    assert all(future.running() for future in running)
    let_go(held)
    assert all(future.result(PATIENCE) for future in running)
    assert notes.count() == 0


@needs(workers, kill)
def test_a_running_task_can_be_killed(place: anyplace.Place, door: Door) -> None:
    """Killing ends the task itself, not only its future, and the place goes on."""
    future = submit_hold(place, door)
    held = door.knock()
    assert future.cancel(kill=True)
    with pytest.raises(anyplace.Cancelled) as caught:
        future.result(PATIENCE)
    assert caught.value.retry == "may repeat"
    assert future.cancelled()
    held.ends()
    assert submit(place, square, 2).result(PATIENCE) == 4


@needs(workers, no_kill)
def test_a_place_that_cannot_kill_says_so(place: anyplace.Place, door: Door) -> None:
    """Asking for it changes nothing."""
    future = submit_hold(place, door)
    held = door.knock()
    assert not future.cancel(kill=True)
    assert not future.cancel()
    held.let_go()
    assert future.result(PATIENCE) == os.getpid()


@needs(workers, no_layers)
def test_a_task_past_its_time_fails_by_it(place: anyplace.Place, door: Door) -> None:
    """The future has its outcome, and the task is gone or the error says that it is not."""
    # The first task of a worker imports its module, and that takes its time, too.
    running, first = busy(place, door)
    let_go(first)
    assert all(future.result(PATIENCE) for future in running)
    late = submit_hold(place.options(timeout=0.2), door)
    held = door.knock()
    with pytest.raises(anyplace.Timeout, match="200ms") as caught:
        late.result(PATIENCE)
    assert caught.value.retry == "may repeat"
    if can_kill(place):
        held.ends()
    else:
        assert "still runs" in str(caught.value)
        assert caught.value.help


@needs(no_layers)
def test_a_failure_is_tried_again(place: anyplace.Place, address: str, notes: Notes) -> None:
    with anyplace.open(f"retry=5?backoff=1ms::{address}") as retried:
        assert submit(retried, succeed_at, 3, notes.path).result(PATIENCE) == 3
    assert notes.count() == 3


@needs(no_layers)
def test_the_last_attempt_is_counted_in_the_error(place: anyplace.Place, address: str, notes: Notes) -> None:
    """What is raised is the exception of that attempt."""
    with anyplace.open(f"retry=3::{address}") as retried:
        future = submit(retried, succeed_at, 9, notes.path)
        with pytest.raises(ValueError, match="attempt 3"):
            future.result(PATIENCE)
    assert notes.count() == 3


@needs(three_workers, no_layers)
def test_at_most_n_run_at_once(place: anyplace.Place, address: str, door: Door) -> None:
    """Whenever two are held, no third stands at the door."""
    with anyplace.open(f"limit=2::{address}") as limited:
        futures = [submit_hold(limited, door) for _ in range(5)]
        held = [door.knock()]
        for _ in range(4):
            held.append(door.knock())
            assert sum(future.running() for future in futures) <= 2
            assert not door.is_knocked()
            held.pop(0).let_go()
        let_go(held)
        assert all(future.result(PATIENCE) for future in futures)


def test_progress_counts_every_item_once(place: anyplace.Place, address: str) -> None:
    seen: list[anyplace.Counts] = []
    with anyplace.open(address, progress=seen.append) as counted:
        assert submit(counted, divide, 2).result(PATIENCE) == 6
        assert submit(counted, divide, 0).exception(PATIENCE)
        assert len(list(mapped(counted, divide, range(1, 101)))) == 100
        results = mapped(counted, divide, [1, 0, 2], chunksize=3)
        assert next(results) == 12
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert list(results) == [6]
    last = seen[-1]
    assert (last.submitted, last.started, last.returned, last.failed, last.ended) == (105, 105, 103, 2, 105)


@needs(processes)
def test_a_worker_that_dies_costs_only_its_task(place: anyplace.Place, door: Door) -> None:
    """The tasks beside, before and behind it do not notice."""
    beside = submit_hold(place, door)
    held = door.knock()
    with pytest.raises(anyplace.WorkerLost) as caught:
        place.submit(die).result(PATIENCE)
    assert (caught.value.retry, caught.value.exit) == ("may repeat", -9)
    assert submit(place, square, 2).result(PATIENCE) == 4
    held.let_go()
    assert beside.result(PATIENCE) != os.getpid()


def test_a_closed_place_refuses(place: anyplace.Place) -> None:
    place.close()
    assert place.closed
    for use in [lambda: submit(place, square, 1), lambda: list(mapped(place, square, [1]))]:
        with pytest.raises(anyplace.PlaceClosed) as caught:
            use()
        assert caught.value.retry == "safe"
        assert caught.value.help
    place.close()


def test_closing_waits_for_what_was_accepted(place: anyplace.Place, notes: Notes) -> None:
    futures = [submit(place, succeed_at, 1, notes.path) for _ in range(20)]
    place.close()
    assert notes.count() == 20
    assert all(future.done() for future in futures)
    assert [future.result() for future in futures] == [1] * 20


@needs(workers)
def test_every_accepted_task_has_one_outcome_though_the_place_closes(
    place: anyplace.Place, door: Door
) -> None:
    """Ctrl-C ends a `with` block while all workers are busy and others wait."""
    futures, _ = busy(place, door)
    futures += [submit_hold(place, door) for _ in range(20)]

    def interrupted() -> None:
        with pytest.raises(KeyboardInterrupt), place:
            raise KeyboardInterrupt

    closer = threading.Thread(target=interrupted)
    closer.start()
    while not place.closed:
        time.sleep(0)
    if not can_kill(place):
        # From here on nobody may be held: who comes now finds the door gone, and fails.
        door.close()
    closer.join(PATIENCE)
    assert not closer.is_alive()
    assert all(future.done() for future in futures)
    for future in futures:
        with contextlib.suppress(anyplace.Cancelled, anyplace.WorkerLost, anyplace.PlaceClosed, OSError):
            future.result()


def test_nothing_is_left_behind(place: anyplace.Place, address: str) -> None:
    """A second place holds nothing more; the first has by then started what is started once and stays."""
    assert len(list(mapped(place, square, range(100)))) == 100
    place.close()
    before = Holdings.now()
    for _ in range(3):
        with anyplace.open(address) as another:
            assert len(list(mapped(another, square, range(100)))) == 100
            submit(another, square, 1)
    before.is_all_again()


def test_these_are_the_behaviours_of_the_engine() -> None:
    """No promise is shown in one language only."""
    ours = [name.removeprefix("test_") for name, test in globals().items() if name.startswith("test_")]
    ours.remove("these_are_the_behaviours_of_the_engine")
    assert ours == names_in_rust("tasks")


def names_in_rust(family: str) -> list[str]:
    """Ask the test kit for the names of a family's behaviours."""
    if shutil.which("cargo") is None:
        pytest.fail("install Rust: curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y")
    command = ["cargo", "run", "--quiet", "--package", "anyplace-testkit", "--example", "names"]
    ran = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    lines = [line.split("\t") for line in ran.stdout.splitlines()]
    return [name for own, name, _ in lines if own == family]
