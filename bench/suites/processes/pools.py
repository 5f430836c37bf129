"""The pools that are compared, each behind the three calls that the measures need."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import multiprocessing.pool
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import anyplace


@dataclass(frozen=True)
class Pool:
    """An open pool. Its calls are the pool's own wherever they can be: only those are to be measured."""

    #: Sends one call.
    submit: Callable[..., Any]
    #: Waits for what `submit` gave.
    result: Callable[[Any], Any]
    #: Calls a function with each item; `None` leaves the size of chunks to the pool.
    map: Callable[[Callable[[Any], Any], Sequence[Any], int | None], Iterable[Any]]
    #: The pool as an executor, if it is one.
    executor: concurrent.futures.Executor | None = None


@dataclass(frozen=True)
class Contender:
    """A pool that can be opened, with so many workers."""

    name: str
    open: Callable[[int], AbstractContextManager[Pool]]
    #: Whether its `map` sends several items together unless it is told otherwise.
    makes_chunks: bool = False


@contextmanager
def ours(workers: int) -> Iterator[Pool]:
    """A place, with Python's usual calls."""
    with anyplace.open(f"processes:{workers}") as place:

        def mapped(function: Callable[[Any], Any], items: Sequence[Any], size: int | None) -> Iterable[Any]:
            return place.map(function, items, chunksize=size)

        yield Pool(place.submit, anyplace.Future.result, mapped, place)


@contextmanager
def standard(workers: int) -> Iterator[Pool]:
    """The standard library's executor, with workers made by fork: its fastest way."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as executor:
        yield of_executor(executor)


@contextmanager
def loky(workers: int) -> Iterator[Pool]:
    """The executor beneath joblib."""
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as executor:
        yield of_executor(executor)


def of_executor(executor: concurrent.futures.Executor) -> Pool:
    """Call an executor as its documentation does."""

    def mapped(function: Callable[[Any], Any], items: Sequence[Any], size: int | None) -> Iterable[Any]:
        return executor.map(function, items, chunksize=size or 1)

    return Pool(executor.submit, concurrent.futures.Future.result, mapped, executor)


@contextmanager
def multi(workers: int) -> Iterator[Pool]:
    """`multiprocessing.Pool` with workers made by fork."""
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield Pool(
            lambda function, *arguments: pool.apply_async(function, arguments),
            multiprocessing.pool.AsyncResult.get,
            pool.map,
        )
        pool.close()
        pool.join()


@contextmanager
def pebble(workers: int) -> Iterator[Pool]:
    """The pool whose tasks may have time limits."""
    from pebble import ProcessPool

    with ProcessPool(workers, context=multiprocessing.get_context("fork")) as pool:

        def mapped(function: Callable[[Any], Any], items: Sequence[Any], size: int | None) -> Iterable[Any]:
            results: Iterable[Any] = pool.map(function, items, chunksize=size or 1).result()
            return results

        yield Pool(
            lambda function, *arguments: pool.schedule(function, args=arguments),
            concurrent.futures.Future.result,
            mapped,
        )


#: THE pools, ours first.
CONTENDERS = [
    Contender("anyplace", ours, makes_chunks=True),
    Contender("ProcessPoolExecutor", standard),
    Contender("multiprocessing.Pool", multi, makes_chunks=True),
    Contender("loky", loky),
    Contender("pebble", pebble),
]


def named(name: str) -> Contender:
    """The contender of that name."""
    return next(contender for contender in CONTENDERS if contender.name == name)
