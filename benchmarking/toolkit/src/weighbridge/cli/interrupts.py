"""Defer interrupts, so that a measurement can stop cleanly and save its partial result."""

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns True after Ctrl-C or SIGTERM; a second signal has its usual effect."""
    received: list[int] = []

    def record(number: int, _frame: object) -> None:
        received.append(number)
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, record) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
