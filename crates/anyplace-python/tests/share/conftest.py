"""The places whose shared objects are tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import anyplace

#: Every kind of place that shares.
PLACES = ["inline:", "threads:2", "retry=2::threads:2", "async:4", "processes:2"]

#: Those whose tasks run beside the caller.
BESIDE = ["threads:2", "processes:2"]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """Each kind of place that shares."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture(params=BESIDE)
def beside(request: pytest.FixtureRequest) -> Iterator[anyplace.Place]:
    """A place whose tasks run beside the caller."""
    with anyplace.open(request.param) as place:
        yield place


@pytest.fixture
def processes() -> Iterator[anyplace.Place]:
    """A place whose tasks run in other processes."""
    with anyplace.open("processes:2") as place:
        yield place
