"""The authorisation's own lifecycle, pair by pair."""

import itertools

import pytest

from reviews.authorizations import domain as authorisation
from reviews.authorizations.domain import AuthorisationState
from reviews.requests.domain.steps import leaving
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


@pytest.mark.parametrize(("source", "target"), list(itertools.product(AuthorisationState, AuthorisationState)))
def test_every_pair_of_states(source: AuthorisationState, target: AuthorisationState) -> None:
    permitted = (str(source), str(target)) in PERMITTED
    assert authorisation.may_transition_authorisation(source=source, target=target) is permitted
    if permitted:
        authorisation.check_authorisation_transition(source=source, target=target)
        return
    with pytest.raises(WrongState) as refused:
        authorisation.check_authorisation_transition(source=source, target=target)
    assert refused.value.reason.startswith(f"An authorisation that is {source.words} cannot become {target.words}. ")


def test_an_ended_authorisation_never_comes_back() -> None:
    assert {
        AuthorisationState.EXPIRED,
        AuthorisationState.REVOKED,
        AuthorisationState.SUPERSEDED,
    } == authorisation.AUTHORISATION_TERMINAL
    with pytest.raises(WrongState) as refused:
        authorisation.check_authorisation_transition(
            source=AuthorisationState.REVOKED, target=AuthorisationState.ACTIVE
        )
    assert refused.value.reason == (
        "An authorisation that is revoked cannot become active. "
        "This authorisation is revoked and stays so; file a new request instead."
    )


def test_an_expiry_is_never_pushed_back() -> None:
    assert not authorisation.may_transition_authorisation(
        source=AuthorisationState.PENDING_EXPIRATION, target=AuthorisationState.ACTIVE
    )


def test_only_active_and_pending_expiration_are_in_force() -> None:
    assert {AuthorisationState.ACTIVE, AuthorisationState.PENDING_EXPIRATION} == authorisation.IN_FORCE


def test_every_state_has_one_owner_and_a_meaning() -> None:
    assert set(authorisation.AUTHORISATION_OWNER) == set(AuthorisationState)
    assert [(state.value, state.owner.value) for state in AuthorisationState] == [
        ("active", "system"),
        ("pending_expiration", "requester"),
        ("expired", "system"),
        ("suspended", "platform_lead"),
        ("revoked", "system"),
        ("superseded", "system"),
    ]
    assert len({state.meaning for state in AuthorisationState}) == len(AuthorisationState)


def test_a_step_belongs_to_one_pair_and_steps_are_told_by_source() -> None:
    pairs = [(step.source, step.target) for step in authorisation.AUTHORISATION_TRANSITIONS]
    assert len(pairs) == len(set(pairs)) == len(PERMITTED)
    steps = leaving(AuthorisationState.ACTIVE, authorisation.AUTHORISATION_TRANSITIONS)
    assert [step.action for step in steps] == [
        "warn",
        "expire",
        "suspend",
        "revoke",
        "supersede",
    ]
