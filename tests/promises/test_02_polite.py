"""Promise 2, the other half: Jira is never asked before the time it names, never in vain, and never twice where once
will do.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3.util.retry
from django.test import Client
from pytest_django import Settings

from governance.audit.models import AuditEvent
from governance.jobs import outbox, ticks
from governance.jobs.models import OutboxMessage
from governance.operations import actions as operations
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket, TicketSite
from tests.promises import harness_report, tickets
from tests.promises.tickets import CREATE, LONG, NO_FAULTS, World, states

pytestmark = pytest.mark.django_db(transaction=True)

TICKETS = 30 if LONG else 4


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[World]:
    with tickets.world(monkeypatch, settings, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(self: object, *arguments: object) -> None:
        raise AssertionError("A worker slept instead of giving the message back.")

    monkeypatch.setattr(urllib3.util.retry.Retry, "sleep", sleep)
    monkeypatch.setattr("time.sleep", sleep)


def asked(world: World, since: int = 0) -> list[str]:
    """The API requests since the given number of them, as "METHOD path status"."""
    return [line.replace("/rest/api/3/", "") for line in world.jira.site.log[since:]]


def refusal(world: World, form: str) -> dict[str, Any]:
    """A 429 that names 90 seconds, in one of four forms."""
    until = world.clock() + timedelta(seconds=90)
    forms: dict[str, dict[str, Any]] = {
        "seconds": {"retry_after": "90"},
        "date": {"retry_after": format_datetime(until, usegmt=True)},
        "reset": {"headers": {"X-RateLimit-Reset": until.isoformat()}},
        "absent": {},
    }
    return {"status": 429} | forms[form]


FORMS = ("seconds", "date", "reset", "absent")
PLACES = (CREATE, "GET .*/serverInfo", "GET .*/issue/10001$", "POST .*/remotelink")
LIMITED = list(itertools.product(FORMS, PLACES)) if LONG else [*zip(FORMS, PLACES, strict=True), ("absent", PLACES[2])]


@pytest.mark.parametrize(("form", "at"), LIMITED)
def test_nothing_is_asked_before_the_time_named(world: World, form: str, at: str) -> None:
    for _ in range(TICKETS):
        world.submit()
    world.jira.order(at, **refusal(world, form))
    world.deliver_due()
    limited_s = [moment_s for moment_s, _ in world.jira.site.arrivals]
    world.settle()
    assert world.jira.site.manners.too_early == []
    later_s = [moment_s for moment_s, _ in world.jira.site.arrivals[len(limited_s) :]]
    assert min(later_s) - max(limited_s) >= (5 if form == "absent" else 89)
    assert world.faults() == NO_FAULTS
    assert set(states()) == {"done"}
    counts = {"requests": len(world.jira.site.arrivals), "tickets": len(world.jira.issues.issues)}
    counts |= {"too_early": len(world.jira.site.manners.too_early)} | {
        name: len(found) for name, found in world.faults().items()
    }
    harness_report.tell("polite", __file__, what=f"{form}, to {at.replace('.*/', '').removesuffix('$')}", **counts)


def test_a_429_stops_everything_after_one_request(world: World) -> None:
    for _ in range(TICKETS):
        world.submit()
    world.jira.order("GET .*/serverInfo", **refusal(world, "seconds"), times=-1)
    for _ in range(10):
        world.deliver_due()
    assert asked(world) == ["GET serverInfo 429"]
    operations.request_check(by=world.admin, now=world.clock())
    world.deliver_due()
    assert asked(world) == ["GET serverInfo 429"], "a test of the connection waits too"


def test_a_test_of_the_connection_that_is_asked_to_wait_waits(world: World) -> None:
    operations.request_check(by=world.admin, now=world.clock())
    world.jira.order("GET .*/myself", **refusal(world, "seconds"))
    world.deliver_due()
    world.submit()
    world.settle()
    assert world.jira.site.manners.too_early == []
    assert AuditEvent.objects.get(kind="tracker.checked").details["ok"]
    assert world.faults() == NO_FAULTS


def test_one_ticket_that_takes_no_more_holds_up_nobody_else(world: World) -> None:
    """The limit of writes per issue concerns its lane alone."""
    busy, other = world.submit(), world.submit()
    world.settle()
    limits = world.jira.site.limits
    while limits.wait_s(Ticket.objects.get(request=busy).remote_id, now_s=world.clock.seconds()) == 0:
        pass
    world.tell(busy, "evidence", "Measured.")
    world.deliver_due()
    world.tell(other, "evidence", "Measured.")
    world.deliver_due()
    assert (len(world.comments(busy)), len(world.comments(other))) == (0, 1)
    world.settle()
    assert len(world.comments(busy)) == 1
    assert world.jira.site.manners.too_early == []


def test_what_waits_together_is_said_together(world: World) -> None:
    request = world.submit()
    world.settle()
    before = len(asked(world))
    for number in range(outbox.TOGETHER_MAX + 5):
        world.tell(request, "in_review" if number % 2 else "changes_requested", f"Reason {number};")
    world.settle()
    writes = [line for line in asked(world, before) if line.startswith("POST")]
    assert writes == [
        "POST issue/10001/comment 201",
        "POST issue/10001/transitions 204",
        "POST issue/10001/comment 201",
    ]
    said = "".join(world.comments(request))
    assert [said.count(f"Reason {number};") for number in range(25)] == [1] * 25
    assert set(states()) == {"done"}
    assert Ticket.objects.get().status == "In Progress"


@pytest.mark.parametrize("death", [tickets.die_before_post, tickets.die_after_post])
def test_a_worker_killed_while_saying_much_at_once_says_it_once(world: World, death: Any) -> None:
    request = world.submit()
    world.settle()
    for number in range(3):
        world.tell(request, "evidence", f"Reason {number};")
    head = world.head(request)

    def work() -> None:
        death()
        world.deliver(head)

    assert tickets.forked(work) == [-9]
    for number in range(3, 5):  # what comes in between is not taken for said
        world.tell(request, "evidence", f"Reason {number};")
    world.settle()
    said = world.comments(request)
    assert len(said) == 2
    assert ["".join(said).count(f"Reason {number};") for number in range(5)] == [1] * 5


def test_a_wrong_token_is_one_request_and_a_good_one_sets_everything_going(world: World, client: Client) -> None:
    for _ in range(TICKETS):
        world.submit()
    world.jira.config.token = "renewed"
    for _ in range(5):
        world.deliver_due()
        world.clock.move(minutes=1)
    assert [line for line in asked(world) if line.endswith("401")] == ["POST search/jql 401"]
    assert states() == {"paused": TICKETS}
    reasons = set(OutboxMessage.objects.values_list("error", flat=True))
    assert len(reasons) == 1
    assert "does not accept the account bot@example.com or its token" in reasons.pop()

    before = len(asked(world))
    operations.resume_all(by=world.admin, now=world.clock())
    for _ in range(5):
        world.deliver_due()
        world.clock.move(minutes=1)
    assert [line for line in asked(world, before) if line.endswith("401")] == ["POST search/jql 401"]
    assert states() == {"paused": TICKETS}

    client.force_login(world.admin)
    page = client.get("/integrations/").content.decode()
    assert f"<strong>{TICKETS} messages: ticket.open</strong>" in page
    world.jira.config.token = "standin-token"
    operations.request_check(by=world.admin, now=world.clock())
    world.settle()
    assert world.faults() == NO_FAULTS
    resumed = AuditEvent.objects.get(kind="tracker.resumed")
    assert (resumed.details, resumed.actor_id) == ({"count": TICKETS}, str(world.admin.pk))


def test_a_token_nobody_renews_over_a_weekend_is_tried_a_few_times(world: World) -> None:
    world.submit()
    world.jira.config.token = "renewed"
    world.deliver_due()
    for _ in range(12 * 60 if LONG else 4 * 60):
        world.clock.move(minutes=5 if LONG else 15)
        effects.probe_tracker(site=world.site, now=world.clock())
        effects.probe_tracker(site=world.site, now=world.clock())
        world.deliver_due()
    refused_s = [
        s for (s, _), line in zip(world.jira.site.arrivals, world.jira.site.log, strict=True) if line.endswith("401")
    ]
    waits_s = [later - earlier for earlier, later in itertools.pairwise(refused_s)]
    assert len(refused_s) < 25
    assert min(waits_s[1:]) >= 300
    assert max(waits_s) <= 6 * 3600 + 900
    world.jira.config.token = "standin-token"
    world.clock.move(hours=7)
    assert effects.probe_tracker(site=world.site, now=world.clock()) is not None
    assert effects.probe_tracker(site=world.site, now=world.clock()) is None, "one is under way"
    world.settle()
    assert effects.probe_tracker(site=world.site, now=world.clock()) is None, "nothing is paused"
    assert world.faults() == NO_FAULTS


def test_an_outage_of_hours_is_one_request_now_and_then_and_kills_nothing(world: World) -> None:
    for _ in range(TICKETS):
        world.submit()
    world.jira.order("GET", status=503, times=-1)
    while world.clock() < tickets.BEGIN + timedelta(hours=24 if LONG else 3):
        world.step()
        world.deliver_due()
    hours = (world.clock() - tickets.BEGIN).total_seconds() / 3600
    assert len(asked(world)) <= 12 * hours + 10
    assert states() == {"queued": TICKETS}
    world.jira.site.faults.clear()
    world.settle()
    assert world.faults() == NO_FAULTS
    assert set(states()) == {"done"}


def test_a_good_test_of_the_connection_ends_an_outage_at_once(world: World) -> None:
    for _ in range(TICKETS):
        world.submit()
    world.jira.order("GET", status=503, times=8)
    for _ in range(8):
        world.step()
        world.deliver_due()
    assert len(asked(world)) == 8
    began = world.clock()
    operations.request_check(by=world.admin, now=world.clock())
    world.settle()
    assert (world.clock() - began).total_seconds() < 20
    assert world.faults() == NO_FAULTS


SETUPS = [
    ({"required": ["summary", "customfield_10020"]}, "customfield_10020: Cost center is required", "POST issue 400"),
    ({"screen": {"summary": "Summary"}}, "add the field Labels", "POST issue 400"),
    ({"project": "ELSEWHERE"}, "project: valid project is required", "POST issue 400"),
]


@pytest.mark.parametrize(("site", "words", "refused"), SETUPS)
def test_a_wrong_set_up_is_told_after_one_creation(
    world: World, site: dict[str, Any], words: str, refused: str
) -> None:
    good = {name: getattr(world.jira.config, name) for name in site}
    for _ in range(TICKETS):
        world.submit()
    for name, value in site.items():
        setattr(world.jira.config, name, value)
    for _ in range(5):
        world.deliver_due()
        world.clock.move(minutes=1)
    assert [line for line in asked(world) if line.startswith("POST issue")] == [refused]
    assert states() == {"paused": TICKETS}
    assert words in OutboxMessage.objects.filter(state="paused").first().error
    operations.request_check(by=world.admin, now=world.clock())
    world.deliver_due()  # the request to test every site
    world.deliver_due()
    assert not AuditEvent.objects.get(kind="tracker.checked").details["ok"]
    assert states() == {"paused": TICKETS}
    for name, value in good.items():
        setattr(world.jira.config, name, value)
    world.clock.move(minutes=1)
    operations.request_check(by=world.admin, now=world.clock())
    world.settle()
    assert world.faults() == NO_FAULTS


@pytest.mark.parametrize(
    ("status", "words"), [(403, "may not open the ticket"), (404, "Check the address of the site")]
)
def test_a_refusal_by_status_pauses_its_kind(world: World, status: int, words: str) -> None:
    for _ in range(TICKETS):
        world.submit()
    world.jira.order(CREATE, status=status, times=-1)
    for _ in range(5):
        world.deliver_due()
        world.clock.move(minutes=1)
    assert [line for line in asked(world) if line.startswith("POST issue")] == [f"POST issue {status}"]
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"paused"}
    assert words in OutboxMessage.objects.first().error


def test_one_ticket_that_jira_will_not_have_ends_up_alone(world: World) -> None:
    """The connection is fine and yet this one is refused: after a good test it stands in nobody's way."""
    odd = world.submit()
    others = [world.submit() for _ in range(TICKETS)]
    world.jira.order(CREATE, status=400, body={"errors": {"summary": "Too odd."}})
    world.deliver(world.head(odd))
    world.deliver_due()
    assert states() == {"paused": TICKETS + 1}
    operations.request_check(by=world.admin, now=world.clock())
    for _ in range(3):  # the request to test every site, the test of the site, the tickets
        world.deliver_due()
    assert Ticket.objects.filter(request__in=others, state="linked").count() == TICKETS
    world.jira.order(CREATE, status=400, body={"errors": {"summary": "Too odd."}})
    world.settle()
    assert states() == {"done": TICKETS, "paused": 1}
    world.submit()
    world.settle()
    assert states() == {"done": TICKETS + 1, "paused": 1}
    operations.retry(message=world.head(odd), by=world.admin, now=world.clock())
    world.settle()
    assert world.faults() == NO_FAULTS


def test_a_label_that_is_not_kept_is_told_and_no_twin_is_opened(world: World) -> None:
    first, _ = world.submit(), world.submit()
    world.jira.order(CREATE, strip_labels=True, times=1)
    world.deliver(world.head(first))
    world.deliver_due()
    assert len(world.jira.issues.issues) == 1
    assert states() == {"paused": 2}
    assert "did not store its label" in OutboxMessage.objects.first().error
    operations.request_check(by=world.admin, now=world.clock())
    world.settle()
    assert len(world.jira.issues.issues) == 2
    assert {ticket.key for ticket in Ticket.objects.all()} == {"MR-1", "MR-2"}


def test_tickets_that_waited_for_a_site_are_opened_once_there_is_one(world: World) -> None:
    TicketSite.objects.update(state="setup")
    world.submit()
    world.submit()
    world.deliver_due()
    assert states() == {"paused": 2}
    ticks.tick(now=world.clock())
    assert not OutboxMessage.objects.filter(kind="tracker.check").exists()
    TicketSite.objects.update(state="active")
    assert effects.route_waiting(now=world.clock()) == 2
    world.settle()
    assert world.faults() == NO_FAULTS


def test_what_a_killed_worker_left_waits_like_the_rest(world: World) -> None:
    left, limited = world.head(world.submit()), world.head(world.submit())
    assert OutboxMessage.claim(pk=left.pk, now=world.clock(), lease=timedelta(seconds=1)) is not None
    world.clock.move(seconds=2)
    world.jira.order("GET .*/serverInfo", **refusal(world, "seconds"))
    world.deliver(limited)
    for _ in range(5):
        world.deliver(left)
    assert asked(world) == ["GET serverInfo 429"]
    left.refresh_from_db()
    assert (left.state, left.attempts) == ("claimed", 1)
    world.settle()
    assert world.jira.site.manners.too_early == []
    assert world.faults() == NO_FAULTS


def test_two_that_met_the_limit_at_once_do_not_wait_for_each_other(world: World) -> None:
    older, younger = world.head(world.submit()), world.head(world.submit())
    for message, seconds in ((younger, 1), (older, 50)):
        payload = message.payload | {"reach": "channel", "told": True}
        until = world.clock() + timedelta(seconds=seconds)
        OutboxMessage.objects.filter(pk=message.pk).update(payload=payload, next_attempt_at=until, attempts=1)
    world.settle()
    assert world.faults() == NO_FAULTS
    opened = [issue["fields"]["labels"][0][-4:] for issue in world.jira.issues.issues]
    assert opened == ["0001", "0002"]
