"""Who may do what: `check_` raises with a reason, `may_` answers."""

from dataclasses import dataclass

from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, check_operate, may, sees_everything
from weighbridge.core.errors import NotAllowed


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
    """Stating metric values, answering the checklist, submitting, revising: the team, while its account is active."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if person.id in {parties.requester_id, parties.owner_id}:
        return
    check_act_for_team(person, team=parties.team)


def may_edit(person: Person, parties: Parties) -> bool:
    """Whether the person may work on the request."""
    return may(lambda: check_edit(person, parties))


def check_withdraw(person: Person, parties: Parties) -> None:
    """Withdrawing: requester, model owner, or an administrator (whose act is logged like any other)."""
    if not person.is_active or not (
        person.id in {parties.requester_id, parties.owner_id} or Role.ADMIN in person.roles
    ):
        raise NotAllowed("Only the requester, the model's owner or an administrator may withdraw a request.")


def check_print(person: Person, parties: Parties) -> None:
    """Asking for a packet, and drawing one again: the team, and whoever operates the installation."""
    if not may_edit(person, parties):
        check_operate(person)
