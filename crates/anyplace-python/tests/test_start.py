"""How workers come into being and end: their zygote, what they begin with, what a kill leaves behind."""

from __future__ import annotations

import logging
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import anyplace
from leftovers import Holdings

LIMIT_S = 30
#: No process of ours outlives a killed program by more.
GONE_S = 0.1

Script = Callable[..., subprocess.CompletedProcess[str]]


def _is_there(pid: int) -> bool:
    """Whether the process runs: one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _ended(pids: list[int], within: float) -> bool:
    """Whether all these processes end within so many seconds."""
    descriptors = []
    for pid in pids:
        try:
            descriptors.append(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
    until = time.monotonic() + within
    try:
        return all(select.select([fd], [], [], max(0, until - time.monotonic()))[0] for fd in descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _zygote(place: anyplace.Place) -> int:
    return place.submit(os.getppid).result(LIMIT_S)


SHARING = """
import anyplace, os

def zygote(place):
    return place.submit(os.getppid).result()

with anyplace.open("processes:1") as one:
    with anyplace.open("processes:2") as two:
        shared = zygote(one)
        assert shared == zygote(two) != os.getpid()
    assert os.path.exists(f"/proc/{shared}")
assert not os.path.exists(f"/proc/{shared}")
print("gone")
"""


def test_places_share_one_zygote_and_the_last_takes_it_along(script: Script) -> None:
    """Workers are children of a process that no task runs in; it is there as long as a place is open."""
    done = script(SHARING)
    assert (done.stdout, done.stderr) == ("gone\n", "")


def test_exec_makes_workers_children_of_the_caller() -> None:
    """`start=exec` has no process between."""
    with anyplace.open("processes:1?start=exec") as place:
        assert _zygote(place) == os.getpid()


def test_a_killed_zygote_costs_what_ran_and_is_replaced() -> None:
    """Its workers go with it; the place goes on with another."""
    with anyplace.open("processes:2") as place:
        zygote = _zygote(place)
        running = place.submit(time.sleep, 1000)
        while not running.running():
            pass
        os.kill(zygote, signal.SIGKILL)
        with pytest.raises(anyplace.WorkerLost) as lost:
            running.result(LIMIT_S)
        assert lost.value.exit == -signal.SIGKILL
        assert _zygote(place) != zygote


SEEN = "nothing"


def test_a_fork_of_the_caller_has_its_globals_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    """`start=fork`: what was done before the task came is there, records come once."""
    global SEEN
    before = Holdings.now()
    with anyplace.open("processes:2?start=fork") as place:
        SEEN = "something"

        def look() -> tuple[int, str]:
            logging.getLogger("forked").warning("looked")
            return os.getppid(), sys.modules[__name__].SEEN

        assert place.submit(look).result(LIMIT_S) == (os.getpid(), "something")
        with pytest.raises(anyplace.WorkerLost):
            place.submit(os._exit, 3).result(LIMIT_S)
        assert place.submit(signal.getsignal, signal.SIGINT).result(LIMIT_S) == signal.SIG_IGN
        assert sorted(place.map(abs, range(-9, 0))) == list(range(1, 10))
    assert [record.getMessage() for record in caplog.records] == ["looked"]
    del place
    before.is_all_again()


START = pytest.mark.parametrize("start", ["zygote", "exec"])


def _beginnings() -> dict[str, object]:
    return {
        "path": sys.path,
        "argv": sys.argv,
        "folder": os.getcwd(),
        "prefixes": (sys.prefix, sys.exec_prefix),
        "flags": list(sys.flags),
        "variables": {name: os.environ.get(name) for name in ("BEFORE", "OWN", "GONE")},
        "builtins": [callable(made) for made in (exit, help)],  # of `site`
        "stdin": sys.stdin.read(),
        "ignored": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
        "group": os.getpgrp() == os.getpid(),
        "descriptors": sorted(os.readlink(f"/proc/self/fd/{fd}").partition(":")[0] for fd in (0, 1, 2)),
    }


@START
def test_a_worker_begins_as_its_caller_is(
    start: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Paths, arguments, folder, environment, prefixes and flags; also when they change between two places."""
    with anyplace.open(f"processes:1?start={start}"):
        monkeypatch.setenv("BEFORE", "opening")
        monkeypatch.delenv("GONE", raising=False)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path, "/added/later"])
        with anyplace.open(f"processes:1?start={start}&env=OWN=a=b%252Cc") as place:
            begun = place.submit(_beginnings).result(LIMIT_S)
    assert begun["path"] == [os.path.abspath(part) for part in sys.path]
    assert begun["argv"] == sys.argv[:1]
    assert begun["folder"] == str(tmp_path)
    assert begun["prefixes"] == (sys.prefix, sys.exec_prefix)
    assert begun["flags"] == list(sys.flags)
    assert begun["variables"] == {"BEFORE": "opening", "OWN": "a=b,c", "GONE": None}
    assert begun["builtins"] == [True, True]
    assert (begun["stdin"], begun["ignored"], begun["group"]) == ("", True, True)


@START
def test_a_worker_holds_no_line_of_another(start: str) -> None:
    """So that the end of one is seen by all who wait for it."""

    def sockets() -> set[str]:
        found = set()
        for number in os.listdir("/proc/self/fd"):
            try:
                found.add(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:  # that of the listing
                continue
        return {name for name in found if name.startswith("socket:")}

    with anyplace.open(f"processes:3?start={start}") as place:
        held = [future.result(LIMIT_S) for future in [place.submit(sockets) for _ in range(30)]]
    for one in held:
        assert all(one == other or not one & other for other in held)
        assert len(one) <= 1


def test_random_numbers_of_forked_workers_differ() -> None:
    """Workers are copies of one process, but not of its chance."""
    numbers = set()
    for _ in range(3):
        with anyplace.open("processes:1?preload=random") as place:
            numbers.add(place.submit(lambda: random.random()).result(LIMIT_S))
    with anyplace.open("processes:1?preload=random&max_tasks=1") as place:
        numbers |= {place.submit(lambda: random.random()).result(LIMIT_S) for _ in range(3)}
    assert len(numbers) == 6


def test_numpys_old_random_numbers_differ_too() -> None:
    """Its state is copied by a fork, so each worker gets a fresh one."""
    pytest.importorskip("numpy")

    def draw() -> float:
        import numpy as np

        return float(np.random.random())

    with anyplace.open("processes:1?preload=numpy.random&max_tasks=1") as place:
        assert len({place.submit(draw).result(LIMIT_S) for _ in range(3)}) == 3


def test_preloaded_modules_are_there_when_a_task_comes() -> None:
    """The zygote imports them once for all workers of the place."""
    with anyplace.open("processes:1?preload=wave,xml.dom.minidom") as place:
        assert place.submit(lambda: {"wave", "xml.dom.minidom"} <= sys.modules.keys()).result(LIMIT_S)


def test_a_module_that_cannot_be_preloaded_is_named() -> None:
    """And the place says so to each task, at once."""
    with anyplace.open("processes:1?preload=no_such_module") as place:
        for _ in range(2):
            with pytest.raises(anyplace.WorkerLost, match="'no_such_module' cannot be preloaded"):
                place.submit(abs, -1).result(LIMIT_S)


@START
def test_cores_of_the_address_are_those_of_the_workers(start: str) -> None:
    """As many workers as cores where no number says otherwise, and libraries share these cores."""
    core = min(os.sched_getaffinity(0))
    with anyplace.open(f"processes:?cpus={core}&start={start}") as place:
        assert place.workers == 1
        used, cores = place.submit(lambda: (os.sched_getaffinity(0), anyplace._core.usable_cores())).result()
    assert (used, cores) == ({core}, 1)
    with pytest.raises(anyplace.ConfigInvalid, match="may not use core 8000"):
        anyplace.open("processes:1?cpus=8000")


GREEDY = """
import anyplace
with anyplace.open("processes:1?memory=300MiB&start=START") as place:
    try:
        place.submit(lambda: len(bytearray(1 << 30))).result()
    except MemoryError as refused:
        assert "may use 314572800 bytes of memory" in "".join(refused.__notes__)
    assert place.submit(lambda: len(bytearray(100 << 20))).result() == 100 << 20
print("refused once")
"""


@pytest.mark.parametrize("start", ["zygote", "exec", "fork"])
def test_a_task_that_wants_too_much_memory_fails_alone(start: str, script: Script) -> None:
    """It is told by MemoryError; the next has a worker as ever."""
    done = script(GREEDY.replace("START", start))
    assert (done.stdout, done.stderr) == ("refused once\n", "")


PLUGIN = """
import sys
from importlib.machinery import ModuleSpec

class Conjurer:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name == "conjured" else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        module.answer = lambda: 42

sys.meta_path.append(Conjurer())
"""

CONJURING = """
import anyplace

def ask():
    import conjured
    return conjured.answer()

with anyplace.open("processes:1?start={start}") as place:
    print(ask(), place.submit(ask).result())
"""


@START
def test_import_hooks_of_pth_files_work_in_workers(start: str, tmp_path: Path) -> None:
    """Editable installs bring such hooks: what imports in the caller, imports in its workers."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    (packages / "conjurer.py").write_text(PLUGIN)
    (packages / "conjurer.pth").write_text("import conjurer\n")
    others = {str(Path(anyplace.__file__).parent.parent), str(Path(pytest.__file__).parent.parent)}
    (packages / "others.pth").write_text("\n".join(others))
    command = [tmp_path / "venv/bin/python", "-c", CONJURING.format(start=start)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.stdout, done.stderr) == ("42 42\n", "")


@START
def test_what_sitecustomize_does_is_done_in_workers(start: str, tmp_path: Path) -> None:
    """Profilers and tracers put themselves in there."""
    (tmp_path / "sitecustomize.py").write_text(PLUGIN)
    done = subprocess.run(
        [sys.executable, "-c", CONJURING.format(start=start)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert (done.stdout, done.stderr) == ("42 42\n", "")


Working = tuple[subprocess.Popen[str], list[int], list[int]]

WORKING = """
import anyplace, os, subprocess, sys, time
place = anyplace.open("processes:2?start=" + sys.argv[1])
def work():
    child = subprocess.Popen(["sleep", "1000"])
    # In one piece: two write at once.
    os.write(1, f"{os.getppid()} {os.getpid()} {child.pid}\\n".encode())
    child.wait()
futures = [place.submit(work) for _ in range(2)]
futures[0].result()
"""


@pytest.fixture(params=["zygote", "exec", "fork"])
def working(request: pytest.FixtureRequest) -> Iterator[Working]:
    """A program whose two workers run endless tasks, the processes of its place, and what they started."""
    command = [sys.executable, "-c", WORKING, request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = [program.stdout.readline().split() for _ in range(2)]
        ours = sorted({int(word) for line in lines for word in line[:2]} - {program.pid})
        started = [int(line[2]) for line in lines]
        try:
            yield program, ours, started
        finally:
            program.kill()
            for pid in filter(_is_there, ours + started):
                os.kill(pid, signal.SIGKILL)


def test_a_killed_program_leaves_no_process(working: Working) -> None:
    """Neither zygote nor workers live on, and of a zygote's workers not even what they have started."""
    program, ours, started = working
    has_zygote = len(ours) == 3
    program.kill()
    assert _ended(ours + started if has_zygote else ours, within=GONE_S)


def test_a_program_killed_before_its_zygote_is_ready_leaves_none() -> None:
    """However early it ends."""
    opened = "import anyplace, os; place = anyplace.open('processes:2'); place.submit(abs, 1); "
    command = [sys.executable, "-c", opened + "os.kill(os.getpid(), 9)"]
    for _ in range(5):
        with subprocess.Popen(command, start_new_session=True) as program:
            program.wait(LIMIT_S)
            until = time.monotonic() + GONE_S
            while _of_session(program.pid):
                assert time.monotonic() < until, "something is left"


def _of_session(session: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[3]) == session and words[0] not in "ZX":
            found.append(stat.parent.name)
    return found


def test_a_thousand_places_leave_nothing_behind() -> None:
    """No thread, descriptor or process, whether or not a worker was ever started."""
    with anyplace.open("processes:1") as place:
        place.submit(abs, -1).result(LIMIT_S)
    del place
    before = Holdings.now()
    for _ in range(20):
        anyplace.open("processes:2").close()
    with anyplace.open("processes:1") as keeper:
        zygote = _zygote(keeper)
        for number in range(1000):
            with anyplace.open("processes:2") as place:
                if number % 10 == 0:
                    assert place.submit(abs, -number).result(LIMIT_S) == number
        assert _zygote(keeper) == zygote
    del place, keeper
    before.is_all_again()


FORKING = """
import anyplace, os, sys

place = anyplace.open("processes:1")
assert place.submit(abs, -1).result() == 1
worker = place.submit(os.getpid).result()
child = os.fork()
if child == 0:
    try:
        place.submit(abs, -2)
    except anyplace.PlaceClosed as error:
        assert "opened before a fork" in str(error), error
    del place
    with anyplace.open("processes:1") as own:
        assert own.submit(os.getppid).result() != os.getpid()
        assert own.submit(abs, -3).result() == 3
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert place.submit(os.getpid).result() == worker
place.close()
print("unharmed")
"""


def test_a_fork_in_user_code_does_not_harm_the_parents_place(script: Script) -> None:
    """The child is told that it cannot use it, may open its own, and its end does no harm."""
    done = script(FORKING)
    assert (done.stdout, done.stderr) == ("unharmed\n", "")


LIMITED = """
import anyplace, os, resource
place = anyplace.open("processes:1?start=exec")
for task in ((abs, -1), (int, "x"), (os._exit, 1), (abs, -1)):
    place.submit(*task).exception()  # what this takes is imported now: another user may not read it
most = resource.getrlimit(resource.RLIMIT_NPROC)
os.setresuid(65534, 65534, 0)
resource.setrlimit(resource.RLIMIT_NPROC, (1, most[1]))
place.submit(os._exit, 1).exception()
error = place.submit(abs, -1).exception()
os.setresuid(0, 0, 0)
resource.setrlimit(resource.RLIMIT_NPROC, most)
assert isinstance(error, anyplace.ResourceExhausted), repr(error)
print(error.help)
assert place.submit(abs, -1).result() == 1
place.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="a limit of processes binds users; only root can become another")
def test_a_limit_of_processes_is_a_clear_error(script: Script) -> None:
    """The task is told, and the place goes on when there is room again."""
    done = script(LIMITED)
    assert "ulimit -u" in done.stdout, done.stderr


def test_a_place_needs_no_folder_for_temporary_files() -> None:
    """Nothing of it is in the file system."""
    text = "import anyplace; print(*anyplace.open('processes:2').map(abs, range(-3, 0)))"
    variables = {**os.environ, "TMPDIR": "/proc/1/no-such-folder"}
    done = subprocess.run(
        [sys.executable, "-c", text], env=variables, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert (done.stdout, done.stderr) == ("3 2 1\n", "")
