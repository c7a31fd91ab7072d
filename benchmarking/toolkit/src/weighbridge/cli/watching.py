"""Follow a job: show progress on standard error; Ctrl-C asks the job to finish early, a second Ctrl-C kills it."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weighbridge.api.job_progress import Watcher


@contextmanager
def watching(*, is_quiet: bool) -> "Iterator[Watcher]":
    """Yield a watcher that shows progress and defers interrupts."""
    from weighbridge.api.job_progress import Watcher
    from weighbridge.cli.tables.terminal import progress

    with deferred_interrupts() as is_interrupted, progress(sys.stderr, is_quiet=is_quiet) as say:
        yield Watcher(say, is_interrupted)


@contextmanager
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
