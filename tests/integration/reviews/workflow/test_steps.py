"""The steps of a request over HTTP, from draft to decision."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.rulebook.domain.evaluation.policies import Evaluation
from governance.rulebook.domain.policy import Policy
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries import snapshot as evidence_snapshot
from reviews.requests.models import ReviewRequest
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget, make_draft, usd_shares
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
URL = "/api/v1/requests/"
APPROVAL = {"choice": "approve", "rationale": "Fast and cheap."}


def post(client: APIClient, request: ReviewRequest, step: str, **fields: Any) -> Any:
    return client.post(f"{URL}{request.ref}/{step}/", fields, format="json")


def test_submitting_opens_the_review(api: Api, policy: PolicyVersion, author: User, draft: ReviewRequest) -> None:
    response = post(api(author), draft, "submit")
    said = response.json()
    assert (response.status_code, said["state"], said["state_owner"]) == (200, "evidence", "requester")
    assert said["policy"] == {"name": "default", "number": 1, "digest": policy.digest}
    policy_evaluation = said["policy_evaluation"]
    assert (policy_evaluation["outcome"], policy_evaluation["occasion"]) == ("review_required", "submission")
    fired = {rule["rule_id"]: rule["status"] for rule in policy_evaluation["rules"] if rule["effect"]}
    assert fired == {
        "training-gpu-hours": "fired",
        "latency-p95-prod": "indeterminate",
        "accuracy-floor-prod": "indeterminate",
    }
    assert (said["ticket"]["state"], said["ticket"]["waiting"]) == ("waiting", 1)
    assert [(run["state"], run["scenario"], run["queue_place"]) for run in said["runs"]] == [
        ("queued", "SingleStream", 1)
    ]
    assert said["review_blockers"][0]["code"] == "run_unfinished"
    assert said["allowed_steps"]["request_review"]["is_allowed"] is False


def test_what_no_rule_stops_is_cleared(api: Api, policy: PolicyVersion, author: User, now: datetime) -> None:
    declared = {"training_gpu_hours": "1", "training_cost_usd": "30", "inference_cost_1y_usd": "900"}
    request = make_draft(by=author, environment="dev", declared=declared, now=now)
    said = post(api(author), request, "submit").json()
    assert (said["state"], said["policy_evaluation"]["outcome"], said["ticket"], said["runs"]) == (
        "cleared",
        "cleared",
        None,
        [],
    )


def test_the_whole_way(api: Api, cast: Cast, ready: ReviewRequest, now: datetime) -> None:
    allocate_budget(team=ready.team, by=cast.finance, now=now)
    said = post(api(cast.author), ready, "review").json()
    assert (said["state"], [stage["is_open"] for stage in said["stages"]]) == ("in_review", [True, False])
    first, *later = usd_shares(now=now)
    assert [(row["unit"], Decimal(row["amount"]), Decimal(row["after"])) for row in said["budget"]] == [
        ("USD", first, 100_000 - first),
        ("gpu_h", 320, 680),
        *(("USD", share, -share) for share in later),
    ]
    assert [row["is_later"] for row in said["budget"]] == [False, False, *(True for _ in later)]
    for reviewer in (cast.reviewer_one, cast.reviewer_two):
        response = post(api(reviewer), ready, "votes", stage="technical", **APPROVAL)
        assert (response.status_code, response.json()["state"]) == (201, "in_review")
    due_on = (now.date() + timedelta(days=60)).isoformat()
    condition = {"text": "Measure the INT8 variant.", "owner": "author", "due_on": due_on}
    said = post(api(cast.approver), ready, "votes", stage="gpu-budget", conditions=[condition], **APPROVAL).json()
    assert (said["state"], said["outcome"], said["decision"]["outcome"]) == (
        "decided",
        "approved_with_conditions",
        "approved_with_conditions",
    )
    held = said["authorization"]
    assert (held["subject_digest"], held["environment"], held["state"]) == (said["model"]["digest"], "prod", "active")
    assert [(each["text"], each["owner"], each["due_on"]) for each in held["conditions"]] == [
        ("Measure the INT8 variant.", "Author", due_on)
    ]
    assert [(row["unit"], row["is_booked"]) for row in said["budget"]] == [
        ("USD", True),
        ("gpu_h", True),
        *(("USD", True) for _ in later),
    ]
    assert [packet["number"] for packet in said["packets"]] == [1]
    votes = api(cast.auditor).get(f"{URL}{ready.ref}/votes/").json()
    assert [(vote["person"], vote["stage"], vote["is_void"]) for vote in votes["votes"]] == [
        ("Approver", "GPU budget", False),
        ("Reviewer Two", "Technical review", False),
        ("Reviewer One", "Technical review", False),
    ]
    assert [(stage["id"], stage["needed"], stage["is_complete"]) for stage in votes["stages"]] == [
        ("technical", 0, True),
        ("gpu-budget", 0, True),
    ]


def test_who_may_not_vote(api: Api, cast: Cast, in_review: ReviewRequest) -> None:
    before = snapshot()
    codes = {}
    for person in ("author", "approver", "finance", "admin", "auditor"):
        response = post(api(getattr(cast, person)), in_review, "votes", stage="technical", **APPROVAL)
        assert response.status_code == 403
        codes[person] = response.json()["code"]
    wrong = dict.fromkeys(("approver", "finance", "admin", "auditor"), "wrong_role")
    assert codes == {"author": "separation_of_duties", **wrong}
    assert snapshot() == before


def test_nobody_votes_twice(api: Api, reviewer_one: User, in_review: ReviewRequest) -> None:
    client = api(reviewer_one)
    post(client, in_review, "votes", stage="technical", **APPROVAL)
    before = snapshot()
    assert post(client, in_review, "votes", stage="technical", **APPROVAL).status_code in {403, 409}
    assert snapshot() == before


def promise(**changes: str) -> dict[str, Any]:
    """A vote with one condition."""
    condition = {"text": "Measure INT8.", "owner": "author", "due_on": "2999-01-01"} | changes
    return {"stage": "technical", **APPROVAL, "conditions": [condition]}


NO_VOTES: list[tuple[dict[str, Any], int, str]] = [
    ({"stage": "technical", "choice": "abstain"}, 400, "choice"),
    ({"stage": "technical"}, 400, "choice"),
    ({"stage": "technical", "choice": "reject"}, 400, "rationale"),
    ({"stage": "legal", **APPROVAL}, 404, "stage"),
    ({"stage": "technical", **APPROVAL, "weight": 2}, 400, "weight"),
    (promise(owner="nobody"), 400, "conditions[0].owner"),
    (promise(due_on="soon"), 400, "conditions[0].due_on"),
    (promise(), 400, "conditions"),
]


def test_a_vote_that_is_none(api: Api, reviewer_one: User, in_review: ReviewRequest) -> None:
    client, before = api(reviewer_one), snapshot()
    for fields, status, field in NO_VOTES:
        response = post(client, in_review, "votes", **fields)
        assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (status, [field])
    assert snapshot() == before


def test_a_vote_is_on_the_revision_that_was_read(api: Api, reviewer_one: User, in_review: ReviewRequest) -> None:
    client, before = api(reviewer_one), snapshot()
    fields = {"stage": "technical", "choice": "approve"}
    response = post(client, in_review, "votes", **fields, revision=2)
    assert (response.status_code, response.json()["code"], snapshot()) == (409, "changed", before)
    assert post(client, in_review, "votes", **fields, revision=1).status_code == 201


def test_the_vote_that_decides_asks_the_policy_twice(
    api: Api, cast: Cast, in_review: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for everything the decision rests on and writes, once for the answer about what it has become."""
    for voter in (cast.reviewer_one, cast.reviewer_two):
        assert post(api(voter), in_review, "votes", stage="technical", choice="approve").status_code == 201
    asked, evaluate_index = [], evidence_snapshot.evaluate_index

    def counted(policy: Policy, **inputs: Any) -> Evaluation:
        asked.append(len(inputs["index"].metric_values))
        return evaluate_index(policy, **inputs)

    monkeypatch.setattr(evidence_snapshot, "evaluate_index", counted)
    answer = post(api(cast.approver), in_review, "votes", stage="gpu-budget", choice="approve").json()
    assert (answer["state"], answer["packets"][0]["number"]) == ("decided", 1)
    names = set(in_review.metric_records.values_list("name", flat=True))
    assert asked == [len(names)] * 2


def test_changes_requested_revised_and_withdrawn(api: Api, cast: Cast, in_review: ReviewRequest) -> None:
    wanted = {"choice": "request_changes", "rationale": "Say more about costs."}
    said = post(api(cast.reviewer_one), in_review, "votes", stage="technical", **wanted).json()
    assert (said["state"], said["revision"]) == ("changes_requested", 1)
    said = post(api(cast.author), in_review, "revise", reason="More about costs.").json()
    assert (said["state"], said["revision"], [vote["is_void"] for vote in said["votes"]]) == ("evidence", 2, [True])
    said = post(api(cast.author), in_review, "withdraw", reason="Not needed any more.").json()
    assert (said["state"], said["budget"]) == ("withdrawn", [])


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("review", {}),
        ("revise", {"reason": "Because."}),
        ("votes", {"stage": "technical", **APPROVAL}),
    ],
)
def test_steps_that_a_draft_does_not_offer(
    api: Api, author: User, draft: ReviewRequest, step: str, fields: dict[str, Any]
) -> None:
    before = snapshot()
    response = post(api(author), draft, step, **fields)
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")
    assert snapshot() == before


def test_a_request_is_submitted_once(api: Api, author: User, submitted: ReviewRequest) -> None:
    before = snapshot()
    assert post(api(author), submitted, "submit").status_code == 409
    assert snapshot() == before


def test_no_review_while_a_benchmark_runs(api: Api, author: User, submitted: ReviewRequest) -> None:
    before = snapshot()
    response = post(api(author), submitted, "review")
    assert (response.status_code, response.json()["code"]) == (409, "run_unfinished")
    assert snapshot() == before


def test_no_review_without_a_budget(api: Api, author: User, ready: ReviewRequest) -> None:
    before = snapshot()
    response = post(api(author), ready, "review")
    assert (response.status_code, response.json()["code"]) == (400, "no_budget")
    assert snapshot() == before


def test_steps_are_those_of_the_team(api: Api, auditor: User, in_review: ReviewRequest) -> None:
    client, before, why = api(auditor), snapshot(), {"reason": "Because."}
    for step, fields in (("submit", {}), ("review", {}), ("revise", why), ("withdraw", why)):
        response = post(client, in_review, step, **fields)
        assert (step, response.status_code, response.json()["code"]) == (step, 403, "not_allowed")
    assert snapshot() == before


@pytest.mark.parametrize("step", ["submit", "review", "revise", "withdraw"])
def test_unknown_fields_are_refused(api: Api, author: User, draft: ReviewRequest, step: str) -> None:
    before = snapshot()
    response = post(api(author), draft, step, raeson="A slip of the pen.")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "raeson")
    assert snapshot() == before
