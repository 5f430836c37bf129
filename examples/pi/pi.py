"""Estimates π by throwing darts at a square, in two worker processes. The same darts fly on every place."""

import anyplace

THROWS = 20_000
BATCHES = 50


def hits(throws: int) -> int:
    """Count the throws that land in the quarter circle."""
    dart = anyplace.current().random.random
    return sum(dart() ** 2 + dart() ** 2 <= 1.0 for _ in range(throws))


if __name__ == "__main__":
    with anyplace.open("processes:2?seed=2026") as place:
        inside = sum(place.map(hits, [THROWS] * BATCHES))
    print(f"pi is about {4 * inside / (THROWS * BATCHES):.2f}")
