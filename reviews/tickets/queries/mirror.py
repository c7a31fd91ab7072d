"""Queries about mirrored tickets: for the page of a request, the integrations page and the reconciliation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, Subquery, Value, Window
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from governance.audit.models import AuditEvent
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from reviews.tickets.domain import Meaning, MoveOutcome
from reviews.tickets.models import (
    ExternalIdentity,
    Ticket,
    TicketComment,
    TicketMirror,
    TicketMove,
    TicketState,
    WebhookDelivery,
)
from reviews.tickets.ports import TicketStatus

SHOWN_MAX = 50
_FULL_NAME = Trim(Concat("user__first_name", Value(" "), "user__last_name"))
# The same as `governance.people.queries.people.name_of`, for a whole list at once.
_NAME = Coalesce(NullIf(_FULL_NAME, Value("")), "user__username")


@dataclass(frozen=True, kw_only=True)
class MirrorView:
    """The ticket as last read: the latest comments of people, oldest first, and the moves with a meaning.

    `person` of a comment is the user linked to its author, or None.
    """

    read_at: datetime
    is_gone: bool
    comments: tuple[TicketComment, ...]
    earlier_count: int
    moves: tuple[TicketMove, ...]


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The counts of the last comparison."""

    mode: str
    at: datetime
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Differences:
    """Tickets that changed since they were read, that are no longer shown, or whose status is not the one we set."""

    compared: int
    changed: tuple[Ticket, ...]
    gone: tuple[Ticket, ...]
    astray: tuple[tuple[Ticket, str], ...]

    @property
    def counts(self) -> dict[str, int]:
        """The count of each."""
        groups = {"changed": self.changed, "gone": self.gone, "astray": self.astray}
        return {"compared": self.compared} | {name: len(rows) for name, rows in groups.items()}


def linked_ticket(issue_id: str) -> Ticket | None:
    """Our ticket with this remote id. Ids survive a move to another project; keys do not."""
    rows = Ticket.objects.filter(state=TicketState.LINKED, remote_id=issue_id).exclude(remote_id="")
    return rows.select_related("request", "action_item").first()


def linked_ids() -> list[str]:
    """The remote ids of all linked tickets, oldest first."""
    return list(Ticket.objects.filter(state=TicketState.LINKED).order_by("pk").values_list("remote_id", flat=True))


def mirror_view(ticket: Ticket) -> MirrorView | None:
    """The ticket as last read, or None if it was not read yet."""
    if (mirror := _mirror_of(ticket)) is None:
        return None
    identities = ExternalIdentity.objects.filter(account_id=OuterRef("author_id"))
    theirs = TicketComment.objects.filter(ticket=ticket, is_ours=False).annotate(
        count=Window(Count("pk")), person=Subquery(identities.values(name=_NAME)[:1])
    )
    shown = list(theirs.order_by("-created_at", "-pk")[:SHOWN_MAX])[::-1]
    count = shown[0].count if shown else 0
    moves = TicketMove.objects.filter(ticket=ticket).exclude(meaning=Meaning.NONE).order_by("pk")
    return MirrorView(
        read_at=mirror.read_at,
        is_gone=mirror.gone_at is not None,
        comments=tuple(shown),
        earlier_count=count - len(shown),
        moves=tuple(moves),
    )


def inbound_statistics(*, now: datetime) -> dict[str, Any]:
    """Counts of incoming data, and the time of the last delivery."""
    last_day = Q(received_at__gt=now - timedelta(days=1))
    deliveries = WebhookDelivery.objects.aggregate(
        deliveries=Count("pk"),
        deliveries_last_day=Count("pk", filter=last_day),
        last_delivery_at=Max("received_at"),
    )
    return {
        **deliveries,
        "tickets": Ticket.objects.filter(state=TicketState.LINKED).count(),
        "read": TicketMirror.objects.count(),
        "gone": TicketMirror.objects.filter(gone_at__isnull=False).count(),
        "comments": TicketComment.objects.filter(is_ours=False).count(),
        "refused": TicketMove.objects.filter(outcome=MoveOutcome.REFUSED).count(),
        "linked_people": ExternalIdentity.objects.count(),
    }


def last_reconciliation() -> Reconciliation | None:
    """The counts of the last comparison, or None if there was none."""
    event = AuditEvent.objects.filter(kind="tickets.reconciled").order_by("-position").first()
    if event is None:
        return None
    counts = tuple((name, int(event.details.get(name, 0))) for name in ("compared", "changed", "gone", "astray"))
    return Reconciliation(mode=str(event.details.get("mode", "")), at=event.at, counts=counts)


def differences(*, seen: Mapping[str, TicketStatus], statuses: Mapping[str, str]) -> Differences:
    """Compare every linked ticket with `seen` (by remote id). `statuses` are the configured statuses by occasion."""
    rows = list(
        Ticket.objects.filter(state=TicketState.LINKED)
        .select_related("request", "action_item", "mirror")
        .order_by("pk")
    )
    expected = _expected_occasions(statuses)
    return Differences(
        compared=len(rows),
        changed=tuple(row for row in rows if row.remote_id in seen and _is_outdated(row, seen[row.remote_id])),
        gone=tuple(row for row in rows if row.remote_id not in seen and not _is_known_gone(row)),
        astray=tuple(
            (row, expected[row.subject[1]])
            for row in rows
            if row.remote_id in seen
            and row.subject[1] in expected
            and not seen[row.remote_id].is_in(statuses[expected[row.subject[1]]])
        ),
    )


def _mirror_of(ticket: Ticket) -> TicketMirror | None:
    return getattr(ticket, "mirror", None)


def _is_outdated(ticket: Ticket, status: TicketStatus) -> bool:
    mirror = _mirror_of(ticket)
    return mirror is None or mirror.gone_at is not None or mirror.remote_updated_at != status.updated_at


def _is_known_gone(ticket: Ticket) -> bool:
    mirror = _mirror_of(ticket)
    return mirror is not None and mirror.gone_at is not None


def _expected_occasions(statuses: Mapping[str, str]) -> dict[str, str]:
    """The latest occasion that moved a ticket, by subject reference. Tickets with pending messages are left out."""
    occasions: dict[str, str] = {}
    messages = OutboxMessage.objects.filter(kind="ticket.tell", payload__occasion__in=list(statuses)).order_by("pk")
    for lane, occasion in messages.filter(state=JobState.DONE).values_list("lane", "payload__occasion"):
        occasions[lane.removeprefix("ticket:")] = occasion
    waiting = OutboxMessage.objects.filter(kind="ticket.tell", state__in=[*UNFINISHED, JobState.DEAD])
    for lane in waiting.values_list("lane", flat=True):
        occasions.pop(lane.removeprefix("ticket:"), None)
    return occasions
