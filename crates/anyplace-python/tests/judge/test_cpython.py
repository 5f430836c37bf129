"""CPython's own test_concurrent_futures judges our executors, in the place of its own.

Tests that look at the inside of CPython's executors, or ask for what our contract says otherwise, stand in
listed.toml, each with its reason. The list is checked: a listed test has to fail, and has to exist.
"""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

JUDGE = Path(__file__).parent
PASSED, SKIPPED = 0, 77
#: More than one.py allows itself; only what does not even listen to that is ended by this.
LIMIT_S = 35
#: The tests mostly sleep, so more run at once than there are cores.
AT_ONCE = 4


@dataclass
class Verdict:
    code: int
    text: str


def one(*arguments: str) -> Verdict:
    """Runs one.py in a process group of its own, of which nothing is left."""
    command = [sys.executable, str(JUDGE / "one.py"), *arguments]
    # A file, not a pipe: what a failed test leaves behind would keep a pipe open.
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            code = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        return Verdict(code, output.read())


def names() -> list[str]:
    provide_suite()
    verdict = one("--list")
    if verdict.code != PASSED:
        pytest.exit(f"CPython's test_concurrent_futures cannot be loaded:\n{verdict.text}", returncode=1)
    return verdict.text.split()


def provide_suite() -> None:
    """CPython's tests are there, from this Python or from Debian's package; root installs that."""
    sys.path.insert(0, str(JUDGE / "suite"))
    try:
        if importlib.util.find_spec("test.test_concurrent_futures"):
            return
    finally:
        sys.path.remove(str(JUDGE / "suite"))
        sys.modules.pop("test", None)
    package = "libpython{}.{}-testsuite".format(*sys.version_info)
    install = ["apt-get", "install", "--yes", package]
    if os.geteuid() != 0 or subprocess.run(install, check=False).returncode != 0:
        pytest.exit(f"CPython's test suite is missing: sudo {' '.join(install)}", returncode=1)


def listed() -> dict[str, dict]:
    """The listed tests of this version of Python, each with its group."""
    groups = tomllib.loads((JUDGE / "listed.toml").read_text())["because"]
    return {test: group for group in groups if is_of_this_python(group) for test in group["tests"]}


def is_of_this_python(group: dict) -> bool:
    since, until = (
        tuple(map(int, group.get(*key).split("."))) for key in (("since", "3.11"), ("until", "3.99"))
    )
    return since <= sys.version_info[:2] <= until


NAMES = names()
LISTED = listed()


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(NAMES, pool.map(one, NAMES), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_judges(name: str, verdicts: dict[str, Verdict]) -> None:
    """What CPython's executors do, ours do; what is listed, they do not."""
    verdict = verdicts[name]
    if verdict.code == SKIPPED:
        pytest.skip(verdict.text.partition("skipped ")[2].splitlines()[0])
    group = LISTED.get(name)
    if group is None:
        assert verdict.code == PASSED, verdict.text
    elif not group.get("depends_on_timing"):
        assert verdict.code != PASSED, f"{name} passes: take it off the list ({group['reason']})"


def test_every_listed_test_exists() -> None:
    """A test that CPython renamed or dropped must not stay on the list."""
    assert sorted(set(LISTED) - set(NAMES)) == []
