"""Celery tasks of reviews: thin shells that load, build adapters from settings, and call one action."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from benchmarking.models import Run
from governance import audit, outbox
from governance.domain.refusals import WrongState
from governance.models import OutboxMessage
from reviews.actions import authorisations, effects, evidence, packets, requests
from reviews.integrations.jira.settings import STATUSES, JiraSettings
from reviews.integrations.jira.tracker import JiraTracker
from reviews.integrations.pdf import WALL_MAX_S, WeasyPrintPrinter
from reviews.integrations.tickets import open_once
from reviews.models import Packet, ReviewRequest, Ticket
from reviews.ports import (
    Health,
    LabelLost,
    Misconfigured,
    OutcomeUnknown,
    Paragraph,
    PrintFailed,
    RemoteTicket,
    TicketGone,
    TicketTracker,
    TrackerError,
    TransitionUnavailable,
    Unreachable,
)
from reviews.queries.due import lapsed, packets_due
from reviews.queries.packet import packet_page, pages_of
from reviews.queries.tickets import draft_of, request_url

PRINT_MAX = timedelta(seconds=WALL_MAX_S)
NO_TRACKER = "No Jira is configured (JIRA_URL is unset); the ticket waits and nothing is lost."


@contextmanager
def tracker() -> Iterator[TicketTracker]:
    """The tracker the settings name; its failures become what the outbox understands, in words a person can act on."""
    named = settings.WEIGHBRIDGE["JIRA"]
    if not named["url"]:
        raise outbox.NeedsPerson(NO_TRACKER)
    try:
        chosen = JiraSettings(**{**named, "statuses": {**STATUSES, **named["statuses"]}})
    except Misconfigured as refusal:
        raise outbox.NeedsPerson(refusal.reason) from refusal
    opened = JiraTracker(chosen, clock=timezone.now)
    try:
        yield opened
    except Unreachable as failure:
        raise outbox.TryLater(failure.reason, wait_s=failure.retry_after_s) from failure
    except OutcomeUnknown as failure:
        raise outbox.TryLater(failure.reason, wait_s=failure.settle_s, is_uncertain=True) from failure
    except TrackerError as failure:
        raise outbox.NeedsPerson(failure.reason) from failure
    finally:
        opened.close()


@outbox.handles("ticket.open")
def open_ticket(message: OutboxMessage) -> None:
    """Open the one ticket of a request, or adopt the one an earlier attempt left, and link it back."""
    request = ReviewRequest.objects.get(pk=message.payload["request_id"])
    ticket = Ticket.objects.select_related("request").get(request=request)
    with tracker() as jira:
        outbox.check_held(message=message, now=timezone.now())
        remote = _opened(jira, ticket, may_exist=message.attempts > 1 or message.is_uncertain)
        jira.link(remote.id, url=request_url(request), title=f"{request.ref} {request.title}", global_id=ticket.label)


def _opened(jira: TicketTracker, ticket: Ticket, *, may_exist: bool) -> RemoteTicket:
    if ticket.remote_id:
        return RemoteTicket(ticket.remote_id, ticket.key, ticket.url, ticket.status)
    try:
        remote = open_once(jira, draft_of(ticket.request), may_exist=may_exist)
    except OutcomeUnknown:
        effects.mark_uncertain(ticket=ticket, now=timezone.now())
        raise
    except LabelLost as loss:
        effects.link_ticket(ticket=ticket, remote=loss.ticket, now=timezone.now())
        raise
    # Kept at once: if the link back fails now, a search too soon after the opening would not find the ticket.
    effects.link_ticket(ticket=ticket, remote=remote, now=timezone.now())
    return remote


@outbox.handles("ticket.tell")
def tell_ticket(message: OutboxMessage) -> outbox.Settle:
    """Comment on the ticket once, and move it to the status configured for the occasion."""
    said = message.payload
    ticket = Ticket.objects.select_related("request").get(request_id=said["request_id"])
    wanted = {**STATUSES, **settings.WEIGHBRIDGE["JIRA"]["statuses"]}.get(said["occasion"])
    status, note = "", ""
    words = said["text"] or said["occasion"].replace("_", " ")
    with tracker() as jira:
        try:
            blocks = (Paragraph(f"{said['by']}: {words}"),)
            may_exist = message.attempts > 1 or message.is_uncertain
            jira.comment(ticket.remote_id, blocks, marker=said["marker"], may_exist=may_exist)
            status = jira.transition(ticket.remote_id, wanted) if wanted else ""
        except (TicketGone, TransitionUnavailable) as failure:
            note = failure.reason
    return lambda: _do(effects.note_ticket, ticket=ticket, status=status, note=note, now=timezone.now())


@outbox.handles("tracker.check")
def check_tracker(message: OutboxMessage) -> outbox.Settle:
    """Try the connection, changing nothing there; the answer is kept for the integrations page."""
    try:
        with tracker() as jira:
            health = jira.check()
    except outbox.NeedsPerson as refusal:
        health = Health(ok=False, sentence=str(refusal))
    return lambda: _do(effects.note_health, health=health, now=timezone.now())


def _do(action: Callable[..., object], **arguments: object) -> None:
    action(**arguments)


@outbox.handles("run.finished")
def take_run(message: OutboxMessage) -> outbox.Settle:
    """Turn a finished run into evidence of the request that asked for it."""
    run = Run.objects.get(pk=message.payload["run_id"])
    request = ReviewRequest.objects.get(ref=run.asked_for)
    return lambda: _do(evidence.take_run, request=request, run=run, now=timezone.now())


@shared_task
def render_packet(packet_id: int) -> None:
    """Draw one packet, if it is due and nobody else has it."""
    packet = Packet.claim(pk=packet_id, now=timezone.now(), lease=outbox.lease() + PRINT_MAX)
    if packet is None:
        return
    with audit.origin("job"):
        page = packet_page(packet)
        html = render_to_string("packets/review.html", page.context)
        try:
            pdf = WeasyPrintPrinter().print(html, assets=page.assets)
        except PrintFailed as failure:
            packets.failed(packet=packet, reason=failure.reason, now=timezone.now())
        else:
            packets.rendered(packet=packet, pdf=pdf, pages=pages_of(pdf), now=timezone.now())


@outbox.on_tick
def age(now: datetime) -> None:
    """Expire and suspend authorisations, let overdue requests lapse, wake workers for packets."""
    authorisations.age(now=now)
    packets.bury(now=now)
    for request in lapsed(now=now):
        with suppress(WrongState):  # somebody acted, or another process was quicker
            requests.lapse(request=request, now=now)
    for packet_id in packets_due(now=now):
        outbox.wake("reviews.tasks.render_packet", packet_id)
