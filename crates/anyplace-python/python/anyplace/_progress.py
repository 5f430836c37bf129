"""The line that ``progress=True`` draws."""

from __future__ import annotations

import sys

from anyplace import _core


def draw(counts: _core.Counts) -> None:
    """Draw the counts: over the line before on a terminal, as a last line elsewhere."""
    whole = counts.ended == counts.submitted
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line(counts)}" + ("\n" if whole else ""))
        sys.stderr.flush()
    elif whole:
        print(line(counts), file=sys.stderr)


def line(counts: _core.Counts) -> str:
    """Tell the counts in one line."""
    failed = counts.failed + counts.lost
    parts = [f"{counts.ended}/{counts.submitted}", f"{counts.rate:.0f}/s", f"{counts.elapsed:.1f} s"]
    return "  ".join([*parts, f"{failed} failed"] if failed else parts)
