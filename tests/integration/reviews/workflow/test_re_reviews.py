"""A breach opens a re-review as the policy in force says: once for each, for the owner, and a recurrence
points back.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
import yaml
from django.db import DatabaseError, transaction

from benchmarking.projections import actions as kept
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.jobs.enums import JobState
from governance.rulebook.actions import documents as rulebook
from reviews.authorizations.models import Authorization, ReReview
from reviews.evidence.models import RequestProjection
from reviews.evidence.queries import comparison
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import breaches, requests
from tests.factories import requests as walks
from tests.factories.bills import csv_bytes
from tests.factories.costs import cost_spec
from tests.factories.models import make_version
from tests.factories.policies import LEAN
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.requests.reading import enter, words
from tests.integration.reviews.workflow.test_costs import billed, estimated, months, rules
from tests.integration.reviews.workflow.test_races import at_once
from weighbridge.core.errors import NotAllowed
from weighbridge.core.metrics.basis import Basis

__all__ = ["estimated", "months", "read", "rules", "send"]


@pytest.fixture
def publish(decided, now):
    """Put a policy in force that watches as the section says."""

    def put(**section):
        document = yaml.safe_load(LEAN) | {"monitoring": section}
        draft = rulebook.draft_policy(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
        return rulebook.publish(version=draft, by=None, now=now + timedelta(seconds=1))

    return put


@pytest.fixture
def old_prices(decided, cast, now):
    """The projection of the authorized request holds prices of 181 days ago."""
    projection = kept.project_and_store(spec=cost_spec(), by=cast.author, now=now - timedelta(days=181))
    return RequestProjection.objects.create(
        request=decided, number=1, projection=projection, option="own", stated_by=cast.author, stated_at=now
    )


def test_a_detection_closes_nothing_that_another_raised_meanwhile(publish, old_prices, now, monkeypatch):
    read = breaches._price_breaches

    def overtaken(*_):
        """What one detection read before the prices were old; the other raises the finding."""
        monkeypatch.setattr(breaches, "_price_breaches", read)
        assert [each.kind for each in breaches.detect_breaches(now=now)] == ["prices.expired"]
        return iter(())

    monkeypatch.setattr(breaches, "_price_breaches", overtaken)
    assert breaches.detect_breaches(now=now) == []
    assert Finding.objects.get(kind="prices.expired").state == "open"


def measure_again(request, now, **changed):
    """A fresh valid run; each named metric value is so many times what was measured for the approval."""
    run = Run.objects.filter(asked_for=request.ref, state=JobState.DONE).first()
    metrics = dict(run.result["metrics"])
    for name, times in changed.items():
        told = metrics[name]
        metrics[name] = told | {key: float(told[key]) * times for key in ("value", "lower", "upper")}
    return Run.objects.create(
        key=f"fresh{Run.objects.count()}",
        model_version=run.model_version,
        scenario=run.scenario,
        plan=run.plan,
        state=JobState.DONE,
        result=run.result | {"metrics": metrics},
        verdict="valid",
        created_at=now,
        next_attempt_at=now,
        finished_at=now,
    )


def opened():
    return ReviewRequest.objects.exclude(state="decided")


@pytest.mark.django_db
def test_a_bill_over_the_limit_drafts_a_request_for_the_owner(decided, months, estimated, rules, read, cast, now):
    read(csv_bytes([billed(months[0], "200.01")]))
    (finding,) = breaches.detect_breaches(now=now)
    draft = opened().get()
    assert (draft.state, draft.title) == ("draft", f"Again: {decided.title}")
    assert (draft.requester, draft.owner) == (decided.model_version.asset.owner,) * 2
    kept = ("team", "model_version", "purpose", "environment", "business_case", "dataset")
    assert [getattr(draft, name) for name in kept] == [getattr(decided, name) for name in kept]
    assert (draft.metric_records.count(), list(draft.rivals.all())) == (0, [])
    row = ReReview.objects.get()
    assert (row.authorization, row.finding, row.request) == (decided.decision.authorization, finding, draft)
    assert str(row) == f"{draft.ref} for {finding}"
    event = AuditEvent.objects.get(kind="re_review.opened")
    assert (event.actor, event.subject) == ("system", row.authorization.number)
    assert event.details == {"request": draft.ref, "finding": str(finding), "kind": "cost.breach"}
    assert AuditEvent.objects.filter(kind="request.created", subject=draft.ref, actor="system").exists()
    assert Authorization.objects.get().state == "active"


@pytest.mark.django_db
def test_a_recurrence_points_back_and_a_look_again_does_nothing(decided, months, estimated, rules, read, now):
    read(csv_bytes([billed(months[0], 300), billed(months[1], 300)]))
    assert len(breaches.detect_breaches(now=now)) == 2
    assert breaches.detect_breaches(now=now) == []
    draft = opened().get()
    measure_again(decided, now, latency_p95_ms=3)
    assert [finding.kind for finding in breaches.detect_breaches(now=now)] == ["drift"]
    assert (opened().get(), ReReview.objects.count()) == (draft, 3)
    assert set(ReReview.objects.values_list("request", flat=True)) == {draft.pk}
    assert AuditEvent.objects.filter(kind="re_review.pointed_back").count() == 2
    assert AuditEvent.objects.filter(kind="re_review.opened").count() == 1


@pytest.mark.django_db
def test_a_breach_after_the_re_review_ended_opens_the_next(decided, months, estimated, rules, read, cast, now):
    read(csv_bytes([billed(months[0], 300)]))
    breaches.detect_breaches(now=now)
    first = opened().get()
    requests.withdraw(request=first, reason="A price was wrong.", by=cast.author, now=now)
    assert breaches.detect_breaches(now=now) == []
    read(csv_bytes([billed(months[1], 300)]))
    assert len(breaches.detect_breaches(now=now)) == 1
    second = ReviewRequest.objects.get(state="draft")
    assert second.title == f"Again: {decided.title}"
    assert list(ReReview.objects.values_list("request", flat=True)) == [first.pk, second.pk]


@pytest.mark.django_db
def test_what_people_filed_already_is_pointed_back_to(decided, months, estimated, rules, read, cast, now):
    mine = walks.make_draft(by=cast.author, now=now, version=decided.model_version, purpose=decided.purpose)
    read(csv_bytes([billed(months[0], 300)]))
    assert len(breaches.detect_breaches(now=now)) == 1
    assert (opened().get(), ReReview.objects.get().request) == (mine, mine)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("named", "metric_values", "is_opened"),
    [
        (["quality"], {"accuracy": 0.5}, True),
        (["quality"], {"latency_p95_ms": 3}, False),
        (["latency"], {"latency_p95_ms": 3}, True),
        (["latency", "cost"], {"accuracy": 0.5}, False),
    ],
)
def test_each_kind_of_drift_is_switched_by_the_policy(decided, months, publish, now, named, metric_values, is_opened):
    publish(re_review_on=named)
    measure_again(decided, now, **metric_values)
    assert [finding.kind for finding in breaches.detect_breaches(now=now)] == ["drift"]
    assert opened().exists() is is_opened


@pytest.mark.django_db
def test_a_policy_that_says_off_raises_the_finding_alone(decided, months, estimated, rules, read, publish, now):
    publish(re_review_on=[])
    before = ReviewRequest.objects.count()
    read(csv_bytes([billed(months[0], 300)]))
    assert [finding.kind for finding in breaches.detect_breaches(now=now)] == ["cost.breach"]
    assert (ReviewRequest.objects.count(), ReReview.objects.count()) == (before, 0)
    assert not AuditEvent.objects.filter(kind__startswith="re_review").exists()


@pytest.mark.django_db
def test_old_prices_open_none_unless_the_policy_names_them(decided, old_prices, publish, cast, now):
    assert [finding.kind for finding in breaches.detect_breaches(now=now)] == ["prices.expired"]
    assert not opened().exists()
    publish(re_review_on=["prices"], prices_valid_days=90)
    RequestProjection.objects.create(
        request=decided, number=2, projection=old_prices.projection, option="own", stated_by=cast.author, stated_at=now
    )
    (finding,) = breaches.detect_breaches(now=now)
    assert "more than 90 days ago" in finding.text
    assert opened().get().re_reviews.get().finding == finding


@pytest.mark.django_db
def test_the_limits_are_those_of_the_policy_in_force(decided, months, estimated, rules, read, publish, now):
    publish(cost_tolerance_percent=100, drift_percent=60, prices_valid_days=182)
    estimated.__class__.objects.create(
        request=decided,
        name="inference_cost_1y_usd",
        value=1200,
        unit="USD",
        basis=Basis.ESTIMATED,
        lower=1200,
        upper=1200,
        confidence=Decimal("0.8"),
        source="again",
        observed_at=now,
    )
    read(csv_bytes([billed(months[0], 200)]))
    measure_again(decided, now, latency_p95_ms=1.59)
    assert breaches.detect_breaches(now=now) == []
    assert comparison.compare_costs(request=decided, now=now).months[0].limit == 200
    read(csv_bytes([billed(months[0], "200.01")]))
    measure_again(decided, now, latency_p95_ms=1.61)
    cost, drift = breaches.detect_breaches(now=now)
    assert "200.00 USD is the most" in cost.text
    assert "more than 60 %" in drift.text


@pytest.mark.django_db
def test_an_authorization_revoked_meanwhile_opens_nothing(decided, old_prices, publish, now, monkeypatch):
    publish(re_review_on=["prices"])
    rows = Authorization.objects.all()
    monkeypatch.setattr(breaches, "_drift_breaches", lambda *_: rows.update(state="revoked") and ())
    assert breaches.detect_breaches(now=now) == []
    assert (Finding.objects.count(), opened().count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_many_looks_at_once_open_one(decided, old_prices, publish, now):
    publish(re_review_on=["prices"])
    assert at_once(*[lambda: breaches.detect_breaches(now=now)] * 8) == ["done"] * 8
    assert (Finding.objects.count(), ReReview.objects.count(), opened().count()) == (1, 1, 1)
    for kind in ("re_review.opened", "finding.raised", "authorization.doubted"):
        assert AuditEvent.objects.filter(kind=kind).count() == 1


@pytest.mark.django_db
def test_rows_are_append_only(decided, old_prices, publish, now):
    publish(re_review_on=["prices"])
    breaches.detect_breaches(now=now)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ReReview.objects.update(noted_at=now)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ReReview.objects.all().delete()


@pytest.mark.django_db
def test_people_file_again_only_for_their_team(decided, cast, now):
    for person in (cast.outsider, cast.reviewer_one):
        with pytest.raises(NotAllowed):
            requests.file_again(request=decided, by=person, now=now)
    assert not opened().exists()
    other = make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    decided.rivals.add(other)
    ReviewRequest.objects.filter(pk=decided.pk).update(title="Again: " + "t" * 153)
    decided.refresh_from_db()
    draft = requests.file_again(request=decided, by=cast.author, now=now)
    assert (draft.title, list(draft.rivals.all())) == ("Again: " + "t" * 153, [other])


@pytest.mark.django_db
def test_the_owner_finds_it_in_the_inbox_and_on_both_pages(decided, old_prices, publish, cast, now):
    publish(re_review_on=["prices"])
    (finding,) = breaches.detect_breaches(now=now)
    draft = opened().get()
    entries = enter(cast.author).get("/").context["inbox"].entries
    (entry,) = [entry for entry in entries if entry.ref == draft.ref]
    assert entry.step == f"{finding} requires a new review: state the current metric values and submit the draft."
    number = decided.decision.authorization.number
    first = words(enter(cast.author).get(f"/requests/{decided.ref}/"))
    assert "Re-reviews" in first
    assert draft.ref in first
    again = words(enter(cast.author).get(f"/requests/{draft.ref}/"))
    assert "Opened automatically because of a breach of an authorization" in again
    assert number in again
    assert f"{finding}: {finding.text}" in again


@pytest.mark.django_db
def test_programs_read_it_on_both_sides_and_strangers_neither(api, decided, old_prices, publish, cast, now):
    publish(re_review_on=["prices"])
    (finding,) = breaches.detect_breaches(now=now)
    draft = opened().get()
    (told,) = api(cast.author).get(f"/api/v1/requests/{decided.ref}/").json()["authorization"]["re_reviews"]
    assert (told["finding"], told["kind"], told["request"], told["state"]) == (
        str(finding),
        "prices.expired",
        draft.ref,
        "draft",
    )
    assert (told["first"], told["authorization"]) == (decided.ref, decided.decision.authorization.number)
    assert api(cast.author).get(f"/api/v1/requests/{draft.ref}/").json()["re_review_reasons"] == [told]
    assert api(cast.author).get(f"/api/v1/requests/{decided.ref}/").json()["re_review_reasons"] == []
    assert api(cast.outsider).get(f"/api/v1/requests/{draft.ref}/").status_code == 404
