"""Worker processes: what they are given, what they survive, and that nothing is left of them."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

import anyplace

#: Far more than anything here takes; only a hang is ended by it.
LIMIT_S = 30


def segfault() -> None:
    ctypes.string_at(0)


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Unpicklable:
    def __reduce__(self) -> tuple:
        raise TypeError("not this one")


class RaisesWhenRead:
    def __reduce__(self) -> tuple:
        return int, ("no number",)


class ExitsWhenRead:
    def __reduce__(self) -> tuple:
        return os._exit, (3,)


CRASHES = {
    "segfault": (segfault, anyplace.WorkerLost),
    "SIGKILL": (kill_oneself, anyplace.WorkerLost),
    "os._exit": (lambda: os._exit(1), anyplace.WorkerLost),
    "sys.exit": (lambda: sys.exit(1), SystemExit),
    "an argument that cannot be pickled": (lambda _: None, anyplace.NotSerializable, Unpicklable()),
    "an argument that cannot be read": (lambda _: None, anyplace.NotSerializable, RaisesWhenRead()),
    "an argument that exits when read": (lambda _: None, anyplace.WorkerLost, ExitsWhenRead()),
    "a result that cannot be pickled": (Unpicklable, anyplace.NotSerializable),
    "a result that cannot be read": (RaisesWhenRead, anyplace.NotSerializable),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_costs_one_task(name: str) -> None:
    """Of twenty innocent tasks beside a guilty one all twenty return."""
    guilty, error, *arguments = CRASHES[name]
    with anyplace.open("processes:2") as place:
        before = [place.submit(pow, n, 2) for n in range(4)]
        blamed = place.submit(guilty, *arguments)
        after = [place.submit(pow, n, 2) for n in range(4, 20)]
        with pytest.raises(error):
            blamed.result(LIMIT_S)
        assert [future.result(LIMIT_S) for future in before + after] == [n**2 for n in range(20)]


def test_a_segfault_leaves_its_traceback_in_the_error() -> None:
    """Faulthandler is on, and the worker's last lines come with the error."""
    with anyplace.open("processes:1") as place, pytest.raises(anyplace.WorkerLost) as caught:
        place.submit(segfault).result(LIMIT_S)
    assert caught.value.exit == -signal.SIGSEGV
    assert "in segfault" in caught.value.log_tail


def test_an_endless_task_can_be_ended() -> None:
    """Its worker is killed; the next task has another."""

    def endless() -> None:
        while True:
            pass

    with anyplace.open("processes:1") as place:
        future = place.submit(endless)
        assert future.cancel(kill=True)
        assert place.submit(abs, -1).result(LIMIT_S) == 1
        assert future.cancelled()


def test_a_worker_has_the_callers_paths_and_arguments_but_not_in_its_environment() -> None:
    """What the work starts itself must not inherit them."""
    with anyplace.open("processes:1") as place:
        path, argv, cwd, environment = place.submit(
            lambda: (sys.path, sys.argv[0], os.getcwd(), dict(os.environ))
        ).result()
    assert path == [os.path.abspath(part) for part in sys.path]
    assert (argv, cwd) == (sys.argv[0], os.getcwd())
    assert environment.get("PYTHONPATH") == os.environ.get("PYTHONPATH")


def test_libraries_of_a_worker_use_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many threads as cores in each of many workers would be too many; what the user has set stays."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    with anyplace.open("processes:512") as place:
        threads = place.submit(
            lambda: [os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL")]
        ).result()
    assert threads == ["1", "7"]


def test_a_place_inside_a_worker_takes_its_share_of_the_cores() -> None:
    """Nested places do not multiply threads."""

    def workers_inside() -> int:
        with anyplace.open("threads:") as inner:
            return inner.workers

    with anyplace.open("processes:512") as place:
        assert place.submit(workers_inside).result() == 1


def test_a_failing_initializer_breaks_the_place(caplog: pytest.LogCaptureFixture) -> None:
    """As in the standard library: futures raise BrokenExecutor, and a critical record tells why."""

    def fail() -> None:
        raise ValueError("no such licence")

    with anyplace.open("processes:1", initializer=fail) as place, pytest.raises(BrokenExecutor):
        place.submit(abs, -1).result(LIMIT_S)
    records = [record for record in caplog.records if record.name == "concurrent.futures"]
    assert records[0].levelname == "CRITICAL"
    assert "no such licence" in records[0].getMessage()


MAIN = textwrap.dedent(
    """
    import anyplace

    def square(n):
        return n * n

    with anyplace.open("processes:2") as place:
        print(*place.map(square, range(4)))
    """
)


def run_file(folder: Path) -> list[str]:
    (folder / "script.py").write_text(MAIN)
    return [sys.executable, str(folder / "script.py")]


@pytest.mark.parametrize(
    ("command", "given"),
    [
        (run_file, None),
        (lambda _: [sys.executable, "-c", MAIN], None),
        (lambda _: [sys.executable, "-"], MAIN),
    ],
    ids=["a file", "-c", "standard input"],
)
def test_functions_of_main_run_without_a_guard(tmp_path: Path, command: Callable, given: str | None) -> None:
    """The script is not run again in workers, so it needs no `if __name__ == "__main__"`."""
    done = subprocess.run(command(tmp_path), input=given, capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.stdout, done.stderr) == ("0 1 4 9\n", "")


def test_functions_of_a_notebook_run_as_they_are_now() -> None:
    """A cell that is run again replaces the function, also for running workers."""
    cells = {"__name__": "__main__"}
    with anyplace.open("processes:1") as place:
        for answer in (1, 2):
            exec(f"OFFSET = {answer}\ndef helper():\n    return OFFSET\ndef f():\n    return helper()", cells)
            assert place.submit(cells["f"]).result() == answer


WORKING = """
import anyplace, os, sys, threading
place = anyplace.open("processes:2")
def work(started):
    with open(started, "w") as pipe:
        print(os.getpid(), file=pipe)
    threading.Event().wait()
futures = [place.submit(work, sys.argv[1]) for _ in range(8)]
futures[0].result()
"""


@pytest.fixture
def working(tmp_path: Path):
    """A program in a session of its own whose two workers have begun tasks without end, with their pidfds."""
    started = tmp_path / "started"
    os.mkfifo(started)
    program = subprocess.Popen(
        [sys.executable, "-c", WORKING, str(started)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers: list[int] = []
    while len(workers) < 2:
        workers += [os.pidfd_open(int(line)) for line in started.read_text().split()]
    yield program, workers
    program.kill()
    program.communicate()
    for worker in workers:
        os.close(worker)


def ended(workers: list[int], within: float) -> bool:
    """Whether all of them end in time."""
    return all(select.select([worker], [], [], within)[0] for worker in workers)


def test_workers_end_with_a_parent_that_is_killed(working) -> None:
    """Nobody is left to tell them: the kernel does."""
    program, workers = working
    program.kill()
    assert ended(workers, within=1)


def test_ctrl_c_ends_everything_with_one_traceback(working) -> None:
    """It goes to the whole group, as from a terminal; only the caller speaks of it."""
    program, workers = working
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=LIMIT_S)
    assert ended(workers, within=1)
    assert errors.count("Traceback (most recent call last)") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_the_end_of_the_interpreter_finishes_accepted_work() -> None:
    """As with the standard library's executors; and no worker is left."""
    script = """if True:
        import anyplace, os
        place = anyplace.open("processes:2")
        for n in range(5):
            place.submit(lambda: os.write(1, f"{os.getpid()}\\n".encode()))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT_S)
    workers = done.stdout.split()
    assert (len(workers), done.stderr) == (5, "")
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
