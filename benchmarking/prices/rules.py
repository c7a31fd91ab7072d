"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person, Role
from weighbridge.core.errors import NotAllowed


def check_price(person: Person) -> None:
    """Publishing and withdrawing price lists and contracts is for finance and platform leads."""
    if not person.is_active or not person.roles & {Role.FINANCE, Role.PLATFORM_LEAD}:
        raise NotAllowed("Only finance and platform leads publish and withdraw prices.")
