"""Permissions of authorizations: `check_…` raises with a reason, `may_…` returns a bool."""

from collections.abc import Callable, Set

from governance.people.domain.roles import Person, Role
from governance.people.rules import may
from reviews.requests.rules import Parties
from weighbridge.core.errors import NotAllowed


def check_revoke(person: Person) -> None:
    """Revoking or suspending an authorization: platform leads."""
    if not person.is_active or Role.PLATFORM_LEAD not in person.roles:
        raise NotAllowed("Only a platform lead may revoke an authorization.")


CONFIRMING = frozenset({Role.REVIEWER, Role.PLATFORM_LEAD})
"""The roles that may confirm that a condition is met."""


def check_confirm_condition(
    person: Person, parties: Parties, *, owner_id: int, own_teams: Callable[[Person], Set[str]]
) -> None:
    """Confirming a condition: a reviewer or platform lead without a stake who is not responsible for it.

    `own_teams` tells the teams that a person belongs to; the team of the request must not be one of them.
    """
    if not person.is_active or not person.roles & CONFIRMING:
        raise NotAllowed("Only a reviewer or a platform lead may confirm that a condition is met.")
    if person.id in {owner_id, parties.requester_id, parties.owner_id}:
        raise NotAllowed("A person without a stake in this request must confirm its conditions.")
    if parties.team in own_teams(person):
        raise NotAllowed("You belong to the team of this request. Another person must confirm its conditions.")


def check_lift_condition(person: Person, *, set_by_id: int) -> None:
    """Lifting a condition outside a review: only the person who set it, while they have a role that sets conditions."""
    if not person.is_active or person.id != set_by_id:
        raise NotAllowed("Only the person who set a condition may lift it; a later approval may lift it too.")
    if not person.roles & {Role.REVIEWER, Role.PLATFORM_LEAD, Role.PRODUCT_LEAD, Role.FINANCE}:
        raise NotAllowed("You no longer have a role that decides on requests, so you cannot lift a condition.")


may_confirm_condition = may(check_confirm_condition)
