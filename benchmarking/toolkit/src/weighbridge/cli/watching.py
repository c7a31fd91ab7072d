"""Follow a job: show progress on standard error; Ctrl-C asks the job to finish early, a second Ctrl-C kills it."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weighbridge.api.following import Watcher


@contextmanager
def watching(*, is_quiet: bool) -> "Iterator[Watcher]":
    """Yield a watcher that shows progress and defers interrupts."""
    from weighbridge.api.following import Watcher
    from weighbridge.cli.interrupts import deferred_interrupts
    from weighbridge.cli.tables.terminal import progress

    with deferred_interrupts() as is_interrupted, progress(sys.stderr, is_quiet=is_quiet) as say:
        yield Watcher(say, is_interrupted)
