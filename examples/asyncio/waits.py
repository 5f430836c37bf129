"""Ten thousand waits at once on an event loop, awaited from another one."""

import asyncio

import anyplace


async def answer(number: int) -> int:
    """Wait as for a distant server."""
    await asyncio.sleep(0.01)
    return number


async def main() -> None:
    """Take answers as they come, then await a single one."""
    with anyplace.open("async:10000") as place:
        total = sum(place.map(answer, range(10_000), ordered=False))
        last = await place.submit(answer, 41)
    print(f"the answers add up to {total}, the last one is {last}")


if __name__ == "__main__":
    asyncio.run(main())
