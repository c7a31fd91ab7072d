"""What still stands in the way of a review is exactly what asking for one is refused for, in the same order."""

from datetime import datetime, timedelta

import pytest

from benchmarking.runs.models import Run
from governance.jobs import actions as jobs
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.voting.queries.review_blockers import ReviewBlocker, review_blockers
from reviews.workflow.actions import review
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, words
from weighbridge.core.errors import Refused

DENYING = (
    "effect: require_review\n    level: hard\n    on_indeterminate: require_review\n    message: Training beyond",
    "effect: deny\n    level: hard\n    on_indeterminate: deny\n    message: Training beyond",
)


@pytest.fixture
def denying(policy: PolicyVersion, now: datetime) -> PolicyVersion:
    """The default policy, but more than 200 GPU hours are denied outright."""
    source = defaults.text_of(defaults.POLICY)
    assert source.count(DENYING[0]) == 1
    draft = rulebook.draft_policy(source=source.replace(*DENYING), by=None, now=now)
    return rulebook.publish(version=draft, by=None, now=now)


def refusal_of(request: ReviewRequest, cast: Cast, now: datetime) -> Refused:
    with pytest.raises(Refused) as refusal:
        review.request_review(request=request, by=cast.author, now=now)
    return refusal.value


def test_step_by_step_to_the_review(denying: PolicyVersion, cast: Cast, now: datetime) -> None:
    draft = walks.make_draft(by=cast.author, now=now, declared=walks.DECLARED | {"latency_p95_ms": "1"})
    assert review_blockers(EvidenceSnapshot(draft, now)) == ()
    request = walks.requests.submit(request=draft, by=cast.author, now=now)
    seen = []
    for step in (
        lambda: walks.take_results(request=request, now=now),
        lambda: walks.answer_everything(request=request, by=cast.author, now=now),
        lambda: walks.evidence.answer_contradiction(
            request=request, name="latency_p95_ms", text="Another machine.", by=cast.author, now=now
        ),
        lambda: None,
    ):
        first, refusal = review_blockers(EvidenceSnapshot(request, now))[0], refusal_of(request, cast, now)
        assert first.code == refusal.code
        assert first.reason in refusal.reason or first.code == "denied"
        seen.append((first.code, first.part))
        step()
    assert seen == [
        ("run_unfinished", "runs"),
        ("checklist_open", "checklist"),
        ("contradicted", "metric-values"),
        ("denied", "policy"),
    ]
    assert review_blockers(EvidenceSnapshot(request, now))[0].reason.endswith("The policy denies this.")


def test_nothing_in_the_way_and_money_there_means_a_review(ready: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert review_blockers(EvidenceSnapshot(ready, now)) == ()
    assert refusal_of(ready, cast, now).code == "no_budget"
    walks.allocate_budget(team=ready.team, by=cast.finance, now=now)
    assert review.request_review(request=ready, by=cast.author, now=now).state == "in_review"


def test_the_reason_of_a_failed_run_stands_with_the_buttons_that_help(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_submitted(by=cast.author, now=now, with_data=False)
    run = Run.objects.get(asked_for=request.ref)
    claimed = Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=1))
    assert claimed is not None
    jobs.fail(row=claimed, reason="The model takes a fixed batch of 3.", now=now)
    blockers = {each.code: each for each in reversed(review_blockers(EvidenceSnapshot(request, now)))}
    assert blockers["run_failed"] == ReviewBlocker(
        "run_failed",
        f"Run {run.pk} (SingleStream) gave no evidence: The model takes a fixed batch of 3.",
        f"run-{run.pk}",
        ("run_again", "other_data", "other_file"),
        run.pk,
    )
    by_item = [each.remedies for each in review_blockers(EvidenceSnapshot(request, now)) if "Accuracy" in each.reason]
    assert ("other_data",) in by_item
    shown = words(enter(cast.author).get(page_of(request)))
    assert (
        "gave no evidence: The model takes a fixed batch of 3. Show Run again Choose other data File another" in shown
    )
    assert "Choose other data" not in words(enter(cast.reviewer_one).get(page_of(request)))
    page = enter(cast.author).post(f"{page_of(request)}runs/{run.pk}/repeat/", follow=True)
    assert "run_failed" not in {each.code for each in page.context["view"].review_blockers}


@pytest.mark.parametrize(("verdict", "reasons"), [("invalid", ("Too few samples.",)), ("invalid", ())])
def test_an_invalid_run_says_why(
    submitted: ReviewRequest, now: datetime, verdict: str, reasons: tuple[str, ...]
) -> None:
    walks.take_results(request=submitted, now=now, result=walks.result_of({}, verdict=verdict, reasons=reasons))
    (failed,) = [each for each in review_blockers(EvidenceSnapshot(submitted, now)) if each.code == "run_failed"]
    assert failed.reason.endswith(reasons[0] if reasons else "it ended done.")


def test_a_failed_run_blocks_nothing_that_is_evidenced_otherwise(
    ready: ReviewRequest, cast: Cast, now: datetime
) -> None:
    run = Run.objects.get(asked_for=ready.ref)
    again = walks.evidence.measure_again(request=ready, run=run, by=cast.author, now=now)
    jobs.cancel(row=again, by=cast.author, now=now)
    assert review_blockers(EvidenceSnapshot(ready, now)) == ()
