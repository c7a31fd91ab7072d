"""What the meeting is asked to decide by default, and which of it can be accepted without a reason."""

import itertools
from datetime import date, timedelta

import pytest

from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.decisions import (
    NEEDS_AMOUNT,
    NEEDS_MODEL,
    NEEDS_REQUEST,
    DecisionKind,
    possible_decisions,
)
from reviews.quarterly.domain.proposals import Proposal, proposal_of

TODAY = date(2027, 1, 12)
EVERYTHING = frozenset(DecisionKind)
SAFE = {
    AgendaKind.FOLLOW_UP,
    AgendaKind.NEW_INVESTMENT,
    AgendaKind.CONDITION_DUE,
    AgendaKind.WAIVER,
    AgendaKind.SAVING_REALIZED,
}
WITHOUT = {AgendaKind.FINDING, AgendaKind.NO_OWNER, AgendaKind.ADDED}


@pytest.mark.parametrize("kind", list(AgendaKind))
def test_what_is_proposed_for_each_kind(kind: AgendaKind) -> None:
    proposal = proposal_of(kind, possible=EVERYTHING, owner="Ada", today=TODAY)
    assert (proposal is None) == (kind in WITHOUT)
    if proposal is not None:
        assert (proposal.owner, proposal.due_on) == ("Ada", TODAY + timedelta(days=30))
        assert proposal.is_safe == (kind in SAFE) == (proposal.kind is DecisionKind.KEEP)


def test_a_proposal_that_nobody_can_carry_out_is_not_safe() -> None:
    proposal = Proposal(kind=DecisionKind.KEEP, owner=None, due_on=TODAY)
    assert proposal.is_safe is False


def test_nothing_is_proposed_that_the_item_does_not_allow() -> None:
    assert proposal_of(AgendaKind.NEW_INVESTMENT, possible=frozenset(), owner="Ada", today=TODAY) is None


@pytest.mark.parametrize(("model", "request_", "team"), list(itertools.product((True, False), repeat=3)))
def test_the_decisions_that_an_item_allows(model: bool, request_: bool, team: bool) -> None:
    allowed = possible_decisions(has_model=model, has_request=request_, has_team=team)
    for kind in DecisionKind:
        needs = (kind in NEEDS_MODEL and not model) or (kind in NEEDS_REQUEST and not request_)
        assert (kind in allowed) == (not (needs or (kind in NEEDS_AMOUNT and not team)))
