"""The states of an authorization and the transitions between them. They continue after the request has ended.

An authorization cannot be extended: file a new request, whose authorization supersedes this one.
"""

from collections.abc import Mapping

from reviews.requests.domain.steps import Actor, NamedState, Transition, possible_steps_text, transitions_from
from weighbridge.core.errors import WrongState


class AuthorizationState(NamedState):
    """The state of an authorization."""

    ACTIVE = "active"
    PENDING_EXPIRATION = "pending_expiration"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return AUTHORIZATION_OWNER[self]

    @property
    def meaning(self) -> str:
        """The meaning of the state, as a phrase for a page."""
        return AUTHORIZATION_MEANING[self]


AUTHORIZATION_OWNER: Mapping[AuthorizationState, Actor] = {
    AuthorizationState.ACTIVE: Actor.SYSTEM,
    AuthorizationState.PENDING_EXPIRATION: Actor.REQUESTER,
    AuthorizationState.EXPIRED: Actor.SYSTEM,
    AuthorizationState.SUSPENDED: Actor.PLATFORM_LEAD,
    AuthorizationState.REVOKED: Actor.SYSTEM,
    AuthorizationState.SUPERSEDED: Actor.SYSTEM,
}

AUTHORIZATION_MEANING: Mapping[AuthorizationState, str] = {
    AuthorizationState.ACTIVE: "the gate lets this artifact pass",
    AuthorizationState.PENDING_EXPIRATION: "still valid, and about to end; a renewal goes through review",
    AuthorizationState.EXPIRED: "its time is over; the gate refuses",
    AuthorizationState.SUSPENDED: "held back until a platform lead settles a doubt; the gate refuses",
    AuthorizationState.REVOKED: "taken back for good; the gate refuses",
    AuthorizationState.SUPERSEDED: "a newer authorization covers the same scope",
}


def _authorization_steps() -> tuple[Transition[AuthorizationState], ...]:
    a = AuthorizationState
    living = (a.ACTIVE, a.PENDING_EXPIRATION, a.SUSPENDED)
    lead, system = Actor.PLATFORM_LEAD, Actor.SYSTEM
    in_force = (a.ACTIVE, a.PENDING_EXPIRATION)
    return (
        Transition(a.ACTIVE, a.PENDING_EXPIRATION, "warn", system, "expiry is near", "requester asked to renew"),
        *(
            Transition(s, a.EXPIRED, "expire", system, "expiry has passed", "gate refuses; commitment expired")
            for s in living
        ),
        *(Transition(s, a.SUSPENDED, "suspend", lead, "a reason is given", "gate refuses") for s in in_force),
        *(
            Transition(a.SUSPENDED, t, "reinstate", lead, "doubt settled, with a reason", "gate allows")
            for t in in_force
        ),
        *(
            Transition(s, a.REVOKED, "revoke", lead, "a reason is given", "gate refuses; commitment released")
            for s in living
        ),
        *(
            Transition(
                s,
                a.SUPERSEDED,
                "supersede",
                system,
                "a newer authorization covers the same scope",
                "commitment released",
            )
            for s in living
        ),
    )


AUTHORIZATION_TRANSITIONS: tuple[Transition[AuthorizationState], ...] = _authorization_steps()

AUTHORIZATION_TERMINAL: frozenset[AuthorizationState] = frozenset(AuthorizationState) - {
    step.source for step in AUTHORIZATION_TRANSITIONS
}
IN_FORCE: frozenset[AuthorizationState] = frozenset({AuthorizationState.ACTIVE, AuthorizationState.PENDING_EXPIRATION})
"""The gate allows only these states, and only before the expiry."""


def may_transition_authorization(*, source: AuthorizationState, target: AuthorizationState) -> bool:
    """Whether an authorization may go from `source` straight to `target`."""
    return any(step.target == target for step in transitions_from(source, AUTHORIZATION_TRANSITIONS))


def check_authorization_transition(*, source: AuthorizationState, target: AuthorizationState) -> None:
    """Raise `WrongState`, with the possible steps, unless the authorization may go straight to `target`."""
    if not may_transition_authorization(source=source, target=target):
        raise WrongState(
            f"An authorization that is {source.words} cannot become {target.words}. "
            + possible_steps_text("authorization", source, AUTHORIZATION_TRANSITIONS)
        )
