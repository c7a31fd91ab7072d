"""How whoever calls a job follows it: its progress, a way to stop it, and a folder that lasts as long as it does."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from weighbridge.systems.sandbox.process import Follow

WRAP_UP_S = 10.0
Progress = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class Watcher:
    """Who watches a job: `on_progress` is told the share that is done (0 to 1) and what is being done.

    A job that `should_stop` ends keeps what it has where it can.
    """

    on_progress: Progress = lambda _share, _doing: None
    should_stop: Callable[[], bool] = lambda: False

    def follow(self, on_progress: Progress | None = None) -> Follow:
        """Return what a run in the sandbox takes; `on_progress` may stand in for the watcher's own."""
        return Follow(on_progress or self.on_progress, self.should_stop, WRAP_UP_S)


NOBODY = Watcher()


@contextmanager
def working_folder() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        yield Path(folder)


def now() -> datetime:
    """Return the time."""
    return datetime.fromtimestamp(time.time(), UTC)
