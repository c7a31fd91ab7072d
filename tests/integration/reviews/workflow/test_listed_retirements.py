"""Retirements that the price book lists: one finding and one draft, until somebody announces them."""

import dataclasses
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from benchmarking.prices.queries import price_book
from governance.findings.models import Finding
from governance.inventory.domain.retirement import Announcement
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization, ReReview
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import breaches, retirements
from reviews.workflow.queries import listed_retirements
from tests.factories.people import Cast
from tests.integration.reviews.workflow.test_price_changes import SKU, managed
from weighbridge.costs.prices.price import Retirement

__all__ = ["managed"]
List = Callable[[date | None], None]


@pytest.fixture
def retires(monkeypatch: pytest.MonkeyPatch) -> List:
    """Let the price book retire the model on a day, or never."""

    def listed(day: date | None) -> None:
        found = {} if day is None else {SKU: Retirement(on=day, source="a list of prices", successor="gpt-5.6-luna")}
        monkeypatch.setattr(
            listed_retirements, "price_book", lambda on: dataclasses.replace(price_book(on), retirements=found)
        )

    return listed


def test_a_listed_retirement_raises_one_finding_and_one_draft_from_ninety_days_on(
    cast: Cast, managed: ReviewRequest, retires: List, now: datetime
) -> None:
    retires(now.date() + timedelta(days=91))
    assert breaches.detect_breaches(now=now) == []
    (finding,) = breaches.detect_breaches(now=now + timedelta(days=1))
    row = Authorization.objects.get()
    assert (finding.kind, finding.severity) == ("model.retirement_unannounced", "high")
    assert (
        f"(a list of prices). Nobody announced it here, so that the gate would allow {row.number} beyond that day"
        in finding.text
    )
    assert "gpt-5.6-luna" in finding.text
    assert ReReview.objects.get().request.title == f"Again: {managed.title}"
    assert breaches.detect_breaches(now=now + timedelta(days=2)) == []
    late = now + timedelta(days=92)
    person = person_of(cast.auditor)
    assert gate.decide(digest=row.subject_digest, environment="prod", person=person, now=late).answer == "allow"


def announce(request: ReviewRequest, day: date, cast: Cast, now: datetime) -> None:
    announcement, why = Announcement(retires_on=day, source="deprecations page"), "Its page says so."
    retirements.announce(version=request.model_version, announcement=announcement, reason=why, by=cast.author, now=now)


@pytest.mark.parametrize("how", ["announced", "listed no longer"])
def test_the_finding_is_closed_when_it_applies_no_longer(
    cast: Cast, managed: ReviewRequest, retires: List, now: datetime, how: str
) -> None:
    day = now.date() + timedelta(days=60)
    retires(day)
    (finding,) = breaches.detect_breaches(now=now)
    if how == "announced":
        announce(managed, day, cast, now)
    else:
        retires(None)
    assert breaches.detect_breaches(now=now) == []
    finding.refresh_from_db()
    assert finding.state == "closed"
    assert "was announced, the price book lists it no longer" in finding.closing_note


@pytest.mark.usefixtures("managed")
def test_a_sooner_day_than_the_announced_one_is_a_finding(
    cast: Cast, managed: ReviewRequest, retires: List, now: datetime
) -> None:
    announce(managed, now.date() + timedelta(days=80), cast, now)
    retires(now.date() + timedelta(days=80))
    assert breaches.detect_breaches(now=now) == []
    retires(now.date() + timedelta(days=70))
    assert [row.kind for row in breaches.detect_breaches(now=now)] == ["model.retirement_unannounced"]
    assert Finding.objects.filter(kind="model.retirement_unannounced").count() == 1


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize(("hours", "found"), [(0, 0), (1, 1)])
def test_an_authorization_that_ends_by_then_needs_nothing(retires: List, now: datetime, hours: int, found: int) -> None:
    day = now.date() + timedelta(days=60)
    retires(day)
    end = retirements.end_of(day) + timedelta(hours=hours)
    Authorization.objects.update(expires_at=end)
    assert len(breaches.detect_breaches(now=now)) == found
