"""Projected, measured and billed of an authorized request; findings where they part, once; the export in
FOCUS's shape.
"""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest

from benchmarking.projections.models import CostProjection
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.bills.actions import allocation
from governance.findings.models import Finding
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.jobs.ticks import request_regular_jobs
from reviews.authorizations.models import Authorization
from reviews.evidence.models import MetricRecord, RequestProjection
from reviews.evidence.queries import comparison
from reviews.workflow import tasks as costs
from reviews.workflow.actions import breaches
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import publish
from tests.integration.governance.bills.conftest import read, send
from tests.pages import html_of
from weighbridge.core.metrics.basis import Basis

__all__ = ["read", "send"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def months(decided, now):
    """The request was authorized three months ago; the first days of the whole months since, the latest last."""
    issued = now - timedelta(days=100)
    Authorization.objects.update(issued_at=issued)
    found = comparison.compare_costs(request=decided, now=now).months
    assert len(found) >= 3
    return [each.month for each in found]


@pytest.fixture
def estimated(decided, cast, now):
    """A year's serving was estimated at 1,200 dollars, 2,400 at the P90."""
    return MetricRecord.objects.create(
        request=decided,
        name="inference_cost_1y_usd",
        value=1200,
        unit="USD",
        basis=Basis.ESTIMATED,
        lower=960,
        upper=2400,
        confidence=Decimal("0.8"),
        source="projection",
        stated_by=cast.author,
        observed_at=now,
    )


@pytest.fixture
def rules(decided, cast, now):
    source = (
        "apiVersion: weighbridge/v1\nkind: AllocationRules\nname: default\nrules:\n"
        f"  - {{id: named, match: {{skus: [named]}}, account: search, request: {decided.ref}}}\n"
        "  - {id: model, match: {skus: [model]}, account: search, model: search/visual-search}\n"
    )
    return publish(version=allocation.draft(source=source, by=cast.finance, now=now), cast=cast, now=now)


def billed(month, usd, sku="named"):
    end = comparison.month_end(month)
    return row(
        BillingPeriodStart=f"{month}",
        BillingPeriodEnd=f"{end}",
        ChargePeriodStart=f"{month}T00:00:00Z",
        ChargePeriodEnd=f"{month}T01:00:00Z",
        EffectiveCost=str(usd),
        SkuId=sku,
        BillingAccountId=f"{month}{sku}",
    )


def test_months_stand_side_by_side(decided, months, estimated, rules, read, now):
    read(
        csv_bytes(
            [
                billed(months[0], 90),
                billed(months[0], 5, "model"),
                billed(months[1], 150),
                billed(months[1], 7, "other"),
            ]
        )
    )
    found = comparison.compare_costs(request=decided, now=now)
    assert [(each.billed, each.gpu_hours, each.status) for each in found.months[:3]] == [
        (Decimal(95), Decimal(4), "within"),
        (Decimal(150), Decimal(2), "above"),
        (None, None, "unbilled" if len(months) > 3 else "not_over"),
    ]
    assert (found.projected.low, found.projected.median, found.projected.high) == (80, 100, 200)
    assert found.outlook.bias == Decimal(445) / 400


def test_the_measured_cost_of_a_thousand_scales_the_plan(decided, estimated, cast, now):
    run = Run.objects.filter(asked_for=decided.ref).first()
    for basis, value, of in ((Basis.ESTIMATED, 2, None), (Basis.MEASURED, 3, run)):
        MetricRecord.objects.create(
            request=decided,
            name="cost_per_1k_usd",
            value=value,
            unit="USD",
            basis=basis,
            source="s",
            run=of,
            observed_at=now,
            n=1000 if of else None,
        )
    found = comparison.compare_costs(request=decided, now=now)
    assert (found.measured.low, found.measured.median) == (None, Decimal("150.00"))


def test_a_breach_is_found_once_and_a_recurrence_is_another(decided, months, estimated, rules, read, now):
    assert breaches.detect_breaches(now=now) == []
    read(csv_bytes([billed(months[0], "200.01"), billed(months[1], 200)]))
    (finding,) = breaches.detect_breaches(now=now)
    assert (finding.kind, finding.severity, finding.subject.split()[0]) == ("cost.breach", "high", decided.ref)
    assert "200.01 USD was billed" in finding.text
    assert AuditEvent.objects.filter(kind="authorization.doubted").count() == 1
    assert breaches.detect_breaches(now=now) == []
    read(csv_bytes([billed(months[1], 300)]))
    assert len(breaches.detect_breaches(now=now)) == 1
    assert Finding.objects.filter(kind="cost.breach").count() == 2


def test_a_fresh_run_that_is_slower_beyond_doubt_is_found(decided, months, now):
    run = Run.objects.filter(asked_for=decided.ref, state=JobState.DONE).first()
    p95 = decided.metric_records.get(name="latency_p95_ms", basis=Basis.MEASURED)
    told = run.result["metrics"]["latency_p95_ms"]
    slower = told | {name: float(told[name]) * 3 for name in ("value", "lower", "upper")}
    result = run.result | {"metrics": run.result["metrics"] | {"latency_p95_ms": slower}}
    Run.objects.create(
        key="fresh",
        model_version=run.model_version,
        scenario=run.scenario,
        plan=run.plan,
        state=JobState.DONE,
        result=result,
        verdict="valid",
        created_at=now,
        next_attempt_at=now,
        finished_at=now,
    )
    (finding,) = breaches.detect_breaches(now=now)
    assert (finding.kind, finding.key.rpartition(":")[2]) == ("drift", "latency_p95_ms")
    assert f"{p95.value.normalize():f} was approved" in finding.text


@pytest.fixture
def project(decided, cast, now):
    """State projection `number` of the request, kept so many days ago, with prices of these days."""

    def stated(number, age_days, *as_of):
        prices = [
            {"path": f"options[0].p{place}.usd_per_h", "as_of": day, "usd": "1"} for place, day in enumerate(as_of)
        ]
        document = {"seed": 1, "options": [{"id": "other", "title": "Own servers"}], "snapshot": "s", "prices": prices}
        projection = CostProjection.objects.create(
            token=str(number) * 20,
            title="T",
            spec={},
            document=document,
            digest="sha256:" + str(number) * 64,
            kept_at=now - timedelta(days=age_days),
        )
        return RequestProjection.objects.create(
            request=decided, number=number, projection=projection, option="own", stated_by=cast.author, stated_at=now
        )

    return stated


def test_prices_of_half_a_year_ago_are_found_once_and_listed(decided, months, project, now):
    project(1, 181, "2026-02-01", "2026-01-01", *["2026-03-01"] * 8)
    (finding,) = breaches.detect_breaches(now=now)
    assert (finding.kind, finding.severity) == ("prices.expired", "low")
    assert "more than 180 days ago" in finding.text
    listed = "Own servers, p1 of 2026-01-01; Own servers, p0 of 2026-02-01; Own servers, p2 of 2026-03-01"
    assert f"They are: {listed}" in finding.text
    assert "options[" not in finding.text
    assert finding.text.endswith(" and 2 more.")
    assert breaches.detect_breaches(now=now + timedelta(days=1)) == []
    assert Finding.objects.filter(kind="prices.expired", state="open").count() == 1


def test_a_finding_of_old_prices_is_closed_when_they_are_fresh_and_a_recurrence_is_another(
    as_, cast, decided, months, project, now
):
    project(1, 181)
    (first,) = breaches.detect_breaches(now=now)
    project(2, 0)
    assert breaches.detect_breaches(now=now) == []
    first.refresh_from_db()
    assert (first.state, first.closed_at, first.closed_by) == ("closed", now, None)
    assert "projected again" in first.closing_note
    closings = AuditEvent.objects.filter(kind="finding.closed")
    assert [(event.subject, event.actor_id) for event in closings] == [(str(first), "")]
    assert "by the system" in html_of(as_(cast.finance).get("/findings/?state=closed"))
    later = now + timedelta(days=181)
    (second,) = [each for each in breaches.detect_breaches(now=later) if each.kind == "prices.expired"]
    assert second != first
    assert breaches.detect_breaches(now=later) == []
    assert [row.state for row in Finding.objects.filter(kind="prices.expired").order_by("pk")] == ["closed", "open"]
    assert closings.count() == 1
    Authorization.objects.update(state="revoked")
    breaches.detect_breaches(now=later)
    assert not Finding.objects.filter(kind="prices.expired", state="open").exists()


def test_a_revoked_authorization_is_left_alone(decided, months, estimated, rules, read, now):
    read(csv_bytes([billed(months[0], 900)]))
    Authorization.objects.update(state="revoked")
    assert breaches.detect_breaches(now=now) == []


def test_the_tick_asks_once_a_day(decided, now):
    for _ in range(2):
        request_regular_jobs(now)
    (message,) = OutboxMessage.objects.filter(kind=costs.DETECT_BREACHES)
    costs.detect_breaches(message)
    assert Finding.objects.filter(kind="cost.breach").count() == 0


def test_the_page_and_the_file(as_, cast, decided, months, estimated, rules, read):
    read(csv_bytes([billed(months[0], 95)]))
    page = as_(cast.author).get(f"/requests/{decided.ref}/bills/")
    assert page.status_code == 200
    assert "$95.00" in page.content.decode()
    text = as_(cast.author).get(f"/requests/{decided.ref}/bills.csv").content.decode("utf-8-sig")
    first = next(csv.DictReader(io.StringIO(text)))
    assert (first["EffectiveCost"], first["x_ProjectedP90"], first["x_Request"]) == ("100.00", "200.00", decided.ref)
    assert as_(cast.outsider).get(f"/requests/{decided.ref}/bills/").status_code == 404
    assert as_(cast.outsider).get(f"/requests/{decided.ref}/bills.csv").status_code == 404


def test_programs_read_the_same(api, cast, decided, months, estimated, rules, read):
    read(csv_bytes([billed(months[0], 95)]))
    told = api(cast.author).get(f"/api/v1/requests/{decided.ref}/bills/").json()
    assert told["projected"] == {"low": "80", "median": "100", "high": "200"}
    first = told["months"][0]
    assert (first["billed"], first["difference"], first["status"]) == ("95", "-5", "within")
    assert (told["records"], told["not_converted"]) == ([], [])
    assert api(cast.outsider).get(f"/api/v1/requests/{decided.ref}/bills/").status_code == 404


def test_the_past_of_the_team_is_shown_with_the_next_filing(decided, months, estimated, rules, read, draft_after, now):
    read(csv_bytes([billed(months[0], 300), billed(months[1], 100)]))
    found = comparison.compare_costs(request=draft_after, now=now)
    assert (found.months, found.authorization) == ((), "")
    team, mine = found.records
    assert team.estimator == "the team Search"
    assert (team.calibration.cases, team.calibration.bias, team.calibration.coverage) == (2, Decimal(2), Decimal("0.5"))
    assert mine.calibration == team.calibration
    assert team.widened_high is None


@pytest.fixture
def draft_after(decided, cast, now):
    """The next request of the same team and author."""
    from tests.factories import requests as walks
    from tests.factories.models import make_version

    other = make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    return walks.make_draft(by=cast.author, now=now, version=other, purpose="Another purpose")
