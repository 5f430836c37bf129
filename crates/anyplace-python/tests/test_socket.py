"""`anyplace.socket`: what CPython's tests do not ask of sockets, since only ours promise it."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import os
import pickle
import selectors
import signal
import socket as stdlib
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from anyplace import socket
from door import PATIENCE
from leftovers import Holdings

Pair = tuple[socket.socket, socket.socket]
Script = Callable[[str], "subprocess.CompletedProcess[str]"]

LOCAL = ("127.0.0.1", 0)


@pytest.fixture(params=["tcp", "unix"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two ends of one stream."""
    near, far = tcp_pair() if request.param == "tcp" else socket.socketpair()
    with near, far:
        yield near, far


@pytest.fixture
def datagrams() -> Iterator[Pair]:
    """Two sockets of datagrams, the first of which is connected to the second."""
    with udp() as near, udp() as far:
        near.connect(far.getsockname())
        yield near, far


def tcp_pair() -> Pair:
    with socket.create_server(LOCAL) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    return near, far


def udp() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


@contextlib.contextmanager
def beside(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """A thread that has to end by itself."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(PATIENCE)
    assert not thread.is_alive()


def until_asleep(thread: threading.Thread) -> None:
    """Wait until the system says that the thread sleeps."""
    stat = Path(f"/proc/self/task/{thread.native_id}/stat")
    until = time.monotonic() + PATIENCE
    while stat.read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < until


def fill(sock: socket.socket) -> int:
    """Send until there is no room; how much went."""
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += sock.send(bytes(1 << 16), socket.MSG_DONTWAIT)
    return sent


# What they are


def test_names_and_numbers_are_the_standard_librarys() -> None:
    assert set(stdlib.__all__) <= set(dir(socket))
    assert socket.AF_INET6 is stdlib.AF_INET6
    assert socket.gaierror is stdlib.gaierror
    assert socket.getaddrinfo is stdlib.getaddrinfo
    assert socket.timeout is TimeoutError


def test_functions_that_make_sockets_make_ours(pair: Pair) -> None:
    for sock in pair:
        assert type(sock) is socket.socket
        with sock.dup() as copy, socket.fromfd(sock.fileno(), sock.family, sock.type) as other:
            assert type(copy) is type(other) is socket.socket


def test_a_family_without_our_addresses_is_the_standard_librarys() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as sock:
        assert type(sock) is stdlib.socket
        sock.bind((0, 0))


def test_a_socket_says_what_it_is(pair: Pair) -> None:
    near, _ = pair
    assert repr(near).startswith(f"<anyplace.socket.socket fd={near.fileno()}, family=")
    near.close()
    assert repr(near).startswith("<anyplace.socket.socket [closed] fd=-1, family=")


def test_a_socket_is_not_pickled(pair: Pair) -> None:
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(pair[0])


def test_the_examples_run() -> None:
    assert doctest.testmod(socket).failed == 0


# Waits


def test_ctrl_c_ends_a_blocked_recv(pair: Pair) -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        pair[0].recv(1)


def test_a_signal_to_another_thread_ends_a_blocked_accept() -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    with socket.create_server(LOCAL) as listener, beside(interrupt), pytest.raises(KeyboardInterrupt):
        listener.accept()


def test_ctrl_c_ends_a_blocked_sendall(pair: Pair) -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    fill(pair[0])
    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        pair[0].sendall(bytes(1 << 20))


def test_a_handler_that_returns_costs_a_wait_nothing(pair: Pair) -> None:
    near, far = pair
    heard = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.set())
    try:

        def work() -> None:
            until_asleep(threading.main_thread())
            os.kill(os.getpid(), signal.SIGUSR1)
            assert heard.wait(PATIENCE)
            far.send(b"after")

        with beside(work):
            assert near.recv(16) == b"after"
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_socket_that_another_thread_closes_ends_its_waits(pair: Pair) -> None:
    near, _ = pair
    ended: list[OSError] = []

    def wait() -> None:
        with pytest.raises(OSError, match="Bad file descriptor") as raised:
            near.recv(1)
        ended.append(raised.value)

    with beside(wait) as waiter:
        until_asleep(waiter)
        near.close()
    assert ended


@pytest.mark.parametrize("verb", ["recv", "recvfrom", "recvmsg", "accept", "sendall"])
def test_every_verb_ends_with_the_time_out(pair: Pair, verb: str) -> None:
    near, _ = pair
    if verb == "sendall":
        fill(near)
    listener = socket.create_server(LOCAL)
    with listener:
        sock = listener if verb == "accept" else near
        sock.settimeout(0.05)
        arguments = {"accept": (), "sendall": (b"more",)}.get(verb, (1,))
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="timed out"):
            getattr(sock, verb)(*arguments)
        assert time.monotonic() - began >= 0.05


def test_the_time_out_of_sendall_is_for_all_of_it(pair: Pair) -> None:
    near, far = pair
    near.settimeout(0.2)
    stop = threading.Event()

    def sip() -> None:
        while not stop.is_set():
            far.recv(64)

    with beside(sip):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            near.sendall(bytes(1 << 30))
        assert time.monotonic() - began < PATIENCE
        stop.set()
        near.close()


def test_a_blocking_send_takes_all(pair: Pair) -> None:
    near, far = pair
    size = 8 << 20

    def drain() -> None:
        left = size
        while left:
            left -= len(far.recv(1 << 20))

    with beside(drain):
        assert near.send(bytes(size)) == size


def test_what_is_asked_not_to_wait_does_not(pair: Pair) -> None:
    with pytest.raises(BlockingIOError):
        pair[0].recv(1, socket.MSG_DONTWAIT)
    assert pair[0].gettimeout() is None
    assert os.get_blocking(pair[0].fileno())


def test_recv_waits_for_all_that_it_is_asked_to(pair: Pair) -> None:
    near, far = pair

    def send() -> None:
        for _ in range(3):
            far.sendall(b"x" * 1000)

    with beside(send):
        assert len(near.recv(3000, socket.MSG_WAITALL)) == 3000


@pytest.mark.parametrize("size", [1, 1 << 14, (1 << 14) + 1, 1 << 16, 1 << 22])
def test_bytes_arrive_as_they_were_sent(pair: Pair, size: int) -> None:
    near, far = pair
    sent = os.urandom(size)
    with beside(lambda: near.sendall(sent)):
        received = bytearray()
        while len(received) < size:
            received += far.recv(size)
    assert received == sent


def test_a_large_recv_gives_what_there_is_and_then_the_end(pair: Pair) -> None:
    near, far = pair
    near.sendall(b"little")
    assert far.recv(1 << 30) == b"little"
    near.close()
    assert far.recv(1 << 30) == b""


def test_a_datagram_is_received_whole_and_with_its_sender(datagrams: Pair) -> None:
    near, far = datagrams
    for size in (0, 1, 60000):
        near.send(bytes(size))
        assert far.recvfrom(1 << 16) == (bytes(size), near.getsockname())


def test_a_datagram_to_a_full_socket_waits_for_room(tmp_path: Path) -> None:
    path = str(tmp_path / "full")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as near,
    ):
        far.bind(path)
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                near.sendto(b"x", socket.MSG_DONTWAIT, path)
                count += 1
        with beside(lambda: near.sendto(b"last", path)) as sender:
            until_asleep(sender)
            received = [far.recv(16) for _ in range(count + 1)]
        assert received[-1] == b"last"


# What is left


def test_forgotten_sockets_are_closed_with_a_warning() -> None:
    before = Holdings.now()
    forgotten = [socket.socket()]
    with pytest.warns(ResourceWarning, match="unclosed <anyplace.socket.socket"):
        forgotten.clear()
    before.is_all_again()


def test_failed_verbs_leave_no_descriptor(tmp_path: Path) -> None:
    before = Holdings.now()
    with pytest.raises(ConnectionRefusedError), udp() as unused:
        socket.create_connection(unused.getsockname())
    with pytest.raises(OSError, match="while attempting to bind"):
        socket.create_server(("192.0.2.1", 1))
    with pytest.raises(FileNotFoundError), socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(tmp_path / "nobody"))
    with pytest.raises(OSError, match="non-socket"):
        socket.socket(fileno=0)
    before.is_all_again()


def test_a_child_has_its_parents_sockets(pair: Pair) -> None:
    near, far = pair
    child = os.fork()
    if child == 0:
        far.sendall(near.recv(16).upper())
        os._exit(0)
    far.sendall(b"hello")
    assert os.waitpid(child, 0)[1] == 0
    assert near.recv(16) == b"HELLO"


def test_programs_that_are_started_have_no_sockets_of_ours(pair: Pair) -> None:
    near, _ = pair
    assert not near.get_inheritable()
    near.set_inheritable(True)
    assert os.get_inheritable(near.fileno())


def test_descriptors_travel_over_unix_sockets() -> None:
    near, far = socket.socketpair()
    with near, far, open(os.devnull, "rb") as file:
        assert socket.send_fds(near, [b"one"], [file.fileno()]) == 3
        data, fds, _, _ = socket.recv_fds(far, 16, 2)
        assert (data, len(fds)) == (b"one", 1)
        assert os.path.sameopenfile(fds[0], file.fileno())
        os.close(fds[0])


# Beside others


def test_files_of_sockets_keep_them_open(pair: Pair) -> None:
    near, far = pair
    with near.makefile("rw", newline="\n") as file:
        near.close()
        file.write("one\ntwo\n")
        file.flush()
        assert far.recv(16) == b"one\ntwo\n"
        far.sendall(b"three\n")
        assert file.readline() == "three\n"
    assert far.recv(1) == b""


def test_a_file_is_sent_whole_and_in_parts(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    text = os.urandom(1 << 20)
    path = tmp_path / "file"
    path.write_bytes(text)
    with path.open("rb") as file:
        received = bytearray()
        with beside(lambda: (near.sendfile(file), near.sendfile(file, 10, 5))):
            while len(received) < len(text) + 5:
                received += far.recv(1 << 16)
        assert received == text + text[10:15]
        assert file.tell() == 15


def test_selectors_watch_our_sockets(pair: Pair) -> None:
    near, far = pair
    with selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ)
        assert selector.select(0) == []
        far.send(b"x")
        assert [key.fileobj for key, _ in selector.select(PATIENCE)] == [near]


def test_tls_runs_over_our_sockets(pair: Pair, certificate: tuple[str, str]) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    client = ssl.create_default_context(cafile=certificate[0])
    near, far = pair

    def serve() -> None:
        with server.wrap_socket(far, server_side=True) as session:
            session.sendall(session.recv(16).upper())

    with beside(serve), client.wrap_socket(near, server_hostname="localhost") as session:
        session.sendall(b"hello")
        assert session.recv(16) == b"HELLO"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate of localhost that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    )
    name = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *name], check=True, capture_output=True)
    return str(certificate), str(key)


#: The programs with which the standard library's documentation introduces `socket`, but for the port.
ECHO = """
from anyplace import socket
import os

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.bind(("127.0.0.1", 0))
    s.listen(1)
    PORT = s.getsockname()[1]
    if os.fork() == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.connect(("127.0.0.1", PORT))
            s.sendall(b'Hello, world')
            data = s.recv(1024)
        print('Received', repr(data), flush=True)
        os._exit(0)
    conn, addr = s.accept()
    with conn:
        while True:
            data = conn.recv(1024)
            if not data: break
            conn.sendall(data)
os.wait()
"""


def test_a_program_of_the_documentation_runs(script: Script) -> None:
    ran = script(ECHO)
    assert (ran.stdout, ran.stderr) == ("Received b'Hello, world'\n", "")


# In asyncio


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, PATIENCE))


def test_verbs_are_awaited(pair: Pair) -> None:
    near, far = pair

    async def talk() -> None:
        reading = asyncio.create_task(far.recv_async(16))
        await near.sendall_async(b"hello")
        assert await reading == b"hello"
        room = bytearray(8)
        reading_into = asyncio.create_task(near.recv_into_async(room))
        assert await far.send_async(b"again") == 5
        assert await reading_into == 5
        assert room == b"again\0\0\0"

    run(talk())


def test_connections_are_awaited() -> None:
    async def meet() -> None:
        with socket.create_server(LOCAL) as listener, socket.socket() as near:
            accepting = asyncio.create_task(listener.accept_async())
            await near.connect_async(("localhost", listener.getsockname()[1]))
            far, address = await accepting
            with far:
                assert address == near.getsockname()
                assert near.gettimeout() is None
                assert os.get_blocking(near.fileno())

    run(meet())


def test_a_refused_connection_is_told_where_it_is_awaited() -> None:
    async def meet() -> None:
        with udp() as unused, socket.socket() as near, pytest.raises(ConnectionRefusedError):
            await near.connect_async(unused.getsockname())

    run(meet())


def test_datagrams_are_awaited(datagrams: Pair) -> None:
    near, far = datagrams

    async def talk() -> None:
        reading = asyncio.create_task(far.recvfrom_async(16))
        assert await near.send_async(b"there") == 5
        assert await reading == (b"there", near.getsockname())
        room = bytearray(4)
        assert await far.sendto_async(b"back", near.getsockname()) == 4
        assert await near.recvfrom_into_async(room) == (4, far.getsockname())
        assert room == b"back"

    run(talk())


def test_the_loop_goes_on_while_all_is_sent(pair: Pair) -> None:
    near, far = pair
    text = os.urandom(4 << 20)

    async def drain() -> bytes:
        received = bytearray()
        while len(received) < len(text):
            received += await far.recv_async(1 << 16)
        return bytes(received)

    async def talk() -> None:
        _, received = await asyncio.gather(near.sendall_async(text), drain())
        assert received == text

    run(talk())


@pytest.mark.parametrize(
    "wait",
    [
        lambda sock: sock.recv_async(1),
        lambda sock: sock.recvfrom_async(1),
        lambda sock: sock.sendall_async(bytes(1 << 24)),
    ],
)
def test_an_awaited_verb_ends_with_the_time_out(pair: Pair, wait: Callable[[Any], Awaitable[Any]]) -> None:
    async def talk() -> None:
        pair[0].settimeout(0.05)
        with pytest.raises(TimeoutError):
            await wait(pair[0])

    run(talk())


def test_a_cancelled_wait_takes_nothing(pair: Pair) -> None:
    near, far = pair

    async def talk() -> None:
        reading = asyncio.create_task(near.recv_async(16))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        far.sendall(b"kept")
        assert await near.recv_async(16) == b"kept"

    run(talk())


def test_loops_and_their_streams_use_our_sockets(pair: Pair) -> None:
    near, far = pair

    async def talk() -> None:
        far.setblocking(False)
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection(sock=near)
        await loop.sock_sendall(far, b"line\n")
        assert await reader.readline() == b"line\n"
        writer.write(b"answer")
        assert await loop.sock_recv(far, 16) == b"answer"
        writer.close()
        await writer.wait_closed()

    run(talk())
