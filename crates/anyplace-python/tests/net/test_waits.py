"""How waits for streams end: in time, by Ctrl-C, and with the stream."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

import anyplace
from anyplace import Listener, Stream
from door import PATIENCE
from streams import Pair
from test_socket import beside, until_asleep


@pytest.mark.parametrize(
    "verb",
    [
        lambda stream: stream.read(1, timeout=0.05),
        lambda stream: stream.readline(timeout=0.05),
        lambda stream: stream.readexactly(1, timeout=0.05),
        lambda stream: stream.readinto(bytearray(1), timeout=0.05),
        lambda stream: stream.recv(timeout=0.05),
        lambda stream: stream.write(bytes(1 << 26), timeout=0.05),
        lambda stream: stream.send_bytes(bytes(1 << 26), timeout=0.05),
    ],
)
def test_every_verb_ends_with_its_time(pair: Pair, verb: Callable[[Stream], object]) -> None:
    began = time.monotonic()
    with pytest.raises(anyplace.Timeout):
        verb(pair[0])
    assert time.monotonic() - began >= 0.05


def test_accept_ends_with_its_time(listener: Listener) -> None:
    with pytest.raises(anyplace.Timeout):
        listener.accept(timeout=0.05)


def test_a_line_that_came_in_part_is_not_lost_to_a_time_out(pair: Pair) -> None:
    near, far = pair
    near.write(b"be")
    with pytest.raises(anyplace.Timeout):
        far.readline(timeout=0.05)
    near.write(b"gun\n")
    assert far.readline() == b"begun\n"


def test_a_write_that_was_cut_breaks_the_stream(pair: Pair) -> None:
    with pytest.raises(anyplace.Timeout):
        pair[0].write(bytes(1 << 26), timeout=0.05)
    with pytest.raises(anyplace.ConnectionLost, match="given up half-way"):
        pair[0].write(b"more")


def test_ctrl_c_ends_a_read(pair: Pair) -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        pair[0].read(1)


def test_ctrl_c_ends_an_accept(listener: Listener) -> None:
    def interrupt() -> None:
        until_asleep(threading.main_thread())
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        listener.accept()


@pytest.mark.parametrize("end", [lambda stream: stream.close(timeout=0), Stream.abort])
def test_the_end_of_a_stream_wakes_who_reads(pair: Pair, end: Callable[[Stream], None]) -> None:
    near, _ = pair

    def read() -> None:
        with contextlib.suppress(anyplace.ConnectionLost):
            assert near.read(1) == b""

    with beside(read) as reader:
        until_asleep(reader)
        end(near)
    assert near.closed
    with pytest.raises(ValueError, match="closed"):
        near.read(1)


def test_the_end_of_a_listener_wakes_who_accepts(listener: Listener) -> None:
    ended = []

    def accept() -> None:
        ended.extend(listener)
        ended.append(None)

    with beside(accept) as waiter:
        until_asleep(waiter)
        listener.close()
    assert ended == [None]


def test_closing_delivers_what_was_written_though_bytes_come_in_unread(pair: Pair) -> None:
    near, far = pair
    far.write(b"never read")
    text = os.urandom(1 << 20)
    with beside(lambda: (near.write(text), near.close(timeout=PATIENCE))):
        assert far.read() == text
        far.close()
