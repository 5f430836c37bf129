"""From import to the end of the interpreter: quick, prompt, and nothing left behind."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

import anyplace
from gate import Gate

Script = Callable[[str], "subprocess.CompletedProcess[str]"]


def test_import_takes_under_40_ms_and_brings_no_numpy_and_no_asyncio(script: Script) -> None:
    text = (
        "import sys, time; began = time.perf_counter(); import anyplace; took = time.perf_counter() - began\n"
        "assert not {'numpy', 'asyncio', 'concurrent.futures'} & set(sys.modules), 'too much is imported'\n"
        "print(took)"
    )
    runs = [script(text) for _ in range(5)]
    assert all(run.returncode == 0 for run in runs), runs[0].stderr
    assert min(float(run.stdout) for run in runs) < 0.040


def test_the_end_of_the_interpreter_finishes_accepted_work(script: Script) -> None:
    for address in ["threads:2", "async:2", "processes:2"]:
        ran = script(
            "import anyplace, os\n"
            "def say(number): os.write(1, b'%d\\n' % number)\n"
            "async def say_later(number): say(number)\n"
            f"place = anyplace.open({address!r})\n"
            f"what = say_later if {address!r}.startswith('async') else say\n"
            "futures = [place.submit(what, number) for number in range(20)]"
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert sorted(map(int, ran.stdout.split())) == list(range(20))


def test_a_place_that_nobody_holds_closes_without_waiting(gate: Gate) -> None:
    place = anyplace.open("threads:1")
    future = place.submit(gate)
    assert gate.begun.wait(60)
    del place
    gc.collect()
    assert not future.done()
    gate.open.set()
    assert future.result(60) == "passed"


def test_ctrl_c_ends_a_wait_at_once() -> None:
    program = (
        "import anyplace, threading\n"
        "gate = threading.Event()\n"
        "place = anyplace.open('threads:1')\n"
        "future = place.submit(gate.wait)\n"
        "try:\n"
        "    print('waiting', flush=True)\n"
        "    future.result()\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
        "gate.set()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        assert child.wait(60) == 0


def test_ctrl_c_in_a_block_cancels_what_has_not_begun() -> None:
    program = (
        "import anyplace, threading\n"
        "gate = threading.Event()\n"
        "try:\n"
        "    with anyplace.open('threads:1') as place:\n"
        "        running = place.submit(gate.wait, 0.2)\n"
        "        waiting = place.submit(gate.wait)\n"
        "        print('waiting', flush=True)\n"
        "        running.result(), waiting.result()\n"
        "except KeyboardInterrupt:\n"
        "    print('cancelled' if waiting.cancelled() else 'not cancelled', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "cancelled\n"
        assert child.wait(60) == 0


@pytest.mark.parametrize("wait", ["place.close()", "task.result()", "list(place.map(time.sleep, [60] * 8))"])
def test_ctrl_c_ends_a_program_though_its_tasks_run(wait: str) -> None:
    """Whatever it waits for: also for the end of a place that waits for them."""
    program = (
        "import anyplace, time\n"
        "place = anyplace.open('processes:2')\n"
        "task = place.submit(time.sleep, 60)\n"
        "while not task.running(): pass\n"
        f"print('waiting', flush=True)\n{wait}\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert (child.returncode, said.count("Traceback")) == (-signal.SIGINT, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_fork_the_child_is_told_that_the_place_stayed_behind(script: Script) -> None:
    ran = script(
        "import anyplace, os\n"
        "place = anyplace.open('threads:1')\n"
        "place.submit(abs, -1).result()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        place.submit(abs, -1)\n"
        "    except anyplace.PlaceClosed as error:\n"
        "        print('fork' in str(error), flush=True)\n"
        "    with anyplace.open('threads:1') as own:\n"
        "        print(own.submit(abs, -2).result(), flush=True)\n"
        "else:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    print(place.submit(abs, -3).result())\n"
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["True", "2", "3"]


def test_environment_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYPLACE", "threads:3")
    with anyplace.open() as place:
        assert (place.address, place.workers) == ("threads:3", 3)


def test_workers_take_the_place_of_the_addresss_number() -> None:
    with anyplace.open("retry=2::threads:", workers=3) as place:
        assert (place.workers, place.layers) == (3, ("retry",))


def test_the_wheel_carries_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "anyplace._cli", "map", "echo {}", ":::", "one"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout) == (0, "one\n"), ran.stderr
