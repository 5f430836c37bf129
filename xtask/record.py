"""Record a real terminal run as an animated SVG: `xtask/record.py OUT.svg COMMAND`.

The command runs under bash in a pseudo-terminal, so it sees a terminal and draws its progress bar. What it
writes is kept with its times and replayed through a terminal emulator; every state of the screen becomes a
frame. Where motion is not wanted or not supported, the frame in the middle of the run stands still.
"""

import html
import os
import pty
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyte

COLUMNS, ROWS = 88, 4
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 14
LAST_FRAME_STAYS = 2.0
FRAMES_PER_SECOND = 8

Chunk = tuple[float, bytes]
Frame = tuple[float, tuple[str, ...]]


def capture(command: str) -> list[Chunk]:
    """Run the command in a terminal; give what it writes, with seconds since its start."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(ROWS))
        os.execvp("bash", ["bash", "-c", command])
    began = time.monotonic()
    chunks = list(read(terminal, began))
    _, status = os.waitpid(pid, 0)
    if status != 0:
        sys.exit(f"`{command}` ended with {os.waitstatus_to_exitcode(status)}")
    return chunks


def read(terminal: int, began: float) -> Iterator[Chunk]:
    """Yield what comes until the terminal closes, which Linux tells by an error."""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            return
        if not data:
            return
        yield time.monotonic() - began, data


def frames(command: str, chunks: list[Chunk]) -> list[Frame]:
    """Replay the run; give the screens that a viewer sees, with the time each begins."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {command}\r\n".encode())
    seen = [(0.0, tuple(screen.display))]
    for at, data in chunks:
        stream.feed(data)
        begins = int(at * FRAMES_PER_SECOND) / FRAMES_PER_SECOND
        if seen[-1][0] == begins and len(seen) > 1:
            seen.pop()
        seen.append((begins, tuple(screen.display)))
    stream.feed(b"$ ")
    seen.append((chunks[-1][0], tuple(screen.display)))
    return seen


def svg(seen: list[Frame]) -> str:
    """Draw the frames above each other, each visible in its time only."""
    whole = seen[-1][0] + LAST_FRAME_STAYS
    ends = [begins for begins, _ in seen[1:]] + [whole]
    still = len(seen) // 2
    rules, groups = [], []
    for number, ((begins, lines), end) in enumerate(zip(seen, ends, strict=True)):
        start, stop = 100 * begins / whole, 100 * end / whole
        rules.append(
            f"@keyframes f{number}{{0%{{visibility:hidden}}{start:.2f}%{{visibility:visible}}"
            f"{stop:.2f}%{{visibility:{'visible' if end == whole else 'hidden'}}}}}"
            f"#f{number}{{animation:f{number} {whole:.2f}s infinite step-end;"
            f"visibility:{'visible' if number == still else 'hidden'}}}"
        )
        groups.append(f'<g id="f{number}">{"".join(text(row, line) for row, line in enumerate(lines))}</g>')
    width, height = COLUMNS * CELL_WIDTH + 2 * MARGIN, ROWS * CELL_HEIGHT + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}">'
        "<style>text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#e6edf3;white-space:pre}"
        f"{''.join(rules)}@media (prefers-reduced-motion:reduce){{g{{animation:none!important}}}}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#161b22"/>{"".join(groups)}</svg>\n'
    )


def text(row: int, line: str) -> str:
    """One line of the screen; its length is fixed, so that bars stay straight in every font."""
    line = line.rstrip()
    if not line:
        return ""
    baseline = MARGIN + (row + 0.75) * CELL_HEIGHT
    length = len(line) * CELL_WIDTH
    return (
        f'<text x="{MARGIN}" y="{baseline:.1f}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs">'
        f"{html.escape(line)}</text>"
    )


def main() -> None:
    """Record the command named on the command line."""
    out, command = sys.argv[1:]
    Path(out).write_text(svg(frames(command, capture(command))))


if __name__ == "__main__":
    main()
