"""Who is measured in which group, and how each of them serves and is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

Say = Callable[[str], None]
Measure = tuple[str, float, str]


@dataclass
class Contender:
    """How one library serves, and how it is measured."""

    serve: Callable[[str, Say], None]
    measure: Callable[[str, float], Iterator[Measure]]


# --- Calls of a remote object that do nothing: one after the other, from one thread.

Using = Callable[[str], AbstractContextManager[Callable[[], Any]]]


def calls(case: str, using: Using) -> Callable[[str, float], Iterator[Measure]]:
    """Measure round trips of `case` with what `using` gives for an address."""

    def measure(address: str, seconds: float) -> Iterator[Measure]:
        with using(address) as call:
            for _ in range(200):
                call()
            took = sorted(trips(call, seconds))
        yield f"{case} p50", took[len(took) // 2] * 1e6, "us"
        yield f"{case} p99", took[len(took) * 99 // 100] * 1e6, "us"

    return measure


def trips(call: Callable[[], Any], seconds: float) -> list[float]:
    """How long each call took, for about so long."""
    took = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        call()
        took.append(time.perf_counter() - began)
    return took


class Nothing:
    """An object whose method does nothing."""

    def nothing(self) -> None:
        """Return at once."""


# anyplace


def offer(address: str) -> Callable[[str, Say], None]:
    """Offer worker processes at an address."""

    def serve(folder: str, say: Say) -> None:
        import anyplace

        with anyplace.open("processes:1") as place, place.offer(address.format(folder=folder)) as offered:
            say(offered.address)

    return serve


@contextmanager
def proxy(address: str) -> Iterator[Callable[[], Any]]:
    """Call an object that is kept in the offered place."""
    import anyplace

    with anyplace.open(address) as place:
        yield place.create(Nothing).nothing


# Pyro5


def pyro(**where: Any) -> Callable[[str, Say], None]:
    """Serve the object with Pyro5's daemon."""

    def serve(folder: str, say: Say) -> None:
        import threading

        import Pyro5.api

        there = {key: value.format(folder=folder) for key, value in where.items()}
        daemon = Pyro5.api.Daemon(**there)
        uri = daemon.register(Pyro5.api.expose(Nothing))
        threading.Thread(target=daemon.requestLoop, daemon=True).start()
        say(str(uri))

    return serve


@contextmanager
def pyro_proxy(address: str) -> Iterator[Callable[[], Any]]:
    """Call it with Pyro5's proxy."""
    import Pyro5.api

    with Pyro5.api.Proxy(address) as remote:
        yield remote.nothing


# ZeroMQ


def zeromq(address: str) -> Callable[[str, Say], None]:
    """Answer requests with ZeroMQ's REP socket."""

    def serve(folder: str, say: Say) -> None:
        import threading

        import zmq

        socket = zmq.Context().socket(zmq.REP)
        socket.bind(address.format(folder=folder))

        def answer() -> None:
            while True:
                socket.send(socket.recv())

        threading.Thread(target=answer, daemon=True).start()
        say(socket.getsockopt_string(zmq.LAST_ENDPOINT))

    return serve


@contextmanager
def zeromq_request(address: str) -> Iterator[Callable[[], Any]]:
    """Ask with ZeroMQ's REQ socket."""
    import zmq

    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.connect(address)

        def call() -> None:
            socket.send(b"nothing" * 9)
            socket.recv()

        yield call


# plain sockets: the floor


def plain(family: str) -> Callable[[str, Say], None]:
    """Send back what comes, on a thread that blocks."""

    def serve(folder: str, say: Say) -> None:
        import socket
        import threading

        listener = socket.socket(getattr(socket, family))
        listener.bind(f"{folder}/plain" if family == "AF_UNIX" else ("127.0.0.1", 0))
        listener.listen()

        def echo() -> None:
            stream, _ = listener.accept()
            if family != "AF_UNIX":
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := stream.recv(65536):
                stream.sendall(data)

        threading.Thread(target=echo, daemon=True).start()
        name = listener.getsockname()
        say(name if isinstance(name, str) else f"{name[0]}:{name[1]}")

    return serve


@contextmanager
def plain_trip(address: str) -> Iterator[Callable[[], Any]]:
    """Send 64 bytes and wait until they are back."""
    import socket

    host, _, port = address.rpartition(":")
    stream = socket.socket(socket.AF_INET if host else socket.AF_UNIX)
    stream.connect((host, int(port)) if host else address)
    if host:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call() -> None:
        stream.sendall(b"nothing." * 8)
        assert len(stream.recv(65536)) == 64

    with stream:
        yield call


# --- Tasks that do nothing.


def do_nothing(_: int) -> None:
    """Return at once."""


def tasks(address: str, seconds: float) -> Iterator[Measure]:
    """Map, and submit one by one, for about so long each."""
    import anyplace

    with anyplace.open(address) as place:
        list(place.map(do_nothing, range(100)))
        yield (
            "tasks mapped",
            rate(lambda many: sum(1 for _ in place.map(do_nothing, range(many))), seconds),
            "/s",
        )

        def submit(many: int) -> None:
            for future in [place.submit(do_nothing, index) for index in range(many)]:
                future.result()

        yield "tasks submitted one by one", rate(submit, seconds), "/s"


def pyro_tasks(address: str, seconds: float) -> Iterator[Measure]:
    """Call one by one, as Pyro5 does it."""
    with pyro_proxy(address) as call:

        def each(many: int) -> None:
            for _ in range(many):
                call()

        found = rate(each, seconds)
        yield "tasks mapped", found, "/s"
        yield "tasks submitted one by one", found, "/s"


def rate(do: Callable[[int], Any], seconds: float) -> float:
    """How many a second, once a try takes at least so long."""
    many = 500
    while True:
        began = time.perf_counter()
        do(many)
        took = time.perf_counter() - began
        if took >= seconds:
            return many / took
        many = int(many * min(10.0, 1.2 * seconds / took)) + 1


UNIX, TCP = "call over a unix socket", "call over TCP"

#: THE groups: who is measured in each.
GROUPS: dict[str, dict[str, Contender]] = {
    "unix calls": {
        "anyplace": Contender(offer("unix:{folder}/place"), calls(UNIX, proxy)),
        "Pyro5": Contender(pyro(unixsocket="{folder}/pyro"), calls(UNIX, pyro_proxy)),
        "ZeroMQ": Contender(zeromq("ipc://{folder}/zeromq"), calls(UNIX, zeromq_request)),
        "socket": Contender(plain("AF_UNIX"), calls(UNIX, plain_trip)),
    },
    "tcp calls": {
        "anyplace": Contender(offer("tcp://127.0.0.1:0"), calls(TCP, proxy)),
        "Pyro5": Contender(pyro(host="127.0.0.1"), calls(TCP, pyro_proxy)),
        "ZeroMQ": Contender(zeromq("tcp://127.0.0.1:*"), calls(TCP, zeromq_request)),
        "socket": Contender(plain("AF_INET"), calls(TCP, plain_trip)),
    },
    "tasks": {
        "anyplace": Contender(offer("tcp://127.0.0.1:0"), tasks),
        "Pyro5": Contender(pyro(host="127.0.0.1"), pyro_tasks),
    },
}
