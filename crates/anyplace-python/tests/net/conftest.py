"""A stream at each kind of address."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyplace
from anyplace import Listener
from streams import Pair


@pytest.fixture(params=["tcp", "unix"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    """Where streams are opened."""
    address = "tcp://127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path / 'door'}"
    with anyplace.listen(address) as listener:
        yield listener


@pytest.fixture
def pair(listener: Listener) -> Iterator[Pair]:
    """Two ends of one stream."""
    with contextlib.ExitStack() as stack:
        near = anyplace.connect(listener.endpoint)
        far = listener.accept()
        stack.callback(near.abort)
        stack.callback(far.abort)
        yield near, far
