"""Files from one machine to another: `Inbox` and `reach`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyplace import _core
from anyplace._block import Block
from anyplace._net import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Inbox", "reach"]


class Inbox(_core.Inbox, Block):
    """Takes senders of files that may come in, one after the other.

    At `tcp:` they are those who have the ticket in its address, or a key that is known here; what they send
    is encrypted. At `unix:` they are processes of the same user. `anyplace send` sends there, too, and
    `anyplace receive` is such an inbox.

    Parameters
    ----------
    address : str
        `tcp://host:port` (port 0 is any free one) or `unix:/path`.
    expires : float or None, default 86400
        Seconds that the ticket is good.
    once : bool, default True
        The ticket is good for the first who comes, who may come again.
    ticket : bool, default True
        Without one, only those are let in whose keys are known here.

    Raises
    ------
    anyplace.ConfigInvalid
        If it is no address to listen at.
    anyplace.ResourceExhausted
        If somebody listens there already.

    Examples
    --------
    >>> import anyplace, pathlib, tempfile, threading
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "letter").write_text("dear reader")
    >>> with anyplace.Inbox("tcp://127.0.0.1:0") as inbox:
    ...     def send():  # on another machine
    ...         with anyplace.reach(inbox.address) as stream:
    ...             stream.send_files(folder / "letter")
    ...     sender = threading.Thread(target=send)
    ...     sender.start()
    ...     with inbox.accept() as stream:
    ...         stream.receive_files(folder / "inbox")
    ...     sender.join()
    <anyplace.Transfer files=1 folders=0 bytes=11 there=0 skipped=0>
    >>> (folder / "inbox" / "letter").read_text()
    'dear reader'
    """

    __slots__ = ()

    def accept(self, *, timeout: float | None = None) -> Stream:
        """Take the next sender that was let in: what it sends is received by `Stream.receive_files`.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        anyplace.Timeout
            If nobody came.
        ValueError
            If the inbox is closed, also by another thread.
        """
        handed = self._accept(timeout)
        if handed is None:
            raise ValueError("the inbox is closed")
        return Stream(handed)

    def __iter__(self) -> Iterator[Stream]:
        """Iterate over the senders that are let in, until it is closed."""
        while (handed := self._accept(None)) is not None:
            yield Stream(handed)

    def __repr__(self) -> str:
        """Tell its address, without the ticket."""
        return f"<anyplace.Inbox {self._shown()}>"


def reach(address: str, *, timeout: float = 30.0) -> Stream:
    """Connect to an inbox, to send files there.

    Parameters
    ----------
    address : str
        What the inbox or `anyplace receive` says: `tcp://host:port#ticket` or `unix:/path`.
    timeout : float, default 30
        Seconds that it may take to come in.

    Returns
    -------
    Stream
        Encrypted to that inbox, or to nobody.

    Raises
    ------
    anyplace.PermissionDenied
        If this user is not let in, or may do other things there but not send files.
    anyplace.Unreachable
        If nobody listens there.
    """
    return Stream(_core.reach_stream(address, timeout))
