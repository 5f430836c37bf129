"""The command `anyplace`, as the wheel carries it."""

from __future__ import annotations

import os
import signal
import sys

from anyplace import _core


def main() -> int:
    """Run the command with the process's arguments and give its exit code."""
    # The command hears signals itself; Python's handler would only note them.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # `--call` runs functions in this Python unless another is named.
    os.environ.setdefault("ANYPLACE_PYTHON", sys.executable)
    return _core.cli_main(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
