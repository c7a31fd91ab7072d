"""An in-memory implementation of the tracker ports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reviews.tickets.ports import (
    Block,
    RemoteComment,
    RemoteIssue,
    RemoteMove,
    RemoteTicket,
    TicketDraft,
    TicketGone,
    TicketStatus,
    TrackerError,
    TrackerHealth,
    TransitionUnavailable,
    Value,
)

STATUSES = ("To Do", "In Progress", "In Review", "Done")


@dataclass(frozen=True, slots=True)
class MemoryComment:
    """One comment and its marker."""

    id: str
    marker: str
    blocks: tuple[Block, ...]


@dataclass(slots=True)
class MemoryTicket:
    """A ticket in memory: `comments` in order, `links` (url, title) by global id.

    `people_comments`, `moves` and `updated_at` are set by a test to simulate people.
    """

    id: str
    key: str
    draft: TicketDraft
    status: str = "To Do"
    comments: list[MemoryComment] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    indexed: bool = True
    values: dict[str, Value] = field(default_factory=dict)
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    people_comments: list[RemoteComment] = field(default_factory=list)
    moves: list[RemoteMove] = field(default_factory=list)
    updated_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Fault:
    error: TrackerError
    after_commit: bool
    times: int


class MemoryTracker:
    """A TicketTracker whose failures are configured in advance. `calls` lists the called methods in order."""

    def __init__(self, *, project: str = "MR", url: str = "https://tracker.invalid") -> None:
        self.tickets: dict[str, MemoryTicket] = {}
        self.calls: list[str] = []
        self.indexes_at_once = True
        self.health = TrackerHealth(
            ok=True, sentence="The in-memory tracker is always available.", account="weighbridge"
        )
        self._project = project
        self._url = url
        self._faults: list[_Fault] = []

    def fail_next(self, error: TrackerError, *, after_commit: bool = False, times: int = 1) -> None:
        """Make the next `times` calls raise `error`: instead of their effect, or after it, like a lost response."""
        self._faults.append(_Fault(error, after_commit, times))

    def index(self) -> None:
        """Make every ticket searchable, as Jira's index does some time after a write."""
        for ticket in self.tickets.values():
            ticket.indexed = True

    def open(self, ticket: TicketDraft, *, not_after: datetime | None = None) -> RemoteTicket:
        """Create a ticket unconditionally. `not_after` is ignored."""
        fault = self._begin("open")
        number = len(self.tickets) + 1
        stored = MemoryTicket(f"{10_000 + number}", f"{self._project}-{number}", ticket, indexed=self.indexes_at_once)
        stored.values |= dict(ticket.values)
        self.tickets[stored.id] = stored
        _lose_answer(fault)
        return self._remote(stored)

    def find(self, label: str) -> RemoteTicket | None:
        """The oldest searchable ticket with this label."""
        _lose_answer(self._begin("find"))
        found = [ticket for ticket in self.tickets.values() if ticket.indexed and label == ticket.draft.label]
        if not found:
            return None
        return self._remote(found[0], duplicates=tuple(ticket.key for ticket in found[1:]))

    def comment(self, ticket_id: str, blocks: tuple[Block, ...], *, marker: str, may_exist: bool = True) -> str:
        """Add the comment, unless `may_exist` and a comment with its marker exists."""
        fault = self._begin("comment")
        ticket = self._ticket(ticket_id)
        known = [comment.id for comment in ticket.comments if may_exist and comment.marker == marker]
        if not known:
            known = [f"{ticket_id}{len(ticket.comments) + 1:03}"]
            ticket.comments.append(MemoryComment(known[0], marker, blocks))
        _lose_answer(fault)
        return known[0]

    def transition(self, ticket_id: str, target: str) -> str:
        """Move to the status of that name. In memory, each category has the name of one of its statuses."""
        fault = self._begin("transition")
        ticket = self._ticket(ticket_id)
        if target not in STATUSES:
            raise TransitionUnavailable(
                f"There is no transition from {ticket.status} to {target}; move the ticket manually."
            )
        ticket.status = target
        _lose_answer(fault)
        return ticket.status

    def link(self, ticket_id: str, *, url: str, title: str, global_id: str) -> None:
        """Set or overwrite the link with this global id."""
        fault = self._begin("link")
        self._ticket(ticket_id).links[global_id] = (url, title)
        _lose_answer(fault)

    def fill(self, ticket_id: str, values: Mapping[str, Value | None]) -> None:
        """Keep the values; None empties."""
        fault = self._begin("fill")
        ticket = self._ticket(ticket_id)
        ticket.values = {name: value for name, value in (ticket.values | values).items() if value is not None}
        _lose_answer(fault)

    def attach(self, ticket_id: str, *, name: str, content: bytes, media_type: str) -> None:
        """Keep the first file of a name."""
        fault = self._begin("attach")
        self._ticket(ticket_id).files.setdefault(name, (content, media_type))
        _lose_answer(fault)

    def read(self, ticket_id: str) -> RemoteIssue:
        """The ticket, with our comments first."""
        fault = self._begin("read")
        stored = self._ticket(ticket_id)
        _lose_answer(fault)
        remote = self._remote(stored)
        ours = tuple(_as_read(comment, stored.updated_at) for comment in stored.comments)
        return RemoteIssue(
            id=stored.id,
            key=stored.key,
            url=remote.url,
            status=stored.status,
            updated_at=stored.updated_at,
            comments=(*ours, *stored.people_comments),
            moves=tuple(stored.moves),
        )

    def read_statuses(self, ticket_ids: Sequence[str]) -> dict[str, TicketStatus]:
        """The statuses of the tickets, without categories."""
        fault = self._begin("read_statuses")
        known = [self.tickets[each] for each in ticket_ids if each in self.tickets]
        _lose_answer(fault)
        return {each.id: TicketStatus(status=each.status, categories=(), updated_at=each.updated_at) for each in known}

    def check(self) -> TrackerHealth:
        """The value of `health`."""
        self.calls.append("check")
        return self.health

    def _begin(self, call: str) -> _Fault | None:
        self.calls.append(call)
        if not self._faults:
            return None
        fault = self._faults[0]
        fault.times -= 1
        if fault.times <= 0:
            del self._faults[0]
        if not fault.after_commit:
            raise fault.error
        return fault

    def _ticket(self, ticket_id: str) -> MemoryTicket:
        if ticket_id not in self.tickets:
            raise TicketGone(f"There is no ticket {ticket_id}: it was deleted.")
        return self.tickets[ticket_id]

    def _remote(self, ticket: MemoryTicket, *, duplicates: tuple[str, ...] = ()) -> RemoteTicket:
        url = f"{self._url}/browse/{ticket.key}"
        return RemoteTicket(id=ticket.id, key=ticket.key, url=url, status=ticket.status, duplicates=duplicates)


def _as_read(comment: MemoryComment, at: datetime) -> RemoteComment:
    return RemoteComment(
        id=comment.id,
        author_id="us",
        author="Weighbridge",
        text=f"[{comment.marker}]",
        created_at=at,
        updated_at=at,
        is_by_us=True,
    )


def _lose_answer(fault: _Fault | None) -> None:
    if fault is not None:
        raise fault.error
