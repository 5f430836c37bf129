"""What all tests share: the places, a gate that a task waits at, and programs of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

import anyplace
from gate import Gate

#: Places that run plain functions.
PLAIN = ["inline:", "threads:2", "processes:2", "retry=2::threads:2"]
#: Places where tasks run beside the caller, in its own process.
BESIDE = ["threads:2", "retry=2::threads:2"]


@pytest.fixture(params=PLAIN)
def place(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """Each kind of place that runs plain functions."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture(params=BESIDE)
def threads(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place whose tasks can wait for events of the test."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture
def loop_place() -> Iterator[anyplace.Place]:
    """A place that runs coroutines, two at once."""
    with anyplace.open("async:2") as place:
        yield place


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Open it, or the end of the test does."""
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def script() -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a program in an interpreter of its own."""

    def run(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)

    return run
