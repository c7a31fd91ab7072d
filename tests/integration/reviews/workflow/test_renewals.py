"""A renewal: its approval releases what the authorization in force still has committed, and every page counts that."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from governance.budgets.domain import ledger
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of, entries_of, left_of_team
from governance.budgets.queries.burn_down import burn_down_of
from governance.budgets.queries.effects import BudgetEffect
from governance.rulebook.models import PolicyVersion
from governance.site.templatetags.weighbridge import quantity
from reviews.authorizations.models import Authorization
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.queries.packet import packet_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, review
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.standstill import refused
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
D = Decimal


def costing(training: int, year: int) -> dict[str, str]:
    return walks.DECLARED | {
        "training_cost_usd": str(training),
        "inference_cost_1y_usd": str(year),
        "total_cost_1y_usd": str(training + year),
    }


@pytest.fixture
def first(policy: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """Approved: of 100,000 USD, 60,000 for training are committed in this quarter, and a share of 20,000 by days."""
    request = walks.make_decided(cast=cast, now=now, declared=costing(60_000, 20_000))
    assert balance_of(account_of(now)).available == 40_000 - by_day(20_000, now)
    return request


def account_of(now: datetime) -> BudgetAccount:
    return BudgetAccount.objects.get(quarter=str(Quarter.of(now.date())), unit="USD")


def by_day(year: int, now: datetime) -> Decimal:
    """The share of this quarter in the costs of a year."""
    return walks.usd_shares(now=now, usd=str(year), once="0")[0]


def ready(first: ReviewRequest, cast: Cast, now: datetime, costs: dict[str, str], **changes: Any) -> ReviewRequest:
    changes = {"purpose": "Another", **changes}
    row = walks.make_ready(by=cast.author, now=now, version=first.model_version, declared=costs, **changes)
    walks.explain_everything(request=row, by=cast.author, now=now)
    return row


def asked(request: ReviewRequest, cast: Cast, now: datetime) -> ReviewRequest:
    return review.request_review(request=request, by=cast.author, now=now)


def shown(request: ReviewRequest, now: datetime) -> dict[tuple[str, str], BudgetEffect]:
    found = snapshot_of(ReviewRequest.objects.get(pk=request.pk), now=now).budget
    return {(effect.quarter, effect.unit): effect for effect in found}


def booked() -> dict[tuple[str, str], Decimal]:
    return {(row.quarter, row.unit): balance_of(row).available for row in BudgetAccount.objects.all()}


def reserved_for(request: ReviewRequest) -> list[tuple[str, Decimal]]:
    rows = LedgerEntry.objects.filter(request_ref=request.ref, kind="reserve").order_by("pk")
    return [(row.account.unit, row.amount) for row in rows]


def released_by(request: ReviewRequest) -> list[Decimal]:
    rows = LedgerEntry.objects.filter(request_ref=request.ref, is_commitment=True)
    return list(rows.values_list("amount", flat=True))


def test_a_cheaper_renewal_needs_no_reservation_and_leaves_what_was_shown(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    renewal = ready(first, cast, now, costing(50_000, 20_000))
    before, effects = booked(), shown(renewal, now)
    present = effects[str(Quarter.of(now.date())), "USD"]
    spread = by_day(20_000, now)
    assert (present.available, present.released, present.this) == (40_000 - spread, 60_000 + spread, 50_000 + spread)
    assert (present.after, present.committed, present.is_affordable) == (50_000 - spread, 0, True)
    assert present.forecast_after == 50_000 + spread
    assert {place: effect.after for place, effect in effects.items()} == {
        place: available + (10_000 if place == (present.quarter, "USD") else 0) for place, available in before.items()
    }
    renewal = asked(renewal, cast, now)
    assert (reserved_for(renewal), booked(), shown(renewal, now)) == ([], before, effects)
    walks.approve(request=renewal, cast=cast, now=now)
    assert booked() == {place: effect.after for place, effect in effects.items()}
    assert sorted(released_by(first)) == sorted(effect.released for effect in effects.values())
    assert all(ledger.open_of(entries_of(row), refs=[first.ref]) == 0 for row in BudgetAccount.objects.all())
    after = shown(renewal, now)
    assert {place: (effect.after, effect.released) for place, effect in after.items()} == {
        place: (effect.after, 0) for place, effect in effects.items()
    }


def test_a_claim_that_no_approval_settled_counts_for_the_amounts_of_a_renewal(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    later = now + timedelta(minutes=1)
    withdrawn = ready(first, cast, later, costing(55_000, 20_000), purpose="A second one")
    requests.withdraw(request=withdrawn, reason="Filed again for less.", by=cast.author, now=later)
    evidence = EvidenceSnapshot(ready(first, cast, later, costing(50_000, 20_000)), later)
    counted = {value.name: value.value for value in evidence.counted_values}
    assert (counted["training_cost_usd"], counted["total_cost_1y_usd"]) == (60_000, 80_000)
    assert evidence.amounts[BudgetUnit.USD] == 75_000


def test_a_dearer_renewal_reserves_only_what_its_approval_needs_in_addition(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    renewal = asked(ready(first, cast, now, costing(70_000, 20_000)), cast, now)
    assert reserved_for(renewal) == [("USD", 10_000)]
    effect = shown(renewal, now)[str(Quarter.of(now.date())), "USD"]
    assert effect.after == balance_of(account_of(now)).available == 30_000 - by_day(20_000, now)
    walks.approve(request=renewal, cast=cast, now=now)
    assert balance_of(account_of(now)).available == effect.after
    assert ledger.holding_of(entries_of(account_of(now)), ref=renewal.ref).reserved == 0


def test_a_renewal_beyond_what_is_released_and_available_is_refused(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    left = 40_000 - by_day(20_000, now)
    renewal = ready(first, cast, now, costing(100_001, 20_000))
    assert shown(renewal, now)[str(Quarter.of(now.date())), "USD"].after == left - 40_001
    with refused(WrongState, code="over_budget", match=f"{40_001 - left:,.2f} USD too much"):
        asked(renewal, cast, now)


def test_changes_requested_release_nothing_of_the_authorization_in_force(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    before = booked()
    renewal = asked(ready(first, cast, now, costing(70_000, 20_000)), cast, now)
    choice = VoteChoice.REQUEST_CHANGES
    review.vote(
        request=renewal, stage_id="technical", choice=choice, rationale="Cheaper.", by=cast.reviewer_one, now=now
    )
    assert (booked(), released_by(first)) == (before, [])


def test_a_rejection_revokes_the_authorization_and_releases_its_rest_once(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    renewal = asked(ready(first, cast, now, costing(70_000, 20_000)), cast, now)
    review.vote(
        request=renewal,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="It leaks.",
        by=cast.reviewer_one,
        now=now,
    )
    assert Authorization.objects.get().state == "revoked"
    assert balance_of(account_of(now)).available == 100_000
    assert len(released_by(first)) == len(booked())


def test_of_two_renewals_the_second_releases_what_the_first_committed(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    one = asked(ready(first, cast, now, costing(50_000, 20_000)), cast, now)
    two = asked(ready(first, cast, now, costing(65_000, 20_000), purpose="A third"), cast, now)
    assert (reserved_for(one), reserved_for(two)) == ([], [("USD", 5_000)])
    walks.approve(request=one, cast=cast, now=now)
    present = str(Quarter.of(now.date()))
    effect, spread = shown(two, now)[present, "USD"], by_day(20_000, now)
    assert (effect.released, effect.after) == (50_000 + spread, 35_000 - spread)
    walks.approve(request=two, cast=cast, now=now)
    assert balance_of(account_of(now)).available == 35_000 - spread
    assert [len(released_by(each)) for each in (first, one, two)] == [len(booked()), len(booked()), 0]
    states = Authorization.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["superseded", "superseded", "active"]


def test_what_ended_meanwhile_is_available_and_not_released_again(
    first: ReviewRequest, cast: Cast, now: datetime
) -> None:
    renewal = asked(ready(first, cast, now, costing(50_000, 20_000)), cast, now)
    row = first.decision.authorization
    authorizations.revoke(authorization=row, reason="It leaks.", by=cast.approver, now=now)
    present = str(Quarter.of(now.date()))
    effect = shown(renewal, now)[present, "USD"]
    assert (effect.available, effect.released) == (100_000, 0)
    assert effect.after == 50_000 - by_day(20_000, now)


def test_another_environment_releases_nothing(first: ReviewRequest, cast: Cast, now: datetime) -> None:
    other = ready(first, cast, now, costing(50_000, 20_000), environment="staging")
    effect = shown(other, now)[str(Quarter.of(now.date())), "USD"]
    assert (effect.released, effect.is_affordable) == (0, False)


def test_page_api_packet_chart_and_policy_say_what_is_released(first: ReviewRequest, cast: Cast, now: datetime) -> None:
    renewal = asked(ready(first, cast, now, costing(50_000, 0)), cast, now)
    present, client = str(Quarter.of(now.date())), enter(cast.author)
    released = 60_000 + by_day(20_000, now)
    later = walks.usd_shares(now=now, usd="20000", once="0")[1]
    phrase = f"released by an approval {quantity(released, 'USD')}"
    assert phrase in words(client.get(page_of(renewal)))
    tab = words(client.get(page_of(renewal, "costs")))
    assert phrase in tab
    assert f"releases {quantity(later, 'USD')}" in tab
    (answer,) = (
        each
        for each in client.get(f"/api/v1/requests/{renewal.ref}/").json()["budget"]
        if (each["quarter"], each["unit"]) == (present, "USD")
    )
    assert (D(answer["released"]), D(answer["after"])) == (released, 50_000)
    rows = packet_of(snapshot_of(renewal, now=now)).budget
    assert (rows[0].released, rows[0].after, rows[1].unit, rows[1].released) == (released, 50_000, "gpu_h", 320)
    chart = client.get(page_of(renewal)).context["screen"].burn_down
    without = burn_down_of(team=renewal.team, quarter=present, unit="USD", today=now.date())
    drawn = [each.points[-1].y for each in chart.series if each.name == "expected with this request"]
    is_last_day = now.date() == Quarter.of(now).end_on  # nothing is left to expect
    assert drawn == ([] if is_last_day else [float(without.expected + released - 50_000)])
    left = left_of_team(team=renewal.team, quarter=present, without=renewal.ref, superseded=[first.ref])
    assert {unit.value: amount for unit, amount in left.items()} == {"USD": 100_000, "gpu_h": 1_000}
