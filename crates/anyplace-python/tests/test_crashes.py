"""Our column of the crash matrix (`bench/crashes`): a crash costs the task that crashed, and nothing else."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

import anyplace

CRASHES = Path(__file__).parents[3] / "bench/crashes"

#: How the guilty task ends, by case.
GUILTY = {
    "segfault": "WorkerLost",
    "SIGKILL": "WorkerLost",
    "os._exit": "WorkerLost",
    "sys.exit": "SystemExit",
    "endless (limit 1 s)": "Timeout",
    "argument does not pickle": "NotSerializable",
    "argument does not unpickle": "NotSerializable",
    "os._exit while unpickling": "WorkerLost",
    "result does not pickle": "NotSerializable",
    "exception does not pickle": "TaskFailed",
    "result does not unpickle": "NotSerializable",
    "exception does not unpickle": "TaskFailed",
}
#: What the error of a dead worker says of its end.
NAMES = {
    "segfault": "SIGSEGV",
    "SIGKILL": "SIGKILL",
    "os._exit": "exit code 1",
    "os._exit while unpickling": "exit code 3",
}
#: Far more than a case takes; only a hang is ended by it.
PATIENCE_S = 30.0


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """The script that makes the table."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(CRASHES)
    import matrix

    yield matrix
    # Its modules have short names, which others may want.
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_every_case_of_the_matrix_is_here(matrix) -> None:
    assert list(GUILTY) == list(matrix.CASES)


@pytest.mark.parametrize("case", GUILTY)
def test_a_crash_costs_the_guilty_task_alone(matrix, case: str) -> None:
    """Twenty innocents of twenty return, and the place goes on."""
    told = matrix.crash("anyplace", case, PATIENCE_S)
    assert (told["guilty"], told["innocents"], told["usable"]) == (GUILTY[case], 20, True), told["text"]
    assert NAMES.get(case, "") in told["text"]


def test_a_killed_program_leaves_no_worker(matrix) -> None:
    assert matrix.ENDINGS["program killed"]("anyplace")["left"] == 0


def test_ctrl_c_ends_a_busy_program_with_one_traceback(matrix) -> None:
    """Within a second here, where other tests may run beside it; the matrix says how long it takes alone."""
    told = matrix.ENDINGS["Ctrl-C"]("anyplace")
    assert told["tracebacks"] == 1
    assert told["seconds"] < 1


def test_the_end_of_a_strict_place_is_not_a_cancellation() -> None:
    """What ran beside the crash is lost with it, and so is the crash itself."""
    with anyplace.open("processes:2?strict=true") as place:
        beside, guilty = place.submit(time.sleep, 60), place.submit(os._exit, 3)
        for future in (guilty, beside):
            with pytest.raises(anyplace.WorkerLost, match="exit code 3"):
                future.result(PATIENCE_S)
            assert not future.cancelled()


def large_or_die(number: int) -> object:
    if number == 395:
        os.kill(os.getpid(), signal.SIGKILL)
    if number % 3 == 0:
        return bytes([number % 256]) * 50_000
    return numpy.full(20_000, number) if number % 3 == 1 else number


def test_large_results_of_a_chunk_are_not_lost_with_its_worker() -> None:
    """They stand beside the others, and are finished as those are."""
    with anyplace.open("processes:1") as place:
        results = place.map(large_or_die, range(400), chunksize=400)
        for number in range(400):
            if number == 395:
                with pytest.raises(anyplace.WorkerLost):
                    next(results)
            elif number % 3 == 1:
                assert numpy.array_equal(next(results), numpy.full(20_000, number))
            else:
                assert next(results) == (bytes([number % 256]) * 50_000 if number % 3 == 0 else number)
