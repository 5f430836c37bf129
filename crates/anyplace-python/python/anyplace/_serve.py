"""`anyplace.serve` and `anyplace.Server`: servers of ordinary protocols on any place."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Literal, Self

from anyplace import _core, _handlers
from anyplace._errors import ConnectionLost
from anyplace._place import Place, open

#: How many connections a server handles at once unless the place is told.
_THREADS = "threads:32"

_logger = logging.getLogger("anyplace.serve")

#: Those that the end of the interpreter has to stop.
_servers: weakref.WeakSet[Server] = weakref.WeakSet()


class Server(_core.Server):
    """A server: it serves until it is stopped. `serve` makes it.

    It is stopped at the end of a ``with`` block; at once if the block was left by an exception, or if nobody
    holds it any more.

    Attributes
    ----------
    address : str
        Where it listens, with the port that it was given.
    connections : int
        How many connections are open.
    stopping : bool
        Whether it takes no more connections.
    """

    __module__ = "anyplace"

    _owned: Place | None

    def stop(self, grace: float = 5.0) -> None:
        """Stop, and wait until that is done.

        Nobody is accepted any more. Clients that have nothing under way are let go: a handler that waits for
        the next request of its client reads the end instead. What runs may end by itself; after `grace` it is
        cut off. Called once more, from wherever, it cuts off at once.

        Parameters
        ----------
        grace : float, default 5
            Seconds that what runs may take.

        Raises
        ------
        Timeout
            If a handler does not notice that it was cut off, and its place cannot end it.
        """
        self._begin_stop(grace)
        self.wait()

    async def stop_async(self, grace: float = 5.0) -> None:
        """Stop, as `stop`, while the loop goes on."""
        self._begin_stop(grace)
        await self.wait_async()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has stopped.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait.

        Returns
        -------
        bool
            False if the time was over first.

        Raises
        ------
        Timeout
            As `stop`.
        """
        try:
            is_over = self._wait(timeout)
        except TimeoutError:
            self._let_go(wait=False)
            raise
        if is_over:
            self._let_go(wait=True)
        return is_over

    async def wait_async(self) -> None:
        """Wait until it has stopped, while the loop goes on."""
        from anyplace._aside import aside

        await aside(self.wait)

    def serve_forever(self, grace: float = 10.0) -> None:
        """Serve until somebody stops it, or SIGTERM comes.

        SIGTERM lets what runs end, within `grace`; a second one cuts it off. Ctrl-C raises
        `KeyboardInterrupt`, as anywhere. In threads other than the main one, signals are left alone.

        Parameters
        ----------
        grace : float, default 10
            Seconds that what runs may take after a signal.
        """
        with _on_sigterm(lambda: self._begin_stop(grace)):
            self.wait()

    def __enter__(self) -> Self:
        """Give the server itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; at once if something was raised."""
        self.stop(5.0 if kind is None else 0.0)

    async def __aenter__(self) -> Self:
        """Give the server itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, while the loop goes on; at once if something was raised."""
        await self.stop_async(5.0 if kind is None else 0.0)

    def __repr__(self) -> str:
        state = "stopping" if self.stopping else "open"
        return f"<anyplace.Server {self.address} {state}>"

    def _let_go(self, wait: bool) -> None:
        """Close the place that was opened for this server alone."""
        owned, self._owned = self._owned, None
        if owned is not None:
            owned.shutdown(wait=wait, cancel_futures=not wait)


def serve(
    address: str,
    handler: Callable[..., Any],
    *,
    on: str | Place | None = None,
    each: Literal["connection", "request"] = "connection",
    ends: bytes | None = None,
    greets: bool = False,
    max_connections: int = 10_000,
    max_request: int = 1 << 20,
    idle_timeout: float | None = 60.0,
    request_timeout: float | None = 30.0,
    connection_timeout: float | None = None,
    on_error: Callable[[BaseException], object] | None = None,
    **options: Any,
) -> Server:
    r"""Serve a protocol: a handler for each connection, or for each request, on a place.

    A connection that has said nothing yet, or waits between two requests, takes no thread and no process.

    Parameters
    ----------
    address : str
        Where to listen, such as ``"tcp://127.0.0.1:8080"`` or ``"unix:/run/any.sock"``; port 0 is any free
        one.
    handler : callable
        What is given each connection, which ends when it returns. An ``async`` function of two arguments is
        given asyncio's ``reader`` and ``writer``, as by ``asyncio.start_server``; a handler class of
        ``socketserver`` is made with the socket and the client's address. With ``each="request"`` it is
        given the bytes of a request and returns those of the answer, or None where there is none. On
        ``processes:`` it is pickled, as tasks are.
    on : str or Place, optional
        Where handlers run: ``"threads:8"``, ``"processes:4"``, ``"async:1000"``, ``"inline:"`` (one at a
        time), or a place that is open. Unless it is given, ``"async:"`` for ``async`` handlers and
        ``"threads:32"`` for all others.
    each : {"connection", "request"}
        What the handler is given.
    ends : bytes, optional
        What a request and an answer end with, such as ``b"\n"``; neither is given or returned with it.
        Unless it is given, the length of either stands before it, in four bytes, the highest first.
    greets : bool, default False
        The server speaks first: each connection gets a thread or process at once.
    max_connections : int, default 10000
        How many connections are open at once. More wait to be accepted.
    max_request : int, default 1 MiB
        The largest request, in bytes. Who sends more is cut off.
    idle_timeout : float, optional
        Seconds for which a client may keep the server waiting.
    request_timeout : float, optional
        Seconds that a request may take from its first byte to its last.
    connection_timeout : float, optional
        Seconds that a connection may last; for ever unless it is given.
    on_error : callable, optional
        It is given what goes wrong: what handlers raise, and what is said of clients that were cut off. None
        of that ends the server. It is logged (``anyplace.serve``) unless this is given.
    **options
        As for `listen`. With ``reuse_port=True``, several programs serve at one port, and the system deals
        connections out to them.

    Returns
    -------
    Server
        It serves already.

    Raises
    ------
    ResourceExhausted
        If somebody listens there already.
    Unsupported
        If the place does not run such a handler.

    Examples
    --------
    >>> import anyplace, socket
    >>> def shout(stream):
    ...     while data := stream.read(4096):
    ...         stream.write(data.upper())
    >>> with anyplace.serve("tcp://127.0.0.1:0", shout, on="threads:4") as server:
    ...     port = int(server.address.rpartition(":")[2])
    ...     with socket.create_connection(("127.0.0.1", port)) as client:
    ...         client.sendall(b"hello")
    ...         client.recv(100)
    b'HELLO'
    """
    if each not in ("connection", "request"):
        raise ValueError(f'each must be "connection" or "request", not {each!r}')
    prepared = _handlers.prepare(handler, each == "request", idle_timeout)
    place, is_ours = _place(on, prepared.is_async)
    try:
        server = Server(
            address,
            prepared.local(place),
            place,
            is_async=prepared.is_async,
            requests=each == "request",
            ends=ends,
            greets=greets,
            limits=(max_connections, max_request, idle_timeout, request_timeout, connection_timeout),
            on_error=on_error or _log,
            **options,
        )
    except BaseException:
        if is_ours:
            place.close()
        raise
    server._owned = place if is_ours else None
    _servers.add(server)
    return server


def _place(on: str | Place | None, is_async: bool) -> tuple[Place, bool]:
    if isinstance(on, Place):
        return on, False
    return open(on or ("async:" if is_async else _THREADS)), True


def _log(error: BaseException) -> None:
    """Log what goes wrong; a client that goes away is no fault of the server's."""
    is_gone = isinstance(error, ConnectionLost | ConnectionError)
    level = logging.INFO if is_gone or isinstance(error, TimeoutError) else logging.ERROR
    _logger.log(level, "%s", error, exc_info=error if level == logging.ERROR else None)


@contextlib.contextmanager
def _on_sigterm(stop: Callable[[], object]) -> Any:
    """Stop at SIGTERM, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = signal.signal(signal.SIGTERM, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


def _at_exit() -> None:
    """Cut off what is still served: nobody is left to stop it."""
    for server in list(_servers):
        with contextlib.suppress(Exception):
            server.stop(0.0)


try:
    # Before places are closed, which waits for the tasks that serve connections.
    threading._register_atexit(_at_exit)  # type: ignore[attr-defined]
except (AttributeError, RuntimeError):
    import atexit

    atexit.register(_at_exit)
