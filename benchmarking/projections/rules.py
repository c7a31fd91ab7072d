"""Permissions of projections. A `check_` function raises NotAllowed with a reason."""

from governance.people.domain.roles import Person
from weighbridge.core.errors import NotAllowed


def check_project(person: Person) -> None:
    """Everybody with an active account may project costs and keep the result."""
    if not person.is_active:
        raise NotAllowed("Your account is not active. Ask an administrator.")
