"""No day that a person can enter makes an inbox fail: each is bounded, and the last day of the calendar has an end."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from governance.absences.actions.absences import state_absence
from governance.absences.domain import Period
from governance.findings import actions as findings
from governance.findings.enums import Severity
from governance.findings.models import Finding
from reviews.authorizations.models import Authorization
from reviews.quarterly.actions import meeting
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations
from tests.factories.cycles import decided as a_decision
from tests.factories.cycles import make_held, make_item, met_at
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter
from tests.pages import html_of
from tests.standstill import refused
from weighbridge.core.errors import Invalid

pytestmark = pytest.mark.django_db
Asked = Callable[[date], object]
DAY = timedelta(days=1)


def make_finding(now: datetime, *, due_on: date | None = None, owner: User | None = None) -> Finding:
    sighting = findings.Sighting(
        kind="test", subject="S", text="Look.", severity=Severity.LOW, key="k", due_on=due_on, owner=owner
    )
    return findings.raise_once(sighting=sighting, by=None, now=now)


FAR = [date(9999, 12, 31), date(9999, 12, 30), date(2999, 1, 1)]


@pytest.fixture
def enterable(decided: ReviewRequest, cast: Cast, now: datetime) -> Mapping[str, Asked]:
    """Every action to which a person names a day until which something is owed or lasts."""
    granted, finding = Authorization.objects.get(decision__request=decided), make_finding(now)
    held = make_held(cast=cast, now=now)
    item = make_item(cycle=held, asset=decided.model_version.asset, by=cast.approver, now=met_at(now))
    lead = {"by": cast.approver, "now": met_at(now)}
    return {
        "finding": lambda day: findings.assign(
            finding=finding, owner=cast.author, due_on=day, by=cast.finance, now=now
        ),
        "condition": lambda day: authorizations.add_condition(
            authorization=granted, text="Watch it.", owner=cast.author, due_on=day, by=cast.approver, now=now
        ),
        "action item": lambda day: meeting.decide(item=item, decided=a_decision(cast, now, due_on=day), **lead),
        "absence": lambda day: state_absence(
            person=cast.author, period=Period(now.date(), day), by=cast.author, now=now
        ),
    }


@pytest.mark.parametrize("day", FAR)
@pytest.mark.parametrize("name", ["finding", "condition", "action item", "absence"])
def test_a_day_that_is_too_far_away_is_refused(enterable: Mapping[str, Asked], name: str, day: date) -> None:
    with refused(Invalid):
        enterable[name](day)


def test_a_finding_is_due_within_a_year(cast: Cast, now: datetime) -> None:
    finding, today = make_finding(now), now.date()
    for day, words_of_it in ((today - DAY, "must not be in the past"), (today + 367 * DAY, "within a year from now")):
        with refused(Invalid, match=words_of_it, field="due_on"):
            findings.assign(finding=finding, owner=cast.author, due_on=day, by=cast.finance, now=now)
    for days in (0, 366):
        row = findings.assign(finding=finding, owner=cast.author, due_on=today + days * DAY, by=cast.finance, now=now)
        assert row.due_on == today + days * DAY


def test_the_page_says_why_a_day_is_refused(cast: Cast, now: datetime) -> None:
    finding, client = make_finding(now), enter(cast.finance)
    given = {"owner": "author", "due_on": "9999-12-31"}
    page = client.post(f"/findings/{finding.pk}/assign/", given, follow=True)
    assert "The due date of a finding must lie within a year from now." in html_of(page)
    finding.refresh_from_db()
    assert (finding.owner, finding.due_on) == (None, None)


def test_an_inbox_shows_what_is_due_on_the_last_day_of_the_calendar(cast: Cast, now: datetime) -> None:
    make_finding(now, due_on=date.max, owner=cast.author)
    response = enter(cast.author).get("/")
    assert response.status_code == 200
    (entry,) = response.context["inbox"].entries
    assert entry.ends_at == datetime.max.replace(tzinfo=UTC)
