"""A claim that is lower than one on record counts nowhere: not for the policy, not for the money, in no sentence."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import LedgerEntry
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.backtests import backtest
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.leadership import leadership_of
from reviews.packets.queries.packet import packet_of
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.ticket_sync.queries.values import values_of_request
from reviews.voting.queries.budget_effects import shares_of
from reviews.workflow.actions import requests, review
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of
from tests.pages import html_of

pytestmark = pytest.mark.django_db
HIGH = {
    "training_gpu_hours": "320",
    "training_cost_usd": "9600",
    "inference_cost_1y_usd": "90400",
    "total_cost_1y_usd": "100000",
    "business_kpi_delta": "0.015",
}
LOW = {
    "training_gpu_hours": "50",
    "training_cost_usd": "960",
    "inference_cost_1y_usd": "9040",
    "total_cost_1y_usd": "10000",
    "business_kpi_delta": "0.015",
}
AMOUNTS = {"USD": Decimal("100000.00"), "gpu_h": Decimal("320.00")}


def filed_again(cast: Cast, now: datetime, *, declared: dict[str, str] = LOW) -> ReviewRequest:
    """A draft about the model of a withdrawn request that stated more."""
    first = walks.make_submitted(by=cast.author, now=now, with_data=False, declared=HIGH)
    requests.withdraw(request=first, reason="Filed again.", by=cast.author, now=now)
    return walks.make_draft(by=cast.author, now=now, version=first.model_version, declared=declared)


@pytest.fixture
def lower(policy: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    return requests.submit(request=filed_again(cast, now), by=cast.author, now=now)


def test_the_screen_names_the_values_on_record(lower: ReviewRequest, cast: Cast, now: datetime) -> None:
    page = enter(cast.author).get(page_of(lower))
    assert page.context["screen"].question.endswith(" run in prod for 100,000.00 USD in the first year?")
    this = {(row.quarter, row.unit): row.this for row in page.context["view"].budget}
    first, *_ = walks.usd_shares(now=now, usd="100000", once="9600")
    quarter = str(Quarter.of(now))
    assert (this[quarter, "USD"], this[quarter, "gpu_h"]) == (first, Decimal("320.00"))
    evidence = html_of(enter(cast.author).get(page_of(lower, "evidence")))
    assert evidence.count("on record for the same artifact; it counts") == 4
    metric = html_of(enter(cast.author).get(f"{page_of(lower)}metrics/total_cost_1y_usd/"))
    assert "A value on record counts" in metric
    assert "100,000" in metric


def test_the_api_names_the_value_that_counts_and_the_claim(
    api: Callable[[User | None], APIClient], lower: ReviewRequest, cast: Cast
) -> None:
    said = api(cast.author).get(f"/api/v1/requests/{lower.ref}/metric-values/").json()
    rows = {row["name"]: row for row in said if row["claimed"]}
    assert {
        name: (row["best"]["value"], row["claimed"]["value"], row["is_on_record"]) for name, row in rows.items()
    } == {
        "training_gpu_hours": ("320", "50", True),
        "training_cost_usd": ("9600", "960", True),
        "inference_cost_1y_usd": ("90400", "9040", True),
        "total_cost_1y_usd": ("100000", "10000", True),
        "business_kpi_delta": ("0.015", "0.015", False),
    }


def test_reservation_and_commitment_are_those_of_the_values_on_record(
    lower: ReviewRequest, cast: Cast, now: datetime
) -> None:
    walks.take_results(request=lower, now=now)
    walks.answer_everything(request=lower, by=cast.author, now=now)
    walks.explain_everything(request=lower, by=cast.author, now=now)
    walks.allocate_budget(team=lower.team, by=cast.finance, now=now)
    review.request_review(request=lower, by=cast.author, now=now)
    shares = walks.usd_shares(now=now, usd="100000", once="9600")
    booked = LedgerEntry.objects.filter(request_ref=lower.ref)
    reserved = {entry.account.unit: entry.amount for entry in booked.filter(kind="reserve")}
    assert reserved == {"USD": shares[0], "gpu_h": Decimal("320.00")}
    walks.approve(request=lower, cast=cast, now=now)
    quarter = str(Quarter.of(now))
    committed = {entry.account.unit: entry.amount for entry in booked.filter(kind="commit", account__quarter=quarter)}
    assert committed == reserved
    lower.refresh_from_db()
    assert lower.state == "decided"
    assert EvidenceSnapshot(lower, now).amounts == AMOUNTS
    # What another request states, or has approved, after the decision does not change what was decided.
    later = now + timedelta(hours=1)
    more = HIGH | {"total_cost_1y_usd": "200000", "training_gpu_hours": "900"}
    walks.make_submitted(
        by=cast.author, now=later, version=lower.model_version, with_data=False, purpose="Another", declared=more
    )
    assert EvidenceSnapshot(lower, later).amounts == AMOUNTS


def test_the_packet_says_what_was_claimed_and_what_counts(lower: ReviewRequest, now: datetime) -> None:
    packet = packet_of(snapshot_of(lower, now=now))
    assert {row.label: row.value_usd for row in packet.costs} == {
        "Training, once": Decimal(9600),
        "Serving, one year": Decimal(90400),
        "Total, one year": Decimal(100000),
    }
    said = {topic.title: topic.sentences for topic in leadership_of(packet)}
    assert "The first year costs 100,000.00 USD in total (declared)." in said["What it costs"]
    assert said["Measured against claimed"][1:] == (
        "Training GPU hours was claimed as 50 GPU h; 320 GPU h is on record for the same artifact and counts.",
        "Training cost was claimed as 960.00 USD; 9,600.00 USD is on record for the same artifact and counts.",
        (
            "Inference cost 1 year was claimed as 9,040.00 USD; 90,400.00 USD is on record for the same artifact and "
            "counts."
        ),
        "1 more value on record counts.",
    )


def test_tickets_previews_and_backtests_take_the_same_amounts(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    draft = filed_again(cast, now)
    assert preview_of_draft(draft, now=now).amounts == AMOUNTS
    lower = requests.submit(request=draft, by=cast.author, now=now)
    values = values_of_request(lower, now=now)
    assert (values["cost_of_year"], values["gpu_hours"]) == (AMOUNTS["USD"], AMOUNTS["gpu_h"])
    asked = backtest.question(name=policy.name, number=policy.number, against=None, quarters=1, now=now)
    said = backtest.run(asked)
    (case,) = [line.compared.case for line in said.lines if line.ref == lower.ref]
    assert (case.usd, case.gpu_h) == (AMOUNTS["USD"], AMOUNTS["gpu_h"])


def test_a_lower_total_without_its_parts_commits_the_total_on_record(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    draft = filed_again(cast, now, declared={"total_cost_1y_usd": "10000"})
    request = requests.submit(request=draft, by=cast.author, now=now)
    evidence = EvidenceSnapshot(request, now)
    assert evidence.amounts == {"USD": Decimal("100000.00"), "gpu_h": Decimal("0.00")}
    assert sum(quarter["USD"] for quarter in shares_of(evidence).values()) == 100_000


def test_a_computed_total_takes_the_total_on_record_and_claims_nothing(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    declared = {**HIGH, "training_cost_usd": "9600", "inference_cost_1y_usd": "90400"}
    first = walks.make_submitted(by=cast.author, now=now, declared=declared | {"total_cost_1y_usd": "150000"})
    requests.withdraw(request=first, reason="Filed again.", by=cast.author, now=now)
    parts = {name: value for name, value in declared.items() if name != "total_cost_1y_usd"}
    request = walks.make_submitted(
        by=cast.author, now=now, version=first.model_version, with_data=False, declared=parts
    )
    assert EvidenceSnapshot(request, now).amounts["USD"] == 150_000
    page = enter(cast.author).get(page_of(request))
    assert page.context["screen"].question.endswith(" for 150,000.00 USD in the first year?")
    assert not any("its parts add up" in doubt.sentence for doubt in page.context["screen"].doubts)
    said = {topic.title: topic.sentences for topic in leadership_of(packet_of(snapshot_of(request, now=now)))}
    assert said["Measured against claimed"][-1] == (
        "Total cost 1 year was not claimed; 150,000.00 USD is on record for the same artifact and counts."
    )
