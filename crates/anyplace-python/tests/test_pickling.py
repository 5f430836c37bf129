"""Functions, arguments, results and exceptions travel to worker processes and back."""

from __future__ import annotations

import functools
import importlib
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import anyplace


@pytest.fixture(scope="module")
def place() -> Iterator[anyplace.Place]:
    with anyplace.open("processes:1") as place:
        yield place


class Model:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class NeedsTwo(Exception):
    """Can be pickled, but not read again."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class ExitsWhenRead:
    def __reduce__(self) -> tuple:
        return sys.exit, (3,)


def test_lambdas_and_closures_travel_with_todays_values(place: anyplace.Place) -> None:
    """A closure is read anew at each submit."""
    factor = 2
    times = lambda n: n * factor  # noqa: E731
    assert place.submit(times, 21).result() == 42
    factor = 3
    assert place.submit(times, 21).result() == 63


def test_lambdas_travel_inside_arguments(place: anyplace.Place) -> None:
    """What pickle cannot do by name cloudpickle does by value."""
    assert list(place.map(lambda call: call(4), [lambda n: n + 1, functools.partial(pow, 2)])) == [5, 16]


@pytest.mark.parametrize(
    ("submit", "path"),
    [
        (lambda place: place.submit(id, [{"model": Model()}]), "args[0][0]['model'].lock"),
        (lambda place: place.submit(id, model=Model()), "kwargs['model'].lock"),
        (lambda place: place.submit(Model), "result.lock"),
    ],
)
def test_what_cannot_travel_is_named_by_its_path(place: anyplace.Place, submit, path: str) -> None:
    """The task fails, not the submit; and the error says which part."""
    future = submit(place)
    with pytest.raises(anyplace.NotSerializable) as caught:
        future.result()
    assert f"`{path}`" in str(caught.value)
    assert "_thread.lock" in str(caught.value)
    assert isinstance(caught.value, (pickle.PicklingError, TypeError))


def test_a_variable_of_a_closure_is_named(place: anyplace.Place) -> None:
    """The function itself may hold what cannot travel."""
    model = Model()
    with pytest.raises(anyplace.NotSerializable, match=r"fn\.__closure__\['model'\]\.lock"):
        place.submit(lambda: model).result()


def test_an_item_that_cannot_travel_costs_no_other_item(place: anyplace.Place) -> None:
    """In a chunk each item fails alone."""
    results = place.map(str, [1, Model(), 3], chunksize=3)
    assert next(results) == "1"
    with pytest.raises(anyplace.NotSerializable, match=r"args\[0\]\.lock"):
        next(results)
    assert next(results) == "3"


def test_a_result_that_exits_when_read_fails_its_task_alone(place: anyplace.Place) -> None:
    """Reading a result never ends the caller."""
    with pytest.raises(anyplace.NotSerializable, match="SystemExit"):
        place.submit(ExitsWhenRead).result()
    assert place.submit(abs, -1).result() == 1


def test_exceptions_keep_notes_causes_and_the_workers_traceback(place: anyplace.Place) -> None:
    """What is raised is the task's own exception, with all that was said with it."""

    def fail() -> None:
        try:
            {}["key"]
        except KeyError as missing:
            error = ValueError("no such thing")
            error.add_note("look elsewhere")
            raise error from missing

    with pytest.raises(ValueError, match="no such thing") as caught:
        place.submit(fail).result()
    remote = caught.value.__cause__
    assert caught.value.__notes__ == ["look elsewhere"]
    assert "in fail" in remote.tb
    assert "KeyError: 'key'" in remote.tb
    assert repr(remote.__context__) == "KeyError('key')"


@pytest.mark.parametrize("is_locked", [False, True])
def test_an_exception_that_cannot_travel_survives_as_data(place: anyplace.Place, is_locked: bool) -> None:
    """Whether it cannot be pickled or cannot be read: type, message, traceback and notes are there."""

    def fail() -> None:
        error = NeedsTwo(1, 2)
        if is_locked:
            error.lock = threading.Lock()
        error.add_note("a note")
        raise error

    with pytest.raises(anyplace.TaskFailed, match="NeedsTwo: 1 and 2") as caught:
        place.submit(fail).result()
    assert "a note" in caught.value.__notes__
    assert "in fail" in caught.value.remote_traceback


@pytest.mark.parametrize("end", [SystemExit(7), KeyboardInterrupt()])
def test_exits_and_interrupts_are_outcomes(place: anyplace.Place, end: BaseException) -> None:
    """They end the task, not the worker."""

    def leave() -> None:
        raise end

    worker = place.submit(os.getpid).result()
    assert type(place.submit(leave).exception()) is type(end)
    assert place.submit(os.getpid).result() == worker


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """Writes a module and a helper that it leans on; gives the module and what writes the helper anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "leaning.py").write_text("import helping\n\ndef answer():\n    return helping.answer()\n")

    def write(value: int) -> None:
        # Another size each time: the second part of a time stamp is all that a cached file remembers.
        (tmp_path / "helping.py").write_text(
            f"ANSWER = {value}\n{'#' * value}\ndef answer():\n    return ANSWER\n"
        )
        importlib.invalidate_caches()

    write(1)
    module: ModuleType = importlib.import_module("leaning")
    yield module, write
    for name in ("leaning", "helping"):
        sys.modules.pop(name, None)


def test_edited_and_reloaded_modules_are_loaded_again_in_workers(edited) -> None:
    """Not even a helper's constant is stale."""
    module, write = edited
    with anyplace.open("processes:1") as place:
        assert place.submit(module.answer).result() == 1
        write(2)
        importlib.reload(module.helping)
        assert place.submit(module.answer).result() == 2
        write(1)
        importlib.reload(module.helping)
        assert place.submit(module.answer).result() == 1


def test_what_runs_here_runs_there_though_the_file_was_edited(edited) -> None:
    """A new worker would import the file as it is now; the caller has not loaded that."""
    module, write = edited
    assert module.answer() == 1
    with anyplace.open("processes:1") as first:
        assert first.submit(module.answer).result() == 1
    write(2)
    with anyplace.open("processes:1") as second:
        assert second.submit(module.answer).result() == 1


def test_functions_replaced_by_hand_are_sent_again(edited) -> None:
    """As notebooks do it."""
    module, _ = edited
    with anyplace.open("processes:1") as place:
        assert place.submit(module.answer).result() == 1
        exec("def answer():\n    return 'mended'", vars(module))
        assert place.submit(module.answer).result() == "mended"
