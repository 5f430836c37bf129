"""Files and folders over streams, and inboxes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

import anyplace
from door import PATIENCE
from streams import Pair, run
from test_cli import COMMAND
from test_socket import beside

LONG = os.urandom(9 << 20)


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of these tests only."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def make(folder: Path) -> Path:
    top = folder / "top"
    (top / "inner").mkdir(parents=True)
    (top / "long").write_bytes(LONG)
    (top / "inner" / "short").write_text("short")
    (top / "link").symlink_to("long")
    return top


def test_folders_travel_with_all_that_is_in_them_and_once(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    top = make(tmp_path)
    for first in (True, False):
        with beside(lambda: near.send_files(top)):
            received = far.receive_files(tmp_path / "to")
        numbers = (received.files, received.folders, received.there, received.skipped)
        assert numbers == ((2, 2, 0, 0) if first else (0, 0, 4, 0))
        assert received.bytes == (len(LONG) + 5 if first else 0)
    assert (tmp_path / "to" / "top" / "long").read_bytes() == LONG
    assert (tmp_path / "to" / "top" / "inner" / "short").read_text() == "short"
    assert not (tmp_path / "to" / "top" / "link").exists()
    near.write(b"still a stream")
    assert far.readexactly(14) == b"still a stream"


def test_who_wants_to_is_told_how_far_it_is(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    sent: list[tuple[str, int, int]] = []
    come: list[tuple[str, int, int]] = []
    (tmp_path / "long").write_bytes(LONG)
    with beside(lambda: near.send_files(tmp_path / "long", progress=lambda *told: sent.append(told))):
        far.receive_files(tmp_path / "to", progress=lambda *told: come.append(told))
    for told in (sent, come):
        assert {(path, length) for path, _, length in told} == {("long", len(LONG))}
        there = [there for _, there, _ in told]
        assert (there[0], there[-1]) == (0, len(LONG))
        assert there == sorted(there)


def test_what_was_cut_off_goes_on(listener: anyplace.Listener, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(LONG)

    def both() -> Pair:
        near = anyplace.connect(listener.endpoint)
        return near, listener.accept()

    near, far = both()

    def cut(_path: str, there: int, _length: int) -> None:
        if there > 5 << 20:
            far.abort()

    def send() -> None:
        with contextlib.suppress(anyplace.Error):
            near.send_files(tmp_path / "long")

    with near, far, beside(send), pytest.raises(anyplace.ConnectionLost, match="gone away"):
        far.receive_files(tmp_path / "to", progress=cut)
    assert not (tmp_path / "to" / "long").exists()
    near, far = both()
    with near, far:
        with beside(lambda: near.send_files(tmp_path / "long")):
            received = far.receive_files(tmp_path / "to")
        assert received.bytes <= len(LONG) - (4 << 20)
    assert (tmp_path / "to" / "long").read_bytes() == LONG


def test_files_are_awaited_and_given_up(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    (tmp_path / "long").write_bytes(LONG)

    async def talk() -> None:
        receiving = asyncio.create_task(far.receive_files_async(tmp_path / "to"))
        assert (await near.send_files_async(tmp_path / "long")).files == 1
        assert (await receiving).bytes == len(LONG)
        waiting = asyncio.create_task(far.receive_files_async(tmp_path / "to"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(talk())
    with pytest.raises(anyplace.ConnectionLost):
        near.send_files(tmp_path / "long")


def test_many_transfers_in_one_loop_do_not_wait_for_each_other(
    listener: anyplace.Listener, tmp_path: Path
) -> None:
    """Senders wait for receivers, so they must not take the threads of those."""
    (tmp_path / "long").write_bytes(LONG)
    count = 2 * min(32, (os.cpu_count() or 1) + 4)

    async def talk() -> None:
        pairs = [(anyplace.connect(listener.endpoint), listener.accept()) for _ in range(count)]
        sending = [near.send_files_async(tmp_path / "long", patience=PATIENCE) for near, _ in pairs]
        receiving = [far.receive_files_async(tmp_path / str(n)) for n, (_, far) in enumerate(pairs)]
        done = await asyncio.gather(*sending, *receiving)
        assert [transfer.files for transfer in done] == [1] * 2 * count
        for near, far in pairs:
            near.abort()
            far.abort()

    run(talk())


def test_what_fails_is_an_error_and_the_others_are_there(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    (tmp_path / "short").write_text("short")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "taken").write_text("another")
    (tmp_path / "taken").write_text("one")

    def send() -> None:
        with pytest.raises(anyplace.Unexpected, match="nothing`: failed: No such file"):
            near.send_files(tmp_path / "nothing", tmp_path / "taken", tmp_path / "short")

    with beside(send), pytest.raises(anyplace.Unexpected, match="taken`: refused"):
        far.receive_files(tmp_path / "to")
    assert (tmp_path / "to" / "short").read_text() == "short"
    assert (tmp_path / "to" / "taken").read_text() == "another"
    with beside(lambda: near.send_files(tmp_path / "taken")):
        assert far.receive_files(tmp_path / "to", force=True).files == 1
    with pytest.raises(ValueError, match="no number of seconds"):
        near.send_files(tmp_path / "taken", patience=-1)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "unix:{}/inbox"])
def test_an_inbox_takes_senders_one_after_the_other(address: str, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear reader")
    with anyplace.Inbox(address.format(tmp_path)) as inbox:
        with pytest.raises(anyplace.Timeout):
            inbox.accept(timeout=0)
        assert "ap1." not in repr(inbox).replace("ap1.***", "")
        come: list[int] = []

        def receive() -> None:
            for stream in inbox:
                with stream:
                    come.append(stream.receive_files(tmp_path / "to").files)

        receiver = threading.Thread(target=receive)
        receiver.start()
        for _ in range(2):
            with anyplace.reach(inbox.address) as stream:
                stream.send_files(tmp_path / "letter")
        # By the command line, too.
        subprocess.run([COMMAND, "send", tmp_path / "letter", inbox.address], check=True, capture_output=True)
        inbox.close()
        receiver.join()
    assert come == [1, 0, 0]
    assert (tmp_path / "to" / "letter").read_text() == "dear reader"
    with pytest.raises(ValueError, match="closed"):
        inbox.accept()


def test_an_inbox_lets_in_who_may_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with anyplace.Inbox("tcp://127.0.0.1:0", ticket=False) as inbox:
        assert "#" not in inbox.address
    with pytest.raises(anyplace.ConfigInvalid):
        anyplace.Inbox("udp://127.0.0.1:0")
    with anyplace.open("inline:") as place, place.offer("tcp://127.0.0.1:0", scope="share") as offer:
        # Somebody else: this user may do here what they like.
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "theirs"))
        with pytest.raises(anyplace.PermissionDenied, match="may not send files"):
            anyplace.reach(offer.address)


def test_ctrl_c_ends_a_transfer(pair: Pair, tmp_path: Path) -> None:
    near, far = pair
    (tmp_path / "long").write_bytes(LONG)
    heard = threading.Event()

    def hear(*_signal: object) -> None:
        heard.set()
        raise KeyboardInterrupt

    def interrupt(_path: str, there: int, _length: int) -> None:
        if there and not heard.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            assert heard.wait(PATIENCE)

    def receive() -> None:
        with contextlib.suppress(anyplace.Error):
            far.receive_files(tmp_path / "to")

    before = signal.signal(signal.SIGINT, hear)
    try:
        with beside(receive), pytest.raises(KeyboardInterrupt):
            near.send_files(tmp_path / "long", progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(anyplace.ConnectionLost):
        near.write(b"x")


def test_ctrl_c_ends_the_way_to_an_inbox_that_says_nothing(tmp_path: Path) -> None:
    with anyplace.listen(f"unix:{tmp_path}/silent") as silent:

        def interrupt() -> None:
            with silent.accept(timeout=PATIENCE) as stream:
                os.kill(os.getpid(), signal.SIGINT)
                over.wait(PATIENCE)
                stream.abort()

        over = threading.Event()
        with beside(interrupt):
            with pytest.raises(KeyboardInterrupt):
                anyplace.reach(silent.endpoint, timeout=PATIENCE)
            over.set()
