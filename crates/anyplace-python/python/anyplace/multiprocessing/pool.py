"""Pools with the methods of `multiprocessing.pool`, whose work a place does."""

from __future__ import annotations

import concurrent.futures
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import anyplace
from anyplace._place import Place

from ._errors import MaybeEncodingError, RemoteTraceback
from ._later import Later, begin
from ._lender import Lender
from ._prepare import prepare, prepared
from ._results import AsyncResult, IMapIterator, MapResult, collect

__all__ = [
    "AsyncResult",
    "IMapIterator",
    "MapResult",
    "MaybeEncodingError",
    "Pool",
    "RemoteTraceback",
    "ThreadPool",
]

T = TypeVar("T")

RUN = "RUN"
CLOSE = "CLOSE"
TERMINATE = "TERMINATE"

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


class Pool:
    """Worker processes that take calls, as `multiprocessing.Pool` has them.

    Parameters
    ----------
    processes : int, optional
        How many; as many as this process may use cores unless it is given.
    initializer : callable, optional
        What each worker does before its first call.
    initargs : iterable, optional
        What `initializer` is called with; locks, queues and values of multiprocessing may be among them.
    maxtasksperchild : int, optional
        How many calls, or chunks of calls, a worker takes before another replaces it.
    context : object, optional
        Taken as `multiprocessing.pool.Pool` takes it, and not needed: there is one way to start.

    Examples
    --------
    >>> from anyplace import multiprocessing
    >>> with multiprocessing.Pool(2) as pool:
    ...     pool.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    # What `__del__` looks at must be there also when `__init__` raises.
    _state = TERMINATE

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: object = None,
    ) -> None:
        _check(processes, initializer, maxtasksperchild)
        self._lender = Lender()
        self._place = self._open(processes, initializer, tuple(initargs), maxtasksperchild)
        self._processes = self._place.workers
        self._maps: set[Later] = set()
        self._state = RUN
        _pools.add(self)

    def _open(
        self,
        processes: int | None,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
        maxtasksperchild: int | None,
    ) -> Place:
        address = "processes:" if maxtasksperchild is None else f"processes:?max_tasks={maxtasksperchild}"
        given = prepared(initializer, initargs, self._lender)
        return anyplace.open(address, workers=processes, initializer=prepare, initargs=given)

    def apply(self, func: Callable[..., T], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}) -> T:
        """Call ``func(*args, **kwds)`` in a worker, and wait for what it returns."""
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Callable[..., T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: Callable[[T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[T]:
        """Call ``func(*args, **kwds)`` in a worker.

        What cannot be pickled is told by the result, as everything else that fails.
        """
        self._check_running()
        future: concurrent.futures.Future[T]
        try:
            future = self._place.submit(func, *args, **kwds)
        except anyplace.NotSerializable as error:
            future = concurrent.futures.Future()
            future.set_exception(error)
        return AsyncResult(future, callback, error_callback)

    def map(self, func: Callable[[Any], T], iterable: Iterable[Any], chunksize: int | None = None) -> list[T]:
        """Call `func` with each item, and wait for all results.

        As many items travel together as take about 2 ms, unless `chunksize` says how many. When one raises,
        the others are still done; then the first exception is raised.
        """
        return collect(self._map(func, iterable, chunksize))

    def starmap(
        self, func: Callable[..., T], iterable: Iterable[Iterable[Any]], chunksize: int | None = None
    ) -> list[T]:
        """Call ``func(*item)`` for each item; else as `map`."""
        return collect(self._map(func, iterable, chunksize, star=True))

    def map_async(
        self,
        func: Callable[[Any], T],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[list[T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> MapResult[T]:
        """As `map`, without waiting."""
        results = self._map(func, iterable, chunksize)
        return MapResult(self._begin(lambda: collect(results)), callback, error_callback)

    def starmap_async(
        self,
        func: Callable[..., T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> MapResult[T]:
        """As `starmap`, without waiting."""
        results = self._map(func, iterable, chunksize, star=True)
        return MapResult(self._begin(lambda: collect(results)), callback, error_callback)

    def imap(
        self, func: Callable[[Any], T], iterable: Iterable[Any], chunksize: int | None = None
    ) -> IMapIterator[T]:
        """Call `func` with each item; give the results in order.

        Items are taken as results are: at most twice the workers plus one chunks are ahead, so that endless
        inputs work. Of a list, a tuple or a range, short chunks may be ahead by 2 ms of work. `join` does
        what is left.
        """
        return self._lazily(self._map(func, iterable, chunksize))

    def imap_unordered(
        self, func: Callable[[Any], T], iterable: Iterable[Any], chunksize: int | None = None
    ) -> IMapIterator[T]:
        """As `imap`, and give the results as they come."""
        return self._lazily(self._map(func, iterable, chunksize, ordered=False))

    def close(self) -> None:
        """Take no more calls. The workers end when all is done."""
        if self._state == RUN:
            self._state = CLOSE
            self._rest()

    def terminate(self) -> None:
        """End the workers at once, also in the middle of a call."""
        self._state = TERMINATE
        self._place._abort()
        self._lender.close()

    def join(self) -> None:
        """Wait until the workers are gone; `close` or `terminate` comes first."""
        if self._state == RUN:
            raise ValueError("Pool is still running")
        for later in list(self._maps):
            later.finish()
        self._place.shutdown()
        self._lender.close()

    def _map(
        self,
        func: Callable[..., T],
        iterable: Iterable[Any],
        chunksize: int | None,
        *,
        star: bool = False,
        ordered: bool = True,
    ) -> Iterator[T]:
        self._check_running()
        if chunksize is not None and chunksize < 1:
            raise ValueError(f"Chunksize must be 1+, not {chunksize}")
        start = self._place.starmap if star else self._place.map
        return start(func, iterable, chunksize=chunksize, ordered=ordered)

    def _begin(self, work: Callable[[], list[T]]) -> concurrent.futures.Future[list[T]]:
        later = begin(work)
        self._remember(later)
        return later.future

    def _lazily(self, results: Iterator[T]) -> IMapIterator[T]:
        iterator = IMapIterator(results)
        self._remember(iterator.later)
        return iterator

    def _remember(self, later: Later) -> None:
        """Until it ended, the place has to take what it still has to submit."""
        self._maps.add(later)
        own = weakref.ref(self)
        later.then(lambda: _forget(own(), later))

    def _rest(self) -> None:
        if not self._maps:
            self._place.shutdown(wait=False)

    def _check_running(self) -> None:
        if self._state != RUN:
            raise ValueError("Pool not running")

    def __enter__(self) -> Self:
        """Give the pool itself."""
        self._check_running()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers at once, as the standard library's pool does."""
        self.terminate()

    def __reduce__(self) -> NoReturn:
        """Refuse to travel."""
        raise NotImplementedError("pool objects cannot be passed between processes or pickled")

    def __repr__(self) -> str:
        """Tell the state and the number of workers."""
        kind = type(self)
        return f"<{kind.__module__}.{kind.__qualname__} state={self._state} pool_size={self._processes}>"

    def __del__(self, _warn: Callable[..., None] = warnings.warn, _run: str = RUN) -> None:
        """Warn of a pool that nobody closed; its place closes by itself."""
        if lender := vars(self).get("_lender"):
            lender.close(wait=False)
        if self._state == _run:
            _warn(f"unclosed running multiprocessing pool {self!r}", ResourceWarning, source=self)


class ThreadPool(Pool):
    """As `Pool`, in threads of this process.

    Parameters
    ----------
    processes : int, optional
        How many threads; as many as this process may use cores unless it is given.
    initializer : callable, optional
        What each thread does before its first call.
    initargs : iterable, optional
        What `initializer` is called with.
    """

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
    ) -> None:
        super().__init__(processes, initializer, initargs)

    def _open(
        self,
        processes: int | None,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
        maxtasksperchild: int | None,
    ) -> Place:
        return anyplace.open("threads:", workers=processes, initializer=initializer, initargs=initargs)


def _check(
    processes: int | None, initializer: Callable[..., object] | None, maxtasksperchild: int | None
) -> None:
    if processes is not None and processes < 1:
        raise ValueError("Number of processes must be at least 1")
    if maxtasksperchild is not None and (not isinstance(maxtasksperchild, int) or maxtasksperchild < 1):
        raise ValueError("maxtasksperchild must be a positive int or None")
    if initializer is not None and not callable(initializer):
        raise TypeError("initializer must be a callable")


def _forget(pool: Pool | None, later: Later) -> None:
    if pool is not None:
        pool._maps.discard(later)
        if pool._state == CLOSE:
            pool._rest()


def _terminate_all() -> None:
    """End what nobody joined, as the standard library does; a place alone would finish its work first."""
    for pool in list(_pools):
        if pool._state != TERMINATE:
            pool.terminate()


# Registered after that of the places, which their import has done, so that it is called before.
threading._register_atexit(_terminate_all)  # type: ignore[attr-defined]
