"""The command `anyplace`, as the wheel carries it."""

from __future__ import annotations

import signal
import sys

from anyplace import _core


def main() -> int:
    """Run the command with the process's arguments and give its exit code."""
    # The command hears signals itself; Python's handler would only note them.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _core.cli_main(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
