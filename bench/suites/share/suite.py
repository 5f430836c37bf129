"""Locks, queues, values and managers from Python, beside the standard library's and others.

In each round every group of measures goes through its contenders in random order, each in a program of its
own, so that each stands beside the others of its round.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

from alone import GROUPS
from kinds import KINDS

HERE = Path(__file__).parent
#: A program that takes longer hangs.
PATIENCE_S = 120

T = TypeVar("T")


def main() -> None:
    """Measure in interleaved rounds and print each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--items", type=int, help="taken as every suite takes it: here time is what is given")
    parser.add_argument("--quick", action="store_true", help="take less time for each measure")
    parser.add_argument("--group", action="append", choices=[*GROUPS, "blocked"], help="only this one")
    options = parser.parse_args()
    groups = options.group or [*GROUPS, "blocked"]
    for _ in range(options.rounds):
        for name in groups:
            if name in GROUPS:
                run_group(name, 0.05 if options.quick else 0.25)
        if "blocked" in groups:
            rest(1.0 if options.quick else 4.0)


def run_group(name: str, seconds: float) -> None:
    """Measure one contender after the other."""
    for who in shuffled(GROUPS[name].contenders):
        program = started("alone.py", name, who, str(seconds))
        for line in finished(program).splitlines():
            case, value, unit = line.split(",")
            show(case, who, float(value), unit)


def rest(seconds: float) -> None:
    """Look at all that wait, at once: what does nothing does not disturb the others."""
    # A pipe has one process at each end.
    many_get = {name: kind for name, kind in KINDS.items() if name != "multiprocessing.Pipe"}
    programs = {name: started("blocked.py", name, str(seconds)) for name in shuffled(many_get)}
    for program in programs.values():
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs.values():
        assert program.stdin is not None
        print(file=program.stdin, flush=True)
    for name, program in programs.items():
        share, memory = map(float, finished(program).split())
        show("process queue: idle CPU of 8 blocked in get", name, share, "% of a core")
        show("process queue: memory per blocked process", name, memory, "MB")


def started(script: str, *words: str) -> subprocess.Popen[str]:
    """Start a script of this folder in a session of its own."""
    command = [sys.executable, str(HERE / script), *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)


def finished(program: subprocess.Popen[str]) -> str:
    """Wait until it has ended, and give what it printed; one that hangs is ended with all that it started."""
    try:
        printed = program.communicate(timeout=PATIENCE_S)[0]
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        raise
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, program.args)
    return printed


def shuffled(contenders: dict[str, T]) -> list[str]:
    """Their names in an order that nobody can get used to."""
    return random.sample(list(contenders), len(contenders))


def show(case: str, who: str, value: float, unit: str) -> None:
    """Print one measurement as the bench crate reads it."""
    print(f"{case},{who},{value},{unit}", flush=True)


if __name__ == "__main__":
    main()
