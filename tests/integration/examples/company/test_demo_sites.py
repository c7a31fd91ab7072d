"""A second demo takes the place of the first one's stand-in, and touches no ticket site of the company."""

from datetime import datetime
from pathlib import Path

import pytest

from examples.company import __main__ as demo
from governance.jobs.models import OutboxMessage
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket, TicketSite
from tests.factories import tickets as made
from tests.standins.jira_cloud import JiraCloud


def test_only_stand_ins_on_this_machine_are_removed(submitted: ReviewRequest, tmp_path: Path, now: datetime) -> None:
    ours = made.make_site(now=now, name="Jira", webhook="w")
    made.make_route(ours, work="action_item")
    old = made.make_routed_site(now=now, name="Earlier", url="http://127.0.0.1:9")
    made.a_site(now)
    before = TicketSite.objects.filter(pk=ours.pk).values().get()
    assert Ticket.objects.get().site == old
    with JiraCloud(project="MR", token=demo.STANDIN_TOKEN) as jira:
        demo.connect_jira(jira.url, tmp_path)
        fresh = TicketSite.objects.exclude(pk__in=[ours.pk, old.pk]).get()
        assert (fresh.base_url, fresh.state) == (jira.url, "active")
        assert Ticket.objects.get().site == fresh, "what waited for the first demo is opened in the second"
        assert OutboxMessage.objects.get(kind="ticket.open").payload["system"] == fresh.pk
    old.refresh_from_db()
    assert old.state == "removed"
    assert (TicketSite.objects.filter(pk=ours.pk).values().get(), ours.routes.count()) == (before, 1)


def test_a_route_of_the_company_for_every_ticket_is_not_replaced(db: None, tmp_path: Path, now: datetime) -> None:
    made.make_routed_site(now=now)
    with JiraCloud(token=demo.STANDIN_TOKEN) as jira, pytest.raises(SystemExit, match="takes exactly these tickets"):
        demo.connect_jira(jira.url, tmp_path)
    assert TicketSite.objects.get().state == "active"
