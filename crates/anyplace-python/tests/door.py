"""Where tasks tell that they have begun, and are held.

A socket, so that it works across processes, and so that the end of a task's process is seen, too.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

#: Longer than anything here takes on a busy machine, in seconds.
PATIENCE = 30


class Door:
    """A door that tasks knock at."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._held: list[Held] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.settimeout(PATIENCE)
        self.path = str(Path(self._folder.name) / "door")
        self._listener.bind(self.path)
        self._listener.listen(100)

    def knock(self) -> Held:
        """Wait until a task knocks."""
        held = Held(self._listener.accept()[0])
        self._held.append(held)
        return held

    def is_knocked(self) -> bool:
        """Whether a task stands there now."""
        return bool(select.select([self._listener], [], [], 0)[0])

    def close(self) -> None:
        """Hold nobody any more: whoever comes finds the door gone, and fails."""
        for held in self._held:
            held.let_go()
        self._listener.close()
        self._folder.cleanup()


class Held:
    """A task that stands at the door."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(PATIENCE)
        self._line = line

    def let_go(self) -> None:
        self._line.close()

    def ends(self) -> None:
        """Wait until the task is gone by itself."""
        assert self._line.recv(1) == b"", "a held task says nothing"


def hold(path: str) -> int:
    """Knock at the door and wait until it is opened."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.recv(1)
    return os.getpid()


async def hold_in_loop(path: str) -> int:
    """Do as `hold`, without a thread."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        await reader.read()
    finally:
        writer.close()
    return os.getpid()


class Notes:
    """A file that tasks write into, to be counted across processes."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notes")

    def count(self) -> int:
        path = Path(self.path)
        return len(path.read_bytes()) if path.exists() else 0


def note(path: str) -> None:
    """Add a byte to a file, as one write."""
    with open(path, "ab") as file:
        file.write(b"x")
