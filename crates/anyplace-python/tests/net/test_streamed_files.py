"""Files over streams: what is in them, and open ones."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

import anyplace
from anyplace import Listener
from streams import Pair, run
from test_socket import beside


def test_parts_of_files_are_sent_and_received(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    text = os.urandom(3 << 20)
    (tmp_path / "from").write_bytes(text)
    with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
        source.seek(7)
        with beside(lambda: (near.send_file(source), near.send_file(source.fileno(), 10, 5), near.finish())):
            assert far.recv_file(target, 0, len(text)) == len(text)
            assert far.recv_file(target, len(text)) == 5
        assert source.tell() == 7
    assert (tmp_path / "to").read_bytes() == text + text[10:15]


def test_files_are_awaited(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    text = os.urandom(3 << 20)
    (tmp_path / "from").write_bytes(text)

    async def talk() -> None:
        with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
            receiving = asyncio.create_task(far.recv_file_async(target, count=len(text)))
            assert await near.send_file_async(source) == len(text)
            assert await receiving == len(text)

    run(talk())
    assert (tmp_path / "to").read_bytes() == text


def test_open_files_travel_through_unix_sockets(listener: Listener, pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    (tmp_path / "file").write_text("open")
    with (tmp_path / "file").open() as file:
        if listener.endpoint.startswith("tcp:"):
            with pytest.raises(anyplace.Unsupported):
                near.send_fd(file)
            return
        near.send_fd(file)
        with os.fdopen(far.recv_fd()) as received:
            assert received.read() == "open"

        async def talk() -> None:
            receiving = asyncio.create_task(far.recv_fd_async())
            await near.send_fd_async(file.fileno())
            with os.fdopen(await receiving) as received:
                assert os.path.sameopenfile(received.fileno(), file.fileno())

        run(talk())
    near.write(b"no file")
    with pytest.raises(anyplace.ConnectionLost, match="no file came"):
        far.recv_fd()


@pytest.mark.parametrize("file", [-1, 1 << 20, "name"])
def test_what_is_no_open_file_is_refused(pair: Pair, file: object) -> None:
    with pytest.raises((TypeError, OSError, AttributeError)):
        pair[0].send_file(file)
