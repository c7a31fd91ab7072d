"""The clock of `make try`: it stands at the moment of the recording and runs on from there.

So the dates of the recording stay as they are, and with them its digests, its signatures and its audit trail; what was
recorded as due is due.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from django.utils import timezone

NAME = "recorded-clock.json"


@dataclass(frozen=True)
class RecordedClock:
    """When the recording was made, and when it was loaded by the clock of this machine.

    For pictures the clock stands still.
    """

    recorded_at: datetime
    loaded_at: datetime
    stands_still: bool = False

    @property
    def behind(self) -> timedelta:
        """How far this clock is behind the clock of the machine."""
        return self.loaded_at - self.recorded_at

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The clock that `write` left in the folder."""
        stored = json.loads((folder / NAME).read_text())
        recorded_at, loaded_at = (datetime.fromisoformat(stored[name]) for name in ("recorded_at", "loaded_at"))
        return cls(recorded_at, loaded_at, stored["stands_still"])

    def write(self, folder: Path) -> None:
        """Keep the clock for the processes of the application."""
        times = {"recorded_at": self.recorded_at.isoformat(), "loaded_at": self.loaded_at.isoformat()}
        document = times | {"stands_still": self.stands_still}
        (folder / NAME).write_text(json.dumps(document) + "\n")

    def put_in_place(self) -> None:
        """Let everything that asks Django for the time be told the time of this clock."""
        real_now, behind, recorded_at = timezone.now, self.behind, self.recorded_at
        turned_back = (lambda: recorded_at) if self.stands_still else (lambda: real_now() - behind)
        timezone.now = turned_back  # the one clock: only edges read it, see pyproject.toml
