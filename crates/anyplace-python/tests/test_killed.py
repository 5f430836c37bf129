"""Our column of the table of killed processes (`bench/crashes/killed.py`): what they held passes on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CRASHES = Path(__file__).parents[3] / "bench/crashes"

#: How it goes for the others, by what the victim did.
WENT = {
    "holding a Lock": r"passes on in \d+ ms, and says so",
    "holding a Lock that is waited for": r"passes on in \d+ ms, and says so",
    "holding an RLock": r"passes on in \d+ ms, and says so",
    "holding a Semaphore's permit": r"passes on in \d+ ms",
    "waiting for a Condition": "the others are woken",
    "waiting in a Barrier": "the next three pass",
    "holding a manager's Lock": r"passes on in \d+ ms, and says so",
    "being the manager": "there is none",
    "waiting in a queue's get": "goes on",
    "at any moment of a queue's put": "goes on",
    "at any moment of a queue's get": "goes on",
}


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """The script that makes the table."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(CRASHES)
    import killed

    yield killed
    # Its modules have short names, which others may want.
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_every_case_of_the_table_is_here(killed) -> None:
    assert list(WENT) == list(killed.CASES)


@pytest.mark.parametrize("case", WENT)
def test_what_a_killed_process_held_passes_on(killed, case: str) -> None:
    assert re.fullmatch(WENT[case], killed.once("anyplace", case))
