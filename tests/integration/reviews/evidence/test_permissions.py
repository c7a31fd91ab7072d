"""Every write, by everybody, in every state, against the table of `docs/reference/who-may-what.md`, written by hand.

Whatever is refused leaves every table of the database as it was.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from governance.jobs import actions as jobs
from reviews.authorizations import actions as authorisations
from reviews.authorizations.models import Condition
from reviews.evidence.actions import evidence, waivers
from reviews.evidence.actions.evidence import Statement
from reviews.requests.domain.lifecycle import TRANSITIONS, State
from reviews.requests.models import ReviewRequest
from reviews.voting.domain import Choice
from reviews.workflow.actions import requests, review
from tests.integration.reviews import matrix
from tests.integration.reviews.workflow.worlds import World
from tests.integration.toolkit.core.standstill import everything
from weighbridge.core.errors import NotAllowed, NotFound, Refused, WrongState
from weighbridge.core.metrics import Basis

Act = Callable[[World, ReviewRequest, User], object]
CELLS = {type(None): matrix.YES, NotAllowed: matrix.NO, WrongState: matrix.NOT_NOW, NotFound: matrix.NONE}
COLUMNS = (
    "requester",
    "owner",
    "mate",
    "reviewer",
    "lead",
    "product",
    "finance",
    "admin",
    "auditor",
    "outsider",
    "gone",
)


def edit(world: World, request: ReviewRequest, by: User) -> object:
    filing = requests.Filing(
        title="Another title",
        purpose="Another purpose",
        environment="prod",
        business_case="As before.",
        model_version=request.model_version,
    )
    return requests.edit(request=request, filing=filing, by=by, now=world.now)


def state_fact(world: World, request: ReviewRequest, by: User) -> object:
    statement = Statement(name="error_rate", value=Decimal("0.01"), unit="ratio", basis=Basis.ESTIMATED)
    return evidence.state_fact(request=request, statement=statement, by=by, now=world.now)


def vote(stage_id: str, choice: Choice) -> Act:
    return lambda world, request, by: world.vote(request, by, stage_id=stage_id, choice=choice)


ACTIONS: dict[str, Act] = {
    "edit": edit,
    "submit": lambda w, r, by: requests.submit(request=r, by=by, now=w.now),
    "state_fact": state_fact,
    "answer_item": lambda w, r, by: evidence.answer_item(
        request=r, item_id="rollback-rehearsed", is_attested=True, by=by, now=w.now
    ),
    "explain": lambda w, r, by: evidence.answer_contradiction(
        request=r, name="latency_p95_ms", text="It was another machine.", by=by, now=w.now
    ),
    "request_review": lambda w, r, by: review.request_review(request=r, by=by, now=w.now),
    "approve": vote("technical", Choice.APPROVE),
    "reject": vote("technical", Choice.REJECT),
    "request_changes": vote("technical", Choice.REQUEST_CHANGES),
    "approve_budget": vote("gpu-budget", Choice.APPROVE),
    "waive": lambda w, r, by: waivers.grant(
        request=r, rule_id="accuracy-floor-prod", reason="A ranking has no accuracy.", valid_days=30, by=by, now=w.now
    ),
    "revise": lambda w, r, by: requests.revise(request=r, reason="New weights.", by=by, now=w.now),
    "withdraw": lambda w, r, by: requests.withdraw(request=r, reason="Not needed.", by=by, now=w.now),
    "retry_packet": lambda w, r, by: jobs.retry(row=r.packets.get(), by=by, now=w.now),
    "revoke": lambda w, r, by: authorisations.revoke(
        authorisation=r.decision.authorisation, reason="It misbehaves.", by=by, now=w.now
    ),
    "confirm": lambda w, r, by: authorisations.confirm_condition(
        condition=Condition.objects.get(authorisation__decision__request=r), by=by, now=w.now
    ),
}
TABLE = matrix.table()


def cell(act: Act, world: World, request: ReviewRequest, by: User) -> str:
    """What comes of it; the database is as before afterwards, by itself after a refusal."""
    before, mark, refusal = everything(), transaction.savepoint(), None
    try:
        act(world, request, by)
    except Refused as error:
        refusal = error
    has_moved = everything() != before
    transaction.savepoint_rollback(mark)
    assert has_moved == (refusal is None), f"{by} was refused and left something behind, or was not and moved nothing"
    assert refusal is None or refusal.reason.endswith(".")
    return CELLS[type(refusal)]


@pytest.mark.parametrize("state", TABLE)
def test_everybody_in_every_state(world: World, state: str) -> None:
    request: ReviewRequest = getattr(world, state)()
    everybody = world.everybody()
    assert tuple(everybody) == COLUMNS
    found = {
        name: {
            who: cell(ACTIONS[name], world, ReviewRequest.objects.get(pk=request.pk), by)
            for who, by in everybody.items()
        }
        for name in TABLE[state]
    }
    assert found == TABLE[state]


def test_the_table_is_whole() -> None:
    assert {name for rows in TABLE.values() for name in rows} == set(ACTIONS)
    assert {tuple(row) for rows in TABLE.values() for row in rows.values()} == {COLUMNS}
    assert set(TABLE) == {*State, "before_the_last_vote"}


@pytest.mark.parametrize("step", ["submit", "request_review", "request_changes", "revise", "withdraw"])
def test_somebody_may_where_the_lifecycle_has_the_step(step: str) -> None:
    """The two pages of reference say the same: a step that is somebody's is there in these states and in no other."""
    walked = {state for state in State if matrix.YES in TABLE[state][step].values()}
    assert walked == {each.source for each in TRANSITIONS if each.action == step}
