"""Permissions of prices. A `check_` function raises NotAllowed with a reason."""

from governance.people.domain.roles import Person, Role
from weighbridge.core.errors import NotAllowed


def check_price(person: Person) -> None:
    """Only finance and platform leads publish and withdraw price lists and contracts."""
    if not person.is_active or not person.roles & {Role.FINANCE, Role.PLATFORM_LEAD}:
        raise NotAllowed("Only finance and platform leads publish and withdraw prices.")
