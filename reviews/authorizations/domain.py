"""Which state of an authorisation may follow which: the second axis, living on after the request has ended.

An extension is not a step here: it is a new request, whose authorisation supersedes this one.
"""

from collections.abc import Mapping

from reviews.requests.domain.steps import Actor, Named, Transition, leaving, possible_now
from weighbridge.core.errors import WrongState


class AuthorisationState(Named):
    """Validity of the permission that an approving decision produced."""

    ACTIVE = "active"
    PENDING_EXPIRATION = "pending_expiration"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return AUTHORISATION_OWNER[self]

    @property
    def meaning(self) -> str:
        """What the state means, as a phrase for a page."""
        return AUTHORISATION_MEANING[self]


AUTHORISATION_OWNER: Mapping[AuthorisationState, Actor] = {
    AuthorisationState.ACTIVE: Actor.SYSTEM,
    AuthorisationState.PENDING_EXPIRATION: Actor.REQUESTER,
    AuthorisationState.EXPIRED: Actor.SYSTEM,
    AuthorisationState.SUSPENDED: Actor.PLATFORM_LEAD,
    AuthorisationState.REVOKED: Actor.SYSTEM,
    AuthorisationState.SUPERSEDED: Actor.SYSTEM,
}

AUTHORISATION_MEANING: Mapping[AuthorisationState, str] = {
    AuthorisationState.ACTIVE: "the gate lets this artifact pass",
    AuthorisationState.PENDING_EXPIRATION: "still valid, and about to end; a renewal goes through review",
    AuthorisationState.EXPIRED: "its time is over; the gate refuses",
    AuthorisationState.SUSPENDED: "held back until a platform lead settles a doubt; the gate refuses",
    AuthorisationState.REVOKED: "taken back for good; the gate refuses",
    AuthorisationState.SUPERSEDED: "a newer authorisation covers the same scope",
}


def _authorisation_steps() -> tuple[Transition[AuthorisationState], ...]:
    a = AuthorisationState
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
                "a newer authorisation covers the same scope",
                "commitment released",
            )
            for s in living
        ),
    )


AUTHORISATION_TRANSITIONS: tuple[Transition[AuthorisationState], ...] = _authorisation_steps()

AUTHORISATION_TERMINAL: frozenset[AuthorisationState] = frozenset(AuthorisationState) - {
    step.source for step in AUTHORISATION_TRANSITIONS
}
IN_FORCE: frozenset[AuthorisationState] = frozenset({AuthorisationState.ACTIVE, AuthorisationState.PENDING_EXPIRATION})
"""The gate says yes only to these, and only before the expiry."""


def may_transition_authorisation(*, source: AuthorisationState, target: AuthorisationState) -> bool:
    """Whether an authorisation may go from `source` straight to `target`."""
    return any(step.target == target for step in leaving(source, AUTHORISATION_TRANSITIONS))


def check_authorisation_transition(*, source: AuthorisationState, target: AuthorisationState) -> None:
    """Raise `WrongState`, with what is possible now, unless the authorisation may go straight to `target`."""
    if not may_transition_authorisation(source=source, target=target):
        raise WrongState(
            f"An authorisation that is {source.words} cannot become {target.words}. "
            + possible_now("authorisation", source, AUTHORISATION_TRANSITIONS)
        )
