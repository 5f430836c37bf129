"""One of three servers that pass a message round: each finds the next one by its name."""

import signal
import sys

import anyplace


@anyplace.expose
class Link:
    """Passes messages on until they have been all the way round."""

    def __init__(self, place: anyplace.Place, name: str, following: str) -> None:
        """Stand before `following`."""
        self.place = place
        self.name = name
        self.following = following

    def process(self, message: list[str]) -> list[str]:
        """Add a line to the message, and have the others add theirs."""
        if any(line.startswith(f"{self.name} ") for line in message):
            return [*message, f"{self.name} has seen it before: the ring is closed"]
        line = f"{self.name} passes it on to {self.following}"
        following = self.place.find(self.following)
        return list(following.process([*message, line]))


def main() -> None:
    """Publish a link where the others find it, for as long as it runs."""
    name, following, address = sys.argv[1:]
    with anyplace.open(address) as place:
        place.publish(name, Link(place, name, following))
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
