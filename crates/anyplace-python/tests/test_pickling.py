"""Functions, arguments, results and exceptions travel to worker processes and back."""

from __future__ import annotations

import functools
import gc
import importlib
import os
import pickle
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cloudpickle
import pytest

import anyplace
from anyplace import _guards, _pickling
from functions import echo, pair


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


LIMIT = 1
TABLE = [1]


def limited(number: int) -> int:
    return number + LIMIT


def helped(number: int) -> int:
    return limited(number)


def tabled(number: int) -> int:
    return number + TABLE[0]


def longest(words: list[str]) -> int:
    return max(len(word) for word in words)


@pytest.fixture
def travelling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Submits a function by value, so often that its pickle is used again where it can be."""

    def again(place: anyplace.Place, function: Callable, argument: object) -> object:
        results = {place.submit(function, argument).result() for _ in range(4)}
        assert len(results) == 1
        return results.pop()

    # As in a notebook: a worker cannot import what is defined here.
    monkeypatch.setattr(_pickling, "_ELSEWHERE", (__name__.encode(),))
    monkeypatch.setattr(_guards, "_ELSEWHERE", (__name__,))
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield again
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.mark.parametrize(
    ("function", "name", "value", "before", "after"),
    [
        (limited, "LIMIT", 10, 2, 11),
        (helped, "LIMIT", 10, 2, 11),
        (helped, "limited", lambda number: -number, 2, -1),
        (tabled, "TABLE", [7], 2, 8),
    ],
)
def test_functions_that_travel_by_value_have_todays_globals(
    place: anyplace.Place,
    travelling: Callable,
    monkeypatch: pytest.MonkeyPatch,
    function: Callable,
    name: str,
    value: object,
    before: int,
    after: int,
) -> None:
    """Their own, and those of functions that they call; also after many calls with the old ones."""
    assert travelling(place, function, 1) == before
    monkeypatch.setitem(globals(), name, value)
    assert travelling(place, function, 1) == after


def test_what_changes_inside_of_a_global_is_seen(place: anyplace.Place, travelling: Callable) -> None:
    """The list is the same object, and its content is not the same."""
    assert travelling(place, tabled, 1) == 2
    TABLE[0] = 2
    try:
        assert travelling(place, tabled, 1) == 3
    finally:
        TABLE[0] = 1


def test_a_name_that_hides_a_builtin_is_seen(
    place: anyplace.Place, travelling: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not among the globals before, and then it is."""
    assert travelling(place, longest, ["a", "bcd"]) == 3
    monkeypatch.setitem(globals(), "max", lambda lengths: 99)
    assert travelling(place, longest, ["a", "bcd"]) == 99


def test_new_defaults_code_and_attributes_are_seen(place: anyplace.Place, travelling: Callable) -> None:
    """Functions change under their names, too."""

    def power(base: int, exponent: int = 2) -> int:
        return base**exponent + len(vars(power))

    assert travelling(place, power, 3) == 9
    power.__defaults__ = (3,)
    assert travelling(place, power, 3) == 27
    power.__kwdefaults__ = {}
    power.note = "seen"
    assert travelling(place, power, 3) == 28
    power.__code__ = (lambda base, exponent: base - exponent).__code__.replace(
        co_freevars=power.__code__.co_freevars
    )
    assert travelling(place, power, 3) == 0


@pytest.mark.parametrize("submits", [1, 4])
def test_a_place_keeps_no_function(place: anyplace.Place, submits: int) -> None:
    """What was submitted, and what it called, is gone when the caller lets go of it."""

    def inner() -> int:
        return 1

    def outer() -> int:
        return inner() + 1

    kept = [weakref.ref(inner), weakref.ref(outer)]
    for _ in range(submits):
        assert place.submit(outer).result() == 2
    inner = outer = None  # type: ignore[assignment]
    gc.collect()
    assert [function() for function in kept] == [None, None]


def test_methods_travel_with_todays_object(place: anyplace.Place) -> None:
    """A method is a new object each time, and its object is sent with it."""
    words = ["a"]
    assert place.submit(words.count, "a").result() == 1
    words.append("a")
    assert place.submit(words.count, "a").result() == 2


PLAIN = [
    None, True, 0, -1, 2**63 - 1, -(2**63), 2**63, 0.0, -0.0, float("inf"), "", "text", "é\0", "\ud800", b"",
    b"\x00\xff", (), (1,), (1, ("a", b"b", None)), ((((),),),), ("x" * 40_000,), [1], {"a": 1}, {1, 2}, 1j,
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=ascii)
def test_values_come_back_as_they_were_sent(place: anyplace.Place, value: object) -> None:
    """In their exact type, alone, as items of a chunk, and in a tuple."""
    for back in [place.submit(echo, value).result(), *place.map(echo, [value] * 2, chunksize=2)]:
        assert (type(back), repr(back)) == (type(value), repr(value))
    assert repr(list(place.starmap(pair, [(value, 1)] * 2))) == repr([(value, 1)] * 2)


class Distance(float):
    """Not plain: it is more than its number."""


def test_subclasses_of_plain_types_stay_what_they_are(place: anyplace.Place) -> None:
    back = place.submit(echo, Distance(3)).result()
    assert (type(back).__name__, back) == ("Distance", 3.0)


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
