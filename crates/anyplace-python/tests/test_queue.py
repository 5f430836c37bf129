"""`anyplace.queue`: what the standard library's queues do, for programs that change the import."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import doctest
import gc
import queue as stdlib
import signal
import subprocess
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from anyplace import _queue_await, queue
from door import PATIENCE

Script = Callable[[str], "subprocess.CompletedProcess[str]"]

ORDERED = [queue.Queue, queue.LifoQueue, queue.PriorityQueue]
ALL = [*ORDERED, queue.SimpleQueue]


@contextlib.contextmanager
def running(*targets: Callable[[], object]) -> Iterator[list[threading.Thread]]:
    """Threads that have to end by themselves."""
    threads = [threading.Thread(target=target, daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until_waits(own: Any, count: int, side: str = "takers") -> None:
    """Wait until so many threads wait for something of the queue."""
    while own._waiting()[side] < count:
        pass


# What they are


@pytest.mark.parametrize("name", ["Queue", "LifoQueue", "PriorityQueue"])
def test_a_queue_is_also_one_of_the_standard_librarys(name: str) -> None:
    own = getattr(queue, name)()
    assert isinstance(own, getattr(stdlib, name))
    assert isinstance(own, queue.Queue)
    assert (type(own).__name__, type(own).__module__) == (name, "anyplace.queue")


def test_exceptions_are_the_standard_librarys() -> None:
    assert (queue.Empty, queue.Full) == (stdlib.Empty, stdlib.Full)
    assert queue.ShutDown is getattr(stdlib, "ShutDown", queue.ShutDown)


@pytest.mark.parametrize("cls", ALL)
def test_a_queue_can_be_subscribed_and_weakly_known_but_not_copied(cls: Any) -> None:
    assert isinstance(cls[int], types.GenericAlias)
    own = cls()
    assert weakref.ref(own)() is own
    with pytest.raises(TypeError, match="cannot pickle"):
        copy.copy(own)


def test_the_examples_run() -> None:
    assert doctest.testmod(queue).failed == 0


# One thread


@pytest.mark.parametrize("cls", ALL)
def test_arguments_are_taken_as_the_standard_library_takes_them(cls: Any) -> None:
    own = cls()
    own.put(1, 0)
    own.put(item=2, block=True, timeout=None)
    own.put(3, timeout=-1)  # There is always room, so nobody looks at it.
    own.put_nowait(4)
    assert sorted([own.get(1, 5), own.get(block=[]), own.get(timeout=0), own.get_nowait()]) == [1, 2, 3, 4]
    for arguments in [(False,), (True, 0), (True, 0.001)]:
        with pytest.raises(queue.Empty):
            own.get(*arguments)
    with pytest.raises(ValueError, match="non-negative"):
        own.get(timeout=-1)
    with pytest.raises(ValueError, match="NaN"):
        own.get(timeout=float("nan"))
    with pytest.raises(TypeError):
        own.get(timeout="soon")
    with pytest.raises(TypeError):
        own.put()


@pytest.mark.parametrize("cls", ORDERED)
def test_the_size_can_be_changed(cls: Any) -> None:
    own = cls(2)
    own.put(1)
    own.put(2)
    with running(lambda: own.put(3)):
        until_waits(own, 1, "putters")
        own.maxsize = 2.5
    assert (own.maxsize, own.qsize(), own.full()) == (2.5, 3, True)
    own.maxsize = 0
    own.put(4, timeout=-1)
    assert (own.maxsize, own.full(), own.unfinished_tasks) == (0, False, 4)
    own.maxsize = 1
    with pytest.raises(queue.Full):
        own.put_nowait(5)
    with pytest.raises(ValueError, match="non-negative"):
        own.put(5, timeout=-1)


def test_a_queue_can_be_begun_once_more() -> None:
    own = queue.Queue(1)
    own.put(1)
    own.__init__(2)
    assert (own.maxsize, own.qsize(), own.unfinished_tasks) == (2, 0, 0)
    own.queue.append(7)
    own.__init__()
    own.put(1)
    assert (own.get(), own.empty(), own._is_open()) == (1, True, False)


class Stubborn:
    """It compares by its number, unless it does not want to."""

    wants = True

    def __init__(self, number: int) -> None:
        self.number = number

    def __lt__(self, other: Stubborn) -> bool:
        if not Stubborn.wants:
            raise ArithmeticError("not now")
        return self.number < other.number


def test_a_comparison_that_raises_leaves_the_queue_as_it_was() -> None:
    own: queue.PriorityQueue[Stubborn] = queue.PriorityQueue()
    numbers = [5, 2, 8, 1, 9, 3]
    for number in numbers:
        own.put(Stubborn(number))
    Stubborn.wants = False
    try:
        for act in (lambda: own.put(Stubborn(0)), own.get):
            with pytest.raises(ArithmeticError):
                act()
            assert (own.qsize(), own.unfinished_tasks) == (len(numbers), len(numbers))
    finally:
        Stubborn.wants = True
    assert [own.get().number for _ in numbers] == sorted(numbers)


def test_equal_items_come_as_from_the_standard_librarys_heap() -> None:
    class Equal(int):
        pass

    ours, theirs = queue.PriorityQueue(), stdlib.PriorityQueue()
    items = [Equal(number * 7 % 5) for number in range(60)]
    for item in items:
        ours.put(item)
        theirs.put(item)
    assert all(ours.get() is theirs.get() for _ in items)


def test_items_that_are_compared_cannot_use_their_queue() -> None:
    """The standard library's would wait for itself, for ever."""
    own: queue.PriorityQueue[Any] = queue.PriorityQueue()

    class Curious:
        def __lt__(self, other: object) -> bool:
            return bool(own.get())

    own.put(1)
    with pytest.raises(ValueError, match="compared"):
        own.put(Curious())
    assert own.get() == 1


@pytest.mark.parametrize("cls", ALL)
def test_items_are_let_go_of(cls: Any) -> None:
    class Item:
        def __lt__(self, other: object) -> bool:
            return True

    own = cls()
    for _ in range(3):
        own.put(Item())
    assert all(weakref.ref(own.get())() is None for _ in range(3))


@pytest.mark.parametrize("cls", ALL)
def test_a_queue_that_holds_itself_is_collected(cls: Any) -> None:
    class Mine(cls):
        pass

    own = Mine()
    own.put(own)
    gone = weakref.ref(own)
    del own
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("cls", [queue.Queue, queue.SimpleQueue])
def test_an_item_can_be_put_while_another_one_is_destroyed(cls: Any) -> None:
    own = cls()

    class Last:
        def __del__(self) -> None:
            own.put("will")

    own.put(Last())
    own.get()
    assert own.get_nowait() == "will"


# The inside of the standard library's


def test_the_inside_is_made_when_it_is_touched() -> None:
    for cls, kind in [(queue.Queue, deque), (queue.LifoQueue, list), (queue.PriorityQueue, list)]:
        own = cls()
        for item in (2, 1, 3):
            own.put(item)
        assert not own._is_open()
        with own.mutex:
            assert type(own.queue) is kind
            assert sorted(own.queue) == [1, 2, 3]
            own.queue.clear()
            own.unfinished_tasks = 0
            own.all_tasks_done.notify_all()
        own.join()
        own.put(4)
        assert (own.get(), own.empty(), own._is_open()) == (4, True, True)


def test_who_waits_goes_on_in_the_inside() -> None:
    own: queue.Queue[int] = queue.Queue(1)
    taken: list[int] = []
    with running(lambda: taken.append(own.get())):
        until_waits(own, 1)
        with own.not_empty:
            own.queue.append(7)
            own.not_empty.notify()
    assert taken == [7]
    own.put(1)
    with running(lambda: own.put(2, timeout=PATIENCE)), own.not_full:
        own.queue.popleft()
        own.not_full.notify()
    assert own.get() == 2


def test_hooks_of_a_class_are_called() -> None:
    class Unique(queue.Queue):
        def _init(self, maxsize: int) -> None:
            self.seen: set[int] = set()
            super()._init(maxsize)

        def _put(self, item: int) -> None:
            if item not in self.seen:
                self.seen.add(item)
                super()._put(item)

    own = Unique(3)
    for item in (1, 2, 1, 2, 3):
        own.put(item, block=False)
    assert [own.get() for _ in range(own.qsize())] == [1, 2, 3]
    with pytest.raises(queue.Empty):
        own.get(timeout=0.001)


def test_hooks_of_one_queue_are_called() -> None:
    own: queue.Queue[int] = queue.Queue()
    own.put(1)
    own._qsize = lambda: 0  # type: ignore[method-assign]
    assert (own.empty(), own.qsize()) == (True, 0)


def test_a_class_without_hooks_stays_native_and_keeps_its_order() -> None:
    class Named(queue.LifoQueue):
        def __init__(self, name: str) -> None:
            super().__init__(maxsize=2)
            self.name = name

    own = Named("pile")
    own.put(1)
    own.put(2)
    assert (own.get(), own.name, own._is_open()) == (2, "pile", False)


def test_a_put_of_a_class_is_called_by_put_nowait() -> None:
    class Loud(queue.Queue):
        def put(self, item: str, block: bool = True, timeout: float | None = None) -> None:
            super().put(item.upper(), block, timeout)

        def get(self, block: bool = True, timeout: float | None = None) -> str:
            return super().get(block, timeout) + "!"

    own = Loud()
    own.put_nowait("hey")
    assert own.get_nowait() == "HEY!"


# Between threads


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("room", [0, 3])
def test_eight_producers_and_eight_consumers_lose_nothing(cls: Any, room: int) -> None:
    own = cls() if cls is queue.SimpleQueue else cls(room)
    each, sides = 500, 8
    taken: list[list[int]] = [[] for _ in range(sides)]

    def consume(mine: list[int]) -> None:
        while (item := own.get()) != each * sides:
            mine.append(item)

    consumers = [lambda mine=mine: consume(mine) for mine in taken]
    producers = [
        lambda first=first: [own.put(item) for item in range(first, each * sides, sides)]
        for first in range(sides)
    ]
    with running(*consumers):
        with running(*producers):
            pass
        # A pile gives these first: whoever gets one leaves the rest to the others.
        while not own.empty():
            pass
        for _ in consumers:
            own.put(each * sides)
    assert sorted(item for mine in taken for item in mine) == list(range(each * sides))


def test_items_of_one_producer_come_in_its_order() -> None:
    own: queue.Queue[tuple[int, int]] = queue.Queue(4)
    producers = [lambda mine=mine: [own.put((mine, number)) for number in range(300)] for mine in range(4)]
    with running(*producers):
        taken = [own.get(timeout=PATIENCE) for _ in range(1200)]
    for mine in range(4):
        assert [number for producer, number in taken if producer == mine] == list(range(300))


@pytest.mark.parametrize("cls", ALL)
def test_those_who_wait_are_called_in_their_order(cls: Any) -> None:
    own, taken = cls(), cls()
    takers = [lambda name=name: taken.put((name, own.get())) for name in range(4)]
    with contextlib.ExitStack() as stack:
        for name, taker in enumerate(takers):
            stack.enter_context(running(taker))
            until_waits(own, name + 1)
        for item in range(4):
            own.put(item)
            assert taken.get(timeout=PATIENCE) == (item, item)


def test_a_join_waits_for_all_to_be_done() -> None:
    own: queue.Queue[int] = queue.Queue()
    own.put(1)
    own.put(2)
    with running(own.join) as [joining]:
        until_waits(own, 1, "joiners")
        own.task_done()
        assert joining.is_alive()
        own.task_done()
    with pytest.raises(ValueError, match="too many times"):
        own.task_done()


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("cls", ORDERED)
def test_a_shutdown_wakes_all_and_leaves_what_is_there(cls: Any, is_open: bool) -> None:
    empty, full = cls(), cls(1)
    full.put(1)
    if is_open:
        assert (len(empty.queue), len(full.queue)) == (0, 1)
    told: list[type] = []

    def tells(act: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                act()
            except queue.ShutDown as error:
                told.append(type(error))

        return run

    with running(*[tells(empty.get)] * 3, *[tells(lambda: full.put(2, timeout=PATIENCE))] * 3):
        if not is_open:
            until_waits(empty, 3)
            until_waits(full, 3, "putters")
        empty.shutdown()
        full.shutdown()
    assert told == [queue.ShutDown] * 6
    assert (full.is_shutdown, full.get(), full.unfinished_tasks) == (True, 1, 1)
    for act in (full.get, full.get_nowait, lambda: full.put(1)):
        with pytest.raises(queue.ShutDown):
            act()


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("cls", ORDERED)
def test_an_immediate_shutdown_throws_away_what_is_there(cls: Any, is_open: bool) -> None:
    own = cls()
    for item in range(3):
        own.put(item)
    own.get()
    if is_open:
        assert len(own.queue) == 2
    own.shutdown(immediate=True)
    assert (own.qsize(), own.unfinished_tasks) == (0, 1)
    with pytest.raises(queue.ShutDown):
        own.get()
    own.task_done()
    own.join()


INTERRUPTED = """
import signal, sys, threading
from anyplace import queue

def interrupt(waits):
    while not waits():
        pass
    signal.raise_signal(signal.SIGINT)

own = queue.{cls}()
threading.Thread(target=interrupt, args=(lambda: own._waiting()["takers"],), daemon=True).start()
try:
    own.get({arguments})
except KeyboardInterrupt:
    own.put("goes on")
    print(own.get())
"""


@pytest.mark.parametrize("cls", ["Queue", "PriorityQueue", "SimpleQueue"])
@pytest.mark.parametrize("arguments", ["", "timeout=60"])
def test_ctrl_c_is_heard_by_who_waits(script: Script, cls: str, arguments: str) -> None:
    done = script(INTERRUPTED.format(cls=cls, arguments=arguments))
    assert (done.stdout, done.stderr) == ("goes on\n", "")


@pytest.mark.parametrize("cls", ALL)
def test_a_handler_of_a_signal_can_put_what_is_waited_for(cls: Any) -> None:
    own = cls()
    before = signal.signal(signal.SIGUSR1, lambda *_: own.put(7))
    main = threading.main_thread().ident
    assert main is not None

    def send() -> None:
        until_waits(own, 1)
        signal.pthread_kill(main, signal.SIGUSR1)

    try:
        with running(send):
            assert own.get(timeout=PATIENCE) == 7
    finally:
        signal.signal(signal.SIGUSR1, before)


FORKED = """
import os, threading
from anyplace import queue

own = queue.{cls}()
waiting = threading.Thread(target=own.get)
waiting.start()
while not own._waiting()["takers"]:
    pass
child = os.fork()
if child == 0:
    # Its parent's thread is not there to be called before its own.
    taken = []
    mine = threading.Thread(target=lambda: taken.append(own.get()))
    mine.start()
    while own._waiting()["takers"] < 2:
        pass
    own.put(1)
    mine.join(30)
    os._exit(0 if taken == [1] else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert own.empty()
own.put(0)
waiting.join()
print("unharmed")
"""


@pytest.mark.parametrize("cls", [cls.__name__ for cls in ALL])
def test_a_child_of_a_fork_has_a_queue_of_its_own(script: Script, cls: str) -> None:
    assert script(FORKED.format(cls=cls)).stdout == "unharmed\n"


# In an asyncio loop


def within(coroutine: Any) -> Any:
    async def patient() -> Any:
        return await asyncio.wait_for(coroutine, PATIENCE)

    return asyncio.run(patient())


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("cls", ALL)
def test_a_coroutine_waits_for_what_a_thread_puts(cls: Any, is_open: bool) -> None:
    own = cls()
    if is_open and cls is not queue.SimpleQueue:
        assert not own.queue

    async def take() -> list[int]:
        items = asyncio.gather(own.get_async(), own.get_async())
        await asyncio.sleep(0)
        with running(lambda: [own.put(1), own.put(2)]):
            pass
        return await items

    assert sorted(within(take())) == [1, 2]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_coroutine_waits_for_room(is_open: bool) -> None:
    own: queue.Queue[int] = queue.Queue(1)
    if is_open:
        assert not own.queue

    async def put() -> list[int]:
        await own.put_async(1)
        putting = asyncio.ensure_future(own.put_async(2))
        await asyncio.sleep(0)
        assert not putting.done()
        first = own.get()
        await putting
        return [first, own.get()]

    assert within(put()) == [1, 2]


@pytest.mark.parametrize("turns", range(4))
def test_a_coroutine_that_is_cancelled_takes_nothing_from_the_next(turns: int) -> None:
    """Whether it has heard of the item already, or not yet."""
    own: queue.Queue[int] = queue.Queue()

    async def take() -> int:
        hasty = asyncio.ensure_future(own.get_async())
        patient = asyncio.ensure_future(own.get_async())
        await asyncio.sleep(0)
        own.put(1)
        for _ in range(turns):
            await asyncio.sleep(0)
        hasty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            own.put(await hasty)
        return await patient

    assert within(take()) == 1
    assert own.empty()


def test_a_coroutine_hears_of_a_shutdown() -> None:
    own: queue.Queue[int] = queue.Queue()

    async def take() -> None:
        taking = asyncio.ensure_future(own.get_async())
        await asyncio.sleep(0)
        own.shutdown()
        await taking

    with pytest.raises(queue.ShutDown):
        within(take())


def test_a_loop_that_is_gone_keeps_no_item() -> None:
    own: queue.Queue[int] = queue.Queue()

    async def leave() -> None:
        own._expect("item", _queue_await._Call(), False)

    asyncio.run(leave())
    own.put(1)
    assert (own.get(), own._waiting()["takers"]) == (1, 0)


def test_waits_that_are_over_leave_nothing_behind() -> None:
    own: queue.Queue[int] = queue.Queue()

    async def hurry() -> None:
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(own.get_async(), 0.001)

    within(hurry())
    assert own._waiting() == {"takers": 0, "putters": 0, "joiners": 0}


def test_a_class_of_its_own_takes_arguments() -> None:
    class Named(queue.SimpleQueue):
        def __init__(self, name: str) -> None:
            self.name = name

    assert Named("one").name == "one"
    with pytest.raises(TypeError, match="no arguments"):
        queue.SimpleQueue(1)
