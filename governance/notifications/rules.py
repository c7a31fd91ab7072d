"""Permissions of notifications: `check_` functions raise with a reason, `may_` functions return a bool.

Everybody reads and sets their own notifications, so that those need no check.
"""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role


def check_manage_webhooks(person: Person) -> None:
    """Add, test, rotate and remove webhooks, which send data of a team away: platform leads and administrators."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="manage webhooks")


def check_read_webhooks(person: Person) -> None:
    """Read webhooks and the log of their messages: whoever manages them, and auditors."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="read webhooks")


may_manage_webhooks = may(check_manage_webhooks)
may_read_webhooks = may(check_read_webhooks)
