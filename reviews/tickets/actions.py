"""Request changes to tickets. Every change is an outbox row, written in the transaction that needs it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from governance import secrets
from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import CHECK, OutboxMessage
from governance.people.queries.people import name_of
from reviews.requests.models import ReviewRequest
from reviews.tickets.domain.atlassian import RENEWED_BEFORE, OAuthTokens
from reviews.tickets.domain.routing import chosen_route
from reviews.tickets.models import OAuthGrant, Ticket, TicketComment, TicketSite, TicketState
from reviews.tickets.ports import CheckStep, RemoteTicket, TrackerHealth, ticket_label
from reviews.tickets.queries import sites as reads
from weighbridge.core.masking import hide_secrets

if TYPE_CHECKING:
    from reviews.quarterly.models import ActionItem

TRACKER = "tracker"
PROBE_FIRST, PROBE_LAST = timedelta(minutes=5), timedelta(hours=6)
SITE, ROUTED_MAX = "ticket site", 100
CHANGED = "The site or one of its routes was changed while the test ran, so its result does not count. Test again."
CHANGED_STEPS = (CheckStep("Test", ok=False, sentence=CHANGED),)
_OF_SITE = frozenset({"system", "part", "reach", "told", "is_alone", "asks", "asked_at"})
"""What the payload of a message notes about the site that it was meant for."""


def open_ticket(*, request: ReviewRequest, by: User, now: datetime) -> Ticket:
    """Queue the ticket of a request. Without a site it stays queued, and the pages show this."""
    return _open(request.ref, by, now, request=request)


def open_action_ticket(*, item: "ActionItem", by: User, now: datetime) -> Ticket:
    """Queue the ticket of an action item."""
    return _open(item.ref, by, now, action_item=item)


def _open(ref: str, by: User, now: datetime, **of: Any) -> Ticket:
    label = ticket_label(instance=settings.WEIGHBRIDGE["INSTANCE"], reference=ref)
    with transaction.atomic():
        route = reads.route_for(reads.routed_subject(Ticket(**of)))
        defaults = {"label": label, "route": route, "site": route.site if route else None}
        ticket, is_new = Ticket.objects.get_or_create(**of, defaults=defaults)
        if is_new:
            audit.record(kind="ticket.wanted", subject=ticket.subject, by=by, now=now, details={"label": label})
        outbox.enqueue(kind="ticket.open", key=f"ticket.open:{ref}", lane=_lane(ref), payload=_payload(ticket), now=now)
    return ticket


def notify_request_ticket(
    *, request: ReviewRequest, occasion: str, reason: str, by: User | None, now: datetime
) -> None:
    """Comment on the ticket of a request, if it has one, and move it to the status configured for the occasion."""
    with transaction.atomic():
        ticket = Ticket.objects.filter(request=request).select_related("site").first()
        if ticket is None:
            subject, details = ("request", request.ref), {"occasion": occasion}
            audit.record(kind="ticket.not_wanted", subject=subject, by=by, now=now, details=details)
            return
        notify_ticket(ticket=ticket, occasion=occasion, reason=reason, by=by, now=now)


def notify_ticket(*, ticket: Ticket, occasion: str, reason: str, by: User | None, now: datetime) -> None:
    """Comment on a ticket and move it to the status configured for the occasion, unless its site was removed."""
    ref = ticket.subject[1]
    with transaction.atomic():
        if ticket.is_at_removed_site:
            details = {"occasion": occasion}
            audit.record(kind="ticket.not_told", subject=ticket.subject, by=by, now=now, details=details)
            return
        number = OutboxMessage.objects.filter(lane=_lane(ref)).count()
        key = f"ticket.tell:{ref}:{number}:{occasion}"
        author = name_of(by) if by else "Weighbridge"
        payload = _payload(ticket) | {"occasion": occasion, "text": reason, "by": author, "marker": key}
        outbox.enqueue(kind="ticket.tell", key=key, lane=_lane(ref), payload=payload, now=now)
        audit.record(kind="ticket.told", subject=ticket.subject, by=by, now=now, details={"occasion": occasion})


def link_ticket(*, ticket: Ticket, remote: RemoteTicket, by: User | None = None, now: datetime) -> Ticket:
    """Store the id, key and URL of the ticket in the tracker."""
    with transaction.atomic():
        ticket.state, ticket.remote_id, ticket.key, ticket.url = TicketState.LINKED, remote.id, remote.key, remote.url
        ticket.status, ticket.linked_at = remote.status or ticket.status, ticket.linked_at or now
        ticket.save()
        details = {"key": remote.key, "duplicates": list(remote.duplicates)}
        audit.record(kind="ticket.linked", subject=ticket.subject, by=by, now=now, details=details)
    return ticket


def record_ticket_update(
    *, ticket: Ticket, status: str, note: str, comment_id: str = "", by: User | None = None, now: datetime
) -> None:
    """Store the current status, the id of our comment, and a note about what could not be done."""
    with transaction.atomic():
        if status:  # a read may have stored another one meanwhile
            ticket.status = status
            ticket.save(update_fields=["status"])
        if comment_id:
            ours = {"is_ours": True, "text": "", "created_at": now, "updated_at": now}
            TicketComment.objects.update_or_create(ticket=ticket, remote_id=comment_id, defaults=ours)
        details = {"status": status}
        audit.record(kind="ticket.updated", subject=ticket.subject, by=by, now=now, details=details, reason=note)


def mark_uncertain(*, ticket: Ticket, by: User | None = None, now: datetime) -> None:
    """Record that the response to the creation was lost. The ticket is searched for before a new attempt."""
    with transaction.atomic():
        ticket.state = TicketState.UNCERTAIN
        ticket.save(update_fields=["state"])
        audit.record(kind="ticket.uncertain", subject=ticket.subject, by=by, now=now)


def attach_packet(*, ticket: Ticket, packet_id: int, number: int, when: str, by: User | None, now: datetime) -> None:
    """Queue the attachment of a printed packet. `when` tells apart the printing and the opening of the ticket.

    The attachments have a lane of their own, so that a refused file does not hold up the comments. To a removed site
    nothing is attached.
    """
    ref = ticket.subject[1]
    with transaction.atomic():
        if ticket.is_at_removed_site:
            details = {"packet": number}
            audit.record(kind="ticket.not_attached", subject=ticket.subject, by=by, now=now, details=details)
            return
        payload = _payload(ticket) | {"packet_id": packet_id}
        key, lane = f"ticket.attach:{ref}:{number}:{when}", f"ticket.attach:{ref}"
        outbox.enqueue(kind="ticket.attach", key=key, lane=lane, payload=payload, now=now)
        details = {"packet": number}
        audit.record(kind="ticket.attachment_requested", subject=ticket.subject, by=by, now=now, details=details)


def attach_packet_of_request(
    *, request: ReviewRequest, packet_id: int, number: int, by: User | None, now: datetime
) -> None:
    """Queue the attachment of a packet that was just printed, if the request has a ticket."""
    ticket = Ticket.objects.filter(request=request).select_related("site").first()
    if ticket is not None:
        attach_packet(ticket=ticket, packet_id=packet_id, number=number, when="printed", by=by, now=now)


def record_attachment(*, ticket: Ticket, name: str, note: str, by: User | None = None, now: datetime) -> None:
    """Record that a file was attached, or why not."""
    with transaction.atomic():
        details = {"file": name}
        audit.record(kind="ticket.attached", subject=ticket.subject, by=by, now=now, details=details, reason=note)


def record_health(*, site: TicketSite, health: TrackerHealth, by: User | None = None, now: datetime) -> None:
    """Store what the site answered at each step of a test. Its paused messages resume, except those of broken routes.

    A result counts only for what was tested: if the site or a route was changed meanwhile, the site is not tested.
    """
    with transaction.atomic():
        row = TicketSite.objects.select_for_update(no_key=True).get(pk=site.pk)
        is_current = not health.tested or reads.is_configured_as(row, tested=health.tested)
        found = health if is_current else replace(health, ok=False, sentence=CHANGED, steps=CHANGED_STEPS)
        row.is_ok, row.tested_at = health.ok if is_current else None, now
        row.steps = [{"name": step.name, "ok": step.ok, "sentence": step.sentence} for step in found.steps]
        row.save(update_fields=["is_ok", "steps", "tested_at"])
        is_open = found.is_signed_in and found.retry_after_s is None
        resumed = outbox.resume(channel=TRACKER, system=site.pk, broken=found.broken, now=now) if is_open else 0
        details = {"ok": found.ok, "sentence": found.sentence, "account": found.account}
        audit.record(kind="tracker.checked", by=by, subject=(SITE, row.name), details=details, now=now)
        if resumed:
            details = {"count": resumed}
            audit.record(kind="tracker.resumed", by=by, subject=(SITE, row.name), details=details, now=now)


def access_token(
    *,
    site: TicketSite,
    refused: str,
    renewed: Callable[[OAuthGrant], OAuthTokens],
    by: User | None = None,
    now: datetime,
) -> str:
    """The access token of a site with OAuth, another than the refused one. One worker renews it for all.

    The new refresh token is stored before anybody can use the new access token: it is the one that counts.
    """
    with transaction.atomic(durable=True):
        grant = OAuthGrant.objects.select_for_update(of=("self",)).select_related("site").get(site=site)
        token = secrets.decrypt(grant.access_token)
        hide_secrets(token)
        if token != refused and now < grant.expires_at - RENEWED_BEFORE:
            return token
        given = renewed(grant)
        grant.access_token, grant.refresh_token = secrets.encrypt(given.access), secrets.encrypt(given.refresh)
        grant.expires_at = given.expires_at
        grant.save(update_fields=["access_token", "refresh_token", "expires_at"])
        audit.record(kind="ticket_site.access_renewed", by=by, subject=(SITE, site.name), now=now)
    return given.access


def request_test(*, site: TicketSite, occasion: str, by: User | None, now: datetime) -> OutboxMessage:
    """Queue a test of the connection to the site. Two calls with the same `occasion` queue one."""
    with transaction.atomic():
        payload = {"system": site.pk} | ({"by": by.pk} if by else {})
        key = f"{CHECK}:{site.pk}:{occasion}"
        message = outbox.enqueue(kind=CHECK, key=key, lane=key, payload=payload, now=now)
        audit.record(kind="tracker.check_requested", by=by, subject=(SITE, site.name), now=now)
    return message


def probe_tracker(*, site: TicketSite, by: User | None = None, now: datetime) -> OutboxMessage | None:
    """Test the connection while tickets are paused: the first time at once, then less and less often.

    The wait is half the age of the oldest paused message, from five minutes to six hours, so that an expired token is
    not tried all weekend. None if no test is due.
    """
    messages = OutboxMessage.objects.filter(payload__system=site.pk)
    paused = messages.filter(state=JobState.PAUSED, kind__startswith="ticket.").order_by("pk").first()
    last = messages.filter(kind=CHECK).order_by("-pk").first() if paused else None
    if paused is None or (last is not None and not _is_due(last, now - paused.created_at, now)):
        return None
    # The key allows one test even if several processes find it due.
    return request_test(site=site, occasion=f"after:{last.pk if last else 0}", by=by, now=now)


def route_waiting(*, by: User | None = None, now: datetime) -> int:
    """Give the oldest tickets that wait for a site the route that takes them now, and let them go; returns how many.

    The tick calls this, so that the next ones follow. A message that a worker held while its ticket got a site pauses
    without one, and is let go here too.
    """
    with transaction.atomic():
        routes = reads.active_routes()
        waiting = reads.routable(routes).select_for_update(of=("self",))[:ROUTED_MAX]
        found = [(row, route) for row in waiting if (route := chosen_route(routes, reads.routed_subject(row)))]
        for ticket, route in found:
            ticket.route, ticket.site = route, route.site
            ticket.save(update_fields=["route", "site"])
            _let_go(ticket, now)
        for ticket in reads.left_behind().select_for_update(of=("self",))[:ROUTED_MAX]:
            _let_go(ticket, now)
        for ticket, route in found:
            details = {"site": route.site.name, "project": route.project}
            audit.record(kind="ticket.routed", subject=ticket.subject, by=by, now=now, details=details)
    return len(found)


def cancel_waiting(*, site: TicketSite, by: User | None, now: datetime) -> int:
    """Cancel the messages that wait for a site. Returns their number.

    Its tickets that are not opened yet lose nothing: they wait for another route.
    """
    with transaction.atomic():
        rows = Ticket.objects.select_for_update(of=("self",)).filter(site=site).exclude(state=TicketState.LINKED)
        unopened = list(rows.order_by("pk"))
        for ticket in unopened:
            for row in _locked(_lane(ticket.subject[1]), *UNFINISHED, JobState.DEAD):
                payload = {name: value for name, value in row.payload.items() if name not in _OF_SITE}
                # With another fence, a worker that holds the message notices that it was taken away.
                jobs.requeue(row=row, now=now, payload=payload, fence=row.fence + 1, lease_until=None)
            ticket.site, ticket.route, ticket.state = None, None, TicketState.WAITING
            ticket.save(update_fields=["site", "route", "state"])
        messages = OutboxMessage.objects.filter(payload__system=site.pk, state__in=[*UNFINISHED, JobState.DEAD])
        canceled = sum(jobs.abandon(row=row, by=by, now=now) for row in messages.order_by("pk"))
        details = {"canceled": canceled, "unopened": len(unopened)}
        audit.record(kind="ticket_site.messages_canceled", subject=(SITE, site.name), by=by, now=now, details=details)
    return canceled


def _let_go(ticket: Ticket, now: datetime) -> None:
    for row in _locked(_lane(ticket.subject[1]), JobState.PAUSED, JobState.QUEUED):
        jobs.requeue(row=row, now=now, payload=row.payload | reads.place_of(ticket))


def _locked(lane: str, *states: JobState) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.select_for_update().filter(lane=lane, state__in=states).order_by("pk")


def _is_due(last: OutboxMessage, paused_for: timedelta, now: datetime) -> bool:
    wait = min(max(paused_for / 2, PROBE_FIRST), PROBE_LAST)
    return last.state not in UNFINISHED and now - (last.finished_at or last.created_at) >= wait


def _lane(ref: str) -> str:
    """Messages in one lane are delivered one after the other."""
    return f"ticket:{ref}"


def _payload(ticket: Ticket) -> dict[str, Any]:
    """What a message about the ticket names: its subject and its place."""
    subject = {"request_id": ticket.request_id} if ticket.request_id else {"action_id": ticket.action_item_id}
    return subject | reads.place_of(ticket)
