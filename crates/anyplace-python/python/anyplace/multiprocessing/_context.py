"""The one way to start processes, as one of multiprocessing's contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, Any, NoReturn

from anyplace import _core

from ._process import Process

if TYPE_CHECKING:
    from .pool import Pool

#: What a program may ask for. All of them mean our way, which keeps what "spawn" promises.
NAMES = ("spawn", "forkserver", "anyplace")


class Context(BaseContext):
    """What `get_context` gives: multiprocessing's names, with our processes and pools."""

    _name = "spawn"
    Process = Process

    def cpu_count(self) -> int:
        """How many cores this process may use: its affinity and its cgroup's quota count."""
        return _core.usable_cores()

    def Pool(  # type: ignore[override]  # noqa: N802
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
    ) -> Pool:
        """Make a pool of worker processes; see `pool.Pool`."""
        # Not above: a process that has no pool starts in half the time.
        from .pool import Pool

        return Pool(processes, initializer, initargs, maxtasksperchild)

    def get_context(self, method: str | None = None) -> Context:  # type: ignore[override]
        """Give the context of a way to start.

        There is one, which "spawn", "forkserver" and "anyplace" mean. "fork" raises `ValueError`: our
        processes do not inherit their parent's memory.
        """
        if method is not None and method not in NAMES:
            _refuse(method)
        return self

    def get_start_method(self, allow_none: bool = False) -> str:
        """Give "spawn", what programs that ask can rely on: nothing is inherited that was not handed over."""
        return self._name

    def set_start_method(self, method: str | None, force: bool = False) -> None:
        """Accept what `get_context` accepts; nothing changes."""
        self.get_context(method)

    def get_all_start_methods(self) -> list[str]:
        """List the names that `get_context` accepts."""
        return [*NAMES]


def _refuse(method: str) -> NoReturn:
    error = ValueError(f"cannot find context for {method!r}")
    if method == "fork":
        error.add_note(
            "help: hand over what children need as arguments, or import the standard multiprocessing"
        )
    raise error


CONTEXT = Context()
