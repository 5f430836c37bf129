r"""The standard library's `socketserver` on our sockets: a program changes its import, and nothing else.

The servers are ours; `BaseServer`, `ForkingMixIn` and the handlers are the standard library's own.

Ours keep its rules, and add to them:

- `shutdown` is heard at once, and a server that nobody connects to sleeps: it looks up every
  `poll_interval` only if it has `service_actions` to do.
- `ThreadingMixIn` handles requests on the threads of a `threads:` place, at most `max_threads` at once. More
  clients wait to be accepted. Nothing is kept of a request that is done.

Examples
--------
>>> from anyplace import socket, socketserver
>>> class Shout(socketserver.StreamRequestHandler):
...     def handle(self):
...         self.wfile.write(self.rfile.readline().upper())
>>> import threading
>>> with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Shout) as server:
...     serving = threading.Thread(target=server.serve_forever)
...     serving.start()
...     with socket.create_connection(server.server_address) as client:
...         client.sendall(b"hello\n")
...         client.recv(16)
...     server.shutdown()
...     serving.join()
b'HELLO\n'
"""

from __future__ import annotations

import contextlib
import selectors
import socketserver as _stdlib
import sys
import threading
from socketserver import BaseRequestHandler as BaseRequestHandler
from socketserver import BaseServer as BaseServer
from socketserver import DatagramRequestHandler as DatagramRequestHandler
from socketserver import ForkingMixIn as ForkingMixIn
from socketserver import StreamRequestHandler as StreamRequestHandler
from typing import TYPE_CHECKING, Any

from anyplace import socket
from anyplace._place import open
from anyplace.threading import Condition, Event, Lock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = list(_stdlib.__all__)


class TCPServer(_stdlib.TCPServer):
    """A server of streams.

    Parameters
    ----------
    server_address : tuple of (str, int)
        Where it listens; the port 0 is any free one, which `server_address` then says.
    RequestHandlerClass : type
        What is made for each connection, and handles it.
    bind_and_activate : bool, default True
        Listen from the beginning on.
    """

    _bell: tuple[socket.socket, socket.socket] | None = None
    _ends = False

    def __init__(
        self,
        server_address: Any,
        RequestHandlerClass: Callable[..., Any],  # noqa: N803
        bind_and_activate: bool = True,
    ) -> None:
        BaseServer.__init__(self, server_address, RequestHandlerClass)
        self._over = Event()
        self.socket: Any = socket.socket(self.address_family, self.socket_type)
        if not bind_and_activate:
            return
        try:
            self.server_bind()
            self.server_activate()
        except BaseException:
            self.server_close()
            raise

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Handle requests until `shutdown`.

        Parameters
        ----------
        poll_interval : float, default 0.5
            Seconds between two calls of `service_actions`, if that does anything.
        """
        self._over.clear()
        acts = type(self).service_actions is not BaseServer.service_actions
        bell = socket.socketpair()
        self._bell = bell
        try:
            with bell[0], bell[1], selectors.DefaultSelector() as selector:
                selector.register(self, selectors.EVENT_READ)
                selector.register(bell[0], selectors.EVENT_READ)
                while not self._ends:
                    ready = selector.select(poll_interval if acts else None)
                    if self._ends:
                        break
                    if ready:
                        self._handle_request_noblock()  # type: ignore[attr-defined]
                    self.service_actions()
        finally:
            self._bell = None
            self._ends = False
            self._over.set()

    def shutdown(self) -> None:
        """Stop `serve_forever`, which another thread runs, and wait until that is done."""
        self._ends = True
        self._ring()
        self._over.wait()

    def _ring(self) -> None:
        bell = self._bell
        if bell is None:
            return
        # It is full, or closed just now: then nobody sleeps.
        with contextlib.suppress(OSError):
            bell[1].send(b"!", socket.MSG_DONTWAIT)


class UDPServer(TCPServer, _stdlib.UDPServer):
    """A server of datagrams; else as `TCPServer`."""


class UnixStreamServer(TCPServer, _stdlib.UnixStreamServer):
    """A server of streams at a path; else as `TCPServer`."""


class UnixDatagramServer(UDPServer, _stdlib.UnixDatagramServer):
    """A server of datagrams at a path; else as `TCPServer`."""


class ThreadingMixIn(_stdlib.ThreadingMixIn):
    """Handles requests on threads.

    Attributes
    ----------
    max_threads : int, default 1024
        Requests that are handled at once; a client more waits to be accepted.
    daemon_threads : bool, default False
        The end of the program does not wait for requests. They then have a thread each.
    block_on_close : bool, default True
        `server_close` waits for requests that are under way, unless they are on daemon threads.
    """

    max_threads = 1024
    _threads: Any = ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a request on a thread, as soon as there is one for it."""
        with _MAKING:
            if not self._threads:
                self._threads = _Threads(self.max_threads)
        work = self.process_request_thread
        if not self._threads.run(lambda: work(request, client_address), self.daemon_threads):
            self.shutdown_request(request)  # type: ignore[attr-defined]

    def shutdown(self) -> None:
        """Stop `serve_forever`, also where it waits for a thread."""
        if self._threads:
            self._threads.refuse()
        super().shutdown()  # type: ignore[misc]

    def server_close(self) -> None:
        """Close the listener, and wait for requests that are under way."""
        super(_stdlib.ThreadingMixIn, self).server_close()  # type: ignore[misc]
        if self._threads:
            self._threads.close(waits=self.block_on_close)
            self._threads = ()


#: Held while a server gets its threads.
_MAKING = Lock()


class _Threads:
    """The threads of a server: as many as are needed, and no more than it may have."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._place: Any = None
        self._room = Condition()
        self._busy = 0
        self._daemons = 0
        self._refuses = False

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        """How many requests are under way."""
        return self._busy

    def run(self, work: Callable[[], object], daemon: bool) -> bool:
        """Run it when there is a thread for it; false if none came before the server ends."""
        with self._room:
            self._room.wait_for(lambda: self._busy < self._most or self._refuses)
            if self._busy >= self._most:
                return False
            self._busy += 1
            self._daemons += daemon
        try:
            self._begin(work, daemon)
        except BaseException:
            self._done(daemon)
            raise
        return True

    def _begin(self, work: Callable[[], object], daemon: bool) -> None:
        if daemon:
            threading.Thread(target=self._do, args=(work, daemon), daemon=True).start()
            return
        if self._place is None:
            self._place = open(f"threads:{self._most}")
        self._place.submit(self._do, work, daemon)

    def _do(self, work: Callable[[], object], daemon: bool) -> None:
        try:
            work()
        except BaseException:
            told = (*sys.exc_info(), threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(told))
        finally:
            self._done(daemon)

    def _done(self, daemon: bool) -> None:
        with self._room:
            self._busy -= 1
            self._daemons -= daemon
            self._room.notify_all()

    def refuse(self) -> None:
        """Let nobody wait for a thread any more."""
        with self._room:
            self._refuses = True
            self._room.notify_all()

    def close(self, waits: bool) -> None:
        """Let the threads go, once they are done; wait for those that the program's end would wait for."""
        self.refuse()
        if waits:
            with self._room:
                self._room.wait_for(lambda: self._busy == self._daemons)
        place, self._place = self._place, None
        if place is not None and waits:
            place.close()


class ThreadingTCPServer(ThreadingMixIn, TCPServer):
    """A server of streams that handles each on a thread."""


class ThreadingUDPServer(ThreadingMixIn, UDPServer):
    """A server of datagrams that handles each on a thread."""


class ThreadingUnixStreamServer(ThreadingMixIn, UnixStreamServer):
    """A server of streams at a path that handles each on a thread."""


class ThreadingUnixDatagramServer(ThreadingMixIn, UnixDatagramServer):
    """A server of datagrams at a path that handles each on a thread."""


class ForkingTCPServer(ForkingMixIn, TCPServer):
    """A server of streams that handles each in a child of this process."""


class ForkingUDPServer(ForkingMixIn, UDPServer):
    """A server of datagrams that handles each in a child of this process."""


if sys.version_info >= (3, 12):

    class ForkingUnixStreamServer(ForkingMixIn, UnixStreamServer):
        """A server of streams at a path that handles each in a child of this process."""

    class ForkingUnixDatagramServer(ForkingMixIn, UnixDatagramServer):
        """A server of datagrams at a path that handles each in a child of this process."""
