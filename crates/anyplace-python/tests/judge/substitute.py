"""Puts our executors in the place of CPython's, so that its tests test ours without knowing."""

import concurrent.futures
import importlib
import sys
from pathlib import Path

JUDGE = Path(__file__).parent

#: Where the suite is found, here and in workers.
PATHS = [str(JUDGE), str(JUDGE / "suite")]


def is_wanted() -> bool:
    """Whether ours are judged, and not CPython's own."""
    return "--stdlib" not in sys.argv


def multiprocessing() -> None:
    """``multiprocessing`` gives ours from here on."""
    import multiprocessing

    from anyplace import multiprocessing as ours

    modules = ["managers", "queues", "sharedctypes", "synchronize"]
    for name in modules:
        # What is imported later would take the place of ours.
        importlib.import_module(f"multiprocessing.{name}")
    for name in [*ours.__all__, *modules]:
        setattr(multiprocessing, name, getattr(ours, name))
    # Of the other modules CPython's own pools take what they know the inside of.
    sys.modules["multiprocessing.sharedctypes"] = ours.sharedctypes


def insides() -> None:
    """And with names of CPython's inside that its tests look at."""
    import multiprocessing

    import insides

    multiprocessing.Condition = insides.Condition


def threading() -> None:
    """``threading`` gives our locks from here on, also to its own threads and timers."""
    import threading

    from anyplace import threading as ours

    for name in ours.__all__:
        setattr(threading, name, getattr(ours, name))
    threading._CRLock = ours.RLock


def sockets() -> None:
    """``import socket`` and ``socketserver`` give ours from here on, to the suite and to what it imports."""
    from anyplace import socket, socketserver

    sys.modules.update(socket=socket, socketserver=socketserver)


def executors() -> None:
    """``concurrent.futures`` gives our executors from here on."""
    import pools

    concurrent.futures.ThreadPoolExecutor = pools.ThreadPoolExecutor
    concurrent.futures.ProcessPoolExecutor = pools.ProcessPoolExecutor


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
