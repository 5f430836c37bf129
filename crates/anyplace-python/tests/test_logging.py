"""Log records of workers come to the caller's loggers."""

from __future__ import annotations

import logging
import threading

import anyplace
import pytest


def test_records_come_in_order_and_name_their_worker(caplog: pytest.LogCaptureFixture) -> None:
    """They are there when the task's result is."""

    def count() -> None:
        for n in range(20):
            logging.getLogger("app.part").warning("step %d", n)

    with anyplace.open("processes:1") as place:
        place.submit(count).result()
    assert [record.getMessage() for record in caplog.records] == [f"step {n}" for n in range(20)]
    assert {record.processName for record in caplog.records} == {"anyplace-worker-0"}
    assert {record.name for record in caplog.records} == {"app.part"}


def test_levels_are_those_of_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    """Of the root, and of a logger that has its own."""

    def speak() -> None:
        logging.getLogger("loud").debug("heard")
        logging.getLogger("other").info("not heard")

    with caplog.at_level(logging.DEBUG, "loud"), anyplace.open("processes:1") as place:
        place.submit(speak).result()
    assert [record.getMessage() for record in caplog.records] == ["heard"]


def test_exceptions_and_extras_travel_as_text_if_they_must(caplog: pytest.LogCaptureFixture) -> None:
    """A record is never lost for what is attached to it."""

    def fail() -> None:
        try:
            raise ValueError("bad")
        except ValueError:
            logging.getLogger("app").exception("it failed", extra={"lock": threading.Lock(), "size": 3})

    with anyplace.open("processes:1") as place:
        place.submit(fail).result()
    (record,) = caplog.records
    assert "ValueError: bad" in record.getMessage()
    assert record.lock.startswith("<unlocked _thread.lock")
    assert record.size in (3, "3")
