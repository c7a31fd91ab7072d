"""The authorization's own lifecycle, pair by pair."""

import itertools

import pytest

from reviews.authorizations.domain import authorization_states as authorization
from reviews.authorizations.domain.authorization_states import AuthorizationState
from reviews.requests.domain.transition_types import transitions_from
from weighbridge.core.errors import WrongState

PERMITTED = {
    ("active", "pending_expiration"),
    ("active", "expired"),
    ("active", "suspended"),
    ("active", "revoked"),
    ("active", "superseded"),
    ("pending_expiration", "expired"),
    ("pending_expiration", "suspended"),
    ("pending_expiration", "revoked"),
    ("pending_expiration", "superseded"),
    ("suspended", "active"),
    ("suspended", "pending_expiration"),
    ("suspended", "expired"),
    ("suspended", "revoked"),
    ("suspended", "superseded"),
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(AuthorizationState, AuthorizationState)))
def test_every_pair_of_states(source: AuthorizationState, target: AuthorizationState) -> None:
    permitted = (str(source), str(target)) in PERMITTED
    if permitted:
        authorization.check_authorization_transition(source=source, target=target)
        return
    with pytest.raises(WrongState) as refused:
        authorization.check_authorization_transition(source=source, target=target)
    assert refused.value.reason.startswith(f"An authorization that is {source.words} cannot become {target.words}. ")


def test_an_ended_authorization_never_comes_back() -> None:
    assert {
        AuthorizationState.EXPIRED,
        AuthorizationState.REVOKED,
        AuthorizationState.SUPERSEDED,
    } == authorization.AUTHORIZATION_TERMINAL
    with pytest.raises(WrongState) as refused:
        authorization.check_authorization_transition(
            source=AuthorizationState.REVOKED, target=AuthorizationState.ACTIVE
        )
    assert refused.value.reason == (
        "An authorization that is revoked cannot become active. "
        "This authorization is revoked and stays so; file a new request instead."
    )


def test_an_expiry_is_never_pushed_back() -> None:
    with pytest.raises(WrongState):
        authorization.check_authorization_transition(
            source=AuthorizationState.PENDING_EXPIRATION, target=AuthorizationState.ACTIVE
        )


def test_only_active_and_pending_expiration_are_in_force() -> None:
    assert {AuthorizationState.ACTIVE, AuthorizationState.PENDING_EXPIRATION} == authorization.IN_FORCE


def test_every_state_has_one_owner_and_a_meaning() -> None:
    assert [(state.value, state.owner.value) for state in AuthorizationState] == [
        ("active", "system"),
        ("pending_expiration", "requester"),
        ("expired", "system"),
        ("suspended", "platform_lead"),
        ("revoked", "system"),
        ("superseded", "system"),
    ]
    assert len({state.meaning for state in AuthorizationState}) == len(AuthorizationState)


def test_a_step_belongs_to_one_pair_and_steps_are_told_by_source() -> None:
    pairs = [(step.source, step.target) for step in authorization.AUTHORIZATION_TRANSITIONS]
    assert len(pairs) == len(set(pairs)) == len(PERMITTED)
    steps = transitions_from(AuthorizationState.ACTIVE, authorization.AUTHORIZATION_TRANSITIONS)
    assert [step.action for step in steps] == [
        "warn",
        "expire",
        "suspend",
        "revoke",
        "supersede",
    ]
