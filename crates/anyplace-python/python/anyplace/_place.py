"""`anyplace.Place` and `anyplace.open`."""

from __future__ import annotations

import atexit
import concurrent.futures
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from anyplace import _core
from anyplace._serving import Serving
from anyplace._sharing import Sharing

if TYPE_CHECKING:
    from anyplace._stored import Stored

T = TypeVar("T")


class Place(Sharing, Serving, _core.Place, concurrent.futures.Executor):
    """A place: opened by its address, used, closed. It is a `concurrent.futures.Executor`.

    Parameters
    ----------
    address : str
        Such as ``"threads:8"``, ``"processes:"`` or ``"retry=3::async:100"``.
    workers : int, optional
        How many tasks run at once; it takes the place of the address's number.
    initializer : callable, optional
        What each worker does before its first task.
    initargs : tuple, optional
        What `initializer` is called with.
    seed : int, optional
        The root of all random seeds: the same seed gives the same numbers in every place.
    progress : callable, optional
        It is given the `Counts` when they change.
    strict : bool, default False
        The death of a worker breaks the place for ever; see `open`.
    executor : concurrent.futures.Executor, optional
        What does the work; `address` is then its name. See `wrap`.
    view : tuple, optional
        The place that this one is, and what is wished of each call. See `options`.
    """

    __module__ = "anyplace"

    def options(
        self, *, name: str | None = None, idempotent: bool = False, timeout: float | None = None
    ) -> Self:
        """Give the same open place, with wishes for each call that is made through what this returns.

        Closing either closes the place. Wishes add up: ``place.options(name="a").options(timeout=5)`` has
        both.

        Parameters
        ----------
        name : str, optional
            What errors call the task.
        idempotent : bool, default False
            Doing a task twice does no harm: it may be done again after a crash in the middle.
        timeout : float, optional
            Seconds that one attempt of a task, or of an item of a map, may run. The layer ``timeout`` of
            addresses does the same: a task past its time is ended where the place can, and raises `Timeout`.

        Returns
        -------
        Place
            The same place.

        Raises
        ------
        ConfigInvalid
            If the place has a layer that a time limit cannot stand outside of, such as ``retry``: then write
            the limit into the address.

        Examples
        --------
        >>> import anyplace
        >>> with anyplace.open("threads:2") as place:
        ...     place.options(timeout=60).submit(pow, 2, 3).result()
        8
        """
        kind = type(self)
        return kind.__new__(kind, self.address, view=(self, name, idempotent, timeout))

    @overload
    def map(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        ordered: bool = True,
        buffersize: int | None = None,
    ) -> _core.Map[T]: ...

    @overload
    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        ordered: bool = True,
        buffersize: int | None = None,
    ) -> _core.Map[T]: ...

    def map(
        self,
        fn: Callable[..., Any],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        ordered: bool = True,
        buffersize: int | None = None,
    ) -> _core.Map[Any]:
        """Call `fn` with the items of the iterables, in parallel and lazily.

        Inputs are taken as results are: at most twice the workers plus one chunks are ahead, so that endless
        inputs work. Of a list, a tuple or a range, short chunks may be ahead by 2 ms of work.

        Parameters
        ----------
        fn : callable
            What to call.
        *iterables : iterable
            One for each argument; the shortest ends the map.
        timeout : float, optional
            Seconds that the whole map may take, from this call.
        chunksize : int, optional
            How many items travel together; as many as take about 2 ms unless it is given.
        ordered : bool, default True
            Give results in the inputs' order; else as they come.
        buffersize : int, optional
            How many items may be ahead of the results taken.

        Returns
        -------
        Map
            An iterator; closing it cancels what has not begun.
        """
        return self._map(
            fn,
            iterables,
            star=False,
            timeout=timeout,
            chunksize=chunksize,
            ordered=ordered,
            buffersize=buffersize,
        )

    @overload
    def starmap(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
        iterable: Iterable[Iterable[Any]],
        /,
        *,
        timeout: float | None = None,
        chunksize: int | None = None,
        ordered: bool = True,
        buffersize: int | None = None,
    ) -> _core.Map[T]: ...

    @overload
    def starmap(
        self,
        fn: Callable[..., T],
        iterable: Iterable[Iterable[Any]],
        /,
        *,
        timeout: float | None = None,
        chunksize: int | None = None,
        ordered: bool = True,
        buffersize: int | None = None,
    ) -> _core.Map[T]: ...

    def starmap(
        self,
        fn: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        /,
        *,
        timeout: float | None = None,
        chunksize: int | None = None,
        ordered: bool = True,
        buffersize: int | None = None,
    ) -> _core.Map[Any]:
        """Call ``fn(*item)`` for every item; else as `map`.

        Parameters
        ----------
        fn : callable
            What to call.
        iterable : iterable of iterables
            The arguments of each call.
        timeout, chunksize, ordered, buffersize
            As for `map`.

        Returns
        -------
        Map
            An iterator; closing it cancels what has not begun.
        """
        return self._map(
            fn,
            (iterable,),
            star=True,
            timeout=timeout,
            chunksize=chunksize,
            ordered=ordered,
            buffersize=buffersize,
        )

    def put(self, value: T, /) -> Stored[T]:
        """Put a value where tasks of this place find it, so that it is not sent with each of them.

        Parameters
        ----------
        value : object
            Anything that can travel. Large arrays are copied once, now.

        Returns
        -------
        Stored
            Give it to tasks as an argument; ``get()`` gives the value there.

        Raises
        ------
        NotSerializable
            If it cannot travel and has to.

        Examples
        --------
        >>> import anyplace
        >>> with anyplace.open("threads:2") as place:
        ...     words = place.put(["one", "three"])
        ...     place.submit(lambda: len(words.get())).result()
        2
        """
        from anyplace import _stored

        parts = self._put(value)
        return _stored.here(value) if parts is None else _stored.kept(*parts)

    def __enter__(self) -> Self:
        """Give the place itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the place; after Ctrl-C, without waiting for what has not begun."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._abort()
        else:
            self.close()


def open(
    address: str | None = None,
    *,
    workers: int | None = None,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[Any, ...] = (),
    seed: int | None = None,
    progress: bool | Callable[[_core.Counts], object] | None = None,
    strict: bool = False,
) -> Place:
    """Open a place by its address.

    Parameters
    ----------
    address : str, optional
        Such as ``"threads:8"``; unless it is given, what the variable ``ANYPLACE`` says, or ``"processes:"``.
    workers : int, optional
        How many tasks run at once; it takes the place of the address's number.
    initializer : callable, optional
        What each worker does before its first task.
    initargs : tuple, optional
        What `initializer` is called with.
    seed : int, optional
        The root of all random seeds: the same seed gives the same numbers in every place.
    progress : bool or callable, optional
        A callable is given the `Counts` when they change, at most every 50 ms; True draws them on standard
        error.
    strict : bool, default False
        Break the place for ever when a worker dies, whatever it did and whoever killed it, as
        `concurrent.futures.ProcessPoolExecutor` does: all tasks that have not ended raise `WorkerLost` (a
        ``BrokenProcessPool``), and so does ``submit`` from then on. An argument or a result that cannot be
        unpickled breaks it, too. Elsewhere each of these costs its own task and nothing else. `processes:`
        alone has workers that die; it is the address's option ``strict``.

    Returns
    -------
    Place
        It closes at the end of a ``with`` block, by ``close()``, or when nobody holds it any more.

    Raises
    ------
    ConfigInvalid
        If the address is wrong; it names the part, what is accepted, and the nearest spelling.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     place.submit(sum, [1, 2, 3]).result()
    6
    """
    if address is None:
        address = os.environ.get("ANYPLACE") or "processes:"
    return Place(
        address,
        workers=workers,
        initializer=initializer,
        initargs=initargs,
        seed=seed,
        progress=_drawing if progress is True else progress or None,
        strict=strict,
    )


def _drawing(counts: _core.Counts) -> None:
    from anyplace import _progress

    _progress.draw(counts)


def wrap(
    executor: concurrent.futures.Executor, *, workers: int | None = None, seed: int | None = None
) -> Place:
    """Make a place of any executor: its futures can be awaited, its maps are lazy, its tasks know themselves.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        It stays open when the place is closed.
    workers : int, optional
        How many calls are with the executor at once; as many as it says it has workers, else 64.
    seed : int, optional
        The root of all random seeds.

    Returns
    -------
    Place
        A place whose work the executor does.

    Examples
    --------
    >>> import anyplace, concurrent.futures
    >>> with concurrent.futures.ThreadPoolExecutor(2) as executor, anyplace.wrap(executor) as place:
    ...     list(place.map(abs, [-1, 2]))
    [1, 2]
    """
    workers = workers or getattr(executor, "_max_workers", None) or 64
    return Place(type(executor).__name__, workers=workers, seed=seed, executor=executor)


def _at_exit() -> None:
    """Finish accepted work before the interpreter ends, as the standard library does; not after Ctrl-C."""
    _core.close_all(_was_interrupted())


def _was_interrupted() -> bool:
    """Whether the program ends by Ctrl-C; in a session with a prompt, that one was long ago."""
    return getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1")


try:
    # Before `threading` waits for its own threads, as `concurrent.futures` does: a task may still start one.
    threading._register_atexit(_at_exit)  # type: ignore[attr-defined]
except (AttributeError, RuntimeError):
    atexit.register(_at_exit)
