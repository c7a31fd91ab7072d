"""Tasks that exchange data with the ticket tracker."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from governance.inventory.actions import stored_files
from governance.jobs import outbox, ticks
from governance.jobs.enums import Reach
from governance.jobs.kinds import effect_lease
from governance.jobs.models import OutboxMessage
from reviews.packets.models import Packet
from reviews.requests.enums import OUTCOMES
from reviews.ticket_sync.actions import receiving as inbound
from reviews.ticket_sync.actions import reconciliation
from reviews.ticket_sync.outbox import failures_translated
from reviews.ticket_sync.queries.asking import health_with_each_route
from reviews.ticket_sync.queries.connections import moves_of, settings_of, statuses_of
from reviews.ticket_sync.queries.drafts import draft_for, page_of, title_of
from reviews.ticket_sync.queries.values import values_of
from reviews.tickets import actions as effects
from reviews.tickets.domain.moves import ReconciliationMode
from reviews.tickets.jira.reader import STATUSES_MAX, JiraReader
from reviews.tickets.models import Ticket, TicketRoute, TicketSite
from reviews.tickets.ports import (
    FailureReach,
    LabelLost,
    Misconfigured,
    OutcomeUnknown,
    Paragraph,
    RemoteTicket,
    TicketGone,
    TicketReader,
    TicketStatus,
    TicketTracker,
    TrackerHealth,
    TransitionUnavailable,
)
from reviews.tickets.queries.drafts import ticket_of
from reviews.tickets.queries.mirror import linked_ids
from reviews.tickets.queries.sites import active_sites, comparison_occasion

NO_SITE = (
    "No ticket site takes this ticket yet. It waits until an administrator sets up a site and a route for it, under "
    "Settings, Tickets."
)
SITE_REMOVED = "The site of the ticket was removed, so the ticket is not updated any more."
DOUBLED_MAX_S = 3600.0
OUTCOME_NAMES = tuple(name for name, _ in OUTCOMES)


@contextmanager
def tracker(site: TicketSite | None, route: TicketRoute | None = None) -> Iterator[TicketReader]:
    """The tracker at a site, for the project of a route. Its failures are translated into exceptions of the outbox."""
    if site is None:
        raise outbox.NeedsPerson(NO_SITE)
    with failures_translated(clock=timezone.now):
        opened = JiraReader(settings_of(site, route=route), clock=timezone.now)
        try:
            yield opened
        finally:
            opened.close()


@outbox.handles("ticket.open", channel=effects.TRACKER)
def open_ticket(message: OutboxMessage) -> None:
    """Open the ticket of a request or an action item, or adopt one from an earlier attempt, and link it back."""
    ticket = ticket_of(message.payload)
    with tracker(ticket.site, ticket.route) as jira:
        remote = _opened(jira, message, ticket)
        jira.link(remote.id, url=page_of(ticket), title=title_of(ticket), global_id=ticket.label)


def _opened(jira: TicketTracker, message: OutboxMessage, ticket: Ticket) -> RemoteTicket:
    if ticket.remote_id:
        return RemoteTicket(ticket.remote_id, ticket.key, ticket.url, ticket.status)
    try:
        # It always searches first: a database restored from a backup does not know the earlier attempts.
        draft = draft_for(ticket).with_values(values_of(ticket, now=timezone.now()))
        remote = jira.find(ticket.label) or jira.open(draft, not_after=_record_attempt(message, ticket))
    except OutcomeUnknown:
        effects.mark_uncertain(ticket=ticket, now=timezone.now())
        raise
    except LabelLost as loss:
        _link(message, ticket, loss.ticket)
        raise
    # Stored at once: if the link back fails, a search right after the opening would not find the ticket.
    _link(message, ticket, remote)
    return remote


def _record_attempt(message: OutboxMessage, ticket: Ticket) -> datetime:
    """Record that a creation is about to be sent, unless an earlier one may still appear; each wait is longer.

    Returns the time until which it may be sent. Raises NeedsPerson if the route was removed.
    """
    if ticket.site is None or ticket.route is None:
        raise outbox.NeedsPerson(NO_SITE)
    now, asks, jira = timezone.now(), message.payload.get("asks", 0), settings_of(ticket.site, route=ticket.route)
    if asks:
        patience_s = max(jira.patience_s, min(jira.patience_s * 2 ** (asks - 1), DOUBLED_MAX_S))
        left_s = patience_s - (now - datetime.fromisoformat(message.payload["asked_at"])).total_seconds()
        if left_s > 0:
            reason = "Jira may have opened the ticket, but its search may lag behind. Weighbridge will search again."
            raise outbox.TryLater(reason, wait_s=left_s, is_uncertain=True, at=now)
    outbox.remember(message=message, now=now, asked_at=now.isoformat(), asks=asks + 1)
    return now + timedelta(seconds=jira.sendable_s(effect_lease().total_seconds()))


def _link(message: OutboxMessage, ticket: Ticket, remote: RemoteTicket) -> None:
    with transaction.atomic():  # a worker whose lease expired must not overwrite the result of another
        outbox.check_held(message=message, now=timezone.now())
        effects.link_ticket(ticket=ticket, remote=remote, now=timezone.now())
        packet = Packet.objects.filter(request=ticket.request_id).exclude(stored_as="").last()
        if ticket.request_id and packet is not None:
            effects.attach_packet(
                ticket=ticket, packet_id=packet.pk, number=packet.number, when="linked", by=None, now=timezone.now()
            )


@outbox.handles("ticket.attach", channel=effects.TRACKER)
def attach_packet(message: OutboxMessage) -> outbox.Settle | None:
    """Attach a printed packet to its ticket. Without a ticket yet, the opening of the ticket attaches it."""
    ticket = ticket_of(message.payload)
    if not ticket.remote_id:
        return None
    packet = Packet.objects.get(pk=message.payload["packet_id"])
    name, gone = f"{ticket.subject[1]}-packet-{packet.number}.pdf", ""
    if ticket.is_at_removed_site:
        return lambda: effects.record_attachment(ticket=ticket, name=name, note=SITE_REMOVED, now=timezone.now())
    try:
        with stored_files.opened(digest=packet.pdf_digest, now=timezone.now()) as source:
            content = source.read()
    except stored_files.DamagedFile as damage:
        raise outbox.NeedsPerson(damage.reason) from damage
    with tracker(ticket.site, ticket.route) as jira:
        try:
            jira.attach(ticket.remote_id, name=name, content=content, media_type="application/pdf")
        except TicketGone as failure:
            gone = failure.reason
    return lambda: effects.record_attachment(ticket=ticket, name=name, note=gone, now=timezone.now())


@outbox.handles("ticket.tell", channel=effects.TRACKER)
def deliver_ticket_update(message: OutboxMessage) -> outbox.Settle:
    """Add one comment for all pending messages, and move the ticket to the status of the latest occasion."""
    ticket = ticket_of(message.payload)
    if ticket.is_at_removed_site:
        return lambda: effects.record_ticket_update(ticket=ticket, status="", note=SITE_REMOVED, now=timezone.now())
    status, note, comment_id, statuses = "", "", "", statuses_of(ticket.route)
    with tracker(ticket.site, ticket.route) as jira:
        payloads = [pending.payload for pending in outbox.collect_batch(message=message, now=timezone.now())]
        wanted = [name for payload in payloads if (name := statuses.get(payload["occasion"]))]
        blocks = tuple(
            Paragraph(f"{payload['by']}: {payload['text'] or payload['occasion'].replace('_', ' ')}")
            for payload in payloads
        )
        may_exist = message.attempts > 1 or message.is_uncertain
        try:
            comment_id = jira.comment(ticket.remote_id, blocks, marker=message.payload["marker"], may_exist=may_exist)
            status, unmoved = _moved(jira, ticket, wanted)
            note = " ".join(filter(None, (unmoved, _filled(jira, ticket))))
        except TicketGone as failure:
            note = failure.reason
    return lambda: effects.record_ticket_update(
        ticket=ticket, status=status, note=note, comment_id=comment_id, now=timezone.now()
    )


def _moved(jira: TicketTracker, ticket: Ticket, wanted: list[str]) -> tuple[str, str]:
    """(the status to which the ticket was moved, why it was not)."""
    try:
        return jira.transition(ticket.remote_id, wanted[-1]) if wanted else "", ""
    except TransitionUnavailable as failure:
        return "", failure.reason


def _filled(jira: TicketTracker, ticket: Ticket) -> str:
    """Fill the fields of the route; why Jira refused them. A refused field must not hold up comments and statuses."""
    if ticket.route is None or not ticket.route.field_map:
        return ""
    try:
        jira.fill(ticket.remote_id, values_of(ticket, now=timezone.now()))
    except Misconfigured as failure:
        if failure.reach is FailureReach.TRACKER:
            raise
        return failure.reason
    return ""


@outbox.handles("ticket.read", channel=effects.TRACKER)
def read_ticket(message: OutboxMessage) -> None:
    """Read the ticket once for all pending hints, update its mirror, and process each new move."""
    ticket = ticket_of(message.payload)
    if ticket.is_at_removed_site:
        return
    with tracker(ticket.site, ticket.route) as jira:
        outbox.collect_batch(message=message, now=timezone.now())
        try:
            remote = jira.read(ticket.remote_id)
        except TicketGone as failure:
            with transaction.atomic():
                outbox.check_held(message=message, now=timezone.now())
                inbound.record_gone(ticket=ticket, reason=failure.reason, now=timezone.now())
            return
    # Each step is its own transaction, which first checks that this worker still holds the message.
    with transaction.atomic():
        outbox.check_held(message=message, now=timezone.now())
        inbound.update_mirror(ticket=ticket, remote=remote, now=timezone.now())
    statuses, moves, page = statuses_of(ticket.route), moves_of(ticket.route), page_of(ticket)
    decisions = [statuses[name] for name in OUTCOME_NAMES if name in statuses]
    for move in remote.moves:
        with transaction.atomic():
            outbox.check_held(message=message, now=timezone.now())
            inbound.process_move(
                ticket=ticket,
                move=move,
                is_last=move is remote.moves[-1],
                moves=moves,
                decisions=decisions,
                page=page,
                now=timezone.now(),
            )


@outbox.handles("tickets.reconcile", channel=effects.TRACKER)
def reconcile_tickets(message: OutboxMessage) -> outbox.Settle:
    """Read the status of every linked ticket of a site in batches of 100, and repair differences by the mode."""
    seen: dict[str, TicketStatus] = {}
    site = TicketSite.objects.get(pk=message.payload["system"])
    ids = linked_ids(site)
    with tracker(site) as jira:
        for start in range(0, len(ids), STATUSES_MAX):
            outbox.check_held(message=message, now=timezone.now())
            seen |= jira.read_statuses(ids[start : start + STATUSES_MAX])
    by = User.objects.filter(pk=message.payload.get("by")).first()
    mode = ReconciliationMode(message.payload["mode"])
    return lambda: reconciliation.reconcile(
        site=site, mode=mode, seen=seen, statuses=statuses_of, by=by, now=timezone.now()
    )


@ticks.on_tick(every=timedelta(minutes=1))
def compare_regularly(now: datetime) -> None:
    """Compare every ticket, so that lost deliveries do no lasting harm: each night, or each hour without deliveries."""
    for site in active_sites():
        if occasion := comparison_occasion(site=site, now=now):
            mode = ReconciliationMode(site.comparison)
            reconciliation.request_reconciliation(site=site, mode=mode, occasion=occasion, now=now)


@ticks.on_tick(every=timedelta(seconds=10))
def probe_sites(now: datetime) -> bool:
    """Test the connection to each site whose messages are paused. What waits without a site takes its route.

    Returns whether more may wait for their route.
    """
    routed = effects.route_waiting(now=now)
    for site in active_sites():
        effects.probe_tracker(site=site, now=now)
    return routed > 0


@outbox.handles("tracker.check", channel=effects.TRACKER, is_probe=True)
def check_tracker(message: OutboxMessage) -> outbox.Settle:
    """Test the connection to a site with each of its routes, without a change there; store what it answered.

    Without a site, queue a test of each active one.
    """
    by = User.objects.filter(pk=message.payload.get("by")).first()
    if "system" not in message.payload:
        return lambda: [
            effects.request_test(site=site, occasion=f"all:{message.pk}", by=by, now=timezone.now())
            for site in active_sites()
        ]
    site = TicketSite.objects.get(pk=message.payload["system"])
    health = health_of(site)
    if health.retry_after_s is not None:
        wait_s = health.retry_after_s
        raise outbox.TryLater(health.sentence, wait_s=wait_s, reach=Reach.CHANNEL, at=timezone.now())
    return lambda: effects.record_health(site=site, health=health, by=by, now=timezone.now())


def health_of(site: TicketSite) -> TrackerHealth:
    """Test the connection to the site with each of its routes."""

    def check(route: TicketRoute | None) -> TrackerHealth:
        try:
            with tracker(site, route) as jira:
                return jira.check()
        except outbox.NeedsPerson as refusal:
            return TrackerHealth.failed("Credential", str(refusal))

    return health_with_each_route(site, check=check)
