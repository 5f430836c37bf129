"""`anyplace.socketserver`: what CPython's tests do not ask of servers, since only ours promise it."""

from __future__ import annotations

import contextlib
import doctest
import socketserver as stdlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from anyplace import socket, socketserver
from door import PATIENCE
from gate import Gate
from leftovers import Holdings

LOCAL = ("127.0.0.1", 0)


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


@contextlib.contextmanager
def serving(server: Any) -> Iterator[Any]:
    """A server that serves, and has to end when it is told."""
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def threading_server(handler: Any, **attributes: Any) -> Any:
    return type("Server", (socketserver.ThreadingTCPServer,), attributes)(LOCAL, handler)


def ask(server: Any, line: bytes) -> bytes:
    with socket.create_connection(server.server_address) as client, client.makefile("rb") as file:
        client.sendall(line)
        return file.readline()


@pytest.mark.parametrize("name", [name for name in stdlib.__all__ if name.endswith("Server")])
def test_servers_are_also_the_standard_librarys(name: str) -> None:
    own, theirs = getattr(socketserver, name), getattr(stdlib, name)
    base = theirs if name == "BaseServer" or "Threading" not in name else stdlib.BaseServer
    assert issubclass(own, base) or "Forking" in name
    assert issubclass(own, socketserver.BaseServer)


def test_servers_have_our_sockets() -> None:
    with serving(threading_server(Echo)) as server:
        assert type(server.socket) is socket.socket
        assert ask(server, b"hello\n") == b"hello\n"


def test_the_examples_run() -> None:
    assert doctest.testmod(socketserver).failed == 0


def test_a_server_that_sleeps_hears_of_its_end_at_once() -> None:
    server = socketserver.TCPServer(LOCAL, Echo)
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(PATIENCE * 10,), daemon=True)
        thread.start()
        assert ask(server, b"x\n") == b"x\n"
        server.shutdown()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_service_actions_are_done_though_nobody_comes() -> None:
    done = threading.Event()

    class Server(socketserver.TCPServer):
        def service_actions(self) -> None:
            done.set()

    with Server(LOCAL, Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        assert done.wait(PATIENCE)
        server.shutdown()
        thread.join(PATIENCE)


def test_no_more_requests_are_handled_at_once_than_the_server_has_threads() -> None:
    gate, at_once, most = Gate(), [0], [0]
    lock = threading.Lock()

    class Count(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
                if at_once[0] == 2:
                    gate.begun.set()
            gate.open.wait(PATIENCE)
            with lock:
                at_once[0] -= 1
            self.wfile.write(b"done\n")

    with serving(threading_server(Count, max_threads=2)) as server:
        clients = [socket.create_connection(server.server_address) for _ in range(5)]
        assert gate.begun.wait(PATIENCE)
        gate.open.set()
        for client in clients:
            with client:
                assert client.recv(16, socket.MSG_WAITALL)[:5] == b"done\n"
    assert most == [2]


def test_a_full_server_ends_when_it_is_told() -> None:
    gate = Gate()

    class Hold(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            gate()

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(threading_server(Hold, max_threads=1))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        for _ in range(2):
            stack.enter_context(socket.create_connection(server.server_address))
        assert gate.begun.wait(PATIENCE)
        server.shutdown()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        gate.open.set()


def test_the_end_of_a_server_waits_for_its_requests() -> None:
    gate, done = Gate(), threading.Event()

    class Hold(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            gate()
            done.set()

    with contextlib.ExitStack() as stack:
        with serving(threading_server(Hold)) as server:
            stack.enter_context(socket.create_connection(server.server_address))
            assert gate.begun.wait(PATIENCE)
            threading.Timer(0.05, gate.open.set).start()
        assert done.is_set()


def test_the_end_of_a_server_waits_for_no_daemon() -> None:
    gate = Gate()

    class Hold(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            gate()

    with contextlib.ExitStack() as stack:
        with serving(threading_server(Hold, daemon_threads=True)) as server:
            stack.enter_context(socket.create_connection(server.server_address))
            assert gate.begun.wait(PATIENCE)
        gate.open.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("raised", [ValueError, SystemExit])
def test_a_handler_that_raises_costs_only_its_own_client(
    raised: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    class Raise(Echo):
        def handle(self) -> None:
            if self.rfile.readline() == b"raise\n":
                raise raised("on purpose")
            self.wfile.write(b"fine\n")

    with serving(threading_server(Raise)) as server:
        assert ask(server, b"raise\n") == b""
        assert ask(server, b"go on\n") == b"fine\n"
    assert ("on purpose" in capsys.readouterr().err) == (raised is ValueError)


def test_a_thousand_requests_leave_nothing() -> None:
    before = Holdings.now()
    with serving(threading_server(Echo, max_threads=4)) as server:
        for _ in range(1000):
            assert ask(server, b"x\n") == b"x\n"
        until = time.monotonic() + PATIENCE
        while len(server._threads):
            assert time.monotonic() < until
        assert Holdings.now().threads <= before.threads + 1 + 4
    before.is_all_again()


def test_a_program_of_the_documentation_runs(script: Callable[[str], Any]) -> None:
    ran = script(
        """
import threading
from anyplace import socket, socketserver

class ThreadedTCPRequestHandler(socketserver.BaseRequestHandler):

    def handle(self):
        data = str(self.request.recv(1024), 'ascii')
        response = bytes("{}".format(data.upper()), 'ascii')
        self.request.sendall(response)

class ThreadedTCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    pass

def client(ip, port, message):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.connect((ip, port))
        sock.sendall(bytes(message, 'ascii'))
        response = str(sock.recv(1024), 'ascii')
        print("Received: {}".format(response))

server = ThreadedTCPServer(("localhost", 0), ThreadedTCPRequestHandler)
with server:
    ip, port = server.server_address
    server_thread = threading.Thread(target=server.serve_forever)
    server_thread.daemon = True
    server_thread.start()
    client(ip, port, "Hello World 1")
    client(ip, port, "Hello World 2")
    server.shutdown()
"""
    )
    assert (ran.stdout, ran.stderr) == ("Received: HELLO WORLD 1\nReceived: HELLO WORLD 2\n", "")
