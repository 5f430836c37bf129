"""Workers are killed at random for a few seconds (`bench/crashes/storm.py`): every task is accounted for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

STORM = Path(__file__).parents[3] / "bench/crashes/storm.py"


def test_every_task_of_a_storm_ends_once_and_nothing_is_left() -> None:
    """The seed, to repeat it, is in the script's standard error."""
    done = subprocess.run(
        [sys.executable, str(STORM), "--seconds", "6"], capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    accounts = json.loads(done.stdout)
    assert accounts["killed"] > 10, "this was no storm"
    assert accounts["returned"] > 1000
