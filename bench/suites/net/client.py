"""Measures one contender of a group, with its server started beside it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from contenders import GROUPS

HERE = Path(__file__).parent
#: Processes of one machine would find a way past the network: each other's numbers are hidden from these.
APART = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def main() -> None:
    """Print `case,value,unit` for what is measured."""
    group, who, seconds = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        apart = APART if group == "tcp calls" else []
        command = [*apart, sys.executable, str(HERE / "server.py"), group, who, folder]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            assert address, "the server says where it is"
            for case, value, unit in GROUPS[group][who].measure(address, float(seconds)):
                print(f"{case},{value},{unit}")
            assert server.stdin is not None
            server.stdin.close()


if __name__ == "__main__":
    main()
