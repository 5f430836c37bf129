"""Servers of ordinary protocols, with plain clients."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anyplace
from leftovers import Holdings

ANY = "tcp://127.0.0.1:0"
LONG = 30.0
Script = Callable[[str], "subprocess.CompletedProcess[str]"]


def echo(stream: Any) -> None:
    """Give back what comes."""
    while data := stream.read(4096):
        stream.write(data)


def whose(_request: bytes) -> bytes:
    """Tell which process answers."""
    return str(os.getpid()).encode()


class Shout(socketserver.StreamRequestHandler):
    """As programs of `socketserver` are written."""

    def handle(self) -> None:
        """Give back lines, louder."""
        for line in self.rfile:
            self.wfile.write(line.upper())


async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As programs of asyncio's streams are written."""
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


def client(server: anyplace.Server) -> socket.socket:
    host, _, port = server.address.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=LONG)


def said(client: socket.socket, message: bytes, length: int | None = None) -> bytes:
    client.sendall(message)
    return received(client, len(message) if length is None else length)


def received(client: socket.socket, length: int) -> bytes:
    answer = b""
    while len(answer) < length and (more := client.recv(length - len(answer))):
        answer += more
    return answer


def until_end(client: socket.socket) -> bytes:
    try:
        return received(client, 1 << 30)
    except ConnectionResetError:
        return b""


@pytest.fixture
def told() -> Told:
    """Hear what a server says of failures."""
    return Told()


class Told:
    """What a server says of failures."""

    def __init__(self) -> None:
        self._errors: list[BaseException] = []
        self._came = threading.Semaphore(0)

    def __call__(self, error: BaseException) -> None:
        self._errors.append(error)
        self._came.release()

    def next(self) -> BaseException:
        assert self._came.acquire(timeout=LONG)
        return self._errors.pop(0)


@pytest.mark.parametrize("on", ["threads:2", "processes:2", "inline:", None])
def test_a_handler_has_its_connection_until_it_returns(on: str | None) -> None:
    with anyplace.serve(ANY, echo, on=on) as server, client(server) as one:
        assert said(one, b"hello") == b"hello"
        assert said(one, b"again") == b"again"
        one.shutdown(socket.SHUT_WR)
        assert until_end(one) == b""


def test_a_place_that_is_open_serves_and_stays_open() -> None:
    with anyplace.open("threads:2") as place:
        with anyplace.serve(ANY, echo, on=place) as server, client(server) as one:
            assert said(one, b"hello") == b"hello"
        assert place.submit(abs, -1).result() == 1


@pytest.mark.parametrize("on", ["threads:2", "processes:1"])
def test_a_program_of_socketserver_changes_a_line(on: str) -> None:
    with anyplace.serve(ANY, Shout, on=on) as server, client(server) as one:
        assert said(one, b"one\ntwo\n") == b"ONE\nTWO\n"
        one.shutdown(socket.SHUT_WR)
        assert until_end(one) == b""


def test_a_program_of_asyncio_streams_changes_a_line() -> None:
    with anyplace.serve(ANY, chat) as server:
        clients = [client(server) for _ in range(20)]
        for one in clients:
            assert said(one, b"hello\n") == b"HELLO\n"
        for one in clients:
            one.shutdown(socket.SHUT_WR)
            assert until_end(one) == b""
            one.close()


@pytest.mark.parametrize("on", ["threads:2", "inline:"])
def test_requests_take_a_worker_only_while_they_are_answered(on: str) -> None:
    with anyplace.serve(ANY, bytes.upper, on=on, each="request", ends=b"\r\n") as server:
        clients = [client(server) for _ in range(10)]
        for one in clients:
            one.sendall(b"half of ")
        for one in clients:
            assert said(one, b"it\r\nmore\r\n", 18) == b"HALF OF IT\r\nMORE\r\n"
            one.close()


def test_messages_have_their_length_in_front_and_none_is_no_answer() -> None:
    def answer(request: bytes) -> bytes | None:
        return None if request == b"quiet" else request[::-1]

    with anyplace.serve(ANY, answer, on="threads:1", each="request") as server, client(server) as one:
        assert said(one, b"\0\0\0\5quiet\0\0\0\3abc", 7) == b"\0\0\0\3cba"


def test_requests_are_answered_by_worker_processes() -> None:
    serving = anyplace.serve(ANY, whose, on="processes:2", each="request", ends=b"\n")
    with serving as server, client(server) as one:
        one.sendall(b"who?\n")
        answer = one.makefile("rb").readline()
    assert int(answer) != os.getpid()


def test_an_async_handler_answers_requests() -> None:
    async def answer(request: bytes) -> bytes:
        await asyncio.sleep(0)
        return request * 2

    with anyplace.serve(ANY, answer, each="request", ends=b"\n") as server, client(server) as one:
        assert said(one, b"ab\n", 5) == b"abab\n"


def test_a_server_that_greets_speaks_first() -> None:
    def greet(stream: Any) -> None:
        stream.write(b"the time")

    with anyplace.serve(ANY, greet, on="threads:1", greets=True) as server, client(server) as one:
        assert until_end(one) == b"the time"


def test_a_unix_socket_is_served_as_well(tmp_path: Path) -> None:
    path = tmp_path / "echo.sock"
    with anyplace.serve(f"unix:{path}", echo, on="threads:1"), socket.socket(socket.AF_UNIX) as one:
        one.connect(str(path))
        assert said(one, b"hello") == b"hello"
    assert not path.exists()


def test_what_a_handler_raises_costs_its_connection_and_is_told(told: Told) -> None:
    def fail(stream: Any) -> None:
        raise ValueError(stream.read(4096).decode())

    with anyplace.serve(ANY, fail, on="threads:1", on_error=told) as server:
        for word in ["one", "two"]:
            with client(server) as one:
                one.sendall(word.encode())
                assert until_end(one) == b""
            error = told.next()
            assert repr(error) == f"ValueError({word!r})"


def test_what_goes_wrong_is_logged_unless_somebody_hears_it(caplog: pytest.LogCaptureFixture) -> None:
    def fail(request: bytes) -> bytes:
        raise ValueError("out of paper")

    caplog.set_level(logging.INFO, "anyplace.serve")
    serving = anyplace.serve(ANY, fail, on="threads:1", each="request", ends=b"\n")
    with serving as server, client(server) as one:
        one.sendall(b"print\n")
        assert until_end(one) == b""
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "out of paper" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError


def test_a_handler_that_no_place_of_its_kind_runs_is_refused_at_once() -> None:
    with pytest.raises(anyplace.Unsupported, match="event loop"):
        anyplace.serve(ANY, echo, on="async:")
    with pytest.raises(anyplace.Unsupported, match="event loop"):
        anyplace.serve(ANY, chat, on="threads:1")
    with pytest.raises(anyplace.ConfigInvalid):
        anyplace.serve("ftp://here", echo, on="threads:1")
    with pytest.raises(ValueError, match="connection"):
        anyplace.serve(ANY, echo, each="hour")  # type: ignore[arg-type]


def test_somebody_who_listens_already_is_named() -> None:
    refused = pytest.raises(anyplace.ResourceExhausted, match="listen")
    with anyplace.serve(ANY, echo, on="threads:1") as server, refused:
        anyplace.serve(server.address, echo, on="threads:1")


def test_several_servers_share_a_port_if_all_of_them_say_so() -> None:
    def serve(address: str, name: bytes) -> anyplace.Server:
        return anyplace.serve(address, lambda _: name, each="request", ends=b"\n", reuse_port=True)

    with serve(ANY, b"one") as one, serve(one.address, b"two"):
        with pytest.raises(anyplace.ResourceExhausted):
            anyplace.serve(one.address, echo)
        heard = set()
        for _ in range(64):
            with client(one) as visitor:
                visitor.sendall(b"who?\n")
                heard.add(visitor.recv(100))
        assert heard == {b"one\n", b"two\n"}
    with pytest.raises(TypeError, match="no option 'reuse'"):
        anyplace.serve(ANY, echo, reuse=True)


def test_a_killed_worker_costs_its_connection_and_is_replaced(told: Told) -> None:
    with anyplace.serve(ANY, kill_or_echo, on="processes:1", on_error=told) as server:
        with client(server) as one:
            one.sendall(b"die")
            assert until_end(one) == b""
        assert isinstance(told.next(), anyplace.WorkerLost)
        with client(server) as one:
            assert said(one, b"live") == b"live"


def kill_or_echo(stream: Any) -> None:
    data = stream.read(4096)
    if data == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    stream.write(data)


def test_a_slow_loris_does_not_hold_the_server(told: Told) -> None:
    """A byte now and then, for ever, from more clients than there are threads."""
    serving = anyplace.serve(
        ANY, bytes.upper, on="threads:1", each="request", ends=b"\n", request_timeout=0.5, on_error=told
    )
    with serving as server:
        lorises = [client(server) for _ in range(20)]
        began = time.monotonic()
        ended: set[socket.socket] = set()
        while len(ended) < len(lorises):
            for loris in lorises:
                try:
                    loris.sendall(b"a")
                except OSError:
                    ended.add(loris)
            with client(server) as quick:
                assert said(quick, b"quick\n") == b"QUICK\n"
            assert time.monotonic() - began < LONG
        assert time.monotonic() - began >= 0.5
        assert isinstance(told.next(), TimeoutError)
        for loris in lorises:
            loris.close()


def test_who_says_nothing_to_a_handler_is_cut_off(told: Told) -> None:
    with anyplace.serve(ANY, echo, on="threads:1", idle_timeout=0.2, on_error=told) as server:
        with client(server) as one:
            assert said(one, b"a") == b"a"
            assert until_end(one) == b""
        assert isinstance(told.next(), TimeoutError)
        with client(server) as one:
            assert said(one, b"next") == b"next"


def test_a_request_that_is_too_large_is_refused(told: Told) -> None:
    with anyplace.serve(ANY, bytes.upper, each="request", max_request=100, on_error=told) as server:
        with client(server) as one:
            one.sendall(b"\x7f\xff\xff\xff")
            assert until_end(one) == b""
        assert isinstance(told.next(), anyplace.ResourceExhausted)


def test_stopping_lets_clients_go_that_have_nothing_under_way() -> None:
    began = time.monotonic()
    with anyplace.serve(ANY, echo, on="threads:4") as server:
        silent, resting = client(server), client(server)
        assert said(resting, b"done") == b"done"
        server.stop(LONG)
        assert until_end(silent) == until_end(resting) == b""
        assert server.stopping
        with pytest.raises(ConnectionRefusedError):
            client(server)
    assert time.monotonic() - began < LONG
    silent.close()
    resting.close()


def test_stopping_twice_cuts_off_at_once() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(stream: Any) -> None:
        stream.read(4096)
        begun.set()
        go_on.wait(LONG)

    with anyplace.serve(ANY, slow, on="threads:1") as server, client(server) as one:
        one.sendall(b"a")
        assert begun.wait(LONG)
        stopping = threading.Thread(target=server.stop, args=(LONG,))
        stopping.start()
        while not server.stopping:
            assert not server.wait(0.01)
        server._begin_stop(0)
        assert until_end(one) == b""
        go_on.set()
        stopping.join(LONG)
        assert not stopping.is_alive()


def test_a_server_is_waited_for_in_a_loop() -> None:
    async def main() -> bytes:
        async with anyplace.serve(ANY, echo, on="threads:1") as server:
            host, _, port = server.address.removeprefix("tcp://").rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"hello")
            answer = await reader.readexactly(5)
            writer.close()
            await writer.wait_closed()
            return answer

    assert asyncio.run(main()) == b"hello"


def test_a_server_that_nobody_holds_is_gone() -> None:
    server = anyplace.serve(ANY, echo, on="threads:1")
    one = client(server)
    assert said(one, b"hello") == b"hello"
    del server
    gc.collect()
    assert until_end(one) == b""
    one.close()


def test_nothing_is_left_of_a_server(tmp_path: Path) -> None:
    def use(on: str) -> None:
        with anyplace.serve(ANY, echo, on=on) as server:
            for _ in range(10):
                with client(server) as one:
                    assert said(one, b"hello") == b"hello"

    for on in ["threads:2", "processes:2"]:
        use(on)
        before = Holdings.now()
        use(on)
        before.is_all_again()


def test_the_end_of_the_interpreter_stops_its_servers(script: Script) -> None:
    ran = script(
        "import anyplace, socket\n"
        "def echo(stream):\n"
        "    while data := stream.read(4096): stream.write(data)\n"
        f"server = anyplace.serve({ANY!r}, echo, on='threads:2')\n"
        "client = socket.create_connection(('127.0.0.1', int(server.address.rpartition(':')[2])))\n"
        "client.sendall(b'hello')\n"
        "print(client.recv(5))"
    )
    assert (ran.returncode, ran.stdout) == (0, "b'hello'\n"), ran.stderr


FOREVER = """
import anyplace, sys
def slow(stream):
    stream.write(stream.read(4096))
    stream.write(stream.read(4096))
server = anyplace.serve("tcp://127.0.0.1:0", slow, on="threads:2")
print(server.address, flush=True)
server.serve_forever(grace=GRACE)
print("over", flush=True)
"""


def forever(grace: float) -> tuple[subprocess.Popen[str], socket.socket]:
    """A program that serves until it is told, and a client of it that has something under way."""
    text = FOREVER.replace("GRACE", str(grace))
    program = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert program.stdout
    host, _, port = program.stdout.readline().strip().removeprefix("tcp://").rpartition(":")
    one = socket.create_connection((host, int(port)), timeout=LONG)
    one.sendall(b"a")
    # Whatever comes next is a request that is not whole.
    assert received(one, 1) == b"a"
    return program, one


def test_sigterm_lets_go_and_ends_in_order() -> None:
    program, one = forever(grace=LONG)
    with program, one:
        program.send_signal(signal.SIGTERM)
        assert until_end(one) == b""
        assert program.stdout
        assert program.stdout.read() == "over\n"
        assert program.wait(LONG) == 0


def test_a_server_without_descriptors_says_so_and_goes_on(script: Script) -> None:
    ran = script(
        "import anyplace, resource, socket, threading, os\n"
        "def echo(stream):\n"
        "    while data := stream.read(4096): stream.write(data)\n"
        "short = threading.Event()\n"
        "def told(error):\n"
        "    assert isinstance(error, anyplace.ResourceExhausted), error\n"
        "    print('short', flush=True)\n"
        "    short.set()\n"
        f"server = anyplace.serve({ANY!r}, echo, on='threads:2', on_error=told)\n"
        "address = ('127.0.0.1', int(server.address.rpartition(':')[2]))\n"
        "clients = [socket.create_connection(address) for _ in range(3)]\n"
        "one = clients[0]\n"
        "one.sendall(b'one'); assert one.recv(3) == b'one'\n"
        "last = socket.socket()\n"
        "used = len(os.listdir('/proc/self/fd')) - 1\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (used, used))\n"
        "last.connect(address)\n"
        "assert short.wait(30)\n"
        "last.sendall(b'last')\n"
        "clients.pop().close()\n"
        "clients.pop().close()\n"
        "last.settimeout(30); assert last.recv(4) == b'last'\n"
        "print('served', flush=True)\n"
        "server.stop(1)"
    )
    assert (ran.returncode, ran.stdout) == (0, "short\nserved\n"), ran.stderr


def test_curl_is_answered() -> None:
    def hello(stream: Any) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += stream.read(4096)
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")

    with anyplace.serve(ANY, hello, on="threads:2") as server:
        url = server.address.replace("tcp:", "http:")
        ran = subprocess.run(["curl", "--silent", "--fail", "--max-time", "20", url], capture_output=True)
    assert (ran.returncode, ran.stdout) == (0, b"hello\n")
