"""Calls, tasks and files over sockets, beside Pyro5, ZeroMQ and plain sockets.

In each round every group of measures goes through its contenders in random order. The two ends of a
conversation are programs of their own.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from contenders import GROUPS

HERE = Path(__file__).parent
#: A program that takes longer hangs.
PATIENCE_S = 120


def main() -> None:
    """Measure in interleaved rounds and print each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--items", type=int, help="taken as every suite takes it: here time is what is given")
    parser.add_argument("--quick", action="store_true", help="take less time for each measure")
    parser.add_argument("--group", action="append", choices=list(GROUPS), help="only this one")
    options = parser.parse_args()
    for _ in range(options.rounds):
        for group in options.group or GROUPS:
            for who in random.sample(list(GROUPS[group]), len(GROUPS[group])):
                for line in measured(group, who, 0.3 if options.quick else 2.0).splitlines():
                    case, value, unit = line.split(",")
                    print(f"{case},{who},{value},{unit}", flush=True)


def measured(group: str, who: str, seconds: float) -> str:
    """Let one contender measure itself; one that hangs is ended with all that it started."""
    command = [sys.executable, str(HERE / "client.py"), group, who, str(seconds)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        printed = program.communicate(timeout=PATIENCE_S)[0]
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        raise
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, program.args)
    return printed


if __name__ == "__main__":
    main()
