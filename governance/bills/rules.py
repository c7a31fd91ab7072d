"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_handle_bills(person: Person) -> None:
    """Send bills, set rates and draft allocation rules: finance, platform leads and administrators."""
    need_role(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, to="handle bills")


def may_handle_bills(person: Person) -> bool:
    """Whether the person may send bills and draft allocation rules."""
    return may(lambda: check_handle_bills(person))


def check_publish_allocation(person: Person, *, written_by_id: int | None) -> None:
    """Publish allocation rules: anyone who handles bills, except the author."""
    check_handle_bills(person)
    if written_by_id == person.id:
        raise NotAllowed("Authors cannot publish their own allocation rules. Ask another person.")


def check_see_bills(person: Person) -> None:
    """See complete bills, which contain the accounts of all teams: anyone who handles bills, and auditors."""
    need_role(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="see bills")


def may_see_bills(person: Person) -> bool:
    """Whether the person may see complete bills."""
    return may(lambda: check_see_bills(person))
