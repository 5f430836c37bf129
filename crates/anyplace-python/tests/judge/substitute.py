"""Puts our executors in the place of CPython's, so that its tests test ours without knowing."""

import concurrent.futures
import sys
from pathlib import Path

JUDGE = Path(__file__).parent

#: Where the suite is found, here and in workers.
PATHS = [str(JUDGE), str(JUDGE / "suite")]


def is_wanted() -> bool:
    """Whether ours are judged, and not CPython's own."""
    return "--stdlib" not in sys.argv


def multiprocessing() -> None:
    """``multiprocessing`` gives our processes and pools from here on."""
    import multiprocessing

    from anyplace import multiprocessing as ours

    for name in ours.__all__:
        setattr(multiprocessing, name, getattr(ours, name))


def executors() -> None:
    """``concurrent.futures`` gives our executors from here on."""
    import anyplace

    class ThreadPoolExecutor(concurrent.futures.Executor):
        def __new__(cls, max_workers=None, thread_name_prefix="", initializer=None, initargs=()):
            return anyplace.open(_address("threads", max_workers), initializer=initializer, initargs=initargs)

    class ProcessPoolExecutor(concurrent.futures.Executor):
        # The context says how multiprocessing starts processes; ours are always started afresh.
        def __new__(
            cls, max_workers=None, mp_context=None, initializer=None, initargs=(), *, max_tasks_per_child=None
        ):
            address = _address("processes", max_workers)
            if max_tasks_per_child is not None:
                address += f"?max_tasks={max_tasks_per_child}"
            return anyplace.open(address, initializer=initializer, initargs=initargs)

    concurrent.futures.ThreadPoolExecutor = ThreadPoolExecutor
    concurrent.futures.ProcessPoolExecutor = ProcessPoolExecutor


def scripts(first: str) -> None:
    """Scripts that tests start find the suite, though they run isolated, and do `first` for ours."""
    from test.support import script_helper

    prelude = f"import sys; sys.path[:0] = {PATHS!r}; {first if is_wanted() else ''}\n"
    original = script_helper.assert_python_ok

    def assert_python_ok(*args, **env):
        if args[0] == "-c":
            args = ("-c", prelude + args[1], *args[2:])
        return original(*args, **env)

    script_helper.assert_python_ok = assert_python_ok


def _address(scheme: str, max_workers: int | None) -> str:
    return f"{scheme}:{'' if max_workers is None else max_workers}"
