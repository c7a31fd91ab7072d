"""Who may do what on the ground floor: `check_` raises with a reason, `may_` answers."""

from collections.abc import Callable, Collection

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role

_WORDS = {
    Role.REQUESTER: "a requester",
    Role.REVIEWER: "a reviewer",
    Role.PLATFORM_LEAD: "a platform lead",
    Role.PRODUCT_LEAD: "a product lead",
    Role.FINANCE: "finance",
    Role.ADMIN: "an administrator",
    Role.AUDITOR: "an auditor",
}


def _need(person: Person, *roles: Role, to: str) -> None:
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if not person.roles.intersection(roles):
        raise NotAllowed(f"Only {' or '.join(_WORDS[role] for role in roles)} may {to}.")


def may(check: Callable[[], None]) -> bool:
    """Turn a check into a yes or no."""
    try:
        check()
    except NotAllowed:
        return False
    return True


def check_write_rulebook(person: Person) -> None:
    """Drafting a policy or checklist: platform leads and administrators."""
    _need(person, Role.PLATFORM_LEAD, Role.ADMIN, to="write a policy")


def check_publish_rulebook(person: Person, *, written_by_id: int | None) -> None:
    """Publishing: an administrator, and somebody else than the author."""
    _need(person, Role.ADMIN, to="publish a policy")
    if written_by_id == person.id:
        raise NotAllowed("Somebody other than its author must publish a policy; ask another administrator.")


def may_write_rulebook(person: Person) -> bool:
    """Whether the person may draft a policy."""
    return may(lambda: check_write_rulebook(person))


def check_propose_publication(person: Person) -> None:
    """Proposing to put a draft in force: whoever may write one, its author included."""
    _need(person, Role.PLATFORM_LEAD, Role.ADMIN, to="propose a policy for publication")


def check_confirm_change(person: Person, *, proposed_by_id: int, gaining_ids: Collection[int]) -> None:
    """Confirming a change of what binds people: an administrator who neither proposed it nor gains by it."""
    _need(person, Role.ADMIN, to="confirm a change")
    if person.id == proposed_by_id:
        raise NotAllowed("You proposed this change; another administrator must confirm it.")
    if person.id in gaining_ids:
        raise NotAllowed(
            "You wrote what this change publishes, or gain a role by it; another administrator must confirm it."
        )


def may_confirm_change(person: Person, *, proposed_by_id: int, gaining_ids: Collection[int]) -> bool:
    """Whether the person may confirm this change."""
    return may(lambda: check_confirm_change(person, proposed_by_id=proposed_by_id, gaining_ids=gaining_ids))


def check_refuse_change(person: Person, *, proposed_by_id: int) -> None:
    """Closing a proposal without effect: an administrator, or whoever proposed it."""
    if not (person.is_active and person.id == proposed_by_id):
        _need(person, Role.ADMIN, to="refuse a change")


def may_refuse_change(person: Person, *, proposed_by_id: int) -> bool:
    """Whether the person may refuse or withdraw this change."""
    return may(lambda: check_refuse_change(person, proposed_by_id=proposed_by_id))


def check_read_changes(person: Person) -> None:
    """What is proposed and was decided: whoever may propose, and auditors."""
    _need(person, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="read proposed changes")


def may_read_changes(person: Person) -> bool:
    """Whether the person may read proposed changes."""
    return may(lambda: check_read_changes(person))


def check_allocate_budget(person: Person) -> None:
    """Setting what a team may spend: finance."""
    _need(person, Role.FINANCE, to="allocate a budget")


def may_allocate_budget(person: Person) -> bool:
    """Whether the person may allocate budgets."""
    return may(lambda: check_allocate_budget(person))


def check_see_budget(person: Person, *, team: str) -> None:
    """A team's budget is seen by the team, by leads, finance, administrators and auditors."""
    if not (person.is_active and team in person.teams):
        _need(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR, to="see another team's budget")


def may_see_budget(person: Person, *, team: str) -> bool:
    """Whether the person may see this team's budget."""
    return may(lambda: check_see_budget(person, team=team))


def check_propose_budget_change(person: Person, *, team: str) -> None:
    """Asking for another amount, quarter or account: requesters of the team, platform leads and finance."""
    if not (person.has_role(Role.REQUESTER) and team in person.teams):
        _need(person, Role.PLATFORM_LEAD, Role.FINANCE, to="change another team's budget")


def may_propose_budget_change(person: Person, *, team: str) -> bool:
    """Whether the person may ask for a change of this team's budget."""
    return may(lambda: check_propose_budget_change(person, team=team))


def check_confirm_budget_change(person: Person, *, proposed_by_id: int, teams: Collection[str]) -> None:
    """Confirming it: a platform lead or finance who did not propose it and files for none of the teams it concerns."""
    _need(person, Role.PLATFORM_LEAD, Role.FINANCE, to="confirm a change of a budget")
    if person.id == proposed_by_id:
        raise NotAllowed("You proposed this change; another platform lead or finance must confirm it.")
    if not person.teams.isdisjoint(teams):
        raise NotAllowed("You file requests for a team whose budget this changes; somebody else must confirm it.")


def may_confirm_budget_change(person: Person, *, proposed_by_id: int, teams: Collection[str]) -> bool:
    """Whether the person may confirm this change of a budget."""
    return may(lambda: check_confirm_budget_change(person, proposed_by_id=proposed_by_id, teams=teams))


def check_refuse_budget_change(person: Person, *, proposed_by_id: int) -> None:
    """Closing it without effect: a platform lead or finance, or whoever proposed it."""
    if not (person.is_active and person.id == proposed_by_id):
        _need(person, Role.PLATFORM_LEAD, Role.FINANCE, to="refuse a change of a budget")


def may_refuse_budget_change(person: Person, *, proposed_by_id: int) -> bool:
    """Whether the person may refuse or withdraw this change of a budget."""
    return may(lambda: check_refuse_budget_change(person, proposed_by_id=proposed_by_id))


def check_read_findings(person: Person) -> None:
    """What the system noticed, of every team: platform leads, finance, administrators and auditors."""
    _need(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR, to="read findings")


def may_read_findings(person: Person) -> bool:
    """Whether the person may read every finding."""
    return may(lambda: check_read_findings(person))


def check_assign_finding(person: Person) -> None:
    """Saying who looks into a finding: platform leads, finance and administrators."""
    _need(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, to="assign a finding")


def may_assign_finding(person: Person) -> bool:
    """Whether the person may say who looks into a finding."""
    return may(lambda: check_assign_finding(person))


def check_close_finding(person: Person, *, owner_id: int | None) -> None:
    """Closing a finding: whoever owns it, platform leads, finance and administrators."""
    if not (person.is_active and person.id == owner_id):
        _need(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, to="close another person's finding")


def may_close_finding(person: Person, *, owner_id: int | None) -> bool:
    """Whether the person may close this finding."""
    return may(lambda: check_close_finding(person, owner_id=owner_id))


def check_handle_bills(person: Person) -> None:
    """Sending bills, setting rates and drafting allocation rules: finance, platform leads and administrators."""
    _need(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, to="handle bills")


def may_handle_bills(person: Person) -> bool:
    """Whether the person may send bills and draft allocation rules."""
    return may(lambda: check_handle_bills(person))


def check_publish_allocation(person: Person, *, written_by_id: int | None) -> None:
    """Putting allocation rules in force: whoever handles bills, and somebody else than their author."""
    check_handle_bills(person)
    if written_by_id == person.id:
        raise NotAllowed("Somebody other than their author must publish allocation rules; ask another.")


def may_publish_allocation(person: Person, *, written_by_id: int | None) -> bool:
    """Whether the person may publish these rules."""
    return may(lambda: check_publish_allocation(person, written_by_id=written_by_id))


def check_see_bills(person: Person) -> None:
    """Whole bills name accounts of every team: whoever handles them, and auditors."""
    _need(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="see bills")


def may_see_bills(person: Person) -> bool:
    """Whether the person may see whole bills."""
    return may(lambda: check_see_bills(person))


def check_act_for_team(person: Person, *, team: str) -> None:
    """Registering models and filing requests: requesters of that team."""
    _need(person, Role.REQUESTER, to="file for a team")
    if team not in person.teams:
        raise NotAllowed(f"You are not a requester of the team {team!r}; ask an administrator to add you.")


def check_act_for_any_team(person: Person) -> None:
    """Registering evaluation data: requesters of any team."""
    _need(person, Role.REQUESTER, to="register data and file requests")


def check_manage_people(person: Person, *, user_id: int | None = None) -> None:
    """Teams and roles: administrators, and nobody their own (`user_id` is whose role it is)."""
    _need(person, Role.ADMIN, to="manage people")
    if user_id == person.id:
        raise NotAllowed("Nobody grants or revokes a role of their own; ask another administrator.")


def may_manage_people(person: Person) -> bool:
    """Whether the person may open teams and grant roles to others."""
    return may(lambda: check_manage_people(person))


def check_create_token(person: Person, *, user_id: int) -> None:
    """A token acts as its user, so everybody makes their own and nobody another's."""
    if not person.is_active or user_id != person.id:
        raise NotAllowed("A token acts as its user: everybody makes their own, or an operator does on the server.")


def check_operate(person: Person) -> None:
    """Retrying effects and testing connections: platform leads and administrators."""
    _need(person, Role.PLATFORM_LEAD, Role.ADMIN, to="operate integrations")


def may_operate(person: Person) -> bool:
    """Whether the person may retry effects and test connections."""
    return may(lambda: check_operate(person))


def check_read_trail(person: Person) -> None:
    """The whole trail names people and requests of every team: administrators and auditors read it."""
    _need(person, Role.ADMIN, Role.AUDITOR, to="read the whole audit trail")


def may_read_trail(person: Person) -> bool:
    """Whether the person may read the whole trail."""
    return may(lambda: check_read_trail(person))


def sees_everything(person: Person) -> bool:
    """Whether the person reads all teams' requests and models: everybody active who is more than a requester."""
    readers = {Role.REVIEWER, Role.PLATFORM_LEAD, Role.PRODUCT_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR}
    return person.is_active and not person.roles.isdisjoint(readers)
