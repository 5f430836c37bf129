"""A greeting server. The place that it offers is the name server, too."""

import sys

import anyplace


@anyplace.expose
class Greeter:
    """Greets people."""

    def greet(self, name: str) -> str:
        """Say hello."""
        return f"Hello, {name}. Here is your fortune: it is going to be a sunny day."


def main() -> None:
    """Offer a place, with a greeter in it."""
    with anyplace.open("threads:1") as place, place.offer(sys.argv[1]) as offer:
        place.publish("greeter", Greeter())
        print("ready", flush=True)
        offer.wait()


if __name__ == "__main__":
    main()
