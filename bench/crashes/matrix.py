"""What a crash costs in every process pool: `python matrix.py --keep FOLDER` prints a table and keeps it.

Each case runs in a process of its own. A cell says how the guilty task ended, how many of twenty innocent
ones returned, and `dead` if the pool took no task afterwards.
"""

from __future__ import annotations

import argparse
import json
import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cases import CASES
from endings import ENDINGS
from one import HANGS
from peers import PEERS
from program import program

#: A whole case takes under a second where nothing hangs.
PATIENCE_S = 8.0
#: Cases mostly sleep, so several may run at once.
AT_ONCE = 4

Told = dict[str, Any]


def main() -> None:
    """Run the matrix."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="where runs are kept")
    parser.add_argument("pools", nargs="*", default=list(PEERS))
    options = parser.parse_args()
    told: dict[str, dict[str, Told]] = {}
    for name, case in rows().items():
        told[name] = row(case, options.pools, AT_ONCE)
        print(
            name,
            *(f"{pool}: {cell(name, pool, told[name][pool])}" for pool in options.pools),
            sep="\n    ",
            flush=True,
        )
    text = table(told, options.pools)
    print(f"\n{text}")
    if options.keep:
        keep(options.keep / time.strftime("%Y-%m-%d-crashes", time.gmtime()), told, text)


def rows() -> dict[str, Callable[[str], Told]]:
    """Give what happens in each row, to be done in a pool."""
    crashes = {case: lambda pool, case=case: crash(pool, case, PATIENCE_S) for case in CASES}
    return {**crashes, **ENDINGS}


def row(of: Callable[[str], Told], pools: list[str], at_once: int) -> dict[str, Told]:
    """Do it in every pool."""
    with ThreadPoolExecutor(at_once) as threads:
        return dict(zip(pools, threads.map(of, pools), strict=True))


def crash(pool: str, case: str, patience: float) -> Told:
    """Run a case; a program that does not even say how it went hangs as a whole."""
    with program("one.py", pool, case, str(patience)) as child:
        assert child.stdout is not None
        if not select.select([child.stdout], [], [], patience * 3)[0]:
            return {"guilty": HANGS, "text": "the whole program", "innocents": 0, "usable": False}
        line = child.stdout.readline()
        if not line:
            return {"guilty": "ends the program", "text": "", "innocents": 0, "usable": False}
        told: Told = json.loads(line)
        return told


def table(told: dict[str, dict[str, Told]], pools: list[str]) -> str:
    """Show it as Markdown."""
    lines = [f"| case | {' | '.join(pools)} |", "|---" * (len(pools) + 1) + "|"]
    for name, found in told.items():
        cells = [cell(name, pool, found[pool]) for pool in pools]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(name: str, pool: str, told: Told) -> str:
    """Show how one went."""
    if "innocents" in told:
        has_none = CASES[name].limit and not PEERS[pool].has_limits
        ends = "no limit" if has_none else told["guilty"]
        return f"{ends}, {told['innocents']}/20" + ("" if told["usable"] else ", dead")
    if told["seconds"] is None:
        return "still running after 12 s"
    if "left" in told:
        return f"{told['left']} left" if told["left"] else f"none left after {told['seconds'] * 1e3:.0f} ms"
    return f"{told['seconds']:.2f} s, {told['lines']} lines"


def keep(folder: Path, told: dict[str, dict[str, Told]], text: str) -> None:
    """Write the table, and what each cell was made of."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crashes.md").write_text(text)
    (folder / "crashes.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"kept in {folder}")


if __name__ == "__main__":
    main()
