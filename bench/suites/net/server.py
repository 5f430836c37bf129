"""The other end of a measure: says on one line where it is, and serves until its standard input ends."""

from __future__ import annotations

import sys

from contenders import GROUPS


def main() -> None:
    """Serve for the group and the contender that are named."""
    group, who, folder = sys.argv[1:]
    GROUPS[group][who].serve(folder, say)


def say(address: str) -> None:
    """Tell the client where to come, which comes when it likes; and wait until it has gone."""
    print(address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
