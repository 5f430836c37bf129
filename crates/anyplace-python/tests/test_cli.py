"""The command `anyplace` that the wheel installs, and what `--call` makes of Python functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = os.path.join(sysconfig.get_path("scripts"), "anyplace")
FUNCTIONS = """
import pathlib
import time

def upper(text):
    return text.upper()

def measured(text):
    return {"text": text, "length": len(text)}

def nothing(text):
    return None

def odd(text):
    return {1, 2} & {2}

def joined(left, right):
    return left + right

def spoken(text):
    print("aside")
    return text

def refused(text):
    raise ValueError(f"no {text}")

async def later(text):
    return text

def waits_for_last(text):
    mark = pathlib.Path("last")
    if text == "last":
        mark.touch()
    while not mark.exists():
        time.sleep(0.01)
    return text
"""

Ran = subprocess.CompletedProcess[str]
Call = Callable[..., Ran]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Run `anyplace map` in a folder with the module `given`, by a PATH on which this Python is not."""
    (tmp_path / "given.py").write_text(FUNCTIONS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANYPLACE")}
    environment["PATH"] = os.defpath

    def run(*arguments: str) -> Ran:
        words = [COMMAND, "map", "--call", *arguments]
        return subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )

    return run


def test_a_result_that_is_text_is_printed_as_it_is(call: Call) -> None:
    ran = call("given:upper", "-k", ":::", "a", "it's", "é")
    assert (ran.stdout, ran.stderr, ran.returncode) == ("A\nIT'S\nÉ\n", "", 0)


@pytest.mark.parametrize(
    ("function", "printed"),
    [("measured", '{"text": "ab", "length": 2}'), ("nothing", "null"), ("odd", "{2}")],
)
def test_other_results_are_printed_as_json_or_else_as_their_repr(
    call: Call, function: str, printed: str
) -> None:
    assert call(f"given:{function}", ":::", "ab").stdout == printed + "\n"


def test_a_function_takes_a_value_of_each_source(call: Call) -> None:
    assert call("given:joined", "-k", ":::", "a", "b", ":::", "1", "2").stdout == "a1\na2\nb1\nb2\n"


def test_results_come_in_the_order_of_the_inputs_when_asked(call: Call) -> None:
    ran = call("given:waits_for_last", "-k", "-j2", ":::", "first", "last")
    assert (ran.stdout, ran.returncode) == ("first\nlast\n", 0)


def test_results_are_tagged_as_the_output_of_commands_is(call: Call) -> None:
    assert call("given:upper", "-k", "--tag", ":::", "a", "b").stdout == "a\tA\nb\tB\n"


def test_an_exception_is_a_failed_job_with_its_traceback(call: Call) -> None:
    ran = call("given:refused", ":::", "a")
    assert (ran.stdout, ran.returncode) == ("", 1)
    assert ran.stderr.startswith("error: an argument after :::, `a`: ValueError: no a\nTraceback ")
    assert 'raise ValueError(f"no {text}")' in ran.stderr


def test_json_lines_hold_the_result_or_the_exception(call: Call) -> None:
    good = json.loads(call("given:measured", "--json", ":::", "ab").stdout)
    assert (good["ok"], good["result"], good["error"]) == (True, {"text": "ab", "length": 2}, None)
    bad = json.loads(call("given:refused", "--json", ":::", "ab").stdout)
    assert (bad["ok"], bad["error"]) == (False, "ValueError: no ab")
    assert bad["traceback"].startswith("Traceback ")


def test_what_a_function_prints_never_mixes_with_results(call: Call) -> None:
    ran = call("given:spoken", "--json", ":::", "a")
    assert json.loads(ran.stdout)["result"] == "a"
    assert ran.stderr == "aside\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("given:missing", "AttributeError: module 'given' has no attribute 'missing'"),
        ("missing:upper", "ModuleNotFoundError: No module named 'missing'"),
    ],
)
def test_a_function_or_module_that_is_not_there_is_named(call: Call, name: str, said: str) -> None:
    ran = call(name, ":::", "a")
    assert (ran.stdout, ran.returncode) == ("", 1)
    assert said in ran.stderr


def test_the_line_of_a_dry_run_does_the_same(call: Call, tmp_path: Path) -> None:
    line = call("given:upper", "--dry-run", ":::", "it's").stdout
    assert line.startswith(f"{sys.executable} -c ")
    pasted = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert pasted.stdout == call("given:upper", ":::", "it's").stdout


def test_a_place_that_runs_no_named_function_says_which_does(call: Call) -> None:
    ran = call("given:upper", "--on", "threads:2", ":::", "a")
    assert (ran.stdout, ran.returncode) == ("", 255)
    assert ran.stderr.endswith(" help: open `processes:`\n")


def test_an_async_function_is_refused_with_help(call: Call) -> None:
    ran = call("given:later", ":::", "1")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "async:" in ran.stderr
    assert "never awaited" not in ran.stderr
