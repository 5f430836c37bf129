"""Streams by address, against themselves and against streams of others."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import io
import os
import random
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import anyplace
from anyplace import Datagram, Listener, Stream, _datagram, _net
from door import PATIENCE
from leftovers import Holdings
from test_socket import beside, until_asleep

Pair = tuple[Stream, Stream]


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


# Waits


@pytest.mark.parametrize(
    "verb",
    [
        lambda stream: stream.read(1, timeout=0.05),
        lambda stream: stream.readline(timeout=0.05),
        lambda stream: stream.readexactly(1, timeout=0.05),
        lambda stream: stream.readinto(bytearray(1), timeout=0.05),
        lambda stream: stream.recv(timeout=0.05),
        lambda stream: stream.write(bytes(1 << 26), timeout=0.05),
        lambda stream: stream.send_bytes(bytes(1 << 26), timeout=0.05),
    ],
)
def test_every_verb_ends_with_its_time(pair: Pair, verb: Callable[[Stream], object]) -> None:
    began = time.monotonic()
    with pytest.raises(anyplace.Timeout):
        verb(pair[0])
    assert time.monotonic() - began >= 0.05


def test_accept_ends_with_its_time(listener: Listener) -> None:
    with pytest.raises(anyplace.Timeout):
        listener.accept(timeout=0.05)


def test_a_line_that_came_in_part_is_not_lost_to_a_time_out(pair: Pair) -> None:
    near, far = pair
    near.write(b"be")
    with pytest.raises(anyplace.Timeout):
        far.readline(timeout=0.05)
    near.write(b"gun\n")
    assert far.readline() == b"begun\n"


def test_a_write_that_was_cut_breaks_the_stream(pair: Pair) -> None:
    with pytest.raises(anyplace.Timeout):
        pair[0].write(bytes(1 << 26), timeout=0.05)
    with pytest.raises(anyplace.ConnectionLost, match="given up half-way"):
        pair[0].write(b"more")


def test_ctrl_c_ends_a_read(pair: Pair) -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        pair[0].read(1)


def test_ctrl_c_ends_an_accept(listener: Listener) -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        listener.accept()


@pytest.mark.parametrize("end", [lambda stream: stream.close(timeout=0), Stream.abort])
def test_the_end_of_a_stream_wakes_who_reads(pair: Pair, end: Callable[[Stream], None]) -> None:
    near, _ = pair

    def read() -> None:
        with contextlib.suppress(anyplace.ConnectionLost):
            assert near.read(1) == b""

    with beside(read) as reader:
        until_asleep(reader)
        end(near)
    assert near.closed
    with pytest.raises(ValueError, match="closed"):
        near.read(1)


def test_the_end_of_a_listener_wakes_who_accepts(listener: Listener) -> None:
    ended = []

    def accept() -> None:
        ended.extend(listener)
        ended.append(None)

    with beside(accept) as waiter:
        until_asleep(waiter)
        listener.close()
    assert ended == [None]


def test_closing_delivers_what_was_written_though_bytes_come_in_unread(pair: Pair) -> None:
    near, far = pair
    far.write(b"never read")
    text = os.urandom(1 << 20)
    with beside(lambda: (near.write(text), near.close(timeout=PATIENCE))):
        assert far.read() == text
        far.close()


# Objects


def test_data_travels_as_it_is(pair: Pair) -> None:
    near, far = pair
    values: list[object] = [
        None,
        True,
        0,
        -1,
        127,
        128,
        -32,
        -33,
        2**63,
        -(2**63),
        2**64,
        -(10**40),
        1.5,
        float("inf"),
        "",
        "é" * 40,
        "x" * 70000,
        b"",
        b"\0" * 300,
        [],
        (),
        (1,),
        [1, [2, (3, {"a": None})]],
        list(range(70000)),
        {1: "one", "two": 2, (3,): b"three", None: False},
    ]
    for value in values:
        with beside(lambda value=value: near.send(value)):  # type: ignore[misc]
            received = far.recv()
        assert (received, type(received)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, "c0"),
        ([1, -1, 300], "9301ffd3000000000000012c"),
        ({"a": True}, "81a161c3"),
        (b"\x01", "c40101"),
        (1.5, "cb3ff8000000000000"),
        ("x" * 32, "d920" + "78" * 32),
    ],
)
def test_objects_are_messagepack_behind_their_length(pair: Pair, value: object, encoded: str) -> None:
    near, far = pair
    near.send(value)
    message = bytes.fromhex(encoded)
    assert far.readexactly(4 + len(message)) == struct.pack(">I", len(message)) + message
    near.write(struct.pack(">I", len(message)) + message)
    assert far.recv() == value


@pytest.mark.parametrize("value", [object(), {1}, type("Str", (str,), {})("x"), [len], "\udc80"])
def test_what_is_no_data_is_refused_by_name(pair: Pair, value: object) -> None:
    near, far = pair
    with pytest.raises(anyplace.NotSerializable, match="cannot send this"):
        near.send(value)
    near.send("after")
    assert far.recv() == "after"


def test_what_holds_itself_is_refused(pair: Pair) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(anyplace.NotSerializable, match="holds itself"):
        pair[0].send(value)


def test_bytes_that_are_no_object_are_a_value_error_whatever_they_are(pair: Pair) -> None:
    near, far = pair
    chance = random.Random(5)
    whole = b"\x93\xc7\x05\x01\x94\x01\x02\x03\x04\x82\xa1a\xcb\0\0\0\0\0\0\0\0\xc0\xc3\xdd\xff\xff\xff\xff"
    hostile = [whole[:end] for end in range(len(whole))]
    hostile += [
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x81\x90\x01",
        b"\xc7\0\x07",
    ]
    hostile += [chance.randbytes(chance.randrange(40)) for _ in range(2000)]
    refused = 0
    for message in hostile:
        near.send_bytes(message)
        try:
            far.recv()
        except ValueError:
            refused += 1
    assert refused > len(hostile) // 2


def test_messages_of_many_threads_stay_whole(pair: Pair) -> None:
    near, far = pair

    def send(letter: str) -> None:
        for length in range(0, 20000, 100):
            near.send(letter * length)

    with contextlib.ExitStack() as stack:
        for letter in "abcd":
            stack.enter_context(beside(lambda letter=letter: send(letter)))  # type: ignore[misc]
        for _ in range(800):
            assert len(set(far.recv())) <= 1


def test_a_message_that_is_too_long_is_refused_before_it_is_read(pair: Pair) -> None:
    near, far = pair
    near.write(b"\xff\xff\xff\xff")
    with pytest.raises(anyplace.ResourceExhausted):
        far.recv()


def test_the_end_is_told_from_every_object(pair: Pair) -> None:
    near, far = pair
    near.send(None)
    near.finish()
    assert far.recv() is None
    with pytest.raises(EOFError):
        far.recv()


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


# In asyncio


def test_every_verb_is_awaited(listener: Listener) -> None:
    async def talk() -> None:
        near, far = await asyncio.gather(anyplace.connect_async(listener.endpoint), listener.accept_async())
        async with near, far:
            reading = asyncio.create_task(far.readuntil_async(b"|"))
            await near.write_async(b"until|")
            assert await reading == b"until|"
            exactly = asyncio.create_task(far.readexactly_async(4))
            await near.write_async(b"ab")
            await near.write_async(b"cd")
            assert await exactly == b"abcd"
            receiving = asyncio.create_task(far.recv_async())
            await near.send_async([1, None])
            assert await receiving == [1, None]
            await near.send_async(None)
            assert await far.recv_async() is None
            await near.send_bytes_async(b"bytes")
            assert await far.recv_bytes_async() == b"bytes"
            room = bytearray(2)
            into = asyncio.create_task(far.readinto_async(room))
            await near.write_async(b"!!")
            assert (await into, room) == (2, b"!!")
            await near.finish_async()
            assert await far.read_async(1) == b""

    run(talk())


def test_much_is_written_while_the_loop_goes_on(pair: Pair) -> None:
    near, far = pair
    text = os.urandom(8 << 20)

    async def talk() -> None:
        _, received = await asyncio.gather(near.write_async(text), far.readexactly_async(len(text)))
        assert received == text

    run(talk())


def test_an_awaited_verb_ends_with_its_time(pair: Pair) -> None:
    near, _ = pair

    async def talk() -> None:
        for verb in near.read_async, near.readline_async, near.recv_async:
            with pytest.raises(TimeoutError):
                await verb(timeout=0.02)

    run(talk())


def test_many_tasks_wait_for_one_stream(pair: Pair) -> None:
    near, far = pair

    async def talk() -> None:
        waiting = [asyncio.create_task(far.recv_async()) for _ in range(5)]
        await asyncio.sleep(0)
        waiting.pop().cancel()
        for number in range(4):
            await near.send_async(number)
        assert sorted(await asyncio.gather(*waiting)) == [0, 1, 2, 3]

    run(talk())


def test_the_end_of_a_stream_wakes_who_awaits_it(pair: Pair, listener: Listener) -> None:
    near, _ = pair

    async def talk() -> None:
        reading = asyncio.create_task(near.read_async(1))
        accepting = asyncio.create_task(listener.accept_async())
        await asyncio.sleep(0)
        near.abort()
        listener.close()
        for task in reading, accepting:
            with pytest.raises(ValueError, match="closed"):
                await task

    run(talk())


def test_a_listener_is_iterated_until_it_is_closed(listener: Listener) -> None:
    async def talk() -> None:
        seen = 0
        clients = [await anyplace.connect_async(listener.endpoint) for _ in range(3)]
        async for stream in listener:
            stream.abort()
            seen += 1
            if seen == len(clients):
                listener.close()
        for client in clients:
            client.abort()

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


# Files


def test_parts_of_files_are_sent_and_received(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    text = os.urandom(3 << 20)
    (tmp_path / "from").write_bytes(text)
    with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
        source.seek(7)
        with beside(lambda: (near.send_file(source), near.send_file(source.fileno(), 10, 5), near.finish())):
            assert far.recv_file(target, 0, len(text)) == len(text)
            assert far.recv_file(target, len(text)) == 5
        assert source.tell() == 7
    assert (tmp_path / "to").read_bytes() == text + text[10:15]


def test_files_are_awaited(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    text = os.urandom(3 << 20)
    (tmp_path / "from").write_bytes(text)

    async def talk() -> None:
        with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
            receiving = asyncio.create_task(far.recv_file_async(target, count=len(text)))
            assert await near.send_file_async(source) == len(text)
            assert await receiving == len(text)

    run(talk())
    assert (tmp_path / "to").read_bytes() == text


def test_open_files_travel_through_unix_sockets(listener: Listener, pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    (tmp_path / "file").write_text("open")
    with (tmp_path / "file").open() as file:
        if listener.endpoint.startswith("tcp:"):
            with pytest.raises(anyplace.Unsupported):
                near.send_fd(file)
            return
        near.send_fd(file)
        with os.fdopen(far.recv_fd()) as received:
            assert received.read() == "open"

        async def talk() -> None:
            receiving = asyncio.create_task(far.recv_fd_async())
            await near.send_fd_async(file.fileno())
            with os.fdopen(await receiving) as received:
                assert os.path.sameopenfile(received.fileno(), file.fileno())

        run(talk())
    near.write(b"no file")
    with pytest.raises(anyplace.ConnectionLost, match="no file came"):
        far.recv_fd()


@pytest.mark.parametrize("file", [-1, 1 << 20, "name"])
def test_what_is_no_open_file_is_refused(pair: Pair, file: object) -> None:
    with pytest.raises((TypeError, OSError, AttributeError)):
        pair[0].send_file(file)


# Datagrams


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
