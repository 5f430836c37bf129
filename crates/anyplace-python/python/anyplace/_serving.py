"""What a place does with objects that are called from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyplace import _core
    from anyplace._objects import Proxy

T = TypeVar("T")


class Serving:
    """The verbs of a place for objects: `create`, `publish`, `find`."""

    if TYPE_CHECKING:

        def _serving(self) -> _core.Serving: ...

    def create(
        self,
        cls: Callable[..., Any],
        /,
        *args: Any,
        exclusive: bool = False,
        restart: int = 0,
        name: str | None = None,
        **kwargs: Any,
    ) -> Proxy:
        """Make an object that stays in the place, and is called through what this returns.

        In `processes:` it lives in a process that runs no tasks; in `threads:`, `async:` and `inline:` in
        this one. All its public methods can be called, several at a time. Who finds it by its name may call
        what its class exposes: see `anyplace.expose`.

        Parameters
        ----------
        cls : callable
            Its class, or what makes it.
        *args, **kwargs
            What it is called with there.
        exclusive : bool, default False
            One call at a time. Calls that the object makes itself, and that come back to it, are let in: a
            ring of objects does not wait for itself.
        restart : int, default 0
            How often it is made again, of the same arguments, when its process has died. Calls that were on
            their way then are lost.
        name : str, optional
            Publish it by this name.

        Returns
        -------
        Proxy
            The object goes when nobody has a proxy of it any more, unless it is published.

        Raises
        ------
        NotSerializable
            If the class or an argument cannot travel and has to.
        Exception
            What making it raised.

        Examples
        --------
        >>> import anyplace
        >>> with anyplace.open("threads:2") as place:
        ...     words = place.create(list, ["one", "three"])
        ...     words.index("three")
        1
        """
        serving = self._serving()
        if serving.keeps_here:
            proxy = serving.keep(cls(*args, **kwargs), _name_of(cls), exclusive)
        else:
            from anyplace import _objects

            recipe = _objects.recipe(cls, args, kwargs)
            proxy = serving.create(recipe, _name_of(cls), exclusive, restart)
        if name is not None:
            serving.publish(name, proxy)
        return proxy

    def publish(self, name: str, thing: Any, /) -> None:
        """Let others find an object by a name, for as long as the place is open.

        The object stays where it is: in this process, or where the proxy says. Where the place is another
        machine's, it is reached by the connection to there, and its name goes with that.

        Parameters
        ----------
        name : str
            By which `find` gives it.
        thing : object or Proxy
            An object whose class exposes something (see `anyplace.expose`), or a proxy of one.

        Raises
        ------
        ConfigInvalid
            If the name is taken, or the object exposes nothing.
        """
        self._serving().publish(name, thing)

    def unpublish(self, name: str, /) -> bool:
        """Take a name away. Who has found the object may go on to use it.

        Parameters
        ----------
        name : str
            As it was published.

        Returns
        -------
        bool
            False if there was no such name.
        """
        return self._serving().unpublish(name)

    def find(self, name: str, /) -> Proxy:
        """Give the object that was published by a name.

        Parameters
        ----------
        name : str
            As it was published.

        Returns
        -------
        Proxy
            What the class of the object exposes can be used.

        Raises
        ------
        NotFound
            If there is no such name; it names the nearest.
        """
        return self._serving().find(name)

    def names(self) -> list[str]:
        """List the names that were published, in order.

        Returns
        -------
        list of str
            What `find` takes.
        """
        return self._serving().names()


def _name_of(cls: Callable[..., Any]) -> str:
    return getattr(cls, "__qualname__", None) or type(cls).__qualname__
