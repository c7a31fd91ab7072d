"""The gate: which artifact may run where, until when, and why not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from governance.audit.queries.keys import public_key
from governance.people.domain.roles import Person, Role
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import requests, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from weighbridge.client.feed.summaries import read_summary, summary_answer

DAY = timedelta(days=1)
NOBODY = ("No request was ever filed for an artifact with this digest and environment.",)
SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}


def decide(**question: Any) -> gate.GateDecision:
    """The answer for a reader of all teams."""
    return gate.decide(person=Person(id=0, username="auditor", roles=frozenset({Role.AUDITOR})), **question)


def cleared(cast: Cast, now: datetime, **changes: object) -> ReviewRequest:
    return walks.make_submitted(by=cast.author, now=now, environment="dev", declared=SMALL, **changes)


def test_an_authorization_allows_with_its_statement(decided: ReviewRequest, now: datetime) -> None:
    row = decided.decision.authorization
    answer = decide(digest=row.subject_digest, environment="prod", now=now)
    assert (answer.answer, answer.authorization, answer.request) == ("allow", row.number, decided.ref)
    assert (answer.expires_at, answer.statement) == (row.expires_at, row.envelope)
    assert answer.reasons == (f"{row.number} authorizes this artifact for prod until {row.expires_at:%Y-%m-%d}.",)
    summary = read_summary(answer.summary, keys=[public_key()])
    assert summary_answer(summary, digest=row.subject_digest, environment="prod", now=now).is_allowed


def test_another_artifact_and_another_environment_are_denied(decided: ReviewRequest, now: datetime) -> None:
    digest = decided.model_version.digest
    unknown = decide(digest="sha256:" + "0" * 64, environment="prod", now=now)
    assert (unknown.answer, unknown.reasons) == ("deny", NOBODY)
    assert (unknown.authorization, unknown.request, unknown.expires_at, unknown.statement) == ("", "", None, None)
    elsewhere = decide(digest=digest, environment="staging", now=now)
    assert elsewhere.answer == "deny"
    assert elsewhere.reasons == (f"{decided.ref} is for prod, not for staging.",)


def test_it_ends_on_the_second_whether_anybody_noticed_or_not(decided: ReviewRequest) -> None:
    row = decided.decision.authorization
    digest = row.subject_digest
    assert decide(digest=digest, environment="prod", now=row.expires_at - timedelta(seconds=1)).answer == "allow"
    for _ in range(2):
        answer = decide(digest=digest, environment="prod", now=row.expires_at)
        assert (answer.answer, answer.reasons) == ("deny", (f"{row.number} is expired.",))
        authorizations.expire_due(now=row.expires_at)


def test_a_warning_still_allows(decided: ReviewRequest) -> None:
    row = decided.decision.authorization
    authorizations.expire_due(now=row.warn_at)
    assert Authorization.objects.get().state == "pending_expiration"
    assert decide(digest=row.subject_digest, environment="prod", now=row.warn_at).answer == "allow"


def test_what_is_suspended_or_revoked_is_denied(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    promise = NewCondition(text="Watch it.", owner=cast.author, due_on=(now + DAY).date())
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    review.vote(
        request=in_review,
        stage_id="gpu-budget",
        choice=VoteChoice.APPROVE,
        conditions=(promise,),
        by=cast.approver,
        now=now,
    )
    row, later = Authorization.objects.get(), now + 2 * DAY
    authorizations.expire_due(now=later)
    suspended = decide(digest=row.subject_digest, environment="prod", now=later)
    assert (suspended.answer, suspended.reasons[0]) == ("deny", f"{row.number} is suspended.")
    authorizations.revoke(authorization=row, reason="It leaks.", by=cast.approver, now=later)
    revoked = decide(digest=row.subject_digest, environment="prod", now=later)
    assert (revoked.answer, revoked.reasons[0]) == ("deny", f"{row.number} is revoked.")


def test_the_longest_of_two_is_shown(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    later = now + DAY
    walks.allocate_budget(team=decided.team, by=cast.finance, now=later)  # which may be in another quarter
    again = walks.make_ready(by=cast.author, now=later, version=decided.model_version, purpose="Another")
    again = review.request_review(request=again, by=cast.author, now=later)
    walks.approve(request=again, cast=cast, now=later)
    answer = decide(digest=decided.model_version.digest, environment="prod", now=later)
    assert (answer.request, answer.expires_at) == (again.ref, later + 365 * DAY)


def test_what_the_policy_cleared_may_run_where_it_was_cleared(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = cleared(cast, now)
    digest = request.model_version.digest
    answer = decide(digest=digest, environment="dev", now=now)
    assert (answer.answer, answer.authorization, answer.statement) == ("allow", "", None)
    assert (answer.request, answer.expires_at) == (request.ref, now + 365 * DAY)
    assert answer.reasons == (
        f"{request.ref} was cleared: no rule of {policy} fired. Valid until {answer.expires_at:%Y-%m-%d}.",
    )
    assert decide(digest=digest, environment="prod", now=now).reasons == (f"{request.ref} is for dev, not for prod.",)
    expired = decide(digest=digest, environment="dev", now=now + 365 * DAY)
    assert (expired.answer, expired.reasons) == ("deny", (f"{request.ref} is cleared.",))
    requests.expire(request=request, now=now + 365 * DAY)
    assert decide(digest=digest, environment="dev", now=now).reasons == (f"{request.ref} is expired.",)


@pytest.mark.parametrize("days", [0, 1])
def test_no_clearance_gives_back_what_people_took(policy: PolicyVersion, cast: Cast, now: datetime, days: int) -> None:
    decided = walks.make_decided(cast=cast, now=now, environment="dev")
    version = decided.model_version
    cleared(cast, now + days * DAY, version=version, purpose="Another", with_data=False)
    row = decided.decision.authorization
    assert decide(digest=version.digest, environment="dev", now=now + DAY).authorization == row.number
    authorizations.revoke(authorization=row, reason="It leaks.", by=cast.approver, now=now)
    answer = decide(digest=version.digest, environment="dev", now=now + DAY)
    assert (answer.answer, answer.reasons[0]) == ("deny", f"{row.number} is revoked.")


def test_a_request_under_way_is_no_leave(submitted: ReviewRequest, now: datetime) -> None:
    answer = decide(digest=submitted.model_version.digest, environment="prod", now=now)
    assert (answer.answer, answer.reasons) == (
        "deny",
        (f"{submitted.ref} is gathering evidence; a review of this artifact is mandatory.",),
    )


def test_a_rejected_artifact_is_denied(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="Too slow.",
        by=cast.reviewer_one,
        now=now,
    )
    assert decide(digest=in_review.model_version.digest, environment="prod", now=now).answer == "deny"


def test_the_same_bytes_of_another_team_are_the_same_artifact(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    twin = make_version(by=cast.outsider, team="ads", now=now)
    assert twin.digest == decided.model_version.digest
    assert decide(digest=twin.digest, environment="prod", now=now).answer == "allow"
