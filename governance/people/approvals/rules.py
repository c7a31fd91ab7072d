"""Who may do what: `check_` raises with a reason, `may_` answers."""

from collections.abc import Collection

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_confirm_change(person: Person, *, proposed_by_id: int, gaining_ids: Collection[int]) -> None:
    """Confirming a change of what binds people: an administrator who neither proposed it nor gains by it."""
    need_role(person, Role.ADMIN, to="confirm a change")
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
        need_role(person, Role.ADMIN, to="refuse a change")


def may_refuse_change(person: Person, *, proposed_by_id: int) -> bool:
    """Whether the person may refuse or withdraw this change."""
    return may(lambda: check_refuse_change(person, proposed_by_id=proposed_by_id))


def check_read_changes(person: Person) -> None:
    """What is proposed and was decided: whoever may propose, and auditors."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="read proposed changes")


def may_read_changes(person: Person) -> bool:
    """Whether the person may read proposed changes."""
    return may(lambda: check_read_changes(person))
