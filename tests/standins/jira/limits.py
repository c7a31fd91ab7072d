"""How many writes one issue takes, as Jira Cloud limits them, and whether anybody came back too early.

Atlassian's documented limits per issue: 20 writes in 2 seconds, 100 in 30 seconds. A refused write counts for nothing.
"""

import math
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

WINDOWS: tuple[tuple[int, float], ...] = ((20, 2.0), (100, 30.0))
REASON = "jira-per-issue-on-write"


class WriteLimits:
    """The writes of each issue over the windows (how many, in how many seconds)."""

    def __init__(self, windows: tuple[tuple[int, float], ...] = WINDOWS) -> None:
        self.windows = windows
        self._lock = threading.Lock()
        self._writes_s: dict[str, deque[float]] = defaultdict(deque)

    def wait_s(self, issue: str, *, now_s: float) -> float:
        """0 where the write is let through, and counted; else how long to wait."""
        with self._lock:
            writes_s = self._writes_s[issue]
            while writes_s and writes_s[0] <= now_s - max(span_s for _, span_s in self.windows):
                writes_s.popleft()
            waits_s = [writes_s[-count] + span_s - now_s for count, span_s in self.windows if len(writes_s) >= count]
            if (wait_s := max(waits_s, default=0.0)) > 0:
                return wait_s
            writes_s.append(now_s)
            return 0.0


def refusal_headers(wait_s: float) -> dict[str, str]:
    """What Jira adds to such a 429."""
    return {"Retry-After": str(max(1, math.ceil(wait_s))), "RateLimit-Reason": REASON, "X-RateLimit-Remaining": "0"}


def named_wait_s(headers: Mapping[str, str], *, now_s: float) -> float:
    """The wait a 429 names, in seconds; 0 where it names none. Written apart from the adapter's own reading."""
    said = headers.get("Retry-After", "")
    if said.isdigit():
        return float(said)
    if said:
        return parsedate_to_datetime(said).timestamp() - now_s
    if reset := headers.get("X-RateLimit-Reset"):
        return datetime.fromisoformat(reset).astimezone(UTC).timestamp() - now_s
    return 0.0


class Manners:
    """Who was asked to wait until when, and which requests came earlier all the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until_s: dict[str, float] = {}
        self.too_early: list[str] = []

    def ask_to_wait(self, path: str, until_s: float) -> None:
        """Nothing below `path` may be asked before `until_s`."""
        with self._lock:
            self._until_s[path] = max(until_s, self._until_s.get(path, 0.0))

    def notice(self, request: str, path: str, *, now_s: float) -> None:
        """Note a request that came too early."""
        with self._lock:
            late_s = [until_s - now_s for asked, until_s in self._until_s.items() if path.startswith(asked)]
        if late_s and max(late_s) > 0:
            self.too_early.append(f"{request}, {max(late_s):.3f} s too early")
