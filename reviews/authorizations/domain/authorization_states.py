"""The states of an authorization and the transitions between them. They continue after the request has ended.

An authorization cannot be extended: file a new request, whose authorization supersedes this one.
"""

from reviews.requests.domain.transition_types import (
    Actor,
    OwnedState,
    Transition,
    possible_steps_text,
    transitions,
    transitions_from,
)
from weighbridge.core.errors import WrongState


class AuthorizationState(OwnedState):
    """The state of an authorization."""

    ACTIVE = "active", Actor.SYSTEM, "the gate lets this artifact pass"
    PENDING_EXPIRATION = (
        "pending_expiration",
        Actor.REQUESTER,
        "still valid, and about to end; a renewal goes through review",
    )
    EXPIRED = "expired", Actor.SYSTEM, "its time is over; the gate refuses"
    SUSPENDED = "suspended", Actor.PLATFORM_LEAD, "held back until a platform lead settles a doubt; the gate refuses"
    REVOKED = "revoked", Actor.SYSTEM, "taken back for good; the gate refuses"
    SUPERSEDED = "superseded", Actor.SYSTEM, "a newer authorization covers the same scope"


_ACTIVE, _ENDING = AuthorizationState.ACTIVE, AuthorizationState.PENDING_EXPIRATION
_SUSPENDED, _EXPIRED = AuthorizationState.SUSPENDED, AuthorizationState.EXPIRED
_LIVING = (_ACTIVE, _ENDING, _SUSPENDED)
_REINSTATED = ("doubt settled, with a reason", "gate allows")

AUTHORIZATION_TRANSITIONS: tuple[Transition[AuthorizationState], ...] = transitions(
    {
        ((_ACTIVE,), _ENDING, "warn", Actor.SYSTEM): ("expiry is near", "requester asked to renew"),
        (_LIVING, _EXPIRED, "expire", Actor.SYSTEM): ("expiry has passed", "gate refuses; commitment expired"),
        ((_ACTIVE, _ENDING), _SUSPENDED, "suspend", Actor.PLATFORM_LEAD): ("a reason is given", "gate refuses"),
        ((_SUSPENDED,), _ACTIVE, "reinstate", Actor.PLATFORM_LEAD): _REINSTATED,
        ((_SUSPENDED,), _ENDING, "reinstate", Actor.PLATFORM_LEAD): _REINSTATED,
        (_LIVING, AuthorizationState.REVOKED, "revoke", Actor.PLATFORM_LEAD): (
            "a reason is given",
            "gate refuses; commitment released",
        ),
        (_LIVING, AuthorizationState.SUPERSEDED, "supersede", Actor.SYSTEM): (
            "a newer authorization covers the same scope",
            "commitment released",
        ),
    }
)

AUTHORIZATION_TERMINAL: frozenset[AuthorizationState] = frozenset(AuthorizationState) - {
    step.source for step in AUTHORIZATION_TRANSITIONS
}
IN_FORCE: frozenset[AuthorizationState] = frozenset({AuthorizationState.ACTIVE, AuthorizationState.PENDING_EXPIRATION})
"""The gate allows only these states, and only before the expiry."""


def check_authorization_transition(*, source: AuthorizationState, target: AuthorizationState) -> None:
    """Raise `WrongState`, with the possible steps, unless the authorization may go straight to `target`."""
    if not any(step.target == target for step in transitions_from(source, AUTHORIZATION_TRANSITIONS)):
        raise WrongState(
            f"An authorization that is {source.words} cannot become {target.words}. "
            + possible_steps_text("authorization", source, AUTHORIZATION_TRANSITIONS)
        )
