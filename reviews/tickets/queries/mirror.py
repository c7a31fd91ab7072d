"""Queries about mirrored tickets: for the page of a request, the integrations page and the reconciliation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, Subquery, Value, Window
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from governance.audit.models import AuditEvent
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from reviews.tickets.domain.moves import Meaning, MoveOutcome
from reviews.tickets.models import (
    ExternalIdentity,
    SiteState,
    Ticket,
    TicketComment,
    TicketMirror,
    TicketMove,
    TicketRoute,
    TicketSite,
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


def linked_ticket(*, site: TicketSite, issue_id: str) -> Ticket | None:
    """Our ticket on the site with this remote id. Ids survive a move to another project; keys do not."""
    rows = Ticket.objects.filter(site=site, state=TicketState.LINKED, remote_id=issue_id).exclude(remote_id="")
    return rows.select_related("request", "action_item", "site").first()


def linked_ids(site: TicketSite) -> list[str]:
    """The remote ids of all linked tickets of the site, oldest first."""
    rows = Ticket.objects.filter(site=site, state=TicketState.LINKED)
    return list(rows.order_by("pk").values_list("remote_id", flat=True))


def mirror_view(ticket: Ticket) -> MirrorView | None:
    """The ticket as last read, or None if it was not read yet."""
    if (mirror := _mirror_of(ticket)) is None:
        return None
    identities = ExternalIdentity.objects.filter(site=ticket.site_id, account_id=OuterRef("author_id"))
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
    linked = ExternalIdentity.objects.exclude(site__state=SiteState.REMOVED)
    return {
        **deliveries,
        "tickets": Ticket.objects.filter(state=TicketState.LINKED).count(),
        "read": TicketMirror.objects.count(),
        "gone": TicketMirror.objects.filter(gone_at__isnull=False).count(),
        "comments": TicketComment.objects.filter(is_ours=False).count(),
        "refused": TicketMove.objects.filter(outcome=MoveOutcome.REFUSED).count(),
        "linked_people": linked.aggregate(count=Count("user", distinct=True))["count"],
    }


def last_reconciliation(site: TicketSite) -> Reconciliation | None:
    """The counts of the last comparison of the site, or None if there was none.

    Its events have the name of the site as their subject, which changes, and is free again after a removal.
    """
    events = AuditEvent.objects.filter(kind="tickets.reconciled", subject_type="ticket site", details__site=site.pk)
    event = events.order_by("-position").first()
    if event is None:
        return None
    counts = tuple((name, int(event.details.get(name, 0))) for name in ("compared", "changed", "gone", "astray"))
    return Reconciliation(mode=str(event.details.get("mode", "")), at=event.at, counts=counts)


def differences(
    *, site: TicketSite, seen: Mapping[str, TicketStatus], statuses: Callable[[TicketRoute | None], Mapping[str, str]]
) -> Differences:
    """Compare every linked ticket of the site with `seen` (by remote id). `statuses` of a route are by occasion."""
    rows = list(
        Ticket.objects.filter(site=site, state=TicketState.LINKED)
        .select_related("request", "action_item", "mirror", "route", "site")
        .order_by("pk")
    )
    expected = _expected_occasions(rows, {row.pk: statuses(row.route) for row in rows})
    return Differences(
        compared=len(rows),
        changed=tuple(row for row in rows if row.remote_id in seen and _is_outdated(row, seen[row.remote_id])),
        gone=tuple(row for row in rows if row.remote_id not in seen and not _is_known_gone(row)),
        astray=tuple(
            (row, expected[row.pk][0])
            for row in rows
            if row.remote_id in seen and row.pk in expected and not seen[row.remote_id].is_in(expected[row.pk][1])
        ),
    )


def was_pushed_in_vain(ticket: Ticket, *, occasion: str, reason: str) -> bool:
    """Whether the last message for this occasion, which moves the ticket, had the same reason and moved nothing."""
    messages = OutboxMessage.objects.filter(kind="ticket.tell", lane=f"ticket:{ticket.subject[1]}")
    last = messages.filter(payload__occasion=occasion).order_by("-pk").first()
    if last is None or last.payload["text"] != reason:
        return False
    subject_type, subject = ticket.subject
    updates = AuditEvent.objects.filter(kind="ticket.updated", subject_type=subject_type, subject=subject)
    return not updates.filter(at__gte=last.created_at).exclude(details__status="").exists()


def _mirror_of(ticket: Ticket) -> TicketMirror | None:
    return getattr(ticket, "mirror", None)


def _is_outdated(ticket: Ticket, status: TicketStatus) -> bool:
    mirror = _mirror_of(ticket)
    return mirror is None or mirror.gone_at is not None or mirror.remote_updated_at != status.updated_at


def _is_known_gone(ticket: Ticket) -> bool:
    mirror = _mirror_of(ticket)
    return mirror is not None and mirror.gone_at is not None


def _expected_occasions(rows: list[Ticket], statuses: Mapping[int, Mapping[str, str]]) -> dict[int, tuple[str, str]]:
    """The latest occasion that moved a ticket, and its status, by ticket. Those with pending messages are left out.

    The database answers one row for each ticket, however many messages there were.
    """
    pks = {f"ticket:{row.subject[1]}": row.pk for row in rows}
    moving = {occasion for names in statuses.values() for occasion in names}
    messages = OutboxMessage.objects.filter(kind="ticket.tell", lane__in=pks)
    waiting = messages.filter(state__in=[*UNFINISHED, JobState.DEAD]).order_by("lane").distinct("lane")
    done = messages.filter(state=JobState.DONE, payload__occasion__in=moving).order_by("lane", "-pk").distinct("lane")
    latest = dict(done.values_list("lane", "payload__occasion"))
    for lane in waiting.values_list("lane", flat=True):
        latest.pop(lane, None)
    found = ((pks[lane], occasion) for lane, occasion in latest.items())
    return {pk: (occasion, statuses[pk][occasion]) for pk, occasion in found if occasion in statuses[pk]}
