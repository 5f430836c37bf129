"""The name server of the ring: a place that is offered, and nothing more."""

import sys

import anyplace


def main() -> None:
    """Offer the place."""
    with anyplace.open("threads:1") as place, place.offer(sys.argv[1]) as offer:
        print("ready", flush=True)
        offer.wait()


if __name__ == "__main__":
    main()
