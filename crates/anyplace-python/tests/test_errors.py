"""Errors say what went wrong, where, and what to do next."""

from __future__ import annotations

import concurrent.futures
import concurrent.futures.process
import pickle
import threading

import pytest

import anyplace
from functions import divide, square


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("Cancelled", concurrent.futures.CancelledError),
        ("ConfigInvalid", ValueError),
        ("NotFound", LookupError),
        ("NotSerializable", TypeError),
        ("NotSerializable", pickle.PicklingError),
        ("PermissionDenied", PermissionError),
        ("PlaceClosed", RuntimeError),
        ("ResourceExhausted", OSError),
        ("Timeout", TimeoutError),
        ("Unsupported", NotImplementedError),
        ("WorkerLost", concurrent.futures.process.BrokenProcessPool),
    ],
)
def test_each_error_is_also_the_builtin_one_would_catch(name: str, builtin: type[BaseException]) -> None:
    error = getattr(anyplace, name)
    assert issubclass(error, anyplace.Error)
    assert issubclass(error, builtin)
    assert (error.kind, error.__module__) == (name, "anyplace")


def test_a_wrong_address_names_the_nearest_spelling() -> None:
    with pytest.raises(anyplace.ConfigInvalid) as caught:
        anyplace.open("thread:2")
    error = caught.value
    assert error.help is not None
    assert "threads" in error.help
    assert any("threads" in note for note in error.__notes__)
    assert (error.operation, error.retry) == ("open", "never")


def test_an_error_survives_pickling() -> None:
    with pytest.raises(anyplace.ConfigInvalid) as caught:
        anyplace.open("threads:many")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is anyplace.ConfigInvalid
    assert vars(copy) == vars(caught.value)
    assert str(copy) == str(caught.value)


def test_an_exception_of_a_worker_shows_its_traceback() -> None:
    with anyplace.open("processes:1") as place:
        error = place.submit(divide, 0).exception(60)
    assert isinstance(error, ZeroDivisionError)
    assert type(error.__cause__) is concurrent.futures.process._RemoteTraceback
    assert "in divide" in str(error.__cause__)


def test_what_cannot_travel_is_named_and_costs_only_its_task() -> None:
    with anyplace.open("processes:1") as place:
        bad = place.submit(square, {"key": threading.Lock()})
        good = place.submit(square, 3)
        with pytest.raises(anyplace.NotSerializable, match=r"args\[0\]\['key'\]"):
            bad.result(60)
        assert good.result(60) == 9
        results = place.map(square, [2, threading.Lock(), 4])
        assert next(results) == 4
        with pytest.raises(anyplace.NotSerializable):
            next(results)
        assert list(results) == [16]


def test_a_crash_costs_only_the_task_that_crashed() -> None:
    import os

    with anyplace.open("processes:1") as place:
        with pytest.raises(anyplace.WorkerLost) as caught:
            place.submit(os._exit, 3).result(60)
        assert caught.value.exit == 3
        assert caught.value.place == "processes:1"
        assert caught.value.retry == "may repeat"
        assert place.submit(square, 3).result(60) == 9
