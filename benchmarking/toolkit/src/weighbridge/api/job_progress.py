"""Follow a job: its progress, a way to stop it, and a temporary folder."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from weighbridge.core.errors import Invalid
from weighbridge.systems.sandbox.process import RunCallbacks

WRAP_UP_S = 10.0
Progress = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class Watcher:
    """Callbacks of a job: `on_progress` gets the share done (0 to 1) and the current activity.

    If `should_stop` ends a job, it keeps partial results where possible.
    """

    on_progress: Progress = lambda _share, _doing: None
    should_stop: Callable[[], bool] = lambda: False

    def follow(self, on_progress: Progress | None = None) -> RunCallbacks:
        """Return the callbacks for a run in the sandbox; `on_progress` can replace the watcher's own."""
        return RunCallbacks(on_progress or self.on_progress, self.should_stop, WRAP_UP_S)


NOBODY = Watcher()


@contextmanager
def working_folder() -> Iterator[Path]:
    """Yield a temporary folder; raise Invalid if there is no room for one."""
    try:
        made = tempfile.TemporaryDirectory(prefix="weighbridge-", ignore_cleanup_errors=True)
    except OSError as error:
        text = f"No temporary folder can be made: {error.strerror}. Set TMPDIR to a folder with room."
        raise Invalid(text, field="folder") from error
    with made as folder:
        yield Path(folder)


def now() -> datetime:
    """Return the time."""
    return datetime.fromtimestamp(time.time(), UTC)
