"""The port of the ticket tracker: protocols and value types, independent of Jira.

`reviews.tickets.jira` implements the protocols. Tasks build an adapter. No adapter sleeps or repeats a write: the
outbox decides when to try again.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reviews.tickets.ports.failures import (
    CredentialRefused,
    FailureReach,
    LabelLost,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    TooLate,
    TrackerError,
    TrackerUnreachable,
    TransitionUnavailable,
)
from reviews.tickets.ports.values import (
    ACCOUNT_CHARS_MAX,
    CATEGORIES,
    COMMENT_CHARS_MAX,
    ID_CHARS_MAX,
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    SIGN_IN,
    STATUS_CHARS_MAX,
    URL_CHARS_MAX,
    Block,
    CheckStep,
    FieldChoice,
    Fields,
    Heading,
    Link,
    Paragraph,
    RemoteAccount,
    RemoteComment,
    RemoteIssue,
    RemoteMove,
    RemoteProject,
    RemoteTicket,
    TicketDraft,
    TicketStatus,
    TrackerHealth,
    TrackerServer,
    Value,
    category_key,
)

__all__ = [
    "ACCOUNT_CHARS_MAX",
    "CATEGORIES",
    "COMMENT_CHARS_MAX",
    "ID_CHARS_MAX",
    "NAME_CHARS_MAX",
    "REASON_CHARS_MAX",
    "SIGN_IN",
    "STATUS_CHARS_MAX",
    "URL_CHARS_MAX",
    "Block",
    "CheckStep",
    "CredentialRefused",
    "FailureReach",
    "FieldChoice",
    "Fields",
    "Heading",
    "LabelLost",
    "Link",
    "Misconfigured",
    "OutcomeUnknown",
    "Paragraph",
    "RateLimited",
    "RemoteAccount",
    "RemoteComment",
    "RemoteIssue",
    "RemoteMove",
    "RemoteProject",
    "RemoteTicket",
    "TicketDraft",
    "TicketGone",
    "TicketReader",
    "TicketStatus",
    "TicketTracker",
    "TooLate",
    "TrackerError",
    "TrackerHealth",
    "TrackerServer",
    "TrackerUnreachable",
    "TransitionUnavailable",
    "Value",
    "category_key",
    "ticket_label",
]


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

    def fill(self, ticket_id: str, values: Mapping[str, Value | None]) -> None:
        """Set the fields of the tracker that hold these values, by our names; None empties. It can be repeated."""
        ...

    def attach(self, ticket_id: str, *, name: str, content: bytes, media_type: str) -> None:
        """Attach a file once: an attachment of the same `name` is not added again."""
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
