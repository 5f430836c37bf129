"""How somebody else's suite judges us: each test in a process of its own, against a list that is checked.

Tests that look at the inside of what they were written for, or ask for what our contract says otherwise, are
listed, each with its reason. A listed test has to fail, and has to exist.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

JUDGE = Path(__file__).parent
PASSED, FAILED, SKIPPED = 0, 1, 77
#: More than one.py allows itself; only what does not even listen to that is ended by this.
LIMIT_S = 35


@dataclass
class Verdict:
    code: int
    text: str


@dataclass
class Suite:
    """A suite: its file here without an ending, and how many of its tests run at once."""

    name: str
    at_once: int
    names: list[str] = field(init=False)
    listed: dict[str, dict] = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.load()
        groups = tomllib.loads((JUDGE / f"{self.name}.toml").read_text())["because"]
        self.listed = {test: group for group in groups if is_of_this_python(group) for test in group["tests"]}

    def load(self) -> list[str]:
        """The names of its tests."""
        verdict = run("one.py", self.name, "--list")
        if verdict.code != PASSED:
            pytest.exit(f"the suite `{self.name}` cannot be loaded:\n{verdict.text}", returncode=1)
        return verdict.text.split()

    def judge(self) -> dict[str, Verdict]:
        """How each of them ended."""
        with ThreadPoolExecutor(self.at_once) as pool:
            verdicts = pool.map(lambda name: run("one.py", self.name, name), self.names)
            return dict(zip(self.names, verdicts, strict=True))

    def check(self, name: str, verdict: Verdict) -> None:
        """What is not listed passes, or skips itself; what is listed does not pass."""
        if verdict.code == SKIPPED:
            pytest.skip(verdict.text.partition("skipped ")[2].splitlines()[0])
        group = self.listed.get(name)
        if group is None:
            assert verdict.code == PASSED, verdict.text
        elif not group.get("depends_on_timing"):
            assert verdict.code != PASSED, f"{name} passes: take it off the list ({group['reason']})"

    def check_list(self) -> None:
        """A test that was renamed or dropped must not stay on the list."""
        assert sorted(set(self.listed) - set(self.names)) == []


def run(program: str, *arguments: str, limit: int = LIMIT_S) -> Verdict:
    """Runs a program of this folder in a process group of its own, of which nothing is left."""
    command = [sys.executable, str(JUDGE / program), *arguments]
    # A file, not a pipe: what a failed test leaves behind would keep a pipe open.
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        return Verdict(code, output.read())


def provide(module: str) -> None:
    """CPython's tests are there, from this Python or from Debian's package; root installs that."""
    sys.path.insert(0, str(JUDGE / "suite"))
    try:
        if importlib.util.find_spec(module):
            return
    finally:
        sys.path.remove(str(JUDGE / "suite"))
        sys.modules.pop("test", None)
    package = "libpython{}.{}-testsuite".format(*sys.version_info)
    install = ["apt-get", "install", "--yes", package]
    if os.geteuid() != 0 or subprocess.run(install, check=False).returncode != 0:
        pytest.exit(f"CPython's test suite is missing: sudo {' '.join(install)}", returncode=1)


def is_of_this_python(group: dict) -> bool:
    since, until = (
        tuple(map(int, group.get(*key).split("."))) for key in (("since", "3.11"), ("until", "3.99"))
    )
    return since <= sys.version_info[:2] <= until
