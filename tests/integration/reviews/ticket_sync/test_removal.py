"""What becomes of tickets and messages when their site is removed, or gets its route while a worker holds them."""

from datetime import datetime

import pytest
from django.test import Client

from governance.audit.models import AuditEvent
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from reviews.packets import actions as packets
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync import tasks
from reviews.ticket_sync.actions import sites
from reviews.ticket_sync.actions.receiving import request_read
from reviews.tickets import actions as effects
from reviews.tickets.models import SiteState, Ticket, TicketSite
from reviews.tickets.queries.sites import waiting_tickets
from tests.factories import tickets as made
from tests.factories.cycles import make_action
from tests.factories.people import Cast
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver
from tests.late_locks import late_locks
from tests.pages import html_of
from tests.standins.jira_cloud import JiraCloud
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def linked(submitted: ReviewRequest, now: datetime) -> Ticket:
    """A ticket that a site has."""
    made.a_site(now)
    OutboxMessage.objects.update(state=JobState.DONE)
    Ticket.objects.update(state="linked", remote_id="1", key="MR-1")
    return Ticket.objects.select_related("site").get()


def removed() -> TicketSite:
    TicketSite.objects.update(state=SiteState.REMOVED, credential=None, webhook_secret=None)
    return TicketSite.objects.get()


def test_a_ticket_of_a_removed_site_is_told_nothing(linked: Ticket, cast: Cast, now: datetime) -> None:
    removed()
    before = OutboxMessage.objects.count()
    ticket = Ticket.objects.get()
    effects.notify_request_ticket(request=ticket.request, occasion="approved", reason="", by=cast.admin, now=now)
    effects.attach_packet(ticket=ticket, packet_id=1, number=7, when="printed", by=None, now=now)
    assert OutboxMessage.objects.count() == before
    assert AuditEvent.objects.get(kind="ticket.not_told").details == {"occasion": "approved"}
    assert AuditEvent.objects.get(kind="ticket.not_attached").details == {"packet": 7}


def test_what_was_queued_as_the_site_was_removed_ends(linked: Ticket, cast: Cast, now: datetime, clock: Clock) -> None:
    packet = packets.freeze(request=linked.request, by=cast.author, now=now)
    effects.attach_packet(ticket=linked, packet_id=packet.pk, number=1, when="x", by=None, now=now)
    effects.notify_ticket(ticket=linked, occasion="approved", reason="", by=None, now=now)
    request_read(ticket=linked, occasion="x", now=now)
    removed()
    done = {row.kind: (row.state, row.error) for row in deliver(clock) if row.kind.startswith("ticket.")}
    assert done == dict.fromkeys(("ticket.attach", "ticket.tell", "ticket.read"), (JobState.DONE, ""))
    for kind in ("ticket.updated", "ticket.attached"):
        assert AuditEvent.objects.get(kind=kind).reason == tasks.SITE_REMOVED


def test_a_site_that_is_gone_for_good_is_removed_with_what_waits(linked: Ticket, cast: Cast, now: datetime) -> None:
    client = Client()
    client.force_login(cast.admin)
    for occasion in ("in_review", "approved"):
        effects.notify_ticket(ticket=linked, occasion=occasion, reason="", by=None, now=now)
    effects.request_test(site=linked.site, occasion="x", by=None, now=now)
    OutboxMessage.objects.filter(kind="ticket.tell").update(state=JobState.PAUSED)
    where = f"/settings/tickets/{linked.site_id}/"
    page = html_of(client.get(where))
    assert "Cancel 2 waiting messages and remove" in page
    assert "wait to be sent to this site: 2." in html_of(client.post(f"{where}remove/", follow=True))
    assert TicketSite.objects.get().state == "active"
    assert "Jira is removed." in html_of(client.post(f"{where}remove/", {"cancel": "1"}, follow=True))
    assert (TicketSite.objects.get().state, Ticket.objects.get().key) == ("removed", "MR-1")
    assert set(OutboxMessage.objects.exclude(state=JobState.DONE).values_list("state", flat=True)) == {"canceled"}
    canceled = AuditEvent.objects.get(kind="ticket_site.messages_canceled")
    assert (canceled.actor, canceled.details) == ("Admin", {"canceled": 3, "unopened": 0})
    assert AuditEvent.objects.get(kind="ticket_site.removed").details == {"canceled": 3}


def test_what_waits_is_locked_before_the_removal_is_recorded(
    submitted: ReviewRequest, cast: Cast, now: datetime
) -> None:
    """Two tickets: one that loses its site, and one that had none and gets it of the other, in one call."""
    make_action(cast=cast, now=now, asset=submitted.model_version.asset)
    gone = made.make_site(now=now)
    made.make_route(gone, work="review")
    effects.route_waiting(now=now)
    left = made.make_site(now=now, name="Left")
    made.make_route(left)
    for occasion in ("evidence", "approved"):
        effects.notify_request_ticket(request=submitted, occasion=occasion, reason="", by=None, now=now)
    with late_locks() as late:
        sites.remove_site(site=gone, cancels_waiting=True, by=cast.admin, now=now)
    assert late == []
    assert set(Ticket.objects.values_list("site__name", flat=True)) == {"Left"}


def test_one_waiting_message_is_one(linked: Ticket, cast: Cast, now: datetime) -> None:
    effects.notify_ticket(ticket=linked, occasion="approved", reason="", by=None, now=now)
    client = Client()
    client.force_login(cast.admin)
    page = html_of(client.get(f"/settings/tickets/{linked.site_id}/"))
    assert "Cancel 1 waiting message and remove" in page
    assert "1 message waits to be sent" in page


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.QUEUED, JobState.CLAIMED, JobState.DEAD])
def test_a_ticket_that_is_not_opened_outlives_its_site(
    submitted: ReviewRequest, jira: JiraCloud, now: datetime, clock: Clock, state: str
) -> None:
    gone = made.a_site(now)
    effects.notify_request_ticket(request=submitted, occasion="evidence", reason="", by=None, now=now)
    opening = OutboxMessage.objects.get(kind="ticket.open")
    noted = {"reach": "channel", "asks": 1, "asked_at": now.isoformat()}
    OutboxMessage.objects.filter(pk=opening.pk).update(state=state, payload=opening.payload | noted, lease_until=now)
    Ticket.objects.update(state="uncertain")
    with pytest.raises(WrongState):
        sites.remove_site(site=gone, by=None, now=now)
    sites.remove_site(site=gone, cancels_waiting=True, by=None, now=now)
    assert AuditEvent.objects.get(kind="ticket_site.messages_canceled").details == {"canceled": 0, "unopened": 1}
    ticket = Ticket.objects.get()
    assert (ticket.site, ticket.route, ticket.state, waiting_tickets(gone)) == (None, None, "waiting", 0)
    assert not outbox.jobs.renew(row=opening, now=now), "a worker that holds it loses it"
    assert {row.error for row in deliver(clock)} == {tasks.NO_SITE}
    fresh = made.site_at(jira, now=now)
    effects.route_waiting(now=clock.now())
    assert {row.state for row in deliver(clock)} == {JobState.DONE}
    assert (Ticket.objects.get().site, len(jira.issues.issues)) == (fresh, 1)


def test_a_message_that_a_worker_held_while_its_ticket_got_a_site_is_let_go(
    submitted: ReviewRequest, jira: JiraCloud, now: datetime, clock: Clock
) -> None:
    OutboxMessage.objects.update(state=JobState.CLAIMED, lease_until=now)
    site = made.site_at(jira, now=now)
    assert effects.route_waiting(now=now) == 1
    OutboxMessage.objects.update(state=JobState.PAUSED, lease_until=None, error=tasks.NO_SITE)
    assert deliver(clock) == []
    for _ in range(2):
        tasks.probe_sites(clock.now())
    message = OutboxMessage.objects.get()
    assert (message.state, message.payload["system"]) == (JobState.QUEUED, site.pk)
    assert [row.state for row in deliver(clock)] == [JobState.DONE]
    tasks.probe_sites(clock.now())
    assert OutboxMessage.objects.get().state == JobState.DONE


def test_a_ticket_that_missed_a_new_route_takes_it_at_the_next_tick(submitted: ReviewRequest, now: datetime) -> None:
    site = made.make_routed_site(now=now)
    tasks.probe_sites(now)
    assert Ticket.objects.get().site == site
