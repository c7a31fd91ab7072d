"""What people did and how it was answered: the journal against which the database is compared."""

import random
import threading
from collections import Counter, defaultdict
from typing import Any


class Journal:
    """The answers to all people, what was done by their word, and which requests wait for votes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.failures: list[str] = []
        self.refusals: dict[str, str] = {}
        self.reads_ms: list[float] = []
        self.done: dict[str, list[Any]] = defaultdict(list)
        self._waiting: dict[str, list[str]] = {"technical": [], "gpu-budget": []}

    def hear(self, what: str, status: int, *, text: str, took_ms: float) -> None:
        """Note an answer; status 0 is a connection that was refused or broke."""
        with self._lock:
            self.answers[what, status] += 1
            if what == "read":
                self.reads_ms.append(took_ms)
            if not 0 < status < 500:
                self.failures.append(f"{what} was answered {status}: {text[:400]}")
            elif status >= 400:
                self.refusals.setdefault(f"{what} {status}", text[:300])

    def refused_share(self) -> float:
        """The share of answers of 400 and above among all."""
        refused = sum(count for (_, status), count in self.answers.items() if status >= 400)
        return round(refused / max(1, self.answers.total()), 3)

    def note(self, what: str, thing: Any) -> None:
        """Note what an answer of 2xx or 3xx says is done."""
        with self._lock:
            self.done[what].append(thing)

    def wait_for_vote(self, stage: str, ref: str) -> None:
        """A request waits for votes of this stage from now on."""
        with self._lock:
            self._waiting[stage].append(ref)

    def to_vote(self, stage: str, rng: random.Random) -> str:
        """A request among the three that have waited longest for this stage, or "". Several people may get the same."""
        with self._lock:
            return rng.choice(self._waiting[stage][:3] or [""])

    def has_voted(self, stage: str, ref: str, *, quorum: int) -> bool:
        """Whether so many votes of the stage are noted; the request then waits no longer for it."""
        with self._lock:
            is_complete = sum(vote[:2] == (ref, stage) for vote in self.done["vote"]) >= quorum
            if is_complete:
                self._drop(stage, ref)
            return is_complete

    def _drop(self, stage: str, ref: str) -> None:
        if ref in self._waiting[stage]:
            self._waiting[stage].remove(ref)
