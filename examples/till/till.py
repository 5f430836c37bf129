"""Three processes take orders from a queue and share a till; one of them is killed with the till open."""

import os
import signal

import anyplace
from anyplace.share import Counter, Lock, Queue, Value


def serve(orders: Queue[int], till: Lock, total: Value[int], found: Counter) -> None:
    """Take orders until no more will come."""
    for order in orders:
        with till:
            if till.abandoned:
                found.add(1)
            if order == 13:
                os.kill(os.getpid(), signal.SIGKILL)
            total.value += order


def main() -> None:
    """Put a hundred orders, and see what became of them."""
    with anyplace.open("processes:3") as place:
        orders, till = place.queue("orders", maxsize=10), place.lock("till")
        total, found = place.value("total", 0), place.counter("found")
        shifts = [place.submit(serve, orders, till, total, found) for _ in range(3)]
        for order in range(100):
            orders.put(order)
        orders.shutdown()
        lost = sum(isinstance(shift.exception(), anyplace.WorkerLost) for shift in shifts)
        print(f"{total.value} in the till; {lost} worker lost; {found.value} found the till left open")


if __name__ == "__main__":
    main()
