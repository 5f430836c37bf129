"""What it costs that a process is killed with something shared in its hands, in every library that shares.

`python killed.py --keep FOLDER` prints a table and keeps it. A cell says how it went for the others; where it
depends on the moment, there are several tries.
"""

from __future__ import annotations

import argparse
import collections
import select
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from matrix import AT_ONCE
from program import program
from victims import CASES, HANGS, LIBRARIES

#: A try takes about a second where nothing hangs; a wait with a limit has ended by then.
PATIENCE_S = 8.0


def main() -> None:
    """Run the matrix."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="where runs are kept")
    parser.add_argument("libraries", nargs="*", default=list(LIBRARIES))
    options = parser.parse_args()
    text = table(options.libraries)
    if options.keep:
        folder = options.keep / time.strftime("%Y-%m-%d-killed", time.gmtime())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "killed.md").write_text(text)
        print(f"kept in {folder}")


def table(libraries: list[str]) -> str:
    """Show as Markdown how each case goes with each library, also while it is made."""
    lines = [f"| killed while | {' | '.join(libraries)} |", "|---" * (len(libraries) + 1) + "|"]
    print(*lines, sep="\n")
    for case in CASES:
        cells = [cell(library, case) for library in libraries]
        lines.append(f"| {case} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def cell(library: str, case: str) -> str:
    """Show how it went, and how often so, the most usual first."""
    if not hasattr(LIBRARIES[library](), CASES[case].needs):
        return "has none"
    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = collections.Counter(threads.map(lambda _: once(library, case), range(CASES[case].tries)))
    if len(told) == 1:
        return next(iter(told))
    return ", ".join(f"{how} ({count} of {told.total()})" for how, count in told.most_common())


def once(library: str, case: str) -> str:
    """Tell how a try went; a program that says nothing hangs."""
    with program("bereaved.py", library, case) as child:
        assert child.stdout is not None
        if not select.select([child.stdout], [], [], PATIENCE_S)[0]:
            return HANGS
        return child.stdout.readline().strip() or "ends the program"


if __name__ == "__main__":
    main()
