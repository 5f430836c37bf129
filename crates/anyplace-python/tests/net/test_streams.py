"""Streams by address, against themselves and against streams of others."""

from __future__ import annotations

import asyncio
import doctest
import io
import os
import socket
from pathlib import Path

import pytest

import anyplace
from anyplace import Listener, _datagram, _net
from door import PATIENCE
from leftovers import Holdings
from streams import Pair, foreign, run
from test_socket import beside

# Bytes


def test_bytes_are_read_as_they_were_written(pair: Pair) -> None:
    near, far = pair
    sent = os.urandom(4 << 20)
    with beside(lambda: (near.write(sent), near.finish())):
        assert far.read() == sent
    assert far.read(1) == b""


def test_reading_has_the_words_of_files(pair: Pair) -> None:
    near, far = pair
    assert near.write(b"one\ntwo|three\nrest") == 18
    near.finish()
    assert far.readline() == b"one\n"
    assert far.readuntil(b"|") == b"two|"
    assert far.readexactly(3) == b"thr"
    room = bytearray(2)
    assert (far.readinto(room), room) == (2, b"ee")
    assert list(far) == [b"\n", b"rest"]


def test_files_of_the_standard_library_take_a_stream(pair: Pair) -> None:
    near, far = pair
    assert isinstance(near, io.RawIOBase)
    text = io.TextIOWrapper(io.BufferedWriter(near), encoding="utf-8")
    text.write("grüß\ngott\n")
    text.flush()
    near.finish()
    assert io.TextIOWrapper(io.BufferedReader(far), encoding="utf-8").readlines() == ["grüß\n", "gott\n"]


def test_an_end_that_comes_too_early_is_told(pair: Pair) -> None:
    near, far = pair
    near.write(b"half")
    near.finish()
    with pytest.raises(anyplace.ConnectionLost, match="4 of 8 bytes"):
        far.readexactly(8)


def test_a_line_that_is_too_long_stays_in_the_stream(pair: Pair) -> None:
    near, far = pair
    near.write(b"x" * 100 + b"\n")
    with pytest.raises(anyplace.ResourceExhausted):
        far.readline(limit=10)
    assert len(far.readline()) == 101


# Who is there


def test_a_stream_knows_its_ends(listener: Listener, pair: Pair) -> None:
    near, far = pair
    assert near.endpoint == far.endpoint == near.peer == listener.endpoint
    assert far.peer == near.local
    mine = (os.getpid(), os.getuid(), os.getgid())
    assert far.credentials == (mine if listener.endpoint.startswith("unix:") else None)
    assert os.fstat(near.fileno()).st_ino != os.fstat(far.fileno()).st_ino


def test_options_have_their_usual_names(listener: Listener) -> None:
    with anyplace.connect(listener.endpoint, receive_buffer=1 << 16, keepalive=60) as near:
        listener.accept().abort()
        with socket.socket(fileno=os.dup(near.fileno())) as seen:
            assert seen.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 1 << 16
            if listener.endpoint.startswith("tcp:"):
                assert seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


def test_an_option_that_is_none_is_refused(listener: Listener) -> None:
    with pytest.raises(TypeError, match="no option 'colour'"):
        anyplace.connect(listener.endpoint, colour="red")


@pytest.mark.parametrize("address", ["nothing", "tcp://", "tcp://host", "redis://host:1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(anyplace.ConfigInvalid):
        anyplace.connect(address)


def test_nobody_there_is_told_at_once(tmp_path: Path) -> None:
    for address in "tcp://127.0.0.1:1", f"unix:{tmp_path / 'nobody'}":
        with pytest.raises(anyplace.Unreachable):
            anyplace.connect(address, timeout=PATIENCE)


# Others


def test_a_socket_of_the_standard_library_talks_to_ours(listener: Listener) -> None:
    with foreign(listener) as client, listener.accept() as stream:
        client.sendall(b"hello\n")
        assert stream.readline() == b"hello\n"
        stream.write(b"world")
        stream.finish()
        assert client.recv(16) == b"world"
        assert client.recv(16) == b""


def test_asyncio_streams_talk_to_ours(listener: Listener) -> None:
    async def talk() -> None:
        reader, writer = await asyncio.open_connection(sock=foreign(listener))
        async with await listener.accept_async() as stream:
            writer.write(b"one\ntwo\n")
            writer.write_eof()
            assert [line async for line in stream] == [b"one\n", b"two\n"]
            assert await stream.write_async(b"three\n") == 6
            await stream.finish_async()
            assert await reader.read() == b"three\n"
            writer.close()

    run(talk())


def test_streams_leave_nothing(listener: Listener) -> None:
    before = Holdings.now()

    async def talk() -> None:
        for _ in range(20):
            near = await anyplace.connect_async(listener.endpoint)
            async with near, await listener.accept_async() as far:
                await near.send_async("x")
                await far.recv_async()
                await near.finish_async()

    run(talk())
    for _ in range(20):
        with anyplace.connect(listener.endpoint, timeout=PATIENCE) as near, listener.accept():
            near.finish()
    before.is_all_again()


def test_the_examples_run() -> None:
    for module in _net, _datagram:
        results = doctest.testmod(module)
        assert results.attempted > 0
        assert results.failed == 0
