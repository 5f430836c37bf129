"""Datagrams by address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyplace
from anyplace import Datagram
from streams import run
from test_socket import beside, until_asleep


@pytest.fixture(params=["udp", "unixgram"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Datagram]:
    """Who receives datagrams."""
    address = "udp://127.0.0.1:0" if request.param == "udp" else f"unixgram:{tmp_path / 'box'}"
    with anyplace.bind(address) as server:
        yield server


def test_datagrams_arrive_whole_and_are_answered(server: Datagram) -> None:
    with Datagram.to(server.endpoint) as client:
        for size in 0, 1, 60000:
            client.send(bytes(size))
            data, who = server.recv()
            assert data == bytes(size)
        assert who == client.local
        if who is not None:
            server.send(b"answer", who)
            assert client.recv() == (b"answer", server.endpoint)


def test_a_datagram_of_the_standard_library_is_received() -> None:
    with (
        anyplace.bind("udp://127.0.0.1:0") as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.bind(("127.0.0.1", 0))
        client.sendto(b"hello", ("127.0.0.1", int(server.endpoint.rpartition(":")[2])))
        assert server.recv() == (b"hello", f"udp://127.0.0.1:{client.getsockname()[1]}")


def test_datagrams_end_with_their_time_and_with_ctrl_c(server: Datagram) -> None:
    with pytest.raises(anyplace.Timeout):
        server.recv(timeout=0.02)

    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        server.recv()


def test_a_datagram_that_is_too_long_is_told() -> None:
    with anyplace.bind("udp://127.0.0.1:0") as server, Datagram.to(server.endpoint) as client:
        client.send(b"long")
        with pytest.raises(anyplace.Error, match="longer than 2 bytes"):
            server.recv(2)


def test_datagrams_are_awaited(server: Datagram) -> None:
    async def talk() -> None:
        async with Datagram.to(server.endpoint) as client:
            receiving = asyncio.create_task(server.recv_async())
            await asyncio.sleep(0)
            await client.send_async(b"there")
            assert (await receiving)[0] == b"there"
            with pytest.raises(TimeoutError):
                await server.recv_async(timeout=0.02)
            waiting = asyncio.create_task(server.recv_async())
            await asyncio.sleep(0)
            server.close()
            with pytest.raises(ValueError, match="closed"):
                await waiting

    run(talk())
