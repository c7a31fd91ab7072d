"""What a revision freezes, what a ticket says, and what is known of a request."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from governance.budgets.enums import BudgetUnit
from reviews.evidence.queries.evidence import amounts_of, metric_values_of, severities
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import fixed_policy_version
from reviews.snapshots.queries.evidence_bundle import bundle_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.tickets.ports import Fields, Heading, Link, Paragraph
from reviews.tickets.queries.drafts import draft_of, request_url
from reviews.voting.queries.review_blockers import review_blockers
from tests.factories import requests as walks
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import WrongState


def test_equal_evidence_gives_an_equal_document(in_review: ReviewRequest, now: datetime) -> None:
    frozen = in_review.revisions.get()
    fresh = ReviewRequest.objects.get(pk=in_review.pk)
    assert bundle_of(snapshot_of(fresh, now=now)) == frozen.bundle
    assert digest_of(bundle_of(snapshot_of(fresh, now=now + timedelta(days=1)))) == frozen.digest


def test_it_covers_everything_the_voters_judge(in_review: ReviewRequest, author: User, now: datetime) -> None:
    bundle = bundle_of(snapshot_of(in_review, now=now))
    version = in_review.model_version
    assert bundle["artifact"] == {"name": "Visual search 1.0.0", "digest": version.digest}
    assert (bundle["policy"], bundle["checklist"]) == (in_review.policy.digest, in_review.checklist.digest)
    assert bundle["dataset"] == in_review.dataset.digest
    assert [metric_value["name"] for metric_value in bundle["metric_values"]] == [
        *walks.DECLARED,
        *sorted(walks.MEASURED),
    ]
    (run,) = bundle["runs"]
    assert (run["state"], run["verdict"], len(run["result"])) == ("done", "valid", 71)
    assert [answer["item"] for answer in bundle["answers"]] == sorted(walks.ANSWERS)
    assert {answer["by"] for answer in bundle["answers"]} == {author.pk}
    assert bundle["policy_evaluation"] == to_document(EvidenceSnapshot(in_review, now).policy_evaluation)


def test_a_draft_without_data_has_a_document_too(author: User, now: datetime) -> None:
    draft = walks.make_draft(by=author, now=now, with_data=False)
    with pytest.raises(WrongState, match="submit it first"):
        bundle_of(snapshot_of(draft, now=now))
    with pytest.raises(WrongState, match="submit it first"):
        fixed_policy_version(draft)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Other"),
        ("purpose", "Other"),
        ("environment", "dev"),
        ("business_case", "Other"),
        ("revision", 2),
        ("dataset", None),
    ],
)
def test_whatever_changes_shows(in_review: ReviewRequest, now: datetime, field: str, value: object) -> None:
    setattr(in_review, field, value)
    assert digest_of(bundle_of(snapshot_of(in_review, now=now))) != in_review.revisions.get().digest


def test_the_amounts_are_the_best_metric_values_to_the_cent(draft: ReviewRequest, author: User, now: datetime) -> None:
    assert amounts_of([]) == {BudgetUnit.USD: 0, BudgetUnit.GPU_H: 0}
    walks.state_metric_value(
        request=draft, name="total_cost_1y_usd", value="30000.016", by=author, now=now + timedelta(seconds=1)
    )
    assert amounts_of(metric_values_of(draft)) == {
        BudgetUnit.USD: Decimal("30000.02"),
        BudgetUnit.GPU_H: Decimal(320),
    }


def test_severities_are_those_of_the_results(submitted: ReviewRequest, now: datetime) -> None:
    said = EvidenceSnapshot(submitted, now).policy_evaluation
    assert severities(to_document(said)) == {result.rule_id: result.severity for result in said.results}


def test_the_ticket_says_why_it_was_opened(submitted: ReviewRequest, now: datetime) -> None:
    walks.take_results(request=submitted, now=now)
    draft = draft_of(submitted)
    page = f"https://weighbridge.test/requests/{submitted.ref}/"
    assert (request_url(submitted), draft.label) == (page, submitted.ticket.label)
    assert draft.summary == f"{submitted.ref} Model review: Visual search, autumn model"
    case, why, rules, subject, metric_values, link = draft.body
    assert (case, why, subject) == (
        Paragraph("Raises conversion of the search page by 1.5 %."),
        Heading("Why a review is mandatory"),
        Heading("Subject"),
    )
    assert isinstance(rules, Fields)
    assert [name for name, _ in rules.rows] == ["Training GPU hours", "Latency p95", "Accuracy"]
    assert isinstance(metric_values, Fields)
    assert dict(metric_values.rows) == {
        "Model": "Visual search 1.0.0",
        "Digest": submitted.model_version.digest,
        "Purpose": walks.PURPOSE,
        "Environment": "prod",
        "Team": "Search",
        "Policy": str(submitted.policy),
    }
    assert link == Link(f"{submitted.ref} in Weighbridge", page)


def test_what_stands_in_the_way_is_what_would_be_refused(submitted: ReviewRequest, author: User, now: datetime) -> None:
    codes = [each.code for each in review_blockers(EvidenceSnapshot(submitted, now))]
    assert codes[0] == "run_unfinished"
    assert {"checklist_open", "indeterminate"} <= set(codes)
    walks.take_results(request=submitted, now=now)
    walks.answer_everything(request=submitted, by=author, now=now)
    assert review_blockers(EvidenceSnapshot(submitted, now)) == ()


def test_a_draft_has_no_obstacles_yet(draft: ReviewRequest, now: datetime) -> None:
    assert review_blockers(EvidenceSnapshot(draft, now)) == ()
