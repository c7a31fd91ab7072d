"""What a page says of a step, and why not, is what taking the step is answered."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from governance.jobs import actions as jobs
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.packets import actions as packets
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import STEPS, AllowedStep
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import evidence, requests, review
from reviews.workflow.queries.view import RequestView, describe
from tests.factories.people import Cast
from tests.integration.reviews.evidence.steps import ACTIONS, Act, vote
from tests.integration.reviews.workflow.worlds import World, make_world
from weighbridge.core.errors import Refused

STATES = (*RequestState, "before_the_last_vote")
PEOPLE = ("requester", "reviewer", "lead", "admin", "outsider", "gone")
TAKEN: dict[str, Act] = {
    "edit": ACTIONS["edit"],
    "submit": ACTIONS["submit"],
    "evidence": ACTIONS["state_metric_value"],
    "answer": ACTIONS["answer_item"],
    "request_review": ACTIONS["request_review"],
    "vote": ACTIONS["approve"],
    "take_back": lambda world, request, by: review.take_back(
        request=request, reason="I misread the interval.", by=by, now=world.now
    ),
    "revise": ACTIONS["revise"],
    "amend": ACTIONS["amend"],
    "exchange": ACTIONS["exchange"],
    "withdraw": ACTIONS["withdraw"],
    "packet": lambda world, request, by: packets.request_packet(request=request, by=by, now=world.now),
    "waive": ACTIONS["waive"],
    "extend": lambda world, request, by: requests.extend(
        request=request, days=7, reason="The reviewer is ill.", by=by, now=world.now
    ),
}


@pytest.fixture
def world(policy: PolicyVersion, cast: Cast, now: datetime) -> World:
    return make_world(cast=cast, now=now)


def shown(world: World, request: ReviewRequest, by: User) -> RequestView:
    fresh = ReviewRequest.objects.get(pk=request.pk)
    return describe(snapshot_of(fresh, now=world.now), person=person_of(by))


def answered(world: World, request: ReviewRequest, by: User, act: Act) -> str:
    """The reason the step is refused for, "" where it is taken; taken back again."""
    mark = transaction.savepoint()
    try:
        act(world, ReviewRequest.objects.get(pk=request.pk), by)
    except Refused as refusal:
        return refusal.reason
    finally:
        transaction.savepoint_rollback(mark)
    return ""


@pytest.mark.parametrize("state", STATES)
def test_the_page_gives_the_reason_of_the_step(world: World, state: str) -> None:
    request: ReviewRequest = getattr(world, state)()
    open_stage = "gpu-budget" if state == "before_the_last_vote" else "technical"
    steps = TAKEN | {"vote": vote(open_stage, VoteChoice.APPROVE)}
    for who in PEOPLE:
        by = world.everybody()[who]
        said = shown(world, request, by).allowed_steps
        assert set(said) == set(STEPS) == set(steps)
        found = {name: answered(world, request, by, act) for name, act in steps.items()}
        assert found == {name: each.why_not for name, each in said.items()}


def pairs(world: World, request: ReviewRequest, by: User) -> list[tuple[AllowedStep, Act]]:
    """What hangs on the request: each step the page offers on it, and how it is taken."""
    view, now = shown(world, request, by), world.now
    found: list[tuple[AllowedStep, Act]] = []
    for entry, run in zip(view.runs, reversed(snapshot_of(request, now=now).evidence.runs), strict=True):
        found += [
            (entry.cancel, lambda w, r, by, run=run: jobs.cancel(row=run, by=by, now=now)),
            (entry.repeat, lambda w, r, by, run=run: evidence.measure_again(request=r, run=run, by=by, now=now)),
        ]
    if view.packets:
        found.append((view.packets[0].retry, ACTIONS["retry_packet"]))
    if view.authorization is not None:
        found += [(view.authorization.revoke, ACTIONS["revoke"])]
        found += [(each.confirm, ACTIONS["confirm"]) for each in view.authorization.conditions]
    return found


@pytest.mark.parametrize(("state", "count"), [("submitted", 2), ("evidence", 2), ("in_review", 2), ("decided", 5)])
def test_so_does_what_hangs_on_the_request(world: World, state: str, count: int) -> None:
    request: ReviewRequest = getattr(world, state)()
    for who in PEOPLE:
        by = world.everybody()[who]
        found = pairs(world, request, by)
        assert len(found) == count
        for said, act in found:
            assert answered(world, request, by, act) == said.why_not


def test_what_was_done_before_is_said_to_be_so(world: World) -> None:
    request, lead = world.decided(), world.cast.approver
    held = request.decision.authorization
    authorizations.confirm_condition(condition=held.conditions.get(), by=world.cast.reviewer_one, now=world.now)
    authorizations.revoke(authorization=held, reason="It misbehaves.", by=lead, now=world.now)
    for by in (lead, world.cast.reviewer_one, world.cast.author):
        for said, act in pairs(world, request, by):
            assert answered(world, request, by, act) == said.why_not
    view = shown(world, request, lead).authorization
    assert view is not None
    assert view.conditions[0].confirm.why_not == "This condition is already confirmed."
    assert view.revoke.why_not.startswith("An authorization that is revoked cannot become revoked.")
