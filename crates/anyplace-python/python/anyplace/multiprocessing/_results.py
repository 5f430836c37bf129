"""What a pool's methods give: results to wait for, one or many, and iterators of them."""

from __future__ import annotations

import concurrent.futures
import queue
import threading
from collections.abc import Callable, Iterator
from multiprocessing import TimeoutError
from typing import Any, Generic, Self, TypeVar

import anyplace

from ._errors import raise_as_of_pool
from ._later import Later

T = TypeVar("T")


class AsyncResult(Generic[T]):
    """The result of a call that a pool does.

    Parameters
    ----------
    future : concurrent.futures.Future
        What it waits for.
    callback : callable, optional
        Called with the value, before anybody's wait ends.
    error_callback : callable, optional
        Called with the exception instead, if there is one.
    """

    __slots__ = ("__weakref__", "_future", "_told")

    def __init__(
        self,
        future: concurrent.futures.Future[T],
        callback: Callable[[T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._future = future
        self._told: threading.Event | None = None
        if callback or error_callback:
            self._told = threading.Event()
            future.add_done_callback(_Telling(self._told, callback, error_callback))

    def get(self, timeout: float | None = None) -> T:
        """Wait for the value, at most `timeout` seconds; raise what the call raised."""
        if timeout is not None or self._told is not None:
            self.wait(timeout)
            if not self.ready():
                raise TimeoutError
        return value_of(self._future)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the call ended and its callback was called, at most `timeout` seconds."""
        if self._told is not None:
            self._told.wait(timeout)
        else:
            concurrent.futures.wait([self._future], timeout)

    def ready(self) -> bool:
        """Whether the call ended and its callback was called."""
        return self._future.done() if self._told is None else self._told.is_set()

    def successful(self) -> bool:
        """Whether the call returned. Raises `ValueError` while it runs."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return not self._future.cancelled() and self._future.exception() is None


class MapResult(AsyncResult[list[T]]):
    """The results of many calls, as one list."""

    __slots__ = ()


class _Telling:
    """Calls one of two callbacks, then lets those go on who wait for that."""

    def __init__(
        self,
        told: threading.Event,
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> None:
        self._told = told
        self._callback = callback
        self._error_callback = error_callback

    def __call__(self, future: concurrent.futures.Future[Any]) -> None:
        try:
            self._tell(future)
        finally:
            self._told.set()

    def _tell(self, future: concurrent.futures.Future[Any]) -> None:
        try:
            value = value_of(future)
        except BaseException as error:
            if self._error_callback:
                self._error_callback(error)
        else:
            if self._callback:
                self._callback(value)


class IMapIterator(Generic[T]):
    """The results of many calls, one after the other.

    They are taken from the place by whoever asks for the next; by a thread of their own from the moment on
    that somebody gives a time limit, or joins the pool.
    """

    def __init__(self, results: Iterator[T]) -> None:
        self._results = results
        self._lock = threading.Lock()
        self._arrived: queue.SimpleQueue[Callable[[], T]] | None = None
        self.later = _Rest(self)

    def __iter__(self) -> Self:
        """Give the iterator itself."""
        return self

    def __next__(self) -> T:
        """Wait for the next result."""
        return self.next()

    def next(self, timeout: float | None = None) -> T:
        """Wait for the next result, at most `timeout` seconds."""
        if timeout is None and self._arrived is None:
            return self._take()
        arrived = self.pull()
        try:
            result = arrived.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        if result is _end:
            arrived.put(_end)
        return result()

    def pull(self) -> queue.SimpleQueue[Callable[[], T]]:
        """Let a thread take the results from here on."""
        with self._lock:
            if self._arrived is None:
                self._arrived = queue.SimpleQueue()
                threading.Thread(target=self._pump, name="anyplace-imap", daemon=True).start()
            return self._arrived

    def _pump(self) -> None:
        assert self._arrived is not None
        while not self.later.future.done():
            self._arrived.put(self._one())

    def _one(self) -> Callable[[], T]:
        try:
            value = self._take()
        except StopIteration:
            return _end
        except BaseException as error:
            return _Raising(error)
        return lambda: value

    def _take(self) -> T:
        try:
            return next(self._results)
        except (StopIteration, anyplace.PlaceClosed):
            self.later.end()
            raise
        except Exception as error:
            raise_as_of_pool(error)


class _Rest(Later):
    """What an iterator has still to give."""

    def __init__(self, iterator: IMapIterator[Any]) -> None:
        super().__init__()
        self._iterator = iterator
        self._ending = threading.Lock()

    def finish(self) -> None:
        self._iterator.pull()
        super().finish()

    def end(self) -> None:
        with self._ending:
            if not self.future.done():
                self.future.set_result(None)


class _Raising:
    """Raises an error where the result is asked for."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __call__(self) -> Any:
        raise self._error


def _end() -> Any:
    raise StopIteration


def collect(results: Iterator[T]) -> list[T]:
    """All results; or, when all is over, the first exception among them."""
    values: list[T] = []
    first: Exception | None = None
    while True:
        try:
            # What came before an exception stays in the list, and the iterator goes on behind it.
            values.extend(results)
        except anyplace.PlaceClosed:
            raise
        except Exception as error:
            first = first or error
        else:
            break
    if first is not None:
        raise_as_of_pool(first)
    return values


def value_of(future: concurrent.futures.Future[T]) -> T:
    """What the future has, with the exceptions that pools raise."""
    try:
        return future.result()
    except Exception as error:
        raise_as_of_pool(error)
