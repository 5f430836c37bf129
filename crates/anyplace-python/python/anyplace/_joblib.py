"""A place as joblib's backend: ``Parallel`` and what stands on it (scikit-learn) run there.

joblib has two ways to get results. With `supports_retrieve_callback` they come by callbacks, and whoever
wants them looks every 10 ms whether they have: a call of two short tasks takes 11 ms so. Without it the
backend is asked and may wait: then the same call takes a millisecond. So results are asked for, except where
they are wanted in the order in which they come (``return_as="generator_unordered"``), which joblib only does
by callbacks.

Workers stay for the next call with the same wishes, as those of joblib's own default backend do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from joblib._parallel_backends import (
    AutoBatchingMixin,
    FallbackToBackend,
    ParallelBackendBase,
    SequentialBackend,
)
from joblib.parallel import register_parallel_backend

import anyplace

from . import _core
from .multiprocessing._results import AsyncResult


def register_joblib(*, address: str = "processes:", make_default: bool = False) -> None:
    """Make ``"anyplace"`` one of joblib's backends.

    Parameters
    ----------
    address : str, default "processes:"
        The place that does the work; joblib's ``n_jobs`` says how many workers it has.
    make_default : bool, default False
        Let joblib use it wherever nothing else is asked for.

    Raises
    ------
    ImportError
        If joblib is not installed.

    Examples
    --------
    >>> import anyplace, joblib
    >>> anyplace.register_joblib()
    >>> with joblib.parallel_config("anyplace", n_jobs=2):
    ...     joblib.Parallel()(joblib.delayed(abs)(n) for n in [-1, 2])
    [1, 2]
    """
    # joblib compares the classes of backends, so each address has its own.
    kind = type("PlaceBackend", (PlaceBackend,), {"address": address})
    register_parallel_backend("anyplace", kind, make_default=make_default)


class PlaceBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """Runs the batches of a `joblib.Parallel` in a place.

    Parameters
    ----------
    nesting_level : int, optional
        How many calls this one is within.
    inner_max_num_threads : int, optional
        How many threads the libraries under numpy use in each worker.
    **wishes
        ``initializer`` and ``initargs``, done by each worker first. What joblib's own backends take besides
        (memory maps of large arrays) is not needed: arrays do not travel inside the pickle.
    """

    #: The place that does the work.
    address = "processes:"

    uses_threads = False
    supports_sharedmem = False
    supports_timeout = True
    supports_return_generator = True
    supports_inner_max_num_threads = True

    def __init__(self, **wishes: Any) -> None:
        super().__init__(**wishes)
        self.parallel: Any = None
        self._workers: anyplace.Place | None = None

    @property
    def supports_retrieve_callback(self) -> bool:
        """Whether results come by callbacks, not in order; see the module."""
        return self.parallel is not None and not self.parallel.return_ordered

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """How many workers ``n_jobs`` means: negative numbers count from the cores down."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        return n_jobs if n_jobs > 0 else max(_core.usable_cores() + 1 + n_jobs, 1)

    def configure(
        self, n_jobs: int = 1, parallel: Any = None, prefer: Any = None, require: Any = None, **wishes: Any
    ) -> int:
        """Open the place; with one worker, let joblib do the work itself."""
        n_jobs = self.effective_n_jobs(n_jobs)
        if n_jobs == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        self.parallel = parallel
        wishes = {**self.backend_kwargs, **wishes}
        threads = self._prepare_worker_env(n_jobs) if self.inner_max_num_threads else {}
        first = wishes.get("initializer"), tuple(wishes.get("initargs") or ())
        self._workers = _kept.get(self.address, n_jobs, threads, *first)
        return n_jobs

    def submit(self, func: Callable[[], Any], callback: Callable[..., Any] | None = None) -> Any:
        """Run a batch in the place."""
        assert self._workers is not None
        future = self._workers.submit(_call, func)
        if not self.supports_retrieve_callback:
            # Who waits for it goes on when joblib has heard of it, too: else it would sleep 10 ms to look
            # again.
            return AsyncResult(future, callback, callback)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result(self, out: AsyncResult[Any], timeout: float | None = None) -> Any:
        """Wait for a batch's results."""
        return out.get(timeout)

    def retrieve_result_callback(self, out: anyplace.Future[Any]) -> Any:
        """Give the results of a batch that has ended."""
        return out.result()

    def terminate(self) -> None:
        """Let go of the workers; they stay for the next call."""
        self._workers = None
        self.reset_batch_stats()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """End what runs, and be ready again if that is wanted."""
        if self._workers is not None:
            _kept.drop(self._workers)
            self._workers = None
        if ensure_ready:
            self.configure(n_jobs=self.parallel.n_jobs, parallel=self.parallel)


class _Kept:
    """The place of the last call, for the next one that has the same wishes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._place: anyplace.Place | None = None
        self._wishes: tuple[Any, ...] = ()

    def get(self, *wishes: Any) -> anyplace.Place:
        # The child of a fork has not got its parent's workers.
        wishes = (os.getpid(), *wishes)
        with self._lock:
            if self._place is None or self._place.closed or wishes != self._wishes:
                # Calls that still use the one before keep it; it closes when the last has let go.
                self._place, self._wishes = _open(*wishes[1:]), wishes
            return self._place

    def drop(self, place: anyplace.Place) -> None:
        with self._lock:
            if self._place is place:
                self._place = None
        place._abort()


_kept = _Kept()


def _open(
    address: str,
    n_jobs: int,
    threads: dict[str, str],
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
) -> anyplace.Place:
    if not threads and initializer is None:
        return anyplace.open(address, workers=n_jobs)
    return anyplace.open(
        address, workers=n_jobs, initializer=_initialize, initargs=(threads, initializer, initargs)
    )


def _initialize(
    threads: dict[str, str], initializer: Callable[..., object] | None, initargs: tuple[Any, ...]
) -> None:
    # Before the first task, so before the libraries that look at it are loaded.
    os.environ.update(threads)
    if initializer is not None:
        initializer(*initargs)


def _call(batch: Callable[[], Any]) -> Any:
    return batch()
