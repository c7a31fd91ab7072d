"""Who may do what to a review: `check_` raises with a reason, `may_` answers.

Who may vote is a rule of its own and stands in `reviews.domain.voting`; nobody judges their own work, administrators
included. What the state allows stands in `reviews.domain.lifecycle`; who may see what, in `reviews.queries.requests`.
"""

from dataclasses import dataclass

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role
from governance.rules import check_act_for_team, check_operate, may, sees_everything
from reviews.domain.quarterly.quorum import Side, sides_of


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


_LEADS = frozenset({Role.PLATFORM_LEAD, Role.PRODUCT_LEAD})


def may_see_cycles(person: Person) -> bool:
    """The quarterly review shows every team's costs: everybody who is more than a requester."""
    return sees_everything(person)


def check_lead_meeting(person: Person) -> None:
    """Editing the agenda, moving the cut-off, opening the meeting and noting who attends: platform and
    product leads.
    """
    if not person.is_active or person.roles.isdisjoint(_LEADS):
        raise NotAllowed("Only a platform lead or a product lead may prepare and lead the quarterly review.")


def may_lead_meeting(person: Person) -> bool:
    """Whether the person may prepare and lead the quarterly review."""
    return may(lambda: check_lead_meeting(person))


def check_close_meeting(person: Person, *, chair_id: int | None) -> None:
    """Closing the meeting, which issues its minutes: whoever is in the chair."""
    check_lead_meeting(person)
    if person.id != chair_id:
        raise NotAllowed("Only whoever is in the chair may close the meeting; take the chair first.")


def may_close_meeting(person: Person, *, chair_id: int | None) -> bool:
    """Whether the person may close the meeting."""
    return may(lambda: check_close_meeting(person, chair_id=chair_id))


def check_attend(person: Person, *, side: Side) -> None:
    """Attending: platform leads for engineering, product leads for product, everybody who sees the review
    as a guest.
    """
    if not may_see_cycles(person):
        raise NotAllowed(f"{person.name or person.username} may not see the quarterly review, so not attend it.")
    if side not in sides_of(person.roles):
        raise NotAllowed(f"{person.name or person.username} is not {side.words}, so cannot attend as one.")


def check_decide(person: Person, *, is_present: bool, team: str, owner_id: int | None) -> None:
    """Recording a decision of the meeting: a lead who is present, and who neither owns the model nor files for its
    team.

    `team` and `owner_id` are those of the model the item is about; "" and None where it is about none.
    """
    check_lead_meeting(person)
    if not is_present:
        raise NotAllowed("Only a lead who attends this meeting may record its decisions; have your attendance noted.")
    if person.id == owner_id or team in person.teams:
        raise NotAllowed(
            "Nobody decides on a model of their own; another lead who is present must record this decision."
        )


def may_decide(person: Person, *, is_present: bool, team: str, owner_id: int | None) -> bool:
    """Whether the person may record a decision on this item."""
    return may(lambda: check_decide(person, is_present=is_present, team=team, owner_id=owner_id))


def check_finish_action(person: Person, *, owner_id: int) -> None:
    """Saying that an action item is seen or done: its owner, or a lead."""
    if not (person.is_active and person.id == owner_id):
        check_lead_meeting(person)


def may_finish_action(person: Person, *, owner_id: int) -> bool:
    """Whether the person may close this action item as done."""
    return may(lambda: check_finish_action(person, owner_id=owner_id))


def check_drop_action(person: Person, *, owner_id: int) -> None:
    """Giving an action item up: a lead who does not owe it."""
    check_lead_meeting(person)
    if person.id == owner_id:
        raise NotAllowed("Nobody gives up what they owe themselves; another lead must drop this action item.")


def may_drop_action(person: Person, *, owner_id: int) -> bool:
    """Whether the person may drop this action item."""
    return may(lambda: check_drop_action(person, owner_id=owner_id))


def check_keep_score(person: Person, *, team: str) -> None:
    """Setting a model's KPIs and supplying their actuals: requesters of its team, and product leads."""
    if not (person.is_active and Role.PRODUCT_LEAD in person.roles):
        check_act_for_team(person, team=team)


def may_keep_score(person: Person, *, team: str) -> bool:
    """Whether the person may set this model's KPIs and supply their actuals."""
    return may(lambda: check_keep_score(person, team=team))


def check_backtest(person: Person) -> None:
    """Replaying a policy on the requests of every team: whoever reads them all."""
    if not sees_everything(person):
        raise NotAllowed("A back-test reads the requests of every team; ask a platform lead or an auditor for one.")


def may_backtest(person: Person) -> bool:
    """Whether the person may replay a policy on past requests."""
    return may(lambda: check_backtest(person))
