"""Drafts of votes."""

import pytest

from reviews.notes.domain.draft_votes import (
    DraftCondition,
    VoteDraft,
    check_conditions,
    check_open,
    check_revision,
)
from reviews.requests.domain.lifecycle import RequestState
from weighbridge.core.errors import Invalid, WrongState


@pytest.mark.parametrize(
    ("draft", "is_empty"),
    [
        (VoteDraft(), True),
        (VoteDraft(conditions=(DraftCondition(), DraftCondition())), True),
        (VoteDraft(choice="approve"), False),
        (VoteDraft(rationale="Fast."), False),
        (VoteDraft(in_place_of="ada"), True),
        (VoteDraft(in_place_of="ada", choice="approve"), False),
        (VoteDraft(lifted_ids=(3,)), False),
        (VoteDraft(conditions=(DraftCondition(), DraftCondition(due_on="2026-12-01"))), False),
    ],
)
def test_a_draft_is_empty_if_nothing_is_filled_in(draft: VoteDraft, *, is_empty: bool) -> None:
    assert draft.is_empty is is_empty


@pytest.mark.parametrize(
    ("state", "has_voted", "reason"),
    [
        (RequestState.IN_REVIEW, False, ""),
        (RequestState.IN_REVIEW, True, "You have voted on this revision. To vote anew, take your vote back."),
        (RequestState.WITHDRAWN, False, "The request is withdrawn; a vote is drafted while it is in review."),
    ],
)
def test_a_draft_ends_with_the_vote_and_with_the_review(state: RequestState, *, has_voted: bool, reason: str) -> None:
    if not reason:
        check_open(state, has_voted=has_voted)
        return
    with pytest.raises(WrongState) as refused:
        check_open(state, has_voted=has_voted)
    assert refused.value.reason == reason


def test_a_draft_is_about_the_revision_that_was_read() -> None:
    check_revision(seen=None, revision=2)
    check_revision(seen=2, revision=2)
    with pytest.raises(WrongState) as refused:
        check_revision(seen=1, revision=2)
    assert refused.value.reason == "You saw revision 1, and this is revision 2. Read it, then save the draft."


def test_conditions_that_a_page_can_show() -> None:
    shown = (DraftCondition(), DraftCondition(owner="ada"), DraftCondition(due_on="2027-01-31"))
    check_conditions(shown, people={"ada"})


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        (DraftCondition(owner="bob"), "conditions[1].owner"),
        (DraftCondition(owner="ada", due_on="tomorrow"), "conditions[1].due_on"),
        (DraftCondition(due_on="20270131"), "conditions[1].due_on"),
    ],
    ids=["owner", "words", "form"],
)
def test_conditions_that_a_page_could_not_show(condition: DraftCondition, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_conditions((DraftCondition(), condition), people={"ada"})
    assert refusal.value.field == field
