"""The discussion in a packet, as it was when the packet was frozen."""

from dataclasses import dataclass
from datetime import datetime

THREADS_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketComment:
    """A comment; its text is "" if its author withdrew it."""

    author: str
    text: str
    written_at: datetime
    revision: int | None = None
    edited_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketThread:
    """A thread; `title` is the metric or the checklist item that it is about, `source` "ticket" for a comment there."""

    source: str
    title: str = ""
    comments: tuple[PacketComment, ...]
    is_resolved: bool = False
    resolved_by: str = ""
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussionPart:
    """Every thread, oldest first, and how many are open."""

    threads: tuple[PacketThread, ...]
    open_count: int

    @property
    def shown(self) -> tuple[PacketThread, ...]:
        """The latest threads, up to the print limit. The JSON document has all threads."""
        return self.threads[-THREADS_SHOWN:]

    @property
    def left_out(self) -> int:
        """How many earlier threads are not printed."""
        return len(self.threads) - len(self.shown)
