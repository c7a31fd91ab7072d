"""The price of an authorized managed model changes: one finding with what a year costs now, and one draft."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from benchmarking.prices import actions as prices
from benchmarking.prices.queries import PriceMove, managed_sku, price_book, price_book_at, price_moves
from benchmarking.projections import actions as projections
from governance.findings.models import Finding
from governance.inventory.domain.retirement import Announcement
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization, ReReview
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import breaches, retirements
from reviews.workflow.actions import projections as stated
from reviews.workflow.queries import listed_retirements, price_changes
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.costs import cost_spec
from tests.factories.people import Cast
from tests.integration.reviews.workflow.test_kinds import STORIES, decided, filed, supply
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.price import Meter
from weighbridge.subjects.kinds import parse_subject

STORY = STORIES["a language model behind an API"]
SKU = "openai/gpt-4o-mini"
SHEET = """
apiVersion: weighbridge/v1
kind: PriceSheet
name: our-prices
source: page of the provider
as_of: {day}
provider: openai
unit: million_tokens
sort: model
prices:
  - {{name: gpt-4o-mini, meter: input, on_demand: {price_in}}}
  - {{name: gpt-4o-mini, meter: output, on_demand: {price_out}}}
"""


def publish(cast: Cast, at: datetime, price_in: str, price_out: str = "0.6") -> None:
    text = SHEET.format(day=at.date(), price_in=price_in, price_out=price_out)
    prices.publish(text=text, by=cast.finance, now=at)


@pytest.fixture(autouse=True)
def _nothing_retires(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped book retires this model one day."""
    monkeypatch.setattr(listed_retirements, "unannounced", lambda *_, **__: iter(()))


@pytest.fixture
def managed(cast: Cast, now: datetime) -> ReviewRequest:
    """An authorized managed model with a projection of a million requests at its price."""
    kinds.publish_shipped(now=now)
    publish(cast, now, "0.15")
    request = filed(STORY, cast, now)
    spec = cost_spec(only="api", load={"requests_per_year": 1_000_000})
    spec["options"][0]["serving"] |= {"input_tokens": 1000, "output_tokens": 100, "prices": {"sku": SKU}}
    kept = projections.project_and_store(spec=spec, by=cast.author, now=now)
    stated.state(request=request, projection=kept, option="api", by=cast.author, now=now)
    supply(STORY, request, cast, now)
    walks.explain_everything(request=request, by=cast.author, now=now)
    decided(STORY, request, cast, now)
    return request


def test_a_price_change_raises_one_finding_with_the_costs_of_a_year_and_one_draft(
    cast: Cast, managed: ReviewRequest, now: datetime
) -> None:
    authorization = Authorization.objects.get()
    assert breaches.detect_breaches(now=now) == []
    day = timedelta(days=1)
    publish(cast, now + day, "0.165")  # ten percent is the limit
    assert breaches.detect_breaches(now=now + day) == []
    publish(cast, now + 2 * day, "0.18")
    (finding,) = breaches.detect_breaches(now=now + 2 * day)
    assert (finding.kind, finding.severity) == ("prices.changed", "high")
    assert finding.key == f"prices.changed:{authorization.number}:{SKU}:+2"
    assert "input from 0.15 to 0.18 USD (+20.0 %)" in finding.text
    # 1,000 input tokens at 0.15 and 100 output tokens at 0.6 per million: 0.00021, and 0.00024 afterwards.
    assert "one year of inference costs 240.00 USD (P50) instead of 210.00 USD: 30.00 USD more." in finding.text
    draft = ReReview.objects.get().request
    assert (draft.state, draft.title) == ("draft", f"Again: {managed.title}")
    for later in range(3, 6):
        assert breaches.detect_breaches(now=now + later * day) == []
    publish(cast, now + 6 * day, "0.185")
    assert breaches.detect_breaches(now=now + 6 * day) == []  # still in the same step
    publish(cast, now + 7 * day, "0.3", "0.3")
    (second,) = breaches.detect_breaches(now=now + 7 * day)
    assert second.key.endswith(":+10")
    assert "output from 0.6 to 0.3 USD (-50.0 %)" in second.text
    publish(cast, now + 8 * day, "0.15", "0.3")
    (third,) = breaches.detect_breaches(now=now + 8 * day)
    assert third.key.endswith(":-5")
    assert "less." in third.text
    assert {row.request_id for row in ReReview.objects.all()} == {draft.pk}


@pytest.mark.usefixtures("managed")
def test_without_a_projection_the_effect_is_not_known(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_changes.projections, "latest", lambda _: None)
    later = now + timedelta(days=1)
    publish(cast, later, "0.3")
    (finding,) = breaches.detect_breaches(now=later)
    assert "no cost projection with this price" in finding.text
    row = Authorization.objects.get()
    assert [each.step for each in price_changes.changes_of(row, limit=Decimal(0), now=later)] == [1]


@pytest.mark.usefixtures("managed")
def test_a_projection_that_cannot_be_replayed_says_so(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise Invalid("The load is missing.")

    monkeypatch.setattr(price_changes, "replay", refused)
    later = now + timedelta(days=1)
    publish(cast, later, "0.05")
    (finding,) = breaches.detect_breaches(now=later)
    assert "cannot be calculated again at the new price (The load is missing.)" in finding.text


def test_a_retirement_moved_into_ninety_days_raises_one_finding_and_one_draft_and_the_gate_denies_on_the_day(
    cast: Cast, managed: ReviewRequest, now: datetime
) -> None:
    version, person = managed.model_version, person_of(cast.auditor)

    def announce(days: int) -> datetime:
        day = now.date() + timedelta(days=days)
        announcement = Announcement(retires_on=day, source="deprecations page")
        retirements.announce(version=version, announcement=announcement, reason="It says so.", by=cast.author, now=now)
        retirements.warn(now=now)
        return retirements.end_of(day)

    announce(150)
    assert (Finding.objects.count(), ReReview.objects.count()) == (0, 0)
    end = announce(60)
    assert [row.kind for row in Finding.objects.all()] == ["model.retires"]
    assert ReReview.objects.get().request.state == "draft"
    for hours in (1, 24, 48):
        assert retirements.warn(now=now + timedelta(hours=hours)) == []
    answers = [
        gate.decide(digest=version.digest, environment="prod", person=person, now=at).answer
        for at in (end - timedelta(seconds=1), end)
    ]
    assert answers == ["allow", "deny"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("25", "25.01", "input from 25 to 25.01 USD (+0.04 %)"),
        ("25", "24.99", "input from 25 to 24.99 USD (-0.04 %)"),
        ("10000", "0.1", "input from 10000 to 0.1 USD (-99.999 %)"),
        ("0.25", "0.3", "input from 0.25 to 0.3 USD (+20.0 %)"),
    ],
)
def test_a_small_move_is_not_called_none(before: str, after: str, words: str) -> None:
    assert PriceMove(Meter.INPUT, Decimal(before), Decimal(after)).words == words


def test_books_of_two_days_and_their_moves(cast: Cast, now: datetime) -> None:
    publish(cast, now, "0", "0.6")
    later = now + timedelta(days=1)
    publish(cast, later, "0.1", "0.6")
    before, after = price_book_at(now), price_book(later.date())
    (move,) = price_moves(before=before, after=after, sku=SKU)
    assert (move.share, move.words) == (Decimal(1), "input from 0 to 0.1 USD (+100.0 %)")
    assert price_moves(before=before, after=after, sku="openai/nothing") == ()
    subject = parse_subject(kinds.MANAGED)
    assert managed_sku(after, subject=subject) == SKU
    assert managed_sku(after, subject=parse_subject(kinds.MANAGED | {"model": "nothing"})) == ""
