"""What reviews needs from outside: a ticket tracker and a packet printer, as protocols and frozen words.

Nothing here knows Jira or WeasyPrint. Adapters in `reviews.integrations` keep these promises; tasks build an adapter
and pass it in; tests pass the in-process twin. No adapter sleeps or repeats a write: whoever drives the outbox decides
when.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that opens a part of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Names beside values, one pair a row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A way back to a page, with the words to click on."""

    text: str
    url: str


Block = Heading | Paragraph | Fields | Link


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """A ticket to be opened once. `label` is its unique search key (see `ticket_label`); `url` leads back to us."""

    label: str
    summary: str
    body: tuple[Block, ...]
    url: str
    extra_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteTicket:
    """A ticket as the tracker knows it. `id` survives a move, `key` may not; `status` is "" where it was not read.

    `duplicates` are keys of younger tickets that carry the same label: a person should close them.
    """

    id: str
    key: str
    url: str
    status: str
    duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteComment:
    """A comment as it stands there. `is_by_us`: the account we use wrote it."""

    id: str
    author_id: str
    author: str
    text: str
    created_at: datetime
    updated_at: datetime
    is_by_us: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMove:
    """Somebody moved the ticket to a status; `category` is "new", "indeterminate", "done", or "" where unknown."""

    id: str
    author_id: str
    author: str
    status: str
    category: str
    at: datetime
    is_by_us: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Where a ticket stands and when it last changed; `categories` are the names of the status's category."""

    status: str
    categories: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteIssue:
    """A ticket as read: `comments` and `moves` oldest first, at least as new as `updated_at` says."""

    id: str
    key: str
    url: str
    status: str
    updated_at: datetime
    comments: tuple[RemoteComment, ...] = ()
    moves: tuple[RemoteMove, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackerHealth:
    """The answer to "test connection": one sentence for a person, and as whom we are known there ("" if unknown).

    `retry_after_s` is set where the tracker asked to be left alone for so long.
    """

    ok: bool
    sentence: str
    account: str = ""
    retry_after_s: float | None = None


class FailureKind(StrEnum):
    """What a failure asks of the caller."""

    TRANSIENT = "transient"  # nothing was done: try again later
    UNKNOWN = "unknown"  # it may have been done: wait, look for it, only then try again
    PERMANENT = "permanent"  # a person must change something first: keep the work, pause
    SOFT = "soft"  # this one effect cannot be had: note it, go on with the rest


class FailureReach(StrEnum):
    """How far a failure goes: what else would fail alike if it were asked now."""

    TICKET = "ticket"  # nothing else: it is about this one ticket
    ALIKE = "alike"  # whatever asks for the same of another ticket
    TRACKER = "tracker"  # everything: it is about address, account, project, or a tracker that is down


class TrackerError(Exception):
    """The tracker did not do what was asked; `reason` is a whole sentence for a person."""

    def __init__(self, reason: str, *, kind: FailureKind, reach: FailureReach = FailureReach.TICKET) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.reach = reach


class TrackerUnreachable(TrackerError):  # noqa: N818 -- says what happened, as the port's words do
    """No answer, or none of use, and nothing was done there."""

    def __init__(
        self, reason: str, *, retry_after_s: float | None = None, reach: FailureReach = FailureReach.TRACKER
    ) -> None:
        super().__init__(reason, kind=FailureKind.TRANSIENT, reach=reach)
        self.retry_after_s = retry_after_s


class RateLimited(TrackerUnreachable):
    """Asked to slow down. `retry_after_s` is None where the tracker named no time: the caller backs off by itself."""


class TooLate(TrackerUnreachable):
    """This process was held up for so long that what it was about to send may be sent by another; it sent nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, reach=FailureReach.TICKET)


class OutcomeUnknown(TrackerError):  # noqa: N818 -- says what happened, as the port's words do
    """A write was sent and its answer lost. Search no earlier than `settle_s` seconds from now: search lags behind."""

    def __init__(self, reason: str, *, settle_s: float) -> None:
        super().__init__(reason, kind=FailureKind.UNKNOWN)
        self.settle_s = settle_s


class Misconfigured(TrackerError):  # noqa: N818 -- says what happened, as the port's words do
    """Refused until a person changes a setting, here or there; the reason says which. `fields` names refused fields."""

    def __init__(
        self, reason: str, *, fields: tuple[str, ...] = (), reach: FailureReach = FailureReach.TRACKER
    ) -> None:
        super().__init__(reason, kind=FailureKind.PERMANENT, reach=reach)
        self.fields = fields


class LabelLost(Misconfigured):
    """The ticket exists but without its label. Keep `ticket`: a search will never find it, a retry would double it."""

    def __init__(self, reason: str, *, ticket: RemoteTicket) -> None:
        super().__init__(reason, fields=("labels",), reach=FailureReach.ALIKE)
        self.ticket = ticket


class TicketGone(TrackerError):  # noqa: N818 -- says what happened, as the port's words do
    """This one ticket was deleted, or is hidden from our account. Never re-create it silently."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind=FailureKind.SOFT)


class TransitionUnavailable(TrackerError):  # noqa: N818 -- says what happened, as the port's words do
    """No way leads from the ticket's status to the wanted one. The business change stands all the same."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind=FailureKind.SOFT)


class TicketTracker(Protocol):
    """Where people outside follow a request. It informs; it never approves. Every method may raise `TrackerError`."""

    def open(self, ticket: TicketDraft, *, not_after: datetime | None = None) -> RemoteTicket:
        """Create the ticket, unconditionally. Use `integrations.tickets.open_once` wherever an attempt went before.

        Raises TooLate, having sent nothing, where `not_after` has passed.
        """
        ...

    def find(self, label: str) -> RemoteTicket | None:
        """The oldest ticket that carries `label`; younger ones are listed in its `duplicates`."""
        ...

    def comment(self, ticket_id: str, blocks: tuple[Block, ...], *, marker: str, may_exist: bool = True) -> str:
        """Add a comment once and answer its id. `marker` is unique to it and is looked for first if it `may_exist`."""
        ...

    def transition(self, ticket_id: str, target: str) -> str:
        """Move to the status, or into the status category, named `target`; already there is done. Answers the status.

        Raises TransitionUnavailable where the workflow has no such way.
        """
        ...

    def link(self, ticket_id: str, *, url: str, title: str, global_id: str) -> None:
        """Set the link back to us; the same `global_id` overwrites, so it may be repeated at will."""
        ...

    def check(self) -> TrackerHealth:
        """Try address, account, project, issue type and fields, changing nothing. Never raises TrackerError."""
        ...


class TicketReader(Protocol):
    """Reads what people did to our tickets. Every method may raise `TrackerError`."""

    def read(self, ticket_id: str) -> RemoteIssue:
        """The ticket as it stands, with its comments and every move of its status. Raises TicketGone."""
        ...

    def glance(self, ticket_ids: Sequence[str]) -> dict[str, Glance]:
        """Where the tickets stand, by id; one that was deleted, or is hidden from our account, is not in the answer."""
        ...


_LABEL_PART_CHARS_MAX = 80


def ticket_label(*, instance: str, reference: str) -> str:
    """The search key of a ticket: `weighbridge-<instance>-<reference>`, lower case, without blanks.

    The instance is part of it, so that a test system and a live one on the same Jira never adopt each other's tickets.
    Text that had to be changed for it is followed by a digest, so that two names never meet in one label.
    """
    return f"weighbridge-{_label_part(instance)}-{_label_part(reference)}"


def _label_part(text: str) -> str:
    lower = text.lower()
    safe = re.sub(r"[^a-z0-9]+", "-", lower).strip("-")[:_LABEL_PART_CHARS_MAX]
    if safe == lower:
        return safe
    return f"{safe}-{hashlib.sha256(lower.encode()).hexdigest()[:8]}".lstrip("-")
