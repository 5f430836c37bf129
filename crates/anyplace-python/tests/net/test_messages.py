"""Objects and messages over streams."""

from __future__ import annotations

import contextlib
import random
import struct
from typing import Any

import pytest

import anyplace
from streams import Pair
from test_socket import beside


def test_data_travels_as_it_is(pair: Pair) -> None:
    near, far = pair
    values: list[object] = [
        None,
        True,
        0,
        -1,
        127,
        128,
        -32,
        -33,
        2**63,
        -(2**63),
        2**64,
        -(10**40),
        1.5,
        float("inf"),
        "",
        "é" * 40,
        "x" * 70000,
        b"",
        b"\0" * 300,
        [],
        (),
        (1,),
        [1, [2, (3, {"a": None})]],
        list(range(70000)),
        {1: "one", "two": 2, (3,): b"three", None: False},
    ]
    for value in values:
        with beside(lambda value=value: near.send(value)):  # type: ignore[misc]
            received = far.recv()
        assert (received, type(received)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, "c0"),
        ([1, -1, 300], "9301ffd3000000000000012c"),
        ({"a": True}, "81a161c3"),
        (b"\x01", "c40101"),
        (1.5, "cb3ff8000000000000"),
        ("x" * 32, "d920" + "78" * 32),
    ],
)
def test_objects_are_messagepack_behind_their_length(pair: Pair, value: object, encoded: str) -> None:
    near, far = pair
    near.send(value)
    message = bytes.fromhex(encoded)
    assert far.readexactly(4 + len(message)) == struct.pack(">I", len(message)) + message
    near.write(struct.pack(">I", len(message)) + message)
    assert far.recv() == value


@pytest.mark.parametrize("value", [object(), {1}, type("Str", (str,), {})("x"), [len], "\udc80"])
def test_what_is_no_data_is_refused_by_name(pair: Pair, value: object) -> None:
    near, far = pair
    with pytest.raises(anyplace.NotSerializable, match="cannot send this"):
        near.send(value)
    near.send("after")
    assert far.recv() == "after"


def test_what_holds_itself_is_refused(pair: Pair) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(anyplace.NotSerializable, match="holds itself"):
        pair[0].send(value)


def test_bytes_that_are_no_object_are_a_value_error_whatever_they_are(pair: Pair) -> None:
    near, far = pair
    chance = random.Random(5)
    whole = b"\x93\xc7\x05\x01\x94\x01\x02\x03\x04\x82\xa1a\xcb\0\0\0\0\0\0\0\0\xc0\xc3\xdd\xff\xff\xff\xff"
    hostile = [whole[:end] for end in range(len(whole))]
    hostile += [
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x81\x90\x01",
        b"\xc7\0\x07",
    ]
    hostile += [chance.randbytes(chance.randrange(40)) for _ in range(2000)]
    refused = 0
    for message in hostile:
        near.send_bytes(message)
        try:
            far.recv()
        except ValueError:
            refused += 1
    assert refused > len(hostile) // 2


def test_messages_of_many_threads_stay_whole(pair: Pair) -> None:
    near, far = pair

    def send(letter: str) -> None:
        for length in range(0, 20000, 100):
            near.send(letter * length)

    with contextlib.ExitStack() as stack:
        for letter in "abcd":
            stack.enter_context(beside(lambda letter=letter: send(letter)))  # type: ignore[misc]
        for _ in range(800):
            assert len(set(far.recv())) <= 1


def test_a_message_that_is_too_long_is_refused_before_it_is_read(pair: Pair) -> None:
    near, far = pair
    near.write(b"\xff\xff\xff\xff")
    with pytest.raises(anyplace.ResourceExhausted):
        far.recv()


def test_the_end_is_told_from_every_object(pair: Pair) -> None:
    near, far = pair
    near.send(None)
    near.finish()
    assert far.recv() is None
    with pytest.raises(EOFError):
        far.recv()
