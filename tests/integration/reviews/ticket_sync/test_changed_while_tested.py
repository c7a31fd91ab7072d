"""The result of a connection test counts only for the site and the routes that were tested."""

from collections.abc import Callable
from datetime import datetime

import pytest

from governance import secrets
from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync import tasks
from reviews.ticket_sync.actions import routes, sites
from reviews.ticket_sync.queries import asking
from reviews.tickets import actions as effects
from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.models import SiteState, TicketRoute, TicketSite
from reviews.tickets.ports import TrackerHealth
from tests.factories import tickets as made
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, words
from tests.integration.reviews.ticket_sync.audited import CREDENTIAL, GOOD, SERVER, SPEC
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver, states
from tests.standins.memory_tracker import MemoryTracker
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.usefixtures("clock", "db")
Change = Callable[[TicketSite, datetime], object]


class Twin(MemoryTracker):
    """A tracker at which something else happens while it is tested."""

    def __init__(self) -> None:
        super().__init__()
        self.health, self.meanwhile = GOOD, lambda: None

    def check(self) -> TrackerHealth:
        self.meanwhile()
        self.meanwhile = lambda: None
        return super().check()

    def close(self) -> None:
        pass

    @property
    def tests(self) -> int:
        return self.calls.count("check")


@pytest.fixture
def jira(monkeypatch: pytest.MonkeyPatch) -> Twin:
    twin = Twin()
    monkeypatch.setattr(tasks, "JiraReader", lambda chosen, clock: twin)
    monkeypatch.setattr(asking, "JiraCatalog", lambda chosen, clock: twin)
    return twin


def first(site: TicketSite) -> TicketRoute:
    return site.routes.earliest("pk")


def other_credential(site: TicketSite, now: datetime) -> None:
    sites.store_credential(site=site, **CREDENTIAL, health=GOOD, by=None, now=now)
    TicketSite.objects.filter(pk=site.pk).update(is_ok=None)


CHANGES: dict[str, Change] = {
    "a route is added": lambda site, now: routes.add_route(
        site=site, spec=routes.RouteSpec(project="VIS", issue_type="Bug", work="review"), by=None, now=now
    ),
    "a route leads elsewhere": lambda site, now: routes.change_route(
        route=first(site), spec=routes.RouteSpec(project="VIS", issue_type="Bug"), by=None, now=now
    ),
    "a field is mapped": lambda site, now: routes.map_fields(
        route=first(site),
        field_map={"tier": FieldTarget("customfield_1", FieldKind.TEXT)},
        fields={"priority": {"name": "High"}, "share": 0.5},
        by=None,
        now=now,
    ),
    "a status is mapped": lambda site, now: routes.map_statuses(
        route=first(site), statuses={"approved": "Shipped"}, moves={}, by=None, now=now
    ),
    "the route is removed": lambda site, now: routes.remove_route(route=first(site), by=None, now=now),
    "another credential is stored": other_credential,
    "the address changes": lambda site, now: sites.change_site(
        site=site, name=site.name, url="https://other.test", server=SERVER, by=None, now=now
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_meanwhile_voids_the_result(
    jira: Twin, cast: Cast, clock: Clock, now: datetime, change: Change
) -> None:
    site = made.make_routed_site(now=now, state=SiteState.SETUP, is_ok=None)
    jira.meanwhile = lambda: change(TicketSite.objects.get(), now)
    effects.request_test(site=site, occasion="x", by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE]
    site.refresh_from_db()
    assert (site.is_ok, [step["sentence"] for step in site.steps]) == (None, [effects.CHANGED])
    event = AuditEvent.objects.filter(kind="tracker.checked").last()
    assert event.details == {"ok": False, "sentence": effects.CHANGED, "account": GOOD.account}
    page = words(enter(cast.admin).get(f"/settings/tickets/{site.pk}/"))
    assert effects.CHANGED in page
    with pytest.raises(WrongState):
        sites.activate_site(site=site, by=cast.admin, now=now)


def test_the_next_test_counts(jira: Twin, cast: Cast, clock: Clock, now: datetime) -> None:
    site = made.make_routed_site(now=now, state=SiteState.SETUP, is_ok=None)
    jira.meanwhile = lambda: CHANGES["a field is mapped"](site, now)
    for occasion, is_ok in (("x", None), ("y", True)):
        effects.request_test(site=site, occasion=occasion, by=cast.admin, now=clock.now())
        deliver(clock)
        site.refresh_from_db()
        assert site.is_ok is is_ok
    assert jira.tests == 2
    assert sites.activate_site(site=site, by=cast.admin, now=now).state == SiteState.ACTIVE


def test_what_a_test_does_not_depend_on_voids_nothing(jira: Twin, cast: Cast, clock: Clock, now: datetime) -> None:
    site = made.make_routed_site(now=now)
    other = made.make_site(now=now, name="Other")

    def meanwhile() -> None:
        sites.set_options(site=site, settle_s=60, comparison="never", by=None, now=now)
        made.make_route(other, work="action_item")

    jira.meanwhile = meanwhile
    effects.request_test(site=site, occasion="x", by=cast.admin, now=clock.now())
    deliver(clock)
    site.refresh_from_db()
    assert (site.is_ok, site.settle_s) == (True, 60)


def test_a_void_result_resumes_nothing(
    submitted: ReviewRequest, jira: Twin, cast: Cast, clock: Clock, now: datetime
) -> None:
    site = made.a_site(now)
    OutboxMessage.objects.filter(kind="ticket.open").update(state=JobState.PAUSED, error="The token is wrong.")
    jira.meanwhile = lambda: CHANGES["a status is mapped"](site, now)
    effects.request_test(site=site, occasion="x", by=cast.admin, now=clock.now())
    deliver(clock)
    assert OutboxMessage.objects.get(kind="ticket.open").state == JobState.PAUSED
    site.refresh_from_db()
    assert (site.state, site.is_ok) == (SiteState.ACTIVE, None)


def test_the_test_before_the_activation_counts_alike(jira: Twin, cast: Cast, now: datetime) -> None:
    site = made.make_routed_site(now=now, state=SiteState.SETUP, is_ok=None)
    jira.meanwhile = lambda: CHANGES["a field is mapped"](site, now)
    browser = enter(cast.admin)
    browser.post(f"/settings/tickets/{site.pk}/activate/")
    site.refresh_from_db()
    assert (site.state, site.is_ok) == (SiteState.SETUP, None)
    browser.post(f"/settings/tickets/{site.pk}/activate/")
    site.refresh_from_db()
    assert (site.state, site.is_ok) == (SiteState.ACTIVE, True)


def test_a_credential_that_was_tested_with_other_routes_is_stored_untested(
    jira: Twin, cast: Cast, now: datetime
) -> None:
    site = made.make_routed_site(now=now, state=SiteState.SETUP, is_ok=None)
    health = asking.connection_health(site, account="bot@example.org", given="a-token-0123")
    stored = sites.store_credential(site=site, **CREDENTIAL, health=health, by=cast.admin, now=now)
    assert stored.is_ok is True
    routes.change_route(route=first(site), spec=SPEC, by=None, now=now)
    CHANGES["a field is mapped"](site, now)
    stored = sites.store_credential(site=site, **CREDENTIAL, health=health, by=cast.admin, now=now)
    assert (stored.is_ok, secrets.decrypt(stored.credential)) == (None, CREDENTIAL["credential"])
