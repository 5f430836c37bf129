"""What a place makes for its tasks and their callers to share, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from anyplace import share

N = TypeVar("N", bool, int, float)


class Sharing:
    """The methods of a place that make what is shared.

    The first who asks for a name makes the object; who asks for it later gets the same. A name of another
    kind of object raises `ConfigInvalid`. The empty name makes an object that only those get to whom it is
    handed. All live until the place is closed.
    """

    __slots__ = ()

    def lock(self, name: str = "") -> share.Lock:
        """Make or find a lock.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.

        Returns
        -------
        anyplace.share.Lock
            Hand it to tasks, or let them ask for it by its name.

        Raises
        ------
        ConfigInvalid
            If the name is that of another kind of object, or longer than 48 bytes.
        Unsupported
            If tasks of this place share nothing.

        Examples
        --------
        >>> import anyplace
        >>> with anyplace.open("threads:2") as place, place.lock("door"):
        ...     place.lock("door").locked()
        True
        """
        from anyplace import share

        return share.Lock(_of(self), name)

    def rlock(self, name: str = "") -> share.RLock:
        """Make or find a lock that its owner may acquire again; else as `lock`."""
        from anyplace import share

        return share.RLock(_of(self), name)

    def semaphore(self, name: str = "", value: int = 1, *, bounded: bool = False) -> share.Semaphore:
        """Make or find a semaphore; else as `lock`.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.
        value : int, default 1
            How many permits it has at first.
        bounded : bool, default False
            Refuse to give back more than were taken.
        """
        from anyplace import share

        return share.Semaphore(_of(self), name, value, bounded)

    def condition(self, name: str = "") -> share.Condition:
        """Make or find a condition, with a lock of its own; else as `lock`."""
        from anyplace import share

        return share.Condition(_of(self), name)

    def event(self, name: str = "") -> share.Event:
        """Make or find an event; else as `lock`."""
        from anyplace import share

        return share.Event(_of(self), name)

    def barrier(
        self,
        name: str = "",
        parties: int = 1,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
    ) -> share.Barrier:
        """Make or find a barrier; else as `lock`.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.
        parties : int
            How many wait for each other.
        action : callable, optional
            What this process does, if one of its threads comes last, before all go on.
        timeout : float, optional
            Seconds to wait at most, where `wait` is not told.
        """
        from anyplace import share

        return share.Barrier(_of(self), name, parties, action, timeout)

    def queue(self, name: str = "", maxsize: int = 0) -> share.Queue[Any]:
        """Make or find a queue that gives first what was put first; else as `lock`.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.
        maxsize : int, default 0
            How many items fit; 0 is as many as there is memory for.
        """
        from anyplace import share

        return share.Queue(_of(self), name, "fifo", maxsize)

    def lifo(self, name: str = "", maxsize: int = 0) -> share.Queue[Any]:
        """Make or find a queue that gives first what was put last; else as `queue`."""
        from anyplace import share

        return share.Queue(_of(self), name, "lifo", maxsize)

    def priority(self, name: str = "", maxsize: int = 0) -> share.Queue[Any]:
        """Make or find a queue that gives the least (see `anyplace.share.Queue`) first; else as `queue`."""
        from anyplace import share

        return share.Queue(_of(self), name, "priority", maxsize)

    def pipe(self, name: str = "", duplex: bool = True) -> tuple[share.Pipe, share.Pipe]:
        """Make or find a pipe, and give its two ends.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.
        duplex : bool, default True
            Whether both ends send and receive; else the first receives what the second sends.
        """
        from anyplace import share

        return share.pipe(_of(self), name, duplex)

    def value(self, name: str = "", first: N = 0) -> share.Value[N]:  # type: ignore[assignment]
        """Make or find a number that changes as a whole; else as `lock`.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.
        first : bool, int or float, default 0
            What it is at first; its type stays.
        """
        from anyplace import share

        return share.Value(_of(self), name, first)

    def counter(self, name: str = "") -> share.Counter:
        """Make or find a number to add to; else as `lock`."""
        from anyplace import share

        return share.Counter(_of(self), name)

    def array(self, name: str = "", shape: int | tuple[int, ...] = 0, dtype: Any = "float64") -> share.Array:
        """Make or find numbers side by side; else as `lock`.

        Parameters
        ----------
        name : str, default ""
            Its name in this place.
        shape : int or tuple of int
            How many numbers.
        dtype : str, default "float64"
            Their type, as numpy names it.
        """
        from anyplace import share

        return share.Array(_of(self), name, shape, dtype)

    def dict(self, name: str = "") -> share.Dict[Any, Any]:
        """Make or find values by key; else as `lock`."""
        from anyplace import share

        return share.Dict(_of(self), name)

    def namespace(self, name: str = "") -> share.Namespace:
        """Make or find values by name; else as `lock`."""
        from anyplace import share

        return share.Namespace(_of(self), name)

    def why(self) -> share.Why:
        """Tell who has what is shared here, who waits for it, and who waits for each other for ever.

        Returns
        -------
        anyplace.share.Why
            Print it, or look at its parts.

        Examples
        --------
        >>> import anyplace
        >>> with anyplace.open("threads:2") as place, place.lock("door"):
        ...     [(one.kind, one.name, len(one.holders)) for one in place.why().objects]
        [('lock', 'door', 1)]
        """
        from anyplace.share import _why

        return _why.told(*_of(self)._why())


def _of(place: Any) -> Any:
    """The place, which is one of the compiled part's, too."""
    return place
