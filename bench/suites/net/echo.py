"""An echo server of Python in a program of its own: `python echo.py NAME` prints where it listens.

It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Literal

import anyplace

#: What a handler reads at most at once.
ROOM = 64 << 10


def blocking(stream: anyplace.Stream) -> None:
    """Give back what comes."""
    while data := stream.read(ROOM):
        stream.write(data)


async def streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back what comes, as asyncio's own example does."""
    while data := await reader.read(ROOM):
        writer.write(data)
        await writer.drain()
    writer.close()


def ours(handler: Any, each: Literal["connection", "request"]) -> None:
    """Serve by a blocking handler on threads."""
    with anyplace.serve(
        "tcp://127.0.0.1:0", handler, on="threads:128", each=each, max_connections=20_000, idle_timeout=None
    ) as server:
        print(server.address.removeprefix("tcp://"), flush=True)
        sys.stdin.read()
        server.stop(0)


async def theirs() -> None:
    """Serve by asyncio's streams."""
    server = await asyncio.start_server(streams, "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()
    print(f"{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    match sys.argv[1]:
        case "connections":
            ours(blocking, "connection")
        case "requests":
            ours(lambda request: request, "request")
        case _:
            asyncio.run(theirs())
