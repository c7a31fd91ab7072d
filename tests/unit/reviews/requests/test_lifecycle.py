"""The request lifecycle, pair by pair: what may follow what, and what a refusal says."""

import itertools

import pytest

from reviews.requests.domain import lifecycle
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.domain.transition_types import Actor, transitions_from
from weighbridge.core.errors import WrongState

PERMITTED = {
    ("draft", "screening"),
    ("screening", "cleared"),
    ("screening", "evidence"),
    ("cleared", "evidence"),
    ("evidence", "in_review"),
    ("in_review", "changes_requested"),
    ("changes_requested", "evidence"),
    ("in_review", "evidence"),
    ("in_review", "decided"),
    ("draft", "withdrawn"),
    ("evidence", "withdrawn"),
    ("in_review", "withdrawn"),
    ("changes_requested", "withdrawn"),
    ("evidence", "expired"),
    ("in_review", "expired"),
    ("changes_requested", "expired"),
    ("cleared", "expired"),
}

ACTIONS = {
    ("draft", "submit"),
    ("draft", "withdraw"),
    ("screening", "screen"),
    ("cleared", "escalate"),
    ("cleared", "expire"),
    ("evidence", "request_review"),
    ("evidence", "withdraw"),
    ("evidence", "expire"),
    ("in_review", "request_changes"),
    ("in_review", "revise"),
    ("in_review", "decide"),
    ("in_review", "withdraw"),
    ("in_review", "expire"),
    ("changes_requested", "revise"),
    ("changes_requested", "withdraw"),
    ("changes_requested", "expire"),
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(RequestState, RequestState)))
def test_every_pair_of_states(source: RequestState, target: RequestState) -> None:
    permitted = (str(source), str(target)) in PERMITTED
    if permitted:
        lifecycle.check_transition(source=source, target=target)
        return
    with pytest.raises(WrongState) as refused:
        lifecycle.check_transition(source=source, target=target)
    assert refused.value.status == 409
    assert refused.value.reason.startswith(f"A request that is {source.words} cannot become {target.words}. ")


@pytest.mark.parametrize(
    ("source", "action"),
    list(itertools.product(RequestState, sorted({action for _, action in ACTIONS} | {"teleport"}))),
)
def test_every_pair_of_state_and_action(source: RequestState, action: str) -> None:
    permitted = (str(source), action) in ACTIONS
    assert lifecycle.may_act(source=source, action=action) is permitted
    if permitted:
        lifecycle.check_action(source=source, action=action)
        return
    with pytest.raises(WrongState, match="offers no step"):
        lifecycle.check_action(source=source, action=action)


def test_refusal_says_what_is_possible_instead() -> None:
    with pytest.raises(WrongState) as refused:
        lifecycle.check_transition(source=RequestState.CHANGES_REQUESTED, target=RequestState.DECIDED)
    assert refused.value.reason == (
        "A request that is sent back for changes cannot become decided. "
        "Possible now: revise (to gathering evidence); withdraw (to withdrawn); expire (to expired)."
    )


def test_refusal_of_a_finished_request_says_to_file_a_new_one() -> None:
    with pytest.raises(WrongState) as refused:
        lifecycle.check_action(source=RequestState.WITHDRAWN, action="request_review")
    assert refused.value.reason == (
        "A request that is withdrawn offers no step “request review”. "
        "This request is withdrawn and stays so; file a new request instead."
    )


def test_open_terminal_and_editable_states() -> None:
    assert {RequestState.DECIDED, RequestState.WITHDRAWN, RequestState.EXPIRED} == lifecycle.TERMINAL
    assert {
        RequestState.DRAFT,
        RequestState.SCREENING,
        RequestState.CLEARED,
        RequestState.EVIDENCE,
        RequestState.IN_REVIEW,
        RequestState.CHANGES_REQUESTED,
    } == lifecycle.OPEN_STATES
    assert {RequestState.DRAFT, RequestState.EVIDENCE} == lifecycle.EDITABLE_STATES


def test_every_state_has_one_owner_and_a_meaning() -> None:
    assert [(state.value, state.owner.value) for state in RequestState] == [
        ("draft", "requester"),
        ("screening", "system"),
        ("cleared", "system"),
        ("evidence", "requester"),
        ("in_review", "reviewer"),
        ("changes_requested", "requester"),
        ("decided", "system"),
        ("withdrawn", "system"),
        ("expired", "system"),
    ]
    assert len({state.meaning for state in RequestState}) == len(RequestState)


def test_a_step_belongs_to_one_pair_and_its_effect_is_told() -> None:
    pairs = [(step.source, step.target) for step in lifecycle.TRANSITIONS]
    assert len(pairs) == len(set(pairs)) == len(PERMITTED)
    assert all(step.effects for step in lifecycle.TRANSITIONS)


def test_only_the_system_decides_screens_escalates_and_expires() -> None:
    by_system = {step.action for step in lifecycle.TRANSITIONS if step.actor is Actor.SYSTEM}
    assert by_system == {"screen", "escalate", "decide", "expire"}


def _reachable(start: RequestState) -> set[RequestState]:
    seen, waiting = {start}, [start]
    while waiting:
        for step in transitions_from(waiting.pop(), lifecycle.TRANSITIONS):
            if step.target not in seen:
                seen.add(step.target)
                waiting.append(step.target)
    return seen


def test_every_state_is_reached_from_draft_and_every_open_state_can_end() -> None:
    assert _reachable(RequestState.DRAFT) == set(RequestState)
    for state in lifecycle.OPEN_STATES:
        assert _reachable(state) & lifecycle.TERMINAL, state


def test_nothing_is_decided_without_review() -> None:
    assert [step.source for step in lifecycle.TRANSITIONS if step.target is RequestState.DECIDED] == [
        RequestState.IN_REVIEW
    ]


def test_a_state_read_from_the_database_as_text_is_the_same_state() -> None:
    lifecycle.check_transition(source=RequestState("draft"), target=RequestState("screening"))
    assert lifecycle.may_act(source="draft", action="submit")  # type: ignore[arg-type]
