"""One artifact in one environment has one standing: no team talks its way around what is known of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml
from django.test import Client

from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization, Condition
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, review, screening
from reviews.workflow.actions.review import LiftedCondition, NewCondition
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

DAY = timedelta(days=1)
SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}
PURPOSES = iter(f"Purpose {number}" for number in range(1000))


def answer(version: ModelVersion, cast: Cast, now: datetime, environment: str = "dev") -> tuple[str, str]:
    found = gate.decide(digest=version.digest, environment=environment, person=person_of(cast.auditor), now=now)
    return found.answer, found.standing


def small(version: ModelVersion, cast: Cast, now: datetime, **changes: Any) -> ReviewRequest:
    """A request that the policy alone would clear."""
    by = cast.author if version.asset.team.slug == "search" else cast.outsider
    fields = {"purpose": next(PURPOSES), "environment": "dev", "declared": SMALL, "with_data": False, **changes}
    return walks.make_submitted(by=by, now=now, version=version, **fields)


def reject(request: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(
        request=request,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="Too slow.",
        by=cast.reviewer_one,
        now=now,
    )


def ready(version: ModelVersion | None, cast: Cast, now: datetime, **changes: Any) -> ReviewRequest:
    fields = {"purpose": next(PURPOSES), "environment": "dev", **changes}
    request = walks.make_ready(by=cast.author, now=now, version=version, **fields)
    return review.request_review(request=request, by=cast.author, now=now)


def approve(
    request: ReviewRequest, cast: Cast, now: datetime, *conditions: NewCondition | LiftedCondition
) -> Authorization:
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    review.vote(
        request=request,
        stage_id="gpu-budget",
        choice=VoteChoice.APPROVE,
        conditions=conditions,
        by=cast.approver,
        now=now,
    )
    return Authorization.objects.get(decision__request=request)


@pytest.fixture(autouse=True)
def _budget(cast: Cast, now: datetime) -> None:
    for day in (now, now + DAY):  # the next day may be in another quarter
        walks.allocate_budget(team=Team.objects.get(slug="search"), by=cast.finance, now=day)


@pytest.fixture
def twin(policy: PolicyVersion, cast: Cast, now: datetime) -> ModelVersion:
    """The same bytes, registered by another team."""
    return make_version(by=cast.outsider, team="ads", now=now)


def test_a_clearance_of_an_unknown_artifact_allows(
    policy: PolicyVersion, cast: Cast, twin: ModelVersion, now: datetime
) -> None:
    assert small(twin, cast, now).state == "cleared"
    assert answer(twin, cast, now) == ("allow", "cleared")


@pytest.mark.parametrize("filed_by", ["the same team", "another team"])
@pytest.mark.parametrize("fate", ["rejected", "under_review", "review_lost", "revoked"])
def test_what_is_denied_or_under_review_is_never_cleared_by_the_next_request(
    policy: PolicyVersion, cast: Cast, twin: ModelVersion, now: datetime, filed_by: str, fate: str
) -> None:
    version = make_version(by=cast.author, now=now)
    if fate == "rejected":
        reject(ready(version, cast, now), cast, now)
    elif fate == "revoked":
        granted = approve(ready(version, cast, now), cast, now)
        authorizations.revoke(authorization=granted, reason="It leaks.", by=cast.approver, now=now)
    else:
        first = walks.make_submitted(by=cast.author, now=now, version=version, environment="dev", with_data=False)
        if fate == "review_lost":
            requests.withdraw(request=first, reason="Nobody likes it.", by=cast.author, now=now)
    again = small(version if filed_by == "the same team" else twin, cast, now + DAY)
    assert (again.state, again.review_opened_at) == ("evidence", now + DAY)
    expected = "under_review" if fate == "review_lost" else fate
    assert answer(version, cast, now + DAY) == ("deny", expected)


def test_a_team_that_no_rule_is_about_files_for_review_what_was_under_review(
    policy: PolicyVersion, cast: Cast, twin: ModelVersion, now: datetime
) -> None:
    source = yaml.safe_load(policy.source)
    for rule in source["rules"]:
        rule["scope"] = rule.get("scope", {}) | {"teams": ["search"]}
    draft = rulebook.draft_policy(source=yaml.safe_dump(source), by=None, now=now)
    rulebook.publish(version=draft, by=None, now=now)
    version = make_version(by=cast.author, now=now)
    walks.make_submitted(by=cast.author, now=now, version=version, environment="dev", with_data=False)
    again = small(twin, cast, now)
    assert (again.state, again.policy_evaluations.get().outcome) == ("evidence", "cleared")
    moved = AuditEvent.objects.filter(kind="request.evidence", subject=again.ref)
    assert [event.reason for event in moved] == [screening.REVIEWED_BEFORE]


def test_a_clearance_ends_when_another_request_for_the_artifact_comes_under_review(
    policy: PolicyVersion, cast: Cast, twin: ModelVersion, now: datetime
) -> None:
    small(twin, cast, now)
    version = make_version(by=cast.author, now=now)
    walks.make_submitted(by=cast.author, now=now, version=version, environment="dev", with_data=False)
    assert answer(twin, cast, now) == ("deny", "under_review")
    assert answer(twin, cast, now, environment="staging") == ("deny", "unknown")


def test_a_rejection_stands_until_an_approval_whose_voters_saw_it(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    version = make_version(by=cast.author, now=now)
    first = ready(version, cast, now)
    reject(first, cast, now)
    second = ready(version, cast, now + DAY)
    frozen = second.revisions.get()
    assert frozen.bundle["denials"] == [{"name": first.ref, "standing": "rejected"}]
    assert answer(version, cast, now + DAY) == ("deny", "rejected")
    approve(second, cast, now + DAY)
    assert answer(version, cast, now + DAY) == ("allow", "authorized")
    assert second.decision.settles == [[first.ref, "rejected"]]


def test_an_approval_whose_voters_did_not_see_a_rejection_is_refused(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    version = make_version(by=cast.author, now=now)
    first, second = ready(version, cast, now), ready(version, cast, now)
    reject(first, cast, now)
    with pytest.raises(WrongState, match="evidence changed"):
        approve(second, cast, now)
    assert not Authorization.objects.exists()
    assert answer(version, cast, now) == ("deny", "rejected")


def test_a_later_rejection_revokes_what_was_approved(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    granted = approve(ready(version, cast, now), cast, now)
    again = ready(version, cast, now + DAY)
    assert answer(version, cast, now + DAY) == ("allow", "authorized")
    reject(again, cast, now + DAY)
    granted.refresh_from_db()
    assert granted.state == "revoked"
    assert answer(version, cast, now + DAY) == ("deny", "rejected")


def promise(cast: Cast, now: datetime, text: str = "Watch the error rate.") -> NewCondition:
    return NewCondition(text=text, owner=cast.author, due_on=(now + 30 * DAY).date())


def test_conditions_accumulate_over_approvals(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    first = approve(ready(version, cast, now), cast, now, promise(cast, now))
    again = ready(version, cast, now + DAY)
    second = approve(again, cast, now + DAY, promise(cast, now, "Publish the bill."))
    first.refresh_from_db()
    assert (first.state, again.decision.outcome) == ("superseded", "approved_with_conditions")
    assert sorted(row.text for row in second.conditions.all()) == ["Publish the bill.", "Watch the error rate."]
    (old,) = first.conditions.all()
    carried = second.conditions.get(text=old.text)
    assert (old.carried_to, carried.set_by, carried.due_on) == (carried, cast.approver, old.due_on)
    assert answer(version, cast, now + DAY) == ("allow", "conditional")
    late = now + 40 * DAY
    assert answer(version, cast, late) == ("deny", "suspended")


@pytest.mark.parametrize("years", [11, 7_900])
def test_a_condition_is_due_in_a_time_that_people_expect(
    policy: PolicyVersion, cast: Cast, now: datetime, years: int
) -> None:
    version, late = make_version(by=cast.author, now=now), now.date().replace(day=1, year=now.year + years)
    request = ready(version, cast, now)
    with pytest.raises(Invalid, match="within 10 years"):
        approve(request, cast, now, NewCondition(text="Someday.", owner=cast.author, due_on=late))
    assert not Authorization.objects.exists()
    review.vote(request=request, stage_id="gpu-budget", choice=VoteChoice.APPROVE, by=cast.approver, now=now)
    granted = Authorization.objects.get()
    fields = {"text": "Someday.", "owner": cast.author, "by": cast.approver, "now": now}
    with refused(Invalid, match="within 10 years", field="due_on"):
        authorizations.add_condition(authorization=granted, due_on=late, **fields)


def test_an_approval_lifts_only_the_conditions_that_it_names(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    first = approve(ready(version, cast, now), cast, now, promise(cast, now), promise(cast, now, "Publish the bill."))
    kept, lifted = first.conditions.order_by("-text")
    again = ready(version, cast, now + DAY)
    with pytest.raises(Invalid, match="Only open conditions"):
        approve(again, cast, now + DAY, LiftedCondition(lifted.pk + 1000))
    review.vote(
        request=again,
        stage_id="gpu-budget",
        choice=VoteChoice.APPROVE,
        conditions=(LiftedCondition(lifted.pk),),
        by=cast.approver,
        now=now + DAY,
    )
    second = Authorization.objects.get(decision__request=again)
    assert [row.text for row in second.conditions.all()] == [kept.text]
    lifted.refresh_from_db()
    assert (lifted.lifted_by, lifted.carried_to) == (cast.approver, None)


def test_only_the_person_who_set_a_condition_lifts_it(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    granted = approve(ready(version, cast, now), cast, now, promise(cast, now))
    condition = granted.conditions.get()
    late = now + 40 * DAY
    authorizations.expire_due(now=late)
    for person in (cast.author, cast.reviewer_one, cast.admin, cast.product):
        with pytest.raises(NotAllowed):
            authorizations.lift_condition(condition=condition, reason="It is not needed.", by=person, now=late)
    with pytest.raises(Invalid):
        authorizations.lift_condition(condition=condition, reason="No.", by=cast.approver, now=late)
    assert Condition.objects.get().is_open
    authorizations.lift_condition(condition=condition, reason="It is not needed.", by=cast.approver, now=late)
    granted.refresh_from_db()
    assert (granted.state, Condition.objects.get().lifted_by) == ("active", cast.approver)
    with pytest.raises(WrongState):
        authorizations.lift_condition(condition=condition, reason="It is not needed.", by=cast.approver, now=late)


@pytest.mark.parametrize("fate", ["rejected", "carries the condition", "lifts the condition", "under review"])
def test_two_teams_with_one_artifact_learn_no_reference_of_each_other(
    policy: PolicyVersion, cast: Cast, now: datetime, fate: str
) -> None:
    own = ready(make_version(by=cast.author, now=now), cast, now)
    condition = approve(own, cast, now, promise(cast, now)).conditions.get()
    twin = make_version(by=cast.outsider, team="ads", now=now)
    walks.allocate_budget(team=twin.asset.team, by=cast.finance, now=now)
    draft = walks.make_draft(by=cast.outsider, version=twin, with_data=False, environment="dev", now=now)
    ReviewRequest.objects.filter(pk=draft.pk).update(dataset=own.dataset)
    draft.refresh_from_db()
    other = requests.submit(request=draft, by=cast.outsider, now=now)
    walks.take_results(request=other, now=now)
    walks.answer_everything(request=other, by=cast.outsider, now=now)
    other = review.request_review(request=other, by=cast.outsider, now=now)
    if fate == "rejected":
        reject(other, cast, now)
    elif fate != "under review":
        approve(other, cast, now, *([LiftedCondition(condition.pk)] if fate.startswith("lifts") else []))
    for person, read, hidden in ((cast.author, own, other), (cast.outsider, other, own)):
        client, number = Client(), hidden.ref.removeprefix("MRR-")
        client.force_login(person)
        for address in (f"/requests/{read.ref}/", f"/api/v1/requests/{read.ref}/"):
            answer = client.get(address)
            assert (answer.status_code, number in answer.content.decode()) == (200, False), address
