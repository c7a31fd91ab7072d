"""A clearance is judged on its bills: above the cost that was stated, a finding; above the policy, a review."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import yaml
from django.test import Client

from governance.audit.models import AuditEvent
from governance.bills.actions import allocation, rates
from governance.bills.domain.currencies import CurrencyRate
from governance.findings.models import Finding
from governance.rulebook.actions import documents as rulebook
from reviews.authorizations.models import Authorization
from reviews.authorizations.queries.standing import artifact_records
from reviews.evidence.models import MetricRecord
from reviews.feed.models import FeedEntry
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import breaches, requests
from reviews.workflow.queries.clearance_bills import exceeded_clearances
from tests.factories import requests as walks
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import publish
from tests.factories.models import make_version
from tests.factories.policies import LEAN
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import everything
from tests.threads import together
from weighbridge.core.metrics.basis import Basis

__all__ = ["read", "send"]
pytestmark = pytest.mark.django_db
SINCE = 40
"""Days since the clearance."""
Read = Callable[..., object]


@pytest.fixture
def cleared(world: World) -> ReviewRequest:
    """Cleared 40 days ago for 15,000 US dollars a year."""
    return clear(world)


@pytest.fixture
def rules(world: World, cleared: ReviewRequest) -> None:
    """Bills by SKU: of the request, of its model, of its team, and of a second request of the model."""
    source = (
        "apiVersion: weighbridge/v1\nkind: AllocationRules\nname: default\nrules:\n"
        f"  - {{id: named, match: {{skus: [named]}}, account: search, request: {cleared.ref}}}\n"
        f"  - {{id: second, match: {{skus: [second]}}, account: search, request: {cleared.ref[:-1]}2}}\n"
        "  - {id: model, match: {skus: [model]}, account: search, model: search/visual-search}\n"
        "  - {id: team, match: {skus: [team]}, account: search}\n"
    )
    draft = allocation.draft(source=source, by=world.cast.finance, now=world.now)
    publish(version=draft, cast=world.cast, now=world.now)


def clear(world: World, purpose: str = "Chat, EU", serving: int = 10_000, days: int = SINCE) -> ReviewRequest:
    at = world.now - timedelta(days=days)
    draft = walks.make_draft(
        by=world.cast.author,
        now=at,
        version=make_version(by=world.cast.author, owner=world.owner, now=at),
        purpose=purpose,
        environment="staging",
        declared={
            "training_gpu_hours": "10",
            "training_cost_usd": "5000",
            "inference_cost_1y_usd": str(serving),
        },
    )
    request = requests.submit(request=draft, by=world.cast.author, now=at)
    assert request.state == "cleared"
    return request


def bill(now: datetime, *lines: tuple[int, str, str], currency: str = "USD") -> bytes:
    """A bill with the effective cost of SKUs, so many days ago."""
    rows = []
    for days, sku, usd in lines:
        day = (now - timedelta(days=days)).date()
        first, after = day.replace(day=1), (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        rows.append(
            row(
                BillingPeriodStart=f"{first}",
                BillingPeriodEnd=f"{after}",
                ChargePeriodStart=f"{day}T00:00:00Z",
                ChargePeriodEnd=f"{day}T01:00:00Z",
                EffectiveCost=usd,
                SkuId=sku,
                BillingAccountId=f"{day}{sku}{usd}",
                BillingCurrency=currency,
            )
        )
    return csv_bytes(rows)


def sentence(ref: str, billed: str, now: datetime, days: int, more: str = "") -> str:
    return (
        f"{ref} was cleared for 15,000.00 USD a year, and {billed} USD was billed until "
        f"{now - timedelta(days=days):%d %B %Y}. {more}"
        "File a review with the current costs of the model, or reduce its costs."
    )


def test_bills_above_the_stated_cost_are_found_once(
    world: World, cleared: ReviewRequest, rules: None, read: Read, client: Client
) -> None:
    now = world.now
    read(bill(now, (30, "named", "12000"), (20, "model", "8000")))
    (finding,) = breaches.detect_breaches(now=now)
    assert (finding.kind, finding.severity, finding.subject) == ("cost.breach", "high", cleared.ref)
    assert finding.text == sentence(cleared.ref, "20,000.00", now, 20)
    cleared.refresh_from_db()
    assert cleared.state == "cleared"  # 20,000 is within the limit of the policy
    value = cleared.metric_records.get(basis=Basis.BILLED)
    assert (value.name, value.value, value.observed_at) == ("total_cost_1y_usd", 20_000, now)
    evaluation = cleared.policy_evaluations.order_by("-pk").first()
    assert evaluation is not None
    assert (evaluation.occasion, evaluation.outcome) == ("bills", "cleared")
    event = AuditEvent.objects.get(kind="metric_value.billed")
    assert (event.subject, event.reason) == (cleared.ref, f"{finding}: {finding.text}")
    assert event.details == {"value": "20000.00"}
    before = everything()
    assert breaches.detect_breaches(now=now) == []
    assert everything() == before
    client.force_login(world.cast.author)
    history, values = (client.get(f"/requests/{cleared.ref}/{tab}/").text for tab in ("history", "evidence"))
    assert ("found bills above the cost" in history, f"{finding}: {cleared.ref} was cleared for" in history) == (
        True,
        True,
    )
    assert "20,000" in values


def test_bills_above_the_policy_open_the_review(world: World, cleared: ReviewRequest, rules: None, read: Read) -> None:
    now = world.now
    read(bill(now, (30, "named", "50000")))
    assert len(breaches.detect_breaches(now=now)) == 1
    cleared.refresh_from_db()
    assert cleared.state == "cleared"  # exactly the limit
    read(bill(now, (10, "model", "0.01")))
    assert breaches.detect_breaches(now=now) == []
    cleared.refresh_from_db()
    assert (cleared.state, cleared.review_opened_at) == ("evidence", now)
    kept = cleared.metric_records.filter(basis=Basis.BILLED).order_by("pk")
    assert list(kept.values_list("value", flat=True)) == [Decimal(50_000), Decimal("50000.01")]
    standing = artifact_records(digest=cleared.model_version.digest, environment="staging", now=now).standing
    assert not standing.standing.is_allowed
    last = FeedEntry.objects.order_by("-position").first()
    assert last is not None
    assert last.standing == "under_review"
    assert Finding.objects.filter(kind="cost.breach").count() == 1
    assert breaches.detect_breaches(now=now) == []


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(30, "named", "15000")],  # exactly the stated cost
        [(30, "named", "16000"), (29, "named", "-1000")],  # a credit
        [(SINCE, "named", "20000")],  # on the day of the clearance
        [(SINCE + 1, "model", "20000")],
        [(30, "team", "20000")],
        [(30, "other", "20000")],
    ],
)
def test_what_is_not_above_the_stated_cost_changes_nothing(
    world: World, cleared: ReviewRequest, rules: None, read: Read, lines: list[tuple[int, str, str]]
) -> None:
    if lines:
        read(bill(world.now, *lines))
    before = everything()
    assert breaches.detect_breaches(now=world.now) == []
    assert everything() == before


def test_an_amount_without_a_rate_is_named_and_not_counted(
    world: World, cleared: ReviewRequest, rules: None, read: Read
) -> None:
    now, finance = world.now, world.cast.finance
    read(bill(now, (30, "named", "20000"), currency="EUR"))
    assert breaches.detect_breaches(now=now) == []
    read(bill(now, (25, "model", "15000.01")))
    (found,) = exceeded_clearances(now=now)
    assert (found.billed_usd, found.apart) == (Decimal("15000.01"), "20000 EUR")
    (finding,) = breaches.detect_breaches(now=now)
    assert finding.text == sentence(cleared.ref, "15,000.01", now, 25, "Not converted: 20000 EUR. ")
    day = (now - timedelta(days=30)).date()
    rates.set_rate(rate=CurrencyRate("EUR", day, Decimal("1.5"), "ECB"), by=finance, now=now)
    assert breaches.detect_breaches(now=now) == []
    assert cleared.metric_records.filter(basis=Basis.BILLED, value=Decimal("45000.01")).count() == 1


def test_bills_of_the_model_are_shared_by_its_clearances(
    world: World, cleared: ReviewRequest, rules: None, read: Read
) -> None:
    now = world.now
    second = clear(world, "Chat, US", serving=25_000)
    read(bill(now, (30, "model", "45000")))
    assert breaches.detect_breaches(now=now) == []
    read(bill(now, (30, "second", "0.01")))
    first, other = breaches.detect_breaches(now=now)
    more = "The 30,000.00 USD for which the model has other clearances are not part of it. "
    assert (first.subject, other.subject) == (cleared.ref, second.ref)
    assert first.text == sentence(cleared.ref, "15,000.01", now, 30, more)
    found = {each.request.ref: (each.billed_usd, each.others_usd) for each in exceeded_clearances(now=now)}
    assert found == {cleared.ref: (Decimal("15000.01"), 30_000), second.ref: (Decimal("30000.01"), 15_000)}


def test_bills_are_added_to_the_other_clearances_of_the_artifact(
    world: World, cleared: ReviewRequest, rules: None, read: Read
) -> None:
    second = clear(world, "Chat, US", serving=25_000)
    for usd, state in (("20000", "cleared"), ("0.01", "evidence")):
        read(bill(world.now, (30, "named", usd)))
        breaches.detect_breaches(now=world.now)
        cleared.refresh_from_db()
        second.refresh_from_db()
        assert (cleared.state, second.state) == (state, "cleared")
    reason = AuditEvent.objects.get(kind="request.evidence", subject=cleared.ref).reason
    assert reason == (
        f"With {second.ref}, which is cleared for the same artifact in staging: Total cost 1 year is 50,000.01 USD "
        "(billed, added up); the policy asks for at most 50,000 USD."
    )


def test_a_clearance_that_ended_is_not_judged(world: World, cleared: ReviewRequest, rules: None, read: Read) -> None:
    read(bill(world.now, (30, "named", "20000")))
    assert len(exceeded_clearances(now=world.now)) == 1
    assert cleared.deadline_at is not None
    assert exceeded_clearances(now=cleared.deadline_at) == []
    ReviewRequest.objects.filter(pk=cleared.pk).update(state="expired")
    assert exceeded_clearances(now=world.now) == []


def test_a_clearance_without_a_stated_cost_is_not_judged(world: World) -> None:
    document = yaml.safe_load(LEAN)
    document["rules"] = [rule for rule in document["rules"] if rule["metric"] == "training_gpu_hours"]
    draft = rulebook.draft_policy(source=yaml.safe_dump(document), by=None, now=world.now)
    rulebook.publish(version=draft, by=None, now=world.now)
    request = world.submitted(environment="dev", declared={"training_gpu_hours": "10"})
    assert (request.state, exceeded_clearances(now=world.now)) == ("cleared", [])


def test_an_authorization_answers_for_the_bills_of_its_model(
    world: World, cleared: ReviewRequest, rules: None, read: Read
) -> None:
    now = world.now
    decided = world.decided()
    Authorization.objects.filter(decision__request=decided).update(issued_at=now - timedelta(days=25))
    read(bill(now, (20, "model", "20000"), (26, "model", "15000")))
    assert exceeded_clearances(now=now) == []
    read(bill(now, (27, "model", "0.01")))
    (found,) = exceeded_clearances(now=now)
    assert (found.request.ref, found.billed_usd) == (cleared.ref, Decimal("15000.01"))


@pytest.mark.django_db(transaction=True)
def test_two_detections_at_once_find_it_once(world: World, cleared: ReviewRequest, rules: None, read: Read) -> None:
    read(bill(world.now, (30, "named", "50001")))
    found = together([lambda: breaches.detect_breaches(now=world.now)] * 2)
    assert sorted(len(each) for each in found) == [0, 1]  # type: ignore[arg-type]
    assert (Finding.objects.count(), MetricRecord.objects.filter(basis=Basis.BILLED).count()) == (1, 1)
    cleared.refresh_from_db()
    assert cleared.state == "evidence"
