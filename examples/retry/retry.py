"""A task that fails at first and succeeds when it is tried again; the layer stands in the address."""

import anyplace


def flaky(name: str) -> str:
    """Fail on the first attempt, as a busy server would."""
    if anyplace.current().attempt == 1:
        raise ConnectionError("busy")
    return f"{name} arrived"


if __name__ == "__main__":
    with anyplace.open("retry=2::threads:2") as place:
        for line in place.map(flaky, ["one", "two", "three"]):
            print(line)
