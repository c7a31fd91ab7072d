"""The factories themselves: each walk ends in the state it is named after."""

from governance.audit.models import AuditEvent
from reviews.requests.models import ReviewRequest


def test_a_submitted_request_waits_for_evidence(submitted: ReviewRequest) -> None:
    assert (submitted.state, submitted.ticket.state) == ("evidence", "waiting")


def test_a_ready_request_is_measured(ready: ReviewRequest) -> None:
    assert ready.state == "evidence"
    assert ready.metric_records.filter(basis="measured").count() == 6
    assert ready.checklist_answers.count() == 3


def test_a_request_in_review_is_frozen(in_review: ReviewRequest) -> None:
    assert (in_review.state, in_review.revisions.count(), in_review.votes.count()) == ("in_review", 1, 0)


def test_a_decided_request_is_authorized(decided: ReviewRequest) -> None:
    assert (decided.state, decided.decision.outcome) == ("decided", "approved")
    assert decided.decision.authorization.subject_digest == decided.model_version.digest
    assert (
        AuditEvent.objects.filter(kind="authorization.issued", subject=decided.ref.replace("MRR", "AUT")).count() == 1
    )
