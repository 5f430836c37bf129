"""A client of the greeting server: it finds the greeter by its name, wherever that is."""

import sys

import anyplace


def main() -> None:
    """Be greeted."""
    with anyplace.open(sys.argv[1]) as place:
        greeter = place.find("greeter")
        print(greeter.greet("Bob"))


if __name__ == "__main__":
    main()
