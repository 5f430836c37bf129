"""Places that are offered to other processes, and used from Python."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyplace
from functions import echo, square

#: Longer than anything here takes on a busy machine.
PATIENCE = 30


@pytest.fixture(params=["unix", "tcp"])
def offer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[anyplace.Offer]:
    """A place of two processes, offered in this process."""
    endpoint = f"unix:{tmp_path}/s" if request.param == "unix" else "tcp://127.0.0.1:0"
    with anyplace.open("processes:2") as place, place.offer(endpoint) as offer:
        yield offer


def test_a_lent_place_is_like_any_other(offer: anyplace.Offer) -> None:
    with anyplace.open(offer.address) as place:
        assert place.workers == 2
        assert place.submit(square, 7).result(PATIENCE) == 49
        assert list(place.map(square, range(1000))) == [n * n for n in range(1000)]
        assert place.submit(lambda: os.getpid()).result(PATIENCE) != os.getpid()
        with pytest.raises(ZeroDivisionError, match="division or modulo"):
            place.submit(divmod, 1, 0).result(PATIENCE)
        data = bytes(3_000_000)
        assert place.submit(echo, data).result(PATIENCE) == data
    until = time.monotonic() + PATIENCE
    while offer.clients and time.monotonic() < until:
        time.sleep(0.001)
    assert offer.clients == 0


def test_a_client_has_as_much_as_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "ours"))
    with anyplace.open("processes:1") as place:
        with pytest.raises(anyplace.ConfigInvalid, match="`array`") as wrong:
            place.offer("tcp://127.0.0.1:0", limits={"array": 1})
        assert "did you mean `arrays`?" in str(wrong.value.help)
        with place.offer("tcp://127.0.0.1:0", limits={"shared": 2}) as offer:
            # Somebody else: this user may do here what they like.
            monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "theirs"))
            with anyplace.open(offer.address) as far:
                locks = [far.lock(name) for name in ("one", "two")]
                with pytest.raises(anyplace.ResourceExhausted, match="at most 2"):
                    far.lock("three")
                assert [lock.acquire() for lock in locks] == [True, True]


def test_a_ticket_is_never_shown(tmp_path: Path) -> None:
    with anyplace.open("processes:1") as place, place.offer("tcp://127.0.0.1:0") as offer:
        secret = offer.address.partition("#ap1.")[2]
        assert len(secret) > 50
        with anyplace.open(offer.address) as far:
            shown = repr(offer) + repr(far) + far.address + offer.endpoint
            with pytest.raises(anyplace.WorkerLost) as lost:
                far.submit(os._exit, 3).result(PATIENCE)
        with pytest.raises(anyplace.PlaceClosed) as closed:
            far.submit(square, 1)
        shown += str(lost.value) + repr(lost.value) + str(closed.value)
    assert secret not in shown
    assert "#ap1.***" in shown


def test_a_place_of_others_has_no_initializer_of_ours(offer: anyplace.Offer) -> None:
    with pytest.raises(anyplace.Unsupported, match="initializer"):
        anyplace.open(offer.address, initializer=square, initargs=(1,))


def test_nobody_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(anyplace.Unreachable):
        anyplace.open(f"unix:{tmp_path}/nothing")
    with pytest.raises(anyplace.Unreachable):
        anyplace.open("tcp://127.0.0.1:1")


def test_an_offer_that_is_closed_can_be_waited_for(offer: anyplace.Offer) -> None:
    assert not offer.wait(0.01)
    offer.close()
    assert offer.wait(PATIENCE)
    with pytest.raises(anyplace.Unreachable):
        anyplace.open(offer.endpoint if offer.endpoint.startswith("unix") else offer.address)


@contextlib.contextmanager
def serving(*arguments: str, home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command `anyplace serve`, and the address that it prints."""
    words = [sys.executable, "-m", "anyplace._cli", "serve", *arguments]
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stdout is not None
        yield server, server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()
        if server.stdout:
            server.stdout.close()


def test_the_command_lends_a_place_that_runs_python(tmp_path: Path) -> None:
    with serving("tcp://127.0.0.1:0", "--on", "processes:2", home=tmp_path) as (server, address):
        with anyplace.open(address) as place:
            assert list(place.map(lambda n: n + 1, range(50))) == list(range(1, 51))
            assert place.submit(os.getppid).result(PATIENCE) != os.getpid()
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0


def test_the_command_lets_what_runs_end_first(tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"

    def wait() -> str:
        import pathlib
        import time

        pathlib.Path(begun).touch()
        while not pathlib.Path(go).exists():
            time.sleep(0.01)
        return "done"

    serve = serving(f"unix:{tmp_path}/s", "--on", "processes:1", home=tmp_path)
    with serve as (server, address), anyplace.open(address) as place:
        task = place.submit(wait)
        until = time.monotonic() + PATIENCE
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.01)
        server.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(0.3)
        go.touch()
        assert task.result(PATIENCE) == "done"
        assert server.wait(PATIENCE) == 0


def test_a_killed_server_loses_what_ran_and_says_that_it_may_have(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def hold() -> None:
        import pathlib
        import time

        pathlib.Path(begun).touch()
        time.sleep(600)

    serve = serving(f"unix:{tmp_path}/s", "--on", "processes:1", home=tmp_path)
    with serve as (server, address), anyplace.open(f"{address}?reconnect=0s") as place:
        task = place.submit(hold)
        until = time.monotonic() + PATIENCE
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.01)
        server.kill()
        with pytest.raises(anyplace.ConnectionLost) as lost:
            task.result(PATIENCE)
        assert lost.value.retry == "may repeat"


def test_a_child_of_a_fork_leaves_the_offer_to_its_parent(offer: anyplace.Offer) -> None:
    with anyplace.open(offer.address) as place:
        assert place.submit(square, 2).result(PATIENCE) == 4
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE)
            offer.close()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert place.submit(square, 3).result(PATIENCE) == 9
    # Its door is open as ever.
    with anyplace.open(offer.address) as again:
        assert again.submit(square, 4).result(PATIENCE) == 16
