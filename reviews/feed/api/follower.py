"""The thread of a web process that keeps the memory of the gate as young as the settings demand."""

import logging
import threading
import time
from enum import Enum

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from governance.people.queries.people import gate_keeps_s
from reviews.feed.api.passes import Pass, Passes
from reviews.feed.queries.memory import FeedMemory

EARLY = 0.5
"""The part of the time for which things are kept after which they are read again."""
IDLE_S, RETRY_S, SILENT_S = 5.0, 0.5, 1.0
log = logging.getLogger(__name__)


class Age(Enum):
    """How far memory may be used: as usual, not now, as long as the database is away, not any more."""

    FRESH, LATE, OUTAGE, OVER = range(4)


class FeedFollower:
    """Reads the feed and the passes when it is called, and every few seconds; one thread, begun with the first call.

    The database is away once a read fails: at once where it refuses, after six seconds where it is silent (one for the
    statement, five for a new connection). A process that did not notice yet answers the long way.
    """

    def __init__(self, memory: FeedMemory, passes: Passes) -> None:
        self.memory, self.passes = memory, passes
        self._is_wanted, self._starting = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._has_failed = False

    def call(self, now_s: float) -> None:
        """Have the memory read again, unless it is young."""
        if now_s - self.memory.state.read_s < gate_keeps_s() * EARLY:
            return
        self._is_wanted.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
                    self._thread.start()

    def age(self, held: Pass, *, now_s: float) -> Age:
        """How far memory may be used for a pass."""
        aged_s = now_s - min(self.memory.state.read_s, held.confirmed_s)
        if aged_s <= gate_keeps_s():
            return Age.FRESH
        if not self._has_failed:
            return Age.LATE
        return Age.OUTAGE if aged_s <= settings.WEIGHBRIDGE["GATE_OUTAGE_S"] else Age.OVER

    def read(self) -> None:
        """Read the feed and the passes; a failure is noted, and told by `age`."""
        try:
            self.memory.follow(now=timezone.now(), now_s=time.monotonic())
            self.passes.confirm(now=timezone.now(), now_s=time.monotonic())
            self._has_failed = False
        except (DatabaseError, InterfaceError) as error:
            if not self._has_failed:
                log.warning("The gate cannot read the feed (%s)", type(error).__name__)
            self._has_failed = True
        except Exception:
            log.exception("The gate could not read the feed; questions go the long way.")

    def _run(self) -> None:
        connection.answer_s = SILENT_S  # type: ignore[attr-defined]  # of config.database
        while True:
            self._is_wanted.wait(RETRY_S if self._has_failed else IDLE_S)
            self._is_wanted.clear()
            connection.close_if_unusable_or_obsolete()
            self.read()
            if self._has_failed:
                time.sleep(RETRY_S)  # a silent database is not asked by each question
