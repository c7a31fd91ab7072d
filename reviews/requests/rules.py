"""Permissions of requests: `check_…` raises with a reason, `may_…` returns a bool."""

from dataclasses import dataclass

from governance.people.domain.roles import BINDING, Person, Role
from governance.people.rules import check_act_for_team, check_operate, may, need_role, sees_everything
from weighbridge.core.errors import NotAllowed


@dataclass(frozen=True)
class Parties:
    """The team, the requester and the model owner of a request."""

    team: str
    requester_id: int
    owner_id: int


def check_file(person: Person, *, team: str) -> None:
    """Filing a request: requesters of the team."""
    check_act_for_team(person, team=team)


def may_see(person: Person, parties: Parties) -> bool:
    """Seeing a request: its team, requester and model owner, and every role that reviews, approves or audits."""
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


def check_withdraw(person: Person, parties: Parties) -> None:
    """Withdrawing: requester, model owner, or an administrator. The audit trail records this like any other step."""
    if not person.is_active or not (
        person.id in {parties.requester_id, parties.owner_id} or Role.ADMIN in person.roles
    ):
        raise NotAllowed("Only the requester, the model's owner or an administrator may withdraw a request.")


def check_exchange(person: Person, parties: Parties) -> None:
    """Filing another version in the place of a request: whoever may withdraw it, and may file for its team."""
    check_withdraw(person, parties)
    check_file(person, team=parties.team)


def check_extend(person: Person) -> None:
    """Extending a deadline: platform leads; their interests in the request are checked with its snapshot."""
    need_role(person, Role.PLATFORM_LEAD, to="extend the deadline of a request")


def check_vote_anywhere(person: Person) -> None:
    """Voting on any request: a stage of a policy asks for a role that judges, spends or administers."""
    if not person.is_active or person.roles.isdisjoint(BINDING):
        raise NotAllowed("Only people with the role that a stage of the review asks for may vote.")


def check_print(person: Person, parties: Parties) -> None:
    """Freezing a packet or printing it again: the team, and operators of the installation."""
    if not may_edit(person, parties):
        check_operate(person)


may_edit = may(check_edit)
