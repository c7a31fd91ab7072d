"""Who may do what to a review: `check_` raises with a reason, `may_` answers.

Who may vote is a rule of its own and stands in `reviews.domain.voting`; nobody judges their own work, administrators
included. What the state allows stands in `reviews.domain.lifecycle`; who may see what, in `reviews.queries.requests`.
"""

from dataclasses import dataclass

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role
from governance.rules import check_act_for_team, check_operate, may, sees_everything


@dataclass(frozen=True)
class Parties:
    """Whose request it is."""

    team: str
    requester_id: int
    owner_id: int


def check_file(person: Person, *, team: str) -> None:
    """Filing a request: requesters of the team."""
    check_act_for_team(person, team=team)


def may_see(person: Person, parties: Parties) -> bool:
    """Requests are seen by their team, by their owner, and by every role that reviews, approves or audits."""
    return (
        sees_everything(person) or parties.team in person.teams or person.id in {parties.requester_id, parties.owner_id}
    )


def check_edit(person: Person, parties: Parties) -> None:
    """Stating figures, answering the checklist, submitting, revising: the team, while its account is active."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if person.id in {parties.requester_id, parties.owner_id}:
        return
    check_act_for_team(person, team=parties.team)


def may_edit(person: Person, parties: Parties) -> bool:
    """Whether the person may work on the request."""
    return may(lambda: check_edit(person, parties))


def check_print(person: Person, parties: Parties) -> None:
    """Asking for a packet, and drawing one again: the team, and whoever operates the installation."""
    if not may_edit(person, parties):
        check_operate(person)


def may_print(person: Person, parties: Parties) -> bool:
    """Whether the person may have packets drawn."""
    return may(lambda: check_print(person, parties))


def check_withdraw(person: Person, parties: Parties) -> None:
    """Withdrawing: requester, model owner, or an administrator (whose act is logged like any other)."""
    if not person.is_active or not (
        person.id in {parties.requester_id, parties.owner_id} or Role.ADMIN in person.roles
    ):
        raise NotAllowed("Only the requester, the model's owner or an administrator may withdraw a request.")


def may_withdraw(person: Person, parties: Parties) -> bool:
    """Whether the person may withdraw the request."""
    return may(lambda: check_withdraw(person, parties))


def check_revoke(person: Person) -> None:
    """Revoking or suspending an authorisation: platform leads."""
    if not person.is_active or Role.PLATFORM_LEAD not in person.roles:
        raise NotAllowed("Only a platform lead may revoke an authorisation.")


def may_revoke(person: Person) -> bool:
    """Whether the person may revoke authorisations."""
    return may(lambda: check_revoke(person))


def check_waive(person: Person, parties: Parties) -> None:
    """Waiving a soft rule: a platform lead who has no stake in the request."""
    if not person.is_active or Role.PLATFORM_LEAD not in person.roles:
        raise NotAllowed("Only a platform lead may waive a rule.")
    if person.id in {parties.requester_id, parties.owner_id} or parties.team in person.teams:
        raise NotAllowed("A platform lead who has no stake in this request must waive its rules.")


def may_waive(person: Person, parties: Parties) -> bool:
    """Whether the person may waive soft rules for the request."""
    return may(lambda: check_waive(person, parties))


def check_confirm_condition(person: Person, parties: Parties, *, owner_id: int) -> None:
    """Confirming that a condition is met: a reviewer or platform lead who neither owes it nor has a stake."""
    if not person.is_active or not person.roles & {Role.REVIEWER, Role.PLATFORM_LEAD}:
        raise NotAllowed("Only a reviewer or a platform lead may confirm that a condition is met.")
    if person.id in {owner_id, parties.requester_id, parties.owner_id}:
        raise NotAllowed("Somebody who has no stake in this request must confirm its conditions.")


def may_confirm_condition(person: Person, parties: Parties, *, owner_id: int) -> bool:
    """Whether the person may confirm the condition."""
    return may(lambda: check_confirm_condition(person, parties, owner_id=owner_id))
