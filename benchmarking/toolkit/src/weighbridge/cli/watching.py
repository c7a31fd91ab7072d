"""How the command line follows a job: a bar on standard error, and Ctrl-C that asks it to wrap up (twice kills)."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weighbridge.api.following import Watcher


@contextmanager
def watching(*, is_quiet: bool) -> "Iterator[Watcher]":
    """Yield a watcher that shows progress and notes interrupts."""
    from weighbridge.api.following import Watcher
    from weighbridge.cli.interrupts import interrupts_noted
    from weighbridge.cli.tables.terminal import progress

    with interrupts_noted() as is_interrupted, progress(sys.stderr, is_quiet=is_quiet) as say:
        yield Watcher(say, is_interrupted)
