"""What was planned and what was done, in nanoseconds of the monotonic clock, which all processes of a machine share."""

import dataclasses
from collections import deque
from typing import Any

MOST_RECORDS = 200_000
NS_PER_S = 1_000_000_000


@dataclasses.dataclass(kw_only=True)
class Record:
    """One request: when it was read, and for each event with tokens when it was due and when it was written."""

    id: str
    behavior: str
    status: int
    arrived_s: float
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    due_s: list[float] = dataclasses.field(default_factory=list)
    written_s: list[float] = dataclasses.field(default_factory=list)
    ended_s: float | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the record with times in whole nanoseconds; `ended_ns` is None while the answer goes on."""
        return {
            "id": self.id,
            "behavior": self.behavior,
            "status": self.status,
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "output_tokens": self.output_tokens,
            "arrived_ns": _ns(self.arrived_s),
            "due_ns": [_ns(each) for each in self.due_s],
            "written_ns": [_ns(each) for each in self.written_s],
            "ended_ns": None if self.ended_s is None else _ns(self.ended_s),
        }


class Records:
    """The latest requests, and the freezes; older requests are forgotten."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._kept: deque[Record] = deque(maxlen=most)
        self._freezes: list[tuple[float, float]] = []
        self.count = 0

    def add(self, record: Record) -> None:
        """Keep one more; `count` counts requests, those that are answered at once too."""
        self._kept.append(record)

    def freeze(self, start_s: float, end_s: float) -> None:
        """Note that nothing was read or written for a while."""
        self._freezes.append((start_s, end_s))

    def forget(self) -> None:
        """Forget all requests and freezes."""
        self._kept.clear()
        self._freezes.clear()

    def as_document(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "requests": [record.as_document() for record in self._kept],
            "freezes_ns": [[_ns(start), _ns(end)] for start, end in self._freezes],
        }


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
