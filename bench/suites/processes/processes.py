"""What this process and all that it has started use: processor time and memory."""

import os
from pathlib import Path

PROC = Path("/proc")


def family() -> list[int]:
    """Give this process and its descendants."""
    children: dict[int, list[int]] = {}
    for pid in (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()):
        children.setdefault(parent(pid), []).append(pid)
    found = [os.getpid()]
    for pid in found:
        found += children.get(pid, [])
    return found


def parent(pid: int) -> int:
    """Give the process that started this one, or 0 if it has just ended."""
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def cpu_seconds(pids: list[int], without: int = 0) -> float:
    """Add up the processor time of all threads of these processes `without` one, to the nanosecond.

    (`os.times` counts in hundredths of a second, and knows children only when they have ended.)
    """
    return sum(
        thread_seconds(thread) for pid in pids for thread in threads(pid) if thread.name != str(without)
    )


def threads(pid: int) -> list[Path]:
    """Give the threads of a process."""
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []


def thread_seconds(thread: Path) -> float:
    """Tell how long a thread has run."""
    try:
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def megabytes(pid: int) -> float:
    """Tell the memory of a process, where a page that n processes map counts for an nth (PSS)."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
