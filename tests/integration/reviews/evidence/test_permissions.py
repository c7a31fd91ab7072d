"""Every write, by everybody, in every state, against the table of `docs/reference/who-may-what.md`, written by hand.

Whatever is refused leaves every table of the database as it was.
"""

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from reviews.requests.domain.lifecycle import TRANSITIONS, RequestState
from reviews.requests.models import ReviewRequest
from tests.integration.reviews import matrix
from tests.integration.reviews.evidence.steps import ACTIONS, Act
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import everything
from weighbridge.core.errors import NotAllowed, NotFound, Refused, WrongState

Everything = dict[str, tuple[int, str]]
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


TABLE = matrix.table()


def cell(act: Act, world: World, request: ReviewRequest, by: User, before: Everything) -> str:
    """What comes of it; the database is as before afterwards, by itself after a refusal."""
    mark, refusal = transaction.savepoint(), None
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
    everybody, before = world.everybody(), everything()
    assert tuple(everybody) == COLUMNS
    found = {
        name: {
            who: cell(ACTIONS[name], world, ReviewRequest.objects.get(pk=request.pk), by, before)
            for who, by in everybody.items()
        }
        for name in TABLE[state]
    }
    assert found == TABLE[state]
    assert everything() == before


def test_the_table_is_whole() -> None:
    assert {name for rows in TABLE.values() for name in rows} == set(ACTIONS)
    assert {tuple(row) for rows in TABLE.values() for row in rows.values()} == {COLUMNS}
    assert set(TABLE) == {*RequestState, "before_the_last_vote"}


@pytest.mark.parametrize("step", ["submit", "request_review", "request_changes", "revise", "withdraw"])
def test_somebody_may_where_the_lifecycle_has_the_step(step: str) -> None:
    """The two pages of reference say the same: a step that is somebody's is there in these states and in no other."""
    walked = {state for state in RequestState if matrix.YES in TABLE[state][step].values()}
    assert walked == {each.source for each in TRANSITIONS if each.action == step}
