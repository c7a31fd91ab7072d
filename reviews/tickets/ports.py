"""The port of the ticket tracker: protocols and value types, independent of Jira.

`reviews.tickets.jira` implements the protocols. Tasks build an adapter. No adapter sleeps or repeats a write: the
outbox decides when to try again.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from weighbridge.core.documents import cleaned

ID_CHARS_MAX, ACCOUNT_CHARS_MAX, NAME_CHARS_MAX, STATUS_CHARS_MAX = 40, 128, 200, 60
URL_CHARS_MAX, COMMENT_CHARS_MAX, REASON_CHARS_MAX = 300, 32_767, 2_000


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """A table of names and values, one pair per row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page, with its text."""

    text: str
    url: str


Block = Heading | Paragraph | Fields | Link


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """A ticket to be opened once. `label` is its unique search key (see `ticket_label`)."""

    label: str
    summary: str
    body: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class RemoteTicket:
    """A ticket in the tracker. Its `id` survives a move to another project, its `key` may not; `status` may be "".

    `duplicates` are keys of newer tickets with the same label; a person should close them.
    """

    id: str
    key: str
    url: str
    status: str
    duplicates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _clean(self, status=STATUS_CHARS_MAX, url=URL_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteComment:
    """A comment in the tracker. `is_by_us`: our account wrote it."""

    id: str
    author_id: str
    author: str
    text: str
    created_at: datetime
    updated_at: datetime
    is_by_us: bool = False

    def __post_init__(self) -> None:
        _clean(self, author_id=ACCOUNT_CHARS_MAX, author=NAME_CHARS_MAX, text=COMMENT_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMove:
    """A move of the ticket to a status. `category` is "new", "indeterminate", "done", or "" if unknown."""

    id: str
    author_id: str
    author: str
    status: str
    category: str
    at: datetime
    is_by_us: bool = False

    def __post_init__(self) -> None:
        _clean(self, author_id=ACCOUNT_CHARS_MAX, author=NAME_CHARS_MAX, status=STATUS_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatus:
    """The status of a ticket and its last change. `categories` are the names of the category of the status."""

    status: str
    categories: tuple[str, ...]
    updated_at: datetime

    def is_in(self, wanted: str) -> bool:
        """Whether this is the wanted status, or a status in the category of that name."""
        return wanted.strip().casefold() in {name.strip().casefold() for name in (self.status, *self.categories)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteIssue:
    """A ticket as read: `comments` and `moves` oldest first, at least as new as `updated_at`."""

    id: str
    key: str
    url: str
    status: str
    updated_at: datetime
    comments: tuple[RemoteComment, ...] = ()
    moves: tuple[RemoteMove, ...] = ()

    def __post_init__(self) -> None:
        _clean(self, status=STATUS_CHARS_MAX, url=URL_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class TrackerHealth:
    """The result of a connection test: one sentence for people, and the name of our account ("" if unknown).

    `retry_after_s` is set if the tracker limited the request rate.
    """

    ok: bool
    sentence: str
    account: str = ""
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        _clean(self, sentence=REASON_CHARS_MAX, account=NAME_CHARS_MAX)


class FailureReach(StrEnum):
    """The scope of a failure: which other calls would fail in the same way now."""

    TICKET = "ticket"  # only calls for this ticket
    ALIKE = "alike"  # the same call for any ticket
    TRACKER = "tracker"  # every call: wrong address, account or project, or the tracker is down


class TrackerError(Exception):
    """The tracker did not execute a call. `reason` is a sentence for people."""

    def __init__(self, reason: str, *, reach: FailureReach = FailureReach.TICKET) -> None:
        super().__init__(reason)
        self.reason = cleaned(reason, chars_max=REASON_CHARS_MAX)
        self.reach = reach


class TrackerUnreachable(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """No usable response, and nothing was done in the tracker: try again later."""

    def __init__(
        self, reason: str, *, retry_after_s: float | None = None, reach: FailureReach = FailureReach.TRACKER
    ) -> None:
        super().__init__(reason, reach=reach)
        self.retry_after_s = retry_after_s


class RateLimited(TrackerUnreachable):
    """The tracker limited the request rate. If `retry_after_s` is None, the caller must choose the wait."""


class TooLate(TrackerUnreachable):
    """This process was delayed so long that another one may send the same creation; it sent nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, reach=FailureReach.TICKET)


class OutcomeUnknown(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """A write was sent and its response lost. Wait `settle_s` seconds before a search, because search lags behind."""

    def __init__(self, reason: str, *, settle_s: float) -> None:
        super().__init__(reason)
        self.settle_s = settle_s


class Misconfigured(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """Refused until a person changes a setting, here or in the tracker. `fields` are the refused fields."""

    def __init__(
        self, reason: str, *, fields: tuple[str, ...] = (), reach: FailureReach = FailureReach.TRACKER
    ) -> None:
        super().__init__(reason, reach=reach)
        self.fields = fields


class LabelLost(Misconfigured):
    """The ticket exists without its label. Store `ticket`: a search cannot find it, and a retry would duplicate it."""

    def __init__(self, reason: str, *, ticket: RemoteTicket) -> None:
        super().__init__(reason, fields=("labels",), reach=FailureReach.ALIKE)
        self.ticket = ticket


class TicketGone(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """The ticket was deleted or is hidden from our account. Never re-create it silently."""


class TransitionUnavailable(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """The workflow has no transition to the wanted status. The change in Weighbridge is still valid."""


class TicketTracker(Protocol):
    """A ticket tracker. It informs; it never approves. Every method may raise `TrackerError`."""

    def open(self, ticket: TicketDraft, *, not_after: datetime | None = None) -> RemoteTicket:
        """Create the ticket unconditionally. Search first: there may have been an earlier attempt.

        Raises TooLate without sending anything if `not_after` has passed. On LabelLost, store the ticket of the error.
        """
        ...

    def find(self, label: str) -> RemoteTicket | None:
        """The oldest ticket with `label`; newer ones are listed in its `duplicates`."""
        ...

    def comment(self, ticket_id: str, blocks: tuple[Block, ...], *, marker: str, may_exist: bool = True) -> str:
        """Add a comment once and return its id. If it `may_exist`, search for its unique `marker` first."""
        ...

    def transition(self, ticket_id: str, target: str) -> str:
        """Move to the status or status category named `target`, unless it is already there. Returns the status.

        Raises TransitionUnavailable if the workflow has no such transition.
        """
        ...

    def link(self, ticket_id: str, *, url: str, title: str, global_id: str) -> None:
        """Set the link to Weighbridge. The same `global_id` overwrites it, so the call can be repeated."""
        ...

    def check(self) -> TrackerHealth:
        """Test address, account, project, issue type and fields without changes. Never raises TrackerError."""
        ...


class TicketReader(TicketTracker, Protocol):
    """A tracker that also reads the changes that people made to our tickets."""

    def read(self, ticket_id: str) -> RemoteIssue:
        """The current ticket with its comments and all moves. Raises TicketGone."""
        ...

    def read_statuses(self, ticket_ids: Sequence[str]) -> dict[str, TicketStatus]:
        """The statuses of the tickets by id. Deleted and hidden tickets are left out."""
        ...


def _clean(row: object, **chars_max: int) -> None:
    """Replace what cannot be stored in these texts of a tracker, and cut them, in a frozen dataclass under way."""
    for name, limit in chars_max.items():
        object.__setattr__(row, name, cleaned(getattr(row, name), chars_max=limit))


_LABEL_PART_CHARS_MAX = 80


def ticket_label(*, instance: str, reference: str) -> str:
    """The search key of a ticket: `weighbridge-<instance>-<reference>`, lower case, without blanks.

    The instance is part of it, so that a test system and a production system on the same Jira never adopt each
    other's tickets. If the text must be changed for a label, a digest is appended, so that two names never get the
    same label.
    """
    return f"weighbridge-{_label_part(instance)}-{_label_part(reference)}"


def _label_part(text: str) -> str:
    lower = text.lower()
    safe = re.sub(r"[^a-z0-9]+", "-", lower).strip("-")[:_LABEL_PART_CHARS_MAX]
    if safe == lower:
        return safe
    return f"{safe}-{hashlib.sha256(lower.encode()).hexdigest()[:8]}".lstrip("-")
