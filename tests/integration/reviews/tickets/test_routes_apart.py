"""What one route of a site meets stops no other, and tickets that no route takes cost a tick nothing."""

from collections.abc import Mapping
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from reviews.quarterly.models import AgendaItem
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync import tasks
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket, TicketRoute, TicketSite
from reviews.tickets.ports import (
    SIGN_IN,
    CheckStep,
    CredentialRefused,
    FailureReach,
    Misconfigured,
    RateLimited,
    TrackerError,
    TrackerHealth,
)
from reviews.tickets.queries.sites import routable, routed_subject
from tests.factories import requests as walks
from tests.factories import tickets as made
from tests.factories.cycles import make_action
from tests.factories.people import Cast
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver
from tests.standins.memory_tracker import MemoryTracker

pytestmark = pytest.mark.usefixtures("clock")
SIGNED_IN = CheckStep(SIGN_IN, ok=True, sentence="Jira accepts the credential of Bot.")
NO_PROJECT = CheckStep("Project", ok=False, sentence="There is no project MR.")
BROKEN = TrackerHealth(ok=False, sentence=NO_PROJECT.sentence, account="Bot", steps=(SIGNED_IN, NO_PROJECT))


class Twin(MemoryTracker):
    """A project of the site."""

    def close(self) -> None:
        pass

    @property
    def creations(self) -> int:
        return self.calls.count("open")


@pytest.fixture
def projects(submitted: ReviewRequest, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Twin]:
    """Reviews go to project MR, whose two tickets wait, and action items to project ACT, where one waits."""
    twins = {"MR": Twin(), "ACT": Twin()}
    monkeypatch.setattr(tasks, "JiraReader", lambda chosen, clock: twins[chosen.project])
    walks.make_submitted(by=cast.author, now=now, version=submitted.model_version, purpose="Another")
    make_action(cast=cast, now=now, asset=submitted.model_version.asset)
    site = made.make_site(now=now)
    made.make_route(site)
    made.make_route(site, project="ACT", work="action_item")
    assert effects.route_waiting(now=now) == 3
    return twins


def opened(projects: Mapping[str, Twin]) -> dict[str, int]:
    return {name: len(twin.tickets) for name, twin in projects.items()}


def paused() -> int:
    return OutboxMessage.objects.filter(kind="ticket.open", state=JobState.PAUSED).count()


def checked(clock: Clock) -> TicketSite:
    effects.request_test(site=TicketSite.objects.get(), occasion=str(clock.now()), by=None, now=clock.now())
    deliver(clock)
    deliver(clock, after_s=60)
    return TicketSite.objects.get()


def test_a_refusal_of_one_project_stops_no_other(projects: dict[str, Twin], clock: Clock) -> None:
    refusal = Misconfigured("project: valid project is required", reach=FailureReach.ALIKE)
    projects["MR"].fail_next(refusal, times=2)
    projects["MR"].health = BROKEN
    deliver(clock)
    assert (opened(projects), paused()) == ({"MR": 0, "ACT": 1}, 2)
    assert projects["MR"].calls == ["find"], "the second one is not sent"
    site = checked(clock)
    assert (site.is_ok, paused(), projects["MR"].calls) == (False, 2, ["find", "check"])


def test_a_good_credential_resumes_the_routes_that_work(projects: dict[str, Twin], clock: Clock) -> None:
    projects["MR"].fail_next(CredentialRefused("The token is wrong."))
    projects["MR"].health = BROKEN
    deliver(clock)
    assert (opened(projects), paused()) == ({"MR": 0, "ACT": 0}, 3)
    site = checked(clock)
    assert (opened(projects), paused(), site.is_ok) == ({"MR": 0, "ACT": 1}, 2, False)
    assert [step["sentence"] for step in site.steps if not step["ok"]] == [NO_PROJECT.sentence]
    assert AuditEvent.objects.get(kind="tracker.resumed").details == {"count": 1}
    projects["MR"].health = projects["ACT"].health
    assert checked(clock).is_ok
    assert (opened(projects), paused()) == ({"MR": 2, "ACT": 1}, 0)


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        (TrackerHealth.failed(SIGN_IN, "The token is wrong."), "The token is wrong."),
        (TrackerHealth(ok=False, sentence="Slow down.", retry_after_s=9, steps=(SIGNED_IN,)), "Slow down."),
    ],
)
def test_what_every_route_would_meet_ends_the_test(
    projects: dict[str, Twin], health: TrackerHealth, sentence: str
) -> None:
    projects["MR"].health = health
    found = tasks.health_of(TicketSite.objects.get())
    assert (found.ok, found.sentence, found.retry_after_s) == (False, sentence, health.retry_after_s)
    assert set(found.broken) == set(TicketRoute.objects.values_list("pk", flat=True))
    assert projects["ACT"].calls == []


def test_a_limit_that_a_later_route_meets_counts(projects: dict[str, Twin]) -> None:
    projects["MR"].health = BROKEN
    projects["ACT"].health = TrackerHealth(ok=False, sentence="Slow down.", retry_after_s=9, steps=(SIGNED_IN,))
    found = tasks.health_of(TicketSite.objects.get())
    assert (found.sentence, found.retry_after_s) == ("Slow down.", 9)


@pytest.mark.parametrize("failure", [RateLimited("Slow down.", retry_after_s=9), Misconfigured("Wrong address.")])
def test_what_concerns_the_site_still_stops_every_route(
    projects: dict[str, Twin], clock: Clock, failure: TrackerError
) -> None:
    projects["MR"].fail_next(failure)
    deliver(clock)
    assert (opened(projects), projects["ACT"].calls) == ({"MR": 0, "ACT": 0}, [])


def test_tickets_that_no_route_takes_cost_a_tick_the_same(
    submitted: ReviewRequest, cast: Cast, team: Team, now: datetime
) -> None:
    made.make_route(made.make_site(now=now), work="action_item")
    counts = []
    for number in range(2):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert effects.route_waiting(now=now) == 0
        counts.append(len(asked))
        for each in range(3):
            purpose = f"Purpose {number} {each}"
            walks.make_submitted(by=cast.author, now=now, version=submitted.model_version, purpose=purpose)
    assert counts[0] == counts[1] <= 5


def test_one_tick_routes_some_and_the_next_the_others(
    submitted: ReviewRequest, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "ROUTED_MAX", 2)
    for number in range(2):
        walks.make_submitted(by=cast.author, now=now, version=submitted.model_version, purpose=f"Purpose {number}")
    made.make_routed_site(now=now)
    assert [effects.route_waiting(now=now) for _ in range(3)] == [2, 1, 0]


def test_the_database_picks_what_a_route_covers(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    own, other = submitted.team, Team.objects.create(slug="other", name="Other")
    make_action(cast=cast, now=now, asset=submitted.model_version.asset)
    tickets = {ticket.pk: ticket for ticket in Ticket.objects.all()}
    assert len(tickets) == 2
    site = made.make_site(now=now)
    for about in ({"asset": submitted.model_version.asset}, {"request": submitted, "asset": None}, {"team": other}):
        AgendaItem.objects.update(**{"asset": None, "request": None, "team": None} | about)
        for team in (None, own, other):
            for kind in ("", submitted.model_version.kind, "container"):
                for work in ("", "review", "action_item"):
                    route = TicketRoute(site=site, team=team, subject_kind=kind, work=work)
                    found = {ticket.pk for ticket in routable([route])}
                    rows = Ticket.objects.all()
                    assert found == {row.pk for row in rows if route.scope.covers(routed_subject(row))}, route.scope
    assert list(routable([])) == []
