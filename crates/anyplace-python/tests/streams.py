"""What tests of streams have in common."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

from anyplace import Listener, Stream
from door import PATIENCE

Pair = tuple[Stream, Stream]


def foreign(listener: Listener) -> socket.socket:
    """A client that knows nothing of ours."""
    scheme, _, place = listener.endpoint.partition(":")
    if scheme == "unix":
        client = socket.socket(socket.AF_UNIX)
        client.connect(place)
        return client
    host, _, port = place.strip("/").rpartition(":")
    return socket.create_connection((host, int(port)))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, PATIENCE))
