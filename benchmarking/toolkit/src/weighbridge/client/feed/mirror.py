"""A feed file that another program keeps up to date: read again when it changes, and trusted only while it is fresh."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from weighbridge.client.feed.document import Feed, read_feed
from weighbridge.client.feed.keys import read_public_keys
from weighbridge.client.feed.verdicts import GateReply, cannot_tell
from weighbridge.core.errors import Refused

Stamp = tuple[int, int, int]


@dataclass
class FeedMirror:
    """A gate over a feed file. An older feed never takes the place of a newer one."""

    path: Path
    public_key: Path
    now: Callable[[], datetime]
    max_age: timedelta | None = None
    _stamps: tuple[Stamp, Stamp] | None = field(default=None, init=False)
    _feed: Feed | None = field(default=None, init=False)
    _fault: str = field(default="", init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def answer(self, *, digest: str, environment: str) -> GateReply:
        """Decide by the file as it is now."""
        with self._lock:
            self._refresh()
            feed, fault = self._feed, self._fault
        if feed is None or fault:
            return cannot_tell(fault)
        return feed.answer(digest=digest, environment=environment, now=self.now(), max_age=self.max_age)

    def _refresh(self) -> None:
        try:
            stamps = _stamp(self.path), _stamp(self.public_key)
            if stamps == self._stamps:
                return
            found = read_feed(self.path, keys=read_public_keys(self.public_key))
        except Refused as refused:
            self._stamps, self._fault = None, refused.reason
            return
        except OSError as error:
            self._stamps, self._fault = None, f"The feed file cannot be read: {error.strerror}."
            return
        self._stamps = stamps
        if self._feed is not None and found.head.size < self._feed.head.size:
            self._fault = "The feed file went back to an older feed."
            return
        self._feed, self._fault = found, ""


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino
