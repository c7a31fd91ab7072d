"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_handle_bills(person: Person) -> None:
    """Sending bills, setting rates and drafting allocation rules: finance, platform leads and administrators."""
    need_role(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, to="handle bills")


def may_handle_bills(person: Person) -> bool:
    """Whether the person may send bills and draft allocation rules."""
    return may(lambda: check_handle_bills(person))


def check_publish_allocation(person: Person, *, written_by_id: int | None) -> None:
    """Putting allocation rules in force: whoever handles bills, and somebody else than their author."""
    check_handle_bills(person)
    if written_by_id == person.id:
        raise NotAllowed("Somebody other than their author must publish allocation rules; ask another.")


def check_see_bills(person: Person) -> None:
    """Whole bills name accounts of every team: whoever handles them, and auditors."""
    need_role(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="see bills")


def may_see_bills(person: Person) -> bool:
    """Whether the person may see whole bills."""
    return may(lambda: check_see_bills(person))
