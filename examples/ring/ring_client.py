"""Sends a message round the ring."""

import sys

import anyplace


def main() -> None:
    """Give it to the first server."""
    with anyplace.open(sys.argv[1]) as place:
        for line in place.find("A").process([]):
            print(line)


if __name__ == "__main__":
    main()
