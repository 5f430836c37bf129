"""`processes:` against the other process pools of Python.

In each round every pool is opened in turn, in random order, goes through all measures and is closed, so that
no two pools are there at once and each stands beside the others of its round.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path

from arrays import floors, received, sent
from measures import Measure, Setting, awaited, mapped, round_trips, submitted
from pools import CONTENDERS, Contender
from work import nap, nothing

HERE = Path(__file__).parent
LIGHT: list[Measure] = [round_trips, submitted, mapped]
#: These take the peers seconds.
HEAVY: list[Measure] = [awaited, sent, received]
#: As many workers as this comparison is for, and twice as many as the machine of the published run has cores.
CREWS = {2: "", 4: " (4 workers)"}


def main() -> None:
    """Measure in interleaved rounds and print each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--quick", action="store_true", help="leave out what takes long with 4 workers")
    options = parser.parse_args()
    for _ in range(options.rounds):
        for workers, suffix in CREWS.items():
            measures = LIGHT if options.quick and suffix else LIGHT + HEAVY
            run_round(measures, workers, suffix, options)
        for contender in shuffled():
            start(contender)
        rest(1.0 if options.quick else 4.0)


def run_round(measures: list[Measure], workers: int, suffix: str, options: argparse.Namespace) -> None:
    """Open, measure and close one pool after the other; take the floors of the heavy measures beside them."""
    seconds = 0.05 if options.quick else 0.25
    for contender in shuffled():
        with contender.open(workers) as pool:
            of = Setting(contender, pool, options.items, seconds)
            get_warm(of, workers)
            for measure in measures:
                for case, value, unit in measure(of):
                    show(case + suffix, contender.name, value, unit)
    if sent in measures:
        for case, who, value, unit in floors(seconds):
            show(case + suffix, who, value, unit)


def shuffled() -> list[Contender]:
    """The pools in an order that nobody can get used to."""
    return random.sample(CONTENDERS, len(CONTENDERS))


def get_warm(of: Setting, workers: int) -> None:
    """Wait until every worker has worked, and let all of them learn the function."""
    seen: set[int] = set()
    while len(seen) < workers:
        naps = [of.pool.submit(nap, 0.05) for _ in range(workers)]
        seen |= {of.pool.result(each) for each in naps}
    for task in [of.pool.submit(nothing, number) for number in range(100 * workers)]:
        of.pool.result(task)


def start(contender: Contender) -> None:
    """Take the time to a first result in a fresh interpreter."""
    command = [sys.executable, str(HERE / "start.py"), contender.name]
    printed = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=60
    ).stdout.split()
    for which, milliseconds in zip(["first", "second"], printed, strict=True):
        show(f"start to first result of a {which} pool", contender.name, float(milliseconds), "ms")


def rest(seconds: float) -> None:
    """Look at all pools at rest, at once: what does nothing does not disturb the others."""
    command = [sys.executable, str(HERE / "idle.py")]
    pools = {
        contender.name: subprocess.Popen(
            [*command, contender.name, str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for contender in shuffled()
    }
    for pool in pools.values():
        assert pool.stdout is not None
        assert pool.stdout.readline() == "ready\n"
    for pool in pools.values():
        assert pool.stdin is not None
        print(file=pool.stdin, flush=True)
    for name, pool in pools.items():
        share, memory = map(float, pool.communicate(timeout=60)[0].split())
        show("idle CPU of 8 workers", name, share, "% of a core")
        show("memory per idle worker", name, memory, "MB")


def show(case: str, who: str, value: float, unit: str) -> None:
    """Print one measurement as the bench crate reads it."""
    print(f"{case},{who},{value},{unit}", flush=True)


if __name__ == "__main__":
    main()
